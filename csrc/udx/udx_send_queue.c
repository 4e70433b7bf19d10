#include "udx/udx_send_queue.h"

#include "udx/udx.h"

static int reserve(hd_udx_send_queue *queue, const hd_allocator *allocator, size_t count);
static void append(hd_udx_send_queue *queue, hd_bytes span, bool is_last);

static hd_udx_send_part *part_at(const hd_udx_send_queue *queue, uint32_t number) {
  return &queue->parts[number & (queue->capacity - 1)];
}

int hd_udx_send_queue_push(hd_udx_send_queue *queue, const hd_allocator *allocator, const hd_bytes *spans,
                           size_t spans_count) {
  size_t used_count = 0;
  size_t last_used = 0;
  for (size_t i = 0; i < spans_count; i++) {
    if (spans[i].size > HD_UDX_WRITE_SIZE_MAX) return HDHT_ERR_TOO_LARGE;
    if (spans[i].size == 0) continue;
    used_count++;
    last_used = i;
  }
  const int error = reserve(queue, allocator, used_count == 0 ? 1 : used_count);
  if (error != HDHT_OK) return error;

  if (used_count == 0) append(queue, (hd_bytes){0}, true);
  for (size_t i = 0; i < spans_count; i++) {
    if (spans[i].size > 0) append(queue, spans[i], i == last_used);
  }
  return HDHT_OK;
}

hd_udx_send_taken hd_udx_send_queue_take(hd_udx_send_queue *queue, uint32_t size_max) {
  hd_assert(hd_udx_send_queue_has_unsent(queue));
  hd_udx_send_taken taken = {.position = queue->unsent};
  while (hd_udx_send_queue_has_unsent(queue)) {
    const uint32_t available = part_at(queue, queue->unsent.part)->size - queue->unsent.offset;
    const uint32_t room = size_max - taken.size;
    if (available > room) {
      queue->unsent.offset += room;
      taken.size += room;
      break;
    }
    taken.size += available;
    queue->unsent = (hd_udx_send_position){.part = queue->unsent.part + 1};
  }
  taken.parts_end = queue->unsent.part;
  queue->unsent_bytes -= taken.size;
  return taken;
}

uint32_t hd_udx_send_queue_spans(const hd_udx_send_queue *queue, hd_udx_send_position position, uint32_t size,
                                 hd_bytes *spans, uint32_t spans_capacity) {
  uint32_t count = 0;
  while (size > 0) {
    const hd_udx_send_part *part = part_at(queue, position.part);
    uint32_t length = part->size - position.offset;
    if (length > size) length = size;
    if (length > 0) {
      if (count == spans_capacity) return 0;
      spans[count++] = (hd_bytes){.data = part->data + position.offset, .size = length};
    }
    size -= length;
    position = (hd_udx_send_position){.part = position.part + 1};
  }
  return count;
}

void hd_udx_send_queue_copy(const hd_udx_send_queue *queue, hd_udx_send_position position, uint32_t size, uint8_t *to) {
  while (size > 0) {
    const hd_udx_send_part *part = part_at(queue, position.part);
    uint32_t length = part->size - position.offset;
    if (length > size) length = size;
    if (length > 0) memcpy(to, part->data + position.offset, length);
    to += length;
    size -= length;
    position = (hd_udx_send_position){.part = position.part + 1};
  }
}

void hd_udx_send_queue_release(hd_udx_send_queue *queue, uint32_t parts_end) {
  hd_assert(queue->unsent.part - queue->first >= parts_end - queue->first);
  while (queue->first != parts_end) {
    const hd_udx_send_part *part = part_at(queue, queue->first++);
    queue->unacked_bytes -= part->size;
    queue->writes_acked += part->is_last;
  }
}

void hd_udx_send_queue_destroy(hd_udx_send_queue *queue, const hd_allocator *allocator) {
  hd_release(allocator, queue->parts, queue->capacity * sizeof queue->parts[0]);
  *queue = (hd_udx_send_queue){.writes_acked = queue->writes_acked};
}

static int reserve(hd_udx_send_queue *queue, const hd_allocator *allocator, size_t count) {
  const uint32_t used = queue->end - queue->first;
  if (count > HD_UDX_WRITES_LIMIT || used + count > HD_UDX_WRITES_LIMIT) return HDHT_ERR_LIMIT;
  uint32_t capacity = queue->capacity == 0 ? 8 : queue->capacity;
  while (capacity < used + count) capacity *= 2;
  if (capacity == queue->capacity) return HDHT_OK;

  hd_udx_send_part *parts = hd_allocate_array(allocator, capacity, sizeof parts[0]);
  if (parts == NULL) return HDHT_ERR_OUT_OF_MEMORY;
  for (uint32_t number = queue->first; number != queue->end; number++) {
    parts[number & (capacity - 1)] = *part_at(queue, number);
  }
  hd_release(allocator, queue->parts, queue->capacity * sizeof parts[0]);
  queue->parts = parts;
  queue->capacity = capacity;
  return HDHT_OK;
}

static void append(hd_udx_send_queue *queue, hd_bytes span, bool is_last) {
  *part_at(queue, queue->end++) =
      (hd_udx_send_part){.data = span.data, .size = (uint32_t)span.size, .is_last = is_last ? 1 : 0};
  queue->unsent_bytes += span.size;
  queue->unacked_bytes += span.size;
}
