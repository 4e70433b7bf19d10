/* What a congestion controller is told and what it answers. One implementation exists (udx_bbr); the stream knows only
 * this interface, so that another is one file.
 *
 * All amounts are bytes on the wire, headers included (udx_rate.h). */
#ifndef HD_UDX_CONGESTION_H
#define HD_UDX_CONGESTION_H

#include "udx/udx_bbr.h"

typedef hd_udx_bbr hd_udx_congestion;

/* `packet_size` is the wire size of a full packet; `phase` any number, different for different streams, so that they do
 * not probe for bandwidth in step. */
static inline void hd_udx_congestion_init(hd_udx_congestion *congestion, uint32_t packet_size, uint32_t phase) {
  hd_udx_bbr_init(congestion, packet_size, phase);
}

/* One batch of acknowledgements was processed. */
static inline void hd_udx_congestion_acked(hd_udx_congestion *congestion, const hd_udx_congestion_batch *batch) {
  hd_udx_bbr_acked(congestion, batch);
}

/* The retransmission time-out expired. */
static inline void hd_udx_congestion_timed_out(hd_udx_congestion *congestion, uint64_t in_flight) {
  hd_udx_bbr_timed_out(congestion, in_flight);
}

/* Data goes out after nothing was in flight. */
static inline void hd_udx_congestion_resumed(hd_udx_congestion *congestion, bool was_app_limited) {
  hd_udx_bbr_resumed(congestion, was_app_limited);
}

/* A full packet has another size now. */
static inline void hd_udx_congestion_set_packet_size(hd_udx_congestion *congestion, uint32_t packet_size) {
  hd_udx_bbr_set_packet_size(congestion, packet_size);
}

/* How many bytes may be in flight. */
static inline uint64_t hd_udx_congestion_window(const hd_udx_congestion *congestion) {
  return congestion->window;
}

/* Bytes per second. */
static inline uint64_t hd_udx_congestion_pacing_rate(const hd_udx_congestion *congestion) {
  return congestion->pacing_rate;
}

/* Estimated bandwidth of the path, bytes per second; 0 before there is one. */
static inline uint64_t hd_udx_congestion_bandwidth(const hd_udx_congestion *congestion) {
  return hd_udx_bbr_bandwidth(congestion);
}

#endif
