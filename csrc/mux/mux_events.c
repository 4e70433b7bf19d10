/* What comes in, and what is told of it: one frame at a time, one message at a time. */
#include "mux/mux_state.h"

static bool tell(hd_mux_channel *channel, hd_mux_event *event);
static bool tell_waiting_message(hd_mux_channel *channel, hd_mux_event *event);
static void tell_closed(hd_mux_channel *channel, hd_mux_event *event);
static bool read_on(hd_mux *mux, hd_mux_event *event);
static void finish_frame(hd_mux *mux);
static int receive_control(hd_mux *mux, const hd_mux_message *message, hd_mux_event *event, bool *has_event);
static int receive_data(hd_mux *mux, const hd_mux_message *message, hd_mux_event *event, bool *has_event);
static int keep(hd_mux *mux, hd_mux_waiting *waiting, const hd_mux_message *message);
static bool tell_reading(hd_mux *mux, hd_mux_event *event);

int hd_mux_receive(hd_mux *mux, hd_bytes frame) {
  if (mux->error != HDHT_OK) return mux->error;
  if (mux->has_frame) return HDHT_ERR_INVALID_STATE;
  if (frame.size == 0) return HDHT_OK;

  const int error =
      frame.size > mux->output.frame_size_limit ? HDHT_ERR_TOO_LARGE : hd_mux_frame_begin(&mux->frame, frame);
  if (error != HDHT_OK) {
    hd_mux_fail(mux, error);
    return error;
  }
  mux->has_frame = true;
  mux->is_frame_corked = false;
  return HDHT_OK;
}

bool hd_mux_next_event(hd_mux *mux, hd_mux_event *event) {
  hd_mux_release_spent(mux);
  for (;;) {
    hd_list *first = hd_list_first(&mux->told_next);
    if (first != NULL) {
      if (tell(HD_CONTAINER_OF(first, hd_mux_channel, link), event)) return true;
    } else if (mux->has_frame) {
      if (read_on(mux, event)) return true;
    } else {
      return tell_reading(mux, event);
    }
  }
}

/* Tells the next thing of a channel that has something to tell, and leaves it in the list; takes it out and returns
 * false when that was all. */
static bool tell(hd_mux_channel *channel, hd_mux_event *event) {
  if (channel->notices & HD_MUX_NOTICE_OPENED) {
    channel->notices &= (uint8_t)~HD_MUX_NOTICE_OPENED;
    *event = (hd_mux_event){
        .kind = HD_MUX_EVENT_OPENED,
        .owner = channel->owner,
        .channel = channel,
        .bytes = channel->waiting->handshake,
    };
    return true;
  }
  if (channel->waiting != NULL && tell_waiting_message(channel, event)) return true;
  if (channel->notices & HD_MUX_NOTICE_DRAINED) {
    channel->notices &= (uint8_t)~HD_MUX_NOTICE_DRAINED;
    *event = (hd_mux_event){.kind = HD_MUX_EVENT_DRAINED, .owner = channel->owner, .channel = channel};
    return true;
  }
  if (channel->notices & HD_MUX_NOTICE_CLOSED) {
    tell_closed(channel, event);
    return true;
  }
  hd_list_remove(&channel->link);
  return false;
}

static bool tell_waiting_message(hd_mux_channel *channel, hd_mux_event *event) {
  hd_mux *mux = channel->mux;
  hd_mux_waiting *waiting = channel->waiting;
  const size_t buffered_before = waiting->buffered_size;
  uint32_t type;
  hd_bytes body;
  while (hd_mux_waiting_take(waiting, &type, &body)) {
    if (type >= channel->message_types) continue;
    mux->buffered_size -= buffered_before - waiting->buffered_size;
    *event = (hd_mux_event){
        .kind = HD_MUX_EVENT_MESSAGE, .type = type, .owner = channel->owner, .channel = channel, .bytes = body};
    return true;
  }
  mux->buffered_size -= buffered_before - waiting->buffered_size;
  channel->waiting = NULL;
  hd_mux_spend_waiting(mux, waiting);
  return false;
}

static void tell_closed(hd_mux_channel *channel, hd_mux_event *event) {
  hd_list_remove(&channel->link);
  channel->notices = 0;
  channel->is_told_closed = true;
  if (channel->state == HD_MUX_CHANNEL_CLOSED) hd_list_push_back(&channel->mux->spent_channels, &channel->link);
  *event = (hd_mux_event){
      .kind = HD_MUX_EVENT_CLOSED,
      .reason = channel->close_reason,
      .owner = channel->owner,
      .channel = channel,
  };
}

/* Takes the next message of the frame. Returns whether it made an event. */
static bool read_on(hd_mux *mux, hd_mux_event *event) {
  hd_mux_message message;
  bool found, has_event = false;
  int error = hd_mux_frame_next(&mux->frame, &message, &found);
  if (error == HDHT_OK && !found) {
    finish_frame(mux);
    return false;
  }
  if (error == HDHT_OK && !mux->is_frame_corked && hd_mux_frame_has_more(&mux->frame)) {
    hd_mux_output_cork(&mux->output);
    mux->is_frame_corked = true;
  }
  if (error == HDHT_OK) {
    error = message.channel == HD_MUX_CONTROL_CHANNEL ? receive_control(mux, &message, event, &has_event)
                                                      : receive_data(mux, &message, event, &has_event);
  }
  if (error != HDHT_OK) hd_mux_fail(mux, error);
  return has_event;
}

static void finish_frame(hd_mux *mux) {
  mux->has_frame = false;
  if (!mux->is_frame_corked) return;
  const int error = hd_mux_output_uncork(&mux->output);
  if (error != HDHT_OK) hd_mux_fail(mux, error);
}

static int receive_control(hd_mux *mux, const hd_mux_message *message, hd_mux_event *event, bool *has_event) {
  switch (message->type) {
    case HD_MUX_OPEN: return hd_mux_receive_open(mux, message->body, event, has_event);
    case HD_MUX_REJECT: return hd_mux_receive_reject(mux, message->body);
    case HD_MUX_CLOSE: return hd_mux_receive_close(mux, message->body);
    default: return HDHT_OK; /* reserved for later versions */
  }
}

static int receive_data(hd_mux *mux, const hd_mux_message *message, hd_mux_event *event, bool *has_event) {
  const hd_mux_remote_id *slot = hd_mux_remote_ids_find(&mux->remote_ids, message->channel);
  if (slot == NULL) return HDHT_OK;
  if (slot->waiting != NULL) return keep(mux, slot->waiting, message);
  if (slot->channel == NULL || message->type >= slot->channel->message_types) return HDHT_OK;
  *event = (hd_mux_event){
      .kind = HD_MUX_EVENT_MESSAGE,
      .type = (uint32_t)message->type,
      .owner = slot->channel->owner,
      .channel = slot->channel,
      .bytes = message->body,
  };
  *has_event = true;
  return HDHT_OK;
}

/* Keeps a message for the channel that will take the open. Its types are not known yet, but no channel has this many.
 */
static int keep(hd_mux *mux, hd_mux_waiting *waiting, const hd_mux_message *message) {
  if (waiting->is_closed || message->type >= UINT32_MAX) return HDHT_OK;
  const size_t held_before = hd_mux_waiting_held_size(waiting), buffered_before = waiting->buffered_size;
  const int error = hd_mux_waiting_push(mux->allocator, waiting, (uint32_t)message->type, message->body,
                                        mux->held_size_limit - mux->held_size);
  if (error == HDHT_ERR_LIMIT) return HDHT_ERR_MUX_BACKLOG;
  if (error != HDHT_OK) return error;
  mux->held_size += hd_mux_waiting_held_size(waiting) - held_before;
  mux->buffered_size += waiting->buffered_size - buffered_before;
  return HDHT_OK;
}

static bool tell_reading(hd_mux *mux, hd_mux_event *event) {
  const bool should_pause = mux->buffered_size > mux->buffered_size_limit;
  if (should_pause == mux->is_paused || mux->error != HDHT_OK) return false;
  mux->is_paused = should_pause;
  *event = (hd_mux_event){.kind = HD_MUX_EVENT_READING, .wants_frames = !should_pause};
  return true;
}
