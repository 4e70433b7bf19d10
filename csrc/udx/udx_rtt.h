/* How long a packet and its acknowledgement take: smoothed as in RFC 6298, in microseconds, and the minimum of five
 * minutes for loss detection (RFC 8985, section 6.2).
 *
 * The reference counts milliseconds and takes a round trip of 0 ms for "none yet"; here 0 is just a short one. */
#ifndef HD_UDX_RTT_H
#define HD_UDX_RTT_H

#include <stdbool.h>

#include "base/clock.h"
#include "udx/udx_filter.h"

#define HD_UDX_RTT_OUTLIER_MAX HD_SECONDS(30)
#define HD_UDX_RTT_MIN_WINDOW  HD_SECONDS(300)
#define HD_UDX_RTO_INITIAL     HD_SECONDS(1)
#define HD_UDX_RTO_MIN         HD_MILLISECONDS(500)
#define HD_UDX_RTO_MAX         HD_SECONDS(30)

typedef struct hd_udx_rtt {
  hd_duration smoothed;
  hd_duration variation;
  hd_udx_filter minimum; /* of ~us */
  bool has_sample;
} hd_udx_rtt;

/* Takes the round trip of a packet that was sent only once. A zeroed struct has no sample. */
void hd_udx_rtt_sample(hd_udx_rtt *rtt, hd_time now, hd_duration sample);

/* The least of the last five minutes, or HD_DURATION_FOREVER before a sample. */
static inline hd_duration hd_udx_rtt_minimum(const hd_udx_rtt *rtt) {
  return (hd_duration){rtt->has_sample ? ~hd_udx_filter_max(&rtt->minimum) : UINT64_MAX};
}

/* The retransmission time-out before any back-off. */
hd_duration hd_udx_rtt_timeout(const hd_udx_rtt *rtt);

#endif
