#include "node/node_events.h"

#include "base/assertion.h"

void hd_node_events_init(hd_node_events *events, const hd_allocator *allocator) {
  *events = (hd_node_events){.allocator = allocator};
  hd_list_init(&events->queue);
  for (unsigned kind = 0; kind < HD_EVENT_NODE_KINDS; kind++) {
    events->news[kind].event.kind = (hd_event_kind)kind;
    hd_list_init(&events->news[kind].link);
  }
}

static void release_entry(hd_node_events *events, hd_node_event_entry *entry) {
  hd_list_remove(&entry->link);
  if (entry->size > 0) hd_release(events->allocator, entry, entry->size);
}

static void release_lent(hd_node_events *events) {
  if (events->lent != NULL) release_entry(events, events->lent);
  events->lent = NULL;
}

void hd_node_events_destroy(hd_node_events *events) {
  release_lent(events);
  HD_LIST_EACH(link, &events->queue) release_entry(events, HD_CONTAINER_OF(link, hd_node_event_entry, link));
}

void hd_node_events_add_news(hd_node_events *events, hd_event_kind kind) {
  hd_assert(kind < HD_EVENT_NODE_KINDS);
  if (hd_list_is_empty(&events->news[kind].link)) hd_list_push_back(&events->queue, &events->news[kind].link);
}

void hd_node_events_add(hd_node_events *events, hd_node_event_entry *entry) {
  hd_assert(hd_list_is_empty(&entry->link));
  hd_list_push_back(&events->queue, &entry->link);
}

bool hd_node_events_next(hd_node_events *events, hd_event *event) {
  release_lent(events);
  hd_list *link = hd_list_first(&events->queue);
  if (link == NULL) return false;
  hd_node_event_entry *entry = HD_CONTAINER_OF(link, hd_node_event_entry, link);
  hd_list_remove(link);
  if (entry->size > 0) events->lent = entry;
  *event = entry->event;
  return true;
}

void hd_node_events_remove(hd_node_events *events, const hd_node_operation *operation) {
  HD_LIST_EACH(link, &events->queue) {
    hd_node_event_entry *entry = HD_CONTAINER_OF(link, hd_node_event_entry, link);
    if (entry->event.operation == operation) release_entry(events, entry);
  }
}

/* ---- copies ---------------------------------------------------------------------------------------------------- */

static hd_node_event_entry *allocate_entry(hd_node_events *events, size_t payload_size, hd_writer *payload) {
  hd_node_event_entry *entry = hd_allocate(events->allocator, sizeof *entry + payload_size);
  if (entry == NULL) return NULL;
  *entry = (hd_node_event_entry){.size = sizeof *entry + payload_size};
  hd_list_init(&entry->link);
  *payload = hd_writer_of((uint8_t *)(entry + 1), payload_size);
  return entry;
}

/* Copies bytes behind the entry; NULL stays NULL. The size was counted before. */
static const uint8_t *copy_bytes(hd_writer *payload, const void *bytes, size_t size) {
  if (bytes == NULL) return NULL;
  const uint8_t *copy = payload->next;
  const int error = hd_writer_put(payload, bytes, size);
  hd_assert(error == HDHT_OK);
  return copy;
}

static hd_bytes copy_span(hd_writer *payload, hd_bytes bytes) {
  return (hd_bytes){.data = copy_bytes(payload, bytes.data, bytes.size), .size = bytes.size};
}

/* A list that points to an array, or into a datagram, becomes one that points to a copy of its encoded form. */
static hdht_peer_list copy_peers(hd_writer *payload, const hdht_peer_list *peers) {
  hdht_peer_list copy = {0};
  if (peers->count == 0) return copy;
  hd_reader reader = {.next = payload->next};
  int error = hd_messages_write_peers(payload, peers);
  hd_assert(error == HDHT_OK); /* it was read from a message */
  reader.end = payload->next;
  error = hd_messages_read_peers(&reader, &copy);
  hd_assert(error == HDHT_OK);
  return copy;
}

static size_t peers_size(const hdht_peer_list *peers) {
  size_t size = 0;
  if (peers->count > 0 && hd_messages_peers_size(peers, &size) != HDHT_OK) return 0;
  return size;
}

int hd_node_events_add_found(hd_node_events *events, hd_node_operation *operation, void *context,
                             const hd_announce_found *found) {
  const size_t size =
      HDHT_NODE_ID_SIZE + HDHT_TOKEN_SIZE + HDHT_SIGNATURE_SIZE + peers_size(&found->peers) + found->value.size;
  hd_writer payload;
  hd_node_event_entry *entry = allocate_entry(events, size, &payload);
  if (entry == NULL) return HDHT_ERR_OUT_OF_MEMORY;
  entry->event = (hd_event){.kind = HD_EVENT_FOUND, .operation = operation, .context = context, .found = *found};
  hd_announce_found *copy = &entry->event.found;
  copy->id = (const hd_node_id *)copy_bytes(&payload, found->id, HDHT_NODE_ID_SIZE);
  copy->token = copy_bytes(&payload, found->token, HDHT_TOKEN_SIZE);
  copy->signature = copy_bytes(&payload, found->signature, HDHT_SIGNATURE_SIZE);
  copy->value = copy_span(&payload, found->value);
  copy->peers = copy_peers(&payload, &found->peers);
  hd_node_events_add(events, entry);
  return HDHT_OK;
}

/* Room for one peer as a list of one. */
static size_t to_sign_size(const hd_announce_to_sign *to_sign) {
  const hdht_peer_list record = {.array = &to_sign->peer, .count = 1};
  return HDHT_HASH_SIZE + HDHT_NODE_ID_SIZE + HDHT_TOKEN_SIZE + peers_size(&record) + to_sign->value.size;
}

int hd_node_events_add_sign(hd_node_events *events, hd_node_operation *operation, void *context,
                            const hd_announce_to_sign *to_sign) {
  hd_writer payload;
  hd_node_event_entry *entry = allocate_entry(events, to_sign_size(to_sign), &payload);
  if (entry == NULL) return HDHT_ERR_OUT_OF_MEMORY;
  entry->event = (hd_event){.kind = HD_EVENT_SIGN, .operation = operation, .context = context, .to_sign = *to_sign};
  hd_announce_to_sign *copy = &entry->event.to_sign;
  copy->target = copy_bytes(&payload, to_sign->target, HDHT_HASH_SIZE);
  copy->node_id = copy_bytes(&payload, to_sign->node_id, HDHT_NODE_ID_SIZE);
  copy->token = copy_bytes(&payload, to_sign->token, HDHT_TOKEN_SIZE);
  copy->value = copy_span(&payload, to_sign->value);
  const hdht_peer_list record = {.array = &to_sign->peer, .count = 1};
  hdht_peer_list rest = copy_peers(&payload, &record);
  (void)hdht_peer_list_next(&rest, &copy->peer);
  hd_node_events_add(events, entry);
  return HDHT_OK;
}
