#include "udx/udx_rate.h"

uint64_t hd_udx_rate_of(hd_udx_rate *rate, const hd_udx_rate_batch *batch, hd_duration min_rtt) {
  if (rate->app_limited_until != 0 && rate->delivered > rate->app_limited_until) rate->app_limited_until = 0;
  if (!batch->has_packet) return 0;

  const hd_duration ack_elapsed = hd_time_since(rate->delivered_at, batch->newest.delivered_at);
  const hd_duration interval = hd_duration_longer(batch->send_elapsed, ack_elapsed);
  if (interval.us == 0 || (min_rtt.us != UINT64_MAX && interval.us < min_rtt.us)) return 0;
  return (rate->delivered - batch->newest.delivered) * 1000000 / interval.us;
}
