#include "table/table_bucket.h"

#include "base/random.h"
#include "test.h"

static hd_node_id id_of_byte(uint8_t first) {
  return (hd_node_id){.bytes = {first}};
}

TEST(node_id_distance_is_compared_from_the_first_bit) {
  const hd_node_id target = id_of_byte(0x48), near = id_of_byte(0x40), far = id_of_byte(0x80);
  CHECK(hd_node_id_compare_distance(&target, &near, &far) < 0);
  CHECK(hd_node_id_compare_distance(&target, &far, &near) > 0);
  CHECK_INT(0, hd_node_id_compare_distance(&target, &near, &near));
}

TEST(node_id_distance_is_compared_to_the_last_bit) {
  const hd_node_id target = {{0}};
  hd_node_id a = {{0}}, b = {{0}};
  a.bytes[31] = 1;
  b.bytes[31] = 2;
  CHECK(hd_node_id_compare_distance(&target, &a, &b) < 0);
}

TEST(node_id_shared_bits_runs_from_none_to_all) {
  hd_node_id a = {{0}}, b = {{0}};
  CHECK_UINT(256, hd_node_id_shared_bits(&a, &b));
  b.bytes[31] = 1;
  CHECK_UINT(255, hd_node_id_shared_bits(&a, &b));
  b.bytes[8] = 1;
  CHECK_UINT(71, hd_node_id_shared_bits(&a, &b));
  b.bytes[0] = 0x80;
  CHECK_UINT(0, hd_node_id_shared_bits(&a, &b));
}

TEST(table_bucket_takes_twenty_and_lends_a_freed_slot_again) {
  hd_table_bucket bucket = {0};
  for (unsigned i = 0; i < HD_TABLE_ROW_LIMIT; i++) hd_table_bucket_take(&bucket)->id = id_of_byte((uint8_t)i);
  CHECK_UINT(HD_TABLE_ROW_LIMIT, hd_table_bucket_count(&bucket));

  const hd_node_id seven = id_of_byte(7);
  hd_table_node *node = hd_table_bucket_find(&bucket, &seven);
  REQUIRE(node != NULL);
  hd_table_bucket_give_back(&bucket, node);
  CHECK(hd_table_bucket_find(&bucket, &seven) == NULL);
  CHECK(hd_table_bucket_take(&bucket) == node);
}

TEST(table_bucket_can_be_emptied_while_walking_it) {
  hd_table_bucket bucket = {0};
  for (unsigned i = 0; i < 3; i++) (void)hd_table_bucket_take(&bucket);
  unsigned walked = 0;
  HD_TABLE_BUCKET_EACH(node, &bucket) {
    hd_table_bucket_give_back(&bucket, node);
    walked++;
  }
  CHECK_UINT(3, walked);
  CHECK_UINT(0, hd_table_bucket_count(&bucket));
}

TEST(table_bucket_sorts_ids_that_tie_in_the_compared_word) {
  hd_table_bucket bucket = {0};
  const hd_node_id target = {{0}};
  for (uint8_t last = 5; last > 0; last--) { /* equal but for the last byte */
    hd_table_node *node = hd_table_bucket_take(&bucket);
    node->id = id_of_byte(0x80);
    node->id.bytes[31] = last;
  }
  hd_table_node *nodes[5];
  REQUIRE(hd_table_bucket_closest(&bucket, &target, 0, nodes, 5) == 5);
  for (unsigned i = 0; i < 5; i++) CHECK_UINT(i + 1, nodes[i]->id.bytes[31]);
}

TEST(table_bucket_gives_no_more_than_asked) {
  hd_table_bucket bucket = {0};
  const hd_node_id target = {{0}};
  for (uint8_t first = 9; first > 0; first--) hd_table_bucket_take(&bucket)->id = id_of_byte(first);
  hd_table_node *nodes[3] = {NULL, NULL, NULL};
  CHECK_UINT(2, hd_table_bucket_closest(&bucket, &target, 4, nodes, 2));
  CHECK_UINT(1, nodes[0]->id.bytes[0]);
  CHECK_UINT(2, nodes[1]->id.bytes[0]);
  CHECK(nodes[2] == NULL);
}
