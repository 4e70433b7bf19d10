/* The life of a stream: connecting, ending, destroying, and everything around one that is not data. */
#include "udx/udx_stream.h"

#include "udx_world.h"

/* A packet as anyone could send it. */
static hd_udx_received inject(udx_world *world, int to, hd_address from, hd_udx_header header, const char *payload) {
  uint8_t bytes[HD_UDX_DATAGRAM_SIZE_MAX];
  hd_udx_packet_write_header(bytes, &header);
  memcpy(bytes + HD_UDX_HEADER_SIZE, payload, strlen(payload));
  const hd_datagram datagram = {
      .socket = 1, .from = from, .bytes = hd_bytes_of(bytes, HD_UDX_HEADER_SIZE + strlen(payload))};
  const hd_udx_received received = hd_udx_receive(world->ends[to].udx, world->now, &datagram);
  world_drain(world, to);
  return received;
}

static int write_text(peer *end, const char *text) {
  const hd_bytes part = hd_bytes_of(text, strlen(text));
  return hd_udx_stream_write(end->stream, &part, 1);
}

static hd_udx_stream_stats stats_of(const peer *end) {
  hd_udx_stream_stats stats;
  hd_udx_stream_get_stats(end->stream, &stats);
  return stats;
}

TEST(udx_stream_destroy_closes_both_sides) {
  udx_world world;
  world_init(&world, 1);
  hd_udx_stream_destroy(world.ends[0].stream);
  hd_udx_stream_destroy(world.ends[0].stream); /* twice is once */
  CHECK(hd_udx_stream_is_closing(world.ends[0].stream));
  CHECK(world_run_until_closed(&world, HD_SECONDS(1)));
  CHECK_INT(HDHT_OK, world.ends[0].close_reason);
  CHECK_INT(HDHT_ERR_CONNECTION_RESET, world.ends[1].close_reason);
  CHECK_UINT(1, world.ends[0].closes);
  CHECK_UINT(0, hd_udx_streams_count(world.ends[0].udx));
  world_destroy(&world);
}

TEST(udx_stream_destroy_gives_pending_writes_back) {
  udx_world world;
  world_init(&world, 1);
  world.links[0].loss = 1;
  world.ends[0].to_write = 100000;
  world_run(&world, HD_MILLISECONDS(50));
  hd_udx_stream_destroy(world.ends[0].stream);
  const hd_bytes part = hd_bytes_of("x", 1);
  CHECK_INT(HDHT_ERR_CLOSED, hd_udx_stream_write(world.ends[0].stream, &part, 1));
  CHECK_INT(HDHT_ERR_CLOSED, hd_udx_stream_end(world.ends[0].stream));
  world_run(&world, HD_MILLISECONDS(1));
  CHECK_UINT(1, world.ends[0].closes);
  CHECK_UINT(0, world.ends[0].writes_acked);
  world_destroy(&world);
}

TEST(udx_stream_destroy_before_connect_says_nothing) {
  udx_world world;
  world_init_bare(&world, 1);
  peer *end = &world.ends[0];
  REQUIRE(hd_udx_stream_create(end->udx, 1, NULL, &world_sink, end, &end->stream) == HDHT_OK);
  hd_udx_stream_destroy(end->stream);
  world_run(&world, HD_SECONDS(20));
  CHECK_UINT(1, end->closes);
  CHECK_UINT(0, world.links[0].packets);
  world_destroy(&world);
}

TEST(udx_stream_destroy_is_repeated_until_heard) {
  udx_world world;
  world_init(&world, 1);
  hd_udx_stream_destroy(world.ends[0].stream);
  world.links[0].loss = 1;
  world_run(&world, HD_MILLISECONDS(3)); /* the first one is lost */
  world.links[0].loss = 0;
  CHECK(world_run_until_closed(&world, HD_MILLISECONDS(50)));
  CHECK_UINT(2, world.links[0].packets);
  world_run(&world, HD_MILLISECONDS(100));
  CHECK_UINT(HD_UDX_GHOST_DESTROYS, world.links[0].packets);
  CHECK_UINT(0, world.ends[1].not_mine); /* late copies find a ghost */
  world_destroy(&world);
}

TEST(udx_stream_destroyed_one_answers_those_who_did_not_hear) {
  udx_world world;
  world_init(&world, 1);
  world.links[0].loss = 1;
  hd_udx_stream_destroy(world.ends[0].stream);
  world_run(&world, HD_SECONDS(1)); /* all copies are lost */
  world.links[0].loss = 0;
  CHECK(world.ends[1].stream != NULL);
  write_text(&world.ends[1], "anyone there?");
  CHECK(world_run_until_closed(&world, HD_MILLISECONDS(100)));
  CHECK_INT(HDHT_ERR_CONNECTION_RESET, world.ends[1].close_reason);
  world_destroy(&world);
}

TEST(udx_stream_may_be_destroyed_inside_a_callback) {
  udx_world world;
  world_init(&world, 1);
  world.ends[1].destroys_on_data = true;
  world.ends[0].to_write = 5000;
  CHECK(world_run_until_closed(&world, HD_SECONDS(1)));
  CHECK_UINT(1, world.ends[1].chunks);
  CHECK_INT(HDHT_ERR_CONNECTION_RESET, world.ends[0].close_reason);
  world_destroy(&world);
}

TEST(udx_stream_refuses_commands_out_of_turn) {
  udx_world world;
  world_init_bare(&world, 1);
  peer *end = &world.ends[0];
  const hd_address remote = world.ends[1].address;
  const hd_address nowhere = {0};
  hd_address no_port = remote;
  no_port.port = 0;
  REQUIRE(hd_udx_stream_create(end->udx, 7, NULL, &world_sink, end, &end->stream) == HDHT_OK);
  hd_udx_stream *same;
  CHECK_INT(HDHT_ERR_EXISTS, hd_udx_stream_create(end->udx, 7, NULL, &world_sink, end, &same));
  CHECK_INT(HDHT_ERR_NOT_CONNECTED, write_text(end, "x"));
  CHECK_INT(HDHT_ERR_NOT_CONNECTED, hd_udx_stream_end(end->stream));
  CHECK_INT(HDHT_ERR_NOT_CONNECTED, hd_udx_stream_send_message(end->stream, hd_bytes_of("x", 1)));
  CHECK_INT(HDHT_ERR_NOT_CONNECTED, hd_udx_stream_change_remote(end->stream, 1, &remote, 1));
  CHECK_INT(HDHT_ERR_INVALID_ARGUMENT, hd_udx_stream_connect(end->stream, HD_SOCKET_NONE, &remote, 1));
  CHECK_INT(HDHT_ERR_INVALID_ARGUMENT, hd_udx_stream_connect(end->stream, 1, &nowhere, 1));
  CHECK_INT(HDHT_ERR_INVALID_ARGUMENT, hd_udx_stream_connect(end->stream, 1, &no_port, 1));
  CHECK_INT(HDHT_OK, hd_udx_stream_connect(end->stream, 1, &remote, 1));
  CHECK_INT(HDHT_ERR_ALREADY_CONNECTED, hd_udx_stream_connect(end->stream, 1, &remote, 1));
  CHECK_INT(HDHT_OK, hd_udx_stream_end(end->stream));
  CHECK_INT(HDHT_ERR_ENDED, hd_udx_stream_end(end->stream));
  CHECK_INT(HDHT_ERR_ENDED, write_text(end, "x"));
  CHECK_INT(HDHT_ERR_INVALID_ARGUMENT, hd_udx_stream_relay_to(end->stream, end->stream));
  world_destroy(&world);
}

TEST(udx_stream_limit_counts_living_streams) {
  const hd_udx_options options = {.seed = {1, 1}, .streams_limit = 2};
  hd_udx *udx;
  hd_udx_stream *streams[3];
  REQUIRE(hd_udx_create(&options, &udx) == HDHT_OK);
  static const hd_udx_sink nobody;
  CHECK_INT(HDHT_OK, hd_udx_stream_create(udx, 0, NULL, &nobody, NULL, &streams[0]));
  CHECK_INT(HDHT_OK, hd_udx_stream_create(udx, UINT32_MAX, NULL, &nobody, NULL, &streams[1]));
  CHECK_INT(HDHT_ERR_LIMIT, hd_udx_stream_create(udx, 5, NULL, &nobody, NULL, &streams[2]));
  hd_udx_stream_destroy(streams[0]);
  hd_udx_settle(udx, (hd_time){1});
  CHECK_INT(HDHT_OK, hd_udx_stream_create(udx, 5, NULL, &nobody, NULL, &streams[2]));
  hd_udx_destroy(udx);
}

/* ---- before connecting ------------------------------------------------------------------------------------------ */

static bool connect_to_first(void *context, hd_udx_stream *stream, hd_socket_id socket, const hd_address *from) {
  peer *end = context;
  end->firewalls++;
  return hd_udx_stream_connect(stream, socket, from, 1) == HDHT_OK;
}

TEST(udx_stream_may_connect_to_the_source_of_its_first_packet) {
  hd_udx_sink sink = world_sink;
  sink.on_firewall = connect_to_first;
  udx_world world;
  world_init_bare(&world, 1);
  REQUIRE(hd_udx_stream_create(world.ends[0].udx, 1, NULL, &world_sink, &world.ends[0], &world.ends[0].stream) ==
          HDHT_OK);
  REQUIRE(hd_udx_stream_create(world.ends[1].udx, 2, NULL, &sink, &world.ends[1], &world.ends[1].stream) == HDHT_OK);
  REQUIRE(hd_udx_stream_connect(world.ends[0].stream, 1, &world.ends[1].address, 2) == HDHT_OK);
  world.ends[0].to_write = 5;
  world_run(&world, HD_MILLISECONDS(25));
  CHECK_UINT(5, world.ends[1].received);
  CHECK_UINT(1, world.ends[1].firewalls); /* not asked again for the socket it is connected on */
  CHECK_UINT(1, world.ends[0].writes_acked);
  world_destroy(&world);
}

TEST(udx_stream_takes_data_before_connecting_and_acknowledges_it_then) {
  udx_world world;
  world_init_bare(&world, 1);
  for (int i = 0; i < 2; i++) {
    peer *end = &world.ends[i];
    REQUIRE(hd_udx_stream_create(end->udx, (uint32_t)(1 + i), NULL, &world_sink, end, &end->stream) == HDHT_OK);
  }
  REQUIRE(hd_udx_stream_connect(world.ends[0].stream, 1, &world.ends[1].address, 2) == HDHT_OK);
  world.ends[0].to_write = 5;
  world_run(&world, HD_MILLISECONDS(300));
  CHECK_UINT(5, world.ends[1].received);
  CHECK_UINT(0, world.links[1].packets);
  REQUIRE(hd_udx_stream_connect(world.ends[1].stream, 1, &world.ends[0].address, 1) == HDHT_OK);
  world_run(&world, HD_MILLISECONDS(20));
  CHECK_UINT(1, world.links[1].packets);
  CHECK_UINT(1, world.ends[0].writes_acked);
  world_destroy(&world);
}

TEST(udx_stream_rejects_strangers_without_a_firewall_callback) {
  hd_udx_sink sink = world_sink;
  sink.on_firewall = NULL;
  udx_world world;
  world_init_bare(&world, 1);
  REQUIRE(hd_udx_stream_create(world.ends[1].udx, 2, NULL, &sink, &world.ends[1], &world.ends[1].stream) == HDHT_OK);
  const hd_udx_header header = {.flags = HD_UDX_FLAG_DATA, .stream_id = 2};
  CHECK_INT(HD_UDX_CONSUMED, inject(&world, 1, world.ends[0].address, header, "x"));
  CHECK_UINT(0, world.ends[1].received);
  CHECK_UINT(1, stats_of(&world.ends[1]).dropped_firewall);
  world_destroy(&world);
}

TEST(udx_stream_leaves_other_datagrams_to_others) {
  udx_world world;
  world_init(&world, 1);
  const hd_udx_header stranger = {.flags = HD_UDX_FLAG_DATA, .stream_id = 99};
  CHECK_INT(HD_UDX_NOT_MINE, inject(&world, 1, world.ends[0].address, stranger, "x"));
  const hd_datagram probe = {.socket = 1, .from = world.ends[0].address, .bytes = hd_bytes_of("\0", 1)};
  CHECK_INT(HD_UDX_NOT_MINE, hd_udx_receive(world.ends[1].udx, world.now, &probe));
  const hd_datagram empty = {.socket = 1, .from = world.ends[0].address};
  CHECK_INT(HD_UDX_NOT_MINE, hd_udx_receive(world.ends[1].udx, world.now, &empty));
  world_destroy(&world);
}

/* ---- ending ----------------------------------------------------------------------------------------------------- */

TEST(udx_stream_ends_at_once_without_data) {
  udx_world world;
  world_init(&world, 1);
  for (int i = 0; i < 2; i++) hd_udx_stream_end(world.ends[i].stream);
  CHECK(world_run_until_closed(&world, HD_MILLISECONDS(30)));
  for (int i = 0; i < 2; i++) {
    CHECK_UINT(1, world.ends[i].ends);
    CHECK_INT(HDHT_OK, world.ends[i].close_reason);
  }
  world_destroy(&world);
}

TEST(udx_stream_half_closed_still_carries_the_other_way) {
  udx_world world;
  world_init(&world, 1);
  hd_udx_stream_end(world.ends[1].stream);
  world_run(&world, HD_MILLISECONDS(100));
  CHECK_UINT(1, world.ends[0].ends);
  CHECK_UINT(0, world.ends[0].closes);
  world.ends[0].to_write = 100000;
  world.ends[0].ends_when_done = true;
  CHECK(world_run_until_closed(&world, HD_SECONDS(5)));
  CHECK_UINT(100000, world.ends[1].received);
  CHECK_INT(HDHT_OK, world.ends[0].close_reason);
  CHECK_INT(HDHT_OK, world.ends[1].close_reason);
  world_destroy(&world);
}

TEST(udx_stream_end_rides_on_the_last_data) {
  udx_world world;
  world_init(&world, 1);
  write_text(&world.ends[0], "last words");
  hd_udx_stream_end(world.ends[0].stream);
  world_run(&world, HD_MILLISECONDS(15));
  CHECK_UINT(1, world.links[0].packets);
  CHECK_UINT(1, world.ends[1].ends);
  world_destroy(&world);
}

static bool drop_acks_of_first(udx_world *world, int from, const uint8_t *bytes, uint32_t size) {
  (void)size;
  uint32_t *left = world->drops_context;
  return from == 0 && bytes[2] == 0 && *left > 0 && (*left)-- > 0;
}

/* The reference's peer would time out after 13 seconds. */
TEST(udx_stream_whose_last_acknowledgement_was_lost_is_answered_after_it_closed) {
  udx_world world;
  world_init(&world, 1);
  hd_udx_stream_end(world.ends[0].stream);
  world_run(&world, HD_MILLISECONDS(100));
  uint32_t left = 2;
  world.drops = drop_acks_of_first;
  world.drops_context = &left;
  hd_udx_stream_end(world.ends[1].stream);
  CHECK(world_run_until_closed(&world, HD_SECONDS(5)));
  CHECK_UINT(0, left);
  CHECK_INT(HDHT_OK, world.ends[0].close_reason);
  CHECK_INT(HDHT_OK, world.ends[1].close_reason);
  hd_udx_stats stats;
  hd_udx_get_stats(world.ends[0].udx, &stats);
  CHECK(stats.ghost_answers >= 1);
  world_destroy(&world);
}

TEST(udx_stream_ghosts_go_after_their_time_or_when_the_id_is_wanted) {
  udx_world world;
  world_init(&world, 1);
  for (int i = 0; i < 2; i++) hd_udx_stream_end(world.ends[i].stream);
  REQUIRE(world_run_until_closed(&world, HD_SECONDS(1)));
  CHECK(!hd_time_is_never(hd_udx_deadline(world.ends[0].udx)));
  world_run(&world, HD_SECONDS(16));
  CHECK(hd_time_is_never(hd_udx_deadline(world.ends[0].udx)));
  const hd_udx_header late = {.flags = HD_UDX_FLAG_END, .stream_id = 1};
  CHECK_INT(HD_UDX_NOT_MINE, inject(&world, 0, world.ends[1].address, late, ""));

  peer *end = &world.ends[0];
  REQUIRE(hd_udx_stream_create(end->udx, 1, NULL, &world_sink, end, &end->stream) == HDHT_OK);
  REQUIRE(hd_udx_stream_connect(end->stream, 1, &world.ends[1].address, 9) == HDHT_OK);
  hd_udx_stream_destroy(end->stream);
  world_run(&world, HD_MILLISECONDS(1));
  REQUIRE(hd_udx_stream_create(end->udx, 1, NULL, &world_sink, end, &end->stream) == HDHT_OK); /* over its ghost */
  world_destroy(&world);
}

TEST(udx_stream_end_waits_for_a_paused_reader) {
  udx_world world;
  world_init(&world, 1);
  hd_udx_stream_pause(world.ends[1].stream);
  hd_udx_stream_end(world.ends[1].stream);
  world.ends[0].to_write = 3000;
  world.ends[0].ends_when_done = true;
  world_run(&world, HD_SECONDS(1));
  CHECK_UINT(0, world.ends[1].received);
  CHECK_UINT(0, world.ends[1].ends);
  CHECK_UINT(1, world.ends[0].closes); /* that side is done: everything was accepted */
  REQUIRE(world.ends[1].stream != NULL);
  hd_udx_stream_resume(world.ends[1].stream);
  CHECK(world_run_until_closed(&world, HD_SECONDS(1)));
  CHECK_UINT(3000, world.ends[1].received);
  CHECK_UINT(1, world.ends[1].ends);
  world_destroy(&world);
}

/* ---- messages --------------------------------------------------------------------------------------------------- */

TEST(udx_stream_sends_messages) {
  udx_world world;
  world_init(&world, 1);
  CHECK_UINT(1152, hd_udx_stream_message_size_max(world.ends[0].stream));
  CHECK_INT(HDHT_OK, hd_udx_stream_send_message(world.ends[0].stream, hd_bytes_of("unordered", 9)));
  CHECK_INT(HDHT_OK, hd_udx_stream_send_message(world.ends[0].stream, (hd_bytes){0}));
  CHECK_INT(HDHT_OK, hd_udx_stream_send_message(world.ends[0].stream, hd_bytes_of(world_pattern(), 1152)));
  CHECK_INT(HDHT_ERR_TOO_LARGE, hd_udx_stream_send_message(world.ends[0].stream, hd_bytes_of(world_pattern(), 1153)));
  world_run(&world, HD_MILLISECONDS(50));
  CHECK_UINT(3, world.ends[1].messages);
  CHECK_UINT(9 + 1152, world.ends[1].message_bytes);
  CHECK_UINT(0, world.links[1].packets); /* nobody acknowledges them */
  world_destroy(&world);
}

TEST(udx_stream_bounds_waiting_messages) {
  udx_world world;
  world_init(&world, 1);
  for (int i = 0; i < HD_UDX_MESSAGES_LIMIT; i++) {
    CHECK_INT(HDHT_OK, hd_udx_stream_send_message(world.ends[0].stream, hd_bytes_of("x", 1)));
  }
  CHECK_INT(HDHT_ERR_WOULD_BLOCK, hd_udx_stream_send_message(world.ends[0].stream, hd_bytes_of("x", 1)));
  world_run(&world, HD_MILLISECONDS(50));
  CHECK_UINT(HD_UDX_MESSAGES_LIMIT, world.ends[1].messages);
  world_destroy(&world);
}

/* ---- heartbeats ------------------------------------------------------------------------------------------------- */

TEST(udx_stream_keepalive_is_answered) {
  udx_world world;
  world_init(&world, 1);
  for (int i = 0; i < 2; i++) {
    hd_udx_stream_set_keepalive(world.ends[i].stream, HD_MILLISECONDS(10), 0);
    world.links[i].delay = HD_MICROSECONDS(100);
  }
  world_run(&world, HD_MILLISECONDS(500));
  CHECK(world.links[0].packets > 10);
  CHECK(world.links[1].packets > 10);
  for (int i = 0; i < 2; i++) hd_udx_stream_end(world.ends[i].stream);
  CHECK(world_run_until_closed(&world, HD_SECONDS(1)));
  world_destroy(&world);
}

TEST(udx_stream_keepalive_notices_a_dead_peer_only_if_asked) {
  for (uint32_t misses_limit = 0; misses_limit <= 3; misses_limit += 3) {
    udx_world world;
    world_init(&world, 1);
    world.links[0].loss = 1;
    hd_udx_stream_set_keepalive(world.ends[0].stream, HD_MILLISECONDS(100), misses_limit);
    world_run(&world, HD_MILLISECONDS(450));
    CHECK_UINT(misses_limit > 0, world.ends[0].closes);
    if (misses_limit > 0) CHECK_INT(HDHT_ERR_TIMED_OUT, world.ends[0].close_reason);
    world_destroy(&world);
  }
}

TEST(udx_stream_answers_a_flood_of_heartbeats_sparingly) {
  udx_world world;
  world_init(&world, 1);
  const hd_udx_header header = {.flags = HD_UDX_FLAG_HEARTBEAT, .stream_id = 2};
  for (int i = 0; i < 1000; i++) {
    world.now.us += 10;
    inject(&world, 1, hd_address_ipv4(9, 9, 9, 9, 9), header, "");
  }
  CHECK_UINT(10, world.links[1].packets); /* ten milliseconds of them, and only to the true remote */
  world_destroy(&world);
}

/* ---- forged packets --------------------------------------------------------------------------------------------- */

TEST(udx_stream_believes_a_destroy_only_from_its_peer_with_numbers_that_fit) {
  udx_world world;
  world_init(&world, 1);
  write_text(&world.ends[0], "hello");
  world_run(&world, HD_MILLISECONDS(50));
  const hd_address peer_address = world.ends[0].address;
  const hd_address stranger = hd_address_ipv4(9, 9, 9, 9, 9);
  hd_udx_header header = {.flags = HD_UDX_FLAG_DESTROY, .stream_id = 2, .seq = 1};
  inject(&world, 1, stranger, header, "");
  header.seq = 0;
  inject(&world, 1, peer_address, header, ""); /* before what was received */
  header.seq = 1 + HD_UDX_SPAN_LIMIT;
  inject(&world, 1, peer_address, header, "");
  header.seq = 1;
  header.ack = 1;
  inject(&world, 1, peer_address, header, ""); /* acknowledges what was never sent */
  CHECK_UINT(0, world.ends[1].closes);
  CHECK_UINT(3, stats_of(&world.ends[1]).dropped_destroy);
  CHECK_UINT(1, stats_of(&world.ends[1]).dropped_far_future);
  header.ack = 0;
  header.seq = HD_UDX_SPAN_LIMIT;
  inject(&world, 1, peer_address, header, "");
  CHECK_UINT(1, world.ends[1].closes);
  world_destroy(&world);
}

TEST(udx_stream_asks_the_peer_when_someone_else_says_it_is_gone) {
  for (int is_gone = 0; is_gone < 2; is_gone++) {
    udx_world world;
    world_init(&world, 1);
    const hd_udx_header header = {.flags = HD_UDX_FLAG_DESTROY, .stream_id = 2};
    if (is_gone) world.links[1].loss = 1;
    inject(&world, 1, hd_address_ipv4(9, 9, 9, 9, 9), header, "");
    world_run(&world, HD_SECONDS(10));
    CHECK_UINT(is_gone, world.ends[1].closes);
    CHECK_UINT(is_gone ? 3 : 1, world.links[1].packets); /* heartbeats */
    if (is_gone) CHECK_INT(HDHT_ERR_CONNECTION_RESET, world.ends[1].close_reason);
    world_destroy(&world);
  }
}

TEST(udx_stream_keeps_no_memory_for_numbers_of_the_far_future) {
  udx_world world;
  world_init(&world, 1);
  hd_udx_header header = {.flags = HD_UDX_FLAG_DATA, .stream_id = 2, .seq = HD_UDX_SPAN_LIMIT};
  const size_t before = world.allocators[1].live_bytes;
  inject(&world, 1, world.ends[0].address, header, "x");
  header.seq = 0x7fffffff;
  inject(&world, 1, world.ends[0].address, header, "x");
  CHECK_UINT(before, world.allocators[1].live_bytes);
  CHECK_UINT(2, stats_of(&world.ends[1]).dropped_far_future);
  CHECK_UINT(0, world.links[1].packets);
  header.seq = HD_UDX_SPAN_LIMIT - 1; /* the last that may be */
  inject(&world, 1, world.ends[0].address, header, "x");
  CHECK(world.allocators[1].live_bytes < before + 600000); /* the slots of a whole span, and one block */
  world_destroy(&world);
}

TEST(udx_stream_bounds_what_it_holds_out_of_order) {
  udx_world world;
  const hd_udx_stream_options options = {.window = 65536, .window_max = 65536};
  world_init_with(&world, 1, &options);
  hd_udx_header header = {.flags = HD_UDX_FLAG_DATA, .stream_id = 2};
  for (uint32_t i = 1; i < 1000; i++) {
    header.seq = i;
    inject(&world, 1, world.ends[0].address, header, "x");
  }
  hd_udx_stats stats;
  hd_udx_get_stats(world.ends[1].udx, &stats);
  CHECK(stats.buffered_bytes <= 4 * 65536 + 16 * HD_UDX_BLOCK_SIZE + 1024 * sizeof(void *));
  CHECK(stats_of(&world.ends[1]).dropped_no_room > 800);
  world_destroy(&world);
}

TEST(udx_stream_ignores_acknowledgements_of_what_it_never_sent) {
  udx_world world;
  world_init(&world, 1);
  world.links[0].loss = 1;
  write_text(&world.ends[0], "hello");
  world_run(&world, HD_MILLISECONDS(1));
  const hd_udx_header header = {.stream_id = 1, .window = 0, .seq = 0, .ack = 2};
  inject(&world, 0, world.ends[1].address, header, "");
  CHECK_UINT(1, stats_of(&world.ends[0]).bad_acks);
  CHECK_UINT(0, world.ends[0].writes_acked);
  CHECK_UINT(0x400000, stats_of(&world.ends[0]).send_window); /* nothing of such a packet is believed */
  world_destroy(&world);
}

TEST(udx_stream_does_not_freeze_when_a_forged_number_runs_ahead) {
  udx_world world;
  world_init(&world, 1);
  const hd_udx_header header = {.stream_id = 1, .window = 5, .seq = 0x40000000, .ack = 0};
  inject(&world, 0, world.ends[1].address, header, "");
  CHECK_UINT(0x400000, stats_of(&world.ends[0]).send_window);
  world_destroy(&world);
}

TEST(udx_stream_drops_datagrams_that_were_cut) {
  udx_world world;
  world_init(&world, 1);
  uint8_t bytes[2049] = {0};
  hd_udx_packet_write_header(bytes, &(hd_udx_header){.flags = HD_UDX_FLAG_DATA, .stream_id = 2});
  hd_datagram datagram = {.socket = 1, .from = world.ends[0].address, .bytes = hd_bytes_of(bytes, 2049)};
  hd_udx_receive(world.ends[1].udx, world.now, &datagram);
  datagram.bytes.size = 100;
  datagram.is_truncated = true;
  hd_udx_receive(world.ends[1].udx, world.now, &datagram);
  CHECK_UINT(2, stats_of(&world.ends[1]).dropped_malformed);
  CHECK_UINT(0, world.ends[1].received);
  world_destroy(&world);
}
