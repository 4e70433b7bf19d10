/* A cache in two generations (xache, as hyperdht uses it): everything new goes into the newer one; every two thirds of
 * the age limit, or when the newer one is full, the older one is forgotten and the newer becomes the older. An entry
 * lives for two thirds to four thirds of the age limit after it was last put or renewed, and no clock is kept per
 * entry.
 *
 * Memory is taken as entries come and given back when they go. An entry may own more memory than its own; then its
 * weight counts those bytes, and `forget` gives them back. Keys are plain memory of one size, without padding. */
#ifndef HD_STORAGE_AGEING_H
#define HD_STORAGE_AGEING_H

#include "base/clock.h"
#include "base/hash_map.h"

/* When generations change. */
typedef struct hd_storage_age {
  hd_duration period; /* two thirds of the age limit */
  hd_time next;       /* HD_TIME_NEVER while nothing is stored */
} hd_storage_age;

/* `age_limit` as the reference counts it. */
hd_storage_age hd_storage_age_of(hd_duration age_limit);

/* How many generations have passed at `now`: 0; 1; or 2, when both are too old. Moves on to the next change. */
unsigned hd_storage_age_advance(hd_storage_age *age, hd_time now);

/* Called with the value of each entry that leaves, whyever. */
typedef void hd_storage_forget(void *context, void *value);

typedef struct hd_storage_cache_options {
  const hd_allocator *allocator;
  uint32_t key_size;
  uint32_t value_size;
  uint32_t entries_limit; /* of one generation */
  size_t weight_limit;    /* of one generation; SIZE_MAX for none */
  hd_duration age_limit;
  const uint64_t *seed;      /* two words, copied */
  hd_storage_forget *forget; /* may be NULL */
  void *context;
} hd_storage_cache_options;

typedef struct hd_storage_generation {
  hd_hash_map entries; /* values are: size_t weight, then the value */
  size_t weight;
} hd_storage_generation;

typedef struct hd_storage_cache {
  hd_storage_cache_options options;
  hd_storage_generation newer, older;
  hd_storage_age age;
} hd_storage_cache;

/* An empty cache; allocates nothing. */
void hd_storage_cache_init(hd_storage_cache *cache, const hd_storage_cache_options *options);

/* Forgets everything and gives all memory back. */
void hd_storage_cache_destroy(hd_storage_cache *cache);

/* The value under `key`, good until the next call of any other function, or NULL. */
void *hd_storage_cache_find(hd_storage_cache *cache, const void *key, hd_time now);

/* The same, and its age starts anew. */
void *hd_storage_cache_renew(hd_storage_cache *cache, const void *key, hd_time now);

/* Stores a copy of `value` under `key`, in place of what was there. What it points to then belongs to the cache.
 *
 * Errors: HDHT_ERR_OUT_OF_MEMORY; nothing changed. */
int hd_storage_cache_put(hd_storage_cache *cache, const void *key, const void *value, size_t weight, hd_time now);

/* Returns whether there was one. */
bool hd_storage_cache_remove(hd_storage_cache *cache, const void *key);

/* Forgets what is too old. Reading does that as well; this is for memory nobody asks for. */
void hd_storage_cache_elapse(hd_storage_cache *cache, hd_time now);

size_t hd_storage_cache_count(const hd_storage_cache *cache);

/* Walks all entries: start with *position = 0 on the newer generation, then 0 again on the older. */
bool hd_storage_generation_next(const hd_storage_generation *generation, size_t *position, const void **key,
                                void **value);

#endif
