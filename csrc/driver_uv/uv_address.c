#include "driver_uv/uv_address.h"

#include <arpa/inet.h>

static const uint8_t mapped_prefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

static socklen_t write_ipv4(const hd_address *address, hd_uv_sockaddr *system) {
  memset(&system->ipv4, 0, sizeof system->ipv4);
  system->ipv4.sin_family = AF_INET;
  system->ipv4.sin_port = htons(address->port);
  memcpy(&system->ipv4.sin_addr, address->ip, 4);
  return sizeof system->ipv4;
}

static socklen_t write_ipv6(const hd_address *address, hd_uv_sockaddr *system) {
  memset(&system->ipv6, 0, sizeof system->ipv6);
  system->ipv6.sin6_family = AF_INET6;
  system->ipv6.sin6_port = htons(address->port);
  if (address->family == HDHT_FAMILY_IPV6) {
    memcpy(&system->ipv6.sin6_addr, address->ip, 16);
  } else {
    memcpy(system->ipv6.sin6_addr.s6_addr, mapped_prefix, sizeof mapped_prefix);
    memcpy(system->ipv6.sin6_addr.s6_addr + sizeof mapped_prefix, address->ip, 4);
  }
  return sizeof system->ipv6;
}

socklen_t hd_uv_address_to_system(const hd_address *address, uint8_t socket_family, hd_uv_sockaddr *system) {
  if (address->family != HDHT_FAMILY_IPV4 && address->family != HDHT_FAMILY_IPV6) return 0;
  if (socket_family == HDHT_FAMILY_IPV6) return write_ipv6(address, system);
  if (address->family == HDHT_FAMILY_IPV4) return write_ipv4(address, system);
  return 0;
}

static hd_address read_ipv6(const struct sockaddr_in6 *system) {
  const uint8_t *ip = system->sin6_addr.s6_addr;
  hd_address address = {.port = ntohs(system->sin6_port)};
  if (memcmp(ip, mapped_prefix, sizeof mapped_prefix) == 0) {
    address.family = HDHT_FAMILY_IPV4;
    memcpy(address.ip, ip + sizeof mapped_prefix, 4);
  } else {
    address.family = HDHT_FAMILY_IPV6;
    memcpy(address.ip, ip, 16);
  }
  return address;
}

hd_address hd_uv_address_from_system(const hd_uv_sockaddr *system, socklen_t size) {
  if (size >= (socklen_t)sizeof system->ipv6 && system->base.sa_family == AF_INET6) return read_ipv6(&system->ipv6);

  hd_address address = {0};
  if (size >= (socklen_t)sizeof system->ipv4 && system->base.sa_family == AF_INET) {
    address.family = HDHT_FAMILY_IPV4;
    address.port = ntohs(system->ipv4.sin_port);
    memcpy(address.ip, &system->ipv4.sin_addr, 4);
  }
  return address;
}
