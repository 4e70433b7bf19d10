/* A DHT of many nodes with the distances of the real world.
 *
 * Nodes join one after another through one bootstrap node; then topics are announced and records stored from random
 * nodes, and others look for them. The variants add what networks do: nodes that come and go, lost datagrams, a
 * partition that heals, and nodes that lie.
 *
 * What must hold: what was stored is found, tables know enough nodes, walks take few rounds, memory is bounded. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/hash.h"
#include "scenario.h"
#include "sim_node.h"

#define REGIONS_COUNT      8
#define JOIN_INTERVAL      HD_MILLISECONDS(20)
#define SETTLE             HD_SECONDS(90)
#define OPERATION_LIMIT    HD_SECONDS(60)
#define OPERATIONS_DEFAULT 200
#define SAMPLES_MAX        100000
#define VALUE_SIZE         300
#define BYTES_PER_NODE_MAX (3u << 20)

typedef enum disturbance { NONE, CHURN, LOSS, PARTITION, LIARS } disturbance;

/* One-way milliseconds between regions, roughly those between the continents' large exchanges. */
static const uint8_t region_ms[REGIONS_COUNT][REGIONS_COUNT] = {
    /* Europe W, Europe E, US E, US W, S America, India, E Asia, Oceania */
    {6, 16, 40, 68, 95, 62, 115, 135},  {16, 8, 55, 80, 110, 60, 100, 145},   {40, 55, 6, 32, 58, 100, 85, 100},
    {68, 80, 32, 6, 85, 115, 55, 72},   {95, 110, 58, 85, 10, 150, 135, 150}, {62, 60, 100, 115, 150, 9, 45, 75},
    {115, 100, 85, 55, 135, 45, 8, 60}, {135, 145, 100, 72, 150, 75, 60, 8},
};
static const uint8_t region_share[REGIONS_COUNT] = {30, 15, 22, 12, 4, 5, 9, 3}; /* of a hundred nodes */

typedef struct dht_place {
  uint8_t region;
  bool is_beyond_the_cut; /* of the partition */
} dht_place;

typedef struct counting_allocator {
  hd_allocator hook;
  size_t live_bytes;
  size_t peak_bytes;
} counting_allocator;

typedef struct dht_world {
  sim_network *network;
  hd_random *random;
  sim_node *nodes;
  dht_place *places;
  size_t nodes_count;
  size_t generation; /* counts every node ever started: gives each its own address */
  counting_allocator memory;
  disturbance disturbance;
  bool is_cut;
  sim_liars liars;
  hd_time next_death;
  hd_duration death_interval;
} dht_world;

static struct {
  double lookup_ms[SAMPLES_MAX];
  double first_ms[SAMPLES_MAX];
  unsigned lookups;
  unsigned rounds[64];
  uint64_t found, missed, stored, stored_short;
  double bytes_per_node_peak;
  uint64_t datagrams;
} totals;

static void *counting_allocate(void *context, size_t size) {
  counting_allocator *memory = context;
  memory->live_bytes += size;
  if (memory->live_bytes > memory->peak_bytes) memory->peak_bytes = memory->live_bytes;
  return malloc(size);
}

static void counting_release(void *context, void *block, size_t size) {
  ((counting_allocator *)context)->live_bytes -= size;
  free(block);
}

/* ---- the world ------------------------------------------------------------------------------------------------- */

static hd_duration distance(void *context, const sim_host *from, const sim_host *to) {
  (void)context;
  const dht_place *a = ((sim_node *)sim_host_context(from))->place, *b = ((sim_node *)sim_host_context(to))->place;
  return HD_MILLISECONDS(region_ms[a->region][b->region]);
}

static bool is_cut(void *context, const sim_host *from, const sim_host *to) {
  if (!((dht_world *)context)->is_cut) return false;
  const dht_place *a = ((sim_node *)sim_host_context(from))->place, *b = ((sim_node *)sim_host_context(to))->place;
  return a->is_beyond_the_cut != b->is_beyond_the_cut;
}

static uint8_t draw_region(hd_random *random) {
  uint64_t left = hd_random_below(random, 100);
  uint8_t region = 0;
  while (region + 1 < REGIONS_COUNT && left >= region_share[region]) left -= region_share[region++];
  return region;
}

/* Public addresses, spread over many networks; each used once. */
static hd_address address_of(size_t number) {
  const uint32_t spread = (uint32_t)number * 2654435761u;
  return hd_address_ipv4((uint8_t)(20 + (spread >> 24) % 60), (uint8_t)(spread >> 16), (uint8_t)(number >> 8),
                         (uint8_t)(1 + number % 250), (uint16_t)(1024 + number % 60000));
}

static sim_link_options draw_access_link(const dht_world *world) {
  /* Most last miles take a few milliseconds, some much longer. */
  const double ms = 1.0 + 6.0 * -log(1.0 - 0.999 * hd_random_unit(world->random));
  return (sim_link_options){.delay = HD_MICROSECONDS(ms * 1000),
                            .jitter = HD_MICROSECONDS(ms * 300),
                            .loss = world->disturbance == LOSS ? 0.1056 : 0.001}; /* 20 % over both links */
}

static void start_node(dht_world *world, size_t index) {
  world->places[index] = (dht_place){.region = draw_region(world->random), .is_beyond_the_cut = index % 2 == 1};
  world->nodes[index].place = &world->places[index];
  const hd_address bootstrap = world->nodes[0].address;
  const sim_node_options options = {
      .address = address_of(world->generation++),
      .up = draw_access_link(world),
      .down = {.loss = world->disturbance == LOSS ? 0.1056 : 0.001},
      .is_bootstrap = index == 0,
      .bootstraps = &bootstrap,
      .bootstraps_count = index == 0 ? 0 : 1,
      .allocator = &world->memory.hook,
      .seed = hd_random_next(world->random),
  };
  sim_node_start(&world->nodes[index], world->network, &options);
}

/* Half of the nodes are replaced in an hour: now and then one dies without a word and a new one joins. */
static void churn(dht_world *world) {
  if (world->disturbance != CHURN) return;
  while (hd_time_is_due(world->next_death, sim_network_now(world->network))) {
    world->next_death = hd_time_add(world->next_death, world->death_interval);
    const size_t victim = 1 + hd_random_below(world->random, world->nodes_count - 1);
    if (world->nodes[victim].operation != NULL) continue; /* its user is still looking */
    sim_node_stop(&world->nodes[victim]);
    start_node(world, victim);
  }
}

static void pass(dht_world *world, hd_duration duration) {
  const hd_time until = hd_time_add(sim_network_now(world->network), duration);
  while (hd_time_before(sim_network_now(world->network), until)) {
    hd_time next = until;
    if (world->disturbance == CHURN) next = hd_time_earlier(next, world->next_death);
    sim_network_run(world->network, next, NULL, NULL);
    churn(world);
  }
}

static void create_world(dht_world *world, uint64_t seed, size_t nodes_count, disturbance kind) {
  *world = (dht_world){.nodes_count = nodes_count, .disturbance = kind, .next_death = HD_TIME_NEVER};
  world->memory.hook = (hd_allocator){counting_allocate, counting_release, &world->memory};
  world->network = sim_network_create(seed);
  world->random = sim_network_random(world->network);
  world->nodes = calloc(nodes_count, sizeof world->nodes[0]);
  world->places = calloc(nodes_count, sizeof world->places[0]);
  world->liars.addresses = calloc(nodes_count, sizeof world->liars.addresses[0]);
  if (world->nodes == NULL || world->places == NULL || world->liars.addresses == NULL) abort();
  sim_network_set_distance(world->network, distance, NULL);
  sim_network_set_cut(world->network, is_cut, world);
  for (size_t i = 0; i < nodes_count; i++) {
    start_node(world, i);
    pass(world, i == 0 ? HD_SECONDS(2) : JOIN_INTERVAL);
  }
  pass(world, SETTLE);
  world->death_interval = HD_MICROSECONDS(3600e6 * 2 / (double)nodes_count);
  world->next_death = hd_time_add(sim_network_now(world->network), world->death_interval);
}

static void destroy_world(dht_world *world) {
  for (size_t i = 0; i < world->nodes_count; i++) sim_node_stop(&world->nodes[i]);
  sim_network_destroy(world->network);
  free(world->liars.addresses);
  free(world->nodes);
  free(world->places);
}

/* ---- what its users do ----------------------------------------------------------------------------------------- */

/* The one tenth that lies, spread evenly. */
static bool is_liar(size_t index) {
  return index % 10 == 5;
}

static void begin_lying(dht_world *world) {
  for (size_t i = 0; i < world->nodes_count; i++) {
    if (is_liar(i)) world->liars.addresses[world->liars.count++] = world->nodes[i].address;
  }
  for (size_t i = 0; i < world->nodes_count; i++) {
    if (is_liar(i)) world->nodes[i].liars = &world->liars;
  }
}

static sim_node *any_node(dht_world *world) {
  size_t index;
  do {
    index = hd_random_below(world->random, world->nodes_count);
  } while (is_liar(index));
  return &world->nodes[index];
}

static bool is_done(void *context) {
  return ((sim_node *)context)->outcome.is_done;
}

static sim_outcome run_operation(dht_world *world, sim_node *node, const hd_announce_options *options) {
  const hd_time until = hd_time_add(sim_network_now(world->network), OPERATION_LIMIT);
  sim_node_run(node, options);
  sim_network_run(world->network, until, is_done, node);
  if (!node->outcome.is_done && node->operation != NULL) {
    hd_node_operation_destroy(node->operation, sim_network_now(world->network));
    node->operation = NULL;
    node->outcome.error = HDHT_ERR_TIMED_OUT;
  }
  churn(world);
  return node->outcome;
}

static void remember_lookup(const sim_outcome *outcome) {
  if (totals.lookups < SAMPLES_MAX) {
    totals.first_ms[totals.lookups] = (double)outcome->first_found.us / 1000;
    totals.lookup_ms[totals.lookups++] = (double)outcome->took.us / 1000;
  }
  totals.rounds[outcome->counts.rounds < 64 ? outcome->counts.rounds : 63]++;
}

static bool complain(uint64_t seed, const char *what, double value) {
  printf("seed %" PRIu64 ": %s (%.3f)\n", seed, what, value);
  return false;
}

typedef struct dht_tally {
  unsigned stores, stored, finds, found;
} dht_tally;

static void fill_topic(uint64_t number, hd_node_id *topic) {
  hd_hash(&number, sizeof number, topic->bytes);
}

static void announce_topic(dht_world *world, uint64_t number, dht_tally *tally) {
  const sim_key key = sim_key_of(number);
  hd_announce_options options = {
      .kind = HD_ANNOUNCE_ANNOUNCE, .public_key = key.public_key, .secret_key = key.secret_key};
  fill_topic(number, &options.target);
  const sim_outcome outcome = run_operation(world, any_node(world), &options);
  tally->stores++;
  tally->stored += outcome.error == HDHT_OK;
}

static void look_topic_up(dht_world *world, uint64_t number, dht_tally *tally) {
  hd_announce_options options = {.kind = HD_ANNOUNCE_LOOKUP};
  fill_topic(number, &options.target);
  const sim_outcome outcome = run_operation(world, any_node(world), &options);
  tally->finds++;
  tally->found += outcome.found > 0;
  remember_lookup(&outcome);
}

static void fill_value(uint64_t number, uint8_t value[VALUE_SIZE]) {
  hd_random content = hd_random_from_seed(number);
  hd_random_fill(&content, value, VALUE_SIZE);
}

static void put_record(dht_world *world, uint64_t number, dht_tally *tally) {
  uint8_t value[VALUE_SIZE];
  fill_value(number, value);
  const sim_key key = sim_key_of(number);
  hd_announce_options options = {.kind = HD_ANNOUNCE_IMMUTABLE_PUT, .value = hd_bytes_of(value, sizeof value)};
  if (number % 2 == 0) {
    options.kind = HD_ANNOUNCE_MUTABLE_PUT;
    options.public_key = key.public_key;
    options.secret_key = key.secret_key;
    options.seq = 1;
  }
  const sim_outcome outcome = run_operation(world, any_node(world), &options);
  tally->stores++;
  tally->stored += outcome.error == HDHT_OK;
}

static void get_record(dht_world *world, uint64_t number, dht_tally *tally) {
  uint8_t value[VALUE_SIZE];
  fill_value(number, value);
  const sim_key key = sim_key_of(number);
  hd_announce_options options = {.kind = HD_ANNOUNCE_IMMUTABLE_GET, .value = hd_bytes_of(value, sizeof value)};
  hd_hash(value, sizeof value, options.target.bytes);
  if (number % 2 == 0) {
    options.kind = HD_ANNOUNCE_MUTABLE_GET;
    options.public_key = key.public_key;
  }
  const sim_outcome outcome = run_operation(world, any_node(world), &options);
  tally->finds++;
  tally->found += outcome.is_expected_value;
}

/* ---- a run ----------------------------------------------------------------------------------------------------- */

/* A random node knows about as many others as its rows can hold. */
static double mean_table_size(const dht_world *world) {
  double sum = 0;
  for (size_t i = 0; i < world->nodes_count; i++) sum += hd_node_look(world->nodes[i].node).nodes_count;
  return sum / (double)world->nodes_count;
}

static double table_size_expected(size_t nodes_count) {
  const double others = (double)nodes_count - 1;
  return others <= 20 ? others : fmin(others, 20 + 4 * log2(others / 20));
}

static bool check(uint64_t seed, const dht_world *world, const dht_tally *tally, double table_size) {
  bool ok = true;
  const double share_found = (double)tally->found / tally->finds;
  const double share_stored = (double)tally->stored / tally->stores;
  const double least = world->disturbance == NONE ? 1.0 : world->disturbance == LOSS ? 0.98 : 0.97;
  if (share_stored < least) ok = complain(seed, "too few stores succeeded", share_stored);
  if (share_found < least) ok = complain(seed, "too little of what was stored was found", share_found);
  if (table_size < 0.5 * table_size_expected(world->nodes_count)) ok = complain(seed, "tables are thin", table_size);
  const double bytes_per_node = (double)world->memory.peak_bytes / (double)world->nodes_count;
  if (bytes_per_node > BYTES_PER_NODE_MAX) ok = complain(seed, "too much memory per node", bytes_per_node);
  return ok;
}

static void add_to_totals(const dht_world *world, const dht_tally *tally) {
  const double bytes_per_node = (double)world->memory.peak_bytes / (double)world->nodes_count;
  totals.bytes_per_node_peak = fmax(totals.bytes_per_node_peak, bytes_per_node);
  totals.found += tally->found;
  totals.missed += tally->finds - tally->found;
  totals.stored += tally->stored;
  totals.stored_short += tally->stores - tally->stored;
  totals.datagrams += sim_network_stats(world->network).datagrams_sent;
}

static bool run(uint64_t seed, bool is_verbose, disturbance kind) {
  dht_world world;
  create_world(&world, seed, scenario_nodes_count, kind);
  const double table_size = mean_table_size(&world);
  dht_tally tally = {0};
  if (kind == LIARS) begin_lying(&world);
  const uint64_t operations = OPERATIONS_DEFAULT / 4;
  for (uint64_t i = 0; i < operations; i++) {
    announce_topic(&world, seed * 1000 + i, &tally);
    put_record(&world, seed * 1000 + i, &tally);
  }
  if (kind == CHURN) pass(&world, HD_SECONDS(600)); /* a twelfth of the nodes is replaced */
  if (kind == PARTITION) {
    world.is_cut = true;
    pass(&world, HD_SECONDS(120));
    world.is_cut = false;
    pass(&world, HD_SECONDS(120));
  }
  for (uint64_t i = 0; i < operations; i++) {
    look_topic_up(&world, seed * 1000 + i, &tally);
    get_record(&world, seed * 1000 + i, &tally);
  }
  const bool ok = check(seed, &world, &tally, table_size);
  add_to_totals(&world, &tally);
  if (is_verbose) {
    printf(
        "%zu nodes, %.1f in a table, %u of %u stored, %u of %u found, %.1f KiB a node at most, %.0f s of virtual "
        "time\n",
        world.nodes_count, table_size, tally.stored, tally.stores, tally.found, tally.finds,
        (double)world.memory.peak_bytes / 1024 / (double)world.nodes_count,
        (double)sim_network_now(world.network).us / 1e6);
  }
  destroy_world(&world);
  return world.memory.live_bytes == 0 ? ok : complain(seed, "memory was leaked", (double)world.memory.live_bytes);
}

static int by_value(const void *left, const void *right) {
  const double a = *(const double *)left, b = *(const double *)right;
  return (a > b) - (a < b);
}

static void print_percentiles(const char *what, double *samples) {
  qsort(samples, totals.lookups, sizeof samples[0], by_value);
  printf("%s: %u, p50 %.0f ms, p95 %.0f ms, p99 %.0f ms\n", what, totals.lookups, samples[totals.lookups / 2],
         samples[totals.lookups * 95 / 100], samples[totals.lookups * 99 / 100]);
}

static void report(void) {
  if (totals.lookups == 0) return;
  print_percentiles("lookups, first record found", totals.first_ms);
  print_percentiles("lookups, all nearest nodes asked", totals.lookup_ms);
  printf("rounds:");
  for (unsigned i = 0; i < 64; i++) {
    if (totals.rounds[i] > 0) printf(" %u:%u", i, totals.rounds[i]);
  }
  printf("\nstored %" PRIu64 ", not stored %" PRIu64 ", found %" PRIu64 ", not found %" PRIu64
         ", %.1f KiB a node at most, %.1f million datagrams\n",
         totals.stored, totals.stored_short, totals.found, totals.missed, totals.bytes_per_node_peak / 1024,
         (double)totals.datagrams / 1e6);
}

static bool run_quiet(uint64_t seed, bool is_verbose) {
  return run(seed, is_verbose, NONE);
}
static bool run_churn(uint64_t seed, bool is_verbose) {
  return run(seed, is_verbose, CHURN);
}
static bool run_loss(uint64_t seed, bool is_verbose) {
  return run(seed, is_verbose, LOSS);
}
static bool run_liars(uint64_t seed, bool is_verbose) {
  return run(seed, is_verbose, LIARS);
}
static bool run_partition(uint64_t seed, bool is_verbose) {
  return run(seed, is_verbose, PARTITION);
}

const scenario scenario_dht = {
    .name = "dht",
    .summary = "a DHT with real-world distances: everything announced and stored is found",
    .run = run_quiet,
    .report = report,
};
const scenario scenario_dht_churn = {
    .name = "dht-churn",
    .summary = "half of the nodes are replaced per hour",
    .run = run_churn,
    .report = report,
};
const scenario scenario_dht_loss = {
    .name = "dht-loss",
    .summary = "every fifth datagram is lost",
    .run = run_loss,
    .report = report,
};
const scenario scenario_dht_partition = {
    .name = "dht-partition",
    .summary = "the network falls in two halves for two minutes",
    .run = run_partition,
    .report = report,
};
const scenario scenario_dht_liars = {
    .name = "dht-liars",
    .summary = "every tenth node lies to all who ask it",
    .run = run_liars,
    .report = report,
};
