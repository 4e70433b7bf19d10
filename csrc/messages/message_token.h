/* Tokens that prove an address: only who receives datagrams at a host can know the token made for it. A token covers
 * the host and not the port, so it survives a NAT that changes ports. Only who made a token understands it.
 *
 * dht-rpc gives them to requesters, HyperDHT's hole punching to the other peer. */
#ifndef HD_MESSAGE_TOKEN_H
#define HD_MESSAGE_TOKEN_H

#include <stdbool.h>

#include "base/address.h"

#define HD_MESSAGES_TOKEN_SECRET_SIZE 32

/* The hash of the host's dotted decimal text, keyed with the secret. `host` is IPv4; its port does not matter. */
void hd_messages_token(const uint8_t secret[HD_MESSAGES_TOKEN_SECRET_SIZE], const hd_address *host,
                       uint8_t token[HDHT_TOKEN_SIZE]);

/* Whether `token` is the one for the host; takes the same time for every wrong token. */
bool hd_messages_token_is_of(const uint8_t token[HDHT_TOKEN_SIZE], const uint8_t secret[HD_MESSAGES_TOKEN_SECRET_SIZE],
                             const hd_address *host);

/* The two secrets of a node, both random at first. New tokens are made with the current one; tokens of the previous one
 * are still good, so a token lives for one to two rotations. */
typedef struct hd_messages_token_secrets {
  uint8_t previous[HD_MESSAGES_TOKEN_SECRET_SIZE];
  uint8_t current[HD_MESSAGES_TOKEN_SECRET_SIZE];
} hd_messages_token_secrets;

void hd_messages_token_issue(const hd_messages_token_secrets *secrets, const hd_address *host,
                             uint8_t token[HDHT_TOKEN_SIZE]);

bool hd_messages_token_is_valid(const hd_messages_token_secrets *secrets, const hd_address *host,
                                const uint8_t token[HDHT_TOKEN_SIZE]);

/* The current secret becomes the previous one; the new current one is the hash of the old previous one, as in the
 * reference. */
void hd_messages_token_rotate(hd_messages_token_secrets *secrets);

#endif
