/* A link between two UDP ports, with delay, loss, and a bounded rate and queue, for comparing implementations on the
 * same path. Packets keep their order.
 *
 *   hdht_link_emulator --listen 40500 --target 127.0.0.1:40400 --delay 25 --loss 0.01
 *
 * What arrives at the port `listen` goes on to `target`, from a port of the emulator's own; what arrives there goes
 * back to whoever was last heard at `listen`. Works in ticks while there is traffic, so that it takes and gives many
 * packets per system call: times are exact to a tick. Prints counters as one line of JSON when it gets SIGTERM or
 * SIGINT. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define SLOT_SIZE    65536  /* what one message of the kernel may hold, joined */
#define SLOTS_MAX    32768  /* messages on the way in both directions together: memory is only used for those */
#define PACKETS_MAX  262144 /* packets on the way in one direction */
#define JOINED_MAX   64     /* packets and ... */
#define JOINED_BYTES 65000  /* ... bytes given to the kernel as one message */
#define BATCH        64
#define BATCHES_MAX  16 /* taken from a socket per tick */
#define TICK_NS      100000
#define HEADERS_SIZE 28 /* IPv4 and UDP, which take time on the link, too */
#define SECOND_NS    1000000000ull

typedef struct link_options {
  uint16_t listen_port;
  struct sockaddr_in target;
  uint64_t delay_ns;
  double loss;
  double rate;         /* bytes per second; 0: no limit */
  uint64_t queue_size; /* bytes waiting for the link, with a rate */
  uint64_t seed;
  bool is_plain;
} link_options;

typedef struct link_packet {
  uint64_t due_ns;
  uint32_t slot;
  uint16_t offset; /* in the slot */
  uint16_t size;
} link_packet;

/* One way. */
typedef struct link_direction {
  int from, to; /* sockets */
  struct sockaddr_in destination;
  bool has_destination;
  link_packet *queue; /* a ring of PACKETS_MAX */
  uint32_t first, count;
  uint64_t link_free_ns; /* when the link has sent what it was given */
  uint64_t received, lost, overflowed, sent, send_errors;
} link_direction;

typedef struct link_emulator {
  link_options options;
  uint8_t *slots;      /* SLOTS_MAX of SLOT_SIZE */
  uint16_t *slot_uses; /* packets in each slot that are still on the way */
  uint32_t *free_slots;
  uint32_t free_count;
  uint64_t random;
  link_direction forth, back;
} link_emulator;

static volatile sig_atomic_t is_stopped;

static void on_signal(int number) {
  (void)number;
  is_stopped = 1;
}

static uint64_t now_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * SECOND_NS + (uint64_t)now.tv_nsec;
}

/* In [0, 1): xorshift64*. */
static double random_unit(link_emulator *emulator) {
  emulator->random ^= emulator->random >> 12;
  emulator->random ^= emulator->random << 25;
  emulator->random ^= emulator->random >> 27;
  return (double)((emulator->random * 0x2545f4914f6cdd1dull) >> 11) / 9007199254740992.0;
}

/* ---- in -------------------------------------------------------------------------------------------------------- */

/* When a packet of `size` bytes that arrives now leaves the link, or 0 when the queue before it is full. */
static uint64_t leaves_link_ns(const link_options *options, link_direction *way, uint64_t now, uint32_t size) {
  if (options->rate == 0) return now;
  if (way->link_free_ns < now) way->link_free_ns = now;
  const double waiting = (double)(way->link_free_ns - now) * options->rate / (double)SECOND_NS;
  if (waiting > (double)options->queue_size) return 0;
  way->link_free_ns += (uint64_t)((double)(size + HEADERS_SIZE) * (double)SECOND_NS / options->rate);
  return way->link_free_ns;
}

static void release_use(link_emulator *emulator, uint32_t slot) {
  if (--emulator->slot_uses[slot] == 0) emulator->free_slots[emulator->free_count++] = slot;
}

static void enqueue(link_emulator *emulator, link_direction *way, uint64_t now, uint32_t slot, size_t offset,
                    size_t size) {
  way->received++;
  if (emulator->options.loss > 0 && random_unit(emulator) < emulator->options.loss) {
    way->lost++;
    return;
  }
  const uint64_t leaves = leaves_link_ns(&emulator->options, way, now, (uint32_t)size);
  if (leaves == 0 || way->count == PACKETS_MAX) {
    way->overflowed++;
    return;
  }
  emulator->slot_uses[slot]++;
  way->queue[(way->first + way->count++) % PACKETS_MAX] = (link_packet){
      .due_ns = leaves + emulator->options.delay_ns, .slot = slot, .offset = (uint16_t)offset, .size = (uint16_t)size};
}

/* The size of the packets that the kernel joined, or that of the message. */
static size_t segment_size(struct msghdr *header, size_t size) {
  const struct cmsghdr *control = CMSG_FIRSTHDR(header);
  if (control == NULL || control->cmsg_level != SOL_UDP || control->cmsg_type != UDP_GRO) return size;
  int joined;
  memcpy(&joined, CMSG_DATA(control), sizeof joined);
  return joined > 0 ? (size_t)joined : size;
}

static void enqueue_message(link_emulator *emulator, link_direction *way, uint64_t now, uint32_t slot,
                            struct mmsghdr *message) {
  const size_t size = message->msg_len, each = segment_size(&message->msg_hdr, size);
  size_t offset = 0;
  do {
    enqueue(emulator, way, now, slot, offset, size - offset < each ? size - offset : each);
    offset += each;
  } while (offset < size);
}

typedef union control_buffer {
  struct cmsghdr header; /* for its alignment */
  uint8_t bytes[CMSG_SPACE(sizeof(int))];
} control_buffer;

/* Returns how many messages there were. */
static int receive_batch(link_emulator *emulator, link_direction *way, link_direction *opposite, uint64_t now) {
  static struct mmsghdr messages[BATCH];
  static struct iovec spans[BATCH];
  static struct sockaddr_in sources[BATCH];
  static control_buffer controls[BATCH];
  uint32_t slots[BATCH];
  const uint32_t room = emulator->free_count < BATCH ? emulator->free_count : BATCH;
  for (uint32_t i = 0; i < room; i++) {
    slots[i] = emulator->free_slots[--emulator->free_count];
    emulator->slot_uses[slots[i]] = 1; /* our own, until the message is taken apart */
    spans[i] = (struct iovec){emulator->slots + (size_t)slots[i] * SLOT_SIZE, SLOT_SIZE};
    messages[i].msg_hdr = (struct msghdr){.msg_name = &sources[i],
                                          .msg_namelen = sizeof sources[i],
                                          .msg_iov = &spans[i],
                                          .msg_iovlen = 1,
                                          .msg_control = controls[i].bytes,
                                          .msg_controllen = sizeof controls[i].bytes};
  }
  const int count = room > 0 ? recvmmsg(way->from, messages, room, MSG_DONTWAIT, NULL) : 0;
  for (uint32_t i = 0; i < room; i++) {
    if ((int)i < count) enqueue_message(emulator, way, now, slots[i], &messages[i]);
    release_use(emulator, slots[i]);
  }
  if (count > 0 && way == &emulator->forth) {
    opposite->destination = sources[count - 1];
    opposite->has_destination = true;
  }
  return count;
}

static void receive(link_emulator *emulator, link_direction *way, link_direction *opposite, uint64_t now) {
  for (int i = 0; i < BATCHES_MAX; i++) {
    if (receive_batch(emulator, way, opposite, now) < BATCH) return;
  }
}

/* ---- out ------------------------------------------------------------------------------------------------------- */

static const link_packet *packet_at(const link_direction *way, uint32_t index) {
  return &way->queue[(way->first + index) % PACKETS_MAX];
}

/* How many packets, from number `index` on, are due and can be one message: equally long ones, the last may be shorter.
 */
static uint32_t joinable(const link_emulator *emulator, const link_direction *way, uint32_t index, uint64_t now) {
  const link_packet *first = packet_at(way, index);
  if (first->due_ns > now) return 0;
  uint32_t count = 1, bytes = first->size;
  while (!emulator->options.is_plain && count < JOINED_MAX && index + count < way->count) {
    const link_packet *next = packet_at(way, index + count);
    if (next->due_ns > now || next->size > first->size || bytes + next->size > JOINED_BYTES) break;
    bytes += next->size;
    count++;
    if (next->size < first->size) break;
  }
  return count;
}

static void fill_message(const link_emulator *emulator, link_direction *way, uint32_t index, uint32_t count,
                         struct iovec *spans, control_buffer *control, struct msghdr *header) {
  for (uint32_t i = 0; i < count; i++) {
    const link_packet *next = packet_at(way, index + i);
    spans[i] = (struct iovec){emulator->slots + (size_t)next->slot * SLOT_SIZE + next->offset, next->size};
  }
  *header = (struct msghdr){
      .msg_name = &way->destination, .msg_namelen = sizeof way->destination, .msg_iov = spans, .msg_iovlen = count};
  if (count == 1) return;
  const uint16_t size = packet_at(way, index)->size;
  control->header =
      (struct cmsghdr){.cmsg_level = SOL_UDP, .cmsg_type = UDP_SEGMENT, .cmsg_len = CMSG_LEN(sizeof size)};
  memcpy(CMSG_DATA(&control->header), &size, sizeof size);
  header->msg_control = control->bytes;
  header->msg_controllen = CMSG_SPACE(sizeof size);
}

static void drop_first(link_emulator *emulator, link_direction *way, uint32_t count) {
  for (uint32_t i = 0; i < count; i++) {
    release_use(emulator, packet_at(way, 0)->slot);
    way->first = (way->first + 1) % PACKETS_MAX;
    way->count--;
  }
}

/* Returns whether it is worth calling again. */
static bool send_batch(link_emulator *emulator, link_direction *way, uint64_t now) {
  static struct mmsghdr messages[BATCH];
  static struct iovec spans[BATCH * JOINED_MAX];
  static control_buffer controls[BATCH];
  uint32_t joined[BATCH];
  uint32_t filled = 0, index = 0;
  while (filled < BATCH && index < way->count && (joined[filled] = joinable(emulator, way, index, now)) > 0) {
    fill_message(emulator, way, index, joined[filled], spans + filled * JOINED_MAX, &controls[filled],
                 &messages[filled].msg_hdr);
    index += joined[filled++];
  }
  if (filled == 0) return false;
  int sent = way->has_destination ? sendmmsg(way->to, messages, filled, MSG_DONTWAIT) : (int)filled;
  if (sent < 0 && errno == EAGAIN) return false;
  if (sent < 0) {
    way->send_errors++;
    sent = 1;
  }
  for (int i = 0; i < sent; i++) {
    way->sent += joined[i];
    drop_first(emulator, way, joined[i]);
  }
  return true;
}

static void send_due(link_emulator *emulator, link_direction *way, uint64_t now) {
  while (send_batch(emulator, way, now)) continue;
}

/* ---- setting up ------------------------------------------------------------------------------------------------ */

static int open_socket(const link_options *options, uint16_t port) {
  const int descriptor = socket(AF_INET, SOCK_DGRAM, 0);
  const struct sockaddr_in address = {
      .sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
  const int size = 32 << 20;
  if (setsockopt(descriptor, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size) != 0) {
    setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
  }
  const int yes = 1;
  if (!options->is_plain) setsockopt(descriptor, SOL_UDP, UDP_GRO, &yes, sizeof yes);
  if (descriptor < 0 || bind(descriptor, (const struct sockaddr *)&address, sizeof address) != 0) {
    perror("bind");
    exit(1);
  }
  return descriptor;
}

static void *reserve(size_t size) {
  void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) {
    perror("mmap");
    exit(1);
  }
  return memory;
}

static void open_emulator(link_emulator *emulator, const link_options *options) {
  *emulator = (link_emulator){.options = *options, .random = options->seed * 2 + 1, .free_count = SLOTS_MAX};
  emulator->slots = reserve((size_t)SLOTS_MAX * SLOT_SIZE);
  emulator->slot_uses = reserve(SLOTS_MAX * sizeof emulator->slot_uses[0]);
  emulator->free_slots = reserve(SLOTS_MAX * sizeof emulator->free_slots[0]);
  for (uint32_t i = 0; i < SLOTS_MAX; i++) emulator->free_slots[i] = SLOTS_MAX - 1 - i;
  const int near = open_socket(options, options->listen_port), far = open_socket(options, 0);
  emulator->forth = (link_direction){.from = near, .to = far, .destination = options->target, .has_destination = true};
  emulator->back = (link_direction){.from = far, .to = near};
  emulator->forth.queue = reserve(PACKETS_MAX * sizeof(link_packet));
  emulator->back.queue = reserve(PACKETS_MAX * sizeof(link_packet));
}

/* Sleeps a tick while packets are on the way, else until one comes. */
static void wait_for_work(const link_emulator *emulator) {
  if (emulator->forth.count + emulator->back.count > 0) {
    nanosleep(&(struct timespec){.tv_nsec = TICK_NS}, NULL);
    return;
  }
  struct pollfd both[] = {{.fd = emulator->forth.from, .events = POLLIN},
                          {.fd = emulator->back.from, .events = POLLIN}};
  poll(both, 2, 1000);
}

static void run(link_emulator *emulator) {
  while (!is_stopped) {
    wait_for_work(emulator);
    const uint64_t now = now_ns();
    receive(emulator, &emulator->forth, &emulator->back, now);
    receive(emulator, &emulator->back, &emulator->forth, now);
    send_due(emulator, &emulator->forth, now);
    send_due(emulator, &emulator->back, now);
  }
}

static void print_direction(const char *name, const link_direction *way) {
  printf("\"%s\":{\"received\":%llu,\"lost\":%llu,\"overflowed\":%llu,\"sent\":%llu,\"send_errors\":%llu}", name,
         (unsigned long long)way->received, (unsigned long long)way->lost, (unsigned long long)way->overflowed,
         (unsigned long long)way->sent, (unsigned long long)way->send_errors);
}

static void print_counters(const link_emulator *emulator) {
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  printf("{\"cpu_s\":%.3f,", (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
                                 (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6);
  print_direction("forth", &emulator->forth);
  printf(",");
  print_direction("back", &emulator->back);
  printf("}\n");
}

/* ---- the command line ------------------------------------------------------------------------------------------ */

static int usage(void) {
  fputs(
      "hdht_link_emulator --listen PORT --target IPV4:PORT\n"
      "  --delay MS    each way\n"
      "  --loss P      each way, 0 to 1\n"
      "  --rate MB/S   each way, in 10^6 bytes; default no limit\n"
      "  --queue KB    waiting for the link, with a rate; default 1000\n"
      "  --seed N      of the losses\n"
      "  --plain       take and give single packets\n",
      stderr);
  return 2;
}

static bool read_target(const char *text, struct sockaddr_in *target) {
  char host[64];
  unsigned port;
  *target = (struct sockaddr_in){.sin_family = AF_INET};
  if (sscanf(text, "%63[^:]:%u", host, &port) != 2 || port > UINT16_MAX) return false;
  target->sin_port = htons((uint16_t)port);
  return inet_pton(AF_INET, host, &target->sin_addr) == 1;
}

int main(int argc, char **argv) {
  static const struct option names[] = {
      {"listen", required_argument, NULL, 'l'},
      {"target", required_argument, NULL, 't'},
      {"delay", required_argument, NULL, 'd'},
      {"loss", required_argument, NULL, 'p'},
      {"rate", required_argument, NULL, 'r'},
      {"queue", required_argument, NULL, 'q'},
      {"seed", required_argument, NULL, 's'},
      {"plain", no_argument, NULL, 'P'},
      {NULL, 0, NULL, 0},
  };
  link_options options = {.queue_size = 1000000, .seed = 1};
  bool has_target = false;
  for (int name; (name = getopt_long(argc, argv, "", names, NULL)) != -1;) {
    switch (name) {
      case 'l': options.listen_port = (uint16_t)atoi(optarg); break;
      case 't': has_target = read_target(optarg, &options.target); break;
      case 'd': options.delay_ns = (uint64_t)(strtod(optarg, NULL) * 1e6); break;
      case 'p': options.loss = strtod(optarg, NULL); break;
      case 'r': options.rate = strtod(optarg, NULL) * 1e6; break;
      case 'q': options.queue_size = (uint64_t)(strtod(optarg, NULL) * 1000); break;
      case 'P': options.is_plain = true; break;
      case 's': options.seed = strtoull(optarg, NULL, 10); break;
      default: return usage();
    }
  }
  if (!has_target || options.listen_port == 0) return usage();
  struct sigaction action = {.sa_handler = on_signal};
  sigaction(SIGTERM, &action, NULL);
  sigaction(SIGINT, &action, NULL);
  static link_emulator emulator;
  open_emulator(&emulator, &options);
  run(&emulator);
  print_counters(&emulator);
  return 0;
}
