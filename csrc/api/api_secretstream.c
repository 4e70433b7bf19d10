#include <hdht/error.h>
#include <hdht/secretstream.h>

#include "api/api_options.h"
#include "crypto/secret.h"
#include "secretstream/secretstream.h"

_Static_assert(HDHT_SECRETSTREAM_ID_SIZE == HD_SECRETSTREAM_ID_SIZE, "one size");
_Static_assert(HDHT_SECRETSTREAM_OVERHEAD == HD_SECRETSTREAM_OVERHEAD, "one size");
_Static_assert(HDHT_SECRETSTREAM_MESSAGE_OFFSET == HD_SECRETSTREAM_MESSAGE_OFFSET, "one size");
_Static_assert(HDHT_SECRETSTREAM_MESSAGE_SIZE_MAX == HD_SECRETSTREAM_MESSAGE_SIZE_MAX, "one size");
_Static_assert(HDHT_SECRETSTREAM_OUTPUT_SIZE_MAX == HD_SECRETSTREAM_OUTPUT_SIZE_MAX, "one size");
_Static_assert(HDHT_SECRETSTREAM_DATAGRAM_OVERHEAD == HD_SECRETSTREAM_DATAGRAM_OVERHEAD, "one size");
_Static_assert((int)HDHT_SECRETSTREAM_NONE == (int)HD_SECRETSTREAM_NONE, "one numbering");
_Static_assert((int)HDHT_SECRETSTREAM_OPENED == (int)HD_SECRETSTREAM_OPENED, "one numbering");
_Static_assert((int)HDHT_SECRETSTREAM_MESSAGE == (int)HD_SECRETSTREAM_MESSAGE, "one numbering");
_Static_assert(sizeof(hdht_noise_result) == sizeof(hd_noise_result), "the public result is the internal one");

struct hdht_secretstream {
  hd_secretstream core;
  uint8_t seed[HD_SEED_SIZE]; /* of all randomness; until the start */
  uint8_t public_key[HD_PUBLIC_KEY_SIZE];
  bool has_public_key;
};

static const hdht_secretstream_options default_options = {.struct_size = sizeof(hdht_secretstream_options)};
static const hdht_secretstream_handshake default_handshake = {.struct_size = sizeof(hdht_secretstream_handshake),
                                                              .pattern = HDHT_NOISE_XX};

void hdht_secretstream_options_init(hdht_secretstream_options *options, size_t struct_size) {
  hd_api_init_struct(options, struct_size, &default_options, sizeof default_options);
}

void hdht_secretstream_handshake_init(hdht_secretstream_handshake *handshake, size_t struct_size) {
  hd_api_init_struct(handshake, struct_size, &default_handshake, sizeof default_handshake);
}

static hd_time time_of(uint64_t now_us) {
  return (hd_time){now_us};
}

static int take_seed(uint8_t to[HD_SEED_SIZE], const uint8_t *given) {
  if (given == NULL) return hd_entropy_from_system(to, HD_SEED_SIZE);
  memcpy(to, given, HD_SEED_SIZE);
  return HDHT_OK;
}

int hdht_secretstream_create(const hdht_secretstream_options *options, hdht_secretstream **stream) {
  hdht_secretstream_options chosen = default_options;
  if (stream == NULL) return HDHT_ERR_INVALID_ARGUMENT;
  if (options != NULL && hd_api_read_struct(&chosen, sizeof chosen, options) != HDHT_OK) {
    return HDHT_ERR_INVALID_ARGUMENT;
  }
  if (chosen.message_size_limit > HDHT_SECRETSTREAM_MESSAGE_SIZE_MAX) return HDHT_ERR_INVALID_ARGUMENT;

  const hd_allocator *allocator = hd_allocator_or_system(chosen.allocator);
  hdht_secretstream *created = hd_allocate_zeroed(allocator, sizeof *created);
  if (created == NULL) return HDHT_ERR_OUT_OF_MEMORY;
  const int error = take_seed(created->seed, chosen.seed);
  if (error != HDHT_OK) {
    hd_release(allocator, created, sizeof *created);
    return error;
  }
  hd_secretstream_init(&created->core, &(hd_secretstream_options){.allocator = allocator,
                                                                  .message_size_limit = chosen.message_size_limit});
  hd_secretstream_set_keep_alive(&created->core, time_of(0), HD_MILLISECONDS(chosen.keep_alive_ms));
  hd_secretstream_set_timeout(&created->core, time_of(0), HD_MILLISECONDS(chosen.timeout_ms));
  *stream = created;
  return HDHT_OK;
}

void hdht_secretstream_destroy(hdht_secretstream *stream) {
  if (stream == NULL) return;
  const hd_allocator *allocator = stream->core.allocator;
  hd_secretstream_destroy(&stream->core);
  hd_secret_release(allocator, stream, sizeof *stream);
}

/* What is drawn from the seed, always in this order, so that a seed repeats a stream. */
typedef struct drawn {
  uint8_t static_seed[HD_SEED_SIZE];
  uint8_t ephemeral_seed[HD_SEED_SIZE];
  hd_secretstream_randomness randomness;
} drawn;

static void draw(const hdht_secretstream *stream, drawn *all) {
  hd_entropy entropy;
  hd_entropy_init(&entropy, stream->seed);
  hd_entropy_fill(&entropy, all->static_seed, sizeof all->static_seed);
  hd_entropy_fill(&entropy, all->ephemeral_seed, sizeof all->ephemeral_seed);
  hd_entropy_fill(&entropy, all->randomness.cipher_header, sizeof all->randomness.cipher_header);
  hd_entropy_fill(&entropy, all->randomness.counter_start, sizeof all->randomness.counter_start);
  hd_entropy_destroy(&entropy);
}

static bool is_valid_handshake(const hdht_secretstream_handshake *handshake) {
  const bool needs_remote = handshake->pattern == HDHT_NOISE_IK && handshake->is_initiator == 1;
  return handshake->pattern <= HDHT_NOISE_XX && handshake->is_initiator <= 1 &&
         needs_remote == (handshake->remote_public_key != NULL);
}

int hdht_secretstream_start_handshake(hdht_secretstream *stream, uint64_t now_us,
                                      const hdht_secretstream_handshake *handshake) {
  hdht_secretstream_handshake chosen = default_handshake;
  if (stream == NULL || hd_api_read_struct(&chosen, sizeof chosen, handshake) != HDHT_OK ||
      !is_valid_handshake(&chosen)) {
    return HDHT_ERR_INVALID_ARGUMENT;
  }
  if (stream->core.phase != HD_SECRETSTREAM_UNSTARTED) return HDHT_ERR_INVALID_STATE;

  drawn all;
  hd_exchange_key static_key;
  draw(stream, &all);
  if (chosen.key_pair != NULL) {
    hd_exchange_key_from_key_pair(&static_key, (const hd_key_pair *)chosen.key_pair);
  } else {
    hd_exchange_key_from_seed(&static_key, all.static_seed);
  }
  const int error = hd_secretstream_start_handshake(&stream->core, time_of(now_us),
                                                    &(hd_noise_options){.pattern = (hd_noise_pattern)chosen.pattern,
                                                                        .is_initiator = chosen.is_initiator == 1,
                                                                        .static_key = &static_key,
                                                                        .ephemeral_seed = all.ephemeral_seed,
                                                                        .remote_public_key = chosen.remote_public_key},
                                                    &all.randomness);
  if (error == HDHT_OK) {
    memcpy(stream->public_key, static_key.public_key, HD_PUBLIC_KEY_SIZE);
    stream->has_public_key = true;
    hd_secret_wipe(stream->seed, sizeof stream->seed);
  }
  hd_exchange_key_wipe(&static_key);
  hd_secret_wipe(&all, sizeof all);
  return error;
}

int hdht_secretstream_start(hdht_secretstream *stream, uint64_t now_us, uint32_t is_initiator,
                            const hdht_noise_result *result) {
  if (stream == NULL || is_initiator > 1 || result == NULL) return HDHT_ERR_INVALID_ARGUMENT;
  if (stream->core.phase != HD_SECRETSTREAM_UNSTARTED) return HDHT_ERR_INVALID_STATE;
  drawn all;
  draw(stream, &all);
  const int error = hd_secretstream_start(&stream->core, time_of(now_us), is_initiator == 1,
                                          (const hd_noise_result *)result, &all.randomness);
  hd_secret_wipe(&all, sizeof all);
  hd_secret_wipe(stream->seed, sizeof stream->seed);
  return error;
}

int hdht_secretstream_receive(hdht_secretstream *stream, uint64_t now_us, uint8_t *bytes, size_t size, size_t *consumed,
                              hdht_secretstream_event *event) {
  if (stream == NULL || (bytes == NULL && size > 0) || consumed == NULL || event == NULL) {
    return HDHT_ERR_INVALID_ARGUMENT;
  }
  hd_secretstream_event found;
  const int error = hd_secretstream_receive(&stream->core, time_of(now_us), bytes, size, consumed, &found);
  if (error == HDHT_OK) *event = (hdht_secretstream_event){.kind = found.kind, .message = found.message};
  return error;
}

int hdht_secretstream_receive_end(hdht_secretstream *stream) {
  return stream != NULL ? hd_secretstream_receive_end(&stream->core) : HDHT_ERR_INVALID_ARGUMENT;
}

size_t hdht_secretstream_output_size(const hdht_secretstream *stream) {
  return stream != NULL ? stream->core.output_size : 0;
}

int hdht_secretstream_take_output(hdht_secretstream *stream, uint8_t *output, size_t capacity, size_t *output_size) {
  if (stream == NULL || (output == NULL && capacity > 0) || output_size == NULL) return HDHT_ERR_INVALID_ARGUMENT;
  return hd_secretstream_take_output(&stream->core, output, capacity, output_size);
}

int hdht_secretstream_write(hdht_secretstream *stream, uint64_t now_us, const uint8_t *message, size_t size,
                            uint8_t *frame, size_t capacity, size_t *frame_size) {
  if (stream == NULL || (message == NULL && size > 0) || (frame == NULL && capacity > 0) || frame_size == NULL) {
    return HDHT_ERR_INVALID_ARGUMENT;
  }
  return hd_secretstream_write(&stream->core, time_of(now_us), hd_bytes_of(message, size), frame, capacity, frame_size);
}

int hdht_secretstream_end(hdht_secretstream *stream) {
  return stream != NULL ? hd_secretstream_end(&stream->core) : HDHT_ERR_INVALID_ARGUMENT;
}

int hdht_secretstream_is_open(const hdht_secretstream *stream) {
  return stream != NULL && hd_secretstream_is_open(&stream->core);
}

int hdht_secretstream_is_closed(const hdht_secretstream *stream) {
  return stream != NULL && hd_secretstream_is_closed(&stream->core);
}

/* `is_known` once open; what was known when the stream broke stays known. */
static int copy_known(bool is_known, uint8_t *to, const uint8_t *from, size_t size) {
  if (to == NULL) return HDHT_ERR_INVALID_ARGUMENT;
  if (!is_known) return HDHT_ERR_INVALID_STATE;
  memcpy(to, from, size);
  return HDHT_OK;
}

int hdht_secretstream_remote_public_key(const hdht_secretstream *stream, uint8_t *public_key) {
  if (stream == NULL) return HDHT_ERR_INVALID_ARGUMENT;
  return copy_known(stream->core.is_identified, public_key, stream->core.remote_public_key, HDHT_PUBLIC_KEY_SIZE);
}

int hdht_secretstream_handshake_hash(const hdht_secretstream *stream, uint8_t *handshake_hash) {
  if (stream == NULL) return HDHT_ERR_INVALID_ARGUMENT;
  return copy_known(stream->core.is_identified, handshake_hash, stream->core.handshake_hash, HDHT_HANDSHAKE_HASH_SIZE);
}

int hdht_secretstream_public_key(const hdht_secretstream *stream, uint8_t *public_key) {
  if (stream == NULL) return HDHT_ERR_INVALID_ARGUMENT;
  return copy_known(stream->has_public_key, public_key, stream->public_key, HDHT_PUBLIC_KEY_SIZE);
}

uint64_t hdht_secretstream_bytes_read(const hdht_secretstream *stream) {
  return stream != NULL ? stream->core.bytes_read : 0;
}

uint64_t hdht_secretstream_bytes_written(const hdht_secretstream *stream) {
  return stream != NULL ? stream->core.bytes_written : 0;
}

int hdht_secretstream_set_keep_alive(hdht_secretstream *stream, uint64_t now_us, uint32_t keep_alive_ms) {
  if (stream == NULL) return HDHT_ERR_INVALID_ARGUMENT;
  hd_secretstream_set_keep_alive(&stream->core, time_of(now_us), HD_MILLISECONDS(keep_alive_ms));
  return HDHT_OK;
}

int hdht_secretstream_set_timeout(hdht_secretstream *stream, uint64_t now_us, uint32_t timeout_ms) {
  if (stream == NULL) return HDHT_ERR_INVALID_ARGUMENT;
  hd_secretstream_set_timeout(&stream->core, time_of(now_us), HD_MILLISECONDS(timeout_ms));
  return HDHT_OK;
}

uint64_t hdht_secretstream_deadline(const hdht_secretstream *stream) {
  return stream != NULL ? hd_secretstream_deadline(&stream->core).us : HDHT_SECRETSTREAM_NEVER;
}

int hdht_secretstream_elapse(hdht_secretstream *stream, uint64_t now_us) {
  return stream != NULL ? hd_secretstream_elapse(&stream->core, time_of(now_us)) : HDHT_ERR_INVALID_ARGUMENT;
}

int hdht_secretstream_seal_datagram(hdht_secretstream *stream, const uint8_t *payload, size_t size, uint8_t *datagram,
                                    size_t capacity, size_t *datagram_size) {
  if (stream == NULL || (payload == NULL && size > 0) || (datagram == NULL && capacity > 0) || datagram_size == NULL) {
    return HDHT_ERR_INVALID_ARGUMENT;
  }
  return hd_secretstream_seal_datagram(&stream->core, hd_bytes_of(payload, size), datagram, capacity, datagram_size);
}

int hdht_secretstream_open_datagram(const hdht_secretstream *stream, uint8_t *datagram, size_t size,
                                    hdht_bytes *payload) {
  if (stream == NULL || (datagram == NULL && size > 0) || payload == NULL) return HDHT_ERR_INVALID_ARGUMENT;
  return hd_secretstream_open_datagram(&stream->core, datagram, size, payload);
}

int hdht_secretstream_id(const uint8_t *handshake_hash, uint32_t is_initiator, uint8_t *id) {
  if (handshake_hash == NULL || is_initiator > 1 || id == NULL) return HDHT_ERR_INVALID_ARGUMENT;
  hd_secretstream_id(handshake_hash, is_initiator == 1, id);
  return HDHT_OK;
}
