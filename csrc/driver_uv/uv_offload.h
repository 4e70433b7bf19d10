/* The system's calls that move several datagrams at once, or their plain equivalents where it has none: compile-time
 * differences between systems live here and in uv_socket.c. */
#ifndef HD_UV_OFFLOAD_H
#define HD_UV_OFFLOAD_H

#include <sys/socket.h>

#if defined(__linux__)

#include <netinet/in.h>
#include <netinet/udp.h>

/* Older C libraries have no names for what the kernel may still have. */
#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif
#ifndef UDP_GRO
#define UDP_GRO 104
#endif
#ifndef SOL_UDP
#define SOL_UDP 17
#endif

#define HD_UV_HAS_OFFLOADS    1
#define HD_UV_HAS_CONTROL_TTL 1 /* a control message sets the time to live of one datagram */

#else

#define HD_UV_HAS_OFFLOADS    0
#define HD_UV_HAS_CONTROL_TTL 0

#endif

/* Linux's struct mmsghdr, which its C library shows only to those who ask for everything GNU. */
typedef struct hd_uv_message {
  struct msghdr header;
  unsigned int size; /* bytes received or sent */
} hd_uv_message;

/* Sends the messages in order until one fails.
 *
 * Returns how many were sent; -1 with errno when not even the first was. */
int hd_uv_send_messages(int descriptor, hd_uv_message *messages, unsigned count);

/* Takes what is there, up to `count` messages, without waiting.
 *
 * Returns how many were filled; -1 with errno when none. */
int hd_uv_receive_messages(int descriptor, hd_uv_message *messages, unsigned count);

#endif
