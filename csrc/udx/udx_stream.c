#include "udx/udx_stream.h"

static bool is_finished(const hd_udx_stream *stream);

/* ---- making and ending ----------------------------------------------------------------------------------------- */

static void init(hd_udx_stream *stream, hd_udx *udx, uint32_t local_id, const hd_udx_stream_options *options) {
  *stream = (hd_udx_stream){.entry = {.local_id = local_id}, .udx = udx, .trim_at = HD_TIME_NEVER};
  hd_list_init(&stream->notify_link);
  hd_list_init(&stream->send_link);
  hd_list_init(&stream->relay_link);
  hd_list_init(&stream->relay_sources);
  stream->sent.una = stream->sent.next = options->send_seq;
  hd_udx_loss_init(&stream->loss, options->patience.us != 0 ? options->patience : HD_UDX_PATIENCE_DEFAULT);
  hd_udx_mtu_init(&stream->mtu, options->mtu_ceiling);
  hd_udx_congestion_init(&stream->congestion, stream->mtu.current, local_id);
  stream->pacing.tokens = HD_UDX_PACING_BURST_BYTES;
  hd_udx_receive_init(&stream->receiver, options->receive_seq);
  hd_udx_flow_init(&stream->flow, options->window, options->window_max, options->send_seq, options->receive_seq);
  hd_udx_keepalive_set(&stream->keepalive, options->keepalive, 0);
  hd_udx_suspicion_clear(&stream->suspicion);
}

/* A ghost gives its id up for a new stream. */
static int take_id(hd_udx *udx, uint32_t local_id) {
  hd_udx_entry *entry = hd_udx_streams_find(&udx->streams, local_id);
  if (entry == NULL) return HDHT_OK;
  if (!entry->is_ghost) return HDHT_ERR_EXISTS;
  hd_udx_forget_ghost(udx, (hd_udx_ghost *)entry);
  return HDHT_OK;
}

int hd_udx_stream_create(hd_udx *udx, uint32_t local_id, const hd_udx_stream_options *options, const hd_udx_sink *sink,
                         void *context, hd_udx_stream **stream) {
  static const hd_udx_stream_options defaults;
  if (udx->streams_limit != 0 && udx->streams_count >= udx->streams_limit) return HDHT_ERR_LIMIT;
  int error = take_id(udx, local_id);
  if (error != HDHT_OK) return error;

  /* Reserved here, so that a deadline can always be set; one more for the ghost that the stream turns into. */
  error = hd_deadline_heap_reserve(&udx->deadlines, (uint32_t)(udx->streams_count + udx->ghosts_count + 2));
  if (error != HDHT_OK) return error;
  hd_udx_stream *made = hd_allocate(udx->allocator, sizeof *made);
  if (made == NULL) return HDHT_ERR_OUT_OF_MEMORY;
  init(made, udx, local_id, options != NULL ? options : &defaults);
  made->sink = sink;
  made->context = context;
  error = hd_udx_streams_add(&udx->streams, &made->entry);
  if (error != HDHT_OK) {
    hd_release(udx->allocator, made, sizeof *made);
    return error;
  }
  udx->streams_count++;
  if (made->keepalive.period.us != 0) hd_udx_stream_want_send(made);
  *stream = made;
  return HDHT_OK;
}

static bool is_usable_remote(hd_socket_id socket, const hd_address *remote) {
  return socket != HD_SOCKET_NONE && remote->port != 0 && !hd_address_is_none(remote);
}

int hd_udx_stream_connect(hd_udx_stream *stream, hd_socket_id socket, const hd_address *remote, uint32_t remote_id) {
  if (!is_usable_remote(socket, remote)) return HDHT_ERR_INVALID_ARGUMENT;
  if (stream->is_closing) return HDHT_ERR_CLOSED;
  if (stream->is_connected) return HDHT_ERR_ALREADY_CONNECTED;
  const int error = hd_udx_scratch_reserve(&stream->udx->scratch, stream->udx->allocator);
  if (error != HDHT_OK) return error;

  stream->is_connected = true;
  stream->socket = socket;
  stream->remote = *remote;
  stream->remote_id = remote_id;
  hd_udx_mtu_set_remote(&stream->mtu, remote);
  hd_udx_stream_want_send(stream); /* the acknowledgement of what came before */
  return HDHT_OK;
}

/* The ghost takes over the id when the stream is freed; until then packets still find the stream, which ignores them.
 */
static void leave_ghost(hd_udx_stream *stream, hd_udx_ghost_kind kind, uint32_t sends, hd_udx_header header) {
  hd_udx *udx = stream->udx;
  if (!stream->is_connected) return;
  hd_udx_ghost *ghost = hd_allocate(udx->allocator, sizeof *ghost);
  if (ghost == NULL) return; /* less polite, but still correct */
  *ghost = (hd_udx_ghost){
      .entry = {.local_id = stream->entry.local_id, .is_ghost = true},
      .kind = kind,
      .sends_left = sends,
      .delay = HD_UDX_GHOST_DESTROY_DELAY,
      .send_at = HD_TIME_NEVER,
      .socket = stream->socket,
      .remote = stream->remote,
      .header = header,
  };
  stream->ghost = ghost;
}

static void close_one(hd_udx_stream *stream, int reason) {
  stream->is_closing = true;
  stream->close_reason = reason;
  hd_list_remove(&stream->send_link);
  hd_udx_stream_want_settle(stream);
}

/* The ends of a relay see each other's numbers, so a DESTROY made here must continue them. */
static hd_udx_header relay_header(const hd_udx_stream *stream) {
  hd_udx_header header = {.stream_id = stream->remote_id, .window = stream->flow.limit};
  const hd_list *link = hd_list_first(&stream->relay_sources);
  if (link != NULL) {
    const hd_udx_stream *source = HD_CONTAINER_OF(link, hd_udx_stream, relay_link);
    header.seq = source->receiver.next;
    header.ack = source->sent.una;
  }
  return header;
}

/* `is_told`: the end behind this leg has been sent the DESTROY that was relayed. */
static void close_relay_leg(hd_udx_stream *stream, int reason, bool is_silent, bool is_told) {
  const uint32_t sends = is_silent || is_told ? 0 : HD_UDX_GHOST_DESTROYS;
  leave_ghost(stream, is_silent ? HD_UDX_GHOST_SILENT : HD_UDX_GHOST_DESTROY, sends, relay_header(stream));
  close_one(stream, reason);
}

static void close_relay(hd_udx_stream *stream, int reason) {
  const bool is_relayed_destroy = reason == HDHT_ERR_CONNECTION_RESET;
  close_relay_leg(stream, reason, /*is_silent=*/is_relayed_destroy, /*is_told=*/false);
  if (stream->relay_to != NULL && !stream->relay_to->is_closing) {
    close_relay_leg(stream->relay_to, HDHT_OK, /*is_silent=*/false, /*is_told=*/is_relayed_destroy);
  }
  HD_LIST_EACH(link, &stream->relay_sources) {
    hd_udx_stream *source = HD_CONTAINER_OF(link, hd_udx_stream, relay_link);
    if (!source->is_closing) close_relay_leg(source, HDHT_OK, /*is_silent=*/false, /*is_told=*/is_relayed_destroy);
  }
}

void hd_udx_stream_close(hd_udx_stream *stream, int reason) {
  if (stream->is_closing) return;
  if (stream->relay_to != NULL || !hd_list_is_empty(&stream->relay_sources)) {
    close_relay(stream, reason);
    return;
  }
  if (reason == HDHT_ERR_CONNECTION_RESET) {
    leave_ghost(stream, HD_UDX_GHOST_SILENT, 0, (hd_udx_header){0});
  } else if (is_finished(stream)) {
    leave_ghost(stream, HD_UDX_GHOST_ACK, stream->ack.is_needed ? 1 : 0, hd_udx_stream_header(stream));
  } else {
    leave_ghost(stream, HD_UDX_GHOST_DESTROY, HD_UDX_GHOST_DESTROYS, hd_udx_stream_header(stream));
  }
  close_one(stream, reason);
}

void hd_udx_stream_destroy(hd_udx_stream *stream) {
  hd_udx_stream_close(stream, HDHT_OK);
}

void hd_udx_stream_free(hd_udx_stream *stream) {
  hd_udx *udx = stream->udx;
  hd_list_remove(&stream->notify_link);
  hd_list_remove(&stream->send_link);
  hd_list_remove(&stream->relay_link);
  HD_LIST_EACH(link, &stream->relay_sources) {
    HD_CONTAINER_OF(link, hd_udx_stream, relay_link)->relay_to = NULL;
    hd_list_remove(link);
  }
  hd_deadline_heap_remove(&udx->deadlines, &stream->entry.deadline);
  hd_udx_send_queue_destroy(&stream->queue, udx->allocator);
  hd_udx_sent_destroy(&stream->sent, udx->allocator);
  hd_udx_receive_destroy(&stream->receiver, udx->allocator, &udx->pool);
  hd_udx_ack_destroy(&stream->ack, udx->allocator);
  hd_udx_messages_destroy(&stream->messages, &udx->pool);
  udx->streams_count--;
  hd_release(udx->allocator, stream, sizeof *stream);
}

/* ---- sending --------------------------------------------------------------------------------------------------- */

static int check_writable(const hd_udx_stream *stream) {
  if (stream->is_closing) return HDHT_ERR_CLOSED;
  if (stream->relay_to != NULL) return HDHT_ERR_INVALID_STATE;
  if (!stream->is_connected) return HDHT_ERR_NOT_CONNECTED;
  return stream->is_end_queued ? HDHT_ERR_ENDED : HDHT_OK;
}

int hd_udx_stream_write(hd_udx_stream *stream, const hd_bytes *parts, size_t parts_count) {
  int error = check_writable(stream);
  if (error != HDHT_OK) return error;
  error = hd_udx_send_queue_push(&stream->queue, stream->udx->allocator, parts, parts_count);
  if (error != HDHT_OK) return error;
  if (!hd_udx_stream_is_writable(stream)) stream->is_full = true;
  hd_udx_stream_want_send(stream);
  return HDHT_OK;
}

int hd_udx_stream_end(hd_udx_stream *stream) {
  const int error = check_writable(stream);
  if (error != HDHT_OK) return error;
  stream->is_end_queued = true;
  hd_udx_stream_want_send(stream);
  return HDHT_OK;
}

bool hd_udx_stream_is_writable(const hd_udx_stream *stream) {
  const uint64_t high_water = HD_UDX_WRITE_HIGH_WATER + 2 * hd_udx_congestion_window(&stream->congestion);
  return stream->queue.unacked_bytes < high_water && stream->queue.end - stream->queue.first < HD_UDX_WRITES_LIMIT / 2;
}

uint64_t hd_udx_stream_unacked_bytes(const hd_udx_stream *stream) {
  return stream->queue.unacked_bytes;
}

size_t hd_udx_stream_message_size_max(const hd_udx_stream *stream) {
  return hd_udx_mtu_payload(&stream->mtu);
}

int hd_udx_stream_send_message(hd_udx_stream *stream, hd_bytes bytes) {
  if (stream->is_closing) return HDHT_ERR_CLOSED;
  if (stream->relay_to != NULL) return HDHT_ERR_INVALID_STATE;
  if (!stream->is_connected) return HDHT_ERR_NOT_CONNECTED;
  if (bytes.size > hd_udx_stream_message_size_max(stream)) return HDHT_ERR_TOO_LARGE;
  const int error = hd_udx_messages_push(&stream->messages, &stream->udx->pool, bytes);
  if (error == HDHT_OK) hd_udx_stream_want_send(stream);
  return error;
}

void hd_udx_stream_set_keepalive(hd_udx_stream *stream, hd_duration period, uint32_t misses_limit) {
  hd_udx_keepalive_set(&stream->keepalive, period, misses_limit);
  if (!stream->is_closing) hd_udx_stream_want_send(stream); /* which sets the timer */
}

hd_udx_header hd_udx_stream_header(hd_udx_stream *stream) {
  stream->flow.advertised = hd_udx_flow_window(&stream->flow, hd_udx_receive_waiting_bytes(&stream->receiver));
  return (hd_udx_header){
      .stream_id = stream->remote_id,
      .window = stream->flow.advertised,
      .seq = stream->sent.next,
      .ack = stream->receiver.next,
  };
}

/* ---- receiving ------------------------------------------------------------------------------------------------- */

void hd_udx_stream_pause(hd_udx_stream *stream) {
  stream->receiver.is_paused = true;
}

void hd_udx_stream_resume(hd_udx_stream *stream) {
  stream->receiver.is_paused = false;
  if (stream->is_closing) return;
  hd_udx_stream_want_settle(stream);
  hd_udx_stream_want_send(stream);
}

void hd_udx_stream_set_held_bytes(hd_udx_stream *stream, uint64_t held_bytes) {
  stream->flow.held_by_user = held_bytes;
  if (!stream->is_closing) hd_udx_stream_want_send(stream);
}

/* ---- paths ----------------------------------------------------------------------------------------------------- */

int hd_udx_stream_change_remote(hd_udx_stream *stream, hd_socket_id socket, const hd_address *remote,
                                uint32_t remote_id) {
  if (!is_usable_remote(socket, remote)) return HDHT_ERR_INVALID_ARGUMENT;
  if (stream->is_closing) return HDHT_ERR_CLOSED;
  if (!stream->is_connected) return HDHT_ERR_NOT_CONNECTED;

  for (uint32_t number = stream->sent.una; number != stream->sent.next; number++) {
    hd_udx_sent_at(&stream->sent, number)->marks |= HD_UDX_SENT_OLD_PATH;
  }
  stream->old_remote = stream->remote;
  stream->old_remote_id = stream->remote_id;
  stream->socket = socket;
  stream->remote = *remote;
  stream->remote_id = remote_id;
  stream->remote_change_mark = stream->sent.next;
  stream->is_remote_changing = hd_udx_stream_has_outstanding(stream);
  stream->is_remote_changed = !stream->is_remote_changing;
  hd_udx_mtu_set_remote(&stream->mtu, remote);
  hd_udx_congestion_set_packet_size(&stream->congestion, stream->mtu.current);
  hd_list_remove(&stream->send_link); /* perhaps it waited for the old socket */
  hd_udx_stream_want_send(stream);
  hd_udx_stream_want_settle(stream);
  return HDHT_OK;
}

int hd_udx_stream_relay_to(hd_udx_stream *stream, hd_udx_stream *to) {
  if (stream == to || stream->udx != to->udx) return HDHT_ERR_INVALID_ARGUMENT;
  if (stream->is_closing || to->is_closing) return HDHT_ERR_CLOSED;
  if (stream->relay_to != NULL) return HDHT_ERR_EXISTS;
  if (hd_udx_stream_has_outstanding(stream) || hd_udx_stream_has_unsent(stream)) return HDHT_ERR_INVALID_STATE;
  if (stream->receiver.held_count > 0) return HDHT_ERR_INVALID_STATE;
  stream->relay_to = to;
  hd_list_push_back(&to->relay_sources, &stream->relay_link);
  return HDHT_OK;
}

/* ---- what happens once per batch --------------------------------------------------------------------------------- */

static void judge_news(hd_udx_stream *stream, hd_time now);
static void find_losses(hd_udx_stream *stream, hd_time now);
static void count_losses(hd_udx_stream *stream, hd_time now, hd_udx_loss_found found);
static void report(hd_udx_stream *stream);
static void finish(hd_udx_stream *stream, hd_time now);

/* The order: what acknowledgements mean for sending; waiting data; then what the user is to be told, after each piece
 * of which the stream may be closing. */
void hd_udx_stream_settle(hd_udx_stream *stream, hd_time now) {
  if (stream->news.is_any && !stream->is_closing) judge_news(stream, now);
  if (!stream->is_closing) hd_udx_stream_deliver_waiting(stream);
  if (!stream->is_closing) report(stream);
  if (!stream->is_closing && is_finished(stream)) hd_udx_stream_close(stream, HDHT_OK);
  if (stream->is_closing) finish(stream, now);
}

static void judge_news(hd_udx_stream *stream, hd_time now) {
  hd_udx_ack_news *news = &stream->news;
  find_losses(stream, now);
  const uint64_t rate = hd_udx_rate_of(&stream->rate, &news->rate, hd_udx_rtt_minimum(&stream->rtt));
  const hd_udx_congestion_batch batch = {
      .now = now,
      .delivered = stream->rate.delivered,
      .prior_delivered = news->rate.newest.delivered,
      .acked = news->rate.acked,
      .lost = stream->lost_bytes,
      .in_flight = stream->sent.flight_bytes,
      .prior_in_flight = news->prior_in_flight,
      .rate = rate,
      .rtt = news->rtt,
      .is_app_limited = news->rate.is_app_limited,
  };
  hd_udx_congestion_acked(&stream->congestion, &batch);
  stream->lost_bytes = 0;
  hd_udx_loss_heard(&stream->loss, &stream->rtt, now);
  hd_udx_loss_arm_tail_probe(&stream->loss, &stream->sent, &stream->rtt, now);
  news->is_any = false;
  hd_udx_stream_want_send(stream);
}

static void find_losses(hd_udx_stream *stream, hd_time now) {
  const bool is_repairing = !hd_udx_recovery_is_open(&stream->recovery);
  count_losses(stream, now, hd_udx_loss_detect(&stream->loss, &stream->sent, &stream->rtt, now, is_repairing));
}

/* A lost MTU probe says something about its size, and nothing about the path otherwise. */
static void count_losses(hd_udx_stream *stream, hd_time now, hd_udx_loss_found found) {
  if (found.probes > 0) hd_udx_mtu_probe_lost(&stream->mtu, now);
  if (found.packets == 0) return;
  stream->stats.losses += found.packets;
  stream->lost_bytes += found.bytes;
  if (hd_udx_recovery_lost(&stream->recovery, stream->sent.next)) stream->stats.recoveries++;
}

void hd_udx_stream_deliver_waiting(hd_udx_stream *stream) {
  hd_udx *udx = stream->udx;
  for (hd_udx_held_packet *packet; (packet = hd_udx_receive_take(&stream->receiver)) != NULL;) {
    hd_udx_flow_taken(&stream->flow, packet->size, hd_udx_receive_waiting_bytes(&stream->receiver));
    if ((packet->flags & HD_UDX_FLAG_DATA) != 0 && stream->sink->on_data != NULL) {
      stream->sink->on_data(stream->context, stream, hd_bytes_of(packet->payload, packet->size));
    }
    hd_udx_pool_give(&udx->pool, packet);
    if (stream->is_closing) return;
  }
}

static void report(hd_udx_stream *stream) {
  const hd_udx_sink *sink = stream->sink;
  if (stream->writes_reported != stream->queue.writes_acked) {
    stream->writes_reported = stream->queue.writes_acked;
    if (sink->on_acked != NULL) sink->on_acked(stream->context, stream, stream->writes_reported);
    if (stream->is_closing) return;
  }
  if (stream->is_full && hd_udx_stream_is_writable(stream)) {
    stream->is_full = false;
    if (sink->on_drain != NULL) sink->on_drain(stream->context, stream);
    if (stream->is_closing) return;
  }
  if (stream->is_remote_changed) {
    stream->is_remote_changed = false;
    if (sink->on_remote_changed != NULL) sink->on_remote_changed(stream->context, stream);
    if (stream->is_closing) return;
  }
  if (!stream->is_end_reported && !stream->receiver.is_paused && hd_udx_receive_is_finished(&stream->receiver)) {
    stream->is_end_reported = true;
    if (sink->on_end != NULL) sink->on_end(stream->context, stream);
  }
}

/* Both sides ended, all was acknowledged and the reader knows. */
static bool is_finished(const hd_udx_stream *stream) {
  return stream->is_end_sent && stream->is_end_reported && !hd_udx_stream_has_outstanding(stream);
}

static void finish(hd_udx_stream *stream, hd_time now) {
  hd_udx *udx = stream->udx;
  if (stream->sink->on_close != NULL) stream->sink->on_close(stream->context, stream, stream->close_reason);
  hd_deadline_heap_remove(&udx->deadlines, &stream->entry.deadline);
  if (stream->ghost != NULL) {
    hd_udx_adopt_ghost(udx, stream->ghost, now);
  } else {
    hd_udx_streams_remove(&udx->streams, &stream->entry);
  }
  hd_udx_stream_free(stream);
}

/* ---- timers ---------------------------------------------------------------------------------------------------- */

static void time_out(hd_udx_stream *stream, hd_time now);
static void probe_window(hd_udx_stream *stream, hd_time now);
static void trim(hd_udx_stream *stream);

void hd_udx_stream_elapse(hd_udx_stream *stream, hd_time now) {
  if (stream->is_closing) return;
  hd_udx_stream_want_send(stream); /* sets the next deadline in any case */
  switch (hd_udx_loss_expire(&stream->loss, &stream->sent, now)) {
    case HD_UDX_EXPIRY_NONE: break;
    case HD_UDX_EXPIRY_REORDER: find_losses(stream, now); break;
    case HD_UDX_EXPIRY_TAIL:
      stream->is_forced = stream->is_tail_probe = true;
      stream->stats.tail_probes++;
      break;
    case HD_UDX_EXPIRY_TIMEOUT: time_out(stream, now); break;
  }
  if (stream->is_closing) return;
  if (hd_time_is_due(stream->flow.probe_at, now)) probe_window(stream, now);

  switch (hd_udx_keepalive_elapse(&stream->keepalive, now, hd_udx_stream_has_outstanding(stream))) {
    case HD_UDX_KEEPALIVE_WAIT: break;
    case HD_UDX_KEEPALIVE_SEND: stream->is_heartbeat_due = true; break;
    case HD_UDX_KEEPALIVE_GIVE_UP: hd_udx_stream_close(stream, HDHT_ERR_TIMED_OUT); return;
  }
  if (hd_time_is_due(stream->suspicion.due_at, now)) {
    if (!hd_udx_suspicion_elapse(&stream->suspicion, now, hd_udx_rtt_timeout(&stream->rtt))) {
      hd_udx_stream_close(stream, HDHT_ERR_CONNECTION_RESET);
      return;
    }
    stream->is_heartbeat_due = true;
  }
  if (hd_time_is_due(stream->trim_at, now)) trim(stream);
}

static void time_out(hd_udx_stream *stream, hd_time now) {
  if (hd_udx_loss_is_hopeless(&stream->loss, now)) {
    hd_udx_stream_close(stream, HDHT_ERR_TIMED_OUT);
    return;
  }
  stream->stats.timeouts++;
  hd_udx_sent *sent = &stream->sent;
  if ((hd_udx_sent_at(sent, sent->una)->marks & HD_UDX_SENT_LARGE) != 0 &&
      hd_udx_mtu_large_timed_out(&stream->mtu, now)) {
    hd_udx_congestion_set_packet_size(&stream->congestion, stream->mtu.current);
  }
  count_losses(stream, now, hd_udx_loss_time_out(&stream->loss, sent, &stream->rtt, now));
  hd_udx_recovery_timed_out(&stream->recovery, sent->next);
  hd_udx_congestion_timed_out(&stream->congestion, sent->flight_bytes);

  /* The old path had its chance. */
  if (stream->is_remote_changing) {
    for (uint32_t number = sent->una; number != sent->next; number++) {
      hd_udx_sent_at(sent, number)->marks &= (uint8_t)~HD_UDX_SENT_OLD_PATH;
    }
  }
}

/* The window is closed and nothing is in flight that could bring news of it. */
static void probe_window(hd_udx_stream *stream, hd_time now) {
  stream->stats.window_probes++;
  if (stream->flow.probes < HD_UDX_WINDOW_PROBE_HEARTBEATS) {
    stream->flow.probes++;
    stream->is_heartbeat_due = true;
  } else {
    stream->is_forced = true;
  }
  stream->flow.probe_at = hd_time_add(now, hd_duration_times(hd_udx_rtt_timeout(&stream->rtt), 2));
}

static void trim(hd_udx_stream *stream) {
  stream->trim_at = HD_TIME_NEVER;
  if (hd_udx_stream_has_outstanding(stream) || stream->queue.end != stream->queue.first) return;
  hd_udx_send_queue_destroy(&stream->queue, stream->udx->allocator);
  hd_udx_sent_destroy(&stream->sent, stream->udx->allocator);
  hd_udx_receive_trim(&stream->receiver, stream->udx->allocator, &stream->udx->pool);
  hd_udx_ack_destroy(&stream->ack, stream->udx->allocator);
}

static bool is_window_closed(const hd_udx_stream *stream) {
  return stream->is_connected && stream->flow.send_window == 0 && !hd_udx_stream_has_outstanding(stream) &&
         hd_udx_stream_has_unsent(stream);
}

static bool holds_memory(const hd_udx_stream *stream) {
  return stream->queue.capacity > 0 || stream->sent.capacity > 0 || stream->receiver.slots_count > 0 ||
         stream->sent.sacked.capacity > 0 || stream->receiver.ranges.capacity > 0 || stream->ack.fresh.capacity > 0 ||
         stream->ack.previous.capacity > 0;
}

/* Data waits, nothing in flight will wake the stream, and neither window nor pacing is the reason: there was no memory
 * for a record. */
static bool is_starved(const hd_udx_stream *stream) {
  return stream->is_connected && stream->sent.flight.count == 0 && !stream->is_paced && stream->flow.send_window > 0 &&
         (stream->sent.lost.count > 0 || hd_udx_stream_has_unsent(stream)) &&
         !hd_udx_socket_is_blocked(stream->udx, stream->socket);
}

void hd_udx_stream_arm(hd_udx_stream *stream, hd_time now) {
  if (!is_window_closed(stream)) {
    stream->flow.probe_at = HD_TIME_NEVER;
    stream->flow.probes = 0;
  } else if (hd_time_is_never(stream->flow.probe_at)) {
    stream->flow.probe_at = hd_time_add(now, hd_udx_rtt_timeout(&stream->rtt));
  }
  if (stream->keepalive.period.us != 0 && hd_time_is_never(stream->keepalive.due_at)) {
    hd_udx_keepalive_restart(&stream->keepalive, now);
  }
  if (hd_udx_stream_has_outstanding(stream) || !holds_memory(stream)) {
    stream->trim_at = HD_TIME_NEVER;
  } else if (hd_time_is_never(stream->trim_at)) {
    stream->trim_at = hd_time_add(now, HD_UDX_IDLE_TRIM_AFTER);
  }

  hd_time at = hd_udx_loss_deadline(&stream->loss, &stream->sent);
  if (stream->is_paced) at = hd_time_earlier(at, hd_time_later(hd_udx_pacing_next(&stream->pacing), now));
  at = hd_time_earlier(at, stream->flow.probe_at);
  if (is_starved(stream)) at = hd_time_earlier(at, hd_time_add(now, HD_UDX_STARVED_RETRY));
  if (stream->keepalive.period.us != 0) at = hd_time_earlier(at, stream->keepalive.due_at);
  at = hd_time_earlier(at, stream->suspicion.due_at);
  at = hd_time_earlier(at, stream->trim_at);
  const int error = hd_deadline_heap_set(&stream->udx->deadlines, &stream->entry.deadline, at);
  hd_assert(error == HDHT_OK); /* room was reserved when the stream was made */
  (void)error;
}

/* ---- looking ---------------------------------------------------------------------------------------------------- */

void hd_udx_stream_get_stats(const hd_udx_stream *stream, hd_udx_stream_stats *stats) {
  *stats = stream->stats;
  stats->smoothed_rtt_us = stream->rtt.has_sample ? stream->rtt.smoothed.us : 0;
  stats->min_rtt_us = stream->rtt.has_sample ? hd_udx_rtt_minimum(&stream->rtt).us : 0;
  stats->bandwidth = hd_udx_congestion_bandwidth(&stream->congestion);
  stats->congestion_window = hd_udx_congestion_window(&stream->congestion);
  stats->in_flight = stream->sent.flight_bytes;
  stats->send_window = stream->flow.send_window;
  stats->receive_window = stream->flow.advertised;
  stats->mtu = stream->mtu.current;
}

uint32_t hd_udx_stream_local_id(const hd_udx_stream *stream) {
  return stream->entry.local_id;
}

uint32_t hd_udx_stream_remote_id(const hd_udx_stream *stream) {
  return stream->remote_id;
}

hd_socket_id hd_udx_stream_socket(const hd_udx_stream *stream) {
  return stream->socket;
}

hd_address hd_udx_stream_remote(const hd_udx_stream *stream) {
  return stream->remote;
}

bool hd_udx_stream_is_connected(const hd_udx_stream *stream) {
  return stream->is_connected;
}

bool hd_udx_stream_is_closing(const hd_udx_stream *stream) {
  return stream->is_closing;
}

hd_udx *hd_udx_stream_instance(const hd_udx_stream *stream) {
  return stream->udx;
}

void *hd_udx_stream_context(const hd_udx_stream *stream) {
  return stream->context;
}
