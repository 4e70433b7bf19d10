#include "sim_dht.h"

#include <stdlib.h>
#include <string.h>

#define PATIENCE HD_SECONDS(600)

struct sim_dht_node {
  sim_host *host;
  hd_node *node;
  hd_node_sockets sockets;
  unsigned news[HD_EVENT_NODE_KINDS];
};

static void note_found(sim_dht_outcome *outcome, hd_time now, const hd_announce_found *found) {
  if (outcome->found++ == 0) outcome->first_found_at = now;
  hdht_peer_list rest = found->peers;
  hdht_peer peer;
  while (hdht_peer_list_next(&rest, &peer)) {
    outcome->peers++;
    memcpy(outcome->last_key, peer.public_key, sizeof outcome->last_key);
    outcome->last_relay = (hd_address){0};
    (void)hdht_address_list_next(&peer.relay_addresses, &outcome->last_relay);
  }
}

static void sign(sim_dht_outcome *outcome, hd_time now, const hd_announce_to_sign *wish) {
  outcome->signatures_wanted++;
  if (outcome->signer == NULL && !outcome->refuses_to_sign) return;
  uint8_t signature[HD_SIGNATURE_SIZE];
  if (!outcome->refuses_to_sign) {
    hd_signature_sign(outcome->signer->secret_key, wish->signable, sizeof wish->signable, signature);
  }
  outcome->sign_error = hd_node_operation_sign(outcome->operation, now, wish->purpose, wish->number,
                                               outcome->refuses_to_sign ? NULL : signature);
}

static void note_done(sim_dht_outcome *outcome, hd_time now, const hd_announce_result *result) {
  outcome->is_done = true;
  outcome->done_at = now;
  outcome->error = result->error;
  outcome->counts = result->counts;
  outcome->unannounced = result->unannounced;
  outcome->has_value = result->has_value;
  outcome->seq = result->seq;
  if (result->has_value && result->value.size <= sizeof outcome->value) {
    outcome->value_size = result->value.size;
    if (result->value.size > 0) memcpy(outcome->value, result->value.data, result->value.size);
  }
  if (!outcome->keeps_operation) hd_node_operation_destroy(outcome->operation, now);
}

static void handle(sim_dht_node *self, hd_time now, const hd_event *event) {
  switch (event->kind) {
    case HD_EVENT_FOUND: note_found(event->context, now, &event->found); break;
    case HD_EVENT_SIGN: sign(event->context, now, &event->to_sign); break;
    case HD_EVENT_DONE: note_done(event->context, now, &event->result); break;
    default: self->news[event->kind]++;
  }
}

static void receive(void *context, hd_time now, const hd_datagram *datagram) {
  sim_dht_node *self = context;
  hd_node_receive(self->node, now, datagram);
}

static hd_time turn(void *context, hd_time now) {
  sim_dht_node *self = context;
  hd_event event;
  if (hd_time_is_due(hd_node_deadline(self->node), now)) hd_node_elapse(self->node, now);
  hd_node_settle(self->node, now);
  while (hd_node_next_event(self->node, now, &event)) {
    handle(self, now, &event);
    hd_node_settle(self->node, now);
  }
  hd_datagram_out outs[16];
  for (size_t count; (count = hd_node_next_sends(self->node, now, outs, 16)) > 0;) {
    for (size_t i = 0; i < count; i++) sim_host_send(self->host, &outs[i]);
  }
  return hd_node_deadline(self->node);
}

static const sim_program program = {.receive = receive, .turn = turn};

static void open_sockets(sim_dht_node *self, uint16_t port) {
  self->sockets.server = sim_host_open(self->host, port);
  self->sockets.client = sim_host_open(self->host, 0);
  if (self->sockets.server == HD_SOCKET_NONE || self->sockets.client == HD_SOCKET_NONE) abort();
  self->sockets.server_port = sim_host_address(self->host, self->sockets.server).port;
}

sim_dht_node *sim_dht_create(sim_network *network, const sim_dht_options *options) {
  sim_dht_node *self = calloc(1, sizeof *self);
  if (self == NULL) abort();
  self->host = sim_host_create(network, &options->host, &program, self);
  uint8_t seed[HD_ENTROPY_SEED_SIZE];
  hd_random_fill(sim_network_random(network), seed, sizeof seed);
  hd_node_options node = options->node;
  node.seed = seed;
  node.allocator = options->allocator;
  if (hd_node_create(&node, sim_network_now(network), &self->node) != HDHT_OK) abort();
  open_sockets(self, options->port);
  hd_node_bind(self->node, sim_network_now(network), &self->sockets);
  sim_host_poke(self->host);
  return self;
}

void sim_dht_destroy(sim_dht_node *self) {
  hd_node_destroy(self->node);
  sim_host_remove(self->host);
  free(self);
}

hd_node *sim_dht_core(sim_dht_node *self) {
  return self->node;
}

sim_host *sim_dht_host(sim_dht_node *self) {
  return self->host;
}

hd_address sim_dht_address(const sim_dht_node *self) {
  return sim_host_address(self->host, self->sockets.server);
}

unsigned sim_dht_news(const sim_dht_node *self, hd_event_kind kind) {
  return self->news[kind];
}

int sim_dht_start(sim_dht_node *self, const hd_announce_options *options, sim_dht_outcome *outcome) {
  const hd_time now = sim_network_now(sim_host_network(self->host));
  outcome->started_at = now;
  const int error = hd_node_start(self->node, now, options, outcome, &outcome->operation);
  sim_host_poke(self->host);
  return error;
}

static bool is_over(void *context) {
  return ((const sim_dht_outcome *)context)->is_done;
}

bool sim_dht_run(sim_dht_node *self, const hd_announce_options *options, sim_dht_outcome *outcome) {
  sim_network *network = sim_host_network(self->host);
  if (sim_dht_start(self, options, outcome) != HDHT_OK) return false;
  return sim_network_run(network, hd_time_add(sim_network_now(network), PATIENCE), is_over, outcome);
}

void sim_dht_suspend(sim_dht_node *self) {
  hd_node_suspend(self->node, sim_network_now(sim_host_network(self->host)));
  sim_host_close(self->host, self->sockets.server);
  sim_host_close(self->host, self->sockets.client);
  sim_host_poke(self->host);
}

void sim_dht_resume(sim_dht_node *self) {
  open_sockets(self, self->sockets.server_port);
  hd_node_bind(self->node, sim_network_now(sim_host_network(self->host)), &self->sockets);
  sim_host_poke(self->host);
}
