/* The responder's answers to probes. The initiator learns from one of them that a path is open, so an answer is
 * repeated a few times: with random NATs a lost one would cost another thousand guesses. (The reference answers once.)
 *
 * Anybody can send a byte under any address. So answers are limited for each source and altogether; two responders that
 * were made to answer each other stop soon. */
#ifndef HD_PUNCH_ECHO_H
#define HD_PUNCH_ECHO_H

#include "holepunch/punch_probes.h"

#define HD_PUNCH_ECHO_SOURCES      8 /* remembered; the one heard longest ago makes room */
#define HD_PUNCH_ECHO_REPEATS      3 /* after the answer itself */
#define HD_PUNCH_ECHO_INTERVAL     HD_MILLISECONDS(250)
#define HD_PUNCH_ECHO_SOURCE_LIMIT 24
#define HD_PUNCH_ECHO_LIMIT        512 /* in one punch */

typedef struct hd_punch_echo_source {
  hd_socket_id socket;
  hd_address from;
  hd_time heard_at;
  hd_time next_at; /* NEVER: nothing to send */
  unsigned repeats_left;
  unsigned answers_count;
} hd_punch_echo_source;

typedef struct hd_punch_echo {
  hd_punch_echo_source sources[HD_PUNCH_ECHO_SOURCES];
  unsigned sources_count;
  unsigned answers_count;
} hd_punch_echo;

void hd_punch_echo_init(hd_punch_echo *echo);

/* A probe came from there. */
void hd_punch_echo_add(hd_punch_echo *echo, hd_time now, hd_socket_id socket, const hd_address *from);

hd_time hd_punch_echo_deadline(const hd_punch_echo *echo);

/* Takes the next answer that is due. Returns false when there is none. */
bool hd_punch_echo_next(hd_punch_echo *echo, hd_time now, hd_punch_probe *probe);

#endif
