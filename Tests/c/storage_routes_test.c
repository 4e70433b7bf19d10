#include "storage/storage_routes.h"

#include "test.h"

static const uint8_t target[32] = {1};
static const uint64_t seed[2] = {1, 2};
static const hd_time start = {0};

static void init(hd_storage_routes *routes, const hdht_allocator *allocator) {
  hd_storage_routes_init(routes, &(hd_storage_cache_options){.allocator = allocator,
                                                             .entries_limit = 10,
                                                             .weight_limit = SIZE_MAX,
                                                             .age_limit = HD_SECONDS(1200),
                                                             .seed = seed});
}

static hd_storage_route route_through(uint8_t host) {
  return (hd_storage_route){.relay = hd_address_ipv4(1, 1, 1, host, 5), .peer = {.public_key = {host}}};
}

TEST(storage_routes_gives_the_newest_announcement) {
  hd_storage_routes routes;
  init(&routes, hd_allocator_system());
  CHECK(hd_storage_routes_find(&routes, target, start) == NULL);
  hd_storage_route route = route_through(1);
  CHECK_INT(HDHT_OK, hd_storage_routes_put(&routes, target, &route, start));
  route = route_through(2);
  CHECK_INT(HDHT_OK, hd_storage_routes_put(&routes, target, &route, start));
  const hd_storage_route *found = hd_storage_routes_find(&routes, target, start);
  REQUIRE(found != NULL);
  CHECK_UINT(2, found->relay.ip[3]);
  hd_storage_routes_remove(&routes, target);
  CHECK(hd_storage_routes_find(&routes, target, start) == NULL);
  hd_storage_routes_destroy(&routes);
}

TEST(storage_routes_of_a_dead_server_end_however_often_it_is_looked_for) {
  hd_storage_routes routes;
  init(&routes, hd_allocator_system());
  const hd_storage_route route = route_through(1);
  CHECK_INT(HDHT_OK, hd_storage_routes_put(&routes, target, &route, start));
  for (uint64_t second = 0; second < 1600; second += 10) {
    CHECK(hd_storage_routes_find(&routes, target, (hd_time){second * 1000000}) != NULL);
  }
  CHECK(hd_storage_routes_find(&routes, target, (hd_time){1600000000}) == NULL);
  hd_storage_routes_destroy(&routes);
}

TEST(storage_routes_pins_local_servers_against_announcements_and_age) {
  hd_storage_routes routes;
  init(&routes, hd_allocator_system());
  const hd_storage_route foreign = route_through(9);
  const hd_storage_peer local = {.public_key = {3}};
  CHECK_INT(HDHT_OK, hd_storage_routes_put(&routes, target, &foreign, start));
  CHECK_INT(HDHT_OK, hd_storage_routes_pin(&routes, target, &local));
  CHECK(hd_storage_routes_is_pinned(&routes, target));
  CHECK_INT(HDHT_OK, hd_storage_routes_put(&routes, target, &foreign, start));
  hd_storage_routes_remove(&routes, target);

  const hd_storage_route *found = hd_storage_routes_find(&routes, target, (hd_time){1000000000000});
  REQUIRE(found != NULL);
  CHECK(hd_address_is_none(&found->relay));
  CHECK_UINT(3, found->peer.public_key[0]);
  hd_storage_routes_unpin(&routes, target);
  CHECK(hd_storage_routes_find(&routes, target, start) == NULL);
  hd_storage_routes_destroy(&routes);
}

static bool put_and_pin(const hdht_allocator *allocator) {
  hd_storage_routes routes;
  init(&routes, allocator);
  const hd_storage_route route = route_through(1);
  const uint8_t other[32] = {2};
  int error = hd_storage_routes_put(&routes, target, &route, start);
  if (error == HDHT_OK) error = hd_storage_routes_pin(&routes, other, &route.peer);
  hd_storage_routes_destroy(&routes);
  return error == HDHT_OK;
}

TEST(storage_routes_survives_each_failing_allocation) {
  hd_test_each_allocation_failure(put_and_pin);
}
