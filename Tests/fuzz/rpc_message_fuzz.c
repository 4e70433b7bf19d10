/* Any datagram: reading it reads nothing past the end, and what is accepted is written in no more bytes than were read
 * and then means the same. */
#include "fuzz_message.h"
#include "messages/message_node_id.h"
#include "messages/message_rpc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fuzz_same_request(const hd_messages_request *a, const hd_messages_request *b) {
  FUZZ_CHECK(a->tid == b->tid && a->is_internal == b->is_internal && a->command == b->command);
  FUZZ_CHECK(a->has_value == b->has_value && hd_bytes_equal(a->value, b->value));
  FUZZ_CHECK(hd_address_equal(&a->to, &b->to));
  fuzz_same_fixed(a->id, b->id, HDHT_NODE_ID_SIZE);
  fuzz_same_fixed(a->token, b->token, HDHT_TOKEN_SIZE);
  fuzz_same_fixed(a->target, b->target, HDHT_HASH_SIZE);
}
FUZZ_ROUND(hd_messages_request, request)

static void fuzz_same_response(const hd_messages_response *a, const hd_messages_response *b) {
  FUZZ_CHECK(a->tid == b->tid && a->error == b->error);
  FUZZ_CHECK(a->has_value == b->has_value && hd_bytes_equal(a->value, b->value));
  FUZZ_CHECK(hd_address_equal(&a->to, &b->to));
  fuzz_same_fixed(a->id, b->id, HDHT_NODE_ID_SIZE);
  fuzz_same_fixed(a->token, b->token, HDHT_TOKEN_SIZE);
  fuzz_same_addresses(a->closer_nodes, b->closer_nodes);
}
FUZZ_ROUND(hd_messages_response, response)

static void fuzz_values(hd_bytes value) {
  uint16_t port;
  hd_address node;
  uint32_t delay_ms;
  uint8_t written[HD_MESSAGES_DOWN_HINT_SIZE];
  if (hd_messages_read_ping_nat(value, &port) == HDHT_OK) {
    hd_messages_write_ping_nat(written, port);
    FUZZ_CHECK(memcmp(written, value.data, HD_MESSAGES_PING_NAT_SIZE) == 0);
  }
  if (hd_messages_read_down_hint(value, &node) == HDHT_OK) {
    hd_messages_write_down_hint(written, &node);
    FUZZ_CHECK(memcmp(written, value.data, HD_MESSAGES_DOWN_HINT_SIZE) == 0);
  }
  if (hd_messages_read_delayed_ping(value, &delay_ms) == HDHT_OK) {
    hd_messages_write_delayed_ping(written, delay_ms);
    FUZZ_CHECK(memcmp(written, value.data, HD_MESSAGES_DELAYED_PING_SIZE) == 0);
  }
}

static void fuzz_request(hd_bytes datagram) {
  hd_messages_request request;
  hd_reader reader = hd_reader_of(datagram);
  if (hd_messages_read_request(&reader, &request) != HDHT_OK) {
    FUZZ_CHECK(reader.next == datagram.data);
    return;
  }
  fuzz_round_request(&request, (size_t)(reader.next - datagram.data));
  fuzz_values(request.value);
  uint8_t id[HDHT_NODE_ID_SIZE];
  hd_messages_node_id(&request.to, id);
  FUZZ_CHECK(hd_messages_node_id_is_of(id, &request.to));
}

static void fuzz_response(hd_bytes datagram) {
  hd_messages_response response;
  hd_reader reader = hd_reader_of(datagram);
  if (hd_messages_read_response(&reader, &response) != HDHT_OK) {
    FUZZ_CHECK(reader.next == datagram.data);
    return;
  }
  fuzz_round_response(&response, (size_t)(reader.next - datagram.data));
  hdht_address *addresses = fuzz_address_array(response.closer_nodes, &response.closer_nodes);
  fuzz_round_response(&response, (size_t)(reader.next - datagram.data));
  free(addresses);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  const hd_bytes datagram = hd_bytes_of(data, size);
  if (size > HD_MESSAGES_RPC_SIZE_MAX) return 0; /* could not be written again */
  switch (hd_messages_rpc_kind_of(datagram)) {
    case HD_MESSAGES_RPC_REQUEST: fuzz_request(datagram); break;
    case HD_MESSAGES_RPC_RESPONSE: fuzz_response(datagram); break;
    case HD_MESSAGES_RPC_OTHER: {
      hd_messages_request request;
      hd_messages_response response;
      hd_reader reader = hd_reader_of(datagram);
      FUZZ_CHECK(hd_messages_read_request(&reader, &request) != HDHT_OK);
      FUZZ_CHECK(hd_messages_read_response(&reader, &response) != HDHT_OK);
      FUZZ_CHECK(reader.next == data);
    }
  }
  return 0;
}
