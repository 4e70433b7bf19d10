#include "holepunch/punch_helpers.h"

#include "base/address_range.h"

typedef struct choice {
  const hd_address *asked;
  unsigned asked_count;
  hd_address *helpers;
  unsigned count;
  unsigned wanted;
} choice;

typedef bool is_like(const hd_address *a, const hd_address *b);

static bool is_among(is_like *like, const hd_address *node, const hd_address *others, unsigned others_count) {
  for (unsigned i = 0; i < others_count; i++) {
    if (like(node, &others[i])) return true;
  }
  return false;
}

/* Takes the nodes that are unlike all those taken or asked before. */
static void take_unlike(choice *taken, is_like *like, const hd_address *nodes, unsigned nodes_count) {
  for (unsigned i = 0; i < nodes_count && taken->count < taken->wanted; i++) {
    if (is_among(like, &nodes[i], taken->asked, taken->asked_count)) continue;
    if (is_among(like, &nodes[i], taken->helpers, taken->count)) continue;
    taken->helpers[taken->count++] = nodes[i];
  }
}

unsigned hd_punch_helpers_choose(const hd_address *nodes, unsigned nodes_count, const hd_address *asked,
                                 unsigned asked_count, hd_address *helpers, unsigned wanted) {
  const unsigned skipped = nodes_count >= HD_PUNCH_HELPERS_SKIPPED_FROM ? HD_PUNCH_HELPERS_SKIPPED : 0;
  choice taken = {.asked = asked, .asked_count = asked_count, .helpers = helpers, .wanted = wanted};
  const hd_address *rest = skipped == 0 ? nodes : nodes + skipped;
  take_unlike(&taken, hd_address_same_network, rest, nodes_count - skipped);
  take_unlike(&taken, hd_address_same_host, rest, nodes_count - skipped);
  take_unlike(&taken, hd_address_same_host, nodes, skipped);
  take_unlike(&taken, hd_address_equal, nodes, nodes_count);
  return taken.count;
}
