/* The public multiplexer in the hands of a user whose callbacks call everything back, close the mux included, while the
 * peer sends what it likes. The input is the program.
 *
 * Callbacks are never made one inside another, on_frame aside; each channel, each hook and the mux is told its end
 * exactly once, the mux last of all; and all memory comes back. */
#include <hdht/mux.h>

#include "codec/compact_bytes.h"
#include "fuzz_input.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define SLOTS       6
#define STEPS_LIMIT 300

typedef struct world world;

typedef struct slot {
  world *world;
  hdht_mux_channel *channel;
  bool is_used;
} slot;

struct world {
  hdht_mux *mux; /* NULL once told closed */
  fuzz_allocator allocator;
  fuzz_input input;
  slot channels[SLOTS];
  unsigned hooks;
  unsigned steps;
  bool is_in_callback;
  bool is_in_frame;
};

static const char *const names[] = {"a", "b", ""};

static void step(world *w);

static hdht_bytes any_name(world *w) {
  const char *name = names[fuzz_u8(&w->input) % 3];
  return hd_bytes_of(name, strlen(name));
}

static void enter_callback(world *w) {
  FUZZ_CHECK(w->mux != NULL);
  FUZZ_CHECK(!w->is_in_callback && !w->is_in_frame);
  w->is_in_callback = true;
}

/* The callback's body: what the user does in it. */
static void leave_callback(world *w) {
  for (unsigned steps = fuzz_u8(&w->input) % 3; steps > 0; steps--) step(w);
  w->is_in_callback = false;
}

static int on_frame(void *user_data, const hdht_mux_frame *frame) {
  world *w = user_data;
  FUZZ_CHECK(w->mux != NULL && !w->is_in_frame && frame->size >= 2);
  uint8_t *joined = malloc(frame->size);
  hdht_mux_frame_copy(frame, joined);
  free(joined);
  w->is_in_frame = true;
  const uint8_t choice = fuzz_u8(&w->input);
  if (choice % 8 == 1) step(w);
  w->is_in_frame = false;
  return choice == 255     ? HDHT_ERR_CONNECTION_RESET
         : choice == 254   ? 1
         : choice % 4 == 2 ? HDHT_ERR_WOULD_BLOCK
                           : HDHT_OK;
}

static void on_reading(void *user_data, int wants_frames) {
  (void)wants_frames;
  enter_callback(user_data);
  leave_callback(user_data);
}

static void on_mux_closed(void *user_data, int error) {
  world *w = user_data;
  FUZZ_CHECK(error <= 0 && error != HDHT_ERR_CLOSED);
  enter_callback(w);
  for (size_t i = 0; i < SLOTS; i++) FUZZ_CHECK(!w->channels[i].is_used);
  FUZZ_CHECK(w->hooks == 0);
  leave_callback(w);
  w->mux = NULL;
}

static void on_open(void *user_data, hdht_mux_channel *channel, hdht_bytes handshake) {
  (void)handshake;
  const slot *s = user_data;
  FUZZ_CHECK(s->is_used && s->channel == channel);
  enter_callback(s->world);
  leave_callback(s->world);
}

static void on_message(void *user_data, hdht_mux_channel *channel, uint32_t type, hdht_bytes body) {
  FUZZ_CHECK(type < 2);
  uint8_t *copy = malloc(body.size + 1);
  if (body.size > 0) memcpy(copy, body.data, body.size);
  on_open(user_data, channel, body);
  FUZZ_CHECK(body.size == 0 || memcmp(copy, body.data, body.size) == 0);
  free(copy);
}

static void on_drain(void *user_data, hdht_mux_channel *channel) {
  on_open(user_data, channel, (hdht_bytes){0});
}

static void on_channel_closed(void *user_data, hdht_mux_channel *channel, int reason) {
  slot *s = user_data;
  FUZZ_CHECK(s->is_used && reason >= HDHT_MUX_CLOSED_LOCALLY && reason <= HDHT_MUX_CLOSED_WITH_MUX);
  enter_callback(s->world);
  const int error = hdht_mux_channel_send(channel, 0, NULL, 0, NULL);
  FUZZ_CHECK(s->channel == channel);
  FUZZ_CHECK(error == HDHT_ERR_CLOSED);
  leave_callback(s->world);
  s->is_used = false;
}

static int on_pair(void *user_data, const hdht_mux_pairing *pairing) {
  world *w = user_data;
  (void)pairing;
  enter_callback(w);
  const int answer = fuzz_u8(&w->input) % 2;
  leave_callback(w);
  return answer;
}

static void on_removed(void *user_data) {
  world *w = user_data;
  FUZZ_CHECK(w->hooks > 0);
  enter_callback(w);
  w->hooks--;
  leave_callback(w);
}

static const hdht_mux_callbacks mux_callbacks = {
    .struct_size = sizeof mux_callbacks, .on_frame = on_frame, .on_reading = on_reading, .on_closed = on_mux_closed};
static const hdht_mux_channel_callbacks channel_callbacks = {.struct_size = sizeof channel_callbacks,
                                                             .on_open = on_open,
                                                             .on_message = on_message,
                                                             .on_drain = on_drain,
                                                             .on_closed = on_channel_closed};
static const hdht_mux_pair_callbacks pair_callbacks = {
    .struct_size = sizeof pair_callbacks, .on_pair = on_pair, .on_removed = on_removed};

static void open_channel(world *w) {
  slot *s = &w->channels[fuzz_u8(&w->input) % SLOTS];
  hdht_mux_channel_options options;
  hdht_mux_channel_options_init(&options, sizeof options);
  options.protocol = any_name(w);
  options.message_types = 2;
  options.flags = fuzz_u8(&w->input) % 2 ? HDHT_MUX_CHANNEL_SHARED : 0;
  if (s->is_used) return;
  *s = (slot){.world = w, .is_used = true};
  /* Its last callback may be made before this returns. */
  if (hdht_mux_channel_open(w->mux, &options, &channel_callbacks, s, &s->channel) != HDHT_OK) s->is_used = false;
}

static slot *any_used(world *w) {
  slot *s = &w->channels[fuzz_u8(&w->input) % SLOTS];
  return s->is_used && s->channel != NULL ? s : NULL;
}

static void pair(world *w) {
  const hdht_bytes name = any_name(w), none = {0};
  w->hooks++;
  const int error = hdht_mux_pair(w->mux, name, none, &pair_callbacks, w);
  if (error != HDHT_OK) w->hooks--;
  if (error == HDHT_ERR_EXISTS) FUZZ_CHECK(hdht_mux_unpair(w->mux, name, none) == HDHT_OK);
}

static void receive(world *w) {
  uint8_t bytes[64];
  hd_writer writer = hd_writer_of(bytes, sizeof bytes);
  const uint8_t choice = fuzz_u8(&w->input);
  if (choice % 3 == 0) { /* an open */
    (void)hd_codec_write_uint(&writer, 0);
    (void)hd_codec_write_uint(&writer, 1);
    (void)hd_codec_write_uint(&writer, choice / 32);
    (void)hd_codec_write_buffer(&writer, any_name(w));
    (void)hd_codec_write_uint(&writer, 0);
  } else {
    for (unsigned size = fuzz_u8(&w->input) % 40; size > 0; size--)
      (void)hd_codec_write_uint8(&writer, fuzz_u8(&w->input));
  }
  const size_t size = (size_t)(writer.next - bytes);
  uint8_t *exact = malloc(size + 1);
  memcpy(exact, bytes, size);
  const int error = hdht_mux_receive(w->mux, hd_bytes_of(exact, size));
  free(exact);
  if (w->is_in_callback || w->is_in_frame) FUZZ_CHECK(error == HDHT_ERR_INVALID_STATE || error == HDHT_ERR_CLOSED);
}

static void step(world *w) {
  if (w->mux == NULL || w->steps++ >= STEPS_LIMIT || fuzz_is_empty(&w->input)) return;
  const hdht_bytes body = {.data = (const uint8_t *)"body", .size = 4};
  slot *s;
  int wants_more;
  switch (fuzz_u8(&w->input) % 16) {
    case 0:
    case 1:
    case 2:
    case 3:
    case 4: receive(w); break;
    case 5:
    case 6: open_channel(w); break;
    case 7:
      if ((s = any_used(w)) != NULL) hdht_mux_channel_close(s->channel);
      break;
    case 8:
    case 9:
      if ((s = any_used(w)) != NULL) (void)hdht_mux_channel_send(s->channel, 1, &body, 1, &wants_more);
      break;
    case 10: pair(w); break;
    case 11: (void)hdht_mux_reject(w->mux, any_name(w), (hdht_bytes){0}); break;
    case 12: (void)hdht_mux_cork(w->mux); break;
    case 13: (void)hdht_mux_uncork(w->mux); break;
    case 14: (void)hdht_mux_drained(w->mux); break;
    default: {
      const uint8_t choice = fuzz_u8(&w->input);
      if (choice < 64) w->allocator.is_failing = choice & 1;
      if (choice > 250) (void)hdht_mux_fail(w->mux, HDHT_ERR_PROTOCOL);
      if (choice > 240 && choice <= 250) hdht_mux_close(w->mux);
    }
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  world *w = calloc(1, sizeof *w);
  w->input = fuzz_input_of(data, size);
  fuzz_allocator_init(&w->allocator);
  hdht_mux_options options;
  hdht_mux_options_init(&options, sizeof options);
  options.allocator = &w->allocator.hook;
  options.buffered_size_limit = 1100;
  options.frame_size_limit = 512;
  options.batch_size_limit = 64;
  options.channels_limit = 5;
  options.backlog_limit = 3;
  FUZZ_CHECK(hdht_mux_create(&options, &mux_callbacks, w, &w->mux) == HDHT_OK);
  while (!fuzz_is_empty(&w->input) && w->steps < STEPS_LIMIT && w->mux != NULL) step(w);
  if (w->mux != NULL) hdht_mux_close(w->mux);
  FUZZ_CHECK(w->mux == NULL);
  FUZZ_CHECK(w->allocator.live_bytes == 0);
  free(w);
  return 0;
}
