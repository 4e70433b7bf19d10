#include "holepunch/holepuncher.h"

#include "crypto/secret.h"
#include "holepunch/punch_state.h"

const char *hd_punch_cause_text(hd_punch_cause cause) {
  switch (cause) {
    case HD_PUNCH_CAUSE_NONE: return "no cause";
    case HD_PUNCH_CAUSE_EXHAUSTED: return "all probes were sent and none came through";
    case HD_PUNCH_CAUSE_VETOED: return "this side did not want to punch";
    case HD_PUNCH_CAUSE_BUSY: return "other random punches took too long";
    case HD_PUNCH_CAUSE_NO_SOCKET: return "no socket could be opened";
    case HD_PUNCH_CAUSE_UNANSWERED: return "no relay brought an answer";
    case HD_PUNCH_CAUSE_IDLE: return "the other side fell silent";
    case HD_PUNCH_CAUSE_CANCELLED: return "this side cancelled it";
  }
  return "unknown";
}

/* ---- life -------------------------------------------------------------------------------------------------------- */

static unsigned find_relay(const hd_holepuncher *puncher, const hd_address *address) {
  for (unsigned i = 0; i < puncher->options.relays_count; i++) {
    if (hd_address_equal(&puncher->relays[i].relay_address, address)) return i;
  }
  return 0;
}

static void take_relays(hd_holepuncher *puncher) {
  hd_holepuncher_options *options = &puncher->options;
  if (options->relays_count > HD_PUNCH_RELAYS_LIMIT) options->relays_count = HD_PUNCH_RELAYS_LIMIT;
  for (unsigned i = 0; i < options->relays_count; i++) puncher->relays[i] = options->relays[i];
  options->relays = puncher->relays;
  puncher->relay = find_relay(puncher, &options->handshake_relay);
}

int hd_holepuncher_create(const hd_holepuncher_options *options, hd_time now, hd_holepuncher **puncher) {
  hd_assert(!options->is_initiator || options->relays_count > 0);
  hd_holepuncher *made = hd_allocate(options->allocator, sizeof *made);
  if (made == NULL) return HDHT_ERR_OUT_OF_MEMORY;
  *made = (hd_holepuncher){
      .options = *options,
      .phase = options->is_initiator ? HD_PUNCH_PHASE_OPENING : HD_PUNCH_PHASE_LISTENING,
      .timer = options->is_initiator ? HD_TIME_NEVER : hd_time_add(now, HD_PUNCH_IDLE_TIMEOUT),
      .verdict = options->asks_before_punching ? HD_PUNCH_VERDICT_NONE : HD_PUNCH_VERDICT_ALLOWED,
      .server_address = options->server_address,
  };
  take_relays(made);
  hd_punch_secret_init(&made->secret, options->key, options->entropy);
  hd_secret_wipe(made->options.key, sizeof made->options.key);
  hd_punch_remote_init(&made->remote, &options->server_address);
  hd_punch_sockets_init(&made->sockets, options->allocator, options->is_open);
  hd_punch_probes_init(&made->probes);
  hd_punch_echo_init(&made->echo);
  hd_punch_waiter_init(&made->waiter, made);
  *puncher = made;
  return HDHT_OK;
}

void hd_holepuncher_destroy(hd_holepuncher *puncher, hd_time now) {
  const bool has_punched = hd_punch_probes_have_started(&puncher->probes);
  hd_punch_throttle_leave(puncher->options.throttle, &puncher->waiter, now, has_punched);
  hd_punch_sockets_destroy(&puncher->sockets);
  hd_secret_release(puncher->options.allocator, puncher, sizeof *puncher);
}

void hd_punch_end(hd_holepuncher *puncher, hd_time now, int error, hd_punch_cause cause) {
  if (puncher->phase == HD_PUNCH_PHASE_OVER) return;
  const bool has_punched = hd_punch_probes_have_started(&puncher->probes);
  hd_punch_throttle_leave(puncher->options.throttle, &puncher->waiter, now, has_punched);
  hd_punch_probes_stop(&puncher->probes);
  hd_punch_echo_init(&puncher->echo);
  hd_punch_sockets_release(&puncher->sockets, HD_SOCKET_NONE);
  puncher->phase = HD_PUNCH_PHASE_OVER;
  puncher->timer = HD_TIME_NEVER;
  puncher->error = error;
  puncher->cause = cause;
}

/* ---- what both sides need ---------------------------------------------------------------------------------------- */

hd_nat_kind hd_punch_local_nat(const hd_holepuncher *puncher) {
  return puncher->sockets.analysis.kind;
}

hd_punch_plan hd_punch_plan_now(const hd_holepuncher *puncher) {
  return hd_punch_plan_of(hd_punch_local_nat(puncher), puncher->remote.nat, puncher->options.is_initiator);
}

bool hd_punch_is_unstable(const hd_holepuncher *puncher) {
  const hd_nat_kind local = hd_punch_local_nat(puncher);
  return local == HD_NAT_UNKNOWN || (local == HD_NAT_RANDOM && puncher->remote.nat == HD_NAT_RANDOM);
}

/* A node that has just become reachable publishes what its socket was seen as: a peer needs something to probe. */
unsigned hd_punch_own_addresses(const hd_holepuncher *puncher, hd_address addresses[HD_PUNCH_ADDRESSES_LIMIT]) {
  const hd_nat_analysis *analysis = &puncher->sockets.analysis;
  hd_nat_seen_address seen[HD_PUNCH_ADDRESSES_LIMIT];
  unsigned count = hd_nat_analysis_addresses(analysis, seen, HD_PUNCH_ADDRESSES_LIMIT);
  if (analysis->kind == HD_NAT_OPEN && analysis->pairs_count > 0) seen[count++] = analysis->pairs[0];
  for (unsigned i = 0; i < count; i++) addresses[i] = seen[i].address;
  return count;
}

void hd_punch_fast_open(hd_holepuncher *puncher, const hd_address *to) {
  if (to->family != HDHT_FAMILY_IPV4 || to->port == 0) return;
  if (puncher->fast_opened_count == HD_PUNCH_FAST_OPENS_LIMIT) return;
  for (unsigned i = 0; i < puncher->fast_opened_count; i++) {
    if (hd_address_equal(&puncher->fast_opened[i], to)) return;
  }
  puncher->fast_opened[puncher->fast_opened_count++] = *to;
}

int hd_punch_begin_probes(hd_holepuncher *puncher, hd_time now) {
  const hd_punch_plan plan = hd_punch_plan_now(puncher);
  const uint16_t observed_port = puncher->remote.observed.port;
  const int error = hd_punch_probes_start(&puncher->probes, now, &plan, &puncher->remote, observed_port);
  if (error != HDHT_OK) return error;
  hd_punch_sockets_grow(&puncher->sockets, plan.sockets_count);
  puncher->phase = HD_PUNCH_PHASE_PUNCHING;
  puncher->timer = HD_TIME_NEVER;
  return HDHT_OK;
}

hd_punch_verdict hd_punch_ask(hd_holepuncher *puncher) {
  if (puncher->verdict == HD_PUNCH_VERDICT_NONE) puncher->verdict = HD_PUNCH_VERDICT_WANTED;
  return puncher->verdict;
}

static void advance(hd_holepuncher *puncher, hd_time now) {
  if (puncher->phase == HD_PUNCH_PHASE_OVER) return;
  if (puncher->options.is_initiator) {
    hd_punch_initiator_advance(puncher, now);
  } else {
    hd_punch_responder_advance(puncher, now);
  }
}

/* ---- what is told ------------------------------------------------------------------------------------------------ */

void hd_holepuncher_socket_opened(hd_holepuncher *puncher, hd_time now, uint32_t key, hd_socket_id socket) {
  hd_assert(socket != HD_SOCKET_NONE);
  hd_punch_sockets_opened(&puncher->sockets, key, socket);
  advance(puncher, now);
}

void hd_holepuncher_socket_failed(hd_holepuncher *puncher, hd_time now, uint32_t key) {
  hd_punch_sockets_opened(&puncher->sockets, key, HD_SOCKET_NONE);
  advance(puncher, now);
}

static bool is_main(const hd_holepuncher *puncher, hd_socket_id socket) {
  return hd_punch_sockets_main_is_open(&puncher->sockets) && puncher->sockets.main.id == socket;
}

void hd_holepuncher_sample(hd_holepuncher *puncher, hd_time now, hd_socket_id socket, const hd_address *reported,
                           const hd_address *helper) {
  if (!is_main(puncher, socket) || reported->family != HDHT_FAMILY_IPV4) return;
  hd_punch_sockets_sample(&puncher->sockets, reported, helper);
  advance(puncher, now);
}

void hd_holepuncher_samples_end(hd_holepuncher *puncher, hd_time now, hd_socket_id socket) {
  if (!is_main(puncher, socket)) return;
  hd_punch_sockets_samples_end(&puncher->sockets);
  advance(puncher, now);
}

void hd_holepuncher_probe_received(hd_holepuncher *puncher, hd_time now, hd_socket_id socket, const hd_address *from) {
  if (puncher->phase == HD_PUNCH_PHASE_OVER || !hd_holepuncher_owns_socket(puncher, socket)) return;
  if (from->family != HDHT_FAMILY_IPV4 || from->port == 0) return;
  if (puncher->options.is_initiator) {
    hd_punch_initiator_probed(puncher, socket, from);
  } else {
    hd_punch_responder_probed(puncher, now, socket, from);
  }
}

void hd_holepuncher_decide(hd_holepuncher *puncher, hd_time now, bool allows) {
  if (puncher->verdict != HD_PUNCH_VERDICT_ASKED) return;
  puncher->verdict = allows ? HD_PUNCH_VERDICT_ALLOWED : HD_PUNCH_VERDICT_REFUSED;
  advance(puncher, now);
}

void hd_holepuncher_turn(hd_holepuncher *puncher, hd_time now) {
  if (puncher->options.is_initiator) {
    hd_punch_initiator_turn(puncher, now);
  } else {
    hd_punch_responder_turn(puncher, now);
  }
}

void hd_holepuncher_confirm(hd_holepuncher *puncher, hd_time now, hd_socket_id socket) {
  if (puncher->phase == HD_PUNCH_PHASE_OVER) return;
  hd_punch_sockets_release(&puncher->sockets, socket);
  hd_punch_end(puncher, now, HDHT_OK, HD_PUNCH_CAUSE_NONE);
}

void hd_holepuncher_cancel(hd_holepuncher *puncher, hd_time now) {
  if (puncher->phase == HD_PUNCH_PHASE_OVER) return;
  if (puncher->options.is_initiator) hd_punch_initiator_say_farewell(puncher);
  hd_punch_end(puncher, now, HDHT_ERR_HOLEPUNCH_ABORTED, HD_PUNCH_CAUSE_CANCELLED);
}

/* ---- time -------------------------------------------------------------------------------------------------------- */

hd_time hd_holepuncher_deadline(const hd_holepuncher *puncher) {
  if (puncher->phase == HD_PUNCH_PHASE_OVER) return HD_TIME_NEVER;
  const hd_time probes_at = hd_punch_probes_deadline(&puncher->probes, &puncher->sockets);
  const hd_time echo_at = hd_punch_echo_deadline(&puncher->echo);
  return hd_time_earlier(puncher->timer, hd_time_earlier(probes_at, echo_at));
}

void hd_holepuncher_elapse(hd_holepuncher *puncher, hd_time now) {
  if (!hd_time_is_due(puncher->timer, now)) return;
  puncher->timer = HD_TIME_NEVER;
  if (puncher->is_finishing) {
    if (puncher->options.is_initiator) hd_punch_initiator_say_farewell(puncher);
    hd_punch_end(puncher, now, HDHT_ERR_HOLEPUNCH_ABORTED, HD_PUNCH_CAUSE_EXHAUSTED);
  } else if (puncher->options.is_initiator) {
    hd_punch_initiator_elapse(puncher, now);
  } else {
    hd_punch_responder_elapse(puncher, now);
  }
}

/* After the last probe: the other side may still be at it, or the stream on its way. */
static void finish_when_exhausted(hd_holepuncher *puncher, hd_time now) {
  if (puncher->is_finishing || !hd_punch_probes_are_exhausted(&puncher->probes)) return;
  puncher->is_finishing = true;
  const bool may_follow = !puncher->options.is_initiator || puncher->paths_count > 0;
  puncher->timer = may_follow ? hd_time_add(now, HD_PUNCH_CONFIRM_PATIENCE) : now;
}

/* ---- events ------------------------------------------------------------------------------------------------------ */

static bool next_request(hd_holepuncher *puncher, hd_punch_event *event) {
  hd_punch_request *request = &puncher->request;
  if (!request->is_wanted) return false;
  request->is_wanted = false;
  *event = (hd_punch_event){
      .type = HD_PUNCH_EVENT_REQUEST,
      .socket = puncher->sockets.main.id,
      .request = {.number = request->number,
                  .slot = puncher->options.slot,
                  .to = request->to,
                  .peer_address = request->peer_address,
                  .payload = hd_bytes_of(request->message.bytes, request->message.size),
                  .is_last = request->is_last},
  };
  return true;
}

static bool next_answer(hd_holepuncher *puncher, hd_punch_event *event) {
  for (unsigned i = 0; i < HD_PUNCH_MESSAGES_LIMIT; i++) {
    hd_punch_entry *entry = &puncher->entries[i];
    if (entry->state != HD_PUNCH_ENTRY_ANSWERED) continue;
    entry->state = HD_PUNCH_ENTRY_DONE;
    *event = (hd_punch_event){
        .type = HD_PUNCH_EVENT_ANSWER,
        .socket = puncher->sockets.main.id,
        .answer = {.route = entry->route, .payload = hd_bytes_of(entry->answer.bytes, entry->answer.size)},
    };
    return true;
  }
  return false;
}

static bool next_question(hd_holepuncher *puncher, hd_punch_event *event) {
  if (puncher->verdict != HD_PUNCH_VERDICT_WANTED || puncher->phase == HD_PUNCH_PHASE_OVER) return false;
  puncher->verdict = HD_PUNCH_VERDICT_ASKED;
  *event = (hd_punch_event){
      .type = HD_PUNCH_EVENT_ASK,
      .ask = {.local_nat = hd_punch_local_nat(puncher), .remote_nat = puncher->remote.nat, .remote = &puncher->remote},
  };
  return true;
}

static bool next_path(hd_holepuncher *puncher, hd_punch_event *event) {
  if (puncher->phase == HD_PUNCH_PHASE_OVER || puncher->verdict != HD_PUNCH_VERDICT_ALLOWED) return false;
  for (unsigned i = 0; i < puncher->paths_count; i++) {
    hd_punch_path *path = &puncher->paths[i];
    if (path->is_told) continue;
    path->is_told = true;
    *event = (hd_punch_event){.type = HD_PUNCH_EVENT_PATH,
                              .socket = path->socket,
                              .path = {.address = path->address, .is_expected = path->is_expected}};
    return true;
  }
  return false;
}

static bool next_fast_open(hd_holepuncher *puncher, hd_punch_probe *probe) {
  if (puncher->fast_opened_sent == puncher->fast_opened_count) return false;
  if (!hd_punch_sockets_main_is_open(&puncher->sockets)) return false;
  *probe = (hd_punch_probe){.socket = puncher->sockets.main.id,
                            .to = puncher->fast_opened[puncher->fast_opened_sent++],
                            .ttl = puncher->options.is_initiator ? HD_PUNCH_TTL_LOW : HD_PUNCH_TTL};
  return true;
}

static bool next_probe(hd_holepuncher *puncher, hd_time now, hd_punch_event *event) {
  hd_punch_probe probe;
  const bool has_one = next_fast_open(puncher, &probe) || hd_punch_echo_next(&puncher->echo, now, &probe) ||
                       hd_punch_probes_next(&puncher->probes, now, &puncher->sockets, &puncher->remote,
                                            puncher->options.entropy, &probe);
  if (!has_one) return false;
  *event = (hd_punch_event){
      .type = HD_PUNCH_EVENT_PROBE, .socket = probe.socket, .probe = {.to = probe.to, .ttl = probe.ttl}};
  return true;
}

static bool next_socket(hd_holepuncher *puncher, hd_punch_event *event) {
  *event = (hd_punch_event){0};
  if (hd_punch_sockets_take_closing(&puncher->sockets, &event->socket)) {
    event->type = HD_PUNCH_EVENT_CLOSE_SOCKET;
    return true;
  }
  if (hd_punch_sockets_take_wanted(&puncher->sockets, &event->open_key)) {
    event->type = HD_PUNCH_EVENT_OPEN_SOCKET;
    return true;
  }
  if (hd_punch_sockets_take_sampling(&puncher->sockets)) {
    event->type = HD_PUNCH_EVENT_SAMPLE;
    event->socket = puncher->sockets.main.id;
    event->samples_count = HD_PUNCH_SAMPLES_WANTED;
    return true;
  }
  return false;
}

static bool next_end(hd_holepuncher *puncher, hd_punch_event *event) {
  if (puncher->phase != HD_PUNCH_PHASE_OVER || puncher->is_end_told) return false;
  puncher->is_end_told = true;
  *event = (hd_punch_event){
      .type = HD_PUNCH_EVENT_ENDED,
      .ended = {.error = puncher->error, .cause = puncher->cause, .remote_error = puncher->remote_error},
  };
  return true;
}

/* What is said goes before what is closed, so that it can still leave. */
bool hd_holepuncher_next_event(hd_holepuncher *puncher, hd_time now, hd_punch_event *event) {
  const bool is_over = puncher->phase == HD_PUNCH_PHASE_OVER;
  if (next_request(puncher, event) || next_answer(puncher, event)) return true;
  if (next_question(puncher, event) || next_path(puncher, event)) return true;
  if (!is_over && next_probe(puncher, now, event)) return true;
  if (next_socket(puncher, event) || next_end(puncher, event)) return true;
  finish_when_exhausted(puncher, now);
  return false;
}

/* ---- looking ----------------------------------------------------------------------------------------------------- */

hd_socket_id hd_holepuncher_main_socket(const hd_holepuncher *puncher) {
  return hd_punch_sockets_main_is_open(&puncher->sockets) ? puncher->sockets.main.id : HD_SOCKET_NONE;
}

bool hd_holepuncher_owns_socket(const hd_holepuncher *puncher, hd_socket_id socket) {
  return hd_punch_sockets_contain(&puncher->sockets, socket);
}

const hd_nat_analysis *hd_holepuncher_analysis(const hd_holepuncher *puncher) {
  return &puncher->sockets.analysis;
}

bool hd_holepuncher_is_punching(const hd_holepuncher *puncher) {
  return puncher->phase == HD_PUNCH_PHASE_PUNCHING;
}
