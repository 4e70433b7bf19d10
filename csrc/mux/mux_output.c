#include "mux/mux_output.h"

/* A batch buffer larger than this is given back when the batch has gone. */
#define BATCH_CAPACITY_KEPT  ((size_t)128 * 1024)
#define BATCH_CAPACITY_FIRST ((size_t)1024)

/* 00 00 and a channel, at most. */
#define BATCH_START_SIZE (2 + HD_CODEC_UINT_MAX_SIZE)

static int write_frame(hd_mux_output *output, const hd_mux_frame *frame);
static int write_single(hd_mux_output *output, uint32_t channel, uint32_t type, const hd_bytes *parts,
                        size_t parts_count, size_t frame_size);
static int collect(hd_mux_output *output, uint32_t channel, uint32_t type, const hd_bytes *parts, size_t parts_count,
                   size_t frame_size);
static int write_behind(hd_mux_output *output, uint32_t channel, uint32_t type, const hd_bytes *parts,
                        size_t parts_count, size_t frame_size);
static bool reserve(hd_mux_output *output, size_t size);
static void append(hd_mux_output *output, uint32_t channel, uint32_t type, const hd_bytes *parts, size_t parts_count,
                   size_t item_size);
static int flush(hd_mux_output *output);
static void release_batch(hd_mux_output *output);

void hd_mux_output_init(hd_mux_output *output, const hd_allocator *allocator, hd_mux_sink sink, size_t frame_size_limit,
                        size_t batch_size_limit) {
  *output = (hd_mux_output){
      .allocator = allocator,
      .sink = sink,
      .frame_size_limit = frame_size_limit,
      .batch_size_limit = batch_size_limit < frame_size_limit ? batch_size_limit : frame_size_limit,
      .is_drained = true,
  };
}

void hd_mux_output_destroy(hd_mux_output *output) {
  release_batch(output);
}

size_t hd_mux_output_frame_size(uint32_t channel, uint32_t type, const hd_bytes *parts, size_t parts_count) {
  size_t size = hd_mux_header_size(channel, type);
  for (size_t i = 0; i < parts_count; i++) {
    if (__builtin_add_overflow(size, parts[i].size, &size)) return SIZE_MAX;
  }
  return size;
}

int hd_mux_output_write(hd_mux_output *output, uint32_t channel, uint32_t type, const hd_bytes *parts,
                        size_t parts_count) {
  const size_t frame_size = hd_mux_output_frame_size(channel, type, parts, parts_count);
  if (frame_size > output->frame_size_limit) return HDHT_ERR_TOO_LARGE;
  if (output->error != HDHT_OK) return output->error;
  return output->corks_count == 0 ? write_single(output, channel, type, parts, parts_count, frame_size)
                                  : collect(output, channel, type, parts, parts_count, frame_size);
}

int hd_mux_output_write_apart(hd_mux_output *output, uint32_t channel, uint32_t type, const hd_bytes *parts,
                              size_t parts_count) {
  const size_t frame_size = hd_mux_output_frame_size(channel, type, parts, parts_count);
  if (frame_size > output->frame_size_limit) return HDHT_ERR_TOO_LARGE;
  if (output->error != HDHT_OK) return output->error;
  return write_behind(output, channel, type, parts, parts_count, frame_size);
}

void hd_mux_output_cork(hd_mux_output *output) {
  hd_assert(output->corks_count < UINT32_MAX);
  output->corks_count++;
}

int hd_mux_output_uncork(hd_mux_output *output) {
  hd_assert(output->corks_count > 0);
  if (--output->corks_count > 0) return HDHT_OK;
  const int error = flush(output);
  if (output->batch_capacity > BATCH_CAPACITY_KEPT) release_batch(output);
  return error;
}

void hd_mux_output_break(hd_mux_output *output, int error) {
  hd_assert(error < 0);
  if (output->error == HDHT_OK) output->error = error;
  release_batch(output);
}

static int write_frame(hd_mux_output *output, const hd_mux_frame *frame) {
  hd_assert(frame->size > 0);
  const int result = output->sink.write(output->sink.context, frame);
  if (result != HDHT_OK && result != HDHT_ERR_WOULD_BLOCK) {
    output->error = result;
    return result;
  }
  output->is_drained = result == HDHT_OK;
  return HDHT_OK;
}

static int write_single(hd_mux_output *output, uint32_t channel, uint32_t type, const hd_bytes *parts,
                        size_t parts_count, size_t frame_size) {
  uint8_t header[HD_MUX_HEADER_SIZE_LIMIT];
  const size_t header_size = hd_mux_write_header(header, channel, type);
  const hd_mux_frame frame = {
      .size = frame_size,
      .head = hd_bytes_of(header, header_size),
      .parts = parts,
      .parts_count = parts_count,
  };
  return write_frame(output, &frame);
}

static int collect(hd_mux_output *output, uint32_t channel, uint32_t type, const hd_bytes *parts, size_t parts_count,
                   size_t frame_size) {
  const size_t item_size = frame_size - hd_codec_uint_size(channel); /* an item does not name its channel */
  const size_t room = 1 + hd_codec_uint_size(channel) + hd_codec_uint_size(item_size) + item_size;

  if (output->batch_size > 0 && output->batch_size + room > output->batch_size_limit) {
    const int error = flush(output);
    if (error != HDHT_OK) return error;
  }
  if (BATCH_START_SIZE + room > output->batch_size_limit || !reserve(output, room)) {
    return write_behind(output, channel, type, parts, parts_count, frame_size);
  }
  append(output, channel, type, parts, parts_count, item_size);
  return HDHT_OK;
}

/* A frame of its own, after what was collected so far. */
static int write_behind(hd_mux_output *output, uint32_t channel, uint32_t type, const hd_bytes *parts,
                        size_t parts_count, size_t frame_size) {
  const int error = flush(output);
  return error != HDHT_OK ? error : write_single(output, channel, type, parts, parts_count, frame_size);
}

/* Makes room for `size` bytes more, in an empty batch also for its start. */
static bool reserve(hd_mux_output *output, size_t size) {
  const size_t needed = (output->batch_size > 0 ? output->batch_size : BATCH_START_SIZE) + size;
  if (needed <= output->batch_capacity) return true;

  size_t capacity = output->batch_capacity > 0 ? output->batch_capacity : BATCH_CAPACITY_FIRST;
  while (capacity < needed) capacity *= 2;
  uint8_t *batch = hd_allocate(output->allocator, capacity);
  if (batch == NULL) return false;
  if (output->batch_size > 0) memcpy(batch, output->batch, output->batch_size);
  hd_release(output->allocator, output->batch, output->batch_capacity);
  output->batch = batch;
  output->batch_capacity = capacity;
  return true;
}

static void append(hd_mux_output *output, uint32_t channel, uint32_t type, const hd_bytes *parts, size_t parts_count,
                   size_t item_size) {
  hd_writer writer = hd_writer_of(output->batch + output->batch_size, output->batch_capacity - output->batch_size);
  int error = HDHT_OK;
  if (output->batch_size == 0) {
    static const uint8_t start[2] = {HD_MUX_CONTROL_CHANNEL, HD_MUX_BATCH};
    error |= hd_writer_put(&writer, start, sizeof start);
    error |= hd_codec_write_uint(&writer, channel);
  } else if (output->batch_channel != channel) {
    error |= hd_codec_write_uint8(&writer, 0);
    error |= hd_codec_write_uint(&writer, channel);
  }
  error |= hd_codec_write_uint(&writer, item_size);
  error |= hd_codec_write_uint(&writer, type);
  for (size_t i = 0; i < parts_count; i++) error |= hd_writer_put(&writer, parts[i].data, parts[i].size);
  hd_assert(error == HDHT_OK); /* reserve made the room */

  output->batch_size = (size_t)(writer.next - output->batch);
  output->batch_channel = channel;
}

static int flush(hd_mux_output *output) {
  if (output->batch_size == 0) return HDHT_OK;
  const hd_mux_frame frame = {.size = output->batch_size, .head = hd_bytes_of(output->batch, output->batch_size)};
  output->batch_size = 0;
  return write_frame(output, &frame);
}

static void release_batch(hd_mux_output *output) {
  hd_release(output->allocator, output->batch, output->batch_capacity);
  output->batch = NULL;
  output->batch_size = output->batch_capacity = 0;
}
