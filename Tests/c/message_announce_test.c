#include "messages/message_announce.h"

#include <string.h>

#include "base/address.h"
#include "codec/compact_uint.h"
#include "test.h"

static const uint8_t target[32] = {1}, node_id[32] = {2}, token[32] = {3};

static hd_messages_announce_scope scope_of(const uint8_t *name_space) {
  return (hd_messages_announce_scope){.name_space = name_space, .target = target, .node_id = node_id, .token = token};
}

static hd_key_pair key_pair_of(uint8_t fill) {
  uint8_t seed[HD_SEED_SIZE];
  memset(seed, fill, sizeof seed);
  hd_key_pair key_pair;
  hd_key_pair_from_seed(&key_pair, seed);
  return key_pair;
}

TEST(signed_announcement_matches_the_worked_example) {
  const hd_key_pair key_pair = key_pair_of(0x11);
  uint8_t topic[32], id[32], given_token[32], signable[64], signature[64], expected[64];
  hd_test_hex("d3bd75fcd7676504671ee75f95e1ed7ada6d168d1b852956568e1a32ce6a7886", topic, sizeof topic);
  hd_test_hex("8b7a57c0a324d145fdd3d1cc5c08db7060066d58013ce191287846bec0c3e307", id, sizeof id);
  hd_test_hex("68f9b20738673f0f47a29cbebc3d0be59aafb5a6c517f55cc85c4e0e153d97fc", given_token, sizeof given_token);
  const hd_messages_announce_scope scope = {
      .name_space = hd_namespace_announce, .target = topic, .node_id = id, .token = given_token};
  const hdht_peer peer = {.public_key = key_pair.public_key};
  REQUIRE(hd_messages_announce_signable(&scope, &peer, NULL, signable) == HDHT_OK);
  hd_test_hex(
      "36386adddf9f6fd60db83a6f42fc159d1146aa8644037664230aaa1f0179d497"
      "ee24f8d4dc862ec759cff7a070d2607e8bd0b3e954834f024ef1bde941476a10",
      expected, sizeof expected);
  CHECK_BYTES(expected, signable, sizeof signable);
  REQUIRE(hd_messages_sign_announce(&scope, &peer, NULL, key_pair.secret_key, signature) == HDHT_OK);
  hd_test_hex(
      "289ebfdac9efa77791621872a3494d78d0452b4e8215b47b690a247da0c16eba"
      "42eae03a989906dede336e501ae4dbaabdd2f6f7cac5ef6b08b9d60a646d6e0e",
      expected, sizeof expected);
  CHECK_BYTES(expected, signature, sizeof signature);
}

TEST(signature_covers_everything_but_the_bump) {
  const hd_key_pair key_pair = key_pair_of(0x22), other_pair = key_pair_of(0x23);
  const hd_address relays[2] = {hd_address_ipv4(1, 2, 3, 4, 5), hd_address_ipv4(1, 2, 3, 4, 6)};
  const uint8_t refresh[32] = {4}, other[32] = {5};
  uint8_t signature[64];
  const hd_messages_announce_scope scope = scope_of(hd_namespace_announce);
  const hd_messages_announce good = {
      .has_peer = true,
      .peer = {.public_key = key_pair.public_key, .relay_addresses = {.array = relays, .count = 1}},
      .refresh = refresh,
      .signature = signature};
  REQUIRE(hd_messages_sign_announce(&scope, &good.peer, refresh, key_pair.secret_key, signature) == HDHT_OK);
  CHECK_INT(HDHT_OK, hd_messages_verify_announce(&scope, &good));

  hd_messages_announce changed = good;
  changed.bump = 1;
  CHECK_INT(HDHT_OK, hd_messages_verify_announce(&scope, &changed));

  changed.peer.public_key = other_pair.public_key;
  CHECK_INT(HDHT_ERR_BAD_SIGNATURE, hd_messages_verify_announce(&scope, &changed));
  changed = good;
  changed.peer.relay_addresses.array = relays + 1;
  CHECK_INT(HDHT_ERR_BAD_SIGNATURE, hd_messages_verify_announce(&scope, &changed));
  changed = good;
  changed.refresh = NULL;
  CHECK_INT(HDHT_ERR_BAD_SIGNATURE, hd_messages_verify_announce(&scope, &changed));

  hd_messages_announce_scope elsewhere = scope_of(hd_namespace_unannounce);
  CHECK_INT(HDHT_ERR_BAD_SIGNATURE, hd_messages_verify_announce(&elsewhere, &good));
  elsewhere = scope;
  elsewhere.target = other;
  CHECK_INT(HDHT_ERR_BAD_SIGNATURE, hd_messages_verify_announce(&elsewhere, &good));
  elsewhere = scope;
  elsewhere.node_id = other;
  CHECK_INT(HDHT_ERR_BAD_SIGNATURE, hd_messages_verify_announce(&elsewhere, &good));
  elsewhere = scope;
  elsewhere.token = other;
  CHECK_INT(HDHT_ERR_BAD_SIGNATURE, hd_messages_verify_announce(&elsewhere, &good));
}

TEST(announcement_without_peer_or_signature_does_not_verify) {
  const hd_key_pair key_pair = key_pair_of(0x22);
  const hd_messages_announce_scope scope = scope_of(hd_namespace_announce);
  const hd_messages_announce unsigned_one = {.has_peer = true, .peer = {.public_key = key_pair.public_key}};
  const hd_messages_announce nobody = {.refresh = target, .signature = key_pair.secret_key};
  CHECK_INT(HDHT_ERR_BAD_SIGNATURE, hd_messages_verify_announce(&scope, &unsigned_one));
  CHECK_INT(HDHT_ERR_BAD_SIGNATURE, hd_messages_verify_announce(&scope, &nobody));
}

/* The reference encodes the record again before it hashes it, so the form in which the count came does not matter. */
TEST(record_is_signed_in_its_shortest_form) {
  const hd_key_pair key_pair = key_pair_of(0x22);
  const hd_messages_announce_scope scope = scope_of(hd_namespace_announce);
  const hdht_peer peer = {.public_key = key_pair.public_key};
  uint8_t bytes[128] = {5}, *at = bytes + 1;
  memcpy(at, key_pair.public_key, 32);
  at += 32;
  at += hd_test_hex("fd0000", at, 3);
  REQUIRE(hd_messages_sign_announce(&scope, &peer, NULL, key_pair.secret_key, at) == HDHT_OK);
  hd_reader reader = hd_reader_of(hd_bytes_of(bytes, 1 + 32 + 3 + 64));
  hd_messages_announce found;
  REQUIRE(hd_messages_read_announce(&reader, &found) == HDHT_OK);
  CHECK_INT(HDHT_OK, hd_messages_verify_announce(&scope, &found));
}

TEST(record_that_cannot_be_written_cannot_be_signed) {
  const hd_messages_announce_scope scope = scope_of(hd_namespace_announce);
  const hd_address none = {0};
  const hdht_peer nobody = {0};
  const hdht_peer nowhere = {.public_key = target, .relay_addresses = {.array = &none, .count = 1}};
  uint8_t signable[64];
  CHECK_INT(HDHT_ERR_INVALID_ARGUMENT, hd_messages_announce_signable(&scope, &nobody, NULL, signable));
  CHECK_INT(HDHT_ERR_INVALID_ARGUMENT, hd_messages_announce_signable(&scope, &nowhere, NULL, signable));
}

TEST(bump_0_takes_no_bytes) {
  hd_messages_announce announce = {.refresh = target};
  size_t size;
  REQUIRE(hd_messages_announce_size(&announce, &size) == HDHT_OK);
  CHECK_UINT(33, size);
  announce.bump = 1;
  REQUIRE(hd_messages_announce_size(&announce, &size) == HDHT_OK);
  CHECK_UINT(34, size);
  announce.bump = HD_CODEC_SAFE_INTEGER_MAX + 1;
  CHECK_INT(HDHT_ERR_INVALID_ARGUMENT, hd_messages_announce_size(&announce, &size));
}

TEST(lookup_reply_of_an_older_node_has_bump_0) {
  uint8_t bytes[40] = {0};
  bytes[0] = 1;
  bytes[34] = 7; /* one peer of 33 bytes, then the bump */
  hd_messages_lookup_reply reply;
  hd_reader reader = hd_reader_of(hd_bytes_of(bytes, 34));
  REQUIRE(hd_messages_read_lookup_reply(&reader, &reply) == HDHT_OK);
  CHECK_UINT(0, reply.bump);
  reader = hd_reader_of(hd_bytes_of(bytes, 35));
  REQUIRE(hd_messages_read_lookup_reply(&reader, &reply) == HDHT_OK);
  CHECK_UINT(7, reply.bump);
  bytes[34] = 0xfd; /* announces two bytes that are not there */
  reader = hd_reader_of(hd_bytes_of(bytes, 35));
  CHECK_INT(HDHT_ERR_TRUNCATED, hd_messages_read_lookup_reply(&reader, &reply));
  CHECK(reader.next == bytes);
}

TEST(lookup_reply_lends_records_that_can_be_given_on) {
  const hd_address relay = hd_address_ipv4(1, 2, 3, 4, 5);
  const hdht_peer peers[2] = {{.public_key = target},
                              {.public_key = node_id, .relay_addresses = {.array = &relay, .count = 1}}};
  const hd_messages_lookup_reply given = {.peers = {.array = peers, .count = 2}, .bump = 1700000000000};
  uint8_t bytes[128], again[128];
  hd_writer writer = hd_writer_of(bytes, sizeof bytes), writer_again = hd_writer_of(again, sizeof again);
  REQUIRE(hd_messages_write_lookup_reply(&writer, &given) == HDHT_OK);
  const size_t size = (size_t)(writer.next - bytes);
  hd_messages_lookup_reply found;
  hd_reader reader = hd_reader_of(hd_bytes_of(bytes, size));
  REQUIRE(hd_messages_read_lookup_reply(&reader, &found) == HDHT_OK);
  REQUIRE(hd_messages_write_lookup_reply(&writer_again, &found) == HDHT_OK);
  CHECK_UINT(size, writer_again.next - again);
  CHECK_BYTES(bytes, again, size);
}
