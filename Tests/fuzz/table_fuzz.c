/* The routing table against a plain array of nodes: the same commands to both, the same answers from both. Ids are made
 * of few bits, so that rows fill up and ids come again. */
#include "fuzz_input.h"
#include "table/table_refresh.h"

#define MODEL_LIMIT 4096

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct naive_table {
  hd_node_id own_id;
  unsigned row_limit;
  unsigned count;
  hd_node_id ids[MODEL_LIMIT]; /* longest silent first */
} naive_table;

/* One bit set anywhere, and a low byte: every row is reachable. */
static hd_node_id take_id(fuzz_input *input) {
  hd_node_id id = {{0}};
  const uint8_t bit = fuzz_u8(input), low = fuzz_u8(input);
  id.bytes[bit / 8] = (uint8_t)(0x80 >> bit % 8);
  id.bytes[(bit / 8 + 1) % HDHT_NODE_ID_SIZE] = low;
  return id;
}

static unsigned row_of(const naive_table *model, const hd_node_id *id) {
  const unsigned shared = hd_node_id_shared_bits(&model->own_id, id);
  return shared < 255 ? shared : 255;
}

static unsigned find(const naive_table *model, const hd_node_id *id) {
  unsigned place = 0;
  while (place < model->count && !hd_node_id_equal(&model->ids[place], id)) place++;
  return place;
}

static unsigned count_row(const naive_table *model, unsigned row) {
  unsigned count = 0;
  for (unsigned i = 0; i < model->count; i++) count += row_of(model, &model->ids[i]) == row;
  return count;
}

static void forget(naive_table *model, unsigned place) {
  for (unsigned i = place; i + 1 < model->count; i++) model->ids[i] = model->ids[i + 1];
  model->count--;
}

static void insert(hd_table *table, naive_table *model, hd_node_id id, bool is_failing) {
  const hd_address address = hd_address_ipv4(10, 1, 1, 1, 1);
  const hd_table_admission admission = hd_table_insert(table, &id, &address, 1, NULL);
  const bool is_known = find(model, &id) < model->count;
  const unsigned in_row = count_row(model, row_of(model, &id));
  FUZZ_CHECK((admission == HD_TABLE_KNOWN) == is_known);
  FUZZ_CHECK((admission == HD_TABLE_ROW_FULL) == (!is_known && in_row >= model->row_limit));
  FUZZ_CHECK((admission == HD_TABLE_OUT_OF_MEMORY) == (!is_known && in_row == 0 && is_failing));
  if (admission == HD_TABLE_ADMITTED) model->ids[model->count++] = id;
}

static void check_closest(const hd_table *table, const naive_table *model, const hd_node_id *target, unsigned limit) {
  hd_table_node *found[64];
  const unsigned count = hd_table_closest(table, target, found, limit);
  FUZZ_CHECK(count == (model->count < limit ? model->count : limit));
  for (unsigned i = 0; i < count; i++) {
    unsigned nearer = 0;
    for (unsigned m = 0; m < model->count; m++) {
      nearer += hd_node_id_compare_distance(target, &model->ids[m], &found[i]->id) < 0;
    }
    FUZZ_CHECK(nearer == i);
  }
}

static void rebase(hd_table *table, naive_table *model, hd_node_id own_id) {
  hd_table_rebase(table, &own_id);
  static naive_table old;
  old = *model;
  model->own_id = own_id;
  model->count = 0;
  for (unsigned i = 0; i < old.count; i++) {
    if (count_row(model, row_of(model, &old.ids[i])) < model->row_limit) model->ids[model->count++] = old.ids[i];
  }
}

static void check_order(const hd_table *table, const naive_table *model) {
  unsigned place = 0;
  FUZZ_CHECK(hd_table_count(table) == model->count);
  for (hd_table_node *node = hd_table_oldest(table); node != NULL; node = hd_table_heard_after(table, node)) {
    FUZZ_CHECK(hd_node_id_equal(&node->id, &model->ids[place++]));
    FUZZ_CHECK(hd_table_find(table, &node->id) == node);
  }
  FUZZ_CHECK(place == model->count);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  fuzz_input input = fuzz_input_of(data, size);
  fuzz_allocator allocator;
  fuzz_allocator_init(&allocator);
  static naive_table model;
  model.count = 0;
  model.own_id = take_id(&input);
  model.row_limit = fuzz_u8(&input) % HD_TABLE_ROW_LIMIT + 1;
  hd_table_limits limits = HD_TABLE_LIMITS_DEFAULT;
  limits.row = model.row_limit;
  hd_table table;
  hd_table_init(&table, &allocator.hook, &model.own_id, limits);

  while (!fuzz_is_empty(&input) && model.count < MODEL_LIMIT - 1) {
    const uint8_t command = fuzz_u8(&input);
    const hd_node_id id = take_id(&input);
    const unsigned place = find(&model, &id);
    switch (command % 8) {
      case 0:
      case 1:
      case 2: insert(&table, &model, id, false); break;
      case 3:
        allocator.is_failing = true;
        insert(&table, &model, id, true);
        allocator.is_failing = false;
        break;
      case 4:
        FUZZ_CHECK((hd_table_find(&table, &id) != NULL) == (place < model.count));
        if (place < model.count) {
          hd_table_remove(&table, hd_table_find(&table, &id));
          forget(&model, place);
        }
        break;
      case 5:
        if (place < model.count) {
          hd_table_heard(&table, hd_table_find(&table, &id), 2);
          forget(&model, place);
          model.ids[model.count++] = id;
        }
        break;
      case 6: check_closest(&table, &model, &id, command / 8u); break;
      default: rebase(&table, &model, id); check_order(&table, &model);
    }
  }
  check_order(&table, &model);
  hd_table_clear(&table);
  FUZZ_CHECK(allocator.live_bytes == 0);
  return 0;
}
