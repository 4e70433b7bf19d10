#include "nat/nat_kind.h"

#include "base/assertion.h"

#define REPORTS_NEEDED       3 /* before any judgement */
#define ADDRESSES_TO_PUBLISH 2

void hd_nat_analysis_init(hd_nat_analysis *analysis, bool is_open) {
  *analysis = (hd_nat_analysis){.is_open = is_open, .kind = is_open ? HD_NAT_OPEN : HD_NAT_UNKNOWN};
}

static bool was_heard(const hd_nat_analysis *analysis, const hd_address *helper) {
  for (unsigned i = 0; i < analysis->reports_count; i++) {
    if (hd_address_equal(&analysis->helpers[i], helper)) return true;
  }
  return false;
}

/* Counts the address; among equal counts, what came there first stays first. */
static void count_address(hd_nat_seen_address *seen, unsigned *seen_count, const hd_address *address) {
  unsigned place = 0;
  while (place < *seen_count && !hd_address_equal(&seen[place].address, address)) place++;
  if (place == *seen_count) {
    hd_assert(*seen_count < HD_NAT_REPORTS_LIMIT);
    seen[(*seen_count)++] = (hd_nat_seen_address){.address = *address};
  }
  const hd_nat_seen_address counted = {.address = *address, .hits = seen[place].hits + 1};
  for (; place > 0 && seen[place - 1].hits < counted.hits; place--) seen[place] = seen[place - 1];
  seen[place] = counted;
}

/* The rules of hyperdht, in its order. A case that none of them decides keeps the judgement before it. */
static hd_nat_kind judge(const hd_nat_analysis *analysis) {
  if (analysis->is_open) return HD_NAT_OPEN;
  if (analysis->reports_count < REPORTS_NEEDED) return analysis->kind;
  const unsigned most_hits = analysis->pairs[0].hits;
  if (most_hits >= 3) return HD_NAT_CONSISTENT;
  if (most_hits == 1) return HD_NAT_RANDOM;
  if (analysis->hosts_count == 1 && analysis->reports_count > 3) return HD_NAT_RANDOM;
  if (analysis->hosts_count > 1 && analysis->pairs_count > 1 && analysis->pairs[1].hits >= 2) return HD_NAT_CONSISTENT;
  if (analysis->reports_count > 4) return HD_NAT_RANDOM;
  return analysis->kind;
}

bool hd_nat_analysis_add(hd_nat_analysis *analysis, const hd_address *reported, const hd_address *helper) {
  if (analysis->reports_count == HD_NAT_REPORTS_LIMIT || was_heard(analysis, helper)) return false;
  analysis->helpers[analysis->reports_count++] = *helper;
  hd_address host = *reported;
  host.port = 0;
  count_address(analysis->pairs, &analysis->pairs_count, reported);
  count_address(analysis->hosts, &analysis->hosts_count, &host);
  if (!analysis->is_frozen) analysis->kind = judge(analysis);
  return true;
}

void hd_nat_analysis_freeze(hd_nat_analysis *analysis) {
  analysis->is_frozen = true;
}

void hd_nat_analysis_unfreeze(hd_nat_analysis *analysis) {
  analysis->is_frozen = false;
  analysis->kind = judge(analysis);
}

bool hd_nat_analysis_is_settled(const hd_nat_analysis *analysis, unsigned reports_wanted) {
  return analysis->kind == HD_NAT_OPEN || analysis->kind == HD_NAT_CONSISTENT ||
         analysis->reports_count >= reports_wanted;
}

unsigned hd_nat_analysis_addresses(const hd_nat_analysis *analysis, hd_nat_seen_address *addresses, unsigned limit) {
  unsigned count = 0;
  if (analysis->kind == HD_NAT_RANDOM && limit > 0) addresses[count++] = analysis->hosts[0];
  if (analysis->kind != HD_NAT_CONSISTENT) return count;
  for (unsigned i = 0; i < analysis->pairs_count && count < limit; i++) {
    if (analysis->pairs[i].hits < 2 && i >= ADDRESSES_TO_PUBLISH) break;
    addresses[count++] = analysis->pairs[i];
  }
  return count;
}
