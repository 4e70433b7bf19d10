/* Two muxes talk to each other, each with a user who does anything at any time, over a pipe that delays frames. The
 * input is the program.
 *
 * Neither mux ever fails. Channels agree on whom they are paired with, and messages arrive at that channel, all, once
 * and in order. When everything was delivered, what is open here is open there, and what is unanswered here waits
 * there; when both users have closed everything, nothing is left on either side. */
#include "fuzz_input.h"
#include "mux/mux.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define RECORDS_LIMIT 200
#define SLOTS         8
#define STEPS_LIMIT   600

typedef struct queued {
  struct queued *next;
  size_t size;
  uint8_t bytes[];
} queued;

/* One channel, also after its end. Its number, which is never 0, goes with its open and with each of its messages. */
typedef struct record {
  hd_mux_channel *channel; /* NULL once told closed */
  uint16_t peer_number;    /* 0 until told opened */
  uint16_t sent_count;
  uint16_t received_count;
  bool is_closed; /* by its user */
} record;

typedef struct side {
  struct world *world;
  struct side *other;
  hd_mux mux;
  queued *first, **last;
  record records[RECORDS_LIMIT];
  uint16_t records_count; /* records[0] is not used */
  unsigned corks;
} side;

typedef struct world {
  side sides[2];
  fuzz_allocator allocator;
  fuzz_input input;
  unsigned steps;
  unsigned depth; /* of steps made while an event is handled */
  bool uses_aliases;
  bool is_ending; /* nobody opens anything any more */
} world;

static const char *const names[2] = {"x", "y"};
static const char *const ids[2] = {"", "1"};

static void step(world *w);

static hd_bytes text_of(const char *text) {
  return hd_bytes_of(text, strlen(text));
}

static int enqueue(void *context, const hd_mux_frame *frame) {
  side *from = context;
  queued *added = malloc(sizeof *added + frame->size);
  added->next = NULL;
  added->size = frame->size;
  hdht_mux_frame_copy(frame, added->bytes);
  *from->last = added;
  from->last = &added->next;
  return frame->size % 5 == 0 ? HDHT_ERR_WOULD_BLOCK : HDHT_OK;
}

static record *record_of(const hd_mux_event *event) {
  record *told = event->owner;
  FUZZ_CHECK(told->channel == event->channel);
  return told;
}

static uint16_t number_of(const side *s, const record *r) {
  return (uint16_t)(r - s->records);
}

static record *open_records(side *s, unsigned choice) {
  record *live[RECORDS_LIMIT];
  unsigned count = 0;
  for (uint16_t i = 1; i < s->records_count; i++) {
    if (s->records[i].channel != NULL) live[count++] = &s->records[i];
  }
  return count > 0 ? live[choice % count] : NULL;
}

static void open_channel(side *s, unsigned choice) {
  if (s->world->is_ending || s->records_count == RECORDS_LIMIT || hd_mux_channels_count(&s->mux) >= SLOTS) return;
  const uint16_t number = s->records_count;
  record *r = &s->records[number];
  const hd_bytes alias = text_of(names[~choice & 1]);
  const hd_mux_channel_options options = {
      .protocol = text_of(names[choice & 1]),
      .id = text_of(ids[choice >> 1 & 1]),
      .aliases = &alias,
      .aliases_count = s->world->uses_aliases,
      .handshake = hd_bytes_of(&number, sizeof number),
      .message_types = 1,
      .is_shared = choice >> 2 & 1,
      .owner = r,
  };
  *r = (record){0};
  const int error = hd_mux_channel_open(&s->mux, &options, &r->channel);
  if (error == HDHT_OK) {
    s->records_count++;
  } else {
    FUZZ_CHECK(error == HDHT_ERR_EXISTS && !options.is_shared);
  }
}

static void send_message(side *s, unsigned choice) {
  record *r = open_records(s, choice);
  if (r == NULL) return;
  const uint16_t head[2] = {number_of(s, r), r->sent_count};
  static const uint8_t padding[1024];
  const hd_bytes parts[2] = {hd_bytes_of(head, sizeof head), hd_bytes_of(padding, choice * 4)};
  const int error = hd_mux_channel_send(r->channel, 0, parts, 2);
  FUZZ_CHECK(error == HDHT_OK || error == HDHT_ERR_CLOSED);
  if (error == HDHT_OK) r->sent_count++;
}

static void close_channel(record *r) {
  if (r == NULL) return;
  r->is_closed = true;
  hd_mux_channel_close(r->channel);
}

static void reject_all(side *s) {
  for (unsigned i = 0; i < 4; i++) {
    const int error = hd_mux_reject(&s->mux, text_of(names[i & 1]), text_of(ids[i >> 1]));
    FUZZ_CHECK(error == HDHT_OK || error == HDHT_ERR_NOT_FOUND);
  }
}

/* Events */

static void told_opened(side *s, const hd_mux_event *event) {
  record *r = record_of(event);
  FUZZ_CHECK(r->peer_number == 0 && !r->is_closed && event->bytes.size == sizeof r->peer_number);
  memcpy(&r->peer_number, event->bytes.data, sizeof r->peer_number);
  FUZZ_CHECK(r->peer_number > 0 && r->peer_number < s->other->records_count);
  const record *peer = &s->other->records[r->peer_number];
  FUZZ_CHECK(peer->peer_number == 0 || peer->peer_number == number_of(s, r));
}

static void told_message(const hd_mux_event *event) {
  record *r = record_of(event);
  uint16_t head[2];
  FUZZ_CHECK(event->bytes.size >= sizeof head && !r->is_closed);
  memcpy(head, event->bytes.data, sizeof head);
  FUZZ_CHECK(r->peer_number != 0 && head[0] == r->peer_number && head[1] == r->received_count);
  r->received_count++;
}

/* Who closes first may have messages of the other side on their way; who is closed by the peer has got them all. */
static void told_closed(side *s, const hd_mux_event *event) {
  record *r = record_of(event);
  FUZZ_CHECK(event->reason != HDHT_MUX_CLOSED_WITH_MUX);
  if (event->reason == HDHT_MUX_CLOSED_LOCALLY) FUZZ_CHECK(r->is_closed);
  if (event->reason == HDHT_MUX_REJECTED) FUZZ_CHECK(r->peer_number == 0);
  if (event->reason == HDHT_MUX_CLOSED_BY_PEER && !r->is_closed) {
    FUZZ_CHECK(r->peer_number != 0);
    const record *peer = &s->other->records[r->peer_number];
    FUZZ_CHECK(peer->is_closed && r->received_count == peer->sent_count);
  }
  r->channel = NULL;
}

static void told_pair(side *s, const hd_mux_event *event) {
  const uint8_t choice = fuzz_u8(&s->world->input);
  if (s->world->is_ending || choice % 4 == 0) return; /* later */
  if (choice % 4 == 1) {
    hd_mux_reject_request(&s->mux, event->request);
    return;
  }
  const unsigned name = event->protocol.data[0] == 'y', id = event->id.size > 0;
  open_channel(s, name | id << 1 | (choice & 16 ? 4u : 0u));
}

static void take_events(side *s) {
  hd_mux_event event;
  while (hd_mux_next_event(&s->mux, &event)) {
    switch (event.kind) {
      case HD_MUX_EVENT_PAIR: told_pair(s, &event); break;
      case HD_MUX_EVENT_OPENED: told_opened(s, &event); break;
      case HD_MUX_EVENT_MESSAGE: told_message(&event); break;
      case HD_MUX_EVENT_CLOSED: told_closed(s, &event); break;
      case HD_MUX_EVENT_DRAINED:
      case HD_MUX_EVENT_READING: break;
    }
    s->world->depth++;
    if (fuzz_u8(&s->world->input) % 4 == 1) step(s->world);
    s->world->depth--;
  }
  FUZZ_CHECK(hd_mux_error(&s->mux) == HDHT_OK);
}

/* The pipe */

/* Delivers the oldest frame of `from`. Returns whether there was one. */
static bool deliver(side *from) {
  queued *frame = from->first;
  if (frame == NULL) return false;
  from->first = frame->next;
  if (from->first == NULL) from->last = &from->first;
  uint8_t *exact = malloc(frame->size);
  memcpy(exact, frame->bytes, frame->size);
  FUZZ_CHECK(hd_mux_receive(&from->other->mux, hd_bytes_of(exact, frame->size)) == HDHT_OK);
  take_events(from->other);
  free(exact);
  free(frame);
  return true;
}

static void settle(world *w) {
  bool has_moved = true;
  while (has_moved) {
    has_moved = false;
    for (int i = 0; i < 2; i++) {
      take_events(&w->sides[i]);
      has_moved |= deliver(&w->sides[i]);
    }
  }
}

static void step(world *w) {
  if (w->steps++ >= STEPS_LIMIT || fuzz_is_empty(&w->input)) return;
  const uint8_t what = fuzz_u8(&w->input), choice = fuzz_u8(&w->input);
  side *s = &w->sides[what & 1];
  switch (what >> 1 & 15) {
    case 0:
    case 1:
    case 2: open_channel(s, choice); break;
    case 3:
    case 4:
    case 5: send_message(s, choice); break;
    case 6: close_channel(open_records(s, choice)); break;
    case 7:
      FUZZ_CHECK(hd_mux_cork(&s->mux) == HDHT_OK);
      s->corks++;
      break;
    case 8:
      FUZZ_CHECK(hd_mux_uncork(&s->mux) == (s->corks > 0 ? HDHT_OK : HDHT_ERR_INVALID_STATE));
      if (s->corks > 0) s->corks--;
      break;
    case 9: {
      const hd_bytes name = text_of(names[choice & 1]), id = text_of(ids[choice >> 1 & 1]);
      if (hd_mux_pair(&s->mux, name, id, NULL) != HDHT_OK)
        FUZZ_CHECK(hd_mux_unpair(&s->mux, name, id, NULL) == HDHT_OK);
      break;
    }
    case 10: reject_all(s); break;
    case 11: hd_mux_drained(&s->mux); break;
    default:
      for (unsigned frames = 1 + choice % 4; w->depth == 0 && frames > 0; frames--) (void)deliver(s);
      if (w->depth == 0) take_events(s);
  }
}

static void check_agreement(const side *s) {
  size_t unanswered = s->mux.abandoned_count;
  for (uint16_t i = 1; i < s->records_count; i++) {
    const record *r = &s->records[i];
    if (r->channel == NULL) continue;
    FUZZ_CHECK(!r->is_closed);
    if (r->peer_number == 0) {
      unanswered++;
      continue;
    }
    const record *peer = &s->other->records[r->peer_number];
    FUZZ_CHECK(peer->channel != NULL && peer->peer_number == i && r->received_count == peer->sent_count);
  }
  FUZZ_CHECK(unanswered == s->other->mux.waitings_count);
}

static void check_empty(const side *s) {
  FUZZ_CHECK(hd_mux_channels_count(&s->mux) == 0);
  FUZZ_CHECK(hd_mux_local_ids_taken(&s->mux.local_ids) == 0);
  FUZZ_CHECK(s->mux.abandoned_count == 0 && s->mux.waitings_count == 0);
  FUZZ_CHECK(s->mux.buffered_size == 0);
  for (uint16_t i = 1; i < s->records_count; i++) FUZZ_CHECK(s->records[i].channel == NULL);
}

static void end(world *w) {
  w->is_ending = true;
  for (int i = 0; i < 2; i++) {
    for (; w->sides[i].corks > 0; w->sides[i].corks--) FUZZ_CHECK(hd_mux_uncork(&w->sides[i].mux) == HDHT_OK);
  }
  settle(w);
  for (int i = 0; i < 2; i++) check_agreement(&w->sides[i]);
  for (int i = 0; i < 2; i++) {
    for (uint16_t k = 1; k < w->sides[i].records_count; k++) {
      if (w->sides[i].records[k].channel != NULL) close_channel(&w->sides[i].records[k]);
    }
  }
  settle(w);
  for (int i = 0; i < 2; i++) reject_all(&w->sides[i]);
  settle(w);
  for (int i = 0; i < 2; i++) check_empty(&w->sides[i]);
}

static void start_side(world *w, int index) {
  side *s = &w->sides[index];
  s->world = w;
  s->other = &w->sides[1 - index];
  s->last = &s->first;
  s->records_count = 1;
  hd_mux_init(&s->mux, &(hd_mux_options){
                           .allocator = &w->allocator.hook,
                           .sink = {.write = enqueue, .context = s},
                           .frame_size_limit = 4096,
                           .batch_size_limit = 1500,
                           .channels_limit = 1024,
                           .backlog_limit = 1024,
                           .held_size_limit = 1 << 24,
                           .buffered_size_limit = 4000,
                       });
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  world *w = calloc(1, sizeof *w);
  w->input = fuzz_input_of(data, size);
  fuzz_allocator_init(&w->allocator);
  for (int i = 0; i < 2; i++) start_side(w, i);
  w->uses_aliases = fuzz_u8(&w->input) & 1;
  while (!fuzz_is_empty(&w->input) && w->steps < STEPS_LIMIT) step(w);
  w->input.next = w->input.end;
  end(w);
  for (int i = 0; i < 2; i++) hd_mux_destroy(&w->sides[i].mux);
  FUZZ_CHECK(w->allocator.live_bytes == 0);
  free(w);
  return 0;
}
