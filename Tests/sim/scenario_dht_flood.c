/* A DHT in which two hosts ask thirty nodes eight times as much as those serve one network. Honest users' look-ups
 * before the flood and during it are compared: everything is still found, and the slowest of a hundred takes at most
 * twice as long. All links are narrow enough that answering everything would fill them. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "messages/message_command.h"
#include "scenario.h"
#include "sim_dht.h"

#define PORT          49737
#define FLOODERS      2
#define VICTIMS       30
#define AT_ONCE       16 /* requests to each victim in each interval: 1,600 per second */
#define INTERVAL      HD_MILLISECONDS(10)
#define LOOKUPS       40
#define SLOWEST_MAX   2.0
#define NODES_LIMIT   1000
#define BYTES_PER_SEC 250000

typedef struct flood_world {
  sim_network *network;
  sim_dht_node *nodes[NODES_LIMIT];
  unsigned count;
} flood_world;

typedef struct flooder {
  flood_world *world;
  sim_host *host;
  hd_socket_id socket;
  hd_time next;
} flooder;

static struct {
  double calm_ms, flooded_ms; /* the worst seed */
  unsigned runs;
} totals;

static void pass(flood_world *world, hd_duration duration) {
  (void)sim_network_run(world->network, hd_time_add(sim_network_now(world->network), duration), NULL, NULL);
}

/* Each host in a network of its own, between 10 and 90 ms from the core. */
static sim_host_options draw_host(flood_world *world, unsigned number) {
  const sim_link_options link = {.delay = HD_MILLISECONDS(10 + hd_random_below(sim_network_random(world->network), 80)),
                                 .bytes_per_second = BYTES_PER_SEC,
                                 .queue_size_max = BYTES_PER_SEC / 5};
  return (sim_host_options){.address = hd_address_ipv4((uint8_t)(20 + number % 60), (uint8_t)(number / 60), 1, 1, 0),
                            .up = link};
}

static void create_world(flood_world *world, uint64_t seed, unsigned count) {
  *world = (flood_world){.network = sim_network_create(seed)};
  for (; world->count < count; world->count++) {
    sim_dht_options options = {.host = draw_host(world, world->count), .port = PORT};
    hd_address bootstrap = {0};
    options.node.is_reachable = true;
    if (world->count == 0) {
      options.node.public_host = options.host.address;
    } else {
      bootstrap = sim_dht_address(world->nodes[0]);
      options.node.mode = HD_NODE_PERSISTENT;
      options.node.bootstraps = &bootstrap;
      options.node.bootstraps_count = 1;
    }
    world->nodes[world->count] = sim_dht_create(world->network, &options);
    pass(world, HD_MILLISECONDS(100));
  }
  pass(world, HD_SECONDS(120));
}

static void destroy_world(flood_world *world) {
  for (unsigned i = 0; i < world->count; i++) sim_dht_destroy(world->nodes[i]);
  sim_network_destroy(world->network);
}

/* ---- the flood ------------------------------------------------------------------------------------------------- */

static void ignore_datagram(void *context, hd_time now, const hd_datagram *datagram) {
  (void)context;
  (void)now;
  (void)datagram;
}

static void flood_victim(flooder *self, const hd_address *victim) {
  uint8_t bytes[64], target[32];
  hd_random_fill(sim_network_random(self->world->network), target, sizeof target);
  const hd_messages_request request = {
      .tid = 1, .is_internal = true, .command = HD_MESSAGES_FIND_NODE, .to = *victim, .target = target};
  hd_writer writer = hd_writer_of(bytes, sizeof bytes);
  if (hd_messages_write_request(&writer, &request) != HDHT_OK) abort();
  const hd_bytes part = hd_bytes_of(bytes, (size_t)(writer.next - bytes));
  for (unsigned i = 0; i < AT_ONCE; i++) {
    sim_host_send(self->host, &(hd_datagram_out){.socket = self->socket,
                                                 .to = *victim,
                                                 .segments_count = 1,
                                                 .parts_count = 1,
                                                 .size = (uint32_t)part.size,
                                                 .parts = &part});
  }
}

static hd_time flood(void *context, hd_time now) {
  flooder *self = context;
  if (!hd_time_is_due(self->next, now)) return self->next;
  for (unsigned i = 0; i < VICTIMS && i < self->world->count; i++) {
    const hd_address victim = sim_dht_address(self->world->nodes[i]);
    flood_victim(self, &victim);
  }
  self->next = hd_time_add(now, INTERVAL);
  return self->next;
}

static const sim_program flooding = {.receive = ignore_datagram, .turn = flood};

static void start_flood(flood_world *world, flooder flooders[FLOODERS]) {
  for (unsigned i = 0; i < FLOODERS; i++) {
    const sim_host_options options = {.address = hd_address_ipv4(100, (uint8_t)i, 1, 1, 0)};
    flooders[i] = (flooder){.world = world};
    flooders[i].host = sim_host_create(world->network, &options, &flooding, &flooders[i]);
    flooders[i].socket = sim_host_open(flooders[i].host, 0);
    sim_host_poke(flooders[i].host);
  }
}

/* ---- users ----------------------------------------------------------------------------------------------------- */

static sim_dht_node *any_node(flood_world *world) {
  return world->nodes[hd_random_below(sim_network_random(world->network), world->count)];
}

static hd_key_pair key_of(uint64_t seed) {
  uint8_t key_seed[HD_SEED_SIZE];
  hd_random random = hd_random_from_seed(seed);
  hd_random_fill(&random, key_seed, sizeof key_seed);
  hd_key_pair keys;
  hd_key_pair_from_seed(&keys, key_seed);
  return keys;
}

static bool announce(flood_world *world, const hd_key_pair *keys, hd_node_id *target) {
  hd_hash(keys->public_key, sizeof keys->public_key, target->bytes);
  const hd_announce_options options = {
      .kind = HD_ANNOUNCE_ANNOUNCE, .target = *target, .public_key = keys->public_key, .secret_key = keys->secret_key};
  sim_dht_outcome outcome = {0};
  return sim_dht_run(any_node(world), &options, &outcome) && outcome.error == HDHT_OK;
}

/* Returns the slowest in milliseconds, or 0 if one found nothing. */
static double look_up(flood_world *world, const hd_node_id *target) {
  double slowest_ms = 0;
  for (unsigned i = 0; i < LOOKUPS; i++) {
    const hd_announce_options options = {.kind = HD_ANNOUNCE_FIND_PEER, .target = *target};
    sim_dht_outcome outcome = {0};
    if (!sim_dht_run(any_node(world), &options, &outcome) || outcome.peers == 0) return 0;
    const double ms = (double)hd_time_since(outcome.done_at, outcome.started_at).us / 1000;
    if (ms > slowest_ms) slowest_ms = ms;
  }
  return slowest_ms;
}

static bool run(uint64_t seed, bool is_verbose) {
  static flood_world world;
  flooder flooders[FLOODERS];
  hd_node_id target;
  const size_t wanted = scenario_nodes_count < NODES_LIMIT ? scenario_nodes_count : NODES_LIMIT;
  create_world(&world, seed, (unsigned)wanted);
  const hd_key_pair keys = key_of(seed);
  bool ok = announce(&world, &keys, &target);
  const double calm_ms = look_up(&world, &target);
  start_flood(&world, flooders);
  pass(&world, HD_SECONDS(5));
  const double flooded_ms = look_up(&world, &target);
  ok = ok && calm_ms > 0 && flooded_ms > 0 && flooded_ms <= SLOWEST_MAX * calm_ms;
  if (!ok || is_verbose) {
    printf("seed %" PRIu64 ": slowest look-up %.0f ms before the flood, %.0f ms during it (0: nothing found)\n", seed,
           calm_ms, flooded_ms);
  }
  if (flooded_ms * totals.calm_ms >= totals.flooded_ms * calm_ms) {
    totals.calm_ms = calm_ms;
    totals.flooded_ms = flooded_ms;
  }
  totals.runs++;
  for (unsigned i = 0; i < FLOODERS; i++) sim_host_remove(flooders[i].host);
  destroy_world(&world);
  return ok;
}

static void report(void) {
  if (totals.runs == 0) return;
  printf("slowest look-up of %d, worst seed: %.0f ms before the flood, %.0f ms during it\n", LOOKUPS, totals.calm_ms,
         totals.flooded_ms);
}

const scenario scenario_dht_flood = {
    .name = "dht-flood", .summary = "two hosts ask far too much of thirty nodes", .run = run, .report = report};
