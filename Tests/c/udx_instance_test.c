/* Many streams at once, memory, and what happens when there is none. */
#include "udx/udx_stream.h"
#include "udx_world.h"

#define STREAMS 16

TEST(udx_instance_carries_sixteen_streams_at_once) {
  udx_world world;
  world_init_bare(&world, 1);
  static peer users[2][STREAMS];
  memset(users, 0, sizeof users);
  world.links[0].loss = 0.005;
  world.links[0].bytes_per_second = 100000000;
  world.links[0].queue_bytes_limit = 1 << 20;
  const hd_bytes data = hd_bytes_of(world_pattern(), WORLD_PATTERN_SIZE);
  for (int i = 0; i < 2; i++) {
    for (uint32_t s = 0; s < STREAMS; s++) {
      peer *user = &users[i][s];
      *user = (peer){.world = &world, .udx = world.ends[i].udx, .is_let_in = true};
      REQUIRE(hd_udx_stream_create(user->udx, 100 + s, NULL, &world_sink, user, &user->stream) == HDHT_OK);
      REQUIRE(hd_udx_stream_connect(user->stream, 1, &world.ends[1 - i].address, 100 + s) == HDHT_OK);
      if (i == 0) REQUIRE(hd_udx_stream_write(user->stream, &data, 1) == HDHT_OK);
      hd_udx_stream_end(user->stream);
    }
  }
  world_run(&world, HD_SECONDS(5));
  for (uint32_t s = 0; s < STREAMS; s++) {
    CHECK_UINT(WORLD_PATTERN_SIZE, users[1][s].received);
    CHECK(!users[1][s].is_corrupt);
    CHECK_UINT(1, users[0][s].closes);
    CHECK_INT(HDHT_OK, users[0][s].close_reason);
  }
  world_destroy(&world);
}

/* Two streams of one instance can be each other's peer. */
TEST(udx_instance_can_talk_to_itself) {
  udx_world world;
  world_init_bare(&world, 1);
  peer *end = &world.ends[0];
  peer other = {.world = &world, .udx = end->udx, .is_let_in = true};
  REQUIRE(hd_udx_stream_create(end->udx, 1, NULL, &world_sink, end, &end->stream) == HDHT_OK);
  REQUIRE(hd_udx_stream_create(end->udx, 2, NULL, &world_sink, &other, &other.stream) == HDHT_OK);
  REQUIRE(hd_udx_stream_connect(end->stream, 1, &end->address, 2) == HDHT_OK);
  REQUIRE(hd_udx_stream_connect(other.stream, 1, &end->address, 1) == HDHT_OK);
  end->to_write = 100000;
  world_run(&world, HD_SECONDS(2));
  CHECK_UINT(100000, other.received);
  world_destroy(&world);
}

TEST(udx_instance_needs_less_than_two_kibibytes_per_idle_stream) {
  hd_test_allocator allocator;
  hd_test_allocator_init(&allocator);
  const hd_udx_options options = {.allocator = &allocator.hook, .seed = {1, 2}};
  hd_udx *udx;
  REQUIRE(hd_udx_create(&options, &udx) == HDHT_OK);
  static const hd_udx_sink nobody;
  const hd_address remote = hd_address_ipv4(1, 2, 3, 4, 5);
  for (uint32_t id = 0; id < 10000; id++) {
    hd_udx_stream *stream;
    REQUIRE(hd_udx_stream_create(udx, id, NULL, &nobody, NULL, &stream) == HDHT_OK);
    REQUIRE(hd_udx_stream_connect(stream, 1, &remote, id) == HDHT_OK);
  }
  hd_udx_settle(udx, (hd_time){1});
  hd_datagram_out out;
  CHECK_UINT(0, hd_udx_next_sends(udx, (hd_time){1}, &out, 1));
  CHECK(allocator.live_bytes / 10000 < 1700);
  hd_udx_destroy(udx);
  CHECK_UINT(0, allocator.live_bytes);
}

TEST(udx_instance_gives_memory_back_when_streams_fall_idle) {
  udx_world world;
  world_init(&world, 1);
  const size_t before = world.allocators[0].live_bytes;
  world.ends[0].to_write = 20 << 20;
  world.links[0].loss = 0.01;
  REQUIRE(world_run_until_received(&world, 1, 20 << 20, HD_SECONDS(60)));
  CHECK(world.allocators[0].live_bytes > before + 10000);
  world_run(&world, HD_SECONDS(3));
  CHECK_UINT(before, world.allocators[0].live_bytes);
  CHECK(hd_time_is_never(hd_udx_deadline(world.ends[0].udx)));
  world_destroy(&world);
}

TEST(udx_instance_allocates_nothing_per_packet) {
  udx_world world;
  world_init(&world, 1);
  world.links[0].bytes_per_second = 50000000;
  world.links[0].loss = 0.01;
  world.ends[0].to_write = 60 << 20;
  REQUIRE(world_run_until_received(&world, 1, 40 << 20, HD_SECONDS(60)));
  const size_t sender = world.allocators[0].allocations, receiver = world.allocators[1].allocations;
  REQUIRE(world_run_until_received(&world, 1, 60 << 20, HD_SECONDS(60)));
  CHECK(world.allocators[0].allocations <= sender + 2);    /* an array may still double */
  CHECK(world.allocators[1].allocations <= receiver + 20); /* and the pool grow to the largest gap so far */
  world_destroy(&world);
}

TEST(udx_instance_limits_what_all_streams_hold) {
  udx_world world;
  world_init_bare(&world, 1);
  hd_udx_destroy(world.ends[1].udx);
  const hd_udx_options options = {
      .allocator = &world.allocators[1].hook, .seed = {1, 2}, .buffered_limit = 10 * HD_UDX_BLOCK_SIZE};
  REQUIRE(hd_udx_create(&options, &world.ends[1].udx) == HDHT_OK);
  for (int i = 0; i < 2; i++) {
    peer *end = &world.ends[i];
    REQUIRE(hd_udx_stream_create(end->udx, (uint32_t)(1 + i), NULL, &world_sink, end, &end->stream) == HDHT_OK);
    REQUIRE(hd_udx_stream_connect(end->stream, 1, &world.ends[1 - i].address, (uint32_t)(2 - i)) == HDHT_OK);
  }
  hd_udx_stream_pause(world.ends[1].stream);
  world.ends[0].to_write = 1 << 20;
  world_run(&world, HD_SECONDS(2));
  hd_udx_stats stats;
  hd_udx_get_stats(world.ends[1].udx, &stats);
  CHECK(stats.buffered_bytes <= 10 * HD_UDX_BLOCK_SIZE);
  CHECK(stats.buffered_bytes > 8 * HD_UDX_BLOCK_SIZE);
  hd_udx_stream_resume(world.ends[1].stream);
  CHECK(world_run_until_received(&world, 1, 1 << 20, HD_SECONDS(60)));
  CHECK(!world.ends[1].is_corrupt);
  world_destroy(&world);
}

/* ---- without memory --------------------------------------------------------------------------------------------- */

typedef struct scarce {
  hd_udx *udx;
  hd_udx_stream *stream;
  uint64_t received;
  bool is_closed;
} scarce;

static void scarce_on_data(void *context, hd_udx_stream *stream, hd_bytes bytes) {
  (void)stream;
  ((scarce *)context)->received += bytes.size;
}

static void scarce_on_close(void *context, hd_udx_stream *stream, int reason) {
  (void)stream;
  (void)reason;
  ((scarce *)context)->is_closed = true;
}

static const hd_udx_sink scarce_sink = {.on_data = scarce_on_data, .on_close = scarce_on_close};

static bool scarce_start(scarce *end, const hdht_allocator *allocator, uint32_t id) {
  const hd_udx_options options = {.allocator = allocator, .seed = {1, 2}};
  const hd_address remote = hd_address_ipv4(10, 0, 0, 1, 1);
  if (hd_udx_create(&options, &end->udx) != HDHT_OK) return false;
  return hd_udx_stream_create(end->udx, id, NULL, &scarce_sink, end, &end->stream) == HDHT_OK &&
         hd_udx_stream_connect(end->stream, 1, &remote, 3 - id) == HDHT_OK;
}

/* Passes on what `from` sends, except one packet in ten, so that all kinds of memory are needed. */
static void scarce_pass(scarce *from, scarce *to, hd_time now, hd_random *random) {
  hd_udx_settle(from->udx, now);
  hd_datagram_out out;
  while (hd_udx_next_sends(from->udx, now, &out, 1) == 1) {
    uint32_t part = 0, first, count, size;
    while (hd_datagram_out_next_segment(&out, &part, &first, &count, &size)) {
      uint8_t bytes[HD_UDX_DATAGRAM_SIZE_MAX];
      uint32_t used = 0;
      for (uint32_t p = first; p < first + count; p++) {
        memcpy(bytes + used, out.parts[p].data, out.parts[p].size);
        used += (uint32_t)out.parts[p].size;
      }
      if (hd_random_below(random, 10) == 0) continue;
      const hd_datagram datagram = {
          .socket = 1, .from = hd_address_ipv4(10, 0, 0, 1, 1), .bytes = hd_bytes_of(bytes, used)};
      hd_udx_receive(to->udx, now, &datagram);
    }
  }
}

static bool scarce_transfer(const hdht_allocator *allocator) {
  scarce ends[2] = {{0}, {0}};
  const bool is_started = scarce_start(&ends[0], allocator, 1) && scarce_start(&ends[1], allocator, 2);
  bool is_written = false;
  if (is_started) {
    hd_udx_stream_send_message(ends[0].stream, hd_bytes_of("x", 1));
    const hd_bytes part = hd_bytes_of(world_pattern(), 60000);
    is_written = hd_udx_stream_write(ends[0].stream, &part, 1) == HDHT_OK;
    for (int i = 0; i < 2; i++) hd_udx_stream_end(ends[i].stream);
    hd_time now = {1000000};
    hd_random random = hd_random_from_seed(4);
    for (int step = 0; step < 2000 && !(ends[0].is_closed && ends[1].is_closed); step++) {
      now = hd_time_add(now, HD_MILLISECONDS(10));
      for (int i = 0; i < 2; i++) {
        hd_udx_elapse(ends[i].udx, now);
        scarce_pass(&ends[i], &ends[1 - i], now, &random);
      }
    }
    if (is_written) CHECK_UINT(60000, ends[1].received); /* one failure is not the end */
    CHECK(ends[0].is_closed); /* perhaps by a time-out, when no ghost could be made to answer */
  }
  for (int i = 0; i < 2; i++) {
    if (ends[i].udx != NULL) hd_udx_destroy(ends[i].udx);
  }
  return is_written && ends[0].is_closed && ends[1].is_closed;
}

/* One failed allocation in the middle is made up for, so the scenario ends well long before no failure is left; each
 * failure is tried all the same. */
TEST(udx_instance_survives_each_allocation_failure) {
  for (size_t fail_at = 1;; fail_at++) {
    hd_test_allocator allocator;
    hd_test_allocator_init(&allocator);
    allocator.fail_at = fail_at;
    scarce_transfer(&allocator.hook);
    CHECK_UINT(0, allocator.live_bytes);
    if (allocator.allocations < fail_at) {
      CHECK(fail_at > 10);
      return;
    }
  }
}
