/* Ed25519 key pairs and detached signatures (RFC 8032, as libsodium verifies: no small-order keys, no malleable
 * signatures). The same key pair also does the Diffie-Hellman of key_exchange.h. */
#ifndef HD_SIGNATURE_H
#define HD_SIGNATURE_H

#include <hdht/types.h>

#include "crypto/entropy.h"

#define HD_SEED_SIZE       HDHT_SEED_SIZE
#define HD_PUBLIC_KEY_SIZE HDHT_PUBLIC_KEY_SIZE
#define HD_SECRET_KEY_SIZE HDHT_SECRET_KEY_SIZE
#define HD_SIGNATURE_SIZE  HDHT_SIGNATURE_SIZE

typedef struct hd_key_pair {
  uint8_t public_key[HD_PUBLIC_KEY_SIZE];
  uint8_t secret_key[HD_SECRET_KEY_SIZE]; /* the seed, then the public key again */
} hd_key_pair;

/* The key pair that belongs to the seed. */
void hd_key_pair_from_seed(hd_key_pair *key_pair, const uint8_t seed[HD_SEED_SIZE]);

/* A new key pair. */
void hd_key_pair_from_entropy(hd_key_pair *key_pair, hd_entropy *entropy);

void hd_key_pair_wipe(hd_key_pair *key_pair);

/* Signs `size` bytes. The second half of the secret key must be its public key. */
void hd_signature_sign(const uint8_t secret_key[HD_SECRET_KEY_SIZE], const void *message, size_t size,
                       uint8_t signature[HD_SIGNATURE_SIZE]);

/* Errors: HDHT_ERR_BAD_SIGNATURE, also when the public key is no usable point. */
int hd_signature_verify(const uint8_t public_key[HD_PUBLIC_KEY_SIZE], const void *message, size_t size,
                        const uint8_t signature[HD_SIGNATURE_SIZE]);

#endif
