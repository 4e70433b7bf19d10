/* How structs that may grow cross the ABI: their first member is the size the caller knows (include/hdht,
 * `struct_size`).
 */
#ifndef HD_API_OPTIONS_H
#define HD_API_OPTIONS_H

#include <stddef.h>

/* Copies as much of the caller's struct as both sides know over `known`, which holds the defaults.
 * Errors: HDHT_ERR_INVALID_ARGUMENT if `given` is NULL or its struct_size cannot be one. */
int hd_api_read_struct(void *known, size_t known_size, const void *given);

/* Fills the caller's struct of `given_size` bytes: as much of `defaults` as fits, then zeros; and sets its struct_size.
 * Does nothing for NULL or a size that cannot be one. */
void hd_api_init_struct(void *given, size_t given_size, const void *defaults, size_t defaults_size);

#endif
