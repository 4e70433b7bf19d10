/* Every kind of access to every other one, once for each seed: without loss, with 5 % and with 20 %, by turns.
 *
 * What must hold: who can be reached directly is; two consistent NATs always get through, without loss within 2 s; a
 * random and a consistent one nearly always; two random ones fail, soon and saying why. Nobody but the peers gets a
 * probe, and no socket is left over. The report is the matrix of all runs, beside what the reference did. */
#include <inttypes.h>
#include <stdio.h>

#include "scenario.h"
#include "sim_punch.h"

#define LOSSES_COUNT 3

static const double losses[LOSSES_COUNT] = {0, 0.05, 0.2};

typedef enum expectation {
  UNREACHABLE,
  REACHABLE,  /* one of them has an open port */
  CONSISTENT, /* both NATs are */
  BIRTHDAY,   /* one is random: 256 ports against 1750 guesses */
  UNSURE,     /* the same with fewer ports, or an address that depends on the destination */
  HOPELESS,   /* both are random */
  EXPECTATIONS_COUNT
} expectation;

/* Of those that should connect, how many of a hundred may fail in one run: what the arithmetic of the birthday leaves,
 * and messages that are lost four times over. */
static const unsigned may_fail_percent[EXPECTATIONS_COUNT] = {[REACHABLE] = 4, [CONSISTENT] = 4, [BIRTHDAY] = 7};

typedef struct cell {
  unsigned runs, connected;
  uint64_t took_us; /* of the connected */
} cell;

static cell matrix[LOSSES_COUNT][SIM_ACCESS_COUNT][SIM_ACCESS_COUNT];

/* ---- what should happen ------------------------------------------------------------------------------------------ */

static bool is_blocked(sim_access access) {
  return access == SIM_ACCESS_BLOCKED || access == SIM_ACCESS_BLOCKED_HIGH_PORTS;
}

static bool is_reachable(sim_access access) {
  return access == SIM_ACCESS_OPEN || access == SIM_ACCESS_FORWARD;
}

static bool has_quota(sim_access access) {
  return access == SIM_ACCESS_SYMMETRIC_QUOTA_64 || access == SIM_ACCESS_SYMMETRIC_QUOTA_128;
}

static bool is_random(sim_access access) {
  switch (access) {
    case SIM_ACCESS_SYMMETRIC:
    case SIM_ACCESS_SYMMETRIC_SEQUENTIAL:
    case SIM_ACCESS_SYMMETRIC_BY_HOST:
    case SIM_ACCESS_SYMMETRIC_QUOTA_128:
    case SIM_ACCESS_SYMMETRIC_QUOTA_64:
    case SIM_ACCESS_CARRIER_SYMMETRIC:
    case SIM_ACCESS_FAR_CARRIER_SYMMETRIC: return true;
    default: return false;
  }
}

static expectation expect(sim_access client, sim_access server) {
  if (is_blocked(client) || is_blocked(server)) return UNREACHABLE;
  if (is_reachable(client) || is_reachable(server)) return REACHABLE;
  if (is_random(client) && is_random(server)) return HOPELESS;
  if (client == SIM_ACCESS_MULTI_ARBITRARY || server == SIM_ACCESS_MULTI_ARBITRARY) return UNSURE;
  if (has_quota(client) || has_quota(server)) return UNSURE;
  return is_random(client) || is_random(server) ? BIRTHDAY : CONSISTENT;
}

/* ---- one run ----------------------------------------------------------------------------------------------------- */

typedef struct tally {
  unsigned runs[EXPECTATIONS_COUNT];
  unsigned failures[EXPECTATIONS_COUNT];
} tally;

static double seconds(hd_duration duration) {
  return (double)duration.us / 1e6;
}

static bool complain(sim_access client, sim_access server, const char *what) {
  printf("%s to %s: %s\n", sim_access_name(client), sim_access_name(server), what);
  return false;
}

/* What holds for every pair in every run. */
static bool holds(sim_access client, sim_access server, const sim_punch_result *result, bool is_lossless) {
  const expectation expected = expect(client, server);
  const bool is_connected = result->way != SIM_PUNCH_NONE;
  if (result->datagrams_to_strangers > 0) return complain(client, server, "probes went to a stranger");
  if (result->sockets_left > 0) return complain(client, server, "sockets were left open");
  if ((expected == UNREACHABLE || expected == HOPELESS) && is_connected) {
    return complain(client, server, "connected, which cannot be");
  }
  if (!is_lossless) return true;
  if (expected == REACHABLE && !is_connected) return complain(client, server, "could be reached and was not");
  if (expected == CONSISTENT && (!is_connected || seconds(result->took) > 2)) {
    return complain(client, server, "did not connect within 2 s");
  }
  if (expected == HOPELESS &&
      (result->error != HDHT_ERR_HOLEPUNCH_DOUBLE_RANDOMIZED_NATS || seconds(result->took) > 5)) {
    return complain(client, server, "did not fail soon because both are random");
  }
  return true;
}

static void count(tally *counts, unsigned loss, sim_access client, sim_access server, const sim_punch_result *result) {
  cell *filled = &matrix[loss][client][server];
  const bool is_connected = result->way != SIM_PUNCH_NONE;
  filled->runs++;
  filled->connected += is_connected;
  if (is_connected) filled->took_us += result->took.us;
  counts->runs[expect(client, server)]++;
  counts->failures[expect(client, server)] += !is_connected;
}

static void tell(sim_access client, sim_access server, const sim_punch_result *result) {
  const char *error = result->way == SIM_PUNCH_NONE ? hdht_error_name(result->error) : "";
  const char *cause = result->cause != HD_PUNCH_CAUSE_NONE ? hd_punch_cause_text(result->cause) : "";
  printf("%-12s %-12s %-9s %6.2f s, probes %u and %u %s %s\n", sim_access_name(client), sim_access_name(server),
         result->way == SIM_PUNCH_NONE     ? "no"
         : result->way == SIM_PUNCH_DIRECT ? "direct"
                                           : "punched",
         seconds(result->took), result->client_probes, result->server_probes, error, cause);
}

static bool run(uint64_t seed, bool is_verbose) {
  const unsigned loss = (unsigned)(seed % LOSSES_COUNT);
  tally counts = {0};
  bool all_held = true;
  for (unsigned pair = 0; pair < SIM_ACCESS_COUNT * SIM_ACCESS_COUNT; pair++) {
    const sim_access client = (sim_access)(pair / SIM_ACCESS_COUNT);
    const sim_access server = (sim_access)(pair % SIM_ACCESS_COUNT);
    const sim_punch_options options = {.client = client, .server = server, .loss = losses[loss]};
    const sim_punch_result result = sim_punch_run(&options, seed * 1000 + pair);
    if (is_verbose) tell(client, server, &result);
    if (!holds(client, server, &result, losses[loss] == 0)) all_held = false;
    count(&counts, loss, client, server, &result);
  }
  for (expectation each = REACHABLE; each <= BIRTHDAY; each++) {
    if (counts.failures[each] * 100 <= counts.runs[each] * may_fail_percent[each]) continue;
    printf("%u of %u pairs failed that should connect\n", counts.failures[each], counts.runs[each]);
    all_held = false;
  }
  return all_held;
}

/* ---- report ------------------------------------------------------------------------------------------------------ */

static void print_header(void) {
  printf("%-13s", "client\\server");
  for (int server = 0; server < SIM_ACCESS_COUNT; server++) printf(" %12s", sim_access_name((sim_access)server));
  printf("\n");
}

static void print_matrix(unsigned loss) {
  printf("\n%.0f %% loss: connected of a hundred, and the mean time in seconds\n", losses[loss] * 100);
  print_header();
  for (int client = 0; client < SIM_ACCESS_COUNT; client++) {
    printf("%-13s", sim_access_name((sim_access)client));
    for (int server = 0; server < SIM_ACCESS_COUNT; server++) {
      const cell *shown = &matrix[loss][client][server];
      char text[32] = "-";
      if (shown->connected > 0) {
        const double percent = 100.0 * shown->connected / shown->runs;
        snprintf(text, sizeof text, "%.0f%% %.1f", percent, (double)shown->took_us / 1e6 / shown->connected);
      }
      printf(" %12s", text);
    }
    printf("\n");
  }
}

/* One run of each pair without loss, in seconds; 0: it failed. The machine was busy, so small times are too long. */
#define REFERENCE_COUNT 11
static const sim_access reference_kinds[REFERENCE_COUNT] = {SIM_ACCESS_OPEN,
                                                            SIM_ACCESS_FIREWALL,
                                                            SIM_ACCESS_FULL_CONE,
                                                            SIM_ACCESS_HOST_CONE,
                                                            SIM_ACCESS_PORT_CONE,
                                                            SIM_ACCESS_CARRIER_CONE,
                                                            SIM_ACCESS_MULTI_STICKY,
                                                            SIM_ACCESS_SYMMETRIC,
                                                            SIM_ACCESS_SYMMETRIC_SEQUENTIAL,
                                                            SIM_ACCESS_SYMMETRIC_QUOTA_64,
                                                            SIM_ACCESS_CARRIER_SYMMETRIC};
static const double reference[REFERENCE_COUNT][REFERENCE_COUNT] = {
    {0.2, 0.2, 0.2, 0.2, 0.2, 0.9, 0.9, 0.4, 0.9, 0.9, 0.9},
    {0.8, 1.1, 1.1, 1.1, 1.1, 1.1, 1.1, 2.6, 16.0, 3.9, 12.0},
    {0.2, 0.8, 0.3, 0.9, 0.3, 0.8, 0.9, 7.0, 3.5, 7.0, 7.0},
    {0.9, 1.1, 0.8, 0.3, 0.3, 0.3, 0.3, 6.1, 0.9, 6.0, 6.1},
    {0.2, 0.2, 0.3, 0.3, 0.3, 0.3, 0.3, 2.1, 5.0, 11.4, 11.6},
    {0.2, 0.4, 0.4, 0.4, 0.3, 0.2, 0.2, 0.7, 7.0, 0, 5.6},
    {0.2, 0.3, 0.4, 0.4, 0.6, 0.5, 0.6, 11.0, 23.4, 0, 4.7},
    {0.2, 0.5, 1.2, 3.0, 2.6, 14.1, 10.3, 0, 0, 0, 0},
    {0.2, 0.6, 6.4, 6.4, 0.9, 6.2, 7.4, 0, 0, 0, 0},
    {0.2, 0, 6.5, 6.5, 0, 4.4, 21.1, 0, 0, 0, 0},
    {0.3, 5.4, 0.9, 6.5, 6.5, 1.8, 4.3, 0, 0, 0, 0}};

static void print_reference(void) {
  printf("\nthe reference, no loss, one run each: seconds\n%-13s", "client\\server");
  for (int server = 0; server < REFERENCE_COUNT; server++) printf(" %12s", sim_access_name(reference_kinds[server]));
  printf("\n");
  for (int client = 0; client < REFERENCE_COUNT; client++) {
    printf("%-13s", sim_access_name(reference_kinds[client]));
    for (int server = 0; server < REFERENCE_COUNT; server++) {
      char text[16] = "-";
      if (reference[client][server] > 0) snprintf(text, sizeof text, "%.1f", reference[client][server]);
      printf(" %12s", text);
    }
    printf("\n");
  }
}

static void report(void) {
  for (unsigned loss = 0; loss < LOSSES_COUNT; loss++) {
    if (matrix[loss][0][0].runs > 0) print_matrix(loss);
  }
  print_reference();
  printf("\n");
}

const scenario scenario_punch = {
    .name = "punch",
    .summary = "every kind of NAT to every other, over a trivial relay",
    .run = run,
    .report = report,
};
