/* One end of a multiplexed pipe for tests: a mux whose frames and events become text, so that a test reads as a
 * conversation:
 *
 *   mux_peer_open(&peer, "relay", 3);
 *   CHECK_TEXT("0001010572656c617900", mux_peer_sent(&peer));
 *   mux_peer_receive(&peer, "0001010572656c617900");
 *   CHECK_TEXT("relay opened", mux_peer_told(&peer));
 *
 * A channel's owner is its name, a hook's too. */
#ifndef MUX_PEER_H
#define MUX_PEER_H

#include <stdio.h>
#include <string.h>

#include "mux/mux.h"
#include "test.h"

#define MUX_PEER_TEXT_SIZE 65536

typedef struct mux_peer {
  hd_mux mux;
  char sent[MUX_PEER_TEXT_SIZE]; /* frames as hex, separated by spaces */
  char told[MUX_PEER_TEXT_SIZE]; /* events, separated by ", " */
  int sink_result;
  void (*react)(struct mux_peer *peer, const hd_mux_event *event); /* called for every event; may be NULL */
  hd_mux_channel *channels[16];                                    /* for `react` and the test to keep */
} mux_peer;

static inline hd_bytes mux_peer_text(const char *text) {
  return hd_bytes_of(text, strlen(text));
}

static inline void mux_peer_append(char *text, const char *separator, const char *more) {
  const size_t size = strlen(text);
  snprintf(text + size, MUX_PEER_TEXT_SIZE - size, "%s%s", size > 0 ? separator : "", more);
}

static inline void mux_peer_append_hex(char *text, hd_bytes bytes) {
  char *to = text + strlen(text);
  for (size_t i = 0; i < bytes.size && to + 3 < text + MUX_PEER_TEXT_SIZE; i++, to += 2) {
    snprintf(to, 3, "%02x", bytes.data[i]);
  }
}

static inline int mux_peer_write(void *context, const hd_mux_frame *frame) {
  mux_peer *peer = context;
  size_t size = frame->head.size;
  mux_peer_append(peer->sent, " ", "");
  mux_peer_append_hex(peer->sent, frame->head);
  for (size_t i = 0; i < frame->parts_count; i++) {
    mux_peer_append_hex(peer->sent, frame->parts[i]);
    size += frame->parts[i].size;
  }
  CHECK_UINT(frame->size, size);
  return peer->sink_result;
}

static inline hd_mux_options mux_peer_options(mux_peer *peer, const hd_allocator *allocator) {
  return (hd_mux_options){
      .allocator = hd_allocator_or_system(allocator),
      .sink = {.write = mux_peer_write, .context = peer},
      .frame_size_limit = HDHT_MUX_FRAME_SIZE_LIMIT,
      .batch_size_limit = HDHT_MUX_BATCH_SIZE_LIMIT,
      .channels_limit = HDHT_MUX_CHANNELS_LIMIT,
      .backlog_limit = HDHT_MUX_BACKLOG_LIMIT,
      .held_size_limit = HDHT_MUX_HELD_SIZE_LIMIT,
      .buffered_size_limit = HDHT_MUX_BUFFERED_SIZE_LIMIT,
  };
}

static inline void mux_peer_init_with(mux_peer *peer, const hd_mux_options *options) {
  hd_mux_init(&peer->mux, options);
  peer->sent[0] = peer->told[0] = '\0';
  peer->sink_result = HDHT_OK;
  peer->react = NULL;
}

static inline void mux_peer_init(mux_peer *peer) {
  const hd_mux_options options = mux_peer_options(peer, NULL);
  mux_peer_init_with(peer, &options);
}

static inline void mux_peer_destroy(mux_peer *peer) {
  hd_mux_destroy(&peer->mux);
}

/* What was sent since the last call. */
static inline const char *mux_peer_sent(mux_peer *peer) {
  static char taken[MUX_PEER_TEXT_SIZE];
  memcpy(taken, peer->sent, sizeof taken);
  peer->sent[0] = '\0';
  return taken;
}

/* Long bytes are cut: who checks them looks at the event itself. */
static inline void mux_peer_append_some_hex(char *text, const char *separator, hd_bytes bytes) {
  if (bytes.size == 0) return;
  if (bytes.size > 16) bytes.size = 16;
  mux_peer_append(text, "", separator);
  mux_peer_append_hex(text, bytes);
}

static inline void mux_peer_tell(mux_peer *peer, const hd_mux_event *event) {
  static const char *const reasons[] = {"locally", "by peer", "as rejected", "with the mux"};
  mux_peer_append(peer->told, ", ", "");
  char *text = peer->told + strlen(peer->told);
  const size_t size = (size_t)(peer->told + MUX_PEER_TEXT_SIZE - text);
  const char *owner = event->owner;
  switch (event->kind) {
    case HD_MUX_EVENT_PAIR:
      snprintf(text, size, "%s asked for %.*s", owner, event->protocol.size < 16 ? (int)event->protocol.size : 16,
               (const char *)event->protocol.data);
      mux_peer_append_some_hex(peer->told, "/", event->id);
      break;
    case HD_MUX_EVENT_OPENED: snprintf(text, size, "%s opened", owner); break;
    case HD_MUX_EVENT_MESSAGE: snprintf(text, size, "%s message %u", owner, event->type); break;
    case HD_MUX_EVENT_DRAINED: snprintf(text, size, "%s drained", owner); break;
    case HD_MUX_EVENT_CLOSED: snprintf(text, size, "%s closed %s", owner, reasons[event->reason]); break;
    case HD_MUX_EVENT_READING: snprintf(text, size, "%s", event->wants_frames ? "resume" : "pause"); break;
  }
  mux_peer_append_some_hex(peer->told, " ", event->bytes);
}

/* Takes all events. */
static inline void mux_peer_drain(mux_peer *peer) {
  hd_mux_event event;
  while (hd_mux_next_event(&peer->mux, &event)) {
    mux_peer_tell(peer, &event);
    if (peer->react != NULL) peer->react(peer, &event);
  }
}

/* What was told since the last call. */
static inline const char *mux_peer_told(mux_peer *peer) {
  static char taken[MUX_PEER_TEXT_SIZE];
  mux_peer_drain(peer);
  memcpy(taken, peer->told, sizeof taken);
  peer->told[0] = '\0';
  return taken;
}

/* Feeds one frame, from memory of exactly its size, and takes the events. Returns what the mux failed with. */
static inline int mux_peer_receive_bytes(mux_peer *peer, hd_bytes frame) {
  uint8_t *exact = frame.size > 0 ? hd_allocate(hd_allocator_system(), frame.size) : NULL;
  if (frame.size > 0) memcpy(exact, frame.data, frame.size);
  (void)hd_mux_receive(&peer->mux, hd_bytes_of(exact, frame.size));
  mux_peer_drain(peer);
  hd_release(hd_allocator_system(), exact, frame.size);
  return hd_mux_error(&peer->mux);
}

static inline int mux_peer_receive(mux_peer *peer, const char *hex) {
  uint8_t frame[4096];
  return mux_peer_receive_bytes(peer, hd_bytes_of(frame, hd_test_hex(hex, frame, sizeof frame)));
}

static inline hd_mux_channel_options mux_peer_channel(const char *protocol, uint32_t message_types) {
  return (hd_mux_channel_options){
      .protocol = mux_peer_text(protocol), .message_types = message_types, .owner = (void *)(uintptr_t)protocol};
}

/* Opens a channel without id. Returns NULL, and the test fails, on error. */
static inline hd_mux_channel *mux_peer_open(mux_peer *peer, const char *protocol, uint32_t message_types) {
  const hd_mux_channel_options options = mux_peer_channel(protocol, message_types);
  hd_mux_channel *channel = NULL;
  CHECK_INT(HDHT_OK, hd_mux_channel_open(&peer->mux, &options, &channel));
  return channel;
}

static inline int mux_peer_send(hd_mux_channel *channel, uint32_t type, const char *text) {
  const hd_bytes body = mux_peer_text(text);
  return hd_mux_channel_send(channel, type, &body, 1);
}

static inline int mux_peer_pair(mux_peer *peer, const char *protocol) {
  return hd_mux_pair(&peer->mux, mux_peer_text(protocol), hd_bytes_of(NULL, 0), (void *)(uintptr_t) "hook");
}

#endif
