/* The cost of encoding and decoding by itself. Inputs are asked for again on each call, so that nothing is worked out
 * at compile time. */
#include <hdht/relay_message.h>
#include <string.h>

#include "bench.h"
#include "codec/compact_uint.h"

#define BOUND_NS   50.0 /* for one `data` message with a 1 KiB chunk, decoded and encoded */
#define CHUNK_SIZE 1024

static const uint8_t keys[128];
static uint8_t chunk_bytes[CHUNK_SIZE];

typedef struct relay_case {
  uint32_t type;
  uint8_t encoded[2048];
  size_t size;
  uint8_t output[2048];
} relay_case;

static relay_case case_of(const hdht_relay_message *message) {
  relay_case made = {.type = message->type};
  (void)hdht_relay_message_encode(message, made.encoded, sizeof made.encoded, &made.size);
  return made;
}

static void decode_and_encode(void *context) {
  relay_case *given = context;
  hd_bench_keep(given);
  hdht_relay_message message;
  size_t size;
  (void)hdht_relay_message_decode(given->type, (hdht_bytes){.data = given->encoded, .size = given->size}, &message);
  (void)hdht_relay_message_encode(&message, given->output, sizeof given->output, &size);
  hd_bench_keep(given->output);
}

/* What a relay does with a chunk that passes through: only the few bytes in front of it are written. */
static void decode_and_encode_header(void *context) {
  relay_case *given = context;
  hd_bench_keep(given);
  hdht_relay_message message;
  hdht_bytes chunk;
  size_t size;
  (void)hdht_relay_message_decode(given->type, (hdht_bytes){.data = given->encoded, .size = given->size}, &message);
  while (hdht_relay_chunks_next(&message.body.data.chunks, &chunk)) {
    (void)hdht_relay_data_header_encode(message.body.data.alias, 1, chunk.size, given->output, &size);
    hd_bench_keep(given->output);
    hd_bench_keep(chunk.data);
  }
}

static void report(const char *name, void (*operation)(void *), void *context) {
  const double ns = hd_bench_ns(operation, context);
  hd_bench_report("codec", name, ns, ns / BOUND_NS, "the 50 ns bound");
}

BENCH("codec", relay_data) {
  const hdht_bytes chunk = {.data = chunk_bytes, .size = sizeof chunk_bytes};
  relay_case data = case_of(&(hdht_relay_message){
      .type = HDHT_RELAY_DATA,
      .body.data = {.alias = 7, .chunks = {.array = &chunk, .count = 1}},
  });
  report("relay data 1 KiB, decode + encode in place", decode_and_encode_header, &data);
  report("relay data 1 KiB, decode + encode with copy", decode_and_encode, &data);
}

BENCH("codec", relay_others) {
  relay_case end = case_of(&(hdht_relay_message){.type = HDHT_RELAY_END, .body.end = {.alias = 7}});
  relay_case connect = case_of(&(hdht_relay_message){
      .type = HDHT_RELAY_CONNECT,
      .body.connect =
          {.flags = HDHT_RELAY_FLAG_CUSTODIAL, .public_key = keys, .secret_key = keys, .remote_public_key = keys},
  });
  relay_case reply = case_of(&(hdht_relay_message){
      .type = HDHT_RELAY_NOISE_REPLY,
      .body.noise_reply = {.flags = HDHT_RELAY_FLAG_COMPLETE,
                           .payload = {.data = keys, .size = 100},
                           .remote_id = keys,
                           .holepunch_secret = keys},
  });
  report("relay end, decode + encode", decode_and_encode, &end);
  report("relay connect, decode + encode", decode_and_encode, &connect);
  report("relay noise_reply, decode + encode", decode_and_encode, &reply);
}

static void write_and_read_uint(void *context) {
  hd_bench_keep(context);
  uint64_t *value = context;
  uint8_t bytes[HD_CODEC_UINT_MAX_SIZE];
  hd_writer writer = hd_writer_of(bytes, sizeof bytes);
  (void)hd_codec_write_uint(&writer, *value);
  hd_bench_keep(bytes);
  hd_reader reader = hd_reader_of(hd_bytes_of(bytes, (size_t)(writer.next - bytes)));
  (void)hd_codec_read_uint(&reader, value);
}

BENCH("codec", uint) {
  uint64_t values[] = {252, 253, 65536, (uint64_t)1 << 32};
  report("uint of 1 byte, write + read", write_and_read_uint, &values[0]);
  report("uint of 3 bytes, write + read", write_and_read_uint, &values[1]);
  report("uint of 5 bytes, write + read", write_and_read_uint, &values[2]);
  report("uint of 9 bytes, write + read", write_and_read_uint, &values[3]);
}
