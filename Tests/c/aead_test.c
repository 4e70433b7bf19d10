#include "crypto/aead.h"

#include <string.h>

#include "test.h"

static const uint8_t key[32] = {1, 2, 3};

TEST(aead_decrypts_what_it_encrypted_in_place_and_apart) {
  uint8_t data[100 + 16], apart[100 + 16], plain[100];
  for (size_t size = 0; size <= 100; size++) {
    for (size_t i = 0; i < size; i++) data[i] = plain[i] = (uint8_t)(i + size);
    const hd_bytes associated = hd_bytes_of("context", 7);
    hd_aead_encrypt(key, size, associated, hd_bytes_of(plain, size), apart);
    hd_aead_encrypt(key, size, associated, hd_bytes_of(data, size), data);
    CHECK_BYTES(apart, data, size + 16);
    CHECK_INT(HDHT_OK, hd_aead_decrypt(key, size, associated, hd_bytes_of(data, size + 16), data));
    CHECK_BYTES(plain, data, size);
  }
}

TEST(aead_refuses_any_change) {
  uint8_t sealed[5 + 16], plain[5 + 16];
  const hd_bytes associated = hd_bytes_of("context", 7), empty = hd_bytes_of(NULL, 0);
  hd_aead_encrypt(key, 9, associated, hd_bytes_of("hello", 5), sealed);
  CHECK_INT(HDHT_OK, hd_aead_decrypt(key, 9, associated, hd_bytes_of(sealed, 21), plain));
  CHECK_INT(HDHT_ERR_DECRYPTION, hd_aead_decrypt(key, 8, associated, hd_bytes_of(sealed, 21), plain));
  CHECK_INT(HDHT_ERR_DECRYPTION, hd_aead_decrypt(key, 9, empty, hd_bytes_of(sealed, 21), plain));
  for (size_t size = 0; size < 21; size++) {
    CHECK_INT(HDHT_ERR_DECRYPTION, hd_aead_decrypt(key, 9, associated, hd_bytes_of(sealed, size), plain));
  }
  for (size_t i = 0; i < sizeof sealed; i++) {
    sealed[i] ^= 1;
    CHECK_INT(HDHT_ERR_DECRYPTION, hd_aead_decrypt(key, 9, associated, hd_bytes_of(sealed, 21), plain));
    sealed[i] ^= 1;
  }
}

/* Recorded from @hyperswarm/secret-stream: a datagram of "hello" with counter 1. */
TEST(box_is_xsalsa20_poly1305_with_the_mac_in_front) {
  uint8_t box_key[32], nonce[24] = {1}, expected[21], sealed[21], plain[5];
  hd_test_hex("1a6b1f5b928f49b3c087c94ded7c3dc60c4321ce31e4340db63a14d42f5165fe", box_key, sizeof box_key);
  hd_test_hex("1501655ddfb4b70712328ddb69f3455232fe57e8cd", expected, sizeof expected);
  hd_box_seal(box_key, nonce, hd_bytes_of("hello", 5), sealed);
  CHECK_BYTES(expected, sealed, sizeof expected);
  CHECK_INT(HDHT_OK, hd_box_open(box_key, nonce, hd_bytes_of(sealed, sizeof sealed), plain));
  CHECK_BYTES("hello", plain, 5);
}

TEST(box_refuses_any_change_and_leaves_the_plaintext_alone) {
  uint8_t nonce[24] = {0}, sealed[21], plain[21];
  hd_box_seal(key, nonce, hd_bytes_of("hello", 5), sealed);
  memset(plain, 0xee, sizeof plain);
  for (size_t size = 0; size < 21; size++) {
    CHECK_INT(HDHT_ERR_DECRYPTION, hd_box_open(key, nonce, hd_bytes_of(sealed, size), plain));
  }
  for (size_t i = 0; i < sizeof sealed; i++) {
    sealed[i] ^= 1;
    CHECK_INT(HDHT_ERR_DECRYPTION, hd_box_open(key, nonce, hd_bytes_of(sealed, 21), plain));
    sealed[i] ^= 1;
  }
  for (size_t i = 0; i < sizeof plain; i++) CHECK_UINT(0xee, plain[i]);
}

TEST(box_may_overlap_its_plaintext) {
  uint8_t nonce[24] = {0}, apart[21], data[30];
  hd_box_seal(key, nonce, hd_bytes_of("hello", 5), apart);
  for (size_t offset = 0; offset < 25; offset++) {
    memcpy(data + offset, "hello", 5);
    hd_box_seal(key, nonce, hd_bytes_of(data + offset, 5), data);
    CHECK_BYTES(apart, data, sizeof apart);
    CHECK_INT(HDHT_OK, hd_box_open(key, nonce, hd_bytes_of(data, 21), data + offset));
    CHECK_BYTES("hello", data + offset, 5);
  }
}
