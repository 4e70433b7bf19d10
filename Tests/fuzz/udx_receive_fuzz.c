/* Two streams joined by a network that the input controls: it writes, ends and pauses, loses, doubles, reorders, delays
 * and mangles packets, forges new ones with plausible numbers, blocks sockets and lets allocations fail.
 *
 * Always: nothing crashes, no assertion fails, all memory comes back. When nothing was forged or mangled: only the
 * bytes that were written arrive, in order; and when also nobody destroyed or starved a stream, all of them do in the
 * end. */
#include "fuzz_input.h"
#include "udx/udx.h"
#include "udx/udx_packet.h"

#define PACKETS_MAX 64
#define WRITTEN_MAX 400000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct fuzz_packet {
  uint8_t bytes[HD_UDX_DATAGRAM_SIZE_MAX];
  uint32_t size;
} fuzz_packet;

typedef struct end {
  hd_udx *udx;
  hd_udx_stream *stream;
  fuzz_allocator allocator;
  fuzz_packet queue[PACKETS_MAX]; /* on its way to this end */
  uint32_t queue_count;
  uint32_t written, received;
  uint64_t writes, writes_acked;
  bool is_blocked, has_ended, saw_end, pauses, destroys_on_data;
  uint32_t closes;
  int close_reason;
} end;

typedef struct fuzz_session {
  end ends[2];
  hd_time now;
  bool is_honest; /* every packet that arrived was one that was sent */
  bool is_spared; /* nobody was destroyed, and memory never ran out */
} fuzz_session;

static fuzz_session *current;

static uint8_t pattern_at(uint32_t position) {
  return (uint8_t)(position * 131 + position / 251);
}

static const uint8_t *pattern(void) {
  static uint8_t bytes[WRITTEN_MAX];
  if (bytes[1] == 0) {
    for (uint32_t i = 0; i < WRITTEN_MAX; i++) bytes[i] = pattern_at(i);
  }
  return bytes;
}

static void on_data(void *context, hd_udx_stream *stream, hd_bytes bytes) {
  end *self = context;
  if (current->is_honest) {
    FUZZ_CHECK(self->received + bytes.size <= WRITTEN_MAX);
    FUZZ_CHECK(bytes.size == 0 || memcmp(pattern() + self->received, bytes.data, bytes.size) == 0);
    self->received += (uint32_t)bytes.size;
  }
  if (self->pauses) hd_udx_stream_pause(stream);
  if (self->destroys_on_data) hd_udx_stream_destroy(stream);
}

static void on_end(void *context, hd_udx_stream *stream) {
  (void)stream;
  end *self = context;
  FUZZ_CHECK(!self->saw_end);
  self->saw_end = true;
}

static void on_acked(void *context, hd_udx_stream *stream, uint64_t writes_count) {
  (void)stream;
  end *self = context;
  FUZZ_CHECK(writes_count > self->writes_acked && writes_count <= self->writes);
  self->writes_acked = writes_count;
}

static void on_close(void *context, hd_udx_stream *stream, int reason) {
  (void)stream;
  end *self = context;
  self->closes++;
  self->close_reason = reason;
  self->stream = NULL;
}

static bool on_firewall(void *context, hd_udx_stream *stream, hd_socket_id socket, const hd_address *from) {
  (void)context;
  (void)stream;
  (void)from;
  return socket % 2 == 0;
}

static const hd_udx_sink sink = {
    .on_firewall = on_firewall, .on_data = on_data, .on_end = on_end, .on_acked = on_acked, .on_close = on_close};

static hd_address address_of(int i) {
  return hd_address_ipv4(10, 0, 0, 1, (uint16_t)(1 + i));
}

static void start(fuzz_session *session, fuzz_input *input) {
  const uint8_t choice = fuzz_u8(input);
  const uint32_t first[2] = {choice % 2 == 0 ? 0 : 0xfffffffeu, choice % 3 == 0 ? 0 : 0x7ffffffcu};
  for (int i = 0; i < 2; i++) {
    end *self = &session->ends[i];
    fuzz_allocator_init(&self->allocator);
    const hd_udx_options options = {.allocator = &self->allocator.hook, .seed = {1, 2}, .buffered_limit = 1 << 20};
    const hd_udx_stream_options stream_options = {
        .window = choice % 5 == 0 ? 20000 : 0, .send_seq = first[i], .receive_seq = first[1 - i]};
    FUZZ_CHECK(hd_udx_create(&options, &self->udx) == HDHT_OK);
    FUZZ_CHECK(hd_udx_stream_create(self->udx, (uint32_t)(1 + i), &stream_options, &sink, self, &self->stream) ==
               HDHT_OK);
    const hd_address remote = address_of(1 - i);
    FUZZ_CHECK(hd_udx_stream_connect(self->stream, 1, &remote, (uint32_t)(2 - i)) == HDHT_OK);
  }
}

static void put(end *to, const fuzz_packet *packet) {
  if (to->queue_count < PACKETS_MAX) to->queue[to->queue_count++] = *packet;
}

static void drain(fuzz_session *session, int i) {
  end *self = &session->ends[i];
  hd_udx_settle(self->udx, session->now);
  hd_datagram_out outs[3];
  uint32_t rounds = 0;
  for (size_t count; (count = hd_udx_next_sends(self->udx, session->now, outs, 3)) > 0;) {
    FUZZ_CHECK(++rounds < 10000);
    for (size_t k = 0; k < count; k++) {
      if (self->is_blocked) {
        hd_udx_send_result(self->udx, session->now, &outs[k], 0, HDHT_ERR_WOULD_BLOCK);
        continue;
      }
      uint32_t part = 0, first, parts_count, size;
      while (hd_datagram_out_next_segment(&outs[k], &part, &first, &parts_count, &size)) {
        fuzz_packet made = {.size = 0};
        for (uint32_t p = first; p < first + parts_count; p++) {
          FUZZ_CHECK(outs[k].parts[p].size > 0 && made.size + outs[k].parts[p].size <= sizeof made.bytes);
          memcpy(made.bytes + made.size, outs[k].parts[p].data, outs[k].parts[p].size);
          made.size += (uint32_t)outs[k].parts[p].size;
        }
        FUZZ_CHECK(made.size == size);
        put(&session->ends[1 - i], &made);
      }
    }
  }
}

static void receive(fuzz_session *session, int i, const fuzz_packet *packet, hd_socket_id socket) {
  const hd_datagram datagram = {
      .socket = socket, .from = address_of(1 - i), .bytes = hd_bytes_of(packet->bytes, packet->size)};
  hd_udx_receive(session->ends[i].udx, session->now, &datagram);
}

/* Takes the packet out of the queue of end `i`; there is one. */
static fuzz_packet take(fuzz_session *session, int i, uint32_t place) {
  end *self = &session->ends[i];
  place %= self->queue_count;
  const fuzz_packet taken = self->queue[place];
  memmove(&self->queue[place], &self->queue[place + 1], (self->queue_count - place - 1) * sizeof taken);
  self->queue_count--;
  return taken;
}

static void forge(fuzz_session *session, int i, fuzz_input *input) {
  static const int32_t steps[] = {0, 1, 2, 5, -1, -3, 64, 1000, 65535, 65536, -70000, 0x40000000, INT32_MIN};
  hd_udx_stream_stats stats;
  if (session->ends[i].stream == NULL) return;
  hd_udx_stream_get_stats(session->ends[i].stream, &stats);
  fuzz_packet made = {.size = 0};
  const uint8_t flags = fuzz_u8(input), seq_step = fuzz_u8(input), ack_step = fuzz_u8(input), rest = fuzz_u8(input);
  /* Around the numbers of the packet that this end would like next: near the last one it was sent, if any. */
  uint32_t seq = 0, ack = 0;
  if (session->ends[i].queue_count > 0) {
    const hd_udx_header last = hd_udx_packet_read_header(session->ends[i].queue[0].bytes);
    seq = last.seq;
    ack = last.ack;
  }
  const hd_udx_header header = {.flags = flags,
                                .data_offset = fuzz_u8(input),
                                .stream_id = (uint32_t)(1 + i),
                                .window = (uint32_t)fuzz_u16(input) << (flags % 8),
                                .seq = seq + (uint32_t)steps[seq_step % 13],
                                .ack = ack + (uint32_t)steps[ack_step % 13]};
  hd_udx_packet_write_header(made.bytes, &header);
  made.size = HD_UDX_PACKET_HEADER_SIZE + rest;
  for (uint32_t at = HD_UDX_PACKET_HEADER_SIZE; at + 8 <= made.size; at += 8) {
    const uint32_t start_at = header.ack + (uint32_t)steps[fuzz_u8(input) % 13];
    hd_udx_packet_write_sack_block(made.bytes + at, (hd_udx_range){start_at, start_at + fuzz_u8(input)});
  }
  session->is_honest = false;
  receive(session, i, &made, flags % 4 == 3 ? 2 : 1);
}

static void write_some(fuzz_session *session, int i, fuzz_input *input) {
  end *self = &session->ends[i];
  uint32_t size = (uint32_t)fuzz_u16(input) % 20000;
  if (self->stream == NULL || self->written + size > WRITTEN_MAX) return;
  hd_bytes parts[3];
  const size_t parts_count = 1 + fuzz_u8(input) % 3;
  uint32_t done = 0;
  for (size_t p = 0; p < parts_count; p++) {
    const uint32_t length = p + 1 == parts_count ? size - done : size / 4;
    parts[p] = hd_bytes_of(pattern() + self->written + done, length);
    done += length;
  }
  if (hd_udx_stream_write(self->stream, parts, parts_count) != HDHT_OK) return;
  self->written += size;
  self->writes++;
}

static void command(fuzz_session *session, fuzz_input *input) {
  const uint8_t what = fuzz_u8(input);
  const int i = what & 1;
  end *self = &session->ends[i];
  const bool has_packet = self->queue_count > 0;
  switch (what >> 1 & 31) {
    case 0:
    case 1: write_some(session, i, input); break;
    case 2:
      if (self->stream != NULL && hd_udx_stream_end(self->stream) == HDHT_OK) self->has_ended = true;
      break;
    case 3:
    case 4:
    case 5:
      for (uint32_t left = 1 + fuzz_u8(input) % 32; left > 0 && self->queue_count > 0; left--) {
        const fuzz_packet packet = take(session, i, 0);
        receive(session, i, &packet, 1);
      }
      break;
    case 6:
      if (has_packet) take(session, i, fuzz_u8(input));
      break;
    case 7:
    case 8:
      if (has_packet) {
        const fuzz_packet packet = take(session, i, fuzz_u8(input));
        receive(session, i, &packet, 1);
      }
      break;
    case 9:
      if (has_packet) put(self, &self->queue[fuzz_u8(input) % self->queue_count]);
      break;
    case 10:
      if (has_packet) {
        fuzz_packet packet = take(session, i, 0);
        const uint32_t at = fuzz_u8(input) % (packet.size < 40 ? packet.size : 40);
        const uint8_t change = fuzz_u8(input);
        if (change != 0) session->is_honest = false;
        packet.bytes[at] ^= change;
        receive(session, i, &packet, 1);
      }
      break;
    case 11:
    case 12: forge(session, i, input); break;
    case 13: session->now.us += (uint64_t)fuzz_u8(input) * 10; break;
    case 14: session->now.us += (uint64_t)fuzz_u16(input) * 20; break;
    case 15: {
      const hd_time at = hd_udx_deadline(self->udx);
      if (!hd_time_is_never(at)) session->now = hd_time_later(session->now, at);
      break;
    }
    case 16:
      self->pauses = fuzz_u8(input) % 2 == 0;
      if (self->stream != NULL && self->pauses) hd_udx_stream_pause(self->stream);
      break;
    case 17:
      self->pauses = false;
      if (self->stream != NULL) hd_udx_stream_resume(self->stream);
      break;
    case 18:
      if (self->stream != NULL) hd_udx_stream_set_held_bytes(self->stream, (uint64_t)fuzz_u8(input) << 15);
      break;
    case 19: self->is_blocked = true; break;
    case 20:
      self->is_blocked = false;
      hd_udx_socket_writable(self->udx, 1);
      break;
    case 21:
      if (self->stream != NULL)
        hd_udx_stream_send_message(self->stream, hd_bytes_of(pattern(), fuzz_u16(input) % 1300));
      break;
    case 22: self->allocator.is_failing = fuzz_u8(input) % 2 == 0; break;
    case 23:
      if (self->stream != NULL) {
        const hd_address remote = address_of(1 - i);
        hd_udx_stream_change_remote(self->stream, 1, &remote, (uint32_t)(2 - i));
      }
      break;
    case 24: self->destroys_on_data = fuzz_u8(input) == 0; break;
    case 25:
      if (self->stream != NULL && fuzz_u8(input) == 0) {
        hd_udx_stream_destroy(self->stream);
        session->is_spared = false;
      }
      break;
    case 26:
      if (self->stream != NULL) hd_udx_stream_set_keepalive(self->stream, HD_MILLISECONDS(fuzz_u8(input) * 10), 0);
      break;
    default: break;
  }
  session->is_spared = session->is_spared && !self->allocator.is_failing && !self->destroys_on_data;
  for (int k = 0; k < 2; k++) {
    if (hd_time_is_due(hd_udx_deadline(session->ends[k].udx), session->now)) {
      hd_udx_elapse(session->ends[k].udx, session->now);
    }
    drain(session, k);
  }
}

/* A good network from now on: everything must get through. */
static void recover(fuzz_session *session) {
  for (int i = 0; i < 2; i++) {
    end *self = &session->ends[i];
    self->pauses = self->is_blocked = false;
    hd_udx_socket_writable(self->udx, 1);
    if (self->stream == NULL) continue;
    hd_udx_stream_set_held_bytes(self->stream, 0);
    hd_udx_stream_resume(self->stream);
    hd_udx_stream_end(self->stream);
  }
  for (uint32_t step = 0; step < 20000; step++) {
    for (int i = 0; i < 2; i++) {
      while (session->ends[i].queue_count > 0) {
        const fuzz_packet packet = take(session, i, 0);
        receive(session, i, &packet, 1);
      }
    }
    for (int i = 0; i < 2; i++) drain(session, i);
    if (session->ends[0].stream == NULL && session->ends[1].stream == NULL) return;
    if (session->ends[0].queue_count + session->ends[1].queue_count > 0) {
      session->now.us += 100;
      continue;
    }
    const hd_time next = hd_time_earlier(hd_udx_deadline(session->ends[0].udx), hd_udx_deadline(session->ends[1].udx));
    if (hd_time_is_never(next)) return;
    session->now = hd_time_later(session->now, next);
    for (int i = 0; i < 2; i++) hd_udx_elapse(session->ends[i].udx, session->now);
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static fuzz_session storage;
  current = &storage;
  memset(current, 0, sizeof *current);
  current->now.us = 1000000;
  current->is_honest = current->is_spared = true;
  fuzz_input input = fuzz_input_of(data, size);
  start(current, &input);
  for (uint32_t commands = 0; commands < 2000 && !fuzz_is_empty(&input); commands++) command(current, &input);

  const bool is_alive = current->ends[0].stream != NULL && current->ends[1].stream != NULL;
  const bool must_complete = current->is_honest && current->is_spared && is_alive;
  if (must_complete) {
    recover(current);
    for (int i = 0; i < 2; i++) {
      /* Patience may have run out while the input kept the network dead. */
      if (current->ends[0].close_reason == HDHT_ERR_TIMED_OUT || current->ends[1].close_reason == HDHT_ERR_TIMED_OUT) {
        break;
      }
      FUZZ_CHECK(current->ends[i].closes == 1 && current->ends[i].close_reason == HDHT_OK);
      FUZZ_CHECK(current->ends[i].received == current->ends[1 - i].written);
      FUZZ_CHECK(current->ends[i].writes_acked == current->ends[i].writes);
      FUZZ_CHECK(current->ends[i].saw_end);
    }
  }
  for (int i = 0; i < 2; i++) {
    hd_udx_destroy(current->ends[i].udx);
    FUZZ_CHECK(current->ends[i].allocator.live_bytes == 0);
  }
  return 0;
}
