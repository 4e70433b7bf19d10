#include "node/node_demux.h"

#include "test.h"

static hd_node_datagram_kind classify(const uint8_t *bytes, size_t size) {
  return hd_node_classify(hd_bytes_of(bytes, size));
}

TEST(node_demux_tells_datagrams_by_their_first_bytes_and_size) {
  static const uint8_t udx[20] = {0xff, 1}, other_udx[20] = {0xff, 2};
  static const uint8_t request[2] = {3}, response[2] = {0x13}, other_version[2] = {4}, probe[1] = {3};
  CHECK_INT(HD_NODE_DATAGRAM_NOTHING, classify(NULL, 0));
  CHECK_INT(HD_NODE_DATAGRAM_PROBE, classify(probe, 1));
  CHECK_INT(HD_NODE_DATAGRAM_RPC, classify(request, 2));
  CHECK_INT(HD_NODE_DATAGRAM_RPC, classify(response, 2));
  CHECK_INT(HD_NODE_DATAGRAM_NOTHING, classify(other_version, 2));
  CHECK_INT(HD_NODE_DATAGRAM_UDX, classify(udx, 20));
  CHECK_INT(HD_NODE_DATAGRAM_NOTHING, classify(udx, 19));
  CHECK_INT(HD_NODE_DATAGRAM_NOTHING, classify(other_udx, 20));
}
