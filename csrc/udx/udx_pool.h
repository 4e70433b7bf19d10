/* Blocks of one size for received payloads that must be kept: out of order, or held for a paused reader. All streams of
 * an instance share one pool, so an idle stream holds none, and after warm-up taking one is a pointer move.
 *
 * Invariant: used_bytes counts whole blocks, what they waste included, and what is charged besides; it never passes
 * limit_bytes. */
#ifndef HD_UDX_POOL_H
#define HD_UDX_POOL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/allocator.h"

#define HD_UDX_BLOCK_SIZE       2048 /* bytes */
#define HD_UDX_POOL_CACHE_LIMIT 2048 /* free blocks kept for reuse: 4 MiB */

typedef struct hd_udx_pool {
  const hd_allocator *allocator;
  void *free_first; /* each free block starts with the address of the next */
  uint32_t free_count;
  uint64_t used_bytes;
  uint64_t limit_bytes;
} hd_udx_pool;

/* An empty pool; allocates nothing. */
void hd_udx_pool_init(hd_udx_pool *pool, const hd_allocator *allocator, uint64_t limit_bytes);

/* Frees the cached blocks. All blocks must have been given back. */
void hd_udx_pool_destroy(hd_udx_pool *pool);

/* HD_UDX_BLOCK_SIZE bytes of uninitialised memory, or NULL: no memory, or the limit. */
void *hd_udx_pool_take(hd_udx_pool *pool);

/* Gives one back. */
void hd_udx_pool_give(hd_udx_pool *pool, void *block);

/* Counts other memory that a peer can make us use against the same limit. Returns false when that is reached. */
bool hd_udx_pool_charge(hd_udx_pool *pool, size_t bytes);
void hd_udx_pool_discharge(hd_udx_pool *pool, size_t bytes);

#endif
