/* Raw UDX: reliable, ordered byte streams and unordered messages over UDP, wire-compatible with libudx. No encryption
 * and no authentication; connections (which have both) are made of these.
 *
 *   hdht_udx     an endpoint: sockets and streams that know of each other, on one loop
 *   hdht_socket  a UDP socket. All streams of an endpoint may share it, and so may datagrams that are no UDX
 *   hdht_stream  a byte stream in both directions between two ids, one chosen by each side
 *
 * UDX has no handshake. Both sides learn address and stream id of the other by other means, create their streams and
 * connect them; nothing is sent by that. The side that does not know where the other will come from waits with
 * connecting until `on_firewall` shows it.
 *
 * Callbacks are made from the loop, never from inside a function of this file. Inside them every function may be called
 * on every handle, those that close and destroy included. Handles die in one way only: their on_closed is the last
 * callback with their user_data, comes exactly once, and after it the handle is gone.
 *
 * Sending happens before the loop waits again: what is written in one turn of the loop shares packets. */
#ifndef HDHT_STREAM_H
#define HDHT_STREAM_H

#include <hdht/loop.h>
#include <hdht/memory.h>
#include <hdht/types.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct hdht_udx hdht_udx;
typedef struct hdht_socket hdht_socket;
typedef struct hdht_stream hdht_stream;

/* ---- endpoints ------------------------------------------------------------------------------------------------- */

typedef struct hdht_udx_options {
  size_t struct_size;              /* set by hdht_udx_options_init */
  const hdht_allocator *allocator; /* NULL for malloc; must outlive the endpoint */
  uint64_t buffered_limit;         /* bytes of received data held for all streams; 0: 256 MiB */
  uint32_t streams_limit;          /* 0: none */
  uint32_t reserved;               /* 0 */
} hdht_udx_options;

typedef struct hdht_udx_callbacks {
  size_t struct_size;                 /* sizeof(hdht_udx_callbacks) */
  void (*on_closed)(void *user_data); /* optional; after those of all its sockets and streams */
} hdht_udx_callbacks;

typedef struct hdht_udx_stats {
  size_t struct_size;                        /* set by hdht_udx_get_stats */
  uint64_t packets_received, bytes_received; /* UDX packets of known streams; datagram bytes */
  uint64_t packets_sent, bytes_sent;
  uint64_t packets_relayed, relay_drops;
  uint64_t ghost_answers;  /* packets for closed streams that were answered */
  uint64_t buffered_bytes; /* now held for all streams */
  uint64_t streams_count;  /* now */
} hdht_udx_stats;

/* Sets the defaults. */
HDHT_API void hdht_udx_options_init(hdht_udx_options *options, size_t struct_size);

/* options    NULL for the defaults; copied
 * callbacks  NULL for none; copied
 *
 * Errors: HDHT_ERR_INVALID_ARGUMENT, HDHT_ERR_OUT_OF_MEMORY, HDHT_ERR_ENTROPY; HDHT_ERR_CLOSED (the loop is closing).
 */
HDHT_API int hdht_udx_create(hdht_loop *loop, const hdht_udx_options *options, const hdht_udx_callbacks *callbacks,
                             void *user_data, hdht_udx **udx);

/* Destroys all streams, telling their other sides, closes all sockets, and then the endpoint. */
HDHT_API void hdht_udx_close(hdht_udx *udx);

/* A stream id that no stream here has, and that nobody can guess. */
HDHT_API uint32_t hdht_udx_unused_id(hdht_udx *udx);

/* Fills as much of the struct as `struct_size` says the caller knows. */
HDHT_API void hdht_udx_get_stats(const hdht_udx *udx, hdht_udx_stats *stats, size_t struct_size);

/* ---- sockets --------------------------------------------------------------------------------------------------- */

enum {
  HDHT_SOCKET_IPV6_ONLY = 1,  /* flag: an IPv6 wildcard otherwise takes IPv4, too */
  HDHT_SOCKET_SHARE_PORT = 2, /* flag: sockets that all have it may bind one port and share what arrives */
  HDHT_SOCKET_PLAIN = 4       /* flag: one datagram at a time between us and the kernel: no GSO, no GRO */
};

typedef struct hdht_socket_options {
  size_t struct_size;   /* set by hdht_socket_options_init */
  hdht_address address; /* where to bind; an all-zero IP is the wildcard, port 0 any port. IPv4 unless it says IPv6 */
  uint32_t ports_count; /* how many ports to try, upward from that one; 0: one */
  uint32_t flags;       /* HDHT_SOCKET_* */
  uint32_t ttl;         /* of what is sent, 1 to 255; 0: the system's default */
  uint32_t receive_buffer; /* bytes asked of the kernel; 0: 8 MiB. The kernel may grant less */
  uint32_t send_buffer;    /* bytes asked of the kernel; 0: 4 MiB */
} hdht_socket_options;

/* All are optional. */
typedef struct hdht_socket_callbacks {
  size_t struct_size; /* sizeof(hdht_socket_callbacks) */

  /* A datagram that is no packet of a stream here. May look like one: of a stream that is gone or not yet made. */
  void (*on_datagram)(void *user_data, const hdht_address *from, hdht_bytes bytes);

  /* After hdht_socket_send returned HDHT_ERR_WOULD_BLOCK: the kernel takes datagrams again. */
  void (*on_writable)(void *user_data);

  void (*on_closed)(void *user_data);
} hdht_socket_callbacks;

/* Sets the defaults. */
HDHT_API void hdht_socket_options_init(hdht_socket_options *options, size_t struct_size);

/* Opens a socket and binds it.
 *
 * options    NULL for the defaults; copied
 * callbacks  NULL for none; copied
 *
 * Errors: HDHT_ERR_INVALID_ARGUMENT (also a range that passes port 65535), HDHT_ERR_ADDRESS_IN_USE (every port that was
 * tried), HDHT_ERR_ADDRESS_UNAVAILABLE, HDHT_ERR_PERMISSION, HDHT_ERR_LIMIT (descriptors), HDHT_ERR_OUT_OF_MEMORY,
 * HDHT_ERR_NETWORK; HDHT_ERR_CLOSED (the endpoint is closing). */
HDHT_API int hdht_socket_create(hdht_udx *udx, const hdht_socket_options *options,
                                const hdht_socket_callbacks *callbacks, void *user_data, hdht_socket **socket);

/* Closes it at once; on_closed follows. Streams that are connected through it cannot send until they change their
 * remote, and time out: move or destroy them first. Further functions return HDHT_ERR_CLOSED until on_closed. */
HDHT_API void hdht_socket_close(hdht_socket *socket);

/* The address it is bound to. Errors: HDHT_ERR_CLOSED, HDHT_ERR_NETWORK. */
HDHT_API int hdht_socket_get_address(const hdht_socket *socket, hdht_address *address);

/* Sets the time to live of what is sent without its own, 1 to 255.
 * Errors: HDHT_ERR_INVALID_ARGUMENT, HDHT_ERR_CLOSED, HDHT_ERR_NETWORK. */
HDHT_API int hdht_socket_set_ttl(hdht_socket *socket, uint32_t ttl);

/* Streams that send through it. Takes time for each stream of the endpoint. */
HDHT_API size_t hdht_socket_streams_count(const hdht_socket *socket);

/* Sends one datagram at once. Nothing is copied or queued.
 *
 * ttl  of this datagram, 1 to 255; 0: the socket's
 *
 * Errors: HDHT_ERR_INVALID_ARGUMENT; HDHT_ERR_WOULD_BLOCK: not sent, on_writable follows; HDHT_ERR_TOO_LARGE: longer
 * than the path's first link takes; HDHT_ERR_ADDRESS_UNAVAILABLE: not reachable from this family of socket;
 * HDHT_ERR_PERMISSION, HDHT_ERR_NETWORK, HDHT_ERR_OUT_OF_MEMORY, HDHT_ERR_CLOSED. */
HDHT_API int hdht_socket_send(hdht_socket *socket, const hdht_address *to, hdht_bytes bytes, uint32_t ttl);

/* ---- streams --------------------------------------------------------------------------------------------------- */

typedef struct hdht_stream_options {
  size_t struct_size;        /* set by hdht_stream_options_init */
  uint32_t window;           /* bytes first advertised; 0: 4 MiB */
  uint32_t window_max;       /* bytes it may grow to while the reader keeps up; 0: 32 MiB */
  uint32_t mtu_ceiling;      /* bytes of IP packet, up to 2076; 0: 1500; up to 1200: no discovery */
  uint32_t patience_ms;      /* how long data may go unacknowledged before the stream times out; 0: 13 s */
  uint32_t keepalive_ms;     /* see hdht_stream_set_keepalive; 0: none */
  uint32_t keepalive_misses; /* the same */
  uint32_t send_seq;         /* initial packet number of this side ... */
  uint32_t receive_seq;      /* ... and of the other: 0 with the reference */
  uint32_t copy_limit;       /* bytes that hdht_stream_write_copy holds; 0: 1 MiB */
  uint32_t reserved;         /* 0 */
} hdht_stream_options;

/* All are optional. Bytes and addresses are borrowed for the call. */
typedef struct hdht_stream_callbacks {
  size_t struct_size; /* sizeof(hdht_stream_callbacks) */

  /* A packet came in on another socket than the stream is connected through, or the stream is not connected. Returns 1
   * to let it in, 0 to drop it; the stream may be connected here first. Without it such packets are dropped. */
  int (*on_firewall)(void *user_data, hdht_socket *socket, const hdht_address *from);

  /* The next bytes of the stream, in order; empty for an empty write of the other side. */
  void (*on_data)(void *user_data, hdht_bytes bytes);

  /* An unordered message. */
  void (*on_message)(void *user_data, hdht_bytes bytes);

  /* The other side has ended and everything it wrote was delivered. */
  void (*on_end)(void *user_data);

  /* The first `writes_count` writes of this stream's life are acknowledged by the other side; their bytes are the
   * caller's again. Grows from call to call. */
  void (*on_written)(void *user_data, uint64_t writes_count);

  /* Writing was told to pause (`is_writable` 0, or HDHT_ERR_WOULD_BLOCK) and may go on. */
  void (*on_drain)(void *user_data);

  /* Everything sent before the last hdht_stream_change_remote is acknowledged. */
  void (*on_remote_changed)(void *user_data);

  /* `reason`: HDHT_OK when both sides have ended, or hdht_stream_destroy or hdht_udx_close was called;
   * HDHT_ERR_CONNECTION_RESET when the other side destroyed the stream; HDHT_ERR_TIMED_OUT when it stopped answering.
   * Writes not acknowledged by now are cancelled; their bytes are the caller's again. */
  void (*on_closed)(void *user_data, int reason);
} hdht_stream_callbacks;

typedef struct hdht_stream_stats {
  size_t struct_size;                        /* set by hdht_stream_get_stats */
  uint64_t packets_received, bytes_received; /* all packets of this stream; datagram bytes */
  uint64_t packets_sent, bytes_sent;
  uint64_t retransmits;   /* data packets sent again */
  uint64_t losses;        /* data packets taken for lost */
  uint64_t timeouts;      /* retransmission time-outs */
  uint64_t tail_probes;   /* packets repeated because the last ones found no answer */
  uint64_t recoveries;    /* times loss made sending more careful */
  uint64_t window_probes; /* questions whether a closed window is open again */
  uint64_t duplicates;    /* data packets received again */

  /* Packets dropped, by reason. */
  uint64_t dropped_firewall;
  uint64_t dropped_malformed;
  uint64_t dropped_far_future; /* numbers too far ahead */
  uint64_t dropped_no_room;    /* no memory left for what came out of order or is held */
  uint64_t dropped_destroy;    /* a DESTROY from elsewhere, or with numbers that do not fit */
  uint64_t dropped_ended;      /* data beyond the end */
  uint64_t bad_acks;           /* acknowledgements of what was never sent */
  uint64_t bad_sacks;          /* the same, selective ones */
  uint64_t send_errors;

  /* Now. */
  uint64_t smoothed_rtt_us, min_rtt_us; /* 0 before the first sample */
  uint64_t bandwidth;                   /* estimated, bytes per second */
  uint64_t congestion_window;           /* bytes */
  uint64_t in_flight;                   /* bytes */
  uint64_t unacked;                     /* bytes written and not acknowledged */
  uint32_t send_window, receive_window; /* bytes: the other side's, and what was last advertised */
  uint32_t mtu;                         /* bytes of IP packet */
  uint32_t reserved;
} hdht_stream_stats;

/* Sets the defaults. */
HDHT_API void hdht_stream_options_init(hdht_stream_options *options, size_t struct_size);

/* Makes a stream that can receive, if on_firewall lets it, but not send.
 *
 * local_id   what the other side is told to put into its packets; see hdht_udx_unused_id
 * options    NULL for the defaults; copied
 * callbacks  copied
 *
 * Errors: HDHT_ERR_INVALID_ARGUMENT; HDHT_ERR_EXISTS (the id is in use, or was until a moment ago); HDHT_ERR_LIMIT
 * (streams_limit), HDHT_ERR_OUT_OF_MEMORY; HDHT_ERR_CLOSED (the endpoint is closing). */
HDHT_API int hdht_stream_create(hdht_udx *udx, uint32_t local_id, const hdht_stream_options *options,
                                const hdht_stream_callbacks *callbacks, void *user_data, hdht_stream **stream);

/* Sets where to send. Sends nothing, except an acknowledgement of what came before.
 *
 * Errors: HDHT_ERR_INVALID_ARGUMENT (port 0, no address, a socket of another endpoint), HDHT_ERR_ALREADY_CONNECTED,
 * HDHT_ERR_CLOSED (the stream or the socket), HDHT_ERR_OUT_OF_MEMORY. */
HDHT_API int hdht_stream_connect(hdht_stream *stream, hdht_socket *socket, const hdht_address *remote,
                                 uint32_t remote_id);

/* Writes the parts, one after the other, as one write. Nothing is copied but the array: the bytes belong to the stream
 * until on_written has counted this write, or on_closed. A write of no bytes sends an empty packet. Never refused for
 * being too much at a time; who writes on although told to pause only holds more memory.
 *
 * is_writable  [out] may be NULL; 1, or 0 when further writes should wait for on_drain
 *
 * Errors: HDHT_ERR_INVALID_ARGUMENT, HDHT_ERR_NOT_CONNECTED, HDHT_ERR_ENDED, HDHT_ERR_CLOSED, HDHT_ERR_TOO_LARGE (a
 * part above 1 GiB), HDHT_ERR_LIMIT (65,536 parts waiting), HDHT_ERR_OUT_OF_MEMORY; nothing is written then. */
HDHT_API int hdht_stream_write(hdht_stream *stream, const hdht_bytes *parts, size_t parts_count, int *is_writable);

/* The same, but the bytes are copied and the caller's again at once: for small writes, which share memory and packets.
 * Counts as one write. At most `copy_limit` bytes are held at a time, or a single larger write.
 *
 * Errors: those of hdht_stream_write; HDHT_ERR_WOULD_BLOCK at copy_limit: nothing is written, on_drain follows. */
HDHT_API int hdht_stream_write_copy(hdht_stream *stream, const hdht_bytes *parts, size_t parts_count, int *is_writable);

/* What the last write would have said in `is_writable`; after 0, on_drain follows. */
HDHT_API int hdht_stream_is_writable(hdht_stream *stream);

/* Half-closes: no write may follow. The stream closes when both sides have ended, all is acknowledged, and on_end was
 * called. Errors: HDHT_ERR_NOT_CONNECTED, HDHT_ERR_ENDED, HDHT_ERR_CLOSED, HDHT_ERR_OUT_OF_MEMORY. */
HDHT_API int hdht_stream_end(hdht_stream *stream);

/* Ends the stream at once and tells the other side. on_closed follows; until then functions return HDHT_ERR_CLOSED or
 * do nothing. One leg of a relay takes the other with it. */
HDHT_API void hdht_stream_destroy(hdht_stream *stream);

/* Sends one message, which may get lost, doubled or overtake others. Copied.
 *
 * Errors: HDHT_ERR_INVALID_ARGUMENT, HDHT_ERR_NOT_CONNECTED, HDHT_ERR_CLOSED, HDHT_ERR_TOO_LARGE
 * (hdht_stream_message_size_max), HDHT_ERR_WOULD_BLOCK (64 are waiting; try again in the next turn of the loop),
 * HDHT_ERR_OUT_OF_MEMORY. */
HDHT_API int hdht_stream_send_message(hdht_stream *stream, hdht_bytes bytes);

/* The longest message that the path is known to carry, in bytes. */
HDHT_API size_t hdht_stream_message_size_max(const hdht_stream *stream);

/* Sends a heartbeat whenever the stream was idle for `period_ms`; 0 stops it. With `misses_limit` > 0 the stream closes
 * with HDHT_ERR_TIMED_OUT when that many in a row found no answer; with 0 nothing is concluded from silence. */
HDHT_API void hdht_stream_set_keepalive(hdht_stream *stream, uint32_t period_ms, uint32_t misses_limit);

/* Stops on_data and on_end; what arrives is held, and the other side's window closes. */
HDHT_API void hdht_stream_pause(hdht_stream *stream);

/* Goes on with them, from the loop. */
HDHT_API void hdht_stream_resume(hdht_stream *stream);

/* Tells how many delivered bytes the caller still holds: the other side's window is smaller by as much. */
HDHT_API void hdht_stream_set_held_bytes(hdht_stream *stream, uint64_t held_bytes);

/* Moves the stream to another socket, address and remote id. What is sent from now on goes there; what was sent before
 * is first repeated where it went. on_remote_changed follows when all of that is acknowledged.
 *
 * Errors: HDHT_ERR_INVALID_ARGUMENT, HDHT_ERR_NOT_CONNECTED, HDHT_ERR_CLOSED. */
HDHT_API int hdht_stream_change_remote(hdht_stream *stream, hdht_socket *socket, const hdht_address *remote,
                                       uint32_t remote_id);

/* Forwards every packet that passes the firewall of `stream` to the remote of `to`, changing only the id. The other
 * direction is a second call with the streams exchanged. Neither keeps or answers anything from then on.
 *
 * Errors: HDHT_ERR_INVALID_ARGUMENT (the same stream, or of another endpoint), HDHT_ERR_EXISTS (relays already),
 * HDHT_ERR_CLOSED. */
HDHT_API int hdht_stream_relay_to(hdht_stream *stream, hdht_stream *to);

HDHT_API uint32_t hdht_stream_local_id(const hdht_stream *stream);
HDHT_API uint32_t hdht_stream_remote_id(const hdht_stream *stream); /* 0 before connect */

/* Where it sends to. Errors: HDHT_ERR_NOT_CONNECTED. */
HDHT_API int hdht_stream_get_remote(const hdht_stream *stream, hdht_address *remote);

/* Fills as much of the struct as `struct_size` says the caller knows. */
HDHT_API void hdht_stream_get_stats(const hdht_stream *stream, hdht_stream_stats *stats, size_t struct_size);

#ifdef __cplusplus
}
#endif

#endif
