#include "crypto/entropy.h"

#include <hdht/error.h>
#include <sodium.h>
#include <string.h>

#include "base/assertion.h"
#include "base/byte_order.h"
#include "crypto/backend.h"
#include "crypto/secret.h"

#if defined(__linux__) || defined(__FreeBSD__) || defined(__OpenBSD__) || defined(__NetBSD__)
#include <sys/random.h>
#include <unistd.h>
#define HAS_GETENTROPY 1
#endif

_Static_assert(HD_ENTROPY_SEED_SIZE == crypto_stream_chacha20_KEYBYTES, "the seed is the first key");

void hd_entropy_init(hd_entropy *entropy, const uint8_t seed[HD_ENTROPY_SEED_SIZE]) {
  hd_backend_prepare();
  *entropy = (hd_entropy){.available = 0};
  memcpy(entropy->key, seed, HD_ENTROPY_SEED_SIZE);
}

void hd_entropy_destroy(hd_entropy *entropy) {
  hd_secret_wipe(entropy, sizeof *entropy);
}

static void refill(hd_entropy *entropy) {
  static const uint8_t nonce[crypto_stream_chacha20_NONCEBYTES]; /* zero: each key is used once */
  uint8_t keystream[HD_ENTROPY_SEED_SIZE + HD_ENTROPY_BUFFER_SIZE];
  crypto_stream_chacha20(keystream, sizeof keystream, nonce, entropy->key);
  memcpy(entropy->key, keystream, HD_ENTROPY_SEED_SIZE);
  memcpy(entropy->buffer, keystream + HD_ENTROPY_SEED_SIZE, HD_ENTROPY_BUFFER_SIZE);
  entropy->available = HD_ENTROPY_BUFFER_SIZE;
  hd_secret_wipe(keystream, sizeof keystream);
}

void hd_entropy_fill(hd_entropy *entropy, void *bytes, size_t size) {
  uint8_t *to = bytes;
  while (size > 0) {
    if (entropy->available == 0) refill(entropy);
    const size_t step = size < entropy->available ? size : entropy->available;
    uint8_t *from = entropy->buffer + HD_ENTROPY_BUFFER_SIZE - entropy->available;
    memcpy(to, from, step);
    memset(from, 0, step); /* lives on in the struct, so no compiler may drop it */
    entropy->available -= step;
    to += step;
    size -= step;
  }
}

uint32_t hd_entropy_u32(hd_entropy *entropy) {
  uint8_t bytes[4];
  hd_entropy_fill(entropy, bytes, sizeof bytes);
  return hd_load_le32(bytes);
}

uint64_t hd_entropy_u64(hd_entropy *entropy) {
  uint8_t bytes[8];
  hd_entropy_fill(entropy, bytes, sizeof bytes);
  return hd_load_le64(bytes);
}

/* Lemire's method, as in base/random.c. */
uint64_t hd_entropy_below(hd_entropy *entropy, uint64_t bound) {
  hd_assert(bound > 0);
  const uint64_t threshold = -bound % bound;
  for (;;) {
    const unsigned __int128 product = (unsigned __int128)hd_entropy_u64(entropy) * bound;
    if ((uint64_t)product >= threshold) return (uint64_t)(product >> 64);
  }
}

int hd_entropy_from_system(void *bytes, size_t size) {
#if HAS_GETENTROPY
  uint8_t *to = bytes;
  for (size_t left = size; left > 0;) {
    const size_t step = left < 256 ? left : 256; /* getentropy gives no more at once */
    if (getentropy(to, step) != 0) {
      hd_secret_wipe(bytes, size);
      return HDHT_ERR_ENTROPY;
    }
    to += step;
    left -= step;
  }
#else
  hd_backend_prepare();
  randombytes_buf(bytes, size); /* the system's own generator; does not return without bytes */
#endif
  return HDHT_OK;
}
