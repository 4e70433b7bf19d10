/* A node of the DHT: joins a network through bootstrap nodes, answers others, and finds and stores things by queries
 * (query.h).
 *
 * Callbacks are made from the loop, never from inside a function of this file. Inside them every function may be called
 * on every handle. A node dies in one way only: on_closed is the last callback with its user_data, comes exactly once,
 * and after it the handle is gone. */
#ifndef HDHT_NODE_H
#define HDHT_NODE_H

#include <hdht/loop.h>
#include <hdht/memory.h>
#include <hdht/types.h>

#ifdef __cplusplus
extern "C" {
#endif

#define HDHT_NODE_PORT              49737 /* the first port a node tries */
#define HDHT_NODE_BOOTSTRAPS_LIMIT  20
#define HDHT_NODE_KNOWN_NODES_LIMIT 1000

typedef struct hdht_node hdht_node;

enum {
  HDHT_NODE_ADAPTIVE = 0,  /* serves others once it has proved reachable for a while */
  HDHT_NODE_EPHEMERAL = 1, /* never serves others */
  HDHT_NODE_PERSISTENT = 2 /* serves others as soon as its address is known and reachable */
};

enum {
  HDHT_NODE_REACHABLE = 1,     /* flag: there is no firewall in front of it, so none is looked for */
  HDHT_NODE_NO_QUICK_TEST = 2, /* flag: do not look for a firewall while bootstrapping */
  HDHT_NODE_ANY_PORT = 4,      /* flag: take whatever port the system gives */
  HDHT_NODE_EXACT_PORT = 8,    /* flag: take no port but `address.port` and the next `ports_count` - 1 */
  HDHT_NODE_SHARE_PORT = 16    /* flag: nodes that all have it may listen on one port */
};

typedef struct hdht_node_options {
  size_t struct_size;              /* set by hdht_node_options_init */
  const hdht_allocator *allocator; /* NULL for malloc; must outlive the node */

  /* "host:port", "1.2.3.4:port", or "1.2.3.4@host:port": an address, and a name to look up if nobody answers there.
   * At most HDHT_NODE_BOOTSTRAPS_LIMIT. hdht_node_options_init puts the public network's here. With `bootstraps_count`
   * 0 the node is on its own, until others come to it. */
  const char *const *bootstraps;
  size_t bootstraps_count;

  const hdht_address *nodes; /* others that are known to exist, besides the bootstrap nodes; IPv4 */
  size_t nodes_count;

  /* A file to remember the network in, so that the next start finds it faster. Read at the start; written every few
   * minutes and when the node closes, in one step: whoever reads finds the old contents or the new. Uses the names with
   * ".new" and ".damaged" appended as well. NULL: remember nothing. */
  const char *state_path;

  hdht_address address;     /* where to bind; IPv4, all-zero for every interface. Port 0: HDHT_NODE_PORT */
  hdht_address public_host; /* the host others reach it at, if that is known, as for a bootstrap node; the port is
                             * ignored. With HDHT_NODE_REACHABLE the node serves others from the start */
  uint32_t ports_count;     /* how many ports to try, upward from that one, before any is taken; 0: 5 */
  uint32_t mode;            /* HDHT_NODE_ADAPTIVE ... */
  uint32_t flags;           /* HDHT_NODE_* */
  uint32_t window_limit;    /* requests in flight; 0: 80 */
} hdht_node_options;

enum {
  HDHT_NODE_EVENT_PERSISTENT = 1,    /* it serves others from now on */
  HDHT_NODE_EVENT_EPHEMERAL = 2,     /* it no longer does */
  HDHT_NODE_EVENT_ADDRESS = 3,       /* what others say its address is has changed */
  HDHT_NODE_EVENT_NETWORK = 4,       /* online or degraded has changed, or the machine's network interfaces have */
  HDHT_NODE_EVENT_WAKE_UP = 5,       /* the process had not run for a while */
  HDHT_NODE_EVENT_STATE_DAMAGED = 6, /* the state file could not be used (`error` says why). One with wrong contents
                                      * was renamed to end in ".damaged" */
  HDHT_NODE_EVENT_STATE_UNSAVED = 7  /* the state file could not be written (`error` says why) */
};

/* All are optional. */
typedef struct hdht_node_callbacks {
  size_t struct_size; /* sizeof(hdht_node_callbacks) */

  /* Bootstrapping is over, whether anybody answered or not. Queries may be started before. */
  void (*on_ready)(void *user_data);

  /* More events may come with later versions. `error` is HDHT_OK where nothing is said about it. */
  void (*on_event)(void *user_data, uint32_t event, int error);

  void (*on_closed)(void *user_data);
} hdht_node_callbacks;

enum {
  HDHT_NODE_IS_READY = 1,
  HDHT_NODE_IS_PERSISTENT = 2,
  HDHT_NODE_IS_REACHABLE = 4, /* no firewall, as far as is known */
  HDHT_NODE_IS_SUSPENDED = 8,
  HDHT_NODE_IS_ONLINE = 16,
  HDHT_NODE_IS_DEGRADED = 32 /* most requests go unanswered */
};

typedef struct hdht_node_state {
  size_t struct_size;            /* set by hdht_node_get_state */
  uint8_t id[HDHT_NODE_ID_SIZE]; /* the node's own while it is persistent; otherwise where its table is centred */
  hdht_address address;          /* what others say; port 0 when they do not agree on one, none when nobody said */
  hdht_address remote_address;   /* where others reach it; none unless they do */
  hdht_address server_address;   /* where the socket others know is bound; none while suspended */
  hdht_address client_address;   /* where the other one is bound */
  uint32_t flags;                /* HDHT_NODE_IS_* */
  uint32_t nodes_count;          /* in the routing table */
} hdht_node_state;

/* Sets the defaults: a node of the public network. */
HDHT_API void hdht_node_options_init(hdht_node_options *options, size_t struct_size);

/* Opens a node's sockets and starts to bootstrap.
 *
 * options    NULL for the defaults; copied
 * callbacks  NULL for none; copied
 *
 * Errors: HDHT_ERR_INVALID_ARGUMENT (also an address that is not IPv4), HDHT_ERR_MALFORMED (an entry of `bootstraps`),
 * HDHT_ERR_LIMIT (bootstraps, descriptors), HDHT_ERR_ADDRESS_IN_USE, HDHT_ERR_ADDRESS_UNAVAILABLE, HDHT_ERR_PERMISSION,
 * HDHT_ERR_NETWORK, HDHT_ERR_OUT_OF_MEMORY, HDHT_ERR_ENTROPY; HDHT_ERR_CLOSED (the loop is closing). */
HDHT_API int hdht_node_create(hdht_loop *loop, const hdht_node_options *options, const hdht_node_callbacks *callbacks,
                              void *user_data, hdht_node **node);

/* Ends all queries with HDHT_ERR_CLOSED, saves the state, and closes the node; on_closed follows. */
HDHT_API void hdht_node_close(hdht_node *node);

/* Closes the sockets and stops everything until hdht_node_resume, for the time a device sleeps. Queries under way end
 * with HDHT_ERR_SUSPENDED. */
HDHT_API void hdht_node_suspend(hdht_node *node);

/* Opens the sockets again, on the same ports if they are free, and refreshes what is known.
 * Errors: those of hdht_node_create about sockets; the node stays suspended. HDHT_ERR_CLOSED. */
HDHT_API int hdht_node_resume(hdht_node *node);

/* Fills as much of the struct as `struct_size` says the caller knows. */
HDHT_API void hdht_node_get_state(const hdht_node *node, hdht_node_state *state, size_t struct_size);

/* The nodes of the routing table, those heard of last first.
 *
 * nodes  [out] room for `capacity`
 *
 * Returns how many were written, at most HDHT_NODE_KNOWN_NODES_LIMIT. */
HDHT_API size_t hdht_node_list_nodes(const hdht_node *node, hdht_address *nodes, size_t capacity);

/* Tells of a node that exists; it is checked before it is relied on.
 * Errors: HDHT_ERR_INVALID_ARGUMENT (not IPv4, no port), HDHT_ERR_CLOSED. */
HDHT_API int hdht_node_add_node(hdht_node *node, const hdht_address *address);

/* Writes the state file now. Errors: HDHT_ERR_INVALID_STATE (there is none, or it is just being written),
 * HDHT_ERR_OUT_OF_MEMORY, HDHT_ERR_CLOSED. */
HDHT_API int hdht_node_save_state(hdht_node *node);

#ifdef __cplusplus
}
#endif

#endif
