#include "messages/message_noise_payload.h"

#include "codec/compact_uint.h"

#include "test.h"

static int read_hex(const char *text, hd_messages_noise_payload *payload) {
  static uint8_t bytes[128];
  hd_reader reader = hd_reader_of(hd_bytes_of(bytes, hd_test_hex(text, bytes, sizeof bytes)));
  return hd_messages_read_noise_payload(&reader, payload);
}

static int write_payload(const hd_messages_noise_payload *payload, uint8_t *bytes, size_t capacity, size_t *size) {
  hd_writer writer = hd_writer_of(bytes, capacity);
  const int error = hd_messages_write_noise_payload(&writer, payload);
  *size = (size_t)(writer.next - bytes);
  return error;
}

TEST(of_another_version_only_the_version_is_read) {
  hd_messages_noise_payload payload;
  REQUIRE(read_hex("02 7f", &payload) == HDHT_OK);
  CHECK_UINT(2, payload.version);
  CHECK(!payload.has_udx && !payload.has_holepunch && !payload.has_relay_addresses);
  REQUIRE(read_hex("00", &payload) == HDHT_OK);
  CHECK_UINT(0, payload.version);
}

TEST(parts_of_other_versions_are_read_with_their_version) {
  hd_messages_noise_payload payload;
  REQUIRE(read_hex("01 18 00 00 02 03 05 07 09", &payload) == HDHT_OK);
  CHECK_UINT(2, payload.udx.version);
  CHECK(payload.udx.is_socket_reusable);
  CHECK_UINT(5, payload.udx.id);
  CHECK_UINT(7, payload.udx.seq);
  CHECK_UINT(9, payload.secret_stream_version);
}

TEST(version_1_is_written_whatever_was_read) {
  hd_messages_noise_payload payload;
  REQUIRE(read_hex("01 18 00 00 02 03 05 07 09", &payload) == HDHT_OK);
  uint8_t bytes[16], expected[16];
  size_t size;
  REQUIRE(write_payload(&payload, bytes, sizeof bytes, &size) == HDHT_OK);
  CHECK_UINT(hd_test_hex("01 18 00 00 01 01 05 07 01", expected, sizeof expected), size);
  CHECK_BYTES(expected, bytes, size);
}

TEST(a_stream_id_has_32_bits) {
  hd_messages_noise_payload payload;
  CHECK_INT(HDHT_OK, read_hex("01 08 00 00 01 00 feffffffff 00", &payload));
  CHECK_UINT(UINT32_MAX, payload.udx.id);
  CHECK_INT(HDHT_ERR_TOO_LARGE, read_hex("01 08 00 00 01 00 ff0000000001000000 00", &payload));
}

TEST(lists_are_bounded_by_the_limit_and_by_what_remains) {
  hd_messages_noise_payload payload = {.nat = 9};
  CHECK_INT(HDHT_ERR_TRUNCATED, read_hex("01 01 00 00 00 01 0102030405060102030405", &payload));
  CHECK_INT(HDHT_ERR_TRUNCATED, read_hex("01 04 00 00 01 0102030405060708090a0b0c0d0e0f1011", &payload));
  CHECK_INT(HDHT_ERR_TOO_LARGE, read_hex("01 01 00 00 00 fe01001000", &payload));
  CHECK_INT(HDHT_ERR_TOO_LARGE, read_hex("01 02 00 00 fe01001000", &payload));
  CHECK_INT(HDHT_ERR_TOO_LARGE, read_hex("01 04 00 00 fe01001000", &payload));
  CHECK_INT(HDHT_ERR_TOO_LARGE, read_hex("01 40 00 00 fe01001000", &payload));
  CHECK_UINT(9, payload.nat);
}

TEST(relays_are_walked_in_order_whether_read_or_given) {
  const hd_messages_relay relays[2] = {
      {.relay_address = hd_address_ipv4(1, 1, 1, 1, 11), .peer_address = hd_address_ipv4(2, 2, 2, 2, 22)},
      {.relay_address = hd_address_ipv4(3, 3, 3, 3, 33), .peer_address = hd_address_ipv4(4, 4, 4, 4, 44)},
  };
  const hd_messages_noise_payload given = {.has_holepunch = true, .holepunch_relays = {.array = relays, .count = 2}};
  uint8_t bytes[64], again[64];
  size_t size, size_again;
  REQUIRE(write_payload(&given, bytes, sizeof bytes, &size) == HDHT_OK);
  hd_messages_noise_payload found;
  hd_reader reader = hd_reader_of(hd_bytes_of(bytes, size));
  REQUIRE(hd_messages_read_noise_payload(&reader, &found) == HDHT_OK);
  REQUIRE(write_payload(&found, again, sizeof again, &size_again) == HDHT_OK);
  CHECK_UINT(size, size_again);
  CHECK_BYTES(bytes, again, size);

  hd_messages_relay relay;
  for (size_t i = 0; i < 2; i++) {
    REQUIRE(hd_messages_relay_list_next(&found.holepunch_relays, &relay));
    CHECK(hd_address_equal(&relays[i].relay_address, &relay.relay_address));
    CHECK(hd_address_equal(&relays[i].peer_address, &relay.peer_address));
  }
  CHECK(!hd_messages_relay_list_next(&found.holepunch_relays, &relay));
}

TEST(ipv4_addresses_travel_mapped_among_ipv6_ones) {
  const hd_address addresses[2] = {hd_address_ipv4(1, 2, 3, 4, 5), {.ip = {0x20, 1}, .port = 6, .family = 6}};
  const hd_messages_noise_payload given = {.addresses6 = {.array = addresses, .count = 2}};
  uint8_t bytes[64];
  size_t size;
  REQUIRE(write_payload(&given, bytes, sizeof bytes, &size) == HDHT_OK);
  CHECK_UINT(4 + 1 + 2 * 18, size);
  hd_messages_noise_payload found;
  hd_reader reader = hd_reader_of(hd_bytes_of(bytes, size));
  REQUIRE(hd_messages_read_noise_payload(&reader, &found) == HDHT_OK);
  for (size_t i = 0; i < 2; i++) {
    hd_address address;
    REQUIRE(hd_messages_ipv6_list_next(&found.addresses6, &address));
    CHECK(hd_address_equal(&addresses[i], &address));
  }
}

TEST(a_payload_that_cannot_be_written_is_refused_before_anything_is) {
  const hd_address none = {0};
  const hd_messages_relay nowhere = {.relay_address = hd_address_ipv4(1, 1, 1, 1, 11)};
  const hd_messages_noise_payload payloads[] = {
      {.has_relay_through = true},
      {.addresses4 = {.array = &none, .count = 1}},
      {.addresses6 = {.array = &none, .count = 1}},
      {.has_holepunch = true, .holepunch_relays = {.array = &nowhere, .count = 1}},
      {.error = HD_CODEC_SAFE_INTEGER_MAX + 1},
  };
  for (size_t i = 0; i < sizeof payloads / sizeof payloads[0]; i++) {
    uint8_t bytes[128];
    size_t size;
    CHECK_INT(HDHT_ERR_INVALID_ARGUMENT, write_payload(&payloads[i], bytes, sizeof bytes, &size));
    CHECK_UINT(0, size);
  }
  const hd_messages_noise_payload too_long = {.has_holepunch = true,
                                              .holepunch_relays = {.count = HDHT_LIST_LIMIT + 1}};
  uint8_t byte;
  size_t size;
  CHECK_INT(HDHT_ERR_TOO_LARGE, write_payload(&too_long, &byte, 1, &size));
}
