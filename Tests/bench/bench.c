#include "bench.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ROUNDS            9
#define ROUND_NANOSECONDS 40e6

static hd_bench *benches;

void hd_bench_register(hd_bench *bench) {
  hd_bench **link = &benches;
  while (*link != NULL && strcmp((*link)->group, bench->group) <= 0) link = &(*link)->next;
  bench->next = *link;
  *link = bench;
}

static double cpu_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static double time_calls(void (*operation)(void *), void *context, unsigned long calls) {
  const double start = cpu_ns();
  for (unsigned long i = 0; i < calls; i++) operation(context);
  return (cpu_ns() - start) / (double)calls;
}

static unsigned long calls_per_round(void (*operation)(void *), void *context) {
  unsigned long calls = 1;
  while (time_calls(operation, context, calls) * (double)calls < ROUND_NANOSECONDS / 4) calls *= 2;
  return calls * 4;
}

static int by_value(const void *left, const void *right) {
  const double a = *(const double *)left, b = *(const double *)right;
  return (a > b) - (a < b);
}

static double median(double *values, size_t count) {
  qsort(values, count, sizeof values[0], by_value);
  return values[count / 2];
}

double hd_bench_ns(void (*operation)(void *), void *context) {
  const unsigned long calls = calls_per_round(operation, context);
  double rounds[ROUNDS];
  for (int i = 0; i < ROUNDS; i++) rounds[i] = time_calls(operation, context, calls);
  return median(rounds, ROUNDS);
}

void hd_bench_compare_ns(void (*ours)(void *), void *ours_context, void (*theirs)(void *), void *theirs_context,
                         double *ours_ns, double *theirs_ns) {
  const unsigned long ours_calls = calls_per_round(ours, ours_context);
  const unsigned long theirs_calls = calls_per_round(theirs, theirs_context);
  double ours_rounds[ROUNDS], theirs_rounds[ROUNDS];
  for (int i = 0; i < ROUNDS; i++) {
    ours_rounds[i] = time_calls(ours, ours_context, ours_calls);
    theirs_rounds[i] = time_calls(theirs, theirs_context, theirs_calls);
  }
  *ours_ns = median(ours_rounds, ROUNDS);
  *theirs_ns = median(theirs_rounds, ROUNDS);
}

void hd_bench_report(const char *group, const char *name, double ns, double ratio, const char *bound_text) {
  printf("%-14s %-44s %12.1f ns/op   %6.2f of %s\n", group, name, ns, ratio, bound_text);
  fflush(stdout);
}

static bool is_selected(const hd_bench *bench, int argc, char **argv) {
  for (int i = 1; i < argc; i++) {
    if (strcmp(bench->group, argv[i]) == 0) return true;
  }
  return argc < 2;
}

int main(int argc, char **argv) {
  unsigned ran = 0;
  for (const hd_bench *bench = benches; bench != NULL; bench = bench->next) {
    if (!is_selected(bench, argc, argv)) continue;
    bench->run();
    ran++;
  }
  if (ran > 0) return 0;
  fputs("hdht_bench: no such group; the groups are:", stderr);
  const char *last = "";
  for (const hd_bench *bench = benches; bench != NULL; bench = bench->next) {
    if (strcmp(last, bench->group) != 0) fprintf(stderr, " %s", bench->group);
    last = bench->group;
  }
  fputc('\n', stderr);
  return 2;
}
