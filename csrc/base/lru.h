/* A map that holds a fixed number of entries and drops the least recently used one to make room, with an optional age
 * limit. All memory is allocated once, at the first insert. Keys are plain memory, as in hash_map.h. */
#ifndef HD_LRU_H
#define HD_LRU_H

#include <stdbool.h>

#include "base/clock.h"
#include "base/hash_map.h"

typedef struct hd_lru {
  const hd_allocator *allocator;
  hd_hash_map index; /* key to entry number */
  uint8_t *entries;  /* count_limit records of: links, time, key, value */
  uint32_t count;
  uint32_t count_limit;
  uint32_t newest; /* entry numbers; UINT32_MAX when empty */
  uint32_t oldest;
  uint32_t free_first;
  uint32_t key_size;
  uint32_t value_size;
  uint32_t key_offset;
  uint32_t value_offset;
  uint32_t entry_size;
  hd_duration age_limit; /* entries not put for this long are gone; HD_DURATION_FOREVER for none */
} hd_lru;

/* Called with the value of each entry that leaves for lack of room, by age, or by hd_lru_clear, so its owner can let go
 * of what it points to. */
typedef void hd_lru_evicted(void *context, const void *key, void *value);

/* An empty cache of at most `count_limit` > 0 entries; allocates nothing. */
void hd_lru_init(hd_lru *lru, const hd_allocator *allocator, uint32_t key_size, uint32_t value_size,
                 uint32_t count_limit, hd_duration age_limit, const uint64_t seed[2]);

void hd_lru_destroy(hd_lru *lru);

/* The value under `key`, now the most recently used, or NULL if there is none or it is too old at `now`. Reading does
 * not renew its age. */
void *hd_lru_get(hd_lru *lru, const void *key, hd_time now);

/* The same without counting as a use. */
void *hd_lru_peek(const hd_lru *lru, const void *key, hd_time now);

/* Finds or makes the entry of `key`, renews its age and makes it the most recently used. A new value is zeroed. When
 * the cache is full the least recently used entry is evicted first.
 *
 * evicted  may be NULL
 * value    [out] good until the next put, remove or clear
 *
 * Errors: HDHT_ERR_OUT_OF_MEMORY (only before the first entry was stored). */
int hd_lru_put(hd_lru *lru, const void *key, hd_time now, hd_lru_evicted *evicted, void *context, void **value);

/* Removes the entry without calling anybody. Returns whether there was one. */
bool hd_lru_remove(hd_lru *lru, const void *key);

/* Evicts every entry that is too old at `now`, oldest use first, stopping at the first that is not. */
void hd_lru_expire(hd_lru *lru, hd_time now, hd_lru_evicted *evicted, void *context);

void hd_lru_clear(hd_lru *lru, hd_lru_evicted *evicted, void *context);

#endif
