/* A DHT node on a simulated host, and a user who runs operations on it and keeps their outcome. */
#ifndef SIM_NODE_H
#define SIM_NODE_H

#include "node/node.h"
#include "sim_liar.h"
#include "sim_network.h"

/* How one operation went. */
typedef struct sim_outcome {
  bool is_done;
  int error;
  unsigned found; /* records or values */
  hd_query_counts counts;
  hd_duration took;
  hd_duration first_found; /* after how long the first record was there */
  bool is_expected_value;  /* gets: the value is the one that was asked for */
} sim_outcome;

typedef struct sim_node {
  sim_host *host; /* NULL when it is off the network */
  hd_node *node;
  hd_allocator *allocator; /* borrowed */
  hd_address address;      /* of the server socket */
  void *place;             /* where in the world it is: the scenario's business */
  hd_node_operation *operation;
  hd_time started_at;
  hd_bytes expected_value;
  sim_outcome outcome;
  bool is_ready;
  const sim_liars *liars; /* set: it lies to all who ask */
} sim_node;

typedef struct sim_node_options {
  hd_address address; /* the port is that of the server socket */
  sim_link_options up;
  sim_link_options down;
  bool is_bootstrap; /* nobody to ask: knows its own address */
  const hd_address *bootstraps;
  size_t bootstraps_count;
  hd_allocator *allocator;
  uint64_t seed;
} sim_node_options;

/* Brings a reachable, persistent node onto the network; it begins to bootstrap. */
void sim_node_start(sim_node *self, sim_network *network, const sim_node_options *options);

/* Takes it off without a word, as a power cut does. */
void sim_node_stop(sim_node *self);

/* Starts an operation; its outcome is complete when is_done. One at a time. `value` of the options must stay. */
void sim_node_run(sim_node *self, const hd_announce_options *options);

/* A key pair drawn from a number. */
typedef struct sim_key {
  uint8_t public_key[32];
  uint8_t secret_key[64];
} sim_key;

sim_key sim_key_of(uint64_t number);

#endif
