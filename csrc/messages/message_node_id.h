/* The id of a DHT node: the hash of its encoded address (dht-rpc). Nobody can choose an id without an address for it.
 */
#ifndef HD_MESSAGE_NODE_ID_H
#define HD_MESSAGE_NODE_ID_H

#include <stdbool.h>

#include "base/address.h"

/* The id of the node at `address`, which is IPv4. */
void hd_messages_node_id(const hd_address *address, uint8_t id[HDHT_NODE_ID_SIZE]);

/* Whether the node at `address` may call itself `id`. A message with a wrong id is handled as if it had none. */
bool hd_messages_node_id_is_of(const uint8_t id[HDHT_NODE_ID_SIZE], const hd_address *address);

#endif
