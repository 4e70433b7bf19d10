/* BLAKE2b (RFC 7693) with 32 or 64 bytes of output. "The hash" without more words is BLAKE2b-256, as everywhere in the
 * DHT; Noise uses BLAKE2b-512. Nothing here can fail. */
#ifndef HD_HASH_H
#define HD_HASH_H

#include "base/bytes.h"

#define HD_HASH_SIZE         32
#define HD_HASH_512_SIZE     64
#define HD_HASH_KEY_SIZE_MAX 64

/* BLAKE2b-256. `data` may be NULL when `size` is 0, here and below. */
void hd_hash(const void *data, size_t size, uint8_t hash[HD_HASH_SIZE]);

/* BLAKE2b-256 of the parts one after the other. */
void hd_hash_parts(const hd_bytes *parts, size_t parts_count, uint8_t hash[HD_HASH_SIZE]);

/* BLAKE2b-256 in its keyed mode. `key_size` is 1 to 64 bytes. */
void hd_hash_keyed(const uint8_t *key, size_t key_size, const void *message, size_t size, uint8_t hash[HD_HASH_SIZE]);

/* BLAKE2b-512. */
void hd_hash_512(const void *data, size_t size, uint8_t hash[HD_HASH_512_SIZE]);

/* BLAKE2b-512 of the parts one after the other. */
void hd_hash_512_parts(const hd_bytes *parts, size_t parts_count, uint8_t hash[HD_HASH_512_SIZE]);

/* A hash in progress: init, any number of updates, final. May be copied. */
typedef struct hd_hash_state {
  _Alignas(64) uint8_t opaque[384];
} hd_hash_state;

/* `key_size` is 0 (key may be NULL) to 64 bytes; `hash_size` is 32 or 64 bytes. */
void hd_hash_init(hd_hash_state *state, const uint8_t *key, size_t key_size, size_t hash_size);
void hd_hash_update(hd_hash_state *state, const void *data, size_t size);

/* Writes the `hash_size` bytes given to init. The state is then used up and wiped. */
void hd_hash_final(hd_hash_state *state, uint8_t *hash, size_t hash_size);

#endif
