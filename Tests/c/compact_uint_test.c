#include "codec/compact_uint.h"

#include "test.h"

static int read_uint(const char *hex, uint64_t *value, size_t *consumed) {
  uint8_t bytes[16];
  const size_t size = hd_test_hex(hex, bytes, sizeof bytes);
  hd_reader reader = hd_reader_of(hd_bytes_of(bytes, size));
  const int error = hd_codec_read_uint(&reader, value);
  *consumed = (size_t)(reader.next - bytes);
  return error;
}

TEST(uint_takes_the_shortest_form_at_every_width_boundary) {
  static const struct {
    uint64_t value;
    const char *hex;
  } cases[] = {
      {0, "00"},
      {252, "fc"},
      {253, "fdfd00"},
      {65535, "fdffff"},
      {65536, "fe00000100"},
      {4294967295, "feffffffff"},
      {4294967296, "ff0000000001000000"},
      {UINT64_MAX, "ffffffffffffffffff"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    uint8_t expected[9], actual[9];
    const size_t size = hd_test_hex(cases[i].hex, expected, sizeof expected);
    CHECK_UINT(size, hd_codec_uint_size(cases[i].value));
    hd_writer writer = hd_writer_of(actual, sizeof actual);
    CHECK_INT(HDHT_OK, hd_codec_write_uint(&writer, cases[i].value));
    REQUIRE((size_t)(writer.next - actual) == size);
    CHECK_BYTES(expected, actual, size);
  }
}

TEST(uint_accepts_forms_that_are_longer_than_needed) {
  uint64_t value;
  size_t consumed;
  CHECK_INT(HDHT_OK, read_uint("fd0100", &value, &consumed));
  CHECK_UINT(1, value);
  CHECK_INT(HDHT_OK, read_uint("ff0100000000000000", &value, &consumed));
  CHECK_UINT(1, value);
  CHECK_UINT(9, consumed);
}

TEST(uint_rejects_a_width_that_runs_past_the_end) {
  static const char *const inputs[] = {"", "fd", "fd00", "fe000000", "ff00000000000000"};
  for (size_t i = 0; i < sizeof inputs / sizeof inputs[0]; i++) {
    uint64_t value = 77;
    size_t consumed;
    CHECK_INT(HDHT_ERR_TRUNCATED, read_uint(inputs[i], &value, &consumed));
    CHECK_UINT(77, value);
    CHECK_UINT(0, consumed);
  }
}

TEST(uint_write_refuses_a_buffer_that_is_one_byte_short) {
  uint8_t bytes[4];
  hd_writer writer = hd_writer_of(bytes, sizeof bytes);
  CHECK_INT(HDHT_ERR_BUFFER_TOO_SMALL, hd_codec_write_uint(&writer, 65536));
  CHECK(writer.next == bytes);
}

TEST(uint_of_32_bits_refuses_more) {
  uint8_t bytes[9];
  hd_writer writer = hd_writer_of(bytes, sizeof bytes);
  CHECK_INT(HDHT_OK, hd_codec_write_uint(&writer, (uint64_t)UINT32_MAX + 1));
  hd_reader reader = hd_reader_of(hd_bytes_of(bytes, sizeof bytes));
  uint32_t value = 5;
  CHECK_INT(HDHT_ERR_TOO_LARGE, hd_codec_read_uint_of_32_bits(&reader, &value));
  CHECK_UINT(5, value);
  CHECK(reader.next == bytes);
}

TEST(zigzag_covers_the_whole_range) {
  static const int64_t values[] = {0, -1, 1, -64, 64, INT64_MAX, INT64_MIN};
  for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
    CHECK_INT(values[i], hd_codec_unzigzag(hd_codec_zigzag(values[i])));
  }
  CHECK_UINT(1, hd_codec_zigzag(-1));
  CHECK_UINT(2, hd_codec_zigzag(1));
  CHECK_UINT(UINT64_MAX, hd_codec_zigzag(INT64_MIN));
}

TEST(fixed_uint_drops_bits_above_its_width) {
  uint8_t bytes[3];
  hd_writer writer = hd_writer_of(bytes, sizeof bytes);
  CHECK_INT(HDHT_OK, hd_codec_write_fixed_uint(&writer, 3, 0x04030201));
  const uint8_t expected[3] = {1, 2, 3};
  CHECK_BYTES(expected, bytes, 3);
}
