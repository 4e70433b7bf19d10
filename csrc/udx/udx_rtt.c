#include "udx/udx_rtt.h"

static hd_duration without_outlier(const hd_udx_rtt *rtt, hd_duration sample);

void hd_udx_rtt_sample(hd_udx_rtt *rtt, hd_time now, hd_duration sample) {
  sample = without_outlier(rtt, sample);
  if (!rtt->has_sample) {
    rtt->has_sample = true;
    rtt->smoothed = sample;
    rtt->variation.us = sample.us / 2;
    hd_udx_filter_reset(&rtt->minimum, now.us, ~sample.us);
    return;
  }
  const uint64_t smoothed = rtt->smoothed.us;
  const uint64_t deviation = smoothed > sample.us ? smoothed - sample.us : sample.us - smoothed;
  rtt->variation.us = (3 * rtt->variation.us + deviation) / 4;
  rtt->smoothed.us = (7 * smoothed + sample.us) / 8;
  hd_udx_filter_update_max(&rtt->minimum, HD_UDX_RTT_MIN_WINDOW.us, now.us, ~sample.us);
}

/* A sample of many seconds is more likely a machine that slept than a path that slow. */
static hd_duration without_outlier(const hd_udx_rtt *rtt, hd_duration sample) {
  const hd_duration expected = {rtt->smoothed.us + 5 * rtt->variation.us};
  if (rtt->has_sample && sample.us > HD_SECONDS(5).us && sample.us > expected.us) sample = expected;
  return hd_duration_shorter(sample, HD_UDX_RTT_OUTLIER_MAX);
}

hd_duration hd_udx_rtt_timeout(const hd_udx_rtt *rtt) {
  if (!rtt->has_sample) return HD_UDX_RTO_INITIAL;
  const hd_duration timeout = {rtt->smoothed.us + 4 * rtt->variation.us};
  return hd_duration_shorter(hd_duration_longer(timeout, HD_UDX_RTO_MIN), HD_UDX_RTO_MAX);
}
