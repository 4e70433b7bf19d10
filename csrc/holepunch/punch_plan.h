/* How two peers punch, from the kinds of their NATs: one table and nothing else (hyperdht, "Strategies").
 *
 * When one NAT gives every destination another port, that side opens many sockets and the other one guesses: with 256
 * ports open out of 64,536, 1750 guesses miss them all once in a thousand times. */
#ifndef HD_PUNCH_PLAN_H
#define HD_PUNCH_PLAN_H

#include "base/clock.h"
#include "nat/nat_kind.h"

#define HD_PUNCH_SOCKETS_MAX   256
#define HD_PUNCH_ROUNDS        10 /* of a consistent punch */
#define HD_PUNCH_ROUND         HD_SECONDS(1)
#define HD_PUNCH_PROBES        1750 /* of a random one */
#define HD_PUNCH_PROBE_SPACING HD_MILLISECONDS(20)
#define HD_PUNCH_BURST_PAUSE   HD_MILLISECONDS(100)
#define HD_PUNCH_TTL_LOW       5 /* reaches the sender's own NATs and not the peer */
#define HD_PUNCH_TTL           64
#define HD_PUNCH_PORT_MIN      1000
#define HD_PUNCH_PORT_MAX      65535

typedef enum hd_punch_strategy {
  HD_PUNCH_REFUSED,      /* hopeless, or too little is known */
  HD_PUNCH_CONSISTENT,   /* one socket, to the addresses the peer has */
  HD_PUNCH_RANDOM_PORTS, /* one socket, to random ports of the peer's host */
  HD_PUNCH_MANY_SOCKETS, /* many sockets, to the peer's one address */
} hd_punch_strategy;

typedef struct hd_punch_plan {
  hd_punch_strategy strategy;
  bool needs_verified_host; /* so many probes go only to who has proven to receive there */
  unsigned sockets_count;
  unsigned repeats_count;  /* rounds or probes before it is given up */
  hd_duration interval;    /* between them */
  hd_duration first_delay; /* before the first: the responder lets the initiator begin */
} hd_punch_plan;

/* The kinds are taken as the peers told them to each other; OPEN counts as CONSISTENT. Any number is allowed, unknown
 * ones are refused. */
hd_punch_plan hd_punch_plan_of(hd_nat_kind local, hd_nat_kind remote, bool is_initiator);

#endif
