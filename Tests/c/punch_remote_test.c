#include "holepunch/punch_remote.h"

#include "punch_parts.h"
#include "test.h"

static hd_messages_holepunch_payload says(uint64_t round, uint64_t nat, const hd_address *addresses, size_t count) {
  return (hd_messages_holepunch_payload){
      .round = round, .nat = nat, .has_addresses = true, .addresses = {.array = addresses, .count = count}};
}

static hd_punch_remote seen_at(hd_address observed) {
  hd_punch_remote remote;
  hd_punch_remote_init(&remote, &observed);
  return remote;
}

TEST(punch_remote_believes_the_latest_round) {
  hd_punch_remote remote = seen_at(punch_address(1, 1));
  const hd_messages_holepunch_payload new = says(3, HD_NAT_RANDOM, NULL, 0), old = says(2, HD_NAT_OPEN, NULL, 0);
  hd_punch_remote_update(&remote, &new);
  hd_punch_remote_update(&remote, &old);
  CHECK_INT(HD_NAT_RANDOM, remote.nat);
  const hd_messages_holepunch_payload same = says(3, HD_NAT_CONSISTENT, NULL, 0);
  hd_punch_remote_update(&remote, &same);
  CHECK_INT(HD_NAT_CONSISTENT, remote.nat);
}

TEST(punch_remote_takes_unknown_kinds_for_unknown) {
  hd_punch_remote remote = seen_at(punch_address(1, 1));
  const hd_messages_holepunch_payload odd = says(0, 4, NULL, 0);
  hd_punch_remote_update(&remote, &odd);
  CHECK_INT(HD_NAT_UNKNOWN, remote.nat);
}

TEST(punch_remote_remembers_few_of_the_hosts_a_peer_merely_names) {
  hd_punch_remote remote = seen_at(punch_address(1, 1));
  const hd_address named[] = {punch_address(2, 1), punch_address(3, 1), punch_address(4, 1), punch_address(1, 9),
                              punch_address(5, 1)};
  const hd_messages_holepunch_payload payload = says(0, HD_NAT_CONSISTENT, named, 5);
  hd_punch_remote_update(&remote, &payload);
  CHECK_UINT(3, remote.addresses_count); /* two named ones, and the observed one */
  CHECK(hd_address_equal(&named[3], &remote.addresses[2].address));
  CHECK(hd_punch_remote_has_host(&remote, &named[0]));
  CHECK(!hd_punch_remote_has_host(&remote, &named[4]));
  CHECK(hd_punch_remote_verified_address(&remote) == NULL);
}

TEST(punch_remote_verifies_hosts_for_now_and_later) {
  hd_punch_remote remote = seen_at(punch_address(1, 1));
  const hd_address first[] = {punch_address(2, 5), punch_address(1, 6)}, later[] = {punch_address(1, 7)};
  const hd_messages_holepunch_payload payload = says(0, HD_NAT_CONSISTENT, first, 2);
  const hd_messages_holepunch_payload next = says(1, HD_NAT_CONSISTENT, later, 1);
  const hd_address proven = punch_address(1, 1);
  hd_punch_remote_update(&remote, &payload);
  hd_punch_remote_verify(&remote, &proven);
  CHECK_UINT(6, hd_punch_remote_verified_address(&remote)->port);
  hd_punch_remote_update(&remote, &next);
  CHECK_UINT(7, hd_punch_remote_verified_address(&remote)->port);
}
