#include "crypto/hmac.h"

#include "crypto/hash.h"
#include "crypto/secret.h"

static void begin_pass(hd_hash_state *state, const uint8_t *key, size_t key_size, uint8_t pad) {
  uint8_t block[HD_HMAC_BLOCK_SIZE];
  memset(block, pad, sizeof block);
  for (size_t i = 0; i < key_size; i++) block[i] ^= key[i];
  hd_hash_init(state, NULL, 0, HD_HASH_512_SIZE);
  hd_hash_update(state, block, sizeof block);
  hd_secret_wipe(block, sizeof block);
}

void hd_hmac(const uint8_t *key, size_t key_size, const hd_bytes *parts, size_t parts_count,
             uint8_t mac[HD_HMAC_SIZE]) {
  hd_assert(key_size <= HD_HMAC_KEY_SIZE_LIMIT);
  hd_hash_state state;
  uint8_t inner[HD_HMAC_SIZE];
  begin_pass(&state, key, key_size, 0x36);
  for (size_t i = 0; i < parts_count; i++) hd_hash_update(&state, parts[i].data, parts[i].size);
  hd_hash_final(&state, inner, sizeof inner);

  begin_pass(&state, key, key_size, 0x5c);
  hd_hash_update(&state, inner, sizeof inner);
  hd_hash_final(&state, mac, HD_HMAC_SIZE);
  hd_secret_wipe(inner, sizeof inner);
}

void hd_hkdf(const uint8_t chaining_key[HD_HMAC_SIZE], const uint8_t *input, size_t input_size,
             uint8_t first[HD_HMAC_SIZE], uint8_t second[HD_HMAC_SIZE]) {
  static const uint8_t one = 1, two = 2;
  uint8_t temporary_key[HD_HMAC_SIZE];
  const hd_bytes input_part = hd_bytes_of(input, input_size);
  hd_hmac(chaining_key, HD_HMAC_SIZE, &input_part, 1, temporary_key);

  const hd_bytes first_part = hd_bytes_of(&one, 1);
  hd_hmac(temporary_key, sizeof temporary_key, &first_part, 1, first);

  const hd_bytes second_parts[] = {hd_bytes_of(first, HD_HMAC_SIZE), hd_bytes_of(&two, 1)};
  hd_hmac(temporary_key, sizeof temporary_key, second_parts, 2, second);
  hd_secret_wipe(temporary_key, sizeof temporary_key);
}
