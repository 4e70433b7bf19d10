#include "crypto/entropy.h"

#include <string.h>

#include "test.h"

static hd_entropy entropy_of_zero_seed(void) {
  static const uint8_t seed[HD_ENTROPY_SEED_SIZE];
  hd_entropy entropy;
  hd_entropy_init(&entropy, seed);
  return entropy;
}

/* The first block of ChaCha20 under a zero key and nonce is 76b8e0ad…770dc7 da41597c…ee6586; its first half becomes the
 * next key. */
TEST(entropy_gives_the_keystream_behind_the_next_key) {
  hd_entropy entropy = entropy_of_zero_seed();
  uint8_t expected[32], actual[32];
  hd_test_hex("da41597c5157488d7724e03fb8d84a376a43b8f41518a11cc387b669b2ee6586", expected, sizeof expected);
  hd_entropy_fill(&entropy, actual, sizeof actual);
  CHECK_BYTES(expected, actual, sizeof actual);
  hd_test_hex("76b8e0ada0f13d90405d6ae55386bd28bdd219b8a08ded1aa836efcc8b770dc7", expected, sizeof expected);
  CHECK_BYTES(expected, entropy.key, sizeof expected);
}

TEST(entropy_gives_the_same_bytes_in_any_portions) {
  hd_entropy whole = entropy_of_zero_seed(), parted = entropy_of_zero_seed();
  uint8_t expected[3 * HD_ENTROPY_BUFFER_SIZE], actual[3 * HD_ENTROPY_BUFFER_SIZE];
  hd_entropy_fill(&whole, expected, sizeof expected);
  for (size_t offset = 0, size = 1; offset < sizeof actual; offset += size, size = size * 2 + 1) {
    if (size > sizeof actual - offset) size = sizeof actual - offset;
    hd_entropy_fill(&parted, actual + offset, size);
  }
  CHECK_BYTES(expected, actual, sizeof actual);
  CHECK(memcmp(expected, expected + HD_ENTROPY_BUFFER_SIZE, HD_ENTROPY_BUFFER_SIZE) != 0);
}

TEST(entropy_keeps_nothing_it_gave_out) {
  hd_entropy entropy = entropy_of_zero_seed();
  static const uint8_t zeros[100];
  uint8_t bytes[100];
  hd_entropy_fill(&entropy, bytes, sizeof bytes);
  CHECK_BYTES(zeros, entropy.buffer, sizeof zeros);
  CHECK_UINT(HD_ENTROPY_BUFFER_SIZE - 100, entropy.available);
  hd_entropy_destroy(&entropy);
  CHECK_BYTES(zeros, entropy.key, sizeof entropy.key);
}

TEST(entropy_numbers_are_little_endian_and_below_their_bound) {
  hd_entropy entropy = entropy_of_zero_seed();
  CHECK_UINT(0x7c5941da, hd_entropy_u32(&entropy));
  CHECK_UINT(0x3fe024778d485751u, hd_entropy_u64(&entropy));
  unsigned seen[3] = {0};
  for (int i = 0; i < 300; i++) seen[hd_entropy_below(&entropy, 3)]++;
  for (int i = 0; i < 3; i++) CHECK(seen[i] > 60);
  CHECK_UINT(0, hd_entropy_below(&entropy, 1));
}

TEST(entropy_from_the_system_fills_more_than_one_call_gives) {
  uint8_t bytes[600] = {0};
  static const uint8_t zeros[16];
  CHECK_INT(HDHT_OK, hd_entropy_from_system(bytes, sizeof bytes));
  CHECK(memcmp(bytes, zeros, 16) != 0);
  CHECK(memcmp(bytes + 584, zeros, 16) != 0);
  CHECK_INT(HDHT_OK, hd_entropy_from_system(bytes, 0));
}
