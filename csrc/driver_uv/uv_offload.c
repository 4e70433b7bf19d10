#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* recvmmsg, sendmmsg */
#endif

#include "driver_uv/uv_offload.h"

#include <stddef.h>

#if defined(__linux__)

_Static_assert(sizeof(hd_uv_message) == sizeof(struct mmsghdr), "the kernel's layout");
_Static_assert(offsetof(hd_uv_message, size) == offsetof(struct mmsghdr, msg_len), "the kernel's layout");

int hd_uv_send_messages(int descriptor, hd_uv_message *messages, unsigned count) {
  return sendmmsg(descriptor, (struct mmsghdr *)messages, count, MSG_DONTWAIT);
}

int hd_uv_receive_messages(int descriptor, hd_uv_message *messages, unsigned count) {
  return recvmmsg(descriptor, (struct mmsghdr *)messages, count, MSG_DONTWAIT, NULL);
}

#else

int hd_uv_send_messages(int descriptor, hd_uv_message *messages, unsigned count) {
  for (unsigned i = 0; i < count; i++) {
    const ssize_t size = sendmsg(descriptor, &messages[i].header, MSG_DONTWAIT);
    if (size < 0) return i > 0 ? (int)i : -1;
    messages[i].size = (unsigned)size;
  }
  return (int)count;
}

int hd_uv_receive_messages(int descriptor, hd_uv_message *messages, unsigned count) {
  for (unsigned i = 0; i < count; i++) {
    const ssize_t size = recvmsg(descriptor, &messages[i].header, MSG_DONTWAIT);
    if (size < 0) return i > 0 ? (int)i : -1;
    messages[i].size = (unsigned)size;
  }
  return (int)count;
}

#endif
