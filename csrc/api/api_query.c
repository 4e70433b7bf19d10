#include <hdht/error.h>

#include "api/api_node.h"
#include "api/api_options.h"
#include "crypto/hash.h"

_Static_assert(HDHT_IMMUTABLE_SIZE_MAX == HD_ANNOUNCE_IMMUTABLE_SIZE_MAX, "public and internal limits are the same");
_Static_assert(HDHT_MUTABLE_SIZE_MAX == HD_ANNOUNCE_MUTABLE_SIZE_MAX, "public and internal limits are the same");
_Static_assert(HDHT_ANNOUNCE_RELAYS_LIMIT == HD_ANNOUNCE_RELAYS_LIMIT, "public and internal limits are the same");

struct hdht_query {
  hdht_node *node;
  hd_node_operation *core;
  hdht_query_callbacks callbacks;
  void *user_data;
  hd_list link; /* of the node's queries */
  bool is_storing;
  bool is_cancelled;
  bool is_over; /* on_done is being called */
};

/* ---- results --------------------------------------------------------------------------------------------------- */

/* Returns how many nodes were filled. */
static size_t list_nodes(const hdht_query *query, hdht_query_node nodes[HD_QUERY_K]) {
  const hd_query *core = hd_node_operation_query(query->core);
  uint16_t numbers[HD_QUERY_K];
  const unsigned count = hd_query_result(core, numbers);
  for (unsigned i = 0; i < count; i++) {
    const hd_query_candidate *candidate = hd_query_candidate_of(core, numbers[i]);
    nodes[i] = (hdht_query_node){.address = candidate->address,
                                 .stored = query->is_storing ? candidate->commit_error : HDHT_OK};
    memcpy(nodes[i].id, candidate->id.bytes, sizeof nodes[i].id);
  }
  return count;
}

static hdht_query_result result_of(const hdht_query *query, const hd_announce_result *core) {
  const hd_query_counts *counts = &core->counts;
  hdht_query_result result = {.asked = counts->asked,
                              .answered = counts->answered,
                              .refused = counts->refused,
                              .failed = counts->failed,
                              .rounds = counts->rounds,
                              .stores = counts->commits,
                              .stored = counts->stored,
                              .unannounced = core->unannounced,
                              .walked_us = counts->walked.us};
  memcpy(result.target, hd_query_target(hd_node_operation_query(query->core))->bytes, sizeof result.target);
  if (core->has_value) {
    result.value = core->value;
    result.seq = core->seq;
    result.signature = core->signature;
  }
  return result;
}

/* The last call for this query. */
static void finish(hdht_query *query, int error, const hd_announce_result *core) {
  hdht_query_node nodes[HD_QUERY_K];
  hdht_query_result result = result_of(query, core);
  result.nodes = nodes;
  result.nodes_count = list_nodes(query, nodes);
  query->is_over = true;
  query->node->cancelled_count -= query->is_cancelled;
  hd_list_remove(&query->link);
  query->callbacks.on_done(query->user_data, error, &result);
  hd_node_operation_destroy(query->core, hd_uv_node_now(query->node->node));
  hd_release(query->node->allocator, query, sizeof *query);
}

static void abandon(hdht_query *query, int error) {
  const hd_announce_result so_far = {.counts = hd_query_count(hd_node_operation_query(query->core))};
  finish(query, error, &so_far);
}

/* ---- events ---------------------------------------------------------------------------------------------------- */

static void tell_found(hdht_query *query, const hd_announce_found *core) {
  if (query->callbacks.on_found == NULL) return;
  const hdht_query_found found = {.from = core->from,
                                  .to = core->to,
                                  .id = core->id != NULL ? core->id->bytes : NULL,
                                  .token = core->token,
                                  .peers = core->peers,
                                  .bump = core->bump,
                                  .value = core->value,
                                  .seq = core->seq,
                                  .signature = core->signature};
  query->callbacks.on_found(query->user_data, query, &found);
}

static uint32_t purpose_of(hd_announce_purpose purpose) {
  switch (purpose) {
    case HD_ANNOUNCE_TO_ANNOUNCE: return HDHT_SIGN_ANNOUNCE;
    case HD_ANNOUNCE_TO_UNANNOUNCE: return HDHT_SIGN_UNANNOUNCE;
    case HD_ANNOUNCE_TO_STORE: return HDHT_SIGN_MUTABLE;
  }
  hd_unreachable();
}

static void tell_sign(hdht_query *query, const hd_announce_to_sign *core) {
  const hdht_query_wish wish = {.purpose = purpose_of(core->purpose),
                                .number = core->number,
                                .target = core->target,
                                .node_id = core->node_id,
                                .token = core->token,
                                .peer = core->peer,
                                .seq = core->seq,
                                .value = core->value,
                                .signable = hd_bytes_of(core->signable, sizeof core->signable)};
  query->callbacks.on_sign(query->user_data, query, &wish);
}

void hd_api_query_event(hdht_query *query, const hd_event *event) {
  if (query->is_cancelled || query->node->is_closing) return;
  switch (event->kind) {
    case HD_EVENT_FOUND: tell_found(query, &event->found); break;
    case HD_EVENT_SIGN: tell_sign(query, &event->to_sign); break;
    case HD_EVENT_DONE: finish(query, event->result.error, &event->result); break;
    default: hd_unreachable();
  }
}

static hdht_query *find_ended(const hdht_node *node) {
  HD_LIST_EACH(link, &node->queries) {
    hdht_query *query = HD_CONTAINER_OF(link, hdht_query, link);
    if (node->is_closing || query->is_cancelled) return query;
  }
  return NULL;
}

/* Callbacks may cancel any other, so the search begins anew after each. */
void hd_api_queries_settle(hdht_node *node) {
  if (!node->is_closing && node->cancelled_count == 0) return;
  for (hdht_query *query = find_ended(node); query != NULL; query = find_ended(node)) {
    abandon(query, query->is_cancelled ? HDHT_ERR_CANCELLED : HDHT_ERR_CLOSED);
  }
}

/* ---- starting -------------------------------------------------------------------------------------------------- */

void hdht_query_options_init(hdht_query_options *options, size_t struct_size) {
  const hdht_query_options defaults = {.struct_size = sizeof defaults};
  hd_api_init_struct(options, struct_size, &defaults, sizeof defaults);
}

static bool is_array(const hdht_address *array, size_t count) {
  return count == 0 || array != NULL;
}

static int add_options(hd_announce_options *core, const hdht_query_options *given) {
  hdht_query_options known = {0};
  if (given == NULL) return HDHT_OK;
  if (hd_api_read_struct(&known, sizeof known, given) != HDHT_OK) return HDHT_ERR_INVALID_ARGUMENT;
  if (!is_array(known.nodes, known.nodes_count) || !is_array(known.relays, known.relays_count)) {
    return HDHT_ERR_INVALID_ARGUMENT;
  }
  core->nodes = known.nodes;
  core->nodes_count = known.nodes_count;
  core->relays = known.relays;
  core->relays_count = known.relays_count;
  core->bump = known.bump;
  core->only_these_nodes = (known.flags & HDHT_QUERY_ONLY_THESE_NODES) != 0;
  core->clears_first = (known.flags & HDHT_QUERY_CLEAR_FIRST) != 0;
  core->takes_first = (known.flags & HDHT_QUERY_TAKE_FIRST) != 0;
  core->stores_again = (known.flags & HDHT_QUERY_STORE_AGAIN) != 0;
  core->concurrency = known.concurrency;
  core->retries = known.retries;
  core->quorum = known.quorum;
  return HDHT_OK;
}

static bool is_storing(const hd_announce_options *core) {
  switch (core->kind) {
    case HD_ANNOUNCE_ANNOUNCE:
    case HD_ANNOUNCE_IMMUTABLE_PUT:
    case HD_ANNOUNCE_MUTABLE_PUT: return true;
    case HD_ANNOUNCE_MUTABLE_GET: return core->stores_again;
    default: return false;
  }
}

static bool needs_signatures(const hd_announce_options *core) {
  const bool is_signed = core->kind == HD_ANNOUNCE_ANNOUNCE || core->kind == HD_ANNOUNCE_UNANNOUNCE ||
                         core->kind == HD_ANNOUNCE_MUTABLE_PUT;
  return is_signed && core->secret_key == NULL;
}

static int start(hdht_node *node, hd_announce_options core, const hdht_query_options *options,
                 const hdht_query_callbacks *callbacks, void *user_data, hdht_query **query) {
  hdht_query_callbacks known = {0};
  if (node == NULL || callbacks == NULL) return HDHT_ERR_INVALID_ARGUMENT;
  if (hd_api_read_struct(&known, sizeof known, callbacks) != HDHT_OK) return HDHT_ERR_INVALID_ARGUMENT;
  if (known.on_done == NULL || add_options(&core, options) != HDHT_OK) return HDHT_ERR_INVALID_ARGUMENT;
  if (needs_signatures(&core) && known.on_sign == NULL) return HDHT_ERR_INVALID_ARGUMENT;
  if (node->is_closing) return HDHT_ERR_CLOSED;

  hdht_query *created = hd_allocate_zeroed(node->allocator, sizeof *created);
  if (created == NULL) return HDHT_ERR_OUT_OF_MEMORY;
  created->node = node;
  created->callbacks = known;
  created->user_data = user_data;
  created->is_storing = is_storing(&core);
  const int error =
      hd_node_start(hd_uv_node_core(node->node), hd_uv_node_now(node->node), &core, created, &created->core);
  if (error != HDHT_OK) {
    hd_release(node->allocator, created, sizeof *created);
    return error;
  }
  hd_list_push_back(&node->queries, &created->link);
  hd_uv_node_touch(node->node);
  if (query != NULL) *query = created;
  return HDHT_OK;
}

static hd_node_id id_of(const uint8_t *bytes) {
  hd_node_id id;
  memcpy(id.bytes, bytes, sizeof id.bytes);
  return id;
}

int hdht_query_find_node(hdht_node *node, const uint8_t *target, const hdht_query_options *options,
                         const hdht_query_callbacks *callbacks, void *user_data, hdht_query **query) {
  if (target == NULL) return HDHT_ERR_INVALID_ARGUMENT;
  const hd_announce_options core = {.kind = HD_ANNOUNCE_FIND_NODE, .target = id_of(target)};
  return start(node, core, options, callbacks, user_data, query);
}

int hdht_query_find_peer(hdht_node *node, const uint8_t *public_key, const hdht_query_options *options,
                         const hdht_query_callbacks *callbacks, void *user_data, hdht_query **query) {
  if (public_key == NULL) return HDHT_ERR_INVALID_ARGUMENT;
  hd_announce_options core = {.kind = HD_ANNOUNCE_FIND_PEER};
  hd_hash(public_key, HDHT_PUBLIC_KEY_SIZE, core.target.bytes);
  return start(node, core, options, callbacks, user_data, query);
}

int hdht_query_lookup(hdht_node *node, const uint8_t *topic, const hdht_query_options *options,
                      const hdht_query_callbacks *callbacks, void *user_data, hdht_query **query) {
  if (topic == NULL) return HDHT_ERR_INVALID_ARGUMENT;
  const hd_announce_options core = {.kind = HD_ANNOUNCE_LOOKUP, .target = id_of(topic)};
  return start(node, core, options, callbacks, user_data, query);
}

int hdht_query_announce(hdht_node *node, const uint8_t *topic, const uint8_t *public_key, const uint8_t *secret_key,
                        const hdht_query_options *options, const hdht_query_callbacks *callbacks, void *user_data,
                        hdht_query **query) {
  if (topic == NULL) return HDHT_ERR_INVALID_ARGUMENT;
  const hd_announce_options core = {
      .kind = HD_ANNOUNCE_ANNOUNCE, .target = id_of(topic), .public_key = public_key, .secret_key = secret_key};
  return start(node, core, options, callbacks, user_data, query);
}

int hdht_query_unannounce(hdht_node *node, const uint8_t *topic, const uint8_t *public_key, const uint8_t *secret_key,
                          const hdht_query_options *options, const hdht_query_callbacks *callbacks, void *user_data,
                          hdht_query **query) {
  if (topic == NULL) return HDHT_ERR_INVALID_ARGUMENT;
  const hd_announce_options core = {
      .kind = HD_ANNOUNCE_UNANNOUNCE, .target = id_of(topic), .public_key = public_key, .secret_key = secret_key};
  return start(node, core, options, callbacks, user_data, query);
}

static bool is_span(hdht_bytes bytes) {
  return bytes.size == 0 || bytes.data != NULL;
}

int hdht_query_immutable_put(hdht_node *node, hdht_bytes value, const hdht_query_options *options,
                             const hdht_query_callbacks *callbacks, void *user_data, hdht_query **query) {
  if (!is_span(value)) return HDHT_ERR_INVALID_ARGUMENT;
  const hd_announce_options core = {.kind = HD_ANNOUNCE_IMMUTABLE_PUT, .value = value};
  return start(node, core, options, callbacks, user_data, query);
}

int hdht_query_immutable_get(hdht_node *node, const uint8_t *hash, const hdht_query_options *options,
                             const hdht_query_callbacks *callbacks, void *user_data, hdht_query **query) {
  if (hash == NULL) return HDHT_ERR_INVALID_ARGUMENT;
  const hd_announce_options core = {.kind = HD_ANNOUNCE_IMMUTABLE_GET, .target = id_of(hash)};
  return start(node, core, options, callbacks, user_data, query);
}

int hdht_query_mutable_put(hdht_node *node, const uint8_t *public_key, const uint8_t *secret_key, uint64_t seq,
                           hdht_bytes value, const hdht_query_options *options, const hdht_query_callbacks *callbacks,
                           void *user_data, hdht_query **query) {
  if (!is_span(value)) return HDHT_ERR_INVALID_ARGUMENT;
  const hd_announce_options core = {
      .kind = HD_ANNOUNCE_MUTABLE_PUT, .public_key = public_key, .secret_key = secret_key, .seq = seq, .value = value};
  return start(node, core, options, callbacks, user_data, query);
}

int hdht_query_mutable_get(hdht_node *node, const uint8_t *public_key, uint64_t seq_min,
                           const hdht_query_options *options, const hdht_query_callbacks *callbacks, void *user_data,
                           hdht_query **query) {
  const hd_announce_options core = {.kind = HD_ANNOUNCE_MUTABLE_GET, .public_key = public_key, .seq = seq_min};
  return start(node, core, options, callbacks, user_data, query);
}

/* ---- while it runs --------------------------------------------------------------------------------------------- */

int hdht_query_sign(hdht_query *query, uint32_t purpose, uint32_t number, const uint8_t *signature) {
  if (query == NULL || purpose > HDHT_SIGN_MUTABLE || number > UINT16_MAX) return HDHT_ERR_INVALID_ARGUMENT;
  if (query->is_over || query->is_cancelled || query->node->is_closing) return HDHT_ERR_CLOSED;
  static const hd_announce_purpose purposes[] = {[HDHT_SIGN_ANNOUNCE] = HD_ANNOUNCE_TO_ANNOUNCE,
                                                 [HDHT_SIGN_UNANNOUNCE] = HD_ANNOUNCE_TO_UNANNOUNCE,
                                                 [HDHT_SIGN_MUTABLE] = HD_ANNOUNCE_TO_STORE};
  const int error = hd_node_operation_sign(query->core, hd_uv_node_now(query->node->node), purposes[purpose],
                                           (uint16_t)number, signature);
  hd_uv_node_touch(query->node->node);
  return error;
}

void hdht_query_cancel(hdht_query *query) {
  if (query == NULL || query->is_over || query->is_cancelled) return;
  query->is_cancelled = true;
  query->node->cancelled_count++;
  hd_uv_node_touch(query->node->node);
}
