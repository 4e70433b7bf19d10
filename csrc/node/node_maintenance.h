/* How the routing table stays true: who enters it, who is asked whether it still lives, and when the node looks around
 * again (dht-rpc, "how nodes enter the table", "background maintenance"). */
#ifndef HD_NODE_MAINTENANCE_H
#define HD_NODE_MAINTENANCE_H

#include "node/node_internal.h"

/* Somebody sent us something.
 *
 * id           its node id if it shows the right one, else NULL
 * seen_as      our address as it sees it
 * is_external  it came in on another socket than the one in use
 * is_answer    to a request of ours: so its address is no forgery */
void hd_node_heard(hd_node *node, hd_time now, const hd_address *from, const uint8_t *id, const hd_address *seen_as,
                   bool is_external, bool is_answer);

/* Whether we would talk to a node at this address that `from` named; NULL: that we know ourselves. */
bool hd_node_accepts(const hd_node *node, const hd_address *address, const hd_address *from);

/* Others say that the node at this address is down: asks it, within limits. */
void hd_node_down_hint(hd_node *node, hd_time now, const hd_address *address);

/* A node of the table did not answer a query at all. */
void hd_node_forget(hd_node *node, const hd_node_id *id);

/* Gives the table another id. */
void hd_node_rebase_table(hd_node *node, const hd_node_id *id);

/* Walks towards a random place, to hear of new nodes. */
void hd_node_refresh(hd_node *node, hd_time now);

/* Starts the ticks. */
void hd_node_start_ticks(hd_node *node, hd_time now);

/* Runs what is due: ticks and delayed answers. */
void hd_node_maintain(hd_node *node, hd_time now);

hd_time hd_node_maintenance_deadline(const hd_node *node);

/* What to do when the process had not run for a while. */
void hd_node_wake_up(hd_node *node);

#endif
