#include "driver_uv/uv_driver.h"

#include <hdht/error.h>

#include "base/assertion.h"
#include "driver_uv/uv_receive.h"
#include "driver_uv/uv_sockets.h"
#include "driver_uv/uv_ticker.h"

/* Outs taken from the core at a time. Not too many, because the core stamps them all with the time of asking. */
#define OUTS_MAX 32

#define TIMER_OFF UINT64_MAX

/* A socket that wakes us up this often for so little is not polled any more but looked at with every tick, until a tick
 * brings less than the last of these. One exchange at a time between two processes of one machine stays below. */
#define HOLD_WINDOW              HD_MILLISECONDS(1)
#define HOLD_MESSAGES            48
#define HOLD_MESSAGES_PER_WAKEUP 32
#define RELEASE_MESSAGES         8

struct hd_uv_driver {
  const hd_allocator *allocator;
  const hd_uv_core *functions;
  void *core;
  hd_uv_sockets sockets;
  hd_uv_receiver *receiver;
  hd_uv_sender *sender;

  uv_loop_t *loop;
  uv_timer_t timer;
  hd_uv_ticker ticker;    /* on while sockets are held */
  uv_idle_t soon;         /* active while the core is to be drained before the loop waits */
  hd_time deadline;       /* the core's, as of the last drain */
  uint64_t timer_due_ms;  /* on the loop's clock, or TIMER_OFF */
  uint32_t handles_count; /* of the three above, how many are not closed */
  bool is_busy;           /* the core is being called, and will be drained */
  bool is_closing;

  hd_datagram_out outs[OUTS_MAX];
};

hd_time hd_uv_driver_now(const hd_uv_driver *driver) {
  (void)driver;
  return (hd_time){uv_hrtime() / 1000};
}

/* ---- the drain ------------------------------------------------------------------------------------------------- */

static void on_unsent(void *context, const hd_datagram_out *out, uint32_t segments_sent, int error) {
  hd_uv_driver *driver = context;
  driver->functions->send_result(driver->core, hd_uv_driver_now(driver), out, segments_sent, error);
}

/* Sends outs that have their socket in common. */
static void send_run(hd_uv_driver *driver, const hd_datagram_out *outs, size_t outs_count) {
  hd_uv_polled *polled = hd_uv_sockets_find(&driver->sockets, outs[0].socket);
  if (polled == NULL || polled->is_full) {
    const int error = polled == NULL ? HDHT_ERR_NOT_FOUND : HDHT_ERR_WOULD_BLOCK;
    for (size_t i = 0; i < outs_count; i++) on_unsent(driver, &outs[i], 0, error);
    return;
  }
  if (!hd_uv_sender_send(driver->sender, &polled->socket, outs, outs_count, on_unsent, driver)) {
    hd_uv_polled_set_full(polled, true);
  }
}

/* Returns the bytes. */
static size_t send_outs(hd_uv_driver *driver, size_t outs_count) {
  size_t bytes = 0;
  size_t first = 0;
  for (size_t i = 0; i < outs_count; i++) {
    bytes += driver->outs[i].size;
    const bool ends_run = i + 1 == outs_count || driver->outs[i + 1].socket != driver->outs[first].socket;
    if (!ends_run) continue;
    send_run(driver, driver->outs + first, i + 1 - first);
    first = i + 1;
  }
  return bytes;
}

/* Returns false when there may be more than is sent in one go. */
static bool send_all(hd_uv_driver *driver) {
  size_t bytes = 0;
  while (bytes < HD_UV_DRAIN_BYTES_MAX) {
    const hd_time now = hd_uv_driver_now(driver);
    const size_t count = driver->functions->next_sends(driver->core, now, driver->outs, OUTS_MAX);
    if (count == 0) return true;
    bytes += send_outs(driver, count);
  }
  return false;
}

static void on_timer(uv_timer_t *timer);
static void on_soon(uv_idle_t *idle);

/* Drains in the next turn of the loop, after everything that is ready now. An idle handle, because it keeps the loop
 * from waiting wherever it was started, and because libuv before 1.45 runs a timer of 0 ms that was started in a
 * timer's callback at once, before it polls. */
static void drain_soon(hd_uv_driver *driver) {
  uv_idle_start(&driver->soon, on_soon);
}

/* The timer ticks in milliseconds of a clock that is our clock rounded down, so with the deadline rounded up it never
 * fires early. A timer that is due sooner than needed stays: that costs one idle wake-up, and most deadlines only ever
 * move away. */
static void set_timer(hd_uv_driver *driver) {
  if (hd_time_is_never(driver->deadline)) return;
  const uint64_t due_ms = driver->deadline.us / 1000 + (driver->deadline.us % 1000 != 0 ? 1 : 0);
  if (due_ms >= driver->timer_due_ms) return;

  uv_update_time(driver->loop);
  const uint64_t now_ms = uv_now(driver->loop);
  if (due_ms <= now_ms) {
    drain_soon(driver);
    return;
  }
  driver->timer_due_ms = due_ms;
  uv_timer_start(&driver->timer, on_timer, due_ms - now_ms, 0);
}

/* Everything that is done to the core stands between a begin and a drain. Returns the time of all of it but sending. */
static hd_time begin(hd_uv_driver *driver) {
  hd_assert(!driver->is_busy);
  driver->is_busy = true;
  return hd_uv_driver_now(driver);
}

static void drain(hd_uv_driver *driver, hd_time now) {
  hd_assert(driver->is_busy);
  if (!driver->is_closing) driver->functions->settle(driver->core, now);
  const bool is_done = driver->is_closing || send_all(driver);
  driver->is_busy = false;

  if (driver->is_closing) return;
  if (!is_done) {
    drain_soon(driver);
    return;
  }
  driver->deadline = driver->functions->deadline(driver->core);
  if (!driver->is_closing) set_timer(driver);
}

/* ---- what happens ---------------------------------------------------------------------------------------------- */

static void elapse_if_due(hd_uv_driver *driver, hd_time now) {
  if (hd_time_is_due(driver->deadline, now)) driver->functions->elapse(driver->core, now);
}

static void on_timer(uv_timer_t *timer) {
  hd_uv_driver *driver = timer->data;
  driver->timer_due_ms = TIMER_OFF;
  if (!hd_time_is_due(driver->deadline, hd_uv_driver_now(driver))) {
    set_timer(driver);
    return;
  }
  const hd_time now = begin(driver);
  elapse_if_due(driver, now);
  drain(driver, now);
}

static void on_soon(uv_idle_t *idle) {
  hd_uv_driver *driver = idle->data;
  uv_idle_stop(idle);
  const hd_time now = begin(driver);
  elapse_if_due(driver, now);
  drain(driver, now);
}

void hd_uv_driver_touch(hd_uv_driver *driver) {
  if (!driver->is_busy && !driver->is_closing) drain_soon(driver);
}

static void receive_batch(hd_uv_driver *driver, hd_uv_polled *polled, hd_time now, const hd_datagram *datagrams,
                          size_t count) {
  for (size_t i = 0; i < count && !polled->is_closing; i++) {
    driver->functions->receive(driver->core, now, &datagrams[i]);
  }
}

/* Takes what is there, within the budget of a wake-up. Returns how many messages there were. */
static size_t receive_available(hd_uv_driver *driver, hd_uv_polled *polled) {
  size_t messages = 0;
  bool has_more = true;
  for (int i = 0; i < HD_UV_RECEIVE_BATCHES_MAX && has_more && !polled->is_closing; i++) {
    const hd_datagram *datagrams;
    const size_t count = hd_uv_receiver_take(driver->receiver, &polled->socket, polled->id, &datagrams, &has_more);
    messages += count;
    const hd_time now = begin(driver);
    receive_batch(driver, polled, now, datagrams, count);
    drain(driver, now);
  }
  return messages;
}

static bool is_worth_holding(hd_uv_density *density, hd_time now, size_t messages) {
  if (hd_time_since(now, density->since).us > HOLD_WINDOW.us) *density = (hd_uv_density){.since = now};
  density->wakeups++;
  density->messages += (uint32_t)messages;
  return density->messages >= HOLD_MESSAGES && density->messages < density->wakeups * HOLD_MESSAGES_PER_WAKEUP;
}

static void on_readable(void *context, hd_uv_polled *polled) {
  hd_uv_driver *driver = context;
  const size_t messages = receive_available(driver, polled);
  if (!is_worth_holding(&polled->density, hd_uv_driver_now(driver), messages)) return;
  if (hd_uv_ticker_start(&driver->ticker)) hd_uv_polled_set_held(polled, true);
}

/* Each held socket once; sockets may close meanwhile, and others be held. */
static void on_tick(void *context) {
  hd_uv_driver *driver = context;
  hd_list *held = &driver->sockets.held;
  hd_list looked_at;
  hd_list_init(&looked_at);
  for (hd_list *link; (link = hd_list_first(held)) != NULL;) {
    hd_uv_polled *polled = HD_CONTAINER_OF(link, hd_uv_polled, held_link);
    hd_list_remove(link);
    hd_list_push_back(&looked_at, link);
    if (receive_available(driver, polled) >= RELEASE_MESSAGES || polled->is_closing) continue;
    polled->density = (hd_uv_density){0};
    hd_uv_polled_set_held(polled, false);
  }
  for (hd_list *link; (link = hd_list_first(&looked_at)) != NULL;) {
    hd_list_remove(link);
    hd_list_push_back(held, link);
  }
  if (hd_list_is_empty(held)) hd_uv_ticker_stop(&driver->ticker);
}

static void on_writable(void *context, hd_uv_polled *polled) {
  hd_uv_driver *driver = context;
  const hd_time now = begin(driver);
  driver->functions->socket_writable(driver->core, now, polled->id);
  drain(driver, now);
}

/* ---- life ------------------------------------------------------------------------------------------------------ */

static void release(hd_uv_driver *driver) {
  hd_uv_receiver_destroy(driver->receiver);
  hd_uv_sender_destroy(driver->sender);
  hd_uv_sockets_destroy(&driver->sockets);
  hd_release(driver->allocator, driver, sizeof *driver);
}

static void release_if_last(hd_uv_driver *driver) {
  if (driver->handles_count > 0 || driver->sockets.handles_count > 0) return;
  const hd_uv_core *functions = driver->functions;
  void *core = driver->core;
  release(driver);
  functions->closed(core);
}

static void on_socket_closed(void *context, hd_socket_id socket, void *socket_context) {
  hd_uv_driver *driver = context;
  driver->functions->socket_closed(driver->core, socket, socket_context);
  release_if_last(driver);
}

static void on_ticker_closed(void *context) {
  hd_uv_driver *driver = context;
  driver->handles_count--;
  release_if_last(driver);
}

static void on_handle_closed(uv_handle_t *handle) {
  on_ticker_closed(handle->data);
}

/* Neither the timer nor the drain keeps a loop running that has nothing else to wait for; open sockets do. */
static void init_handles(hd_uv_driver *driver) {
  uv_timer_init(driver->loop, &driver->timer);
  uv_idle_init(driver->loop, &driver->soon);
  driver->timer.data = driver->soon.data = driver;
  uv_unref((uv_handle_t *)&driver->timer);
  hd_uv_ticker_init(&driver->ticker, driver->loop, on_tick, driver);
  driver->handles_count = 3;
}

int hd_uv_driver_create(uv_loop_t *loop, const hd_allocator *allocator, hd_uv_send_call send_call,
                        const hd_uv_core *functions, void *core, hd_uv_driver **driver) {
  static const hd_uv_sockets_handler handler = {
      .on_readable = on_readable, .on_writable = on_writable, .on_closed = on_socket_closed};
  hd_uv_driver *created = hd_allocate_zeroed(allocator, sizeof *created);
  if (created == NULL) return HDHT_ERR_OUT_OF_MEMORY;
  created->allocator = allocator;
  created->functions = functions;
  created->core = core;
  created->loop = loop;
  created->deadline = HD_TIME_NEVER;
  created->timer_due_ms = TIMER_OFF;
  hd_uv_sockets_init(&created->sockets, loop, allocator, &handler, created);
  if (hd_uv_receiver_create(allocator, &created->receiver) != HDHT_OK ||
      hd_uv_sender_create(allocator, send_call, &created->sender) != HDHT_OK) {
    release(created);
    return HDHT_ERR_OUT_OF_MEMORY;
  }
  init_handles(created);
  *driver = created;
  return HDHT_OK;
}

void hd_uv_driver_close(hd_uv_driver *driver) {
  if (driver->is_closing) return;
  driver->is_closing = true;
  hd_uv_sockets_close_all(&driver->sockets);
  if (!hd_uv_ticker_close(&driver->ticker, on_ticker_closed)) driver->handles_count--;
  uv_close((uv_handle_t *)&driver->timer, on_handle_closed);
  uv_close((uv_handle_t *)&driver->soon, on_handle_closed);
}

/* ---- sockets --------------------------------------------------------------------------------------------------- */

int hd_uv_driver_open_socket(hd_uv_driver *driver, const hd_uv_socket_options *options, void *context,
                             hd_socket_id *socket) {
  if (driver->is_closing) return HDHT_ERR_CLOSED;
  return hd_uv_sockets_open(&driver->sockets, options, context, socket);
}

void hd_uv_driver_close_socket(hd_uv_driver *driver, hd_socket_id socket) {
  hd_uv_polled *polled = hd_uv_sockets_find(&driver->sockets, socket);
  if (polled != NULL) hd_uv_sockets_close(&driver->sockets, polled);
}

void *hd_uv_driver_socket_context(const hd_uv_driver *driver, hd_socket_id socket) {
  const hd_uv_polled *polled = hd_uv_sockets_find(&driver->sockets, socket);
  return polled != NULL ? polled->context : NULL;
}

hd_uv_socket *hd_uv_driver_socket(const hd_uv_driver *driver, hd_socket_id socket) {
  hd_uv_polled *polled = hd_uv_sockets_find(&driver->sockets, socket);
  return polled != NULL ? &polled->socket : NULL;
}

static void note_error(void *context, const hd_datagram_out *out, uint32_t segments_sent, int error) {
  (void)out;
  (void)segments_sent;
  *(int *)context = error;
}

int hd_uv_driver_send(hd_uv_driver *driver, const hd_datagram_out *out) {
  hd_uv_polled *polled = hd_uv_sockets_find(&driver->sockets, out->socket);
  if (polled == NULL) return HDHT_ERR_NOT_FOUND;
  if (polled->is_full) return HDHT_ERR_WOULD_BLOCK;
  int result = HDHT_OK;
  if (!hd_uv_sender_send(driver->sender, &polled->socket, out, 1, note_error, &result)) {
    hd_uv_polled_set_full(polled, true);
  }
  return result;
}
