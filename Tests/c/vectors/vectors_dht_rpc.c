/* dht-rpc.json: datagrams, node ids and tokens.
 *
 * The `reaction` cases show what a running node answers. Here everything about them that the bytes alone decide is
 * checked: which datagrams the node may drop, which tokens it accepts, and its answers byte for byte. Then they are fed
 * to a node of ours: vectors_node_reaction.h.
 */
#include <string.h>

#include "crypto/hash.h"
#include "messages/message_announce.h"
#include "messages/message_handshake.h"
#include "messages/message_holepunch.h"
#include "messages/message_node_id.h"
#include "messages/message_plugin.h"
#include "messages/message_record.h"
#include "messages/message_token.h"
#include "vectors_node_reaction.h"
#include "vectors_rpc_datagram.h"

static void check_id(const hd_json *item) {
  hd_address address = hd_vector_address(item);
  uint8_t encoded[HD_CODEC_IPV4_ADDRESS_SIZE], id[HDHT_NODE_ID_SIZE];
  hd_writer writer = hd_writer_of(encoded, sizeof encoded);
  VECTOR_CHECK(hd_codec_write_ipv4_address(&writer, &address) == HDHT_OK);
  hd_vector_check_hex(hd_json_get(item, "address"), encoded, sizeof encoded, "address");
  hd_messages_node_id(&address, id);
  hd_vector_check_hex(hd_json_get(item, "hex"), id, sizeof id, "id");
  VECTOR_CHECK(hd_messages_node_id_is_of(id, &address));
  address.port ^= 1;
  VECTOR_CHECK(!hd_messages_node_id_is_of(id, &address));
}

static hd_messages_token_secrets secrets_of(const hd_json *values) {
  hd_messages_token_secrets secrets = {{0}, {0}};
  const uint8_t *previous = hd_vector_fixed(hd_json_at(values, 0), sizeof secrets.previous);
  const uint8_t *current = hd_vector_fixed(hd_json_at(values, 1), sizeof secrets.current);
  if (!VECTOR_CHECK(previous != NULL && current != NULL)) return secrets;
  memcpy(secrets.previous, previous, sizeof secrets.previous);
  memcpy(secrets.current, current, sizeof secrets.current);
  return secrets;
}

static void check_token(const hd_json *item) {
  const hd_messages_token_secrets secrets = secrets_of(hd_json_get(item, "secrets"));
  const hd_address host = hd_vector_address(item);
  uint8_t token[HDHT_TOKEN_SIZE];
  hd_messages_token(secrets.previous, &host, token);
  hd_vector_check_hex(hd_json_get(item, "previous"), token, sizeof token, "token of the previous secret");
  VECTOR_CHECK(hd_messages_token_is_valid(&secrets, &host, token));
  hd_messages_token_issue(&secrets, &host, token);
  hd_vector_check_hex(hd_json_get(item, "hex"), token, sizeof token, "token");
  VECTOR_CHECK(hd_messages_token_is_valid(&secrets, &host, token));
  token[31] ^= 1;
  VECTOR_CHECK(!hd_messages_token_is_valid(&secrets, &host, token));
}

static void check_rotation(const hd_json *item) {
  hd_messages_token_secrets secrets = secrets_of(hd_json_get(item, "secrets"));
  hd_messages_token_rotate(&secrets);
  const hd_json *after = hd_json_get(item, "after");
  hd_vector_check_hex(hd_json_at(after, 0), secrets.previous, sizeof secrets.previous, "previous");
  hd_vector_check_hex(hd_json_at(after, 1), secrets.current, sizeof secrets.current, "current");
}

static void check_sender(const hd_json *address, const hd_json *id) {
  const hd_address sender = hd_vector_address(address);
  const uint8_t *bytes = hd_vector_fixed(id, HDHT_NODE_ID_SIZE);
  if (bytes != NULL) VECTOR_CHECK(hd_messages_node_id_is_of(bytes, &sender));
}

/* Reactions: which requests does a node drop? */

static bool reads_internal(const hd_messages_request *request) {
  uint16_t port;
  hd_address node;
  uint32_t delay_ms;
  switch (request->command) {
    case HD_MESSAGES_FIND_NODE: return request->target != NULL;
    case HD_MESSAGES_PING_NAT: return hd_messages_read_ping_nat(request->value, &port) == HDHT_OK;
    case HD_MESSAGES_DOWN_HINT: return hd_messages_read_down_hint(request->value, &node) == HDHT_OK;
    case HD_MESSAGES_DELAYED_PING:
      return hd_messages_read_delayed_ping(request->value, &delay_ms) == HDHT_OK && delay_ms <= 10000;
    default: return true;
  }
}

static bool reads_announce(const hd_messages_request *request, const uint8_t *node_id, const uint8_t *name_space) {
  hd_reader reader = hd_reader_of(request->value);
  hd_messages_announce announce;
  if (request->token == NULL || hd_messages_read_announce(&reader, &announce) != HDHT_OK) return false;
  const hd_messages_announce_scope scope = {
      .name_space = name_space, .target = request->target, .node_id = node_id, .token = request->token};
  const bool is_refresh = !announce.has_peer && announce.refresh != NULL && request->command == HD_MESSAGES_ANNOUNCE;
  return is_refresh || hd_messages_verify_announce(&scope, &announce) == HDHT_OK;
}

static bool is_hash_of(const uint8_t *target, const uint8_t *bytes, size_t size) {
  uint8_t hash[HD_HASH_SIZE];
  hd_hash(bytes, size, hash);
  return memcmp(hash, target, sizeof hash) == 0;
}

static bool reads_mutable_put(const hd_messages_request *request) {
  hd_reader reader = hd_reader_of(request->value);
  hd_messages_mutable_put put;
  return request->token != NULL && hd_messages_read_mutable_put(&reader, &put) == HDHT_OK &&
         is_hash_of(request->target, put.public_key, HDHT_PUBLIC_KEY_SIZE) &&
         hd_messages_verify_mutable(put.public_key, put.seq, put.value, put.signature) == HDHT_OK;
}

static bool reads_external(const hd_messages_request *request, const uint8_t *node_id) {
  hd_reader reader = hd_reader_of(request->value);
  hd_messages_handshake handshake;
  hd_messages_holepunch holepunch;
  hd_messages_plugin_request plugin;
  hd_messages_mutable_get get;
  if (request->command > HD_MESSAGES_PLUGIN) return true;
  if (request->command == HD_MESSAGES_PLUGIN) return hd_messages_read_plugin_request(&reader, &plugin) == HDHT_OK;
  if (request->target == NULL) return false;
  switch (request->command) {
    case HD_MESSAGES_PEER_HANDSHAKE: return hd_messages_read_handshake(&reader, &handshake) == HDHT_OK;
    case HD_MESSAGES_PEER_HOLEPUNCH: return hd_messages_read_holepunch(&reader, &holepunch) == HDHT_OK;
    case HD_MESSAGES_ANNOUNCE: return reads_announce(request, node_id, hd_namespace_announce);
    case HD_MESSAGES_UNANNOUNCE: return reads_announce(request, node_id, hd_namespace_unannounce);
    case HD_MESSAGES_MUTABLE_PUT: return reads_mutable_put(request);
    case HD_MESSAGES_MUTABLE_GET: return hd_messages_read_mutable_get(&reader, &get) == HDHT_OK;
    case HD_MESSAGES_IMMUTABLE_PUT:
      return request->token != NULL && is_hash_of(request->target, request->value.data, request->value.size);
    default: return true;
  }
}

static void check_reply_to_token(const hd_json *item, const hd_messages_request *request) {
  const hd_messages_token_secrets secrets = secrets_of(hd_json_get(item, "tokenSecrets"));
  const hd_address from = hd_vector_address(hd_json_get(item, "from"));
  const bool is_refused = hd_json_integer(hd_json_get(hd_json_at(hd_json_get(item, "replies"), 0), "decoded"), "error",
                                          0) == HD_MESSAGES_RPC_INVALID_TOKEN;
  VECTOR_CHECK(is_refused != hd_messages_token_is_valid(&secrets, &from, request->token));
}

static void check_reply(const hd_json *item, const hd_json *reply) {
  const hd_json *fields = hd_json_get(reply, "decoded");
  hd_vector_check_response(fields, hd_json_get(reply, "hex"));
  const hd_bytes id = hd_vector_bytes(hd_json_get(fields, "id"));
  if (id.size > 0) VECTOR_CHECK(hd_bytes_equal(id, hd_vector_bytes(hd_json_get(hd_json_get(item, "node"), "nodeId"))));
  const uint8_t *token = hd_vector_fixed(hd_json_get(fields, "token"), HDHT_TOKEN_SIZE);
  if (token == NULL) return;
  const hd_messages_token_secrets secrets = secrets_of(hd_json_get(item, "tokenSecrets"));
  const hd_address to = hd_vector_address(hd_json_get(reply, "to"));
  VECTOR_CHECK(hd_messages_token_is_of(token, secrets.current, &to));
}

static void check_reaction(const hd_json *item) {
  const bool is_dropped = hd_json_get(item, "error") != NULL;
  const hd_json *node = hd_json_get(item, "node");
  const uint8_t *node_id = hd_vector_fixed(hd_json_get(node, "nodeId"), HDHT_NODE_ID_SIZE);
  hd_reader reader = hd_reader_of(hd_vector_bytes(hd_json_get(item, "hex")));
  hd_messages_request request;
  const bool is_request = hd_messages_read_request(&reader, &request) == HDHT_OK;
  bool is_answered = is_request && hd_vector_address(hd_json_get(item, "from")).port != 0;
  if (is_answered && request.token != NULL && !is_dropped) check_reply_to_token(item, &request);
  if (is_answered && request.is_internal) is_answered = reads_internal(&request);
  if (is_answered && !request.is_internal && !hd_json_truth(node, "ephemeral", false)) {
    is_answered = reads_external(&request, node_id);
  }
  VECTOR_CHECK(is_answered == !is_dropped);
  HD_JSON_EACH(reply, hd_json_get(item, "replies")) check_reply(item, reply);
}

static void check_case(const hd_json *item) {
  const char *kind = hd_json_text(item, "kind", "");
  const hd_json *hex = hd_json_get(item, "hex");
  if (strcmp(kind, "id") == 0) {
    check_id(item);
  } else if (strcmp(kind, "request") == 0) {
    hd_vector_check_request(item, hex);
  } else if (strcmp(kind, "response") == 0) {
    hd_vector_check_response(item, hex);
    check_sender(hd_json_get(item, "responder"), hd_json_get(item, "id"));
  } else if (strcmp(kind, "token") == 0) {
    check_token(item);
  } else if (strcmp(kind, "rotation") == 0) {
    check_rotation(item);
  } else if (strcmp(kind, "reaction") == 0) {
    check_reaction(item);
    hd_vector_check_node_reaction(item);
  }
}

VECTOR_FILE("dht-rpc.json", check_case)
