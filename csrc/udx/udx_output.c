#include "udx/udx_output.h"

static bool send_ack(hd_udx_stream *stream, hd_datagram_out *out);
static bool send_message(hd_udx_stream *stream, hd_datagram_out *out);
static bool send_heartbeat(hd_udx_stream *stream, hd_datagram_out *out);
static bool send_data(hd_udx_stream *stream, hd_time now, hd_datagram_out *out);
static bool wants_window_update(const hd_udx_stream *stream);
static void note_sent(hd_udx_stream *stream, hd_time now, const hd_datagram_out *out);
static void open_window_probe(hd_udx_stream *stream, hd_time now);

/* Ranges are reported at once, because they make the other side repair; a plain acknowledgement may ride on data. */
bool hd_udx_output(hd_udx_stream *stream, hd_time now, hd_datagram_out *out) {
  if (!stream->is_connected || stream->relay_to != NULL) return false;
  if (wants_window_update(stream)) stream->ack.is_needed = true;
  open_window_probe(stream, now);

  const bool has_ranges = stream->receiver.ranges.count > 0;
  const bool is_made = (stream->ack.is_needed && has_ranges && send_ack(stream, out)) || send_message(stream, out) ||
                       send_data(stream, now, out) || (stream->ack.is_needed && send_ack(stream, out)) ||
                       send_heartbeat(stream, out);
  if (is_made) note_sent(stream, now, out);
  return is_made;
}

static void note_sent(hd_udx_stream *stream, hd_time now, const hd_datagram_out *out) {
  stream->stats.packets_sent += out->segments_count;
  stream->stats.bytes_sent += out->size;
  hd_udx_keepalive_restart(&stream->keepalive, now);
}

static bool wants_window_update(const hd_udx_stream *stream) {
  return stream->flow.advertised < stream->flow.limit &&
         hd_udx_flow_wants_update(&stream->flow, hd_udx_receive_waiting_bytes(&stream->receiver),
                                  hd_udx_mtu_payload(&stream->mtu));
}

/* Data that waits before a closed window asks at once whether it is still closed; udx_stream repeats the question. */
static void open_window_probe(hd_udx_stream *stream, hd_time now) {
  if (stream->flow.send_window != 0 || !hd_time_is_never(stream->flow.probe_at)) return;
  if (hd_udx_stream_has_outstanding(stream) || !hd_udx_stream_has_unsent(stream)) return;
  stream->is_heartbeat_due = true;
  stream->flow.probe_at = hd_time_add(now, hd_udx_rtt_timeout(&stream->rtt));
}

/* ---- packets without data -------------------------------------------------------------------------------------- */

static hd_datagram_out datagram(hd_udx_stream *stream, const hd_bytes *parts, hd_udx_origin kind) {
  return hd_udx_scratch_datagram(&stream->udx->scratch, parts, stream->socket, &stream->remote, kind,
                                 stream->entry.local_id);
}

static bool send_ack(hd_udx_stream *stream, hd_datagram_out *out) {
  hd_udx_scratch *scratch = &stream->udx->scratch;
  const hd_bytes *parts = hd_udx_scratch_parts(scratch);
  const uint32_t size = hd_udx_ack_write(&stream->ack, &stream->receiver.ranges, hd_udx_stream_header(stream),
                                         hd_udx_scratch_bytes(scratch));
  hd_udx_scratch_add_bytes(scratch, size);
  *out = datagram(stream, parts, HD_UDX_ORIGIN_ACK);
  return true;
}

static void add_header(hd_udx_stream *stream, uint8_t flags) {
  hd_udx_header header = hd_udx_stream_header(stream);
  header.flags = flags;
  hd_udx_packet_write_header(hd_udx_scratch_bytes(&stream->udx->scratch), &header);
  hd_udx_scratch_add_bytes(&stream->udx->scratch, HD_UDX_PACKET_HEADER_SIZE);
}

static bool send_message(hd_udx_stream *stream, hd_datagram_out *out) {
  hd_udx_message *message = hd_udx_messages_pop(&stream->messages);
  if (message == NULL) return false;
  const hd_bytes *parts = hd_udx_scratch_parts(&stream->udx->scratch);
  add_header(stream, HD_UDX_FLAG_MESSAGE);
  if (message->size > 0) hd_udx_scratch_add_part(&stream->udx->scratch, message->payload, message->size);
  hd_udx_spend_block(stream->udx, message);
  *out = datagram(stream, parts, HD_UDX_ORIGIN_MESSAGE);
  return true;
}

static bool send_heartbeat(hd_udx_stream *stream, hd_datagram_out *out) {
  if (!stream->is_heartbeat_due) return false;
  stream->is_heartbeat_due = false;
  const hd_bytes *parts = hd_udx_scratch_parts(&stream->udx->scratch);
  add_header(stream, HD_UDX_FLAG_HEARTBEAT);
  *out = datagram(stream, parts, HD_UDX_ORIGIN_HEARTBEAT);
  return true;
}

/* ---- data ------------------------------------------------------------------------------------------------------ */

static const uint8_t zeros[HD_UDX_PADDING_MAX];

/* One call's worth: equally long packets to one destination. */
typedef struct batch {
  hd_udx_stream *stream;
  hd_time now;
  hd_udx_header header; /* the same for all but flags, data_offset, and seq */
  const hd_bytes *parts;
  uint32_t segment_size; /* datagram bytes of the first packet */
  uint32_t total;
  uint32_t count;
  bool is_old_path;
  bool is_last_added; /* nothing may follow the packet added last */
  bool may_fragment;
} batch;

#define HD_UDX_BATCH_ENOUGH 24000 /* bytes that are not worth waiting for more: about 16 packets */

typedef enum attempt { ADDED, DOES_NOT_FIT, NOTHING, PACED } attempt;

static attempt add_lost(batch *made);
static attempt add_tail_probe(batch *made);
static attempt add_new(batch *made);
static void count_waiting(batch *made);

/* Delivery rates measured from now on show the application's speed, not the path's. */
static void note_nothing_to_send(hd_udx_stream *stream) {
  if (stream->sent.flight_bytes >= hd_udx_congestion_window(&stream->congestion)) return;
  hd_udx_rate_limited_by_application(&stream->rate, stream->sent.flight_bytes);
}

static bool send_data(hd_udx_stream *stream, hd_time now, hd_datagram_out *out) {
  stream->is_paced = false;
  if (stream->sent.lost.count > 0) stream->is_forced = stream->is_tail_probe = false; /* no need to probe for losses */
  if (!stream->is_forced && stream->sent.lost.count == 0 && !hd_udx_stream_has_unsent(stream)) {
    note_nothing_to_send(stream);
    return false;
  }
  stream->pacing.rate = hd_udx_congestion_pacing_rate(&stream->congestion);
  hd_udx_pacing_refill(&stream->pacing, now);

  batch made = {.stream = stream, .now = now, .parts = hd_udx_scratch_parts(&stream->udx->scratch)};
  attempt last = ADDED;
  while (last == ADDED && !made.is_last_added && made.count < HD_DATAGRAM_BATCH_SEGMENTS &&
         hd_udx_scratch_has_room(&stream->udx->scratch)) {
    last = stream->is_forced ? NOTHING : add_lost(&made);
    if (last == NOTHING) last = add_new(&made);
    if (last == NOTHING && stream->is_forced) last = add_tail_probe(&made);
    if (stream->is_forced) break;
  }
  stream->is_paced = last == PACED;
  if (made.count > 0) count_waiting(&made);
  stream->is_forced = stream->is_tail_probe = false;
  if (made.count == 0) return false;

  stream->ack.is_needed = stream->ack.is_needed && stream->receiver.ranges.count > 0;
  *out = datagram(stream, made.parts, HD_UDX_ORIGIN_DATA);
  if (made.is_old_path) out->to = stream->old_remote;
  out->may_fragment = made.may_fragment;
  out->segments_count = (uint16_t)made.count;
  out->segment_size = made.count > 1 ? (uint16_t)made.segment_size : 0;
  return true;
}

/* How long to wait for an answer before probing for a lost tail. */
static void count_waiting(batch *made) {
  hd_udx_stream *stream = made->stream;
  if (stream->is_tail_probe) hd_udx_loss_tail_probe_sent(&stream->loss, &stream->rtt, made->now);
  hd_udx_loss_arm_tail_probe(&stream->loss, &stream->sent, &stream->rtt, made->now);
}

/* Whether a packet of `size` datagram bytes for the given path can join the batch. */
static bool fits(const batch *made, uint32_t size, bool is_old_path, bool is_probe) {
  if (made->count == 0) return true;
  return !is_probe && size <= made->segment_size && made->total + size <= HD_DATAGRAM_BATCH_BYTES &&
         is_old_path == made->is_old_path;
}

static void add_payload(hd_udx_stream *stream, const hd_udx_sent_packet *packet) {
  hd_udx_scratch *scratch = &stream->udx->scratch;
  const uint32_t spans_count = hd_udx_send_queue_spans(&stream->queue, packet->position, packet->size,
                                                       hd_udx_scratch_parts(scratch), HD_UDX_PACKET_SPANS_MAX);
  scratch->parts_used += spans_count;
  if (spans_count > 0 || packet->size == 0) return;
  hd_udx_send_queue_copy(&stream->queue, packet->position, packet->size, hd_udx_scratch_bytes(scratch));
  hd_udx_scratch_add_bytes(scratch, packet->size);
}

/* Appends a packet whose record is complete. */
static void add_packet(batch *made, uint32_t number, const hd_udx_sent_packet *packet) {
  hd_udx_stream *stream = made->stream;
  hd_udx_scratch *scratch = &stream->udx->scratch;
  const bool is_old_path = (packet->marks & HD_UDX_SENT_OLD_PATH) != 0;
  const uint32_t size = HD_UDX_PACKET_HEADER_SIZE + (uint32_t)packet->padding + packet->size;
  if (made->count == 0) {
    made->header = hd_udx_stream_header(stream);
    made->segment_size = size;
    made->is_old_path = is_old_path;
  }
  hd_udx_header header = made->header;
  header.flags = packet->flags;
  header.data_offset = packet->padding;
  header.seq = number;
  if (is_old_path) header.stream_id = stream->old_remote_id;
  hd_udx_packet_write_header(hd_udx_scratch_bytes(scratch), &header);
  hd_udx_scratch_add_bytes(scratch, HD_UDX_PACKET_HEADER_SIZE);
  if (packet->padding > 0) hd_udx_scratch_add_part(scratch, zeros, packet->padding);
  add_payload(stream, packet);

  made->count++;
  made->total += size;
  made->is_last_added = size < made->segment_size || (packet->marks & HD_UDX_SENT_PROBE) != 0;
  const bool is_too_large = (packet->marks & HD_UDX_SENT_LARGE) != 0 && packet->size > hd_udx_mtu_payload(&stream->mtu);
  if (is_too_large) made->may_fragment = true;
  hd_udx_pacing_spend(&stream->pacing, packet->wire_size);
}

/* Whether so little may be sent at once that it is cheaper to wait for more: each acknowledgement of a single packet
 * would otherwise let a single packet out, at the price of a system call. Either the pacing timer ends the wait, or the
 * acknowledgements of the seven eighths of the window that are in flight. */
static bool is_too_little(const hd_udx_stream *stream, attempt *why_not) {
  const uint64_t window = hd_udx_congestion_window(&stream->congestion);
  uint64_t enough = stream->pacing.rate / 1000; /* a millisecond's worth */
  if (enough > HD_UDX_BATCH_ENOUGH) enough = HD_UDX_BATCH_ENOUGH;
  if (enough > window / 8) enough = window / 8;
  if (enough > stream->queue.unsent_bytes) enough = stream->queue.unsent_bytes;
  *why_not = stream->pacing.tokens < (int64_t)enough ? PACED : NOTHING;
  return *why_not == PACED || window < stream->sent.flight_bytes + enough;
}

static bool may_send(const hd_udx_stream *stream, attempt *why_not) {
  if (stream->sent.flight_bytes >= hd_udx_congestion_window(&stream->congestion)) {
    *why_not = NOTHING;
    return false;
  }
  *why_not = PACED;
  return hd_udx_pacing_may_send(&stream->pacing);
}

/* What is common to first and later transmissions: the clock of the time-out starts with the first packet in flight. */
static hd_udx_rate_mark begin_transmission(hd_udx_stream *stream, hd_time now) {
  const bool is_idle = stream->sent.flight.count == 0;
  if (is_idle) {
    if (!hd_udx_stream_has_outstanding(stream)) {
      stream->loss.progress_at = now;
      hd_udx_congestion_resumed(&stream->congestion, hd_udx_rate_is_app_limited(&stream->rate));
    }
    hd_udx_loss_restart(&stream->loss, &stream->rtt, now);
  }
  return hd_udx_rate_send(&stream->rate, now, is_idle);
}

static void resend(batch *made, uint32_t number) {
  hd_udx_stream *stream = made->stream;
  hd_udx_sent_packet *packet = hd_udx_sent_at(&stream->sent, number);
  packet->rate = begin_transmission(stream, made->now);
  packet->sent_at = made->now;
  if (packet->transmissions++ > 0) stream->stats.retransmits++;
  packet->padding = 0; /* a probe that got lost is repeated without */
  packet->marks &= (uint8_t) ~(HD_UDX_SENT_PROBE | HD_UDX_SENT_APP_LIMITED);
  hd_udx_sent_resend(&stream->sent, number, (uint16_t)(packet->size + stream->mtu.overhead));
  add_packet(made, number, packet);
}

static attempt add_lost(batch *made) {
  hd_udx_stream *stream = made->stream;
  if (stream->sent.lost.count == 0) return NOTHING;
  attempt why_not;
  if (!may_send(stream, &why_not)) return why_not == PACED ? PACED : DOES_NOT_FIT; /* new data must not overtake */

  const uint32_t number = stream->sent.lost.oldest;
  const hd_udx_sent_packet *packet = hd_udx_sent_at(&stream->sent, number);
  const bool is_old_path = (packet->marks & HD_UDX_SENT_OLD_PATH) != 0;
  if (!fits(made, HD_UDX_PACKET_HEADER_SIZE + (uint32_t)packet->size, is_old_path, false)) return DOES_NOT_FIT;
  resend(made, number);
  return ADDED;
}

/* Nothing new to send: the packet with the highest number is repeated, or if that has arrived, the one sent last. */
static attempt add_tail_probe(batch *made) {
  hd_udx_stream *stream = made->stream;
  hd_udx_sent *sent = &stream->sent;
  if (!stream->is_tail_probe || sent->flight.count == 0) return NOTHING;
  uint32_t number = sent->next - 1;
  if (hd_udx_sent_at(sent, number)->state == HD_UDX_SENT_DELIVERED) number = sent->flight.newest;
  resend(made, number);
  return ADDED;
}

/* How much payload the next new packet would have, and how much padding. */
static uint32_t plan_new(const batch *made, uint32_t *padding) {
  const hd_udx_stream *stream = made->stream;
  const uint32_t payload_max = hd_udx_mtu_payload(&stream->mtu);
  const uint64_t unsent = stream->queue.unsent_bytes;
  *padding = 0;
  if (unsent < payload_max) return (uint32_t)unsent;
  if (!stream->is_forced) *padding = hd_udx_mtu_probe_padding(&stream->mtu, made->now, payload_max);
  return payload_max;
}

static attempt add_new(batch *made) {
  hd_udx_stream *stream = made->stream;
  hd_udx_sent *sent = &stream->sent;
  if (!hd_udx_stream_has_unsent(stream)) return NOTHING;
  uint32_t padding;
  const uint32_t size = plan_new(made, &padding);
  if (!stream->is_forced) {
    attempt why_not;
    if (!hd_udx_flow_may_send(&stream->flow, sent->flight_payload, sent->total_payload, size)) return NOTHING;
    if (!may_send(stream, &why_not) || (made->count == 0 && is_too_little(stream, &why_not))) return why_not;
  }
  if (!fits(made, HD_UDX_PACKET_HEADER_SIZE + padding + size, false, padding > 0)) return DOES_NOT_FIT;
  if (hd_udx_sent_reserve(sent, stream->udx->allocator) != HDHT_OK) return NOTHING; /* until something is acked */

  hd_udx_sent_packet packet = {
      .sent_at = made->now,
      .size = (uint16_t)size,
      .wire_size = (uint16_t)(size + padding + stream->mtu.overhead),
      .padding = (uint8_t)padding,
      .transmissions = 1,
  };
  packet.rate = begin_transmission(stream, made->now);
  if (hd_udx_rate_is_app_limited(&stream->rate)) packet.marks |= HD_UDX_SENT_APP_LIMITED;
  if (size + stream->mtu.overhead > HD_UDX_MTU_BASE) packet.marks |= HD_UDX_SENT_LARGE;
  if (hd_udx_send_queue_has_unsent(&stream->queue)) {
    const hd_udx_send_taken taken = hd_udx_send_queue_take(&stream->queue, size);
    hd_assert(taken.size == size);
    packet.flags = HD_UDX_FLAG_DATA;
    packet.position = taken.position;
    packet.parts_end = taken.parts_end;
  } else {
    packet.parts_end = stream->queue.end;
  }
  if (stream->is_end_queued && !hd_udx_send_queue_has_unsent(&stream->queue)) {
    packet.flags |= HD_UDX_FLAG_END;
    stream->is_end_sent = true;
  }
  if (padding > 0) {
    packet.marks |= HD_UDX_SENT_PROBE;
    hd_udx_mtu_probe_sent(&stream->mtu, size, padding);
  }

  const uint32_t number = sent->next;
  add_packet(made, number, hd_udx_sent_append(sent, &packet));
  return ADDED;
}

/* ---- what did not leave ---------------------------------------------------------------------------------------- */

static void unsend_data(hd_udx_stream *stream, hd_time now, uint32_t number, int error);

void hd_udx_output_unsent(hd_udx_stream *stream, hd_time now, hd_udx_origin kind, const hd_bytes *parts,
                          uint32_t parts_count, int error) {
  const bool is_kept = error == HDHT_ERR_WOULD_BLOCK;
  if (!is_kept) stream->stats.send_errors++;
  stream->stats.packets_sent--;
  for (uint32_t i = 0; i < parts_count; i++) stream->stats.bytes_sent -= parts[i].size;
  switch (kind) {
    case HD_UDX_ORIGIN_DATA: unsend_data(stream, now, hd_udx_packet_read_header(parts[0].data).seq, error); break;
    case HD_UDX_ORIGIN_ACK: stream->ack.is_needed |= is_kept; break;
    case HD_UDX_ORIGIN_HEARTBEAT: stream->is_heartbeat_due |= is_kept; break;
    case HD_UDX_ORIGIN_MESSAGE:
      if (is_kept) {
        const hd_bytes payload = parts_count > 1 ? parts[1] : (hd_bytes){0};
        if (hd_udx_messages_push(&stream->messages, &stream->udx->pool, payload) != HDHT_OK)
          stream->stats.send_errors++;
      }
      break;
    case HD_UDX_ORIGIN_GHOST:
    case HD_UDX_ORIGIN_RELAY: break;
  }
  hd_udx_stream_want_send(stream);
}

/* Back to the queue of those to send, as if it had never been tried; nobody is to blame but this machine. What fails
 * otherwise stays in flight, where loss detection will find it. */
static void unsend_data(hd_udx_stream *stream, hd_time now, uint32_t number, int error) {
  hd_udx_sent *sent = &stream->sent;
  if (error != HDHT_ERR_WOULD_BLOCK && error != HDHT_ERR_TOO_LARGE) return;
  if (hd_udx_seq_before(number, sent->una) || !hd_udx_seq_before(number, sent->next)) return;
  hd_udx_sent_packet *packet = hd_udx_sent_at(sent, number);
  if (packet->state != HD_UDX_SENT_IN_FLIGHT) return;

  const uint32_t size = (uint32_t)packet->size + packet->padding;
  if (error == HDHT_ERR_TOO_LARGE) {
    /* A packet refused although it was known to be oversized is left to the time-out, or this would never end. */
    if (packet->size > hd_udx_mtu_payload(&stream->mtu) || size + stream->mtu.overhead <= HD_UDX_MTU_BASE) return;
    hd_udx_mtu_refused(&stream->mtu, now, size);
  } else if ((packet->marks & HD_UDX_SENT_PROBE) != 0) {
    stream->mtu.probe = 0;
  }
  packet->marks &= (uint8_t)~HD_UDX_SENT_PROBE;
  packet->transmissions--;
  stream->pacing.tokens += packet->wire_size;
  hd_udx_sent_lose(sent, number);
}
