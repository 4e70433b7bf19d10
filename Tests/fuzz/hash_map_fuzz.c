/* Random inserts, finds, removes and walks, each compared with an array that has one place per possible key. */
#include "base/hash_map.h"

#include <hdht/error.h>

#include "fuzz_input.h"

#define KEYS_COUNT 256

typedef struct model {
  bool is_stored[KEYS_COUNT];
  uint16_t values[KEYS_COUNT];
  size_t count;
} model;

static const uint8_t key_sizes[] = {1, 4, 8, 20, 32, 7};
static const uint16_t limits[] = {0, 5, 6, 7, 48, 97};

/* Keys differ in one byte only, first or last. */
static void make_key(uint8_t *key, uint32_t size, uint8_t number) {
  memset(key, 0x11, size);
  key[number % 2 == 0 ? 0 : size - 1] = number;
}

static void insert(hd_hash_map *map, model *expected, uint8_t number, uint16_t stored, bool is_failing) {
  uint8_t key[32];
  make_key(key, map->key_size, number);
  void *value = NULL;
  bool is_new = false;
  const int error = hd_hash_map_insert(map, key, &value, &is_new);

  const bool was_stored = expected->is_stored[number];
  if (!was_stored && map->count_limit != 0 && expected->count == map->count_limit) {
    FUZZ_CHECK(error == HDHT_ERR_LIMIT);
  } else if (error != HDHT_OK) {
    FUZZ_CHECK(error == HDHT_ERR_OUT_OF_MEMORY && is_failing && !was_stored);
  }
  if (error != HDHT_OK) {
    FUZZ_CHECK(value == NULL && !is_new);
    return;
  }
  FUZZ_CHECK(is_new == !was_stored);
  uint16_t before;
  memcpy(&before, value, sizeof before);
  FUZZ_CHECK(before == (was_stored ? expected->values[number] : 0));

  memcpy(value, &stored, sizeof stored);
  expected->values[number] = stored;
  expected->is_stored[number] = true;
  if (is_new) expected->count++;
}

static void find(const hd_hash_map *map, const model *expected, uint8_t number) {
  uint8_t key[32];
  make_key(key, map->key_size, number);
  const void *value = hd_hash_map_find(map, key);
  FUZZ_CHECK((value != NULL) == expected->is_stored[number]);
  if (value != NULL) FUZZ_CHECK(memcmp(value, &expected->values[number], sizeof(uint16_t)) == 0);
}

static void remove_key(hd_hash_map *map, model *expected, uint8_t number) {
  uint8_t key[32];
  make_key(key, map->key_size, number);
  FUZZ_CHECK(hd_hash_map_remove(map, key) == expected->is_stored[number]);
  if (expected->is_stored[number]) expected->count--;
  expected->is_stored[number] = false;
}

static void walk(const hd_hash_map *map, const model *expected) {
  bool is_seen[KEYS_COUNT] = {false};
  size_t position = 0, count = 0;
  const void *key;
  void *value;
  while (hd_hash_map_next(map, &position, &key, &value)) {
    const uint8_t *bytes = key;
    const uint8_t number = bytes[0] != 0x11 ? bytes[0] : bytes[map->key_size - 1];
    FUZZ_CHECK(expected->is_stored[number] && !is_seen[number]);
    FUZZ_CHECK(memcmp(value, &expected->values[number], sizeof(uint16_t)) == 0);
    is_seen[number] = true;
    count++;
  }
  FUZZ_CHECK(count == expected->count);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  fuzz_input input = fuzz_input_of(data, size);
  fuzz_allocator allocator;
  fuzz_allocator_init(&allocator);
  const uint8_t shape = fuzz_u8(&input);
  const uint64_t seed[2] = {fuzz_u8(&input), 0};
  hd_hash_map map;
  hd_hash_map_init(&map, &allocator.hook, key_sizes[shape % 6], sizeof(uint16_t), limits[shape / 6 % 6], seed);
  model expected = {.count = 0};

  while (!fuzz_is_empty(&input)) {
    const uint8_t command = fuzz_u8(&input);
    const uint8_t number = fuzz_u8(&input);
    allocator.is_failing = command >= 0xf0;
    switch (command % 8) {
      case 0:
      case 1:
      case 2: insert(&map, &expected, number, fuzz_u16(&input), allocator.is_failing); break;
      case 3: find(&map, &expected, number); break;
      case 4:
      case 5: remove_key(&map, &expected, number); break;
      case 6: walk(&map, &expected); break;
      case 7:
        if (number == 0xff) {
          hd_hash_map_clear(&map);
          memset(&expected, 0, sizeof expected);
        } else {
          (void)hd_hash_map_reserve(&map, number);
        }
        break;
    }
    FUZZ_CHECK(map.count == expected.count);
  }
  for (unsigned number = 0; number < KEYS_COUNT; number++) find(&map, &expected, (uint8_t)number);
  walk(&map, &expected);
  hd_hash_map_destroy(&map);
  FUZZ_CHECK(allocator.live_bytes == 0);
  return 0;
}
