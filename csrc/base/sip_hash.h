/* SipHash-1-3 (Aumasson and Bernstein 2012; one compression round per word, three to finish): a keyed hash short enough
 * for hash tables. Without the seed nobody can predict which keys collide, and table behaviour is all that ever depends
 * on the result; use crypto/ for anything that leaves the process. */
#ifndef HD_SIP_HASH_H
#define HD_SIP_HASH_H

#include <stddef.h>
#include <stdint.h>

typedef struct hd_sip_state {
  uint64_t v0, v1, v2, v3;
} hd_sip_state;

static inline uint64_t hd_sip_rotate(uint64_t value, int bits) {
  return value << bits | value >> (64 - bits);
}

static inline hd_sip_state hd_sip_start(const uint64_t seed[2]) {
  return (hd_sip_state){
      .v0 = seed[0] ^ 0x736f6d6570736575u,
      .v1 = seed[1] ^ 0x646f72616e646f6du,
      .v2 = seed[0] ^ 0x6c7967656e657261u,
      .v3 = seed[1] ^ 0x7465646279746573u,
  };
}

static inline hd_sip_state hd_sip_round(hd_sip_state s) {
  s.v0 += s.v1;
  s.v1 = hd_sip_rotate(s.v1, 13) ^ s.v0;
  s.v0 = hd_sip_rotate(s.v0, 32);
  s.v2 += s.v3;
  s.v3 = hd_sip_rotate(s.v3, 16) ^ s.v2;
  s.v0 += s.v3;
  s.v3 = hd_sip_rotate(s.v3, 21) ^ s.v0;
  s.v2 += s.v1;
  s.v1 = hd_sip_rotate(s.v1, 17) ^ s.v2;
  s.v2 = hd_sip_rotate(s.v2, 32);
  return s;
}

static inline hd_sip_state hd_sip_absorb(hd_sip_state s, uint64_t word) {
  s.v3 ^= word;
  s = hd_sip_round(s);
  s.v0 ^= word;
  return s;
}

static inline uint64_t hd_sip_finish(hd_sip_state s) {
  s.v2 ^= 0xff;
  s = hd_sip_round(hd_sip_round(hd_sip_round(s)));
  return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}

/* The hash of one word: a single block without SipHash's length byte. The length only keeps messages of different
 * lengths apart, so among keys of one fixed length nothing is lost: it is as hard to predict as the full function, and
 * takes half the rounds for 8-byte keys. */
static inline uint64_t hd_sip_hash_word(const uint64_t seed[2], uint64_t word) {
  return hd_sip_finish(hd_sip_absorb(hd_sip_start(seed), word));
}

/* SipHash-1-3 of any bytes, as published. `seed` is the 128-bit key as two words that the paper reads little-endian. */
uint64_t hd_sip_hash(const uint64_t seed[2], const void *bytes, size_t size);

#endif
