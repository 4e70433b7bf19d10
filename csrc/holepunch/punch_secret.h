/* What the two sides of a handshake encrypt their hole-punch messages with, and what this side proves addresses with
 * (hyperdht, `holepunchPayload`).
 *
 * Everything written here fits into HD_PUNCH_MESSAGE_SIZE_MAX bytes, and nothing longer is read than
 * HD_PUNCH_RECEIVE_SIZE_MAX: a few addresses and two tokens. */
#ifndef HD_PUNCH_SECRET_H
#define HD_PUNCH_SECRET_H

#include "crypto/entropy.h"
#include "messages/message_holepunch.h"
#include "messages/message_token.h"

#define HD_PUNCH_ADDRESSES_LIMIT  4 /* told to the other side, and remembered of it */
#define HD_PUNCH_MESSAGE_SIZE_MAX 192
#define HD_PUNCH_RECEIVE_SIZE_MAX 1024

typedef struct hd_punch_secret {
  uint8_t key[HD_BOX_KEY_SIZE];                        /* shared with the other side */
  uint8_t token_secret[HD_MESSAGES_TOKEN_SECRET_SIZE]; /* known to nobody else */
} hd_punch_secret;

/* A sealed message. */
typedef struct hd_punch_message {
  uint16_t size; /* 0: none */
  uint8_t bytes[HD_PUNCH_MESSAGE_SIZE_MAX];
} hd_punch_message;

void hd_punch_secret_init(hd_punch_secret *secret, const uint8_t key[HD_BOX_KEY_SIZE], hd_entropy *entropy);
void hd_punch_secret_wipe(hd_punch_secret *secret);

/* `payload` has at most HD_PUNCH_ADDRESSES_LIMIT addresses, all IPv4. */
void hd_punch_secret_seal(const hd_punch_secret *secret, hd_entropy *entropy,
                          const hd_messages_holepunch_payload *payload, hd_punch_message *message);

/* plaintext  [out] memory of the caller, lent to the payload
 *
 * Errors: HDHT_ERR_DECRYPTION, HDHT_ERR_BUFFER_TOO_SMALL for one above HD_PUNCH_RECEIVE_SIZE_MAX, those of
 * hd_messages_read_holepunch_payload. */
int hd_punch_secret_open(const hd_punch_secret *secret, hd_bytes sealed, uint8_t plaintext[HD_PUNCH_RECEIVE_SIZE_MAX],
                         hd_messages_holepunch_payload *payload);

/* The token that only who receives at this host (IPv4) can know. */
void hd_punch_secret_token(const hd_punch_secret *secret, const hd_address *host, uint8_t token[HDHT_TOKEN_SIZE]);

/* Whether `token`, or NULL, is the one of this host; no other family has one. */
bool hd_punch_secret_proves(const hd_punch_secret *secret, const hd_address *host, const uint8_t *token);

#endif
