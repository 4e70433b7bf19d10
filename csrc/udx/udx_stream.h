/* One stream: its parts, its life cycle, and the order in which the parts run. Packets come in through udx_input and go
 * out through udx_output; here is what the user commands and what the user is told.
 *
 *   created -> connected -> (ended on either side) -> closing -> gone, perhaps leaving a ghost
 *
 * A closing stream takes no packets and sends none; it waits for hd_udx_stream_settle to make the last callback. */
#ifndef HD_UDX_STREAM_H
#define HD_UDX_STREAM_H

#include "udx/udx.h"
#include "udx/udx_ack.h"
#include "udx/udx_congestion.h"
#include "udx/udx_flow.h"
#include "udx/udx_ghost.h"
#include "udx/udx_instance.h"
#include "udx/udx_keepalive.h"
#include "udx/udx_loss.h"
#include "udx/udx_messages.h"
#include "udx/udx_mtu.h"
#include "udx/udx_pacing.h"
#include "udx/udx_receive.h"
#include "udx/udx_recovery.h"
#include "udx/udx_suspicion.h"

#define HD_UDX_IDLE_TRIM_AFTER                                                          \
  HD_SECONDS(2) /* after so long without anything outstanding the arrays are given back \
                 */
#define HD_UDX_STARVED_RETRY    HD_MILLISECONDS(10) /* when there was no memory to send */
#define HD_UDX_WRITE_HIGH_WATER 262144              /* bytes, and what the congestion window needs */

/* What the acknowledgements of one receive batch said so far; judged together in hd_udx_stream_settle. */
typedef struct hd_udx_ack_news {
  bool is_any;
  hd_udx_rate_batch rate;
  hd_duration rtt; /* least of the batch, or HD_DURATION_FOREVER */
  uint64_t prior_in_flight;
} hd_udx_ack_news;

struct hd_udx_stream {
  hd_udx_entry entry; /* first: the table finds streams by it */
  hd_udx *udx;
  const hd_udx_sink *sink;
  void *context;

  /* Where to. */
  hd_socket_id socket;
  uint32_t remote_id;
  hd_address remote;
  hd_address old_remote; /* before the last change */
  uint32_t old_remote_id;
  uint32_t remote_change_mark; /* the change is complete when all before this number is acknowledged */

  /* Where in its life. */
  bool is_connected;
  bool is_closing;
  bool is_end_queued;   /* the user ended */
  bool is_end_sent;     /* END has a number: sent.next - 1 */
  bool is_end_reported; /* on_end was made */
  bool is_remote_changing;
  bool is_remote_changed; /* on_remote_changed is to be made */
  bool is_full;           /* is_writable was false: on_drain is to be made */
  bool is_heartbeat_due;
  bool is_forced;     /* the next data packet ignores window, congestion and pacing: a probe for a lost tail or a
                       * closed window */
  bool is_tail_probe; /* and it is the former */
  bool is_paced;      /* only pacing keeps data from being sent */
  bool is_blocked;    /* in the list of those whose socket is full */
  int close_reason;
  hd_udx_ghost *ghost; /* what a closing stream leaves; NULL: nothing */
  uint64_t writes_reported;
  hd_time trim_at;

  hd_list notify_link; /* something to do in settle */
  hd_list send_link;   /* perhaps something to send */

  hd_udx_send_queue queue;
  hd_udx_sent sent;
  hd_udx_rtt rtt;
  hd_udx_loss loss;
  hd_udx_recovery recovery;
  hd_udx_rate rate;
  hd_udx_ack_news news;
  uint64_t lost_bytes; /* that congestion control has not been told of */
  hd_udx_congestion congestion;
  hd_udx_pacing pacing;
  hd_udx_mtu mtu;

  hd_udx_receiver receiver;
  hd_udx_ack ack;
  hd_udx_flow flow;

  hd_udx_keepalive keepalive;
  hd_udx_suspicion suspicion;
  hd_udx_messages messages;

  /* As a leg of a relay: packets go on to relay_to. The parts above are then unused, except that receiver.next and
   * sent.una follow what is seen, for the DESTROY that ends both legs. */
  hd_udx_stream *relay_to;
  hd_list relay_link;    /* in relay_to's relay_sources */
  hd_list relay_sources; /* streams that relay to this one */

  hd_udx_stream_stats stats;
};

/* Puts the stream on the list for settle, or for next_sends. Closing streams only want the former. */
static inline void hd_udx_stream_want_settle(hd_udx_stream *stream) {
  if (hd_list_is_empty(&stream->notify_link)) hd_list_push_back(&stream->udx->notify, &stream->notify_link);
}

static inline void hd_udx_stream_want_send(hd_udx_stream *stream) {
  if (hd_list_is_empty(&stream->send_link)) hd_list_push_back(&stream->udx->sending, &stream->send_link);
}

/* Begins closing: nothing comes in or goes out from now on. Does nothing when that has begun already. The reason
 * decides what kind of ghost stays: after HDHT_OK with both sides ended, one that repeats the last acknowledgement;
 * after HDHT_ERR_CONNECTION_RESET a silent one; else one that says DESTROY. The other leg of a relay closes too. */
void hd_udx_stream_close(hd_udx_stream *stream, int reason);

/* Gives waiting packets to the reader until it pauses or the stream closes. */
void hd_udx_stream_deliver_waiting(hd_udx_stream *stream);

/* Does the work of a batch and makes the callbacks. The stream may be gone afterwards. */
void hd_udx_stream_settle(hd_udx_stream *stream, hd_time now);

/* Runs the timers that are due. */
void hd_udx_stream_elapse(hd_udx_stream *stream, hd_time now);

/* Sets the one deadline of the stream to the earliest of its timers. */
void hd_udx_stream_arm(hd_udx_stream *stream, hd_time now);

/* Whether all that was sent is acknowledged. */
static inline bool hd_udx_stream_has_outstanding(const hd_udx_stream *stream) {
  return hd_udx_sent_count(&stream->sent) > 0;
}

/* Whether the user queued something that has no packet yet. */
static inline bool hd_udx_stream_has_unsent(const hd_udx_stream *stream) {
  return hd_udx_send_queue_has_unsent(&stream->queue) || (stream->is_end_queued && !stream->is_end_sent);
}

/* The header of a packet sent now; flags and data_offset 0, seq the next number. Remembers the window it advertises. */
hd_udx_header hd_udx_stream_header(hd_udx_stream *stream);

/* Frees the stream without a callback. */
void hd_udx_stream_free(hd_udx_stream *stream);

#endif
