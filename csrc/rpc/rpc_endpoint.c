#include "rpc/rpc_endpoint.h"

#include "base/assertion.h"
#include "messages/message_node_id.h"

/* Header, id, token and error: what every answer may take, however small the request was. */
#define FIXED_ANSWER_SIZE (10 + HDHT_NODE_ID_SIZE + HDHT_TOKEN_SIZE + 1)

/* Answers above this lose closer nodes before they are fragmented on common paths. */
#define ANSWER_SIZE_SAFE 1400

#define COST_OF_READING 1
#define COST_OF_WRITING 5 /* a token comes with a signature to verify or a value to store */

static void transmit(hd_rpc *rpc, hd_time now, hd_rpc_request *request, uint8_t ttl);
static void drain_waiting(hd_rpc *rpc, hd_time now);

void hd_rpc_init(hd_rpc *rpc, const hd_rpc_options *options, hd_time now) {
  *rpc =
      (hd_rpc){.allocator = options->allocator,
               .owner = options->owner,
               .entropy = options->entropy,
               .is_firewalled = true,
               .window = hd_rpc_window_of(options->window_limit > 0 ? options->window_limit : HD_RPC_WINDOW_DEFAULT)};
  const uint64_t seed[2] = {hd_entropy_u64(rpc->entropy), hd_entropy_u64(rpc->entropy)};
  const hd_rpc_flood_limits limits =
      options->flood_limits.per_second > 0 ? options->flood_limits : HD_RPC_FLOOD_LIMITS_DEFAULT;
  hd_rpc_tokens_init(&rpc->tokens, rpc->entropy, now);
  hd_rpc_flood_init(&rpc->flood, rpc->allocator, limits, seed);
  hd_rpc_proofs_init(&rpc->proofs, rpc->allocator, seed);
  hd_rpc_outbox_init(&rpc->outbox, rpc->allocator);
  hd_rpc_requests_init(&rpc->requests, rpc->allocator, rpc->entropy);
}

void hd_rpc_destroy(hd_rpc *rpc) {
  hd_rpc_tokens_destroy(&rpc->tokens);
  hd_rpc_flood_destroy(&rpc->flood);
  hd_rpc_proofs_destroy(&rpc->proofs);
  hd_rpc_outbox_destroy(&rpc->outbox);
  hd_rpc_requests_destroy(&rpc->requests);
  hd_release(rpc->allocator, rpc->challenges, HD_RPC_CHALLENGES_LIMIT * sizeof *rpc->challenges);
}

void hd_rpc_open(hd_rpc *rpc, hd_socket_id server_socket, hd_socket_id client_socket) {
  hd_assert(server_socket != HD_SOCKET_NONE);
  hd_assert(client_socket != HD_SOCKET_NONE);
  rpc->server_socket = server_socket;
  rpc->client_socket = client_socket;
}

bool hd_rpc_is_open(const hd_rpc *rpc) {
  return rpc->server_socket != HD_SOCKET_NONE;
}

hd_socket_id hd_rpc_socket_in_use(const hd_rpc *rpc) {
  return rpc->is_firewalled ? rpc->client_socket : rpc->server_socket;
}

/* ---- ending requests ------------------------------------------------------------------------------------------- */

/* The request is gone before its owner is told, so that the owner may do anything. */
static void finish(hd_rpc *rpc, hd_time now, hd_rpc_request *request, hd_rpc_result *result) {
  hd_rpc_done *on_done = request->on_done;
  void *context = request->context;
  result->from = request->to;
  result->transmissions = request->transmissions;
  hd_rpc_window_take_back(&rpc->window, now, &request->window_place);
  hd_rpc_requests_remove(&rpc->requests, request);
  on_done(context, now, result);
}

static void fail(hd_rpc *rpc, hd_time now, hd_rpc_request *request, int error) {
  hd_rpc_result result = {.error = error};
  finish(rpc, now, request, &result);
}

void hd_rpc_request_cancel(hd_rpc *rpc, hd_time now, hd_rpc_request *request) {
  hd_rpc_window_take_back(&rpc->window, now, &request->window_place);
  hd_rpc_requests_remove(&rpc->requests, request);
}

void hd_rpc_close(hd_rpc *rpc, hd_time now, int error) {
  rpc->server_socket = rpc->client_socket = HD_SOCKET_NONE;
  hd_rpc_outbox_clear(&rpc->outbox);
  for (hd_rpc_request *request; (request = hd_rpc_requests_any(&rpc->requests)) != NULL;) {
    fail(rpc, now, request, error);
  }
}

/* ---- sending requests ------------------------------------------------------------------------------------------ */

/* Our id, in what leaves through the server socket. */
static const uint8_t *id_for(const hd_rpc *rpc, hd_socket_id socket) {
  return socket == rpc->server_socket ? rpc->owner.own_id(rpc->owner.context) : NULL;
}

static int check_ask(const hd_rpc *rpc, const hd_rpc_ask *ask) {
  if (!hd_rpc_is_open(rpc)) return HDHT_ERR_INVALID_STATE;
  const bool is_usable = ask->to.family == HDHT_FAMILY_IPV4 && ask->to.port != 0;
  return is_usable ? HDHT_OK : HDHT_ERR_INVALID_ARGUMENT;
}

static int encode(hd_rpc *rpc, const hd_rpc_ask *ask, hd_socket_id socket, hd_rpc_request **request) {
  hd_messages_request message = {.is_internal = ask->is_internal,
                                 .has_value = ask->has_value,
                                 .command = ask->command,
                                 .to = ask->to,
                                 .id = id_for(rpc, socket),
                                 .token = ask->token,
                                 .target = ask->target,
                                 .value = ask->value};
  size_t size;
  int error = hd_messages_request_size(&message, &size);
  if (error != HDHT_OK) return error;
  if (size > HD_MESSAGES_RPC_SIZE_SAFE) return HDHT_ERR_TOO_LARGE;
  const size_t padded_size = size < ask->pad_to ? ask->pad_to : size;

  error = hd_rpc_requests_add(&rpc->requests, padded_size, request);
  if (error != HDHT_OK) return error;
  message.tid = (*request)->tid;
  hd_writer writer = hd_writer_of((*request)->bytes, size);
  error = hd_messages_write_request(&writer, &message);
  hd_assert(error == HDHT_OK);
  memset((*request)->bytes + size, 0, padded_size - size);
  return HDHT_OK;
}

static void count_request(hd_rpc *rpc, const hd_rpc_request *request) {
  rpc->stats.requests_total++;
  if (request->is_internal && request->command < HD_RPC_COMMANDS_COUNTED) {
    rpc->stats.commands[request->command].sent++;
  }
}

int hd_rpc_request_send(hd_rpc *rpc, hd_time now, const hd_rpc_ask *ask, hd_rpc_request **request) {
  int error = check_ask(rpc, ask);
  if (error != HDHT_OK) return error;
  const hd_socket_id socket = ask->socket != HD_SOCKET_NONE ? ask->socket : hd_rpc_socket_in_use(rpc);
  hd_rpc_request *made;
  error = encode(rpc, ask, socket, &made);
  if (error != HDHT_OK) return error;

  made->socket = socket;
  made->to = ask->to;
  made->retries = (uint8_t)(ask->retries < UINT8_MAX ? ask->retries : UINT8_MAX - 1);
  made->is_forced = ask->is_forced;
  made->timeout = ask->timeout;
  made->created_at = now;
  made->command = ask->command;
  made->is_internal = ask->is_internal;
  made->on_done = ask->on_done;
  made->on_slow = ask->on_slow;
  made->context = ask->context;
  count_request(rpc, made);

  const bool may_go =
      made->is_forced || (hd_list_is_empty(&rpc->requests.waiting) && hd_rpc_window_has_room(&rpc->window, now));
  if (may_go) {
    transmit(rpc, now, made, ask->ttl);
  } else {
    hd_list_push_back(&rpc->requests.waiting, &made->waiting);
  }
  if (request != NULL) *request = made;
  return HDHT_OK;
}

static int send_bytes(hd_rpc *rpc, hd_socket_id socket, const hd_address *to, hd_bytes bytes, uint8_t ttl) {
  hd_writer writer;
  int error = hd_rpc_outbox_open(&rpc->outbox, bytes.size, &writer);
  if (error == HDHT_OK) error = hd_writer_put(&writer, bytes.data, bytes.size);
  if (error != HDHT_OK) {
    rpc->stats.dropped_no_room++;
    return error;
  }
  hd_rpc_outbox_add(&rpc->outbox, &writer, socket, to, ttl);
  rpc->stats.datagrams_sent++;
  rpc->stats.bytes_sent += bytes.size;
  return HDHT_OK;
}

/* A transmission that finds no room in the outbox is one that got lost: the next one follows. */
static void transmit(hd_rpc *rpc, hd_time now, hd_rpc_request *request, uint8_t ttl) {
  if (request->transmissions == 0) request->first_sent_at = now;
  if (request->transmissions > 0) rpc->stats.retries++;
  request->transmissions++;
  request->last_sent_at = now;
  hd_rpc_window_count(&rpc->window, now, &request->window_place);
  (void)send_bytes(rpc, request->socket, &request->to, hd_bytes_of(request->bytes, request->size), ttl);

  const hd_duration timeout =
      request->timeout.us > 0 ? request->timeout : hd_rpc_rtt_timeout(&rpc->rtt, request->transmissions);
  const int error = hd_deadline_heap_set(&rpc->requests.deadlines, &request->deadline, hd_time_add(now, timeout));
  hd_assert(error == HDHT_OK); /* room was reserved with the request */
}

static void drain_waiting(hd_rpc *rpc, hd_time now) {
  hd_list *waiting = &rpc->requests.waiting;
  while (!hd_list_is_empty(waiting) && hd_rpc_window_has_room(&rpc->window, now)) {
    hd_rpc_request *request = HD_CONTAINER_OF(hd_list_first(waiting), hd_rpc_request, waiting);
    hd_list_remove(&request->waiting);
    transmit(rpc, now, request, 0);
  }
}

/* The first time-out is told to the request's owner, who may cancel it: then it must not be touched again. */
static bool still_exists_after_slow(hd_rpc *rpc, hd_time now, hd_rpc_request *request) {
  if (request->transmissions != 1 || request->on_slow == NULL) return true;
  const uint16_t tid = request->tid;
  const hd_time created_at = request->created_at;
  request->on_slow(request->context, now, request);
  hd_rpc_request *found = hd_rpc_requests_find(&rpc->requests, tid);
  return found == request && found->created_at.us == created_at.us && found->transmissions == 1;
}

static void time_out(hd_rpc *rpc, hd_time now, hd_rpc_request *request) {
  if (!still_exists_after_slow(rpc, now, request)) return;
  if (request->transmissions > request->retries) {
    rpc->stats.timeouts++;
    fail(rpc, now, request, HDHT_ERR_TIMED_OUT);
    return;
  }
  hd_rpc_window_take_back(&rpc->window, now, &request->window_place);
  if (request->is_forced || hd_rpc_window_has_room(&rpc->window, now)) {
    transmit(rpc, now, request, 0);
  } else {
    hd_list_push_back(&rpc->requests.waiting, &request->waiting);
  }
}

void hd_rpc_elapse(hd_rpc *rpc, hd_time now) {
  hd_deadline *due;
  while ((due = hd_deadline_heap_pop_due(&rpc->requests.deadlines, now)) != NULL) {
    time_out(rpc, now, HD_CONTAINER_OF(due, hd_rpc_request, deadline));
  }
  drain_waiting(rpc, now);
}

hd_time hd_rpc_deadline(const hd_rpc *rpc) {
  const hd_time next = hd_deadline_heap_next(&rpc->requests.deadlines);
  if (hd_list_is_empty(&rpc->requests.waiting) || !hd_rpc_is_open(rpc)) return next;
  return hd_time_earlier(next, hd_rpc_window_next_slot(&rpc->window));
}

size_t hd_rpc_take_sends(hd_rpc *rpc, hd_datagram_out *outs, size_t outs_capacity) {
  return hd_rpc_outbox_take(&rpc->outbox, outs, outs_capacity);
}

/* ---- receiving ------------------------------------------------------------------------------------------------- */

static const uint8_t *check_id(hd_rpc *rpc, const uint8_t *id, const hd_address *from) {
  if (id == NULL || hd_messages_node_id_is_of(id, from)) return id;
  rpc->stats.bad_ids++;
  return NULL;
}

static void reject_token(hd_rpc *rpc, hd_time now, hd_rpc_incoming *incoming) {
  rpc->stats.bad_tokens++;
  incoming->message.token = NULL;
  const hd_rpc_reply reply = {.error = HD_MESSAGES_RPC_INVALID_TOKEN, .with_token = true, .with_closer_nodes = true};
  hd_rpc_respond(rpc, now, incoming, &reply);
}

static void handle_request(hd_rpc *rpc, hd_time now, const hd_datagram *datagram) {
  hd_rpc_incoming incoming = {.socket = datagram->socket, .from = datagram->from, .datagram = datagram->bytes};
  hd_reader reader = hd_reader_of(datagram->bytes);
  if (hd_messages_read_request(&reader, &incoming.message) != HDHT_OK) {
    rpc->stats.dropped_malformed++;
    return;
  }
  const uint32_t cost = incoming.message.token != NULL ? COST_OF_WRITING : COST_OF_READING;
  if (!hd_rpc_flood_allows(&rpc->flood, now, &incoming.from, cost)) {
    rpc->stats.dropped_flood++;
    return;
  }

  if (incoming.message.token != NULL) {
    if (!hd_rpc_tokens_accept(&rpc->tokens, now, &incoming.from, incoming.message.token)) {
      reject_token(rpc, now, &incoming);
      return;
    }
    hd_rpc_proofs_add(&rpc->proofs, now, &incoming.from);
  }
  incoming.is_proven = incoming.message.token != NULL || hd_rpc_proofs_has(&rpc->proofs, now, &incoming.from);
  incoming.id = check_id(rpc, incoming.message.id, &incoming.from);
  if (incoming.message.is_internal && incoming.message.command < HD_RPC_COMMANDS_COUNTED) {
    rpc->stats.commands[incoming.message.command].served++;
  }
  rpc->owner.on_request(rpc->owner.context, now, &incoming);
}

static void handle_response(hd_rpc *rpc, hd_time now, const hd_datagram *datagram) {
  hd_messages_response message;
  hd_reader reader = hd_reader_of(datagram->bytes);
  if (hd_messages_read_response(&reader, &message) != HDHT_OK) {
    rpc->stats.dropped_malformed++;
    return;
  }
  hd_rpc_request *request = hd_rpc_requests_find(&rpc->requests, message.tid);
  if (request == NULL || request->transmissions == 0) {
    rpc->stats.dropped_unknown++;
    return;
  }
  if (!hd_address_equal(&request->to, &datagram->from)) {
    rpc->stats.dropped_foreign++;
    return;
  }

  const bool is_first = request->transmissions == 1;
  const hd_duration since_first = hd_time_since(now, request->first_sent_at);
  const hd_duration since_last = hd_time_since(now, request->last_sent_at);
  if (is_first && request->timeout.us == 0) hd_rpc_rtt_add(&rpc->rtt, since_first);
  rpc->stats.responses++;
  if (request->is_internal && request->command < HD_RPC_COMMANDS_COUNTED) {
    rpc->stats.commands[request->command].received++;
  }
  hd_rpc_result result = {.error = HDHT_OK,
                          .response = &message,
                          .from = datagram->from,
                          .socket = datagram->socket,
                          .id = check_id(rpc, message.id, &datagram->from),
                          .rtt = is_first ? since_first : since_last,
                          .transmissions = request->transmissions};
  rpc->owner.on_response(rpc->owner.context, now, &result);
  finish(rpc, now, request, &result);
  drain_waiting(rpc, now);
}

bool hd_rpc_receive(hd_rpc *rpc, hd_time now, const hd_datagram *datagram) {
  const hd_messages_rpc_kind kind = hd_messages_rpc_kind_of(datagram->bytes);
  if (kind == HD_MESSAGES_RPC_OTHER || datagram->bytes.size < 2) return false;
  rpc->stats.datagrams_received++;
  rpc->stats.bytes_received += datagram->bytes.size;
  if (!hd_rpc_is_open(rpc)) {
    rpc->stats.dropped_suspended++;
  } else if (datagram->from.family != HDHT_FAMILY_IPV4 || datagram->from.port == 0) {
    rpc->stats.dropped_source++;
  } else if (datagram->is_truncated || datagram->bytes.size > HD_MESSAGES_RPC_SIZE_MAX) {
    rpc->stats.dropped_malformed++;
  } else if (kind == HD_MESSAGES_RPC_REQUEST) {
    handle_request(rpc, now, datagram);
  } else {
    handle_response(rpc, now, datagram);
  }
  return true;
}

/* ---- answering ------------------------------------------------------------------------------------------------- */

/* The most bytes an answer to this request may have. */
static size_t answer_limit(const hd_rpc_incoming *incoming) {
  if (incoming->is_proven) return HD_MESSAGES_RPC_SIZE_MAX;
  const size_t allowed = HD_RPC_AMPLIFICATION_LIMIT * incoming->datagram.size;
  return allowed > FIXED_ANSWER_SIZE ? allowed : FIXED_ANSWER_SIZE;
}

static size_t min_size(size_t a, size_t b) {
  return a < b ? a : b;
}

size_t hd_rpc_value_room(const hd_rpc *rpc, const hd_rpc_incoming *incoming, unsigned closer_nodes_kept) {
  (void)rpc;
  const size_t limit = min_size(answer_limit(incoming), ANSWER_SIZE_SAFE);
  const size_t nodes = closer_nodes_kept > 0 ? 1 + (size_t)closer_nodes_kept * HD_CODEC_IPV4_ADDRESS_SIZE : 0;
  const size_t taken = FIXED_ANSWER_SIZE + nodes + 3; /* 3: the longest length a value in one datagram needs */
  return limit > taken ? limit - taken : 0;
}

/* How many of the nodes fit beside the rest. */
static size_t nodes_that_fit(size_t limit, size_t size_without, size_t nodes_count) {
  if (size_without + 1 >= limit) return 0;
  return min_size(nodes_count, (limit - size_without - 1) / HD_CODEC_IPV4_ADDRESS_SIZE);
}

static void send_response(hd_rpc *rpc, hd_socket_id socket, const hd_messages_response *message) {
  size_t size;
  hd_writer writer;
  int error = hd_messages_response_size(message, &size);
  if (error == HDHT_OK) error = hd_rpc_outbox_open(&rpc->outbox, size, &writer);
  if (error == HDHT_OK) error = hd_messages_write_response(&writer, message);
  if (error != HDHT_OK) {
    rpc->stats.dropped_no_room++;
    return;
  }
  hd_rpc_outbox_add(&rpc->outbox, &writer, socket, &message->to, 0);
  rpc->stats.datagrams_sent++;
  rpc->stats.bytes_sent += size;
}

void hd_rpc_respond(hd_rpc *rpc, hd_time now, const hd_rpc_incoming *incoming, const hd_rpc_reply *reply) {
  uint8_t token[HDHT_TOKEN_SIZE];
  if (reply->with_token) hd_rpc_tokens_issue(&rpc->tokens, now, &incoming->from, token);
  hd_messages_response message = {.tid = incoming->message.tid,
                                  .has_value = reply->has_value,
                                  .error = reply->error,
                                  .to = incoming->from,
                                  .id = id_for(rpc, incoming->socket),
                                  .token = reply->with_token ? token : NULL,
                                  .value = reply->value};
  size_t size;
  const size_t limit = answer_limit(incoming);
  if (hd_messages_response_size(&message, &size) != HDHT_OK || (reply->has_value && size > limit)) {
    if (!hd_rpc_challenge_source(rpc, now, incoming)) rpc->stats.dropped_unproven++;
    return;
  }

  hd_address nodes[HD_MESSAGES_CLOSER_NODES_MAX];
  if (reply->with_closer_nodes && incoming->message.target != NULL) {
    const unsigned known =
        rpc->owner.closest(rpc->owner.context, incoming->message.target, nodes, HD_MESSAGES_CLOSER_NODES_MAX);
    const size_t fitting = nodes_that_fit(min_size(limit, ANSWER_SIZE_SAFE), size, known);
    if (fitting < known) rpc->stats.answers_shortened++;
    message.closer_nodes = (hdht_address_list){.array = nodes, .count = fitting};
  }
  send_response(rpc, incoming->socket, &message);
}

void hd_rpc_respond_to(hd_rpc *rpc, hd_socket_id socket, const hd_address *to, uint16_t tid, bool has_value,
                       hd_bytes value) {
  const hd_messages_response message = {
      .tid = tid, .has_value = has_value, .to = *to, .id = id_for(rpc, socket), .value = value};
  send_response(rpc, socket, &message);
}

void hd_rpc_forward(hd_rpc *rpc, hd_socket_id socket, const hd_messages_request *message, const hd_address *to,
                    hd_bytes value) {
  hd_messages_request forwarded = *message;
  forwarded.to = *to;
  forwarded.id = id_for(rpc, socket);
  forwarded.token = NULL;
  forwarded.has_value = true;
  forwarded.value = value;
  size_t size;
  hd_writer writer;
  int error = hd_messages_request_size(&forwarded, &size);
  if (error == HDHT_OK) error = hd_rpc_outbox_open(&rpc->outbox, size, &writer);
  if (error == HDHT_OK) error = hd_messages_write_request(&writer, &forwarded);
  if (error != HDHT_OK) {
    rpc->stats.dropped_no_room++;
    return;
  }
  hd_rpc_outbox_add(&rpc->outbox, &writer, socket, to, 0);
  rpc->stats.datagrams_sent++;
  rpc->stats.bytes_sent += size;
}

/* ---- proving an address ---------------------------------------------------------------------------------------- */

/* The context of a challenge's PING is the endpoint: which challenge it was, its place in the list tells. */
static void challenge_done(void *context, hd_time now, const hd_rpc_result *result) {
  hd_rpc *rpc = context;
  for (unsigned i = 0; i < HD_RPC_CHALLENGES_LIMIT; i++) {
    hd_rpc_challenge *challenge = &rpc->challenges[i];
    if (challenge->ping == NULL || !hd_address_equal(&challenge->from, &result->from)) continue;
    challenge->ping = NULL;
    if (result->error != HDHT_OK) return;

    hd_rpc_proofs_add(&rpc->proofs, now, &result->from);
    const hd_rpc_challenge kept = *challenge; /* handling it again may use this place for another */
    const hd_datagram datagram = {
        .socket = kept.socket, .from = kept.from, .bytes = hd_bytes_of(kept.bytes, kept.size)};
    handle_request(rpc, now, &datagram);
    return;
  }
}

/* A free place; NULL when there is none, or when the source has one already. */
static hd_rpc_challenge *find_place(hd_rpc *rpc, const hd_address *from) {
  if (rpc->challenges == NULL) {
    rpc->challenges = hd_allocate_zeroed(rpc->allocator, HD_RPC_CHALLENGES_LIMIT * sizeof *rpc->challenges);
    if (rpc->challenges == NULL) return NULL;
  }
  hd_rpc_challenge *place = NULL;
  for (unsigned i = 0; i < HD_RPC_CHALLENGES_LIMIT; i++) {
    hd_rpc_challenge *challenge = &rpc->challenges[i];
    if (challenge->ping == NULL) {
      place = challenge;
    } else if (hd_address_equal(&challenge->from, from)) {
      return NULL;
    }
  }
  return place;
}

/* One transmission: a PING is smaller than three times any request, so the limit holds for what is sent in all. */
bool hd_rpc_challenge_source(hd_rpc *rpc, hd_time now, const hd_rpc_incoming *incoming) {
  if (incoming->is_proven || incoming->datagram.size > HD_RPC_CHALLENGE_SIZE_LIMIT) return false;
  hd_rpc_challenge *place = find_place(rpc, &incoming->from);
  if (place == NULL) return false;
  const hd_rpc_ask ask = {.to = incoming->from,
                          .socket = incoming->socket,
                          .is_internal = true,
                          .command = HD_MESSAGES_PING,
                          .timeout = HD_RPC_TIMEOUT_MAX,
                          .is_forced = true,
                          .on_done = challenge_done,
                          .context = rpc};
  hd_rpc_request *ping;
  if (hd_rpc_request_send(rpc, now, &ask, &ping) != HDHT_OK) return false;
  rpc->stats.challenges++;
  *place = (hd_rpc_challenge){
      .ping = ping, .socket = incoming->socket, .from = incoming->from, .size = (uint32_t)incoming->datagram.size};
  memcpy(place->bytes, incoming->datagram.data, incoming->datagram.size);
  return true;
}
