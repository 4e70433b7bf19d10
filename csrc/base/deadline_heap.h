/* The earliest of many deadlines. A four-ary heap of entries that live inside their owners; each entry knows its place,
 * so a deadline can be moved or removed in O(log n) without a search. */
#ifndef HD_DEADLINE_HEAP_H
#define HD_DEADLINE_HEAP_H

#include <stddef.h>

#include "base/allocator.h"
#include "base/clock.h"

typedef struct hd_deadline {
  hd_time at;     /* changed by nothing but hd_deadline_heap_set */
  uint32_t place; /* index in the heap plus 1; 0 when not in a heap, so a zeroed entry is valid */
} hd_deadline;

/* The time is repeated beside the pointer, so that comparing four children touches one cache line and no owner. */
typedef struct hd_deadline_slot {
  hd_time at;
  hd_deadline *entry;
} hd_deadline_slot;

typedef struct hd_deadline_heap {
  const hd_allocator *allocator;
  hd_deadline_slot *slots;
  uint32_t entries_count;
  uint32_t entries_capacity;
} hd_deadline_heap;

/* An empty heap; allocates nothing. */
void hd_deadline_heap_init(hd_deadline_heap *heap, const hd_allocator *allocator);

/* Forgets all entries and gives the memory back. The entries are not touched, so their owners may be gone already; one
 * that lives on is zeroed by its owner before it enters another heap. */
void hd_deadline_heap_destroy(hd_deadline_heap *heap);

/* Makes room for `count` entries in all, so that later hd_deadline_heap_set calls cannot fail.
 * Errors: HDHT_ERR_OUT_OF_MEMORY. */
int hd_deadline_heap_reserve(hd_deadline_heap *heap, uint32_t count);

/* Inserts the entry or moves it to `at`; HD_TIME_NEVER removes it. A new entry must be zeroed. The entry must stay
 * where it is in memory while it is in the heap. Errors: HDHT_ERR_OUT_OF_MEMORY (only for an entry that was not in the
 * heap; nothing changes). */
int hd_deadline_heap_set(hd_deadline_heap *heap, hd_deadline *entry, hd_time at);

/* Removes the entry; does nothing if it is in no heap. */
void hd_deadline_heap_remove(hd_deadline_heap *heap, hd_deadline *entry);

/* When the earliest entry is due, or HD_TIME_NEVER. */
hd_time hd_deadline_heap_next(const hd_deadline_heap *heap);

/* Removes and returns the earliest entry if it is due at `now`, else NULL. Entries of the same time come in no
 * particular but a repeatable order. */
hd_deadline *hd_deadline_heap_pop_due(hd_deadline_heap *heap, hd_time now);

#endif
