/* A queue of fixed-size elements in one circular allocation. Grows by doubling up to its limit; elements are addressed
 * by their distance from the front. Pointers to elements are good until the next push. */
#ifndef HD_RING_H
#define HD_RING_H

#include <stddef.h>
#include <stdint.h>

#include "base/allocator.h"

typedef struct hd_ring {
  const hd_allocator *allocator;
  uint8_t *elements;
  size_t capacity; /* 0 or a power of two */
  size_t front;    /* index of the oldest element */
  size_t count;
  size_t count_limit;
  size_t element_size; /* bytes */
} hd_ring;

/* An empty ring; allocates nothing. `count_limit` > 0 is the most elements it will ever hold. */
void hd_ring_init(hd_ring *ring, const hd_allocator *allocator, size_t element_size, size_t count_limit);

void hd_ring_destroy(hd_ring *ring);

/* Makes room for `count` elements in all. Errors: HDHT_ERR_OUT_OF_MEMORY, HDHT_ERR_LIMIT. */
int hd_ring_reserve(hd_ring *ring, size_t count);

/* Appends an uninitialised element for the caller to fill. Errors: HDHT_ERR_OUT_OF_MEMORY, HDHT_ERR_LIMIT. */
int hd_ring_push(hd_ring *ring, void **element);

/* The element `index` places behind the front; `index` < count. */
void *hd_ring_at(const hd_ring *ring, size_t index);

/* The oldest element, or NULL. */
void *hd_ring_front(const hd_ring *ring);

/* The newest element, or NULL. */
void *hd_ring_back(const hd_ring *ring);

/* Drops the oldest element; there must be one. */
void hd_ring_pop(hd_ring *ring);

/* Drops the newest element; there must be one. */
void hd_ring_pop_back(hd_ring *ring);

/* Drops all elements and keeps the memory. */
void hd_ring_clear(hd_ring *ring);

#endif
