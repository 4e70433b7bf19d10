#include "udx/udx_streams.h"

#include <hdht/error.h>

#include "base/assertion.h"

void hd_udx_streams_init(hd_udx_streams *streams, const hd_allocator *allocator, const uint64_t seed[2]) {
  *streams = (hd_udx_streams){0};
  hd_hash_map_init(&streams->map, allocator, sizeof(uint32_t), sizeof(hd_udx_entry *), 0, seed);
}

void hd_udx_streams_destroy(hd_udx_streams *streams) {
  hd_hash_map_destroy(&streams->map);
}

hd_udx_entry *hd_udx_streams_find(hd_udx_streams *streams, uint32_t id) {
  if (streams->recent != NULL && streams->recent->local_id == id) return streams->recent;
  hd_udx_entry **entry = hd_hash_map_find(&streams->map, &id);
  if (entry == NULL) return NULL;
  streams->recent = *entry;
  return *entry;
}

int hd_udx_streams_add(hd_udx_streams *streams, hd_udx_entry *entry) {
  void *place;
  bool is_new;
  const int error = hd_hash_map_insert(&streams->map, &entry->local_id, &place, &is_new);
  if (error != HDHT_OK) return error;
  hd_assert(is_new);
  *(hd_udx_entry **)place = entry;
  return HDHT_OK;
}

void hd_udx_streams_replace(hd_udx_streams *streams, hd_udx_entry *entry) {
  hd_udx_entry **place = hd_hash_map_find(&streams->map, &entry->local_id);
  hd_assert(place != NULL);
  *place = entry;
  streams->recent = NULL;
}

void hd_udx_streams_remove(hd_udx_streams *streams, const hd_udx_entry *entry) {
  const bool was_there = hd_hash_map_remove(&streams->map, &entry->local_id);
  hd_assert(was_there);
  (void)was_there;
  streams->recent = NULL;
}

hd_udx_entry *hd_udx_streams_next(const hd_udx_streams *streams, size_t *position) {
  const void *key;
  void *value;
  return hd_hash_map_next(&streams->map, position, &key, &value) ? *(hd_udx_entry **)value : NULL;
}
