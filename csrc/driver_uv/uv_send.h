/* Puts datagrams into sockets, many per system call: batches go to the kernel whole where it can cut them itself
 * (UDP_SEGMENT), and are cut here where it cannot. */
#ifndef HD_UV_SEND_H
#define HD_UV_SEND_H

#include <stdbool.h>
#include <stddef.h>

#include "base/allocator.h"
#include "base/datagram.h"
#include "driver_uv/uv_offload.h"
#include "driver_uv/uv_socket.h"

typedef struct hd_uv_sender hd_uv_sender;

/* hd_uv_send_messages; a test may put a worse kernel in its place. */
typedef int (*hd_uv_send_call)(int descriptor, hd_uv_message *messages, unsigned count);

/* Told of each `out` that did not leave whole: only its first `segments_sent` datagrams did. `error`:
 *
 *   HDHT_ERR_WOULD_BLOCK          the socket is full
 *   HDHT_ERR_TOO_LARGE            the next datagram is larger than the path or the system takes
 *   HDHT_ERR_ADDRESS_UNAVAILABLE  the socket cannot reach addresses of this family
 *   HDHT_ERR_PERMISSION, HDHT_ERR_OUT_OF_MEMORY, HDHT_ERR_NETWORK */
typedef void (*hd_uv_unsent)(void *context, const hd_datagram_out *out, uint32_t segments_sent, int error);

/* Errors: HDHT_ERR_OUT_OF_MEMORY. */
int hd_uv_sender_create(const hd_allocator *allocator, hd_uv_send_call call, hd_uv_sender **sender);

void hd_uv_sender_destroy(hd_uv_sender *sender);

/* Sends `outs` from `socket`, whatever their `socket` member says, in order. One that fails does not keep the next ones
 * from being sent, unless the socket is full: then `unsent` is told of all that remain.
 *
 * Returns false when the socket is full: wait until it is writable. */
bool hd_uv_sender_send(hd_uv_sender *sender, hd_uv_socket *socket, const hd_datagram_out *outs, size_t outs_count,
                       hd_uv_unsent unsent, void *context);

#endif
