#include "announce/announce_sign.h"

#include <string.h>

#include "test.h"

static const uint8_t target[32] = {1}, node_id[32] = {2}, token[32] = {3}, key_seed[32] = {4};

static hd_announce_to_sign wish_for(hd_announce_purpose purpose, const hd_key_pair *keys) {
  return (hd_announce_to_sign){.purpose = purpose,
                               .target = target,
                               .node_id = node_id,
                               .token = token,
                               .peer = {.public_key = keys->public_key},
                               .seq = 5,
                               .value = hd_bytes_of("value", 5)};
}

TEST(announce_signature_is_what_the_storing_node_verifies) {
  hd_key_pair keys;
  hd_key_pair_from_seed(&keys, key_seed);
  static const hd_announce_purpose purposes[2] = {HD_ANNOUNCE_TO_ANNOUNCE, HD_ANNOUNCE_TO_UNANNOUNCE};
  const uint8_t *name_spaces[2] = {hd_namespace_announce, hd_namespace_unannounce};
  for (unsigned i = 0; i < 2; i++) {
    hd_announce_to_sign wish = wish_for(purposes[i], &keys);
    uint8_t signature[64], value[HD_ANNOUNCE_VALUE_SIZE_MAX];
    size_t size;
    CHECK_INT(HDHT_OK, hd_announce_prepare(&wish));
    hd_signature_sign(keys.secret_key, wish.signable, sizeof wish.signable, signature);
    REQUIRE(hd_announce_write(&wish, signature, 77, value, &size) == HDHT_OK);

    hd_messages_announce message;
    hd_reader reader = hd_reader_of(hd_bytes_of(value, size));
    REQUIRE(hd_messages_read_announce(&reader, &message) == HDHT_OK);
    CHECK_UINT(77, message.bump);
    for (unsigned other = 0; other < 2; other++) {
      const hd_messages_announce_scope scope = {
          .name_space = name_spaces[other], .target = target, .node_id = node_id, .token = token};
      CHECK_INT(other == i ? HDHT_OK : HDHT_ERR_BAD_SIGNATURE, hd_messages_verify_announce(&scope, &message));
    }
  }
}

TEST(announce_signature_of_a_value_is_that_of_a_mutable_record) {
  hd_key_pair keys;
  hd_key_pair_from_seed(&keys, key_seed);
  hd_announce_to_sign wish = wish_for(HD_ANNOUNCE_TO_STORE, &keys);
  uint8_t signature[64];
  CHECK_INT(HDHT_OK, hd_announce_prepare(&wish));
  hd_signature_sign(keys.secret_key, wish.signable, sizeof wish.signable, signature);
  CHECK_INT(HDHT_OK, hd_messages_verify_mutable(keys.public_key, 5, wish.value, signature));
}

TEST(announce_value_has_room_for_all_a_record_may_hold) {
  hd_key_pair keys;
  hd_key_pair_from_seed(&keys, key_seed);
  hd_announce_to_sign wish = wish_for(HD_ANNOUNCE_TO_ANNOUNCE, &keys);
  hd_address relays[3];
  for (uint8_t i = 0; i < 3; i++) relays[i] = hd_address_ipv4(1, 2, 3, i, 4);
  wish.peer.relay_addresses = (hdht_address_list){.array = relays, .count = 3};
  uint8_t signature[64] = {0}, value[HD_ANNOUNCE_VALUE_SIZE_MAX];
  size_t size = 0;
  CHECK_INT(HDHT_OK, hd_announce_prepare(&wish));
  CHECK_INT(HDHT_OK, hd_announce_write(&wish, signature, HD_CODEC_SAFE_INTEGER_MAX, value, &size));
  CHECK_UINT(1 + 32 + 1 + 18 + 64 + 9, size);
}

TEST(announce_largest_values_fit_a_request_that_is_not_fragmented) {
  static const uint8_t bytes[HD_ANNOUNCE_IMMUTABLE_SIZE_MAX] = {0}, signature[64] = {0};
  const hd_messages_mutable_put put = {.public_key = node_id,
                                       .seq = HD_CODEC_SAFE_INTEGER_MAX,
                                       .value = hd_bytes_of(bytes, HD_ANNOUNCE_MUTABLE_SIZE_MAX),
                                       .signature = signature};
  uint8_t value[HD_MESSAGES_RPC_SIZE_MAX];
  hd_writer writer = hd_writer_of(value, sizeof value);
  REQUIRE(hd_messages_write_mutable_put(&writer, &put) == HDHT_OK);
  const hd_bytes values[2] = {hd_bytes_of(value, (size_t)(writer.next - value)),
                              hd_bytes_of(bytes, HD_ANNOUNCE_IMMUTABLE_SIZE_MAX)};
  for (unsigned i = 0; i < 2; i++) {
    const hd_messages_request request = {.command = 6,
                                         .to = hd_address_ipv4(1, 2, 3, 4, 5),
                                         .id = node_id,
                                         .token = token,
                                         .target = target,
                                         .has_value = true,
                                         .value = values[i]};
    size_t size = 0;
    CHECK_INT(HDHT_OK, hd_messages_request_size(&request, &size));
    CHECK_UINT(HD_MESSAGES_RPC_SIZE_SAFE, size);
  }
}
