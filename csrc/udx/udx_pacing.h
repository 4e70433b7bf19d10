/* Spreads packets over time: a bucket of bytes that fills at the pacing rate. A packet may go while the bucket is not
 * empty, and may overdraw it by its own size.
 *
 * Timers may be coarse and late: the bucket fills with all the time that passed, up to a burst of a few milliseconds'
 * worth, so that a millisecond tick still reaches the full rate. */
#ifndef HD_UDX_PACING_H
#define HD_UDX_PACING_H

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"

#define HD_UDX_PACING_BURST_US      3000  /* of the rate */
#define HD_UDX_PACING_BURST_BYTES   16000 /* at any rate: about ten packets */
#define HD_UDX_PACING_QUANTUM_US    1000  /* worth waiting for before sending again */
#define HD_UDX_PACING_QUANTUM_BYTES 3000

typedef struct hd_udx_pacing {
  uint64_t rate;  /* bytes per second */
  int64_t tokens; /* bytes; negative while overdrawn */
  hd_time refilled_at;
} hd_udx_pacing;

static inline int64_t hd_udx_pacing_burst(const hd_udx_pacing *pacing) {
  return (int64_t)(pacing->rate * HD_UDX_PACING_BURST_US / 1000000) + HD_UDX_PACING_BURST_BYTES;
}

/* Adds what has accrued since the last call. */
void hd_udx_pacing_refill(hd_udx_pacing *pacing, hd_time now);

/* Whether a packet may go, after a refill. */
static inline bool hd_udx_pacing_may_send(const hd_udx_pacing *pacing) {
  return pacing->tokens > 0;
}

static inline void hd_udx_pacing_spend(hd_udx_pacing *pacing, uint32_t bytes) {
  pacing->tokens -= bytes;
}

/* When the bucket will hold enough for a burst that is worth a wake-up. */
hd_time hd_udx_pacing_next(const hd_udx_pacing *pacing);

#endif
