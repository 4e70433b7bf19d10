#include "api/api_node.h"

#include <hdht/error.h>

#include "api/api_loop.h"
#include "api/api_options.h"

/* The public network's (hyperdht, `BOOTSTRAP_NODES`). */
static const char *const public_bootstraps[] = {
    "88.99.3.86@node1.hyperdht.org:49737",
    "142.93.90.113@node2.hyperdht.org:49737",
    "138.68.147.8@node3.hyperdht.org:49737",
};

/* ---- events ---------------------------------------------------------------------------------------------------- */

static void tell(hdht_node *node, uint32_t event, int error) {
  if (node->callbacks.on_event != NULL) node->callbacks.on_event(node->user_data, event, error);
}

static void tell_ready(hdht_node *node) {
  if (node->callbacks.on_ready != NULL) node->callbacks.on_ready(node->user_data);
}

static void on_event(void *context, const hd_event *event) {
  hdht_node *node = context;
  if (node->is_abandoned) return;
  switch (event->kind) {
    case HD_EVENT_READY: tell_ready(node); break;
    case HD_EVENT_PERSISTENT: tell(node, HDHT_NODE_EVENT_PERSISTENT, HDHT_OK); break;
    case HD_EVENT_EPHEMERAL: tell(node, HDHT_NODE_EVENT_EPHEMERAL, HDHT_OK); break;
    case HD_EVENT_ADDRESS: tell(node, HDHT_NODE_EVENT_ADDRESS, HDHT_OK); break;
    case HD_EVENT_NETWORK: tell(node, HDHT_NODE_EVENT_NETWORK, HDHT_OK); break;
    case HD_EVENT_WAKE_UP: tell(node, HDHT_NODE_EVENT_WAKE_UP, HDHT_OK); break;
    case HD_EVENT_FOUND:
    case HD_EVENT_SIGN:
    case HD_EVENT_DONE: hd_api_query_event(event->context, event); break;
    case HD_EVENT_BOOTSTRAPS_WANTED: /* the driver looks them up */
    case HD_EVENT_NODE_KINDS: break;
  }
}

static void on_news(void *context, hd_uv_node_news news, int error) {
  hdht_node *node = context;
  switch (news) {
    case HD_UV_NODE_STATE_DAMAGED: tell(node, HDHT_NODE_EVENT_STATE_DAMAGED, error); break;
    case HD_UV_NODE_STATE_UNSAVED: tell(node, HDHT_NODE_EVENT_STATE_UNSAVED, error); break;
  }
}

static void on_settled(void *context) {
  hd_api_queries_settle(context);
}

static void on_closed(void *context) {
  hdht_node *node = context;
  const hdht_node_callbacks callbacks = node->callbacks;
  void *user_data = node->user_data;
  hdht_loop *loop = node->loop;
  const bool is_abandoned = node->is_abandoned;
  hd_assert(hd_list_is_empty(&node->queries));
  hd_release(node->allocator, node, sizeof *node);
  if (callbacks.on_closed != NULL && !is_abandoned) callbacks.on_closed(user_data);
  hd_api_loop_leave(loop);
}

static const hd_uv_node_handler handler = {
    .on_event = on_event, .on_news = on_news, .on_settled = on_settled, .on_closed = on_closed};

/* ---- life ------------------------------------------------------------------------------------------------------ */

void hdht_node_options_init(hdht_node_options *options, size_t struct_size) {
  const hdht_node_options defaults = {.struct_size = sizeof defaults,
                                      .bootstraps = public_bootstraps,
                                      .bootstraps_count = sizeof public_bootstraps / sizeof public_bootstraps[0]};
  hd_api_init_struct(options, struct_size, &defaults, sizeof defaults);
}

static bool are_ipv4(const hdht_address *addresses, size_t count) {
  for (size_t i = 0; i < count; i++) {
    if (addresses[i].family != HDHT_FAMILY_IPV4 || addresses[i].port == 0) return false;
  }
  return true;
}

static bool is_ipv4_or_none(const hdht_address *address) {
  return address->family == HDHT_FAMILY_IPV4 || hd_address_is_none(address);
}

static int check_options(const hdht_node_options *options) {
  if (options->bootstraps_count > 0 && options->bootstraps == NULL) return HDHT_ERR_INVALID_ARGUMENT;
  if (options->nodes_count > 0 && options->nodes == NULL) return HDHT_ERR_INVALID_ARGUMENT;
  if (!are_ipv4(options->nodes, options->nodes_count)) return HDHT_ERR_INVALID_ARGUMENT;
  if (!is_ipv4_or_none(&options->address) || !is_ipv4_or_none(&options->public_host)) return HDHT_ERR_INVALID_ARGUMENT;
  if (options->mode > HDHT_NODE_PERSISTENT || options->ports_count > UINT16_MAX) return HDHT_ERR_INVALID_ARGUMENT;
  return HDHT_OK;
}

static hd_node_mode mode_of(const hdht_node_options *options) {
  switch (options->mode) {
    case HDHT_NODE_EPHEMERAL: return HD_NODE_EPHEMERAL;
    case HDHT_NODE_PERSISTENT: return HD_NODE_PERSISTENT;
    default: return HD_NODE_ADAPTIVE;
  }
}

static hd_uv_node_options driver_options(const hdht_node_options *options) {
  return (hd_uv_node_options){
      .core = {.mode = mode_of(options),
               .is_reachable = (options->flags & HDHT_NODE_REACHABLE) != 0,
               .without_quick_test = (options->flags & HDHT_NODE_NO_QUICK_TEST) != 0,
               .public_host = options->public_host,
               .nodes = options->nodes,
               .nodes_count = options->nodes_count,
               .window_limit = options->window_limit},
      .bootstraps = options->bootstraps,
      .bootstraps_count = options->bootstraps_count,
      .address = options->address,
      .ports_count = (uint16_t)options->ports_count,
      .takes_any_port = (options->flags & HDHT_NODE_ANY_PORT) != 0,
      .takes_no_other = (options->flags & HDHT_NODE_EXACT_PORT) != 0,
      .may_share_port = (options->flags & HDHT_NODE_SHARE_PORT) != 0,
      .state_path = options->state_path,
  };
}

static int read_options(hdht_node_options *known, const hdht_node_options *given) {
  hdht_node_options_init(known, sizeof *known);
  if (given != NULL && hd_api_read_struct(known, sizeof *known, given) != HDHT_OK) return HDHT_ERR_INVALID_ARGUMENT;
  return check_options(known);
}

static int open_node(hdht_node *node, const hdht_node_options *options) {
  const hd_uv_node_options known = driver_options(options);
  return hd_uv_node_create(hdht_loop_uv_loop(node->loop), node->allocator, &known, &handler, node, &node->node);
}

int hdht_node_create(hdht_loop *loop, const hdht_node_options *options, const hdht_node_callbacks *callbacks,
                     void *user_data, hdht_node **node) {
  hdht_node_options known;
  hdht_node_callbacks known_callbacks = {0};
  if (loop == NULL || node == NULL || read_options(&known, options) != HDHT_OK) return HDHT_ERR_INVALID_ARGUMENT;
  if (callbacks != NULL && hd_api_read_struct(&known_callbacks, sizeof known_callbacks, callbacks) != HDHT_OK) {
    return HDHT_ERR_INVALID_ARGUMENT;
  }
  int error = hd_api_loop_enter(loop);
  if (error != HDHT_OK) return error;
  const hd_allocator *allocator = hd_allocator_or_system(known.allocator);
  hdht_node *created = hd_allocate_zeroed(allocator, sizeof *created);
  if (created == NULL) {
    hd_api_loop_leave(loop);
    return HDHT_ERR_OUT_OF_MEMORY;
  }
  created->allocator = allocator;
  created->callbacks = known_callbacks;
  created->user_data = user_data;
  created->loop = loop;
  hd_list_init(&created->queries);
  error = open_node(created, &known);
  if (error != HDHT_OK) {
    hd_release(allocator, created, sizeof *created);
    hd_api_loop_leave(loop);
    return error;
  }
  error = hd_uv_node_open(created->node);
  if (error != HDHT_OK) { /* what is already on the loop is closed there */
    created->is_abandoned = true;
    hd_uv_node_close(created->node);
    return error;
  }
  *node = created;
  return HDHT_OK;
}

void hdht_node_close(hdht_node *node) {
  if (node == NULL || node->is_closing) return;
  node->is_closing = true;
  hd_uv_node_close(node->node);
}

void hdht_node_suspend(hdht_node *node) {
  if (node != NULL && !node->is_closing) hd_uv_node_suspend(node->node);
}

int hdht_node_resume(hdht_node *node) {
  if (node == NULL) return HDHT_ERR_INVALID_ARGUMENT;
  return node->is_closing ? HDHT_ERR_CLOSED : hd_uv_node_resume(node->node);
}

/* ---- looking --------------------------------------------------------------------------------------------------- */

static uint32_t flags_of(const hd_node_state *state) {
  return (state->is_ready ? HDHT_NODE_IS_READY : 0u) | (state->is_persistent ? HDHT_NODE_IS_PERSISTENT : 0u) |
         (state->is_firewalled ? 0u : HDHT_NODE_IS_REACHABLE) | (state->is_suspended ? HDHT_NODE_IS_SUSPENDED : 0u) |
         (state->is_online ? HDHT_NODE_IS_ONLINE : 0u) | (state->is_degraded ? HDHT_NODE_IS_DEGRADED : 0u);
}

void hdht_node_get_state(const hdht_node *node, hdht_node_state *state, size_t struct_size) {
  const hd_node *core = hd_uv_node_core(node->node);
  const hd_node_state look = hd_node_look(core);
  hdht_node_state known = {.struct_size = sizeof known,
                           .address = look.address,
                           .remote_address = hd_node_remote_address(core),
                           .server_address = hd_uv_node_server_address(node->node),
                           .client_address = hd_uv_node_client_address(node->node),
                           .flags = flags_of(&look),
                           .nodes_count = look.nodes_count};
  memcpy(known.id, look.table_id.bytes, sizeof known.id);
  hd_api_init_struct(state, struct_size, &known, sizeof known);
}

size_t hdht_node_list_nodes(const hdht_node *node, hdht_address *nodes, size_t capacity) {
  const size_t limit = capacity < HDHT_NODE_KNOWN_NODES_LIMIT ? capacity : HDHT_NODE_KNOWN_NODES_LIMIT;
  return hd_node_list(hd_uv_node_core(node->node), nodes, (unsigned)limit);
}

int hdht_node_add_node(hdht_node *node, const hdht_address *address) {
  if (node == NULL || address == NULL || !are_ipv4(address, 1)) return HDHT_ERR_INVALID_ARGUMENT;
  if (node->is_closing) return HDHT_ERR_CLOSED;
  hd_node_add_node(hd_uv_node_core(node->node), address);
  hd_uv_node_touch(node->node);
  return HDHT_OK;
}

int hdht_node_save_state(hdht_node *node) {
  if (node == NULL) return HDHT_ERR_INVALID_ARGUMENT;
  return node->is_closing ? HDHT_ERR_CLOSED : hd_uv_node_save(node->node);
}
