#include "sim_nat.h"

#include <string.h>

#include "test.h"

/* A host that remembers the last datagram and answers nothing. */
typedef struct listener {
  sim_host *host;
  unsigned datagrams;
  hd_address last_from;
} listener;

static void listen(void *context, hd_time now, const hd_datagram *datagram) {
  listener *self = context;
  (void)now;
  self->datagrams++;
  self->last_from = datagram->from;
}

static hd_time rest(void *context, hd_time now) {
  (void)context;
  (void)now;
  return HD_TIME_NEVER;
}

static const sim_program listening = {.receive = listen, .turn = rest};

typedef struct world {
  sim_network *network;
  sim_internet *internet;
  listener inside, x, y;
  hd_socket_id socket;
  sim_site site;
} world;

static void add_listener(world *self, listener *added, hd_address address) {
  added->host = sim_host_create(self->network, &(sim_host_options){.address = address}, &listening, added);
}

static void begin(world *self, uint64_t seed) {
  *self = (world){.network = sim_network_create(seed)};
  self->internet = sim_internet_create(self->network, &(sim_internet_options){.delay = HD_MILLISECONDS(20)});
  add_listener(self, &self->x, sim_internet_add_host(self->internet, NULL));
  add_listener(self, &self->y, sim_internet_add_host(self->internet, NULL));
}

static void begin_with(world *self, sim_access access, uint64_t seed) {
  begin(self, seed);
  self->site = sim_internet_add_site(self->internet, access, 5000);
  add_listener(self, &self->inside, self->site.host);
  self->socket = sim_host_open(self->inside.host, 5000);
}

static void end(world *self) {
  sim_network_destroy(self->network);
  sim_internet_destroy(self->internet);
}

static void wait(world *self, hd_duration duration) {
  sim_network_run(self->network, hd_time_add(sim_network_now(self->network), duration), NULL, NULL);
}

static void send_ttl(world *self, listener *from, hd_socket_id socket, hd_address to, uint8_t ttl) {
  const hd_bytes part = hd_bytes_of("x", 1);
  sim_host_send(
      from->host,
      &(hd_datagram_out){
          .socket = socket, .to = to, .ttl = ttl, .segments_count = 1, .parts_count = 1, .size = 1, .parts = &part});
  wait(self, HD_MILLISECONDS(100));
}

/* Sends from the inside to this port of an outside host; returns the sender it saw, or none. */
static hd_address seen_by(world *self, listener *outside, uint16_t port) {
  (void)sim_host_open(outside->host, port);
  outside->last_from = (hd_address){0};
  send_ttl(self, &self->inside, self->socket, sim_host_address(outside->host, port), 0);
  return outside->last_from;
}

/* Whether a datagram from this port of an outside host comes in. */
static bool gets_in(world *self, listener *outside, uint16_t port, hd_address to) {
  (void)sim_host_open(outside->host, port);
  const unsigned before = self->inside.datagrams;
  send_ttl(self, outside, port, to, 0);
  return self->inside.datagrams > before;
}

/* What a kind of access shows to the outside. */
typedef struct behaviour {
  sim_access access;
  bool shows_address;        /* anything comes out */
  bool keeps_for_port;       /* the same sender for another port of the same host ... */
  bool keeps_for_host;       /* ... and for another host */
  bool admits_other_port;    /* a port of a host that was sent to, but not that port */
  bool admits_stranger;      /* a host that was never sent to */
  bool keeps_port_of_inside; /* outside port = inside port */
} behaviour;

static const behaviour behaviours[] = {
    {SIM_ACCESS_OPEN, true, true, true, true, true, true},
    {SIM_ACCESS_FORWARD, true, true, true, true, true, true},
    {SIM_ACCESS_FORWARD_OTHER, true, true, true, false, false, false},
    {SIM_ACCESS_FIREWALL, true, true, true, false, false, true},
    {SIM_ACCESS_FULL_CONE, true, true, true, true, true, false},
    {SIM_ACCESS_HOST_CONE, true, true, true, true, false, false},
    {SIM_ACCESS_PORT_CONE, true, true, true, false, false, false},
    {SIM_ACCESS_CARRIER_CONE, true, true, true, false, false, false},
    {SIM_ACCESS_MULTI_STICKY, true, true, true, false, false, false},
    {SIM_ACCESS_MULTI_ARBITRARY, true, true, false, false, false, false},
    {SIM_ACCESS_SYMMETRIC, true, false, false, false, false, false},
    {SIM_ACCESS_SYMMETRIC_SEQUENTIAL, true, false, false, false, false, false},
    {SIM_ACCESS_SYMMETRIC_BY_HOST, true, true, false, false, false, false},
    {SIM_ACCESS_SYMMETRIC_QUOTA_128, true, false, false, false, false, false},
    {SIM_ACCESS_SYMMETRIC_QUOTA_64, true, false, false, false, false, false},
    {SIM_ACCESS_CARRIER_SYMMETRIC, true, false, false, false, false, false},
    {SIM_ACCESS_FAR_CARRIER_SYMMETRIC, true, false, false, false, false, false},
    {SIM_ACCESS_BLOCKED, false, false, false, false, false, false},
    {SIM_ACCESS_BLOCKED_HIGH_PORTS, false, false, false, false, false, false},
};

static void check_behaviour(const behaviour *expected, uint64_t seed) {
  world self;
  begin_with(&self, expected->access, seed);
  const hd_address first = seen_by(&self, &self.x, 2001);
  if (hd_address_is_none(&first) == expected->shows_address) {
    hd_test_fail(__FILE__, __LINE__, "%s: comes out", sim_access_name(expected->access));
  }
  if (expected->shows_address) {
    const hd_address other_port = seen_by(&self, &self.x, 2002);
    const hd_address other_host = seen_by(&self, &self.y, 2001);
    const bool as_expected[] = {
        hd_address_equal(&first, &other_port) == expected->keeps_for_port,
        hd_address_equal(&first, &other_host) == expected->keeps_for_host,
        gets_in(&self, &self.x, 2001, first),
        gets_in(&self, &self.x, 2003, first) == expected->admits_other_port,
        (first.port == 5000) == expected->keeps_port_of_inside,
    };
    for (size_t i = 0; i < sizeof as_expected; i++) {
      if (!as_expected[i]) hd_test_fail(__FILE__, __LINE__, "%s: check %zu", sim_access_name(expected->access), i);
    }
  }
  end(&self);
}

static void check_stranger(const behaviour *expected, uint64_t seed) {
  world self;
  begin_with(&self, expected->access, seed);
  const hd_address seen = seen_by(&self, &self.x, 2001);
  if (expected->shows_address && gets_in(&self, &self.y, 2001, seen) != expected->admits_stranger) {
    hd_test_fail(__FILE__, __LINE__, "%s: admits a stranger", sim_access_name(expected->access));
  }
  end(&self);
}

TEST(sim_nat_kinds_map_and_filter_as_their_names_say) {
  CHECK_UINT(SIM_ACCESS_COUNT, sizeof behaviours / sizeof behaviours[0]);
  for (size_t i = 0; i < sizeof behaviours / sizeof behaviours[0]; i++) {
    CHECK_UINT(i, behaviours[i].access);
    check_behaviour(&behaviours[i], i + 1);
    check_stranger(&behaviours[i], i + 1);
  }
}

TEST(sim_nat_replies_arrive_from_whom_was_asked_through_two_nats) {
  world self;
  begin_with(&self, SIM_ACCESS_CARRIER_CONE, 7);
  const hd_address seen = seen_by(&self, &self.x, 2001);
  const hd_address carrier = sim_nat_external(self.site.carrier, 0);
  CHECK(hd_address_same_host(&carrier, &seen));
  CHECK(gets_in(&self, &self.x, 2001, seen));
  CHECK_UINT(2001, self.inside.last_from.port);
  end(&self);
}

TEST(sim_nat_sequential_ports_follow_each_other) {
  world self;
  begin_with(&self, SIM_ACCESS_SYMMETRIC_SEQUENTIAL, 3);
  const uint16_t first = seen_by(&self, &self.x, 2001).port;
  CHECK_UINT(first + 1, seen_by(&self, &self.x, 2002).port);
  CHECK_UINT(first + 2, seen_by(&self, &self.y, 2001).port);
  end(&self);
}

TEST(sim_nat_forward_of_another_port_leads_to_the_socket_but_is_not_its_address) {
  world self;
  begin_with(&self, SIM_ACCESS_FORWARD_OTHER, 3);
  hd_address forwarded = sim_nat_external(self.site.home, 0);
  forwarded.port = 5001;
  CHECK(gets_in(&self, &self.y, 2001, forwarded));
  CHECK(seen_by(&self, &self.x, 2001).port != 5001);
  end(&self);
}

/* A PORT nat from scratch, with one host behind it. */
static void begin_custom(world *self, const sim_nat_options *options) {
  begin(self, 11);
  self->site.home = sim_nat_create(self->internet, NULL, options);
  self->site.host = sim_internet_add_host(self->internet, self->site.home);
  add_listener(self, &self->inside, self->site.host);
  self->socket = sim_host_open(self->inside.host, 5000);
}

#define PORT_CONE .filtering = SIM_NAT_PER_ADDRESS

TEST(sim_nat_mappings_live_for_their_lifetime_after_the_last_datagram_out) {
  world self;
  begin_custom(&self, &(sim_nat_options){PORT_CONE, .lifetime = HD_SECONDS(10)});
  const hd_address seen = seen_by(&self, &self.x, 2001);
  wait(&self, HD_MILLISECONDS(9700));
  CHECK(gets_in(&self, &self.x, 2001, seen)); /* does not refresh */
  wait(&self, HD_MILLISECONDS(300));
  CHECK(!gets_in(&self, &self.x, 2001, seen));
  CHECK_UINT(0, sim_nat_mappings_count(self.site.home, sim_network_now(self.network)));
  const hd_address next = seen_by(&self, &self.x, 2001);
  CHECK(!hd_address_equal(&seen, &next));
  end(&self);
}

TEST(sim_nat_that_refreshes_inwards_is_kept_open_from_outside) {
  world self;
  begin_custom(&self, &(sim_nat_options){PORT_CONE, .lifetime = HD_SECONDS(10), .is_refreshed_inwards = true});
  const hd_address seen = seen_by(&self, &self.x, 2001);
  for (int i = 0; i < 5; i++) {
    wait(&self, HD_SECONDS(9));
    CHECK(gets_in(&self, &self.x, 2001, seen));
  }
  end(&self);
}

TEST(sim_nat_permit_of_one_peer_expires_though_the_mapping_lives) {
  world self;
  begin_custom(&self, &(sim_nat_options){PORT_CONE, .lifetime = HD_SECONDS(10)});
  const hd_address seen = seen_by(&self, &self.x, 2001);
  wait(&self, HD_SECONDS(6));
  (void)seen_by(&self, &self.y, 2001);
  wait(&self, HD_SECONDS(6));
  CHECK(!gets_in(&self, &self.x, 2001, seen));
  CHECK(gets_in(&self, &self.y, 2001, seen));
  end(&self);
}

TEST(sim_nat_quota_refuses_new_mappings_until_old_ones_expire) {
  world self;
  begin_custom(&self, &(sim_nat_options){.mapping = SIM_NAT_PER_ADDRESS, PORT_CONE, .quota = 2});
  const hd_address first = seen_by(&self, &self.x, 2001);
  CHECK(!hd_address_is_none(&first));
  (void)seen_by(&self, &self.x, 2002);
  const hd_address third = seen_by(&self, &self.x, 2003);
  CHECK(hd_address_is_none(&third));
  wait(&self, HD_SECONDS(30));
  const hd_address later = seen_by(&self, &self.x, 2003);
  CHECK(!hd_address_is_none(&later));
  end(&self);
}

TEST(sim_nat_ports_stay_in_their_range) {
  world self;
  begin_custom(&self,
               &(sim_nat_options){.mapping = SIM_NAT_PER_ADDRESS, PORT_CONE, .port_low = 40000, .port_high = 40003});
  for (uint16_t i = 0; i < 4; i++) {
    const hd_address seen = seen_by(&self, &self.x, (uint16_t)(2001 + i));
    CHECK(seen.port >= 40000 && seen.port <= 40003);
  }
  CHECK_UINT(4, sim_nat_mappings_count(self.site.home, sim_network_now(self.network)));
  end(&self);
}

TEST(sim_nat_rebinding_changes_every_mapping) {
  world self;
  begin_with(&self, SIM_ACCESS_PORT_CONE, 5);
  const hd_address before = seen_by(&self, &self.x, 2001);
  sim_nat_rebind(self.site.home);
  CHECK(!gets_in(&self, &self.x, 2001, before));
  const hd_address after = seen_by(&self, &self.x, 2001);
  CHECK(!hd_address_equal(&before, &after));
  CHECK(gets_in(&self, &self.x, 2001, after));
  end(&self);
}

/* Probes with a low TTL: they open the NATs within reach and are seen by nobody. */
static void check_low_ttl(sim_access access, bool opens_the_outermost) {
  world self;
  begin_with(&self, access, 9);
  (void)sim_host_open(self.x.host, 2001);
  send_ttl(&self, &self.inside, self.socket, sim_host_address(self.x.host, 2001), 5);
  CHECK_UINT(0, self.x.datagrams);
  const hd_time now = sim_network_now(self.network);
  CHECK_UINT(1, sim_nat_mappings_count(self.site.home, now));
  if (self.site.carrier != NULL) CHECK_UINT(opens_the_outermost, sim_nat_mappings_count(self.site.carrier, now));
  end(&self);
}

TEST(sim_nat_low_ttl_probe_opens_near_nats_and_dies_before_the_peer) {
  check_low_ttl(SIM_ACCESS_PORT_CONE, true);
  check_low_ttl(SIM_ACCESS_CARRIER_CONE, true);
  check_low_ttl(SIM_ACCESS_FAR_CARRIER_SYMMETRIC, false);
}

TEST(sim_nat_ttl_that_just_suffices_arrives) {
  world self;
  begin_with(&self, SIM_ACCESS_PORT_CONE, 9);
  (void)sim_host_open(self.x.host, 2001);
  send_ttl(&self, &self.inside, self.socket, sim_host_address(self.x.host, 2001), 9); /* 1 NAT, 8 hops: ends at 0 */
  CHECK_UINT(0, self.x.datagrams);
  send_ttl(&self, &self.inside, self.socket, sim_host_address(self.x.host, 2001), 10);
  CHECK_UINT(1, self.x.datagrams);
  end(&self);
}

/* A second host behind the same NAT as `inside`. */
static void add_neighbour(world *self, listener *neighbour) {
  add_listener(self, neighbour, sim_internet_add_host(self->internet, self->site.home));
  (void)sim_host_open(neighbour->host, 6000);
}

TEST(sim_nat_neighbours_reach_each_other_inside_without_loss_of_ttl) {
  world self;
  listener neighbour = {0};
  begin_custom(&self, &(sim_nat_options){PORT_CONE});
  add_neighbour(&self, &neighbour);
  send_ttl(&self, &self.inside, self.socket, sim_host_address(neighbour.host, 6000), 1);
  CHECK_UINT(1, neighbour.datagrams);
  CHECK_UINT(0, sim_nat_mappings_count(self.site.home, sim_network_now(self.network)));
  end(&self);
}

TEST(sim_nat_that_isolates_hosts_keeps_neighbours_apart) {
  world self;
  listener neighbour = {0};
  begin_custom(&self, &(sim_nat_options){PORT_CONE, .isolates_hosts = true});
  add_neighbour(&self, &neighbour);
  send_ttl(&self, &self.inside, self.socket, sim_host_address(neighbour.host, 6000), 0);
  CHECK_UINT(0, neighbour.datagrams);
  end(&self);
}

TEST(sim_nat_private_addresses_lead_nowhere_outside) {
  world self;
  listener other = {0};
  begin_with(&self, SIM_ACCESS_PORT_CONE, 2);
  const sim_site elsewhere = sim_internet_add_site(self.internet, SIM_ACCESS_FULL_CONE, 5000);
  add_listener(&self, &other, elsewhere.host);
  (void)sim_host_open(other.host, 5000);
  send_ttl(&self, &self.inside, self.socket, sim_host_address(other.host, 5000), 0);
  CHECK_UINT(0, other.datagrams);
  CHECK(sim_network_stats(self.network).datagrams_stopped > 0);
  end(&self);
}

/* The neighbour opens an address outside, and `inside` sends there. */
static hd_address hairpin_seen(sim_nat_hairpin hairpin) {
  world self;
  listener neighbour = {0};
  begin_custom(&self, &(sim_nat_options){.hairpin = hairpin});
  add_neighbour(&self, &neighbour);
  (void)sim_host_open(self.x.host, 2001);
  send_ttl(&self, &neighbour, 6000, sim_host_address(self.x.host, 2001), 0);
  send_ttl(&self, &self.inside, self.socket, self.x.last_from, 0);
  hd_address seen = neighbour.last_from;
  if (hd_address_same_host(&seen, &self.site.host)) {
    seen = hd_address_ipv4(1, 1, 1, 1, 1);
  } else if (!hd_address_is_none(&seen)) {
    const hd_address outside = sim_nat_external(self.site.home, 0);
    CHECK(hd_address_same_host(&outside, &seen));
    seen = hd_address_ipv4(2, 2, 2, 2, 2);
  }
  end(&self);
  return seen;
}

TEST(sim_nat_hairpins_as_told) {
  CHECK_UINT(0, hairpin_seen(SIM_NAT_HAIRPIN_NONE).port);
  CHECK_UINT(1, hairpin_seen(SIM_NAT_HAIRPIN_INTERNAL).port);
  CHECK_UINT(2, hairpin_seen(SIM_NAT_HAIRPIN_EXTERNAL).port);
}

TEST(sim_nat_carrier_hairpins_between_two_homes) {
  world self;
  listener other = {0};
  begin(&self, 4);
  sim_nat *carrier = sim_nat_create(self.internet, NULL, &(sim_nat_options){.hairpin = SIM_NAT_HAIRPIN_EXTERNAL});
  sim_nat *homes[2];
  for (int i = 0; i < 2; i++) homes[i] = sim_nat_create(self.internet, carrier, &(sim_nat_options){0});
  add_listener(&self, &self.inside, sim_internet_add_host(self.internet, homes[0]));
  add_listener(&self, &other, sim_internet_add_host(self.internet, homes[1]));
  self.socket = sim_host_open(self.inside.host, 5000);
  (void)sim_host_open(other.host, 5000);
  (void)sim_host_open(self.x.host, 2001);
  send_ttl(&self, &other, 5000, sim_host_address(self.x.host, 2001), 0);
  send_ttl(&self, &self.inside, self.socket, self.x.last_from, 0);
  CHECK_UINT(1, other.datagrams);
  CHECK(hd_address_same_host(&self.x.last_from, &other.last_from));
  send_ttl(&self, &self.inside, self.socket, self.x.last_from, 3); /* home, carrier, home: one too few */
  CHECK_UINT(1, other.datagrams);
  end(&self);
}

TEST(sim_nat_blocking_high_ports_lets_dns_through) {
  world self;
  begin_with(&self, SIM_ACCESS_BLOCKED_HIGH_PORTS, 4);
  const hd_address low = seen_by(&self, &self.x, 53);
  CHECK(!hd_address_is_none(&low));
  CHECK(gets_in(&self, &self.x, 53, low));
  end(&self);
}
