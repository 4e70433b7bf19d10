#include "rpc/rpc_flood.h"

#include "test.h"

static const uint64_t seed[2] = {11, 12};

static hd_time at_ms(uint64_t ms) {
  return (hd_time){1000 * ms};
}

static void init(hd_rpc_flood *flood, const hdht_allocator *allocator) {
  hd_rpc_flood_init(flood, allocator, (hd_rpc_flood_limits){.per_second = 100, .burst = 50}, seed);
}

static unsigned ask_until_refused(hd_rpc_flood *flood, hd_time now, hd_address from, uint32_t cost) {
  unsigned allowed = 0;
  while (allowed < 10000 && hd_rpc_flood_allows(flood, now, &from, cost)) allowed++;
  return allowed;
}

TEST(rpc_flood_allows_a_burst_and_then_the_rate) {
  hd_rpc_flood flood;
  init(&flood, hd_allocator_system());
  const hd_address from = hd_address_ipv4(8, 8, 8, 8, 1);
  CHECK_UINT(51, ask_until_refused(&flood, at_ms(1000), from, 1)); /* the burst and the one that is due */
  CHECK_UINT(0, ask_until_refused(&flood, at_ms(1000), from, 1));
  CHECK_UINT(1, ask_until_refused(&flood, at_ms(1010), from, 1));
  CHECK_UINT(10, ask_until_refused(&flood, at_ms(1110), from, 1));
  CHECK_UINT(51, ask_until_refused(&flood, at_ms(60000), from, 1));
  hd_rpc_flood_destroy(&flood);
}

TEST(rpc_flood_takes_a_network_of_256_hosts_for_one_source) {
  hd_rpc_flood flood;
  init(&flood, hd_allocator_system());
  unsigned allowed = 0;
  for (unsigned host = 0; host < 256; host++) {
    const hd_address from = hd_address_ipv4(8, 8, 8, (uint8_t)host, (uint16_t)(host + 1));
    allowed += hd_rpc_flood_allows(&flood, at_ms(0), &from, 1);
  }
  CHECK_UINT(51, allowed);
  const hd_address neighbour = hd_address_ipv4(8, 8, 9, 1, 1);
  CHECK(hd_rpc_flood_allows(&flood, at_ms(0), &neighbour, 1));
  hd_rpc_flood_destroy(&flood);
}

TEST(rpc_flood_counts_expensive_requests_several_times) {
  hd_rpc_flood flood;
  init(&flood, hd_allocator_system());
  CHECK_UINT(11, ask_until_refused(&flood, at_ms(0), hd_address_ipv4(8, 8, 8, 8, 1), 5));
  hd_rpc_flood_destroy(&flood);
}

TEST(rpc_flood_does_not_limit_this_machine) {
  hd_rpc_flood flood;
  init(&flood, hd_allocator_system());
  CHECK_UINT(10000, ask_until_refused(&flood, at_ms(0), hd_address_ipv4(127, 0, 0, 1, 1), 1));
  CHECK_UINT(51, ask_until_refused(&flood, at_ms(0), hd_address_ipv4(192, 168, 0, 1, 1), 1));
  hd_rpc_flood_destroy(&flood);
}

TEST(rpc_flood_of_some_networks_holds_back_few_others) {
  hd_rpc_flood flood;
  init(&flood, hd_allocator_system());
  for (uint8_t network = 0; network < 40; network++) {
    (void)ask_until_refused(&flood, at_ms(0), hd_address_ipv4(6, 6, network, 1, 1), 1);
  }
  unsigned held_back = 0;
  for (unsigned network = 0; network < 2000; network++) {
    const hd_address from = hd_address_ipv4(9, (uint8_t)(network >> 8), (uint8_t)network, 1, 1);
    held_back += !hd_rpc_flood_allows(&flood, at_ms(0), &from, 0);
  }
  CHECK(held_back < 40); /* one row of buckets alone would hold back 8 % */
  hd_rpc_flood_destroy(&flood);
}

TEST(rpc_flood_allows_everything_when_there_is_no_memory) {
  hd_test_allocator allocator;
  hd_test_allocator_init(&allocator);
  allocator.fail_at = 1;
  hd_rpc_flood flood;
  init(&flood, &allocator.hook);
  const hd_address from = hd_address_ipv4(8, 8, 8, 8, 1);
  CHECK(hd_rpc_flood_allows(&flood, at_ms(0), &from, 1));
  CHECK_UINT(51, ask_until_refused(&flood, at_ms(0), from, 1));
  hd_rpc_flood_destroy(&flood);
  CHECK_UINT(0, allocator.live_bytes);
}
