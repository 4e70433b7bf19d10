/* Random puts, gets and removes under advancing time, compared with an array kept in order of use. */
#include "base/lru.h"

#include <hdht/error.h>

#include "fuzz_input.h"

#define ENTRIES_LIMIT 20
#define KEY_SIZE      5

static const uint8_t limits[] = {1, 2, 3, 8, ENTRIES_LIMIT};
static const hd_duration age_limits[] = {{UINT64_MAX}, {0}, {1}, {30}, {200}};

typedef struct model_entry {
  uint8_t number;
  uint16_t value;
  hd_time put_at;
} model_entry;

typedef struct fuzz_state {
  fuzz_allocator allocator;
  hd_lru lru;
  model_entry entries[ENTRIES_LIMIT]; /* oldest use first */
  size_t count;
  model_entry evicted[ENTRIES_LIMIT]; /* what the model says must leave, in this order */
  size_t evicted_count;
  size_t evicted_seen;
  hd_time now;
} fuzz_state;

static void make_key(uint8_t key[KEY_SIZE], uint8_t number) {
  memset(key, 0, KEY_SIZE);
  key[KEY_SIZE - 1] = number;
}

static size_t model_find(const fuzz_state *state, uint8_t number) {
  size_t i = 0;
  while (i < state->count && state->entries[i].number != number) i++;
  return i;
}

static bool model_is_too_old(const fuzz_state *state, size_t i) {
  const hd_duration limit = state->lru.age_limit;
  return limit.us != UINT64_MAX && state->now.us - state->entries[i].put_at.us >= limit.us;
}

static void model_remove(fuzz_state *state, size_t i) {
  state->count--;
  memmove(&state->entries[i], &state->entries[i + 1], (state->count - i) * sizeof(model_entry));
}

static void model_evict(fuzz_state *state, size_t i) {
  state->evicted[state->evicted_count++] = state->entries[i];
  model_remove(state, i);
}

static void model_use(fuzz_state *state, size_t i) {
  const model_entry entry = state->entries[i];
  model_remove(state, i);
  state->entries[state->count++] = entry;
}

static void evicted(void *context, const void *key, void *value) {
  fuzz_state *state = context;
  FUZZ_CHECK(state->evicted_seen < state->evicted_count);
  const model_entry *expected = &state->evicted[state->evicted_seen++];
  uint8_t expected_key[KEY_SIZE];
  make_key(expected_key, expected->number);
  FUZZ_CHECK(memcmp(key, expected_key, KEY_SIZE) == 0);
  FUZZ_CHECK(memcmp(value, &expected->value, sizeof expected->value) == 0);
}

static void put(fuzz_state *state, uint8_t number, uint16_t stored) {
  uint8_t key[KEY_SIZE];
  make_key(key, number);
  const bool may_fail = state->allocator.is_failing && state->lru.entries == NULL;

  size_t i = model_find(state, number);
  if (!may_fail) {
    if (i < state->count && model_is_too_old(state, i)) {
      model_evict(state, i);
      i = state->count;
    }
    if (i == state->count) {
      if (state->count == state->lru.count_limit) model_evict(state, 0);
      i = state->count++;
      state->entries[i] = (model_entry){.number = number};
    }
    state->entries[i].put_at = state->now;
    model_use(state, i);
  }

  void *value;
  const int error = hd_lru_put(&state->lru, key, state->now, evicted, state, &value);
  FUZZ_CHECK(error == (may_fail ? HDHT_ERR_OUT_OF_MEMORY : HDHT_OK));
  if (error != HDHT_OK) return;
  model_entry *entry = &state->entries[state->count - 1];
  FUZZ_CHECK(memcmp(value, &entry->value, sizeof entry->value) == 0);
  entry->value = stored;
  memcpy(value, &stored, sizeof stored);
}

static void get(fuzz_state *state, uint8_t number, bool is_peek) {
  uint8_t key[KEY_SIZE];
  make_key(key, number);
  const size_t i = model_find(state, number);
  const bool is_found = i < state->count && !model_is_too_old(state, i);
  const void *value = is_peek ? hd_lru_peek(&state->lru, key, state->now) : hd_lru_get(&state->lru, key, state->now);
  FUZZ_CHECK((value != NULL) == is_found);
  if (!is_found) return;
  FUZZ_CHECK(memcmp(value, &state->entries[i].value, sizeof(uint16_t)) == 0);
  if (!is_peek) model_use(state, i);
}

static void remove_key(fuzz_state *state, uint8_t number) {
  uint8_t key[KEY_SIZE];
  make_key(key, number);
  const size_t i = model_find(state, number);
  FUZZ_CHECK(hd_lru_remove(&state->lru, key) == (i < state->count));
  if (i < state->count) model_remove(state, i);
}

static void expire(fuzz_state *state) {
  while (state->count > 0 && model_is_too_old(state, 0)) model_evict(state, 0);
  hd_lru_expire(&state->lru, state->now, evicted, state);
}

static void clear(fuzz_state *state) {
  while (state->count > 0) model_evict(state, 0);
  hd_lru_clear(&state->lru, evicted, state);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  fuzz_input input = fuzz_input_of(data, size);
  fuzz_state state = {.count = 0};
  fuzz_allocator_init(&state.allocator);
  const uint8_t shape = fuzz_u8(&input);
  const uint64_t seed[2] = {0, fuzz_u8(&input)};
  hd_lru_init(&state.lru, &state.allocator.hook, KEY_SIZE, sizeof(uint16_t), limits[shape % 5],
              age_limits[shape / 5 % 5], seed);

  while (!fuzz_is_empty(&input)) {
    const uint8_t command = fuzz_u8(&input);
    const uint8_t number = fuzz_u8(&input);
    state.allocator.is_failing = command >= 0xf0;
    state.evicted_count = state.evicted_seen = 0;
    switch (command % 8) {
      case 0:
      case 1:
      case 2: put(&state, number % 32, fuzz_u16(&input)); break;
      case 3: get(&state, number % 32, false); break;
      case 4: get(&state, number % 32, true); break;
      case 5: remove_key(&state, number % 32); break;
      case 6: state.now.us += number; break;
      case 7: number == 0xff ? clear(&state) : expire(&state); break;
    }
    FUZZ_CHECK(state.evicted_seen == state.evicted_count);
    FUZZ_CHECK(state.lru.count == state.count && state.lru.index.count == state.count);
  }
  hd_lru_destroy(&state.lru);
  FUZZ_CHECK(state.allocator.live_bytes == 0);
  return 0;
}
