/* A user of one UDX stream on a simulated host: writes a known sequence of bytes, checks every byte it reads, may
 * dawdle, ends, and remembers how the stream closed. */
#ifndef SIM_UDX_H
#define SIM_UDX_H

#include "sim_network.h"
#include "udx/udx.h"

typedef struct sim_udx_plan {
  uint64_t write_total;    /* bytes to write before the end */
  uint32_t write_size_max; /* each write is 0 to this long */
  double pause;            /* probability per delivery that the reader stops for a while ... */
  hd_duration pause_max;   /* ... up to this long */
  uint32_t messages;       /* unordered messages to send on the way */
  bool ends_at_once;       /* end right after the last write, or only when the other side has ended */
} sim_udx_plan;

typedef struct sim_udx_counting_allocator {
  hd_allocator hook;
  size_t live_bytes;
  size_t peak_bytes;
} sim_udx_counting_allocator;

typedef struct sim_udx_user {
  sim_host *host;
  hd_udx *udx;
  hd_udx_stream *stream; /* NULL once closed */
  hd_socket_id socket;
  sim_udx_plan plan;
  hd_random random;
  sim_udx_counting_allocator memory;

  uint64_t written, read;
  uint64_t writes, writes_acked;
  uint32_t messages_sent, messages_read;
  hd_time resume_at;
  bool has_ended, saw_end, is_closed;
  int close_reason;
  const char *fault; /* the first promise that was broken, or NULL */
  hd_time closed_at;
  hd_udx_stream_stats final_stats;
} sim_udx_user;

/* Makes a host with one socket and an instance with one stream, not connected yet. */
void sim_udx_user_create(sim_udx_user *user, sim_network *network, const sim_host_options *host, uint32_t local_id,
                         const hd_udx_stream_options *options, const sim_udx_plan *plan, uint64_t seed);

/* Connects the two to each other and starts them. */
void sim_udx_connect(sim_udx_user *a, sim_udx_user *b);

/* Frees the instance; the host stays with the network. */
void sim_udx_user_destroy(sim_udx_user *user);

#endif
