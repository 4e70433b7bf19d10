#include "crypto/backend.h"

#include <sodium.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "base/assertion.h"

void hd_backend_prepare(void) {
  static atomic_bool is_ready;
  if (atomic_load_explicit(&is_ready, memory_order_acquire)) return;
  /* sodium_init locks, may be called any number of times, and fails only when its own lock is broken. */
  const int result = sodium_init();
  hd_assert(result >= 0);
  atomic_store_explicit(&is_ready, true, memory_order_release);
}
