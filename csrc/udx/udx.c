#include "udx/udx.h"

#include <string.h>

#include "udx/udx_input.h"
#include "udx/udx_output.h"

/* ---- the instance ---------------------------------------------------------------------------------------------- */

int hd_udx_create(const hd_udx_options *options, hd_udx **udx) {
  const hd_allocator *allocator = hd_allocator_or_system(options->allocator);
  hd_udx *made = hd_allocate(allocator, sizeof *made);
  if (made == NULL) return HDHT_ERR_OUT_OF_MEMORY;

  *made = (hd_udx){.allocator = allocator, .streams_limit = options->streams_limit};
  hd_udx_pool_init(&made->pool, allocator,
                   options->buffered_limit != 0 ? options->buffered_limit : HD_UDX_BUFFERED_LIMIT_DEFAULT);
  hd_udx_streams_init(&made->streams, allocator, options->seed);
  hd_deadline_heap_init(&made->deadlines, allocator);
  hd_list_init(&made->notify);
  hd_list_init(&made->sending);
  hd_list_init(&made->blocked);
  hd_list_init(&made->ghosts);
  hd_list_init(&made->ghosts_sending);
  hd_udx_relay_init(&made->relay, allocator);
  *udx = made;
  return HDHT_OK;
}

static void release_spent_blocks(hd_udx *udx);
static void set_ghost_deadline(hd_udx *udx, hd_udx_ghost *ghost);

void hd_udx_destroy(hd_udx *udx) {
  hd_assert(!udx->is_calling);
  size_t position = 0;
  for (hd_udx_entry *entry; (entry = hd_udx_streams_next(&udx->streams, &position)) != NULL;) {
    if (entry->is_ghost) {
      hd_release(udx->allocator, entry, sizeof(hd_udx_ghost));
      continue;
    }
    hd_udx_stream *stream = (hd_udx_stream *)entry;
    hd_release(udx->allocator, stream->ghost, sizeof *stream->ghost);
    hd_udx_stream_free(stream);
  }
  release_spent_blocks(udx);
  hd_udx_relay_destroy(&udx->relay, &udx->pool);
  hd_udx_scratch_destroy(&udx->scratch, udx->allocator);
  hd_release(udx->allocator, udx->blocked_sockets.sockets,
             udx->blocked_sockets.capacity * sizeof udx->blocked_sockets.sockets[0]);
  hd_deadline_heap_destroy(&udx->deadlines);
  hd_udx_streams_destroy(&udx->streams);
  hd_udx_pool_destroy(&udx->pool);
  hd_release(udx->allocator, udx, sizeof *udx);
}

size_t hd_udx_streams_count(const hd_udx *udx) {
  return udx->streams_count;
}

bool hd_udx_has_id(hd_udx *udx, uint32_t local_id) {
  return hd_udx_streams_find(&udx->streams, local_id) != NULL;
}

size_t hd_udx_socket_streams_count(const hd_udx *udx, hd_socket_id socket) {
  size_t count = 0;
  size_t position = 0;
  for (hd_udx_entry *entry; (entry = hd_udx_streams_next(&udx->streams, &position)) != NULL;) {
    if (!entry->is_ghost && ((hd_udx_stream *)entry)->socket == socket) count++;
  }
  return count;
}

void hd_udx_get_stats(const hd_udx *udx, hd_udx_stats *stats) {
  *stats = udx->stats;
  stats->packets_relayed = udx->relay.packets;
  stats->relay_drops = udx->relay.drops;
  stats->buffered_bytes = udx->pool.used_bytes;
}

/* ---- in -------------------------------------------------------------------------------------------------------- */

static void want_ghost_send(hd_udx *udx, hd_udx_ghost *ghost) {
  if (hd_list_is_empty(&ghost->send_link)) hd_list_push_back(&udx->ghosts_sending, &ghost->send_link);
}

static void receive_for_ghost(hd_udx *udx, hd_udx_ghost *ghost, hd_time now, const hd_datagram *datagram) {
  const hd_udx_header header = hd_udx_packet_read_header(datagram->bytes.data);
  if (!hd_udx_ghost_receive(ghost, now, &header)) return;
  udx->stats.ghost_answers++;
  want_ghost_send(udx, ghost);
}

hd_udx_received hd_udx_receive(hd_udx *udx, hd_time now, const hd_datagram *datagram) {
  hd_assert(!udx->is_calling);
  hd_assert(datagram->segment_size == 0 || datagram->bytes.size <= datagram->segment_size);
  if (!hd_udx_packet_is_udx(datagram->bytes)) return HD_UDX_NOT_MINE;
  hd_udx_entry *entry = hd_udx_streams_find(&udx->streams, hd_udx_packet_stream_id(datagram->bytes.data));
  if (entry == NULL) return HD_UDX_NOT_MINE;

  udx->stats.packets_received++;
  udx->stats.bytes_received += datagram->bytes.size;
  if (entry->is_ghost) {
    receive_for_ghost(udx, (hd_udx_ghost *)entry, now, datagram);
    return HD_UDX_CONSUMED;
  }
  udx->is_calling = true;
  hd_udx_input((hd_udx_stream *)entry, now, datagram);
  udx->is_calling = false;
  return HD_UDX_CONSUMED;
}

static void ghost_elapse(hd_udx *udx, hd_udx_ghost *ghost, hd_time now) {
  if (hd_time_is_due(ghost->expires_at, now)) {
    hd_udx_forget_ghost(udx, ghost);
    return;
  }
  ghost->send_at = HD_TIME_NEVER;
  want_ghost_send(udx, ghost);
}

void hd_udx_elapse(hd_udx *udx, hd_time now) {
  for (hd_deadline *due; (due = hd_deadline_heap_pop_due(&udx->deadlines, now)) != NULL;) {
    hd_udx_entry *entry = HD_CONTAINER_OF(due, hd_udx_entry, deadline);
    if (entry->is_ghost) {
      ghost_elapse(udx, (hd_udx_ghost *)entry, now);
    } else {
      hd_udx_stream_elapse((hd_udx_stream *)entry, now);
    }
  }
}

void hd_udx_settle(hd_udx *udx, hd_time now) {
  hd_assert(!udx->is_calling);
  udx->is_calling = true;
  for (hd_list *link; (link = hd_list_first(&udx->notify)) != NULL;) {
    hd_list_remove(link);
    hd_udx_stream_settle(HD_CONTAINER_OF(link, hd_udx_stream, notify_link), now);
  }
  udx->is_calling = false;
}

hd_time hd_udx_deadline(const hd_udx *udx) {
  return hd_deadline_heap_next(&udx->deadlines);
}

/* ---- out ------------------------------------------------------------------------------------------------------- */

static bool next_ghost(hd_udx *udx, hd_time now, hd_datagram_out *out);
static bool next_relayed(hd_udx *udx, hd_datagram_out *out);
static bool next_waiting_relayed(hd_udx *udx, hd_datagram_out *out);
static bool next_stream(hd_udx *udx, hd_time now, hd_datagram_out *out);

size_t hd_udx_next_sends(hd_udx *udx, hd_time now, hd_datagram_out *outs, size_t outs_capacity) {
  hd_udx_scratch_reset(&udx->scratch);
  release_spent_blocks(udx);
  size_t count = 0;
  while (count < outs_capacity && hd_udx_scratch_has_room(&udx->scratch)) {
    hd_datagram_out *out = &outs[count];
    if (!next_relayed(udx, out) && !next_waiting_relayed(udx, out) && !next_ghost(udx, now, out) &&
        !next_stream(udx, now, out)) {
      break;
    }
    udx->stats.packets_sent += out->segments_count;
    udx->stats.bytes_sent += out->size;
    count++;
  }
  return count;
}

static bool next_relayed(hd_udx *udx, hd_datagram_out *out) {
  hd_ring *fresh = &udx->relay.fresh;
  for (hd_udx_relayed *first; (first = hd_ring_front(fresh)) != NULL;) {
    if (!hd_udx_socket_is_blocked(udx, first->socket)) {
      for (uint32_t count = hd_udx_relay_fill(fresh, &udx->scratch, out); count > 0; count--) hd_ring_pop(fresh);
      return true;
    }
    hd_udx_relay_keep(&udx->relay, &udx->pool, first);
    hd_ring_pop(fresh);
  }
  return false;
}

/* Packets of sockets that are still full go round to the back, so one call looks at each once. */
static bool next_waiting_relayed(hd_udx *udx, hd_datagram_out *out) {
  hd_ring *waiting = &udx->relay.waiting;
  for (size_t left = waiting->count; left > 0; left--) {
    hd_udx_relayed first = *(hd_udx_relayed *)hd_ring_front(waiting);
    if (!hd_udx_socket_is_blocked(udx, first.socket)) {
      for (uint32_t count = hd_udx_relay_fill(waiting, &udx->scratch, out); count > 0; count--) {
        hd_udx_spend_block(udx, ((hd_udx_relayed *)hd_ring_front(waiting))->block);
        hd_ring_pop(waiting);
      }
      return true;
    }
    hd_ring_pop(waiting);
    void *place;
    const int error = hd_ring_push(waiting, &place); /* into the room just made */
    hd_assert(error == HDHT_OK);
    (void)error;
    *(hd_udx_relayed *)place = first;
  }
  return false;
}

static void set_ghost_deadline(hd_udx *udx, hd_udx_ghost *ghost) {
  const int error = hd_deadline_heap_set(&udx->deadlines, &ghost->entry.deadline, hd_udx_ghost_deadline(ghost));
  hd_assert(error == HDHT_OK); /* it inherited the room of its stream */
  (void)error;
}

static bool next_ghost(hd_udx *udx, hd_time now, hd_datagram_out *out) {
  hd_list *link = hd_list_first(&udx->ghosts_sending);
  if (link == NULL) return false;
  hd_udx_ghost *ghost = HD_CONTAINER_OF(link, hd_udx_ghost, send_link);
  hd_list_remove(link);
  hd_udx_ghost_send(ghost, now, &udx->scratch, out);
  set_ghost_deadline(udx, ghost);
  return true;
}

/* A stream that sent something goes to the back, so that all get their turn. */
static bool next_stream(hd_udx *udx, hd_time now, hd_datagram_out *out) {
  for (hd_list *link; (link = hd_list_first(&udx->sending)) != NULL;) {
    hd_udx_stream *stream = HD_CONTAINER_OF(link, hd_udx_stream, send_link);
    hd_list_remove(link);
    if (hd_udx_socket_is_blocked(udx, stream->socket)) {
      hd_list_push_back(&udx->blocked, link);
      hd_udx_stream_arm(stream, now);
      continue;
    }
    if (hd_udx_output(stream, now, out)) {
      hd_list_push_back(&udx->sending, link);
      return true;
    }
    hd_udx_stream_arm(stream, now);
  }
  return false;
}

/* ---- what did not leave ---------------------------------------------------------------------------------------- */

static bool block_socket(hd_udx *udx, hd_socket_id socket);
static void keep_relayed(hd_udx *udx, const hd_datagram_out *out, const hd_bytes *parts, uint32_t parts_count);

void hd_udx_send_result(hd_udx *udx, hd_time now, const hd_datagram_out *out, uint32_t segments_sent, int error) {
  hd_assert(out->origin.layer == HD_LAYER_UDX);
  /* A socket that cannot be remembered as full would be tried for ever: its packets count as lost instead. */
  if (error == HDHT_ERR_WOULD_BLOCK && !block_socket(udx, out->socket)) error = HDHT_ERR_OUT_OF_MEMORY;
  hd_udx_entry *entry = hd_udx_streams_find(&udx->streams, out->origin.stream);
  const bool is_stream = entry != NULL && !entry->is_ghost && !((hd_udx_stream *)entry)->is_closing;

  uint32_t part = 0, first, count, size;
  for (uint32_t segment = 0; hd_datagram_out_next_segment(out, &part, &first, &count, &size); segment++) {
    if (segment < segments_sent) continue;
    udx->stats.packets_sent--;
    udx->stats.bytes_sent -= size;
    if (out->origin.kind == HD_UDX_ORIGIN_RELAY) {
      if (error == HDHT_ERR_WOULD_BLOCK) keep_relayed(udx, out, out->parts + first, count);
    } else if (is_stream) { /* what a ghost could not say it says when asked again */
      hd_udx_output_unsent((hd_udx_stream *)entry, now, (hd_udx_origin)out->origin.kind, out->parts + first, count,
                           error);
    }
  }
}

static void keep_relayed(hd_udx *udx, const hd_datagram_out *out, const hd_bytes *parts, uint32_t parts_count) {
  uint8_t packet[HD_UDX_DATAGRAM_SIZE_MAX];
  size_t size = 0;
  for (uint32_t i = 0; i < parts_count; i++) {
    memcpy(packet + size, parts[i].data, parts[i].size);
    size += parts[i].size;
  }
  const hd_udx_relayed relayed = {.bytes = hd_bytes_of(packet, size),
                                  .socket = out->socket,
                                  .to = out->to,
                                  .remote_id = hd_udx_packet_stream_id(packet)};
  hd_udx_relay_keep(&udx->relay, &udx->pool, &relayed);
}

bool hd_udx_socket_is_blocked(const hd_udx *udx, hd_socket_id socket) {
  for (uint32_t i = 0; i < udx->blocked_sockets.count; i++) {
    if (udx->blocked_sockets.sockets[i] == socket) return true;
  }
  return false;
}

static bool block_socket(hd_udx *udx, hd_socket_id socket) {
  hd_udx_blocked *blocked = &udx->blocked_sockets;
  if (hd_udx_socket_is_blocked(udx, socket)) return true;
  if (blocked->count == blocked->capacity) {
    const uint32_t capacity = blocked->capacity == 0 ? 4 : blocked->capacity * 2;
    hd_socket_id *sockets = hd_allocate_array(udx->allocator, capacity, sizeof sockets[0]);
    if (sockets == NULL) return false;
    if (blocked->count > 0) memcpy(sockets, blocked->sockets, blocked->count * sizeof sockets[0]);
    hd_release(udx->allocator, blocked->sockets, blocked->capacity * sizeof sockets[0]);
    blocked->sockets = sockets;
    blocked->capacity = capacity;
  }
  blocked->sockets[blocked->count++] = socket;
  return true;
}

void hd_udx_socket_writable(hd_udx *udx, hd_socket_id socket) {
  hd_udx_blocked *blocked = &udx->blocked_sockets;
  for (uint32_t i = 0; i < blocked->count; i++) {
    if (blocked->sockets[i] == socket) blocked->sockets[i--] = blocked->sockets[--blocked->count];
  }
  HD_LIST_EACH(link, &udx->blocked) {
    if (HD_CONTAINER_OF(link, hd_udx_stream, send_link)->socket != socket) continue;
    hd_list_remove(link);
    hd_list_push_back(&udx->sending, link);
  }
}

/* ---- ghosts and blocks ----------------------------------------------------------------------------------------- */

void hd_udx_adopt_ghost(hd_udx *udx, hd_udx_ghost *ghost, hd_time now) {
  if (udx->ghosts_count == HD_UDX_GHOSTS_LIMIT) {
    hd_udx_forget_ghost(udx, HD_CONTAINER_OF(hd_list_first(&udx->ghosts), hd_udx_ghost, age_link));
  }
  hd_udx_streams_replace(&udx->streams, &ghost->entry);
  hd_list_push_back(&udx->ghosts, &ghost->age_link);
  udx->ghosts_count++;
  hd_list_init(&ghost->send_link);
  ghost->expires_at = hd_time_add(now, HD_UDX_GHOST_LIFE);
  set_ghost_deadline(udx, ghost);
  if (ghost->sends_left > 0) want_ghost_send(udx, ghost);
}

void hd_udx_forget_ghost(hd_udx *udx, hd_udx_ghost *ghost) {
  hd_udx_streams_remove(&udx->streams, &ghost->entry);
  hd_deadline_heap_remove(&udx->deadlines, &ghost->entry.deadline);
  hd_list_remove(&ghost->age_link);
  hd_list_remove(&ghost->send_link);
  udx->ghosts_count--;
  hd_release(udx->allocator, ghost, sizeof *ghost);
}

void hd_udx_spend_block(hd_udx *udx, void *block) {
  memcpy(block, &udx->spent_blocks, sizeof udx->spent_blocks);
  udx->spent_blocks = block;
}

static void release_spent_blocks(hd_udx *udx) {
  while (udx->spent_blocks != NULL) {
    void *block = udx->spent_blocks;
    memcpy(&udx->spent_blocks, block, sizeof udx->spent_blocks);
    hd_udx_pool_give(&udx->pool, block);
  }
}
