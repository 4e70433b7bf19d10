/* Which packets are lost, and when to stop waiting: RACK-TLP (RFC 8985) and the retransmission time-out.
 *
 * A packet is taken for lost when one that was sent after its last transmission has arrived and a reordering window has
 * passed since. When nothing arrives that could say so, a tail-loss probe is sent after about two round trips, and
 * after the time-out the packets are taken for lost. With microseconds and "after its last transmission", no packet is
 * sent a third time on the evidence that condemned it the first time. */
#ifndef HD_UDX_LOSS_H
#define HD_UDX_LOSS_H

#include "udx/udx_rtt.h"
#include "udx/udx_sent.h"

#define HD_UDX_TAIL_PROBE_MIN     HD_MILLISECONDS(5) /* below this a stalled peer is likelier than a lost tail */
#define HD_UDX_TAIL_PROBES_MAX    2                  /* unanswered; the second waits twice as long */
#define HD_UDX_TAIL_PROBE_SINGLE  HD_MILLISECONDS(2) /* more patience when a single packet is outstanding */
#define HD_UDX_REORDER_FACTOR_MAX 8                  /* quarters of the least round trip */

typedef struct hd_udx_loss {
  /* Of the packet sent last among those that arrived. */
  hd_time reference_sent_at;
  hd_duration reference_rtt;
  uint32_t reference_number;
  uint32_t highest_delivered;
  bool has_delivered;
  bool is_reordering_seen;
  uint8_t reorder_factor; /* how many quarters of the least round trip to wait for a late packet, minus 1 */

  uint8_t tail_probes;  /* sent since anything was last heard */
  uint8_t backoff;      /* doublings of the time-out */
  hd_duration patience; /* how long to go on without progress */
  hd_time progress_at;  /* when the oldest packet last changed, or was sent if nothing was outstanding before */
  hd_time reorder_deadline;
  hd_time tail_deadline;
  hd_time timeout_deadline;
} hd_udx_loss;

typedef struct hd_udx_loss_found {
  uint32_t packets; /* MTU probes not counted */
  uint32_t probes;
  uint64_t bytes; /* wire_size, probes included */
} hd_udx_loss_found;

typedef enum hd_udx_loss_expiry {
  HD_UDX_EXPIRY_NONE,
  HD_UDX_EXPIRY_REORDER, /* hd_udx_loss_detect again */
  HD_UDX_EXPIRY_TAIL,    /* send a tail-loss probe */
  HD_UDX_EXPIRY_TIMEOUT, /* hd_udx_loss_time_out */
} hd_udx_loss_expiry;

void hd_udx_loss_init(hd_udx_loss *loss, hd_duration patience);

/* Packet `number` has arrived, `now - sent_at` after its last transmission; called before its record changes state. */
void hd_udx_loss_delivered(hd_udx_loss *loss, const hd_udx_rtt *rtt, hd_time now, const hd_udx_sent_packet *packet,
                           uint32_t number);

/* Moves every packet that must be lost by now to the queue of those to send again, and sets the time to look again. */
hd_udx_loss_found hd_udx_loss_detect(hd_udx_loss *loss, hd_udx_sent *sent, const hd_udx_rtt *rtt, hd_time now,
                                     bool is_repairing);

/* The time-out expired: the oldest packet and every other old enough is lost; backs off. */
hd_udx_loss_found hd_udx_loss_time_out(hd_udx_loss *loss, hd_udx_sent *sent, const hd_udx_rtt *rtt, hd_time now);

/* Something arrived, in order or not: counts the time-out afresh. As long as anything arrives, lost packets, repeated
 * ones included, are found by what was sent after them; a time-out behind a long queue would only be mistaken. */
void hd_udx_loss_heard(hd_udx_loss *loss, const hd_udx_rtt *rtt, hd_time now);

/* Whether patience has run out. */
static inline bool hd_udx_loss_is_hopeless(const hd_udx_loss *loss, hd_time now) {
  return hd_time_is_due(hd_time_add(loss->progress_at, loss->patience), now);
}

/* Counts the time-out from now, but not beyond the end of patience. */
void hd_udx_loss_restart(hd_udx_loss *loss, const hd_udx_rtt *rtt, hd_time now);

/* Counts the tail-loss probe from now, if another may be sent. RFC 8985 allows one only outside of recovery; but there
 * too the last packets may be lost with nothing behind them to tell, and a probe is cheaper than the time-out. */
void hd_udx_loss_arm_tail_probe(hd_udx_loss *loss, const hd_udx_sent *sent, const hd_udx_rtt *rtt, hd_time now);

/* The probe was sent at `now`. */
void hd_udx_loss_tail_probe_sent(hd_udx_loss *loss, const hd_udx_rtt *rtt, hd_time now);

/* When something expires; HD_TIME_NEVER while nothing is in flight. */
hd_time hd_udx_loss_deadline(const hd_udx_loss *loss, const hd_udx_sent *sent);

/* What expired by now; at most one thing at a time. */
hd_udx_loss_expiry hd_udx_loss_expire(hd_udx_loss *loss, const hd_udx_sent *sent, hd_time now);

#endif
