#include "router/router.h"

#include <string.h>

#include "crypto/hash.h"
#include "messages/message_node_id.h"
#include "test.h"

/* Whole datagrams as the reference sends them: a client B, a node A, and a server behind a NAT with a second socket. */
static const char handshake_from_client[] =
    "03183a12cb00710749c200d3bd75fcd7676504671ee75f95e1ed7ada6d168d1b852956568e1a32ce6a78867700007417cb79"
    "fb2b4120f2b1ec65e4198d6e08b28e813feb01e4a400839b85e18080ce0d92fcc893638b09d65db4425faa3c2b07ec2733ea"
    "6573e222e18fffec4ee7f77857fdcdc2f90da5cf69fd6d0491cd8469da145b0217b5d5576eb3434bd7635593d774530624bd"
    "3ca314581a5cc123050419a4f4";
static const char handshake_from_relay[] =
    "03193a12c633644d419c8b7a57c0a324d145fdd3d1cc5c08db7060066d58013ce191287846bec0c3e30700d3bd75fcd76765"
    "04671ee75f95e1ed7ada6d168d1b852956568e1a32ce6a78867d01027417cb79fb2b4120f2b1ec65e4198d6e08b28e813feb"
    "01e4a400839b85e18080ce0d92fcc893638b09d65db4425faa3c2b07ec2733ea6573e222e18fffec4ee7f77857fdcdc2f90d"
    "a5cf69fd6d0491cd8469da145b0217b5d5576eb3434bd7635593d774530624bd3ca314581a5cc123050419a4f4c633640938"
    "c7";
static const char handshake_from_server[] =
    "03183a12cb00710749c200d3bd75fcd7676504671ee75f95e1ed7ada6d168d1b852956568e1a32ce6a788662010159d75979"
    "3bbc13a2819a827c76adb6fba8a49aee007f49f2d0992d99b825ad2c482eb681e1cf7b96f131bbafdf027f4afa41ea87f3c7"
    "59e218e31addd00b3dc3e51e8f03c752727fade7412da875829f941dbfc40bd9b960ad80c633640938c7";
static const char handshake_reply[] =
    "13113a12c633640938c78b7a57c0a324d145fdd3d1cc5c08db7060066d58013ce191287846bec0c3e30762010459d759793b"
    "bc13a2819a827c76adb6fba8a49aee007f49f2d0992d99b825ad2c482eb681e1cf7b96f131bbafdf027f4afa41ea87f3c759"
    "e218e31addd00b3dc3e51e8f03c752727fade7412da875829f941dbfc40bd9b960ad80c633644d429c";
static const char holepunch_from_client[] =
    "03183b12cb00710749c201d3bd75fcd7676504671ee75f95e1ed7ada6d168d1b852956568e1a32ce6a78863c010000325a5a"
    "5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5ac9ff48df3915d23f479d149be61788930cc3379699df5079171bc633"
    "644d419c";
static const char holepunch_from_relay[] =
    "03193b12c633644d419c8b7a57c0a324d145fdd3d1cc5c08db7060066d58013ce191287846bec0c3e30701d3bd75fcd76765"
    "04671ee75f95e1ed7ada6d168d1b852956568e1a32ce6a78863c010200325a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a"
    "5a5a5a5ac9ff48df3915d23f479d149be61788930cc3379699df5079171bc633640938c7";

#define SERVER_SOCKET 1
#define CLIENT_SOCKET 2
#define PUNCH_SOCKET  3

static const uint8_t public_key[HDHT_PUBLIC_KEY_SIZE] = {
    0xd0, 0x4a, 0xb2, 0x32, 0x74, 0x2b, 0xb4, 0xab, 0x3a, 0x13, 0x68, 0xbd, 0x46, 0x15, 0xe4, 0xe6,
    0xd0, 0x22, 0x4a, 0xb7, 0x1a, 0x01, 0x6b, 0xaf, 0x85, 0x20, 0xa3, 0x32, 0xc9, 0x77, 0x87, 0x37};

static const hd_address client = {.ip = {198, 51, 100, 9}, .port = 51000, .family = HDHT_FAMILY_IPV4};
static const hd_address node = {.ip = {203, 0, 113, 7}, .port = 49737, .family = HDHT_FAMILY_IPV4};
static const hd_address server = {.ip = {198, 51, 100, 77}, .port = 40001, .family = HDHT_FAMILY_IPV4};
static const hd_address server_punch = {.ip = {198, 51, 100, 77}, .port = 40002, .family = HDHT_FAMILY_IPV4};
static const hd_address elsewhere = {.ip = {192, 0, 2, 33}, .port = 49738, .family = HDHT_FAMILY_IPV4};

/* A node with a router, and what its local server was told. */
typedef struct place {
  hd_entropy entropy;
  hd_rpc rpc;
  hd_storage_routes routes;
  hd_router router;
  hd_time now;
  uint8_t own_id[HDHT_NODE_ID_SIZE];
  bool shows_id;
  uint8_t target[HDHT_HASH_SIZE];

  unsigned handshakes, holepunches;
  hd_router_route route;
  uint64_t slot;
  uint8_t told[512];
  size_t told_size;

  hd_datagram_out outs[8];
  size_t outs_count;
  uint8_t sent[2048]; /* the first datagram taken */
  size_t sent_size;
} place;

static void on_request(void *context, hd_time now, const hd_rpc_incoming *incoming) {
  place *self = context;
  CHECK(hd_router_handle(&self->router, now, incoming));
}

static void on_response(void *context, hd_time now, const hd_rpc_result *result) {
  (void)context;
  (void)now;
  (void)result;
}

static unsigned closest(void *context, const uint8_t *target, hd_address *nodes, unsigned limit) {
  (void)context;
  (void)target;
  if (limit == 0) return 0;
  nodes[0] = elsewhere;
  return 1;
}

static const uint8_t *own_id(void *context) {
  const place *self = context;
  return self->shows_id ? self->own_id : NULL;
}

static void keep(place *self, const hd_router_route *route, hd_bytes bytes) {
  self->route = *route;
  self->told_size = bytes.size;
  memcpy(self->told, bytes.data, bytes.size);
}

static void on_handshake(void *context, hd_time now, const hd_router_route *route, hd_bytes noise) {
  place *self = context;
  (void)now;
  self->handshakes++;
  keep(self, route, noise);
}

static void on_holepunch(void *context, hd_time now, const hd_router_route *route, uint64_t id, hd_bytes payload) {
  place *self = context;
  (void)now;
  self->holepunches++;
  self->slot = id;
  keep(self, route, payload);
}

static void begin(place *self, const hdht_allocator *allocator) {
  const uint8_t seed[HD_ENTROPY_SEED_SIZE] = {4};
  static const uint64_t routes_seed[2] = {1, 2};
  *self = (place){.now = {1000000}};
  hd_entropy_init(&self->entropy, seed);
  hd_hash(public_key, sizeof public_key, self->target);
  hd_messages_node_id(&node, self->own_id);
  const hd_rpc_owner owner = {
      .context = self, .on_request = on_request, .on_response = on_response, .closest = closest, .own_id = own_id};
  hd_rpc_init(&self->rpc, &(hd_rpc_options){.allocator = allocator, .entropy = &self->entropy, .owner = owner},
              self->now);
  self->rpc.is_firewalled = false;
  hd_rpc_open(&self->rpc, SERVER_SOCKET, CLIENT_SOCKET);
  hd_storage_routes_init(&self->routes, &(hd_storage_cache_options){.allocator = allocator,
                                                                    .key_size = HDHT_HASH_SIZE,
                                                                    .value_size = sizeof(hd_storage_route),
                                                                    .entries_limit = 100,
                                                                    .weight_limit = SIZE_MAX,
                                                                    .age_limit = HD_SECONDS(1200),
                                                                    .seed = routes_seed});
  hd_router_init(&self->router,
                 &(hd_router_options){
                     .allocator = allocator, .entropy = &self->entropy, .rpc = &self->rpc, .routes = &self->routes});
}

static void end(place *self) {
  hd_router_destroy(&self->router);
  hd_storage_routes_destroy(&self->routes);
  hd_rpc_destroy(&self->rpc);
}

/* The node knows the server by its announcement. */
static void know_server(place *self) {
  const hd_storage_route route = {.relay = server};
  CHECK_INT(HDHT_OK, hd_storage_routes_put(&self->routes, self->target, &route, self->now));
}

static int listen(place *self) {
  const hd_router_server local = {.context = self, .on_handshake = on_handshake, .on_holepunch = on_holepunch};
  return hd_router_listen(&self->router, public_key, &local);
}

/* Takes what is to be sent; keeps the first datagram. Returns how many there were. */
static size_t take(place *self) {
  self->outs_count = hd_rpc_take_sends(&self->rpc, self->outs, 8);
  self->sent_size = 0;
  if (self->outs_count == 0) return 0;
  for (uint32_t i = 0; i < self->outs[0].parts_count; i++) {
    memcpy(self->sent + self->sent_size, self->outs[0].parts[i].data, self->outs[0].parts[i].size);
    self->sent_size += self->outs[0].parts[i].size;
  }
  return self->outs_count;
}

static size_t receive_bytes(place *self, const hd_address *from, const uint8_t *bytes, size_t size) {
  const hd_datagram datagram = {.socket = SERVER_SOCKET, .from = *from, .bytes = hd_bytes_of(bytes, size)};
  CHECK(hd_rpc_receive(&self->rpc, self->now, &datagram));
  return take(self);
}

static size_t receive(place *self, const hd_address *from, const char *hex) {
  uint8_t bytes[512];
  return receive_bytes(self, from, bytes, hd_test_hex(hex, bytes, sizeof bytes));
}

static void check_sent(const place *self, hd_socket_id socket, const hd_address *to, const char *hex) {
  uint8_t expected[512];
  const size_t size = hd_test_hex(hex, expected, sizeof expected);
  CHECK_UINT(socket, self->outs[0].socket);
  CHECK(hd_address_equal(to, &self->outs[0].to));
  CHECK_UINT(size, self->sent_size);
  CHECK_BYTES(expected, self->sent, size);
}

/* ---- the reference's datagrams ------------------------------------------------------------------------------------
 */

TEST(router_passes_a_handshake_to_the_server_and_the_answer_back) {
  place self;
  begin(&self, hd_allocator_system());
  self.shows_id = true;
  know_server(&self);
  CHECK_UINT(1, receive(&self, &client, handshake_from_client));
  check_sent(&self, SERVER_SOCKET, &server, handshake_from_relay);
  CHECK_UINT(1, receive(&self, &server_punch, handshake_from_server));
  check_sent(&self, SERVER_SOCKET, &client, handshake_reply);
  end(&self);
}

TEST(router_hands_a_relayed_handshake_to_its_server_and_sends_the_answer_from_the_socket_it_chose) {
  place self;
  begin(&self, hd_allocator_system());
  CHECK_INT(HDHT_OK, listen(&self));
  CHECK_UINT(0, receive(&self, &node, handshake_from_relay));
  CHECK_UINT(1, self.handshakes);
  CHECK_UINT(116, self.told_size);
  CHECK(!self.route.is_direct);
  CHECK(hd_address_equal(&client, &self.route.client));
  CHECK(hd_address_equal(&server, &self.route.to));
  uint8_t answer[142];
  REQUIRE(hd_test_hex(handshake_from_server, answer, sizeof answer) == sizeof answer);
  hd_router_answer_handshake(&self.router, &self.route, PUNCH_SOCKET, hd_bytes_of(answer + 142 - 6 - 89, 89));
  CHECK_UINT(1, take(&self));
  check_sent(&self, PUNCH_SOCKET, &node, handshake_from_server);
  end(&self);
}

TEST(router_passes_hole_punch_messages_to_where_the_client_says) {
  place self;
  begin(&self, hd_allocator_system());
  self.shows_id = true;
  CHECK_UINT(1, receive(&self, &client, holepunch_from_client));
  check_sent(&self, SERVER_SOCKET, &server, holepunch_from_relay);
  end(&self);
}

TEST(router_hands_hole_punch_messages_to_its_server_and_the_answer_back_to_the_client) {
  place self, relay;
  begin(&self, hd_allocator_system());
  begin(&relay, hd_allocator_system());
  CHECK_INT(HDHT_OK, listen(&self));
  (void)receive(&relay, &client, holepunch_from_client);
  CHECK_UINT(0, receive_bytes(&self, &node, relay.sent, relay.sent_size));
  CHECK_UINT(1, self.holepunches);
  CHECK_UINT(50, self.told_size);
  CHECK_UINT(0, self.slot);
  hd_router_answer_holepunch(&self.router, &self.route, HD_SOCKET_NONE, hd_bytes_of("answer", 6));
  CHECK_UINT(1, take(&self));
  CHECK_UINT(SERVER_SOCKET, self.outs[0].socket);
  CHECK(hd_address_equal(&node, &self.outs[0].to));

  CHECK_UINT(1, receive_bytes(&relay, &server_punch, self.sent, self.sent_size));
  CHECK(hd_address_equal(&client, &relay.outs[0].to));
  hd_messages_response response;
  hd_reader reader = hd_reader_of(hd_bytes_of(relay.sent, relay.sent_size));
  REQUIRE(hd_messages_read_response(&reader, &response) == HDHT_OK);
  hd_router_reply read;
  CHECK_INT(HDHT_OK, hd_router_read_holepunch_reply(response.value, &node, &read));
  CHECK(hd_bytes_equal(hd_bytes_of("answer", 6), read.bytes));
  CHECK(hd_address_equal(&server_punch, &read.peer_address));
  CHECK(read.is_relayed);
  end(&self);
  end(&relay);
}

/* ---- every mode ----------------------------------------------------------------------------------------------------
 */

/* Sends a handshake message to the node. */
static size_t say_handshake(place *self, const hd_address *from, hd_messages_handshake message) {
  uint8_t value[256], bytes[512];
  if (message.noise.size == 0 && message.noise.data == NULL) message.noise = hd_bytes_of("noise", 5);
  hd_writer inner = hd_writer_of(value, sizeof value), writer = hd_writer_of(bytes, sizeof bytes);
  CHECK_INT(HDHT_OK, hd_messages_write_handshake(&inner, &message));
  const hd_messages_request request = {.tid = 77,
                                       .command = HD_MESSAGES_PEER_HANDSHAKE,
                                       .to = node,
                                       .target = self->target,
                                       .has_value = true,
                                       .value = hd_bytes_of(value, (size_t)(inner.next - value))};
  CHECK_INT(HDHT_OK, hd_messages_write_request(&writer, &request));
  return receive_bytes(self, from, bytes, (size_t)(writer.next - bytes));
}

static hd_messages_handshake sent_handshake(const place *self) {
  hd_messages_request request;
  hd_messages_handshake message = {0};
  hd_reader reader = hd_reader_of(hd_bytes_of(self->sent, self->sent_size));
  CHECK_INT(HDHT_OK, hd_messages_read_request(&reader, &request));
  reader = hd_reader_of(request.value);
  CHECK_INT(HDHT_OK, hd_messages_read_handshake(&reader, &message));
  return message;
}

TEST(router_that_knows_no_server_shows_the_way) {
  place self;
  begin(&self, hd_allocator_system());
  CHECK_UINT(1, say_handshake(&self, &client, (hd_messages_handshake){.mode = HD_MESSAGES_FROM_CLIENT}));
  hd_messages_response response;
  hd_reader reader = hd_reader_of(hd_bytes_of(self.sent, self.sent_size));
  REQUIRE(hd_messages_read_response(&reader, &response) == HDHT_OK);
  CHECK(!response.has_value);
  CHECK(response.token == NULL);
  CHECK_UINT(1, response.closer_nodes.count);
  CHECK_UINT(0, response.error);
  end(&self);
}

TEST(router_serves_a_direct_handshake_under_the_address_it_came_from) {
  place self;
  begin(&self, hd_allocator_system());
  CHECK_INT(HDHT_OK, listen(&self));
  const hd_messages_handshake lie = {.mode = HD_MESSAGES_FROM_CLIENT, .peer_address = elsewhere};
  CHECK_UINT(0, say_handshake(&self, &client, lie));
  CHECK(self.route.is_direct);
  CHECK(hd_address_equal(&client, &self.route.client));
  hd_router_answer_handshake(&self.router, &self.route, HD_SOCKET_NONE, hd_bytes_of("reply", 5));
  CHECK_UINT(1, take(&self));
  CHECK(hd_address_equal(&client, &self.outs[0].to));
  hd_messages_response response;
  hd_reader reader = hd_reader_of(hd_bytes_of(self.sent, self.sent_size));
  REQUIRE(hd_messages_read_response(&reader, &response) == HDHT_OK);
  CHECK_UINT(77, response.tid);
  hd_router_reply read;
  CHECK_INT(HDHT_OK, hd_router_read_handshake_reply(response.value, &node, &read));
  CHECK(!read.is_relayed);
  CHECK(hd_address_equal(&node, &read.peer_address));
  end(&self);
}

TEST(router_passes_through_the_relay_the_client_names_and_that_one_to_the_server) {
  place first, second, last;
  begin(&first, hd_allocator_system());
  begin(&second, hd_allocator_system());
  begin(&last, hd_allocator_system());
  know_server(&second);
  CHECK_INT(HDHT_OK, listen(&last));
  const hd_messages_handshake asked = {.mode = HD_MESSAGES_FROM_CLIENT, .relay_address = elsewhere};
  CHECK_UINT(1, say_handshake(&first, &client, asked));
  CHECK(hd_address_equal(&elsewhere, &first.outs[0].to));
  CHECK_INT(HD_MESSAGES_FROM_RELAY, sent_handshake(&first).mode);

  CHECK_UINT(1, receive_bytes(&second, &node, first.sent, first.sent_size));
  CHECK(hd_address_equal(&server, &second.outs[0].to));
  const hd_messages_handshake passed = sent_handshake(&second);
  CHECK_INT(HD_MESSAGES_FROM_SECOND_RELAY, passed.mode);
  CHECK(hd_address_equal(&client, &passed.peer_address));
  CHECK(hd_address_equal(&node, &passed.relay_address));

  CHECK_UINT(0, receive_bytes(&last, &elsewhere, second.sent, second.sent_size));
  CHECK(hd_address_equal(&client, &last.route.client));
  hd_router_answer_handshake(&last.router, &last.route, HD_SOCKET_NONE, hd_bytes_of("reply", 5));
  CHECK_UINT(1, take(&last));
  CHECK(hd_address_equal(&node, &last.outs[0].to)); /* the first relay, which the client asked */
  CHECK_UINT(1, receive_bytes(&first, &server, last.sent, last.sent_size));
  CHECK(hd_address_equal(&client, &first.outs[0].to));
  end(&first);
  end(&second);
  end(&last);
}

TEST(router_drops_what_lacks_what_its_mode_needs) {
  place self;
  begin(&self, hd_allocator_system());
  know_server(&self);
  const hd_bytes empty = {.data = public_key};
  const hd_messages_handshake bad[] = {
      {.mode = HD_MESSAGES_FROM_CLIENT, .noise = empty},
      {.mode = HD_MESSAGES_FROM_RELAY},
      {.mode = HD_MESSAGES_FROM_RELAY, .noise = empty, .peer_address = client},
      {.mode = HD_MESSAGES_FROM_SERVER},
      {.mode = HD_MESSAGES_FROM_SECOND_RELAY, .peer_address = client, .relay_address = elsewhere},
      {.mode = HD_MESSAGES_REPLY, .peer_address = client},
      {.mode = HD_MESSAGES_FROM_CLIENT, .relay_address = {.ip = {1, 2, 3, 4}, .family = HDHT_FAMILY_IPV4}}};
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
    if (say_handshake(&self, &elsewhere, bad[i]) != 0) hd_test_fail(__FILE__, __LINE__, "case %zu was passed on", i);
  }
  end(&self);
}

TEST(router_sends_replies_only_to_who_asked_and_only_for_a_while) {
  place self;
  begin(&self, hd_allocator_system());
  know_server(&self);
  const hd_messages_handshake reply = {.mode = HD_MESSAGES_FROM_SERVER, .peer_address = client};
  CHECK_UINT(0, say_handshake(&self, &server, reply));
  CHECK_UINT(1, self.router.stats.dropped_unasked);
  CHECK_UINT(1, say_handshake(&self, &client, (hd_messages_handshake){.mode = HD_MESSAGES_FROM_CLIENT}));
  CHECK_UINT(1, say_handshake(&self, &server, reply));
  self.now = hd_time_add(self.now, HD_ROUTER_RECENT_LIFETIME);
  CHECK_UINT(0, say_handshake(&self, &server, reply));
  end(&self);
}

TEST(router_lets_each_network_have_only_so_much_passed_on) {
  place self;
  begin(&self, hd_allocator_system());
  know_server(&self);
  unsigned passed = 0;
  for (int i = 0; i < 1000; i++) {
    passed += say_handshake(&self, &client, (hd_messages_handshake){.mode = HD_MESSAGES_FROM_CLIENT}) > 0;
  }
  CHECK(passed <= HD_ROUTER_LIMITS_DEFAULT.burst + 1);
  CHECK(passed >= HD_ROUTER_LIMITS_DEFAULT.burst - 1);
  CHECK_UINT(1, say_handshake(&self, &elsewhere, (hd_messages_handshake){.mode = HD_MESSAGES_FROM_CLIENT}));
  end(&self);
}

TEST(router_leaves_other_commands_to_others_and_ignores_requests_without_target) {
  place self;
  begin(&self, hd_allocator_system());
  hd_rpc_incoming incoming = {.socket = SERVER_SOCKET, .from = client, .message = {.command = HD_MESSAGES_LOOKUP}};
  CHECK(!hd_router_handle(&self.router, self.now, &incoming));
  incoming.message.command = HD_MESSAGES_PEER_HOLEPUNCH;
  CHECK(hd_router_handle(&self.router, self.now, &incoming));
  CHECK_UINT(1, self.router.stats.dropped_malformed);
  CHECK_UINT(0, take(&self));
  end(&self);
}

/* ---- servers --------------------------------------------------------------------------------------------------------
 */

TEST(router_pins_a_server_while_it_listens) {
  place self;
  begin(&self, hd_allocator_system());
  know_server(&self);
  CHECK_INT(HDHT_OK, listen(&self));
  CHECK_INT(HDHT_ERR_EXISTS, listen(&self));
  CHECK(hd_storage_routes_is_pinned(&self.routes, self.target));
  hd_router_unlisten(&self.router, public_key);
  hd_router_unlisten(&self.router, public_key);
  CHECK(!hd_storage_routes_is_pinned(&self.routes, self.target));
  CHECK_INT(HDHT_OK, listen(&self));
  end(&self);
}

static bool listen_and_pass(const hdht_allocator *allocator) {
  place self;
  begin(&self, allocator);
  const bool listens = listen(&self) == HDHT_OK;
  CHECK_INT(listens, hd_storage_routes_is_pinned(&self.routes, self.target));
  hd_router_unlisten(&self.router, public_key);
  const hd_storage_route route = {.relay = server};
  const bool knows = hd_storage_routes_put(&self.routes, self.target, &route, self.now) == HDHT_OK;
  const bool passes = say_handshake(&self, &client, (hd_messages_handshake){.mode = HD_MESSAGES_FROM_CLIENT}) == 1;
  const hd_messages_handshake reply = {.mode = HD_MESSAGES_FROM_SERVER, .peer_address = client};
  const bool replies = say_handshake(&self, &server, reply) == 1;
  end(&self);
  return listens && knows && passes && replies && allocator != NULL;
}

TEST(router_copes_with_every_failing_allocation) {
  hd_test_each_allocation_failure(listen_and_pass);
}

TEST(router_reads_replies_as_a_client_must) {
  uint8_t value[64];
  hd_router_reply read;
  const hd_messages_handshake bad[] = {{.mode = HD_MESSAGES_FROM_SERVER, .noise = {.data = public_key, .size = 1}},
                                       {.mode = HD_MESSAGES_REPLY}};
  for (size_t i = 0; i < 2; i++) {
    hd_writer writer = hd_writer_of(value, sizeof value);
    CHECK_INT(HDHT_OK, hd_messages_write_handshake(&writer, &bad[i]));
    const hd_bytes written = hd_bytes_of(value, (size_t)(writer.next - value));
    CHECK_INT(HDHT_ERR_PROTOCOL, hd_router_read_handshake_reply(written, &node, &read));
    CHECK_INT(HDHT_ERR_TRUNCATED, hd_router_read_handshake_reply(hd_bytes_of(value, 1), &node, &read));
  }
}
