#include "node/node_maintenance.h"

#include "base/address_range.h"
#include "messages/message_node_id.h"
#include "node/node_address.h"
#include "node/node_bootstrap.h"

#define SLEEP              HD_SECONDS(15) /* between two ticks: the process or the machine was asleep */
#define TICKS_OF_SLEEP     720
#define PING_EVERY_TICKS   8
#define LOOK_EVERY_TICKS   64 /* with few nodes */
#define RETRY_EVERY_TICKS  6  /* with none */
#define FEW_NODES          HD_TABLE_ROW_LIMIT
#define SAMPLE_AGAIN_TICKS 360
#define PINGS_AT_ONCE      5
#define PINGS_WHEN_BUSY    3
#define PINGS_WHEN_FRESH   2
#define STRANGERS_PER_TICK 3 /* nodes that proved nothing yet and are asked */

/* ---- who may be a node ----------------------------------------------------------------------------------------- */

/* Nodes that hyperdht ignores: they answer, but never were what they seem. Port 0 stands for any. */
static bool is_notorious(const hd_address *address) {
  static const struct {
    uint8_t ip[4];
    uint16_t port;
  } notorious[] = {
      {{134, 209, 28, 98}, 49738}, {{167, 99, 142, 185}, 49738}, {{35, 233, 47, 252}, 9400}, {{150, 136, 142, 116}, 0}};
  for (size_t i = 0; i < sizeof notorious / sizeof notorious[0]; i++) {
    if (memcmp(address->ip, notorious[i].ip, 4) != 0) continue;
    if (notorious[i].port == 0 || notorious[i].port == address->port) return true;
  }
  return false;
}

/* 0.0.0.0/8 and everything from 224.0.0.0 on is no host's address. */
static bool is_no_host(const hd_address *address) {
  return address->ip[0] == 0 || address->ip[0] >= 224;
}

/* A node in the open internet has no business naming addresses that only exist in somebody's home. */
bool hd_node_accepts(const hd_node *node, const hd_address *address, const hd_address *from) {
  if (address->family != HDHT_FAMILY_IPV4 || address->port == 0) return false;
  if (is_no_host(address) || is_notorious(address)) return false;
  if (from != NULL && hd_address_is_public(from) && !hd_address_is_public(address)) return false;
  return !hd_address_equal(address, &node->address);
}

/* ---- checks ---------------------------------------------------------------------------------------------------- */

static hd_node_id id_of(const hd_address *address) {
  hd_node_id id;
  hd_messages_node_id(address, id.bytes);
  return id;
}

static void remove_node(hd_node *node, hd_table_node *entry) {
  if (entry->is_verified) {
    node->forgotten[node->forgotten_next] = entry->address;
    node->forgotten_next = (node->forgotten_next + 1) % HD_NODE_FORGOTTEN_LIMIT;
  }
  hd_table_remove(&node->table, entry);
  node->nodes_removed++;
}

void hd_node_forget(hd_node *node, const hd_node_id *id) {
  hd_table_node *entry = hd_table_find(&node->table, id);
  if (entry != NULL) remove_node(node, entry);
}

/* Who answers without its id is no full node any more. */
static bool has_proven_itself(const hd_rpc_result *result) {
  return result->error == HDHT_OK && result->id != NULL;
}

static void check_done(void *context, hd_time now, const hd_rpc_result *result) {
  hd_node *node = context;
  (void)now;
  node->checks--;
  const hd_node_id id = id_of(&result->from);
  hd_table_node *entry = hd_table_find(&node->table, &id);
  if (entry == NULL) return;
  entry->is_checked = false;
  if (!has_proven_itself(result) && result->error != HDHT_ERR_SUSPENDED) remove_node(node, entry);
}

static int ping(hd_node *node, hd_time now, const hd_address *to, hd_rpc_done *on_done) {
  const hd_rpc_ask ask = {.to = *to,
                          .is_internal = true,
                          .command = HD_MESSAGES_PING,
                          .retries = HD_RPC_RETRIES_DEFAULT,
                          .on_done = on_done,
                          .context = node};
  return hd_rpc_request_send(&node->rpc, now, &ask, NULL);
}

static void check(hd_node *node, hd_time now, hd_table_node *entry) {
  if (ping(node, now, &entry->address, check_done) != HDHT_OK) return;
  hd_table_asked(entry, node->tick);
  node->checks++;
}

void hd_node_down_hint(hd_node *node, hd_time now, const hd_address *address) {
  if (node->checks >= HD_NODE_CHECKS_BY_HINT_MAX) return;
  const hd_node_id id = id_of(address);
  hd_table_node *entry = hd_table_find(&node->table, &id);
  if (entry == NULL || entry->is_checked) return;
  if (entry->pinged_tick == node->tick && entry->down_hints > 0) return;
  entry->down_hints++;
  check(node, now, entry);
}

/* ---- entering -------------------------------------------------------------------------------------------------- */

static hd_table_admission admit(hd_node *node, const hd_node_id *id, const hd_address *address, hd_table_node **entry) {
  const hd_table_admission admission = hd_table_insert(&node->table, id, address, node->tick, entry);
  node->nodes_added += admission == HD_TABLE_ADMITTED;
  node->nodes_refused_network += admission == HD_TABLE_NETWORK_FULL;
  return admission;
}

static hd_node_replacement *find_replacement(hd_node *node, const hd_address *old_address) {
  for (unsigned i = 0; i < HD_NODE_REPLACEMENTS; i++) {
    hd_node_replacement *replacement = &node->replacements[i];
    if (replacement->is_active && hd_address_equal(&replacement->old_address, old_address)) return replacement;
  }
  return NULL;
}

static hd_node_replacement *free_replacement(hd_node *node) {
  for (unsigned i = 0; i < HD_NODE_REPLACEMENTS; i++) {
    if (!node->replacements[i].is_active) return &node->replacements[i];
  }
  return NULL;
}

static void replacement_done(void *context, hd_time now, const hd_rpc_result *result) {
  hd_node *node = context;
  (void)now;
  hd_node_replacement *replacement = find_replacement(node, &result->from);
  if (replacement == NULL) return;
  replacement->is_active = false;
  hd_table_node *old = hd_table_find(&node->table, &replacement->old_id);
  if (old != NULL) old->is_checked = false;
  if (has_proven_itself(result) || result->error == HDHT_ERR_SUSPENDED) return;
  if (old != NULL) remove_node(node, old);
  (void)admit(node, &replacement->new_id, &replacement->new_address, NULL);
}

/* The row of a new node is full: one of the old ones has to show that it lives. */
static void try_to_replace(hd_node *node, hd_time now, const hd_node_id *id, const hd_address *address) {
  if (node->bootstrap != HD_NODE_BOOTSTRAP_DONE) return;
  hd_node_replacement *replacement = free_replacement(node);
  hd_table_node *old = hd_table_eviction_candidate(&node->table, id, node->tick);
  if (replacement == NULL || old == NULL) return;
  if (ping(node, now, &old->address, replacement_done) != HDHT_OK) return;
  hd_table_asked(old, node->tick);
  *replacement = (hd_node_replacement){
      .is_active = true, .old_address = old->address, .old_id = old->id, .new_address = *address, .new_id = *id};
}

static void heard_from_known(hd_node *node, hd_table_node *entry, const hd_address *seen_as, bool is_external) {
  hd_table_heard(&node->table, entry, node->tick);
  const bool is_due = entry->sampled_tick == 0 || node->tick - entry->sampled_tick >= SAMPLE_AGAIN_TICKS;
  if (is_external || !is_due) return;
  entry->sampled_tick = node->tick;
  hd_node_sample_address(node, seen_as);
}

static void heard_from_new(hd_node *node, hd_time now, const hd_node_id *id, const hd_address *from,
                           const hd_address *seen_as, bool is_answer) {
  hd_table_node *entry;
  switch (admit(node, id, from, &entry)) {
    case HD_TABLE_ADMITTED:
      entry->is_verified = is_answer;
      entry->sampled_tick = node->tick;
      hd_node_sample_address(node, seen_as);
      break;
    case HD_TABLE_ROW_FULL: try_to_replace(node, now, id, from); break;
    case HD_TABLE_KNOWN:
    case HD_TABLE_NETWORK_FULL:
    case HD_TABLE_OUT_OF_MEMORY: break;
  }
}

void hd_node_heard(hd_node *node, hd_time now, const hd_address *from, const uint8_t *id_bytes,
                   const hd_address *seen_as, bool is_external, bool is_answer) {
  if (is_no_host(from) || is_notorious(from)) return;
  if (id_bytes == NULL) {
    if (is_answer) hd_node_sample_from_stranger(node, from, seen_as);
    return;
  }
  hd_node_id id;
  memcpy(id.bytes, id_bytes, sizeof id.bytes);
  if (hd_node_id_equal(&id, &node->table.own_id)) return;
  hd_table_node *known = hd_table_find(&node->table, &id);
  if (known == NULL) {
    heard_from_new(node, now, &id, from, seen_as, is_answer);
    return;
  }
  heard_from_known(node, known, seen_as, is_external);
  known->is_verified = known->is_verified || is_answer;
}

void hd_node_rebase_table(hd_node *node, const hd_node_id *id) {
  hd_table_rebase(&node->table, id);
}

/* ---- the forgotten ---------------------------------------------------------------------------------------------- */

/* Somebody is back, and perhaps with it a whole part of the network: the neighbours are looked up again. */
static void forgotten_answered(void *context, hd_time now, const hd_rpc_result *result) {
  hd_node *node = context;
  if (!has_proven_itself(result)) return;
  for (unsigned i = 0; i < HD_NODE_FORGOTTEN_LIMIT; i++) {
    if (hd_address_equal(&node->forgotten[i], &result->from)) node->forgotten[i] = (hd_address){0};
  }
  const hd_node_id own_id = node->table.own_id;
  hd_node_walk_in_background(node, now, &own_id);
}

/* A network that was cut in two would stay so for ever if nobody asked for those who were on the other side: each half
 * has nodes enough and no reason to look further. One at a time is asked, once. */
static void ask_a_forgotten_one(hd_node *node, hd_time now) {
  for (unsigned i = 0; i < HD_NODE_FORGOTTEN_LIMIT; i++) {
    const hd_address address = node->forgotten[node->forgotten_asked];
    node->forgotten_asked = (node->forgotten_asked + 1) % HD_NODE_FORGOTTEN_LIMIT;
    if (hd_address_is_none(&address)) continue;
    const hd_rpc_ask ask = {.to = address,
                            .is_internal = true,
                            .command = HD_MESSAGES_PING,
                            .on_done = forgotten_answered,
                            .context = node};
    (void)hd_rpc_request_send(&node->rpc, now, &ask, NULL);
    return;
  }
}

/* ---- refresh --------------------------------------------------------------------------------------------------- */

void hd_node_refresh(hd_node *node, hd_time now) {
  const hd_table_node *chosen = hd_table_random(&node->table, &node->random);
  const hd_node_id target = chosen != NULL ? chosen->id : node->table.own_id;
  hd_node_walk_in_background(node, now, &target);
}

/* ---- ticks ----------------------------------------------------------------------------------------------------- */

void hd_node_start_ticks(hd_node *node, hd_time now) {
  node->last_tick_at = now;
  node->next_tick_at = hd_time_add(now, HD_NODE_TICK);
}

void hd_node_wake_up(hd_node *node) {
  node->tick += TICKS_OF_SLEEP;
  while (node->tick % PING_EVERY_TICKS != PING_EVERY_TICKS - 2) node->tick++; /* nodes are asked two ticks later */
  node->refresh_countdown = 1;
  node->health = hd_node_health_fresh();
  hd_node_demote(node);
  hd_node_events_add_news(&node->events, HD_EVENT_WAKE_UP);
}

/* Nodes that proved nothing yet are not left in the table for long: nor are those that are silent for longest. */
static void check_strangers(hd_node *node, hd_time now) {
  for (unsigned i = 0; i < STRANGERS_PER_TICK; i++) {
    hd_table_node *entry = hd_table_next_to_check(&node->table, node->tick);
    if (entry == NULL || entry->is_verified) return;
    check(node, now, entry);
    if (!entry->is_checked) return; /* there was no room for the request */
  }
}

static void check_some(hd_node *node, hd_time now) {
  const hd_table_node *oldest = hd_table_oldest(&node->table);
  if (oldest == NULL) {
    hd_node_refresh(node, now);
    return;
  }
  unsigned budget = hd_rpc_requests_count(&node->rpc.requests) > 2 ? PINGS_WHEN_BUSY : PINGS_AT_ONCE;
  if (node->tick - oldest->pinged_tick < HD_TABLE_RECENT_TICKS) budget = PINGS_WHEN_FRESH;
  for (; budget > 0; budget--) {
    hd_table_node *entry = hd_table_next_to_check(&node->table, node->tick);
    if (entry == NULL) return;
    check(node, now, entry);
    if (!entry->is_checked) return;
  }
}

static bool wants_refresh(hd_node *node) {
  const unsigned count = hd_table_count(&node->table);
  if (node->refresh_countdown > 0 && --node->refresh_countdown == 0) return true;
  if (count < FEW_NODES && node->tick % LOOK_EVERY_TICKS == 0) return true;
  return count == 0 && node->tick % RETRY_EVERY_TICKS == 0;
}

static void run_tick(hd_node *node, hd_time now) {
  const bool slept = hd_duration_less(SLEEP, hd_time_since(now, node->last_tick_at));
  hd_node_start_ticks(node, now);
  hd_storage_elapse(&node->storage, now);
  if (slept) {
    hd_node_wake_up(node);
  } else {
    node->tick++;
  }
  if (node->bootstrap != HD_NODE_BOOTSTRAP_DONE) return;

  hd_node_adapt(node, now);
  if (node->tick % PING_EVERY_TICKS == 0) {
    check_some(node, now);
    ask_a_forgotten_one(node, now);
  }
  check_strangers(node, now);
  if (wants_refresh(node)) {
    node->refresh_countdown = HD_NODE_REFRESH_TICKS;
    hd_node_refresh(node, now);
  }
  node->down_hints_left = node->down_hints_per_tick;
  if (hd_node_health_tick(&node->health, node->rpc.stats.responses, node->rpc.stats.timeouts)) {
    hd_node_events_add_news(&node->events, HD_EVENT_NETWORK);
  }
}

static void answer_delayed(hd_node *node, hd_time now) {
  for (unsigned i = 0; i < HD_NODE_DELAYED_LIMIT; i++) {
    hd_node_delayed *delayed = &node->delayed[i];
    if (!hd_time_is_due(delayed->at, now)) continue;
    delayed->at = HD_TIME_NEVER;
    hd_rpc_respond_to(&node->rpc, delayed->socket, &delayed->to, delayed->tid, false, (hd_bytes){0});
  }
}

void hd_node_maintain(hd_node *node, hd_time now) {
  if (!node->is_bound || node->is_suspended) return;
  answer_delayed(node, now);
  if (hd_time_is_due(node->next_tick_at, now)) run_tick(node, now);
}

hd_time hd_node_maintenance_deadline(const hd_node *node) {
  if (!node->is_bound || node->is_suspended) return HD_TIME_NEVER;
  hd_time deadline = node->next_tick_at;
  for (unsigned i = 0; i < HD_NODE_DELAYED_LIMIT; i++) {
    deadline = hd_time_earlier(deadline, node->delayed[i].at);
  }
  return deadline;
}
