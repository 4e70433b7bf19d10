#include "codec/compact_bitfield.h"

#include "test.h"

static void check_written(unsigned bits_count, uint64_t bits, const char *hex) {
  uint8_t expected[9], output[9];
  const size_t size = hd_test_hex(hex, expected, sizeof expected);
  hd_writer writer = hd_writer_of(output, size);
  REQUIRE(hd_codec_write_bitfield(&writer, bits_count, bits) == HDHT_OK);
  CHECK(writer.next == output + size);
  CHECK_BYTES(expected, output, size);
  writer = hd_writer_of(output, size - 1);
  CHECK_INT(HDHT_ERR_BUFFER_TOO_SMALL, hd_codec_write_bitfield(&writer, bits_count, bits));
  CHECK(writer.next == output);
}

TEST(bitfield_width_follows_the_number_of_flags) {
  check_written(7, 1, "01");
  check_written(7, 0, "00");
  check_written(8, 1, "fd0100");
  check_written(16, 0x8000, "fd0080");
  check_written(17, 0, "fe00000000");
  check_written(33, 1, "ff0100000000000000");
}

TEST(bitfield_width_is_read_from_the_wire) {
  static const char *const forms[] = {"01", "fd0100", "fe01000000", "ff0100000000000000"};
  for (size_t i = 0; i < 4; i++) {
    uint8_t input[9];
    const size_t size = hd_test_hex(forms[i], input, sizeof input);
    hd_reader reader = hd_reader_of(hd_bytes_of(input, size));
    uint64_t bits = 0;
    CHECK_INT(HDHT_OK, hd_codec_read_bitfield(&reader, &bits));
    CHECK_UINT(1, bits);
    reader = hd_reader_of(hd_bytes_of(input, size - 1));
    CHECK_INT(HDHT_ERR_TRUNCATED, hd_codec_read_bitfield(&reader, &bits));
  }
}
