#include "secretstream/secretstream.h"

#include <stdlib.h>
#include <string.h>

#include "test.h"

enum { INITIATOR, RESPONDER };

static const hd_time start_time = {1000000};

static hd_time at_ms(uint64_t ms) {
  return hd_time_add(start_time, HD_MILLISECONDS(ms));
}

static hd_secretstream make_stream(const hd_allocator *allocator, uint32_t message_size_limit) {
  hd_secretstream stream;
  hd_secretstream_init(&stream,
                       &(hd_secretstream_options){.allocator = allocator, .message_size_limit = message_size_limit});
  return stream;
}

static hd_secretstream_randomness randomness_of(int side) {
  hd_secretstream_randomness randomness;
  memset(&randomness, side + 0x11, sizeof randomness);
  return randomness;
}

static hd_noise_result result_of(int side) {
  hd_noise_result result = {.handshake_hash = {5}, .remote_public_key = {6}};
  memset(result.send_key, side == INITIATOR ? 1 : 2, sizeof result.send_key);
  memset(result.receive_key, side == INITIATOR ? 2 : 1, sizeof result.receive_key);
  return result;
}

static void start_finished(hd_secretstream *stream, int side) {
  const hd_noise_result result = result_of(side);
  const hd_secretstream_randomness randomness = randomness_of(side);
  CHECK_INT(HDHT_OK, hd_secretstream_start(stream, start_time, side == INITIATOR, &result, &randomness));
}

static hd_exchange_key static_key_of(int side) {
  uint8_t seed[32];
  memset(seed, side + 1, sizeof seed);
  hd_exchange_key key;
  hd_exchange_key_from_seed(&key, seed);
  return key;
}

static int start_handshake(hd_secretstream *stream, hd_noise_pattern pattern, int side) {
  uint8_t ephemeral_seed[32];
  memset(ephemeral_seed, side + 3, sizeof ephemeral_seed);
  const hd_exchange_key key = static_key_of(side), responder = static_key_of(RESPONDER);
  const hd_secretstream_randomness randomness = randomness_of(side);
  const bool knows_remote = pattern == HD_NOISE_IK && side == INITIATOR;
  return hd_secretstream_start_handshake(
      stream, start_time,
      &(hd_noise_options){.pattern = pattern,
                          .is_initiator = side == INITIATOR,
                          .static_key = &key,
                          .ephemeral_seed = ephemeral_seed,
                          .remote_public_key = knows_remote ? responder.public_key : NULL},
      &randomness);
}

/* What a stream made of some bytes. */
typedef struct received {
  int error;
  unsigned opened;
  unsigned messages;
  char text[256]; /* the messages, each followed by '|' */
  size_t text_size;
} received;

static void receive(hd_secretstream *stream, hd_time now, const uint8_t *bytes, size_t size, received *into) {
  uint8_t *chunk = malloc(size + 1); /* exactly as large as needed, so that a sanitizer sees a step outside */
  if (size > 0) memcpy(chunk, bytes, size);
  size_t offset = 0;
  for (;;) {
    size_t consumed = 0;
    hd_secretstream_event event = {.kind = HD_SECRETSTREAM_NONE};
    into->error = hd_secretstream_receive(stream, now, chunk + offset, size - offset, &consumed, &event);
    offset += consumed;
    if (into->error != HDHT_OK || event.kind == HD_SECRETSTREAM_NONE) break;
    if (event.kind == HD_SECRETSTREAM_OPENED) into->opened++;
    if (event.kind != HD_SECRETSTREAM_MESSAGE) continue;
    into->messages++;
    if (into->text_size + event.message.size + 1 > sizeof into->text) continue;
    memcpy(into->text + into->text_size, event.message.data, event.message.size);
    into->text_size += event.message.size;
    into->text[into->text_size++] = '|';
  }
  if (into->error == HDHT_OK) CHECK_UINT(size, offset);
  free(chunk);
}

/* Bytes on their way. */
typedef struct wire {
  uint8_t bytes[4096];
  size_t size;
} wire;

static void take_output(hd_secretstream *stream, wire *to) {
  size_t size = 0;
  CHECK_INT(HDHT_OK, hd_secretstream_take_output(stream, to->bytes + to->size, sizeof to->bytes - to->size, &size));
  to->size += size;
}

static void write_text(hd_secretstream *stream, hd_time now, const char *text, wire *to) {
  size_t size = 0;
  CHECK_INT(HDHT_OK, hd_secretstream_write(stream, now, hd_bytes_of(text, strlen(text)), to->bytes + to->size,
                                           sizeof to->bytes - to->size, &size));
  to->size += size;
}

/* Carries output back and forth until both sides are silent. */
static void pump(hd_secretstream sides[2], received results[2]) {
  for (;;) {
    size_t moved = 0;
    for (int side = INITIATOR; side <= RESPONDER; side++) {
      wire on_wire = {.size = 0};
      take_output(&sides[side], &on_wire);
      if (on_wire.size > 0) receive(&sides[1 - side], start_time, on_wire.bytes, on_wire.size, &results[1 - side]);
      moved += on_wire.size;
    }
    if (moved == 0) return;
  }
}

static void destroy_both(hd_secretstream sides[2]) {
  hd_secretstream_destroy(&sides[INITIATOR]);
  hd_secretstream_destroy(&sides[RESPONDER]);
}

static void start_both_finished(hd_secretstream sides[2]) {
  received results[2] = {{0}, {0}};
  for (int side = INITIATOR; side <= RESPONDER; side++) {
    sides[side] = make_stream(hd_allocator_system(), 0);
    start_finished(&sides[side], side);
  }
  pump(sides, results);
}

static void check_text(const char *expected, const received *actual) {
  CHECK_UINT(strlen(expected), actual->text_size);
  if (actual->text_size == strlen(expected)) CHECK_BYTES(expected, actual->text, actual->text_size);
}

static void check_exchange(hd_secretstream sides[2]) {
  for (int side = INITIATOR; side <= RESPONDER; side++) {
    wire on_wire = {.size = 0};
    received result = {0};
    write_text(&sides[side], start_time, "hello", &on_wire);
    write_text(&sides[side], start_time, "", &on_wire);
    write_text(&sides[side], start_time, "world", &on_wire);
    receive(&sides[1 - side], start_time, on_wire.bytes, on_wire.size, &result);
    CHECK_INT(HDHT_OK, result.error);
    check_text("hello||world|", &result);
  }
}

TEST(secretstream_carries_messages_after_a_finished_handshake) {
  hd_secretstream sides[2];
  for (int side = INITIATOR; side <= RESPONDER; side++) {
    sides[side] = make_stream(hd_allocator_system(), 0);
    CHECK(!hd_secretstream_is_open(&sides[side]));
    start_finished(&sides[side], side);
    CHECK(hd_secretstream_is_open(&sides[side]));
    CHECK_UINT(59, sides[side].output_size);
    CHECK_UINT(6, sides[side].remote_public_key[0]);
  }
  received results[2] = {{0}, {0}};
  pump(sides, results);
  CHECK_UINT(0, results[INITIATOR].opened);
  check_exchange(sides);
  CHECK_UINT(3 * 20 + 10, sides[INITIATOR].bytes_written);
  CHECK_UINT(3 * 17 + 10, sides[INITIATOR].bytes_read);
  destroy_both(sides);
}

static void check_handshake(hd_noise_pattern pattern) {
  hd_secretstream sides[2];
  for (int side = INITIATOR; side <= RESPONDER; side++) {
    sides[side] = make_stream(hd_allocator_system(), 0);
    CHECK_INT(HDHT_OK, start_handshake(&sides[side], pattern, side));
    CHECK(!hd_secretstream_is_open(&sides[side]));
  }
  received results[2] = {{0}, {0}};
  pump(sides, results);
  for (int side = INITIATOR; side <= RESPONDER; side++) {
    const hd_exchange_key other = static_key_of(1 - side);
    CHECK(hd_secretstream_is_open(&sides[side]));
    CHECK_UINT(1, results[side].opened);
    CHECK_BYTES(other.public_key, sides[side].remote_public_key, 32);
    CHECK(sides[side].handshake == NULL);
  }
  CHECK_BYTES(sides[INITIATOR].handshake_hash, sides[RESPONDER].handshake_hash, 64);
  check_exchange(sides);
  destroy_both(sides);
}

TEST(secretstream_makes_the_handshake_itself) {
  check_handshake(HD_NOISE_XX);
  check_handshake(HD_NOISE_IK);
}

/* The responder's side of the whole XX conversation, cut in two at every byte. */
TEST(secretstream_handshake_may_be_cut_anywhere) {
  hd_secretstream initiator = make_stream(hd_allocator_system(), 0);
  hd_secretstream recorder = make_stream(hd_allocator_system(), 0);
  wire first = {.size = 0}, reply = {.size = 0}, rest = {.size = 0};
  received result = {0};
  CHECK_INT(HDHT_OK, start_handshake(&initiator, HD_NOISE_XX, INITIATOR));
  CHECK_INT(HDHT_OK, start_handshake(&recorder, HD_NOISE_XX, RESPONDER));
  take_output(&initiator, &first);
  CHECK_UINT(35, first.size);
  receive(&recorder, start_time, first.bytes, first.size, &result);
  take_output(&recorder, &reply);
  CHECK_UINT(99, reply.size);
  receive(&initiator, start_time, reply.bytes, reply.size, &result);
  CHECK_UINT(1, result.opened);
  take_output(&initiator, &rest);
  CHECK_UINT(67 + 59, rest.size);
  write_text(&initiator, start_time, "hello", &rest);
  wire all = first;
  memcpy(all.bytes + all.size, rest.bytes, rest.size);
  all.size += rest.size;

  for (size_t cut = 0; cut <= all.size; cut++) {
    hd_secretstream responder = make_stream(hd_allocator_system(), 0);
    received got = {0};
    CHECK_INT(HDHT_OK, start_handshake(&responder, HD_NOISE_XX, RESPONDER));
    receive(&responder, start_time, all.bytes, cut, &got);
    CHECK_INT(HDHT_OK, got.error);
    receive(&responder, start_time, all.bytes + cut, all.size - cut, &got);
    CHECK_INT(HDHT_OK, got.error);
    CHECK_UINT(1, got.opened);
    check_text("hello|", &got);
    CHECK_UINT(99 + 59, responder.output_size); /* both answers may wait */
    hd_secretstream_destroy(&responder);
  }
  hd_secretstream_destroy(&initiator);
  hd_secretstream_destroy(&recorder);
}

/* Bytes read before the start are the first to be received after it, and an early end the first end. */
TEST(secretstream_started_late_takes_what_was_read_before) {
  hd_secretstream sender = make_stream(hd_allocator_system(), 0), receiver = make_stream(hd_allocator_system(), 0);
  wire early = {.size = 0};
  start_finished(&sender, INITIATOR);
  take_output(&sender, &early);
  write_text(&sender, start_time, "early", &early);

  size_t consumed;
  hd_secretstream_event event;
  CHECK_INT(HDHT_ERR_INVALID_STATE,
            hd_secretstream_receive(&receiver, start_time, early.bytes, early.size, &consumed, &event));
  CHECK_INT(HDHT_ERR_INVALID_STATE, hd_secretstream_receive_end(&receiver));
  hd_secretstream_set_keep_alive(&receiver, start_time, HD_MILLISECONDS(5000));
  hd_secretstream_set_timeout(&receiver, start_time, HD_MILLISECONDS(9000));
  CHECK(hd_time_is_never(hd_secretstream_deadline(&receiver)));

  const hd_noise_result result = result_of(RESPONDER);
  const hd_secretstream_randomness randomness = randomness_of(RESPONDER);
  CHECK_INT(HDHT_OK, hd_secretstream_start(&receiver, at_ms(100), false, &result, &randomness));
  CHECK_UINT(at_ms(5100).us, receiver.keep_alive_at.us);
  CHECK_UINT(at_ms(9100).us, receiver.timeout_at.us);
  received got = {0};
  receive(&receiver, at_ms(200), early.bytes, early.size, &got);
  check_text("early|", &got);
  CHECK_UINT(at_ms(9200).us, receiver.timeout_at.us);
  CHECK_INT(HDHT_OK, hd_secretstream_receive_end(&receiver));
  CHECK(!hd_secretstream_is_closed(&receiver));
  CHECK_INT(HDHT_ERR_INVALID_STATE, hd_secretstream_start(&receiver, start_time, false, &result, &randomness));
  CHECK_INT(HDHT_ERR_INVALID_STATE, start_handshake(&receiver, HD_NOISE_XX, RESPONDER));
  hd_secretstream_destroy(&sender);
  hd_secretstream_destroy(&receiver);
}

TEST(secretstream_lends_a_message_from_the_chunk_it_came_in) {
  hd_secretstream sides[2];
  start_both_finished(sides);
  wire on_wire = {.size = 0};
  write_text(&sides[INITIATOR], start_time, "one", &on_wire);
  write_text(&sides[INITIATOR], start_time, "two", &on_wire);
  size_t consumed;
  hd_secretstream_event event;
  CHECK_INT(HDHT_OK,
            hd_secretstream_receive(&sides[RESPONDER], start_time, on_wire.bytes, on_wire.size, &consumed, &event));
  CHECK_UINT(23, consumed); /* the second message can wait as long as its reader likes */
  CHECK(event.message.data == on_wire.bytes + 4);
  CHECK_BYTES("one", event.message.data, 3);
  destroy_both(sides);
}

TEST(secretstream_writes_in_place) {
  hd_secretstream sides[2];
  start_both_finished(sides);
  hd_secretstream twin = sides[INITIATOR];
  uint8_t apart[25], frame[25];
  size_t size;
  CHECK_INT(HDHT_OK, hd_secretstream_write(&twin, start_time, hd_bytes_of("hello", 5), apart, 25, &size));
  memcpy(frame + HD_SECRETSTREAM_MESSAGE_OFFSET, "hello", 5);
  const hd_bytes in_place = hd_bytes_of(frame + HD_SECRETSTREAM_MESSAGE_OFFSET, 5);
  CHECK_INT(HDHT_OK, hd_secretstream_write(&sides[INITIATOR], start_time, in_place, frame, 25, &size));
  CHECK_UINT(25, size);
  CHECK_BYTES(apart, frame, 25);
  destroy_both(sides);
}

TEST(secretstream_write_needs_an_open_stream_room_and_a_sendable_size) {
  static uint8_t frame[HD_SECRETSTREAM_MESSAGE_SIZE_MAX + HD_SECRETSTREAM_OVERHEAD];
  hd_secretstream stream = make_stream(hd_allocator_system(), 0);
  const hd_bytes hello = hd_bytes_of("hello", 5);
  size_t size = 7;
  CHECK_INT(HDHT_ERR_INVALID_STATE, hd_secretstream_write(&stream, start_time, hello, frame, sizeof frame, &size));
  CHECK_INT(HDHT_ERR_INVALID_STATE, hd_secretstream_end(&stream));
  start_finished(&stream, INITIATOR);
  CHECK_INT(HDHT_ERR_INVALID_STATE, hd_secretstream_write(&stream, start_time, hello, frame, sizeof frame, &size));
  CHECK_INT(HDHT_ERR_BUFFER_TOO_SMALL, hd_secretstream_take_output(&stream, frame, 58, &size));
  CHECK_INT(HDHT_OK, hd_secretstream_take_output(&stream, frame, 59, &size));
  CHECK_UINT(59, size);
  CHECK_INT(HDHT_OK, hd_secretstream_take_output(&stream, NULL, 0, &size));
  CHECK_UINT(0, size);

  size = 7;
  CHECK_INT(HDHT_ERR_BUFFER_TOO_SMALL, hd_secretstream_write(&stream, start_time, hello, frame, 24, &size));
  const hd_bytes longest = hd_bytes_of(frame + 4, HD_SECRETSTREAM_MESSAGE_SIZE_MAX);
  const hd_bytes too_long = hd_bytes_of(frame + 4, HD_SECRETSTREAM_MESSAGE_SIZE_MAX + 1);
  CHECK_INT(HDHT_ERR_TOO_LARGE, hd_secretstream_write(&stream, start_time, too_long, frame, SIZE_MAX, &size));
  CHECK_UINT(7, size);
  CHECK_INT(HDHT_OK, hd_secretstream_write(&stream, start_time, longest, frame, sizeof frame, &size));
  CHECK_UINT(16777218, size);
  CHECK_UINT(0xff, frame[0]);
  CHECK_UINT(0xff, frame[2]);
  hd_secretstream_destroy(&stream);
}

TEST(secretstream_refuses_messages_beyond_its_limit) {
  for (uint32_t size = 10; size <= 11; size++) {
    hd_secretstream sender = make_stream(hd_allocator_system(), 0), receiver = make_stream(hd_allocator_system(), 10);
    wire on_wire = {.size = 0};
    received got = {0};
    start_finished(&sender, INITIATOR);
    start_finished(&receiver, RESPONDER);
    take_output(&sender, &on_wire);
    write_text(&sender, start_time, &"0123456789x"[11 - size], &on_wire);
    receive(&receiver, start_time, on_wire.bytes, on_wire.size, &got);
    CHECK_INT(size == 10 ? HDHT_OK : HDHT_ERR_STREAM_TOO_LARGE, got.error);
    hd_secretstream_destroy(&sender);
    hd_secretstream_destroy(&receiver);
  }
}

/* A failed stream keeps no key and answers everything with the same error. */
static void check_failed(hd_secretstream *stream, int error) {
  static const hd_secretstream zero;
  uint8_t buffer[256];
  size_t size;
  hd_secretstream_event event;
  hd_bytes payload;
  const hd_bytes none = hd_bytes_of(NULL, 0);
  CHECK(hd_secretstream_is_closed(stream));
  CHECK(!hd_secretstream_is_open(stream));
  CHECK_INT(error, hd_secretstream_receive(stream, start_time, buffer, 1, &size, &event));
  CHECK_INT(error, hd_secretstream_receive_end(stream));
  CHECK_INT(error, hd_secretstream_write(stream, start_time, none, buffer, sizeof buffer, &size));
  CHECK_INT(error, hd_secretstream_take_output(stream, buffer, sizeof buffer, &size));
  CHECK_INT(error, hd_secretstream_end(stream));
  CHECK_INT(error, hd_secretstream_elapse(stream, at_ms(1000000)));
  CHECK_INT(error, hd_secretstream_seal_datagram(stream, none, buffer, sizeof buffer, &size));
  CHECK_INT(error, hd_secretstream_open_datagram(stream, buffer, 24, &payload));
  CHECK(hd_time_is_never(hd_secretstream_deadline(stream)));
  hd_secretstream_set_timeout(stream, start_time, HD_SECONDS(1));
  hd_secretstream_set_keep_alive(stream, start_time, HD_SECONDS(1));
  CHECK(hd_time_is_never(hd_secretstream_deadline(stream)));
  CHECK_BYTES(&zero.send_cipher, &stream->send_cipher, sizeof zero.send_cipher);
  CHECK_BYTES(&zero.receive_cipher, &stream->receive_cipher, sizeof zero.receive_cipher);
  CHECK_BYTES(zero.receive_key, stream->receive_key, sizeof zero.receive_key);
  CHECK_BYTES(&zero.datagrams, &stream->datagrams, sizeof zero.datagrams);
  CHECK(stream->handshake == NULL);
  CHECK(stream->reader.buffer == NULL);
}

TEST(secretstream_fails_for_good_when_a_message_was_changed) {
  for (size_t i = 3; i < 25; i++) {
    hd_secretstream sides[2];
    start_both_finished(sides);
    wire on_wire = {.size = 0};
    received got = {0};
    write_text(&sides[INITIATOR], start_time, "hello", &on_wire);
    on_wire.bytes[i] ^= 1;
    receive(&sides[RESPONDER], start_time, on_wire.bytes, on_wire.size, &got);
    CHECK_INT(HDHT_ERR_STREAM_DECRYPTION, got.error);
    CHECK_UINT(0, got.messages);
    check_failed(&sides[RESPONDER], HDHT_ERR_STREAM_DECRYPTION);
    destroy_both(sides);
  }
}

TEST(secretstream_refuses_repeated_and_skipped_messages) {
  const int orders[][2] = {{0, 0}, {1, 0}, {0, 2}};
  for (size_t i = 0; i < sizeof orders / sizeof orders[0]; i++) {
    hd_secretstream sides[2];
    start_both_finished(sides);
    wire frames[3];
    for (int k = 0; k < 3; k++) {
      frames[k].size = 0;
      write_text(&sides[INITIATOR], start_time, "hello", &frames[k]);
    }
    received got = {0};
    for (int k = 0; k < 2; k++) {
      const wire *frame = &frames[orders[i][k]];
      receive(&sides[RESPONDER], start_time, frame->bytes, frame->size, &got);
    }
    CHECK_INT(HDHT_ERR_STREAM_DECRYPTION, got.error);
    CHECK_UINT(orders[i][0] == 0, got.messages);
    destroy_both(sides);
  }
}

/* A sender may change the key with libsodium's REKEY tag; @hyperswarm/secret-stream never does, and follows if asked.
 */
TEST(secretstream_follows_a_new_key) {
  hd_secretstream sides[2];
  start_both_finished(sides);
  /* The counter of the cipher's nonce follows the 32-byte key; at zero libsodium changes the key by itself. */
  for (int i = 0; i < 4; i++) {
    sides[INITIATOR].send_cipher.opaque[32 + i] = 0xff;
    sides[RESPONDER].receive_cipher.opaque[32 + i] = 0xff;
  }
  const hd_stream_cipher before = sides[INITIATOR].send_cipher;
  wire on_wire = {.size = 0};
  received got = {0};
  write_text(&sides[INITIATOR], start_time, "old key", &on_wire);
  CHECK(memcmp(before.opaque, sides[INITIATOR].send_cipher.opaque, 32) != 0);
  write_text(&sides[INITIATOR], start_time, "new key", &on_wire);
  receive(&sides[RESPONDER], start_time, on_wire.bytes, on_wire.size, &got);
  check_text("old key|new key|", &got);
  destroy_both(sides);
}

TEST(secretstream_names_what_is_wrong_with_a_frame) {
  const struct {
    uint8_t prefix[3];
    bool in_header_phase;
    int error;
  } cases[] = {
      {{0, 0, 0}, true, HDHT_ERR_STREAM_HEADER_LENGTH},  {{55, 0, 0}, true, HDHT_ERR_STREAM_HEADER_LENGTH},
      {{57, 0, 0}, true, HDHT_ERR_STREAM_HEADER_LENGTH}, {{0, 0, 0}, false, HDHT_ERR_STREAM_MESSAGE},
      {{16, 0, 0}, false, HDHT_ERR_STREAM_MESSAGE},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    hd_secretstream sides[2];
    received got = {0};
    start_both_finished(sides);
    if (cases[i].in_header_phase) {
      hd_secretstream_destroy(&sides[RESPONDER]);
      sides[RESPONDER] = make_stream(hd_allocator_system(), 0);
      start_finished(&sides[RESPONDER], RESPONDER);
    }
    receive(&sides[RESPONDER], start_time, cases[i].prefix, 3, &got);
    CHECK_INT(cases[i].error, got.error);
    check_failed(&sides[RESPONDER], cases[i].error);
    destroy_both(sides);
  }
}

TEST(secretstream_names_what_is_wrong_with_a_handshake) {
  const struct {
    uint8_t bytes[3 + 32];
    size_t size;
    int side;
    int error;
  } cases[] = {
      {{0, 0, 0}, 3, RESPONDER, HDHT_ERR_HANDSHAKE_LENGTH},  {{31, 0, 0}, 3, RESPONDER, HDHT_ERR_HANDSHAKE_LENGTH},
      {{33, 0, 0}, 3, RESPONDER, HDHT_ERR_HANDSHAKE_LENGTH}, {{32, 0, 0}, 35, RESPONDER, HDHT_ERR_HANDSHAKE_KEY},
      {{0, 0, 1}, 3, RESPONDER, HDHT_ERR_HANDSHAKE_LENGTH},  {{95, 0, 0}, 3, INITIATOR, HDHT_ERR_HANDSHAKE_LENGTH},
      {{97, 0, 0}, 3, INITIATOR, HDHT_ERR_HANDSHAKE_LENGTH},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    hd_secretstream stream = make_stream(hd_allocator_system(), 0);
    received got = {0};
    CHECK_INT(HDHT_OK, start_handshake(&stream, HD_NOISE_XX, cases[i].side));
    receive(&stream, start_time, cases[i].bytes, cases[i].size, &got);
    CHECK_INT(cases[i].error, got.error);
    check_failed(&stream, cases[i].error);
    hd_secretstream_destroy(&stream);
  }
}

TEST(secretstream_started_with_an_unusable_remote_key_fails) {
  static const uint8_t zeros[32];
  const hd_exchange_key key = static_key_of(INITIATOR);
  const hd_secretstream_randomness randomness = randomness_of(INITIATOR);
  hd_secretstream stream = make_stream(hd_allocator_system(), 0);
  const hd_noise_options noise = {.pattern = HD_NOISE_IK,
                                  .is_initiator = true,
                                  .static_key = &key,
                                  .ephemeral_seed = zeros,
                                  .remote_public_key = zeros};
  CHECK_INT(HDHT_ERR_HANDSHAKE_KEY, hd_secretstream_start_handshake(&stream, start_time, &noise, &randomness));
  check_failed(&stream, HDHT_ERR_HANDSHAKE_KEY);
  hd_secretstream_destroy(&stream);
}

TEST(secretstream_sends_a_keep_alive_when_it_wrote_nothing) {
  hd_secretstream sides[2];
  start_both_finished(sides);
  wire on_wire = {.size = 0};
  hd_secretstream *sender = &sides[INITIATOR];
  hd_secretstream_set_keep_alive(sender, start_time, HD_MILLISECONDS(5000));
  CHECK_UINT(at_ms(5000).us, hd_secretstream_deadline(sender).us);
  CHECK_INT(HDHT_OK, hd_secretstream_elapse(sender, at_ms(4999)));
  CHECK_UINT(0, sender->output_size);
  write_text(sender, at_ms(4000), "x", &on_wire);
  CHECK_UINT(at_ms(9000).us, hd_secretstream_deadline(sender).us);

  CHECK_INT(HDHT_OK, hd_secretstream_elapse(sender, at_ms(9001)));
  CHECK_UINT(20, sender->output_size);
  CHECK_UINT(at_ms(14001).us, hd_secretstream_deadline(sender).us);
  CHECK_INT(HDHT_OK, hd_secretstream_elapse(sender, at_ms(14001)));
  CHECK_UINT(20, sender->output_size); /* one that still waits is enough */
  take_output(sender, &on_wire);

  received got = {0};
  receive(&sides[RESPONDER], start_time, on_wire.bytes, on_wire.size, &got);
  check_text("x||", &got); /* delivered, because this side has no keep-alive */
  hd_secretstream_set_keep_alive(sender, at_ms(20000), (hd_duration){0});
  CHECK(hd_time_is_never(hd_secretstream_deadline(sender)));
  destroy_both(sides);
}

TEST(secretstream_with_keep_alive_swallows_empty_messages_until_it_ends) {
  hd_secretstream sides[2];
  start_both_finished(sides);
  wire on_wire = {.size = 0};
  received got = {0};
  hd_secretstream_set_keep_alive(&sides[RESPONDER], start_time, HD_MILLISECONDS(5000));
  write_text(&sides[INITIATOR], start_time, "", &on_wire);
  write_text(&sides[INITIATOR], start_time, "x", &on_wire);
  receive(&sides[RESPONDER], start_time, on_wire.bytes, on_wire.size, &got);
  check_text("x|", &got);
  CHECK_INT(HDHT_OK, hd_secretstream_end(&sides[RESPONDER]));
  CHECK(hd_time_is_never(hd_secretstream_deadline(&sides[RESPONDER])));
  on_wire.size = 0;
  write_text(&sides[INITIATOR], start_time, "", &on_wire);
  receive(&sides[RESPONDER], start_time, on_wire.bytes, on_wire.size, &got);
  check_text("x||", &got);
  destroy_both(sides);
}

TEST(secretstream_times_out_when_nothing_is_received) {
  hd_secretstream sides[2];
  start_both_finished(sides);
  hd_secretstream *stream = &sides[RESPONDER];
  wire on_wire = {.size = 0};
  received got = {0};
  hd_secretstream_set_timeout(stream, start_time, HD_MILLISECONDS(3000));
  receive(stream, at_ms(2000), (const uint8_t *)"\x11", 1, &got); /* any byte counts, a whole message or not */
  CHECK_UINT(at_ms(5000).us, hd_secretstream_deadline(stream).us);
  write_text(stream, at_ms(4000), "x", &on_wire);
  CHECK_UINT(at_ms(5000).us, hd_secretstream_deadline(stream).us);
  CHECK_INT(HDHT_OK, hd_secretstream_elapse(stream, at_ms(4999)));
  CHECK_INT(HDHT_ERR_STREAM_TIMED_OUT, hd_secretstream_elapse(stream, at_ms(5000)));
  check_failed(stream, HDHT_ERR_STREAM_TIMED_OUT);
  destroy_both(sides);
}

TEST(secretstream_times_out_during_the_handshake) {
  hd_secretstream stream = make_stream(hd_allocator_system(), 0);
  hd_secretstream_set_timeout(&stream, start_time, HD_MILLISECONDS(3000));
  hd_secretstream_set_keep_alive(&stream, start_time, HD_MILLISECONDS(1000));
  CHECK_INT(HDHT_OK, start_handshake(&stream, HD_NOISE_XX, RESPONDER));
  CHECK_UINT(at_ms(3000).us, hd_secretstream_deadline(&stream).us); /* nothing can be kept alive before it is open */
  CHECK_INT(HDHT_ERR_STREAM_TIMED_OUT, hd_secretstream_elapse(&stream, at_ms(3000)));
  check_failed(&stream, HDHT_ERR_STREAM_TIMED_OUT);
  hd_secretstream_destroy(&stream);
}

TEST(secretstream_directions_end_independently) {
  hd_secretstream sides[2];
  start_both_finished(sides);
  wire on_wire = {.size = 0};
  received got = {0};
  uint8_t frame[64];
  size_t size;
  hd_secretstream_event event;
  CHECK_INT(HDHT_OK, hd_secretstream_end(&sides[INITIATOR]));
  CHECK_INT(HDHT_OK, hd_secretstream_end(&sides[INITIATOR]));
  CHECK_INT(HDHT_ERR_ENDED,
            hd_secretstream_write(&sides[INITIATOR], start_time, hd_bytes_of("x", 1), frame, sizeof frame, &size));
  CHECK_INT(HDHT_OK, hd_secretstream_receive_end(&sides[RESPONDER]));
  CHECK_INT(HDHT_ERR_INVALID_STATE, hd_secretstream_receive_end(&sides[RESPONDER]));
  CHECK_INT(HDHT_ERR_INVALID_STATE, hd_secretstream_receive(&sides[RESPONDER], start_time, frame, 1, &size, &event));

  write_text(&sides[RESPONDER], start_time, "still here", &on_wire);
  receive(&sides[INITIATOR], start_time, on_wire.bytes, on_wire.size, &got);
  check_text("still here|", &got);
  CHECK(!hd_secretstream_is_closed(&sides[INITIATOR]));
  CHECK(!hd_secretstream_is_closed(&sides[RESPONDER]));
  CHECK_INT(HDHT_OK, hd_secretstream_end(&sides[RESPONDER]));
  CHECK_INT(HDHT_OK, hd_secretstream_receive_end(&sides[INITIATOR]));
  CHECK(hd_secretstream_is_closed(&sides[INITIATOR]));
  CHECK(hd_secretstream_is_closed(&sides[RESPONDER]));
  CHECK(hd_time_is_never(hd_secretstream_deadline(&sides[INITIATOR])));
  destroy_both(sides);
}

TEST(secretstream_forgets_a_frame_the_pipe_ended_in) {
  hd_secretstream sides[2];
  start_both_finished(sides);
  wire on_wire = {.size = 0};
  received got = {0};
  write_text(&sides[INITIATOR], start_time, "hello", &on_wire);
  receive(&sides[RESPONDER], start_time, on_wire.bytes, on_wire.size - 1, &got);
  CHECK_INT(HDHT_OK, hd_secretstream_receive_end(&sides[RESPONDER]));
  CHECK(sides[RESPONDER].reader.buffer == NULL);
  CHECK(hd_secretstream_is_open(&sides[RESPONDER]));
  destroy_both(sides);
}

TEST(secretstream_is_closed_when_the_pipe_ends_during_the_handshake) {
  hd_secretstream stream = make_stream(hd_allocator_system(), 0);
  hd_secretstream_set_timeout(&stream, start_time, HD_MILLISECONDS(3000));
  CHECK_INT(HDHT_OK, start_handshake(&stream, HD_NOISE_XX, INITIATOR));
  CHECK_INT(HDHT_OK, hd_secretstream_receive_end(&stream));
  CHECK(hd_secretstream_is_closed(&stream));
  CHECK(hd_time_is_never(hd_secretstream_deadline(&stream)));
  hd_secretstream_destroy(&stream);
}

TEST(secretstream_carries_datagrams_once_it_is_open) {
  hd_secretstream sides[2];
  hd_secretstream waiting = make_stream(hd_allocator_system(), 0);
  uint8_t datagram[29];
  size_t size = 0;
  hd_bytes payload;
  const hd_bytes hello = hd_bytes_of("hello", 5);
  CHECK_INT(HDHT_ERR_INVALID_STATE, hd_secretstream_seal_datagram(&waiting, hello, datagram, 29, &size));
  CHECK_INT(HDHT_ERR_INVALID_STATE, hd_secretstream_open_datagram(&waiting, datagram, 29, &payload));

  start_both_finished(sides);
  CHECK_INT(HDHT_ERR_BUFFER_TOO_SMALL, hd_secretstream_seal_datagram(&sides[0], hello, datagram, 28, &size));
  CHECK_INT(HDHT_ERR_BUFFER_TOO_SMALL, hd_secretstream_seal_datagram(&sides[0], hello, datagram, 0, &size));
  CHECK_INT(HDHT_OK, hd_secretstream_seal_datagram(&sides[0], hello, datagram, 29, &size));
  CHECK_UINT(29, size);
  CHECK_INT(HDHT_OK, hd_secretstream_open_datagram(&sides[1], datagram, 29, &payload));
  CHECK_BYTES("hello", payload.data, 5);
  CHECK_INT(HDHT_ERR_DECRYPTION, hd_secretstream_open_datagram(&sides[1], datagram, 23, &payload));
  CHECK(hd_secretstream_is_open(&sides[1]));

  sides[0].datagrams.counter = sides[0].datagrams.counter_start - 1;
  CHECK_INT(HDHT_ERR_STREAM_COUNTER, hd_secretstream_seal_datagram(&sides[0], hello, datagram, 29, &size));
  check_failed(&sides[0], HDHT_ERR_STREAM_COUNTER);
  destroy_both(sides);
}

TEST(secretstream_destroy_leaves_nothing) {
  static const hd_secretstream zero;
  hd_secretstream stream = make_stream(hd_allocator_system(), 0);
  start_finished(&stream, INITIATOR);
  hd_secretstream_destroy(&stream);
  CHECK_BYTES(&zero, &stream, sizeof zero);
}

/* A handshake and a message that spans chunks; out of memory may happen at any allocation and the call is repeated. */
static bool converse(const hd_allocator *allocator) {
  hd_secretstream initiator = make_stream(hd_allocator_system(), 0), responder = make_stream(allocator, 0);
  bool never_failed = true;
  CHECK_INT(HDHT_OK, start_handshake(&initiator, HD_NOISE_XX, INITIATOR));
  int error = start_handshake(&responder, HD_NOISE_XX, RESPONDER);
  if (error != HDHT_OK) {
    CHECK_INT(HDHT_ERR_OUT_OF_MEMORY, error);
    never_failed = false;
    CHECK_INT(HDHT_OK, start_handshake(&responder, HD_NOISE_XX, RESPONDER));
  }
  unsigned messages = 0;
  for (int round = 0; round < 3; round++) {
    wire to_responder = {.size = 0}, to_initiator = {.size = 0};
    received got = {0};
    take_output(&initiator, &to_responder);
    if (hd_secretstream_is_open(&initiator)) write_text(&initiator, start_time, "hello", &to_responder);
    for (size_t offset = 0; offset < to_responder.size;) {
      size_t consumed = 0;
      hd_secretstream_event event;
      error =
          hd_secretstream_receive(&responder, start_time, to_responder.bytes + offset,
                                  to_responder.size - offset < 10 ? to_responder.size - offset : 10, &consumed, &event);
      if (error != HDHT_OK) {
        CHECK_INT(HDHT_ERR_OUT_OF_MEMORY, error);
        never_failed = false;
      } else if (event.kind == HD_SECRETSTREAM_MESSAGE) {
        messages++;
      }
      offset += consumed;
    }
    take_output(&responder, &to_initiator);
    receive(&initiator, start_time, to_initiator.bytes, to_initiator.size, &got);
  }
  CHECK(messages > 0);
  hd_secretstream_destroy(&initiator);
  hd_secretstream_destroy(&responder);
  return never_failed;
}

TEST(secretstream_survives_allocation_failures) {
  hd_test_each_allocation_failure(converse);
}

static bool stream_steadily(const hd_allocator *allocator) {
  hd_secretstream sides[2] = {make_stream(allocator, 0), make_stream(allocator, 0)};
  start_finished(&sides[0], INITIATOR);
  start_finished(&sides[1], RESPONDER);
  received results[2] = {{0}, {0}};
  pump(sides, results);
  for (int i = 0; i < 100; i++) {
    wire on_wire = {.size = 0};
    received got = {0};
    write_text(&sides[0], start_time, "hello", &on_wire);
    receive(&sides[1], start_time, on_wire.bytes, 10, &got);
    receive(&sides[1], start_time, on_wire.bytes + 10, on_wire.size - 10, &got);
    CHECK_UINT(1, got.messages);
  }
  destroy_both(sides);
  return true;
}

TEST(secretstream_allocates_once_for_short_messages) {
  hd_test_allocator allocator;
  hd_test_allocator_init(&allocator);
  CHECK(stream_steadily(&allocator.hook));
  CHECK_UINT(1, allocator.allocations);
  CHECK_UINT(0, allocator.live_bytes);
}
