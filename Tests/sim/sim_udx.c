#include "sim_udx.h"

#include <stdlib.h>
#include <string.h>

#define PATTERN_PERIOD   65521 /* a prime, so that no packet size or window repeats in step with it */
#define WRITE_SIZE_LIMIT 65536
#define SENDS_PER_CALL   16
#define MESSAGE_SIZE     32
#define MESSAGE_BYTE     0x6d

/* Byte i of every stream is pattern[i % PATTERN_PERIOD]; a write of any size at any place is one slice of this. */
static uint8_t pattern[PATTERN_PERIOD + WRITE_SIZE_LIMIT];

static void fill_pattern(void) {
  if (pattern[0] != 0) return;
  hd_random random = hd_random_from_seed(12345);
  hd_random_fill(&random, pattern, PATTERN_PERIOD);
  pattern[0] |= 1;
  for (size_t i = PATTERN_PERIOD; i < sizeof pattern; i++) pattern[i] = pattern[i - PATTERN_PERIOD];
}

static void blame(sim_udx_user *user, const char *fault) {
  if (user->fault == NULL) user->fault = fault;
}

/* ---- memory ---------------------------------------------------------------------------------------------------- */

static void *counting_allocate(void *context, size_t size) {
  sim_udx_counting_allocator *memory = context;
  memory->live_bytes += size;
  if (memory->live_bytes > memory->peak_bytes) memory->peak_bytes = memory->live_bytes;
  return malloc(size);
}

static void counting_release(void *context, void *block, size_t size) {
  ((sim_udx_counting_allocator *)context)->live_bytes -= size;
  free(block);
}

/* ---- the user's side of the stream ----------------------------------------------------------------------------- */

static bool let_in(void *context, hd_udx_stream *stream, hd_socket_id socket, const hd_address *from) {
  (void)context;
  (void)stream;
  (void)socket;
  (void)from;
  return true;
}

static void dawdle(sim_udx_user *user) {
  if (user->plan.pause == 0 || hd_random_unit(&user->random) >= user->plan.pause) return;
  const hd_duration rest = {hd_random_below(&user->random, user->plan.pause_max.us + 1)};
  user->resume_at = hd_time_add(sim_network_now(sim_host_network(user->host)), rest);
  hd_udx_stream_pause(user->stream);
}

static void on_data(void *context, hd_udx_stream *stream, hd_bytes bytes) {
  (void)stream;
  sim_udx_user *user = context;
  if (user->saw_end) blame(user, "data after the end");
  for (size_t offset = 0; offset < bytes.size;) {
    const size_t at = (size_t)(user->read % PATTERN_PERIOD);
    const size_t left = bytes.size - offset;
    const size_t step = left < PATTERN_PERIOD - at ? left : PATTERN_PERIOD - at;
    if (memcmp(bytes.data + offset, pattern + at, step) != 0) blame(user, "bytes differ from what was written there");
    user->read += step;
    offset += step;
  }
  dawdle(user);
}

static void on_message(void *context, hd_udx_stream *stream, hd_bytes bytes) {
  (void)stream;
  sim_udx_user *user = context;
  user->messages_read++;
  if (bytes.size != MESSAGE_SIZE || bytes.data[0] != MESSAGE_BYTE) blame(user, "a message differs from what was sent");
}

static void on_end(void *context, hd_udx_stream *stream) {
  (void)stream;
  sim_udx_user *user = context;
  if (user->saw_end) blame(user, "the end was told twice");
  user->saw_end = true;
  sim_host_poke(user->host);
}

static void on_acked(void *context, hd_udx_stream *stream, uint64_t writes_count) {
  (void)stream;
  sim_udx_user *user = context;
  if (writes_count <= user->writes_acked || writes_count > user->writes)
    blame(user, "writes acknowledged out of range");
  user->writes_acked = writes_count;
}

static void on_drain(void *context, hd_udx_stream *stream) {
  (void)stream;
  sim_host_poke(((sim_udx_user *)context)->host);
}

static void on_close(void *context, hd_udx_stream *stream, int reason) {
  sim_udx_user *user = context;
  if (user->is_closed) blame(user, "closed twice");
  hd_udx_stream_get_stats(stream, &user->final_stats);
  user->is_closed = true;
  user->close_reason = reason;
  user->closed_at = sim_network_now(sim_host_network(user->host));
  user->stream = NULL;
}

static const hd_udx_sink sink = {
    .on_firewall = let_in,
    .on_data = on_data,
    .on_message = on_message,
    .on_end = on_end,
    .on_acked = on_acked,
    .on_drain = on_drain,
    .on_close = on_close,
};

/* ---- what it does when it is its turn -------------------------------------------------------------------------- */

static void write_some(sim_udx_user *user) {
  while (user->written < user->plan.write_total && hd_udx_stream_is_writable(user->stream)) {
    uint64_t size = hd_random_below(&user->random, user->plan.write_size_max + 1u);
    const uint64_t left = user->plan.write_total - user->written;
    if (size > left) size = left;
    const hd_bytes whole = hd_bytes_of(pattern + user->written % PATTERN_PERIOD, (size_t)size);
    const size_t cut = (size_t)hd_random_below(&user->random, size + 1);
    const hd_bytes parts[2] = {{whole.data, cut}, {whole.data + cut, whole.size - cut}};
    const int error = hd_udx_stream_write(user->stream, parts, 2);
    if (error == HDHT_ERR_LIMIT) return; /* very many tiny writes: later */
    if (error != HDHT_OK) blame(user, "a write was refused");
    if (error != HDHT_OK) return;
    user->written += size;
    user->writes++;
  }
}

static void send_messages(sim_udx_user *user) {
  const uint8_t text[MESSAGE_SIZE] = {MESSAGE_BYTE};
  while (user->messages_sent < user->plan.messages) {
    if (hd_udx_stream_send_message(user->stream, hd_bytes_of(text, sizeof text)) != HDHT_OK) return;
    user->messages_sent++;
  }
}

static void end_when_done(sim_udx_user *user) {
  if (user->has_ended || user->written < user->plan.write_total) return;
  if (!user->plan.ends_at_once && !user->saw_end) return;
  if (hd_udx_stream_end(user->stream) != HDHT_OK) blame(user, "the end was refused");
  user->has_ended = true;
}

static void receive(void *context, hd_time now, const hd_datagram *datagram) {
  (void)hd_udx_receive(((sim_udx_user *)context)->udx, now, datagram);
}

static void act(sim_udx_user *user, hd_time now) {
  const bool has_rested = hd_time_is_due(user->resume_at, now);
  if (has_rested) user->resume_at = HD_TIME_NEVER;
  if (user->stream == NULL || hd_udx_stream_is_closing(user->stream)) return;
  if (has_rested) hd_udx_stream_resume(user->stream);
  if (!hd_udx_stream_is_connected(user->stream)) return;
  send_messages(user);
  write_some(user);
  end_when_done(user);
}

static void send_all(sim_udx_user *user, hd_time now) {
  hd_datagram_out outs[SENDS_PER_CALL];
  size_t count;
  while ((count = hd_udx_next_sends(user->udx, now, outs, SENDS_PER_CALL)) > 0) {
    for (size_t i = 0; i < count; i++) sim_host_send(user->host, &outs[i]);
  }
}

static hd_time turn(void *context, hd_time now) {
  sim_udx_user *user = context;
  hd_udx_elapse(user->udx, now);
  act(user, now);
  hd_udx_settle(user->udx, now);
  send_all(user, now);
  return hd_time_earlier(hd_udx_deadline(user->udx), user->resume_at);
}

static const sim_program program = {.receive = receive, .turn = turn};

void sim_udx_user_create(sim_udx_user *user, sim_network *network, const sim_host_options *host, uint32_t local_id,
                         const hd_udx_stream_options *options, const sim_udx_plan *plan, uint64_t seed) {
  fill_pattern();
  *user = (sim_udx_user){.plan = *plan, .random = hd_random_from_seed(seed), .resume_at = HD_TIME_NEVER};
  user->memory.hook =
      (hd_allocator){.allocate = counting_allocate, .release = counting_release, .context = &user->memory};
  user->host = sim_host_create(network, host, &program, user);
  user->socket = sim_host_open(user->host, 0);
  const hd_udx_options instance = {.allocator = &user->memory.hook, .seed = {seed, ~seed}};
  if (hd_udx_create(&instance, &user->udx) != HDHT_OK) abort();
  if (hd_udx_stream_create(user->udx, local_id, options, &sink, user, &user->stream) != HDHT_OK) abort();
}

void sim_udx_connect(sim_udx_user *a, sim_udx_user *b) {
  const hd_address address_a = sim_host_address(a->host, a->socket);
  const hd_address address_b = sim_host_address(b->host, b->socket);
  if (hd_udx_stream_connect(a->stream, a->socket, &address_b, hd_udx_stream_local_id(b->stream)) != HDHT_OK) abort();
  if (hd_udx_stream_connect(b->stream, b->socket, &address_a, hd_udx_stream_local_id(a->stream)) != HDHT_OK) abort();
  sim_host_poke(a->host);
  sim_host_poke(b->host);
}

void sim_udx_user_destroy(sim_udx_user *user) {
  hd_udx_destroy(user->udx);
  if (user->memory.live_bytes != 0) blame(user, "memory was leaked");
}
