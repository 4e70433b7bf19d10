#include "router/router_recent.h"

#include "base/sip_hash.h"

#define PLACES_PER_REQUEST 4
#define ENTRIES_SIZE       (HD_ROUTER_RECENT_COUNT * sizeof(hd_router_recent_entry))

void hd_router_recent_init(hd_router_recent *recent, const hd_allocator *allocator, const uint64_t seed[2]) {
  *recent = (hd_router_recent){.allocator = allocator, .seed = {seed[0], seed[1]}};
}

void hd_router_recent_destroy(hd_router_recent *recent) {
  hd_release(recent->allocator, recent->entries, ENTRIES_SIZE);
  recent->entries = NULL;
}

static uint64_t hash_request(const hd_router_recent *recent, const hd_address *from, uint16_t tid) {
  uint8_t key[sizeof *from + sizeof tid];
  memcpy(key, from, sizeof *from);
  memcpy(key + sizeof *from, &tid, sizeof tid);
  return hd_sip_hash(recent->seed, key, sizeof key);
}

static hd_router_recent_entry *places_of(const hd_router_recent *recent, uint64_t hash) {
  return &recent->entries[(hash >> 32) % (HD_ROUTER_RECENT_COUNT / PLACES_PER_REQUEST) * PLACES_PER_REQUEST];
}

static uint32_t second_of(hd_time time) {
  return (uint32_t)(time.us / 1000000);
}

/* Takes the request's own place, or the one that will be free first. */
void hd_router_recent_add(hd_router_recent *recent, hd_time now, const hd_address *from, uint16_t tid) {
  if (recent->entries == NULL) recent->entries = hd_allocate_zeroed(recent->allocator, ENTRIES_SIZE);
  if (recent->entries == NULL) return;
  const uint64_t hash = hash_request(recent, from, tid);
  hd_router_recent_entry *places = places_of(recent, hash), *place = places;
  for (unsigned i = 0; i < PLACES_PER_REQUEST; i++) {
    if (places[i].until < place->until) place = &places[i];
  }
  for (unsigned i = 0; i < PLACES_PER_REQUEST; i++) {
    if (places[i].request == (uint32_t)hash) place = &places[i];
  }
  const uint32_t until = second_of(hd_time_add(now, HD_ROUTER_RECENT_LIFETIME));
  *place = (hd_router_recent_entry){.request = (uint32_t)hash, .until = until};
}

bool hd_router_recent_has(const hd_router_recent *recent, hd_time now, const hd_address *from, uint16_t tid) {
  if (recent->entries == NULL) return false;
  const uint64_t hash = hash_request(recent, from, tid);
  const hd_router_recent_entry *places = places_of(recent, hash);
  for (unsigned i = 0; i < PLACES_PER_REQUEST; i++) {
    if (places[i].request == (uint32_t)hash && places[i].until > second_of(now)) return true;
  }
  return false;
}
