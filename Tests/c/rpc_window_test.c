#include "rpc/rpc_window.h"

#include "test.h"

static hd_time at_ms(uint64_t ms) {
  return (hd_time){1000 * ms};
}

static void count(hd_rpc_window *window, uint64_t ms, unsigned times) {
  for (unsigned i = 0; i < times; i++) {
    hd_rpc_window_place place = {0};
    hd_rpc_window_count(window, at_ms(ms), &place);
  }
}

TEST(rpc_window_is_full_when_its_slot_holds_the_limit) {
  hd_rpc_window window = hd_rpc_window_of(80);
  count(&window, 0, 79);
  CHECK(hd_rpc_window_has_room(&window, at_ms(749)));
  count(&window, 0, 1);
  CHECK(!hd_rpc_window_has_room(&window, at_ms(749)));
  CHECK(hd_rpc_window_has_room(&window, at_ms(750)));
}

TEST(rpc_window_is_full_when_all_slots_hold_twice_the_limit) {
  hd_rpc_window window = hd_rpc_window_of(80);
  count(&window, 0, 80);
  count(&window, 750, 79);
  CHECK(hd_rpc_window_has_room(&window, at_ms(1500)));
  count(&window, 1500, 1);
  CHECK(!hd_rpc_window_has_room(&window, at_ms(1500)));
  CHECK(!hd_rpc_window_has_room(&window, at_ms(2999)));
  CHECK(hd_rpc_window_has_room(&window, at_ms(3000))); /* the first slot is forgotten */
}

TEST(rpc_window_takes_an_answer_back_from_its_own_slot) {
  hd_rpc_window window = hd_rpc_window_of(2);
  hd_rpc_window_place a = {0}, b = {0};
  hd_rpc_window_count(&window, at_ms(0), &a);
  hd_rpc_window_count(&window, at_ms(0), &b);
  hd_rpc_window_take_back(&window, at_ms(800), &a);
  CHECK_UINT(1, window.slots[0]);
  hd_rpc_window_take_back(&window, at_ms(800), &a); /* only once */
  CHECK_UINT(1, window.slots[0]);
}

TEST(rpc_window_forgets_places_with_their_slot) {
  hd_rpc_window window = hd_rpc_window_of(2);
  hd_rpc_window_place place = {0};
  hd_rpc_window_count(&window, at_ms(0), &place);
  count(&window, 3000, 2); /* in the same slot of the ring */
  hd_rpc_window_take_back(&window, at_ms(3000), &place);
  CHECK(!hd_rpc_window_has_room(&window, at_ms(3000)));
}

TEST(rpc_window_counts_a_repeated_transmission_once) {
  hd_rpc_window window = hd_rpc_window_of(2);
  hd_rpc_window_place place = {0};
  hd_rpc_window_count(&window, at_ms(0), &place);
  hd_rpc_window_count(&window, at_ms(800), &place);
  CHECK_UINT(0, window.slots[0]);
  CHECK_UINT(1, window.slots[1]);
}

TEST(rpc_window_tells_when_its_slot_ends) {
  hd_rpc_window window = hd_rpc_window_of(2);
  CHECK(hd_rpc_window_has_room(&window, at_ms(800)));
  CHECK_UINT(1500000, hd_rpc_window_next_slot(&window).us);
}
