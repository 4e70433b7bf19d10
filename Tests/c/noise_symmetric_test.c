#include "noise/noise_symmetric.h"

#include "crypto/namespace.h"
#include "test.h"

static void check_hash(const char *expected_hex, const hd_noise_symmetric *symmetric) {
  uint8_t expected[HD_HASH_512_SIZE];
  hd_test_hex(expected_hex, expected, sizeof expected);
  CHECK_BYTES(expected, symmetric->hash, sizeof expected);
}

/* Recorded from noise-handshake: after the prologue, and for IK after the responder's key. */
TEST(noise_symmetric_starts_as_recorded) {
  hd_noise_symmetric symmetric;
  hd_noise_symmetric_init(&symmetric, "Noise_XX_Ed25519_ChaChaPoly_BLAKE2b");
  hd_noise_symmetric_mix_hash(&symmetric, hd_bytes_of(NULL, 0));
  check_hash(
      "ccb02d59b57b48c5bc64fafb7fc70680eb907d6830a9b039c39136733f44bbd6"
      "ebcddac9b202ff6bf777f1b1c8cb8cb964038751f8f11d8adb8ec976fea28f18",
      &symmetric);

  uint8_t responder[32];
  hd_test_hex("8139770ea87d175f56a35466c34c7ecccb8d8a91b4ee37a25df60f5b8fc9b394", responder, sizeof responder);
  hd_noise_symmetric_init(&symmetric, "Noise_IK_Ed25519_ChaChaPoly_BLAKE2b");
  hd_noise_symmetric_mix_hash(&symmetric, hd_bytes_of(hd_namespace_peer_handshake, 32));
  check_hash(
      "3fe4fd6ab7c8da0acc84b8c5592bc137fc9421fb475b8078383b5a0e05c7b6de"
      "a760fad38c1fcbeb4806372ed4e8029e67a19024fa33c92ae89a66b63bf055e7",
      &symmetric);
  hd_noise_symmetric_mix_hash(&symmetric, hd_bytes_of(responder, 32));
  check_hash(
      "c790644db568c8ae7f0132299e4720b8181e1ad03317d9b245ebecdc01d27c37"
      "8963e8709830f7f50cdffbd297cef921bf5d7a290d282cc055252457b616e708",
      &symmetric);
}

static hd_noise_symmetric keyed(void) {
  hd_noise_symmetric symmetric;
  hd_noise_symmetric_init(&symmetric, "Noise_XX_Ed25519_ChaChaPoly_BLAKE2b");
  hd_noise_symmetric_mix_key(&symmetric, (const uint8_t *)"shared", 6);
  return symmetric;
}

TEST(noise_symmetric_decrypts_in_place_and_agrees_with_the_sender) {
  hd_noise_symmetric send = keyed(), receive = keyed();
  uint8_t field[5 + 16];
  hd_noise_symmetric_encrypt_and_hash(&send, hd_bytes_of("hello", 5), field);
  CHECK_INT(HDHT_OK, hd_noise_symmetric_decrypt_and_hash(&receive, hd_bytes_of(field, sizeof field), field));
  CHECK_BYTES("hello", field, 5);
  CHECK_BYTES(&send, &receive, sizeof send);
}

TEST(noise_symmetric_mixes_nothing_in_when_decryption_fails) {
  hd_noise_symmetric send = keyed(), receive = keyed();
  const hd_noise_symmetric before = receive;
  uint8_t field[5 + 16], plain[5];
  hd_noise_symmetric_encrypt_and_hash(&send, hd_bytes_of("hello", 5), field);
  field[3] ^= 1;
  CHECK_INT(HDHT_ERR_DECRYPTION,
            hd_noise_symmetric_decrypt_and_hash(&receive, hd_bytes_of(field, sizeof field), plain));
  CHECK_BYTES(&before, &receive, sizeof before);
}

TEST(noise_symmetric_wipe_leaves_nothing) {
  static const hd_noise_symmetric zero;
  hd_noise_symmetric symmetric = keyed();
  hd_noise_symmetric_wipe(&symmetric);
  CHECK_BYTES(&zero, &symmetric, sizeof zero);
}
