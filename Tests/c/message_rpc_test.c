#include "messages/message_rpc.h"

#include <string.h>

#include "test.h"

#define A  "cb00710749c2"
#define ID "8b7a57c0a324d145fdd3d1cc5c08db7060066d58013ce191287846bec0c3e307"

static hd_reader reader_of_hex(const char *text, uint8_t *bytes, size_t capacity) {
  return hd_reader_of(hd_bytes_of(bytes, hd_test_hex(text, bytes, capacity)));
}

static int read_request_hex(const char *text, hd_messages_request *request) {
  static uint8_t bytes[512];
  hd_reader reader = reader_of_hex(text, bytes, sizeof bytes);
  return hd_messages_read_request(&reader, request);
}

static int read_response_hex(const char *text, hd_messages_response *response) {
  static uint8_t bytes[512];
  hd_reader reader = reader_of_hex(text, bytes, sizeof bytes);
  return hd_messages_read_response(&reader, response);
}

TEST(the_first_byte_tells_requests_and_responses_of_version_3_apart) {
  for (unsigned first = 0; first < 256; first++) {
    const uint8_t byte = (uint8_t)first;
    const hd_messages_rpc_kind expected = byte == 0x03   ? HD_MESSAGES_RPC_REQUEST
                                          : byte == 0x13 ? HD_MESSAGES_RPC_RESPONSE
                                                         : HD_MESSAGES_RPC_OTHER;
    CHECK_INT(expected, hd_messages_rpc_kind_of(hd_bytes_of(&byte, 1)));
  }
  CHECK_INT(HD_MESSAGES_RPC_OTHER, hd_messages_rpc_kind_of((hd_bytes){0}));
}

TEST(a_datagram_of_the_other_kind_is_refused) {
  hd_messages_request request;
  hd_messages_response response;
  CHECK_INT(HDHT_OK, read_request_hex("03043412" A "00", &request));
  CHECK_INT(HDHT_ERR_UNKNOWN_TYPE, read_request_hex("13003412" A "00", &request));
  CHECK_INT(HDHT_ERR_UNKNOWN_TYPE, read_request_hex("02043412" A "00", &request));
  CHECK_INT(HDHT_OK, read_response_hex("13003412" A, &response));
  CHECK_INT(HDHT_ERR_UNKNOWN_TYPE, read_response_hex("03003412" A, &response));
}

TEST(request_lends_every_field) {
  uint8_t bytes[256];
  hd_reader reader = reader_of_hex("031f3412" A ID ID "02" ID "0249c2 ff", bytes, sizeof bytes);
  hd_messages_request request;
  REQUIRE(hd_messages_read_request(&reader, &request) == HDHT_OK);
  CHECK_UINT(1, hd_reader_remaining(&reader));
  CHECK_UINT(0x1234, request.tid);
  CHECK_UINT(49737, request.to.port);
  CHECK(request.is_internal);
  CHECK(request.id == bytes + 10);
  CHECK(request.token == bytes + 42);
  CHECK_UINT(HD_MESSAGES_FIND_NODE, request.command);
  CHECK(request.target == bytes + 75);
  CHECK(request.has_value);
  CHECK(request.value.data == bytes + 108);
  CHECK_UINT(2, request.value.size);
}

TEST(request_failing_in_its_last_field_leaves_everything_alone) {
  uint8_t bytes[64];
  hd_reader reader = reader_of_hex("03143512" A "0103 49c2", bytes, sizeof bytes);
  hd_messages_request request = {.tid = 77};
  CHECK_INT(HDHT_ERR_TRUNCATED, hd_messages_read_request(&reader, &request));
  CHECK(reader.next == bytes);
  CHECK_UINT(77, request.tid);
}

TEST(unknown_flags_and_long_forms_are_accepted) {
  hd_messages_request request;
  CHECK_INT(HDHT_OK, read_request_hex("03e40500" A "00", &request));
  CHECK(request.is_internal && !request.has_value && request.id == NULL);
  CHECK_INT(HDHT_OK, read_request_hex("03fd04000500" A "fd0200", &request));
  CHECK(request.is_internal);
  CHECK_UINT(HD_MESSAGES_FIND_NODE, request.command);
  CHECK_INT(HDHT_OK, read_request_hex("03ff04000000000010000500" A "00", &request));
  CHECK(request.is_internal);
}

TEST(an_empty_value_is_not_the_same_as_none) {
  hd_messages_request request;
  REQUIRE(read_request_hex("03100500" A "07 00", &request) == HDHT_OK);
  CHECK(request.has_value);
  CHECK_UINT(0, request.value.size);

  request.value.data = NULL;
  uint8_t bytes[16];
  hd_writer writer = hd_writer_of(bytes, sizeof bytes);
  REQUIRE(hd_messages_write_request(&writer, &request) == HDHT_OK);
  CHECK_UINT(12, writer.next - bytes);
  request.has_value = false;
  writer = hd_writer_of(bytes, sizeof bytes);
  REQUIRE(hd_messages_write_request(&writer, &request) == HDHT_OK);
  CHECK_UINT(11, writer.next - bytes);
}

TEST(response_with_the_closer_nodes_flag_and_no_nodes_is_accepted) {
  hd_messages_response response;
  CHECK_INT(HDHT_OK, read_response_hex("13040000" A "00", &response));
  CHECK_UINT(0, response.closer_nodes.count);
}

TEST(closer_nodes_beyond_the_datagram_are_refused) {
  hd_messages_response response;
  CHECK_INT(HDHT_OK, read_response_hex("13040000" A "01" A, &response));
  CHECK_INT(HDHT_ERR_TRUNCATED, read_response_hex("13040000" A "02" A, &response));
  CHECK_INT(HDHT_ERR_TRUNCATED, read_response_hex("13040000" A "fe00001000" A, &response));
  CHECK_INT(HDHT_ERR_TOO_LARGE, read_response_hex("13040000" A "fe01001000" A, &response));
}

TEST(error_0_and_no_closer_nodes_take_no_bytes) {
  const hd_messages_response response = {.tid = 5, .to = hd_address_ipv4(198, 51, 100, 9, 51000)};
  uint8_t bytes[10], expected[10];
  hd_writer writer = hd_writer_of(bytes, sizeof bytes);
  REQUIRE(hd_messages_write_response(&writer, &response) == HDHT_OK);
  hd_test_hex("13000500c633640938c7", expected, sizeof expected);
  CHECK_BYTES(expected, bytes, sizeof bytes);
}

TEST(a_list_that_was_read_is_written_as_it_came) {
  uint8_t bytes[64], again[64];
  hd_reader reader = reader_of_hex("13040500" A "02 c000022c4bc2 c00002214ac2", bytes, sizeof bytes);
  hd_messages_response response;
  REQUIRE(hd_messages_read_response(&reader, &response) == HDHT_OK);
  hd_writer writer = hd_writer_of(again, sizeof again);
  REQUIRE(hd_messages_write_response(&writer, &response) == HDHT_OK);
  CHECK_UINT(23, writer.next - again);
  CHECK_BYTES(bytes, again, 23);
}

TEST(no_datagram_above_the_size_everyone_receives_is_written) {
  static uint8_t value[HD_MESSAGES_RPC_SIZE_MAX], bytes[HD_MESSAGES_RPC_SIZE_MAX + 16];
  hd_messages_request request = {.to = hd_address_ipv4(1, 2, 3, 4, 5), .command = 8, .has_value = true};
  request.value = hd_bytes_of(value, HD_MESSAGES_RPC_SIZE_MAX - 14); /* header 10, command 1, length 3 */
  hd_writer writer = hd_writer_of(bytes, sizeof bytes);
  CHECK_INT(HDHT_OK, hd_messages_write_request(&writer, &request));
  CHECK_UINT(HD_MESSAGES_RPC_SIZE_MAX, writer.next - bytes);

  request.value.size++;
  size_t size = 1;
  writer = hd_writer_of(bytes, sizeof bytes);
  CHECK_INT(HDHT_ERR_TOO_LARGE, hd_messages_write_request(&writer, &request));
  CHECK_INT(HDHT_ERR_TOO_LARGE, hd_messages_request_size(&request, &size));
  CHECK(writer.next == bytes);
  CHECK_UINT(1, size);
}

TEST(only_ipv4_addresses_can_be_written) {
  hd_messages_request request = {.to = {.family = HDHT_FAMILY_IPV6}};
  hd_messages_response response = {.to = {.family = HDHT_FAMILY_NONE}};
  uint8_t bytes[64];
  hd_writer writer = hd_writer_of(bytes, sizeof bytes);
  CHECK_INT(HDHT_ERR_INVALID_ARGUMENT, hd_messages_write_request(&writer, &request));
  CHECK_INT(HDHT_ERR_INVALID_ARGUMENT, hd_messages_write_response(&writer, &response));
  const hd_address ipv6 = {.family = HDHT_FAMILY_IPV6};
  response.to = hd_address_ipv4(1, 2, 3, 4, 5);
  response.closer_nodes = (hdht_address_list){.array = &ipv6, .count = 1};
  CHECK_INT(HDHT_ERR_INVALID_ARGUMENT, hd_messages_write_response(&writer, &response));
  CHECK(writer.next == bytes);
}

TEST(ping_nat_needs_two_bytes_and_a_port) {
  const uint8_t value[3] = {0x49, 0xc2, 0xff}, zero[2] = {0, 0};
  uint16_t port = 7;
  CHECK_INT(HDHT_ERR_TRUNCATED, hd_messages_read_ping_nat((hd_bytes){0}, &port));
  CHECK_INT(HDHT_ERR_TRUNCATED, hd_messages_read_ping_nat(hd_bytes_of(value, 1), &port));
  CHECK_INT(HDHT_ERR_MALFORMED, hd_messages_read_ping_nat(hd_bytes_of(zero, 2), &port));
  CHECK_UINT(7, port);
  CHECK_INT(HDHT_OK, hd_messages_read_ping_nat(hd_bytes_of(value, 2), &port));
  CHECK_UINT(49737, port);
  CHECK_INT(HDHT_OK, hd_messages_read_ping_nat(hd_bytes_of(value, 3), &port));
  uint8_t written[HD_MESSAGES_PING_NAT_SIZE];
  hd_messages_write_ping_nat(written, 49737);
  CHECK_BYTES(value, written, sizeof written);
}

TEST(down_hint_needs_a_whole_address) {
  uint8_t value[7], written[HD_MESSAGES_DOWN_HINT_SIZE];
  hd_test_hex("c000022c4bc2 00", value, sizeof value);
  hd_address node = {0};
  CHECK_INT(HDHT_ERR_TRUNCATED, hd_messages_read_down_hint(hd_bytes_of(value, 5), &node));
  CHECK(hd_address_is_none(&node));
  CHECK_INT(HDHT_OK, hd_messages_read_down_hint(hd_bytes_of(value, 7), &node));
  const hd_address expected = hd_address_ipv4(192, 0, 2, 44, 49739);
  CHECK(hd_address_equal(&expected, &node));
  hd_messages_write_down_hint(written, &node);
  CHECK_BYTES(value, written, sizeof written);
}

TEST(delayed_ping_needs_four_bytes) {
  const uint8_t value[4] = {0xe8, 3, 0, 0};
  uint32_t delay_ms = 1;
  CHECK_INT(HDHT_ERR_TRUNCATED, hd_messages_read_delayed_ping(hd_bytes_of(value, 3), &delay_ms));
  CHECK_UINT(1, delay_ms);
  CHECK_INT(HDHT_OK, hd_messages_read_delayed_ping(hd_bytes_of(value, 4), &delay_ms));
  CHECK_UINT(1000, delay_ms);
  uint8_t written[HD_MESSAGES_DELAYED_PING_SIZE];
  hd_messages_write_delayed_ping(written, UINT32_MAX);
  CHECK_UINT(0xff, written[3]);
}
