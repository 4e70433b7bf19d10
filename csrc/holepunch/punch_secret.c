#include "holepunch/punch_secret.h"

#include "crypto/secret.h"

/* Overhead, four integers (the round takes up to 9 bytes), a list of addresses, one address, two tokens. */
_Static_assert(HD_MESSAGES_HOLEPUNCH_OVERHEAD + 3 + 9 + 1 + 6 * (HD_PUNCH_ADDRESSES_LIMIT + 1) + 2 * HDHT_TOKEN_SIZE <=
                   HD_PUNCH_MESSAGE_SIZE_MAX,
               "every message we write fits");

void hd_punch_secret_init(hd_punch_secret *secret, const uint8_t key[HD_BOX_KEY_SIZE], hd_entropy *entropy) {
  memcpy(secret->key, key, sizeof secret->key);
  hd_entropy_fill(entropy, secret->token_secret, sizeof secret->token_secret);
}

void hd_punch_secret_wipe(hd_punch_secret *secret) {
  hd_secret_wipe(secret, sizeof *secret);
}

void hd_punch_secret_seal(const hd_punch_secret *secret, hd_entropy *entropy,
                          const hd_messages_holepunch_payload *payload, hd_punch_message *message) {
  uint8_t nonce[HD_BOX_NONCE_SIZE];
  hd_entropy_fill(entropy, nonce, sizeof nonce);
  hd_writer writer = hd_writer_of(message->bytes, sizeof message->bytes);
  const int error = hd_messages_seal_holepunch_payload(&writer, payload, secret->key, nonce);
  hd_assert(error == HDHT_OK);
  message->size = (uint16_t)(writer.next - message->bytes);
}

int hd_punch_secret_open(const hd_punch_secret *secret, hd_bytes sealed, uint8_t plaintext[HD_PUNCH_RECEIVE_SIZE_MAX],
                         hd_messages_holepunch_payload *payload) {
  return hd_messages_open_holepunch_payload(sealed, secret->key, plaintext, HD_PUNCH_RECEIVE_SIZE_MAX, payload);
}

void hd_punch_secret_token(const hd_punch_secret *secret, const hd_address *host, uint8_t token[HDHT_TOKEN_SIZE]) {
  hd_messages_token(secret->token_secret, host, token);
}

bool hd_punch_secret_proves(const hd_punch_secret *secret, const hd_address *host, const uint8_t *token) {
  return token != NULL && host->family == HDHT_FAMILY_IPV4 &&
         hd_messages_token_is_of(token, secret->token_secret, host);
}
