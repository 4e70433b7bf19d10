/* Any messages at a router with a server of its own: nothing crashes, no message causes more than one, and replies go
 * only to who asked. */
#include "crypto/hash.h"
#include "fuzz_input.h"
#include "router/router.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define HOSTS_COUNT 4

typedef struct world {
  fuzz_input input;
  fuzz_allocator allocator;
  hd_entropy entropy;
  hd_rpc rpc;
  hd_storage_routes routes;
  hd_router router;
  hd_time now;
  uint8_t targets[3][HDHT_HASH_SIZE]; /* served here, announced here, unknown */
  bool has_asked[HOSTS_COUNT];
  hd_router_route route; /* of the last message the server got */
  bool has_route;
} world;

static const uint8_t public_key[HDHT_PUBLIC_KEY_SIZE] = {5};

static hd_address host(unsigned number) {
  return hd_address_ipv4(44, (uint8_t)(number % HOSTS_COUNT), 1, 1, 7);
}

static void on_request(void *context, hd_time now, const hd_rpc_incoming *incoming) {
  world *self = context;
  self->has_asked[incoming->from.ip[1]] = true;
  (void)hd_router_handle(&self->router, now, incoming);
}

static void on_response(void *context, hd_time now, const hd_rpc_result *result) {
  (void)context;
  (void)now;
  (void)result;
}

static unsigned closest(void *context, const uint8_t *target, hd_address *nodes, unsigned limit) {
  (void)context;
  (void)target;
  (void)nodes;
  (void)limit;
  return 0;
}

static const uint8_t *own_id(void *context) {
  (void)context;
  return NULL;
}

static void on_handshake(void *context, hd_time now, const hd_router_route *route, hd_bytes noise) {
  world *self = context;
  (void)now;
  FUZZ_CHECK(noise.size > 0 && route->client.family == HDHT_FAMILY_IPV4 && route->client.port != 0);
  self->route = *route;
  self->has_route = true;
  if (noise.data[0] & 1) hd_router_answer_handshake(&self->router, route, HD_SOCKET_NONE, noise);
}

static void on_holepunch(void *context, hd_time now, const hd_router_route *route, uint64_t id, hd_bytes payload) {
  world *self = context;
  (void)now;
  FUZZ_CHECK(route->client.family == HDHT_FAMILY_IPV4 && route->client.port != 0);
  if (id & 1) hd_router_answer_holepunch(&self->router, route, HD_SOCKET_NONE, payload);
}

static void take(world *self, size_t most) {
  hd_datagram_out outs[4];
  const size_t count = hd_rpc_take_sends(&self->rpc, outs, 4);
  FUZZ_CHECK(count <= most);
  for (size_t i = 0; i < count; i++) {
    /* The first byte is the version, 3, and 16 in responses. */
    const bool is_response = outs[i].parts[0].data[0] & 16;
    if (is_response) FUZZ_CHECK(outs[i].to.ip[0] == 44 && self->has_asked[outs[i].to.ip[1] % HOSTS_COUNT]);
  }
}

static hd_address take_address(world *self) {
  const uint8_t byte = fuzz_u8(&self->input);
  if (byte & 128) return (hd_address){0};
  hd_address address = host(byte);
  address.port = (uint16_t)(byte >> 2);
  return address;
}

/* A well-formed value, or any bytes. */
static hd_bytes make_value(world *self, uint64_t command, uint8_t value[256]) {
  const uint8_t mode = fuzz_u8(&self->input);
  size_t rest = (size_t)(self->input.end - self->input.next);
  hd_bytes bytes = hd_bytes_of(self->input.next, rest < 40 ? rest : 40);
  if (mode >= 200) {
    self->input.next = bytes.size == 0 ? self->input.next : bytes.data + bytes.size;
    return bytes;
  }
  bytes.size = bytes.size < 5 ? bytes.size : 5;
  self->input.next = bytes.size == 0 ? self->input.next : bytes.data + bytes.size;
  hd_writer writer = hd_writer_of(value, 256);
  const hd_address peer = take_address(self), relay = take_address(self);
  if (command == HD_MESSAGES_PEER_HANDSHAKE) {
    const hd_messages_handshake message = {
        .mode = (hd_messages_mode)(mode % 5), .noise = bytes, .peer_address = peer, .relay_address = relay};
    FUZZ_CHECK(hd_messages_write_handshake(&writer, &message) == HDHT_OK);
  } else {
    const hd_messages_holepunch message = {
        .mode = (hd_messages_mode)(mode % 5), .id = mode, .payload = bytes, .peer_address = peer};
    FUZZ_CHECK(hd_messages_write_holepunch(&writer, &message) == HDHT_OK);
  }
  return hd_bytes_of(value, (size_t)(writer.next - value));
}

static void say(world *self) {
  const uint8_t choice = fuzz_u8(&self->input);
  uint8_t value[256], bytes[512];
  const uint64_t command = choice & 1;
  const hd_messages_request request = {.tid = (uint16_t)(choice >> 6),
                                       .command = command,
                                       .to = host(0),
                                       .target = (choice & 6) == 6 ? NULL : self->targets[(choice >> 1) & 3],
                                       .has_value = true,
                                       .value = make_value(self, command, value)};
  hd_writer writer = hd_writer_of(bytes, sizeof bytes);
  FUZZ_CHECK(hd_messages_write_request(&writer, &request) == HDHT_OK);
  const hd_datagram datagram = {
      .socket = 1, .from = host((choice >> 3) & 3), .bytes = hd_bytes_of(bytes, (size_t)(writer.next - bytes))};
  (void)hd_rpc_receive(&self->rpc, self->now, &datagram);
  take(self, 1);
}

static void step(world *self) {
  switch (fuzz_u8(&self->input) % 8) {
    case 0: self->now = hd_time_add(self->now, HD_SECONDS(fuzz_u8(&self->input))); break;
    case 1: self->allocator.is_failing = !self->allocator.is_failing; break;
    case 2:
      if (self->has_route) {
        hd_router_answer_handshake(&self->router, &self->route, HD_SOCKET_NONE, hd_bytes_of("late", 4));
        take(self, 1);
      }
      break;
    default: say(self); break;
  }
}

static void begin(world *self) {
  const uint8_t seed[HD_ENTROPY_SEED_SIZE] = {1};
  static const uint64_t routes_seed[2] = {1, 2};
  hd_entropy_init(&self->entropy, seed);
  const hd_allocator *allocator = &self->allocator.hook;
  const hd_rpc_owner owner = {
      .context = self, .on_request = on_request, .on_response = on_response, .closest = closest, .own_id = own_id};
  hd_rpc_init(&self->rpc, &(hd_rpc_options){.allocator = allocator, .entropy = &self->entropy, .owner = owner},
              self->now);
  hd_rpc_open(&self->rpc, 1, 2);
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
  const hd_router_server server = {.context = self, .on_handshake = on_handshake, .on_holepunch = on_holepunch};
  FUZZ_CHECK(hd_router_listen(&self->router, public_key, &server) == HDHT_OK);
  hd_hash(public_key, sizeof public_key, self->targets[0]);
  memset(self->targets[1], 1, HDHT_HASH_SIZE);
  const hd_storage_route route = {.relay = host(3)};
  FUZZ_CHECK(hd_storage_routes_put(&self->routes, self->targets[1], &route, self->now) == HDHT_OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static world self;
  self = (world){.input = fuzz_input_of(data, size), .now = {1000000}};
  fuzz_allocator_init(&self.allocator);
  begin(&self);
  while (!fuzz_is_empty(&self.input)) step(&self);
  hd_router_destroy(&self.router);
  hd_storage_routes_destroy(&self.routes);
  hd_rpc_destroy(&self.rpc);
  FUZZ_CHECK(self.allocator.live_bytes == 0);
  return 0;
}
