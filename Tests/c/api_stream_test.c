/* Loops, endpoints, sockets and streams through the public API, over real loopback sockets. Time-outs here only end a
 * test that hangs. */
#include <hdht/hdht.h>
#include <pthread.h>
#include <string.h>
#include <uv.h>

#include "test.h"

#define WAIT_MS       30000
#define RECEIVED_SIZE 65536

/* ---- two sides ------------------------------------------------------------------------------------------------- */

typedef struct test_side {
  hdht_udx *udx;
  hdht_socket *socket;
  hdht_stream *stream;
  hdht_address address; /* of the socket */
  uint32_t id;          /* of the stream, and the other side's */
  uint32_t other_id;

  bool lets_in;     /* what on_firewall says ... */
  bool connects_in; /* ... after connecting to where the packet came from */
  bool destroys_in; /* or destroying the stream */
  char destroys_on; /* destroys the stream in the callback of this letter */

  uint8_t received[RECEIVED_SIZE]; /* the first bytes of the stream */
  uint64_t received_count;
  uint64_t received_sum;
  uint8_t message[2048];
  size_t message_size;
  unsigned messages, datagrams, ends, drains, remote_changes, closes, socket_closes, udx_closes, firewalls;
  uint64_t written;
  int reason;
  uint8_t datagram[2048];
  size_t datagram_size;
  hdht_address datagram_from;
} test_side;

typedef struct test_world {
  hdht_loop *loop;
  unsigned loop_closes;
  uv_timer_t watchdog;
  bool timed_out;
  test_side a, b;
} test_world;

static void destroy_on(test_side *side, char letter) {
  if (side->destroys_on == letter) hdht_stream_destroy(side->stream);
}

static int on_firewall(void *user_data, hdht_socket *socket, const hdht_address *from) {
  test_side *side = user_data;
  side->firewalls++;
  if (side->connects_in) CHECK_INT(HDHT_OK, hdht_stream_connect(side->stream, socket, from, side->other_id));
  if (side->destroys_in) hdht_stream_destroy(side->stream);
  return side->lets_in ? 1 : 0;
}

static void on_data(void *user_data, hdht_bytes bytes) {
  test_side *side = user_data;
  for (size_t i = 0; i < bytes.size; i++) {
    if (side->received_count < RECEIVED_SIZE) side->received[side->received_count] = bytes.data[i];
    side->received_sum += bytes.data[i] * (side->received_count % 251 + 1);
    side->received_count++;
  }
  destroy_on(side, 'd');
}

static void on_message(void *user_data, hdht_bytes bytes) {
  test_side *side = user_data;
  side->messages++;
  side->message_size = bytes.size;
  if (bytes.size > 0) memcpy(side->message, bytes.data, bytes.size);
  destroy_on(side, 'm');
}

static void on_end(void *user_data) {
  test_side *side = user_data;
  side->ends++;
  destroy_on(side, 'e');
}

static void on_written(void *user_data, uint64_t writes_count) {
  test_side *side = user_data;
  CHECK(writes_count > side->written);
  side->written = writes_count;
  destroy_on(side, 'w');
}

static void on_drain(void *user_data) {
  test_side *side = user_data;
  side->drains++;
  destroy_on(side, 'r');
}

static void on_remote_changed(void *user_data) {
  test_side *side = user_data;
  side->remote_changes++;
  destroy_on(side, 'c');
}

static void on_closed(void *user_data, int reason) {
  test_side *side = user_data;
  side->closes++;
  side->reason = reason;
  side->stream = NULL;
}

static const hdht_stream_callbacks stream_callbacks = {
    .struct_size = sizeof stream_callbacks,
    .on_firewall = on_firewall,
    .on_data = on_data,
    .on_message = on_message,
    .on_end = on_end,
    .on_written = on_written,
    .on_drain = on_drain,
    .on_remote_changed = on_remote_changed,
    .on_closed = on_closed,
};

static void on_datagram(void *user_data, const hdht_address *from, hdht_bytes bytes) {
  test_side *side = user_data;
  side->datagrams++;
  side->datagram_size = bytes.size;
  side->datagram_from = *from;
  if (bytes.size > 0) memcpy(side->datagram, bytes.data, bytes.size);
}

static void on_socket_closed(void *user_data) {
  ((test_side *)user_data)->socket_closes++;
}

static const hdht_socket_callbacks socket_callbacks = {
    .struct_size = sizeof socket_callbacks, .on_datagram = on_datagram, .on_closed = on_socket_closed};

static void on_udx_closed(void *user_data) {
  ((test_side *)user_data)->udx_closes++;
}

static const hdht_udx_callbacks udx_callbacks = {.struct_size = sizeof udx_callbacks, .on_closed = on_udx_closed};

static void on_watchdog(uv_timer_t *timer) {
  ((test_world *)timer->data)->timed_out = true;
}

static void on_loop_closed(void *user_data) {
  ((test_world *)user_data)->loop_closes++;
}

static int create_stream(test_side *side, const hdht_stream_options *options) {
  return hdht_stream_create(side->udx, side->id, options, &stream_callbacks, side, &side->stream);
}

static int create_socket(test_side *side, const hdht_address *address, hdht_socket **socket) {
  hdht_socket_options options;
  hdht_socket_options_init(&options, sizeof options);
  options.address = *address;
  return hdht_socket_create(side->udx, &options, &socket_callbacks, side, socket);
}

static void side_open(test_world *world, test_side *side, uint32_t id, uint32_t other_id, const hdht_address *address) {
  side->id = id;
  side->other_id = other_id;
  side->lets_in = true;
  CHECK_INT(HDHT_OK, hdht_udx_create(world->loop, NULL, &udx_callbacks, side, &side->udx));
  CHECK_INT(HDHT_OK, create_socket(side, address, &side->socket));
  CHECK_INT(HDHT_OK, hdht_socket_get_address(side->socket, &side->address));
  CHECK_INT(HDHT_OK, create_stream(side, NULL));
}

static hdht_address loopback(void) {
  return (hdht_address){.ip = {127, 0, 0, 1}, .family = HDHT_FAMILY_IPV4};
}

static void open_loop(test_world *world) {
  const hdht_loop_callbacks callbacks = {.struct_size = sizeof callbacks, .on_closed = on_loop_closed};
  CHECK_INT(HDHT_OK, hdht_loop_create(NULL, &callbacks, world, &world->loop));
  uv_timer_init(hdht_loop_uv_loop(world->loop), &world->watchdog);
  world->watchdog.data = world;
  uv_timer_start(&world->watchdog, on_watchdog, WAIT_MS, 0);
}

static test_world *open_world(void) {
  static test_world opened;
  memset(&opened, 0, sizeof opened);
  open_loop(&opened);
  const hdht_address address = loopback();
  side_open(&opened, &opened.a, 1, 2, &address);
  side_open(&opened, &opened.b, 2, 1, &address);
  return &opened;
}

static void connect_sides(test_world *world) {
  test_side *a = &world->a, *b = &world->b;
  CHECK_INT(HDHT_OK, hdht_stream_connect(a->stream, a->socket, &b->address, b->id));
  CHECK_INT(HDHT_OK, hdht_stream_connect(b->stream, b->socket, &a->address, a->id));
}

static test_world *open_connected(void) {
  test_world *opened = open_world();
  connect_sides(opened);
  return opened;
}

/* Runs the loop until `condition` holds or the watchdog bites. */
#define RUN_UNTIL(world, condition) \
  while (!(condition) && !(world)->timed_out) hdht_loop_run((world)->loop, HDHT_LOOP_RUN_ONCE)

/* Lets everything happen that happens without waiting; what would not have happened by then is taken not to happen. */
static void run_a_while(test_world *world) {
  for (int i = 0; i < 20; i++) hdht_loop_run(world->loop, HDHT_LOOP_RUN_NOWAIT);
}

static void close_side(test_side *side) {
  if (side->udx != NULL) hdht_udx_close(side->udx);
}

static void close_world(test_world *world) {
  close_side(&world->a);
  close_side(&world->b);
  uv_close((uv_handle_t *)&world->watchdog, NULL);
  hdht_loop_close(world->loop);
  CHECK_INT(HDHT_OK, hdht_loop_run(world->loop, HDHT_LOOP_RUN_DEFAULT));
  CHECK(!world->timed_out);
  CHECK_UINT(1, world->loop_closes);
  CHECK_UINT(world->a.udx != NULL ? 1 : 0, world->a.udx_closes);
  CHECK_UINT(world->b.udx != NULL ? 1 : 0, world->b.udx_closes);
  CHECK(world->a.stream == NULL);
  CHECK(world->b.stream == NULL);
}

static hdht_bytes text(const char *string) {
  return (hdht_bytes){.data = (const uint8_t *)string, .size = strlen(string)};
}

static int write_text(test_side *side, const char *string) {
  const hdht_bytes part = text(string);
  return hdht_stream_write(side->stream, &part, 1, NULL);
}

static int copy_text(test_side *side, const char *string) {
  const hdht_bytes part = text(string);
  return hdht_stream_write_copy(side->stream, &part, 1, NULL);
}

static hdht_stream_stats stats_of(const test_side *side) {
  hdht_stream_stats stats;
  hdht_stream_get_stats(side->stream, &stats, sizeof stats);
  return stats;
}

/* ---- loops ----------------------------------------------------------------------------------------------------- */

typedef struct wake_record {
  hdht_loop *loop;
  unsigned wakes, closes;
  int nested_result;
} wake_record;

static void on_wake(void *user_data) {
  wake_record *record = user_data;
  record->wakes++;
  record->nested_result = hdht_loop_run(record->loop, HDHT_LOOP_RUN_NOWAIT);
  hdht_loop_stop(record->loop);
}

static void on_woken_closed(void *user_data) {
  ((wake_record *)user_data)->closes++;
}

static const hdht_loop_callbacks wake_callbacks = {
    .struct_size = sizeof wake_callbacks, .on_wake = on_wake, .on_closed = on_woken_closed};

static void *wake_from_thread(void *loop) {
  hdht_loop_wake(loop);
  return NULL;
}

TEST(api_loop_is_woken_from_another_thread) {
  wake_record record = {0};
  REQUIRE(hdht_loop_create(NULL, &wake_callbacks, &record, &record.loop) == HDHT_OK);
  pthread_t thread;
  REQUIRE(pthread_create(&thread, NULL, wake_from_thread, record.loop) == 0);
  CHECK_INT(HDHT_OK, hdht_loop_run(record.loop, HDHT_LOOP_RUN_DEFAULT)); /* until on_wake stops it */
  pthread_join(thread, NULL);
  CHECK_UINT(1, record.wakes);
  CHECK_INT(HDHT_ERR_INVALID_STATE, record.nested_result);

  hdht_loop_close(record.loop);
  hdht_loop_close(record.loop); /* changes nothing */
  CHECK_UINT(0, record.closes);
  CHECK_INT(HDHT_OK, hdht_loop_run(record.loop, HDHT_LOOP_RUN_DEFAULT));
  CHECK_UINT(1, record.closes);
}

TEST(api_loop_run_returns_when_nothing_can_happen) {
  hdht_loop *loop;
  REQUIRE(hdht_loop_create(NULL, NULL, NULL, &loop) == HDHT_OK);
  CHECK_INT(HDHT_OK, hdht_loop_run(loop, HDHT_LOOP_RUN_DEFAULT));
  CHECK_INT(HDHT_OK, hdht_loop_run(loop, HDHT_LOOP_RUN_NOWAIT));
  CHECK_INT(HDHT_ERR_INVALID_ARGUMENT, hdht_loop_run(loop, 3));
  CHECK_INT(HDHT_ERR_INVALID_ARGUMENT, hdht_loop_run(NULL, HDHT_LOOP_RUN_ONCE));
  hdht_loop_close(loop);
  CHECK_INT(HDHT_OK, hdht_loop_run(loop, HDHT_LOOP_RUN_DEFAULT));
}

static void on_host_timer(uv_timer_t *timer) {
  (void)timer;
}

TEST(api_loop_of_the_host_is_run_by_the_host) {
  uv_loop_t host;
  uv_loop_init(&host);
  wake_record record = {0};
  hdht_loop_options options;
  hdht_loop_options_init(&options, sizeof options);
  options.uv_loop = &host;
  REQUIRE(hdht_loop_create(&options, &wake_callbacks, &record, &record.loop) == HDHT_OK);
  CHECK(hdht_loop_uv_loop(record.loop) == &host);
  CHECK_INT(HDHT_ERR_INVALID_STATE, hdht_loop_run(record.loop, HDHT_LOOP_RUN_ONCE));
  CHECK_INT(0, uv_run(&host, UV_RUN_DEFAULT)); /* not kept alive by us */
  uv_timer_t of_host;
  uv_timer_init(&host, &of_host);
  uv_timer_start(&of_host, on_host_timer, WAIT_MS, 0);
  hdht_loop_wake(record.loop);
  uv_run(&host, UV_RUN_ONCE);
  CHECK_UINT(1, record.wakes);
  uv_close((uv_handle_t *)&of_host, NULL);
  hdht_loop_close(record.loop);
  uv_run(&host, UV_RUN_DEFAULT);
  CHECK_UINT(1, record.closes);
  CHECK_INT(0, uv_loop_close(&host));
}

TEST(api_loop_outlives_what_was_made_on_it) {
  wake_record record = {0};
  REQUIRE(hdht_loop_create(NULL, &wake_callbacks, &record, &record.loop) == HDHT_OK);
  hdht_udx *udx, *refused = NULL;
  REQUIRE(hdht_udx_create(record.loop, NULL, NULL, NULL, &udx) == HDHT_OK);
  hdht_loop_close(record.loop);
  CHECK_INT(HDHT_ERR_CLOSED, hdht_udx_create(record.loop, NULL, NULL, NULL, &refused));
  hdht_loop_run(record.loop, HDHT_LOOP_RUN_NOWAIT);
  CHECK_UINT(0, record.closes);
  hdht_udx_close(udx);
  hdht_loop_run(record.loop, HDHT_LOOP_RUN_DEFAULT);
  CHECK_UINT(1, record.closes);
}

/* ---- the life of streams --------------------------------------------------------------------------------------- */

TEST(api_stream_carries_bytes_both_ways_and_closes_when_both_have_ended) {
  test_world *world = open_connected();
  CHECK_INT(HDHT_OK, write_text(&world->a, "hello"));
  CHECK_INT(HDHT_OK, hdht_stream_end(world->a.stream));
  RUN_UNTIL(world, world->b.ends == 1);
  CHECK_UINT(5, world->b.received_count);
  CHECK_BYTES("hello", world->b.received, 5);
  CHECK_UINT(0, world->a.closes);

  CHECK_INT(HDHT_OK, write_text(&world->b, "half-open"));
  CHECK_INT(HDHT_OK, hdht_stream_end(world->b.stream));
  RUN_UNTIL(world, world->a.closes + world->b.closes == 2);
  CHECK_BYTES("half-open", world->a.received, 9);
  CHECK_INT(HDHT_OK, world->a.reason);
  CHECK_INT(HDHT_OK, world->b.reason);
  CHECK_UINT(1, world->a.ends);
  CHECK_UINT(1, world->a.written);
  close_world(world);
  CHECK_UINT(1, world->a.closes);
  CHECK_UINT(1, world->a.socket_closes);
}

TEST(api_stream_can_be_connected_by_its_firewall) {
  test_world *world = open_world();
  world->b.connects_in = true;
  CHECK_INT(HDHT_OK, hdht_stream_connect(world->a.stream, world->a.socket, &world->b.address, world->b.id));
  CHECK_INT(HDHT_OK, write_text(&world->a, "x"));
  RUN_UNTIL(world, world->a.written == 1);
  hdht_address remote;
  CHECK_INT(HDHT_OK, hdht_stream_get_remote(world->b.stream, &remote));
  CHECK_BYTES(&world->a.address, &remote, sizeof remote);
  CHECK_UINT(1, hdht_stream_remote_id(world->b.stream));
  CHECK_UINT(2, hdht_stream_local_id(world->b.stream));
  CHECK_UINT(1, hdht_socket_streams_count(world->b.socket));
  close_world(world);
}

TEST(api_stream_drops_what_its_firewall_refuses) {
  test_world *world = open_world();
  world->b.lets_in = false;
  CHECK_INT(HDHT_OK, hdht_stream_connect(world->a.stream, world->a.socket, &world->b.address, world->b.id));
  CHECK_INT(HDHT_OK, write_text(&world->a, "x"));
  RUN_UNTIL(world, world->b.firewalls >= 1);
  run_a_while(world);
  CHECK_UINT(0, world->b.received_count);
  CHECK_UINT(0, world->a.written);
  CHECK(stats_of(&world->b).dropped_firewall >= 1);
  CHECK_UINT(0, world->b.datagrams); /* nor is it a datagram for the socket */
  close_world(world);
}

TEST(api_stream_says_what_it_cannot_do) {
  test_world *world = open_world();
  test_side *a = &world->a;
  const hdht_bytes part = text("x"), broken = {.data = NULL, .size = 1};
  hdht_address nowhere = world->b.address;
  nowhere.port = 0;
  hdht_stream *other = NULL;
  hdht_address remote;
  CHECK_INT(HDHT_ERR_EXISTS, hdht_stream_create(a->udx, a->id, NULL, &stream_callbacks, a, &other));
  CHECK_INT(HDHT_ERR_INVALID_ARGUMENT, hdht_stream_create(a->udx, 9, NULL, NULL, a, &other));
  CHECK(other == NULL);
  CHECK_INT(HDHT_ERR_NOT_CONNECTED, hdht_stream_write(a->stream, &part, 1, NULL));
  CHECK_INT(HDHT_ERR_NOT_CONNECTED, hdht_stream_write_copy(a->stream, &part, 1, NULL));
  CHECK_INT(HDHT_ERR_NOT_CONNECTED, hdht_stream_end(a->stream));
  CHECK_INT(HDHT_ERR_NOT_CONNECTED, hdht_stream_send_message(a->stream, part));
  CHECK_INT(HDHT_ERR_NOT_CONNECTED, hdht_stream_get_remote(a->stream, &remote));
  CHECK_INT(HDHT_ERR_NOT_CONNECTED, hdht_stream_change_remote(a->stream, a->socket, &world->b.address, 5));
  CHECK_INT(HDHT_ERR_INVALID_ARGUMENT, hdht_stream_connect(a->stream, a->socket, &nowhere, 2));
  CHECK_INT(HDHT_ERR_INVALID_ARGUMENT, hdht_stream_connect(a->stream, world->b.socket, &world->b.address, 2));
  CHECK_INT(HDHT_ERR_INVALID_ARGUMENT, hdht_stream_relay_to(a->stream, world->b.stream));
  CHECK_INT(HDHT_ERR_INVALID_ARGUMENT, hdht_stream_relay_to(a->stream, a->stream));
  connect_sides(world);
  CHECK_INT(HDHT_ERR_ALREADY_CONNECTED, hdht_stream_connect(a->stream, a->socket, &world->b.address, 2));
  CHECK_INT(HDHT_ERR_INVALID_ARGUMENT, hdht_stream_write(a->stream, &broken, 1, NULL));
  CHECK_INT(HDHT_ERR_INVALID_ARGUMENT, hdht_stream_write(a->stream, NULL, 1, NULL));
  CHECK_INT(HDHT_OK, hdht_stream_end(a->stream));
  CHECK_INT(HDHT_ERR_ENDED, hdht_stream_end(a->stream));
  CHECK_INT(HDHT_ERR_ENDED, hdht_stream_write(a->stream, &part, 1, NULL));
  CHECK_INT(HDHT_ERR_ENDED, hdht_stream_write_copy(a->stream, &part, 1, NULL));
  hdht_stream_destroy(a->stream);
  CHECK_INT(HDHT_ERR_CLOSED, hdht_stream_write(a->stream, &part, 1, NULL));
  CHECK_INT(HDHT_ERR_CLOSED, hdht_stream_end(a->stream));
  CHECK_INT(HDHT_ERR_CLOSED, hdht_stream_send_message(a->stream, part));
  CHECK_INT(HDHT_ERR_CLOSED, hdht_stream_connect(a->stream, a->socket, &world->b.address, 2));
  hdht_stream_destroy(a->stream); /* changes nothing */
  RUN_UNTIL(world, a->closes == 1);
  close_world(world);
  CHECK_UINT(1, a->closes);
}

TEST(api_stream_destroyed_by_one_side_is_reset_for_the_other) {
  test_world *world = open_connected();
  CHECK_INT(HDHT_OK, write_text(&world->a, "x"));
  RUN_UNTIL(world, world->a.written == 1);
  hdht_stream_destroy(world->a.stream);
  CHECK_UINT(0, world->a.closes); /* never from inside the call */
  RUN_UNTIL(world, world->a.closes + world->b.closes == 2);
  CHECK_INT(HDHT_OK, world->a.reason);
  CHECK_INT(HDHT_ERR_CONNECTION_RESET, world->b.reason);
  close_world(world);
}

TEST(api_stream_gives_up_on_silence) {
  test_world *world = open_world();
  test_side *a = &world->a;
  hdht_stream_destroy(a->stream);
  RUN_UNTIL(world, a->closes == 1);
  hdht_stream_options options;
  hdht_stream_options_init(&options, sizeof options);
  options.patience_ms = 100;
  a->id = 77;
  REQUIRE(create_stream(a, &options) == HDHT_OK);
  CHECK_INT(HDHT_OK, hdht_stream_connect(a->stream, a->socket, &world->b.address, 1234)); /* nobody */
  CHECK_INT(HDHT_OK, copy_text(a, "x"));
  RUN_UNTIL(world, a->closes == 2);
  CHECK_INT(HDHT_ERR_TIMED_OUT, a->reason);
  CHECK_UINT(0, a->written);
  CHECK(world->b.datagrams >= 1); /* packets for a stream that is not there are the socket's */
  CHECK_UINT(0xff, world->b.datagram[0]);
  close_world(world);
}

TEST(api_stream_with_keepalive_notices_death) {
  test_world *world = open_world();
  test_side *a = &world->a;
  hdht_stream_set_keepalive(a->stream, 10, 3);
  connect_sides(world);
  CHECK_INT(HDHT_OK, copy_text(a, "x"));
  RUN_UNTIL(world, stats_of(&world->b).packets_received >= 4); /* heartbeats */
  CHECK_UINT(0, a->closes);
  hdht_socket_close(world->b.socket);
  RUN_UNTIL(world, a->closes == 1);
  CHECK_INT(HDHT_ERR_TIMED_OUT, a->reason);
  close_world(world);
}

TEST(api_endpoint_close_ends_everything_once) {
  test_world *world = open_connected();
  CHECK_INT(HDHT_OK, copy_text(&world->a, "x"));
  RUN_UNTIL(world, world->b.received_count == 1);
  hdht_udx_close(world->a.udx);
  hdht_udx_close(world->a.udx); /* changes nothing */
  hdht_socket *socket = NULL;
  const hdht_address address = loopback();
  CHECK_INT(HDHT_ERR_CLOSED, create_socket(&world->a, &address, &socket));
  CHECK_INT(HDHT_ERR_CLOSED, hdht_stream_create(world->a.udx, 9, NULL, &stream_callbacks, &world->a, NULL) == HDHT_OK
                                 ? HDHT_OK
                                 : HDHT_ERR_CLOSED);
  RUN_UNTIL(world, world->a.udx_closes == 1 && world->b.closes == 1);
  CHECK_UINT(1, world->a.closes);
  CHECK_UINT(1, world->a.socket_closes);
  CHECK_INT(HDHT_OK, world->a.reason);
  CHECK_INT(HDHT_ERR_CONNECTION_RESET, world->b.reason);
  world->a.udx = NULL;
  world->a.udx_closes = 0;
  close_world(world);
}

TEST(api_stream_can_be_destroyed_in_each_callback) {
  static const char letters[] = "dmewrc";
  for (size_t i = 0; letters[i] != '\0'; i++) {
    test_world *world = open_connected();
    world->a.destroys_on = world->b.destroys_on = letters[i];
    static uint8_t much[4 << 20];
    const hdht_bytes part = {.data = much, .size = sizeof much};
    CHECK_INT(HDHT_OK, hdht_stream_send_message(world->a.stream, text("m")));
    CHECK_INT(HDHT_OK, hdht_stream_write(world->a.stream, &part, 1, NULL));
    if (letters[i] == 'c') {
      CHECK_INT(HDHT_OK, hdht_stream_change_remote(world->a.stream, world->a.socket, &world->b.address, 2));
    }
    CHECK_INT(HDHT_OK, hdht_stream_end(world->a.stream));
    CHECK_INT(HDHT_OK, hdht_stream_end(world->b.stream));
    RUN_UNTIL(world, world->a.closes == 1 && world->b.closes == 1);
    close_world(world);
    CHECK_UINT(1, world->a.closes);
    CHECK_UINT(1, world->b.closes);
  }
}

TEST(api_stream_can_be_destroyed_by_its_firewall) {
  test_world *world = open_world();
  world->b.destroys_in = true;
  CHECK_INT(HDHT_OK, hdht_stream_connect(world->a.stream, world->a.socket, &world->b.address, world->b.id));
  CHECK_INT(HDHT_OK, write_text(&world->a, "x"));
  RUN_UNTIL(world, world->b.closes == 1);
  CHECK_UINT(0, world->b.received_count);
  close_world(world);
}

/* ---- writing --------------------------------------------------------------------------------------------------- */

TEST(api_stream_counts_copied_and_borrowed_writes_alike) {
  test_world *world = open_connected();
  test_side *a = &world->a;
  for (int round = 0; round < 3; round++) {
    CHECK_INT(HDHT_OK, copy_text(a, "one "));
    CHECK_INT(HDHT_OK, copy_text(a, "two "));
    CHECK_INT(HDHT_OK, write_text(a, "three "));
    CHECK_INT(HDHT_OK, copy_text(a, "four "));
    CHECK_INT(HDHT_OK, write_text(a, "five "));
    CHECK_INT(HDHT_OK, write_text(a, "six "));
    CHECK_INT(HDHT_OK, copy_text(a, "")); /* an empty packet */
    CHECK_INT(HDHT_OK, copy_text(a, "seven\n"));
    const uint64_t expected = 8 * (uint64_t)(round + 1);
    RUN_UNTIL(world, a->written >= expected);
    CHECK_UINT(expected, a->written);
  }
  const char *line = "one two three four five six seven\n";
  const size_t size = strlen(line);
  CHECK_UINT(3 * size, world->b.received_count);
  for (size_t i = 0; i < 3; i++) CHECK_BYTES(line, world->b.received + i * size, size);
  close_world(world);
}

TEST(api_stream_writes_of_one_turn_share_packets) {
  test_world *world = open_connected();
  for (int i = 0; i < 20; i++)
    CHECK_INT(HDHT_OK, copy_text(&world->a, "sixty bytes, more or less, that fit a packet well together.."));
  RUN_UNTIL(world, world->a.written == 20);
  CHECK(stats_of(&world->a).packets_sent <= 2);
  close_world(world);
}

/* A byte that tells its place. */
static uint8_t byte_at(uint64_t position) {
  return (uint8_t)(position * 31 + position / 256 + position / 65536);
}

static uint64_t sum_of(uint64_t count) {
  uint64_t sum = 0;
  for (uint64_t i = 0; i < count; i++) sum += byte_at(i) * (i % 251 + 1);
  return sum;
}

TEST(api_stream_bounds_copies_and_says_when_to_go_on) {
  enum { TOTAL = 3 << 20 };
  test_world *world = open_connected();
  test_side *a = &world->a;
  uint64_t position = 0, writes = 0;
  unsigned refusals = 0, expected_drains = 0;
  uint32_t size = 1;
  while (position < TOTAL && !world->timed_out) {
    uint8_t bytes[3000];
    size = size * 7 % 2999 + 1;
    const hdht_bytes part = {.data = bytes, .size = TOTAL - position < size ? (size_t)(TOTAL - position) : size};
    for (size_t i = 0; i < part.size; i++) bytes[i] = byte_at(position + i);
    int is_writable = -1;
    const int result = hdht_stream_write_copy(a->stream, &part, 1, &is_writable);
    memset(bytes, 0, sizeof bytes);
    if (result == HDHT_ERR_WOULD_BLOCK) {
      CHECK_INT(-1, is_writable);
      refusals++;
      expected_drains = a->drains + 1;
      RUN_UNTIL(world, a->drains >= expected_drains);
      CHECK_INT(1, hdht_stream_is_writable(a->stream));
      continue;
    }
    CHECK_INT(HDHT_OK, result);
    position += part.size;
    writes++;
  }
  RUN_UNTIL(world, a->written == writes && world->b.received_count == TOTAL);
  CHECK(refusals > 0);
  CHECK_UINT(sum_of(TOTAL), world->b.received_sum);
  close_world(world);
}

TEST(api_stream_takes_a_copy_larger_than_its_limit_when_it_holds_nothing_else) {
  test_world *world = open_world();
  test_side *a = &world->a;
  hdht_stream_destroy(a->stream);
  RUN_UNTIL(world, a->closes == 1);
  hdht_stream_options options;
  hdht_stream_options_init(&options, sizeof options);
  options.copy_limit = 1000;
  a->id = 3;
  world->b.other_id = 3;
  REQUIRE(create_stream(a, &options) == HDHT_OK);
  connect_sides(world);
  static uint8_t large[100000];
  const hdht_bytes part = {.data = large, .size = sizeof large}, small = text("x");
  int is_writable = 1;
  CHECK_INT(HDHT_OK, hdht_stream_write_copy(a->stream, &part, 1, &is_writable));
  CHECK_INT(0, is_writable);
  CHECK_INT(HDHT_ERR_WOULD_BLOCK, hdht_stream_write_copy(a->stream, &small, 1, &is_writable));
  RUN_UNTIL(world, a->drains == 1);
  CHECK_UINT(1, a->written);
  CHECK_INT(HDHT_OK, hdht_stream_write_copy(a->stream, &small, 1, &is_writable));
  CHECK_INT(0, is_writable); /* with so small a limit any copy fills it */
  RUN_UNTIL(world, a->written == 2);
  close_world(world);
}

TEST(api_stream_carries_much_with_back_pressure) {
  enum { TOTAL = 24 << 20, WRITE = 100000 };
  static uint8_t bytes[TOTAL];
  for (uint64_t i = 0; i < TOTAL; i++) bytes[i] = byte_at(i);
  test_world *world = open_connected();
  test_side *a = &world->a;
  uint64_t position = 0;
  unsigned pauses = 0;
  while (position < TOTAL && !world->timed_out) {
    const hdht_bytes part = {.data = bytes + position,
                             .size = TOTAL - position < WRITE ? (size_t)(TOTAL - position) : WRITE};
    int is_writable;
    CHECK_INT(HDHT_OK, hdht_stream_write(a->stream, &part, 1, &is_writable));
    position += part.size;
    if (is_writable) continue;
    pauses++;
    const unsigned drains = a->drains;
    RUN_UNTIL(world, a->drains > drains);
  }
  CHECK_INT(HDHT_OK, hdht_stream_end(a->stream));
  RUN_UNTIL(world, world->b.ends == 1);
  CHECK(pauses > 0);
  CHECK_UINT(TOTAL, world->b.received_count);
  CHECK_UINT(sum_of(TOTAL), world->b.received_sum);
  close_world(world);
}

TEST(api_stream_paused_holds_data_until_resumed) {
  test_world *world = open_connected();
  hdht_stream_pause(world->b.stream);
  CHECK_INT(HDHT_OK, write_text(&world->a, "held"));
  CHECK_INT(HDHT_OK, hdht_stream_end(world->a.stream));
  RUN_UNTIL(world, world->a.written == 1);
  run_a_while(world);
  CHECK_UINT(0, world->b.received_count);
  CHECK_UINT(0, world->b.ends);
  hdht_stream_resume(world->b.stream);
  CHECK_UINT(0, world->b.received_count); /* never from inside the call */
  RUN_UNTIL(world, world->b.ends == 1);
  CHECK_BYTES("held", world->b.received, 4);
  close_world(world);
}

TEST(api_stream_window_shrinks_by_what_the_reader_holds) {
  test_world *world = open_connected();
  hdht_stream_set_held_bytes(world->b.stream, 4 << 20);
  CHECK_INT(HDHT_OK, write_text(&world->a, "x"));
  RUN_UNTIL(world, world->a.written == 1);
  CHECK(stats_of(&world->a).send_window == 0);
  hdht_stream_set_held_bytes(world->b.stream, 0);
  RUN_UNTIL(world, stats_of(&world->a).send_window > 1 << 20);
  close_world(world);
}

/* ---- messages, datagrams --------------------------------------------------------------------------------------- */

TEST(api_stream_messages_arrive) {
  static const uint8_t bytes[2048] = {7};
  test_world *world = open_connected();
  test_side *a = &world->a;
  const size_t size_max = hdht_stream_message_size_max(a->stream);
  CHECK(size_max >= 1132 && size_max < sizeof bytes);
  CHECK_INT(HDHT_ERR_TOO_LARGE, hdht_stream_send_message(a->stream, (hdht_bytes){.data = bytes, .size = size_max + 1}));
  CHECK_INT(HDHT_OK, hdht_stream_send_message(a->stream, (hdht_bytes){.data = bytes, .size = size_max}));
  RUN_UNTIL(world, world->b.messages == 1);
  CHECK_UINT(size_max, world->b.message_size);
  CHECK_BYTES(bytes, world->b.message, size_max);
  CHECK_INT(HDHT_OK, hdht_stream_send_message(a->stream, (hdht_bytes){0}));
  RUN_UNTIL(world, world->b.messages == 2);
  CHECK_UINT(0, world->b.message_size);
  close_world(world);
}

TEST(api_socket_datagrams_arrive_beside_streams) {
  test_world *world = open_connected();
  test_side *a = &world->a;
  CHECK_INT(HDHT_OK, hdht_socket_send(a->socket, &world->b.address, text("ping"), 0));
  RUN_UNTIL(world, world->b.datagrams == 1);
  CHECK_UINT(4, world->b.datagram_size);
  CHECK_BYTES("ping", world->b.datagram, 4);
  CHECK_BYTES(&a->address, &world->b.datagram_from, sizeof(hdht_address));
  CHECK_INT(HDHT_OK, hdht_socket_send(a->socket, &world->b.address, (hdht_bytes){0}, 5));
  RUN_UNTIL(world, world->b.datagrams == 2);
  CHECK_UINT(0, world->b.datagram_size);
  CHECK_INT(HDHT_OK, copy_text(a, "x"));
  RUN_UNTIL(world, a->written == 1);
  CHECK_UINT(2, world->b.datagrams);
  close_world(world);
}

TEST(api_socket_says_what_it_cannot_do) {
  static const uint8_t large[65508];
  test_world *world = open_world();
  test_side *a = &world->a;
  hdht_address nowhere = world->b.address;
  nowhere.port = 0;
  const hdht_address ipv6 = {.ip = {[15] = 1}, .port = 9, .family = HDHT_FAMILY_IPV6};
  CHECK_INT(HDHT_ERR_INVALID_ARGUMENT, hdht_socket_send(a->socket, &nowhere, text("x"), 0));
  CHECK_INT(HDHT_ERR_INVALID_ARGUMENT, hdht_socket_send(a->socket, &world->b.address, text("x"), 256));
  CHECK_INT(HDHT_ERR_ADDRESS_UNAVAILABLE, hdht_socket_send(a->socket, &ipv6, text("x"), 0));
  CHECK_INT(HDHT_ERR_TOO_LARGE,
            hdht_socket_send(a->socket, &world->b.address, (hdht_bytes){.data = large, .size = sizeof large}, 0));
  CHECK_INT(HDHT_ERR_INVALID_ARGUMENT, hdht_socket_set_ttl(a->socket, 0));
  CHECK_INT(HDHT_ERR_INVALID_ARGUMENT, hdht_socket_set_ttl(a->socket, 256));
  CHECK_INT(HDHT_OK, hdht_socket_set_ttl(a->socket, 255));

  hdht_socket_options options;
  hdht_socket_options_init(&options, sizeof options);
  options.address = world->b.address;
  hdht_socket *socket = NULL;
  CHECK_INT(HDHT_ERR_ADDRESS_IN_USE, hdht_socket_create(a->udx, &options, NULL, NULL, &socket));
  options.flags = 8;
  CHECK_INT(HDHT_ERR_INVALID_ARGUMENT, hdht_socket_create(a->udx, &options, NULL, NULL, &socket));
  CHECK(socket == NULL);

  hdht_socket_close(a->socket);
  hdht_socket_close(a->socket); /* changes nothing */
  hdht_address address;
  CHECK_INT(HDHT_ERR_CLOSED, hdht_socket_send(a->socket, &world->b.address, text("x"), 0));
  CHECK_INT(HDHT_ERR_CLOSED, hdht_socket_get_address(a->socket, &address));
  CHECK_INT(HDHT_ERR_CLOSED, hdht_socket_set_ttl(a->socket, 1));
  CHECK_INT(HDHT_ERR_CLOSED, hdht_stream_connect(a->stream, a->socket, &world->b.address, 2));
  RUN_UNTIL(world, a->socket_closes == 1);
  close_world(world);
}

/* ---- paths ----------------------------------------------------------------------------------------------------- */

TEST(api_stream_moves_to_another_socket_in_the_middle) {
  enum { TOTAL = 8 << 20 };
  static uint8_t bytes[TOTAL];
  for (uint64_t i = 0; i < TOTAL; i++) bytes[i] = byte_at(i);
  test_world *world = open_connected();
  test_side *a = &world->a, *b = &world->b;
  const hdht_address address = loopback();
  hdht_socket *a2, *b2;
  hdht_address a2_address, b2_address;
  REQUIRE(create_socket(a, &address, &a2) == HDHT_OK && create_socket(b, &address, &b2) == HDHT_OK);
  hdht_socket_get_address(a2, &a2_address);
  hdht_socket_get_address(b2, &b2_address);

  const hdht_bytes part = {.data = bytes, .size = sizeof bytes};
  CHECK_INT(HDHT_OK, hdht_stream_write(a->stream, &part, 1, NULL));
  CHECK_INT(HDHT_OK, hdht_stream_end(a->stream));
  RUN_UNTIL(world, b->received_count > TOTAL / 4);
  CHECK_INT(HDHT_OK, hdht_stream_change_remote(a->stream, a2, &b2_address, b->id));
  CHECK_INT(HDHT_OK, hdht_stream_change_remote(b->stream, b2, &a2_address, a->id));
  RUN_UNTIL(world, b->ends == 1);
  CHECK_UINT(sum_of(TOTAL), b->received_sum);
  RUN_UNTIL(world, a->remote_changes == 1);
  CHECK_UINT(1, hdht_socket_streams_count(a2));
  CHECK_UINT(0, hdht_socket_streams_count(a->socket));
  close_world(world);
}

TEST(api_streams_relay_between_two_others) {
  enum { TOTAL = 4 << 20 };
  static uint8_t bytes[TOTAL];
  for (uint64_t i = 0; i < TOTAL; i++) bytes[i] = byte_at(i);
  test_world *world = open_world();
  test_side *a = &world->a, *b = &world->b;
  static test_side left, right; /* the legs, of one endpoint */
  memset(&left, 0, sizeof left);
  memset(&right, 0, sizeof right);
  const hdht_address address = loopback();
  side_open(world, &left, 31, a->id, &address);
  right = (test_side){.udx = left.udx, .id = 32, .other_id = b->id, .lets_in = true};
  REQUIRE(create_stream(&right, NULL) == HDHT_OK);
  CHECK_INT(HDHT_OK, hdht_stream_connect(left.stream, left.socket, &a->address, a->id));
  CHECK_INT(HDHT_OK, hdht_stream_connect(right.stream, left.socket, &b->address, b->id));
  CHECK_INT(HDHT_OK, hdht_stream_relay_to(left.stream, right.stream));
  CHECK_INT(HDHT_OK, hdht_stream_relay_to(right.stream, left.stream));
  CHECK_INT(HDHT_ERR_EXISTS, hdht_stream_relay_to(right.stream, left.stream));
  CHECK_INT(HDHT_OK, hdht_stream_connect(a->stream, a->socket, &left.address, left.id));
  CHECK_INT(HDHT_OK, hdht_stream_connect(b->stream, b->socket, &left.address, right.id));

  const hdht_bytes part = {.data = bytes, .size = sizeof bytes};
  CHECK_INT(HDHT_OK, hdht_stream_write(a->stream, &part, 1, NULL));
  CHECK_INT(HDHT_OK, copy_text(b, "back"));
  RUN_UNTIL(world, b->received_count == TOTAL && a->received_count == 4 && a->written == 1);
  CHECK_UINT(sum_of(TOTAL), b->received_sum);
  CHECK_UINT(0, left.received_count);
  hdht_udx_stats stats;
  hdht_udx_get_stats(left.udx, &stats, sizeof stats);
  CHECK(stats.packets_relayed > TOTAL / 1500);
  CHECK_UINT(2, stats.streams_count);

  hdht_stream_destroy(a->stream);
  RUN_UNTIL(world, a->closes + b->closes + left.closes + right.closes == 4);
  CHECK_INT(HDHT_ERR_CONNECTION_RESET, b->reason);
  hdht_udx_close(left.udx);
  close_world(world);
  CHECK_UINT(1, left.udx_closes);
}

TEST(api_stream_over_ipv6_carries_bytes) {
  static test_world opened;
  memset(&opened, 0, sizeof opened);
  open_loop(&opened);
  const hdht_address address = {.ip = {[15] = 1}, .family = HDHT_FAMILY_IPV6};
  hdht_udx *udx;
  hdht_socket *probe;
  hdht_socket_options options;
  hdht_socket_options_init(&options, sizeof options);
  options.address = address;
  REQUIRE(hdht_udx_create(opened.loop, NULL, NULL, NULL, &udx) == HDHT_OK);
  const bool has_ipv6 = hdht_socket_create(udx, &options, NULL, NULL, &probe) == HDHT_OK;
  hdht_udx_close(udx);
  if (has_ipv6) {
    side_open(&opened, &opened.a, 1, 2, &address);
    side_open(&opened, &opened.b, 2, 1, &address);
    connect_sides(&opened);
    static const uint8_t bytes[300000];
    const hdht_bytes part = {.data = bytes, .size = sizeof bytes};
    CHECK_INT(HDHT_OK, hdht_stream_write(opened.a.stream, &part, 1, NULL));
    RUN_UNTIL(&opened, opened.a.written == 1);
    CHECK_UINT(sizeof bytes, opened.b.received_count);
  }
  close_world(&opened);
}

/* ---- the ABI, memory ------------------------------------------------------------------------------------------- */

TEST(api_stream_structs_may_be_shorter_than_ours) {
  test_world *world = open_connected();
  struct {
    size_t struct_size;
    uint64_t packets_received;
    uint64_t guard;
  } old_stats = {.guard = 42};
  hdht_stream_get_stats(world->a.stream, (hdht_stream_stats *)&old_stats, 16);
  CHECK_UINT(16, old_stats.struct_size);
  CHECK_UINT(42, old_stats.guard);

  struct {
    size_t struct_size;
    void (*on_closed)(void *);
  } old_callbacks = {.struct_size = sizeof(size_t)};
  hdht_udx *udx;
  CHECK_INT(HDHT_OK, hdht_udx_create(world->loop, NULL, (const hdht_udx_callbacks *)&old_callbacks, NULL, &udx));
  hdht_udx_close(udx);
  old_callbacks.struct_size = 3;
  CHECK_INT(HDHT_ERR_INVALID_ARGUMENT,
            hdht_udx_create(world->loop, NULL, (const hdht_udx_callbacks *)&old_callbacks, NULL, &udx));
  close_world(world);
}

TEST(api_unused_ids_are_unused) {
  test_world *world = open_world();
  for (int i = 0; i < 1000; i++) {
    const uint32_t id = hdht_udx_unused_id(world->a.udx);
    CHECK(id != 0 && id != world->a.id);
  }
  close_world(world);
}

TEST(api_idle_streams_take_less_than_2_kib_each) {
  enum { COUNT = 10000 };
  static test_world opened;
  memset(&opened, 0, sizeof opened);
  open_loop(&opened);
  hd_test_allocator allocator;
  hd_test_allocator_init(&allocator);
  hdht_udx_options options;
  hdht_udx_options_init(&options, sizeof options);
  options.allocator = &allocator.hook;
  hdht_udx *udx;
  hdht_socket *socket;
  const hdht_stream_callbacks callbacks = {.struct_size = sizeof callbacks};
  const hdht_address remote = {.ip = {127, 0, 0, 1}, .port = 9, .family = HDHT_FAMILY_IPV4};
  REQUIRE(hdht_udx_create(opened.loop, &options, NULL, NULL, &udx) == HDHT_OK);
  REQUIRE(hdht_socket_create(udx, NULL, NULL, NULL, &socket) == HDHT_OK);
  const size_t before = allocator.live_bytes;
  for (uint32_t i = 1; i <= COUNT; i++) {
    hdht_stream *stream;
    REQUIRE(hdht_stream_create(udx, hdht_udx_unused_id(udx), NULL, &callbacks, NULL, &stream) == HDHT_OK);
    REQUIRE(hdht_stream_connect(stream, socket, &remote, i) == HDHT_OK);
  }
  run_a_while(&opened);
  const size_t each = (allocator.live_bytes - before) / COUNT;
  CHECK(each < 2048);
  if (each >= 2048) hd_test_fail(__FILE__, __LINE__, "%zu bytes each", each);
  hdht_udx_close(udx);
  close_world(&opened);
  CHECK_UINT(0, allocator.live_bytes);
}

TEST(api_stream_allocates_nothing_per_packet) {
  enum { TOTAL = 8 << 20 };
  static const uint8_t bytes[TOTAL];
  static test_world opened;
  memset(&opened, 0, sizeof opened);
  open_loop(&opened);
  hd_test_allocator allocator;
  hd_test_allocator_init(&allocator);
  hdht_udx_options options;
  hdht_udx_options_init(&options, sizeof options);
  options.allocator = &allocator.hook;
  const hdht_address address = loopback();
  test_side *sides[] = {&opened.a, &opened.b};
  for (uint32_t i = 0; i < 2; i++) {
    *sides[i] = (test_side){.id = i + 1, .other_id = 2 - i, .lets_in = true};
    REQUIRE(hdht_udx_create(opened.loop, &options, &udx_callbacks, sides[i], &sides[i]->udx) == HDHT_OK);
    REQUIRE(create_socket(sides[i], &address, &sides[i]->socket) == HDHT_OK);
    hdht_socket_get_address(sides[i]->socket, &sides[i]->address);
    REQUIRE(create_stream(sides[i], NULL) == HDHT_OK);
  }
  connect_sides(&opened);
  const hdht_bytes part = {.data = bytes, .size = sizeof bytes};
  size_t before = 0;
  for (uint64_t round = 1; round <= 3; round++) {
    before = allocator.allocations;
    CHECK_INT(HDHT_OK, hdht_stream_write(opened.a.stream, &part, 1, NULL));
    RUN_UNTIL(&opened, opened.a.written == round && opened.b.received_count == round * TOTAL);
  }
  /* Thousands of packets; a table may have had to grow once more. */
  CHECK(stats_of(&opened.a).packets_sent > 3 * TOTAL / 1500);
  CHECK(allocator.allocations - before < 20);
  close_world(&opened);
  CHECK_UINT(0, allocator.live_bytes);
}

/* Makes everything, writes, and closes; waits for nothing to arrive. */
static bool make_and_close(const hdht_allocator *allocator) {
  hdht_loop_options loop_options;
  hdht_loop_options_init(&loop_options, sizeof loop_options);
  loop_options.allocator = allocator;
  hdht_udx_options options;
  hdht_udx_options_init(&options, sizeof options);
  options.allocator = allocator;
  const hdht_stream_callbacks callbacks = {.struct_size = sizeof callbacks};
  const hdht_address anywhere = loopback();
  hdht_loop *loop;
  hdht_udx *udx = NULL;
  hdht_socket *socket;
  hdht_stream *stream;
  hdht_address address;
  if (hdht_loop_create(&loop_options, NULL, NULL, &loop) != HDHT_OK) return false;
  hdht_socket_options socket_options;
  hdht_socket_options_init(&socket_options, sizeof socket_options);
  socket_options.address = anywhere;
  const hdht_bytes part = text("x");
  const bool is_done = hdht_udx_create(loop, &options, NULL, NULL, &udx) == HDHT_OK &&
                       hdht_socket_create(udx, &socket_options, NULL, NULL, &socket) == HDHT_OK &&
                       hdht_socket_get_address(socket, &address) == HDHT_OK &&
                       hdht_stream_create(udx, 5, NULL, &callbacks, NULL, &stream) == HDHT_OK &&
                       hdht_stream_connect(stream, socket, &address, 6) == HDHT_OK &&
                       hdht_stream_write_copy(stream, &part, 1, NULL) == HDHT_OK &&
                       hdht_stream_write_copy(stream, &part, 1, NULL) == HDHT_OK &&
                       hdht_stream_write(stream, &part, 1, NULL) == HDHT_OK;
  for (int i = 0; i < 3; i++) hdht_loop_run(loop, HDHT_LOOP_RUN_NOWAIT);
  hdht_udx_close(udx);
  hdht_loop_close(loop);
  hdht_loop_run(loop, HDHT_LOOP_RUN_DEFAULT);
  return is_done;
}

TEST(api_stream_survives_each_allocation_failure) {
  hd_test_each_allocation_failure(make_and_close);
}
