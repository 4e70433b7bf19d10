#include "query/query_closest.h"

#include "base/assertion.h"

#define CAPACITY_AT_FIRST 32

#define BAD_REFERRALS_FORGIVEN 3 /* beyond the good ones */

_Static_assert(HD_QUERY_CANDIDATES_LIMIT < HD_QUERY_NOBODY, "nobody is nobody's number");

void hd_query_closest_init(hd_query_closest *closest, const hd_allocator *allocator, const hd_node_id *target) {
  *closest = (hd_query_closest){.allocator = allocator, .target = *target};
}

void hd_query_closest_destroy(hd_query_closest *closest) {
  hd_release(closest->allocator, closest->candidates, closest->capacity * sizeof *closest->candidates);
  hd_release(closest->allocator, closest->order, closest->capacity * sizeof *closest->order);
  closest->candidates = NULL;
  closest->order = NULL;
  closest->count = closest->capacity = 0;
}

uint16_t hd_query_closest_find(const hd_query_closest *closest, const hd_address *address) {
  for (uint16_t number = 0; number < closest->count; number++) {
    if (hd_address_equal(&closest->candidates[number].address, address)) return number;
  }
  return HD_QUERY_NOBODY;
}

static bool grow(hd_query_closest *closest) {
  const uint16_t capacity = closest->capacity > 0 ? (uint16_t)(2 * closest->capacity) : CAPACITY_AT_FIRST;
  hd_query_candidate *candidates = hd_allocate_array(closest->allocator, capacity, sizeof *candidates);
  uint16_t *order = hd_allocate_array(closest->allocator, capacity, sizeof *order);
  if (candidates == NULL || order == NULL) {
    hd_release(closest->allocator, candidates, capacity * sizeof *candidates);
    hd_release(closest->allocator, order, capacity * sizeof *order);
    return false;
  }
  const uint16_t count = closest->count;
  if (count > 0) memcpy(candidates, closest->candidates, count * sizeof *candidates);
  if (count > 0) memcpy(order, closest->order, count * sizeof *order);
  hd_query_closest_destroy(closest);
  closest->candidates = candidates;
  closest->order = order;
  closest->count = count;
  closest->capacity = capacity;
  return true;
}

static bool is_nearer(const hd_query_closest *closest, const hd_node_id *id, uint16_t than) {
  return hd_node_id_compare_distance(&closest->target, id, &closest->candidates[than].id) < 0;
}

/* Where in the order an id belongs. */
static uint16_t place_of(const hd_query_closest *closest, const hd_node_id *id) {
  uint16_t low = 0, high = closest->count;
  while (low < high) {
    const uint16_t middle = (uint16_t)((low + high) / 2);
    if (is_nearer(closest, id, closest->order[middle])) {
      high = middle;
    } else {
      low = (uint16_t)(middle + 1);
    }
  }
  return low;
}

static void put_into_order(hd_query_closest *closest, uint16_t place, uint16_t number) {
  memmove(closest->order + place + 1, closest->order + place,
          (size_t)(closest->count - place) * sizeof *closest->order);
  closest->order[place] = number;
  closest->count++;
}

/* Takes the farthest that waits and is farther than `id` out of the order and returns its number for another. */
static uint16_t make_place(hd_query_closest *closest, const hd_node_id *id) {
  for (uint16_t place = closest->count; place-- > 0;) {
    const uint16_t number = closest->order[place];
    if (!is_nearer(closest, id, number)) return HD_QUERY_NOBODY;
    const hd_query_candidate *candidate = &closest->candidates[number];
    if (candidate->state != HD_QUERY_WAITING || candidate->is_seed) continue;
    closest->count--;
    memmove(closest->order + place, closest->order + place + 1,
            (size_t)(closest->count - place) * sizeof *closest->order);
    return number;
  }
  return HD_QUERY_NOBODY;
}

uint16_t hd_query_closest_add(hd_query_closest *closest, const hd_node_id *id, const hd_address *address,
                              uint16_t referrer, bool is_seed) {
  uint16_t number = closest->count;
  if (closest->count == HD_QUERY_CANDIDATES_LIMIT) {
    number = make_place(closest, id);
    if (number == HD_QUERY_NOBODY) return HD_QUERY_NOBODY;
  } else if (closest->count == closest->capacity && !grow(closest)) {
    return HD_QUERY_NOBODY;
  }

  const uint16_t depth = referrer == HD_QUERY_NOBODY ? 0 : (uint16_t)(closest->candidates[referrer].depth + 1);
  closest->candidates[number] =
      (hd_query_candidate){.id = *id, .address = *address, .is_seed = is_seed, .depth = depth};
  put_into_order(closest, place_of(closest, id), number);
  hd_query_closest_referred(closest, number, referrer);
  return number;
}

void hd_query_closest_referred(hd_query_closest *closest, uint16_t number, uint16_t referrer) {
  hd_query_candidate *candidate = &closest->candidates[number];
  if (referrer == HD_QUERY_NOBODY || candidate->referrers_count == HD_QUERY_REFERRERS_LIMIT) return;
  candidate->referrers[candidate->referrers_count++] = referrer;
}

/* A late answer makes a bad referral a good one. */
static void judge_referrers(hd_query_closest *closest, const hd_query_candidate *candidate, hd_query_state state) {
  for (unsigned i = 0; i < candidate->referrers_count; i++) {
    hd_query_candidate *referrer = &closest->candidates[candidate->referrers[i]];
    const bool was_bad = candidate->state == HD_QUERY_SLOW;
    if (state == HD_QUERY_SLOW) referrer->bad_referrals++;
    if (state != HD_QUERY_ANSWERED && state != HD_QUERY_MUTE) continue;
    referrer->good_referrals++;
    if (was_bad && referrer->bad_referrals > 0) referrer->bad_referrals--;
  }
}

/* A candidate we knew ourselves is trusted, and one that any trusted node named. */
static bool is_trusted(const hd_query_closest *closest, const hd_query_candidate *candidate) {
  for (unsigned i = 0; i < candidate->referrers_count; i++) {
    const hd_query_candidate *referrer = &closest->candidates[candidate->referrers[i]];
    if (referrer->bad_referrals < BAD_REFERRALS_FORGIVEN + referrer->good_referrals) return true;
  }
  return candidate->referrers_count == 0;
}

void hd_query_closest_set(hd_query_closest *closest, uint16_t number, hd_query_state state) {
  hd_assert(number < closest->count);
  hd_query_candidate *candidate = &closest->candidates[number];
  if (state == HD_QUERY_ASKED && !is_trusted(closest, candidate)) closest->distrusted_asked++;
  judge_referrers(closest, candidate, state);
  candidate->state = state;
}

static uint16_t first_seed(const hd_query_closest *closest) {
  for (uint16_t place = 0; place < closest->count; place++) {
    const hd_query_candidate *candidate = &closest->candidates[closest->order[place]];
    if (candidate->is_seed && candidate->state == HD_QUERY_WAITING) return closest->order[place];
  }
  return HD_QUERY_NOBODY;
}

/* Distrusted ones are asked, a few, when nobody else waits or is expected to answer. */
uint16_t hd_query_closest_next(const hd_query_closest *closest) {
  const uint16_t seed = first_seed(closest);
  if (seed != HD_QUERY_NOBODY) return seed;
  unsigned ahead = 0, answered = 0;
  uint16_t distrusted = HD_QUERY_NOBODY;
  bool is_trusted_asked = false;
  for (uint16_t place = 0; place < closest->count && ahead < HD_QUERY_K; place++) {
    const uint16_t number = closest->order[place];
    const hd_query_candidate *candidate = &closest->candidates[number];
    switch (candidate->state) {
      case HD_QUERY_ASKED:
        is_trusted_asked = is_trusted_asked || is_trusted(closest, candidate);
        ahead++;
        break;
      case HD_QUERY_ANSWERED:
        answered++;
        ahead++;
        break;
      case HD_QUERY_WAITING:
        if (is_trusted(closest, candidate)) return number;
        if (distrusted == HD_QUERY_NOBODY) distrusted = number;
        break;
      case HD_QUERY_SLOW:
      case HD_QUERY_MUTE:
      case HD_QUERY_FAILED: break;
    }
  }
  const bool is_enough = closest->distrusted_asked >= HD_QUERY_DISTRUSTED_LIMIT || answered == HD_QUERY_K;
  return is_trusted_asked || is_enough ? HD_QUERY_NOBODY : distrusted;
}

unsigned hd_query_closest_count(const hd_query_closest *closest, hd_query_state state) {
  unsigned count = 0;
  for (uint16_t number = 0; number < closest->count; number++) count += closest->candidates[number].state == state;
  return count;
}

unsigned hd_query_closest_count_relevant(const hd_query_closest *closest, hd_query_state state) {
  unsigned count = 0, answered = 0;
  for (uint16_t place = 0; place < closest->count && answered < HD_QUERY_K; place++) {
    const hd_query_candidate *candidate = &closest->candidates[closest->order[place]];
    count += candidate->state == state;
    answered += candidate->state == HD_QUERY_ANSWERED;
  }
  return count;
}

unsigned hd_query_closest_result(const hd_query_closest *closest, uint16_t numbers[HD_QUERY_K]) {
  unsigned count = 0;
  for (uint16_t place = 0; place < closest->count && count < HD_QUERY_K; place++) {
    const uint16_t number = closest->order[place];
    if (closest->candidates[number].state == HD_QUERY_ANSWERED) numbers[count++] = number;
  }
  return count;
}
