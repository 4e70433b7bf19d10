#include "udx/udx_relay.h"

#include "udx/udx.h"

void hd_udx_relay_init(hd_udx_relay *relay, const hd_allocator *allocator) {
  *relay = (hd_udx_relay){0};
  hd_ring_init(&relay->fresh, allocator, sizeof(hd_udx_relayed), HD_UDX_RELAYED_LIMIT);
  hd_ring_init(&relay->waiting, allocator, sizeof(hd_udx_relayed), HD_UDX_RELAYED_LIMIT);
}

void hd_udx_relay_destroy(hd_udx_relay *relay, hd_udx_pool *pool) {
  for (hd_udx_relayed *relayed; (relayed = hd_ring_front(&relay->waiting)) != NULL; hd_ring_pop(&relay->waiting)) {
    hd_udx_pool_give(pool, relayed->block);
  }
  hd_ring_destroy(&relay->waiting);
  hd_ring_destroy(&relay->fresh);
}

void hd_udx_relay_push(hd_udx_relay *relay, hd_bytes packet, hd_socket_id socket, const hd_address *to,
                       uint32_t remote_id) {
  void *place;
  if (hd_ring_push(&relay->fresh, &place) != HDHT_OK) {
    relay->drops++;
    return;
  }
  *(hd_udx_relayed *)place = (hd_udx_relayed){.bytes = packet, .socket = socket, .remote_id = remote_id, .to = *to};
  relay->packets++;
}

void hd_udx_relay_keep(hd_udx_relay *relay, hd_udx_pool *pool, const hd_udx_relayed *relayed) {
  hd_assert(relayed->bytes.size <= HD_UDX_BLOCK_SIZE);
  void *block = relay->waiting.count < HD_UDX_RELAYED_LIMIT ? hd_udx_pool_take(pool) : NULL;
  void *place;
  if (block == NULL || hd_ring_push(&relay->waiting, &place) != HDHT_OK) {
    if (block != NULL) hd_udx_pool_give(pool, block);
    relay->drops++;
    return;
  }
  memcpy(block, relayed->bytes.data, relayed->bytes.size);
  hd_udx_relayed *kept = place;
  *kept = *relayed;
  kept->block = block;
  kept->bytes.data = block;
}

static bool is_same_way(const hd_udx_relayed *a, const hd_udx_relayed *b) {
  return a->socket == b->socket && a->remote_id == b->remote_id && hd_address_equal(&a->to, &b->to);
}

static void add_packet(hd_udx_scratch *scratch, const hd_udx_relayed *relayed) {
  uint8_t *header = hd_udx_scratch_bytes(scratch);
  memcpy(header, relayed->bytes.data, HD_UDX_PACKET_HEADER_SIZE);
  hd_store_le32(header + 4, relayed->remote_id);
  hd_udx_scratch_add_bytes(scratch, HD_UDX_PACKET_HEADER_SIZE);
  const size_t rest = relayed->bytes.size - HD_UDX_PACKET_HEADER_SIZE;
  if (rest > 0) hd_udx_scratch_add_part(scratch, relayed->bytes.data + HD_UDX_PACKET_HEADER_SIZE, rest);
}

uint32_t hd_udx_relay_fill(const hd_ring *ring, hd_udx_scratch *scratch, hd_datagram_out *out) {
  const hd_udx_relayed *first = hd_ring_front(ring);
  const hd_bytes *parts = hd_udx_scratch_parts(scratch);
  const size_t segment = first->bytes.size;
  size_t total = 0;
  uint32_t count = 0;
  while (count < ring->count && count < HD_DATAGRAM_BATCH_SEGMENTS && hd_udx_scratch_has_room(scratch)) {
    const hd_udx_relayed *relayed = hd_ring_at(ring, count);
    const size_t size = relayed->bytes.size;
    if (!is_same_way(first, relayed) || size > segment || total + size > HD_DATAGRAM_BATCH_BYTES) break;
    add_packet(scratch, relayed);
    total += size;
    count++;
    if (size < segment) break; /* a shorter one can only be the last */
  }
  *out = hd_udx_scratch_datagram(scratch, parts, first->socket, &first->to, HD_UDX_ORIGIN_RELAY, 0);
  out->segments_count = (uint16_t)count;
  out->segment_size = count > 1 ? (uint16_t)segment : 0;
  return count;
}
