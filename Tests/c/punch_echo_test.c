#include "holepunch/punch_echo.h"

#include "punch_parts.h"
#include "test.h"

static unsigned answers_until(hd_punch_echo *echo, hd_time until) {
  unsigned answers = 0;
  hd_punch_probe probe;
  for (hd_time at; hd_time_is_due(at = hd_punch_echo_deadline(echo), until);) {
    while (hd_punch_echo_next(echo, at, &probe)) answers++;
  }
  return answers;
}

TEST(punch_echo_answers_from_the_same_socket_and_repeats_it) {
  hd_punch_echo echo;
  hd_punch_echo_init(&echo);
  const hd_address from = punch_address(1, 77);
  hd_punch_probe probe;
  CHECK(!hd_punch_echo_next(&echo, punch_start, &probe));
  hd_punch_echo_add(&echo, punch_start, 9, &from);
  REQUIRE(hd_punch_echo_next(&echo, punch_start, &probe));
  CHECK_UINT(9, probe.socket);
  CHECK(hd_address_equal(&from, &probe.to));
  CHECK_UINT(64, probe.ttl);
  CHECK_UINT(punch_after_ms(250).us, hd_punch_echo_deadline(&echo).us);
  CHECK_UINT(HD_PUNCH_ECHO_REPEATS, answers_until(&echo, punch_after_ms(60000)));
  CHECK(hd_time_is_never(hd_punch_echo_deadline(&echo)));
}

TEST(punch_echo_of_one_source_comes_to_an_end) {
  hd_punch_echo echo;
  hd_punch_echo_init(&echo);
  const hd_address from = punch_address(1, 77);
  unsigned answers = 0;
  for (unsigned i = 0; i < 1000; i++) {
    hd_punch_echo_add(&echo, punch_after_ms(i), 9, &from);
    answers += answers_until(&echo, punch_after_ms(i));
  }
  CHECK_UINT(HD_PUNCH_ECHO_SOURCE_LIMIT, answers);
}

TEST(punch_echo_of_many_sources_comes_to_an_end_too) {
  hd_punch_echo echo;
  hd_punch_echo_init(&echo);
  unsigned answers = 0;
  for (unsigned i = 0; i < 5000; i++) {
    const hd_address from = punch_address((uint8_t)i, (uint16_t)(1 + i));
    hd_punch_echo_add(&echo, punch_after_ms(i), 9, &from);
    answers += answers_until(&echo, punch_after_ms(i));
  }
  CHECK_UINT(HD_PUNCH_ECHO_LIMIT, answers);
}
