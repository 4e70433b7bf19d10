#include "vectors_node_reaction.h"

#include <string.h>

#include "node/node.h"
#include "vectors_values.h"

#define SERVER 1
#define CLIENT 2

static const hd_time now = {1000000};

static hd_node *create_node(const hd_json *item, bool is_ephemeral) {
  static const uint8_t seed[HD_ENTROPY_SEED_SIZE] = {7};
  const hd_json *described = hd_json_get(item, "node");
  const hd_address address = hd_vector_address(hd_json_get(described, "address"));
  hd_address host = address;
  host.port = 0;
  hd_node_options options = {.seed = seed, .is_reachable = !hd_json_truth(described, "firewalled", true)};
  if (is_ephemeral) {
    options.mode = HD_NODE_EPHEMERAL;
  } else {
    options.public_host = host;
  }
  hd_node *node = NULL;
  VECTOR_CHECK(hd_node_create(&options, now, &node) == HDHT_OK);
  hd_node_bind(node, now, &(hd_node_sockets){.server = SERVER, .server_port = address.port, .client = CLIENT});
  hd_node_settle(node, now);
  return node;
}

/* One node for all cases of a kind, because what one stored the next one finds; freed when the program ends. */
static hd_node *node_for(const hd_json *item) {
  static hd_node *nodes[2];
  const bool is_ephemeral = hd_json_truth(hd_json_get(item, "node"), "ephemeral", false);
  if (nodes[is_ephemeral] == NULL) nodes[is_ephemeral] = create_node(item, is_ephemeral);
  return nodes[is_ephemeral];
}

static void set_secrets(hd_node *node, const hd_json *secrets) {
  hd_messages_token_secrets *own = &hd_node_rpc(node)->tokens.secrets;
  const uint8_t *previous = hd_vector_fixed(hd_json_at(secrets, 0), sizeof own->previous);
  const uint8_t *current = hd_vector_fixed(hd_json_at(secrets, 1), sizeof own->current);
  if (!VECTOR_CHECK(previous != NULL && current != NULL)) return;
  memcpy(own->previous, previous, sizeof own->previous);
  memcpy(own->current, current, sizeof own->current);
}

static hd_socket_id socket_of(const hd_json *object) {
  return strcmp(hd_json_text(object, "socket", ""), "client") == 0 ? CLIENT : SERVER;
}

void hd_vector_check_node_reaction(const hd_json *item) {
  hd_node *node = node_for(item);
  set_secrets(node, hd_json_get(item, "tokenSecrets"));
  const hd_json *described = hd_json_get(item, "node");
  const hd_node_state state = hd_node_look(node);
  VECTOR_CHECK(state.is_persistent != hd_json_truth(described, "ephemeral", false));
  if (state.is_persistent) hd_vector_check_hex(hd_json_get(described, "nodeId"), state.table_id.bytes, 32, "node id");

  const hd_datagram datagram = {.socket = socket_of(item),
                                .from = hd_vector_address(hd_json_get(item, "from")),
                                .bytes = hd_vector_bytes(hd_json_get(item, "hex"))};
  hd_node_receive(node, now, &datagram);
  hd_node_settle(node, now);
  const hd_json *expected = hd_json_at(hd_json_get(item, "replies"), 0);
  hd_datagram_out out;
  unsigned count = 0;
  for (; hd_node_next_sends(node, now, &out, 1) == 1; count++) {
    const hd_address to = hd_vector_address(hd_json_get(expected, "to"));
    hd_vector_check_hex(hd_json_get(expected, "hex"), out.parts[0].data, out.parts[0].size, "reply");
    VECTOR_CHECK(out.parts_count == 1);
    VECTOR_CHECK(hd_address_equal(&to, &out.to));
    VECTOR_CHECK(out.socket == socket_of(expected));
    expected = hd_json_at(hd_json_get(item, "replies"), count + 1);
  }
  VECTOR_CHECK(count == hd_json_count(hd_json_get(item, "replies")));
}
