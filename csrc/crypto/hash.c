#include "crypto/hash.h"

#include <sodium.h>

#include "crypto/backend.h"
#include "crypto/secret.h"

_Static_assert(sizeof(hd_hash_state) >= sizeof(crypto_generichash_blake2b_state), "the state must fit");
_Static_assert(HD_HASH_512_SIZE == crypto_generichash_blake2b_BYTES_MAX, "BLAKE2b-512 is the longest BLAKE2b");
_Static_assert(HD_HASH_KEY_SIZE_MAX == crypto_generichash_blake2b_KEYBYTES_MAX, "the longest key of BLAKE2b");

static void hash_once(const uint8_t *key, size_t key_size, const void *data, size_t size, uint8_t *hash,
                      size_t hash_size) {
  hd_backend_prepare();
  const int result = crypto_generichash_blake2b(hash, hash_size, data, size, key, key_size);
  hd_assert(result == 0); /* fails only for sizes out of range */
}

static void hash_parts(const hd_bytes *parts, size_t parts_count, uint8_t *hash, size_t hash_size) {
  hd_hash_state state;
  hd_hash_init(&state, NULL, 0, hash_size);
  for (size_t i = 0; i < parts_count; i++) hd_hash_update(&state, parts[i].data, parts[i].size);
  hd_hash_final(&state, hash, hash_size);
}

void hd_hash(const void *data, size_t size, uint8_t hash[HD_HASH_SIZE]) {
  hash_once(NULL, 0, data, size, hash, HD_HASH_SIZE);
}

void hd_hash_parts(const hd_bytes *parts, size_t parts_count, uint8_t hash[HD_HASH_SIZE]) {
  hash_parts(parts, parts_count, hash, HD_HASH_SIZE);
}

void hd_hash_keyed(const uint8_t *key, size_t key_size, const void *message, size_t size, uint8_t hash[HD_HASH_SIZE]) {
  hd_assert(key_size > 0);
  hash_once(key, key_size, message, size, hash, HD_HASH_SIZE);
}

void hd_hash_512(const void *data, size_t size, uint8_t hash[HD_HASH_512_SIZE]) {
  hash_once(NULL, 0, data, size, hash, HD_HASH_512_SIZE);
}

void hd_hash_512_parts(const hd_bytes *parts, size_t parts_count, uint8_t hash[HD_HASH_512_SIZE]) {
  hash_parts(parts, parts_count, hash, HD_HASH_512_SIZE);
}

static crypto_generichash_blake2b_state *inner_state(hd_hash_state *state) {
  return (crypto_generichash_blake2b_state *)(void *)state->opaque;
}

void hd_hash_init(hd_hash_state *state, const uint8_t *key, size_t key_size, size_t hash_size) {
  hd_assert(key_size <= HD_HASH_KEY_SIZE_MAX);
  hd_assert(hash_size == HD_HASH_SIZE || hash_size == HD_HASH_512_SIZE);
  hd_backend_prepare();
  const int result = crypto_generichash_blake2b_init(inner_state(state), key, key_size, hash_size);
  hd_assert(result == 0);
}

void hd_hash_update(hd_hash_state *state, const void *data, size_t size) {
  if (size > 0) crypto_generichash_blake2b_update(inner_state(state), data, size);
}

void hd_hash_final(hd_hash_state *state, uint8_t *hash, size_t hash_size) {
  const int result = crypto_generichash_blake2b_final(inner_state(state), hash, hash_size);
  hd_assert(result == 0); /* fails only for a wrong size or a used-up state */
  hd_secret_wipe(state, sizeof *state);
}
