/* A hole punch against a hostile world: whoever is on the other side holds the key and says what it likes, relays lie
 * about addresses, strangers send probes, the driver fails, time jumps. Nothing crashes; every socket is given back;
 * the number of probes is bounded, and hosts that a peer merely names get hardly any. */
#include "crypto/aead.h"
#include "fuzz_input.h"
#include "holepunch/holepuncher.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define SOCKETS_MAX 2048
#define HOSTS_COUNT 16
#define STEPS_MAX   3000

/* Fast openings, a burst, the cycle, answers. */
#define PROBES_MAX       (HD_PUNCH_FAST_OPENS_LIMIT + HD_PUNCH_SOCKETS_MAX + HD_PUNCH_PROBES + HD_PUNCH_ECHO_LIMIT)
#define NAMED_PROBES_MAX (2 * HD_PUNCH_ADDRESSES_LIMIT)

typedef struct world {
  fuzz_input input;
  fuzz_allocator allocator;
  hd_entropy entropy;
  hd_punch_throttle throttle;
  hd_holepuncher *puncher;
  hd_time now;
  bool is_initiator;
  bool is_open[SOCKETS_MAX];
  uint32_t sockets_count;
  uint32_t opening[HD_PUNCH_SOCKETS_MAX + 8]; /* keys */
  unsigned opening_count;
  uint32_t request;
  bool was_told_end;
  bool was_confirmed;
  bool knows_host[HOSTS_COUNT]; /* by a relay or by a probe, not by the peer's word alone */
  unsigned probes, named_probes;
  uint8_t proof[HDHT_TOKEN_SIZE]; /* the token it gave last */
  uint8_t sealed[512];            /* the last message, to be replayed */
  size_t sealed_size;
} world;

static const uint8_t key[HD_BOX_KEY_SIZE] = {1};

static hd_address address_of(uint8_t host, uint16_t port) {
  return hd_address_ipv4(44, (uint8_t)(host % HOSTS_COUNT), 7, 1, port);
}

static hd_address take_address(world *self) {
  const uint8_t host = fuzz_u8(&self->input);
  if (host == 255) return (hd_address){0};
  return address_of(host, (uint16_t)(fuzz_u8(&self->input) * 257));
}

/* An address that somebody else than the peer's payload says. */
static hd_address take_seen(world *self) {
  const hd_address seen = take_address(self);
  self->knows_host[seen.ip[1]] = true;
  return seen;
}

/* ---- events ------------------------------------------------------------------------------------------------------ */

static void note_probe(world *self, const hd_punch_event *event) {
  FUZZ_CHECK(event->probe.to.family == HDHT_FAMILY_IPV4 && event->probe.to.port != 0);
  FUZZ_CHECK(event->probe.ttl == HD_PUNCH_TTL || event->probe.ttl == HD_PUNCH_TTL_LOW);
  FUZZ_CHECK(self->is_open[event->socket]);
  FUZZ_CHECK(++self->probes <= PROBES_MAX);
  const bool is_known = event->probe.to.ip[0] == 44 && self->knows_host[event->probe.to.ip[1] % HOSTS_COUNT];
  if (!is_known) self->named_probes++;
  FUZZ_CHECK(self->named_probes <= NAMED_PROBES_MAX);
}

/* The other side reads what it is sent. */
static void read_message(world *self, hd_bytes sealed) {
  uint8_t plaintext[HD_PUNCH_MESSAGE_SIZE_MAX];
  hd_messages_holepunch_payload payload;
  FUZZ_CHECK(hd_messages_open_holepunch_payload(sealed, key, plaintext, sizeof plaintext, &payload) == HDHT_OK);
  if (payload.token != NULL) memcpy(self->proof, payload.token, sizeof self->proof);
}

static void close_socket(world *self, hd_socket_id socket) {
  FUZZ_CHECK(self->is_open[socket]);
  self->is_open[socket] = false;
}

static void drain(world *self) {
  hd_punch_event event;
  while (hd_holepuncher_next_event(self->puncher, self->now, &event)) {
    switch (event.type) {
      case HD_PUNCH_EVENT_OPEN_SOCKET:
        FUZZ_CHECK(self->opening_count < sizeof self->opening / sizeof self->opening[0]);
        self->opening[self->opening_count++] = event.open_key;
        break;
      case HD_PUNCH_EVENT_CLOSE_SOCKET: close_socket(self, event.socket); break;
      case HD_PUNCH_EVENT_PROBE: note_probe(self, &event); break;
      case HD_PUNCH_EVENT_REQUEST:
        FUZZ_CHECK(self->is_initiator && event.request.payload.size <= HD_PUNCH_MESSAGE_SIZE_MAX);
        self->request = event.request.number;
        read_message(self, event.request.payload);
        break;
      case HD_PUNCH_EVENT_ANSWER:
        FUZZ_CHECK(!self->is_initiator);
        read_message(self, event.answer.payload);
        break;
      case HD_PUNCH_EVENT_PATH: FUZZ_CHECK(self->is_initiator); break;
      case HD_PUNCH_EVENT_ENDED:
        FUZZ_CHECK(!self->was_told_end && (event.ended.error == HDHT_OK) == self->was_confirmed);
        self->was_told_end = true;
        break;
      case HD_PUNCH_EVENT_SAMPLE:
      case HD_PUNCH_EVENT_ASK: break;
    }
  }
}

/* ---- what happens to it -------------------------------------------------------------------------------------------
 */

static void open_one(world *self, bool works) {
  if (self->opening_count == 0 || self->sockets_count + 1 >= SOCKETS_MAX) return;
  const uint32_t opened = self->opening[--self->opening_count];
  if (!works) {
    hd_holepuncher_socket_failed(self->puncher, self->now, opened);
    return;
  }
  const hd_socket_id socket = ++self->sockets_count;
  self->is_open[socket] = true;
  hd_holepuncher_socket_opened(self->puncher, self->now, opened, socket);
}

/* Any plaintext, sealed as only the other side can; or a well-formed one made of a few choices. */
static void seal(world *self, const uint8_t *plaintext, size_t size) {
  const uint8_t nonce[HD_BOX_NONCE_SIZE] = {(uint8_t)self->now.us, (uint8_t)(self->now.us >> 8), fuzz_u8(&self->input)};
  memcpy(self->sealed, nonce, sizeof nonce);
  hd_box_seal(key, nonce, hd_bytes_of(plaintext, size), self->sealed + sizeof nonce);
  self->sealed_size = sizeof nonce + HD_BOX_MAC_SIZE + size;
}

static void make_raw(world *self) {
  uint8_t plaintext[256];
  const size_t size = fuzz_u8(&self->input);
  for (size_t i = 0; i < size; i++) plaintext[i] = fuzz_u8(&self->input);
  seal(self, plaintext, size);
}

static void make_message(world *self) {
  hd_address addresses[8];
  uint8_t token[HDHT_TOKEN_SIZE];
  const uint8_t flags = fuzz_u8(&self->input);
  memset(token, 7, sizeof token);
  const bool proves = fuzz_u8(&self->input) & 1;
  hd_messages_holepunch_payload payload = {.nat = fuzz_u8(&self->input) % 5,
                                           .round = fuzz_u8(&self->input),
                                           .error = flags & 1 ? fuzz_u8(&self->input) % 5 : 0,
                                           .is_punching = flags & 2,
                                           .has_addresses = flags & 4};
  size_t count = 0;
  while (payload.has_addresses && count < flags >> 5) {
    addresses[count] = take_address(self);
    if (hd_address_is_none(&addresses[count])) break;
    count++;
  }
  payload.addresses = (hdht_address_list){.array = addresses, .count = count};
  if (flags & 8) payload.token = token;
  if (flags & 8) payload.remote_token = proves ? self->proof : token;
  if (flags & 16) payload.remote_address = take_address(self);
  uint8_t plaintext[256];
  hd_writer writer = hd_writer_of(plaintext, sizeof plaintext);
  FUZZ_CHECK(hd_messages_write_holepunch_payload(&writer, &payload) == HDHT_OK);
  seal(self, plaintext, (size_t)(writer.next - plaintext));
}

static void deliver(world *self) {
  const hd_bytes payload = hd_bytes_of(self->sealed, self->sealed_size);
  if (self->is_initiator) {
    const hd_punch_reply reply = {.payload = payload, .to = take_seen(self), .peer_address = take_seen(self)};
    hd_holepuncher_answered(self->puncher, self->now, self->request, &reply);
    return;
  }
  const hd_punch_incoming incoming = {.payload = payload,
                                      .route = {.socket = fuzz_u8(&self->input),
                                                .relay = take_address(self),
                                                .peer_address = take_seen(self),
                                                .tid = 1},
                                      .to = take_address(self),
                                      .is_from_own_relay = fuzz_u8(&self->input) & 1};
  (void)hd_holepuncher_receive(self->puncher, self->now, &incoming);
}

static void pass_time(world *self) {
  self->now = hd_time_add(self->now, HD_MILLISECONDS(fuzz_u8(&self->input) * 40));
  hd_holepuncher_elapse(self->puncher, self->now);
  const hd_punch_waiter *next = hd_punch_throttle_next(&self->throttle, self->now);
  if (next != NULL) hd_holepuncher_turn(self->puncher, self->now);
}

static void confirm(world *self) {
  const hd_socket_id socket = fuzz_u8(&self->input);
  const bool is_ours = hd_holepuncher_owns_socket(self->puncher, socket);
  if (!self->was_told_end) self->was_confirmed = true;
  hd_holepuncher_confirm(self->puncher, self->now, socket);
  if (is_ours) self->is_open[socket] = false; /* the owner's now */
}

static void step(world *self) {
  const hd_socket_id main = hd_holepuncher_main_socket(self->puncher);
  switch (fuzz_u8(&self->input) % 18) {
    case 0:
    case 1: open_one(self, true); break;
    case 2: open_one(self, false); break;
    case 3:
    case 4: {
      const hd_address seen = take_address(self), helper = take_address(self);
      hd_holepuncher_sample(self->puncher, self->now, main, &seen, &helper);
      break;
    }
    case 5: hd_holepuncher_samples_end(self->puncher, self->now, main); break;
    case 6: {
      const hd_address from = take_seen(self);
      hd_holepuncher_probe_received(self->puncher, self->now, fuzz_u8(&self->input), &from);
      break;
    }
    case 7: make_raw(self); break;
    case 8: make_message(self); break;
    case 9:
    case 10: deliver(self); break;
    case 11: hd_holepuncher_answered(self->puncher, self->now, self->request, NULL); break;
    case 12: hd_holepuncher_decide(self->puncher, self->now, fuzz_u8(&self->input) & 1); break;
    case 13:
    case 14: pass_time(self); break;
    case 15: self->allocator.is_failing = !self->allocator.is_failing; break;
    case 16: {
      for (unsigned i = 0; i < 300 && self->opening_count > 0; i++) open_one(self, true);
      break;
    }
    default:
      if (fuzz_u8(&self->input) & 1) {
        confirm(self);
      } else {
        hd_holepuncher_cancel(self->puncher, self->now);
      }
      break;
  }
  drain(self);
}

static int create(world *self) {
  const uint8_t flags = fuzz_u8(&self->input);
  self->is_initiator = flags & 1;
  hd_messages_relay relays[2];
  for (unsigned i = 0; i < 2; i++) {
    relays[i] = (hd_messages_relay){.relay_address = take_address(self), .peer_address = take_address(self)};
    /* The owner's: never none. */
    if (hd_address_is_none(&relays[i].relay_address)) relays[i].relay_address = address_of(1, 1);
    if (hd_address_is_none(&relays[i].peer_address)) relays[i].peer_address = address_of(2, 2);
  }
  hd_holepuncher_options options = {.allocator = &self->allocator.hook,
                                    .entropy = &self->entropy,
                                    .throttle = &self->throttle,
                                    .is_initiator = self->is_initiator,
                                    .is_open = (flags & 14) == 14,
                                    .asks_before_punching = flags & 2,
                                    .uses_fast_open = flags & 4,
                                    .slot = 1};
  memcpy(options.key, key, sizeof key);
  if (self->is_initiator) {
    options.server_address = take_seen(self);
    options.handshake_relay = relays[flags >> 7].relay_address;
    options.relays = relays;
    options.relays_count = 2;
  }
  return hd_holepuncher_create(&options, self->now, &self->puncher);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static world self;
  self = (world){.input = fuzz_input_of(data, size), .now = {1000000}};
  fuzz_allocator_init(&self.allocator);
  const uint8_t seed[HD_ENTROPY_SEED_SIZE] = {1};
  hd_entropy_init(&self.entropy, seed);
  hd_punch_throttle_init(&self.throttle, HD_PUNCH_RANDOM_PAUSE, self.now, size % 2);
  FUZZ_CHECK(create(&self) == HDHT_OK);
  drain(&self);
  for (unsigned i = 0; i < STEPS_MAX && !fuzz_is_empty(&self.input); i++) step(&self);

  hd_holepuncher_cancel(self.puncher, self.now);
  drain(&self);
  FUZZ_CHECK(self.was_told_end);
  for (uint32_t i = 0; i < SOCKETS_MAX; i++) FUZZ_CHECK(!self.is_open[i]);
  hd_holepuncher_destroy(self.puncher, self.now);
  FUZZ_CHECK(self.allocator.live_bytes == 0);
  FUZZ_CHECK(self.throttle.line_count == 0 && !self.throttle.is_busy && self.throttle.guesses_count == 0);
  return 0;
}
