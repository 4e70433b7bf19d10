#include "driver_uv/uv_send.h"

#include <errno.h>
#include <hdht/error.h>
#include <limits.h>
#include <string.h>

#include "base/assertion.h"
#include "driver_uv/uv_address.h"
#include "driver_uv/uv_error.h"

/* Messages per system call. */
#define MESSAGES_MAX 64

/* Spans of memory that the kernel takes per message. */
#if defined(IOV_MAX)
#define PARTS_MAX IOV_MAX
#else
#define PARTS_MAX 1024
#endif

/* Datagrams of more parts than that are first put together here. Only many tiny writes make such datagrams, and they
 * are no longer than a UDX packet. */
#define ASSEMBLED_MAX 2048

_Static_assert(sizeof(hd_bytes) == sizeof(struct iovec), "parts are handed to the kernel as they are");
_Static_assert(offsetof(hd_bytes, data) == offsetof(struct iovec, iov_base), "parts are handed to the kernel");
_Static_assert(offsetof(hd_bytes, size) == offsetof(struct iovec, iov_len), "parts are handed to the kernel");

/* How far into the list of outs sending has come: always the beginning of a datagram. */
typedef struct position {
  size_t out;
  uint32_t part;
  uint32_t segment;
  bool cuts_out; /* the kernel failed to cut this out, so it is done here */
} position;

/* Room for the control messages we may send: a segment size and a time to live. */
typedef union control_buffer {
  struct cmsghdr header; /* for its alignment */
  uint8_t bytes[CMSG_SPACE(sizeof(uint16_t)) + CMSG_SPACE(sizeof(int))];
} control_buffer;

struct hd_uv_sender {
  const hd_allocator *allocator;
  hd_uv_send_call call;
  hd_uv_message messages[MESSAGES_MAX];
  position positions[MESSAGES_MAX + 1]; /* where each message begins; one more for where the last one ends */
  hd_uv_sockaddr addresses[MESSAGES_MAX];
  control_buffer controls[MESSAGES_MAX];
  struct iovec assembled_span;
  uint8_t assembled[ASSEMBLED_MAX];
};

int hd_uv_sender_create(const hd_allocator *allocator, hd_uv_send_call call, hd_uv_sender **sender) {
  hd_uv_sender *created = hd_allocate_zeroed(allocator, sizeof *created);
  if (created == NULL) return HDHT_ERR_OUT_OF_MEMORY;
  created->allocator = allocator;
  created->call = call;
  *sender = created;
  return HDHT_OK;
}

void hd_uv_sender_destroy(hd_uv_sender *sender) {
  if (sender != NULL) hd_release(sender->allocator, sender, sizeof *sender);
}

/* ---- one message ----------------------------------------------------------------------------------------------- */

#if HD_UV_HAS_OFFLOADS || HD_UV_HAS_CONTROL_TTL
static void add_control(struct msghdr *header, int level, int type, const void *value, size_t size) {
  struct cmsghdr *control = (struct cmsghdr *)(void *)((uint8_t *)header->msg_control + header->msg_controllen);
  control->cmsg_level = level;
  control->cmsg_type = type;
  control->cmsg_len = CMSG_LEN(size);
  memcpy(CMSG_DATA(control), value, size);
  header->msg_controllen += CMSG_SPACE(size);
}
#endif

#if HD_UV_HAS_CONTROL_TTL
/* IPv4 through an IPv6 socket takes the IPv4 option. */
static void add_ttl(struct msghdr *header, const hd_datagram_out *out) {
  const int ttl = out->ttl;
  if (out->to.family == HDHT_FAMILY_IPV6) {
    add_control(header, IPPROTO_IPV6, IPV6_HOPLIMIT, &ttl, sizeof ttl);
  } else {
    add_control(header, IPPROTO_IP, IP_TTL, &ttl, sizeof ttl);
  }
}
#endif

static void add_controls(struct msghdr *header, const hd_datagram_out *out, bool is_batch) {
#if HD_UV_HAS_OFFLOADS
  if (is_batch) add_control(header, SOL_UDP, UDP_SEGMENT, &out->segment_size, sizeof out->segment_size);
#endif
#if HD_UV_HAS_CONTROL_TTL
  if (out->ttl != 0) add_ttl(header, out);
#endif
  (void)is_batch;
  (void)out;
  if (header->msg_controllen == 0) header->msg_control = NULL;
}

static struct iovec *assemble(hd_uv_sender *sender, const hd_bytes *parts, uint32_t parts_count) {
  size_t size = 0;
  for (uint32_t i = 0; i < parts_count; i++) {
    hd_assert(parts[i].size <= ASSEMBLED_MAX - size);
    memcpy(sender->assembled + size, parts[i].data, parts[i].size);
    size += parts[i].size;
  }
  sender->assembled_span = (struct iovec){.iov_base = sender->assembled, .iov_len = size};
  return &sender->assembled_span;
}

/* Takes as many datagrams of the batch as one message holds and returns the position behind them. */
static position take_segments(const hd_datagram_out *out, position from, bool takes_many, uint32_t *parts_count) {
  position next = from;
  uint32_t part = from.part, first, count, size;
  *parts_count = 0;
  while (hd_datagram_out_next_segment(out, &part, &first, &count, &size)) {
    if (next.segment > from.segment && (!takes_many || part - from.part > PARTS_MAX)) break;
    next.part = part;
    next.segment++;
    *parts_count = part - from.part;
  }
  return next;
}

/* Everything but the address. Returns the position behind the message. */
static position fill_message(hd_uv_sender *sender, const hd_uv_socket *socket, const hd_datagram_out *out,
                             position from, size_t index) {
  uint32_t parts_count;
  position next = take_segments(out, from, socket->can_segment && !from.cuts_out, &parts_count);
  const bool is_batch = next.segment - from.segment > 1;
  const hd_bytes *parts = parts_count > 0 ? out->parts + from.part : NULL; /* an empty datagram has no parts */

  struct msghdr *header = &sender->messages[index].header;
  *header = (struct msghdr){.msg_control = sender->controls[index].bytes};
  if (parts_count <= PARTS_MAX) {
    header->msg_iov = (struct iovec *)(void *)(uintptr_t)parts; /* the kernel only reads them */
    header->msg_iovlen = parts_count;
  } else {
    header->msg_iov = assemble(sender, parts, parts_count);
    header->msg_iovlen = 1;
  }
  add_controls(header, out, is_batch);

  if (next.part == out->parts_count) next = (position){.out = from.out + 1};
  return next;
}

/* ---- one system call ------------------------------------------------------------------------------------------- */

/* Whether an option of the socket has to be changed for this one. */
static bool needs_option(const hd_datagram_out *out) {
  return out->may_fragment || (out->ttl != 0 && !HD_UV_HAS_CONTROL_TTL);
}

/* Whether this one cannot share its system call: it needs an option of the socket, or the only assembly buffer. */
static bool goes_alone(const hd_datagram_out *out) {
  return needs_option(out) || out->parts_count > PARTS_MAX;
}

/* Writes messages for what follows `from`.
 *
 * Returns how many; 0 when the first out cannot be reached from this socket. */
static unsigned fill_messages(hd_uv_sender *sender, const hd_uv_socket *socket, const hd_datagram_out *outs,
                              size_t outs_count, position from) {
  unsigned filled = 0;
  position next = from;
  while (filled < MESSAGES_MAX && next.out < outs_count) {
    const hd_datagram_out *out = &outs[next.out];
    if (filled > 0 && goes_alone(out)) break;
    const socklen_t size = hd_uv_address_to_system(&out->to, socket->family, &sender->addresses[filled]);
    if (size == 0) break;

    sender->positions[filled] = next;
    next = fill_message(sender, socket, out, next, filled);
    sender->messages[filled].header.msg_name = &sender->addresses[filled];
    sender->messages[filled].header.msg_namelen = size;
    filled++;
    if (goes_alone(out)) break;
  }
  sender->positions[filled] = next;
  return filled;
}

/* Sends with the socket's options changed as `out` needs it, then changes them back. */
static int call_with_options(hd_uv_sender *sender, hd_uv_socket *socket, const hd_datagram_out *out, unsigned count) {
  uint8_t default_ttl = 0;
  const bool changes_ttl =
      out->ttl != 0 && !HD_UV_HAS_CONTROL_TTL && hd_uv_socket_get_ttl(socket, &default_ttl) == HDHT_OK;
  if (changes_ttl) hd_uv_socket_set_ttl(socket, out->ttl);
  if (out->may_fragment) hd_uv_socket_set_may_fragment(socket, true);

  const int sent = sender->call(socket->descriptor, sender->messages, count);
  const int error = errno;

  if (out->may_fragment) hd_uv_socket_set_may_fragment(socket, false);
  if (changes_ttl) hd_uv_socket_set_ttl(socket, default_ttl);
  errno = error;
  return sent;
}

static int call(hd_uv_sender *sender, hd_uv_socket *socket, const hd_datagram_out *first_out, unsigned count) {
  if (needs_option(first_out)) return call_with_options(sender, socket, first_out, count);
  return sender->call(socket->descriptor, sender->messages, count);
}

/* ---- the story ------------------------------------------------------------------------------------------------- */

/* A kernel may accept a batch and then find that the device cannot do its part (EIO), or that one datagram is longer
 * than the path takes (older ones: EINVAL, newer ones: EMSGSIZE). Which it was shows when the datagrams go singly. */
static bool may_be_about_segmentation(int error) {
  return error == EIO || error == EINVAL || error == EOPNOTSUPP || error == ENOPROTOOPT;
}

static void report_rest(const hd_datagram_out *outs, size_t outs_count, position from, hd_uv_unsent unsent,
                        void *context) {
  for (size_t i = from.out; i < outs_count; i++) {
    unsent(context, &outs[i], i == from.out ? from.segment : 0, HDHT_ERR_WOULD_BLOCK);
  }
}

bool hd_uv_sender_send(hd_uv_sender *sender, hd_uv_socket *socket, const hd_datagram_out *outs, size_t outs_count,
                       hd_uv_unsent unsent, void *context) {
  position next = {0};
  while (next.out < outs_count) {
    const unsigned filled = fill_messages(sender, socket, outs, outs_count, next);
    const int sent = filled > 0 ? call(sender, socket, &outs[next.out], filled) : -1;
    const int error = filled > 0 ? errno : EAFNOSUPPORT;
    if (sent > 0) {
      /* Singly it works: so it was the kernel's cutting that failed before. */
      if (next.cuts_out) socket->can_segment = false;
      next = sender->positions[sent]; /* had one failed, the next call would tell how */
      continue;
    }
    if (error == EINTR) continue;

    const int result = hd_uv_error_from_errno(error);
    if (result == HDHT_ERR_WOULD_BLOCK) {
      report_rest(outs, outs_count, next, unsent, context);
      return false;
    }
    const bool was_batch = socket->can_segment && !next.cuts_out && outs[next.out].segments_count - next.segment > 1;
    if (was_batch && may_be_about_segmentation(error)) {
      next.cuts_out = true;
      continue;
    }
    unsent(context, &outs[next.out], next.segment, result);
    next = (position){.out = next.out + 1};
  }
  return true;
}
