#include "base/ring.h"

#include <hdht/error.h>
#include <string.h>

#include "base/assertion.h"

#define CAPACITY_MIN 8

static uint8_t *element_at(const hd_ring *ring, size_t index) {
  return ring->elements + ((ring->front + index) & (ring->capacity - 1)) * ring->element_size;
}

/* Copies the elements in order to the start of `to`: first those up to the end of the allocation, then those that
 * wrapped to its start. */
static void copy_in_order(const hd_ring *ring, uint8_t *to) {
  if (ring->count == 0) return;
  const size_t until_end = ring->capacity - ring->front;
  const size_t unwrapped = ring->count < until_end ? ring->count : until_end;
  memcpy(to, element_at(ring, 0), unwrapped * ring->element_size);
  memcpy(to + unwrapped * ring->element_size, ring->elements, (ring->count - unwrapped) * ring->element_size);
}

/* Moves everything to an allocation of `capacity` elements; nothing changes if there is no memory for that. */
static int resize(hd_ring *ring, size_t capacity) {
  hd_assert(capacity >= ring->count);
  uint8_t *elements = hd_allocate_array(ring->allocator, capacity, ring->element_size);
  if (elements == NULL) return HDHT_ERR_OUT_OF_MEMORY;
  copy_in_order(ring, elements);
  hd_release(ring->allocator, ring->elements, ring->capacity * ring->element_size);
  ring->elements = elements;
  ring->capacity = capacity;
  ring->front = 0;
  return HDHT_OK;
}

void hd_ring_init(hd_ring *ring, const hd_allocator *allocator, size_t element_size, size_t count_limit) {
  hd_assert(element_size > 0);
  hd_assert(count_limit > 0);
  *ring = (hd_ring){.allocator = allocator, .element_size = element_size, .count_limit = count_limit};
}

void hd_ring_destroy(hd_ring *ring) {
  hd_release(ring->allocator, ring->elements, ring->capacity * ring->element_size);
  hd_ring_init(ring, ring->allocator, ring->element_size, ring->count_limit);
}

int hd_ring_reserve(hd_ring *ring, size_t count) {
  if (count > ring->count_limit) return HDHT_ERR_LIMIT;
  if (count <= ring->capacity) return HDHT_OK;
  size_t capacity = ring->capacity > 0 ? ring->capacity : CAPACITY_MIN;
  while (capacity < count) {
    if (__builtin_mul_overflow(capacity, (size_t)2, &capacity)) return HDHT_ERR_OUT_OF_MEMORY;
  }
  return resize(ring, capacity);
}

int hd_ring_push(hd_ring *ring, void **element) {
  const int error = hd_ring_reserve(ring, ring->count + 1);
  if (error != HDHT_OK) return error;
  *element = element_at(ring, ring->count);
  ring->count++;
  return HDHT_OK;
}

void *hd_ring_at(const hd_ring *ring, size_t index) {
  hd_assert(index < ring->count);
  return element_at(ring, index);
}

void *hd_ring_front(const hd_ring *ring) {
  return ring->count > 0 ? element_at(ring, 0) : NULL;
}

void *hd_ring_back(const hd_ring *ring) {
  return ring->count > 0 ? element_at(ring, ring->count - 1) : NULL;
}

void hd_ring_pop(hd_ring *ring) {
  hd_assert(ring->count > 0);
  ring->front = (ring->front + 1) & (ring->capacity - 1);
  ring->count--;
}

void hd_ring_pop_back(hd_ring *ring) {
  hd_assert(ring->count > 0);
  ring->count--;
}

void hd_ring_clear(hd_ring *ring) {
  ring->front = 0;
  ring->count = 0;
}
