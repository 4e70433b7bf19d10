/* What the node knows of its own address, and how it becomes persistent or ephemeral (dht-rpc, "NAT sampler" and
 * "ephemeral / persistent and firewalled"). */
#ifndef HD_NODE_ADDRESS_H
#define HD_NODE_ADDRESS_H

#include "node/node_internal.h"

#define HD_NODE_STABLE_TICKS 240 /* 20 min of the same address before the node tries to become persistent */
#define HD_NODE_RETRY_TICKS  720 /* 60 min until it tries again */

/* A node of the table says how it sees us. */
void hd_node_sample_address(hd_node *node, const hd_address *seen_as);

/* A node that shows no id says it: counts only for the first few, because such nodes cost nothing to make. */
void hd_node_sample_from_stranger(hd_node *node, const hd_address *from, const hd_address *seen_as);

/* Tries to find that we are not firewalled, and unless `only_firewall` to become persistent. `on_done` follows, perhaps
 * at once, with whether anything changed. */
void hd_node_check_network(hd_node *node, hd_time now, bool only_firewall,
                           void (*on_done)(hd_node *node, hd_time now, bool has_changed));

/* One tick of an adaptive node's way to become persistent. */
void hd_node_adapt(hd_node *node, hd_time now);

/* Back to ephemeral, after a sleep: nobody knows what happened meanwhile. */
void hd_node_demote(hd_node *node);

/* Becomes a persistent node at this address at once. */
void hd_node_promote(hd_node *node, hd_time now, const hd_address *address);

#endif
