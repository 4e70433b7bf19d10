/* Integers of compact-encoding: the variable-length `uint`, the fixed widths, and the zig-zag `int` family.
 *
 * All functions move the cursor past the value, or return an error and leave the cursor and the out-parameter alone.
 * Readers: HDHT_ERR_TRUNCATED. Writers: HDHT_ERR_BUFFER_TOO_SMALL. */
#ifndef HD_COMPACT_UINT_H
#define HD_COMPACT_UINT_H

#include "base/byte_order.h"
#include "base/bytes.h"

#define HD_CODEC_UINT_MAX_SIZE 9

/* The largest integer a JavaScript peer represents exactly, 2^53 - 1. */
#define HD_CODEC_SAFE_INTEGER_MAX ((uint64_t)0x1fffffffffffff)

/* How many bytes the shortest form of `value` takes: 1, 3, 5 or 9. */
static inline size_t hd_codec_uint_size(uint64_t value) {
  return value <= 0xfc ? 1 : value <= 0xffff ? 3 : value <= 0xffffffff ? 5 : 9;
}

/* One byte up to 252; 0xfd, 0xfe and 0xff announce 2, 4 and 8 little-endian bytes. Non-minimal forms are accepted, as
 * the reference does, and so is every 64-bit value: whoever uses it as a length or id checks its range. */
static inline int hd_codec_read_uint(hd_reader *reader, uint64_t *value) {
  const size_t available = hd_reader_remaining(reader);
  if (available == 0) return HDHT_ERR_TRUNCATED;
  const uint8_t *bytes = reader->next;
  const uint8_t first = bytes[0];
  const size_t width = first <= 0xfc ? 0 : (size_t)2 << (first - 0xfd); /* 0, 2, 4 or 8 bytes follow */
  if (available < 1 + width) return HDHT_ERR_TRUNCATED;
  *value = width == 0   ? first
           : width == 2 ? hd_load_le16(bytes + 1)
           : width == 4 ? hd_load_le32(bytes + 1)
                        : hd_load_le64(bytes + 1);
  reader->next += 1 + width;
  return HDHT_OK;
}

/* A `uint` that must fit 32 bits.
 * Errors: HDHT_ERR_TRUNCATED; HDHT_ERR_TOO_LARGE. */
int hd_codec_read_uint_of_32_bits(hd_reader *reader, uint32_t *value);

/* Writes the shortest form. */
int hd_codec_write_uint(hd_writer *writer, uint64_t value);

/* Little-endian, `width` bytes, 1 to 8. */
int hd_codec_read_fixed_uint(hd_reader *reader, size_t width, uint64_t *value);

/* Bits of `value` above the width are dropped, as the reference does. */
int hd_codec_write_fixed_uint(hd_writer *writer, size_t width, uint64_t value);

static inline int hd_codec_read_uint8(hd_reader *reader, uint8_t *value) {
  if (reader->next == reader->end) return HDHT_ERR_TRUNCATED;
  *value = *reader->next++;
  return HDHT_OK;
}

static inline int hd_codec_read_uint16(hd_reader *reader, uint16_t *value) {
  const uint8_t *bytes;
  const int error = hd_reader_take(reader, 2, &bytes);
  if (error == HDHT_OK) *value = hd_load_le16(bytes);
  return error;
}

static inline int hd_codec_read_uint32(hd_reader *reader, uint32_t *value) {
  const uint8_t *bytes;
  const int error = hd_reader_take(reader, 4, &bytes);
  if (error == HDHT_OK) *value = hd_load_le32(bytes);
  return error;
}

static inline int hd_codec_write_uint8(hd_writer *writer, uint8_t value) {
  return hd_writer_put(writer, &value, 1);
}

static inline int hd_codec_write_uint16(hd_writer *writer, uint16_t value) {
  uint8_t *bytes;
  const int error = hd_writer_reserve(writer, 2, &bytes);
  if (error == HDHT_OK) hd_store_le16(bytes, value);
  return error;
}

static inline int hd_codec_write_uint32(hd_writer *writer, uint32_t value) {
  uint8_t *bytes;
  const int error = hd_writer_reserve(writer, 4, &bytes);
  if (error == HDHT_OK) hd_store_le32(bytes, value);
  return error;
}

/* Zig-zag: 0, -1, 1, -2, … become 0, 1, 2, 3, …, so that small negative numbers stay short. */
static inline uint64_t hd_codec_zigzag(int64_t value) {
  return (uint64_t)value << 1 ^ (uint64_t)(value >> 63);
}

static inline int64_t hd_codec_unzigzag(uint64_t value) {
  return (int64_t)(value >> 1) ^ -(int64_t)(value & 1);
}

/* The zig-zag `int`, in a `uint`. */
int hd_codec_read_int(hd_reader *reader, int64_t *value);
int hd_codec_write_int(hd_writer *writer, int64_t value);

#endif
