#include "base/random.h"

#include <string.h>

#include "test.h"

TEST(random_repeats_from_its_seed) {
  hd_random a = hd_random_from_seed(0), b = hd_random_from_seed(0), c = hd_random_from_seed(1);
  const uint64_t first = hd_random_next(&a);
  CHECK_UINT(first, hd_random_next(&b));
  CHECK(first != hd_random_next(&c));
}

/* Computed with the authors' reference program from the state that SplitMix64 makes of seed 0. */
TEST(random_is_xoshiro256_starstar) {
  hd_random random = hd_random_from_seed(0);
  CHECK_UINT(0x99ec5f36cb75f2b4u, hd_random_next(&random));
  CHECK_UINT(0xbf6e1f784956452au, hd_random_next(&random));
  CHECK_UINT(0x1a5f849d4933e6e0u, hd_random_next(&random));
}

TEST(random_below_stays_below_and_reaches_every_value) {
  hd_random random = hd_random_from_seed(7);
  unsigned seen[6] = {0};
  for (int i = 0; i < 6000; i++) {
    const uint64_t value = hd_random_below(&random, 6);
    REQUIRE(value < 6);
    seen[value]++;
  }
  for (int i = 0; i < 6; i++) CHECK(seen[i] > 800 && seen[i] < 1200);
  CHECK_UINT(0, hd_random_below(&random, 1));
}

TEST(random_fill_writes_exactly_the_asked_bytes) {
  for (size_t size = 0; size <= 17; size++) {
    hd_random random = hd_random_from_seed(3);
    uint8_t bytes[20];
    memset(bytes, 0xee, sizeof bytes);
    hd_random_fill(&random, bytes, size);
    for (size_t i = size; i < sizeof bytes; i++) CHECK_UINT(0xee, bytes[i]);
  }
}
