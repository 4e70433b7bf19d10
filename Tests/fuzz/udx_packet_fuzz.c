/* Any datagram: parsing stays inside it, and a header that was read is written back as it was. */
#include "fuzz_input.h"
#include "udx/udx_packet.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  hd_udx_packet packet;
  const hd_bytes datagram = hd_bytes_of(data, size);
  const int error = hd_udx_packet_parse(datagram, &packet);
  FUZZ_CHECK((error == HDHT_ERR_UNKNOWN_TYPE) == !hd_udx_packet_is_udx(datagram));
  if (error != HDHT_OK) {
    FUZZ_CHECK(error == HDHT_ERR_UNKNOWN_TYPE || data[3] > size - HD_UDX_PACKET_HEADER_SIZE);
    return 0;
  }

  uint8_t header[HD_UDX_PACKET_HEADER_SIZE];
  hd_udx_packet_write_header(header, &packet.header);
  FUZZ_CHECK(memcmp(header, data, sizeof header) == 0);
  FUZZ_CHECK(packet.payload.size + packet.header.data_offset + HD_UDX_PACKET_HEADER_SIZE == size);
  FUZZ_CHECK(packet.payload.data + packet.payload.size == data + size);
  FUZZ_CHECK(packet.sack.size % HD_UDX_SACK_BLOCK_SIZE == 0);
  FUZZ_CHECK(packet.sack.size == 0 || packet.sack.data + packet.sack.size <= data + size);
  uint64_t sum = 0;
  for (size_t i = 0; i < packet.sack.size / HD_UDX_SACK_BLOCK_SIZE; i++) {
    sum += hd_udx_packet_sack_block(packet.sack, i).start; /* under a sanitizer: reads only what is there */
  }
  FUZZ_CHECK(sum <= UINT64_MAX / 2);
  return 0;
}
