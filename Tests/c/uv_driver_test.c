/* The driver on a real loop with real sockets, driving a core that writes down what is done to it. */
#include "driver_uv/uv_driver.h"

#include <errno.h>
#include <string.h>

#include "driver_uv/uv_ticker.h"
#include "test.h"

#define CALLS_MAX 256
#define OUTS_MAX  64
#define WAIT_MS   10000

/* One letter per call: r(eceive), e(lapse), s(ettle), n(ext_sends), u(nsent), w(ritable), d(eadline), c(losed socket),
 * C(losed). */
typedef struct recording_core {
  uv_loop_t loop;
  uv_timer_t watchdog;
  bool timed_out;
  hd_uv_driver *driver;
  hd_address address; /* of the first socket */
  hd_socket_id socket;

  char calls[CALLS_MAX + 1];
  size_t calls_count;
  char last_call;
  uint8_t received[64]; /* the first byte of each datagram */
  hd_socket_id received_on[64];
  size_t received_count;
  size_t received_total;
  int last_error;
  uint32_t last_segments_sent;
  hd_time elapsed_at;

  hd_time deadline;
  hd_datagram_out outs[OUTS_MAX];
  size_t outs_count;
  size_t outs_taken;
  bool sends_forever;

  /* What to do once, inside the call of this letter. */
  char act_in;
  void (*act)(struct recording_core *core);
} recording_core;

static void record(recording_core *core, char call) {
  uv_stop(&core->loop); /* look at it before waiting for more */
  core->last_call = call;
  if (core->calls_count < CALLS_MAX) core->calls[core->calls_count++] = call;
  if (core->act_in != call) return;
  core->act_in = 0;
  core->act(core);
}

static void core_receive(void *context, hd_time now, const hd_datagram *datagram) {
  (void)now;
  recording_core *core = context;
  hd_datagram segment;
  for (size_t offset = 0; hd_datagram_next_segment(datagram, &offset, &segment);) {
    core->received_total++;
    if (core->received_count < sizeof core->received) {
      core->received_on[core->received_count] = segment.socket;
      core->received[core->received_count++] = segment.bytes.size > 0 ? segment.bytes.data[0] : 0;
    }
  }
  record(core, 'r');
}

static void core_elapse(void *context, hd_time now) {
  recording_core *core = context;
  core->elapsed_at = now;
  if (hd_time_is_due(core->deadline, now)) core->deadline = HD_TIME_NEVER;
  record(core, 'e');
}

static void core_settle(void *context, hd_time now) {
  (void)now;
  record(context, 's');
}

static size_t core_next_sends(void *context, hd_time now, hd_datagram_out *outs, size_t outs_capacity) {
  (void)now;
  recording_core *core = context;
  record(core, 'n');
  if (core->sends_forever) {
    for (size_t i = 0; i < outs_capacity; i++) outs[i] = core->outs[0];
    return outs_capacity;
  }
  size_t count = 0;
  while (count < outs_capacity && core->outs_taken < core->outs_count) outs[count++] = core->outs[core->outs_taken++];
  return count;
}

static void core_send_result(void *context, hd_time now, const hd_datagram_out *out, uint32_t segments_sent,
                             int error) {
  (void)now;
  (void)out;
  recording_core *core = context;
  core->last_error = error;
  core->last_segments_sent = segments_sent;
  record(core, 'u');
}

static void core_socket_writable(void *context, hd_time now, hd_socket_id socket) {
  (void)now;
  recording_core *core = context;
  CHECK_UINT(core->socket, socket);
  record(core, 'w');
}

static hd_time core_deadline(void *context) {
  recording_core *core = context;
  record(core, 'd');
  return core->deadline;
}

static void core_socket_closed(void *context, hd_socket_id socket, void *socket_context) {
  (void)socket;
  CHECK(socket_context == context);
  record(context, 'c');
}

static void core_closed(void *context) {
  recording_core *core = context;
  core->driver = NULL;
  uv_close((uv_handle_t *)&core->watchdog, NULL);
  record(core, 'C');
}

static const hd_uv_core recording_functions = {
    .receive = core_receive,
    .elapse = core_elapse,
    .settle = core_settle,
    .next_sends = core_next_sends,
    .send_result = core_send_result,
    .socket_writable = core_socket_writable,
    .deadline = core_deadline,
    .socket_closed = core_socket_closed,
    .closed = core_closed,
};

static void on_watchdog(uv_timer_t *timer) {
  recording_core *core = timer->data;
  core->timed_out = true;
  uv_stop(&core->loop);
}

static int open_socket(recording_core *core, hd_socket_id *socket) {
  const hd_uv_socket_options options = {.address = hd_address_ipv4(127, 0, 0, 1, 0)};
  return hd_uv_driver_open_socket(core->driver, &options, core, socket);
}

static void core_open_with(recording_core *core, hd_uv_send_call send_call) {
  memset(core, 0, sizeof *core);
  core->deadline = HD_TIME_NEVER;
  uv_loop_init(&core->loop);
  uv_timer_init(&core->loop, &core->watchdog);
  core->watchdog.data = core;
  uv_timer_start(&core->watchdog, on_watchdog, WAIT_MS, 0);
  CHECK_INT(HDHT_OK, hd_uv_driver_create(&core->loop, hd_allocator_system(), send_call, &recording_functions, core,
                                         &core->driver));
  CHECK_INT(HDHT_OK, open_socket(core, &core->socket));
  hd_uv_socket_get_address(hd_uv_driver_socket(core->driver, core->socket), &core->address);
}

static void core_open(recording_core *core) {
  core_open_with(core, hd_uv_send_messages);
}

/* Runs the loop until `condition` holds or the watchdog bites. */
#define RUN_UNTIL(core, condition) \
  while (!(condition) && !(core)->timed_out) uv_run(&(core)->loop, UV_RUN_ONCE)

static void core_close(recording_core *core) {
  if (core->driver != NULL) hd_uv_driver_close(core->driver);
  while (uv_run(&core->loop, UV_RUN_DEFAULT) != 0 && !core->timed_out) continue;
  CHECK(!core->timed_out);
  CHECK(core->driver == NULL);
  CHECK_INT('C', core->last_call);
  CHECK_INT(0, uv_loop_close(&core->loop));
}

static size_t calls_of(const recording_core *core, char call) {
  size_t count = 0;
  for (size_t i = 0; i < core->calls_count; i++) count += core->calls[i] == call;
  return count;
}

/* Sends one byte from the core's socket to itself, past the core. */
static void send_byte(recording_core *core, const char *byte) {
  const hd_bytes part = {.data = (const uint8_t *)byte, .size = 1};
  const hd_datagram_out out = {
      .socket = core->socket, .to = core->address, .segments_count = 1, .parts_count = 1, .size = 1, .parts = &part};
  CHECK_INT(HDHT_OK, hd_uv_driver_send(core->driver, &out));
}

/* Has the core send one byte to itself. */
static void queue_byte(recording_core *core, hd_socket_id socket, const hd_bytes *part) {
  core->outs[core->outs_count++] = (hd_datagram_out){
      .socket = socket, .to = core->address, .segments_count = 1, .parts_count = 1, .size = 1, .parts = part};
}

/* ---- the drain rule -------------------------------------------------------------------------------------------- */

TEST(uv_driver_drains_once_after_a_batch) {
  recording_core core;
  core_open(&core);
  send_byte(&core, "a");
  send_byte(&core, "b");
  send_byte(&core, "c");
  RUN_UNTIL(&core, core.received_count >= 3);
  CHECK_TEXT("rrrsnd", core.calls);
  CHECK_BYTES("abc", core.received, 3);
  CHECK_UINT(core.socket, core.received_on[0]);
  core_close(&core);
}

TEST(uv_driver_drains_once_for_all_commands_of_a_turn) {
  recording_core core;
  core_open(&core);
  hd_uv_driver_touch(core.driver);
  hd_uv_driver_touch(core.driver);
  RUN_UNTIL(&core, calls_of(&core, 'd') >= 1);
  CHECK_TEXT("snd", core.calls);
  core_close(&core);
}

static void touch(recording_core *core) {
  hd_uv_driver_touch(core->driver);
}

TEST(uv_driver_needs_no_touch_inside_a_callback) {
  recording_core core;
  core_open(&core);
  core.act_in = 's';
  core.act = touch;
  hd_uv_driver_touch(core.driver);
  RUN_UNTIL(&core, calls_of(&core, 'd') >= 1);
  uv_run(&core.loop, UV_RUN_NOWAIT);
  CHECK_TEXT("snd", core.calls);
  core_close(&core);
}

TEST(uv_driver_asks_for_sends_until_there_are_none) {
  recording_core core;
  core_open(&core);
  const hd_bytes part = {.data = (const uint8_t *)"x", .size = 1};
  for (int i = 0; i < 40; i++) queue_byte(&core, core.socket, &part); /* more than fit into one call */
  hd_uv_driver_touch(core.driver);
  RUN_UNTIL(&core, core.received_count >= 40);
  CHECK(strncmp(core.calls, "snnnd", 5) == 0);
  CHECK_UINT(0, calls_of(&core, 'u'));
  core_close(&core);
}

TEST(uv_driver_sends_from_each_socket_what_is_its) {
  recording_core core;
  core_open(&core);
  hd_socket_id other;
  REQUIRE(open_socket(&core, &other) == HDHT_OK);
  CHECK(other != core.socket);
  const hd_bytes parts[] = {{.data = (const uint8_t *)"a", .size = 1}, {.data = (const uint8_t *)"b", .size = 1}};
  const hd_socket_id nobody = 12345;
  queue_byte(&core, core.socket, &parts[0]);
  queue_byte(&core, other, &parts[1]);
  queue_byte(&core, nobody, &parts[0]);
  queue_byte(&core, core.socket, &parts[0]);
  hd_uv_driver_touch(core.driver);
  RUN_UNTIL(&core, core.received_count >= 3);
  CHECK_BYTES("aba", core.received, 3);
  CHECK_UINT(1, calls_of(&core, 'u'));
  CHECK_INT(HDHT_ERR_NOT_FOUND, core.last_error);
  core_close(&core);
}

/* ---- the timer ------------------------------------------------------------------------------------------------- */

TEST(uv_driver_wakes_up_at_the_deadline_and_not_before) {
  static const uint64_t delays_us[] = {0, 1, 300, 1000, 2500, 20300};
  for (size_t i = 0; i < sizeof delays_us / sizeof delays_us[0]; i++) {
    recording_core core;
    core_open(&core);
    const hd_time deadline = hd_time_add(hd_uv_driver_now(core.driver), HD_MICROSECONDS(delays_us[i]));
    core.deadline = deadline;
    hd_uv_driver_touch(core.driver);
    RUN_UNTIL(&core, calls_of(&core, 'e') >= 1);
    CHECK(hd_time_is_due(deadline, core.elapsed_at));
    CHECK_TEXT("sndesnd", core.calls);
    core_close(&core);
  }
}

static void bring_deadline_forward(recording_core *core) {
  core->deadline = hd_time_add(hd_uv_driver_now(core->driver), HD_MILLISECONDS(1));
}

TEST(uv_driver_wakes_up_earlier_when_the_deadline_comes_nearer) {
  recording_core core;
  core_open(&core);
  core.deadline = hd_time_add(hd_uv_driver_now(core.driver), HD_SECONDS(3600));
  hd_uv_driver_touch(core.driver);
  RUN_UNTIL(&core, calls_of(&core, 'd') >= 1);
  core.act_in = 'r';
  core.act = bring_deadline_forward;
  send_byte(&core, "x");
  RUN_UNTIL(&core, calls_of(&core, 'e') >= 1);
  CHECK(!core.timed_out);
  core_close(&core);
}

static void put_deadline_back(recording_core *core) {
  core->deadline = hd_time_add(hd_uv_driver_now(core->driver), HD_MILLISECONDS(30));
}

TEST(uv_driver_reaches_a_deadline_that_moved_away) {
  recording_core core;
  core_open(&core);
  core.deadline = hd_time_add(hd_uv_driver_now(core.driver), HD_MILLISECONDS(10));
  hd_uv_driver_touch(core.driver);
  RUN_UNTIL(&core, calls_of(&core, 'd') >= 1);
  core.act_in = 'r';
  core.act = put_deadline_back;
  send_byte(&core, "x");
  RUN_UNTIL(&core, hd_time_is_never(core.deadline));
  CHECK(!core.timed_out);
  core_close(&core);
}

TEST(uv_driver_timer_does_not_keep_a_loop_alive) {
  recording_core core;
  core_open(&core);
  core.deadline = hd_time_add(hd_uv_driver_now(core.driver), HD_SECONDS(3600));
  hd_uv_driver_touch(core.driver);
  RUN_UNTIL(&core, calls_of(&core, 'd') >= 1);
  hd_uv_driver_close_socket(core.driver, core.socket);
  uv_unref((uv_handle_t *)&core.watchdog);
  while (uv_run(&core.loop, UV_RUN_DEFAULT) != 0 && !core.timed_out) continue; /* ends: nothing is left to wait for */
  CHECK_UINT(1, calls_of(&core, 'c'));
  uv_ref((uv_handle_t *)&core.watchdog);
  core_close(&core);
}

/* ---- limits ---------------------------------------------------------------------------------------------------- */

static void on_other_timer(uv_timer_t *timer) {
  *(bool *)timer->data = true;
}

TEST(uv_driver_leaves_turns_to_others_however_much_there_is_to_send) {
  static uint8_t bytes[60000];
  recording_core core;
  core_open(&core);
  const hd_bytes part = {.data = bytes, .size = sizeof bytes};
  core.outs[0] = (hd_datagram_out){.socket = core.socket,
                                   .to = core.address,
                                   .segments_count = 1,
                                   .parts_count = 1,
                                   .size = sizeof bytes,
                                   .parts = &part};
  core.sends_forever = true;
  uv_timer_t timer;
  bool had_its_turn = false;
  uv_timer_init(&core.loop, &timer);
  timer.data = &had_its_turn;
  uv_timer_start(&timer, on_other_timer, 5, 0);
  hd_uv_driver_touch(core.driver);
  RUN_UNTIL(&core, had_its_turn);
  CHECK(had_its_turn);
  CHECK(calls_of(&core, 's') >= 1);
  core.sends_forever = false;
  uv_close((uv_handle_t *)&timer, NULL);
  core_close(&core);
}

TEST(uv_driver_takes_everything_of_a_long_queue_in_turns) {
  recording_core core;
  core_open(&core);
  for (int i = 0; i < 60; i++) send_byte(&core, "x");
  RUN_UNTIL(&core, core.received_count >= 60);
  CHECK(!core.timed_out);
  core_close(&core);
}

static unsigned blocked_calls; /* how many more calls find the socket full */

static int blocking_kernel(int descriptor, hd_uv_message *messages, unsigned count) {
  if (blocked_calls > 0) {
    blocked_calls--;
    errno = EAGAIN;
    return -1;
  }
  return hd_uv_send_messages(descriptor, messages, count);
}

static hd_bytes retried_part = {.data = (const uint8_t *)"y", .size = 1};

static void queue_again(recording_core *core) {
  queue_byte(core, core->socket, &retried_part);
}

TEST(uv_driver_tells_when_a_full_socket_is_writable_again) {
  recording_core core;
  core_open_with(&core, blocking_kernel);
  blocked_calls = 1;
  const hd_bytes part = {.data = (const uint8_t *)"x", .size = 1};
  queue_byte(&core, core.socket, &part);
  core.act_in = 'w';
  core.act = queue_again;
  hd_uv_driver_touch(core.driver);
  RUN_UNTIL(&core, core.received_count >= 1);
  CHECK(strncmp(core.calls, "snundwsnnd", 10) == 0);
  CHECK_INT(HDHT_ERR_WOULD_BLOCK, core.last_error);
  CHECK_UINT(0, core.last_segments_sent);
  CHECK_BYTES("y", core.received, 1);
  core_close(&core);
}

TEST(uv_driver_asks_a_full_socket_no_further) {
  recording_core core;
  core_open_with(&core, blocking_kernel);
  blocked_calls = 1;
  const hd_bytes part = {.data = (const uint8_t *)"x", .size = 1};
  const hd_datagram_out out = {
      .socket = core.socket, .to = core.address, .segments_count = 1, .parts_count = 1, .size = 1, .parts = &part};
  CHECK_INT(HDHT_ERR_WOULD_BLOCK, hd_uv_driver_send(core.driver, &out));
  CHECK_INT(HDHT_ERR_WOULD_BLOCK, hd_uv_driver_send(core.driver, &out)); /* although the call would not fail again */
  CHECK_UINT(0, blocked_calls);
  RUN_UNTIL(&core, calls_of(&core, 'w') >= 1);
  CHECK_INT(HDHT_OK, hd_uv_driver_send(core.driver, &out));
  RUN_UNTIL(&core, core.received_count >= 1);
  core_close(&core);
}

/* ---- many small wake-ups --------------------------------------------------------------------------------------- */

#if defined(__linux__)
typedef struct tick_count {
  hd_uv_ticker ticker;
  unsigned ticks;
  bool is_closed;
} tick_count;

static void count_tick(void *context) {
  tick_count *count = context;
  if (++count->ticks == 3) hd_uv_ticker_stop(&count->ticker);
}

static void note_ticker_closed(void *context) {
  ((tick_count *)context)->is_closed = true;
}

TEST(uv_ticker_ticks_until_it_is_stopped) {
  uv_loop_t loop;
  uv_loop_init(&loop);
  tick_count count = {0};
  hd_uv_ticker_init(&count.ticker, &loop, count_tick, &count);
  for (unsigned round = 1; round <= 2; round++) {
    count.ticks = 0;
    REQUIRE(hd_uv_ticker_start(&count.ticker));
    CHECK(hd_uv_ticker_start(&count.ticker)); /* changes nothing */
    uv_run(&loop, UV_RUN_DEFAULT);            /* returns: a ticker that is off keeps no loop running */
    CHECK_UINT(3, count.ticks);
  }
  CHECK(hd_uv_ticker_close(&count.ticker, note_ticker_closed));
  uv_run(&loop, UV_RUN_DEFAULT);
  CHECK(count.is_closed);
  CHECK_INT(0, uv_loop_close(&loop));
}

TEST(uv_ticker_never_started_closes_at_once) {
  uv_loop_t loop;
  uv_loop_init(&loop);
  tick_count count = {0};
  hd_uv_ticker_init(&count.ticker, &loop, count_tick, &count);
  CHECK(!hd_uv_ticker_close(&count.ticker, note_ticker_closed));
  CHECK_INT(0, uv_loop_close(&loop));
}
#endif

/* One datagram per wake-up, as fast as it goes: on a machine that is fast enough the driver begins to look at the
 * socket only now and then. Nothing may get lost by that, nor by going back. */
TEST(uv_driver_misses_nothing_when_wake_ups_come_densely) {
  recording_core core;
  core_open(&core);
  for (int round = 0; round < 3; round++) {
    for (size_t i = 0; i < 500; i++) {
      send_byte(&core, "x");
      uv_run(&core.loop, UV_RUN_NOWAIT);
    }
    const size_t sent = 500 * (size_t)(round + 1);
    RUN_UNTIL(&core, core.received_total >= sent);
    CHECK_UINT(sent, core.received_total);
  }
  send_byte(&core, "x");
  RUN_UNTIL(&core, core.received_total == 1501);
  core_close(&core);
}

static void close_driver(recording_core *core) {
  hd_uv_driver_close(core->driver);
}

static void close_first(recording_core *core) {
  hd_uv_driver_close_socket(core->driver, core->socket);
}

TEST(uv_driver_closes_sockets_and_itself_while_wake_ups_come_densely) {
  for (int closes_driver = 0; closes_driver < 2; closes_driver++) {
    recording_core core;
    core_open(&core);
    for (size_t i = 0; i < 1000 && core.driver != NULL; i++) {
      if (i == 900) {
        core.act_in = 'r';
        core.act = closes_driver ? close_driver : close_first;
      }
      if (hd_uv_driver_socket(core.driver, core.socket) == NULL) break;
      send_byte(&core, "x");
      uv_run(&core.loop, UV_RUN_NOWAIT);
    }
    RUN_UNTIL(&core, calls_of(&core, 'c') >= 1 || core.last_call == 'c' || core.last_call == 'C');
    core_close(&core);
  }
}

TEST(uv_driver_opens_hundreds_of_sockets_for_little) {
  enum { COUNT = 256 };
  recording_core core;
  core_open(&core);
  hd_socket_id sockets[COUNT];
  for (size_t i = 0; i < COUNT; i++) REQUIRE(open_socket(&core, &sockets[i]) == HDHT_OK);
  const hd_bytes part = {.data = (const uint8_t *)"x", .size = 1};
  for (size_t i = 0; i < COUNT; i++) {
    const hd_datagram_out out = {
        .socket = sockets[i], .to = core.address, .segments_count = 1, .parts_count = 1, .size = 1, .parts = &part};
    CHECK_INT(HDHT_OK, hd_uv_driver_send(core.driver, &out));
  }
  RUN_UNTIL(&core, core.received_total >= COUNT);
  for (size_t i = 0; i < COUNT; i++) hd_uv_driver_close_socket(core.driver, sockets[i]);
  core_close(&core);
}

/* ---- closing --------------------------------------------------------------------------------------------------- */

TEST(uv_driver_says_closed_last) {
  recording_core core;
  core_open(&core);
  hd_socket_id other;
  REQUIRE(open_socket(&core, &other) == HDHT_OK);
  hd_uv_driver_close(core.driver);
  hd_uv_driver_close(core.driver); /* changes nothing */
  CHECK_INT(HDHT_ERR_CLOSED, open_socket(&core, &other));
  core_close(&core);
  CHECK_TEXT("ccC", core.calls);
}

static void close_socket(recording_core *core) {
  hd_uv_driver_close_socket(core->driver, core->socket);
}

TEST(uv_driver_delivers_nothing_to_a_closed_socket) {
  recording_core core;
  core_open(&core);
  core.act_in = 'r';
  core.act = close_socket;
  send_byte(&core, "a");
  send_byte(&core, "b");
  RUN_UNTIL(&core, calls_of(&core, 'c') >= 1);
  CHECK_TEXT("rsndc", core.calls);
  CHECK_UINT(1, core.received_count);
  CHECK(hd_uv_driver_socket(core.driver, core.socket) == NULL);
  CHECK(hd_uv_driver_socket_context(core.driver, core.socket) == NULL);
  const hd_datagram_out out = {.socket = core.socket, .to = core.address, .segments_count = 1};
  CHECK_INT(HDHT_ERR_NOT_FOUND, hd_uv_driver_send(core.driver, &out));
  hd_uv_driver_close_socket(core.driver, core.socket); /* changes nothing */
  core_close(&core);
}

TEST(uv_driver_can_be_closed_inside_every_call) {
  static const struct {
    char in;
    const char *calls;
  } cases[] = {{'r', "rcC"}, {'e', "sndecC"}, {'s', "scC"}};
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    recording_core core;
    core_open(&core);
    core.act_in = cases[i].in;
    core.act = close_driver;
    if (cases[i].in == 'r') {
      send_byte(&core, "a");
      send_byte(&core, "b");
    } else {
      core.deadline = (hd_time){0};
      hd_uv_driver_touch(core.driver);
    }
    RUN_UNTIL(&core, core.driver == NULL);
    CHECK_TEXT(cases[i].calls, core.calls);
    core_close(&core);
  }
}

TEST(uv_driver_socket_ids_are_not_used_again) {
  recording_core core;
  core_open(&core);
  hd_socket_id second, third;
  REQUIRE(open_socket(&core, &second) == HDHT_OK);
  hd_uv_driver_close_socket(core.driver, second);
  REQUIRE(open_socket(&core, &third) == HDHT_OK);
  CHECK(third != second && third != core.socket && third != HD_SOCKET_NONE);
  CHECK(hd_uv_driver_socket_context(core.driver, third) == &core);
  core_close(&core);
}

static bool open_and_close(const hdht_allocator *allocator) {
  recording_core core = {.deadline = HD_TIME_NEVER};
  uv_loop_init(&core.loop);
  uv_timer_init(&core.loop, &core.watchdog);
  const int created =
      hd_uv_driver_create(&core.loop, allocator, hd_uv_send_messages, &recording_functions, &core, &core.driver);
  int opened = created;
  if (created == HDHT_OK) {
    opened = open_socket(&core, &core.socket);
    if (opened != HDHT_OK) CHECK_INT(HDHT_ERR_OUT_OF_MEMORY, opened);
    hd_uv_driver_close(core.driver);
  } else {
    uv_close((uv_handle_t *)&core.watchdog, NULL);
  }
  while (uv_run(&core.loop, UV_RUN_DEFAULT) != 0) continue;
  CHECK_INT(0, uv_loop_close(&core.loop));
  return opened == HDHT_OK;
}

TEST(uv_driver_survives_each_allocation_failure) {
  hd_test_each_allocation_failure(open_and_close);
}
