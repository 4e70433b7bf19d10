/* Time as the core sees it: microseconds, in two struct types, so that a point in time and a length of time cannot be
 * mistaken for each other or for a plain number. All arithmetic saturates: "never" stays never.
 *
 * A point in time counts from an arbitrary start that the driver chose; it never goes backwards. */
#ifndef HD_CLOCK_H
#define HD_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

typedef struct hd_time {
  uint64_t us;
} hd_time;

typedef struct hd_duration {
  uint64_t us;
} hd_duration;

#define HD_TIME_NEVER       ((hd_time){UINT64_MAX})
#define HD_DURATION_FOREVER ((hd_duration){UINT64_MAX})
#define HD_MICROSECONDS(n)  ((hd_duration){(uint64_t)(n)})
#define HD_MILLISECONDS(n)  ((hd_duration){(uint64_t)(n)*1000})
#define HD_SECONDS(n)       ((hd_duration){(uint64_t)(n)*1000000})

static inline bool hd_time_is_never(hd_time time) {
  return time.us == UINT64_MAX;
}

/* True when `time` has been reached at `now`. */
static inline bool hd_time_is_due(hd_time time, hd_time now) {
  return time.us <= now.us;
}

static inline bool hd_time_before(hd_time a, hd_time b) {
  return a.us < b.us;
}

static inline hd_time hd_time_earlier(hd_time a, hd_time b) {
  return a.us <= b.us ? a : b;
}

static inline hd_time hd_time_later(hd_time a, hd_time b) {
  return a.us >= b.us ? a : b;
}

static inline hd_time hd_time_add(hd_time time, hd_duration duration) {
  uint64_t sum;
  return __builtin_add_overflow(time.us, duration.us, &sum) ? HD_TIME_NEVER : (hd_time){sum};
}

/* How long from `earlier` to `later`; zero when it is the other way round. */
static inline hd_duration hd_time_since(hd_time later, hd_time earlier) {
  return later.us > earlier.us ? (hd_duration){later.us - earlier.us} : (hd_duration){0};
}

static inline bool hd_duration_less(hd_duration a, hd_duration b) {
  return a.us < b.us;
}

static inline hd_duration hd_duration_shorter(hd_duration a, hd_duration b) {
  return a.us <= b.us ? a : b;
}

static inline hd_duration hd_duration_longer(hd_duration a, hd_duration b) {
  return a.us >= b.us ? a : b;
}

static inline hd_duration hd_duration_add(hd_duration a, hd_duration b) {
  uint64_t sum;
  return __builtin_add_overflow(a.us, b.us, &sum) ? HD_DURATION_FOREVER : (hd_duration){sum};
}

static inline hd_duration hd_duration_times(hd_duration duration, uint64_t factor) {
  uint64_t product;
  return __builtin_mul_overflow(duration.us, factor, &product) ? HD_DURATION_FOREVER : (hd_duration){product};
}

#endif
