#include "messages/message_token.h"

#include "crypto/hash.h"
#include "crypto/secret.h"

#define HOST_TEXT_SIZE_MAX 15 /* 255.255.255.255 */

static size_t write_decimal(char *text, unsigned octet) {
  size_t size = 0;
  if (octet >= 100) text[size++] = (char)('0' + octet / 100);
  if (octet >= 10) text[size++] = (char)('0' + octet / 10 % 10);
  text[size++] = (char)('0' + octet % 10);
  return size;
}

static size_t write_host(char text[HOST_TEXT_SIZE_MAX], const hd_address *host) {
  size_t size = 0;
  for (size_t i = 0; i < 4; i++) {
    if (i > 0) text[size++] = '.';
    size += write_decimal(text + size, host->ip[i]);
  }
  return size;
}

void hd_messages_token(const uint8_t secret[HD_MESSAGES_TOKEN_SECRET_SIZE], const hd_address *host,
                       uint8_t token[HDHT_TOKEN_SIZE]) {
  hd_assert(host->family == HDHT_FAMILY_IPV4);
  char text[HOST_TEXT_SIZE_MAX];
  hd_hash_keyed(secret, HD_MESSAGES_TOKEN_SECRET_SIZE, text, write_host(text, host), token);
}

bool hd_messages_token_is_of(const uint8_t token[HDHT_TOKEN_SIZE], const uint8_t secret[HD_MESSAGES_TOKEN_SECRET_SIZE],
                             const hd_address *host) {
  uint8_t expected[HDHT_TOKEN_SIZE];
  hd_messages_token(secret, host, expected);
  return hd_secret_equal(expected, token, sizeof expected);
}

void hd_messages_token_issue(const hd_messages_token_secrets *secrets, const hd_address *host,
                             uint8_t token[HDHT_TOKEN_SIZE]) {
  hd_messages_token(secrets->current, host, token);
}

bool hd_messages_token_is_valid(const hd_messages_token_secrets *secrets, const hd_address *host,
                                const uint8_t token[HDHT_TOKEN_SIZE]) {
  return hd_messages_token_is_of(token, secrets->current, host) ||
         hd_messages_token_is_of(token, secrets->previous, host);
}

void hd_messages_token_rotate(hd_messages_token_secrets *secrets) {
  uint8_t next[HD_MESSAGES_TOKEN_SECRET_SIZE];
  hd_hash(secrets->previous, sizeof secrets->previous, next);
  memcpy(secrets->previous, secrets->current, sizeof secrets->previous);
  memcpy(secrets->current, next, sizeof secrets->current);
  hd_secret_wipe(next, sizeof next);
}
