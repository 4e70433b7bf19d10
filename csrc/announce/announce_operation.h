/* The operations that users of the DHT know: find a node or a peer, look up a topic, announce and unannounce, store and
 * fetch values (hyperdht, "client-side storage operations"). Each is one query that knows what its answers mean, and
 * for those that store, what to commit.
 *
 * A secret key may be given, then signatures are made here; or only the public key, then on_sign asks its holder, who
 * answers when it likes.
 *
 * What the reference hides is told: how many nodes stored, and which refused and why (hd_announce_query gives them). */
#ifndef HD_ANNOUNCE_OPERATION_H
#define HD_ANNOUNCE_OPERATION_H

#include "announce/announce_sign.h"
#include "query/query.h"

#define HD_ANNOUNCE_RELAYS_LIMIT      3  /* relay addresses in a record */
#define HD_ANNOUNCE_UNANNOUNCES_LIMIT 64 /* nodes that are told to forget a record */

typedef enum hd_announce_kind {
  HD_ANNOUNCE_FIND_NODE,     /* the nodes nearest to the target */
  HD_ANNOUNCE_FIND_PEER,     /* the record of the server whose key hashes to the target */
  HD_ANNOUNCE_LOOKUP,        /* who announced the topic */
  HD_ANNOUNCE_ANNOUNCE,      /* and put our record there */
  HD_ANNOUNCE_UNANNOUNCE,    /* and take our record away wherever it may be */
  HD_ANNOUNCE_IMMUTABLE_GET, /* the value that hashes to the target */
  HD_ANNOUNCE_IMMUTABLE_PUT,
  HD_ANNOUNCE_MUTABLE_GET, /* the newest value signed by the key */
  HD_ANNOUNCE_MUTABLE_PUT,
} hd_announce_kind;

typedef struct hd_announce_operation hd_announce_operation;

/* One thing found. Lent during the call. */
typedef struct hd_announce_found {
  hd_address from;          /* the node that knew it */
  hd_address to;            /* our address as that node sees it */
  const hd_node_id *id;     /* of the node, or NULL */
  const uint8_t *token;     /* that it gave, or NULL */
  hdht_peer_list peers;     /* FIND_PEER: one; LOOKUP, ANNOUNCE, UNANNOUNCE: some */
  uint64_t bump;            /* of a topic */
  hd_bytes value;           /* gets */
  uint64_t seq;             /* of a mutable value */
  const uint8_t *signature; /* of a mutable value, 64 bytes */
} hd_announce_found;

typedef struct hd_announce_result {
  int error; /* see on_done */
  hd_query_counts counts;
  unsigned unannounced; /* nodes that confirmed */
  bool has_value;       /* gets */
  hd_bytes value;       /* lent until the operation is destroyed */
  uint64_t seq;
  const uint8_t *signature; /* 64 bytes, lent likewise; NULL for immutable values */
} hd_announce_result;

/* What an operation tells its user. Members but on_done may be NULL. Any function may be called from them. */
typedef struct hd_announce_sink {
  /* A node knew something. Comes for each such node; for values only when it is better than what came before. */
  void (*on_found)(void *context, hd_time now, hd_announce_operation *operation, const hd_announce_found *found);

  /* A signature is needed: answer with hd_announce_signed, now or later. Needed only without a secret key. */
  void (*on_sign)(void *context, hd_time now, hd_announce_operation *operation, const hd_announce_to_sign *to_sign);

  /* It is over; what it found can be looked at until it is destroyed, which is the user's business. Errors: those of a
   * query (query.h); HDHT_ERR_NOT_FOUND for a get that found nothing. */
  void (*on_done)(void *context, hd_time now, hd_announce_operation *operation, const hd_announce_result *result);
} hd_announce_sink;

typedef struct hd_announce_options {
  hd_announce_kind kind;
  hd_node_id target;         /* not for puts and mutable gets: there it follows from the value or the key */
  const uint8_t *public_key; /* 32 bytes: announce, unannounce, mutable values */
  const uint8_t *secret_key; /* 64 bytes, or NULL: on_sign is asked. Copied, wiped at the end */
  const hd_address *relays;  /* announce: at most HD_ANNOUNCE_RELAYS_LIMIT; copied */
  size_t relays_count;
  uint64_t bump;            /* announce; 0: none */
  bool clears_first;        /* announce: take older records of the key away wherever they are found */
  hd_bytes value;           /* puts; copied */
  uint64_t seq;             /* mutable put: of the value; mutable get: the least that is wanted */
  const uint8_t *signature; /* mutable put: if somebody signed before; 64 bytes, copied; NULL otherwise */
  bool takes_first;         /* mutable get: the first valid value will do, not only the newest */
  bool stores_again;        /* mutable get: put what was found to the nearest nodes again */

  /* As in hd_query_options. */
  const hd_address *nodes;
  size_t nodes_count;
  bool only_these_nodes;
  unsigned concurrency;
  unsigned retries;
  unsigned quorum;
} hd_announce_options;

/* Starts an operation. No callback is made from inside this call.
 *
 * sink  borrowed for the operation's life
 *
 * Errors: HDHT_ERR_INVALID_ARGUMENT for a missing key, too many relays or a relay that is not IPv4; HDHT_ERR_TOO_LARGE
 * above HD_ANNOUNCE_IMMUTABLE_SIZE_MAX or HD_ANNOUNCE_MUTABLE_SIZE_MAX; HDHT_ERR_BAD_SIGNATURE for a given signature
 * that is wrong; HDHT_ERR_OUT_OF_MEMORY. */
int hd_announce_start(hd_query_host *host, hd_time now, const hd_announce_options *options,
                      const hd_announce_sink *sink, void *context, hd_announce_operation **operation);

/* Ends it at once: no callback follows. Allowed inside callbacks. */
void hd_announce_destroy(hd_announce_operation *operation, hd_time now);

/* Answers on_sign.
 *
 * signature  64 bytes, or NULL to refuse
 *
 * Errors: HDHT_ERR_INVALID_STATE if nobody waits for it; HDHT_ERR_BAD_SIGNATURE, which counts as a refusal. */
int hd_announce_signed(hd_announce_operation *operation, hd_time now, hd_announce_purpose purpose, uint16_t number,
                       const uint8_t *signature);

/* The query underneath: its nodes, and what became of each commit. */
hd_query *hd_announce_query(const hd_announce_operation *operation);

void *hd_announce_context(const hd_announce_operation *operation);

#endif
