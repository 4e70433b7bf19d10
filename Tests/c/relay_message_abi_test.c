/* The layout of the public structs, as compiled programs rely on it: 64-bit numbers and pointers. The assertions hold
 * at compile time; a layout that changed on purpose is a new ABI. */
#include <hdht/relay_message.h>

#include "test.h"

#define SIZE(type, size) _Static_assert(sizeof(void *) != 8 || sizeof(type) == (size), "size of " #type)
#define OFFSET(type, member, offset) \
  _Static_assert(sizeof(void *) != 8 || offsetof(type, member) == (offset), "offset of " #type "." #member)

SIZE(hdht_address_list, 32);
OFFSET(hdht_address_list, encoded, 8);
OFFSET(hdht_address_list, count, 24);
SIZE(hdht_peer, 40);
OFFSET(hdht_peer, relay_addresses, 8);
SIZE(hdht_peer_list, 32);
OFFSET(hdht_peer_list, encoded, 8);
OFFSET(hdht_peer_list, count, 24);
SIZE(hdht_contact, 40);
OFFSET(hdht_contact, address, 16);
SIZE(hdht_announcers, 120);
OFFSET(hdht_announcers, from, 8);
OFFSET(hdht_announcers, to, 48);
OFFSET(hdht_announcers, peers, 88);

SIZE(hdht_relay_chunks, 32);
OFFSET(hdht_relay_chunks, encoded, 8);
OFFSET(hdht_relay_chunks, count, 24);
SIZE(hdht_relay_handshake, 24);
OFFSET(hdht_relay_handshake, public_key, 8);
OFFSET(hdht_relay_handshake, secret_key, 16);
SIZE(hdht_relay_connect, 32);
OFFSET(hdht_relay_connect, alias, 4);
OFFSET(hdht_relay_connect, public_key, 8);
OFFSET(hdht_relay_connect, secret_key, 16);
OFFSET(hdht_relay_connect, remote_public_key, 24);
SIZE(hdht_relay_connection, 32);
OFFSET(hdht_relay_connection, alias, 4);
OFFSET(hdht_relay_connection, server_alias, 8);
OFFSET(hdht_relay_connection, handshake_id, 12);
OFFSET(hdht_relay_connection, remote_public_key, 16);
OFFSET(hdht_relay_connection, handshake_hash, 24);
SIZE(hdht_relay_connected, 8);
OFFSET(hdht_relay_connected, remote_alias, 4);
SIZE(hdht_relay_incoming, 32);
OFFSET(hdht_relay_incoming, server_alias, 4);
OFFSET(hdht_relay_incoming, remote_public_key, 8);
OFFSET(hdht_relay_incoming, payload, 16);
SIZE(hdht_relay_decision, 4);
SIZE(hdht_relay_destroy, 32);
OFFSET(hdht_relay_destroy, alias, 4);
OFFSET(hdht_relay_destroy, remote_alias, 8);
OFFSET(hdht_relay_destroy, error, 16);
SIZE(hdht_relay_listen, 24);
OFFSET(hdht_relay_listen, alias, 4);
OFFSET(hdht_relay_listen, public_key, 8);
OFFSET(hdht_relay_listen, secret_key, 16);
SIZE(hdht_relay_listening, 28);
OFFSET(hdht_relay_listening, remote_alias, 4);
OFFSET(hdht_relay_listening, address, 8);
SIZE(hdht_relay_ended, 4);
SIZE(hdht_relay_open, 24);
OFFSET(hdht_relay_open, alias, 4);
OFFSET(hdht_relay_open, remote_alias, 8);
OFFSET(hdht_relay_open, handshake_id, 12);
OFFSET(hdht_relay_open, handshake_hash, 16);
SIZE(hdht_relay_data, 40);
OFFSET(hdht_relay_data, chunks, 8);
SIZE(hdht_relay_result, 24);
OFFSET(hdht_relay_result, data, 8);
SIZE(hdht_relay_finished, 4);
SIZE(hdht_relay_lookup, 16);
OFFSET(hdht_relay_lookup, topic, 8);
SIZE(hdht_relay_announce, 32);
OFFSET(hdht_relay_announce, query_id, 4);
OFFSET(hdht_relay_announce, topic, 8);
OFFSET(hdht_relay_announce, public_key, 16);
OFFSET(hdht_relay_announce, secret_key, 24);
SIZE(hdht_relay_sign, 64);
OFFSET(hdht_relay_sign, signee, 4);
OFFSET(hdht_relay_sign, token, 8);
OFFSET(hdht_relay_sign, peer_id, 16);
OFFSET(hdht_relay_sign, relay_addresses, 32);
SIZE(hdht_relay_signature, 24);
OFFSET(hdht_relay_signature, signature, 8);
SIZE(hdht_relay_noise_send, 32);
OFFSET(hdht_relay_noise_send, id, 4);
OFFSET(hdht_relay_noise_send, remote_stream_alias, 8);
OFFSET(hdht_relay_noise_send, payload, 16);
SIZE(hdht_relay_noise_receive, 32);
OFFSET(hdht_relay_noise_receive, id, 4);
OFFSET(hdht_relay_noise_receive, server_alias, 8);
OFFSET(hdht_relay_noise_receive, payload, 16);
SIZE(hdht_relay_noise_reply, 48);
OFFSET(hdht_relay_noise_reply, id, 4);
OFFSET(hdht_relay_noise_reply, payload, 8);
OFFSET(hdht_relay_noise_reply, remote_public_key, 24);
OFFSET(hdht_relay_noise_reply, remote_id, 32);
OFFSET(hdht_relay_noise_reply, holepunch_secret, 40);
SIZE(hdht_relay_message, 72);
OFFSET(hdht_relay_message, body, 8);

TEST(relay_message_types_are_numbered_as_on_the_wire) {
  CHECK_INT(0, HDHT_RELAY_HANDSHAKE);
  CHECK_INT(9, HDHT_RELAY_DESTROY);
  CHECK_INT(16, HDHT_RELAY_DATA);
  CHECK_INT(27, HDHT_RELAY_NOISE_REPLY);
  CHECK_INT(28, HDHT_RELAY_TYPES_COUNT);
}
