/* The internet between the simulated hosts: a public core, and NATs and firewalls before it, in any depth (a home's NAT
 * behind a carrier's). The terms are those of RFC 4787: what a NAT gives a port to (mapping), whom it lets in
 * (filtering), and how it picks the port.
 *
 * A datagram goes from its sender through the NATs from inside to outside, over the core, and through the receiver's
 * NATs from outside to inside. Each router takes one from the TTL, and what has used it up goes no further: a datagram
 * that dies behind a NAT has opened that NAT, one that dies before it has not. Hosts behind the same NAT reach each
 * other by their private addresses without loss of TTL. */
#ifndef SIM_NAT_H
#define SIM_NAT_H

#include "sim_network.h"

typedef enum sim_nat_scope {
  SIM_NAT_ANY,         /* one mapping per socket inside; anybody outside */
  SIM_NAT_PER_HOST,    /* ... and host outside; hosts that were sent to */
  SIM_NAT_PER_ADDRESS, /* ... and host and port outside; addresses that were sent to */
} sim_nat_scope;

typedef enum sim_nat_ports {
  SIM_NAT_PORTS_RANDOM,
  SIM_NAT_PORTS_PRESERVED,  /* the same as inside when it is free, else random */
  SIM_NAT_PORTS_SEQUENTIAL, /* the next free one */
} sim_nat_ports;

typedef enum sim_nat_hairpin {
  SIM_NAT_HAIRPIN_NONE,
  SIM_NAT_HAIRPIN_EXTERNAL, /* the receiver sees the sender's address outside */
  SIM_NAT_HAIRPIN_INTERNAL, /* the receiver sees the sender's address inside */
} sim_nat_hairpin;

#define SIM_NAT_EXTERNALS_MAX 4
#define SIM_NAT_FORWARDS_MAX  4

typedef struct sim_nat_options {
  sim_nat_scope mapping;
  sim_nat_scope filtering;
  sim_nat_ports ports;
  uint16_t port_low, port_high; /* of the mappings; 0: 1024 and 65535 */
  unsigned externals_count;     /* addresses outside; 0: one */
  bool picks_by_destination;    /* which of them: by the host outside, else one per socket inside */
  bool is_firewall;             /* addresses are not changed: the hosts inside have public ones */
  sim_nat_hairpin hairpin;
  hd_duration lifetime;      /* of a mapping since the last datagram out; 0: 30 s */
  bool is_refreshed_inwards; /* datagrams in count too */
  unsigned quota;            /* mappings at a time for each host inside; 0: any number */
  unsigned hops;             /* routers between the inside and this one */
  bool blocks_all;
  uint16_t outward_port_max; /* datagrams to higher ports outside are dropped; 0: none are */
  bool isolates_hosts;       /* hosts inside cannot reach each other by their private addresses */
} sim_nat_options;

typedef struct sim_internet sim_internet;
typedef struct sim_nat sim_nat;

typedef struct sim_internet_options {
  hd_duration delay; /* of the core, one way */
  unsigned hops;     /* routers of the core; 0: 8 */
} sim_internet_options;

/* Lays an internet under the network. Destroy it after the network, or while nothing is sent any more. */
sim_internet *sim_internet_create(sim_network *network, const sim_internet_options *options);
void sim_internet_destroy(sim_internet *internet);

/* A NAT whose outside is the inside of `outer`, or the public core when that is NULL. */
sim_nat *sim_nat_create(sim_internet *internet, sim_nat *outer, const sim_nat_options *options);

/* Puts a new host behind `nat`, or into the public core when that is NULL. Returns the address to create the sim_host
 * with. */
hd_address sim_internet_add_host(sim_internet *internet, sim_nat *nat);

unsigned sim_nat_externals_count(const sim_nat *nat);

/* Of a NAT's addresses outside; `index` < externals_count. The port is 0. */
hd_address sim_nat_external(const sim_nat *nat, unsigned index);

/* Lets everybody reach `inside` (host and port) through `port`. When the two ports are equal, the socket inside is seen
 * under it too. */
void sim_nat_forward(sim_nat *nat, uint16_t port, const hd_address *inside);

/* All mappings are forgotten, as after a restart or when a carrier gives out another port range. */
void sim_nat_rebind(sim_nat *nat);

/* Mappings alive now. */
unsigned sim_nat_mappings_count(sim_nat *nat, hd_time now);

/* ---- the kinds of access that hosts have ------------------------------------------------------------------------- */

/* X(symbol, name) */
#define SIM_ACCESS_KINDS(X)                                                              \
  X(OPEN, "OPEN")               /* a public address, no filter */                        \
  X(FORWARD, "FWD")             /* full cone and a forward of the same port */           \
  X(FORWARD_OTHER, "FWD-REMAP") /* port restricted cone and a forward of another port */ \
  X(FIREWALL, "PUBFW")          /* a public address, stateful firewall */                \
  X(FULL_CONE, "FULL")                                                                   \
  X(HOST_CONE, "ADDR") /* restricted cone */                                             \
  X(PORT_CONE, "PORT") /* port restricted cone */                                        \
  X(CARRIER_CONE, "CGN-PORT")                                                            \
  X(MULTI_STICKY, "MULTI-STICKY")                                                        \
  X(MULTI_ARBITRARY, "MULTI-ARB")                                                        \
  X(SYMMETRIC, "SYM")                                                                    \
  X(SYMMETRIC_SEQUENTIAL, "SYMSEQ")                                                      \
  X(SYMMETRIC_BY_HOST, "SYM-ADM")                                                        \
  X(SYMMETRIC_QUOTA_128, "SYM128")                                                       \
  X(SYMMETRIC_QUOTA_64, "SYM64")                                                         \
  X(CARRIER_SYMMETRIC, "CGN-SYM")                                                        \
  X(FAR_CARRIER_SYMMETRIC, "CGN-FAR-SYM")                                                \
  X(BLOCKED, "BLOCK")                                                                    \
  X(BLOCKED_HIGH_PORTS, "BLOCK-IN-DHT")

typedef enum sim_access {
#define SIM_ACCESS_ENUMERATOR(symbol, name) SIM_ACCESS_##symbol,
  SIM_ACCESS_KINDS(SIM_ACCESS_ENUMERATOR)
#undef SIM_ACCESS_ENUMERATOR
      SIM_ACCESS_COUNT
} sim_access;

const char *sim_access_name(sim_access access);

/* Where a host was put. */
typedef struct sim_site {
  hd_address host;
  sim_nat *home;    /* the innermost NAT or firewall, or NULL */
  sim_nat *carrier; /* the one before it, or NULL */
} sim_site;

/* Builds the NATs of this kind and puts a host behind them.
 *
 * forwarded_port  the port on which the host listens, for the kinds with a forward */
sim_site sim_internet_add_site(sim_internet *internet, sim_access access, uint16_t forwarded_port);

#endif
