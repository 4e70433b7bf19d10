#include "secretstream/secretstream_frame.h"

#include "base/byte_order.h"

#define BUFFER_SIZE_MIN 512

void hd_secretstream_frame_reader_init(hd_secretstream_frame_reader *reader, const hd_allocator *allocator) {
  *reader = (hd_secretstream_frame_reader){.allocator = allocator};
}

static void release_buffer(hd_secretstream_frame_reader *reader) {
  hd_release(reader->allocator, reader->buffer, reader->buffer_capacity);
  reader->buffer = NULL;
  reader->buffer_capacity = 0;
}

void hd_secretstream_frame_reader_clear(hd_secretstream_frame_reader *reader) {
  release_buffer(reader);
  hd_secretstream_frame_reader_init(reader, reader->allocator);
}

bool hd_secretstream_frame_is_partial(const hd_secretstream_frame_reader *reader) {
  return reader->prefix_received > 0;
}

static uint32_t larger(uint32_t a, uint32_t b) {
  return a > b ? a : b;
}

static uint32_t smaller(uint32_t a, uint32_t b) {
  return a < b ? a : b;
}

/* Room for the first `needed` bytes of the frame in progress. */
static int ensure_capacity(hd_secretstream_frame_reader *reader, uint32_t needed) {
  if (needed <= reader->buffer_capacity) return HDHT_OK;
  const uint32_t claimed = larger(needed, smaller(reader->frame_size, HD_SECRETSTREAM_FRAME_CLAIM_LIMIT));
  const uint32_t grown = larger(claimed, larger(2 * reader->buffer_capacity, BUFFER_SIZE_MIN));
  const uint32_t capacity = smaller(grown, larger(reader->frame_size, HD_SECRETSTREAM_FRAME_IDLE_LIMIT));
  uint8_t *buffer = hd_allocate(reader->allocator, capacity);
  if (buffer == NULL) return HDHT_ERR_OUT_OF_MEMORY;
  if (reader->frame_received > 0) memcpy(buffer, reader->buffer, reader->frame_received);
  release_buffer(reader);
  reader->buffer = buffer;
  reader->buffer_capacity = capacity;
  return HDHT_OK;
}

/* Moves past prefix bytes; true once all three are there. */
static bool read_prefix(hd_secretstream_frame_reader *reader, const uint8_t *bytes, size_t size, size_t *used) {
  while (reader->prefix_received < HD_SECRETSTREAM_FRAME_PREFIX_SIZE) {
    if (*used == size) return false;
    reader->prefix[reader->prefix_received++] = bytes[(*used)++];
  }
  return true;
}

static void finish_frame(hd_secretstream_frame_reader *reader, uint8_t *bytes, hd_secretstream_frame *frame) {
  *frame = (hd_secretstream_frame){.bytes = bytes, .size = reader->frame_size};
  reader->prefix_received = 0;
  reader->frame_received = 0; /* what was gathered is lent until the next call and not needed after */
}

static int gather(hd_secretstream_frame_reader *reader, const uint8_t *bytes, size_t size, size_t *used,
                  hd_secretstream_frame *frame) {
  const uint32_t missing = reader->frame_size - reader->frame_received;
  const uint32_t taken = size - *used < missing ? (uint32_t)(size - *used) : missing;
  if (taken == 0) return HDHT_OK;
  const int error = ensure_capacity(reader, reader->frame_received + taken);
  if (error != HDHT_OK) return error;
  memcpy(reader->buffer + reader->frame_received, bytes + *used, taken);
  reader->frame_received += taken;
  *used += taken;
  if (taken == missing) finish_frame(reader, reader->buffer, frame);
  return HDHT_OK;
}

int hd_secretstream_frame_read(hd_secretstream_frame_reader *reader, uint32_t size_min, uint32_t size_max,
                               uint8_t *bytes, size_t size, size_t *consumed, hd_secretstream_frame *frame) {
  hd_assert(size_min > 0);
  hd_assert(size_max <= HD_SECRETSTREAM_FRAME_SIZE_MAX);
  *frame = (hd_secretstream_frame){.bytes = NULL};
  *consumed = 0;
  if (!read_prefix(reader, bytes, size, consumed)) {
    const bool is_idle = !hd_secretstream_frame_is_partial(reader);
    if (is_idle && reader->buffer_capacity > HD_SECRETSTREAM_FRAME_IDLE_LIMIT) release_buffer(reader);
    return HDHT_OK;
  }
  if (reader->frame_received == 0) {
    reader->frame_size = hd_load_le24(reader->prefix);
    if (reader->frame_size < size_min) return HDHT_ERR_MALFORMED;
    if (reader->frame_size > size_max) return HDHT_ERR_TOO_LARGE;
    if (size - *consumed >= reader->frame_size) { /* whole in this chunk */
      finish_frame(reader, bytes + *consumed, frame);
      *consumed += reader->frame_size;
      return HDHT_OK;
    }
  }
  return gather(reader, bytes, size, consumed, frame);
}
