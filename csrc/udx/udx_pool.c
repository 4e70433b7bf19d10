#include "udx/udx_pool.h"

#include <string.h>

#include "base/assertion.h"

void hd_udx_pool_init(hd_udx_pool *pool, const hd_allocator *allocator, uint64_t limit_bytes) {
  *pool = (hd_udx_pool){.allocator = allocator, .limit_bytes = limit_bytes};
}

static void *pop_free(hd_udx_pool *pool) {
  void *block = pool->free_first;
  memcpy(&pool->free_first, block, sizeof pool->free_first);
  pool->free_count--;
  return block;
}

void hd_udx_pool_destroy(hd_udx_pool *pool) {
  hd_assert(pool->used_bytes == 0);
  while (pool->free_count > 0) hd_release(pool->allocator, pop_free(pool), HD_UDX_BLOCK_SIZE);
}

void *hd_udx_pool_take(hd_udx_pool *pool) {
  if (pool->used_bytes + HD_UDX_BLOCK_SIZE > pool->limit_bytes) return NULL;
  void *block = pool->free_count > 0 ? pop_free(pool) : hd_allocate(pool->allocator, HD_UDX_BLOCK_SIZE);
  if (block != NULL) pool->used_bytes += HD_UDX_BLOCK_SIZE;
  return block;
}

void hd_udx_pool_give(hd_udx_pool *pool, void *block) {
  hd_assert(pool->used_bytes >= HD_UDX_BLOCK_SIZE);
  pool->used_bytes -= HD_UDX_BLOCK_SIZE;
  if (pool->free_count >= HD_UDX_POOL_CACHE_LIMIT) {
    hd_release(pool->allocator, block, HD_UDX_BLOCK_SIZE);
    return;
  }
  memcpy(block, &pool->free_first, sizeof pool->free_first);
  pool->free_first = block;
  pool->free_count++;
}

bool hd_udx_pool_charge(hd_udx_pool *pool, size_t bytes) {
  if (pool->used_bytes + bytes > pool->limit_bytes) return false;
  pool->used_bytes += bytes;
  return true;
}

void hd_udx_pool_discharge(hd_udx_pool *pool, size_t bytes) {
  hd_assert(pool->used_bytes >= bytes);
  pool->used_bytes -= bytes;
}
