/* Memory that held a secret is wiped before anybody else can get it.
 *
 * Secrets live inline in the structs that use them, or in memory of the handle's allocator. Locked pages with guards
 * (sodium_malloc) would cost three pages and several system calls for each key, thousands of times on a busy node, and
 * protect against little: whoever reads this process's memory reads the plaintext too. So the rule is: whoever owns a
 * secret wipes it when done, and no copy outlives its function. */
#ifndef HD_SECRET_H
#define HD_SECRET_H

#include <stdbool.h>
#include <stddef.h>

#include "base/allocator.h"

/* Overwrites with zeros; the compiler cannot remove it. NULL is allowed when `size` is 0. */
void hd_secret_wipe(void *memory, size_t size);

/* Compares without revealing by its duration where the difference is. */
bool hd_secret_equal(const void *a, const void *b, size_t size);

/* hd_release for memory that held a secret. NULL is ignored. */
void hd_secret_release(const hd_allocator *allocator, void *memory, size_t size);

#endif
