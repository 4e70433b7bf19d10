/* How a node answers requests: the commands of dht-rpc itself here, those that store and find by its storage, others by
 * whoever was registered for them. */
#ifndef HD_NODE_COMMANDS_H
#define HD_NODE_COMMANDS_H

#include "node/node_internal.h"

void hd_node_handle_request(hd_node *node, hd_time now, const hd_rpc_incoming *incoming);

#endif
