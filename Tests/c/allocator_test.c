#include "base/allocator.h"

#include <string.h>

#include "test.h"

TEST(the_system_allocator_gives_memory_that_can_be_written) {
  const hd_allocator *allocator = hd_allocator_system();
  uint8_t *memory = hd_allocate(allocator, 100);
  REQUIRE(memory != NULL);
  memset(memory, 1, 100);
  hd_release(allocator, memory, 100);
}

TEST(an_allocator_left_unset_is_the_system_allocator) {
  hd_test_allocator counting;
  hd_test_allocator_init(&counting);
  CHECK(hd_allocator_or_system(NULL) == hd_allocator_system());
  CHECK(hd_allocator_or_system(&counting.hook) == &counting.hook);
}

TEST(zeroed_memory_is_zero) {
  hd_test_allocator counting;
  hd_test_allocator_init(&counting);
  uint8_t *memory = hd_allocate_zeroed(&counting.hook, 64);
  REQUIRE(memory != NULL);
  const uint8_t zeros[64] = {0};
  CHECK_BYTES(zeros, memory, sizeof zeros);
  CHECK_UINT(64, counting.live_bytes);
  hd_release(&counting.hook, memory, 64);
  CHECK_UINT(0, counting.live_bytes);
}

TEST(an_array_has_the_size_of_its_elements) {
  hd_test_allocator counting;
  hd_test_allocator_init(&counting);
  void *array = hd_allocate_array(&counting.hook, 7, 24);
  CHECK_UINT(7 * 24, counting.live_bytes);
  hd_release(&counting.hook, array, 7 * 24);
}

TEST(an_array_larger_than_memory_can_be_is_refused_without_asking) {
  hd_test_allocator counting;
  hd_test_allocator_init(&counting);
  CHECK(hd_allocate_array(&counting.hook, SIZE_MAX / 2 + 1, 2) == NULL);
  CHECK(hd_allocate_array(&counting.hook, SIZE_MAX, SIZE_MAX) == NULL);
  CHECK_UINT(0, counting.allocations);
}

TEST(failure_is_passed_on) {
  hd_test_allocator counting;
  hd_test_allocator_init(&counting);
  for (size_t i = 1; i <= 3; i++) {
    counting.fail_at = i;
    void *memory = i == 1   ? hd_allocate(&counting.hook, 1)
                   : i == 2 ? hd_allocate_zeroed(&counting.hook, 1)
                            : hd_allocate_array(&counting.hook, 1, 1);
    CHECK(memory == NULL);
  }
}

TEST(releasing_null_is_ignored) {
  hd_test_allocator counting;
  hd_test_allocator_init(&counting);
  hd_release(&counting.hook, NULL, 10);
  CHECK_UINT(0, counting.live_bytes);
}
