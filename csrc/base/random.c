#include "base/random.h"

#include <string.h>

#include "base/assertion.h"
#include "base/byte_order.h"

static uint64_t rotate_left(uint64_t value, int bits) {
  return value << bits | value >> (64 - bits);
}

/* SplitMix64: recommended by xoshiro's authors to fill its state from one word. */
static uint64_t split_mix(uint64_t *state) {
  uint64_t mixed = *state += 0x9e3779b97f4a7c15u;
  mixed = (mixed ^ mixed >> 30) * 0xbf58476d1ce4e5b9u;
  mixed = (mixed ^ mixed >> 27) * 0x94d049bb133111ebu;
  return mixed ^ mixed >> 31;
}

hd_random hd_random_from_seed(uint64_t seed) {
  hd_random random;
  for (size_t i = 0; i < 4; i++) random.state[i] = split_mix(&seed);
  return random;
}

uint64_t hd_random_next(hd_random *random) {
  uint64_t *s = random->state;
  const uint64_t result = rotate_left(s[1] * 5, 7) * 9;
  const uint64_t shifted = s[1] << 17;
  s[2] ^= s[0];
  s[3] ^= s[1];
  s[1] ^= s[2];
  s[0] ^= s[3];
  s[2] ^= shifted;
  s[3] = rotate_left(s[3], 45);
  return result;
}

/* Lemire's method: the high half of a product, rejecting the few low halves that would favour some results. */
uint64_t hd_random_below(hd_random *random, uint64_t bound) {
  hd_assert(bound > 0);
  const uint64_t threshold = -bound % bound;
  for (;;) {
    const unsigned __int128 product = (unsigned __int128)hd_random_next(random) * bound;
    if ((uint64_t)product >= threshold) return (uint64_t)(product >> 64);
  }
}

double hd_random_unit(hd_random *random) {
  return (double)(hd_random_next(random) >> 11) * 0x1p-53;
}

void hd_random_fill(hd_random *random, void *bytes, size_t size) {
  uint8_t *to = bytes;
  while (size > 0) {
    uint8_t word[8];
    hd_store_le64(word, hd_random_next(random));
    const size_t step = size < sizeof word ? size : sizeof word;
    memcpy(to, word, step);
    to += step;
    size -= step;
  }
}
