/* Noise's CipherState (revision 34, section 5.1): a key and the counter of messages encrypted under it, or no key, in
 * which case bytes pass as they are. */
#ifndef HD_NOISE_CIPHER_H
#define HD_NOISE_CIPHER_H

#include "crypto/aead.h"

typedef struct hd_noise_cipher {
  uint8_t key[HD_AEAD_KEY_SIZE];
  uint64_t counter; /* messages encrypted or decrypted under this key */
  bool has_key;
} hd_noise_cipher;

/* Starts over with a new key. */
void hd_noise_cipher_set_key(hd_noise_cipher *cipher, const uint8_t key[HD_AEAD_KEY_SIZE]);

/* How much longer a message becomes: 16 bytes with a key, else 0. */
size_t hd_noise_cipher_overhead(const hd_noise_cipher *cipher);

/* ciphertext  [out] plaintext.size bytes and the overhead */
void hd_noise_cipher_encrypt(hd_noise_cipher *cipher, hd_bytes associated_data, hd_bytes plaintext,
                             uint8_t *ciphertext);

/* plaintext  [out] ciphertext.size bytes less the overhead; may be the ciphertext's memory; undefined on error
 *
 * Errors: HDHT_ERR_DECRYPTION, also for a ciphertext shorter than the overhead; the counter has not moved. */
int hd_noise_cipher_decrypt(hd_noise_cipher *cipher, hd_bytes associated_data, hd_bytes ciphertext, uint8_t *plaintext);

#endif
