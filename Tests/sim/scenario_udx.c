/* Two hosts, one stream each way, a path drawn from the seed.
 *
 * udx-transfer  every path a real network may be: all bytes arrive in order, exactly once; both ends close without
 * error; memory stays under its bound; nothing is left over. udx-hostile   the path also delivers corrupted and cut
 * packets, which no checksum catches, so contents may differ. What must hold: nothing crashes, memory is bounded, and
 * the streams can be destroyed and freed. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "scenario.h"
#include "sim_udx.h"

#define VIRTUAL_LIMIT        HD_SECONDS(6 * 3600)
#define HOSTILE_DURATION     HD_SECONDS(60)
#define MEMORY_LIMIT         (64u << 20) /* one stream: window, records, nothing that grows with the transfer */
#define TRANSFER_BYTES_LIMIT (4u << 20)

static struct {
  uint64_t runs, bytes, retransmits, timeouts, packets;
  uint64_t memory_peak;
} totals;

/* Uniform in the logarithm: as many slow links as fast ones. */
static double log_uniform(hd_random *random, double low, double high) {
  return low * pow(high / low, hd_random_unit(random));
}

static bool one_in(hd_random *random, uint64_t n) {
  return hd_random_below(random, n) == 0;
}

static sim_link_options draw_link(hd_random *random) {
  const double delay_us = log_uniform(random, 20, 150000);
  sim_link_options link = {.delay = HD_MICROSECONDS(delay_us),
                           .late = HD_MICROSECONDS(log_uniform(random, 100, 200000))};
  if (one_in(random, 2)) link.jitter = HD_MICROSECONDS(delay_us * hd_random_unit(random));
  link.jitter_reorders = one_in(random, 3);
  if (!one_in(random, 3)) {
    link.bytes_per_second = (uint64_t)log_uniform(random, 30000, 1e8);
    const double product = (double)link.bytes_per_second * delay_us / 1e6;
    link.queue_size_max = (uint64_t)fmax(4000, product * log_uniform(random, 0.2, 10));
  }
  if (one_in(random, 2)) link.loss = log_uniform(random, 0.0005, 0.15);
  if (one_in(random, 5)) {
    link.burst_start = log_uniform(random, 0.0002, 0.005);
    link.burst_max = HD_MICROSECONDS(log_uniform(random, 1000, 1e6));
  }
  if (one_in(random, 3)) link.reorder = log_uniform(random, 0.001, 0.2);
  if (one_in(random, 3)) link.duplicate = log_uniform(random, 0.001, 0.2);
  if (one_in(random, 3)) link.mtu = (uint32_t)(1200 + hd_random_below(random, 301));
  return link;
}

static sim_udx_plan draw_plan(hd_random *random, const sim_link_options *out) {
  double most = TRANSFER_BYTES_LIMIT;
  if (out->bytes_per_second != 0) most = fmin(most, (double)out->bytes_per_second * 60);
  sim_udx_plan plan = {
      .write_total = one_in(random, 8) ? 0 : (uint64_t)log_uniform(random, 1, most),
      .write_size_max = (uint32_t)log_uniform(random, 1, 65536),
      .messages = one_in(random, 4) ? (uint32_t)hd_random_below(random, 40) : 0,
      .ends_at_once = !one_in(random, 3),
  };
  /* Tiny writes of much data would only cost time. */
  if (plan.write_total > 20000u * plan.write_size_max) plan.write_total = 20000u * plan.write_size_max;
  if (one_in(random, 4)) {
    plan.pause = log_uniform(random, 0.001, 0.1);
    plan.pause_max = HD_MICROSECONDS(log_uniform(random, 1000, 3e6));
  }
  return plan;
}

static hd_udx_stream_options draw_options(hd_random *random) {
  hd_udx_stream_options options = {.patience = HD_SECONDS(1800)};
  if (one_in(random, 4)) options.window = options.window_max = (uint32_t)log_uniform(random, 3000, 4e6);
  if (one_in(random, 4)) options.keepalive = HD_MILLISECONDS(100 + hd_random_below(random, 5000));
  return options;
}

typedef struct run_state {
  sim_network *network;
  sim_udx_user users[2];
  sim_link_options links[2];
} run_state;

static void set_up(run_state *run, uint64_t seed, bool is_hostile) {
  run->network = sim_network_create(seed);
  hd_random *random = sim_network_random(run->network);
  const uint32_t first_seq[2] = {one_in(random, 4) ? (uint32_t)hd_random_next(random) : UINT32_MAX - 20,
                                 one_in(random, 2) ? 0 : (uint32_t)hd_random_next(random)};
  const hd_duration tick = HD_MICROSECONDS(one_in(random, 2) ? 1000 : 0);
  for (int i = 0; i < 2; i++) {
    run->links[i] = draw_link(random);
    if (is_hostile) {
      run->links[i].corrupt = log_uniform(random, 0.001, 0.2);
      run->links[i].truncate = log_uniform(random, 0.001, 0.1);
    }
  }
  /* The patience of both ends must not run out on a path that is merely bad. */
  const sim_udx_plan plans[2] = {draw_plan(random, &run->links[0]), draw_plan(random, &run->links[1])};
  for (int i = 0; i < 2; i++) {
    hd_udx_stream_options options = draw_options(random);
    options.send_seq = first_seq[i];
    options.receive_seq = first_seq[1 - i];
    const sim_host_options host = {
        .address = hd_address_ipv4(10, 0, 0, (uint8_t)(i + 1), 0), .up = run->links[i], .timer_tick = tick};
    sim_udx_plan plan = plans[i];
    if (i == 1 && !plans[0].ends_at_once) plan.ends_at_once = true; /* one side has to be first */
    sim_udx_user_create(&run->users[i], run->network, &host, (uint32_t)i + 1, &options, &plan, hd_random_next(random));
  }
  sim_udx_connect(&run->users[0], &run->users[1]);
}

static bool both_closed(void *context) {
  const run_state *run = context;
  return run->users[0].is_closed && run->users[1].is_closed;
}

static bool complain(uint64_t seed, int side, const char *what) {
  printf("seed %" PRIu64 ", side %d: %s\n", seed, side, what);
  return false;
}

static bool check_user(uint64_t seed, int side, const sim_udx_user *user, const sim_udx_user *other,
                       const sim_link_options *path) {
  if (user->fault != NULL) return complain(seed, side, user->fault);
  if (!user->is_closed) return complain(seed, side, "still open after hours");
  if (user->close_reason != HDHT_OK) return complain(seed, side, hdht_error_name(user->close_reason));
  if (!user->saw_end) return complain(seed, side, "closed without having seen the end");
  if (user->read != other->plan.write_total) return complain(seed, side, "not all bytes arrived");
  if (user->writes_acked != user->writes) return complain(seed, side, "not all writes were acknowledged");
  if (user->memory.peak_bytes > MEMORY_LIMIT) return complain(seed, side, "used more memory than its limit");
  if (path->mtu != 0 && user->final_stats.mtu > path->mtu) return complain(seed, side, "believes in a larger path MTU");
  return true;
}

static void describe(const run_state *run) {
  for (int i = 0; i < 2; i++) {
    const sim_link_options *link = &run->links[i];
    const sim_udx_user *user = &run->users[i];
    printf("side %d: link delay %" PRIu64 " us jitter %" PRIu64 " us (%s) rate %" PRIu64 " B/s queue %" PRIu64
           " B mtu %u loss %.4f burst %.4f/%" PRIu64 " us reorder %.3f duplicate %.3f late %" PRIu64 " us\n",
           i, link->delay.us, link->jitter.us, link->jitter_reorders ? "reorders" : "in order", link->bytes_per_second,
           link->queue_size_max, link->mtu, link->loss, link->burst_start, link->burst_max.us, link->reorder,
           link->duplicate, link->late.us);
    printf("        wrote %" PRIu64 " of %" PRIu64 " in %" PRIu64 " writes of up to %u, read %" PRIu64
           ", %s at %.3f s (%s), peak memory %zu, "
           "packets %" PRIu64 " retransmits %" PRIu64 " timeouts %" PRIu64 " recoveries %" PRIu64 " mtu %u\n",
           user->written, user->plan.write_total, user->writes, user->plan.write_size_max, user->read,
           user->is_closed ? "closed" : "open", (double)user->closed_at.us / 1e6, hdht_error_name(user->close_reason),
           user->memory.peak_bytes, user->final_stats.packets_sent, user->final_stats.retransmits,
           user->final_stats.timeouts, user->final_stats.recoveries, user->final_stats.mtu);
  }
}

static void add_to_totals(const run_state *run) {
  totals.runs++;
  for (int i = 0; i < 2; i++) {
    const sim_udx_user *user = &run->users[i];
    totals.bytes += user->read;
    totals.packets += user->final_stats.packets_sent;
    totals.retransmits += user->final_stats.retransmits;
    totals.timeouts += user->final_stats.timeouts;
    if (user->memory.peak_bytes > totals.memory_peak) totals.memory_peak = user->memory.peak_bytes;
  }
}

static bool run_transfer(uint64_t seed, bool is_verbose) {
  run_state run;
  set_up(&run, seed, false);
  const hd_time until = hd_time_add(sim_network_now(run.network), VIRTUAL_LIMIT);
  sim_network_run(run.network, until, both_closed, &run);
  bool ok = true;
  for (int i = 0; i < 2; i++) {
    sim_udx_user_destroy(&run.users[i]);
    ok &= check_user(seed, i, &run.users[i], &run.users[1 - i], &run.links[i]);
  }
  if (is_verbose) describe(&run);
  add_to_totals(&run);
  sim_network_destroy(run.network);
  return ok;
}

static bool run_hostile(uint64_t seed, bool is_verbose) {
  run_state run;
  set_up(&run, seed, true);
  const hd_time until = hd_time_add(sim_network_now(run.network), HOSTILE_DURATION);
  sim_network_run(run.network, until, both_closed, &run);
  for (int i = 0; i < 2; i++) {
    if (run.users[i].stream != NULL) hd_udx_stream_destroy(run.users[i].stream);
    sim_host_poke(run.users[i].host);
  }
  sim_network_run(run.network, hd_time_add(until, HD_SECONDS(60)), both_closed, &run);
  bool ok = true;
  for (int i = 0; i < 2; i++) {
    sim_udx_user_destroy(&run.users[i]);
    const sim_udx_user *user = &run.users[i];
    if (!user->is_closed) ok = complain(seed, i, "did not close when destroyed");
    if (user->memory.live_bytes != 0) ok = complain(seed, i, "memory was leaked");
    if (user->memory.peak_bytes > MEMORY_LIMIT) ok = complain(seed, i, "used more memory than its limit");
  }
  if (is_verbose) describe(&run);
  add_to_totals(&run);
  sim_network_destroy(run.network);
  return ok;
}

static void report(void) {
  printf("%" PRIu64 " runs: %.1f MB delivered, %" PRIu64 " packets, %" PRIu64 " retransmits, %" PRIu64
         " time-outs, peak memory of one side %.1f MB\n",
         totals.runs, (double)totals.bytes / 1e6, totals.packets, totals.retransmits, totals.timeouts,
         (double)totals.memory_peak / 1e6);
}

const scenario scenario_udx_transfer = {
    .name = "udx",
    .summary = "a stream each way over a path drawn from the seed: every byte in order, exactly once, both ends closed",
    .run = run_transfer,
    .report = report,
};

const scenario scenario_udx_hostile = {
    .name = "udx-hostile",
    .summary = "the same with corrupted and cut packets: nothing crashes, grows or stays",
    .run = run_hostile,
    .report = report,
};
