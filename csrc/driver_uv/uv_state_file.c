#include "driver_uv/uv_state_file.h"

#include <string.h>
#include <sys/time.h>

#include "driver_uv/uv_file.h"
#include "node/node_snapshot.h"

static char *join(const hd_allocator *allocator, const char *path, const char *suffix, size_t *size) {
  const size_t path_length = strlen(path), suffix_size = strlen(suffix) + 1;
  char *joined = hd_allocate(allocator, path_length + suffix_size);
  if (joined == NULL) return NULL;
  memcpy(joined, path, path_length);
  memcpy(joined + path_length, suffix, suffix_size);
  *size = path_length + suffix_size;
  return joined;
}

int hd_uv_state_file_init(hd_uv_state_file *file, uv_loop_t *loop, const hd_allocator *allocator, const char *path) {
  *file = (hd_uv_state_file){.allocator = allocator, .loop = loop};
  if (path == NULL) return HDHT_OK;
  file->path = join(allocator, path, "", &file->path_size);
  file->temporary_path = join(allocator, path, ".new", &file->temporary_size);
  file->damaged_path = join(allocator, path, ".damaged", &file->damaged_size);
  if (file->path != NULL && file->temporary_path != NULL && file->damaged_path != NULL) return HDHT_OK;
  hd_uv_state_file_destroy(file);
  return HDHT_ERR_OUT_OF_MEMORY;
}

void hd_uv_state_file_destroy(hd_uv_state_file *file) {
  hd_assert(!file->is_writing);
  hd_release(file->allocator, file->path, file->path_size);
  hd_release(file->allocator, file->temporary_path, file->temporary_size);
  hd_release(file->allocator, file->damaged_path, file->damaged_size);
  *file = (hd_uv_state_file){.allocator = file->allocator};
}

/* ---- reading --------------------------------------------------------------------------------------------------- */

static int read_into(hd_uv_state_file *file, hd_node *node) {
  uint8_t *bytes;
  size_t size;
  int error = hd_uv_file_read(file->path, HD_NODE_SNAPSHOT_SIZE_MAX, file->allocator, &bytes, &size);
  if (error != HDHT_OK) return error;
  error = hd_node_snapshot_read(node, hd_bytes_of(bytes, size));
  hd_release(file->allocator, bytes, size);
  return error;
}

int hd_uv_state_file_load(hd_uv_state_file *file, hd_node *node) {
  if (file->path == NULL) return HDHT_OK;
  const int error = read_into(file, node);
  switch (error) {
    case HDHT_ERR_NOT_FOUND: return HDHT_OK;
    case HDHT_ERR_MALFORMED:
    case HDHT_ERR_VERSION:
    case HDHT_ERR_TOO_LARGE: (void)hd_uv_file_rename(file->path, file->damaged_path); return error;
    default: return error;
  }
}

/* ---- writing --------------------------------------------------------------------------------------------------- */

static uint64_t unix_ms(void) {
  struct timeval now;
  if (gettimeofday(&now, NULL) != 0) return 0;
  return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_usec / 1000;
}

static void write_on_thread(uv_work_t *work) {
  hd_uv_state_file *file = work->data;
  file->error = hd_uv_file_write(file->path, file->temporary_path, hd_bytes_of(file->bytes, file->bytes_size));
}

static void on_work_done(uv_work_t *work, int status) {
  hd_uv_state_file *file = work->data;
  hd_release(file->allocator, file->bytes, file->bytes_size);
  file->bytes = NULL;
  file->is_writing = false;
  file->on_written(file->context, status != 0 ? HDHT_ERR_CANCELLED : file->error);
}

int hd_uv_state_file_save(hd_uv_state_file *file, const hd_node *node) {
  if (file->path == NULL || file->is_writing) return HDHT_ERR_INVALID_STATE;
  const int error = hd_node_snapshot_write(node, unix_ms(), file->allocator, &file->bytes, &file->bytes_size);
  if (error != HDHT_OK) return error;
  file->work.data = file;
  if (uv_queue_work(file->loop, &file->work, write_on_thread, on_work_done) != 0) {
    hd_release(file->allocator, file->bytes, file->bytes_size);
    return HDHT_ERR_OUT_OF_MEMORY;
  }
  file->is_writing = true;
  return HDHT_OK;
}
