#include "router/router_recent.h"

#include "test.h"

static const uint64_t seed[2] = {3, 4};
static const hd_time start = {1000000};

static hd_address numbered(unsigned number) {
  return hd_address_ipv4(44, (uint8_t)(number >> 16), (uint8_t)(number >> 8), (uint8_t)number, 1);
}

TEST(router_recent_knows_the_request_of_an_address_for_its_lifetime) {
  hd_router_recent recent;
  hd_router_recent_init(&recent, hd_allocator_system(), seed);
  const hd_address a = numbered(1), b = numbered(2);
  CHECK(!hd_router_recent_has(&recent, start, &a, 5));
  hd_router_recent_add(&recent, start, &a, 5);
  CHECK(hd_router_recent_has(&recent, start, &a, 5));
  CHECK(!hd_router_recent_has(&recent, start, &a, 6));
  CHECK(!hd_router_recent_has(&recent, start, &b, 5));
  CHECK(hd_router_recent_has(&recent, hd_time_add(start, HD_SECONDS(29)), &a, 5));
  CHECK(!hd_router_recent_has(&recent, hd_time_add(start, HD_SECONDS(30)), &a, 5));
  hd_router_recent_destroy(&recent);
}

TEST(router_recent_keeps_most_of_a_quarter_of_its_size) {
  hd_router_recent recent;
  hd_router_recent_init(&recent, hd_allocator_system(), seed);
  for (unsigned i = 0; i < 1000; i++) {
    const hd_address from = numbered(i);
    hd_router_recent_add(&recent, start, &from, 1);
  }
  unsigned kept = 0;
  for (unsigned i = 0; i < 1000; i++) {
    const hd_address from = numbered(i);
    kept += hd_router_recent_has(&recent, start, &from, 1);
  }
  CHECK(kept > 980);
  hd_router_recent_destroy(&recent);
}
