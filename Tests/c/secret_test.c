#include "crypto/secret.h"

#include <string.h>

#include "test.h"

TEST(secret_wipe_zeroes_exactly_the_asked_bytes) {
  uint8_t bytes[4] = {1, 2, 3, 4};
  hd_secret_wipe(bytes, 3);
  CHECK_BYTES("\0\0\0\4", bytes, 4);
  hd_secret_wipe(NULL, 0);
}

TEST(secret_equal_compares_every_byte) {
  CHECK(hd_secret_equal("abc", "abc", 3));
  CHECK(!hd_secret_equal("abc", "abd", 3));
  CHECK(!hd_secret_equal("abc", "bbc", 3));
  CHECK(hd_secret_equal("abc", "xyz", 0));
}

static bool was_zero;

static void *give(void *context, size_t size) {
  (void)size;
  return context;
}

static void look(void *context, void *memory, size_t size) {
  (void)context;
  static const uint8_t zeros[16];
  was_zero = size == sizeof zeros && memcmp(memory, zeros, size) == 0;
}

TEST(secret_release_wipes_before_it_gives_memory_back) {
  uint8_t memory[16];
  const hd_allocator allocator = {.allocate = give, .release = look, .context = memory};
  uint8_t *secret = hd_allocate(&allocator, sizeof memory);
  memset(secret, 7, sizeof memory);
  hd_secret_release(&allocator, secret, sizeof memory);
  CHECK(was_zero);
  hd_secret_release(&allocator, NULL, 5);
}
