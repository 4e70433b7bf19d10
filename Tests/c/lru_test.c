#include "base/lru.h"

#include <stdio.h>
#include <string.h>

#include "test.h"

static const uint64_t seed[2] = {1, 2};

typedef struct fixture {
  hd_test_allocator allocator;
  hd_lru lru;
  char evicted[64]; /* "key=value " of each */
} fixture;

static void set_up(fixture *f, uint32_t count_limit, hd_duration age_limit) {
  *f = (fixture){.evicted = ""};
  hd_test_allocator_init(&f->allocator);
  hd_lru_init(&f->lru, &f->allocator.hook, 1, sizeof(int), count_limit, age_limit, seed);
}

static void tear_down(fixture *f) {
  hd_lru_destroy(&f->lru);
  CHECK_UINT(0, f->allocator.live_bytes);
}

static void note(void *context, const void *key, void *value) {
  fixture *f = context;
  const size_t used = strlen(f->evicted);
  snprintf(f->evicted + used, sizeof f->evicted - used, "%c=%d ", *(const char *)key, *(int *)value);
}

static void put(fixture *f, char key, int number, uint64_t now) {
  void *value;
  CHECK_INT(HDHT_OK, hd_lru_put(&f->lru, &key, (hd_time){now}, note, f, &value));
  *(int *)value = number;
}

/* The number under `key`, or -1. */
static int get(fixture *f, char key, uint64_t now) {
  const int *value = hd_lru_get(&f->lru, &key, (hd_time){now});
  return value != NULL ? *value : -1;
}

static int peek(const fixture *f, char key, uint64_t now) {
  const int *value = hd_lru_peek(&f->lru, &key, (hd_time){now});
  return value != NULL ? *value : -1;
}

TEST(a_new_cache_is_empty_and_has_allocated_nothing) {
  fixture f;
  set_up(&f, 3, HD_DURATION_FOREVER);
  const char key = 'a';
  CHECK_INT(-1, get(&f, 'a', 0));
  CHECK_INT(-1, peek(&f, 'a', 0));
  CHECK(!hd_lru_remove(&f.lru, &key));
  hd_lru_expire(&f.lru, HD_TIME_NEVER, note, &f);
  hd_lru_clear(&f.lru, note, &f);
  tear_down(&f);
  CHECK_UINT(0, f.allocator.allocations);
  CHECK_TEXT("", f.evicted);
}

TEST(a_full_cache_drops_the_entry_put_longest_ago) {
  fixture f;
  set_up(&f, 3, HD_DURATION_FOREVER);
  put(&f, 'a', 1, 0);
  put(&f, 'b', 2, 0);
  put(&f, 'c', 3, 0);
  CHECK_TEXT("", f.evicted);
  put(&f, 'd', 4, 0);
  CHECK_TEXT("a=1 ", f.evicted);
  CHECK_INT(-1, get(&f, 'a', 0));
  CHECK_INT(2, get(&f, 'b', 0));
  CHECK_INT(4, get(&f, 'd', 0));
  CHECK_UINT(3, f.lru.count);
  tear_down(&f);
}

TEST(getting_and_putting_count_as_use_and_peeking_does_not) {
  fixture f;
  set_up(&f, 3, HD_DURATION_FOREVER);
  put(&f, 'a', 1, 0);
  put(&f, 'b', 2, 0);
  put(&f, 'c', 3, 0);
  CHECK_INT(1, get(&f, 'a', 0));
  CHECK_INT(2, peek(&f, 'b', 0));
  put(&f, 'c', 33, 0);
  put(&f, 'd', 4, 0);
  put(&f, 'e', 5, 0);
  put(&f, 'f', 6, 0);
  CHECK_TEXT("b=2 a=1 c=33 ", f.evicted);
  tear_down(&f);
}

TEST(an_entry_is_gone_from_the_microsecond_it_reaches_the_age_limit) {
  fixture f;
  set_up(&f, 3, HD_MICROSECONDS(10));
  put(&f, 'a', 1, 100);
  CHECK_INT(1, get(&f, 'a', 109));
  CHECK_INT(1, peek(&f, 'a', 109));
  CHECK_INT(-1, get(&f, 'a', 110));
  CHECK_INT(-1, peek(&f, 'a', 110));
  tear_down(&f);
}

TEST(putting_renews_the_age_and_getting_does_not) {
  fixture f;
  set_up(&f, 3, HD_MICROSECONDS(10));
  put(&f, 'a', 1, 0);
  put(&f, 'b', 2, 0);
  put(&f, 'a', 11, 5);
  get(&f, 'b', 5);
  CHECK_INT(11, get(&f, 'a', 14));
  CHECK_INT(-1, get(&f, 'b', 14));
  tear_down(&f);
}

TEST(putting_over_a_too_old_entry_evicts_it_and_starts_from_zero) {
  fixture f;
  set_up(&f, 3, HD_MICROSECONDS(10));
  put(&f, 'a', 1, 0);
  const char key = 'a';
  void *value;
  CHECK_INT(HDHT_OK, hd_lru_put(&f.lru, &key, (hd_time){10}, note, &f, &value));
  CHECK_INT(0, *(int *)value);
  CHECK_TEXT("a=1 ", f.evicted);
  CHECK_UINT(1, f.lru.count);
  tear_down(&f);
}

TEST(expiring_stops_at_the_first_entry_that_is_young_enough) {
  fixture f;
  set_up(&f, 4, HD_MICROSECONDS(10));
  put(&f, 'a', 1, 0);
  put(&f, 'b', 2, 1);
  put(&f, 'c', 3, 5);
  hd_lru_expire(&f.lru, (hd_time){9}, note, &f);
  CHECK_TEXT("", f.evicted);
  hd_lru_expire(&f.lru, (hd_time){11}, note, &f);
  CHECK_TEXT("a=1 b=2 ", f.evicted);
  CHECK_UINT(1, f.lru.count);
  tear_down(&f);
}

TEST(entries_without_age_limit_stay_forever) {
  fixture f;
  set_up(&f, 2, HD_DURATION_FOREVER);
  put(&f, 'a', 1, 0);
  hd_lru_expire(&f.lru, HD_TIME_NEVER, note, &f);
  CHECK_INT(1, get(&f, 'a', UINT64_MAX));
  tear_down(&f);
}

TEST(removing_calls_nobody_and_makes_room) {
  fixture f;
  set_up(&f, 2, HD_DURATION_FOREVER);
  put(&f, 'a', 1, 0);
  put(&f, 'b', 2, 0);
  const char key = 'a';
  CHECK(hd_lru_remove(&f.lru, &key));
  CHECK(!hd_lru_remove(&f.lru, &key));
  put(&f, 'c', 3, 0);
  CHECK_TEXT("", f.evicted);
  CHECK_INT(2, get(&f, 'b', 0));
  CHECK_INT(3, get(&f, 'c', 0));
  tear_down(&f);
}

TEST(clearing_evicts_everything_and_the_cache_can_be_used_again) {
  fixture f;
  set_up(&f, 3, HD_DURATION_FOREVER);
  put(&f, 'a', 1, 0);
  put(&f, 'b', 2, 0);
  hd_lru_clear(&f.lru, note, &f);
  CHECK_TEXT("a=1 b=2 ", f.evicted);
  CHECK_UINT(0, f.lru.count);
  put(&f, 'a', 3, 0);
  CHECK_INT(3, get(&f, 'a', 0));
  tear_down(&f);
}

TEST(a_cache_of_one_entry_replaces_it) {
  fixture f;
  set_up(&f, 1, HD_DURATION_FOREVER);
  put(&f, 'a', 1, 0);
  put(&f, 'b', 2, 0);
  put(&f, 'b', 3, 0);
  CHECK_TEXT("a=1 ", f.evicted);
  CHECK_INT(3, get(&f, 'b', 0));
  tear_down(&f);
}

TEST(nobody_need_be_told_of_evictions) {
  fixture f;
  set_up(&f, 1, HD_DURATION_FOREVER);
  for (char key = 'a'; key < 'd'; key++) {
    void *value;
    CHECK_INT(HDHT_OK, hd_lru_put(&f.lru, &key, (hd_time){0}, NULL, NULL, &value));
  }
  hd_lru_clear(&f.lru, NULL, NULL);
  tear_down(&f);
}

TEST(after_the_first_put_nothing_is_allocated) {
  fixture f;
  set_up(&f, 100, HD_DURATION_FOREVER);
  put(&f, 'a', 1, 0);
  const size_t allocations = f.allocator.allocations;
  for (int i = 0; i < 2000; i++) put(&f, (char)(i % 250), i, 0);
  CHECK_UINT(allocations, f.allocator.allocations);
  CHECK_UINT(100, f.lru.count);
  tear_down(&f);
}

static bool put_some(const hdht_allocator *allocator) {
  hd_lru lru;
  hd_lru_init(&lru, allocator, 1, sizeof(int), 10, HD_DURATION_FOREVER, seed);
  unsigned stored = 0;
  for (char key = 'a'; key < 'a' + 20; key++) {
    void *value;
    stored += hd_lru_put(&lru, &key, (hd_time){0}, NULL, NULL, &value) == HDHT_OK;
  }
  CHECK_UINT(10, lru.count); /* a put that failed is simply tried again by the next one */
  hd_lru_destroy(&lru);
  return stored == 20;
}

TEST(a_cache_survives_every_allocation_failure) {
  hd_test_each_allocation_failure(put_some);
}
