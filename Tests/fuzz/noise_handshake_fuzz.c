/* Hostile handshake messages to both roles, at every step. The first byte says which pattern, which side is attacked
 * and how many genuine messages went before; the rest are messages: two bytes of length (the top bit: change the
 * genuine message instead of replacing it), then their bytes.
 *
 * A message that is refused must leave the state as it was, so the genuine handshake always completes afterwards. */
#include <stdlib.h>
#include <string.h>

#include "base/byte_order.h"
#include "noise/noise_handshake.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MESSAGES_LIMIT 8 /* a scalar multiplication is slow */

static hd_exchange_key keys[2];

static void require(bool condition) {
  if (!condition) abort();
}

static void init_side(hd_noise_handshake *handshake, hd_noise_pattern pattern, int side) {
  uint8_t seed[HD_SEED_SIZE];
  memset(seed, side + 3, sizeof seed);
  const bool knows_remote = pattern == HD_NOISE_IK && side == 0;
  hd_noise_handshake_init(handshake,
                          &(hd_noise_options){.pattern = pattern,
                                              .is_initiator = side == 0,
                                              .static_key = &keys[side],
                                              .ephemeral_seed = seed,
                                              .remote_public_key = knows_remote ? keys[1].public_key : NULL});
}

/* Whoever has the turn writes; the other one's reading is left to the caller. */
static hd_noise_handshake *write_genuine(hd_noise_handshake sides[2], uint8_t *message, size_t *size) {
  const int writer = hd_noise_handshake_is_writing(&sides[0]) ? 0 : 1;
  require(hd_noise_handshake_write(&sides[writer], hd_bytes_of("payload", 7), message, 128, size) == HDHT_OK);
  return &sides[1 - writer];
}

static void read_genuine(hd_noise_handshake *reader, const uint8_t *message, size_t size) {
  uint8_t payload[128];
  size_t payload_size;
  require(hd_noise_handshake_read(reader, hd_bytes_of(message, size), payload, sizeof payload, &payload_size) ==
          HDHT_OK);
  require(payload_size == 7 && memcmp(payload, "payload", 7) == 0);
}

static void attack(const hd_noise_handshake *reader, const uint8_t *hostile, size_t size, const uint8_t *genuine,
                   size_t genuine_size) {
  hd_noise_handshake trial = *reader;
  uint8_t *payload = malloc(size + 1);
  size_t payload_size = 0;
  const int error = hd_noise_handshake_read(&trial, hd_bytes_of(hostile, size), payload, size, &payload_size);
  if (error != HDHT_OK) {
    require(error == HDHT_ERR_HANDSHAKE_LENGTH || error == HDHT_ERR_HANDSHAKE_KEY ||
            error == HDHT_ERR_HANDSHAKE_DECRYPTION || error == HDHT_ERR_HANDSHAKE_STATE);
    require(memcmp(&trial, reader, sizeof trial) == 0);
  } else {
    require(payload_size <= size);
    const bool is_unprotected = reader->pattern == HD_NOISE_XX && reader->messages_done == 0;
    require(is_unprotected || (size == genuine_size && memcmp(hostile, genuine, size) == 0));
    uint8_t reply[128];
    size_t reply_size;
    if (hd_noise_handshake_is_writing(&trial)) { /* against a key of the attacker's choice */
      (void)hd_noise_handshake_write(&trial, hd_bytes_of("x", 1), reply, sizeof reply, &reply_size);
    }
  }
  free(payload);
}

static void attack_with_each(const hd_noise_handshake *reader, const uint8_t *genuine, size_t genuine_size,
                             const uint8_t *data, size_t size) {
  for (int count = 0; size >= 2 && count < MESSAGES_LIMIT; count++) {
    const uint16_t head = hd_load_le16(data);
    data += 2, size -= 2;
    size_t length = head & 0x7fff;
    if (length > size) length = size;
    uint8_t *hostile = malloc(length + genuine_size);
    size_t hostile_size = length;
    memcpy(hostile, data, length);
    if ((head & 0x8000) != 0) { /* the genuine message with these bytes mixed in */
      memcpy(hostile, genuine, genuine_size);
      for (size_t i = 0; i < length && i < genuine_size; i++) hostile[i] ^= data[i];
      hostile_size = genuine_size;
    }
    attack(reader, hostile, hostile_size, genuine, genuine_size);
    free(hostile);
    data += length, size -= length;
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size < 1) return 0;
  for (uint8_t side = 0; side < 2 && keys[1].scalar[31] == 0; side++) {
    uint8_t seed[HD_SEED_SIZE];
    memset(seed, side + 1, sizeof seed);
    hd_exchange_key_from_seed(&keys[side], seed);
  }
  const hd_noise_pattern pattern = (data[0] & 1) != 0 ? HD_NOISE_XX : HD_NOISE_IK;
  const int messages_count = pattern == HD_NOISE_XX ? 3 : 2;
  const int attacked_message = (data[0] >> 1) % messages_count;
  hd_noise_handshake sides[2];
  for (int side = 0; side < 2; side++) init_side(&sides[side], pattern, side);

  for (int i = 0; i < messages_count; i++) {
    uint8_t message[128];
    size_t message_size;
    hd_noise_handshake *reader = write_genuine(sides, message, &message_size);
    if (i == attacked_message) attack_with_each(reader, message, message_size, data + 1, size - 1);
    read_genuine(reader, message, message_size);
  }
  const hd_noise_result *a = hd_noise_handshake_result(&sides[0]), *b = hd_noise_handshake_result(&sides[1]);
  require(a != NULL && b != NULL && memcmp(a->handshake_hash, b->handshake_hash, 64) == 0);
  require(memcmp(a->send_key, b->receive_key, 32) == 0 && memcmp(a->receive_key, b->send_key, 32) == 0);
  return 0;
}
