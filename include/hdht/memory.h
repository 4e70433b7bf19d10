/* The allocator hook. A handle takes all memory it will ever own from the allocator given at its creation. */
#ifndef HDHT_MEMORY_H
#define HDHT_MEMORY_H

#include <hdht/types.h>

/* `allocate` returns memory aligned for any type, or NULL; `size` is never 0. `release` gets the pointer and the size
 * it was asked for; the pointer is never NULL. Both are called on the thread the handle is used on. The struct is
 * borrowed: it must outlive every handle created with it. */
typedef struct hdht_allocator {
  void *(*allocate)(void *context, size_t size);
  void (*release)(void *context, void *memory, size_t size);
  void *context; /* passed back, never looked at */
} hdht_allocator;

#endif
