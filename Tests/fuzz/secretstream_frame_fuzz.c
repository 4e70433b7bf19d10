/* The incremental frame reader against a naive one that sees all bytes at once. The first byte seeds the cuts and the
 * allocation failures, the next three are the limits; the rest is the byte stream. */
#include <stdlib.h>
#include <string.h>

#include "base/byte_order.h"
#include "base/random.h"
#include "secretstream/secretstream_frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition) {
  if (!condition) abort();
}

typedef struct memory {
  hd_random random;
  bool fails_sometimes;
  size_t live_bytes;
} memory;

static void *allocate(void *context, size_t size) {
  memory *from = context;
  if (from->fails_sometimes && hd_random_below(&from->random, 3) == 0) return NULL;
  from->live_bytes += size;
  return malloc(size);
}

static void release(void *context, void *bytes, size_t size) {
  ((memory *)context)->live_bytes -= size;
  free(bytes);
}

/* One frame, as whoever holds all bytes sees it. */
static int read_naively(const uint8_t *bytes, size_t size, uint32_t size_min, uint32_t size_max, uint32_t *frame_size) {
  if (size < 3) return HDHT_ERR_WOULD_BLOCK;
  *frame_size = hd_load_le24(bytes);
  if (*frame_size < size_min) return HDHT_ERR_MALFORMED;
  if (*frame_size > size_max) return HDHT_ERR_TOO_LARGE;
  return size - 3 < *frame_size ? HDHT_ERR_WOULD_BLOCK : HDHT_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size < 4) return 0;
  memory from = {.random = hd_random_from_seed(data[0]), .fails_sometimes = (data[0] & 1) != 0};
  const hd_allocator allocator = {.allocate = allocate, .release = release, .context = &from};
  const uint32_t size_min = 1 + (data[1] & 31), size_max = size_min + hd_load_le16(data + 2);
  const size_t chunk_max = (data[0] & 2) != 0 ? 7 : 700;
  const uint8_t *next = data + 4; /* where the naive reader is */
  const uint8_t *end = data + size;

  hd_secretstream_frame_reader reader;
  hd_secretstream_frame_reader_init(&reader, &allocator);
  bool is_broken = false;
  for (const uint8_t *at = next; at < end && !is_broken;) {
    const size_t left = (size_t)(end - at), wanted = 1 + hd_random_below(&from.random, chunk_max);
    const size_t chunk_size = wanted < left ? wanted : left;
    uint8_t *chunk = malloc(chunk_size); /* alone, so that a sanitizer sees a step outside */
    memcpy(chunk, at, chunk_size);
    for (size_t offset = 0;;) {
      size_t consumed = 0;
      hd_secretstream_frame frame;
      const int error = hd_secretstream_frame_read(&reader, size_min, size_max, chunk + offset, chunk_size - offset,
                                                   &consumed, &frame);
      offset += consumed;
      require(offset <= chunk_size);
      require(from.live_bytes <=
              2 * (size_t)(size_max > HD_SECRETSTREAM_FRAME_IDLE_LIMIT ? size_max : HD_SECRETSTREAM_FRAME_IDLE_LIMIT));
      if (error == HDHT_ERR_OUT_OF_MEMORY) continue;
      uint32_t frame_size = 0;
      const size_t seen = (size_t)(at + offset - next);
      const int expected = read_naively(next, seen, size_min, size_max, &frame_size);
      if (error != HDHT_OK || frame.bytes == NULL) {
        require(error == (expected == HDHT_ERR_WOULD_BLOCK ? HDHT_OK : expected));
        is_broken = error != HDHT_OK;
        require(is_broken || offset == chunk_size);
        require(is_broken || hd_secretstream_frame_is_partial(&reader) == (seen > 0));
        break;
      }
      require(expected == HDHT_OK && frame.size == frame_size && seen == 3 + (size_t)frame_size);
      require(memcmp(frame.bytes, next + 3, frame_size) == 0);
      memset(frame.bytes, 0xdd, frame.size); /* lent bytes may be overwritten */
      next += seen;
    }
    at += chunk_size;
    free(chunk);
  }
  hd_secretstream_frame_reader_clear(&reader);
  require(from.live_bytes == 0);
  return 0;
}
