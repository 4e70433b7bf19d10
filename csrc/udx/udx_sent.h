/* The packets that were sent and not yet cumulatively acknowledged, by number and by time.
 *
 * A packet is in one of three states: in flight (in the list ordered by the time of the last transmission), lost (in
 * the queue of those to send again), or delivered (selectively acknowledged, waiting for the numbers before it).
 * Records live in one circular array indexed by number, so looking one up or moving it between states takes constant
 * time, and sending allocates nothing once the array has grown.
 *
 * Invariant: numbers from `una` up to but not including `next` have a record; `sacked` holds exactly the delivered. */
#ifndef HD_UDX_SENT_H
#define HD_UDX_SENT_H

#include "base/allocator.h"
#include "base/clock.h"
#include "udx/udx_ranges.h"
#include "udx/udx_rate.h"
#include "udx/udx_send_queue.h"

#define HD_UDX_SENT_LIMIT 65536 /* records of one stream, all numbers from una on: HD_UDX_SPAN_LIMIT */

enum { HD_UDX_SENT_IN_FLIGHT = 1, HD_UDX_SENT_LOST, HD_UDX_SENT_DELIVERED };

enum {
  HD_UDX_SENT_PROBE = 0x01,       /* was padded to find out the path MTU */
  HD_UDX_SENT_APP_LIMITED = 0x02, /* went out when there was nothing more to send */
  HD_UDX_SENT_OLD_PATH = 0x04,    /* first sent before the remote changed */
  HD_UDX_SENT_LARGE = 0x08,       /* larger than every path is sure to carry */
};

typedef struct hd_udx_sent_packet {
  hd_time sent_at; /* last transmission */
  hd_udx_rate_mark rate;
  hd_udx_send_position position; /* of its payload in the send queue */
  uint32_t parts_end;            /* as in hd_udx_send_taken */
  uint32_t older, newer;         /* numbers of its neighbours in its list */
  uint16_t size;                 /* payload bytes */
  uint16_t wire_size;            /* bytes charged: payload, padding, and all headers */
  uint8_t padding;               /* of the last transmission */
  uint8_t flags;                 /* of the header */
  uint8_t state;                 /* HD_UDX_SENT_* */
  uint8_t marks;
  uint32_t transmissions;
} hd_udx_sent_packet;

/* A list threaded through the records by number. */
typedef struct hd_udx_sent_list {
  uint32_t oldest;
  uint32_t newest;
  uint32_t count; /* the other two mean something only when this is not 0 */
} hd_udx_sent_list;

typedef struct hd_udx_sent {
  hd_udx_sent_packet *packets; /* number n is at n modulo capacity */
  uint32_t capacity;           /* 0 or a power of two */
  uint32_t una;
  uint32_t next;
  hd_udx_sent_list flight;
  hd_udx_sent_list lost;
  uint64_t flight_bytes;   /* wire_size of those in flight */
  uint64_t flight_payload; /* size of those in flight */
  uint64_t total_payload;  /* size of all */
  hd_udx_ranges sacked;
} hd_udx_sent;

/* Gives all memory back and forgets all packets; the numbers stay. */
void hd_udx_sent_destroy(hd_udx_sent *sent, const hd_allocator *allocator);

static inline uint32_t hd_udx_sent_count(const hd_udx_sent *sent) {
  return sent->next - sent->una;
}

static inline hd_udx_sent_packet *hd_udx_sent_at(const hd_udx_sent *sent, uint32_t number) {
  return &sent->packets[number & (sent->capacity - 1)];
}

/* Makes room for one more record.
 * Errors: HDHT_ERR_LIMIT, HDHT_ERR_OUT_OF_MEMORY. */
int hd_udx_sent_reserve(hd_udx_sent *sent, const hd_allocator *allocator);

/* Appends a record in flight, with the number `next`. Room must have been reserved; packet->state is ignored. */
hd_udx_sent_packet *hd_udx_sent_append(hd_udx_sent *sent, const hd_udx_sent_packet *packet);

/* A packet in flight is taken for lost: last in the queue to send again. */
void hd_udx_sent_lose(hd_udx_sent *sent, uint32_t number);

/* A lost packet or one in flight goes out again: last in the order of time. The record's fields must be up to date
 * before, wire_size apart, which is given. */
void hd_udx_sent_resend(hd_udx_sent *sent, uint32_t number, uint16_t wire_size);

/* A packet in flight or lost has arrived. Its record stays until the numbers before it have arrived too. */
void hd_udx_sent_deliver(hd_udx_sent *sent, uint32_t number);

/* Everything before `una` has arrived, and each of these packets is in state delivered. */
void hd_udx_sent_advance(hd_udx_sent *sent, uint32_t una);

#endif
