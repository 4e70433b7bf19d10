/* The two id spaces of a mux. Both start at 1.
 *
 * Ours: opening takes the id given back most recently, or else the next one that was never used. The free ids are a
 * stack whose memory grows together with the table, so giving an id back cannot fail.
 *
 * The peer's: an open may name an id without a live channel, or exactly one above the highest ever named. The table is
 * as long as the highest id with something behind it, not as the highest id named, so opens that are rejected at once
 * cost no memory. */
#ifndef HD_MUX_IDS_H
#define HD_MUX_IDS_H

#include "base/allocator.h"
#include "base/bytes.h"

struct hd_mux_channel;
struct hd_mux_waiting;

typedef struct hd_mux_local_id {
  struct hd_mux_channel *channel; /* NULL when the id is free */
  uint32_t free_id;               /* this slot's share of the stack of free ids, unrelated to the channel */
} hd_mux_local_id;

typedef struct hd_mux_local_ids {
  const hd_allocator *allocator;
  hd_mux_local_id *slots; /* slot 0 belongs to id 1 */
  uint32_t slots_capacity;
  uint32_t slots_count; /* the highest id ever taken */
  uint32_t free_count;
  uint32_t limit; /* ids in use at one time, so also the highest */
} hd_mux_local_ids;

void hd_mux_local_ids_init(hd_mux_local_ids *ids, const hd_allocator *allocator, uint32_t limit);
void hd_mux_local_ids_destroy(hd_mux_local_ids *ids);

/* Makes sure that the next take succeeds. Errors: HDHT_ERR_LIMIT, HDHT_ERR_OUT_OF_MEMORY. */
int hd_mux_local_ids_reserve(hd_mux_local_ids *ids);

/* Takes an id for the channel; a reserve must have succeeded. */
uint32_t hd_mux_local_ids_take(hd_mux_local_ids *ids, struct hd_mux_channel *channel);

/* Gives back an id that is taken. */
void hd_mux_local_ids_release(hd_mux_local_ids *ids, uint32_t id);

/* The channel that holds the id, or NULL; any number may be asked for. */
static inline struct hd_mux_channel *hd_mux_local_ids_find(const hd_mux_local_ids *ids, uint64_t id) {
  return id >= 1 && id <= ids->slots_count ? ids->slots[id - 1].channel : NULL;
}

static inline uint32_t hd_mux_local_ids_taken(const hd_mux_local_ids *ids) {
  return ids->slots_count - ids->free_count;
}

/* What stands behind an id of the peer: one of the two, or nothing. */
typedef struct hd_mux_remote_id {
  struct hd_mux_channel *channel; /* a channel of ours paired with it */
  struct hd_mux_waiting *waiting; /* an open that waits for an answer */
} hd_mux_remote_id;

typedef struct hd_mux_remote_ids {
  const hd_allocator *allocator;
  hd_mux_remote_id *slots;
  uint32_t slots_capacity;
  uint32_t highest; /* ever named in an open */
  uint32_t limit;   /* no slot beyond it */
} hd_mux_remote_ids;

void hd_mux_remote_ids_init(hd_mux_remote_ids *ids, const hd_allocator *allocator, uint32_t limit);
void hd_mux_remote_ids_destroy(hd_mux_remote_ids *ids);

/* Whether the peer may open `id` now; notes it as named if so. */
bool hd_mux_remote_ids_claim(hd_mux_remote_ids *ids, uint64_t id);

/* Makes sure that `id`, which was claimed, has a slot. Errors: HDHT_ERR_LIMIT, HDHT_ERR_OUT_OF_MEMORY. */
int hd_mux_remote_ids_reserve(hd_mux_remote_ids *ids, uint32_t id);

/* The slot of an id, or NULL when it has none; any number may be asked for. */
static inline hd_mux_remote_id *hd_mux_remote_ids_find(const hd_mux_remote_ids *ids, uint64_t id) {
  return id >= 1 && id <= ids->slots_capacity ? &ids->slots[id - 1] : NULL;
}

#endif
