#include "nat/nat_sample.h"

#include "base/random.h"
#include "test.h"

static hd_address seen(uint8_t host, uint16_t port) {
  return hd_address_ipv4(5, 5, 5, host, port);
}

static void add(hd_nat_sampler *sampler, uint8_t host, uint16_t port) {
  const hd_address address = seen(host, port);
  (void)hd_nat_sampler_add(sampler, &address);
}

static void check_is(const hd_nat_sampler *sampler, hd_address expected) {
  const hd_address found = hd_nat_sampler_address(sampler);
  CHECK(hd_address_equal(&expected, &found));
}

TEST(nat_sampler_without_samples_knows_no_address) {
  hd_nat_sampler sampler;
  hd_nat_sampler_init(&sampler);
  check_is(&sampler, (hd_address){0});
}

TEST(nat_sampler_follows_the_agreement_of_host_and_ports) {
  static const uint16_t ports[] = {5, 5, 6, 5, 7, 8};
  static const uint16_t agreed[] = {5, 5, 0, 5, 0, 0};
  hd_nat_sampler sampler;
  hd_nat_sampler_init(&sampler);
  for (unsigned i = 0; i < 6; i++) {
    add(&sampler, 1, ports[i]);
    check_is(&sampler, seen(1, agreed[i]));
  }
}

TEST(nat_sampler_ignores_one_liar_after_three_honest_reports) {
  hd_nat_sampler sampler;
  hd_nat_sampler_init(&sampler);
  for (unsigned i = 0; i < 3; i++) add(&sampler, 1, 5);
  add(&sampler, 66, 6);
  check_is(&sampler, seen(1, 5));
  add(&sampler, 66, 6);
  check_is(&sampler, (hd_address){0});
}

TEST(nat_sampler_learns_a_new_address_when_the_window_has_moved_on) {
  hd_nat_sampler sampler;
  hd_nat_sampler_init(&sampler);
  for (unsigned i = 0; i < 40; i++) add(&sampler, 1, 5);
  for (unsigned i = 0; i < 12; i++) add(&sampler, 2, 5);
  check_is(&sampler, (hd_address){0});
  add(&sampler, 2, 5);
  check_is(&sampler, seen(2, 5));
}

TEST(nat_sampler_keeps_its_books_over_long_random_runs) {
  hd_random random = hd_random_from_seed(1);
  for (unsigned variety = 1; variety < 12; variety++) {
    hd_nat_sampler sampler;
    hd_nat_sampler_init(&sampler);
    for (unsigned i = 0; i < 500; i++) {
      add(&sampler, (uint8_t)hd_random_below(&random, variety), (uint16_t)hd_random_below(&random, variety));
      unsigned hits = 0;
      for (unsigned t = 0; t < sizeof sampler.tallies / sizeof sampler.tallies[0]; t++) hits += sampler.tallies[t].hits;
      CHECK_UINT(2 * sampler.samples_count, hits);
    }
  }
}
