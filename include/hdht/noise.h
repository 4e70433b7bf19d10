/* Noise handshakes over Ed25519 keys (Noise revision 34; Noise_IK_Ed25519_ChaChaPoly_BLAKE2b and
 * Noise_XX_Ed25519_ChaChaPoly_BLAKE2b), as `noise-handshake` with `noise-curve-ed` makes them. How the messages travel
 * is the caller's business; nothing here waits or calls back.
 *
 *   hdht_noise_create -> hdht_noise_write and hdht_noise_read in turns -> hdht_noise_get_result -> hdht_noise_destroy
 *
 * A message takes effect wholly or not at all: after an error the handshake is as it was, so a forged message does not
 * spoil it and the genuine one may still be read. (hdht_error_is_fatal speaks of streams, which do not survive these
 * errors.)
 *
 * Peers of the DHT use IK with the prologue hdht_namespace(HDHT_NAMESPACE_PEER_HANDSHAKE). */
#ifndef HDHT_NOISE_H
#define HDHT_NOISE_H

#include <hdht/keys.h>
#include <hdht/memory.h>

#ifdef __cplusplus
extern "C" {
#endif

#define HDHT_NOISE_MESSAGE_SIZE_LIMIT 65535
#define HDHT_NOISE_OVERHEAD_MAX       96 /* the most a message is longer than its payload */
#define HDHT_NOISE_KEY_SIZE           32

enum {
  HDHT_NOISE_IK = 0, /* two messages; the initiator knows the responder's public key */
  HDHT_NOISE_XX = 1  /* three messages; nobody knows anybody */
};

typedef struct hdht_noise hdht_noise;

typedef struct hdht_noise_options {
  size_t struct_size;               /* set by hdht_noise_options_init */
  const hdht_allocator *allocator;  /* NULL for malloc; must outlive the handshake */
  const hdht_key_pair *key_pair;    /* this side's static key; required, copied */
  const uint8_t *remote_public_key; /* HDHT_PUBLIC_KEY_SIZE bytes for the initiator of IK, NULL otherwise; copied */
  const uint8_t *ephemeral_seed;    /* HDHT_SEED_SIZE bytes never used before, or NULL for the system's; copied */
  const uint8_t *prologue;          /* bytes that must be the same on both sides; may be NULL */
  size_t prologue_size;
  uint32_t pattern;      /* HDHT_NOISE_IK or HDHT_NOISE_XX */
  uint32_t is_initiator; /* 0 or 1 */
} hdht_noise_options;

/* What a complete handshake agrees on. Wipe it with hdht_noise_result_wipe when done: two keys are in it. */
typedef struct hdht_noise_result {
  uint8_t send_key[HDHT_NOISE_KEY_SIZE];
  uint8_t receive_key[HDHT_NOISE_KEY_SIZE];
  uint8_t handshake_hash[HDHT_HANDSHAKE_HASH_SIZE];
  uint8_t remote_public_key[HDHT_PUBLIC_KEY_SIZE]; /* proven to be the peer's */
} hdht_noise_result;

/* Sets the defaults: IK, responder. `struct_size` is sizeof(hdht_noise_options) as the caller knows it. */
HDHT_API void hdht_noise_options_init(hdht_noise_options *options, size_t struct_size);

/* Errors: HDHT_ERR_INVALID_ARGUMENT, HDHT_ERR_OUT_OF_MEMORY, HDHT_ERR_ENTROPY. */
HDHT_API int hdht_noise_create(const hdht_noise_options *options, hdht_noise **noise);

/* Wipes and releases everything at once. NULL is ignored. */
HDHT_API void hdht_noise_destroy(hdht_noise *noise);

/* 1 when the next message is this side's to write, else 0. */
HDHT_API int hdht_noise_is_writing(const hdht_noise *noise);

/* 1 when all messages were written and read, else 0. */
HDHT_API int hdht_noise_is_complete(const hdht_noise *noise);

/* By how many bytes the next message, whoever writes it, is longer than its payload; 0 once complete. A message shorter
 * than that is no message. */
HDHT_API size_t hdht_noise_overhead(const hdht_noise *noise);

/* Writes this side's next message.
 *
 * payload       may be NULL when payload_size is 0; must not overlap the message
 * message       [out] payload_size + hdht_noise_overhead bytes
 * message_size  [out]
 *
 * Errors: HDHT_ERR_INVALID_ARGUMENT, HDHT_ERR_HANDSHAKE_STATE (not this side's turn), HDHT_ERR_HANDSHAKE_LENGTH (more
 * than 65535 bytes), HDHT_ERR_BUFFER_TOO_SMALL, HDHT_ERR_HANDSHAKE_KEY (the peer's public key is unusable). */
HDHT_API int hdht_noise_write(hdht_noise *noise, const uint8_t *payload, size_t payload_size, uint8_t *message,
                              size_t capacity, size_t *message_size);

/* Reads the peer's next message.
 *
 * payload       [out] message_size - hdht_noise_overhead bytes; undefined on error; must not overlap the message. May
 * be NULL when capacity is 0 payload_size  [out]
 *
 * Errors: HDHT_ERR_INVALID_ARGUMENT, HDHT_ERR_HANDSHAKE_STATE (not the peer's turn), HDHT_ERR_HANDSHAKE_LENGTH,
 * HDHT_ERR_BUFFER_TOO_SMALL, HDHT_ERR_HANDSHAKE_KEY, HDHT_ERR_HANDSHAKE_DECRYPTION. */
HDHT_API int hdht_noise_read(hdht_noise *noise, const uint8_t *message, size_t message_size, uint8_t *payload,
                             size_t capacity, size_t *payload_size);

/* The peer's static public key as soon as it is known: to the initiator of IK at once, to the responder of IK after the
 * first message, in time to refuse the peer.
 *
 * public_key  [out] HDHT_PUBLIC_KEY_SIZE bytes
 *
 * Errors: HDHT_ERR_INVALID_ARGUMENT, HDHT_ERR_INVALID_STATE (not known yet). */
HDHT_API int hdht_noise_remote_public_key(const hdht_noise *noise, uint8_t *public_key);

/* Copies the result out. Errors: HDHT_ERR_INVALID_ARGUMENT, HDHT_ERR_INVALID_STATE (not complete). */
HDHT_API int hdht_noise_get_result(const hdht_noise *noise, hdht_noise_result *result);

/* Overwrites the result with zeros. NULL is ignored. */
HDHT_API void hdht_noise_result_wipe(hdht_noise_result *result);

#ifdef __cplusplus
}
#endif

#endif
