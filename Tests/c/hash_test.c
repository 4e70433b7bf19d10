#include "crypto/hash.h"

#include <string.h>

#include "test.h"

static void check_hex(const char *expected_hex, const uint8_t *actual, size_t size) {
  uint8_t expected[64];
  CHECK_UINT(size, hd_test_hex(expected_hex, expected, sizeof expected));
  CHECK_BYTES(expected, actual, size);
}

TEST(hash_is_blake2b_256) {
  uint8_t hash[HD_HASH_SIZE];
  hd_hash("hyperswarm/dht", 14, hash);
  check_hex("d70d90f7efc42f93e1ad5837e682a6010cf551013c2d2d043f40d8fbe07dcb90", hash, sizeof hash);
  hd_hash(NULL, 0, hash);
  check_hex("0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8", hash, sizeof hash);
}

/* RFC 7693, appendix A. */
TEST(hash_512_is_blake2b_512) {
  uint8_t hash[HD_HASH_512_SIZE];
  hd_hash_512("abc", 3, hash);
  check_hex(
      "ba80a53f981c4d0d6a2797b69f12f6e94c212f14685ac4b74b12bb6fdbffa2d1"
      "7d87c5392aab792dc252d5de4533cc9518d38aa8dbf1925ab92386edd4009923",
      hash, sizeof hash);
}

TEST(hash_keyed_uses_the_keyed_mode) {
  uint8_t key[64], hash[HD_HASH_SIZE];
  for (size_t i = 0; i < sizeof key; i++) key[i] = (uint8_t)i;
  hd_hash_keyed(key, sizeof key, "abc", 3, hash);
  check_hex("dff38c978666dff5631db35ca15535520d134f5c8060ea569c6a178ad393719f", hash, sizeof hash);
}

TEST(hash_of_parts_is_the_hash_of_their_concatenation) {
  uint8_t data[300], whole[HD_HASH_SIZE], parted[HD_HASH_SIZE], whole_512[64], parted_512[64];
  for (size_t i = 0; i < sizeof data; i++) data[i] = (uint8_t)(i * 7);
  hd_hash(data, sizeof data, whole);
  hd_hash_512(data, sizeof data, whole_512);
  for (size_t cut = 0; cut <= sizeof data; cut++) {
    const hd_bytes parts[] = {hd_bytes_of(data, cut), hd_bytes_of(NULL, 0), hd_bytes_of(data + cut, sizeof data - cut)};
    hd_hash_parts(parts, 3, parted);
    CHECK_BYTES(whole, parted, sizeof whole);
    hd_hash_512_parts(parts, 3, parted_512);
    CHECK_BYTES(whole_512, parted_512, sizeof whole_512);
  }
}

TEST(hash_state_can_be_copied_and_is_wiped_when_used_up) {
  hd_hash_state state, zero;
  uint8_t one[64], two[64];
  hd_hash_init(&state, (const uint8_t *)"key", 3, 64);
  hd_hash_update(&state, "ab", 2);
  hd_hash_state copy = state;
  hd_hash_update(&state, "c", 1);
  hd_hash_final(&state, one, sizeof one);
  hd_hash_update(&copy, "c", 1);
  hd_hash_final(&copy, two, sizeof two);
  CHECK_BYTES(one, two, sizeof one);
  memset(&zero, 0, sizeof zero);
  CHECK_BYTES(&zero, &state, sizeof state);
}
