/* How long to wait for an answer before asking again: an estimate over all nodes asked lately (the estimator of RFC
 * 6298). The reference waits a second each time; most nodes answer within a tenth of it, so a lost datagram costs less
 * time here, and a dead node is noticed earlier.
 *
 * Only answers to a first transmission count: of a repeated one nobody knows which was answered (Karn). */
#ifndef HD_RPC_RTT_H
#define HD_RPC_RTT_H

#include "base/clock.h"

#define HD_RPC_TIMEOUT_MIN HD_MILLISECONDS(300)
#define HD_RPC_TIMEOUT_MAX HD_MILLISECONDS(1000) /* what the reference always waits */

typedef struct hd_rpc_rtt {
  uint64_t smoothed_us;  /* 0 before the first sample */
  uint64_t deviation_us; /* smoothed mean deviation */
} hd_rpc_rtt;

void hd_rpc_rtt_add(hd_rpc_rtt *rtt, hd_duration sample);

/* How long to wait after transmission number `attempt`, counted from 1: longer after each. */
hd_duration hd_rpc_rtt_timeout(const hd_rpc_rtt *rtt, unsigned attempt);

#endif
