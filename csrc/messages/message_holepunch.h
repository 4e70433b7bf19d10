/* The value of a PEER_HOLEPUNCH request or response, and the encrypted payload inside it with which client and server
 * coordinate their punching (hyperdht, `holepunch` and `holepunchPayload`).
 *
 * What was read lends the bytes under the reader. */
#ifndef HD_MESSAGE_HOLEPUNCH_H
#define HD_MESSAGE_HOLEPUNCH_H

#include "base/address.h"
#include "crypto/aead.h"
#include "messages/message_command.h"
#include "messages/message_peer.h"

typedef struct hd_messages_holepunch {
  hd_messages_mode mode;
  uint64_t id;             /* the server's handshake slot; 0 from server to client */
  hd_bytes payload;        /* a sealed payload */
  hd_address peer_address; /* the client or server behind the sender, or none */
} hd_messages_holepunch;

/* Errors: HDHT_ERR_TRUNCATED; HDHT_ERR_MALFORMED for an integer above 2^53 - 1; HDHT_ERR_UNKNOWN_TYPE for an unknown
 * mode. */
int hd_messages_read_holepunch(hd_reader *reader, hd_messages_holepunch *holepunch);

/* Errors: HDHT_ERR_BUFFER_TOO_SMALL; HDHT_ERR_INVALID_ARGUMENT for an address that is neither IPv4 nor none, or an id
 * above 2^53 - 1. */
int hd_messages_write_holepunch(hd_writer *writer, const hd_messages_holepunch *holepunch);
int hd_messages_holepunch_size(const hd_messages_holepunch *holepunch, size_t *size);

typedef struct hd_messages_holepunch_payload {
  uint64_t error; /* HD_MESSAGES_ERROR_* */
  uint64_t nat;   /* HD_MESSAGES_NAT_* of the sender */
  uint64_t round; /* counts the client's messages, from 0 */
  bool is_connected;
  bool is_punching;
  bool has_addresses;          /* an empty list and none are different things */
  hdht_address_list addresses; /* the sender's own, as others see it */
  hd_address remote_address;   /* where the sender sent a probe to, or none */
  const uint8_t *token;        /* proves to the sender that the receiver has its address, 32 bytes or NULL */
  const uint8_t *remote_token; /* the receiver's token, given back, 32 bytes or NULL */
} hd_messages_holepunch_payload;

/* The plaintext alone.
 * Errors: HDHT_ERR_TRUNCATED; HDHT_ERR_MALFORMED for an integer above 2^53 - 1; HDHT_ERR_TOO_LARGE for a list above
 * HDHT_LIST_LIMIT. */
int hd_messages_read_holepunch_payload(hd_reader *reader, hd_messages_holepunch_payload *payload);

/* Errors: HDHT_ERR_BUFFER_TOO_SMALL; HDHT_ERR_INVALID_ARGUMENT for an address that is not IPv4 or an integer above
 * 2^53 - 1; HDHT_ERR_TOO_LARGE for a list above HDHT_LIST_LIMIT. */
int hd_messages_write_holepunch_payload(hd_writer *writer, const hd_messages_holepunch_payload *payload);
int hd_messages_holepunch_payload_size(const hd_messages_holepunch_payload *payload, size_t *size);

/* A sealed payload is the nonce, the MAC, and at least one byte of ciphertext. */
#define HD_MESSAGES_HOLEPUNCH_OVERHEAD (HD_BOX_NONCE_SIZE + HD_BOX_MAC_SIZE)

/* What both ends of a handshake derive from its hash to encrypt their payloads with. */
void hd_messages_holepunch_secret(const uint8_t handshake_hash[HDHT_HANDSHAKE_HASH_SIZE],
                                  uint8_t secret[HD_BOX_KEY_SIZE]);

/* Writes a payload encrypted: HD_MESSAGES_HOLEPUNCH_OVERHEAD bytes more than its size.
 *
 * nonce  random; never the same twice under one secret
 *
 * Errors: those of hd_messages_write_holepunch_payload. */
int hd_messages_seal_holepunch_payload(hd_writer *writer, const hd_messages_holepunch_payload *payload,
                                       const uint8_t secret[HD_BOX_KEY_SIZE], const uint8_t nonce[HD_BOX_NONCE_SIZE]);

/* Decrypts a sealed payload and reads it.
 *
 * plaintext  [out] memory of the caller for sealed.size - HD_MESSAGES_HOLEPUNCH_OVERHEAD bytes, which the payload
 * lends; may hold anything after an error payload    [out] untouched on error
 *
 * Errors: HDHT_ERR_DECRYPTION, also when `sealed` is too short; HDHT_ERR_BUFFER_TOO_SMALL if it is longer than
 * `capacity` allows; those of hd_messages_read_holepunch_payload. */
int hd_messages_open_holepunch_payload(hd_bytes sealed, const uint8_t secret[HD_BOX_KEY_SIZE], uint8_t *plaintext,
                                       size_t capacity, hd_messages_holepunch_payload *payload);

#endif
