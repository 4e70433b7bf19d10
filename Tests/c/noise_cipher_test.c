#include "noise/noise_cipher.h"

#include "test.h"

static const uint8_t key[HD_AEAD_KEY_SIZE] = {7};

TEST(noise_cipher_without_a_key_passes_bytes_as_they_are) {
  hd_noise_cipher cipher = {.has_key = false};
  uint8_t out[4] = "....";
  CHECK_UINT(0, hd_noise_cipher_overhead(&cipher));
  hd_noise_cipher_encrypt(&cipher, hd_bytes_of("h", 1), hd_bytes_of("abcd", 4), out);
  CHECK_BYTES("abcd", out, 4);
  CHECK_INT(HDHT_OK, hd_noise_cipher_decrypt(&cipher, hd_bytes_of("h", 1), hd_bytes_of("wxyz", 4), out));
  CHECK_BYTES("wxyz", out, 4);
  CHECK_INT(HDHT_OK, hd_noise_cipher_decrypt(&cipher, hd_bytes_of("h", 1), hd_bytes_of(NULL, 0), out));
  CHECK_UINT(0, cipher.counter);
}

TEST(noise_cipher_counts_only_what_succeeds) {
  hd_noise_cipher send = {.has_key = false}, receive = {.has_key = false};
  hd_noise_cipher_set_key(&send, key);
  hd_noise_cipher_set_key(&receive, key);
  CHECK_UINT(16, hd_noise_cipher_overhead(&send));
  const hd_bytes none = hd_bytes_of(NULL, 0);
  uint8_t first[17], second[17], plain[1];
  hd_noise_cipher_encrypt(&send, none, hd_bytes_of("a", 1), first);
  hd_noise_cipher_encrypt(&send, none, hd_bytes_of("a", 1), second);
  CHECK_UINT(2, send.counter);
  CHECK_INT(HDHT_ERR_DECRYPTION, hd_noise_cipher_decrypt(&receive, none, hd_bytes_of(second, 17), plain));
  CHECK_INT(HDHT_ERR_DECRYPTION, hd_noise_cipher_decrypt(&receive, none, hd_bytes_of(first, 15), plain));
  CHECK_UINT(0, receive.counter);
  CHECK_INT(HDHT_OK, hd_noise_cipher_decrypt(&receive, none, hd_bytes_of(first, 17), plain));
  CHECK_INT(HDHT_OK, hd_noise_cipher_decrypt(&receive, none, hd_bytes_of(second, 17), plain));
  CHECK_UINT(2, receive.counter);
  hd_noise_cipher_set_key(&receive, key);
  CHECK_UINT(0, receive.counter);
}
