#include "rpc/rpc_proof.h"

#include "test.h"

static const uint64_t seed[2] = {21, 22};

static hd_time at(uint64_t second) {
  return (hd_time){1000000 * second};
}

TEST(rpc_proof_holds_for_a_host_and_for_a_minute) {
  hd_rpc_proofs proofs;
  hd_rpc_proofs_init(&proofs, hd_allocator_system(), seed);
  const hd_address host = hd_address_ipv4(1, 2, 3, 4, 5), same = hd_address_ipv4(1, 2, 3, 4, 77);
  const hd_address other = hd_address_ipv4(1, 2, 3, 5, 5);
  CHECK(!hd_rpc_proofs_has(&proofs, at(10), &host));
  hd_rpc_proofs_add(&proofs, at(10), &host);
  CHECK(hd_rpc_proofs_has(&proofs, at(10), &same));
  CHECK(!hd_rpc_proofs_has(&proofs, at(10), &other));
  CHECK(hd_rpc_proofs_has(&proofs, at(69), &host));
  CHECK(!hd_rpc_proofs_has(&proofs, at(70), &host));
  hd_rpc_proofs_destroy(&proofs);
}

TEST(rpc_proofs_remember_the_latest_of_very_many) {
  hd_rpc_proofs proofs;
  hd_rpc_proofs_init(&proofs, hd_allocator_system(), seed);
  unsigned remembered = 0;
  for (unsigned i = 0; i < 5000; i++) {
    const hd_address host = hd_address_ipv4(5, (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i, 1);
    hd_rpc_proofs_add(&proofs, at(1 + i / 100), &host);
    CHECK(hd_rpc_proofs_has(&proofs, at(1 + i / 100), &host));
  }
  for (unsigned i = 0; i < 5000; i++) {
    const hd_address host = hd_address_ipv4(5, (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i, 1);
    remembered += hd_rpc_proofs_has(&proofs, at(50), &host);
  }
  CHECK(remembered > HD_RPC_PROOFS_COUNT / 2);
  CHECK(remembered <= HD_RPC_PROOFS_COUNT);
  hd_rpc_proofs_destroy(&proofs);
}

TEST(rpc_proof_is_lost_without_memory) {
  hd_test_allocator allocator;
  hd_test_allocator_init(&allocator);
  allocator.fail_at = 1;
  hd_rpc_proofs proofs;
  hd_rpc_proofs_init(&proofs, &allocator.hook, seed);
  const hd_address host = hd_address_ipv4(1, 2, 3, 4, 5);
  hd_rpc_proofs_add(&proofs, at(1), &host);
  CHECK(!hd_rpc_proofs_has(&proofs, at(1), &host));
  hd_rpc_proofs_destroy(&proofs);
}
