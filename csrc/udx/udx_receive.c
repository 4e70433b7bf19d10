#include "udx/udx_receive.h"

#include "udx/udx.h"

_Static_assert(sizeof(hd_udx_held_packet) == HD_UDX_BLOCK_SIZE, "one block per packet");
_Static_assert(HD_UDX_DATAGRAM_SIZE_MAX - HD_UDX_HEADER_SIZE <= sizeof(((hd_udx_held_packet *)0)->payload),
               "every payload fits a block");

static bool hold(hd_udx_receiver *receiver, const hd_allocator *allocator, hd_udx_pool *pool, uint32_t held_limit,
                 uint32_t number, uint8_t flags, hd_bytes payload);
static bool reserve_slot(hd_udx_receiver *receiver, const hd_allocator *allocator, hd_udx_pool *pool, uint32_t number);
static void accept_next(hd_udx_receiver *receiver);

static hd_udx_held_packet **slot_of(const hd_udx_receiver *receiver, uint32_t number) {
  return &receiver->slots[number & (receiver->slots_count - 1)];
}

hd_udx_arrival hd_udx_receive_packet(hd_udx_receiver *receiver, const hd_allocator *allocator, hd_udx_pool *pool,
                                     uint32_t held_limit, uint32_t number, uint8_t flags, hd_bytes payload) {
  if (hd_udx_seq_before(number, receiver->next)) return HD_UDX_ARRIVAL_DUPLICATE;
  if (receiver->ranges.count > 0 && hd_udx_ranges_find(&receiver->ranges, number) != NULL)
    return HD_UDX_ARRIVAL_DUPLICATE;
  if (hd_udx_receive_is_finished(receiver)) return HD_UDX_ARRIVAL_ENDED;

  const bool is_next = number == receiver->next;
  const bool is_direct = is_next && receiver->delivered == number && !receiver->is_paused;
  if (!is_direct && !hold(receiver, allocator, pool, held_limit, number, flags, payload)) {
    return HD_UDX_ARRIVAL_NO_ROOM;
  }
  if ((flags & HD_UDX_FLAG_END) != 0 && !receiver->has_end) {
    receiver->has_end = true;
    receiver->end_number = number;
  }
  if (is_next) accept_next(receiver);
  if (!is_direct) return HD_UDX_ARRIVAL_HELD;
  receiver->delivered++;
  return HD_UDX_ARRIVAL_DELIVER;
}

/* The number expected next is here; so may be some that follow. */
static void accept_next(hd_udx_receiver *receiver) {
  receiver->next++;
  if (receiver->ranges.count == 0 || receiver->ranges.items[0].start != receiver->next) return;
  receiver->next = receiver->ranges.items[0].end;
  hd_udx_ranges_trim_before(&receiver->ranges, receiver->next);
}

hd_udx_held_packet *hd_udx_receive_take(hd_udx_receiver *receiver) {
  if (!hd_udx_receive_has_ready(receiver)) return NULL;
  hd_udx_held_packet **slot = slot_of(receiver, receiver->delivered++);
  hd_udx_held_packet *packet = *slot;
  hd_assert(packet != NULL);
  *slot = NULL;
  receiver->held_count--;
  return packet;
}

void hd_udx_receive_destroy(hd_udx_receiver *receiver, const hd_allocator *allocator, hd_udx_pool *pool) {
  for (uint32_t i = 0; i < receiver->slots_count && receiver->held_count > 0; i++) {
    if (receiver->slots[i] == NULL) continue;
    hd_udx_pool_give(pool, receiver->slots[i]);
    receiver->slots[i] = NULL;
    receiver->held_count--;
  }
  hd_udx_receive_trim(receiver, allocator, pool);
  hd_udx_ranges_destroy(&receiver->ranges, allocator);
}

void hd_udx_receive_trim(hd_udx_receiver *receiver, const hd_allocator *allocator, hd_udx_pool *pool) {
  if (receiver->held_count > 0) return;
  hd_udx_pool_discharge(pool, receiver->slots_count * sizeof receiver->slots[0]);
  hd_release(allocator, receiver->slots, receiver->slots_count * sizeof receiver->slots[0]);
  receiver->slots = NULL;
  receiver->slots_count = 0;
  if (receiver->ranges.count == 0) hd_udx_ranges_destroy(&receiver->ranges, allocator);
}

/* Copies the payload; the range is added last, so that a refusal leaves no trace. */
static bool hold(hd_udx_receiver *receiver, const hd_allocator *allocator, hd_udx_pool *pool, uint32_t held_limit,
                 uint32_t number, uint8_t flags, hd_bytes payload) {
  hd_assert(payload.size <= sizeof(((hd_udx_held_packet *)0)->payload));
  if (receiver->held_count >= held_limit || !reserve_slot(receiver, allocator, pool, number)) return false;
  hd_udx_held_packet *packet = hd_udx_pool_take(pool);
  if (packet == NULL) return false;

  const bool is_next = number == receiver->next;
  const hd_udx_range range = {.start = number, .end = number + 1};
  if (!is_next && hd_udx_ranges_add(&receiver->ranges, allocator, range) != HDHT_OK) {
    hd_udx_pool_give(pool, packet);
    return false;
  }
  packet->size = (uint16_t)payload.size;
  packet->flags = flags;
  if (payload.size > 0) memcpy(packet->payload, payload.data, payload.size);
  *slot_of(receiver, number) = packet;
  receiver->held_count++;
  return true;
}

/* One packet from far ahead makes this large, so it counts as what packets of all streams may use. */
static bool reserve_slot(hd_udx_receiver *receiver, const hd_allocator *allocator, hd_udx_pool *pool, uint32_t number) {
  const uint32_t needed = number - receiver->delivered + 1;
  if (needed <= receiver->slots_count) return true;
  if (needed > HD_UDX_SPAN_LIMIT) return false;

  uint32_t count = receiver->slots_count == 0 ? 8 : receiver->slots_count;
  while (count < needed) count *= 2;
  const size_t size = count * sizeof receiver->slots[0];
  const size_t old_size = receiver->slots_count * sizeof receiver->slots[0];
  if (!hd_udx_pool_charge(pool, size - old_size)) return false;
  hd_udx_held_packet **slots = hd_allocate_zeroed(allocator, size);
  if (slots == NULL) {
    hd_udx_pool_discharge(pool, size - old_size);
    return false;
  }
  for (uint32_t i = 0; i < receiver->slots_count; i++) {
    const uint32_t old_number = receiver->delivered + i;
    slots[old_number & (count - 1)] = *slot_of(receiver, old_number);
  }
  hd_release(allocator, receiver->slots, old_size);
  receiver->slots = slots;
  receiver->slots_count = count;
  return true;
}
