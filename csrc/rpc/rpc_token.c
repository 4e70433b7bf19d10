#include "rpc/rpc_token.h"

#include "crypto/secret.h"

void hd_rpc_tokens_init(hd_rpc_tokens *tokens, hd_entropy *entropy, hd_time now) {
  *tokens = (hd_rpc_tokens){.entropy = entropy, .next_change = hd_time_add(now, HD_RPC_TOKEN_PERIOD)};
  hd_entropy_fill(entropy, &tokens->secrets, sizeof tokens->secrets);
}

void hd_rpc_tokens_destroy(hd_rpc_tokens *tokens) {
  hd_secret_wipe(&tokens->secrets, sizeof tokens->secrets);
}

static void change_secret(hd_rpc_tokens *tokens) {
  memcpy(tokens->secrets.previous, tokens->secrets.current, sizeof tokens->secrets.previous);
  hd_entropy_fill(tokens->entropy, tokens->secrets.current, sizeof tokens->secrets.current);
}

/* After a long silence both secrets are too old, and how many periods passed no longer matters. */
static void catch_up(hd_rpc_tokens *tokens, hd_time now) {
  if (!hd_time_is_due(tokens->next_change, now)) return;
  change_secret(tokens);
  tokens->next_change = hd_time_add(tokens->next_change, HD_RPC_TOKEN_PERIOD);
  if (!hd_time_is_due(tokens->next_change, now)) return;
  change_secret(tokens);
  tokens->next_change = hd_time_add(now, HD_RPC_TOKEN_PERIOD);
}

void hd_rpc_tokens_issue(hd_rpc_tokens *tokens, hd_time now, const hd_address *host, uint8_t token[HDHT_TOKEN_SIZE]) {
  catch_up(tokens, now);
  hd_messages_token_issue(&tokens->secrets, host, token);
}

bool hd_rpc_tokens_accept(hd_rpc_tokens *tokens, hd_time now, const hd_address *host,
                          const uint8_t token[HDHT_TOKEN_SIZE]) {
  catch_up(tokens, now);
  return hd_messages_token_is_valid(&tokens->secrets, host, token);
}
