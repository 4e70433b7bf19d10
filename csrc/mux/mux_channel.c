#include "mux/mux_channel.h"

#include "mux/mux_state.h"

static size_t allocation_size_of(const hd_mux_channel_options *options);
static void release_ids(hd_mux_channel *channel);

hd_mux_channel *hd_mux_channel_create(const hd_allocator *allocator, struct hd_mux *mux,
                                      const hd_mux_channel_options *options) {
  const size_t size = allocation_size_of(options);
  hd_mux_channel *channel = hd_allocate(allocator, size);
  if (channel == NULL) return NULL;
  *channel = (hd_mux_channel){
      .mux = mux,
      .owner = options->owner,
      .state = HD_MUX_CHANNEL_OPENING,
      .message_types = options->message_types,
      .allocation_size = size,
      .names_count = 1 + options->aliases_count,
  };
  hd_list_init(&channel->link);

  uint8_t *next = (uint8_t *)(channel->names + channel->names_count);
  const hd_bytes id = hd_mux_keep_bytes(&next, options->id);
  for (size_t i = 0; i < channel->names_count; i++) {
    const hd_bytes protocol = hd_mux_keep_bytes(&next, i == 0 ? options->protocol : options->aliases[i - 1]);
    channel->names[i] = (hd_mux_name){
        .key = hd_mux_key_of(protocol, id),
        .kind = HD_MUX_NAME_CHANNEL,
        .subject = channel,
    };
    hd_list_init(&channel->names[i].link);
  }
  return channel;
}

void hd_mux_channel_destroy(const hd_allocator *allocator, hd_mux_channel *channel) {
  hd_assert(channel->local_id == 0);
  hd_assert(channel->remote_id == 0);
  hd_assert(channel->waiting == NULL);
  hd_assert(hd_list_is_empty(&channel->names[0].link));
  hd_release(allocator, channel, channel->allocation_size);
}

void hd_mux_channel_notice(hd_mux_channel *channel, uint8_t notices) {
  hd_assert(!channel->is_told_closed);
  channel->notices |= notices;
  if (hd_list_is_empty(&channel->link)) hd_list_push_back(&channel->mux->told_next, &channel->link);
}

void hd_mux_channel_finish(hd_mux_channel *channel, int reason) {
  hd_assert(hd_mux_channel_is_usable(channel));
  if (channel->state == HD_MUX_CHANNEL_OPENING && reason == HDHT_MUX_CLOSED_LOCALLY) {
    channel->state = HD_MUX_CHANNEL_ABANDONED;
    channel->mux->abandoned_count++;
  } else {
    release_ids(channel);
  }
  if (channel->waiting != NULL) hd_mux_spend_waiting(channel->mux, channel->waiting);
  channel->waiting = NULL;
  channel->close_reason = (uint8_t)reason;
  channel->notices = 0;
  hd_mux_channel_notice(channel, HD_MUX_NOTICE_CLOSED);
}

void hd_mux_channel_finish_after_waiting(hd_mux_channel *channel) {
  hd_assert(channel->state == HD_MUX_CHANNEL_OPEN);
  hd_assert(channel->waiting != NULL);
  release_ids(channel);
  channel->close_reason = HDHT_MUX_CLOSED_BY_PEER;
  hd_mux_channel_notice(channel, HD_MUX_NOTICE_CLOSED);
}

void hd_mux_channel_answered(hd_mux_channel *channel) {
  hd_assert(channel->state == HD_MUX_CHANNEL_ABANDONED);
  hd_assert(channel->mux->abandoned_count > 0);
  channel->mux->abandoned_count--;
  release_ids(channel);
  if (channel->is_told_closed) hd_list_push_back(&channel->mux->spent_channels, &channel->link);
}

static size_t allocation_size_of(const hd_mux_channel_options *options) {
  size_t size = sizeof(hd_mux_channel) + options->id.size + options->protocol.size + sizeof(hd_mux_name);
  for (size_t i = 0; i < options->aliases_count; i++) size += sizeof(hd_mux_name) + options->aliases[i].size;
  return size;
}

/* Nothing leads to the channel any more but what is still to be told of it. */
static void release_ids(hd_mux_channel *channel) {
  hd_mux *mux = channel->mux;
  for (size_t i = 0; i < channel->names_count; i++) hd_mux_names_remove(&mux->names, &channel->names[i]);
  hd_mux_local_ids_release(&mux->local_ids, channel->local_id);
  channel->local_id = 0;
  if (channel->remote_id != 0) hd_mux_remote_ids_find(&mux->remote_ids, channel->remote_id)->channel = NULL;
  channel->remote_id = 0;
  channel->state = HD_MUX_CHANNEL_CLOSED;
}
