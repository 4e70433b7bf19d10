#include "holepunch/punch_plan.h"

static hd_nat_kind as_punched(hd_nat_kind kind) {
  return kind == HD_NAT_OPEN ? HD_NAT_CONSISTENT : kind;
}

hd_punch_plan hd_punch_plan_of(hd_nat_kind local, hd_nat_kind remote, bool is_initiator) {
  local = as_punched(local);
  remote = as_punched(remote);

  if (local == HD_NAT_CONSISTENT && remote == HD_NAT_CONSISTENT) {
    return (hd_punch_plan){.strategy = HD_PUNCH_CONSISTENT,
                           .sockets_count = 1,
                           .repeats_count = HD_PUNCH_ROUNDS,
                           .interval = HD_PUNCH_ROUND,
                           .first_delay = is_initiator ? (hd_duration){0} : HD_PUNCH_ROUND};
  }
  if (local == HD_NAT_CONSISTENT && remote == HD_NAT_RANDOM) {
    return (hd_punch_plan){.strategy = HD_PUNCH_RANDOM_PORTS,
                           .needs_verified_host = true,
                           .sockets_count = 1,
                           .repeats_count = HD_PUNCH_PROBES,
                           .interval = HD_PUNCH_PROBE_SPACING};
  }
  if (local == HD_NAT_RANDOM && remote == HD_NAT_CONSISTENT) {
    return (hd_punch_plan){.strategy = HD_PUNCH_MANY_SOCKETS,
                           .needs_verified_host = true,
                           .sockets_count = HD_PUNCH_SOCKETS_MAX,
                           .repeats_count = HD_PUNCH_PROBES,
                           .interval = HD_PUNCH_PROBE_SPACING,
                           .first_delay = HD_PUNCH_BURST_PAUSE};
  }
  return (hd_punch_plan){.strategy = HD_PUNCH_REFUSED};
}
