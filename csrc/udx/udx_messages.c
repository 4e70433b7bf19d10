#include "udx/udx_messages.h"

#include "udx/udx.h"

int hd_udx_messages_push(hd_udx_messages *messages, hd_udx_pool *pool, hd_bytes bytes) {
  hd_assert(bytes.size <= sizeof(((hd_udx_message *)0)->payload));
  if (messages->count == HD_UDX_MESSAGES_LIMIT) return HDHT_ERR_WOULD_BLOCK;
  hd_udx_message *message = hd_udx_pool_take(pool);
  if (message == NULL) return HDHT_ERR_OUT_OF_MEMORY;

  message->next = NULL;
  message->size = (uint16_t)bytes.size;
  if (bytes.size > 0) memcpy(message->payload, bytes.data, bytes.size);
  if (messages->count++ == 0) {
    messages->oldest = message;
  } else {
    messages->newest->next = message;
  }
  messages->newest = message;
  return HDHT_OK;
}

hd_udx_message *hd_udx_messages_pop(hd_udx_messages *messages) {
  if (messages->count == 0) return NULL;
  hd_udx_message *message = messages->oldest;
  messages->oldest = message->next;
  messages->count--;
  return message;
}

void hd_udx_messages_destroy(hd_udx_messages *messages, hd_udx_pool *pool) {
  for (hd_udx_message *message; (message = hd_udx_messages_pop(messages)) != NULL;) hd_udx_pool_give(pool, message);
}
