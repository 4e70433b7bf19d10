/* Whether the network answers us (dht-rpc, "health"): judged at each tick from how many requests were answered and how
 * many were given up since the tick before. Owns nothing. */
#ifndef HD_NODE_HEALTH_H
#define HD_NODE_HEALTH_H

#include <stdbool.h>
#include <stdint.h>

#define HD_NODE_HEALTH_SNAPSHOTS 4

typedef struct hd_node_health {
  struct {
    uint64_t responses; /* in all, up to that tick */
    uint64_t timeouts;
    bool is_degraded;                    /* more were given up than answered in the tick before it */
  } snapshots[HD_NODE_HEALTH_SNAPSHOTS]; /* a ring */
  unsigned snapshots_count;
  unsigned next;
  bool is_online;
  bool is_degraded; /* online, but most requests go unanswered; implies is_online */
} hd_node_health;

/* Online until shown otherwise. */
hd_node_health hd_node_health_fresh(void);

/* Takes the counters of one tick. Returns whether the judgement changed. */
bool hd_node_health_tick(hd_node_health *health, uint64_t responses, uint64_t timeouts);

#endif
