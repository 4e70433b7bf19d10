#include "udx/udx_flow.h"

#include "test.h"
#include "udx/udx.h"

static hd_udx_flow make(uint32_t window, uint32_t window_max) {
  hd_udx_flow flow;
  hd_udx_flow_init(&flow, window, window_max, 0, 0);
  return flow;
}

TEST(udx_flow_assumes_four_mebibytes_until_told) {
  hd_udx_flow flow = make(0, 0);
  CHECK_UINT(0x400000, flow.send_window);
  CHECK_UINT(0x400000, hd_udx_flow_window(&flow, 0));
}

TEST(udx_flow_takes_windows_from_newer_packets_only) {
  hd_udx_flow flow = make(0, 0);
  hd_udx_flow_update(&flow, &(hd_udx_header){.seq = 5, .ack = 5, .window = 1000});
  CHECK_UINT(1000, flow.send_window);
  hd_udx_flow_update(&flow, &(hd_udx_header){.seq = 4, .ack = 9, .window = 2000}); /* sent earlier */
  CHECK_UINT(1000, flow.send_window);
  hd_udx_flow_update(&flow, &(hd_udx_header){.seq = 5, .ack = 4, .window = 2000});
  CHECK_UINT(1000, flow.send_window);
  hd_udx_flow_update(&flow, &(hd_udx_header){.seq = 5, .ack = 5, .window = 3000});
  CHECK_UINT(3000, flow.send_window);
}

TEST(udx_flow_lets_one_packet_into_any_open_window) {
  hd_udx_flow flow = make(0, 0);
  flow.send_window = 1;
  CHECK(hd_udx_flow_may_send(&flow, 0, 0, 1000));
  CHECK(!hd_udx_flow_may_send(&flow, 1000, 1000, 1000));
  flow.send_window = 0;
  CHECK(!hd_udx_flow_may_send(&flow, 0, 0, 0));
  flow.send_window = 3000;
  CHECK(hd_udx_flow_may_send(&flow, 2000, 2000, 1000));
  CHECK(!hd_udx_flow_may_send(&flow, 2001, 2001, 1000));
  CHECK(!hd_udx_flow_may_send(&flow, 0, 5001, 1000)); /* the peer holds twice its window already */
}

TEST(udx_flow_shrinks_by_what_is_held_and_never_below_zero) {
  hd_udx_flow flow = make(10000, 10000);
  flow.held_by_user = 4000;
  CHECK_UINT(4000, hd_udx_flow_window(&flow, 2000));
  CHECK_UINT(0, hd_udx_flow_window(&flow, 6000));
  CHECK_UINT(0, hd_udx_flow_window(&flow, 7000));
}

TEST(udx_flow_grows_for_a_reader_that_keeps_up) {
  hd_udx_flow flow = make(1000, 3000);
  hd_udx_flow_taken(&flow, 999, 0);
  CHECK_UINT(1000, flow.limit);
  hd_udx_flow_taken(&flow, 1, 0);
  CHECK_UINT(2000, flow.limit);
  hd_udx_flow_taken(&flow, 2000, 501); /* falls behind */
  CHECK_UINT(2000, flow.limit);
  hd_udx_flow_taken(&flow, 2000, 500);
  CHECK_UINT(3000, flow.limit); /* not beyond the maximum */
  hd_udx_flow_taken(&flow, 3000, 0);
  CHECK_UINT(3000, flow.limit);
}

TEST(udx_flow_tells_of_a_window_that_opens) {
  hd_udx_flow flow = make(100000, 100000);
  flow.advertised = 0;
  CHECK(!hd_udx_flow_wants_update(&flow, 98001, 1000));
  CHECK(hd_udx_flow_wants_update(&flow, 98000, 1000)); /* two packets */
  flow.advertised = 24000;
  CHECK(!hd_udx_flow_wants_update(&flow, 51001, 1000));
  CHECK(hd_udx_flow_wants_update(&flow, 51000, 1000)); /* a quarter more */
  flow.advertised = 26000;
  CHECK(!hd_udx_flow_wants_update(&flow, 0, 1000)); /* plenty was known to be left */
}
