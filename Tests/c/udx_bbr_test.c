/* The controller alone, on a path made of arithmetic; with real packets it is tested in udx_transfer_test.c. */
#include "test.h"
#include "udx/udx_congestion.h"

#define PACKET 1500

/* A path of `rate` bytes per second and `rtt`: as long as the window fills it, each round trip delivers rate * rtt. */
typedef struct test_path {
  uint64_t rate;
  hd_duration rtt;
  double loss;
  hd_udx_congestion congestion;
  hd_time now;
  uint64_t delivered;
  uint64_t lowest_window;
} test_path;

static test_path make(uint64_t rate, hd_duration rtt) {
  test_path made = {.rate = rate, .rtt = rtt, .now = {1000000}, .lowest_window = UINT64_MAX};
  hd_udx_congestion_init(&made.congestion, PACKET, 3);
  return made;
}

static void round_trip(test_path *path) {
  const uint64_t window = hd_udx_congestion_window(&path->congestion);
  const uint64_t capacity = path->rate * path->rtt.us / 1000000;
  const uint64_t queue = window > capacity ? window - capacity : 0;
  const hd_duration rtt = {path->rtt.us + queue * 1000000 / path->rate};
  const uint64_t acked = (uint64_t)((double)window * (1 - path->loss));
  const uint64_t prior = path->delivered;
  path->now = hd_time_add(path->now, rtt);
  path->delivered += acked;
  const hd_udx_congestion_batch batch = {
      .now = path->now,
      .delivered = path->delivered,
      .prior_delivered = prior,
      .acked = acked,
      .lost = window - acked,
      .in_flight = 0,
      .prior_in_flight = window,
      .rate = acked * 1000000 / rtt.us,
      .rtt = rtt,
  };
  hd_udx_congestion_acked(&path->congestion, &batch);
  if (hd_udx_congestion_window(&path->congestion) < path->lowest_window) {
    path->lowest_window = hd_udx_congestion_window(&path->congestion);
  }
}

TEST(udx_bbr_finds_the_bandwidth_within_some_round_trips) {
  test_path path = make(50000000, HD_MILLISECONDS(40));
  for (int i = 0; i < 20; i++) round_trip(&path);
  const uint64_t found = hd_udx_congestion_bandwidth(&path.congestion);
  CHECK(found > 45000000 && found < 51000000);
  CHECK(hd_udx_congestion_window(&path.congestion) >= 2000000); /* the product */
  /* Twice the product, and as much again because here all acknowledgements of a round trip come in one clump. */
  CHECK(hd_udx_congestion_window(&path.congestion) <= 10000000);
}

TEST(udx_bbr_is_not_slowed_by_random_loss) {
  test_path path = make(50000000, HD_MILLISECONDS(40));
  path.loss = 0.02;
  for (int i = 0; i < 100; i++) round_trip(&path);
  CHECK(hd_udx_congestion_bandwidth(&path.congestion) > 45000000);
}

TEST(udx_bbr_lowers_the_flight_when_a_round_trip_loses_much) {
  test_path path = make(50000000, HD_MILLISECONDS(40));
  for (int i = 0; i < 20; i++) round_trip(&path);
  const uint64_t before = hd_udx_congestion_window(&path.congestion);
  path.loss = 0.4;
  for (int i = 0; i < 3; i++) round_trip(&path);
  CHECK(hd_udx_congestion_window(&path.congestion) < before);
}

TEST(udx_bbr_probes_the_round_trip_every_ten_seconds_and_comes_back) {
  test_path path = make(10000000, HD_MILLISECONDS(40));
  while (path.now.us < HD_SECONDS(9).us) round_trip(&path);
  const uint64_t usual = hd_udx_congestion_window(&path.congestion);
  path.lowest_window = UINT64_MAX;
  while (path.now.us < HD_SECONDS(14).us) round_trip(&path);
  CHECK(path.lowest_window <= 400000 / 2 + PACKET);
  CHECK(hd_udx_congestion_window(&path.congestion) > usual / 2);
}

TEST(udx_bbr_window_never_falls_below_four_packets) {
  test_path path = make(2000, HD_MILLISECONDS(10));
  for (int i = 0; i < 50; i++) round_trip(&path);
  CHECK(path.lowest_window >= 4 * PACKET);
  hd_udx_congestion_timed_out(&path.congestion, 0);
  CHECK_UINT(4 * PACKET, hd_udx_congestion_window(&path.congestion));
  CHECK(hd_udx_congestion_pacing_rate(&path.congestion) > 0);
}
