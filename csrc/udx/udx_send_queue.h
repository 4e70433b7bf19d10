/* The bytes the user wrote, from the write until their acknowledgement. Nothing is copied: the queue remembers the
 * user's spans, and a packet remembers where in the queue its payload starts.
 *
 *      acknowledged | sent, in packets | not sent yet
 *                  first              unsent         end        numbers of parts, counting up and wrapping
 *
 * Invariant: first <= unsent <= end, and a packet's position lies between first and unsent. */
#ifndef HD_UDX_SEND_QUEUE_H
#define HD_UDX_SEND_QUEUE_H

#include "base/allocator.h"
#include "base/bytes.h"

/* One span of a write. */
typedef struct hd_udx_send_part {
  const uint8_t *data;
  uint32_t size;
  uint32_t is_last; /* of its write: 1 or 0 */
} hd_udx_send_part;

/* A byte in the queue. */
typedef struct hd_udx_send_position {
  uint32_t part; /* number */
  uint32_t offset;
} hd_udx_send_position;

typedef struct hd_udx_send_queue {
  hd_udx_send_part *parts; /* part n is at n modulo capacity */
  uint32_t capacity;       /* 0 or a power of two */
  uint32_t first;
  uint32_t end;
  hd_udx_send_position unsent;
  uint64_t unsent_bytes;
  uint64_t unacked_bytes; /* of all parts from first to end */
  uint64_t writes_acked;  /* writes whose last part was released */
} hd_udx_send_queue;

/* What a new packet takes out of the queue. */
typedef struct hd_udx_send_taken {
  hd_udx_send_position position;
  uint32_t size;      /* bytes; 0 when it is an empty write */
  uint32_t parts_end; /* when this packet and all before it are acknowledged, the parts before this one are done with */
} hd_udx_send_taken;

/* A zeroed struct is an empty queue. Gives its memory back and makes it one again, but keeps the count of writes. */
void hd_udx_send_queue_destroy(hd_udx_send_queue *queue, const hd_allocator *allocator);

/* Appends one write; empty spans are skipped, but a write without any byte becomes one empty part.
 * Errors: HDHT_ERR_TOO_LARGE, HDHT_ERR_LIMIT, HDHT_ERR_OUT_OF_MEMORY; nothing changes. */
int hd_udx_send_queue_push(hd_udx_send_queue *queue, const hd_allocator *allocator, const hd_bytes *spans,
                           size_t spans_count);

/* Whether any part, be it an empty one, has not been taken. */
static inline bool hd_udx_send_queue_has_unsent(const hd_udx_send_queue *queue) {
  return queue->unsent.part != queue->end;
}

/* Takes up to `size_max` bytes for a new packet. There must be something unsent. */
hd_udx_send_taken hd_udx_send_queue_take(hd_udx_send_queue *queue, uint32_t size_max);

/* The spans that make up `size` bytes from `position`.
 *
 * Returns their count, or 0 when `spans_capacity` does not suffice (or size is 0). */
uint32_t hd_udx_send_queue_spans(const hd_udx_send_queue *queue, hd_udx_send_position position, uint32_t size,
                                 hd_bytes *spans, uint32_t spans_capacity);

/* Copies those bytes. */
void hd_udx_send_queue_copy(const hd_udx_send_queue *queue, hd_udx_send_position position, uint32_t size, uint8_t *to);

/* Forgets the parts before number `parts_end`: they are acknowledged. */
void hd_udx_send_queue_release(hd_udx_send_queue *queue, uint32_t parts_end);

#endif
