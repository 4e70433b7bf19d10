/* The iterative query of the DHT (dht-rpc, "iterative query"): walks from the nodes we know towards a target, asking
 * each the same question, until the 20 nearest nodes that answer are found; then, if wanted, commits something to each
 * of them, and counts who took it.
 *
 * The reference's rules for how many are asked at once, when to go slow, when a silent node no longer counts and when
 * to stop are kept. Nearest first, however, is meant literally, and a query ends a second after only silent nodes are
 * left, where the reference waits for six.
 *
 * All queries of a node share a host: what they need from the node, and one timer. */
#ifndef HD_QUERY_H
#define HD_QUERY_H

#include "query/query_closest.h"
#include "rpc/rpc_endpoint.h"
#include "table/table.h"

#define HD_QUERY_CONCURRENCY      10
#define HD_QUERY_RETRIES          5
#define HD_QUERY_SLOW_CONCURRENCY 3 /* while it is not clear that the nodes we were given are any good */
#define HD_QUERY_PATIENCE         HD_MILLISECONDS(1000) /* with nodes that are slow when nobody else is left */
#define HD_QUERY_SEEDS_LIMIT      64                    /* nodes given by the user that are looked at */

typedef struct hd_query hd_query;

/* ---- the host -------------------------------------------------------------------------------------------------- */

typedef struct hd_query_host {
  const hd_allocator *allocator;
  hd_rpc *rpc;
  hd_table *table;
  void *context; /* passed to the functions below */

  /* Whether a node may be asked that `from` named (NULL: we knew it ourselves). */
  bool (*accepts)(void *context, const hd_address *node, const hd_address *from);

  /* The bootstrap nodes, for queries that know too few others. Returns how many. */
  unsigned (*bootstraps)(void *context, hd_address *nodes, unsigned limit);

  /* Takes one from the budget of DOWN_HINTs, if there is one left. */
  bool (*may_hint)(void *context);

  /* A node of the table was asked again and again and never answered. */
  void (*on_dead)(void *context, const hd_node_id *id);

  /* Private. */
  hd_list queries;
  hd_deadline_heap deadlines;
  uint64_t queries_total;
} hd_query_host;

/* Sets the private part; the others are the caller's. Must not move in memory. */
void hd_query_host_init(hd_query_host *host);

/* Gives memory back; all queries are destroyed before. */
void hd_query_host_destroy(hd_query_host *host);

/* Lets queries go on that could not send: after the endpoint was opened. */
void hd_query_host_resume(hd_query_host *host, hd_time now);

/* Runs what is due. */
void hd_query_host_elapse(hd_query_host *host, hd_time now);
hd_time hd_query_host_deadline(const hd_query_host *host);

unsigned hd_query_host_active(const hd_query_host *host);

/* ---- queries --------------------------------------------------------------------------------------------------- */

/* One answer. Lent during the call. */
typedef struct hd_query_reply {
  uint16_t number; /* of the candidate; stays valid as long as the query */
  hd_address from;
  hd_address to;        /* our address as that node sees it */
  const hd_node_id *id; /* NULL if it shows none, as ephemeral nodes */
  const uint8_t *token; /* NULL if it gave none */
  bool has_value;
  hd_bytes value;
  hd_duration rtt;
} hd_query_reply;

/* What a query tells its user. Every member but on_done may be NULL. Any function may be called from them. */
typedef struct hd_query_sink {
  /* A node answered without error. */
  void (*on_reply)(void *context, hd_time now, hd_query *query, const hd_query_reply *reply);

  /* The walk is over and this is one of the nodes to commit to: call hd_query_commit or hd_query_skip for it, now or
   * later. Comes once for each, and a second time for one whose token had become too old. */
  void (*on_commit)(void *context, hd_time now, hd_query *query, uint16_t number);

  /* The walk of a query with commits is over; comes before the first on_commit. Destroying the query is allowed. */
  void (*on_walked)(void *context, hd_time now, hd_query *query);

  /* It is over. The result can be looked at until the query is destroyed, which is the user's business.
   *
   * error  HDHT_OK; HDHT_ERR_NO_NODES when nobody answered, or nobody to commit to; HDHT_ERR_QUORUM, or the one error
   *        all nodes gave, when too few took the commit; HDHT_ERR_SUSPENDED */
  void (*on_done)(void *context, hd_time now, hd_query *query, int error);
} hd_query_sink;

typedef struct hd_query_options {
  hd_node_id target;
  bool is_internal;
  bool has_value;
  uint64_t command;
  hd_bytes value;          /* copied */
  size_t pad_to;           /* see hd_rpc_ask */
  const hd_address *nodes; /* to ask first, nearest or not; the first HD_QUERY_SEEDS_LIMIT */
  size_t nodes_count;
  bool only_these_nodes; /* ask nobody else */
  bool is_background;    /* fewer at once */
  bool is_committing;    /* on_commit is wanted */
  unsigned concurrency;  /* 0: HD_QUERY_CONCURRENCY */
  unsigned retries;      /* 0: HD_QUERY_RETRIES; HD_QUERY_NO_RETRIES for none */
  unsigned quorum;       /* commits needed for success; 0: more than half of those attempted */
} hd_query_options;

#define HD_QUERY_NO_RETRIES UINT32_MAX

/* Starts a query. No callback is made from inside this call.
 *
 * sink  borrowed for the query's life; `context` is passed back
 *
 * Errors: HDHT_ERR_OUT_OF_MEMORY; HDHT_ERR_TOO_LARGE for a value that fits no request. */
int hd_query_create(hd_query_host *host, hd_time now, const hd_query_options *options, const hd_query_sink *sink,
                    void *context, hd_query **query);

/* Ends a query at once, whatever its state: no callback follows. Allowed inside callbacks. */
void hd_query_destroy(hd_query *query, hd_time now);

/* While paused it asks nobody new; what is under way is still delivered. */
void hd_query_pause(hd_query *query);
void hd_query_continue(hd_query *query, hd_time now);

/* Ends the walk as if nobody were left to ask. */
void hd_query_stop_walking(hd_query *query, hd_time now);

/* ---- commits --------------------------------------------------------------------------------------------------- */

/* A candidate: its address, id, token. */
const hd_query_candidate *hd_query_candidate_of(const hd_query *query, uint16_t number);

/* Commits to one of the nodes that on_commit named, with the token it gave, to the query's target.
 *
 * value  copied; `has_value` false sends none
 *
 * Errors: HDHT_ERR_INVALID_STATE if nothing is awaited for it; those of hd_rpc_request_send. The node then counts as
 * one that did not take it. */
int hd_query_commit(hd_query *query, hd_time now, uint16_t number, uint64_t command, bool has_value, hd_bytes value);

/* Gives up on one of them for a reason of the user's. Errors: HDHT_ERR_INVALID_STATE. */
int hd_query_skip(hd_query *query, hd_time now, uint16_t number, int error);

/* ---- looking at a query ---------------------------------------------------------------------------------------- */

/* The nodes found: up to 20 that answered, nearest first. Their commit_error says how the commit went: HDHT_OK stored;
 * HDHT_ERR_SEQ_REUSED, HDHT_ERR_SEQ_TOO_LOW, HDHT_ERR_UNKNOWN_COMMAND, HDHT_ERR_INVALID_TOKEN or HDHT_ERR_REFUSED
 * refused; HDHT_ERR_TIMED_OUT; or what hd_query_skip was told.
 *
 * numbers  [out] room for HD_QUERY_K
 *
 * Returns how many. */
unsigned hd_query_result(const hd_query *query, uint16_t numbers[HD_QUERY_K]);

typedef struct hd_query_counts {
  unsigned asked;     /* nodes */
  unsigned answered;  /* without error */
  unsigned refused;   /* with an error */
  unsigned failed;    /* not at all */
  unsigned rounds;    /* the longest chain of referrals that led to a node of the result */
  unsigned commits;   /* attempted */
  unsigned stored;    /* of those */
  hd_duration walked; /* from the start to the end of the walk */
} hd_query_counts;

hd_query_counts hd_query_count(const hd_query *query);

void *hd_query_context(const hd_query *query);
const hd_node_id *hd_query_target(const hd_query *query);

/* The error of this library that stands for an error of a response; HDHT_OK for none. */
int hd_query_error_of(uint64_t remote_error);

#endif
