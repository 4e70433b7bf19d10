#include "table/table_bucket.h"

#include "base/assertion.h"
#include "base/byte_order.h"

#define WORDS (HDHT_NODE_ID_SIZE / 8)

/* Big-endian, so that the first bit of the id is the most significant of the first word. */
static uint64_t word_of(const hd_node_id *id, unsigned index) {
  return hd_load_be64(id->bytes + 8 * index);
}

int hd_node_id_compare_distance(const hd_node_id *target, const hd_node_id *a, const hd_node_id *b) {
  for (unsigned i = 0; i < WORDS; i++) {
    const uint64_t word = word_of(target, i), from_a = word ^ word_of(a, i), from_b = word ^ word_of(b, i);
    if (from_a != from_b) return from_a < from_b ? -1 : 1;
  }
  return 0;
}

unsigned hd_node_id_shared_bits(const hd_node_id *a, const hd_node_id *b) {
  for (unsigned i = 0; i < WORDS; i++) {
    const uint64_t difference = word_of(a, i) ^ word_of(b, i);
    if (difference != 0) return 64 * i + (unsigned)__builtin_clzll(difference);
  }
  return 64 * WORDS;
}

hd_table_node *hd_table_bucket_find(hd_table_bucket *bucket, const hd_node_id *id) {
  HD_TABLE_BUCKET_EACH(node, bucket) {
    if (hd_node_id_equal(&node->id, id)) return node;
  }
  return NULL;
}

hd_table_node *hd_table_bucket_take(hd_table_bucket *bucket) {
  const unsigned slot = (unsigned)__builtin_ctz(~bucket->used);
  hd_assert(slot < HD_TABLE_ROW_LIMIT);
  bucket->used |= 1u << slot;
  bucket->nodes[slot] = (hd_table_node){0};
  return &bucket->nodes[slot];
}

void hd_table_bucket_give_back(hd_table_bucket *bucket, const hd_table_node *node) {
  const size_t slot = (size_t)(node - bucket->nodes);
  hd_assert(slot < HD_TABLE_ROW_LIMIT);
  hd_assert((bucket->used >> slot & 1) != 0);
  bucket->used &= ~(1u << slot);
}

/* The bits all ids share cannot order them, so the 64 bits that start in the word after those nearly always can, and
 * the whole distance is compared only when they tie. At most 20 entries: insertion beats anything cleverer. */
unsigned hd_table_bucket_closest(hd_table_bucket *bucket, const hd_node_id *target, unsigned shared_bits,
                                 hd_table_node **nodes, unsigned limit) {
  const unsigned word = shared_bits / 64 < WORDS ? shared_bits / 64 : WORDS - 1;
  const uint64_t target_word = word_of(target, word);
  uint64_t distances[HD_TABLE_ROW_LIMIT];
  hd_table_node *sorted[HD_TABLE_ROW_LIMIT];
  unsigned count = 0;
  HD_TABLE_BUCKET_EACH(node, bucket) {
    const uint64_t distance = word_of(&node->id, word) ^ target_word;
    unsigned place = count++;
    for (; place > 0; place--) {
      const bool is_nearer = distance != distances[place - 1]
                                 ? distance < distances[place - 1]
                                 : hd_node_id_compare_distance(target, &node->id, &sorted[place - 1]->id) < 0;
      if (!is_nearer) break;
      distances[place] = distances[place - 1];
      sorted[place] = sorted[place - 1];
    }
    distances[place] = distance;
    sorted[place] = node;
  }
  if (count > limit) count = limit;
  for (unsigned i = 0; i < count; i++) nodes[i] = sorted[i];
  return count;
}
