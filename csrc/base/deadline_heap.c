#include "base/deadline_heap.h"

#include <hdht/error.h>
#include <string.h>

#include "base/assertion.h"

/* Four children per entry: half the levels of a binary heap, and the children lie side by side. */
#define CHILDREN     4
#define CAPACITY_MIN 16

static void place_at(hd_deadline_heap *heap, hd_deadline_slot slot, uint32_t index) {
  heap->slots[index] = slot;
  slot.entry->place = index + 1;
}

static uint32_t parent_of(uint32_t index) {
  return (index - 1) / CHILDREN;
}

/* Puts `slot` at `index` or, while it is earlier than the parent there, above. */
static void sift_up(hd_deadline_heap *heap, hd_deadline_slot slot, uint32_t index) {
  while (index > 0 && hd_time_before(slot.at, heap->slots[parent_of(index)].at)) {
    place_at(heap, heap->slots[parent_of(index)], index);
    index = parent_of(index);
  }
  place_at(heap, slot, index);
}

/* The earliest child of `index`, or the number of entries if it has none. */
static uint32_t earliest_child(const hd_deadline_heap *heap, uint32_t index) {
  const uint64_t first = (uint64_t)index * CHILDREN + 1;
  if (first >= heap->entries_count) return heap->entries_count;

  uint32_t earliest = (uint32_t)first;
  for (uint32_t child = earliest + 1; child < heap->entries_count && child < first + CHILDREN; child++) {
    if (hd_time_before(heap->slots[child].at, heap->slots[earliest].at)) earliest = child;
  }
  return earliest;
}

/* Puts `slot` at `index` or, while a child there is earlier, below. */
static void sift_down(hd_deadline_heap *heap, hd_deadline_slot slot, uint32_t index) {
  for (;;) {
    const uint32_t child = earliest_child(heap, index);
    if (child == heap->entries_count || !hd_time_before(heap->slots[child].at, slot.at)) break;
    place_at(heap, heap->slots[child], index);
    index = child;
  }
  place_at(heap, slot, index);
}

static void sift(hd_deadline_heap *heap, hd_deadline_slot slot, uint32_t index) {
  if (index > 0 && hd_time_before(slot.at, heap->slots[parent_of(index)].at)) {
    sift_up(heap, slot, index);
  } else {
    sift_down(heap, slot, index);
  }
}

static uint32_t index_of(const hd_deadline_heap *heap, const hd_deadline *entry) {
  const uint32_t index = entry->place - 1;
  hd_assert(index < heap->entries_count);
  hd_assert(heap->slots[index].entry == entry);
  hd_assert(heap->slots[index].at.us == entry->at.us);
  return index;
}

static int insert(hd_deadline_heap *heap, hd_deadline *entry, hd_time at) {
  const int error = hd_deadline_heap_reserve(heap, heap->entries_count + 1);
  if (error != HDHT_OK) return error;
  entry->at = at;
  sift_up(heap, (hd_deadline_slot){.at = at, .entry = entry}, heap->entries_count++);
  return HDHT_OK;
}

void hd_deadline_heap_init(hd_deadline_heap *heap, const hd_allocator *allocator) {
  *heap = (hd_deadline_heap){.allocator = allocator};
}

void hd_deadline_heap_destroy(hd_deadline_heap *heap) {
  hd_release(heap->allocator, heap->slots, heap->entries_capacity * sizeof(hd_deadline_slot));
  hd_deadline_heap_init(heap, heap->allocator);
}

int hd_deadline_heap_reserve(hd_deadline_heap *heap, uint32_t count) {
  if (count <= heap->entries_capacity) return HDHT_OK;
  uint32_t capacity = heap->entries_capacity > 0 ? heap->entries_capacity : CAPACITY_MIN;
  while (capacity < count) {
    if (__builtin_mul_overflow(capacity, 2u, &capacity)) return HDHT_ERR_OUT_OF_MEMORY;
  }

  hd_deadline_slot *slots = hd_allocate_array(heap->allocator, capacity, sizeof(hd_deadline_slot));
  if (slots == NULL) return HDHT_ERR_OUT_OF_MEMORY;
  if (heap->entries_count > 0) memcpy(slots, heap->slots, heap->entries_count * sizeof(hd_deadline_slot));
  hd_release(heap->allocator, heap->slots, heap->entries_capacity * sizeof(hd_deadline_slot));
  heap->slots = slots;
  heap->entries_capacity = capacity;
  return HDHT_OK;
}

int hd_deadline_heap_set(hd_deadline_heap *heap, hd_deadline *entry, hd_time at) {
  if (hd_time_is_never(at)) {
    hd_deadline_heap_remove(heap, entry);
    return HDHT_OK;
  }
  if (entry->place == 0) return insert(heap, entry, at);

  const uint32_t index = index_of(heap, entry);
  entry->at = at;
  sift(heap, (hd_deadline_slot){.at = at, .entry = entry}, index);
  return HDHT_OK;
}

void hd_deadline_heap_remove(hd_deadline_heap *heap, hd_deadline *entry) {
  if (entry->place == 0) return;
  const uint32_t index = index_of(heap, entry);
  entry->place = 0;
  const hd_deadline_slot last = heap->slots[--heap->entries_count];
  if (last.entry != entry) sift(heap, last, index);
}

hd_time hd_deadline_heap_next(const hd_deadline_heap *heap) {
  return heap->entries_count > 0 ? heap->slots[0].at : HD_TIME_NEVER;
}

hd_deadline *hd_deadline_heap_pop_due(hd_deadline_heap *heap, hd_time now) {
  if (heap->entries_count == 0 || !hd_time_is_due(heap->slots[0].at, now)) return NULL;
  hd_deadline *earliest = heap->slots[0].entry;
  hd_deadline_heap_remove(heap, earliest);
  return earliest;
}
