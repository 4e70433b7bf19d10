#include "api/api_copies.h"

#include <hdht/error.h>
#include <string.h>

#include "base/assertion.h"

struct hd_api_chunk {
  hd_api_chunk *next;
  size_t capacity;
  size_t used;
  size_t given;         /* bytes that the stream has */
  uint64_t given_until; /* number of the stream's write that has the last of them */
  uint8_t bytes[];
};

void hd_api_copies_init(hd_api_copies *copies, const hd_allocator *allocator, size_t limit) {
  *copies = (hd_api_copies){.allocator = allocator, .limit = limit};
  hd_ring_init(&copies->marks, allocator, sizeof(hd_api_mark), HD_UDX_WRITES_LIMIT);
}

static void release_first(hd_api_copies *copies) {
  hd_api_chunk *chunk = copies->first;
  copies->first = chunk->next;
  if (copies->first == NULL) copies->last = NULL;
  copies->chunk_bytes -= chunk->capacity;
  hd_release(copies->allocator, chunk, sizeof *chunk + chunk->capacity);
}

void hd_api_copies_destroy(hd_api_copies *copies) {
  while (copies->first != NULL) release_first(copies);
  hd_ring_destroy(&copies->marks);
}

/* ---- in -------------------------------------------------------------------------------------------------------- */

static int total_size(const hd_bytes *parts, size_t parts_count, size_t *size) {
  size_t total = 0;
  for (size_t i = 0; i < parts_count; i++) {
    if (parts[i].size > HD_UDX_WRITE_SIZE_MAX - total) return HDHT_ERR_TOO_LARGE;
    total += parts[i].size;
  }
  *size = total;
  return HDHT_OK;
}

static int add_chunk(hd_api_copies *copies, size_t size) {
  const size_t capacity = size > HD_API_COPIES_CHUNK_SIZE ? size : HD_API_COPIES_CHUNK_SIZE;
  if (copies->chunk_bytes > 0 && copies->chunk_bytes + capacity > copies->limit) return HDHT_ERR_WOULD_BLOCK;
  hd_api_chunk *chunk = hd_allocate(copies->allocator, sizeof *chunk + capacity);
  if (chunk == NULL) return HDHT_ERR_OUT_OF_MEMORY;
  *chunk = (hd_api_chunk){.capacity = capacity};
  if (copies->last != NULL) {
    copies->last->next = chunk;
  } else {
    copies->first = chunk;
  }
  copies->last = chunk;
  copies->chunk_bytes += capacity;
  return HDHT_OK;
}

static void append(hd_api_chunk *chunk, const hd_bytes *parts, size_t parts_count) {
  for (size_t i = 0; i < parts_count; i++) {
    if (parts[i].size == 0) continue;
    memcpy(chunk->bytes + chunk->used, parts[i].data, parts[i].size);
    chunk->used += parts[i].size;
  }
}

int hd_api_copies_add(hd_api_copies *copies, hd_udx_stream *stream, const hd_bytes *parts, size_t parts_count) {
  size_t size;
  int result = total_size(parts, parts_count, &size);
  if (result != HDHT_OK) return result;
  hd_assert(size > 0);

  if (copies->last == NULL || copies->last->capacity - copies->last->used < size) {
    result = hd_api_copies_flush(copies, stream);
    if (result == HDHT_OK) result = add_chunk(copies, size);
    if (result != HDHT_OK) return result;
  }
  append(copies->last, parts, parts_count);
  copies->waiting_count++;
  return HDHT_OK;
}

/* ---- on to the stream ------------------------------------------------------------------------------------------ */

/* Notes that the stream's next write is `count` of the user's. Errors: those of hd_ring_push. */
static int push_mark(hd_api_copies *copies, uint64_t count) {
  void *place;
  const int result = hd_ring_push(&copies->marks, &place);
  if (result == HDHT_OK) {
    *(hd_api_mark *)place = (hd_api_mark){.given = copies->given_count + 1, .writes = copies->writes_count + count};
  }
  return result;
}

static int give(hd_api_copies *copies, hd_udx_stream *stream, const hd_bytes *parts, size_t parts_count,
                uint64_t count) {
  int result = count != 1 ? push_mark(copies, count) : HDHT_OK;
  if (result != HDHT_OK) return result;
  result = hd_udx_stream_write(stream, parts, parts_count);
  if (result != HDHT_OK) {
    if (count != 1) hd_ring_pop_back(&copies->marks);
    return result;
  }
  copies->given_count++;
  copies->writes_count += count;
  return HDHT_OK;
}

int hd_api_copies_flush(hd_api_copies *copies, hd_udx_stream *stream) {
  if (!hd_api_copies_has_waiting(copies)) return HDHT_OK;
  hd_api_chunk *chunk = copies->last;
  const hd_bytes part = {.data = chunk->bytes + chunk->given, .size = chunk->used - chunk->given};
  const int result = give(copies, stream, &part, 1, copies->waiting_count);
  if (result != HDHT_OK) return result;
  chunk->given = chunk->used;
  chunk->given_until = copies->given_count;
  copies->waiting_count = 0;
  return HDHT_OK;
}

int hd_api_copies_pass(hd_api_copies *copies, hd_udx_stream *stream, const hd_bytes *parts, size_t parts_count) {
  hd_assert(!hd_api_copies_has_waiting(copies));
  return give(copies, stream, parts, parts_count, 1);
}

/* ---- out ------------------------------------------------------------------------------------------------------- */

void hd_api_copies_completed(hd_api_copies *copies, uint64_t given_count) {
  hd_assert(given_count <= copies->given_count);
  for (const hd_api_mark *mark; (mark = hd_ring_front(&copies->marks)) != NULL && mark->given <= given_count;) {
    copies->passed = *mark;
    hd_ring_pop(&copies->marks);
  }
  copies->completed_count = copies->passed.writes + (given_count - copies->passed.given);

  for (const hd_api_chunk *chunk; (chunk = copies->first) != NULL;) {
    if (chunk->given < chunk->used || chunk->given_until > given_count) break;
    release_first(copies);
  }
}
