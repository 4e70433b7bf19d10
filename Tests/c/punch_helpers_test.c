#include "holepunch/punch_helpers.h"

#include "punch_parts.h"
#include "test.h"

TEST(punch_helpers_skip_the_newest_when_many_are_known) {
  hd_address nodes[8], chosen[4];
  for (unsigned i = 0; i < 8; i++) nodes[i] = punch_address((uint8_t)i, 1);
  CHECK_UINT(3, hd_punch_helpers_choose(nodes, 8, NULL, 0, chosen, 3));
  CHECK(hd_address_equal(&nodes[5], &chosen[0]));
  CHECK_UINT(4, hd_punch_helpers_choose(nodes, 7, NULL, 0, chosen, 4));
  CHECK(hd_address_equal(&nodes[0], &chosen[0]));
}

TEST(punch_helpers_come_from_different_networks_first) {
  const hd_address nodes[] = {hd_address_ipv4(44, 1, 1, 1, 1), hd_address_ipv4(44, 1, 2, 1, 1),
                              hd_address_ipv4(44, 2, 1, 1, 1), hd_address_ipv4(44, 1, 1, 1, 2)};
  hd_address chosen[4];
  CHECK_UINT(4, hd_punch_helpers_choose(nodes, 4, NULL, 0, chosen, 4));
  CHECK(hd_address_equal(&nodes[2], &chosen[1]));
  CHECK(hd_address_equal(&nodes[1], &chosen[2]));
  CHECK(hd_address_equal(&nodes[3], &chosen[3])); /* the same host comes last */
}

TEST(punch_helpers_are_not_asked_twice) {
  hd_address nodes[4], chosen[4];
  for (unsigned i = 0; i < 4; i++) nodes[i] = punch_address((uint8_t)i, 1);
  CHECK_UINT(2, hd_punch_helpers_choose(nodes, 4, nodes, 2, chosen, 4));
  CHECK(hd_address_equal(&nodes[2], &chosen[0]));
  CHECK_UINT(0, hd_punch_helpers_choose(nodes, 4, nodes, 4, chosen, 4));
  CHECK_UINT(0, hd_punch_helpers_choose(NULL, 0, NULL, 0, chosen, 4));
}
