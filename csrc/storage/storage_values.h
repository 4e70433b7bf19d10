/* Values that others stored here: immutable ones under their own hash, mutable ones under the hash of their owner's
 * key, with a sequence number and a signature (hyperdht). Everything is checked before it is stored, so what comes out
 * needs no further check.
 *
 * A value is kept exactly as a response carries it: the immutable one as it is, the mutable one as sequence number,
 * value and signature.
 */
#ifndef HD_STORAGE_VALUES_H
#define HD_STORAGE_VALUES_H

#include "messages/message_record.h"
#include "storage/storage_ageing.h"

#define HD_STORAGE_VALUE_SIZE_LIMIT 1970 /* the largest that fits a request with a token */

typedef struct hd_storage_values {
  const hd_allocator *allocator;
  hd_storage_cache immutables;
  hd_storage_cache mutables;
} hd_storage_values;

typedef struct hd_storage_values_options {
  const hd_allocator *allocator;
  uint32_t entries_limit; /* of each kind, both generations together */
  size_t bytes_limit;     /* of each kind, both generations together */
  hd_duration age_limit;
  const uint64_t *seed; /* two words, copied */
} hd_storage_values_options;

void hd_storage_values_init(hd_storage_values *values, const hd_storage_values_options *options);
void hd_storage_values_destroy(hd_storage_values *values);

/* Stores a value that hashes to `target`.
 * Errors: HDHT_ERR_INVALID_ARGUMENT if it does not; HDHT_ERR_TOO_LARGE; HDHT_ERR_OUT_OF_MEMORY. */
int hd_storage_values_put_immutable(hd_storage_values *values, const uint8_t target[HDHT_HASH_SIZE], hd_bytes value,
                                    hd_time now);

/* The value, good until the next call of any other function. Being read keeps it alive.
 * Errors: HDHT_ERR_NOT_FOUND. */
int hd_storage_values_get_immutable(hd_storage_values *values, const uint8_t target[HDHT_HASH_SIZE], hd_time now,
                                    hd_bytes *value);

/* Stores a signed value if it is as new as what is there.
 * Errors: HDHT_ERR_INVALID_ARGUMENT if `target` is not the hash of its key; HDHT_ERR_BAD_SIGNATURE;
 * HDHT_ERR_SEQ_REUSED for another value under the stored number; HDHT_ERR_SEQ_TOO_LOW; HDHT_ERR_TOO_LARGE;
 * HDHT_ERR_OUT_OF_MEMORY. */
int hd_storage_values_put_mutable(hd_storage_values *values, const uint8_t target[HDHT_HASH_SIZE],
                                  const hd_messages_mutable_put *put, hd_time now);

/* The value as a response carries it, if its sequence number is at least `seq_min`; good until the next call of any
 * other function. Being read keeps it alive.
 * Errors: HDHT_ERR_NOT_FOUND. */
int hd_storage_values_get_mutable(hd_storage_values *values, const uint8_t target[HDHT_HASH_SIZE], uint64_t seq_min,
                                  hd_time now, hd_bytes *found);

/* Forgets what is too old. */
void hd_storage_values_elapse(hd_storage_values *values, hd_time now);

#endif
