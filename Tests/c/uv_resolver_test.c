#include "driver_uv/uv_resolver.h"

#include <string.h>

#include "test.h"

TEST(a_bootstrap_entry_has_an_address_a_name_or_both) {
  hd_uv_resolver_entry entry;
  CHECK_INT(HDHT_OK, hd_uv_resolver_parse("node.example:49737", &entry));
  CHECK_TEXT("node.example", entry.host);
  CHECK_UINT(49737, entry.port);
  CHECK(hd_address_is_none(&entry.address));

  CHECK_INT(HDHT_OK, hd_uv_resolver_parse("1.2.3.4:1", &entry));
  CHECK_TEXT("", entry.host);
  hd_address expected = hd_address_ipv4(1, 2, 3, 4, 1);
  CHECK_BYTES(&expected, &entry.address, sizeof expected);

  CHECK_INT(HDHT_OK, hd_uv_resolver_parse("88.99.3.86@node1.hyperdht.org:65535", &entry));
  CHECK_TEXT("node1.hyperdht.org", entry.host);
  expected = hd_address_ipv4(88, 99, 3, 86, 65535);
  CHECK_BYTES(&expected, &entry.address, sizeof expected);

  CHECK_INT(HDHT_OK, hd_uv_resolver_parse("1.2.3.4@5.6.7.8:9", &entry)); /* the host is what counts */
  CHECK_TEXT("", entry.host);
  expected = hd_address_ipv4(5, 6, 7, 8, 9);
  CHECK_BYTES(&expected, &entry.address, sizeof expected);
}

TEST(a_bootstrap_name_may_be_as_long_as_names_are) {
  char text[HD_UV_BOOTSTRAP_LENGTH_MAX + 2];
  hd_uv_resolver_entry entry;
  memset(text, 'a', sizeof text);
  memcpy(text + HD_UV_HOST_NAME_SIZE - 1, ":1", 3);
  CHECK_INT(HDHT_OK, hd_uv_resolver_parse(text, &entry));
  CHECK_UINT(HD_UV_HOST_NAME_SIZE - 1, strlen(entry.host));
  memset(text, 'a', sizeof text);
  memcpy(text + HD_UV_HOST_NAME_SIZE, ":1", 3);
  CHECK_INT(HDHT_ERR_MALFORMED, hd_uv_resolver_parse(text, &entry));
}
