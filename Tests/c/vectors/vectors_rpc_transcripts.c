/* transcripts: every dht-rpc datagram of a server that announces itself and a client that connects to it, and the
 * HyperDHT payload inside each, decoded and written back byte for byte. */
#include <string.h>

#include "messages/message_announce.h"
#include "messages/message_command.h"
#include "messages/message_handshake.h"
#include "messages/message_holepunch.h"
#include "vectors_rpc_datagram.h"

/* A response does not say what it answers, but has the transaction id of its request: the external command, plus 1. */
static uint8_t commands_by_tid[UINT16_MAX + 1];

/* Reads `value`, writes what was read and compares. */
#define CHECK_VALUE(type, name, value)                                                                  \
  do {                                                                                                  \
    type message;                                                                                       \
    hd_reader value_reader = hd_reader_of(value);                                                       \
    if (!VECTOR_CHECK(hd_messages_read_##name(&value_reader, &message) == HDHT_OK)) break;              \
    uint8_t *written = hd_vector_scratch((value).size);                                                 \
    hd_writer value_writer = hd_writer_of(written, (value).size);                                       \
    VECTOR_CHECK(hd_messages_write_##name(&value_writer, &message) == HDHT_OK);                         \
    VECTOR_CHECK(hd_bytes_equal((value), hd_bytes_of(written, (size_t)(value_writer.next - written)))); \
  } while (0)

static void check_request(const hd_json *fields, const hd_json *hex) {
  hd_vector_check_request(fields, hex);
  hd_messages_request request;
  hd_reader reader = hd_reader_of(hd_vector_bytes(hex));
  if (hd_messages_read_request(&reader, &request) != HDHT_OK) return;
  commands_by_tid[request.tid] = request.is_internal ? 0 : (uint8_t)(request.command + 1);
  if (request.is_internal || !request.has_value) return;
  switch (request.command) {
    case HD_MESSAGES_PEER_HANDSHAKE: CHECK_VALUE(hd_messages_handshake, handshake, request.value); break;
    case HD_MESSAGES_PEER_HOLEPUNCH: CHECK_VALUE(hd_messages_holepunch, holepunch, request.value); break;
    case HD_MESSAGES_ANNOUNCE:
    case HD_MESSAGES_UNANNOUNCE: CHECK_VALUE(hd_messages_announce, announce, request.value); break;
    default: hd_vector_fail("a command without value");
  }
}

static void check_response(const hd_json *fields, const hd_json *hex) {
  hd_vector_check_response(fields, hex);
  hd_messages_response response;
  hd_reader reader = hd_reader_of(hd_vector_bytes(hex));
  if (hd_messages_read_response(&reader, &response) != HDHT_OK || !response.has_value) return;
  switch (commands_by_tid[response.tid] - 1) {
    case HD_MESSAGES_PEER_HANDSHAKE: CHECK_VALUE(hd_messages_handshake, handshake, response.value); break;
    case HD_MESSAGES_PEER_HOLEPUNCH: CHECK_VALUE(hd_messages_holepunch, holepunch, response.value); break;
    case HD_MESSAGES_FIND_PEER: CHECK_VALUE(hdht_peer, peer, response.value); break;
    default: hd_vector_fail("a command answered with a value");
  }
}

static void check_line(const hd_json *line) {
  if (hd_json_get(line, "remote") == NULL) return; /* not a datagram */
  const hd_json *fields = hd_json_get(line, "decoded"), *hex = hd_json_get(line, "hex");
  const char *kind = hd_json_text(fields, "kind", "");
  if (strcmp(kind, "request") == 0) {
    check_request(fields, hex);
  } else if (strcmp(kind, "response") == 0) {
    check_response(fields, hex);
  } else {
    VECTOR_CHECK(hd_messages_rpc_kind_of(hd_vector_bytes(hex)) == HD_MESSAGES_RPC_OTHER);
  }
}

VECTOR_TRANSCRIPTS("dht-rpc", check_line)
