/* Cursors over bytes that the caller owns. Nothing here allocates.
 *
 * A reader or writer that returned an error has not moved, so the caller may try something else at the same place. Both
 * keep one invariant: next <= end. */
#ifndef HD_BYTES_H
#define HD_BYTES_H

#include <hdht/error.h>
#include <hdht/types.h>
#include <stdbool.h>
#include <string.h>

#include "base/assertion.h"

typedef hdht_bytes hd_bytes;

static inline hd_bytes hd_bytes_of(const void *data, size_t size) {
  return (hd_bytes){.data = (const uint8_t *)data, .size = size};
}

static inline bool hd_bytes_equal(hd_bytes a, hd_bytes b) {
  return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

typedef struct hd_reader {
  const uint8_t *next;
  const uint8_t *end;
} hd_reader;

static inline hd_reader hd_reader_of(hd_bytes bytes) {
  return (hd_reader){.next = bytes.data, .end = bytes.size == 0 ? bytes.data : bytes.data + bytes.size};
}

static inline size_t hd_reader_remaining(const hd_reader *reader) {
  hd_assert(reader->next <= reader->end);
  return (size_t)(reader->end - reader->next);
}

/* Lends the next `size` bytes; they live as long as the bytes under the reader.
 * Errors: HDHT_ERR_TRUNCATED. */
static inline int hd_reader_take(hd_reader *reader, size_t size, const uint8_t **bytes) {
  if (hd_reader_remaining(reader) < size) return HDHT_ERR_TRUNCATED;
  *bytes = reader->next;
  if (size > 0) reader->next += size;
  return HDHT_OK;
}

/* Lends all that remains. */
static inline hd_bytes hd_reader_take_rest(hd_reader *reader) {
  const hd_bytes rest = {.data = reader->next, .size = hd_reader_remaining(reader)};
  reader->next = reader->end;
  return rest;
}

typedef struct hd_writer {
  uint8_t *next;
  uint8_t *end;
} hd_writer;

static inline hd_writer hd_writer_of(uint8_t *buffer, size_t capacity) {
  return (hd_writer){.next = buffer, .end = capacity == 0 ? buffer : buffer + capacity};
}

static inline size_t hd_writer_remaining(const hd_writer *writer) {
  hd_assert(writer->next <= writer->end);
  return (size_t)(writer->end - writer->next);
}

/* Reserves the next `size` bytes for the caller to fill.
 * Errors: HDHT_ERR_BUFFER_TOO_SMALL. */
static inline int hd_writer_reserve(hd_writer *writer, size_t size, uint8_t **bytes) {
  if (hd_writer_remaining(writer) < size) return HDHT_ERR_BUFFER_TOO_SMALL;
  *bytes = writer->next;
  if (size > 0) writer->next += size;
  return HDHT_OK;
}

/* Copies `size` bytes.
 * Errors: HDHT_ERR_BUFFER_TOO_SMALL. */
static inline int hd_writer_put(hd_writer *writer, const void *bytes, size_t size) {
  uint8_t *to;
  const int error = hd_writer_reserve(writer, size, &to);
  if (error != HDHT_OK) return error;
  if (size > 0) memcpy(to, bytes, size);
  return HDHT_OK;
}

#endif
