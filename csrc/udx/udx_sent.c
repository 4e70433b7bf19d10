#include "udx/udx_sent.h"

#include "udx/udx.h"

_Static_assert(sizeof(hd_udx_sent_packet) <= 72, "one record per packet in flight: keep it small");
_Static_assert(HD_UDX_SENT_LIMIT == HD_UDX_SPAN_LIMIT, "numbers outstanding are records kept");

static void list_append(hd_udx_sent *sent, hd_udx_sent_list *list, uint32_t number);
static void list_remove(hd_udx_sent *sent, hd_udx_sent_list *list, uint32_t number);
static void leave_list(hd_udx_sent *sent, uint32_t number);

int hd_udx_sent_reserve(hd_udx_sent *sent, const hd_allocator *allocator) {
  const uint32_t count = hd_udx_sent_count(sent);
  if (count < sent->capacity) return HDHT_OK;
  if (count >= HD_UDX_SENT_LIMIT) return HDHT_ERR_LIMIT;

  const uint32_t capacity = sent->capacity == 0 ? 8 : sent->capacity * 2;
  hd_udx_sent_packet *packets = hd_allocate_array(allocator, capacity, sizeof packets[0]);
  if (packets == NULL) return HDHT_ERR_OUT_OF_MEMORY;
  for (uint32_t number = sent->una; number != sent->next; number++) {
    packets[number & (capacity - 1)] = *hd_udx_sent_at(sent, number);
  }
  hd_release(allocator, sent->packets, sent->capacity * sizeof packets[0]);
  sent->packets = packets;
  sent->capacity = capacity;
  return HDHT_OK;
}

hd_udx_sent_packet *hd_udx_sent_append(hd_udx_sent *sent, const hd_udx_sent_packet *packet) {
  hd_assert(hd_udx_sent_count(sent) < sent->capacity);
  const uint32_t number = sent->next++;
  hd_udx_sent_packet *record = hd_udx_sent_at(sent, number);
  *record = *packet;
  record->state = HD_UDX_SENT_IN_FLIGHT;
  list_append(sent, &sent->flight, number);
  sent->flight_bytes += record->wire_size;
  sent->flight_payload += record->size;
  sent->total_payload += record->size;
  return record;
}

void hd_udx_sent_lose(hd_udx_sent *sent, uint32_t number) {
  hd_udx_sent_packet *packet = hd_udx_sent_at(sent, number);
  hd_assert(packet->state == HD_UDX_SENT_IN_FLIGHT);
  leave_list(sent, number);
  packet->state = HD_UDX_SENT_LOST;
  list_append(sent, &sent->lost, number);
}

void hd_udx_sent_resend(hd_udx_sent *sent, uint32_t number, uint16_t wire_size) {
  hd_udx_sent_packet *packet = hd_udx_sent_at(sent, number);
  hd_assert(packet->state != HD_UDX_SENT_DELIVERED);
  leave_list(sent, number);
  packet->state = HD_UDX_SENT_IN_FLIGHT;
  packet->wire_size = wire_size;
  list_append(sent, &sent->flight, number);
  sent->flight_bytes += packet->wire_size;
  sent->flight_payload += packet->size;
}

void hd_udx_sent_deliver(hd_udx_sent *sent, uint32_t number) {
  hd_assert(hd_udx_sent_at(sent, number)->state != HD_UDX_SENT_DELIVERED);
  leave_list(sent, number);
  hd_udx_sent_at(sent, number)->state = HD_UDX_SENT_DELIVERED;
}

void hd_udx_sent_advance(hd_udx_sent *sent, uint32_t una) {
  hd_assert(hd_udx_seq_at_or_before(una, sent->next));
  for (uint32_t number = sent->una; number != una; number++) sent->total_payload -= hd_udx_sent_at(sent, number)->size;
  sent->una = una;
  if (sent->sacked.count > 0) hd_udx_ranges_trim_before(&sent->sacked, una);
}

void hd_udx_sent_destroy(hd_udx_sent *sent, const hd_allocator *allocator) {
  hd_release(allocator, sent->packets, sent->capacity * sizeof sent->packets[0]);
  hd_udx_ranges_destroy(&sent->sacked, allocator);
  *sent = (hd_udx_sent){.una = sent->next, .next = sent->next};
}

static void leave_list(hd_udx_sent *sent, uint32_t number) {
  const hd_udx_sent_packet *packet = hd_udx_sent_at(sent, number);
  if (packet->state == HD_UDX_SENT_LOST) {
    list_remove(sent, &sent->lost, number);
  } else {
    list_remove(sent, &sent->flight, number);
    sent->flight_bytes -= packet->wire_size;
    sent->flight_payload -= packet->size;
  }
}

static void list_append(hd_udx_sent *sent, hd_udx_sent_list *list, uint32_t number) {
  if (list->count++ == 0) {
    list->oldest = number;
  } else {
    hd_udx_sent_at(sent, number)->older = list->newest;
    hd_udx_sent_at(sent, list->newest)->newer = number;
  }
  list->newest = number;
}

/* The neighbours named by the ends of the list are stale and must not be followed. */
static void list_remove(hd_udx_sent *sent, hd_udx_sent_list *list, uint32_t number) {
  hd_assert(list->count > 0);
  const hd_udx_sent_packet *packet = hd_udx_sent_at(sent, number);
  const bool is_oldest = list->oldest == number;
  const bool is_newest = list->newest == number;
  if (is_oldest && !is_newest) list->oldest = packet->newer;
  if (is_newest && !is_oldest) list->newest = packet->older;
  if (!is_oldest && !is_newest) {
    hd_udx_sent_at(sent, packet->older)->newer = packet->newer;
    hd_udx_sent_at(sent, packet->newer)->older = packet->older;
  }
  list->count--;
}
