#include "udx/udx_receive.h"

#include "test.h"
#include "udx/udx.h"

typedef struct fixture {
  hd_udx_pool pool;
  hd_udx_receiver receiver;
} fixture;

static fixture make(uint32_t next) {
  fixture made;
  hd_udx_pool_init(&made.pool, hd_allocator_system(), 1 << 20);
  hd_udx_receive_init(&made.receiver, next);
  return made;
}

static void destroy(fixture *made) {
  hd_udx_receive_destroy(&made->receiver, hd_allocator_system(), &made->pool);
  hd_udx_pool_destroy(&made->pool);
}

static hd_udx_arrival arrive(fixture *made, uint32_t number, uint8_t flags) {
  const uint8_t payload = (uint8_t)number;
  return hd_udx_receive_packet(&made->receiver, hd_allocator_system(), &made->pool, 100, number, flags,
                               hd_bytes_of(&payload, 1));
}

static int take(fixture *made) {
  hd_udx_held_packet *packet = hd_udx_receive_take(&made->receiver);
  if (packet == NULL) return -1;
  const int value = packet->payload[0];
  hd_udx_pool_give(&made->pool, packet);
  return value;
}

TEST(udx_receive_gives_what_is_in_order_straight_on) {
  fixture made = make(0xffffffff);
  CHECK_INT(HD_UDX_ARRIVAL_DELIVER, arrive(&made, 0xffffffff, HD_UDX_FLAG_DATA));
  CHECK_INT(HD_UDX_ARRIVAL_DELIVER, arrive(&made, 0, HD_UDX_FLAG_DATA));
  CHECK_UINT(1, made.receiver.next);
  CHECK_UINT(0, made.pool.used_bytes);
  CHECK_INT(HD_UDX_ARRIVAL_DUPLICATE, arrive(&made, 0, HD_UDX_FLAG_DATA));
  destroy(&made);
}

TEST(udx_receive_holds_what_is_out_of_order_until_the_gap_closes) {
  fixture made = make(0);
  CHECK_INT(HD_UDX_ARRIVAL_HELD, arrive(&made, 2, HD_UDX_FLAG_DATA));
  CHECK_INT(HD_UDX_ARRIVAL_HELD, arrive(&made, 1, HD_UDX_FLAG_DATA));
  CHECK_INT(HD_UDX_ARRIVAL_HELD, arrive(&made, 4, HD_UDX_FLAG_DATA));
  CHECK_INT(HD_UDX_ARRIVAL_DUPLICATE, arrive(&made, 2, HD_UDX_FLAG_DATA));
  CHECK_UINT(0, made.receiver.next);
  CHECK_UINT(2, made.receiver.ranges.count);
  CHECK_INT(-1, take(&made));

  CHECK_INT(HD_UDX_ARRIVAL_DELIVER, arrive(&made, 0, HD_UDX_FLAG_DATA));
  CHECK_UINT(3, made.receiver.next);
  CHECK_UINT(1, made.receiver.ranges.count);
  CHECK_INT(1, take(&made));
  CHECK_INT(2, take(&made));
  CHECK_INT(-1, take(&made));
  destroy(&made);
}

TEST(udx_receive_holds_everything_for_a_paused_reader_and_acknowledges_it) {
  fixture made = make(0);
  made.receiver.is_paused = true;
  CHECK_INT(HD_UDX_ARRIVAL_HELD, arrive(&made, 0, HD_UDX_FLAG_DATA));
  CHECK_INT(HD_UDX_ARRIVAL_HELD, arrive(&made, 1, HD_UDX_FLAG_DATA));
  CHECK_UINT(2, made.receiver.next);
  CHECK_UINT(2 * HD_UDX_BLOCK_SIZE, hd_udx_receive_waiting_bytes(&made.receiver));
  CHECK_INT(-1, take(&made));
  made.receiver.is_paused = false;
  CHECK_INT(HD_UDX_ARRIVAL_HELD, arrive(&made, 2, HD_UDX_FLAG_DATA)); /* must not overtake those that wait */
  CHECK_INT(0, take(&made));
  CHECK_INT(1, take(&made));
  CHECK_INT(2, take(&made));
  CHECK_INT(HD_UDX_ARRIVAL_DELIVER, arrive(&made, 3, HD_UDX_FLAG_DATA));
  destroy(&made);
}

TEST(udx_receive_knows_the_end_and_refuses_what_comes_after) {
  fixture made = make(0);
  CHECK_INT(HD_UDX_ARRIVAL_HELD, arrive(&made, 1, HD_UDX_FLAG_DATA | HD_UDX_FLAG_END));
  CHECK(!hd_udx_receive_is_ended(&made.receiver));
  CHECK_INT(HD_UDX_ARRIVAL_DELIVER, arrive(&made, 0, HD_UDX_FLAG_DATA));
  CHECK(hd_udx_receive_is_ended(&made.receiver));
  CHECK(!hd_udx_receive_is_finished(&made.receiver)); /* the reader has not taken it */
  CHECK_INT(1, take(&made));
  CHECK(hd_udx_receive_is_finished(&made.receiver));
  CHECK_INT(HD_UDX_ARRIVAL_ENDED, arrive(&made, 2, HD_UDX_FLAG_DATA));
  CHECK_UINT(2, made.receiver.next);
  destroy(&made);
}

TEST(udx_receive_refuses_before_it_accepts) {
  fixture made = make(0);
  made.pool.limit_bytes = 2 * HD_UDX_BLOCK_SIZE + 8 * sizeof(void *); /* and the first slots */
  CHECK_INT(HD_UDX_ARRIVAL_HELD, arrive(&made, 1, HD_UDX_FLAG_DATA));
  CHECK_INT(HD_UDX_ARRIVAL_HELD, arrive(&made, 3, HD_UDX_FLAG_DATA));
  CHECK_INT(HD_UDX_ARRIVAL_NO_ROOM, arrive(&made, 5, HD_UDX_FLAG_DATA));
  CHECK_UINT(2, made.receiver.ranges.count);                             /* nothing was said to have arrived */
  CHECK_INT(HD_UDX_ARRIVAL_DELIVER, arrive(&made, 0, HD_UDX_FLAG_DATA)); /* needs no room */
  CHECK_INT(1, take(&made));
  CHECK_INT(HD_UDX_ARRIVAL_HELD, arrive(&made, 5, HD_UDX_FLAG_DATA));
  destroy(&made);
}

TEST(udx_receive_takes_the_last_number_of_the_span) {
  fixture made = make(0);
  CHECK_INT(HD_UDX_ARRIVAL_HELD, arrive(&made, HD_UDX_SPAN_LIMIT - 1, HD_UDX_FLAG_DATA));
  made.receiver.is_paused = true;
  CHECK_INT(HD_UDX_ARRIVAL_HELD, arrive(&made, 0, HD_UDX_FLAG_DATA));
  /* The reader still waits for number 0, so this one has no slot. */
  CHECK_INT(HD_UDX_ARRIVAL_NO_ROOM, arrive(&made, HD_UDX_SPAN_LIMIT, HD_UDX_FLAG_DATA));
  destroy(&made);

  made = make(0);
  made.pool.limit_bytes = 100000;
  CHECK_INT(HD_UDX_ARRIVAL_NO_ROOM, arrive(&made, HD_UDX_SPAN_LIMIT - 1, HD_UDX_FLAG_DATA)); /* its slots count, too */
  CHECK_UINT(0, made.pool.used_bytes);
  destroy(&made);
}

static bool receive_out_of_order(const hdht_allocator *allocator) {
  hd_udx_pool pool;
  hd_udx_receiver receiver;
  hd_udx_pool_init(&pool, allocator, 1 << 20);
  hd_udx_receive_init(&receiver, 0);
  bool is_complete = true;
  const uint8_t payload = 1;
  for (uint32_t number = 60; number > 0; number -= 2) {
    const uint32_t count = receiver.ranges.count;
    const hd_udx_arrival arrival =
        hd_udx_receive_packet(&receiver, allocator, &pool, 100, number, HD_UDX_FLAG_DATA, hd_bytes_of(&payload, 1));
    if (arrival == HD_UDX_ARRIVAL_HELD) continue;
    CHECK_INT(HD_UDX_ARRIVAL_NO_ROOM, arrival);
    CHECK_UINT(count, receiver.ranges.count);
    is_complete = false;
  }
  hd_udx_receive_destroy(&receiver, allocator, &pool);
  hd_udx_pool_destroy(&pool);
  return is_complete;
}

TEST(udx_receive_survives_each_allocation_failure) {
  hd_test_each_allocation_failure(receive_out_of_order);
}
