#include <hdht/error.h>
#include <hdht/noise.h>
#include <string.h>

#include "test.h"

static const hdht_key_pair *key_pair_of(uint8_t fill) {
  static hdht_key_pair key_pairs[4];
  uint8_t seed[HDHT_SEED_SIZE];
  memset(seed, fill, sizeof seed);
  CHECK_INT(HDHT_OK, hdht_key_pair_from_seed(seed, &key_pairs[fill]));
  return &key_pairs[fill];
}

static hdht_noise_options options_of(uint32_t is_initiator, const hdht_allocator *allocator) {
  hdht_noise_options options;
  hdht_noise_options_init(&options, sizeof options);
  options.allocator = allocator;
  options.is_initiator = is_initiator;
  options.key_pair = key_pair_of(is_initiator ? 1 : 2);
  options.remote_public_key = is_initiator ? key_pair_of(2)->public_key : NULL;
  return options;
}

static bool complete_a_handshake(const hdht_allocator *allocator) {
  uint8_t prologue[HDHT_HASH_SIZE];
  CHECK_INT(HDHT_OK, hdht_namespace(HDHT_NAMESPACE_PEER_HANDSHAKE, prologue));
  hdht_noise *sides[2] = {NULL, NULL};
  bool succeeded = true;
  for (uint32_t i = 0; i < 2; i++) {
    hdht_noise_options options = options_of(i == 0, allocator);
    options.prologue = prologue;
    options.prologue_size = sizeof prologue;
    const int error = hdht_noise_create(&options, &sides[i]);
    if (error != HDHT_OK) {
      CHECK_INT(HDHT_ERR_OUT_OF_MEMORY, error);
      CHECK(sides[i] == NULL);
      succeeded = false;
    }
  }
  if (succeeded) {
    uint8_t message[200], payload[100], key[32];
    size_t size, payload_size;
    hdht_noise_result a, b;
    CHECK_INT(HDHT_ERR_INVALID_STATE, hdht_noise_remote_public_key(sides[1], key));
    CHECK_INT(HDHT_ERR_INVALID_STATE, hdht_noise_get_result(sides[1], &b));
    CHECK_UINT(96, hdht_noise_overhead(sides[0]));
    CHECK_INT(1, hdht_noise_is_writing(sides[0]));
    CHECK_INT(HDHT_OK, hdht_noise_write(sides[0], (const uint8_t *)"hello", 5, message, sizeof message, &size));
    CHECK_UINT(101, size);
    CHECK_INT(HDHT_OK, hdht_noise_read(sides[1], message, size, payload, sizeof payload, &payload_size));
    CHECK_UINT(5, payload_size);
    CHECK_BYTES("hello", payload, 5);
    CHECK_INT(HDHT_OK, hdht_noise_remote_public_key(sides[1], key));
    CHECK_BYTES(key_pair_of(1)->public_key, key, 32);
    CHECK_INT(HDHT_OK, hdht_noise_write(sides[1], NULL, 0, message, sizeof message, &size));
    message[40] ^= 1;
    CHECK_INT(HDHT_ERR_HANDSHAKE_DECRYPTION, hdht_noise_read(sides[0], message, size, NULL, 0, &payload_size));
    message[40] ^= 1;
    CHECK_INT(0, hdht_noise_is_complete(sides[0]));
    CHECK_INT(HDHT_OK, hdht_noise_read(sides[0], message, size, NULL, 0, &payload_size));
    CHECK_INT(1, hdht_noise_is_complete(sides[0]));
    CHECK_INT(HDHT_OK, hdht_noise_get_result(sides[0], &a));
    CHECK_INT(HDHT_OK, hdht_noise_get_result(sides[1], &b));
    CHECK_BYTES(a.send_key, b.receive_key, 32);
    CHECK_BYTES(a.handshake_hash, b.handshake_hash, 64);
    CHECK_BYTES(key_pair_of(2)->public_key, a.remote_public_key, 32);
  }
  hdht_noise_destroy(sides[0]);
  hdht_noise_destroy(sides[1]);
  return succeeded;
}

TEST(api_noise_completes_a_handshake) {
  hd_test_each_allocation_failure(complete_a_handshake);
}

TEST(api_noise_draws_a_new_ephemeral_key_for_each_handshake) {
  uint8_t messages[2][96];
  for (int i = 0; i < 2; i++) {
    const hdht_noise_options options = options_of(1, NULL);
    hdht_noise *noise;
    size_t size;
    CHECK_INT(HDHT_OK, hdht_noise_create(&options, &noise));
    CHECK_INT(HDHT_OK, hdht_noise_write(noise, NULL, 0, messages[i], 96, &size));
    hdht_noise_destroy(noise);
  }
  CHECK(memcmp(messages[0], messages[1], 32) != 0);
}

TEST(api_noise_refuses_options_that_make_no_sense) {
  hdht_noise *noise = NULL;
  CHECK_INT(HDHT_ERR_INVALID_ARGUMENT, hdht_noise_create(NULL, &noise));
  hdht_noise_options options = options_of(1, NULL);
  CHECK_INT(HDHT_ERR_INVALID_ARGUMENT, hdht_noise_create(&options, NULL));
  options.remote_public_key = NULL;
  CHECK_INT(HDHT_ERR_INVALID_ARGUMENT, hdht_noise_create(&options, &noise));
  options.pattern = HDHT_NOISE_XX;
  CHECK_INT(HDHT_OK, hdht_noise_create(&options, &noise));
  hdht_noise_destroy(noise);
  options.pattern = 2;
  CHECK_INT(HDHT_ERR_INVALID_ARGUMENT, hdht_noise_create(&options, &noise));
  options = options_of(0, NULL);
  options.remote_public_key = key_pair_of(1)->public_key;
  CHECK_INT(HDHT_ERR_INVALID_ARGUMENT, hdht_noise_create(&options, &noise));
  options = options_of(0, NULL);
  options.is_initiator = 2;
  CHECK_INT(HDHT_ERR_INVALID_ARGUMENT, hdht_noise_create(&options, &noise));
  options = options_of(0, NULL);
  options.key_pair = NULL;
  CHECK_INT(HDHT_ERR_INVALID_ARGUMENT, hdht_noise_create(&options, &noise));
  options = options_of(0, NULL);
  options.prologue_size = 1;
  CHECK_INT(HDHT_ERR_INVALID_ARGUMENT, hdht_noise_create(&options, &noise));
}

TEST(api_noise_checks_every_pointer) {
  const hdht_noise_options options = options_of(1, NULL);
  hdht_noise *noise;
  uint8_t bytes[96];
  size_t size;
  hdht_noise_result result;
  CHECK_INT(HDHT_OK, hdht_noise_create(&options, &noise));
  CHECK_INT(HDHT_ERR_INVALID_ARGUMENT, hdht_noise_write(NULL, NULL, 0, bytes, 96, &size));
  CHECK_INT(HDHT_ERR_INVALID_ARGUMENT, hdht_noise_write(noise, NULL, 1, bytes, 96, &size));
  CHECK_INT(HDHT_ERR_INVALID_ARGUMENT, hdht_noise_write(noise, NULL, 0, NULL, 96, &size));
  CHECK_INT(HDHT_ERR_INVALID_ARGUMENT, hdht_noise_write(noise, NULL, 0, bytes, 96, NULL));
  CHECK_INT(HDHT_ERR_INVALID_ARGUMENT, hdht_noise_read(NULL, bytes, 96, bytes, 96, &size));
  CHECK_INT(HDHT_ERR_INVALID_ARGUMENT, hdht_noise_read(noise, NULL, 96, bytes, 96, &size));
  CHECK_INT(HDHT_ERR_INVALID_ARGUMENT, hdht_noise_read(noise, bytes, 96, NULL, 96, &size));
  CHECK_INT(HDHT_ERR_INVALID_ARGUMENT, hdht_noise_read(noise, bytes, 96, bytes, 96, NULL));
  CHECK_INT(HDHT_ERR_INVALID_ARGUMENT, hdht_noise_remote_public_key(NULL, bytes));
  CHECK_INT(HDHT_ERR_INVALID_ARGUMENT, hdht_noise_remote_public_key(noise, NULL));
  CHECK_INT(HDHT_ERR_INVALID_ARGUMENT, hdht_noise_get_result(NULL, &result));
  CHECK_INT(HDHT_ERR_INVALID_ARGUMENT, hdht_noise_get_result(noise, NULL));
  CHECK_INT(0, hdht_noise_is_writing(NULL));
  CHECK_INT(0, hdht_noise_is_complete(NULL));
  CHECK_UINT(0, hdht_noise_overhead(NULL));
  hdht_noise_destroy(noise);
  hdht_noise_destroy(NULL);
}

TEST(api_noise_wipes_results) {
  const hdht_noise_result zeros = {{0}, {0}, {0}, {0}};
  hdht_noise_result result;
  memset(&result, 1, sizeof result);
  hdht_noise_result_wipe(&result);
  CHECK_BYTES(&zeros, &result, sizeof result);
  hdht_noise_result_wipe(NULL);
}
