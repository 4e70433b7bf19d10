#include "nat/nat_sample.h"

#include "base/assertion.h"

#define TALLIES_COUNT (sizeof((hd_nat_sampler){0}.tallies) / sizeof(hd_nat_tally))
#define LOOK_BACK     4 /* samples in which an equal report is searched */
#define NO_TALLY      UINT8_MAX

void hd_nat_sampler_init(hd_nat_sampler *sampler) {
  *sampler = (hd_nat_sampler){.best_pair = NO_TALLY, .best_host = NO_TALLY};
}

static uint8_t find_recent(const hd_nat_sampler *sampler, const uint8_t *ring, const hd_address *address) {
  for (unsigned back = 1; back <= LOOK_BACK && back <= sampler->samples_count; back++) {
    const uint8_t index = ring[(sampler->next + HD_NAT_SAMPLES_LIMIT - back) % HD_NAT_SAMPLES_LIMIT];
    if (hd_address_equal(&sampler->tallies[index].address, address)) return index;
  }
  return NO_TALLY;
}

static uint8_t take_free(hd_nat_sampler *sampler) {
  for (uint8_t index = 0; index < TALLIES_COUNT; index++) {
    if (sampler->tallies[index].hits == 0 && index != sampler->best_pair && index != sampler->best_host) return index;
  }
  hd_unreachable();
}

static uint8_t count(hd_nat_sampler *sampler, const uint8_t *ring, const hd_address *address) {
  uint8_t index = find_recent(sampler, ring, address);
  if (index == NO_TALLY) {
    index = take_free(sampler);
    sampler->tallies[index].address = *address;
  }
  sampler->tallies[index].hits++;
  return index;
}

static void forget(hd_nat_sampler *sampler, uint8_t index) {
  hd_assert(sampler->tallies[index].hits > 0);
  sampler->tallies[index].hits--;
}

/* A best tally stays the best, even when all its samples have left the window, until another has more hits. */
static uint8_t better(const hd_nat_sampler *sampler, uint8_t best, uint8_t index) {
  return best == NO_TALLY || sampler->tallies[best].hits < sampler->tallies[index].hits ? index : best;
}

unsigned hd_nat_sampler_add(hd_nat_sampler *sampler, const hd_address *reported) {
  hd_address host = *reported;
  host.port = 0;
  const uint8_t pair_index = count(sampler, sampler->pairs, reported);
  const uint8_t host_index = count(sampler, sampler->hosts, &host);

  if (sampler->samples_count < HD_NAT_SAMPLES_LIMIT) {
    sampler->samples_count++;
  } else {
    forget(sampler, sampler->pairs[sampler->next]);
    forget(sampler, sampler->hosts[sampler->next]);
  }
  sampler->pairs[sampler->next] = pair_index;
  sampler->hosts[sampler->next] = host_index;
  sampler->next = (uint8_t)((sampler->next + 1) % HD_NAT_SAMPLES_LIMIT);

  sampler->best_pair = better(sampler, sampler->best_pair, pair_index);
  sampler->best_host = better(sampler, sampler->best_host, host_index);
  return sampler->tallies[pair_index].hits;
}

/* One dissenter is allowed for every four samples after the first three, at most three. */
static unsigned hits_needed(unsigned samples_count) {
  const unsigned dissenters = samples_count / 4;
  return samples_count - (dissenters < 3 ? dissenters : 3);
}

hd_address hd_nat_sampler_address(const hd_nat_sampler *sampler) {
  if (sampler->samples_count == 0) return (hd_address){0};
  const unsigned needed = hits_needed(sampler->samples_count);
  const hd_nat_tally *pair = &sampler->tallies[sampler->best_pair], *host = &sampler->tallies[sampler->best_host];
  if (pair->hits >= needed) return pair->address;
  if (host->hits >= needed) return host->address;
  return (hd_address){0};
}
