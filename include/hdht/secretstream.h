/* A secret stream: encrypted and authenticated messages over any ordered byte pipe, wire-compatible with
 * `@hyperswarm/secret-stream` 6. The pipe, the clock and the reading and writing are the caller's; nothing here waits
 * or calls back.
 *
 *   start     hdht_secretstream_start_handshake (a Noise handshake over the pipe itself), or hdht_secretstream_start
 *             (with the result of one made elsewhere)
 *   bytes in  hdht_secretstream_receive until all are consumed; hdht_secretstream_receive_end when the pipe ends
 *   bytes out hdht_secretstream_take_output after start, receive and elapse; then hdht_secretstream_write per message
 *   time      hdht_secretstream_deadline says when to call hdht_secretstream_elapse
 *
 * Boundaries of messages are kept. Each direction ends on its own, and its end is simply the end of the pipe's
 * direction: it is not authenticated.
 *
 * An error marked fatal (hdht_error_is_fatal) breaks the stream: its keys are wiped, every later call returns the same
 * error, and only hdht_secretstream_destroy is left to do, with the pipe.
 *
 * Times are microseconds of a clock that never goes backwards, from any start. */
#ifndef HDHT_SECRETSTREAM_H
#define HDHT_SECRETSTREAM_H

#include <hdht/keys.h>
#include <hdht/memory.h>
#include <hdht/noise.h>

#ifdef __cplusplus
extern "C" {
#endif

#define HDHT_SECRETSTREAM_ID_SIZE           32
#define HDHT_SECRETSTREAM_OVERHEAD          20       /* by which a message's frame is longer than the message */
#define HDHT_SECRETSTREAM_MESSAGE_OFFSET    4        /* where the message lies in its frame */
#define HDHT_SECRETSTREAM_MESSAGE_SIZE_MAX  16777198 /* longer messages cannot be written */
#define HDHT_SECRETSTREAM_OUTPUT_SIZE_MAX   158      /* the most hdht_secretstream_take_output gives at once */
#define HDHT_SECRETSTREAM_DATAGRAM_OVERHEAD 24       /* by which a sealed datagram is longer than its payload */
#define HDHT_SECRETSTREAM_NEVER             UINT64_MAX

typedef struct hdht_secretstream hdht_secretstream;

typedef struct hdht_secretstream_options {
  size_t struct_size;              /* set by hdht_secretstream_options_init */
  const hdht_allocator *allocator; /* NULL for malloc; must outlive the stream */
  const uint8_t *seed;             /* HDHT_SEED_SIZE bytes never used before, from which all randomness of the stream is
                                      drawn, or NULL for the system's; copied */
  uint32_t message_size_limit;     /* of messages received, bytes; 0 for HDHT_SECRETSTREAM_MESSAGE_SIZE_MAX */
  uint32_t keep_alive_ms;          /* see hdht_secretstream_set_keep_alive */
  uint32_t timeout_ms;             /* see hdht_secretstream_set_timeout */
  uint32_t reserved;               /* 0 */
} hdht_secretstream_options;

typedef struct hdht_secretstream_handshake {
  size_t struct_size;               /* set by hdht_secretstream_handshake_init */
  const hdht_key_pair *key_pair;    /* NULL for a new one; copied */
  const uint8_t *remote_public_key; /* HDHT_PUBLIC_KEY_SIZE bytes for the initiator of IK, NULL otherwise; copied */
  uint32_t pattern;                 /* HDHT_NOISE_XX, the default, or HDHT_NOISE_IK */
  uint32_t is_initiator;            /* 0 or 1: the initiator speaks first */
} hdht_secretstream_handshake;

enum {
  HDHT_SECRETSTREAM_NONE = 0,   /* all bytes are consumed */
  HDHT_SECRETSTREAM_OPENED = 1, /* the handshake is complete: the peer is known, messages can be written */
  HDHT_SECRETSTREAM_MESSAGE = 2 /* one message arrived */
};

typedef struct hdht_secretstream_event {
  uint32_t kind; /* HDHT_SECRETSTREAM_* above */
  uint32_t reserved;
  hdht_bytes message; /* of HDHT_SECRETSTREAM_MESSAGE; lives until the next hdht_secretstream_receive,
                         hdht_secretstream_receive_end or destroy, or until the chunk it came in goes away */
} hdht_secretstream_event;

/* Sets the defaults. The sizes are those of the structs as the caller knows them. */
HDHT_API void hdht_secretstream_options_init(hdht_secretstream_options *options, size_t struct_size);
HDHT_API void hdht_secretstream_handshake_init(hdht_secretstream_handshake *handshake, size_t struct_size);

/* A stream that is not started.
 *
 * options  NULL for the defaults; copied
 *
 * Errors: HDHT_ERR_INVALID_ARGUMENT, HDHT_ERR_OUT_OF_MEMORY, HDHT_ERR_ENTROPY. */
HDHT_API int hdht_secretstream_create(const hdht_secretstream_options *options, hdht_secretstream **stream);

/* Wipes and releases everything at once. NULL is ignored. */
HDHT_API void hdht_secretstream_destroy(hdht_secretstream *stream);

/* Starts with a handshake over the pipe. Bytes read from the pipe before the start are simply the first to be received
 * after it.
 *
 * Errors: HDHT_ERR_INVALID_ARGUMENT, HDHT_ERR_INVALID_STATE (started before), HDHT_ERR_OUT_OF_MEMORY,
 * HDHT_ERR_HANDSHAKE_KEY (the remote key is unusable). */
HDHT_API int hdht_secretstream_start_handshake(hdht_secretstream *stream, uint64_t now_us,
                                               const hdht_secretstream_handshake *handshake);

/* Starts with the result of a handshake made elsewhere; the stream is open at once.
 *
 * is_initiator  which side of that handshake this was: 0 or 1
 * result        copied
 *
 * Errors: HDHT_ERR_INVALID_ARGUMENT, HDHT_ERR_INVALID_STATE (started before). */
HDHT_API int hdht_secretstream_start(hdht_secretstream *stream, uint64_t now_us, uint32_t is_initiator,
                                     const hdht_noise_result *result);

/* Takes bytes of the pipe up to the next event. Call again with the rest until the event is HDHT_SECRETSTREAM_NONE:
 * then all bytes are consumed. A reader that is slow keeps the rest and stops calling.
 *
 * bytes     decrypted in place: their contents are undefined afterwards, and messages may lie in them
 * consumed  [out] how many of the `size` bytes were taken; set on HDHT_ERR_OUT_OF_MEMORY too, after which the call may
 *           be repeated with the rest
 * event     [out]
 *
 * Fatal errors: HDHT_ERR_HANDSHAKE_LENGTH, HDHT_ERR_HANDSHAKE_KEY, HDHT_ERR_HANDSHAKE_DECRYPTION,
 * HDHT_ERR_STREAM_HEADER_LENGTH, HDHT_ERR_STREAM_HEADER_IDENTITY, HDHT_ERR_STREAM_MESSAGE,
 * HDHT_ERR_STREAM_TOO_LARGE, HDHT_ERR_STREAM_DECRYPTION, and what broke the stream before. Others:
 * HDHT_ERR_INVALID_ARGUMENT, HDHT_ERR_INVALID_STATE (not started, or ended), HDHT_ERR_OUT_OF_MEMORY. */
HDHT_API int hdht_secretstream_receive(hdht_secretstream *stream, uint64_t now_us, uint8_t *bytes, size_t size,
                                       size_t *consumed, hdht_secretstream_event *event);

/* The pipe's readable side has ended; a frame that was not complete is forgotten. The other direction stays open, but a
 * handshake that was not complete never will be.
 *
 * Errors: HDHT_ERR_INVALID_ARGUMENT, HDHT_ERR_INVALID_STATE (not started, or ended before), what broke the stream. */
HDHT_API int hdht_secretstream_receive_end(hdht_secretstream *stream);

/* Bytes that wait in hdht_secretstream_take_output. */
HDHT_API size_t hdht_secretstream_output_size(const hdht_secretstream *stream);

/* Moves out the frames of the handshake, the header and the keep-alive that wait to be sent.
 *
 * output_size  [out] 0 when nothing waits
 *
 * Errors: HDHT_ERR_INVALID_ARGUMENT, HDHT_ERR_BUFFER_TOO_SMALL (HDHT_SECRETSTREAM_OUTPUT_SIZE_MAX is always enough),
 * what broke the stream. */
HDHT_API int hdht_secretstream_take_output(hdht_secretstream *stream, uint8_t *output, size_t capacity,
                                           size_t *output_size);

/* Encrypts one message into one frame, to be sent whole and in the order written.
 *
 * message     may already lie at frame + HDHT_SECRETSTREAM_MESSAGE_OFFSET, which saves a copy, and must not overlap the
 *             frame otherwise. An empty one is taken for a keep-alive by a peer that has one itself
 * frame       [out] untouched on error
 * frame_size  [out] size + HDHT_SECRETSTREAM_OVERHEAD
 *
 * Errors: HDHT_ERR_INVALID_ARGUMENT, HDHT_ERR_INVALID_STATE (not open, or there is output that must go first),
 * HDHT_ERR_ENDED, HDHT_ERR_TOO_LARGE, HDHT_ERR_BUFFER_TOO_SMALL, what broke the stream. */
HDHT_API int hdht_secretstream_write(hdht_secretstream *stream, uint64_t now_us, const uint8_t *message, size_t size,
                                     uint8_t *frame, size_t capacity, size_t *frame_size);

/* Ends the writable side, and with it the keep-alive; end the pipe's after the last frame. May be repeated.
 *
 * Errors: HDHT_ERR_INVALID_ARGUMENT, HDHT_ERR_INVALID_STATE (not open), what broke the stream. */
HDHT_API int hdht_secretstream_end(hdht_secretstream *stream);

/* 1 when the peer is known and the stream is not broken, else 0. */
HDHT_API int hdht_secretstream_is_open(const hdht_secretstream *stream);

/* 1 when nothing can happen any more: broken, both directions ended, or the pipe ended during the handshake. */
HDHT_API int hdht_secretstream_is_closed(const hdht_secretstream *stream);

/* Known once the stream is open: HDHT_PUBLIC_KEY_SIZE and HDHT_HANDSHAKE_HASH_SIZE bytes.
 * Errors: HDHT_ERR_INVALID_ARGUMENT, HDHT_ERR_INVALID_STATE (not known). */
HDHT_API int hdht_secretstream_remote_public_key(const hdht_secretstream *stream, uint8_t *public_key);
HDHT_API int hdht_secretstream_handshake_hash(const hdht_secretstream *stream, uint8_t *handshake_hash);

/* This side's own public key, known once a handshake was started, whether its key pair was given or new.
 * Errors: HDHT_ERR_INVALID_ARGUMENT, HDHT_ERR_INVALID_STATE (no handshake was started here). */
HDHT_API int hdht_secretstream_public_key(const hdht_secretstream *stream, uint8_t *public_key);

/* Bytes of message frames so far: read without their 3-byte prefixes, written with them, as the reference counts. */
HDHT_API uint64_t hdht_secretstream_bytes_read(const hdht_secretstream *stream);
HDHT_API uint64_t hdht_secretstream_bytes_written(const hdht_secretstream *stream);

/* Writes an empty message whenever nothing was written for that long; 0 stops it. While it is not 0, empty messages of
 * the peer are taken for its keep-alive and swallowed; otherwise they are delivered. Before the start it is only
 * remembered. Errors: HDHT_ERR_INVALID_ARGUMENT. */
HDHT_API int hdht_secretstream_set_keep_alive(hdht_secretstream *stream, uint64_t now_us, uint32_t keep_alive_ms);

/* Breaks the stream with HDHT_ERR_STREAM_TIMED_OUT when no byte was received for that long; 0 stops it. Before the
 * start it is only remembered. Errors: HDHT_ERR_INVALID_ARGUMENT. */
HDHT_API int hdht_secretstream_set_timeout(hdht_secretstream *stream, uint64_t now_us, uint32_t timeout_ms);

/* When to call hdht_secretstream_elapse, or HDHT_SECRETSTREAM_NEVER. Ask again after every call that takes `now_us`. */
HDHT_API uint64_t hdht_secretstream_deadline(const hdht_secretstream *stream);

/* Does what is due. Errors: HDHT_ERR_INVALID_ARGUMENT, HDHT_ERR_STREAM_TIMED_OUT, what broke the stream. */
HDHT_API int hdht_secretstream_elapse(hdht_secretstream *stream, uint64_t now_us);

/* Encrypts an unordered datagram, for pipes that carry such beside the stream. Nothing protects against loss and
 * repetition.
 *
 * payload        may already lie at datagram + HDHT_SECRETSTREAM_DATAGRAM_OVERHEAD
 * datagram_size  [out] size + HDHT_SECRETSTREAM_DATAGRAM_OVERHEAD
 *
 * Errors: HDHT_ERR_INVALID_ARGUMENT, HDHT_ERR_INVALID_STATE (not open), HDHT_ERR_BUFFER_TOO_SMALL,
 * HDHT_ERR_STREAM_COUNTER (fatal), what broke the stream. */
HDHT_API int hdht_secretstream_seal_datagram(hdht_secretstream *stream, const uint8_t *payload, size_t size,
                                             uint8_t *datagram, size_t capacity, size_t *datagram_size);

/* Decrypts a datagram in place. One that is refused is simply to be dropped.
 *
 * payload  [out] lies in the datagram's own memory
 *
 * Errors: HDHT_ERR_INVALID_ARGUMENT, HDHT_ERR_INVALID_STATE (not open), HDHT_ERR_DECRYPTION, what broke the stream. */
HDHT_API int hdht_secretstream_open_datagram(const hdht_secretstream *stream, uint8_t *datagram, size_t size,
                                             hdht_bytes *payload);

/* The id by which one side of a handshake names its end of the stream.
 *
 * handshake_hash  HDHT_HANDSHAKE_HASH_SIZE bytes
 * is_initiator    whose id: 1 for the initiator's
 * id              [out] HDHT_SECRETSTREAM_ID_SIZE bytes
 *
 * Errors: HDHT_ERR_INVALID_ARGUMENT. */
HDHT_API int hdht_secretstream_id(const uint8_t *handshake_hash, uint32_t is_initiator, uint8_t *id);

#ifdef __cplusplus
}
#endif

#endif
