#include "rpc/rpc_flood.h"

#include "base/assertion.h"
#include "base/sip_hash.h"

#define ROWS_COUNT 2

void hd_rpc_flood_init(hd_rpc_flood *flood, const hd_allocator *allocator, hd_rpc_flood_limits limits,
                       const uint64_t seed[2]) {
  hd_assert(limits.per_second > 0);
  *flood = (hd_rpc_flood){.allocator = allocator, .limits = limits, .seed = {seed[0], seed[1]}};
}

#define BUCKETS_SIZE (ROWS_COUNT * HD_RPC_FLOOD_BUCKETS_COUNT * sizeof(hd_time))

void hd_rpc_flood_destroy(hd_rpc_flood *flood) {
  hd_release(flood->allocator, flood->empty_at, BUCKETS_SIZE);
  flood->empty_at = NULL;
}

static bool is_of_this_machine(const hd_address *from) {
  static const uint8_t ipv6_loopback[16] = {[15] = 1};
  return from->family == HDHT_FAMILY_IPV4 ? from->ip[0] == 127 : memcmp(from->ip, ipv6_loopback, 16) == 0;
}

static uint64_t hash_network(const hd_rpc_flood *flood, const hd_address *from) {
  uint8_t network[8] = {[7] = from->family};
  memcpy(network, from->ip, from->family == HDHT_FAMILY_IPV6 ? 6 : 3);
  return hd_sip_hash(flood->seed, network, sizeof network);
}

static bool has_room(const hd_rpc_flood *flood, hd_time now, hd_time empty_at, uint64_t unit_us) {
  return hd_time_since(empty_at, now).us <= unit_us * flood->limits.burst;
}

bool hd_rpc_flood_allows(hd_rpc_flood *flood, hd_time now, const hd_address *from, uint32_t cost) {
  if (is_of_this_machine(from)) return true;
  if (flood->empty_at == NULL) flood->empty_at = hd_allocate_zeroed(flood->allocator, BUCKETS_SIZE);
  if (flood->empty_at == NULL) return true;

  const uint64_t hash = hash_network(flood, from), unit_us = 1000000 / flood->limits.per_second;
  hd_time *first = &flood->empty_at[hash % HD_RPC_FLOOD_BUCKETS_COUNT];
  hd_time *second = &flood->empty_at[HD_RPC_FLOOD_BUCKETS_COUNT + (hash >> 32) % HD_RPC_FLOOD_BUCKETS_COUNT];
  if (!has_room(flood, now, *first, unit_us) && !has_room(flood, now, *second, unit_us)) return false;

  const hd_duration filled = HD_MICROSECONDS(unit_us * cost);
  *first = hd_time_add(hd_time_later(*first, now), filled);
  *second = hd_time_add(hd_time_later(*second, now), filled);
  return true;
}
