/* Whole hole punches on the simulated internet that the matrix of kinds does not show. */
#include "sim_punch.h"
#include "test.h"

static sim_punch_result run(sim_punch_options options, uint64_t seed) {
  const sim_punch_result result = sim_punch_run(&options, seed);
  CHECK_UINT(0, result.sockets_left);
  CHECK_UINT(0, result.datagrams_to_strangers);
  return result;
}

#define CONES .client = SIM_ACCESS_PORT_CONE, .server = SIM_ACCESS_PORT_CONE

TEST(punch_of_two_cones_needs_one_probe_each) {
  const sim_punch_result result = run((sim_punch_options){CONES}, 1);
  CHECK_INT(SIM_PUNCH_PUNCHED, result.way);
  CHECK(result.client_probes <= 2);
  CHECK(result.server_probes <= 2);
  CHECK(result.took.us < 400000);
}

TEST(punch_without_the_fast_opening_takes_a_second_more) {
  const sim_punch_result result = run((sim_punch_options){CONES, .has_no_fast_open = true}, 1);
  CHECK_INT(SIM_PUNCH_PUNCHED, result.way);
  CHECK(result.took.us > 1000000 && result.took.us < 2000000);
}

TEST(punch_that_either_owner_objects_to_fails_and_says_why) {
  sim_punch_result result = run((sim_punch_options){CONES, .client_vetoes = true}, 1);
  CHECK_INT(SIM_PUNCH_NONE, result.way);
  CHECK_INT(HD_PUNCH_CAUSE_VETOED, result.cause);
  result = run((sim_punch_options){CONES, .server_vetoes = true}, 1);
  CHECK_INT(SIM_PUNCH_NONE, result.way);
  CHECK_INT(HDHT_ERR_REMOTE_ABORTED, result.error);
  CHECK(result.took.us < 1000000);
}

TEST(punch_goes_on_through_another_relay_when_one_dies_after_the_handshake) {
  for (uint64_t seed = 1; seed <= 5; seed++) {
    const sim_punch_result result =
        run((sim_punch_options){CONES, .server_relay_dies = true, .has_no_fast_open = seed % 2}, seed);
    CHECK_INT(SIM_PUNCH_PUNCHED, result.way);
  }
}

TEST(punch_survives_a_stranger_who_sends_probes) {
  for (uint64_t seed = 1; seed <= 5; seed++) {
    CHECK_INT(SIM_PUNCH_PUNCHED, run((sim_punch_options){CONES, .is_forged = true}, seed).way);
    /* A full cone lets the stranger's bytes in. */
    const sim_punch_options open = {.client = SIM_ACCESS_FULL_CONE, .server = SIM_ACCESS_SYMMETRIC, .is_forged = true};
    CHECK_INT(SIM_PUNCH_PUNCHED, run(open, seed).way);
  }
}

TEST(punch_is_not_hurt_by_a_long_way) {
  for (uint64_t seed = 1; seed <= 3; seed++) {
    CHECK_INT(SIM_PUNCH_PUNCHED, run((sim_punch_options){CONES, .delay = HD_MILLISECONDS(300)}, seed).way);
  }
}

TEST(punch_whose_server_is_bound_anew_on_the_way_ends_one_way_or_the_other) {
  unsigned connected = 0;
  for (uint64_t seed = 1; seed <= 10; seed++) {
    const hd_duration at = HD_MILLISECONDS(30 * seed);
    connected += run((sim_punch_options){CONES, .rebinds_at = at}, seed).way == SIM_PUNCH_PUNCHED;
  }
  CHECK(connected >= 3);
}
