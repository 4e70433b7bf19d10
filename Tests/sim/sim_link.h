/* One direction of one virtual cable: what happens to a datagram between entering and leaving it. A pure function of
 * the options, the state and the generator, so a seed repeats it. */
#ifndef SIM_LINK_H
#define SIM_LINK_H

#include "base/clock.h"
#include "base/random.h"

typedef struct sim_link_options {
  hd_duration delay;         /* of every datagram */
  hd_duration jitter;        /* up to this much more, uniform */
  bool jitter_reorders;      /* false: a datagram never overtakes an earlier one by jitter alone */
  uint64_t bytes_per_second; /* 0: infinitely fast */
  uint64_t queue_size_max;   /* bytes waiting for a slow link; what finds it full is dropped. 0: one datagram */
  uint32_t mtu;              /* bytes of IP packet; larger ones vanish unless they may be cut up. 0: no limit */
  double loss;               /* probability, each datagram for itself */
  double burst_start;        /* probability per datagram that a burst begins, in which all is lost ... */
  hd_duration burst_max;     /* ... for up to this long, uniform */
  double duplicate;          /* probability that a second copy arrives up to `late` later */
  double reorder;            /* probability that it is held back for up to `late` */
  hd_duration late;
  double corrupt;  /* probability that some bit is flipped: what UDP's checksum did not catch */
  double truncate; /* probability that the tail is lost */
} sim_link_options;

typedef struct sim_link {
  sim_link_options options;
  hd_time is_free_at; /* when the last queued byte has left */
  hd_time last_arrival;
  hd_time burst_until;
} sim_link;

#define SIM_COPIES_MAX 2

/* What became of one datagram. */
typedef struct sim_passage {
  int copies_count; /* 0: lost */
  hd_time arrivals[SIM_COPIES_MAX];
  bool is_corrupted;
  size_t size; /* after truncation */
} sim_passage;

static inline sim_link sim_link_of(const sim_link_options *options) {
  return (sim_link){.options = *options};
}

/* Sends a datagram of `size` payload bytes (`overhead` bytes of headers come on top) into the link at `now`, which
 * never goes backwards from call to call by more than the receiver of the result can bear: arrivals are at or after
 * `now`. */
sim_passage sim_link_pass(sim_link *link, hd_random *random, hd_time now, size_t size, size_t overhead,
                          bool may_fragment);

#endif
