#include "messages/message_peer.h"

#include <string.h>

#include "base/address.h"
#include "test.h"

/* 118 bytes: one announcer with one relay address, found at a node that reveals its id. */
#define KEY   "1111111111111111111111111111111111111111111111111111111111111111"
#define TOKEN "5555555555555555555555555555555555555555555555555555555555555555"
#define ID    "6666666666666666666666666666666666666666666666666666666666666666"
static const char example[] = TOKEN "20" ID "7f000001f3b2 00 7f000001f1e6 01" KEY "01 01020304 5000";

static hd_reader reader_of_hex(const char *text, uint8_t *bytes, size_t capacity) {
  return hd_reader_of(hd_bytes_of(bytes, hd_test_hex(text, bytes, capacity)));
}

TEST(announcers_read_as_the_fields_that_were_written) {
  uint8_t bytes[256];
  hd_reader reader = reader_of_hex(example, bytes, sizeof bytes);
  hdht_announcers announcers;
  REQUIRE(hd_messages_read_announcers(&reader, &announcers) == HDHT_OK);
  CHECK_UINT(118, reader.next - bytes);
  CHECK(announcers.token == bytes);
  CHECK_UINT(32, announcers.from.id.size);
  CHECK_UINT(45811, announcers.from.address.port);
  CHECK_UINT(0, announcers.to.id.size);
  CHECK_UINT(59121, announcers.to.address.port);

  hdht_peer peer;
  REQUIRE(hdht_peer_list_next(&announcers.peers, &peer) == 1);
  CHECK_UINT(0x11, peer.public_key[31]);
  hdht_address address;
  REQUIRE(hdht_address_list_next(&peer.relay_addresses, &address) == 1);
  const hdht_address expected = hd_address_ipv4(1, 2, 3, 4, 80);
  CHECK(hd_address_equal(&expected, &address));
  CHECK_INT(0, hdht_address_list_next(&peer.relay_addresses, &address));
  CHECK_INT(0, hdht_peer_list_next(&announcers.peers, &peer));
}

TEST(announcers_cut_short_anywhere_are_refused_and_nothing_moves) {
  uint8_t bytes[256], output[256];
  hd_reader whole = reader_of_hex(example, bytes, sizeof bytes);
  const size_t size = hd_reader_remaining(&whole);
  hdht_announcers announcers;
  REQUIRE(hd_messages_read_announcers(&whole, &announcers) == HDHT_OK);
  for (size_t cut = 0; cut < size; cut++) {
    hd_reader reader = hd_reader_of(hd_bytes_of(bytes, cut));
    hdht_announcers untouched = {.token = output};
    CHECK_INT(HDHT_ERR_TRUNCATED, hd_messages_read_announcers(&reader, &untouched));
    CHECK(reader.next == bytes);
    CHECK(untouched.token == output);
    hd_writer writer = hd_writer_of(output, cut);
    CHECK_INT(HDHT_ERR_BUFFER_TOO_SMALL, hd_messages_write_announcers(&writer, &announcers));
    CHECK(writer.next == output);
  }
}

TEST(announcers_are_written_the_same_from_an_array_as_from_a_message) {
  uint8_t bytes[256], output[256];
  hd_reader reader = reader_of_hex(example, bytes, sizeof bytes);
  hdht_announcers announcers;
  REQUIRE(hd_messages_read_announcers(&reader, &announcers) == HDHT_OK);

  const hdht_address address = hd_address_ipv4(1, 2, 3, 4, 80);
  const hdht_peer peer = {.public_key = bytes + 79, .relay_addresses = {.array = &address, .count = 1}};
  hdht_announcers ours = announcers;
  ours.peers = (hdht_peer_list){.array = &peer, .count = 1};
  const hdht_announcers *const both[] = {&announcers, &ours};
  for (size_t i = 0; i < 2; i++) {
    size_t size = 0;
    CHECK_INT(HDHT_OK, hd_messages_announcers_size(both[i], &size));
    CHECK_UINT(118, size);
    hd_writer writer = hd_writer_of(output, size);
    REQUIRE(hd_messages_write_announcers(&writer, both[i]) == HDHT_OK);
    CHECK_UINT(118, writer.next - output);
    CHECK_BYTES(bytes, output, 118);
  }
}

TEST(an_address_count_in_a_long_form_is_accepted_and_written_in_the_shortest) {
  uint8_t bytes[64], output[64], expected[64];
  hd_reader reader = reader_of_hex(KEY "ff0100000000000000 01020304 5000", bytes, sizeof bytes);
  hdht_peer peer;
  REQUIRE(hd_messages_read_peer(&reader, &peer) == HDHT_OK);
  hd_writer writer = hd_writer_of(output, sizeof output);
  REQUIRE(hd_messages_write_peer(&writer, &peer) == HDHT_OK);
  CHECK_UINT(39, writer.next - output);
  hd_test_hex(KEY "01 01020304 5000", expected, sizeof expected);
  CHECK_BYTES(expected, output, 39);
}

TEST(a_list_one_element_longer_than_its_bytes_is_refused) {
  uint8_t bytes[128];
  hdht_address_list addresses;
  hd_reader reader = reader_of_hex("02 010203040500 06070809", bytes, sizeof bytes);
  CHECK_INT(HDHT_ERR_TRUNCATED, hd_messages_read_addresses(&reader, &addresses));
  hdht_peer_list peers;
  reader = reader_of_hex("02" KEY "00" KEY, bytes, sizeof bytes);
  CHECK_INT(HDHT_ERR_TRUNCATED, hd_messages_read_peers(&reader, &peers));
  CHECK(reader.next == bytes);
}

TEST(a_list_above_the_limit_is_too_large_both_ways) {
  uint8_t bytes[16];
  hdht_address_list addresses;
  hdht_peer_list peers;
  hd_reader reader = reader_of_hex("fe00001000", bytes, sizeof bytes);
  CHECK_INT(HDHT_ERR_TRUNCATED, hd_messages_read_addresses(&reader, &addresses));
  CHECK_INT(HDHT_ERR_TRUNCATED, hd_messages_read_peers(&reader, &peers));
  reader = reader_of_hex("fe01001000", bytes, sizeof bytes);
  CHECK_INT(HDHT_ERR_TOO_LARGE, hd_messages_read_addresses(&reader, &addresses));
  CHECK_INT(HDHT_ERR_TOO_LARGE, hd_messages_read_peers(&reader, &peers));

  size_t size = 7;
  hd_writer writer = hd_writer_of(bytes, sizeof bytes);
  addresses = (hdht_address_list){.count = HDHT_LIST_LIMIT + 1};
  peers = (hdht_peer_list){.count = HDHT_LIST_LIMIT + 1};
  CHECK_INT(HDHT_ERR_TOO_LARGE, hd_messages_addresses_size(&addresses, &size));
  CHECK_INT(HDHT_ERR_TOO_LARGE, hd_messages_write_addresses(&writer, &addresses));
  CHECK_INT(HDHT_ERR_TOO_LARGE, hd_messages_peers_size(&peers, &size));
  CHECK_INT(HDHT_ERR_TOO_LARGE, hd_messages_write_peers(&writer, &peers));
  CHECK_UINT(7, size);
  CHECK(writer.next == bytes);
}

TEST(records_that_cannot_be_written_are_refused) {
  uint8_t output[256];
  size_t size;
  hd_writer writer = hd_writer_of(output, sizeof output);
  const hdht_address ipv6 = {.family = HDHT_FAMILY_IPV6};
  const hdht_address_list lists[] = {
      {.array = &ipv6, .count = 1},
      {.count = 1},
      {.encoded = {.data = output, .size = 11}, .count = 2},
  };
  for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
    CHECK_INT(HDHT_ERR_INVALID_ARGUMENT, hd_messages_addresses_size(&lists[i], &size));
    CHECK_INT(HDHT_ERR_INVALID_ARGUMENT, hd_messages_write_addresses(&writer, &lists[i]));
  }
  const hdht_peer keyless = {0};
  CHECK_INT(HDHT_ERR_INVALID_ARGUMENT, hd_messages_peer_size(&keyless, &size));
  CHECK_INT(HDHT_ERR_INVALID_ARGUMENT, hd_messages_write_peer(&writer, &keyless));
  const hdht_peer_list peers = {.count = 1};
  CHECK_INT(HDHT_ERR_INVALID_ARGUMENT, hd_messages_peers_size(&peers, &size));
  CHECK_INT(HDHT_ERR_INVALID_ARGUMENT, hd_messages_write_peers(&writer, &peers));
  const hdht_contact nowhere = {0};
  CHECK_INT(HDHT_ERR_INVALID_ARGUMENT, hd_messages_contact_size(&nowhere, &size));
  CHECK_INT(HDHT_ERR_INVALID_ARGUMENT, hd_messages_write_contact(&writer, &nowhere));
  const hdht_announcers tokenless = {0};
  CHECK_INT(HDHT_ERR_INVALID_ARGUMENT, hd_messages_announcers_size(&tokenless, &size));
  CHECK_INT(HDHT_ERR_INVALID_ARGUMENT, hd_messages_write_announcers(&writer, &tokenless));
  CHECK(writer.next == output);
}
