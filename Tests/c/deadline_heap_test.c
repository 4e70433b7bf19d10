#include "base/deadline_heap.h"

#include "base/random.h"
#include "test.h"

#define COUNT 500

static hd_time at(uint64_t us) {
  return (hd_time){us};
}

typedef struct fixture {
  hd_test_allocator allocator;
  hd_deadline_heap heap;
  hd_deadline deadlines[COUNT];
} fixture;

static void set_up(fixture *f) {
  *f = (fixture){.heap = {.entries_count = 0}};
  hd_test_allocator_init(&f->allocator);
  hd_deadline_heap_init(&f->heap, &f->allocator.hook);
}

static void tear_down(fixture *f) {
  hd_deadline_heap_destroy(&f->heap);
  CHECK_UINT(0, f->allocator.live_bytes);
}

/* Pops everything and checks that it comes in order of time. */
static uint32_t drain(fixture *f) {
  uint32_t count = 0;
  hd_time before = {0};
  for (;;) {
    const hd_time next = hd_deadline_heap_next(&f->heap);
    const hd_deadline *popped = hd_deadline_heap_pop_due(&f->heap, HD_TIME_NEVER);
    if (popped == NULL) return count;
    CHECK_UINT(next.us, popped->at.us);
    CHECK(!hd_time_before(popped->at, before));
    CHECK_UINT(0, popped->place);
    before = popped->at;
    count++;
  }
}

TEST(an_empty_heap_is_never_due) {
  fixture f;
  set_up(&f);
  CHECK(hd_time_is_never(hd_deadline_heap_next(&f.heap)));
  CHECK(hd_deadline_heap_pop_due(&f.heap, HD_TIME_NEVER) == NULL);
  tear_down(&f);
  CHECK_UINT(0, f.allocator.allocations);
}

TEST(an_entry_is_popped_from_its_own_microsecond_on) {
  fixture f;
  set_up(&f);
  CHECK_INT(HDHT_OK, hd_deadline_heap_set(&f.heap, &f.deadlines[0], at(10)));
  CHECK_UINT(10, hd_deadline_heap_next(&f.heap).us);
  CHECK(hd_deadline_heap_pop_due(&f.heap, at(9)) == NULL);
  CHECK(hd_deadline_heap_pop_due(&f.heap, at(10)) == &f.deadlines[0]);
  CHECK(hd_deadline_heap_pop_due(&f.heap, at(10)) == NULL);
  tear_down(&f);
}

TEST(entries_come_in_order_of_time) {
  fixture f;
  set_up(&f);
  hd_random random = hd_random_from_seed(1);
  for (int i = 0; i < COUNT; i++) {
    CHECK_INT(HDHT_OK, hd_deadline_heap_set(&f.heap, &f.deadlines[i], at(hd_random_below(&random, 300))));
  }
  CHECK_UINT(COUNT, drain(&f));
  tear_down(&f);
}

TEST(entries_can_be_moved_both_ways) {
  fixture f;
  set_up(&f);
  hd_random random = hd_random_from_seed(2);
  for (int i = 0; i < COUNT; i++) hd_deadline_heap_set(&f.heap, &f.deadlines[i], at(1000 + (uint64_t)i));
  const size_t allocations = f.allocator.allocations;
  for (int i = 0; i < 4 * COUNT; i++) {
    hd_deadline *deadline = &f.deadlines[hd_random_below(&random, COUNT)];
    CHECK_INT(HDHT_OK, hd_deadline_heap_set(&f.heap, deadline, at(hd_random_below(&random, 3000))));
  }
  CHECK_UINT(COUNT, f.heap.entries_count);
  CHECK_UINT(allocations, f.allocator.allocations);
  CHECK_UINT(COUNT, drain(&f));
  tear_down(&f);
}

TEST(any_entry_can_be_removed_and_removing_twice_is_harmless) {
  for (int removed = 0; removed < 30; removed++) {
    fixture f;
    set_up(&f);
    for (int i = 0; i < 30; i++) hd_deadline_heap_set(&f.heap, &f.deadlines[i], at((uint64_t)(i * 7 % 30)));
    hd_deadline_heap_remove(&f.heap, &f.deadlines[removed]);
    hd_deadline_heap_remove(&f.heap, &f.deadlines[removed]);
    CHECK_UINT(29, drain(&f));
    tear_down(&f);
  }
}

/* The last entry, which fills the gap, may belong above it: here 5 comes to lie below 100. */
TEST(removing_from_a_late_branch_keeps_the_order) {
  const uint64_t times[] = {0, 100, 1, 2, 3, 101, 102, 103, 104, 200, 201, 202, 203, 204, 205, 206, 207, 5};
  fixture f;
  set_up(&f);
  for (int i = 0; i < 18; i++) hd_deadline_heap_set(&f.heap, &f.deadlines[i], at(times[i]));
  hd_deadline_heap_remove(&f.heap, &f.deadlines[5]);
  CHECK_UINT(17, drain(&f));
  tear_down(&f);
}

TEST(setting_to_never_removes) {
  fixture f;
  set_up(&f);
  hd_deadline_heap_set(&f.heap, &f.deadlines[0], at(10));
  CHECK_INT(HDHT_OK, hd_deadline_heap_set(&f.heap, &f.deadlines[0], HD_TIME_NEVER));
  CHECK_UINT(0, f.deadlines[0].place);
  CHECK_INT(HDHT_OK, hd_deadline_heap_set(&f.heap, &f.deadlines[1], HD_TIME_NEVER));
  CHECK(hd_time_is_never(hd_deadline_heap_next(&f.heap)));
  tear_down(&f);
}

TEST(entries_of_one_time_come_in_the_same_order_each_run) {
  ptrdiff_t order[2][40];
  for (int run = 0; run < 2; run++) {
    fixture f;
    set_up(&f);
    for (int i = 0; i < 40; i++) hd_deadline_heap_set(&f.heap, &f.deadlines[i], at(5));
    for (int i = 0; i < 40; i++) order[run][i] = hd_deadline_heap_pop_due(&f.heap, at(5)) - f.deadlines;
    tear_down(&f);
  }
  CHECK_BYTES(order[0], order[1], sizeof order[0]);
}

TEST(after_a_reserve_no_set_can_fail) {
  fixture f;
  set_up(&f);
  CHECK_INT(HDHT_OK, hd_deadline_heap_reserve(&f.heap, COUNT));
  f.allocator.fail_at = f.allocator.allocations + 1;
  for (int i = 0; i < COUNT; i++) CHECK_INT(HDHT_OK, hd_deadline_heap_set(&f.heap, &f.deadlines[i], at(1)));
  CHECK_INT(HDHT_ERR_OUT_OF_MEMORY, hd_deadline_heap_reserve(&f.heap, UINT32_MAX));
  tear_down(&f);
}

static bool set_many(const hdht_allocator *allocator) {
  fixture f = {.heap = {.entries_count = 0}};
  hd_deadline_heap_init(&f.heap, allocator);
  uint32_t set = 0;
  for (int i = 0; i < 100; i++) {
    const int error = hd_deadline_heap_set(&f.heap, &f.deadlines[i], at((uint64_t)(100 - i)));
    CHECK((f.deadlines[i].place != 0) == (error == HDHT_OK));
    set += error == HDHT_OK;
  }
  CHECK_UINT(set, drain(&f));
  hd_deadline_heap_destroy(&f.heap);
  return set == 100;
}

TEST(a_deadline_heap_survives_every_allocation_failure) {
  hd_test_each_allocation_failure(set_many);
}
