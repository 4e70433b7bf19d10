/* Frames on their way out: straight to the owner's sink, or, while corked, collected into batches.
 *
 * A message that is not corked is never copied: the sink gets a header of a few bytes and the caller's own parts. The
 * batch buffer is the only memory here. When it cannot grow, or a message is too long for it, what was collected goes
 * out first and the message follows as a frame of its own: a peer sees the same messages in the same order, so running
 * out of memory is no error here.
 *
 * Invariant: with corks_count 0 the batch is empty. */
#ifndef HD_MUX_OUTPUT_H
#define HD_MUX_OUTPUT_H

#include "base/allocator.h"
#include "mux/mux_frame.h"

typedef hdht_mux_frame hd_mux_frame;

typedef struct hd_mux_sink {
  /* Takes one frame: HDHT_OK; HDHT_ERR_WOULD_BLOCK when it was taken but the stream is full; or the error that broke
   * the stream. Must not call the mux. */
  int (*write)(void *context, const hd_mux_frame *frame);
  void *context;
} hd_mux_sink;

typedef struct hd_mux_output {
  const hd_allocator *allocator;
  hd_mux_sink sink;
  size_t frame_size_limit;
  size_t batch_size_limit;
  uint8_t *batch; /* a frame in the making, from its first byte */
  size_t batch_size;
  size_t batch_capacity;
  uint32_t batch_channel; /* of the last item */
  uint32_t corks_count;
  bool is_drained;
  int error; /* what broke the stream, or HDHT_OK; nothing is written after that */
} hd_mux_output;

/* Allocates nothing. */
void hd_mux_output_init(hd_mux_output *output, const hd_allocator *allocator, hd_mux_sink sink, size_t frame_size_limit,
                        size_t batch_size_limit);

/* Drops what was collected. */
void hd_mux_output_destroy(hd_mux_output *output);

/* The size of a frame of one message, or SIZE_MAX if the parts' sizes have no sum. */
size_t hd_mux_output_frame_size(uint32_t channel, uint32_t type, const hd_bytes *parts, size_t parts_count);

/* Sends one message of channel `channel`, 0 for a control message.
 *
 * Errors: HDHT_ERR_TOO_LARGE above frame_size_limit, nothing is written; what the sink failed with, now or earlier. */
int hd_mux_output_write(hd_mux_output *output, uint32_t channel, uint32_t type, const hd_bytes *parts,
                        size_t parts_count);

/* The same, as a frame of its own even while corked, in its place in the order. */
int hd_mux_output_write_apart(hd_mux_output *output, uint32_t channel, uint32_t type, const hd_bytes *parts,
                              size_t parts_count);

/* Collects until the same number of hd_mux_output_uncork calls. */
void hd_mux_output_cork(hd_mux_output *output);

/* Writes what was collected when this was the last cork; there must be one. Errors: what the sink failed with. */
int hd_mux_output_uncork(hd_mux_output *output);

/* Drops what was collected and refuses all that follows with `error`. */
void hd_mux_output_break(hd_mux_output *output, int error);

#endif
