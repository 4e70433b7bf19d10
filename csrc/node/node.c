#include "node/node.h"

#include "base/assertion.h"
#include "crypto/secret.h"
#include "messages/message_node_id.h"
#include "node/node_address.h"
#include "node/node_bootstrap.h"
#include "node/node_commands.h"
#include "node/node_demux.h"
#include "node/node_internal.h"
#include "node/node_maintenance.h"

#define DOWN_HINTS_PER_TICK  50
#define PING_DELAY_MAX       HD_SECONDS(10)
#define TICK_AT_FIRST_MIN    51
#define TICK_AT_FIRST_MAX    100
#define REFRESH_AT_FIRST_MIN 31
#define REFRESH_AT_FIRST_MAX 60

/* ---- what the parts ask of the node ---------------------------------------------------------------------------- */

static void on_request(void *context, hd_time now, const hd_rpc_incoming *incoming) {
  hd_node_handle_request(context, now, incoming);
}

static void on_response(void *context, hd_time now, const hd_rpc_result *result) {
  hd_node *node = context;
  const bool is_external = result->socket != hd_rpc_socket_in_use(&node->rpc);
  hd_node_heard(node, now, &result->from, result->id, &result->response->to, is_external, true);
}

static unsigned closest(void *context, const uint8_t target[HDHT_NODE_ID_SIZE], hd_address *nodes, unsigned limit) {
  const hd_node *node = context;
  hd_table_node *found[HD_MESSAGES_CLOSER_NODES_MAX];
  hd_node_id id;
  memcpy(id.bytes, target, sizeof id.bytes);
  hd_assert(limit <= HD_MESSAGES_CLOSER_NODES_MAX);
  const unsigned count = hd_table_closest(&node->table, &id, found, limit);
  for (unsigned i = 0; i < count; i++) nodes[i] = found[i]->address;
  return count;
}

static const uint8_t *own_id(void *context) {
  const hd_node *node = context;
  return node->is_ephemeral ? NULL : node->table.own_id.bytes;
}

static bool query_accepts(void *context, const hd_address *address, const hd_address *from) {
  return hd_node_accepts(context, address, from);
}

static unsigned query_bootstraps(void *context, hd_address *nodes, unsigned limit) {
  const hd_node *node = context;
  unsigned count = 0;
  for (; count < node->bootstraps_count && count < limit; count++) nodes[count] = node->bootstraps[count];
  return count;
}

static bool query_may_hint(void *context) {
  hd_node *node = context;
  if (node->down_hints_left == 0) return false;
  node->down_hints_left--;
  return true;
}

static void query_on_dead(void *context, const hd_node_id *id) {
  hd_node_forget(context, id);
}

/* ---- life ------------------------------------------------------------------------------------------------------ */

static void init_rpc(hd_node *node, const hd_node_options *options, hd_time now) {
  const hd_rpc_options rpc = {.allocator = node->allocator,
                              .entropy = &node->entropy,
                              .owner = {.context = node,
                                        .on_request = on_request,
                                        .on_response = on_response,
                                        .closest = closest,
                                        .own_id = own_id},
                              .window_limit = options->window_limit,
                              .flood_limits = options->flood_limits};
  hd_rpc_init(&node->rpc, &rpc, now);
  node->rpc.is_firewalled = !options->is_reachable;
}

static void init_queries(hd_node *node) {
  node->queries = (hd_query_host){.allocator = node->allocator,
                                  .rpc = &node->rpc,
                                  .table = &node->table,
                                  .context = node,
                                  .accepts = query_accepts,
                                  .bootstraps = query_bootstraps,
                                  .may_hint = query_may_hint,
                                  .on_dead = query_on_dead};
  hd_query_host_init(&node->queries);
}

static void init_storage(hd_node *node, const hd_node_options *options, hd_time now) {
  const hd_storage_limits limits =
      options->storage_limits.entries > 0 ? options->storage_limits : HD_STORAGE_LIMITS_DEFAULT;
  const uint64_t seed[2] = {hd_entropy_u64(&node->entropy), hd_entropy_u64(&node->entropy)};
  hd_storage_init(&node->storage, node->allocator, &limits, seed);
  if (options->unix_ms > 0) hd_storage_set_calendar(&node->storage, now, options->unix_ms);
}

/* Until our address is known the table is built around a random place, which nobody is ever told. */
static void init_table(hd_node *node, const hd_node_options *options) {
  hd_node_id id;
  hd_entropy_fill(&node->entropy, id.bytes, sizeof id.bytes);
  const hd_table_limits limits = options->table_limits.row > 0 ? options->table_limits : HD_TABLE_LIMITS_DEFAULT;
  hd_table_init(&node->table, node->allocator, &id, limits);
}

static uint32_t random_between(hd_node *node, uint32_t least, uint32_t most) {
  return least + (uint32_t)hd_random_below(&node->random, most - least + 1);
}

static void init_maintenance(hd_node *node, const hd_node_options *options) {
  node->tick = random_between(node, TICK_AT_FIRST_MIN, TICK_AT_FIRST_MAX);
  node->refresh_countdown = random_between(node, REFRESH_AT_FIRST_MIN, REFRESH_AT_FIRST_MAX);
  node->adaptive_countdown = HD_NODE_STABLE_TICKS;
  node->down_hints_per_tick = options->down_hints_per_tick == 0            ? DOWN_HINTS_PER_TICK
                              : options->down_hints_per_tick == UINT32_MAX ? 0
                                                                           : options->down_hints_per_tick;
  node->down_hints_left = node->down_hints_per_tick;
  node->ping_delay_max = options->ping_delay_max.us > 0 ? options->ping_delay_max : PING_DELAY_MAX;
  node->health = hd_node_health_fresh();
  for (unsigned i = 0; i < HD_NODE_DELAYED_LIMIT; i++) node->delayed[i].at = HD_TIME_NEVER;
}

static int create_udx(hd_node *node, const hd_node_options *options) {
  const hd_udx_options udx = {.allocator = node->allocator,
                              .seed = {hd_entropy_u64(&node->entropy), hd_entropy_u64(&node->entropy)},
                              .streams_limit = options->streams_limit};
  return hd_udx_create(&udx, &node->udx);
}

int hd_node_create(const hd_node_options *options, hd_time now, hd_node **node) {
  const hd_allocator *allocator = hd_allocator_or_system(options->allocator);
  hd_node *made = hd_allocate_zeroed(allocator, sizeof *made);
  if (made == NULL) return HDHT_ERR_OUT_OF_MEMORY;
  made->allocator = allocator;
  made->mode = options->mode;
  made->is_ephemeral = true;
  made->without_quick_test = options->without_quick_test;
  made->public_host = options->public_host;
  hd_list_init(&made->operations);
  hd_entropy_init(&made->entropy, options->seed);
  made->random = hd_random_from_seed(hd_entropy_u64(&made->entropy));
  hd_nat_sampler_init(&made->sampler);
  hd_node_events_init(&made->events, allocator);
  init_rpc(made, options, now);
  init_table(made, options);
  init_queries(made);
  init_storage(made, options, now);
  init_maintenance(made, options);
  if (create_udx(made, options) != HDHT_OK) {
    hd_node_destroy(made);
    return HDHT_ERR_OUT_OF_MEMORY;
  }
  hd_node_add_bootstraps(made, now, options->bootstraps, options->bootstraps_count);
  for (size_t i = 0; i < options->nodes_count; i++) hd_node_add_node(made, &options->nodes[i]);
  *node = made;
  return HDHT_OK;
}

void hd_node_destroy(hd_node *node) {
  const hd_time now = node->last_tick_at; /* no timer is set any more, so any time will do */
  hd_node_destroy_operations(node, now);
  if (node->background != NULL) hd_query_destroy(node->background, now);
  hd_query_host_destroy(&node->queries);
  hd_rpc_destroy(&node->rpc);
  hd_table_clear(&node->table);
  hd_storage_destroy(&node->storage);
  if (node->udx != NULL) hd_udx_destroy(node->udx);
  hd_node_events_destroy(&node->events);
  hd_entropy_destroy(&node->entropy);
  hd_secret_release(node->allocator, node, sizeof *node);
}

/* ---- driving --------------------------------------------------------------------------------------------------- */

static bool knows_its_address(const hd_node *node) {
  return !hd_address_is_none(&node->public_host) && !node->rpc.is_firewalled;
}

/* A bootstrap node is told its address, and asks nobody. */
static void take_given_address(hd_node *node, hd_time now) {
  hd_address address = node->public_host;
  address.port = node->server_port;
  hd_node_sample_address(node, &address);
  if (node->is_ephemeral) hd_node_promote(node, now, &address);
}

void hd_node_bind(hd_node *node, hd_time now, const hd_node_sockets *sockets) {
  const bool is_resuming = node->is_bound;
  node->is_bound = true;
  node->is_suspended = false;
  node->server_port = sockets->server_port;
  hd_rpc_open(&node->rpc, sockets->server, sockets->client);
  hd_node_start_ticks(node, now);
  if (is_resuming) hd_node_wake_up(node);
  if (knows_its_address(node)) take_given_address(node, now);
  hd_query_host_resume(&node->queries, now);
  if (node->bootstrap == HD_NODE_BOOTSTRAP_IDLE) {
    hd_node_start_bootstrap(node, now);
  } else if (is_resuming) {
    hd_node_refresh(node, now);
  }
}

void hd_node_suspend(hd_node *node, hd_time now) {
  if (!node->is_bound || node->is_suspended) return;
  node->is_suspended = true;
  hd_rpc_close(&node->rpc, now, HDHT_ERR_SUSPENDED);
  for (unsigned i = 0; i < HD_NODE_DELAYED_LIMIT; i++) node->delayed[i].at = HD_TIME_NEVER;
}

static void receive_segment(hd_node *node, hd_time now, const hd_datagram *datagram) {
  switch (hd_node_classify(datagram->bytes)) {
    case HD_NODE_DATAGRAM_UDX:
      if (hd_udx_receive(node->udx, now, datagram) == HD_UDX_CONSUMED) return;
      break;
    case HD_NODE_DATAGRAM_RPC: (void)hd_rpc_receive(&node->rpc, now, datagram); return;
    case HD_NODE_DATAGRAM_PROBE:
      if (node->probe == NULL) break;
      node->probe(node->probe_context, now, datagram);
      return;
    case HD_NODE_DATAGRAM_NOTHING: break;
  }
  node->dropped_datagrams++;
}

void hd_node_receive(hd_node *node, hd_time now, const hd_datagram *datagram) {
  size_t offset = 0;
  hd_datagram segment;
  while (hd_datagram_next_segment(datagram, &offset, &segment)) receive_segment(node, now, &segment);
}

void hd_node_elapse(hd_node *node, hd_time now) {
  hd_rpc_elapse(&node->rpc, now);
  hd_query_host_elapse(&node->queries, now);
  hd_node_maintain(node, now);
  if (hd_time_is_due(hd_udx_deadline(node->udx), now)) hd_udx_elapse(node->udx, now);
}

void hd_node_settle(hd_node *node, hd_time now) {
  hd_query_host_elapse(&node->queries, now); /* queries started by commands take their first step */
  hd_udx_settle(node->udx, now);
}

size_t hd_node_next_sends(hd_node *node, hd_time now, hd_datagram_out *outs, size_t outs_capacity) {
  const size_t count = hd_rpc_take_sends(&node->rpc, outs, outs_capacity);
  return count > 0 ? count : hd_udx_next_sends(node->udx, now, outs, outs_capacity);
}

/* A lost RPC datagram is sent again by whoever waits for an answer. */
void hd_node_send_result(hd_node *node, hd_time now, const hd_datagram_out *out, uint32_t segments_sent, int error) {
  if (out->origin.layer == HD_LAYER_UDX) hd_udx_send_result(node->udx, now, out, segments_sent, error);
}

void hd_node_socket_writable(hd_node *node, hd_socket_id socket) {
  hd_udx_socket_writable(node->udx, socket);
}

hd_time hd_node_deadline(const hd_node *node) {
  hd_time deadline = hd_node_maintenance_deadline(node);
  deadline = hd_time_earlier(deadline, hd_rpc_deadline(&node->rpc));
  deadline = hd_time_earlier(deadline, hd_query_host_deadline(&node->queries));
  return hd_time_earlier(deadline, hd_udx_deadline(node->udx));
}

void hd_node_network_changed(hd_node *node, hd_time now) {
  (void)now;
  hd_node_events_add_news(&node->events, HD_EVENT_NETWORK);
}

void hd_node_add_bootstraps(hd_node *node, hd_time now, const hd_address *bootstraps, size_t count) {
  for (size_t i = 0; i < count; i++) {
    unsigned place = 0;
    while (place < node->bootstraps_count && !hd_address_equal(&node->bootstraps[place], &bootstraps[i])) place++;
    if (place < node->bootstraps_count || place == HD_NODE_BOOTSTRAPS_LIMIT) continue;
    if (bootstraps[i].family != HDHT_FAMILY_IPV4 || bootstraps[i].port == 0) continue;
    node->bootstraps[node->bootstraps_count++] = bootstraps[i];
  }
  if (node->bootstrap == HD_NODE_BOOTSTRAP_DONE && hd_table_count(&node->table) == 0) hd_node_refresh(node, now);
}

void hd_node_add_node(hd_node *node, const hd_address *address) {
  if (!hd_node_accepts(node, address, NULL)) return;
  hd_node_id id;
  hd_messages_node_id(address, id.bytes);
  if (hd_node_id_equal(&id, &node->table.own_id)) return;
  if (hd_table_insert(&node->table, &id, address, node->tick, NULL) == HD_TABLE_ADMITTED) node->nodes_added++;
}

/* ---- looking --------------------------------------------------------------------------------------------------- */

hd_node_state hd_node_look(const hd_node *node) {
  return (hd_node_state){.table_id = node->table.own_id,
                         .address = node->address,
                         .is_ready = node->bootstrap == HD_NODE_BOOTSTRAP_DONE,
                         .is_persistent = !node->is_ephemeral,
                         .is_firewalled = node->rpc.is_firewalled,
                         .is_suspended = node->is_suspended,
                         .is_online = node->health.is_online,
                         .is_degraded = node->health.is_degraded,
                         .nodes_count = hd_table_count(&node->table),
                         .tick = node->tick};
}

hd_address hd_node_remote_address(const hd_node *node) {
  const bool is_reachable = !node->rpc.is_firewalled && node->address.port != 0;
  return is_reachable && node->address.port == node->server_port ? node->address : (hd_address){0};
}

hd_node_stats hd_node_get_stats(const hd_node *node) {
  hd_node_stats stats = {.rpc = node->rpc.stats,
                         .queries_active = hd_query_host_active(&node->queries),
                         .queries_total = node->queries.queries_total,
                         .dropped_datagrams = node->dropped_datagrams,
                         .events_lost = node->events_lost,
                         .nodes_added = node->nodes_added,
                         .nodes_removed = node->nodes_removed,
                         .nodes_refused_network = node->nodes_refused_network,
                         .stored_records = hd_storage_peers_count(&node->storage.peers) +
                                           hd_storage_cache_count(&node->storage.routes.announced),
                         .stored_values = hd_storage_cache_count(&node->storage.values.immutables) +
                                          hd_storage_cache_count(&node->storage.values.mutables)};
  stats.rpc.requests_active = hd_rpc_requests_count(&node->rpc.requests);
  hd_udx_get_stats(node->udx, &stats.udx);
  return stats;
}

unsigned hd_node_list(const hd_node *node, hd_address *nodes, unsigned limit) {
  unsigned count = 0;
  for (const hd_table_node *entry = hd_table_latest(&node->table); entry != NULL && count < limit;
       entry = hd_table_heard_before(&node->table, entry)) {
    nodes[count++] = entry->address;
  }
  return count;
}

/* ---- parts ----------------------------------------------------------------------------------------------------- */

hd_rpc *hd_node_rpc(hd_node *node) {
  return &node->rpc;
}

hd_query_host *hd_node_queries(hd_node *node) {
  return &node->queries;
}

hd_storage *hd_node_storage(hd_node *node) {
  return &node->storage;
}

hd_table *hd_node_table(hd_node *node) {
  return &node->table;
}

hd_udx *hd_node_udx(hd_node *node) {
  return node->udx;
}

hd_entropy *hd_node_entropy(hd_node *node) {
  return &node->entropy;
}

void hd_node_set_command(hd_node *node, hd_node_command *handle, void *context) {
  node->command = handle;
  node->command_context = context;
}

void hd_node_set_probe(hd_node *node, hd_node_probe *handle, void *context) {
  node->probe = handle;
  node->probe_context = context;
}
