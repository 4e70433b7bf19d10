#include "crypto/signature.h"

#include <hdht/error.h>
#include <sodium.h>

#include "crypto/backend.h"
#include "crypto/secret.h"

_Static_assert(HD_SEED_SIZE == crypto_sign_SEEDBYTES, "libsodium's form of keys");
_Static_assert(HD_PUBLIC_KEY_SIZE == crypto_sign_PUBLICKEYBYTES, "libsodium's form of keys");
_Static_assert(HD_SECRET_KEY_SIZE == crypto_sign_SECRETKEYBYTES, "libsodium's form of keys");
_Static_assert(HD_SIGNATURE_SIZE == crypto_sign_BYTES, "libsodium's form of signatures");

void hd_key_pair_from_seed(hd_key_pair *key_pair, const uint8_t seed[HD_SEED_SIZE]) {
  hd_backend_prepare();
  crypto_sign_seed_keypair(key_pair->public_key, key_pair->secret_key, seed);
}

void hd_key_pair_from_entropy(hd_key_pair *key_pair, hd_entropy *entropy) {
  uint8_t seed[HD_SEED_SIZE];
  hd_entropy_fill(entropy, seed, sizeof seed);
  hd_key_pair_from_seed(key_pair, seed);
  hd_secret_wipe(seed, sizeof seed);
}

void hd_key_pair_wipe(hd_key_pair *key_pair) {
  hd_secret_wipe(key_pair, sizeof *key_pair);
}

void hd_signature_sign(const uint8_t secret_key[HD_SECRET_KEY_SIZE], const void *message, size_t size,
                       uint8_t signature[HD_SIGNATURE_SIZE]) {
  crypto_sign_detached(signature, NULL, message, size, secret_key);
}

int hd_signature_verify(const uint8_t public_key[HD_PUBLIC_KEY_SIZE], const void *message, size_t size,
                        const uint8_t signature[HD_SIGNATURE_SIZE]) {
  const int result = crypto_sign_verify_detached(signature, message, size, public_key);
  return result == 0 ? HDHT_OK : HDHT_ERR_BAD_SIGNATURE;
}
