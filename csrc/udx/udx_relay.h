/* Packets that pass through: a stream that relays hands its packets on to the remote of another, with only the id in
 * the header replaced. Nothing is copied on the way from the receive buffer to the send call; what the kernel cannot
 * take at once is copied into blocks of the pool, in bounded number, as a router would queue it. */
#ifndef HD_UDX_RELAY_H
#define HD_UDX_RELAY_H

#include "base/datagram.h"
#include "base/ring.h"
#include "udx/udx_pool.h"
#include "udx/udx_scratch.h"

typedef struct hd_udx_relayed {
  hd_bytes bytes; /* of the receive buffer, or of `block` */
  void *block;    /* NULL while borrowed */
  hd_socket_id socket;
  uint32_t remote_id;
  hd_address to;
} hd_udx_relayed;

typedef struct hd_udx_relay {
  hd_ring fresh;   /* came in since the last drain: borrowed */
  hd_ring waiting; /* for a socket that was full: owned */
  uint64_t packets;
  uint64_t drops;
} hd_udx_relay;

void hd_udx_relay_init(hd_udx_relay *relay, const hd_allocator *allocator);
void hd_udx_relay_destroy(hd_udx_relay *relay, hd_udx_pool *pool);

/* Takes a packet to be passed on; counted as dropped when there is no room. */
void hd_udx_relay_push(hd_udx_relay *relay, hd_bytes packet, hd_socket_id socket, const hd_address *to,
                       uint32_t remote_id);

/* Copies a packet that could not leave, to be sent when its socket takes datagrams again. */
void hd_udx_relay_keep(hd_udx_relay *relay, hd_udx_pool *pool, const hd_udx_relayed *relayed);

/* Fills `out` with the next packets of one destination, as many as make a batch. The first must be in `ring`.
 *
 * Returns how many; the caller pops them (hd_ring_pop) when it has taken over their blocks. */
uint32_t hd_udx_relay_fill(const hd_ring *ring, hd_udx_scratch *scratch, hd_datagram_out *out);

#endif
