/* A message there and one back through two muxes, against what no multiplexer can avoid: joining each frame in one
 * buffer, as whoever encrypts or writes it does. Counts the allocations of the timed part too. */
#include <hdht/mux.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "mux/mux.h"

#define BODY_SIZE_LIMIT 65536
#define BATCH_MESSAGES  100

static size_t allocations;

static void *count_allocate(void *context, size_t size) {
  (void)context;
  allocations++;
  return malloc(size);
}

static void count_release(void *context, void *memory, size_t size) {
  (void)context;
  (void)size;
  free(memory);
}

static const hd_allocator counting = {.allocate = count_allocate, .release = count_release};

static uint8_t body_bytes[BODY_SIZE_LIMIT];

static void require(bool condition) {
  if (!condition) abort();
}

/* The core */

typedef struct end {
  hd_mux mux;
  hd_mux_channel *channel;
  uint8_t frame[BODY_SIZE_LIMIT * 2];
  size_t frame_size;
} end;

typedef struct couple {
  end ends[2];
  size_t body_size;
} couple;

static int join(void *context, const hd_mux_frame *frame) {
  end *sender = context;
  hdht_mux_frame_copy(frame, sender->frame);
  sender->frame_size = frame->size;
  return HDHT_OK;
}

static unsigned deliver(end *from, end *to, bool answers) {
  unsigned messages = 0;
  hd_mux_event event;
  require(hd_mux_receive(&to->mux, hd_bytes_of(from->frame, from->frame_size)) == HDHT_OK);
  while (hd_mux_next_event(&to->mux, &event)) {
    if (event.kind != HD_MUX_EVENT_MESSAGE) continue;
    messages++;
    if (answers) require(hd_mux_channel_send(event.channel, event.type, &event.bytes, 1) == HDHT_OK);
  }
  return messages;
}

static void start(couple *both, size_t body_size) {
  memset(both, 0, sizeof *both);
  both->body_size = body_size;
  for (int i = 0; i < 2; i++) {
    hd_mux_init(&both->ends[i].mux, &(hd_mux_options){
                                        .allocator = &counting,
                                        .sink = {.write = join, .context = &both->ends[i]},
                                        .frame_size_limit = HDHT_MUX_FRAME_SIZE_LIMIT,
                                        .batch_size_limit = HDHT_MUX_BATCH_SIZE_LIMIT,
                                        .channels_limit = HDHT_MUX_CHANNELS_LIMIT,
                                        .backlog_limit = HDHT_MUX_BACKLOG_LIMIT,
                                        .held_size_limit = HDHT_MUX_HELD_SIZE_LIMIT,
                                        .buffered_size_limit = HDHT_MUX_BUFFERED_SIZE_LIMIT,
                                    });
    const hd_mux_channel_options options = {.protocol = hd_bytes_of("bench", 5), .message_types = 28};
    require(hd_mux_channel_open(&both->ends[i].mux, &options, &both->ends[i].channel) == HDHT_OK);
  }
  (void)deliver(&both->ends[0], &both->ends[1], false);
  (void)deliver(&both->ends[1], &both->ends[0], false);
}

static void stop(couple *both) {
  for (int i = 0; i < 2; i++) hd_mux_destroy(&both->ends[i].mux);
}

static void round_trip(void *context) {
  couple *both = context;
  const hd_bytes body = hd_bytes_of(body_bytes, both->body_size);
  require(hd_mux_channel_send(both->ends[0].channel, 16, &body, 1) == HDHT_OK);
  require(deliver(&both->ends[0], &both->ends[1], true) == 1);
  require(deliver(&both->ends[1], &both->ends[0], false) == 1);
}

/* The same frames, made and looked at by nobody. */
static void join_twice(void *context) {
  couple *both = context;
  for (int i = 0; i < 2; i++) {
    const uint8_t head[2] = {1, 16};
    const hd_bytes body =
        i == 0 ? hd_bytes_of(body_bytes, both->body_size) : hd_bytes_of(both->ends[0].frame + 2, both->body_size);
    const hd_mux_frame frame = {.size = 2 + body.size, .head = hd_bytes_of(head, 2), .parts = &body, .parts_count = 1};
    (void)join(&both->ends[i], &frame);
    hd_bench_keep(both->ends[i].frame);
  }
}

static void batch(void *context) {
  couple *both = context;
  const hd_bytes body = hd_bytes_of(body_bytes, both->body_size);
  require(hd_mux_cork(&both->ends[0].mux) == HDHT_OK);
  for (int i = 0; i < BATCH_MESSAGES; i++) {
    require(hd_mux_channel_send(both->ends[0].channel, 16, &body, 1) == HDHT_OK);
  }
  require(hd_mux_uncork(&both->ends[0].mux) == HDHT_OK);
  require(deliver(&both->ends[0], &both->ends[1], false) == BATCH_MESSAGES);
}

static void join_batch(void *context) {
  couple *both = context;
  for (int i = 0; i < BATCH_MESSAGES; i++) {
    memcpy(both->ends[1].frame + (size_t)i * both->body_size, body_bytes, both->body_size);
    hd_bench_keep(both->ends[1].frame);
  }
  memcpy(both->ends[0].frame, both->ends[1].frame, BATCH_MESSAGES * both->body_size);
  hd_bench_keep(both->ends[0].frame);
}

static void measure(const char *name, size_t body_size, void (*ours)(void *), void (*bound)(void *), double messages) {
  static couple both;
  double ours_ns, bound_ns;
  char bound_text[64];
  start(&both, body_size);
  ours(&both);
  const size_t allocations_before = allocations;
  hd_bench_compare_ns(ours, &both, bound, &both, &ours_ns, &bound_ns);
  snprintf(bound_text, sizeof bound_text, "copying the bytes; %zu allocations", allocations - allocations_before);
  hd_bench_report("mux", name, ours_ns / messages, bound_ns / ours_ns, bound_text);
  stop(&both);
}

BENCH("mux", core) {
  measure("message and answer, 16 B", 16, round_trip, join_twice, 1);
  measure("message and answer, 1 KiB", 1024, round_trip, join_twice, 1);
  measure("message and answer, 64 KiB", 65536, round_trip, join_twice, 1);
  measure("message in a batch of 100, 16 B", 16, batch, join_batch, BATCH_MESSAGES);
  measure("message in a batch of 100, 1 KiB", 1024, batch, join_batch, BATCH_MESSAGES);
}

/* The public API */

typedef struct public_end {
  hdht_mux *mux;
  hdht_mux_channel *channel;
  uint8_t frame[BODY_SIZE_LIMIT];
  size_t frame_size;
  bool answers;
} public_end;

static int public_frame(void *user_data, const hdht_mux_frame *frame) {
  public_end *sender = user_data;
  hdht_mux_frame_copy(frame, sender->frame);
  sender->frame_size = frame->size;
  return HDHT_OK;
}

static void public_message(void *user_data, hdht_mux_channel *channel, uint32_t type, hdht_bytes body) {
  const public_end *receiver = user_data;
  if (receiver->answers) require(hdht_mux_channel_send(channel, type, &body, 1, NULL) == HDHT_OK);
}

static void public_closed(void *user_data, hdht_mux_channel *channel, int reason) {
  (void)user_data;
  (void)channel;
  (void)reason;
}

static void public_deliver(public_end *from, public_end *to) {
  require(hdht_mux_receive(to->mux, hd_bytes_of(from->frame, from->frame_size)) == HDHT_OK);
}

static void public_round_trip(void *context) {
  public_end *ends = context;
  const hdht_bytes body = hd_bytes_of(body_bytes, 16);
  require(hdht_mux_channel_send(ends[0].channel, 16, &body, 1, NULL) == HDHT_OK);
  public_deliver(&ends[0], &ends[1]);
  public_deliver(&ends[1], &ends[0]);
}

BENCH("mux", public) {
  static public_end ends[2];
  static couple bound;
  hdht_mux_options options;
  hdht_mux_options_init(&options, sizeof options);
  options.allocator = &counting;
  const hdht_mux_callbacks callbacks = {.struct_size = sizeof callbacks, .on_frame = public_frame};
  const hdht_mux_channel_callbacks channel_callbacks = {
      .struct_size = sizeof channel_callbacks, .on_message = public_message, .on_closed = public_closed};
  hdht_mux_channel_options channel_options;
  hdht_mux_channel_options_init(&channel_options, sizeof channel_options);
  channel_options.protocol = hd_bytes_of("bench", 5);
  channel_options.message_types = 28;
  for (int i = 0; i < 2; i++) {
    ends[i].answers = i == 1;
    require(hdht_mux_create(&options, &callbacks, &ends[i], &ends[i].mux) == HDHT_OK);
    require(hdht_mux_channel_open(ends[i].mux, &channel_options, &channel_callbacks, &ends[i], &ends[i].channel) ==
            HDHT_OK);
  }
  public_deliver(&ends[0], &ends[1]);
  public_deliver(&ends[1], &ends[0]);

  double ours_ns, bound_ns;
  char bound_text[64];
  bound.body_size = 16;
  const size_t allocations_before = allocations;
  hd_bench_compare_ns(public_round_trip, ends, join_twice, &bound, &ours_ns, &bound_ns);
  snprintf(bound_text, sizeof bound_text, "copying the bytes; %zu allocations", allocations - allocations_before);
  hd_bench_report("mux", "message and answer, 16 B, public API", ours_ns, bound_ns / ours_ns, bound_text);
  for (int i = 0; i < 2; i++) hdht_mux_close(ends[i].mux);
}
