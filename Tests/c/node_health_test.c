#include "node/node_health.h"

#include "test.h"

/* Ticks in which so many requests were answered and so many given up. */
static bool tick(hd_node_health *health, uint64_t answered, uint64_t given_up) {
  static uint64_t responses, timeouts;
  responses += answered;
  timeouts += given_up;
  return hd_node_health_tick(health, responses, timeouts);
}

TEST(node_health_is_good_until_shown_otherwise) {
  hd_node_health health = hd_node_health_fresh();
  for (unsigned i = 0; i < 3; i++) CHECK(!tick(&health, 0, 100)); /* too early to tell */
  CHECK(health.is_online);
  CHECK(tick(&health, 0, 100));
  CHECK(!health.is_online);
}

TEST(node_health_says_nothing_when_little_is_asked) {
  hd_node_health health = hd_node_health_fresh();
  for (unsigned i = 0; i < 10; i++) CHECK(!tick(&health, 0, 3));
  CHECK(health.is_online);
  CHECK(tick(&health, 0, 4));
  CHECK(!health.is_online);
}

TEST(node_health_is_degraded_after_four_bad_ticks_and_good_after_four_good_ones) {
  hd_node_health health = hd_node_health_fresh();
  for (unsigned i = 0; i < 4; i++) (void)tick(&health, 10, 0);
  for (unsigned i = 0; i < 3; i++) CHECK(!tick(&health, 4, 5));
  CHECK(tick(&health, 4, 5));
  CHECK(health.is_degraded && health.is_online);
  for (unsigned i = 0; i < 3; i++) CHECK(!tick(&health, 5, 5)); /* half is not bad */
  CHECK(tick(&health, 5, 5));
  CHECK(!health.is_degraded);
}

TEST(node_health_is_not_degraded_when_offline) {
  hd_node_health health = hd_node_health_fresh();
  for (unsigned i = 0; i < 8; i++) (void)tick(&health, 4, 5);
  CHECK(health.is_degraded);
  CHECK(tick(&health, 0, 5));
  CHECK(!health.is_online);
  CHECK(!health.is_degraded);
  CHECK(tick(&health, 5, 0));
  CHECK(health.is_online);
}
