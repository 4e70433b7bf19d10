#include "udx/udx_loss.h"

#include "test.h"
#include "udx/udx_recovery.h"

typedef struct fixture {
  hd_udx_sent sent;
  hd_udx_loss loss;
  hd_udx_rtt rtt;
} fixture;

static fixture make(void) {
  fixture made = {0};
  hd_udx_loss_init(&made.loss, HD_SECONDS(13));
  hd_udx_rtt_sample(&made.rtt, (hd_time){0}, HD_MILLISECONDS(100));
  return made;
}

static void destroy(fixture *made) {
  hd_udx_sent_destroy(&made->sent, hd_allocator_system());
}

static void send(fixture *made, uint64_t at_ms) {
  REQUIRE(hd_udx_sent_reserve(&made->sent, hd_allocator_system()) == HDHT_OK);
  const hd_udx_sent_packet packet = {.sent_at = {at_ms * 1000}, .size = 100, .wire_size = 148, .transmissions = 1};
  hd_udx_sent_append(&made->sent, &packet);
}

static void resend(fixture *made, uint32_t number, uint64_t at_ms) {
  hd_udx_sent_at(&made->sent, number)->sent_at.us = at_ms * 1000;
  hd_udx_sent_at(&made->sent, number)->transmissions++;
  hd_udx_sent_resend(&made->sent, number, 148);
}

static void sack(fixture *made, uint32_t number, uint64_t at_ms) {
  hd_udx_loss_delivered(&made->loss, &made->rtt, (hd_time){at_ms * 1000}, hd_udx_sent_at(&made->sent, number), number);
  hd_udx_sent_deliver(&made->sent, number);
}

static uint32_t detect(fixture *made, uint64_t at_ms) {
  return hd_udx_loss_detect(&made->loss, &made->sent, &made->rtt, (hd_time){at_ms * 1000}, false).packets;
}

TEST(udx_loss_waits_a_quarter_round_trip_for_what_may_only_be_late) {
  fixture made = make();
  for (uint64_t i = 0; i < 4; i++) send(&made, 0);
  sack(&made, 1, 100);
  CHECK_UINT(0, detect(&made, 100));
  CHECK_UINT(125000, made.loss.reorder_deadline.us);
  CHECK_UINT(0, detect(&made, 124));
  CHECK_UINT(1, detect(&made, 125)); /* number 0; nothing is known of 2 and 3 */
  CHECK_UINT(0, made.sent.lost.oldest);
  CHECK_UINT(2, made.sent.flight.count);
  destroy(&made);
}

TEST(udx_loss_needs_no_wait_after_three_arrivals_without_reordering) {
  fixture made = make();
  for (uint64_t i = 0; i < 4; i++) send(&made, 0);
  for (uint32_t i = 1; i < 4; i++) sack(&made, i, 100);
  CHECK_UINT(1, detect(&made, 100));
  destroy(&made);
}

TEST(udx_loss_waits_again_once_reordering_was_seen) {
  fixture made = make();
  for (uint64_t i = 0; i < 6; i++) send(&made, 0);
  sack(&made, 5, 100);
  sack(&made, 2, 101); /* sent once, below the highest: late, not lost */
  CHECK(made.loss.is_reordering_seen);
  sack(&made, 3, 101);
  CHECK_UINT(0, detect(&made, 101));
  destroy(&made);
}

/* The story of RFC 8985, section 3.4: only what was sent after the retransmission can condemn it. */
TEST(udx_loss_does_not_condemn_twice_on_the_same_evidence) {
  fixture made = make();
  for (uint64_t i = 0; i < 4; i++) send(&made, 0);
  for (uint32_t i = 1; i < 4; i++) sack(&made, i, 100);
  CHECK_UINT(1, detect(&made, 100));
  resend(&made, 0, 100);
  CHECK_UINT(0, detect(&made, 500));
  send(&made, 110);
  CHECK_UINT(0, detect(&made, 600));
  sack(&made, 4, 210); /* sent after the retransmission, and here: the retransmission is lost too */
  CHECK_UINT(1, hd_udx_loss_detect(&made.loss, &made.sent, &made.rtt, (hd_time){211000}, true).packets);
  destroy(&made);
}

TEST(udx_loss_takes_an_early_answer_to_a_retransmission_for_the_first_copy) {
  fixture made = make();
  for (uint64_t i = 0; i < 4; i++) send(&made, 0);
  for (uint32_t i = 1; i < 4; i++) sack(&made, i, 100);
  detect(&made, 100);
  resend(&made, 0, 100);
  sack(&made, 0, 105); /* 5 ms after going out again: impossible in 100 */
  CHECK(made.loss.is_reordering_seen);
  CHECK_UINT(1, made.loss.reorder_factor);
  CHECK_UINT(100000, made.loss.reference_rtt.us); /* not 5 */
  destroy(&made);
}

TEST(udx_loss_ties_in_time_are_broken_by_number) {
  fixture made = make();
  for (uint64_t i = 0; i < 5; i++) send(&made, 7);
  for (uint32_t i = 2; i < 5; i++) sack(&made, i, 107);
  CHECK_UINT(2, detect(&made, 107));
  destroy(&made);
}

TEST(udx_loss_probes_the_tail_before_it_times_out) {
  fixture made = make();
  send(&made, 0);
  hd_udx_loss_restart(&made.loss, &made.rtt, (hd_time){0});
  hd_udx_loss_arm_tail_probe(&made.loss, &made.sent, &made.rtt, (hd_time){0});
  const hd_time tail = hd_udx_loss_deadline(&made.loss, &made.sent);
  CHECK_UINT(300000 + 2000, tail.us); /* smoothed + 4 variations, and 2 ms for a single packet */
  CHECK_INT(HD_UDX_EXPIRY_NONE, hd_udx_loss_expire(&made.loss, &made.sent, (hd_time){tail.us - 1}));
  CHECK_INT(HD_UDX_EXPIRY_TAIL, hd_udx_loss_expire(&made.loss, &made.sent, tail));
  hd_udx_loss_tail_probe_sent(&made.loss, &made.rtt, tail);
  CHECK_INT(HD_UDX_EXPIRY_NONE, hd_udx_loss_expire(&made.loss, &made.sent, tail));
  CHECK(tail.us < hd_udx_loss_deadline(&made.loss, &made.sent).us);
  destroy(&made);
}

TEST(udx_loss_backs_off_twice_as_long_each_time_until_patience_ends) {
  fixture made = {0};
  hd_udx_loss_init(&made.loss, HD_SECONDS(13));
  send(&made, 0);
  hd_udx_loss_restart(&made.loss, &made.rtt, (hd_time){0});
  const uint64_t expected_ms[] = {1000, 3000, 7000, 13000};
  for (int i = 0; i < 4; i++) {
    const hd_time at = hd_udx_loss_deadline(&made.loss, &made.sent);
    CHECK_UINT(expected_ms[i] * 1000, at.us);
    CHECK_INT(HD_UDX_EXPIRY_TIMEOUT, hd_udx_loss_expire(&made.loss, &made.sent, at));
    CHECK_INT(i == 3, hd_udx_loss_is_hopeless(&made.loss, at));
    CHECK_UINT(1, hd_udx_loss_time_out(&made.loss, &made.sent, &made.rtt, at).packets);
    CHECK(hd_time_is_never(hd_udx_loss_deadline(&made.loss, &made.sent))); /* nothing is in flight */
    resend(&made, 0, at.us / 1000);
  }
  destroy(&made);
}

TEST(udx_loss_times_out_the_oldest_and_what_is_old_enough) {
  fixture made = make();
  for (uint64_t i = 0; i < 3; i++) send(&made, i);
  send(&made, 990);
  made.loss.reference_rtt = HD_MILLISECONDS(100);
  CHECK_UINT(3, hd_udx_loss_time_out(&made.loss, &made.sent, &made.rtt, (hd_time){1000000}).packets);
  CHECK_UINT(1, made.sent.flight.count);
  destroy(&made);
}

TEST(udx_recovery_ends_when_the_mark_is_reached) {
  hd_udx_recovery recovery = {0};
  CHECK(hd_udx_recovery_lost(&recovery, 10));
  CHECK(!hd_udx_recovery_lost(&recovery, 20)); /* the mark stays */
  CHECK(!hd_udx_recovery_acked(&recovery, 9));
  CHECK(hd_udx_recovery_acked(&recovery, 10));
  CHECK(hd_udx_recovery_is_open(&recovery));
  hd_udx_recovery_timed_out(&recovery, 30);
  CHECK(!hd_udx_recovery_lost(&recovery, 40));
  CHECK(hd_udx_recovery_acked(&recovery, 35));
}
