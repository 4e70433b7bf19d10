/* The tokens this node gives out, and when their secrets change (dht-rpc, "round-trip tokens"): a token is good for one
 * to two periods of 7.5 s. What a token is, is said in messages/message_token.h.
 *
 * Unlike the reference, a new secret is fresh randomness and not a hash of an older one: nobody else can tell, and who
 * once learned a secret learns no later one. No timer is needed; every use first catches up with the time. */
#ifndef HD_RPC_TOKEN_H
#define HD_RPC_TOKEN_H

#include "base/clock.h"
#include "crypto/entropy.h"
#include "messages/message_token.h"

#define HD_RPC_TOKEN_PERIOD HD_MILLISECONDS(7500)

typedef struct hd_rpc_tokens {
  hd_entropy *entropy; /* borrowed */
  hd_messages_token_secrets secrets;
  hd_time next_change;
} hd_rpc_tokens;

void hd_rpc_tokens_init(hd_rpc_tokens *tokens, hd_entropy *entropy, hd_time now);

/* Wipes the secrets. */
void hd_rpc_tokens_destroy(hd_rpc_tokens *tokens);

/* Makes the token for a host; the port does not matter. */
void hd_rpc_tokens_issue(hd_rpc_tokens *tokens, hd_time now, const hd_address *host, uint8_t token[HDHT_TOKEN_SIZE]);

/* Whether this node gave the token to that host in the last one or two periods. */
bool hd_rpc_tokens_accept(hd_rpc_tokens *tokens, hd_time now, const hd_address *host,
                          const uint8_t token[HDHT_TOKEN_SIZE]);

#endif
