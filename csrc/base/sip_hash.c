#include "base/sip_hash.h"

#include "base/byte_order.h"

/* The last word: the bytes that fill no word of their own, and the length modulo 256 on top. */
static uint64_t last_word(const uint8_t *rest, size_t size) {
  uint64_t word = (uint64_t)size << 56;
  for (size_t i = 0; i < size % 8; i++) word |= (uint64_t)rest[i] << (8 * i);
  return word;
}

uint64_t hd_sip_hash(const uint64_t seed[2], const void *bytes, size_t size) {
  const uint8_t *next = bytes;
  hd_sip_state state = hd_sip_start(seed);
  for (size_t words = size / 8; words > 0; words--, next += 8) state = hd_sip_absorb(state, hd_load_le64(next));
  return hd_sip_finish(hd_sip_absorb(state, last_word(next, size)));
}
