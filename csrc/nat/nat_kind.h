/* Which kind of NAT a socket is behind, judged from what several helpers say its public address is (hyperdht, "NAT
 * analysis"). The numbers of the kinds are the wire's.
 *
 * One report per helper counts, the first. Owns nothing and may be copied. */
#ifndef HD_NAT_KIND_H
#define HD_NAT_KIND_H

#include "base/address.h"

typedef enum hd_nat_kind {
  HD_NAT_UNKNOWN = 0,
  HD_NAT_OPEN = 1,       /* reachable as it is */
  HD_NAT_CONSISTENT = 2, /* the same public address for every destination */
  HD_NAT_RANDOM = 3,     /* another public port for each destination */
} hd_nat_kind;

#define HD_NAT_REPORTS_LIMIT 32 /* helpers heard; later ones are ignored */

typedef struct hd_nat_seen_address {
  hd_address address;
  unsigned hits; /* helpers that saw it */
} hd_nat_seen_address;

typedef struct hd_nat_analysis {
  bool is_open; /* the node is known to be reachable: no report changes that */
  bool is_frozen;
  hd_nat_kind kind;
  unsigned reports_count;
  hd_address helpers[HD_NAT_REPORTS_LIMIT];
  unsigned pairs_count; /* host and port, most hits first */
  hd_nat_seen_address pairs[HD_NAT_REPORTS_LIMIT];
  unsigned hosts_count; /* host alone, port 0, most hits first */
  hd_nat_seen_address hosts[HD_NAT_REPORTS_LIMIT];
} hd_nat_analysis;

/* Nothing known yet: OPEN when the node is, else UNKNOWN. */
void hd_nat_analysis_init(hd_nat_analysis *analysis, bool is_open);

/* `helper` saw us as `reported`. Returns whether it counted: a helper's second report does not, nor one beyond
 * HD_NAT_REPORTS_LIMIT. */
bool hd_nat_analysis_add(hd_nat_analysis *analysis, const hd_address *reported, const hd_address *helper);

/* While frozen, reports are counted but the kind stays: the other side was told it. */
void hd_nat_analysis_freeze(hd_nat_analysis *analysis);
void hd_nat_analysis_unfreeze(hd_nat_analysis *analysis);

/* Whether more reports are not needed: reachable, consistent, or heard from `reports_wanted` helpers. */
bool hd_nat_analysis_is_settled(const hd_nat_analysis *analysis, unsigned reports_wanted);

/* The addresses to publish: the most seen host with port 0 for RANDOM; for CONSISTENT all seen twice, filled up to two
 * with others; none for the other kinds.
 *
 * addresses  [out] room for `limit`
 *
 * Returns how many were written. */
unsigned hd_nat_analysis_addresses(const hd_nat_analysis *analysis, hd_nat_seen_address *addresses, unsigned limit);

#endif
