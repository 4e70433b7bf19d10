#include "rpc/rpc_token.h"

#include "test.h"

static hd_time at_ms(uint64_t ms) {
  return (hd_time){1000 * ms};
}

static void init(hd_rpc_tokens *tokens, hd_entropy *entropy) {
  const uint8_t seed[32] = {5};
  hd_entropy_init(entropy, seed);
  hd_rpc_tokens_init(tokens, entropy, at_ms(0));
}

TEST(rpc_token_is_good_for_one_to_two_periods) {
  hd_entropy entropy;
  hd_rpc_tokens tokens;
  init(&tokens, &entropy);
  const hd_address host = hd_address_ipv4(1, 2, 3, 4, 5);
  uint8_t token[32];
  hd_rpc_tokens_issue(&tokens, at_ms(7499), &host, token);
  CHECK(hd_rpc_tokens_accept(&tokens, at_ms(7499), &host, token));
  CHECK(hd_rpc_tokens_accept(&tokens, at_ms(14999), &host, token));
  CHECK(!hd_rpc_tokens_accept(&tokens, at_ms(15000), &host, token));
}

TEST(rpc_token_belongs_to_a_host_and_not_to_a_port) {
  hd_entropy entropy;
  hd_rpc_tokens tokens;
  init(&tokens, &entropy);
  const hd_address host = hd_address_ipv4(1, 2, 3, 4, 5), same = hd_address_ipv4(1, 2, 3, 4, 6);
  const hd_address other = hd_address_ipv4(1, 2, 3, 5, 5);
  uint8_t token[32];
  hd_rpc_tokens_issue(&tokens, at_ms(0), &host, token);
  CHECK(hd_rpc_tokens_accept(&tokens, at_ms(0), &same, token));
  CHECK(!hd_rpc_tokens_accept(&tokens, at_ms(0), &other, token));
  token[0] ^= 1;
  CHECK(!hd_rpc_tokens_accept(&tokens, at_ms(0), &host, token));
}

TEST(rpc_token_of_before_a_long_silence_is_worthless) {
  hd_entropy entropy;
  hd_rpc_tokens tokens;
  init(&tokens, &entropy);
  const hd_address host = hd_address_ipv4(1, 2, 3, 4, 5);
  uint8_t token[32];
  hd_rpc_tokens_issue(&tokens, at_ms(0), &host, token);
  CHECK(!hd_rpc_tokens_accept(&tokens, at_ms(3600000), &host, token));
  hd_rpc_tokens_issue(&tokens, at_ms(3600000), &host, token);
  CHECK(hd_rpc_tokens_accept(&tokens, at_ms(3607500), &host, token));
}
