#include "mux/mux_ids.h"

#include "test.h"

static struct hd_mux_channel *any_channel(size_t number) {
  static char places[64];
  return (struct hd_mux_channel *)(void *)&places[number];
}

static uint32_t take(hd_mux_local_ids *ids, size_t number) {
  CHECK_INT(HDHT_OK, hd_mux_local_ids_reserve(ids));
  return hd_mux_local_ids_take(ids, any_channel(number));
}

TEST(local_ids_start_at_one_and_the_most_recently_freed_is_taken_first) {
  hd_mux_local_ids ids;
  hd_mux_local_ids_init(&ids, hd_allocator_system(), 100);
  for (uint32_t id = 1; id <= 5; id++) CHECK_UINT(id, take(&ids, id));
  hd_mux_local_ids_release(&ids, 2);
  hd_mux_local_ids_release(&ids, 4);
  CHECK_UINT(3, hd_mux_local_ids_taken(&ids));
  CHECK(hd_mux_local_ids_find(&ids, 2) == NULL);
  CHECK(hd_mux_local_ids_find(&ids, 3) == any_channel(3));
  CHECK_UINT(4, take(&ids, 10));
  CHECK_UINT(2, take(&ids, 11));
  CHECK_UINT(6, take(&ids, 12));
  CHECK(hd_mux_local_ids_find(&ids, 4) == any_channel(10));
  hd_mux_local_ids_destroy(&ids);
}

TEST(local_ids_that_were_never_taken_stand_for_nothing) {
  hd_mux_local_ids ids;
  hd_mux_local_ids_init(&ids, hd_allocator_system(), 100);
  CHECK(hd_mux_local_ids_find(&ids, 1) == NULL);
  CHECK_UINT(1, take(&ids, 1));
  CHECK(hd_mux_local_ids_find(&ids, 0) == NULL);
  CHECK(hd_mux_local_ids_find(&ids, 2) == NULL);
  CHECK(hd_mux_local_ids_find(&ids, UINT64_MAX) == NULL);
  hd_mux_local_ids_destroy(&ids);
}

TEST(local_ids_end_at_their_limit) {
  hd_mux_local_ids ids;
  hd_mux_local_ids_init(&ids, hd_allocator_system(), 3);
  for (uint32_t id = 1; id <= 3; id++) CHECK_UINT(id, take(&ids, id));
  CHECK_INT(HDHT_ERR_LIMIT, hd_mux_local_ids_reserve(&ids));
  hd_mux_local_ids_release(&ids, 1);
  CHECK_UINT(1, take(&ids, 9));
  CHECK_INT(HDHT_ERR_LIMIT, hd_mux_local_ids_reserve(&ids));
  hd_mux_local_ids_destroy(&ids);
}

TEST(remote_ids_grow_by_one_or_reuse_one_without_a_channel) {
  hd_mux_remote_ids ids;
  hd_mux_remote_ids_init(&ids, hd_allocator_system(), 100);
  CHECK(!hd_mux_remote_ids_claim(&ids, 0));
  CHECK(!hd_mux_remote_ids_claim(&ids, 2));
  CHECK(hd_mux_remote_ids_claim(&ids, 1));
  CHECK(hd_mux_remote_ids_claim(&ids, 1)); /* nothing stands behind it yet */
  CHECK_INT(HDHT_OK, hd_mux_remote_ids_reserve(&ids, 1));
  hd_mux_remote_ids_find(&ids, 1)->channel = any_channel(1);
  CHECK(!hd_mux_remote_ids_claim(&ids, 1));
  CHECK(!hd_mux_remote_ids_claim(&ids, 3));
  CHECK(hd_mux_remote_ids_claim(&ids, 2));
  CHECK(hd_mux_remote_ids_claim(&ids, 3));
  hd_mux_remote_ids_find(&ids, 1)->channel = NULL;
  hd_mux_remote_ids_find(&ids, 1)->waiting = (struct hd_mux_waiting *)(void *)any_channel(2);
  CHECK(!hd_mux_remote_ids_claim(&ids, 1));
  hd_mux_remote_ids_destroy(&ids);
}

TEST(remote_ids_that_are_never_used_cost_no_memory) {
  hd_test_allocator allocator;
  hd_test_allocator_init(&allocator);
  hd_mux_remote_ids ids;
  hd_mux_remote_ids_init(&ids, &allocator.hook, 8);
  for (uint64_t id = 1; id <= 1000; id++) CHECK(hd_mux_remote_ids_claim(&ids, id));
  CHECK_UINT(0, allocator.allocations);
  CHECK_INT(HDHT_OK, hd_mux_remote_ids_reserve(&ids, 8));
  CHECK_INT(HDHT_ERR_LIMIT, hd_mux_remote_ids_reserve(&ids, 9));
  CHECK(hd_mux_remote_ids_find(&ids, 8)->channel == NULL);
  CHECK(hd_mux_remote_ids_find(&ids, 9) == NULL);
  CHECK(hd_mux_remote_ids_find(&ids, 0) == NULL);
  CHECK(hd_mux_remote_ids_find(&ids, UINT64_MAX) == NULL);
  hd_mux_remote_ids_destroy(&ids);
  CHECK_UINT(0, allocator.live_bytes);
}

TEST(remote_ids_have_32_bits) {
  hd_mux_remote_ids ids;
  hd_mux_remote_ids_init(&ids, hd_allocator_system(), 8);
  ids.highest = UINT32_MAX - 1;
  CHECK(hd_mux_remote_ids_claim(&ids, UINT32_MAX));
  CHECK(!hd_mux_remote_ids_claim(&ids, (uint64_t)UINT32_MAX + 1));
  hd_mux_remote_ids_destroy(&ids);
}

static bool use_both_tables(const hdht_allocator *allocator) {
  bool is_complete = true;
  hd_mux_local_ids local;
  hd_mux_remote_ids remote;
  hd_mux_local_ids_init(&local, allocator, 40);
  hd_mux_remote_ids_init(&remote, allocator, 40);
  for (uint32_t id = 1; id <= 40; id++) {
    const int error = hd_mux_local_ids_reserve(&local);
    if (error == HDHT_OK) (void)hd_mux_local_ids_take(&local, any_channel(id));
    if (error != HDHT_OK) CHECK_INT(HDHT_ERR_OUT_OF_MEMORY, error);
    CHECK(hd_mux_remote_ids_claim(&remote, id));
    const int remote_error = hd_mux_remote_ids_reserve(&remote, id);
    if (remote_error != HDHT_OK) CHECK_INT(HDHT_ERR_OUT_OF_MEMORY, remote_error);
    is_complete = is_complete && error == HDHT_OK && remote_error == HDHT_OK;
  }
  hd_mux_local_ids_destroy(&local);
  hd_mux_remote_ids_destroy(&remote);
  return is_complete;
}

TEST(id_tables_survive_the_failure_of_each_allocation) {
  hd_test_each_allocation_failure(use_both_tables);
}
