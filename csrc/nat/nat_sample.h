/* What others say our public address is (nat-sampler, as dht-rpc uses it): a sliding window of the last 16 reports, and
 * the host, or host and port, on which nearly all of them agree.
 *
 * A report counts together with an equal one among the four before it, so that agreement means agreement in a row; a
 * few liars among a dozen cannot change the result. Owns nothing and may be copied. */
#ifndef HD_NAT_SAMPLE_H
#define HD_NAT_SAMPLE_H

#include "base/address.h"

#define HD_NAT_SAMPLES_LIMIT 16

/* How many samples of the window say the same. The samples share it. */
typedef struct hd_nat_tally {
  hd_address address; /* port 0 when the host alone is counted */
  uint8_t hits;       /* samples that use it; 0: free, unless it is the best */
} hd_nat_tally;

typedef struct hd_nat_sampler {
  hd_nat_tally tallies[2 * HD_NAT_SAMPLES_LIMIT + 4]; /* two per sample, the two best, two for the next sample */
  uint8_t pairs[HD_NAT_SAMPLES_LIMIT];                /* rings of indices into tallies, host and port */
  uint8_t hosts[HD_NAT_SAMPLES_LIMIT];                /* and the host alone */
  uint8_t samples_count;
  uint8_t next;      /* the ring's place for the next sample */
  uint8_t best_pair; /* indices into tallies */
  uint8_t best_host;
} hd_nat_sampler;

/* A sampler without samples. */
void hd_nat_sampler_init(hd_nat_sampler *sampler);

/* Adds one report. Returns how many of the window's samples agree with it, itself included. */
unsigned hd_nat_sampler_add(hd_nat_sampler *sampler, const hd_address *reported);

/* What nearly all samples say: host and port; or the host with port 0 when the ports disagree, as behind a NAT that
 * picks one per destination; or no address. */
hd_address hd_nat_sampler_address(const hd_nat_sampler *sampler);

#endif
