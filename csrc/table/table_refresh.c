#include "table/table_refresh.h"

static bool may_be_asked(const hd_table_node *node, uint32_t tick) {
  return !node->is_checked && node->pinged_tick != tick;
}

static bool is_worth_keeping(const hd_table_node *node, uint32_t tick) {
  return node->is_verified && tick - node->pinged_tick < HD_TABLE_RECENT_TICKS &&
         tick - node->added_tick > HD_TABLE_STABLE_TICKS;
}

/* Ticks are compared by age, so that a wrapped counter does no harm. */
static bool goes_before(const hd_table_node *a, const hd_table_node *b, uint32_t tick) {
  if (a->is_verified != b->is_verified) return !a->is_verified;
  if (a->pinged_tick != b->pinged_tick) return tick - a->pinged_tick > tick - b->pinged_tick;
  return tick - a->added_tick > tick - b->added_tick;
}

hd_table_node *hd_table_eviction_candidate(const hd_table *table, const hd_node_id *id, uint32_t tick) {
  hd_table_bucket *bucket = table->rows[hd_table_row_of(table, id)];
  if (bucket == NULL) return NULL;
  hd_table_node *candidate = NULL;
  HD_TABLE_BUCKET_EACH(node, bucket) {
    if (!may_be_asked(node, tick)) continue;
    if (candidate == NULL || goes_before(node, candidate, tick)) candidate = node;
  }
  return candidate != NULL && !is_worth_keeping(candidate, tick) ? candidate : NULL;
}

hd_table_node *hd_table_next_to_check(const hd_table *table, uint32_t tick) {
  hd_table_node *oldest = NULL;
  for (hd_table_node *node = hd_table_oldest(table); node != NULL; node = hd_table_heard_after(table, node)) {
    if (!may_be_asked(node, tick)) continue;
    if (!node->is_verified) return node;
    if (oldest == NULL) oldest = node;
  }
  return oldest;
}

void hd_table_asked(hd_table_node *node, uint32_t tick) {
  node->pinged_tick = tick;
  node->is_checked = true;
}
