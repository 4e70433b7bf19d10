/* A small, fast, seeded generator (xoshiro256**, Blackman and Vigna 2018) for choices that need no secrecy: jitter,
 * shuffles, the simulator. The same seed gives the same sequence on every machine. Anything an attacker must not guess
 * (keys, tokens, stream ids, transaction ids) comes from crypto/entropy.h instead. */
#ifndef HD_RANDOM_H
#define HD_RANDOM_H

#include <stddef.h>
#include <stdint.h>

typedef struct hd_random {
  uint64_t state[4]; /* never all zero */
} hd_random;

/* Expands any 64-bit seed, 0 included. */
hd_random hd_random_from_seed(uint64_t seed);

uint64_t hd_random_next(hd_random *random);

/* Uniform in [0, bound), without bias. `bound` > 0. */
uint64_t hd_random_below(hd_random *random, uint64_t bound);

/* Uniform in [0, 1). */
double hd_random_unit(hd_random *random);

/* Fills `size` bytes. */
void hd_random_fill(hd_random *random, void *bytes, size_t size);

#endif
