#include "driver_uv/uv_interfaces.h"

#include <string.h>
#include <uv.h>

#include "base/byte_order.h"
#include "crypto/hash.h"

static hd_bytes address_bytes(const struct sockaddr_in *ipv4, const struct sockaddr_in6 *ipv6) {
  return ipv4->sin_family == AF_INET6 ? hd_bytes_of(&ipv6->sin6_addr, sizeof ipv6->sin6_addr)
                                      : hd_bytes_of(&ipv4->sin_addr, sizeof ipv4->sin_addr);
}

static uint64_t fingerprint_of(const uv_interface_address_t *interface) {
  const hd_bytes parts[] = {hd_bytes_of(interface->name, strlen(interface->name) + 1),
                            address_bytes(&interface->address.address4, &interface->address.address6),
                            address_bytes(&interface->netmask.netmask4, &interface->netmask.netmask6)};
  uint8_t hash[HD_HASH_SIZE];
  hd_hash_parts(parts, sizeof parts / sizeof parts[0], hash);
  return hd_load_le64(hash);
}

/* A sum does not mind the order. */
uint64_t hd_uv_interfaces_fingerprint(void) {
  uv_interface_address_t *interfaces;
  int count;
  if (uv_interface_addresses(&interfaces, &count) != 0) return 0;
  uint64_t sum = (uint64_t)count;
  for (int i = 0; i < count; i++) sum += fingerprint_of(&interfaces[i]);
  uv_free_interface_addresses(interfaces, count);
  return sum;
}
