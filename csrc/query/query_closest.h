/* The candidates of one query, sorted by their distance to its target, and what became of each (Kademlia, section 2.3).
 * Decides whom to ask next and when nobody nearer can be found; asks nobody itself.
 *
 * A candidate is worth asking while fewer than 20 nodes nearer than it have answered or are about to. One that does not
 * answer within its first time-out is slow: it no longer stands for an answer, so others are asked in its place.
 *
 * Candidates whose only referrers named several nodes that do not answer, and hardly one that does, come last, and only
 * a few of them: liars cannot make a query visit their inventions one after the other. */
#ifndef HD_QUERY_CLOSEST_H
#define HD_QUERY_CLOSEST_H

#include "base/allocator.h"
#include "table/table_bucket.h"

#define HD_QUERY_K                20
#define HD_QUERY_CANDIDATES_LIMIT 256
#define HD_QUERY_REFERRERS_LIMIT  4  /* remembered of each candidate */
#define HD_QUERY_DISTRUSTED_LIMIT 10 /* distrusted candidates that are asked all the same */

typedef enum hd_query_state {
  HD_QUERY_WAITING,
  HD_QUERY_ASKED,
  HD_QUERY_SLOW,     /* asked, and the first time-out has passed */
  HD_QUERY_ANSWERED, /* and is a full node: it may be among the result */
  HD_QUERY_MUTE,     /* answered without an id, or with an error: it helps, but is no result */
  HD_QUERY_FAILED,   /* never answered */
} hd_query_state;

typedef struct hd_query_candidate {
  hd_node_id id;
  hd_address address;
  hd_query_state state;
  struct hd_rpc_request *request; /* what it is being asked; NULL when nothing */
  bool is_seed;                   /* asked before all others, whatever its distance */
  bool has_token;
  bool is_token_renewed;
  uint8_t token[HDHT_TOKEN_SIZE]; /* that it gave us */
  hd_address seen_as;             /* our address as it sees it; no address before it answered */
  uint16_t depth;                 /* 0 for those we knew at the start, else 1 more than its first referrer */
  uint16_t referrers[HD_QUERY_REFERRERS_LIMIT];
  uint8_t referrers_count;
  uint16_t good_referrals; /* nodes it named that answered */
  uint16_t bad_referrals;  /* nodes it named that did not in time */
  int commit_error;        /* how the commit to it ended; see query.h */
} hd_query_candidate;

/* Candidates are named by their number, which stays theirs. */
#define HD_QUERY_NOBODY UINT16_MAX

typedef struct hd_query_closest {
  const hd_allocator *allocator;
  hd_node_id target;
  hd_query_candidate *candidates;
  uint16_t *order; /* numbers, nearest first */
  uint16_t count;
  uint16_t capacity;
  uint16_t distrusted_asked;
} hd_query_closest;

/* Nobody yet; allocates nothing. */
void hd_query_closest_init(hd_query_closest *closest, const hd_allocator *allocator, const hd_node_id *target);
void hd_query_closest_destroy(hd_query_closest *closest);

/* Whoever has this address, or HD_QUERY_NOBODY. */
uint16_t hd_query_closest_find(const hd_query_closest *closest, const hd_address *address);

/* Adds a candidate that is not there yet; when all places are taken, in place of the farthest that nobody asked.
 *
 * referrer  who named it, or HD_QUERY_NOBODY
 *
 * Returns its number, or HD_QUERY_NOBODY if it is too far for the places there are, or there is no memory. */
uint16_t hd_query_closest_add(hd_query_closest *closest, const hd_node_id *id, const hd_address *address,
                              uint16_t referrer, bool is_seed);

/* Notes that another candidate named this one as well. */
void hd_query_closest_referred(hd_query_closest *closest, uint16_t number, uint16_t referrer);

/* Changes the state of a candidate, and what is thought of its referrers. */
void hd_query_closest_set(hd_query_closest *closest, uint16_t number, hd_query_state state);

/* Whom to ask next, or HD_QUERY_NOBODY: nobody worth asking waits. */
uint16_t hd_query_closest_next(const hd_query_closest *closest);

/* Candidates in this state. */
unsigned hd_query_closest_count(const hd_query_closest *closest, hd_query_state state);

/* Candidates in this state that, by answering, could still get among the 20 nearest that answered. */
unsigned hd_query_closest_count_relevant(const hd_query_closest *closest, hd_query_state state);

/* The nearest candidates that answered, nearest first: the result.
 *
 * numbers  [out] room for HD_QUERY_K
 *
 * Returns how many there are. */
unsigned hd_query_closest_result(const hd_query_closest *closest, uint16_t numbers[HD_QUERY_K]);

#endif
