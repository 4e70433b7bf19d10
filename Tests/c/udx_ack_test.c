#include "udx/udx_ack.h"

#include "test.h"

static uint32_t write(hd_udx_ack *ack, const hd_udx_ranges *ranges, uint8_t *bytes) {
  return hd_udx_ack_write(ack, ranges, (hd_udx_header){.stream_id = 1, .window = 0x400000, .seq = 0, .ack = 1}, bytes);
}

static void add_every_second(hd_udx_ranges *ranges, uint32_t count) {
  for (uint32_t i = 0; i < count; i++) {
    hd_udx_ranges_add(ranges, hd_allocator_system(), (hd_udx_range){2 + 2 * i, 3 + 2 * i});
  }
}

static bool reports(const uint8_t *bytes, uint32_t size, uint32_t number) {
  const hd_bytes blocks = hd_bytes_of(bytes + HD_UDX_PACKET_HEADER_SIZE, size - HD_UDX_PACKET_HEADER_SIZE);
  for (size_t i = 0; i < blocks.size / HD_UDX_SACK_BLOCK_SIZE; i++) {
    const hd_udx_range range = hd_udx_packet_sack_block(blocks, i);
    if (number >= range.start && number < range.end) return true;
  }
  return false;
}

TEST(udx_ack_without_ranges_is_a_bare_header) {
  hd_udx_ack ack = {.is_needed = true};
  const hd_udx_ranges none = {0};
  uint8_t bytes[HD_UDX_ACK_SIZE_MAX], expected[20];
  CHECK_UINT(20, write(&ack, &none, bytes));
  hd_test_hex("ff010000 01000000 00004000 00000000 01000000", expected, sizeof expected);
  CHECK_BYTES(expected, bytes, 20);
  CHECK(!ack.is_needed);
}

TEST(udx_ack_lists_few_ranges_lowest_first) {
  hd_udx_ack ack = {.is_needed = true};
  hd_udx_ranges ranges = {0};
  add_every_second(&ranges, 2);
  uint8_t bytes[HD_UDX_ACK_SIZE_MAX], expected[36];
  CHECK_UINT(36, write(&ack, &ranges, bytes));
  hd_test_hex("ff010400 01000000 00004000 00000000 01000000 0200000003000000 0400000005000000", expected, 36);
  CHECK_BYTES(expected, bytes, 36);
  hd_udx_ranges_destroy(&ranges, hd_allocator_system());
}

TEST(udx_ack_reports_every_change_among_many_ranges) {
  hd_udx_ack ack = {.is_needed = true};
  hd_udx_ranges ranges = {0};
  add_every_second(&ranges, 1000);
  hd_udx_ack_out_of_order(&ack, hd_allocator_system(), 1000);
  hd_udx_ack_out_of_order(&ack, hd_allocator_system(), 2000);
  uint8_t bytes[HD_UDX_ACK_SIZE_MAX];
  const uint32_t size = write(&ack, &ranges, bytes);
  CHECK_UINT(HD_UDX_PACKET_HEADER_SIZE + HD_UDX_ACK_BLOCKS_ALL * HD_UDX_SACK_BLOCK_SIZE, size);
  CHECK(reports(bytes, size, 1000));
  CHECK(reports(bytes, size, 2000));
  CHECK(reports(bytes, size, 2)); /* the lowest are repeated always */
  CHECK(!ack.is_needed);
  hd_udx_ack_destroy(&ack, hd_allocator_system());
  hd_udx_ranges_destroy(&ranges, hd_allocator_system());
}

TEST(udx_ack_repeats_each_change_once_because_packets_get_lost) {
  hd_udx_ack ack = {.is_needed = true};
  hd_udx_ranges ranges = {0};
  add_every_second(&ranges, 1000);
  uint8_t bytes[HD_UDX_ACK_SIZE_MAX];
  hd_udx_ack_out_of_order(&ack, hd_allocator_system(), 1000);
  CHECK(reports(bytes, write(&ack, &ranges, bytes), 1000));
  hd_udx_ack_out_of_order(&ack, hd_allocator_system(), 1500);
  uint32_t size = write(&ack, &ranges, bytes);
  CHECK(reports(bytes, size, 1000));
  CHECK(reports(bytes, size, 1500));
  size = write(&ack, &ranges, bytes);
  CHECK(!reports(bytes, size, 1000));
  CHECK(reports(bytes, size, 1500));
  hd_udx_ack_destroy(&ack, hd_allocator_system());
  hd_udx_ranges_destroy(&ranges, hd_allocator_system());
}

TEST(udx_ack_asks_for_another_packet_when_the_changes_do_not_fit) {
  hd_udx_ack ack = {.is_needed = true};
  hd_udx_ranges ranges = {0};
  add_every_second(&ranges, 1000);
  for (uint32_t i = 0; i < 200; i++) hd_udx_ack_out_of_order(&ack, hd_allocator_system(), 2 + 4 * i);
  uint8_t bytes[HD_UDX_ACK_SIZE_MAX];
  uint32_t size = write(&ack, &ranges, bytes);
  CHECK_UINT(HD_UDX_ACK_SIZE_MAX, size);
  CHECK(ack.is_needed);
  size = write(&ack, &ranges, bytes);
  CHECK(!ack.is_needed);
  CHECK(reports(bytes, size, 2 + 4 * 199));
  hd_udx_ack_destroy(&ack, hd_allocator_system());
  hd_udx_ranges_destroy(&ranges, hd_allocator_system());
}

TEST(udx_ack_repeats_every_old_range_within_some_packets) {
  hd_udx_ack ack = {0};
  hd_udx_ranges ranges = {0};
  add_every_second(&ranges, 200);
  bool is_seen[200] = {false};
  uint8_t bytes[HD_UDX_ACK_SIZE_MAX];
  for (int packet = 0; packet < 5; packet++) {
    const uint32_t size = write(&ack, &ranges, bytes);
    for (uint32_t i = 0; i < 200; i++) is_seen[i] |= reports(bytes, size, 2 + 2 * i);
  }
  for (uint32_t i = 0; i < 200; i++) CHECK(is_seen[i]);
  hd_udx_ranges_destroy(&ranges, hd_allocator_system());
}

TEST(udx_ack_answers_heartbeats_at_a_bounded_rate) {
  hd_udx_ack ack = {0};
  hd_udx_ack_heartbeat(&ack, (hd_time){0});
  CHECK(ack.is_needed);
  ack.is_needed = false;
  hd_udx_ack_heartbeat(&ack, (hd_time){HD_UDX_HEARTBEAT_INTERVAL.us - 1});
  CHECK(!ack.is_needed);
  hd_udx_ack_heartbeat(&ack, (hd_time){HD_UDX_HEARTBEAT_INTERVAL.us});
  CHECK(ack.is_needed);
}
