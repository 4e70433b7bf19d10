#include "messages/message_node_id.h"

#include "codec/compact_address.h"
#include "crypto/hash.h"

void hd_messages_node_id(const hd_address *address, uint8_t id[HDHT_NODE_ID_SIZE]) {
  uint8_t encoded[HD_CODEC_IPV4_ADDRESS_SIZE];
  hd_writer writer = hd_writer_of(encoded, sizeof encoded);
  const int error = hd_codec_write_ipv4_address(&writer, address);
  hd_assert(error == HDHT_OK);
  hd_hash(encoded, sizeof encoded, id);
}

bool hd_messages_node_id_is_of(const uint8_t id[HDHT_NODE_ID_SIZE], const hd_address *address) {
  uint8_t expected[HDHT_NODE_ID_SIZE];
  hd_messages_node_id(address, expected);
  return memcmp(expected, id, sizeof expected) == 0;
}
