/* The largest packet the path carries, found by padding ordinary data packets (RFC 8899). Sizes are whole IP packets.
 *
 * A probe is a full data packet with zeros in its extension area, at most 255 of them; when it is lost, the data is
 * repeated without the padding and congestion control does not hear of it. The search tries the largest possible size
 * first, because most paths carry it, and halves the gap after a failure.
 *
 * Packets keep their size forever, since a number always names the same bytes. So when a path stops carrying large
 * packets (a black hole: several time-outs in a row of a large one), only new packets can be smaller; for the old ones
 * the driver is asked to allow fragmentation. */
#ifndef HD_UDX_MTU_H
#define HD_UDX_MTU_H

#include <stdbool.h>

#include "base/address.h"
#include "base/clock.h"

#define HD_UDX_MTU_STEP               16 /* stop searching when the answer is known this precisely */
#define HD_UDX_MTU_PROBE_LOSSES       3  /* of one size, before it is taken for too large */
#define HD_UDX_MTU_BLACK_HOLE         2  /* time-outs of large packets in a row, before a path is taken for one */
#define HD_UDX_MTU_SEARCH_AGAIN_AFTER HD_SECONDS(600)

typedef struct hd_udx_mtu {
  uint16_t current; /* known to work; at least HD_UDX_MTU_BASE, which is assumed to */
  uint16_t ceiling;
  uint16_t too_large; /* the least size known not to work, or ceiling + 1 */
  uint16_t probe;     /* size of the probe that is out; 0: none */
  uint8_t overhead;   /* bytes of IP, UDP and UDX headers */
  uint8_t probe_losses;
  uint8_t large_timeouts;
  bool is_search_open; /* something was acknowledged, so there is a path to search */
  hd_time search_again_at;
} hd_udx_mtu;

/* Starts at the base size. `ceiling` as in hd_udx_stream_options. */
void hd_udx_mtu_init(hd_udx_mtu *mtu, uint16_t ceiling);

/* The path leads to `remote` now: start again. */
void hd_udx_mtu_set_remote(hd_udx_mtu *mtu, const hd_address *remote);

/* Payload bytes of a full packet. */
static inline uint32_t hd_udx_mtu_payload(const hd_udx_mtu *mtu) {
  return (uint32_t)mtu->current - mtu->overhead;
}

/* How many bytes of padding turn a packet with `payload` bytes into the next probe; 0 when none is due. */
uint32_t hd_udx_mtu_probe_padding(const hd_udx_mtu *mtu, hd_time now, uint32_t payload);

/* A probe was sent with so much padding. */
void hd_udx_mtu_probe_sent(hd_udx_mtu *mtu, uint32_t payload, uint32_t padding);

/* The probe that is out was acknowledged, or lost. */
void hd_udx_mtu_probe_acked(hd_udx_mtu *mtu, hd_time now);
void hd_udx_mtu_probe_lost(hd_udx_mtu *mtu, hd_time now);

/* The operating system refused a packet of `size` bytes of payload and padding as too large. */
void hd_udx_mtu_refused(hd_udx_mtu *mtu, hd_time now, uint32_t size);

/* A packet above the base size arrived, or was the one that timed out. Returns whether the size fell back. */
static inline void hd_udx_mtu_large_acked(hd_udx_mtu *mtu) {
  mtu->large_timeouts = 0;
}
bool hd_udx_mtu_large_timed_out(hd_udx_mtu *mtu, hd_time now);

#endif
