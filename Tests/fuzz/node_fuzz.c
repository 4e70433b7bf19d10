/* A live node under arbitrary datagrams from arbitrary sources: raw ones, requests with good tokens, answers to its own
 * requests, all mixed with time, operations and suspensions. Nothing may crash, no memory may be lost, and a source
 * that proved nothing gets at most three times what it sent. */
#include "fuzz_input.h"
#include "messages/message_command.h"
#include "messages/message_node_id.h"
#include "node/node.h"

#define SERVER          1
#define CLIENT          2
#define SOURCES         16
#define ASKED_LIMIT     64
#define MEMORY_LIMIT    (4u << 20)
#define FIXED_SIZE      75 /* header, id, token and error: what an answer may always take */
#define OPERATIONS_KEPT 4

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct asked {
  hd_socket_id socket;
  hd_address to;
  uint16_t tid;
} asked;

typedef struct rig {
  hd_node *node;
  hd_time now;
  asked asked[ASKED_LIMIT]; /* requests of the node, the latest last */
  unsigned asked_count;
  hd_node_operation *operations[OPERATIONS_KEPT];
  size_t received[SOURCES], answered[SOURCES]; /* bytes, per source */
  bool is_proven[SOURCES];
} rig;

/* A few hosts, private and public, some of them in one network. */
static hd_address source_at(unsigned index) {
  static const uint8_t hosts[SOURCES][4] = {{10, 0, 0, 1}, {10, 0, 0, 2},    {10, 0, 1, 3}, {127, 0, 0, 1},
                                            {8, 8, 8, 8},  {8, 8, 4, 4},     {8, 8, 1, 1},  {9, 9, 9, 9},
                                            {1, 1, 1, 1},  {1, 2, 3, 4},     {0, 0, 0, 1},  {224, 0, 0, 1},
                                            {5, 5, 5, 5},  {192, 168, 0, 1}, {44, 4, 4, 4}, {45, 4, 4, 4}};
  const uint8_t *host = hosts[index % SOURCES];
  return hd_address_ipv4(host[0], host[1], host[2], host[3], (uint16_t)(1000 + index % SOURCES));
}

static unsigned index_of(const hd_address *address) {
  for (unsigned i = 0; i < SOURCES; i++) {
    const hd_address source = source_at(i);
    if (hd_address_same_host(&source, address)) return i;
  }
  return SOURCES;
}

static void note_sent(rig *r, const hd_datagram_out *out) {
  const hd_bytes bytes = out->parts[0];
  hd_messages_request request;
  hd_reader reader = hd_reader_of(bytes);
  FUZZ_CHECK(out->parts_count == 1 && bytes.size <= HD_MESSAGES_RPC_SIZE_MAX);
  if (hd_messages_read_request(&reader, &request) == HDHT_OK) {
    if (r->asked_count == ASKED_LIMIT) {
      memmove(r->asked, r->asked + 1, (ASKED_LIMIT - 1) * sizeof r->asked[0]);
      r->asked_count--;
    }
    r->asked[r->asked_count++] = (asked){.socket = out->socket, .to = out->to, .tid = request.tid};
    return;
  }
  const unsigned index = index_of(&out->to);
  if (index < SOURCES) r->answered[index] += bytes.size;
}

static void drain(rig *r) {
  hd_event event;
  hd_datagram_out out;
  hd_node_settle(r->node, r->now);
  while (hd_node_next_event(r->node, r->now, &event)) {
    if (event.kind != HD_EVENT_DONE) continue;
    for (unsigned i = 0; i < OPERATIONS_KEPT; i++) {
      if (r->operations[i] == event.operation) r->operations[i] = NULL;
    }
    hd_node_operation_destroy(event.operation, r->now);
  }
  while (hd_node_next_sends(r->node, r->now, &out, 1) == 1) note_sent(r, &out);
}

static void receive(rig *r, hd_socket_id socket, const hd_address *from, const uint8_t *bytes, size_t size) {
  uint8_t *copy = malloc(size > 0 ? size : 1); /* exact, so that a sanitizer sees a read past the end */
  FUZZ_CHECK(copy != NULL);
  if (size > 0) memcpy(copy, bytes, size);
  const hd_datagram datagram = {.socket = socket, .from = *from, .bytes = hd_bytes_of(copy, size)};
  hd_node_receive(r->node, r->now, &datagram);
  free(copy);
}

static size_t take_bytes(fuzz_input *input, uint8_t *bytes, size_t limit) {
  size_t size = fuzz_u8(input);
  if (size > limit) size = limit;
  size_t taken = 0;
  while (taken < size && !fuzz_is_empty(input)) bytes[taken++] = fuzz_u8(input);
  return taken;
}

/* What a stranger sends is answered with no more than the limit, as long as it has proven nothing. */
static void receive_raw(rig *r, fuzz_input *input, hd_socket_id socket) {
  uint8_t bytes[256];
  const unsigned index = fuzz_u8(input) % SOURCES;
  const hd_address from = source_at(index);
  const size_t size = take_bytes(input, bytes, sizeof bytes);
  const size_t answered = r->answered[index];
  receive(r, socket, &from, bytes, size);
  drain(r);
  const size_t allowed = 3 * size > FIXED_SIZE ? 3 * size : FIXED_SIZE;
  FUZZ_CHECK(r->is_proven[index] || r->answered[index] - answered <= allowed);
}

/* A well-made request with a good token and the sender's own id, so that what lies behind those checks is reached. */
static void receive_request(rig *r, fuzz_input *input) {
  uint8_t value[256], target[32], token[32], id[32], datagram[1024];
  const unsigned index = fuzz_u8(input) % SOURCES;
  const hd_address from = source_at(index);
  const uint8_t command = fuzz_u8(input), choices = fuzz_u8(input);
  const size_t size = take_bytes(input, value, sizeof value);
  hd_rpc_tokens_issue(&hd_node_rpc(r->node)->tokens, r->now, &from, token);
  hd_messages_node_id(&from, id);
  hd_hash(value, choices & 16 && size >= 32 ? 32 : size, target);
  const hd_messages_request request = {.tid = command,
                                       .is_internal = choices & 1,
                                       .has_value = choices & 2,
                                       .command = command % 13,
                                       .to = source_at(0),
                                       .id = choices & 4 ? id : NULL,
                                       .token = choices & 8 ? token : NULL,
                                       .target = choices & 32 ? NULL : target,
                                       .value = hd_bytes_of(value, size)};
  hd_writer writer = hd_writer_of(datagram, sizeof datagram);
  if (hd_messages_write_request(&writer, &request) != HDHT_OK) return;
  r->is_proven[index] = r->is_proven[index] || (choices & 8);
  receive(r, choices & 64 ? CLIENT : SERVER, &from, datagram, (size_t)(writer.next - datagram));
}

/* An answer to something the node asked, with the rest of the datagram from the input. */
static void receive_answer(rig *r, fuzz_input *input) {
  if (r->asked_count == 0) return;
  uint8_t datagram[10 + 255] = {0x13};
  const unsigned back = fuzz_u8(input) % r->asked_count;
  const asked *question = &r->asked[r->asked_count - 1 - back];
  datagram[1] = fuzz_u8(input);
  datagram[2] = (uint8_t)question->tid;
  datagram[3] = (uint8_t)(question->tid >> 8);
  memcpy(datagram + 4, question->to.ip, 4);
  size_t size = 10;
  if (datagram[1] & 1 && fuzz_u8(input) % 4 != 0) { /* mostly its own id */
    hd_messages_node_id(&question->to, datagram + size);
    size += 32;
  }
  size += take_bytes(input, datagram + size, sizeof datagram - size);
  const unsigned index = index_of(&question->to);
  if (index < SOURCES) r->is_proven[index] = true;
  receive(r, question->socket, &question->to, datagram, size);
}

static void start_operation(rig *r, fuzz_input *input) {
  static const uint8_t key_seed[32] = {1};
  hd_key_pair keys;
  hd_key_pair_from_seed(&keys, key_seed);
  uint8_t value[256];
  const uint8_t choices = fuzz_u8(input);
  const size_t size = take_bytes(input, value, sizeof value);
  const hd_address relay = source_at(choices);
  hd_announce_options options = {.kind = (hd_announce_kind)(choices % 9),
                                 .public_key = keys.public_key,
                                 .secret_key = choices & 16 ? NULL : keys.secret_key,
                                 .relays = &relay,
                                 .relays_count = choices & 32 ? 1 : 0,
                                 .clears_first = choices & 64,
                                 .takes_first = choices & 64,
                                 .stores_again = choices & 128,
                                 .value = hd_bytes_of(value, size)};
  hd_hash(value, size, options.target.bytes);
  hd_node_operation **place = &r->operations[choices % OPERATIONS_KEPT];
  if (*place != NULL) hd_node_operation_destroy(*place, r->now);
  *place = NULL;
  if (hd_node_start(r->node, r->now, &options, NULL, place) != HDHT_OK) *place = NULL;
}

static void bind(rig *r) {
  hd_node_bind(r->node, r->now, &(hd_node_sockets){.server = SERVER, .server_port = 1000, .client = CLIENT});
}

static void run_command(rig *r, fuzz_input *input) {
  const uint8_t command = fuzz_u8(input);
  switch (command % 10) {
    case 0:
    case 1: receive_raw(r, input, command % 10 == 0 ? SERVER : CLIENT); break;
    case 2:
    case 3: receive_request(r, input); break;
    case 4:
    case 5:
    case 6: receive_answer(r, input); break;
    case 7: start_operation(r, input); break;
    case 8:
      r->now = hd_time_add(r->now, HD_MILLISECONDS((uint64_t)fuzz_u8(input) * fuzz_u8(input)));
      hd_node_elapse(r->node, r->now);
      break;
    default:
      if (fuzz_u8(input) % 16 == 0) hd_node_suspend(r->node, r->now);
      bind(r);
  }
  drain(r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static const uint8_t seed[HD_ENTROPY_SEED_SIZE] = {1};
  fuzz_input input = fuzz_input_of(data, size);
  fuzz_allocator allocator;
  fuzz_allocator_init(&allocator);
  rig r = {.now = {1000000}};
  const uint8_t choices = fuzz_u8(&input);
  const hd_address bootstrap = source_at(0);
  hd_node_options options = {.allocator = &allocator.hook,
                             .seed = seed,
                             .unix_ms = 1700000000000u,
                             .mode = (hd_node_mode)(choices % 3),
                             .is_reachable = choices & 4,
                             .bootstraps = &bootstrap,
                             .bootstraps_count = choices & 16 ? 1 : 0};
  if (choices & 8) options.public_host = source_at(choices);
  FUZZ_CHECK(hd_node_create(&options, r.now, &r.node) == HDHT_OK);
  bind(&r);
  drain(&r);
  while (!fuzz_is_empty(&input)) {
    run_command(&r, &input);
    FUZZ_CHECK(allocator.live_bytes < MEMORY_LIMIT);
  }
  hd_node_destroy(r.node);
  FUZZ_CHECK(allocator.live_bytes == 0);
  return 0;
}
