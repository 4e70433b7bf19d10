#include "holepunch/punch_throttle.h"

#include "punch_parts.h"
#include "test.h"

#define PAUSE HD_SECONDS(20)

static hd_punch_throttle make_throttle(hd_punch_waiter *waiters, size_t count) {
  hd_punch_throttle throttle;
  hd_punch_throttle_init(&throttle, PAUSE, punch_start, false);
  for (size_t i = 0; i < count; i++) hd_punch_waiter_init(&waiters[i], NULL);
  return throttle;
}

/* A throttle holds the head of its line, so it is made in place. */
#define MAKE(name, waiters, count)                            \
  hd_punch_throttle name = make_throttle((waiters), (count)); \
  hd_list_init(&name.line)

TEST(punch_throttle_runs_one_punch_with_many_sockets_at_a_time) {
  hd_punch_waiter w[2];
  MAKE(throttle, w, 2);
  CHECK_INT(HDHT_OK, hd_punch_throttle_enter(&throttle, &w[0], HD_PUNCH_MANY_SOCKETS, punch_start));
  CHECK_INT(HDHT_OK, hd_punch_throttle_enter(&throttle, &w[0], HD_PUNCH_MANY_SOCKETS, punch_start));
  CHECK_INT(HDHT_ERR_WOULD_BLOCK, hd_punch_throttle_enter(&throttle, &w[1], HD_PUNCH_MANY_SOCKETS, punch_start));
  CHECK(hd_time_is_never(hd_punch_throttle_expected(&throttle)));
}

TEST(punch_throttle_pauses_after_a_punch_but_not_after_one_that_did_not_begin) {
  hd_punch_waiter w[2];
  MAKE(throttle, w, 2);
  (void)hd_punch_throttle_enter(&throttle, &w[0], HD_PUNCH_MANY_SOCKETS, punch_start);
  hd_punch_throttle_leave(&throttle, &w[0], punch_start, false);
  CHECK_INT(HDHT_OK, hd_punch_throttle_enter(&throttle, &w[0], HD_PUNCH_MANY_SOCKETS, punch_start));
  hd_punch_throttle_leave(&throttle, &w[0], punch_start, true);
  CHECK_INT(HDHT_ERR_WOULD_BLOCK,
            hd_punch_throttle_enter(&throttle, &w[1], HD_PUNCH_MANY_SOCKETS, punch_after_ms(19999)));
  CHECK_UINT(punch_after_ms(20000).us, hd_punch_throttle_expected(&throttle).us);
  CHECK_INT(HDHT_OK, hd_punch_throttle_enter(&throttle, &w[1], HD_PUNCH_MANY_SOCKETS, punch_after_ms(20000)));
}

TEST(punch_throttle_gives_turns_in_the_order_of_the_line) {
  hd_punch_waiter w[3];
  MAKE(throttle, w, 3);
  (void)hd_punch_throttle_enter(&throttle, &w[0], HD_PUNCH_MANY_SOCKETS, punch_start);
  CHECK_INT(HDHT_OK, hd_punch_throttle_queue(&throttle, &w[1]));
  CHECK_INT(HDHT_OK, hd_punch_throttle_queue(&throttle, &w[2]));
  CHECK(hd_time_is_never(hd_punch_throttle_deadline(&throttle)));
  hd_punch_throttle_leave(&throttle, &w[0], punch_start, true);
  CHECK_UINT(punch_after_ms(20000).us, hd_punch_throttle_deadline(&throttle).us);
  CHECK(hd_punch_throttle_next(&throttle, punch_after_ms(19999)) == NULL);
  CHECK(hd_punch_throttle_next(&throttle, punch_after_ms(20000)) == &w[1]);
  CHECK(hd_punch_throttle_next(&throttle, punch_after_ms(90000)) == NULL); /* w[1] holds it */
  hd_punch_throttle_leave(&throttle, &w[2], punch_after_ms(20000), false);
  hd_punch_throttle_leave(&throttle, &w[1], punch_after_ms(20000), true);
  CHECK(hd_time_is_never(hd_punch_throttle_deadline(&throttle)));
}

TEST(punch_throttle_limits_its_line_and_the_guessing_punches) {
  hd_punch_waiter w[HD_PUNCH_RANDOM_LINE_LIMIT + 1];
  MAKE(throttle, w, HD_PUNCH_RANDOM_LINE_LIMIT + 1);
  for (unsigned i = 0; i < HD_PUNCH_RANDOM_GUESSES_LIMIT; i++) {
    CHECK_INT(HDHT_OK, hd_punch_throttle_enter(&throttle, &w[i], HD_PUNCH_RANDOM_PORTS, punch_start));
  }
  CHECK_INT(HDHT_ERR_WOULD_BLOCK,
            hd_punch_throttle_enter(&throttle, &w[HD_PUNCH_RANDOM_GUESSES_LIMIT], HD_PUNCH_RANDOM_PORTS, punch_start));
  for (unsigned i = 0; i < HD_PUNCH_RANDOM_LINE_LIMIT; i++) {
    hd_punch_throttle_leave(&throttle, &w[i], punch_start, true);
    CHECK_INT(HDHT_OK, hd_punch_throttle_queue(&throttle, &w[i]));
  }
  CHECK_INT(HDHT_ERR_LIMIT, hd_punch_throttle_queue(&throttle, &w[HD_PUNCH_RANDOM_LINE_LIMIT]));
}

TEST(punch_throttle_lets_consistent_punches_pass_and_can_begin_with_a_pause) {
  hd_punch_waiter w[1];
  MAKE(throttle, w, 1);
  hd_punch_throttle_init(&throttle, PAUSE, punch_start, true);
  CHECK_INT(HDHT_OK, hd_punch_throttle_enter(&throttle, &w[0], HD_PUNCH_CONSISTENT, punch_start));
  CHECK_INT(HDHT_OK, hd_punch_throttle_enter(&throttle, &w[0], HD_PUNCH_RANDOM_PORTS, punch_start));
  CHECK_INT(HDHT_ERR_WOULD_BLOCK, hd_punch_throttle_enter(&throttle, &w[0], HD_PUNCH_MANY_SOCKETS, punch_start));
}
