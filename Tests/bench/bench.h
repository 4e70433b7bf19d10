/* The benchmark program: `hdht_bench [group...]` runs the cases of the named groups, or all, and prints one line each:
 *
 *   codec  relay data 1 KiB decode+encode      31.2 ns/op    0.62 of the bound
 *
 * A case measures its own work and, in the same run and interleaved with it, what it is compared with; only the ratio
 * is meant to be trusted. Timings never decide a test. */
#ifndef HD_BENCH_H
#define HD_BENCH_H

#include <stddef.h>
#include <stdint.h>

typedef struct hd_bench {
  const char *group;
  void (*run)(void);
  struct hd_bench *next;
} hd_bench;

void hd_bench_register(hd_bench *bench);

#define BENCH(group_name, bench_name)                                           \
  static void bench_##bench_name(void);                                         \
  __attribute__((constructor)) static void register_##bench_name(void) {        \
    static hd_bench bench = {.group = (group_name), .run = bench_##bench_name}; \
    hd_bench_register(&bench);                                                  \
  }                                                                             \
  static void bench_##bench_name(void)

/* Runs `operation(context)` often enough for a stable figure and returns nanoseconds of CPU per call: the median of
 * several rounds. */
double hd_bench_ns(void (*operation)(void *context), void *context);

/* The same for two operations, rounds interleaved, so that both see the same machine. */
void hd_bench_compare_ns(void (*ours)(void *), void *ours_context, void (*theirs)(void *), void *theirs_context,
                         double *ours_ns, double *theirs_ns);

/* Prints one line. `bound_text` says what the ratio is against. */
void hd_bench_report(const char *group, const char *name, double ns, double ratio, const char *bound_text);

/* Keeps the compiler from removing work whose result is otherwise unused. */
static inline void hd_bench_keep(const void *value) {
  __asm__ volatile("" : : "g"(value) : "memory");
}

#endif
