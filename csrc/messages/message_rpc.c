#include "messages/message_rpc.h"

#include "messages/message_fields.h"

#define VERSION       3
#define REQUEST_BYTE  (0 << 4 | VERSION)
#define RESPONSE_BYTE (1 << 4 | VERSION)

enum {
  HAS_ID = 0x01,
  HAS_TOKEN = 0x02,
  IS_INTERNAL = 0x04, /* requests */
  HAS_CLOSER = 0x04,  /* responses */
  HAS_TARGET = 0x08,  /* requests */
  HAS_ERROR = 0x08,   /* responses */
  HAS_VALUE = 0x10,
};

hd_messages_rpc_kind hd_messages_rpc_kind_of(hd_bytes datagram) {
  if (datagram.size == 0) return HD_MESSAGES_RPC_OTHER;
  switch (datagram.data[0]) {
    case REQUEST_BYTE: return HD_MESSAGES_RPC_REQUEST;
    case RESPONSE_BYTE: return HD_MESSAGES_RPC_RESPONSE;
    default: return HD_MESSAGES_RPC_OTHER;
  }
}

static uint16_t take_tid(hd_messages_input *input) {
  const uint8_t *bytes = hd_messages_take_fixed(input, 2);
  return bytes != NULL ? hd_load_le16(bytes) : 0;
}

static void take_first_byte(hd_messages_input *input, uint8_t expected) {
  const uint8_t *first = hd_messages_take_fixed(input, 1);
  if (first != NULL && *first != expected) hd_messages_input_fail(input, HDHT_ERR_UNKNOWN_TYPE);
}

int hd_messages_read_request(hd_reader *reader, hd_messages_request *request) {
  hd_messages_input input = hd_messages_input_of(reader);
  take_first_byte(&input, REQUEST_BYTE);
  const uint64_t flags = hd_messages_take_uint(&input);
  hd_messages_request found = {.is_internal = flags & IS_INTERNAL, .has_value = flags & HAS_VALUE};
  found.tid = take_tid(&input);
  found.to = hd_messages_take_address(&input);
  found.id = hd_messages_take_fixed_if(&input, flags & HAS_ID, HDHT_NODE_ID_SIZE);
  found.token = hd_messages_take_fixed_if(&input, flags & HAS_TOKEN, HDHT_TOKEN_SIZE);
  found.command = hd_messages_take_uint(&input);
  found.target = hd_messages_take_fixed_if(&input, flags & HAS_TARGET, HDHT_HASH_SIZE);
  if (found.has_value) found.value = hd_messages_take_buffer(&input);

  const int error = hd_messages_input_end(&input, reader);
  if (error == HDHT_OK) *request = found;
  return error;
}

int hd_messages_read_response(hd_reader *reader, hd_messages_response *response) {
  hd_messages_input input = hd_messages_input_of(reader);
  take_first_byte(&input, RESPONSE_BYTE);
  const uint64_t flags = hd_messages_take_uint(&input);
  hd_messages_response found = {.has_value = flags & HAS_VALUE};
  found.tid = take_tid(&input);
  found.to = hd_messages_take_address(&input);
  found.id = hd_messages_take_fixed_if(&input, flags & HAS_ID, HDHT_NODE_ID_SIZE);
  found.token = hd_messages_take_fixed_if(&input, flags & HAS_TOKEN, HDHT_TOKEN_SIZE);
  if (flags & HAS_CLOSER) found.closer_nodes = hd_messages_take_addresses(&input);
  if (flags & HAS_ERROR) found.error = hd_messages_take_uint(&input);
  if (found.has_value) found.value = hd_messages_take_buffer(&input);

  const int error = hd_messages_input_end(&input, reader);
  if (error == HDHT_OK) *response = found;
  return error;
}

static void put_head(hd_messages_output *output, uint8_t first, unsigned flags, uint16_t tid, const hd_address *to) {
  uint8_t *space = hd_messages_put_space(output, 4);
  if (space != NULL) {
    space[0] = first;
    space[1] = (uint8_t)flags; /* a uint, but all known flags together fit its one-byte form */
    hd_store_le16(space + 2, tid);
  }
  hd_messages_put_address(output, to);
}

static void limit_size(hd_messages_output *output) {
  if (output->size > HD_MESSAGES_RPC_SIZE_MAX) hd_messages_output_fail(output, HDHT_ERR_TOO_LARGE);
}

static void put_request(hd_messages_output *output, const hd_messages_request *request) {
  const unsigned flags = (request->id != NULL ? HAS_ID : 0U) | (request->token != NULL ? HAS_TOKEN : 0U) |
                         (request->is_internal ? IS_INTERNAL : 0U) | (request->target != NULL ? HAS_TARGET : 0U) |
                         (request->has_value ? HAS_VALUE : 0U);
  put_head(output, REQUEST_BYTE, flags, request->tid, &request->to);
  hd_messages_put_fixed_if(output, request->id, HDHT_NODE_ID_SIZE);
  hd_messages_put_fixed_if(output, request->token, HDHT_TOKEN_SIZE);
  hd_messages_put_uint(output, request->command);
  hd_messages_put_fixed_if(output, request->target, HDHT_HASH_SIZE);
  if (request->has_value) hd_messages_put_buffer(output, request->value);
  limit_size(output);
}
HD_MESSAGES_WRITER(request)

static void put_response(hd_messages_output *output, const hd_messages_response *response) {
  const bool has_closer = response->closer_nodes.count > 0, has_error = response->error != HD_MESSAGES_RPC_OK;
  const unsigned flags = (response->id != NULL ? HAS_ID : 0U) | (response->token != NULL ? HAS_TOKEN : 0U) |
                         (has_closer ? HAS_CLOSER : 0U) | (has_error ? HAS_ERROR : 0U) |
                         (response->has_value ? HAS_VALUE : 0U);
  put_head(output, RESPONSE_BYTE, flags, response->tid, &response->to);
  hd_messages_put_fixed_if(output, response->id, HDHT_NODE_ID_SIZE);
  hd_messages_put_fixed_if(output, response->token, HDHT_TOKEN_SIZE);
  if (has_closer) hd_messages_put_addresses(output, &response->closer_nodes);
  if (has_error) hd_messages_put_uint(output, response->error);
  if (response->has_value) hd_messages_put_buffer(output, response->value);
  limit_size(output);
}
HD_MESSAGES_WRITER(response)

int hd_messages_read_ping_nat(hd_bytes value, uint16_t *port) {
  if (value.size < HD_MESSAGES_PING_NAT_SIZE) return HDHT_ERR_TRUNCATED;
  const uint16_t found = hd_load_le16(value.data);
  if (found == 0) return HDHT_ERR_MALFORMED;
  *port = found;
  return HDHT_OK;
}

void hd_messages_write_ping_nat(uint8_t value[HD_MESSAGES_PING_NAT_SIZE], uint16_t port) {
  hd_assert(port != 0);
  hd_store_le16(value, port);
}

int hd_messages_read_down_hint(hd_bytes value, hd_address *node) {
  hd_reader reader = hd_reader_of(value);
  return hd_codec_read_ipv4_address(&reader, node);
}

void hd_messages_write_down_hint(uint8_t value[HD_MESSAGES_DOWN_HINT_SIZE], const hd_address *node) {
  hd_writer writer = hd_writer_of(value, HD_MESSAGES_DOWN_HINT_SIZE);
  const int error = hd_codec_write_ipv4_address(&writer, node);
  hd_assert(error == HDHT_OK);
}

int hd_messages_read_delayed_ping(hd_bytes value, uint32_t *delay_ms) {
  if (value.size < HD_MESSAGES_DELAYED_PING_SIZE) return HDHT_ERR_TRUNCATED;
  *delay_ms = hd_load_le32(value.data);
  return HDHT_OK;
}

void hd_messages_write_delayed_ping(uint8_t value[HD_MESSAGES_DELAYED_PING_SIZE], uint32_t delay_ms) {
  hd_store_le32(value, delay_ms);
}
