#include "query/query_closest.h"

#include "test.h"

static const hd_node_id zero_target;

static uint16_t add(hd_query_closest *closest, uint8_t distance, uint16_t referrer) {
  const hd_node_id id = {{distance}};
  const hd_address address = hd_address_ipv4(10, 0, 0, distance, 1);
  return hd_query_closest_add(closest, &id, &address, referrer, false);
}

static uint8_t distance_of(const hd_query_closest *closest, uint16_t number) {
  return number == HD_QUERY_NOBODY ? 0 : closest->candidates[number].id.bytes[0];
}

static void init(hd_query_closest *closest) {
  hd_query_closest_init(closest, hd_allocator_system(), &zero_target);
}

TEST(query_closest_asks_the_nearest_first) {
  hd_query_closest closest;
  init(&closest);
  static const uint8_t distances[] = {50, 10, 90, 30, 70};
  for (size_t i = 0; i < 5; i++) (void)add(&closest, distances[i], HD_QUERY_NOBODY);
  for (uint8_t expected = 10; expected <= 90; expected = (uint8_t)(expected + 20)) {
    const uint16_t number = hd_query_closest_next(&closest);
    CHECK_UINT(expected, distance_of(&closest, number));
    hd_query_closest_set(&closest, number, HD_QUERY_ASKED);
  }
  CHECK_UINT(HD_QUERY_NOBODY, hd_query_closest_next(&closest));
  hd_query_closest_destroy(&closest);
}

TEST(query_closest_asks_given_nodes_before_all_others) {
  hd_query_closest closest;
  init(&closest);
  (void)add(&closest, 1, HD_QUERY_NOBODY);
  const hd_node_id id = {{200}};
  const hd_address address = hd_address_ipv4(10, 0, 0, 200, 1);
  (void)hd_query_closest_add(&closest, &id, &address, HD_QUERY_NOBODY, true);
  CHECK_UINT(200, distance_of(&closest, hd_query_closest_next(&closest)));
  hd_query_closest_destroy(&closest);
}

TEST(query_closest_asks_nobody_behind_twenty_that_answered_or_are_about_to) {
  hd_query_closest closest;
  init(&closest);
  for (uint8_t distance = 1; distance <= 21; distance++) (void)add(&closest, distance, HD_QUERY_NOBODY);
  uint16_t last = 0;
  for (unsigned i = 0; i < 20; i++) {
    last = hd_query_closest_next(&closest);
    hd_query_closest_set(&closest, last, i < 10 ? HD_QUERY_ANSWERED : HD_QUERY_ASKED);
  }
  CHECK_UINT(HD_QUERY_NOBODY, hd_query_closest_next(&closest));
  hd_query_closest_set(&closest, last, HD_QUERY_SLOW);
  CHECK_UINT(21, distance_of(&closest, hd_query_closest_next(&closest)));
  hd_query_closest_destroy(&closest);
}

TEST(query_closest_results_are_the_nearest_that_answered_as_full_nodes) {
  hd_query_closest closest;
  init(&closest);
  static const hd_query_state states[] = {HD_QUERY_ANSWERED, HD_QUERY_MUTE, HD_QUERY_FAILED,
                                          HD_QUERY_ANSWERED, HD_QUERY_SLOW, HD_QUERY_WAITING};
  for (uint8_t i = 0; i < 6; i++) {
    hd_query_closest_set(&closest, add(&closest, (uint8_t)(i + 1), HD_QUERY_NOBODY), states[i]);
  }
  uint16_t numbers[HD_QUERY_K];
  REQUIRE(hd_query_closest_result(&closest, numbers) == 2);
  CHECK_UINT(1, distance_of(&closest, numbers[0]));
  CHECK_UINT(4, distance_of(&closest, numbers[1]));
  for (uint8_t distance = 10; distance < 40; distance++) {
    hd_query_closest_set(&closest, add(&closest, distance, HD_QUERY_NOBODY), HD_QUERY_ANSWERED);
  }
  CHECK_UINT(HD_QUERY_K, hd_query_closest_result(&closest, numbers));
  hd_query_closest_destroy(&closest);
}

TEST(query_closest_counts_as_relevant_only_who_could_still_be_among_the_result) {
  hd_query_closest closest;
  init(&closest);
  hd_query_closest_set(&closest, add(&closest, 1, HD_QUERY_NOBODY), HD_QUERY_ASKED);
  for (uint8_t distance = 10; distance < 30; distance++) {
    hd_query_closest_set(&closest, add(&closest, distance, HD_QUERY_NOBODY), HD_QUERY_ANSWERED);
  }
  hd_query_closest_set(&closest, add(&closest, 100, HD_QUERY_NOBODY), HD_QUERY_ASKED);
  CHECK_UINT(2, hd_query_closest_count(&closest, HD_QUERY_ASKED));
  CHECK_UINT(1, hd_query_closest_count_relevant(&closest, HD_QUERY_ASKED));
  hd_query_closest_destroy(&closest);
}

TEST(query_closest_makes_place_for_nearer_ones_when_all_places_are_taken) {
  hd_query_closest closest;
  init(&closest);
  for (unsigned i = 0; i < HD_QUERY_CANDIDATES_LIMIT; i++) {
    const hd_node_id id = {{1, (uint8_t)(i >> 8), (uint8_t)i}};
    const hd_address address = hd_address_ipv4(10, 1, (uint8_t)(i >> 8), (uint8_t)i, 1);
    CHECK(hd_query_closest_add(&closest, &id, &address, HD_QUERY_NOBODY, false) != HD_QUERY_NOBODY);
  }
  const hd_address farthest = hd_address_ipv4(10, 1, 0, 255, 1);
  CHECK(hd_query_closest_find(&closest, &farthest) != HD_QUERY_NOBODY);
  CHECK_UINT(HD_QUERY_NOBODY, add(&closest, 200, HD_QUERY_NOBODY));
  CHECK(add(&closest, 0, HD_QUERY_NOBODY) != HD_QUERY_NOBODY);
  CHECK_UINT(HD_QUERY_NOBODY, hd_query_closest_find(&closest, &farthest));
  CHECK_UINT(HD_QUERY_CANDIDATES_LIMIT, closest.count);
  hd_query_closest_destroy(&closest);
}

TEST(query_closest_leaves_the_nodes_of_liars_for_the_end) {
  hd_query_closest closest;
  init(&closest);
  const uint16_t liar = add(&closest, 100, HD_QUERY_NOBODY), honest = add(&closest, 101, HD_QUERY_NOBODY);
  hd_query_closest_set(&closest, liar, HD_QUERY_ANSWERED);
  hd_query_closest_set(&closest, honest, HD_QUERY_ANSWERED);
  for (uint8_t distance = 1; distance <= 10; distance++) (void)add(&closest, distance, liar);
  const uint16_t real = add(&closest, 50, honest);
  for (uint8_t distance = 1; distance <= 3; distance++) {
    const uint16_t number = hd_query_closest_next(&closest);
    CHECK_UINT(distance, distance_of(&closest, number));
    hd_query_closest_set(&closest, number, HD_QUERY_ASKED);
    hd_query_closest_set(&closest, number, HD_QUERY_SLOW);
  }
  CHECK_UINT(real, hd_query_closest_next(&closest));
  hd_query_closest_set(&closest, real, HD_QUERY_ASKED);
  CHECK_UINT(HD_QUERY_NOBODY, hd_query_closest_next(&closest));
  hd_query_closest_set(&closest, real, HD_QUERY_ANSWERED);
  CHECK_UINT(4, distance_of(&closest, hd_query_closest_next(&closest))); /* nobody else is left */
  hd_query_closest_destroy(&closest);
}

TEST(query_closest_trusts_a_node_that_an_honest_one_names_as_well) {
  hd_query_closest closest;
  init(&closest);
  const uint16_t liar = add(&closest, 100, HD_QUERY_NOBODY), honest = add(&closest, 101, HD_QUERY_NOBODY);
  hd_query_closest_set(&closest, liar, HD_QUERY_ANSWERED);
  hd_query_closest_set(&closest, honest, HD_QUERY_ANSWERED);
  for (uint8_t distance = 1; distance <= 4; distance++) {
    const uint16_t number = add(&closest, distance, liar);
    if (distance < 4) hd_query_closest_set(&closest, number, HD_QUERY_SLOW);
  }
  (void)add(&closest, 5, honest);
  CHECK_UINT(5, distance_of(&closest, hd_query_closest_next(&closest)));
  const hd_address address = hd_address_ipv4(10, 0, 0, 4, 1);
  hd_query_closest_referred(&closest, hd_query_closest_find(&closest, &address), honest);
  CHECK_UINT(4, distance_of(&closest, hd_query_closest_next(&closest)));
  hd_query_closest_destroy(&closest);
}

TEST(query_closest_forgives_referrals_that_answer_late) {
  hd_query_closest closest;
  init(&closest);
  const uint16_t referrer = add(&closest, 100, HD_QUERY_NOBODY);
  hd_query_closest_set(&closest, referrer, HD_QUERY_ANSWERED);
  const uint16_t late = add(&closest, 1, referrer);
  hd_query_closest_set(&closest, late, HD_QUERY_SLOW);
  CHECK_UINT(1, closest.candidates[referrer].bad_referrals);
  hd_query_closest_set(&closest, late, HD_QUERY_ANSWERED);
  CHECK_UINT(0, closest.candidates[referrer].bad_referrals);
  CHECK_UINT(1, closest.candidates[referrer].good_referrals);
  hd_query_closest_destroy(&closest);
}

TEST(query_closest_counts_how_far_a_candidate_is_from_what_we_knew) {
  hd_query_closest closest;
  init(&closest);
  const uint16_t known = add(&closest, 100, HD_QUERY_NOBODY), first = add(&closest, 50, known);
  const uint16_t second = add(&closest, 25, first);
  CHECK_UINT(0, closest.candidates[known].depth);
  CHECK_UINT(2, closest.candidates[second].depth);
  hd_query_closest_destroy(&closest);
}

static bool add_many(const hdht_allocator *allocator) {
  hd_query_closest closest;
  hd_query_closest_init(&closest, allocator, &zero_target);
  unsigned added = 0;
  for (uint8_t distance = 0; distance < 100; distance++) {
    added += add(&closest, distance, HD_QUERY_NOBODY) != HD_QUERY_NOBODY;
  }
  hd_query_closest_destroy(&closest);
  return added == 100;
}

TEST(query_closest_survives_each_failing_allocation) {
  hd_test_each_allocation_failure(add_many);
}
