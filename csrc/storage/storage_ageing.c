#include "storage/storage_ageing.h"

#include <hdht/error.h>
#include <string.h>

#include "base/assertion.h"

#define WEIGHT_SIZE sizeof(size_t) /* in front of each value */

hd_storage_age hd_storage_age_of(hd_duration age_limit) {
  const uint64_t milliseconds = age_limit.us / 1000;
  return (hd_storage_age){.period = HD_MILLISECONDS((2 * milliseconds + 2) / 3), .next = HD_TIME_NEVER};
}

unsigned hd_storage_age_advance(hd_storage_age *age, hd_time now) {
  if (!hd_time_is_due(age->next, now)) return 0;
  const hd_time second = hd_time_add(age->next, age->period);
  const bool are_both_old = hd_time_is_due(second, now);
  age->next = are_both_old ? HD_TIME_NEVER : second;
  return are_both_old ? 2 : 1;
}

static void init_generation(hd_storage_generation *generation, const hd_storage_cache_options *options) {
  *generation = (hd_storage_generation){.weight = 0};
  hd_hash_map_init(&generation->entries, options->allocator, options->key_size,
                   (uint32_t)(WEIGHT_SIZE + options->value_size), 0, options->seed);
}

void hd_storage_cache_init(hd_storage_cache *cache, const hd_storage_cache_options *options) {
  hd_assert(options->entries_limit > 0);
  *cache = (hd_storage_cache){.options = *options, .age = hd_storage_age_of(options->age_limit)};
  init_generation(&cache->newer, options);
  init_generation(&cache->older, options);
}

static void *value_in(void *slot) {
  return (uint8_t *)slot + WEIGHT_SIZE;
}

static size_t weight_in(const void *slot) {
  size_t weight;
  memcpy(&weight, slot, sizeof weight);
  return weight;
}

static void forget_value(const hd_storage_cache *cache, void *value) {
  if (cache->options.forget != NULL) cache->options.forget(cache->options.context, value);
}

bool hd_storage_generation_next(const hd_storage_generation *generation, size_t *position, const void **key,
                                void **value) {
  void *slot;
  if (!hd_hash_map_next(&generation->entries, position, key, &slot)) return false;
  *value = value_in(slot);
  return true;
}

static void forget_generation(const hd_storage_cache *cache, hd_storage_generation *generation) {
  size_t position = 0;
  const void *key;
  void *value;
  while (hd_storage_generation_next(generation, &position, &key, &value)) forget_value(cache, value);
  hd_hash_map_destroy(&generation->entries);
  generation->weight = 0;
}

static void change_generation(hd_storage_cache *cache) {
  forget_generation(cache, &cache->older);
  const hd_storage_generation emptied = cache->older;
  cache->older = cache->newer;
  cache->newer = emptied;
}

void hd_storage_cache_destroy(hd_storage_cache *cache) {
  forget_generation(cache, &cache->newer);
  forget_generation(cache, &cache->older);
}

size_t hd_storage_cache_count(const hd_storage_cache *cache) {
  return cache->newer.entries.count + cache->older.entries.count;
}

void hd_storage_cache_elapse(hd_storage_cache *cache, hd_time now) {
  for (unsigned due = hd_storage_age_advance(&cache->age, now); due > 0; due--) change_generation(cache);
  if (hd_storage_cache_count(cache) == 0) cache->age.next = HD_TIME_NEVER;
}

void *hd_storage_cache_find(hd_storage_cache *cache, const void *key, hd_time now) {
  hd_storage_cache_elapse(cache, now);
  void *slot = hd_hash_map_find(&cache->newer.entries, key);
  if (slot == NULL) slot = hd_hash_map_find(&cache->older.entries, key);
  return slot == NULL ? NULL : value_in(slot);
}

static bool is_full(const hd_storage_cache *cache, size_t more_weight) {
  const hd_storage_generation *newer = &cache->newer;
  if (newer->entries.count >= cache->options.entries_limit) return true;
  return newer->weight > 0 && more_weight > cache->options.weight_limit - newer->weight;
}

static void drop_slot(hd_storage_generation *generation, const void *key, const void *slot) {
  generation->weight -= weight_in(slot);
  hd_hash_map_remove(&generation->entries, key);
}

/* Only within what the newer generation has room for: reading must not push others out. */
void *hd_storage_cache_renew(hd_storage_cache *cache, const void *key, hd_time now) {
  hd_storage_cache_elapse(cache, now);
  void *slot = hd_hash_map_find(&cache->newer.entries, key);
  if (slot != NULL) return value_in(slot);
  void *old_slot = hd_hash_map_find(&cache->older.entries, key);
  if (old_slot == NULL) return NULL;

  const size_t weight = weight_in(old_slot);
  if (is_full(cache, weight) || hd_hash_map_insert(&cache->newer.entries, key, &slot, NULL) != HDHT_OK) {
    return value_in(old_slot);
  }
  memcpy(slot, old_slot, WEIGHT_SIZE + cache->options.value_size);
  cache->newer.weight += weight;
  drop_slot(&cache->older, key, old_slot);
  return value_in(slot);
}

static void fill_slot(hd_storage_cache *cache, void *slot, const void *value, size_t weight) {
  memcpy(slot, &weight, sizeof weight);
  if (cache->options.value_size > 0) memcpy(value_in(slot), value, cache->options.value_size);
  cache->newer.weight += weight;
}

int hd_storage_cache_put(hd_storage_cache *cache, const void *key, const void *value, size_t weight, hd_time now) {
  hd_storage_cache_elapse(cache, now);
  void *slot = hd_hash_map_find(&cache->newer.entries, key);
  if (slot != NULL) {
    cache->newer.weight -= weight_in(slot);
    forget_value(cache, value_in(slot));
    fill_slot(cache, slot, value, weight);
    return HDHT_OK;
  }

  if (is_full(cache, weight)) {
    change_generation(cache);
    cache->age.next = hd_time_add(now, cache->age.period);
  }
  const int error = hd_hash_map_insert(&cache->newer.entries, key, &slot, NULL);
  if (error != HDHT_OK) return error;
  fill_slot(cache, slot, value, weight);
  if (hd_time_is_never(cache->age.next)) cache->age.next = hd_time_add(now, cache->age.period);

  void *old_slot = hd_hash_map_find(&cache->older.entries, key);
  if (old_slot != NULL) {
    forget_value(cache, value_in(old_slot));
    drop_slot(&cache->older, key, old_slot);
  }
  return HDHT_OK;
}

static bool remove_from(hd_storage_cache *cache, hd_storage_generation *generation, const void *key) {
  void *slot = hd_hash_map_find(&generation->entries, key);
  if (slot == NULL) return false;
  forget_value(cache, value_in(slot));
  drop_slot(generation, key, slot);
  return true;
}

/* A key is in one generation at most. */
bool hd_storage_cache_remove(hd_storage_cache *cache, const void *key) {
  return remove_from(cache, &cache->newer, key) || remove_from(cache, &cache->older, key);
}
