#include "rpc/rpc_requests.h"

#include "base/assertion.h"
#include "base/sip_hash.h"

_Static_assert(HD_RPC_REQUESTS_LIMIT <= 65536 / 4, "a random id is soon found to be free");

void hd_rpc_requests_init(hd_rpc_requests *requests, const hd_allocator *allocator, hd_entropy *entropy) {
  *requests = (hd_rpc_requests){.allocator = allocator, .entropy = entropy};
  const uint64_t seed[2] = {hd_entropy_u64(entropy), hd_entropy_u64(entropy)};
  hd_hash_map_init(&requests->by_tid, allocator, sizeof(uint16_t), sizeof(hd_rpc_request *), HD_RPC_REQUESTS_LIMIT,
                   seed);
  hd_deadline_heap_init(&requests->deadlines, allocator);
  hd_list_init(&requests->waiting);
  hd_list_init(&requests->pool);
}

static void release_bytes(const hd_rpc_requests *requests, hd_rpc_request *request) {
  if (request->bytes != request->inlined) hd_release(requests->allocator, request->bytes, request->size);
  request->bytes = request->inlined;
}

void hd_rpc_requests_destroy(hd_rpc_requests *requests) {
  hd_rpc_request *request;
  while ((request = hd_rpc_requests_any(requests)) != NULL) hd_rpc_requests_remove(requests, request);
  HD_LIST_EACH(link, &requests->pool) {
    hd_list_remove(link);
    hd_release(requests->allocator, HD_CONTAINER_OF(link, hd_rpc_request, waiting), sizeof(hd_rpc_request));
  }
  hd_hash_map_destroy(&requests->by_tid);
  hd_deadline_heap_destroy(&requests->deadlines);
}

static hd_rpc_request *take_from_pool(hd_rpc_requests *requests) {
  hd_list *link = hd_list_first(&requests->pool);
  if (link == NULL) return hd_allocate(requests->allocator, sizeof(hd_rpc_request));
  hd_list_remove(link);
  return HD_CONTAINER_OF(link, hd_rpc_request, waiting);
}

static void give_to_pool(hd_rpc_requests *requests, hd_rpc_request *request) {
  release_bytes(requests, request);
  hd_list_init(&request->waiting);
  hd_list_push_front(&requests->pool, &request->waiting);
}

static int take_tid(hd_rpc_requests *requests, hd_rpc_request *request) {
  if (requests->by_tid.count >= HD_RPC_REQUESTS_LIMIT) return HDHT_ERR_LIMIT;
  void *value;
  bool is_new;
  do {
    const uint16_t tid = (uint16_t)hd_entropy_u32(requests->entropy);
    const int error = hd_hash_map_insert(&requests->by_tid, &tid, &value, &is_new);
    if (error != HDHT_OK) return error;
    if (is_new) request->tid = tid;
  } while (!is_new);
  *(hd_rpc_request **)value = request;
  return HDHT_OK;
}

int hd_rpc_requests_add(hd_rpc_requests *requests, size_t size, hd_rpc_request **request) {
  hd_rpc_request *made = take_from_pool(requests);
  if (made == NULL) return HDHT_ERR_OUT_OF_MEMORY;
  *made = (hd_rpc_request){.size = (uint32_t)size};
  hd_list_init(&made->waiting);
  made->bytes = size <= sizeof made->inlined ? made->inlined : hd_allocate(requests->allocator, size);

  int error = made->bytes == NULL ? HDHT_ERR_OUT_OF_MEMORY : HDHT_OK;
  if (error == HDHT_OK) error = hd_deadline_heap_reserve(&requests->deadlines, (uint32_t)requests->by_tid.count + 1);
  if (error == HDHT_OK) error = take_tid(requests, made);
  if (error != HDHT_OK) {
    if (made->bytes == NULL) made->bytes = made->inlined;
    give_to_pool(requests, made);
    return error;
  }
  *request = made;
  return HDHT_OK;
}

void hd_rpc_requests_remove(hd_rpc_requests *requests, hd_rpc_request *request) {
  hd_assert(hd_rpc_requests_find(requests, request->tid) == request);
  hd_hash_map_remove(&requests->by_tid, &request->tid);
  hd_deadline_heap_remove(&requests->deadlines, &request->deadline);
  hd_list_remove(&request->waiting);
  give_to_pool(requests, request);
}

hd_rpc_request *hd_rpc_requests_find(const hd_rpc_requests *requests, uint16_t tid) {
  hd_rpc_request *const *request = hd_hash_map_find(&requests->by_tid, &tid);
  return request != NULL ? *request : NULL;
}

hd_rpc_request *hd_rpc_requests_any(const hd_rpc_requests *requests) {
  size_t position = 0;
  const void *key;
  void *value;
  return hd_hash_map_next(&requests->by_tid, &position, &key, &value) ? *(hd_rpc_request **)value : NULL;
}

size_t hd_rpc_requests_count(const hd_rpc_requests *requests) {
  return requests->by_tid.count;
}
