/* The sockets of one driver: opened, found by their id, polled by the loop, and closed when libuv has let go of them.
 */
#ifndef HD_UV_SOCKETS_H
#define HD_UV_SOCKETS_H

#include <stdbool.h>
#include <uv.h>

#include "base/allocator.h"
#include "base/clock.h"
#include "base/datagram.h"
#include "base/hash_map.h"
#include "base/list.h"
#include "driver_uv/uv_socket.h"

typedef struct hd_uv_sockets hd_uv_sockets;

/* How densely a socket was readable lately. */
typedef struct hd_uv_density {
  hd_time since;
  uint32_t wakeups;
  uint32_t messages;
} hd_uv_density;

/* A socket and its place in the loop. */
typedef struct hd_uv_polled {
  uv_poll_t poll;
  hd_uv_sockets *sockets;
  hd_uv_socket socket;
  hd_socket_id id;
  void *context;     /* the opener's own */
  bool is_full;      /* sends fail until the loop finds it writable; changed by hd_uv_polled_set_full only */
  bool is_held;      /* not polled for reading: somebody looks now and then; changed by hd_uv_polled_set_held only */
  bool is_closing;   /* its id is forgotten already */
  hd_list held_link; /* in hd_uv_sockets.held */
  hd_uv_density density;
} hd_uv_polled;

typedef struct hd_uv_sockets_handler {
  /* The socket is readable, or (while is_full) writable. It may be closed here. */
  void (*on_readable)(void *context, hd_uv_polled *polled);
  void (*on_writable)(void *context, hd_uv_polled *polled);

  /* A socket is gone. */
  void (*on_closed)(void *context, hd_socket_id id, void *socket_context);
} hd_uv_sockets_handler;

struct hd_uv_sockets {
  const hd_allocator *allocator;
  uv_loop_t *loop;
  const hd_uv_sockets_handler *handler;
  void *context;
  hd_hash_map by_id; /* hd_socket_id to hd_uv_polled * */
  hd_list held;
  hd_socket_id last_id;
  uint32_t handles_count; /* closing ones included */
};

/* No sockets; allocates nothing. All arguments are borrowed. */
void hd_uv_sockets_init(hd_uv_sockets *sockets, uv_loop_t *loop, const hd_allocator *allocator,
                        const hd_uv_sockets_handler *handler, void *context);

/* There must be no sockets left, closing ones included. */
void hd_uv_sockets_destroy(hd_uv_sockets *sockets);

/* Opens a socket and polls it. Its id was not used before, or 2^32 sockets ago.
 *
 * Errors: those of hd_uv_socket_open. */
int hd_uv_sockets_open(hd_uv_sockets *sockets, const hd_uv_socket_options *options, void *context, hd_socket_id *id);

/* The socket, or NULL if there is none of this id or it is closing. */
hd_uv_polled *hd_uv_sockets_find(const hd_uv_sockets *sockets, hd_socket_id id);

/* Closes a socket at once and forgets its id. `polled` itself lives until on_closed, which follows from the loop. */
void hd_uv_sockets_close(hd_uv_sockets *sockets, hd_uv_polled *polled);

void hd_uv_sockets_close_all(hd_uv_sockets *sockets);

/* Starts or stops waiting until the socket is writable. */
void hd_uv_polled_set_full(hd_uv_polled *polled, bool is_full);

/* Stops or starts waiting until it is readable. */
void hd_uv_polled_set_held(hd_uv_polled *polled, bool is_held);

#endif
