/* The hash map against a binary search and against the least a hash table can do over the same keys; the deadline heap
 * against a binary heap that only knows push and pop. Keys are looked up in random order, as packets of many streams
 * arrive. */
#include <hdht/error.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/deadline_heap.h"
#include "base/hash_map.h"
#include "base/random.h"
#include "bench.h"

#define LOOKUPS_COUNT 8192 /* a power of two */

static void *allocate(size_t count, size_t size) {
  void *memory = calloc(count, size);
  if (memory == NULL) abort();
  return memory;
}

/* Fixed keys of 4 bytes that are never 0, a hash anybody can predict, no growth, no removal. */
typedef struct plain_entry {
  uint32_t key;
  void *value;
} plain_entry;

/* The same entries in three containers, and keys to look up in each. */
typedef struct lookup {
  hd_hash_map map;
  uint32_t *sorted;
  size_t count;
  plain_entry *plain;
  unsigned plain_bits; /* log2 of its slots */
  uint32_t keys[LOOKUPS_COUNT];
  size_t next;
} lookup;

static int by_key(const void *left, const void *right) {
  const uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;
  return (a > b) - (a < b);
}

static size_t next_lookup(lookup *l) {
  return l->next++ & (LOOKUPS_COUNT - 1);
}

static void find_in_map(void *context) {
  lookup *l = context;
  hd_bench_keep(hd_hash_map_find(&l->map, &l->keys[next_lookup(l)]));
}

static void find_in_sorted(void *context) {
  lookup *l = context;
  hd_bench_keep(bsearch(&l->keys[next_lookup(l)], l->sorted, l->count, sizeof(uint32_t), by_key));
}

static plain_entry *plain_find(const lookup *l, uint32_t key) {
  size_t i = key * 0x9e3779b1u >> (32 - l->plain_bits);
  while (l->plain[i].key != 0 && l->plain[i].key != key) i = (i + 1) & (((size_t)1 << l->plain_bits) - 1);
  return &l->plain[i];
}

static void find_in_plain(void *context) {
  lookup *l = context;
  hd_bench_keep(plain_find(l, l->keys[next_lookup(l)])->value);
}

/* Entries have even keys; an odd key is a miss. */
static lookup *make_lookup(size_t count, bool is_hit) {
  lookup *l = allocate(1, sizeof *l);
  hd_random random = hd_random_from_seed(count);
  const uint64_t seed[2] = {hd_random_next(&random), hd_random_next(&random)};
  hd_hash_map_init(&l->map, hd_allocator_system(), sizeof(uint32_t), sizeof(void *), 0, seed);
  l->sorted = allocate(count, sizeof *l->sorted);
  while (((size_t)1 << l->plain_bits) / 4 * 3 < count) l->plain_bits++;
  l->plain = allocate((size_t)1 << l->plain_bits, sizeof *l->plain);

  while (l->count < count) {
    const uint32_t key = (uint32_t)hd_random_next(&random) & ~1u;
    void *value;
    bool is_new;
    if (hd_hash_map_insert(&l->map, &key, &value, &is_new) != HDHT_OK) abort();
    if (key == 0 || !is_new) continue;
    plain_find(l, key)->key = key;
    l->sorted[l->count++] = key;
  }
  for (size_t i = 0; i < LOOKUPS_COUNT; i++) {
    l->keys[i] = l->sorted[hd_random_below(&random, count)] | (is_hit ? 0 : 1);
  }
  qsort(l->sorted, count, sizeof *l->sorted, by_key);
  return l;
}

static void bench_lookup(size_t count, bool is_hit) {
  lookup *l = make_lookup(count, is_hit);
  char name[64];
  double ours, theirs;
  snprintf(name, sizeof name, "hash map find %s, %zu entries", is_hit ? "hit" : "miss", count);
  hd_bench_compare_ns(find_in_map, l, find_in_sorted, l, &ours, &theirs);
  hd_bench_report("base", name, ours, ours / theirs, "bsearch");
  hd_bench_compare_ns(find_in_map, l, find_in_plain, l, &ours, &theirs);
  hd_bench_report("base", name, ours, ours / theirs, "a bare table without a seed");
  hd_hash_map_destroy(&l->map);
  free(l->sorted);
  free(l->plain);
  free(l);
}

BENCH("base", hash_map_find) {
  const size_t counts[] = {1000, 100000};
  for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
    bench_lookup(counts[i], true);
    bench_lookup(counts[i], false);
  }
}

/* A connection comes and another goes: one insert and one remove. */
typedef struct churn {
  hd_hash_map map;
  uint32_t first;
  uint32_t next;
} churn;

static void insert_and_remove(void *context) {
  churn *c = context;
  void *value;
  if (hd_hash_map_insert(&c->map, &c->next, &value, NULL) != HDHT_OK) abort();
  (void)hd_hash_map_remove(&c->map, &c->first);
  c->next++;
  c->first++;
}

static void find_newest(void *context) {
  churn *c = context;
  const uint32_t key = c->next - 1;
  hd_bench_keep(hd_hash_map_find(&c->map, &key));
}

BENCH("base", hash_map_churn) {
  churn c = {.first = 0};
  hd_hash_map_init(&c.map, hd_allocator_system(), sizeof(uint32_t), sizeof(void *), 0, (const uint64_t[2]){1, 2});
  while (c.next < 24000) { /* near three quarters of 32768 slots, the fullest a map gets */
    void *value;
    if (hd_hash_map_insert(&c.map, &c.next, &value, NULL) != HDHT_OK) abort();
    c.next++;
  }
  double churn_ns, find_ns;
  hd_bench_compare_ns(insert_and_remove, &c, find_newest, &c, &churn_ns, &find_ns);
  hd_bench_report("base", "hash map insert and remove, 24000 entries", churn_ns, churn_ns / find_ns, "a find");
  hd_hash_map_destroy(&c.map);
}

/* Keys of 8 and 32 bytes against those of 4: what the full SipHash and memcmp cost. */
typedef struct long_keys {
  hd_hash_map map;
  uint8_t (*keys)[32];
  size_t next;
} long_keys;

static void find_long_key(void *context) {
  long_keys *l = context;
  hd_bench_keep(hd_hash_map_find(&l->map, l->keys[l->next++ & 1023]));
}

static void make_long_keys(long_keys *l, uint32_t key_size, uint8_t (*keys)[32]) {
  *l = (long_keys){.keys = keys};
  hd_hash_map_init(&l->map, hd_allocator_system(), key_size, sizeof(void *), 0, (const uint64_t[2]){3, 4});
  for (size_t i = 0; i < 1024; i++) {
    void *value;
    if (hd_hash_map_insert(&l->map, keys[i], &value, NULL) != HDHT_OK) abort();
  }
}

BENCH("base", hash_map_long_keys) {
  uint8_t(*keys)[32] = allocate(1024, sizeof *keys);
  hd_random random = hd_random_from_seed(5);
  hd_random_fill(&random, keys, 1024 * sizeof *keys);
  long_keys four, eight, address, id;
  make_long_keys(&four, 4, keys);
  make_long_keys(&eight, 8, keys);
  make_long_keys(&address, 20, keys);
  make_long_keys(&id, 32, keys);
  double ours, four_ns;
  hd_bench_compare_ns(find_long_key, &eight, find_long_key, &four, &ours, &four_ns);
  hd_bench_report("base", "hash map find hit, 8-byte keys, 1024 entries", ours, ours / four_ns, "4-byte keys");
  hd_bench_compare_ns(find_long_key, &address, find_long_key, &four, &ours, &four_ns);
  hd_bench_report("base", "hash map find hit, 20-byte keys, 1024 entries", ours, ours / four_ns, "4-byte keys");
  hd_bench_compare_ns(find_long_key, &id, find_long_key, &four, &ours, &four_ns);
  hd_bench_report("base", "hash map find hit, 32-byte keys, 1024 entries", ours, ours / four_ns, "4-byte keys");
  hd_hash_map_destroy(&four.map);
  hd_hash_map_destroy(&eight.map);
  hd_hash_map_destroy(&address.map);
  hd_hash_map_destroy(&id.map);
  free(keys);
}

/* The least a timer queue can do: a binary heap of times and owners, from which nothing can be taken but the first. */
typedef struct plain_timer {
  uint64_t at;
  void *owner;
} plain_timer;

typedef struct timers {
  hd_deadline_heap heap;
  hd_deadline *deadlines;
  plain_timer *plain;
  size_t plain_count;
  size_t count;
  hd_random random;
} timers;

static void plain_push(timers *t, plain_timer timer) {
  size_t i = t->plain_count++;
  for (; i > 0 && timer.at < t->plain[(i - 1) / 2].at; i = (i - 1) / 2) t->plain[i] = t->plain[(i - 1) / 2];
  t->plain[i] = timer;
}

static plain_timer plain_pop(timers *t) {
  const plain_timer first = t->plain[0], last = t->plain[--t->plain_count];
  size_t i = 0;
  for (size_t child = 1; child < t->plain_count; child = 2 * i + 1) {
    if (child + 1 < t->plain_count && t->plain[child + 1].at < t->plain[child].at) child++;
    if (last.at <= t->plain[child].at) break;
    t->plain[i] = t->plain[child];
    i = child;
  }
  t->plain[i] = last;
  return first;
}

/* The earliest timer fires and is set again, as a retransmission timer is. */
static void fire_and_set(void *context) {
  timers *t = context;
  hd_deadline *due = hd_deadline_heap_pop_due(&t->heap, HD_TIME_NEVER);
  const hd_duration delay = {hd_random_next(&t->random) >> 44};
  (void)hd_deadline_heap_set(&t->heap, due, hd_time_add(due->at, delay));
}

static void plain_fire_and_set(void *context) {
  timers *t = context;
  plain_timer timer = plain_pop(t);
  timer.at += hd_random_next(&t->random) >> 44;
  plain_push(t, timer);
}

/* Any timer moves later, as it does for each packet that is sent. */
static void postpone(void *context) {
  timers *t = context;
  hd_deadline *deadline = &t->deadlines[hd_random_below(&t->random, t->count)];
  (void)hd_deadline_heap_set(&t->heap, deadline, hd_time_add(deadline->at, HD_MILLISECONDS(1)));
}

static void bench_timers(size_t count) {
  timers t = {.count = count, .random = hd_random_from_seed(count)};
  t.deadlines = allocate(count, sizeof *t.deadlines);
  t.plain = allocate(count, sizeof *t.plain);
  hd_deadline_heap_init(&t.heap, hd_allocator_system());
  for (size_t i = 0; i < count; i++) {
    const uint64_t at = hd_random_next(&t.random) >> 44;
    (void)hd_deadline_heap_set(&t.heap, &t.deadlines[i], (hd_time){at});
    plain_push(&t, (plain_timer){.at = at});
  }

  char name[64];
  double ours, theirs;
  hd_bench_compare_ns(fire_and_set, &t, plain_fire_and_set, &t, &ours, &theirs);
  snprintf(name, sizeof name, "deadline heap pop and set, %zu entries", count);
  hd_bench_report("base", name, ours, ours / theirs, "a binary heap");
  hd_bench_compare_ns(postpone, &t, plain_fire_and_set, &t, &ours, &theirs);
  snprintf(name, sizeof name, "deadline heap move, %zu entries", count);
  hd_bench_report("base", name, ours, ours / theirs, "a binary heap's pop and push");
  hd_deadline_heap_destroy(&t.heap);
  free(t.deadlines);
  free(t.plain);
}

BENCH("base", deadline_heap) {
  bench_timers(1000);
  bench_timers(100000);
}
