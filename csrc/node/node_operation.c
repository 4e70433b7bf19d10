#include "announce/announce_operation.h"
#include "base/assertion.h"
#include "crypto/hash.h"
#include "messages/message_command.h"
#include "node/node_internal.h"

/* Findings that wait for the driver before an operation pauses, and before it goes on again. */
#define EVENTS_TO_PAUSE_AT    64
#define EVENTS_TO_CONTINUE_AT 16

/* An operation as the node's user holds it. Its end has a place in the queue from the start. */
struct hd_node_operation {
  hd_node *node;
  hd_list link; /* of the node's operations */
  hd_announce_operation *inner;
  void *context;
  unsigned waiting; /* findings in the queue */
  bool is_paused;
  hd_node_event_entry end;
};

static void on_found(void *context, hd_time now, hd_announce_operation *inner, const hd_announce_found *found) {
  hd_node_operation *operation = context;
  hd_node *node = operation->node;
  (void)now;
  if (hd_node_events_add_found(&node->events, operation, operation->context, found) != HDHT_OK) {
    node->events_lost++;
    return;
  }
  operation->waiting++;
  if (operation->waiting < EVENTS_TO_PAUSE_AT || operation->is_paused) return;
  operation->is_paused = true;
  hd_query_pause(hd_announce_query(inner));
}

/* Without memory to ask for a signature, there will be none. */
static void on_sign(void *context, hd_time now, hd_announce_operation *inner, const hd_announce_to_sign *to_sign) {
  hd_node_operation *operation = context;
  if (hd_node_events_add_sign(&operation->node->events, operation, operation->context, to_sign) == HDHT_OK) return;
  operation->node->events_lost++;
  (void)hd_announce_signed(inner, now, to_sign->purpose, to_sign->number, NULL);
}

static void on_done(void *context, hd_time now, hd_announce_operation *inner, const hd_announce_result *result) {
  hd_node_operation *operation = context;
  (void)now;
  (void)inner;
  operation->end.event =
      (hd_event){.kind = HD_EVENT_DONE, .operation = operation, .context = operation->context, .result = *result};
  hd_node_events_add(&operation->node->events, &operation->end);
}

static const hd_announce_sink sink = {.on_found = on_found, .on_sign = on_sign, .on_done = on_done};

static unsigned count_operations(const hd_node *node) {
  unsigned count = 0;
  for (const hd_list *link = node->operations.next; link != &node->operations; link = link->next) count++;
  return count;
}

/* Our own storage forgets with the others. */
static void forget_own_record(hd_node *node, hd_time now, const hd_announce_options *options) {
  if (options->kind != HD_ANNOUNCE_UNANNOUNCE || options->public_key == NULL) return;
  uint8_t hash[HD_HASH_SIZE];
  hd_hash(options->public_key, HDHT_PUBLIC_KEY_SIZE, hash);
  (void)hd_storage_peers_remove(&node->storage.peers, options->target.bytes, options->public_key, now);
  if (memcmp(hash, options->target.bytes, sizeof hash) == 0) hd_storage_routes_remove(&node->storage.routes, hash);
}

int hd_node_start(hd_node *node, hd_time now, const hd_announce_options *options, void *context,
                  hd_node_operation **operation) {
  if (count_operations(node) >= HD_NODE_OPERATIONS_LIMIT) return HDHT_ERR_LIMIT;
  hd_node_operation *made = hd_allocate_zeroed(node->allocator, sizeof *made);
  if (made == NULL) return HDHT_ERR_OUT_OF_MEMORY;
  made->node = node;
  made->context = context;
  hd_list_init(&made->end.link);
  const int error = hd_announce_start(&node->queries, now, options, &sink, made, &made->inner);
  if (error != HDHT_OK) {
    hd_release(node->allocator, made, sizeof *made);
    return error;
  }
  forget_own_record(node, now, options);
  node->refresh_countdown =
      HD_NODE_REFRESH_TICKS; /* a walk of the user's refreshes the table as well as one of our own */
  hd_list_push_back(&node->operations, &made->link);
  *operation = made;
  return HDHT_OK;
}

int hd_node_operation_sign(hd_node_operation *operation, hd_time now, hd_announce_purpose purpose, uint16_t number,
                           const uint8_t *signature) {
  return hd_announce_signed(operation->inner, now, purpose, number, signature);
}

void hd_node_operation_destroy(hd_node_operation *operation, hd_time now) {
  hd_node *node = operation->node;
  hd_announce_destroy(operation->inner, now);
  hd_node_events_remove(&node->events, operation);
  hd_list_remove(&operation->link);
  hd_release(node->allocator, operation, sizeof *operation);
}

hd_query *hd_node_operation_query(const hd_node_operation *operation) {
  return hd_announce_query(operation->inner);
}

bool hd_node_next_event(hd_node *node, hd_time now, hd_event *event) {
  if (!hd_node_events_next(&node->events, event)) return false;
  if (event->kind != HD_EVENT_FOUND) return true;
  hd_node_operation *operation = event->operation;
  hd_assert(operation->waiting > 0);
  operation->waiting--;
  if (operation->is_paused && operation->waiting <= EVENTS_TO_CONTINUE_AT) {
    operation->is_paused = false;
    hd_query_continue(hd_announce_query(operation->inner), now);
  }
  return true;
}

void hd_node_destroy_operations(hd_node *node, hd_time now) {
  HD_LIST_EACH(link, &node->operations) {
    hd_node_operation_destroy(HD_CONTAINER_OF(link, hd_node_operation, link), now);
  }
}
