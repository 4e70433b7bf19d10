#include "messages/message_token.h"

#include "test.h"

static const hd_messages_token_secrets secrets = {.previous = {1}, .current = {2}};

TEST(token_is_the_keyed_hash_of_the_host_text) {
  uint8_t secret[HD_MESSAGES_TOKEN_SECRET_SIZE], token[HDHT_TOKEN_SIZE], expected[HDHT_TOKEN_SIZE];
  memset(secret, 0xa1, sizeof secret);
  const hd_address host = hd_address_ipv4(198, 51, 100, 9, 51000);
  hd_messages_token(secret, &host, token);
  hd_test_hex("68f9b20738673f0f47a29cbebc3d0be59aafb5a6c517f55cc85c4e0e153d97fc", expected, sizeof expected);
  CHECK_BYTES(expected, token, sizeof token);
}

TEST(token_covers_the_host_and_not_the_port) {
  const hd_address host = hd_address_ipv4(198, 51, 100, 9, 51000);
  const hd_address other_port = hd_address_ipv4(198, 51, 100, 9, 1);
  const hd_address other_host = hd_address_ipv4(198, 51, 100, 90, 51000);
  uint8_t token[HDHT_TOKEN_SIZE];
  hd_messages_token_issue(&secrets, &host, token);
  CHECK(hd_messages_token_is_valid(&secrets, &other_port, token));
  CHECK(!hd_messages_token_is_valid(&secrets, &other_host, token));
}

TEST(token_outlives_one_rotation_and_not_two) {
  hd_messages_token_secrets own = secrets;
  const hd_address host = hd_address_ipv4(1, 2, 3, 4, 5);
  uint8_t token[HDHT_TOKEN_SIZE];
  hd_messages_token_issue(&own, &host, token);
  hd_messages_token_rotate(&own);
  CHECK(hd_messages_token_is_valid(&own, &host, token));
  hd_messages_token_rotate(&own);
  CHECK(!hd_messages_token_is_valid(&own, &host, token));
}

TEST(tokens_of_hosts_with_one_to_three_digits_differ) {
  const hd_address hosts[] = {hd_address_ipv4(0, 0, 0, 0, 0), hd_address_ipv4(9, 10, 99, 100, 0),
                              hd_address_ipv4(91, 0, 99, 100, 0), hd_address_ipv4(255, 255, 255, 255, 0)};
  uint8_t tokens[4][HDHT_TOKEN_SIZE];
  for (size_t i = 0; i < 4; i++) {
    hd_messages_token_issue(&secrets, &hosts[i], tokens[i]);
    for (size_t j = 0; j < i; j++) CHECK(memcmp(tokens[i], tokens[j], HDHT_TOKEN_SIZE) != 0);
  }
}
