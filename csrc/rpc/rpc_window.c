#include "rpc/rpc_window.h"

#include "base/assertion.h"

hd_rpc_window hd_rpc_window_of(uint32_t limit) {
  hd_assert(limit > 0);
  return (hd_rpc_window){.limit = limit};
}

static void catch_up(hd_rpc_window *window, hd_time now) {
  const uint64_t slot = now.us / HD_RPC_WINDOW_SLOT.us;
  if (slot <= window->current) return;
  const uint64_t passed = slot - window->current;
  for (uint64_t i = 1; i <= passed && i <= HD_RPC_WINDOW_SLOTS; i++) {
    window->slots[(window->current + i) % HD_RPC_WINDOW_SLOTS] = 0;
  }
  window->current = slot;
}

bool hd_rpc_window_has_room(hd_rpc_window *window, hd_time now) {
  catch_up(window, now);
  uint32_t total = 0;
  for (unsigned i = 0; i < HD_RPC_WINDOW_SLOTS; i++) total += window->slots[i];
  return window->slots[window->current % HD_RPC_WINDOW_SLOTS] < window->limit && total < 2 * window->limit;
}

void hd_rpc_window_count(hd_rpc_window *window, hd_time now, hd_rpc_window_place *place) {
  hd_rpc_window_take_back(window, now, place);
  window->slots[window->current % HD_RPC_WINDOW_SLOTS]++;
  place->slot = window->current + 1;
}

void hd_rpc_window_take_back(hd_rpc_window *window, hd_time now, hd_rpc_window_place *place) {
  catch_up(window, now);
  const uint64_t slot = place->slot - 1;
  if (place->slot > 0 && slot + HD_RPC_WINDOW_SLOTS > window->current) {
    hd_assert(window->slots[slot % HD_RPC_WINDOW_SLOTS] > 0);
    window->slots[slot % HD_RPC_WINDOW_SLOTS]--;
  }
  place->slot = 0;
}

hd_time hd_rpc_window_next_slot(const hd_rpc_window *window) {
  return (hd_time){(window->current + 1) * HD_RPC_WINDOW_SLOT.us};
}
