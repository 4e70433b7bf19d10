#include "rpc/rpc_rtt.h"

#include "base/assertion.h"

void hd_rpc_rtt_add(hd_rpc_rtt *rtt, hd_duration sample) {
  const uint64_t sample_us = hd_duration_shorter(sample, HD_SECONDS(60)).us + 1; /* 0 stands for "no sample yet" */
  if (rtt->smoothed_us == 0) {
    *rtt = (hd_rpc_rtt){.smoothed_us = sample_us, .deviation_us = sample_us / 2};
    return;
  }
  const uint64_t difference =
      sample_us > rtt->smoothed_us ? sample_us - rtt->smoothed_us : rtt->smoothed_us - sample_us;
  rtt->deviation_us = (3 * rtt->deviation_us + difference) / 4;
  rtt->smoothed_us = (7 * rtt->smoothed_us + sample_us) / 8;
}

hd_duration hd_rpc_rtt_timeout(const hd_rpc_rtt *rtt, unsigned attempt) {
  hd_assert(attempt > 0);
  if (rtt->smoothed_us == 0) return HD_RPC_TIMEOUT_MAX;
  const hd_duration estimate = HD_MICROSECONDS(rtt->smoothed_us + 4 * rtt->deviation_us);
  const hd_duration first = hd_duration_longer(estimate, HD_RPC_TIMEOUT_MIN);
  const unsigned doublings = attempt - 1 < 4 ? attempt - 1 : 4;
  return hd_duration_shorter(hd_duration_times(first, (uint64_t)1 << doublings), HD_RPC_TIMEOUT_MAX);
}
