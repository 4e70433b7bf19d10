#include "base/address_range.h"

#include "base/address_text.h"
#include "test.h"

static hd_address host(const char *text) {
  hd_address address = {0};
  CHECK_INT(HDHT_OK, hd_address_parse_host(text, &address));
  return address;
}

static void check_kind(const char *text, bool is_private, bool is_reserved) {
  const hd_address address = host(text);
  if (hd_address_is_private(&address) != is_private) hd_test_fail(__FILE__, __LINE__, "private: %s", text);
  if (hd_address_is_reserved(&address) != is_reserved) hd_test_fail(__FILE__, __LINE__, "reserved: %s", text);
  if (hd_address_is_public(&address) != (!is_private && !is_reserved)) {
    hd_test_fail(__FILE__, __LINE__, "public: %s", text);
  }
}

TEST(address_ranges_are_private_from_their_first_to_their_last_address) {
  static const char *const firsts_and_lasts[] = {
      "10.0.0.0",    "10.255.255.255",  "100.64.0.0", "100.127.255.255", "127.0.0.0",   "127.255.255.255",
      "169.254.0.0", "169.254.255.255", "172.16.0.0", "172.31.255.255",  "192.168.0.0", "192.168.255.255",
      "::1",         "fe80::1",         "febf::1",    "fc00::",          "fdff::1"};
  static const char *const neighbours[] = {"9.255.255.255",
                                           "11.0.0.0",
                                           "100.63.255.255",
                                           "100.128.0.0",
                                           "126.255.255.255",
                                           "128.0.0.0",
                                           "169.253.255.255",
                                           "169.255.0.0",
                                           "172.15.255.255",
                                           "172.32.0.0",
                                           "192.167.255.255",
                                           "192.169.0.0",
                                           "::2",
                                           "fe7f::1",
                                           "fec0::1",
                                           "fbff::1"};
  for (size_t i = 0; i < sizeof firsts_and_lasts / sizeof firsts_and_lasts[0]; i++) {
    check_kind(firsts_and_lasts[i], true, false);
  }
  for (size_t i = 0; i < sizeof neighbours / sizeof neighbours[0]; i++) check_kind(neighbours[i], false, false);
}

TEST(address_ranges_are_reserved_from_their_first_to_their_last_address) {
  static const char *const firsts_and_lasts[] = {"0.0.0.0",      "0.255.255.255",   "192.0.0.0",   "192.0.0.255",
                                                 "192.0.2.0",    "192.0.2.255",     "198.18.0.0",  "198.19.255.255",
                                                 "198.51.100.0", "198.51.100.255",  "203.0.113.0", "203.0.113.255",
                                                 "224.0.0.0",    "239.255.255.255", "240.0.0.0",   "255.255.255.255",
                                                 "::",           "2001:db8::1",     "ff02::1"};
  static const char *const neighbours[] = {"1.0.0.0",      "191.255.255.255", "192.0.1.0",   "192.0.1.255",
                                           "192.0.3.0",    "198.17.255.255",  "198.20.0.0",  "198.51.99.255",
                                           "198.51.101.0", "203.0.112.255",   "203.0.114.0", "223.255.255.255",
                                           "2001:db9::1",  "2600::1"};
  for (size_t i = 0; i < sizeof firsts_and_lasts / sizeof firsts_and_lasts[0]; i++) {
    check_kind(firsts_and_lasts[i], false, true);
  }
  for (size_t i = 0; i < sizeof neighbours / sizeof neighbours[0]; i++) check_kind(neighbours[i], false, false);
}

TEST(no_address_is_neither_private_nor_reserved_nor_public) {
  const hd_address none = {0};
  CHECK(!hd_address_is_private(&none));
  CHECK(!hd_address_is_reserved(&none));
  CHECK(!hd_address_is_public(&none));
}

TEST(addresses_are_of_one_network_by_their_first_16_or_32_bits) {
  const hd_address a = host("8.8.1.1"), b = host("8.8.255.255"), c = host("8.9.1.1");
  const hd_address d = host("2600:1::1"), e = host("2600:1:ffff::2"), f = host("2600:2::1");
  CHECK(hd_address_same_network(&a, &b));
  CHECK(!hd_address_same_network(&a, &c));
  CHECK(hd_address_same_network(&d, &e));
  CHECK(!hd_address_same_network(&d, &f));
  CHECK(!hd_address_same_network(&a, &d));
}
