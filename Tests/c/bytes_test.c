#include "base/bytes.h"

#include "test.h"

static const uint8_t five[5] = {1, 2, 3, 4, 5};

TEST(spans_are_equal_by_content) {
  const uint8_t same[5] = {1, 2, 3, 4, 5}, other[5] = {1, 2, 3, 4, 6};
  CHECK(hd_bytes_equal(hd_bytes_of(five, 5), hd_bytes_of(same, 5)));
  CHECK(!hd_bytes_equal(hd_bytes_of(five, 5), hd_bytes_of(other, 5)));
  CHECK(!hd_bytes_equal(hd_bytes_of(five, 5), hd_bytes_of(same, 4)));
  CHECK(hd_bytes_equal(hd_bytes_of(NULL, 0), hd_bytes_of(same, 0)));
}

TEST(a_reader_lends_bytes_up_to_the_last_one) {
  hd_reader reader = hd_reader_of(hd_bytes_of(five, sizeof five));
  const uint8_t *taken = NULL;
  CHECK_UINT(5, hd_reader_remaining(&reader));
  CHECK_INT(HDHT_OK, hd_reader_take(&reader, 2, &taken));
  CHECK(taken == five);
  CHECK_INT(HDHT_OK, hd_reader_take(&reader, 3, &taken));
  CHECK(taken == five + 2);
  CHECK_UINT(0, hd_reader_remaining(&reader));
}

TEST(a_reader_that_is_asked_for_too_much_does_not_move) {
  hd_reader reader = hd_reader_of(hd_bytes_of(five, sizeof five));
  const uint8_t *taken = NULL;
  CHECK_INT(HDHT_ERR_TRUNCATED, hd_reader_take(&reader, 6, &taken));
  CHECK_INT(HDHT_ERR_TRUNCATED, hd_reader_take(&reader, SIZE_MAX, &taken));
  CHECK(taken == NULL);
  CHECK_UINT(5, hd_reader_remaining(&reader));
  CHECK_INT(HDHT_OK, hd_reader_take(&reader, 5, &taken));
}

TEST(a_reader_gives_the_rest) {
  hd_reader reader = hd_reader_of(hd_bytes_of(five, sizeof five));
  const uint8_t *taken;
  CHECK_INT(HDHT_OK, hd_reader_take(&reader, 2, &taken));
  const hd_bytes rest = hd_reader_take_rest(&reader);
  CHECK(rest.data == five + 2 && rest.size == 3);
  CHECK_UINT(0, hd_reader_take_rest(&reader).size);
}

TEST(a_reader_of_nothing_has_nothing) {
  hd_reader reader = hd_reader_of(hd_bytes_of(NULL, 0));
  const uint8_t *taken = five;
  CHECK_UINT(0, hd_reader_remaining(&reader));
  CHECK_INT(HDHT_ERR_TRUNCATED, hd_reader_take(&reader, 1, &taken));
  CHECK_INT(HDHT_OK, hd_reader_take(&reader, 0, &taken));
}

TEST(a_writer_fills_its_buffer_to_the_last_byte) {
  uint8_t buffer[6] = {0, 0, 0, 0, 0, 0xee};
  hd_writer writer = hd_writer_of(buffer, 5);
  uint8_t *reserved = NULL;
  CHECK_INT(HDHT_OK, hd_writer_put(&writer, five, 3));
  CHECK_INT(HDHT_OK, hd_writer_reserve(&writer, 2, &reserved));
  REQUIRE(reserved == buffer + 3);
  reserved[0] = 4;
  reserved[1] = 5;
  CHECK_UINT(0, hd_writer_remaining(&writer));
  CHECK_BYTES(five, buffer, 5);
  CHECK_UINT(0xee, buffer[5]);
}

TEST(a_writer_without_room_writes_nothing_and_does_not_move) {
  uint8_t buffer[2] = {0xee, 0xee};
  const uint8_t untouched[2] = {0xee, 0xee};
  hd_writer writer = hd_writer_of(buffer, sizeof buffer);
  uint8_t *reserved = NULL;
  CHECK_INT(HDHT_ERR_BUFFER_TOO_SMALL, hd_writer_put(&writer, five, 3));
  CHECK_INT(HDHT_ERR_BUFFER_TOO_SMALL, hd_writer_reserve(&writer, 3, &reserved));
  CHECK_INT(HDHT_ERR_BUFFER_TOO_SMALL, hd_writer_reserve(&writer, SIZE_MAX, &reserved));
  CHECK(reserved == NULL);
  CHECK_UINT(2, hd_writer_remaining(&writer));
  CHECK_BYTES(untouched, buffer, 2);
}

TEST(a_writer_of_nothing_takes_nothing) {
  hd_writer writer = hd_writer_of(NULL, 0);
  CHECK_INT(HDHT_OK, hd_writer_put(&writer, NULL, 0));
  CHECK_INT(HDHT_ERR_BUFFER_TOO_SMALL, hd_writer_put(&writer, five, 1));
}
