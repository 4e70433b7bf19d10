#include "udx/udx_packet.h"

#include "test.h"

static hd_bytes packet_of(uint8_t *bytes, const char *hex) {
  return hd_bytes_of(bytes, hd_test_hex(hex, bytes, 64));
}

#define HEADER(flags, offset) "ff01" flags offset " 02000000 00004000 05000000 07000000"

TEST(udx_packet_needs_magic_version_and_a_whole_header) {
  uint8_t bytes[64];
  CHECK(hd_udx_packet_is_udx(packet_of(bytes, HEADER("00", "00"))));
  CHECK(!hd_udx_packet_is_udx(packet_of(bytes, "ff010000 02000000 00004000 05000000 070000")));
  CHECK(!hd_udx_packet_is_udx(packet_of(bytes, "fe010000 02000000 00004000 05000000 07000000")));
  CHECK(!hd_udx_packet_is_udx(packet_of(bytes, "ff020000 02000000 00004000 05000000 07000000")));
  CHECK(!hd_udx_packet_is_udx((hd_bytes){0}));
}

TEST(udx_packet_reads_every_field) {
  uint8_t bytes[64];
  hd_udx_packet packet;
  REQUIRE(hd_udx_packet_parse(packet_of(bytes, HEADER("01", "02") "0000 616263"), &packet) == HDHT_OK);
  CHECK_UINT(HD_UDX_FLAG_DATA, packet.header.flags);
  CHECK_UINT(2, packet.header.data_offset);
  CHECK_UINT(2, packet.header.stream_id);
  CHECK_UINT(0x400000, packet.header.window);
  CHECK_UINT(5, packet.header.seq);
  CHECK_UINT(7, packet.header.ack);
  CHECK_UINT(3, packet.payload.size);
  CHECK_BYTES("abc", packet.payload.data, 3);
  CHECK_UINT(0, packet.sack.size);
}

TEST(udx_packet_may_be_all_extension_but_not_more) {
  uint8_t bytes[64];
  hd_udx_packet packet;
  CHECK_INT(HDHT_OK, hd_udx_packet_parse(packet_of(bytes, HEADER("01", "03") "616263"), &packet));
  CHECK_UINT(0, packet.payload.size);
  CHECK_INT(HDHT_ERR_MALFORMED, hd_udx_packet_parse(packet_of(bytes, HEADER("01", "04") "616263"), &packet));
}

TEST(udx_packet_finds_ranges_in_the_extension_or_up_to_the_end) {
  uint8_t bytes[64];
  hd_udx_packet packet;
  REQUIRE(hd_udx_packet_parse(packet_of(bytes, HEADER("04", "00") "0900000010000000 aabbcc"), &packet) == HDHT_OK);
  CHECK_UINT(8, packet.sack.size); /* the rest is no whole block */
  CHECK_UINT(9, hd_udx_packet_sack_block(packet.sack, 0).start);
  CHECK_UINT(16, hd_udx_packet_sack_block(packet.sack, 0).end);

  REQUIRE(hd_udx_packet_parse(packet_of(bytes, HEADER("05", "08") "0900000010000000 6162"), &packet) == HDHT_OK);
  CHECK_UINT(8, packet.sack.size);
  CHECK_UINT(2, packet.payload.size);

  REQUIRE(hd_udx_packet_parse(packet_of(bytes, HEADER("05", "08") "0900000010000000"), &packet) == HDHT_OK);
  CHECK_UINT(8, packet.sack.size);
  CHECK_UINT(0, packet.payload.size);
}

TEST(udx_seq_wraps_around) {
  CHECK(hd_udx_seq_before(0xffffffff, 0));
  CHECK(!hd_udx_seq_before(0, 0xffffffff));
  CHECK(!hd_udx_seq_before(5, 5));
  CHECK(hd_udx_seq_at_or_before(5, 5));
  CHECK_INT(-2, hd_udx_seq_distance(1, 0xffffffff));
}
