#include "udx/udx_packet.h"

static hd_bytes sack_span(hd_bytes rest, size_t offset);

int hd_udx_packet_parse(hd_bytes datagram, hd_udx_packet *packet) {
  if (!hd_udx_packet_is_udx(datagram)) return HDHT_ERR_UNKNOWN_TYPE;
  const hd_udx_header header = hd_udx_packet_read_header(datagram.data);
  const hd_bytes rest = {.data = datagram.data + HD_UDX_PACKET_HEADER_SIZE,
                         .size = datagram.size - HD_UDX_PACKET_HEADER_SIZE};
  if (header.data_offset > rest.size) return HDHT_ERR_MALFORMED;

  const bool has_sack = (header.flags & HD_UDX_FLAG_SACK) != 0;
  *packet =
      (hd_udx_packet){.header = header,
                      .sack = has_sack ? sack_span(rest, header.data_offset) : (hd_bytes){0},
                      .payload = {.data = rest.data + header.data_offset, .size = rest.size - header.data_offset}};
  return HDHT_OK;
}

/* An offset of exactly the rest gives the same blocks by either rule. */
static hd_bytes sack_span(hd_bytes rest, size_t offset) {
  const size_t available = offset > 0 ? offset : rest.size;
  return (hd_bytes){.data = rest.data, .size = available - available % HD_UDX_SACK_BLOCK_SIZE};
}
