/* Frames of a secret stream: a 3-byte little-endian length, then that many bytes. The reader takes them out of a byte
 * stream that may be cut anywhere. A frame that lies whole in one chunk is lent from that chunk; only a frame that
 * spans chunks is copied together, in memory that grows with the bytes that arrived and not with the length that was
 * announced. */
#ifndef HD_SECRETSTREAM_FRAME_H
#define HD_SECRETSTREAM_FRAME_H

#include "base/allocator.h"
#include "base/bytes.h"

#define HD_SECRETSTREAM_FRAME_PREFIX_SIZE 3
#define HD_SECRETSTREAM_FRAME_SIZE_MAX    0xffffff

/* The most memory a length alone can claim; for a longer frame it doubles as the bytes arrive. */
#define HD_SECRETSTREAM_FRAME_CLAIM_LIMIT 65536

/* The most memory kept while no frame is in progress, so that short frames across chunks allocate nothing. */
#define HD_SECRETSTREAM_FRAME_IDLE_LIMIT 4096

typedef struct hd_secretstream_frame_reader {
  const hd_allocator *allocator;
  uint8_t *buffer; /* a frame that spans chunks, or NULL */
  uint32_t buffer_capacity;
  uint32_t frame_size;     /* known once the prefix is complete */
  uint32_t frame_received; /* of it, bytes in the buffer */
  uint8_t prefix[HD_SECRETSTREAM_FRAME_PREFIX_SIZE];
  uint8_t prefix_received;
} hd_secretstream_frame_reader;

/* The bytes of one frame without its prefix. They may be overwritten, and live until the next call on the reader or
 * until the chunk goes away. */
typedef struct hd_secretstream_frame {
  uint8_t *bytes; /* NULL: no frame is complete */
  uint32_t size;
} hd_secretstream_frame;

/* Allocates nothing. */
void hd_secretstream_frame_reader_init(hd_secretstream_frame_reader *reader, const hd_allocator *allocator);

/* Gives the memory back; the reader is then as after init. */
void hd_secretstream_frame_reader_clear(hd_secretstream_frame_reader *reader);

/* Takes bytes up to the end of one frame, or all of them if none ends there. Call again with the rest until no frame is
 * complete.
 *
 * size_min, size_max  what the frame's length may be; size_min > 0. May differ from frame to frame, not within one
 * consumed            [out] how many of the `size` bytes were taken; also set on HDHT_ERR_OUT_OF_MEMORY, after which
 * the call may be repeated with the rest
 *
 * Errors, as soon as the length is known: HDHT_ERR_MALFORMED (less than size_min), HDHT_ERR_TOO_LARGE (more than
 * size_max); the reader can then only be cleared. HDHT_ERR_OUT_OF_MEMORY. */
int hd_secretstream_frame_read(hd_secretstream_frame_reader *reader, uint32_t size_min, uint32_t size_max,
                               uint8_t *bytes, size_t size, size_t *consumed, hd_secretstream_frame *frame);

/* Whether some bytes of a frame have arrived, and not all. */
bool hd_secretstream_frame_is_partial(const hd_secretstream_frame_reader *reader);

#endif
