#include "secretstream/secretstream.h"

#include "base/byte_order.h"
#include "crypto/secret.h"

_Static_assert(HD_SECRETSTREAM_OUTPUT_SIZE_MAX <= UINT8_MAX, "output_size is one byte");

void hd_secretstream_init(hd_secretstream *stream, const hd_secretstream_options *options) {
  hd_assert(options->message_size_limit <= HD_SECRETSTREAM_MESSAGE_SIZE_MAX);
  const uint32_t limit =
      options->message_size_limit != 0 ? options->message_size_limit : HD_SECRETSTREAM_MESSAGE_SIZE_MAX;
  *stream = (hd_secretstream){
      .allocator = options->allocator,
      .phase = HD_SECRETSTREAM_UNSTARTED,
      .frame_size_limit = limit + HD_STREAM_CIPHER_OVERHEAD,
      .keep_alive_at = HD_TIME_NEVER,
      .timeout_at = HD_TIME_NEVER,
  };
  hd_secretstream_frame_reader_init(&stream->reader, options->allocator);
}

static void release_handshake(hd_secretstream *stream) {
  hd_secret_release(stream->allocator, stream->handshake, sizeof *stream->handshake);
  stream->handshake = NULL;
}

static void wipe_secrets(hd_secretstream *stream) {
  release_handshake(stream);
  hd_stream_cipher_wipe(&stream->send_cipher);
  hd_stream_cipher_wipe(&stream->receive_cipher);
  hd_secret_wipe(stream->receive_key, sizeof stream->receive_key);
  hd_secret_wipe(&stream->randomness, sizeof stream->randomness);
  hd_secretstream_datagrams_wipe(&stream->datagrams);
}

static void stop_timers(hd_secretstream *stream) {
  stream->keep_alive_at = stream->timeout_at = HD_TIME_NEVER;
}

void hd_secretstream_destroy(hd_secretstream *stream) {
  wipe_secrets(stream);
  hd_secretstream_frame_reader_clear(&stream->reader);
  hd_secret_wipe(stream, sizeof *stream);
}

static int fail(hd_secretstream *stream, int error) {
  wipe_secrets(stream);
  hd_secretstream_frame_reader_clear(&stream->reader);
  stop_timers(stream);
  stream->phase = HD_SECRETSTREAM_FAILED;
  stream->error = error;
  stream->output_size = 0;
  return error;
}

bool hd_secretstream_is_open(const hd_secretstream *stream) {
  return stream->phase == HD_SECRETSTREAM_HEADER || stream->phase == HD_SECRETSTREAM_MESSAGES;
}

bool hd_secretstream_is_closed(const hd_secretstream *stream) {
  if (stream->phase == HD_SECRETSTREAM_FAILED) return true;
  return stream->is_read_ended && (stream->is_write_ended || stream->phase == HD_SECRETSTREAM_HANDSHAKE);
}

/* HDHT_OK if the stream is open, else why it is not. */
static int require_open(const hd_secretstream *stream) {
  if (hd_secretstream_is_open(stream)) return HDHT_OK;
  return stream->phase == HD_SECRETSTREAM_FAILED ? stream->error : HDHT_ERR_INVALID_STATE;
}

/* A duration of zero means never. */
static hd_time after(hd_time now, hd_duration duration) {
  return duration.us == 0 ? HD_TIME_NEVER : hd_time_add(now, duration);
}

static void restart_keep_alive(hd_secretstream *stream, hd_time now) {
  const bool is_wanted = hd_secretstream_is_open(stream) && !stream->is_write_ended;
  stream->keep_alive_at = is_wanted ? after(now, stream->keep_alive) : HD_TIME_NEVER;
}

static void restart_timeout(hd_secretstream *stream, hd_time now) {
  const bool is_wanted = stream->phase != HD_SECRETSTREAM_UNSTARTED && !hd_secretstream_is_closed(stream);
  stream->timeout_at = is_wanted ? after(now, stream->timeout) : HD_TIME_NEVER;
}

/* Reserves the frame of `size` bytes in the output, prefix written; the caller fills the rest. */
static uint8_t *put_output_frame(hd_secretstream *stream, uint32_t size) {
  hd_assert(stream->output_size + HD_SECRETSTREAM_FRAME_PREFIX_SIZE + size <= sizeof stream->output);
  uint8_t *prefix = stream->output + stream->output_size;
  hd_store_le24(prefix, size);
  stream->output_size = (uint8_t)(stream->output_size + HD_SECRETSTREAM_FRAME_PREFIX_SIZE + size);
  return prefix + HD_SECRETSTREAM_FRAME_PREFIX_SIZE;
}

static void open_stream(hd_secretstream *stream, hd_time now, const hd_noise_result *result) {
  stream->phase = HD_SECRETSTREAM_HEADER;
  stream->is_identified = true;
  memcpy(stream->handshake_hash, result->handshake_hash, sizeof stream->handshake_hash);
  memcpy(stream->remote_public_key, result->remote_public_key, sizeof stream->remote_public_key);
  memcpy(stream->receive_key, result->receive_key, sizeof stream->receive_key);
  hd_stream_cipher_init(&stream->send_cipher, result->send_key, stream->randomness.cipher_header);
  hd_secretstream_datagrams_init(&stream->datagrams, stream->handshake_hash, stream->is_initiator,
                                 stream->randomness.counter_start);
  hd_secretstream_header_write(stream->handshake_hash, stream->is_initiator, stream->randomness.cipher_header,
                               put_output_frame(stream, HD_SECRETSTREAM_HEADER_SIZE));
  hd_secret_wipe(&stream->randomness, sizeof stream->randomness);
  restart_keep_alive(stream, now);
}

/* Writes handshake messages as long as it is this side's turn, and opens the stream when the handshake is complete. */
static int continue_handshake(hd_secretstream *stream, hd_time now, bool *is_complete) {
  if (hd_noise_handshake_is_writing(stream->handshake)) {
    const size_t size = hd_noise_handshake_overhead(stream->handshake);
    uint8_t message[HD_NOISE_OVERHEAD_MAX];
    size_t written;
    const hd_bytes no_payload = hd_bytes_of(NULL, 0);
    const int error = hd_noise_handshake_write(stream->handshake, no_payload, message, sizeof message, &written);
    if (error != HDHT_OK) return error;
    memcpy(put_output_frame(stream, (uint32_t)size), message, size);
  }
  const hd_noise_result *result = hd_noise_handshake_result(stream->handshake);
  *is_complete = result != NULL;
  if (result == NULL) return HDHT_OK;
  open_stream(stream, now, result);
  release_handshake(stream);
  return HDHT_OK;
}

int hd_secretstream_start_handshake(hd_secretstream *stream, hd_time now, const hd_noise_options *noise,
                                    const hd_secretstream_randomness *randomness) {
  if (stream->phase != HD_SECRETSTREAM_UNSTARTED) return HDHT_ERR_INVALID_STATE;
  stream->handshake = hd_allocate(stream->allocator, sizeof *stream->handshake);
  if (stream->handshake == NULL) return HDHT_ERR_OUT_OF_MEMORY;
  hd_noise_handshake_init(stream->handshake, noise);
  stream->phase = HD_SECRETSTREAM_HANDSHAKE;
  stream->is_initiator = noise->is_initiator;
  stream->randomness = *randomness;
  restart_timeout(stream, now);
  bool is_complete;
  const int error = continue_handshake(stream, now, &is_complete);
  return error == HDHT_OK ? HDHT_OK : fail(stream, error);
}

int hd_secretstream_start(hd_secretstream *stream, hd_time now, bool is_initiator, const hd_noise_result *handshake,
                          const hd_secretstream_randomness *randomness) {
  if (stream->phase != HD_SECRETSTREAM_UNSTARTED) return HDHT_ERR_INVALID_STATE;
  stream->is_initiator = is_initiator;
  stream->randomness = *randomness;
  open_stream(stream, now, handshake);
  restart_timeout(stream, now);
  return HDHT_OK;
}

static int read_handshake(hd_secretstream *stream, hd_time now, hd_bytes message, bool *is_complete) {
  uint8_t no_payload[1];
  size_t payload_size;
  const int error = hd_noise_handshake_read(stream->handshake, message, no_payload, 0, &payload_size);
  if (error != HDHT_OK) return error;
  return continue_handshake(stream, now, is_complete);
}

static int read_header(hd_secretstream *stream, hd_bytes message) {
  const uint8_t *cipher_header;
  const int error = hd_secretstream_header_read(message, stream->handshake_hash, stream->is_initiator, &cipher_header);
  if (error != HDHT_OK) return error;
  hd_stream_cipher_init(&stream->receive_cipher, stream->receive_key, cipher_header);
  hd_secret_wipe(stream->receive_key, sizeof stream->receive_key);
  stream->phase = HD_SECRETSTREAM_MESSAGES;
  return HDHT_OK;
}

static int read_message(hd_secretstream *stream, hd_secretstream_frame frame, hd_bytes *message) {
  stream->bytes_read += frame.size;
  uint8_t *plaintext = frame.bytes + 1;
  if (hd_stream_cipher_decrypt(&stream->receive_cipher, frame.bytes, frame.size, plaintext) != HDHT_OK) {
    return HDHT_ERR_STREAM_DECRYPTION;
  }
  *message = hd_bytes_of(plaintext, frame.size - HD_STREAM_CIPHER_OVERHEAD);
  return HDHT_OK;
}

/* How long the next frame may be, and which errors a shorter and a longer one are. */
typedef struct frame_rule {
  uint32_t size_min;
  uint32_t size_max;
  int too_short;
  int too_long;
} frame_rule;

static frame_rule next_frame_rule(const hd_secretstream *stream) {
  if (stream->phase == HD_SECRETSTREAM_MESSAGES) {
    return (frame_rule){.size_min = HD_STREAM_CIPHER_OVERHEAD,
                        .size_max = stream->frame_size_limit,
                        .too_short = HDHT_ERR_STREAM_MESSAGE,
                        .too_long = HDHT_ERR_STREAM_TOO_LARGE};
  }
  if (stream->phase == HD_SECRETSTREAM_HEADER) {
    return (frame_rule){.size_min = HD_SECRETSTREAM_HEADER_SIZE,
                        .size_max = HD_SECRETSTREAM_HEADER_SIZE,
                        .too_short = HDHT_ERR_STREAM_HEADER_LENGTH,
                        .too_long = HDHT_ERR_STREAM_HEADER_LENGTH};
  }
  /* Payloads are empty here, so each handshake message has one legal length. */
  const uint32_t size = (uint32_t)hd_noise_handshake_overhead(stream->handshake);
  return (frame_rule){.size_min = size,
                      .size_max = size,
                      .too_short = HDHT_ERR_HANDSHAKE_LENGTH,
                      .too_long = HDHT_ERR_HANDSHAKE_LENGTH};
}

/* Deals with one frame. The event stays HD_SECRETSTREAM_NONE when the owner has nothing to learn from it. */
static int handle_frame(hd_secretstream *stream, hd_time now, hd_secretstream_frame frame,
                        hd_secretstream_event *event) {
  const hd_bytes bytes = hd_bytes_of(frame.bytes, frame.size);
  int error;
  if (stream->phase == HD_SECRETSTREAM_MESSAGES) {
    error = read_message(stream, frame, &event->message);
    const bool is_keep_alive = event->message.size == 0 && stream->keep_alive.us != 0;
    if (error == HDHT_OK && !is_keep_alive) event->kind = HD_SECRETSTREAM_MESSAGE;
  } else if (stream->phase == HD_SECRETSTREAM_HEADER) {
    error = read_header(stream, bytes);
  } else {
    bool is_complete = false;
    error = read_handshake(stream, now, bytes, &is_complete);
    if (is_complete) event->kind = HD_SECRETSTREAM_OPENED;
  }
  return error;
}

int hd_secretstream_receive(hd_secretstream *stream, hd_time now, uint8_t *bytes, size_t size, size_t *consumed,
                            hd_secretstream_event *event) {
  if (stream->phase == HD_SECRETSTREAM_FAILED) return stream->error;
  if (stream->phase == HD_SECRETSTREAM_UNSTARTED || stream->is_read_ended) return HDHT_ERR_INVALID_STATE;
  if (size > 0) restart_timeout(stream, now);

  hd_secretstream_event found = {.kind = HD_SECRETSTREAM_NONE};
  size_t used = 0;
  while (found.kind == HD_SECRETSTREAM_NONE) {
    const frame_rule rule = next_frame_rule(stream);
    hd_secretstream_frame frame;
    size_t taken = 0;
    uint8_t *rest = used == 0 ? bytes : bytes + used; /* `bytes` may be NULL when there are none */
    int error =
        hd_secretstream_frame_read(&stream->reader, rule.size_min, rule.size_max, rest, size - used, &taken, &frame);
    used += taken;
    if (error == HDHT_ERR_OUT_OF_MEMORY) {
      *consumed = used;
      return error;
    }
    if (error == HDHT_ERR_MALFORMED) return fail(stream, rule.too_short);
    if (error == HDHT_ERR_TOO_LARGE) return fail(stream, rule.too_long);
    if (frame.bytes == NULL) break;
    error = handle_frame(stream, now, frame, &found);
    if (error != HDHT_OK) return fail(stream, error);
  }
  *consumed = used;
  *event = found;
  return HDHT_OK;
}

int hd_secretstream_receive_end(hd_secretstream *stream) {
  if (stream->phase == HD_SECRETSTREAM_FAILED) return stream->error;
  if (stream->phase == HD_SECRETSTREAM_UNSTARTED || stream->is_read_ended) return HDHT_ERR_INVALID_STATE;
  stream->is_read_ended = true;
  hd_secretstream_frame_reader_clear(&stream->reader);
  if (hd_secretstream_is_closed(stream)) stop_timers(stream);
  return HDHT_OK;
}

int hd_secretstream_take_output(hd_secretstream *stream, uint8_t *output, size_t capacity, size_t *output_size) {
  if (stream->phase == HD_SECRETSTREAM_FAILED) return stream->error;
  if (capacity < stream->output_size) return HDHT_ERR_BUFFER_TOO_SMALL;
  if (stream->output_size > 0) memcpy(output, stream->output, stream->output_size);
  *output_size = stream->output_size;
  stream->output_size = 0;
  return HDHT_OK;
}

int hd_secretstream_write(hd_secretstream *stream, hd_time now, hd_bytes message, uint8_t *frame, size_t capacity,
                          size_t *frame_size) {
  const int error = require_open(stream);
  if (error != HDHT_OK) return error;
  if (stream->is_write_ended) return HDHT_ERR_ENDED;
  if (stream->output_size > 0) return HDHT_ERR_INVALID_STATE;
  if (message.size > HD_SECRETSTREAM_MESSAGE_SIZE_MAX) return HDHT_ERR_TOO_LARGE;
  const size_t size = message.size + HD_SECRETSTREAM_OVERHEAD;
  if (capacity < size) return HDHT_ERR_BUFFER_TOO_SMALL;

  hd_stream_cipher_encrypt(&stream->send_cipher, message.data, message.size, frame + HD_SECRETSTREAM_FRAME_PREFIX_SIZE);
  hd_store_le24(frame, (uint32_t)(size - HD_SECRETSTREAM_FRAME_PREFIX_SIZE));
  *frame_size = size;
  stream->bytes_written += size;
  restart_keep_alive(stream, now);
  return HDHT_OK;
}

int hd_secretstream_end(hd_secretstream *stream) {
  const int error = require_open(stream);
  if (error != HDHT_OK) return error;
  stream->is_write_ended = true;
  stream->keep_alive = (hd_duration){0}; /* empty messages are delivered from here on, as in the reference */
  stream->keep_alive_at = HD_TIME_NEVER;
  if (hd_secretstream_is_closed(stream)) stop_timers(stream);
  return HDHT_OK;
}

void hd_secretstream_set_keep_alive(hd_secretstream *stream, hd_time now, hd_duration keep_alive) {
  stream->keep_alive = keep_alive;
  restart_keep_alive(stream, now);
}

void hd_secretstream_set_timeout(hd_secretstream *stream, hd_time now, hd_duration timeout) {
  stream->timeout = timeout;
  restart_timeout(stream, now);
}

hd_time hd_secretstream_deadline(const hd_secretstream *stream) {
  return hd_time_earlier(stream->keep_alive_at, stream->timeout_at);
}

/* Bytes that already wait to be sent keep the stream alive as well. */
static void send_keep_alive(hd_secretstream *stream) {
  if (stream->output_size > 0) return;
  hd_stream_cipher_encrypt(&stream->send_cipher, NULL, 0, put_output_frame(stream, HD_STREAM_CIPHER_OVERHEAD));
  stream->bytes_written += HD_SECRETSTREAM_OVERHEAD;
}

int hd_secretstream_elapse(hd_secretstream *stream, hd_time now) {
  if (stream->phase == HD_SECRETSTREAM_FAILED) return stream->error;
  if (hd_time_is_due(stream->timeout_at, now)) return fail(stream, HDHT_ERR_STREAM_TIMED_OUT);
  if (hd_time_is_due(stream->keep_alive_at, now)) {
    send_keep_alive(stream);
    restart_keep_alive(stream, now);
  }
  return HDHT_OK;
}

int hd_secretstream_seal_datagram(hd_secretstream *stream, hd_bytes payload, uint8_t *datagram, size_t capacity,
                                  size_t *datagram_size) {
  int error = require_open(stream);
  if (error != HDHT_OK) return error;
  if (capacity < HD_SECRETSTREAM_DATAGRAM_OVERHEAD || capacity - HD_SECRETSTREAM_DATAGRAM_OVERHEAD < payload.size) {
    return HDHT_ERR_BUFFER_TOO_SMALL;
  }
  error = hd_secretstream_datagram_seal(&stream->datagrams, payload, datagram);
  if (error != HDHT_OK) return fail(stream, error);
  *datagram_size = payload.size + HD_SECRETSTREAM_DATAGRAM_OVERHEAD;
  return HDHT_OK;
}

int hd_secretstream_open_datagram(const hd_secretstream *stream, uint8_t *datagram, size_t size, hd_bytes *payload) {
  const int error = require_open(stream);
  if (error != HDHT_OK) return error;
  return hd_secretstream_datagram_open(&stream->datagrams, datagram, size, payload);
}
