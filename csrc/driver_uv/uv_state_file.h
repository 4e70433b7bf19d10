/* The file a node remembers the network in: read once at the start, written on another thread. */
#ifndef HD_UV_STATE_FILE_H
#define HD_UV_STATE_FILE_H

#include <stdbool.h>
#include <uv.h>

#include "node/node.h"

typedef struct hd_uv_state_file {
  const hd_allocator *allocator;
  uv_loop_t *loop;
  char *path; /* NULL: there is none */
  char *temporary_path;
  char *damaged_path;
  size_t path_size, temporary_size, damaged_size;
  uv_work_t work;
  bool is_writing;
  uint8_t *bytes; /* being written */
  size_t bytes_size;
  int error;
  void (*on_written)(void *context, int error);
  void *context;
} hd_uv_state_file;

/* path  NULL for no file; copied. Must not move in memory.
 * Errors: HDHT_ERR_OUT_OF_MEMORY. */
int hd_uv_state_file_init(hd_uv_state_file *file, uv_loop_t *loop, const hd_allocator *allocator, const char *path);

/* Nothing may be being written. */
void hd_uv_state_file_destroy(hd_uv_state_file *file);

/* Gives the node what is in the file. One that cannot be used is renamed, so that it can be looked at and is not read
 * again. No file is no error.
 *
 * Errors: HDHT_ERR_MALFORMED, HDHT_ERR_VERSION, HDHT_ERR_TOO_LARGE: set aside; HDHT_ERR_PERMISSION, HDHT_ERR_STORAGE,
 * HDHT_ERR_OUT_OF_MEMORY: left as it is. */
int hd_uv_state_file_load(hd_uv_state_file *file, hd_node *node);

/* Begins to write what the node knows; on_written follows from the loop.
 *
 * Errors: HDHT_ERR_INVALID_STATE without a file or while it is being written; HDHT_ERR_OUT_OF_MEMORY. */
int hd_uv_state_file_save(hd_uv_state_file *file, const hd_node *node);

#endif
