/* What is signed when a key announces itself, and the values that carry it (hyperdht, "announce / unannounce"). The
 * signature may be made here with the secret key, or by somebody else who holds it and is only shown what to sign. */
#ifndef HD_ANNOUNCE_SIGN_H
#define HD_ANNOUNCE_SIGN_H

#include "messages/message_announce.h"
#include "messages/message_record.h"
#include "rpc/rpc_endpoint.h"

/* A record with three relays, a refresh key, a signature and a bump. */
#define HD_ANNOUNCE_VALUE_SIZE_MAX 256

/* The largest values whose requests fit HD_MESSAGES_RPC_SIZE_SAFE bytes with everything a request can carry. */
#define HD_ANNOUNCE_IMMUTABLE_SIZE_MAX (HD_MESSAGES_RPC_SIZE_SAFE - 110)
#define HD_ANNOUNCE_MUTABLE_SIZE_MAX   (HD_ANNOUNCE_IMMUTABLE_SIZE_MAX - 108)

typedef enum hd_announce_purpose {
  HD_ANNOUNCE_TO_ANNOUNCE,
  HD_ANNOUNCE_TO_UNANNOUNCE,
  HD_ANNOUNCE_TO_STORE, /* a mutable value */
} hd_announce_purpose;

/* Everything the holder of a key may want to know before signing. Lent. */
typedef struct hd_announce_to_sign {
  hd_announce_purpose purpose;
  uint16_t number;                             /* of the node it is for; together with the purpose it names this wish */
  const uint8_t *target;                       /* 32 bytes */
  const uint8_t *node_id;                      /* 32 bytes; NULL to store */
  const uint8_t *token;                        /* 32 bytes; NULL to store */
  hdht_peer peer;                              /* the record; to store, only its key */
  uint64_t seq;                                /* to store */
  hd_bytes value;                              /* to store */
  uint8_t signable[HD_MESSAGES_SIGNABLE_SIZE]; /* the bytes to sign */
} hd_announce_to_sign;

/* Fills `signable` from the rest. Errors: HDHT_ERR_INVALID_ARGUMENT, HDHT_ERR_TOO_LARGE for a record that cannot be
 * written. */
int hd_announce_prepare(hd_announce_to_sign *to_sign);

/* Writes the value of an ANNOUNCE or UNANNOUNCE request.
 *
 * size  [out] bytes written
 *
 * Errors: HDHT_ERR_BUFFER_TOO_SMALL, HDHT_ERR_INVALID_ARGUMENT. */
int hd_announce_write(const hd_announce_to_sign *to_sign, const uint8_t signature[HD_SIGNATURE_SIZE], uint64_t bump,
                      uint8_t value[HD_ANNOUNCE_VALUE_SIZE_MAX], size_t *size);

#endif
