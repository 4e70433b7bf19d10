/* A whole internet in one process: hosts with addresses and sockets, each behind an uplink and a downlink, and virtual
 * time that jumps from one event to the next. One 64-bit seed determines a run.
 *
 * A host is driven as a real driver drives the core: all datagrams that arrive at one moment are handed in, then `turn`
 * is called once (settle, send, read the deadline). */
#ifndef SIM_NETWORK_H
#define SIM_NETWORK_H

#include "base/datagram.h"
#include "sim_link.h"

typedef struct sim_network sim_network;
typedef struct sim_host sim_host;

/* What runs on a host. */
typedef struct sim_program {
  /* A datagram arrived; the bytes are good until `turn` has returned. */
  void (*receive)(void *context, hd_time now, const hd_datagram *datagram);

  /* After the datagrams of one moment, or when the deadline is due, or after sim_host_poke: run due timers, settle,
   * send with sim_host_send. Returns the next deadline. */
  hd_time (*turn)(void *context, hd_time now);
} sim_program;

typedef struct sim_host_options {
  hd_address address; /* the port is ignored; must be unlike every other host's */
  sim_link_options up;
  sim_link_options down;
  hd_duration timer_tick; /* deadlines are rounded up to this, as real event loops do; 0: exact */
} sim_host_options;

typedef struct sim_stats {
  uint64_t datagrams_sent;
  uint64_t datagrams_delivered;
  uint64_t datagrams_lost;       /* by a link */
  uint64_t datagrams_unroutable; /* no such host or socket */
  uint64_t datagrams_stopped;    /* by a router: filtered, or the end of their TTL */
  uint64_t bytes_sent;
  uint64_t datagrams_in_flight; /* now */
  uint64_t bytes_in_flight_peak;
} sim_stats;

/* How long a datagram is under way between the links of two hosts. */
typedef hd_duration sim_distance(void *context, const sim_host *from, const sim_host *to);

sim_network *sim_network_create(uint64_t seed);
void sim_network_destroy(sim_network *network);

/* The generator of this run, for scenarios to draw from. */
hd_random *sim_network_random(sim_network *network);

hd_time sim_network_now(const sim_network *network);

/* Sets the distance function; without one all hosts are next to each other. */
void sim_network_set_distance(sim_network *network, sim_distance *distance, void *context);

/* Both directions between the hosts are cut while `is_cut` returns true. */
typedef bool sim_cut(void *context, const sim_host *from, const sim_host *to);
void sim_network_set_cut(sim_network *network, sim_cut *is_cut, void *context);

/* A datagram on its way through routers. */
typedef struct sim_header {
  hd_address from; /* as the next router sees them: NATs change both */
  hd_address to;
  uint8_t ttl;       /* routers it may still pass */
  const void *place; /* the router's own business, NULL at first: where in the topology the datagram is */
} sim_header;

/* What lies between the uplink of one host and the downlink of another, instead of a mere distance. */
typedef struct sim_router {
  /* The datagram has left its sender's uplink.
   *
   * way  [out] how long it is under way from here to where `arrive` is called
   *
   * Returns whether it gets that far. */
  bool (*leave)(void *context, hd_time now, sim_header *header, hd_duration *way);

  /* The datagram is near its receiver. Afterwards header->to is the address of a host's socket. Returns whether it gets
   * there. */
  bool (*arrive)(void *context, hd_time now, sim_header *header);
} sim_router;

#define SIM_TTL_DEFAULT 64

/* Sends everything through `router` (borrowed). Distances and cuts do not apply then. To be called before any datagram
 * is sent. */
void sim_network_set_router(sim_network *network, const sim_router *router, void *context);

/* Runs until nothing more can happen, `until` is reached, or `is_done` (may be NULL) returns true after an event.
 * Returns whether is_done returned true. */
bool sim_network_run(sim_network *network, hd_time until, bool (*is_done)(void *context), void *context);

sim_stats sim_network_stats(const sim_network *network);

/* Adds a host. `program` is borrowed for the host's life. */
sim_host *sim_host_create(sim_network *network, const sim_host_options *options, const sim_program *program,
                          void *context);

/* Takes the host off the network; what is under way to it is lost. Its address may be given to another host. Not to be
 * called from inside its own `receive` or `turn`. */
void sim_host_remove(sim_host *host);

/* Opens a socket on `port` (0: the next free one from 20000 on). Returns HD_SOCKET_NONE when the port is taken. */
hd_socket_id sim_host_open(sim_host *host, uint16_t port);
void sim_host_close(sim_host *host, hd_socket_id socket);

/* The address others reach the socket under. */
hd_address sim_host_address(const sim_host *host, hd_socket_id socket);

/* Sends what the core wants to send: every datagram of a batch for itself. */
void sim_host_send(sim_host *host, const hd_datagram_out *out);

/* Asks for a `turn` at the present moment: after commands from outside. */
void sim_host_poke(sim_host *host);

/* Replaces the links' options in the middle of a run. */
void sim_host_set_links(sim_host *host, const sim_link_options *up, const sim_link_options *down);

sim_network *sim_host_network(const sim_host *host);
void *sim_host_context(const sim_host *host);

#endif
