#include "udx/udx_rate.h"

#include "test.h"

#define PACKET 1000

TEST(udx_rate_is_delivered_bytes_over_the_time_it_took) {
  hd_udx_rate rate = {0};
  hd_udx_rate_mark marks[10];
  hd_time sent_at[10];
  for (uint64_t i = 0; i < 10; i++) { /* one packet per millisecond */
    sent_at[i].us = 1000 * i;
    marks[i] = hd_udx_rate_send(&rate, sent_at[i], i == 0);
  }
  /* Their acknowledgements come 50 ms later, at the same pace. */
  uint64_t last = 0;
  for (uint64_t i = 0; i < 10; i++) {
    hd_udx_rate_batch batch = {0};
    hd_udx_rate_deliver(&rate, &batch, (hd_time){50000 + 1000 * i}, sent_at[i], &marks[i], false, PACKET);
    last = hd_udx_rate_of(&rate, &batch, HD_MILLISECONDS(50));
  }
  CHECK_UINT(10000 * 1000000ull / 59000, last); /* all ten since the clock started with the first */
}

TEST(udx_rate_of_an_impossibly_short_interval_is_none) {
  hd_udx_rate rate = {0};
  const hd_udx_rate_mark mark = hd_udx_rate_send(&rate, (hd_time){1000}, true);
  hd_udx_rate_batch batch = {0};
  hd_udx_rate_deliver(&rate, &batch, (hd_time){1010}, (hd_time){1000}, &mark, false, PACKET);
  CHECK_UINT(0, hd_udx_rate_of(&rate, &batch, HD_MICROSECONDS(11)));
  CHECK(hd_udx_rate_of(&rate, &batch, HD_MICROSECONDS(10)) > 0);
  CHECK_UINT(0, hd_udx_rate_of(&rate, &(hd_udx_rate_batch){0}, HD_MICROSECONDS(10)));
}

TEST(udx_rate_remembers_that_the_application_had_no_more) {
  hd_udx_rate rate = {0};
  const hd_udx_rate_mark mark = hd_udx_rate_send(&rate, (hd_time){1000}, true);
  hd_udx_rate_limited_by_application(&rate, PACKET);
  CHECK(hd_udx_rate_is_app_limited(&rate));
  hd_udx_rate_batch batch = {0};
  hd_udx_rate_deliver(&rate, &batch, (hd_time){2000}, (hd_time){1000}, &mark, true, PACKET);
  CHECK(batch.is_app_limited);
  hd_udx_rate_of(&rate, &batch, HD_MICROSECONDS(1));
  CHECK(hd_udx_rate_is_app_limited(&rate)); /* until more than that is delivered */
  hd_udx_rate_deliver(&rate, &batch, (hd_time){2000}, (hd_time){1000}, &mark, true, 1);
  hd_udx_rate_of(&rate, &batch, HD_MICROSECONDS(1));
  CHECK(!hd_udx_rate_is_app_limited(&rate));
}
