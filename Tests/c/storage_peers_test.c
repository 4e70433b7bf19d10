#include "storage/storage_peers.h"

#include <string.h>

#include "test.h"

static const uint64_t seed[2] = {1, 2};
static const uint8_t topic[32] = {7};

static hd_time at(uint64_t seconds) {
  return (hd_time){seconds * 1000000};
}

static hd_storage_peer peer_of(unsigned number) {
  hd_storage_peer peer = {.public_key = {(uint8_t)(number >> 8), (uint8_t)number}};
  return peer;
}

typedef struct peers_fixture {
  hd_storage_peers peers;
  hd_random random;
} peers_fixture;

static void init(peers_fixture *fixture, const hdht_allocator *allocator, uint32_t limit) {
  fixture->random = hd_random_from_seed(1);
  hd_storage_peers_init(&fixture->peers, allocator, limit, HD_SECONDS(20 * 60), seed);
}

static int put(peers_fixture *fixture, const uint8_t *key, unsigned number, hd_time now) {
  const hd_storage_peer peer = peer_of(number);
  return hd_storage_peers_put(&fixture->peers, key, &peer, &fixture->random, now);
}

static unsigned draw(peers_fixture *fixture, const hd_storage_peer **drawn, unsigned limit, hd_time now) {
  return hd_storage_peers_draw(&fixture->peers, topic, &fixture->random, now, drawn, limit);
}

TEST(storage_peer_keeps_three_relays_of_a_record) {
  const hdht_address relays[4] = {{.ip = {1, 2, 3, 4}, .port = 0x1234, .family = HDHT_FAMILY_IPV4},
                                  {.ip = {5}, .port = 2, .family = HDHT_FAMILY_IPV4},
                                  {.ip = {6}, .port = 3, .family = HDHT_FAMILY_IPV4},
                                  {.ip = {7}, .port = 4, .family = HDHT_FAMILY_IPV4}};
  const uint8_t key[32] = {9};
  const hdht_peer announced = {.public_key = key, .relay_addresses = {.array = relays, .count = 4}};
  const hd_storage_peer stored = hd_storage_peer_of(&announced);
  CHECK_UINT(3, stored.relays_count);
  static const uint8_t first[6] = {1, 2, 3, 4, 0x34, 0x12};
  CHECK_BYTES(first, stored.relays, 6);

  hdht_peer view = hd_storage_peer_view(&stored);
  CHECK_BYTES(key, view.public_key, 32);
  hdht_address relay;
  for (unsigned i = 0; i < 3; i++) {
    REQUIRE(hdht_address_list_next(&view.relay_addresses, &relay) == 1);
    CHECK_BYTES(&relays[i], &relay, sizeof relay);
  }
  CHECK_INT(0, hdht_address_list_next(&view.relay_addresses, &relay));
}

TEST(storage_peers_draws_every_record_of_a_small_topic_once) {
  peers_fixture f;
  init(&f, hd_allocator_system(), 1000);
  for (unsigned i = 0; i < 20; i++) CHECK_INT(HDHT_OK, put(&f, topic, i, at(i < 10 ? 0 : 900)));
  const hd_storage_peer *drawn[21];
  REQUIRE(draw(&f, drawn, 21, at(900)) == 20);
  uint32_t seen = 0;
  for (unsigned i = 0; i < 20; i++) seen |= 1u << drawn[i]->public_key[1];
  CHECK_UINT((1u << 20) - 1, seen);
  hd_storage_peers_destroy(&f.peers);
}

TEST(storage_peers_draws_all_records_of_a_large_topic_equally_often) {
  peers_fixture f;
  init(&f, hd_allocator_system(), 1000);
  for (unsigned i = 0; i < 100; i++) CHECK_INT(HDHT_OK, put(&f, topic, i, at(0)));
  unsigned times[100] = {0};
  for (unsigned round = 0; round < 1000; round++) {
    const hd_storage_peer *drawn[20];
    REQUIRE(draw(&f, drawn, 20, at(0)) == 20);
    for (unsigned i = 0; i < 20; i++) {
      times[drawn[i]->public_key[1]]++;
      for (unsigned j = 0; j < i; j++) CHECK(drawn[i] != drawn[j]);
    }
  }
  for (unsigned i = 0; i < 100; i++) CHECK(times[i] > 140 && times[i] < 260);
  hd_storage_peers_destroy(&f.peers);
}

TEST(storage_peers_shows_new_relays_of_a_key_at_once) {
  peers_fixture f;
  init(&f, hd_allocator_system(), 1000);
  hd_storage_peer peer = peer_of(1);
  CHECK_INT(HDHT_OK, hd_storage_peers_put(&f.peers, topic, &peer, &f.random, at(0)));
  peer.relays_count = 2;
  CHECK_INT(HDHT_OK, hd_storage_peers_put(&f.peers, topic, &peer, &f.random, at(1)));
  const hd_storage_peer *drawn[2];
  REQUIRE(draw(&f, drawn, 2, at(1)) == 1);
  CHECK_UINT(2, drawn[0]->relays_count);
  hd_storage_peers_destroy(&f.peers);
}

TEST(storage_peers_forgets_by_age_and_keeps_what_was_announced_again) {
  peers_fixture f;
  init(&f, hd_allocator_system(), 1000);
  CHECK_INT(HDHT_OK, put(&f, topic, 1, at(0)));
  CHECK_INT(HDHT_OK, put(&f, topic, 2, at(0)));
  CHECK_INT(HDHT_OK, put(&f, topic, 2, at(801)));
  CHECK_UINT(2, hd_storage_peers_count(&f.peers));
  const hd_storage_peer *drawn[2];
  CHECK_UINT(2, draw(&f, drawn, 2, at(1599)));
  REQUIRE(draw(&f, drawn, 2, at(1600)) == 1);
  CHECK_UINT(2, drawn[0]->public_key[1]);
  CHECK_UINT(0, draw(&f, drawn, 2, at(4000)));
  hd_storage_peers_destroy(&f.peers);
}

TEST(storage_peers_removes_from_either_generation) {
  peers_fixture f;
  init(&f, hd_allocator_system(), 1000);
  CHECK_INT(HDHT_OK, put(&f, topic, 1, at(0)));
  CHECK_INT(HDHT_OK, put(&f, topic, 2, at(801)));
  for (unsigned number = 1; number <= 2; number++) {
    const hd_storage_peer peer = peer_of(number);
    CHECK(hd_storage_peers_remove(&f.peers, topic, peer.public_key, at(801)));
    CHECK(!hd_storage_peers_remove(&f.peers, topic, peer.public_key, at(801)));
  }
  CHECK_UINT(0, hd_storage_peers_count(&f.peers));
  CHECK_UINT(0, f.peers.newer_records_count);
  hd_storage_peers_destroy(&f.peers);
}

TEST(storage_peers_gives_one_topic_a_limited_number_of_records) {
  peers_fixture f;
  init(&f, hd_allocator_system(), 100000);
  for (unsigned i = 0; i < HD_STORAGE_TOPIC_PEERS_LIMIT + 50; i++) CHECK_INT(HDHT_OK, put(&f, topic, i, at(0)));
  CHECK_UINT(HD_STORAGE_TOPIC_PEERS_LIMIT, hd_storage_peers_count(&f.peers));
  CHECK_UINT(HD_STORAGE_TOPIC_PEERS_LIMIT, f.peers.newer_records_count);
  hd_storage_peers_destroy(&f.peers);
}

TEST(storage_peers_never_holds_more_than_two_full_generations) {
  peers_fixture f;
  init(&f, hd_allocator_system(), 10);
  for (unsigned i = 0; i < 100; i++) {
    const uint8_t key[32] = {(uint8_t)(i / 3)};
    CHECK_INT(HDHT_OK, put(&f, key, i, at(0)));
    CHECK(hd_storage_peers_count(&f.peers) <= 20);
  }
  hd_storage_peers_destroy(&f.peers);
}

static bool put_and_remove(const hdht_allocator *allocator) {
  peers_fixture f;
  init(&f, allocator, 20);
  unsigned stored = 0;
  for (unsigned i = 0; i < 60; i++) {
    const uint8_t key[32] = {(uint8_t)(i % 7)};
    stored += put(&f, key, i % 25, at(60 * i)) == HDHT_OK;
  }
  hd_storage_peers_destroy(&f.peers);
  return stored == 60;
}

TEST(storage_peers_survives_each_failing_allocation) {
  hd_test_each_allocation_failure(put_and_remove);
}
