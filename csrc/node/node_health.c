#include "node/node_health.h"

#define REQUESTS_NEEDED 4 /* in a tick, to judge by it */

hd_node_health hd_node_health_fresh(void) {
  return (hd_node_health){.is_online = true};
}

static bool is_each(const hd_node_health *health, bool is_degraded) {
  for (unsigned i = 0; i < HD_NODE_HEALTH_SNAPSHOTS; i++) {
    if (health->snapshots[i].is_degraded != is_degraded) return false;
  }
  return true;
}

bool hd_node_health_tick(hd_node_health *health, uint64_t responses, uint64_t timeouts) {
  const unsigned current = health->next, last = (current + HD_NODE_HEALTH_SNAPSHOTS - 1) % HD_NODE_HEALTH_SNAPSHOTS;
  const bool has_last = health->snapshots_count > 0;
  const uint64_t answered = has_last ? responses - health->snapshots[last].responses : 0;
  const uint64_t given_up = has_last ? timeouts - health->snapshots[last].timeouts : 0;
  health->snapshots[current].responses = responses;
  health->snapshots[current].timeouts = timeouts;
  health->snapshots[current].is_degraded = given_up > answered;
  health->next = (current + 1) % HD_NODE_HEALTH_SNAPSHOTS;
  if (health->snapshots_count < HD_NODE_HEALTH_SNAPSHOTS) health->snapshots_count++;
  if (health->snapshots_count < HD_NODE_HEALTH_SNAPSHOTS || answered + given_up < REQUESTS_NEEDED) return false;

  const hd_node_health before = *health;
  health->is_online = answered > 0;
  if (is_each(health, true)) health->is_degraded = true;
  if (!health->is_online || is_each(health, false)) health->is_degraded = false;
  return before.is_online != health->is_online || before.is_degraded != health->is_degraded;
}
