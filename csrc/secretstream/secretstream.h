/* A secret stream, as `@hyperswarm/secret-stream` speaks it: encrypted, authenticated messages over any ordered byte
 * pipe. It joins the Noise handshake (or the result of one made elsewhere), the header exchange and the cipher into:
 * bytes in, messages out, and the reverse. It owns no pipe and no clock.
 *
 *   bytes from the pipe   hd_secretstream_receive until all are consumed, hd_secretstream_receive_end at their end
 *   bytes to the pipe     hd_secretstream_take_output after start, receive and elapse; hd_secretstream_write
 *   time                  hd_secretstream_deadline, hd_secretstream_elapse
 *
 * Message boundaries are kept. The end of a direction is the end of the pipe's direction; it is not authenticated, so a
 * stream that is cut off between two messages looks like one that ended.
 *
 * The invariant: after an error that breaks the stream, its keys are gone and every later call returns that error. */
#ifndef HD_SECRETSTREAM_H
#define HD_SECRETSTREAM_H

#include "base/clock.h"
#include "noise/noise_handshake.h"
#include "secretstream/secretstream_datagram.h"
#include "secretstream/secretstream_frame.h"
#include "secretstream/secretstream_header.h"

/* By how much the frame of a message is longer than the message: the prefix, then the cipher's overhead. */
#define HD_SECRETSTREAM_OVERHEAD (HD_SECRETSTREAM_FRAME_PREFIX_SIZE + HD_STREAM_CIPHER_OVERHEAD)

/* Where the message lies in its frame; encryption works in place there. */
#define HD_SECRETSTREAM_MESSAGE_OFFSET (HD_SECRETSTREAM_FRAME_PREFIX_SIZE + 1)

#define HD_SECRETSTREAM_MESSAGE_SIZE_MAX (HD_SECRETSTREAM_FRAME_SIZE_MAX - HD_STREAM_CIPHER_OVERHEAD)

/* The most bytes that wait in hd_secretstream_take_output: a responder's handshake message and its header. */
#define HD_SECRETSTREAM_OUTPUT_SIZE_MAX \
  (2 * HD_SECRETSTREAM_FRAME_PREFIX_SIZE + HD_NOISE_OVERHEAD_MAX + HD_SECRETSTREAM_HEADER_SIZE)

typedef enum hd_secretstream_phase {
  HD_SECRETSTREAM_UNSTARTED,
  HD_SECRETSTREAM_HANDSHAKE, /* Noise messages go back and forth */
  HD_SECRETSTREAM_HEADER,    /* open; the peer's header has not arrived */
  HD_SECRETSTREAM_MESSAGES,  /* open */
  HD_SECRETSTREAM_FAILED
} hd_secretstream_phase;

/* Fresh random bytes for one stream; never used twice. */
typedef struct hd_secretstream_randomness {
  uint8_t cipher_header[HD_STREAM_CIPHER_HEADER_SIZE];
  uint8_t counter_start[HD_SECRETSTREAM_COUNTER_SIZE];
} hd_secretstream_randomness;

typedef struct hd_secretstream_options {
  const hd_allocator *allocator;
  uint32_t message_size_limit; /* of messages received, bytes; at most HD_SECRETSTREAM_MESSAGE_SIZE_MAX, 0 for that */
} hd_secretstream_options;

typedef enum hd_secretstream_event_kind {
  HD_SECRETSTREAM_NONE,   /* all bytes are consumed */
  HD_SECRETSTREAM_OPENED, /* the handshake is complete: keys are known, messages can be written */
  HD_SECRETSTREAM_MESSAGE /* one message arrived */
} hd_secretstream_event_kind;

typedef struct hd_secretstream_event {
  hd_secretstream_event_kind kind;
  hd_bytes message; /* of HD_SECRETSTREAM_MESSAGE; lives until the next receive call, or the chunk goes away */
} hd_secretstream_event;

typedef struct hd_secretstream {
  const hd_allocator *allocator;
  hd_secretstream_phase phase;
  int error; /* why the phase is failed, else HDHT_OK */
  bool is_initiator;
  bool is_identified; /* was open at some time: hash and remote key below are good, even after a failure */
  bool is_write_ended;
  bool is_read_ended;
  uint8_t output_size;
  uint32_t frame_size_limit;
  hd_secretstream_frame_reader reader;
  hd_stream_cipher send_cipher;
  hd_stream_cipher receive_cipher;       /* once the peer's header has arrived */
  uint8_t receive_key[HD_AEAD_KEY_SIZE]; /* until then */
  hd_secretstream_randomness randomness; /* until the stream is open */
  hd_noise_handshake *handshake;         /* while it lasts */
  hd_duration keep_alive;                /* zero: none */
  hd_duration timeout;                   /* zero: none */
  hd_time keep_alive_at;
  hd_time timeout_at;
  uint64_t bytes_written;                        /* message frames with their prefixes */
  uint64_t bytes_read;                           /* message frames without their prefixes, as the reference counts */
  hd_secretstream_datagrams datagrams;           /* once open */
  uint8_t handshake_hash[HD_HASH_512_SIZE];      /* once identified */
  uint8_t remote_public_key[HD_PUBLIC_KEY_SIZE]; /* once identified */
  uint8_t output[HD_SECRETSTREAM_OUTPUT_SIZE_MAX];
} hd_secretstream;

/* A stream that is not started; allocates nothing. Its keep-alive and time-out can be set, and begin at the start. */
void hd_secretstream_init(hd_secretstream *stream, const hd_secretstream_options *options);

/* Wipes the keys and gives all memory back. */
void hd_secretstream_destroy(hd_secretstream *stream);

/* Starts with a handshake over the pipe itself. Bytes read from the pipe before the start are simply the first to be
 * received after it, and an end before the start the first end.
 *
 * noise       prologue and payloads are empty on this pipe
 * randomness  copied; the caller wipes its own
 *
 * Errors: HDHT_ERR_INVALID_STATE (started before), HDHT_ERR_OUT_OF_MEMORY, HDHT_ERR_HANDSHAKE_KEY (the initiator of IK
 * was given an unusable key; the stream has failed). */
int hd_secretstream_start_handshake(hd_secretstream *stream, hd_time now, const hd_noise_options *noise,
                                    const hd_secretstream_randomness *randomness);

/* Starts with the result of a handshake made elsewhere; the stream is open at once.
 *
 * Errors: HDHT_ERR_INVALID_STATE (started before). */
int hd_secretstream_start(hd_secretstream *stream, hd_time now, bool is_initiator, const hd_noise_result *handshake,
                          const hd_secretstream_randomness *randomness);

/* Takes bytes of the pipe up to the next event. Call again with the rest until the event is HD_SECRETSTREAM_NONE, which
 * means that all bytes are consumed. Bytes not consumed are not looked at, so a reader that is slow just stops calling.
 *
 * bytes     decrypted in place: their contents are undefined afterwards, and the message of the event may lie in them
 * consumed  [out] how many were taken; also set on HDHT_ERR_OUT_OF_MEMORY, after which the call may be repeated with
 * the rest event     [out]
 *
 * Errors that break the stream: HDHT_ERR_HANDSHAKE_LENGTH, HDHT_ERR_HANDSHAKE_KEY, HDHT_ERR_HANDSHAKE_DECRYPTION,
 * HDHT_ERR_STREAM_HEADER_LENGTH, HDHT_ERR_STREAM_HEADER_IDENTITY, HDHT_ERR_STREAM_MESSAGE, HDHT_ERR_STREAM_TOO_LARGE,
 * HDHT_ERR_STREAM_DECRYPTION. Others: HDHT_ERR_INVALID_STATE (not started, or ended), HDHT_ERR_OUT_OF_MEMORY. */
int hd_secretstream_receive(hd_secretstream *stream, hd_time now, uint8_t *bytes, size_t size, size_t *consumed,
                            hd_secretstream_event *event);

/* The pipe's readable side has ended. A frame that was not complete is forgotten. The other direction stays open; a
 * handshake that was not complete never will be.
 *
 * Errors: HDHT_ERR_INVALID_STATE (not started, or ended before). */
int hd_secretstream_receive_end(hd_secretstream *stream);

/* Copies out the handshake, header and keep-alive frames that wait to be sent.
 *
 * output_size  [out] 0 when nothing waits
 *
 * Errors: HDHT_ERR_BUFFER_TOO_SMALL; HD_SECRETSTREAM_OUTPUT_SIZE_MAX bytes are always enough. */
int hd_secretstream_take_output(hd_secretstream *stream, uint8_t *output, size_t capacity, size_t *output_size);

/* Encrypts one message into one frame.
 *
 * message     at most HD_SECRETSTREAM_MESSAGE_SIZE_MAX bytes; may be empty, which a peer with keep-alive swallows. May
 *             already lie at frame + HD_SECRETSTREAM_MESSAGE_OFFSET, and must not overlap the frame otherwise
 * frame       [out] untouched on error
 * frame_size  [out] message.size + HD_SECRETSTREAM_OVERHEAD
 *
 * Errors: HDHT_ERR_INVALID_STATE (not open, or hd_secretstream_take_output has bytes that must go first),
 * HDHT_ERR_ENDED, HDHT_ERR_TOO_LARGE, HDHT_ERR_BUFFER_TOO_SMALL. */
int hd_secretstream_write(hd_secretstream *stream, hd_time now, hd_bytes message, uint8_t *frame, size_t capacity,
                          size_t *frame_size);

/* Ends the writable side. The owner ends the pipe's writable side after the last frame; nothing is sent for it. Ends
 * the keep-alive too, as the reference does. May be repeated.
 *
 * Errors: HDHT_ERR_INVALID_STATE (not open). */
int hd_secretstream_end(hd_secretstream *stream);

/* Open: the keys are known and the stream has not failed. */
bool hd_secretstream_is_open(const hd_secretstream *stream);

/* Nothing can happen any more: failed, or both directions have ended, or the pipe ended during the handshake. */
bool hd_secretstream_is_closed(const hd_secretstream *stream);

/* Sends an empty message whenever nothing was written for `keep_alive`; zero stops it. While it is not zero, empty
 * messages of the peer are taken for its keep-alive and swallowed; otherwise they are delivered. */
void hd_secretstream_set_keep_alive(hd_secretstream *stream, hd_time now, hd_duration keep_alive);

/* Fails with HDHT_ERR_STREAM_TIMED_OUT when no byte was received for `timeout`; zero stops it. */
void hd_secretstream_set_timeout(hd_secretstream *stream, hd_time now, hd_duration timeout);

/* When to call hd_secretstream_elapse, or HD_TIME_NEVER. Changes with every call that takes `now`. */
hd_time hd_secretstream_deadline(const hd_secretstream *stream);

/* Does what is due at `now`. Errors: HDHT_ERR_STREAM_TIMED_OUT. */
int hd_secretstream_elapse(hd_secretstream *stream, hd_time now);

/* Encrypts one unordered datagram, for pipes that carry such beside the stream.
 *
 * datagram       [out] untouched on error; the payload may already lie at datagram + 24
 * datagram_size  [out] payload.size + HD_SECRETSTREAM_DATAGRAM_OVERHEAD
 *
 * Errors: HDHT_ERR_INVALID_STATE (not open), HDHT_ERR_BUFFER_TOO_SMALL, HDHT_ERR_STREAM_COUNTER (the stream has
 * failed). */
int hd_secretstream_seal_datagram(hd_secretstream *stream, hd_bytes payload, uint8_t *datagram, size_t capacity,
                                  size_t *datagram_size);

/* Decrypts a datagram in place. Errors, for all of which it is to be dropped: HDHT_ERR_INVALID_STATE (not open),
 * HDHT_ERR_DECRYPTION. */
int hd_secretstream_open_datagram(const hd_secretstream *stream, uint8_t *datagram, size_t size, hd_bytes *payload);

#endif
