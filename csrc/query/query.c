#include "query/query.h"

#include "base/assertion.h"
#include "messages/message_command.h"
#include "messages/message_node_id.h"

#define SEED_FROM_TABLE_BELOW (HD_QUERY_K / 4) /* answers of given nodes that are too few to rely on */

typedef enum hd_query_phase { WALKING, COMMITTING, DONE } hd_query_phase;

struct hd_query {
  hd_query_host *host;
  hd_list link; /* of the host's queries */
  hd_deadline deadline;
  const hd_query_sink *sink;
  void *context;
  hd_query_options options; /* value points to memory of our own, nodes to nothing */
  hd_query_closest closest;
  hd_query_phase phase;
  hd_time started_at;
  hd_duration walked;
  unsigned concurrency;
  bool is_table_used;
  bool is_paused;
  bool is_patient; /* the deadline is the end of patience */
  unsigned asked;
  unsigned answered;
  unsigned refused;
  unsigned failed;
  unsigned commits;         /* attempted */
  unsigned commits_pending; /* of those, not decided */
  unsigned calls;           /* callbacks and steps under way: memory stays until they return */
  bool is_destroyed;
};

/* A commit that was not decided yet. No error of the library has this number. */
#define COMMIT_AWAITED 1 /* the user is asked for it */
#define COMMIT_SENT    2

static void pump(hd_query *query, hd_time now);
static void end_walk(hd_query *query, hd_time now);
static void walk_done(hd_query *query, hd_time now, uint16_t number, const hd_rpc_result *result);
static void commit_done(hd_query *query, hd_time now, uint16_t number, const hd_rpc_result *result);
static void finish_if_decided(hd_query *query, hd_time now);

/* ---- host ------------------------------------------------------------------------------------------------------ */

void hd_query_host_init(hd_query_host *host) {
  hd_list_init(&host->queries);
  hd_deadline_heap_init(&host->deadlines, host->allocator);
  host->queries_total = 0;
}

void hd_query_host_destroy(hd_query_host *host) {
  hd_assert(hd_list_is_empty(&host->queries));
  hd_deadline_heap_destroy(&host->deadlines);
}

unsigned hd_query_host_active(const hd_query_host *host) {
  unsigned count = 0;
  for (const hd_list *link = host->queries.next; link != &host->queries; link = link->next) {
    count += HD_CONTAINER_OF(link, const hd_query, link)->phase != DONE;
  }
  return count;
}

hd_time hd_query_host_deadline(const hd_query_host *host) {
  return hd_deadline_heap_next(&host->deadlines);
}

/* ---- life ------------------------------------------------------------------------------------------------------ */

static void free_query(hd_query *query) {
  const hd_allocator *allocator = query->host->allocator;
  hd_query_closest_destroy(&query->closest);
  hd_release(allocator, (void *)(uintptr_t)query->options.value.data, query->options.value.size);
  hd_release(allocator, query, sizeof *query);
}

/* Everything that may call the user runs between these two; whoever leaves last buries a destroyed query. */
static void enter(hd_query *query) {
  query->calls++;
}

static void leave(hd_query *query) {
  hd_assert(query->calls > 0);
  query->calls--;
  if (query->calls == 0 && query->is_destroyed) free_query(query);
}

static void set_deadline(hd_query *query, hd_time at) {
  const int error = hd_deadline_heap_set(&query->host->deadlines, &query->deadline, at);
  hd_assert(error == HDHT_OK); /* room was reserved with the query */
}

static unsigned count_queries(const hd_query_host *host) {
  unsigned count = 0;
  for (const hd_list *link = host->queries.next; link != &host->queries; link = link->next) count++;
  return count;
}

static hd_query *allocate_query(hd_query_host *host, const hd_query_options *options) {
  if (hd_deadline_heap_reserve(&host->deadlines, count_queries(host) + 1) != HDHT_OK) return NULL;
  hd_query *query = hd_allocate_zeroed(host->allocator, sizeof *query);
  uint8_t *value = options->value.size > 0 ? hd_allocate(host->allocator, options->value.size) : NULL;
  if (query == NULL || (value == NULL && options->value.size > 0)) {
    hd_release(host->allocator, query, sizeof *query);
    hd_release(host->allocator, value, options->value.size);
    return NULL;
  }
  if (value != NULL) memcpy(value, options->value.data, options->value.size);
  query->options = *options;
  query->options.value.data = value;
  query->options.nodes = NULL;
  return query;
}

static void add_known(hd_query *query, const hd_address *address, const hd_node_id *id, bool is_seed) {
  hd_node_id computed;
  if (id == NULL) {
    hd_messages_node_id(address, computed.bytes);
    id = &computed;
  }
  if (hd_query_closest_find(&query->closest, address) != HD_QUERY_NOBODY) return;
  (void)hd_query_closest_add(&query->closest, id, address, HD_QUERY_NOBODY, is_seed);
}

static void seed_from_table(hd_query *query) {
  hd_table_node *nodes[HD_QUERY_K];
  const unsigned waiting = hd_query_closest_count(&query->closest, HD_QUERY_WAITING);
  const unsigned wanted = waiting < HD_QUERY_K ? HD_QUERY_K - waiting : 0;
  const unsigned count = hd_table_closest(query->host->table, &query->options.target, nodes, wanted);
  for (unsigned i = 0; i < count; i++) add_known(query, &nodes[i]->address, &nodes[i]->id, false);
  query->is_table_used = true;
}

static void seed_from_bootstraps(hd_query *query) {
  hd_address nodes[HD_QUERY_K];
  if (hd_query_closest_count(&query->closest, HD_QUERY_WAITING) >= HD_QUERY_K) return;
  const unsigned count = query->host->bootstraps(query->host->context, nodes, HD_QUERY_K);
  for (unsigned i = 0; i < count; i++) add_known(query, &nodes[i], NULL, true);
}

static void seed(hd_query *query, const hd_query_options *options) {
  const size_t count = options->nodes_count < HD_QUERY_SEEDS_LIMIT ? options->nodes_count : HD_QUERY_SEEDS_LIMIT;
  for (size_t i = 0; i < count; i++) {
    const hd_address *node = &options->nodes[i];
    if (node->family == HDHT_FAMILY_IPV4 && node->port != 0) add_known(query, node, NULL, true);
  }
  if (options->only_these_nodes || hd_query_closest_count(&query->closest, HD_QUERY_WAITING) >= HD_QUERY_K) return;
  seed_from_table(query);
  seed_from_bootstraps(query);
}

static unsigned full_concurrency(const hd_query *query) {
  return query->options.concurrency > 0 ? query->options.concurrency : HD_QUERY_CONCURRENCY;
}

static unsigned reduced_concurrency(const hd_query *query) {
  const unsigned full = full_concurrency(query), reduced = full / 8 > 2 ? full / 8 : 2;
  return reduced < full ? reduced : full;
}

int hd_query_create(hd_query_host *host, hd_time now, const hd_query_options *options, const hd_query_sink *sink,
                    void *context, hd_query **query) {
  if (options->value.size > HD_MESSAGES_RPC_SIZE_SAFE) return HDHT_ERR_TOO_LARGE;
  hd_query *made = allocate_query(host, options);
  if (made == NULL) return HDHT_ERR_OUT_OF_MEMORY;
  made->host = host;
  made->sink = sink;
  made->context = context;
  made->started_at = now;
  made->concurrency = options->is_background ? reduced_concurrency(made) : full_concurrency(made);
  hd_query_closest_init(&made->closest, host->allocator, &options->target);
  hd_list_push_back(&host->queries, &made->link);
  host->queries_total++;
  seed(made, options);
  set_deadline(made, now); /* it starts with the next elapse, so that nothing happens in here */
  *query = made;
  return HDHT_OK;
}

static void cancel_requests(hd_query *query, hd_time now) {
  for (uint16_t number = 0; number < query->closest.count; number++) {
    hd_query_candidate *candidate = &query->closest.candidates[number];
    if (candidate->request != NULL) hd_rpc_request_cancel(query->host->rpc, now, candidate->request);
    candidate->request = NULL;
  }
}

void hd_query_destroy(hd_query *query, hd_time now) {
  hd_assert(!query->is_destroyed);
  query->is_destroyed = true;
  query->phase = DONE;
  cancel_requests(query, now);
  hd_deadline_heap_remove(&query->host->deadlines, &query->deadline);
  hd_list_remove(&query->link);
  if (query->calls == 0) free_query(query);
}

static void finish(hd_query *query, hd_time now, int error) {
  if (query->phase == DONE) return;
  query->phase = DONE;
  cancel_requests(query, now);
  set_deadline(query, HD_TIME_NEVER);
  query->sink->on_done(query->context, now, query, error);
}

void hd_query_pause(hd_query *query) {
  query->is_paused = true;
}

void hd_query_continue(hd_query *query, hd_time now) {
  query->is_paused = false;
  if (query->phase == WALKING) set_deadline(query, now);
}

void hd_query_stop_walking(hd_query *query, hd_time now) {
  if (query->phase != WALKING) return;
  enter(query);
  end_walk(query, now);
  leave(query);
}

/* ---- the walk -------------------------------------------------------------------------------------------------- */

static void on_request_done(void *context, hd_time now, const hd_rpc_result *result) {
  hd_query *query = context;
  const uint16_t number = hd_query_closest_find(&query->closest, &result->from);
  hd_assert(number != HD_QUERY_NOBODY);
  enter(query);
  query->closest.candidates[number].request = NULL;
  if (query->phase == WALKING) {
    walk_done(query, now, number, result);
  } else if (query->phase == COMMITTING) {
    commit_done(query, now, number, result);
  }
  leave(query);
}

static void on_request_slow(void *context, hd_time now, hd_rpc_request *request) {
  hd_query *query = context;
  const uint16_t number = hd_query_closest_find(&query->closest, &request->to);
  hd_assert(number != HD_QUERY_NOBODY);
  if (query->phase != WALKING) return;
  enter(query);
  hd_query_closest_set(&query->closest, number, HD_QUERY_SLOW);
  pump(query, now);
  leave(query);
}

static int ask_candidate(hd_query *query, hd_time now, uint16_t number) {
  const hd_query_options *options = &query->options;
  hd_query_candidate *candidate = &query->closest.candidates[number];
  const unsigned retries = options->retries > 0 ? options->retries : HD_QUERY_RETRIES;
  const hd_rpc_ask ask = {.to = candidate->address,
                          .is_internal = options->is_internal,
                          .has_value = options->has_value,
                          .command = options->command,
                          .target = options->target.bytes,
                          .value = options->value,
                          .pad_to = options->pad_to,
                          .retries = retries == HD_QUERY_NO_RETRIES ? 0 : retries,
                          .on_done = on_request_done,
                          .on_slow = on_request_slow,
                          .context = query};
  return hd_rpc_request_send(query->host->rpc, now, &ask, &candidate->request);
}

/* The reference goes slow while it walks on nodes it was given and does not know yet whether they are any good. */
static unsigned allowed_in_flight(const hd_query *query) {
  const unsigned heard = query->answered + query->refused + query->failed;
  const bool is_careful = !query->is_table_used && heard < query->concurrency;
  return is_careful && HD_QUERY_SLOW_CONCURRENCY < query->concurrency ? HD_QUERY_SLOW_CONCURRENCY : query->concurrency;
}

static void ask_more(hd_query *query, hd_time now) {
  while (!query->is_paused && hd_query_closest_count(&query->closest, HD_QUERY_ASKED) < allowed_in_flight(query)) {
    const uint16_t number = hd_query_closest_next(&query->closest);
    if (number == HD_QUERY_NOBODY) return;
    const int error = ask_candidate(query, now, number);
    if (error == HDHT_ERR_LIMIT || error == HDHT_ERR_OUT_OF_MEMORY) {
      set_deadline(query, hd_time_add(now, HD_RPC_WINDOW_SLOT)); /* try again when others may have finished */
      return;
    }
    hd_query_closest_set(&query->closest, number, error == HDHT_OK ? HD_QUERY_ASKED : HD_QUERY_FAILED);
    query->asked++;
    query->failed += error != HDHT_OK;
  }
}

/* Given nodes that led nowhere: start again from what we know ourselves. */
static bool fall_back_to_table(hd_query *query) {
  if (query->is_table_used || query->options.only_these_nodes) return false;
  if (query->answered >= SEED_FROM_TABLE_BELOW) return false;
  const uint16_t known = query->closest.count;
  seed_from_table(query);
  seed_from_bootstraps(query);
  return query->closest.count > known;
}

/* Somebody will be asked, or was and is not yet slow, whose answer could matter. */
static bool is_going_on(const hd_query *query) {
  return hd_query_closest_count_relevant(&query->closest, HD_QUERY_ASKED) > 0 ||
         hd_query_closest_next(&query->closest) != HD_QUERY_NOBODY;
}

/* Goes on as far as possible, and ends the walk when nothing can come of it any more. With 20 answers the silent ones
 * are not waited for; with fewer, for a while. */
static void pump(hd_query *query, hd_time now) {
  if (query->phase != WALKING || !hd_rpc_is_open(query->host->rpc)) return;
  do {
    ask_more(query, now);
    if (!is_going_on(query)) continue;
    if (query->is_patient) set_deadline(query, HD_TIME_NEVER);
    query->is_patient = false;
    return;
  } while (fall_back_to_table(query));

  const bool is_complete = hd_query_closest_count(&query->closest, HD_QUERY_ANSWERED) >= HD_QUERY_K;
  if (is_complete || hd_query_closest_count(&query->closest, HD_QUERY_SLOW) == 0) {
    end_walk(query, now);
  } else if (!query->is_patient && query->answered > 0) {
    query->is_patient = true;
    set_deadline(query, hd_time_add(now, HD_QUERY_PATIENCE));
  }
}

static void elapse(hd_query *query, hd_time now) {
  enter(query);
  if (query->phase == COMMITTING) {
    finish_if_decided(query, now);
  } else if (query->phase == WALKING && query->is_patient) {
    end_walk(query, now);
  } else {
    pump(query, now);
  }
  leave(query);
}

void hd_query_host_elapse(hd_query_host *host, hd_time now) {
  hd_deadline *due;
  while ((due = hd_deadline_heap_pop_due(&host->deadlines, now)) != NULL) {
    elapse(HD_CONTAINER_OF(due, hd_query, deadline), now);
  }
}

void hd_query_host_resume(hd_query_host *host, hd_time now) {
  for (hd_list *link = host->queries.next; link != &host->queries; link = link->next) {
    hd_query *query = HD_CONTAINER_OF(link, hd_query, link);
    if (query->phase == WALKING) set_deadline(query, now);
  }
}

static void ignore_answer(void *context, hd_time now, const hd_rpc_result *result) {
  (void)context;
  (void)now;
  (void)result;
}

/* Tells a node that another one, which it named, does not answer. */
static void send_hint(hd_query *query, hd_time now, uint16_t to, const hd_address *dead) {
  hd_query_host *host = query->host;
  if (query->closest.candidates[to].state != HD_QUERY_ANSWERED || !host->may_hint(host->context)) return;
  uint8_t value[HD_MESSAGES_DOWN_HINT_SIZE];
  hd_messages_write_down_hint(value, dead);
  const hd_rpc_ask ask = {.to = query->closest.candidates[to].address,
                          .is_internal = true,
                          .has_value = true,
                          .command = HD_MESSAGES_DOWN_HINT,
                          .value = hd_bytes_of(value, sizeof value),
                          .on_done = ignore_answer};
  (void)hd_rpc_request_send(host->rpc, now, &ask, NULL);
}

static void candidate_failed(hd_query *query, hd_time now, uint16_t number) {
  hd_query_closest_set(&query->closest, number, HD_QUERY_FAILED);
  query->failed++;
  const hd_query_candidate *candidate = &query->closest.candidates[number];
  for (unsigned i = 0; i < candidate->referrers_count; i++) {
    send_hint(query, now, candidate->referrers[i], &candidate->address);
  }
  query->host->on_dead(query->host->context, &candidate->id);
}

static void take_named_node(hd_query *query, hd_time now, uint16_t by, const hd_address *node) {
  hd_query_host *host = query->host;
  if (node->port == 0) return;
  const uint16_t known = hd_query_closest_find(&query->closest, node);
  if (known != HD_QUERY_NOBODY) {
    hd_query_closest_referred(&query->closest, known, by);
    if (query->closest.candidates[known].state == HD_QUERY_FAILED) send_hint(query, now, by, node);
    return;
  }
  if (!host->accepts(host->context, node, &query->closest.candidates[by].address)) return;
  hd_node_id id;
  hd_messages_node_id(node, id.bytes);
  if (hd_node_id_equal(&id, &host->table->own_id)) return;
  (void)hd_query_closest_add(&query->closest, &id, node, by, false);
}

static void take_named_nodes(hd_query *query, hd_time now, uint16_t by, const hd_messages_response *response) {
  if (query->options.only_these_nodes) return;
  hdht_address_list rest = response->closer_nodes;
  hd_address node;
  for (unsigned i = 0; i < HD_MESSAGES_CLOSER_NODES_MAX && hdht_address_list_next(&rest, &node); i++) {
    take_named_node(query, now, by, &node);
  }
}

static void note_answer(hd_query *query, uint16_t number, const hd_rpc_result *result) {
  const hd_messages_response *response = result->response;
  hd_query_candidate *candidate = &query->closest.candidates[number];
  candidate->seen_as = response->to;
  candidate->has_token = response->token != NULL;
  if (candidate->has_token) memcpy(candidate->token, response->token, sizeof candidate->token);
  const bool is_success = response->error == HD_MESSAGES_RPC_OK;
  query->answered += is_success;
  query->refused += !is_success;
  hd_query_closest_set(&query->closest, number, is_success && result->id != NULL ? HD_QUERY_ANSWERED : HD_QUERY_MUTE);
}

static void adapt_concurrency(hd_query *query) {
  if (!query->options.is_background) return;
  const bool is_idle = hd_query_closest_count(&query->closest, HD_QUERY_ASKED) < 3;
  query->concurrency = is_idle ? full_concurrency(query) : reduced_concurrency(query);
}

static void tell_reply(hd_query *query, hd_time now, uint16_t number, const hd_rpc_result *result) {
  const hd_messages_response *response = result->response;
  if (response->error != HD_MESSAGES_RPC_OK || query->sink->on_reply == NULL) return;
  const hd_node_id id = query->closest.candidates[number].id;
  const hd_query_reply reply = {.number = number,
                                .from = result->from,
                                .to = response->to,
                                .id = result->id != NULL ? &id : NULL,
                                .token = response->token,
                                .has_value = response->has_value,
                                .value = response->value,
                                .rtt = result->rtt};
  query->sink->on_reply(query->context, now, query, &reply);
}

static void walk_done(hd_query *query, hd_time now, uint16_t number, const hd_rpc_result *result) {
  if (result->error == HDHT_ERR_TIMED_OUT) {
    candidate_failed(query, now, number);
  } else if (result->error != HDHT_OK) {
    finish(query, now, result->error);
    return;
  } else {
    note_answer(query, number, result);
    take_named_nodes(query, now, number, result->response);
    adapt_concurrency(query);
    tell_reply(query, now, number, result);
  }
  pump(query, now);
}

/* ---- commits --------------------------------------------------------------------------------------------------- */

static void ask_for_commit(hd_query *query, hd_time now, uint16_t number) {
  query->closest.candidates[number].commit_error = COMMIT_AWAITED;
  query->sink->on_commit(query->context, now, query, number);
}

static void start_commits(hd_query *query, hd_time now) {
  uint16_t numbers[HD_QUERY_K];
  query->phase = COMMITTING;
  query->commits = query->commits_pending = hd_query_result(query, numbers);
  if (query->commits == 0) {
    finish(query, now, HDHT_ERR_NO_NODES);
    return;
  }
  for (unsigned i = 0; i < query->commits; i++) query->closest.candidates[numbers[i]].commit_error = COMMIT_AWAITED;
  const unsigned count = query->commits;
  if (query->sink->on_walked != NULL) query->sink->on_walked(query->context, now, query);
  for (unsigned i = 0; i < count && query->phase == COMMITTING; i++) ask_for_commit(query, now, numbers[i]);
}

static void end_walk(hd_query *query, hd_time now) {
  query->walked = hd_time_since(now, query->started_at);
  query->is_patient = false;
  cancel_requests(query, now);
  set_deadline(query, HD_TIME_NEVER);
  if (query->options.is_committing) {
    start_commits(query, now);
  } else {
    finish(query, now, query->answered + query->refused > 0 ? HDHT_OK : HDHT_ERR_NO_NODES);
  }
}

static void decide_commit(hd_query *query, uint16_t number, int error) {
  hd_assert(query->commits_pending > 0);
  query->closest.candidates[number].commit_error = error;
  query->commits_pending--;
}

static unsigned count_stored(const hd_query *query, int *common_error) {
  uint16_t numbers[HD_QUERY_K];
  const unsigned count = hd_query_result(query, numbers);
  unsigned stored = 0;
  *common_error = HDHT_OK;
  for (unsigned i = 0; i < count; i++) {
    const int error = query->closest.candidates[numbers[i]].commit_error;
    stored += error == HDHT_OK;
    if (error == HDHT_OK) continue;
    *common_error = *common_error == HDHT_OK || *common_error == error ? error : HDHT_ERR_QUORUM;
  }
  return stored;
}

static void finish_if_decided(hd_query *query, hd_time now) {
  if (query->phase != COMMITTING || query->commits_pending > 0) return;
  int common_error;
  const unsigned stored = count_stored(query, &common_error);
  const unsigned majority = query->commits / 2 + 1;
  const unsigned wanted = query->options.quorum > 0 ? query->options.quorum : majority;
  const unsigned needed = wanted < query->commits ? wanted : query->commits;
  const int error = stored >= needed ? HDHT_OK : stored == 0 ? common_error : HDHT_ERR_QUORUM;
  finish(query, now, error);
}

/* A token that became too old between the walk and the commit is no refusal: the node gave a new one. */
static bool renew_token(hd_query *query, uint16_t number, const hd_messages_response *response) {
  hd_query_candidate *candidate = &query->closest.candidates[number];
  const bool may_renew = response->error == HD_MESSAGES_RPC_INVALID_TOKEN && response->token != NULL;
  if (!may_renew || candidate->is_token_renewed) return false;
  memcpy(candidate->token, response->token, sizeof candidate->token);
  candidate->is_token_renewed = true;
  return true;
}

static void commit_done(hd_query *query, hd_time now, uint16_t number, const hd_rpc_result *result) {
  if (result->error == HDHT_OK && renew_token(query, number, result->response)) {
    ask_for_commit(query, now, number);
    return;
  }
  const int error = result->error == HDHT_OK ? hd_query_error_of(result->response->error) : result->error;
  decide_commit(query, number, error);
  finish_if_decided(query, now);
}

static bool is_awaited(const hd_query *query, uint16_t number) {
  return query->phase == COMMITTING && number < query->closest.count &&
         query->closest.candidates[number].commit_error == COMMIT_AWAITED;
}

int hd_query_skip(hd_query *query, hd_time now, uint16_t number, int error) {
  if (!is_awaited(query, number)) return HDHT_ERR_INVALID_STATE;
  decide_commit(query, number, error);
  if (query->commits_pending == 0) set_deadline(query, now); /* no callback from inside a command */
  return HDHT_OK;
}

int hd_query_commit(hd_query *query, hd_time now, uint16_t number, uint64_t command, bool has_value, hd_bytes value) {
  if (!is_awaited(query, number)) return HDHT_ERR_INVALID_STATE;
  hd_query_candidate *candidate = &query->closest.candidates[number];
  const hd_rpc_ask ask = {.to = candidate->address,
                          .is_internal = query->options.is_internal,
                          .has_value = has_value,
                          .command = command,
                          .target = query->options.target.bytes,
                          .token = candidate->has_token ? candidate->token : NULL,
                          .value = value,
                          .retries = HD_RPC_RETRIES_DEFAULT,
                          .on_done = on_request_done,
                          .context = query};
  const int error = hd_rpc_request_send(query->host->rpc, now, &ask, &candidate->request);
  if (error != HDHT_OK) {
    (void)hd_query_skip(query, now, number, error);
    return error;
  }
  candidate->commit_error = COMMIT_SENT;
  return HDHT_OK;
}

/* ---- looking --------------------------------------------------------------------------------------------------- */

const hd_query_candidate *hd_query_candidate_of(const hd_query *query, uint16_t number) {
  hd_assert(number < query->closest.count);
  return &query->closest.candidates[number];
}

unsigned hd_query_result(const hd_query *query, uint16_t numbers[HD_QUERY_K]) {
  return hd_query_closest_result(&query->closest, numbers);
}

hd_query_counts hd_query_count(const hd_query *query) {
  hd_query_counts counts = {.asked = query->asked,
                            .answered = query->answered,
                            .refused = query->refused,
                            .failed = query->failed,
                            .commits = query->commits,
                            .walked = query->walked};
  uint16_t numbers[HD_QUERY_K];
  const unsigned count = hd_query_result(query, numbers);
  for (unsigned i = 0; i < count; i++) {
    const hd_query_candidate *candidate = &query->closest.candidates[numbers[i]];
    if (candidate->depth > counts.rounds) counts.rounds = candidate->depth;
    counts.stored += query->commits > 0 && candidate->commit_error == HDHT_OK;
  }
  return counts;
}

void *hd_query_context(const hd_query *query) {
  return query->context;
}

const hd_node_id *hd_query_target(const hd_query *query) {
  return &query->options.target;
}

int hd_query_error_of(uint64_t remote_error) {
  switch (remote_error) {
    case HD_MESSAGES_RPC_OK: return HDHT_OK;
    case HD_MESSAGES_RPC_UNKNOWN_COMMAND: return HDHT_ERR_UNKNOWN_COMMAND;
    case HD_MESSAGES_RPC_INVALID_TOKEN: return HDHT_ERR_INVALID_TOKEN;
    case HD_MESSAGES_ERROR_SEQ_REUSED: return HDHT_ERR_SEQ_REUSED;
    case HD_MESSAGES_ERROR_SEQ_TOO_LOW: return HDHT_ERR_SEQ_TOO_LOW;
    default: return HDHT_ERR_REFUSED;
  }
}
