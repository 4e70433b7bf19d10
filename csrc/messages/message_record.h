/* Values stored in the DHT: the requests and responses that carry mutable records, and their signature (hyperdht,
 * `mutablePutRequest`, `mutableGetResponse`, `mutableSignable`).
 *
 * A mutable record lives under the hash of its owner's public key. An immutable one is nothing but its bytes, in
 * request and response alike, and lives under their hash.
 *
 * What was read lends the bytes under the reader. */
#ifndef HD_MESSAGE_RECORD_H
#define HD_MESSAGE_RECORD_H

#include "crypto/hash.h"
#include "crypto/signature.h"

/* Up to here even the largest response that carries a value, with 20 closer nodes, is not fragmented on the usual
 * paths. Nothing enforces it. */
#define HD_MESSAGES_RECORD_VALUE_SIZE_SAFE 1000

typedef struct hd_messages_mutable_put {
  const uint8_t *public_key; /* 32 bytes */
  uint64_t seq;
  hd_bytes value;
  const uint8_t *signature; /* 64 bytes */
} hd_messages_mutable_put;

/* The value of a response to MUTABLE_GET; the requester knows the key. */
typedef struct hd_messages_mutable_found {
  uint64_t seq;
  hd_bytes value;
  const uint8_t *signature; /* 64 bytes */
} hd_messages_mutable_found;

/* The value of a MUTABLE_GET request. */
typedef struct hd_messages_mutable_get {
  uint64_t seq_min; /* records with a lower sequence number are not wanted */
} hd_messages_mutable_get;

/* Errors: HDHT_ERR_TRUNCATED; HDHT_ERR_MALFORMED for a sequence number above 2^53 - 1. */
int hd_messages_read_mutable_put(hd_reader *reader, hd_messages_mutable_put *put);
int hd_messages_read_mutable_found(hd_reader *reader, hd_messages_mutable_found *found);
int hd_messages_read_mutable_get(hd_reader *reader, hd_messages_mutable_get *get);

/* Errors: HDHT_ERR_BUFFER_TOO_SMALL; HDHT_ERR_INVALID_ARGUMENT for a sequence number above 2^53 - 1, or a missing key
 * or signature. */
int hd_messages_write_mutable_put(hd_writer *writer, const hd_messages_mutable_put *put);
int hd_messages_write_mutable_found(hd_writer *writer, const hd_messages_mutable_found *found);
int hd_messages_write_mutable_get(hd_writer *writer, const hd_messages_mutable_get *get);
int hd_messages_mutable_put_size(const hd_messages_mutable_put *put, size_t *size);
int hd_messages_mutable_found_size(const hd_messages_mutable_found *found, size_t *size);
int hd_messages_mutable_get_size(const hd_messages_mutable_get *get, size_t *size);

/* The bytes that are signed: the namespace of MUTABLE_PUT, then the hash of the sequence number (a uint in its shortest
 * form) and the value (a buffer). */
void hd_messages_mutable_signable(uint64_t seq, hd_bytes value, uint8_t signable[2 * HD_HASH_SIZE]);

void hd_messages_sign_mutable(uint64_t seq, hd_bytes value, const uint8_t secret_key[HD_SECRET_KEY_SIZE],
                              uint8_t signature[HD_SIGNATURE_SIZE]);

/* Errors: HDHT_ERR_BAD_SIGNATURE. */
int hd_messages_verify_mutable(const uint8_t public_key[HD_PUBLIC_KEY_SIZE], uint64_t seq, hd_bytes value,
                               const uint8_t signature[HD_SIGNATURE_SIZE]);

#endif
