/* Two peers behind NATs of chosen kinds, a few public nodes that pass messages on between them, and nothing else of a
 * DHT: who gets through to whom with the hole puncher, how, and how long it takes.
 *
 * The nodes speak a protocol of their own, as small as can be: pings, hole-punch messages in the wire's modes, and a
 * handshake that only introduces the peers. Requests are repeated as dht-rpc repeats them. A peer counts as connected
 * when a packet of its stream was answered, as the real stream's would be. */
#ifndef SIM_PUNCH_H
#define SIM_PUNCH_H

#include "holepunch/holepuncher.h"
#include "sim_nat.h"

typedef struct sim_punch_options {
  sim_access client;
  sim_access server;
  double loss;       /* of each datagram */
  hd_duration delay; /* one way; 0: 20 ms */
  bool has_no_fast_open;
  bool client_vetoes;
  bool server_vetoes;
  bool server_relay_dies; /* the relay that carried the handshake, right after it */
  hd_duration rebinds_at; /* since the start: the server's NATs forget everything; 0: never */
  bool is_forged;         /* a stranger sends single bytes to the client's sockets while it punches */
} sim_punch_options;

typedef enum sim_punch_way { SIM_PUNCH_NONE, SIM_PUNCH_DIRECT, SIM_PUNCH_PUNCHED } sim_punch_way;

typedef struct sim_punch_result {
  sim_punch_way way;   /* NONE: not connected */
  hd_duration took;    /* since the client began, until it was connected or gave up */
  bool was_introduced; /* the handshake worked */
  int error;           /* why the client's punch ended */
  hd_punch_cause cause;
  uint64_t remote_error;
  unsigned client_probes, server_probes;
  unsigned datagrams_to_strangers; /* probes to hosts that are neither peer */
  unsigned sockets_left;           /* that nobody closed, beyond one per peer and the stream's */
} sim_punch_result;

sim_punch_result sim_punch_run(const sim_punch_options *options, uint64_t seed);

#endif
