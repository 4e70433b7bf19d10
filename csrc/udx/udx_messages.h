/* Unordered messages waiting to be sent: copies in blocks of the pool, oldest first. */
#ifndef HD_UDX_MESSAGES_H
#define HD_UDX_MESSAGES_H

#include "base/bytes.h"
#include "udx/udx_pool.h"

typedef struct hd_udx_message {
  struct hd_udx_message *next;
  uint16_t size;
  uint8_t payload[HD_UDX_BLOCK_SIZE - sizeof(void *) - sizeof(uint16_t)];
} hd_udx_message;

typedef struct hd_udx_messages {
  hd_udx_message *oldest;
  hd_udx_message *newest;
  uint32_t count;
} hd_udx_messages;

/* Appends a copy.
 * Errors: HDHT_ERR_WOULD_BLOCK (HD_UDX_MESSAGES_LIMIT), HDHT_ERR_OUT_OF_MEMORY. */
int hd_udx_messages_push(hd_udx_messages *messages, hd_udx_pool *pool, hd_bytes bytes);

/* Takes the oldest; its block is the caller's, to give back to the pool. NULL when there is none. */
hd_udx_message *hd_udx_messages_pop(hd_udx_messages *messages);

void hd_udx_messages_destroy(hd_udx_messages *messages, hd_udx_pool *pool);

#endif
