#include "crypto/hmac.h"

#include "test.h"

/* Expected values computed with Python's hmac module over hashlib.blake2b. */

static void check_hex(const char *expected_hex, const uint8_t *actual, size_t size) {
  uint8_t expected[64];
  CHECK_UINT(size, hd_test_hex(expected_hex, expected, sizeof expected));
  CHECK_BYTES(expected, actual, size);
}

static void count_up(uint8_t *bytes, size_t size) {
  for (size_t i = 0; i < size; i++) bytes[i] = (uint8_t)i;
}

TEST(hmac_is_rfc_2104_over_blake2b_512) {
  uint8_t key[128], mac[HD_HMAC_SIZE];
  count_up(key, sizeof key);
  const hd_bytes parts[] = {hd_bytes_of("he", 2), hd_bytes_of("llo", 3)};
  hd_hmac(key, 64, parts, 2, mac);
  check_hex(
      "2a873055339951d8b42c45d43cf9f23a3a1e5338170fae8377c4ca83f0fa7af9"
      "0f8d6989161feee3ae9cbd038345823fbe41d92871671f5507716153e6d4f78b",
      mac, sizeof mac);
}

TEST(hmac_takes_a_key_of_a_whole_block) {
  uint8_t key[HD_HMAC_KEY_SIZE_LIMIT], mac[HD_HMAC_SIZE];
  count_up(key, sizeof key);
  hd_hmac(key, sizeof key, NULL, 0, mac);
  check_hex(
      "e79ec585fc83408cd654da61cc87457edd77cae194e6e4727420fa21a001229e"
      "d67f1fb7bb03effaaaec05d2d7902f98bfad11da65b4c08d197eefa96f314b31",
      mac, sizeof mac);
}

TEST(hkdf_gives_two_outputs) {
  uint8_t chaining_key[64], input[32], first[64], second[64];
  count_up(chaining_key, sizeof chaining_key);
  for (size_t i = 0; i < sizeof input; i++) input[i] = 0x42;
  hd_hkdf(chaining_key, input, sizeof input, first, second);
  check_hex(
      "4f19242fe62304587fea4a09e81062c80005ce6751b7d1ea7fd8ec66c0112a39"
      "8f5004937bfbdaef730a8f74f1fffa6ac7502d55657fda905bbe3911362f30cb",
      first, 64);
  check_hex(
      "df8149c58be58a547db0e18f9da0aafa5f46cb3715ca7c92008f11fe15b7510d"
      "269212fb289ee1210cab8611bfc9b2a682403376d39124e8fcac01b116a69354",
      second, 64);
}

TEST(hkdf_may_overwrite_its_chaining_key_and_takes_no_input) {
  uint8_t chaining_key[64], second[64];
  count_up(chaining_key, sizeof chaining_key);
  hd_hkdf(chaining_key, NULL, 0, chaining_key, second);
  check_hex(
      "03be0946afb62e33dcc2e8cb76dfad47663d284d81c0bde963f32a283dede221"
      "be2b9e3a86fa82934234d2a6ed331fb664a3e670252b9454da9ed2567b435e11",
      chaining_key, 64);
  check_hex(
      "8481b385940ea1ddc1e37243d34e6a00d9e35fe86844b75be2f9d084efcbf4a9"
      "d18c764645baf5262707efcb490c9ddfcc81c78ff75e1e727428f05b9fee857f",
      second, 64);
}
