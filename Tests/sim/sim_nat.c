#include "sim_nat.h"

#include <stdlib.h>

#include "base/hash_map.h"
#include "base/list.h"

#define CORE_HOPS_DEFAULT 8
#define PORT_LOW_DEFAULT  1024
#define PORT_HIGH_DEFAULT 65535
#define LIFETIME_DEFAULT  HD_SECONDS(30)
#define PORT_ATTEMPTS     200000

/* What a mapping is found by from inside: the socket, and as much of the destination as the NAT looks at. */
typedef struct mapping_key {
  hd_address inside;
  hd_address destination;
} mapping_key;

typedef struct mapping {
  mapping_key key;
  hd_address outside;
  hd_time used_at;
  hd_list link;
} mapping;

/* Who may come in through a mapping: whom it sent to, and when it last did. */
typedef struct permit_key {
  hd_address outside;
  hd_address peer;
} permit_key;

typedef struct forward {
  uint16_t port;
  hd_address inside;
} forward;

struct sim_nat {
  sim_internet *internet;
  sim_nat *outer;
  sim_nat_options options;
  hd_address externals[SIM_NAT_EXTERNALS_MAX];
  forward forwards[SIM_NAT_FORWARDS_MAX];
  unsigned forwards_count;
  unsigned hosts_count;
  unsigned number; /* of all NATs; part of the addresses inside */
  uint32_t next_port;
  hd_list mappings;
  hd_hash_map by_key;     /* mapping_key to mapping pointer */
  hd_hash_map by_outside; /* hd_address to mapping pointer */
  hd_hash_map permits;    /* permit_key to hd_time */
  hd_list link;
};

/* A host address or a NAT's address outside, and in which network it is: inside a NAT, or the core (NULL). */
typedef struct place {
  sim_nat *network;
  sim_nat *nat; /* whose outside it is; NULL for a host */
} place;

struct sim_internet {
  sim_network *network;
  sim_internet_options options;
  hd_hash_map hosts;     /* hd_address with port 0 to place */
  hd_hash_map externals; /* the same; apart, because a firewall and the host behind it have one address */
  hd_list nats;
  unsigned nats_count;
  unsigned publics_count;
};

static hd_address host_of(hd_address address) {
  address.port = 0;
  return address;
}

static void init_map(hd_hash_map *map, uint32_t key_size, uint32_t value_size) {
  static const uint64_t seed[2] = {1, 2};
  hd_hash_map_init(map, hd_allocator_system(), key_size, value_size, 0, seed);
}

static void *put(hd_hash_map *map, const void *key) {
  void *value;
  if (hd_hash_map_insert(map, key, &value, NULL) != HDHT_OK) abort();
  return value;
}

static void *find_pointer(const hd_hash_map *map, const void *key) {
  void *const *found = hd_hash_map_find(map, key);
  return found == NULL ? NULL : *found;
}

static place *find_place(const hd_hash_map *places, const hd_address *address, const sim_nat *network) {
  const hd_address host = host_of(*address);
  place *found = hd_hash_map_find(places, &host);
  return found != NULL && found->network == network ? found : NULL;
}

/* ---- mappings ---------------------------------------------------------------------------------------------------- */

static bool is_alive(const sim_nat *nat, hd_time used_at, hd_time now) {
  return hd_time_before(now, hd_time_add(used_at, nat->options.lifetime));
}

static void forget(sim_nat *nat, mapping *gone) {
  (void)hd_hash_map_remove(&nat->by_key, &gone->key);
  (void)hd_hash_map_remove(&nat->by_outside, &gone->outside);
  hd_list_remove(&gone->link);
  free(gone);
}

static void forget_expired(sim_nat *nat, hd_time now) {
  HD_LIST_EACH(link, &nat->mappings) {
    mapping *each = HD_CONTAINER_OF(link, mapping, link);
    if (!is_alive(nat, each->used_at, now)) forget(nat, each);
  }
}

static unsigned count_of_host(const sim_nat *nat, const hd_address *inside) {
  unsigned count = 0;
  HD_LIST_EACH(link, &nat->mappings) {
    count += hd_address_same_host(&HD_CONTAINER_OF(link, mapping, link)->key.inside, inside);
  }
  return count;
}

static bool is_reserved(const sim_nat *nat, const hd_address *outside, const hd_address *inside) {
  for (unsigned i = 0; i < nat->forwards_count; i++) {
    if (nat->forwards[i].port == outside->port && !hd_address_equal(&nat->forwards[i].inside, inside)) return true;
  }
  return false;
}

static bool is_free(const sim_nat *nat, const hd_address *outside, const hd_address *inside) {
  return hd_hash_map_find(&nat->by_outside, outside) == NULL && !is_reserved(nat, outside, inside);
}

static uint16_t random_port(sim_nat *nat) {
  const sim_nat_options *options = &nat->options;
  const uint64_t range = (uint64_t)(options->port_high - options->port_low) + 1;
  return (uint16_t)(options->port_low + hd_random_below(sim_network_random(nat->internet->network), range));
}

static uint16_t following_port(sim_nat *nat) {
  if (nat->next_port < nat->options.port_low || nat->next_port > nat->options.port_high) {
    nat->next_port = nat->options.port_low;
  }
  return (uint16_t)nat->next_port++;
}

static bool is_forwarded_to(const sim_nat *nat, const hd_address *inside) {
  for (unsigned i = 0; i < nat->forwards_count; i++) {
    if (nat->forwards[i].port == inside->port && hd_address_equal(&nat->forwards[i].inside, inside)) return true;
  }
  return false;
}

static bool pick_port(sim_nat *nat, const hd_address *inside, hd_address *outside) {
  outside->port = inside->port;
  if (nat->options.is_firewall || is_forwarded_to(nat, inside)) return true;
  if (nat->options.ports == SIM_NAT_PORTS_PRESERVED && is_free(nat, outside, inside)) return true;
  for (unsigned i = 0; i < PORT_ATTEMPTS; i++) {
    outside->port = nat->options.ports == SIM_NAT_PORTS_SEQUENTIAL ? following_port(nat) : random_port(nat);
    if (is_free(nat, outside, inside)) return true;
  }
  return false;
}

static unsigned pick_external(sim_nat *nat, const hd_address *to) {
  if (nat->options.picks_by_destination) return (unsigned)(to->ip[2] + to->ip[3]) % nat->options.externals_count;
  return (unsigned)hd_random_below(sim_network_random(nat->internet->network), nat->options.externals_count);
}

static mapping_key key_of(sim_nat *nat, const hd_address *from, const hd_address *to) {
  mapping_key key = {.inside = *from};
  if (nat->options.mapping == SIM_NAT_PER_ADDRESS) key.destination = *to;
  if (nat->options.mapping == SIM_NAT_PER_HOST) key.destination = host_of(*to);
  if (nat->options.mapping == SIM_NAT_ANY && nat->options.picks_by_destination) {
    key.destination.port = (uint16_t)pick_external(nat, to);
  }
  return key;
}

static mapping *make_mapping(sim_nat *nat, const mapping_key *key, const hd_address *to, hd_time now) {
  forget_expired(nat, now);
  if (nat->options.quota != 0 && count_of_host(nat, &key->inside) >= nat->options.quota) return NULL;
  hd_address outside = nat->options.is_firewall ? key->inside : nat->externals[pick_external(nat, to)];
  if (!pick_port(nat, &key->inside, &outside)) return NULL;
  mapping *made = calloc(1, sizeof *made);
  if (made == NULL) abort();
  *made = (mapping){.key = *key, .outside = outside};
  hd_list_push_back(&nat->mappings, &made->link);
  *(mapping **)put(&nat->by_key, key) = made;
  *(mapping **)put(&nat->by_outside, &outside) = made;
  return made;
}

static permit_key permit_of(const sim_nat *nat, const hd_address *outside, const hd_address *peer) {
  return (permit_key){.outside = *outside, .peer = nat->options.filtering == SIM_NAT_PER_HOST ? host_of(*peer) : *peer};
}

/* A datagram from inside. Changes its sender; returns whether it passes. */
static bool pass_out(sim_nat *nat, hd_time now, sim_header *header) {
  const sim_nat_options *options = &nat->options;
  if (options->blocks_all) return false;
  if (options->outward_port_max != 0 && header->to.port > options->outward_port_max) return false;
  const mapping_key key = key_of(nat, &header->from, &header->to);
  mapping *used = find_pointer(&nat->by_key, &key);
  if (used != NULL && !is_alive(nat, used->used_at, now)) {
    forget(nat, used);
    used = NULL;
  }
  if (used == NULL) used = make_mapping(nat, &key, &header->to, now);
  if (used == NULL) return false;
  used->used_at = now;
  header->from = used->outside;
  const permit_key permit = permit_of(nat, &used->outside, &header->to);
  *(hd_time *)put(&nat->permits, &permit) = now;
  return true;
}

static bool lets_in(sim_nat *nat, hd_time now, const hd_address *outside, const hd_address *peer) {
  if (nat->options.filtering == SIM_NAT_ANY) return true;
  const permit_key key = permit_of(nat, outside, peer);
  hd_time *used_at = hd_hash_map_find(&nat->permits, &key);
  if (used_at == NULL || !is_alive(nat, *used_at, now)) return false;
  if (nat->options.is_refreshed_inwards) *used_at = now;
  return true;
}

static const forward *find_forward(const sim_nat *nat, uint16_t port) {
  for (unsigned i = 0; i < nat->forwards_count; i++) {
    if (nat->forwards[i].port == port) return &nat->forwards[i];
  }
  return NULL;
}

/* A datagram from outside. Changes its receiver; returns whether it passes. */
static bool pass_in(sim_nat *nat, hd_time now, sim_header *header) {
  if (nat->options.blocks_all) return false;
  const forward *forwarded = find_forward(nat, header->to.port);
  if (forwarded != NULL) {
    header->to = forwarded->inside;
    return true;
  }
  mapping *used = find_pointer(&nat->by_outside, &header->to);
  if (used == NULL || !is_alive(nat, used->used_at, now)) return false;
  if (!lets_in(nat, now, &header->to, &header->from)) return false;
  if (nat->options.is_refreshed_inwards) used->used_at = now;
  header->to = used->key.inside;
  return true;
}

/* ---- the way of a datagram ----------------------------------------------------------------------------------------
 */

static bool pass_hops(sim_header *header, unsigned hops) {
  header->ttl = (uint8_t)(header->ttl > hops ? header->ttl - hops : 0);
  return header->ttl > 0;
}

static bool is_own_external(const sim_nat *nat, const hd_address *to) {
  for (unsigned i = 0; i < nat->options.externals_count; i++) {
    if (hd_address_same_host(&nat->externals[i], to)) return !nat->options.is_firewall;
  }
  return false;
}

/* From inside to the NAT's own outside: back in, if it does that. */
static bool turn_around(sim_nat *nat, hd_time now, sim_header *header) {
  const hd_address inside = header->from;
  if (nat->options.hairpin == SIM_NAT_HAIRPIN_NONE || !pass_out(nat, now, header)) return false;
  if (!pass_in(nat, now, header) || !pass_hops(header, nat->options.hops)) return false;
  if (nat->options.hairpin == SIM_NAT_HAIRPIN_INTERNAL) header->from = inside;
  header->place = nat;
  return true;
}

static bool is_within(const sim_internet *internet, const hd_address *to, const sim_nat *network) {
  if (find_place(&internet->externals, to, network) != NULL) return true;
  if (find_place(&internet->hosts, to, network) == NULL) return false;
  return network == NULL || !network->options.isolates_hosts;
}

static bool leave(void *context, hd_time now, sim_header *header, hd_duration *way) {
  sim_internet *internet = context;
  const hd_address host = host_of(header->from);
  const place *from = hd_hash_map_find(&internet->hosts, &host);
  if (from == NULL) return false;
  sim_nat *network = from->network;
  while (!is_within(internet, &header->to, network)) {
    if (network == NULL || !pass_hops(header, network->options.hops + 1)) return false;
    if (is_own_external(network, &header->to)) return turn_around(network, now, header);
    if (!pass_out(network, now, header)) return false;
    network = network->outer;
  }
  header->place = network;
  if (network != NULL) return true;
  *way = internet->options.delay;
  return pass_hops(header, internet->options.hops);
}

static bool arrive(void *context, hd_time now, sim_header *header) {
  sim_internet *internet = context;
  const sim_nat *network = header->place;
  for (;;) {
    const place *outside = find_place(&internet->externals, &header->to, network);
    if (outside == NULL) return find_place(&internet->hosts, &header->to, network) != NULL;
    if (!pass_hops(header, 1) || !pass_in(outside->nat, now, header)) return false;
    if (!pass_hops(header, outside->nat->options.hops)) return false;
    network = outside->nat;
  }
}

static const sim_router routing = {.leave = leave, .arrive = arrive};

/* ---- building ---------------------------------------------------------------------------------------------------- */

sim_internet *sim_internet_create(sim_network *network, const sim_internet_options *options) {
  sim_internet *internet = calloc(1, sizeof *internet);
  if (internet == NULL) abort();
  *internet = (sim_internet){.network = network, .options = *options};
  if (internet->options.hops == 0) internet->options.hops = CORE_HOPS_DEFAULT;
  init_map(&internet->hosts, sizeof(hd_address), sizeof(place));
  init_map(&internet->externals, sizeof(hd_address), sizeof(place));
  hd_list_init(&internet->nats);
  sim_network_set_router(network, &routing, internet);
  return internet;
}

static void forget_all(sim_nat *nat) {
  HD_LIST_EACH(link, &nat->mappings) forget(nat, HD_CONTAINER_OF(link, mapping, link));
  hd_hash_map_clear(&nat->permits);
}

static void destroy_nat(sim_nat *nat) {
  forget_all(nat);
  hd_hash_map_destroy(&nat->by_key);
  hd_hash_map_destroy(&nat->by_outside);
  hd_hash_map_destroy(&nat->permits);
  free(nat);
}

void sim_internet_destroy(sim_internet *internet) {
  HD_LIST_EACH(link, &internet->nats) destroy_nat(HD_CONTAINER_OF(link, sim_nat, link));
  hd_hash_map_destroy(&internet->hosts);
  hd_hash_map_destroy(&internet->externals);
  free(internet);
}

/* A public address, each in a /16 of its own; nothing here is private or reserved. */
static hd_address next_public(sim_internet *internet) {
  const unsigned number = internet->publics_count++;
  return hd_address_ipv4((uint8_t)(44 + number / 256), (uint8_t)(number % 256), 7, (uint8_t)(number % 97 + 1), 0);
}

static hd_address next_inside(sim_nat *nat) {
  const unsigned host = ++nat->hosts_count;
  hd_assert(host < 255);
  return hd_address_ipv4(10, (uint8_t)(nat->number / 256), (uint8_t)nat->number, (uint8_t)host, 0);
}

static hd_address next_address(sim_internet *internet, sim_nat *network) {
  return network == NULL ? next_public(internet) : next_inside(network);
}

sim_nat *sim_nat_create(sim_internet *internet, sim_nat *outer, const sim_nat_options *options) {
  sim_nat *nat = calloc(1, sizeof *nat);
  if (nat == NULL) abort();
  *nat = (sim_nat){.internet = internet, .outer = outer, .options = *options, .number = ++internet->nats_count};
  if (nat->options.port_low == 0) nat->options.port_low = PORT_LOW_DEFAULT;
  if (nat->options.port_high == 0) nat->options.port_high = PORT_HIGH_DEFAULT;
  if (nat->options.externals_count == 0) nat->options.externals_count = 1;
  if (nat->options.lifetime.us == 0) nat->options.lifetime = LIFETIME_DEFAULT;
  nat->next_port = random_port(nat);
  hd_list_init(&nat->mappings);
  init_map(&nat->by_key, sizeof(mapping_key), sizeof(mapping *));
  init_map(&nat->by_outside, sizeof(hd_address), sizeof(mapping *));
  init_map(&nat->permits, sizeof(permit_key), sizeof(hd_time));
  hd_list_push_back(&internet->nats, &nat->link);
  for (unsigned i = 0; i < nat->options.externals_count; i++) {
    nat->externals[i] = next_address(internet, outer);
    *(place *)put(&internet->externals, &nat->externals[i]) = (place){.network = outer, .nat = nat};
  }
  return nat;
}

hd_address sim_internet_add_host(sim_internet *internet, sim_nat *nat) {
  const bool has_public = nat == NULL || nat->options.is_firewall;
  const hd_address address = nat != NULL && has_public ? nat->externals[0] : next_address(internet, nat);
  *(place *)put(&internet->hosts, &address) = (place){.network = nat};
  return address;
}

unsigned sim_nat_externals_count(const sim_nat *nat) {
  return nat->options.externals_count;
}

hd_address sim_nat_external(const sim_nat *nat, unsigned index) {
  hd_assert(index < nat->options.externals_count);
  return nat->externals[index];
}

void sim_nat_forward(sim_nat *nat, uint16_t port, const hd_address *inside) {
  hd_assert(nat->forwards_count < SIM_NAT_FORWARDS_MAX);
  nat->forwards[nat->forwards_count++] = (forward){.port = port, .inside = *inside};
}

void sim_nat_rebind(sim_nat *nat) {
  forget_all(nat);
  nat->next_port = random_port(nat);
}

unsigned sim_nat_mappings_count(sim_nat *nat, hd_time now) {
  forget_expired(nat, now);
  return (unsigned)nat->by_key.count;
}

/* ---- kinds of access --------------------------------------------------------------------------------------------- */

const char *sim_access_name(sim_access access) {
#define SIM_ACCESS_NAME(symbol, name) name,
  static const char *const names[] = {SIM_ACCESS_KINDS(SIM_ACCESS_NAME)};
#undef SIM_ACCESS_NAME
  return names[access];
}

#define CONE(filter) \
  { .mapping = SIM_NAT_ANY, .filtering = (filter) }
#define SYMMETRIC_NAT .mapping = SIM_NAT_PER_ADDRESS, .filtering = SIM_NAT_PER_ADDRESS

static const sim_nat_options homes[SIM_ACCESS_COUNT] = {
    [SIM_ACCESS_FORWARD] = CONE(SIM_NAT_ANY),
    [SIM_ACCESS_FORWARD_OTHER] = CONE(SIM_NAT_PER_ADDRESS),
    [SIM_ACCESS_FIREWALL] = {.filtering = SIM_NAT_PER_ADDRESS, .is_firewall = true},
    [SIM_ACCESS_FULL_CONE] = CONE(SIM_NAT_ANY),
    [SIM_ACCESS_HOST_CONE] = CONE(SIM_NAT_PER_HOST),
    [SIM_ACCESS_PORT_CONE] = CONE(SIM_NAT_PER_ADDRESS),
    [SIM_ACCESS_CARRIER_CONE] = CONE(SIM_NAT_PER_ADDRESS),
    [SIM_ACCESS_MULTI_STICKY] = {.filtering = SIM_NAT_PER_ADDRESS, .externals_count = 2},
    [SIM_ACCESS_MULTI_ARBITRARY] = {.filtering = SIM_NAT_PER_ADDRESS,
                                    .externals_count = 2,
                                    .picks_by_destination = true},
    [SIM_ACCESS_SYMMETRIC] = {SYMMETRIC_NAT},
    [SIM_ACCESS_SYMMETRIC_SEQUENTIAL] = {SYMMETRIC_NAT, .ports = SIM_NAT_PORTS_SEQUENTIAL},
    [SIM_ACCESS_SYMMETRIC_BY_HOST] = {.mapping = SIM_NAT_PER_HOST, .filtering = SIM_NAT_PER_ADDRESS},
    [SIM_ACCESS_SYMMETRIC_QUOTA_128] = {SYMMETRIC_NAT, .quota = 128},
    [SIM_ACCESS_SYMMETRIC_QUOTA_64] = {SYMMETRIC_NAT, .quota = 64},
    [SIM_ACCESS_CARRIER_SYMMETRIC] = CONE(SIM_NAT_PER_ADDRESS),
    [SIM_ACCESS_FAR_CARRIER_SYMMETRIC] = CONE(SIM_NAT_PER_ADDRESS),
    [SIM_ACCESS_BLOCKED] = {.blocks_all = true},
    [SIM_ACCESS_BLOCKED_HIGH_PORTS] = {.filtering = SIM_NAT_PER_ADDRESS, .outward_port_max = 1023},
};

static sim_nat *make_carrier(sim_internet *internet, sim_access access) {
  switch (access) {
    case SIM_ACCESS_CARRIER_CONE:
      return sim_nat_create(internet, NULL, &(sim_nat_options){.filtering = SIM_NAT_PER_ADDRESS, .hops = 1});
    case SIM_ACCESS_CARRIER_SYMMETRIC:
      return sim_nat_create(internet, NULL, &(sim_nat_options){SYMMETRIC_NAT, .hops = 1});
    case SIM_ACCESS_FAR_CARRIER_SYMMETRIC:
      return sim_nat_create(internet, NULL, &(sim_nat_options){SYMMETRIC_NAT, .hops = 6});
    default: return NULL;
  }
}

sim_site sim_internet_add_site(sim_internet *internet, sim_access access, uint16_t forwarded_port) {
  sim_site site = {.carrier = make_carrier(internet, access)};
  if (access != SIM_ACCESS_OPEN) site.home = sim_nat_create(internet, site.carrier, &homes[access]);
  site.host = sim_internet_add_host(internet, site.home);
  hd_address inside = site.host;
  inside.port = forwarded_port;
  if (access == SIM_ACCESS_FORWARD) sim_nat_forward(site.home, forwarded_port, &inside);
  if (access == SIM_ACCESS_FORWARD_OTHER) sim_nat_forward(site.home, (uint16_t)(forwarded_port ^ 1), &inside);
  return site;
}
