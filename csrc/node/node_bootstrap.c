#include "node/node_bootstrap.h"

#include "messages/message_command.h"
#include "node/node_address.h"

#define PAD_FIND_NODE    56 /* so that an answer with 20 nodes is not three times the question */
#define BOOTSTRAP_ROUNDS 2

static void walk_over(void *context, hd_time now, hd_query *query, int error);
static void first_answer(void *context, hd_time now, hd_query *query, const hd_query_reply *reply);

static const hd_query_sink walk_sink = {.on_reply = first_answer, .on_done = walk_over};

void hd_node_walk_in_background(hd_node *node, hd_time now, const hd_node_id *target) {
  node->refresh_countdown = HD_NODE_REFRESH_TICKS;
  if (node->background != NULL) return;
  const hd_query_options options = {.target = *target,
                                    .is_internal = true,
                                    .command = HD_MESSAGES_FIND_NODE,
                                    .pad_to = PAD_FIND_NODE,
                                    .is_background = true};
  if (hd_query_create(&node->queries, now, &options, &walk_sink, node, &node->background) != HDHT_OK) {
    node->background = NULL;
  }
}

/* ---- the quick test -------------------------------------------------------------------------------------------- */

static void quick_test_answered(void *context, hd_time now, const hd_rpc_result *result) {
  hd_node *node = context;
  (void)now;
  if (result->error == HDHT_OK && result->socket == node->rpc.server_socket) node->is_quick_test_passed = true;
}

/* The first node that answers is asked to answer again, to the server socket's port: if that comes through before the
 * walk is over, it is worth finding out more. */
static void first_answer(void *context, hd_time now, hd_query *query, const hd_query_reply *reply) {
  hd_node *node = context;
  (void)query;
  const bool is_wanted = node->bootstrap == HD_NODE_BOOTSTRAP_WALKING && node->rpc.is_firewalled &&
                         !node->without_quick_test && node->mode != HD_NODE_PERSISTENT;
  if (!is_wanted || node->is_quick_test_sent) return;
  node->is_quick_test_sent = true;
  uint8_t port[HD_MESSAGES_PING_NAT_SIZE];
  hd_messages_write_ping_nat(port, node->server_port);
  const hd_rpc_ask ask = {.to = reply->from,
                          .is_internal = true,
                          .has_value = true,
                          .command = HD_MESSAGES_PING_NAT,
                          .value = hd_bytes_of(port, sizeof port),
                          .retries = HD_RPC_RETRIES_DEFAULT,
                          .timeout = HD_RPC_TIMEOUT_MAX,
                          .on_done = quick_test_answered,
                          .context = node};
  (void)hd_rpc_request_send(&node->rpc, now, &ask, NULL);
}

/* ---- rounds ---------------------------------------------------------------------------------------------------- */

static void finish(hd_node *node) {
  node->bootstrap = HD_NODE_BOOTSTRAP_DONE;
  hd_node_events_add_news(&node->events, HD_EVENT_READY);
}

static void start_round(hd_node *node, hd_time now) {
  node->bootstrap = HD_NODE_BOOTSTRAP_WALKING;
  node->bootstrap_rounds++;
  const hd_node_id target = node->table.own_id;
  hd_node_walk_in_background(node, now, &target);
  if (node->background == NULL) finish(node); /* no memory for a walk: refreshing will try again */
}

/* With a new id the neighbours are others, and have to be found. */
static void check_over(hd_node *node, hd_time now, bool has_changed) {
  if (has_changed && node->bootstrap_rounds < BOOTSTRAP_ROUNDS) {
    start_round(node, now);
  } else {
    finish(node);
  }
}

static void walk_over(void *context, hd_time now, hd_query *query, int error) {
  hd_node *node = context;
  hd_query_destroy(query, now);
  node->background = NULL;
  if (error == HDHT_ERR_NO_NODES) hd_node_events_add_news(&node->events, HD_EVENT_BOOTSTRAPS_WANTED);
  if (node->bootstrap != HD_NODE_BOOTSTRAP_WALKING) return;
  if (error == HDHT_ERR_SUSPENDED) {
    node->bootstrap = HD_NODE_BOOTSTRAP_IDLE;
    return;
  }
  const bool is_forced = node->mode == HD_NODE_PERSISTENT;
  if (!is_forced && !node->is_quick_test_passed) {
    finish(node);
    return;
  }
  node->bootstrap = HD_NODE_BOOTSTRAP_CHECKING;
  hd_node_check_network(node, now, !is_forced, check_over);
}

void hd_node_start_bootstrap(hd_node *node, hd_time now) {
  node->bootstrap_rounds = 0;
  start_round(node, now);
}
