/* Addresses in the form that the operating system's calls take, and back. */
#ifndef HD_UV_ADDRESS_H
#define HD_UV_ADDRESS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <sys/socket.h>

#include "base/address.h"

typedef union hd_uv_sockaddr {
  struct sockaddr base;
  struct sockaddr_in ipv4;
  struct sockaddr_in6 ipv6;
} hd_uv_sockaddr;

/* Writes `address` for a socket of the family `socket_family` (HDHT_FAMILY_*): an IPv6 socket is given IPv4 addresses
 * in their mapped form.
 *
 * Returns the bytes used, or 0 when such a socket cannot reach such an address; *system is then untouched. */
socklen_t hd_uv_address_to_system(const hd_address *address, uint8_t socket_family, hd_uv_sockaddr *system);

/* Reads what a call wrote. A mapped address comes out as IPv4, anything that is no internet address as none. Zone
 * indices of link-local addresses are lost. */
hd_address hd_uv_address_from_system(const hd_uv_sockaddr *system, socklen_t size);

#endif
