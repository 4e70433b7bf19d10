/* Flow control: how much the peer lets us send, and how much we let the peer send. Windows are bytes and not scaled;
 * they count what is in flight, which is what the reference compares them with.
 *
 * Our window starts at the reference's constant 4 MiB and doubles up to a maximum each time the reader took a whole
 * window without falling behind, so that one fast stream is not held to 4 MiB per round trip. Memory is only used for
 * what really waits. */
#ifndef HD_UDX_FLOW_H
#define HD_UDX_FLOW_H

#include <stdbool.h>

#include "base/clock.h"
#include "udx/udx_packet.h"
#include "udx/udx_rtt.h"

#define HD_UDX_WINDOW_PROBE_HEARTBEATS \
  3 /* unanswered ones before a data packet is tried: old peers know no heartbeat */

typedef struct hd_udx_flow {
  /* The peer's window. */
  uint32_t send_window; /* bytes */
  uint32_t update_seq;  /* seq and ack of the packet that last set it */
  uint32_t update_ack;
  uint8_t probes; /* in a row, since the window was last seen */
  hd_time probe_at;

  /* Ours. */
  uint32_t advertised; /* in the last packet sent */
  uint32_t limit;
  uint32_t limit_max;
  uint64_t held_by_user; /* bytes */
  uint64_t taken;        /* bytes the reader took since the limit last grew */
} hd_udx_flow;

void hd_udx_flow_init(hd_udx_flow *flow, uint32_t window, uint32_t window_max, uint32_t send_seq, uint32_t receive_seq);

/* Takes the window of a packet whose `ack` is at or after the oldest unacknowledged number: newer packets replace what
 * older ones said (RFC 9293, section 3.10.7.4). */
static inline void hd_udx_flow_update(hd_udx_flow *flow, const hd_udx_header *header) {
  const bool is_newer = hd_udx_seq_before(flow->update_seq, header->seq) ||
                        (flow->update_seq == header->seq && hd_udx_seq_at_or_before(flow->update_ack, header->ack));
  if (!is_newer) return;
  flow->send_window = header->window;
  flow->update_seq = header->seq;
  flow->update_ack = header->ack;
}

/* Whether a packet with `size` bytes may be sent while `in_flight` bytes are: a window that is open at all takes one
 * packet. What the peer received out of order is not in flight but does fill its memory, so all that is `outstanding`
 * stays below twice the window. */
static inline bool hd_udx_flow_may_send(const hd_udx_flow *flow, uint64_t in_flight, uint64_t outstanding,
                                        uint32_t size) {
  if (flow->send_window == 0) return false;
  if (outstanding == 0) return true;
  return in_flight + size <= flow->send_window && outstanding + size <= 2 * (uint64_t)flow->send_window;
}

/* What to advertise while `buffered` bytes of memory hold data that the reader has not taken. */
static inline uint32_t hd_udx_flow_window(const hd_udx_flow *flow, uint64_t buffered) {
  const uint64_t held = flow->held_by_user + buffered;
  return held >= flow->limit ? 0 : (uint32_t)(flow->limit - held);
}

/* The reader took `bytes`; `buffered` wait. */
static inline void hd_udx_flow_taken(hd_udx_flow *flow, uint32_t bytes, uint64_t buffered) {
  flow->taken += bytes;
  if (flow->taken < flow->limit) return;
  flow->taken = 0;
  if (flow->held_by_user + buffered > flow->limit / 4) return;
  flow->limit = flow->limit > flow->limit_max / 2 ? flow->limit_max : flow->limit * 2;
}

/* Whether the window opened enough since it was last advertised that the peer should be told at once: from less than
 * two packets to more, or by a quarter of the limit when it was small. */
bool hd_udx_flow_wants_update(const hd_udx_flow *flow, uint64_t buffered, uint32_t packet_size);

#endif
