/* How a node finds its place in the network (dht-rpc, "bootstrapping"): it walks towards its own id, learns its address
 * on the way, and may find that it is reachable. */
#ifndef HD_NODE_BOOTSTRAP_H
#define HD_NODE_BOOTSTRAP_H

#include "node/node_internal.h"

/* Begins. HD_EVENT_READY follows, however it goes. */
void hd_node_start_bootstrap(hd_node *node, hd_time now);

/* Walks towards `target` at low priority, unless such a walk is under way. */
void hd_node_walk_in_background(hd_node *node, hd_time now, const hd_node_id *target);

#endif
