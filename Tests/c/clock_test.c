#include "base/clock.h"

#include "test.h"

static hd_time at(uint64_t us) {
  return (hd_time){us};
}

TEST(units_are_microseconds) {
  CHECK_UINT(3, HD_MICROSECONDS(3).us);
  CHECK_UINT(3000, HD_MILLISECONDS(3).us);
  CHECK_UINT(3000000, HD_SECONDS(3).us);
  CHECK_UINT(5000000000u, HD_SECONDS(5000).us); /* more than 32 bits */
}

TEST(a_time_is_due_from_its_own_microsecond_on) {
  CHECK(!hd_time_is_due(at(10), at(9)));
  CHECK(hd_time_is_due(at(10), at(10)));
  CHECK(hd_time_is_due(at(10), at(11)));
  CHECK(!hd_time_is_due(HD_TIME_NEVER, at(UINT64_MAX - 1)));
}

TEST(only_the_last_moment_is_never) {
  CHECK(hd_time_is_never(HD_TIME_NEVER));
  CHECK(!hd_time_is_never(at(UINT64_MAX - 1)));
  CHECK(!hd_time_is_never(at(0)));
}

TEST(times_are_ordered) {
  CHECK(hd_time_before(at(1), at(2)));
  CHECK(!hd_time_before(at(2), at(2)));
  CHECK(!hd_time_before(at(3), at(2)));
  CHECK_UINT(1, hd_time_earlier(at(1), at(2)).us);
  CHECK_UINT(1, hd_time_earlier(at(2), at(1)).us);
  CHECK_UINT(2, hd_time_later(at(1), at(2)).us);
  CHECK_UINT(2, hd_time_later(at(2), at(1)).us);
  CHECK_UINT(7, hd_time_earlier(HD_TIME_NEVER, at(7)).us);
}

TEST(adding_past_the_end_gives_never) {
  CHECK_UINT(15, hd_time_add(at(10), HD_MICROSECONDS(5)).us);
  CHECK_UINT(UINT64_MAX - 1, hd_time_add(at(UINT64_MAX - 6), HD_MICROSECONDS(5)).us);
  CHECK(hd_time_is_never(hd_time_add(at(UINT64_MAX - 4), HD_MICROSECONDS(5))));
  CHECK(hd_time_is_never(hd_time_add(HD_TIME_NEVER, HD_MICROSECONDS(1))));
  CHECK(hd_time_is_never(hd_time_add(at(0), HD_DURATION_FOREVER)));
  CHECK(hd_time_is_never(hd_time_add(at(1), HD_DURATION_FOREVER)));
}

TEST(the_time_since_a_later_moment_is_zero) {
  CHECK_UINT(3, hd_time_since(at(10), at(7)).us);
  CHECK_UINT(0, hd_time_since(at(7), at(7)).us);
  CHECK_UINT(0, hd_time_since(at(7), at(10)).us);
}

TEST(durations_are_ordered) {
  CHECK(hd_duration_less(HD_MICROSECONDS(1), HD_MICROSECONDS(2)));
  CHECK(!hd_duration_less(HD_MICROSECONDS(2), HD_MICROSECONDS(2)));
  CHECK_UINT(1, hd_duration_shorter(HD_MICROSECONDS(1), HD_MICROSECONDS(2)).us);
  CHECK_UINT(1, hd_duration_shorter(HD_MICROSECONDS(2), HD_MICROSECONDS(1)).us);
  CHECK_UINT(2, hd_duration_longer(HD_MICROSECONDS(1), HD_MICROSECONDS(2)).us);
  CHECK_UINT(2, hd_duration_longer(HD_MICROSECONDS(2), HD_MICROSECONDS(1)).us);
}

TEST(duration_arithmetic_ends_at_forever) {
  CHECK_UINT(9, hd_duration_add(HD_MICROSECONDS(4), HD_MICROSECONDS(5)).us);
  CHECK_UINT(UINT64_MAX, hd_duration_add(HD_DURATION_FOREVER, HD_MICROSECONDS(1)).us);
  CHECK_UINT(20, hd_duration_times(HD_MICROSECONDS(4), 5).us);
  CHECK_UINT(0, hd_duration_times(HD_DURATION_FOREVER, 0).us);
  CHECK_UINT(UINT64_MAX, hd_duration_times(HD_DURATION_FOREVER, 2).us);
  CHECK_UINT(UINT64_MAX, hd_duration_times(HD_SECONDS(1), UINT64_MAX).us);
}
