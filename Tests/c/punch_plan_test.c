#include "holepunch/punch_plan.h"

#include "test.h"

static hd_punch_strategy strategy_of(unsigned local, unsigned remote) {
  return hd_punch_plan_of((hd_nat_kind)local, (hd_nat_kind)remote, true).strategy;
}

TEST(punch_plan_is_the_table_of_all_sixteen_pairs) {
  const hd_punch_strategy no = HD_PUNCH_REFUSED, consistent = HD_PUNCH_CONSISTENT, ports = HD_PUNCH_RANDOM_PORTS,
                          sockets = HD_PUNCH_MANY_SOCKETS;
  const hd_punch_strategy table[4][4] = {/* UNKNOWN, OPEN, CONSISTENT, RANDOM */
                                         {no, no, no, no},
                                         {no, consistent, consistent, ports},
                                         {no, consistent, consistent, ports},
                                         {no, sockets, sockets, no}};
  for (unsigned local = 0; local < 4; local++) {
    for (unsigned remote = 0; remote < 4; remote++) CHECK_INT(table[local][remote], strategy_of(local, remote));
  }
}

TEST(punch_plan_refuses_kinds_it_does_not_know) {
  CHECK_INT(HD_PUNCH_REFUSED, strategy_of(HD_NAT_CONSISTENT, 4));
  CHECK_INT(HD_PUNCH_REFUSED, strategy_of(77, HD_NAT_CONSISTENT));
}

TEST(punch_plan_lets_the_initiator_begin) {
  CHECK_UINT(0, hd_punch_plan_of(HD_NAT_CONSISTENT, HD_NAT_OPEN, true).first_delay.us);
  CHECK_UINT(1000000, hd_punch_plan_of(HD_NAT_CONSISTENT, HD_NAT_OPEN, false).first_delay.us);
}

TEST(punch_plan_of_random_nats_needs_a_verified_host) {
  CHECK(!hd_punch_plan_of(HD_NAT_CONSISTENT, HD_NAT_CONSISTENT, true).needs_verified_host);
  CHECK(hd_punch_plan_of(HD_NAT_CONSISTENT, HD_NAT_RANDOM, true).needs_verified_host);
  CHECK(hd_punch_plan_of(HD_NAT_RANDOM, HD_NAT_CONSISTENT, true).needs_verified_host);
  CHECK_UINT(256, hd_punch_plan_of(HD_NAT_RANDOM, HD_NAT_OPEN, true).sockets_count);
  CHECK_UINT(1, hd_punch_plan_of(HD_NAT_OPEN, HD_NAT_RANDOM, true).sockets_count);
}
