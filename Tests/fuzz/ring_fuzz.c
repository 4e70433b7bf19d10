/* Random pushes and pops at both ends, compared with a plain array that is shifted. */
#include "base/ring.h"

#include <hdht/error.h>

#include "fuzz_input.h"

#define ELEMENTS_LIMIT 300
#define ELEMENT_SIZE   3

static const uint16_t limits[] = {1, 7, 8, 9, 64, ELEMENTS_LIMIT};

typedef struct model {
  uint8_t elements[ELEMENTS_LIMIT][ELEMENT_SIZE];
  size_t count;
} model;

static void push(hd_ring *ring, model *expected, const uint8_t bytes[ELEMENT_SIZE], bool is_failing) {
  void *element = NULL;
  const int error = hd_ring_push(ring, &element);
  if (expected->count == ring->count_limit) {
    FUZZ_CHECK(error == HDHT_ERR_LIMIT);
  } else if (error != HDHT_OK) {
    FUZZ_CHECK(error == HDHT_ERR_OUT_OF_MEMORY && is_failing);
  }
  FUZZ_CHECK((error == HDHT_OK) == (element != NULL));
  if (error != HDHT_OK) return;
  memcpy(element, bytes, ELEMENT_SIZE);
  memcpy(expected->elements[expected->count++], bytes, ELEMENT_SIZE);
}

static void pop(hd_ring *ring, model *expected) {
  if (expected->count == 0) return;
  hd_ring_pop(ring);
  expected->count--;
  memmove(expected->elements[0], expected->elements[1], expected->count * ELEMENT_SIZE);
}

static void pop_back(hd_ring *ring, model *expected) {
  if (expected->count == 0) return;
  hd_ring_pop_back(ring);
  expected->count--;
}

static void compare(const hd_ring *ring, const model *expected) {
  FUZZ_CHECK(ring->count == expected->count);
  for (size_t i = 0; i < expected->count; i++) {
    FUZZ_CHECK(memcmp(hd_ring_at(ring, i), expected->elements[i], ELEMENT_SIZE) == 0);
  }
  if (expected->count == 0) {
    FUZZ_CHECK(hd_ring_front(ring) == NULL && hd_ring_back(ring) == NULL);
  } else {
    FUZZ_CHECK(hd_ring_front(ring) == hd_ring_at(ring, 0));
    FUZZ_CHECK(hd_ring_back(ring) == hd_ring_at(ring, expected->count - 1));
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  fuzz_input input = fuzz_input_of(data, size);
  fuzz_allocator allocator;
  fuzz_allocator_init(&allocator);
  hd_ring ring;
  hd_ring_init(&ring, &allocator.hook, ELEMENT_SIZE, limits[fuzz_u8(&input) % 6]);
  model expected = {.count = 0};

  while (!fuzz_is_empty(&input)) {
    const uint8_t command = fuzz_u8(&input);
    const uint8_t bytes[ELEMENT_SIZE] = {command, (uint8_t)ring.count, 0xee};
    allocator.is_failing = command >= 0xf0;
    switch (command % 8) {
      case 0:
      case 1:
      case 2: push(&ring, &expected, bytes, allocator.is_failing); break;
      case 3:
      case 4: pop(&ring, &expected); break;
      case 5: pop_back(&ring, &expected); break;
      case 6: (void)hd_ring_reserve(&ring, fuzz_u8(&input)); break;
      case 7: /* many pushes from one byte, so that growth is reached early */
        for (unsigned i = command / 8; i > 0; i--) push(&ring, &expected, bytes, allocator.is_failing);
        break;
    }
    if (command == 0x1d) {
      hd_ring_clear(&ring);
      expected.count = 0;
    }
    compare(&ring, &expected);
  }
  hd_ring_destroy(&ring);
  FUZZ_CHECK(allocator.live_bytes == 0);
  return 0;
}
