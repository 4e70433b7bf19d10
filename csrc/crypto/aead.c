#include "crypto/aead.h"

#include <sodium.h>

#include "base/byte_order.h"
#include "crypto/backend.h"

_Static_assert(HD_AEAD_KEY_SIZE == crypto_aead_chacha20poly1305_ietf_KEYBYTES, "sizes are libsodium's");
_Static_assert(HD_AEAD_MAC_SIZE == crypto_aead_chacha20poly1305_ietf_ABYTES, "sizes are libsodium's");
_Static_assert(HD_BOX_KEY_SIZE == crypto_secretbox_KEYBYTES, "sizes are libsodium's");
_Static_assert(HD_BOX_NONCE_SIZE == crypto_secretbox_NONCEBYTES, "sizes are libsodium's");
_Static_assert(HD_BOX_MAC_SIZE == crypto_secretbox_MACBYTES, "sizes are libsodium's");

#define NONCE_SIZE crypto_aead_chacha20poly1305_ietf_NPUBBYTES

static void make_nonce(uint64_t counter, uint8_t nonce[NONCE_SIZE]) {
  memset(nonce, 0, 4);
  hd_store_le64(nonce + 4, counter);
}

void hd_aead_encrypt(const uint8_t key[HD_AEAD_KEY_SIZE], uint64_t counter, hd_bytes associated_data,
                     hd_bytes plaintext, uint8_t *ciphertext) {
  hd_backend_prepare();
  uint8_t nonce[NONCE_SIZE];
  make_nonce(counter, nonce);
  crypto_aead_chacha20poly1305_ietf_encrypt(ciphertext, NULL, plaintext.data, plaintext.size, associated_data.data,
                                            associated_data.size, NULL, nonce, key);
}

int hd_aead_decrypt(const uint8_t key[HD_AEAD_KEY_SIZE], uint64_t counter, hd_bytes associated_data,
                    hd_bytes ciphertext, uint8_t *plaintext) {
  hd_backend_prepare();
  uint8_t nonce[NONCE_SIZE];
  make_nonce(counter, nonce);
  const int result = crypto_aead_chacha20poly1305_ietf_decrypt(plaintext, NULL, NULL, ciphertext.data, ciphertext.size,
                                                               associated_data.data, associated_data.size, nonce, key);
  return result == 0 ? HDHT_OK : HDHT_ERR_DECRYPTION;
}

void hd_box_seal(const uint8_t key[HD_BOX_KEY_SIZE], const uint8_t nonce[HD_BOX_NONCE_SIZE], hd_bytes plaintext,
                 uint8_t *ciphertext) {
  hd_backend_prepare();
  crypto_secretbox_easy(ciphertext, plaintext.data, plaintext.size, nonce, key);
}

int hd_box_open(const uint8_t key[HD_BOX_KEY_SIZE], const uint8_t nonce[HD_BOX_NONCE_SIZE], hd_bytes ciphertext,
                uint8_t *plaintext) {
  hd_backend_prepare();
  const int result = crypto_secretbox_open_easy(plaintext, ciphertext.data, ciphertext.size, nonce, key);
  return result == 0 ? HDHT_OK : HDHT_ERR_DECRYPTION;
}
