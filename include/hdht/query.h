/* What a node asks of the network: find nodes and peers, look up topics, announce and unannounce, store and fetch
 * values. Each call here starts one query and gives a handle to it.
 *
 * A query ends in one way only: on_done is its last callback, comes exactly once, and after it the handle is gone.
 * Until then hdht_query_cancel may be called; on_done then says HDHT_ERR_CANCELLED. Callbacks are made from the loop,
 * never from inside a function of this file; every function may be called inside them.
 *
 * Keys. Announcements and mutable values are signed. With a secret key that is done here (it is copied, and wiped at
 * the end); without one, on_sign asks whoever holds it. */
#ifndef HDHT_QUERY_H
#define HDHT_QUERY_H

#include <hdht/node.h>
#include <hdht/peer.h>

#ifdef __cplusplus
extern "C" {
#endif

#define HDHT_IMMUTABLE_SIZE_MAX    1090 /* bytes of a value; larger ones do not fit one packet */
#define HDHT_MUTABLE_SIZE_MAX      982
#define HDHT_ANNOUNCE_RELAYS_LIMIT 3
#define HDHT_SEQ_MAX               9007199254740991 /* 2^53 - 1, of a mutable value */

typedef struct hdht_query hdht_query;

enum {
  HDHT_QUERY_ONLY_THESE_NODES = 1, /* flag: ask nobody but `nodes` */
  HDHT_QUERY_CLEAR_FIRST = 2,      /* flag, announce: take older records of the key away wherever they are found */
  HDHT_QUERY_TAKE_FIRST = 4,       /* flag, mutable get: the first valid value will do, not only the newest */
  HDHT_QUERY_STORE_AGAIN = 8       /* flag, mutable get: store what was found at the nearest nodes again */
};

typedef struct hdht_query_options {
  size_t struct_size;        /* set by hdht_query_options_init */
  const hdht_address *nodes; /* to ask first: for example those that answered a query for the same target */
  size_t nodes_count;
  const hdht_address *relays; /* announce: nodes that pass messages on to us, IPv4, HDHT_ANNOUNCE_RELAYS_LIMIT */
  size_t relays_count;
  uint64_t bump;        /* announce: milliseconds since 1970; 0: none */
  uint32_t flags;       /* HDHT_QUERY_* */
  uint32_t concurrency; /* requests at the same time; 0: 10 */
  uint32_t retries;     /* of each request; 0: 5 */
  uint32_t quorum;      /* nodes that must store it; 0: more than half of those asked to */
} hdht_query_options;

/* What one node answered. */
typedef struct hdht_query_found {
  hdht_address from;        /* the node */
  hdht_address to;          /* our address as that node sees it */
  const uint8_t *id;        /* of the node, HDHT_NODE_ID_SIZE bytes; NULL if it shows none */
  const uint8_t *token;     /* that it gave us, HDHT_TOKEN_SIZE bytes; NULL if it gave none */
  hdht_peer_list peers;     /* find peer, lookup, announce, unannounce */
  uint64_t bump;            /* of a topic: the newest */
  hdht_bytes value;         /* gets */
  uint64_t seq;             /* mutable get */
  const uint8_t *signature; /* mutable get: HDHT_SIGNATURE_SIZE bytes; NULL otherwise */
} hdht_query_found;

enum { HDHT_SIGN_ANNOUNCE = 0, HDHT_SIGN_UNANNOUNCE = 1, HDHT_SIGN_MUTABLE = 2 };

/* What the holder of the key is asked to sign, and for whom. */
typedef struct hdht_query_wish {
  uint32_t purpose; /* HDHT_SIGN_*; together with `number` it names this wish */
  uint32_t number;
  const uint8_t *target;  /* HDHT_HASH_SIZE bytes */
  const uint8_t *node_id; /* HDHT_NODE_ID_SIZE bytes; NULL for a mutable value */
  const uint8_t *token;   /* HDHT_TOKEN_SIZE bytes; NULL for a mutable value */
  hdht_peer peer;         /* the record; of a mutable value only the key */
  uint64_t seq;           /* mutable value */
  hdht_bytes value;       /* mutable value */
  hdht_bytes signable;    /* the bytes to sign with hdht_sign */
} hdht_query_wish;

/* One of the nearest nodes. */
typedef struct hdht_query_node {
  hdht_address address;
  uint8_t id[HDHT_NODE_ID_SIZE];
  int32_t stored; /* of queries that store: HDHT_OK if it did. Refused: HDHT_ERR_SEQ_REUSED, HDHT_ERR_SEQ_TOO_LOW,
                   * HDHT_ERR_UNKNOWN_COMMAND, HDHT_ERR_INVALID_TOKEN, HDHT_ERR_REFUSED. HDHT_ERR_TIMED_OUT: no answer.
                   * Otherwise why it was not asked to */
} hdht_query_node;

typedef struct hdht_query_result {
  const hdht_query_node *nodes; /* that answered, nearest first; and what became of storing there */
  size_t nodes_count;
  uint8_t target[HDHT_HASH_SIZE]; /* of a put: what to get it by */
  uint32_t asked;                 /* nodes */
  uint32_t answered;              /* without error */
  uint32_t refused;               /* with an error */
  uint32_t failed;                /* not at all */
  uint32_t rounds;                /* the longest chain of referrals that led to one of the nearest */
  uint32_t stores;                /* nodes that were asked to store */
  uint32_t stored;                /* of those, that did */
  uint32_t unannounced;           /* nodes that took a record away */
  uint64_t walked_us;             /* how long the nearest nodes were looked for */
  hdht_bytes value;               /* gets; NULL if nothing was found */
  uint64_t seq;                   /* mutable values */
  const uint8_t *signature;       /* mutable get, HDHT_SIGNATURE_SIZE bytes; NULL otherwise */
} hdht_query_result;

/* All but on_done are optional. What is passed is borrowed for the call. */
typedef struct hdht_query_callbacks {
  size_t struct_size; /* sizeof(hdht_query_callbacks) */

  /* A node knew something. Of values, only those better than what came before. */
  void (*on_found)(void *user_data, hdht_query *query, const hdht_query_found *found);

  /* A signature is wanted: answer with hdht_query_sign, now or later. Needed without a secret key. */
  void (*on_sign)(void *user_data, hdht_query *query, const hdht_query_wish *wish);

  /* `error`: HDHT_OK; HDHT_ERR_NOT_FOUND for a get that found nothing; HDHT_ERR_NO_NODES when nobody answered, or
   * nobody could store; HDHT_ERR_QUORUM, or the one error all nodes gave, when too few stored; HDHT_ERR_CANCELLED;
   * HDHT_ERR_SUSPENDED; HDHT_ERR_CLOSED. The result is complete whatever the error. */
  void (*on_done)(void *user_data, int error, const hdht_query_result *result);
} hdht_query_callbacks;

/* Sets the defaults. */
HDHT_API void hdht_query_options_init(hdht_query_options *options, size_t struct_size);

/* The functions below have in common:
 *
 *   options    NULL for the defaults; copied, with what it points to
 *   callbacks  copied
 *   query      [out] may be NULL
 *
 * Errors: HDHT_ERR_INVALID_ARGUMENT, HDHT_ERR_LIMIT (1024 queries of a node), HDHT_ERR_OUT_OF_MEMORY, HDHT_ERR_CLOSED;
 * and those they name. A suspended node starts queries when it is resumed. */

/* The nodes nearest to `target`, HDHT_NODE_ID_SIZE bytes. */
HDHT_API int hdht_query_find_node(hdht_node *node, const uint8_t *target, const hdht_query_options *options,
                                  const hdht_query_callbacks *callbacks, void *user_data, hdht_query **query);

/* Nodes that know the server of this key. */
HDHT_API int hdht_query_find_peer(hdht_node *node, const uint8_t *public_key, const hdht_query_options *options,
                                  const hdht_query_callbacks *callbacks, void *user_data, hdht_query **query);

/* Who announced the topic, HDHT_HASH_SIZE bytes. */
HDHT_API int hdht_query_lookup(hdht_node *node, const uint8_t *topic, const hdht_query_options *options,
                               const hdht_query_callbacks *callbacks, void *user_data, hdht_query **query);

/* Announces the key under the topic, and looks up who else did. Announcements last about 20 minutes.
 *
 * secret_key  HDHT_SECRET_KEY_SIZE bytes, or NULL: on_sign is asked. Here and below */
HDHT_API int hdht_query_announce(hdht_node *node, const uint8_t *topic, const uint8_t *public_key,
                                 const uint8_t *secret_key, const hdht_query_options *options,
                                 const hdht_query_callbacks *callbacks, void *user_data, hdht_query **query);

/* Takes the key's record away from every node that may have it, and looks up who else announced the topic. */
HDHT_API int hdht_query_unannounce(hdht_node *node, const uint8_t *topic, const uint8_t *public_key,
                                   const uint8_t *secret_key, const hdht_query_options *options,
                                   const hdht_query_callbacks *callbacks, void *user_data, hdht_query **query);

/* Stores a value under its hash. Also HDHT_ERR_TOO_LARGE above HDHT_IMMUTABLE_SIZE_MAX. */
HDHT_API int hdht_query_immutable_put(hdht_node *node, hdht_bytes value, const hdht_query_options *options,
                                      const hdht_query_callbacks *callbacks, void *user_data, hdht_query **query);

/* The value of this hash, HDHT_HASH_SIZE bytes. */
HDHT_API int hdht_query_immutable_get(hdht_node *node, const uint8_t *hash, const hdht_query_options *options,
                                      const hdht_query_callbacks *callbacks, void *user_data, hdht_query **query);

/* Stores a value under the hash of the key, in place of one with a lower sequence number.
 *
 * seq  0 to HDHT_SEQ_MAX; must grow when the value changes
 *
 * Also HDHT_ERR_TOO_LARGE above HDHT_MUTABLE_SIZE_MAX. */
HDHT_API int hdht_query_mutable_put(hdht_node *node, const uint8_t *public_key, const uint8_t *secret_key, uint64_t seq,
                                    hdht_bytes value, const hdht_query_options *options,
                                    const hdht_query_callbacks *callbacks, void *user_data, hdht_query **query);

/* The newest value of the key whose sequence number is at least `seq_min`. */
HDHT_API int hdht_query_mutable_get(hdht_node *node, const uint8_t *public_key, uint64_t seq_min,
                                    const hdht_query_options *options, const hdht_query_callbacks *callbacks,
                                    void *user_data, hdht_query **query);

/* Answers on_sign.
 *
 * signature  HDHT_SIGNATURE_SIZE bytes, or NULL to refuse
 *
 * Errors: HDHT_ERR_INVALID_ARGUMENT, HDHT_ERR_INVALID_STATE (nobody waits for it), HDHT_ERR_BAD_SIGNATURE (counts as a
 * refusal), HDHT_ERR_CLOSED (the query has ended). */
HDHT_API int hdht_query_sign(hdht_query *query, uint32_t purpose, uint32_t number, const uint8_t *signature);

/* Ends a query before it is done; on_done follows. NULL is ignored. */
HDHT_API void hdht_query_cancel(hdht_query *query);

#ifdef __cplusplus
}
#endif

#endif
