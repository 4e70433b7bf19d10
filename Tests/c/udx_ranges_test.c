#include "udx/udx_ranges.h"

#include "test.h"

static int add(hd_udx_ranges *ranges, uint32_t start, uint32_t end) {
  return hd_udx_ranges_add(ranges, hd_allocator_system(), (hd_udx_range){.start = start, .end = end});
}

static void check_range(const hd_udx_ranges *ranges, uint32_t place, uint32_t start, uint32_t end) {
  REQUIRE(place < ranges->count);
  CHECK_UINT(start, ranges->items[place].start);
  CHECK_UINT(end, ranges->items[place].end);
}

TEST(udx_ranges_join_what_touches_or_overlaps) {
  hd_udx_ranges ranges = {0};
  add(&ranges, 10, 12);
  add(&ranges, 20, 22);
  add(&ranges, 30, 32);
  CHECK_UINT(3, ranges.count);
  add(&ranges, 12, 20); /* fills the gap exactly */
  CHECK_UINT(2, ranges.count);
  check_range(&ranges, 0, 10, 22);
  add(&ranges, 5, 40); /* covers all */
  CHECK_UINT(1, ranges.count);
  check_range(&ranges, 0, 5, 40);
  add(&ranges, 41, 42); /* one number between */
  CHECK_UINT(2, ranges.count);
  hd_udx_ranges_destroy(&ranges, hd_allocator_system());
}

TEST(udx_ranges_cross_the_wrap) {
  hd_udx_ranges ranges = {0};
  add(&ranges, 0xfffffff0, 0xfffffff2);
  add(&ranges, 2, 4);
  add(&ranges, 0xfffffffe, 2);
  CHECK_UINT(2, ranges.count);
  check_range(&ranges, 1, 0xfffffffe, 4);
  CHECK(hd_udx_ranges_find(&ranges, 0) == &ranges.items[1]);
  CHECK(hd_udx_ranges_find(&ranges, 4) == NULL);
  hd_udx_ranges_trim_before(&ranges, 1);
  CHECK_UINT(1, ranges.count);
  check_range(&ranges, 0, 1, 4);
  hd_udx_ranges_destroy(&ranges, hd_allocator_system());
}

TEST(udx_ranges_tell_only_what_is_new) {
  hd_udx_ranges ranges = {0};
  add(&ranges, 10, 20);
  add(&ranges, 30, 40);
  hd_udx_range gap;
  CHECK(!hd_udx_ranges_next_gap(&ranges, (hd_udx_range){12, 20}, &gap));
  REQUIRE(hd_udx_ranges_next_gap(&ranges, (hd_udx_range){12, 50}, &gap));
  CHECK_UINT(20, gap.start);
  CHECK_UINT(30, gap.end);
  REQUIRE(hd_udx_ranges_next_gap(&ranges, (hd_udx_range){30, 50}, &gap));
  CHECK_UINT(40, gap.start);
  CHECK_UINT(50, gap.end);
  hd_udx_ranges_destroy(&ranges, hd_allocator_system());
}

TEST(udx_ranges_refuse_one_beyond_their_limit) {
  hd_udx_ranges ranges = {0};
  for (uint32_t i = 0; i < HD_UDX_RANGES_LIMIT; i++) REQUIRE(add(&ranges, 2 * i, 2 * i + 1) == HDHT_OK);
  CHECK_INT(HDHT_ERR_LIMIT, add(&ranges, 2 * HD_UDX_RANGES_LIMIT, 2 * HD_UDX_RANGES_LIMIT + 1));
  CHECK_UINT(HD_UDX_RANGES_LIMIT, ranges.count);
  CHECK_INT(HDHT_OK, add(&ranges, 1, 2)); /* needs none: it joins two */
  CHECK_UINT(HD_UDX_RANGES_LIMIT - 1, ranges.count);
  hd_udx_ranges_destroy(&ranges, hd_allocator_system());
}

static bool add_many(const hdht_allocator *allocator) {
  hd_udx_ranges ranges = {0};
  bool is_complete = true;
  for (uint32_t i = 0; i < 100; i++) {
    const uint32_t count = ranges.count;
    if (hd_udx_ranges_add(&ranges, allocator, (hd_udx_range){3 * i, 3 * i + 1}) == HDHT_OK) continue;
    CHECK_UINT(count, ranges.count);
    is_complete = false;
  }
  hd_udx_ranges_destroy(&ranges, allocator);
  return is_complete;
}

TEST(udx_ranges_survive_each_allocation_failure) {
  hd_test_each_allocation_failure(add_many);
}
