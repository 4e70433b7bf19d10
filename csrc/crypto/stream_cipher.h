/* A sequence of encrypted messages in one direction: libsodium's secretstream (XChaCha20-Poly1305). Each message must
 * be decrypted in the order it was encrypted in; a lost, repeated or changed one fails. */
#ifndef HD_STREAM_CIPHER_H
#define HD_STREAM_CIPHER_H

#include "base/bytes.h"

#define HD_STREAM_CIPHER_KEY_SIZE    32
#define HD_STREAM_CIPHER_HEADER_SIZE 24
#define HD_STREAM_CIPHER_OVERHEAD    17 /* the encrypted tag byte in front, the MAC behind */

typedef struct hd_stream_cipher {
  uint8_t opaque[52];
} hd_stream_cipher;

/* Both directions start the same way. The sender draws the header at random and sends it in clear. */
void hd_stream_cipher_init(hd_stream_cipher *cipher, const uint8_t key[HD_STREAM_CIPHER_KEY_SIZE],
                           const uint8_t header[HD_STREAM_CIPHER_HEADER_SIZE]);

void hd_stream_cipher_wipe(hd_stream_cipher *cipher);

/* Encrypts the next message.
 *
 * ciphertext  [out] size + 17 bytes; the plaintext may already lie at ciphertext + 1, and must not overlap otherwise */
void hd_stream_cipher_encrypt(hd_stream_cipher *cipher, const uint8_t *plaintext, size_t size, uint8_t *ciphertext);

/* Decrypts the next message. The sender's tag is not reported; one that asks for a new key is obeyed.
 *
 * plaintext  [out] size - 17 bytes; may be ciphertext + 1, and must not overlap otherwise; untouched on error
 *
 * Errors: HDHT_ERR_DECRYPTION, also for a ciphertext shorter than 17 bytes; the state has not moved. */
int hd_stream_cipher_decrypt(hd_stream_cipher *cipher, const uint8_t *ciphertext, size_t size, uint8_t *plaintext);

#endif
