/* Nodes and queries through the public API, over real loopback sockets: a network of its own for each test. Time-outs
 * here only end a test that hangs. */
#include <hdht/hdht.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

#include "test.h"

#define WAIT_MS     30000
#define NODES_COUNT 8

/* ---- a network ------------------------------------------------------------------------------------------------- */

typedef struct test_world {
  hdht_loop *loop;
  hdht_testnet *testnet;
  uv_timer_t watchdog;
  bool timed_out;
  bool is_ready;
  int error;
  unsigned testnet_closes, loop_closes;
} test_world;

static void on_watchdog(uv_timer_t *timer) {
  ((test_world *)timer->data)->timed_out = true;
}

static void on_testnet_ready(void *user_data, int error) {
  test_world *world = user_data;
  world->is_ready = true;
  world->error = error;
}

static void on_testnet_closed(void *user_data) {
  ((test_world *)user_data)->testnet_closes++;
}

static void on_loop_closed(void *user_data) {
  ((test_world *)user_data)->loop_closes++;
}

/* Runs the loop until `condition` holds or the watchdog bites. */
#define RUN_UNTIL(world, condition) \
  while (!(condition) && !(world)->timed_out) hdht_loop_run((world)->loop, HDHT_LOOP_RUN_ONCE)

static void open_loop(test_world *world) {
  memset(world, 0, sizeof *world);
  const hdht_loop_callbacks callbacks = {.struct_size = sizeof callbacks, .on_closed = on_loop_closed};
  CHECK_INT(HDHT_OK, hdht_loop_create(NULL, &callbacks, world, &world->loop));
  uv_timer_init(hdht_loop_uv_loop(world->loop), &world->watchdog);
  world->watchdog.data = world;
  uv_timer_start(&world->watchdog, on_watchdog, WAIT_MS, 0);
}

static void close_loop(test_world *world) {
  uv_close((uv_handle_t *)&world->watchdog, NULL);
  hdht_loop_close(world->loop);
  hdht_loop_run(world->loop, HDHT_LOOP_RUN_DEFAULT);
  CHECK_UINT(1, world->loop_closes);
  CHECK(!world->timed_out);
}

static void open_world(test_world *world, uint32_t nodes_count) {
  open_loop(world);
  hdht_testnet_options options;
  hdht_testnet_options_init(&options, sizeof options);
  options.nodes_count = nodes_count;
  const hdht_testnet_callbacks callbacks = {
      .struct_size = sizeof callbacks, .on_ready = on_testnet_ready, .on_closed = on_testnet_closed};
  CHECK_INT(HDHT_OK, hdht_testnet_create(world->loop, &options, &callbacks, world, &world->testnet));
  RUN_UNTIL(world, world->is_ready);
  CHECK_INT(HDHT_OK, world->error);
  CHECK_UINT(nodes_count, hdht_testnet_nodes_count(world->testnet));
}

static void close_world(test_world *world) {
  hdht_testnet_close(world->testnet);
  close_loop(world);
  CHECK_UINT(1, world->testnet_closes);
}

static hdht_node *node_of(const test_world *world, size_t index) {
  return hdht_testnet_node(world->testnet, index);
}

static hdht_address loopback(uint16_t port) {
  return (hdht_address){.ip = {127, 0, 0, 1}, .family = HDHT_FAMILY_IPV4, .port = port};
}

static hdht_bytes text(const char *string) {
  return (hdht_bytes){.data = (const uint8_t *)string, .size = strlen(string)};
}

/* ---- a query and what came of it ------------------------------------------------------------------------------- */

typedef struct test_query {
  hdht_query *query;
  unsigned founds, peers, dones, wishes;
  int error;
  hdht_query_result result;
  hdht_query_node nodes[32];
  uint8_t value[2048];
  uint8_t peer_key[HDHT_PUBLIC_KEY_SIZE];
  const hdht_key_pair *signer; /* answers on_sign; NULL: refuses */
  bool cancels_on_found;
  hdht_node *closes_on_found;
} test_query;

static void on_found(void *user_data, hdht_query *query, const hdht_query_found *found) {
  test_query *test = user_data;
  test->founds++;
  hdht_peer_list peers = found->peers;
  hdht_peer peer;
  while (hdht_peer_list_next(&peers, &peer)) {
    test->peers++;
    memcpy(test->peer_key, peer.public_key, sizeof test->peer_key);
  }
  CHECK(found->from.port != 0);
  if (test->cancels_on_found) hdht_query_cancel(query);
  if (test->closes_on_found != NULL) hdht_node_close(test->closes_on_found);
}

static void on_sign(void *user_data, hdht_query *query, const hdht_query_wish *wish) {
  test_query *test = user_data;
  test->wishes++;
  uint8_t signature[HDHT_SIGNATURE_SIZE];
  if (test->signer == NULL) {
    (void)hdht_query_sign(query, wish->purpose, wish->number, NULL);
    return;
  }
  CHECK_INT(HDHT_OK, hdht_sign(test->signer, wish->signable.data, wish->signable.size, signature));
  CHECK_INT(HDHT_OK, hdht_query_sign(query, wish->purpose, wish->number, signature));
}

static void on_done(void *user_data, int error, const hdht_query_result *result) {
  test_query *test = user_data;
  test->dones++;
  test->error = error;
  test->result = *result;
  memcpy(test->nodes, result->nodes, result->nodes_count * sizeof *result->nodes);
  if (result->value.size > 0) memcpy(test->value, result->value.data, result->value.size);
  test->query = NULL;
}

static const hdht_query_callbacks query_callbacks = {
    .struct_size = sizeof query_callbacks, .on_found = on_found, .on_sign = on_sign, .on_done = on_done};

#define RUN_QUERY(world, test, call)                  \
  do {                                                \
    memset(&(test), 0, offsetof(test_query, signer)); \
    CHECK_INT(HDHT_OK, (call));                       \
    RUN_UNTIL(world, (test).dones > 0);               \
    CHECK_UINT(1, (test).dones);                      \
  } while (0)

#define TAIL NULL, &query_callbacks, &test, &test.query

static hdht_key_pair key_pair_of(uint8_t byte) {
  uint8_t seed[HDHT_SEED_SIZE];
  memset(seed, byte, sizeof seed);
  hdht_key_pair key_pair;
  CHECK_INT(HDHT_OK, hdht_key_pair_from_seed(seed, &key_pair));
  return key_pair;
}

/* ---- queries --------------------------------------------------------------------------------------------------- */

TEST(a_testnet_has_persistent_nodes_that_know_each_other) {
  test_world world;
  open_world(&world, NODES_COUNT);
  for (size_t i = 0; i < NODES_COUNT; i++) {
    hdht_node_state state;
    hdht_node_get_state(node_of(&world, i), &state, sizeof state);
    CHECK((state.flags & HDHT_NODE_IS_READY) != 0);
    CHECK((state.flags & HDHT_NODE_IS_PERSISTENT) != 0);
    CHECK((state.flags & HDHT_NODE_IS_REACHABLE) != 0);
    CHECK(state.nodes_count > 0);
    CHECK_UINT(state.server_address.port, state.address.port);
    CHECK(state.client_address.port != state.server_address.port);
  }
  CHECK(node_of(&world, NODES_COUNT) == NULL);
  close_world(&world);
}

TEST(what_one_node_announces_another_finds_until_it_is_unannounced) {
  test_world world;
  open_world(&world, NODES_COUNT);
  static test_query test;
  memset(&test, 0, sizeof test);
  uint8_t topic[HDHT_HASH_SIZE] = {1, 2, 3};
  const hdht_key_pair key = key_pair_of(7);

  RUN_QUERY(&world, test, hdht_query_announce(node_of(&world, 2), topic, key.public_key, key.secret_key, TAIL));
  CHECK_INT(HDHT_OK, test.error);
  CHECK(test.result.stored > 0);
  CHECK_UINT(test.result.stores, test.result.stored);
  CHECK(test.result.nodes_count > 0);
  for (size_t i = 0; i < test.result.nodes_count; i++) CHECK_INT(HDHT_OK, test.nodes[i].stored);

  RUN_QUERY(&world, test, hdht_query_lookup(node_of(&world, 5), topic, TAIL));
  CHECK_INT(HDHT_OK, test.error);
  CHECK(test.peers > 0);
  CHECK_BYTES(key.public_key, test.peer_key, sizeof test.peer_key);
  CHECK_BYTES(topic, test.result.target, sizeof topic);

  RUN_QUERY(&world, test, hdht_query_unannounce(node_of(&world, 2), topic, key.public_key, key.secret_key, TAIL));
  CHECK_INT(HDHT_OK, test.error);
  CHECK(test.result.unannounced > 0);

  RUN_QUERY(&world, test, hdht_query_lookup(node_of(&world, 5), topic, TAIL));
  CHECK_INT(HDHT_OK, test.error);
  CHECK_UINT(0, test.peers);
  close_world(&world);
}

TEST(a_peer_that_announced_itself_is_found_by_its_key) {
  test_world world;
  open_world(&world, NODES_COUNT);
  static test_query test;
  memset(&test, 0, sizeof test);
  const hdht_key_pair key = key_pair_of(9);
  uint8_t topic[HDHT_HASH_SIZE];
  hdht_hash(key.public_key, sizeof key.public_key, topic);
  RUN_QUERY(&world, test, hdht_query_announce(node_of(&world, 1), topic, key.public_key, key.secret_key, TAIL));
  CHECK_INT(HDHT_OK, test.error);
  RUN_QUERY(&world, test, hdht_query_find_peer(node_of(&world, 6), key.public_key, TAIL));
  CHECK_INT(HDHT_OK, test.error);
  CHECK(test.peers > 0);
  CHECK_BYTES(key.public_key, test.peer_key, sizeof test.peer_key);
  close_world(&world);
}

TEST(somebody_else_may_hold_the_key_of_an_announcement) {
  test_world world;
  open_world(&world, NODES_COUNT);
  static test_query test;
  memset(&test, 0, sizeof test);
  uint8_t topic[HDHT_HASH_SIZE] = {4};
  const hdht_key_pair key = key_pair_of(8);

  test.signer = &key;
  RUN_QUERY(&world, test, hdht_query_announce(node_of(&world, 2), topic, key.public_key, NULL, TAIL));
  CHECK_INT(HDHT_OK, test.error);
  CHECK(test.wishes > 0);
  CHECK_UINT(test.result.stores, test.result.stored);

  test.signer = NULL;
  RUN_QUERY(&world, test, hdht_query_announce(node_of(&world, 2), topic, key.public_key, NULL, TAIL));
  CHECK(test.error != HDHT_OK);
  CHECK_UINT(0, test.result.stored);
  for (size_t i = 0; i < test.result.nodes_count; i++) CHECK_INT(HDHT_ERR_CANCELLED, test.nodes[i].stored);
  close_world(&world);
}

TEST(an_immutable_value_is_found_by_its_hash) {
  test_world world;
  open_world(&world, NODES_COUNT);
  static test_query test;
  memset(&test, 0, sizeof test);
  const hdht_bytes value = text("seven small stones");
  RUN_QUERY(&world, test, hdht_query_immutable_put(node_of(&world, 1), value, TAIL));
  CHECK_INT(HDHT_OK, test.error);
  CHECK(test.result.stored > 0);
  uint8_t hash[HDHT_HASH_SIZE], target[HDHT_HASH_SIZE];
  hdht_hash(value.data, value.size, hash);
  memcpy(target, test.result.target, sizeof target);
  CHECK_BYTES(hash, target, sizeof hash);

  RUN_QUERY(&world, test, hdht_query_immutable_get(node_of(&world, 7), target, TAIL));
  CHECK_INT(HDHT_OK, test.error);
  CHECK_UINT(value.size, test.result.value.size);
  CHECK_BYTES(value.data, test.value, value.size);

  target[0] ^= 1;
  RUN_QUERY(&world, test, hdht_query_immutable_get(node_of(&world, 7), target, TAIL));
  CHECK_INT(HDHT_ERR_NOT_FOUND, test.error);
  close_world(&world);
}

TEST(a_value_above_one_packet_is_refused) {
  test_world world;
  open_world(&world, 2);
  static test_query test;
  memset(&test, 0, sizeof test);
  const hdht_key_pair key = key_pair_of(3);
  static const uint8_t bytes[HDHT_IMMUTABLE_SIZE_MAX + 1];
  const hdht_bytes largest = {.data = bytes, .size = HDHT_IMMUTABLE_SIZE_MAX};
  const hdht_bytes larger = {.data = bytes, .size = HDHT_IMMUTABLE_SIZE_MAX + 1};
  const hdht_bytes largest_mutable = {.data = bytes, .size = HDHT_MUTABLE_SIZE_MAX};
  const hdht_bytes larger_mutable = {.data = bytes, .size = HDHT_MUTABLE_SIZE_MAX + 1};
  hdht_node *node = node_of(&world, 1);
  CHECK_INT(HDHT_ERR_TOO_LARGE, hdht_query_immutable_put(node, larger, TAIL));
  CHECK_INT(HDHT_ERR_TOO_LARGE, hdht_query_mutable_put(node, key.public_key, key.secret_key, 0, larger_mutable, TAIL));
  RUN_QUERY(&world, test, hdht_query_immutable_put(node, largest, TAIL));
  CHECK_INT(HDHT_OK, test.error);
  RUN_QUERY(&world, test, hdht_query_mutable_put(node, key.public_key, key.secret_key, 0, largest_mutable, TAIL));
  CHECK_INT(HDHT_OK, test.error);
  close_world(&world);
}

TEST(a_mutable_value_is_replaced_only_by_a_higher_number) {
  test_world world;
  open_world(&world, NODES_COUNT);
  static test_query test;
  memset(&test, 0, sizeof test);
  const hdht_key_pair key = key_pair_of(5);
  hdht_node *writer = node_of(&world, 1), *reader = node_of(&world, 6);
  RUN_QUERY(&world, test, hdht_query_mutable_put(writer, key.public_key, key.secret_key, 3, text("three"), TAIL));
  CHECK_INT(HDHT_OK, test.error);

  RUN_QUERY(&world, test, hdht_query_mutable_get(reader, key.public_key, 0, TAIL));
  CHECK_INT(HDHT_OK, test.error);
  CHECK_UINT(3, test.result.seq);
  CHECK_BYTES("three", test.value, 5);

  RUN_QUERY(&world, test, hdht_query_mutable_put(writer, key.public_key, key.secret_key, 3, text("other"), TAIL));
  CHECK_INT(HDHT_ERR_SEQ_REUSED, test.error);
  CHECK(test.result.stores > 0);
  CHECK_UINT(0, test.result.stored);
  for (size_t i = 0; i < test.result.nodes_count; i++) CHECK_INT(HDHT_ERR_SEQ_REUSED, test.nodes[i].stored);

  RUN_QUERY(&world, test, hdht_query_mutable_put(writer, key.public_key, key.secret_key, 2, text("two"), TAIL));
  CHECK_INT(HDHT_ERR_SEQ_TOO_LOW, test.error);

  RUN_QUERY(&world, test, hdht_query_mutable_put(writer, key.public_key, key.secret_key, 4, text("four!"), TAIL));
  CHECK_INT(HDHT_OK, test.error);
  RUN_QUERY(&world, test, hdht_query_mutable_get(reader, key.public_key, 4, TAIL));
  CHECK_INT(HDHT_OK, test.error);
  CHECK_UINT(4, test.result.seq);
  CHECK_BYTES("four!", test.value, 5);

  RUN_QUERY(&world, test, hdht_query_mutable_get(reader, key.public_key, 5, TAIL));
  CHECK_INT(HDHT_ERR_NOT_FOUND, test.error);
  close_world(&world);
}

TEST(a_query_that_is_cancelled_says_so_once) {
  test_world world;
  open_world(&world, NODES_COUNT);
  static test_query test;
  memset(&test, 0, sizeof test);
  uint8_t target[HDHT_NODE_ID_SIZE] = {9};
  CHECK_INT(HDHT_OK, hdht_query_find_node(node_of(&world, 1), target, TAIL));
  hdht_query_cancel(test.query);
  hdht_query_cancel(test.query);
  CHECK_UINT(0, test.dones);
  RUN_UNTIL(&world, test.dones > 0);
  CHECK_INT(HDHT_ERR_CANCELLED, test.error);

  memset(&test, 0, sizeof test);
  test.cancels_on_found = true;
  RUN_QUERY(&world, test, hdht_query_find_node(node_of(&world, 1), target, TAIL));
  CHECK_INT(HDHT_ERR_CANCELLED, test.error);
  CHECK_UINT(1, test.founds);
  close_world(&world);
}

TEST(closing_ends_queries) {
  test_world world;
  open_world(&world, NODES_COUNT);
  static test_query test, other;
  memset(&test, 0, sizeof test);
  memset(&other, 0, sizeof other);
  uint8_t target[HDHT_NODE_ID_SIZE] = {9};
  CHECK_INT(HDHT_OK, hdht_query_find_node(node_of(&world, 1), target, TAIL));
  CHECK_INT(HDHT_OK, hdht_query_find_node(node_of(&world, 1), target, NULL, &query_callbacks, &other, &other.query));
  hdht_testnet_close(world.testnet);
  CHECK_INT(HDHT_ERR_CLOSED, hdht_query_find_node(node_of(&world, 1), target, TAIL));
  CHECK_UINT(0, test.dones);
  close_world(&world);
  CHECK_UINT(1, test.dones);
  CHECK_INT(HDHT_ERR_CLOSED, test.error);
  CHECK_UINT(1, other.dones);
}

/* ---- nodes ----------------------------------------------------------------------------------------------------- */

typedef struct test_node {
  hdht_node *node;
  unsigned readies, closes, damages, unsaved, persistents;
  int error;
} test_node;

static void on_ready(void *user_data) {
  ((test_node *)user_data)->readies++;
}

static void on_event(void *user_data, uint32_t event, int error) {
  test_node *test = user_data;
  if (event == HDHT_NODE_EVENT_PERSISTENT) test->persistents++;
  if (event == HDHT_NODE_EVENT_STATE_DAMAGED) test->damages++;
  if (event == HDHT_NODE_EVENT_STATE_UNSAVED) test->unsaved++;
  if (error != HDHT_OK) test->error = error;
}

static void on_closed(void *user_data) {
  ((test_node *)user_data)->closes++;
}

static const hdht_node_callbacks node_callbacks = {
    .struct_size = sizeof node_callbacks, .on_ready = on_ready, .on_event = on_event, .on_closed = on_closed};

/* On its own: tests reach nobody but who they name. */
static hdht_node_options isolated(void) {
  hdht_node_options options;
  hdht_node_options_init(&options, sizeof options);
  options.bootstraps_count = 0;
  options.address = loopback(0);
  options.flags = HDHT_NODE_ANY_PORT;
  return options;
}

static void open_node(test_world *world, test_node *test, const hdht_node_options *options) {
  memset(test, 0, sizeof *test);
  CHECK_INT(HDHT_OK, hdht_node_create(world->loop, options, &node_callbacks, test, &test->node));
}

static void close_node(test_world *world, test_node *test) {
  hdht_node_close(test->node);
  CHECK_UINT(0, test->closes);
  RUN_UNTIL(world, test->closes > 0);
  CHECK_UINT(1, test->closes);
}

TEST(a_node_without_bootstraps_is_ready_and_alone) {
  test_world world;
  test_node test;
  open_loop(&world);
  const hdht_node_options options = isolated();
  open_node(&world, &test, &options);
  CHECK_UINT(0, test.readies);
  RUN_UNTIL(&world, test.readies > 0);
  hdht_node_state state;
  hdht_node_get_state(test.node, &state, sizeof state);
  CHECK_UINT(0, state.nodes_count);
  CHECK((state.flags & HDHT_NODE_IS_PERSISTENT) == 0);

  static test_query query;
  memset(&query, 0, sizeof query);
  uint8_t topic[HDHT_HASH_SIZE] = {1};
  CHECK_INT(HDHT_OK, hdht_query_lookup(test.node, topic, NULL, &query_callbacks, &query, NULL));
  RUN_UNTIL(&world, query.dones > 0);
  CHECK_INT(HDHT_ERR_NO_NODES, query.error);
  hdht_node_stats stats;
  hdht_node_get_stats(test.node, &stats, sizeof stats);
  CHECK_UINT(0, stats.datagrams_sent);
  close_node(&world, &test);
  close_loop(&world);
}

TEST(a_node_joins_by_name_and_skips_names_nobody_knows) {
  test_world world;
  open_world(&world, 3);
  test_node test;
  const char *port = strchr(hdht_testnet_bootstrap(world.testnet), ':') + 1;
  char named[64];
  snprintf(named, sizeof named, "localhost:%s", port);
  const char *bootstraps[] = {"nobody.invalid:49737", named};
  hdht_node_options options = isolated();
  options.bootstraps = bootstraps;
  options.bootstraps_count = 2;
  open_node(&world, &test, &options);
  RUN_UNTIL(&world, test.readies > 0);
  hdht_node_state state;
  hdht_node_get_state(test.node, &state, sizeof state);
  CHECK(state.nodes_count > 0);
  close_node(&world, &test);
  close_world(&world);
}

TEST(a_name_is_looked_up_when_the_address_before_it_is_dead) {
  test_world world;
  open_world(&world, 3);
  test_node test;
  const char *port = strchr(hdht_testnet_bootstrap(world.testnet), ':') + 1;
  char named[64];
  snprintf(named, sizeof named, "127.77.77.77@localhost:%s", port);
  const char *bootstraps[] = {named};
  hdht_node_options options = isolated();
  options.bootstraps = bootstraps;
  options.bootstraps_count = 1;
  open_node(&world, &test, &options);
  hdht_node_state state = {0};
  while (state.nodes_count == 0 && !world.timed_out) {
    hdht_loop_run(world.loop, HDHT_LOOP_RUN_ONCE);
    hdht_node_get_state(test.node, &state, sizeof state);
  }
  close_node(&world, &test);
  close_world(&world);
}

TEST(a_suspended_node_ends_queries_and_comes_back_on_its_port) {
  test_world world;
  open_world(&world, 3);
  test_node test;
  const char *bootstraps[] = {hdht_testnet_bootstrap(world.testnet)};
  hdht_node_options options = isolated();
  options.bootstraps = bootstraps;
  options.bootstraps_count = 1;
  open_node(&world, &test, &options);
  RUN_UNTIL(&world, test.readies > 0);
  hdht_node_state before, asleep, after;
  hdht_node_get_state(test.node, &before, sizeof before);

  static test_query query;
  memset(&query, 0, sizeof query);
  uint8_t topic[HDHT_HASH_SIZE] = {1};
  CHECK_INT(HDHT_OK, hdht_query_lookup(test.node, topic, NULL, &query_callbacks, &query, NULL));
  hdht_loop_run(world.loop, HDHT_LOOP_RUN_NOWAIT);
  hdht_node_suspend(test.node);
  RUN_UNTIL(&world, query.dones > 0);
  CHECK(query.error != HDHT_OK);
  hdht_node_get_state(test.node, &asleep, sizeof asleep);
  CHECK((asleep.flags & HDHT_NODE_IS_SUSPENDED) != 0);
  CHECK_UINT(HDHT_FAMILY_NONE, asleep.server_address.family);

  CHECK_INT(HDHT_OK, hdht_node_resume(test.node));
  hdht_node_get_state(test.node, &after, sizeof after);
  CHECK_UINT(before.server_address.port, after.server_address.port);
  CHECK_UINT(before.client_address.port, after.client_address.port);
  RUN_QUERY(&world, query, hdht_query_lookup(test.node, topic, NULL, &query_callbacks, &query, NULL));
  CHECK_INT(HDHT_OK, query.error);
  close_node(&world, &test);
  close_world(&world);
}

TEST(a_port_that_must_be_had_and_is_taken_is_an_error) {
  test_world world;
  test_node test, other;
  open_loop(&world);
  hdht_node_options options = isolated();
  open_node(&world, &test, &options);
  hdht_node_state state;
  hdht_node_get_state(test.node, &state, sizeof state);
  options.address.port = state.server_address.port;
  options.ports_count = 1;
  options.flags = HDHT_NODE_EXACT_PORT;
  CHECK_INT(HDHT_ERR_ADDRESS_IN_USE, hdht_node_create(world.loop, &options, &node_callbacks, &other, &other.node));
  options.flags = 0; /* another will do */
  open_node(&world, &other, &options);
  close_node(&world, &other);
  close_node(&world, &test);
  close_loop(&world);
}

/* ---- the state file -------------------------------------------------------------------------------------------- */

static void make_folder(char folder[64]) {
  snprintf(folder, 64, "/tmp/hdht-node-test-XXXXXX");
  CHECK(mkdtemp(folder) != NULL);
}

static void remove_folder(const char *folder) {
  static const char *const names[] = {"state", "state.new", "state.damaged"};
  char path[128];
  for (size_t i = 0; i < 3; i++) {
    snprintf(path, sizeof path, "%s/%s", folder, names[i]);
    (void)unlink(path);
  }
  CHECK_INT(0, rmdir(folder));
}

/* A node of the network that leaves its state in the file. */
static void leave_state(test_world *world, const char *path) {
  test_node test;
  const char *bootstraps[] = {hdht_testnet_bootstrap(world->testnet)};
  hdht_node_options options = isolated();
  options.bootstraps = bootstraps;
  options.bootstraps_count = 1;
  options.state_path = path;
  open_node(world, &test, &options);
  RUN_UNTIL(world, test.readies > 0);
  close_node(world, &test);
  CHECK_UINT(0, test.damages);
  CHECK_UINT(0, test.unsaved);
}

TEST(a_node_finds_its_network_again_without_bootstraps) {
  test_world world;
  test_node test;
  char folder[64], path[128];
  open_world(&world, NODES_COUNT);
  make_folder(folder);
  snprintf(path, sizeof path, "%s/state", folder);
  leave_state(&world, path);

  hdht_node_options options = isolated();
  options.state_path = path;
  open_node(&world, &test, &options);
  hdht_node_state state;
  hdht_node_get_state(test.node, &state, sizeof state);
  CHECK(state.nodes_count > 0);
  static test_query query;
  memset(&query, 0, sizeof query);
  uint8_t topic[HDHT_HASH_SIZE] = {1};
  RUN_QUERY(&world, query, hdht_query_lookup(test.node, topic, NULL, &query_callbacks, &query, NULL));
  CHECK_INT(HDHT_OK, query.error);
  CHECK(query.result.answered >= NODES_COUNT - 1);
  CHECK_INT(HDHT_OK, hdht_node_save_state(test.node));
  CHECK_INT(HDHT_ERR_INVALID_STATE, hdht_node_save_state(test.node));
  close_node(&world, &test);
  CHECK_UINT(0, test.damages);
  close_world(&world);
  remove_folder(folder);
}

static void change_byte(const char *path, long offset) {
  FILE *file = fopen(path, "r+b");
  REQUIRE(file != NULL);
  fseek(file, offset, offset < 0 ? SEEK_END : SEEK_SET);
  const int byte = fgetc(file);
  fseek(file, -1, SEEK_CUR);
  fputc(byte ^ 1, file);
  fclose(file);
}

TEST(a_damaged_state_file_is_reported_and_set_aside) {
  static const long offsets[] = {0, 8, 12, 30, 40, -1};
  test_world world;
  test_node test;
  char folder[64], path[128], damaged[128];
  open_world(&world, 4);
  make_folder(folder);
  snprintf(path, sizeof path, "%s/state", folder);
  snprintf(damaged, sizeof damaged, "%s/state.damaged", folder);
  for (size_t i = 0; i < sizeof offsets / sizeof offsets[0]; i++) {
    leave_state(&world, path);
    change_byte(path, offsets[i]);
    hdht_node_options options = isolated();
    options.state_path = path;
    open_node(&world, &test, &options);
    RUN_UNTIL(&world, test.readies > 0);
    CHECK_UINT(1, test.damages);
    CHECK_INT(HDHT_ERR_MALFORMED, test.error);
    CHECK(access(path, F_OK) != 0);
    CHECK(access(damaged, F_OK) == 0);
    hdht_node_state state;
    hdht_node_get_state(test.node, &state, sizeof state);
    CHECK_UINT(0, state.nodes_count);
    close_node(&world, &test);
    CHECK(access(path, F_OK) != 0); /* it knew nobody, so there was nothing to save */
  }
  close_world(&world);
  remove_folder(folder);
}

TEST(a_state_file_that_cannot_be_written_is_reported) {
  test_world world;
  test_node test;
  open_world(&world, 3);
  const char *bootstraps[] = {hdht_testnet_bootstrap(world.testnet)};
  hdht_node_options options = isolated();
  options.bootstraps = bootstraps;
  options.bootstraps_count = 1;
  options.state_path = "/nonexistent/folder/state";
  open_node(&world, &test, &options);
  RUN_UNTIL(&world, test.readies > 0);
  close_node(&world, &test);
  CHECK_UINT(1, test.unsaved);
  CHECK_INT(HDHT_ERR_STORAGE, test.error);
  close_world(&world);
}

/* ---- arguments ------------------------------------------------------------------------------------------------- */

TEST(nodes_refuse_wrong_arguments) {
  test_world world;
  open_loop(&world);
  hdht_node *node = NULL;
  hdht_node_options options = isolated();
  CHECK_INT(HDHT_ERR_INVALID_ARGUMENT, hdht_node_create(NULL, &options, NULL, NULL, &node));
  CHECK_INT(HDHT_ERR_INVALID_ARGUMENT, hdht_node_create(world.loop, &options, NULL, NULL, NULL));

  static const char *const malformed[] = {"",           "host",    "host:",     "host:0",  "host:65536",
                                          "host:1x",    ":49737",  "1.2.3@a:1", "@host:1", "1.2.3.4@:1",
                                          "[::1]:4000", "ho st:1", "a@b@c:1"};
  for (size_t i = 0; i < sizeof malformed / sizeof malformed[0]; i++) {
    options.bootstraps = &malformed[i];
    options.bootstraps_count = 1;
    CHECK_INT(HDHT_ERR_MALFORMED, hdht_node_create(world.loop, &options, NULL, NULL, &node));
  }
  options.bootstraps = NULL;
  CHECK_INT(HDHT_ERR_INVALID_ARGUMENT, hdht_node_create(world.loop, &options, NULL, NULL, &node));

  static const char *const many[HDHT_NODE_BOOTSTRAPS_LIMIT + 1];
  options.bootstraps = many;
  options.bootstraps_count = HDHT_NODE_BOOTSTRAPS_LIMIT + 1;
  CHECK_INT(HDHT_ERR_LIMIT, hdht_node_create(world.loop, &options, NULL, NULL, &node));

  options = isolated();
  options.address = (hdht_address){.family = HDHT_FAMILY_IPV6};
  CHECK_INT(HDHT_ERR_INVALID_ARGUMENT, hdht_node_create(world.loop, &options, NULL, NULL, &node));
  options = isolated();
  options.mode = HDHT_NODE_PERSISTENT + 1;
  CHECK_INT(HDHT_ERR_INVALID_ARGUMENT, hdht_node_create(world.loop, &options, NULL, NULL, &node));
  options = isolated();
  options.struct_size = 4;
  CHECK_INT(HDHT_ERR_INVALID_ARGUMENT, hdht_node_create(world.loop, &options, NULL, NULL, &node));
  CHECK(node == NULL);

  hdht_testnet *testnet = NULL;
  hdht_testnet_options net = {.struct_size = sizeof net, .nodes_count = HDHT_TESTNET_NODES_LIMIT + 1};
  CHECK_INT(HDHT_ERR_INVALID_ARGUMENT, hdht_testnet_create(world.loop, &net, NULL, NULL, &testnet));
  CHECK(testnet == NULL);
  close_loop(&world);
}

TEST(queries_refuse_wrong_arguments) {
  test_world world;
  open_world(&world, 2);
  hdht_node *node = node_of(&world, 1);
  static test_query test;
  const uint8_t bytes[32] = {0};
  const hdht_key_pair key = key_pair_of(1);
  const hdht_query_callbacks without_done = {.struct_size = sizeof without_done};
  const hdht_query_callbacks without_sign = {.struct_size = sizeof without_sign, .on_done = on_done};
  CHECK_INT(HDHT_ERR_INVALID_ARGUMENT, hdht_query_lookup(NULL, bytes, TAIL));
  CHECK_INT(HDHT_ERR_INVALID_ARGUMENT, hdht_query_lookup(node, NULL, TAIL));
  CHECK_INT(HDHT_ERR_INVALID_ARGUMENT, hdht_query_find_node(node, NULL, TAIL));
  CHECK_INT(HDHT_ERR_INVALID_ARGUMENT, hdht_query_find_peer(node, NULL, TAIL));
  CHECK_INT(HDHT_ERR_INVALID_ARGUMENT, hdht_query_immutable_get(node, NULL, TAIL));
  CHECK_INT(HDHT_ERR_INVALID_ARGUMENT, hdht_query_mutable_get(node, NULL, 0, TAIL));
  CHECK_INT(HDHT_ERR_INVALID_ARGUMENT, hdht_query_announce(node, bytes, NULL, NULL, TAIL));
  CHECK_INT(HDHT_ERR_INVALID_ARGUMENT, hdht_query_announce(node, NULL, key.public_key, key.secret_key, TAIL));
  CHECK_INT(HDHT_ERR_INVALID_ARGUMENT, hdht_query_unannounce(node, bytes, NULL, NULL, TAIL));
  CHECK_INT(HDHT_ERR_INVALID_ARGUMENT, hdht_query_immutable_put(node, (hdht_bytes){.size = 1}, TAIL));
  CHECK_INT(HDHT_ERR_INVALID_ARGUMENT, hdht_query_lookup(node, bytes, NULL, NULL, NULL, NULL));
  CHECK_INT(HDHT_ERR_INVALID_ARGUMENT, hdht_query_lookup(node, bytes, NULL, &without_done, NULL, NULL));
  CHECK_INT(HDHT_ERR_INVALID_ARGUMENT,
            hdht_query_announce(node, bytes, key.public_key, NULL, NULL, &without_sign, NULL, NULL));
  CHECK_INT(HDHT_ERR_INVALID_ARGUMENT,
            hdht_query_mutable_put(node, key.public_key, key.secret_key, HDHT_SEQ_MAX + 1, text("x"), TAIL));
  CHECK_INT(HDHT_ERR_INVALID_ARGUMENT, hdht_query_sign(NULL, 0, 0, NULL));
  hdht_query_cancel(NULL);
  CHECK_UINT(0, test.dones);
  close_world(&world);
}

/* ---- memory ---------------------------------------------------------------------------------------------------- */

static bool open_and_close(const hdht_allocator *allocator) {
  test_world world;
  test_node test;
  open_loop(&world);
  hdht_node_options options = isolated();
  options.allocator = allocator;
  memset(&test, 0, sizeof test);
  const int error = hdht_node_create(world.loop, &options, &node_callbacks, &test, &test.node);
  if (error == HDHT_OK) {
    RUN_UNTIL(&world, test.readies > 0);
    close_node(&world, &test);
  } else {
    CHECK_INT(HDHT_ERR_OUT_OF_MEMORY, error);
  }
  close_loop(&world);
  CHECK_UINT(error == HDHT_OK, test.closes);
  return error == HDHT_OK;
}

TEST(a_node_that_gets_no_memory_leaves_none_behind) {
  hd_test_each_allocation_failure(open_and_close);
}
