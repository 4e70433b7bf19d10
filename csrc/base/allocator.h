/* All memory of the library comes from the hook of include/hdht/memory.h through these functions; allocator.c is the
 * only file that calls malloc. Every release names the size, so a hook can count or use size classes. */
#ifndef HD_ALLOCATOR_H
#define HD_ALLOCATOR_H

#include <hdht/memory.h>

typedef hdht_allocator hd_allocator;

/* The hook over malloc and free. Static storage. */
const hd_allocator *hd_allocator_system(void);

/* `allocator`, or the system's when it is NULL: how an option left unset is read. */
const hd_allocator *hd_allocator_or_system(const hd_allocator *allocator);

/* Uninitialised memory for `size` > 0 bytes, or NULL. */
void *hd_allocate(const hd_allocator *allocator, size_t size);

/* Memory of zero bytes, or NULL. */
void *hd_allocate_zeroed(const hd_allocator *allocator, size_t size);

/* Uninitialised memory for `count` elements of `element_size`, or NULL, also when the product overflows. */
void *hd_allocate_array(const hd_allocator *allocator, size_t count, size_t element_size);

/* Gives back what was allocated with exactly this size. NULL is ignored. */
void hd_release(const hd_allocator *allocator, void *memory, size_t size);

#endif
