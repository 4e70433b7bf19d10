#include "driver_uv/uv_receive.h"

#include <errno.h>
#include <hdht/error.h>
#include <string.h>

#include "driver_uv/uv_address.h"
#include "driver_uv/uv_offload.h"

/* Joined datagrams come in messages of up to 64 KiB, single ones are far shorter. The buffers lie one after the other
 * at a distance that is no multiple of a page, so that the beginnings, which is all that single datagrams touch, do
 * not compete for the same lines of the caches. */
#if HD_UV_HAS_OFFLOADS
#define SLOT_SIZE 65536
#else
#define SLOT_SIZE 4096
#endif
#define SLOT_DISTANCE (SLOT_SIZE + 1344)

/* Room for the one control message we may get: the segment size of joined datagrams. */
typedef union control_buffer {
  struct cmsghdr header; /* for its alignment */
  uint8_t bytes[CMSG_SPACE(sizeof(int))];
} control_buffer;

struct hd_uv_receiver {
  const hd_allocator *allocator;
  size_t used_count; /* messages whose lengths the kernel overwrote with what it used */
  hd_uv_message messages[HD_UV_RECEIVE_BATCH];
  struct iovec spans[HD_UV_RECEIVE_BATCH];
  hd_uv_sockaddr addresses[HD_UV_RECEIVE_BATCH];
  control_buffer controls[HD_UV_RECEIVE_BATCH];
  hd_datagram datagrams[HD_UV_RECEIVE_BATCH];
  uint8_t slots[HD_UV_RECEIVE_BATCH * SLOT_DISTANCE];
};

int hd_uv_receiver_create(const hd_allocator *allocator, hd_uv_receiver **receiver) {
  hd_uv_receiver *created = hd_allocate(allocator, sizeof *created);
  if (created == NULL) return HDHT_ERR_OUT_OF_MEMORY;
  created->allocator = allocator;
  created->used_count = HD_UV_RECEIVE_BATCH;
  for (size_t i = 0; i < HD_UV_RECEIVE_BATCH; i++) {
    created->spans[i] = (struct iovec){.iov_base = created->slots + i * SLOT_DISTANCE, .iov_len = SLOT_SIZE};
    created->messages[i] = (hd_uv_message){.header = {.msg_name = &created->addresses[i],
                                                      .msg_iov = &created->spans[i],
                                                      .msg_iovlen = 1,
                                                      .msg_control = created->controls[i].bytes}};
  }
  *receiver = created;
  return HDHT_OK;
}

void hd_uv_receiver_destroy(hd_uv_receiver *receiver) {
  if (receiver != NULL) hd_release(receiver->allocator, receiver, sizeof *receiver);
}

static void reset_lengths(hd_uv_receiver *receiver) {
  for (size_t i = 0; i < receiver->used_count; i++) {
    receiver->messages[i].header.msg_namelen = sizeof receiver->addresses[i];
    receiver->messages[i].header.msg_controllen = sizeof receiver->controls[i].bytes;
  }
}

/* The size of the datagrams that the kernel joined in this message, or 0 when it is a single one. */
static uint16_t segment_size(struct msghdr *header, size_t message_size) {
#if HD_UV_HAS_OFFLOADS
  const struct cmsghdr *control = CMSG_FIRSTHDR(header);
  if (control == NULL || control->cmsg_level != SOL_UDP || control->cmsg_type != UDP_GRO) return 0;
  int size;
  memcpy(&size, CMSG_DATA(control), sizeof size);
  return size > 0 && (size_t)size < message_size ? (uint16_t)size : 0;
#else
  (void)header;
  (void)message_size;
  return 0;
#endif
}

static hd_datagram read_message(hd_uv_receiver *receiver, size_t index, hd_socket_id id) {
  hd_uv_message *message = &receiver->messages[index];
  return (hd_datagram){
      .socket = id,
      .from = hd_uv_address_from_system(&receiver->addresses[index], message->header.msg_namelen),
      .bytes = {.data = receiver->slots + index * SLOT_DISTANCE, .size = message->size},
      .segment_size = segment_size(&message->header, message->size),
      .is_truncated = (message->header.msg_flags & MSG_TRUNC) != 0,
  };
}

size_t hd_uv_receiver_take(hd_uv_receiver *receiver, const hd_uv_socket *socket, hd_socket_id id,
                           const hd_datagram **datagrams, bool *has_more) {
  reset_lengths(receiver);
  const int count = hd_uv_receive_messages(socket->descriptor, receiver->messages, HD_UV_RECEIVE_BATCH);
  receiver->used_count = count > 0 ? (size_t)count : 1;
  *datagrams = receiver->datagrams;
  if (count < 0) {
    *has_more = errno != EAGAIN && errno != EWOULDBLOCK; /* taking the error made way for what is behind it */
    return 0;
  }
  *has_more = count == HD_UV_RECEIVE_BATCH;
  for (size_t i = 0; i < (size_t)count; i++) receiver->datagrams[i] = read_message(receiver, i, id);
  return (size_t)count;
}
