#include "announce/announce_operation.h"

#include "base/assertion.h"
#include "crypto/secret.h"
#include "messages/message_command.h"

/* Requests are padded so that nodes that limit their answers to three times the request can answer in full: 20 closer
 * nodes and a token, and for lookups a handful of records as well. */
#define PAD_FIND_NODE 56
#define PAD_FIND_PEER 84
#define PAD_LOOKUP    160
#define PAD_GET       84

/* A node that is told to forget our record. */
typedef struct unannounce {
  uint16_t number;
  bool is_signed;
  hd_rpc_request *request; /* NULL while it waits for a signature */
} unannounce;

struct hd_announce_operation {
  hd_query_host *host;
  hd_query *query;
  const hd_announce_sink *sink;
  void *context;
  hd_announce_kind kind;
  hd_node_id target;
  uint8_t public_key[HD_PUBLIC_KEY_SIZE];
  uint8_t secret_key[HD_SECRET_KEY_SIZE];
  bool has_secret_key;
  hd_address relays[HD_ANNOUNCE_RELAYS_LIMIT];
  size_t relays_count;
  uint64_t bump;
  bool clears_first;
  bool takes_first;
  bool stores_again;

  /* The value to put, or the best found. */
  bool has_value;
  uint8_t *value;
  size_t value_size;
  uint64_t seq;
  bool has_signature;
  uint8_t signature[HD_SIGNATURE_SIZE];
  bool is_signature_wanted; /* on_sign was asked for it */

  unannounce unannounces[HD_ANNOUNCE_UNANNOUNCES_LIMIT];
  unsigned unannounces_count;
  unsigned unannounces_pending;
  unsigned unannounced;
  uint16_t commits[HD_QUERY_K]; /* nodes whose commit waits for the unannounces or for a signature */
  unsigned commits_count;

  bool is_query_done;
  int query_error;
  unsigned calls; /* as in query.c */
  bool is_destroyed;
  bool is_done;
};

static const hd_query_sink query_sink;
static void unannounce_from(hd_announce_operation *operation, hd_time now, uint16_t number);
static void finish_if_over(hd_announce_operation *operation, hd_time now);

/* ---- life ------------------------------------------------------------------------------------------------------ */

static bool is_mutable(hd_announce_kind kind) {
  return kind == HD_ANNOUNCE_MUTABLE_GET || kind == HD_ANNOUNCE_MUTABLE_PUT;
}

static bool is_of_a_key(hd_announce_kind kind) {
  return is_mutable(kind) || kind == HD_ANNOUNCE_ANNOUNCE || kind == HD_ANNOUNCE_UNANNOUNCE;
}

static int check_options(const hd_announce_options *options) {
  if (is_of_a_key(options->kind) && options->public_key == NULL) return HDHT_ERR_INVALID_ARGUMENT;
  if (options->relays_count > HD_ANNOUNCE_RELAYS_LIMIT) return HDHT_ERR_INVALID_ARGUMENT;
  for (size_t i = 0; i < options->relays_count; i++) {
    if (options->relays[i].family != HDHT_FAMILY_IPV4) return HDHT_ERR_INVALID_ARGUMENT;
  }
  if (options->kind == HD_ANNOUNCE_IMMUTABLE_PUT && options->value.size > HD_ANNOUNCE_IMMUTABLE_SIZE_MAX) {
    return HDHT_ERR_TOO_LARGE;
  }
  if (options->kind != HD_ANNOUNCE_MUTABLE_PUT) return HDHT_OK;
  if (options->value.size > HD_ANNOUNCE_MUTABLE_SIZE_MAX) return HDHT_ERR_TOO_LARGE;
  if (options->seq > HD_CODEC_SAFE_INTEGER_MAX) return HDHT_ERR_INVALID_ARGUMENT;
  if (options->signature == NULL) return HDHT_OK;
  return hd_messages_verify_mutable(options->public_key, options->seq, options->value, options->signature);
}

static void release_value(hd_announce_operation *operation) {
  hd_release(operation->host->allocator, operation->value, operation->value_size);
  operation->value = NULL;
  operation->value_size = 0;
  operation->has_value = false;
}

static int keep_value(hd_announce_operation *operation, hd_bytes value) {
  uint8_t *copy = value.size > 0 ? hd_allocate(operation->host->allocator, value.size) : NULL;
  if (value.size > 0 && copy == NULL) return HDHT_ERR_OUT_OF_MEMORY;
  if (value.size > 0) memcpy(copy, value.data, value.size);
  release_value(operation);
  operation->value = copy;
  operation->value_size = value.size;
  operation->has_value = true;
  return HDHT_OK;
}

static hd_bytes value_of(const hd_announce_operation *operation) {
  return hd_bytes_of(operation->value, operation->value_size);
}

static void free_operation(hd_announce_operation *operation) {
  release_value(operation);
  hd_secret_release(operation->host->allocator, operation, sizeof *operation);
}

static void enter(hd_announce_operation *operation) {
  operation->calls++;
}

static void leave(hd_announce_operation *operation) {
  hd_assert(operation->calls > 0);
  operation->calls--;
  if (operation->calls == 0 && operation->is_destroyed) free_operation(operation);
}

static void find_target(hd_announce_operation *operation, const hd_announce_options *options) {
  operation->target = options->target;
  if (operation->kind == HD_ANNOUNCE_IMMUTABLE_PUT) {
    hd_hash(options->value.data, options->value.size, operation->target.bytes);
  } else if (is_mutable(operation->kind)) {
    hd_hash(options->public_key, HD_PUBLIC_KEY_SIZE, operation->target.bytes);
  }
}

static int fill(hd_announce_operation *operation, const hd_announce_options *options) {
  operation->kind = options->kind;
  operation->bump = options->bump;
  operation->clears_first = options->clears_first;
  operation->takes_first = options->takes_first;
  operation->stores_again = options->stores_again && options->kind == HD_ANNOUNCE_MUTABLE_GET;
  operation->seq = options->seq;
  operation->relays_count = options->relays_count;
  for (size_t i = 0; i < options->relays_count; i++) operation->relays[i] = options->relays[i];
  if (options->public_key != NULL) memcpy(operation->public_key, options->public_key, sizeof operation->public_key);
  operation->has_secret_key = options->secret_key != NULL;
  if (operation->has_secret_key) memcpy(operation->secret_key, options->secret_key, sizeof operation->secret_key);
  operation->has_signature = options->signature != NULL;
  if (operation->has_signature) memcpy(operation->signature, options->signature, sizeof operation->signature);
  find_target(operation, options);
  const bool is_put = options->kind == HD_ANNOUNCE_IMMUTABLE_PUT || options->kind == HD_ANNOUNCE_MUTABLE_PUT;
  return is_put ? keep_value(operation, options->value) : HDHT_OK;
}

/* What every node is asked during the walk. */
static void choose_question(const hd_announce_operation *operation, hd_query_options *query) {
  switch (operation->kind) {
    case HD_ANNOUNCE_FIND_NODE:
      query->is_internal = true;
      query->command = HD_MESSAGES_FIND_NODE;
      query->pad_to = PAD_FIND_NODE;
      break;
    case HD_ANNOUNCE_FIND_PEER:
      query->command = HD_MESSAGES_FIND_PEER;
      query->pad_to = PAD_FIND_PEER;
      break;
    case HD_ANNOUNCE_LOOKUP:
    case HD_ANNOUNCE_ANNOUNCE:
    case HD_ANNOUNCE_UNANNOUNCE:
      query->command = HD_MESSAGES_LOOKUP;
      query->pad_to = PAD_LOOKUP;
      break;
    case HD_ANNOUNCE_IMMUTABLE_GET:
    case HD_ANNOUNCE_IMMUTABLE_PUT:
      query->command = HD_MESSAGES_IMMUTABLE_GET;
      query->pad_to = PAD_GET;
      break;
    case HD_ANNOUNCE_MUTABLE_GET:
    case HD_ANNOUNCE_MUTABLE_PUT:
      query->command = HD_MESSAGES_MUTABLE_GET;
      query->has_value = true;
      query->pad_to = PAD_GET;
      break;
  }
}

static bool is_committing(const hd_announce_operation *operation) {
  switch (operation->kind) {
    case HD_ANNOUNCE_ANNOUNCE:
    case HD_ANNOUNCE_IMMUTABLE_PUT:
    case HD_ANNOUNCE_MUTABLE_PUT: return true;
    case HD_ANNOUNCE_MUTABLE_GET: return operation->stores_again;
    case HD_ANNOUNCE_FIND_NODE:
    case HD_ANNOUNCE_FIND_PEER:
    case HD_ANNOUNCE_LOOKUP:
    case HD_ANNOUNCE_UNANNOUNCE:
    case HD_ANNOUNCE_IMMUTABLE_GET: return false;
  }
  hd_unreachable();
}

static int start_query(hd_announce_operation *operation, hd_time now, const hd_announce_options *options) {
  uint8_t seq_bytes[HD_CODEC_UINT_MAX_SIZE];
  hd_writer writer = hd_writer_of(seq_bytes, sizeof seq_bytes);
  const hd_messages_mutable_get question = {.seq_min = operation->kind == HD_ANNOUNCE_MUTABLE_GET ? options->seq : 0};
  if (hd_messages_write_mutable_get(&writer, &question) != HDHT_OK) return HDHT_ERR_INVALID_ARGUMENT;
  hd_query_options query = {.target = operation->target,
                            .nodes = options->nodes,
                            .nodes_count = options->nodes_count,
                            .only_these_nodes = options->only_these_nodes,
                            .is_committing = is_committing(operation),
                            .concurrency = options->concurrency,
                            .retries = options->retries,
                            .quorum = options->quorum};
  choose_question(operation, &query);
  if (query.has_value) query.value = hd_bytes_of(seq_bytes, (size_t)(writer.next - seq_bytes));
  return hd_query_create(operation->host, now, &query, &query_sink, operation, &operation->query);
}

int hd_announce_start(hd_query_host *host, hd_time now, const hd_announce_options *options,
                      const hd_announce_sink *sink, void *context, hd_announce_operation **operation) {
  int error = check_options(options);
  if (error != HDHT_OK) return error;
  hd_announce_operation *made = hd_allocate_zeroed(host->allocator, sizeof *made);
  if (made == NULL) return HDHT_ERR_OUT_OF_MEMORY;
  made->host = host;
  made->sink = sink;
  made->context = context;
  error = fill(made, options);
  if (error == HDHT_OK) error = start_query(made, now, options);
  if (error != HDHT_OK) {
    free_operation(made);
    return error;
  }
  *operation = made;
  return HDHT_OK;
}

void hd_announce_destroy(hd_announce_operation *operation, hd_time now) {
  hd_assert(!operation->is_destroyed);
  operation->is_destroyed = true;
  hd_query_destroy(operation->query, now);
  for (unsigned i = 0; i < operation->unannounces_count; i++) {
    hd_rpc_request *request = operation->unannounces[i].request;
    if (request != NULL) hd_rpc_request_cancel(operation->host->rpc, now, request);
  }
  if (operation->calls == 0) free_operation(operation);
}

hd_query *hd_announce_query(const hd_announce_operation *operation) {
  return operation->query;
}

void *hd_announce_context(const hd_announce_operation *operation) {
  return operation->context;
}

/* ---- what nodes answer ----------------------------------------------------------------------------------------- */

static void tell_found(hd_announce_operation *operation, hd_time now, const hd_query_reply *reply,
                       hd_announce_found found) {
  if (operation->sink->on_found == NULL) return;
  found.from = reply->from;
  found.to = reply->to;
  found.id = reply->id;
  found.token = reply->token;
  operation->sink->on_found(operation->context, now, operation, &found);
}

static void found_peer(hd_announce_operation *operation, hd_time now, const hd_query_reply *reply) {
  hd_reader reader = hd_reader_of(reply->value);
  hdht_peer peer;
  if (!reply->has_value || hd_messages_read_peer(&reader, &peer) != HDHT_OK) return;
  tell_found(operation, now, reply, (hd_announce_found){.peers = {.array = &peer, .count = 1}});
}

static bool lists_key(hdht_peer_list peers, const uint8_t *public_key) {
  hdht_peer peer;
  while (hdht_peer_list_next(&peers, &peer)) {
    if (memcmp(peer.public_key, public_key, HD_PUBLIC_KEY_SIZE) == 0) return true;
  }
  return false;
}

/* A node that lists as many as it may could have our record as well. */
static bool may_have_our_record(const hd_announce_operation *operation, hdht_peer_list peers) {
  return peers.count >= HD_MESSAGES_LOOKUP_PEERS_MAX || lists_key(peers, operation->public_key);
}

static void found_topic(hd_announce_operation *operation, hd_time now, const hd_query_reply *reply) {
  hd_reader reader = hd_reader_of(reply->value);
  hd_messages_lookup_reply message;
  if (!reply->has_value || hd_messages_read_lookup_reply(&reader, &message) != HDHT_OK) return;
  const bool clears =
      operation->kind == HD_ANNOUNCE_UNANNOUNCE || (operation->kind == HD_ANNOUNCE_ANNOUNCE && operation->clears_first);
  if (clears && reply->token != NULL && reply->id != NULL && may_have_our_record(operation, message.peers)) {
    unannounce_from(operation, now, reply->number);
  }
  if (operation->is_destroyed) return;
  tell_found(operation, now, reply, (hd_announce_found){.peers = message.peers, .bump = message.bump});
}

static void found_immutable(hd_announce_operation *operation, hd_time now, const hd_query_reply *reply) {
  uint8_t hash[HD_HASH_SIZE];
  if (!reply->has_value || operation->has_value) return;
  hd_hash(reply->value.data, reply->value.size, hash);
  if (memcmp(hash, operation->target.bytes, sizeof hash) != 0) return;
  if (keep_value(operation, reply->value) != HDHT_OK) return;
  tell_found(operation, now, reply, (hd_announce_found){.value = reply->value});
  if (!operation->is_destroyed) hd_query_stop_walking(operation->query, now);
}

/* Signatures are verified only for what would be better than the best so far. */
static void found_mutable(hd_announce_operation *operation, hd_time now, const hd_query_reply *reply) {
  hd_messages_mutable_found found;
  hd_reader reader = hd_reader_of(reply->value);
  if (!reply->has_value || hd_messages_read_mutable_found(&reader, &found) != HDHT_OK) return;
  const bool is_better = operation->has_value ? found.seq > operation->seq : found.seq >= operation->seq;
  if (!is_better) return;
  if (hd_messages_verify_mutable(operation->public_key, found.seq, found.value, found.signature) != HDHT_OK) return;
  if (keep_value(operation, found.value) != HDHT_OK) return;
  operation->seq = found.seq;
  operation->has_signature = true;
  memcpy(operation->signature, found.signature, sizeof operation->signature);
  tell_found(operation, now, reply,
             (hd_announce_found){.value = found.value, .seq = found.seq, .signature = found.signature});
  if (!operation->is_destroyed && operation->takes_first) hd_query_stop_walking(operation->query, now);
}

static void on_reply(void *context, hd_time now, hd_query *query, const hd_query_reply *reply) {
  hd_announce_operation *operation = context;
  (void)query;
  enter(operation);
  switch (operation->kind) {
    case HD_ANNOUNCE_FIND_NODE: tell_found(operation, now, reply, (hd_announce_found){.bump = 0}); break;
    case HD_ANNOUNCE_FIND_PEER: found_peer(operation, now, reply); break;
    case HD_ANNOUNCE_LOOKUP:
    case HD_ANNOUNCE_ANNOUNCE:
    case HD_ANNOUNCE_UNANNOUNCE: found_topic(operation, now, reply); break;
    case HD_ANNOUNCE_IMMUTABLE_GET: found_immutable(operation, now, reply); break;
    case HD_ANNOUNCE_MUTABLE_GET: found_mutable(operation, now, reply); break;
    case HD_ANNOUNCE_IMMUTABLE_PUT:
    case HD_ANNOUNCE_MUTABLE_PUT: break;
  }
  leave(operation);
}

/* ---- signatures ------------------------------------------------------------------------------------------------ */

static hdht_peer record_of(const hd_announce_operation *operation, hd_announce_purpose purpose) {
  hdht_peer peer = {.public_key = operation->public_key};
  if (purpose == HD_ANNOUNCE_TO_ANNOUNCE) {
    peer.relay_addresses = (hdht_address_list){.array = operation->relays, .count = operation->relays_count};
  }
  return peer;
}

static hd_announce_to_sign wish_of(const hd_announce_operation *operation, hd_announce_purpose purpose,
                                   uint16_t number) {
  hd_announce_to_sign wish = {.purpose = purpose,
                              .number = number,
                              .target = operation->target.bytes,
                              .peer = record_of(operation, purpose),
                              .seq = operation->seq,
                              .value = value_of(operation)};
  if (purpose != HD_ANNOUNCE_TO_STORE) {
    const hd_query_candidate *candidate = hd_query_candidate_of(operation->query, number);
    wish.node_id = candidate->id.bytes;
    wish.token = candidate->token;
  }
  const int error = hd_announce_prepare(&wish);
  hd_assert(error == HDHT_OK); /* the record was checked at the start */
  return wish;
}

/* Signs at once, or asks the holder of the key. Returns whether the signature is there. */
static bool sign(hd_announce_operation *operation, hd_time now, const hd_announce_to_sign *wish,
                 uint8_t signature[HD_SIGNATURE_SIZE]) {
  if (operation->has_secret_key) {
    hd_signature_sign(operation->secret_key, wish->signable, sizeof wish->signable, signature);
    return true;
  }
  if (operation->sink->on_sign != NULL) operation->sink->on_sign(operation->context, now, operation, wish);
  return false;
}

/* ---- unannouncing ---------------------------------------------------------------------------------------------- */

static void start_commits(hd_announce_operation *operation, hd_time now);

static unannounce *find_unannounce(hd_announce_operation *operation, uint16_t number) {
  for (unsigned i = 0; i < operation->unannounces_count; i++) {
    if (operation->unannounces[i].number == number) return &operation->unannounces[i];
  }
  return NULL;
}

static void unannounce_over(hd_announce_operation *operation, hd_time now) {
  hd_assert(operation->unannounces_pending > 0);
  operation->unannounces_pending--;
  if (operation->unannounces_pending > 0) return;
  start_commits(operation, now);
  if (!operation->is_destroyed) finish_if_over(operation, now);
}

static void unannounce_done(void *context, hd_time now, const hd_rpc_result *result) {
  hd_announce_operation *operation = context;
  enter(operation);
  for (unsigned i = 0; i < operation->unannounces_count; i++) {
    unannounce *entry = &operation->unannounces[i];
    const hd_query_candidate *candidate = hd_query_candidate_of(operation->query, entry->number);
    if (entry->request == NULL || !hd_address_equal(&candidate->address, &result->from)) continue;
    entry->request = NULL;
    operation->unannounced += result->error == HDHT_OK && result->response->error == HD_MESSAGES_RPC_OK;
    unannounce_over(operation, now);
    break;
  }
  leave(operation);
}

static int send_unannounce(hd_announce_operation *operation, hd_time now, unannounce *entry, const uint8_t *signature) {
  const hd_announce_to_sign wish = wish_of(operation, HD_ANNOUNCE_TO_UNANNOUNCE, entry->number);
  const hd_query_candidate *candidate = hd_query_candidate_of(operation->query, entry->number);
  uint8_t value[HD_ANNOUNCE_VALUE_SIZE_MAX];
  size_t size;
  const int error = hd_announce_write(&wish, signature, 0, value, &size);
  if (error != HDHT_OK) return error;
  const hd_rpc_ask ask = {.to = candidate->address,
                          .has_value = true,
                          .command = HD_MESSAGES_UNANNOUNCE,
                          .target = operation->target.bytes,
                          .token = candidate->token,
                          .value = hd_bytes_of(value, size),
                          .retries = HD_RPC_RETRIES_DEFAULT,
                          .on_done = unannounce_done,
                          .context = operation};
  entry->is_signed = true;
  return hd_rpc_request_send(operation->host->rpc, now, &ask, &entry->request);
}

static void unannounce_from(hd_announce_operation *operation, hd_time now, uint16_t number) {
  if (operation->unannounces_count == HD_ANNOUNCE_UNANNOUNCES_LIMIT) return;
  unannounce *entry = &operation->unannounces[operation->unannounces_count++];
  *entry = (unannounce){.number = number};
  operation->unannounces_pending++;
  const hd_announce_to_sign wish = wish_of(operation, HD_ANNOUNCE_TO_UNANNOUNCE, number);
  uint8_t signature[HD_SIGNATURE_SIZE];
  if (!sign(operation, now, &wish, signature)) return;
  if (send_unannounce(operation, now, entry, signature) != HDHT_OK) operation->unannounces_pending--;
}

/* ---- committing ------------------------------------------------------------------------------------------------ */

static void commit_announce(hd_announce_operation *operation, hd_time now, uint16_t number, const uint8_t *signature) {
  const hd_announce_to_sign wish = wish_of(operation, HD_ANNOUNCE_TO_ANNOUNCE, number);
  uint8_t value[HD_ANNOUNCE_VALUE_SIZE_MAX];
  size_t size;
  const int error = hd_announce_write(&wish, signature, operation->bump, value, &size);
  hd_assert(error == HDHT_OK); /* the record was checked at the start */
  (void)hd_query_commit(operation->query, now, number, HD_MESSAGES_ANNOUNCE, true, hd_bytes_of(value, size));
}

static void commit_mutable(hd_announce_operation *operation, hd_time now, uint16_t number) {
  const hd_messages_mutable_put message = {.public_key = operation->public_key,
                                           .seq = operation->seq,
                                           .value = value_of(operation),
                                           .signature = operation->signature};
  uint8_t value[HD_MESSAGES_RPC_SIZE_MAX];
  hd_writer writer = hd_writer_of(value, sizeof value);
  if (hd_messages_write_mutable_put(&writer, &message) != HDHT_OK) {
    (void)hd_query_skip(operation->query, now, number, HDHT_ERR_TOO_LARGE);
    return;
  }
  (void)hd_query_commit(operation->query, now, number, HD_MESSAGES_MUTABLE_PUT, true,
                        hd_bytes_of(value, (size_t)(writer.next - value)));
}

/* One signature is for all nodes. Returns whether it is there. */
static bool has_mutable_signature(hd_announce_operation *operation, hd_time now) {
  if (operation->has_signature) return true;
  if (operation->is_signature_wanted) return false;
  operation->is_signature_wanted = true;
  const hd_announce_to_sign wish = wish_of(operation, HD_ANNOUNCE_TO_STORE, 0);
  operation->has_signature = sign(operation, now, &wish, operation->signature);
  return operation->has_signature;
}

static void forget_commit(hd_announce_operation *operation, uint16_t number) {
  for (unsigned i = 0; i < operation->commits_count; i++) {
    if (operation->commits[i] == number) operation->commits[i] = operation->commits[--operation->commits_count];
  }
}

static void commit(hd_announce_operation *operation, hd_time now, uint16_t number) {
  uint8_t signature[HD_SIGNATURE_SIZE];
  switch (operation->kind) {
    case HD_ANNOUNCE_ANNOUNCE: {
      const hd_announce_to_sign wish = wish_of(operation, HD_ANNOUNCE_TO_ANNOUNCE, number);
      if (!sign(operation, now, &wish, signature)) return;
      commit_announce(operation, now, number, signature);
      break;
    }
    case HD_ANNOUNCE_IMMUTABLE_PUT:
      (void)hd_query_commit(operation->query, now, number, HD_MESSAGES_IMMUTABLE_PUT, true, value_of(operation));
      break;
    case HD_ANNOUNCE_MUTABLE_PUT:
      if (!has_mutable_signature(operation, now)) return;
      commit_mutable(operation, now, number);
      break;
    case HD_ANNOUNCE_MUTABLE_GET:
      if (operation->has_value) {
        commit_mutable(operation, now, number);
      } else {
        (void)hd_query_skip(operation->query, now, number, HDHT_ERR_NOT_FOUND);
      }
      break;
    case HD_ANNOUNCE_FIND_NODE:
    case HD_ANNOUNCE_FIND_PEER:
    case HD_ANNOUNCE_LOOKUP:
    case HD_ANNOUNCE_UNANNOUNCE:
    case HD_ANNOUNCE_IMMUTABLE_GET: hd_unreachable();
  }
  if (!operation->is_destroyed) forget_commit(operation, number);
}

/* A commit that waits for a signature stays in the list; its signature may even come during the call. */
static void start_commits(hd_announce_operation *operation, hd_time now) {
  uint16_t numbers[HD_QUERY_K];
  const unsigned count = operation->commits_count;
  memcpy(numbers, operation->commits, sizeof numbers);
  for (unsigned i = 0; i < count && !operation->is_destroyed; i++) commit(operation, now, numbers[i]);
}

/* An unannounce must not overtake the announcement that follows it. */
static void on_commit(void *context, hd_time now, hd_query *query, uint16_t number) {
  hd_announce_operation *operation = context;
  (void)query;
  hd_assert(operation->commits_count < HD_QUERY_K);
  operation->commits[operation->commits_count++] = number;
  if (operation->unannounces_pending > 0) return;
  enter(operation);
  commit(operation, now, number);
  leave(operation);
}

static int take_store_signature(hd_announce_operation *operation, hd_time now, const uint8_t *signature) {
  if (!operation->is_signature_wanted || operation->has_signature) return HDHT_ERR_INVALID_STATE;
  int error = signature == NULL ? HDHT_ERR_CANCELLED : HDHT_OK;
  if (error == HDHT_OK) {
    error = hd_messages_verify_mutable(operation->public_key, operation->seq, value_of(operation), signature);
  }
  if (error == HDHT_OK) {
    memcpy(operation->signature, signature, sizeof operation->signature);
    operation->has_signature = true;
    start_commits(operation, now);
    return HDHT_OK;
  }
  while (operation->commits_count > 0) {
    (void)hd_query_skip(operation->query, now, operation->commits[--operation->commits_count], error);
  }
  return signature == NULL ? HDHT_OK : error;
}

static int check_signature(const hd_announce_operation *operation, const hd_announce_to_sign *wish,
                           const uint8_t *signature) {
  if (signature == NULL) return HDHT_ERR_CANCELLED;
  return hd_signature_verify(operation->public_key, wish->signable, sizeof wish->signable, signature);
}

static int take_unannounce_signature(hd_announce_operation *operation, hd_time now, uint16_t number,
                                     const uint8_t *signature) {
  unannounce *entry = find_unannounce(operation, number);
  if (entry == NULL || entry->is_signed) return HDHT_ERR_INVALID_STATE;
  const hd_announce_to_sign wish = wish_of(operation, HD_ANNOUNCE_TO_UNANNOUNCE, number);
  const int error = check_signature(operation, &wish, signature);
  entry->is_signed = true;
  if (error != HDHT_OK || send_unannounce(operation, now, entry, signature) != HDHT_OK) {
    unannounce_over(operation, now);
  }
  return signature == NULL ? HDHT_OK : error;
}

static bool is_commit_waiting(const hd_announce_operation *operation, uint16_t number) {
  for (unsigned i = 0; i < operation->commits_count; i++) {
    if (operation->commits[i] == number) return true;
  }
  return false;
}

static int take_announce_signature(hd_announce_operation *operation, hd_time now, uint16_t number,
                                   const uint8_t *signature) {
  if (operation->unannounces_pending > 0 || !is_commit_waiting(operation, number)) return HDHT_ERR_INVALID_STATE;
  const hd_announce_to_sign wish = wish_of(operation, HD_ANNOUNCE_TO_ANNOUNCE, number);
  const int error = check_signature(operation, &wish, signature);
  forget_commit(operation, number);
  if (error == HDHT_OK) {
    commit_announce(operation, now, number, signature);
  } else {
    (void)hd_query_skip(operation->query, now, number, error);
  }
  return signature == NULL ? HDHT_OK : error;
}

int hd_announce_signed(hd_announce_operation *operation, hd_time now, hd_announce_purpose purpose, uint16_t number,
                       const uint8_t *signature) {
  if (operation->is_done) return HDHT_ERR_INVALID_STATE;
  enter(operation);
  int error = HDHT_ERR_INVALID_STATE;
  switch (purpose) {
    case HD_ANNOUNCE_TO_ANNOUNCE: error = take_announce_signature(operation, now, number, signature); break;
    case HD_ANNOUNCE_TO_UNANNOUNCE: error = take_unannounce_signature(operation, now, number, signature); break;
    case HD_ANNOUNCE_TO_STORE: error = take_store_signature(operation, now, signature); break;
  }
  leave(operation);
  return error;
}

/* ---- the end --------------------------------------------------------------------------------------------------- */

static bool is_get(const hd_announce_operation *operation) {
  return operation->kind == HD_ANNOUNCE_IMMUTABLE_GET || operation->kind == HD_ANNOUNCE_MUTABLE_GET;
}

/* A get succeeds by what it found, whoever answered or took the value again. */
static int final_error(const hd_announce_operation *operation) {
  if (!is_get(operation)) return operation->query_error;
  if (operation->has_value) return HDHT_OK;
  const bool has_nobody_it = operation->query_error == HDHT_OK || operation->query_error == HDHT_ERR_NOT_FOUND;
  return has_nobody_it ? HDHT_ERR_NOT_FOUND : operation->query_error;
}

static void finish_if_over(hd_announce_operation *operation, hd_time now) {
  if (!operation->is_query_done || operation->unannounces_pending > 0 || operation->is_done) return;
  operation->is_done = true;
  hd_announce_result result = {.error = final_error(operation),
                               .counts = hd_query_count(operation->query),
                               .unannounced = operation->unannounced,
                               .has_value = is_get(operation) && operation->has_value,
                               .seq = operation->seq,
                               .signature = operation->has_signature ? operation->signature : NULL};
  if (result.has_value) result.value = value_of(operation);
  operation->sink->on_done(operation->context, now, operation, &result);
}

static void on_query_done(void *context, hd_time now, hd_query *query, int error) {
  hd_announce_operation *operation = context;
  (void)query;
  enter(operation);
  operation->is_query_done = true;
  operation->query_error = error;
  finish_if_over(operation, now);
  leave(operation);
}

static const hd_query_sink query_sink = {.on_reply = on_reply, .on_commit = on_commit, .on_done = on_query_done};
