#include "sim_punch.h"

#include <stdlib.h>
#include <string.h>

#include "holepunch/punch_helpers.h"

#define NODES_COUNT       12
#define SERVER_RELAYS     3
#define NODE_PORT         49737
#define PEER_PORT         49737
#define REQUESTS_MAX      32
#define RETRANSMIT        HD_SECONDS(1)
#define TRANSMISSIONS     4
#define ANNOUNCE_INTERVAL HD_SECONDS(3)
#define PASSIVE_TIMEOUT   HD_SECONDS(10)
#define STREAM_INTERVAL   HD_MILLISECONDS(250)
#define CLIENT_STARTS_AT  HD_SECONDS(12) /* announced by then, in spite of loss */
#define MESSAGE_SIZE_MAX  512
#define HEADER_SIZE       9 /* type, number, the receiver's address as the sender sees it */

/* The first byte of a datagram that is longer than a probe. Capitals are requests. */
enum {
  PING = 'P',
  PONG = 'p',
  PUNCH = 'H',
  PUNCH_REPLY = 'h',
  INTRODUCE = 'N', /* client to relay to server, with the client's address, then back */
  INTRODUCED = 'M',
  INTRODUCE_REPLY = 'n',
  STREAM = 'S',
  STREAM_REPLY = 'T',
  DIAL = 'D',
};

typedef struct request {
  uint8_t type; /* 0: unused */
  uint16_t tid;
  hd_socket_id socket;
  hd_address to;
  unsigned sent_count, sent_max;
  hd_time next_at;
  uint32_t number; /* of a hole-punch request */
  size_t size;
  uint8_t bytes[MESSAGE_SIZE_MAX];
} request;

typedef struct peer peer;
typedef struct trial trial;

typedef struct node {
  trial *trial;
  sim_host *host;
  hd_socket_id socket;
  hd_address address;
  hd_address announced; /* the server as this node sees it */
  bool is_dead;
} node;

struct peer {
  trial *trial;
  sim_host *host;
  hd_socket_id socket; /* of its DHT node */
  sim_access access;
  bool is_client;
  bool is_reachable; /* taken to be OPEN */
  bool vetoes;
  hd_entropy entropy;
  hd_punch_throttle throttle;
  hd_holepuncher *puncher;
  request requests[REQUESTS_MAX];
  uint16_t next_tid;
  hd_socket_id sampling_socket;
  unsigned samples_awaited;
  hd_address sampled[2 * HD_PUNCH_SAMPLES_WANTED]; /* helpers already asked for this socket */
  unsigned sampled_count;
  unsigned sockets_open;
  unsigned probes;
  hd_time next_at; /* announce, or stream packets */

  /* The client's. */
  unsigned introductions;
  hd_socket_id path_sockets[HD_PUNCH_PATHS_LIMIT];
  hd_address paths[HD_PUNCH_PATHS_LIMIT];
  unsigned paths_count;
  hd_time gives_up_at; /* waiting for the server to dial */
  hd_socket_id stream_socket;

  /* The server's. */
  hd_messages_relay relays[SERVER_RELAYS];
  unsigned relays_count;
  hd_address dialled; /* the client, when it is open */
  bool is_connected;
};

struct trial {
  sim_punch_options options;
  sim_network *network;
  sim_internet *internet;
  node nodes[NODES_COUNT];
  sim_site sites[2]; /* client, server */
  peer client, server;
  sim_host *stranger;
  hd_socket_id stranger_socket;
  unsigned first_relay; /* that the client asks */
  hd_time started_at;
  bool has_started;
  bool is_over;
  sim_punch_result result;
};

static const uint8_t shared_key[HD_BOX_KEY_SIZE] = {1, 2, 3};

/* ---- datagrams --------------------------------------------------------------------------------------------------- */

static void put_address(uint8_t *bytes, const hd_address *address) {
  memcpy(bytes, address->ip, 4);
  bytes[4] = (uint8_t)(address->port >> 8);
  bytes[5] = (uint8_t)address->port;
}

static hd_address get_address(const uint8_t *bytes) {
  return hd_address_ipv4(bytes[0], bytes[1], bytes[2], bytes[3], (uint16_t)(bytes[4] << 8 | bytes[5]));
}

static void send_bytes(sim_host *host, hd_socket_id socket, const hd_address *to, uint8_t ttl, const void *bytes,
                       size_t size) {
  const hd_bytes part = hd_bytes_of(bytes, size);
  sim_host_send(host, &(hd_datagram_out){.socket = socket,
                                         .to = *to,
                                         .ttl = ttl,
                                         .segments_count = 1,
                                         .parts_count = 1,
                                         .size = (uint32_t)size,
                                         .parts = &part});
}

static size_t compose(uint8_t bytes[MESSAGE_SIZE_MAX], uint8_t type, uint16_t tid, const hd_address *to,
                      const void *value, size_t value_size) {
  bytes[0] = type;
  bytes[1] = (uint8_t)(tid >> 8);
  bytes[2] = (uint8_t)tid;
  put_address(bytes + 3, to);
  if (HEADER_SIZE + value_size > MESSAGE_SIZE_MAX) abort();
  if (value_size > 0) memcpy(bytes + HEADER_SIZE, value, value_size);
  return HEADER_SIZE + value_size;
}

static void send_message(sim_host *host, hd_socket_id socket, uint8_t type, uint16_t tid, const hd_address *to,
                         const void *value, size_t value_size) {
  uint8_t bytes[MESSAGE_SIZE_MAX];
  send_bytes(host, socket, to, 0, bytes, compose(bytes, type, tid, to, value, value_size));
}

static uint16_t tid_of(const hd_datagram *datagram) {
  return (uint16_t)(datagram->bytes.data[1] << 8 | datagram->bytes.data[2]);
}

static hd_bytes value_of(const hd_datagram *datagram) {
  return hd_bytes_of(datagram->bytes.data + HEADER_SIZE, datagram->bytes.size - HEADER_SIZE);
}

static size_t write_holepunch(uint8_t value[MESSAGE_SIZE_MAX], const hd_messages_holepunch *message) {
  hd_writer writer = hd_writer_of(value, MESSAGE_SIZE_MAX - HEADER_SIZE);
  if (hd_messages_write_holepunch(&writer, message) != HDHT_OK) abort();
  return (size_t)(writer.next - value);
}

/* ---- the nodes --------------------------------------------------------------------------------------------------- */

static void pass_punch(node *self, const hd_datagram *datagram) {
  hd_bytes value = value_of(datagram);
  hd_reader reader = hd_reader_of(value);
  hd_messages_holepunch message;
  if (hd_messages_read_holepunch(&reader, &message) != HDHT_OK) return;
  if (hd_address_is_none(&message.peer_address)) return;
  const hd_address to = message.peer_address;
  const bool is_from_client = message.mode == HD_MESSAGES_FROM_CLIENT;
  message.mode = is_from_client ? HD_MESSAGES_FROM_RELAY : HD_MESSAGES_REPLY;
  message.peer_address = datagram->from;
  uint8_t passed[MESSAGE_SIZE_MAX];
  const size_t size = write_holepunch(passed, &message);
  send_message(self->host, self->socket, is_from_client ? PUNCH : PUNCH_REPLY, tid_of(datagram), &to, passed, size);
}

static void pass_introduction(node *self, const hd_datagram *datagram) {
  uint8_t value[MESSAGE_SIZE_MAX];
  put_address(value, &datagram->from);
  if (datagram->bytes.data[0] == INTRODUCE) {
    if (hd_address_is_none(&self->announced)) return;
    send_message(self->host, self->socket, INTRODUCED, tid_of(datagram), &self->announced, value, 6);
    return;
  }
  const hd_bytes answer = value_of(datagram); /* the client's address, then what the server tells */
  const hd_address client = get_address(answer.data);
  memcpy(value + 6, answer.data + 6, answer.size - 6);
  send_message(self->host, self->socket, INTRODUCE_REPLY, tid_of(datagram), &client, value, answer.size);
  if (self->trial->options.server_relay_dies) self->is_dead = true;
}

static void node_receive(void *context, hd_time now, const hd_datagram *datagram) {
  node *self = context;
  (void)now;
  if (self->is_dead || datagram->bytes.size < HEADER_SIZE) return;
  switch (datagram->bytes.data[0]) {
    case PING:
      if (datagram->bytes.size > HEADER_SIZE) self->announced = datagram->from; /* from the server */
      send_message(self->host, self->socket, PONG, tid_of(datagram), &datagram->from, NULL, 0);
      break;
    case PUNCH: pass_punch(self, datagram); break;
    case INTRODUCE:
    case INTRODUCED: pass_introduction(self, datagram); break;
    default: break;
  }
}

static hd_time rest(void *context, hd_time now) {
  (void)context;
  (void)now;
  return HD_TIME_NEVER;
}

static const sim_program node_program = {.receive = node_receive, .turn = rest};

/* ---- requests ---------------------------------------------------------------------------------------------------- */

static request *add_request(peer *self, uint8_t type, hd_socket_id socket, const hd_address *to, unsigned sent_max,
                            const void *value, size_t size) {
  for (unsigned i = 0; i < REQUESTS_MAX; i++) {
    request *added = &self->requests[i];
    if (added->type != 0) continue;
    *added = (request){.type = type, .tid = ++self->next_tid, .socket = socket, .to = *to, .sent_max = sent_max};
    added->size = compose(added->bytes, type, added->tid, to, value, size);
    return added;
  }
  abort();
}

static request *find_request(peer *self, const hd_datagram *datagram) {
  for (unsigned i = 0; i < REQUESTS_MAX; i++) {
    request *found = &self->requests[i];
    if (found->type != 0 && found->tid == tid_of(datagram) && hd_address_equal(&found->to, &datagram->from)) {
      return found;
    }
  }
  return NULL;
}

static void sample_ended(peer *self, hd_time now) {
  if (--self->samples_awaited > 0 || self->puncher == NULL) return;
  hd_holepuncher_samples_end(self->puncher, now, self->sampling_socket);
}

static void finish(trial *self, sim_punch_way way, hd_time now) {
  if (self->is_over) return;
  self->is_over = true;
  self->result.way = way;
  self->result.took = hd_time_since(now, self->started_at);
}

/* Through one relay after the other. Returns false when all were tried. */
static bool introduce(peer *self) {
  trial *context = self->trial;
  if (self->introductions == SERVER_RELAYS) return false;
  const unsigned relay = (context->first_relay + self->introductions++) % SERVER_RELAYS;
  (void)add_request(self, INTRODUCE, self->socket, &context->nodes[relay].address, TRANSMISSIONS, NULL, 0);
  return true;
}

static void request_failed(peer *self, hd_time now, const request *failed) {
  if (failed->type == PING && failed->socket != self->socket) sample_ended(self, now);
  if (failed->type == PUNCH && self->puncher != NULL) {
    hd_holepuncher_answered(self->puncher, now, failed->number, NULL);
  }
  if (failed->type == INTRODUCE && !introduce(self)) finish(self->trial, SIM_PUNCH_NONE, now);
}

static void run_requests(peer *self, hd_time now) {
  for (unsigned i = 0; i < REQUESTS_MAX; i++) {
    request *each = &self->requests[i];
    if (each->type == 0 || !hd_time_is_due(each->next_at, now)) continue;
    if (each->sent_count == each->sent_max) {
      const request failed = *each;
      each->type = 0;
      request_failed(self, now, &failed);
      continue;
    }
    each->sent_count++;
    each->next_at = hd_time_add(now, RETRANSMIT);
    send_bytes(self->host, each->socket, &each->to, 0, each->bytes, each->size);
  }
}

static hd_time requests_deadline(const peer *self) {
  hd_time deadline = HD_TIME_NEVER;
  for (unsigned i = 0; i < REQUESTS_MAX; i++) {
    if (self->requests[i].type != 0) deadline = hd_time_earlier(deadline, self->requests[i].next_at);
  }
  return deadline;
}

/* ---- what the puncher wants ----------------------------------------------------------------------------------------
 */

/* Nodes the peer heard of, the newest first. */
static void ask_helpers(peer *self, hd_socket_id socket, unsigned count) {
  hd_address nodes[NODES_COUNT];
  for (unsigned i = 0; i < NODES_COUNT; i++) nodes[i] = self->trial->nodes[NODES_COUNT - 1 - i].address;
  if (self->sampling_socket != socket) self->sampled_count = 0;
  self->sampling_socket = socket;
  hd_address helpers[HD_PUNCH_SAMPLES_WANTED];
  count = hd_punch_helpers_choose(nodes, NODES_COUNT, self->sampled, self->sampled_count, helpers, count);
  self->samples_awaited = count;
  for (unsigned i = 0; i < count; i++) {
    self->sampled[self->sampled_count++] = helpers[i];
    (void)add_request(self, PING, socket, &helpers[i], 1, NULL, 0);
  }
}

static void send_punch(peer *self, const hd_punch_event *event) {
  uint8_t value[MESSAGE_SIZE_MAX];
  const hd_messages_holepunch message = {.mode = HD_MESSAGES_FROM_CLIENT,
                                         .id = event->request.slot,
                                         .payload = event->request.payload,
                                         .peer_address = event->request.peer_address};
  const size_t size = write_holepunch(value, &message);
  const unsigned sent_max = event->request.is_last ? 1 : TRANSMISSIONS;
  request *sent = add_request(self, PUNCH, event->socket, &event->request.to, sent_max, value, size);
  sent->number = event->request.number;
  if (!event->request.is_last) return;
  send_bytes(self->host, sent->socket, &sent->to, 0, sent->bytes, sent->size);
  sent->type = 0;
}

static void answer_punch(peer *self, const hd_punch_event *event) {
  uint8_t value[MESSAGE_SIZE_MAX];
  const hd_messages_holepunch message = {.mode = HD_MESSAGES_FROM_SERVER,
                                         .payload = event->answer.payload,
                                         .peer_address = event->answer.route.peer_address};
  const size_t size = write_holepunch(value, &message);
  const hd_address relay = event->answer.route.relay;
  send_message(self->host, event->socket, PUNCH, event->answer.route.tid, &relay, value, size);
}

static void open_socket(peer *self, hd_time now, uint32_t key) {
  const hd_socket_id socket = sim_host_open(self->host, 0);
  if (socket == HD_SOCKET_NONE) {
    hd_holepuncher_socket_failed(self->puncher, now, key);
    return;
  }
  self->sockets_open++;
  hd_holepuncher_socket_opened(self->puncher, now, key, socket);
}

static void close_socket(peer *self, hd_socket_id socket) {
  sim_host_close(self->host, socket);
  self->sockets_open--;
}

static bool is_host_of(const peer *other, const hd_address *address) {
  const sim_site *site = &other->trial->sites[other->is_client ? 0 : 1];
  sim_nat *outermost = site->carrier != NULL ? site->carrier : site->home;
  if (outermost == NULL) return hd_address_same_host(&site->host, address);
  for (unsigned i = 0; i < sim_nat_externals_count(outermost); i++) {
    const hd_address external = sim_nat_external(outermost, i);
    if (hd_address_same_host(&external, address)) return true;
  }
  return false;
}

static void send_probe(peer *self, const hd_punch_event *event) {
  const uint8_t byte = 0;
  const peer *other = self->is_client ? &self->trial->server : &self->trial->client;
  if (!is_host_of(other, &event->probe.to)) self->trial->result.datagrams_to_strangers++;
  self->probes++;
  send_bytes(self->host, event->socket, &event->probe.to, event->probe.ttl, &byte, 1);
}

static void send_stream(peer *self, hd_socket_id socket, const hd_address *to) {
  send_message(self->host, socket, STREAM, 0, to, NULL, 0);
}

static void add_path(peer *self, hd_time now, hd_socket_id socket, const hd_address *address) {
  if (self->paths_count == HD_PUNCH_PATHS_LIMIT) self->paths_count--;
  self->path_sockets[self->paths_count] = socket;
  self->paths[self->paths_count++] = *address;
  self->next_at = now;
}

static void punch_ended(peer *self, hd_time now, const hd_punch_event *event) {
  sim_punch_result *result = &self->trial->result;
  if (self->is_client) {
    result->error = event->ended.error;
    result->cause = event->ended.cause;
    result->remote_error = event->ended.remote_error;
    if (event->ended.error != HDHT_OK) finish(self->trial, SIM_PUNCH_NONE, now);
  }
  hd_holepuncher_destroy(self->puncher, now);
  self->puncher = NULL;
}

static void drain(peer *self, hd_time now) {
  hd_punch_event event;
  while (self->puncher != NULL && hd_holepuncher_next_event(self->puncher, now, &event)) {
    switch (event.type) {
      case HD_PUNCH_EVENT_OPEN_SOCKET: open_socket(self, now, event.open_key); break;
      case HD_PUNCH_EVENT_CLOSE_SOCKET: close_socket(self, event.socket); break;
      case HD_PUNCH_EVENT_SAMPLE: ask_helpers(self, event.socket, event.samples_count); break;
      case HD_PUNCH_EVENT_PROBE: send_probe(self, &event); break;
      case HD_PUNCH_EVENT_REQUEST: send_punch(self, &event); break;
      case HD_PUNCH_EVENT_ANSWER: answer_punch(self, &event); break;
      case HD_PUNCH_EVENT_ASK: hd_holepuncher_decide(self->puncher, now, !self->vetoes); break;
      case HD_PUNCH_EVENT_PATH: add_path(self, now, event.socket, &event.path.address); break;
      case HD_PUNCH_EVENT_ENDED: punch_ended(self, now, &event); break;
    }
  }
}

/* ---- the peers -----------------------------------------------------------------------------------------------------
 */

static void start_punch(peer *self, hd_time now, const hd_address *server_address, const hd_address *relay) {
  const trial *context = self->trial;
  const hd_holepuncher_options options = {
      .allocator = hd_allocator_system(),
      .entropy = &self->entropy,
      .throttle = &self->throttle,
      .is_initiator = self->is_client,
      .asks_before_punching = self->vetoes,
      .uses_fast_open = !context->options.has_no_fast_open,
      .slot = 7,
      .server_address = *server_address,
      .handshake_relay = *relay,
      .relays = context->server.relays,
      .relays_count = context->server.relays_count,
  };
  hd_holepuncher_options filled = options;
  memcpy(filled.key, shared_key, sizeof shared_key);
  if (hd_holepuncher_create(&filled, now, &self->puncher) != HDHT_OK) abort();
  drain(self, now);
}

/* The server answers from its punch socket, so that the relay sees that one. */
static void be_introduced(peer *self, hd_time now, const hd_datagram *datagram) {
  const hd_address client = get_address(value_of(datagram).data);
  const bool is_client_reachable = self->trial->client.is_reachable;
  if (is_client_reachable && !self->is_connected) {
    self->dialled = client;
    self->next_at = now;
  }
  hd_socket_id socket = self->socket;
  if (!self->is_reachable && !is_client_reachable) {
    const hd_address none = {0};
    if (self->puncher == NULL && !self->is_connected) start_punch(self, now, &none, &none);
    if (self->puncher != NULL) hd_holepuncher_stay(self->puncher, now);
    if (self->puncher != NULL) socket = hd_holepuncher_main_socket(self->puncher);
  }
  uint8_t value[6];
  put_address(value, &client);
  send_message(self->host, socket, INTRODUCED, tid_of(datagram), &datagram->from, value, 6);
}

static void introduced(peer *self, hd_time now, const hd_datagram *datagram) {
  trial *context = self->trial;
  const hd_address server = get_address(value_of(datagram).data);
  context->result.was_introduced = true;
  if (context->server.is_reachable) {
    self->path_sockets[0] = self->socket;
    self->paths[0] = server;
    self->paths_count = 1;
    self->next_at = now;
    self->gives_up_at = hd_time_add(now, PASSIVE_TIMEOUT);
  } else if (self->is_reachable) {
    self->gives_up_at = hd_time_add(now, PASSIVE_TIMEOUT);
  } else {
    start_punch(self, now, &server, &datagram->from);
    self->next_at = now;
  }
}

static void answered(peer *self, hd_time now, const hd_datagram *datagram) {
  request *found = find_request(self, datagram);
  if (found == NULL) return;
  const request done = *found;
  found->type = 0;
  const hd_address seen = get_address(datagram->bytes.data + 3);
  if (done.type == PING && done.socket != self->socket && self->puncher != NULL) {
    hd_holepuncher_sample(self->puncher, now, done.socket, &seen, &datagram->from);
    sample_ended(self, now);
  } else if (done.type == PING && !self->is_client) {
    for (unsigned i = 0; i < SERVER_RELAYS; i++) {
      if (!hd_address_equal(&self->trial->nodes[i].address, &datagram->from)) continue;
      unsigned place = 0;
      while (place < self->relays_count && !hd_address_equal(&self->relays[place].relay_address, &datagram->from)) {
        place++;
      }
      if (place == self->relays_count) self->relays_count++;
      self->relays[place] = (hd_messages_relay){.relay_address = datagram->from, .peer_address = seen};
    }
  } else if (done.type == PUNCH && self->puncher != NULL) {
    hd_reader reader = hd_reader_of(value_of(datagram));
    hd_messages_holepunch message;
    if (hd_messages_read_holepunch(&reader, &message) != HDHT_OK) abort();
    const hd_punch_reply reply = {.payload = message.payload, .to = seen, .peer_address = message.peer_address};
    hd_holepuncher_answered(self->puncher, now, done.number, &reply);
  } else if (done.type == INTRODUCE) {
    introduced(self, now, datagram);
  }
}

static void receive_punch(peer *self, hd_time now, const hd_datagram *datagram) {
  hd_reader reader = hd_reader_of(value_of(datagram));
  hd_messages_holepunch message;
  if (self->puncher == NULL || self->is_client || hd_messages_read_holepunch(&reader, &message) != HDHT_OK) return;
  hd_punch_incoming incoming = {.payload = message.payload,
                                .route = {.socket = datagram->socket,
                                          .relay = datagram->from,
                                          .peer_address = message.peer_address,
                                          .tid = tid_of(datagram)},
                                .to = get_address(datagram->bytes.data + 3)};
  for (unsigned i = 0; i < self->relays_count; i++) {
    if (hd_address_equal(&self->relays[i].relay_address, &datagram->from)) incoming.is_from_own_relay = true;
  }
  (void)hd_holepuncher_receive(self->puncher, now, &incoming);
}

static void receive_stream(peer *self, hd_time now, const hd_datagram *datagram) {
  if (datagram->bytes.data[0] == DIAL) {
    add_path(self, now, datagram->socket, &datagram->from);
    return;
  }
  const bool was_punched = self->puncher != NULL;
  if (self->puncher != NULL) hd_holepuncher_confirm(self->puncher, now, datagram->socket);
  self->is_connected = true;
  self->stream_socket = datagram->socket;
  if (!self->is_client) {
    self->dialled = (hd_address){0};
    send_message(self->host, datagram->socket, STREAM_REPLY, 0, &datagram->from, NULL, 0);
  } else {
    self->paths_count = 0;
    finish(self->trial, was_punched ? SIM_PUNCH_PUNCHED : SIM_PUNCH_DIRECT, now);
  }
}

static void peer_receive(void *context, hd_time now, const hd_datagram *datagram) {
  peer *self = context;
  if (datagram->bytes.size == 1) {
    if (self->puncher != NULL) {
      hd_holepuncher_probe_received(self->puncher, now, datagram->socket, &datagram->from);
    }
    return;
  }
  switch (datagram->bytes.data[0]) {
    case PONG:
    case PUNCH_REPLY:
    case INTRODUCE_REPLY: answered(self, now, datagram); break;
    case PUNCH: receive_punch(self, now, datagram); break;
    case INTRODUCED: be_introduced(self, now, datagram); break;
    case STREAM:
    case STREAM_REPLY:
    case DIAL: receive_stream(self, now, datagram); break;
    default: break;
  }
}

/* The stranger sends a byte to whatever port the client's NAT may have open: it knows its host. */
static void forge(peer *self) {
  const trial *context = self->trial;
  if (!context->options.is_forged || self->puncher == NULL) return;
  const hd_nat_analysis *analysis = hd_holepuncher_analysis(self->puncher);
  if (analysis->pairs_count == 0) return;
  const uint8_t byte = 0;
  send_bytes(context->stranger, context->stranger_socket, &analysis->pairs[0].address, 0, &byte, 1);
}

static void announce(peer *self, hd_time now) {
  const uint8_t is_server = 1;
  for (unsigned i = 0; i < SERVER_RELAYS; i++) {
    (void)add_request(self, PING, self->socket, &self->trial->nodes[i].address, 2, &is_server, 1);
  }
  self->next_at = hd_time_add(now, ANNOUNCE_INTERVAL);
}

static void run_client(peer *self, hd_time now) {
  trial *context = self->trial;
  if (!context->has_started && hd_time_is_due(context->started_at, now)) {
    context->has_started = true;
    (void)introduce(self);
  }
  if (hd_time_is_due(self->gives_up_at, now)) {
    self->gives_up_at = HD_TIME_NEVER;
    finish(context, SIM_PUNCH_NONE, now);
  }
  if (!hd_time_is_due(self->next_at, now)) return;
  for (unsigned i = 0; i < self->paths_count; i++) send_stream(self, self->path_sockets[i], &self->paths[i]);
  forge(self);
  self->next_at = context->is_over ? HD_TIME_NEVER : hd_time_add(now, STREAM_INTERVAL);
}

static void run_server(peer *self, hd_time now) {
  if (!hd_time_is_due(self->next_at, now)) return;
  announce(self, now);
  if (hd_address_is_none(&self->dialled)) return;
  send_message(self->host, self->socket, DIAL, 0, &self->dialled, NULL, 0);
  self->next_at = hd_time_add(now, HD_SECONDS(1));
}

static void run_throttle(peer *self, hd_time now) {
  hd_punch_waiter *next;
  while ((next = hd_punch_throttle_next(&self->throttle, now)) != NULL) hd_holepuncher_turn(next->context, now);
}

static hd_time peer_turn(void *context, hd_time now) {
  peer *self = context;
  if (self->is_client) {
    run_client(self, now);
  } else {
    run_server(self, now);
  }
  run_throttle(self, now);
  if (self->puncher != NULL) hd_holepuncher_elapse(self->puncher, now);
  drain(self, now);
  run_requests(self, now);
  drain(self, now);
  run_requests(self, now);

  hd_time deadline = hd_time_earlier(requests_deadline(self), self->next_at);
  deadline = hd_time_earlier(deadline, hd_punch_throttle_deadline(&self->throttle));
  if (self->is_client) {
    deadline = hd_time_earlier(deadline, self->gives_up_at);
    if (!self->trial->has_started) deadline = hd_time_earlier(deadline, self->trial->started_at);
  }
  if (self->puncher != NULL) deadline = hd_time_earlier(deadline, hd_holepuncher_deadline(self->puncher));
  return deadline;
}

static const sim_program peer_program = {.receive = peer_receive, .turn = peer_turn};

static void ignore(void *context, hd_time now, const hd_datagram *datagram) {
  (void)context;
  (void)now;
  (void)datagram;
}

static const sim_program stranger_program = {.receive = ignore, .turn = rest};

/* ---- the trial -----------------------------------------------------------------------------------------------------
 */

static bool is_reachable(sim_access access) {
  return access == SIM_ACCESS_OPEN || access == SIM_ACCESS_FORWARD;
}

static sim_host *add_host(trial *self, hd_address address, const sim_program *program, void *context) {
  const sim_link_options up = {.loss = self->options.loss};
  const sim_link_options down = {0};
  return sim_host_create(self->network, &(sim_host_options){.address = address, .up = up, .down = down}, program,
                         context);
}

static void add_peer(trial *self, peer *added, const sim_site *site, sim_access access, bool is_client) {
  *added = (peer){.trial = self,
                  .access = access,
                  .is_client = is_client,
                  .is_reachable = is_reachable(access),
                  .vetoes = is_client ? self->options.client_vetoes : self->options.server_vetoes,
                  .next_at = is_client ? HD_TIME_NEVER : sim_network_now(self->network),
                  .gives_up_at = HD_TIME_NEVER};
  uint8_t seed[HD_ENTROPY_SEED_SIZE];
  hd_random_fill(sim_network_random(self->network), seed, sizeof seed);
  hd_entropy_init(&added->entropy, seed);
  const hd_time now = sim_network_now(self->network);
  hd_punch_throttle_init(&added->throttle, HD_PUNCH_RANDOM_PAUSE, now, false);
  added->host = add_host(self, site->host, &peer_program, added);
  added->socket = sim_host_open(added->host, PEER_PORT);
  sim_host_poke(added->host);
}

static void build(trial *self, const sim_punch_options *options, uint64_t seed) {
  *self = (trial){.options = *options, .network = sim_network_create(seed)};
  if (self->options.delay.us == 0) self->options.delay = HD_MILLISECONDS(20);
  self->internet = sim_internet_create(self->network, &(sim_internet_options){.delay = self->options.delay});
  self->started_at = hd_time_add(sim_network_now(self->network), CLIENT_STARTS_AT);
  for (unsigned i = 0; i < NODES_COUNT; i++) {
    node *added = &self->nodes[i];
    added->trial = self;
    added->host = add_host(self, sim_internet_add_host(self->internet, NULL), &node_program, added);
    added->socket = sim_host_open(added->host, NODE_PORT);
    added->address = sim_host_address(added->host, added->socket);
  }
  self->stranger = add_host(self, sim_internet_add_host(self->internet, NULL), &stranger_program, NULL);
  self->stranger_socket = sim_host_open(self->stranger, 666);
  self->first_relay = (unsigned)hd_random_below(sim_network_random(self->network), SERVER_RELAYS);
  self->sites[0] = sim_internet_add_site(self->internet, options->client, PEER_PORT);
  self->sites[1] = sim_internet_add_site(self->internet, options->server, PEER_PORT);
  add_peer(self, &self->client, &self->sites[0], options->client, true);
  add_peer(self, &self->server, &self->sites[1], options->server, false);
}

static bool is_over(void *context) {
  return ((trial *)context)->is_over;
}

static void rebind(trial *self) {
  if (self->sites[1].home != NULL) sim_nat_rebind(self->sites[1].home);
  if (self->sites[1].carrier != NULL) sim_nat_rebind(self->sites[1].carrier);
}

static unsigned sockets_left(const peer *self) {
  const bool has_stream = self->is_connected && self->stream_socket != self->socket;
  return self->sockets_open - (has_stream ? 1 : 0);
}

static void destroy(trial *self) {
  const hd_time now = sim_network_now(self->network);
  if (self->client.puncher != NULL) hd_holepuncher_destroy(self->client.puncher, now);
  if (self->server.puncher != NULL) hd_holepuncher_destroy(self->server.puncher, now);
  sim_network_destroy(self->network);
  sim_internet_destroy(self->internet);
}

sim_punch_result sim_punch_run(const sim_punch_options *options, uint64_t seed) {
  trial self;
  build(&self, options, seed);
  if (options->rebinds_at.us != 0) {
    const hd_time at = hd_time_add(self.started_at, options->rebinds_at);
    if (!sim_network_run(self.network, at, is_over, &self)) rebind(&self);
  }
  const hd_time end = hd_time_add(self.started_at, HD_SECONDS(200));
  sim_network_run(self.network, end, is_over, &self);
  if (!self.is_over) finish(&self, SIM_PUNCH_NONE, end);
  self.result.client_probes = self.client.probes;
  self.result.server_probes = self.server.probes;
  /* What is left over shows when everything has come to its end. */
  sim_network_run(self.network, hd_time_add(sim_network_now(self.network), HD_SECONDS(90)), NULL, NULL);
  self.result.sockets_left = sockets_left(&self.client) + sockets_left(&self.server);
  destroy(&self);
  return self.result;
}
