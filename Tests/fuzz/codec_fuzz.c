/* Every reader over arbitrary bytes: none reads past the end, a failed one does not move, and what was read writes back
 * to a value that reads the same. */
#include <stdlib.h>

#include "codec/compact_address.h"
#include "codec/compact_bitfield.h"
#include "codec/compact_bytes.h"

#define MUST(condition)        \
  do {                         \
    if (!(condition)) abort(); \
  } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fuzz_uint(hd_reader *reader) {
  uint64_t value, again;
  if (hd_codec_read_uint(reader, &value) != HDHT_OK) return;
  uint8_t bytes[HD_CODEC_UINT_MAX_SIZE];
  hd_writer writer = hd_writer_of(bytes, sizeof bytes);
  MUST(hd_codec_write_uint(&writer, value) == HDHT_OK);
  MUST((size_t)(writer.next - bytes) == hd_codec_uint_size(value));
  hd_reader back = hd_reader_of(hd_bytes_of(bytes, (size_t)(writer.next - bytes)));
  MUST(hd_codec_read_uint(&back, &again) == HDHT_OK && again == value);
}

static void fuzz_address(hd_reader *reader, int (*read)(hd_reader *, hd_address *),
                         int (*write)(hd_writer *, const hd_address *)) {
  hd_address address, again;
  if (read(reader, &address) != HDHT_OK) return;
  uint8_t bytes[19];
  hd_writer writer = hd_writer_of(bytes, sizeof bytes);
  MUST(write(&writer, &address) == HDHT_OK);
  hd_reader back = hd_reader_of(hd_bytes_of(bytes, (size_t)(writer.next - bytes)));
  MUST(read(&back, &again) == HDHT_OK && hd_address_equal(&address, &again));
}

static void fuzz_buffer(hd_reader *reader) {
  hd_bytes bytes;
  if (hd_codec_read_buffer(reader, &bytes) != HDHT_OK) return;
  MUST(bytes.size == 0 || bytes.data + bytes.size == reader->next);
}

static void fuzz_array(hd_reader *reader) {
  size_t count;
  if (hd_codec_read_array_count(reader, 6, &count) == HDHT_OK) MUST(count <= hd_reader_remaining(reader) / 6);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  hd_reader reader = hd_reader_of(hd_bytes_of(data, size));
  uint8_t choice;
  while (hd_codec_read_uint8(&reader, &choice) == HDHT_OK) {
    const uint8_t *before = reader.next;
    uint64_t bits;
    switch (choice % 8) {
      case 0: fuzz_uint(&reader); break;
      case 1: fuzz_buffer(&reader); break;
      case 2: fuzz_array(&reader); break;
      case 3: fuzz_address(&reader, hd_codec_read_ipv4_address, hd_codec_write_ipv4_address); break;
      case 4: fuzz_address(&reader, hd_codec_read_ipv6_address, hd_codec_write_ipv6_address); break;
      case 5: fuzz_address(&reader, hd_codec_read_ip_address, hd_codec_write_ip_address); break;
      case 6: fuzz_address(&reader, hd_codec_read_ip, hd_codec_write_ip); break;
      default: (void)hd_codec_read_bitfield(&reader, &bits);
    }
    MUST(reader.next >= before && reader.next <= reader.end);
  }
  return 0;
}
