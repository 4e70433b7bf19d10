/* Any bytes as the file a node remembers the network in: with the checksum put right, so that what is behind it is
 * reached. */
#include <stdlib.h>
#include <string.h>

#include "crypto/hash.h"
#include "node/node_snapshot.h"

#define INPUT_SIZE_MAX 4096

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static const uint8_t seed[HD_ENTROPY_SEED_SIZE] = {1};
  const hd_node_options options = {.seed = seed};
  hd_node *node;
  if (size > INPUT_SIZE_MAX || hd_node_create(&options, (hd_time){0}, &node) != HDHT_OK) return 0;
  (void)hd_node_snapshot_read(node, hd_bytes_of(data, size));

  uint8_t *checked = malloc(size + HD_HASH_SIZE);
  if (checked != NULL) {
    if (size > 0) memcpy(checked, data, size);
    hd_hash(checked, size, checked + size);
    (void)hd_node_snapshot_read(node, hd_bytes_of(checked, size + HD_HASH_SIZE));
    free(checked);
  }
  hd_node_destroy(node);
  return 0;
}
