/* The Kademlia routing table: for each number of leading bits shared with our own id, a row of up to 20 nodes
 * (kademlia-routing-table, dht-rpc). It stores and orders; whom to ask is decided in table_refresh.h, and asking is its
 * owner's business.
 *
 * Unlike the reference, hd_table_closest gives the true XOR order, and a network (/16) may only have a share of a row
 * and of the table, so that somebody who owns one network cannot surround us. Addresses that only exist locally are
 * exempt: test networks and LANs have nothing but those.
 *
 * Rows are allocated when their first node comes and given back with their last: a table holds what the network gives
 * it, a few hundred nodes in practice. Nodes never move in memory while they are stored. */
#ifndef HD_TABLE_H
#define HD_TABLE_H

#include "base/allocator.h"
#include "base/random.h"
#include "table/table_bucket.h"

#define HD_TABLE_ROWS_COUNT          256
#define HD_TABLE_NETWORK_ROW_LIMIT   4  /* nodes of one /16 in one row */
#define HD_TABLE_NETWORK_TABLE_LIMIT 20 /* and in the whole table */

typedef struct hd_table_limits {
  unsigned row;           /* nodes in one row, 1 to HD_TABLE_ROW_LIMIT */
  unsigned network_row;   /* nodes of one /16 in one row */
  unsigned network_table; /* nodes of one /16 in all rows */
} hd_table_limits;

#define HD_TABLE_LIMITS_DEFAULT                                 \
  ((hd_table_limits){.row = HD_TABLE_ROW_LIMIT,                 \
                     .network_row = HD_TABLE_NETWORK_ROW_LIMIT, \
                     .network_table = HD_TABLE_NETWORK_TABLE_LIMIT})

typedef struct hd_table {
  const hd_allocator *allocator;
  hd_table_limits limits;
  hd_node_id own_id;
  hd_list heard;        /* all nodes, longest silent first */
  uint64_t occupied[4]; /* row r exists: bit 63 - r % 64 of word r / 64, the order of an id's bits */
  hd_table_bucket *rows[HD_TABLE_ROWS_COUNT];
} hd_table;

typedef enum hd_table_admission {
  HD_TABLE_ADMITTED,      /* a new node is stored */
  HD_TABLE_KNOWN,         /* it was stored before; only its address was updated */
  HD_TABLE_ROW_FULL,      /* no room: the owner may check an old node of the row (table_refresh.h) and try again */
  HD_TABLE_NETWORK_FULL,  /* its /16 has its share */
  HD_TABLE_OUT_OF_MEMORY, /* nothing changed */
} hd_table_admission;

/* An empty table; allocates nothing. The table must not move in memory afterwards. */
void hd_table_init(hd_table *table, const hd_allocator *allocator, const hd_node_id *own_id, hd_table_limits limits);

/* Forgets all nodes and gives all memory back; the table stays usable. */
void hd_table_clear(hd_table *table);

unsigned hd_table_count(const hd_table *table);

/* Leading bits shared with our own id; our own id itself counts to the last row. */
unsigned hd_table_row_of(const hd_table *table, const hd_node_id *id);

hd_table_node *hd_table_find(const hd_table *table, const hd_node_id *id);

/* Stores a node that was heard from at `tick`.
 *
 * node  [out] the stored node, new or known; untouched when none is stored; may be NULL */
hd_table_admission hd_table_insert(hd_table *table, const hd_node_id *id, const hd_address *address, uint32_t tick,
                                   hd_table_node **node);

/* Forgets a stored node; pointers to it are dead. */
void hd_table_remove(hd_table *table, hd_table_node *node);

/* Notes that a stored node was heard from: it becomes the latest. */
void hd_table_heard(hd_table *table, hd_table_node *node, uint32_t tick);

/* The stored nodes nearest to `target` in XOR distance, nearest first.
 *
 * nodes  [out] room for `limit`; the pointers live until the next change of the table
 *
 * Returns how many were written. */
unsigned hd_table_closest(const hd_table *table, const hd_node_id *target, hd_table_node **nodes, unsigned limit);

/* A uniformly chosen node, or NULL from an empty table. */
hd_table_node *hd_table_random(const hd_table *table, hd_random *random);

/* The node heard from latest, and the one before `node` in time; NULL at the end. */
hd_table_node *hd_table_latest(const hd_table *table);
hd_table_node *hd_table_heard_before(const hd_table *table, const hd_table_node *node);

/* The node silent for longest, and the one after `node` in time; NULL at the end. */
hd_table_node *hd_table_oldest(const hd_table *table);
hd_table_node *hd_table_heard_after(const hd_table *table, const hd_table_node *node);

/* Gives the table another own id and sorts every node into its new row. Nodes that no longer fit, or for which there is
 * no memory, are forgotten; all pointers to nodes are dead. */
void hd_table_rebase(hd_table *table, const hd_node_id *own_id);

#endif
