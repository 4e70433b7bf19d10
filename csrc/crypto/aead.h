/* Encryption of one message at a time: Noise's ChaCha20-Poly1305 with a counter, and the XSalsa20-Poly1305 box with a
 * 24-byte nonce that datagrams and hole-punch payloads use. Plaintext and ciphertext may be the same memory (ciphertext
 * at the same address, 16 bytes longer), but must not overlap otherwise. */
#ifndef HD_AEAD_H
#define HD_AEAD_H

#include "base/bytes.h"

#define HD_AEAD_KEY_SIZE 32
#define HD_AEAD_MAC_SIZE 16

/* ChaCha20-Poly1305 (RFC 8439) under the nonce of Noise: four zero bytes, then the counter, little-endian.
 *
 * ciphertext  [out] plaintext.size + 16 bytes: the encrypted bytes, then the MAC */
void hd_aead_encrypt(const uint8_t key[HD_AEAD_KEY_SIZE], uint64_t counter, hd_bytes associated_data,
                     hd_bytes plaintext, uint8_t *ciphertext);

/* plaintext  [out] ciphertext.size - 16 bytes; undefined on error, never the decrypted bytes
 *
 * Errors: HDHT_ERR_DECRYPTION, also for a ciphertext shorter than 16 bytes. */
int hd_aead_decrypt(const uint8_t key[HD_AEAD_KEY_SIZE], uint64_t counter, hd_bytes associated_data,
                    hd_bytes ciphertext, uint8_t *plaintext);

#define HD_BOX_KEY_SIZE   32
#define HD_BOX_NONCE_SIZE 24
#define HD_BOX_MAC_SIZE   16

/* NaCl's secretbox: XSalsa20-Poly1305.
 *
 * ciphertext  [out] plaintext.size + 16 bytes: the MAC, then the encrypted bytes; may also overlap the plaintext in any
 *             way */
void hd_box_seal(const uint8_t key[HD_BOX_KEY_SIZE], const uint8_t nonce[HD_BOX_NONCE_SIZE], hd_bytes plaintext,
                 uint8_t *ciphertext);

/* plaintext  [out] ciphertext.size - 16 bytes; untouched on error; may overlap the ciphertext in any way
 *
 * Errors: HDHT_ERR_DECRYPTION, also for a ciphertext shorter than 16 bytes. */
int hd_box_open(const uint8_t key[HD_BOX_KEY_SIZE], const uint8_t nonce[HD_BOX_NONCE_SIZE], hd_bytes ciphertext,
                uint8_t *plaintext);

#endif
