#include "sim_network.h"

#include <stdlib.h>
#include <string.h>

#include "base/deadline_heap.h"
#include "base/hash_map.h"
#include "base/list.h"

#define FIRST_FREE_PORT  20000
#define IP_OVERHEAD_IPV4 28 /* IP and UDP headers */
#define IP_OVERHEAD_IPV6 48

/* Where a datagram is when its flight ends. */
typedef enum flight_stage {
  AT_ROUTER,   /* it has left the sender's uplink; only with a router */
  AT_DOWNLINK, /* it has crossed the network and enters the receiver's downlink */
  AT_HOST,
} flight_stage;

/* A datagram under way to the end of one stage. */
typedef struct flight {
  hd_deadline arrival;
  flight_stage stage;
  bool may_fragment;
  hd_list link; /* of the host's batch, once arrived */
  sim_header header;
  size_t size;
  uint8_t bytes[];
} flight;

/* What an arrival or a wake-up in the heap belongs to. */
typedef struct heap_kinds {
  hd_deadline_heap flights;
  hd_deadline_heap hosts;
} heap_kinds;

struct sim_host {
  sim_network *network;
  const sim_program *program;
  void *context;
  sim_host_options options;
  sim_link up;
  sim_link down;
  hd_deadline wake_up;
  hd_list link;       /* of all hosts */
  hd_list dirty_link; /* of the hosts whose turn it is */
  hd_list batch;      /* flights handed in, kept until the turn is over */
  uint16_t next_port;
};

struct sim_network {
  hd_random random;
  hd_time now;
  heap_kinds heaps;
  hd_hash_map sockets; /* hd_address to sim_host pointer */
  hd_list hosts;
  hd_list dirty;
  sim_distance *distance;
  void *distance_context;
  sim_cut *is_cut;
  void *cut_context;
  const sim_router *router;
  void *router_context;
  sim_stats stats;
  uint64_t bytes_in_flight;
};

/* The simulator is a test tool: without memory there is nothing to test. */
static void *must(void *memory) {
  if (memory == NULL) abort();
  return memory;
}

sim_network *sim_network_create(uint64_t seed) {
  sim_network *network = must(calloc(1, sizeof *network));
  network->random = hd_random_from_seed(seed);
  network->now = (hd_time){1000000};
  hd_deadline_heap_init(&network->heaps.flights, hd_allocator_system());
  hd_deadline_heap_init(&network->heaps.hosts, hd_allocator_system());
  const uint64_t map_seed[2] = {seed, ~seed};
  hd_hash_map_init(&network->sockets, hd_allocator_system(), sizeof(hd_address), sizeof(sim_host *), 0, map_seed);
  hd_list_init(&network->hosts);
  hd_list_init(&network->dirty);
  return network;
}

hd_random *sim_network_random(sim_network *network) {
  return &network->random;
}
hd_time sim_network_now(const sim_network *network) {
  return network->now;
}
sim_stats sim_network_stats(const sim_network *network) {
  return network->stats;
}
sim_network *sim_host_network(const sim_host *host) {
  return host->network;
}
void *sim_host_context(const sim_host *host) {
  return host->context;
}

void sim_network_set_distance(sim_network *network, sim_distance *distance, void *context) {
  network->distance = distance;
  network->distance_context = context;
}

void sim_network_set_cut(sim_network *network, sim_cut *is_cut, void *context) {
  network->is_cut = is_cut;
  network->cut_context = context;
}

void sim_network_set_router(sim_network *network, const sim_router *router, void *context) {
  network->router = router;
  network->router_context = context;
}

/* ---- hosts and sockets ----------------------------------------------------------------------------------------- */

sim_host *sim_host_create(sim_network *network, const sim_host_options *options, const sim_program *program,
                          void *context) {
  sim_host *host = must(calloc(1, sizeof *host));
  *host = (sim_host){
      .network = network,
      .program = program,
      .context = context,
      .options = *options,
      .up = sim_link_of(&options->up),
      .down = sim_link_of(&options->down),
      .next_port = FIRST_FREE_PORT,
  };
  hd_list_init(&host->dirty_link);
  hd_list_init(&host->batch);
  hd_list_push_back(&network->hosts, &host->link);
  return host;
}

static void release_batch(sim_host *host) {
  HD_LIST_EACH(link, &host->batch) {
    hd_list_remove(link);
    free(HD_CONTAINER_OF(link, flight, link));
  }
}

void sim_host_remove(sim_host *host) {
  sim_network *network = host->network;
  for (uint32_t port = 1; port <= UINT16_MAX; port++) sim_host_close(host, port);
  hd_deadline_heap_remove(&network->heaps.hosts, &host->wake_up);
  hd_list_remove(&host->link);
  hd_list_remove(&host->dirty_link);
  release_batch(host);
  free(host);
}

void sim_network_destroy(sim_network *network) {
  HD_LIST_EACH(link, &network->hosts) {
    sim_host *host = HD_CONTAINER_OF(link, sim_host, link);
    release_batch(host);
    free(host);
  }
  hd_deadline *due;
  while ((due = hd_deadline_heap_pop_due(&network->heaps.flights, HD_TIME_NEVER)) != NULL) {
    free(HD_CONTAINER_OF(due, flight, arrival));
  }
  hd_deadline_heap_destroy(&network->heaps.flights);
  hd_deadline_heap_destroy(&network->heaps.hosts);
  hd_hash_map_destroy(&network->sockets);
  free(network);
}

/* A host's socket ids are its ports. */
hd_address sim_host_address(const sim_host *host, hd_socket_id socket) {
  hd_address address = host->options.address;
  address.port = (uint16_t)socket;
  return address;
}

static bool is_open(const sim_host *host, hd_socket_id socket) {
  const hd_address address = sim_host_address(host, socket);
  sim_host *const *found = hd_hash_map_find(&host->network->sockets, &address);
  return found != NULL && *found == host;
}

hd_socket_id sim_host_open(sim_host *host, uint16_t port) {
  const bool is_any = port == 0;
  for (int attempts = 0; attempts < UINT16_MAX; attempts++) {
    if (is_any) port = host->next_port++;
    if (host->next_port == 0) host->next_port = 1024;
    const hd_address address = sim_host_address(host, port);
    if (port != 0 && hd_hash_map_find(&host->network->sockets, &address) == NULL) {
      void *value;
      if (hd_hash_map_insert(&host->network->sockets, &address, &value, NULL) != HDHT_OK) abort();
      *(sim_host **)value = host;
      return port;
    }
    if (!is_any) return HD_SOCKET_NONE;
  }
  return HD_SOCKET_NONE;
}

void sim_host_close(sim_host *host, hd_socket_id socket) {
  const hd_address address = sim_host_address(host, socket);
  if (is_open(host, socket)) (void)hd_hash_map_remove(&host->network->sockets, &address);
}

void sim_host_set_links(sim_host *host, const sim_link_options *up, const sim_link_options *down) {
  host->up.options = *up;
  host->down.options = *down;
}

void sim_host_poke(sim_host *host) {
  if (hd_list_is_empty(&host->dirty_link)) hd_list_push_back(&host->network->dirty, &host->dirty_link);
}

/* ---- sending --------------------------------------------------------------------------------------------------- */

static void flip_a_bit(sim_network *network, flight *packet) {
  if (packet->size == 0) return;
  packet->bytes[hd_random_below(&network->random, packet->size)] ^=
      (uint8_t)(1u << hd_random_below(&network->random, 8));
}

static void launch(sim_network *network, flight *packet, hd_time arrival) {
  hd_list_init(&packet->link);
  if (hd_deadline_heap_set(&network->heaps.flights, &packet->arrival, arrival) != HDHT_OK) abort();
  network->stats.datagrams_in_flight++;
  network->bytes_in_flight += packet->size;
  if (network->bytes_in_flight > network->stats.bytes_in_flight_peak) {
    network->stats.bytes_in_flight_peak = network->bytes_in_flight;
  }
}

static flight *packet_of(const hd_bytes *parts, uint32_t parts_count, size_t size) {
  flight *packet = must(calloc(1, sizeof *packet + size));
  packet->size = size;
  size_t filled = 0;
  for (uint32_t i = 0; i < parts_count && filled < size; i++) {
    const size_t take = parts[i].size < size - filled ? parts[i].size : size - filled;
    memcpy(packet->bytes + filled, parts[i].data, take);
    filled += take;
  }
  return packet;
}

static size_t overhead_of(const hd_address *to) {
  return to->family == HDHT_FAMILY_IPV6 ? IP_OVERHEAD_IPV6 : IP_OVERHEAD_IPV4;
}

/* Without a router: the way is the distance of the two hosts. */
static bool find_way(sim_host *host, const hd_address *to, hd_duration *way) {
  sim_network *network = host->network;
  sim_host *const *found = hd_hash_map_find(&network->sockets, to);
  if (found == NULL) {
    network->stats.datagrams_unroutable++;
    return false;
  }
  if (network->is_cut != NULL && network->is_cut(network->cut_context, host, *found)) {
    network->stats.datagrams_lost++;
    return false;
  }
  *way = network->distance != NULL ? network->distance(network->distance_context, host, *found) : (hd_duration){0};
  return true;
}

static void send_one(sim_host *host, const hd_datagram_out *out, const hd_bytes *parts, uint32_t parts_count,
                     uint32_t size) {
  sim_network *network = host->network;
  network->stats.datagrams_sent++;
  network->stats.bytes_sent += size;
  const bool has_router = network->router != NULL;
  hd_duration way = {0};
  if (!has_router && !find_way(host, &out->to, &way)) return;
  const sim_passage up =
      sim_link_pass(&host->up, &network->random, network->now, size, overhead_of(&out->to), out->may_fragment);
  if (up.copies_count == 0) network->stats.datagrams_lost++;
  for (int i = 0; i < up.copies_count; i++) {
    flight *packet = packet_of(parts, parts_count, up.size);
    packet->stage = has_router ? AT_ROUTER : AT_DOWNLINK;
    packet->may_fragment = out->may_fragment;
    packet->header = (sim_header){
        .from = sim_host_address(host, out->socket), .to = out->to, .ttl = out->ttl != 0 ? out->ttl : SIM_TTL_DEFAULT};
    if (up.is_corrupted) flip_a_bit(network, packet);
    launch(network, packet, hd_time_add(up.arrivals[i], way));
  }
}

void sim_host_send(sim_host *host, const hd_datagram_out *out) {
  uint32_t part = 0, first, count, size;
  while (hd_datagram_out_next_segment(out, &part, &first, &count, &size)) {
    send_one(host, out, out->parts + first, count, size);
  }
}

/* ---- running --------------------------------------------------------------------------------------------------- */

static void hand_in(sim_host *host, flight *packet) {
  sim_network *network = host->network;
  network->stats.datagrams_delivered++;
  hd_list_push_back(&host->batch, &packet->link);
  const hd_datagram datagram = {
      .socket = packet->header.to.port,
      .from = packet->header.from,
      .bytes = hd_bytes_of(packet->bytes, packet->size),
  };
  sim_host_poke(host);
  host->program->receive(host->context, network->now, &datagram);
}

/* The downlink is entered when the datagram gets there, not when it was sent, so that it serves all senders in the
 * order in which their datagrams come. */
static void enter_downlink(sim_host *host, flight *packet) {
  sim_network *network = host->network;
  const sim_passage down = sim_link_pass(&host->down, &network->random, network->now, packet->size,
                                         overhead_of(&packet->header.to), packet->may_fragment);
  if (down.copies_count == 0) network->stats.datagrams_lost++;
  for (int i = 0; i < down.copies_count; i++) {
    const hd_bytes whole = hd_bytes_of(packet->bytes, packet->size);
    flight *copy = packet_of(&whole, 1, down.size);
    copy->header = packet->header;
    copy->stage = AT_HOST;
    if (down.is_corrupted) flip_a_bit(network, copy);
    if (hd_time_is_due(down.arrivals[i], network->now)) {
      hand_in(host, copy);
    } else {
      launch(network, copy, down.arrivals[i]);
    }
  }
  free(packet);
}

static void drop(sim_network *network, flight *packet) {
  network->stats.datagrams_stopped++;
  free(packet);
}

static void leave_through_router(sim_network *network, flight *packet) {
  hd_duration way = {0};
  if (!network->router->leave(network->router_context, network->now, &packet->header, &way)) {
    drop(network, packet);
    return;
  }
  packet->stage = AT_DOWNLINK;
  launch(network, packet, hd_time_add(network->now, way));
}

static void reach_host(sim_network *network, flight *packet) {
  if (packet->stage == AT_DOWNLINK && network->router != NULL &&
      !network->router->arrive(network->router_context, network->now, &packet->header)) {
    drop(network, packet);
    return;
  }
  sim_host *const *found = hd_hash_map_find(&network->sockets, &packet->header.to);
  if (found == NULL) {
    network->stats.datagrams_unroutable++;
    free(packet);
  } else if (packet->stage == AT_HOST) {
    hand_in(*found, packet);
  } else {
    enter_downlink(*found, packet);
  }
}

static void land(sim_network *network, flight *packet) {
  network->stats.datagrams_in_flight--;
  network->bytes_in_flight -= packet->size;
  if (packet->stage == AT_ROUTER) {
    leave_through_router(network, packet);
  } else {
    reach_host(network, packet);
  }
}

static hd_time round_up(hd_time time, hd_duration tick) {
  if (tick.us == 0 || hd_time_is_never(time)) return time;
  return (hd_time){(time.us + tick.us - 1) / tick.us * tick.us};
}

static void take_turns(sim_network *network) {
  hd_list *link;
  while ((link = hd_list_first(&network->dirty)) != NULL) {
    sim_host *host = HD_CONTAINER_OF(link, sim_host, dirty_link);
    hd_list_remove(link);
    hd_time deadline = host->program->turn(host->context, network->now);
    release_batch(host);
    deadline = round_up(hd_time_later(deadline, network->now), host->options.timer_tick);
    if (hd_deadline_heap_set(&network->heaps.hosts, &host->wake_up, deadline) != HDHT_OK) abort();
  }
}

static void run_moment(sim_network *network) {
  hd_deadline *due;
  while ((due = hd_deadline_heap_pop_due(&network->heaps.flights, network->now)) != NULL) {
    land(network, HD_CONTAINER_OF(due, flight, arrival));
  }
  while ((due = hd_deadline_heap_pop_due(&network->heaps.hosts, network->now)) != NULL) {
    sim_host_poke(HD_CONTAINER_OF(due, sim_host, wake_up));
  }
  take_turns(network);
}

bool sim_network_run(sim_network *network, hd_time until, bool (*is_done)(void *context), void *context) {
  take_turns(network);
  for (;;) {
    if (is_done != NULL && is_done(context)) return true;
    const hd_time next =
        hd_time_earlier(hd_deadline_heap_next(&network->heaps.flights), hd_deadline_heap_next(&network->heaps.hosts));
    if (hd_time_is_never(next) || hd_time_before(until, next)) {
      if (!hd_time_is_never(until)) network->now = hd_time_later(network->now, until);
      return false;
    }
    network->now = hd_time_later(network->now, next);
    run_moment(network);
  }
}
