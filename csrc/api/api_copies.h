/* The bytes of small writes, from the write until their acknowledgement, and how many of the user's writes are
 * acknowledged: copies lie one after the other in chunks, and those of one turn of the loop go to the stream as a
 * single write, so a stream's own count of writes is not the user's.
 *
 *   chunk    given to the stream, in one or more writes | waiting for the next hd_api_copies_flush | room
 *
 * Invariant: only the last chunk has bytes that wait. */
#ifndef HD_API_COPIES_H
#define HD_API_COPIES_H

#include <stdbool.h>

#include "base/allocator.h"
#include "base/ring.h"
#include "udx/udx.h"

#define HD_API_COPIES_CHUNK_SIZE 16384

typedef struct hd_api_chunk hd_api_chunk;

/* The stream's write number `given` completes the user's write number `writes`, both counted from 1. Only kept where
 * one write of the stream was several of the user's; from one mark to the next both counts grow by one at a time. */
typedef struct hd_api_mark {
  uint64_t given;
  uint64_t writes;
} hd_api_mark;

typedef struct hd_api_copies {
  const hd_allocator *allocator;
  size_t limit;       /* bytes of all chunks; a single larger write is taken when there are no others */
  size_t chunk_bytes; /* memory of all chunks, without their headers */
  hd_api_chunk *first;
  hd_api_chunk *last;

  uint64_t waiting_count;   /* of the user's writes, copied and not yet given to the stream */
  uint64_t given_count;     /* writes given to the stream ... */
  uint64_t writes_count;    /* ... and how many of the user's they are */
  uint64_t completed_count; /* of the user's */
  hd_ring marks;            /* how the two counts belong together: see api_copies.c */
  hd_api_mark passed;       /* the last mark that the acknowledgements have passed */
} hd_api_copies;

/* No copies; allocates nothing. */
void hd_api_copies_init(hd_api_copies *copies, const hd_allocator *allocator, size_t limit);

/* Gives everything back. The stream must not look at it any more. */
void hd_api_copies_destroy(hd_api_copies *copies);

/* Whether bytes wait for hd_api_copies_flush. */
static inline bool hd_api_copies_has_waiting(const hd_api_copies *copies) {
  return copies->waiting_count > 0;
}

/* Whether there is room for more, with some to spare. */
static inline bool hd_api_copies_is_writable(const hd_api_copies *copies) {
  return copies->chunk_bytes <= copies->limit / 2;
}

/* Copies one write of at least one byte. When the last chunk has no room for all of it, what waits there is given to
 * the stream first.
 *
 * Errors: HDHT_ERR_WOULD_BLOCK (the limit), HDHT_ERR_TOO_LARGE (HD_UDX_WRITE_SIZE_MAX), HDHT_ERR_OUT_OF_MEMORY, and
 * those of hd_udx_stream_write; nothing is added. */
int hd_api_copies_add(hd_api_copies *copies, hd_udx_stream *stream, const hd_bytes *parts, size_t parts_count);

/* Gives what waits to the stream, if anything. Errors: those of hd_udx_stream_write; then it still waits. */
int hd_api_copies_flush(hd_api_copies *copies, hd_udx_stream *stream);

/* Gives the stream a write that is not copied; nothing may wait. Errors: those of hd_udx_stream_write. */
int hd_api_copies_pass(hd_api_copies *copies, hd_udx_stream *stream, const hd_bytes *parts, size_t parts_count);

/* The stream has completed its first `given_count` writes. Gives memory back and counts completed_count up. */
void hd_api_copies_completed(hd_api_copies *copies, uint64_t given_count);

#endif
