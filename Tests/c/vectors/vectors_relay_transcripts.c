/* transcripts: every relay message of the recorded conversations, decoded and written back byte for byte. A frame is
 * the channel, the message type and the body; these recordings hold no batches. */
#include <string.h>

#include "codec/compact_uint.h"
#include "messages/message_relay.h"
#include "relay_json.h"
#include "vectors.h"

static void check_result(hdht_bytes data) {
  hdht_announcers announcers;
  if (!VECTOR_CHECK(hdht_announcers_decode(data, &announcers) == HDHT_OK)) return;
  uint8_t *written = hd_vector_scratch(data.size);
  size_t size = 0;
  VECTOR_CHECK(hdht_announcers_encode(&announcers, written, data.size, &size) == HDHT_OK);
  VECTOR_CHECK(size == data.size && memcmp(written, data.data, size) == 0);
}

static void check_body(uint32_t type, hdht_bytes body, const hd_json *fields) {
  hdht_relay_message message;
  if (!VECTOR_CHECK(hdht_relay_message_decode(type, body, &message) == HDHT_OK)) return;
  hd_relay_message_check(&message, fields);

  const hdht_relay_message ours = hd_relay_message_of_json(type, fields);
  const hdht_relay_message *const both[] = {&message, &ours};
  uint8_t *written = hd_vector_scratch(body.size);
  for (size_t i = 0; i < 2; i++) {
    size_t size = 0;
    VECTOR_CHECK(hdht_relay_message_encode(both[i], written, body.size, &size) == HDHT_OK);
    VECTOR_CHECK(size == body.size && (size == 0 || memcmp(written, body.data, size) == 0));
  }
  if (type == HDHT_RELAY_RESULT) check_result(message.body.result.data);
}

static void check_line(const hd_json *line) {
  const hd_json *decoded = hd_json_get(line, "decoded");
  if (hd_json_get(decoded, "message") == NULL) return; /* an event, a control frame or a datagram */
  size_t size;
  const uint8_t *frame = hd_vector_hex(hd_json_get(line, "hex"), &size);
  hd_reader reader = hd_reader_of(hd_bytes_of(frame, size));
  uint64_t channel = 0, type = 0;
  VECTOR_CHECK(hd_codec_read_uint(&reader, &channel) == HDHT_OK);
  VECTOR_CHECK(hd_codec_read_uint(&reader, &type) == HDHT_OK);
  VECTOR_CHECK(channel == hd_json_integer(decoded, "channel", 0) && channel != 0);
  VECTOR_CHECK(type == hd_json_integer(decoded, "type", UINT64_MAX));
  VECTOR_CHECK(strcmp(hd_json_text(decoded, "message", ""), hdht_relay_type_name((uint32_t)type)) == 0);
  check_body((uint32_t)type, hd_reader_take_rest(&reader), hd_json_get(decoded, "fields"));
}

VECTOR_TRANSCRIPTS("relay messages", check_line)
