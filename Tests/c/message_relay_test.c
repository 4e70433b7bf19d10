#include "messages/message_relay.h"

#include <stdlib.h>
#include <string.h>

#include "base/address.h"
#include "test.h"

static const uint8_t key[HDHT_SECRET_KEY_SIZE] = {1, 2, 3};

static hdht_bytes bytes_of_hex(const char *text, uint8_t *bytes, size_t capacity) {
  return (hdht_bytes){.data = bytes, .size = hd_test_hex(text, bytes, capacity)};
}

static int decode_hex(uint32_t type, const char *text, hdht_relay_message *message) {
  static uint8_t bytes[512];
  return hdht_relay_message_decode(type, bytes_of_hex(text, bytes, sizeof bytes), message);
}

static int size_error(const hdht_relay_message *message) {
  size_t size = 77;
  const int error = hdht_relay_message_size(message, &size);
  if (error != HDHT_OK) CHECK_UINT(77, size);
  uint8_t buffer[512];
  CHECK_INT(error, hdht_relay_message_encode(message, buffer, sizeof buffer, &size));
  return error;
}

TEST(relay_types_have_the_names_of_the_protocol) {
  CHECK_TEXT("handshake", hdht_relay_type_name(HDHT_RELAY_HANDSHAKE));
  CHECK_TEXT("noiseReply", hdht_relay_type_name(HDHT_RELAY_NOISE_REPLY));
  CHECK_TEXT("unknown", hdht_relay_type_name(HDHT_RELAY_TYPES_COUNT));
  CHECK_TEXT("unknown", hdht_relay_type_name(UINT32_MAX));
}

TEST(relay_type_28_is_unknown_both_ways) {
  const uint32_t unknown[] = {HDHT_RELAY_TYPES_COUNT, UINT32_MAX};
  for (size_t i = 0; i < 2; i++) {
    hdht_relay_message message = {.type = unknown[i]};
    CHECK_INT(HDHT_ERR_UNKNOWN_TYPE, decode_hex(unknown[i], "00000000", &message));
    CHECK_INT(HDHT_ERR_UNKNOWN_TYPE, size_error(&message));
  }
}

TEST(relay_ping_and_pong_are_empty_and_all_others_are_not) {
  for (uint32_t type = 0; type < HDHT_RELAY_TYPES_COUNT; type++) {
    const bool is_empty = type == HDHT_RELAY_PING || type == HDHT_RELAY_PONG;
    hdht_relay_message message = {.type = 99};
    CHECK_INT(is_empty ? HDHT_OK : HDHT_ERR_TRUNCATED, hdht_relay_message_decode(type, (hdht_bytes){0}, &message));
    CHECK_UINT(is_empty ? type : 99, message.type);
  }
}

TEST(relay_ids_are_four_bytes_and_never_a_uint) {
  hdht_relay_message message;
  REQUIRE(decode_hex(HDHT_RELAY_CONNECTED, "ffffffff fd000000", &message) == HDHT_OK);
  CHECK_UINT(UINT32_MAX, message.body.connected.alias);
  CHECK_UINT(0xfd, message.body.connected.remote_alias);
}

TEST(relay_fields_that_are_not_carried_are_zero) {
  hdht_relay_message message;
  memset(&message, 0xa5, sizeof message);
  REQUIRE(decode_hex(HDHT_RELAY_OPEN, "00 02000000 01000000 03000000", &message) == HDHT_OK);
  CHECK_UINT(0, message.reserved);
  CHECK_UINT(0, message.body.open.flags);
  CHECK_UINT(3, message.body.open.handshake_id);
  CHECK(message.body.open.handshake_hash == NULL);

  memset(&message, 0xa5, sizeof message);
  REQUIRE(decode_hex(HDHT_RELAY_DESTROY, "02 01000000 03 616263", &message) == HDHT_OK);
  CHECK_UINT(HDHT_RELAY_FLAG_ERROR, message.body.destroy.flags);
  CHECK_UINT(0, message.body.destroy.alias);
  CHECK_UINT(1, message.body.destroy.remote_alias);
  CHECK_UINT(3, message.body.destroy.error.size);

  memset(&message, 0xa5, sizeof message);
  REQUIRE(decode_hex(HDHT_RELAY_NOISE_REPLY, "01 03000000 03 aabbcc", &message) == HDHT_OK);
  CHECK(message.body.noise_reply.remote_public_key == NULL);
  CHECK(message.body.noise_reply.remote_id == NULL);
  CHECK(message.body.noise_reply.holepunch_secret == NULL);
}

TEST(relay_flags_nobody_knows_are_dropped_when_read_and_refused_when_written) {
  hdht_relay_message message;
  REQUIRE(decode_hex(HDHT_RELAY_DESTROY, "fd 07000000", &message) == HDHT_OK);
  CHECK_UINT(HDHT_RELAY_FLAG_PAIRED, message.body.destroy.flags);
  CHECK_INT(HDHT_OK, size_error(&message));
  message.body.destroy.flags = 4;
  CHECK_INT(HDHT_ERR_INVALID_ARGUMENT, size_error(&message));
  message.body.destroy.flags = 0x100;
  CHECK_INT(HDHT_ERR_INVALID_ARGUMENT, size_error(&message));
  /* One bit is known to `open`, two to `destroy`. */
  message = (hdht_relay_message){.type = HDHT_RELAY_OPEN, .body.open = {.flags = 2}};
  CHECK_INT(HDHT_ERR_INVALID_ARGUMENT, size_error(&message));
}

TEST(relay_destroy_tells_an_empty_error_text_from_none) {
  hdht_relay_message message;
  uint8_t output[8];
  size_t size;
  REQUIRE(decode_hex(HDHT_RELAY_DESTROY, "03 07000000 00", &message) == HDHT_OK);
  CHECK_UINT(HDHT_RELAY_FLAG_PAIRED | HDHT_RELAY_FLAG_ERROR, message.body.destroy.flags);
  CHECK_UINT(0, message.body.destroy.error.size);
  REQUIRE(hdht_relay_message_encode(&message, output, sizeof output, &size) == HDHT_OK);
  CHECK_UINT(6, size);
}

TEST(relay_keys_that_are_carried_must_be_there_and_others_are_not_looked_at) {
  hdht_relay_message message = {
      .type = HDHT_RELAY_CONNECT,
      .body.connect = {.public_key = key, .remote_public_key = key},
  };
  CHECK_INT(HDHT_OK, size_error(&message));
  message.body.connect.flags = HDHT_RELAY_FLAG_CUSTODIAL;
  CHECK_INT(HDHT_ERR_INVALID_ARGUMENT, size_error(&message));
  message.body.connect.secret_key = key;
  CHECK_INT(HDHT_OK, size_error(&message));
  message.body.connect.remote_public_key = NULL;
  CHECK_INT(HDHT_ERR_INVALID_ARGUMENT, size_error(&message));
}

TEST(relay_bytes_and_addresses_that_cannot_be_written_are_refused) {
  hdht_relay_message message = {.type = HDHT_RELAY_SIGNATURE, .body.signature = {.signature = {.size = 1}}};
  CHECK_INT(HDHT_ERR_INVALID_ARGUMENT, size_error(&message));
  message.body.signature.signature = (hdht_bytes){.data = key, .size = SIZE_MAX};
  CHECK_INT(HDHT_ERR_TOO_LARGE, size_error(&message));
  message.body.signature.signature.size = SIZE_MAX - 9; /* fits with its length, but not behind the id */
  CHECK_INT(HDHT_ERR_TOO_LARGE, size_error(&message));

  message = (hdht_relay_message){.type = HDHT_RELAY_LISTENING};
  CHECK_INT(HDHT_ERR_INVALID_ARGUMENT, size_error(&message));
  message.body.listening.address.family = HDHT_FAMILY_IPV6;
  CHECK_INT(HDHT_ERR_INVALID_ARGUMENT, size_error(&message));
  message.body.listening.address = hd_address_ipv4(0, 0, 0, 0, 0);
  CHECK_INT(HDHT_OK, size_error(&message));

  message = (hdht_relay_message){
      .type = HDHT_RELAY_SIGN_ANNOUNCE,
      .body.sign_announce = {.token = key, .relay_addresses = {.count = 1}},
  };
  CHECK_INT(HDHT_ERR_INVALID_ARGUMENT, size_error(&message));
  message.body.sign_announce.relay_addresses.count = HDHT_LIST_LIMIT + 1;
  CHECK_INT(HDHT_ERR_TOO_LARGE, size_error(&message));

  const hdht_bytes missing = {.size = 1}, half = {.data = key, .size = SIZE_MAX / 2};
  const hdht_bytes more_than_memory[] = {half, half, half};
  message = (hdht_relay_message){.type = HDHT_RELAY_DATA, .body.data.chunks = {.count = 1}};
  CHECK_INT(HDHT_ERR_INVALID_ARGUMENT, size_error(&message));
  message.body.data.chunks.array = &missing;
  CHECK_INT(HDHT_ERR_INVALID_ARGUMENT, size_error(&message));
  message.body.data.chunks = (hdht_relay_chunks){.array = more_than_memory, .count = 3};
  CHECK_INT(HDHT_ERR_TOO_LARGE, size_error(&message));
  message.body.data.chunks = (hdht_relay_chunks){.count = HDHT_LIST_LIMIT + 1};
  CHECK_INT(HDHT_ERR_TOO_LARGE, size_error(&message));
}

TEST(relay_message_that_does_not_fit_leaves_the_buffer_alone) {
  const hdht_relay_message message = {
      .type = HDHT_RELAY_LOOKUP,
      .body.lookup = {.query_id = 1, .topic = key},
  };
  uint8_t buffer[36], untouched[36];
  memset(buffer, 0xa5, sizeof buffer);
  memset(untouched, 0xa5, sizeof untouched);
  size_t size = 77;
  CHECK_INT(HDHT_ERR_BUFFER_TOO_SMALL, hdht_relay_message_encode(&message, buffer, 35, &size));
  CHECK_INT(HDHT_ERR_BUFFER_TOO_SMALL, hdht_relay_message_encode(&message, NULL, 0, &size));
  CHECK_BYTES(untouched, buffer, sizeof buffer);
  CHECK_UINT(77, size);
  CHECK_INT(HDHT_OK, hdht_relay_message_encode(&message, buffer, 36, &size));
  CHECK_UINT(36, size);
}

TEST(relay_data_lends_its_chunks_without_copying) {
  uint8_t bytes[32];
  const hdht_bytes body = bytes_of_hex("07000000 03 01 61 00 fd0200 6262", bytes, sizeof bytes);
  hdht_relay_message message;
  REQUIRE(hdht_relay_message_decode(HDHT_RELAY_DATA, body, &message) == HDHT_OK);
  hdht_relay_chunks rest = message.body.data.chunks;
  CHECK_UINT(3, rest.count);
  hdht_bytes chunk;
  REQUIRE(hdht_relay_chunks_next(&rest, &chunk) == 1);
  CHECK(chunk.data == bytes + 6 && chunk.size == 1);
  REQUIRE(hdht_relay_chunks_next(&rest, &chunk) == 1);
  CHECK_UINT(0, chunk.size);
  REQUIRE(hdht_relay_chunks_next(&rest, &chunk) == 1);
  CHECK(chunk.data == bytes + 11 && chunk.size == 2);
  chunk.size = 77;
  CHECK_INT(0, hdht_relay_chunks_next(&rest, &chunk));
  CHECK_UINT(77, chunk.size);
}

TEST(relay_data_refuses_a_bad_chunk_wherever_it_is) {
  hdht_relay_message message = {.type = 99};
  CHECK_INT(HDHT_ERR_TRUNCATED, decode_hex(HDHT_RELAY_DATA, "07000000 02 01 61", &message));
  CHECK_INT(HDHT_ERR_TRUNCATED, decode_hex(HDHT_RELAY_DATA, "07000000 02 01 61 01", &message));
  CHECK_INT(HDHT_ERR_TRUNCATED, decode_hex(HDHT_RELAY_DATA, "07000000 02 01 61 fd00", &message));
  CHECK_INT(HDHT_ERR_TRUNCATED, decode_hex(HDHT_RELAY_DATA, "07000000 01 ffffffffffffffffff 61", &message));
  CHECK_UINT(99, message.type);
}

/* A data body of `count` empty chunks. */
static uint8_t *many_empty_chunks(size_t count, size_t *size) {
  *size = HDHT_RELAY_DATA_HEADER_SIZE_MAX + count;
  uint8_t *bytes = calloc(1, *size);
  const uint8_t start[] = {7, 0, 0, 0, 0xfe, (uint8_t)count, (uint8_t)(count >> 8), (uint8_t)(count >> 16), 0};
  memcpy(bytes, start, sizeof start);
  return bytes;
}

TEST(relay_data_holds_as_many_chunks_as_the_limit_and_not_one_more) {
  size_t size, written_size;
  uint8_t *bytes = many_empty_chunks(HDHT_LIST_LIMIT, &size);
  uint8_t *written = malloc(size);
  hdht_relay_message message;
  CHECK_INT(HDHT_OK, hdht_relay_message_decode(HDHT_RELAY_DATA, (hdht_bytes){.data = bytes, .size = size}, &message));
  CHECK_UINT(HDHT_LIST_LIMIT, message.body.data.chunks.count);
  CHECK_INT(HDHT_OK, hdht_relay_message_encode(&message, written, size, &written_size));
  CHECK_UINT(9 + HDHT_LIST_LIMIT, written_size);
  CHECK_BYTES(bytes, written, written_size);
  free(bytes);

  bytes = many_empty_chunks(HDHT_LIST_LIMIT + 1, &size);
  CHECK_INT(HDHT_ERR_TOO_LARGE,
            hdht_relay_message_decode(HDHT_RELAY_DATA, (hdht_bytes){.data = bytes, .size = size}, &message));
  free(bytes);
  free(written);
  uint8_t header[HDHT_RELAY_DATA_HEADER_SIZE_MAX];
  CHECK_INT(HDHT_OK, hdht_relay_data_header_encode(7, HDHT_LIST_LIMIT, SIZE_MAX, header, &size));
  CHECK_UINT(HDHT_RELAY_DATA_HEADER_SIZE_MAX, size);
  CHECK_INT(HDHT_ERR_TOO_LARGE, hdht_relay_data_header_encode(7, HDHT_LIST_LIMIT + 1, 0, header, &size));
}

TEST(relay_data_headers_with_chunks_between_them_are_the_whole_message) {
  const size_t sizes[] = {0, 1, 252, 253, 65535, 65536};
  enum { COUNT = sizeof sizes / sizeof sizes[0] };
  uint8_t *chunk_bytes = calloc(1, 65536);
  hdht_bytes chunks[COUNT];
  for (size_t i = 0; i < COUNT; i++) chunks[i] = (hdht_bytes){.data = chunk_bytes, .size = sizes[i]};

  for (size_t count = 0; count <= COUNT; count++) {
    const hdht_relay_message message = {
        .type = HDHT_RELAY_DATA,
        .body.data = {.alias = 0x01020304, .chunks = {.array = chunks, .count = count}},
    };
    size_t whole_size, size, at = 0;
    REQUIRE(hdht_relay_message_size(&message, &whole_size) == HDHT_OK);
    uint8_t *whole = malloc(whole_size), *parts = malloc(whole_size + HDHT_RELAY_DATA_HEADER_SIZE_MAX);
    CHECK_INT(HDHT_OK, hdht_relay_message_encode(&message, whole, whole_size, &whole_size));
    for (size_t i = 0; i < count || i == 0; i++) {
      if (i == 0) {
        CHECK_INT(HDHT_OK, hdht_relay_data_header_encode(0x01020304, count, sizes[0], parts, &size));
      } else {
        size = hdht_relay_chunk_header_encode(sizes[i], parts + at);
      }
      at += size;
      if (count == 0) break;
      memcpy(parts + at, chunk_bytes, sizes[i]);
      at += sizes[i];
    }
    CHECK_UINT(whole_size, at);
    CHECK_BYTES(whole, parts, whole_size);
    free(whole);
    free(parts);
  }
  free(chunk_bytes);
}

TEST(relay_message_moves_the_cursor_past_its_last_field_and_no_further) {
  uint8_t bytes[16];
  hd_reader reader = hd_reader_of(bytes_of_hex("07000000 00 2a", bytes, sizeof bytes));
  hdht_relay_message message;
  REQUIRE(hd_messages_read_relay(&reader, HDHT_RELAY_DATA, &message) == HDHT_OK);
  CHECK(reader.next == bytes + 5);
  reader = hd_reader_of(bytes_of_hex("07000000", bytes, sizeof bytes));
  CHECK_INT(HDHT_ERR_TRUNCATED, hd_messages_read_relay(&reader, HDHT_RELAY_CONNECTED, &message));
  CHECK(reader.next == bytes);
}
