/* The extreme value of a sliding window in constant memory: the best, second and third best of three sub-windows
 * (Kathleen Nichols' algorithm). "Time" is any counter that never goes backwards.
 *
 * Written for the maximum; the minimum of x is the maximum of ~x. */
#ifndef HD_UDX_FILTER_H
#define HD_UDX_FILTER_H

#include <stdint.h>

typedef struct hd_udx_filter_sample {
  uint64_t at;
  uint64_t value;
} hd_udx_filter_sample;

typedef struct hd_udx_filter {
  hd_udx_filter_sample best[3];
} hd_udx_filter;

static inline uint64_t hd_udx_filter_max(const hd_udx_filter *filter) {
  return filter->best[0].value;
}

static inline void hd_udx_filter_reset(hd_udx_filter *filter, uint64_t at, uint64_t value) {
  filter->best[0] = filter->best[1] = filter->best[2] = (hd_udx_filter_sample){.at = at, .value = value};
}

/* Takes one sample and forgets those more than `window` old. */
static inline void hd_udx_filter_update_max(hd_udx_filter *filter, uint64_t window, uint64_t at, uint64_t value) {
  hd_udx_filter_sample *best = filter->best;
  const hd_udx_filter_sample sample = {.at = at, .value = value};

  if (value >= best[0].value || at - best[2].at > window) {
    hd_udx_filter_reset(filter, at, value);
    return;
  }
  if (value >= best[1].value) {
    best[2] = best[1] = sample;
  } else if (value >= best[2].value) {
    best[2] = sample;
  }

  const uint64_t age = at - best[0].at;
  if (age > window) { /* the best is too old: the others move up */
    best[0] = best[1];
    best[1] = best[2];
    best[2] = sample;
    if (at - best[0].at > window) {
      best[0] = best[1];
      best[1] = best[2];
    }
  } else if (best[1].at == best[0].at && age > window / 4) { /* a quarter passed without a second best */
    best[2] = best[1] = sample;
  } else if (best[2].at == best[1].at && age > window / 2) { /* half of it without a third */
    best[2] = sample;
  }
}

#endif
