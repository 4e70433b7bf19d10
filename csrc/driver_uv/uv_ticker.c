#include "driver_uv/uv_ticker.h"

#include <unistd.h>

#if defined(__linux__)
#include <sys/timerfd.h>
#endif

void hd_uv_ticker_init(hd_uv_ticker *ticker, uv_loop_t *loop, void (*on_tick)(void *context), void *context) {
  *ticker = (hd_uv_ticker){.loop = loop, .on_tick = on_tick, .context = context, .descriptor = -1};
}

#if defined(__linux__)

static void set_interval(hd_uv_ticker *ticker, long interval_us) {
  const struct timespec interval = {.tv_nsec = interval_us * 1000};
  timerfd_settime(ticker->descriptor, 0, &(struct itimerspec){.it_interval = interval, .it_value = interval}, NULL);
}

static void on_poll(uv_poll_t *poll, int status, int events) {
  (void)status;
  (void)events;
  hd_uv_ticker *ticker = poll->data;
  uint64_t expirations; /* ticks that were missed are not made up for */
  if (read(ticker->descriptor, &expirations, sizeof expirations) < 0 || !ticker->is_on) return;
  ticker->on_tick(ticker->context);
}

/* Returns whether there is a timer. */
static bool open_timer(hd_uv_ticker *ticker) {
  if (ticker->descriptor >= 0) return true;
  const int descriptor = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
  if (descriptor < 0) return false;
  if (uv_poll_init(ticker->loop, &ticker->poll, descriptor) != 0) {
    close(descriptor);
    return false;
  }
  ticker->descriptor = descriptor;
  ticker->poll.data = ticker;
  uv_poll_start(&ticker->poll, UV_READABLE, on_poll);
  return true;
}

bool hd_uv_ticker_start(hd_uv_ticker *ticker) {
  if (ticker->is_on) return true;
  if (!open_timer(ticker)) return false;
  set_interval(ticker, HD_UV_TICK_US);
  uv_ref((uv_handle_t *)&ticker->poll);
  ticker->is_on = true;
  return true;
}

void hd_uv_ticker_stop(hd_uv_ticker *ticker) {
  if (!ticker->is_on) return;
  set_interval(ticker, 0);
  uv_unref((uv_handle_t *)&ticker->poll);
  ticker->is_on = false;
}

#else

bool hd_uv_ticker_start(hd_uv_ticker *ticker) {
  (void)ticker;
  return false;
}

void hd_uv_ticker_stop(hd_uv_ticker *ticker) {
  (void)ticker;
}

#endif

static void on_poll_closed(uv_handle_t *handle) {
  hd_uv_ticker *ticker = handle->data;
  ticker->on_closed(ticker->context);
}

bool hd_uv_ticker_close(hd_uv_ticker *ticker, void (*on_closed)(void *context)) {
  ticker->is_on = false;
  if (ticker->descriptor < 0) return false;
  ticker->on_closed = on_closed;
  uv_close((uv_handle_t *)&ticker->poll, on_poll_closed);
  close(ticker->descriptor);
  return true;
}
