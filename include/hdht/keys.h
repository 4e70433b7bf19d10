/* Ed25519 key pairs, signatures, the DHT's hash, and keys as text. Everything here may be called on any thread. */
#ifndef HDHT_KEYS_H
#define HDHT_KEYS_H

#include <hdht/types.h>

#ifdef __cplusplus
extern "C" {
#endif

#define HDHT_PUBLIC_KEY_HEX_SIZE      65 /* 64 characters and the terminating NUL */
#define HDHT_PUBLIC_KEY_Z_BASE32_SIZE 53 /* 52 characters and the terminating NUL */

/* A key pair. Wipe it with hdht_key_pair_wipe when done: the secret key is in it. */
typedef struct hdht_key_pair {
  uint8_t public_key[HDHT_PUBLIC_KEY_SIZE];
  uint8_t secret_key[HDHT_SECRET_KEY_SIZE]; /* the 32-byte seed, then the public key again, as libsodium has it */
} hdht_key_pair;

/* Fills `bytes` from the operating system.
 * Errors: HDHT_ERR_INVALID_ARGUMENT, HDHT_ERR_ENTROPY. */
HDHT_API int hdht_random_bytes(uint8_t *bytes, size_t size);

/* Makes a new key pair from the operating system's entropy.
 * Errors: HDHT_ERR_INVALID_ARGUMENT, HDHT_ERR_ENTROPY. */
HDHT_API int hdht_key_pair_generate(hdht_key_pair *key_pair);

/* The key pair that belongs to the seed of HDHT_SEED_SIZE bytes; the same on every machine.
 * Errors: HDHT_ERR_INVALID_ARGUMENT. */
HDHT_API int hdht_key_pair_from_seed(const uint8_t *seed, hdht_key_pair *key_pair);

/* Overwrites the key pair with zeros. NULL is ignored. */
HDHT_API void hdht_key_pair_wipe(hdht_key_pair *key_pair);

/* Signs `size` bytes (RFC 8032, detached).
 *
 * signature  [out] HDHT_SIGNATURE_SIZE bytes
 *
 * Errors: HDHT_ERR_INVALID_ARGUMENT. */
HDHT_API int hdht_sign(const hdht_key_pair *key_pair, const uint8_t *message, size_t size, uint8_t *signature);

/* Checks a detached signature of HDHT_SIGNATURE_SIZE bytes.
 * Errors: HDHT_ERR_INVALID_ARGUMENT, HDHT_ERR_BAD_SIGNATURE. */
HDHT_API int hdht_verify(const uint8_t *public_key, const uint8_t *message, size_t size, const uint8_t *signature);

/* BLAKE2b-256, the hash the DHT names things by. A peer is announced under the hash of its public key.
 *
 * hash  [out] HDHT_HASH_SIZE bytes
 *
 * Errors: HDHT_ERR_INVALID_ARGUMENT. */
HDHT_API int hdht_hash(const uint8_t *data, size_t size, uint8_t *hash);

/* BLAKE2b-256 in its keyed mode: what both sides of a Noise handshake derive from its hash, the key, and a namespace,
 * the message. `key_size` is 1 to 64 bytes.
 *
 * hash  [out] HDHT_HASH_SIZE bytes
 *
 * Errors: HDHT_ERR_INVALID_ARGUMENT. */
HDHT_API int hdht_hash_keyed(const uint8_t *key, size_t key_size, const uint8_t *message, size_t size, uint8_t *hash);

/* The namespaces that keep one protocol's hashes and signatures from being taken for another's. */
enum {
  HDHT_NAMESPACE_PEER_HANDSHAKE = 0, /* the prologue of the handshake between peers of the DHT */
  HDHT_NAMESPACE_PEER_HOLEPUNCH = 1,
  HDHT_NAMESPACE_ANNOUNCE = 4,
  HDHT_NAMESPACE_UNANNOUNCE = 5,
  HDHT_NAMESPACE_MUTABLE_PUT = 6
};

/* name_space  [out] HDHT_HASH_SIZE bytes
 *
 * Errors: HDHT_ERR_INVALID_ARGUMENT, also for a number that is none of the above. */
HDHT_API int hdht_namespace(uint32_t number, uint8_t *name_space);

/* Writes a public key as lower-case hexadecimal or z-base-32 text with its NUL: the sizes above.
 * Errors: HDHT_ERR_INVALID_ARGUMENT. */
HDHT_API int hdht_public_key_to_hex(const uint8_t *public_key, char *text);
HDHT_API int hdht_public_key_to_z_base32(const uint8_t *public_key, char *text);

/* Reads a public key from text of `length` characters (no NUL needed): 64 of hexadecimal or 52 of z-base-32. Says
 * nothing about whether the key is usable. Errors: HDHT_ERR_INVALID_ARGUMENT, HDHT_ERR_MALFORMED. */
HDHT_API int hdht_public_key_from_text(const char *text, size_t length, uint8_t *public_key);

#ifdef __cplusplus
}
#endif

#endif
