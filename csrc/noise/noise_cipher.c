#include "noise/noise_cipher.h"

void hd_noise_cipher_set_key(hd_noise_cipher *cipher, const uint8_t key[HD_AEAD_KEY_SIZE]) {
  memcpy(cipher->key, key, HD_AEAD_KEY_SIZE);
  cipher->counter = 0;
  cipher->has_key = true;
}

size_t hd_noise_cipher_overhead(const hd_noise_cipher *cipher) {
  return cipher->has_key ? HD_AEAD_MAC_SIZE : 0;
}

static void copy(uint8_t *to, hd_bytes from) {
  if (from.size > 0) memmove(to, from.data, from.size);
}

void hd_noise_cipher_encrypt(hd_noise_cipher *cipher, hd_bytes associated_data, hd_bytes plaintext,
                             uint8_t *ciphertext) {
  if (!cipher->has_key) {
    copy(ciphertext, plaintext);
    return;
  }
  hd_aead_encrypt(cipher->key, cipher->counter, associated_data, plaintext, ciphertext);
  cipher->counter++; /* a handshake uses a key at most twice, so Noise's limit of 2^64 - 1 is out of reach */
}

int hd_noise_cipher_decrypt(hd_noise_cipher *cipher, hd_bytes associated_data, hd_bytes ciphertext,
                            uint8_t *plaintext) {
  if (!cipher->has_key) {
    copy(plaintext, ciphertext);
    return HDHT_OK;
  }
  const int error = hd_aead_decrypt(cipher->key, cipher->counter, associated_data, ciphertext, plaintext);
  if (error == HDHT_OK) cipher->counter++;
  return error;
}
