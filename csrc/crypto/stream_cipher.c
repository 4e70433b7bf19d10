#include "crypto/stream_cipher.h"

#include <sodium.h>

#include "crypto/backend.h"
#include "crypto/secret.h"

typedef crypto_secretstream_xchacha20poly1305_state inner_state;

_Static_assert(sizeof(hd_stream_cipher) == sizeof(inner_state), "the state must fit");
_Static_assert(_Alignof(inner_state) == 1, "the state lies in a byte array");
_Static_assert(HD_STREAM_CIPHER_KEY_SIZE == crypto_secretstream_xchacha20poly1305_KEYBYTES, "sizes are libsodium's");
_Static_assert(HD_STREAM_CIPHER_HEADER_SIZE == crypto_secretstream_xchacha20poly1305_HEADERBYTES,
               "sizes are libsodium's");
_Static_assert(HD_STREAM_CIPHER_OVERHEAD == crypto_secretstream_xchacha20poly1305_ABYTES, "sizes are libsodium's");

static inner_state *inner(hd_stream_cipher *cipher) {
  return (inner_state *)(void *)cipher->opaque;
}

void hd_stream_cipher_init(hd_stream_cipher *cipher, const uint8_t key[HD_STREAM_CIPHER_KEY_SIZE],
                           const uint8_t header[HD_STREAM_CIPHER_HEADER_SIZE]) {
  hd_backend_prepare();
  /* init_push would draw its own header and then do exactly what init_pull does. */
  crypto_secretstream_xchacha20poly1305_init_pull(inner(cipher), header, key);
}

void hd_stream_cipher_wipe(hd_stream_cipher *cipher) {
  hd_secret_wipe(cipher, sizeof *cipher);
}

void hd_stream_cipher_encrypt(hd_stream_cipher *cipher, const uint8_t *plaintext, size_t size, uint8_t *ciphertext) {
  crypto_secretstream_xchacha20poly1305_push(inner(cipher), ciphertext, NULL, plaintext, size, NULL, 0,
                                             crypto_secretstream_xchacha20poly1305_TAG_MESSAGE);
}

int hd_stream_cipher_decrypt(hd_stream_cipher *cipher, const uint8_t *ciphertext, size_t size, uint8_t *plaintext) {
  const int result =
      crypto_secretstream_xchacha20poly1305_pull(inner(cipher), plaintext, NULL, NULL, ciphertext, size, NULL, 0);
  return result == 0 ? HDHT_OK : HDHT_ERR_DECRYPTION;
}
