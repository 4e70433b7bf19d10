#include "driver_uv/uv_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <hdht/error.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "driver_uv/uv_address.h"
#include "driver_uv/uv_error.h"
#include "driver_uv/uv_offload.h"

static int set_option(const hd_uv_socket *socket, int level, int name, int value) {
  return setsockopt(socket->descriptor, level, name, &value, sizeof value);
}

static int create_descriptor(int domain) {
#if defined(__linux__)
  return socket(domain, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
#else
  const int descriptor = socket(domain, SOCK_DGRAM, 0);
  if (descriptor < 0) return descriptor;
  fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK);
  fcntl(descriptor, F_SETFD, FD_CLOEXEC);
  return descriptor;
#endif
}

/* Asks for a buffer of `size` bytes, past the administrator's limit where we are permitted to (`force_name`; 0 where
 * the system knows no such option). Linux clamps what is too much; others refuse it, hence the halving. */
static void set_buffer(const hd_uv_socket *socket, int name, int force_name, uint32_t size) {
  if (force_name != 0 && set_option(socket, SOL_SOCKET, force_name, (int)size) == 0) return;
  while (size >= 0x10000 && set_option(socket, SOL_SOCKET, name, (int)size) != 0) size /= 2;
}

static void set_buffers(const hd_uv_socket *socket, const hd_uv_socket_options *options) {
  const uint32_t receive = options->receive_buffer != 0 ? options->receive_buffer : HD_UV_RECEIVE_BUFFER_DEFAULT;
  const uint32_t send = options->send_buffer != 0 ? options->send_buffer : HD_UV_SEND_BUFFER_DEFAULT;
#if defined(SO_RCVBUFFORCE) && defined(SO_SNDBUFFORCE)
  set_buffer(socket, SO_RCVBUF, SO_RCVBUFFORCE, receive);
  set_buffer(socket, SO_SNDBUF, SO_SNDBUFFORCE, send);
#else
  set_buffer(socket, SO_RCVBUF, 0, receive);
  set_buffer(socket, SO_SNDBUF, 0, send);
#endif
}

/* All of these may fail where the system lacks them; the socket is usable without. */
static void enable_offloads(hd_uv_socket *socket) {
#if HD_UV_HAS_OFFLOADS
  int segment_size;
  socklen_t size = sizeof segment_size;
  socket->can_segment = getsockopt(socket->descriptor, SOL_UDP, UDP_SEGMENT, &segment_size, &size) == 0;
  socket->joins_received = set_option(socket, SOL_UDP, UDP_GRO, 1) == 0;
#else
  (void)socket;
#endif
}

static int bind_to_port(const hd_uv_socket *socket, const hd_address *address) {
  hd_uv_sockaddr system;
  const socklen_t size = hd_uv_address_to_system(address, socket->family, &system);
  return bind(socket->descriptor, &system.base, size) == 0 ? HDHT_OK : hd_uv_error_from_errno(errno);
}

static int bind_to_first_free(const hd_uv_socket *socket, hd_address address, uint32_t ports_count) {
  int result = bind_to_port(socket, &address);
  for (uint32_t i = 1; i < ports_count && result == HDHT_ERR_ADDRESS_IN_USE; i++) {
    address.port++;
    result = bind_to_port(socket, &address);
  }
  return result;
}

static int prepare(hd_uv_socket *socket, const hd_uv_socket_options *options) {
  if (socket->family == HDHT_FAMILY_IPV6 &&
      set_option(socket, IPPROTO_IPV6, IPV6_V6ONLY, options->is_ipv6_only ? 1 : 0) != 0) {
    return hd_uv_error_from_errno(errno);
  }
  if (options->may_share_port && set_option(socket, SOL_SOCKET, SO_REUSEPORT, 1) != 0) {
    return hd_uv_error_from_errno(errno);
  }
  hd_uv_socket_set_may_fragment(socket, false);
  set_buffers(socket, options);
  if (!options->is_plain) enable_offloads(socket);
  return options->ttl != 0 ? hd_uv_socket_set_ttl(socket, options->ttl) : HDHT_OK;
}

int hd_uv_socket_open(const hd_uv_socket_options *options, hd_uv_socket *socket) {
  hd_address address = options->address;
  if (address.family == HDHT_FAMILY_NONE) address.family = HDHT_FAMILY_IPV4;
  if (address.family != HDHT_FAMILY_IPV4 && address.family != HDHT_FAMILY_IPV6) return HDHT_ERR_INVALID_ARGUMENT;
  const uint32_t ports_count = options->ports_count == 0 || address.port == 0 ? 1 : options->ports_count;
  if (address.port + ports_count - 1 > UINT16_MAX) return HDHT_ERR_INVALID_ARGUMENT;

  hd_uv_socket opened = {.descriptor = create_descriptor(address.family == HDHT_FAMILY_IPV6 ? AF_INET6 : AF_INET),
                         .family = address.family};
  if (opened.descriptor < 0) return hd_uv_error_from_errno(errno);

  int result = prepare(&opened, options);
  if (result == HDHT_OK) result = bind_to_first_free(&opened, address, ports_count);
  if (result != HDHT_OK) {
    hd_uv_socket_close(&opened);
    return result;
  }
  *socket = opened;
  return HDHT_OK;
}

void hd_uv_socket_close(hd_uv_socket *socket) {
  close(socket->descriptor);
  socket->descriptor = -1;
}

int hd_uv_socket_get_address(const hd_uv_socket *socket, hd_address *address) {
  hd_uv_sockaddr system;
  socklen_t size = sizeof system;
  if (getsockname(socket->descriptor, &system.base, &size) != 0) return hd_uv_error_from_errno(errno);
  *address = hd_uv_address_from_system(&system, size);
  return HDHT_OK;
}

/* A dual-stack socket sends IPv4 as well, with options of its own. There they may fail: an IPv6-only system has none.
 */
int hd_uv_socket_set_ttl(hd_uv_socket *socket, uint8_t ttl) {
  if (ttl == 0) return HDHT_ERR_INVALID_ARGUMENT;
  const int ipv4 = set_option(socket, IPPROTO_IP, IP_TTL, ttl);
  const bool is_set =
      socket->family == HDHT_FAMILY_IPV6 ? set_option(socket, IPPROTO_IPV6, IPV6_UNICAST_HOPS, ttl) == 0 : ipv4 == 0;
  return is_set ? HDHT_OK : HDHT_ERR_NETWORK;
}

int hd_uv_socket_get_ttl(const hd_uv_socket *socket, uint8_t *ttl) {
  int value = 0;
  socklen_t size = sizeof value;
  const int result = socket->family == HDHT_FAMILY_IPV6
                         ? getsockopt(socket->descriptor, IPPROTO_IPV6, IPV6_UNICAST_HOPS, &value, &size)
                         : getsockopt(socket->descriptor, IPPROTO_IP, IP_TTL, &value, &size);
  if (result != 0) return HDHT_ERR_NETWORK;
  *ttl = (uint8_t)value;
  return HDHT_OK;
}

/* "Probe" sets don't-fragment but ignores the kernel's own idea of the path MTU, which anybody could forge with an ICMP
 * message; path MTU discovery is the stream's business. */
void hd_uv_socket_set_may_fragment(hd_uv_socket *socket, bool may_fragment) {
#if defined(IP_MTU_DISCOVER) && defined(IP_PMTUDISC_PROBE)
  set_option(socket, IPPROTO_IP, IP_MTU_DISCOVER, may_fragment ? IP_PMTUDISC_DONT : IP_PMTUDISC_PROBE);
#elif defined(IP_DONTFRAG)
  set_option(socket, IPPROTO_IP, IP_DONTFRAG, may_fragment ? 0 : 1);
#endif
  if (socket->family != HDHT_FAMILY_IPV6) return;
#if defined(IPV6_MTU_DISCOVER) && defined(IPV6_PMTUDISC_PROBE)
  set_option(socket, IPPROTO_IPV6, IPV6_MTU_DISCOVER, may_fragment ? IPV6_PMTUDISC_DONT : IPV6_PMTUDISC_PROBE);
#elif defined(IPV6_DONTFRAG)
  set_option(socket, IPPROTO_IPV6, IPV6_DONTFRAG, may_fragment ? 0 : 1);
#endif
}

void hd_uv_socket_clear_error(hd_uv_socket *socket) {
  int error;
  socklen_t size = sizeof error;
  getsockopt(socket->descriptor, SOL_SOCKET, SO_ERROR, &error, &size);
}
