#include "base/allocator.h"

#include <stdlib.h>
#include <string.h>

#include "base/assertion.h"

static void *system_allocate(void *context, size_t size) {
  (void)context;
  return malloc(size);
}

static void system_release(void *context, void *memory, size_t size) {
  (void)context;
  (void)size;
  free(memory);
}

const hd_allocator *hd_allocator_system(void) {
  static const hd_allocator allocator = {.allocate = system_allocate, .release = system_release};
  return &allocator;
}

const hd_allocator *hd_allocator_or_system(const hd_allocator *allocator) {
  return allocator != NULL ? allocator : hd_allocator_system();
}

void *hd_allocate(const hd_allocator *allocator, size_t size) {
  hd_assert(size > 0);
  return allocator->allocate(allocator->context, size);
}

void *hd_allocate_zeroed(const hd_allocator *allocator, size_t size) {
  void *memory = hd_allocate(allocator, size);
  if (memory != NULL) memset(memory, 0, size);
  return memory;
}

void *hd_allocate_array(const hd_allocator *allocator, size_t count, size_t element_size) {
  size_t size;
  if (__builtin_mul_overflow(count, element_size, &size)) return NULL;
  return hd_allocate(allocator, size);
}

void hd_release(const hd_allocator *allocator, void *memory, size_t size) {
  if (memory != NULL) allocator->release(allocator->context, memory, size);
}
