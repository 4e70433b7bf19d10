#include "base/lru.h"

#include <hdht/error.h>
#include <string.h>

#include "base/assertion.h"
#include "base/layout.h"

#define NO_ENTRY UINT32_MAX

/* The front of each entry; key and value follow. Entries in use form a list from the oldest use to the newest; the
 * others are chained through `newer`. */
typedef struct entry_links {
  uint32_t newer;
  uint32_t older;
  hd_time put_at;
} entry_links;

static uint8_t *entry_at(const hd_lru *lru, uint32_t entry) {
  hd_assert(entry < lru->count_limit);
  return lru->entries + (size_t)entry * lru->entry_size;
}

static entry_links *links_of(const hd_lru *lru, uint32_t entry) {
  return (entry_links *)(void *)entry_at(lru, entry);
}

static void *key_of(const hd_lru *lru, uint32_t entry) {
  return entry_at(lru, entry) + lru->key_offset;
}

static void *value_of(const hd_lru *lru, uint32_t entry) {
  return entry_at(lru, entry) + lru->value_offset;
}

static bool is_too_old(const hd_lru *lru, uint32_t entry, hd_time now) {
  const hd_time end = hd_time_add(links_of(lru, entry)->put_at, lru->age_limit);
  return !hd_time_is_never(end) && hd_time_is_due(end, now);
}

static uint32_t find(const hd_lru *lru, const void *key) {
  const uint32_t *entry = hd_hash_map_find(&lru->index, key);
  return entry != NULL ? *entry : NO_ENTRY;
}

static void link_as_newest(hd_lru *lru, uint32_t entry) {
  entry_links *links = links_of(lru, entry);
  links->newer = NO_ENTRY;
  links->older = lru->newest;
  if (lru->newest != NO_ENTRY) {
    links_of(lru, lru->newest)->newer = entry;
  } else {
    lru->oldest = entry;
  }
  lru->newest = entry;
}

static void unlink_entry(hd_lru *lru, uint32_t entry) {
  const entry_links *links = links_of(lru, entry);
  if (links->newer != NO_ENTRY) {
    links_of(lru, links->newer)->older = links->older;
  } else {
    lru->newest = links->older;
  }
  if (links->older != NO_ENTRY) {
    links_of(lru, links->older)->newer = links->newer;
  } else {
    lru->oldest = links->newer;
  }
}

static void use(hd_lru *lru, uint32_t entry) {
  if (entry == lru->newest) return;
  unlink_entry(lru, entry);
  link_as_newest(lru, entry);
}

/* Takes the entry out of the index and the list. Key and value stay in memory until the entry is used again. */
static void detach(hd_lru *lru, uint32_t entry) {
  const bool was_indexed = hd_hash_map_remove(&lru->index, key_of(lru, entry));
  hd_assert(was_indexed);
  unlink_entry(lru, entry);
  links_of(lru, entry)->newer = lru->free_first;
  lru->free_first = entry;
  lru->count--;
}

static void evict(hd_lru *lru, uint32_t entry, hd_lru_evicted *evicted, void *context) {
  detach(lru, entry);
  if (evicted != NULL) evicted(context, key_of(lru, entry), value_of(lru, entry));
}

static int allocate_once(hd_lru *lru) {
  if (lru->entries != NULL) return HDHT_OK;
  const int error = hd_hash_map_reserve(&lru->index, lru->count_limit);
  if (error != HDHT_OK) return error;
  lru->entries = hd_allocate_array(lru->allocator, lru->count_limit, lru->entry_size);
  if (lru->entries == NULL) return HDHT_ERR_OUT_OF_MEMORY;

  for (uint32_t i = 0; i < lru->count_limit; i++) {
    links_of(lru, i)->newer = i + 1 < lru->count_limit ? i + 1 : NO_ENTRY;
  }
  lru->free_first = 0;
  return HDHT_OK;
}

/* Makes the entry of a key that has none. */
static uint32_t add(hd_lru *lru, const void *key) {
  const uint32_t entry = lru->free_first;
  lru->free_first = links_of(lru, entry)->newer;
  memcpy(key_of(lru, entry), key, lru->key_size);
  memset(value_of(lru, entry), 0, lru->value_size);

  void *indexed;
  const int error = hd_hash_map_insert(&lru->index, key, &indexed, NULL);
  hd_assert(error == HDHT_OK); /* room for count_limit entries was reserved */
  memcpy(indexed, &entry, sizeof entry);
  link_as_newest(lru, entry);
  lru->count++;
  return entry;
}

void hd_lru_init(hd_lru *lru, const hd_allocator *allocator, uint32_t key_size, uint32_t value_size,
                 uint32_t count_limit, hd_duration age_limit, const uint64_t seed[2]) {
  hd_assert(count_limit > 0 && count_limit < NO_ENTRY);
  hd_assert(value_size <= HD_HASH_MAP_PART_SIZE_LIMIT);
  const uint32_t key_offset = sizeof(entry_links);
  const uint32_t value_offset = hd_layout_align(key_offset + key_size, hd_layout_alignment(value_size));
  *lru = (hd_lru){
      .allocator = allocator,
      .count_limit = count_limit,
      .newest = NO_ENTRY,
      .oldest = NO_ENTRY,
      .free_first = NO_ENTRY,
      .key_size = key_size,
      .value_size = value_size,
      .key_offset = key_offset,
      .value_offset = value_offset,
      .entry_size = hd_layout_align(value_offset + value_size, _Alignof(entry_links)),
      .age_limit = age_limit,
  };
  hd_hash_map_init(&lru->index, allocator, key_size, sizeof(uint32_t), count_limit, seed);
}

void hd_lru_destroy(hd_lru *lru) {
  hd_hash_map_destroy(&lru->index);
  hd_release(lru->allocator, lru->entries, (size_t)lru->count_limit * lru->entry_size);
  lru->entries = NULL;
  lru->newest = lru->oldest = lru->free_first = NO_ENTRY;
  lru->count = 0;
}

void *hd_lru_get(hd_lru *lru, const void *key, hd_time now) {
  const uint32_t entry = find(lru, key);
  if (entry == NO_ENTRY || is_too_old(lru, entry, now)) return NULL;
  use(lru, entry);
  return value_of(lru, entry);
}

void *hd_lru_peek(const hd_lru *lru, const void *key, hd_time now) {
  const uint32_t entry = find(lru, key);
  return entry == NO_ENTRY || is_too_old(lru, entry, now) ? NULL : value_of(lru, entry);
}

int hd_lru_put(hd_lru *lru, const void *key, hd_time now, hd_lru_evicted *evicted, void *context, void **value) {
  const int error = allocate_once(lru);
  if (error != HDHT_OK) return error;

  uint32_t entry = find(lru, key);
  if (entry != NO_ENTRY && is_too_old(lru, entry, now)) {
    evict(lru, entry, evicted, context);
    entry = NO_ENTRY;
  }
  if (entry == NO_ENTRY) {
    if (lru->count == lru->count_limit) evict(lru, lru->oldest, evicted, context);
    entry = add(lru, key);
  } else {
    use(lru, entry);
  }
  links_of(lru, entry)->put_at = now;
  *value = value_of(lru, entry);
  return HDHT_OK;
}

bool hd_lru_remove(hd_lru *lru, const void *key) {
  const uint32_t entry = find(lru, key);
  if (entry == NO_ENTRY) return false;
  detach(lru, entry);
  return true;
}

void hd_lru_expire(hd_lru *lru, hd_time now, hd_lru_evicted *evicted, void *context) {
  while (lru->oldest != NO_ENTRY && is_too_old(lru, lru->oldest, now)) evict(lru, lru->oldest, evicted, context);
}

void hd_lru_clear(hd_lru *lru, hd_lru_evicted *evicted, void *context) {
  while (lru->oldest != NO_ENTRY) evict(lru, lru->oldest, evicted, context);
}
