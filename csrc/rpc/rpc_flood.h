/* How much each network may ask of this node, in fixed memory: a leaky bucket (GCRA, ITU-T I.371) for each /24 (IPv6:
 * /48), hashed with a secret seed into two rows of buckets. A network is held back only when both of its buckets are
 * full, so one that floods hardly ever takes another along. Sources on this machine are not limited. */
#ifndef HD_RPC_FLOOD_H
#define HD_RPC_FLOOD_H

#include "base/address.h"
#include "base/allocator.h"
#include "base/clock.h"

#define HD_RPC_FLOOD_BUCKETS_COUNT 512 /* in each of the two rows */

typedef struct hd_rpc_flood_limits {
  uint32_t per_second; /* units of cost that one network may cause for ever */
  uint32_t burst;      /* and beyond that at once */
} hd_rpc_flood_limits;

#define HD_RPC_FLOOD_LIMITS_DEFAULT ((hd_rpc_flood_limits){.per_second = 200, .burst = 400})

/* The buckets, 8 KiB, are allocated at the first use. */
typedef struct hd_rpc_flood {
  const hd_allocator *allocator;
  hd_rpc_flood_limits limits;
  uint64_t seed[2];
  hd_time *empty_at; /* two rows: when the bucket will have leaked out */
} hd_rpc_flood;

/* `seed` must not be guessable, or chosen networks could be made to share buckets. */
void hd_rpc_flood_init(hd_rpc_flood *flood, const hd_allocator *allocator, hd_rpc_flood_limits limits,
                       const uint64_t seed[2]);

void hd_rpc_flood_destroy(hd_rpc_flood *flood);

/* Whether a request of this cost from this source may be served; counts it if so. Without memory for the buckets
 * everything is allowed. */
bool hd_rpc_flood_allows(hd_rpc_flood *flood, hd_time now, const hd_address *from, uint32_t cost);

#endif
