#include <hdht/error.h>
#include <hdht/keys.h>

#include "base/text.h"
#include "crypto/entropy.h"
#include "crypto/hash.h"
#include "crypto/namespace.h"
#include "crypto/secret.h"
#include "crypto/signature.h"

_Static_assert(sizeof(hdht_key_pair) == sizeof(hd_key_pair), "the public key pair is the internal one");
_Static_assert(HDHT_PUBLIC_KEY_HEX_SIZE == HD_TEXT_HEX_LENGTH(HDHT_PUBLIC_KEY_SIZE) + 1,
               "hexadecimal text and its NUL");
_Static_assert(HDHT_PUBLIC_KEY_Z_BASE32_SIZE == HD_TEXT_Z32_LENGTH(HDHT_PUBLIC_KEY_SIZE) + 1,
               "z-base-32 text and its NUL");

int hdht_random_bytes(uint8_t *bytes, size_t size) {
  if (bytes == NULL && size > 0) return HDHT_ERR_INVALID_ARGUMENT;
  return size > 0 ? hd_entropy_from_system(bytes, size) : HDHT_OK;
}

int hdht_key_pair_generate(hdht_key_pair *key_pair) {
  if (key_pair == NULL) return HDHT_ERR_INVALID_ARGUMENT;
  uint8_t seed[HDHT_SEED_SIZE];
  const int error = hd_entropy_from_system(seed, sizeof seed);
  if (error == HDHT_OK) (void)hdht_key_pair_from_seed(seed, key_pair);
  hd_secret_wipe(seed, sizeof seed);
  return error;
}

int hdht_key_pair_from_seed(const uint8_t *seed, hdht_key_pair *key_pair) {
  if (seed == NULL || key_pair == NULL) return HDHT_ERR_INVALID_ARGUMENT;
  hd_key_pair_from_seed((hd_key_pair *)key_pair, seed);
  return HDHT_OK;
}

void hdht_key_pair_wipe(hdht_key_pair *key_pair) {
  if (key_pair != NULL) hd_secret_wipe(key_pair, sizeof *key_pair);
}

int hdht_sign(const hdht_key_pair *key_pair, const uint8_t *message, size_t size, uint8_t *signature) {
  if (key_pair == NULL || (message == NULL && size > 0) || signature == NULL) return HDHT_ERR_INVALID_ARGUMENT;
  hd_signature_sign(key_pair->secret_key, message, size, signature);
  return HDHT_OK;
}

int hdht_verify(const uint8_t *public_key, const uint8_t *message, size_t size, const uint8_t *signature) {
  if (public_key == NULL || (message == NULL && size > 0) || signature == NULL) return HDHT_ERR_INVALID_ARGUMENT;
  return hd_signature_verify(public_key, message, size, signature);
}

int hdht_hash(const uint8_t *data, size_t size, uint8_t *hash) {
  if ((data == NULL && size > 0) || hash == NULL) return HDHT_ERR_INVALID_ARGUMENT;
  hd_hash(data, size, hash);
  return HDHT_OK;
}

int hdht_hash_keyed(const uint8_t *key, size_t key_size, const uint8_t *message, size_t size, uint8_t *hash) {
  if (key == NULL || key_size == 0 || key_size > HD_HASH_KEY_SIZE_MAX) return HDHT_ERR_INVALID_ARGUMENT;
  if ((message == NULL && size > 0) || hash == NULL) return HDHT_ERR_INVALID_ARGUMENT;
  hd_hash_keyed(key, key_size, message, size, hash);
  return HDHT_OK;
}

static const uint8_t *find_namespace(uint32_t number) {
  switch (number) {
    case HDHT_NAMESPACE_PEER_HANDSHAKE: return hd_namespace_peer_handshake;
    case HDHT_NAMESPACE_PEER_HOLEPUNCH: return hd_namespace_peer_holepunch;
    case HDHT_NAMESPACE_ANNOUNCE: return hd_namespace_announce;
    case HDHT_NAMESPACE_UNANNOUNCE: return hd_namespace_unannounce;
    case HDHT_NAMESPACE_MUTABLE_PUT: return hd_namespace_mutable_put;
    default: return NULL;
  }
}

int hdht_namespace(uint32_t number, uint8_t *name_space) {
  const uint8_t *found = find_namespace(number);
  if (found == NULL || name_space == NULL) return HDHT_ERR_INVALID_ARGUMENT;
  memcpy(name_space, found, HDHT_HASH_SIZE);
  return HDHT_OK;
}

int hdht_public_key_to_hex(const uint8_t *public_key, char *text) {
  if (public_key == NULL || text == NULL) return HDHT_ERR_INVALID_ARGUMENT;
  hd_text_hex_encode(public_key, HDHT_PUBLIC_KEY_SIZE, text);
  return HDHT_OK;
}

int hdht_public_key_to_z_base32(const uint8_t *public_key, char *text) {
  if (public_key == NULL || text == NULL) return HDHT_ERR_INVALID_ARGUMENT;
  hd_text_z32_encode(public_key, HDHT_PUBLIC_KEY_SIZE, text);
  return HDHT_OK;
}

int hdht_public_key_from_text(const char *text, size_t length, uint8_t *public_key) {
  if (text == NULL || public_key == NULL) return HDHT_ERR_INVALID_ARGUMENT;
  return length == HD_TEXT_HEX_LENGTH(HDHT_PUBLIC_KEY_SIZE)
             ? hd_text_hex_decode(text, length, public_key, HDHT_PUBLIC_KEY_SIZE)
             : hd_text_z32_decode(text, length, public_key, HDHT_PUBLIC_KEY_SIZE);
}
