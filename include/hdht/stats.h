/* What a node has counted since it was made. */
#ifndef HDHT_STATS_H
#define HDHT_STATS_H

#include <hdht/node.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Grows at its end in later versions. */
typedef struct hdht_node_stats {
  size_t struct_size; /* set by hdht_node_get_stats */

  /* Our requests. */
  uint64_t requests_active; /* now */
  uint64_t requests;
  uint64_t responses;
  uint64_t timeouts;        /* never answered */
  uint64_t retries;         /* transmissions beyond the first */
  uint64_t requests_served; /* of others: PING, PING_NAT, FIND_NODE, DOWN_HINT and DELAYED_PING */

  uint64_t datagrams_received, bytes_received;
  uint64_t datagrams_sent, bytes_sent;

  /* Datagrams dropped, by reason. */
  uint64_t dropped_suspended;
  uint64_t dropped_source; /* an impossible source address */
  uint64_t dropped_malformed;
  uint64_t dropped_flood;   /* the source's network asks too much */
  uint64_t dropped_unknown; /* answers to nothing that was asked */
  uint64_t dropped_foreign; /* answers from another source than was asked */
  uint64_t dropped_no_room;
  uint64_t dropped_unproven; /* the answer is too large for a source that proved nothing */
  uint64_t dropped_kind;     /* of no kind we know */

  uint64_t bad_tokens;
  uint64_t bad_ids;    /* senders whose id is not that of their address */
  uint64_t challenges; /* sources asked to prove themselves before a large answer */
  uint64_t answers_shortened;

  uint64_t queries_active; /* now */
  uint64_t queries;
  uint64_t findings_lost; /* for lack of memory */

  uint64_t nodes_added, nodes_removed; /* of the routing table */
  uint64_t nodes_refused_network;      /* their network has its share of the table */

  uint64_t records_stored; /* announcements of others, now */
  uint64_t values_stored;  /* immutable and mutable values of others, now */

  /* UDX. */
  uint64_t udx_packets_received, udx_bytes_received;
  uint64_t udx_packets_sent, udx_bytes_sent;
  uint64_t udx_packets_relayed, udx_relay_drops;
} hdht_node_stats;

/* Fills as much of the struct as `struct_size` says the caller knows. */
HDHT_API void hdht_node_get_stats(const hdht_node *node, hdht_node_stats *stats, size_t struct_size);

#ifdef __cplusplus
}
#endif

#endif
