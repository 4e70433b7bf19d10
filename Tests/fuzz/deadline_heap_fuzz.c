/* Random sets, moves, removes and pops, compared with a search through all deadlines. */
#include "base/deadline_heap.h"

#include <hdht/error.h>

#include "fuzz_input.h"

#define DEADLINES_COUNT 96

typedef struct fuzz_state {
  fuzz_allocator allocator;
  hd_deadline_heap heap;
  hd_deadline deadlines[DEADLINES_COUNT];
  hd_time expected[DEADLINES_COUNT]; /* never: not in the heap */
} fuzz_state;

static hd_time expected_next(const fuzz_state *state) {
  hd_time next = HD_TIME_NEVER;
  for (size_t i = 0; i < DEADLINES_COUNT; i++) next = hd_time_earlier(next, state->expected[i]);
  return next;
}

static uint32_t expected_count(const fuzz_state *state) {
  uint32_t count = 0;
  for (size_t i = 0; i < DEADLINES_COUNT; i++) count += !hd_time_is_never(state->expected[i]);
  return count;
}

static void set(fuzz_state *state, size_t number, hd_time at) {
  const int error = hd_deadline_heap_set(&state->heap, &state->deadlines[number], at);
  if (error == HDHT_OK) {
    state->expected[number] = at;
  } else {
    FUZZ_CHECK(error == HDHT_ERR_OUT_OF_MEMORY && state->allocator.is_failing);
    FUZZ_CHECK(hd_time_is_never(state->expected[number]) && !hd_time_is_never(at));
  }
}

static void pop_due(fuzz_state *state, hd_time now) {
  const hd_time next = expected_next(state);
  const hd_deadline *popped = hd_deadline_heap_pop_due(&state->heap, now);
  FUZZ_CHECK((popped != NULL) == (!hd_time_is_never(next) && hd_time_is_due(next, now)));
  if (popped == NULL) return;
  const size_t number = (size_t)(popped - state->deadlines);
  FUZZ_CHECK(state->expected[number].us == next.us && popped->at.us == next.us && popped->place == 0);
  state->expected[number] = HD_TIME_NEVER;
}

static void compare(const fuzz_state *state) {
  FUZZ_CHECK(hd_deadline_heap_next(&state->heap).us == expected_next(state).us);
  FUZZ_CHECK(state->heap.entries_count == expected_count(state));
  for (size_t i = 0; i < DEADLINES_COUNT; i++) {
    FUZZ_CHECK((state->deadlines[i].place != 0) == !hd_time_is_never(state->expected[i]));
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  fuzz_input input = fuzz_input_of(data, size);
  fuzz_state state = {.heap = {.allocator = NULL}};
  fuzz_allocator_init(&state.allocator);
  hd_deadline_heap_init(&state.heap, &state.allocator.hook);
  for (size_t i = 0; i < DEADLINES_COUNT; i++) state.expected[i] = HD_TIME_NEVER;

  while (!fuzz_is_empty(&input)) {
    const uint8_t command = fuzz_u8(&input);
    const uint8_t number = fuzz_u8(&input) % DEADLINES_COUNT;
    state.allocator.is_failing = command >= 0xf0;
    switch (command % 8) {
      case 0:
      case 1:
      case 2: set(&state, number, (hd_time){fuzz_u8(&input)}); break;
      case 3: set(&state, number, HD_TIME_NEVER); break;
      case 4:
        hd_deadline_heap_remove(&state.heap, &state.deadlines[number]);
        state.expected[number] = HD_TIME_NEVER;
        break;
      case 5: pop_due(&state, (hd_time){fuzz_u8(&input)}); break;
      case 6: pop_due(&state, HD_TIME_NEVER); break;
      case 7: (void)hd_deadline_heap_reserve(&state.heap, number); break;
    }
    compare(&state);
  }
  while (hd_deadline_heap_next(&state.heap).us != UINT64_MAX) pop_due(&state, HD_TIME_NEVER);
  compare(&state);
  hd_deadline_heap_destroy(&state.heap);
  FUZZ_CHECK(state.allocator.live_bytes == 0);
  return 0;
}
