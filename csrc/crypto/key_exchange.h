/* Diffie-Hellman on Ed25519 keys, as `noise-curve-ed` defines it: the clamped signing scalar times the other side's
 * public point; the compressed Edwards point is the shared secret as it is, without a detour over X25519. */
#ifndef HD_KEY_EXCHANGE_H
#define HD_KEY_EXCHANGE_H

#include "crypto/signature.h"

#define HD_KEY_EXCHANGE_SIZE 32

/* A key pair made ready for key exchange: the scalar is derived once, not for every exchange. Wiped by its owner. */
typedef struct hd_exchange_key {
  uint8_t public_key[HD_PUBLIC_KEY_SIZE];
  uint8_t scalar[32]; /* clamped, little-endian */
} hd_exchange_key;

/* From a whole key pair; the public key is copied, not computed. */
void hd_exchange_key_from_key_pair(hd_exchange_key *key, const hd_key_pair *key_pair);

/* From a seed alone; computes the public key. */
void hd_exchange_key_from_seed(hd_exchange_key *key, const uint8_t seed[HD_SEED_SIZE]);

void hd_exchange_key_wipe(hd_exchange_key *key);

/* Computes the secret both sides share.
 *
 * shared  [out] 32 bytes, untouched on error; the caller wipes them
 *
 * Errors: HDHT_ERR_INVALID_KEY if the public key is not canonical, not on the curve, of small order or outside the
 * prime-order group. */
int hd_key_exchange(const hd_exchange_key *key, const uint8_t public_key[HD_PUBLIC_KEY_SIZE],
                    uint8_t shared[HD_KEY_EXCHANGE_SIZE]);

#endif
