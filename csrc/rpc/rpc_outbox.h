/* Datagrams waiting for the driver to take them, in one growing piece of memory that is used again and again: after
 * warm-up nothing is allocated. Messages are written straight into it.
 *
 * The driver takes everything after each batch of work, so the box is empty most of the time. At its limit further
 * datagrams are dropped, as the network itself might. */
#ifndef HD_RPC_OUTBOX_H
#define HD_RPC_OUTBOX_H

#include "base/allocator.h"
#include "base/datagram.h"

#define HD_RPC_OUTBOX_DATAGRAMS_LIMIT 4096
#define HD_RPC_OUTBOX_BYTES_LIMIT     ((size_t)1 << 20)

typedef struct hd_rpc_outgoing {
  hd_socket_id socket;
  hd_address to;
  uint8_t ttl;
  uint32_t offset; /* into the bytes */
  uint32_t size;
  hd_bytes part; /* what the driver is lent */
} hd_rpc_outgoing;

typedef struct hd_rpc_outbox {
  const hd_allocator *allocator;
  hd_rpc_outgoing *datagrams;
  uint32_t datagrams_count;
  uint32_t datagrams_capacity;
  uint32_t taken; /* the first datagrams, already given to the driver */
  uint8_t *bytes;
  size_t bytes_count;
  size_t bytes_capacity;
} hd_rpc_outbox;

/* An empty box; allocates nothing. */
void hd_rpc_outbox_init(hd_rpc_outbox *outbox, const hd_allocator *allocator);
void hd_rpc_outbox_destroy(hd_rpc_outbox *outbox);

/* Makes room for one more datagram of up to `size` bytes.
 *
 * writer  [out] where to write it; good until the next call
 *
 * Errors: HDHT_ERR_OUT_OF_MEMORY, HDHT_ERR_LIMIT. */
int hd_rpc_outbox_open(hd_rpc_outbox *outbox, size_t size, hd_writer *writer);

/* Adds the datagram that was written with the writer of the last hd_rpc_outbox_open. */
void hd_rpc_outbox_add(hd_rpc_outbox *outbox, const hd_writer *writer, hd_socket_id socket, const hd_address *to,
                       uint8_t ttl);

/* Lends the driver up to `outs_capacity` datagrams, in order. They are good until the next hd_rpc_outbox_open.
 * Returns how many. */
size_t hd_rpc_outbox_take(hd_rpc_outbox *outbox, hd_datagram_out *outs, size_t outs_capacity);

/* Forgets what was not taken. */
void hd_rpc_outbox_clear(hd_rpc_outbox *outbox);

#endif
