/* Lookup by the 32-bit id this side chose, which is all a packet says about its stream. Ghosts of closed streams keep
 * their ids in the same table. Packets come in trains, so the last entry found is looked at first. */
#ifndef HD_UDX_STREAMS_H
#define HD_UDX_STREAMS_H

#include "base/deadline_heap.h"
#include "base/hash_map.h"

/* What streams and ghosts have in common; their first member. */
typedef struct hd_udx_entry {
  hd_deadline deadline;
  uint32_t local_id;
  bool is_ghost;
} hd_udx_entry;

typedef struct hd_udx_streams {
  hd_hash_map map; /* id to hd_udx_entry pointer */
  hd_udx_entry *recent;
} hd_udx_streams;

void hd_udx_streams_init(hd_udx_streams *streams, const hd_allocator *allocator, const uint64_t seed[2]);
void hd_udx_streams_destroy(hd_udx_streams *streams);

/* The entry of `id`, or NULL. */
hd_udx_entry *hd_udx_streams_find(hd_udx_streams *streams, uint32_t id);

/* Stores `entry` under entry->local_id, which is free.
 * Errors: HDHT_ERR_OUT_OF_MEMORY. */
int hd_udx_streams_add(hd_udx_streams *streams, hd_udx_entry *entry);

/* Puts `entry` into the place of the one that has its id now. */
void hd_udx_streams_replace(hd_udx_streams *streams, hd_udx_entry *entry);

void hd_udx_streams_remove(hd_udx_streams *streams, const hd_udx_entry *entry);

/* Walks all entries, as hd_hash_map_next. */
hd_udx_entry *hd_udx_streams_next(const hd_udx_streams *streams, size_t *position);

#endif
