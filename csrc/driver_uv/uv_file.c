#include "driver_uv/uv_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define MODE (S_IRUSR | S_IWUSR) /* whom a node knows is nobody else's business */

static int error_of(int error_number) {
  switch (error_number) {
    case ENOENT: return HDHT_ERR_NOT_FOUND;
    case EACCES:
    case EPERM:
    case EROFS: return HDHT_ERR_PERMISSION;
    default: return HDHT_ERR_STORAGE;
  }
}

/* Returns how many bytes were read, or -1. */
static ssize_t read_all(int descriptor, uint8_t *bytes, size_t size) {
  size_t done = 0;
  while (done < size) {
    const ssize_t count = read(descriptor, bytes + done, size - done);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return -1;
    if (count == 0) break;
    done += (size_t)count;
  }
  return (ssize_t)done;
}

static bool write_all(int descriptor, hd_bytes bytes) {
  size_t done = 0;
  while (done < bytes.size) {
    const ssize_t count = write(descriptor, bytes.data + done, bytes.size - done);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return false;
    done += (size_t)count;
  }
  return true;
}

static int read_open(int descriptor, size_t size_max, const hd_allocator *allocator, uint8_t **bytes, size_t *size) {
  struct stat about;
  if (fstat(descriptor, &about) != 0 || !S_ISREG(about.st_mode)) return HDHT_ERR_STORAGE;
  const size_t expected = (size_t)about.st_size;
  if (expected > size_max) return HDHT_ERR_TOO_LARGE;
  uint8_t *read_bytes = NULL;
  if (expected > 0) {
    read_bytes = hd_allocate(allocator, expected);
    if (read_bytes == NULL) return HDHT_ERR_OUT_OF_MEMORY;
    if (read_all(descriptor, read_bytes, expected) != (ssize_t)expected) {
      hd_release(allocator, read_bytes, expected);
      return HDHT_ERR_STORAGE;
    }
  }
  *bytes = read_bytes;
  *size = expected;
  return HDHT_OK;
}

/* Not to wait at a pipe that somebody put in the file's place. */
int hd_uv_file_read(const char *path, size_t size_max, const hd_allocator *allocator, uint8_t **bytes, size_t *size) {
  const int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor < 0) return error_of(errno);
  const int error = read_open(descriptor, size_max, allocator, bytes, size);
  close(descriptor);
  return error;
}

/* The new name is safe only when its folder is on the disk as well. Not every file system can say so. */
static void sync_folder(const char *path) {
  const char *slash = strrchr(path, '/');
  char folder[4096] = ".";
  const size_t length = slash != NULL ? (size_t)(slash - path) : 0;
  if (length >= sizeof folder) return;
  if (slash == path) {
    memcpy(folder, "/", 2);
  } else if (slash != NULL) {
    memcpy(folder, path, length);
    folder[length] = '\0';
  }
  const int descriptor = open(folder, O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return;
  (void)fsync(descriptor);
  close(descriptor);
}

/* A folder that is missing is the caller's mistake, not a file that is not there. */
static int write_error_of(int error_number) {
  const int error = error_of(error_number);
  return error == HDHT_ERR_NOT_FOUND ? HDHT_ERR_STORAGE : error;
}

int hd_uv_file_rename(const char *path, const char *new_path) {
  if (rename(path, new_path) != 0) return write_error_of(errno);
  sync_folder(new_path);
  return HDHT_OK;
}

int hd_uv_file_write(const char *path, const char *temporary_path, hd_bytes bytes) {
  const int descriptor = open(temporary_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, MODE);
  if (descriptor < 0) return write_error_of(errno);
  const bool is_written = write_all(descriptor, bytes) && fsync(descriptor) == 0;
  const bool is_closed = close(descriptor) == 0;
  if (is_written && is_closed) return hd_uv_file_rename(temporary_path, path);
  (void)unlink(temporary_path);
  return HDHT_ERR_STORAGE;
}
