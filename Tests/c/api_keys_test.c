#include <hdht/keys.h>
#include <string.h>

#include "test.h"

/* Seed 01 × 32 and its key pair as recorded from hyperdht. */
static const char *const seed_one_public_key = "8a88e3dd7409f195fd52db2d3cba5d72ca6709bf1d94121bf3748801b40f6f5c";

static hdht_key_pair key_pair_of(uint8_t byte) {
  uint8_t seed[HDHT_SEED_SIZE];
  memset(seed, byte, sizeof seed);
  hdht_key_pair key_pair = {{0}, {0}};
  CHECK_INT(HDHT_OK, hdht_key_pair_from_seed(seed, &key_pair));
  return key_pair;
}

TEST(a_seed_gives_the_key_pair_the_reference_makes_of_it) {
  const hdht_key_pair key_pair = key_pair_of(1);
  char text[HDHT_PUBLIC_KEY_HEX_SIZE];
  CHECK_INT(HDHT_OK, hdht_public_key_to_hex(key_pair.public_key, text));
  CHECK_TEXT(seed_one_public_key, text);
  CHECK_BYTES(key_pair.public_key, key_pair.secret_key + 32, 32);
}

TEST(generated_key_pairs_differ) {
  hdht_key_pair a, b;
  CHECK_INT(HDHT_OK, hdht_key_pair_generate(&a));
  CHECK_INT(HDHT_OK, hdht_key_pair_generate(&b));
  CHECK(memcmp(&a, &b, sizeof a) != 0);
  hdht_key_pair_wipe(&a);
  const hdht_key_pair zero = {{0}, {0}};
  CHECK_BYTES(&zero, &a, sizeof a);
}

TEST(a_signature_holds_for_its_message_and_key_only) {
  const hdht_key_pair alice = key_pair_of(1), bob = key_pair_of(2);
  uint8_t message[] = "announce me", signature[HDHT_SIGNATURE_SIZE];
  CHECK_INT(HDHT_OK, hdht_sign(&alice, message, sizeof message, signature));
  CHECK_INT(HDHT_OK, hdht_verify(alice.public_key, message, sizeof message, signature));
  CHECK_INT(HDHT_ERR_BAD_SIGNATURE, hdht_verify(bob.public_key, message, sizeof message, signature));
  message[0] ^= 1;
  CHECK_INT(HDHT_ERR_BAD_SIGNATURE, hdht_verify(alice.public_key, message, sizeof message, signature));
}

TEST(a_public_key_reads_back_from_either_text) {
  const hdht_key_pair key_pair = key_pair_of(3);
  char hex[HDHT_PUBLIC_KEY_HEX_SIZE], z_base32[HDHT_PUBLIC_KEY_Z_BASE32_SIZE];
  uint8_t read[32];
  CHECK_INT(HDHT_OK, hdht_public_key_to_hex(key_pair.public_key, hex));
  CHECK_INT(HDHT_OK, hdht_public_key_to_z_base32(key_pair.public_key, z_base32));
  CHECK_UINT(64, strlen(hex));
  CHECK_UINT(52, strlen(z_base32));
  CHECK_INT(HDHT_OK, hdht_public_key_from_text(hex, 64, read));
  CHECK_BYTES(key_pair.public_key, read, 32);
  CHECK_INT(HDHT_OK, hdht_public_key_from_text(z_base32, 52, read));
  CHECK_BYTES(key_pair.public_key, read, 32);
}

TEST(text_that_is_no_public_key_is_refused) {
  uint8_t key[32];
  char hex[65];
  memset(hex, 'g', 64);
  CHECK_INT(HDHT_ERR_MALFORMED, hdht_public_key_from_text(hex, 64, key));
  CHECK_INT(HDHT_ERR_MALFORMED, hdht_public_key_from_text("", 0, key));
  CHECK_INT(HDHT_ERR_MALFORMED, hdht_public_key_from_text(hex, 63, key));
  memset(hex, 'l', 52); /* not in the alphabet */
  CHECK_INT(HDHT_ERR_MALFORMED, hdht_public_key_from_text(hex, 52, key));
}

TEST(key_functions_refuse_missing_arguments) {
  hdht_key_pair key_pair;
  uint8_t bytes[64];
  CHECK_INT(HDHT_ERR_INVALID_ARGUMENT, hdht_key_pair_generate(NULL));
  CHECK_INT(HDHT_ERR_INVALID_ARGUMENT, hdht_key_pair_from_seed(NULL, &key_pair));
  CHECK_INT(HDHT_ERR_INVALID_ARGUMENT, hdht_sign(NULL, bytes, 1, bytes));
  CHECK_INT(HDHT_ERR_INVALID_ARGUMENT, hdht_verify(bytes, NULL, 1, bytes));
  CHECK_INT(HDHT_ERR_INVALID_ARGUMENT, hdht_hash(NULL, 1, bytes));
  CHECK_INT(HDHT_ERR_INVALID_ARGUMENT, hdht_public_key_from_text(NULL, 64, bytes));
  CHECK_INT(HDHT_ERR_INVALID_ARGUMENT, hdht_random_bytes(NULL, 1));
  CHECK_INT(HDHT_OK, hdht_random_bytes(NULL, 0));
}

TEST(every_error_has_a_name_and_a_sentence) {
#define CHECK_ERROR(symbol, number, fatal, text)                       \
  CHECK_TEXT("HDHT_ERR_" #symbol, hdht_error_name(HDHT_ERR_##symbol)); \
  CHECK_TEXT(text, hdht_error_message(HDHT_ERR_##symbol));             \
  CHECK_INT(fatal, hdht_error_is_fatal(HDHT_ERR_##symbol));
  HDHT_ERRORS(CHECK_ERROR)
#undef CHECK_ERROR
  CHECK_TEXT("HDHT_OK", hdht_error_name(HDHT_OK));
  CHECK_TEXT("HDHT_ERR_UNKNOWN", hdht_error_name(-12345));
  CHECK_INT(0, hdht_error_is_fatal(HDHT_OK));
}

/* Recorded from hyperdht: the secret both sides seal their hole-punch messages with. */
TEST(api_keys_derive_from_a_handshake_and_a_namespace) {
  uint8_t hash[64], name_space[HDHT_HASH_SIZE], expected[HDHT_HASH_SIZE], derived[HDHT_HASH_SIZE];
  hd_test_hex(
      "390f08b1b078de2c7bb0830c7a8d8c4b4d75e1817adac33c94e4557e24aa5d2c"
      "0b046084f502b481c5e7aa58ef14819c49b4eadbbf42060ddca22f929ced74d2",
      hash, sizeof hash);
  hd_test_hex("4c194f39e3e79a5577e13de34eb524109b45d79f1218564b5bb2e0c5d27a66c3", expected, sizeof expected);
  CHECK_INT(HDHT_OK, hdht_namespace(HDHT_NAMESPACE_PEER_HOLEPUNCH, name_space));
  CHECK_INT(HDHT_OK, hdht_hash_keyed(hash, sizeof hash, name_space, sizeof name_space, derived));
  CHECK_BYTES(expected, derived, sizeof derived);
  CHECK_INT(HDHT_ERR_INVALID_ARGUMENT, hdht_hash_keyed(hash, 0, name_space, sizeof name_space, derived));
  CHECK_INT(HDHT_ERR_INVALID_ARGUMENT, hdht_hash_keyed(hash, 65, name_space, sizeof name_space, derived));
  CHECK_INT(HDHT_ERR_INVALID_ARGUMENT, hdht_hash_keyed(NULL, 64, name_space, sizeof name_space, derived));
  CHECK_INT(HDHT_ERR_INVALID_ARGUMENT, hdht_hash_keyed(hash, 64, NULL, 1, derived));
  CHECK_INT(HDHT_ERR_INVALID_ARGUMENT, hdht_hash_keyed(hash, 64, NULL, 0, NULL));
}

TEST(api_keys_know_the_namespaces_in_use) {
  const struct {
    uint32_t number;
    const char *hex;
  } cases[] = {
      {HDHT_NAMESPACE_PEER_HANDSHAKE, "14d6d4b49214ab1033ed204976caa258bae9e1e8543b9ad1fd996a910b0c4e3a"},
      {HDHT_NAMESPACE_PEER_HOLEPUNCH, "f1191cd5e67b10b54a507033280ed1ff0e12278268d5679c8f93d417210d168b"},
      {HDHT_NAMESPACE_ANNOUNCE, "36386adddf9f6fd60db83a6f42fc159d1146aa8644037664230aaa1f0179d497"},
      {HDHT_NAMESPACE_UNANNOUNCE, "ded293cd93fb395e756ecf5fff426529e72c36eacc22e5ed944d9099a2561e32"},
      {HDHT_NAMESPACE_MUTABLE_PUT, "668e823edd5ce7f5338d68bf1161f4a3c28ce437ee2ab49efd30d99366039b1e"},
  };
  uint8_t expected[HDHT_HASH_SIZE], actual[HDHT_HASH_SIZE];
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    hd_test_hex(cases[i].hex, expected, sizeof expected);
    CHECK_INT(HDHT_OK, hdht_namespace(cases[i].number, actual));
    CHECK_BYTES(expected, actual, sizeof actual);
  }
  CHECK_INT(HDHT_ERR_INVALID_ARGUMENT, hdht_namespace(2, actual));
  CHECK_INT(HDHT_ERR_INVALID_ARGUMENT, hdht_namespace(HDHT_NAMESPACE_ANNOUNCE, NULL));
}
