/* UDX: ordered byte streams and unordered messages over UDP, as libudx speaks it, without sockets, clocks or threads.
 *
 * One hd_udx holds all streams of one node and finds them by the 32-bit id that this side chose. It only ever sees
 * datagrams, the time, and commands; datagrams that are no UDX packet of a stream here belong to somebody else.
 *
 * Driving it. The owner keeps to one order, however the work arrives:
 *
 *   1. for each datagram of a receive batch: hd_udx_receive;  and/or hd_udx_elapse when the deadline has passed;
 *      and/or any commands (write, connect, destroy, ...);
 *   2. hd_udx_settle: once. It does what is worth doing once per batch (loss detection, congestion control) and makes
 *      the callbacks that are not about single packets;
 *   3. hd_udx_next_sends until it returns 0: takes everything there is to send now, acknowledgements included;
 *   4. hd_udx_deadline: when to wake up for hd_udx_elapse.
 *
 * So each receive batch is acknowledged once per stream, in step 3, and small writes of one turn share packets.
 *
 * Callbacks. The core calls a stream's sink directly instead of queueing events, because received bytes lie in the
 * driver's buffer and nothing short of copying them could outlive hd_udx_receive. What queued events would guarantee
 * holds all the same:
 *   - callbacks are made only inside hd_udx_receive (on_firewall, on_data, on_message) and hd_udx_settle (all of them),
 *     never inside a command, hd_udx_elapse, or hd_udx_next_sends;
 *   - a callback is the last thing a step does, so the state is consistent;
 *   - inside it every command may be called on every stream, destroy included. Only the functions of the list above
 *     and hd_udx_destroy may not.
 *
 * Lifetime. A stream lives from hd_udx_stream_create until its on_close returns; that is its last callback and comes
 * exactly once, whatever ended it. hd_udx_stream_destroy only starts that. */
#ifndef HD_UDX_H
#define HD_UDX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/allocator.h"
#include "base/clock.h"
#include "base/datagram.h"

#define HD_UDX_HEADER_SIZE         20
#define HD_UDX_DATAGRAM_SIZE_MAX   2048 /* the reference truncates anything longer and takes it for complete */
#define HD_UDX_MTU_BASE            1200 /* bytes of IP packet; every path is assumed to carry this */
#define HD_UDX_MTU_CEILING_DEFAULT 1500
#define HD_UDX_MTU_CEILING_MAX     2076           /* a datagram of HD_UDX_DATAGRAM_SIZE_MAX over IPv4 */
#define HD_UDX_SPAN_LIMIT          65536          /* packet numbers between the oldest and the newest outstanding one */
#define HD_UDX_WRITES_LIMIT        65536          /* parts of writes queued or unacknowledged per stream */
#define HD_UDX_WRITE_SIZE_MAX      0x40000000     /* bytes of one part of a write */
#define HD_UDX_MESSAGES_LIMIT      64             /* unordered messages waiting to be sent per stream */
#define HD_UDX_GHOSTS_LIMIT        4096           /* closed streams that are still answered for */
#define HD_UDX_RELAYED_LIMIT       4096           /* datagrams waiting to be relayed, whole instance */
#define HD_UDX_WINDOW_DEFAULT      0x400000       /* 4 MiB: what the reference advertises */
#define HD_UDX_WINDOW_MAX_DEFAULT  0x2000000      /* 32 MiB */
#define HD_UDX_PATIENCE_DEFAULT    HD_SECONDS(13) /* as long as the reference holds out */

typedef struct hd_udx hd_udx;
typedef struct hd_udx_stream hd_udx_stream;

/* ---- the instance ---------------------------------------------------------------------------------------------- */

typedef struct hd_udx_options {
  const hd_allocator *allocator; /* NULL: the system's. Borrowed for the instance's life */
  uint64_t seed[2];              /* from the system's entropy, against chosen collisions of ids */
  uint32_t streams_limit;        /* 0: no limit */
  uint64_t buffered_limit;       /* bytes of received data held for all streams; 0: 256 MiB. Beyond it, packets that
                                  * would have to be held are dropped, unacknowledged */
} hd_udx_options;

/* Makes an instance without streams.
 *
 * Errors: HDHT_ERR_OUT_OF_MEMORY. */
int hd_udx_create(const hd_udx_options *options, hd_udx **udx);

/* Frees the instance and its streams. No callback is made and nothing is sent; to leave politely, destroy the streams,
 * drain, and then call this. */
void hd_udx_destroy(hd_udx *udx);

typedef enum hd_udx_received {
  HD_UDX_NOT_MINE, /* no UDX packet of a stream here: the caller looks at it further */
  HD_UDX_CONSUMED, /* belonged to a stream here, even if it was then dropped for cause */
} hd_udx_received;

/* Takes one datagram (of a joined one, one segment: hd_datagram_next_segment). Calls on_firewall, on_data and
 * on_message of the stream it belongs to.
 *
 * The bytes are borrowed during the call. Only if a stream relays (hd_udx_stream_relay_to) they must stay until
 * hd_udx_next_sends has returned 0, for they are forwarded without a copy. */
hd_udx_received hd_udx_receive(hd_udx *udx, hd_time now, const hd_datagram *datagram);

/* Runs the timers that are due. */
void hd_udx_elapse(hd_udx *udx, hd_time now);

/* Ends a batch of receives, an elapse, or commands; see the top. Makes all pending callbacks. */
void hd_udx_settle(hd_udx *udx, hd_time now);

/* Takes what is to be sent at `now`.
 *
 * outs  [out] up to `outs_capacity` datagrams or batches. They and all they point to are good until the next call of
 *       any function of this file except hd_udx_send_result
 *
 * Returns how many were filled. Call again until it is 0. */
size_t hd_udx_next_sends(hd_udx *udx, hd_time now, hd_datagram_out *outs, size_t outs_capacity);

/* Tells that of `out`, taken by the last hd_udx_next_sends, only the first `segments_sent` datagrams left. Needed only
 * when that is not all of them. By `error`:
 *
 *   HDHT_ERR_WOULD_BLOCK   the socket is full: its streams pause until hd_udx_socket_writable. What did not leave is
 *                          sent again then, and nothing is counted as lost;
 *   HDHT_ERR_TOO_LARGE     larger than the path takes (EMSGSIZE): the path MTU is lowered and the rest is tried again;
 *   anything else          lost on the way, as far as the streams are concerned; counted. */
void hd_udx_send_result(hd_udx *udx, hd_time now, const hd_datagram_out *out, uint32_t segments_sent, int error);

/* The socket takes datagrams again. Follow with steps 2 to 4. */
void hd_udx_socket_writable(hd_udx *udx, hd_socket_id socket);

/* When hd_udx_elapse wants to be called: valid after hd_udx_next_sends has returned 0. HD_TIME_NEVER for never. */
hd_time hd_udx_deadline(const hd_udx *udx);

/* Streams that live, closing ones included; ghosts not. */
size_t hd_udx_streams_count(const hd_udx *udx);

/* Whether a stream, or what is left of one that closed a moment ago, has this local id. */
bool hd_udx_has_id(hd_udx *udx, uint32_t local_id);

/* How many streams send from `socket`: it should not be closed while there are any. O(streams). */
size_t hd_udx_socket_streams_count(const hd_udx *udx, hd_socket_id socket);

/* ---- streams: making and ending -------------------------------------------------------------------------------- */

/* What a stream tells its user. Any member may be NULL. `bytes` are borrowed during the callback. */
typedef struct hd_udx_sink {
  /* A packet came in on another socket than the stream is connected on, or the stream is not connected yet. True lets
   * it in. The stream may be connected or destroyed here. Without it such packets are dropped, as udx-native does. */
  bool (*on_firewall)(void *context, hd_udx_stream *stream, hd_socket_id socket, const hd_address *from);

  /* The next bytes of the stream, in order. A packet without payload gives an empty span. */
  void (*on_data)(void *context, hd_udx_stream *stream, hd_bytes bytes);

  /* An unordered message. */
  void (*on_message)(void *context, hd_udx_stream *stream, hd_bytes bytes);

  /* All bytes the other side wrote were delivered; there are no more. */
  void (*on_end)(void *context, hd_udx_stream *stream);

  /* The first `writes_count` writes of this stream's life are acknowledged: their buffers are the user's again. Grows
   * with each call. (Writes complete in order here, also when later bytes arrived first.) */
  void (*on_acked)(void *context, hd_udx_stream *stream, uint64_t writes_count);

  /* The stream is writable again after hd_udx_stream_is_writable was false. */
  void (*on_drain)(void *context, hd_udx_stream *stream);

  /* Everything sent before the last hd_udx_stream_change_remote has been acknowledged. */
  void (*on_remote_changed)(void *context, hd_udx_stream *stream);

  /* The last callback. `reason` is HDHT_OK when both sides ended or hd_udx_stream_destroy was called,
   * HDHT_ERR_CONNECTION_RESET when the other side destroyed the stream, HDHT_ERR_TIMED_OUT when it stopped answering.
   * Writes that were not acknowledged are cancelled: their buffers are the user's again. */
  void (*on_close)(void *context, hd_udx_stream *stream, int reason);
} hd_udx_sink;

typedef struct hd_udx_stream_options {
  uint32_t window;       /* bytes first advertised; 0: HD_UDX_WINDOW_DEFAULT */
  uint32_t window_max;   /* bytes it may grow to while the reader keeps up; 0: HD_UDX_WINDOW_MAX_DEFAULT, at least
                          * `window` */
  uint16_t mtu_ceiling;  /* bytes of IP packet, up to HD_UDX_MTU_CEILING_MAX; 0: HD_UDX_MTU_CEILING_DEFAULT; values up
                          * to HD_UDX_MTU_BASE switch discovery off */
  hd_duration patience;  /* how long data may go unacknowledged; 0: HD_UDX_PATIENCE_DEFAULT */
  hd_duration keepalive; /* see hd_udx_stream_set_keepalive; 0: none */
  uint32_t send_seq;     /* initial packet number of this side ... */
  uint32_t receive_seq;  /* ... and of the other. Both are 0 with the reference */
} hd_udx_stream_options;

/* Makes a stream that can receive (after on_firewall) but not send.
 *
 * local_id  what the other side puts into its packets: unique here, and best not guessable
 * options   NULL for the defaults; copied
 * sink      borrowed for the stream's life; `context` is passed back
 *
 * Errors: HDHT_ERR_EXISTS, HDHT_ERR_LIMIT, HDHT_ERR_OUT_OF_MEMORY. */
int hd_udx_stream_create(hd_udx *udx, uint32_t local_id, const hd_udx_stream_options *options, const hd_udx_sink *sink,
                         void *context, hd_udx_stream **stream);

/* Sets where to send. Nothing is sent by that, except the acknowledgement of what came before.
 *
 * Errors: HDHT_ERR_INVALID_ARGUMENT (no address or port 0, HD_SOCKET_NONE), HDHT_ERR_ALREADY_CONNECTED,
 * HDHT_ERR_CLOSED, HDHT_ERR_OUT_OF_MEMORY. */
int hd_udx_stream_connect(hd_udx_stream *stream, hd_socket_id socket, const hd_address *remote, uint32_t remote_id);

/* Half-closes: no write may follow. The stream closes when both sides have ended and all was acknowledged and read.
 *
 * Errors: HDHT_ERR_NOT_CONNECTED, HDHT_ERR_ENDED, HDHT_ERR_CLOSED, HDHT_ERR_INVALID_STATE (it relays). */
int hd_udx_stream_end(hd_udx_stream *stream);

/* Ends the stream at once and tells the other side (unless it relays). on_close(HDHT_OK) follows from hd_udx_settle.
 * Destroying a leg of a relay destroys the other leg as well and tells both ends. Does nothing to a closed stream. */
void hd_udx_stream_destroy(hd_udx_stream *stream);

/* ---- sending --------------------------------------------------------------------------------------------------- */

/* Queues one write. Its bytes are not copied: they belong to the core until on_acked has counted this write or on_close
 * came. A write of no bytes is sent as an empty packet. Never refuses for flow control: the user asks is_writable and
 * awaits on_drain.
 *
 * parts         the bytes, in this order; the array itself is copied
 *
 * Errors: HDHT_ERR_NOT_CONNECTED, HDHT_ERR_ENDED, HDHT_ERR_CLOSED, HDHT_ERR_INVALID_STATE (it relays),
 * HDHT_ERR_TOO_LARGE (HD_UDX_WRITE_SIZE_MAX), HDHT_ERR_LIMIT (HD_UDX_WRITES_LIMIT), HDHT_ERR_OUT_OF_MEMORY; nothing is
 * queued then. */
int hd_udx_stream_write(hd_udx_stream *stream, const hd_bytes *parts, size_t parts_count);

/* False while more than a high-water mark (256 KiB plus what the congestion window needs) awaits acknowledgement. */
bool hd_udx_stream_is_writable(const hd_udx_stream *stream);

/* Bytes written and not yet acknowledged. */
uint64_t hd_udx_stream_unacked_bytes(const hd_udx_stream *stream);

/* Sends one message, which may get lost, doubled or overtake others. Copied.
 *
 * Errors: HDHT_ERR_NOT_CONNECTED, HDHT_ERR_CLOSED, HDHT_ERR_INVALID_STATE (it relays), HDHT_ERR_TOO_LARGE
 * (hd_udx_stream_message_size_max), HDHT_ERR_WOULD_BLOCK (HD_UDX_MESSAGES_LIMIT), HDHT_ERR_OUT_OF_MEMORY. */
int hd_udx_stream_send_message(hd_udx_stream *stream, hd_bytes bytes);

/* The longest message that the path is known to carry. Before connect: what every path carries. */
size_t hd_udx_stream_message_size_max(const hd_udx_stream *stream);

/* Sends a heartbeat whenever the stream was idle for `period`; 0 stops it. With `misses_limit` > 0 the stream closes
 * with HDHT_ERR_TIMED_OUT when that many in a row found no answer; with 0 nothing is concluded from silence. */
void hd_udx_stream_set_keepalive(hd_udx_stream *stream, hd_duration period, uint32_t misses_limit);

/* ---- receiving ------------------------------------------------------------------------------------------------- */

/* Stops on_data and on_end. What arrives is held here and the window closes. */
void hd_udx_stream_pause(hd_udx_stream *stream);

/* Starts them again; what was held is delivered by hd_udx_settle, and the other side is told that the window opened. */
void hd_udx_stream_resume(hd_udx_stream *stream);

/* Tells how many delivered bytes the user still holds; they reduce the advertised window. */
void hd_udx_stream_set_held_bytes(hd_udx_stream *stream, uint64_t held_bytes);

/* ---- paths ----------------------------------------------------------------------------------------------------- */

/* Moves the stream to another socket, address and remote id. What is sent from now on goes there; what was sent before
 * is first repeated to where it went, as the reference does, and after a time-out to the new remote.
 * on_remote_changed follows when all of that is acknowledged.
 *
 * Errors: HDHT_ERR_INVALID_ARGUMENT, HDHT_ERR_NOT_CONNECTED, HDHT_ERR_CLOSED. */
int hd_udx_stream_change_remote(hd_udx_stream *stream, hd_socket_id socket, const hd_address *remote,
                                uint32_t remote_id);

/* Forwards every packet that passes the firewall of `stream` to the remote of `to`, with only the id changed. The other
 * direction is a second call with the streams exchanged. Nothing is acknowledged or kept here. A DESTROY is forwarded
 * and closes both legs.
 *
 * Errors: HDHT_ERR_INVALID_ARGUMENT (same stream or another instance), HDHT_ERR_EXISTS (relays already),
 * HDHT_ERR_INVALID_STATE (has data of its own under way), HDHT_ERR_CLOSED. */
int hd_udx_stream_relay_to(hd_udx_stream *stream, hd_udx_stream *to);

/* ---- looking at a stream --------------------------------------------------------------------------------------- */

typedef struct hd_udx_stream_stats {
  uint64_t packets_received, bytes_received; /* all packets of this stream; datagram bytes */
  uint64_t packets_sent, bytes_sent;
  uint64_t retransmits;   /* data packets sent again */
  uint64_t losses;        /* data packets taken for lost */
  uint64_t timeouts;      /* retransmission time-outs */
  uint64_t tail_probes;   /* TLP */
  uint64_t recoveries;    /* fast recoveries entered */
  uint64_t window_probes; /* zero-window probes */
  uint64_t duplicates;    /* data packets received again */

  /* Packets dropped, by reason. */
  uint64_t dropped_firewall;
  uint64_t dropped_malformed;  /* extension area longer than the packet; truncated */
  uint64_t dropped_far_future; /* numbers too far ahead */
  uint64_t dropped_no_room;    /* no buffer, range or budget left for data out of order or held */
  uint64_t dropped_destroy;    /* DESTROY from elsewhere, or with numbers that do not fit */
  uint64_t dropped_ended;      /* data beyond the end */
  uint64_t bad_acks;           /* acknowledgements of what was never sent */
  uint64_t bad_sacks;          /* blocks that are reversed or outside what was sent */
  uint64_t send_errors;

  /* Now. */
  uint64_t smoothed_rtt_us, min_rtt_us; /* 0 before the first sample */
  uint64_t bandwidth;                   /* estimated, bytes per second */
  uint64_t congestion_window;           /* bytes */
  uint64_t in_flight;                   /* bytes */
  uint32_t send_window, receive_window; /* bytes: the peer's, and what was last advertised */
  uint32_t mtu;                         /* bytes of IP packet */
} hd_udx_stream_stats;

void hd_udx_stream_get_stats(const hd_udx_stream *stream, hd_udx_stream_stats *stats);

typedef struct hd_udx_stats {
  uint64_t packets_received, bytes_received;
  uint64_t packets_sent, bytes_sent;
  uint64_t packets_relayed, relay_drops;
  uint64_t ghost_answers;  /* packets for closed streams that were answered */
  uint64_t buffered_bytes; /* now held for all streams, memory included that the packets waste */
} hd_udx_stats;

void hd_udx_get_stats(const hd_udx *udx, hd_udx_stats *stats);

uint32_t hd_udx_stream_local_id(const hd_udx_stream *stream);
uint32_t hd_udx_stream_remote_id(const hd_udx_stream *stream);
hd_socket_id hd_udx_stream_socket(const hd_udx_stream *stream); /* HD_SOCKET_NONE before connect */
hd_address hd_udx_stream_remote(const hd_udx_stream *stream);   /* no address before connect */
bool hd_udx_stream_is_connected(const hd_udx_stream *stream);
bool hd_udx_stream_is_closing(const hd_udx_stream *stream); /* destroyed or closed, on_close still to come */
hd_udx *hd_udx_stream_instance(const hd_udx_stream *stream);
void *hd_udx_stream_context(const hd_udx_stream *stream);

#endif
