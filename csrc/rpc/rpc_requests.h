/* The requests of this node that are not answered yet: their bytes, how often they were sent, and when to send them
 * again. An answer belongs to a request when its transaction id and its source are the ones asked. Ids are random, so
 * that nobody off the path can guess them.
 *
 * Requests live in a pool: after warm-up making one allocates nothing unless its datagram is large. */
#ifndef HD_RPC_REQUESTS_H
#define HD_RPC_REQUESTS_H

#include "base/datagram.h"
#include "base/deadline_heap.h"
#include "base/hash_map.h"
#include "base/list.h"
#include "crypto/entropy.h"
#include "rpc/rpc_window.h"

#define HD_RPC_REQUESTS_LIMIT      4096 /* in flight and waiting */
#define HD_RPC_REQUEST_INLINE_SIZE 160  /* bytes of a datagram kept without an allocation of its own */

typedef struct hd_rpc_request hd_rpc_request;

/* How a request ended. */
typedef struct hd_rpc_result {
  int error; /* HDHT_OK: `response` is set. HDHT_ERR_TIMED_OUT, HDHT_ERR_SUSPENDED, HDHT_ERR_CANCELLED */
  const struct hd_messages_response *response; /* lent during the call */
  hd_address from;                             /* who was asked */
  hd_socket_id socket;                         /* where the answer came in */
  const uint8_t *id; /* the responder's node id, 32 bytes, if it is that of its address; else NULL */
  hd_duration rtt;   /* since the transmission that was probably answered */
  unsigned transmissions;
} hd_rpc_result;

/* The last call for a request; it no longer exists. Any function may be called. */
typedef void hd_rpc_done(void *context, hd_time now, const hd_rpc_result *result);

/* The request was not answered within the first time-out. Called once, when it is about to be sent again or given up.
 */
typedef void hd_rpc_slow(void *context, hd_time now, hd_rpc_request *request);

struct hd_rpc_request {
  hd_deadline deadline; /* of the current transmission */
  hd_list waiting;      /* in the queue for room in the window */
  uint16_t tid;
  uint8_t transmissions;
  uint8_t retries;
  bool is_forced;
  hd_socket_id socket;
  hd_address to;
  hd_rpc_window_place window_place;
  hd_duration timeout; /* 0: by the estimate */
  hd_time created_at;
  hd_time first_sent_at;
  hd_time last_sent_at;
  uint64_t command;
  bool is_internal;
  hd_rpc_done *on_done;
  hd_rpc_slow *on_slow; /* may be NULL */
  void *context;
  uint32_t size;
  uint8_t *bytes; /* the datagram: `inlined`, or memory of its own */
  uint8_t inlined[HD_RPC_REQUEST_INLINE_SIZE];
};

typedef struct hd_rpc_requests {
  const hd_allocator *allocator;
  hd_entropy *entropy; /* borrowed */
  hd_hash_map by_tid;  /* uint16_t to hd_rpc_request pointer */
  hd_deadline_heap deadlines;
  hd_list waiting; /* not sent yet, oldest first */
  hd_list pool;    /* unused ones, linked by `waiting` */
} hd_rpc_requests;

/* No requests; allocates nothing. Must not move in memory. */
void hd_rpc_requests_init(hd_rpc_requests *requests, const hd_allocator *allocator, hd_entropy *entropy);

/* Gives all memory back. No callback is made. */
void hd_rpc_requests_destroy(hd_rpc_requests *requests);

/* Makes a request with an unused random id, whose datagram will be `size` bytes; `bytes` is for the caller to fill.
 * Errors: HDHT_ERR_OUT_OF_MEMORY, HDHT_ERR_LIMIT. */
int hd_rpc_requests_add(hd_rpc_requests *requests, size_t size, hd_rpc_request **request);

/* Takes the request out and gives its memory to the pool. */
void hd_rpc_requests_remove(hd_rpc_requests *requests, hd_rpc_request *request);

/* The request with this id, or NULL. */
hd_rpc_request *hd_rpc_requests_find(const hd_rpc_requests *requests, uint16_t tid);

/* Any request, or NULL when there is none. */
hd_rpc_request *hd_rpc_requests_any(const hd_rpc_requests *requests);

size_t hd_rpc_requests_count(const hd_rpc_requests *requests);

#endif
