#include "crypto/signature.h"

#include <string.h>

#include "test.h"

static hd_key_pair key_pair_of(uint8_t fill) {
  uint8_t seed[HD_SEED_SIZE];
  memset(seed, fill, sizeof seed);
  hd_key_pair key_pair;
  hd_key_pair_from_seed(&key_pair, seed);
  return key_pair;
}

TEST(key_pair_belongs_to_its_seed) {
  uint8_t expected[32];
  hd_key_pair key_pair = key_pair_of(1);
  hd_test_hex("8a88e3dd7409f195fd52db2d3cba5d72ca6709bf1d94121bf3748801b40f6f5c", expected, sizeof expected);
  CHECK_BYTES(expected, key_pair.public_key, 32);
  CHECK_BYTES(expected, key_pair.secret_key + 32, 32);
  CHECK_UINT(1, key_pair.secret_key[31]);
  hd_key_pair_wipe(&key_pair);
  CHECK_UINT(0, key_pair.secret_key[31]);
}

TEST(key_pairs_from_entropy_differ) {
  static const uint8_t seed[HD_ENTROPY_SEED_SIZE];
  hd_entropy entropy;
  hd_entropy_init(&entropy, seed);
  hd_key_pair a, b, of_drawn_seed;
  hd_key_pair_from_entropy(&a, &entropy);
  hd_key_pair_from_entropy(&b, &entropy);
  CHECK(memcmp(&a, &b, sizeof a) != 0);
  hd_key_pair_from_seed(&of_drawn_seed, a.secret_key);
  CHECK_BYTES(&of_drawn_seed, &a, sizeof a);
}

/* An announcement's signature recorded from hyperdht: the namespace, then a hash. */
TEST(signature_is_plain_ed25519) {
  const hd_key_pair key_pair = key_pair_of(1);
  uint8_t message[64], expected[64], signature[64];
  hd_test_hex(
      "36386adddf9f6fd60db83a6f42fc159d1146aa8644037664230aaa1f0179d497"
      "cc3caa6a973775b1fdc9fbd57d15f105885b8d7124948b0a1e76cfc49a5ad6da",
      message, sizeof message);
  hd_test_hex(
      "511a19bd09060c11f65914804ca9ecc603fe6767d907e4e1210d202a06fcb0ca"
      "99ae308fd8ed95edd71467a06ba6ef8b641fc6dff2e72d1abd75de0f4aa5cf08",
      expected, sizeof expected);
  hd_signature_sign(key_pair.secret_key, message, sizeof message, signature);
  CHECK_BYTES(expected, signature, sizeof signature);
  CHECK_INT(HDHT_OK, hd_signature_verify(key_pair.public_key, message, sizeof message, signature));
}

TEST(signature_of_another_message_key_or_signature_is_refused) {
  const hd_key_pair key_pair = key_pair_of(1), other = key_pair_of(2);
  uint8_t signature[64];
  hd_signature_sign(key_pair.secret_key, "abc", 3, signature);
  CHECK_INT(HDHT_OK, hd_signature_verify(key_pair.public_key, "abc", 3, signature));
  CHECK_INT(HDHT_ERR_BAD_SIGNATURE, hd_signature_verify(key_pair.public_key, "abd", 3, signature));
  CHECK_INT(HDHT_ERR_BAD_SIGNATURE, hd_signature_verify(key_pair.public_key, "ab", 2, signature));
  CHECK_INT(HDHT_ERR_BAD_SIGNATURE, hd_signature_verify(other.public_key, "abc", 3, signature));
  for (size_t i = 0; i < sizeof signature; i++) {
    signature[i] ^= 0x10;
    CHECK_INT(HDHT_ERR_BAD_SIGNATURE, hd_signature_verify(key_pair.public_key, "abc", 3, signature));
    signature[i] ^= 0x10;
  }
}

/* With a small-order key one signature fits every message: public key and R the neutral element, S zero. */
TEST(signature_under_a_small_order_key_is_refused) {
  uint8_t public_key[32] = {1}, signature[64] = {1};
  CHECK_INT(HDHT_ERR_BAD_SIGNATURE, hd_signature_verify(public_key, "abc", 3, signature));
}
