/* The interval set against a plain bitmap of numbers, anywhere on the number circle: the same commands to both, the
 * same answers from both, and the set's invariant after each. */
#include "fuzz_input.h"
#include "udx/udx_ranges.h"

#define SPAN 512

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require_same(const hd_udx_ranges *ranges, const bool *model, uint32_t base) {
  uint32_t place = 0;
  for (uint32_t i = 0; i < SPAN; i++) {
    FUZZ_CHECK((hd_udx_ranges_find(ranges, base + i) != NULL) == model[i]);
    if (model[i] && (i == 0 || !model[i - 1])) {
      FUZZ_CHECK(place < ranges->count && ranges->items[place].start == base + i);
    }
    if (model[i] && (i + 1 == SPAN || !model[i + 1])) FUZZ_CHECK(ranges->items[place++].end == base + i + 1);
  }
  FUZZ_CHECK(place == ranges->count);
}

static void require_same_gap(const hd_udx_ranges *ranges, const bool *model, uint32_t base, uint32_t from,
                             uint32_t to) {
  uint32_t start = from;
  while (start < to && model[start]) start++;
  uint32_t end = start;
  while (end < to && !model[end]) end++;
  hd_udx_range gap;
  const bool has_gap = hd_udx_ranges_next_gap(ranges, (hd_udx_range){.start = base + from, .end = base + to}, &gap);
  FUZZ_CHECK(has_gap == (start < to));
  if (has_gap) FUZZ_CHECK(gap.start == base + start && gap.end == base + end);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  fuzz_input input = fuzz_input_of(data, size);
  const uint32_t base = fuzz_u8(&input) % 2 == 0 ? 0xffffff00u : (uint32_t)fuzz_u16(&input) << 16;
  fuzz_allocator allocator;
  fuzz_allocator_init(&allocator);
  hd_udx_ranges ranges = {0};
  bool model[SPAN + 1] = {0};
  while (!fuzz_is_empty(&input)) {
    const uint8_t command = fuzz_u8(&input);
    const uint32_t from = fuzz_u16(&input) % SPAN;
    const uint32_t to = from + 1 + fuzz_u8(&input) % 16;
    const uint32_t end = to < SPAN ? to : SPAN;
    switch (command % 4) {
      case 0:
      case 1: {
        allocator.is_failing = command >= 0xf0;
        const hd_udx_range range = {.start = base + from, .end = base + end};
        const int error = hd_udx_ranges_add(&ranges, &allocator.hook, range);
        allocator.is_failing = false;
        if (error != HDHT_OK) break; /* and nothing may have changed */
        for (uint32_t i = from; i < end; i++) model[i] = true;
        break;
      }
      case 2:
        hd_udx_ranges_trim_before(&ranges, base + from);
        memset(model, 0, from);
        break;
      default: require_same_gap(&ranges, model, base, from, end); break;
    }
    require_same(&ranges, model, base);
  }
  hd_udx_ranges_destroy(&ranges, &allocator.hook);
  FUZZ_CHECK(allocator.live_bytes == 0);
  return 0;
}
