/* The RPC of the DHT (dht-rpc): receives datagrams, answers requests and completes our own. It knows sockets only as
 * numbers, addresses, tokens and time; what a request means is its owner's business.
 *
 * Two sockets. The server socket is the node's identity; the client socket carries everything while the node is taken
 * to be firewalled. Answers leave through the socket on which the request came. A node's id is written only into what
 * leaves through the server socket, and only while the owner gives one.
 *
 * Better than the reference, on the same wire: responses must come from where the request was sent and carry a random
 * id; waiting requests go out as soon as there is room, in order; each network may ask only so much; and nobody gets an
 * answer of more than three times the size of the request before it has proven to receive what is sent to its address.
 * Who asks for something larger is sent a PING first; when that is answered the larger answer follows. Our own requests
 * are padded, so that nodes with the same rule can answer them in full.
 *
 * The owner drives it: receive and elapse when there is something, take_sends after each batch, deadline before
 * waiting. */
#ifndef HD_RPC_ENDPOINT_H
#define HD_RPC_ENDPOINT_H

#include "messages/message_rpc.h"
#include "rpc/rpc_flood.h"
#include "rpc/rpc_outbox.h"
#include "rpc/rpc_proof.h"
#include "rpc/rpc_requests.h"
#include "rpc/rpc_rtt.h"
#include "rpc/rpc_stats.h"
#include "rpc/rpc_token.h"

#define HD_RPC_RETRIES_DEFAULT      3
#define HD_RPC_AMPLIFICATION_LIMIT  3  /* bytes of answer per byte of request, for a source that proved nothing */
#define HD_RPC_CHALLENGES_LIMIT     16 /* requests that wait for a proof */
#define HD_RPC_CHALLENGE_SIZE_LIMIT 256

/* A request of somebody else, while it is handled. Everything is lent during the call. */
typedef struct hd_rpc_incoming {
  hd_socket_id socket;
  hd_address from;
  const uint8_t *id;           /* the sender's node id, 32 bytes, if it is that of its address; else NULL */
  hd_messages_request message; /* its token is good, or NULL */
  hd_bytes datagram;
  bool is_proven; /* the source receives what is sent to it */
} hd_rpc_incoming;

/* What an endpoint asks of its owner. */
typedef struct hd_rpc_owner {
  void *context;

  /* A request arrived. Answer now with hd_rpc_respond, later by hd_rpc_respond_to, or not at all. */
  void (*on_request)(void *context, hd_time now, const hd_rpc_incoming *incoming);

  /* A request of ours was answered; called before its own on_done. */
  void (*on_response)(void *context, hd_time now, const hd_rpc_result *result);

  /* The nodes nearest to `target` that we know, nearest first. Returns how many; `limit` is at most 20. */
  unsigned (*closest)(void *context, const uint8_t target[HDHT_NODE_ID_SIZE], hd_address *nodes, unsigned limit);

  /* Our node id, or NULL while we have none to show. */
  const uint8_t *(*own_id)(void *context);
} hd_rpc_owner;

typedef struct hd_rpc_options {
  const hd_allocator *allocator;
  hd_entropy *entropy; /* borrowed */
  hd_rpc_owner owner;
  uint32_t window_limit;            /* 0: HD_RPC_WINDOW_DEFAULT */
  hd_rpc_flood_limits flood_limits; /* zeroed: HD_RPC_FLOOD_LIMITS_DEFAULT */
} hd_rpc_options;

/* A request whose source is asked to prove itself. */
typedef struct hd_rpc_challenge {
  hd_rpc_request *ping; /* NULL: unused */
  hd_socket_id socket;
  hd_address from;
  uint32_t size;
  uint8_t bytes[HD_RPC_CHALLENGE_SIZE_LIMIT];
} hd_rpc_challenge;

typedef struct hd_rpc {
  const hd_allocator *allocator;
  hd_rpc_owner owner;
  hd_entropy *entropy;
  hd_socket_id server_socket; /* HD_SOCKET_NONE while there is none */
  hd_socket_id client_socket;
  bool is_firewalled;
  hd_rpc_tokens tokens;
  hd_rpc_window window;
  hd_rpc_rtt rtt;
  hd_rpc_flood flood;
  hd_rpc_proofs proofs;
  hd_rpc_outbox outbox;
  hd_rpc_requests requests;
  hd_rpc_challenge *challenges; /* HD_RPC_CHALLENGES_LIMIT, allocated with the first */
  hd_rpc_stats stats;
} hd_rpc;

/* An endpoint without sockets: it receives and sends nothing. Must not move in memory. */
void hd_rpc_init(hd_rpc *rpc, const hd_rpc_options *options, hd_time now);

/* Gives all memory back. No callback is made. */
void hd_rpc_destroy(hd_rpc *rpc);

/* Names the two sockets; from now on it sends and receives. They may be one and the same. */
void hd_rpc_open(hd_rpc *rpc, hd_socket_id server_socket, hd_socket_id client_socket);

bool hd_rpc_is_open(const hd_rpc *rpc);

/* Forgets the sockets, what was to be sent, and the window, and fails all requests with `error`. */
void hd_rpc_close(hd_rpc *rpc, hd_time now, int error);

/* The socket that new requests leave through: the client socket while firewalled. */
hd_socket_id hd_rpc_socket_in_use(const hd_rpc *rpc);

/* ---- driving it ------------------------------------------------------------------------------------------------ */

/* Takes one datagram, which is lent during the call. Returns false if it is neither a request nor a response: then it
 * is somebody else's, and was not counted. */
bool hd_rpc_receive(hd_rpc *rpc, hd_time now, const hd_datagram *datagram);

/* Sends again, or gives up, what was not answered in time; sends what waited. */
void hd_rpc_elapse(hd_rpc *rpc, hd_time now);

hd_time hd_rpc_deadline(const hd_rpc *rpc);

/* Lends datagrams to be sent. They are good until the next call of any other function. Returns how many. */
size_t hd_rpc_take_sends(hd_rpc *rpc, hd_datagram_out *outs, size_t outs_capacity);

/* ---- asking ---------------------------------------------------------------------------------------------------- */

typedef struct hd_rpc_ask {
  hd_address to;
  hd_socket_id socket; /* HD_SOCKET_NONE: the one in use */
  bool is_internal;
  bool has_value;
  uint64_t command;
  const uint8_t *target; /* 32 bytes or NULL */
  const uint8_t *token;  /* 32 bytes or NULL */
  hd_bytes value;
  size_t pad_to;       /* zeros are appended up to this many bytes of datagram; receivers ignore them */
  unsigned retries;    /* transmissions after the first */
  hd_duration timeout; /* of each transmission; 0: by the estimate */
  bool is_forced;      /* sent at once, whatever is in flight */
  uint8_t ttl;         /* of the first transmission; 0: the socket's default */
  hd_rpc_done *on_done;
  hd_rpc_slow *on_slow; /* may be NULL */
  void *context;
} hd_rpc_ask;

/* Sends a request, or queues it until there is room in the window. on_done follows, never from inside this call.
 *
 * request  [out] to cancel it by; dies with on_done; may be NULL
 *
 * Errors: HDHT_ERR_INVALID_STATE without sockets; HDHT_ERR_INVALID_ARGUMENT for an address that is not IPv4 or has port
 * 0; HDHT_ERR_TOO_LARGE above HD_MESSAGES_RPC_SIZE_SAFE bytes; HDHT_ERR_LIMIT above HD_RPC_REQUESTS_LIMIT;
 * HDHT_ERR_OUT_OF_MEMORY. */
int hd_rpc_request_send(hd_rpc *rpc, hd_time now, const hd_rpc_ask *ask, hd_rpc_request **request);

/* Forgets a request without calling anybody. */
void hd_rpc_request_cancel(hd_rpc *rpc, hd_time now, hd_rpc_request *request);

/* ---- answering ------------------------------------------------------------------------------------------------- */

typedef struct hd_rpc_reply {
  uint64_t error; /* 0 for success */
  bool has_value;
  bool with_token;
  bool with_closer_nodes; /* if the request has a target */
  hd_bytes value;
} hd_rpc_reply;

/* The most bytes of value that fit an answer to this request as it is now, beside a token and up to
 * `closer_nodes_kept` closer nodes. */
size_t hd_rpc_value_room(const hd_rpc *rpc, const hd_rpc_incoming *incoming, unsigned closer_nodes_kept);

/* Answers through the socket the request came on. Closer nodes are left out as far as the limit of an unproven source
 * demands; a value that exceeds it waits until the source has proven itself, and the request is then handled again. */
void hd_rpc_respond(hd_rpc *rpc, hd_time now, const hd_rpc_incoming *incoming, const hd_rpc_reply *reply);

/* Asks the source to prove itself and handles the request once more when it did. Returns false, and does nothing, if it
 * is proven already or cannot be kept. */
bool hd_rpc_challenge_source(hd_rpc *rpc, hd_time now, const hd_rpc_incoming *incoming);

/* A response that belongs to no request at hand: header, and a value if it has one. The caller answers for its size. */
void hd_rpc_respond_to(hd_rpc *rpc, hd_socket_id socket, const hd_address *to, uint16_t tid, bool has_value,
                       hd_bytes value);

/* Passes a request on: same id, command and target, another value, no token. Nobody waits for an answer here; whoever
 * answers, answers the first sender. */
void hd_rpc_forward(hd_rpc *rpc, hd_socket_id socket, const hd_messages_request *message, const hd_address *to,
                    hd_bytes value);

#endif
