#include "udx/udx_keepalive.h"

#include "test.h"

TEST(udx_keepalive_is_off_by_default) {
  hd_udx_keepalive keepalive;
  hd_udx_keepalive_set(&keepalive, (hd_duration){0}, 0);
  hd_udx_keepalive_restart(&keepalive, (hd_time){5});
  CHECK_INT(HD_UDX_KEEPALIVE_WAIT, hd_udx_keepalive_elapse(&keepalive, (hd_time){UINT64_MAX - 1}, false));
}

TEST(udx_keepalive_sends_after_each_idle_period_but_not_with_data_outstanding) {
  hd_udx_keepalive keepalive;
  hd_udx_keepalive_set(&keepalive, HD_MICROSECONDS(100), 0);
  hd_udx_keepalive_restart(&keepalive, (hd_time){50});
  CHECK_INT(HD_UDX_KEEPALIVE_WAIT, hd_udx_keepalive_elapse(&keepalive, (hd_time){149}, false));
  CHECK_INT(HD_UDX_KEEPALIVE_SEND, hd_udx_keepalive_elapse(&keepalive, (hd_time){150}, false));
  CHECK_INT(HD_UDX_KEEPALIVE_WAIT, hd_udx_keepalive_elapse(&keepalive, (hd_time){249}, false));
  CHECK_INT(HD_UDX_KEEPALIVE_WAIT, hd_udx_keepalive_elapse(&keepalive, (hd_time){250}, true));
  CHECK_INT(HD_UDX_KEEPALIVE_SEND, hd_udx_keepalive_elapse(&keepalive, (hd_time){350}, false));
}

TEST(udx_keepalive_gives_up_after_so_many_unanswered) {
  hd_udx_keepalive keepalive;
  hd_udx_keepalive_set(&keepalive, HD_MICROSECONDS(100), 2);
  hd_udx_keepalive_restart(&keepalive, (hd_time){0});
  CHECK_INT(HD_UDX_KEEPALIVE_SEND, hd_udx_keepalive_elapse(&keepalive, (hd_time){100}, false));
  CHECK_INT(HD_UDX_KEEPALIVE_SEND, hd_udx_keepalive_elapse(&keepalive, (hd_time){200}, false));
  hd_udx_keepalive_heard(&keepalive);
  CHECK_INT(HD_UDX_KEEPALIVE_SEND, hd_udx_keepalive_elapse(&keepalive, (hd_time){300}, false));
  CHECK_INT(HD_UDX_KEEPALIVE_SEND, hd_udx_keepalive_elapse(&keepalive, (hd_time){400}, false));
  CHECK_INT(HD_UDX_KEEPALIVE_GIVE_UP, hd_udx_keepalive_elapse(&keepalive, (hd_time){500}, false));
}
