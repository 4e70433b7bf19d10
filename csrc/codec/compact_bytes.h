/* Byte strings, booleans, floats and array headers of compact-encoding.
 *
 * Readers lend: what they return points into the bytes under the reader. On error neither the cursor nor the
 * out-parameter changes. A byte string of length 0 and an absent one are the same byte on the wire, 00. */
#ifndef HD_COMPACT_BYTES_H
#define HD_COMPACT_BYTES_H

#include "codec/compact_uint.h"

/* The most elements an array may announce, as in the reference. */
#define HD_CODEC_ARRAY_LIMIT ((uint64_t)0x100000)

/* `buffer`: a uint length, then the bytes. Errors: HDHT_ERR_TRUNCATED, also when the length exceeds what remains. */
static inline int hd_codec_read_buffer(hd_reader *reader, hd_bytes *bytes) {
  hd_reader attempt = *reader;
  uint64_t size;
  const int error = hd_codec_read_uint(&attempt, &size);
  if (error != HDHT_OK) return error;
  if (size > hd_reader_remaining(&attempt)) return HDHT_ERR_TRUNCATED;
  *bytes = (hd_bytes){.data = attempt.next, .size = (size_t)size};
  reader->next = attempt.next + size;
  return HDHT_OK;
}

/* Errors: HDHT_ERR_BUFFER_TOO_SMALL. */
int hd_codec_write_buffer(hd_writer *writer, hd_bytes bytes);

static inline size_t hd_codec_buffer_size(hd_bytes bytes) {
  return hd_codec_uint_size(bytes.size) + bytes.size;
}

/* `bool`: only 01 is true; every other byte is false, as the reference reads it. */
static inline int hd_codec_read_bool(hd_reader *reader, bool *value) {
  uint8_t byte;
  const int error = hd_codec_read_uint8(reader, &byte);
  if (error == HDHT_OK) *value = byte == 1;
  return error;
}

static inline int hd_codec_write_bool(hd_writer *writer, bool value) {
  return hd_codec_write_uint8(writer, value);
}

/* `fixed(n)`: bytes of a known length, copied. */
static inline int hd_codec_read_fixed(hd_reader *reader, void *to, size_t size) {
  const uint8_t *bytes;
  const int error = hd_reader_take(reader, size, &bytes);
  if (error == HDHT_OK) memcpy(to, bytes, size);
  return error;
}

/* `float32` and `float64`: IEEE 754, little-endian. */
int hd_codec_read_float32(hd_reader *reader, float *value);
int hd_codec_write_float32(hd_writer *writer, float value);
int hd_codec_read_float64(hd_reader *reader, double *value);
int hd_codec_write_float64(hd_writer *writer, double value);

/* The element count in front of an array.
 *
 * element_size_min  the fewest bytes one element takes, at least 1: a count that cannot fit in what remains is refused
 *                   before anybody acts on it
 *
 * Errors: HDHT_ERR_TOO_LARGE above HD_CODEC_ARRAY_LIMIT; HDHT_ERR_TRUNCATED. */
int hd_codec_read_array_count(hd_reader *reader, size_t element_size_min, size_t *count);

/* Errors: HDHT_ERR_TOO_LARGE above HD_CODEC_ARRAY_LIMIT; HDHT_ERR_BUFFER_TOO_SMALL. */
int hd_codec_write_array_count(hd_writer *writer, size_t count);

#endif
