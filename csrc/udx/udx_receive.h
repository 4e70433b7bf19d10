/* The receiving half of a stream: which numbers have arrived, and the payloads that cannot be given to the reader yet.
 *
 *        taken by the reader | in order, waiting | missing and out of order
 *                        delivered             next          numbers, counting up and wrapping
 *
 * A payload that is next in order goes from the datagram straight to the reader. Only what comes out of order, or while
 * the reader pauses, is copied into a block of the pool. What has been accepted is never thrown away again, because the
 * peer forgets what it was told has arrived; so everything is refused before it is accepted: numbers too far ahead, and
 * anything for which there is no block, no range or no budget left.
 *
 * Invariant: ranges hold exactly the numbers from next + 1 on that have arrived, and these and those from delivered to
 * next have a block. */
#ifndef HD_UDX_RECEIVE_H
#define HD_UDX_RECEIVE_H

#include "udx/udx_pool.h"
#include "udx/udx_ranges.h"

/* A payload that waits. */
typedef struct hd_udx_held_packet {
  uint16_t size;
  uint8_t flags;
  uint8_t reserved;
  uint8_t payload[HD_UDX_BLOCK_SIZE - 4];
} hd_udx_held_packet;

typedef struct hd_udx_receiver {
  uint32_t delivered;         /* next number to give to the reader */
  uint32_t next;              /* next number expected: what is acknowledged */
  uint32_t end_number;        /* of the END packet, when has_end */
  bool has_end;               /* END has arrived, perhaps out of order */
  bool is_paused;             /* the reader takes nothing */
  hd_udx_held_packet **slots; /* number n is at n modulo slots_count */
  uint32_t slots_count;       /* 0 or a power of two */
  uint32_t held_count;        /* blocks in slots */
  hd_udx_ranges ranges;
} hd_udx_receiver;

typedef enum hd_udx_arrival {
  HD_UDX_ARRIVAL_DELIVER,   /* give this payload to the reader now, then take what waited behind it */
  HD_UDX_ARRIVAL_HELD,      /* kept */
  HD_UDX_ARRIVAL_DUPLICATE, /* arrived before */
  HD_UDX_ARRIVAL_NO_ROOM,   /* refused */
  HD_UDX_ARRIVAL_ENDED,     /* refused: the reader has seen the end */
} hd_udx_arrival;

static inline void hd_udx_receive_init(hd_udx_receiver *receiver, uint32_t next) {
  *receiver = (hd_udx_receiver){.delivered = next, .next = next};
}

/* Gives all memory back; what waited is lost. */
void hd_udx_receive_destroy(hd_udx_receiver *receiver, const hd_allocator *allocator, hd_udx_pool *pool);

/* Gives the slots back if nothing waits. */
void hd_udx_receive_trim(hd_udx_receiver *receiver, const hd_allocator *allocator, hd_udx_pool *pool);

/* Takes a DATA or END packet with `number`, which is less than HD_UDX_SPAN_LIMIT after `next` or anywhere before it.
 *
 * flags       of the header
 * held_limit  the most blocks this stream may hold */
hd_udx_arrival hd_udx_receive_packet(hd_udx_receiver *receiver, const hd_allocator *allocator, hd_udx_pool *pool,
                                     uint32_t held_limit, uint32_t number, uint8_t flags, hd_bytes payload);

/* Takes the next packet that waits in order and may be given to the reader. The block is the caller's, to give back to
 * the pool. Returns NULL when there is none, or the reader pauses. */
hd_udx_held_packet *hd_udx_receive_take(hd_udx_receiver *receiver);

/* Whether hd_udx_receive_take would return something. */
static inline bool hd_udx_receive_has_ready(const hd_udx_receiver *receiver) {
  return receiver->delivered != receiver->next && !receiver->is_paused;
}

/* Whether END and everything before it has arrived. */
static inline bool hd_udx_receive_is_ended(const hd_udx_receiver *receiver) {
  return receiver->has_end && hd_udx_seq_before(receiver->end_number, receiver->next);
}

/* Whether the reader was given everything there will ever be. */
static inline bool hd_udx_receive_is_finished(const hd_udx_receiver *receiver) {
  return receiver->has_end && hd_udx_seq_before(receiver->end_number, receiver->delivered) &&
         receiver->delivered == receiver->next;
}

/* Memory that in-order data waits in because the reader has not taken it. */
static inline uint64_t hd_udx_receive_waiting_bytes(const hd_udx_receiver *receiver) {
  return (uint64_t)(receiver->next - receiver->delivered) * HD_UDX_BLOCK_SIZE;
}

#endif
