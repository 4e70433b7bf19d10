#include "sim_node.h"

#include <stdlib.h>
#include <string.h>

#include "base/byte_order.h"
#include "crypto/signature.h"

#define SENDS_PER_CALL 16

sim_key sim_key_of(uint64_t number) {
  uint8_t seed[HD_SEED_SIZE] = {0x51};
  hd_store_le64(seed + 8, number);
  hd_key_pair pair;
  hd_key_pair_from_seed(&pair, seed);
  sim_key key;
  memcpy(key.public_key, pair.public_key, sizeof key.public_key);
  memcpy(key.secret_key, pair.secret_key, sizeof key.secret_key);
  return key;
}

static void receive(void *context, hd_time now, const hd_datagram *datagram) {
  sim_node *self = context;
  hd_random *random = sim_network_random(sim_host_network(self->host));
  if (self->liars != NULL && sim_liar_answer(self->liars, self->host, random, datagram)) return;
  hd_node_receive(self->node, now, datagram);
}

static void finish(sim_node *self, hd_time now, const hd_announce_result *result) {
  self->outcome.is_done = true;
  self->outcome.error = result->error;
  self->outcome.counts = result->counts;
  self->outcome.took = hd_time_since(now, self->started_at);
  if (result->has_value) {
    self->outcome.found++;
    self->outcome.is_expected_value = hd_bytes_equal(result->value, self->expected_value);
  }
  hd_node_operation_destroy(self->operation, now);
  self->operation = NULL;
}

static void take_events(sim_node *self, hd_time now) {
  hd_event event;
  while (hd_node_next_event(self->node, now, &event)) {
    switch (event.kind) {
      case HD_EVENT_READY: self->is_ready = true; break;
      case HD_EVENT_FOUND:
        if (self->outcome.found++ == 0) self->outcome.first_found = hd_time_since(now, self->started_at);
        break;
      case HD_EVENT_DONE: finish(self, now, &event.result); break;
      default: break;
    }
  }
}

static hd_time turn(void *context, hd_time now) {
  sim_node *self = context;
  hd_node_elapse(self->node, now);
  hd_node_settle(self->node, now);
  take_events(self, now);
  hd_node_settle(self->node, now);
  hd_datagram_out outs[SENDS_PER_CALL];
  size_t count;
  while ((count = hd_node_next_sends(self->node, now, outs, SENDS_PER_CALL)) > 0) {
    for (size_t i = 0; i < count; i++) sim_host_send(self->host, &outs[i]);
  }
  return hd_node_deadline(self->node);
}

static const sim_program program = {.receive = receive, .turn = turn};

void sim_node_start(sim_node *self, sim_network *network, const sim_node_options *options) {
  void *place = self->place;
  *self = (sim_node){.allocator = options->allocator, .place = place, .address = options->address};
  self->host = sim_host_create(
      network, &(sim_host_options){.address = options->address, .up = options->up, .down = options->down}, &program,
      self);
  uint8_t seed[HD_ENTROPY_SEED_SIZE] = {0};
  hd_store_le64(seed, options->seed);
  hd_address public_host = options->address;
  public_host.port = 0;
  const hd_node_options node = {
      .allocator = options->allocator,
      .seed = seed,
      .unix_ms = 1700000000000,
      .mode = HD_NODE_PERSISTENT,
      .is_reachable = true,
      .public_host = options->is_bootstrap ? public_host : (hd_address){.port = 0},
      .bootstraps = options->bootstraps,
      .bootstraps_count = options->bootstraps_count,
  };
  const hd_time now = sim_network_now(network);
  if (hd_node_create(&node, now, &self->node) != HDHT_OK) abort();
  const hd_node_sockets sockets = {
      .server = sim_host_open(self->host, options->address.port),
      .server_port = options->address.port,
      .client = sim_host_open(self->host, 0),
  };
  if (sockets.server == HD_SOCKET_NONE || sockets.client == HD_SOCKET_NONE) abort();
  hd_node_bind(self->node, now, &sockets);
  sim_host_poke(self->host);
}

void sim_node_stop(sim_node *self) {
  if (self->host == NULL) return;
  if (self->operation != NULL) {
    hd_node_operation_destroy(self->operation, sim_network_now(sim_host_network(self->host)));
    self->operation = NULL;
  }
  hd_node_destroy(self->node);
  sim_host_remove(self->host);
  self->host = NULL;
  self->node = NULL;
}

void sim_node_run(sim_node *self, const hd_announce_options *options) {
  if (self->operation != NULL) abort();
  self->outcome = (sim_outcome){0};
  self->expected_value = options->value;
  self->started_at = sim_network_now(sim_host_network(self->host));
  hd_announce_options asked = *options;
  if (asked.kind == HD_ANNOUNCE_IMMUTABLE_GET || asked.kind == HD_ANNOUNCE_MUTABLE_GET) asked.value = (hd_bytes){0};
  const int error = hd_node_start(self->node, self->started_at, &asked, self, &self->operation);
  if (error != HDHT_OK) self->outcome = (sim_outcome){.is_done = true, .error = error};
  sim_host_poke(self->host);
}
