/* The inside of a hole punch, shared by what both sides do (holepuncher.c), the initiator (punch_initiator.c) and the
 * responder (punch_responder.c). Nothing outside this folder includes it. */
#ifndef HD_PUNCH_STATE_H
#define HD_PUNCH_STATE_H

#include "holepunch/holepuncher.h"

typedef enum hd_punch_phase {
  HD_PUNCH_PHASE_OPENING,   /* initiator: until the first socket is open */
  HD_PUNCH_PHASE_ASKING,    /* a message that does not start the punch is under way */
  HD_PUNCH_PHASE_PAUSING,   /* the responder does not know its NAT yet */
  HD_PUNCH_PHASE_ANALYSING, /* we do not know ours, or the owner has not decided */
  HD_PUNCH_PHASE_IN_LINE,   /* for the throttle */
  HD_PUNCH_PHASE_PROPOSING, /* the message that starts the punch is under way */
  HD_PUNCH_PHASE_LATER,     /* we were told to try later */
  HD_PUNCH_PHASE_LISTENING, /* responder: until it has agreed to punch */
  HD_PUNCH_PHASE_PROMISED,  /* responder: it has agreed, and stands in line */
  HD_PUNCH_PHASE_PUNCHING,
  HD_PUNCH_PHASE_OVER,
} hd_punch_phase;

typedef enum hd_punch_verdict {
  HD_PUNCH_VERDICT_NONE,
  HD_PUNCH_VERDICT_WANTED, /* the question is to be told to the owner */
  HD_PUNCH_VERDICT_ASKED,
  HD_PUNCH_VERDICT_ALLOWED,
  HD_PUNCH_VERDICT_REFUSED,
} hd_punch_verdict;

/* The initiator's message under way. */
typedef struct hd_punch_request {
  bool is_wanted; /* to be told to the owner */
  bool is_awaited;
  bool is_last;
  uint32_t number;
  unsigned tries;
  bool was_garbled; /* an answer came that could not be decrypted */
  hd_address to;
  hd_address peer_address;
  hd_punch_message message;
} hd_punch_request;

/* A probe the initiator received. */
typedef struct hd_punch_path {
  hd_socket_id socket;
  hd_address address;
  bool is_expected;
  bool is_told;
} hd_punch_path;

typedef enum hd_punch_entry_state {
  HD_PUNCH_ENTRY_FREE,
  HD_PUNCH_ENTRY_WAITING,  /* for the analysis or the owner */
  HD_PUNCH_ENTRY_ANSWERED, /* the answer is to be told to the owner */
  HD_PUNCH_ENTRY_DONE,     /* kept to be repeated */
} hd_punch_entry_state;

/* The nonce and the MAC: no two sealed messages have both in common. */
#define HD_PUNCH_IDENTITY_SIZE HD_MESSAGES_HOLEPUNCH_OVERHEAD

/* A message the responder received, and its answer. */
typedef struct hd_punch_entry {
  hd_punch_entry_state state;
  uint8_t identity[HD_PUNCH_IDENTITY_SIZE];
  hd_punch_route route;
  uint64_t error;
  uint64_t round;
  bool is_punching;
  bool is_from_own_relay;
  bool has_token;
  uint8_t token[HDHT_TOKEN_SIZE];
  hd_address opened; /* whom the initiator has opened its NAT to, or none */
  uint64_t number;   /* of all received: what came first is answered first */
  hd_punch_message answer;
} hd_punch_entry;

struct hd_holepuncher {
  hd_holepuncher_options options;
  hd_messages_relay relays[HD_PUNCH_RELAYS_LIMIT];
  hd_punch_phase phase;
  hd_time timer; /* of the phase */
  hd_punch_secret secret;
  hd_punch_remote remote;
  hd_punch_sockets sockets;
  hd_punch_probes probes;
  hd_punch_echo echo;
  hd_punch_waiter waiter;
  hd_punch_verdict verdict;
  bool is_finishing;                                 /* all probes have left; the timer runs for what they may bring */
  hd_address fast_opened[HD_PUNCH_FAST_OPENS_LIMIT]; /* whom a probe went to before the punch */
  unsigned fast_opened_count;
  unsigned fast_opened_sent; /* of them, probes already told */

  /* The initiator's. */
  hd_punch_request request;
  uint64_t next_round;
  hd_address server_address;
  unsigned relay; /* index of the one that messages go through */
  bool was_reopened;
  bool has_repeated_for_reopen;
  bool has_repeated_for_remote;
  unsigned laters_count;
  hd_time patience_until; /* in line */
  hd_punch_path paths[HD_PUNCH_PATHS_LIMIT];
  unsigned paths_count;

  /* The responder's. */
  hd_punch_entry entries[HD_PUNCH_MESSAGES_LIMIT];
  uint64_t entries_received;

  /* The end. */
  int error;
  hd_punch_cause cause;
  uint64_t remote_error;
  bool is_end_told;
};

/* ---- both sides (holepuncher.c) ---------------------------------------------------------------------------------- */

/* Ends it; what was answered or is to be said as farewell still goes out. */
void hd_punch_end(hd_holepuncher *puncher, hd_time now, int error, hd_punch_cause cause);

/* A probe to somebody before the punch: with a low TTL to open our NATs, or a normal one to a NAT opened for us.
 * Does nothing beyond HD_PUNCH_FAST_OPENS_LIMIT, or a second time for one address. */
void hd_punch_fast_open(hd_holepuncher *puncher, const hd_address *to);

/* Begins to probe, with a plan the throttle has agreed to.
 * Errors: those of hd_punch_probes_start. */
int hd_punch_begin_probes(hd_holepuncher *puncher, hd_time now);

/* Asks the owner once. Returns ALLOWED, REFUSED, or that it has to be waited for. */
hd_punch_verdict hd_punch_ask(hd_holepuncher *puncher);

hd_nat_kind hd_punch_local_nat(const hd_holepuncher *puncher);
hd_punch_plan hd_punch_plan_now(const hd_holepuncher *puncher);

/* Whether new sockets might have a better NAT: ours is unknown, or both are random. */
bool hd_punch_is_unstable(const hd_holepuncher *puncher);

/* Our addresses as they are published. Returns how many. */
unsigned hd_punch_own_addresses(const hd_holepuncher *puncher, hd_address addresses[HD_PUNCH_ADDRESSES_LIMIT]);

/* ---- one side ---------------------------------------------------------------------------------------------------- */

void hd_punch_initiator_advance(hd_holepuncher *puncher, hd_time now);
void hd_punch_initiator_elapse(hd_holepuncher *puncher, hd_time now);
void hd_punch_initiator_turn(hd_holepuncher *puncher, hd_time now);
void hd_punch_initiator_probed(hd_holepuncher *puncher, hd_socket_id socket, const hd_address *from);
void hd_punch_initiator_say_farewell(hd_holepuncher *puncher);

void hd_punch_responder_advance(hd_holepuncher *puncher, hd_time now);
void hd_punch_responder_elapse(hd_holepuncher *puncher, hd_time now);
void hd_punch_responder_turn(hd_holepuncher *puncher, hd_time now);
void hd_punch_responder_probed(hd_holepuncher *puncher, hd_time now, hd_socket_id socket, const hd_address *from);

#endif
