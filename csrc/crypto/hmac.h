/* HMAC (RFC 2104) over BLAKE2b-512 with its block of 128 bytes, and the two-output HKDF that Noise builds on it (Noise
 * revision 34, section 4.3). This is not BLAKE2b's own keyed mode. Nothing here can fail. */
#ifndef HD_HMAC_H
#define HD_HMAC_H

#include "base/bytes.h"

#define HD_HMAC_SIZE           64
#define HD_HMAC_BLOCK_SIZE     128
#define HD_HMAC_KEY_SIZE_LIMIT HD_HMAC_BLOCK_SIZE /* longer keys, which RFC 2104 would hash first, do not occur */

/* HMAC of the parts one after the other. `key_size` is at most 128 bytes. */
void hd_hmac(const uint8_t *key, size_t key_size, const hd_bytes *parts, size_t parts_count, uint8_t mac[HD_HMAC_SIZE]);

/* Noise's HKDF with two outputs of 64 bytes. `first` may be the chaining key itself. */
void hd_hkdf(const uint8_t chaining_key[HD_HMAC_SIZE], const uint8_t *input, size_t input_size,
             uint8_t first[HD_HMAC_SIZE], uint8_t second[HD_HMAC_SIZE]);

#endif
