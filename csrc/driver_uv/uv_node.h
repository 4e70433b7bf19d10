/* A node of the DHT on a libuv loop: the core, its two sockets, the names of its bootstrap nodes, the network
 * interfaces it watches, and the file it remembers the network in.
 *
 * Everything is called on the loop's thread; the handler too, from the loop and never from inside a function here. */
#ifndef HD_UV_NODE_H
#define HD_UV_NODE_H

#include "driver_uv/uv_driver.h"
#include "node/node.h"

#define HD_UV_NODE_PORT           49737
#define HD_UV_NODE_PORTS          5 /* tried, upward from the first */
#define HD_UV_NODE_SAVE_PERIOD_MS 300000

typedef struct hd_uv_node hd_uv_node;

typedef enum hd_uv_node_news {
  HD_UV_NODE_STATE_DAMAGED, /* the state file could not be used, and was set aside if there was one */
  HD_UV_NODE_STATE_UNSAVED, /* it could not be written */
} hd_uv_node_news;

typedef struct hd_uv_node_handler {
  /* The core's; what it points to is good during the call. */
  void (*on_event)(void *context, const hd_event *event);

  void (*on_news)(void *context, hd_uv_node_news news, int error);

  /* A batch of events was told. */
  void (*on_settled)(void *context);

  /* The last call: the node is gone. */
  void (*on_closed)(void *context);
} hd_uv_node_handler;

typedef struct hd_uv_node_options {
  hd_node_options core;          /* seed, allocator and time of day are filled in here */
  const char *const *bootstraps; /* hd_uv_resolver_init */
  size_t bootstraps_count;
  hd_address address;     /* where both sockets are bound; IPv4. Port 0: HD_UV_NODE_PORT */
  uint16_t ports_count;   /* tried for the server socket before any port is taken; 0: HD_UV_NODE_PORTS */
  bool takes_any_port;    /* tries none of them */
  bool takes_no_other;    /* fails when none of them is free */
  bool may_share_port;    /* hd_uv_socket_options */
  const char *state_path; /* NULL: remembers nothing; copied */
} hd_uv_node_options;

/* Makes a node without sockets.
 *
 * handler  borrowed for the node's life
 *
 * Errors: HDHT_ERR_INVALID_ARGUMENT (address), HDHT_ERR_MALFORMED and HDHT_ERR_LIMIT (bootstraps), HDHT_ERR_ENTROPY,
 * HDHT_ERR_OUT_OF_MEMORY. */
int hd_uv_node_create(uv_loop_t *loop, const hd_allocator *allocator, const hd_uv_node_options *options,
                      const hd_uv_node_handler *handler, void *context, hd_uv_node **node);

/* Opens the sockets, reads the state file, and begins to bootstrap, after names without addresses were looked up. When
 * it fails the node can only be closed. Errors: those of hd_uv_socket_open. */
int hd_uv_node_open(hd_uv_node *node);

/* Saves the state, closes the sockets; on_closed follows. */
void hd_uv_node_close(hd_uv_node *node);

/* The core. It is gone when on_closed is called. */
hd_node *hd_uv_node_core(const hd_uv_node *node);

hd_time hd_uv_node_now(const hd_uv_node *node);

/* Tells that commands were given to the core. */
void hd_uv_node_touch(hd_uv_node *node);

/* Closes the sockets until resume. */
void hd_uv_node_suspend(hd_uv_node *node);

/* Opens them again, on the port it had if that is free. Errors: those of hd_uv_socket_open; it stays suspended. */
int hd_uv_node_resume(hd_uv_node *node);

/* Writes the state file soon. Errors: HDHT_ERR_INVALID_STATE without one, or while it is being written;
 * HDHT_ERR_OUT_OF_MEMORY. */
int hd_uv_node_save(hd_uv_node *node);

/* Where the sockets are bound; no address while suspended. */
hd_address hd_uv_node_server_address(const hd_uv_node *node);
hd_address hd_uv_node_client_address(const hd_uv_node *node);

#endif
