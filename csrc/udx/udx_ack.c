#include "udx/udx_ack.h"

#define LOWEST_COUNT 8

static uint8_t *write_all(uint8_t *to, const hd_udx_ranges *ranges);
static uint8_t *write_some(hd_udx_ack *ack, uint8_t *to, const hd_udx_ranges *ranges);

uint32_t hd_udx_ack_write(hd_udx_ack *ack, const hd_udx_ranges *ranges, hd_udx_header header, uint8_t *to) {
  header.flags = ranges->count > 0 ? HD_UDX_FLAG_SACK : 0;
  header.data_offset = 0; /* the blocks run to the end of the datagram */
  hd_udx_packet_write_header(to, &header);
  ack->is_needed = false;

  uint8_t *blocks = to + HD_UDX_PACKET_HEADER_SIZE;
  if (ranges->count > HD_UDX_ACK_BLOCKS_ALL) return (uint32_t)(write_some(ack, blocks, ranges) - to);
  ack->fresh.count = ack->previous.count = ack->written = 0;
  return (uint32_t)(write_all(blocks, ranges) - to);
}

static uint8_t *write_block(uint8_t *to, hd_udx_range range) {
  hd_udx_packet_write_sack_block(to, range);
  return to + HD_UDX_SACK_BLOCK_SIZE;
}

static uint8_t *write_all(uint8_t *to, const hd_udx_ranges *ranges) {
  for (uint32_t i = 0; i < ranges->count; i++) to = write_block(to, ranges->items[i]);
  return to;
}

/* The ranges that hold the numbers of `numbers` from its range `first` on; several may lie in one. Returns how far it
 * came. */
static uint32_t write_changed(uint8_t **to, const uint8_t *end, const hd_udx_ranges *ranges,
                              const hd_udx_ranges *numbers, uint32_t first) {
  const hd_udx_range *last = NULL;
  uint32_t place = first;
  for (; place < numbers->count && *to < end; place++) {
    const hd_udx_range *range = hd_udx_ranges_find(ranges, numbers->items[place].start);
    if (range != NULL && range != last) *to = write_block(*to, *range);
    last = range;
  }
  return place;
}

static void forget_previous(hd_udx_ack *ack) {
  const hd_udx_ranges empty = {.items = ack->previous.items, .capacity = ack->previous.capacity};
  ack->previous = ack->fresh;
  ack->fresh = empty;
  ack->written = 0;
}

static uint8_t *write_some(hd_udx_ack *ack, uint8_t *to, const hd_udx_ranges *ranges) {
  const uint8_t *end = to + HD_UDX_SACK_BLOCKS_MAX * HD_UDX_SACK_BLOCK_SIZE;
  const uint8_t *enough = to + HD_UDX_ACK_BLOCKS_ALL * HD_UDX_SACK_BLOCK_SIZE;
  const uint32_t fresh_count = ack->fresh.count;
  if (ack->written < fresh_count) ack->written = write_changed(&to, end, ranges, &ack->fresh, ack->written);
  if (ack->written >= fresh_count) {
    ack->written = fresh_count + write_changed(&to, end, ranges, &ack->previous, ack->written - fresh_count);
  }
  ack->is_needed = ack->written < fresh_count + ack->previous.count;
  if (!ack->is_needed) forget_previous(ack);

  for (uint32_t i = 0; i < LOWEST_COUNT && to < enough; i++) to = write_block(to, ranges->items[i]);
  while (to < enough) {
    if (ack->rotation >= ranges->count) ack->rotation = LOWEST_COUNT;
    to = write_block(to, ranges->items[ack->rotation++]);
  }
  return to;
}
