#include "codec/compact_uint.h"

#include "base/byte_order.h"

int hd_codec_read_uint_of_32_bits(hd_reader *reader, uint32_t *value) {
  hd_reader attempt = *reader;
  uint64_t wide;
  const int error = hd_codec_read_uint(&attempt, &wide);
  if (error != HDHT_OK) return error;
  if (wide > UINT32_MAX) return HDHT_ERR_TOO_LARGE;
  *value = (uint32_t)wide;
  *reader = attempt;
  return HDHT_OK;
}

int hd_codec_write_uint(hd_writer *writer, uint64_t value) {
  const size_t size = hd_codec_uint_size(value);
  uint8_t *bytes;
  const int error = hd_writer_reserve(writer, size, &bytes);
  if (error != HDHT_OK) return error;
  switch (size) {
    case 1: bytes[0] = (uint8_t)value; break;
    case 3:
      bytes[0] = 0xfd;
      hd_store_le16(bytes + 1, (uint16_t)value);
      break;
    case 5:
      bytes[0] = 0xfe;
      hd_store_le32(bytes + 1, (uint32_t)value);
      break;
    default: bytes[0] = 0xff; hd_store_le64(bytes + 1, value);
  }
  return HDHT_OK;
}

int hd_codec_read_fixed_uint(hd_reader *reader, size_t width, uint64_t *value) {
  hd_assert(width >= 1 && width <= 8);
  const uint8_t *bytes;
  const int error = hd_reader_take(reader, width, &bytes);
  if (error != HDHT_OK) return error;
  uint8_t wide[8] = {0};
  memcpy(wide, bytes, width);
  *value = hd_load_le64(wide);
  return HDHT_OK;
}

int hd_codec_write_fixed_uint(hd_writer *writer, size_t width, uint64_t value) {
  hd_assert(width >= 1 && width <= 8);
  uint8_t wide[8];
  hd_store_le64(wide, value);
  return hd_writer_put(writer, wide, width);
}

int hd_codec_read_int(hd_reader *reader, int64_t *value) {
  uint64_t zigzag;
  const int error = hd_codec_read_uint(reader, &zigzag);
  if (error == HDHT_OK) *value = hd_codec_unzigzag(zigzag);
  return error;
}

int hd_codec_write_int(hd_writer *writer, int64_t value) {
  return hd_codec_write_uint(writer, hd_codec_zigzag(value));
}
