#include "crypto/stream_cipher.h"

#include <sodium.h>
#include <string.h>

#include "test.h"

static hd_stream_cipher cipher_of_recorded_stream(void) {
  uint8_t key[32], header[24];
  hd_test_hex("cc00d99bd3a15a6779df38fd42fd25a84d73264023e7c1da95cf3bcbdce9c210", key, sizeof key);
  memset(header, 0x11, sizeof header);
  hd_stream_cipher cipher;
  hd_stream_cipher_init(&cipher, key, header);
  return cipher;
}

/* Recorded from @hyperswarm/secret-stream. */
TEST(stream_cipher_encrypts_as_recorded) {
  hd_stream_cipher cipher = cipher_of_recorded_stream();
  uint8_t expected[22], actual[22];
  hd_stream_cipher_encrypt(&cipher, (const uint8_t *)"hello", 5, actual);
  hd_test_hex("e4bd5c5824a0344a302d98348514ce5e9133acfd641d", expected, sizeof expected);
  CHECK_BYTES(expected, actual, 22);
  hd_stream_cipher_encrypt(&cipher, NULL, 0, actual);
  hd_test_hex("9ff38a6c9ef414e6f0b19c51e2f09db8c4", expected, sizeof expected);
  CHECK_BYTES(expected, actual, 17);
}

TEST(stream_cipher_works_in_place) {
  hd_stream_cipher send = cipher_of_recorded_stream(), receive = send, in_place = send;
  for (size_t size = 0; size < 300; size++) {
    uint8_t plain[300], apart[317], data[317];
    for (size_t i = 0; i < size; i++) plain[i] = data[i + 1] = (uint8_t)(size + i);
    hd_stream_cipher_encrypt(&send, plain, size, apart);
    hd_stream_cipher_encrypt(&in_place, data + 1, size, data);
    CHECK_BYTES(apart, data, size + 17);
    CHECK_INT(HDHT_OK, hd_stream_cipher_decrypt(&receive, data, size + 17, data + 1));
    CHECK_BYTES(plain, data + 1, size);
  }
}

TEST(stream_cipher_refuses_changes_and_does_not_move) {
  hd_stream_cipher send = cipher_of_recorded_stream(), receive = send;
  uint8_t first[22], second[22], plain[5] = "-----";
  hd_stream_cipher_encrypt(&send, (const uint8_t *)"hello", 5, first);
  hd_stream_cipher_encrypt(&send, (const uint8_t *)"world", 5, second);
  CHECK_INT(HDHT_ERR_DECRYPTION, hd_stream_cipher_decrypt(&receive, second, 22, plain));
  for (size_t size = 0; size < 22; size++) {
    CHECK_INT(HDHT_ERR_DECRYPTION, hd_stream_cipher_decrypt(&receive, first, size, plain));
  }
  for (size_t i = 0; i < sizeof first; i++) {
    first[i] ^= 0x80;
    CHECK_INT(HDHT_ERR_DECRYPTION, hd_stream_cipher_decrypt(&receive, first, 22, plain));
    first[i] ^= 0x80;
  }
  CHECK_BYTES("-----", plain, 5);
  CHECK_INT(HDHT_OK, hd_stream_cipher_decrypt(&receive, first, 22, plain));
  CHECK_BYTES("hello", plain, 5);
  CHECK_INT(HDHT_ERR_DECRYPTION, hd_stream_cipher_decrypt(&receive, first, 22, plain));
  CHECK_INT(HDHT_OK, hd_stream_cipher_decrypt(&receive, second, 22, plain));
}

/* The reference sends neither of these tags, ignores the last and obeys the second. */
TEST(stream_cipher_follows_a_peer_that_changes_the_key) {
  hd_stream_cipher receive = cipher_of_recorded_stream();
  crypto_secretstream_xchacha20poly1305_state send;
  memcpy(&send, &receive, sizeof send);
  const uint8_t tags[] = {
      crypto_secretstream_xchacha20poly1305_TAG_PUSH, crypto_secretstream_xchacha20poly1305_TAG_REKEY,
      crypto_secretstream_xchacha20poly1305_TAG_MESSAGE, crypto_secretstream_xchacha20poly1305_TAG_FINAL,
      crypto_secretstream_xchacha20poly1305_TAG_MESSAGE};
  for (size_t i = 0; i < sizeof tags; i++) {
    uint8_t sealed[22], plain[5];
    crypto_secretstream_xchacha20poly1305_push(&send, sealed, NULL, (const uint8_t *)"hello", 5, NULL, 0, tags[i]);
    CHECK_INT(HDHT_OK, hd_stream_cipher_decrypt(&receive, sealed, sizeof sealed, plain));
    CHECK_BYTES("hello", plain, 5);
  }
}
