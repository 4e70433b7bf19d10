#include <hdht/error.h>
#include <hdht/testnet.h>
#include <stdbool.h>

#include "api/api_loop.h"
#include "api/api_options.h"
#include "base/address_text.h"
#include "base/allocator.h"
#include "base/assertion.h"

#define NODES_DEFAULT 10

_Static_assert(HDHT_TESTNET_BOOTSTRAP_SIZE >= sizeof "127.0.0.1:65535", "every loopback address has room");

struct hdht_testnet {
  const hd_allocator *allocator;
  hdht_loop *loop;
  hdht_testnet_callbacks callbacks;
  void *user_data;
  size_t nodes_wanted;
  size_t nodes_count; /* made */
  size_t nodes_open;  /* of those, not closed */
  char bootstrap[HDHT_TESTNET_BOOTSTRAP_SIZE];
  bool is_ready;
  bool is_closing;
  hdht_node *nodes[HDHT_TESTNET_NODES_LIMIT];
};

static int add_node(hdht_testnet *testnet, uint16_t port);

static void tell_ready(hdht_testnet *testnet, int error) {
  testnet->is_ready = true;
  if (testnet->callbacks.on_ready != NULL) testnet->callbacks.on_ready(testnet->user_data, error);
}

/* One after the other: each then finds those before it. */
static void on_node_ready(void *user_data) {
  hdht_testnet *testnet = user_data;
  if (testnet->is_closing || testnet->is_ready) return;
  if (testnet->nodes_count == testnet->nodes_wanted) {
    tell_ready(testnet, HDHT_OK);
    return;
  }
  const int error = add_node(testnet, 0);
  if (error != HDHT_OK) tell_ready(testnet, error);
}

static void on_node_closed(void *user_data) {
  hdht_testnet *testnet = user_data;
  hd_assert(testnet->nodes_open > 0);
  testnet->nodes_open--;
  if (testnet->nodes_open > 0) return;
  const hdht_testnet_callbacks callbacks = testnet->callbacks;
  void *testnet_user_data = testnet->user_data;
  hdht_loop *loop = testnet->loop;
  hd_release(testnet->allocator, testnet, sizeof *testnet);
  if (callbacks.on_closed != NULL) callbacks.on_closed(testnet_user_data);
  hd_api_loop_leave(loop);
}

static const hdht_node_callbacks node_callbacks = {
    .struct_size = sizeof node_callbacks, .on_ready = on_node_ready, .on_closed = on_node_closed};

static int add_node(hdht_testnet *testnet, uint16_t port) {
  const bool is_first = testnet->nodes_count == 0;
  const char *bootstraps[] = {testnet->bootstrap};
  const hdht_address loopback = hd_address_ipv4(127, 0, 0, 1, port);
  const hdht_node_options options = {
      .struct_size = sizeof options,
      .allocator = testnet->allocator,
      .bootstraps = bootstraps,
      .bootstraps_count = is_first ? 0 : 1,
      .address = loopback,
      .public_host = is_first ? loopback : (hdht_address){.family = HDHT_FAMILY_NONE},
      .ports_count = 1,
      .mode = HDHT_NODE_PERSISTENT,
      .flags = HDHT_NODE_REACHABLE | (port == 0 ? HDHT_NODE_ANY_PORT : HDHT_NODE_EXACT_PORT)};
  const int error =
      hdht_node_create(testnet->loop, &options, &node_callbacks, testnet, &testnet->nodes[testnet->nodes_count]);
  if (error != HDHT_OK) return error;
  testnet->nodes_count++;
  testnet->nodes_open++;
  return HDHT_OK;
}

static int add_bootstrap(hdht_testnet *testnet, uint16_t port) {
  const int error = add_node(testnet, port);
  if (error != HDHT_OK) return error;
  hdht_node_state state;
  hdht_node_get_state(testnet->nodes[0], &state, sizeof state);
  char text[HD_ADDRESS_TEXT_SIZE];
  const char *address = hd_address_format(&state.server_address, text);
  hd_assert(strlen(address) < sizeof testnet->bootstrap);
  memcpy(testnet->bootstrap, address, strlen(address) + 1);
  return HDHT_OK;
}

void hdht_testnet_options_init(hdht_testnet_options *options, size_t struct_size) {
  const hdht_testnet_options defaults = {.struct_size = sizeof defaults};
  hd_api_init_struct(options, struct_size, &defaults, sizeof defaults);
}

int hdht_testnet_create(hdht_loop *loop, const hdht_testnet_options *options, const hdht_testnet_callbacks *callbacks,
                        void *user_data, hdht_testnet **testnet) {
  hdht_testnet_options known = {0};
  hdht_testnet_callbacks known_callbacks = {0};
  if (loop == NULL || testnet == NULL) return HDHT_ERR_INVALID_ARGUMENT;
  if (options != NULL && hd_api_read_struct(&known, sizeof known, options) != HDHT_OK) return HDHT_ERR_INVALID_ARGUMENT;
  if (callbacks != NULL && hd_api_read_struct(&known_callbacks, sizeof known_callbacks, callbacks) != HDHT_OK) {
    return HDHT_ERR_INVALID_ARGUMENT;
  }
  if (known.nodes_count > HDHT_TESTNET_NODES_LIMIT) return HDHT_ERR_INVALID_ARGUMENT;
  int error = hd_api_loop_enter(loop);
  if (error != HDHT_OK) return error;
  const hd_allocator *allocator = hd_allocator_or_system(known.allocator);
  hdht_testnet *created = hd_allocate_zeroed(allocator, sizeof *created);
  if (created != NULL) {
    created->allocator = allocator;
    created->loop = loop;
    created->callbacks = known_callbacks;
    created->user_data = user_data;
    created->nodes_wanted = known.nodes_count > 0 ? known.nodes_count : NODES_DEFAULT;
  }
  error = created != NULL ? add_bootstrap(created, known.port) : HDHT_ERR_OUT_OF_MEMORY;
  if (error != HDHT_OK) {
    hd_release(allocator, created, sizeof *created);
    hd_api_loop_leave(loop);
    return error;
  }
  *testnet = created;
  return HDHT_OK;
}

void hdht_testnet_close(hdht_testnet *testnet) {
  if (testnet == NULL || testnet->is_closing) return;
  testnet->is_closing = true;
  for (size_t i = 0; i < testnet->nodes_count; i++) hdht_node_close(testnet->nodes[i]);
}

size_t hdht_testnet_nodes_count(const hdht_testnet *testnet) {
  return testnet->nodes_count;
}

hdht_node *hdht_testnet_node(const hdht_testnet *testnet, size_t index) {
  return index < testnet->nodes_count ? testnet->nodes[index] : NULL;
}

const char *hdht_testnet_bootstrap(const hdht_testnet *testnet) {
  return testnet->bootstrap;
}
