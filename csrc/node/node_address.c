#include "node/node_address.h"

#include "messages/message_node_id.h"
#include "node/node_maintenance.h"

#define REACHED_NEEDED        3 /* answers on the server socket, when at least as many nodes as usual were asked */
#define REACHED_NEEDED_OF_FEW 1

static void update_address(hd_node *node) {
  const hd_address address = hd_nat_sampler_address(&node->sampler);
  if (hd_address_equal(&address, &node->address)) return;
  node->address = address;
  hd_node_events_add_news(&node->events, HD_EVENT_ADDRESS);
}

void hd_node_sample_address(hd_node *node, const hd_address *seen_as) {
  if (seen_as->family != HDHT_FAMILY_IPV4 || seen_as->port == 0) return;
  (void)hd_nat_sampler_add(&node->sampler, seen_as);
  update_address(node);
}

void hd_node_sample_from_stranger(hd_node *node, const hd_address *from, const hd_address *seen_as) {
  const unsigned limit = node->bootstraps_count > 0 ? node->bootstraps_count : 1;
  if (node->sampled_bootstraps_count >= limit) return;
  for (unsigned i = 0; i < node->sampled_bootstraps_count; i++) {
    if (hd_address_equal(&node->sampled_bootstraps[i], from)) return;
  }
  node->sampled_bootstraps[node->sampled_bootstraps_count++] = *from;
  hd_node_sample_address(node, seen_as);
}

/* ---- the firewall probe ---------------------------------------------------------------------------------------- */

/* The node that others reach at `address`: where they look for it is decided by its id. */
static void take_id(hd_node *node, hd_time now, const hd_address *address) {
  hd_node_id id;
  hd_messages_node_id(address, id.bytes);
  if (hd_node_id_equal(&id, &node->table.own_id)) return;
  hd_node_rebase_table(node, &id);
  if (node->bootstrap == HD_NODE_BOOTSTRAP_DONE) hd_node_refresh(node, now);
}

void hd_node_promote(hd_node *node, hd_time now, const hd_address *address) {
  node->is_ephemeral = false;
  take_id(node, now, address);
  hd_node_events_add_news(&node->events, HD_EVENT_PERSISTENT);
}

static void end_check(hd_node *node, hd_time now, bool has_changed) {
  node->check.is_active = false;
  node->check.on_done(node, now, has_changed);
}

/* Steps 5 to 10 of the network state check: what was sampled is believed. */
static void accept_address(hd_node *node, hd_time now, const hd_nat_sampler *sampler, bool is_fresh) {
  const hd_address sampled = hd_nat_sampler_address(sampler);
  const bool has_changed = !hd_address_same_host(&sampled, &node->address) || sampled.port == 0;
  node->rpc.is_firewalled = false;
  if (!node->is_ephemeral || has_changed) {
    end_check(node, now, false);
    return;
  }
  if (is_fresh) {
    node->sampler = *sampler;
    node->sampled_bootstraps_count = 0;
    update_address(node);
  }
  if (node->check.only_firewall) {
    take_id(node, now, &sampled);
  } else {
    hd_node_promote(node, now, &sampled);
  }
  end_check(node, now, true);
}

/* A port that others see differently than we do is taken for a firewall, as in the reference. */
static bool is_reachable(const hd_node *node) {
  const hd_node_check *check = &node->check;
  const unsigned needed = check->asked >= HD_NODE_PROBE_NODES ? REACHED_NEEDED : REACHED_NEEDED_OF_FEW;
  const hd_address sampled = hd_nat_sampler_address(&check->sampler);
  return check->reached >= needed && !hd_address_is_none(&sampled) && hd_address_same_host(&sampled, &node->address) &&
         sampled.port == node->server_port;
}

static void probe_over(hd_node *node, hd_time now) {
  if (is_reachable(node)) {
    const hd_nat_sampler sampler = node->check.sampler;
    accept_address(node, now, &sampler, true);
  } else {
    end_check(node, now, false);
  }
}

static void probe_answered(void *context, hd_time now, const hd_rpc_result *result) {
  hd_node *node = context;
  hd_node_check *check = &node->check;
  if (result->error == HDHT_OK && result->socket == node->rpc.server_socket) {
    check->reached++;
    (void)hd_nat_sampler_add(&check->sampler, &result->response->to);
  }
  check->pending--;
  if (check->pending == 0) probe_over(node, now);
}

static void ask_to_reach_us(hd_node *node, hd_time now, const hd_address *helper) {
  uint8_t port[HD_MESSAGES_PING_NAT_SIZE];
  hd_messages_write_ping_nat(port, node->server_port);
  const hd_rpc_ask ask = {.to = *helper,
                          .is_internal = true,
                          .has_value = true,
                          .command = HD_MESSAGES_PING_NAT,
                          .value = hd_bytes_of(port, sizeof port),
                          .retries = HD_RPC_RETRIES_DEFAULT,
                          .timeout = HD_RPC_TIMEOUT_MAX,
                          .on_done = probe_answered,
                          .context = node};
  if (hd_rpc_request_send(&node->rpc, now, &ask, NULL) != HDHT_OK) return;
  node->check.asked++;
  node->check.pending++;
}

static void start_probe(hd_node *node, hd_time now) {
  hd_address helpers[HD_NODE_PROBE_NODES];
  const unsigned count = hd_node_list(node, helpers, HD_NODE_PROBE_NODES);
  for (unsigned i = 0; i < count; i++) ask_to_reach_us(node, now, &helpers[i]);
  if (count < HD_NODE_PROBE_NODES) {
    for (unsigned i = 0; i < node->bootstraps_count; i++) ask_to_reach_us(node, now, &node->bootstraps[i]);
  }
  if (node->check.pending == 0) end_check(node, now, false);
}

void hd_node_check_network(hd_node *node, hd_time now, bool only_firewall,
                           void (*on_done)(hd_node *node, hd_time now, bool has_changed)) {
  const bool is_settled = !node->is_ephemeral || (only_firewall && !node->rpc.is_firewalled);
  if (is_settled || node->check.is_active || !hd_rpc_is_open(&node->rpc)) {
    on_done(node, now, false);
    return;
  }
  node->check = (hd_node_check){.is_active = true, .only_firewall = only_firewall, .on_done = on_done};
  hd_nat_sampler_init(&node->check.sampler);
  if (!only_firewall) {
    node->adaptive_countdown = HD_NODE_RETRY_TICKS;
    node->checked_host = node->address;
  }
  if (hd_address_is_none(&node->address) || node->address.port == 0) {
    end_check(node, now, false);
  } else if (node->rpc.is_firewalled) {
    start_probe(node, now);
  } else {
    const hd_nat_sampler sampler = node->sampler;
    accept_address(node, now, &sampler, false);
  }
}

/* ---- adapting -------------------------------------------------------------------------------------------------- */

static void ignore_outcome(hd_node *node, hd_time now, bool has_changed) {
  (void)node;
  (void)now;
  (void)has_changed;
}

void hd_node_adapt(hd_node *node, hd_time now) {
  if (node->mode != HD_NODE_ADAPTIVE || !node->is_ephemeral || node->adaptive_countdown == 0) return;
  if (--node->adaptive_countdown > 0) return;
  const bool was_checked =
      !hd_address_is_none(&node->checked_host) && hd_address_same_host(&node->address, &node->checked_host);
  if (was_checked) {
    node->adaptive_countdown = HD_NODE_RETRY_TICKS;
  } else {
    hd_node_check_network(node, now, false, ignore_outcome);
  }
}

void hd_node_demote(hd_node *node) {
  if (node->mode != HD_NODE_ADAPTIVE) return;
  node->adaptive_countdown = HD_NODE_RETRY_TICKS;
  node->checked_host = (hd_address){0};
  if (node->is_ephemeral) return;
  node->is_ephemeral = true;
  hd_node_events_add_news(&node->events, HD_EVENT_EPHEMERAL);
}
