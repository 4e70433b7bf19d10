#include "vectors_rpc_datagram.h"

/* The reference decodes an empty value as null; only the flag byte tells it from none. */
static bool has_value(hd_bytes datagram) {
  return datagram.size > 1 && (datagram.data[1] & 0x10) != 0;
}

static hd_messages_request request_of(const hd_json *fields, hd_bytes datagram) {
  return (hd_messages_request){
      .tid = (uint16_t)hd_json_integer(fields, "tid", 0),
      .is_internal = hd_json_truth(fields, "internal", false),
      .has_value = has_value(datagram),
      .command = hd_json_integer(fields, "command", 0),
      .to = hd_vector_address(hd_json_get(fields, "to")),
      .id = hd_vector_fixed(hd_json_get(fields, "id"), HDHT_NODE_ID_SIZE),
      .token = hd_vector_fixed(hd_json_get(fields, "token"), HDHT_TOKEN_SIZE),
      .target = hd_vector_fixed(hd_json_get(fields, "target"), HDHT_HASH_SIZE),
      .value = hd_vector_bytes(hd_json_get(fields, "value")),
  };
}

static hd_messages_response response_of(const hd_json *fields, hd_bytes datagram) {
  return (hd_messages_response){
      .tid = (uint16_t)hd_json_integer(fields, "tid", 0),
      .has_value = has_value(datagram),
      .error = hd_json_integer(fields, "error", 0),
      .to = hd_vector_address(hd_json_get(fields, "to")),
      .id = hd_vector_fixed(hd_json_get(fields, "id"), HDHT_NODE_ID_SIZE),
      .token = hd_vector_fixed(hd_json_get(fields, "token"), HDHT_TOKEN_SIZE),
      .closer_nodes = hd_vector_address_list(hd_json_get(fields, "closerNodes")),
      .value = hd_vector_bytes(hd_json_get(fields, "value")),
  };
}

static void check_request_writes(const hd_messages_request *request, const hd_json *hex) {
  uint8_t bytes[HD_MESSAGES_RPC_SIZE_MAX];
  size_t size = 0;
  VECTOR_CHECK(hd_messages_request_size(request, &size) == HDHT_OK);
  if (!VECTOR_CHECK(size > 0 && size <= sizeof bytes)) return;
  hd_writer writer = hd_writer_of(bytes, size - 1);
  VECTOR_CHECK(hd_messages_write_request(&writer, request) == HDHT_ERR_BUFFER_TOO_SMALL && writer.next == bytes);
  writer = hd_writer_of(bytes, size);
  VECTOR_CHECK(hd_messages_write_request(&writer, request) == HDHT_OK);
  hd_vector_check_hex(hex, bytes, (size_t)(writer.next - bytes), "request");
}

void hd_vector_check_request(const hd_json *fields, const hd_json *hex) {
  const hd_bytes datagram = hd_vector_bytes(hex);
  VECTOR_CHECK(hd_messages_rpc_kind_of(datagram) == HD_MESSAGES_RPC_REQUEST);
  const hd_messages_request expected = request_of(fields, datagram);
  check_request_writes(&expected, hex);

  hd_messages_request found;
  hd_reader reader = hd_reader_of(datagram);
  if (!VECTOR_CHECK(hd_messages_read_request(&reader, &found) == HDHT_OK)) return;
  VECTOR_CHECK((size_t)(reader.next - datagram.data) == hd_json_integer(fields, "consumed", datagram.size));
  VECTOR_CHECK(found.tid == expected.tid && found.is_internal == expected.is_internal &&
               found.command == expected.command && found.has_value == expected.has_value);
  VECTOR_CHECK(hd_address_equal(&found.to, &expected.to));
  VECTOR_CHECK(hd_bytes_equal(found.value, expected.value));
  check_request_writes(&found, hex);

  for (size_t size = 0; size < datagram.size; size++) {
    reader = hd_reader_of(hd_bytes_of(datagram.data, size));
    VECTOR_CHECK(hd_messages_read_request(&reader, &found) == HDHT_ERR_TRUNCATED && reader.next == datagram.data);
  }
}

static void check_response_writes(const hd_messages_response *response, const hd_json *hex) {
  uint8_t bytes[HD_MESSAGES_RPC_SIZE_MAX];
  size_t size = 0;
  VECTOR_CHECK(hd_messages_response_size(response, &size) == HDHT_OK);
  if (!VECTOR_CHECK(size > 0 && size <= sizeof bytes)) return;
  hd_writer writer = hd_writer_of(bytes, size - 1);
  VECTOR_CHECK(hd_messages_write_response(&writer, response) == HDHT_ERR_BUFFER_TOO_SMALL && writer.next == bytes);
  writer = hd_writer_of(bytes, size);
  VECTOR_CHECK(hd_messages_write_response(&writer, response) == HDHT_OK);
  hd_vector_check_hex(hex, bytes, (size_t)(writer.next - bytes), "response");
}

void hd_vector_check_response(const hd_json *fields, const hd_json *hex) {
  const hd_bytes datagram = hd_vector_bytes(hex);
  VECTOR_CHECK(hd_messages_rpc_kind_of(datagram) == HD_MESSAGES_RPC_RESPONSE);
  const hd_messages_response expected = response_of(fields, datagram);
  check_response_writes(&expected, hex);

  hd_messages_response found;
  hd_reader reader = hd_reader_of(datagram);
  if (!VECTOR_CHECK(hd_messages_read_response(&reader, &found) == HDHT_OK)) return;
  VECTOR_CHECK((size_t)(reader.next - datagram.data) == hd_json_integer(fields, "consumed", datagram.size));
  VECTOR_CHECK(found.tid == expected.tid && found.error == expected.error && found.has_value == expected.has_value);
  VECTOR_CHECK(found.closer_nodes.count == expected.closer_nodes.count);
  VECTOR_CHECK(hd_address_equal(&found.to, &expected.to));
  VECTOR_CHECK(hd_bytes_equal(found.value, expected.value));
  check_response_writes(&found, hex);

  for (size_t size = 0; size < datagram.size; size++) {
    reader = hd_reader_of(hd_bytes_of(datagram.data, size));
    VECTOR_CHECK(hd_messages_read_response(&reader, &found) == HDHT_ERR_TRUNCATED && reader.next == datagram.data);
  }
}
