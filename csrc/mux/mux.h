/* The multiplexer: channels over one pipe of messages, as protomux 3 does it. include/hdht/mux.h says what it is for;
 * mux_frame.h has the bytes. The mux owns its channels, the peer's opens that wait, the hooks and the batch being
 * collected. It knows no clock and no socket.
 *
 * In:   hd_mux_receive lends it one frame; hd_mux_next_event reads on in that frame just until there is something to
 *       tell. So a message is never copied, and between two events the mux is at rest: the caller may do anything, even
 *       destroy it. After every call that changes something, take events until there is none.
 * Out:  frames go to the sink at once, in the order of the calls.
 *
 * The one invariant to keep in mind: events that were caused earlier are told before the next message is read, so each
 * channel sees opened, its messages in order, closed.
 *
 * What differs from the reference, invisibly to it: an open that is answered is answered under the name the peer used,
 * so an alias always finds its way back; an open the peer closes before it was answered is answered anyway (rejected,
 * or taken when messages wait behind it) so that the peer gets its id back; a close is sent once more when the answer
 * to a channel closed before it comes after all, since the reference forgets closes that come before its answer; an
 * item longer than its batch is an error; there are limits. */
#ifndef HD_MUX_H
#define HD_MUX_H

#include "mux/mux_channel.h"
#include "mux/mux_ids.h"
#include "mux/mux_output.h"

/* Every control frame fits this. */
#define HD_MUX_FRAME_SIZE_LIMIT_MIN 64

typedef struct hd_mux_options {
  const hd_allocator *allocator;
  hd_mux_sink sink;
  uint32_t frame_size_limit; /* at least HD_MUX_FRAME_SIZE_LIMIT_MIN; these as in hdht_mux_options, none 0 */
  uint32_t batch_size_limit;
  uint32_t channels_limit;
  uint32_t backlog_limit;
  uint32_t held_size_limit;
  uint32_t buffered_size_limit;
} hd_mux_options;

typedef struct hd_mux_hook {
  hd_list link;
  hd_mux_name name;
  void *owner;
  size_t allocation_size;
} hd_mux_hook;

/* Embedded in its owner, who looks at no field; must stay where it is in memory. */
typedef struct hd_mux {
  const hd_allocator *allocator;
  hd_mux_output output;
  hd_mux_names names;
  hd_mux_local_ids local_ids;
  hd_mux_remote_ids remote_ids;
  hd_list hooks;
  hd_list waitings; /* oldest first */
  uint32_t waitings_count;
  uint32_t waitings_limit;
  uint32_t abandoned_count; /* channels that hold an id only until the peer's answer */
  uint32_t user_corks_count;
  uint64_t waitings_order; /* of the next one */
  size_t held_size;        /* memory of all waiting opens, taken ones included */
  size_t held_size_limit;
  size_t buffered_size; /* cost of the messages in them */
  size_t buffered_size_limit;
  hd_list told_next;      /* channels with something to tell */
  hd_list spent_channels; /* these and what is next were lent in the last event; released at the next */
  hd_list spent_waitings;
  hd_mux_frame_reader frame; /* being read, if has_frame */
  bool has_frame;
  bool is_frame_corked; /* a batch of several messages is answered by a batch */
  bool is_paused;       /* as the owner was told */
  int error;            /* what the mux failed with; HDHT_OK while it runs */
} hd_mux;

typedef enum hd_mux_event_kind {
  HD_MUX_EVENT_PAIR,   /* the peer opened something a hook wants; open, reject, or leave it waiting */
  HD_MUX_EVENT_OPENED, /* both sides have opened the channel */
  HD_MUX_EVENT_MESSAGE,
  HD_MUX_EVENT_DRAINED, /* told to every channel after hd_mux_drained */
  HD_MUX_EVENT_CLOSED,  /* the last of its channel, which may be used until the next call of next_event or destroy */
  HD_MUX_EVENT_READING  /* whether the owner should read from the pipe has changed */
} hd_mux_event_kind;

/* Bytes are good until the next call of next_event or destroy. */
typedef struct hd_mux_event {
  hd_mux_event_kind kind;
  uint32_t type;           /* MESSAGE */
  uint32_t request;        /* PAIR: for hd_mux_reject_request */
  int reason;              /* CLOSED: HDHT_MUX_CLOSED_* or HDHT_MUX_REJECTED */
  bool wants_frames;       /* READING */
  void *owner;             /* of the channel or of the hook */
  hd_mux_channel *channel; /* OPENED, MESSAGE, DRAINED, CLOSED */
  hd_bytes bytes;          /* MESSAGE: the body; OPENED and PAIR: the handshake */
  hd_bytes protocol;       /* PAIR: as the peer names it */
  hd_bytes id;             /* PAIR */
} hd_mux_event;

/* Allocates nothing. */
void hd_mux_init(hd_mux *mux, const hd_mux_options *options);

/* Gives all memory back and tells nobody. May be called between any two events. */
void hd_mux_destroy(hd_mux *mux);

/* Starts on a frame, which must stay in place until hd_mux_next_event has returned false. Empty frames are ignored.
 *
 * Errors: HDHT_ERR_INVALID_STATE while a frame is being read; HDHT_ERR_TOO_LARGE and HDHT_ERR_TRUNCATED, with which the
 * mux fails; what it failed with earlier. */
int hd_mux_receive(hd_mux *mux, hd_bytes frame);

/* Takes the next event. Returns false when there is none; then look at hd_mux_error. */
bool hd_mux_next_event(hd_mux *mux, hd_mux_event *event);

/* HDHT_OK, or what the mux failed with. */
static inline int hd_mux_error(const hd_mux *mux) {
  return mux->error;
}

/* Ends the mux: drops the frame being read, closes every channel, answers everything that follows with HDHT_ERR_CLOSED.
 * Does nothing if it has failed before. */
void hd_mux_fail(hd_mux *mux, int error);

/* The stream wants data again. */
void hd_mux_drained(hd_mux *mux);

static inline bool hd_mux_is_drained(const hd_mux *mux) {
  return mux->output.is_drained;
}

/* Errors: HDHT_ERR_CLOSED; HDHT_ERR_INVALID_STATE for an uncork without a cork; what the sink failed with. */
int hd_mux_cork(hd_mux *mux);
int hd_mux_uncork(hd_mux *mux);

/* Channels that their owners have not closed. */
size_t hd_mux_channels_count(const hd_mux *mux);
bool hd_mux_has_channel(const hd_mux *mux, hd_bytes protocol, hd_bytes id);

/* Opens a channel, as hdht_mux_channel_open says. The caller has checked the sizes against HDHT_MUX_NAME_SIZE_LIMIT and
 * HDHT_MUX_ALIASES_LIMIT. Errors: HDHT_ERR_CLOSED, HDHT_ERR_EXISTS, HDHT_ERR_LIMIT, HDHT_ERR_TOO_LARGE,
 * HDHT_ERR_OUT_OF_MEMORY. (When the sink fails there is no error here, but the mux and with it the channel.) */
int hd_mux_channel_open(hd_mux *mux, const hd_mux_channel_options *options, hd_mux_channel **channel);

/* Closes the channel and tells the peer. Nothing but CLOSED is told of it from now on. Harmless on a closed one. */
void hd_mux_channel_close(hd_mux_channel *channel);

/* Sends one message: the parts, joined. Errors: HDHT_ERR_CLOSED; HDHT_ERR_INVALID_ARGUMENT for a type the channel does
 * not have; HDHT_ERR_TOO_LARGE; what the sink failed with. */
int hd_mux_channel_send(hd_mux_channel *channel, uint32_t type, const hd_bytes *parts, size_t parts_count);

/* Writes what stands before the body, for a caller that sends the frame past the sink. Errors: HDHT_ERR_CLOSED;
 * HDHT_ERR_INVALID_ARGUMENT; HDHT_ERR_INVALID_STATE while corked. */
int hd_mux_channel_header(const hd_mux_channel *channel, uint32_t type, uint8_t header[HD_MUX_HEADER_SIZE_LIMIT],
                          size_t *size);

/* Makes PAIR events of the peer's opens with this name and id (none: any id without a hook of its own) that no channel
 * of ours waits for; without a hook they are rejected. Errors: HDHT_ERR_CLOSED, HDHT_ERR_EXISTS,
 * HDHT_ERR_OUT_OF_MEMORY. */
int hd_mux_pair(hd_mux *mux, hd_bytes protocol, hd_bytes id, void *owner);

/* Removes a hook. owner [out] its owner; may be NULL. Errors: HDHT_ERR_NOT_FOUND. */
int hd_mux_unpair(hd_mux *mux, hd_bytes protocol, hd_bytes id, void **owner);

/* Rejects every open that waits with this name and id. Errors: HDHT_ERR_CLOSED, HDHT_ERR_NOT_FOUND; what the sink
 * failed with. */
int hd_mux_reject(hd_mux *mux, hd_bytes protocol, hd_bytes id);

/* Rejects the open of one PAIR event, if it still waits. */
void hd_mux_reject_request(hd_mux *mux, uint32_t request);

/* How many opens wait with this name and id. */
size_t hd_mux_waiting_count(const hd_mux *mux, hd_bytes protocol, hd_bytes id);

#endif
