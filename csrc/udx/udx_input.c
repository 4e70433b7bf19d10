#include "udx/udx_input.h"

static bool passes_firewall(hd_udx_stream *stream, const hd_datagram *datagram);
static void hear(hd_udx_stream *stream, hd_time now, const hd_datagram *datagram);
static void take_packet(hd_udx_stream *stream, hd_time now, const hd_datagram *datagram, const hd_udx_packet *packet);
static bool is_plausible(hd_udx_stream *stream, const hd_udx_header *header);
static void take_destroy(hd_udx_stream *stream, hd_time now, const hd_datagram *datagram, const hd_udx_header *header);
static hd_udx_arrival take_data(hd_udx_stream *stream, const hd_udx_packet *packet);
static void take_ack(hd_udx_stream *stream, hd_time now, const hd_udx_packet *packet);
static void pass_on(hd_udx_stream *stream, const hd_datagram *datagram);

/* The order is the reference's, except that everything is brought up to date before the user is called. */
void hd_udx_input(hd_udx_stream *stream, hd_time now, const hd_datagram *datagram) {
  if (stream->is_closing) return;
  stream->stats.packets_received++;
  stream->stats.bytes_received += datagram->bytes.size;

  if (datagram->is_truncated || datagram->bytes.size > HD_UDX_DATAGRAM_SIZE_MAX) {
    stream->stats.dropped_malformed++;
    return;
  }
  if (datagram->socket != stream->socket && !passes_firewall(stream, datagram)) return;
  hear(stream, now, datagram);
  if (stream->relay_to != NULL) {
    pass_on(stream, datagram);
    return;
  }

  if ((datagram->bytes.data[2] & HD_UDX_FLAG_HEARTBEAT) != 0) { /* nothing else of a heartbeat counts */
    hd_udx_ack_heartbeat(&stream->ack, now);
    hd_udx_stream_want_send(stream);
    return;
  }
  hd_udx_packet packet;
  if (hd_udx_packet_parse(datagram->bytes, &packet) != HDHT_OK) {
    stream->stats.dropped_malformed++;
    return;
  }
  if (is_plausible(stream, &packet.header)) take_packet(stream, now, datagram, &packet);
}

/* The stream may be connected or destroyed meanwhile. */
static bool passes_firewall(hd_udx_stream *stream, const hd_datagram *datagram) {
  const bool is_let_in = stream->sink->on_firewall != NULL &&
                         stream->sink->on_firewall(stream->context, stream, datagram->socket, &datagram->from);
  if (!is_let_in) stream->stats.dropped_firewall++;
  return is_let_in && !stream->is_closing;
}

/* The peer lives; but what says that it does not is no proof of that. */
static void hear(hd_udx_stream *stream, hd_time now, const hd_datagram *datagram) {
  if ((datagram->bytes.data[2] & HD_UDX_FLAG_DESTROY) != 0) return;
  hd_udx_suspicion_clear(&stream->suspicion);
  hd_udx_keepalive_heard(&stream->keepalive);
  hd_udx_keepalive_restart(&stream->keepalive, now);
}

/* Numbers further ahead than any sender may be are forged, or from another life of the id. */
static bool is_plausible(hd_udx_stream *stream, const hd_udx_header *header) {
  if (hd_udx_seq_distance(stream->receiver.next, header->seq) < HD_UDX_SPAN_LIMIT) return true;
  stream->stats.dropped_far_future++;
  return false;
}

static void take_packet(hd_udx_stream *stream, hd_time now, const hd_datagram *datagram, const hd_udx_packet *packet) {
  const uint8_t flags = packet->header.flags;
  if ((flags & HD_UDX_FLAG_DESTROY) != 0) {
    take_destroy(stream, now, datagram, &packet->header);
    return;
  }

  const bool has_data = (flags & (HD_UDX_FLAG_DATA | HD_UDX_FLAG_END)) != 0;
  const hd_udx_arrival arrival = has_data ? take_data(stream, packet) : HD_UDX_ARRIVAL_HELD;
  if (hd_udx_seq_before(stream->sent.next, packet->header.ack)) {
    stream->stats.bad_acks++; /* its data counts but is not acknowledged, as with the reference */
  } else {
    take_ack(stream, now, packet);
    if (has_data) stream->ack.is_needed = true;
    hd_udx_stream_want_send(stream);
  }
  if (hd_udx_receive_is_ended(&stream->receiver)) hd_udx_stream_want_settle(stream);

  if ((flags & HD_UDX_FLAG_MESSAGE) != 0 && stream->sink->on_message != NULL) {
    stream->sink->on_message(stream->context, stream, packet->payload);
    if (stream->is_closing) return;
  }
  if (arrival != HD_UDX_ARRIVAL_DELIVER) return;
  hd_udx_flow_taken(&stream->flow, (uint32_t)packet->payload.size, 0);
  if ((flags & HD_UDX_FLAG_DATA) != 0 && stream->sink->on_data != NULL) {
    stream->sink->on_data(stream->context, stream, packet->payload);
  }
  if (hd_udx_receive_has_ready(&stream->receiver)) hd_udx_stream_deliver_waiting(stream);
}

static bool is_from_peer(const hd_udx_stream *stream, const hd_address *from) {
  return !stream->is_connected || hd_address_equal(from, &stream->remote) ||
         (!hd_address_is_none(&stream->old_remote) && hd_address_equal(from, &stream->old_remote));
}

/* Anyone can send 20 bytes, so a DESTROY must have numbers that fit, and come from where the peer is or was. */
static void take_destroy(hd_udx_stream *stream, hd_time now, const hd_datagram *datagram, const hd_udx_header *header) {
  const bool fits =
      !hd_udx_seq_before(header->seq, stream->receiver.next) && !hd_udx_seq_before(stream->sent.next, header->ack);
  if (fits && is_from_peer(stream, &datagram->from)) {
    hd_udx_stream_close(stream, HDHT_ERR_CONNECTION_RESET);
    return;
  }
  stream->stats.dropped_destroy++;
  if (fits && hd_udx_suspicion_begin(&stream->suspicion, now, hd_udx_rtt_timeout(&stream->rtt))) {
    stream->is_heartbeat_due = true;
    hd_udx_stream_want_send(stream);
  }
}

/* Twice the window, with as much again for what blocks waste: a sender that keeps to the window is never refused. */
static uint32_t held_limit(const hd_udx_stream *stream) {
  return (uint32_t)((uint64_t)stream->flow.limit * 4 / HD_UDX_BLOCK_SIZE) + 16;
}

static hd_udx_arrival take_data(hd_udx_stream *stream, const hd_udx_packet *packet) {
  const uint8_t flags = packet->header.flags & (HD_UDX_FLAG_DATA | HD_UDX_FLAG_END);
  const hd_udx_arrival arrival = hd_udx_receive_packet(&stream->receiver, stream->udx->allocator, &stream->udx->pool,
                                                       held_limit(stream), packet->header.seq, flags, packet->payload);
  if (arrival == HD_UDX_ARRIVAL_HELD && hd_udx_seq_before(stream->receiver.next, packet->header.seq)) {
    hd_udx_ack_out_of_order(&stream->ack, stream->udx->allocator, packet->header.seq);
  }
  switch (arrival) {
    case HD_UDX_ARRIVAL_DUPLICATE: stream->stats.duplicates++; break;
    case HD_UDX_ARRIVAL_NO_ROOM: stream->stats.dropped_no_room++; break;
    case HD_UDX_ARRIVAL_ENDED: stream->stats.dropped_ended++; break;
    case HD_UDX_ARRIVAL_DELIVER:
    case HD_UDX_ARRIVAL_HELD: break;
  }
  return arrival;
}

/* ---- acknowledgements ------------------------------------------------------------------------------------------ */

typedef struct delivery {
  hd_time newest_sent_at; /* of the packets that were sent only once */
  bool has_sample;
} delivery;

static void begin_news(hd_udx_stream *stream) {
  if (stream->news.is_any) return;
  stream->news =
      (hd_udx_ack_news){.is_any = true, .rtt = HD_DURATION_FOREVER, .prior_in_flight = stream->sent.flight_bytes};
  hd_udx_stream_want_settle(stream);
}

static void deliver(hd_udx_stream *stream, hd_time now, uint32_t number, delivery *seen) {
  const hd_udx_sent_packet *packet = hd_udx_sent_at(&stream->sent, number);
  if (packet->transmissions == 1 && (!seen->has_sample || hd_time_before(seen->newest_sent_at, packet->sent_at))) {
    seen->newest_sent_at = packet->sent_at;
    seen->has_sample = true;
  }
  hd_udx_loss_delivered(&stream->loss, &stream->rtt, now, packet, number);
  hd_udx_rate_deliver(&stream->rate, &stream->news.rate, now, packet->sent_at, &packet->rate,
                      (packet->marks & HD_UDX_SENT_APP_LIMITED) != 0, packet->wire_size);
  if ((packet->marks & HD_UDX_SENT_PROBE) != 0) {
    hd_udx_mtu_probe_acked(&stream->mtu, now);
    hd_udx_congestion_set_packet_size(&stream->congestion, stream->mtu.current);
  }
  if ((packet->marks & HD_UDX_SENT_LARGE) != 0) hd_udx_mtu_large_acked(&stream->mtu);
  hd_udx_sent_deliver(&stream->sent, number);
}

/* Everything before `ack` has arrived. */
static void take_cumulative(hd_udx_stream *stream, hd_time now, uint32_t ack, delivery *seen) {
  hd_udx_sent *sent = &stream->sent;
  for (uint32_t number = sent->una; number != ack; number++) {
    if (hd_udx_sent_at(sent, number)->state != HD_UDX_SENT_DELIVERED) deliver(stream, now, number, seen);
  }
  hd_udx_send_queue_release(&stream->queue, hd_udx_sent_at(sent, ack - 1)->parts_end);
  hd_udx_sent_advance(sent, ack);
  stream->loss.progress_at = now;
  hd_udx_recovery_acked(&stream->recovery, ack);
  if (stream->is_remote_changing && hd_udx_seq_at_or_before(stream->remote_change_mark, ack)) {
    stream->is_remote_changing = false;
    stream->is_remote_changed = true;
  }
}

/* Only numbers that no earlier block named cost anything. */
static void take_sack_block(hd_udx_stream *stream, hd_time now, hd_udx_range block, delivery *seen) {
  hd_udx_sent *sent = &stream->sent;
  /* Counted from una, because three serial numbers that are pairwise in order need not lie in half the circle. */
  const uint32_t start = block.start - sent->una;
  const uint32_t end = block.end - sent->una;
  if (start >= end || end > hd_udx_sent_count(sent)) {
    const bool is_late = hd_udx_seq_before(block.start, sent->una) && hd_udx_seq_before(block.start, block.end);
    if (!is_late) stream->stats.bad_sacks++; /* numbers already acknowledged are what a late packet says */
    return;
  }
  hd_udx_range gap;
  if (!hd_udx_ranges_next_gap(&sent->sacked, block, &gap)) return;
  if (hd_udx_ranges_reserve(&sent->sacked, stream->udx->allocator) != HDHT_OK) return; /* it will be repeated */
  begin_news(stream);
  hd_udx_range rest = block;
  do {
    for (uint32_t number = gap.start; number != gap.end; number++) deliver(stream, now, number, seen);
    rest.start = gap.end;
  } while (hd_udx_seq_before(rest.start, rest.end) && hd_udx_ranges_next_gap(&sent->sacked, rest, &gap));
  const int error = hd_udx_ranges_add(&sent->sacked, stream->udx->allocator, block);
  hd_assert(error == HDHT_OK);
  (void)error;
}

static void sample_rtt(hd_udx_stream *stream, hd_time now, const delivery *seen) {
  if (!seen->has_sample) return;
  const hd_duration sample = hd_time_since(now, seen->newest_sent_at);
  hd_udx_rtt_sample(&stream->rtt, now, sample);
  stream->news.rtt = hd_duration_shorter(stream->news.rtt, sample);
}

static void take_ack(hd_udx_stream *stream, hd_time now, const hd_udx_packet *packet) {
  const uint32_t ack = packet->header.ack;
  if (hd_udx_seq_at_or_before(stream->sent.una, ack)) {
    hd_udx_flow_update(&stream->flow, &packet->header);
    stream->flow.probes = 0;
    if (stream->flow.send_window == 0) stream->loss.progress_at = now; /* closed, but alive */
  }
  if (!hd_udx_stream_has_outstanding(stream)) return;

  delivery seen = {0};
  if (hd_udx_seq_before(stream->sent.una, ack)) {
    begin_news(stream);
    stream->mtu.is_search_open = true;
    take_cumulative(stream, now, ack, &seen);
  }
  const size_t blocks_count = packet->sack.size / HD_UDX_SACK_BLOCK_SIZE;
  for (size_t i = 0; i < blocks_count; i++) {
    take_sack_block(stream, now, hd_udx_packet_sack_block(packet->sack, i), &seen);
  }
  sample_rtt(stream, now, &seen);
}

/* ---- relaying -------------------------------------------------------------------------------------------------- */

/* Remembers the highest numbers that went by, for a DESTROY of our own. */
static void follow(hd_udx_stream *stream, const hd_udx_header *header) {
  const uint32_t next = header->seq + ((header->flags & (HD_UDX_FLAG_DATA | HD_UDX_FLAG_END)) != 0 ? 1 : 0);
  const int32_t seq_step = hd_udx_seq_distance(stream->receiver.next, next);
  const int32_t ack_step = hd_udx_seq_distance(stream->sent.next, header->ack);
  if (seq_step > 0 && seq_step < HD_UDX_SPAN_LIMIT) stream->receiver.next = stream->receiver.delivered = next;
  if (ack_step > 0 && ack_step < HD_UDX_SPAN_LIMIT) stream->sent.una = stream->sent.next = header->ack;
}

static void pass_on(hd_udx_stream *stream, const hd_datagram *datagram) {
  const hd_udx_header header = hd_udx_packet_read_header(datagram->bytes.data);
  const bool is_destroy = (header.flags & HD_UDX_FLAG_DESTROY) != 0;
  if (is_destroy && !is_from_peer(stream, &datagram->from)) {
    stream->stats.dropped_destroy++;
    return;
  }
  follow(stream, &header);

  const hd_udx_stream *to = stream->relay_to;
  if (to->is_connected && !to->is_closing) {
    hd_udx_relay_push(&stream->udx->relay, datagram->bytes, to->socket, &to->remote, to->remote_id);
  } else {
    stream->udx->relay.drops++;
  }
  if (is_destroy) hd_udx_stream_close(stream, HDHT_ERR_CONNECTION_RESET);
}
