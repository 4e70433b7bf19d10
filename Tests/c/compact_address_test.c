#include "codec/compact_address.h"

#include "base/address_text.h"
#include "test.h"

TEST(ipv4_address_is_host_in_reading_order_and_port_little_endian) {
  const hd_address address = hd_address_ipv4(127, 0, 0, 1, 49737);
  uint8_t output[6];
  hd_writer writer = hd_writer_of(output, sizeof output);
  REQUIRE(hd_codec_write_ipv4_address(&writer, &address) == HDHT_OK);
  uint8_t expected[6];
  hd_test_hex("7f000001 49c2", expected, sizeof expected);
  CHECK_BYTES(expected, output, 6);
}

TEST(ipv4_fields_refuse_other_families) {
  hd_address address = {.family = HDHT_FAMILY_IPV6};
  uint8_t output[32];
  hd_writer writer = hd_writer_of(output, sizeof output);
  CHECK_INT(HDHT_ERR_INVALID_ARGUMENT, hd_codec_write_ipv4_address(&writer, &address));
  address.family = HDHT_FAMILY_NONE;
  CHECK_INT(HDHT_ERR_INVALID_ARGUMENT, hd_codec_write_ipv4_address(&writer, &address));
  CHECK_INT(HDHT_ERR_INVALID_ARGUMENT, hd_codec_write_ip_address(&writer, &address));
  CHECK(writer.next == output);
}

TEST(mapped_ipv6_is_read_as_ipv4_and_written_back_the_same) {
  uint8_t input[18];
  hd_test_hex("00000000000000000000ffff01020304 5000", input, sizeof input);
  hd_reader reader = hd_reader_of(hd_bytes_of(input, sizeof input));
  hd_address address;
  REQUIRE(hd_codec_read_ipv6_address(&reader, &address) == HDHT_OK);
  const hd_address expected = hd_address_ipv4(1, 2, 3, 4, 80);
  CHECK(hd_address_equal(&expected, &address));
  uint8_t output[18];
  hd_writer writer = hd_writer_of(output, sizeof output);
  CHECK_INT(HDHT_OK, hd_codec_write_ipv6_address(&writer, &address));
  CHECK_BYTES(input, output, 18);
}

TEST(address_cut_short_anywhere_is_refused_and_nothing_moves) {
  uint8_t input[19];
  hd_test_hex("06 20010db8000000000000000000000001 ffff", input, sizeof input);
  for (size_t size = 0; size < sizeof input; size++) {
    hd_reader reader = hd_reader_of(hd_bytes_of(input, size));
    hd_address address = {.port = 7};
    CHECK_INT(HDHT_ERR_TRUNCATED, hd_codec_read_ip_address(&reader, &address));
    CHECK(reader.next == input);
    CHECK_UINT(7, address.port);
    uint8_t output[19];
    hd_writer writer = hd_writer_of(output, size);
    CHECK_INT(HDHT_ERR_BUFFER_TOO_SMALL, hd_codec_write_ip_address(&writer, &(hd_address){.family = 6}));
    CHECK(writer.next == output);
  }
}

TEST(addresses_read_and_print_as_people_write_them) {
  hd_address address;
  char text[HD_ADDRESS_TEXT_SIZE];
  REQUIRE(hd_address_parse_host("2001:db8:0:0:0:0:0:1", &address) == HDHT_OK);
  address.port = 443;
  CHECK_TEXT("[2001:db8::1]:443", hd_address_format(&address, text));
  REQUIRE(hd_address_parse_host("::ffff:1.2.3.4", &address) == HDHT_OK);
  CHECK_TEXT("1.2.3.4:0", hd_address_format(&address, text));
  CHECK_TEXT("none", hd_address_format(&(hd_address){0}, text));
  CHECK_INT(HDHT_ERR_MALFORMED, hd_address_parse_host("1.2.3", &address));
  CHECK_INT(HDHT_ERR_MALFORMED, hd_address_parse_host("01.2.3.4", &address));
  CHECK_INT(HDHT_ERR_MALFORMED, hd_address_parse_host("example.org", &address));
}
