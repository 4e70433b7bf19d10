#include "crypto/secret.h"

#include <sodium.h>

void hd_secret_wipe(void *memory, size_t size) {
  if (size > 0) sodium_memzero(memory, size);
}

bool hd_secret_equal(const void *a, const void *b, size_t size) {
  return sodium_memcmp(a, b, size) == 0;
}

void hd_secret_release(const hd_allocator *allocator, void *memory, size_t size) {
  if (memory == NULL) return;
  hd_secret_wipe(memory, size);
  hd_release(allocator, memory, size);
}
