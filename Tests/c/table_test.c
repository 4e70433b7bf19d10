#include "table/table.h"

#include "test.h"

static const hd_node_id zero_id;

static hd_node_id random_id(hd_random *random) {
  hd_node_id id;
  hd_random_fill(random, id.bytes, sizeof id.bytes);
  return id;
}

/* An id that shares exactly `row` < 255 bits with zero_id. */
static hd_node_id id_in_row(hd_random *random, unsigned row) {
  hd_node_id id = random_id(random);
  for (unsigned bit = 0; bit <= row; bit++) {
    const uint8_t mask = (uint8_t)(0x80 >> bit % 8);
    if (bit < row) id.bytes[bit / 8] &= (uint8_t)~mask;
    if (bit == row) id.bytes[bit / 8] |= mask;
  }
  return id;
}

static hd_address local_address(unsigned number) {
  return hd_address_ipv4(10, (uint8_t)(number >> 16), (uint8_t)(number >> 8), (uint8_t)number, 1000);
}

static void init(hd_table *table, const hdht_allocator *allocator) {
  hd_table_init(table, allocator, &zero_id, HD_TABLE_LIMITS_DEFAULT);
}

static hd_table_node *insert(hd_table *table, hd_node_id id, uint32_t tick) {
  static unsigned number;
  const hd_address address = local_address(number++);
  hd_table_node *node = NULL;
  (void)hd_table_insert(table, &id, &address, tick, &node);
  return node;
}

TEST(table_is_empty_at_first_and_owns_no_memory) {
  hd_test_allocator allocator;
  hd_test_allocator_init(&allocator);
  hd_table table;
  init(&table, &allocator.hook);
  hd_random random = hd_random_from_seed(1);
  hd_table_node *node;
  CHECK_UINT(0, hd_table_count(&table));
  CHECK_UINT(0, hd_table_closest(&table, &zero_id, &node, 1));
  CHECK(hd_table_random(&table, &random) == NULL);
  CHECK(hd_table_oldest(&table) == NULL);
  CHECK(hd_table_latest(&table) == NULL);
  CHECK_UINT(0, allocator.allocations);
}

TEST(table_row_takes_twenty_and_refuses_the_next) {
  hd_table table;
  init(&table, hd_allocator_system());
  hd_random random = hd_random_from_seed(2);
  for (unsigned i = 0; i < 20; i++) CHECK(insert(&table, id_in_row(&random, 3), 1) != NULL);

  hd_table_node *node = NULL;
  const hd_address address = local_address(7);
  hd_node_id id = id_in_row(&random, 3);
  CHECK_INT(HD_TABLE_ROW_FULL, hd_table_insert(&table, &id, &address, 1, &node));
  CHECK(node == NULL);
  id = id_in_row(&random, 4);
  CHECK_INT(HD_TABLE_ADMITTED, hd_table_insert(&table, &id, &address, 1, &node));
  CHECK(node != NULL);
  hd_table_clear(&table);
}

TEST(table_keeps_the_history_of_a_known_node) {
  hd_table table;
  init(&table, hd_allocator_system());
  hd_random random = hd_random_from_seed(3);
  const hd_node_id id = random_id(&random);
  hd_table_node *first = insert(&table, id, 5), *again = NULL;
  const hd_address address = local_address(99);
  CHECK_INT(HD_TABLE_KNOWN, hd_table_insert(&table, &id, &address, 9, &again));
  CHECK(again == first);
  CHECK_UINT(5, first->added_tick);
  CHECK(hd_address_equal(&first->address, &address));
  hd_table_clear(&table);
}

TEST(table_gives_a_public_network_only_its_share_of_a_row) {
  hd_table table;
  init(&table, hd_allocator_system());
  hd_random random = hd_random_from_seed(4);
  for (unsigned i = 0; i <= HD_TABLE_NETWORK_ROW_LIMIT; i++) {
    const hd_node_id id = id_in_row(&random, 0);
    const hd_address address = hd_address_ipv4(8, 8, (uint8_t)i, 1, 1);
    const hd_table_admission expected = i < HD_TABLE_NETWORK_ROW_LIMIT ? HD_TABLE_ADMITTED : HD_TABLE_NETWORK_FULL;
    CHECK_INT(expected, hd_table_insert(&table, &id, &address, 1, NULL));
  }
  const hd_node_id id = id_in_row(&random, 0);
  const hd_address other = hd_address_ipv4(8, 9, 0, 1, 1);
  CHECK_INT(HD_TABLE_ADMITTED, hd_table_insert(&table, &id, &other, 1, NULL));
  hd_table_clear(&table);
}

TEST(table_gives_a_public_network_only_its_share_of_all_rows) {
  hd_table table;
  init(&table, hd_allocator_system());
  hd_random random = hd_random_from_seed(5);
  for (unsigned i = 0; i <= HD_TABLE_NETWORK_TABLE_LIMIT; i++) {
    const hd_node_id id = id_in_row(&random, i);
    const hd_address address = hd_address_ipv4(8, 8, 8, (uint8_t)i, 1);
    const hd_table_admission expected = i < HD_TABLE_NETWORK_TABLE_LIMIT ? HD_TABLE_ADMITTED : HD_TABLE_NETWORK_FULL;
    CHECK_INT(expected, hd_table_insert(&table, &id, &address, 1, NULL));
  }
  hd_table_clear(&table);
}

TEST(table_has_no_shares_for_networks_that_only_exist_locally) {
  hd_table table;
  init(&table, hd_allocator_system());
  hd_random random = hd_random_from_seed(6);
  for (uint16_t port = 1; port <= 20; port++) {
    const hd_node_id id = id_in_row(&random, 0);
    const hd_address address = hd_address_ipv4(127, 0, 0, 1, port);
    CHECK_INT(HD_TABLE_ADMITTED, hd_table_insert(&table, &id, &address, 1, NULL));
  }
  hd_table_clear(&table);
}

TEST(table_gives_the_memory_of_an_empty_row_back) {
  hd_test_allocator allocator;
  hd_test_allocator_init(&allocator);
  hd_table table;
  init(&table, &allocator.hook);
  hd_random random = hd_random_from_seed(7);
  hd_table_node *node = insert(&table, random_id(&random), 1);
  CHECK(allocator.live_bytes > 0);
  hd_table_remove(&table, node);
  CHECK_UINT(0, allocator.live_bytes);
  CHECK_UINT(0, hd_table_count(&table));
}

TEST(table_lists_nodes_in_the_order_they_were_heard) {
  hd_table table;
  init(&table, hd_allocator_system());
  hd_random random = hd_random_from_seed(8);
  hd_table_node *a = insert(&table, random_id(&random), 1);
  hd_table_node *b = insert(&table, random_id(&random), 2);
  hd_table_node *c = insert(&table, random_id(&random), 3);
  hd_table_heard(&table, a, 4);
  CHECK_UINT(4, a->seen_tick);
  CHECK_UINT(4, a->pinged_tick);
  CHECK_UINT(1, a->added_tick);
  CHECK(hd_table_oldest(&table) == b);
  CHECK(hd_table_heard_after(&table, b) == c);
  CHECK(hd_table_latest(&table) == a);
  CHECK(hd_table_heard_before(&table, a) == c);
  CHECK(hd_table_heard_before(&table, b) == NULL);
  CHECK(hd_table_heard_after(&table, a) == NULL);
  hd_table_clear(&table);
}

/* The naive way: the nearest of all that are left, again and again. */
static void check_closest(const hd_table *table, const hd_node_id *target, unsigned limit) {
  hd_table_node *found[64];
  const unsigned count = hd_table_closest(table, target, found, limit);
  CHECK_UINT(hd_table_count(table) < limit ? hd_table_count(table) : limit, count);
  for (unsigned i = 0; i < count; i++) {
    unsigned nearer = 0;
    for (hd_table_node *node = hd_table_oldest(table); node != NULL; node = hd_table_heard_after(table, node)) {
      nearer += hd_node_id_compare_distance(target, &node->id, &found[i]->id) < 0;
    }
    CHECK_UINT(i, nearer);
  }
}

TEST(table_closest_is_the_true_xor_order_in_a_network_of_random_ids) {
  hd_table table;
  init(&table, hd_allocator_system());
  hd_random random = hd_random_from_seed(9);
  for (unsigned i = 0; i < 3000; i++) (void)insert(&table, random_id(&random), 1);
  for (unsigned i = 0; i < 200; i++) {
    const hd_node_id target = random_id(&random);
    check_closest(&table, &target, 20);
  }
  check_closest(&table, &zero_id, 20);
  hd_table_clear(&table);
}

TEST(table_closest_is_the_true_xor_order_for_targets_in_and_between_full_rows) {
  hd_table table;
  init(&table, hd_allocator_system());
  hd_random random = hd_random_from_seed(10);
  for (unsigned row = 0; row < 250; row += 1 + row / 40) {
    for (unsigned i = 0; i < 20; i++) (void)insert(&table, id_in_row(&random, row), 1);
  }
  for (unsigned row = 0; row < 255; row += 3) {
    const hd_node_id target = id_in_row(&random, row);
    check_closest(&table, &target, 20);
    check_closest(&table, &target, 1);
    check_closest(&table, &target, 64);
  }
  hd_table_clear(&table);
}

TEST(table_random_reaches_every_node) {
  hd_table table;
  init(&table, hd_allocator_system());
  hd_random random = hd_random_from_seed(11);
  for (unsigned i = 0; i < 30; i++) (void)insert(&table, random_id(&random), 1);
  const unsigned count = hd_table_count(&table);
  for (unsigned i = 0; i < 40 * count; i++) hd_table_random(&table, &random)->down_hints++;
  for (hd_table_node *node = hd_table_oldest(&table); node != NULL; node = hd_table_heard_after(&table, node)) {
    CHECK(node->down_hints > 10);
  }
  hd_table_clear(&table);
}

TEST(table_rebase_moves_every_node_that_fits_and_keeps_their_order_and_history) {
  hd_table table;
  init(&table, hd_allocator_system());
  hd_random random = hd_random_from_seed(12);
  for (uint32_t i = 0; i < 15; i++) {
    hd_table_node *node = insert(&table, random_id(&random), i);
    node->is_verified = true;
    node->sampled_tick = 100 + i;
  }
  const hd_node_id own_id = random_id(&random);
  hd_table_rebase(&table, &own_id);
  CHECK_UINT(15, hd_table_count(&table));
  uint32_t tick = 0;
  for (hd_table_node *node = hd_table_oldest(&table); node != NULL; node = hd_table_heard_after(&table, node)) {
    CHECK_UINT(tick, node->added_tick);
    CHECK_UINT(100 + tick, node->sampled_tick);
    CHECK(node->is_verified);
    CHECK(hd_table_find(&table, &node->id) == node);
    tick++;
  }
  check_closest(&table, &own_id, 20);

  hd_table_clear(&table);
  hd_table_rebase(&table, &zero_id);
  CHECK_UINT(0, hd_table_count(&table));
}

TEST(table_rebase_forgets_nodes_that_do_not_fit) {
  hd_table table;
  init(&table, hd_allocator_system());
  hd_random random = hd_random_from_seed(13);
  for (unsigned row = 0; row < 3; row++) {
    for (unsigned i = 0; i < 20; i++) (void)insert(&table, id_in_row(&random, row + 1), 1);
  }
  hd_node_id own_id = zero_id;
  own_id.bytes[0] = 0x80; /* now all of them are in row 0 */
  hd_table_rebase(&table, &own_id);
  CHECK_UINT(20, hd_table_count(&table));
  hd_table_clear(&table);
}

static bool fill_and_rebase(const hdht_allocator *allocator) {
  hd_table table;
  init(&table, allocator);
  hd_random random = hd_random_from_seed(14);
  unsigned inserted = 0;
  for (unsigned i = 0; i < 15; i++) inserted += insert(&table, random_id(&random), 1) != NULL;
  const hd_node_id own_id = random_id(&random);
  hd_table_rebase(&table, &own_id);
  const bool is_whole = inserted == 15 && hd_table_count(&table) == 15;
  hd_table_clear(&table);
  return is_whole;
}

TEST(table_survives_each_failing_allocation) {
  hd_test_each_allocation_failure(fill_and_rebase);
}
