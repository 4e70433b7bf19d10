/* What a node remembers from one start to the next, as bytes: the nodes of its routing table. A node that starts with
 * them finds the network without asking the bootstrap nodes first.
 *
 * The format, integers little-endian:
 *
 *   8 bytes   "hdhtnode"
 *   u32       version, 1
 *   u32       number of sections
 *   u64       when it was written, milliseconds since 1970
 *   sections  u32 kind, u32 size, then `size` bytes; those of a kind that is not known are skipped
 *   32 bytes  BLAKE2b-256 of everything before
 *
 *   kind 1    nodes, the latest heard first: 4 bytes IPv4, u16 port each */
#ifndef HD_NODE_SNAPSHOT_H
#define HD_NODE_SNAPSHOT_H

#include "node/node.h"

#define HD_NODE_SNAPSHOT_SIZE_MAX 0x100000 /* larger ones are not read */

/* Writes what is worth remembering.
 *
 * bytes  [out] from `allocator`; released by the caller with *size
 *
 * Errors: HDHT_ERR_OUT_OF_MEMORY. */
int hd_node_snapshot_write(const hd_node *node, uint64_t unix_ms, const hd_allocator *allocator, uint8_t **bytes,
                           size_t *size);

/* Gives a node what another run remembered. All is checked before anything is taken; the nodes themselves are checked
 * as any that somebody names.
 *
 * Errors: HDHT_ERR_MALFORMED, HDHT_ERR_VERSION; nothing changed. */
int hd_node_snapshot_read(hd_node *node, hd_bytes bytes);

#endif
