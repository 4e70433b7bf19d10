#include "holepunch/punch_sockets.h"

#include "punch_parts.h"
#include "test.h"

static hd_punch_sockets make_sockets(void) {
  hd_punch_sockets sockets;
  hd_punch_sockets_init(&sockets, hd_allocator_system(), false);
  return sockets;
}

/* Plays the driver: opens whatever is wanted, as socket numbers from `first` on. Returns how many. */
static unsigned open_all(hd_punch_sockets *sockets, hd_socket_id first) {
  unsigned count = 0;
  uint32_t key;
  while (hd_punch_sockets_take_wanted(sockets, &key)) hd_punch_sockets_opened(sockets, key, first + count++);
  return count;
}

static unsigned close_all(hd_punch_sockets *sockets) {
  unsigned count = 0;
  hd_socket_id id;
  while (hd_punch_sockets_take_closing(sockets, &id)) count++;
  return count;
}

TEST(punch_sockets_want_one_and_then_as_many_as_told) {
  hd_punch_sockets sockets = make_sockets();
  CHECK(hd_punch_sockets_are_opening(&sockets));
  CHECK_UINT(1, open_all(&sockets, 100));
  CHECK(hd_punch_sockets_main_is_open(&sockets));
  hd_punch_sockets_grow(&sockets, 256);
  CHECK_UINT(255, open_all(&sockets, 101));
  CHECK(!hd_punch_sockets_are_opening(&sockets));
  CHECK(hd_punch_sockets_contain(&sockets, 355));
  hd_punch_sockets_release(&sockets, 200);
  CHECK_UINT(255, close_all(&sockets)); /* all but the kept one */
  CHECK(!hd_punch_sockets_contain(&sockets, 200));
  hd_punch_sockets_destroy(&sockets);
}

TEST(punch_sockets_close_what_is_opened_too_late) {
  hd_punch_sockets sockets = make_sockets();
  uint32_t key;
  REQUIRE(hd_punch_sockets_take_wanted(&sockets, &key));
  hd_punch_sockets_release(&sockets, HD_SOCKET_NONE);
  CHECK_UINT(0, close_all(&sockets));
  hd_punch_sockets_opened(&sockets, key, 5);
  CHECK_UINT(1, close_all(&sockets));
  hd_punch_sockets_destroy(&sockets);
}

TEST(punch_sockets_reopen_the_main_one_three_times_and_forget_its_nat) {
  hd_punch_sockets sockets = make_sockets();
  const hd_address seen = punch_address(1, 1), helper = punch_address(2, 2);
  for (unsigned i = 0; i <= HD_PUNCH_REOPENS_LIMIT; i++) {
    CHECK_UINT(1, open_all(&sockets, 10 + i));
    CHECK_UINT(0, sockets.analysis.reports_count);
    hd_punch_sockets_sample(&sockets, &seen, &helper);
    CHECK_INT(i < HD_PUNCH_REOPENS_LIMIT, hd_punch_sockets_reopen(&sockets));
  }
  CHECK_UINT(HD_PUNCH_REOPENS_LIMIT, close_all(&sockets));
  hd_punch_sockets_destroy(&sockets);
}

TEST(punch_sockets_ask_a_second_set_of_helpers_when_the_first_was_too_small) {
  hd_punch_sockets sockets = make_sockets();
  CHECK(!hd_punch_sockets_take_sampling(&sockets));
  (void)open_all(&sockets, 1);
  CHECK(hd_punch_sockets_take_sampling(&sockets));
  CHECK(!hd_punch_sockets_take_sampling(&sockets));
  CHECK(!hd_punch_sockets_are_analysed(&sockets));
  hd_punch_sockets_samples_end(&sockets);
  CHECK(hd_punch_sockets_take_sampling(&sockets));
  CHECK(!hd_punch_sockets_are_analysed(&sockets));
  hd_punch_sockets_samples_end(&sockets);
  CHECK(!hd_punch_sockets_take_sampling(&sockets));
  CHECK(hd_punch_sockets_are_analysed(&sockets)); /* nothing more to learn */
  hd_punch_sockets_destroy(&sockets);
}

TEST(punch_sockets_are_analysed_as_soon_as_three_helpers_agree) {
  hd_punch_sockets sockets = make_sockets();
  (void)open_all(&sockets, 1);
  const hd_address seen = punch_address(1, 1);
  for (uint8_t i = 0; i < 3; i++) {
    CHECK(!hd_punch_sockets_are_analysed(&sockets));
    const hd_address helper = punch_address((uint8_t)(10 + i), 1);
    hd_punch_sockets_sample(&sockets, &seen, &helper);
  }
  CHECK(hd_punch_sockets_are_analysed(&sockets));
  CHECK_INT(HD_NAT_CONSISTENT, sockets.analysis.kind);
  hd_punch_sockets_destroy(&sockets);
}

TEST(punch_sockets_that_cannot_be_opened_leave_nothing_to_wait_for) {
  hd_punch_sockets sockets = make_sockets();
  uint32_t key;
  REQUIRE(hd_punch_sockets_take_wanted(&sockets, &key));
  hd_punch_sockets_opened(&sockets, key, HD_SOCKET_NONE);
  CHECK(hd_punch_sockets_main_failed(&sockets));
  CHECK(hd_punch_sockets_are_analysed(&sockets));
  hd_punch_sockets_destroy(&sockets);
}

TEST(punch_sockets_without_memory_make_do_with_one) {
  hd_test_allocator allocator;
  hd_test_allocator_init(&allocator);
  allocator.fail_at = 1;
  hd_punch_sockets sockets;
  hd_punch_sockets_init(&sockets, &allocator.hook, false);
  hd_punch_sockets_grow(&sockets, 256);
  CHECK_UINT(1, hd_punch_sockets_count(&sockets));
  hd_punch_sockets_destroy(&sockets);
  CHECK_UINT(0, allocator.live_bytes);
}
