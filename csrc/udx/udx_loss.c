#include "udx/udx_loss.h"

static hd_duration reorder_window(const hd_udx_loss *loss, const hd_udx_sent *sent, const hd_udx_rtt *rtt,
                                  bool is_repairing);
static bool was_sent_before_reference(const hd_udx_loss *loss, const hd_udx_sent_packet *packet, uint32_t number);
static void lose(hd_udx_sent *sent, uint32_t number, hd_udx_loss_found *found);

void hd_udx_loss_init(hd_udx_loss *loss, hd_duration patience) {
  *loss = (hd_udx_loss){.patience = patience,
                        .reorder_deadline = HD_TIME_NEVER,
                        .tail_deadline = HD_TIME_NEVER,
                        .timeout_deadline = HD_TIME_NEVER};
}

void hd_udx_loss_delivered(hd_udx_loss *loss, const hd_udx_rtt *rtt, hd_time now, const hd_udx_sent_packet *packet,
                           uint32_t number) {
  const hd_duration round_trip = hd_time_since(now, packet->sent_at);
  const bool is_first_transmission = packet->transmissions <= 1;

  if (!is_first_transmission && hd_duration_less(round_trip, hd_udx_rtt_minimum(rtt))) {
    /* Too soon for the retransmission: the first copy arrived, late. Wait longer from now on. */
    loss->is_reordering_seen = true;
    if (loss->reorder_factor < HD_UDX_REORDER_FACTOR_MAX - 1) loss->reorder_factor++;
    return;
  }

  if (!loss->has_delivered || hd_udx_seq_before(loss->highest_delivered, number)) {
    loss->highest_delivered = number;
  } else if (is_first_transmission && number != loss->highest_delivered) {
    loss->is_reordering_seen = true;
  }
  if (!loss->has_delivered || !was_sent_before_reference(loss, packet, number)) {
    loss->reference_sent_at = packet->sent_at;
    loss->reference_number = number;
    loss->reference_rtt = round_trip;
  }
  loss->has_delivered = true;
}

hd_udx_loss_found hd_udx_loss_detect(hd_udx_loss *loss, hd_udx_sent *sent, const hd_udx_rtt *rtt, hd_time now,
                                     bool is_repairing) {
  hd_udx_loss_found found = {0};
  loss->reorder_deadline = HD_TIME_NEVER;
  if (!loss->has_delivered) return found;

  const hd_duration wait = hd_duration_add(loss->reference_rtt, reorder_window(loss, sent, rtt, is_repairing));
  while (sent->flight.count > 0) {
    const uint32_t number = sent->flight.oldest;
    const hd_udx_sent_packet *packet = hd_udx_sent_at(sent, number);
    if (!was_sent_before_reference(loss, packet, number)) break;
    const hd_time lost_at = hd_time_add(packet->sent_at, wait);
    if (!hd_time_is_due(lost_at, now)) {
      loss->reorder_deadline = lost_at;
      break;
    }
    lose(sent, number, &found);
  }
  return found;
}

hd_udx_loss_found hd_udx_loss_time_out(hd_udx_loss *loss, hd_udx_sent *sent, const hd_udx_rtt *rtt, hd_time now) {
  hd_udx_loss_found found = {0};
  const hd_duration wait =
      hd_duration_add(loss->reference_rtt, reorder_window(loss, sent, rtt, /*is_repairing=*/false));
  if (hd_udx_sent_count(sent) > 0 && hd_udx_sent_at(sent, sent->una)->state == HD_UDX_SENT_IN_FLIGHT) {
    lose(sent, sent->una, &found);
  }
  while (sent->flight.count > 0) {
    const uint32_t number = sent->flight.oldest;
    if (!hd_time_is_due(hd_time_add(hd_udx_sent_at(sent, number)->sent_at, wait), now)) break;
    lose(sent, number, &found);
  }

  loss->tail_probes = 0;
  loss->reorder_deadline = loss->tail_deadline = HD_TIME_NEVER;
  if (loss->backoff < 16) loss->backoff++;
  hd_udx_loss_restart(loss, rtt, now);
  return found;
}

void hd_udx_loss_heard(hd_udx_loss *loss, const hd_udx_rtt *rtt, hd_time now) {
  loss->backoff = 0;
  loss->tail_probes = 0;
  hd_udx_loss_restart(loss, rtt, now);
}

void hd_udx_loss_restart(hd_udx_loss *loss, const hd_udx_rtt *rtt, hd_time now) {
  const hd_duration timeout = hd_duration_times(hd_udx_rtt_timeout(rtt), (uint64_t)1 << loss->backoff);
  loss->timeout_deadline = hd_time_add(now, hd_duration_shorter(timeout, HD_UDX_RTO_MAX));
  const hd_time patience_ends = hd_time_add(loss->progress_at, loss->patience);
  if (hd_time_before(now, patience_ends)) {
    loss->timeout_deadline = hd_time_earlier(loss->timeout_deadline, patience_ends);
  }
}

static hd_duration tail_probe_wait(const hd_udx_loss *loss, const hd_udx_sent *sent, const hd_udx_rtt *rtt) {
  if (!rtt->has_sample) return HD_UDX_RTO_INITIAL;
  const hd_duration varied = {rtt->smoothed.us + 4 * rtt->variation.us};
  hd_duration wait = hd_duration_longer(hd_duration_times(rtt->smoothed, 2), varied);
  if (sent->flight.count == 1) wait = hd_duration_add(wait, HD_UDX_TAIL_PROBE_SINGLE);
  wait = hd_duration_longer(wait, HD_UDX_TAIL_PROBE_MIN);
  return hd_duration_times(wait, (uint64_t)1 << loss->tail_probes);
}

void hd_udx_loss_arm_tail_probe(hd_udx_loss *loss, const hd_udx_sent *sent, const hd_udx_rtt *rtt, hd_time now) {
  loss->tail_deadline = HD_TIME_NEVER;
  if (loss->tail_probes >= HD_UDX_TAIL_PROBES_MAX || loss->backoff > 0 || sent->flight.count == 0) return;
  const hd_time at = hd_time_add(now, tail_probe_wait(loss, sent, rtt));
  if (hd_time_before(at, loss->timeout_deadline)) loss->tail_deadline = at;
}

void hd_udx_loss_tail_probe_sent(hd_udx_loss *loss, const hd_udx_rtt *rtt, hd_time now) {
  loss->tail_probes++;
  loss->tail_deadline = HD_TIME_NEVER;
  hd_udx_loss_restart(loss, rtt, now);
}

hd_time hd_udx_loss_deadline(const hd_udx_loss *loss, const hd_udx_sent *sent) {
  if (sent->flight.count == 0) return HD_TIME_NEVER;
  return hd_time_earlier(loss->reorder_deadline, hd_time_earlier(loss->tail_deadline, loss->timeout_deadline));
}

hd_udx_loss_expiry hd_udx_loss_expire(hd_udx_loss *loss, const hd_udx_sent *sent, hd_time now) {
  if (sent->flight.count == 0) return HD_UDX_EXPIRY_NONE;
  if (hd_time_is_due(loss->timeout_deadline, now)) return HD_UDX_EXPIRY_TIMEOUT;
  if (hd_time_is_due(loss->reorder_deadline, now)) {
    loss->reorder_deadline = HD_TIME_NEVER;
    return HD_UDX_EXPIRY_REORDER;
  }
  if (hd_time_is_due(loss->tail_deadline, now)) {
    loss->tail_deadline = HD_TIME_NEVER;
    return HD_UDX_EXPIRY_TAIL;
  }
  return HD_UDX_EXPIRY_NONE;
}

/* RFC 8985, section 6.2, step 4. Instead of duplicate SACKs, which UDX does not have, a retransmission that is
 * acknowledged too soon widens the window. */
static hd_duration reorder_window(const hd_udx_loss *loss, const hd_udx_sent *sent, const hd_udx_rtt *rtt,
                                  bool is_repairing) {
  if (!rtt->has_sample) return (hd_duration){0};
  const uint32_t delivered = hd_udx_sent_count(sent) - sent->flight.count - sent->lost.count;
  if (!loss->is_reordering_seen && (is_repairing || delivered >= 3)) return (hd_duration){0};
  const hd_duration window = {hd_udx_rtt_minimum(rtt).us / 4 * (loss->reorder_factor + 1u)};
  return hd_duration_shorter(window, rtt->smoothed);
}

static bool was_sent_before_reference(const hd_udx_loss *loss, const hd_udx_sent_packet *packet, uint32_t number) {
  if (packet->sent_at.us != loss->reference_sent_at.us) return hd_time_before(packet->sent_at, loss->reference_sent_at);
  return hd_udx_seq_before(number, loss->reference_number);
}

static void lose(hd_udx_sent *sent, uint32_t number, hd_udx_loss_found *found) {
  const hd_udx_sent_packet *packet = hd_udx_sent_at(sent, number);
  found->bytes += packet->wire_size;
  if ((packet->marks & HD_UDX_SENT_PROBE) != 0) {
    found->probes++;
  } else {
    found->packets++;
  }
  hd_udx_sent_lose(sent, number);
}
