/* Passes handshakes and hole-punch messages between clients and servers that cannot reach each other yet (hyperdht,
 * "Router"): every node does this for everybody, and hands messages to the servers of its own process.
 *
 * A handshake goes from the client to a node that knows the server (FROM_CLIENT), from there to the server
 * (FROM_RELAY), back to that node (FROM_SERVER), and as a response to the client (REPLY). When the client names a
 * relay, that one may pass it on as a second relay (FROM_SECOND_RELAY). Hole-punch messages go the same way without a
 * second relay.
 *
 * Better than the reference, on the same wire: each network may have only so much passed on; a reply goes only to
 * whoever asked through this node; and the address of a client that talks to us directly is the one it sends from,
 * whatever it says. */
#ifndef HD_ROUTER_H
#define HD_ROUTER_H

#include "messages/message_handshake.h"
#include "messages/message_holepunch.h"
#include "router/router_recent.h"
#include "rpc/rpc_endpoint.h"
#include "storage/storage_routes.h"

#define HD_ROUTER_SERVERS_LIMIT  65536 /* of this process */
#define HD_ROUTER_LIMITS_DEFAULT ((hd_rpc_flood_limits){.per_second = 100, .burst = 200})

/* How a server's answer finds its way back to a client. A plain value: the server keeps it as long as it likes. */
typedef struct hd_router_route {
  hd_socket_id socket; /* where the message came in: the answer leaves there unless the server says otherwise */
  hd_address from;     /* whoever sent it: a relay, or the client itself */
  hd_address to;       /* us, as they see us */
  hd_address client;   /* as the relay sees it; the sender when it is direct */
  hd_address answer_to;
  uint16_t tid;
  bool is_direct; /* the client talks to us without a relay */
  uint8_t target[HDHT_HASH_SIZE];
} hd_router_route;

/* A server of this process. What it is told is lent during the call. It answers in the call, later, or never: silence
 * is how a handshake is refused. */
typedef struct hd_router_server {
  void *context;
  void (*on_handshake)(void *context, hd_time now, const hd_router_route *route, hd_bytes noise);

  /* `id` is the handshake's slot. */
  void (*on_holepunch)(void *context, hd_time now, const hd_router_route *route, uint64_t id, hd_bytes payload);
} hd_router_server;

typedef struct hd_router_stats {
  uint64_t handshakes_passed, holepunches_passed; /* on their way to a server */
  uint64_t replies_passed;
  uint64_t handshakes_served, holepunches_served; /* given to servers of this process */
  uint64_t dropped_malformed;                     /* no such message, or one without what its mode needs */
  uint64_t dropped_flood;                         /* the source's network has too much passed on */
  uint64_t dropped_unasked;                       /* replies to nobody who asked */
} hd_router_stats;

typedef struct hd_router {
  hd_rpc *rpc;
  hd_storage_routes *routes;
  hd_hash_map servers; /* target to hd_router_server */
  hd_router_recent recent;
  hd_rpc_flood flood;
  hd_router_stats stats;
} hd_router;

typedef struct hd_router_options {
  const hd_allocator *allocator;
  hd_entropy *entropy;        /* used during init alone */
  hd_rpc *rpc;                /* borrowed */
  hd_storage_routes *routes;  /* borrowed */
  hd_rpc_flood_limits limits; /* zeroed: HD_ROUTER_LIMITS_DEFAULT */
} hd_router_options;

/* A router without servers; allocates nothing. */
void hd_router_init(hd_router *router, const hd_router_options *options);
void hd_router_destroy(hd_router *router);

/* Registers a server for the hash of its public key, and pins its record: others that ask this node find it.
 * Errors: HDHT_ERR_EXISTS, HDHT_ERR_LIMIT, HDHT_ERR_OUT_OF_MEMORY; nothing changes. */
int hd_router_listen(hd_router *router, const uint8_t public_key[HDHT_PUBLIC_KEY_SIZE], const hd_router_server *server);

/* Does nothing for one that is not registered. */
void hd_router_unlisten(hd_router *router, const uint8_t public_key[HDHT_PUBLIC_KEY_SIZE]);

/* Serves PEER_HANDSHAKE and PEER_HOLEPUNCH. Returns false for any other command. */
bool hd_router_handle(hd_router *router, hd_time now, const hd_rpc_incoming *incoming);

/* Sends a server's answer, from `socket`, which HD_SOCKET_NONE leaves at the one of the route. Answers are as long as
 * what fits one datagram; longer ones are dropped. */
void hd_router_answer_handshake(hd_router *router, const hd_router_route *route, hd_socket_id socket, hd_bytes noise);
void hd_router_answer_holepunch(hd_router *router, const hd_router_route *route, hd_socket_id socket, hd_bytes payload);

/* ---- the client's side ------------------------------------------------------------------------------------------- */

typedef struct hd_router_reply {
  hd_bytes bytes;          /* the Noise message, or the sealed payload; lent by the value */
  bool is_relayed;         /* the node that was asked is not the server itself */
  hd_address peer_address; /* the server: as its relay sees it, or the node that was asked */
} hd_router_reply;

/* Reads the value of a response from `asked` (the RPC has checked that it comes from there).
 * Errors: those of hd_messages_read_handshake; HDHT_ERR_PROTOCOL for another mode than REPLY or nothing in it. */
int hd_router_read_handshake_reply(hd_bytes value, const hd_address *asked, hd_router_reply *reply);
int hd_router_read_holepunch_reply(hd_bytes value, const hd_address *asked, hd_router_reply *reply);

#endif
