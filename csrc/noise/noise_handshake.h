/* Noise's HandshakeState (revision 34, section 5.3) for the two patterns in use, over Ed25519 keys as `noise-curve-ed`
 * exchanges them: Noise_IK_Ed25519_ChaChaPoly_BLAKE2b and Noise_XX_Ed25519_ChaChaPoly_BLAKE2b.
 *
 * A plain value that owns no memory. A message takes effect wholly or not at all: a message that is refused leaves the
 * handshake as it was, so a forged message does not spoil it and the genuine one may follow. */
#ifndef HD_NOISE_HANDSHAKE_H
#define HD_NOISE_HANDSHAKE_H

#include "crypto/key_exchange.h"
#include "noise/noise_symmetric.h"

#define HD_NOISE_MESSAGE_SIZE_LIMIT 65535
#define HD_NOISE_OVERHEAD_MAX       96 /* two keys and two MACs: the first message of IK, the second of XX */

typedef enum hd_noise_pattern {
  HD_NOISE_IK, /* two messages; the initiator knows the responder's key */
  HD_NOISE_XX  /* three messages; nobody knows anybody */
} hd_noise_pattern;

typedef struct hd_noise_options {
  hd_noise_pattern pattern;
  bool is_initiator;
  const hd_exchange_key *static_key; /* copied */
  const uint8_t *ephemeral_seed;     /* 32 bytes, fresh and unguessable, never used for anything else; copied */
  const uint8_t *remote_public_key;  /* 32 bytes, copied: needed by the initiator of IK, NULL for all others */
  hd_bytes prologue;                 /* must be the same on both sides; borrowed during init */
} hd_noise_options;

/* What a complete handshake leaves behind; all else is wiped. */
typedef struct hd_noise_result {
  uint8_t send_key[HD_AEAD_KEY_SIZE];
  uint8_t receive_key[HD_AEAD_KEY_SIZE];
  uint8_t handshake_hash[HD_HASH_512_SIZE];
  uint8_t remote_public_key[HD_PUBLIC_KEY_SIZE]; /* proven to be the peer's */
} hd_noise_result;

typedef struct hd_noise_handshake {
  hd_noise_symmetric symmetric;
  hd_exchange_key static_key;
  hd_exchange_key ephemeral_key; /* made when it is first sent */
  uint8_t ephemeral_seed[HD_SEED_SIZE];
  uint8_t remote_static[HD_PUBLIC_KEY_SIZE];
  uint8_t remote_ephemeral[HD_PUBLIC_KEY_SIZE];
  hd_noise_pattern pattern;
  uint8_t messages_done; /* written and read together */
  bool is_initiator;
  bool has_remote_static;
  bool is_complete;
  hd_noise_result result; /* once complete */
} hd_noise_handshake;

void hd_noise_handshake_init(hd_noise_handshake *handshake, const hd_noise_options *options);

/* Wipes everything, the result too. */
void hd_noise_handshake_destroy(hd_noise_handshake *handshake);

/* Whether the next message is this side's to write. False once complete. */
bool hd_noise_handshake_is_writing(const hd_noise_handshake *handshake);

/* By how many bytes the next message, whoever writes it, is longer than its payload. 0 once complete. */
size_t hd_noise_handshake_overhead(const hd_noise_handshake *handshake);

/* Writes this side's next message.
 *
 * payload       must not overlap the message
 * message       [out] untouched on error
 * message_size  [out] payload.size + overhead
 *
 * Errors: HDHT_ERR_HANDSHAKE_STATE (not this side's turn), HDHT_ERR_HANDSHAKE_LENGTH (longer than 65535 bytes),
 * HDHT_ERR_BUFFER_TOO_SMALL, HDHT_ERR_HANDSHAKE_KEY (the remote key given to init, or read before, is unusable). */
int hd_noise_handshake_write(hd_noise_handshake *handshake, hd_bytes payload, uint8_t *message, size_t capacity,
                             size_t *message_size);

/* Reads the peer's next message.
 *
 * payload       [out] its bytes; undefined on error; must not overlap the message
 * payload_size  [out] message.size - overhead
 *
 * Errors: HDHT_ERR_HANDSHAKE_STATE (not the peer's turn), HDHT_ERR_HANDSHAKE_LENGTH, HDHT_ERR_BUFFER_TOO_SMALL,
 * HDHT_ERR_HANDSHAKE_KEY (an unusable point), HDHT_ERR_HANDSHAKE_DECRYPTION. The handshake is then as it was. */
int hd_noise_handshake_read(hd_noise_handshake *handshake, hd_bytes message, uint8_t *payload, size_t capacity,
                            size_t *payload_size);

/* The peer's static key as soon as it is known, else NULL. The initiator of IK always knows it; the responder of IK has
 * it after the first message, in time to refuse the peer. Lives as long as the handshake. */
const uint8_t *hd_noise_handshake_remote_public_key(const hd_noise_handshake *handshake);

/* The result once complete, else NULL. Lives as long as the handshake. */
const hd_noise_result *hd_noise_handshake_result(const hd_noise_handshake *handshake);

#endif
