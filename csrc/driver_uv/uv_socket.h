/* A non-blocking UDP socket, set up the way the library wants it: large buffers, don't-fragment, and whatever offloads
 * the kernel has. Opening, naming and closing; uv_receive and uv_send move the datagrams.
 *
 * Nothing in here needs libuv: uv_driver polls the descriptor. */
#ifndef HD_UV_SOCKET_H
#define HD_UV_SOCKET_H

#include <stdbool.h>
#include <stdint.h>

#include "base/address.h"

/* Bytes of payload the kernel is asked to hold. It grants less where its limits say so; it reserves nothing. */
#define HD_UV_RECEIVE_BUFFER_DEFAULT 0x800000
#define HD_UV_SEND_BUFFER_DEFAULT    0x400000

typedef struct hd_uv_socket_options {
  hd_address address;      /* where to bind; an all-zero IP is the wildcard, port 0 any port. The family decides what
                            * kind of socket it is; HDHT_FAMILY_NONE means IPv4 */
  uint16_t ports_count;    /* how many ports to try, upward from address.port; 0: one */
  bool is_ipv6_only;       /* otherwise an IPv6 wildcard takes IPv4, too */
  bool may_share_port;     /* SO_REUSEPORT: several sockets with this option bind one port and share what arrives */
  bool is_plain;           /* use no offloads (GSO, GRO) */
  uint8_t ttl;             /* of all datagrams without their own; 0: the system's default, 64 practically everywhere */
  uint32_t receive_buffer; /* bytes; 0: HD_UV_RECEIVE_BUFFER_DEFAULT */
  uint32_t send_buffer;    /* bytes; 0: HD_UV_SEND_BUFFER_DEFAULT */
} hd_uv_socket_options;

typedef struct hd_uv_socket {
  int descriptor;
  uint8_t family;      /* of the socket; an IPv6 one may reach IPv4, too */
  bool can_segment;    /* the kernel cuts batches into datagrams (UDP_SEGMENT); cleared for good when it fails to */
  bool joins_received; /* the kernel may hand in several datagrams as one (UDP_GRO) */
} hd_uv_socket;

/* Opens and binds.
 *
 * Errors: HDHT_ERR_INVALID_ARGUMENT (unknown family; a range that passes port 65535), HDHT_ERR_ADDRESS_IN_USE (every
 * port that was tried), HDHT_ERR_ADDRESS_UNAVAILABLE, HDHT_ERR_PERMISSION, HDHT_ERR_LIMIT (descriptors),
 * HDHT_ERR_OUT_OF_MEMORY, HDHT_ERR_NETWORK. */
int hd_uv_socket_open(const hd_uv_socket_options *options, hd_uv_socket *socket);

void hd_uv_socket_close(hd_uv_socket *socket);

/* The address it is bound to. Errors: HDHT_ERR_NETWORK. */
int hd_uv_socket_get_address(const hd_uv_socket *socket, hd_address *address);

/* Sets the time to live of datagrams without their own; 1 to 255. Errors: HDHT_ERR_INVALID_ARGUMENT, HDHT_ERR_NETWORK.
 */
int hd_uv_socket_set_ttl(hd_uv_socket *socket, uint8_t ttl);

/* What set_ttl set, or the system's default. Errors: HDHT_ERR_NETWORK. */
int hd_uv_socket_get_ttl(const hd_uv_socket *socket, uint8_t *ttl);

/* Whether the network may cut datagrams that are sent from now on. Sockets start with false. Where the system cannot
 * tell it so, nothing happens. */
void hd_uv_socket_set_may_fragment(hd_uv_socket *socket, bool may_fragment);

/* Takes a pending error off the socket, so that polling it does not report the same one for ever. */
void hd_uv_socket_clear_error(hd_uv_socket *socket);

#endif
