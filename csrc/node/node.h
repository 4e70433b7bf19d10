/* A node of the DHT as one value without sockets, clock or threads: bytes and time go in, datagrams and events come
 * out. Everything else of the core is reached through it.
 *
 * Driving it. The driver keeps to one order, however work arrives:
 *
 *   1. hd_node_receive for each datagram of a batch; and/or hd_node_elapse when the deadline has passed; and/or any
 *      commands;
 *   2. hd_node_settle: once;
 *   3. hd_node_next_event until it returns false. Commands may be given meanwhile; then go on with 2;
 *   4. hd_node_next_sends until it returns 0;
 *   5. hd_node_deadline: when to wake up for hd_node_elapse. Then, and only then, wait.
 *
 * Sockets are the driver's. It opens two, tells the node their numbers (hd_node_bind), hands in what arrives on them,
 * and closes them after hd_node_suspend or hd_node_destroy. The server socket is bound to the port others know; the
 * client socket to any.
 *
 * Time never goes backwards. Randomness comes from the seed alone, so that a simulator can repeat a run. Memory comes
 * from one allocator and is given back with the node. */
#ifndef HD_NODE_H
#define HD_NODE_H

#include "node/node_events.h"
#include "node/node_health.h"
#include "storage/storage.h"
#include "table/table.h"
#include "udx/udx.h"

#define HD_NODE_BOOTSTRAPS_LIMIT 20
#define HD_NODE_OPERATIONS_LIMIT 1024 /* of one node at the same time */
#define HD_NODE_EXPORT_LIMIT     1000 /* nodes of the table that are saved */

typedef struct hd_node hd_node;

typedef enum hd_node_mode {
  HD_NODE_ADAPTIVE,   /* ephemeral at first; persistent when it has been reachable for a while */
  HD_NODE_EPHEMERAL,  /* never persistent */
  HD_NODE_PERSISTENT, /* persistent as soon as its address is known and reachable */
} hd_node_mode;

typedef struct hd_node_options {
  const hd_allocator *allocator; /* NULL: the system's; borrowed */
  const uint8_t *seed;           /* HD_ENTROPY_SEED_SIZE secret bytes; copied */
  uint64_t unix_ms;              /* the time of day now, or 0 */
  hd_node_mode mode;
  bool is_reachable;            /* no firewall in front of it: is not tested */
  bool without_quick_test;      /* do not try to find out early that there is no firewall */
  hd_address public_host;       /* bootstrap nodes: the host others reach us at. With it and is_reachable the node is
                                 * persistent from the start, without asking anybody */
  const hd_address *bootstraps; /* the first HD_NODE_BOOTSTRAPS_LIMIT; copied */
  size_t bootstraps_count;
  const hd_address *nodes; /* others known to exist; copied */
  size_t nodes_count;
  hd_table_limits table_limits;     /* row 0: HD_TABLE_LIMITS_DEFAULT */
  hd_storage_limits storage_limits; /* entries 0: HD_STORAGE_LIMITS_DEFAULT */
  hd_rpc_flood_limits flood_limits; /* per_second 0: HD_RPC_FLOOD_LIMITS_DEFAULT */
  uint32_t window_limit;            /* 0: HD_RPC_WINDOW_DEFAULT */
  uint32_t down_hints_per_tick;     /* 0: 50; UINT32_MAX: none at all */
  hd_duration ping_delay_max;       /* DELAYED_PING; 0: 10 s */
  uint32_t streams_limit;           /* UDX; 0: none */
} hd_node_options;

/* Makes a node that has no sockets yet.
 * Errors: HDHT_ERR_OUT_OF_MEMORY. */
int hd_node_create(const hd_node_options *options, hd_time now, hd_node **node);

/* Frees the node with everything in it. Nothing is sent and no event follows. */
void hd_node_destroy(hd_node *node);

/* ---- driving it ------------------------------------------------------------------------------------------------ */

typedef struct hd_node_sockets {
  hd_socket_id server;
  uint16_t server_port; /* the local one */
  hd_socket_id client;  /* may be the same as `server` */
} hd_node_sockets;

/* Names the sockets. The first time, bootstrapping begins. */
void hd_node_bind(hd_node *node, hd_time now, const hd_node_sockets *sockets);

/* Takes one datagram; of a joined one, all its segments. The bytes are lent until hd_node_next_sends has returned 0. */
void hd_node_receive(hd_node *node, hd_time now, const hd_datagram *datagram);

/* Runs the timers that are due. */
void hd_node_elapse(hd_node *node, hd_time now);

/* Ends a batch of the above, or of commands. */
void hd_node_settle(hd_node *node, hd_time now);

/* Takes the oldest event. What it points to is good until the next call of this function, hd_node_settle,
 * hd_node_operation_destroy or hd_node_destroy. Returns false when there is none. */
bool hd_node_next_event(hd_node *node, hd_time now, hd_event *event);

/* Takes what is to be sent. It is good until the next call of any function but hd_node_send_result.
 * Returns how many were filled; call again until it is 0. */
size_t hd_node_next_sends(hd_node *node, hd_time now, hd_datagram_out *outs, size_t outs_capacity);

/* Tells that of a datagram or batch only the first `segments_sent` left; see hd_udx_send_result. */
void hd_node_send_result(hd_node *node, hd_time now, const hd_datagram_out *out, uint32_t segments_sent, int error);

/* A socket that was full takes datagrams again. */
void hd_node_socket_writable(hd_node *node, hd_socket_id socket);

hd_time hd_node_deadline(const hd_node *node);

/* Stops: requests and queries fail with HDHT_ERR_SUSPENDED, and what arrives is ignored. The driver may then close the
 * sockets. hd_node_bind resumes. */
void hd_node_suspend(hd_node *node, hd_time now);

/* The machine's network interfaces have changed. */
void hd_node_network_changed(hd_node *node, hd_time now);

/* Adds addresses of bootstrap nodes, for example when their names were looked up. Known ones do not count twice. */
void hd_node_add_bootstraps(hd_node *node, hd_time now, const hd_address *bootstraps, size_t count);

/* Adds a node that is known to exist; it is checked later. */
void hd_node_add_node(hd_node *node, const hd_address *address);

/* ---- operations ------------------------------------------------------------------------------------------------ */

/* Starts an operation (announce_operation.h). Its events carry `context`.
 * Errors: those of hd_announce_start; HDHT_ERR_LIMIT above HD_NODE_OPERATIONS_LIMIT. */
int hd_node_start(hd_node *node, hd_time now, const hd_announce_options *options, void *context,
                  hd_node_operation **operation);

/* Answers HD_EVENT_SIGN. Errors: those of hd_announce_signed. */
int hd_node_operation_sign(hd_node_operation *operation, hd_time now, hd_announce_purpose purpose, uint16_t number,
                           const uint8_t *signature);

/* Ends it, whatever its state. No further event of it follows. Needed after HD_EVENT_DONE as well. */
void hd_node_operation_destroy(hd_node_operation *operation, hd_time now);

/* The nodes it found, and what became of each commit: see query.h. */
hd_query *hd_node_operation_query(const hd_node_operation *operation);

/* ---- looking at it --------------------------------------------------------------------------------------------- */

typedef struct hd_node_state {
  hd_node_id table_id; /* the id the table is built around; ours once we are persistent */
  hd_address address;  /* what others say: host and port, host with port 0, or nothing */
  bool is_ready;       /* bootstrapping is over */
  bool is_persistent;
  bool is_firewalled;
  bool is_suspended;
  bool is_online;
  bool is_degraded;
  unsigned nodes_count; /* in the table */
  uint32_t tick;
} hd_node_state;

hd_node_state hd_node_look(const hd_node *node);

/* Where others reach the server socket: no address unless they do, and on the port it is bound to. */
hd_address hd_node_remote_address(const hd_node *node);

typedef struct hd_node_stats {
  hd_rpc_stats rpc;
  hd_udx_stats udx;
  unsigned queries_active;
  uint64_t queries_total;
  uint64_t dropped_datagrams; /* of no kind we know */
  uint64_t events_lost;       /* findings for which there was no memory */
  uint64_t nodes_added, nodes_removed;
  uint64_t nodes_refused_network; /* their /16 has its share of the table */
  size_t stored_records, stored_values;
} hd_node_stats;

hd_node_stats hd_node_get_stats(const hd_node *node);

/* Up to `limit` nodes, the latest heard first. Returns how many. */
unsigned hd_node_list(const hd_node *node, hd_address *nodes, unsigned limit);

/* ---- parts, for those who build on the node -------------------------------------------------------------------- */

hd_rpc *hd_node_rpc(hd_node *node);
hd_query_host *hd_node_queries(hd_node *node);
hd_storage *hd_node_storage(hd_node *node);
hd_table *hd_node_table(hd_node *node);
hd_udx *hd_node_udx(hd_node *node);
hd_entropy *hd_node_entropy(hd_node *node);

/* Who handles commands that are neither the node's nor its storage's, such as PEER_HANDSHAKE. Returns false to have the
 * node answer UNKNOWN_COMMAND. Called from inside hd_node_receive. */
typedef bool hd_node_command(void *context, hd_time now, const hd_rpc_incoming *incoming);
void hd_node_set_command(hd_node *node, hd_node_command *handle, void *context);

/* Who gets datagrams of a single byte. Called from inside hd_node_receive. */
typedef void hd_node_probe(void *context, hd_time now, const hd_datagram *datagram);
void hd_node_set_probe(hd_node *node, hd_node_probe *handle, void *context);

#endif
