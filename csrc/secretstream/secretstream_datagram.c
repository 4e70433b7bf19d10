#include "secretstream/secretstream_datagram.h"

#include "base/byte_order.h"
#include "crypto/namespace.h"
#include "crypto/secret.h"

static void derive_key(const uint8_t handshake_hash[HD_HASH_512_SIZE], const uint8_t role[HD_HASH_SIZE],
                       uint8_t key[HD_BOX_KEY_SIZE]) {
  uint8_t message[2 * HD_HASH_SIZE];
  memcpy(message, role, HD_HASH_SIZE);
  memcpy(message + HD_HASH_SIZE, hd_namespace_send, HD_HASH_SIZE);
  hd_hash_keyed(handshake_hash, HD_HASH_512_SIZE, message, sizeof message, key);
}

void hd_secretstream_datagrams_init(hd_secretstream_datagrams *datagrams,
                                    const uint8_t handshake_hash[HD_HASH_512_SIZE], bool is_initiator,
                                    const uint8_t counter_start[HD_SECRETSTREAM_COUNTER_SIZE]) {
  derive_key(handshake_hash, hd_namespace_initiator, is_initiator ? datagrams->send_key : datagrams->receive_key);
  derive_key(handshake_hash, hd_namespace_responder, is_initiator ? datagrams->receive_key : datagrams->send_key);
  datagrams->counter = datagrams->counter_start = hd_load_le64(counter_start);
}

void hd_secretstream_datagrams_wipe(hd_secretstream_datagrams *datagrams) {
  hd_secret_wipe(datagrams, sizeof *datagrams);
}

static void make_nonce(const uint8_t counter[HD_SECRETSTREAM_COUNTER_SIZE], uint8_t nonce[HD_BOX_NONCE_SIZE]) {
  memset(nonce, 0, HD_BOX_NONCE_SIZE);
  memcpy(nonce, counter, HD_SECRETSTREAM_COUNTER_SIZE);
}

int hd_secretstream_datagram_seal(hd_secretstream_datagrams *datagrams, hd_bytes payload, uint8_t *datagram) {
  if (datagrams->counter + 1 == datagrams->counter_start) return HDHT_ERR_STREAM_COUNTER;
  datagrams->counter++;
  uint8_t counter[HD_SECRETSTREAM_COUNTER_SIZE], nonce[HD_BOX_NONCE_SIZE];
  hd_store_le64(counter, datagrams->counter);
  make_nonce(counter, nonce);
  hd_box_seal(datagrams->send_key, nonce, payload, datagram + HD_SECRETSTREAM_COUNTER_SIZE);
  memcpy(datagram, counter, sizeof counter); /* last, because the payload may have begun here */
  return HDHT_OK;
}

int hd_secretstream_datagram_open(const hd_secretstream_datagrams *datagrams, uint8_t *datagram, size_t size,
                                  hd_bytes *payload) {
  if (size < HD_SECRETSTREAM_DATAGRAM_OVERHEAD) return HDHT_ERR_DECRYPTION;
  uint8_t nonce[HD_BOX_NONCE_SIZE];
  make_nonce(datagram, nonce);
  const hd_bytes box = hd_bytes_of(datagram + HD_SECRETSTREAM_COUNTER_SIZE, size - HD_SECRETSTREAM_COUNTER_SIZE);
  uint8_t *plaintext = datagram + HD_SECRETSTREAM_DATAGRAM_OVERHEAD;
  const int error = hd_box_open(datagrams->receive_key, nonce, box, plaintext);
  if (error == HDHT_OK) *payload = hd_bytes_of(plaintext, size - HD_SECRETSTREAM_DATAGRAM_OVERHEAD);
  return error;
}
