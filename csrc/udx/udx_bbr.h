/* Congestion control by a model of the path instead of by loss: BBR (draft-cardwell-iccrg-bbr-congestion-control-00)
 * with what its second version taught about loss.
 *
 * The model is the highest delivery rate of the last ten round trips and the least round trip of the last ten seconds;
 * their product is what fits into the path. Data is paced at about that rate, with at most about twice that product in
 * flight; the rate is probed upwards for one round trip in eight, and the round trip by lowering the flight for a
 * moment every ten seconds.
 *
 * Departures from version 1: loss alone changes nothing (random loss is no congestion), but a round trip in which more
 * than a seventh got lost bounds what may be in flight and ends the start-up; the round trip is probed with half the
 * product in flight rather than four packets; and no cycle is random, streams start at different phases. */
#ifndef HD_UDX_BBR_H
#define HD_UDX_BBR_H

#include <stdbool.h>

#include "base/clock.h"
#include "udx/udx_filter.h"

#define HD_UDX_INITIAL_WINDOW_PACKETS 10
#define HD_UDX_MINIMUM_WINDOW_PACKETS 4

/* One batch of acknowledgements, as a congestion controller wants to know it. */
typedef struct hd_udx_congestion_batch {
  hd_time now;
  uint64_t delivered;       /* bytes ever delivered on this stream */
  uint64_t prior_delivered; /* the same when the newest acknowledged packet was sent */
  uint64_t acked;           /* bytes this batch delivered */
  uint64_t lost;            /* bytes found lost since the last batch, MTU probes not counted */
  uint64_t in_flight;       /* bytes still outstanding */
  uint64_t prior_in_flight; /* before this batch */
  uint64_t rate;            /* bytes per second; 0 if the batch shows none */
  hd_duration rtt;          /* of the newest packet sent only once, or HD_DURATION_FOREVER */
  bool is_app_limited;      /* of the rate */
} hd_udx_congestion_batch;

typedef enum hd_udx_bbr_mode {
  HD_UDX_BBR_STARTUP,
  HD_UDX_BBR_DRAIN,
  HD_UDX_BBR_PROBE_BANDWIDTH,
  HD_UDX_BBR_PROBE_RTT,
} hd_udx_bbr_mode;

typedef struct hd_udx_bbr {
  uint8_t mode;
  uint8_t cycle; /* index of the pacing gain while probing for bandwidth */
  uint8_t full_rounds;
  bool is_pipe_full;
  bool is_round_start;
  bool is_resumed_idle;
  bool is_rtt_round_done;
  bool has_loss_bound;
  uint32_t packet_size;
  uint32_t pacing_gain; /* 1/256 */
  uint32_t window_gain; /* 1/256 */

  uint64_t window;
  uint64_t prior_window; /* to return to after probing the round trip */
  uint64_t pacing_rate;

  hd_udx_filter bandwidth; /* bytes per second, by round */
  uint64_t full_bandwidth;
  uint64_t rounds;
  uint64_t next_round_delivered;

  hd_duration min_rtt;
  hd_time min_rtt_at;
  hd_time probe_rtt_done_at; /* HD_TIME_NEVER until the flight has shrunk */
  hd_time cycle_at;

  uint64_t round_lost, round_delivered_from; /* of the current round */
  uint64_t cycle_lost;                       /* since the current phase began */
  uint64_t loss_bound;                       /* in flight, when has_loss_bound */

  /* Acknowledgements that come in clumps need more in flight to keep the path busy meanwhile. */
  hd_time clump_at;
  uint64_t clump_acked;
  uint64_t clump_extra[2]; /* greatest excess of this window of rounds and of the one before */
  uint64_t clump_rounds;
} hd_udx_bbr;

void hd_udx_bbr_init(hd_udx_bbr *bbr, uint32_t packet_size, uint32_t phase);
void hd_udx_bbr_acked(hd_udx_bbr *bbr, const hd_udx_congestion_batch *batch);
void hd_udx_bbr_timed_out(hd_udx_bbr *bbr, uint64_t in_flight);
void hd_udx_bbr_resumed(hd_udx_bbr *bbr, bool was_app_limited);
void hd_udx_bbr_set_packet_size(hd_udx_bbr *bbr, uint32_t packet_size);

static inline uint64_t hd_udx_bbr_bandwidth(const hd_udx_bbr *bbr) {
  return hd_udx_filter_max(&bbr->bandwidth);
}

#endif
