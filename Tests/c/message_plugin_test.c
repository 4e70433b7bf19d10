#include "messages/message_plugin.h"

#include "test.h"

TEST(plugin_request_matches_the_worked_example) {
  const hd_messages_plugin_request request = {.plugin = hd_bytes_of("testplugin", 10),
                                              .version = 1,
                                              .command = 2,
                                              .has_value = true,
                                              .value = hd_bytes_of("hi", 2)};
  uint8_t bytes[32], expected[32];
  hd_writer writer = hd_writer_of(bytes, sizeof bytes);
  REQUIRE(hd_messages_write_plugin_request(&writer, &request) == HDHT_OK);
  CHECK_UINT(hd_test_hex("0a74657374706c7567696e010201026869", expected, sizeof expected), writer.next - bytes);
  CHECK_BYTES(expected, bytes, 17);
}

TEST(plugin_request_keeps_empty_and_absent_values_apart) {
  uint8_t bytes[8];
  hd_messages_plugin_request request;
  hd_reader reader = hd_reader_of(hd_bytes_of(bytes, hd_test_hex("00 00 00 00", bytes, sizeof bytes)));
  REQUIRE(hd_messages_read_plugin_request(&reader, &request) == HDHT_OK);
  CHECK(!request.has_value);
  reader = hd_reader_of(hd_bytes_of(bytes, hd_test_hex("00 00 00 01 00", bytes, sizeof bytes)));
  REQUIRE(hd_messages_read_plugin_request(&reader, &request) == HDHT_OK);
  CHECK(request.has_value);
  CHECK_UINT(0, request.value.size);
  reader = hd_reader_of(hd_bytes_of(bytes, hd_test_hex("00 00 00 01", bytes, sizeof bytes)));
  CHECK_INT(HDHT_ERR_TRUNCATED, hd_messages_read_plugin_request(&reader, &request));
}
