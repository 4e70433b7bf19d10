/* The server's side of a hole punch (hyperdht, "Incoming hole-punch message"). */
#include "holepunch/punch_state.h"

#define IDLE_AFTER_LATER HD_SECONDS(30) /* who was told to try later may take this long */

/* ---- answers ------------------------------------------------------------------------------------------------------
 */

static bool is_agreed(const hd_holepuncher *puncher) {
  return puncher->phase == HD_PUNCH_PHASE_PUNCHING || puncher->phase == HD_PUNCH_PHASE_PROMISED;
}

/* Our token goes only through relays that we chose ourselves: a forged relay must not learn it for a foreign host. */
static void answer(hd_holepuncher *puncher, hd_punch_entry *entry, uint64_t error) {
  hd_address addresses[HD_PUNCH_ADDRESSES_LIMIT];
  uint8_t token[HDHT_TOKEN_SIZE];
  const unsigned addresses_count = hd_punch_own_addresses(puncher, addresses);
  hd_messages_holepunch_payload payload = {
      .error = error,
      .nat = hd_punch_local_nat(puncher),
      .round = entry->round,
      .is_punching = error == HD_MESSAGES_ERROR_NONE && is_agreed(puncher),
      .has_addresses = hd_punch_local_nat(puncher) != HD_NAT_UNKNOWN,
      .addresses = {.array = addresses, .count = addresses_count},
      .remote_token = entry->has_token ? entry->token : NULL,
  };
  if (entry->is_from_own_relay && entry->route.peer_address.family == HDHT_FAMILY_IPV4) {
    hd_punch_secret_token(&puncher->secret, &entry->route.peer_address, token);
    payload.token = token;
  }
  hd_punch_secret_seal(&puncher->secret, puncher->options.entropy, &payload, &entry->answer);
  entry->state = HD_PUNCH_ENTRY_ANSWERED;
}

static void refuse(hd_holepuncher *puncher, hd_time now, hd_punch_entry *entry, int error, hd_punch_cause cause) {
  answer(puncher, entry, HD_MESSAGES_ERROR_ABORTED);
  hd_punch_end(puncher, now, error, cause);
}

/* ---- deciding on one message ---------------------------------------------------------------------------------------
 */

/* Our class is unknown, or both are random: a new socket may do better. Returns whether to wait for one. */
static bool reopens(hd_holepuncher *puncher, hd_time now, hd_punch_entry *entry) {
  if (hd_punch_sockets_reopen(&puncher->sockets)) return true;
  const bool is_unknown = hd_punch_local_nat(puncher) == HD_NAT_UNKNOWN;
  refuse(puncher, now, entry, is_unknown ? HDHT_ERR_HOLEPUNCH_PROBE_TIMEOUT : HDHT_ERR_HOLEPUNCH_DOUBLE_RANDOMIZED_NATS,
         HD_PUNCH_CAUSE_NONE);
  return false;
}

/* The initiator opened its NAT to one of our addresses: one probe may already get through. It goes where a relay saw
 * the initiator, which is why there are few of them. */
static bool wants_fast_open(const hd_holepuncher *puncher, const hd_punch_entry *entry) {
  const hd_nat_kind kind = hd_punch_local_nat(puncher);
  if (hd_address_is_none(&entry->opened) || (kind != HD_NAT_CONSISTENT && kind != HD_NAT_OPEN)) return false;
  hd_address own[HD_PUNCH_ADDRESSES_LIMIT];
  const unsigned count = hd_punch_own_addresses(puncher, own);
  for (unsigned i = 0; i < count; i++) {
    if (hd_address_equal(&own[i], &entry->opened)) return true;
  }
  return false;
}

/* Starts the punch, or promises to when it will be our turn soon. Returns what to answer. */
static uint64_t enter(hd_holepuncher *puncher, hd_time now) {
  hd_punch_throttle *throttle = puncher->options.throttle;
  const hd_punch_strategy strategy = hd_punch_plan_now(puncher).strategy;
  if (hd_punch_throttle_enter(throttle, &puncher->waiter, strategy, now) == HDHT_OK) {
    const int error = hd_punch_begin_probes(puncher, now);
    hd_assert(error == HDHT_OK); /* it was checked */
    return HD_MESSAGES_ERROR_NONE;
  }
  const hd_time promised_until = hd_time_add(now, HD_PUNCH_TURN_PROMISED);
  const bool is_soon =
      strategy == HD_PUNCH_MANY_SOCKETS && !hd_time_before(promised_until, hd_punch_throttle_expected(throttle));
  if (is_soon && hd_punch_throttle_queue(throttle, &puncher->waiter) == HDHT_OK) {
    puncher->phase = HD_PUNCH_PHASE_PROMISED;
    puncher->timer = HD_TIME_NEVER;
    return HD_MESSAGES_ERROR_NONE;
  }
  puncher->timer = hd_time_later(puncher->timer, hd_time_add(now, IDLE_AFTER_LATER));
  return HD_MESSAGES_ERROR_TRY_LATER;
}

static void agree(hd_holepuncher *puncher, hd_time now, hd_punch_entry *entry) {
  const hd_punch_plan plan = hd_punch_plan_now(puncher);
  if (is_agreed(puncher)) {
    answer(puncher, entry, HD_MESSAGES_ERROR_NONE);
  } else if (hd_punch_probes_check(&plan, &puncher->remote) != HDHT_OK) {
    refuse(puncher, now, entry, HDHT_ERR_REMOTE_NOT_HOLEPUNCHABLE, HD_PUNCH_CAUSE_NONE);
  } else {
    hd_nat_analysis_freeze(&puncher->sockets.analysis);
    answer(puncher, entry, enter(puncher, now));
  }
}

/* Answers the message, or leaves it waiting. */
static void handle(hd_holepuncher *puncher, hd_time now, hd_punch_entry *entry) {
  if (!hd_punch_sockets_are_analysed(&puncher->sockets)) return;
  if (hd_punch_sockets_main_failed(&puncher->sockets)) {
    refuse(puncher, now, entry, HDHT_ERR_HOLEPUNCH_ABORTED, HD_PUNCH_CAUSE_NO_SOCKET);
    return;
  }
  if (!entry->is_punching && !is_agreed(puncher) && hd_punch_is_unstable(puncher)) {
    (void)reopens(puncher, now, entry);
    return;
  }
  const bool opens = wants_fast_open(puncher, entry);
  if (opens || entry->is_punching) {
    const hd_punch_verdict verdict = hd_punch_ask(puncher);
    if (verdict == HD_PUNCH_VERDICT_REFUSED) {
      refuse(puncher, now, entry, HDHT_ERR_HOLEPUNCH_ABORTED, HD_PUNCH_CAUSE_VETOED);
      return;
    }
    if (verdict != HD_PUNCH_VERDICT_ALLOWED) return;
  }
  if (opens) hd_punch_fast_open(puncher, &entry->route.peer_address);
  if (entry->is_punching) {
    agree(puncher, now, entry);
  } else {
    hd_nat_analysis_freeze(&puncher->sockets.analysis);
    answer(puncher, entry, HD_MESSAGES_ERROR_NONE);
  }
}

static hd_punch_entry *oldest_in(hd_holepuncher *puncher, hd_punch_entry_state state) {
  hd_punch_entry *oldest = NULL;
  for (unsigned i = 0; i < HD_PUNCH_MESSAGES_LIMIT; i++) {
    hd_punch_entry *entry = &puncher->entries[i];
    if (entry->state == state && (oldest == NULL || entry->number < oldest->number)) oldest = entry;
  }
  return oldest;
}

void hd_punch_responder_advance(hd_holepuncher *puncher, hd_time now) {
  hd_punch_entry *entry;
  while (puncher->phase != HD_PUNCH_PHASE_OVER && (entry = oldest_in(puncher, HD_PUNCH_ENTRY_WAITING)) != NULL) {
    handle(puncher, now, entry);
    if (entry->state == HD_PUNCH_ENTRY_WAITING) return;
  }
}

/* ---- receiving ----------------------------------------------------------------------------------------------------
 */

static hd_punch_entry *find_entry(hd_holepuncher *puncher, hd_bytes sealed) {
  for (unsigned i = 0; i < HD_PUNCH_MESSAGES_LIMIT; i++) {
    hd_punch_entry *entry = &puncher->entries[i];
    if (entry->state == HD_PUNCH_ENTRY_FREE) continue;
    if (memcmp(entry->identity, sealed.data, HD_PUNCH_IDENTITY_SIZE) == 0) return entry;
  }
  return NULL;
}

/* The initiator did not hear our answer and asks again: it gets the same one, and nothing else happens. */
static void receive_again(hd_punch_entry *entry, const hd_punch_incoming *incoming) {
  entry->route = incoming->route;
  if (entry->state == HD_PUNCH_ENTRY_DONE) entry->state = HD_PUNCH_ENTRY_ANSWERED;
}

static hd_punch_entry *make_room(hd_holepuncher *puncher) {
  hd_punch_entry *unused = oldest_in(puncher, HD_PUNCH_ENTRY_FREE);
  return unused != NULL ? unused : oldest_in(puncher, HD_PUNCH_ENTRY_DONE);
}

static void fill_entry(hd_holepuncher *puncher, hd_punch_entry *entry, const hd_punch_incoming *incoming,
                       const hd_messages_holepunch_payload *payload) {
  *entry = (hd_punch_entry){
      .state = HD_PUNCH_ENTRY_WAITING,
      .route = incoming->route,
      .error = payload->error,
      .round = payload->round,
      .is_punching = payload->is_punching,
      .is_from_own_relay = incoming->is_from_own_relay,
      .has_token = payload->token != NULL,
      .opened = payload->remote_address,
      .number = puncher->entries_received++,
  };
  memcpy(entry->identity, incoming->payload.data, sizeof entry->identity);
  if (entry->has_token) memcpy(entry->token, payload->token, sizeof entry->token);
}

/* A token that came back through one of our own relays shows that the initiator receives at the host where that relay
 * sees it. */
static void learn(hd_holepuncher *puncher, const hd_punch_incoming *incoming,
                  const hd_messages_holepunch_payload *payload) {
  const hd_address *peer = &incoming->route.peer_address;
  if (incoming->route.socket == hd_holepuncher_main_socket(puncher) && incoming->to.family == HDHT_FAMILY_IPV4) {
    hd_punch_sockets_sample(&puncher->sockets, &incoming->to, &incoming->route.relay);
  }
  if (incoming->is_from_own_relay && hd_punch_secret_proves(&puncher->secret, peer, payload->remote_token)) {
    hd_punch_remote_verify(&puncher->remote, peer);
  }
  if (payload->round < puncher->remote.round) return;
  if (peer->family == HDHT_FAMILY_IPV4) puncher->remote.observed = *peer;
  hd_punch_remote_update(&puncher->remote, payload);
}

static void stay_awake(hd_holepuncher *puncher, hd_time now, hd_duration duration) {
  if (puncher->phase != HD_PUNCH_PHASE_LISTENING) return;
  puncher->timer = hd_time_later(puncher->timer, hd_time_add(now, duration));
}

void hd_holepuncher_stay(hd_holepuncher *puncher, hd_time now) {
  stay_awake(puncher, now, HD_PUNCH_IDLE_TIMEOUT);
}

int hd_holepuncher_receive(hd_holepuncher *puncher, hd_time now, const hd_punch_incoming *incoming) {
  hd_assert(!puncher->options.is_initiator);
  if (puncher->phase == HD_PUNCH_PHASE_OVER) return HDHT_ERR_INVALID_STATE;
  if (incoming->payload.size <= HD_PUNCH_IDENTITY_SIZE) return HDHT_ERR_DECRYPTION;
  hd_punch_entry *entry = find_entry(puncher, incoming->payload);
  if (entry != NULL) {
    receive_again(entry, incoming);
    return HDHT_OK;
  }
  uint8_t plaintext[HD_PUNCH_RECEIVE_SIZE_MAX];
  hd_messages_holepunch_payload payload;
  const int error = hd_punch_secret_open(&puncher->secret, incoming->payload, plaintext, &payload);
  if (error != HDHT_OK) return error;
  entry = make_room(puncher);
  if (entry == NULL) return HDHT_ERR_LIMIT;

  fill_entry(puncher, entry, incoming, &payload);
  learn(puncher, incoming, &payload);
  stay_awake(puncher, now, HD_PUNCH_SILENCE_TIMEOUT);
  if (payload.error != HD_MESSAGES_ERROR_NONE) {
    puncher->remote_error = payload.error;
    refuse(puncher, now, entry, HDHT_ERR_REMOTE_ABORTED, HD_PUNCH_CAUSE_NONE);
  } else {
    hd_punch_responder_advance(puncher, now);
  }
  return HDHT_OK;
}

/* ---- turn, time, probes --------------------------------------------------------------------------------------------
 */

void hd_punch_responder_turn(hd_holepuncher *puncher, hd_time now) {
  if (puncher->phase != HD_PUNCH_PHASE_PROMISED) return;
  if (hd_punch_begin_probes(puncher, now) != HDHT_OK) {
    hd_punch_end(puncher, now, HDHT_ERR_REMOTE_NOT_HOLEPUNCHABLE, HD_PUNCH_CAUSE_NONE);
  }
}

void hd_punch_responder_elapse(hd_holepuncher *puncher, hd_time now) {
  hd_punch_end(puncher, now, HDHT_ERR_HOLEPUNCH_ABORTED, HD_PUNCH_CAUSE_IDLE);
}

/* Only who is committed answers probes: one answered earlier could make the initiator take a path that we then do not
 * want. */
static bool is_committed_to(const hd_holepuncher *puncher, const hd_address *from) {
  if (is_agreed(puncher)) return true;
  for (unsigned i = 0; i < puncher->fast_opened_sent; i++) {
    if (hd_address_equal(&puncher->fast_opened[i], from)) return true;
  }
  return false;
}

void hd_punch_responder_probed(hd_holepuncher *puncher, hd_time now, hd_socket_id socket, const hd_address *from) {
  if (is_committed_to(puncher, from)) hd_punch_echo_add(&puncher->echo, now, socket, from);
}
