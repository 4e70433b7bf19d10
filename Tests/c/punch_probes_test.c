#include "holepunch/punch_probes.h"

#include "punch_parts.h"
#include "test.h"

typedef struct setup {
  hd_entropy entropy;
  hd_punch_sockets sockets;
  hd_punch_remote remote;
  hd_punch_probes probes;
  hd_time now;
} setup;

static void open_wanted(setup *self) {
  uint32_t key;
  while (hd_punch_sockets_take_wanted(&self->sockets, &key)) hd_punch_sockets_opened(&self->sockets, key, 100 + key);
}

static void begin(setup *self, uint64_t remote_nat, const hd_address *addresses, size_t count, bool is_verified) {
  *self = (setup){.entropy = punch_entropy(3), .now = punch_start};
  hd_punch_sockets_init(&self->sockets, hd_allocator_system(), false);
  open_wanted(self);
  const hd_address observed = punch_address(1, 4000);
  hd_punch_remote_init(&self->remote, &observed);
  if (is_verified) hd_punch_remote_verify(&self->remote, &observed);
  const hd_messages_holepunch_payload payload = {
      .nat = remote_nat, .has_addresses = true, .addresses = {.array = addresses, .count = count}};
  hd_punch_remote_update(&self->remote, &payload);
  hd_punch_probes_init(&self->probes);
}

static void end(setup *self) {
  hd_punch_sockets_destroy(&self->sockets);
}

static int start(setup *self, hd_nat_kind local, bool is_initiator) {
  const hd_punch_plan plan = hd_punch_plan_of(local, self->remote.nat, is_initiator);
  const int error = hd_punch_probes_start(&self->probes, self->now, &plan, &self->remote, 4000);
  if (error == HDHT_OK) hd_punch_sockets_grow(&self->sockets, plan.sockets_count);
  return error;
}

/* Goes on to the next probe. Returns false when there is none any more. */
static bool next(setup *self, hd_punch_probe *probe) {
  for (;;) {
    const hd_time deadline = hd_punch_probes_deadline(&self->probes, &self->sockets);
    if (hd_time_is_never(deadline)) return false;
    self->now = hd_time_later(self->now, deadline);
    if (hd_punch_probes_next(&self->probes, self->now, &self->sockets, &self->remote, &self->entropy, probe)) {
      return true;
    }
  }
}

static uint64_t ms_since_start(const setup *self) {
  return hd_time_since(self->now, punch_start).us / 1000;
}

TEST(punch_probes_of_a_consistent_punch_leave_once_a_second_ten_times) {
  setup self;
  const hd_address address = punch_address(1, 4000);
  begin(&self, HD_NAT_CONSISTENT, &address, 1, true);
  REQUIRE(start(&self, HD_NAT_CONSISTENT, true) == HDHT_OK);
  hd_punch_probe probe;
  for (unsigned i = 0; i < 10; i++) {
    REQUIRE(next(&self, &probe));
    CHECK_UINT(1000 * i, ms_since_start(&self));
    CHECK(hd_address_equal(&address, &probe.to));
    CHECK_UINT(64, probe.ttl);
  }
  CHECK(!next(&self, &probe));
  CHECK(hd_punch_probes_are_exhausted(&self.probes));
  CHECK_UINT(10000, ms_since_start(&self));
  end(&self);
}

TEST(punch_probes_of_the_responder_begin_a_second_later) {
  setup self;
  const hd_address address = punch_address(1, 4000);
  begin(&self, HD_NAT_CONSISTENT, &address, 1, true);
  REQUIRE(start(&self, HD_NAT_OPEN, false) == HDHT_OK);
  hd_punch_probe probe;
  REQUIRE(next(&self, &probe));
  CHECK_UINT(1000, ms_since_start(&self));
  end(&self);
}

TEST(punch_probes_to_unverified_hosts_leave_in_two_rounds_only) {
  setup self;
  const hd_address addresses[] = {punch_address(1, 4000), punch_address(2, 5000)};
  begin(&self, HD_NAT_CONSISTENT, addresses, 2, true);
  REQUIRE(start(&self, HD_NAT_CONSISTENT, true) == HDHT_OK);
  unsigned to_verified = 0, to_other = 0;
  uint64_t other_at[4] = {0};
  for (hd_punch_probe probe; next(&self, &probe);) {
    if (hd_address_equal(&addresses[0], &probe.to)) to_verified++;
    if (hd_address_equal(&addresses[1], &probe.to)) other_at[to_other++ % 4] = ms_since_start(&self);
  }
  CHECK_UINT(10, to_verified);
  CHECK_UINT(2, to_other);
  CHECK_UINT(3000, other_at[0]);
  CHECK_UINT(7000, other_at[1]);
  end(&self);
}

TEST(punch_probes_of_guessed_ports_are_1750_at_20_ms_within_the_range_of_one_host) {
  setup self;
  const hd_address host = punch_address(1, 0);
  begin(&self, HD_NAT_RANDOM, &host, 1, true);
  REQUIRE(start(&self, HD_NAT_CONSISTENT, true) == HDHT_OK);
  unsigned count = 0, predicted = 0;
  for (hd_punch_probe probe; next(&self, &probe); count++) {
    CHECK_UINT(20 * count, ms_since_start(&self));
    CHECK(hd_address_same_host(&host, &probe.to));
    CHECK(probe.to.port >= 1000);
    CHECK_UINT(101, probe.socket);
    predicted += count < 64 && count % 2 == 0 && probe.to.port == 4001 + count / 2;
  }
  CHECK_UINT(1750, count);
  CHECK_UINT(32, predicted);
  end(&self);
}

TEST(punch_probes_of_many_sockets_burst_low_and_then_cycle) {
  setup self;
  const hd_address address = punch_address(1, 4000);
  begin(&self, HD_NAT_CONSISTENT, &address, 1, true);
  REQUIRE(start(&self, HD_NAT_RANDOM, true) == HDHT_OK);
  open_wanted(&self);
  static bool seen[1000];
  hd_punch_probe probe;
  for (unsigned i = 0; i < 256; i++) {
    REQUIRE(next(&self, &probe));
    CHECK_UINT(0, ms_since_start(&self));
    CHECK_UINT(5, probe.ttl);
    CHECK(!seen[probe.socket]);
    seen[probe.socket] = true;
  }
  for (unsigned i = 0; i < 1750; i++) {
    REQUIRE(next(&self, &probe));
    CHECK_UINT(100 + 20 * i, ms_since_start(&self));
    CHECK_UINT(64, probe.ttl);
    CHECK(hd_address_equal(&address, &probe.to));
  }
  CHECK(!next(&self, &probe));
  end(&self);
}

TEST(punch_probes_of_many_sockets_leave_as_the_driver_opens_them) {
  setup self;
  const hd_address address = punch_address(1, 4000);
  begin(&self, HD_NAT_CONSISTENT, &address, 1, true);
  REQUIRE(start(&self, HD_NAT_RANDOM, true) == HDHT_OK);
  hd_punch_probe probe;
  REQUIRE(next(&self, &probe)); /* the main socket's */
  CHECK_UINT(5, probe.ttl);
  uint32_t key;
  REQUIRE(hd_punch_sockets_take_wanted(&self.sockets, &key));
  hd_punch_sockets_opened(&self.sockets, key, HD_SOCKET_NONE); /* one fails */
  REQUIRE(hd_punch_sockets_take_wanted(&self.sockets, &key));
  hd_punch_sockets_opened(&self.sockets, key, 77);
  REQUIRE(next(&self, &probe));
  CHECK_UINT(77, probe.socket);
  CHECK_UINT(5, probe.ttl);
  end(&self);
}

TEST(punch_probes_do_not_start_a_random_punch_at_an_unverified_host) {
  setup self;
  const hd_address address = punch_address(1, 4000), host = punch_address(1, 0);
  begin(&self, HD_NAT_RANDOM, &host, 1, false);
  CHECK_INT(HDHT_ERR_REMOTE_NOT_HOLEPUNCHABLE, start(&self, HD_NAT_CONSISTENT, true));
  begin(&self, HD_NAT_CONSISTENT, &address, 1, false);
  CHECK_INT(HDHT_ERR_REMOTE_NOT_HOLEPUNCHABLE, start(&self, HD_NAT_RANDOM, true));
  CHECK_INT(HDHT_OK, start(&self, HD_NAT_CONSISTENT, true));
  begin(&self, HD_NAT_CONSISTENT, &host, 1, true); /* no port */
  CHECK_INT(HDHT_ERR_REMOTE_NOT_HOLEPUNCHABLE, start(&self, HD_NAT_RANDOM, true));
  begin(&self, HD_NAT_CONSISTENT, NULL, 0, true);
  CHECK_INT(HDHT_ERR_REMOTE_NOT_HOLEPUNCHABLE, start(&self, HD_NAT_CONSISTENT, true));
  begin(&self, HD_NAT_UNKNOWN, &address, 1, true);
  CHECK_INT(HDHT_ERR_REMOTE_NOT_HOLEPUNCHABLE, start(&self, HD_NAT_CONSISTENT, true));
}

TEST(punch_probes_missed_by_a_sleeping_driver_are_not_made_up_for) {
  setup self;
  const hd_address host = punch_address(1, 0);
  begin(&self, HD_NAT_RANDOM, &host, 1, true);
  REQUIRE(start(&self, HD_NAT_CONSISTENT, true) == HDHT_OK);
  self.now = punch_after_ms(10000);
  unsigned at_once = 0;
  hd_punch_probe probe;
  while (hd_punch_probes_next(&self.probes, self.now, &self.sockets, &self.remote, &self.entropy, &probe)) at_once++;
  CHECK(at_once <= 6);
  end(&self);
}
