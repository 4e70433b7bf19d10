#include "udx/udx_rtt.h"

#include "test.h"

static void sample(hd_udx_rtt *rtt, uint64_t at_ms, uint64_t us) {
  hd_udx_rtt_sample(rtt, (hd_time){at_ms * 1000}, HD_MICROSECONDS(us));
}

TEST(udx_rtt_starts_with_the_first_sample_and_smooths_the_rest) {
  hd_udx_rtt rtt = {0};
  CHECK_UINT(HD_UDX_RTO_INITIAL.us, hd_udx_rtt_timeout(&rtt).us);
  CHECK_UINT(UINT64_MAX, hd_udx_rtt_minimum(&rtt).us);
  sample(&rtt, 0, 80000);
  CHECK_UINT(80000, rtt.smoothed.us);
  CHECK_UINT(40000, rtt.variation.us);
  sample(&rtt, 1, 160000);
  CHECK_UINT(90000, rtt.smoothed.us);
  CHECK_UINT(50000, rtt.variation.us);
  CHECK_UINT(80000, hd_udx_rtt_minimum(&rtt).us);
}

TEST(udx_rtt_of_nothing_is_a_sample_too) {
  hd_udx_rtt rtt = {0};
  sample(&rtt, 0, 0);
  CHECK(rtt.has_sample);
  CHECK_UINT(0, hd_udx_rtt_minimum(&rtt).us);
  CHECK_UINT(HD_UDX_RTO_MIN.us, hd_udx_rtt_timeout(&rtt).us);
}

TEST(udx_rtt_keeps_the_timeout_within_its_bounds) {
  hd_udx_rtt rtt = {0};
  sample(&rtt, 0, 60000000); /* capped */
  CHECK_UINT(HD_UDX_RTT_OUTLIER_MAX.us, rtt.smoothed.us);
  CHECK_UINT(HD_UDX_RTO_MAX.us, hd_udx_rtt_timeout(&rtt).us);
}

TEST(udx_rtt_trims_outliers_of_a_machine_that_slept) {
  hd_udx_rtt rtt = {0};
  sample(&rtt, 0, 10000);
  sample(&rtt, 1, 20000000); /* taken for smoothed + 5 variations: 35 ms */
  CHECK_UINT((7 * 10000 + 35000) / 8, rtt.smoothed.us);
}

TEST(udx_rtt_minimum_forgets_after_five_minutes) {
  hd_udx_rtt rtt = {0};
  sample(&rtt, 0, 10000);
  for (uint64_t second = 1; second <= 299; second++) sample(&rtt, second * 1000, 20000);
  CHECK_UINT(10000, hd_udx_rtt_minimum(&rtt).us);
  sample(&rtt, 301000, 20000);
  CHECK_UINT(20000, hd_udx_rtt_minimum(&rtt).us);
}

/* The maximum of a window against a plain search through it. The three-sample filter may lag, but never shows less than
 * what the second half of the window holds, nor more than the whole. */
TEST(udx_filter_stays_between_the_half_and_the_whole_window) {
  hd_udx_filter filter = {0};
  uint64_t values[2000];
  uint64_t state = 12345;
  for (uint64_t at = 0; at < 2000; at++) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    values[at] = (state >> 33) % 1000;
    hd_udx_filter_update_max(&filter, 100, at, values[at]);
    uint64_t least = 0, most = 0;
    for (uint64_t back = 0; back <= 101 && back <= at; back++) {
      if (values[at - back] > most) most = values[at - back];
      if (back <= 25 && values[at - back] > least) least = values[at - back];
    }
    REQUIRE(hd_udx_filter_max(&filter) <= most);
    REQUIRE(hd_udx_filter_max(&filter) >= least);
  }
}
