#include "base/address.h"

#include "test.h"

TEST(an_ipv4_address_leaves_no_byte_undefined) {
  const hd_address address = hd_address_ipv4(10, 20, 30, 40, 0x1234);
  const hd_address expected = {.ip = {10, 20, 30, 40}, .port = 0x1234, .family = HDHT_FAMILY_IPV4};
  CHECK_BYTES(&expected, &address, sizeof address);
  CHECK_UINT(0, address.reserved);
}

TEST(zeros_are_no_address) {
  const hd_address none = {.family = HDHT_FAMILY_NONE};
  const hd_address any = hd_address_ipv4(0, 0, 0, 0, 0);
  CHECK(hd_address_is_none(&none));
  CHECK(!hd_address_is_none(&any));
}

TEST(addresses_are_equal_when_host_port_and_family_are) {
  const hd_address address = hd_address_ipv4(1, 2, 3, 4, 5);
  hd_address other = address;
  CHECK(hd_address_equal(&address, &other));
  other.port++;
  CHECK(!hd_address_equal(&address, &other));
  CHECK(hd_address_same_host(&address, &other));

  other = hd_address_ipv4(1, 2, 3, 5, 5);
  CHECK(!hd_address_equal(&address, &other));
  CHECK(!hd_address_same_host(&address, &other));

  other = address;
  other.family = HDHT_FAMILY_IPV6;
  CHECK(!hd_address_equal(&address, &other));
  CHECK(!hd_address_same_host(&address, &other));
}

TEST(ipv6_hosts_differ_in_their_last_byte_too) {
  hd_address a = {.ip = {0x20, 0x01, 0x0d, 0xb8, [15] = 1}, .port = 1, .family = HDHT_FAMILY_IPV6};
  hd_address b = a;
  CHECK(hd_address_same_host(&a, &b));
  b.ip[15] = 2;
  CHECK(!hd_address_same_host(&a, &b));
}
