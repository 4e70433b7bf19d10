/* The routing table when full: 20 nodes in each of the rows a network of a million nodes can fill, and the nearest 20
 * to targets all over the place. The bound is the requirement, 2 us. */
#include "bench.h"
#include "table/table.h"

#define ROWS          18
#define TARGETS_COUNT 256

typedef struct closest_context {
  hd_table table;
  hd_node_id targets[TARGETS_COUNT];
  unsigned next;
} closest_context;

static void fill(closest_context *context) {
  hd_random random = hd_random_from_seed(1);
  const hd_node_id own_id = {{0}};
  hd_table_init(&context->table, hd_allocator_system(), &own_id, HD_TABLE_LIMITS_DEFAULT);
  for (uint64_t bits = 0; hd_table_count(&context->table) < ROWS * HD_TABLE_ROW_LIMIT; bits++) {
    hd_node_id id;
    hd_random_fill(&random, id.bytes, sizeof id.bytes);
    const unsigned row = (unsigned)(bits % ROWS);
    for (unsigned bit = 0; bit <= row; bit++) id.bytes[bit / 8] &= (uint8_t) ~(0x80 >> bit % 8);
    id.bytes[row / 8] |= (uint8_t)(0x80 >> row % 8);
    const hd_address address = hd_address_ipv4(10, (uint8_t)(bits >> 16), (uint8_t)(bits >> 8), (uint8_t)bits, 1);
    (void)hd_table_insert(&context->table, &id, &address, 1, NULL);
  }
  for (unsigned i = 0; i < TARGETS_COUNT; i++) hd_random_fill(&random, &context->targets[i], sizeof(hd_node_id));
}

static void closest(void *opaque) {
  closest_context *context = opaque;
  hd_table_node *nodes[HD_TABLE_ROW_LIMIT];
  const unsigned count =
      hd_table_closest(&context->table, &context->targets[context->next++ % TARGETS_COUNT], nodes, HD_TABLE_ROW_LIMIT);
  hd_bench_keep(nodes);
  hd_bench_keep(&count);
}

/* The worst place: most of the answer comes from many small rows. */
static void closest_to_own_id(void *opaque) {
  closest_context *context = opaque;
  hd_table_node *nodes[HD_TABLE_ROW_LIMIT];
  const unsigned count = hd_table_closest(&context->table, &context->table.own_id, nodes, HD_TABLE_ROW_LIMIT);
  hd_bench_keep(nodes);
  hd_bench_keep(&count);
}

BENCH("table", table_closest) {
  static closest_context context;
  fill(&context);
  double ns = hd_bench_ns(closest, &context);
  hd_bench_report("table", "closest(20) of 360 nodes, random target", ns, ns / 2000, "2 us");
  ns = hd_bench_ns(closest_to_own_id, &context);
  hd_bench_report("table", "closest(20) of 360 nodes, own id", ns, ns / 2000, "2 us");
  hd_table_clear(&context.table);
}
