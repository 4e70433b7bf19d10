#include "holepunch/punch_secret.h"

#include "punch_parts.h"
#include "test.h"

static const uint8_t key[HD_BOX_KEY_SIZE] = {7};

TEST(punch_secret_opens_what_the_other_side_sealed) {
  hd_entropy entropy = punch_entropy(1);
  hd_punch_secret here, there;
  hd_punch_secret_init(&here, key, &entropy);
  hd_punch_secret_init(&there, key, &entropy);
  const hd_address own[HD_PUNCH_ADDRESSES_LIMIT] = {punch_address(1, 1), punch_address(2, 2), punch_address(3, 3),
                                                    punch_address(4, 4)};
  uint8_t token[HDHT_TOKEN_SIZE] = {1};
  /* The largest there is. */
  const hd_messages_holepunch_payload payload = {.nat = 2,
                                                 .round = ((uint64_t)1 << 53) - 1,
                                                 .is_punching = true,
                                                 .has_addresses = true,
                                                 .addresses = {.array = own, .count = 4},
                                                 .remote_address = punch_address(9, 9),
                                                 .token = token,
                                                 .remote_token = token};
  hd_punch_message message;
  hd_punch_secret_seal(&here, &entropy, &payload, &message);
  CHECK(message.size <= HD_PUNCH_MESSAGE_SIZE_MAX);

  uint8_t plaintext[HD_PUNCH_RECEIVE_SIZE_MAX];
  hd_messages_holepunch_payload read;
  REQUIRE(hd_punch_secret_open(&there, hd_bytes_of(message.bytes, message.size), plaintext, &read) == HDHT_OK);
  CHECK(read.is_punching);
  CHECK_UINT(4, read.addresses.count);
  CHECK_BYTES(token, read.token, sizeof token);
  message.bytes[message.size - 1] ^= 1;
  CHECK_INT(HDHT_ERR_DECRYPTION,
            hd_punch_secret_open(&there, hd_bytes_of(message.bytes, message.size), plaintext, &read));
}

TEST(punch_secret_refuses_messages_beyond_its_limit) {
  hd_entropy entropy = punch_entropy(1);
  hd_punch_secret secret;
  hd_punch_secret_init(&secret, key, &entropy);
  static uint8_t large[HD_PUNCH_RECEIVE_SIZE_MAX + HD_MESSAGES_HOLEPUNCH_OVERHEAD + 1];
  uint8_t plaintext[HD_PUNCH_RECEIVE_SIZE_MAX];
  hd_messages_holepunch_payload read;
  CHECK_INT(HDHT_ERR_BUFFER_TOO_SMALL,
            hd_punch_secret_open(&secret, hd_bytes_of(large, sizeof large), plaintext, &read));
  CHECK_INT(HDHT_ERR_DECRYPTION, hd_punch_secret_open(&secret, hd_bytes_of(large, sizeof large - 1), plaintext, &read));
}

TEST(punch_secret_proves_a_host_whatever_its_port_by_the_token_made_for_it) {
  hd_entropy entropy = punch_entropy(1);
  hd_punch_secret here, there;
  hd_punch_secret_init(&here, key, &entropy);
  hd_punch_secret_init(&there, key, &entropy);
  const hd_address host = punch_address(1, 1000), same = punch_address(1, 2000), other = punch_address(2, 1000);
  const hd_address none = {0};
  uint8_t token[HDHT_TOKEN_SIZE];
  hd_punch_secret_token(&here, &host, token);
  CHECK(hd_punch_secret_proves(&here, &same, token));
  CHECK(!hd_punch_secret_proves(&here, &other, token));
  CHECK(!hd_punch_secret_proves(&there, &host, token));
  CHECK(!hd_punch_secret_proves(&here, &host, NULL));
  CHECK(!hd_punch_secret_proves(&here, &none, token));
}
