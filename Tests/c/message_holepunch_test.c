#include "messages/message_holepunch.h"

#include <string.h>

#include "test.h"

static const uint8_t secret[HD_BOX_KEY_SIZE] = {7}, nonce[HD_BOX_NONCE_SIZE] = {9};

TEST(holepunch_address_is_present_only_with_its_flag) {
  uint8_t bytes[16];
  const size_t size = hd_test_hex("01 02 00 02aabb c633644d419c", bytes, sizeof bytes);
  hd_messages_holepunch holepunch;
  hd_reader reader = hd_reader_of(hd_bytes_of(bytes, size));
  REQUIRE(hd_messages_read_holepunch(&reader, &holepunch) == HDHT_OK);
  CHECK_UINT(40001, holepunch.peer_address.port);

  reader = hd_reader_of(hd_bytes_of(bytes, size - 1));
  CHECK_INT(HDHT_ERR_TRUNCATED, hd_messages_read_holepunch(&reader, &holepunch));
  bytes[0] = 0;
  CHECK_INT(HDHT_OK, hd_messages_read_holepunch(&reader, &holepunch));
  CHECK(hd_address_is_none(&holepunch.peer_address));
}

TEST(payload_of_a_punch_round_matches_the_worked_example) {
  const hd_address addresses[2] = {hd_address_ipv4(198, 51, 100, 9, 51111), hd_address_ipv4(198, 51, 100, 9, 51112)};
  uint8_t token[32] = {1}, remote_token[32] = {2}, bytes[128], expected[128];
  const hd_messages_holepunch_payload payload = {.nat = HD_MESSAGES_NAT_CONSISTENT,
                                                 .round = 1,
                                                 .is_punching = true,
                                                 .has_addresses = true,
                                                 .addresses = {.array = addresses, .count = 2},
                                                 .token = token,
                                                 .remote_token = remote_token};
  hd_writer writer = hd_writer_of(bytes, sizeof bytes);
  REQUIRE(hd_messages_write_holepunch_payload(&writer, &payload) == HDHT_OK);
  CHECK_UINT(17 + 64, writer.next - bytes);
  CHECK_UINT(17, hd_test_hex("36 00 02 01 02 c6336409a7c7 c6336409a8c7", expected, sizeof expected));
  CHECK_BYTES(expected, bytes, 17);
  CHECK_BYTES(token, bytes + 17, 32);
  CHECK_BYTES(remote_token, bytes + 49, 32);
}

TEST(sealed_payload_opens_with_the_same_secret_only) {
  const hd_messages_holepunch_payload payload = {.error = HD_MESSAGES_ERROR_TRY_LATER, .round = 300};
  uint8_t sealed[64], plaintext[64];
  hd_writer writer = hd_writer_of(sealed, sizeof sealed);
  REQUIRE(hd_messages_seal_holepunch_payload(&writer, &payload, secret, nonce) == HDHT_OK);
  const size_t size = (size_t)(writer.next - sealed);
  CHECK_UINT(HD_MESSAGES_HOLEPUNCH_OVERHEAD + 6, size);
  CHECK_BYTES(nonce, sealed, sizeof nonce);

  hd_messages_holepunch_payload found = {.error = 9};
  REQUIRE(hd_messages_open_holepunch_payload(hd_bytes_of(sealed, size), secret, plaintext, 6, &found) == HDHT_OK);
  CHECK_UINT(HD_MESSAGES_ERROR_TRY_LATER, found.error);
  CHECK_UINT(300, found.round);

  uint8_t other[HD_BOX_KEY_SIZE] = {8};
  found.error = 9;
  CHECK_INT(HDHT_ERR_DECRYPTION,
            hd_messages_open_holepunch_payload(hd_bytes_of(sealed, size), other, plaintext, 6, &found));
  CHECK_INT(HDHT_ERR_BUFFER_TOO_SMALL,
            hd_messages_open_holepunch_payload(hd_bytes_of(sealed, size), secret, plaintext, 5, &found));
  CHECK_UINT(9, found.error);
}

TEST(sealed_payload_holds_at_least_one_byte) {
  uint8_t sealed[HD_MESSAGES_HOLEPUNCH_OVERHEAD + 1], plaintext[1];
  hd_messages_holepunch_payload found;
  hd_box_seal(secret, nonce, (hd_bytes){0}, sealed + HD_BOX_NONCE_SIZE);
  memcpy(sealed, nonce, sizeof nonce);
  for (size_t size = 0; size <= HD_MESSAGES_HOLEPUNCH_OVERHEAD; size++) {
    CHECK_INT(HDHT_ERR_DECRYPTION,
              hd_messages_open_holepunch_payload(hd_bytes_of(sealed, size), secret, plaintext, 1, &found));
  }
  /* One byte decrypts, and is then too short to be a payload. */
  hd_box_seal(secret, nonce, hd_bytes_of("", 1), sealed + HD_BOX_NONCE_SIZE);
  CHECK_INT(HDHT_ERR_TRUNCATED,
            hd_messages_open_holepunch_payload(hd_bytes_of(sealed, sizeof sealed), secret, plaintext, 1, &found));
}

TEST(payload_that_cannot_be_written_is_not_sealed) {
  const hd_messages_holepunch_payload payload = {.remote_address = {.family = HDHT_FAMILY_IPV6}};
  uint8_t sealed[64];
  hd_writer writer = hd_writer_of(sealed, sizeof sealed);
  CHECK_INT(HDHT_ERR_INVALID_ARGUMENT, hd_messages_seal_holepunch_payload(&writer, &payload, secret, nonce));
  CHECK(writer.next == sealed);
}

TEST(holepunch_secret_is_derived_from_the_handshake_hash) {
  uint8_t hash[HDHT_HANDSHAKE_HASH_SIZE], derived[HD_BOX_KEY_SIZE], expected[HD_BOX_KEY_SIZE];
  hd_test_hex(
      "6042b819361440b226543a90f951f46cc1f753119337bc4d2b1bba04c2e512ed"
      "095dbd652b5fa399f230c1df00dd6ccfd9a5e25f87a7a9c58866180c205fd4d2",
      hash, sizeof hash);
  hd_test_hex("e71b588d91d2ca8fc9259568448c1bfc22ecae559890a34445e4b66310a58ad6", expected, sizeof expected);
  hd_messages_holepunch_secret(hash, derived);
  CHECK_BYTES(expected, derived, sizeof derived);
}
