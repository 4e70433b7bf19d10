#include "messages/message_fields.h"

#include "test.h"

static hd_messages_input input_of_hex(const char *text, uint8_t *bytes, size_t capacity) {
  const hd_reader reader = hd_reader_of(hd_bytes_of(bytes, hd_test_hex(text, bytes, capacity)));
  return hd_messages_input_of(&reader);
}

TEST(after_a_field_that_cannot_be_read_every_other_reads_as_nothing) {
  uint8_t bytes[16];
  hd_messages_input input = input_of_hex("fdff 0505050505050505", bytes, sizeof bytes);
  input.reader.end = bytes + 2; /* fdff lacks a byte */
  hd_reader reader = input.reader;
  CHECK_UINT(0, hd_messages_take_uint(&input));
  CHECK_UINT(0, hd_messages_take_uint32(&input));
  CHECK(hd_messages_take_fixed(&input, 1) == NULL);
  CHECK_UINT(0, hd_messages_take_buffer(&input).size);
  const hd_address address = hd_messages_take_address(&input);
  CHECK(hd_address_is_none(&address));
  CHECK_UINT(0, hd_messages_take_addresses(&input).count);
  CHECK(hd_messages_take_peer(&input).public_key == NULL);
  CHECK_UINT(0, hd_messages_take_peers(&input).count);
  CHECK_INT(HDHT_ERR_TRUNCATED, hd_messages_input_end(&input, &reader));
  CHECK(reader.next == bytes);
}

TEST(the_first_error_is_the_one_that_counts) {
  uint8_t bytes[16];
  hd_messages_input input = input_of_hex("ffffffffffffffffff", bytes, sizeof bytes);
  hd_reader reader = input.reader;
  CHECK_UINT(0, hd_messages_take_uint(&input));
  CHECK_UINT(0, hd_messages_take_uint(&input)); /* would be truncated */
  CHECK_INT(HDHT_ERR_MALFORMED, hd_messages_input_end(&input, &reader));
}

TEST(a_uint_above_the_largest_safe_integer_is_malformed) {
  uint8_t bytes[16];
  hd_messages_input input = input_of_hex("ffffffffffffff1f00", bytes, sizeof bytes);
  CHECK_UINT(HD_CODEC_SAFE_INTEGER_MAX, hd_messages_take_uint(&input));
  CHECK_INT(HDHT_OK, input.error);
  input = input_of_hex("ff00000000000020 00", bytes, sizeof bytes);
  CHECK_UINT(0, hd_messages_take_uint(&input));
  CHECK_INT(HDHT_ERR_MALFORMED, input.error);
}

TEST(a_32_bit_uint_takes_no_33_bits) {
  uint8_t bytes[16];
  hd_messages_input input = input_of_hex("feffffffff", bytes, sizeof bytes);
  CHECK_UINT(UINT32_MAX, hd_messages_take_uint32(&input));
  input = input_of_hex("ff0000000001000000", bytes, sizeof bytes);
  CHECK_UINT(0, hd_messages_take_uint32(&input));
  CHECK_INT(HDHT_ERR_TOO_LARGE, input.error);
}

TEST(reply_is_the_last_mode) {
  uint8_t bytes[9]; /* as long as the longest uint: GCC 12 does not see that the reader is shorter and warns */
  hd_messages_input input = input_of_hex("04", bytes, sizeof bytes);
  CHECK_INT(HD_MESSAGES_REPLY, hd_messages_take_mode(&input));
  CHECK_INT(HDHT_OK, input.error);
  input = input_of_hex("05", bytes, sizeof bytes);
  CHECK_INT(HD_MESSAGES_FROM_CLIENT, hd_messages_take_mode(&input));
  CHECK_INT(HDHT_ERR_UNKNOWN_TYPE, input.error);
}

TEST(what_cannot_be_written_is_noticed_while_counting) {
  hd_messages_output output = {0};
  hd_messages_put_uint(&output, HD_CODEC_SAFE_INTEGER_MAX);
  CHECK_INT(HDHT_OK, output.error);
  hd_messages_put_uint(&output, HD_CODEC_SAFE_INTEGER_MAX + 1);
  CHECK_INT(HDHT_ERR_INVALID_ARGUMENT, output.error);

  output = (hd_messages_output){0};
  hd_messages_put_required(&output, NULL, 32);
  CHECK_INT(HDHT_ERR_INVALID_ARGUMENT, output.error);

  output = (hd_messages_output){0};
  hd_messages_put_buffer(&output, (hd_bytes){.data = NULL, .size = 1});
  CHECK_INT(HDHT_ERR_INVALID_ARGUMENT, output.error);

  output = (hd_messages_output){0};
  const hd_address none = {0}, ipv6 = {.family = HDHT_FAMILY_IPV6};
  hd_messages_put_address(&output, &none);
  CHECK_INT(HDHT_ERR_INVALID_ARGUMENT, output.error);
  output = (hd_messages_output){0};
  hd_messages_put_address(&output, &ipv6);
  CHECK_INT(HDHT_ERR_INVALID_ARGUMENT, output.error);

  uint8_t bytes[32];
  hd_writer writer = hd_writer_of(bytes, sizeof bytes);
  CHECK_INT(HDHT_ERR_INVALID_ARGUMENT, hd_messages_output_store(&output, &writer));
  CHECK(writer.next == bytes);
}
