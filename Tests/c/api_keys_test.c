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
