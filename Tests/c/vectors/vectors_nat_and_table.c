/* nat-and-table.json: the address sampler, the judgement of a NAT, and the routing table, step by step. */
#include <string.h>

#include "base/address_text.h"
#include "nat/nat_kind.h"
#include "nat/nat_sample.h"
#include "table/table.h"
#include "vectors.h"

static hd_address host_of(const char *text) {
  hd_address address = {0};
  VECTOR_CHECK(hd_address_parse_host(text, &address) == HDHT_OK);
  return address;
}

/* "1.2.3.4:5" */
static hd_address address_of(const char *text) {
  char host[HD_ADDRESS_TEXT_SIZE] = "";
  const char *colon = strchr(text, ':');
  if (!VECTOR_CHECK(colon != NULL && (size_t)(colon - text) < sizeof host)) return (hd_address){0};
  memcpy(host, text, (size_t)(colon - text));
  hd_address address = host_of(host);
  unsigned port = 0;
  for (const char *digit = colon + 1; *digit != '\0'; digit++) port = 10 * port + (unsigned)(*digit - '0');
  address.port = (uint16_t)port;
  return address;
}

static void check_sampler(const hd_json *item) {
  hd_nat_sampler sampler;
  hd_nat_sampler_init(&sampler);
  HD_JSON_EACH(step, hd_json_get(item, "steps")) {
    const hd_address reported = address_of(hd_json_text(step, "add", ""));
    const char *host = hd_json_text(step, "host", NULL);
    VECTOR_CHECK(hd_nat_sampler_add(&sampler, &reported) == hd_json_integer(step, "returns", 0));
    VECTOR_CHECK(sampler.samples_count == hd_json_integer(step, "size", 0));

    hd_address wanted = host != NULL ? host_of(host) : (hd_address){0};
    wanted.port = (uint16_t)hd_json_integer(step, "port", 0);
    const hd_address found = hd_nat_sampler_address(&sampler);
    VECTOR_CHECK(hd_address_equal(&wanted, &found));
  }
}

static void check_judgement(const hd_json *expected, const hd_nat_analysis *analysis) {
  VECTOR_CHECK((uint64_t)analysis->kind == hd_json_integer(expected, "firewall", UINT64_MAX));
  hd_nat_seen_address addresses[HD_NAT_REPORTS_LIMIT];
  const hd_json *wanted = hd_json_get(expected, "addresses");
  const unsigned count = hd_nat_analysis_addresses(analysis, addresses, HD_NAT_REPORTS_LIMIT);
  if (!VECTOR_CHECK(count == hd_json_count(wanted))) return;
  unsigned index = 0;
  HD_JSON_EACH(element, wanted) {
    hd_address address = host_of(hd_json_text(element, "host", ""));
    address.port = (uint16_t)hd_json_integer(element, "port", 0);
    VECTOR_CHECK(hd_address_equal(&address, &addresses[index].address));
    VECTOR_CHECK(addresses[index].hits == hd_json_integer(element, "hits", 0));
    index++;
  }
}

static void check_nat(const hd_json *item) {
  hd_nat_analysis analysis;
  hd_nat_analysis_init(&analysis, !hd_json_truth(item, "firewalled", true));
  uint64_t step_index = 0;
  HD_JSON_EACH(step, hd_json_get(item, "steps")) {
    if (step_index++ == hd_json_integer(item, "frozenBeforeStep", UINT64_MAX)) hd_nat_analysis_freeze(&analysis);
    const hd_address reported = address_of(hd_json_text(step, "reported", ""));
    const hd_address helper = address_of(hd_json_text(step, "by", ""));
    (void)hd_nat_analysis_add(&analysis, &reported, &helper);
    VECTOR_CHECK(analysis.reports_count == hd_json_integer(step, "sampled", UINT64_MAX));
    check_judgement(step, &analysis);
  }
  if (hd_json_get(item, "afterUnfreeze") == NULL) return;
  hd_nat_analysis_unfreeze(&analysis);
  check_judgement(hd_json_get(item, "afterUnfreeze"), &analysis);
}

static hd_node_id id_of(const hd_json *text) {
  hd_node_id id = {0};
  size_t size;
  const uint8_t *bytes = hd_vector_hex(text, &size);
  if (VECTOR_CHECK(size == sizeof id.bytes)) memcpy(id.bytes, bytes, size);
  return id;
}

static void check_rows(const hd_json *rows, hd_table *table) {
  unsigned rows_count = 0;
  for (unsigned row = 0; row < HD_TABLE_ROWS_COUNT; row++) rows_count += table->rows[row] != NULL;
  VECTOR_CHECK(rows_count == hd_json_count(rows));
  HD_JSON_EACH(expected, rows) {
    const uint64_t row = hd_json_integer(expected, "row", HD_TABLE_ROWS_COUNT);
    if (!VECTOR_CHECK(row < HD_TABLE_ROWS_COUNT && table->rows[row] != NULL)) continue;
    VECTOR_CHECK(hd_table_bucket_count(table->rows[row]) == hd_json_count(hd_json_get(expected, "ids")));
    HD_JSON_EACH(id_text, hd_json_get(expected, "ids")) {
      const hd_node_id id = id_of(id_text);
      VECTOR_CHECK(hd_table_bucket_find(table->rows[row], &id) != NULL);
    }
  }
}

/* The reference lists whole rows, unsorted; the true order is computed here from the recorded rows. */
static void check_closest(const hd_json *expected, const hd_table *table) {
  const hd_node_id target = id_of(hd_json_get(expected, "target"));
  const hd_json *count_wanted = hd_json_get(expected, "count");
  const unsigned limit = count_wanted != NULL && count_wanted->kind == HD_JSON_NUMBER ? (unsigned)count_wanted->integer
                                                                                      : table->limits.row;

  const hd_table_node *all[HD_TABLE_ROWS_COUNT * HD_TABLE_ROW_LIMIT];
  unsigned all_count = 0;
  for (hd_table_node *node = hd_table_oldest(table); node != NULL; node = hd_table_heard_after(table, node)) {
    unsigned place = all_count++;
    for (; place > 0 && hd_node_id_compare_distance(&target, &node->id, &all[place - 1]->id) < 0; place--) {
      all[place] = all[place - 1];
    }
    all[place] = node;
  }

  hd_table_node **found = hd_vector_scratch((limit + 1) * sizeof *found);
  const unsigned count = hd_table_closest(table, &target, found, limit);
  VECTOR_CHECK(count == hd_json_count(hd_json_get(expected, "ids")));
  for (unsigned i = 0; i < count; i++) VECTOR_CHECK(hd_node_id_equal(&found[i]->id, &all[i]->id));
  HD_JSON_EACH(id_text, hd_json_get(expected, "ids")) {
    const hd_node_id id = id_of(id_text);
    VECTOR_CHECK(hd_table_find(table, &id) != NULL);
  }
}

static void check_table(const hd_json *item) {
  hd_table table;
  const hd_node_id own_id = id_of(hd_json_get(item, "ownId"));
  const hd_address address = hd_address_ipv4(127, 0, 0, 1, 1);
  hd_table_limits limits = HD_TABLE_LIMITS_DEFAULT;
  limits.row = (unsigned)hd_json_integer(item, "k", 0);
  hd_table_init(&table, hd_allocator_system(), &own_id, limits);

  HD_JSON_EACH(step, hd_json_get(item, "insert")) {
    const hd_node_id id = id_of(hd_json_get(step, "id"));
    const hd_table_admission admission = hd_table_insert(&table, &id, &address, 1, NULL);
    VECTOR_CHECK((admission == HD_TABLE_ADMITTED || admission == HD_TABLE_KNOWN) ==
                 hd_json_truth(step, "added", false));
  }
  HD_JSON_EACH(step, hd_json_get(item, "remove")) {
    const hd_node_id id = id_of(hd_json_get(step, "id"));
    hd_table_node *node = hd_table_find(&table, &id);
    VECTOR_CHECK((node != NULL) == hd_json_truth(step, "removed", false));
    if (node != NULL) hd_table_remove(&table, node);
  }

  VECTOR_CHECK(hd_table_count(&table) == hd_json_integer(item, "size", UINT64_MAX));
  check_rows(hd_json_get(item, "rows"), &table);
  HD_JSON_EACH(expected, hd_json_get(item, "closest")) check_closest(expected, &table);
  hd_table_clear(&table);
}

static void check_case(const hd_json *item) {
  const char *kind = hd_json_text(item, "kind", "");
  if (strcmp(kind, "sampler") == 0) check_sampler(item);
  if (strcmp(kind, "nat") == 0) check_nat(item);
  if (strcmp(kind, "table") == 0) check_table(item);
}

VECTOR_FILE("nat-and-table.json", check_case)
