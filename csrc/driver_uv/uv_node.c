#include "driver_uv/uv_node.h"

#include <string.h>
#include <sys/time.h>

#include "crypto/entropy.h"
#include "crypto/secret.h"
#include "driver_uv/uv_interfaces.h"
#include "driver_uv/uv_resolver.h"
#include "driver_uv/uv_state_file.h"

/* How often events and the commands they cause may follow each other before the sockets have their turn. */
#define SETTLE_ROUNDS_MAX 8

#define LOOKS_PER_SAVE (HD_UV_NODE_SAVE_PERIOD_MS / HD_UV_INTERFACES_PERIOD_MS)

struct hd_uv_node {
  const hd_allocator *allocator;
  uv_loop_t *loop;
  const hd_uv_node_handler *handler;
  void *context;
  hd_uv_driver *driver; /* NULL when it is closed */
  hd_node *core;
  hd_uv_resolver resolver;
  hd_uv_state_file state_file;
  uv_timer_t look; /* at the interfaces; and, more seldom, to save */
  unsigned looks_until_save;
  uint64_t interfaces;

  hd_address host; /* both sockets'; no port */
  uint16_t port;   /* the first to try */
  uint16_t ports_count;
  bool takes_no_other;
  bool may_share_port;
  hd_node_sockets sockets; /* 0 while there are none */
  uint16_t client_port;

  int damage; /* of the state file, to be told */
  bool is_bound;
  bool is_suspended;
  bool has_more_events;
  bool is_closing;
  bool is_ending; /* the state is saved and the driver closed, or both on their way */
  bool is_look_open;
};

static void end_if_over(hd_uv_node *node);

/* ---- the core, as the driver sees it --------------------------------------------------------------------------- */

static void receive(void *context, hd_time now, const hd_datagram *datagram) {
  hd_node_receive(((hd_uv_node *)context)->core, now, datagram);
}

static void elapse(void *context, hd_time now) {
  hd_node_elapse(((hd_uv_node *)context)->core, now);
}

/* Its own work comes first: names are looked up again while the user hears of nothing but their result. */
static void tell(hd_uv_node *node, const hd_event *event) {
  if (event->kind == HD_EVENT_BOOTSTRAPS_WANTED && !node->is_closing) (void)hd_uv_resolver_start(&node->resolver, true);
  node->handler->on_event(node->context, event);
}

static bool tell_events(hd_uv_node *node) {
  hd_event event;
  bool any = false;
  while (hd_node_next_event(node->core, hd_uv_driver_now(node->driver), &event)) {
    tell(node, &event);
    any = true;
  }
  return any;
}

static void tell_damage(hd_uv_node *node) {
  const int error = node->damage;
  node->damage = HDHT_OK;
  if (error != HDHT_OK) node->handler->on_news(node->context, HD_UV_NODE_STATE_DAMAGED, error);
}

/* Each round at its own time: commands given in the round before are due by then, not before. */
static void settle(void *context, hd_time now) {
  hd_uv_node *node = context;
  (void)now;
  tell_damage(node);
  node->has_more_events = true;
  for (int i = 0; i < SETTLE_ROUNDS_MAX && node->has_more_events; i++) {
    hd_node_settle(node->core, hd_uv_driver_now(node->driver));
    node->has_more_events = tell_events(node);
    node->handler->on_settled(node->context);
  }
}

static size_t next_sends(void *context, hd_time now, hd_datagram_out *outs, size_t outs_capacity) {
  return hd_node_next_sends(((hd_uv_node *)context)->core, now, outs, outs_capacity);
}

static void send_result(void *context, hd_time now, const hd_datagram_out *out, uint32_t segments_sent, int error) {
  hd_node_send_result(((hd_uv_node *)context)->core, now, out, segments_sent, error);
}

static void socket_writable(void *context, hd_time now, hd_socket_id socket) {
  (void)now;
  hd_node_socket_writable(((hd_uv_node *)context)->core, socket);
}

/* Asked when everything was sent; so a closing node whose streams have said their farewell can go now. */
static hd_time deadline(void *context) {
  hd_uv_node *node = context;
  if (node->is_closing && hd_udx_streams_count(hd_node_udx(node->core)) == 0) end_if_over(node);
  return node->has_more_events ? (hd_time){0} : hd_node_deadline(node->core);
}

static void socket_closed(void *context, hd_socket_id socket, void *socket_context) {
  (void)context;
  (void)socket;
  (void)socket_context;
}

static void driver_closed(void *context) {
  hd_uv_node *node = context;
  node->driver = NULL;
  end_if_over(node);
}

static const hd_uv_core core_functions = {
    .receive = receive,
    .elapse = elapse,
    .settle = settle,
    .next_sends = next_sends,
    .send_result = send_result,
    .socket_writable = socket_writable,
    .deadline = deadline,
    .socket_closed = socket_closed,
    .closed = driver_closed,
};

/* ---- sockets --------------------------------------------------------------------------------------------------- */

static int open_socket(hd_uv_node *node, uint16_t port, uint16_t ports_count, bool may_share, hd_socket_id *socket) {
  hd_uv_socket_options options = {.address = node->host, .ports_count = ports_count, .may_share_port = may_share};
  options.address.port = port;
  return hd_uv_driver_open_socket(node->driver, &options, NULL, socket);
}

/* A range that would pass the last port ends there. */
static uint16_t ports_from(uint16_t port, uint16_t count) {
  const uint32_t left = (uint32_t)UINT16_MAX - port + 1;
  return count < left ? count : (uint16_t)left;
}

static int open_server(hd_uv_node *node) {
  int error = HDHT_ERR_ADDRESS_IN_USE;
  if (node->sockets.server_port != 0) { /* the port others know us by */
    error = open_socket(node, node->sockets.server_port, 1, node->may_share_port, &node->sockets.server);
    if (error == HDHT_OK) return HDHT_OK;
  }
  if (node->port != 0) {
    const uint16_t count = ports_from(node->port, node->ports_count);
    error = open_socket(node, node->port, count, node->may_share_port, &node->sockets.server);
    if (error == HDHT_OK || node->takes_no_other) return error;
  }
  return open_socket(node, 0, 1, false, &node->sockets.server);
}

static int open_client(hd_uv_node *node) {
  if (node->client_port != 0 && open_socket(node, node->client_port, 1, false, &node->sockets.client) == HDHT_OK) {
    return HDHT_OK;
  }
  return open_socket(node, 0, 1, false, &node->sockets.client);
}

static hd_address address_of(const hd_uv_node *node, hd_socket_id id) {
  const hd_uv_socket *socket = node->driver != NULL ? hd_uv_driver_socket(node->driver, id) : NULL;
  hd_address address = {0};
  if (socket != NULL) (void)hd_uv_socket_get_address(socket, &address);
  return address;
}

static int open_sockets(hd_uv_node *node) {
  int error = open_server(node);
  if (error != HDHT_OK) return error;
  error = open_client(node);
  if (error != HDHT_OK) {
    hd_uv_driver_close_socket(node->driver, node->sockets.server);
    return error;
  }
  node->sockets.server_port = hd_uv_node_server_address(node).port;
  node->client_port = hd_uv_node_client_address(node).port;
  return HDHT_OK;
}

static void bind_core(hd_uv_node *node) {
  node->is_bound = true;
  hd_node_bind(node->core, hd_uv_node_now(node), &node->sockets);
  hd_uv_node_touch(node);
}

hd_address hd_uv_node_server_address(const hd_uv_node *node) {
  return address_of(node, node->sockets.server);
}

hd_address hd_uv_node_client_address(const hd_uv_node *node) {
  return address_of(node, node->sockets.client);
}

/* ---- names ----------------------------------------------------------------------------------------------------- */

static void add_bootstrap(hd_uv_node *node, const hd_address *address) {
  hd_node_add_bootstraps(node->core, hd_uv_node_now(node), address, 1);
  hd_uv_node_touch(node);
}

static void on_address(void *context, const hd_address *address) {
  hd_uv_node *node = context;
  if (!node->is_closing) add_bootstrap(node, address);
}

static void on_looked_up(void *context) {
  hd_uv_node *node = context;
  if (node->is_ending) {
    end_if_over(node);
  } else if (!node->is_closing && !node->is_bound && !node->is_suspended) {
    bind_core(node);
  }
}

/* Whoever has an address in the list need not wait for the names. */
static void start_bootstrap(hd_uv_node *node) {
  bool has_address = false;
  for (size_t i = 0; i < node->resolver.entries_count; i++) {
    const hd_address *address = &node->resolver.entries[i].address;
    if (hd_address_is_none(address)) continue;
    hd_node_add_bootstraps(node->core, hd_uv_node_now(node), address, 1);
    has_address = true;
  }
  const bool is_looking = hd_uv_resolver_start(&node->resolver, false);
  if (has_address || !is_looking) bind_core(node);
}

/* ---- the interfaces and the state file ------------------------------------------------------------------------- */

static void look_at_interfaces(hd_uv_node *node) {
  const uint64_t interfaces = hd_uv_interfaces_fingerprint();
  if (interfaces == node->interfaces) return;
  node->interfaces = interfaces;
  hd_node_network_changed(node->core, hd_uv_node_now(node));
  hd_uv_node_touch(node);
}

/* A node that knows nobody must not forget on disk whom it once knew. */
static void save_now_and_then(hd_uv_node *node) {
  if (--node->looks_until_save > 0) return;
  node->looks_until_save = LOOKS_PER_SAVE;
  if (hd_node_look(node->core).nodes_count > 0) (void)hd_uv_node_save(node);
}

static void on_look(uv_timer_t *timer) {
  hd_uv_node *node = timer->data;
  if (node->is_suspended) return;
  look_at_interfaces(node);
  save_now_and_then(node);
}

static void start_looking(hd_uv_node *node) {
  node->interfaces = hd_uv_interfaces_fingerprint();
  node->looks_until_save = LOOKS_PER_SAVE;
  uv_timer_init(node->loop, &node->look);
  node->look.data = node;
  node->is_look_open = true;
  uv_timer_start(&node->look, on_look, HD_UV_INTERFACES_PERIOD_MS, HD_UV_INTERFACES_PERIOD_MS);
  uv_unref((uv_handle_t *)&node->look);
}

static void on_written(void *context, int error) {
  hd_uv_node *node = context;
  if (error != HDHT_OK) node->handler->on_news(node->context, HD_UV_NODE_STATE_UNSAVED, error);
  if (node->is_ending) end_if_over(node);
}

int hd_uv_node_save(hd_uv_node *node) {
  return hd_uv_state_file_save(&node->state_file, node->core);
}

/* ---- life ------------------------------------------------------------------------------------------------------ */

static void release(hd_uv_node *node) {
  if (node->core != NULL) hd_node_destroy(node->core);
  hd_uv_state_file_destroy(&node->state_file);
  hd_release(node->allocator, node, sizeof *node);
}

static uint64_t unix_ms(void) {
  struct timeval now;
  if (gettimeofday(&now, NULL) != 0) return 0;
  return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_usec / 1000;
}

/* The clock of a driver runs before there is one. */
static int create_core(hd_uv_node *node, const hd_uv_node_options *options) {
  uint8_t seed[HD_ENTROPY_SEED_SIZE];
  int error = hd_entropy_from_system(seed, sizeof seed);
  if (error != HDHT_OK) return error;
  hd_node_options core = options->core;
  core.allocator = node->allocator;
  core.seed = seed;
  core.unix_ms = unix_ms();
  core.bootstraps_count = 0;
  error = hd_node_create(&core, hd_uv_driver_now(NULL), &node->core);
  hd_secret_wipe(seed, sizeof seed);
  return error;
}

/* What can be refused without having begun. */
static int prepare(hd_uv_node *node, const hd_uv_node_options *options) {
  node->state_file.allocator = node->allocator;
  const bool is_ipv4 = options->address.family == HDHT_FAMILY_IPV4 || hd_address_is_none(&options->address);
  if (!is_ipv4) return HDHT_ERR_INVALID_ARGUMENT;
  node->host = options->address;
  node->host.family = HDHT_FAMILY_IPV4;
  node->host.port = 0;
  node->port = options->takes_any_port ? 0 : options->address.port != 0 ? options->address.port : HD_UV_NODE_PORT;
  node->ports_count = options->ports_count != 0 ? options->ports_count : HD_UV_NODE_PORTS;
  node->takes_no_other = options->takes_no_other;
  node->may_share_port = options->may_share_port;
  const int error = hd_uv_resolver_init(&node->resolver, node->loop, options->bootstraps, options->bootstraps_count);
  node->resolver.on_address = on_address;
  node->resolver.on_done = on_looked_up;
  node->resolver.context = node;
  if (error != HDHT_OK) return error;
  return hd_uv_state_file_init(&node->state_file, node->loop, node->allocator, options->state_path);
}

int hd_uv_node_create(uv_loop_t *loop, const hd_allocator *allocator, const hd_uv_node_options *options,
                      const hd_uv_node_handler *handler, void *context, hd_uv_node **node) {
  hd_uv_node *created = hd_allocate_zeroed(allocator, sizeof *created);
  if (created == NULL) return HDHT_ERR_OUT_OF_MEMORY;
  created->allocator = allocator;
  created->loop = loop;
  created->handler = handler;
  created->context = context;
  int error = prepare(created, options);
  if (error == HDHT_OK) error = create_core(created, options);
  if (error == HDHT_OK) {
    error = hd_uv_driver_create(loop, allocator, hd_uv_send_messages, &core_functions, created, &created->driver);
  }
  if (error != HDHT_OK) {
    release(created);
    return error;
  }
  start_looking(created);
  *node = created;
  return HDHT_OK;
}

int hd_uv_node_open(hd_uv_node *node) {
  const int error = open_sockets(node);
  if (error != HDHT_OK) return error;
  node->damage = hd_uv_state_file_load(&node->state_file, node->core);
  node->state_file.on_written = on_written;
  node->state_file.context = node;
  start_bootstrap(node);
  hd_uv_node_touch(node);
  return HDHT_OK;
}

static void on_look_closed(uv_handle_t *handle) {
  hd_uv_node *node = handle->data;
  node->is_look_open = false;
  end_if_over(node);
}

/* A node that knows nobody leaves the file as it is. */
static void begin_end(hd_uv_node *node) {
  node->is_ending = true;
  if (!node->state_file.is_writing && hd_node_look(node->core).nodes_count > 0) (void)hd_uv_node_save(node);
  (void)hd_uv_resolver_stop(&node->resolver);
  uv_close((uv_handle_t *)&node->look, on_look_closed);
  hd_uv_driver_close(node->driver);
}

static void end_if_over(hd_uv_node *node) {
  if (!node->is_ending) {
    begin_end(node);
    return;
  }
  const bool is_waiting =
      node->driver != NULL || node->state_file.is_writing || node->resolver.looking_count > 0 || node->is_look_open;
  if (is_waiting) return;
  const hd_uv_node_handler *handler = node->handler;
  void *context = node->context;
  release(node);
  if (handler != NULL) handler->on_closed(context);
}

void hd_uv_node_close(hd_uv_node *node) {
  if (node->is_closing) return;
  node->is_closing = true;
  hd_uv_node_touch(node);
}

hd_node *hd_uv_node_core(const hd_uv_node *node) {
  return node->core;
}

hd_time hd_uv_node_now(const hd_uv_node *node) {
  return hd_uv_driver_now(node->driver);
}

void hd_uv_node_touch(hd_uv_node *node) {
  if (node->driver != NULL) hd_uv_driver_touch(node->driver);
}

/* ---- sleeping -------------------------------------------------------------------------------------------------- */

void hd_uv_node_suspend(hd_uv_node *node) {
  if (node->is_suspended || node->is_closing) return;
  node->is_suspended = true;
  if (node->is_bound) hd_node_suspend(node->core, hd_uv_node_now(node));
  hd_uv_driver_close_socket(node->driver, node->sockets.server);
  hd_uv_driver_close_socket(node->driver, node->sockets.client);
  hd_uv_node_touch(node);
}

int hd_uv_node_resume(hd_uv_node *node) {
  if (!node->is_suspended) return HDHT_OK;
  if (node->is_closing) return HDHT_ERR_CLOSED;
  const int error = open_sockets(node);
  if (error != HDHT_OK) return error;
  node->is_suspended = false;
  if (node->is_bound || node->resolver.looking_count == 0) bind_core(node);
  return HDHT_OK;
}
