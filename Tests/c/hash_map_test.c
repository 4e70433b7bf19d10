#include "base/hash_map.h"

#include <string.h>

#include "base/address.h"
#include "base/random.h"
#include "test.h"

static const uint64_t seed[2] = {0x0123456789abcdefu, 0xfedcba9876543210u};

typedef struct fixture {
  hd_test_allocator allocator;
  hd_hash_map map;
} fixture;

/* A map from 4-byte to 8-byte numbers. */
static void set_up(fixture *f, size_t count_limit) {
  hd_test_allocator_init(&f->allocator);
  hd_hash_map_init(&f->map, &f->allocator.hook, sizeof(uint32_t), sizeof(uint64_t), count_limit, seed);
}

static void tear_down(fixture *f) {
  hd_hash_map_destroy(&f->map);
  CHECK_UINT(0, f->allocator.live_bytes);
}

static int put(hd_hash_map *map, uint32_t key, uint64_t number) {
  void *value;
  const int error = hd_hash_map_insert(map, &key, &value, NULL);
  if (error == HDHT_OK) *(uint64_t *)value = number;
  return error;
}

static const uint64_t *find(const hd_hash_map *map, uint32_t key) {
  return hd_hash_map_find(map, &key);
}

TEST(a_new_map_is_empty_and_has_allocated_nothing) {
  fixture f;
  set_up(&f, 0);
  const uint32_t key_zero = 0;
  size_t position = 0;
  const void *key;
  void *value;
  CHECK(hd_hash_map_find(&f.map, &key_zero) == NULL);
  CHECK(!hd_hash_map_remove(&f.map, &key_zero));
  CHECK(!hd_hash_map_next(&f.map, &position, &key, &value));
  hd_hash_map_clear(&f.map);
  CHECK_INT(HDHT_OK, hd_hash_map_reserve(&f.map, 0));
  tear_down(&f);
  CHECK_UINT(0, f.allocator.allocations);
}

TEST(a_new_value_is_zero_and_an_old_one_is_kept) {
  fixture f;
  set_up(&f, 0);
  const uint32_t key = 7;
  void *value;
  bool is_new = false;
  CHECK_INT(HDHT_OK, hd_hash_map_insert(&f.map, &key, &value, &is_new));
  CHECK(is_new);
  CHECK_UINT(0, *(uint64_t *)value);
  *(uint64_t *)value = 99;
  CHECK_INT(HDHT_OK, hd_hash_map_insert(&f.map, &key, &value, &is_new));
  CHECK(!is_new);
  CHECK_UINT(99, *(uint64_t *)value);
  CHECK_UINT(1, f.map.count);

  CHECK(hd_hash_map_remove(&f.map, &key));
  CHECK_INT(HDHT_OK, hd_hash_map_insert(&f.map, &key, &value, &is_new));
  CHECK(is_new);
  CHECK_UINT(0, *(uint64_t *)value);
  tear_down(&f);
}

TEST(every_entry_is_found_after_growth) {
  fixture f;
  set_up(&f, 0);
  for (uint32_t i = 0; i < 5000; i++) CHECK_INT(HDHT_OK, put(&f.map, i * 64, i));
  CHECK_UINT(5000, f.map.count);
  for (uint32_t i = 0; i < 5000; i++) {
    const uint64_t *value = find(&f.map, i * 64);
    REQUIRE(value != NULL);
    CHECK_UINT(i, *value);
    CHECK(find(&f.map, i * 64 + 1) == NULL);
  }
  tear_down(&f);
}

/* The table at its fullest: every order of removal must leave the others findable. */
TEST(removing_leaves_every_other_entry_findable) {
  for (uint64_t round = 0; round < 200; round++) {
    fixture f;
    set_up(&f, 0);
    hd_random random = hd_random_from_seed(round);
    uint32_t keys[24];
    for (uint32_t i = 0; i < 24; i++) {
      keys[i] = i;
      CHECK_INT(HDHT_OK, put(&f.map, i, i));
    }
    CHECK_UINT(32, f.map.slots_count); /* exactly three quarters full */
    for (uint32_t left = 24; left > 0; left--) {
      const uint32_t chosen = (uint32_t)hd_random_below(&random, left);
      CHECK(hd_hash_map_remove(&f.map, &keys[chosen]));
      CHECK(!hd_hash_map_remove(&f.map, &keys[chosen]));
      keys[chosen] = keys[left - 1];
      for (uint32_t i = 0; i + 1 < left; i++)
        REQUIRE(find(&f.map, keys[i]) != NULL && *find(&f.map, keys[i]) == keys[i]);
    }
    CHECK_UINT(0, f.map.count);
    tear_down(&f);
  }
}

TEST(the_limit_refuses_new_keys_only) {
  fixture f;
  set_up(&f, 6);
  for (uint32_t i = 0; i < 6; i++) CHECK_INT(HDHT_OK, put(&f.map, i, i));
  CHECK_INT(HDHT_ERR_LIMIT, put(&f.map, 6, 6));
  CHECK_INT(HDHT_OK, put(&f.map, 5, 50));
  CHECK_UINT(6, f.map.count);
  CHECK(find(&f.map, 6) == NULL);

  const uint32_t zero = 0;
  CHECK(hd_hash_map_remove(&f.map, &zero));
  CHECK_INT(HDHT_OK, put(&f.map, 6, 6));
  tear_down(&f);
}

TEST(an_error_leaves_the_out_parameters_alone) {
  fixture f;
  set_up(&f, 1);
  put(&f.map, 1, 1);
  const uint32_t key = 2;
  int marker;
  void *value = &marker;
  bool is_new = false;
  CHECK_INT(HDHT_ERR_LIMIT, hd_hash_map_insert(&f.map, &key, &value, &is_new));
  CHECK(value == &marker && !is_new);
  tear_down(&f);
}

TEST(reserved_room_is_used_without_allocating_even_when_entries_come_and_go) {
  fixture f;
  set_up(&f, 1000);
  CHECK_INT(HDHT_ERR_LIMIT, hd_hash_map_reserve(&f.map, 1001));
  CHECK_INT(HDHT_OK, hd_hash_map_reserve(&f.map, 1000));
  CHECK_UINT(1, f.allocator.allocations);
  for (uint32_t i = 0; i < 1000; i++) CHECK_INT(HDHT_OK, put(&f.map, i, i));
  for (uint32_t i = 0; i < 20000; i++) {
    CHECK(hd_hash_map_remove(&f.map, &i));
    CHECK_INT(HDHT_OK, put(&f.map, i + 1000, i));
  }
  hd_hash_map_clear(&f.map);
  CHECK_UINT(0, f.map.count);
  CHECK(find(&f.map, 20001) == NULL);
  for (uint32_t i = 0; i < 1000; i++) CHECK_INT(HDHT_OK, put(&f.map, i, i));
  CHECK_UINT(1, f.allocator.allocations);
  tear_down(&f);
}

TEST(a_map_beyond_all_memory_is_refused) {
  fixture f;
  set_up(&f, 0);
  CHECK_INT(HDHT_ERR_OUT_OF_MEMORY, hd_hash_map_reserve(&f.map, SIZE_MAX));
  CHECK_INT(HDHT_ERR_OUT_OF_MEMORY, hd_hash_map_reserve(&f.map, SIZE_MAX / 16));
  CHECK_UINT(0, f.allocator.allocations);
  tear_down(&f);
}

TEST(a_walk_meets_each_entry_once_and_in_the_same_order_each_time) {
  fixture f;
  set_up(&f, 0);
  for (uint32_t i = 0; i < 300; i++) put(&f.map, i, i * 2);
  uint32_t order[2][300];
  bool is_seen[300] = {false};
  for (int run = 0; run < 2; run++) {
    size_t position = 0, count = 0;
    const void *key;
    void *value;
    while (hd_hash_map_next(&f.map, &position, &key, &value)) {
      REQUIRE(count < 300);
      order[run][count++] = *(const uint32_t *)key;
      CHECK_UINT(*(const uint32_t *)key * 2, *(uint64_t *)value);
      is_seen[*(const uint32_t *)key] = true;
    }
    CHECK_UINT(300, count);
  }
  CHECK_BYTES(order[0], order[1], sizeof order[0]);
  for (int i = 0; i < 300; i++) CHECK(is_seen[i]);
  tear_down(&f);
}

TEST(another_seed_gives_another_order) {
  uint32_t order[2][100];
  for (uint64_t run = 0; run < 2; run++) {
    hd_test_allocator allocator;
    hd_test_allocator_init(&allocator);
    hd_hash_map map;
    hd_hash_map_init(&map, &allocator.hook, 4, 0, 0, (const uint64_t[2]){run, 0});
    for (uint32_t i = 0; i < 100; i++) {
      void *value;
      hd_hash_map_insert(&map, &i, &value, NULL);
    }
    size_t position = 0, count = 0;
    const void *key;
    void *value;
    while (hd_hash_map_next(&map, &position, &key, &value)) order[run][count++] = *(const uint32_t *)key;
    hd_hash_map_destroy(&map);
  }
  CHECK(memcmp(order[0], order[1], sizeof order[0]) != 0);
}

/* Keys that differ in one byte, at each place of it. */
static void check_key_size(uint32_t key_size, uint32_t value_size) {
  hd_test_allocator allocator;
  hd_test_allocator_init(&allocator);
  hd_hash_map map;
  hd_hash_map_init(&map, &allocator.hook, key_size, value_size, 0, seed);
  uint8_t key[64] = {0};
  uint8_t expected[64];
  void *value;
  for (uint32_t i = 0; i < key_size; i++) {
    key[i] = (uint8_t)(i + 1);
    CHECK_INT(HDHT_OK, hd_hash_map_insert(&map, key, &value, NULL));
    memset(value, (int)i, value_size);
    key[i] = 0;
  }
  CHECK_UINT(key_size, map.count);
  for (uint32_t i = 0; i < key_size; i++) {
    key[i] = (uint8_t)(i + 1);
    value = hd_hash_map_find(&map, key);
    REQUIRE(value != NULL);
    memset(expected, (int)i, sizeof expected);
    CHECK_BYTES(expected, value, value_size);
    key[i] = (uint8_t)(i + 2);
    CHECK(hd_hash_map_find(&map, key) == NULL);
    key[i] = 0;
  }
  hd_hash_map_destroy(&map);
  CHECK_UINT(0, allocator.live_bytes);
}

TEST(keys_and_values_of_any_size_work) {
  const uint32_t key_sizes[] = {1, 2, 3, 4, 5, 7, 8, 9, 12, 16, 20, 32, 33, 64};
  const uint32_t value_sizes[] = {0, 1, 3, 4, 8, 24, 64};
  for (size_t i = 0; i < sizeof key_sizes / sizeof key_sizes[0]; i++) {
    for (size_t j = 0; j < sizeof value_sizes / sizeof value_sizes[0]; j++) {
      check_key_size(key_sizes[i], value_sizes[j]);
    }
  }
}

TEST(addresses_are_keys) {
  hd_test_allocator allocator;
  hd_test_allocator_init(&allocator);
  hd_hash_map map;
  hd_hash_map_init(&map, &allocator.hook, sizeof(hd_address), sizeof(void *), 0, seed);
  for (uint16_t port = 1; port < 500; port++) {
    const hd_address address = hd_address_ipv4(127, 0, 0, 1, port);
    void *value;
    CHECK_INT(HDHT_OK, hd_hash_map_insert(&map, &address, &value, NULL));
    CHECK_UINT(0, (uintptr_t)value % _Alignof(void *));
    *(uintptr_t *)value = port;
  }
  const hd_address found = hd_address_ipv4(127, 0, 0, 1, 499), absent = hd_address_ipv4(127, 0, 0, 1, 500);
  CHECK_UINT(499, *(uintptr_t *)hd_hash_map_find(&map, &found));
  CHECK(hd_hash_map_find(&map, &absent) == NULL);
  hd_hash_map_destroy(&map);
}

TEST(a_set_has_no_values) {
  hd_test_allocator allocator;
  hd_test_allocator_init(&allocator);
  hd_hash_map set;
  hd_hash_map_init(&set, &allocator.hook, 8, 0, 0, seed);
  const uint64_t in = 1, out = 2;
  void *value = NULL;
  CHECK_INT(HDHT_OK, hd_hash_map_insert(&set, &in, &value, NULL));
  CHECK(value != NULL);
  CHECK(hd_hash_map_find(&set, &in) != NULL);
  CHECK(hd_hash_map_find(&set, &out) == NULL);
  hd_hash_map_destroy(&set);
}

static bool insert_many(const hdht_allocator *allocator) {
  hd_hash_map map;
  hd_hash_map_init(&map, allocator, sizeof(uint32_t), sizeof(uint64_t), 0, seed);
  bool is_stored[100];
  bool succeeded = true;
  for (uint32_t i = 0; i < 100; i++) {
    is_stored[i] = put(&map, i, i) == HDHT_OK;
    succeeded = succeeded && is_stored[i];
  }
  for (uint32_t i = 0; i < 100; i++) {
    CHECK((find(&map, i) != NULL) == is_stored[i]);
    if (is_stored[i]) CHECK_UINT(i, *find(&map, i));
  }
  hd_hash_map_destroy(&map);
  return succeeded;
}

TEST(a_hash_map_survives_every_allocation_failure) {
  hd_test_each_allocation_failure(insert_many);
}
