/* The cost of dht-rpc datagrams by themselves. The bound is what any node must do for a datagram anyway: hash one
 * address to check the sender's id. */
#include "bench.h"
#include "messages/message_node_id.h"
#include "messages/message_rpc.h"

typedef struct datagram_case {
  uint8_t output[HD_MESSAGES_RPC_SIZE_MAX];
  hd_bytes datagram;
} datagram_case;

static const uint8_t fixed[32] = {1};
static hd_address nodes[HD_MESSAGES_CLOSER_NODES_MAX];

static void hash_address(void *context) {
  uint8_t id[HDHT_NODE_ID_SIZE];
  hd_bench_keep(context);
  hd_messages_node_id(&nodes[0], id);
  hd_bench_keep(id);
}

static void read_request(void *context) {
  datagram_case *given = context;
  hd_bench_keep(given);
  hd_messages_request request;
  hd_reader reader = hd_reader_of(given->datagram);
  (void)hd_messages_read_request(&reader, &request);
  hd_bench_keep(&request);
}

static void read_response(void *context) {
  datagram_case *given = context;
  hd_bench_keep(given);
  hd_messages_response response;
  hd_reader reader = hd_reader_of(given->datagram);
  (void)hd_messages_read_response(&reader, &response);
  hd_address node;
  while (hdht_address_list_next(&response.closer_nodes, &node)) hd_bench_keep(&node);
}

static hd_messages_response full_response(void) {
  return (hd_messages_response){.to = nodes[0],
                                .id = fixed,
                                .token = fixed,
                                .closer_nodes = {.array = nodes, .count = HD_MESSAGES_CLOSER_NODES_MAX}};
}

static void write_response(void *context) {
  datagram_case *given = context;
  hd_bench_keep(given);
  const hd_messages_response response = full_response();
  hd_writer writer = hd_writer_of(given->output, sizeof given->output);
  (void)hd_messages_write_response(&writer, &response);
  hd_bench_keep(given->output);
}

static void write_request(void *context) {
  datagram_case *given = context;
  hd_bench_keep(given);
  const hd_messages_request request = {.to = nodes[0], .command = 3, .target = fixed};
  hd_writer writer = hd_writer_of(given->output, sizeof given->output);
  (void)hd_messages_write_request(&writer, &request);
  hd_bench_keep(given->output);
}

static void report(const char *name, void (*operation)(void *), void *context) {
  double ns, bound_ns;
  hd_bench_compare_ns(operation, context, hash_address, NULL, &ns, &bound_ns);
  hd_bench_report("messages", name, ns, ns / bound_ns, "one node id");
}

BENCH("messages", rpc_datagrams) {
  for (size_t i = 0; i < HD_MESSAGES_CLOSER_NODES_MAX; i++) nodes[i] = hd_address_ipv4(10, 0, 0, (uint8_t)i, 49737);
  static datagram_case request, response;
  write_request(&request);
  request.datagram = hd_bytes_of(request.output, 43);
  write_response(&response);
  response.datagram = hd_bytes_of(response.output, 10 + 64 + 1 + 6 * HD_MESSAGES_CLOSER_NODES_MAX);

  report("lookup request: read", read_request, &request);
  report("lookup request: write", write_request, &request);
  report("response with 20 closer nodes: read, walk", read_response, &response);
  report("response with 20 closer nodes: write", write_response, &response);
}
