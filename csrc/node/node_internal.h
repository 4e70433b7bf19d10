/* The node's own state, and what its parts need of each other. Included by csrc/node alone. */
#ifndef HD_NODE_INTERNAL_H
#define HD_NODE_INTERNAL_H

#include "nat/nat_sample.h"
#include "node/node.h"
#include "table/table_refresh.h"

#define HD_NODE_TICK               HD_SECONDS(5)
#define HD_NODE_CHECKS_BY_HINT_MAX 10 /* liveness checks that others may cause at the same time */
#define HD_NODE_REPLACEMENTS       3  /* full rows whose eviction candidate is being asked */
#define HD_NODE_DELAYED_LIMIT      64 /* PINGs to be answered later */
#define HD_NODE_DELAYED_PER_HOST   4
#define HD_NODE_PROBE_NODES        5  /* asked to reach our server socket */
#define HD_NODE_FORGOTTEN_LIMIT    32 /* nodes that left the table and may come back */

/* A full row's old node is being asked; if it is silent the new one takes its place. */
typedef struct hd_node_replacement {
  bool is_active;
  hd_address old_address;
  hd_node_id old_id;
  hd_address new_address;
  hd_node_id new_id;
} hd_node_replacement;

/* A PING that is to be answered later. */
typedef struct hd_node_delayed {
  hd_time at; /* HD_TIME_NEVER: unused */
  hd_socket_id socket;
  hd_address to;
  uint16_t tid;
} hd_node_delayed;

/* Finding out whether others can reach the server socket, and under which address (node_firewall.h). */
typedef struct hd_node_check {
  bool is_active;
  bool only_firewall; /* do not become persistent */
  unsigned pending;   /* answers awaited */
  unsigned asked;
  unsigned reached;       /* answers that came in on the server socket */
  hd_nat_sampler sampler; /* of what those said */
  void (*on_done)(hd_node *node, hd_time now, bool has_changed);
} hd_node_check;

typedef enum hd_node_bootstrap_phase {
  HD_NODE_BOOTSTRAP_IDLE,
  HD_NODE_BOOTSTRAP_WALKING,
  HD_NODE_BOOTSTRAP_CHECKING,
  HD_NODE_BOOTSTRAP_DONE,
} hd_node_bootstrap_phase;

struct hd_node {
  const hd_allocator *allocator;
  hd_entropy entropy;
  hd_random random;
  hd_rpc rpc;
  hd_table table;
  hd_query_host queries;
  hd_storage storage;
  hd_udx *udx;
  hd_node_events events;
  hd_list operations;

  hd_node_mode mode;
  uint16_t server_port;
  bool is_bound;
  bool is_suspended;
  bool is_ephemeral;
  bool without_quick_test;
  hd_address public_host;
  hd_address bootstraps[HD_NODE_BOOTSTRAPS_LIMIT];
  unsigned bootstraps_count;

  /* Our address (node_address.h). */
  hd_nat_sampler sampler;
  hd_address address;
  hd_address sampled_bootstraps[HD_NODE_BOOTSTRAPS_LIMIT];
  unsigned sampled_bootstraps_count;
  hd_address checked_host; /* when the node last tried to become persistent */
  hd_node_check check;

  /* Bootstrapping (node_bootstrap.h). */
  hd_node_bootstrap_phase bootstrap;
  unsigned bootstrap_rounds;
  bool is_quick_test_sent;
  bool is_quick_test_passed;
  hd_query *background; /* the walk of bootstrapping or refreshing */

  /* Maintenance (node_maintenance.h). */
  uint32_t tick;
  hd_time last_tick_at;
  hd_time next_tick_at;
  uint32_t refresh_countdown;
  uint32_t adaptive_countdown;
  uint32_t down_hints_per_tick;
  uint32_t down_hints_left;
  unsigned checks; /* liveness checks under way */
  hd_node_replacement replacements[HD_NODE_REPLACEMENTS];
  hd_address forgotten[HD_NODE_FORGOTTEN_LIMIT]; /* a ring; no address: an empty place */
  unsigned forgotten_next;                       /* where the next one goes */
  unsigned forgotten_asked;                      /* whose turn it is to be asked */
  hd_node_delayed delayed[HD_NODE_DELAYED_LIMIT];
  hd_duration ping_delay_max;
  hd_node_health health;

  hd_node_command *command;
  void *command_context;
  hd_node_probe *probe;
  void *probe_context;

  uint64_t dropped_datagrams;
  uint64_t events_lost;
  uint64_t nodes_added, nodes_removed, nodes_refused_network;
};

#define HD_NODE_REFRESH_TICKS 60 /* 5 min after the last walk, whoever wanted it */

/* Ends all operations, without events. */
void hd_node_destroy_operations(hd_node *node, hd_time now);

#endif
