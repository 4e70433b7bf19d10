#include "noise/noise_symmetric.h"

#include "crypto/hmac.h"
#include "crypto/secret.h"

void hd_noise_symmetric_init(hd_noise_symmetric *symmetric, const char *protocol_name) {
  const size_t name_size = strlen(protocol_name);
  hd_assert(name_size <= HD_HASH_512_SIZE);
  memset(symmetric, 0, sizeof *symmetric);
  memcpy(symmetric->hash, protocol_name, name_size);
  memcpy(symmetric->chaining_key, symmetric->hash, HD_HASH_512_SIZE);
}

void hd_noise_symmetric_wipe(hd_noise_symmetric *symmetric) {
  hd_secret_wipe(symmetric, sizeof *symmetric);
}

static hd_bytes hash_so_far(const hd_noise_symmetric *symmetric) {
  return hd_bytes_of(symmetric->hash, HD_HASH_512_SIZE);
}

void hd_noise_symmetric_mix_hash(hd_noise_symmetric *symmetric, hd_bytes data) {
  const hd_bytes parts[] = {hash_so_far(symmetric), data};
  hd_hash_512_parts(parts, 2, symmetric->hash);
}

void hd_noise_symmetric_mix_key(hd_noise_symmetric *symmetric, const uint8_t *input, size_t input_size) {
  uint8_t key_material[HD_HMAC_SIZE];
  hd_hkdf(symmetric->chaining_key, input, input_size, symmetric->chaining_key, key_material);
  hd_noise_cipher_set_key(&symmetric->cipher, key_material); /* its first half */
  hd_secret_wipe(key_material, sizeof key_material);
}

void hd_noise_symmetric_encrypt_and_hash(hd_noise_symmetric *symmetric, hd_bytes plaintext, uint8_t *ciphertext) {
  const size_t size = plaintext.size + hd_noise_cipher_overhead(&symmetric->cipher);
  hd_noise_cipher_encrypt(&symmetric->cipher, hash_so_far(symmetric), plaintext, ciphertext);
  hd_noise_symmetric_mix_hash(symmetric, hd_bytes_of(ciphertext, size));
}

int hd_noise_symmetric_decrypt_and_hash(hd_noise_symmetric *symmetric, hd_bytes ciphertext, uint8_t *plaintext) {
  /* The ciphertext is hashed first because decryption may overwrite it. */
  uint8_t hash_after[HD_HASH_512_SIZE];
  const hd_bytes parts[] = {hash_so_far(symmetric), ciphertext};
  hd_hash_512_parts(parts, 2, hash_after);

  const int error = hd_noise_cipher_decrypt(&symmetric->cipher, hash_so_far(symmetric), ciphertext, plaintext);
  if (error != HDHT_OK) return error;
  memcpy(symmetric->hash, hash_after, sizeof hash_after);
  return HDHT_OK;
}

void hd_noise_symmetric_split(const hd_noise_symmetric *symmetric, uint8_t to_responder[HD_AEAD_KEY_SIZE],
                              uint8_t to_initiator[HD_AEAD_KEY_SIZE]) {
  uint8_t first[HD_HMAC_SIZE], second[HD_HMAC_SIZE];
  hd_hkdf(symmetric->chaining_key, NULL, 0, first, second);
  memcpy(to_responder, first, HD_AEAD_KEY_SIZE);
  memcpy(to_initiator, second, HD_AEAD_KEY_SIZE);
  hd_secret_wipe(first, sizeof first);
  hd_secret_wipe(second, sizeof second);
}
