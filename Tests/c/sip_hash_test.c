#include "base/sip_hash.h"

#include "test.h"

/* The paper's test key and messages: bytes counting up from 0. */
static const uint64_t paper_key[2] = {0x0706050403020100u, 0x0f0e0d0c0b0a0908u};

/* Computed with an independent implementation that gives the paper's result for SipHash-2-4 and CPython's hash() of
 * bytes (SipHash-1-3) for the all-zero key. */
TEST(sip_hash_is_sip_hash_1_3) {
  static const struct {
    size_t size;
    uint64_t hash;
  } cases[] = {
      {0, 0xabac0158050fc4dcu},  {1, 0xc9f49bf37d57ca93u},  {3, 0x8bf80ab8e7ddf7fbu},  {7, 0xd3927d989bb11140u},
      {8, 0x369095118d299a8eu},  {9, 0x25a48eb36c063de4u},  {15, 0xd320d86d2a519956u}, {16, 0xcc4fdd1a7d908b66u},
      {20, 0xc0dc2f46a6cce040u}, {32, 0x81157b6c16a7b60du}, {63, 0x9d199062b7bbb3a8u},
  };
  uint8_t message[64];
  for (size_t i = 0; i < sizeof message; i++) message[i] = (uint8_t)i;
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    CHECK_UINT(cases[i].hash, hd_sip_hash(paper_key, message, cases[i].size));
  }
}

/* A message of 7 bytes is one block whose top byte is the length, so the two functions meet there. */
TEST(the_hash_of_a_word_is_one_block) {
  CHECK_UINT(0xd3927d989bb11140u, hd_sip_hash_word(paper_key, 0x0706050403020100u));
}

TEST(each_half_of_the_seed_changes_the_hash) {
  const uint64_t low[2] = {paper_key[0] ^ 1, paper_key[1]}, high[2] = {paper_key[0], paper_key[1] ^ 1};
  CHECK(hd_sip_hash_word(paper_key, 5) != hd_sip_hash_word(low, 5));
  CHECK(hd_sip_hash_word(paper_key, 5) != hd_sip_hash_word(high, 5));
}

/* What a hash table needs of it: whichever bits of the word change, the low bits (the home) and the top bits (the tag)
 * spread evenly. 4096 words on 64 places: 64 each on average, standard deviation 8. */
TEST(words_that_differ_in_few_bits_spread_evenly) {
  for (int shift = 0; shift <= 48; shift += 8) {
    unsigned low[64] = {0}, high[64] = {0};
    for (uint64_t i = 0; i < 4096; i++) {
      const uint64_t hash = hd_sip_hash_word(paper_key, i << shift);
      low[hash % 64]++;
      high[hash >> 58]++;
    }
    for (int i = 0; i < 64; i++) CHECK(low[i] > 24 && low[i] < 104 && high[i] > 24 && high[i] < 104);
  }
}
