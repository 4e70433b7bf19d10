#include "mux/mux_names.h"

#include <stdio.h>

#include "test.h"

static hd_mux_key key_of(const char *protocol, const char *id) {
  return hd_mux_key_of(hd_bytes_of(protocol, strlen(protocol)), hd_bytes_of(id, strlen(id)));
}

static hd_mux_name name_of(const char *protocol, const char *id, hd_mux_name_kind kind) {
  return (hd_mux_name){.key = key_of(protocol, id), .kind = kind};
}

TEST(names_are_found_by_protocol_id_and_kind) {
  hd_mux_names names;
  hd_mux_names_init(&names, hd_allocator_system());
  hd_mux_name plain = name_of("a", "", HD_MUX_NAME_CHANNEL), with_id = name_of("a", "1", HD_MUX_NAME_CHANNEL);
  hd_mux_name hook = name_of("a", "", HD_MUX_NAME_HOOK);
  hd_mux_names_insert(&names, &plain);
  hd_mux_names_insert(&names, &with_id);
  hd_mux_names_insert(&names, &hook);

  const hd_mux_key a = key_of("a", ""), a1 = key_of("a", "1"), other = key_of("a1", "");
  CHECK(hd_mux_names_find(&names, &a, HD_MUX_NAME_CHANNEL, NULL) == &plain);
  CHECK(hd_mux_names_find(&names, &a1, HD_MUX_NAME_CHANNEL, NULL) == &with_id);
  CHECK(hd_mux_names_find(&names, &a, HD_MUX_NAME_HOOK, NULL) == &hook);
  CHECK(hd_mux_names_find(&names, &a, HD_MUX_NAME_WAITING, NULL) == NULL);
  CHECK(hd_mux_names_find(&names, &other, HD_MUX_NAME_CHANNEL, NULL) == NULL);

  hd_mux_names_remove(&names, &plain);
  CHECK(hd_mux_names_find(&names, &a, HD_MUX_NAME_CHANNEL, NULL) == NULL);
  hd_mux_names_remove(&names, &with_id);
  hd_mux_names_remove(&names, &hook);
  hd_mux_names_destroy(&names);
}

TEST(equal_names_come_oldest_first_also_after_the_table_has_grown) {
  enum { EACH = 100 };
  hd_test_allocator allocator;
  hd_test_allocator_init(&allocator);
  hd_mux_names names;
  hd_mux_names_init(&names, &allocator.hook);
  static hd_mux_name x[EACH], y[EACH];
  for (int i = 0; i < EACH; i++) {
    x[i] = name_of("x", "", HD_MUX_NAME_CHANNEL);
    y[i] = name_of("y", "", HD_MUX_NAME_CHANNEL);
    hd_mux_names_insert(&names, &x[i]);
    hd_mux_names_insert(&names, &y[i]);
  }
  CHECK(allocator.allocations > 0);
  const hd_mux_key key = key_of("x", "");
  const hd_mux_name *found = NULL;
  for (int i = 0; i < EACH; i++) {
    found = hd_mux_names_find(&names, &key, HD_MUX_NAME_CHANNEL, found);
    CHECK(found == &x[i]);
  }
  CHECK(hd_mux_names_find(&names, &key, HD_MUX_NAME_CHANNEL, found) == NULL);
  for (int i = 0; i < EACH; i++) {
    hd_mux_names_remove(&names, &x[i]);
    hd_mux_names_remove(&names, &y[i]);
  }
  hd_mux_names_destroy(&names);
  CHECK_UINT(0, allocator.live_bytes);
}

TEST(a_table_that_cannot_grow_still_holds_every_name) {
  enum { COUNT = 50 };
  hd_test_allocator allocator;
  hd_test_allocator_init(&allocator);
  hd_mux_names names;
  hd_mux_names_init(&names, &allocator.hook);
  static char texts[COUNT][4];
  static hd_mux_name entries[COUNT];
  for (int i = 0; i < COUNT; i++) {
    snprintf(texts[i], sizeof texts[i], "%d", i);
    entries[i] = name_of(texts[i], "", HD_MUX_NAME_WAITING);
    allocator.fail_at = allocator.allocations + 1;
    hd_mux_names_insert(&names, &entries[i]);
  }
  CHECK_UINT(HD_MUX_NAMES_FIRST_BUCKETS, names.buckets_count);
  for (int i = 0; i < COUNT; i++) {
    CHECK(hd_mux_names_find(&names, &entries[i].key, HD_MUX_NAME_WAITING, NULL) == &entries[i]);
    hd_mux_names_remove(&names, &entries[i]);
  }
  hd_mux_names_destroy(&names);
}

TEST(where_protocol_ends_and_id_begins_makes_another_name) {
  CHECK(key_of("ab", "c").hash != key_of("a", "bc").hash);
  CHECK(key_of("ab", "").hash != key_of("", "ab").hash);
}

TEST(kept_bytes_are_copies_one_behind_the_other) {
  uint8_t memory[8];
  uint8_t *next = memory;
  const hd_bytes first = hd_mux_keep_bytes(&next, hd_bytes_of("abc", 3));
  const hd_bytes none = hd_mux_keep_bytes(&next, hd_bytes_of(NULL, 0));
  const hd_bytes second = hd_mux_keep_bytes(&next, hd_bytes_of("de", 2));
  CHECK(first.data == memory && none.size == 0 && second.data == memory + 3 && next == memory + 5);
  CHECK_BYTES("abcde", memory, 5);
}
