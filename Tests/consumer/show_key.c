/* A program as a user of the library would write one: derives a key pair from a seed, prints the public key both ways,
 * and signs something. All consumer projects build this file. */
#include <hdht/hdht.h>
#include <stdio.h>
#include <string.h>

static int fail(const char *what, int error) {
  fprintf(stderr, "%s: %s (%s)\n", what, hdht_error_message(error), hdht_error_name(error));
  return 1;
}

int main(void) {
  if (hdht_version() != HDHT_VERSION) {
    fprintf(stderr, "compiled against version %d, running with %s\n", HDHT_VERSION, hdht_version_string());
    return 1;
  }

  uint8_t seed[HDHT_SEED_SIZE];
  for (size_t i = 0; i < sizeof seed; i++) seed[i] = (uint8_t)i;
  hdht_key_pair key_pair;
  int error = hdht_key_pair_from_seed(seed, &key_pair);
  if (error != HDHT_OK) return fail("deriving the key pair", error);

  char hex[HDHT_PUBLIC_KEY_HEX_SIZE], z_base32[HDHT_PUBLIC_KEY_Z_BASE32_SIZE];
  error = hdht_public_key_to_hex(key_pair.public_key, hex);
  if (error == HDHT_OK) error = hdht_public_key_to_z_base32(key_pair.public_key, z_base32);
  if (error != HDHT_OK) return fail("printing the public key", error);
  printf("%s\n%s\n", hex, z_base32);

  uint8_t message[] = "signed by a consumer", signature[HDHT_SIGNATURE_SIZE];
  error = hdht_sign(&key_pair, message, sizeof message, signature);
  if (error == HDHT_OK) error = hdht_verify(key_pair.public_key, message, sizeof message, signature);
  if (error != HDHT_OK) return fail("signing", error);
  message[0] ^= 1;
  if (hdht_verify(key_pair.public_key, message, sizeof message, signature) != HDHT_ERR_BAD_SIGNATURE) return 1;

  hdht_key_pair_wipe(&key_pair);
  return 0;
}
