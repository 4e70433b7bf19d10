/* Heartbeats of an idle stream: they keep address translators from forgetting it and, if wanted, notice a peer that is
 * gone. A heartbeat is due when nothing was sent or received for the period; any packet counts as an answer. */
#ifndef HD_UDX_KEEPALIVE_H
#define HD_UDX_KEEPALIVE_H

#include <stdbool.h>

#include "base/clock.h"

typedef struct hd_udx_keepalive {
  hd_duration period;    /* 0: off */
  uint32_t misses_limit; /* heartbeats without an answer, in a row, that mean the peer is gone; 0: none do */
  uint32_t misses;
  hd_time due_at;
} hd_udx_keepalive;

typedef enum hd_udx_keepalive_action {
  HD_UDX_KEEPALIVE_WAIT,
  HD_UDX_KEEPALIVE_SEND,
  HD_UDX_KEEPALIVE_GIVE_UP,
} hd_udx_keepalive_action;

static inline void hd_udx_keepalive_set(hd_udx_keepalive *keepalive, hd_duration period, uint32_t misses_limit) {
  *keepalive = (hd_udx_keepalive){.period = period, .misses_limit = misses_limit, .due_at = HD_TIME_NEVER};
}

/* Something was sent or received: wait a period from now. */
static inline void hd_udx_keepalive_restart(hd_udx_keepalive *keepalive, hd_time now) {
  if (keepalive->period.us != 0) keepalive->due_at = hd_time_add(now, keepalive->period);
}

/* The peer lives. */
static inline void hd_udx_keepalive_heard(hd_udx_keepalive *keepalive) {
  keepalive->misses = 0;
}

/* What to do at `now`, with data outstanding or not: then loss recovery watches the peer instead. */
hd_udx_keepalive_action hd_udx_keepalive_elapse(hd_udx_keepalive *keepalive, hd_time now, bool is_outstanding);

#endif
