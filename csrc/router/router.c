#include "router/router.h"

#include "crypto/hash.h"

/* ---- life and servers -------------------------------------------------------------------------------------------- */

static void draw_seed(hd_entropy *entropy, uint64_t seed[2]) {
  seed[0] = hd_entropy_u64(entropy);
  seed[1] = hd_entropy_u64(entropy);
}

void hd_router_init(hd_router *router, const hd_router_options *options) {
  const hd_rpc_flood_limits limits = options->limits.per_second != 0 ? options->limits : HD_ROUTER_LIMITS_DEFAULT;
  uint64_t seed[2];
  *router = (hd_router){.rpc = options->rpc, .routes = options->routes};
  draw_seed(options->entropy, seed);
  hd_hash_map_init(&router->servers, options->allocator, HDHT_HASH_SIZE, sizeof(hd_router_server),
                   HD_ROUTER_SERVERS_LIMIT, seed);
  draw_seed(options->entropy, seed);
  hd_router_recent_init(&router->recent, options->allocator, seed);
  draw_seed(options->entropy, seed);
  hd_rpc_flood_init(&router->flood, options->allocator, limits, seed);
}

void hd_router_destroy(hd_router *router) {
  hd_hash_map_destroy(&router->servers);
  hd_router_recent_destroy(&router->recent);
  hd_rpc_flood_destroy(&router->flood);
}

int hd_router_listen(hd_router *router, const uint8_t public_key[HDHT_PUBLIC_KEY_SIZE],
                     const hd_router_server *server) {
  uint8_t target[HDHT_HASH_SIZE];
  hd_hash(public_key, HDHT_PUBLIC_KEY_SIZE, target);
  if (hd_hash_map_find(&router->servers, target) != NULL) return HDHT_ERR_EXISTS;
  void *place;
  int error = hd_hash_map_insert(&router->servers, target, &place, NULL);
  if (error != HDHT_OK) return error;
  *(hd_router_server *)place = *server;

  hd_storage_peer record = {0};
  memcpy(record.public_key, public_key, sizeof record.public_key);
  error = hd_storage_routes_pin(router->routes, target, &record);
  if (error != HDHT_OK) (void)hd_hash_map_remove(&router->servers, target);
  return error;
}

void hd_router_unlisten(hd_router *router, const uint8_t public_key[HDHT_PUBLIC_KEY_SIZE]) {
  uint8_t target[HDHT_HASH_SIZE];
  hd_hash(public_key, HDHT_PUBLIC_KEY_SIZE, target);
  if (hd_hash_map_remove(&router->servers, target)) hd_storage_routes_unpin(router->routes, target);
}

/* A copy, because a server may be gone or another added before its function returns. */
static bool find_server(const hd_router *router, const hd_rpc_incoming *incoming, hd_router_server *server) {
  const hd_router_server *found = hd_hash_map_find(&router->servers, incoming->message.target);
  if (found != NULL) *server = *found;
  return found != NULL;
}

/* Where the target's server announced itself from, or no address. */
static hd_address known_relay(hd_router *router, hd_time now, const hd_rpc_incoming *incoming) {
  const hd_storage_route *route = hd_storage_routes_find(router->routes, incoming->message.target, now);
  return route == NULL ? (hd_address){0} : route->relay;
}

/* ---- sending ----------------------------------------------------------------------------------------------------- */

/* The value of a message, written into memory on the stack. */
typedef struct value {
  hd_writer writer;
  uint8_t bytes[HD_MESSAGES_RPC_SIZE_MAX];
} value;

static hd_bytes bytes_of(const value *written) {
  return hd_bytes_of(written->bytes, (size_t)(written->writer.next - written->bytes));
}

static bool write_handshake(value *written, const hd_messages_handshake *message) {
  written->writer = hd_writer_of(written->bytes, sizeof written->bytes);
  return hd_messages_write_handshake(&written->writer, message) == HDHT_OK;
}

static bool write_holepunch(value *written, const hd_messages_holepunch *message) {
  written->writer = hd_writer_of(written->bytes, sizeof written->bytes);
  return hd_messages_write_holepunch(&written->writer, message) == HDHT_OK;
}

static bool can_be_sent_to(const hd_address *address) {
  return address->family == HDHT_FAMILY_IPV4 && address->port != 0;
}

static bool drop_malformed(hd_router *router) {
  router->stats.dropped_malformed++;
  return false;
}

/* Whether the sender may have one more message passed on to this address. */
static bool may_pass(hd_router *router, hd_time now, const hd_rpc_incoming *incoming, const hd_address *to) {
  if (!can_be_sent_to(to)) return drop_malformed(router);
  if (hd_rpc_flood_allows(&router->flood, now, &incoming->from, 1)) return true;
  router->stats.dropped_flood++;
  return false;
}

static bool pass_handshake(hd_router *router, const hd_rpc_incoming *incoming, const hd_address *to,
                           const hd_messages_handshake *message) {
  value written;
  if (!write_handshake(&written, message)) return drop_malformed(router);
  hd_rpc_forward(router->rpc, incoming->socket, &incoming->message, to, bytes_of(&written));
  return true;
}

/* A reply is passed only to who asked for it through this node. */
static bool may_reply(hd_router *router, hd_time now, const hd_rpc_incoming *incoming, const hd_address *to) {
  if (!can_be_sent_to(to)) return drop_malformed(router);
  if (hd_router_recent_has(&router->recent, now, to, incoming->message.tid)) return true;
  router->stats.dropped_unasked++;
  return false;
}

static void reply(hd_router *router, const hd_rpc_incoming *incoming, const hd_address *to, const value *written) {
  hd_rpc_respond_to(router->rpc, incoming->socket, to, incoming->message.tid, true, bytes_of(written));
  router->stats.replies_passed++;
}

static hd_router_route route_of(const hd_rpc_incoming *incoming, const hd_address *client) {
  hd_router_route route = {.socket = incoming->socket,
                           .from = incoming->from,
                           .to = incoming->message.to,
                           .client = *client,
                           .answer_to = incoming->from,
                           .tid = incoming->message.tid};
  memcpy(route.target, incoming->message.target, sizeof route.target);
  return route;
}

/* ---- handshakes -------------------------------------------------------------------------------------------------- */

static void serve_handshake(hd_router *router, hd_time now, const hd_router_server *server,
                            const hd_router_route *route, hd_bytes noise) {
  router->stats.handshakes_served++;
  server->on_handshake(server->context, now, route, noise);
}

/* Who asks a node that knows nothing of the server learns at least who is nearer to it. */
static void show_the_way(hd_router *router, hd_time now, const hd_rpc_incoming *incoming) {
  const hd_rpc_reply nothing = {.with_closer_nodes = true};
  hd_rpc_respond(router->rpc, now, incoming, &nothing);
}

static void handshake_from_client(hd_router *router, hd_time now, const hd_rpc_incoming *incoming,
                                  const hd_messages_handshake *message, const hd_router_server *server) {
  if (server != NULL) {
    /* The client's address is where it sends from. The reference believes what the message says, and can be made to
     * send packets to anybody. */
    hd_router_route route = route_of(incoming, &incoming->from);
    route.is_direct = true;
    serve_handshake(router, now, server, &route, message->noise);
    return;
  }
  const hd_address known = known_relay(router, now, incoming);
  const hd_address to = hd_address_is_none(&message->relay_address) ? known : message->relay_address;
  if (hd_address_is_none(&to)) {
    show_the_way(router, now, incoming);
    return;
  }
  if (!may_pass(router, now, incoming, &to)) return;
  const hd_messages_handshake passed = {
      .mode = HD_MESSAGES_FROM_RELAY, .noise = message->noise, .peer_address = incoming->from};
  if (!pass_handshake(router, incoming, &to, &passed)) return;
  hd_router_recent_add(&router->recent, now, &incoming->from, incoming->message.tid);
  router->stats.handshakes_passed++;
}

static void handshake_from_relay(hd_router *router, hd_time now, const hd_rpc_incoming *incoming,
                                 const hd_messages_handshake *message, const hd_router_server *server) {
  if (!can_be_sent_to(&message->peer_address)) {
    (void)drop_malformed(router);
    return;
  }
  if (server != NULL) {
    const hd_router_route route = route_of(incoming, &message->peer_address);
    serve_handshake(router, now, server, &route, message->noise);
    return;
  }
  const hd_address to = known_relay(router, now, incoming);
  if (hd_address_is_none(&to) || !may_pass(router, now, incoming, &to)) return;
  const hd_messages_handshake passed = {.mode = HD_MESSAGES_FROM_SECOND_RELAY,
                                        .noise = message->noise,
                                        .peer_address = message->peer_address,
                                        .relay_address = incoming->from};
  if (pass_handshake(router, incoming, &to, &passed)) router->stats.handshakes_passed++;
}

/* The answer goes past the second relay, to the one that the client asked. */
static void handshake_from_second_relay(hd_router *router, hd_time now, const hd_rpc_incoming *incoming,
                                        const hd_messages_handshake *message, const hd_router_server *server) {
  if (server == NULL) return;
  if (!may_pass(router, now, incoming, &message->relay_address)) return;
  if (!can_be_sent_to(&message->peer_address)) {
    (void)drop_malformed(router);
    return;
  }
  hd_router_route route = route_of(incoming, &message->peer_address);
  route.answer_to = message->relay_address;
  serve_handshake(router, now, server, &route, message->noise);
}

static void handshake_from_server(hd_router *router, hd_time now, const hd_rpc_incoming *incoming,
                                  const hd_messages_handshake *message, const hd_router_server *server) {
  if (server != NULL || !may_reply(router, now, incoming, &message->peer_address)) return;
  value written;
  const hd_messages_handshake replied = {
      .mode = HD_MESSAGES_REPLY, .noise = message->noise, .peer_address = incoming->from};
  if (write_handshake(&written, &replied)) reply(router, incoming, &message->peer_address, &written);
}

static void handle_handshake(hd_router *router, hd_time now, const hd_rpc_incoming *incoming) {
  hd_messages_handshake message;
  hd_reader reader = hd_reader_of(incoming->message.value);
  if (hd_messages_read_handshake(&reader, &message) != HDHT_OK || message.noise.size == 0) {
    (void)drop_malformed(router);
    return;
  }
  hd_router_server found;
  const hd_router_server *server = find_server(router, incoming, &found) ? &found : NULL;
  switch (message.mode) {
    case HD_MESSAGES_FROM_CLIENT: handshake_from_client(router, now, incoming, &message, server); break;
    case HD_MESSAGES_FROM_RELAY: handshake_from_relay(router, now, incoming, &message, server); break;
    case HD_MESSAGES_FROM_SECOND_RELAY: handshake_from_second_relay(router, now, incoming, &message, server); break;
    case HD_MESSAGES_FROM_SERVER: handshake_from_server(router, now, incoming, &message, server); break;
    case HD_MESSAGES_REPLY: break;
  }
}

/* ---- hole-punch messages ------------------------------------------------------------------------------------------
 */

static void holepunch_from_client(hd_router *router, hd_time now, const hd_rpc_incoming *incoming,
                                  const hd_messages_holepunch *message) {
  const hd_address known = known_relay(router, now, incoming);
  const hd_address to = hd_address_is_none(&message->peer_address) ? known : message->peer_address;
  if (hd_address_is_none(&to) || !may_pass(router, now, incoming, &to)) return;
  value written;
  const hd_messages_holepunch passed = {
      .mode = HD_MESSAGES_FROM_RELAY, .id = message->id, .payload = message->payload, .peer_address = incoming->from};
  if (!write_holepunch(&written, &passed)) return;
  hd_rpc_forward(router->rpc, incoming->socket, &incoming->message, &to, bytes_of(&written));
  hd_router_recent_add(&router->recent, now, &incoming->from, incoming->message.tid);
  router->stats.holepunches_passed++;
}

static void holepunch_from_relay(hd_router *router, hd_time now, const hd_rpc_incoming *incoming,
                                 const hd_messages_holepunch *message) {
  hd_router_server server;
  if (!find_server(router, incoming, &server)) return;
  if (!can_be_sent_to(&message->peer_address)) {
    (void)drop_malformed(router);
    return;
  }
  const hd_router_route route = route_of(incoming, &message->peer_address);
  router->stats.holepunches_served++;
  server.on_holepunch(server.context, now, &route, message->id, message->payload);
}

static void holepunch_from_server(hd_router *router, hd_time now, const hd_rpc_incoming *incoming,
                                  const hd_messages_holepunch *message) {
  const bool has_peer = !hd_address_is_none(&message->peer_address);
  const hd_address to = has_peer ? message->peer_address : incoming->from;
  if (!may_reply(router, now, incoming, &to)) return;
  value written;
  const hd_messages_holepunch replied = {
      .mode = HD_MESSAGES_REPLY, .id = message->id, .payload = message->payload, .peer_address = incoming->from};
  if (write_holepunch(&written, &replied)) reply(router, incoming, &to, &written);
}

static void handle_holepunch(hd_router *router, hd_time now, const hd_rpc_incoming *incoming) {
  hd_messages_holepunch message;
  hd_reader reader = hd_reader_of(incoming->message.value);
  if (hd_messages_read_holepunch(&reader, &message) != HDHT_OK) {
    (void)drop_malformed(router);
    return;
  }
  switch (message.mode) {
    case HD_MESSAGES_FROM_CLIENT: holepunch_from_client(router, now, incoming, &message); break;
    case HD_MESSAGES_FROM_RELAY: holepunch_from_relay(router, now, incoming, &message); break;
    case HD_MESSAGES_FROM_SERVER: holepunch_from_server(router, now, incoming, &message); break;
    case HD_MESSAGES_FROM_SECOND_RELAY: /* for handshakes only */
    case HD_MESSAGES_REPLY: break;
  }
}

bool hd_router_handle(hd_router *router, hd_time now, const hd_rpc_incoming *incoming) {
  const uint64_t command = incoming->message.command;
  if (command != HD_MESSAGES_PEER_HANDSHAKE && command != HD_MESSAGES_PEER_HOLEPUNCH) return false;
  if (incoming->message.target == NULL) {
    (void)drop_malformed(router);
  } else if (command == HD_MESSAGES_PEER_HANDSHAKE) {
    handle_handshake(router, now, incoming);
  } else {
    handle_holepunch(router, now, incoming);
  }
  return true;
}

/* ---- a server's answers --------------------------------------------------------------------------------------------
 */

static void send_back(hd_router *router, const hd_router_route *route, hd_socket_id socket, uint64_t command,
                      const value *written) {
  const hd_messages_request message = {.tid = route->tid, .command = command, .target = route->target};
  hd_rpc_forward(router->rpc, socket != HD_SOCKET_NONE ? socket : route->socket, &message, &route->answer_to,
                 bytes_of(written));
}

void hd_router_answer_handshake(hd_router *router, const hd_router_route *route, hd_socket_id socket, hd_bytes noise) {
  hd_messages_handshake message = {.mode = HD_MESSAGES_REPLY, .noise = noise};
  if (!route->is_direct) {
    message.mode = HD_MESSAGES_FROM_SERVER;
    message.peer_address = route->client;
  }
  value written;
  if (!write_handshake(&written, &message)) return;
  if (route->is_direct) {
    const hd_socket_id from = socket != HD_SOCKET_NONE ? socket : route->socket;
    hd_rpc_respond_to(router->rpc, from, &route->from, route->tid, true, bytes_of(&written));
  } else {
    send_back(router, route, socket, HD_MESSAGES_PEER_HANDSHAKE, &written);
  }
}

void hd_router_answer_holepunch(hd_router *router, const hd_router_route *route, hd_socket_id socket,
                                hd_bytes payload) {
  value written;
  const hd_messages_holepunch message = {
      .mode = HD_MESSAGES_FROM_SERVER, .payload = payload, .peer_address = route->client};
  if (write_holepunch(&written, &message)) {
    send_back(router, route, socket, HD_MESSAGES_PEER_HOLEPUNCH, &written);
  }
}

/* ---- the client's side ------------------------------------------------------------------------------------------- */

static hd_router_reply reply_of(hd_bytes bytes, const hd_address *peer, const hd_address *asked) {
  const bool is_relayed = !hd_address_is_none(peer);
  return (hd_router_reply){.bytes = bytes, .is_relayed = is_relayed, .peer_address = is_relayed ? *peer : *asked};
}

int hd_router_read_handshake_reply(hd_bytes bytes, const hd_address *asked, hd_router_reply *read) {
  hd_messages_handshake message;
  hd_reader reader = hd_reader_of(bytes);
  const int error = hd_messages_read_handshake(&reader, &message);
  if (error != HDHT_OK) return error;
  if (message.mode != HD_MESSAGES_REPLY || message.noise.size == 0) return HDHT_ERR_PROTOCOL;
  *read = reply_of(message.noise, &message.peer_address, asked);
  return HDHT_OK;
}

int hd_router_read_holepunch_reply(hd_bytes bytes, const hd_address *asked, hd_router_reply *read) {
  hd_messages_holepunch message;
  hd_reader reader = hd_reader_of(bytes);
  const int error = hd_messages_read_holepunch(&reader, &message);
  if (error != HDHT_OK) return error;
  if (message.mode != HD_MESSAGES_REPLY || message.payload.size == 0) return HDHT_ERR_PROTOCOL;
  *read = reply_of(message.payload, &message.peer_address, asked);
  return HDHT_OK;
}
