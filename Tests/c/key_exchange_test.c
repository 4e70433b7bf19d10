#include "crypto/key_exchange.h"

#include <string.h>

#include "test.h"

static hd_exchange_key key_of(uint8_t fill) {
  uint8_t seed[HD_SEED_SIZE];
  memset(seed, fill, sizeof seed);
  hd_exchange_key key;
  hd_exchange_key_from_seed(&key, seed);
  return key;
}

TEST(exchange_key_from_a_seed_is_the_one_from_its_key_pair) {
  uint8_t seed[HD_SEED_SIZE], scalar[32];
  memset(seed, 1, sizeof seed);
  hd_key_pair key_pair;
  hd_key_pair_from_seed(&key_pair, seed);
  hd_exchange_key from_seed, from_key_pair;
  hd_exchange_key_from_seed(&from_seed, seed);
  hd_exchange_key_from_key_pair(&from_key_pair, &key_pair);
  CHECK_BYTES(&from_key_pair, &from_seed, sizeof from_seed);
  hd_test_hex("58e86efb75fa4e2c410f46e16de9f6acae1a1703528651b69bc176c088bef36e", scalar, sizeof scalar);
  CHECK_BYTES(scalar, from_seed.scalar, sizeof scalar);
}

TEST(key_exchange_gives_both_sides_the_same_secret) {
  const hd_exchange_key a = key_of(1), b = key_of(2);
  uint8_t expected[32], of_a[32], of_b[32];
  hd_test_hex("5612509e82825296cbaaae306ffe1088cbbe200de8ba23dad06f67e607f861df", expected, sizeof expected);
  CHECK_INT(HDHT_OK, hd_key_exchange(&a, b.public_key, of_a));
  CHECK_INT(HDHT_OK, hd_key_exchange(&b, a.public_key, of_b));
  CHECK_BYTES(expected, of_a, 32);
  CHECK_BYTES(expected, of_b, 32);
}

/* All points of small order (1, 2, 4 and 8), encodings that are not canonical, a point off the curve, and a point that
 * is on the curve but outside the prime-order group (a good one plus the point of order 2). */
TEST(key_exchange_refuses_unusable_points) {
  static const char *const unusable[] = {
      "0100000000000000000000000000000000000000000000000000000000000000",
      "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
      "0000000000000000000000000000000000000000000000000000000000000000",
      "0000000000000000000000000000000000000000000000000000000000000080",
      "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
      "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
      "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
      "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
      "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
      "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
      "0200000000000000000000000000000000000000000000000000000000000000",
      "6cc688f15782e8a0a95cab993cb381333472756e4b11c85da209f0a470364c6b",
  };
  const hd_exchange_key key = key_of(1);
  for (size_t i = 0; i < sizeof unusable / sizeof unusable[0]; i++) {
    uint8_t point[32], shared[32], untouched[32];
    memset(shared, 0xee, sizeof shared);
    memset(untouched, 0xee, sizeof untouched);
    REQUIRE(hd_test_hex(unusable[i], point, sizeof point) == 32);
    CHECK_INT(HDHT_ERR_INVALID_KEY, hd_key_exchange(&key, point, shared));
    CHECK_BYTES(untouched, shared, sizeof shared);
  }
}

TEST(exchange_key_wipe_leaves_no_scalar) {
  static const hd_exchange_key zero;
  hd_exchange_key key = key_of(1);
  hd_exchange_key_wipe(&key);
  CHECK_BYTES(&zero, &key, sizeof key);
}
