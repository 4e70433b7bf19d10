/* A small file that is read whole, and written so that whoever reads it finds either the old contents or the new ones,
 * whenever the machine stops. Everything here waits for the disk. */
#ifndef HD_UV_FILE_H
#define HD_UV_FILE_H

#include "base/allocator.h"
#include "base/bytes.h"

/* Reads all of it.
 *
 * bytes  [out] from `allocator`, released by the caller with *size; NULL when the file is empty
 *
 * Errors: HDHT_ERR_NOT_FOUND, HDHT_ERR_TOO_LARGE above `size_max`, HDHT_ERR_PERMISSION, HDHT_ERR_OUT_OF_MEMORY,
 * HDHT_ERR_STORAGE. */
int hd_uv_file_read(const char *path, size_t size_max, const hd_allocator *allocator, uint8_t **bytes, size_t *size);

/* Writes `temporary_path`, has it on the disk, and gives it the name `path`. Allocates nothing; any thread.
 *
 * Errors: HDHT_ERR_PERMISSION, HDHT_ERR_STORAGE. */
int hd_uv_file_write(const char *path, const char *temporary_path, hd_bytes bytes);

/* Gives it another name, in place of what had that name before. Errors: those of hd_uv_file_write. */
int hd_uv_file_rename(const char *path, const char *new_path);

#endif
