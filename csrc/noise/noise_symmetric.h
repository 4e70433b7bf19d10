/* Noise's SymmetricState (revision 34, section 5.2) with BLAKE2b-512: the chaining key, the running hash of everything
 * both sides have seen, and the cipher for the next encrypted field. A plain value: copying it is how a message is
 * tried before its effects are kept. */
#ifndef HD_NOISE_SYMMETRIC_H
#define HD_NOISE_SYMMETRIC_H

#include "crypto/hash.h"
#include "noise/noise_cipher.h"

typedef struct hd_noise_symmetric {
  uint8_t chaining_key[HD_HASH_512_SIZE];
  uint8_t hash[HD_HASH_512_SIZE];
  hd_noise_cipher cipher;
} hd_noise_symmetric;

/* `protocol_name` has at most 64 bytes, so it is zero-padded and not hashed. */
void hd_noise_symmetric_init(hd_noise_symmetric *symmetric, const char *protocol_name);

void hd_noise_symmetric_wipe(hd_noise_symmetric *symmetric);

void hd_noise_symmetric_mix_hash(hd_noise_symmetric *symmetric, hd_bytes data);

void hd_noise_symmetric_mix_key(hd_noise_symmetric *symmetric, const uint8_t *input, size_t input_size);

/* ciphertext  [out] plaintext.size bytes and the cipher's overhead */
void hd_noise_symmetric_encrypt_and_hash(hd_noise_symmetric *symmetric, hd_bytes plaintext, uint8_t *ciphertext);

/* plaintext  [out] ciphertext.size bytes less the cipher's overhead; may be the ciphertext's memory; undefined on error
 *
 * Errors: HDHT_ERR_DECRYPTION; nothing has been mixed in. */
int hd_noise_symmetric_decrypt_and_hash(hd_noise_symmetric *symmetric, hd_bytes ciphertext, uint8_t *plaintext);

/* The two transport keys, in the order initiator to responder, responder to initiator. */
void hd_noise_symmetric_split(const hd_noise_symmetric *symmetric, uint8_t to_responder[HD_AEAD_KEY_SIZE],
                              uint8_t to_initiator[HD_AEAD_KEY_SIZE]);

#endif
