/* Announcing: the values of ANNOUNCE and UNANNOUNCE requests and of LOOKUP responses, and the signature that lets only
 * the owner of a key announce it (hyperdht, `announce` and `lookupRawReply`). A FIND_PEER response is one peer record
 * by itself: message_peer.h.
 *
 * What was read lends the bytes under the reader; lists were checked as a whole, so walking them cannot fail. */
#ifndef HD_MESSAGE_ANNOUNCE_H
#define HD_MESSAGE_ANNOUNCE_H

#include "crypto/namespace.h"
#include "crypto/signature.h"
#include "messages/message_peer.h"

/* How many relay addresses of a record are kept, whatever it announces. */
#define HD_MESSAGES_STORED_RELAYS_MAX 3

/* How many records a LOOKUP response should list. */
#define HD_MESSAGES_LOOKUP_PEERS_MAX 20

typedef struct hd_messages_announce {
  bool has_peer;
  hdht_peer peer;
  const uint8_t *refresh;   /* 32 bytes or NULL */
  const uint8_t *signature; /* 64 bytes or NULL */
  uint64_t bump;            /* milliseconds since 1970; 0 takes no bytes */
} hd_messages_announce;

/* Errors: HDHT_ERR_TRUNCATED; HDHT_ERR_MALFORMED for an integer above 2^53 - 1; HDHT_ERR_TOO_LARGE for a list above
 * HDHT_LIST_LIMIT. */
int hd_messages_read_announce(hd_reader *reader, hd_messages_announce *announce);

/* Errors: HDHT_ERR_BUFFER_TOO_SMALL; HDHT_ERR_INVALID_ARGUMENT for a peer without key, an address that is not IPv4 or a
 * bump above 2^53 - 1; HDHT_ERR_TOO_LARGE for a list above HDHT_LIST_LIMIT. */
int hd_messages_write_announce(hd_writer *writer, const hd_messages_announce *announce);
int hd_messages_announce_size(const hd_messages_announce *announce, size_t *size);

typedef struct hd_messages_lookup_reply {
  hdht_peer_list peers; /* to be written: an array, or records one after the other as they were once read */
  uint64_t bump;        /* the newest one announced; older nodes do not send it, which reads as 0 */
} hd_messages_lookup_reply;

/* Errors: as for an announce. */
int hd_messages_read_lookup_reply(hd_reader *reader, hd_messages_lookup_reply *reply);
int hd_messages_write_lookup_reply(hd_writer *writer, const hd_messages_lookup_reply *reply);
int hd_messages_lookup_reply_size(const hd_messages_lookup_reply *reply, size_t *size);

/* What an announcement is signed for: it is worth nothing for another target, at another node, or with a token of
 * another host. */
typedef struct hd_messages_announce_scope {
  const uint8_t *name_space; /* hd_namespace_announce or hd_namespace_unannounce */
  const uint8_t *target;     /* 32 bytes: the topic, or the hash of the peer's key */
  const uint8_t *node_id;    /* 32 bytes: the node that is to store it */
  const uint8_t *token;      /* 32 bytes: made by that node for the announcer */
} hd_messages_announce_scope;

#define HD_MESSAGES_SIGNABLE_SIZE (2 * HD_HASH_SIZE)

/* The bytes that are signed: the namespace, then the hash of target, node id, token, the record in its shortest form,
 * and `refresh` if there is one. The bump is not covered.
 *
 * refresh  32 bytes or NULL
 *
 * Errors: HDHT_ERR_INVALID_ARGUMENT, HDHT_ERR_TOO_LARGE for a record that cannot be written. */
int hd_messages_announce_signable(const hd_messages_announce_scope *scope, const hdht_peer *peer,
                                  const uint8_t *refresh, uint8_t signable[HD_MESSAGES_SIGNABLE_SIZE]);

/* Errors: those of hd_messages_announce_signable. */
int hd_messages_sign_announce(const hd_messages_announce_scope *scope, const hdht_peer *peer, const uint8_t *refresh,
                              const uint8_t secret_key[HD_SECRET_KEY_SIZE], uint8_t signature[HD_SIGNATURE_SIZE]);

/* Checks the signature against the key of the peer that is announced.
 * Errors: HDHT_ERR_BAD_SIGNATURE, also when the peer or the signature is missing. */
int hd_messages_verify_announce(const hd_messages_announce_scope *scope, const hd_messages_announce *announce);

#endif
