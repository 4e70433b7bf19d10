/* Where to place values of a size known only at run time, so that any type of that size may live there. */
#ifndef HD_LAYOUT_H
#define HD_LAYOUT_H

#include <stddef.h>
#include <stdint.h>

/* The strictest alignment a type of `size` bytes can need: a type's alignment divides its size. Types aligned to more
 * than 8 bytes are not supported. */
static inline uint32_t hd_layout_alignment(uint32_t size) {
  if (size == 0) return 1;
  const uint32_t lowest_bit = size & (~size + 1);
  return lowest_bit < 8 ? lowest_bit : 8;
}

/* The first multiple of `alignment`, a power of two, at or after `offset`. */
static inline uint32_t hd_layout_align(uint32_t offset, uint32_t alignment) {
  return (offset + alignment - 1) & ~(alignment - 1);
}

#endif
