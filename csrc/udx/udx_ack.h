/* What to acknowledge, and when.
 *
 * One acknowledgement per stream and receive batch: everything that asks for one (DATA, END, duplicates and HEARTBEAT)
 * sets a flag, and the next drain sends it, on a data packet if one leaves anyway and no ranges need reporting. The
 * reference acknowledges each packet; its senders read cumulative numbers and take any frequency. */
#ifndef HD_UDX_ACK_H
#define HD_UDX_ACK_H

#include "base/clock.h"
#include "udx/udx_ranges.h"

#define HD_UDX_ACK_SIZE_MAX       (HD_UDX_PACKET_HEADER_SIZE + HD_UDX_SACK_BLOCKS_MAX * HD_UDX_SACK_BLOCK_SIZE)
#define HD_UDX_ACK_BLOCKS_ALL     50 /* so many ranges are all reported each time; the reference stops here */
#define HD_UDX_HEARTBEAT_INTERVAL HD_MILLISECONDS(1) /* between answers to heartbeats: they can be forged */

typedef struct hd_udx_ack {
  bool is_needed;
  /* Numbers that came out of order since the last acknowledgement, and between that and the one before, which may have
   * got lost. */
  hd_udx_ranges fresh;
  hd_udx_ranges previous;
  uint32_t written;       /* how many ranges of these two went into an earlier packet of the same acknowledgement */
  uint32_t rotation;      /* index of the old range to repeat next */
  hd_time heartbeat_from; /* heartbeats before this time are not answered */
} hd_udx_ack;

/* A heartbeat arrived. */
static inline void hd_udx_ack_heartbeat(hd_udx_ack *ack, hd_time now) {
  if (!hd_time_is_due(ack->heartbeat_from, now)) return;
  ack->heartbeat_from = hd_time_add(now, HD_UDX_HEARTBEAT_INTERVAL);
  ack->is_needed = true;
}

/* Number `number` came out of order. Only a hint, which may fail for want of memory. */
static inline void hd_udx_ack_out_of_order(hd_udx_ack *ack, const hd_allocator *allocator, uint32_t number) {
  hd_udx_ranges_add(&ack->fresh, allocator, (hd_udx_range){.start = number, .end = number + 1});
}

/* Writes the acknowledgement packet: plain without ranges, else with all of them in ascending order if they are few.
 *
 * If they are many, the ranges that changed come first, then those that changed before, the lowest, and some others in
 * turn. A range the other side does not hear of looks like a loss to it, so when the changes do not fit,
 * `is_needed` stays set for another packet with the rest; and each is sent at least twice, as a packet may get lost.
 *
 * header  everything but flags and data_offset
 *
 * Returns the size, at most HD_UDX_ACK_SIZE_MAX. */
uint32_t hd_udx_ack_write(hd_udx_ack *ack, const hd_udx_ranges *ranges, hd_udx_header header, uint8_t *to);

/* Gives the memory back. */
static inline void hd_udx_ack_destroy(hd_udx_ack *ack, const hd_allocator *allocator) {
  hd_udx_ranges_destroy(&ack->fresh, allocator);
  hd_udx_ranges_destroy(&ack->previous, allocator);
}

#endif
