/* The client's side of a hole punch (hyperdht, "Hole-punch rounds"). */
#include "holepunch/punch_state.h"

/* ---- messages ---------------------------------------------------------------------------------------------------- */

typedef struct own_view {
  hd_address addresses[HD_PUNCH_ADDRESSES_LIMIT];
  uint8_t token[HDHT_TOKEN_SIZE];
} own_view;

/* What every message says; `view` is lent to it. While our NAT is unknown we have no addresses to tell. */
static hd_messages_holepunch_payload describe(hd_holepuncher *puncher, own_view *view) {
  const unsigned count = hd_punch_own_addresses(puncher, view->addresses);
  return (hd_messages_holepunch_payload){
      .nat = hd_punch_local_nat(puncher),
      .round = puncher->next_round++,
      .has_addresses = hd_punch_local_nat(puncher) != HD_NAT_UNKNOWN,
      .addresses = {.array = view->addresses, .count = count},
  };
}

static void send_request(hd_holepuncher *puncher, const hd_messages_holepunch_payload *payload, const hd_address *to,
                         const hd_address *peer_address) {
  hd_punch_request *request = &puncher->request;
  request->is_wanted = true;
  request->is_awaited = true;
  request->is_last = false;
  request->was_garbled = false;
  request->number++;
  request->tries = 1;
  request->to = *to;
  request->peer_address = *peer_address;
  hd_punch_secret_seal(&puncher->secret, puncher->options.entropy, payload, &request->message);
}

static const hd_messages_relay *server_relay(const hd_holepuncher *puncher) {
  return &puncher->relays[puncher->relay];
}

/* A message that tells about us and asks about the responder, but starts nothing. With `proves` it also returns the
 * responder's token and gives ours, so that both hosts are verified. */
static void ask_responder(hd_holepuncher *puncher, bool proves) {
  own_view view;
  hd_messages_holepunch_payload payload = describe(puncher, &view);
  if (puncher->options.uses_fast_open && puncher->server_address.family == HDHT_FAMILY_IPV4) {
    hd_punch_fast_open(puncher, &puncher->server_address);
    payload.remote_address = puncher->server_address;
  }
  if (proves && puncher->remote.has_token) payload.remote_token = puncher->remote.token;
  send_request(puncher, &payload, &server_relay(puncher)->relay_address, &server_relay(puncher)->peer_address);
}

/* The message that starts the punch: through the relay that carried the handshake, because the responder's NAT lets
 * that one in to the socket it punches with. After it told us to wait, through the relay it announced itself to. */
static void propose(hd_holepuncher *puncher) {
  own_view view;
  hd_messages_holepunch_payload payload = describe(puncher, &view);
  payload.is_punching = true;
  if (puncher->remote.has_token) payload.remote_token = puncher->remote.token;
  puncher->phase = HD_PUNCH_PHASE_PROPOSING;
  if (puncher->laters_count > 0) {
    send_request(puncher, &payload, &server_relay(puncher)->relay_address, &server_relay(puncher)->peer_address);
    return;
  }
  if (puncher->server_address.family == HDHT_FAMILY_IPV4) {
    hd_punch_secret_token(&puncher->secret, &puncher->server_address, view.token);
    payload.token = view.token;
  }
  send_request(puncher, &payload, &puncher->options.handshake_relay, &puncher->server_address);
}

void hd_punch_initiator_say_farewell(hd_holepuncher *puncher) {
  if (!hd_punch_sockets_main_is_open(&puncher->sockets)) return;
  const hd_messages_holepunch_payload payload = {
      .error = HD_MESSAGES_ERROR_ABORTED, .nat = hd_punch_local_nat(puncher), .round = puncher->next_round++};
  send_request(puncher, &payload, &server_relay(puncher)->relay_address, &server_relay(puncher)->peer_address);
  puncher->request.is_awaited = false;
  puncher->request.is_last = true;
}

static void abort_punch(hd_holepuncher *puncher, hd_time now, int error, hd_punch_cause cause) {
  hd_punch_initiator_say_farewell(puncher);
  hd_punch_end(puncher, now, error, cause);
}

/* ---- from knowing the NATs to punching -----------------------------------------------------------------------------
 */

static void wait_for(hd_holepuncher *puncher, hd_time now, hd_punch_phase phase, hd_duration duration) {
  puncher->phase = phase;
  puncher->timer = hd_time_add(now, duration);
}

static void try_later(hd_holepuncher *puncher, hd_time now) {
  if (++puncher->laters_count > HD_PUNCH_LATERS_LIMIT) {
    abort_punch(puncher, now, HDHT_ERR_HOLEPUNCH_ABORTED, HD_PUNCH_CAUSE_BUSY);
    return;
  }
  hd_punch_throttle_leave(puncher->options.throttle, &puncher->waiter, now, false);
  const uint64_t more_us = hd_entropy_below(puncher->options.entropy, HD_PUNCH_LATER_PAUSE.us + 1);
  wait_for(puncher, now, HD_PUNCH_PHASE_LATER, hd_duration_add(HD_PUNCH_LATER_PAUSE, HD_MICROSECONDS(more_us)));
}

/* Both NATs are known and the owner agrees: what remains is to be allowed by the throttle. */
static void take_turn(hd_holepuncher *puncher, hd_time now) {
  hd_punch_throttle *throttle = puncher->options.throttle;
  const hd_punch_strategy strategy = hd_punch_plan_now(puncher).strategy;
  if (hd_punch_throttle_enter(throttle, &puncher->waiter, strategy, now) == HDHT_OK) {
    propose(puncher);
  } else if (strategy != HD_PUNCH_MANY_SOCKETS) {
    try_later(puncher, now);
  } else if (hd_punch_throttle_queue(throttle, &puncher->waiter) == HDHT_OK) {
    puncher->patience_until = hd_time_add(now, HD_PUNCH_TURN_PATIENCE);
    wait_for(puncher, now, HD_PUNCH_PHASE_IN_LINE, HD_PUNCH_REMIND_INTERVAL);
  } else {
    abort_punch(puncher, now, HDHT_ERR_HOLEPUNCH_ABORTED, HD_PUNCH_CAUSE_BUSY);
  }
}

static bool repeats_for_remote(hd_holepuncher *puncher) {
  const bool is_told = puncher->remote.nat != HD_NAT_UNKNOWN && puncher->remote.has_token;
  if (is_told || puncher->has_repeated_for_remote) return false;
  return puncher->has_repeated_for_remote = true;
}

static bool repeats_for_reopen(hd_holepuncher *puncher) {
  if (!puncher->was_reopened || puncher->has_repeated_for_reopen || hd_punch_is_unstable(puncher)) return false;
  return puncher->has_repeated_for_reopen = true;
}

static bool reopens(hd_holepuncher *puncher) {
  if (!hd_punch_is_unstable(puncher) || !hd_punch_sockets_reopen(&puncher->sockets)) return false;
  return puncher->was_reopened = true;
}

static void ask_again(hd_holepuncher *puncher) {
  puncher->phase = HD_PUNCH_PHASE_ASKING;
  ask_responder(puncher, false);
}

static void decide(hd_holepuncher *puncher, hd_time now) {
  const hd_nat_kind local = hd_punch_local_nat(puncher);
  const hd_nat_kind remote = puncher->remote.nat;
  if (local == HD_NAT_UNKNOWN || remote == HD_NAT_UNKNOWN) {
    abort_punch(puncher, now, HDHT_ERR_HOLEPUNCH_PROBE_TIMEOUT, HD_PUNCH_CAUSE_NONE);
  } else if (local == HD_NAT_RANDOM && remote == HD_NAT_RANDOM) {
    abort_punch(puncher, now, HDHT_ERR_HOLEPUNCH_DOUBLE_RANDOMIZED_NATS, HD_PUNCH_CAUSE_NONE);
  } else if (hd_punch_ask(puncher) == HD_PUNCH_VERDICT_REFUSED) {
    abort_punch(puncher, now, HDHT_ERR_HOLEPUNCH_ABORTED, HD_PUNCH_CAUSE_VETOED);
  } else if (puncher->verdict == HD_PUNCH_VERDICT_ALLOWED) {
    hd_nat_analysis_freeze(&puncher->sockets.analysis);
    take_turn(puncher, now);
  }
}

static void judge(hd_holepuncher *puncher, hd_time now) {
  if (!hd_punch_sockets_are_analysed(&puncher->sockets)) return;
  if (hd_punch_sockets_main_failed(&puncher->sockets)) {
    hd_punch_end(puncher, now, HDHT_ERR_HOLEPUNCH_ABORTED, HD_PUNCH_CAUSE_NO_SOCKET);
  } else if (reopens(puncher)) {
    return; /* again when the new socket is analysed */
  } else if (repeats_for_reopen(puncher) || repeats_for_remote(puncher)) {
    ask_again(puncher);
  } else {
    decide(puncher, now);
  }
}

static void open_first(hd_holepuncher *puncher, hd_time now) {
  if (hd_punch_sockets_main_failed(&puncher->sockets)) {
    hd_punch_end(puncher, now, HDHT_ERR_HOLEPUNCH_ABORTED, HD_PUNCH_CAUSE_NO_SOCKET);
  } else if (hd_punch_sockets_main_is_open(&puncher->sockets)) {
    ask_again(puncher);
  }
}

void hd_punch_initiator_advance(hd_holepuncher *puncher, hd_time now) {
  if (puncher->phase == HD_PUNCH_PHASE_OPENING) open_first(puncher, now);
  if (puncher->phase == HD_PUNCH_PHASE_ANALYSING) judge(puncher, now);
}

void hd_punch_initiator_turn(hd_holepuncher *puncher, hd_time now) {
  (void)now;
  if (puncher->phase != HD_PUNCH_PHASE_IN_LINE) return;
  puncher->timer = HD_TIME_NEVER;
  propose(puncher);
}

/* Standing in line: the responder is told that we are still there, or would give up. */
static void remind(hd_holepuncher *puncher, hd_time now) {
  if (hd_time_is_due(puncher->patience_until, now)) {
    abort_punch(puncher, now, HDHT_ERR_HOLEPUNCH_ABORTED, HD_PUNCH_CAUSE_BUSY);
    return;
  }
  ask_responder(puncher, true);
  wait_for(puncher, now, HD_PUNCH_PHASE_IN_LINE, HD_PUNCH_REMIND_INTERVAL);
}

void hd_punch_initiator_elapse(hd_holepuncher *puncher, hd_time now) {
  switch (puncher->phase) {
    case HD_PUNCH_PHASE_PAUSING:
      puncher->phase = HD_PUNCH_PHASE_ANALYSING;
      judge(puncher, now);
      break;
    case HD_PUNCH_PHASE_IN_LINE: remind(puncher, now); break;
    case HD_PUNCH_PHASE_LATER: take_turn(puncher, now); break;
    case HD_PUNCH_PHASE_OPENING:
    case HD_PUNCH_PHASE_ASKING:
    case HD_PUNCH_PHASE_ANALYSING:
    case HD_PUNCH_PHASE_PROPOSING:
    case HD_PUNCH_PHASE_LISTENING:
    case HD_PUNCH_PHASE_PROMISED:
    case HD_PUNCH_PHASE_PUNCHING:
    case HD_PUNCH_PHASE_OVER: break;
  }
}

/* ---- answers ------------------------------------------------------------------------------------------------------
 */

/* Whether an answer through another relay than that of the handshake would be no use: only that one can show that the
 * responder is where we see it, and a random punch needs to know. */
static bool needs_same_relay(const hd_holepuncher *puncher) {
  return puncher->phase == HD_PUNCH_PHASE_PROPOSING && hd_punch_plan_now(puncher).needs_verified_host &&
         hd_punch_remote_verified_address(&puncher->remote) == NULL;
}

/* The same bytes once more, through the next relay: the responder knows them again. */
static bool try_next_relay(hd_holepuncher *puncher) {
  hd_punch_request *request = &puncher->request;
  if (request->tries == HD_PUNCH_REQUEST_TRIES) return false;
  request->tries++;
  request->number++;
  request->is_wanted = true;
  request->is_awaited = true;
  if (needs_same_relay(puncher)) return true;
  const unsigned next = (puncher->relay + request->tries - 1) % puncher->options.relays_count;
  request->to = puncher->relays[next].relay_address;
  request->peer_address = puncher->relays[next].peer_address;
  return true;
}

static void give_up_request(hd_holepuncher *puncher, hd_time now) {
  if (puncher->phase == HD_PUNCH_PHASE_IN_LINE) return; /* only a reminder was lost */
  if (puncher->request.was_garbled) {
    abort_punch(puncher, now, HDHT_ERR_HOLEPUNCH_INVALID, HD_PUNCH_CAUSE_NONE);
  } else {
    abort_punch(puncher, now, HDHT_ERR_HOLEPUNCH_ABORTED, HD_PUNCH_CAUSE_UNANSWERED);
  }
}

static void fail_remotely(hd_holepuncher *puncher, hd_time now, uint64_t remote_error) {
  puncher->remote_error = remote_error;
  hd_punch_end(puncher, now, HDHT_ERR_REMOTE_ABORTED, HD_PUNCH_CAUSE_NONE);
}

/* The relay of the handshake sees the responder's punch socket, which may not be the one it saw before. */
static void note_server_address(hd_holepuncher *puncher, const hd_address *seen) {
  const bool is_same_relay = hd_address_equal(&puncher->request.to, &puncher->options.handshake_relay);
  if (!is_same_relay || seen->family != HDHT_FAMILY_IPV4 || seen->port == 0) return;
  puncher->remote.observed = *seen;
  if (hd_address_equal(seen, &puncher->server_address)) return;
  puncher->server_address = *seen;
  if (puncher->options.uses_fast_open) hd_punch_fast_open(puncher, seen);
}

/* Our token came back: what was sent to the responder's address arrived at the responder. That holds only for a message
 * that went there, through the relay we chose ourselves; the other relays and addresses are what the responder says. */
static bool proves_address(const hd_holepuncher *puncher, const hd_messages_holepunch_payload *payload) {
  const hd_punch_request *request = &puncher->request;
  return hd_address_equal(&request->to, &puncher->options.handshake_relay) &&
         hd_address_same_host(&request->peer_address, &puncher->server_address) &&
         hd_punch_secret_proves(&puncher->secret, &puncher->server_address, payload->remote_token);
}

static void learn(hd_holepuncher *puncher, const hd_punch_reply *reply, hd_messages_holepunch_payload *payload) {
  if (reply->to.family == HDHT_FAMILY_IPV4) {
    hd_punch_sockets_sample(&puncher->sockets, &reply->to, &puncher->request.to);
  }
  if (proves_address(puncher, payload)) {
    hd_punch_remote_verify(&puncher->remote, &puncher->server_address);
  }
  payload->round = puncher->next_round; /* it answers our latest message, whatever it calls it */
  hd_punch_remote_update(&puncher->remote, payload);
  if (puncher->phase == HD_PUNCH_PHASE_ASKING) note_server_address(puncher, &reply->peer_address);
}

static void begin(hd_holepuncher *puncher, hd_time now) {
  if (!puncher->remote.is_punching) {
    abort_punch(puncher, now, HDHT_ERR_REMOTE_NOT_HOLEPUNCHING, HD_PUNCH_CAUSE_NONE);
  } else if (hd_punch_begin_probes(puncher, now) != HDHT_OK) {
    abort_punch(puncher, now, HDHT_ERR_REMOTE_NOT_HOLEPUNCHABLE, HD_PUNCH_CAUSE_NONE);
  }
}

static void handle_answer(hd_holepuncher *puncher, hd_time now) {
  if (puncher->phase == HD_PUNCH_PHASE_PROPOSING) {
    begin(puncher, now);
  } else if (puncher->phase == HD_PUNCH_PHASE_ASKING && puncher->remote.nat == HD_NAT_UNKNOWN) {
    wait_for(puncher, now, HD_PUNCH_PHASE_PAUSING, HD_PUNCH_UNKNOWN_PAUSE);
  } else if (puncher->phase == HD_PUNCH_PHASE_ASKING) {
    puncher->phase = HD_PUNCH_PHASE_ANALYSING;
    judge(puncher, now);
  }
}

void hd_holepuncher_answered(hd_holepuncher *puncher, hd_time now, uint32_t number, const hd_punch_reply *reply) {
  hd_punch_request *request = &puncher->request;
  if (puncher->phase == HD_PUNCH_PHASE_OVER || !request->is_awaited || number != request->number) return;
  request->is_awaited = false;

  uint8_t plaintext[HD_PUNCH_RECEIVE_SIZE_MAX];
  hd_messages_holepunch_payload payload;
  const bool is_readable =
      reply != NULL && hd_punch_secret_open(&puncher->secret, reply->payload, plaintext, &payload) == HDHT_OK;
  if (!is_readable) {
    if (reply != NULL) request->was_garbled = true;
    if (!try_next_relay(puncher)) give_up_request(puncher, now);
    return;
  }
  learn(puncher, reply, &payload);
  if (payload.error == HD_MESSAGES_ERROR_NONE) {
    handle_answer(puncher, now);
  } else if (payload.error == HD_MESSAGES_ERROR_TRY_LATER && puncher->phase == HD_PUNCH_PHASE_PROPOSING) {
    try_later(puncher, now);
  } else {
    fail_remotely(puncher, now, payload.error);
  }
}

/* ---- probes -------------------------------------------------------------------------------------------------------
 */

/* Before the punch only a responder that uses the fast opening may probe; whoever else sends a byte is not it. */
static bool may_probe_us(const hd_holepuncher *puncher, const hd_address *from) {
  if (puncher->phase == HD_PUNCH_PHASE_PUNCHING) return true;
  for (unsigned i = 0; i < puncher->fast_opened_sent; i++) {
    if (hd_address_same_host(&puncher->fast_opened[i], from)) return true;
  }
  return false;
}

/* Where a new path is remembered: instead of an unexpected one, else of the oldest, when all places are taken. */
static hd_punch_path *place_for_path(hd_holepuncher *puncher) {
  if (puncher->paths_count < HD_PUNCH_PATHS_LIMIT) return &puncher->paths[puncher->paths_count++];
  unsigned victim = 0;
  while (victim < HD_PUNCH_PATHS_LIMIT && puncher->paths[victim].is_expected) victim++;
  if (victim == HD_PUNCH_PATHS_LIMIT) victim = 0;
  memmove(&puncher->paths[victim], &puncher->paths[victim + 1],
          (HD_PUNCH_PATHS_LIMIT - 1 - victim) * sizeof puncher->paths[0]);
  return &puncher->paths[HD_PUNCH_PATHS_LIMIT - 1];
}

void hd_punch_initiator_probed(hd_holepuncher *puncher, hd_socket_id socket, const hd_address *from) {
  if (!may_probe_us(puncher, from)) return;
  for (unsigned i = 0; i < puncher->paths_count; i++) {
    if (puncher->paths[i].socket == socket && hd_address_equal(&puncher->paths[i].address, from)) return;
  }
  const bool is_expected =
      hd_punch_remote_has_host(&puncher->remote, from) || hd_address_same_host(&puncher->server_address, from);
  *place_for_path(puncher) = (hd_punch_path){.socket = socket, .address = *from, .is_expected = is_expected};
}
