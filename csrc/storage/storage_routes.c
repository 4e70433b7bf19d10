#include "storage/storage_routes.h"

#include <hdht/error.h>

void hd_storage_routes_init(hd_storage_routes *routes, const hd_storage_cache_options *options) {
  hd_storage_cache_options own = *options;
  own.key_size = HDHT_HASH_SIZE;
  own.value_size = sizeof(hd_storage_route);
  own.forget = NULL;
  hd_storage_cache_init(&routes->announced, &own);
  hd_hash_map_init(&routes->pinned, own.allocator, HDHT_HASH_SIZE, sizeof(hd_storage_route), 0, own.seed);
}

void hd_storage_routes_destroy(hd_storage_routes *routes) {
  hd_storage_cache_destroy(&routes->announced);
  hd_hash_map_destroy(&routes->pinned);
}

int hd_storage_routes_put(hd_storage_routes *routes, const uint8_t target[HDHT_HASH_SIZE],
                          const hd_storage_route *route, hd_time now) {
  if (hd_storage_routes_is_pinned(routes, target)) return HDHT_OK;
  return hd_storage_cache_put(&routes->announced, target, route, sizeof *route, now);
}

const hd_storage_route *hd_storage_routes_find(hd_storage_routes *routes, const uint8_t target[HDHT_HASH_SIZE],
                                               hd_time now) {
  const hd_storage_route *pinned = hd_hash_map_find(&routes->pinned, target);
  return pinned != NULL ? pinned : hd_storage_cache_find(&routes->announced, target, now);
}

bool hd_storage_routes_is_pinned(const hd_storage_routes *routes, const uint8_t target[HDHT_HASH_SIZE]) {
  return hd_hash_map_find(&routes->pinned, target) != NULL;
}

void hd_storage_routes_remove(hd_storage_routes *routes, const uint8_t target[HDHT_HASH_SIZE]) {
  (void)hd_storage_cache_remove(&routes->announced, target);
}

int hd_storage_routes_pin(hd_storage_routes *routes, const uint8_t target[HDHT_HASH_SIZE],
                          const hd_storage_peer *peer) {
  void *route;
  const int error = hd_hash_map_insert(&routes->pinned, target, &route, NULL);
  if (error != HDHT_OK) return error;
  *(hd_storage_route *)route = (hd_storage_route){.peer = *peer};
  hd_storage_routes_remove(routes, target);
  return HDHT_OK;
}

void hd_storage_routes_unpin(hd_storage_routes *routes, const uint8_t target[HDHT_HASH_SIZE]) {
  (void)hd_hash_map_remove(&routes->pinned, target);
}
