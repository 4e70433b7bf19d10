/* Where the headers, acknowledgements and span lists of outgoing packets live between hd_udx_next_sends and the next
 * call: two arenas that are emptied together. A packet is only begun when there is room for the largest. */
#ifndef HD_UDX_SCRATCH_H
#define HD_UDX_SCRATCH_H

#include "base/allocator.h"
#include "base/datagram.h"
#include "udx/udx_ack.h"

#define HD_UDX_SCRATCH_BYTES       16384
#define HD_UDX_SCRATCH_PARTS       1024
#define HD_UDX_PACKET_SPANS_MAX    8 /* a packet made of more spans of the user's is copied together instead */
#define HD_UDX_SCRATCH_BYTES_SPARE 2048
#define HD_UDX_SCRATCH_PARTS_SPARE (HD_UDX_PACKET_SPANS_MAX + 2)

/* What kind of packet a datagram is, in hd_datagram_origin. */
typedef enum hd_udx_origin {
  HD_UDX_ORIGIN_DATA,
  HD_UDX_ORIGIN_ACK,
  HD_UDX_ORIGIN_HEARTBEAT,
  HD_UDX_ORIGIN_MESSAGE,
  HD_UDX_ORIGIN_GHOST,
  HD_UDX_ORIGIN_RELAY,
} hd_udx_origin;

typedef struct hd_udx_scratch {
  hd_bytes *parts; /* NULL until reserved; the bytes follow in the same allocation */
  uint8_t *bytes;
  uint32_t parts_used;
  uint32_t bytes_used;
} hd_udx_scratch;

/* Allocates the arenas unless that was done.
 * Errors: HDHT_ERR_OUT_OF_MEMORY. */
int hd_udx_scratch_reserve(hd_udx_scratch *scratch, const hd_allocator *allocator);
void hd_udx_scratch_destroy(hd_udx_scratch *scratch, const hd_allocator *allocator);

static inline void hd_udx_scratch_reset(hd_udx_scratch *scratch) {
  scratch->parts_used = scratch->bytes_used = 0;
}

/* Whether the largest packet still fits. */
static inline bool hd_udx_scratch_has_room(const hd_udx_scratch *scratch) {
  return scratch->parts != NULL && scratch->parts_used + HD_UDX_SCRATCH_PARTS_SPARE <= HD_UDX_SCRATCH_PARTS &&
         scratch->bytes_used + HD_UDX_SCRATCH_BYTES_SPARE <= HD_UDX_SCRATCH_BYTES;
}

/* The place where the next bytes go; hd_udx_scratch_commit takes them. */
static inline uint8_t *hd_udx_scratch_bytes(const hd_udx_scratch *scratch) {
  return scratch->bytes + scratch->bytes_used;
}

static inline hd_bytes *hd_udx_scratch_parts(const hd_udx_scratch *scratch) {
  return scratch->parts + scratch->parts_used;
}

/* Appends a part. */
static inline void hd_udx_scratch_add_part(hd_udx_scratch *scratch, const void *data, size_t size) {
  hd_assert(scratch->parts_used < HD_UDX_SCRATCH_PARTS);
  scratch->parts[scratch->parts_used++] = hd_bytes_of(data, size);
}

/* Takes `size` bytes that were written at hd_udx_scratch_bytes, and appends them as a part. */
static inline void hd_udx_scratch_add_bytes(hd_udx_scratch *scratch, uint32_t size) {
  hd_assert(scratch->bytes_used + size <= HD_UDX_SCRATCH_BYTES);
  hd_udx_scratch_add_part(scratch, scratch->bytes + scratch->bytes_used, size);
  scratch->bytes_used += size;
}

/* One datagram or batch made of all parts from `parts` on; segment_size is the caller's to set. */
hd_datagram_out hd_udx_scratch_datagram(const hd_udx_scratch *scratch, const hd_bytes *parts, hd_socket_id socket,
                                        const hd_address *to, hd_udx_origin kind, uint32_t local_id);

#endif
