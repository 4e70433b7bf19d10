#include "udx/udx_ranges.h"

#include <string.h>

static uint32_t first_not_ending_before(const hd_udx_ranges *ranges, uint32_t number);
static int insert_at(hd_udx_ranges *ranges, const hd_allocator *allocator, uint32_t place, hd_udx_range range);
static void remove_at(hd_udx_ranges *ranges, uint32_t place, uint32_t count);

int hd_udx_ranges_add(hd_udx_ranges *ranges, const hd_allocator *allocator, hd_udx_range range) {
  hd_assert(hd_udx_seq_before(range.start, range.end));
  const uint32_t place = first_not_ending_before(ranges, range.start);
  if (place == ranges->count || hd_udx_seq_before(range.end, ranges->items[place].start)) {
    return insert_at(ranges, allocator, place, range);
  }

  hd_udx_range *into = &ranges->items[place]; /* overlaps or touches the new one, as may some that follow */
  if (hd_udx_seq_before(range.start, into->start)) into->start = range.start;
  if (!hd_udx_seq_before(into->end, range.end)) return HDHT_OK;
  into->end = range.end;

  uint32_t following = place + 1;
  while (following < ranges->count && hd_udx_seq_at_or_before(ranges->items[following].start, into->end)) {
    if (hd_udx_seq_before(into->end, ranges->items[following].end)) into->end = ranges->items[following].end;
    following++;
  }
  remove_at(ranges, place + 1, following - place - 1);
  return HDHT_OK;
}

const hd_udx_range *hd_udx_ranges_find(const hd_udx_ranges *ranges, uint32_t number) {
  const uint32_t place = first_not_ending_before(ranges, number + 1);
  if (place == ranges->count || hd_udx_seq_before(number, ranges->items[place].start)) return NULL;
  return &ranges->items[place];
}

void hd_udx_ranges_trim_before(hd_udx_ranges *ranges, uint32_t number) {
  uint32_t gone = 0;
  while (gone < ranges->count && hd_udx_seq_at_or_before(ranges->items[gone].end, number)) gone++;
  remove_at(ranges, 0, gone);
  if (ranges->count > 0 && hd_udx_seq_before(ranges->items[0].start, number)) ranges->items[0].start = number;
}

bool hd_udx_ranges_next_gap(const hd_udx_ranges *ranges, hd_udx_range within, hd_udx_range *gap) {
  uint32_t start = within.start;
  uint32_t place = first_not_ending_before(ranges, start + 1);
  if (place < ranges->count && hd_udx_seq_at_or_before(ranges->items[place].start, start)) {
    start = ranges->items[place++].end;
  }
  if (!hd_udx_seq_before(start, within.end)) return false;

  const bool is_cut = place < ranges->count && hd_udx_seq_before(ranges->items[place].start, within.end);
  *gap = (hd_udx_range){.start = start, .end = is_cut ? ranges->items[place].start : within.end};
  return true;
}

void hd_udx_ranges_destroy(hd_udx_ranges *ranges, const hd_allocator *allocator) {
  hd_release(allocator, ranges->items, ranges->capacity * sizeof ranges->items[0]);
  *ranges = (hd_udx_ranges){0};
}

/* The first range whose end is at or after `number`. New numbers are mostly the highest, so the last range is looked at
 * before searching. */
static uint32_t first_not_ending_before(const hd_udx_ranges *ranges, uint32_t number) {
  uint32_t low = 0;
  uint32_t high = ranges->count;
  if (high > 0 && hd_udx_seq_before(ranges->items[high - 1].end, number)) return high;
  if (high > 1 && hd_udx_seq_before(ranges->items[high - 2].end, number)) return high - 1;
  while (low < high) {
    const uint32_t middle = low + (high - low) / 2;
    if (hd_udx_seq_before(ranges->items[middle].end, number)) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

static int insert_at(hd_udx_ranges *ranges, const hd_allocator *allocator, uint32_t place, hd_udx_range range) {
  const int error = hd_udx_ranges_reserve(ranges, allocator);
  if (error != HDHT_OK) return error;
  memmove(ranges->items + place + 1, ranges->items + place, (ranges->count - place) * sizeof ranges->items[0]);
  ranges->items[place] = range;
  ranges->count++;
  return HDHT_OK;
}

int hd_udx_ranges_reserve(hd_udx_ranges *ranges, const hd_allocator *allocator) {
  if (ranges->count == HD_UDX_RANGES_LIMIT) return HDHT_ERR_LIMIT;
  if (ranges->count < ranges->capacity) return HDHT_OK;
  const uint32_t capacity = ranges->capacity == 0 ? 8 : ranges->capacity * 2;
  hd_udx_range *items = hd_allocate_array(allocator, capacity, sizeof items[0]);
  if (items == NULL) return HDHT_ERR_OUT_OF_MEMORY;
  if (ranges->count > 0) memcpy(items, ranges->items, ranges->count * sizeof items[0]);
  hd_release(allocator, ranges->items, ranges->capacity * sizeof items[0]);
  ranges->items = items;
  ranges->capacity = capacity;
  return HDHT_OK;
}

static void remove_at(hd_udx_ranges *ranges, uint32_t place, uint32_t count) {
  if (count == 0) return;
  memmove(ranges->items + place, ranges->items + place + count,
          (ranges->count - place - count) * sizeof ranges->items[0]);
  ranges->count -= count;
}
