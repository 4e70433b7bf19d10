/* DHT nodes on simulated hosts: the real node, driven as a driver drives it, and operations of it that can be waited
 * for. */
#ifndef SIM_DHT_H
#define SIM_DHT_H

#include "node/node.h"
#include "sim_network.h"

typedef struct sim_dht_node sim_dht_node;

typedef struct sim_dht_options {
  sim_host_options host;
  uint16_t port;                 /* of the server socket; 0: any */
  hd_node_options node;          /* its seed is drawn from the network's generator */
  const hd_allocator *allocator; /* NULL: the system's */
} sim_dht_options;

/* What a node that was told to do something came to. Everything is copied. */
typedef struct sim_dht_outcome {
  bool is_done;
  int error;
  hd_query_counts counts;
  unsigned unannounced;
  unsigned found;        /* events */
  unsigned peers;        /* in all of them */
  uint8_t last_key[32];  /* of the last peer found */
  hd_address last_relay; /* its first relay address */
  bool has_value;
  uint8_t value[2048];
  size_t value_size;
  uint64_t seq;
  unsigned signatures_wanted;
  hd_time started_at, first_found_at, done_at;
  const hd_key_pair *signer; /* answers HD_EVENT_SIGN when there is one; else nobody does */
  bool refuses_to_sign;
  int sign_error;       /* of the last answer to HD_EVENT_SIGN */
  bool keeps_operation; /* the operation is not destroyed when it is over */
  hd_node_operation *operation;
} sim_dht_outcome;

/* Makes a host with a node on it, bound and bootstrapping. */
sim_dht_node *sim_dht_create(sim_network *network, const sim_dht_options *options);

/* Takes the node and its host away, without a word to anybody. */
void sim_dht_destroy(sim_dht_node *self);

hd_node *sim_dht_core(sim_dht_node *self);
sim_host *sim_dht_host(sim_dht_node *self);

/* Where others reach its server socket. */
hd_address sim_dht_address(const sim_dht_node *self);

/* News of each kind that the node has told so far. */
unsigned sim_dht_news(const sim_dht_node *self, hd_event_kind kind);

/* Starts an operation; `outcome` is filled while the network runs. */
int sim_dht_start(sim_dht_node *self, const hd_announce_options *options, sim_dht_outcome *outcome);

/* Starts one and runs the network until it is over. Returns false if that takes more than ten minutes. */
bool sim_dht_run(sim_dht_node *self, const hd_announce_options *options, sim_dht_outcome *outcome);

void sim_dht_suspend(sim_dht_node *self);
void sim_dht_resume(sim_dht_node *self);

#endif
