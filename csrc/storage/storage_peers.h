/* Who announced which topic: the records LOOKUP answers with (record-cache, as hyperdht uses it).
 *
 * Two generations as in storage_ageing.h, but of whole topics: a record that is announced again moves to the newer
 * generation, with what it says now. (The reference keeps the old addresses until the generation changes.) A topic
 * takes a limited number of records, so that one topic cannot push out all others. */
#ifndef HD_STORAGE_PEERS_H
#define HD_STORAGE_PEERS_H

#include <hdht/peer.h>

#include "base/random.h"
#include "storage/storage_ageing.h"

#define HD_STORAGE_RELAYS_LIMIT      3   /* relay addresses kept of a record */
#define HD_STORAGE_TOPIC_PEERS_LIMIT 512 /* records of a topic in one generation; a random one makes room */

/* A peer as it is stored. */
typedef struct hd_storage_peer {
  uint8_t public_key[HDHT_PUBLIC_KEY_SIZE];
  uint8_t relays[6 * HD_STORAGE_RELAYS_LIMIT]; /* encoded, as on the wire */
  uint8_t relays_count;
} hd_storage_peer;

/* The first HD_STORAGE_RELAYS_LIMIT relays of what was decoded or built. */
hd_storage_peer hd_storage_peer_of(const hdht_peer *peer);

/* The same peer as messages see it; borrows `peer`. */
hdht_peer hd_storage_peer_view(const hd_storage_peer *peer);

typedef struct hd_storage_peers {
  const hd_allocator *allocator;
  uint32_t records_limit;       /* of one generation */
  hd_hash_map newer, older;     /* topic to its records */
  uint32_t newer_records_count; /* in all topics of the newer generation */
  hd_storage_age age;
} hd_storage_peers;

/* Empty; allocates nothing. */
void hd_storage_peers_init(hd_storage_peers *peers, const hd_allocator *allocator, uint32_t records_limit,
                           hd_duration age_limit, const uint64_t seed[2]);

void hd_storage_peers_destroy(hd_storage_peers *peers);

/* Stores the record under the topic, in place of an earlier one of the same key.
 * Errors: HDHT_ERR_OUT_OF_MEMORY; nothing changed. */
int hd_storage_peers_put(hd_storage_peers *peers, const uint8_t topic[HDHT_HASH_SIZE], const hd_storage_peer *peer,
                         hd_random *random, hd_time now);

/* Returns whether there was one. */
bool hd_storage_peers_remove(hd_storage_peers *peers, const uint8_t topic[HDHT_HASH_SIZE],
                             const uint8_t public_key[HDHT_PUBLIC_KEY_SIZE], hd_time now);

/* Draws up to `limit` different records of the topic at random.
 *
 * drawn  [out] room for `limit`; the pointers are good until the next call of any other function
 *
 * Returns how many there are. */
unsigned hd_storage_peers_draw(hd_storage_peers *peers, const uint8_t topic[HDHT_HASH_SIZE], hd_random *random,
                               hd_time now, const hd_storage_peer **drawn, unsigned limit);

/* Forgets what is too old. */
void hd_storage_peers_elapse(hd_storage_peers *peers, hd_time now);

/* Records stored, in both generations. O(topics). */
size_t hd_storage_peers_count(const hd_storage_peers *peers);

#endif
