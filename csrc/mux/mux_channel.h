/* Our end of one channel: its names, its ids, and what its owner has yet to be told.
 *
 *             open sent            peer's open            close or reject from the peer,
 *   (nothing) ---------> OPENING ------------> OPEN ----- local close, end of the mux -----> CLOSED
 *                          |  \__ reject, end of the mux ______________________________________^
 *                          | local close                                                       |
 *                          v                                                                   |
 *                      ABANDONED ---- the peer's answer, open or reject, end of the mux -------'
 *
 * An abandoned channel is closed for its owner, but its id and its place in the queue of opens stay reserved: the
 * peer's answer to it is still on its way, and must not be taken for the answer to a later open.
 *
 * Invariant: a channel is in mux->told_next exactly while `notices` or `waiting` says that something is to be told. */
#ifndef HD_MUX_CHANNEL_H
#define HD_MUX_CHANNEL_H

#include "mux/mux_waiting.h"

struct hd_mux;

typedef enum hd_mux_channel_state {
  HD_MUX_CHANNEL_OPENING,
  HD_MUX_CHANNEL_OPEN,
  HD_MUX_CHANNEL_ABANDONED,
  HD_MUX_CHANNEL_CLOSED
} hd_mux_channel_state;

/* What next_event has yet to tell, in this order; the messages of `waiting` come after OPENED. */
enum { HD_MUX_NOTICE_OPENED = 1, HD_MUX_NOTICE_DRAINED = 2, HD_MUX_NOTICE_CLOSED = 4 };

typedef struct hd_mux_channel {
  struct hd_mux *mux;
  void *owner;  /* the caller's, passed back in events */
  hd_list link; /* in mux->told_next or mux->spent_channels, or in neither */
  hd_mux_channel_state state;
  uint8_t notices;         /* set of HD_MUX_NOTICE_* */
  uint8_t close_reason;    /* HDHT_MUX_CLOSED_* or HDHT_MUX_REJECTED, once closed or abandoned */
  bool is_told_closed;     /* the owner no longer knows this channel */
  uint32_t local_id;       /* 0 once given back */
  uint32_t remote_id;      /* 0 while not paired */
  uint32_t message_types;  /* types from here on are ignored */
  hd_mux_waiting *waiting; /* the peer's open this channel took, until everything in it is told */
  size_t allocation_size;
  size_t names_count;
  hd_mux_name names[]; /* the protocol's name, then the aliases; then their bytes */
} hd_mux_channel;

/* What a channel is opened with; borrowed. */
typedef struct hd_mux_channel_options {
  hd_bytes protocol;
  hd_bytes id;
  const hd_bytes *aliases;
  size_t aliases_count;
  hd_bytes handshake;
  uint32_t message_types;
  bool is_shared; /* there may be others of the same name and id */
  void *owner;
} hd_mux_channel_options;

/* A channel with names and no id, known to nobody. Returns NULL without memory. */
hd_mux_channel *hd_mux_channel_create(const hd_allocator *allocator, struct hd_mux *mux,
                                      const hd_mux_channel_options *options);

/* It must have no id, no waiting open and no name in the table. */
void hd_mux_channel_destroy(const hd_allocator *allocator, hd_mux_channel *channel);

/* Whether its owner may still send on it. */
static inline bool hd_mux_channel_is_usable(const hd_mux_channel *channel) {
  return channel->state == HD_MUX_CHANNEL_OPENING || channel->state == HD_MUX_CHANNEL_OPEN;
}

#endif
