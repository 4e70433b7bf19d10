#include "mux/mux_ids.h"

#define FIRST_CAPACITY 4

static void *grow(const hd_allocator *allocator, void *slots, size_t slot_size, uint32_t *capacity, uint32_t needed,
                  uint32_t limit);

void hd_mux_local_ids_init(hd_mux_local_ids *ids, const hd_allocator *allocator, uint32_t limit) {
  *ids = (hd_mux_local_ids){.allocator = allocator, .limit = limit};
}

void hd_mux_local_ids_destroy(hd_mux_local_ids *ids) {
  hd_release(ids->allocator, ids->slots, ids->slots_capacity * sizeof *ids->slots);
}

int hd_mux_local_ids_reserve(hd_mux_local_ids *ids) {
  if (ids->free_count > 0 || ids->slots_count < ids->slots_capacity) return HDHT_OK;
  if (ids->slots_count == ids->limit) return HDHT_ERR_LIMIT;
  hd_mux_local_id *slots =
      grow(ids->allocator, ids->slots, sizeof *slots, &ids->slots_capacity, ids->slots_count + 1, ids->limit);
  if (slots == NULL) return HDHT_ERR_OUT_OF_MEMORY;
  ids->slots = slots;
  return HDHT_OK;
}

uint32_t hd_mux_local_ids_take(hd_mux_local_ids *ids, struct hd_mux_channel *channel) {
  hd_assert(channel != NULL);
  hd_assert(ids->free_count > 0 || ids->slots_count < ids->slots_capacity);
  const uint32_t id = ids->free_count > 0 ? ids->slots[--ids->free_count].free_id : ++ids->slots_count;
  hd_assert(ids->slots[id - 1].channel == NULL);
  ids->slots[id - 1].channel = channel;
  return id;
}

void hd_mux_local_ids_release(hd_mux_local_ids *ids, uint32_t id) {
  hd_assert(id >= 1 && id <= ids->slots_count);
  hd_assert(ids->slots[id - 1].channel != NULL);
  ids->slots[id - 1].channel = NULL;
  ids->slots[ids->free_count++].free_id = id;
  hd_assert(ids->free_count <= ids->slots_count);
}

void hd_mux_remote_ids_init(hd_mux_remote_ids *ids, const hd_allocator *allocator, uint32_t limit) {
  *ids = (hd_mux_remote_ids){.allocator = allocator, .limit = limit};
}

void hd_mux_remote_ids_destroy(hd_mux_remote_ids *ids) {
  hd_release(ids->allocator, ids->slots, ids->slots_capacity * sizeof *ids->slots);
}

bool hd_mux_remote_ids_claim(hd_mux_remote_ids *ids, uint64_t id) {
  if (id == 0 || id > UINT32_MAX || id > (uint64_t)ids->highest + 1) return false;
  const hd_mux_remote_id *slot = hd_mux_remote_ids_find(ids, id);
  if (slot != NULL && (slot->channel != NULL || slot->waiting != NULL)) return false;
  if (id > ids->highest) ids->highest = (uint32_t)id;
  return true;
}

int hd_mux_remote_ids_reserve(hd_mux_remote_ids *ids, uint32_t id) {
  hd_assert(id >= 1 && id <= ids->highest);
  if (id <= ids->slots_capacity) return HDHT_OK;
  if (id > ids->limit) return HDHT_ERR_LIMIT;
  hd_mux_remote_id *slots = grow(ids->allocator, ids->slots, sizeof *slots, &ids->slots_capacity, id, ids->limit);
  if (slots == NULL) return HDHT_ERR_OUT_OF_MEMORY;
  ids->slots = slots;
  return HDHT_OK;
}

/* Returns a table of at least `needed` slots, the new ones zeroed, in place of `slots`; NULL leaves all as it was. */
static void *grow(const hd_allocator *allocator, void *slots, size_t slot_size, uint32_t *capacity, uint32_t needed,
                  uint32_t limit) {
  hd_assert(needed > *capacity && needed <= limit);
  uint64_t grown = *capacity > 0 ? *capacity : FIRST_CAPACITY;
  while (grown < needed) grown *= 2;
  if (grown > limit) grown = limit;

  uint8_t *bigger = hd_allocate_array(allocator, (size_t)grown, slot_size);
  if (bigger == NULL) return NULL;
  const size_t used = *capacity * slot_size;
  if (used > 0) memcpy(bigger, slots, used);
  memset(bigger + used, 0, (size_t)grown * slot_size - used);
  hd_release(allocator, slots, used);
  *capacity = (uint32_t)grown;
  return bigger;
}
