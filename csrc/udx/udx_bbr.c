#include "udx/udx_bbr.h"

#include "base/assertion.h"

#define GAIN_ONE            256
#define GAIN_HIGH           739 /* 2/ln 2: doubles the rate each round trip */
#define GAIN_DRAIN          88  /* its inverse */
#define GAIN_WINDOW         512
#define BANDWIDTH_ROUNDS    10
#define CYCLE_LENGTH        8
#define MIN_RTT_WINDOW      HD_SECONDS(10)
#define PROBE_RTT_TIME      HD_MILLISECONDS(200)
#define FULL_GROWTH_PERCENT 125
#define FULL_ROUNDS         3
#define PACING_PERCENT      99 /* a little less than the estimate, so that queues drain */
#define LOSS_PARTS          7  /* a round that lost more than one part in this many is congested ... */
#define LOSS_PACKETS        6  /* ... if it lost more than this many packets */
#define CLUMP_ROUNDS        5
#define CLUMP_MAX           HD_MILLISECONDS(100)

static const uint16_t cycle_gains[CYCLE_LENGTH] = {320, 192, 256, 256, 256, 256, 256, 256};

static void update_round(hd_udx_bbr *bbr, const hd_udx_congestion_batch *batch);
static void update_bandwidth(hd_udx_bbr *bbr, const hd_udx_congestion_batch *batch);
static void update_clumps(hd_udx_bbr *bbr, const hd_udx_congestion_batch *batch);
static void update_loss(hd_udx_bbr *bbr, const hd_udx_congestion_batch *batch);
static void update_cycle(hd_udx_bbr *bbr, const hd_udx_congestion_batch *batch);
static void update_full_pipe(hd_udx_bbr *bbr, const hd_udx_congestion_batch *batch);
static void update_drain(hd_udx_bbr *bbr, const hd_udx_congestion_batch *batch);
static void update_min_rtt(hd_udx_bbr *bbr, const hd_udx_congestion_batch *batch);
static void update_gains(hd_udx_bbr *bbr);
static void update_pacing(hd_udx_bbr *bbr);
static void update_window(hd_udx_bbr *bbr, const hd_udx_congestion_batch *batch);

void hd_udx_bbr_init(hd_udx_bbr *bbr, uint32_t packet_size, uint32_t phase) {
  hd_assert(packet_size > 0);
  *bbr = (hd_udx_bbr){
      .mode = HD_UDX_BBR_STARTUP,
      .cycle = (uint8_t)(2 + phase % (CYCLE_LENGTH - 2)), /* not the phase that drains, nor the one before it */
      .packet_size = packet_size,
      .pacing_gain = GAIN_HIGH,
      .window_gain = GAIN_HIGH,
      .window = (uint64_t)HD_UDX_INITIAL_WINDOW_PACKETS * packet_size,
      .min_rtt = HD_DURATION_FOREVER,
      .probe_rtt_done_at = HD_TIME_NEVER,
  };
  update_pacing(bbr);
}

void hd_udx_bbr_acked(hd_udx_bbr *bbr, const hd_udx_congestion_batch *batch) {
  update_round(bbr, batch);
  update_bandwidth(bbr, batch);
  update_clumps(bbr, batch);
  update_loss(bbr, batch);
  update_cycle(bbr, batch);
  update_full_pipe(bbr, batch);
  update_drain(bbr, batch);
  update_min_rtt(bbr, batch);
  update_gains(bbr);
  update_pacing(bbr);
  update_window(bbr, batch);
}

void hd_udx_bbr_timed_out(hd_udx_bbr *bbr, uint64_t in_flight) {
  bbr->window = in_flight + (uint64_t)HD_UDX_MINIMUM_WINDOW_PACKETS * bbr->packet_size;
}

void hd_udx_bbr_resumed(hd_udx_bbr *bbr, bool was_app_limited) {
  if (was_app_limited) bbr->is_resumed_idle = true;
}

void hd_udx_bbr_set_packet_size(hd_udx_bbr *bbr, uint32_t packet_size) {
  bbr->packet_size = packet_size;
}

static uint64_t bandwidth(const hd_udx_bbr *bbr) {
  return hd_udx_filter_max(&bbr->bandwidth);
}

static uint64_t minimum_window(const hd_udx_bbr *bbr) {
  return (uint64_t)HD_UDX_MINIMUM_WINDOW_PACKETS * bbr->packet_size;
}

/* What leaves in one piece: a millisecond's worth, from one packet to a full batch of segmentation offload. */
static uint64_t send_quantum(const hd_udx_bbr *bbr) {
  const uint64_t quantum = bbr->pacing_rate / 1000;
  if (quantum > 65536) return 65536;
  return quantum < 2 * (uint64_t)bbr->packet_size ? 2 * (uint64_t)bbr->packet_size : quantum;
}

/* The product of bandwidth and least round trip, times `gain`. */
static uint64_t path_capacity(const hd_udx_bbr *bbr, uint32_t gain) {
  if (bbr->min_rtt.us == UINT64_MAX) return (uint64_t)HD_UDX_INITIAL_WINDOW_PACKETS * bbr->packet_size;
  return bandwidth(bbr) * bbr->min_rtt.us / 1000000 * gain / GAIN_ONE;
}

/* The same plus what batching at both ends keeps from being on the path. */
static uint64_t target_flight(const hd_udx_bbr *bbr, uint32_t gain) {
  return path_capacity(bbr, gain) + 3 * send_quantum(bbr);
}

static void update_round(hd_udx_bbr *bbr, const hd_udx_congestion_batch *batch) {
  bbr->is_round_start = false;
  if (batch->acked == 0 || batch->prior_delivered < bbr->next_round_delivered) return;
  bbr->next_round_delivered = batch->delivered;
  bbr->rounds++;
  bbr->is_round_start = true;
}

static void update_bandwidth(hd_udx_bbr *bbr, const hd_udx_congestion_batch *batch) {
  if (batch->rate == 0) return;
  if (batch->is_app_limited && batch->rate < bandwidth(bbr)) return;
  hd_udx_filter_update_max(&bbr->bandwidth, BANDWIDTH_ROUNDS, bbr->rounds, batch->rate);
}

/* Counts how much more was acknowledged than the bandwidth accounts for since the last clump began. */
static void update_clumps(hd_udx_bbr *bbr, const hd_udx_congestion_batch *batch) {
  if (batch->acked == 0 || bandwidth(bbr) == 0) return;
  if (bbr->is_round_start && ++bbr->clump_rounds >= CLUMP_ROUNDS) {
    bbr->clump_rounds = 0;
    bbr->clump_extra[1] = bbr->clump_extra[0];
    bbr->clump_extra[0] = 0;
  }

  uint64_t expected = bandwidth(bbr) * hd_time_since(batch->now, bbr->clump_at).us / 1000000;
  if (bbr->clump_acked <= expected) {
    bbr->clump_at = batch->now;
    bbr->clump_acked = 0;
    expected = 0;
  }
  bbr->clump_acked += batch->acked;
  uint64_t extra = bbr->clump_acked - expected;
  if (extra > bbr->window) extra = bbr->window;
  if (extra > bbr->clump_extra[0]) bbr->clump_extra[0] = extra;
}

static uint64_t clump_allowance(const hd_udx_bbr *bbr) {
  const uint64_t extra = bbr->clump_extra[0] > bbr->clump_extra[1] ? bbr->clump_extra[0] : bbr->clump_extra[1];
  const uint64_t limit = bandwidth(bbr) / 1000 * (CLUMP_MAX.us / 1000);
  return extra < limit ? extra : limit;
}

/* Judges each round by the share it lost. One part in seven is beyond what random loss does to a usable path, so then a
 * queue overflowed, and less may be in flight from now on, though never so little that the next probe could not show
 * more bandwidth; rounds without such loss raise the bound again. */
static void update_loss(hd_udx_bbr *bbr, const hd_udx_congestion_batch *batch) {
  bbr->round_lost += batch->lost;
  bbr->cycle_lost += batch->lost;
  if (!bbr->is_round_start) return;

  const uint64_t delivered = batch->delivered - bbr->round_delivered_from;
  const bool is_congested = bbr->round_lost > (uint64_t)LOSS_PACKETS * bbr->packet_size &&
                            bbr->round_lost * LOSS_PARTS > delivered + bbr->round_lost;
  bbr->round_lost = 0;
  bbr->round_delivered_from = batch->delivered;

  if (is_congested) {
    const uint64_t least = target_flight(bbr, cycle_gains[0]);
    const uint64_t lowered = batch->prior_in_flight - batch->prior_in_flight / 8;
    bbr->loss_bound = lowered > least ? lowered : least;
    bbr->has_loss_bound = true;
    bbr->is_pipe_full = true;
  } else if (bbr->has_loss_bound) {
    bbr->loss_bound += bbr->loss_bound / 16 + bbr->packet_size;
    if (bbr->loss_bound > target_flight(bbr, GAIN_WINDOW) + clump_allowance(bbr)) bbr->has_loss_bound = false;
  }
}

static bool is_phase_over(const hd_udx_bbr *bbr, const hd_udx_congestion_batch *batch) {
  const bool is_full_length = hd_time_since(batch->now, bbr->cycle_at).us > bbr->min_rtt.us;
  if (bbr->pacing_gain > GAIN_ONE) {
    return is_full_length && (bbr->cycle_lost > 0 || batch->prior_in_flight >= target_flight(bbr, bbr->pacing_gain));
  }
  if (bbr->pacing_gain < GAIN_ONE) return is_full_length || batch->prior_in_flight <= target_flight(bbr, GAIN_ONE);
  return is_full_length;
}

static void start_phase(hd_udx_bbr *bbr, uint8_t cycle, hd_time now) {
  bbr->cycle = cycle;
  bbr->cycle_at = now;
  bbr->cycle_lost = 0;
}

static void update_cycle(hd_udx_bbr *bbr, const hd_udx_congestion_batch *batch) {
  if (bbr->mode != HD_UDX_BBR_PROBE_BANDWIDTH || !is_phase_over(bbr, batch)) return;
  start_phase(bbr, (uint8_t)((bbr->cycle + 1) % CYCLE_LENGTH), batch->now);
}

static void update_full_pipe(hd_udx_bbr *bbr, const hd_udx_congestion_batch *batch) {
  if (bbr->is_pipe_full || !bbr->is_round_start || batch->is_app_limited) return;
  if (bandwidth(bbr) * 100 >= bbr->full_bandwidth * FULL_GROWTH_PERCENT) {
    bbr->full_bandwidth = bandwidth(bbr);
    bbr->full_rounds = 0;
    return;
  }
  bbr->full_rounds++;
  bbr->is_pipe_full = bbr->full_rounds >= FULL_ROUNDS;
}

static void update_drain(hd_udx_bbr *bbr, const hd_udx_congestion_batch *batch) {
  if (bbr->mode == HD_UDX_BBR_STARTUP && bbr->is_pipe_full) bbr->mode = HD_UDX_BBR_DRAIN;
  if (bbr->mode == HD_UDX_BBR_DRAIN && batch->in_flight <= target_flight(bbr, GAIN_ONE)) {
    bbr->mode = HD_UDX_BBR_PROBE_BANDWIDTH;
    start_phase(bbr, bbr->cycle, batch->now);
  }
}

static hd_duration probe_rtt_time(const hd_udx_bbr *bbr) {
  return hd_duration_shorter(PROBE_RTT_TIME, hd_duration_times(bbr->min_rtt, 50));
}

static void leave_probe_rtt(hd_udx_bbr *bbr, hd_time now) {
  bbr->min_rtt_at = now;
  if (bbr->window < bbr->prior_window) bbr->window = bbr->prior_window;
  bbr->prior_window = 0;
  bbr->mode = bbr->is_pipe_full ? HD_UDX_BBR_PROBE_BANDWIDTH : HD_UDX_BBR_STARTUP;
  start_phase(bbr, bbr->cycle, now);
}

static uint64_t probe_rtt_window(const hd_udx_bbr *bbr) {
  const uint64_t half = path_capacity(bbr, GAIN_ONE / 2);
  return half > minimum_window(bbr) ? half : minimum_window(bbr);
}

static void update_min_rtt(hd_udx_bbr *bbr, const hd_udx_congestion_batch *batch) {
  const bool is_expired =
      bbr->min_rtt.us != UINT64_MAX && hd_time_since(batch->now, bbr->min_rtt_at).us > MIN_RTT_WINDOW.us;
  if (batch->rtt.us != UINT64_MAX && (batch->rtt.us <= bbr->min_rtt.us || is_expired)) {
    bbr->min_rtt.us = batch->rtt.us > 0 ? batch->rtt.us : 1;
    bbr->min_rtt_at = batch->now;
  }

  if (is_expired && !bbr->is_resumed_idle && bbr->mode != HD_UDX_BBR_PROBE_RTT) {
    bbr->mode = HD_UDX_BBR_PROBE_RTT;
    bbr->prior_window = bbr->window;
    bbr->probe_rtt_done_at = HD_TIME_NEVER;
  }
  if (bbr->mode == HD_UDX_BBR_PROBE_RTT) {
    if (hd_time_is_never(bbr->probe_rtt_done_at)) {
      if (batch->in_flight <= probe_rtt_window(bbr)) {
        bbr->probe_rtt_done_at = hd_time_add(batch->now, probe_rtt_time(bbr));
        bbr->is_rtt_round_done = false;
        bbr->next_round_delivered = batch->delivered;
      }
    } else {
      if (bbr->is_round_start) bbr->is_rtt_round_done = true;
      if (bbr->is_rtt_round_done && hd_time_is_due(bbr->probe_rtt_done_at, batch->now)) {
        leave_probe_rtt(bbr, batch->now);
      }
    }
  }
  if (batch->acked > 0) bbr->is_resumed_idle = false;
}

static void update_gains(hd_udx_bbr *bbr) {
  switch ((hd_udx_bbr_mode)bbr->mode) {
    case HD_UDX_BBR_STARTUP: bbr->pacing_gain = bbr->window_gain = GAIN_HIGH; return;
    case HD_UDX_BBR_DRAIN:
      bbr->pacing_gain = GAIN_DRAIN;
      bbr->window_gain = GAIN_HIGH;
      return;
    case HD_UDX_BBR_PROBE_BANDWIDTH:
      bbr->pacing_gain = cycle_gains[bbr->cycle];
      bbr->window_gain = GAIN_WINDOW;
      return;
    case HD_UDX_BBR_PROBE_RTT: bbr->pacing_gain = bbr->window_gain = GAIN_ONE; return;
  }
}

/* Before there is an estimate: the initial window in one millisecond. */
static void update_pacing(hd_udx_bbr *bbr) {
  const uint64_t estimate = bandwidth(bbr);
  if (estimate == 0) {
    const uint64_t rtt_us = bbr->min_rtt.us == UINT64_MAX ? 1000 : bbr->min_rtt.us;
    bbr->pacing_rate = bbr->window * 1000000 / rtt_us * GAIN_HIGH / GAIN_ONE;
    return;
  }
  const uint64_t rate = estimate * bbr->pacing_gain / GAIN_ONE * PACING_PERCENT / 100;
  const uint64_t least = minimum_window(bbr) * 4; /* per second: the slowest rate that can still learn */
  if (bbr->is_pipe_full || rate > bbr->pacing_rate) bbr->pacing_rate = rate > least ? rate : least;
}

static void update_window(hd_udx_bbr *bbr, const hd_udx_congestion_batch *batch) {
  uint64_t target = target_flight(bbr, bbr->window_gain) + clump_allowance(bbr);
  if (bbr->has_loss_bound && target > bbr->loss_bound) target = bbr->loss_bound;

  if (bbr->is_pipe_full) {
    bbr->window += batch->acked;
    if (bbr->window > target) bbr->window = target;
  } else if (bbr->window < target || batch->delivered < (uint64_t)HD_UDX_INITIAL_WINDOW_PACKETS * bbr->packet_size) {
    bbr->window += batch->acked;
  }
  if (bbr->window < minimum_window(bbr)) bbr->window = minimum_window(bbr);
  if (bbr->mode == HD_UDX_BBR_PROBE_RTT && bbr->window > probe_rtt_window(bbr)) bbr->window = probe_rtt_window(bbr);
}
