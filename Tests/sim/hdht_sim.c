/* hdht_sim NAME [--seeds A..B] [--nodes N] [--verbose]: runs a scenario once for each seed. On failure it prints the
 * seed, which alone repeats the run, and ends with status 1. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scenario.h"

static const scenario *const scenarios[] = {&scenario_udx_transfer, &scenario_udx_hostile, &scenario_dht,
                                            &scenario_dht_churn,    &scenario_dht_loss,    &scenario_dht_partition,
                                            &scenario_dht_liars,    &scenario_dht_flood,   &scenario_punch};

size_t scenario_nodes_count = 64;

#define SCENARIOS_COUNT (sizeof scenarios / sizeof scenarios[0])

static int usage(void) {
  fputs("usage: hdht_sim NAME [--seeds FIRST..LAST] [--nodes N] [--verbose]\nscenarios:\n", stderr);
  for (size_t i = 0; i < SCENARIOS_COUNT; i++)
    fprintf(stderr, "  %-14s %s\n", scenarios[i]->name, scenarios[i]->summary);
  return 2;
}

static const scenario *find_scenario(const char *name) {
  for (size_t i = 0; i < SCENARIOS_COUNT; i++) {
    if (strcmp(scenarios[i]->name, name) == 0) return scenarios[i];
  }
  return NULL;
}

/* "7" or "1..100". */
static bool parse_seeds(const char *text, uint64_t *first, uint64_t *last) {
  char *end;
  *first = *last = strtoull(text, &end, 10);
  if (end == text) return false;
  if (strncmp(end, "..", 2) == 0) {
    const char *from = end + 2;
    *last = strtoull(from, &end, 10);
    if (end == from) return false;
  }
  return *end == '\0' && *first <= *last;
}

int main(int argc, char **argv) {
  const scenario *chosen = argc > 1 ? find_scenario(argv[1]) : NULL;
  uint64_t first = 1, last = 100;
  bool is_verbose = false;
  if (chosen == NULL) return usage();
  for (int i = 2; i < argc; i++) {
    if (strcmp(argv[i], "--verbose") == 0) {
      is_verbose = true;
    } else if (strcmp(argv[i], "--nodes") == 0 && i + 1 < argc && atoi(argv[i + 1]) >= 2) {
      scenario_nodes_count = (size_t)atoi(argv[++i]);
    } else if (strcmp(argv[i], "--seeds") != 0 || ++i >= argc || !parse_seeds(argv[i], &first, &last)) {
      return usage();
    }
  }

  uint64_t passed = 0, failed = 0;
  for (uint64_t seed = first; seed <= last; seed++) {
    if (chosen->run(seed, is_verbose)) {
      passed++;
      continue;
    }
    failed++;
    printf("FAILED hdht_sim %s --seeds %" PRIu64 " --verbose\n", chosen->name, seed);
    fflush(stdout);
  }
  if (chosen->report != NULL) chosen->report();
  printf("%" PRIu64 " passed, %" PRIu64 " failed\n", passed, failed);
  return failed == 0 ? 0 : 1;
}
