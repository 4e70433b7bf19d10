/* A network of its own on this machine, for tests, examples and trying things out: a bootstrap node and others that
 * joined through it, all on 127.0.0.1 and none of them in touch with the public network. */
#ifndef HDHT_TESTNET_H
#define HDHT_TESTNET_H

#include <hdht/node.h>

#ifdef __cplusplus
extern "C" {
#endif

#define HDHT_TESTNET_NODES_LIMIT    256
#define HDHT_TESTNET_BOOTSTRAP_SIZE 24 /* "127.0.0.1:65535" and its NUL fit */

typedef struct hdht_testnet hdht_testnet;

typedef struct hdht_testnet_options {
  size_t struct_size;              /* set by hdht_testnet_options_init */
  const hdht_allocator *allocator; /* NULL for malloc; must outlive the network */
  uint32_t nodes_count;            /* the bootstrap node included; up to HDHT_TESTNET_NODES_LIMIT; 0: 10 */
  uint16_t port;                   /* of the bootstrap node; 0: any */
  uint16_t reserved;               /* 0 */
} hdht_testnet_options;

/* All are optional. */
typedef struct hdht_testnet_callbacks {
  size_t struct_size; /* sizeof(hdht_testnet_callbacks) */

  /* All nodes have joined; or one could not be made, and the network can only be closed. */
  void (*on_ready)(void *user_data, int error);

  /* The last call with this user_data: the network with all its nodes is gone. */
  void (*on_closed)(void *user_data);
} hdht_testnet_callbacks;

/* Sets the defaults. */
HDHT_API void hdht_testnet_options_init(hdht_testnet_options *options, size_t struct_size);

/* Starts a network: one node joins after the other.
 *
 * options    NULL for the defaults; copied
 * callbacks  NULL for none; copied
 *
 * Errors: HDHT_ERR_INVALID_ARGUMENT (nodes_count), and those of hdht_node_create for the bootstrap node. */
HDHT_API int hdht_testnet_create(hdht_loop *loop, const hdht_testnet_options *options,
                                 const hdht_testnet_callbacks *callbacks, void *user_data, hdht_testnet **testnet);

/* Closes all nodes; on_closed follows. */
HDHT_API void hdht_testnet_close(hdht_testnet *testnet);

/* Nodes so far; all of them after on_ready without an error. */
HDHT_API size_t hdht_testnet_nodes_count(const hdht_testnet *testnet);

/* One of the nodes, the bootstrap node first, to be used but not closed; NULL when there is none of this index. */
HDHT_API hdht_node *hdht_testnet_node(const hdht_testnet *testnet, size_t index);

/* How a further node joins: what to put into the `bootstraps` of its options. Lives as long as the network. */
HDHT_API const char *hdht_testnet_bootstrap(const hdht_testnet *testnet);

#ifdef __cplusplus
}
#endif

#endif
