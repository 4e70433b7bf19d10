#include "base/hash_map.h"

#include <hdht/error.h>
#include <string.h>

#include "base/assertion.h"
#include "base/byte_order.h"
#include "base/layout.h"
#include "base/sip_hash.h"

/* After the slots comes one tag byte per slot: 0 when the slot is empty, else the top bit and 7 bits of the key's hash.
 * Probing reads the tags of 8 slots at once; so that it may start at any slot, the first GROUP_SIZE - 1 tags are
 * repeated behind the last one. */
#define GROUP_SIZE      8
#define TAG_EMPTY       0x00
#define TAG_OCCUPIED    0x80
#define EACH_BYTE       0x0101010101010101u
#define SLOTS_COUNT_MIN 8
#define NOT_FOUND       SIZE_MAX

_Static_assert(SLOTS_COUNT_MIN >= GROUP_SIZE, "repeated tags come from distinct slots");

/* Three quarters full, a search for an absent key looks at 8.5 tags on average: about one group. */
static size_t entries_per_slots(size_t slots_count) {
  return slots_count / 4 * 3;
}

static uint8_t *slot_at(const hd_hash_map *map, size_t index) {
  return map->slots + index * map->slot_size;
}

static void *value_at(const hd_hash_map *map, size_t index) {
  return slot_at(map, index) + map->value_offset;
}

static uint8_t *tags_of(const hd_hash_map *map) {
  return slot_at(map, map->slots_count);
}

static void set_tag(hd_hash_map *map, size_t index, uint8_t tag) {
  uint8_t *tags = tags_of(map);
  tags[index] = tag;
  if (index < GROUP_SIZE - 1) tags[map->slots_count + index] = tag;
}

static size_t next_index(const hd_hash_map *map, size_t index) {
  return (index + 1) & (map->slots_count - 1);
}

/* How far `index` is behind the slot where the search for its key starts. */
static size_t distance(const hd_hash_map *map, size_t home, size_t index) {
  return (index - home) & (map->slots_count - 1);
}

static uint64_t hash_key(const hd_hash_map *map, const void *key) {
  if (map->key_size == 4) return hd_sip_hash_word(map->seed, hd_load_le32(key));
  if (map->key_size == 8) return hd_sip_hash_word(map->seed, hd_load_le64(key));
  return hd_sip_hash(map->seed, key, map->key_size);
}

static bool key_equal(const hd_hash_map *map, const void *a, const void *b) {
  if (map->key_size == 4) return hd_load_le32(a) == hd_load_le32(b);
  if (map->key_size == 8) return hd_load_le64(a) == hd_load_le64(b);
  return memcmp(a, b, map->key_size) == 0;
}

static size_t home_of(const hd_hash_map *map, uint64_t hash) {
  return (size_t)hash & (map->slots_count - 1);
}

static uint8_t tag_of(uint64_t hash) {
  return (uint8_t)(TAG_OCCUPIED | hash >> 57);
}

/* The top bit of each byte of the result says that the tag there is empty. */
static uint64_t group_empty(uint64_t group) {
  return ~group & EACH_BYTE * TAG_OCCUPIED;
}

/* The same for tags equal to `tag`; it may also name a wrong one above a right one, which costs a comparison of keys.
 */
static uint64_t group_match(uint64_t group, uint8_t tag) {
  const uint64_t zero_where_equal = group ^ EACH_BYTE * tag;
  return (zero_where_equal - EACH_BYTE) & ~zero_where_equal & EACH_BYTE * 0x80;
}

static size_t first_in_group(uint64_t marks) {
  return (size_t)__builtin_ctzll(marks) / 8;
}

/* Marks only below the first mark of `end`, or all if `end` is empty. */
static uint64_t marks_before(uint64_t marks, uint64_t end) {
  return marks & (end - 1) & ~end;
}

static size_t find_index(const hd_hash_map *map, const void *key, uint64_t hash) {
  const uint8_t *tags = tags_of(map);
  const size_t mask = map->slots_count - 1;
  for (size_t start = home_of(map, hash);; start = (start + GROUP_SIZE) & mask) {
    const uint64_t group = hd_load_le64(tags + start);
    const uint64_t empty = group_empty(group);
    for (uint64_t marks = marks_before(group_match(group, tag_of(hash)), empty); marks != 0; marks &= marks - 1) {
      const size_t index = (start + first_in_group(marks)) & mask;
      if (key_equal(map, slot_at(map, index), key)) return index;
    }
    if (empty != 0) return NOT_FOUND;
  }
}

static size_t find_empty(const hd_hash_map *map, uint64_t hash) {
  const uint8_t *tags = tags_of(map);
  const size_t mask = map->slots_count - 1;
  for (size_t start = home_of(map, hash);; start = (start + GROUP_SIZE) & mask) {
    const uint64_t empty = group_empty(hd_load_le64(tags + start));
    if (empty != 0) return (start + first_in_group(empty)) & mask;
  }
}

/* Bytes of the one allocation, or false if that is more than memory can be. */
static bool table_size(const hd_hash_map *map, size_t slots_count, size_t *size) {
  return !__builtin_mul_overflow(slots_count, map->slot_size, size) &&
         !__builtin_add_overflow(*size, slots_count, size) && !__builtin_add_overflow(*size, GROUP_SIZE - 1, size);
}

static size_t tags_size(const hd_hash_map *map) {
  return map->slots_count + GROUP_SIZE - 1;
}

static void release_table(hd_hash_map *map) {
  if (map->slots_count == 0) return;
  size_t size;
  const bool fits = table_size(map, map->slots_count, &size);
  hd_assert(fits);
  hd_release(map->allocator, map->slots, size);
}

static void move_entries(hd_hash_map *to, const hd_hash_map *from) {
  const uint8_t *tags = tags_of(from);
  for (size_t i = 0; i < from->slots_count; i++) {
    if (tags[i] == TAG_EMPTY) continue;
    const uint64_t hash = hash_key(from, slot_at(from, i));
    const size_t index = find_empty(to, hash);
    memcpy(slot_at(to, index), slot_at(from, i), to->slot_size);
    set_tag(to, index, tags[i]);
  }
}

/* Moves everything to a table of `slots_count`; the old one stays as it was if there is no memory for that. */
static int resize(hd_hash_map *map, size_t slots_count) {
  hd_assert(entries_per_slots(slots_count) >= map->count);
  size_t size;
  if (!table_size(map, slots_count, &size)) return HDHT_ERR_OUT_OF_MEMORY;

  hd_hash_map grown = *map;
  grown.slots = hd_allocate(map->allocator, size);
  if (grown.slots == NULL) return HDHT_ERR_OUT_OF_MEMORY;
  grown.slots_count = slots_count;
  memset(tags_of(&grown), TAG_EMPTY, tags_size(&grown));
  if (map->slots_count > 0) move_entries(&grown, map);

  release_table(map);
  *map = grown;
  return HDHT_OK;
}

static int make_room(hd_hash_map *map, size_t count) {
  if (count <= entries_per_slots(map->slots_count)) return HDHT_OK;
  size_t slots_count = map->slots_count > 0 ? map->slots_count : SLOTS_COUNT_MIN;
  while (entries_per_slots(slots_count) < count) {
    if (__builtin_mul_overflow(slots_count, (size_t)2, &slots_count)) return HDHT_ERR_OUT_OF_MEMORY;
  }
  return resize(map, slots_count);
}

static bool exceeds_limit(const hd_hash_map *map, size_t count) {
  return map->count_limit != 0 && count > map->count_limit;
}

void hd_hash_map_init(hd_hash_map *map, const hd_allocator *allocator, uint32_t key_size, uint32_t value_size,
                      size_t count_limit, const uint64_t seed[2]) {
  hd_assert(key_size > 0 && key_size <= HD_HASH_MAP_PART_SIZE_LIMIT);
  hd_assert(value_size <= HD_HASH_MAP_PART_SIZE_LIMIT);
  const uint32_t key_alignment = hd_layout_alignment(key_size);
  const uint32_t value_alignment = hd_layout_alignment(value_size);
  const uint32_t value_offset = hd_layout_align(key_size, value_alignment);
  *map = (hd_hash_map){
      .allocator = allocator,
      .count_limit = count_limit,
      .key_size = key_size,
      .value_size = value_size,
      .value_offset = value_offset,
      .slot_size =
          hd_layout_align(value_offset + value_size, key_alignment > value_alignment ? key_alignment : value_alignment),
      .seed = {seed[0], seed[1]},
  };
}

void hd_hash_map_destroy(hd_hash_map *map) {
  release_table(map);
  map->slots = NULL;
  map->slots_count = 0;
  map->count = 0;
}

int hd_hash_map_reserve(hd_hash_map *map, size_t count) {
  if (exceeds_limit(map, count)) return HDHT_ERR_LIMIT;
  return make_room(map, count);
}

void *hd_hash_map_find(const hd_hash_map *map, const void *key) {
  if (map->count == 0) return NULL;
  const size_t index = find_index(map, key, hash_key(map, key));
  return index == NOT_FOUND ? NULL : value_at(map, index);
}

int hd_hash_map_insert(hd_hash_map *map, const void *key, void **value, bool *is_new) {
  const uint64_t hash = hash_key(map, key);
  size_t index = map->count > 0 ? find_index(map, key, hash) : NOT_FOUND;
  const bool is_absent = index == NOT_FOUND;
  if (is_absent) {
    if (exceeds_limit(map, map->count + 1)) return HDHT_ERR_LIMIT;
    const int error = make_room(map, map->count + 1);
    if (error != HDHT_OK) return error;

    index = find_empty(map, hash);
    memcpy(slot_at(map, index), key, map->key_size);
    memset(value_at(map, index), 0, map->value_size);
    set_tag(map, index, tag_of(hash));
    map->count++;
  }
  *value = value_at(map, index);
  if (is_new != NULL) *is_new = is_absent;
  return HDHT_OK;
}

/* Back-shift: an entry behind the hole moves into it unless the search for its key starts after the hole; then its own
 * slot is the hole. What is left is a table in which the removed entry never was. */
bool hd_hash_map_remove(hd_hash_map *map, const void *key) {
  if (map->count == 0) return false;
  size_t hole = find_index(map, key, hash_key(map, key));
  if (hole == NOT_FOUND) return false;

  const uint8_t *tags = tags_of(map);
  for (size_t i = next_index(map, hole); tags[i] != TAG_EMPTY; i = next_index(map, i)) {
    const size_t home = home_of(map, hash_key(map, slot_at(map, i)));
    if (distance(map, home, i) < distance(map, hole, i)) continue;
    memcpy(slot_at(map, hole), slot_at(map, i), map->slot_size);
    set_tag(map, hole, tags[i]);
    hole = i;
  }
  set_tag(map, hole, TAG_EMPTY);
  map->count--;
  return true;
}

void hd_hash_map_clear(hd_hash_map *map) {
  if (map->slots_count > 0) memset(tags_of(map), TAG_EMPTY, tags_size(map));
  map->count = 0;
}

bool hd_hash_map_next(const hd_hash_map *map, size_t *position, const void **key, void **value) {
  if (map->slots_count == 0) return false;
  const uint8_t *tags = tags_of(map);
  while (*position < map->slots_count && tags[*position] == TAG_EMPTY) (*position)++;
  if (*position >= map->slots_count) return false;

  *key = slot_at(map, *position);
  *value = value_at(map, *position);
  (*position)++;
  return true;
}
