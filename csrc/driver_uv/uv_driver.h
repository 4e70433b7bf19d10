/* Runs a sans-I/O core on a libuv loop: sockets, the clock and one timer. What the core is, the driver does not know;
 * it gives it what arrived and what time it is, and takes from it what to send and when to wake up.
 *
 * The drain rule. Whatever happened to the core, a batch of datagrams, the deadline or commands of the user, is
 * followed by: settle, all sends, the deadline. So datagrams are answered once per batch, and commands of one turn of
 * the loop share datagrams. Users announce commands with hd_uv_driver_touch; a command given inside a callback of the
 * core needs no announcement.
 *
 * Fairness. One wake-up of a socket takes at most HD_UV_RECEIVE_BATCHES_MAX batches, and one drain sends at most about
 * HD_UV_DRAIN_BYTES_MAX bytes; then everything else on the loop has its turn first.
 *
 * Everything is called on the loop's thread. */
#ifndef HD_UV_DRIVER_H
#define HD_UV_DRIVER_H

#include <stdbool.h>
#include <stddef.h>
#include <uv.h>

#include "base/allocator.h"
#include "base/clock.h"
#include "base/datagram.h"
#include "driver_uv/uv_send.h"
#include "driver_uv/uv_socket.h"

#define HD_UV_RECEIVE_BATCHES_MAX 4
#define HD_UV_DRAIN_BYTES_MAX     0x400000

/* The core, as the driver sees it. Each function gets the core first. They may call the driver, to open and close
 * sockets or to close it; none of them is called again once hd_uv_driver_close was, except those that say so. */
typedef struct hd_uv_core {
  /* Something arrived. The bytes are good until next_sends has returned 0. May be joined (hd_datagram_next_segment). */
  void (*receive)(void *core, hd_time now, const hd_datagram *datagram);

  /* The deadline has passed. */
  void (*elapse)(void *core, hd_time now);

  /* Ends a batch of receives, an elapse, or commands: events are told to their users here. */
  void (*settle)(void *core, hd_time now);

  /* What to send now: up to `outs_capacity` of them, 0 when there is nothing more. They live until the next call of any
   * of these functions except send_result. */
  size_t (*next_sends)(void *core, hd_time now, hd_datagram_out *outs, size_t outs_capacity);

  /* Of `out`, which the last next_sends gave, only the first `segments_sent` datagrams left. `error` as in
   * hd_uv_unsent. */
  void (*send_result)(void *core, hd_time now, const hd_datagram_out *out, uint32_t segments_sent, int error);

  /* A socket for which send_result said HDHT_ERR_WOULD_BLOCK takes datagrams again. */
  void (*socket_writable)(void *core, hd_time now, hd_socket_id socket);

  /* When elapse wants to be called. Asked after next_sends has returned 0. */
  hd_time (*deadline)(void *core);

  /* A socket that hd_uv_driver_close_socket closed is gone; also called after hd_uv_driver_close. */
  void (*socket_closed)(void *core, hd_socket_id socket, void *socket_context);

  /* The driver is gone: the last call. */
  void (*closed)(void *core);
} hd_uv_core;

typedef struct hd_uv_driver hd_uv_driver;

/* loop       runs the driver; outlives it
 * allocator  borrowed
 * send_call  hd_uv_send_messages, except in tests
 * functions  borrowed, for the driver's life
 *
 * Errors: HDHT_ERR_OUT_OF_MEMORY. */
int hd_uv_driver_create(uv_loop_t *loop, const hd_allocator *allocator, hd_uv_send_call send_call,
                        const hd_uv_core *functions, void *core, hd_uv_driver **driver);

/* Closes all sockets, then the driver; `closed` follows from the loop, and then everything is freed. What the core
 * still wants to send is not sent. */
void hd_uv_driver_close(hd_uv_driver *driver);

/* The time now, as the core knows it. */
hd_time hd_uv_driver_now(const hd_uv_driver *driver);

/* Tells that commands were given to the core: it is drained before the loop waits again. */
void hd_uv_driver_touch(hd_uv_driver *driver);

/* ---- sockets --------------------------------------------------------------------------------------------------- */

/* Opens a socket and starts receiving.
 *
 * context  given back by hd_uv_driver_socket_context and with socket_closed
 *
 * Errors: those of hd_uv_socket_open, HDHT_ERR_CLOSED. */
int hd_uv_driver_open_socket(hd_uv_driver *driver, const hd_uv_socket_options *options, void *context,
                             hd_socket_id *socket);

/* Closes a socket: nothing arrives or leaves any more, and socket_closed follows from the loop. Its id means nothing to
 * the functions below then. Ids that are unknown are ignored. */
void hd_uv_driver_close_socket(hd_uv_driver *driver, hd_socket_id socket);

/* What was given to open_socket; NULL for an id that is unknown. */
void *hd_uv_driver_socket_context(const hd_uv_driver *driver, hd_socket_id socket);

/* The socket itself, to look at or to set its TTL; NULL for an id that is unknown. Good until it is closed. */
hd_uv_socket *hd_uv_driver_socket(const hd_uv_driver *driver, hd_socket_id socket);

/* Sends one datagram at once, past the core. `out->socket` says from where.
 *
 * Errors: those of hd_uv_unsent, HDHT_ERR_NOT_FOUND (no such socket). After HDHT_ERR_WOULD_BLOCK, socket_writable
 * tells when to try again. */
int hd_uv_driver_send(hd_uv_driver *driver, const hd_datagram_out *out);

#endif
