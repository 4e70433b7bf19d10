/* Many channels over one pipe of messages: the Hyperswarm multiplexer, wire-compatible with protomux 3.
 *
 * The pipe is the caller's: a secret stream, a WebSocket, anything that delivers whole messages in order. Each message
 * that comes in goes to hdht_mux_receive; each frame that must go out is handed to `on_frame`. One frame is one message
 * of the pipe; none is ever empty.
 *
 * A channel has a protocol name and an optional id. It is open once both sides have opened one with the same name and
 * id; what is sent before that waits at the other side. There is no accept message: the answer to an open is an open,
 * made by hdht_mux_channel_open, or a rejection. So open your channels before the peer's first frame is received, or
 * register a hook with hdht_mux_pair: opens that nobody here wants are rejected at once.
 *
 * Callbacks are made from inside the functions below, never one inside another, except `on_frame`. What a call made in
 * a callback causes is told after that callback has returned; what a call made outside of any callback causes is told
 * before that call returns. A callback may therefore call any function here, including those that close its own
 * channel or the mux; `on_frame` alone may only call hdht_mux_close and hdht_mux_frame_copy.
 *
 * A mux and its channels are one handle in the sense of the threading rule (hdht.h). */
#ifndef HDHT_MUX_H
#define HDHT_MUX_H

#include <hdht/memory.h>
#include <hdht/types.h>

#ifdef __cplusplus
extern "C" {
#endif

#define HDHT_MUX_NAME_SIZE_LIMIT   1024 /* bytes of a protocol name, and of a channel id */
#define HDHT_MUX_ALIASES_LIMIT     16   /* further names of one channel */
#define HDHT_MUX_HEADER_SIZE_LIMIT 10   /* bytes in front of a message's body in a frame */

/* The defaults of hdht_mux_options. */
#define HDHT_MUX_FRAME_SIZE_LIMIT    16777198 /* the longest message of a secret stream */
#define HDHT_MUX_BATCH_SIZE_LIMIT    8388608
#define HDHT_MUX_CHANNELS_LIMIT      65536
#define HDHT_MUX_BACKLOG_LIMIT       4096
#define HDHT_MUX_HELD_SIZE_LIMIT     33554432
#define HDHT_MUX_BUFFERED_SIZE_LIMIT 32768

typedef struct hdht_mux hdht_mux;
typedef struct hdht_mux_channel hdht_mux_channel;

typedef struct hdht_mux_options {
  size_t struct_size;              /* set by hdht_mux_options_init */
  const hdht_allocator *allocator; /* NULL for malloc; must outlive the mux */
  uint32_t frame_size_limit;       /* bytes, both ways; a longer one received is an error, a longer one is not sent */
  uint32_t batch_size_limit;       /* bytes of one frame made while corked; more starts another frame */
  uint32_t channels_limit;         /* channels of ours, waiting ones included; and the highest id the peer may use */
  uint32_t backlog_limit;          /* opens of the peer that may wait for an answer at one time */
  uint32_t held_size_limit;        /* bytes of memory for those opens and for the messages sent behind them */
  uint32_t buffered_size_limit;    /* such messages, each counted with 512 bytes more: above it `on_reading(0)` */
} hdht_mux_options;

/* One frame on its way out: `head`, then the parts, one after the other. All of it is borrowed for the call. */
typedef struct hdht_mux_frame {
  size_t size;     /* bytes of the whole frame, at least 2 */
  hdht_bytes head; /* never empty */
  const hdht_bytes *parts;
  size_t parts_count;
} hdht_mux_frame;

typedef struct hdht_mux_callbacks {
  size_t struct_size; /* sizeof(hdht_mux_callbacks) */

  /* Required. Takes one frame: writes or copies it before returning. Returns HDHT_OK; or HDHT_ERR_WOULD_BLOCK when the
   * frame was taken but more should wait for hdht_mux_drained; or any other error when the pipe is broken: then the mux
   * has failed with it. */
  int (*on_frame)(void *user_data, const hdht_mux_frame *frame);

  /* Optional. Asks the owner to stop (0) or go on (1) reading from the pipe: too much waits for channels that are not
   * open here yet. Frames received nevertheless are accepted up to the limits. */
  void (*on_reading)(void *user_data, int wants_frames);

  /* Optional. Answers hdht_mux_close; the last call with this user_data, after the last of every channel and hook.
   * `error` is what the mux had failed with, or HDHT_OK. */
  void (*on_closed)(void *user_data, int error);
} hdht_mux_callbacks;

/* Sets the defaults. `struct_size` is sizeof(hdht_mux_options) as the caller knows it. */
HDHT_API void hdht_mux_options_init(hdht_mux_options *options, size_t struct_size);

/* options    NULL for the defaults; copied. Limits of 0 are read as the default.
 * callbacks  copied
 *
 * Errors: HDHT_ERR_INVALID_ARGUMENT, HDHT_ERR_OUT_OF_MEMORY. */
HDHT_API int hdht_mux_create(const hdht_mux_options *options, const hdht_mux_callbacks *callbacks, void *user_data,
                             hdht_mux **mux);

/* Closes every channel as the end of the pipe would, without telling the peer, and then the mux; close or destroy the
 * pipe itself as well. The handle may be used until `on_closed`; calls other than this one then return
 * HDHT_ERR_CLOSED. */
HDHT_API void hdht_mux_close(hdht_mux *mux);

/* Takes one message of the pipe. An empty one is ignored.
 *
 * frame  borrowed for the call; what `on_message` gets points into it
 *
 * After any error but HDHT_ERR_INVALID_STATE the mux has failed: every channel was closed, and the owner is expected to
 * destroy the pipe. There is no way to tell the peer why.
 *
 * Errors: HDHT_ERR_TRUNCATED, HDHT_ERR_MALFORMED, HDHT_ERR_MUX_OPEN, HDHT_ERR_MUX_REJECT, HDHT_ERR_MUX_BACKLOG;
 * HDHT_ERR_TOO_LARGE above frame_size_limit; HDHT_ERR_LIMIT when the answer to an open of ours has an id above
 * channels_limit; HDHT_ERR_OUT_OF_MEMORY; what `on_frame` or hdht_mux_fail failed with; HDHT_ERR_CLOSED after
 * hdht_mux_close; HDHT_ERR_INVALID_STATE from inside a callback. */
HDHT_API int hdht_mux_receive(hdht_mux *mux, hdht_bytes frame);

/* The pipe has ended, is broken, or a message handler found that it must be: every channel is closed as by the peer.
 * When only the pipe's readable side has ended, end the writable one too: there is no half-open mux.
 *
 * error  what later calls of hdht_mux_receive return; HDHT_ERR_CLOSED for an orderly end
 *
 * Errors: HDHT_ERR_INVALID_ARGUMENT if `error` is no error; HDHT_ERR_CLOSED if the mux had failed or closed before. */
HDHT_API int hdht_mux_fail(hdht_mux *mux, int error);

/* The pipe wants data again: calls `on_drain` of every channel. Errors: HDHT_ERR_CLOSED. */
HDHT_API int hdht_mux_drained(hdht_mux *mux);

/* 0 after `on_frame` returned HDHT_ERR_WOULD_BLOCK and until it returns HDHT_OK or hdht_mux_drained is called, else 1.
 */
HDHT_API int hdht_mux_is_drained(const hdht_mux *mux);

/* From the first cork to the last uncork, frames of all channels are collected and handed out as one; they may be
 * handed out earlier, in the same order, when they are many, when memory is short, or before the open of a channel with
 * a handshake, which goes out by itself.
 * Errors: HDHT_ERR_CLOSED; for uncork HDHT_ERR_INVALID_STATE when not corked, and what `on_frame` failed with. */
HDHT_API int hdht_mux_cork(hdht_mux *mux);
HDHT_API int hdht_mux_uncork(hdht_mux *mux);

/* Channels of ours that are not closed, open or not. */
HDHT_API size_t hdht_mux_channels_count(const hdht_mux *mux);

/* Whether a channel of ours with this name or alias, and this id, is not closed. */
HDHT_API int hdht_mux_has_channel(const hdht_mux *mux, hdht_bytes protocol, hdht_bytes id);

/* Joins the frame in `to`, which has room for frame->size bytes. */
HDHT_API void hdht_mux_frame_copy(const hdht_mux_frame *frame, uint8_t *to);

/* Channels */

enum {
  HDHT_MUX_CHANNEL_SHARED = 1 /* flag: there may be further channels of the same name and id */
};

typedef struct hdht_mux_channel_options {
  size_t struct_size;        /* set by hdht_mux_channel_options_init */
  hdht_bytes protocol;       /* UTF-8 by convention, compared as bytes; at most HDHT_MUX_NAME_SIZE_LIMIT */
  hdht_bytes id;             /* empty for none; at most HDHT_MUX_NAME_SIZE_LIMIT */
  const hdht_bytes *aliases; /* other names under which the peer may open it, best none */
  size_t aliases_count;      /* at most HDHT_MUX_ALIASES_LIMIT */
  hdht_bytes handshake;      /* goes with the open; its format is the protocol's business */
  uint32_t message_types;    /* the channel has messages of type 0 to this - 1; others of the peer are ignored */
  uint32_t flags;            /* HDHT_MUX_CHANNEL_* */
} hdht_mux_channel_options;

enum {
  HDHT_MUX_CLOSED_LOCALLY = 0, /* hdht_mux_channel_close */
  HDHT_MUX_CLOSED_BY_PEER = 1, /* the peer closed it */
  HDHT_MUX_REJECTED = 2,       /* the peer does not want it */
  HDHT_MUX_CLOSED_WITH_MUX = 3 /* the mux failed or was closed */
};

/* All but on_closed are optional. `channel` is the one they are made for: they may be made before
 * hdht_mux_channel_open has returned it. Bytes are borrowed for the call. */
typedef struct hdht_mux_channel_callbacks {
  size_t struct_size; /* sizeof(hdht_mux_channel_callbacks) */

  /* Both sides have opened it. `handshake` is what the peer's open carried. */
  void (*on_open)(void *user_data, hdht_mux_channel *channel, hdht_bytes handshake);
  void (*on_message)(void *user_data, hdht_mux_channel *channel, uint32_t type, hdht_bytes body);

  /* The pipe wants data again. */
  void (*on_drain)(void *user_data, hdht_mux_channel *channel);

  /* Required: the last call with this user_data, after which the handle is gone. `reason` is one of those above. */
  void (*on_closed)(void *user_data, hdht_mux_channel *channel, int reason);
} hdht_mux_channel_callbacks;

/* Sets the defaults: no name, no id, no message types. */
HDHT_API void hdht_mux_channel_options_init(hdht_mux_channel_options *options, size_t struct_size);

/* Opens a channel; messages may be sent at once. If an open of the peer waits for this name (or an alias) and id, the
 * oldest is taken: the channel is open, and on_open and the messages that waited follow as the callback rule above
 * says, so outside of a callback before this returns.
 *
 * options  borrowed for the call
 * channel  [out] set before the first callback
 *
 * Errors: HDHT_ERR_INVALID_ARGUMENT; HDHT_ERR_EXISTS if there is a channel of this name and id and the flag is not set;
 * HDHT_ERR_LIMIT at channels_limit; HDHT_ERR_TOO_LARGE if the open does not fit a frame; HDHT_ERR_CLOSED;
 * HDHT_ERR_OUT_OF_MEMORY. No callback follows an error. */
HDHT_API int hdht_mux_channel_open(hdht_mux *mux, const hdht_mux_channel_options *options,
                                   const hdht_mux_channel_callbacks *callbacks, void *user_data,
                                   hdht_mux_channel **channel);

/* Closes the channel and tells the peer. No message is delivered after this; on_closed follows, which says when the
 * handle is gone. Closing twice is harmless. */
HDHT_API void hdht_mux_channel_close(hdht_mux_channel *channel);

/* Sends one message: the parts, joined. Nothing is copied unless the mux is corked.
 *
 * wants_more  [out] may be NULL; 0 when further messages should wait for on_drain, else 1
 *
 * Errors: HDHT_ERR_CLOSED; HDHT_ERR_TOO_LARGE above frame_size_limit; HDHT_ERR_INVALID_ARGUMENT for a type the channel
 * does not have; HDHT_ERR_INVALID_STATE from inside on_frame; what on_frame failed with. */
HDHT_API int hdht_mux_channel_send(hdht_mux_channel *channel, uint32_t type, const hdht_bytes *parts,
                                   size_t parts_count, int *wants_more);

/* For owners of the pipe who build the frame themselves, in the buffer it is encrypted in: writes what stands before
 * the body. The frame must be sent at once, before any other call here.
 *
 * header  [out] HDHT_MUX_HEADER_SIZE_LIMIT bytes of room
 * size    [out] bytes written, 2 to HDHT_MUX_HEADER_SIZE_LIMIT
 *
 * Errors: HDHT_ERR_CLOSED; HDHT_ERR_INVALID_ARGUMENT as above; HDHT_ERR_INVALID_STATE while corked: use
 * hdht_mux_channel_send then. */
HDHT_API int hdht_mux_channel_header(const hdht_mux_channel *channel, uint32_t type, uint8_t *header, size_t *size);

/* Hooks: what to do with an open of the peer for which there is no channel here. */

typedef struct hdht_mux_pairing {
  hdht_bytes protocol;  /* as the peer names it */
  hdht_bytes id;        /* empty for none */
  hdht_bytes handshake; /* what the open carries */
} hdht_mux_pairing;

enum {
  HDHT_MUX_PAIR_NOW = 0,  /* reject the open unless a channel took it during the callback */
  HDHT_MUX_PAIR_LATER = 1 /* let it wait for hdht_mux_channel_open or hdht_mux_reject */
};

typedef struct hdht_mux_pair_callbacks {
  size_t struct_size;                                               /* sizeof(hdht_mux_pair_callbacks) */
  int (*on_pair)(void *user_data, const hdht_mux_pairing *pairing); /* required; returns HDHT_MUX_PAIR_* */
  void (*on_removed)(void *user_data);                              /* optional; the last call with this user_data */
} hdht_mux_pair_callbacks;

/* Calls `on_pair` for each open of the peer with this name and id that no channel of ours waits for. A hook without an
 * id gets those of any id for which there is no hook of its own.
 *
 * Errors: HDHT_ERR_INVALID_ARGUMENT; HDHT_ERR_EXISTS; HDHT_ERR_CLOSED; HDHT_ERR_OUT_OF_MEMORY. */
HDHT_API int hdht_mux_pair(hdht_mux *mux, hdht_bytes protocol, hdht_bytes id, const hdht_mux_pair_callbacks *callbacks,
                           void *user_data);

/* Removes a hook. Opens that wait go on waiting. Errors: HDHT_ERR_NOT_FOUND; HDHT_ERR_CLOSED. */
HDHT_API int hdht_mux_unpair(hdht_mux *mux, hdht_bytes protocol, hdht_bytes id);

/* Rejects every open of the peer that waits with this name and id.
 * Errors: HDHT_ERR_NOT_FOUND if none does; HDHT_ERR_CLOSED; what on_frame failed with. */
HDHT_API int hdht_mux_reject(hdht_mux *mux, hdht_bytes protocol, hdht_bytes id);

#ifdef __cplusplus
}
#endif

#endif
