/* Data through whole streams: combining, loss recovery, flow control, path MTU, throughput. */
#include "udx/udx_stream.h"
#include "udx_world.h"

static hd_udx_stream_stats stats_of(const peer *end) {
  hd_udx_stream_stats stats;
  hd_udx_stream_get_stats(end->stream, &stats);
  return stats;
}

/* Sends `bytes` from end 0 to end 1, ends both, and checks that everything arrived and both closed in peace. */
static void transfer(udx_world *world, uint64_t bytes, hd_duration limit) {
  world->ends[0].to_write = bytes;
  world->ends[0].ends_when_done = world->ends[1].ends_when_done = true;
  CHECK(world_run_until_closed(world, limit));
  CHECK_UINT(bytes, world->ends[1].received);
  for (int i = 0; i < 2; i++) {
    CHECK(!world->ends[i].is_corrupt);
    CHECK_UINT(1, world->ends[i].ends);
    CHECK_UINT(1, world->ends[i].closes);
    CHECK_INT(HDHT_OK, world->ends[i].close_reason);
  }
}

/* Virtual megabytes per second for `bytes` from end 0 to end 1. */
static double speed(udx_world *world, uint64_t bytes) {
  world->ends[0].to_write = bytes;
  const hd_time start = world->now;
  CHECK(world_run_until_received(world, 1, bytes, HD_SECONDS(120)));
  CHECK(!world->ends[1].is_corrupt);
  return (double)bytes / (double)hd_time_since(world->now, start).us;
}

static void set_links(udx_world *world, hd_duration delay, double loss) {
  for (int i = 0; i < 2; i++) {
    world->links[i].delay = delay;
    world->links[i].loss = loss;
  }
  world->tick = HD_MILLISECONDS(1); /* as libuv's timers */
}

TEST(udx_transfer_carries_five_bytes_and_closes) {
  udx_world world;
  world_init(&world, 1);
  transfer(&world, 5, HD_SECONDS(1));
  CHECK_UINT(2, world.links[0].packets); /* DATA|END, and the last acknowledgement */
  CHECK_UINT(2, world.links[1].packets); /* END with an acknowledgement on it, and another after the data */
  world_destroy(&world);
}

TEST(udx_transfer_survives_random_loss_duplication_and_reordering) {
  for (uint64_t seed = 1; seed <= 5; seed++) {
    udx_world world;
    world_init(&world, seed);
    set_links(&world, HD_MILLISECONDS(10), 0.03);
    world.links[0].duplicate = world.links[1].duplicate = 0.02;
    world.links[0].jitter = world.links[1].jitter = HD_MILLISECONDS(3);
    transfer(&world, 2 << 20, HD_SECONDS(120));
    world_destroy(&world);
  }
}

TEST(udx_transfer_goes_both_ways_at_once) {
  udx_world world;
  world_init(&world, 4);
  set_links(&world, HD_MILLISECONDS(5), 0.01);
  world.ends[1].to_write = 3 << 20;
  transfer(&world, 3 << 20, HD_SECONDS(60));
  CHECK_UINT(3 << 20, world.ends[0].received);
  world_destroy(&world);
}

TEST(udx_transfer_crosses_the_wrap_of_numbers) {
  udx_world world;
  world_init_bare(&world, 5);
  const hd_udx_stream_options options[2] = {{.send_seq = 0xfffffff0, .receive_seq = 0x7ffffff0},
                                            {.send_seq = 0x7ffffff0, .receive_seq = 0xfffffff0}};
  for (int i = 0; i < 2; i++) {
    peer *end = &world.ends[i];
    REQUIRE(hd_udx_stream_create(end->udx, (uint32_t)(1 + i), &options[i], &world_sink, end, &end->stream) == HDHT_OK);
    REQUIRE(hd_udx_stream_connect(end->stream, 1, &world.ends[1 - i].address, (uint32_t)(2 - i)) == HDHT_OK);
  }
  set_links(&world, HD_MILLISECONDS(5), 0.05);
  world.ends[1].to_write = 1 << 20;
  transfer(&world, 1 << 20, HD_SECONDS(60));
  world_destroy(&world);
}

TEST(udx_transfer_works_over_ipv6) {
  udx_world world;
  world_init_bare(&world, 1);
  for (int i = 0; i < 2; i++) {
    world.ends[i].address =
        (hd_address){.ip = {0x20, 1, [15] = (uint8_t)(1 + i)}, .port = 5, .family = HDHT_FAMILY_IPV6};
  }
  for (int i = 0; i < 2; i++) {
    peer *end = &world.ends[i];
    REQUIRE(hd_udx_stream_create(end->udx, (uint32_t)(1 + i), NULL, &world_sink, end, &end->stream) == HDHT_OK);
    REQUIRE(hd_udx_stream_connect(end->stream, 1, &world.ends[1 - i].address, (uint32_t)(2 - i)) == HDHT_OK);
  }
  CHECK_UINT(1132, hd_udx_stream_message_size_max(world.ends[0].stream));
  transfer(&world, 100000, HD_SECONDS(5));
  world_destroy(&world);
}

/* ---- writes and packets ----------------------------------------------------------------------------------------- */

TEST(udx_transfer_combines_the_small_writes_of_one_turn) {
  udx_world world;
  world_init(&world, 1);
  world.ends[0].write_size = 60;
  world.ends[0].to_write = 20 * 60;
  world_run(&world, HD_MILLISECONDS(50));
  CHECK_UINT(1200, world.ends[1].received);
  CHECK(!world.ends[1].is_corrupt);
  CHECK_UINT(2, world.links[0].packets); /* more than eight spans, so copied together */
  CHECK_UINT(20, world.ends[0].writes_acked);
  world_destroy(&world);
}

TEST(udx_transfer_sends_an_empty_write_as_an_empty_packet) {
  udx_world world;
  world_init(&world, 1);
  CHECK_INT(HDHT_OK, hd_udx_stream_write(world.ends[0].stream, NULL, 0));
  world_run(&world, HD_MILLISECONDS(50));
  CHECK_UINT(1, world.ends[1].chunks);
  CHECK_UINT(0, world.ends[1].received);
  CHECK_UINT(1, world.ends[0].writes_acked);
  world_destroy(&world);
}

TEST(udx_transfer_hands_out_batches_for_segmentation) {
  udx_world world;
  world_init(&world, 1);
  speed(&world, 20 << 20);
  CHECK(world.ends[0].segments > 25 * world.ends[0].outs);     /* packets per call to the system */
  CHECK(world.links[1].packets * 20 < world.links[0].packets); /* and far fewer acknowledgements */
  world_destroy(&world);
}

/* The reference acknowledges each packet, and every acknowledgement lets another packet out. */
TEST(udx_transfer_gathers_packets_although_each_is_acknowledged_alone) {
  udx_world world;
  world_init(&world, 1);
  world.links[0].bytes_per_second = 100000000; /* so that no two packets arrive at once */
  world.tick = HD_MILLISECONDS(1);
  CHECK(world_run_until_received(&world, 1, 0, HD_SECONDS(1)));
  world.ends[0].to_write = 50 << 20;
  CHECK(world_run_until_received(&world, 1, 50 << 20, HD_SECONDS(20)));
  CHECK(world.links[1].packets * 2 > world.links[0].packets);
  CHECK(world.ends[0].segments > 5 * world.ends[0].outs);
  world_destroy(&world);
}

TEST(udx_transfer_pushes_back_and_says_when_to_go_on) {
  udx_world world;
  world_init(&world, 1);
  world.ends[0].to_write = 10 << 20;
  world_start(&world);
  CHECK(!hd_udx_stream_is_writable(world.ends[0].stream));
  CHECK(hd_udx_stream_unacked_bytes(world.ends[0].stream) < 1 << 20);
  CHECK(world_run_until_received(&world, 1, 10 << 20, HD_SECONDS(20)));
  CHECK(world.ends[0].drains > 0);
  world_destroy(&world);
}

/* ---- loss recovery ---------------------------------------------------------------------------------------------- */

typedef struct drop_plan {
  uint8_t transmissions[HD_UDX_SPAN_LIMIT]; /* of each number seen so far */
  uint64_t data_packets;
} drop_plan;

static bool is_data(const uint8_t *bytes) {
  return (bytes[2] & HD_UDX_FLAG_DATA) != 0;
}

/* Every third data packet, each number at most twice. */
static bool drop_every_third(udx_world *world, int from, const uint8_t *bytes, uint32_t size) {
  (void)size;
  drop_plan *plan = world->drops_context;
  if (from != 0 || !is_data(bytes) || ++plan->data_packets % 3 != 0) return false;
  uint8_t *seen = &plan->transmissions[hd_udx_packet_read_header(bytes).seq % HD_UDX_SPAN_LIMIT];
  return *seen < 2 && ++*seen > 0;
}

TEST(udx_transfer_survives_every_third_packet_lost) {
  udx_world world;
  world_init(&world, 1);
  drop_plan *plan = calloc(1, sizeof *plan);
  world.drops = drop_every_third;
  world.drops_context = plan;
  world.tick = HD_MILLISECONDS(1);
  transfer(&world, 5 << 20, HD_SECONDS(60));
  free(plan);
  world_destroy(&world);
}

/* RFC 8985, section 3.4: four packets, of which 1 to 3 get lost; the probe repeats 3; the retransmission of 1 gets lost
 * too. Numbers are 0 to 3 here. */
static bool drop_as_in_the_rfc(udx_world *world, int from, const uint8_t *bytes, uint32_t size) {
  (void)size;
  drop_plan *plan = world->drops_context;
  if (from != 0 || !is_data(bytes)) return false;
  const uint32_t number = hd_udx_packet_read_header(bytes).seq;
  const uint8_t transmission = ++plan->transmissions[number];
  return transmission == 1 ? number >= 1 && number <= 3 : number == 1 && transmission == 2;
}

TEST(udx_transfer_recovers_a_lost_tail_without_a_time_out) {
  udx_world world;
  world_init(&world, 1);
  drop_plan *plan = calloc(1, sizeof *plan);
  world.drops = drop_as_in_the_rfc;
  world.drops_context = plan;
  world.ends[0].to_write = 4 * 1152;
  world_run(&world, HD_SECONDS(1));
  const hd_udx_stream_stats stats = stats_of(&world.ends[0]);
  CHECK_UINT(4 * 1152, world.ends[1].received);
  CHECK_UINT(0, stats.timeouts);
  CHECK_UINT(1, stats.recoveries);
  CHECK_UINT(1, plan->transmissions[0]);
  CHECK_UINT(3, plan->transmissions[1]);
  CHECK_UINT(2, plan->transmissions[2]);
  CHECK_UINT(2, plan->transmissions[3]);
  free(plan);
  world_destroy(&world);
}

TEST(udx_transfer_into_the_void_times_out_when_patience_ends) {
  udx_world world;
  world_init(&world, 1);
  world.links[0].loss = 1;
  world.ends[0].to_write = 5;
  world_run(&world, HD_MILLISECONDS(12999));
  CHECK_UINT(0, world.ends[0].closes);
  world_run(&world, HD_MILLISECONDS(1));
  CHECK_UINT(1, world.ends[0].closes);
  CHECK_INT(HDHT_ERR_TIMED_OUT, world.ends[0].close_reason);
  CHECK_UINT(0, world.ends[0].writes_acked);
  world_destroy(&world);
}

TEST(udx_transfer_patience_is_the_users_choice) {
  udx_world world;
  const hd_udx_stream_options options = {.patience = HD_SECONDS(60)};
  world_init_with(&world, 1, &options);
  world.links[0].loss = 1;
  world.ends[0].to_write = 5;
  world_run(&world, HD_SECONDS(59));
  CHECK_UINT(0, world.ends[0].closes);
  world.links[0].loss = 0;
  world_destroy(&world);
}

TEST(udx_transfer_repeats_packets_with_fresh_acknowledgement_and_window) {
  udx_world world;
  world_init(&world, 1);
  world.links[0].loss = 1;
  world.ends[0].to_write = 5;
  world_run(&world, HD_MILLISECONDS(1));
  CHECK_UINT(0, world.links[0].last_ack);
  world.ends[1].to_write = 5;
  hd_udx_stream_set_held_bytes(world.ends[0].stream, 0x100000);
  world_run(&world, HD_MILLISECONDS(100));
  world.links[0].loss = 0;
  world_run(&world, HD_SECONDS(3));
  CHECK_UINT(5, world.ends[1].received);
  CHECK_UINT(1, world.links[0].last_ack);
  CHECK_UINT(0x300000, stats_of(&world.ends[1]).send_window);
  world_destroy(&world);
}

TEST(udx_transfer_does_not_repeat_needlessly_below_a_millisecond) {
  udx_world world;
  world_init(&world, 3);
  set_links(&world, HD_MICROSECONDS(50), 0.01);
  world.links[0].bytes_per_second = world.links[1].bytes_per_second = 500000000;
  world.ends[0].to_write = 20 << 20;
  CHECK(world_run_until_received(&world, 1, 20 << 20, HD_SECONDS(60)));
  const hd_udx_stream_stats stats = stats_of(&world.ends[0]);
  CHECK(stats.retransmits <= world.links[0].dropped + stats.tail_probes);
  CHECK(stats_of(&world.ends[1]).duplicates <= stats.tail_probes);
  world_destroy(&world);
}

TEST(udx_transfer_of_a_burst_loss_is_reported_with_the_first_packet_after_it) {
  udx_world world;
  world_init(&world, 1);
  uint8_t bytes[21] = {0};
  for (uint32_t seq = 0; seq <= 4; seq += 4) {
    hd_udx_packet_write_header(bytes, &(hd_udx_header){.flags = HD_UDX_FLAG_DATA, .stream_id = 2, .seq = seq});
    const hd_datagram datagram = {.socket = 1, .from = world.ends[0].address, .bytes = hd_bytes_of(bytes, 21)};
    hd_udx_receive(world.ends[1].udx, world.now, &datagram);
  }
  hd_udx_settle(world.ends[1].udx, world.now);
  hd_datagram_out out;
  REQUIRE(hd_udx_next_sends(world.ends[1].udx, world.now, &out, 1) == 1);
  hd_udx_packet packet;
  REQUIRE(hd_udx_packet_parse(out.parts[0], &packet) == HDHT_OK);
  CHECK_UINT(1, packet.header.ack);
  REQUIRE(packet.sack.size == 8);
  CHECK_UINT(4, hd_udx_packet_sack_block(packet.sack, 0).start);
  CHECK_UINT(0, hd_udx_next_sends(world.ends[1].udx, world.now, &out, 1)); /* one for the batch */
  world_destroy(&world);
}

/* ---- flow control ----------------------------------------------------------------------------------------------- */

TEST(udx_transfer_stops_for_a_paused_reader_and_goes_on) {
  udx_world world;
  const hd_udx_stream_options options = {.window = 200000, .window_max = 200000};
  world_init_with(&world, 1, &options);
  hd_udx_stream_pause(world.ends[1].stream);
  world.ends[0].to_write = 2 << 20;
  world_run(&world, HD_SECONDS(20));
  CHECK_UINT(0, world.ends[1].received);
  CHECK_UINT(0, stats_of(&world.ends[0]).timeouts);
  CHECK_UINT(0, world.ends[0].closes); /* closed, but alive */
  hd_udx_stats stats;
  hd_udx_get_stats(world.ends[1].udx, &stats);
  CHECK(stats.buffered_bytes <= 400000);
  const uint64_t probes = stats_of(&world.ends[0]).window_probes;
  CHECK(probes > 5 && probes < 50);

  hd_udx_stream_resume(world.ends[1].stream);
  const hd_time resumed = world.now;
  CHECK(world_run_until_received(&world, 1, 2 << 20, HD_SECONDS(20)));
  CHECK(!world.ends[1].is_corrupt);
  CHECK(hd_time_since(world.now, resumed).us < 2000000); /* told at once, not at the next probe */
  world_destroy(&world);
}

TEST(udx_transfer_obeys_a_reader_who_holds_bytes) {
  udx_world world;
  const hd_udx_stream_options options = {.window = 100000, .window_max = 100000};
  world_init_with(&world, 1, &options);
  hd_udx_stream_set_held_bytes(world.ends[1].stream, 90000);
  world.ends[0].to_write = 10;
  world_run(&world, HD_MILLISECONDS(100));
  CHECK_UINT(10000, stats_of(&world.ends[0]).send_window);
  hd_udx_stream_set_held_bytes(world.ends[1].stream, 0);
  world_run(&world, HD_MILLISECONDS(100));
  CHECK_UINT(100000, stats_of(&world.ends[0]).send_window);
  world_destroy(&world);
}

TEST(udx_transfer_tries_data_when_a_closed_window_answers_no_heartbeat) {
  udx_world world;
  world_init(&world, 1);
  /* A peer that has never heard of heartbeats: everything it is sent with that flag vanishes. */
  uint8_t bytes[20];
  hd_udx_packet_write_header(bytes, &(hd_udx_header){.stream_id = 1, .window = 0});
  const hd_datagram datagram = {.socket = 1, .from = world.ends[1].address, .bytes = hd_bytes_of(bytes, 20)};
  hd_udx_receive(world.ends[0].udx, world.now, &datagram);
  world.ends[0].to_write = 5;
  world.links[0].loss = 1;
  world_run(&world, HD_MILLISECONDS(5500)); /* heartbeats at 0, 1, 3 and 5 s */
  CHECK_UINT(3, stats_of(&world.ends[0]).window_probes);
  world.links[0].loss = 0;
  CHECK(world_run_until_received(&world, 1, 5, HD_MILLISECONDS(2000)));
  world_destroy(&world);
}

TEST(udx_transfer_grows_the_window_for_a_fast_reader) {
  udx_world world;
  world_init(&world, 1);
  set_links(&world, HD_MILLISECONDS(50), 0);
  speed(&world, 40 << 20);
  CHECK_UINT(HD_UDX_WINDOW_MAX_DEFAULT, stats_of(&world.ends[0]).send_window);
  world_destroy(&world);
}

/* ---- path MTU --------------------------------------------------------------------------------------------------- */

TEST(udx_transfer_finds_the_mtu_of_the_path) {
  const uint32_t limits[] = {1500, 1400, 1280, 1200};
  for (int i = 0; i < 4; i++) {
    udx_world world;
    world_init(&world, 1);
    set_links(&world, HD_MILLISECONDS(5), 0);
    world.links[0].mtu = limits[i];
    world.links[0].bytes_per_second = 10000000; /* each probe takes a round trip */
    speed(&world, 10 << 20);
    const hd_udx_stream_stats stats = stats_of(&world.ends[0]);
    CHECK(stats.mtu <= limits[i]);
    CHECK(stats.mtu + HD_UDX_MTU_STEP >= limits[i]);
    CHECK_UINT(0, stats.recoveries); /* a lost probe is no loss */
    CHECK_UINT(0, stats.timeouts);
    world_destroy(&world);
  }
}

TEST(udx_transfer_survives_a_path_that_becomes_a_black_hole) {
  udx_world world;
  const hd_udx_stream_options options = {.patience = HD_SECONDS(30)};
  world_init_with(&world, 1, &options);
  set_links(&world, HD_MILLISECONDS(5), 0);
  world.ends[0].to_write = 40 << 20;
  CHECK(world_run_until_received(&world, 1, 5 << 20, HD_SECONDS(10)));
  CHECK_UINT(1500, stats_of(&world.ends[0]).mtu);
  world.links[0].mtu = 1300; /* what was cut large passes only in fragments from now on */
  CHECK(world_run_until_received(&world, 1, 40 << 20, HD_SECONDS(60)));
  CHECK(stats_of(&world.ends[0]).mtu <= 1300);
  world_destroy(&world);
}

/* ---- full sockets ----------------------------------------------------------------------------------------------- */

TEST(udx_transfer_waits_for_a_full_socket_and_loses_nothing) {
  udx_world world;
  world_init(&world, 1);
  world.ends[0].to_write = 1 << 20;
  CHECK(world_run_until_received(&world, 1, 100000, HD_SECONDS(5)));
  world.ends[0].is_blocked = true;
  world_run(&world, HD_MILLISECONDS(200));
  const uint64_t packets = world.links[0].packets;
  hd_udx_stream_send_message(world.ends[0].stream, hd_bytes_of("x", 1));
  world_run(&world, HD_MILLISECONDS(200));
  CHECK_UINT(packets, world.links[0].packets);
  CHECK_UINT(0, stats_of(&world.ends[0]).losses);

  world.ends[0].is_blocked = false;
  hd_udx_socket_writable(world.ends[0].udx, 1);
  CHECK(world_run_until_received(&world, 1, 1 << 20, HD_SECONDS(5)));
  CHECK_UINT(0, stats_of(&world.ends[0]).losses);
  CHECK_UINT(0, stats_of(&world.ends[1]).duplicates);
  CHECK_UINT(1, world.ends[1].messages);
  world_destroy(&world);
}

TEST(udx_transfer_repeats_the_unsent_rest_of_a_batch) {
  udx_world world;
  world_init(&world, 1);
  const hd_bytes part = hd_bytes_of(world_pattern(), 5 * 1152);
  REQUIRE(hd_udx_stream_write(world.ends[0].stream, &part, 1) == HDHT_OK);
  hd_udx_settle(world.ends[0].udx, world.now);
  hd_datagram_out out;
  REQUIRE(hd_udx_next_sends(world.ends[0].udx, world.now, &out, 1) == 1);
  CHECK_UINT(5, out.segments_count);
  hd_udx_send_result(world.ends[0].udx, world.now, &out, 2, HDHT_ERR_WOULD_BLOCK);
  CHECK_UINT(0, hd_udx_next_sends(world.ends[0].udx, world.now, &out, 1));
  hd_udx_socket_writable(world.ends[0].udx, 1);
  REQUIRE(hd_udx_next_sends(world.ends[0].udx, world.now, &out, 1) == 1);
  CHECK_UINT(3, out.segments_count);
  CHECK_UINT(2, hd_udx_packet_read_header(out.parts[0].data).seq);
  CHECK_UINT(0, stats_of(&world.ends[0]).retransmits);
  world_destroy(&world);
}

TEST(udx_transfer_lowers_the_mtu_when_the_system_refuses) {
  udx_world world;
  world_init(&world, 1);
  speed(&world, 5 << 20);
  CHECK_UINT(1500, stats_of(&world.ends[0]).mtu);
  const hd_bytes part = hd_bytes_of(world_pattern(), 1452);
  REQUIRE(hd_udx_stream_write(world.ends[0].stream, &part, 1) == HDHT_OK);
  hd_datagram_out out;
  hd_udx_settle(world.ends[0].udx, world.now);
  REQUIRE(hd_udx_next_sends(world.ends[0].udx, world.now, &out, 1) == 1);
  hd_udx_send_result(world.ends[0].udx, world.now, &out, 0, HDHT_ERR_TOO_LARGE);
  CHECK_UINT(1200, stats_of(&world.ends[0]).mtu);
  REQUIRE(hd_udx_next_sends(world.ends[0].udx, world.now, &out, 1) == 1);
  CHECK(out.may_fragment); /* it cannot be cut smaller */
  hd_udx_send_result(world.ends[0].udx, world.now, &out, 0, HDHT_ERR_TOO_LARGE);
  CHECK_UINT(0, hd_udx_next_sends(world.ends[0].udx, world.now, &out, 1)); /* not for ever */
  world_destroy(&world);
}

/* ---- speed ------------------------------------------------------------------------------------------------------ */

TEST(udx_transfer_is_fast_over_a_long_lossy_path) {
  udx_world world;
  world_init(&world, 6);
  set_links(&world, HD_MILLISECONDS(25), 0.01);
  CHECK(speed(&world, 100 << 20) > 60);
  world_destroy(&world);
}

TEST(udx_transfer_is_not_held_to_four_mebibytes_per_round_trip) {
  udx_world world;
  world_init(&world, 7);
  set_links(&world, HD_MILLISECONDS(10), 0);
  world.links[0].bytes_per_second = 250000000;
  world.links[0].queue_bytes_limit = 4 << 20;
  CHECK(speed(&world, 200 << 20) > 4 * 42);
  world_destroy(&world);
}

TEST(udx_transfer_fills_a_slow_path_without_flooding_its_queue) {
  udx_world world;
  world_init(&world, 8);
  set_links(&world, HD_MILLISECONDS(25), 0);
  world.links[0].bytes_per_second = 2000000;
  world.links[0].queue_bytes_limit = 200000;
  CHECK(speed(&world, 20 << 20) > 1.7);
  CHECK(world.links[0].dropped * 20 < world.links[0].packets);
  world_destroy(&world);
}

TEST(udx_transfer_follows_an_application_of_changing_speed) {
  udx_world world;
  world_init(&world, 9);
  set_links(&world, HD_MILLISECONDS(5), 0.002);
  for (int phase = 0; phase < 4; phase++) {
    for (int turn = 0; turn < 300; turn++) {
      world.ends[0].to_write += phase % 2 == 0 ? 500 : 200000;
      world_run(&world, HD_MILLISECONDS(10));
    }
  }
  CHECK(world_run_until_received(&world, 1, world.ends[0].to_write, HD_SECONDS(5)));
  world.ends[0].ends_when_done = world.ends[1].ends_when_done = true;
  CHECK(world_run_until_closed(&world, HD_SECONDS(5)));
  world_destroy(&world);
}
