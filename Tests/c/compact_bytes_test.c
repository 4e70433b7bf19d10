#include "codec/compact_bytes.h"

#include "test.h"

TEST(buffer_lends_its_bytes_and_leaves_the_rest) {
  const uint8_t input[] = {2, 0xaa, 0xbb, 0xcc};
  hd_reader reader = hd_reader_of(hd_bytes_of(input, sizeof input));
  hd_bytes bytes;
  REQUIRE(hd_codec_read_buffer(&reader, &bytes) == HDHT_OK);
  CHECK(bytes.data == input + 1);
  CHECK_UINT(2, bytes.size);
  CHECK_UINT(1, hd_reader_remaining(&reader));
}

TEST(buffer_longer_than_what_remains_is_refused) {
  static const char *const inputs[] = {"", "0201", "ffffffffffffffffff", "feffffffff00"};
  for (size_t i = 0; i < sizeof inputs / sizeof inputs[0]; i++) {
    uint8_t input[16];
    const size_t size = hd_test_hex(inputs[i], input, sizeof input);
    hd_reader reader = hd_reader_of(hd_bytes_of(input, size));
    hd_bytes bytes = {0};
    CHECK_INT(HDHT_ERR_TRUNCATED, hd_codec_read_buffer(&reader, &bytes));
    CHECK(reader.next == input);
  }
}

TEST(buffer_write_needs_room_for_length_and_bytes) {
  const uint8_t content[3] = {1, 2, 3};
  uint8_t output[4];
  hd_writer writer = hd_writer_of(output, 3);
  CHECK_INT(HDHT_ERR_BUFFER_TOO_SMALL, hd_codec_write_buffer(&writer, hd_bytes_of(content, 3)));
  CHECK(writer.next == output);
  writer = hd_writer_of(output, 4);
  CHECK_INT(HDHT_OK, hd_codec_write_buffer(&writer, hd_bytes_of(content, 3)));
  const uint8_t expected[4] = {3, 1, 2, 3};
  CHECK_BYTES(expected, output, 4);
}

TEST(only_one_is_true) {
  for (unsigned byte = 0; byte < 256; byte++) {
    const uint8_t input = (uint8_t)byte;
    hd_reader reader = hd_reader_of(hd_bytes_of(&input, 1));
    bool value;
    CHECK_INT(HDHT_OK, hd_codec_read_bool(&reader, &value));
    CHECK(value == (byte == 1));
  }
}

TEST(array_count_is_bounded_by_the_limit_and_by_what_remains) {
  uint8_t input[40] = {0};
  hd_writer writer = hd_writer_of(input, sizeof input);
  CHECK_INT(HDHT_OK, hd_codec_write_uint(&writer, HD_CODEC_ARRAY_LIMIT + 1));
  hd_reader reader = hd_reader_of(hd_bytes_of(input, sizeof input));
  size_t count = 9;
  CHECK_INT(HDHT_ERR_TOO_LARGE, hd_codec_read_array_count(&reader, 1, &count));
  CHECK_UINT(9, count);

  input[0] = 6; /* 39 bytes remain: 6 elements of 6 fit, 7 do not */
  reader = hd_reader_of(hd_bytes_of(input, sizeof input));
  CHECK_INT(HDHT_OK, hd_codec_read_array_count(&reader, 6, &count));
  CHECK_UINT(6, count);
  input[0] = 7;
  reader = hd_reader_of(hd_bytes_of(input, sizeof input));
  CHECK_INT(HDHT_ERR_TRUNCATED, hd_codec_read_array_count(&reader, 6, &count));
  CHECK(reader.next == input);

  writer = hd_writer_of(input, sizeof input);
  CHECK_INT(HDHT_ERR_TOO_LARGE, hd_codec_write_array_count(&writer, HD_CODEC_ARRAY_LIMIT + 1));
  CHECK_INT(HDHT_OK, hd_codec_write_array_count(&writer, HD_CODEC_ARRAY_LIMIT));
}
