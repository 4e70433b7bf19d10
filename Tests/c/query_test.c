#include "query/query.h"

#include "messages/message_command.h"
#include "messages/message_node_id.h"
#include "test.h"

/* A scripted network: nodes that all know each other, answer after one step of time, and may be dead, lie, refuse or
 * forget tokens. One real endpoint asks them. */
#define NODES_LIMIT 600
#define SOCKET      1
#define STEP        HD_MILLISECONDS(50)

typedef struct fake_node {
  hd_address address;
  hd_node_id id;
  bool is_dead;
  bool is_liar;     /* names twenty addresses where nobody lives, all of them near the target */
  bool has_no_id;   /* like an ephemeral node */
  uint64_t refuses; /* commits with this error */
  unsigned asked;
  unsigned commits;
  unsigned hints;
  unsigned bad_token_times; /* how often it calls a good token bad */
} fake_node;

typedef struct world {
  fake_node nodes[NODES_LIMIT];
  unsigned nodes_count;
  hd_entropy entropy;
  hd_rpc rpc;
  hd_table table;
  hd_query_host host;
  hd_time now;
  unsigned bootstraps_count; /* of the first nodes */
  unsigned hints_left;
  unsigned most_in_flight;
  unsigned dead_reported;
} world;

static bool accepts(void *context, const hd_address *node, const hd_address *from) {
  (void)context;
  (void)from;
  return node->ip[0] != 127;
}

static unsigned bootstraps(void *context, hd_address *nodes, unsigned limit) {
  const world *w = context;
  unsigned count = 0;
  for (; count < w->bootstraps_count && count < limit; count++) nodes[count] = w->nodes[count].address;
  return count;
}

static bool may_hint(void *context) {
  world *w = context;
  return w->hints_left > 0 && w->hints_left--;
}

static void on_dead(void *context, const hd_node_id *id) {
  world *w = context;
  (void)id;
  w->dead_reported++;
}

static void ignore_request(void *context, hd_time now, const hd_rpc_incoming *incoming) {
  (void)context;
  (void)now;
  (void)incoming;
}

static void ignore_response(void *context, hd_time now, const hd_rpc_result *result) {
  (void)context;
  (void)now;
  (void)result;
}

static unsigned know_nobody(void *context, const uint8_t *target, hd_address *nodes, unsigned limit) {
  (void)context;
  (void)target;
  (void)nodes;
  (void)limit;
  return 0;
}

static const uint8_t *have_no_id(void *context) {
  (void)context;
  return NULL;
}

static world *create_world(const hdht_allocator *allocator, unsigned nodes_count, unsigned known_count) {
  static world w;
  w = (world){.nodes_count = nodes_count, .now = {1000000}, .hints_left = 50};
  const uint8_t seed[32] = {3};
  hd_entropy_init(&w.entropy, seed);
  hd_rpc_init(&w.rpc,
              &(hd_rpc_options){.allocator = allocator,
                                .entropy = &w.entropy,
                                .owner = {.context = &w,
                                          .on_request = ignore_request,
                                          .on_response = ignore_response,
                                          .closest = know_nobody,
                                          .own_id = have_no_id}},
              w.now);
  hd_rpc_open(&w.rpc, SOCKET, SOCKET);
  const hd_node_id own_id = {{0x11}};
  hd_table_init(&w.table, allocator, &own_id, HD_TABLE_LIMITS_DEFAULT);
  w.host = (hd_query_host){.allocator = allocator,
                           .rpc = &w.rpc,
                           .table = &w.table,
                           .context = &w,
                           .accepts = accepts,
                           .bootstraps = bootstraps,
                           .may_hint = may_hint,
                           .on_dead = on_dead};
  hd_query_host_init(&w.host);
  for (unsigned i = 0; i < nodes_count; i++) {
    w.nodes[i].address = hd_address_ipv4(10, 1, (uint8_t)(i >> 8), (uint8_t)i, 1000);
    hd_messages_node_id(&w.nodes[i].address, w.nodes[i].id.bytes);
    if (i < known_count) (void)hd_table_insert(&w.table, &w.nodes[i].id, &w.nodes[i].address, 1, NULL);
  }
  return &w;
}

static void destroy_world(world *w) {
  hd_query_host_destroy(&w->host);
  hd_table_clear(&w->table);
  hd_rpc_destroy(&w->rpc);
}

static fake_node *node_at(world *w, const hd_address *address) {
  for (unsigned i = 0; i < w->nodes_count; i++) {
    if (hd_address_equal(&w->nodes[i].address, address)) return &w->nodes[i];
  }
  return NULL;
}

/* The nearest nodes of the whole network, dead ones included, nearest first. */
static unsigned nearest(const world *w, const uint8_t *target, const fake_node **found, unsigned limit) {
  hd_node_id wanted;
  memcpy(wanted.bytes, target, 32);
  unsigned count = 0;
  for (unsigned i = 0; i < w->nodes_count; i++) {
    unsigned place = count;
    while (place > 0 && hd_node_id_compare_distance(&wanted, &w->nodes[i].id, &found[place - 1]->id) < 0) place--;
    if (place == limit) continue;
    if (count < limit) count++;
    for (unsigned move = count - 1; move > place; move--) found[move] = found[move - 1];
    found[place] = &w->nodes[i];
  }
  return count;
}

/* Looks for addresses whose ids are near the target, as an attacker would. */
static unsigned invent_nodes(const uint8_t *target, hd_address *nodes, uint16_t port) {
  unsigned count = 0;
  for (unsigned i = 0; count < 20; i++) {
    const hd_address address = hd_address_ipv4(66, (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i, port);
    uint8_t id[32];
    hd_messages_node_id(&address, id);
    if (id[0] == target[0] && (id[1] ^ target[1]) < 64) nodes[count++] = address;
  }
  return count;
}

static void answer(world *w, fake_node *node, const hd_messages_request *request) {
  uint8_t token[32] = {node->id.bytes[0], 1};
  hd_messages_response response = {.tid = request->tid,
                                   .to = hd_address_ipv4(5, 5, 5, 5, 5),
                                   .id = node->has_no_id ? NULL : node->id.bytes,
                                   .token = token};
  hd_address nodes[20];
  if (request->token != NULL) {
    if (node->bad_token_times > 0) {
      node->bad_token_times--;
      response.error = HD_MESSAGES_RPC_INVALID_TOKEN;
    } else {
      CHECK_BYTES(token, request->token, 32);
      node->commits++;
      response.error = node->refuses;
    }
  } else {
    unsigned count = 0;
    if (node->is_liar) {
      count = invent_nodes(request->target, nodes, node->address.ip[3]);
    } else {
      const fake_node *found[20];
      count = nearest(w, request->target, found, 20);
      for (unsigned i = 0; i < count; i++) nodes[i] = found[i]->address;
    }
    response.closer_nodes = (hdht_address_list){.array = nodes, .count = count};
  }
  uint8_t bytes[1400];
  hd_writer writer = hd_writer_of(bytes, sizeof bytes);
  CHECK_INT(HDHT_OK, hd_messages_write_response(&writer, &response));
  const hd_datagram datagram = {
      .socket = SOCKET, .from = node->address, .bytes = hd_bytes_of(bytes, (size_t)(writer.next - bytes))};
  CHECK(hd_rpc_receive(&w->rpc, w->now, &datagram));
}

/* Sends what is to be sent, lets time pass, and has everybody answer. */
static void step(world *w) {
  static uint8_t bytes[512][1400];
  static hd_bytes sent[512];
  static hd_address to[512];
  unsigned count = 0;
  hd_query_host_elapse(&w->host, w->now);
  hd_datagram_out out;
  while (hd_rpc_take_sends(&w->rpc, &out, 1) == 1 && count < 512) {
    memcpy(bytes[count], out.parts[0].data, out.size);
    sent[count] = hd_bytes_of(bytes[count], out.size);
    to[count++] = out.to;
  }
  const unsigned in_flight = (unsigned)hd_rpc_requests_count(&w->rpc.requests);
  if (in_flight > w->most_in_flight) w->most_in_flight = in_flight;
  w->now = hd_time_add(w->now, STEP);
  for (unsigned i = 0; i < count; i++) {
    hd_messages_request request;
    hd_reader reader = hd_reader_of(sent[i]);
    REQUIRE(hd_messages_read_request(&reader, &request) == HDHT_OK);
    fake_node *node = node_at(w, &to[i]);
    if (node == NULL || node->is_dead) continue;
    if (request.is_internal && request.command == HD_MESSAGES_DOWN_HINT) {
      node->hints++;
      continue;
    }
    node->asked++;
    answer(w, node, &request);
  }
  hd_rpc_elapse(&w->rpc, w->now);
}

typedef struct watcher {
  world *w;
  hd_query *query;
  unsigned replies;
  unsigned commits_wanted;
  unsigned walked;
  unsigned done;
  int error;
  unsigned destroy_after_replies;
  bool destroys_when_walked;
  bool skips_all;
  bool waits_with_commits;
} watcher;

static void watch_reply(void *context, hd_time now, hd_query *query, const hd_query_reply *reply) {
  watcher *self = context;
  (void)reply;
  self->replies++;
  if (self->replies == self->destroy_after_replies) hd_query_destroy(query, now);
}

static void watch_walked(void *context, hd_time now, hd_query *query) {
  watcher *self = context;
  self->walked++;
  if (self->destroys_when_walked) hd_query_destroy(query, now);
}

static void watch_commit(void *context, hd_time now, hd_query *query, uint16_t number) {
  watcher *self = context;
  self->commits_wanted++;
  if (self->waits_with_commits) return;
  if (self->skips_all) {
    CHECK_INT(HDHT_OK, hd_query_skip(query, now, number, HDHT_ERR_CANCELLED));
  } else {
    const int error = hd_query_commit(query, now, number, 4, true, hd_bytes_of("value", 5));
    CHECK(error == HDHT_OK || error == HDHT_ERR_OUT_OF_MEMORY);
    CHECK_INT(HDHT_ERR_INVALID_STATE, hd_query_commit(query, now, number, 4, false, (hd_bytes){0}));
  }
}

static void watch_done(void *context, hd_time now, hd_query *query, int error) {
  watcher *self = context;
  (void)now;
  (void)query;
  self->done++;
  self->error = error;
}

static const hd_query_sink sink = {
    .on_reply = watch_reply, .on_walked = watch_walked, .on_commit = watch_commit, .on_done = watch_done};

static hd_query_options options_for(uint8_t target) {
  return (hd_query_options){.target = {{target, 0x5a, target}}, .command = HD_MESSAGES_FIND_PEER};
}

static int run(watcher *self, const hd_query_options *options) {
  const int error = hd_query_create(&self->w->host, self->w->now, options, &sink, self, &self->query);
  for (unsigned i = 0; error == HDHT_OK && i < 2000 && self->done == 0; i++) step(self->w);
  return error;
}

/* The first of the result are the nearest nodes that live. (Nodes of this network name dead ones as well, so with many
 * dead the last places of the result may go to nodes from farther away.) */
static void check_first(watcher *self, const hd_query_options *options, unsigned wanted) {
  uint16_t numbers[HD_QUERY_K];
  const fake_node *found[NODES_LIMIT];
  const unsigned all = nearest(self->w, options->target.bytes, found, NODES_LIMIT);
  const unsigned count = hd_query_result(self->query, numbers);
  unsigned place = 0;
  for (unsigned i = 0; i < all && place < wanted; i++) {
    if (found[i]->is_dead || found[i]->has_no_id) continue;
    REQUIRE(place < count);
    CHECK(hd_address_equal(&found[i]->address, &hd_query_candidate_of(self->query, numbers[place])->address));
    place++;
  }
  if (wanted == HD_QUERY_K) CHECK_UINT(place, count);
}

static void check_result_is_nearest_alive(watcher *self, const hd_query_options *options) {
  check_first(self, options, HD_QUERY_K);
}

TEST(query_finds_the_twenty_nearest_of_hundreds) {
  world *w = create_world(hd_allocator_system(), 500, 30);
  const hd_query_options options = options_for(0xc3);
  watcher self = {.w = w};
  CHECK_INT(HDHT_OK, run(&self, &options));
  CHECK_UINT(1, self.done);
  CHECK_INT(HDHT_OK, self.error);
  check_result_is_nearest_alive(&self, &options);
  CHECK_UINT(HD_QUERY_CONCURRENCY, w->most_in_flight);
  CHECK(self.replies < 60);
  hd_query_destroy(self.query, w->now);
  destroy_world(w);
}

TEST(query_starts_at_the_bootstrap_nodes_when_it_knows_nobody) {
  world *w = create_world(hd_allocator_system(), 100, 0);
  w->bootstraps_count = 2;
  w->nodes[0].has_no_id = w->nodes[1].has_no_id = true;
  const hd_query_options options = options_for(0x21);
  watcher self = {.w = w};
  CHECK_INT(HDHT_OK, run(&self, &options));
  CHECK_INT(HDHT_OK, self.error);
  CHECK_UINT(1, w->nodes[0].asked);
  CHECK_UINT(1, w->nodes[1].asked);
  check_result_is_nearest_alive(&self, &options);
  hd_query_destroy(self.query, w->now);
  destroy_world(w);
}

TEST(query_that_knows_nobody_at_all_ends_at_once) {
  world *w = create_world(hd_allocator_system(), 0, 0);
  const hd_query_options options = options_for(0x21);
  watcher self = {.w = w};
  CHECK_INT(HDHT_OK, hd_query_create(&w->host, w->now, &options, &sink, &self, &self.query));
  CHECK_UINT(0, self.done);
  hd_query_host_elapse(&w->host, w->now);
  CHECK_UINT(1, self.done);
  CHECK_INT(HDHT_ERR_NO_NODES, self.error);
  hd_query_destroy(self.query, w->now);
  destroy_world(w);
}

TEST(query_does_not_wait_for_dead_nodes_when_twenty_have_answered) {
  world *w = create_world(hd_allocator_system(), 400, 30);
  for (unsigned i = 0; i < 400; i += 4) w->nodes[i].is_dead = true;
  const hd_query_options options = options_for(0x77);
  watcher self = {.w = w};
  const hd_time before = w->now;
  CHECK_INT(HDHT_OK, run(&self, &options));
  CHECK_INT(HDHT_OK, self.error);
  check_first(&self, &options, 12);
  CHECK(hd_time_since(w->now, before).us < 3500000);
  hd_query_destroy(self.query, w->now);
  destroy_world(w);
}

TEST(query_of_a_small_network_waits_for_a_silent_node_for_a_second_only) {
  world *w = create_world(hd_allocator_system(), 8, 8);
  w->nodes[3].is_dead = true;
  const hd_query_options options = options_for(0x77);
  watcher self = {.w = w};
  const hd_time before = w->now;
  CHECK_INT(HDHT_OK, run(&self, &options));
  CHECK_INT(HDHT_OK, self.error);
  check_result_is_nearest_alive(&self, &options);
  const uint64_t waited_us = hd_time_since(w->now, before).us;
  CHECK(waited_us >= 2000000 && waited_us < 2200000); /* the first time-out of an unknown network, and the patience */
  hd_query_destroy(self.query, w->now);
  destroy_world(w);
}

TEST(query_without_any_answer_tries_as_often_as_the_reference) {
  world *w = create_world(hd_allocator_system(), 3, 3);
  for (unsigned i = 0; i < 3; i++) w->nodes[i].is_dead = true;
  const hd_query_options options = options_for(0x77);
  watcher self = {.w = w};
  const hd_time before = w->now;
  CHECK_INT(HDHT_OK, run(&self, &options));
  CHECK_INT(HDHT_ERR_NO_NODES, self.error);
  CHECK_UINT(3 * HD_QUERY_RETRIES, w->rpc.stats.retries);
  CHECK(hd_time_since(w->now, before).us >= 6000000);
  CHECK_UINT(3, w->dead_reported);
  hd_query_destroy(self.query, w->now);
  destroy_world(w);
}

TEST(query_tells_the_nodes_that_named_a_dead_one) {
  world *w = create_world(hd_allocator_system(), 15, 12);
  w->nodes[13].is_dead = true;
  hd_query_options options = options_for(0x77);
  options.retries = 1; /* so that it is given up before the walk ends */
  options.concurrency = 1;
  watcher self = {.w = w};
  CHECK_INT(HDHT_OK, run(&self, &options));
  step(w);
  unsigned hints = 0;
  for (unsigned i = 0; i < 15; i++) hints += w->nodes[i].hints;
  CHECK(hints > 0);
  CHECK_UINT(50 - w->hints_left, hints);
  hd_query_destroy(self.query, w->now);
  destroy_world(w);
}

TEST(query_is_not_held_up_by_the_inventions_of_liars) {
  world *w = create_world(hd_allocator_system(), 500, 40);
  for (unsigned i = 5; i < 500; i += 10) w->nodes[i].is_liar = true;
  unsigned worst_ms = 0;
  for (uint8_t target = 1; target <= 10; target++) {
    const hd_query_options options = options_for((uint8_t)(target * 23));
    watcher self = {.w = w};
    const hd_time before = w->now;
    CHECK_INT(HDHT_OK, run(&self, &options));
    CHECK_INT(HDHT_OK, self.error);
    check_result_is_nearest_alive(&self, &options);
    const unsigned ms = (unsigned)(hd_time_since(w->now, before).us / 1000);
    if (ms > worst_ms) worst_ms = ms;
    hd_query_destroy(self.query, w->now);
  }
  CHECK(worst_ms < 4000);
  destroy_world(w);
}

TEST(query_asks_given_nodes_and_nobody_else_if_told_so) {
  world *w = create_world(hd_allocator_system(), 50, 20);
  const hd_address given[2] = {w->nodes[40].address, w->nodes[41].address};
  hd_query_options options = options_for(0x77);
  options.nodes = given;
  options.nodes_count = 2;
  options.only_these_nodes = true;
  watcher self = {.w = w};
  CHECK_INT(HDHT_OK, run(&self, &options));
  CHECK_UINT(2, self.replies);
  CHECK_UINT(2, hd_query_count(self.query).asked);
  hd_query_destroy(self.query, w->now);
  destroy_world(w);
}

TEST(query_falls_back_to_the_table_when_the_given_nodes_are_all_dead) {
  world *w = create_world(hd_allocator_system(), 60, 20);
  hd_address given[20];
  for (unsigned i = 0; i < 20; i++) {
    given[i] = w->nodes[i + 40].address;
    w->nodes[i + 40].is_dead = true;
  }
  hd_query_options options = options_for(0x77);
  options.nodes = given;
  options.nodes_count = 20;
  watcher self = {.w = w};
  CHECK_INT(HDHT_OK, run(&self, &options));
  CHECK_INT(HDHT_OK, self.error);
  check_first(&self, &options, 10);
  hd_query_destroy(self.query, w->now);
  destroy_world(w);
}

TEST(query_in_the_background_asks_few_at_once) {
  world *w = create_world(hd_allocator_system(), 300, 30);
  hd_query_options options = options_for(0x77);
  options.is_background = true;
  watcher self = {.w = w};
  CHECK_INT(HDHT_OK, hd_query_create(&w->host, w->now, &options, &sink, &self, &self.query));
  hd_query_host_elapse(&w->host, w->now);
  CHECK_UINT(2, hd_rpc_requests_count(&w->rpc.requests));
  while (self.done == 0) step(w);
  CHECK_INT(HDHT_OK, self.error);
  check_result_is_nearest_alive(&self, &options);
  hd_query_destroy(self.query, w->now);
  destroy_world(w);
}

TEST(query_may_be_destroyed_by_any_of_its_callbacks) {
  world *w = create_world(hd_allocator_system(), 100, 20);
  hd_query_options options = options_for(0x77);
  options.is_committing = true;
  watcher self = {.w = w};
  self.destroy_after_replies = 3;
  CHECK_INT(HDHT_OK, run(&self, &options));
  CHECK_UINT(3, self.replies);
  CHECK_UINT(0, self.done);
  CHECK_UINT(0, hd_rpc_requests_count(&w->rpc.requests));

  self = (watcher){.w = w};
  self.destroys_when_walked = true;
  CHECK_INT(HDHT_OK, run(&self, &options));
  CHECK_UINT(1, self.walked);
  CHECK_UINT(0, self.commits_wanted);
  CHECK_UINT(0, self.done);
  CHECK_UINT(0, hd_query_host_active(&w->host));
  destroy_world(w);
}

static hd_query_options committing_options(void) {
  hd_query_options options = options_for(0x77);
  options.is_committing = true;
  return options;
}

TEST(query_commits_to_the_twenty_nearest_with_their_tokens) {
  world *w = create_world(hd_allocator_system(), 300, 30);
  const hd_query_options options = committing_options();
  watcher self = {.w = w};
  CHECK_INT(HDHT_OK, run(&self, &options));
  CHECK_INT(HDHT_OK, self.error);
  CHECK_UINT(20, self.commits_wanted);
  CHECK_UINT(20, hd_query_count(self.query).stored);
  const fake_node *found[20];
  (void)nearest(w, options.target.bytes, found, 20);
  for (unsigned i = 0; i < 20; i++) CHECK_UINT(1, found[i]->commits);
  hd_query_destroy(self.query, w->now);
  destroy_world(w);
}

TEST(query_succeeds_when_a_majority_stored_and_tells_who_refused_and_why) {
  world *w = create_world(hd_allocator_system(), 5, 5);
  w->nodes[1].refuses = HD_MESSAGES_ERROR_SEQ_TOO_LOW;
  w->nodes[2].refuses = 99;
  const hd_query_options options = committing_options();
  watcher self = {.w = w};
  CHECK_INT(HDHT_OK, run(&self, &options));
  CHECK_INT(HDHT_OK, self.error);
  const hd_query_counts counts = hd_query_count(self.query);
  CHECK_UINT(5, counts.commits);
  CHECK_UINT(3, counts.stored);
  uint16_t numbers[HD_QUERY_K];
  REQUIRE(hd_query_result(self.query, numbers) == 5);
  for (unsigned i = 0; i < 5; i++) {
    const hd_query_candidate *candidate = hd_query_candidate_of(self.query, numbers[i]);
    const unsigned index = candidate->address.ip[3];
    CHECK_INT(index == 1 ? HDHT_ERR_SEQ_TOO_LOW : index == 2 ? HDHT_ERR_REFUSED : HDHT_OK, candidate->commit_error);
  }
  hd_query_destroy(self.query, w->now);
  destroy_world(w);
}

TEST(query_fails_when_too_few_stored) {
  world *w = create_world(hd_allocator_system(), 4, 4);
  for (unsigned i = 0; i < 2; i++) w->nodes[i].refuses = HD_MESSAGES_ERROR_SEQ_REUSED;
  hd_query_options options = committing_options();
  watcher self = {.w = w};
  CHECK_INT(HDHT_OK, run(&self, &options));
  CHECK_INT(HDHT_ERR_QUORUM, self.error); /* two of four are no majority */
  hd_query_destroy(self.query, w->now);

  options.quorum = 2;
  self = (watcher){.w = w};
  CHECK_INT(HDHT_OK, run(&self, &options));
  CHECK_INT(HDHT_OK, self.error);
  hd_query_destroy(self.query, w->now);

  for (unsigned i = 0; i < 4; i++) w->nodes[i].refuses = HD_MESSAGES_ERROR_SEQ_REUSED;
  self = (watcher){.w = w};
  CHECK_INT(HDHT_OK, run(&self, &options));
  CHECK_INT(HDHT_ERR_SEQ_REUSED, self.error); /* what all of them said */
  hd_query_destroy(self.query, w->now);
  destroy_world(w);
}

TEST(query_without_a_node_to_commit_to_fails) {
  world *w = create_world(hd_allocator_system(), 4, 4);
  for (unsigned i = 0; i < 4; i++) w->nodes[i].has_no_id = true;
  const hd_query_options options = committing_options();
  watcher self = {.w = w};
  CHECK_INT(HDHT_OK, run(&self, &options));
  CHECK_INT(HDHT_ERR_NO_NODES, self.error);
  CHECK_UINT(0, self.commits_wanted);
  hd_query_destroy(self.query, w->now);
  destroy_world(w);
}

TEST(query_asks_again_for_a_commit_whose_token_became_too_old) {
  world *w = create_world(hd_allocator_system(), 3, 3);
  w->nodes[0].bad_token_times = 1;
  w->nodes[1].bad_token_times = 2;
  const hd_query_options options = committing_options();
  watcher self = {.w = w};
  CHECK_INT(HDHT_OK, run(&self, &options));
  CHECK_INT(HDHT_OK, self.error);
  CHECK_UINT(5, self.commits_wanted);
  CHECK_UINT(1, w->nodes[0].commits);
  CHECK_UINT(0, w->nodes[1].commits); /* once is enough */
  CHECK_UINT(2, hd_query_count(self.query).stored);
  hd_query_destroy(self.query, w->now);
  destroy_world(w);
}

TEST(query_takes_commits_that_come_later_and_ends_when_all_are_skipped) {
  world *w = create_world(hd_allocator_system(), 3, 3);
  const hd_query_options options = committing_options();
  watcher self = {.w = w};
  self.waits_with_commits = true;
  CHECK_INT(HDHT_OK, hd_query_create(&w->host, w->now, &options, &sink, &self, &self.query));
  for (unsigned i = 0; i < 100; i++) step(w);
  CHECK_UINT(3, self.commits_wanted);
  CHECK_UINT(0, self.done);
  uint16_t numbers[HD_QUERY_K];
  REQUIRE(hd_query_result(self.query, numbers) == 3);
  CHECK_INT(HDHT_OK, hd_query_commit(self.query, w->now, numbers[0], 4, false, (hd_bytes){0}));
  CHECK_INT(HDHT_OK, hd_query_commit(self.query, w->now, numbers[1], 4, false, (hd_bytes){0}));
  CHECK_INT(HDHT_OK, hd_query_skip(self.query, w->now, numbers[2], HDHT_ERR_CANCELLED));
  CHECK_INT(HDHT_ERR_INVALID_STATE, hd_query_skip(self.query, w->now, numbers[2], HDHT_ERR_CANCELLED));
  step(w);
  CHECK_UINT(1, self.done);
  CHECK_INT(HDHT_OK, self.error);
  hd_query_destroy(self.query, w->now);

  self = (watcher){.w = w};
  self.skips_all = true;
  CHECK_INT(HDHT_OK, run(&self, &options));
  CHECK_INT(HDHT_ERR_CANCELLED, self.error);
  hd_query_destroy(self.query, w->now);
  destroy_world(w);
}

TEST(query_ends_when_the_endpoint_is_closed_and_waits_until_it_is_open) {
  world *w = create_world(hd_allocator_system(), 30, 10);
  const hd_query_options options = options_for(0x77);
  watcher self = {.w = w};
  CHECK_INT(HDHT_OK, hd_query_create(&w->host, w->now, &options, &sink, &self, &self.query));
  hd_query_host_elapse(&w->host, w->now);
  hd_rpc_close(&w->rpc, w->now, HDHT_ERR_SUSPENDED);
  CHECK_UINT(1, self.done);
  CHECK_INT(HDHT_ERR_SUSPENDED, self.error);
  hd_query_destroy(self.query, w->now);

  self = (watcher){.w = w};
  CHECK_INT(HDHT_OK, hd_query_create(&w->host, w->now, &options, &sink, &self, &self.query));
  for (unsigned i = 0; i < 10; i++) step(w);
  CHECK_UINT(0, self.done);
  hd_rpc_open(&w->rpc, SOCKET, SOCKET);
  hd_query_host_resume(&w->host, w->now);
  for (unsigned i = 0; i < 100; i++) step(w);
  CHECK_UINT(1, self.done);
  CHECK_INT(HDHT_OK, self.error);
  hd_query_destroy(self.query, w->now);
  destroy_world(w);
}

TEST(query_pauses_and_goes_on) {
  world *w = create_world(hd_allocator_system(), 60, 20);
  const hd_query_options options = options_for(0x77);
  watcher self = {.w = w};
  CHECK_INT(HDHT_OK, hd_query_create(&w->host, w->now, &options, &sink, &self, &self.query));
  step(w);
  hd_query_pause(self.query);
  for (unsigned i = 0; i < 100; i++) step(w);
  CHECK_UINT(0, self.done);
  CHECK_UINT(2 * HD_QUERY_CONCURRENCY, self.replies); /* the second ten were under way */
  hd_query_continue(self.query, w->now);
  for (unsigned i = 0; i < 100; i++) step(w);
  CHECK_UINT(1, self.done);
  check_result_is_nearest_alive(&self, &options);
  hd_query_destroy(self.query, w->now);
  destroy_world(w);
}

static bool query_once(const hdht_allocator *allocator) {
  world *w = create_world(allocator, 60, 20);
  hd_query_options options = committing_options();
  options.has_value = true;
  options.value = hd_bytes_of("question", 8);
  watcher self = {.w = w};
  const int error = run(&self, &options);
  const bool is_whole = error == HDHT_OK && self.error == HDHT_OK && hd_query_count(self.query).stored == 20;
  if (error == HDHT_OK) hd_query_destroy(self.query, w->now);
  destroy_world(w);
  return is_whole;
}

TEST(query_survives_each_failing_allocation) {
  hd_test_each_allocation_failure(query_once);
}
