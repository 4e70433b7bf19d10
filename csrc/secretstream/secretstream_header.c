#include "secretstream/secretstream_header.h"

#include "crypto/namespace.h"
#include "crypto/secret.h"

void hd_secretstream_id(const uint8_t handshake_hash[HD_HASH_512_SIZE], bool is_initiator,
                        uint8_t id[HD_SECRETSTREAM_ID_SIZE]) {
  hd_namespace_keyed(handshake_hash, is_initiator ? hd_namespace_initiator : hd_namespace_responder, id);
}

void hd_secretstream_header_write(const uint8_t handshake_hash[HD_HASH_512_SIZE], bool is_initiator,
                                  const uint8_t cipher_header[HD_STREAM_CIPHER_HEADER_SIZE],
                                  uint8_t message[HD_SECRETSTREAM_HEADER_SIZE]) {
  hd_secretstream_id(handshake_hash, is_initiator, message);
  memcpy(message + HD_SECRETSTREAM_ID_SIZE, cipher_header, HD_STREAM_CIPHER_HEADER_SIZE);
}

int hd_secretstream_header_read(hd_bytes message, const uint8_t handshake_hash[HD_HASH_512_SIZE], bool is_initiator,
                                const uint8_t **cipher_header) {
  if (message.size != HD_SECRETSTREAM_HEADER_SIZE) return HDHT_ERR_STREAM_HEADER_LENGTH;
  uint8_t expected_id[HD_SECRETSTREAM_ID_SIZE];
  hd_secretstream_id(handshake_hash, !is_initiator, expected_id);
  if (!hd_secret_equal(message.data, expected_id, sizeof expected_id)) return HDHT_ERR_STREAM_HEADER_IDENTITY;
  *cipher_header = message.data + HD_SECRETSTREAM_ID_SIZE;
  return HDHT_OK;
}
