#include "udx/udx_pacing.h"

void hd_udx_pacing_refill(hd_udx_pacing *pacing, hd_time now) {
  const int64_t burst = hd_udx_pacing_burst(pacing);
  const uint64_t elapsed_us = hd_time_since(now, pacing->refilled_at).us;
  if (elapsed_us == 0) return;
  if (pacing->rate == 0 || elapsed_us >= 1000000) {
    pacing->refilled_at = now;
    if (elapsed_us >= 1000000) pacing->tokens = burst;
    return;
  }
  const uint64_t accrued = elapsed_us * pacing->rate / 1000000;
  if (accrued == 0) return; /* keep the time, or a slow rate would never accrue anything */
  pacing->refilled_at = now;
  pacing->tokens += (int64_t)accrued;
  if (pacing->tokens > burst) pacing->tokens = burst;
}

hd_time hd_udx_pacing_next(const hd_udx_pacing *pacing) {
  if (pacing->rate == 0) return HD_TIME_NEVER;
  int64_t wanted = (int64_t)(pacing->rate * HD_UDX_PACING_QUANTUM_US / 1000000);
  if (wanted < HD_UDX_PACING_QUANTUM_BYTES) wanted = HD_UDX_PACING_QUANTUM_BYTES;
  const int64_t missing = wanted - pacing->tokens;
  if (missing <= 0) return pacing->refilled_at;
  return hd_time_add(pacing->refilled_at, HD_MICROSECONDS((uint64_t)missing * 1000000 / pacing->rate + 1));
}
