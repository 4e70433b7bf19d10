#include "noise/noise_handshake.h"

#include <string.h>

#include "test.h"

/* Two sides with the seeds 01… (initiator) and 02… (responder), ephemeral seeds 03… and 04…. */
typedef struct pair {
  hd_exchange_key keys[2];
  hd_noise_handshake sides[2]; /* initiator, responder */
} pair;

enum { INITIATOR, RESPONDER };

static void init_pair(pair *both, hd_noise_pattern pattern, const char *prologue) {
  for (uint8_t side = INITIATOR; side <= RESPONDER; side++) {
    uint8_t seed[HD_SEED_SIZE];
    memset(seed, side + 1, sizeof seed);
    hd_exchange_key_from_seed(&both->keys[side], seed);
  }
  for (uint8_t side = INITIATOR; side <= RESPONDER; side++) {
    uint8_t seed[HD_SEED_SIZE];
    memset(seed, side + 3, sizeof seed);
    const bool knows_remote = pattern == HD_NOISE_IK && side == INITIATOR;
    hd_noise_handshake_init(
        &both->sides[side],
        &(hd_noise_options){.pattern = pattern,
                            .is_initiator = side == INITIATOR,
                            .static_key = &both->keys[side],
                            .ephemeral_seed = seed,
                            .remote_public_key = knows_remote ? both->keys[RESPONDER].public_key : NULL,
                            .prologue = hd_bytes_of(prologue, strlen(prologue))});
  }
}

typedef struct message {
  uint8_t bytes[256];
  size_t size;
} message;

static message write_message(hd_noise_handshake *handshake, const char *payload) {
  message written = {.size = 0};
  CHECK_INT(HDHT_OK, hd_noise_handshake_write(handshake, hd_bytes_of(payload, strlen(payload)), written.bytes,
                                              sizeof written.bytes, &written.size));
  return written;
}

static int read_message(hd_noise_handshake *handshake, const message *received) {
  uint8_t payload[256];
  size_t payload_size;
  return hd_noise_handshake_read(handshake, hd_bytes_of(received->bytes, received->size), payload, sizeof payload,
                                 &payload_size);
}

static void check_agreement(const pair *both) {
  const hd_noise_result *a = hd_noise_handshake_result(&both->sides[INITIATOR]);
  const hd_noise_result *b = hd_noise_handshake_result(&both->sides[RESPONDER]);
  REQUIRE(a != NULL && b != NULL);
  CHECK_BYTES(a->send_key, b->receive_key, 32);
  CHECK_BYTES(a->receive_key, b->send_key, 32);
  CHECK(memcmp(a->send_key, a->receive_key, 32) != 0);
  CHECK_BYTES(a->handshake_hash, b->handshake_hash, 64);
  CHECK_BYTES(both->keys[RESPONDER].public_key, a->remote_public_key, 32);
  CHECK_BYTES(both->keys[INITIATOR].public_key, b->remote_public_key, 32);
}

TEST(noise_ik_takes_two_messages) {
  pair both;
  init_pair(&both, HD_NOISE_IK, "prologue");
  CHECK_UINT(96, hd_noise_handshake_overhead(&both.sides[INITIATOR]));
  const message first = write_message(&both.sides[INITIATOR], "one");
  CHECK_UINT(99, first.size);
  CHECK(hd_noise_handshake_remote_public_key(&both.sides[RESPONDER]) == NULL);
  CHECK_INT(HDHT_OK, read_message(&both.sides[RESPONDER], &first));
  CHECK_BYTES(both.keys[INITIATOR].public_key, hd_noise_handshake_remote_public_key(&both.sides[RESPONDER]), 32);
  CHECK(hd_noise_handshake_result(&both.sides[RESPONDER]) == NULL);

  CHECK_UINT(48, hd_noise_handshake_overhead(&both.sides[RESPONDER]));
  const message second = write_message(&both.sides[RESPONDER], "");
  CHECK_UINT(48, second.size);
  CHECK_INT(HDHT_OK, read_message(&both.sides[INITIATOR], &second));
  CHECK_UINT(0, hd_noise_handshake_overhead(&both.sides[INITIATOR]));
  check_agreement(&both);
}

TEST(noise_xx_takes_three_messages) {
  pair both;
  init_pair(&both, HD_NOISE_XX, "");
  const message first = write_message(&both.sides[INITIATOR], "");
  CHECK_UINT(32, first.size);
  CHECK_INT(HDHT_OK, read_message(&both.sides[RESPONDER], &first));
  const message second = write_message(&both.sides[RESPONDER], "");
  CHECK_UINT(96, second.size);
  CHECK_INT(HDHT_OK, read_message(&both.sides[INITIATOR], &second));
  CHECK_BYTES(both.keys[RESPONDER].public_key, hd_noise_handshake_remote_public_key(&both.sides[INITIATOR]), 32);
  const message third = write_message(&both.sides[INITIATOR], "");
  CHECK_UINT(64, third.size);
  CHECK_INT(HDHT_OK, read_message(&both.sides[RESPONDER], &third));
  check_agreement(&both);
}

TEST(noise_refuses_a_call_out_of_turn) {
  pair both;
  init_pair(&both, HD_NOISE_IK, "");
  uint8_t buffer[200];
  size_t size;
  const hd_bytes none = hd_bytes_of(NULL, 0);
  hd_noise_handshake *initiator = &both.sides[INITIATOR], *responder = &both.sides[RESPONDER];
  CHECK(hd_noise_handshake_is_writing(initiator));
  CHECK(!hd_noise_handshake_is_writing(responder));
  CHECK_INT(HDHT_ERR_HANDSHAKE_STATE, hd_noise_handshake_read(initiator, none, buffer, sizeof buffer, &size));
  CHECK_INT(HDHT_ERR_HANDSHAKE_STATE, hd_noise_handshake_write(responder, none, buffer, sizeof buffer, &size));

  const message first = write_message(initiator, "");
  CHECK_INT(HDHT_ERR_HANDSHAKE_STATE, hd_noise_handshake_write(initiator, none, buffer, sizeof buffer, &size));
  CHECK_INT(HDHT_OK, read_message(responder, &first));
  CHECK_INT(HDHT_ERR_HANDSHAKE_STATE, read_message(responder, &first));

  const message second = write_message(responder, "");
  CHECK_INT(HDHT_OK, read_message(initiator, &second));
  for (int side = INITIATOR; side <= RESPONDER; side++) {
    CHECK(!hd_noise_handshake_is_writing(&both.sides[side]));
    CHECK_INT(HDHT_ERR_HANDSHAKE_STATE, read_message(&both.sides[side], &second));
    CHECK_INT(HDHT_ERR_HANDSHAKE_STATE,
              hd_noise_handshake_write(&both.sides[side], none, buffer, sizeof buffer, &size));
  }
}

/* Every byte changed, one after the other, every truncation and an appended byte: each is refused with its own error,
 * and the genuine message is still accepted. */
static void check_hostile_versions(hd_noise_handshake *reader, const message *genuine) {
  const hd_noise_handshake before = *reader;
  for (size_t i = 0; i < genuine->size; i++) {
    message changed = *genuine;
    changed.bytes[i] ^= 0x04;
    const int error = read_message(reader, &changed);
    CHECK(error == HDHT_ERR_HANDSHAKE_DECRYPTION || (i < 32 && error == HDHT_ERR_HANDSHAKE_KEY));
  }
  const size_t overhead = hd_noise_handshake_overhead(reader);
  for (size_t size = 0; size < genuine->size; size++) {
    message cut = *genuine;
    cut.size = size;
    CHECK_INT(size < overhead ? HDHT_ERR_HANDSHAKE_LENGTH : HDHT_ERR_HANDSHAKE_DECRYPTION, read_message(reader, &cut));
  }
  message longer = *genuine;
  longer.size++;
  CHECK_INT(HDHT_ERR_HANDSHAKE_DECRYPTION, read_message(reader, &longer));
  CHECK_BYTES(&before, reader, sizeof before);
  CHECK_INT(HDHT_OK, read_message(reader, genuine));
}

TEST(noise_ik_survives_forged_messages) {
  pair both;
  init_pair(&both, HD_NOISE_IK, "");
  const message first = write_message(&both.sides[INITIATOR], "hello");
  check_hostile_versions(&both.sides[RESPONDER], &first);
  const message second = write_message(&both.sides[RESPONDER], "hello");
  check_hostile_versions(&both.sides[INITIATOR], &second);
  check_agreement(&both);
}

TEST(noise_xx_survives_forged_messages) {
  pair both;
  init_pair(&both, HD_NOISE_XX, "");
  const message first = write_message(&both.sides[INITIATOR], "");
  CHECK_INT(HDHT_OK, read_message(&both.sides[RESPONDER], &first));
  const message second = write_message(&both.sides[RESPONDER], "hello");
  check_hostile_versions(&both.sides[INITIATOR], &second);
  const message third = write_message(&both.sides[INITIATOR], "");
  check_hostile_versions(&both.sides[RESPONDER], &third);
  check_agreement(&both);
}

TEST(noise_ik_with_another_prologue_or_responder_fails) {
  pair both, other;
  init_pair(&both, HD_NOISE_IK, "one");
  init_pair(&other, HD_NOISE_IK, "two");
  const message first = write_message(&both.sides[INITIATOR], "");
  CHECK_INT(HDHT_ERR_HANDSHAKE_DECRYPTION, read_message(&other.sides[RESPONDER], &first));
}

TEST(noise_write_refuses_an_unusable_remote_key_and_leaves_the_message_alone) {
  pair both;
  init_pair(&both, HD_NOISE_IK, "");
  static const uint8_t zero_key[32], seed[32];
  hd_noise_handshake handshake;
  hd_noise_handshake_init(&handshake, &(hd_noise_options){.pattern = HD_NOISE_IK,
                                                          .is_initiator = true,
                                                          .static_key = &both.keys[INITIATOR],
                                                          .ephemeral_seed = seed,
                                                          .remote_public_key = zero_key});
  uint8_t buffer[96] = {0xee};
  size_t size = 7;
  CHECK_INT(HDHT_ERR_HANDSHAKE_KEY,
            hd_noise_handshake_write(&handshake, hd_bytes_of(NULL, 0), buffer, sizeof buffer, &size));
  CHECK_UINT(0xee, buffer[0]);
  CHECK_UINT(7, size);
}

TEST(noise_needs_room_for_the_whole_message_and_payload) {
  pair both;
  init_pair(&both, HD_NOISE_IK, "");
  uint8_t buffer[101], payload[5];
  size_t size = 7;
  const hd_bytes hello = hd_bytes_of("hello", 5);
  CHECK_INT(HDHT_ERR_BUFFER_TOO_SMALL, hd_noise_handshake_write(&both.sides[INITIATOR], hello, buffer, 100, &size));
  CHECK_UINT(7, size);
  CHECK_INT(HDHT_OK, hd_noise_handshake_write(&both.sides[INITIATOR], hello, buffer, 101, &size));
  const hd_bytes sent = hd_bytes_of(buffer, size);
  CHECK_INT(HDHT_ERR_BUFFER_TOO_SMALL, hd_noise_handshake_read(&both.sides[RESPONDER], sent, payload, 4, &size));
  CHECK_UINT(101, size);
  CHECK_INT(HDHT_OK, hd_noise_handshake_read(&both.sides[RESPONDER], sent, payload, 5, &size));
  CHECK_UINT(5, size);
  CHECK_BYTES("hello", payload, 5);
}

TEST(noise_messages_end_at_65535_bytes) {
  static uint8_t buffer[70000], payload[70000];
  pair both;
  init_pair(&both, HD_NOISE_IK, "");
  size_t size;
  CHECK_INT(HDHT_ERR_HANDSHAKE_LENGTH, hd_noise_handshake_write(&both.sides[INITIATOR], hd_bytes_of(payload, 65440),
                                                                buffer, sizeof buffer, &size));
  CHECK_INT(HDHT_OK, hd_noise_handshake_write(&both.sides[INITIATOR], hd_bytes_of(payload, 65439), buffer,
                                              sizeof buffer, &size));
  CHECK_UINT(65535, size);
  CHECK_INT(HDHT_ERR_HANDSHAKE_LENGTH, hd_noise_handshake_read(&both.sides[RESPONDER], hd_bytes_of(buffer, 65536),
                                                               payload, sizeof payload, &size));
  CHECK_INT(HDHT_OK, hd_noise_handshake_read(&both.sides[RESPONDER], hd_bytes_of(buffer, 65535), payload,
                                             sizeof payload, &size));
  CHECK_UINT(65439, size);
}

TEST(noise_keeps_only_the_result_once_complete) {
  pair both;
  init_pair(&both, HD_NOISE_IK, "");
  const message first = write_message(&both.sides[INITIATOR], "");
  CHECK_INT(HDHT_OK, read_message(&both.sides[RESPONDER], &first));
  const message second = write_message(&both.sides[RESPONDER], "");
  CHECK_INT(HDHT_OK, read_message(&both.sides[INITIATOR], &second));
  for (int side = INITIATOR; side <= RESPONDER; side++) {
    static const hd_noise_handshake zero;
    hd_noise_handshake *handshake = &both.sides[side];
    CHECK_BYTES(&zero.symmetric, &handshake->symmetric, sizeof zero.symmetric);
    CHECK_BYTES(&zero.static_key, &handshake->static_key, sizeof zero.static_key);
    CHECK_BYTES(&zero.ephemeral_key, &handshake->ephemeral_key, sizeof zero.ephemeral_key);
    CHECK_BYTES(zero.ephemeral_seed, handshake->ephemeral_seed, sizeof zero.ephemeral_seed);
    hd_noise_handshake_destroy(handshake);
    CHECK_BYTES(&zero, handshake, sizeof zero);
  }
}
