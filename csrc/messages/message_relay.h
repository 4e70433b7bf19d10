/* The codec of the relay protocol's messages (@hyperswarm/dht-relay). The values and most functions are public,
 * include/hdht/relay_message.h; what each message looks like on the wire is the table in message_relay.c. */
#ifndef HD_MESSAGE_RELAY_H
#define HD_MESSAGE_RELAY_H

#include <hdht/relay_message.h>

#include "base/bytes.h"

/* Like hdht_relay_message_decode, from a cursor that moves past the last field; it does not move on error. */
int hd_messages_read_relay(hd_reader *reader, uint32_t type, hdht_relay_message *message);

#endif
