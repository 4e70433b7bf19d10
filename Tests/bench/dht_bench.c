/* What a node spends on the requests of others, from the datagram that came in to the datagram that goes out, and on a
 * look-up of its own. The bound is the requirement, 5 us for one RPC. */
#include "bench.h"
#include "messages/message_command.h"
#include "messages/message_node_id.h"
#include "node/node.h"

#define NODES    2000
#define REQUESTS 256
#define BATCH    64

typedef struct node_context {
  hd_node *node;
  hd_time now;
  uint8_t requests[REQUESTS][64];
  size_t sizes[REQUESTS];
  hd_address sources[REQUESTS];
  unsigned next;
} node_context;

static hd_node *create_node(hd_time now) {
  static const uint8_t seed[HD_ENTROPY_SEED_SIZE] = {1};
  const hd_node_options options = {.seed = seed,
                                   .is_reachable = true,
                                   .public_host = hd_address_ipv4(7, 7, 7, 7, 0),
                                   .flood_limits = {.per_second = 1000000, .burst = 1000000000}};
  hd_node *node = NULL;
  if (hd_node_create(&options, now, &node) != HDHT_OK) return NULL;
  hd_node_bind(node, now, &(hd_node_sockets){.server = 1, .server_port = 49737, .client = 2});
  for (uint32_t i = 0; i < NODES; i++) {
    const uint32_t spread = i * 2654435761u;
    const hd_address address =
        hd_address_ipv4((uint8_t)(11 + spread % 80), (uint8_t)(spread >> 8), (uint8_t)(spread >> 16), (uint8_t)i, 1000);
    hd_node_add_node(node, &address);
  }
  return node;
}

static void fill(node_context *context, bool is_internal, uint64_t command) {
  hd_random random = hd_random_from_seed(2);
  context->now = (hd_time){1000000};
  context->node = create_node(context->now);
  for (unsigned i = 0; i < REQUESTS; i++) {
    uint8_t target[32];
    hd_random_fill(&random, target, sizeof target);
    context->sources[i] = hd_address_ipv4((uint8_t)(100 + i % 50), (uint8_t)i, 3, 4, (uint16_t)(1000 + i));
    const hd_messages_request request = {.tid = (uint16_t)i,
                                         .is_internal = is_internal,
                                         .command = command,
                                         .to = hd_address_ipv4(7, 7, 7, 7, 49737),
                                         .target = target};
    hd_writer writer = hd_writer_of(context->requests[i], sizeof context->requests[i]);
    (void)hd_messages_write_request(&writer, &request);
    context->sizes[i] = (size_t)(writer.next - context->requests[i]);
  }
}

/* A batch of requests is handed in and its answers are taken, as a driver does it. */
static void serve_batch(void *opaque) {
  node_context *context = opaque;
  hd_datagram_out outs[BATCH];
  for (unsigned i = 0; i < BATCH; i++) {
    const unsigned index = context->next++ % REQUESTS;
    const hd_datagram datagram = {.socket = 1,
                                  .from = context->sources[index],
                                  .bytes = hd_bytes_of(context->requests[index], context->sizes[index])};
    hd_node_receive(context->node, context->now, &datagram);
  }
  hd_node_settle(context->node, context->now);
  while (hd_node_next_sends(context->node, context->now, outs, BATCH) > 0) hd_bench_keep(outs);
  context->now = hd_time_add(context->now, HD_MICROSECONDS(100));
}

static void measure(const char *name, bool is_internal, uint64_t command) {
  static node_context context;
  context = (node_context){.next = 0};
  fill(&context, is_internal, command);
  const double ns = hd_bench_ns(serve_batch, &context) / BATCH;
  hd_bench_report("dht", name, ns, ns / 5000, "5 us");
  hd_node_destroy(context.node);
}

BENCH("dht", dht_serve) {
  measure("serve PING", true, HD_MESSAGES_PING);
  measure("serve FIND_NODE, full table", true, HD_MESSAGES_FIND_NODE);
  measure("serve LOOKUP with token, full table", false, HD_MESSAGES_LOOKUP);
}
