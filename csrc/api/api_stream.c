/* Streams: checks arguments, calls the core, and turns its callbacks into the user's. */
#include <hdht/error.h>

#include "api/api_options.h"
#include "api/api_udx.h"

#define COPY_LIMIT_DEFAULT ((uint32_t)1 << 20)

/* ---- what the core tells --------------------------------------------------------------------------------------- */

static bool on_firewall(void *context, hd_udx_stream *core, hd_socket_id socket, const hd_address *from) {
  (void)core;
  hdht_stream *stream = context;
  hdht_socket *arrived_on = hd_api_socket_of(stream->udx, socket);
  if (stream->callbacks.on_firewall == NULL || arrived_on == NULL) return false;
  return stream->callbacks.on_firewall(stream->user_data, arrived_on, from) != 0;
}

static void on_data(void *context, hd_udx_stream *core, hd_bytes bytes) {
  (void)core;
  hdht_stream *stream = context;
  if (stream->callbacks.on_data != NULL) stream->callbacks.on_data(stream->user_data, bytes);
}

static void on_message(void *context, hd_udx_stream *core, hd_bytes bytes) {
  (void)core;
  hdht_stream *stream = context;
  if (stream->callbacks.on_message != NULL) stream->callbacks.on_message(stream->user_data, bytes);
}

static void on_end(void *context, hd_udx_stream *core) {
  (void)core;
  hdht_stream *stream = context;
  if (stream->callbacks.on_end != NULL) stream->callbacks.on_end(stream->user_data);
}

static bool is_writable(const hdht_stream *stream) {
  return hd_udx_stream_is_writable(stream->core) && hd_api_copies_is_writable(&stream->copies);
}

static void drain_if_writable(hdht_stream *stream) {
  if (!stream->is_full || hd_udx_stream_is_closing(stream->core) || !is_writable(stream)) return;
  stream->is_full = false;
  if (stream->callbacks.on_drain != NULL) stream->callbacks.on_drain(stream->user_data);
}

static void on_acked(void *context, hd_udx_stream *core, uint64_t writes_count) {
  (void)core;
  hdht_stream *stream = context;
  hd_api_copies_completed(&stream->copies, writes_count);
  if (stream->callbacks.on_written != NULL) {
    stream->callbacks.on_written(stream->user_data, stream->copies.completed_count);
  }
  drain_if_writable(stream);
}

static void on_drain(void *context, hd_udx_stream *core) {
  (void)core;
  drain_if_writable(context);
}

static void on_remote_changed(void *context, hd_udx_stream *core) {
  (void)core;
  hdht_stream *stream = context;
  if (stream->callbacks.on_remote_changed != NULL) stream->callbacks.on_remote_changed(stream->user_data);
}

static void release(hdht_stream *stream) {
  hd_list_remove(&stream->link);
  hd_list_remove(&stream->flush_link);
  hd_api_copies_destroy(&stream->copies);
  hd_release(stream->udx->allocator, stream, sizeof *stream);
}

/* The core looks at no write any more. */
static void on_close(void *context, hd_udx_stream *core, int reason) {
  (void)core;
  hdht_stream *stream = context;
  const hdht_stream_callbacks callbacks = stream->callbacks;
  void *user_data = stream->user_data;
  release(stream);
  if (callbacks.on_closed != NULL) callbacks.on_closed(user_data, reason);
}

static const hd_udx_sink sink = {
    .on_firewall = on_firewall,
    .on_data = on_data,
    .on_message = on_message,
    .on_end = on_end,
    .on_acked = on_acked,
    .on_drain = on_drain,
    .on_remote_changed = on_remote_changed,
    .on_close = on_close,
};

/* ---- life ------------------------------------------------------------------------------------------------------ */

void hdht_stream_options_init(hdht_stream_options *options, size_t struct_size) {
  const hdht_stream_options defaults = {.struct_size = sizeof defaults};
  hd_api_init_struct(options, struct_size, &defaults, sizeof defaults);
}

/* Whatever is commanded takes effect before the loop waits again. */
static int touched(hdht_stream *stream, int result) {
  hd_uv_driver_touch(stream->udx->driver);
  return result;
}

static int create_core(hdht_stream *stream, uint32_t local_id, const hdht_stream_options *options) {
  const hd_udx_stream_options core_options = {
      .window = options->window,
      .window_max = options->window_max,
      .mtu_ceiling = (uint16_t)options->mtu_ceiling,
      .patience = HD_MILLISECONDS(options->patience_ms),
      .keepalive = HD_MILLISECONDS(options->keepalive_ms),
      .send_seq = options->send_seq,
      .receive_seq = options->receive_seq,
  };
  const int result = hd_udx_stream_create(stream->udx->core, local_id, &core_options, &sink, stream, &stream->core);
  if (result == HDHT_OK && options->keepalive_ms != 0) {
    hd_udx_stream_set_keepalive(stream->core, core_options.keepalive, options->keepalive_misses);
  }
  return result;
}

int hdht_stream_create(hdht_udx *udx, uint32_t local_id, const hdht_stream_options *options,
                       const hdht_stream_callbacks *callbacks, void *user_data, hdht_stream **stream) {
  hdht_stream_options known = {0};
  hdht_stream_callbacks known_callbacks = {0};
  if (udx == NULL || stream == NULL) return HDHT_ERR_INVALID_ARGUMENT;
  if (options != NULL && hd_api_read_struct(&known, sizeof known, options) != HDHT_OK) {
    return HDHT_ERR_INVALID_ARGUMENT;
  }
  if (hd_api_read_struct(&known_callbacks, sizeof known_callbacks, callbacks) != HDHT_OK) {
    return HDHT_ERR_INVALID_ARGUMENT;
  }
  if (known.mtu_ceiling > HD_UDX_MTU_CEILING_MAX) return HDHT_ERR_INVALID_ARGUMENT;
  if (udx->is_closing) return HDHT_ERR_CLOSED;

  hdht_stream *created = hd_allocate(udx->allocator, sizeof *created);
  if (created == NULL) return HDHT_ERR_OUT_OF_MEMORY;
  *created = (hdht_stream){.udx = udx, .callbacks = known_callbacks, .user_data = user_data};
  hd_list_init(&created->link);
  hd_list_init(&created->flush_link);
  hd_api_copies_init(&created->copies, udx->allocator, known.copy_limit != 0 ? known.copy_limit : COPY_LIMIT_DEFAULT);
  const int result = create_core(created, local_id, &known);
  if (result != HDHT_OK) {
    release(created);
    return result;
  }
  hd_list_push_back(&udx->streams, &created->link);
  *stream = created;
  return touched(created, HDHT_OK);
}

/* Errors: HDHT_ERR_INVALID_ARGUMENT, HDHT_ERR_CLOSED. */
static int check_path(const hdht_stream *stream, const hdht_socket *socket, const hdht_address *remote) {
  if (stream == NULL || socket == NULL || remote == NULL) return HDHT_ERR_INVALID_ARGUMENT;
  if (socket->udx != stream->udx) return HDHT_ERR_INVALID_ARGUMENT;
  return socket->is_closing ? HDHT_ERR_CLOSED : HDHT_OK;
}

int hdht_stream_connect(hdht_stream *stream, hdht_socket *socket, const hdht_address *remote, uint32_t remote_id) {
  const int result = check_path(stream, socket, remote);
  if (result != HDHT_OK) return result;
  return touched(stream, hd_udx_stream_connect(stream->core, socket->id, remote, remote_id));
}

int hdht_stream_change_remote(hdht_stream *stream, hdht_socket *socket, const hdht_address *remote,
                              uint32_t remote_id) {
  const int result = check_path(stream, socket, remote);
  if (result != HDHT_OK) return result;
  return touched(stream, hd_udx_stream_change_remote(stream->core, socket->id, remote, remote_id));
}

int hdht_stream_relay_to(hdht_stream *stream, hdht_stream *to) {
  if (stream == NULL || to == NULL) return HDHT_ERR_INVALID_ARGUMENT;
  return hd_udx_stream_relay_to(stream->core, to->core);
}

void hdht_stream_destroy(hdht_stream *stream) {
  if (stream == NULL) return;
  hd_udx_stream_destroy(stream->core);
  touched(stream, HDHT_OK);
}

/* ---- writing --------------------------------------------------------------------------------------------------- */

/* Errors: HDHT_ERR_INVALID_ARGUMENT, HDHT_ERR_CLOSED, HDHT_ERR_NOT_CONNECTED, HDHT_ERR_ENDED. */
static int check_write(const hdht_stream *stream, const hdht_bytes *parts, size_t parts_count) {
  if (stream == NULL || (parts == NULL && parts_count > 0)) return HDHT_ERR_INVALID_ARGUMENT;
  for (size_t i = 0; i < parts_count; i++) {
    if (parts[i].data == NULL && parts[i].size > 0) return HDHT_ERR_INVALID_ARGUMENT;
  }
  if (hd_udx_stream_is_closing(stream->core)) return HDHT_ERR_CLOSED;
  if (!hd_udx_stream_is_connected(stream->core)) return HDHT_ERR_NOT_CONNECTED;
  return stream->is_ended ? HDHT_ERR_ENDED : HDHT_OK;
}

int hdht_stream_is_writable(hdht_stream *stream) {
  stream->is_full = !is_writable(stream);
  return stream->is_full ? 0 : 1;
}

static int pass(hdht_stream *stream, const hdht_bytes *parts, size_t parts_count) {
  const int result = hd_api_copies_flush(&stream->copies, stream->core);
  return result == HDHT_OK ? hd_api_copies_pass(&stream->copies, stream->core, parts, parts_count) : result;
}

int hdht_stream_write(hdht_stream *stream, const hdht_bytes *parts, size_t parts_count, int *is_writable_now) {
  int result = check_write(stream, parts, parts_count);
  if (result == HDHT_OK) result = pass(stream, parts, parts_count);
  if (result != HDHT_OK) return result;
  const int is_writable_after = hdht_stream_is_writable(stream);
  if (is_writable_now != NULL) *is_writable_now = is_writable_after;
  return touched(stream, HDHT_OK);
}

static bool is_empty(const hdht_bytes *parts, size_t parts_count) {
  for (size_t i = 0; i < parts_count; i++) {
    if (parts[i].size > 0) return false;
  }
  return true;
}

int hdht_stream_write_copy(hdht_stream *stream, const hdht_bytes *parts, size_t parts_count, int *is_writable_now) {
  int result = check_write(stream, parts, parts_count);
  if (result != HDHT_OK) return result;
  if (is_empty(parts, parts_count)) return hdht_stream_write(stream, parts, parts_count, is_writable_now);
  result = hd_api_copies_add(&stream->copies, stream->core, parts, parts_count);
  if (result == HDHT_ERR_WOULD_BLOCK) stream->is_full = true;
  if (result != HDHT_OK) return result;
  if (hd_list_is_empty(&stream->flush_link)) hd_list_push_back(&stream->udx->flushing, &stream->flush_link);
  const int is_writable_after = hdht_stream_is_writable(stream);
  if (is_writable_now != NULL) *is_writable_now = is_writable_after;
  return touched(stream, HDHT_OK);
}

/* What the core cannot take now (for want of memory) is tried again with the next drain. */
void hd_api_streams_flush(hdht_udx *udx) {
  HD_LIST_EACH(link, &udx->flushing) {
    hdht_stream *stream = HD_CONTAINER_OF(link, hdht_stream, flush_link);
    if (hd_udx_stream_is_closing(stream->core) || hd_api_copies_flush(&stream->copies, stream->core) == HDHT_OK) {
      hd_list_remove(link);
    }
  }
}

int hdht_stream_end(hdht_stream *stream) {
  int result = check_write(stream, NULL, 0);
  if (result == HDHT_OK) result = hd_api_copies_flush(&stream->copies, stream->core);
  if (result == HDHT_OK) result = hd_udx_stream_end(stream->core);
  if (result != HDHT_OK) return result;
  stream->is_ended = true;
  return touched(stream, HDHT_OK);
}

int hdht_stream_send_message(hdht_stream *stream, hdht_bytes bytes) {
  if (stream == NULL || (bytes.data == NULL && bytes.size > 0)) return HDHT_ERR_INVALID_ARGUMENT;
  return touched(stream, hd_udx_stream_send_message(stream->core, bytes));
}

size_t hdht_stream_message_size_max(const hdht_stream *stream) {
  return hd_udx_stream_message_size_max(stream->core);
}

void hdht_stream_set_keepalive(hdht_stream *stream, uint32_t period_ms, uint32_t misses_limit) {
  hd_udx_stream_set_keepalive(stream->core, HD_MILLISECONDS(period_ms), misses_limit);
  touched(stream, HDHT_OK);
}

/* ---- reading --------------------------------------------------------------------------------------------------- */

void hdht_stream_pause(hdht_stream *stream) {
  hd_udx_stream_pause(stream->core);
}

void hdht_stream_resume(hdht_stream *stream) {
  hd_udx_stream_resume(stream->core);
  touched(stream, HDHT_OK);
}

void hdht_stream_set_held_bytes(hdht_stream *stream, uint64_t held_bytes) {
  hd_udx_stream_set_held_bytes(stream->core, held_bytes);
  touched(stream, HDHT_OK);
}

/* ---- looking --------------------------------------------------------------------------------------------------- */

uint32_t hdht_stream_local_id(const hdht_stream *stream) {
  return hd_udx_stream_local_id(stream->core);
}

uint32_t hdht_stream_remote_id(const hdht_stream *stream) {
  return hd_udx_stream_remote_id(stream->core);
}

int hdht_stream_get_remote(const hdht_stream *stream, hdht_address *remote) {
  if (!hd_udx_stream_is_connected(stream->core)) return HDHT_ERR_NOT_CONNECTED;
  *remote = hd_udx_stream_remote(stream->core);
  return HDHT_OK;
}

void hdht_stream_get_stats(const hdht_stream *stream, hdht_stream_stats *stats, size_t struct_size) {
  hd_udx_stream_stats core;
  hd_udx_stream_get_stats(stream->core, &core);
  const hdht_stream_stats known = {
      .struct_size = sizeof known,
      .packets_received = core.packets_received,
      .bytes_received = core.bytes_received,
      .packets_sent = core.packets_sent,
      .bytes_sent = core.bytes_sent,
      .retransmits = core.retransmits,
      .losses = core.losses,
      .timeouts = core.timeouts,
      .tail_probes = core.tail_probes,
      .recoveries = core.recoveries,
      .window_probes = core.window_probes,
      .duplicates = core.duplicates,
      .dropped_firewall = core.dropped_firewall,
      .dropped_malformed = core.dropped_malformed,
      .dropped_far_future = core.dropped_far_future,
      .dropped_no_room = core.dropped_no_room,
      .dropped_destroy = core.dropped_destroy,
      .dropped_ended = core.dropped_ended,
      .bad_acks = core.bad_acks,
      .bad_sacks = core.bad_sacks,
      .send_errors = core.send_errors,
      .smoothed_rtt_us = core.smoothed_rtt_us,
      .min_rtt_us = core.min_rtt_us,
      .bandwidth = core.bandwidth,
      .congestion_window = core.congestion_window,
      .in_flight = core.in_flight,
      .unacked = hd_udx_stream_unacked_bytes(stream->core),
      .send_window = core.send_window,
      .receive_window = core.receive_window,
      .mtu = core.mtu,
  };
  hd_api_init_struct(stats, struct_size, &known, sizeof known);
}
