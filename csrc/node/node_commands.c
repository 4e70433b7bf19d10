#include "node/node_commands.h"

#include "messages/message_command.h"
#include "node/node_maintenance.h"

static void answer_with_nothing(hd_node *node, hd_time now, const hd_rpc_incoming *incoming) {
  const hd_rpc_reply reply = {.error = HD_MESSAGES_RPC_OK};
  hd_rpc_respond(&node->rpc, now, incoming, &reply);
}

static void refuse_unknown(hd_node *node, hd_time now, const hd_rpc_incoming *incoming) {
  const hd_rpc_reply reply = {.error = HD_MESSAGES_RPC_UNKNOWN_COMMAND, .with_closer_nodes = true};
  hd_rpc_respond(&node->rpc, now, incoming, &reply);
}

/* ---- commands of dht-rpc --------------------------------------------------------------------------------------- */

/* The answer goes to another port of the same host, and says so. */
static void ping_nat(hd_node *node, const hd_rpc_incoming *incoming) {
  hd_address to = incoming->from;
  if (hd_messages_read_ping_nat(incoming->message.value, &to.port) != HDHT_OK) return;
  hd_rpc_respond_to(&node->rpc, incoming->socket, &to, incoming->message.tid, false, (hd_bytes){0});
}

static void find_node(hd_node *node, hd_time now, const hd_rpc_incoming *incoming) {
  if (incoming->message.target == NULL) return;
  const hd_rpc_reply reply = {.with_closer_nodes = true};
  hd_rpc_respond(&node->rpc, now, incoming, &reply);
}

static void down_hint(hd_node *node, hd_time now, const hd_rpc_incoming *incoming) {
  hd_address dead;
  if (hd_messages_read_down_hint(incoming->message.value, &dead) != HDHT_OK) return;
  hd_node_down_hint(node, now, &dead);
  answer_with_nothing(node, now, incoming);
}

static hd_node_delayed *place_for_delayed(hd_node *node, const hd_address *from) {
  hd_node_delayed *place = NULL;
  unsigned of_host = 0;
  for (unsigned i = 0; i < HD_NODE_DELAYED_LIMIT; i++) {
    hd_node_delayed *delayed = &node->delayed[i];
    if (hd_time_is_never(delayed->at)) {
      place = delayed;
    } else {
      of_host += hd_address_same_host(&delayed->to, from);
    }
  }
  return of_host < HD_NODE_DELAYED_PER_HOST ? place : NULL;
}

static void delayed_ping(hd_node *node, hd_time now, const hd_rpc_incoming *incoming) {
  uint32_t delay_ms;
  if (hd_messages_read_delayed_ping(incoming->message.value, &delay_ms) != HDHT_OK) return;
  const hd_duration delay = HD_MILLISECONDS(delay_ms);
  if (hd_duration_less(node->ping_delay_max, delay)) return;
  if (delay_ms == 0) {
    answer_with_nothing(node, now, incoming);
    return;
  }
  hd_node_delayed *place = place_for_delayed(node, &incoming->from);
  if (place == NULL) return;
  *place = (hd_node_delayed){
      .at = hd_time_add(now, delay), .socket = incoming->socket, .to = incoming->from, .tid = incoming->message.tid};
}

static void handle_internal(hd_node *node, hd_time now, const hd_rpc_incoming *incoming) {
  switch (incoming->message.command) {
    case HD_MESSAGES_PING: answer_with_nothing(node, now, incoming); break;
    case HD_MESSAGES_PING_NAT: ping_nat(node, incoming); break;
    case HD_MESSAGES_FIND_NODE: find_node(node, now, incoming); break;
    case HD_MESSAGES_DOWN_HINT: down_hint(node, now, incoming); break;
    case HD_MESSAGES_DELAYED_PING: delayed_ping(node, now, incoming); break;
    default: refuse_unknown(node, now, incoming);
  }
}

/* ---- commands of HyperDHT -------------------------------------------------------------------------------------- */

/* A stranger that asks for more than it may get is asked to prove itself and then gets all of it; one that cannot be
 * kept waiting gets what it may. */
static void answer_from_storage(hd_node *node, hd_time now, const hd_rpc_incoming *incoming) {
  uint8_t room[HD_MESSAGES_RPC_SIZE_MAX];
  const unsigned nodes_kept = incoming->is_proven ? HD_MESSAGES_CLOSER_NODES_MAX : 0;
  const size_t size = hd_rpc_value_room(&node->rpc, incoming, nodes_kept);
  const hd_storage_answer answer = hd_storage_handle(&node->storage, now, &incoming->message, &incoming->from,
                                                     node->table.own_id.bytes, hd_writer_of(room, size));
  const hd_rpc_reply reply = {.error = answer.error,
                              .has_value = answer.has_value,
                              .with_token = answer.with_token,
                              .with_closer_nodes = answer.with_closer_nodes,
                              .value = answer.value};
  switch (answer.verdict) {
    case HD_STORAGE_SILENCE: break;
    case HD_STORAGE_REFUSAL: hd_rpc_respond(&node->rpc, now, incoming, &reply); break;
    case HD_STORAGE_ANSWER:
      if (answer.is_shortened && hd_rpc_challenge_source(&node->rpc, now, incoming)) break;
      hd_rpc_respond(&node->rpc, now, incoming, &reply);
      break;
    case HD_STORAGE_NOT_A_STORAGE: refuse_unknown(node, now, incoming); break;
  }
}

static bool is_of_storage(uint64_t command) {
  return command >= HD_MESSAGES_FIND_PEER && command <= HD_MESSAGES_IMMUTABLE_GET;
}

/* PEER_HANDSHAKE and PEER_HOLEPUNCH are for every node, the rest of HyperDHT's commands for persistent ones. */
static void handle_external(hd_node *node, hd_time now, const hd_rpc_incoming *incoming) {
  const uint64_t command = incoming->message.command;
  const bool is_for_everybody = command < HD_MESSAGES_FIND_PEER;
  if (!is_for_everybody && (node->is_ephemeral || command > HD_MESSAGES_PLUGIN)) {
    refuse_unknown(node, now, incoming);
  } else if (is_of_storage(command)) {
    answer_from_storage(node, now, incoming);
  } else if (node->command != NULL && !node->command(node->command_context, now, incoming)) {
    refuse_unknown(node, now, incoming);
  }
}

void hd_node_handle_request(hd_node *node, hd_time now, const hd_rpc_incoming *incoming) {
  const bool is_external = incoming->socket != hd_rpc_socket_in_use(&node->rpc);
  hd_node_heard(node, now, &incoming->from, incoming->id, &incoming->message.to, is_external, false);
  if (incoming->message.is_internal) {
    handle_internal(node, now, incoming);
  } else {
    handle_external(node, now, incoming);
  }
}
