#include <hdht/error.h>
#include <hdht/noise.h>

#include "api/api_options.h"
#include "crypto/entropy.h"
#include "crypto/secret.h"
#include "noise/noise_handshake.h"

_Static_assert(sizeof(hdht_noise_result) == sizeof(hd_noise_result), "the public result is the internal one");
_Static_assert(offsetof(hdht_noise_result, handshake_hash) == offsetof(hd_noise_result, handshake_hash), "as above");
_Static_assert(HDHT_NOISE_MESSAGE_SIZE_LIMIT == HD_NOISE_MESSAGE_SIZE_LIMIT, "one limit");
_Static_assert(HDHT_NOISE_OVERHEAD_MAX == HD_NOISE_OVERHEAD_MAX, "one limit");
_Static_assert((int)HDHT_NOISE_IK == (int)HD_NOISE_IK && (int)HDHT_NOISE_XX == (int)HD_NOISE_XX, "one numbering");

struct hdht_noise {
  const hd_allocator *allocator;
  hd_noise_handshake handshake;
};

static const hdht_noise_options default_options = {.struct_size = sizeof(hdht_noise_options), .pattern = HDHT_NOISE_IK};

void hdht_noise_options_init(hdht_noise_options *options, size_t struct_size) {
  hd_api_init_struct(options, struct_size, &default_options, sizeof default_options);
}

static bool are_valid(const hdht_noise_options *options) {
  const bool needs_remote = options->pattern == HDHT_NOISE_IK && options->is_initiator == 1;
  return options->pattern <= HDHT_NOISE_XX && options->is_initiator <= 1 && options->key_pair != NULL &&
         needs_remote == (options->remote_public_key != NULL) &&
         (options->prologue != NULL || options->prologue_size == 0);
}

int hdht_noise_create(const hdht_noise_options *options, hdht_noise **noise) {
  hdht_noise_options chosen = default_options;
  if (noise == NULL || hd_api_read_struct(&chosen, sizeof chosen, options) != HDHT_OK || !are_valid(&chosen)) {
    return HDHT_ERR_INVALID_ARGUMENT;
  }
  uint8_t fresh_seed[HD_SEED_SIZE] = {0};
  if (chosen.ephemeral_seed == NULL) {
    const int error = hd_entropy_from_system(fresh_seed, sizeof fresh_seed);
    if (error != HDHT_OK) return error;
  }
  const hd_allocator *allocator = hd_allocator_or_system(chosen.allocator);
  hdht_noise *created = hd_allocate(allocator, sizeof *created);
  if (created != NULL) {
    hd_exchange_key static_key;
    hd_exchange_key_from_key_pair(&static_key, (const hd_key_pair *)chosen.key_pair);
    created->allocator = allocator;
    hd_noise_handshake_init(
        &created->handshake,
        &(hd_noise_options){.pattern = (hd_noise_pattern)chosen.pattern,
                            .is_initiator = chosen.is_initiator == 1,
                            .static_key = &static_key,
                            .ephemeral_seed = chosen.ephemeral_seed != NULL ? chosen.ephemeral_seed : fresh_seed,
                            .remote_public_key = chosen.remote_public_key,
                            .prologue = hd_bytes_of(chosen.prologue, chosen.prologue_size)});
    hd_exchange_key_wipe(&static_key);
    *noise = created;
  }
  hd_secret_wipe(fresh_seed, sizeof fresh_seed);
  return created != NULL ? HDHT_OK : HDHT_ERR_OUT_OF_MEMORY;
}

void hdht_noise_destroy(hdht_noise *noise) {
  if (noise != NULL) hd_secret_release(noise->allocator, noise, sizeof *noise);
}

int hdht_noise_is_writing(const hdht_noise *noise) {
  return noise != NULL && hd_noise_handshake_is_writing(&noise->handshake);
}

int hdht_noise_is_complete(const hdht_noise *noise) {
  return noise != NULL && hd_noise_handshake_result(&noise->handshake) != NULL;
}

size_t hdht_noise_overhead(const hdht_noise *noise) {
  return noise != NULL ? hd_noise_handshake_overhead(&noise->handshake) : 0;
}

int hdht_noise_write(hdht_noise *noise, const uint8_t *payload, size_t payload_size, uint8_t *message, size_t capacity,
                     size_t *message_size) {
  if (noise == NULL || (payload == NULL && payload_size > 0) || (message == NULL && capacity > 0) ||
      message_size == NULL) {
    return HDHT_ERR_INVALID_ARGUMENT;
  }
  return hd_noise_handshake_write(&noise->handshake, hd_bytes_of(payload, payload_size), message, capacity,
                                  message_size);
}

int hdht_noise_read(hdht_noise *noise, const uint8_t *message, size_t message_size, uint8_t *payload, size_t capacity,
                    size_t *payload_size) {
  if (noise == NULL || (message == NULL && message_size > 0) || (payload == NULL && capacity > 0) ||
      payload_size == NULL) {
    return HDHT_ERR_INVALID_ARGUMENT;
  }
  return hd_noise_handshake_read(&noise->handshake, hd_bytes_of(message, message_size), payload, capacity,
                                 payload_size);
}

int hdht_noise_remote_public_key(const hdht_noise *noise, uint8_t *public_key) {
  if (noise == NULL || public_key == NULL) return HDHT_ERR_INVALID_ARGUMENT;
  const uint8_t *known = hd_noise_handshake_remote_public_key(&noise->handshake);
  if (known == NULL) return HDHT_ERR_INVALID_STATE;
  memcpy(public_key, known, HDHT_PUBLIC_KEY_SIZE);
  return HDHT_OK;
}

int hdht_noise_get_result(const hdht_noise *noise, hdht_noise_result *result) {
  if (noise == NULL || result == NULL) return HDHT_ERR_INVALID_ARGUMENT;
  const hd_noise_result *known = hd_noise_handshake_result(&noise->handshake);
  if (known == NULL) return HDHT_ERR_INVALID_STATE;
  memcpy(result, known, sizeof *result);
  return HDHT_OK;
}

void hdht_noise_result_wipe(hdht_noise_result *result) {
  if (result != NULL) hd_secret_wipe(result, sizeof *result);
}
