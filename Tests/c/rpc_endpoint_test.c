#include "rpc/rpc_endpoint.h"

#include "messages/message_node_id.h"
#include "test.h"

#define SERVER 1
#define CLIENT 2

/* An endpoint with an owner that remembers what it was told and answers as it is told. */
typedef struct party {
  hd_rpc rpc;
  hd_entropy entropy;
  hd_time now;
  hd_address address;
  uint8_t own_id[32];
  bool shows_id;
  unsigned nodes_count; /* that it knows */
  hd_rpc_reply reply;   /* to every request */
  bool is_silent;
  unsigned requests;
  unsigned responses;
  bool had_id;
  bool had_token;
} party;

static void party_request(void *context, hd_time now, const hd_rpc_incoming *incoming) {
  party *self = context;
  self->requests++;
  self->had_id = incoming->id != NULL;
  self->had_token = incoming->message.token != NULL;
  if (!self->is_silent) hd_rpc_respond(&self->rpc, now, incoming, &self->reply);
}

static void party_response(void *context, hd_time now, const hd_rpc_result *result) {
  (void)now;
  (void)result;
  ((party *)context)->responses++;
}

static unsigned party_closest(void *context, const uint8_t *target, hd_address *nodes, unsigned limit) {
  const party *self = context;
  (void)target;
  unsigned count = 0;
  while (count < self->nodes_count && count < limit) {
    nodes[count] = hd_address_ipv4(7, 7, 7, (uint8_t)count, 7);
    count++;
  }
  return count;
}

static const uint8_t *party_id(void *context) {
  const party *self = context;
  return self->shows_id ? self->own_id : NULL;
}

static void open_party(party *self, const hdht_allocator *allocator, uint8_t number) {
  const uint8_t seed[32] = {number};
  *self = (party){.address = hd_address_ipv4(44, 44, 44, number, 1000), .now = {1000000}};
  hd_messages_node_id(&self->address, self->own_id);
  hd_entropy_init(&self->entropy, seed);
  hd_rpc_init(&self->rpc,
              &(hd_rpc_options){.allocator = allocator,
                                .entropy = &self->entropy,
                                .owner = {.context = self,
                                          .on_request = party_request,
                                          .on_response = party_response,
                                          .closest = party_closest,
                                          .own_id = party_id}},
              self->now);
  self->rpc.is_firewalled = false;
  hd_rpc_open(&self->rpc, SERVER, CLIENT);
}

/* What a request of ours came to. */
typedef struct outcome {
  party *by;
  unsigned done;
  unsigned slow;
  int error;
  uint64_t remote_error;
  size_t nodes_count;
  bool has_token;
  uint8_t token[32];
  hd_bytes value; /* dangling; only its size is looked at */
  hd_rpc_request *to_cancel;
} outcome;

static void note(void *context, hd_time now, const hd_rpc_result *result) {
  outcome *self = context;
  (void)now;
  self->done++;
  self->error = result->error;
  if (result->error != HDHT_OK) return;
  self->remote_error = result->response->error;
  self->nodes_count = result->response->closer_nodes.count;
  self->has_token = result->response->token != NULL;
  if (self->has_token) memcpy(self->token, result->response->token, 32);
  self->value = result->response->value;
}

static void note_slow(void *context, hd_time now, hd_rpc_request *request) {
  outcome *self = context;
  self->slow++;
  if (self->to_cancel == request) hd_rpc_request_cancel(&self->by->rpc, now, request);
}

static const uint8_t target[32] = {9};

static hd_rpc_ask ask_of(party *to, outcome *context) {
  return (hd_rpc_ask){.to = to->address,
                      .command = 2,
                      .target = target,
                      .retries = HD_RPC_RETRIES_DEFAULT,
                      .on_done = note,
                      .on_slow = note_slow,
                      .context = context};
}

/* Takes everything `from` has to send and hands it to `to`, if there is one. Returns how many datagrams. */
static unsigned deliver(party *from, party *to, size_t *bytes) {
  unsigned count = 0;
  hd_datagram_out out;
  uint8_t copy[2048];
  while (hd_rpc_take_sends(&from->rpc, &out, 1) == 1) {
    count++;
    if (bytes != NULL) *bytes += out.size;
    if (to == NULL) continue;
    CHECK(hd_address_equal(&out.to, &to->address));
    memcpy(copy, out.parts[0].data, out.size); /* it dies when the receiver answers into the same box */
    const hd_datagram datagram = {.socket = SERVER, .from = from->address, .bytes = hd_bytes_of(copy, out.size)};
    CHECK(hd_rpc_receive(&to->rpc, from->now, &datagram));
  }
  return count;
}

static void exchange(party *a, party *b) {
  while (deliver(a, b, NULL) + deliver(b, a, NULL) > 0) continue;
}

typedef struct pair {
  party a, b;
  outcome outcome;
} pair;

static pair *open_pair(void) {
  static pair opened;
  open_party(&opened.a, hd_allocator_system(), 1);
  open_party(&opened.b, hd_allocator_system(), 2);
  opened.outcome = (outcome){.by = &opened.a};
  return &opened;
}

static void close_pair(pair *opened) {
  hd_rpc_destroy(&opened->a.rpc);
  hd_rpc_destroy(&opened->b.rpc);
}

static void advance(party *self, uint64_t ms) {
  self->now = hd_time_add(self->now, HD_MILLISECONDS(ms));
  hd_rpc_elapse(&self->rpc, self->now);
}

TEST(rpc_request_is_answered) {
  pair *p = open_pair();
  p->b.reply = (hd_rpc_reply){.with_token = true, .with_closer_nodes = true};
  p->b.nodes_count = 3;
  const hd_rpc_ask ask = ask_of(&p->b, &p->outcome);
  CHECK_INT(HDHT_OK, hd_rpc_request_send(&p->a.rpc, p->a.now, &ask, NULL));
  CHECK_UINT(0, p->outcome.done);
  exchange(&p->a, &p->b);
  CHECK_UINT(1, p->outcome.done);
  CHECK_INT(HDHT_OK, p->outcome.error);
  CHECK_UINT(3, p->outcome.nodes_count);
  CHECK(p->outcome.has_token);
  CHECK_UINT(1, p->a.responses);
  CHECK_UINT(0, hd_rpc_requests_count(&p->a.rpc.requests));
  CHECK(hd_time_is_never(hd_rpc_deadline(&p->a.rpc)));
  close_pair(p);
}

TEST(rpc_request_is_sent_four_times_a_second_apart_and_fails_after_four) {
  pair *p = open_pair();
  const hd_rpc_ask ask = ask_of(&p->b, &p->outcome);
  CHECK_INT(HDHT_OK, hd_rpc_request_send(&p->a.rpc, p->a.now, &ask, NULL));
  for (unsigned second = 0; second < 4; second++) {
    CHECK_UINT(1, deliver(&p->a, NULL, NULL));
    CHECK_UINT(0, p->outcome.done);
    CHECK_UINT(second > 0, p->outcome.slow);
    advance(&p->a, 999);
    CHECK_UINT(0, deliver(&p->a, NULL, NULL));
    advance(&p->a, 1);
  }
  CHECK_UINT(1, p->outcome.done);
  CHECK_INT(HDHT_ERR_TIMED_OUT, p->outcome.error);
  CHECK_UINT(1, p->a.rpc.stats.timeouts);
  CHECK_UINT(3, p->a.rpc.stats.retries);
  close_pair(p);
}

TEST(rpc_request_repeats_the_same_bytes) {
  pair *p = open_pair();
  const hd_rpc_ask ask = ask_of(&p->b, &p->outcome);
  hd_datagram_out out;
  uint8_t first[64];
  CHECK_INT(HDHT_OK, hd_rpc_request_send(&p->a.rpc, p->a.now, &ask, NULL));
  REQUIRE(hd_rpc_take_sends(&p->a.rpc, &out, 1) == 1 && out.size == 43);
  memcpy(first, out.parts[0].data, out.size);
  advance(&p->a, 1000);
  REQUIRE(hd_rpc_take_sends(&p->a.rpc, &out, 1) == 1 && out.size == 43);
  CHECK_BYTES(first, out.parts[0].data, 43);
  close_pair(p);
}

TEST(rpc_request_may_be_cancelled_when_it_turns_out_slow) {
  pair *p = open_pair();
  hd_rpc_ask ask = ask_of(&p->b, &p->outcome);
  CHECK_INT(HDHT_OK, hd_rpc_request_send(&p->a.rpc, p->a.now, &ask, &p->outcome.to_cancel));
  (void)deliver(&p->a, NULL, NULL);
  advance(&p->a, 1000);
  CHECK_UINT(1, p->outcome.slow);
  CHECK_UINT(0, deliver(&p->a, NULL, NULL));
  advance(&p->a, 10000);
  CHECK_UINT(0, p->outcome.done);
  close_pair(p);
}

TEST(rpc_response_counts_only_from_where_the_request_was_sent_and_with_its_id) {
  pair *p = open_pair();
  hd_rpc_request *request;
  const hd_rpc_ask ask = ask_of(&p->b, &p->outcome);
  CHECK_INT(HDHT_OK, hd_rpc_request_send(&p->a.rpc, p->a.now, &ask, &request));
  uint8_t response[10] = {0x13, 0, (uint8_t)request->tid, (uint8_t)(request->tid >> 8), 44, 44, 44, 1};
  hd_datagram datagram = {.socket = SERVER, .from = p->b.address, .bytes = hd_bytes_of(response, 10)};
  datagram.from.port++;
  CHECK(hd_rpc_receive(&p->a.rpc, p->a.now, &datagram));
  datagram.from = p->b.address;
  datagram.from.ip[3]++;
  CHECK(hd_rpc_receive(&p->a.rpc, p->a.now, &datagram));
  CHECK_UINT(2, p->a.rpc.stats.dropped_foreign);
  datagram.from = p->b.address;
  response[2]++;
  CHECK(hd_rpc_receive(&p->a.rpc, p->a.now, &datagram));
  CHECK_UINT(1, p->a.rpc.stats.dropped_unknown);
  CHECK_UINT(0, p->a.responses);
  response[2]--;
  CHECK(hd_rpc_receive(&p->a.rpc, p->a.now, &datagram));
  CHECK_UINT(1, p->outcome.done);
  CHECK(hd_rpc_receive(&p->a.rpc, p->a.now, &datagram)); /* a replay */
  CHECK_UINT(1, p->outcome.done);
  CHECK_UINT(2, p->a.rpc.stats.dropped_unknown);
  close_pair(p);
}

TEST(rpc_id_leaves_through_the_server_socket_alone) {
  pair *p = open_pair();
  p->a.shows_id = true;
  hd_rpc_ask ask = ask_of(&p->b, &p->outcome);
  CHECK_INT(HDHT_OK, hd_rpc_request_send(&p->a.rpc, p->a.now, &ask, NULL));
  (void)deliver(&p->a, &p->b, NULL);
  CHECK(p->b.had_id);
  ask.socket = CLIENT;
  CHECK_INT(HDHT_OK, hd_rpc_request_send(&p->a.rpc, p->a.now, &ask, NULL));
  (void)deliver(&p->a, &p->b, NULL);
  CHECK(!p->b.had_id);
  ask.socket = HD_SOCKET_NONE;
  p->a.rpc.is_firewalled = true;
  CHECK_INT(HDHT_OK, hd_rpc_request_send(&p->a.rpc, p->a.now, &ask, NULL));
  (void)deliver(&p->a, &p->b, NULL);
  CHECK(!p->b.had_id);
  close_pair(p);
}

TEST(rpc_id_of_another_address_is_taken_for_none) {
  pair *p = open_pair();
  p->a.shows_id = true;
  p->a.own_id[0]++;
  const hd_rpc_ask ask = ask_of(&p->b, &p->outcome);
  CHECK_INT(HDHT_OK, hd_rpc_request_send(&p->a.rpc, p->a.now, &ask, NULL));
  exchange(&p->a, &p->b);
  CHECK(!p->b.had_id);
  CHECK_UINT(1, p->b.rpc.stats.bad_ids);
  CHECK_UINT(1, p->outcome.done);
  close_pair(p);
}

TEST(rpc_token_is_given_and_taken_and_a_wrong_one_is_answered_with_a_new_one) {
  pair *p = open_pair();
  p->b.reply = (hd_rpc_reply){.with_token = true};
  hd_rpc_ask ask = ask_of(&p->b, &p->outcome);
  CHECK_INT(HDHT_OK, hd_rpc_request_send(&p->a.rpc, p->a.now, &ask, NULL));
  exchange(&p->a, &p->b);
  uint8_t token[32];
  memcpy(token, p->outcome.token, 32);
  ask.token = token;
  CHECK_INT(HDHT_OK, hd_rpc_request_send(&p->a.rpc, p->a.now, &ask, NULL));
  exchange(&p->a, &p->b);
  CHECK(p->b.had_token);
  CHECK_UINT(2, p->b.requests);

  token[0]++;
  CHECK_INT(HDHT_OK, hd_rpc_request_send(&p->a.rpc, p->a.now, &ask, NULL));
  exchange(&p->a, &p->b);
  CHECK_UINT(2, p->b.requests); /* its owner never saw it */
  CHECK_UINT(HD_MESSAGES_RPC_INVALID_TOKEN, p->outcome.remote_error);
  CHECK(p->outcome.has_token);
  CHECK_UINT(1, p->b.rpc.stats.bad_tokens);
  close_pair(p);
}

TEST(rpc_window_makes_the_next_request_wait_for_an_answer_and_keeps_their_order) {
  pair *p = open_pair();
  const hd_rpc_ask ask = ask_of(&p->b, &p->outcome);
  hd_rpc_request *waiting = NULL;
  for (unsigned i = 0; i < HD_RPC_WINDOW_DEFAULT + 2; i++) {
    CHECK_INT(HDHT_OK, hd_rpc_request_send(&p->a.rpc, p->a.now, &ask, i == HD_RPC_WINDOW_DEFAULT ? &waiting : NULL));
  }
  CHECK_UINT(0, waiting->transmissions);
  CHECK_UINT(HD_RPC_WINDOW_DEFAULT, deliver(&p->a, &p->b, NULL));
  hd_datagram_out out;
  REQUIRE(hd_rpc_take_sends(&p->b.rpc, &out, 1) == 1);
  uint8_t answer[2048];
  memcpy(answer, out.parts[0].data, out.size);
  const hd_datagram datagram = {.socket = SERVER, .from = p->b.address, .bytes = hd_bytes_of(answer, out.size)};
  CHECK(hd_rpc_receive(&p->a.rpc, p->a.now, &datagram));
  CHECK_UINT(1, waiting->transmissions);
  CHECK_UINT(1, deliver(&p->a, NULL, NULL));

  hd_rpc_ask forced = ask;
  forced.is_forced = true;
  CHECK_INT(HDHT_OK, hd_rpc_request_send(&p->a.rpc, p->a.now, &forced, NULL));
  CHECK_UINT(1, deliver(&p->a, NULL, NULL));
  CHECK(!hd_list_is_empty(&p->a.rpc.requests.waiting));
  advance(&p->a, 750); /* a new slot: the last one that waits may go */
  CHECK(hd_list_is_empty(&p->a.rpc.requests.waiting));
  close_pair(p);
}

TEST(rpc_answer_to_a_stranger_is_at_most_three_times_its_request) {
  pair *p = open_pair();
  p->b.shows_id = true;
  p->b.nodes_count = 20;
  p->b.reply = (hd_rpc_reply){.with_token = true, .with_closer_nodes = true};
  const hd_rpc_ask ask = ask_of(&p->b, &p->outcome);
  size_t asked = 0, answered = 0;
  CHECK_INT(HDHT_OK, hd_rpc_request_send(&p->a.rpc, p->a.now, &ask, NULL));
  (void)deliver(&p->a, &p->b, &asked);
  (void)deliver(&p->b, &p->a, &answered);
  CHECK_UINT(43, asked);
  CHECK_UINT(3 * 43, answered); /* header, id, token and nine of the twenty nodes */
  CHECK_UINT(9, p->outcome.nodes_count);
  CHECK_UINT(1, p->b.rpc.stats.answers_shortened);
  close_pair(p);
}

TEST(rpc_request_is_padded_so_that_a_stranger_gets_the_whole_answer) {
  pair *p = open_pair();
  p->b.shows_id = true;
  p->b.nodes_count = 20;
  p->b.reply = (hd_rpc_reply){.with_token = true, .with_closer_nodes = true};
  hd_rpc_ask ask = ask_of(&p->b, &p->outcome);
  ask.pad_to = 65;
  size_t asked = 0;
  CHECK_INT(HDHT_OK, hd_rpc_request_send(&p->a.rpc, p->a.now, &ask, NULL));
  (void)deliver(&p->a, &p->b, &asked);
  (void)deliver(&p->b, &p->a, NULL);
  CHECK_UINT(65, asked);
  CHECK_UINT(20, p->outcome.nodes_count);
  close_pair(p);
}

TEST(rpc_source_proves_itself_before_it_gets_a_large_value) {
  pair *p = open_pair();
  static uint8_t value[1000];
  p->b.reply = (hd_rpc_reply){.has_value = true, .with_token = true, .value = hd_bytes_of(value, sizeof value)};
  const hd_rpc_ask ask = ask_of(&p->b, &p->outcome);
  size_t asked = 0, challenged = 0;
  CHECK_INT(HDHT_OK, hd_rpc_request_send(&p->a.rpc, p->a.now, &ask, NULL));
  (void)deliver(&p->a, &p->b, &asked);
  CHECK_UINT(1, deliver(&p->b, &p->a, &challenged)); /* a PING */
  CHECK(challenged <= 3 * asked);
  CHECK_UINT(1, p->b.rpc.stats.challenges);
  CHECK_UINT(0, p->outcome.done);
  exchange(&p->a, &p->b);
  CHECK_UINT(1, p->outcome.done);
  CHECK_UINT(1000, p->outcome.value.size);

  CHECK_INT(HDHT_OK, hd_rpc_request_send(&p->a.rpc, p->a.now, &ask, NULL));
  exchange(&p->a, &p->b);
  CHECK_UINT(2, p->outcome.done);
  CHECK_UINT(1, p->b.rpc.stats.challenges); /* it is known now */
  close_pair(p);
}

TEST(rpc_source_that_does_not_exist_is_sent_one_small_datagram_however_often_it_seems_to_ask) {
  pair *p = open_pair();
  static uint8_t value[1000];
  p->b.reply = (hd_rpc_reply){.has_value = true, .value = hd_bytes_of(value, sizeof value)};
  const hd_rpc_ask ask = ask_of(&p->b, &p->outcome);
  for (unsigned i = 0; i < 10; i++) CHECK_INT(HDHT_OK, hd_rpc_request_send(&p->a.rpc, p->a.now, &ask, NULL));
  (void)deliver(&p->a, &p->b, NULL);
  size_t answered = 0;
  CHECK_UINT(1, deliver(&p->b, NULL, &answered));
  CHECK(answered <= 43);
  CHECK_UINT(9, p->b.rpc.stats.dropped_unproven);
  advance(&p->b, 1000);
  CHECK_UINT(0, deliver(&p->b, NULL, NULL));
  close_pair(p);
}

TEST(rpc_flood_is_dropped_and_counted) {
  pair *p = open_pair();
  const hd_rpc_ask ask = ask_of(&p->b, &p->outcome);
  hd_datagram_out out;
  CHECK_INT(HDHT_OK, hd_rpc_request_send(&p->a.rpc, p->a.now, &ask, NULL));
  REQUIRE(hd_rpc_take_sends(&p->a.rpc, &out, 1) == 1);
  for (unsigned i = 0; i < 1000; i++) {
    const hd_datagram datagram = {.socket = SERVER, .from = p->a.address, .bytes = out.parts[0]};
    CHECK(hd_rpc_receive(&p->b.rpc, p->b.now, &datagram));
  }
  CHECK_UINT(HD_RPC_FLOOD_LIMITS_DEFAULT.burst + 1, p->b.requests);
  CHECK_UINT(1000 - p->b.requests, p->b.rpc.stats.dropped_flood);
  close_pair(p);
}

TEST(rpc_drops_what_is_no_message_and_says_when_it_is_somebody_elses) {
  pair *p = open_pair();
  static const struct {
    uint8_t bytes[4];
    size_t size;
    bool is_ours;
  } cases[] = {{{0}, 0, false},          {{3}, 1, false},   {{0xff, 1, 1, 1}, 4, false},
               {{2, 4, 0, 0}, 4, false}, {{3, 4}, 2, true}, {{0x13, 4, 0, 0}, 4, true}};
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    const hd_datagram datagram = {
        .socket = SERVER, .from = p->a.address, .bytes = hd_bytes_of(cases[i].bytes, cases[i].size)};
    CHECK(hd_rpc_receive(&p->b.rpc, p->b.now, &datagram) == cases[i].is_ours);
  }
  CHECK_UINT(2, p->b.rpc.stats.dropped_malformed);
  static const uint8_t ping[11] = {3, 4, 1, 2, 44, 44, 44, 2, 0xe8, 3, 0};
  hd_datagram datagram = {.socket = SERVER, .from = p->a.address, .bytes = hd_bytes_of(ping, 11)};
  datagram.from.port = 0;
  CHECK(hd_rpc_receive(&p->b.rpc, p->b.now, &datagram));
  CHECK_UINT(1, p->b.rpc.stats.dropped_source);
  datagram.from.port = 1;
  datagram.is_truncated = true;
  CHECK(hd_rpc_receive(&p->b.rpc, p->b.now, &datagram));
  CHECK_UINT(3, p->b.rpc.stats.dropped_malformed);
  CHECK_UINT(0, p->b.requests);
  close_pair(p);
}

TEST(rpc_refuses_to_ask_without_sockets_or_an_address_or_with_too_much) {
  pair *p = open_pair();
  static const uint8_t value[1200];
  hd_rpc_ask ask = ask_of(&p->b, &p->outcome);
  ask.has_value = true;
  ask.value = hd_bytes_of(value, HD_MESSAGES_RPC_SIZE_SAFE - 43 - 3);
  CHECK_INT(HDHT_OK, hd_rpc_request_send(&p->a.rpc, p->a.now, &ask, NULL));
  ask.value.size++;
  CHECK_INT(HDHT_ERR_TOO_LARGE, hd_rpc_request_send(&p->a.rpc, p->a.now, &ask, NULL));
  ask = ask_of(&p->b, &p->outcome);
  ask.to.port = 0;
  CHECK_INT(HDHT_ERR_INVALID_ARGUMENT, hd_rpc_request_send(&p->a.rpc, p->a.now, &ask, NULL));
  hd_rpc_close(&p->a.rpc, p->a.now, HDHT_ERR_SUSPENDED);
  ask = ask_of(&p->b, &p->outcome);
  CHECK_INT(HDHT_ERR_INVALID_STATE, hd_rpc_request_send(&p->a.rpc, p->a.now, &ask, NULL));
  close_pair(p);
}

TEST(rpc_close_fails_everything_and_drops_what_comes) {
  pair *p = open_pair();
  const hd_rpc_ask ask = ask_of(&p->b, &p->outcome);
  for (unsigned i = 0; i < 100; i++) CHECK_INT(HDHT_OK, hd_rpc_request_send(&p->a.rpc, p->a.now, &ask, NULL));
  hd_rpc_close(&p->a.rpc, p->a.now, HDHT_ERR_SUSPENDED);
  CHECK_UINT(100, p->outcome.done);
  CHECK_INT(HDHT_ERR_SUSPENDED, p->outcome.error);
  CHECK_UINT(0, deliver(&p->a, NULL, NULL));
  CHECK(hd_time_is_never(hd_rpc_deadline(&p->a.rpc)));
  static const uint8_t ping[11] = {3, 4, 1, 2, 44, 44, 44, 2, 0xe8, 3, 0};
  const hd_datagram datagram = {.socket = SERVER, .from = p->b.address, .bytes = hd_bytes_of(ping, 11)};
  CHECK(hd_rpc_receive(&p->a.rpc, p->a.now, &datagram));
  CHECK_UINT(1, p->a.rpc.stats.dropped_suspended);
  hd_rpc_open(&p->a.rpc, SERVER, CLIENT);
  CHECK(hd_rpc_receive(&p->a.rpc, p->a.now, &datagram));
  CHECK_UINT(1, p->a.requests);
  close_pair(p);
}

TEST(rpc_forward_keeps_id_command_and_target_and_strips_the_token) {
  pair *p = open_pair();
  uint8_t token[32] = {1};
  const hd_messages_request message = {
      .tid = 0x1234, .command = 1, .to = p->a.address, .token = token, .target = target, .has_value = true};
  hd_rpc_forward(&p->a.rpc, SERVER, &message, &p->b.address, hd_bytes_of("value", 5));
  hd_datagram_out out;
  REQUIRE(hd_rpc_take_sends(&p->a.rpc, &out, 1) == 1);
  hd_reader reader = hd_reader_of(out.parts[0]);
  hd_messages_request forwarded;
  REQUIRE(hd_messages_read_request(&reader, &forwarded) == HDHT_OK);
  CHECK_UINT(0x1234, forwarded.tid);
  CHECK_UINT(1, forwarded.command);
  CHECK(!forwarded.is_internal);
  CHECK(forwarded.token == NULL);
  CHECK(hd_address_equal(&forwarded.to, &p->b.address));
  CHECK_BYTES(target, forwarded.target, 32);
  CHECK(hd_bytes_equal(hd_bytes_of("value", 5), forwarded.value));
  close_pair(p);
}

static bool ask_and_answer(const hdht_allocator *allocator) {
  static pair p;
  static uint8_t value[1000];
  open_party(&p.a, hd_allocator_system(), 1);
  open_party(&p.b, allocator, 2);
  p.outcome = (outcome){.by = &p.a};
  p.b.reply = (hd_rpc_reply){.has_value = true, .with_token = true, .value = hd_bytes_of(value, sizeof value)};
  const hd_rpc_ask ask = ask_of(&p.b, &p.outcome);
  CHECK_INT(HDHT_OK, hd_rpc_request_send(&p.a.rpc, p.a.now, &ask, NULL));
  exchange(&p.a, &p.b);
  const bool is_answered = p.outcome.done == 1;
  close_pair(&p);
  return is_answered;
}

TEST(rpc_endpoint_survives_each_failing_allocation) {
  hd_test_each_allocation_failure(ask_and_answer);
}
