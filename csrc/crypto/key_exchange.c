#include "crypto/key_exchange.h"

#include <hdht/error.h>
#include <sodium.h>
#include <string.h>

#include "base/assertion.h"
#include "crypto/backend.h"
#include "crypto/secret.h"

_Static_assert(HD_KEY_EXCHANGE_SIZE == crypto_scalarmult_ed25519_BYTES, "a compressed point");

/* The scalar that Ed25519 signs with (RFC 8032, section 5.1.5, steps 1 and 2). */
static void derive_scalar(const uint8_t seed[HD_SEED_SIZE], uint8_t scalar[32]) {
  uint8_t digest[crypto_hash_sha512_BYTES];
  crypto_hash_sha512(digest, seed, HD_SEED_SIZE);
  digest[0] &= 0xf8;
  digest[31] &= 0x7f;
  digest[31] |= 0x40;
  memcpy(scalar, digest, 32);
  hd_secret_wipe(digest, sizeof digest);
}

void hd_exchange_key_from_key_pair(hd_exchange_key *key, const hd_key_pair *key_pair) {
  memcpy(key->public_key, key_pair->public_key, HD_PUBLIC_KEY_SIZE);
  derive_scalar(key_pair->secret_key, key->scalar);
}

void hd_exchange_key_from_seed(hd_exchange_key *key, const uint8_t seed[HD_SEED_SIZE]) {
  hd_backend_prepare();
  derive_scalar(seed, key->scalar);
  const int result = crypto_scalarmult_ed25519_base_noclamp(key->public_key, key->scalar);
  hd_assert(result == 0); /* a clamped scalar is never a multiple of the group's order */
}

void hd_exchange_key_wipe(hd_exchange_key *key) {
  hd_secret_wipe(key, sizeof *key);
}

int hd_key_exchange(const hd_exchange_key *key, const uint8_t public_key[HD_PUBLIC_KEY_SIZE],
                    uint8_t shared[HD_KEY_EXCHANGE_SIZE]) {
  uint8_t point[HD_KEY_EXCHANGE_SIZE];
  if (crypto_scalarmult_ed25519_noclamp(point, key->scalar, public_key) != 0) return HDHT_ERR_INVALID_KEY;
  memcpy(shared, point, sizeof point);
  hd_secret_wipe(point, sizeof point);
  return HDHT_OK;
}
