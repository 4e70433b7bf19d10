/* How many requests may be under way (the congestion window of dht-rpc): every transmission counts in the time slot of
 * 750 ms it was made in, until it is answered or given up, or for four slots at most. Full when the current slot holds
 * the limit, or all four hold twice the limit.
 *
 * An answer takes its count back from the slot that its request was counted in. (The reference takes it from whatever
 * slot is current.) No timer is needed; every use first catches up with the time. */
#ifndef HD_RPC_WINDOW_H
#define HD_RPC_WINDOW_H

#include "base/clock.h"

#define HD_RPC_WINDOW_SLOT    HD_MILLISECONDS(750)
#define HD_RPC_WINDOW_SLOTS   4
#define HD_RPC_WINDOW_DEFAULT 80

typedef struct hd_rpc_window {
  uint32_t limit;
  uint32_t slots[HD_RPC_WINDOW_SLOTS];
  uint64_t current; /* number of the current slot since time began */
} hd_rpc_window;

/* Which slot a transmission was counted in. */
typedef struct hd_rpc_window_place {
  uint64_t slot; /* its number plus 1; 0 when not counted */
} hd_rpc_window_place;

/* An empty window. `limit` > 0. */
hd_rpc_window hd_rpc_window_of(uint32_t limit);

bool hd_rpc_window_has_room(hd_rpc_window *window, hd_time now);

/* Counts one transmission; a place counted before is taken back first. */
void hd_rpc_window_count(hd_rpc_window *window, hd_time now, hd_rpc_window_place *place);

/* Takes a count back. Does nothing to a place that is not counted, or no longer. */
void hd_rpc_window_take_back(hd_rpc_window *window, hd_time now, hd_rpc_window_place *place);

/* When the oldest slot will be forgotten. */
hd_time hd_rpc_window_next_slot(const hd_rpc_window *window);

#endif
