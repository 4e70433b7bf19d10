#include "rpc/rpc_rtt.h"

#include "test.h"

TEST(rpc_rtt_waits_as_long_as_the_reference_before_it_knows_anything) {
  const hd_rpc_rtt rtt = {0};
  for (unsigned attempt = 1; attempt < 20; attempt++) CHECK_UINT(1000000, hd_rpc_rtt_timeout(&rtt, attempt).us);
}

TEST(rpc_rtt_waits_for_the_smoothed_time_and_four_deviations) {
  hd_rpc_rtt rtt = {0};
  hd_rpc_rtt_add(&rtt, HD_MILLISECONDS(200));
  CHECK_UINT(600000, hd_rpc_rtt_timeout(&rtt, 1).us / 10 * 10);
  for (unsigned i = 0; i < 100; i++) hd_rpc_rtt_add(&rtt, HD_MILLISECONDS(100));
  CHECK_UINT(300000, hd_rpc_rtt_timeout(&rtt, 1).us); /* the least */
}

TEST(rpc_rtt_doubles_with_each_attempt_up_to_a_second) {
  hd_rpc_rtt rtt = {0};
  for (unsigned i = 0; i < 100; i++) hd_rpc_rtt_add(&rtt, HD_MILLISECONDS(10));
  CHECK_UINT(300000, hd_rpc_rtt_timeout(&rtt, 1).us);
  CHECK_UINT(600000, hd_rpc_rtt_timeout(&rtt, 2).us);
  CHECK_UINT(1000000, hd_rpc_rtt_timeout(&rtt, 3).us);
  CHECK_UINT(1000000, hd_rpc_rtt_timeout(&rtt, 200).us);
}

TEST(rpc_rtt_of_a_slow_network_stays_at_the_reference_time) {
  hd_rpc_rtt rtt = {0};
  for (unsigned i = 0; i < 10; i++) hd_rpc_rtt_add(&rtt, i % 2 == 0 ? HD_DURATION_FOREVER : HD_SECONDS(0));
  CHECK_UINT(1000000, hd_rpc_rtt_timeout(&rtt, 1).us);
}
