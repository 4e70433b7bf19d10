#include "sim_link.h"

static bool happens(hd_random *random, double probability) {
  return probability > 0 && hd_random_unit(random) < probability;
}

static hd_duration up_to(hd_random *random, hd_duration most) {
  return (hd_duration){most.us == 0 ? 0 : hd_random_below(random, most.us + 1)};
}

/* Bursts last in time, as on real links, not in datagrams: a lone retransmission every few seconds must get through. */
static bool is_lost(sim_link *link, hd_random *random, hd_time now) {
  const sim_link_options *options = &link->options;
  if (hd_time_before(now, link->burst_until)) return true;
  if (happens(random, options->burst_start)) {
    link->burst_until = hd_time_add(now, up_to(random, options->burst_max));
    return true;
  }
  return happens(random, options->loss);
}

/* When the datagram has been put on the wire, or never if the queue is full. */
static hd_time leave_queue(sim_link *link, hd_time now, size_t bytes) {
  const sim_link_options *options = &link->options;
  if (options->bytes_per_second == 0) return now;
  const hd_time start = hd_time_later(link->is_free_at, now);
  const uint64_t waiting_bytes = hd_time_since(start, now).us * options->bytes_per_second / 1000000;
  if (waiting_bytes > options->queue_size_max) return HD_TIME_NEVER;
  link->is_free_at = hd_time_add(start, HD_MICROSECONDS(bytes * 1000000 / options->bytes_per_second));
  return link->is_free_at;
}

sim_passage sim_link_pass(sim_link *link, hd_random *random, hd_time now, size_t size, size_t overhead,
                          bool may_fragment) {
  const sim_link_options *options = &link->options;
  sim_passage passage = {.size = size};
  if (options->mtu != 0 && size + overhead > options->mtu && !may_fragment) return passage;
  const hd_time left = leave_queue(link, now, size + overhead);
  if (hd_time_is_never(left) || is_lost(link, random, now)) return passage;

  hd_time arrival = hd_time_add(hd_time_add(left, options->delay), up_to(random, options->jitter));
  if (!options->jitter_reorders) arrival = hd_time_later(arrival, link->last_arrival);
  link->last_arrival = arrival;
  if (happens(random, options->reorder)) arrival = hd_time_add(arrival, up_to(random, options->late));

  passage.arrivals[passage.copies_count++] = arrival;
  if (happens(random, options->duplicate)) {
    passage.arrivals[passage.copies_count++] = hd_time_add(arrival, up_to(random, options->late));
  }
  passage.is_corrupted = happens(random, options->corrupt);
  if (size > 0 && happens(random, options->truncate)) passage.size = hd_random_below(random, size);
  return passage;
}
