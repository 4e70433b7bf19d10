#include "udx/udx_flow.h"

#include "udx/udx.h"

void hd_udx_flow_init(hd_udx_flow *flow, uint32_t window, uint32_t window_max, uint32_t send_seq,
                      uint32_t receive_seq) {
  if (window == 0) window = HD_UDX_WINDOW_DEFAULT;
  if (window_max == 0) window_max = HD_UDX_WINDOW_MAX_DEFAULT;
  *flow = (hd_udx_flow){
      .send_window = HD_UDX_WINDOW_DEFAULT, /* what a peer has that said nothing yet */
      .update_seq = receive_seq,
      .update_ack = send_seq,
      .probe_at = HD_TIME_NEVER,
      .advertised = window,
      .limit = window,
      .limit_max = window_max < window ? window : window_max,
  };
}

bool hd_udx_flow_wants_update(const hd_udx_flow *flow, uint64_t buffered, uint32_t packet_size) {
  const uint32_t window = hd_udx_flow_window(flow, buffered);
  if (window <= flow->advertised) return false;
  if (flow->advertised < 2 * packet_size) return window >= 2 * packet_size || window == flow->limit;
  return flow->advertised < flow->limit / 4 && window - flow->advertised >= flow->limit / 4;
}
