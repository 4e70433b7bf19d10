/* Runs a plan against time: which probe leaves next, from which socket, to where, with which TTL.
 *
 * Two things are better than in the reference, and the peer cannot tell. The first guesses at a random NAT's ports are
 * those just above the last one seen: as good as any other where ports are random, and a hit at once where they are
 * given out in order. And the many sockets send their low-TTL probe once, in the burst that opens them; the reference
 * sends a second round of them and loses five seconds. */
#ifndef HD_PUNCH_PROBES_H
#define HD_PUNCH_PROBES_H

#include "crypto/entropy.h"
#include "holepunch/punch_remote.h"
#include "holepunch/punch_sockets.h"

#define HD_PUNCH_PREDICTED_PORTS 32

/* One probe: a datagram of one zero byte. */
typedef struct hd_punch_probe {
  hd_socket_id socket;
  hd_address to;
  uint8_t ttl;
} hd_punch_probe;

typedef struct hd_punch_probes {
  hd_punch_plan plan; /* HD_PUNCH_REFUSED: not started */
  hd_time next_at;    /* NEVER: nothing more to send, or not started */
  unsigned repeats;   /* rounds begun, or probes sent */
  unsigned place;     /* in a round: the next address; in a cycle: the next socket */
  unsigned burst;     /* many sockets: those before this one have sent their first probe */
  bool is_bursting;
  hd_address target; /* of a random punch */
} hd_punch_probes;

void hd_punch_probes_init(hd_punch_probes *probes);

/* Whether the plan can be run with what is known of the remote.
 * Errors: HDHT_ERR_REMOTE_NOT_HOLEPUNCHABLE for a plan that is refused or an address that is missing or not verified.
 */
int hd_punch_probes_check(const hd_punch_plan *plan, const hd_punch_remote *remote);

/* Begins. `observed_port` is the one a relay saw last, from where random ports are predicted.
 *
 * Errors: those of hd_punch_probes_check. */
int hd_punch_probes_start(hd_punch_probes *probes, hd_time now, const hd_punch_plan *plan,
                          const hd_punch_remote *remote, uint16_t observed_port);

bool hd_punch_probes_have_started(const hd_punch_probes *probes);

/* Whether everything was sent, and the time for an answer to the last probe is over. */
bool hd_punch_probes_are_exhausted(const hd_punch_probes *probes);

void hd_punch_probes_stop(hd_punch_probes *probes);

hd_time hd_punch_probes_deadline(const hd_punch_probes *probes, const hd_punch_sockets *sockets);

/* Takes the next probe that is due. Returns false when there is none. */
bool hd_punch_probes_next(hd_punch_probes *probes, hd_time now, hd_punch_sockets *sockets,
                          const hd_punch_remote *remote, hd_entropy *entropy, hd_punch_probe *probe);

#endif
