/* relay-messages.json: every message of the relay protocol and the announcers record, both ways, and what the reference
 * refuses or lets through. */
#include <string.h>

#include "messages/message_peer.h"
#include "messages/message_relay.h"
#include "relay_json.h"
#include "vectors.h"

/* Encodes into exactly as many bytes as the vector has, and into one byte less, which must not do. */
static void check_encoding(const hdht_relay_message *message, const hd_json *hex, size_t expected_size) {
  uint8_t *written = hd_vector_scratch(expected_size);
  size_t size = 0;
  VECTOR_CHECK(hdht_relay_message_size(message, &size) == HDHT_OK && size == expected_size);
  VECTOR_CHECK(hdht_relay_message_encode(message, written, expected_size, &size) == HDHT_OK);
  hd_vector_check_hex(hex, written, size, "encoded");
  if (expected_size == 0) return;
  VECTOR_CHECK(hdht_relay_message_encode(message, written, expected_size - 1, &size) == HDHT_ERR_BUFFER_TOO_SMALL);
}

/* What was accepted in an odd form is written in the proper one and then means the same. */
static void check_proper_form(const hdht_relay_message *message, const hd_json *decoded) {
  uint8_t bytes[1024];
  size_t size;
  if (!VECTOR_CHECK(hdht_relay_message_encode(message, bytes, sizeof bytes, &size) == HDHT_OK)) return;
  hdht_relay_message again;
  VECTOR_CHECK(hdht_relay_message_decode(message->type, (hdht_bytes){.data = bytes, .size = size}, &again) == HDHT_OK);
  hd_relay_message_check(&again, decoded);
}

/* However a message is cut short, it is truncated. */
static void check_every_cut(uint32_t type, const uint8_t *bytes, size_t size) {
  hdht_relay_message message;
  for (size_t cut = 0; cut < size && size <= 1024; cut++) {
    VECTOR_CHECK(hdht_relay_message_decode(type, (hdht_bytes){.data = bytes, .size = cut}, &message) ==
                 HDHT_ERR_TRUNCATED);
  }
}

static int expected_error(const char *error) {
  return strstr(error, "too big") != NULL ? HDHT_ERR_TOO_LARGE : HDHT_ERR_TRUNCATED;
}

static void check_message(const hd_json *item) {
  const uint32_t type = (uint32_t)hd_json_integer(item, "type", UINT32_MAX);
  const char *error = hd_json_text(item, "error", NULL);
  const hd_json *hex = hd_json_get(item, "hex"), *decoded = hd_json_get(item, "decoded");
  size_t size;
  const uint8_t *bytes = hd_vector_hex(hex, &size);
  VECTOR_CHECK(strcmp(hd_json_text(item, "message", ""), hdht_relay_type_name(type)) == 0);

  hdht_relay_message message = {.type = 99};
  hd_reader reader = hd_reader_of(hd_bytes_of(bytes, size));
  const int read_error = hd_messages_read_relay(&reader, type, &message);
  if (error != NULL) {
    VECTOR_CHECK(read_error == expected_error(error));
    VECTOR_CHECK(reader.next == bytes && message.type == 99);
    return;
  }
  if (!VECTOR_CHECK(read_error == HDHT_OK)) return;
  const size_t consumed = (size_t)(reader.next - bytes);
  VECTOR_CHECK(consumed == hd_json_integer(item, "consumed", size + 1));
  VECTOR_CHECK(size - consumed == hd_json_integer(item, "trailing", 0));
  hd_relay_message_check(&message, decoded);
  check_every_cut(type, bytes, consumed);

  if (hd_json_truth(item, "accepted", false)) {
    check_proper_form(&message, decoded);
    return;
  }
  check_encoding(&message, hex, size);
  const hd_json *given = hd_json_get(item, "encode");
  const hdht_relay_message ours = hd_relay_message_of_json(type, given != NULL ? given : decoded);
  check_encoding(&ours, hex, size);
}

static void check_announcers(const hd_json *item) {
  const hd_json *hex = hd_json_get(item, "hex");
  size_t size, written_size = 0;
  const uint8_t *bytes = hd_vector_hex(hex, &size);
  hdht_announcers decoded;
  if (!VECTOR_CHECK(hdht_announcers_decode(hd_bytes_of(bytes, size), &decoded) == HDHT_OK)) return;
  VECTOR_CHECK(size == hd_json_integer(item, "consumed", 0));
  hd_announcers_check(&decoded, hd_json_get(item, "decoded"));

  const hdht_announcers ours = hd_announcers_of_json(hd_json_get(item, "encode"));
  const hdht_announcers *const both[] = {&decoded, &ours};
  uint8_t *written = hd_vector_scratch(size);
  for (size_t i = 0; i < 2; i++) {
    VECTOR_CHECK(hdht_announcers_encode(both[i], written, size - 1, &written_size) == HDHT_ERR_BUFFER_TOO_SMALL);
    VECTOR_CHECK(hdht_announcers_encode(both[i], written, size, &written_size) == HDHT_OK);
    hd_vector_check_hex(hex, written, written_size, "announcers");
  }
  for (size_t cut = 0; cut < size; cut++) {
    VECTOR_CHECK(hdht_announcers_decode(hd_bytes_of(bytes, cut), &decoded) == HDHT_ERR_TRUNCATED);
  }
}

static void check_case(const hd_json *item) {
  if (strcmp(hd_json_text(item, "codec", ""), "announcers") == 0) {
    check_announcers(item);
  } else {
    check_message(item);
  }
}

VECTOR_FILE("relay-messages.json", check_case)
