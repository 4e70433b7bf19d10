#include "mux/mux_waiting.h"

/* Type and size, in the machine's own order: the bytes never leave it. */
#define RECORD_HEADER_SIZE (2 * sizeof(uint32_t))
#define FIRST_CAPACITY     ((size_t)256)

static bool grow(const hd_allocator *allocator, hd_mux_waiting *waiting, size_t capacity);

size_t hd_mux_waiting_size(const hd_mux_key *key, hd_bytes handshake) {
  return sizeof(hd_mux_waiting) + key->protocol.size + key->id.size + handshake.size;
}

hd_mux_waiting *hd_mux_waiting_create(const hd_allocator *allocator, uint32_t remote_id, const hd_mux_key *key,
                                      hd_bytes handshake, uint64_t order) {
  const size_t size = hd_mux_waiting_size(key, handshake);
  hd_mux_waiting *waiting = hd_allocate(allocator, size);
  if (waiting == NULL) return NULL;
  uint8_t *next = (uint8_t *)(waiting + 1);
  *waiting = (hd_mux_waiting){
      .name = {.key = *key, .kind = HD_MUX_NAME_WAITING, .subject = waiting},
      .order = order,
      .remote_id = remote_id,
      .allocation_size = size,
  };
  waiting->name.key.protocol = hd_mux_keep_bytes(&next, key->protocol);
  waiting->name.key.id = hd_mux_keep_bytes(&next, key->id);
  waiting->handshake = hd_mux_keep_bytes(&next, handshake);
  hd_list_init(&waiting->link);
  hd_list_init(&waiting->name.link);
  return waiting;
}

void hd_mux_waiting_destroy(const hd_allocator *allocator, hd_mux_waiting *waiting) {
  hd_release(allocator, waiting->messages, waiting->messages_capacity);
  hd_release(allocator, waiting, waiting->allocation_size);
}

int hd_mux_waiting_push(const hd_allocator *allocator, hd_mux_waiting *waiting, uint32_t type, hd_bytes body,
                        size_t held_size_room) {
  if (body.size > UINT32_MAX) return HDHT_ERR_LIMIT;
  const size_t needed = waiting->messages_size + RECORD_HEADER_SIZE + body.size;
  if (needed > waiting->messages_capacity) {
    size_t capacity = waiting->messages_capacity > 0 ? waiting->messages_capacity : FIRST_CAPACITY;
    while (capacity < needed) capacity *= 2;
    const size_t capacity_limit = waiting->messages_capacity + held_size_room;
    if (capacity > capacity_limit) capacity = capacity_limit;
    if (capacity < needed) return HDHT_ERR_LIMIT;
    if (!grow(allocator, waiting, capacity)) return HDHT_ERR_OUT_OF_MEMORY;
  }
  const uint32_t header[2] = {type, (uint32_t)body.size};
  uint8_t *record = waiting->messages + waiting->messages_size;
  memcpy(record, header, RECORD_HEADER_SIZE);
  if (body.size > 0) memcpy(record + RECORD_HEADER_SIZE, body.data, body.size);
  waiting->messages_size = needed;
  waiting->buffered_size += HD_MUX_BUFFERED_MESSAGE_COST + body.size;
  return HDHT_OK;
}

bool hd_mux_waiting_take(hd_mux_waiting *waiting, uint32_t *type, hd_bytes *body) {
  if (waiting->messages_taken == waiting->messages_size) return false;
  const uint8_t *record = waiting->messages + waiting->messages_taken;
  uint32_t header[2];
  memcpy(header, record, RECORD_HEADER_SIZE);
  *type = header[0];
  *body = hd_bytes_of(record + RECORD_HEADER_SIZE, header[1]);
  waiting->messages_taken += RECORD_HEADER_SIZE + body->size;
  hd_assert(waiting->messages_taken <= waiting->messages_size);
  waiting->buffered_size -= HD_MUX_BUFFERED_MESSAGE_COST + body->size;
  return true;
}

static bool grow(const hd_allocator *allocator, hd_mux_waiting *waiting, size_t capacity) {
  uint8_t *messages = hd_allocate(allocator, capacity);
  if (messages == NULL) return false;
  if (waiting->messages_size > 0) memcpy(messages, waiting->messages, waiting->messages_size);
  hd_release(allocator, waiting->messages, waiting->messages_capacity);
  waiting->messages = messages;
  waiting->messages_capacity = capacity;
  return true;
}
