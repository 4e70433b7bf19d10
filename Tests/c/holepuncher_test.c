#include "holepunch/holepuncher.h"

#include <string.h>

#include "punch_parts.h"
#include "test.h"

static const uint8_t key[HD_BOX_KEY_SIZE] = {9};

#define RELAY_PORT 49737

/* One puncher and an owner that does nothing by itself: events are taken one after the other. */
typedef struct side {
  hd_entropy entropy;
  hd_punch_throttle throttle;
  hd_holepuncher *puncher;
  hd_time now;
  hd_punch_event event;
  hd_socket_id next_socket;
  hd_punch_secret other; /* the other side's, to read and write messages with */
} side;

static const hd_address relay_address = {.ip = {44, 200, 7, 1}, .port = RELAY_PORT, .family = HDHT_FAMILY_IPV4};
static const hd_address other_relay = {.ip = {44, 201, 7, 1}, .port = RELAY_PORT, .family = HDHT_FAMILY_IPV4};
static const hd_address server_address = {.ip = {44, 2, 7, 1}, .port = 40002, .family = HDHT_FAMILY_IPV4};
static const hd_address announced_address = {.ip = {44, 2, 7, 1}, .port = 40001, .family = HDHT_FAMILY_IPV4};
static const hd_address client_address = {.ip = {44, 1, 7, 1}, .port = 30001, .family = HDHT_FAMILY_IPV4};
static const hd_address stranger = {.ip = {44, 99, 7, 1}, .port = 666, .family = HDHT_FAMILY_IPV4};

static int create(side *self, bool is_initiator, bool asks, const hd_allocator *allocator) {
  static const hd_messages_relay relays[] = {{.relay_address = relay_address, .peer_address = announced_address},
                                             {.relay_address = other_relay, .peer_address = announced_address}};
  *self = (side){.entropy = punch_entropy(1), .now = punch_start, .next_socket = 10};
  hd_punch_throttle_init(&self->throttle, HD_PUNCH_RANDOM_PAUSE, self->now, false);
  hd_punch_secret_init(&self->other, key, &self->entropy);
  hd_holepuncher_options options = {.allocator = allocator,
                                    .entropy = &self->entropy,
                                    .throttle = &self->throttle,
                                    .is_initiator = is_initiator,
                                    .asks_before_punching = asks,
                                    .uses_fast_open = true,
                                    .slot = 3};
  memcpy(options.key, key, sizeof key);
  if (is_initiator) {
    options.server_address = server_address;
    options.handshake_relay = relay_address;
    options.relays = relays;
    options.relays_count = 2;
  }
  return hd_holepuncher_create(&options, self->now, &self->puncher);
}

static void destroy(side *self) {
  hd_holepuncher_destroy(self->puncher, self->now);
}

/* Takes events until one of this type comes; sockets are opened and closed on the way. False: it did not come. */
static bool take(side *self, hd_punch_event_type type) {
  while (hd_holepuncher_next_event(self->puncher, self->now, &self->event)) {
    if (self->event.type == HD_PUNCH_EVENT_OPEN_SOCKET && type != HD_PUNCH_EVENT_OPEN_SOCKET) {
      hd_holepuncher_socket_opened(self->puncher, self->now, self->event.open_key, self->next_socket++);
    } else if (self->event.type == type) {
      return true;
    }
  }
  return false;
}

/* The same, letting time pass. */
static bool wait_for(side *self, hd_punch_event_type type, uint64_t ms) {
  const hd_time until = hd_time_add(self->now, HD_MILLISECONDS(ms));
  while (!take(self, type)) {
    const hd_time deadline = hd_holepuncher_deadline(self->puncher);
    if (hd_time_before(until, deadline)) {
      self->now = until;
      return false;
    }
    self->now = hd_time_later(self->now, deadline);
    hd_holepuncher_elapse(self->puncher, self->now);
  }
  return true;
}

/* Three helpers that all saw the same, or four that each saw another port. */
static void sample(side *self, const hd_address *seen, bool is_random) {
  const hd_socket_id socket = hd_holepuncher_main_socket(self->puncher);
  for (uint8_t i = 0; i < (is_random ? 4 : 3); i++) {
    const hd_address helper = punch_address((uint8_t)(100 + i), 1);
    hd_address reported = *seen;
    if (is_random) reported.port = (uint16_t)(reported.port + 100 * i);
    hd_holepuncher_sample(self->puncher, self->now, socket, &reported, &helper);
  }
}

static const hd_messages_holepunch_payload *read_payload(side *self, hd_bytes sealed) {
  static uint8_t plaintext[HD_PUNCH_RECEIVE_SIZE_MAX];
  static hd_messages_holepunch_payload payload;
  const int error = hd_punch_secret_open(&self->other, sealed, plaintext, &payload);
  CHECK_INT(HDHT_OK, error);
  return &payload;
}

static bool ended_with(side *self, int error, hd_punch_cause cause) {
  return self->event.type == HD_PUNCH_EVENT_ENDED && self->event.ended.error == error &&
         self->event.ended.cause == cause;
}

/* ---- the initiator ----------------------------------------------------------------------------------------------- */

static void answer(side *self, uint32_t number, const hd_messages_holepunch_payload *payload) {
  hd_punch_message message;
  hd_punch_secret_seal(&self->other, &self->entropy, payload, &message);
  const hd_punch_reply reply = {
      .payload = hd_bytes_of(message.bytes, message.size), .to = client_address, .peer_address = server_address};
  hd_holepuncher_answered(self->puncher, self->now, number, &reply);
}

static const uint8_t server_token[HDHT_TOKEN_SIZE] = {0x55};

static hd_messages_holepunch_payload server_says(uint64_t nat, bool is_punching) {
  static hd_address addresses[1];
  addresses[0] = server_address;
  if (nat == HD_NAT_RANDOM) addresses[0].port = 0;
  return (hd_messages_holepunch_payload){.nat = nat,
                                         .is_punching = is_punching,
                                         .has_addresses = nat != HD_NAT_UNKNOWN,
                                         .addresses = {.array = addresses, .count = nat != HD_NAT_UNKNOWN},
                                         .token = server_token};
}

/* Up to the answer of round 0, from a server of this kind. */
static bool pass_round_zero(side *self, uint64_t server_nat, bool is_random) {
  if (!take(self, HD_PUNCH_EVENT_REQUEST)) return false;
  const uint32_t number = self->event.request.number;
  sample(self, &client_address, is_random);
  const hd_messages_holepunch_payload said = server_says(server_nat, false);
  answer(self, number, &said);
  return true;
}

/* The proposal under way is accepted, and our token given back. */
static void accept_proposal(side *self, uint64_t server_nat) {
  hd_messages_holepunch_payload said = server_says(server_nat, true);
  uint8_t token[HDHT_TOKEN_SIZE];
  const hd_messages_holepunch_payload *proposal = read_payload(self, self->event.request.payload);
  memcpy(token, proposal->token, sizeof token);
  said.remote_token = token;
  answer(self, self->event.request.number, &said);
}

TEST(initiator_opens_its_nat_asks_helpers_and_sends_round_zero) {
  side self;
  REQUIRE(create(&self, true, false, hd_allocator_system()) == HDHT_OK);
  REQUIRE(take(&self, HD_PUNCH_EVENT_REQUEST));
  CHECK_UINT(10, self.event.socket);
  CHECK_UINT(3, self.event.request.slot);
  CHECK(hd_address_equal(&relay_address, &self.event.request.to));
  CHECK(hd_address_equal(&announced_address, &self.event.request.peer_address));
  const hd_messages_holepunch_payload *payload = read_payload(&self, self.event.request.payload);
  CHECK_UINT(0, payload->round);
  CHECK_UINT(HD_NAT_UNKNOWN, payload->nat);
  CHECK(!payload->is_punching);
  CHECK(!payload->has_addresses);
  CHECK(payload->token == NULL && payload->remote_token == NULL);
  CHECK(hd_address_equal(&server_address, &payload->remote_address));
  REQUIRE(take(&self, HD_PUNCH_EVENT_PROBE));
  CHECK_UINT(5, self.event.probe.ttl);
  CHECK(hd_address_equal(&server_address, &self.event.probe.to));
  REQUIRE(take(&self, HD_PUNCH_EVENT_SAMPLE));
  CHECK_UINT(4, self.event.samples_count);
  destroy(&self);
}

TEST(initiator_proposes_through_the_handshake_relay_with_both_tokens) {
  side self;
  REQUIRE(create(&self, true, false, hd_allocator_system()) == HDHT_OK);
  REQUIRE(pass_round_zero(&self, HD_NAT_CONSISTENT, false));
  REQUIRE(take(&self, HD_PUNCH_EVENT_REQUEST));
  CHECK(hd_address_equal(&relay_address, &self.event.request.to));
  CHECK(hd_address_equal(&server_address, &self.event.request.peer_address));
  const hd_messages_holepunch_payload *payload = read_payload(&self, self.event.request.payload);
  CHECK(payload->is_punching);
  CHECK_UINT(1, payload->round);
  CHECK_UINT(HD_NAT_CONSISTENT, payload->nat);
  CHECK_UINT(1, payload->addresses.count);
  CHECK_BYTES(server_token, payload->remote_token, sizeof server_token);
  CHECK(payload->token != NULL);
  accept_proposal(&self, HD_NAT_CONSISTENT);
  REQUIRE(take(&self, HD_PUNCH_EVENT_PROBE));
  while (self.event.probe.ttl == 5) REQUIRE(take(&self, HD_PUNCH_EVENT_PROBE));
  CHECK(hd_address_equal(&server_address, &self.event.probe.to));
  CHECK_UINT(64, self.event.probe.ttl);
  CHECK(hd_holepuncher_is_punching(self.puncher));
  destroy(&self);
}

TEST(initiator_ends_successfully_when_the_stream_works) {
  side self;
  REQUIRE(create(&self, true, false, hd_allocator_system()) == HDHT_OK);
  REQUIRE(pass_round_zero(&self, HD_NAT_CONSISTENT, false));
  REQUIRE(take(&self, HD_PUNCH_EVENT_REQUEST));
  accept_proposal(&self, HD_NAT_CONSISTENT);
  hd_holepuncher_probe_received(self.puncher, self.now, 10, &server_address);
  REQUIRE(take(&self, HD_PUNCH_EVENT_PATH));
  CHECK_UINT(10, self.event.socket);
  CHECK(self.event.path.is_expected);
  hd_holepuncher_confirm(self.puncher, self.now, 10);
  CHECK(!hd_holepuncher_owns_socket(self.puncher, 10));
  REQUIRE(hd_holepuncher_next_event(self.puncher, self.now, &self.event)); /* nothing to close: it is the owner's */
  CHECK(ended_with(&self, HDHT_OK, HD_PUNCH_CAUSE_NONE));
  destroy(&self);
}

TEST(initiator_survives_forged_probes_and_prefers_expected_hosts) {
  side self;
  REQUIRE(create(&self, true, false, hd_allocator_system()) == HDHT_OK);
  hd_holepuncher_probe_received(self.puncher, self.now, 10, &stranger);
  REQUIRE(pass_round_zero(&self, HD_NAT_CONSISTENT, false));
  hd_holepuncher_probe_received(self.puncher, self.now, 10, &stranger);
  CHECK(!take(&self, HD_PUNCH_EVENT_PATH)); /* before the punch only the responder's fast opening counts */
  hd_holepuncher_probe_received(self.puncher, self.now, 99, &server_address);
  CHECK(!take(&self, HD_PUNCH_EVENT_PATH)); /* not our socket */
  destroy(&self);

  REQUIRE(create(&self, true, false, hd_allocator_system()) == HDHT_OK);
  REQUIRE(pass_round_zero(&self, HD_NAT_CONSISTENT, false));
  REQUIRE(take(&self, HD_PUNCH_EVENT_REQUEST));
  accept_proposal(&self, HD_NAT_CONSISTENT);
  for (uint16_t port = 1; port <= 50; port++) {
    hd_address forged = stranger;
    forged.port = port;
    hd_holepuncher_probe_received(self.puncher, self.now, 10, &forged);
  }
  hd_holepuncher_probe_received(self.puncher, self.now, 10, &server_address);
  unsigned expected = 0, all = 0;
  while (take(&self, HD_PUNCH_EVENT_PATH)) {
    all++;
    expected += self.event.path.is_expected;
  }
  CHECK_UINT(1, expected);
  CHECK_UINT(HD_PUNCH_PATHS_LIMIT, all);
  CHECK(wait_for(&self, HD_PUNCH_EVENT_PROBE, 3000)); /* it goes on until a path is confirmed */
  destroy(&self);
}

TEST(initiator_tells_the_true_cause_of_each_failure) {
  side self;
  /* Both random. */
  REQUIRE(create(&self, true, false, hd_allocator_system()) == HDHT_OK);
  REQUIRE(pass_round_zero(&self, HD_NAT_RANDOM, true));
  for (int i = 0; i < HD_PUNCH_REOPENS_LIMIT; i++) {
    REQUIRE(take(&self, HD_PUNCH_EVENT_SAMPLE)); /* of a new socket each */
    sample(&self, &client_address, true);
  }
  REQUIRE(take(&self, HD_PUNCH_EVENT_REQUEST));
  CHECK(self.event.request.is_last);
  CHECK_UINT(HD_MESSAGES_ERROR_ABORTED, read_payload(&self, self.event.request.payload)->error);
  REQUIRE(take(&self, HD_PUNCH_EVENT_ENDED));
  CHECK(ended_with(&self, HDHT_ERR_HOLEPUNCH_DOUBLE_RANDOMIZED_NATS, HD_PUNCH_CAUSE_NONE));
  destroy(&self);

  /* The server says no. */
  REQUIRE(create(&self, true, false, hd_allocator_system()) == HDHT_OK);
  REQUIRE(take(&self, HD_PUNCH_EVENT_REQUEST));
  const hd_messages_holepunch_payload aborted = {.error = HD_MESSAGES_ERROR_ABORTED};
  answer(&self, self.event.request.number, &aborted);
  REQUIRE(take(&self, HD_PUNCH_EVENT_ENDED));
  CHECK(ended_with(&self, HDHT_ERR_REMOTE_ABORTED, HD_PUNCH_CAUSE_NONE));
  CHECK_UINT(HD_MESSAGES_ERROR_ABORTED, self.event.ended.remote_error);
  destroy(&self);

  /* The server does not punch. */
  REQUIRE(create(&self, true, false, hd_allocator_system()) == HDHT_OK);
  REQUIRE(pass_round_zero(&self, HD_NAT_CONSISTENT, false));
  REQUIRE(take(&self, HD_PUNCH_EVENT_REQUEST));
  const hd_messages_holepunch_payload idle = server_says(HD_NAT_CONSISTENT, false);
  answer(&self, self.event.request.number, &idle);
  REQUIRE(take(&self, HD_PUNCH_EVENT_ENDED));
  CHECK(ended_with(&self, HDHT_ERR_REMOTE_NOT_HOLEPUNCHING, HD_PUNCH_CAUSE_NONE));
  destroy(&self);

  /* A random server that never proved its host. */
  REQUIRE(create(&self, true, false, hd_allocator_system()) == HDHT_OK);
  REQUIRE(pass_round_zero(&self, HD_NAT_RANDOM, false));
  REQUIRE(take(&self, HD_PUNCH_EVENT_REQUEST));
  const hd_messages_holepunch_payload unproven = server_says(HD_NAT_RANDOM, true);
  answer(&self, self.event.request.number, &unproven);
  REQUIRE(take(&self, HD_PUNCH_EVENT_ENDED));
  CHECK(ended_with(&self, HDHT_ERR_REMOTE_NOT_HOLEPUNCHABLE, HD_PUNCH_CAUSE_NONE));
  destroy(&self);
}

/* Takes the next event of any type, letting time pass. */
static bool wait_for_any(side *self) {
  while (!hd_holepuncher_next_event(self->puncher, self->now, &self->event)) {
    const hd_time deadline = hd_holepuncher_deadline(self->puncher);
    if (hd_time_is_never(deadline)) return false;
    self->now = hd_time_later(self->now, deadline);
    hd_holepuncher_elapse(self->puncher, self->now);
  }
  return true;
}

TEST(initiator_ends_when_neither_side_learns_its_nat) {
  side self;
  REQUIRE(create(&self, true, false, hd_allocator_system()) == HDHT_OK);
  unsigned requests = 0, sets = 0;
  const hd_messages_holepunch_payload unknown = server_says(HD_NAT_UNKNOWN, false);
  while (wait_for_any(&self) && self.event.type != HD_PUNCH_EVENT_ENDED) {
    if (self.event.type == HD_PUNCH_EVENT_OPEN_SOCKET) {
      hd_holepuncher_socket_opened(self.puncher, self.now, self.event.open_key, self.next_socket++);
    } else if (self.event.type == HD_PUNCH_EVENT_SAMPLE) {
      sets++;
      hd_holepuncher_samples_end(self.puncher, self.now, self.event.socket);
    } else if (self.event.type == HD_PUNCH_EVENT_REQUEST && !self.event.request.is_last) {
      requests++;
      answer(&self, self.event.request.number, &unknown);
    }
  }
  CHECK(ended_with(&self, HDHT_ERR_HOLEPUNCH_PROBE_TIMEOUT, HD_PUNCH_CAUSE_NONE));
  CHECK_UINT(2, requests);
  CHECK_UINT(2 * (1 + HD_PUNCH_REOPENS_LIMIT), sets);
  CHECK(hd_time_since(self.now, punch_start).us < 5000000);
  destroy(&self);
}

TEST(initiator_asks_through_another_relay_when_one_does_not_answer) {
  side self;
  REQUIRE(create(&self, true, false, hd_allocator_system()) == HDHT_OK);
  REQUIRE(take(&self, HD_PUNCH_EVENT_REQUEST));
  uint8_t first[HD_PUNCH_MESSAGE_SIZE_MAX];
  const size_t size = self.event.request.payload.size;
  memcpy(first, self.event.request.payload.data, size);
  hd_holepuncher_answered(self.puncher, self.now, self.event.request.number, NULL);
  REQUIRE(take(&self, HD_PUNCH_EVENT_REQUEST));
  CHECK(hd_address_equal(&other_relay, &self.event.request.to));
  CHECK_UINT(size, self.event.request.payload.size);
  CHECK_BYTES(first, self.event.request.payload.data, size); /* the same message, known again */
  for (unsigned i = 2; i < HD_PUNCH_REQUEST_TRIES; i++) {
    hd_holepuncher_answered(self.puncher, self.now, self.event.request.number, NULL);
    REQUIRE(take(&self, HD_PUNCH_EVENT_REQUEST));
    CHECK(!self.event.request.is_last);
  }
  hd_holepuncher_answered(self.puncher, self.now, self.event.request.number, NULL);
  REQUIRE(take(&self, HD_PUNCH_EVENT_ENDED));
  CHECK(ended_with(&self, HDHT_ERR_HOLEPUNCH_ABORTED, HD_PUNCH_CAUSE_UNANSWERED));
  destroy(&self);
}

TEST(initiator_takes_garbled_answers_for_none_and_says_so_in_the_end) {
  side self;
  REQUIRE(create(&self, true, false, hd_allocator_system()) == HDHT_OK);
  const uint8_t garbage[100] = {1};
  const hd_punch_reply reply = {.payload = hd_bytes_of(garbage, sizeof garbage)};
  for (unsigned i = 0; i < HD_PUNCH_REQUEST_TRIES; i++) {
    REQUIRE(take(&self, HD_PUNCH_EVENT_REQUEST));
    CHECK(!self.event.request.is_last);
    hd_holepuncher_answered(self.puncher, self.now, self.event.request.number + 7, &reply); /* nobody's */
    hd_holepuncher_answered(self.puncher, self.now, self.event.request.number, &reply);
  }
  REQUIRE(take(&self, HD_PUNCH_EVENT_ENDED));
  CHECK(ended_with(&self, HDHT_ERR_HOLEPUNCH_INVALID, HD_PUNCH_CAUSE_NONE));
  destroy(&self);
}

TEST(initiator_told_to_try_later_waits_ten_to_twenty_seconds_and_proposes_again) {
  side self;
  REQUIRE(create(&self, true, false, hd_allocator_system()) == HDHT_OK);
  REQUIRE(pass_round_zero(&self, HD_NAT_RANDOM, false));
  for (unsigned i = 0; i < HD_PUNCH_LATERS_LIMIT; i++) {
    REQUIRE(take(&self, HD_PUNCH_EVENT_REQUEST));
    hd_messages_holepunch_payload later = server_says(HD_NAT_RANDOM, false);
    later.error = HD_MESSAGES_ERROR_TRY_LATER;
    answer(&self, self.event.request.number, &later);
    CHECK(!wait_for(&self, HD_PUNCH_EVENT_REQUEST, 9999));
    REQUIRE(wait_for(&self, HD_PUNCH_EVENT_REQUEST, 10001));
    CHECK(read_payload(&self, self.event.request.payload)->is_punching);
    CHECK(read_payload(&self, self.event.request.payload)->token == NULL);
    /* The request is still unanswered: let the loop answer it. */
    hd_messages_holepunch_payload again = server_says(HD_NAT_RANDOM, false);
    again.error = HD_MESSAGES_ERROR_TRY_LATER;
    if (i + 1 == HD_PUNCH_LATERS_LIMIT) {
      answer(&self, self.event.request.number, &again);
      REQUIRE(take(&self, HD_PUNCH_EVENT_ENDED));
      CHECK(ended_with(&self, HDHT_ERR_HOLEPUNCH_ABORTED, HD_PUNCH_CAUSE_BUSY));
      break;
    }
    hd_holepuncher_answered(self.puncher, self.now, self.event.request.number, NULL);
  }
  destroy(&self);
}

TEST(initiator_with_a_random_nat_stands_in_line_and_reminds_the_server) {
  side self;
  hd_punch_waiter other;
  REQUIRE(create(&self, true, false, hd_allocator_system()) == HDHT_OK);
  hd_punch_waiter_init(&other, NULL);
  REQUIRE(hd_punch_throttle_enter(&self.throttle, &other, HD_PUNCH_MANY_SOCKETS, self.now) == HDHT_OK);
  REQUIRE(pass_round_zero(&self, HD_NAT_CONSISTENT, true));
  CHECK(!wait_for(&self, HD_PUNCH_EVENT_REQUEST, 4999));
  REQUIRE(wait_for(&self, HD_PUNCH_EVENT_REQUEST, 2));
  CHECK(!read_payload(&self, self.event.request.payload)->is_punching);
  CHECK(read_payload(&self, self.event.request.payload)->remote_token != NULL);
  hd_punch_throttle_leave(&self.throttle, &other, self.now, false);
  hd_punch_waiter *next = hd_punch_throttle_next(&self.throttle, self.now);
  REQUIRE(next != NULL && next->context == self.puncher);
  hd_holepuncher_turn(self.puncher, self.now);
  REQUIRE(take(&self, HD_PUNCH_EVENT_REQUEST));
  CHECK(read_payload(&self, self.event.request.payload)->is_punching);
  accept_proposal(&self, HD_NAT_CONSISTENT);
  unsigned bursts = 0;
  while (take(&self, HD_PUNCH_EVENT_PROBE)) bursts += self.event.probe.ttl == 5;
  CHECK(bursts >= 256);
  destroy(&self);
  CHECK(!self.throttle.is_busy);
  CHECK_UINT(hd_time_add(self.now, HD_PUNCH_RANDOM_PAUSE).us, self.throttle.free_at.us);
}

TEST(initiator_gives_up_its_place_in_line_after_a_minute) {
  side self;
  hd_punch_waiter other;
  REQUIRE(create(&self, true, false, hd_allocator_system()) == HDHT_OK);
  hd_punch_waiter_init(&other, NULL);
  (void)hd_punch_throttle_enter(&self.throttle, &other, HD_PUNCH_MANY_SOCKETS, self.now);
  REQUIRE(pass_round_zero(&self, HD_NAT_CONSISTENT, true));
  REQUIRE(wait_for(&self, HD_PUNCH_EVENT_ENDED, 61000));
  CHECK(ended_with(&self, HDHT_ERR_HOLEPUNCH_ABORTED, HD_PUNCH_CAUSE_BUSY));
  CHECK_UINT(0, self.throttle.line_count);
  destroy(&self);
}

TEST(initiator_whose_owner_objects_ends_without_a_probe_beyond_its_own_nat) {
  side self;
  REQUIRE(create(&self, true, true, hd_allocator_system()) == HDHT_OK);
  REQUIRE(pass_round_zero(&self, HD_NAT_CONSISTENT, false));
  hd_holepuncher_probe_received(self.puncher, self.now, 10, &server_address);
  CHECK(take(&self, HD_PUNCH_EVENT_ASK));
  CHECK_INT(HD_NAT_CONSISTENT, self.event.ask.local_nat);
  CHECK_INT(HD_NAT_CONSISTENT, self.event.ask.remote_nat);
  CHECK(!take(&self, HD_PUNCH_EVENT_PATH)); /* not before the owner has agreed */
  hd_holepuncher_decide(self.puncher, self.now, false);
  REQUIRE(take(&self, HD_PUNCH_EVENT_ENDED));
  CHECK(ended_with(&self, HDHT_ERR_HOLEPUNCH_ABORTED, HD_PUNCH_CAUSE_VETOED));
  destroy(&self);
}

TEST(initiator_without_a_socket_ends) {
  side self;
  REQUIRE(create(&self, true, false, hd_allocator_system()) == HDHT_OK);
  REQUIRE(take(&self, HD_PUNCH_EVENT_OPEN_SOCKET));
  hd_holepuncher_socket_failed(self.puncher, self.now, self.event.open_key);
  REQUIRE(take(&self, HD_PUNCH_EVENT_ENDED));
  CHECK(ended_with(&self, HDHT_ERR_HOLEPUNCH_ABORTED, HD_PUNCH_CAUSE_NO_SOCKET));
  destroy(&self);
}

TEST(initiator_that_is_cancelled_says_farewell_and_closes_its_socket) {
  side self;
  REQUIRE(create(&self, true, false, hd_allocator_system()) == HDHT_OK);
  REQUIRE(pass_round_zero(&self, HD_NAT_CONSISTENT, false));
  hd_holepuncher_cancel(self.puncher, self.now);
  REQUIRE(take(&self, HD_PUNCH_EVENT_REQUEST));
  CHECK(self.event.request.is_last);
  REQUIRE(take(&self, HD_PUNCH_EVENT_CLOSE_SOCKET));
  CHECK_UINT(10, self.event.socket);
  REQUIRE(take(&self, HD_PUNCH_EVENT_ENDED));
  CHECK(ended_with(&self, HDHT_ERR_HOLEPUNCH_ABORTED, HD_PUNCH_CAUSE_CANCELLED));
  CHECK(hd_time_is_never(hd_holepuncher_deadline(self.puncher)));
  destroy(&self);
}

/* ---- the responder ----------------------------------------------------------------------------------------------- */

typedef struct message {
  hd_messages_holepunch_payload payload;
  hd_address addresses[1];
  hd_punch_message sealed;
  hd_address peer_address;
  bool is_from_own_relay;
} message;

static message client_says(uint64_t round, uint64_t nat, bool is_punching) {
  message made = {.payload = {.round = round, .nat = nat, .is_punching = is_punching},
                  .addresses = {client_address},
                  .peer_address = client_address,
                  .is_from_own_relay = true};
  if (nat == HD_NAT_RANDOM) made.addresses[0].port = 0;
  return made;
}

static void seal(side *self, message *sent) {
  sent->payload.has_addresses = sent->payload.nat != HD_NAT_UNKNOWN;
  if (sent->payload.has_addresses) sent->payload.addresses = (hdht_address_list){.array = sent->addresses, .count = 1};
  hd_punch_secret_seal(&self->other, &self->entropy, &sent->payload, &sent->sealed);
}

static int receive(side *self, const message *sent) {
  const hd_punch_incoming incoming = {.payload = hd_bytes_of(sent->sealed.bytes, sent->sealed.size),
                                      .route = {.socket = 10,
                                                .relay = relay_address,
                                                .peer_address = sent->peer_address,
                                                .tid = (uint16_t)sent->payload.round},
                                      .to = server_address,
                                      .is_from_own_relay = sent->is_from_own_relay};
  return hd_holepuncher_receive(self->puncher, self->now, &incoming);
}

static int say(side *self, message sent) {
  seal(self, &sent);
  return receive(self, &sent);
}

static bool begin_responder(side *self, bool asks, bool is_random) {
  if (create(self, false, asks, hd_allocator_system()) != HDHT_OK || !take(self, HD_PUNCH_EVENT_SAMPLE)) return false;
  sample(self, &server_address, is_random);
  return true;
}

TEST(responder_waits_for_its_analysis_and_then_answers_in_order) {
  side self;
  REQUIRE(create(&self, false, false, hd_allocator_system()) == HDHT_OK);
  REQUIRE(take(&self, HD_PUNCH_EVENT_SAMPLE));
  CHECK_INT(HDHT_OK, say(&self, client_says(0, HD_NAT_UNKNOWN, false)));
  CHECK_INT(HDHT_OK, say(&self, client_says(1, HD_NAT_CONSISTENT, false)));
  CHECK(!take(&self, HD_PUNCH_EVENT_ANSWER));
  sample(&self, &server_address, false);
  REQUIRE(take(&self, HD_PUNCH_EVENT_ANSWER));
  CHECK(hd_address_equal(&relay_address, &self.event.answer.route.relay));
  const hd_messages_holepunch_payload *answered = read_payload(&self, self.event.answer.payload);
  CHECK_UINT(HD_NAT_CONSISTENT, answered->nat);
  CHECK_UINT(0, answered->round);
  CHECK_UINT(1, answered->addresses.count);
  CHECK(answered->token != NULL && answered->remote_token == NULL);
  CHECK(hd_address_is_none(&answered->remote_address));
  REQUIRE(take(&self, HD_PUNCH_EVENT_ANSWER));
  CHECK_UINT(1, read_payload(&self, self.event.answer.payload)->round);
  CHECK(!take(&self, HD_PUNCH_EVENT_PROBE));
  destroy(&self);
}

TEST(responder_gives_its_token_only_through_its_own_relays) {
  side self;
  REQUIRE(begin_responder(&self, false, false));
  message sent = client_says(0, HD_NAT_UNKNOWN, false);
  sent.is_from_own_relay = false;
  CHECK_INT(HDHT_OK, say(&self, sent));
  REQUIRE(take(&self, HD_PUNCH_EVENT_ANSWER));
  CHECK(read_payload(&self, self.event.answer.payload)->token == NULL);
  destroy(&self);
}

TEST(responder_meets_what_it_cannot_decrypt_with_silence) {
  side self;
  REQUIRE(begin_responder(&self, false, false));
  message sent = client_says(0, HD_NAT_UNKNOWN, false);
  seal(&self, &sent);
  sent.sealed.bytes[50 % sent.sealed.size] ^= 1;
  sent.sealed.bytes[41] ^= 1;
  CHECK_INT(HDHT_ERR_DECRYPTION, receive(&self, &sent));
  sent.sealed.size = HD_MESSAGES_HOLEPUNCH_OVERHEAD;
  CHECK_INT(HDHT_ERR_DECRYPTION, receive(&self, &sent));
  CHECK(!take(&self, HD_PUNCH_EVENT_ANSWER));
  destroy(&self);
}

TEST(responder_repeats_its_answer_to_a_message_it_has_seen) {
  side self;
  REQUIRE(begin_responder(&self, false, false));
  message sent = client_says(1, HD_NAT_CONSISTENT, true);
  seal(&self, &sent);
  CHECK_INT(HDHT_OK, receive(&self, &sent));
  REQUIRE(take(&self, HD_PUNCH_EVENT_ANSWER));
  CHECK(read_payload(&self, self.event.answer.payload)->is_punching);
  uint8_t first[HD_PUNCH_MESSAGE_SIZE_MAX];
  const size_t size = self.event.answer.payload.size;
  memcpy(first, self.event.answer.payload.data, size);
  self.now = hd_time_add(self.now, HD_SECONDS(1));
  CHECK_INT(HDHT_OK, receive(&self, &sent));
  REQUIRE(take(&self, HD_PUNCH_EVENT_ANSWER));
  CHECK_UINT(size, self.event.answer.payload.size);
  CHECK_BYTES(first, self.event.answer.payload.data, size);
  CHECK(hd_holepuncher_is_punching(self.puncher));
  destroy(&self);
}

/* The token that the responder gave for the client's host comes back. */
static message proves_itself(side *self, message sent, uint8_t token[HDHT_TOKEN_SIZE]) {
  CHECK_INT(HDHT_OK, say(self, client_says(0, HD_NAT_UNKNOWN, false)));
  CHECK(take(self, HD_PUNCH_EVENT_ANSWER));
  memcpy(token, read_payload(self, self->event.answer.payload)->token, HDHT_TOKEN_SIZE);
  sent.payload.remote_token = token;
  return sent;
}

TEST(responder_punches_at_random_ports_only_of_a_host_that_proved_itself) {
  side self;
  uint8_t token[HDHT_TOKEN_SIZE];
  REQUIRE(begin_responder(&self, false, false));
  CHECK_INT(HDHT_OK, say(&self, client_says(1, HD_NAT_RANDOM, true)));
  REQUIRE(take(&self, HD_PUNCH_EVENT_ANSWER));
  CHECK_UINT(HD_MESSAGES_ERROR_ABORTED, read_payload(&self, self.event.answer.payload)->error);
  REQUIRE(take(&self, HD_PUNCH_EVENT_ENDED));
  CHECK(ended_with(&self, HDHT_ERR_REMOTE_NOT_HOLEPUNCHABLE, HD_PUNCH_CAUSE_NONE));
  destroy(&self);

  /* A token for another host, and the right one through a foreign relay, prove nothing. */
  for (int i = 0; i < 2; i++) {
    REQUIRE(begin_responder(&self, false, false));
    message sent = proves_itself(&self, client_says(1, HD_NAT_RANDOM, true), token);
    if (i == 0) sent.peer_address = stranger;
    if (i == 1) sent.is_from_own_relay = false;
    CHECK_INT(HDHT_OK, say(&self, sent));
    CHECK(take(&self, HD_PUNCH_EVENT_ENDED));
    destroy(&self);
  }

  REQUIRE(begin_responder(&self, false, false));
  CHECK_INT(HDHT_OK, say(&self, proves_itself(&self, client_says(1, HD_NAT_RANDOM, true), token)));
  REQUIRE(take(&self, HD_PUNCH_EVENT_ANSWER));
  CHECK(read_payload(&self, self.event.answer.payload)->is_punching);
  REQUIRE(wait_for(&self, HD_PUNCH_EVENT_PROBE, 100));
  CHECK(hd_address_same_host(&client_address, &self.event.probe.to));
  destroy(&self);
}

TEST(responder_opens_fast_to_who_opened_its_nat_to_one_of_our_addresses) {
  side self;
  REQUIRE(begin_responder(&self, false, false));
  message sent = client_says(0, HD_NAT_UNKNOWN, false);
  sent.payload.remote_address = stranger; /* none of ours */
  CHECK_INT(HDHT_OK, say(&self, sent));
  CHECK(!take(&self, HD_PUNCH_EVENT_PROBE));
  sent.payload.round = 1;
  sent.payload.remote_address = server_address;
  CHECK_INT(HDHT_OK, say(&self, sent));
  REQUIRE(take(&self, HD_PUNCH_EVENT_PROBE));
  CHECK(hd_address_equal(&client_address, &self.event.probe.to));
  CHECK_UINT(64, self.event.probe.ttl);
  destroy(&self);
}

TEST(responder_sends_few_fast_openings_whatever_relays_say_where_the_client_is) {
  side self;
  REQUIRE(begin_responder(&self, false, false));
  unsigned probes = 0;
  for (uint8_t i = 0; i < 50; i++) {
    message sent = client_says(i, HD_NAT_UNKNOWN, false);
    sent.payload.remote_address = server_address;
    sent.peer_address = punch_address((uint8_t)(i / 2), 1000);
    CHECK_INT(HDHT_OK, say(&self, sent));
    while (hd_holepuncher_next_event(self.puncher, self.now, &self.event)) {
      probes += self.event.type == HD_PUNCH_EVENT_PROBE;
    }
  }
  CHECK_UINT(HD_PUNCH_FAST_OPENS_LIMIT, probes);
  destroy(&self);
}

TEST(responder_answers_probes_only_once_it_is_committed) {
  side self;
  REQUIRE(begin_responder(&self, false, false));
  hd_holepuncher_probe_received(self.puncher, self.now, 10, &client_address);
  CHECK(!take(&self, HD_PUNCH_EVENT_PROBE));
  CHECK_INT(HDHT_OK, say(&self, client_says(1, HD_NAT_CONSISTENT, true)));
  hd_holepuncher_probe_received(self.puncher, self.now, 10, &client_address);
  REQUIRE(take(&self, HD_PUNCH_EVENT_PROBE));
  CHECK(hd_address_equal(&client_address, &self.event.probe.to));
  CHECK_UINT(10, self.event.socket);
  destroy(&self);
}

TEST(responder_whose_owner_objects_refuses_before_any_probe) {
  side self;
  REQUIRE(begin_responder(&self, true, false));
  message sent = client_says(0, HD_NAT_CONSISTENT, false);
  sent.payload.remote_address = server_address;
  CHECK_INT(HDHT_OK, say(&self, sent));
  REQUIRE(take(&self, HD_PUNCH_EVENT_ASK));
  CHECK(!hd_holepuncher_next_event(self.puncher, self.now, &self.event)); /* it may take its time */
  hd_holepuncher_decide(self.puncher, self.now, false);
  REQUIRE(hd_holepuncher_next_event(self.puncher, self.now, &self.event));
  CHECK_INT(HD_PUNCH_EVENT_ANSWER, self.event.type);
  CHECK_UINT(HD_MESSAGES_ERROR_ABORTED, read_payload(&self, self.event.answer.payload)->error);
  REQUIRE(take(&self, HD_PUNCH_EVENT_ENDED));
  CHECK(ended_with(&self, HDHT_ERR_HOLEPUNCH_ABORTED, HD_PUNCH_CAUSE_VETOED));
  CHECK_INT(HDHT_ERR_INVALID_STATE, say(&self, client_says(9, HD_NAT_CONSISTENT, false)));
  destroy(&self);
}

TEST(responder_with_a_random_nat_promises_a_turn_that_comes_soon) {
  side self;
  uint8_t token[HDHT_TOKEN_SIZE];
  REQUIRE(begin_responder(&self, false, true));
  self.throttle.free_at = hd_time_add(self.now, HD_SECONDS(14));
  CHECK_INT(HDHT_OK, say(&self, proves_itself(&self, client_says(1, HD_NAT_CONSISTENT, true), token)));
  REQUIRE(take(&self, HD_PUNCH_EVENT_ANSWER));
  CHECK(read_payload(&self, self.event.answer.payload)->is_punching);
  CHECK(!wait_for(&self, HD_PUNCH_EVENT_PROBE, 14000));
  REQUIRE(hd_punch_throttle_next(&self.throttle, self.now) != NULL);
  hd_holepuncher_turn(self.puncher, self.now);
  CHECK(take(&self, HD_PUNCH_EVENT_PROBE));
  destroy(&self);
}

TEST(responder_whose_turn_is_far_says_try_later_and_stays) {
  side self;
  uint8_t token[HDHT_TOKEN_SIZE];
  REQUIRE(begin_responder(&self, false, true));
  self.throttle.free_at = hd_time_add(self.now, HD_SECONDS(16));
  CHECK_INT(HDHT_OK, say(&self, proves_itself(&self, client_says(1, HD_NAT_CONSISTENT, true), token)));
  REQUIRE(take(&self, HD_PUNCH_EVENT_ANSWER));
  CHECK_UINT(HD_MESSAGES_ERROR_TRY_LATER, read_payload(&self, self.event.answer.payload)->error);
  CHECK(!wait_for(&self, HD_PUNCH_EVENT_ENDED, 20000));
  CHECK_INT(HDHT_OK, say(&self, client_says(2, HD_NAT_CONSISTENT, true)));
  REQUIRE(take(&self, HD_PUNCH_EVENT_ANSWER));
  CHECK(read_payload(&self, self.event.answer.payload)->is_punching);
  destroy(&self);
}

TEST(responder_ends_when_nothing_comes_and_later_when_something_did) {
  side self;
  REQUIRE(begin_responder(&self, false, false));
  CHECK(!wait_for(&self, HD_PUNCH_EVENT_ENDED, 9999));
  REQUIRE(wait_for(&self, HD_PUNCH_EVENT_ENDED, 1));
  CHECK(ended_with(&self, HDHT_ERR_HOLEPUNCH_ABORTED, HD_PUNCH_CAUSE_IDLE));
  destroy(&self);

  REQUIRE(begin_responder(&self, false, false));
  self.now = hd_time_add(self.now, HD_SECONDS(5));
  CHECK_INT(HDHT_OK, say(&self, client_says(0, HD_NAT_UNKNOWN, false)));
  CHECK(!wait_for(&self, HD_PUNCH_EVENT_ENDED, 19999));
  CHECK(wait_for(&self, HD_PUNCH_EVENT_ENDED, 1));
  destroy(&self);
}

TEST(responder_reopens_sockets_when_both_nats_are_random_and_then_refuses) {
  side self;
  REQUIRE(begin_responder(&self, false, true));
  CHECK_INT(HDHT_OK, say(&self, client_says(0, HD_NAT_RANDOM, false)));
  for (int i = 0; i < HD_PUNCH_REOPENS_LIMIT; i++) {
    REQUIRE(take(&self, HD_PUNCH_EVENT_SAMPLE));
    sample(&self, &server_address, true);
  }
  REQUIRE(take(&self, HD_PUNCH_EVENT_ANSWER));
  CHECK_UINT(HD_MESSAGES_ERROR_ABORTED, read_payload(&self, self.event.answer.payload)->error);
  REQUIRE(take(&self, HD_PUNCH_EVENT_ENDED));
  CHECK(ended_with(&self, HDHT_ERR_HOLEPUNCH_DOUBLE_RANDOMIZED_NATS, HD_PUNCH_CAUSE_NONE));
  destroy(&self);
}

TEST(responder_refuses_more_messages_than_may_wait) {
  side self;
  REQUIRE(create(&self, false, false, hd_allocator_system()) == HDHT_OK);
  REQUIRE(take(&self, HD_PUNCH_EVENT_SAMPLE));
  for (uint64_t i = 0; i < HD_PUNCH_MESSAGES_LIMIT; i++) {
    CHECK_INT(HDHT_OK, say(&self, client_says(i, HD_NAT_UNKNOWN, false)));
  }
  CHECK_INT(HDHT_ERR_LIMIT, say(&self, client_says(9, HD_NAT_UNKNOWN, false)));
  destroy(&self);
}

TEST(responder_told_that_the_client_gave_up_ends_too) {
  side self;
  REQUIRE(begin_responder(&self, false, false));
  message sent = client_says(0, HD_NAT_UNKNOWN, false);
  sent.payload.error = HD_MESSAGES_ERROR_ABORTED;
  CHECK_INT(HDHT_OK, say(&self, sent));
  REQUIRE(take(&self, HD_PUNCH_EVENT_ANSWER));
  REQUIRE(take(&self, HD_PUNCH_EVENT_ENDED));
  CHECK(ended_with(&self, HDHT_ERR_REMOTE_ABORTED, HD_PUNCH_CAUSE_NONE));
  destroy(&self);
}

/* ---- memory ------------------------------------------------------------------------------------------------------ */

static bool punch_with_many_sockets(const hdht_allocator *allocator) {
  side self;
  if (create(&self, true, false, allocator) != HDHT_OK) return false;
  bool is_whole = pass_round_zero(&self, HD_NAT_CONSISTENT, true) && take(&self, HD_PUNCH_EVENT_REQUEST);
  if (is_whole) accept_proposal(&self, HD_NAT_CONSISTENT);
  unsigned bursts = 0;
  while (take(&self, HD_PUNCH_EVENT_PROBE)) bursts += self.event.probe.ttl == 5;
  destroy(&self);
  return is_whole && bursts >= 256;
}

TEST(holepuncher_copes_with_every_failing_allocation) {
  hd_test_each_allocation_failure(punch_with_many_sockets);
}

TEST(holepuncher_causes_have_texts) {
  for (int cause = HD_PUNCH_CAUSE_NONE; cause <= HD_PUNCH_CAUSE_CANCELLED; cause++) {
    CHECK(strlen(hd_punch_cause_text((hd_punch_cause)cause)) > 0);
  }
}
