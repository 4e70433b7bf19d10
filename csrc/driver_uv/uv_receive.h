/* Takes datagrams out of sockets, many per system call, into buffers that all sockets of a driver share: so a socket
 * costs no buffer, and opening hundreds is cheap. */
#ifndef HD_UV_RECEIVE_H
#define HD_UV_RECEIVE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/allocator.h"
#include "base/datagram.h"
#include "driver_uv/uv_socket.h"

/* Messages taken per system call. */
#define HD_UV_RECEIVE_BATCH 64

typedef struct hd_uv_receiver hd_uv_receiver;

/* Errors: HDHT_ERR_OUT_OF_MEMORY. */
int hd_uv_receiver_create(const hd_allocator *allocator, hd_uv_receiver **receiver);

void hd_uv_receiver_destroy(hd_uv_receiver *receiver);

/* Takes what waits in the socket, at most one batch. Errors of the socket are skipped: over UDP they tell about earlier
 * sends, and whom they concern cannot be known.
 *
 * id         goes into the datagrams
 * datagrams  [out] good until the next call with this receiver
 * has_more   [out] whether another batch may be waiting
 *
 * Returns how many there are. */
size_t hd_uv_receiver_take(hd_uv_receiver *receiver, const hd_uv_socket *socket, hd_socket_id id,
                           const hd_datagram **datagrams, bool *has_more);

#endif
