#include <hdht/stats.h>

#include "api/api_node.h"
#include "api/api_options.h"

static uint64_t served(const hd_rpc_stats *rpc) {
  uint64_t sum = 0;
  for (unsigned i = 0; i < HD_RPC_COMMANDS_COUNTED; i++) sum += rpc->commands[i].served;
  return sum;
}

void hdht_node_get_stats(const hdht_node *node, hdht_node_stats *stats, size_t struct_size) {
  const hd_node_stats core = hd_node_get_stats(hd_uv_node_core(node->node));
  const hd_rpc_stats *rpc = &core.rpc;
  const hdht_node_stats known = {
      .struct_size = sizeof known,
      .requests_active = rpc->requests_active,
      .requests = rpc->requests_total,
      .responses = rpc->responses,
      .timeouts = rpc->timeouts,
      .retries = rpc->retries,
      .requests_served = served(rpc),
      .datagrams_received = rpc->datagrams_received,
      .bytes_received = rpc->bytes_received,
      .datagrams_sent = rpc->datagrams_sent,
      .bytes_sent = rpc->bytes_sent,
      .dropped_suspended = rpc->dropped_suspended,
      .dropped_source = rpc->dropped_source,
      .dropped_malformed = rpc->dropped_malformed,
      .dropped_flood = rpc->dropped_flood,
      .dropped_unknown = rpc->dropped_unknown,
      .dropped_foreign = rpc->dropped_foreign,
      .dropped_no_room = rpc->dropped_no_room,
      .dropped_unproven = rpc->dropped_unproven,
      .dropped_kind = core.dropped_datagrams,
      .bad_tokens = rpc->bad_tokens,
      .bad_ids = rpc->bad_ids,
      .challenges = rpc->challenges,
      .answers_shortened = rpc->answers_shortened,
      .queries_active = core.queries_active,
      .queries = core.queries_total,
      .findings_lost = core.events_lost,
      .nodes_added = core.nodes_added,
      .nodes_removed = core.nodes_removed,
      .nodes_refused_network = core.nodes_refused_network,
      .records_stored = core.stored_records,
      .values_stored = core.stored_values,
      .udx_packets_received = core.udx.packets_received,
      .udx_bytes_received = core.udx.bytes_received,
      .udx_packets_sent = core.udx.packets_sent,
      .udx_bytes_sent = core.udx.bytes_sent,
      .udx_packets_relayed = core.udx.packets_relayed,
      .udx_relay_drops = core.udx.relay_drops,
  };
  hd_api_init_struct(stats, struct_size, &known, sizeof known);
}
