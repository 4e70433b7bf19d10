/* One row of the routing table: up to 20 nodes that share the same number of leading bits with our own id.
 *
 * Nodes live inside the bucket and never move while they are stored, so others may keep pointers to them; free slots
 * are the zero bits of `used`. The bucket knows nothing of the rest of the table. */
#ifndef HD_TABLE_BUCKET_H
#define HD_TABLE_BUCKET_H

#include "base/address.h"
#include "base/list.h"

#define HD_TABLE_ROW_LIMIT 20 /* k of the reference */

/* A node id, or any place in its 256-bit space. */
typedef struct hd_node_id {
  uint8_t bytes[HDHT_NODE_ID_SIZE];
} hd_node_id;

static inline bool hd_node_id_equal(const hd_node_id *a, const hd_node_id *b) {
  return memcmp(a, b, sizeof *a) == 0;
}

/* Below 0 when `a` is nearer to `target` than `b` in XOR distance, 0 when the two are equal, above 0 otherwise. */
int hd_node_id_compare_distance(const hd_node_id *target, const hd_node_id *a, const hd_node_id *b);

/* How many leading bits two ids share: 0 to 256. */
unsigned hd_node_id_shared_bits(const hd_node_id *a, const hd_node_id *b);

/* A stored node. All times are ticks of the table's owner (5 s in the DHT). */
typedef struct hd_table_node {
  hd_list heard; /* place in the table's list from longest silent to latest heard */
  hd_node_id id;
  hd_address address;
  uint32_t added_tick;
  uint32_t pinged_tick;  /* last time we asked it or heard from it */
  uint32_t seen_tick;    /* last time we heard from it */
  uint32_t sampled_tick; /* last time its view of our address was used; 0 never */
  uint32_t down_hints;   /* how often others said that it is down */
  bool is_verified;      /* it answered a request of ours, so its address is no forgery */
  bool is_checked;       /* somebody is waiting for its answer to a ping */
} hd_table_node;

typedef struct hd_table_bucket {
  uint32_t used; /* bit i: nodes[i] is a node */
  hd_table_node nodes[HD_TABLE_ROW_LIMIT];
} hd_table_bucket;

_Static_assert(HD_TABLE_ROW_LIMIT < 32, "one bit per slot");

/* The first node in a slot after that of `node`, or the first of all for NULL; NULL at the end. The slot of `node` may
 * have become free. */
static inline hd_table_node *hd_table_bucket_next(hd_table_bucket *bucket, const hd_table_node *node) {
  const size_t first_slot = node == NULL ? 0 : (size_t)(node - bucket->nodes) + 1;
  const uint32_t left = bucket->used >> first_slot << first_slot;
  return left == 0 ? NULL : &bucket->nodes[__builtin_ctz(left)];
}

#define HD_TABLE_BUCKET_EACH(node, bucket)                                       \
  for (hd_table_node *node = hd_table_bucket_next((bucket), NULL); node != NULL; \
       node = hd_table_bucket_next((bucket), node))

static inline unsigned hd_table_bucket_count(const hd_table_bucket *bucket) {
  return (unsigned)__builtin_popcount(bucket->used);
}

/* The node with this id, or NULL. */
hd_table_node *hd_table_bucket_find(hd_table_bucket *bucket, const hd_node_id *id);

/* A free slot, now used and zeroed; the bucket must have one. */
hd_table_node *hd_table_bucket_take(hd_table_bucket *bucket);

/* Makes the node's slot free. */
void hd_table_bucket_give_back(hd_table_bucket *bucket, const hd_table_node *node);

/* Appends the nodes nearest to `target`, nearest first.
 *
 * shared_bits  how many leading bits all ids of this bucket have in common
 * nodes        [out] room for `limit`
 *
 * Returns how many were written: all of the bucket, or `limit`. */
unsigned hd_table_bucket_closest(hd_table_bucket *bucket, const hd_node_id *target, unsigned shared_bits,
                                 hd_table_node **nodes, unsigned limit);

#endif
