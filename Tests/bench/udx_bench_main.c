/* Moves bytes over UDX streams and says what that cost.
 *
 *   hdht_udx_bench server --port 4000            receives, on streams 1 to --streams
 *   hdht_udx_bench client --port 4000            sends, to the streams of that server
 *   hdht_udx_bench both                          the two in one go, as two processes
 *   hdht_udx_bench idle --streams 10000          opens streams and leaves them idle: memory each
 *
 * A server connects each stream to wherever its first packet comes from, so a link emulator may stand between. Prints
 * one line of JSON. CPU seconds are those of the process itself, user and system, from its first byte to its last. */
#include <getopt.h>
#include <hdht/hdht.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <uv.h>

#define CLIENT_ID_OFFSET 1000000 /* stream n of the server is stream n + this of the client */
#define GIB              (1024.0 * 1024.0 * 1024.0)
#define LINGER_SECONDS   0.3 /* the other side may not have heard the last acknowledgement */

typedef struct bench_options {
  const char *mode;
  const char *host;
  uint32_t port;
  uint32_t streams_count;
  uint64_t size;        /* bytes of all streams together */
  double duration;      /* seconds; 0: until `size` is sent */
  uint64_t write_size;  /* bytes */
  uint32_t window_max;  /* bytes; 0: the library's default */
  uint32_t mtu_ceiling; /* bytes; 0: the library's default */
  uint32_t timeout;     /* seconds after which a run counts as failed */
  bool is_plain;
  bool is_verifying;
} bench_options;

typedef struct bench_result {
  uint64_t bytes;
  double seconds, cpu;
  uint64_t packets_sent, packets_received, retransmits, timeouts, duplicates;
  uint64_t rtt_us, min_rtt_us;
  uint32_t mtu;
  uint32_t failures; /* streams that closed with an error, or with bytes that were not what was sent */
} bench_result;

typedef struct bench_side bench_side;

typedef struct bench_flow {
  bench_side *bench;
  hdht_stream *stream;
  uint32_t id;
  uint64_t left;     /* bytes still to write */
  uint64_t position; /* bytes received */
  bool is_wrong;
} bench_flow;

struct bench_side {
  const bench_options *options;
  hdht_loop *loop;
  hdht_udx *udx;
  hdht_socket *socket;
  hdht_address remote;
  bench_flow *flows;
  uint32_t open_count;
  uint8_t *pattern; /* write_size bytes, written again and again */
  uv_timer_t end_timer, timeout_timer, linger_timer;
  bool has_started, is_over;
  double started_at, started_cpu;
  bench_result result;
};

static void fail(const char *what, int error) {
  fprintf(stderr, "%s: %s\n", what, hdht_error_name(error));
  exit(1);
}

static void require(const char *what, int result) {
  if (result != HDHT_OK) fail(what, result);
}

/* ---- clocks ---------------------------------------------------------------------------------------------------- */

static double wall_seconds(void) {
  return (double)uv_hrtime() / 1e9;
}

static double cpu_seconds(void) {
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
         (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static void start_clocks(bench_side *bench) {
  if (bench->has_started) return;
  bench->has_started = true;
  bench->started_at = wall_seconds();
  bench->started_cpu = cpu_seconds();
}

static void stop_clocks(bench_side *bench) {
  bench->result.seconds = wall_seconds() - bench->started_at;
  bench->result.cpu = cpu_seconds() - bench->started_cpu;
}

static void start_timer(bench_side *bench, uv_timer_t *timer, uv_timer_cb callback, double seconds) {
  uv_timer_init(hdht_loop_uv_loop(bench->loop), timer);
  timer->data = bench;
  uv_timer_start(timer, callback, (uint64_t)(seconds * 1000), 0);
  uv_unref((uv_handle_t *)timer);
}

/* ---- one stream ------------------------------------------------------------------------------------------------ */

static void write_more(bench_flow *flow) {
  const uint64_t write_size = flow->bench->options->write_size;
  int is_writable = 1;
  while (flow->left > 0 && is_writable) {
    const uint64_t size = flow->left < write_size ? flow->left : write_size;
    const hdht_bytes part = {.data = flow->bench->pattern, .size = (size_t)size};
    require("write", hdht_stream_write(flow->stream, &part, 1, &is_writable));
    flow->left -= size;
    flow->bench->result.bytes += size;
  }
  if (flow->left == 0) require("end", hdht_stream_end(flow->stream));
}

static void on_drain(void *user_data) {
  bench_flow *drained = user_data;
  if (drained->left > 0) write_more(drained);
}

/* Whether `bytes` continue the pattern at the flow's position. */
static bool is_expected(const bench_flow *flow, hdht_bytes bytes) {
  const size_t size = (size_t)flow->bench->options->write_size;
  size_t at = (size_t)(flow->position % size);
  for (size_t done = 0; done < bytes.size;) {
    const size_t run = bytes.size - done < size - at ? bytes.size - done : size - at;
    if (memcmp(bytes.data + done, flow->bench->pattern + at, run) != 0) return false;
    done += run;
    at = 0;
  }
  return true;
}

static void on_data(void *user_data, hdht_bytes bytes) {
  bench_flow *reader = user_data;
  start_clocks(reader->bench);
  if (reader->bench->options->is_verifying && !is_expected(reader, bytes)) reader->is_wrong = true;
  reader->position += bytes.size;
  reader->bench->result.bytes += bytes.size;
}

static int on_firewall(void *user_data, hdht_socket *socket, const hdht_address *from) {
  bench_flow *entered = user_data;
  return hdht_stream_connect(entered->stream, socket, from, entered->id + CLIENT_ID_OFFSET) == HDHT_OK ? 1 : 0;
}

static void add_stats(bench_flow *flow) {
  bench_result *result = &flow->bench->result;
  hdht_stream_stats stats;
  hdht_stream_get_stats(flow->stream, &stats, sizeof stats);
  result->packets_sent += stats.packets_sent;
  result->packets_received += stats.packets_received;
  result->retransmits += stats.retransmits;
  result->timeouts += stats.timeouts;
  result->duplicates += stats.duplicates;
  result->rtt_us = stats.smoothed_rtt_us;
  result->min_rtt_us = stats.min_rtt_us;
  result->mtu = stats.mtu;
}

/* The other side has ended. A server answers with its own end, so that both close. */
static void on_end(void *user_data) {
  bench_flow *ended = user_data;
  if (ended->id < CLIENT_ID_OFFSET) require("end", hdht_stream_end(ended->stream));
  add_stats(ended);
}

static void on_lingered(uv_timer_t *timer) {
  bench_side *bench = timer->data;
  bench->is_over = true;
  hdht_udx_close(bench->udx);
}

static void on_closed(void *user_data, int reason) {
  bench_flow *closed = user_data;
  bench_side *bench = closed->bench;
  closed->stream = NULL;
  if (reason != HDHT_OK || closed->is_wrong) bench->result.failures++;
  if (--bench->open_count > 0) return;
  stop_clocks(bench);
  start_timer(bench, &bench->linger_timer, on_lingered, LINGER_SECONDS);
}

static void open_flow(bench_side *bench, bench_flow *flow, uint32_t id) {
  const hdht_stream_callbacks callbacks = {
      .struct_size = sizeof callbacks,
      .on_firewall = on_firewall,
      .on_data = on_data,
      .on_end = on_end,
      .on_drain = on_drain,
      .on_closed = on_closed,
  };
  hdht_stream_options options;
  hdht_stream_options_init(&options, sizeof options);
  options.window_max = bench->options->window_max;
  options.mtu_ceiling = bench->options->mtu_ceiling;
  flow->bench = bench;
  flow->id = id;
  require("stream", hdht_stream_create(bench->udx, id, &options, &callbacks, flow, &flow->stream));
  bench->open_count++;
}

/* ---- one process ----------------------------------------------------------------------------------------------- */

static void on_end_timer(uv_timer_t *timer) {
  bench_side *bench = timer->data;
  for (uint32_t i = 0; i < bench->options->streams_count; i++) {
    bench_flow *flow = &bench->flows[i];
    if (flow->left == 0 || flow->stream == NULL) continue;
    flow->left = 0;
    write_more(flow);
  }
}

static void on_timeout(uv_timer_t *timer) {
  bench_side *bench = timer->data;
  fprintf(stderr, "%s: timed out with %u streams open\n", bench->options->mode, bench->open_count);
  exit(1);
}

static void fill_pattern(bench_side *bench) {
  const size_t size = (size_t)bench->options->write_size;
  bench->pattern = malloc(size);
  if (bench->pattern == NULL) fail("pattern", HDHT_ERR_OUT_OF_MEMORY);
  for (size_t i = 0; i < size; i++) bench->pattern[i] = (uint8_t)(i * 7 + i / 256 * 13);
}

static hdht_address address_of(const char *host, uint32_t port) {
  struct sockaddr_in ipv4;
  struct sockaddr_in6 ipv6;
  hdht_address address = {.port = (uint16_t)port};
  if (uv_ip4_addr(host, (int)port, &ipv4) == 0) {
    address.family = HDHT_FAMILY_IPV4;
    memcpy(address.ip, &ipv4.sin_addr, 4);
  } else if (uv_ip6_addr(host, (int)port, &ipv6) == 0) {
    address.family = HDHT_FAMILY_IPV6;
    memcpy(address.ip, &ipv6.sin6_addr, 16);
  } else {
    fail(host, HDHT_ERR_INVALID_ARGUMENT);
  }
  return address;
}

static void open_bench(bench_side *bench, const bench_options *options, bool is_server) {
  *bench = (bench_side){.options = options};
  bench->remote = address_of(options->host, options->port);
  fill_pattern(bench);
  bench->flows = calloc(options->streams_count, sizeof bench->flows[0]);
  if (bench->flows == NULL) fail("flows", HDHT_ERR_OUT_OF_MEMORY);

  hdht_socket_options socket_options;
  hdht_socket_options_init(&socket_options, sizeof socket_options);
  socket_options.address = bench->remote;
  if (!is_server) socket_options.address.port = 0;
  if (options->is_plain) socket_options.flags |= HDHT_SOCKET_PLAIN;
  require("loop", hdht_loop_create(NULL, NULL, NULL, &bench->loop));
  require("udx", hdht_udx_create(bench->loop, NULL, NULL, NULL, &bench->udx));
  require("socket", hdht_socket_create(bench->udx, &socket_options, NULL, NULL, &bench->socket));
  for (uint32_t i = 0; i < options->streams_count; i++) {
    open_flow(bench, &bench->flows[i], i + 1 + (is_server ? 0 : CLIENT_ID_OFFSET));
  }
}

static void run_bench(bench_side *bench) {
  while (!bench->is_over) hdht_loop_run(bench->loop, HDHT_LOOP_RUN_DEFAULT);
}

static bench_result run_server(const bench_options *options) {
  bench_side bench;
  open_bench(&bench, options, true);
  start_timer(&bench, &bench.timeout_timer, on_timeout, options->timeout);
  run_bench(&bench);
  return bench.result;
}

static bench_result run_client(const bench_options *options) {
  bench_side bench;
  open_bench(&bench, options, false);
  start_timer(&bench, &bench.timeout_timer, on_timeout, options->timeout);
  if (options->duration > 0) start_timer(&bench, &bench.end_timer, on_end_timer, options->duration);
  start_clocks(&bench);
  for (uint32_t i = 0; i < options->streams_count; i++) {
    bench_flow *flow = &bench.flows[i];
    flow->left = options->duration > 0 ? UINT64_MAX / 2 : options->size / options->streams_count;
    require("connect", hdht_stream_connect(flow->stream, bench.socket, &bench.remote, flow->id - CLIENT_ID_OFFSET));
    write_more(flow);
  }
  run_bench(&bench);
  return bench.result;
}

/* ---- what is printed ------------------------------------------------------------------------------------------- */

static void print_result(const bench_options *options, const char *mode, const bench_result *result, double cpu) {
  printf(
      "{\"implementation\":\"hdht\",\"mode\":\"%s\",\"streams\":%u,\"bytes\":%llu,\"seconds\":%.4f,"
      "\"mb_per_s\":%.1f,\"cpu_s\":%.4f,\"cpu_s_per_gib\":%.4f,\"packets_sent\":%llu,\"packets_received\":%llu,"
      "\"retransmits\":%llu,\"timeouts\":%llu,\"duplicates\":%llu,\"rtt_us\":%llu,\"min_rtt_us\":%llu,\"mtu\":%u,"
      "\"failures\":%u",
      mode, options->streams_count, (unsigned long long)result->bytes, result->seconds,
      (double)result->bytes / result->seconds / 1e6, cpu, cpu / ((double)result->bytes / GIB),
      (unsigned long long)result->packets_sent, (unsigned long long)result->packets_received,
      (unsigned long long)result->retransmits, (unsigned long long)result->timeouts,
      (unsigned long long)result->duplicates, (unsigned long long)result->rtt_us,
      (unsigned long long)result->min_rtt_us, result->mtu, result->failures);
}

static int finish(const bench_options *options, const bench_result *result) {
  print_result(options, options->mode, result, result->cpu);
  printf("}\n");
  return result->failures == 0 ? 0 : 1;
}

/* The server is a child that hands its result through a pipe. The line is the client's, with the CPU of both. */
static int run_both(const bench_options *options) {
  int ends[2];
  if (pipe(ends) != 0) return 1;
  const pid_t child = fork();
  if (child == 0) {
    const bench_result served = run_server(options);
    const bool is_written = write(ends[1], &served, sizeof served) == (ssize_t)sizeof served;
    _exit(is_written && served.failures == 0 ? 0 : 1);
  }
  usleep(50000); /* until the server's socket is there; a packet sent too early would only be sent again */
  const bench_result sent = run_client(options);
  bench_result served;
  if (read(ends[0], &served, sizeof served) != (ssize_t)sizeof served) return 1;
  int status;
  waitpid(child, &status, 0);
  print_result(options, "both", &sent, sent.cpu + served.cpu);
  printf(",\"client_cpu_s\":%.4f,\"server_cpu_s\":%.4f,\"server_bytes\":%llu,\"server_packets_sent\":%llu}\n", sent.cpu,
         served.cpu, (unsigned long long)served.bytes, (unsigned long long)served.packets_sent);
  return status == 0 && sent.failures == 0 && served.bytes == sent.bytes ? 0 : 1;
}

static long resident_kib(void) {
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss;
}

static int run_idle(const bench_options *options) {
  bench_side bench;
  open_bench(&bench, &(bench_options){.host = options->host, .streams_count = 1, .write_size = 1}, true);
  const long before = resident_kib();
  bench.flows = calloc(options->streams_count, sizeof bench.flows[0]);
  if (bench.flows == NULL) return 1;
  for (uint32_t i = 0; i < options->streams_count; i++) {
    bench_flow *flow = &bench.flows[i];
    open_flow(&bench, flow, i + 2);
    require("connect", hdht_stream_connect(flow->stream, bench.socket,
                                           &(hdht_address){.ip = {127, 0, 0, 1}, .port = 9, .family = HDHT_FAMILY_IPV4},
                                           i + CLIENT_ID_OFFSET));
  }
  for (int i = 0; i < 10; i++) hdht_loop_run(bench.loop, HDHT_LOOP_RUN_NOWAIT);
  const long bytes = (resident_kib() - before) * 1024;
  printf("{\"implementation\":\"hdht\",\"mode\":\"idle\",\"streams\":%u,\"resident_bytes\":%ld,\"bytes_each\":%.0f}\n",
         options->streams_count, bytes, (double)bytes / options->streams_count);
  return 0;
}

/* ---- the command line ------------------------------------------------------------------------------------------ */

static uint64_t read_size(const char *text) {
  char *end;
  const double number = strtod(text, &end);
  const double unit = *end == 'G' ? GIB : *end == 'M' ? 1024.0 * 1024.0 : *end == 'K' ? 1024.0 : 1.0;
  return (uint64_t)(number * unit);
}

static int usage(void) {
  fputs(
      "hdht_udx_bench server|client|both|idle\n"
      "  --host ADDRESS      default 127.0.0.1\n"
      "  --port N            of the server, default 40400\n"
      "  --streams N         default 1\n"
      "  --size BYTES        of all streams together, with K, M or G; default 1G\n"
      "  --duration SECONDS  send for so long instead\n"
      "  --write-size BYTES  default 64K\n"
      "  --window-max BYTES  largest receive window\n"
      "  --mtu BYTES         largest packet to try\n"
      "  --timeout SECONDS   default 120\n"
      "  --plain             one datagram per message of the kernel: no GSO, no GRO\n"
      "  --verify            the server compares what it receives\n",
      stderr);
  return 2;
}

int main(int argc, char **argv) {
  static const struct option names[] = {
      {"host", required_argument, NULL, 'h'},       {"port", required_argument, NULL, 'p'},
      {"streams", required_argument, NULL, 's'},    {"size", required_argument, NULL, 'b'},
      {"duration", required_argument, NULL, 'd'},   {"write-size", required_argument, NULL, 'w'},
      {"window-max", required_argument, NULL, 'W'}, {"mtu", required_argument, NULL, 'm'},
      {"timeout", required_argument, NULL, 't'},    {"plain", no_argument, NULL, 'P'},
      {"verify", no_argument, NULL, 'v'},           {NULL, 0, NULL, 0},
  };
  bench_options options = {.host = "127.0.0.1",
                           .port = 40400,
                           .streams_count = 1,
                           .size = (uint64_t)1 << 30,
                           .write_size = 65536,
                           .timeout = 120};
  for (int name; (name = getopt_long(argc, argv, "", names, NULL)) != -1;) {
    switch (name) {
      case 'h': options.host = optarg; break;
      case 'p': options.port = (uint32_t)read_size(optarg); break;
      case 's': options.streams_count = (uint32_t)read_size(optarg); break;
      case 'b': options.size = read_size(optarg); break;
      case 'd': options.duration = strtod(optarg, NULL); break;
      case 'w': options.write_size = read_size(optarg); break;
      case 'W': options.window_max = (uint32_t)read_size(optarg); break;
      case 'm': options.mtu_ceiling = (uint32_t)read_size(optarg); break;
      case 't': options.timeout = (uint32_t)read_size(optarg); break;
      case 'P': options.is_plain = true; break;
      case 'v': options.is_verifying = true; break;
      default: return usage();
    }
  }
  if (optind + 1 != argc || options.streams_count == 0 || options.write_size == 0) return usage();
  options.mode = argv[optind];
  if (strcmp(options.mode, "both") == 0) return run_both(&options);
  if (strcmp(options.mode, "idle") == 0) return run_idle(&options);
  if (strcmp(options.mode, "server") != 0 && strcmp(options.mode, "client") != 0) return usage();
  const bench_result result = strcmp(options.mode, "server") == 0 ? run_server(&options) : run_client(&options);
  return finish(&options, &result);
}
