/* Streams whose packets take other ways: a changed remote, and relays. */
#include "udx/udx_stream.h"
#include "udx_world.h"

static hd_udx_stream_stats stats_of(const peer *end) {
  hd_udx_stream_stats stats;
  hd_udx_stream_get_stats(end->stream, &stats);
  return stats;
}

/* The middle's two legs: 0x31 faces end 0, 0x32 faces end 1. */
typedef struct test_relay {
  peer legs[2];
} test_relay;

static void add_relay(udx_world *world, test_relay *relay) {
  world_add_middle(world);
  hd_udx *udx = world->ends[WORLD_MIDDLE].udx;
  *relay = (struct test_relay){0};
  for (int i = 0; i < 2; i++) {
    peer *leg = &relay->legs[i];
    leg->world = world;
    leg->udx = udx;
    REQUIRE(hd_udx_stream_create(udx, (uint32_t)(0x31 + i), NULL, &world_sink, leg, &leg->stream) == HDHT_OK);
    REQUIRE(hd_udx_stream_connect(leg->stream, 1, &world->ends[i].address, (uint32_t)(1 + i)) == HDHT_OK);
  }
  REQUIRE(hd_udx_stream_relay_to(relay->legs[0].stream, relay->legs[1].stream) == HDHT_OK);
  REQUIRE(hd_udx_stream_relay_to(relay->legs[1].stream, relay->legs[0].stream) == HDHT_OK);
}

/* Both ends connect through the middle. */
static void init_relayed(udx_world *world, test_relay *relay) {
  world_init_bare(world, 1);
  add_relay(world, relay);
  for (int i = 0; i < 2; i++) {
    peer *end = &world->ends[i];
    REQUIRE(hd_udx_stream_create(end->udx, (uint32_t)(1 + i), NULL, &world_sink, end, &end->stream) == HDHT_OK);
    REQUIRE(hd_udx_stream_connect(end->stream, 1, &world->ends[WORLD_MIDDLE].address, (uint32_t)(0x31 + i)) == HDHT_OK);
  }
}

TEST(udx_relay_carries_a_transfer_and_lets_it_end) {
  udx_world world;
  test_relay relay;
  init_relayed(&world, &relay);
  world.links[0].loss = world.links[WORLD_MIDDLE].loss = 0.01;
  world.ends[0].to_write = 1 << 20;
  world.ends[0].ends_when_done = world.ends[1].ends_when_done = true;
  CHECK(world_run_until_closed(&world, HD_SECONDS(60)));
  CHECK_UINT(1 << 20, world.ends[1].received);
  CHECK(!world.ends[1].is_corrupt);
  for (int i = 0; i < 2; i++) CHECK_INT(HDHT_OK, world.ends[i].close_reason);
  CHECK(relay.legs[0].stream != NULL); /* an END is none of the relay's business */
  hd_udx_stats stats;
  hd_udx_get_stats(world.ends[WORLD_MIDDLE].udx, &stats);
  CHECK(stats.packets_relayed > 700);
  CHECK_UINT(0, stats.relay_drops);
  world_destroy(&world);
}

TEST(udx_relay_sends_batches_on_as_batches) {
  udx_world world;
  test_relay relay;
  init_relayed(&world, &relay);
  world.ends[0].to_write = 5 << 20;
  CHECK(world_run_until_received(&world, 1, 5 << 20, HD_SECONDS(20)));
  CHECK(world.ends[WORLD_MIDDLE].segments > 10 * world.ends[WORLD_MIDDLE].outs);
  world_destroy(&world);
}

TEST(udx_relay_passes_a_destroy_on_and_closes_both_legs) {
  udx_world world;
  test_relay relay;
  init_relayed(&world, &relay);
  world.ends[0].to_write = 100;
  world_run(&world, HD_MILLISECONDS(200));
  hd_udx_stream_destroy(world.ends[0].stream);
  world_run(&world, HD_MILLISECONDS(200));
  CHECK_INT(HDHT_ERR_CONNECTION_RESET, world.ends[1].close_reason);
  CHECK_UINT(1, world.ends[1].closes);
  CHECK_INT(HDHT_ERR_CONNECTION_RESET, relay.legs[0].close_reason);
  CHECK_UINT(1, relay.legs[0].closes);
  CHECK_INT(HDHT_OK, relay.legs[1].close_reason);
  CHECK_UINT(1, relay.legs[1].closes);
  world_destroy(&world);
}

TEST(udx_relay_destroyed_in_the_middle_tells_both_ends) {
  udx_world world;
  test_relay relay;
  init_relayed(&world, &relay);
  world.ends[0].to_write = 5000;
  world.ends[1].to_write = 3000;
  world_run(&world, HD_MILLISECONDS(200));
  hd_udx_stream_destroy(relay.legs[1].stream);
  world_run(&world, HD_MILLISECONDS(100));
  for (int i = 0; i < 2; i++) {
    CHECK_UINT(1, relay.legs[i].closes);
    CHECK_UINT(1, world.ends[i].closes);
    CHECK_INT(HDHT_ERR_CONNECTION_RESET, world.ends[i].close_reason);
  }
  world_destroy(&world);
}

TEST(udx_relay_does_not_pass_on_what_strangers_say_about_ending) {
  udx_world world;
  test_relay relay;
  init_relayed(&world, &relay);
  world_run(&world, HD_MILLISECONDS(1));
  uint8_t bytes[20];
  hd_udx_packet_write_header(bytes, &(hd_udx_header){.flags = HD_UDX_FLAG_DESTROY, .stream_id = 0x31, .seq = 5});
  const hd_datagram datagram = {.socket = 1, .from = hd_address_ipv4(9, 9, 9, 9, 9), .bytes = hd_bytes_of(bytes, 20)};
  hd_udx_receive(world.ends[WORLD_MIDDLE].udx, world.now, &datagram);
  world_run(&world, HD_MILLISECONDS(100));
  CHECK(relay.legs[0].stream != NULL);
  CHECK(world.ends[1].stream != NULL);
  world_destroy(&world);
}

TEST(udx_relay_keeps_packets_for_a_full_socket) {
  udx_world world;
  test_relay relay;
  init_relayed(&world, &relay);
  world.ends[0].to_write = 5000;
  world.ends[WORLD_MIDDLE].is_blocked = true;
  world_run(&world, HD_MILLISECONDS(100));
  CHECK_UINT(0, world.ends[1].received);
  world.ends[WORLD_MIDDLE].is_blocked = false;
  hd_udx_socket_writable(world.ends[WORLD_MIDDLE].udx, 1);
  world_run(&world, HD_MILLISECONDS(100));
  CHECK_UINT(5000, world.ends[1].received);
  hd_udx_stats stats;
  hd_udx_get_stats(world.ends[WORLD_MIDDLE].udx, &stats);
  CHECK_UINT(0, stats.relay_drops);
  CHECK_UINT(0, stats.buffered_bytes);
  world_destroy(&world);
}

TEST(udx_relay_legs_carry_nothing_of_their_own) {
  udx_world world;
  test_relay relay;
  init_relayed(&world, &relay);
  const hd_bytes part = hd_bytes_of("x", 1);
  CHECK_INT(HDHT_ERR_INVALID_STATE, hd_udx_stream_write(relay.legs[0].stream, &part, 1));
  CHECK_INT(HDHT_ERR_INVALID_STATE, hd_udx_stream_end(relay.legs[0].stream));
  CHECK_INT(HDHT_ERR_INVALID_STATE, hd_udx_stream_send_message(relay.legs[0].stream, part));
  peer *end = &world.ends[0];
  peer other = {.world = &world, .udx = end->udx};
  REQUIRE(hd_udx_stream_create(end->udx, 99, NULL, &world_sink, &other, &other.stream) == HDHT_OK);
  REQUIRE(hd_udx_stream_write(end->stream, &part, 1) == HDHT_OK);
  CHECK_INT(HDHT_ERR_INVALID_STATE, hd_udx_stream_relay_to(end->stream, other.stream));
  world_destroy(&world);
}

TEST(udx_relay_drops_packets_for_a_leg_that_is_not_connected) {
  udx_world world;
  world_init_bare(&world, 1);
  world_add_middle(&world);
  hd_udx *udx = world.ends[WORLD_MIDDLE].udx;
  peer legs[2] = {{.world = &world, .udx = udx, .is_let_in = true}, {.world = &world, .udx = udx}};
  for (int i = 0; i < 2; i++) {
    REQUIRE(hd_udx_stream_create(udx, (uint32_t)(0x31 + i), NULL, &world_sink, &legs[i], &legs[i].stream) == HDHT_OK);
  }
  hd_udx_stream_relay_to(legs[0].stream, legs[1].stream);
  peer *end = &world.ends[0];
  REQUIRE(hd_udx_stream_create(end->udx, 1, NULL, &world_sink, end, &end->stream) == HDHT_OK);
  REQUIRE(hd_udx_stream_connect(end->stream, 1, &world.ends[WORLD_MIDDLE].address, 0x31) == HDHT_OK);
  end->to_write = 5;
  world_run(&world, HD_MILLISECONDS(50));
  hd_udx_stats stats;
  hd_udx_get_stats(udx, &stats);
  CHECK_UINT(1, stats.relay_drops);
  world_destroy(&world);
}

/* ---- changing the remote ---------------------------------------------------------------------------------------- */

TEST(udx_path_changes_in_the_middle_of_a_transfer) {
  udx_world world;
  test_relay relay;
  init_relayed(&world, &relay);
  world.ends[0].to_write = 20 << 20;
  world.ends[0].ends_when_done = world.ends[1].ends_when_done = true;
  CHECK(world_run_until_received(&world, 1, 1 << 20, HD_SECONDS(20)));
  for (int i = 0; i < 2; i++) { /* both go direct */
    CHECK_INT(HDHT_OK,
              hd_udx_stream_change_remote(world.ends[i].stream, 1, &world.ends[1 - i].address, (uint32_t)(2 - i)));
  }
  CHECK(world_run_until_received(&world, 1, 5 << 20, HD_SECONDS(20)));
  CHECK_UINT(1, world.ends[0].remote_changes);
  const uint64_t relayed = world.links[WORLD_MIDDLE].packets;
  CHECK(world_run_until_closed(&world, HD_SECONDS(20)));
  CHECK_UINT(relayed, world.links[WORLD_MIDDLE].packets);
  CHECK_UINT(1, world.ends[0].remote_changes);
  CHECK_UINT(1, world.ends[1].remote_changes);
  CHECK_UINT(20 << 20, world.ends[1].received);
  CHECK(!world.ends[1].is_corrupt);
  world_destroy(&world);
}

TEST(udx_path_that_dies_with_packets_on_it_is_left_after_a_time_out) {
  udx_world world;
  test_relay relay;
  init_relayed(&world, &relay);
  world.ends[0].to_write = 10 << 20;
  CHECK(world_run_until_received(&world, 1, 1 << 20, HD_SECONDS(20)));
  world.links[WORLD_MIDDLE].loss = 1; /* the relay is gone, and what it carried */
  for (int i = 0; i < 2; i++) {
    hd_udx_stream_change_remote(world.ends[i].stream, 1, &world.ends[1 - i].address, (uint32_t)(2 - i));
  }
  CHECK(world_run_until_received(&world, 1, 10 << 20, HD_SECONDS(20)));
  CHECK(!world.ends[1].is_corrupt);
  CHECK_UINT(1, world.ends[0].remote_changes);
  world_destroy(&world);
}

TEST(udx_path_change_of_an_idle_stream_is_complete_at_once) {
  udx_world world;
  world_init(&world, 1);
  const hd_address elsewhere = hd_address_ipv4(10, 9, 9, 9, 9);
  CHECK_INT(HDHT_OK, hd_udx_stream_change_remote(world.ends[0].stream, 3, &elsewhere, 77));
  world_run(&world, HD_MILLISECONDS(1));
  CHECK_UINT(1, world.ends[0].remote_changes);
  CHECK_UINT(3, hd_udx_stream_socket(world.ends[0].stream));
  CHECK_UINT(77, hd_udx_stream_remote_id(world.ends[0].stream));
  CHECK_UINT(1, hd_udx_socket_streams_count(world.ends[0].udx, 3));
  CHECK_UINT(0, hd_udx_socket_streams_count(world.ends[0].udx, 1));
  CHECK_UINT(1200, stats_of(&world.ends[0]).mtu);
  world_destroy(&world);
}
