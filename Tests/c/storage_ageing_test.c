#include "storage/storage_ageing.h"

#include "test.h"

#define MINUTE 60

static const uint64_t seed[2] = {1, 2};

static hd_time at(uint64_t seconds) {
  return (hd_time){seconds * 1000000};
}

static unsigned forgotten;

static void count_forgotten(void *context, void *value) {
  (void)context;
  (void)value;
  forgotten++;
}

static void init(hd_storage_cache *cache, const hdht_allocator *allocator, uint32_t entries_limit,
                 size_t weight_limit) {
  forgotten = 0;
  hd_storage_cache_init(cache, &(hd_storage_cache_options){.allocator = allocator,
                                                           .key_size = 4,
                                                           .value_size = 4,
                                                           .entries_limit = entries_limit,
                                                           .weight_limit = weight_limit,
                                                           .age_limit = HD_SECONDS(3 * MINUTE),
                                                           .seed = seed,
                                                           .forget = count_forgotten});
}

static int put(hd_storage_cache *cache, uint32_t key, size_t weight, hd_time now) {
  const uint32_t value = key + 100;
  return hd_storage_cache_put(cache, &key, &value, weight, now);
}

static bool has(hd_storage_cache *cache, uint32_t key, hd_time now) {
  const uint32_t *value = hd_storage_cache_find(cache, &key, now);
  if (value != NULL) CHECK_UINT(key + 100, *value);
  return value != NULL;
}

TEST(storage_age_is_two_thirds_rounded_up_to_a_millisecond) {
  CHECK_UINT(800000000, hd_storage_age_of(HD_SECONDS(20 * 60)).period.us); /* 13 min 20 s */
  CHECK_UINT(1000, hd_storage_age_of(HD_MILLISECONDS(1)).period.us);
}

TEST(storage_cache_keeps_an_entry_for_two_thirds_to_four_thirds_of_its_age) {
  hd_storage_cache cache;
  init(&cache, hd_allocator_system(), 100, SIZE_MAX);
  CHECK_INT(HDHT_OK, put(&cache, 1, 0, at(0)));              /* first of its generation */
  CHECK_INT(HDHT_OK, put(&cache, 2, 0, at(2 * MINUTE - 1))); /* last of it */
  CHECK(has(&cache, 1, at(4 * MINUTE - 1)));
  CHECK(has(&cache, 2, at(4 * MINUTE - 1)));
  CHECK(!has(&cache, 1, at(4 * MINUTE)));
  CHECK(!has(&cache, 2, at(4 * MINUTE)));
  CHECK_UINT(2, forgotten);
  hd_storage_cache_destroy(&cache);
}

TEST(storage_cache_forgets_both_generations_after_a_long_sleep) {
  hd_storage_cache cache;
  init(&cache, hd_allocator_system(), 100, SIZE_MAX);
  CHECK_INT(HDHT_OK, put(&cache, 1, 0, at(0)));
  CHECK(!has(&cache, 1, at(3600)));
  CHECK_INT(HDHT_OK, put(&cache, 2, 0, at(3600))); /* and starts anew */
  CHECK(has(&cache, 2, at(3600 + 2 * MINUTE)));
  hd_storage_cache_destroy(&cache);
}

TEST(storage_cache_renews_an_entry_only_when_asked_to) {
  hd_storage_cache cache;
  init(&cache, hd_allocator_system(), 100, SIZE_MAX);
  const uint32_t renewed = 1;
  CHECK_INT(HDHT_OK, put(&cache, 1, 5, at(0)));
  CHECK_INT(HDHT_OK, put(&cache, 2, 0, at(0)));
  CHECK(has(&cache, 2, at(2 * MINUTE)));
  CHECK(hd_storage_cache_renew(&cache, &renewed, at(2 * MINUTE)) != NULL);
  CHECK_UINT(5, cache.newer.weight);
  CHECK_UINT(0, cache.older.weight);
  CHECK(has(&cache, 1, at(4 * MINUTE)));
  CHECK(!has(&cache, 2, at(4 * MINUTE)));
  hd_storage_cache_destroy(&cache);
}

TEST(storage_cache_changes_generation_early_when_the_newer_is_full) {
  hd_storage_cache cache;
  init(&cache, hd_allocator_system(), 2, SIZE_MAX);
  for (uint32_t key = 1; key <= 4; key++) CHECK_INT(HDHT_OK, put(&cache, key, 0, at(0)));
  CHECK(has(&cache, 1, at(0)));
  CHECK_INT(HDHT_OK, put(&cache, 5, 0, at(0)));
  CHECK(!has(&cache, 1, at(0)));
  CHECK(!has(&cache, 2, at(0)));
  CHECK(has(&cache, 3, at(0)));
  CHECK_UINT(3, hd_storage_cache_count(&cache));
  hd_storage_cache_destroy(&cache);
}

TEST(storage_cache_counts_weight_up_to_its_limit) {
  hd_storage_cache cache;
  init(&cache, hd_allocator_system(), 100, 10);
  CHECK_INT(HDHT_OK, put(&cache, 1, 10, at(0))); /* exactly full */
  CHECK_UINT(1, cache.newer.entries.count);
  CHECK_INT(HDHT_OK, put(&cache, 2, 1, at(0)));
  CHECK_UINT(1, cache.newer.entries.count);
  CHECK_UINT(1, cache.older.entries.count);
  CHECK_INT(HDHT_OK, put(&cache, 3, 11, at(0))); /* heavier than the limit: alone in its generation */
  CHECK(!has(&cache, 1, at(0)));
  CHECK(has(&cache, 3, at(0)));
  hd_storage_cache_destroy(&cache);
}

TEST(storage_cache_replaces_and_forgets_what_was_under_the_key) {
  hd_storage_cache cache;
  init(&cache, hd_allocator_system(), 100, SIZE_MAX);
  CHECK_INT(HDHT_OK, put(&cache, 1, 7, at(0)));
  CHECK_INT(HDHT_OK, put(&cache, 1, 3, at(1)));
  CHECK_UINT(1, forgotten);
  CHECK_UINT(3, cache.newer.weight);
  CHECK_INT(HDHT_OK, put(&cache, 1, 4, at(2 * MINUTE))); /* now from the older generation */
  CHECK_UINT(2, forgotten);
  CHECK_UINT(1, hd_storage_cache_count(&cache));
  const uint32_t key = 1;
  CHECK(hd_storage_cache_remove(&cache, &key));
  CHECK(!hd_storage_cache_remove(&cache, &key));
  CHECK_UINT(3, forgotten);
  CHECK_UINT(0, cache.newer.weight);
  hd_storage_cache_destroy(&cache);
}

TEST(storage_cache_gives_memory_back_when_everything_is_old) {
  hd_test_allocator allocator;
  hd_test_allocator_init(&allocator);
  hd_storage_cache cache;
  init(&cache, &allocator.hook, 100, SIZE_MAX);
  for (uint32_t key = 0; key < 50; key++) CHECK_INT(HDHT_OK, put(&cache, key, 0, at(0)));
  hd_storage_cache_elapse(&cache, at(2 * MINUTE));
  CHECK(allocator.live_bytes > 0);
  hd_storage_cache_elapse(&cache, at(4 * MINUTE));
  CHECK_UINT(0, allocator.live_bytes);
  CHECK_UINT(50, forgotten);
  hd_storage_cache_destroy(&cache);
}

static bool put_through_two_generations(const hdht_allocator *allocator) {
  hd_storage_cache cache;
  init(&cache, allocator, 10, SIZE_MAX);
  unsigned stored = 0;
  for (uint32_t key = 0; key < 30; key++) stored += put(&cache, key % 17, 1, at(10 * key)) == HDHT_OK;
  hd_storage_cache_destroy(&cache);
  return stored == 30;
}

TEST(storage_cache_survives_each_failing_allocation) {
  hd_test_each_allocation_failure(put_through_two_generations);
}
