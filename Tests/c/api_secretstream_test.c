#include <hdht/error.h>
#include <hdht/secretstream.h>
#include <string.h>

#include "test.h"

enum { INITIATOR, RESPONDER };

static int create(const hdht_allocator *allocator, int side, hdht_secretstream **stream) {
  hdht_secretstream_options options;
  hdht_secretstream_options_init(&options, sizeof options);
  uint8_t seed[HDHT_SEED_SIZE];
  memset(seed, side + 1, sizeof seed);
  options.allocator = allocator;
  options.seed = seed;
  return hdht_secretstream_create(&options, stream);
}

static int start(hdht_secretstream *stream, int side) {
  hdht_secretstream_handshake handshake;
  hdht_secretstream_handshake_init(&handshake, sizeof handshake);
  handshake.is_initiator = side == INITIATOR;
  return hdht_secretstream_start_handshake(stream, 0, &handshake);
}

/* Moves waiting output to the other side; returns whether there was any. */
static bool carry(hdht_secretstream *from, hdht_secretstream *to) {
  uint8_t output[HDHT_SECRETSTREAM_OUTPUT_SIZE_MAX];
  size_t size = 0;
  const size_t waiting = hdht_secretstream_output_size(from);
  CHECK_INT(HDHT_OK, hdht_secretstream_take_output(from, output, sizeof output, &size));
  CHECK_UINT(waiting, size);
  hdht_secretstream_event event = {.kind = HDHT_SECRETSTREAM_OPENED};
  for (size_t offset = 0; event.kind != HDHT_SECRETSTREAM_NONE;) {
    size_t consumed = 0;
    CHECK_INT(HDHT_OK, hdht_secretstream_receive(to, 0, output + offset, size - offset, &consumed, &event));
    offset += consumed;
  }
  return size > 0;
}

static void check_message(hdht_secretstream *from, hdht_secretstream *to, const char *text) {
  uint8_t frame[100];
  size_t size = 0, consumed = 0;
  hdht_secretstream_event event = {.kind = HDHT_SECRETSTREAM_NONE};
  const size_t text_size = strlen(text);
  CHECK_INT(HDHT_OK, hdht_secretstream_write(from, 0, (const uint8_t *)text, text_size, frame, sizeof frame, &size));
  CHECK_UINT(text_size + HDHT_SECRETSTREAM_OVERHEAD, size);
  CHECK_INT(HDHT_OK, hdht_secretstream_receive(to, 0, frame, size, &consumed, &event));
  CHECK_UINT(size, consumed);
  CHECK_UINT(HDHT_SECRETSTREAM_MESSAGE, event.kind);
  CHECK_UINT(text_size, event.message.size);
  if (event.message.size == text_size) CHECK_BYTES(text, event.message.data, text_size);
}

static bool converse(const hdht_allocator *allocator) {
  hdht_secretstream *sides[2] = {NULL, NULL};
  bool succeeded = true;
  for (int side = INITIATOR; side <= RESPONDER; side++) {
    int error = create(allocator, side, &sides[side]);
    if (error == HDHT_OK) error = start(sides[side], side);
    if (error == HDHT_OK) continue;
    CHECK_INT(HDHT_ERR_OUT_OF_MEMORY, error);
    succeeded = false;
  }
  if (succeeded) {
    uint8_t key[2][32], hash[2][64];
    CHECK_INT(HDHT_ERR_INVALID_STATE, hdht_secretstream_remote_public_key(sides[0], key[0]));
    CHECK_INT(HDHT_ERR_INVALID_STATE, hdht_secretstream_handshake_hash(sides[0], hash[0]));
    while (carry(sides[INITIATOR], sides[RESPONDER]) || carry(sides[RESPONDER], sides[INITIATOR])) continue;
    for (int side = INITIATOR; side <= RESPONDER; side++) {
      CHECK_INT(1, hdht_secretstream_is_open(sides[side]));
      CHECK_INT(HDHT_OK, hdht_secretstream_handshake_hash(sides[side], hash[side]));
      CHECK_INT(HDHT_OK, hdht_secretstream_remote_public_key(sides[side], key[0]));
      CHECK_INT(HDHT_OK, hdht_secretstream_public_key(sides[1 - side], key[1]));
      CHECK_BYTES(key[0], key[1], 32);
    }
    CHECK_BYTES(hash[0], hash[1], 64);
    check_message(sides[INITIATOR], sides[RESPONDER], "hello");
    check_message(sides[RESPONDER], sides[INITIATOR], "");
    CHECK_UINT(25, hdht_secretstream_bytes_written(sides[INITIATOR]));
    CHECK_UINT(22, hdht_secretstream_bytes_read(sides[RESPONDER]));
  }
  hdht_secretstream_destroy(sides[0]);
  hdht_secretstream_destroy(sides[1]);
  return succeeded;
}

TEST(api_secretstream_makes_a_handshake_and_carries_messages) {
  hd_test_each_allocation_failure(converse);
}

/* The second run of the same seeds, and only that, puts the same bytes on the wire. */
TEST(api_secretstream_is_repeated_by_its_seed) {
  uint8_t output[3][35];
  for (int i = 0; i < 3; i++) {
    hdht_secretstream *stream;
    size_t size;
    if (i < 2) {
      CHECK_INT(HDHT_OK, create(NULL, INITIATOR, &stream));
    } else {
      CHECK_INT(HDHT_OK, hdht_secretstream_create(NULL, &stream));
    }
    CHECK_INT(HDHT_OK, start(stream, INITIATOR));
    CHECK_INT(HDHT_OK, hdht_secretstream_take_output(stream, output[i], sizeof output[i], &size));
    CHECK_UINT(35, size);
    hdht_secretstream_destroy(stream);
  }
  CHECK_BYTES(output[0], output[1], 35);
  CHECK(memcmp(output[0], output[2], 35) != 0);
}

static void start_finished(hdht_secretstream *sides[2]) {
  hdht_noise_result results[2] = {{.send_key = {1}, .receive_key = {2}}, {.send_key = {2}, .receive_key = {1}}};
  for (int side = INITIATOR; side <= RESPONDER; side++) {
    CHECK_INT(HDHT_OK, create(NULL, side, &sides[side]));
    CHECK_INT(HDHT_OK, hdht_secretstream_start(sides[side], 0, side == INITIATOR, &results[side]));
    CHECK_INT(1, hdht_secretstream_is_open(sides[side]));
  }
  while (carry(sides[INITIATOR], sides[RESPONDER]) || carry(sides[RESPONDER], sides[INITIATOR])) continue;
}

TEST(api_secretstream_starts_with_a_finished_handshake) {
  hdht_secretstream *sides[2];
  uint8_t key[32];
  start_finished(sides);
  check_message(sides[INITIATOR], sides[RESPONDER], "hello");
  check_message(sides[RESPONDER], sides[INITIATOR], "world");
  CHECK_INT(HDHT_ERR_INVALID_STATE, hdht_secretstream_public_key(sides[0], key));
  CHECK_INT(HDHT_ERR_INVALID_STATE, start(sides[0], INITIATOR));
  CHECK_INT(HDHT_OK, hdht_secretstream_end(sides[0]));
  CHECK_INT(HDHT_OK, hdht_secretstream_receive_end(sides[0]));
  CHECK_INT(1, hdht_secretstream_is_closed(sides[0]));
  CHECK_INT(0, hdht_secretstream_is_closed(sides[1]));
  hdht_secretstream_destroy(sides[0]);
  hdht_secretstream_destroy(sides[1]);
}

TEST(api_secretstream_carries_datagrams) {
  hdht_secretstream *sides[2];
  uint8_t datagram[29];
  size_t size;
  hdht_bytes payload;
  start_finished(sides);
  CHECK_INT(HDHT_OK, hdht_secretstream_seal_datagram(sides[0], (const uint8_t *)"hello", 5, datagram, 29, &size));
  CHECK_UINT(29, size);
  CHECK_INT(HDHT_OK, hdht_secretstream_open_datagram(sides[1], datagram, size, &payload));
  CHECK_UINT(5, payload.size);
  CHECK_BYTES("hello", payload.data, 5);
  CHECK_INT(HDHT_ERR_DECRYPTION, hdht_secretstream_open_datagram(sides[1], datagram, 24, &payload));
  hdht_secretstream_destroy(sides[0]);
  hdht_secretstream_destroy(sides[1]);
}

TEST(api_secretstream_times_are_microseconds_and_settings_milliseconds) {
  hdht_secretstream_options options;
  hdht_secretstream_options_init(&options, sizeof options);
  options.keep_alive_ms = 5;
  options.timeout_ms = 7;
  hdht_secretstream *stream;
  hdht_noise_result result = {.send_key = {1}};
  uint8_t output[HDHT_SECRETSTREAM_OUTPUT_SIZE_MAX];
  size_t size;
  CHECK_INT(HDHT_OK, hdht_secretstream_create(&options, &stream));
  CHECK_UINT(HDHT_SECRETSTREAM_NEVER, hdht_secretstream_deadline(stream));
  CHECK_INT(HDHT_OK, hdht_secretstream_start(stream, 1000, 1, &result));
  CHECK_INT(HDHT_OK, hdht_secretstream_take_output(stream, output, sizeof output, &size));
  CHECK_UINT(6000, hdht_secretstream_deadline(stream));
  CHECK_INT(HDHT_OK, hdht_secretstream_elapse(stream, 6000));
  CHECK_UINT(20, hdht_secretstream_output_size(stream));
  CHECK_UINT(8000, hdht_secretstream_deadline(stream));
  CHECK_INT(HDHT_OK, hdht_secretstream_set_keep_alive(stream, 6000, 0));
  CHECK_INT(HDHT_OK, hdht_secretstream_set_timeout(stream, 6000, 1));
  CHECK_UINT(7000, hdht_secretstream_deadline(stream));
  CHECK_INT(HDHT_ERR_STREAM_TIMED_OUT, hdht_secretstream_elapse(stream, 7000));
  CHECK_INT(HDHT_OK, hdht_secretstream_remote_public_key(stream, output));
  hdht_secretstream_destroy(stream);
}

TEST(api_secretstream_refuses_options_that_make_no_sense) {
  hdht_secretstream *stream = NULL;
  hdht_secretstream_options options;
  hdht_secretstream_options_init(&options, sizeof options);
  CHECK_INT(HDHT_ERR_INVALID_ARGUMENT, hdht_secretstream_create(&options, NULL));
  options.message_size_limit = HDHT_SECRETSTREAM_MESSAGE_SIZE_MAX + 1;
  CHECK_INT(HDHT_ERR_INVALID_ARGUMENT, hdht_secretstream_create(&options, &stream));
  options.message_size_limit = HDHT_SECRETSTREAM_MESSAGE_SIZE_MAX;
  CHECK_INT(HDHT_OK, hdht_secretstream_create(&options, &stream));

  hdht_secretstream_handshake handshake;
  hdht_secretstream_handshake_init(&handshake, sizeof handshake);
  CHECK_UINT(HDHT_NOISE_XX, handshake.pattern);
  CHECK_INT(HDHT_ERR_INVALID_ARGUMENT, hdht_secretstream_start_handshake(stream, 0, NULL));
  handshake.is_initiator = 1;
  handshake.pattern = HDHT_NOISE_IK;
  CHECK_INT(HDHT_ERR_INVALID_ARGUMENT, hdht_secretstream_start_handshake(stream, 0, &handshake));
  handshake.pattern = 2;
  CHECK_INT(HDHT_ERR_INVALID_ARGUMENT, hdht_secretstream_start_handshake(stream, 0, &handshake));
  hdht_noise_result result = {.send_key = {0}};
  CHECK_INT(HDHT_ERR_INVALID_ARGUMENT, hdht_secretstream_start(stream, 0, 2, &result));
  CHECK_INT(HDHT_ERR_INVALID_ARGUMENT, hdht_secretstream_start(stream, 0, 1, NULL));
  const uint8_t zero_key[32] = {0};
  handshake.pattern = HDHT_NOISE_IK;
  handshake.remote_public_key = zero_key;
  CHECK_INT(HDHT_ERR_HANDSHAKE_KEY, hdht_secretstream_start_handshake(stream, 0, &handshake));
  CHECK_INT(1, hdht_secretstream_is_closed(stream));
  hdht_secretstream_destroy(stream);
}

TEST(api_secretstream_checks_every_pointer) {
  hdht_secretstream *stream;
  uint8_t bytes[64];
  size_t size;
  hdht_secretstream_event event;
  hdht_bytes payload;
  const int invalid = HDHT_ERR_INVALID_ARGUMENT;
  CHECK_INT(HDHT_OK, hdht_secretstream_create(NULL, &stream));
  CHECK_INT(invalid, hdht_secretstream_receive(NULL, 0, bytes, 1, &size, &event));
  CHECK_INT(invalid, hdht_secretstream_receive(stream, 0, NULL, 1, &size, &event));
  CHECK_INT(invalid, hdht_secretstream_receive(stream, 0, bytes, 1, NULL, &event));
  CHECK_INT(invalid, hdht_secretstream_receive(stream, 0, bytes, 1, &size, NULL));
  CHECK_INT(invalid, hdht_secretstream_receive_end(NULL));
  CHECK_INT(invalid, hdht_secretstream_take_output(NULL, bytes, 64, &size));
  CHECK_INT(invalid, hdht_secretstream_take_output(stream, NULL, 64, &size));
  CHECK_INT(invalid, hdht_secretstream_take_output(stream, bytes, 64, NULL));
  CHECK_INT(invalid, hdht_secretstream_write(NULL, 0, bytes, 1, bytes, 64, &size));
  CHECK_INT(invalid, hdht_secretstream_write(stream, 0, NULL, 1, bytes, 64, &size));
  CHECK_INT(invalid, hdht_secretstream_write(stream, 0, bytes, 1, NULL, 64, &size));
  CHECK_INT(invalid, hdht_secretstream_write(stream, 0, bytes, 1, bytes, 64, NULL));
  CHECK_INT(invalid, hdht_secretstream_end(NULL));
  CHECK_INT(invalid, hdht_secretstream_remote_public_key(NULL, bytes));
  CHECK_INT(invalid, hdht_secretstream_remote_public_key(stream, NULL));
  CHECK_INT(invalid, hdht_secretstream_handshake_hash(NULL, bytes));
  CHECK_INT(invalid, hdht_secretstream_handshake_hash(stream, NULL));
  CHECK_INT(invalid, hdht_secretstream_public_key(NULL, bytes));
  CHECK_INT(invalid, hdht_secretstream_public_key(stream, NULL));
  CHECK_INT(invalid, hdht_secretstream_set_keep_alive(NULL, 0, 1));
  CHECK_INT(invalid, hdht_secretstream_set_timeout(NULL, 0, 1));
  CHECK_INT(invalid, hdht_secretstream_elapse(NULL, 0));
  CHECK_INT(invalid, hdht_secretstream_seal_datagram(NULL, bytes, 1, bytes, 64, &size));
  CHECK_INT(invalid, hdht_secretstream_seal_datagram(stream, NULL, 1, bytes, 64, &size));
  CHECK_INT(invalid, hdht_secretstream_seal_datagram(stream, bytes, 1, NULL, 64, &size));
  CHECK_INT(invalid, hdht_secretstream_seal_datagram(stream, bytes, 1, bytes, 64, NULL));
  CHECK_INT(invalid, hdht_secretstream_open_datagram(NULL, bytes, 64, &payload));
  CHECK_INT(invalid, hdht_secretstream_open_datagram(stream, NULL, 64, &payload));
  CHECK_INT(invalid, hdht_secretstream_open_datagram(stream, bytes, 64, NULL));
  CHECK_INT(0, hdht_secretstream_is_open(NULL));
  CHECK_INT(0, hdht_secretstream_is_closed(NULL));
  CHECK_UINT(0, hdht_secretstream_output_size(NULL));
  CHECK_UINT(0, hdht_secretstream_bytes_read(NULL));
  CHECK_UINT(0, hdht_secretstream_bytes_written(NULL));
  CHECK_UINT(HDHT_SECRETSTREAM_NEVER, hdht_secretstream_deadline(NULL));
  hdht_secretstream_destroy(stream);
  hdht_secretstream_destroy(NULL);
}

/* Recorded from @hyperswarm/secret-stream. */
TEST(api_secretstream_id_is_the_recorded_one) {
  uint8_t hash[64], expected[32], id[32];
  hd_test_hex(
      "390f08b1b078de2c7bb0830c7a8d8c4b4d75e1817adac33c94e4557e24aa5d2c"
      "0b046084f502b481c5e7aa58ef14819c49b4eadbbf42060ddca22f929ced74d2",
      hash, sizeof hash);
  hd_test_hex("3a8f6dbdaafc6593c3abcfdc136f6d8e1bdf58ae57dbd1d98bf34e5192368005", expected, sizeof expected);
  CHECK_INT(HDHT_OK, hdht_secretstream_id(hash, 0, id));
  CHECK_BYTES(expected, id, 32);
  CHECK_INT(HDHT_ERR_INVALID_ARGUMENT, hdht_secretstream_id(hash, 2, id));
  CHECK_INT(HDHT_ERR_INVALID_ARGUMENT, hdht_secretstream_id(NULL, 0, id));
  CHECK_INT(HDHT_ERR_INVALID_ARGUMENT, hdht_secretstream_id(hash, 0, NULL));
}
