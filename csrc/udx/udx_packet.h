/* The UDX packet: a 20-byte little-endian header, an extension area of 0 to 255 bytes, and a payload that runs to the
 * end of the datagram.
 *
 *   0     1        2      3            4          8            12   16
 *   0xff  version  flags  data offset  stream id  recv window  seq  ack   extension  payload
 *
 * The stream id is the one that the receiver of the packet chose. `seq` counts packets, not bytes. The extension area
 * is padding, or selective-ack ranges when the SACK flag is set. */
#ifndef HD_UDX_PACKET_H
#define HD_UDX_PACKET_H

#include <stdbool.h>
#include <stdint.h>

#include "base/byte_order.h"
#include "base/bytes.h"

#define HD_UDX_PACKET_HEADER_SIZE 20
#define HD_UDX_MAGIC              0xff
#define HD_UDX_VERSION            1
#define HD_UDX_PADDING_MAX        255
#define HD_UDX_SACK_BLOCKS_MAX    144 /* written per packet: what fits the base MTU; any number is read */
#define HD_UDX_SACK_BLOCK_SIZE    8

enum {
  HD_UDX_FLAG_DATA = 0x01,
  HD_UDX_FLAG_END = 0x02,
  HD_UDX_FLAG_SACK = 0x04,
  HD_UDX_FLAG_MESSAGE = 0x08,
  HD_UDX_FLAG_DESTROY = 0x10,
  HD_UDX_FLAG_HEARTBEAT = 0x20,
};

typedef struct hd_udx_header {
  uint8_t flags;
  uint8_t data_offset; /* bytes of the extension area */
  uint32_t stream_id;
  uint32_t window; /* bytes */
  uint32_t seq;
  uint32_t ack;
} hd_udx_header;

/* Half-open: start is in it, end is not. */
typedef struct hd_udx_range {
  uint32_t start;
  uint32_t end;
} hd_udx_range;

/* Serial numbers (RFC 1982 with 32 bits): a is after b when it is less than half the circle ahead. */
static inline int32_t hd_udx_seq_distance(uint32_t from, uint32_t to) {
  return (int32_t)(to - from);
}

static inline bool hd_udx_seq_before(uint32_t a, uint32_t b) {
  return hd_udx_seq_distance(a, b) > 0;
}

static inline bool hd_udx_seq_at_or_before(uint32_t a, uint32_t b) {
  return hd_udx_seq_distance(a, b) >= 0;
}

/* Whether a datagram has the shape of a UDX packet of the version we speak. */
static inline bool hd_udx_packet_is_udx(hd_bytes datagram) {
  return datagram.size >= HD_UDX_PACKET_HEADER_SIZE && datagram.data[0] == HD_UDX_MAGIC &&
         datagram.data[1] == HD_UDX_VERSION;
}

/* The id of a datagram for which hd_udx_packet_is_udx holds. */
static inline uint32_t hd_udx_packet_stream_id(const uint8_t *datagram) {
  return hd_load_le32(datagram + 4);
}

/* Reads the header. `datagram` is a packet for which hd_udx_packet_is_udx holds. */
static inline hd_udx_header hd_udx_packet_read_header(const uint8_t *datagram) {
  return (hd_udx_header){.flags = datagram[2],
                         .data_offset = datagram[3],
                         .stream_id = hd_load_le32(datagram + 4),
                         .window = hd_load_le32(datagram + 8),
                         .seq = hd_load_le32(datagram + 12),
                         .ack = hd_load_le32(datagram + 16)};
}

/* Writes HD_UDX_PACKET_HEADER_SIZE bytes. */
static inline void hd_udx_packet_write_header(uint8_t *to, const hd_udx_header *header) {
  to[0] = HD_UDX_MAGIC;
  to[1] = HD_UDX_VERSION;
  to[2] = header->flags;
  to[3] = header->data_offset;
  hd_store_le32(to + 4, header->stream_id);
  hd_store_le32(to + 8, header->window);
  hd_store_le32(to + 12, header->seq);
  hd_store_le32(to + 16, header->ack);
}

typedef struct hd_udx_packet {
  hd_udx_header header;
  hd_bytes sack;    /* whole blocks; empty without the SACK flag */
  hd_bytes payload; /* stream bytes or message */
} hd_udx_packet;

/* Takes a packet apart; the spans point into `datagram`.
 *
 * When the SACK flag is set, the blocks fill the extension area if that is neither empty nor everything that follows
 * the header; otherwise they run to the end of the datagram. The payload starts after the extension area in any case,
 * as the reference has it.
 *
 * Errors: HDHT_ERR_UNKNOWN_TYPE (hd_udx_packet_is_udx does not hold), HDHT_ERR_MALFORMED (the extension area is longer
 * than the packet). */
int hd_udx_packet_parse(hd_bytes datagram, hd_udx_packet *packet);

/* The block number `index`; `sack` as in hd_udx_packet, `index` < sack.size / HD_UDX_SACK_BLOCK_SIZE. */
static inline hd_udx_range hd_udx_packet_sack_block(hd_bytes sack, size_t index) {
  const uint8_t *block = sack.data + index * HD_UDX_SACK_BLOCK_SIZE;
  return (hd_udx_range){.start = hd_load_le32(block), .end = hd_load_le32(block + 4)};
}

/* Writes HD_UDX_SACK_BLOCK_SIZE bytes. */
static inline void hd_udx_packet_write_sack_block(uint8_t *to, hd_udx_range range) {
  hd_store_le32(to, range.start);
  hd_store_le32(to + 4, range.end);
}

#endif
