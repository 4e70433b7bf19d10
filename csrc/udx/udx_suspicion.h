/* A DESTROY with numbers that fit, but from an address the peer was never known at: forged, or the peer moved. It is
 * not believed, but the peer is asked: if several heartbeats to where it is known find no answer, it was true. */
#ifndef HD_UDX_SUSPICION_H
#define HD_UDX_SUSPICION_H

#include <stdbool.h>

#include "base/clock.h"

#define HD_UDX_SUSPICION_HEARTBEATS 3

typedef struct hd_udx_suspicion {
  hd_time due_at; /* HD_TIME_NEVER: none */
  uint8_t heartbeats;
} hd_udx_suspicion;

static inline void hd_udx_suspicion_clear(hd_udx_suspicion *suspicion) {
  *suspicion = (hd_udx_suspicion){.due_at = HD_TIME_NEVER};
}

/* Returns whether that began a suspicion: send a heartbeat. An answer is awaited for `patience` each time. */
static inline bool hd_udx_suspicion_begin(hd_udx_suspicion *suspicion, hd_time now, hd_duration patience) {
  if (!hd_time_is_never(suspicion->due_at)) return false;
  *suspicion = (hd_udx_suspicion){.due_at = hd_time_add(now, patience), .heartbeats = 1};
  return true;
}

/* The time for an answer passed. Returns whether to ask again; otherwise the suspicion has proved true. */
static inline bool hd_udx_suspicion_elapse(hd_udx_suspicion *suspicion, hd_time now, hd_duration patience) {
  if (suspicion->heartbeats >= HD_UDX_SUSPICION_HEARTBEATS) return false;
  suspicion->heartbeats++;
  suspicion->due_at = hd_time_add(now, patience);
  return true;
}

#endif
