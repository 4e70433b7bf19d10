#include "holepunch/punch_throttle.h"

#include <hdht/error.h>

#include "base/assertion.h"

void hd_punch_throttle_init(hd_punch_throttle *throttle, hd_duration pause, hd_time now, bool deferred) {
  *throttle = (hd_punch_throttle){.pause = pause, .free_at = deferred ? hd_time_add(now, pause) : (hd_time){0}};
  hd_list_init(&throttle->line);
}

void hd_punch_waiter_init(hd_punch_waiter *waiter, void *context) {
  *waiter = (hd_punch_waiter){.context = context};
  hd_list_init(&waiter->link);
}

static bool is_in_line(const hd_punch_waiter *waiter) {
  return !hd_list_is_empty(&waiter->link);
}

int hd_punch_throttle_enter(hd_punch_throttle *throttle, hd_punch_waiter *waiter, hd_punch_strategy strategy,
                            hd_time now) {
  if (strategy == HD_PUNCH_RANDOM_PORTS && !waiter->holds_guesses) {
    if (throttle->guesses_count == HD_PUNCH_RANDOM_GUESSES_LIMIT) return HDHT_ERR_WOULD_BLOCK;
    throttle->guesses_count++;
    waiter->holds_guesses = true;
  }
  if (strategy == HD_PUNCH_MANY_SOCKETS && !waiter->holds_sockets) {
    const bool is_free = !throttle->is_busy && throttle->line_count == 0 && hd_time_is_due(throttle->free_at, now);
    if (!is_free) return HDHT_ERR_WOULD_BLOCK;
    throttle->is_busy = true;
    waiter->holds_sockets = true;
  }
  return HDHT_OK;
}

int hd_punch_throttle_queue(hd_punch_throttle *throttle, hd_punch_waiter *waiter) {
  hd_assert(!is_in_line(waiter) && !waiter->holds_sockets);
  if (throttle->line_count == HD_PUNCH_RANDOM_LINE_LIMIT) return HDHT_ERR_LIMIT;
  throttle->line_count++;
  hd_list_push_back(&throttle->line, &waiter->link);
  return HDHT_OK;
}

hd_time hd_punch_throttle_expected(const hd_punch_throttle *throttle) {
  return throttle->is_busy || throttle->line_count > 0 ? HD_TIME_NEVER : throttle->free_at;
}

static void leave_line(hd_punch_throttle *throttle, hd_punch_waiter *waiter) {
  hd_assert(throttle->line_count > 0);
  throttle->line_count--;
  hd_list_remove(&waiter->link);
}

void hd_punch_throttle_leave(hd_punch_throttle *throttle, hd_punch_waiter *waiter, hd_time now, bool has_punched) {
  if (is_in_line(waiter)) leave_line(throttle, waiter);
  if (waiter->holds_guesses) throttle->guesses_count--;
  if (waiter->holds_sockets) {
    throttle->is_busy = false;
    if (has_punched) throttle->free_at = hd_time_add(now, throttle->pause);
  }
  waiter->holds_guesses = waiter->holds_sockets = false;
}

hd_time hd_punch_throttle_deadline(const hd_punch_throttle *throttle) {
  return throttle->is_busy || throttle->line_count == 0 ? HD_TIME_NEVER : throttle->free_at;
}

hd_punch_waiter *hd_punch_throttle_next(hd_punch_throttle *throttle, hd_time now) {
  if (!hd_time_is_due(hd_punch_throttle_deadline(throttle), now)) return NULL;
  hd_punch_waiter *next = HD_CONTAINER_OF(hd_list_first(&throttle->line), hd_punch_waiter, link);
  leave_line(throttle, next);
  throttle->is_busy = true;
  next->holds_sockets = true;
  return next;
}
