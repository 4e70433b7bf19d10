/* What an arriving datagram is: the first thing a node decides. UDX streams, RPC and hole-punch probes share sockets
 * (dht-rpc, "datagrams and demultiplexing"). */
#ifndef HD_NODE_DEMUX_H
#define HD_NODE_DEMUX_H

#include "base/datagram.h"

typedef enum hd_node_datagram_kind {
  HD_NODE_DATAGRAM_NOTHING, /* empty, or of no kind we know */
  HD_NODE_DATAGRAM_PROBE,   /* a single byte: somebody opens a path through NATs */
  HD_NODE_DATAGRAM_UDX,     /* perhaps a packet of a stream: udx knows whether there is such a stream */
  HD_NODE_DATAGRAM_RPC,     /* a request or response */
} hd_node_datagram_kind;

hd_node_datagram_kind hd_node_classify(hd_bytes datagram);

#endif
