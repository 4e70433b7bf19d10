/* Messages through a secret stream against the calls of libsodium they cannot do without, on the same sizes:
 * crypto_secretstream's push for a write, push and pull in place for a message written and received. */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "secretstream/secretstream.h"

#define SIZE_MAX_MEASURED 65536

typedef struct parties {
  hd_secretstream sender;
  hd_secretstream receiver;
  crypto_secretstream_xchacha20poly1305_state push;
  crypto_secretstream_xchacha20poly1305_state pull;
  size_t size; /* of the message */
  uint8_t message[SIZE_MAX_MEASURED];
  uint8_t frame[SIZE_MAX_MEASURED + HD_SECRETSTREAM_OVERHEAD];
} parties;

static const hd_time now = {1};

static void our_write(void *context) {
  parties *both = context;
  size_t frame_size;
  if (hd_secretstream_write(&both->sender, now, hd_bytes_of(both->message, both->size), both->frame, sizeof both->frame,
                            &frame_size) != HDHT_OK) {
    abort();
  }
  hd_bench_keep(both->frame);
}

static void their_push(void *context) {
  parties *both = context;
  crypto_secretstream_xchacha20poly1305_push(&both->push, both->frame + 3, NULL, both->message, both->size, NULL, 0, 0);
  hd_bench_keep(both->frame);
}

/* Until the stream says that nothing is left, as a reader of a pipe does. */
static void our_write_and_receive(void *context) {
  parties *both = context;
  our_write(both);
  const size_t size = both->size + HD_SECRETSTREAM_OVERHEAD;
  hd_secretstream_event event;
  for (size_t offset = 0, consumed;; offset += consumed) {
    if (hd_secretstream_receive(&both->receiver, now, both->frame + offset, size - offset, &consumed, &event) !=
        HDHT_OK) {
      abort();
    }
    if (event.kind == HD_SECRETSTREAM_NONE) break;
    hd_bench_keep(event.message.data);
  }
}

static void their_push_and_pull(void *context) {
  parties *both = context;
  their_push(both);
  if (crypto_secretstream_xchacha20poly1305_pull(&both->pull, both->frame + 4, NULL, NULL, both->frame + 3,
                                                 both->size + 17, NULL, 0) != 0) {
    abort();
  }
  hd_bench_keep(both->frame);
}

static void start(hd_secretstream *stream, bool is_initiator) {
  static const hd_noise_result keys; /* zero: the same key both ways */
  static const hd_secretstream_randomness randomness;
  hd_secretstream_init(stream, &(hd_secretstream_options){.allocator = hd_allocator_system()});
  hd_secretstream_set_keep_alive(stream, now, HD_SECONDS(5));
  hd_secretstream_set_timeout(stream, now, HD_SECONDS(30));
  if (hd_secretstream_start(stream, now, is_initiator, &keys, &randomness) != HDHT_OK) abort();
}

static void send_header(hd_secretstream *from, hd_secretstream *to) {
  uint8_t output[HD_SECRETSTREAM_OUTPUT_SIZE_MAX];
  size_t size, consumed;
  hd_secretstream_event event;
  if (hd_secretstream_take_output(from, output, sizeof output, &size) != HDHT_OK ||
      hd_secretstream_receive(to, now, output, size, &consumed, &event) != HDHT_OK) {
    abort();
  }
}

BENCH("secretstream", messages) {
  static const size_t sizes[] = {64, 1024, 16384, 65536};
  static parties both;
  static const uint8_t key[32], header[24];
  start(&both.sender, true);
  start(&both.receiver, false);
  send_header(&both.sender, &both.receiver);
  send_header(&both.receiver, &both.sender);
  crypto_secretstream_xchacha20poly1305_init_pull(&both.push, header, key);
  crypto_secretstream_xchacha20poly1305_init_pull(&both.pull, header, key);

  for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
    char name[64];
    double ours, theirs;
    both.size = sizes[i];
    hd_bench_compare_ns(our_write_and_receive, &both, their_push_and_pull, &both, &ours, &theirs);
    snprintf(name, sizeof name, "write and receive %zu B", sizes[i]);
    hd_bench_report("secretstream", name, ours, ours / theirs, "libsodium's push and pull");
  }
  for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
    char name[64];
    double ours, theirs;
    both.size = sizes[i];
    hd_bench_compare_ns(our_write, &both, their_push, &both, &ours, &theirs);
    snprintf(name, sizeof name, "write %zu B", sizes[i]);
    hd_bench_report("secretstream", name, ours, ours / theirs, "libsodium's push");
  }
  hd_secretstream_destroy(&both.sender);
  hd_secretstream_destroy(&both.receiver);
}
