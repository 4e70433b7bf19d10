/* What `hdht_sim NAME --seeds A..B` runs: a scenario is a function of one seed that builds a network, runs it, and
 * checks what must hold. */
#ifndef SCENARIO_H
#define SCENARIO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct scenario {
  const char *name;
  const char *summary;

  /* Returns whether all held; otherwise it has printed what did not. With `is_verbose` it also tells what it drew from
   * the seed and what happened. */
  bool (*run)(uint64_t seed, bool is_verbose);

  /* Prints what all runs together showed; may be NULL. */
  void (*report)(void);
} scenario;

extern const scenario scenario_udx_transfer;
extern const scenario scenario_udx_hostile;
extern const scenario scenario_dht;
extern const scenario scenario_dht_churn;
extern const scenario scenario_dht_loss;
extern const scenario scenario_dht_partition;
extern const scenario scenario_dht_liars;
extern const scenario scenario_dht_flood;
extern const scenario scenario_punch;

/* --nodes: how large the network is, in scenarios of many nodes. */
extern size_t scenario_nodes_count;

#endif
