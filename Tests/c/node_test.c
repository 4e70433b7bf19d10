/* Whole nodes on the simulated network. */
#include "node/node.h"

#include <stdlib.h>

#include "messages/message_node_id.h"
#include "sim_dht.h"
#include "test.h"

#define NODES_LIMIT 64

typedef struct swarm {
  sim_network *network;
  sim_dht_node *nodes[NODES_LIMIT]; /* the first is the bootstrap node */
  unsigned count;
  sim_link_options link;
} swarm;

static sim_host_options host_options(const swarm *s, unsigned number) {
  return (sim_host_options){
      .address = hd_address_ipv4(10, 0, (uint8_t)(number >> 8), (uint8_t)number, 0), .up = s->link, .down = s->link};
}

static sim_dht_node *add_node(swarm *s, hd_node_options options) {
  hd_address bootstrap = {0};
  if (s->count > 0) {
    bootstrap = sim_dht_address(s->nodes[0]);
    options.bootstraps = &bootstrap;
    options.bootstraps_count = 1;
  }
  sim_dht_node *node = sim_dht_create(
      s->network, &(sim_dht_options){.host = host_options(s, s->count + 1), .port = 49737, .node = options});
  s->nodes[s->count++] = node;
  return node;
}

static void run_for(swarm *s, uint64_t seconds) {
  (void)sim_network_run(s->network, hd_time_add(sim_network_now(s->network), HD_SECONDS(seconds)), NULL, NULL);
}

static const hd_node_options persistent_options = {.mode = HD_NODE_PERSISTENT, .is_reachable = true};

/* A bootstrap node and others that are persistent. */
static swarm start_swarm(uint64_t seed, unsigned count, sim_link_options link) {
  swarm s = {.network = sim_network_create(seed), .link = link};
  (void)add_node(&s, (hd_node_options){.is_reachable = true, .public_host = hd_address_ipv4(10, 0, 0, 1, 0)});
  run_for(&s, 1);
  for (unsigned i = 1; i < count; i++) {
    (void)add_node(&s, persistent_options);
    run_for(&s, 1);
  }
  run_for(&s, 30);
  return s;
}

static void stop_swarm(swarm *s) {
  for (unsigned i = 0; i < s->count; i++) {
    if (s->nodes[i] != NULL) sim_dht_destroy(s->nodes[i]);
  }
  sim_network_destroy(s->network);
}

static const sim_link_options fast_link = {.delay = HD_MILLISECONDS(5)};

static hd_node_state look(swarm *s, unsigned index) {
  return hd_node_look(sim_dht_core(s->nodes[index]));
}

TEST(node_that_is_told_its_address_is_persistent_at_once_and_ready_without_anybody) {
  swarm s = {.network = sim_network_create(1)};
  (void)add_node(&s, (hd_node_options){.is_reachable = true, .public_host = hd_address_ipv4(10, 0, 0, 1, 0)});
  run_for(&s, 1);
  const hd_node_state state = look(&s, 0);
  CHECK(state.is_persistent);
  CHECK(state.is_ready);
  CHECK(!state.is_firewalled);
  CHECK_UINT(1, sim_dht_news(s.nodes[0], HD_EVENT_PERSISTENT));
  CHECK_UINT(1, sim_dht_news(s.nodes[0], HD_EVENT_READY));
  uint8_t id[32];
  const hd_address address = sim_dht_address(s.nodes[0]);
  hd_messages_node_id(&address, id);
  CHECK_BYTES(id, state.table_id.bytes, 32);
  const hd_address remote = hd_node_remote_address(sim_dht_core(s.nodes[0]));
  CHECK(hd_address_equal(&address, &remote));
  stop_swarm(&s);
}

TEST(node_without_bootstrap_nodes_is_ready_and_alone) {
  swarm s = {.network = sim_network_create(1)};
  (void)add_node(&s, (hd_node_options){.mode = HD_NODE_ADAPTIVE});
  run_for(&s, 1);
  CHECK(look(&s, 0).is_ready);
  CHECK(!look(&s, 0).is_persistent);
  CHECK_UINT(0, look(&s, 0).nodes_count);
  CHECK_UINT(1, sim_dht_news(s.nodes[0], HD_EVENT_BOOTSTRAPS_WANTED));
  stop_swarm(&s);
}

TEST(node_network_forms_and_every_node_knows_its_address) {
  swarm s = start_swarm(2, 24, fast_link);
  for (unsigned i = 0; i < s.count; i++) {
    const hd_node_state state = look(&s, i);
    CHECK(state.is_ready);
    CHECK(state.is_persistent);
    CHECK(state.nodes_count >= 19);
    const hd_address address = sim_dht_address(s.nodes[i]);
    CHECK(hd_address_equal(&address, &state.address));
    uint8_t id[32];
    hd_messages_node_id(&address, id);
    CHECK_BYTES(id, state.table_id.bytes, 32);
  }
  stop_swarm(&s);
}

typedef struct actor {
  hd_key_pair keys;
  hd_node_id target;
} actor;

static actor actor_of(uint8_t number) {
  const uint8_t seed[32] = {number};
  actor made;
  hd_key_pair_from_seed(&made.keys, seed);
  hd_hash(made.keys.public_key, 32, made.target.bytes);
  return made;
}

static hd_announce_options announce_options(const actor *by, hd_node_id target) {
  return (hd_announce_options){.kind = HD_ANNOUNCE_ANNOUNCE,
                               .target = target,
                               .public_key = by->keys.public_key,
                               .secret_key = by->keys.secret_key};
}

static const hd_node_id topic = {{0x42, 0x17}};

TEST(node_announces_a_topic_that_others_find_until_it_is_unannounced) {
  swarm s = start_swarm(3, 24, fast_link);
  const actor by = actor_of(1);
  const hd_address relays[2] = {hd_address_ipv4(10, 9, 9, 9, 999), hd_address_ipv4(10, 9, 9, 8, 999)};
  hd_announce_options options = announce_options(&by, topic);
  options.relays = relays;
  options.relays_count = 2;
  sim_dht_outcome outcome = {0};
  REQUIRE(sim_dht_run(s.nodes[3], &options, &outcome));
  CHECK_INT(HDHT_OK, outcome.error);
  CHECK_UINT(20, outcome.counts.commits);
  CHECK_UINT(20, outcome.counts.stored);

  options = (hd_announce_options){.kind = HD_ANNOUNCE_LOOKUP, .target = topic};
  outcome = (sim_dht_outcome){0};
  REQUIRE(sim_dht_run(s.nodes[17], &options, &outcome));
  CHECK_INT(HDHT_OK, outcome.error);
  CHECK(outcome.found >= 10);
  CHECK_BYTES(by.keys.public_key, outcome.last_key, 32);
  CHECK(hd_address_equal(&relays[0], &outcome.last_relay));

  options = announce_options(&by, topic);
  options.kind = HD_ANNOUNCE_UNANNOUNCE;
  outcome = (sim_dht_outcome){0};
  REQUIRE(sim_dht_run(s.nodes[9], &options, &outcome));
  CHECK_INT(HDHT_OK, outcome.error);
  CHECK(outcome.unannounced >= 19);

  options = (hd_announce_options){.kind = HD_ANNOUNCE_LOOKUP, .target = topic};
  outcome = (sim_dht_outcome){0};
  REQUIRE(sim_dht_run(s.nodes[17], &options, &outcome));
  CHECK_INT(HDHT_OK, outcome.error);
  CHECK_UINT(0, outcome.peers);
  stop_swarm(&s);
}

TEST(node_finds_a_peer_by_the_hash_of_its_key) {
  swarm s = start_swarm(4, 12, fast_link);
  const actor by = actor_of(2);
  hd_announce_options options = announce_options(&by, by.target);
  sim_dht_outcome outcome = {0};
  REQUIRE(sim_dht_run(s.nodes[3], &options, &outcome));
  CHECK_INT(HDHT_OK, outcome.error);
  options = (hd_announce_options){.kind = HD_ANNOUNCE_FIND_PEER, .target = by.target};
  outcome = (sim_dht_outcome){0};
  REQUIRE(sim_dht_run(s.nodes[5], &options, &outcome));
  CHECK_INT(HDHT_OK, outcome.error);
  CHECK(outcome.peers >= 8);
  CHECK_BYTES(by.keys.public_key, outcome.last_key, 32);
  stop_swarm(&s);
}

TEST(node_lets_somebody_else_hold_the_key) {
  swarm s = start_swarm(5, 12, fast_link);
  const actor by = actor_of(3), other = actor_of(4);
  hd_announce_options options = announce_options(&by, topic);
  options.secret_key = NULL;
  sim_dht_outcome outcome = {.signer = &by.keys};
  REQUIRE(sim_dht_run(s.nodes[3], &options, &outcome));
  CHECK_INT(HDHT_OK, outcome.error);
  CHECK_UINT(outcome.counts.commits, outcome.signatures_wanted);
  CHECK_UINT(outcome.counts.commits, outcome.counts.stored);

  options.kind = HD_ANNOUNCE_UNANNOUNCE;
  outcome = (sim_dht_outcome){.signer = &by.keys};
  REQUIRE(sim_dht_run(s.nodes[3], &options, &outcome));
  CHECK_INT(HDHT_OK, outcome.error);
  CHECK(outcome.unannounced > 8);

  options.kind = HD_ANNOUNCE_ANNOUNCE;
  outcome = (sim_dht_outcome){.refuses_to_sign = true};
  REQUIRE(sim_dht_run(s.nodes[3], &options, &outcome));
  CHECK_INT(HDHT_ERR_CANCELLED, outcome.error);
  CHECK_INT(HDHT_OK, outcome.sign_error);

  outcome = (sim_dht_outcome){.signer = &other.keys};
  REQUIRE(sim_dht_run(s.nodes[3], &options, &outcome));
  CHECK_INT(HDHT_ERR_BAD_SIGNATURE, outcome.error);
  CHECK_INT(HDHT_ERR_BAD_SIGNATURE, outcome.sign_error);
  stop_swarm(&s);
}

TEST(node_announces_anew_in_place_of_what_it_announced_before) {
  swarm s = start_swarm(6, 12, fast_link);
  const actor by = actor_of(5);
  const hd_address first = hd_address_ipv4(10, 9, 9, 1, 1), second = hd_address_ipv4(10, 9, 9, 2, 2);
  hd_announce_options options = announce_options(&by, topic);
  options.relays = &first;
  options.relays_count = 1;
  sim_dht_outcome outcome = {0};
  REQUIRE(sim_dht_run(s.nodes[3], &options, &outcome));
  options.relays = &second;
  options.clears_first = true;
  outcome = (sim_dht_outcome){0};
  REQUIRE(sim_dht_run(s.nodes[4], &options, &outcome));
  CHECK_INT(HDHT_OK, outcome.error);
  CHECK(outcome.unannounced > 8);
  CHECK_UINT(outcome.counts.commits, outcome.counts.stored);
  options = (hd_announce_options){.kind = HD_ANNOUNCE_LOOKUP, .target = topic};
  outcome = (sim_dht_outcome){0};
  REQUIRE(sim_dht_run(s.nodes[7], &options, &outcome));
  CHECK(hd_address_equal(&second, &outcome.last_relay));
  stop_swarm(&s);
}

TEST(node_stores_immutable_values_of_up_to_one_datagram_and_finds_them) {
  swarm s = start_swarm(7, 24, fast_link);
  static const uint8_t value[HD_ANNOUNCE_IMMUTABLE_SIZE_MAX + 1] = {1, 2, 3};
  static const size_t sizes[] = {0, 1, 54, 55, 500, HD_ANNOUNCE_IMMUTABLE_SIZE_MAX};
  for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
    hd_announce_options options = {.kind = HD_ANNOUNCE_IMMUTABLE_PUT, .value = hd_bytes_of(value, sizes[i])};
    sim_dht_outcome outcome = {0};
    REQUIRE(sim_dht_run(s.nodes[3], &options, &outcome));
    CHECK_INT(HDHT_OK, outcome.error);
    CHECK_UINT(20, outcome.counts.stored);

    options = (hd_announce_options){.kind = HD_ANNOUNCE_IMMUTABLE_GET};
    hd_hash(value, sizes[i], options.target.bytes);
    outcome = (sim_dht_outcome){0};
    REQUIRE(sim_dht_run(s.nodes[20], &options, &outcome));
    CHECK_INT(HDHT_OK, outcome.error);
    REQUIRE(outcome.has_value);
    CHECK_UINT(sizes[i], outcome.value_size);
    CHECK_BYTES(value, outcome.value, sizes[i]);
  }
  const hd_announce_options options = {.kind = HD_ANNOUNCE_IMMUTABLE_PUT, .value = hd_bytes_of(value, sizeof value)};
  sim_dht_outcome outcome = {0};
  CHECK_INT(HDHT_ERR_TOO_LARGE, sim_dht_start(s.nodes[3], &options, &outcome));
  stop_swarm(&s);
}

TEST(node_reports_a_value_that_nobody_has) {
  swarm s = start_swarm(8, 12, fast_link);
  const actor by = actor_of(6);
  hd_announce_options options = {.kind = HD_ANNOUNCE_IMMUTABLE_GET, .target = topic};
  sim_dht_outcome outcome = {0};
  REQUIRE(sim_dht_run(s.nodes[3], &options, &outcome));
  CHECK_INT(HDHT_ERR_NOT_FOUND, outcome.error);
  options = (hd_announce_options){.kind = HD_ANNOUNCE_MUTABLE_GET, .public_key = by.keys.public_key};
  outcome = (sim_dht_outcome){0};
  REQUIRE(sim_dht_run(s.nodes[3], &options, &outcome));
  CHECK_INT(HDHT_ERR_NOT_FOUND, outcome.error);
  CHECK(!outcome.has_value);
  stop_swarm(&s);
}

static hd_announce_options mutable_put(const actor *by, uint64_t seq, const char *text) {
  return (hd_announce_options){.kind = HD_ANNOUNCE_MUTABLE_PUT,
                               .public_key = by->keys.public_key,
                               .secret_key = by->keys.secret_key,
                               .seq = seq,
                               .value = hd_bytes_of(text, strlen(text))};
}

TEST(node_stores_mutable_values_with_growing_numbers_and_tells_who_refused_why) {
  swarm s = start_swarm(9, 24, fast_link);
  const actor by = actor_of(7);
  hd_announce_options options = mutable_put(&by, 1, "one");
  sim_dht_outcome outcome = {0};
  REQUIRE(sim_dht_run(s.nodes[3], &options, &outcome));
  CHECK_INT(HDHT_OK, outcome.error);
  options = mutable_put(&by, 2, "two");
  outcome = (sim_dht_outcome){0};
  REQUIRE(sim_dht_run(s.nodes[3], &options, &outcome));
  CHECK_INT(HDHT_OK, outcome.error);

  options = (hd_announce_options){.kind = HD_ANNOUNCE_MUTABLE_GET, .public_key = by.keys.public_key};
  outcome = (sim_dht_outcome){0};
  REQUIRE(sim_dht_run(s.nodes[15], &options, &outcome));
  CHECK_INT(HDHT_OK, outcome.error);
  CHECK_UINT(2, outcome.seq);
  CHECK_UINT(3, outcome.value_size);
  CHECK_BYTES("two", outcome.value, 3);

  options = mutable_put(&by, 1, "one");
  outcome = (sim_dht_outcome){.keeps_operation = true};
  REQUIRE(sim_dht_run(s.nodes[3], &options, &outcome));
  CHECK_INT(HDHT_ERR_SEQ_TOO_LOW, outcome.error);
  CHECK_UINT(0, outcome.counts.stored);
  uint16_t numbers[HD_QUERY_K];
  hd_query *query = hd_node_operation_query(outcome.operation);
  REQUIRE(hd_query_result(query, numbers) == 20);
  for (unsigned i = 0; i < 20; i++) {
    CHECK_INT(HDHT_ERR_SEQ_TOO_LOW, hd_query_candidate_of(query, numbers[i])->commit_error);
  }
  hd_node_operation_destroy(outcome.operation, sim_network_now(s.network));

  options = mutable_put(&by, 2, "other");
  outcome = (sim_dht_outcome){0};
  REQUIRE(sim_dht_run(s.nodes[3], &options, &outcome));
  CHECK_INT(HDHT_ERR_SEQ_REUSED, outcome.error);

  options = (hd_announce_options){.kind = HD_ANNOUNCE_MUTABLE_GET, .public_key = by.keys.public_key, .seq = 3};
  outcome = (sim_dht_outcome){0};
  REQUIRE(sim_dht_run(s.nodes[15], &options, &outcome));
  CHECK_INT(HDHT_ERR_NOT_FOUND, outcome.error);
  stop_swarm(&s);
}

TEST(node_takes_the_first_mutable_value_or_stores_the_newest_again) {
  swarm s = start_swarm(10, 24, fast_link);
  const actor by = actor_of(8);
  hd_announce_options options = mutable_put(&by, 5, "five");
  sim_dht_outcome outcome = {0};
  REQUIRE(sim_dht_run(s.nodes[3], &options, &outcome));
  options =
      (hd_announce_options){.kind = HD_ANNOUNCE_MUTABLE_GET, .public_key = by.keys.public_key, .takes_first = true};
  outcome = (sim_dht_outcome){0};
  REQUIRE(sim_dht_run(s.nodes[15], &options, &outcome));
  CHECK_INT(HDHT_OK, outcome.error);
  CHECK_UINT(1, outcome.found);
  options.takes_first = false;
  options.stores_again = true;
  outcome = (sim_dht_outcome){0};
  REQUIRE(sim_dht_run(s.nodes[15], &options, &outcome));
  CHECK_INT(HDHT_OK, outcome.error);
  CHECK_UINT(5, outcome.seq);
  CHECK_UINT(20, outcome.counts.stored);
  stop_swarm(&s);
}

TEST(node_stores_a_mutable_value_signed_by_somebody_else) {
  swarm s = start_swarm(11, 12, fast_link);
  const actor by = actor_of(9);
  hd_announce_options options = mutable_put(&by, 1, "one");
  options.secret_key = NULL;
  sim_dht_outcome outcome = {.signer = &by.keys};
  REQUIRE(sim_dht_run(s.nodes[3], &options, &outcome));
  CHECK_INT(HDHT_OK, outcome.error);
  CHECK_UINT(1, outcome.signatures_wanted);
  CHECK_UINT(outcome.counts.commits, outcome.counts.stored);

  uint8_t signature[64];
  hd_messages_sign_mutable(2, hd_bytes_of("two", 3), by.keys.secret_key, signature);
  options = mutable_put(&by, 2, "two");
  options.secret_key = NULL;
  options.signature = signature;
  outcome = (sim_dht_outcome){0};
  REQUIRE(sim_dht_run(s.nodes[3], &options, &outcome));
  CHECK_INT(HDHT_OK, outcome.error);
  CHECK_UINT(0, outcome.signatures_wanted);
  signature[0]++;
  CHECK_INT(HDHT_ERR_BAD_SIGNATURE, sim_dht_start(s.nodes[3], &options, &outcome));
  stop_swarm(&s);
}

TEST(node_refuses_operations_that_make_no_sense) {
  swarm s = start_swarm(12, 2, fast_link);
  const actor by = actor_of(10);
  hd_announce_options options = announce_options(&by, topic);
  sim_dht_outcome outcome = {0};
  options.public_key = NULL;
  CHECK_INT(HDHT_ERR_INVALID_ARGUMENT, sim_dht_start(s.nodes[1], &options, &outcome));
  const hd_address relays[4] = {{.port = 1}};
  options = announce_options(&by, topic);
  options.relays = relays;
  options.relays_count = 4;
  CHECK_INT(HDHT_ERR_INVALID_ARGUMENT, sim_dht_start(s.nodes[1], &options, &outcome));
  options.relays_count = 1; /* no IPv4 address */
  CHECK_INT(HDHT_ERR_INVALID_ARGUMENT, sim_dht_start(s.nodes[1], &options, &outcome));
  stop_swarm(&s);
}

TEST(node_operation_can_be_ended_at_any_time) {
  swarm s = start_swarm(13, 24, fast_link);
  const actor by = actor_of(11);
  const hd_announce_options options = announce_options(&by, topic);
  for (uint64_t ms = 0; ms < 120; ms += 3) {
    sim_dht_outcome outcome = {0};
    CHECK_INT(HDHT_OK, sim_dht_start(s.nodes[3], &options, &outcome));
    (void)sim_network_run(s.network, hd_time_add(sim_network_now(s.network), HD_MILLISECONDS(ms)), NULL, NULL);
    if (!outcome.is_done) hd_node_operation_destroy(outcome.operation, sim_network_now(s.network));
    CHECK_UINT(0, hd_node_get_stats(sim_dht_core(s.nodes[3])).queries_active);
  }
  stop_swarm(&s);
}

TEST(node_works_in_a_network_that_loses_a_fifth_of_all_datagrams) {
  const sim_link_options lossy = {.delay = HD_MILLISECONDS(20), .loss = 0.1};
  swarm s = start_swarm(14, 32, lossy);
  unsigned announced = 0, found = 0;
  for (uint8_t i = 0; i < 10; i++) {
    const actor by = actor_of((uint8_t)(20 + i));
    hd_announce_options options = announce_options(&by, by.target);
    sim_dht_outcome outcome = {0};
    REQUIRE(sim_dht_run(s.nodes[1 + i], &options, &outcome));
    announced += outcome.error == HDHT_OK;
    options = (hd_announce_options){.kind = HD_ANNOUNCE_FIND_PEER, .target = by.target};
    outcome = (sim_dht_outcome){0};
    REQUIRE(sim_dht_run(s.nodes[31 - i], &options, &outcome));
    found += outcome.peers > 0;
  }
  CHECK_UINT(10, announced);
  CHECK_UINT(10, found);
  stop_swarm(&s);
}

TEST(node_forgets_others_that_are_gone_and_finds_them_when_they_come_back) {
  swarm s = start_swarm(15, 16, fast_link);
  for (unsigned i = 8; i < 16; i++) sim_dht_suspend(s.nodes[i]);
  run_for(&s, 600);
  CHECK(look(&s, 1).nodes_count <= 7);
  for (unsigned i = 8; i < 16; i++) {
    CHECK(look(&s, i).is_suspended);
    sim_dht_resume(s.nodes[i]);
  }
  run_for(&s, 600);
  for (unsigned i = 0; i < 16; i++) CHECK_UINT(15, look(&s, i).nodes_count);
  CHECK_UINT(1, sim_dht_news(s.nodes[8], HD_EVENT_WAKE_UP));
  stop_swarm(&s);
}

TEST(node_fails_its_operations_when_it_is_suspended) {
  swarm s = start_swarm(16, 8, fast_link);
  const hd_announce_options options = {.kind = HD_ANNOUNCE_LOOKUP, .target = topic};
  sim_dht_outcome outcome = {0};
  CHECK_INT(HDHT_OK, sim_dht_start(s.nodes[3], &options, &outcome));
  (void)sim_network_run(s.network, hd_time_add(sim_network_now(s.network), HD_MILLISECONDS(1)), NULL, NULL);
  sim_dht_suspend(s.nodes[3]);
  run_for(&s, 1);
  CHECK(outcome.is_done);
  CHECK_INT(HDHT_ERR_SUSPENDED, outcome.error);
  stop_swarm(&s);
}

TEST(node_of_an_open_machine_becomes_persistent_after_twenty_minutes) {
  swarm s = start_swarm(17, 12, fast_link);
  (void)add_node(&s, (hd_node_options){.mode = HD_NODE_ADAPTIVE});
  (void)add_node(&s, (hd_node_options){.mode = HD_NODE_EPHEMERAL});
  run_for(&s, 30);
  CHECK(look(&s, 12).is_ready);
  CHECK(!look(&s, 12).is_persistent);
  CHECK(!look(&s, 12).is_firewalled); /* the quick test passed */
  run_for(&s, 1100);
  CHECK(!look(&s, 12).is_persistent);
  run_for(&s, 150);
  CHECK(look(&s, 12).is_persistent);
  CHECK(!look(&s, 13).is_persistent);
  run_for(&s, 60);
  const hd_address address = sim_dht_address(s.nodes[12]);
  unsigned known_to = 0;
  for (unsigned i = 0; i < 12; i++) {
    uint8_t id[32];
    hd_messages_node_id(&address, id);
    known_to += hd_table_find(hd_node_table(sim_dht_core(s.nodes[i])), (const hd_node_id *)id) != NULL;
  }
  CHECK(known_to > 6);
  stop_swarm(&s);
}

TEST(node_is_the_same_for_the_same_seed) {
  uint64_t sent[2];
  for (unsigned run = 0; run < 2; run++) {
    swarm s = start_swarm(18, 10, fast_link);
    run_for(&s, 100);
    sent[run] = sim_network_stats(s.network).bytes_sent;
    stop_swarm(&s);
  }
  CHECK_UINT(sent[0], sent[1]);
}

TEST(node_does_not_talk_to_addresses_that_a_public_node_cannot_know) {
  swarm s = {.network = sim_network_create(19)};
  (void)add_node(&s, (hd_node_options){.mode = HD_NODE_ADAPTIVE});
  const hd_query_host *host = hd_node_queries(sim_dht_core(s.nodes[0]));
  const hd_address home = hd_address_ipv4(192, 168, 1, 1, 5), open = hd_address_ipv4(8, 8, 8, 8, 5);
  const hd_address other = hd_address_ipv4(9, 9, 9, 9, 5), nowhere = hd_address_ipv4(0, 1, 2, 3, 5);
  const hd_address group = hd_address_ipv4(224, 0, 0, 1, 5), notorious = hd_address_ipv4(150, 136, 142, 116, 7);
  CHECK(!host->accepts(host->context, &home, &open));
  CHECK(host->accepts(host->context, &home, &home));
  CHECK(host->accepts(host->context, &home, NULL));
  CHECK(host->accepts(host->context, &other, &open));
  CHECK(!host->accepts(host->context, &nowhere, NULL));
  CHECK(!host->accepts(host->context, &group, &home));
  CHECK(!host->accepts(host->context, &notorious, NULL));
  stop_swarm(&s);
}

TEST(node_answers_a_delayed_ping_late_and_few_of_one_host) {
  swarm s = start_swarm(20, 2, fast_link);
  hd_node *node = sim_dht_core(s.nodes[0]);
  const hd_time now = sim_network_now(s.network);
  uint8_t request[16] = {3, 0x14, 0, 0, 10, 0, 0, 1, 0x49, 0xc2, 4, 4, 0xe8, 3, 0, 0};
  const hd_address from = hd_address_ipv4(10, 7, 7, 7, 1000);
  for (uint8_t tid = 0; tid < 10; tid++) {
    request[2] = tid;
    const hd_datagram datagram = {.socket = 49737, .from = from, .bytes = hd_bytes_of(request, sizeof request)};
    hd_node_receive(node, now, &datagram);
  }
  hd_datagram_out out;
  CHECK_UINT(0, hd_node_next_sends(node, now, &out, 1));
  const hd_time later = hd_time_add(now, HD_MILLISECONDS(1000));
  CHECK(hd_node_deadline(node).us <= later.us);
  hd_node_elapse(node, later);
  unsigned answers = 0;
  while (hd_node_next_sends(node, later, &out, 1) == 1) answers += hd_address_equal(&out.to, &from);
  CHECK_UINT(4, answers);
  stop_swarm(&s);
}

static bool live_a_little(const hdht_allocator *allocator) {
  static const uint8_t seed[32] = {9};
  const hd_address bootstrap = hd_address_ipv4(10, 1, 1, 1, 1), known = hd_address_ipv4(10, 1, 1, 2, 1);
  const hd_node_options options = {.allocator = allocator,
                                   .seed = seed,
                                   .is_reachable = true,
                                   .bootstraps = &bootstrap,
                                   .bootstraps_count = 1,
                                   .nodes = &known,
                                   .nodes_count = 1};
  hd_node *node;
  hd_time now = {1000000};
  if (hd_node_create(&options, now, &node) != HDHT_OK) return false;
  hd_node_bind(node, now, &(hd_node_sockets){.server = 1, .server_port = 5, .client = 2});
  hd_node_operation *operation;
  const hd_announce_options lookup = {.kind = HD_ANNOUNCE_LOOKUP, .target = topic};
  const bool is_started = hd_node_start(node, now, &lookup, NULL, &operation) == HDHT_OK;
  bool is_done = false;
  for (unsigned i = 0; i < 40; i++) {
    hd_event event;
    hd_datagram_out out;
    now = hd_time_add(now, HD_MILLISECONDS(500));
    hd_node_elapse(node, now);
    hd_node_settle(node, now);
    while (hd_node_next_event(node, now, &event)) is_done |= event.kind == HD_EVENT_DONE;
    while (hd_node_next_sends(node, now, &out, 1) == 1) continue;
  }
  hd_node_destroy(node);
  return is_started && is_done;
}

TEST(node_survives_each_failing_allocation) {
  hd_test_each_allocation_failure(live_a_little);
}
