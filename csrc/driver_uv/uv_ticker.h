/* A clock that ticks on the loop at intervals far below libuv's millisecond, while it is on. For the times when packets
 * come in so fast that waking up for each is the greater part of the work: looking once per tick finds them in batches.
 *
 * Only where the system has such a timer as a descriptor (Linux); elsewhere it cannot be started. */
#ifndef HD_UV_TICKER_H
#define HD_UV_TICKER_H

#include <stdbool.h>
#include <uv.h>

#define HD_UV_TICK_US 200

typedef struct hd_uv_ticker {
  uv_loop_t *loop;
  void (*on_tick)(void *context);
  void (*on_closed)(void *context);
  void *context;
  uv_poll_t poll;
  int descriptor; /* -1 until it was first started */
  bool is_on;
} hd_uv_ticker;

/* Off. All arguments are borrowed. */
void hd_uv_ticker_init(hd_uv_ticker *ticker, uv_loop_t *loop, void (*on_tick)(void *context), void *context);

/* Returns whether it ticks now. The loop runs on as long as it does. */
bool hd_uv_ticker_start(hd_uv_ticker *ticker);

void hd_uv_ticker_stop(hd_uv_ticker *ticker);

/* Ends it. Returns false if there is nothing to wait for; otherwise `on_closed` follows from the loop, before which the
 * struct must stay. */
bool hd_uv_ticker_close(hd_uv_ticker *ticker, void (*on_closed)(void *context));

#endif
