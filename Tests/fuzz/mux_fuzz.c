/* A live mux between a hostile peer and a user who does anything at any time, also while an event is handled, and whose
 * memory fails on request. The input is a program of both.
 *
 * Whatever happens: a channel is told opened at most once, then messages, then closed exactly once and nothing after
 * that, and no message once its user has closed it; limits hold; each frame written is well-formed and fits; a failed
 * mux writes nothing and has no channels; all memory comes back. */
#include "fuzz_input.h"
#include "mux/mux.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FRAME_SIZE_LIMIT    2048
#define BATCH_SIZE_LIMIT    200
#define CHANNELS_LIMIT      6
#define BACKLOG_LIMIT       4
#define HELD_SIZE_LIMIT     4096
#define BUFFERED_SIZE_LIMIT 1300
#define USER_CHANNELS       12
#define STEPS_LIMIT         400

typedef struct user_channel {
  hd_mux_channel *channel; /* NULL: this slot is free */
  uint32_t message_types;
  bool is_opened;
  bool is_closed; /* by the user */
} user_channel;

typedef struct world {
  hd_mux mux;
  fuzz_allocator allocator;
  fuzz_input input;
  user_channel channels[USER_CHANNELS];
  unsigned corks;
  unsigned steps;
  unsigned depth; /* of steps made while an event is handled */
  bool is_stream_broken;
} world;

static const char *const names[] = {"a", "b", "@hyperswarm/dht-relay", ""};
static const char *const ids[] = {"", "1", "22"};

static void step(world *w);

static hd_bytes text_of(const char *text) {
  return hd_bytes_of(text, strlen(text));
}

static hd_bytes any_name(world *w) {
  return text_of(names[fuzz_u8(&w->input) % 4]);
}

static hd_bytes any_id(world *w) {
  return text_of(ids[fuzz_u8(&w->input) % 3]);
}

static user_channel *any_channel(world *w) {
  return &w->channels[fuzz_u8(&w->input) % USER_CHANNELS];
}

static hd_bytes any_bytes(world *w, size_t limit) {
  size_t size = fuzz_u8(&w->input) % limit;
  const size_t remaining = (size_t)(w->input.end - w->input.next);
  if (size > remaining) size = remaining;
  const hd_bytes bytes = hd_bytes_of(w->input.next, size);
  w->input.next += size;
  return bytes;
}

/* The stream */

static int take_frame(void *context, const hd_mux_frame *frame) {
  world *w = context;
  FUZZ_CHECK(hd_mux_error(&w->mux) == HDHT_OK);
  FUZZ_CHECK(frame->size >= 2 && frame->size <= FRAME_SIZE_LIMIT);
  uint8_t *joined = malloc(frame->size);
  hdht_mux_frame_copy(frame, joined);
  hd_mux_frame_reader reader;
  hd_mux_message message;
  bool found = true;
  unsigned messages = 0;
  FUZZ_CHECK(hd_mux_frame_begin(&reader, hd_bytes_of(joined, frame->size)) == HDHT_OK);
  for (; found; messages++) FUZZ_CHECK(hd_mux_frame_next(&reader, &message, &found) == HDHT_OK);
  FUZZ_CHECK(messages > 1);
  if (messages > 2) FUZZ_CHECK(frame->size <= BATCH_SIZE_LIMIT);
  free(joined);
  if (w->is_stream_broken) return HDHT_ERR_CONNECTION_RESET;
  return frame->size % 7 == 0 ? HDHT_ERR_WOULD_BLOCK : HDHT_OK;
}

/* The events */

static void check_event(world *w, const hd_mux_event *event) {
  if (event->kind == HD_MUX_EVENT_PAIR) {
    FUZZ_CHECK(event->owner == w);
    FUZZ_CHECK(hd_mux_waiting_count(&w->mux, event->protocol, event->id) > 0);
    return;
  }
  if (event->kind == HD_MUX_EVENT_READING) {
    FUZZ_CHECK(event->wants_frames == (w->mux.buffered_size <= BUFFERED_SIZE_LIMIT));
    return;
  }
  user_channel *told = event->owner;
  FUZZ_CHECK(told->channel == event->channel);
  switch (event->kind) {
    case HD_MUX_EVENT_OPENED:
      FUZZ_CHECK(!told->is_opened && !told->is_closed);
      told->is_opened = true;
      break;
    case HD_MUX_EVENT_MESSAGE:
      FUZZ_CHECK(told->is_opened && !told->is_closed && event->type < told->message_types);
      break;
    case HD_MUX_EVENT_DRAINED: FUZZ_CHECK(!told->is_closed); break;
    default:
      FUZZ_CHECK(event->kind == HD_MUX_EVENT_CLOSED);
      FUZZ_CHECK(hd_mux_channel_send(told->channel, 0, NULL, 0) == HDHT_ERR_CLOSED);
      hd_mux_channel_close(told->channel);
      *told = (user_channel){0};
  }
}

/* Borrowed bytes must be good until the next event, whatever the user did meanwhile. */
static unsigned sum_of(hd_bytes bytes) {
  unsigned sum = 0;
  for (size_t i = 0; i < bytes.size; i++) sum = sum * 31 + bytes.data[i];
  return sum;
}

static void take_events(world *w) {
  hd_mux_event event;
  while (hd_mux_next_event(&w->mux, &event)) {
    check_event(w, &event);
    const unsigned bytes = sum_of(event.bytes), protocol = sum_of(event.protocol), id = sum_of(event.id);
    w->depth++;
    for (unsigned steps = fuzz_u8(&w->input) % 3; steps > 0; steps--) step(w);
    w->depth--;
    FUZZ_CHECK(sum_of(event.bytes) == bytes && sum_of(event.protocol) == protocol && sum_of(event.id) == id);
  }
  const bool has_failed = hd_mux_error(&w->mux) != HDHT_OK;
  if (has_failed) {
    FUZZ_CHECK(hd_mux_channels_count(&w->mux) == 0);
    for (size_t i = 0; i < USER_CHANNELS; i++) FUZZ_CHECK(w->channels[i].channel == NULL);
  } else {
    FUZZ_CHECK(w->mux.is_paused == (w->mux.buffered_size > BUFFERED_SIZE_LIMIT));
  }
}

/* The hostile peer */

static void receive(world *w, const uint8_t *bytes, size_t size) {
  if (w->depth > 0) return;
  uint8_t *exact = malloc(size > 0 ? size : 1);
  if (size > 0) memcpy(exact, bytes, size);
  (void)hd_mux_receive(&w->mux, hd_bytes_of(exact, size));
  take_events(w);
  free(exact);
}

static void put(hd_writer *writer, uint64_t value) {
  FUZZ_CHECK(hd_codec_write_uint(writer, value) == HDHT_OK);
}

static void receive_open(world *w) {
  uint8_t bytes[512];
  hd_writer writer = hd_writer_of(bytes, sizeof bytes);
  put(&writer, HD_MUX_CONTROL_CHANNEL);
  put(&writer, HD_MUX_OPEN);
  put(&writer, fuzz_u8(&w->input) % 8);
  (void)hd_codec_write_buffer(&writer, any_name(w));
  (void)hd_codec_write_buffer(&writer, any_id(w));
  const hd_bytes handshake = any_bytes(w, 40);
  (void)hd_writer_put(&writer, handshake.data, handshake.size);
  receive(w, bytes, (size_t)(writer.next - bytes));
}

static void receive_short(world *w, uint64_t channel, uint64_t type) {
  uint8_t bytes[512];
  hd_writer writer = hd_writer_of(bytes, sizeof bytes);
  put(&writer, channel);
  put(&writer, type);
  const hd_bytes body = any_bytes(w, 100);
  (void)hd_writer_put(&writer, body.data, body.size);
  receive(w, bytes, (size_t)(writer.next - bytes));
}

/* The user */

static void open_channel(world *w) {
  user_channel *slot = any_channel(w);
  const uint8_t choice = fuzz_u8(&w->input);
  const hd_bytes aliases[2] = {any_name(w), any_name(w)};
  const hd_mux_channel_options options = {
      .protocol = any_name(w),
      .id = any_id(w),
      .aliases = aliases,
      .aliases_count = choice % 3,
      .handshake = any_bytes(w, 30),
      .message_types = 1 + choice / 64,
      .is_shared = choice & 4,
      .owner = slot,
  };
  if (slot->channel != NULL) return;
  const size_t count = hd_mux_channels_count(&w->mux);
  *slot = (user_channel){.message_types = options.message_types};
  hd_mux_channel *channel = NULL;
  const int error = hd_mux_channel_open(&w->mux, &options, &channel);
  slot->channel = channel;
  FUZZ_CHECK((error == HDHT_OK) == (channel != NULL));
  if (error == HDHT_ERR_LIMIT) FUZZ_CHECK(count + w->mux.abandoned_count == CHANNELS_LIMIT);
}

static void close_channel(world *w) {
  user_channel *slot = any_channel(w);
  if (slot->channel == NULL) return;
  slot->is_closed = true;
  hd_mux_channel_close(slot->channel);
}

static void send_message(world *w) {
  user_channel *slot = any_channel(w);
  const uint8_t type = fuzz_u8(&w->input) % 4;
  const hd_bytes parts[2] = {any_bytes(w, 60), any_bytes(w, 60)};
  if (slot->channel == NULL) return;
  const int error = hd_mux_channel_send(slot->channel, type, parts, 2);
  if (error == HDHT_OK) FUZZ_CHECK(!slot->is_closed && type < slot->message_types);
  uint8_t header[HD_MUX_HEADER_SIZE_LIMIT];
  size_t size = 0;
  if (hd_mux_channel_header(slot->channel, type, header, &size) == HDHT_OK)
    FUZZ_CHECK(size >= 2 && size <= sizeof header);
}

static void uncork(world *w) {
  const int error = hd_mux_uncork(&w->mux);
  FUZZ_CHECK((error == HDHT_ERR_INVALID_STATE) == (w->corks == 0 && error != HDHT_ERR_CLOSED));
  if (w->corks > 0) w->corks--;
}

static void pair(world *w) {
  const hd_bytes name = any_name(w), id = any_id(w);
  if (hd_mux_pair(&w->mux, name, id, w) == HDHT_ERR_EXISTS) (void)hd_mux_unpair(&w->mux, name, id, NULL);
}

static void step(world *w) {
  if (w->steps++ >= STEPS_LIMIT || fuzz_is_empty(&w->input)) return;
  switch (fuzz_u8(&w->input) % 20) {
    case 0:
    case 1:
    case 2: {
      const hd_bytes frame = any_bytes(w, 256);
      receive(w, frame.data, frame.size);
      break;
    }
    case 3:
    case 4:
    case 5: receive_open(w); break;
    case 6:
    case 7: receive_short(w, fuzz_u8(&w->input) % 8, fuzz_u8(&w->input) % 4); break;
    case 8: receive_short(w, HD_MUX_CONTROL_CHANNEL, HD_MUX_CLOSE); break;
    case 9: receive_short(w, HD_MUX_CONTROL_CHANNEL, HD_MUX_REJECT); break;
    case 10:
    case 11: open_channel(w); break;
    case 12: close_channel(w); break;
    case 13: send_message(w); break;
    case 14:
      if (hd_mux_cork(&w->mux) == HDHT_OK) w->corks++;
      break;
    case 15: uncork(w); break;
    case 16: pair(w); break;
    case 17: (void)hd_mux_reject(&w->mux, any_name(w), any_id(w)); break;
    case 18: hd_mux_drained(&w->mux); break;
    default: {
      const uint8_t choice = fuzz_u8(&w->input);
      if (choice < 128) w->allocator.is_failing = choice & 1;
      if (choice == 255) hd_mux_fail(&w->mux, HDHT_ERR_TIMED_OUT);
      if (choice == 254) w->is_stream_broken = true;
      if (choice == 253) hd_mux_reject_request(&w->mux, fuzz_u8(&w->input));
    }
  }
  FUZZ_CHECK(w->mux.held_size <= HELD_SIZE_LIMIT);
  FUZZ_CHECK(w->mux.waitings_count <= BACKLOG_LIMIT);
  FUZZ_CHECK(hd_mux_local_ids_taken(&w->mux.local_ids) <= CHANNELS_LIMIT);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  world *w = calloc(1, sizeof *w);
  w->input = fuzz_input_of(data, size);
  fuzz_allocator_init(&w->allocator);
  hd_mux_init(&w->mux, &(hd_mux_options){
                           .allocator = &w->allocator.hook,
                           .sink = {.write = take_frame, .context = w},
                           .frame_size_limit = FRAME_SIZE_LIMIT,
                           .batch_size_limit = BATCH_SIZE_LIMIT,
                           .channels_limit = CHANNELS_LIMIT,
                           .backlog_limit = BACKLOG_LIMIT,
                           .held_size_limit = HELD_SIZE_LIMIT,
                           .buffered_size_limit = BUFFERED_SIZE_LIMIT,
                       });
  const bool takes_events_at_the_end = fuzz_u8(&w->input) & 1;
  while (!fuzz_is_empty(&w->input) && w->steps < STEPS_LIMIT) step(w);
  if (takes_events_at_the_end) take_events(w);
  hd_mux_destroy(&w->mux);
  FUZZ_CHECK(w->allocator.live_bytes == 0);
  free(w);
  return 0;
}
