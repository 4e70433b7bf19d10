#include "node/node_demux.h"

#include "messages/message_rpc.h"
#include "udx/udx.h"

/* The first two bytes of every UDX packet: magic byte and version. */
static bool looks_like_udx(hd_bytes datagram) {
  return datagram.size >= HD_UDX_HEADER_SIZE && datagram.data[0] == 0xff && datagram.data[1] == 1;
}

hd_node_datagram_kind hd_node_classify(hd_bytes datagram) {
  if (datagram.size == 0) return HD_NODE_DATAGRAM_NOTHING;
  if (datagram.size == 1) return HD_NODE_DATAGRAM_PROBE;
  if (looks_like_udx(datagram)) return HD_NODE_DATAGRAM_UDX;
  return hd_messages_rpc_kind_of(datagram) != HD_MESSAGES_RPC_OTHER ? HD_NODE_DATAGRAM_RPC : HD_NODE_DATAGRAM_NOTHING;
}
