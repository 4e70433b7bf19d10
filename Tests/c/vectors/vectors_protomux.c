/* protomux.json. A conversation is played by two of our muxes: each recorded frame is produced by the action of the
 * user that causes it (or had been produced already, as an answer), compared, and fed to the other side; at the end
 * each side must have told what was recorded. A receive case feeds recorded frames to one mux. */
#include <stdlib.h>
#include <string.h>

#include "codec/compact_bytes.h"
#include "mux/mux.h"
#include "vectors.h"

#define RELAY_PROTOCOL "@hyperswarm/dht-relay"

/* What a side has sent and not yet been compared, and what it has yet to tell according to the vector. */
typedef struct queued_frame {
  struct queued_frame *next;
  size_t size;
  uint8_t bytes[];
} queued_frame;

typedef struct side {
  hd_mux mux;
  char letter;
  queued_frame *first, **last;
  const hd_json *expected; /* the next event of this side, or of any, or NULL */
  bool has_expectations;   /* some cases record one side only */
  bool echoes;             /* answers each message with "re:" and the message */
  const hd_json *frame;    /* the one being fed, to look ahead from */
} side;

static int queue_frame(void *context, const hd_mux_frame *frame) {
  side *sender = context;
  queued_frame *queued = hd_vector_scratch(sizeof *queued + frame->size);
  queued->size = frame->size;
  hdht_mux_frame_copy(frame, queued->bytes);
  *sender->last = queued;
  sender->last = &queued->next;
  return HDHT_OK;
}

static void init_side(side *one, char letter) {
  *one = (side){.letter = letter};
  one->last = &one->first;
  hd_mux_init(&one->mux, &(hd_mux_options){
                             .allocator = hd_allocator_system(),
                             .sink = {.write = queue_frame, .context = one},
                             .frame_size_limit = HDHT_MUX_FRAME_SIZE_LIMIT,
                             .batch_size_limit = HDHT_MUX_BATCH_SIZE_LIMIT,
                             .channels_limit = HDHT_MUX_CHANNELS_LIMIT,
                             .backlog_limit = HDHT_MUX_BACKLOG_LIMIT,
                             .held_size_limit = HDHT_MUX_HELD_SIZE_LIMIT,
                             .buffered_size_limit = HDHT_MUX_BUFFERED_SIZE_LIMIT,
                         });
}

/* The recorded events */

/* "destroy" is the reference's second word for closed. */
static bool is_event_of(const hd_json *event, char letter) {
  return hd_json_text(event, "side", "?")[0] == letter &&
         strcmp(hd_json_text(event, "event", "destroy"), "destroy") != 0;
}

static const hd_json *skip_to(const hd_json *event, char letter) {
  while (event != NULL && !is_event_of(event, letter)) event = event->next;
  return event;
}

static void expect_events(side *one, const hd_json *events) {
  one->expected = skip_to(events != NULL ? events->first : NULL, one->letter);
  one->has_expectations = one->expected != NULL;
}

static const char *name_of(hd_mux_event_kind kind) {
  switch (kind) {
    case HD_MUX_EVENT_OPENED: return "open";
    case HD_MUX_EVENT_MESSAGE: return "message";
    case HD_MUX_EVENT_CLOSED: return "close";
    case HD_MUX_EVENT_PAIR:
    case HD_MUX_EVENT_DRAINED:
    case HD_MUX_EVENT_READING: return NULL;
  }
  return NULL;
}

/* The recorder decoded handshakes as strings. */
static void check_handshake(const hd_json *expected, hd_bytes handshake) {
  if (expected == NULL || expected->kind != HD_JSON_STRING) {
    VECTOR_CHECK(handshake.size == 0);
    return;
  }
  hd_reader reader = hd_reader_of(handshake);
  hd_bytes text = {0};
  VECTOR_CHECK(hd_codec_read_buffer(&reader, &text) == HDHT_OK);
  VECTOR_CHECK(hd_bytes_equal(text, hd_bytes_of(expected->text, expected->text_size)));
}

static void check_event(side *one, const hd_mux_event *event) {
  const char *name = name_of(event->kind);
  if (name == NULL || !one->has_expectations) return;
  const hd_json *expected = one->expected;
  if (!VECTOR_CHECK(expected != NULL)) return;
  VECTOR_CHECK(strcmp(name, hd_json_text(expected, "event", "")) == 0);
  if (event->kind == HD_MUX_EVENT_OPENED) check_handshake(hd_json_get(expected, "handshake"), event->bytes);
  if (event->kind == HD_MUX_EVENT_CLOSED) {
    VECTOR_CHECK(hd_json_truth(expected, "remote", false) == (event->reason != HDHT_MUX_CLOSED_LOCALLY));
  }
  if (event->kind == HD_MUX_EVENT_MESSAGE) {
    const hd_json *value = hd_json_get(expected, "value"); /* or a decoded relay message */
    VECTOR_CHECK(hd_json_integer(expected, "type", event->type) == event->type);
    if (value != NULL && value->kind == HD_JSON_STRING) {
      hd_vector_check_hex(value, event->bytes.data, event->bytes.size, "message");
    }
  }
  one->expected = skip_to(expected->next, one->letter);
}

/* The user of one side */

static void open_channel(side *one, hd_bytes protocol, hd_bytes id, hd_bytes handshake, uint32_t message_types) {
  const hd_mux_channel_options options = {
      .protocol = protocol,
      .id = id,
      .handshake = handshake,
      .message_types = message_types,
      .is_shared = true,
  };
  hd_mux_channel *channel;
  VECTOR_CHECK(hd_mux_channel_open(&one->mux, &options, &channel) == HDHT_OK);
}

static void open_as_decoded(side *one, const hd_json *decoded) {
  size_t id_size, handshake_size;
  const uint8_t *id = hd_vector_hex(hd_json_get(decoded, "id"), &id_size);
  const uint8_t *handshake = hd_vector_hex(hd_json_get(decoded, "handshake"), &handshake_size);
  const hd_json *protocol = hd_json_get(decoded, "protocol");
  open_channel(one, hd_bytes_of(protocol->text, protocol->text_size), hd_bytes_of(id, id_size),
               hd_bytes_of(handshake, handshake_size), 28);
}

static hd_mux_channel *channel_of(side *one, const hd_json *decoded) {
  hd_mux_channel *channel = hd_mux_local_ids_find(&one->mux.local_ids, hd_json_integer(decoded, "channel", 0));
  if (channel == NULL) hd_vector_fail("side %c has no such channel", one->letter);
  return channel;
}

static void send_as_decoded(side *one, const hd_json *decoded) {
  hd_bytes body;
  body.data = hd_vector_hex(hd_json_get(decoded, "body"), &body.size);
  if (hd_json_integer(decoded, "channel", 0) == 0) { /* an item of a batch */
    hd_mux_open_body open;
    VECTOR_CHECK(hd_json_integer(decoded, "type", 0) == HD_MUX_OPEN);
    if (!VECTOR_CHECK(hd_mux_read_open(body, &open) == HDHT_OK)) return;
    open_channel(one, open.protocol, open.channel_id, open.handshake, 28);
    return;
  }
  hd_mux_channel *channel = channel_of(one, decoded);
  const uint32_t type = (uint32_t)hd_json_integer(decoded, "type", 0);
  if (channel != NULL) VECTOR_CHECK(hd_mux_channel_send(channel, type, &body, 1) == HDHT_OK);
}

/* Does what makes a mux write this frame. */
static void act(side *one, const hd_json *decoded) {
  const char *kind = hd_json_text(decoded, "kind", "");
  if (strcmp(kind, "open") == 0) {
    open_as_decoded(one, decoded);
  } else if (strcmp(kind, "data") == 0) {
    send_as_decoded(one, decoded);
  } else if (strcmp(kind, "close") == 0) {
    hd_mux_channel *channel = channel_of(one, decoded);
    if (channel != NULL) hd_mux_channel_close(channel);
  } else if (strcmp(kind, "batch") == 0) {
    VECTOR_CHECK(hd_mux_cork(&one->mux) == HDHT_OK);
    HD_JSON_EACH(message, hd_json_get(decoded, "messages")) send_as_decoded(one, message);
    VECTOR_CHECK(hd_mux_uncork(&one->mux) == HDHT_OK);
  } else {
    hd_vector_fail("side %c wrote no %s", one->letter, kind);
  }
}

/* Whether this side opens the protocol itself in a later frame. */
static bool opens_later(const side *one, hd_bytes protocol) {
  for (const hd_json *frame = one->frame; frame != NULL; frame = frame->next) {
    const hd_json *named = hd_json_get(hd_json_get(frame, "decoded"), "protocol");
    if (named == NULL || hd_json_text(frame, "dir", "?")[0] != one->letter) continue;
    if (hd_bytes_equal(protocol, hd_bytes_of(named->text, named->text_size))) return true;
  }
  return false;
}

static void echo(const hd_mux_event *event) {
  const hd_bytes parts[2] = {hd_bytes_of("re:", 3), event->bytes};
  VECTOR_CHECK(hd_mux_channel_send(event->channel, event->type, parts, 2) == HDHT_OK);
}

static void drain(side *one) {
  hd_mux_event event;
  while (hd_mux_next_event(&one->mux, &event)) {
    check_event(one, &event);
    if (event.kind == HD_MUX_EVENT_MESSAGE && one->echoes) echo(&event);
    if (event.kind == HD_MUX_EVENT_PAIR && !opens_later(one, event.protocol)) {
      hd_mux_reject_request(&one->mux, event.request);
    }
  }
}

static int feed(side *one, const hd_json *hex) {
  size_t size;
  const uint8_t *bytes = hd_vector_hex(hex, &size);
  uint8_t *exact = malloc(size > 0 ? size : 1);
  memcpy(exact, bytes, size);
  (void)hd_mux_receive(&one->mux, hd_bytes_of(exact, size));
  drain(one);
  free(exact);
  return hd_mux_error(&one->mux);
}

static void check_sent(side *one, const hd_json *hex) {
  queued_frame *frame = one->first;
  if (frame == NULL) {
    hd_vector_fail("side %c sent nothing, expected %.100s", one->letter, hex->text);
    return;
  }
  one->first = frame->next;
  if (one->first == NULL) one->last = &one->first;
  hd_vector_check_hex(hex, frame->bytes, frame->size, "frame");
}

/* Waits for every protocol that is ever opened; `drain` decides which to reject. */
static void hook_all(side *one, const hd_json *frames) {
  HD_JSON_EACH(frame, frames) {
    const hd_json *decoded = hd_json_get(frame, "decoded"), *protocol = hd_json_get(decoded, "protocol");
    if (protocol == NULL) continue;
    size_t id_size;
    const uint8_t *id = hd_vector_hex(hd_json_get(decoded, "id"), &id_size);
    const int error =
        hd_mux_pair(&one->mux, hd_bytes_of(protocol->text, protocol->text_size), hd_bytes_of(id, id_size), NULL);
    VECTOR_CHECK(error == HDHT_OK || error == HDHT_ERR_EXISTS);
  }
}

static void check_conversation(const hd_json *item) {
  const hd_json *frames = hd_json_get(item, "frames");
  side *sides[2] = {hd_vector_scratch(sizeof(side)), hd_vector_scratch(sizeof(side))};
  for (int i = 0; i < 2; i++) {
    init_side(sides[i], i == 0 ? 'a' : 'b');
    expect_events(sides[i], hd_json_get(item, "events"));
    hook_all(sides[i], frames);
  }
  sides[1]->echoes = strcmp(hd_json_text(item, "name", ""), "reply to a batch is a batch") == 0;

  HD_JSON_EACH(frame, frames) {
    if (strcmp(hd_json_text(frame, "note", ""), "empty cork sends nothing") == 0) {
      VECTOR_CHECK(hd_mux_cork(&sides[0]->mux) == HDHT_OK && hd_mux_uncork(&sides[0]->mux) == HDHT_OK);
      VECTOR_CHECK(sides[0]->first == NULL);
    }
    const char *direction = hd_json_text(frame, "dir", NULL);
    if (direction == NULL) continue;
    side *sender = sides[direction[0] - 'a'], *receiver = sides['b' - direction[0]];
    if (sender->first == NULL) act(sender, hd_json_get(frame, "decoded"));
    drain(sender);
    check_sent(sender, hd_json_get(frame, "hex"));
    receiver->frame = frame;
    VECTOR_CHECK(feed(receiver, hd_json_get(frame, "hex")) == HDHT_OK);
  }
  for (int i = 0; i < 2; i++) {
    VECTOR_CHECK(sides[i]->first == NULL);
    VECTOR_CHECK(sides[i]->expected == NULL);
    hd_mux_destroy(&sides[i]->mux);
  }
}

static int expected_error(const hd_json *item) {
  const char *text = hd_json_text(item, "error", NULL), *name = hd_json_text(item, "name", "");
  if (strcmp(name, "batch length longer than the frame") == 0) return HDHT_ERR_TRUNCATED; /* ours is the stricter one */
  if (text == NULL) return HDHT_OK;
  if (strstr(text, "Out of bounds") != NULL) return HDHT_ERR_TRUNCATED;
  if (strstr(text, "Invalid reject message") != NULL) return HDHT_ERR_MUX_REJECT;
  return HDHT_ERR_MUX_OPEN; /* "Invalid open message", and what the reference says of an open of id 0 */
}

/* Where the reference destroys its stream it loses frames not flushed yet, so those recorded are the first of ours; and
 * where ours does and the reference does not, the events of the end are not recorded. */
static void check_receive(const hd_json *item) {
  side *receiver = hd_vector_scratch(sizeof *receiver);
  init_side(receiver, 'b');
  const int expected = expected_error(item);
  if (strstr(hd_json_text(item, "note", ""), "no channel") == NULL) {
    open_channel(receiver, hd_bytes_of(RELAY_PROTOCOL, strlen(RELAY_PROTOCOL)), hd_bytes_of(NULL, 0),
                 hd_bytes_of(NULL, 0), 3);
  }
  expect_events(receiver, hd_json_get(item, "events"));
  if (hd_json_get(item, "error") == NULL && expected != HDHT_OK) receiver->has_expectations = false;

  int error = HDHT_OK;
  HD_JSON_EACH(frame, hd_json_get(item, "frames")) error = feed(receiver, frame);
  VECTOR_CHECK(error == expected);
  HD_JSON_EACH(frame, hd_json_get(item, "sent")) check_sent(receiver, frame);
  if (expected == HDHT_OK) VECTOR_CHECK(receiver->first == NULL);
  if (receiver->has_expectations) VECTOR_CHECK(receiver->expected == NULL);
  hd_mux_destroy(&receiver->mux);
}

static void check_case(const hd_json *item) {
  const char *kind = hd_json_text(item, "kind", "");
  if (strcmp(kind, "conversation") == 0) {
    check_conversation(item);
  } else if (VECTOR_CHECK(strcmp(kind, "receive") == 0)) {
    check_receive(item);
  }
}

VECTOR_FILE("protomux.json", check_case)
