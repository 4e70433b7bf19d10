/* Two UDX instances, if wanted a third between them, and the links that leave them, in virtual time: just enough of a
 * network for the stream tests. One seed determines a run. */
#ifndef HD_UDX_WORLD_H
#define HD_UDX_WORLD_H

#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "test.h"
#include "udx/udx.h"
#include "udx/udx_packet.h"

typedef struct udx_world udx_world;

#define WORLD_ENDS   3
#define WORLD_MIDDLE 2 /* only there after world_add_middle */

/* One packet between the ends. */
typedef struct flying {
  hd_time arrives;
  uint64_t order;
  int to;
  hd_socket_id socket; /* it arrives on */
  hd_address from;
  uint32_t size;
  uint8_t *bytes;
} flying;

typedef struct direction {
  hd_duration delay;
  uint64_t bytes_per_second;  /* 0: unlimited */
  uint64_t queue_bytes_limit; /* 0: unlimited */
  double loss;
  double duplicate;
  hd_duration jitter; /* up to so much is added at random, so packets overtake each other */
  uint32_t mtu;       /* IP packets above are dropped silently; 0: none */
  hd_time free_at;    /* when the line has sent everything */
  uint64_t packets, dropped, bytes;
  uint32_t last_ack;
} direction;

/* What one end saw. */
typedef struct peer {
  udx_world *world;
  hd_udx *udx;
  hd_udx_stream *stream;
  hd_socket_id socket;
  hd_address address;
  uint64_t received; /* bytes; each is checked against the pattern */
  uint64_t chunks;
  bool is_corrupt;
  uint64_t writes_acked;
  uint32_t drains, ends, closes, remote_changes, messages, firewalls;
  uint64_t message_bytes;
  int close_reason;
  bool is_let_in;
  uint64_t not_mine;
  /* A writer that keeps the stream busy. */
  uint64_t to_write, written;
  uint32_t write_size;
  bool ends_when_done;
  bool destroys_on_data;
  bool is_blocked; /* its socket takes nothing */
  uint64_t outs, segments;
} peer;

struct udx_world {
  hd_time now;
  hd_random random;
  peer ends[WORLD_ENDS];
  direction links[WORLD_ENDS]; /* [i] leaves end i */
  flying *heap;
  size_t heap_count, heap_capacity;
  uint64_t order;
  hd_duration tick; /* timers fire only at multiples; 0: exactly */
  bool (*drops)(udx_world *world, int from, const uint8_t *bytes, uint32_t size);
  void *drops_context;
  hd_test_allocator allocators[WORLD_ENDS];
};

#define WORLD_PATTERN_SIZE (1 << 20)

static inline const uint8_t *world_pattern(void) {
  static uint8_t *pattern;
  if (pattern == NULL) {
    pattern = malloc(2 * WORLD_PATTERN_SIZE);
    hd_random random = hd_random_from_seed(99);
    hd_random_fill(&random, pattern, WORLD_PATTERN_SIZE);
    memcpy(pattern + WORLD_PATTERN_SIZE, pattern, WORLD_PATTERN_SIZE);
  }
  return pattern;
}

static inline void world_on_data(void *context, hd_udx_stream *stream, hd_bytes bytes) {
  peer *end = context;
  if (memcmp(world_pattern() + end->received % WORLD_PATTERN_SIZE, bytes.data, bytes.size) != 0 && bytes.size > 0) {
    end->is_corrupt = true;
  }
  end->received += bytes.size;
  end->chunks++;
  if (end->destroys_on_data) hd_udx_stream_destroy(stream);
}

static inline void world_write_more(peer *end);

static inline void world_on_acked(void *context, hd_udx_stream *stream, uint64_t writes_count) {
  (void)stream;
  ((peer *)context)->writes_acked = writes_count;
}

static inline void world_on_drain(void *context, hd_udx_stream *stream) {
  (void)stream;
  peer *end = context;
  end->drains++;
  world_write_more(end);
}

static inline void world_on_end(void *context, hd_udx_stream *stream) {
  (void)stream;
  ((peer *)context)->ends++;
}

static inline void world_on_close(void *context, hd_udx_stream *stream, int reason) {
  (void)stream;
  peer *end = context;
  end->closes++;
  end->close_reason = reason;
  end->stream = NULL;
}

static inline void world_on_message(void *context, hd_udx_stream *stream, hd_bytes bytes) {
  (void)stream;
  peer *end = context;
  end->messages++;
  end->message_bytes += bytes.size;
}

static inline void world_on_remote_changed(void *context, hd_udx_stream *stream) {
  (void)stream;
  ((peer *)context)->remote_changes++;
}

static inline bool world_on_firewall(void *context, hd_udx_stream *stream, hd_socket_id socket,
                                     const hd_address *from) {
  (void)stream;
  (void)socket;
  (void)from;
  peer *end = context;
  end->firewalls++;
  return end->is_let_in;
}

static const hd_udx_sink world_sink = {
    .on_firewall = world_on_firewall,
    .on_data = world_on_data,
    .on_message = world_on_message,
    .on_end = world_on_end,
    .on_acked = world_on_acked,
    .on_drain = world_on_drain,
    .on_remote_changed = world_on_remote_changed,
    .on_close = world_on_close,
};

static inline void world_add_end(udx_world *world, int i) {
  hd_test_allocator_init(&world->allocators[i]);
  const hd_udx_options options = {.allocator = &world->allocators[i].hook, .seed = {(uint64_t)i, 1}};
  peer *end = &world->ends[i];
  *end = (peer){.world = world,
                .socket = 1,
                .address = hd_address_ipv4(10, 0, 0, (uint8_t)(1 + i), (uint16_t)(1000 + i)),
                .is_let_in = true,
                .write_size = 65536};
  if (hd_udx_create(&options, &end->udx) != HDHT_OK) abort();
  world->links[i] = (direction){.delay = HD_MILLISECONDS(10)};
}

static inline void world_add_middle(udx_world *world) {
  world_add_end(world, WORLD_MIDDLE);
}

/* Two instances, no streams. */
static inline void world_init_bare(udx_world *world, uint64_t seed) {
  *world = (struct udx_world){.now = {1000000}, .random = hd_random_from_seed(seed)};
  for (int i = 0; i < 2; i++) world_add_end(world, i);
}

/* Two instances with one stream each, ids 1 and 2, connected to each other. */
static inline void world_init_with(udx_world *world, uint64_t seed, const hd_udx_stream_options *options) {
  world_init_bare(world, seed);
  for (int i = 0; i < 2; i++) {
    peer *end = &world->ends[i];
    if (hd_udx_stream_create(end->udx, (uint32_t)(1 + i), options, &world_sink, end, &end->stream) != HDHT_OK) abort();
  }
  for (int i = 0; i < 2; i++) {
    peer *end = &world->ends[i];
    if (hd_udx_stream_connect(end->stream, 1, &world->ends[1 - i].address, (uint32_t)(2 - i)) != HDHT_OK) abort();
  }
}

static inline void world_init(udx_world *world, uint64_t seed) {
  world_init_with(world, seed, NULL);
}

static inline void world_destroy(udx_world *world) {
  for (int i = 0; i < WORLD_ENDS; i++) {
    if (world->ends[i].udx == NULL) continue;
    hd_udx_destroy(world->ends[i].udx);
    CHECK_UINT(0, world->allocators[i].live_bytes);
  }
  for (size_t i = 0; i < world->heap_count; i++) free(world->heap[i].bytes);
  free(world->heap);
}

static inline bool world_is_before(const flying *a, const flying *b) {
  return a->arrives.us != b->arrives.us ? a->arrives.us < b->arrives.us : a->order < b->order;
}

static inline void world_push(udx_world *world, flying packet) {
  if (world->heap_count == world->heap_capacity) {
    world->heap_capacity = world->heap_capacity == 0 ? 64 : world->heap_capacity * 2;
    world->heap = realloc(world->heap, world->heap_capacity * sizeof packet);
  }
  size_t place = world->heap_count++;
  while (place > 0 && world_is_before(&packet, &world->heap[(place - 1) / 2])) {
    world->heap[place] = world->heap[(place - 1) / 2];
    place = (place - 1) / 2;
  }
  world->heap[place] = packet;
}

static inline flying world_pop(udx_world *world) {
  const flying first = world->heap[0];
  const flying last = world->heap[--world->heap_count];
  size_t place = 0;
  for (;;) {
    size_t child = 2 * place + 1;
    if (child >= world->heap_count) break;
    if (child + 1 < world->heap_count && world_is_before(&world->heap[child + 1], &world->heap[child])) child++;
    if (!world_is_before(&world->heap[child], &last)) break;
    world->heap[place] = world->heap[child];
    place = child;
  }
  if (world->heap_count > 0) world->heap[place] = last;
  return first;
}

/* The end with this address, or -1. */
static inline int world_find(const udx_world *world, const hd_address *address) {
  for (int i = 0; i < WORLD_ENDS; i++) {
    if (world->ends[i].udx != NULL && hd_address_equal(&world->ends[i].address, address)) return i;
  }
  return -1;
}

/* Puts one datagram on the line that leaves end `from`. */
static inline void world_transmit(udx_world *world, int from, const hd_datagram_out *out, const uint8_t *bytes,
                                  uint32_t size) {
  const int to = world_find(world, &out->to);
  direction *link = &world->links[from];
  link->packets++;
  link->bytes += size;
  if (size >= 20) link->last_ack = hd_udx_packet_read_header(bytes).ack;
  bool is_dropped = to < 0 || (link->mtu != 0 && size + 28 > link->mtu && !out->may_fragment);
  is_dropped = is_dropped || (world->drops != NULL && world->drops(world, from, bytes, size));
  is_dropped = is_dropped || (link->loss > 0 && hd_random_unit(&world->random) < link->loss);
  hd_time leaves = world->now;
  if (link->bytes_per_second != 0) {
    const hd_time start = hd_time_later(link->free_at, world->now);
    const uint64_t queued = hd_time_since(start, world->now).us * link->bytes_per_second / 1000000;
    if (link->queue_bytes_limit != 0 && queued + size > link->queue_bytes_limit) {
      is_dropped = true;
    } else {
      link->free_at = leaves =
          hd_time_add(start, HD_MICROSECONDS((uint64_t)(size + 28) * 1000000 / link->bytes_per_second));
    }
  }
  if (is_dropped) {
    link->dropped++;
    return;
  }
  for (int copy = 0; copy < 1 + (link->duplicate > 0 && hd_random_unit(&world->random) < link->duplicate); copy++) {
    hd_time arrives = hd_time_add(leaves, link->delay);
    if (link->jitter.us != 0) arrives.us += hd_random_below(&world->random, link->jitter.us);
    flying packet = {.arrives = arrives,
                     .order = world->order++,
                     .to = to,
                     .socket = world->ends[to].socket,
                     .from = world->ends[from].address,
                     .size = size,
                     .bytes = malloc(size > 0 ? size : 1)};
    memcpy(packet.bytes, bytes, size);
    world_push(world, packet);
  }
}

static inline void world_write_more(peer *end) {
  while (end->stream != NULL && end->written < end->to_write && hd_udx_stream_is_writable(end->stream)) {
    uint64_t size = end->to_write - end->written;
    if (size > end->write_size) size = end->write_size;
    const uint64_t at = end->written % WORLD_PATTERN_SIZE;
    const hd_bytes part = hd_bytes_of(world_pattern() + at, (size_t)size);
    if (hd_udx_stream_write(end->stream, &part, 1) != HDHT_OK) return;
    end->written += size;
  }
  if (end->stream != NULL && end->written == end->to_write && end->ends_when_done) {
    hd_udx_stream_end(end->stream);
    end->ends_when_done = false;
  }
}

/* Settles one end and puts all it wants to send on the line. */
static inline void world_drain(udx_world *world, int i) {
  peer *end = &world->ends[i];
  hd_udx_settle(end->udx, world->now);
  hd_datagram_out outs[16];
  for (size_t count; (count = hd_udx_next_sends(end->udx, world->now, outs, 16)) > 0;) {
    for (size_t k = 0; k < count; k++) {
      if (end->is_blocked) {
        hd_udx_send_result(end->udx, world->now, &outs[k], 0, HDHT_ERR_WOULD_BLOCK);
        continue;
      }
      end->outs++;
      uint32_t part = 0, first, parts_count, size, segments = 0, total = 0;
      while (hd_datagram_out_next_segment(&outs[k], &part, &first, &parts_count, &size)) {
        uint8_t bytes[HD_UDX_DATAGRAM_SIZE_MAX];
        uint32_t used = 0;
        for (uint32_t p = first; p < first + parts_count; p++) {
          CHECK(outs[k].parts[p].size > 0);
          if (used + outs[k].parts[p].size > sizeof bytes) abort();
          memcpy(bytes + used, outs[k].parts[p].data, outs[k].parts[p].size);
          used += (uint32_t)outs[k].parts[p].size;
        }
        if (used != size) abort();
        segments++;
        total += size;
        end->segments++;
        world_transmit(world, i, &outs[k], bytes, size);
      }
      CHECK_UINT(outs[k].segments_count, segments);
      CHECK_UINT(outs[k].size, total);
      CHECK(segments <= HD_DATAGRAM_BATCH_SEGMENTS && total <= HD_DATAGRAM_BATCH_BYTES);
    }
  }
}

static inline hd_time world_next_timer(const udx_world *world, int i) {
  hd_time at = hd_udx_deadline(world->ends[i].udx);
  if (world->tick.us != 0 && !hd_time_is_never(at))
    at.us = (at.us + world->tick.us - 1) / world->tick.us * world->tick.us;
  return hd_time_later(at, world->now);
}

static inline hd_time world_next_event(const udx_world *world) {
  hd_time next = HD_TIME_NEVER;
  for (int i = 0; i < WORLD_ENDS; i++) {
    if (world->ends[i].udx != NULL) next = hd_time_earlier(next, world_next_timer(world, i));
  }
  if (world->heap_count > 0) next = hd_time_earlier(next, world->heap[0].arrives);
  return next;
}

/* Goes to the next event, no later than `until`, and handles all that happens then: what arrives at one moment at one
 * end is one receive batch. Returns false when there was none. */
static inline bool world_step(udx_world *world, hd_time until) {
  const hd_time next = world_next_event(world);
  if (hd_time_is_never(next) || hd_time_before(until, next)) {
    if (!hd_time_is_never(until)) world->now = hd_time_later(world->now, until);
    return false;
  }
  world->now = hd_time_later(world->now, next);
  bool is_touched[WORLD_ENDS] = {false, false, false};
  for (int i = 0; i < WORLD_ENDS; i++) {
    if (world->ends[i].udx == NULL || !hd_time_is_due(world_next_timer(world, i), world->now)) continue;
    hd_udx_elapse(world->ends[i].udx, world->now);
    is_touched[i] = true;
  }
  uint8_t **spent = malloc((world->heap_count + 1) * sizeof *spent);
  size_t spent_count = 0;
  while (world->heap_count > 0 && hd_time_is_due(world->heap[0].arrives, world->now)) {
    const flying packet = world_pop(world);
    const hd_datagram datagram = {
        .socket = packet.socket, .from = packet.from, .bytes = hd_bytes_of(packet.bytes, packet.size)};
    if (hd_udx_receive(world->ends[packet.to].udx, world->now, &datagram) == HD_UDX_NOT_MINE) {
      world->ends[packet.to].not_mine++;
    }
    is_touched[packet.to] = true;
    spent[spent_count++] = packet.bytes; /* relayed packets are borrowed until the drain */
  }
  for (int i = 0; i < WORLD_ENDS; i++) {
    if (is_touched[i]) world_drain(world, i);
  }
  while (spent_count > 0) free(spent[--spent_count]);
  free(spent);
  return true;
}

/* Begins: takes what commands so far have queued. */
static inline void world_start(udx_world *world) {
  for (int i = 0; i < WORLD_ENDS; i++) {
    if (world->ends[i].udx == NULL) continue;
    world_write_more(&world->ends[i]);
    world_drain(world, i);
  }
}

/* Runs for `duration` of virtual time. */
static inline void world_run(udx_world *world, hd_duration duration) {
  world_start(world);
  const hd_time until = hd_time_add(world->now, duration);
  while (world_step(world, until)) {
  }
}

static inline bool world_is_closed(const udx_world *world) {
  return world->ends[0].stream == NULL && world->ends[1].stream == NULL;
}

/* Runs until both streams are closed, or for `limit`. Returns whether they are. */
static inline bool world_run_until_closed(udx_world *world, hd_duration limit) {
  world_start(world);
  const hd_time until = hd_time_add(world->now, limit);
  while (!world_is_closed(world) && world_step(world, until)) {
  }
  return world_is_closed(world);
}

/* Runs until end `i` received `bytes`. Returns whether it did within `limit`. */
static inline bool world_run_until_received(udx_world *world, int i, uint64_t bytes, hd_duration limit) {
  world_start(world);
  const hd_time until = hd_time_add(world->now, limit);
  while (world->ends[i].received < bytes && world_step(world, until)) {
  }
  return world->ends[i].received >= bytes;
}

#endif
