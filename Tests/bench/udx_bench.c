/* What the stream core costs per packet, both ends together: packets go from one instance to the other through a copy
 * of their bytes, as the kernel would make at least one. The bound is that copy alone. */
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "bench.h"
#include "udx/udx.h"
#include "udx/udx_packet.h"

#define CHUNK       (256 * 1024) /* bytes per operation */
#define PACKETS_MAX 8192

typedef struct bench_line {
  uint8_t *bytes; /* PACKETS_MAX slots */
  uint32_t sizes[PACKETS_MAX];
  uint32_t count;
} bench_line;

typedef struct bench_ends {
  hd_udx *udx[2];
  hd_udx_stream *streams[2];
  bench_line lines[2]; /* [i] leads to end i */
  uint8_t *data;
  uint64_t received, wanted;
  hd_random random;
  uint32_t loss; /* one packet in so many; 0: none */
  hd_time now;
} bench_ends;

static void on_data(void *context, hd_udx_stream *stream, hd_bytes bytes) {
  (void)stream;
  ((bench_ends *)context)->received += bytes.size;
}

static const hd_udx_sink sink = {.on_data = on_data};

static bench_ends *make(uint32_t loss) {
  bench_ends *made = calloc(1, sizeof *made);
  made->data = calloc(1, CHUNK);
  made->now.us = 1000000;
  made->loss = loss;
  made->random = hd_random_from_seed(1);
  const hd_address address = hd_address_ipv4(127, 0, 0, 1, 1);
  const hd_udx_options options = {.seed = {1, 2}};
  for (uint32_t i = 0; i < 2; i++) {
    made->lines[i].bytes = malloc((size_t)PACKETS_MAX * HD_UDX_DATAGRAM_SIZE_MAX);
    if (hd_udx_create(&options, &made->udx[i]) != HDHT_OK) abort();
    if (hd_udx_stream_create(made->udx[i], 1 + i, NULL, &sink, made, &made->streams[i]) != HDHT_OK) abort();
    if (hd_udx_stream_connect(made->streams[i], 1, &address, 2 - i) != HDHT_OK) abort();
  }
  return made;
}

static void put(bench_ends *ends, int to, const hd_bytes *parts, uint32_t parts_count) {
  if (ends->loss != 0 && to == 1 && hd_random_below(&ends->random, ends->loss) == 0) return;
  bench_line *line = &ends->lines[to];
  if (line->count == PACKETS_MAX) return;
  uint8_t *bytes = line->bytes + (size_t)line->count * HD_UDX_DATAGRAM_SIZE_MAX;
  uint32_t size = 0;
  for (uint32_t i = 0; i < parts_count; i++) {
    memcpy(bytes + size, parts[i].data, parts[i].size);
    size += (uint32_t)parts[i].size;
  }
  line->sizes[line->count++] = size;
}

static void drain(bench_ends *ends, int i) {
  hd_udx_settle(ends->udx[i], ends->now);
  hd_datagram_out outs[16];
  for (size_t count; (count = hd_udx_next_sends(ends->udx[i], ends->now, outs, 16)) > 0;) {
    for (size_t k = 0; k < count; k++) {
      uint32_t part = 0, first, parts_count, size;
      while (hd_datagram_out_next_segment(&outs[k], &part, &first, &parts_count, &size)) {
        put(ends, 1 - i, outs[k].parts + first, parts_count);
      }
    }
  }
}

static void receive(bench_ends *ends, int i) {
  bench_line *line = &ends->lines[i];
  for (uint32_t k = 0; k < line->count; k++) {
    const hd_datagram datagram = {
        .socket = 1,
        .from = hd_address_ipv4(127, 0, 0, 1, 1),
        .bytes = hd_bytes_of(line->bytes + (size_t)k * HD_UDX_DATAGRAM_SIZE_MAX, line->sizes[k])};
    hd_udx_receive(ends->udx[i], ends->now, &datagram);
  }
  line->count = 0;
}

static void transfer(void *context) {
  bench_ends *ends = context;
  const hd_bytes part = hd_bytes_of(ends->data, CHUNK);
  hd_udx_stream_write(ends->streams[0], &part, 1);
  ends->wanted += CHUNK;
  while (ends->received < ends->wanted) {
    ends->now.us += 100;
    for (int i = 0; i < 2; i++) {
      receive(ends, i);
      if (hd_time_is_due(hd_udx_deadline(ends->udx[i]), ends->now)) hd_udx_elapse(ends->udx[i], ends->now);
      drain(ends, i);
    }
  }
}

static void copy(void *context) {
  bench_ends *ends = context;
  for (uint32_t done = 0, k = 0; done < CHUNK; done += 1452, k++) {
    const uint32_t size = CHUNK - done < 1452 ? CHUNK - done : 1452;
    memcpy(ends->lines[0].bytes + (size_t)k * HD_UDX_DATAGRAM_SIZE_MAX, ends->data + done, size);
  }
  hd_bench_keep(ends->lines[0].bytes);
}

static void destroy(bench_ends *made) {
  for (int i = 0; i < 2; i++) {
    hd_udx_destroy(made->udx[i]);
    free(made->lines[i].bytes);
  }
  free(made->data);
  free(made);
}

static void compare(const char *name, uint32_t loss) {
  bench_ends *ours = make(loss), *theirs = make(0);
  for (int i = 0; i < 100; i++) transfer(ours); /* to the full packet size and window */
  double ours_ns, theirs_ns;
  hd_bench_compare_ns(transfer, ours, copy, theirs, &ours_ns, &theirs_ns);
  const double packets = (double)CHUNK / 1452;
  hd_bench_report("udx", name, ours_ns / packets, ours_ns / theirs_ns, "copying the payload once");
  destroy(ours);
  destroy(theirs);
}

BENCH("udx", udx_packet_clean) {
  compare("packet there and acknowledged", 0);
}

BENCH("udx", udx_packet_lossy) {
  compare("the same with 1 % loss", 100);
}
