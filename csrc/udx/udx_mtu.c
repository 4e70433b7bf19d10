#include "udx/udx_mtu.h"

#include "base/assertion.h"
#include "udx/udx.h"
#include "udx/udx_packet.h"

#define OVERHEAD_IPV4 (20 + 8 + HD_UDX_PACKET_HEADER_SIZE)
#define OVERHEAD_IPV6 (40 + 8 + HD_UDX_PACKET_HEADER_SIZE)

static void fall_back(hd_udx_mtu *mtu, hd_time now);
static void end_probe(hd_udx_mtu *mtu, hd_time now);
static uint32_t next_probe(const hd_udx_mtu *mtu);

void hd_udx_mtu_init(hd_udx_mtu *mtu, uint16_t ceiling) {
  if (ceiling == 0) ceiling = HD_UDX_MTU_CEILING_DEFAULT;
  if (ceiling < HD_UDX_MTU_BASE) ceiling = HD_UDX_MTU_BASE;
  if (ceiling > HD_UDX_MTU_CEILING_MAX) ceiling = HD_UDX_MTU_CEILING_MAX;
  *mtu = (hd_udx_mtu){
      .current = HD_UDX_MTU_BASE,
      .ceiling = ceiling,
      .too_large = (uint16_t)(ceiling + 1),
      .overhead = OVERHEAD_IPV6, /* the safe guess before there is a remote */
      .search_again_at = HD_TIME_NEVER,
  };
}

void hd_udx_mtu_set_remote(hd_udx_mtu *mtu, const hd_address *remote) {
  hd_udx_mtu_init(mtu, mtu->ceiling);
  mtu->overhead = remote->family == HDHT_FAMILY_IPV6 ? OVERHEAD_IPV6 : OVERHEAD_IPV4;
}

uint32_t hd_udx_mtu_probe_padding(const hd_udx_mtu *mtu, hd_time now, uint32_t payload) {
  if (!mtu->is_search_open || mtu->probe != 0) return 0;
  const bool is_new_search = hd_time_is_due(mtu->search_again_at, now);
  if (!is_new_search && mtu->too_large - mtu->current <= (mtu->too_large > mtu->ceiling ? 1 : HD_UDX_MTU_STEP))
    return 0;

  const uint32_t size = is_new_search ? mtu->ceiling : next_probe(mtu);
  const uint32_t unpadded = payload + mtu->overhead;
  if (size <= unpadded) return 0;
  const uint32_t padding = size - unpadded;
  return padding > HD_UDX_PADDING_MAX ? HD_UDX_PADDING_MAX : padding;
}

/* The largest size while nothing failed, afterwards the middle. */
static uint32_t next_probe(const hd_udx_mtu *mtu) {
  if (mtu->too_large > mtu->ceiling) return mtu->ceiling;
  return ((uint32_t)mtu->current + mtu->too_large) / 2;
}

void hd_udx_mtu_probe_sent(hd_udx_mtu *mtu, uint32_t payload, uint32_t padding) {
  hd_assert(mtu->probe == 0);
  mtu->probe = (uint16_t)(payload + padding + mtu->overhead);
  if (mtu->probe >= mtu->too_large) { /* a new search */
    mtu->too_large = (uint16_t)(mtu->ceiling + 1);
    mtu->search_again_at = HD_TIME_NEVER;
  }
}

void hd_udx_mtu_probe_acked(hd_udx_mtu *mtu, hd_time now) {
  if (mtu->probe == 0) return;
  if (mtu->probe > mtu->current) mtu->current = mtu->probe;
  if (mtu->too_large <= mtu->current) mtu->too_large = (uint16_t)(mtu->current + 1);
  mtu->probe_losses = 0;
  end_probe(mtu, now);
}

void hd_udx_mtu_probe_lost(hd_udx_mtu *mtu, hd_time now) {
  if (mtu->probe == 0) return;
  if (++mtu->probe_losses >= HD_UDX_MTU_PROBE_LOSSES) {
    mtu->too_large = mtu->probe;
    mtu->probe_losses = 0;
  }
  end_probe(mtu, now);
}

static void end_probe(hd_udx_mtu *mtu, hd_time now) {
  mtu->probe = 0;
  const bool is_found = mtu->too_large <= mtu->ceiling && mtu->too_large - mtu->current <= HD_UDX_MTU_STEP;
  if (is_found && hd_time_is_never(mtu->search_again_at)) {
    mtu->search_again_at = hd_time_add(now, HD_UDX_MTU_SEARCH_AGAIN_AFTER);
  }
}

void hd_udx_mtu_refused(hd_udx_mtu *mtu, hd_time now, uint32_t size) {
  const uint32_t refused = size + mtu->overhead;
  if (refused <= HD_UDX_MTU_BASE) return; /* nothing smaller to go to */
  if (refused < mtu->too_large) mtu->too_large = (uint16_t)refused;
  if (refused <= mtu->current) fall_back(mtu, now);
  mtu->probe_losses = 0;
  end_probe(mtu, now);
}

bool hd_udx_mtu_large_timed_out(hd_udx_mtu *mtu, hd_time now) {
  if (mtu->current == HD_UDX_MTU_BASE || ++mtu->large_timeouts < HD_UDX_MTU_BLACK_HOLE) return false;
  mtu->too_large = mtu->current;
  fall_back(mtu, now);
  return true;
}

/* What lies between is searched once something has been acknowledged again. */
static void fall_back(hd_udx_mtu *mtu, hd_time now) {
  mtu->current = HD_UDX_MTU_BASE;
  mtu->probe = 0;
  mtu->large_timeouts = 0;
  mtu->is_search_open = false;
  mtu->search_again_at = hd_time_add(now, HD_UDX_MTU_SEARCH_AGAIN_AFTER);
}
