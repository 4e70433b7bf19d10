#include "udx/udx_keepalive.h"

hd_udx_keepalive_action hd_udx_keepalive_elapse(hd_udx_keepalive *keepalive, hd_time now, bool is_outstanding) {
  if (keepalive->period.us == 0 || !hd_time_is_due(keepalive->due_at, now)) return HD_UDX_KEEPALIVE_WAIT;
  hd_udx_keepalive_restart(keepalive, now);
  if (is_outstanding) return HD_UDX_KEEPALIVE_WAIT;
  if (keepalive->misses_limit != 0 && keepalive->misses >= keepalive->misses_limit) return HD_UDX_KEEPALIVE_GIVE_UP;
  keepalive->misses++;
  return HD_UDX_KEEPALIVE_SEND;
}
