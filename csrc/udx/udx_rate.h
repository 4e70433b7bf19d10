/* How fast data is being delivered: for each batch of acknowledgements, the bytes delivered between the sending of a
 * packet and its acknowledgement, over the longer of the time it took to send them and the time it took to acknowledge
 * them (draft-cheng-iccrg-delivery-rate-estimation).
 *
 * Bytes are those on the wire, IP and UDP headers included, so that many small packets are not taken for nothing. */
#ifndef HD_UDX_RATE_H
#define HD_UDX_RATE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"

typedef struct hd_udx_rate {
  uint64_t delivered; /* bytes, ever */
  hd_time delivered_at;
  hd_time first_sent_at;      /* of the packets the current sample is made of */
  uint64_t app_limited_until; /* samples up to this many delivered bytes do not show what the path can do; 0: none */
} hd_udx_rate;

/* What a packet remembers of the moment it was sent. */
typedef struct hd_udx_rate_mark {
  uint64_t delivered;
  hd_time delivered_at;
  hd_time first_sent_at;
} hd_udx_rate_mark;

/* One batch of acknowledgements. Start from HD_UDX_RATE_BATCH. */
typedef struct hd_udx_rate_batch {
  bool has_packet;
  bool is_app_limited;
  hd_udx_rate_mark newest; /* of the packet delivered that was sent last */
  hd_duration send_elapsed;
  uint64_t acked; /* bytes */
} hd_udx_rate_batch;

/* Marks a packet that is sent now. `is_idle`: nothing was in flight before it. */
static inline hd_udx_rate_mark hd_udx_rate_send(hd_udx_rate *rate, hd_time now, bool is_idle) {
  if (is_idle) rate->first_sent_at = rate->delivered_at = now;
  return (hd_udx_rate_mark){
      .delivered = rate->delivered, .delivered_at = rate->delivered_at, .first_sent_at = rate->first_sent_at};
}

/* Counts a packet of `bytes`, marked with `mark` when it was sent at `sent_at`, as delivered. */
static inline void hd_udx_rate_deliver(hd_udx_rate *rate, hd_udx_rate_batch *batch, hd_time now, hd_time sent_at,
                                       const hd_udx_rate_mark *mark, bool is_app_limited, uint32_t bytes) {
  rate->delivered += bytes;
  rate->delivered_at = now;
  batch->acked += bytes;
  if (batch->has_packet && mark->delivered < batch->newest.delivered) return;
  batch->has_packet = true;
  batch->newest = *mark;
  batch->is_app_limited = is_app_limited;
  batch->send_elapsed = hd_time_since(sent_at, mark->first_sent_at);
  rate->first_sent_at = sent_at;
}

/* Bytes per second that the batch shows, or 0 when it shows nothing: no packet, or an interval shorter than the least
 * round trip, which can only be an artefact. */
uint64_t hd_udx_rate_of(hd_udx_rate *rate, const hd_udx_rate_batch *batch, hd_duration min_rtt);

/* Says that the sender had nothing more to send although it could have, with `in_flight` bytes outstanding. */
static inline void hd_udx_rate_limited_by_application(hd_udx_rate *rate, uint64_t in_flight) {
  const uint64_t until = rate->delivered + in_flight;
  rate->app_limited_until = until > 0 ? until : 1;
}

static inline bool hd_udx_rate_is_app_limited(const hd_udx_rate *rate) {
  return rate->app_limited_until != 0;
}

#endif
