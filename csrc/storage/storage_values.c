#include "storage/storage_values.h"

#include "crypto/hash.h"

/* What the caches hold: memory of its own for each value. */
typedef struct stored {
  uint8_t *bytes; /* NULL for an empty value */
  size_t size;
} stored;

static hd_bytes bytes_of(const stored *value) {
  return hd_bytes_of(value->bytes, value->size);
}

static void forget(void *context, void *value) {
  const hd_storage_values *values = context;
  const stored *gone = value;
  hd_release(values->allocator, gone->bytes, gone->size);
}

void hd_storage_values_init(hd_storage_values *values, const hd_storage_values_options *options) {
  values->allocator = options->allocator;
  const hd_storage_cache_options cache = {
      .allocator = options->allocator,
      .key_size = HDHT_HASH_SIZE,
      .value_size = sizeof(stored),
      .entries_limit = options->entries_limit > 1 ? options->entries_limit / 2 : 1,
      .weight_limit = options->bytes_limit / 2,
      .age_limit = options->age_limit,
      .seed = options->seed,
      .forget = forget,
      .context = values,
  };
  hd_storage_cache_init(&values->immutables, &cache);
  hd_storage_cache_init(&values->mutables, &cache);
}

void hd_storage_values_destroy(hd_storage_values *values) {
  hd_storage_cache_destroy(&values->immutables);
  hd_storage_cache_destroy(&values->mutables);
}

void hd_storage_values_elapse(hd_storage_values *values, hd_time now) {
  hd_storage_cache_elapse(&values->immutables, now);
  hd_storage_cache_elapse(&values->mutables, now);
}

static int put(hd_storage_values *values, hd_storage_cache *cache, const uint8_t *target, stored value, hd_time now) {
  const int error = hd_storage_cache_put(cache, target, &value, value.size, now);
  if (error != HDHT_OK) hd_release(values->allocator, value.bytes, value.size);
  return error;
}

static int allocate(const hd_storage_values *values, size_t size, stored *value) {
  *value = (stored){.bytes = size > 0 ? hd_allocate(values->allocator, size) : NULL, .size = size};
  return size > 0 && value->bytes == NULL ? HDHT_ERR_OUT_OF_MEMORY : HDHT_OK;
}

int hd_storage_values_put_immutable(hd_storage_values *values, const uint8_t target[HDHT_HASH_SIZE], hd_bytes bytes,
                                    hd_time now) {
  if (bytes.size > HD_STORAGE_VALUE_SIZE_LIMIT) return HDHT_ERR_TOO_LARGE;
  uint8_t hash[HD_HASH_SIZE];
  hd_hash(bytes.data, bytes.size, hash);
  if (memcmp(hash, target, sizeof hash) != 0) return HDHT_ERR_INVALID_ARGUMENT;
  if (hd_storage_cache_renew(&values->immutables, target, now) != NULL) return HDHT_OK;

  stored value;
  const int error = allocate(values, bytes.size, &value);
  if (error != HDHT_OK) return error;
  if (bytes.size > 0) memcpy(value.bytes, bytes.data, bytes.size);
  return put(values, &values->immutables, target, value, now);
}

int hd_storage_values_get_immutable(hd_storage_values *values, const uint8_t target[HDHT_HASH_SIZE], hd_time now,
                                    hd_bytes *value) {
  const stored *found = hd_storage_cache_renew(&values->immutables, target, now);
  if (found == NULL) return HDHT_ERR_NOT_FOUND;
  *value = bytes_of(found);
  return HDHT_OK;
}

static hd_messages_mutable_found read_found(const stored *value) {
  hd_messages_mutable_found found = {0};
  hd_reader reader = hd_reader_of(bytes_of(value));
  const int error = hd_messages_read_mutable_found(&reader, &found);
  hd_assert(error == HDHT_OK); /* this file wrote it */
  return found;
}

/* The rules of hyperdht: numbers only grow, and one number stands for one value. */
static int check_seq(const stored *before, const hd_messages_mutable_put *after) {
  if (before == NULL) return HDHT_OK;
  const hd_messages_mutable_found found = read_found(before);
  if (after->seq < found.seq) return HDHT_ERR_SEQ_TOO_LOW;
  if (after->seq == found.seq && !hd_bytes_equal(after->value, found.value)) return HDHT_ERR_SEQ_REUSED;
  return HDHT_OK;
}

static int encode_mutable(const hd_storage_values *values, const hd_messages_mutable_put *message, stored *value) {
  const hd_messages_mutable_found found = {
      .seq = message->seq, .value = message->value, .signature = message->signature};
  size_t size;
  int error = hd_messages_mutable_found_size(&found, &size);
  if (error == HDHT_OK) error = allocate(values, size, value);
  if (error != HDHT_OK) return error;
  hd_writer writer = hd_writer_of(value->bytes, size);
  error = hd_messages_write_mutable_found(&writer, &found);
  hd_assert(error == HDHT_OK);
  return HDHT_OK;
}

/* The cheap checks come first: verifying a signature costs a thousand times more than a hash. */
int hd_storage_values_put_mutable(hd_storage_values *values, const uint8_t target[HDHT_HASH_SIZE],
                                  const hd_messages_mutable_put *message, hd_time now) {
  if (message->value.size > HD_STORAGE_VALUE_SIZE_LIMIT) return HDHT_ERR_TOO_LARGE;
  uint8_t hash[HD_HASH_SIZE];
  hd_hash(message->public_key, HDHT_PUBLIC_KEY_SIZE, hash);
  if (memcmp(hash, target, sizeof hash) != 0) return HDHT_ERR_INVALID_ARGUMENT;

  int error = hd_messages_verify_mutable(message->public_key, message->seq, message->value, message->signature);
  if (error == HDHT_OK) error = check_seq(hd_storage_cache_find(&values->mutables, target, now), message);
  if (error != HDHT_OK) return error;

  stored value;
  error = encode_mutable(values, message, &value);
  return error == HDHT_OK ? put(values, &values->mutables, target, value, now) : error;
}

int hd_storage_values_get_mutable(hd_storage_values *values, const uint8_t target[HDHT_HASH_SIZE], uint64_t seq_min,
                                  hd_time now, hd_bytes *found) {
  const stored *value = hd_storage_cache_find(&values->mutables, target, now);
  if (value == NULL || read_found(value).seq < seq_min) return HDHT_ERR_NOT_FOUND;
  value = hd_storage_cache_renew(&values->mutables, target, now);
  *found = bytes_of(value);
  return HDHT_OK;
}
