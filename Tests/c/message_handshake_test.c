#include "messages/message_handshake.h"

#include "test.h"

static int read_hex(const char *text, hd_messages_handshake *handshake) {
  static uint8_t bytes[64];
  hd_reader reader = hd_reader_of(hd_bytes_of(bytes, hd_test_hex(text, bytes, sizeof bytes)));
  return hd_messages_read_handshake(&reader, handshake);
}

TEST(handshake_without_addresses_has_none) {
  hd_messages_handshake handshake;
  REQUIRE(read_hex("00 04 02aabb", &handshake) == HDHT_OK);
  CHECK_INT(HD_MESSAGES_REPLY, handshake.mode);
  CHECK_UINT(2, handshake.noise.size);
  CHECK(hd_address_is_none(&handshake.peer_address));
  CHECK(hd_address_is_none(&handshake.relay_address));
}

TEST(handshake_address_0_0_0_0_is_an_address) {
  hd_messages_handshake handshake;
  REQUIRE(read_hex("02 00 00 000000000000", &handshake) == HDHT_OK);
  CHECK(hd_address_is_none(&handshake.peer_address));
  CHECK(!hd_address_is_none(&handshake.relay_address));
  size_t size;
  REQUIRE(hd_messages_handshake_size(&handshake, &size) == HDHT_OK);
  CHECK_UINT(9, size);
}

TEST(handshake_of_an_unknown_mode_is_refused) {
  hd_messages_handshake handshake = {.mode = HD_MESSAGES_FROM_RELAY};
  CHECK_INT(HDHT_ERR_UNKNOWN_TYPE, read_hex("00 05 00", &handshake));
  CHECK_INT(HDHT_ERR_TRUNCATED, read_hex("00 04", &handshake));
  CHECK_INT(HDHT_ERR_TRUNCATED, read_hex("03 04 00 010203040506 0102030405", &handshake));
  CHECK_INT(HD_MESSAGES_FROM_RELAY, handshake.mode);
}

TEST(handshake_carries_ipv4_addresses_only) {
  const hd_messages_handshake handshake = {.peer_address = {.family = HDHT_FAMILY_IPV6}};
  uint8_t bytes[64];
  hd_writer writer = hd_writer_of(bytes, sizeof bytes);
  CHECK_INT(HDHT_ERR_INVALID_ARGUMENT, hd_messages_write_handshake(&writer, &handshake));
  CHECK(writer.next == bytes);
}
