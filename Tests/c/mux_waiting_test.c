#include "mux/mux_waiting.h"

#include "test.h"

static hd_mux_waiting *create(const hd_allocator *allocator) {
  const hd_mux_key key = hd_mux_key_of(hd_bytes_of("proto", 5), hd_bytes_of("id", 2));
  return hd_mux_waiting_create(allocator, 7, &key, hd_bytes_of("hello", 5), 3);
}

TEST(a_waiting_open_keeps_copies_of_its_name_and_handshake) {
  char protocol[] = "proto", id[] = "id", handshake[] = "hello";
  const hd_mux_key key = hd_mux_key_of(hd_bytes_of(protocol, 5), hd_bytes_of(id, 2));
  hd_mux_waiting *waiting = hd_mux_waiting_create(hd_allocator_system(), 7, &key, hd_bytes_of(handshake, 5), 3);
  REQUIRE(waiting != NULL);
  protocol[0] = id[0] = handshake[0] = 'X';
  CHECK(hd_bytes_equal(waiting->name.key.protocol, hd_bytes_of("proto", 5)));
  CHECK(hd_bytes_equal(waiting->name.key.id, hd_bytes_of("id", 2)));
  CHECK(hd_bytes_equal(waiting->handshake, hd_bytes_of("hello", 5)));
  CHECK_UINT(hd_mux_waiting_size(&key, hd_bytes_of(handshake, 5)), hd_mux_waiting_held_size(waiting));
  CHECK_UINT(7, waiting->remote_id);
  hd_mux_waiting_destroy(hd_allocator_system(), waiting);
}

TEST(kept_messages_come_back_in_order_and_cost_512_bytes_more_each) {
  hd_mux_waiting *waiting = create(hd_allocator_system());
  REQUIRE(waiting != NULL);
  uint8_t body[40];
  for (uint32_t i = 0; i < 40; i++) {
    memset(body, (int)i, sizeof body);
    CHECK_INT(HDHT_OK, hd_mux_waiting_push(hd_allocator_system(), waiting, i, hd_bytes_of(body, i), 1 << 20));
  }
  size_t cost = 40 * 512 + 39 * 40 / 2;
  for (uint32_t i = 0; i < 40; i++) {
    CHECK_UINT(cost, waiting->buffered_size);
    uint32_t type = 77;
    hd_bytes taken = {0};
    REQUIRE(hd_mux_waiting_take(waiting, &type, &taken));
    CHECK_UINT(i, type);
    memset(body, (int)i, sizeof body);
    CHECK(hd_bytes_equal(taken, hd_bytes_of(body, i)));
    cost -= 512 + i;
  }
  uint32_t type;
  hd_bytes taken;
  CHECK(!hd_mux_waiting_take(waiting, &type, &taken));
  CHECK_UINT(0, waiting->buffered_size);
  hd_mux_waiting_destroy(hd_allocator_system(), waiting);
}

TEST(kept_messages_use_the_room_given_to_the_last_byte_and_no_more) {
  hd_mux_waiting *waiting = create(hd_allocator_system());
  REQUIRE(waiting != NULL);
  static const uint8_t body[1000];
  const size_t record = 8 + sizeof body;
  CHECK_INT(HDHT_ERR_LIMIT,
            hd_mux_waiting_push(hd_allocator_system(), waiting, 1, hd_bytes_of(body, sizeof body), record - 1));
  CHECK_UINT(0, waiting->messages_capacity);
  CHECK_INT(HDHT_OK, hd_mux_waiting_push(hd_allocator_system(), waiting, 1, hd_bytes_of(body, sizeof body), record));
  CHECK_UINT(record, waiting->messages_capacity);
  CHECK_INT(HDHT_ERR_LIMIT,
            hd_mux_waiting_push(hd_allocator_system(), waiting, 1, hd_bytes_of(body, sizeof body), record - 1));
  CHECK_UINT(512 + sizeof body, waiting->buffered_size);
  hd_mux_waiting_destroy(hd_allocator_system(), waiting);
}

static bool keep_messages(const hdht_allocator *allocator) {
  hd_mux_waiting *waiting = create(allocator);
  if (waiting == NULL) return false;
  bool is_complete = true;
  for (uint32_t i = 0; i < 100; i++) {
    const size_t size_before = waiting->messages_size;
    const int error = hd_mux_waiting_push(allocator, waiting, i, hd_bytes_of("0123456789", 10), 1 << 20);
    if (error != HDHT_OK) {
      is_complete = false;
      CHECK_INT(HDHT_ERR_OUT_OF_MEMORY, error);
      CHECK_UINT(size_before, waiting->messages_size);
    }
  }
  hd_mux_waiting_destroy(allocator, waiting);
  return is_complete;
}

TEST(kept_messages_survive_the_failure_of_each_allocation) {
  hd_test_each_allocation_failure(keep_messages);
}
