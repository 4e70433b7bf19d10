/* Arbitrary bytes as a multiplexer frame: the reader never leaves them, and what it read can be written again, corked
 * into a batch or frame by frame, and reads the same. */
#include "fuzz_input.h"
#include "mux/mux_frame.h"
#include "mux/mux_output.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MESSAGES_LIMIT 512
#define JOINED_LIMIT   (1 << 15)

typedef struct frames {
  uint8_t bytes[JOINED_LIMIT];
  size_t size; /* of all frames */
  size_t ends[MESSAGES_LIMIT];
  size_t count;
} frames;

static int join(void *context, const hd_mux_frame *frame) {
  frames *joined = context;
  FUZZ_CHECK(joined->count < MESSAGES_LIMIT && joined->size + frame->size <= JOINED_LIMIT);
  uint8_t *to = joined->bytes + joined->size;
  memcpy(to, frame->head.data, frame->head.size);
  to += frame->head.size;
  for (size_t i = 0; i < frame->parts_count; i++) {
    if (frame->parts[i].size > 0) memcpy(to, frame->parts[i].data, frame->parts[i].size);
    to += frame->parts[i].size;
  }
  FUZZ_CHECK((size_t)(to - joined->bytes) == joined->size + frame->size);
  joined->size += frame->size;
  joined->ends[joined->count++] = joined->size;
  return HDHT_OK;
}

/* Reads all messages of a frame. Returns how many; stops at the first flaw, or at the first that ours never write. */
static size_t read_all(hd_bytes frame, hd_mux_message *messages, size_t messages_limit) {
  hd_mux_frame_reader reader;
  bool found = true;
  size_t count = 0;
  if (hd_mux_frame_begin(&reader, frame) != HDHT_OK) return 0;
  while (count < messages_limit) {
    if (hd_mux_frame_next(&reader, &messages[count], &found) != HDHT_OK || !found) break;
    const hd_mux_message *message = &messages[count];
    FUZZ_CHECK(message->body.data >= frame.data && message->body.data + message->body.size <= frame.data + frame.size);
    if (message->channel > UINT32_MAX || message->type > UINT32_MAX) break;
    count++;
  }
  return count;
}

static void check_same(const hd_mux_message *a, const hd_mux_message *b) {
  FUZZ_CHECK(a->channel == b->channel && a->type == b->type && hd_bytes_equal(a->body, b->body));
}

static void write_again(const hd_mux_message *messages, size_t count, bool is_corked, size_t batch_size_limit) {
  static frames joined;
  joined.size = joined.count = 0;
  hd_mux_output output;
  hd_mux_output_init(&output, hd_allocator_system(), (hd_mux_sink){.write = join, .context = &joined}, JOINED_LIMIT,
                     batch_size_limit);
  if (is_corked) hd_mux_output_cork(&output);
  for (size_t i = 0; i < count; i++) {
    const hd_bytes halves[2] = {{.data = messages[i].body.data, .size = messages[i].body.size / 2},
                                {.data = messages[i].body.data + messages[i].body.size / 2,
                                 .size = messages[i].body.size - messages[i].body.size / 2}};
    FUZZ_CHECK(hd_mux_output_write(&output, (uint32_t)messages[i].channel, (uint32_t)messages[i].type, halves, 2) ==
               HDHT_OK);
  }
  if (is_corked) FUZZ_CHECK(hd_mux_output_uncork(&output) == HDHT_OK);

  size_t read = 0, start = 0;
  static hd_mux_message again[MESSAGES_LIMIT];
  for (size_t i = 0; i < joined.count; i++) {
    const hd_bytes frame = hd_bytes_of(joined.bytes + start, joined.ends[i] - start);
    const size_t in_frame = read_all(frame, again, MESSAGES_LIMIT);
    FUZZ_CHECK(in_frame > 0 && read + in_frame <= count);
    if (in_frame > 1) FUZZ_CHECK(frame.size <= batch_size_limit);
    for (size_t k = 0; k < in_frame; k++) check_same(&messages[read++], &again[k]);
    start = joined.ends[i];
  }
  FUZZ_CHECK(read == count);
  hd_mux_output_destroy(&output);
}

static void read_open(hd_bytes body) {
  hd_mux_open_body open;
  if (hd_mux_read_open(body, &open) != HDHT_OK) return;
  FUZZ_CHECK(open.protocol.size + open.channel_id.size + open.handshake.size < body.size);
  FUZZ_CHECK(open.handshake.data + open.handshake.size == body.data + body.size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static hd_mux_message messages[MESSAGES_LIMIT];
  if (size < 1 || size > 4096) return 0;
  const hd_bytes frame = hd_bytes_of(data + 1, size - 1);
  const size_t count = read_all(frame, messages, MESSAGES_LIMIT);
  for (size_t i = 0; i < count; i++) read_open(messages[i].body);
  /* A batch of control messages of type 0 cannot be written by the mux: batches do not nest. */
  for (size_t i = 0; i < count; i++) {
    if (messages[i].channel == HD_MUX_CONTROL_CHANNEL && messages[i].type == HD_MUX_BATCH) return 0;
  }
  write_again(messages, count, false, JOINED_LIMIT);
  write_again(messages, count, true, JOINED_LIMIT);
  write_again(messages, count, true, 16 + data[0]);
  return 0;
}
