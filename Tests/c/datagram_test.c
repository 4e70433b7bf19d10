#include "base/datagram.h"

#include "test.h"

static const uint8_t bytes[10] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9};

/* The sizes of the segments as decimal digits, each checked to start where the one before ended. */
static int segment_sizes(size_t size, uint16_t segment_size) {
  const hd_datagram joined = {
      .socket = 3, .from = hd_address_ipv4(1, 2, 3, 4, 5), .bytes = {bytes, size}, .segment_size = segment_size};
  int sizes = 0;
  size_t offset = 0, expected_start = 0;
  hd_datagram segment;
  while (hd_datagram_next_segment(&joined, &offset, &segment)) {
    CHECK_UINT(0, segment.segment_size);
    CHECK_UINT(3, segment.socket);
    CHECK(hd_address_equal(&joined.from, &segment.from));
    if (segment.bytes.size > 0) CHECK(segment.bytes.data == bytes + expected_start);
    expected_start += segment.bytes.size;
    sizes = sizes * 10 + (int)segment.bytes.size;
    if (sizes > 1000000) break;
  }
  CHECK_UINT(size, expected_start);
  return sizes;
}

TEST(a_datagram_that_is_not_joined_comes_out_once) {
  CHECK_INT(9, segment_sizes(9, 0));
  CHECK_INT(9, segment_sizes(9, 9));
  CHECK_INT(9, segment_sizes(9, 100));
}

TEST(joined_datagrams_come_out_one_by_one_and_the_last_may_be_shorter) {
  CHECK_INT(333, segment_sizes(9, 3));
  CHECK_INT(3331, segment_sizes(10, 3));
  CHECK_INT(91, segment_sizes(10, 9));
  CHECK_INT(111, segment_sizes(3, 1));
}

TEST(an_empty_datagram_comes_out_once) {
  const hd_datagram empty = {.bytes = {NULL, 0}};
  size_t offset = 0;
  hd_datagram segment;
  CHECK(hd_datagram_next_segment(&empty, &offset, &segment));
  CHECK_UINT(0, segment.bytes.size);
  CHECK(!hd_datagram_next_segment(&empty, &offset, &segment));
}

/* The datagrams of a batch as "parts:bytes" pairs of digits. */
static int batch_shape(const hd_bytes *parts, uint32_t parts_count, uint16_t segment_size) {
  const hd_datagram_out out = {.segment_size = segment_size, .parts = parts, .parts_count = parts_count};
  int shape = 0;
  uint32_t part = 0, first, count, size, expected_first = 0;
  while (hd_datagram_out_next_segment(&out, &part, &first, &count, &size)) {
    CHECK_UINT(expected_first, first);
    expected_first = first + count;
    shape = shape * 100 + (int)(count * 10 + size);
  }
  CHECK_UINT(parts_count, expected_first);
  return shape;
}

TEST(a_batch_is_cut_between_parts) {
  const hd_bytes parts[] = {{bytes, 2}, {bytes, 4}, {bytes, 6}, {bytes, 2}, {bytes, 3}};
  CHECK_INT(261625, batch_shape(parts, 5, 6));
}

TEST(without_a_segment_size_all_parts_are_one_datagram) {
  const hd_bytes parts[] = {{bytes, 2}, {bytes, 1}, {bytes, 3}};
  CHECK_INT(36, batch_shape(parts, 3, 0));
}
