#include "mux/mux_frame.h"

#include "test.h"

static size_t input_size;
static const uint8_t *input(const char *hex) {
  static uint8_t bytes[256];
  input_size = hd_test_hex(hex, bytes, sizeof bytes);
  return bytes;
}

static int begin(hd_mux_frame_reader *reader, const char *hex) {
  const uint8_t *bytes = input(hex);
  return hd_mux_frame_begin(reader, hd_bytes_of(bytes, input_size));
}

static void check_next(hd_mux_frame_reader *reader, uint64_t channel, uint64_t type, const char *body_hex,
                       bool has_more) {
  uint8_t body[64];
  const size_t body_size = hd_test_hex(body_hex, body, sizeof body);
  hd_mux_message message = {0};
  bool found = false;
  CHECK_INT(HDHT_OK, hd_mux_frame_next(reader, &message, &found));
  REQUIRE(found);
  CHECK_UINT(channel, message.channel);
  CHECK_UINT(type, message.type);
  REQUIRE(message.body.size == body_size);
  CHECK_BYTES(body, message.body.data, body_size);
  CHECK(hd_mux_frame_has_more(reader) == has_more);
}

static void check_end(hd_mux_frame_reader *reader) {
  hd_mux_message message = {.type = 77};
  bool found = true;
  CHECK_INT(HDHT_OK, hd_mux_frame_next(reader, &message, &found));
  CHECK(!found);
  CHECK_UINT(77, message.type);
}

static int error_of(const char *hex) {
  hd_mux_frame_reader reader;
  int error = begin(&reader, hex);
  bool found = true;
  hd_mux_message message;
  while (error == HDHT_OK && found) error = hd_mux_frame_next(&reader, &message, &found);
  return error;
}

TEST(a_plain_frame_is_one_message_to_its_end) {
  hd_mux_frame_reader reader;
  REQUIRE(begin(&reader, "01 02 aabb") == HDHT_OK);
  check_next(&reader, 1, 2, "aabb", false);
  check_end(&reader);
  check_end(&reader);
}

TEST(a_plain_frame_may_have_an_empty_body_and_long_integers) {
  hd_mux_frame_reader reader;
  REQUIRE(begin(&reader, "ff0100000000000000 fdfc00") == HDHT_OK);
  check_next(&reader, 1, 252, "", false);
  check_end(&reader);
  REQUIRE(begin(&reader, "ffffffffffffffffff ffffffffffffffffff") == HDHT_OK);
  check_next(&reader, UINT64_MAX, UINT64_MAX, "", false);
  check_end(&reader);
}

TEST(a_frame_without_channel_or_type_is_truncated) {
  static const char *const frames[] = {"", "00", "01", "fd", "fd01", "01fe000000", "00ff"};
  for (size_t i = 0; i < sizeof frames / sizeof frames[0]; i++) CHECK_INT(HDHT_ERR_TRUNCATED, error_of(frames[i]));
}

TEST(a_batch_names_the_channel_of_the_items_that_follow) {
  hd_mux_frame_reader reader;
  REQUIRE(begin(&reader, "00 00 01  01 01  00 00  07 01 02 01 78 02 aabb  00 01  05 0f 01000000") == HDHT_OK);
  check_next(&reader, 1, 1, "", true);
  check_next(&reader, 0, HD_MUX_OPEN, "02017802aabb", true);
  check_next(&reader, 1, 15, "01000000", false);
  check_end(&reader);
}

TEST(a_batch_may_be_empty_or_switch_channels_for_nothing) {
  hd_mux_frame_reader reader;
  REQUIRE(begin(&reader, "00 00 01") == HDHT_OK);
  check_end(&reader);
  REQUIRE(begin(&reader, "00 00 01 00 02 00 03 01 07 00 04") == HDHT_OK);
  check_next(&reader, 3, 7, "", true);
  check_end(&reader);
}

TEST(a_batch_cut_short_is_truncated) {
  static const char *const frames[] = {
      "0000",             /* no channel */
      "00000102006100",   /* a switch without a channel */
      "0000010a0061",     /* an item longer than the frame */
      "00000103 0061",    /* by one byte */
      "00000101fd",       /* an item too short for its type */
      "000001fdff",       /* a cut length */
      "000001ffffffffff", /* a cut length */
      "000001ffffffffffffffffff00",
  };
  for (size_t i = 0; i < sizeof frames / sizeof frames[0]; i++) CHECK_INT(HDHT_ERR_TRUNCATED, error_of(frames[i]));
}

TEST(a_batch_inside_a_batch_is_malformed) {
  CHECK_INT(HDHT_ERR_MALFORMED, error_of("0000000400010100"));
  CHECK_INT(HDHT_OK, error_of("000001020001")); /* type 0 of another channel is an ordinary message */
}

TEST(an_item_sees_only_its_own_bytes) {
  hd_mux_frame_reader reader;
  REQUIRE(begin(&reader, "00 00 01  01 05  02 06 ff") == HDHT_OK);
  check_next(&reader, 1, 5, "", true);
  check_next(&reader, 1, 6, "ff", false);
}

TEST(an_open_has_an_id_a_name_a_channel_id_and_a_handshake) {
  hd_mux_open_body open;
  const uint8_t *bytes = input("fd0001 02 7031 02 aabb 0c0d");
  REQUIRE(hd_mux_read_open(hd_bytes_of(bytes, input_size), &open) == HDHT_OK);
  CHECK_UINT(256, open.id);
  CHECK(hd_bytes_equal(open.protocol, hd_bytes_of("p1", 2)));
  CHECK(hd_bytes_equal(open.channel_id, hd_bytes_of("\xaa\xbb", 2)));
  CHECK(hd_bytes_equal(open.handshake, hd_bytes_of("\x0c\x0d", 2)));
}

TEST(an_open_may_have_no_channel_id_and_no_handshake_but_not_less) {
  hd_mux_open_body open;
  const uint8_t *bytes = input("01 02 7031 00");
  CHECK_INT(HDHT_OK, hd_mux_read_open(hd_bytes_of(bytes, input_size), &open));
  CHECK_UINT(0, open.channel_id.size);
  CHECK_UINT(0, open.handshake.size);
  for (size_t size = 0; size < input_size; size++) {
    open.id = 77;
    CHECK_INT(HDHT_ERR_TRUNCATED, hd_mux_read_open(hd_bytes_of(bytes, size), &open));
    CHECK_UINT(77, open.id);
  }
}

TEST(a_reject_or_close_is_one_id) {
  uint64_t id = 0;
  const uint8_t *bytes = input("fdfd00 99");
  CHECK_INT(HDHT_OK, hd_mux_read_id(hd_bytes_of(bytes, input_size), &id));
  CHECK_UINT(253, id);
  CHECK_INT(HDHT_ERR_TRUNCATED, hd_mux_read_id(hd_bytes_of(bytes, 2), &id));
}

TEST(the_longest_header_fits_its_limit) {
  uint8_t header[HD_MUX_HEADER_SIZE_LIMIT];
  CHECK_UINT(2, hd_mux_write_header(header, 1, 252));
  CHECK_UINT(HD_MUX_HEADER_SIZE_LIMIT, hd_mux_write_header(header, UINT32_MAX, UINT32_MAX));
  const uint8_t longest[] = {0xfe, 0xff, 0xff, 0xff, 0xff, 0xfe, 0xff, 0xff, 0xff, 0xff};
  CHECK_BYTES(longest, header, sizeof longest);
  CHECK_UINT(4, hd_mux_header_size(253, 0));
}
