#include "messages/message_blind_relay.h"

#include <string.h>

#include "test.h"

TEST(pair_matches_the_worked_examples) {
  uint8_t token[32], bytes[64], expected[64];
  memset(token, 0xee, sizeof token);
  hd_messages_pair pair = {.is_initiator = true, .token = token, .id = 0x11223344};
  hd_writer writer = hd_writer_of(bytes, sizeof bytes);
  REQUIRE(hd_messages_write_pair(&writer, &pair) == HDHT_OK);
  CHECK_UINT(39, writer.next - bytes);
  CHECK_UINT(1, bytes[0]);
  CHECK_UINT(6, hd_test_hex("fe44332211 00", expected, sizeof expected));
  CHECK_BYTES(token, bytes + 1, 32);
  CHECK_BYTES(expected, bytes + 33, 6);

  pair = (hd_messages_pair){.token = token, .id = 7};
  writer = hd_writer_of(bytes, 34);
  CHECK_INT(HDHT_ERR_BUFFER_TOO_SMALL, hd_messages_write_pair(&writer, &pair));
  writer = hd_writer_of(bytes, 35);
  CHECK_INT(HDHT_OK, hd_messages_write_pair(&writer, &pair));
  CHECK_UINT(0, bytes[0]);
}

TEST(flags_may_come_in_any_width) {
  static const char *const flags[] = {"01", "7f", "fd0100", "fe01000000", "ff0100000000000000"};
  for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++) {
    uint8_t bytes[64] = {0};
    const size_t flags_size = hd_test_hex(flags[i], bytes, sizeof bytes);
    hd_reader reader = hd_reader_of(hd_bytes_of(bytes, flags_size + 34));
    hd_messages_pair pair;
    REQUIRE(hd_messages_read_pair(&reader, &pair) == HDHT_OK);
    CHECK(pair.is_initiator);
    CHECK(pair.token == bytes + flags_size);
    CHECK_UINT(0, hd_reader_remaining(&reader));
  }
}

TEST(pair_id_has_32_bits) {
  uint8_t bytes[64] = {0};
  const size_t size = 33 + hd_test_hex("ff0000000001000000 00", bytes + 33, 16);
  hd_reader reader = hd_reader_of(hd_bytes_of(bytes, size));
  hd_messages_pair pair;
  CHECK_INT(HDHT_ERR_TOO_LARGE, hd_messages_read_pair(&reader, &pair));
  CHECK(reader.next == bytes);
}

TEST(unpair_needs_its_whole_token) {
  uint8_t bytes[33] = {0};
  hd_messages_unpair unpair = {0};
  hd_reader reader = hd_reader_of(hd_bytes_of(bytes, 32));
  CHECK_INT(HDHT_ERR_TRUNCATED, hd_messages_read_unpair(&reader, &unpair));
  hd_writer writer = hd_writer_of(bytes, sizeof bytes);
  CHECK_INT(HDHT_ERR_INVALID_ARGUMENT, hd_messages_write_unpair(&writer, &unpair));
  reader = hd_reader_of(hd_bytes_of(bytes, 33));
  CHECK_INT(HDHT_OK, hd_messages_read_unpair(&reader, &unpair));
  CHECK(unpair.token == bytes + 1);
}
