#include "codec/compact_bytes.h"

int hd_codec_write_buffer(hd_writer *writer, hd_bytes bytes) {
  if (hd_writer_remaining(writer) < hd_codec_buffer_size(bytes)) return HDHT_ERR_BUFFER_TOO_SMALL;
  (void)hd_codec_write_uint(writer, bytes.size);
  return hd_writer_put(writer, bytes.data, bytes.size);
}

int hd_codec_read_float32(hd_reader *reader, float *value) {
  uint32_t bits;
  const int error = hd_codec_read_uint32(reader, &bits);
  if (error == HDHT_OK) memcpy(value, &bits, sizeof *value);
  return error;
}

int hd_codec_write_float32(hd_writer *writer, float value) {
  uint32_t bits;
  memcpy(&bits, &value, sizeof bits);
  return hd_codec_write_uint32(writer, bits);
}

int hd_codec_read_float64(hd_reader *reader, double *value) {
  uint64_t bits;
  const int error = hd_codec_read_fixed_uint(reader, 8, &bits);
  if (error == HDHT_OK) memcpy(value, &bits, sizeof *value);
  return error;
}

int hd_codec_write_float64(hd_writer *writer, double value) {
  uint64_t bits;
  memcpy(&bits, &value, sizeof bits);
  return hd_codec_write_fixed_uint(writer, 8, bits);
}

int hd_codec_read_array_count(hd_reader *reader, size_t element_size_min, size_t *count) {
  hd_assert(element_size_min >= 1);
  hd_reader attempt = *reader;
  uint64_t announced;
  const int error = hd_codec_read_uint(&attempt, &announced);
  if (error != HDHT_OK) return error;
  if (announced > HD_CODEC_ARRAY_LIMIT) return HDHT_ERR_TOO_LARGE;
  if (announced > hd_reader_remaining(&attempt) / element_size_min) return HDHT_ERR_TRUNCATED;
  *count = (size_t)announced;
  *reader = attempt;
  return HDHT_OK;
}

int hd_codec_write_array_count(hd_writer *writer, size_t count) {
  if (count > HD_CODEC_ARRAY_LIMIT) return HDHT_ERR_TOO_LARGE;
  return hd_codec_write_uint(writer, count);
}
