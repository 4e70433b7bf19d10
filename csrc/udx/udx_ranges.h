/* A set of packet numbers as sorted ranges: what arrived out of order at a receiver, what was selectively acknowledged
 * at a sender. Work grows with the number of ranges, never with the numbers in them.
 *
 * Invariant: ranges are not empty, do not touch, and all lie within half the number circle, in ascending order. */
#ifndef HD_UDX_RANGES_H
#define HD_UDX_RANGES_H

#include "base/allocator.h"
#include "udx/udx_packet.h"

#define HD_UDX_RANGES_LIMIT 4096 /* ranges in one set: beyond it a number that would need another is refused */

typedef struct hd_udx_ranges {
  hd_udx_range *items;
  uint32_t count;
  uint32_t capacity;
} hd_udx_ranges;

/* A zeroed struct is an empty set. Gives the memory back and makes it one again. */
void hd_udx_ranges_destroy(hd_udx_ranges *ranges, const hd_allocator *allocator);

/* Makes room, so that the next hd_udx_ranges_add cannot fail.
 * Errors: HDHT_ERR_OUT_OF_MEMORY, HDHT_ERR_LIMIT. */
int hd_udx_ranges_reserve(hd_udx_ranges *ranges, const hd_allocator *allocator);

/* Adds [range.start, range.end), which must not be empty; parts may be in it already.
 * Errors: HDHT_ERR_OUT_OF_MEMORY, HDHT_ERR_LIMIT; nothing changes. */
int hd_udx_ranges_add(hd_udx_ranges *ranges, const hd_allocator *allocator, hd_udx_range range);

/* The range that holds `number`, or NULL. */
const hd_udx_range *hd_udx_ranges_find(const hd_udx_ranges *ranges, uint32_t number);

/* Removes everything before `number`. */
void hd_udx_ranges_trim_before(hd_udx_ranges *ranges, uint32_t number);

/* Finds the first stretch of [within.start, within.end) that is not in the set. Returns false when there is none. */
bool hd_udx_ranges_next_gap(const hd_udx_ranges *ranges, hd_udx_range within, hd_udx_range *gap);

#endif
