/* An open of the peer that waits for an answer, with what the peer has sent behind it. The bytes are copies: the frames
 * they came in are gone by the time somebody wants them.
 *
 * Messages lie one after the other in one buffer, each behind its type and size, and are taken in order. */
#ifndef HD_MUX_WAITING_H
#define HD_MUX_WAITING_H

#include "mux/mux_frame.h"
#include "mux/mux_names.h"

/* What a message counts for besides its bytes, as in the reference. */
#define HD_MUX_BUFFERED_MESSAGE_COST 512

typedef struct hd_mux_waiting {
  hd_list link; /* oldest first */
  hd_mux_name name;
  uint64_t order; /* of arrival among all */
  uint32_t remote_id;
  bool is_closed; /* the peer has closed it again; still to be answered */
  hd_bytes handshake;
  size_t allocation_size; /* of this and the name's and the handshake's bytes, which follow it */
  uint8_t *messages;
  size_t messages_size;
  size_t messages_capacity;
  size_t messages_taken; /* bytes */
  size_t buffered_size;  /* the cost of the messages not yet taken */
} hd_mux_waiting;

/* The memory an open takes before its first message. */
size_t hd_mux_waiting_size(const hd_mux_key *key, hd_bytes handshake);

/* Copies name and handshake. Returns NULL without memory. */
hd_mux_waiting *hd_mux_waiting_create(const hd_allocator *allocator, uint32_t remote_id, const hd_mux_key *key,
                                      hd_bytes handshake, uint64_t order);

void hd_mux_waiting_destroy(const hd_allocator *allocator, hd_mux_waiting *waiting);

/* All memory of it. */
static inline size_t hd_mux_waiting_held_size(const hd_mux_waiting *waiting) {
  return waiting->allocation_size + waiting->messages_capacity;
}

/* Appends a message.
 *
 * held_size_room  bytes by which the memory may grow
 *
 * Errors: HDHT_ERR_LIMIT, HDHT_ERR_OUT_OF_MEMORY; nothing changes. */
int hd_mux_waiting_push(const hd_allocator *allocator, hd_mux_waiting *waiting, uint32_t type, hd_bytes body,
                        size_t held_size_room);

/* Takes the oldest message. `body` points into `waiting`. Returns false when there is none. */
bool hd_mux_waiting_take(hd_mux_waiting *waiting, uint32_t *type, hd_bytes *body);

#endif
