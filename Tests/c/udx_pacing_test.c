#include "udx/udx_pacing.h"

#include "test.h"

TEST(udx_pacing_reaches_its_rate_whatever_the_timer) {
  const uint64_t ticks_us[] = {50, 1000, 2900};
  for (int i = 0; i < 3; i++) {
    hd_udx_pacing pacing = {.rate = 100000000};
    uint64_t sent = 0;
    hd_time now = {0};
    while (now.us < 1000000) {
      now.us += ticks_us[i];
      hd_udx_pacing_refill(&pacing, now);
      while (hd_udx_pacing_may_send(&pacing)) {
        hd_udx_pacing_spend(&pacing, 1500);
        sent += 1500;
      }
    }
    CHECK(sent > 99000000 && sent < 101000000);
  }
}

TEST(udx_pacing_bounds_the_burst_after_idling) {
  hd_udx_pacing pacing = {.rate = 100000000};
  hd_udx_pacing_refill(&pacing, (hd_time){900000});
  CHECK_INT(300000 + HD_UDX_PACING_BURST_BYTES, pacing.tokens);
  pacing.tokens = 0;
  hd_udx_pacing_refill(&pacing, (hd_time){100000000000});
  CHECK_INT(300000 + HD_UDX_PACING_BURST_BYTES, pacing.tokens);
}

TEST(udx_pacing_accrues_at_the_slowest_rates) {
  hd_udx_pacing pacing = {.rate = 1000}; /* a byte per millisecond */
  for (uint64_t us = 0; us <= 100000; us += 10) hd_udx_pacing_refill(&pacing, (hd_time){us});
  CHECK_INT(100, pacing.tokens);
}

TEST(udx_pacing_wakes_when_a_burst_is_worth_it) {
  hd_udx_pacing pacing = {.rate = 10000000, .tokens = -1000, .refilled_at = {500}};
  CHECK_UINT(500 + 1101, hd_udx_pacing_next(&pacing).us); /* 10,000 bytes: a millisecond's worth */
  hd_udx_pacing_refill(&pacing, hd_udx_pacing_next(&pacing));
  CHECK(hd_udx_pacing_may_send(&pacing));
  CHECK_UINT(UINT64_MAX, hd_udx_pacing_next(&(hd_udx_pacing){0}).us);
}
