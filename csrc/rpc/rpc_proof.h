/* Which hosts have shown lately that they receive what is sent to them: by returning a token, or by answering a request
 * whose number they could not know. Only those get answers much larger than their requests, so that nobody can make us
 * flood a third party (architecture of QUIC's address validation, RFC 9000, section 8).
 *
 * A set of fixed size: a proof may be lost to another one, and is then given again. A few bits of a keyed hash stand
 * for the host; that two hosts look alike happens to one pair in four billion, which nobody can choose. */
#ifndef HD_RPC_PROOF_H
#define HD_RPC_PROOF_H

#include "base/address.h"
#include "base/allocator.h"
#include "base/clock.h"

#define HD_RPC_PROOF_LIFETIME HD_SECONDS(60)
#define HD_RPC_PROOFS_COUNT   512

typedef struct hd_rpc_proof {
  uint32_t host;  /* part of its hash */
  uint32_t until; /* second since time began; 0: none */
} hd_rpc_proof;

/* The set, 4 KiB, is allocated with the first proof. */
typedef struct hd_rpc_proofs {
  const hd_allocator *allocator;
  uint64_t seed[2];
  hd_rpc_proof *proofs; /* pairs of places; a host has its pair */
} hd_rpc_proofs;

void hd_rpc_proofs_init(hd_rpc_proofs *proofs, const hd_allocator *allocator, const uint64_t seed[2]);
void hd_rpc_proofs_destroy(hd_rpc_proofs *proofs);

/* Notes that the host, whatever port, proved itself just now. Without memory the note is lost. */
void hd_rpc_proofs_add(hd_rpc_proofs *proofs, hd_time now, const hd_address *host);

bool hd_rpc_proofs_has(const hd_rpc_proofs *proofs, hd_time now, const hd_address *host);

#endif
