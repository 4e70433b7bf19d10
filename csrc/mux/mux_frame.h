/* The bytes of a multiplexer frame, as protomux 3 writes them. All integers are compact-encoding's `uint`.
 *
 *   frame   = channel type body            one message, to the end of the frame
 *           | 00 00 channel item*          a batch: many messages
 *   item    = size type body               `size` > 0 bytes of type and body, of the current channel
 *           | 00 channel                   makes another channel the current one
 *
 * The channel is the sender's own id. Messages of channel 0 are control messages:
 *
 *   1 open    id protocol(buffer) channel-id(buffer) handshake
 *   2 reject  id                           the id the receiver's open had named
 *   3 close   id
 *
 * Nothing here has state beyond its cursor; what the ids mean is mux.h's business. */
#ifndef HD_MUX_FRAME_H
#define HD_MUX_FRAME_H

#include <hdht/mux.h>

#include "codec/compact_bytes.h"

#define HD_MUX_CONTROL_CHANNEL 0

enum { HD_MUX_BATCH = 0, HD_MUX_OPEN = 1, HD_MUX_REJECT = 2, HD_MUX_CLOSE = 3 };

/* 5 bytes for each of two integers of 32 bits. */
#define HD_MUX_HEADER_SIZE_LIMIT HDHT_MUX_HEADER_SIZE_LIMIT

typedef struct hd_mux_message {
  uint64_t channel; /* the sender's id, any value */
  uint64_t type;    /* any value */
  hd_bytes body;    /* points into the frame */
} hd_mux_message;

typedef struct hd_mux_frame_reader {
  hd_reader rest;
  uint64_t channel; /* of the messages that follow */
  bool is_batch;
  bool is_finished; /* the one message of a plain frame was read */
} hd_mux_frame_reader;

/* Starts on a frame, which must live as long as the reader. Errors: HDHT_ERR_TRUNCATED. */
int hd_mux_frame_begin(hd_mux_frame_reader *reader, hd_bytes frame);

/* Takes the next message.
 *
 * found  [out] false at the end of the frame; then `message` is untouched
 *
 * Errors: HDHT_ERR_TRUNCATED, also for an item that is longer than the frame; HDHT_ERR_MALFORMED for a batch inside a
 * batch. The reader is of no use after an error. */
int hd_mux_frame_next(hd_mux_frame_reader *reader, hd_mux_message *message, bool *found);

/* Whether bytes follow the message read last: only in a batch of several items. */
static inline bool hd_mux_frame_has_more(const hd_mux_frame_reader *reader) {
  return reader->is_batch && hd_reader_remaining(&reader->rest) > 0;
}

/* The body of an open. The bytes point into the frame. */
typedef struct hd_mux_open_body {
  uint64_t id;
  hd_bytes protocol;
  hd_bytes channel_id; /* empty for none */
  hd_bytes handshake;  /* to the end */
} hd_mux_open_body;

/* Errors: HDHT_ERR_TRUNCATED. */
int hd_mux_read_open(hd_bytes body, hd_mux_open_body *open);

/* The body of a reject or a close: one id. Bytes behind it are ignored, as everywhere in this protocol.
 * Errors: HDHT_ERR_TRUNCATED. */
int hd_mux_read_id(hd_bytes body, uint64_t *id);

/* Writes what stands before the body in a frame of one message. Returns its size, 2 to HD_MUX_HEADER_SIZE_LIMIT. */
size_t hd_mux_write_header(uint8_t header[HD_MUX_HEADER_SIZE_LIMIT], uint32_t channel, uint32_t type);

static inline size_t hd_mux_header_size(uint32_t channel, uint32_t type) {
  return hd_codec_uint_size(channel) + hd_codec_uint_size(type);
}

#endif
