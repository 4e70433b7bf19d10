#include "base/address_text.h"

#include "test.h"

/* Reads a host, gives it a port and writes both. */
static void check_format(const char *host, uint16_t port, const char *expected) {
  hd_address address;
  char text[HD_ADDRESS_TEXT_SIZE];
  REQUIRE(hd_address_parse_host(host, &address) == HDHT_OK);
  CHECK_UINT(0, address.port);
  address.port = port;
  CHECK_TEXT(expected, hd_address_format(&address, text));
}

TEST(ipv4_addresses_are_read_and_written) {
  check_format("0.0.0.0", 0, "0.0.0.0:0");
  check_format("1.2.3.4", 5, "1.2.3.4:5");
  check_format("255.255.255.255", 65535, "255.255.255.255:65535");
}

TEST(ipv6_addresses_are_written_in_their_shortest_form) {
  check_format("::", 0, "[::]:0");
  check_format("::1", 1, "[::1]:1");
  check_format("2001:DB8:0:0:0:0:0:1", 443, "[2001:db8::1]:443");
  check_format("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 65535, "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535");
}

TEST(a_mapped_ipv6_address_is_read_as_ipv4) {
  check_format("::ffff:1.2.3.4", 5, "1.2.3.4:5");
  check_format("::ffff:102:304", 5, "1.2.3.4:5");
  hd_address mapped;
  const hd_address ipv4 = hd_address_ipv4(1, 2, 3, 4, 0);
  REQUIRE(hd_address_parse_host("::ffff:1.2.3.4", &mapped) == HDHT_OK);
  CHECK(hd_address_equal(&ipv4, &mapped));
}

TEST(no_address_is_written_as_none) {
  const hd_address none = {.family = HDHT_FAMILY_NONE};
  char text[HD_ADDRESS_TEXT_SIZE];
  CHECK_TEXT("none", hd_address_format(&none, text));
}

TEST(anything_but_a_literal_address_is_rejected) {
  static const char *const texts[] = {"",         " ",         "1.2.3",     "1.2.3.4.5", "256.1.1.1",    "01.2.3.4",
                                      "1.2.3.4 ", "1.2.3.4:5", "localhost", ":",         "1::2::3",      "::1%lo",
                                      "[::1]",    "12345::",   "0x1.2.3.4", "-1.2.3.4",  "1:2:3:4:5:6:7"};
  for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
    hd_address address = hd_address_ipv4(9, 9, 9, 9, 9);
    const hd_address untouched = address;
    if (hd_address_parse_host(texts[i], &address) != HDHT_ERR_MALFORMED) {
      hd_test_fail(__FILE__, __LINE__, "accepted \"%s\"", texts[i]);
    }
    CHECK(hd_address_equal(&untouched, &address));
  }
}
