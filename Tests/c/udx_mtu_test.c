#include "udx/udx_mtu.h"

#include "test.h"
#include "udx/udx.h"

#define NOW ((hd_time){5})

static hd_udx_mtu make(uint16_t ceiling) {
  const hd_address remote = hd_address_ipv4(1, 2, 3, 4, 5);
  hd_udx_mtu mtu;
  hd_udx_mtu_init(&mtu, ceiling);
  hd_udx_mtu_set_remote(&mtu, &remote);
  mtu.is_search_open = true;
  return mtu;
}

/* Searches on a path that carries `limit`; returns how many probes that took. */
static unsigned search(hd_udx_mtu *mtu, uint32_t limit) {
  for (unsigned probes = 0;; probes++) {
    const uint32_t payload = hd_udx_mtu_payload(mtu);
    const uint32_t padding = hd_udx_mtu_probe_padding(mtu, NOW, payload);
    if (padding == 0 || probes > 100) return probes;
    CHECK(padding <= 255);
    hd_udx_mtu_probe_sent(mtu, payload, padding);
    if (payload + padding + mtu->overhead <= limit) {
      hd_udx_mtu_probe_acked(mtu, NOW);
    } else {
      hd_udx_mtu_probe_lost(mtu, NOW);
    }
  }
}

TEST(udx_mtu_counts_the_headers_of_the_real_family) {
  hd_udx_mtu mtu = make(0);
  CHECK_UINT(1152, hd_udx_mtu_payload(&mtu));
  const hd_address remote = {.ip = {0x20, 1}, .port = 5, .family = HDHT_FAMILY_IPV6};
  hd_udx_mtu_set_remote(&mtu, &remote);
  CHECK_UINT(1132, hd_udx_mtu_payload(&mtu));
}

TEST(udx_mtu_reaches_an_ethernet_in_two_probes) {
  hd_udx_mtu mtu = make(0);
  CHECK_UINT(2, search(&mtu, 1500));
  CHECK_UINT(1500, mtu.current);
}

TEST(udx_mtu_finds_any_path_size_to_within_a_step) {
  for (uint32_t limit = 1200; limit <= 1500; limit++) {
    hd_udx_mtu mtu = make(0);
    CHECK(search(&mtu, limit) <= 20);
    CHECK(mtu.current <= limit);
    CHECK(mtu.current + (uint32_t)HD_UDX_MTU_STEP >= limit);
  }
}

TEST(udx_mtu_does_not_search_before_anything_was_acknowledged_or_without_need) {
  hd_udx_mtu mtu = make(0);
  mtu.is_search_open = false;
  CHECK_UINT(0, hd_udx_mtu_probe_padding(&mtu, NOW, 1152));
  mtu = make(HD_UDX_MTU_BASE);
  CHECK_UINT(0, hd_udx_mtu_probe_padding(&mtu, NOW, 1152));
  mtu = make(1);
  CHECK_UINT(HD_UDX_MTU_BASE, mtu.ceiling);
  mtu = make(9000);
  CHECK_UINT(HD_UDX_MTU_CEILING_MAX, mtu.ceiling);
}

TEST(udx_mtu_searches_again_after_ten_minutes) {
  hd_udx_mtu mtu = make(0);
  search(&mtu, 1300);
  const uint16_t found = mtu.current;
  const uint32_t payload = hd_udx_mtu_payload(&mtu);
  CHECK_UINT(0, hd_udx_mtu_probe_padding(&mtu, (hd_time){HD_SECONDS(599).us}, payload));
  const hd_time later = {HD_SECONDS(601).us};
  CHECK(hd_udx_mtu_probe_padding(&mtu, later, payload) > 0);
  hd_udx_mtu_probe_sent(&mtu, payload, hd_udx_mtu_probe_padding(&mtu, later, payload));
  hd_udx_mtu_probe_acked(&mtu, later);
  CHECK(mtu.current > found);
}

TEST(udx_mtu_believes_the_system_at_once) {
  hd_udx_mtu mtu = make(0);
  hd_udx_mtu_probe_sent(&mtu, 1152, 255);
  hd_udx_mtu_refused(&mtu, NOW, 1152 + 255);
  CHECK_UINT(0, mtu.probe);
  CHECK_UINT(1455, mtu.too_large);
  CHECK_UINT(1200, mtu.current);
  search(&mtu, 1420);
  CHECK(mtu.current <= 1420 && mtu.current >= 1404);
  hd_udx_mtu_refused(&mtu, NOW, mtu.current - 48u); /* the path got narrower */
  CHECK_UINT(1200, mtu.current);
}

TEST(udx_mtu_falls_back_from_a_black_hole) {
  hd_udx_mtu mtu = make(0);
  search(&mtu, 1500);
  CHECK(!hd_udx_mtu_large_timed_out(&mtu, NOW));
  hd_udx_mtu_large_acked(&mtu);
  CHECK(!hd_udx_mtu_large_timed_out(&mtu, NOW)); /* not in a row */
  CHECK(hd_udx_mtu_large_timed_out(&mtu, NOW));
  CHECK_UINT(1200, mtu.current);
  CHECK(!hd_udx_mtu_large_timed_out(&mtu, NOW)); /* nowhere to fall */
}
