#include "storage/storage_values.h"

#include <string.h>

#include "test.h"

static const uint64_t seed[2] = {1, 2};

static hd_time at(uint64_t seconds) {
  return (hd_time){seconds * 1000000};
}

static void init_limited(hd_storage_values *values, const hdht_allocator *allocator, uint32_t entries, size_t bytes) {
  hd_storage_values_init(values, &(hd_storage_values_options){.allocator = allocator,
                                                              .entries_limit = entries,
                                                              .bytes_limit = bytes,
                                                              .age_limit = HD_SECONDS(48 * 3600),
                                                              .seed = seed});
}

static void init(hd_storage_values *values) {
  init_limited(values, hd_allocator_system(), 1000, 1000000);
}

static int put_immutable(hd_storage_values *values, hd_bytes value, uint8_t target[32]) {
  hd_hash(value.data, value.size, target);
  return hd_storage_values_put_immutable(values, target, value, at(0));
}

TEST(storage_values_gives_an_immutable_value_back) {
  hd_storage_values values;
  init(&values);
  uint8_t target[32];
  hd_bytes found;
  CHECK_INT(HDHT_OK, put_immutable(&values, hd_bytes_of("hello", 5), target));
  REQUIRE(hd_storage_values_get_immutable(&values, target, at(1), &found) == HDHT_OK);
  CHECK(hd_bytes_equal(hd_bytes_of("hello", 5), found));
  target[0]++;
  CHECK_INT(HDHT_ERR_NOT_FOUND, hd_storage_values_get_immutable(&values, target, at(1), &found));
  hd_storage_values_destroy(&values);
}

TEST(storage_values_stores_the_empty_value) {
  hd_storage_values values;
  init(&values);
  uint8_t target[32];
  hd_bytes found = hd_bytes_of("x", 1);
  CHECK_INT(HDHT_OK, put_immutable(&values, hd_bytes_of(NULL, 0), target));
  CHECK_INT(HDHT_OK, hd_storage_values_get_immutable(&values, target, at(1), &found));
  CHECK_UINT(0, found.size);
  hd_storage_values_destroy(&values);
}

TEST(storage_values_refuses_a_value_under_a_foreign_target) {
  hd_storage_values values;
  init(&values);
  const uint8_t target[32] = {1};
  CHECK_INT(HDHT_ERR_INVALID_ARGUMENT,
            hd_storage_values_put_immutable(&values, target, hd_bytes_of("hello", 5), at(0)));
  hd_storage_values_destroy(&values);
}

TEST(storage_values_takes_the_largest_value_of_a_request_and_no_larger) {
  hd_storage_values values;
  init(&values);
  static const uint8_t zeros[HD_STORAGE_VALUE_SIZE_LIMIT + 1];
  uint8_t target[32];
  CHECK_INT(HDHT_OK, put_immutable(&values, hd_bytes_of(zeros, HD_STORAGE_VALUE_SIZE_LIMIT), target));
  CHECK_INT(HDHT_ERR_TOO_LARGE, put_immutable(&values, hd_bytes_of(zeros, sizeof zeros), target));
  hd_storage_values_destroy(&values);
}

typedef struct owner {
  hd_key_pair keys;
  uint8_t target[32];
} owner;

static owner owner_of(uint8_t number) {
  const uint8_t key_seed[32] = {number};
  owner made;
  hd_key_pair_from_seed(&made.keys, key_seed);
  hd_hash(made.keys.public_key, sizeof made.keys.public_key, made.target);
  return made;
}

static int put_mutable(hd_storage_values *values, const owner *by, uint64_t seq, const char *text, hd_time now) {
  uint8_t signature[64];
  const hd_bytes value = hd_bytes_of(text, strlen(text));
  hd_messages_sign_mutable(seq, value, by->keys.secret_key, signature);
  const hd_messages_mutable_put put = {
      .public_key = by->keys.public_key, .seq = seq, .value = value, .signature = signature};
  return hd_storage_values_put_mutable(values, by->target, &put, now);
}

static int get_mutable(hd_storage_values *values, const owner *by, uint64_t seq_min, hd_time now,
                       hd_messages_mutable_found *found) {
  hd_bytes bytes;
  const int error = hd_storage_values_get_mutable(values, by->target, seq_min, now, &bytes);
  if (error != HDHT_OK) return error;
  hd_reader reader = hd_reader_of(bytes);
  return hd_messages_read_mutable_found(&reader, found);
}

TEST(storage_values_gives_a_mutable_value_back_if_it_is_new_enough) {
  hd_storage_values values;
  init(&values);
  const owner by = owner_of(1);
  hd_messages_mutable_found found;
  CHECK_INT(HDHT_OK, put_mutable(&values, &by, 3, "three", at(0)));
  REQUIRE(get_mutable(&values, &by, 3, at(0), &found) == HDHT_OK);
  CHECK_UINT(3, found.seq);
  CHECK(hd_bytes_equal(hd_bytes_of("three", 5), found.value));
  CHECK_INT(HDHT_OK, hd_messages_verify_mutable(by.keys.public_key, found.seq, found.value, found.signature));
  CHECK_INT(HDHT_ERR_NOT_FOUND, get_mutable(&values, &by, 4, at(0), &found));
  hd_storage_values_destroy(&values);
}

TEST(storage_values_lets_sequence_numbers_only_grow) {
  hd_storage_values values;
  init(&values);
  const owner by = owner_of(1);
  CHECK_INT(HDHT_OK, put_mutable(&values, &by, 3, "three", at(0)));
  CHECK_INT(HDHT_OK, put_mutable(&values, &by, 3, "three", at(1)));
  CHECK_INT(HDHT_ERR_SEQ_REUSED, put_mutable(&values, &by, 3, "other", at(1)));
  CHECK_INT(HDHT_ERR_SEQ_TOO_LOW, put_mutable(&values, &by, 2, "three", at(1)));
  CHECK_INT(HDHT_OK, put_mutable(&values, &by, 4, "four", at(1)));
  hd_messages_mutable_found found;
  CHECK_INT(HDHT_OK, get_mutable(&values, &by, 0, at(1), &found));
  CHECK_UINT(4, found.seq);
  hd_storage_values_destroy(&values);
}

TEST(storage_values_refuses_bad_signatures_and_foreign_keys) {
  hd_storage_values values;
  init(&values);
  const owner by = owner_of(1), other = owner_of(2);
  uint8_t signature[64] = {0};
  hd_messages_mutable_put put = {
      .public_key = by.keys.public_key, .seq = 1, .value = hd_bytes_of("x", 1), .signature = signature};
  CHECK_INT(HDHT_ERR_BAD_SIGNATURE, hd_storage_values_put_mutable(&values, by.target, &put, at(0)));
  hd_messages_sign_mutable(1, put.value, by.keys.secret_key, signature);
  CHECK_INT(HDHT_ERR_INVALID_ARGUMENT, hd_storage_values_put_mutable(&values, other.target, &put, at(0)));
  put.seq = 2;
  CHECK_INT(HDHT_ERR_BAD_SIGNATURE, hd_storage_values_put_mutable(&values, by.target, &put, at(0)));
  hd_storage_values_destroy(&values);
}

TEST(storage_values_live_while_they_are_read) {
  hd_storage_values values;
  init(&values);
  const owner read = owner_of(1), unread = owner_of(2);
  hd_messages_mutable_found found;
  CHECK_INT(HDHT_OK, put_mutable(&values, &read, 1, "read", at(0)));
  CHECK_INT(HDHT_OK, put_mutable(&values, &unread, 1, "unread", at(0)));
  for (uint64_t hour = 1; hour < 200; hour++) {
    CHECK_INT(HDHT_OK, get_mutable(&values, &read, 0, at(3600 * hour), &found));
  }
  CHECK_INT(HDHT_ERR_NOT_FOUND, get_mutable(&values, &unread, 0, at(3600 * 200), &found));
  hd_storage_values_destroy(&values);
}

TEST(storage_values_stay_within_their_bytes) {
  hd_test_allocator allocator;
  hd_test_allocator_init(&allocator);
  hd_storage_values values;
  init_limited(&values, &allocator.hook, 100000, 100000);
  static uint8_t bytes[1000];
  for (uint32_t i = 0; i < 1000; i++) {
    uint8_t target[32];
    memcpy(bytes, &i, sizeof i);
    CHECK_INT(HDHT_OK, put_immutable(&values, hd_bytes_of(bytes, sizeof bytes), target));
    CHECK(values.immutables.newer.weight + values.immutables.older.weight <= 100000);
  }
  CHECK(allocator.live_bytes < 150000); /* the values and their tables */
  hd_storage_values_destroy(&values);
  CHECK_UINT(0, allocator.live_bytes);
}

static bool store_some(const hdht_allocator *allocator) {
  hd_storage_values values;
  init_limited(&values, allocator, 6, 1000);
  const owner by = owner_of(1);
  unsigned stored = 0;
  for (uint8_t i = 0; i < 10; i++) {
    uint8_t target[32];
    stored += put_immutable(&values, hd_bytes_of(&i, 1), target) == HDHT_OK;
    stored += put_mutable(&values, &by, i, "value", at(0)) == HDHT_OK;
  }
  hd_storage_values_destroy(&values);
  return stored == 20;
}

TEST(storage_values_survive_each_failing_allocation) {
  hd_test_each_allocation_failure(store_some);
}
