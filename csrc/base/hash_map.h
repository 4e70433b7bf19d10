/* A hash map with open addressing (linear probing, back-shift deletion: no tombstones), keys and values inline in one
 * allocation. Keys are plain memory of one fixed size, compared with memcmp: they must have no padding. Keys and values
 * are aligned as a type of their size can need, up to 8 bytes.
 *
 * The hash is keyed with a seed (SipHash-1-3, Aumasson and Bernstein 2012; one block of it for keys of 4 and 8 bytes),
 * so a peer who chooses keys cannot choose collisions. Pointers to values are good until the next insert or remove. */
#ifndef HD_HASH_MAP_H
#define HD_HASH_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/allocator.h"

/* Keys and values are at most this long, in bytes. */
#define HD_HASH_MAP_PART_SIZE_LIMIT 65536u

typedef struct hd_hash_map {
  const hd_allocator *allocator;
  uint8_t *slots;      /* slots_count records of: key, padding, value; after them a tag byte per slot */
  size_t slots_count;  /* 0 or a power of two */
  size_t count;        /* entries stored */
  size_t count_limit;  /* insert refuses beyond this */
  uint32_t key_size;   /* bytes */
  uint32_t value_size; /* bytes; may be 0: a set */
  uint32_t value_offset;
  uint32_t slot_size;
  uint64_t seed[2];
} hd_hash_map;

/* An empty map; allocates nothing. `count_limit` is the most entries it will ever hold, 0 for no limit. */
void hd_hash_map_init(hd_hash_map *map, const hd_allocator *allocator, uint32_t key_size, uint32_t value_size,
                      size_t count_limit, const uint64_t seed[2]);

/* Gives all memory back. What values point to is the caller's. */
void hd_hash_map_destroy(hd_hash_map *map);

/* Makes room for `count` entries in all without growing later. Errors: HDHT_ERR_OUT_OF_MEMORY, HDHT_ERR_LIMIT. */
int hd_hash_map_reserve(hd_hash_map *map, size_t count);

/* The value stored under `key`, or NULL. (With value_size 0: any non-null pointer.) */
void *hd_hash_map_find(const hd_hash_map *map, const void *key);

/* Finds or makes the entry of `key`. A new value is zeroed.
 *
 * value     [out] where the value lives
 * is_new    [out] whether it was made; may be NULL
 *
 * Errors: HDHT_ERR_OUT_OF_MEMORY, HDHT_ERR_LIMIT; nothing changes. */
int hd_hash_map_insert(hd_hash_map *map, const void *key, void **value, bool *is_new);

/* Removes the entry. Returns whether there was one. */
bool hd_hash_map_remove(hd_hash_map *map, const void *key);

/* Removes every entry and keeps the memory. */
void hd_hash_map_clear(hd_hash_map *map);

/* Walks all entries in no particular but a repeatable order. Start with *position = 0; returns false at the end. The
 * map must not change between calls. */
bool hd_hash_map_next(const hd_hash_map *map, size_t *position, const void **key, void **value);

#endif
