/* Where servers can be reached: for the hash of a public key, the record its owner announced and the address the
 * announcement came from, through which handshakes are passed on (the "forward table" of hyperdht). FIND_PEER answers
 * with it; the router forwards by it.
 *
 * Routes of servers that run in this process are pinned: they do not age, and no announcement from outside replaces
 * them. */
#ifndef HD_STORAGE_ROUTES_H
#define HD_STORAGE_ROUTES_H

#include "base/address.h"
#include "storage/storage_peers.h"

typedef struct hd_storage_route {
  hd_address relay; /* where to pass messages for this server; no address when it is local */
  hd_storage_peer peer;
} hd_storage_route;

typedef struct hd_storage_routes {
  hd_storage_cache announced;
  hd_hash_map pinned;
} hd_storage_routes;

void hd_storage_routes_init(hd_storage_routes *routes, const hd_storage_cache_options *options);
void hd_storage_routes_destroy(hd_storage_routes *routes);

/* Stores an announcement; does nothing when the target is pinned.
 * Errors: HDHT_ERR_OUT_OF_MEMORY. */
int hd_storage_routes_put(hd_storage_routes *routes, const uint8_t target[HDHT_HASH_SIZE],
                          const hd_storage_route *route, hd_time now);

/* The route, good until the next call of any other function, or NULL. Asking does not renew it: a dead server's route
 * must not live on because many look for it. */
const hd_storage_route *hd_storage_routes_find(hd_storage_routes *routes, const uint8_t target[HDHT_HASH_SIZE],
                                               hd_time now);

/* Whether the target's server runs in this process. */
bool hd_storage_routes_is_pinned(const hd_storage_routes *routes, const uint8_t target[HDHT_HASH_SIZE]);

/* Forgets the announced route; a pinned one stays. */
void hd_storage_routes_remove(hd_storage_routes *routes, const uint8_t target[HDHT_HASH_SIZE]);

/* Pins the record of a local server, in place of what was known.
 * Errors: HDHT_ERR_OUT_OF_MEMORY. */
int hd_storage_routes_pin(hd_storage_routes *routes, const uint8_t target[HDHT_HASH_SIZE], const hd_storage_peer *peer);

void hd_storage_routes_unpin(hd_storage_routes *routes, const uint8_t target[HDHT_HASH_SIZE]);

#endif
