/* One hole punch: finds out what NATs are between two peers, agrees with the other side over relays when to punch, and
 * punches (hyperdht, "Hole-punch rounds", "NAT analysis and punching"). The client of a handshake is the initiator, the
 * server the responder.
 *
 * It opens no socket, sends nothing and knows no RPC. Its owner tells it what happened; after each call the owner takes
 * all events, does what they say, and reads the deadline. Sockets it uses are its own until it gives them up by an
 * event.
 *
 *   initiator  opens a socket, asks helpers how they see it, sends a first message (round 0) and a probe that only
 * opens its own NAT; when both NATs are known, the message that starts the punch, and then probes. responder  answers
 * those messages. It sends no probe before it has agreed to punch, except one to an initiator that says it has opened
 * its NAT already ("fast open").
 *
 * Success is the owner's to declare: a probe has one byte that anyone can send, so HD_PUNCH_EVENT_PATH is a hint where
 * to try the stream, and punching goes on until hd_holepuncher_confirm says that a packet of the stream arrived.
 *
 * Better than the reference, on the same wire: a message that is received twice gets the same answer again and starts
 * nothing; a lost message is sent once more through another relay; what failed is told; random punches that find the
 * throttle busy wait; answers to probes are repeated. */
#ifndef HD_HOLEPUNCHER_H
#define HD_HOLEPUNCHER_H

#include "holepunch/punch_echo.h"
#include "holepunch/punch_probes.h"
#include "holepunch/punch_remote.h"
#include "holepunch/punch_secret.h"
#include "holepunch/punch_sockets.h"
#include "holepunch/punch_throttle.h"
#include "messages/message_noise_payload.h"

#define HD_PUNCH_RELAYS_LIMIT     4
#define HD_PUNCH_PATHS_LIMIT      8              /* paths told; further ones are ignored */
#define HD_PUNCH_MESSAGES_LIMIT   4              /* of the initiator, waiting for an answer or remembered with it */
#define HD_PUNCH_FAST_OPENS_LIMIT 3              /* probes a responder sends before it has agreed to punch */
#define HD_PUNCH_IDLE_TIMEOUT     HD_SECONDS(10) /* of a responder that hears nothing at all ... */
#define HD_PUNCH_SILENCE_TIMEOUT  HD_SECONDS(20) /* ... or nothing more, and does not punch */
#define HD_PUNCH_TURN_PROMISED    HD_SECONDS(15) /* a responder says yes when its turn comes within this time */
#define HD_PUNCH_TURN_PATIENCE    HD_SECONDS(60) /* an initiator stands in line for so long */
#define HD_PUNCH_REMIND_INTERVAL  HD_SECONDS(5)  /* and meanwhile keeps the responder interested */
#define HD_PUNCH_UNKNOWN_PAUSE    HD_SECONDS(1)  /* before a responder is asked again that did not know its NAT */
#define HD_PUNCH_LATER_PAUSE      HD_SECONDS(10) /* and up to as much again, at random: what TRY_LATER asks for */
#define HD_PUNCH_LATERS_LIMIT     4
#define HD_PUNCH_REQUEST_TRIES    4             /* requests for one message, each with the RPC's own retransmissions */
#define HD_PUNCH_CONFIRM_PATIENCE HD_SECONDS(5) /* after all probes, for a path that was told */

typedef struct hd_holepuncher hd_holepuncher;

/* Why a punch ended with HDHT_ERR_HOLEPUNCH_ABORTED, or what was the last straw for another error. */
typedef enum hd_punch_cause {
  HD_PUNCH_CAUSE_NONE,
  HD_PUNCH_CAUSE_EXHAUSTED,  /* all probes were sent, none came through */
  HD_PUNCH_CAUSE_VETOED,     /* the owner did not want to punch */
  HD_PUNCH_CAUSE_BUSY,       /* other random punches took too long */
  HD_PUNCH_CAUSE_NO_SOCKET,  /* the driver could not open one */
  HD_PUNCH_CAUSE_UNANSWERED, /* no relay brought an answer */
  HD_PUNCH_CAUSE_IDLE,       /* the initiator fell silent */
  HD_PUNCH_CAUSE_CANCELLED,  /* by the owner */
} hd_punch_cause;

/* "all probes were sent and none came through". Static storage. */
const char *hd_punch_cause_text(hd_punch_cause cause);

typedef struct hd_holepuncher_options {
  const hd_allocator *allocator;
  hd_entropy *entropy;          /* borrowed */
  hd_punch_throttle *throttle;  /* borrowed; of the node */
  uint8_t key[HD_BOX_KEY_SIZE]; /* hd_messages_holepunch_secret */
  bool is_initiator;
  bool is_open;              /* this node is known to be reachable */
  bool asks_before_punching; /* HD_PUNCH_EVENT_ASK is wanted */
  bool uses_fast_open;       /* initiator */

  /* The initiator's. */
  uint64_t slot;                   /* the responder's name for the handshake */
  hd_address server_address;       /* the responder, as the relay saw it that carried the handshake */
  hd_address handshake_relay;      /* that relay */
  const hd_messages_relay *relays; /* those the responder offers, at most HD_PUNCH_RELAYS_LIMIT are used; copied */
  unsigned relays_count;           /* at least 1 */
} hd_holepuncher_options;

/* How an answer finds its way back; the puncher keeps it and does not look inside, except at the client's address. */
typedef struct hd_punch_route {
  hd_socket_id socket;     /* where the message came in */
  hd_address relay;        /* from whom */
  hd_address peer_address; /* the client, as the relay saw it */
  uint16_t tid;
} hd_punch_route;

typedef enum hd_punch_event_type {
  /* Open a socket, then call hd_holepuncher_socket_opened or _failed. If the puncher is gone by then, close it. */
  HD_PUNCH_EVENT_OPEN_SOCKET,
  /* Close this socket. */
  HD_PUNCH_EVENT_CLOSE_SOCKET,
  /* Ping `count` helpers once each from this socket (punch_helpers.h), tell each answer by hd_holepuncher_sample and
   * the end by hd_holepuncher_samples_end. */
  HD_PUNCH_EVENT_SAMPLE,
  /* Send a datagram of one zero byte. */
  HD_PUNCH_EVENT_PROBE,
  /* Initiator: send PEER_HOLEPUNCH, FROM_CLIENT, and tell the outcome by hd_holepuncher_answered. */
  HD_PUNCH_EVENT_REQUEST,
  /* Responder: send PEER_HOLEPUNCH, FROM_SERVER, with id 0 to route.relay. */
  HD_PUNCH_EVENT_ANSWER,
  /* May we punch? Answer with hd_holepuncher_decide, at once or later. */
  HD_PUNCH_EVENT_ASK,
  /* Initiator: a probe came through here. Try the stream on it. */
  HD_PUNCH_EVENT_PATH,
  /* The last event. The puncher has no sockets any more and can only be destroyed. */
  HD_PUNCH_EVENT_ENDED,
} hd_punch_event_type;

/* What the owner shall do. Pointers are good until the next call for this puncher. */
typedef struct hd_punch_event {
  hd_punch_event_type type;
  hd_socket_id socket; /* all but OPEN_SOCKET, ASK and ENDED */
  union {
    uint32_t open_key;      /* OPEN_SOCKET */
    unsigned samples_count; /* SAMPLE */
    struct {
      hd_address to;
      uint8_t ttl;
    } probe;
    struct {
      uint32_t number;         /* names the request in hd_holepuncher_answered */
      uint64_t slot;           /* the message's id */
      hd_address to;           /* the relay */
      hd_address peer_address; /* of the responder */
      hd_bytes payload;
      bool is_last; /* a farewell: no answer is awaited */
    } request;
    struct {
      hd_punch_route route;
      hd_bytes payload;
    } answer;
    struct {
      hd_nat_kind local_nat;
      hd_nat_kind remote_nat;
      const hd_punch_remote *remote;
    } ask;
    struct {
      hd_address address;
      bool is_expected; /* the host is one where the peer was seen or that it named */
    } path;
    struct {
      int error; /* HDHT_OK after hd_holepuncher_confirm */
      hd_punch_cause cause;
      uint64_t remote_error; /* with HDHT_ERR_REMOTE_ABORTED: the peer's HD_MESSAGES_ERROR_* */
    } ended;
  };
} hd_punch_event;

/* Errors: HDHT_ERR_OUT_OF_MEMORY. */
int hd_holepuncher_create(const hd_holepuncher_options *options, hd_time now, hd_holepuncher **puncher);

/* Gives the memory back and leaves the throttle. Before HD_PUNCH_EVENT_ENDED: sockets not told closed are the owner's.
 */
void hd_holepuncher_destroy(hd_holepuncher *puncher, hd_time now);

/* Takes the next event. Returns false when there is none. */
bool hd_holepuncher_next_event(hd_holepuncher *puncher, hd_time now, hd_punch_event *event);

/* When to call hd_holepuncher_elapse; HD_TIME_NEVER. */
hd_time hd_holepuncher_deadline(const hd_holepuncher *puncher);
void hd_holepuncher_elapse(hd_holepuncher *puncher, hd_time now);

void hd_holepuncher_socket_opened(hd_holepuncher *puncher, hd_time now, uint32_t key, hd_socket_id socket);
void hd_holepuncher_socket_failed(hd_holepuncher *puncher, hd_time now, uint32_t key);

/* A helper answered that it sees the socket as `reported`. */
void hd_holepuncher_sample(hd_holepuncher *puncher, hd_time now, hd_socket_id socket, const hd_address *reported,
                           const hd_address *helper);
void hd_holepuncher_samples_end(hd_holepuncher *puncher, hd_time now, hd_socket_id socket);

/* A datagram of one byte arrived on one of the puncher's sockets. */
void hd_holepuncher_probe_received(hd_holepuncher *puncher, hd_time now, hd_socket_id socket, const hd_address *from);

/* What came back for a request; lent during the call. */
typedef struct hd_punch_reply {
  hd_bytes payload;        /* of the reply */
  hd_address to;           /* us, as the relay saw us */
  hd_address peer_address; /* the responder, as the relay saw it, or none */
} hd_punch_reply;

/* Initiator: the request with this number was answered, or not (`reply` NULL). Others than the latest are ignored. */
void hd_holepuncher_answered(hd_holepuncher *puncher, hd_time now, uint32_t number, const hd_punch_reply *reply);

/* A message of the initiator; lent during the call. */
typedef struct hd_punch_incoming {
  hd_bytes payload;
  hd_punch_route route;
  hd_address to;          /* us, as the relay saw us */
  bool is_from_own_relay; /* the relay is one this server announced itself to */
} hd_punch_incoming;

/* Responder: a message for its slot arrived. An answer follows as an event, now or later or, for one received before,
 * again. On an error it is to be met with silence; nothing has changed.
 *
 * Errors: those of hd_punch_secret_open; HDHT_ERR_LIMIT when too many wait; HDHT_ERR_INVALID_STATE after the end. */
int hd_holepuncher_receive(hd_holepuncher *puncher, hd_time now, const hd_punch_incoming *incoming);

/* Responder: the initiator's handshake was received once more, so it has not begun yet: be patient. */
void hd_holepuncher_stay(hd_holepuncher *puncher, hd_time now);

/* The answer to HD_PUNCH_EVENT_ASK. */
void hd_holepuncher_decide(hd_holepuncher *puncher, hd_time now, bool allows);

/* hd_punch_throttle_next returned this puncher's waiter (its context is the puncher). */
void hd_holepuncher_turn(hd_holepuncher *puncher, hd_time now);

/* A packet of the stream arrived on `socket`, which is now the owner's; HD_SOCKET_NONE: on none of the puncher's. */
void hd_holepuncher_confirm(hd_holepuncher *puncher, hd_time now, hd_socket_id socket);

/* Ends it: the initiator says so to the other side. */
void hd_holepuncher_cancel(hd_holepuncher *puncher, hd_time now);

/* The socket that messages leave from, or HD_SOCKET_NONE before it is open. */
hd_socket_id hd_holepuncher_main_socket(const hd_holepuncher *puncher);

bool hd_holepuncher_owns_socket(const hd_holepuncher *puncher, hd_socket_id socket);

/* What is known of this side's NAT. */
const hd_nat_analysis *hd_holepuncher_analysis(const hd_holepuncher *puncher);

/* Whether probes are being sent. */
bool hd_holepuncher_is_punching(const hd_holepuncher *puncher);

#endif
