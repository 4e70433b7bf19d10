#include "table/table.h"

#include "base/address_range.h"
#include "base/assertion.h"
#include "base/byte_order.h"

static uint64_t bit_of_row(unsigned row) {
  return (uint64_t)1 << (63 - row % 64);
}

void hd_table_init(hd_table *table, const hd_allocator *allocator, const hd_node_id *own_id, hd_table_limits limits) {
  hd_assert(limits.row > 0 && limits.row <= HD_TABLE_ROW_LIMIT);
  *table = (hd_table){.allocator = allocator, .limits = limits, .own_id = *own_id};
  hd_list_init(&table->heard);
}

void hd_table_clear(hd_table *table) {
  for (unsigned row = 0; row < HD_TABLE_ROWS_COUNT; row++) {
    hd_release(table->allocator, table->rows[row], sizeof *table->rows[row]);
    table->rows[row] = NULL;
  }
  memset(table->occupied, 0, sizeof table->occupied);
  hd_list_init(&table->heard);
}

unsigned hd_table_count(const hd_table *table) {
  unsigned count = 0;
  for (unsigned word = 0; word < 4; word++) {
    for (uint64_t left = table->occupied[word]; left != 0; left &= left - 1) {
      const unsigned row = 64 * word + 63 - (unsigned)__builtin_ctzll(left);
      count += hd_table_bucket_count(table->rows[row]);
    }
  }
  return count;
}

unsigned hd_table_row_of(const hd_table *table, const hd_node_id *id) {
  const unsigned shared = hd_node_id_shared_bits(&table->own_id, id);
  return shared < HD_TABLE_ROWS_COUNT ? shared : HD_TABLE_ROWS_COUNT - 1;
}

hd_table_node *hd_table_find(const hd_table *table, const hd_node_id *id) {
  hd_table_bucket *bucket = table->rows[hd_table_row_of(table, id)];
  return bucket != NULL ? hd_table_bucket_find(bucket, id) : NULL;
}

static unsigned count_network_in_row(hd_table_bucket *bucket, const hd_address *address) {
  unsigned count = 0;
  HD_TABLE_BUCKET_EACH(node, bucket) count += hd_address_same_network(&node->address, address);
  return count;
}

static bool network_has_its_share(const hd_table *table, hd_table_bucket *bucket, const hd_address *address) {
  if (!hd_address_is_public(address)) return false;
  if (bucket != NULL && count_network_in_row(bucket, address) >= table->limits.network_row) return true;
  unsigned count = 0;
  for (const hd_list *link = table->heard.next; link != &table->heard; link = link->next) {
    const hd_table_node *node = (const hd_table_node *)(const void *)link;
    count += hd_address_same_network(&node->address, address);
  }
  return count >= table->limits.network_table;
}

_Static_assert(offsetof(hd_table_node, heard) == 0, "a link is a node");

static hd_table_bucket *make_row(hd_table *table, unsigned row) {
  hd_assert(table->rows[row] == NULL);
  hd_table_bucket *bucket = hd_allocate(table->allocator, sizeof *bucket);
  if (bucket == NULL) return NULL;
  bucket->used = 0;
  table->rows[row] = bucket;
  table->occupied[row / 64] |= bit_of_row(row);
  return bucket;
}

hd_table_admission hd_table_insert(hd_table *table, const hd_node_id *id, const hd_address *address, uint32_t tick,
                                   hd_table_node **node) {
  const unsigned row = hd_table_row_of(table, id);
  hd_table_bucket *bucket = table->rows[row];
  hd_table_node *stored = bucket != NULL ? hd_table_bucket_find(bucket, id) : NULL;
  if (stored != NULL) {
    stored->address = *address;
    if (node != NULL) *node = stored;
    return HD_TABLE_KNOWN;
  }
  if (bucket != NULL && hd_table_bucket_count(bucket) >= table->limits.row) return HD_TABLE_ROW_FULL;
  if (network_has_its_share(table, bucket, address)) return HD_TABLE_NETWORK_FULL;
  if (bucket == NULL) bucket = make_row(table, row);
  if (bucket == NULL) return HD_TABLE_OUT_OF_MEMORY;

  stored = hd_table_bucket_take(bucket);
  *stored = (hd_table_node){.id = *id, .address = *address, .added_tick = tick, .pinged_tick = tick, .seen_tick = tick};
  hd_list_push_back(&table->heard, &stored->heard);
  if (node != NULL) *node = stored;
  return HD_TABLE_ADMITTED;
}

void hd_table_remove(hd_table *table, hd_table_node *node) {
  const unsigned row = hd_table_row_of(table, &node->id);
  hd_table_bucket *bucket = table->rows[row];
  hd_assert(bucket != NULL);
  hd_list_remove(&node->heard);
  hd_table_bucket_give_back(bucket, node);
  if (bucket->used != 0) return;
  hd_release(table->allocator, bucket, sizeof *bucket);
  table->rows[row] = NULL;
  table->occupied[row / 64] &= ~bit_of_row(row);
}

void hd_table_heard(hd_table *table, hd_table_node *node, uint32_t tick) {
  node->pinged_tick = node->seen_tick = tick;
  hd_list_remove(&node->heard);
  hd_list_push_back(&table->heard, &node->heard);
}

/* Let x be the distance from our own id to the target. A row whose bit in x is 1 holds nodes that agree with the target
 * there, where we do not, and the earlier the row, the more of the distance they save: they come first, first row
 * first. Then come the rows whose bit is 0: their nodes turn a bit that was right into a wrong one, and that costs
 * least in the last row. Rows do not overlap in this order, so only the nodes within each have to be sorted. */
unsigned hd_table_closest(const hd_table *table, const hd_node_id *target, hd_table_node **nodes, unsigned limit) {
  uint64_t distance[4];
  for (unsigned word = 0; word < 4; word++) {
    distance[word] = hd_load_be64(table->own_id.bytes + 8 * word) ^ hd_load_be64(target->bytes + 8 * word);
  }

  unsigned count = 0;
  for (unsigned word = 0; word < 4; word++) {
    uint64_t left = table->occupied[word] & distance[word];
    while (left != 0 && count < limit) {
      const unsigned row = 64 * word + (unsigned)__builtin_clzll(left);
      left &= ~bit_of_row(row);
      count += hd_table_bucket_closest(table->rows[row], target, row, nodes + count, limit - count);
    }
  }
  for (unsigned word = 4; word-- > 0;) {
    uint64_t left = table->occupied[word] & ~distance[word];
    while (left != 0 && count < limit) {
      const unsigned row = 64 * word + 63 - (unsigned)__builtin_ctzll(left);
      left &= left - 1;
      count += hd_table_bucket_closest(table->rows[row], target, row, nodes + count, limit - count);
    }
  }
  return count;
}

hd_table_node *hd_table_random(const hd_table *table, hd_random *random) {
  const unsigned count = hd_table_count(table);
  if (count == 0) return NULL;
  uint64_t left = hd_random_below(random, count);
  for (unsigned row = 0; row < HD_TABLE_ROWS_COUNT; row++) {
    if (table->rows[row] == NULL) continue;
    HD_TABLE_BUCKET_EACH(node, table->rows[row]) {
      if (left-- == 0) return node;
    }
  }
  hd_unreachable();
}

static hd_table_node *node_at(const hd_table *table, const hd_list *link) {
  return link == &table->heard ? NULL : HD_CONTAINER_OF(link, hd_table_node, heard);
}

hd_table_node *hd_table_latest(const hd_table *table) {
  return node_at(table, table->heard.previous);
}

hd_table_node *hd_table_heard_before(const hd_table *table, const hd_table_node *node) {
  return node_at(table, node->heard.previous);
}

hd_table_node *hd_table_oldest(const hd_table *table) {
  return node_at(table, table->heard.next);
}

hd_table_node *hd_table_heard_after(const hd_table *table, const hd_table_node *node) {
  return node_at(table, node->heard.next);
}

/* The old rows are emptied from the longest silent node to the latest, which keeps the order of the list. */
void hd_table_rebase(hd_table *table, const hd_node_id *own_id) {
  hd_table old = *table;
  hd_list_init(&old.heard);
  if (!hd_list_is_empty(&table->heard)) {
    old.heard = table->heard;
    old.heard.next->previous = old.heard.previous->next = &old.heard;
  }
  hd_table_init(table, old.allocator, own_id, old.limits);
  for (hd_table_node *node = hd_table_oldest(&old); node != NULL; node = hd_table_heard_after(&old, node)) {
    hd_table_node *moved;
    if (hd_table_insert(table, &node->id, &node->address, node->added_tick, &moved) != HD_TABLE_ADMITTED) continue;
    const hd_list place = moved->heard;
    *moved = *node;
    moved->heard = place;
    moved->is_checked = false;
  }
  hd_table_clear(&old);
}
