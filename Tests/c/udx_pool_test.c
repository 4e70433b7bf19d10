#include "udx/udx_pool.h"

#include <string.h>

#include "test.h"

TEST(udx_pool_reuses_blocks_and_keeps_its_limit) {
  hd_test_allocator allocator;
  hd_test_allocator_init(&allocator);
  hd_udx_pool pool;
  hd_udx_pool_init(&pool, &allocator.hook, 3 * HD_UDX_BLOCK_SIZE);
  void *blocks[3];
  for (int i = 0; i < 3; i++) {
    blocks[i] = hd_udx_pool_take(&pool);
    REQUIRE(blocks[i] != NULL);
    memset(blocks[i], 0xee, HD_UDX_BLOCK_SIZE);
  }
  CHECK(hd_udx_pool_take(&pool) == NULL);
  hd_udx_pool_give(&pool, blocks[1]);
  CHECK(hd_udx_pool_take(&pool) == blocks[1]);
  CHECK_UINT(3, allocator.allocations);
  for (int i = 0; i < 3; i++) hd_udx_pool_give(&pool, blocks[i]);
  CHECK_UINT(0, pool.used_bytes);
  hd_udx_pool_destroy(&pool);
  CHECK_UINT(0, allocator.live_bytes);
}

TEST(udx_pool_keeps_a_bounded_number_of_free_blocks) {
  hd_test_allocator allocator;
  hd_test_allocator_init(&allocator);
  hd_udx_pool pool;
  hd_udx_pool_init(&pool, &allocator.hook, UINT64_MAX);
  static void *blocks[HD_UDX_POOL_CACHE_LIMIT + 10];
  for (int i = 0; i < HD_UDX_POOL_CACHE_LIMIT + 10; i++) blocks[i] = hd_udx_pool_take(&pool);
  for (int i = 0; i < HD_UDX_POOL_CACHE_LIMIT + 10; i++) hd_udx_pool_give(&pool, blocks[i]);
  CHECK_UINT((size_t)HD_UDX_POOL_CACHE_LIMIT * HD_UDX_BLOCK_SIZE, allocator.live_bytes);
  hd_udx_pool_destroy(&pool);
  CHECK_UINT(0, allocator.live_bytes);
}

TEST(udx_pool_counts_what_is_charged) {
  hd_udx_pool pool;
  hd_udx_pool_init(&pool, hd_allocator_system(), HD_UDX_BLOCK_SIZE + 100);
  CHECK(hd_udx_pool_charge(&pool, 101));
  CHECK(hd_udx_pool_take(&pool) == NULL);
  CHECK(!hd_udx_pool_charge(&pool, HD_UDX_BLOCK_SIZE));
  hd_udx_pool_discharge(&pool, 101);
  CHECK_UINT(0, pool.used_bytes);
  hd_udx_pool_destroy(&pool);
}
