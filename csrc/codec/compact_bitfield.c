#include "codec/compact_bitfield.h"

/* A byte up to 0xfc is the flags themselves; fd, fe and ff announce 2, 4 and 8 bytes: exactly a `uint`. */
int hd_codec_read_bitfield(hd_reader *reader, uint64_t *bits) {
  return hd_codec_read_uint(reader, bits);
}

int hd_codec_write_bitfield(hd_writer *writer, unsigned bits_count, uint64_t bits) {
  hd_assert(bits_count >= 1 && bits_count <= 64);
  hd_assert_implies(bits_count < 64, bits >> bits_count == 0);
  if (bits_count < 8) return hd_codec_write_uint8(writer, (uint8_t)bits);

  const size_t width = bits_count <= 16 ? 2 : bits_count <= 32 ? 4 : 8;
  const uint8_t prefix = width == 2 ? 0xfd : width == 4 ? 0xfe : 0xff;
  if (hd_writer_remaining(writer) < 1 + width) return HDHT_ERR_BUFFER_TOO_SMALL;
  (void)hd_codec_write_uint8(writer, prefix);
  return hd_codec_write_fixed_uint(writer, width, bits);
}
