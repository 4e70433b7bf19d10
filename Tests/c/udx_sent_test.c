#include "udx/udx_sent.h"

#include "test.h"

static void send_packets(hd_udx_sent *sent, uint32_t count) {
  for (uint32_t i = 0; i < count; i++) {
    REQUIRE(hd_udx_sent_reserve(sent, hd_allocator_system()) == HDHT_OK);
    const hd_udx_sent_packet packet = {.size = 100, .wire_size = 148, .transmissions = 1};
    hd_udx_sent_append(sent, &packet);
  }
}

TEST(udx_sent_moves_packets_between_flight_lost_and_delivered) {
  hd_udx_sent sent = {.una = 0xfffffffe, .next = 0xfffffffe}; /* across the wrap */
  send_packets(&sent, 5);
  CHECK_UINT(3, sent.next);
  CHECK_UINT(5, sent.flight.count);
  CHECK_UINT(5 * 148, sent.flight_bytes);

  hd_udx_sent_lose(&sent, 0xffffffff);
  hd_udx_sent_lose(&sent, 1);
  CHECK_UINT(3, sent.flight.count);
  CHECK_UINT(2, sent.lost.count);
  CHECK_UINT(0xffffffff, sent.lost.oldest);
  CHECK_UINT(3 * 100, sent.flight_payload);

  hd_udx_sent_resend(&sent, 0xffffffff, 150);
  CHECK_UINT(1, sent.lost.oldest);
  CHECK_UINT(0xffffffff, sent.flight.newest); /* last in time, whatever its number */
  CHECK_UINT(3 * 148 + 150, sent.flight_bytes);

  hd_udx_sent_deliver(&sent, 0);          /* from the middle of the flight */
  hd_udx_sent_deliver(&sent, 1);          /* from the lost */
  hd_udx_sent_deliver(&sent, 0xfffffffe); /* the oldest */
  hd_udx_sent_deliver(&sent, 0xffffffff);
  CHECK_UINT(0, sent.lost.count);
  CHECK_UINT(1, sent.flight.count);
  CHECK_UINT(2, sent.flight.oldest);
  hd_udx_sent_advance(&sent, 2);
  CHECK_UINT(1, hd_udx_sent_count(&sent));
  CHECK_UINT(100, sent.total_payload);
  hd_udx_sent_destroy(&sent, hd_allocator_system());
}

TEST(udx_sent_keeps_its_records_while_it_grows) {
  hd_udx_sent sent = {.una = 5, .next = 5};
  send_packets(&sent, 7);
  hd_udx_sent_deliver(&sent, 5);
  hd_udx_sent_advance(&sent, 6);
  hd_udx_sent_lose(&sent, 8);
  send_packets(&sent, 100);
  CHECK_UINT(128, sent.capacity);
  CHECK_UINT(8, sent.lost.oldest);
  CHECK_UINT(HD_UDX_SENT_LOST, hd_udx_sent_at(&sent, 8)->state);
  uint32_t number = sent.flight.oldest;
  for (uint32_t i = 1; i < sent.flight.count; i++) number = hd_udx_sent_at(&sent, number)->newer;
  CHECK_UINT(sent.flight.newest, number);
  hd_udx_sent_destroy(&sent, hd_allocator_system());
}

TEST(udx_sent_refuses_more_numbers_than_the_span) {
  hd_udx_sent sent = {0};
  send_packets(&sent, HD_UDX_SENT_LIMIT);
  CHECK_INT(HDHT_ERR_LIMIT, hd_udx_sent_reserve(&sent, hd_allocator_system()));
  hd_udx_sent_destroy(&sent, hd_allocator_system());
}
