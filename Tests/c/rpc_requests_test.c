#include "rpc/rpc_requests.h"

#include "test.h"

static void init(hd_rpc_requests *requests, hd_entropy *entropy, const hdht_allocator *allocator) {
  const uint8_t seed[32] = {6};
  hd_entropy_init(entropy, seed);
  hd_rpc_requests_init(requests, allocator, entropy);
}

TEST(rpc_requests_are_found_by_their_random_ids) {
  hd_entropy entropy;
  hd_rpc_requests requests;
  init(&requests, &entropy, hd_allocator_system());
  hd_rpc_request *made[100];
  unsigned ascending = 0;
  for (unsigned i = 0; i < 100; i++) {
    REQUIRE(hd_rpc_requests_add(&requests, 50, &made[i]) == HDHT_OK);
    if (i > 0) ascending += made[i]->tid == (uint16_t)(made[i - 1]->tid + 1);
  }
  CHECK(ascending < 3);
  for (unsigned i = 0; i < 100; i++) CHECK(hd_rpc_requests_find(&requests, made[i]->tid) == made[i]);
  const uint16_t tid = made[0]->tid;
  hd_rpc_requests_remove(&requests, made[0]);
  CHECK(hd_rpc_requests_find(&requests, tid) == NULL);
  CHECK_UINT(99, hd_rpc_requests_count(&requests));
  hd_rpc_requests_destroy(&requests);
}

TEST(rpc_requests_stop_at_their_limit) {
  hd_entropy entropy;
  hd_rpc_requests requests;
  init(&requests, &entropy, hd_allocator_system());
  hd_rpc_request *request = NULL;
  for (unsigned i = 0; i < HD_RPC_REQUESTS_LIMIT; i++) {
    REQUIRE(hd_rpc_requests_add(&requests, 50, &request) == HDHT_OK);
  }
  CHECK_INT(HDHT_ERR_LIMIT, hd_rpc_requests_add(&requests, 50, &request));
  hd_rpc_requests_remove(&requests, request);
  CHECK_INT(HDHT_OK, hd_rpc_requests_add(&requests, 50, &request));
  hd_rpc_requests_destroy(&requests);
}

TEST(rpc_requests_allocate_nothing_after_the_first_of_ordinary_size) {
  hd_test_allocator allocator;
  hd_test_allocator_init(&allocator);
  hd_entropy entropy;
  hd_rpc_requests requests;
  init(&requests, &entropy, &allocator.hook);
  hd_rpc_request *request;
  REQUIRE(hd_rpc_requests_add(&requests, HD_RPC_REQUEST_INLINE_SIZE, &request) == HDHT_OK);
  hd_rpc_requests_remove(&requests, request);
  const size_t allocations = allocator.allocations;
  for (unsigned i = 0; i < 100; i++) {
    REQUIRE(hd_rpc_requests_add(&requests, HD_RPC_REQUEST_INLINE_SIZE, &request) == HDHT_OK);
    hd_rpc_requests_remove(&requests, request);
  }
  CHECK_UINT(allocations, allocator.allocations);
  REQUIRE(hd_rpc_requests_add(&requests, HD_RPC_REQUEST_INLINE_SIZE + 1, &request) == HDHT_OK);
  CHECK_UINT(allocations + 1, allocator.allocations);
  hd_rpc_requests_destroy(&requests);
  CHECK_UINT(0, allocator.live_bytes);
}

static bool add_and_remove(const hdht_allocator *allocator) {
  hd_entropy entropy;
  hd_rpc_requests requests;
  init(&requests, &entropy, allocator);
  hd_rpc_request *request;
  unsigned added = 0;
  for (unsigned i = 0; i < 40; i++) {
    if (hd_rpc_requests_add(&requests, i % 2 == 0 ? 50 : 500, &request) != HDHT_OK) continue;
    added++;
    if (i % 5 == 0) hd_rpc_requests_remove(&requests, request);
  }
  hd_rpc_requests_destroy(&requests);
  return added == 40;
}

TEST(rpc_requests_survive_each_failing_allocation) {
  hd_test_each_allocation_failure(add_and_remove);
}
