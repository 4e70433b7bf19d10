/* What fuzz targets of data structures share: commands read from the input, a check that stays on in every build, and
 * an allocator that fails on request and knows the size of each block. */
#ifndef HD_FUZZ_INPUT_H
#define HD_FUZZ_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/allocator.h"

/* Unlike hd_assert this can not be compiled out: a difference to the model always stops the fuzzer. */
#define FUZZ_CHECK(condition)                                                       \
  do {                                                                              \
    if (!(condition)) {                                                             \
      fprintf(stderr, "%s:%d: check failed: %s\n", __FILE__, __LINE__, #condition); \
      abort();                                                                      \
    }                                                                               \
  } while (0)

typedef struct fuzz_input {
  const uint8_t *next;
  const uint8_t *end;
} fuzz_input;

static inline fuzz_input fuzz_input_of(const uint8_t *data, size_t size) {
  return (fuzz_input){.next = data, .end = size == 0 ? data : data + size};
}

static inline bool fuzz_is_empty(const fuzz_input *input) {
  return input->next == input->end;
}

/* The next byte, or 0 at the end. */
static inline uint8_t fuzz_u8(fuzz_input *input) {
  return fuzz_is_empty(input) ? 0 : *input->next++;
}

static inline uint16_t fuzz_u16(fuzz_input *input) {
  const uint16_t low = fuzz_u8(input);
  return (uint16_t)(low | fuzz_u8(input) << 8);
}

typedef struct fuzz_allocator {
  hd_allocator hook;
  bool is_failing;
  size_t live_bytes;
} fuzz_allocator;

#define FUZZ_BLOCK_HEADER_SIZE 16

static inline void *fuzz_allocate(void *context, size_t size) {
  fuzz_allocator *allocator = context;
  if (allocator->is_failing) return NULL;
  uint8_t *block = malloc(FUZZ_BLOCK_HEADER_SIZE + size);
  FUZZ_CHECK(block != NULL);
  memcpy(block, &size, sizeof size);
  memset(block + FUZZ_BLOCK_HEADER_SIZE, 0xa5, size);
  allocator->live_bytes += size;
  return block + FUZZ_BLOCK_HEADER_SIZE;
}

static inline void fuzz_release(void *context, void *memory, size_t size) {
  fuzz_allocator *allocator = context;
  uint8_t *block = (uint8_t *)memory - FUZZ_BLOCK_HEADER_SIZE;
  size_t allocated;
  memcpy(&allocated, block, sizeof allocated);
  FUZZ_CHECK(allocated == size);
  allocator->live_bytes -= size;
  free(block);
}

static inline void fuzz_allocator_init(fuzz_allocator *allocator) {
  *allocator = (fuzz_allocator){
      .hook = {.allocate = fuzz_allocate, .release = fuzz_release, .context = allocator},
  };
}

#endif
