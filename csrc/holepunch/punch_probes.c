#include "holepunch/punch_probes.h"

/* Rounds, counted from 1, in which an address gets a probe whose host has not proven itself. */
#define UNVERIFIED_ROUND_A 4
#define UNVERIFIED_ROUND_B 8

/* After the last probe: time for what it may bring. */
#define GRACE HD_SECONDS(1)

/* A driver that slept does not send all at once what it missed. */
#define CATCH_UP_MAX HD_MILLISECONDS(100)

void hd_punch_probes_init(hd_punch_probes *probes) {
  *probes = (hd_punch_probes){.next_at = HD_TIME_NEVER};
}

int hd_punch_probes_check(const hd_punch_plan *plan, const hd_punch_remote *remote) {
  const hd_address *verified = hd_punch_remote_verified_address(remote);
  if (plan->strategy == HD_PUNCH_REFUSED || remote->addresses_count == 0) return HDHT_ERR_REMOTE_NOT_HOLEPUNCHABLE;
  if (plan->needs_verified_host && verified == NULL) return HDHT_ERR_REMOTE_NOT_HOLEPUNCHABLE;
  if (plan->strategy == HD_PUNCH_MANY_SOCKETS && verified->port == 0) return HDHT_ERR_REMOTE_NOT_HOLEPUNCHABLE;
  return HDHT_OK;
}

int hd_punch_probes_start(hd_punch_probes *probes, hd_time now, const hd_punch_plan *plan,
                          const hd_punch_remote *remote, uint16_t observed_port) {
  const int error = hd_punch_probes_check(plan, remote);
  if (error != HDHT_OK) return error;
  *probes = (hd_punch_probes){.plan = *plan,
                              .next_at = hd_time_add(now, plan->first_delay),
                              .is_bursting = plan->strategy == HD_PUNCH_MANY_SOCKETS};
  if (plan->needs_verified_host) probes->target = *hd_punch_remote_verified_address(remote);
  if (plan->strategy == HD_PUNCH_RANDOM_PORTS) probes->target.port = observed_port;
  return HDHT_OK;
}

bool hd_punch_probes_have_started(const hd_punch_probes *probes) {
  return probes->plan.strategy != HD_PUNCH_REFUSED;
}

bool hd_punch_probes_are_exhausted(const hd_punch_probes *probes) {
  return hd_punch_probes_have_started(probes) && hd_time_is_never(probes->next_at);
}

void hd_punch_probes_stop(hd_punch_probes *probes) {
  hd_punch_probes_init(probes);
}

/* A probe of the burst: each socket opens the way through its own NATs as soon as the driver has opened it. */
static bool can_burst(const hd_punch_probes *probes, const hd_punch_sockets *sockets) {
  if (!probes->is_bursting || probes->burst >= hd_punch_sockets_count(sockets)) return false;
  const hd_punch_socket *next = probes->burst == 0 ? &sockets->main : &sockets->extras[probes->burst - 1];
  return next->state == HD_PUNCH_SOCKET_OPEN || next->state == HD_PUNCH_SOCKET_NONE;
}

hd_time hd_punch_probes_deadline(const hd_punch_probes *probes, const hd_punch_sockets *sockets) {
  return can_burst(probes, sockets) ? (hd_time){0} : probes->next_at;
}

static bool next_of_burst(hd_punch_probes *probes, hd_time now, hd_punch_sockets *sockets, hd_punch_probe *probe) {
  while (can_burst(probes, sockets)) {
    hd_punch_socket *socket = hd_punch_sockets_at(sockets, probes->burst++);
    if (socket->state != HD_PUNCH_SOCKET_OPEN) continue;
    probes->next_at = hd_time_add(now, probes->plan.first_delay);
    *probe = (hd_punch_probe){.socket = socket->id, .to = probes->target, .ttl = HD_PUNCH_TTL_LOW};
    return true;
  }
  return false;
}

static bool is_probed_in(const hd_punch_remote_address *address, unsigned round) {
  if (address->address.port == 0) return false;
  return address->is_verified || round == UNVERIFIED_ROUND_A || round == UNVERIFIED_ROUND_B;
}

static void begin_next(hd_punch_probes *probes, hd_time now) {
  const hd_time earliest = {hd_time_since(now, (hd_time){CATCH_UP_MAX.us}).us};
  probes->next_at = hd_time_add(hd_time_later(probes->next_at, earliest), probes->plan.interval);
  if (++probes->repeats == probes->plan.repeats_count) probes->next_at = hd_time_add(now, GRACE);
}

/* A round: a probe to each address that is due one in it. */
static bool next_of_round(hd_punch_probes *probes, hd_time now, const hd_punch_sockets *sockets,
                          const hd_punch_remote *remote, hd_punch_probe *probe) {
  while (probes->place < remote->addresses_count) {
    const hd_punch_remote_address *address = &remote->addresses[probes->place++];
    if (!is_probed_in(address, probes->repeats + 1)) continue;
    *probe = (hd_punch_probe){.socket = sockets->main.id, .to = address->address, .ttl = HD_PUNCH_TTL};
    return true;
  }
  probes->place = 0;
  begin_next(probes, now);
  return false;
}

static uint16_t guess_port(const hd_punch_probes *probes, hd_entropy *entropy) {
  const unsigned predicted = probes->target.port + 1u + probes->repeats / 2;
  const bool predicts = probes->target.port != 0 && probes->repeats < 2 * HD_PUNCH_PREDICTED_PORTS &&
                        probes->repeats % 2 == 0 && predicted >= HD_PUNCH_PORT_MIN && predicted <= HD_PUNCH_PORT_MAX;
  if (predicts) return (uint16_t)predicted;
  return (uint16_t)(HD_PUNCH_PORT_MIN + hd_entropy_below(entropy, HD_PUNCH_PORT_MAX - HD_PUNCH_PORT_MIN + 1));
}

static bool next_guess(hd_punch_probes *probes, hd_time now, const hd_punch_sockets *sockets, hd_entropy *entropy,
                       hd_punch_probe *probe) {
  *probe = (hd_punch_probe){.socket = sockets->main.id, .to = probes->target, .ttl = HD_PUNCH_TTL};
  probe->to.port = guess_port(probes, entropy);
  begin_next(probes, now);
  return true;
}

static bool next_of_cycle(hd_punch_probes *probes, hd_time now, hd_punch_sockets *sockets, hd_punch_probe *probe) {
  const unsigned count = hd_punch_sockets_count(sockets);
  for (unsigned i = 0; i < count; i++) {
    const hd_punch_socket *socket = hd_punch_sockets_at(sockets, probes->place++ % count);
    if (socket->state != HD_PUNCH_SOCKET_OPEN) continue;
    *probe = (hd_punch_probe){.socket = socket->id, .to = probes->target, .ttl = HD_PUNCH_TTL};
    begin_next(probes, now);
    return true;
  }
  begin_next(probes, now); /* none is open yet: time passes all the same */
  return false;
}

static bool next_planned(hd_punch_probes *probes, hd_time now, hd_punch_sockets *sockets, const hd_punch_remote *remote,
                         hd_entropy *entropy, hd_punch_probe *probe) {
  switch (probes->plan.strategy) {
    case HD_PUNCH_CONSISTENT: return next_of_round(probes, now, sockets, remote, probe);
    case HD_PUNCH_RANDOM_PORTS: return next_guess(probes, now, sockets, entropy, probe);
    case HD_PUNCH_MANY_SOCKETS: return next_of_cycle(probes, now, sockets, probe);
    case HD_PUNCH_REFUSED: break;
  }
  return false;
}

bool hd_punch_probes_next(hd_punch_probes *probes, hd_time now, hd_punch_sockets *sockets,
                          const hd_punch_remote *remote, hd_entropy *entropy, hd_punch_probe *probe) {
  if (next_of_burst(probes, now, sockets, probe)) return true;
  while (hd_time_is_due(probes->next_at, now)) {
    if (probes->repeats >= probes->plan.repeats_count) {
      probes->next_at = HD_TIME_NEVER;
      return false;
    }
    if (next_planned(probes, now, sockets, remote, entropy, probe)) return true;
  }
  return false;
}
