/* Which nodes of the table are due for a sign of life, and which may lose their place (dht-rpc 6, "row full" and "ping
 * some"). Only decisions: the owner asks the nodes and removes those that do not answer. */
#ifndef HD_TABLE_REFRESH_H
#define HD_TABLE_REFRESH_H

#include "table/table.h"

#define HD_TABLE_RECENT_TICKS 12  /* a node asked within the last minute is left in peace */
#define HD_TABLE_STABLE_TICKS 360 /* one that stayed for half an hour is worth protecting */

/* The node of `id`'s full row that should be asked whether it still lives, and be replaced if not: first one that never
 * proved its address, then the one longest not asked, then the one that came first. NULL when each of them was asked in
 * this tick, is being asked, or is recent and stable. */
hd_table_node *hd_table_eviction_candidate(const hd_table *table, const hd_node_id *id, uint32_t tick);

/* The next node whose life is to be checked at `tick`, or NULL: nodes that never proved their address first, then the
 * longest silent. The caller marks it asked (hd_table_asked) before it calls again. */
hd_table_node *hd_table_next_to_check(const hd_table *table, uint32_t tick);

/* Notes that the node is being asked at `tick`, and that somebody waits for its answer. */
void hd_table_asked(hd_table_node *node, uint32_t tick);

#endif
