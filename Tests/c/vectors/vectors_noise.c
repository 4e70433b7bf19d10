/* Handshakes recorded from noise-handshake: our side plays each role against the recorded bytes. */
#include <string.h>

#include "crypto/namespace.h"
#include "noise/noise_handshake.h"
#include "vectors.h"

static const uint8_t *hex_member(const hd_json *object, const char *key, size_t expected_size) {
  size_t size;
  const uint8_t *bytes = hd_vector_hex(hd_json_get(object, key), &size);
  if (bytes == NULL || size != expected_size) hd_vector_fail("no %zu bytes of \"%s\"", expected_size, key);
  return bytes;
}

static void check_exchange(const hd_json *item) {
  static const char *const seeds[] = {"aSeed", "bSeed"};
  static const char *const publics[] = {"aPublicKey", "bPublicKey"};
  hd_exchange_key keys[2];
  for (int i = 0; i < 2; i++) {
    hd_exchange_key_from_seed(&keys[i], hex_member(item, seeds[i], 32));
    hd_vector_check_hex(hd_json_get(item, publics[i]), keys[i].public_key, 32, publics[i]);
  }
  for (int i = 0; i < 2; i++) {
    uint8_t shared[32];
    VECTOR_CHECK(hd_key_exchange(&keys[i], keys[1 - i].public_key, shared) == HDHT_OK);
    hd_vector_check_hex(hd_json_get(item, "shared"), shared, 32, "shared");
  }
}

static void init_side(hd_noise_handshake *handshake, const hd_json *item, bool is_initiator) {
  const hd_json *side = hd_json_get(item, is_initiator ? "initiator" : "responder");
  hd_key_pair key_pair;
  hd_key_pair_from_seed(&key_pair, hex_member(side, "staticSeed", 32));
  hd_vector_check_hex(hd_json_get(side, "staticPublicKey"), key_pair.public_key, 32, "staticPublicKey");
  hd_vector_check_hex(hd_json_get(side, "staticSecretKey"), key_pair.secret_key, 64, "staticSecretKey");
  hd_exchange_key static_key;
  hd_exchange_key_from_key_pair(&static_key, &key_pair);

  const hd_noise_pattern pattern = strcmp(hd_json_text(item, "pattern", ""), "IK") == 0 ? HD_NOISE_IK : HD_NOISE_XX;
  const uint8_t *remote = NULL;
  if (pattern == HD_NOISE_IK && is_initiator) {
    remote = hd_json_get(item, "initiatorBelievesResponderKey") != NULL
                 ? hex_member(item, "initiatorBelievesResponderKey", 32)
                 : hex_member(hd_json_get(item, "responder"), "staticPublicKey", 32);
  }
  size_t prologue_size;
  const uint8_t *prologue = hd_vector_hex(hd_json_get(item, "prologue"), &prologue_size);
  hd_noise_handshake_init(handshake, &(hd_noise_options){.pattern = pattern,
                                                         .is_initiator = is_initiator,
                                                         .static_key = &static_key,
                                                         .ephemeral_seed = hex_member(side, "ephemeralSeed", 32),
                                                         .remote_public_key = remote,
                                                         .prologue = hd_bytes_of(prologue, prologue_size)});
}

static void check_hash_after(const hd_json *expected, const hd_noise_handshake *handshake) {
  if (expected == NULL) return;
  const hd_noise_result *result = hd_noise_handshake_result(handshake);
  hd_vector_check_hex(expected, result != NULL ? result->handshake_hash : handshake->symmetric.hash, 64, "hashAfter");
}

static int expected_error(const char *text) {
  if (strstr(text, "status: -1") != NULL) return HDHT_ERR_HANDSHAKE_KEY;
  if (strstr(text, "could not verify data") != NULL) return HDHT_ERR_HANDSHAKE_DECRYPTION;
  return HDHT_ERR_HANDSHAKE_LENGTH; /* "Insufficient bytes", or a negative allocation */
}

static void check_refused(hd_noise_handshake *reader, hd_bytes delivered, const char *error_text) {
  const hd_noise_handshake before = *reader;
  uint8_t *payload = hd_vector_scratch(delivered.size);
  size_t payload_size;
  const int error = hd_noise_handshake_read(reader, delivered, payload, delivered.size, &payload_size);
  if (!VECTOR_CHECK(error == expected_error(error_text))) hd_vector_fail("got %s", hdht_error_name(error));
  VECTOR_CHECK(memcmp(&before, reader, sizeof before) == 0);
}

/* No shorter message passes, and none spoils the state. Only the first message of XX has a payload without a MAC. */
static void check_truncations_are_refused(const hd_noise_handshake *reader, hd_bytes delivered) {
  if (reader->pattern == HD_NOISE_XX && reader->messages_done == 0) delivered.size = 32;
  uint8_t *payload = hd_vector_scratch(delivered.size);
  for (size_t size = 0; size < delivered.size; size++) {
    hd_noise_handshake trial = *reader;
    size_t payload_size;
    const hd_bytes cut = hd_bytes_of(delivered.data, size);
    VECTOR_CHECK(hd_noise_handshake_read(&trial, cut, payload, delivered.size, &payload_size) != HDHT_OK);
    VECTOR_CHECK(memcmp(&trial, reader, sizeof trial) == 0);
  }
}

static void check_accepted(hd_noise_handshake *reader, hd_bytes delivered, const hd_json *recorded) {
  check_truncations_are_refused(reader, delivered);
  uint8_t *payload = hd_vector_scratch(delivered.size);
  size_t payload_size = 0;
  VECTOR_CHECK(hd_noise_handshake_read(reader, delivered, payload, delivered.size, &payload_size) == HDHT_OK);
  hd_vector_check_hex(hd_json_get(recorded, "receivedPayload"), payload, payload_size, "receivedPayload");
  const hd_json *chaining_key = hd_json_get(recorded, "chainingKeyAfter");
  if (chaining_key != NULL && !reader->is_complete) {
    hd_vector_check_hex(chaining_key, reader->symmetric.chaining_key, 64, "chainingKeyAfter");
  }
  if (!reader->is_complete) check_hash_after(hd_json_get(recorded, "hashAfter"), reader);
}

static void check_message(hd_noise_handshake *writer, hd_noise_handshake *reader, const hd_json *recorded) {
  size_t payload_size, genuine_size, delivered_size, size = 0;
  const uint8_t *payload = hd_vector_hex(hd_json_get(recorded, "payload"), &payload_size);
  const uint8_t *genuine = hd_vector_hex(hd_json_get(recorded, "hex"), &genuine_size);
  uint8_t *message = hd_vector_scratch(genuine_size);
  VECTOR_CHECK(payload_size + hd_noise_handshake_overhead(writer) == genuine_size);
  VECTOR_CHECK(hd_noise_handshake_write(writer, hd_bytes_of(payload, payload_size), message, genuine_size, &size) ==
               HDHT_OK);
  hd_vector_check_hex(hd_json_get(recorded, "hex"), message, size, "message");
  check_hash_after(hd_json_get(recorded, "hashAfter"), writer);

  const char *error_text = hd_json_text(recorded, "error", NULL);
  if (error_text == NULL) {
    check_accepted(reader, hd_bytes_of(genuine, genuine_size), recorded);
    return;
  }
  const uint8_t *delivered = genuine;
  delivered_size = genuine_size;
  const bool is_altered = hd_json_get(recorded, "delivered") != NULL;
  if (is_altered) delivered = hd_vector_hex(hd_json_get(recorded, "delivered"), &delivered_size);
  check_refused(reader, hd_bytes_of(delivered, delivered_size), error_text);
  if (is_altered) { /* the genuine message is still welcome */
    uint8_t *read = hd_vector_scratch(genuine_size);
    VECTOR_CHECK(hd_noise_handshake_read(reader, hd_bytes_of(genuine, genuine_size), read, genuine_size, &size) ==
                 HDHT_OK);
    VECTOR_CHECK(size == payload_size && (size == 0 || memcmp(read, payload, size) == 0));
  }
}

static void check_result(const hd_json *item, const char *role, const hd_noise_handshake *handshake) {
  const hd_json *side = hd_json_get(item, role);
  const hd_noise_result *result = hd_noise_handshake_result(handshake);
  if (!VECTOR_CHECK(result != NULL)) return;
  hd_vector_check_hex(hd_json_get(side, "tx"), result->send_key, 32, "tx");
  hd_vector_check_hex(hd_json_get(side, "rx"), result->receive_key, 32, "rx");
  hd_vector_check_hex(hd_json_get(side, "handshakeHash"), result->handshake_hash, 64, "handshakeHash");
  hd_vector_check_hex(hd_json_get(side, "remoteStatic"), result->remote_public_key, 32, "remoteStatic");

  uint8_t derived[32];
  const hd_json *ids = hd_json_get(item, "streamIds");
  hd_namespace_keyed(result->handshake_hash, hd_namespace_initiator, derived);
  hd_vector_check_hex(hd_json_get(ids, "initiator"), derived, 32, "stream id of the initiator");
  hd_namespace_keyed(result->handshake_hash, hd_namespace_responder, derived);
  hd_vector_check_hex(hd_json_get(ids, "responder"), derived, 32, "stream id of the responder");
  hd_namespace_keyed(result->handshake_hash, hd_namespace_peer_holepunch, derived);
  hd_vector_check_hex(hd_json_get(item, "holepunchSecret"), derived, 32, "holepunchSecret");
}

static void check_case(const hd_json *item) {
  if (strcmp(hd_json_text(item, "kind", ""), "dh") == 0) {
    check_exchange(item);
    return;
  }
  hd_noise_handshake initiator, responder;
  init_side(&initiator, item, true);
  init_side(&responder, item, false);
  HD_JSON_EACH(message, hd_json_get(item, "messages")) {
    const bool from_initiator = strcmp(hd_json_text(message, "from", ""), "initiator") == 0;
    check_message(from_initiator ? &initiator : &responder, from_initiator ? &responder : &initiator, message);
  }
  if (hd_json_get(item, "error") != NULL) return;
  check_result(item, "initiator", &initiator);
  check_result(item, "responder", &responder);
}

VECTOR_FILE("noise.json", check_case)
