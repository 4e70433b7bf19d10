#include "base/layout.h"

#include "test.h"

TEST(alignment_is_the_largest_power_of_two_in_the_size_up_to_8) {
  const uint32_t sizes[] = {0, 1, 2, 3, 4, 6, 8, 12, 16, 20, 24, 32, 33, 65536};
  const uint32_t expected[] = {1, 1, 2, 1, 4, 2, 8, 4, 8, 4, 8, 8, 1, 8};
  for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) CHECK_UINT(expected[i], hd_layout_alignment(sizes[i]));
}

TEST(aligning_rounds_up_and_keeps_multiples) {
  CHECK_UINT(0, hd_layout_align(0, 8));
  CHECK_UINT(8, hd_layout_align(1, 8));
  CHECK_UINT(8, hd_layout_align(8, 8));
  CHECK_UINT(16, hd_layout_align(9, 8));
  CHECK_UINT(9, hd_layout_align(9, 1));
}
