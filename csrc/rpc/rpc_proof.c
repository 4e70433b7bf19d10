#include "rpc/rpc_proof.h"

#include "base/sip_hash.h"

#define PLACES_PER_HOST 2
#define PROOFS_SIZE     (HD_RPC_PROOFS_COUNT * sizeof(hd_rpc_proof))

void hd_rpc_proofs_init(hd_rpc_proofs *proofs, const hd_allocator *allocator, const uint64_t seed[2]) {
  *proofs = (hd_rpc_proofs){.allocator = allocator, .seed = {seed[0], seed[1]}};
}

void hd_rpc_proofs_destroy(hd_rpc_proofs *proofs) {
  hd_release(proofs->allocator, proofs->proofs, PROOFS_SIZE);
  proofs->proofs = NULL;
}

static uint64_t hash_host(const hd_rpc_proofs *proofs, const hd_address *host) {
  uint8_t key[17];
  memcpy(key, host->ip, 16);
  key[16] = host->family;
  return hd_sip_hash(proofs->seed, key, sizeof key);
}

static hd_rpc_proof *places_of(const hd_rpc_proofs *proofs, uint64_t hash) {
  return &proofs->proofs[(hash >> 32) % (HD_RPC_PROOFS_COUNT / PLACES_PER_HOST) * PLACES_PER_HOST];
}

static uint32_t second_of(hd_time time) {
  return (uint32_t)(time.us / 1000000);
}

/* Takes the host's own place, or the one that will be free first. */
void hd_rpc_proofs_add(hd_rpc_proofs *proofs, hd_time now, const hd_address *host) {
  if (proofs->proofs == NULL) proofs->proofs = hd_allocate_zeroed(proofs->allocator, PROOFS_SIZE);
  if (proofs->proofs == NULL) return;
  const uint64_t hash = hash_host(proofs, host);
  hd_rpc_proof *places = places_of(proofs, hash), *place = places;
  for (unsigned i = 0; i < PLACES_PER_HOST; i++) {
    if (places[i].until < place->until) place = &places[i];
  }
  for (unsigned i = 0; i < PLACES_PER_HOST; i++) {
    if (places[i].host == (uint32_t)hash) place = &places[i];
  }
  *place = (hd_rpc_proof){.host = (uint32_t)hash, .until = second_of(hd_time_add(now, HD_RPC_PROOF_LIFETIME))};
}

bool hd_rpc_proofs_has(const hd_rpc_proofs *proofs, hd_time now, const hd_address *host) {
  if (proofs->proofs == NULL) return false;
  const uint64_t hash = hash_host(proofs, host);
  const hd_rpc_proof *places = places_of(proofs, hash);
  for (unsigned i = 0; i < PLACES_PER_HOST; i++) {
    if (places[i].host == (uint32_t)hash && places[i].until > second_of(now)) return true;
  }
  return false;
}
