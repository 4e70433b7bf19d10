/* Secret streams recorded from @hyperswarm/secret-stream: our side writes the recorded bytes and reads them, whole and
 * cut into two chunks at every byte. */
#include <stdlib.h>
#include <string.h>

#include "base/byte_order.h"
#include "crypto/hash.h"
#include "secretstream/secretstream.h"
#include "vectors.h"

#define CUTS_EVERYWHERE_LIMIT 3000 /* longer input is cut at its ends and at every 997th byte */

static const hd_time now = {1};

static const uint8_t *hex_member(const hd_json *object, const char *key, size_t expected_size) {
  size_t size;
  const uint8_t *bytes = hd_vector_hex(hd_json_get(object, key), &size);
  if (bytes == NULL || size != expected_size) hd_vector_fail("no %zu bytes of \"%s\"", expected_size, key);
  return bytes;
}

static bool is_text(const hd_json *object, const char *key, const char *expected) {
  return strcmp(hd_json_text(object, key, ""), expected) == 0;
}

static bool is_from_initiator(const hd_json *object) {
  return is_text(object, "from", "initiator");
}

static bool next_cut(size_t *cut, size_t size) {
  if (*cut >= size) return false;
  const bool is_everywhere = size <= CUTS_EVERYWHERE_LIMIT || *cut < 30 || *cut + 30 >= size;
  *cut += is_everywhere ? 1 : (size - 30 - *cut < 997 ? size - 30 - *cut : 997);
  return true;
}

/* --- streams --- */

static hd_secretstream make_stream(void) {
  hd_secretstream stream;
  hd_secretstream_init(&stream, &(hd_secretstream_options){.allocator = hd_allocator_system()});
  return stream;
}

static hd_secretstream start_recorded(const hd_json *keys, bool is_initiator) {
  hd_noise_result result = {.remote_public_key = {0}};
  memcpy(result.send_key, hex_member(keys, is_initiator ? "initiatorTx" : "initiatorRx", 32), 32);
  memcpy(result.receive_key, hex_member(keys, is_initiator ? "initiatorRx" : "initiatorTx", 32), 32);
  memcpy(result.handshake_hash, hex_member(keys, "handshakeHash", 64), 64);
  hd_secretstream_randomness randomness;
  memcpy(randomness.cipher_header, hex_member(keys, is_initiator ? "initiatorHeader" : "responderHeader", 24), 24);
  memcpy(randomness.counter_start,
         hex_member(keys, is_initiator ? "initiatorSendCounterStart" : "responderSendCounterStart", 8), 8);
  hd_secretstream stream = make_stream();
  VECTOR_CHECK(hd_secretstream_start(&stream, now, is_initiator, &result, &randomness) == HDHT_OK);
  return stream;
}

/* What a receiver made of some chunks; `messages` has each message behind its 4-byte length. */
typedef struct outcome {
  int error;
  bool is_opened;
  unsigned count;
  uint8_t *messages;
  size_t messages_size;
} outcome;

static void append_message(outcome *made, hd_bytes message) {
  made->messages = realloc(made->messages, made->messages_size + 4 + message.size);
  if (made->messages == NULL) abort();
  hd_store_le32(made->messages + made->messages_size, (uint32_t)message.size);
  if (message.size > 0) memcpy(made->messages + made->messages_size + 4, message.data, message.size);
  made->messages_size += 4 + message.size;
  made->count++;
}

static void feed(hd_secretstream *stream, hd_bytes bytes, outcome *made) {
  if (made->error != HDHT_OK) return;
  uint8_t *chunk = malloc(bytes.size + 1);
  if (bytes.size > 0) memcpy(chunk, bytes.data, bytes.size);
  for (size_t offset = 0;;) {
    size_t consumed;
    hd_secretstream_event event;
    made->error = hd_secretstream_receive(stream, now, chunk + offset, bytes.size - offset, &consumed, &event);
    if (made->error != HDHT_OK || event.kind == HD_SECRETSTREAM_NONE) break;
    if (event.kind == HD_SECRETSTREAM_OPENED) made->is_opened = true;
    if (event.kind == HD_SECRETSTREAM_MESSAGE) append_message(made, event.message);
    offset += consumed;
  }
  free(chunk);
}

static void feed_cut(hd_secretstream *stream, hd_bytes bytes, size_t cut, outcome *made) {
  feed(stream, hd_bytes_of(bytes.data, cut), made);
  feed(stream, hd_bytes_of(bytes.data + cut, bytes.size - cut), made);
}

static void forget(outcome *made) {
  free(made->messages);
  *made = (outcome){.error = HDHT_OK};
}

static bool is_only_message(const outcome *made, hd_bytes expected) {
  return made->error == HDHT_OK && made->count == 1 && made->messages_size == 4 + expected.size &&
         (expected.size == 0 || memcmp(made->messages + 4, expected.data, expected.size) == 0);
}

static hd_bytes take_output(hd_secretstream *stream) {
  uint8_t *output = hd_vector_scratch(HD_SECRETSTREAM_OUTPUT_SIZE_MAX);
  size_t size = 0;
  VECTOR_CHECK(hd_secretstream_take_output(stream, output, HD_SECRETSTREAM_OUTPUT_SIZE_MAX, &size) == HDHT_OK);
  return hd_bytes_of(output, size);
}

static hd_bytes write_frame(hd_secretstream *stream, hd_bytes message) {
  const size_t capacity = message.size + HD_SECRETSTREAM_OVERHEAD;
  uint8_t *frame = hd_vector_scratch(capacity);
  size_t size = 0;
  VECTOR_CHECK(hd_secretstream_write(stream, now, message, frame, capacity, &size) == HDHT_OK);
  VECTOR_CHECK(size == capacity);
  return hd_bytes_of(frame, size);
}

static void exchange_headers(const hd_json *item, hd_secretstream sides[2]) {
  static const char *const frames[] = {"initiatorHeaderFrame", "responderHeaderFrame"};
  for (int side = 0; side < 2; side++) {
    const hd_bytes header = take_output(&sides[side]);
    if (hd_json_get(item, frames[side]) != NULL) {
      hd_vector_check_hex(hd_json_get(item, frames[side]), header.data, header.size, frames[side]);
    }
    outcome made = {.error = HDHT_OK};
    feed(&sides[1 - side], header, &made);
    VECTOR_CHECK(made.error == HDHT_OK && sides[1 - side].phase == HD_SECRETSTREAM_MESSAGES);
  }
}

/* --- kind: frames --- */

static hd_bytes plaintext_of(const hd_json *frame) {
  size_t size;
  const uint8_t *recorded = hd_vector_hex(hd_json_get(frame, "plaintext"), &size);
  if (recorded != NULL) return hd_bytes_of(recorded, size);
  VECTOR_CHECK(is_text(frame, "plaintextRule", "byte i = (7*i+3) mod 256"));
  size = hd_json_integer(frame, "length", 0);
  uint8_t *bytes = hd_vector_scratch(size);
  for (size_t i = 0; i < size; i++) bytes[i] = (uint8_t)(7 * i + 3);
  return hd_bytes_of(bytes, size);
}

static void check_frame_bytes(const hd_json *recorded, hd_bytes frame) {
  if (hd_json_get(recorded, "hex") != NULL) {
    hd_vector_check_hex(hd_json_get(recorded, "hex"), frame.data, frame.size, "frame");
    return;
  }
  uint8_t hash[HD_HASH_SIZE];
  hd_hash(frame.data, frame.size, hash);
  VECTOR_CHECK(frame.size == hd_json_integer(recorded, "hexLength", 0));
  hd_vector_check_hex(hd_json_get(recorded, "hexFirst64"), frame.data, 64, "first bytes");
  hd_vector_check_hex(hd_json_get(recorded, "hexLast32"), frame.data + frame.size - 32, 32, "last bytes");
  hd_vector_check_hex(hd_json_get(recorded, "blake2b256"), hash, sizeof hash, "BLAKE2b-256 of the frame");
}

/* The receiver is between two frames, so a copy of it with an empty reader is a receiver too. */
static void check_frame_cut_anywhere(const hd_secretstream *receiver, hd_bytes frame, hd_bytes plaintext) {
  size_t cut = 0;
  do {
    hd_secretstream trial = *receiver;
    hd_secretstream_frame_reader_init(&trial.reader, hd_allocator_system());
    outcome made = {.error = HDHT_OK};
    feed_cut(&trial, frame, cut, &made);
    if (!VECTOR_CHECK(is_only_message(&made, plaintext))) hd_vector_fail("cut at %zu", cut);
    forget(&made);
    hd_secretstream_destroy(&trial);
  } while (next_cut(&cut, frame.size));
}

static void check_frames(const hd_json *item) {
  const hd_json *keys = hd_json_get(item, "keys");
  hd_secretstream sides[2] = {start_recorded(keys, true), start_recorded(keys, false)};
  exchange_headers(item, sides);
  HD_JSON_EACH(recorded, hd_json_get(item, "frames")) {
    hd_secretstream *sender = &sides[is_from_initiator(recorded) ? 0 : 1];
    hd_secretstream *receiver = &sides[is_from_initiator(recorded) ? 1 : 0];
    const hd_bytes plaintext = plaintext_of(recorded), frame = write_frame(sender, plaintext);
    check_frame_bytes(recorded, frame);
    if (plaintext.size < 100000) check_frame_cut_anywhere(receiver, frame, plaintext);
    outcome made = {.error = HDHT_OK};
    feed(receiver, frame, &made);
    VECTOR_CHECK(is_only_message(&made, plaintext));
    forget(&made);
  }
  hd_secretstream_destroy(&sides[0]);
  hd_secretstream_destroy(&sides[1]);
}

/* --- kind: datagrams --- */

static void check_datagrams(const hd_json *item) {
  const hd_json *keys = hd_json_get(item, "keys");
  hd_secretstream sides[2] = {start_recorded(keys, true), start_recorded(keys, false)};
  hd_vector_check_hex(hd_json_get(item, "initiatorSendKey"), sides[0].datagrams.send_key, 32, "initiatorSendKey");
  hd_vector_check_hex(hd_json_get(item, "responderSendKey"), sides[1].datagrams.send_key, 32, "responderSendKey");
  HD_JSON_EACH(recorded, hd_json_get(item, "datagrams")) {
    hd_secretstream *sender = &sides[is_from_initiator(recorded) ? 0 : 1];
    const bool to_initiator =
        hd_json_get(recorded, "to") != NULL ? is_text(recorded, "to", "initiator") : !is_from_initiator(recorded);
    size_t size, sealed_size = 0, plaintext_size;
    const uint8_t *wire = hd_vector_hex(hd_json_get(recorded, "hex"), &size);
    const uint8_t *plaintext = hd_vector_hex(hd_json_get(recorded, "plaintext"), &plaintext_size);
    uint8_t *sealed = hd_vector_scratch(plaintext_size + HD_SECRETSTREAM_DATAGRAM_OVERHEAD);
    VECTOR_CHECK(hd_secretstream_seal_datagram(sender, hd_bytes_of(plaintext, plaintext_size), sealed,
                                               plaintext_size + HD_SECRETSTREAM_DATAGRAM_OVERHEAD,
                                               &sealed_size) == HDHT_OK);
    const bool is_refused = hd_json_get(recorded, "error") != NULL;
    if (is_refused) {
      VECTOR_CHECK(memcmp(sealed, wire, HD_SECRETSTREAM_COUNTER_SIZE) == 0);
    } else {
      hd_vector_check_hex(hd_json_get(recorded, "hex"), sealed, sealed_size, "datagram");
    }

    uint8_t *copy = hd_vector_scratch(size);
    memcpy(copy, wire, size);
    hd_bytes opened;
    const int error = hd_secretstream_open_datagram(&sides[to_initiator ? 0 : 1], copy, size, &opened);
    VECTOR_CHECK(error == (is_refused ? HDHT_ERR_DECRYPTION : HDHT_OK));
    if (!is_refused) VECTOR_CHECK(hd_bytes_equal(opened, hd_bytes_of(plaintext, plaintext_size)));
  }
  hd_secretstream_destroy(&sides[0]);
  hd_secretstream_destroy(&sides[1]);
}

/* --- kind: keepalive --- */

static void check_keep_alive(const hd_json *item) {
  const hd_json *keys = hd_json_get(item, "keys");
  hd_secretstream sides[2] = {start_recorded(keys, true), start_recorded(keys, false)};
  const hd_bytes header = take_output(&sides[0]);
  hd_vector_check_hex(hd_json_get(item, "headerFrame"), header.data, header.size, "headerFrame");
  hd_secretstream_set_keep_alive(&sides[0], now, HD_MILLISECONDS(5000));
  VECTOR_CHECK(hd_secretstream_elapse(&sides[0], hd_secretstream_deadline(&sides[0])) == HDHT_OK);
  const hd_bytes frame = take_output(&sides[0]);
  hd_vector_check_hex(hd_json_get(item, "hex"), frame.data, frame.size, "keep-alive frame");

  const bool receiver_keeps_alive = strstr(hd_json_text(item, "name", ""), "keepAlive 5000") != NULL;
  if (receiver_keeps_alive) hd_secretstream_set_keep_alive(&sides[1], now, HD_MILLISECONDS(5000));
  outcome made = {.error = HDHT_OK};
  feed(&sides[1], header, &made);
  feed(&sides[1], frame, &made);
  VECTOR_CHECK(made.error == HDHT_OK);
  VECTOR_CHECK(made.count == hd_json_count(hd_json_get(item, "receiverEmits")));
  VECTOR_CHECK(made.messages_size == 4 * made.count);
  forget(&made);
  hd_secretstream_destroy(&sides[0]);
  hd_secretstream_destroy(&sides[1]);
}

/* --- kind: receive --- */

static int expected_error(const hd_json *item) {
  const char *text = hd_json_text(item, "error", "");
  /* The reference notices a frame of no bytes only with the next byte; here it is refused at once. */
  const char *name = hd_json_text(item, "name", "");
  if (strstr(text, "Invalid header message received") != NULL || strcmp(name, "header frame of 0 bytes") == 0) {
    return HDHT_ERR_STREAM_HEADER_LENGTH;
  }
  if (strstr(text, "Invalid header received") != NULL) return HDHT_ERR_STREAM_HEADER_IDENTITY;
  if (strstr(text, "Invalid message received") != NULL || strcmp(name, "frame of 0 bytes") == 0) {
    return HDHT_ERR_STREAM_MESSAGE;
  }
  if (strstr(text, "pull failed") != NULL) return HDHT_ERR_STREAM_DECRYPTION;
  return HDHT_OK;
}

/* The recorder kept the chunks until the end, and the reference decrypts in place, so frames it accepted are recorded
 * with their plaintext between the right tag byte and MAC. Encrypting the plaintext again must give those and restores
 * the frame. */
static void restore_frames(const hd_json *item, uint8_t *all, size_t all_size) {
  hd_secretstream sender = start_recorded(hd_json_get(item, "keys"), true);
  (void)take_output(&sender);
  HD_JSON_EACH(text, hd_json_get(item, "plaintexts")) {
    size_t size;
    const uint8_t *plaintext = hd_vector_hex(text, &size);
    const hd_bytes frame = write_frame(&sender, hd_bytes_of(plaintext, size));
    for (size_t at = 0; at + frame.size <= all_size; at++) {
      uint8_t *body = all + at + HD_SECRETSTREAM_MESSAGE_OFFSET;
      if (memcmp(body, plaintext, size) != 0) continue;
      memcpy(body, frame.data + HD_SECRETSTREAM_MESSAGE_OFFSET, size);
      VECTOR_CHECK(memcmp(all + at, frame.data, frame.size) == 0);
    }
  }
  hd_secretstream_destroy(&sender);
}

static void check_received(const hd_json *item, const outcome *made) {
  if (!VECTOR_CHECK(made->error == expected_error(item))) hd_vector_fail("got %s", hdht_error_name(made->error));
  const hd_json *expected = hd_json_get(item, "received");
  if (made->error == HDHT_OK) VECTOR_CHECK(made->count == hd_json_count(expected));
  /* Before an error the reference drops what it has decrypted and not yet delivered; here it was delivered. */
  if (made->error != HDHT_OK) expected = hd_json_get(item, "plaintexts");
  const uint8_t *next = made->messages;
  for (size_t i = 0; i < made->count; i++) {
    const size_t size = hd_load_le32(next);
    hd_vector_check_hex(hd_json_at(expected, i), next + 4, size, "received");
    next += 4 + size;
  }
}

static void check_receive(const hd_json *item) {
  const hd_json *keys = hd_json_get(item, "keys");
  const bool is_initiator = is_text(item, "receiver", "initiator");
  size_t size, offset = 0, cut = 0;
  const uint8_t *recorded = hd_vector_hex(hd_json_get(item, "hex"), &size);
  uint8_t *all = hd_vector_scratch(size);
  memcpy(all, recorded, size);
  restore_frames(item, all, size);

  hd_secretstream stream = start_recorded(keys, is_initiator);
  outcome made = {.error = HDHT_OK};
  HD_JSON_EACH(chunk, hd_json_get(item, "chunks")) {
    if (strcmp(chunk->text, "END") == 0) {
      VECTOR_CHECK(hd_secretstream_receive_end(&stream) == HDHT_OK);
      VECTOR_CHECK(hd_secretstream_is_open(&stream) && !hd_secretstream_is_closed(&stream));
      continue;
    }
    feed(&stream, hd_bytes_of(all + offset, chunk->text_size / 2), &made);
    offset += chunk->text_size / 2;
  }
  VECTOR_CHECK(offset == size);
  check_received(item, &made);
  if (is_text(item, "name", "replayed frame")) VECTOR_CHECK(made.count == 1);
  forget(&made);
  hd_secretstream_destroy(&stream);

  do {
    stream = start_recorded(keys, is_initiator);
    feed_cut(&stream, hd_bytes_of(all, size), cut, &made);
    check_received(item, &made);
    forget(&made);
    hd_secretstream_destroy(&stream);
  } while (next_cut(&cut, size));
}

/* --- kind: stream --- */

/* All bytes that one side put on the wire. */
static hd_bytes wire_of(const hd_json *item, bool from_initiator) {
  uint8_t *all = hd_vector_scratch(4096);
  size_t all_size = 0;
  HD_JSON_EACH(recorded, hd_json_get(item, "wire")) {
    size_t size;
    const uint8_t *bytes = hd_vector_hex(hd_json_get(recorded, "hex"), &size);
    if (is_from_initiator(recorded) != from_initiator) continue;
    memcpy(all + all_size, bytes, size);
    all_size += size;
  }
  return hd_bytes_of(all, all_size);
}

/* The random bytes of a side's header, read off its recorded header frame, the only one of 59 bytes. */
static void copy_cipher_header(const hd_json *item, bool from_initiator, uint8_t cipher_header[24]) {
  HD_JSON_EACH(recorded, hd_json_get(item, "wire")) {
    size_t size;
    const uint8_t *bytes = hd_vector_hex(hd_json_get(recorded, "hex"), &size);
    if (is_from_initiator(recorded) == from_initiator && size == 59) memcpy(cipher_header, bytes + 35, 24);
  }
}

static hd_secretstream start_whole(const hd_json *item, bool is_initiator) {
  const hd_noise_pattern pattern = is_text(item, "pattern", "IK") ? HD_NOISE_IK : HD_NOISE_XX;
  hd_exchange_key key;
  hd_exchange_key_from_seed(&key, hex_member(item, is_initiator ? "initiatorSeed" : "responderSeed", 32));
  hd_vector_check_hex(hd_json_get(item, is_initiator ? "initiatorPublicKey" : "responderPublicKey"), key.public_key, 32,
                      "public key");
  const bool knows_remote = pattern == HD_NOISE_IK && is_initiator;
  const hd_noise_options noise = {
      .pattern = pattern,
      .is_initiator = is_initiator,
      .static_key = &key,
      .ephemeral_seed = hex_member(item, is_initiator ? "initiatorEphemeralSeed" : "responderEphemeralSeed", 32),
      .remote_public_key = knows_remote ? hex_member(item, "responderPublicKey", 32) : NULL};
  hd_secretstream_randomness randomness = {.cipher_header = {0}};
  copy_cipher_header(item, is_initiator, randomness.cipher_header);
  hd_secretstream stream = make_stream();
  VECTOR_CHECK(hd_secretstream_start_handshake(&stream, now, &noise, &randomness) == HDHT_OK);
  return stream;
}

static void append(uint8_t *to, size_t *to_size, hd_bytes bytes) {
  memcpy(to + *to_size, bytes.data, bytes.size);
  *to_size += bytes.size;
}

/* One side alone against everything the other side sent, cut in two somewhere. */
static void check_side(const hd_json *item, bool is_initiator, size_t cut) {
  const char *own = is_initiator ? "initiator" : "responder", *other = is_initiator ? "responder" : "initiator";
  const hd_json *texts = hd_json_get(item, "lastPlaintexts");
  const hd_bytes incoming = wire_of(item, !is_initiator), outgoing = wire_of(item, is_initiator);
  size_t plaintext_size, sent_size = 0;
  uint8_t sent[1024];
  hd_secretstream stream = start_whole(item, is_initiator);
  append(sent, &sent_size, take_output(&stream));
  outcome made = {.error = HDHT_OK};
  feed(&stream, hd_bytes_of(incoming.data, cut), &made);
  append(sent, &sent_size, take_output(&stream));
  feed(&stream, hd_bytes_of(incoming.data + cut, incoming.size - cut), &made);
  append(sent, &sent_size, take_output(&stream));
  VECTOR_CHECK(made.is_opened);
  hd_vector_check_hex(hd_json_get(item, "handshakeHash"), stream.handshake_hash, 64, "handshakeHash");
  hd_vector_check_hex(hd_json_get(item, is_initiator ? "responderPublicKey" : "initiatorPublicKey"),
                      stream.remote_public_key, 32, "remote public key");
  const uint8_t *plaintext = hd_vector_hex(hd_json_get(texts, own), &plaintext_size);
  append(sent, &sent_size, write_frame(&stream, hd_bytes_of(plaintext, plaintext_size)));
  VECTOR_CHECK(hd_bytes_equal(hd_bytes_of(sent, sent_size), outgoing));
  plaintext = hd_vector_hex(hd_json_get(texts, other), &plaintext_size);
  VECTOR_CHECK(is_only_message(&made, hd_bytes_of(plaintext, plaintext_size)));
  forget(&made);
  hd_secretstream_destroy(&stream);
}

static void check_whole_stream(const hd_json *item) {
  for (int side = 0; side < 2; side++) {
    const size_t size = wire_of(item, side == 1).size;
    for (size_t cut = 0; cut <= size; cut++) check_side(item, side == 0, cut);
  }
}

/* --- kind: id --- */

static void check_id(const hd_json *item) {
  uint8_t id[HD_SECRETSTREAM_ID_SIZE];
  hd_secretstream_id(hex_member(item, "handshakeHash", 64), true, id);
  hd_vector_check_hex(hd_json_get(item, "initiator"), id, sizeof id, "initiator");
  hd_secretstream_id(hex_member(item, "handshakeHash", 64), false, id);
  hd_vector_check_hex(hd_json_get(item, "responder"), id, sizeof id, "responder");
}

static void check_case(const hd_json *item) {
  if (is_text(item, "kind", "frames")) check_frames(item);
  if (is_text(item, "kind", "datagrams")) check_datagrams(item);
  if (is_text(item, "kind", "keepalive")) check_keep_alive(item);
  if (is_text(item, "kind", "receive")) check_receive(item);
  if (is_text(item, "kind", "stream")) check_whole_stream(item);
  if (is_text(item, "kind", "id")) check_id(item);
}

VECTOR_FILE("secret-stream.json", check_case)
