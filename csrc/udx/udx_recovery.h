/* Whether the stream is repairing losses, and up to which packet number: open, fast recovery (a loss was inferred from
 * later packets that arrived), or loss (nothing arrived in time).
 *
 * The reference leaves a state only when the acknowledgement passes the mark, which keeps tail-loss probes off until
 * newer data is acknowledged; here reaching it is enough. */
#ifndef HD_UDX_RECOVERY_H
#define HD_UDX_RECOVERY_H

#include "udx/udx_packet.h"

typedef enum hd_udx_recovery_state { HD_UDX_OPEN, HD_UDX_RECOVERY, HD_UDX_LOSS } hd_udx_recovery_state;

typedef struct hd_udx_recovery {
  hd_udx_recovery_state state;
  uint32_t mark; /* all before it must be acknowledged before the state is open again */
} hd_udx_recovery;

static inline bool hd_udx_recovery_is_open(const hd_udx_recovery *recovery) {
  return recovery->state == HD_UDX_OPEN;
}

/* A packet was found lost while numbers up to `next` were sent. Returns whether that began a fast recovery. */
static inline bool hd_udx_recovery_lost(hd_udx_recovery *recovery, uint32_t next) {
  if (recovery->state != HD_UDX_OPEN) return false;
  *recovery = (hd_udx_recovery){.state = HD_UDX_RECOVERY, .mark = next};
  return true;
}

static inline void hd_udx_recovery_timed_out(hd_udx_recovery *recovery, uint32_t next) {
  *recovery = (hd_udx_recovery){.state = HD_UDX_LOSS, .mark = next};
}

/* Everything before `una` is acknowledged. Returns whether that ended the repair. */
static inline bool hd_udx_recovery_acked(hd_udx_recovery *recovery, uint32_t una) {
  if (recovery->state == HD_UDX_OPEN || hd_udx_seq_before(una, recovery->mark)) return false;
  recovery->state = HD_UDX_OPEN;
  return true;
}

#endif
