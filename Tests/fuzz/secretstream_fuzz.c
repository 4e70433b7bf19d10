/* A live secret stream between a genuine peer and whoever owns the wire. The first byte says how it starts (after a
 * finished handshake, or with XX or IK over the wire), which side is attacked and whether it has a keep-alive; the rest
 * is a program of two-byte steps.
 *
 * Whatever happens on the wire, the messages that come out are those the peer wrote, in order, from the first on, none
 * twice; a broken stream answers everything with the same error; and as long as nobody touched the wire, every message
 * arrives however the bytes were cut. */
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "secretstream/secretstream.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define WIRE_CAPACITY 16384
#define STEPS_LIMIT   256

static void require(bool condition) {
  if (!condition) abort();
}

typedef struct world {
  hd_secretstream victim;
  hd_secretstream peer;
  uint8_t to_victim[WIRE_CAPACITY]; /* written by the peer, not yet delivered */
  size_t to_victim_size;
  uint64_t written_count; /* messages of the peer */
  uint64_t received_count;
  uint64_t time_ms;
  int error; /* of the victim */
  bool keeps_alive;
  bool is_touched;
  bool is_ended;
} world;

static hd_time now_of(const world *w) {
  return (hd_time){w->time_ms * 1000};
}

/* Some messages are empty, unless the victim would take those for a keep-alive, and some span chunks. */
static size_t message_of(const world *w, uint64_t number, uint8_t bytes[300]) {
  const size_t size_min = w->keeps_alive ? 1 : 0, size = size_min + (size_t)(number * 37 % 299);
  for (size_t i = 0; i < size; i++) bytes[i] = (uint8_t)(number + i * 3);
  return size;
}

static void expect_message(world *w, hd_bytes message) {
  uint8_t expected[300];
  require(w->received_count < w->written_count);
  const size_t size = message_of(w, w->received_count, expected);
  require(message.size == size && (size == 0 || memcmp(message.data, expected, size) == 0));
  w->received_count++;
}

static void check_broken(world *w) {
  uint8_t buffer[300];
  size_t size;
  hd_secretstream_event event;
  hd_bytes payload;
  require(hd_secretstream_is_closed(&w->victim));
  require(hd_secretstream_receive(&w->victim, now_of(w), buffer, 1, &size, &event) == w->error);
  require(hd_secretstream_write(&w->victim, now_of(w), hd_bytes_of(NULL, 0), buffer, 300, &size) == w->error);
  require(hd_secretstream_elapse(&w->victim, now_of(w)) == w->error);
  require(hd_secretstream_end(&w->victim) == w->error);
  require(hd_secretstream_open_datagram(&w->victim, buffer, 30, &payload) == w->error);
  require(hd_time_is_never(hd_secretstream_deadline(&w->victim)));
}

static void deliver_to_victim(world *w, const uint8_t *bytes, size_t size) {
  if (w->error != HDHT_OK || w->is_ended) return;
  uint8_t *chunk = malloc(size + 1);
  memcpy(chunk, bytes, size);
  for (size_t offset = 0;;) {
    size_t consumed = 0;
    hd_secretstream_event event;
    const int error = hd_secretstream_receive(&w->victim, now_of(w), chunk + offset, size - offset, &consumed, &event);
    if (error != HDHT_OK) {
      require(w->is_touched);
      require(hdht_error_is_fatal(error) == 1);
      w->error = error;
      check_broken(w);
      break;
    }
    offset += consumed;
    require(offset <= size);
    if (event.kind == HD_SECRETSTREAM_NONE) {
      require(offset == size);
      break;
    }
    if (event.kind == HD_SECRETSTREAM_MESSAGE) expect_message(w, event.message);
  }
  free(chunk);
}

static void collect_from_peer(world *w) {
  size_t size = 0;
  if (hd_secretstream_is_closed(&w->peer)) return;
  if (WIRE_CAPACITY - w->to_victim_size < HD_SECRETSTREAM_OUTPUT_SIZE_MAX) return;
  require(hd_secretstream_take_output(&w->peer, w->to_victim + w->to_victim_size, WIRE_CAPACITY - w->to_victim_size,
                                      &size) == HDHT_OK);
  w->to_victim_size += size;
}

/* The peer's own side is not under attack here: it gets whatever the victim says, unless it was fooled before. */
static void carry_to_peer(world *w) {
  uint8_t output[HD_SECRETSTREAM_OUTPUT_SIZE_MAX];
  size_t size, consumed;
  hd_secretstream_event event;
  if (w->error != HDHT_OK) return;
  require(hd_secretstream_take_output(&w->victim, output, sizeof output, &size) == HDHT_OK);
  for (size_t offset = 0; offset < size; offset += consumed) {
    const int error = hd_secretstream_receive(&w->peer, now_of(w), output + offset, size - offset, &consumed, &event);
    if (error != HDHT_OK) {
      require(w->is_touched);
      break;
    }
  }
  collect_from_peer(w);
}

static void peer_writes(world *w) {
  uint8_t message[300];
  size_t size;
  collect_from_peer(w);
  if (!hd_secretstream_is_open(&w->peer) || w->peer.output_size > 0) return;
  if (WIRE_CAPACITY - w->to_victim_size < 300 + HD_SECRETSTREAM_OVERHEAD) return;
  const hd_bytes bytes = hd_bytes_of(message, message_of(w, w->written_count, message));
  require(hd_secretstream_write(&w->peer, now_of(w), bytes, w->to_victim + w->to_victim_size,
                                WIRE_CAPACITY - w->to_victim_size, &size) == HDHT_OK);
  w->written_count++;
  w->to_victim_size += size;
}

static void victim_writes(world *w) {
  uint8_t frame[300 + HD_SECRETSTREAM_OVERHEAD];
  size_t size = 0, consumed;
  hd_secretstream_event event;
  carry_to_peer(w);
  const int error = hd_secretstream_write(&w->victim, now_of(w), hd_bytes_of("hello", 5), frame, sizeof frame, &size);
  if (error != HDHT_OK) return;
  for (size_t offset = 0; offset < size; offset += consumed) {
    if (hd_secretstream_receive(&w->peer, now_of(w), frame + offset, size - offset, &consumed, &event) != HDHT_OK) {
      require(w->is_touched);
      return;
    }
  }
}

static void deliver_genuine(world *w, size_t size) {
  if (size > w->to_victim_size) size = w->to_victim_size;
  deliver_to_victim(w, w->to_victim, size);
  w->to_victim_size -= size;
  memmove(w->to_victim, w->to_victim + size, w->to_victim_size);
}

static void datagrams(world *w, uint8_t tamper) {
  uint8_t datagram[64];
  size_t size = 0;
  hd_bytes payload;
  if (!hd_secretstream_is_open(&w->peer) || !hd_secretstream_is_open(&w->victim)) return;
  require(hd_secretstream_seal_datagram(&w->peer, hd_bytes_of("datagram", 8), datagram, sizeof datagram, &size) ==
          HDHT_OK);
  if (tamper < size) datagram[tamper] ^= 1;
  if (tamper > 100 && tamper < 100 + size) size = tamper - 100u;
  const bool is_genuine = tamper >= 100 + 32 || (tamper >= size && tamper <= 100);
  const int error = hd_secretstream_open_datagram(&w->victim, datagram, size, &payload);
  if (w->is_touched && error != HDHT_OK) return; /* the keys may differ */
  require(error == (is_genuine ? HDHT_OK : HDHT_ERR_DECRYPTION));
}

static void elapse(world *w, uint8_t argument) {
  w->time_ms += (uint64_t)argument * 100;
  if (w->error != HDHT_OK) return;
  const int error = hd_secretstream_elapse(&w->victim, now_of(w));
  if (error == HDHT_OK) return;
  require(error == HDHT_ERR_STREAM_TIMED_OUT);
  w->error = error;
  check_broken(w);
}

/* A step is what to do and one argument; hostile bytes follow their step. Returns how many bytes it used beyond two. */
static size_t step(world *w, uint8_t what, uint8_t argument, const uint8_t *rest, size_t rest_size) {
  switch (what % 12) {
    case 0:
    case 1: deliver_genuine(w, argument); break;
    case 2: deliver_genuine(w, WIRE_CAPACITY); break;
    case 3: peer_writes(w); break;
    case 4: victim_writes(w); break;
    case 5: carry_to_peer(w); break;
    case 6: {
      const size_t size = argument < rest_size ? argument : rest_size;
      if (size > 0) w->is_touched = true;
      deliver_to_victim(w, rest, size);
      return size;
    }
    case 7:
      if (w->to_victim_size == 0) break;
      w->is_touched = true;
      w->to_victim[argument % w->to_victim_size] ^= (uint8_t)(1 << what / 12 % 8);
      break;
    case 8: { /* lose some bytes */
      const size_t size = argument < w->to_victim_size ? argument : w->to_victim_size;
      if (size > 0) w->is_touched = true;
      w->to_victim_size -= size;
      memmove(w->to_victim, w->to_victim + size, w->to_victim_size);
      break;
    }
    case 9: elapse(w, argument); break;
    case 10: datagrams(w, argument); break;
    case 11:
      if (argument < 8) (void)hd_secretstream_end(&w->victim);
      if (argument == 9 && w->error == HDHT_OK && !w->is_ended) {
        require(hd_secretstream_receive_end(&w->victim) == HDHT_OK);
        w->is_ended = true;
      }
      if (argument == 10) hd_secretstream_set_timeout(&w->victim, now_of(w), HD_SECONDS(20));
      break;
  }
  return 0;
}

static void start_finished(hd_secretstream *stream, bool is_initiator) {
  hd_noise_result keys = {.handshake_hash = {1}};
  memset(keys.send_key, is_initiator ? 1 : 2, sizeof keys.send_key);
  memset(keys.receive_key, is_initiator ? 2 : 1, sizeof keys.receive_key);
  const hd_secretstream_randomness randomness = {.cipher_header = {(uint8_t)is_initiator}};
  require(hd_secretstream_start(stream, (hd_time){0}, is_initiator, &keys, &randomness) == HDHT_OK);
}

static void start_handshake(hd_secretstream *stream, hd_noise_pattern pattern, bool is_initiator) {
  static hd_exchange_key keys[2];
  static const uint8_t seeds[4][32] = {{1}, {2}, {3}, {4}};
  for (int i = 0; i < 2 && keys[1].scalar[31] == 0; i++) hd_exchange_key_from_seed(&keys[i], seeds[i]);
  const bool knows_remote = pattern == HD_NOISE_IK && is_initiator;
  const hd_noise_options noise = {.pattern = pattern,
                                  .is_initiator = is_initiator,
                                  .static_key = &keys[is_initiator],
                                  .ephemeral_seed = seeds[2 + is_initiator],
                                  .remote_public_key = knows_remote ? keys[0].public_key : NULL};
  const hd_secretstream_randomness randomness = {.cipher_header = {(uint8_t)is_initiator}};
  require(hd_secretstream_start_handshake(stream, (hd_time){0}, &noise, &randomness) == HDHT_OK);
}

static void start(world *w, uint8_t how) {
  const bool victim_is_initiator = (how & 4) != 0;
  const hd_secretstream_options options = {.allocator = hd_allocator_system()};
  hd_secretstream_init(&w->victim, &options);
  hd_secretstream_init(&w->peer, &options);
  w->keeps_alive = (how & 8) != 0;
  if (w->keeps_alive) hd_secretstream_set_keep_alive(&w->victim, (hd_time){0}, HD_SECONDS(5));
  if ((how & 3) < 2) {
    start_finished(&w->victim, victim_is_initiator);
    start_finished(&w->peer, !victim_is_initiator);
    return;
  }
  const hd_noise_pattern pattern = (how & 3) == 2 ? HD_NOISE_XX : HD_NOISE_IK;
  start_handshake(&w->victim, pattern, victim_is_initiator);
  start_handshake(&w->peer, pattern, !victim_is_initiator);
}

/* Untouched, everything arrives in the end, in chunks of any size. */
static void finish(world *w, uint64_t seed) {
  hd_random random = hd_random_from_seed(seed);
  for (int i = 0; i < 4; i++) {
    carry_to_peer(w);
    collect_from_peer(w);
    while (w->to_victim_size > 0) deliver_genuine(w, 1 + hd_random_below(&random, 100));
  }
  require(hd_secretstream_is_open(&w->victim));
  require(w->received_count == w->written_count);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size < 1) return 0;
  static world w;
  memset(&w, 0, sizeof w);
  start(&w, data[0]);
  collect_from_peer(&w);
  size_t at = 1;
  for (int steps = 0; at + 2 <= size && steps < STEPS_LIMIT; steps++) {
    const size_t rest = at + 2;
    at = rest + step(&w, data[at], data[at + 1], data + rest, size - rest);
  }
  if (!w.is_touched && !w.is_ended && w.error == HDHT_OK) finish(&w, size);
  hd_secretstream_destroy(&w.victim);
  hd_secretstream_destroy(&w.peer);
  return 0;
}
