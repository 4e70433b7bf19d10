/* A node that lies to everybody who asks it: it names its accomplices and nodes that do not exist as the nearest ones,
 * claims to have stored what it throws away, and never gives back a record. It cannot choose its id, for that follows
 * from its address; what it can do is be there. */
#ifndef SIM_LIAR_H
#define SIM_LIAR_H

#include "sim_network.h"

typedef struct sim_liars {
  hd_address *addresses; /* of all liars */
  size_t count;
} sim_liars;

/* Answers `datagram` with lies if it is a request. Returns false when it is none: then it is for the honest node that
 * the liar also runs, to stay in everybody's tables. */
bool sim_liar_answer(const sim_liars *liars, sim_host *host, hd_random *random, const hd_datagram *datagram);

#endif
