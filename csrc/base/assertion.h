/* Assertions state what only a bug of ours can break; input from a peer, the user or the system never reaches one. They
 * stay on in release builds: a core dump at the broken promise is worth more than the nanosecond. Define
 * HDHT_ASSERTIONS=0 to compile them out. */
#ifndef HD_ASSERTION_H
#define HD_ASSERTION_H

#ifndef HDHT_ASSERTIONS
#define HDHT_ASSERTIONS 1
#endif

/* Prints the broken promise to standard error and aborts. */
_Noreturn void hd_assertion_failed(const char *expression, const char *file, int line);

#if HDHT_ASSERTIONS
#define hd_assert(expression) \
  (__builtin_expect(!!(expression), 1) ? (void)0 : hd_assertion_failed(#expression, __FILE__, __LINE__))
#else
#define hd_assert(expression) ((void)sizeof(!!(expression)))
#endif

/* If `condition` holds, `consequence` must. */
#define hd_assert_implies(condition, consequence) hd_assert(!(condition) || (consequence))

#define hd_unreachable() hd_assertion_failed("unreachable", __FILE__, __LINE__)

#endif
