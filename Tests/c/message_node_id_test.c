#include "messages/message_node_id.h"

#include "test.h"

TEST(node_id_is_the_hash_of_the_encoded_address) {
  const hd_address address = hd_address_ipv4(203, 0, 113, 7, 49737);
  uint8_t id[HDHT_NODE_ID_SIZE], expected[HDHT_NODE_ID_SIZE];
  hd_messages_node_id(&address, id);
  hd_test_hex("8b7a57c0a324d145fdd3d1cc5c08db7060066d58013ce191287846bec0c3e307", expected, sizeof expected);
  CHECK_BYTES(expected, id, sizeof id);
}

TEST(node_id_belongs_to_one_host_and_port) {
  const hd_address address = hd_address_ipv4(203, 0, 113, 7, 49737);
  const hd_address other_port = hd_address_ipv4(203, 0, 113, 7, 49738);
  const hd_address other_host = hd_address_ipv4(203, 0, 113, 8, 49737);
  uint8_t id[HDHT_NODE_ID_SIZE];
  hd_messages_node_id(&address, id);
  CHECK(hd_messages_node_id_is_of(id, &address));
  CHECK(!hd_messages_node_id_is_of(id, &other_port));
  CHECK(!hd_messages_node_id_is_of(id, &other_host));
  id[31] ^= 1;
  CHECK(!hd_messages_node_id_is_of(id, &address));
}
