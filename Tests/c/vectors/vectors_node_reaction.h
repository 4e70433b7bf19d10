/* The `reaction` cases of dht-rpc.json, fed to a whole node. */
#ifndef HD_VECTORS_NODE_REACTION_H
#define HD_VECTORS_NODE_REACTION_H

#include "vectors.h"

/* Feeds the datagram to a running node, the same for all cases of its kind, and compares everything it sends with the
 * recorded replies: bytes, destinations and sockets, in order. */
void hd_vector_check_node_reaction(const hd_json *item);

#endif
