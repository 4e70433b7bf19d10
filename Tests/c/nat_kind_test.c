#include "nat/nat_kind.h"

#include "test.h"

static bool report(hd_nat_analysis *analysis, uint16_t port, uint8_t helper_number) {
  const hd_address reported = hd_address_ipv4(5, 5, 5, 5, port), helper = hd_address_ipv4(9, 9, 9, helper_number, 1);
  return hd_nat_analysis_add(analysis, &reported, &helper);
}

TEST(nat_kind_is_consistent_when_three_helpers_agree) {
  hd_nat_analysis analysis;
  hd_nat_analysis_init(&analysis, false);
  CHECK(report(&analysis, 7, 1));
  CHECK(report(&analysis, 7, 2));
  CHECK_INT(HD_NAT_UNKNOWN, analysis.kind);
  CHECK(report(&analysis, 7, 3));
  CHECK_INT(HD_NAT_CONSISTENT, analysis.kind);
}

TEST(nat_kind_is_random_when_three_helpers_see_three_ports) {
  hd_nat_analysis analysis;
  hd_nat_analysis_init(&analysis, false);
  for (uint8_t i = 1; i <= 3; i++) CHECK(report(&analysis, i, i));
  CHECK_INT(HD_NAT_RANDOM, analysis.kind);
  hd_nat_seen_address addresses[4];
  REQUIRE(hd_nat_analysis_addresses(&analysis, addresses, 4) == 1);
  CHECK_UINT(0, addresses[0].address.port);
  CHECK_UINT(0, hd_nat_analysis_addresses(&analysis, addresses, 0));
}

TEST(nat_kind_hears_a_helper_once) {
  hd_nat_analysis analysis;
  hd_nat_analysis_init(&analysis, false);
  CHECK(report(&analysis, 7, 1));
  CHECK(!report(&analysis, 8, 1));
  CHECK_UINT(1, analysis.reports_count);
}

TEST(nat_kind_of_an_open_node_stays_open) {
  hd_nat_analysis analysis;
  hd_nat_analysis_init(&analysis, true);
  for (uint8_t i = 1; i <= 5; i++) CHECK(report(&analysis, i, i));
  CHECK_INT(HD_NAT_OPEN, analysis.kind);
  CHECK(hd_nat_analysis_is_settled(&analysis, 100));
}

TEST(nat_kind_does_not_move_while_frozen) {
  hd_nat_analysis analysis;
  hd_nat_analysis_init(&analysis, false);
  hd_nat_analysis_freeze(&analysis);
  for (uint8_t i = 1; i <= 4; i++) CHECK(report(&analysis, 7, i));
  CHECK_INT(HD_NAT_UNKNOWN, analysis.kind);
  CHECK(hd_nat_analysis_is_settled(&analysis, 4));
  CHECK(!hd_nat_analysis_is_settled(&analysis, 5));
  hd_nat_analysis_unfreeze(&analysis);
  CHECK_INT(HD_NAT_CONSISTENT, analysis.kind);
}

TEST(nat_kind_takes_the_last_report_of_its_limit_and_no_more) {
  hd_nat_analysis analysis;
  hd_nat_analysis_init(&analysis, false);
  for (unsigned i = 0; i < HD_NAT_REPORTS_LIMIT; i++) CHECK(report(&analysis, (uint16_t)(100 + i), (uint8_t)i));
  CHECK(!report(&analysis, 7, 200));
  CHECK_INT(HD_NAT_RANDOM, analysis.kind);
}

TEST(nat_kind_publishes_two_addresses_of_a_consistent_nat_if_there_are_two) {
  hd_nat_analysis analysis;
  hd_nat_analysis_init(&analysis, false);
  for (uint8_t i = 1; i <= 3; i++) (void)report(&analysis, 7, i);
  hd_nat_seen_address addresses[4];
  CHECK_UINT(1, hd_nat_analysis_addresses(&analysis, addresses, 4));
  (void)report(&analysis, 8, 4);
  (void)report(&analysis, 9, 5);
  CHECK_UINT(2, hd_nat_analysis_addresses(&analysis, addresses, 4));
  CHECK_UINT(7, addresses[0].address.port);
  CHECK_UINT(8, addresses[1].address.port);
}
