/* The inside of an hd_udx: what its streams share. */
#ifndef HD_UDX_INSTANCE_H
#define HD_UDX_INSTANCE_H

#include "base/list.h"
#include "udx/udx.h"
#include "udx/udx_ghost.h"
#include "udx/udx_pool.h"
#include "udx/udx_relay.h"
#include "udx/udx_scratch.h"
#include "udx/udx_streams.h"

#define HD_UDX_BUFFERED_LIMIT_DEFAULT ((uint64_t)256 << 20)

/* A list of the sockets that are full. Nearly always empty. */
typedef struct hd_udx_blocked {
  hd_socket_id *sockets;
  uint32_t count;
  uint32_t capacity;
} hd_udx_blocked;

struct hd_udx {
  const hd_allocator *allocator;
  hd_udx_pool pool;
  hd_udx_streams streams;
  size_t streams_count;
  size_t streams_limit;
  size_t ghosts_count;
  hd_deadline_heap deadlines;
  hd_list notify;         /* streams with something for settle */
  hd_list sending;        /* streams with perhaps something to send, taken in turns */
  hd_list blocked;        /* streams whose socket is full */
  hd_list ghosts;         /* oldest first */
  hd_list ghosts_sending; /* those with a packet to send */
  hd_udx_relay relay;
  hd_udx_blocked blocked_sockets;
  hd_udx_scratch scratch;
  void *spent_blocks; /* whose bytes were handed out by the last next_sends; linked by their first bytes */
  bool is_calling;    /* inside a callback's function: receive or settle */
  hd_udx_stats stats;
};

/* Keeps a pool block until the datagrams that point into it are no longer borrowed. */
void hd_udx_spend_block(hd_udx *udx, void *block);

/* Gives a closed stream's id to its ghost; the oldest ghost leaves when there are too many. */
void hd_udx_adopt_ghost(hd_udx *udx, hd_udx_ghost *ghost, hd_time now);
void hd_udx_forget_ghost(hd_udx *udx, hd_udx_ghost *ghost);

bool hd_udx_socket_is_blocked(const hd_udx *udx, hd_socket_id socket);

#endif
