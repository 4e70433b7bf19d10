#include "table/table_refresh.h"

#include "test.h"

static const hd_node_id zero_id;

/* A verified node of row 0, all four times as given. */
static hd_table_node *add(hd_table *table, uint8_t number, uint32_t added_tick, uint32_t pinged_tick) {
  const hd_node_id id = {{0x80, number}};
  const hd_address address = hd_address_ipv4(10, 0, 0, number, 1);
  hd_table_node *node = NULL;
  if (hd_table_insert(table, &id, &address, added_tick, &node) != HD_TABLE_ADMITTED) return NULL;
  node->pinged_tick = pinged_tick;
  node->is_verified = true;
  return node;
}

static const hd_node_id newcomer = {{0xff}};

static void init(hd_table *table) {
  hd_table_init(table, hd_allocator_system(), &zero_id, HD_TABLE_LIMITS_DEFAULT);
}

TEST(eviction_candidate_is_the_node_longest_not_asked) {
  hd_table table;
  init(&table);
  (void)add(&table, 1, 10, 1000);
  hd_table_node *b = add(&table, 2, 20, 990);
  (void)add(&table, 3, 5, 995);
  CHECK(hd_table_eviction_candidate(&table, &newcomer, 1100) == b);
  hd_table_clear(&table);
}

TEST(eviction_candidate_is_the_older_of_two_asked_at_the_same_time) {
  hd_table table;
  init(&table);
  (void)add(&table, 1, 30, 990);
  hd_table_node *b = add(&table, 2, 20, 990);
  CHECK(hd_table_eviction_candidate(&table, &newcomer, 1100) == b);
  hd_table_clear(&table);
}

TEST(eviction_candidate_is_first_of_all_one_that_proved_nothing) {
  hd_table table;
  init(&table);
  (void)add(&table, 1, 10, 900);
  hd_table_node *b = add(&table, 2, 990, 999);
  b->is_verified = false;
  CHECK(hd_table_eviction_candidate(&table, &newcomer, 1000) == b);
  hd_table_clear(&table);
}

TEST(eviction_spares_who_was_asked_in_this_tick_or_is_being_asked) {
  hd_table table;
  init(&table);
  (void)add(&table, 1, 10, 1000);
  hd_table_node *b = add(&table, 2, 10, 900);
  hd_table_asked(b, 950);
  CHECK(hd_table_eviction_candidate(&table, &newcomer, 1000) == NULL);
  b->is_checked = false;
  CHECK(hd_table_eviction_candidate(&table, &newcomer, 1000) == b);
  hd_table_clear(&table);
}

TEST(eviction_protects_a_recent_and_stable_node_to_the_last_tick) {
  hd_table table;
  init(&table);
  hd_table_node *node = add(&table, 1, 1000 - HD_TABLE_STABLE_TICKS - 1, 1000 - HD_TABLE_RECENT_TICKS + 1);
  CHECK(hd_table_eviction_candidate(&table, &newcomer, 1000) == NULL);
  node->pinged_tick--; /* no longer recent */
  CHECK(hd_table_eviction_candidate(&table, &newcomer, 1000) == node);
  node->pinged_tick++;
  node->added_tick++; /* not yet stable */
  CHECK(hd_table_eviction_candidate(&table, &newcomer, 1000) == node);
  hd_table_clear(&table);
}

TEST(eviction_looks_at_the_row_of_the_newcomer_alone) {
  hd_table table;
  init(&table);
  (void)add(&table, 1, 10, 10);
  const hd_node_id elsewhere = {{0x40}};
  CHECK(hd_table_eviction_candidate(&table, &elsewhere, 1000) == NULL);
  hd_table_clear(&table);
}

TEST(next_to_check_is_the_longest_silent_that_was_not_asked_yet) {
  hd_table table;
  init(&table);
  hd_table_node *a = add(&table, 1, 1, 1), *b = add(&table, 2, 2, 2);
  CHECK(hd_table_next_to_check(&table, 50) == a);
  hd_table_asked(a, 50);
  CHECK(hd_table_next_to_check(&table, 50) == b);
  hd_table_asked(b, 50);
  CHECK(hd_table_next_to_check(&table, 50) == NULL);
  CHECK(hd_table_next_to_check(&table, 51) == NULL); /* their answers are still awaited */
  a->is_checked = false;
  CHECK(hd_table_next_to_check(&table, 51) == a);
  hd_table_clear(&table);
}

TEST(next_to_check_prefers_nodes_that_never_proved_their_address) {
  hd_table table;
  init(&table);
  (void)add(&table, 1, 1, 1);
  hd_table_node *b = add(&table, 2, 40, 40);
  b->is_verified = false;
  CHECK(hd_table_next_to_check(&table, 50) == b);
  hd_table_clear(&table);
}
