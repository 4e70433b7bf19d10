#include "mux/mux.h"

#include "mux/mux_state.h"

static int note_stream_error(hd_mux *mux, int error);
static int check_sendable(const hd_mux_channel *channel, uint32_t type);
static void silence(hd_mux_channel *channel);

void hd_mux_init(hd_mux *mux, const hd_mux_options *options) {
  hd_assert(options->frame_size_limit >= HD_MUX_FRAME_SIZE_LIMIT_MIN);
  *mux = (hd_mux){
      .allocator = options->allocator,
      .waitings_limit = options->backlog_limit,
      .held_size_limit = options->held_size_limit,
      .buffered_size_limit = options->buffered_size_limit,
  };
  hd_mux_output_init(&mux->output, options->allocator, options->sink, options->frame_size_limit,
                     options->batch_size_limit);
  hd_mux_names_init(&mux->names, options->allocator);
  hd_mux_local_ids_init(&mux->local_ids, options->allocator, options->channels_limit);
  hd_mux_remote_ids_init(&mux->remote_ids, options->allocator, options->channels_limit);
  hd_list_init(&mux->hooks);
  hd_list_init(&mux->waitings);
  hd_list_init(&mux->told_next);
  hd_list_init(&mux->spent_channels);
  hd_list_init(&mux->spent_waitings);
}

void hd_mux_destroy(hd_mux *mux) {
  hd_mux_fail(mux, HDHT_ERR_CLOSED);
  HD_LIST_EACH(link, &mux->told_next) {
    hd_list_remove(link);
    hd_list_push_back(&mux->spent_channels, link);
  }
  hd_mux_release_spent(mux);
  while (!hd_list_is_empty(&mux->hooks)) {
    const hd_mux_hook *hook = HD_CONTAINER_OF(hd_list_first(&mux->hooks), hd_mux_hook, link);
    (void)hd_mux_unpair(mux, hook->name.key.protocol, hook->name.key.id, NULL);
  }
  hd_assert(mux->held_size == 0);
  hd_assert(mux->buffered_size == 0);
  hd_mux_remote_ids_destroy(&mux->remote_ids);
  hd_mux_local_ids_destroy(&mux->local_ids);
  hd_mux_names_destroy(&mux->names);
  hd_mux_output_destroy(&mux->output);
}

void hd_mux_fail(hd_mux *mux, int error) {
  hd_assert(error < 0);
  if (mux->error != HDHT_OK) return;
  mux->error = error;
  mux->has_frame = false;
  hd_mux_output_break(&mux->output, HDHT_ERR_CLOSED);

  HD_LIST_EACH(link, &mux->told_next) silence(HD_CONTAINER_OF(link, hd_mux_channel, link));
  for (uint32_t id = 1; id <= mux->local_ids.slots_count; id++) {
    hd_mux_channel *channel = hd_mux_local_ids_find(&mux->local_ids, id);
    if (channel == NULL) continue;
    if (channel->state == HD_MUX_CHANNEL_ABANDONED) {
      hd_mux_channel_answered(channel);
    } else {
      hd_mux_channel_finish(channel, HDHT_MUX_CLOSED_WITH_MUX);
    }
  }
  HD_LIST_EACH(link, &mux->waitings) {
    hd_mux_waiting *waiting = HD_CONTAINER_OF(link, hd_mux_waiting, link);
    hd_mux_unlink_waiting(mux, waiting);
    hd_mux_spend_waiting(mux, waiting);
  }
  hd_assert(mux->abandoned_count == 0);
  hd_assert(mux->waitings_count == 0);
  hd_assert(hd_mux_local_ids_taken(&mux->local_ids) == 0);
}

void hd_mux_drained(hd_mux *mux) {
  mux->output.is_drained = true;
  for (uint32_t id = 1; id <= mux->local_ids.slots_count; id++) {
    hd_mux_channel *channel = hd_mux_local_ids_find(&mux->local_ids, id);
    if (channel != NULL && hd_mux_channel_is_usable(channel)) hd_mux_channel_notice(channel, HD_MUX_NOTICE_DRAINED);
  }
}

int hd_mux_cork(hd_mux *mux) {
  if (mux->error != HDHT_OK) return HDHT_ERR_CLOSED;
  mux->user_corks_count++;
  hd_mux_output_cork(&mux->output);
  return HDHT_OK;
}

int hd_mux_uncork(hd_mux *mux) {
  if (mux->error != HDHT_OK) return HDHT_ERR_CLOSED;
  if (mux->user_corks_count == 0) return HDHT_ERR_INVALID_STATE;
  mux->user_corks_count--;
  return note_stream_error(mux, hd_mux_output_uncork(&mux->output));
}

size_t hd_mux_channels_count(const hd_mux *mux) {
  return hd_mux_local_ids_taken(&mux->local_ids) - mux->abandoned_count;
}

void hd_mux_channel_close(hd_mux_channel *channel) {
  if (!hd_mux_channel_is_usable(channel)) {
    silence(channel);
    return;
  }
  const uint32_t id = channel->local_id;
  hd_mux_channel_finish(channel, HDHT_MUX_CLOSED_LOCALLY);
  hd_mux_write_control(channel->mux, HD_MUX_CLOSE, id);
}

int hd_mux_channel_send(hd_mux_channel *channel, uint32_t type, const hd_bytes *parts, size_t parts_count) {
  const int error = check_sendable(channel, type);
  if (error != HDHT_OK) return error;
  return hd_mux_write(channel->mux, channel->local_id, type, parts, parts_count);
}

int hd_mux_channel_header(const hd_mux_channel *channel, uint32_t type, uint8_t header[HD_MUX_HEADER_SIZE_LIMIT],
                          size_t *size) {
  const int error = check_sendable(channel, type);
  if (error != HDHT_OK) return error;
  if (channel->mux->output.corks_count > 0) return HDHT_ERR_INVALID_STATE;
  *size = hd_mux_write_header(header, channel->local_id, type);
  return HDHT_OK;
}

int hd_mux_write(hd_mux *mux, uint32_t channel, uint32_t type, const hd_bytes *parts, size_t parts_count) {
  const int error = hd_mux_output_write(&mux->output, channel, type, parts, parts_count);
  return error == HDHT_ERR_TOO_LARGE ? error : note_stream_error(mux, error);
}

int hd_mux_write_apart(hd_mux *mux, uint32_t channel, uint32_t type, const hd_bytes *parts, size_t parts_count) {
  const int error = hd_mux_output_write_apart(&mux->output, channel, type, parts, parts_count);
  return error == HDHT_ERR_TOO_LARGE ? error : note_stream_error(mux, error);
}

void hd_mux_write_control(hd_mux *mux, uint32_t type, uint32_t id) {
  uint8_t body[HD_CODEC_UINT_MAX_SIZE];
  hd_writer writer = hd_writer_of(body, sizeof body);
  (void)hd_codec_write_uint(&writer, id); /* fits any */
  const hd_bytes part = hd_bytes_of(body, (size_t)(writer.next - body));
  (void)hd_mux_write(mux, HD_MUX_CONTROL_CHANNEL, type, &part, 1);
}

void hd_mux_release_spent(hd_mux *mux) {
  HD_LIST_EACH(link, &mux->spent_channels) {
    hd_list_remove(link);
    hd_mux_channel_destroy(mux->allocator, HD_CONTAINER_OF(link, hd_mux_channel, link));
  }
  HD_LIST_EACH(link, &mux->spent_waitings) {
    hd_list_remove(link);
    hd_mux_waiting *waiting = HD_CONTAINER_OF(link, hd_mux_waiting, link);
    mux->held_size -= hd_mux_waiting_held_size(waiting);
    hd_mux_waiting_destroy(mux->allocator, waiting);
  }
}

/* A sink that failed once is not asked again: the error is the mux's own from then on. */
static int note_stream_error(hd_mux *mux, int error) {
  if (error != HDHT_OK) hd_mux_fail(mux, error);
  return error;
}

static int check_sendable(const hd_mux_channel *channel, uint32_t type) {
  if (!hd_mux_channel_is_usable(channel)) return HDHT_ERR_CLOSED;
  return type < channel->message_types ? HDHT_OK : HDHT_ERR_INVALID_ARGUMENT;
}

/* Of a channel that is closed already, nothing but its end is told. */
static void silence(hd_mux_channel *channel) {
  if (hd_mux_channel_is_usable(channel)) return;
  if (channel->waiting != NULL) hd_mux_spend_waiting(channel->mux, channel->waiting);
  channel->waiting = NULL;
  channel->notices &= HD_MUX_NOTICE_CLOSED;
}
