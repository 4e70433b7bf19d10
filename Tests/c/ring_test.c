#include "base/ring.h"

#include "test.h"

static int push(hd_ring *ring, uint32_t number) {
  void *element;
  const int error = hd_ring_push(ring, &element);
  if (error == HDHT_OK) *(uint32_t *)element = number;
  return error;
}

static uint32_t number_at(const hd_ring *ring, size_t index) {
  return *(const uint32_t *)hd_ring_at(ring, index);
}

TEST(a_new_ring_is_empty_and_has_allocated_nothing) {
  hd_test_allocator allocator;
  hd_test_allocator_init(&allocator);
  hd_ring ring;
  hd_ring_init(&ring, &allocator.hook, 4, 10);
  CHECK(hd_ring_front(&ring) == NULL && hd_ring_back(&ring) == NULL);
  hd_ring_clear(&ring);
  hd_ring_destroy(&ring);
  CHECK_UINT(0, allocator.allocations);
}

TEST(elements_leave_in_the_order_they_came) {
  hd_test_allocator allocator;
  hd_test_allocator_init(&allocator);
  hd_ring ring;
  hd_ring_init(&ring, &allocator.hook, sizeof(uint32_t), 1000);
  for (uint32_t i = 0; i < 1000; i++) CHECK_INT(HDHT_OK, push(&ring, i));
  CHECK_UINT(0, *(uint32_t *)hd_ring_front(&ring));
  CHECK_UINT(999, *(uint32_t *)hd_ring_back(&ring));
  for (uint32_t i = 0; i < 1000; i++) {
    CHECK_UINT(i, *(uint32_t *)hd_ring_front(&ring));
    hd_ring_pop(&ring);
  }
  CHECK(hd_ring_front(&ring) == NULL);
  hd_ring_destroy(&ring);
  CHECK_UINT(0, allocator.live_bytes);
}

/* For every position of the front: growth unwraps the elements in order. */
TEST(a_wrapped_ring_grows_in_order) {
  for (uint32_t offset = 0; offset < 8; offset++) {
    hd_test_allocator allocator;
    hd_test_allocator_init(&allocator);
    hd_ring ring;
    hd_ring_init(&ring, &allocator.hook, sizeof(uint32_t), 100);
    for (uint32_t i = 0; i < offset; i++) {
      push(&ring, 0);
      hd_ring_pop(&ring);
    }
    for (uint32_t i = 0; i < 20; i++) CHECK_INT(HDHT_OK, push(&ring, i));
    for (uint32_t i = 0; i < 20; i++) CHECK_UINT(i, number_at(&ring, i));
    hd_ring_destroy(&ring);
    CHECK_UINT(0, allocator.live_bytes);
  }
}

TEST(the_newest_element_can_be_dropped) {
  hd_test_allocator allocator;
  hd_test_allocator_init(&allocator);
  hd_ring ring;
  hd_ring_init(&ring, &allocator.hook, sizeof(uint32_t), 100);
  for (uint32_t i = 0; i < 3; i++) push(&ring, i);
  hd_ring_pop_back(&ring);
  CHECK_UINT(1, *(uint32_t *)hd_ring_back(&ring));
  CHECK_UINT(0, *(uint32_t *)hd_ring_front(&ring));
  hd_ring_destroy(&ring);
}

TEST(a_full_ring_refuses_and_takes_again_after_a_pop) {
  hd_test_allocator allocator;
  hd_test_allocator_init(&allocator);
  hd_ring ring;
  hd_ring_init(&ring, &allocator.hook, sizeof(uint32_t), 5); /* no power of two */
  for (uint32_t i = 0; i < 5; i++) CHECK_INT(HDHT_OK, push(&ring, i));
  CHECK_INT(HDHT_ERR_LIMIT, push(&ring, 5));
  CHECK_UINT(5, ring.count);
  hd_ring_pop(&ring);
  CHECK_INT(HDHT_OK, push(&ring, 5));
  CHECK_UINT(5, *(uint32_t *)hd_ring_back(&ring));
  hd_ring_destroy(&ring);
}

TEST(reserved_room_is_used_without_allocating) {
  hd_test_allocator allocator;
  hd_test_allocator_init(&allocator);
  hd_ring ring;
  hd_ring_init(&ring, &allocator.hook, sizeof(uint32_t), 100);
  CHECK_INT(HDHT_ERR_LIMIT, hd_ring_reserve(&ring, 101));
  CHECK_INT(HDHT_OK, hd_ring_reserve(&ring, 100));
  CHECK_UINT(1, allocator.allocations);
  for (uint32_t i = 0; i < 100; i++) CHECK_INT(HDHT_OK, push(&ring, i));
  hd_ring_clear(&ring);
  for (uint32_t i = 0; i < 100; i++) CHECK_INT(HDHT_OK, push(&ring, i));
  CHECK_UINT(1, allocator.allocations);
  hd_ring_destroy(&ring);
}

TEST(a_ring_beyond_all_memory_is_refused) {
  hd_test_allocator allocator;
  hd_test_allocator_init(&allocator);
  hd_ring ring;
  hd_ring_init(&ring, &allocator.hook, 16, SIZE_MAX);
  CHECK_INT(HDHT_ERR_OUT_OF_MEMORY, hd_ring_reserve(&ring, SIZE_MAX));
  CHECK_INT(HDHT_ERR_OUT_OF_MEMORY, hd_ring_reserve(&ring, SIZE_MAX / 16 + 1));
  CHECK_UINT(0, allocator.allocations);
  hd_ring_destroy(&ring);
}

static bool fill_and_drain(const hdht_allocator *allocator) {
  hd_ring ring;
  hd_ring_init(&ring, allocator, sizeof(uint32_t), 100);
  bool succeeded = true;
  uint32_t first = 0;
  for (uint32_t i = 0; i < 60; i++) {
    if (push(&ring, i) != HDHT_OK) succeeded = false;
    if (ring.count > 0 && succeeded) CHECK_UINT(i, *(uint32_t *)hd_ring_back(&ring));
    if (i % 3 == 0 && succeeded) {
      CHECK_UINT(first++, *(uint32_t *)hd_ring_front(&ring));
      hd_ring_pop(&ring);
    }
  }
  CHECK(ring.count >= 30); /* a refused push lost nothing else, and the next one tried again */
  hd_ring_destroy(&ring);
  return succeeded;
}

TEST(a_ring_survives_every_allocation_failure) {
  hd_test_each_allocation_failure(fill_and_drain);
}
