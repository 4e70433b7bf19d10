#include "storage/storage_peers.h"

#include "base/assertion.h"
#include "codec/compact_address.h"

typedef struct topic {
  hd_storage_peer *records;
  uint32_t count;
  uint32_t capacity;
} topic;

hd_storage_peer hd_storage_peer_of(const hdht_peer *peer) {
  hd_storage_peer stored = {0};
  memcpy(stored.public_key, peer->public_key, sizeof stored.public_key);
  hd_writer writer = hd_writer_of(stored.relays, sizeof stored.relays);
  hdht_address_list rest = peer->relay_addresses;
  hd_address relay;
  while (stored.relays_count < HD_STORAGE_RELAYS_LIMIT && hdht_address_list_next(&rest, &relay)) {
    if (hd_codec_write_ipv4_address(&writer, &relay) == HDHT_OK) stored.relays_count++;
  }
  return stored;
}

hdht_peer hd_storage_peer_view(const hd_storage_peer *peer) {
  const hd_bytes relays = hd_bytes_of(peer->relays, (size_t)6 * peer->relays_count);
  return (hdht_peer){.public_key = peer->public_key,
                     .relay_addresses = {.encoded = relays, .count = peer->relays_count}};
}

static void init_map(hd_hash_map *map, const hd_allocator *allocator, const uint64_t seed[2]) {
  hd_hash_map_init(map, allocator, HDHT_HASH_SIZE, sizeof(topic), 0, seed);
}

void hd_storage_peers_init(hd_storage_peers *peers, const hd_allocator *allocator, uint32_t records_limit,
                           hd_duration age_limit, const uint64_t seed[2]) {
  *peers =
      (hd_storage_peers){.allocator = allocator, .records_limit = records_limit, .age = hd_storage_age_of(age_limit)};
  init_map(&peers->newer, allocator, seed);
  init_map(&peers->older, allocator, seed);
}

static void release_records(const hd_storage_peers *peers, topic *entry) {
  hd_release(peers->allocator, entry->records, entry->capacity * sizeof *entry->records);
}

static void forget_generation(const hd_storage_peers *peers, hd_hash_map *map) {
  size_t position = 0;
  const void *key;
  void *entry;
  while (hd_hash_map_next(map, &position, &key, &entry)) release_records(peers, entry);
  hd_hash_map_destroy(map);
}

void hd_storage_peers_destroy(hd_storage_peers *peers) {
  forget_generation(peers, &peers->newer);
  forget_generation(peers, &peers->older);
}

static void change_generation(hd_storage_peers *peers) {
  forget_generation(peers, &peers->older);
  const hd_hash_map emptied = peers->older;
  peers->older = peers->newer;
  peers->newer = emptied;
  peers->newer_records_count = 0;
}

void hd_storage_peers_elapse(hd_storage_peers *peers, hd_time now) {
  for (unsigned due = hd_storage_age_advance(&peers->age, now); due > 0; due--) change_generation(peers);
  if (peers->newer.count + peers->older.count == 0) peers->age.next = HD_TIME_NEVER;
}

static uint32_t place_of(const topic *entry, const uint8_t *public_key) {
  uint32_t place = 0;
  while (place < entry->count && memcmp(entry->records[place].public_key, public_key, HDHT_PUBLIC_KEY_SIZE) != 0) {
    place++;
  }
  return place;
}

static int make_room(const hd_storage_peers *peers, topic *entry) {
  if (entry->count < entry->capacity) return HDHT_OK;
  const uint32_t capacity = entry->capacity > 0 ? 2 * entry->capacity : 1;
  hd_storage_peer *records = hd_allocate_array(peers->allocator, capacity, sizeof *records);
  if (records == NULL) return HDHT_ERR_OUT_OF_MEMORY;
  if (entry->count > 0) memcpy(records, entry->records, entry->count * sizeof *records);
  release_records(peers, entry);
  entry->records = records;
  entry->capacity = capacity;
  return HDHT_OK;
}

/* An entry without records does not stay. */
static void drop_if_empty(hd_storage_peers *peers, hd_hash_map *map, const uint8_t *key, topic *entry) {
  if (entry->count > 0) return;
  release_records(peers, entry);
  hd_hash_map_remove(map, key);
}

static bool remove_from(hd_storage_peers *peers, hd_hash_map *map, const uint8_t *key, const uint8_t *public_key) {
  topic *entry = hd_hash_map_find(map, key);
  if (entry == NULL) return false;
  const uint32_t place = place_of(entry, public_key);
  if (place == entry->count) return false;
  entry->records[place] = entry->records[--entry->count];
  drop_if_empty(peers, map, key, entry);
  return true;
}

static int add_record(hd_storage_peers *peers, const uint8_t *key, const hd_storage_peer *peer, hd_random *random) {
  void *value;
  const int map_error = hd_hash_map_insert(&peers->newer, key, &value, NULL);
  if (map_error != HDHT_OK) return map_error;
  topic *entry = value;
  uint32_t place = place_of(entry, peer->public_key);
  if (place == entry->count && place == HD_STORAGE_TOPIC_PEERS_LIMIT) {
    place = (uint32_t)hd_random_below(random, entry->count);
  } else if (place == entry->count) {
    const int error = make_room(peers, entry);
    if (error != HDHT_OK) {
      drop_if_empty(peers, &peers->newer, key, entry);
      return error;
    }
    entry->count++;
    peers->newer_records_count++;
  }
  entry->records[place] = *peer;
  return HDHT_OK;
}

int hd_storage_peers_put(hd_storage_peers *peers, const uint8_t topic_key[HDHT_HASH_SIZE], const hd_storage_peer *peer,
                         hd_random *random, hd_time now) {
  hd_storage_peers_elapse(peers, now);
  if (peers->newer_records_count >= peers->records_limit) {
    change_generation(peers);
    peers->age.next = hd_time_add(now, peers->age.period);
  }
  const int error = add_record(peers, topic_key, peer, random);
  if (error != HDHT_OK) return error;
  (void)remove_from(peers, &peers->older, topic_key, peer->public_key);
  if (hd_time_is_never(peers->age.next)) peers->age.next = hd_time_add(now, peers->age.period);
  return HDHT_OK;
}

bool hd_storage_peers_remove(hd_storage_peers *peers, const uint8_t topic_key[HDHT_HASH_SIZE],
                             const uint8_t public_key[HDHT_PUBLIC_KEY_SIZE], hd_time now) {
  hd_storage_peers_elapse(peers, now);
  if (remove_from(peers, &peers->newer, topic_key, public_key)) {
    peers->newer_records_count--;
    return true;
  }
  return remove_from(peers, &peers->older, topic_key, public_key);
}

static const hd_storage_peer *record_at(const topic *newer, const topic *older, uint32_t index) {
  const uint32_t newer_count = newer != NULL ? newer->count : 0;
  return index < newer_count ? &newer->records[index] : &older->records[index - newer_count];
}

static bool is_among(const hd_storage_peer *record, const hd_storage_peer *const *drawn, unsigned count) {
  for (unsigned i = 0; i < count; i++) {
    if (drawn[i] == record) return true;
  }
  return false;
}

/* Floyd's way to draw without repetition: of the first n records draw one; if it was drawn before, take the n-th. */
unsigned hd_storage_peers_draw(hd_storage_peers *peers, const uint8_t topic_key[HDHT_HASH_SIZE], hd_random *random,
                               hd_time now, const hd_storage_peer **drawn, unsigned limit) {
  hd_storage_peers_elapse(peers, now);
  const topic *newer = hd_hash_map_find(&peers->newer, topic_key);
  const topic *older = hd_hash_map_find(&peers->older, topic_key);
  const uint32_t all = (newer != NULL ? newer->count : 0) + (older != NULL ? older->count : 0);
  const unsigned wanted = all < limit ? all : limit;
  unsigned count = 0;
  for (uint32_t last = all - wanted; last < all; last++) {
    const hd_storage_peer *record = record_at(newer, older, (uint32_t)hd_random_below(random, last + 1));
    if (is_among(record, drawn, count)) record = record_at(newer, older, last);
    drawn[count++] = record;
  }
  return count;
}

static size_t count_records(const hd_hash_map *map) {
  size_t count = 0, position = 0;
  const void *key;
  void *entry;
  while (hd_hash_map_next(map, &position, &key, &entry)) count += ((const topic *)entry)->count;
  return count;
}

size_t hd_storage_peers_count(const hd_storage_peers *peers) {
  return count_records(&peers->newer) + count_records(&peers->older);
}
