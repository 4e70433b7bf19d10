/* Datagrams as they cross the sans-I/O boundary: one struct for what a driver received, one for what it shall send. The
 * core never sees a socket; it sees the number that the driver gave to it. */
#ifndef HD_DATAGRAM_H
#define HD_DATAGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/address.h"
#include "base/bytes.h"

/* A driver's name for one of its sockets. Never reused while the core may still hold it. */
typedef uint32_t hd_socket_id;

#define HD_SOCKET_NONE ((hd_socket_id)0)

/* The largest batch in one hd_datagram_out: what the kernel's UDP segmentation takes in one call. */
#define HD_DATAGRAM_BATCH_BYTES    65000 /* below 65,507, the largest UDP payload over IPv4 */
#define HD_DATAGRAM_BATCH_SEGMENTS 64

/* Something that arrived. */
typedef struct hd_datagram {
  hd_socket_id socket;   /* where */
  hd_address from;       /* an IPv4-mapped source is given as IPv4 */
  hd_bytes bytes;        /* how long they live is said by the function that takes the datagram */
  uint16_t segment_size; /* 0: one datagram. Else `bytes` holds several of this size, the last of 1 to `segment_size`
                          * bytes, as the kernel joins them (UDP_GRO) */
  bool is_truncated;     /* the datagram was longer than the driver's buffer */
} hd_datagram;

/* Walks the datagrams that the kernel joined. Start with *offset = 0.
 *
 * segment  [out] one datagram, segment_size 0
 *
 * Returns false at the end. A datagram that is not joined comes out once, as it is. */
static inline bool hd_datagram_next_segment(const hd_datagram *datagram, size_t *offset, hd_datagram *segment) {
  const size_t size = datagram->bytes.size;
  if (*offset > 0 && *offset >= size) return false;

  size_t length = size - *offset;
  if (datagram->segment_size != 0 && length > datagram->segment_size) length = datagram->segment_size;
  *segment = *datagram;
  segment->segment_size = 0;
  segment->bytes = (hd_bytes){.data = length == 0 ? NULL : datagram->bytes.data + *offset, .size = length};
  *offset += length > 0 ? length : 1;
  return true;
}

/* Who made a datagram, so that its maker can be told when it could not be sent. Drivers pass it back unread. */
typedef enum hd_datagram_layer { HD_LAYER_NONE, HD_LAYER_UDX, HD_LAYER_RPC } hd_datagram_layer;

typedef struct hd_datagram_origin {
  uint8_t layer;   /* hd_datagram_layer */
  uint8_t kind;    /* the maker's own business, as the rest */
  uint16_t index;  /* ... */
  uint32_t stream; /* ... */
} hd_datagram_origin;

/* Something to send: one datagram, or a batch of equally long ones to one destination.
 *
 * The bytes are those of `parts`, one after the other. In a batch every `segment_size` bytes are a datagram of their
 * own, the last may be shorter; no part crosses from one datagram into the next, so a driver without segmentation
 * offload can cut the batch between parts (hd_datagram_out_next_segment). A batch has at most
 * HD_DATAGRAM_BATCH_SEGMENTS segments and HD_DATAGRAM_BATCH_BYTES bytes. No part is empty. */
typedef struct hd_datagram_out {
  hd_socket_id socket;
  hd_address to;
  uint8_t ttl;             /* 0: the socket's default */
  bool may_fragment;       /* this one may be cut by the network: clear don't-fragment for it where that is possible */
  uint16_t segment_size;   /* bytes per datagram of a batch; 0: one datagram */
  uint16_t segments_count; /* at least 1 */
  uint32_t parts_count;
  uint32_t size; /* bytes of all parts */
  const hd_bytes *parts;
  hd_datagram_origin origin;
} hd_datagram_out;

/* Walks the datagrams of a batch. Start with *part = 0.
 *
 * first, count  [out] the parts of the next datagram: parts[first] up to parts[first + count - 1]
 * size          [out] its bytes
 *
 * Returns false at the end. */
static inline bool hd_datagram_out_next_segment(const hd_datagram_out *out, uint32_t *part, uint32_t *first,
                                                uint32_t *count, uint32_t *size) {
  if (*part >= out->parts_count) return false;
  uint32_t next = *part;
  uint32_t bytes = 0;
  while (next < out->parts_count && (out->segment_size == 0 || bytes < out->segment_size)) {
    bytes += (uint32_t)out->parts[next++].size;
  }
  *first = *part;
  *count = next - *part;
  *size = bytes;
  *part = next;
  return true;
}

#endif
