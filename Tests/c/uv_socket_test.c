/* The socket layer over real loopback sockets; a worse kernel than the real one is played by send calls of our own. */
#include "driver_uv/uv_socket.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "driver_uv/uv_address.h"
#include "driver_uv/uv_receive.h"
#include "driver_uv/uv_send.h"
#include "test.h"

#define WAIT_MS     10000
#define UNSENTS_MAX 16

typedef struct unsent_report {
  const hd_datagram_out *out;
  uint32_t segments_sent;
  int error;
} unsent_report;

/* Two sockets that talk to each other, and what the sender reported. */
typedef struct socket_pair {
  hd_uv_socket from, to;
  hd_address to_address;
  hd_uv_receiver *receiver;
  hd_uv_sender *sender;
  unsent_report unsents[UNSENTS_MAX];
  size_t unsents_count;
} socket_pair;

static hd_uv_socket_options loopback(void) {
  return (hd_uv_socket_options){.address = hd_address_ipv4(127, 0, 0, 1, 0)};
}

static hd_address address_of(const hd_uv_socket *socket) {
  hd_address address = {0};
  CHECK_INT(HDHT_OK, hd_uv_socket_get_address(socket, &address));
  return address;
}

static void pair_open(socket_pair *pair, bool sends_plainly, bool receives_plainly, hd_uv_send_call call) {
  memset(pair, 0, sizeof *pair);
  hd_uv_socket_options options = loopback();
  options.is_plain = sends_plainly;
  CHECK_INT(HDHT_OK, hd_uv_socket_open(&options, &pair->from));
  options.is_plain = receives_plainly;
  CHECK_INT(HDHT_OK, hd_uv_socket_open(&options, &pair->to));
  pair->to_address = address_of(&pair->to);
  CHECK_INT(HDHT_OK, hd_uv_receiver_create(hd_allocator_system(), &pair->receiver));
  CHECK_INT(HDHT_OK, hd_uv_sender_create(hd_allocator_system(), call, &pair->sender));
}

static void pair_close(socket_pair *pair) {
  hd_uv_sender_destroy(pair->sender);
  hd_uv_receiver_destroy(pair->receiver);
  hd_uv_socket_close(&pair->from);
  hd_uv_socket_close(&pair->to);
}

static void note_unsent(void *context, const hd_datagram_out *out, uint32_t segments_sent, int error) {
  socket_pair *pair = context;
  if (pair->unsents_count == UNSENTS_MAX) return;
  pair->unsents[pair->unsents_count++] = (unsent_report){.out = out, .segments_sent = segments_sent, .error = error};
}

static bool pair_send(socket_pair *pair, const hd_datagram_out *outs, size_t outs_count) {
  return hd_uv_sender_send(pair->sender, &pair->from, outs, outs_count, note_unsent, pair);
}

/* Waits for datagrams and takes the next batch. */
static size_t take(hd_uv_receiver *receiver, const hd_uv_socket *socket, const hd_datagram **datagrams) {
  struct pollfd waiting = {.fd = socket->descriptor, .events = POLLIN};
  if (poll(&waiting, 1, WAIT_MS) != 1) return 0;
  bool has_more;
  return hd_uv_receiver_take(receiver, socket, 7, datagrams, &has_more);
}

/* Takes single datagrams until `size` bytes came, and checks that they are those of `bytes` in pieces of
 * `segment_size`, the last one shorter. */
static void check_received(socket_pair *pair, const uint8_t *bytes, size_t size, size_t segment_size) {
  size_t received = 0;
  while (received < size) {
    const hd_datagram *datagrams;
    const size_t count = take(pair->receiver, &pair->to, &datagrams);
    REQUIRE(count > 0);
    for (size_t i = 0; i < count; i++) {
      hd_datagram segment;
      for (size_t offset = 0; hd_datagram_next_segment(&datagrams[i], &offset, &segment);) {
        const size_t left = size - received;
        REQUIRE(segment.bytes.size == (left < segment_size ? left : segment_size));
        CHECK_BYTES(bytes + received, segment.bytes.data, segment.bytes.size);
        received += segment.bytes.size;
      }
    }
  }
}

/* Takes one datagram of a socket that receives plainly. */
static void check_next(const socket_pair *pair, const uint8_t *bytes, size_t size) {
  static uint8_t received[4096];
  struct pollfd waiting = {.fd = pair->to.descriptor, .events = POLLIN};
  REQUIRE(poll(&waiting, 1, WAIT_MS) == 1);
  CHECK_INT(size, recv(pair->to.descriptor, received, sizeof received, 0));
  CHECK_BYTES(bytes, received, size);
}

static void check_nothing_waits(const socket_pair *pair) {
  struct pollfd waiting = {.fd = pair->to.descriptor, .events = POLLIN};
  CHECK_INT(0, poll(&waiting, 1, 0));
}

/* `size` bytes in datagrams of `segment_size`, each of a 20-byte part and the rest. */
#define BATCH_PARTS_MAX 128

typedef struct test_batch {
  uint8_t bytes[65000];
  hd_bytes parts[BATCH_PARTS_MAX];
  hd_datagram_out out;
} test_batch;

static void batch_fill(test_batch *batch, const socket_pair *pair, uint32_t size, uint16_t segment_size) {
  for (uint32_t i = 0; i < size; i++) batch->bytes[i] = (uint8_t)(i * 31 + i / 256);
  uint32_t parts_count = 0, segments_count = 0;
  for (uint32_t at = 0; at < size; at += segment_size, segments_count++) {
    const uint32_t length = size - at < segment_size ? size - at : segment_size;
    const uint32_t head = length < 20 ? length : 20;
    batch->parts[parts_count++] = (hd_bytes){.data = batch->bytes + at, .size = head};
    if (length > head)
      batch->parts[parts_count++] = (hd_bytes){.data = batch->bytes + at + head, .size = length - head};
  }
  batch->out = (hd_datagram_out){.to = pair->to_address,
                                 .segment_size = segments_count > 1 ? segment_size : 0,
                                 .segments_count = (uint16_t)segments_count,
                                 .parts_count = parts_count,
                                 .size = size,
                                 .parts = batch->parts};
}

static hd_datagram_out single(const hd_bytes *part, const hd_address *to) {
  return (hd_datagram_out){
      .to = *to, .segments_count = 1, .parts_count = 1, .size = (uint32_t)part->size, .parts = part};
}

static hd_bytes text(const char *string) {
  return (hd_bytes){.data = (const uint8_t *)string, .size = strlen(string)};
}

/* ---- addresses ------------------------------------------------------------------------------------------------- */

TEST(uv_address_survives_the_way_to_the_system_and_back) {
  const hd_address ipv4 = hd_address_ipv4(192, 0, 2, 7, 49737);
  hd_address ipv6 = {.ip = {0x20, 1, 0xd, 0xb8, [15] = 9}, .port = 1, .family = HDHT_FAMILY_IPV6};
  hd_uv_sockaddr system;

  socklen_t size = hd_uv_address_to_system(&ipv4, HDHT_FAMILY_IPV4, &system);
  hd_address back = hd_uv_address_from_system(&system, size);
  CHECK_INT(sizeof(struct sockaddr_in), size);
  CHECK(hd_address_equal(&ipv4, &back));

  size = hd_uv_address_to_system(&ipv4, HDHT_FAMILY_IPV6, &system);
  back = hd_uv_address_from_system(&system, size);
  CHECK_INT(sizeof(struct sockaddr_in6), size);
  CHECK(IN6_IS_ADDR_V4MAPPED(&system.ipv6.sin6_addr));
  CHECK(hd_address_equal(&ipv4, &back));

  size = hd_uv_address_to_system(&ipv6, HDHT_FAMILY_IPV6, &system);
  back = hd_uv_address_from_system(&system, size);
  CHECK(hd_address_equal(&ipv6, &back));
}

TEST(uv_address_has_no_form_that_its_socket_cannot_reach) {
  const hd_address ipv6 = {.port = 1, .family = HDHT_FAMILY_IPV6};
  const hd_address none = {0};
  hd_uv_sockaddr system;
  CHECK_INT(0, hd_uv_address_to_system(&ipv6, HDHT_FAMILY_IPV4, &system));
  CHECK_INT(0, hd_uv_address_to_system(&none, HDHT_FAMILY_IPV4, &system));
  CHECK_INT(0, hd_uv_address_to_system(&none, HDHT_FAMILY_IPV6, &system));
}

TEST(uv_address_of_another_family_is_none) {
  hd_uv_sockaddr system = {.base = {.sa_family = AF_UNIX}};
  hd_address address = hd_uv_address_from_system(&system, sizeof system);
  CHECK(hd_address_is_none(&address));
  system.base.sa_family = AF_INET;
  address = hd_uv_address_from_system(&system, 2); /* cut short */
  CHECK(hd_address_is_none(&address));
}

/* ---- opening --------------------------------------------------------------------------------------------------- */

TEST(uv_socket_on_port_0_gets_one_from_the_system) {
  hd_uv_socket_options options = loopback();
  hd_uv_socket socket;
  REQUIRE(hd_uv_socket_open(&options, &socket) == HDHT_OK);
  const hd_address address = address_of(&socket);
  CHECK(hd_address_same_host(&address, &options.address));
  CHECK(address.port != 0);
  hd_uv_socket_close(&socket);
}

TEST(uv_socket_takes_the_first_free_port_of_a_range) {
  hd_uv_socket_options options = loopback();
  hd_uv_socket first, second, third;
  do { /* leave room above, for the range */
    REQUIRE(hd_uv_socket_open(&options, &first) == HDHT_OK);
    if (address_of(&first).port < 65000) break;
    hd_uv_socket_close(&first);
  } while (true);

  options.address = address_of(&first);
  CHECK_INT(HDHT_ERR_ADDRESS_IN_USE, hd_uv_socket_open(&options, &second));
  options.ports_count = 1;
  CHECK_INT(HDHT_ERR_ADDRESS_IN_USE, hd_uv_socket_open(&options, &second));
  options.ports_count = 500;
  REQUIRE(hd_uv_socket_open(&options, &second) == HDHT_OK);
  REQUIRE(hd_uv_socket_open(&options, &third) == HDHT_OK);
  CHECK(address_of(&second).port > address_of(&first).port);
  CHECK(address_of(&third).port > address_of(&second).port);
  CHECK(address_of(&third).port < address_of(&first).port + 500);
  hd_uv_socket_close(&first);
  hd_uv_socket_close(&second);
  hd_uv_socket_close(&third);
}

TEST(uv_socket_refuses_what_cannot_be_bound) {
  hd_uv_socket socket = {.descriptor = 77};
  hd_uv_socket_options options = loopback();
  options.address.port = 65535;
  options.ports_count = 2;
  CHECK_INT(HDHT_ERR_INVALID_ARGUMENT, hd_uv_socket_open(&options, &socket));

  options = (hd_uv_socket_options){.address = {.family = 5}};
  CHECK_INT(HDHT_ERR_INVALID_ARGUMENT, hd_uv_socket_open(&options, &socket));

  options = (hd_uv_socket_options){.address = hd_address_ipv4(192, 0, 2, 1, 0)}; /* TEST-NET-1: nobody's */
  CHECK_INT(HDHT_ERR_ADDRESS_UNAVAILABLE, hd_uv_socket_open(&options, &socket));
  CHECK_INT(77, socket.descriptor);
}

TEST(uv_sockets_that_all_allow_it_share_a_port) {
  hd_uv_socket_options options = loopback();
  options.may_share_port = true;
  hd_uv_socket first, second;
  REQUIRE(hd_uv_socket_open(&options, &first) == HDHT_OK);
  options.address = address_of(&first);
  REQUIRE(hd_uv_socket_open(&options, &second) == HDHT_OK);
  CHECK_UINT(options.address.port, address_of(&second).port);
  hd_uv_socket_close(&second);

  options.may_share_port = false;
  CHECK_INT(HDHT_ERR_ADDRESS_IN_USE, hd_uv_socket_open(&options, &second));
  hd_uv_socket_close(&first);
}

TEST(uv_socket_has_the_ttl_that_was_set) {
  hd_uv_socket_options options = loopback();
  options.ttl = 5;
  hd_uv_socket socket;
  REQUIRE(hd_uv_socket_open(&options, &socket) == HDHT_OK);
  uint8_t ttl = 0;
  CHECK_INT(HDHT_OK, hd_uv_socket_get_ttl(&socket, &ttl));
  CHECK_UINT(5, ttl);
  CHECK_INT(HDHT_OK, hd_uv_socket_set_ttl(&socket, 255));
  CHECK_INT(HDHT_OK, hd_uv_socket_get_ttl(&socket, &ttl));
  CHECK_UINT(255, ttl);
  CHECK_INT(HDHT_ERR_INVALID_ARGUMENT, hd_uv_socket_set_ttl(&socket, 0));
  CHECK_INT(HDHT_OK, hd_uv_socket_get_ttl(&socket, &ttl));
  CHECK_UINT(255, ttl);
  hd_uv_socket_close(&socket);
}

TEST(uv_sockets_by_the_hundred_open_at_once) {
  static hd_uv_socket sockets[256];
  hd_uv_socket_options options = loopback();
  size_t opened = 0;
  while (opened < 256 && hd_uv_socket_open(&options, &sockets[opened]) == HDHT_OK) opened++;
  CHECK_UINT(256, opened);
  while (opened > 0) hd_uv_socket_close(&sockets[--opened]);
}

/* ---- sending and receiving ------------------------------------------------------------------------------------- */

TEST(uv_datagrams_arrive_with_their_source_and_socket) {
  socket_pair pair;
  pair_open(&pair, false, false, hd_uv_send_messages);
  const hd_bytes parts[] = {text("hello, "), text("world")};
  const hd_datagram_out out = {
      .to = pair.to_address, .segments_count = 1, .parts_count = 2, .size = 12, .parts = parts};
  CHECK(pair_send(&pair, &out, 1));

  const hd_datagram *datagrams;
  if (take(pair.receiver, &pair.to, &datagrams) == 1) {
    const hd_address from = address_of(&pair.from);
    CHECK_UINT(7, datagrams[0].socket);
    CHECK(hd_address_equal(&from, &datagrams[0].from));
    CHECK_UINT(12, datagrams[0].bytes.size);
    CHECK_BYTES("hello, world", datagrams[0].bytes.data, 12);
    CHECK_UINT(0, datagrams[0].segment_size);
    CHECK(!datagrams[0].is_truncated);
  } else {
    CHECK(false);
  }
  CHECK_UINT(0, pair.unsents_count);
  pair_close(&pair);
}

TEST(uv_empty_datagrams_arrive) {
  socket_pair pair;
  pair_open(&pair, false, false, hd_uv_send_messages);
  const hd_datagram_out out = {.to = pair.to_address, .segments_count = 1};
  CHECK(pair_send(&pair, &out, 1));
  const hd_datagram *datagrams;
  CHECK_UINT(1, take(pair.receiver, &pair.to, &datagrams));
  CHECK_UINT(0, datagrams[0].bytes.size);
  pair_close(&pair);
}

TEST(uv_batches_arrive_as_single_datagrams_whoever_cuts_and_joins_them) {
  static test_batch batch;
  static const struct {
    uint32_t size;
    uint16_t segment_size;
  } shapes[] = {{1172, 1172}, {2344, 1172}, {2345, 1172}, {64 * 1000, 1000}, {63 * 1000 + 1, 1000}, {44 * 1472, 1472}};
  for (int plain = 0; plain < 4; plain++) {
    socket_pair pair;
    pair_open(&pair, plain % 2 == 1, plain / 2 == 1, hd_uv_send_messages);
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
      batch_fill(&batch, &pair, shapes[i].size, shapes[i].segment_size);
      CHECK(pair_send(&pair, &batch.out, 1));
      check_received(&pair, batch.bytes, shapes[i].size, shapes[i].segment_size);
    }
    CHECK_UINT(0, pair.unsents_count);
    pair_close(&pair);
  }
}

TEST(uv_sending_many_datagrams_at_once_keeps_their_order) {
  enum { COUNT = 150 }; /* more than one system call takes */
  static uint8_t bytes[COUNT];
  static hd_bytes parts[COUNT];
  static hd_datagram_out outs[COUNT];
  socket_pair pair;
  pair_open(&pair, false, true, hd_uv_send_messages);
  for (size_t i = 0; i < COUNT; i++) {
    bytes[i] = (uint8_t)i;
    parts[i] = (hd_bytes){.data = &bytes[i], .size = 1};
    outs[i] = single(&parts[i], &pair.to_address);
  }
  CHECK(pair_send(&pair, outs, COUNT));
  check_received(&pair, bytes, COUNT, 1);
  CHECK_UINT(0, pair.unsents_count);
  pair_close(&pair);
}

TEST(uv_receiver_says_when_another_batch_may_wait) {
  socket_pair pair;
  pair_open(&pair, true, true, hd_uv_send_messages);
  const hd_bytes part = text("x");
  const hd_datagram_out out = single(&part, &pair.to_address);
  for (int i = 0; i < HD_UV_RECEIVE_BATCH + 1; i++) CHECK(pair_send(&pair, &out, 1));

  const hd_datagram *datagrams;
  bool has_more = false;
  CHECK_UINT(HD_UV_RECEIVE_BATCH, hd_uv_receiver_take(pair.receiver, &pair.to, 1, &datagrams, &has_more));
  CHECK(has_more);
  CHECK_UINT(1, hd_uv_receiver_take(pair.receiver, &pair.to, 1, &datagrams, &has_more));
  CHECK(!has_more);
  CHECK_UINT(0, hd_uv_receiver_take(pair.receiver, &pair.to, 1, &datagrams, &has_more));
  CHECK(!has_more);
  pair_close(&pair);
}

TEST(uv_datagrams_of_very_many_parts_arrive_whole) {
  static uint8_t bytes[2048];
  static hd_bytes parts[2048];
  for (size_t i = 0; i < 2048; i++) {
    bytes[i] = (uint8_t)(i % 251);
    parts[i] = (hd_bytes){.data = &bytes[i], .size = 1};
  }
  socket_pair pair;
  pair_open(&pair, false, true, hd_uv_send_messages);
  const hd_datagram_out outs[] = {
      {.to = pair.to_address, .segments_count = 1, .parts_count = 2048, .size = 2048, .parts = parts},
      {.to = pair.to_address, .segments_count = 1, .parts_count = 1025, .size = 1025, .parts = parts},
      {.to = pair.to_address, .segments_count = 1, .parts_count = 1024, .size = 1024, .parts = parts},
      {.to = pair.to_address,
       .segment_size = 700,
       .segments_count = 3,
       .parts_count = 2048,
       .size = 2048,
       .parts = parts},
  };
  CHECK(pair_send(&pair, outs, 4));
  check_next(&pair, bytes, 2048);
  check_next(&pair, bytes, 1025);
  check_next(&pair, bytes, 1024);
  check_next(&pair, bytes, 700);
  check_next(&pair, bytes + 700, 700);
  check_next(&pair, bytes + 1400, 648);
  CHECK_UINT(0, pair.unsents_count);
  pair_close(&pair);
}

/* The time to live a datagram arrived with, or 0. */
static int take_ttl(const hd_uv_socket *socket) {
  struct pollfd waiting = {.fd = socket->descriptor, .events = POLLIN};
  if (poll(&waiting, 1, WAIT_MS) != 1) return 0;
  uint8_t byte;
  union {
    struct cmsghdr header;
    uint8_t bytes[128];
  } control;
  struct iovec span = {.iov_base = &byte, .iov_len = 1};
  struct msghdr message = {
      .msg_iov = &span, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof control.bytes};
  if (recvmsg(socket->descriptor, &message, 0) < 0) return 0;
  for (struct cmsghdr *found = CMSG_FIRSTHDR(&message); found != NULL; found = CMSG_NXTHDR(&message, found)) {
    if (found->cmsg_level != IPPROTO_IP && found->cmsg_level != IPPROTO_IPV6) continue;
    int ttl = 0;
    memcpy(&ttl, CMSG_DATA(found), found->cmsg_len - CMSG_LEN(0) < sizeof ttl ? 1 : sizeof ttl);
    return ttl;
  }
  return 0;
}

TEST(uv_ttl_of_one_datagram_leaves_the_others_alone) {
  socket_pair pair;
  pair_open(&pair, false, true, hd_uv_send_messages);
  const int yes = 1;
  setsockopt(pair.to.descriptor, IPPROTO_IP, IP_RECVTTL, &yes, sizeof yes);
  CHECK_INT(HDHT_OK, hd_uv_socket_set_ttl(&pair.from, 61));

  const hd_bytes part = text("x");
  hd_datagram_out outs[3];
  for (int i = 0; i < 3; i++) outs[i] = single(&part, &pair.to_address);
  outs[1].ttl = 3;
  CHECK(pair_send(&pair, outs, 3));
  CHECK_INT(61, take_ttl(&pair.to));
  CHECK_INT(3, take_ttl(&pair.to));
  CHECK_INT(61, take_ttl(&pair.to));

  uint8_t ttl = 0;
  CHECK_INT(HDHT_OK, hd_uv_socket_get_ttl(&pair.from, &ttl));
  CHECK_UINT(61, ttl);
  pair_close(&pair);
}

TEST(uv_ttl_and_segmentation_go_together) {
  static test_batch batch;
  socket_pair pair;
  pair_open(&pair, false, false, hd_uv_send_messages);
  batch_fill(&batch, &pair, 5000, 1000);
  batch.out.ttl = 9;
  CHECK(pair_send(&pair, &batch.out, 1));
  check_received(&pair, batch.bytes, 5000, 1000);
  CHECK_UINT(0, pair.unsents_count);
  pair_close(&pair);
}

#if defined(__linux__)
static int mtu_discovery(const hd_uv_socket *socket) {
  int value = -1;
  socklen_t size = sizeof value;
  getsockopt(socket->descriptor, IPPROTO_IP, IP_MTU_DISCOVER, &value, &size);
  return value;
}

static int discovery_seen;

static int note_discovery(int descriptor, hd_uv_message *messages, unsigned count) {
  discovery_seen = mtu_discovery(&(hd_uv_socket){.descriptor = descriptor});
  return hd_uv_send_messages(descriptor, messages, count);
}

TEST(uv_fragmentation_is_allowed_for_one_datagram_only) {
  socket_pair pair;
  pair_open(&pair, false, false, note_discovery);
  CHECK_INT(IP_PMTUDISC_PROBE, mtu_discovery(&pair.from));
  const hd_bytes part = text("x");
  hd_datagram_out outs[2] = {single(&part, &pair.to_address), single(&part, &pair.to_address)};
  CHECK(pair_send(&pair, outs, 1));
  CHECK_INT(IP_PMTUDISC_PROBE, discovery_seen);
  outs[1].may_fragment = true;
  CHECK(pair_send(&pair, outs, 2));
  CHECK_INT(IP_PMTUDISC_DONT, discovery_seen);
  CHECK_INT(IP_PMTUDISC_PROBE, mtu_discovery(&pair.from));
  check_received(&pair, (const uint8_t *)"xxx", 3, 1);
  pair_close(&pair);
}
#endif

/* ---- failures -------------------------------------------------------------------------------------------------- */

TEST(uv_datagram_that_is_too_large_is_reported_and_the_next_one_sent) {
  static uint8_t bytes[65508]; /* one more than UDP over IPv4 carries */
  socket_pair pair;
  pair_open(&pair, false, false, hd_uv_send_messages);
  const hd_bytes large = {.data = bytes, .size = sizeof bytes}, small = text("x");
  const hd_datagram_out outs[] = {single(&large, &pair.to_address), single(&small, &pair.to_address)};
  CHECK(pair_send(&pair, outs, 2));
  CHECK_UINT(1, pair.unsents_count);
  CHECK(pair.unsents[0].out == &outs[0]);
  CHECK_INT(HDHT_ERR_TOO_LARGE, pair.unsents[0].error);
  CHECK_UINT(0, pair.unsents[0].segments_sent);
  check_received(&pair, (const uint8_t *)"x", 1, 1);
  pair_close(&pair);
}

TEST(uv_address_that_cannot_be_reached_is_reported_and_the_next_one_sent) {
  socket_pair pair;
  pair_open(&pair, false, false, hd_uv_send_messages);
  const hd_address ipv6 = {.ip = {[15] = 1}, .port = 9, .family = HDHT_FAMILY_IPV6}, none = {0};
  const hd_bytes part = text("x");
  const hd_datagram_out outs[] = {single(&part, &ipv6), single(&part, &pair.to_address), single(&part, &none),
                                  single(&part, &pair.to_address)};
  CHECK(pair_send(&pair, outs, 4));
  CHECK_UINT(2, pair.unsents_count);
  CHECK(pair.unsents[0].out == &outs[0]);
  CHECK(pair.unsents[1].out == &outs[2]);
  CHECK_INT(HDHT_ERR_ADDRESS_UNAVAILABLE, pair.unsents[0].error);
  check_received(&pair, (const uint8_t *)"xx", 2, 1);
  pair_close(&pair);
}

TEST(uv_closed_port_on_the_other_side_disturbs_nobody) {
  socket_pair pair;
  pair_open(&pair, false, false, hd_uv_send_messages);
  hd_uv_socket gone;
  hd_uv_socket_options options = loopback();
  REQUIRE(hd_uv_socket_open(&options, &gone) == HDHT_OK);
  const hd_address nobody = address_of(&gone);
  hd_uv_socket_close(&gone);

  const hd_bytes part = text("x");
  const hd_datagram_out into_the_void = single(&part, &nobody), good = single(&part, &pair.to_address);
  for (int i = 0; i < 3; i++) {
    CHECK(pair_send(&pair, &into_the_void, 1));
    CHECK(pair_send(&pair, &good, 1));
  }
  CHECK_UINT(0, pair.unsents_count);
  check_received(&pair, (const uint8_t *)"xxx", 3, 1);

  const hd_datagram *datagrams;
  bool has_more = true;
  CHECK_UINT(0, hd_uv_receiver_take(pair.receiver, &pair.from, 1, &datagrams, &has_more));
  CHECK(!has_more);
  pair_close(&pair);
}

/* A kernel in which the calls fail as told: message number `fails_at`, counted over all calls, fails with `error`, or
 * with batches only. */
static struct {
  unsigned sent;
  unsigned fails_at;
  unsigned failures;       /* how often it failed */
  unsigned failures_limit; /* how often it will */
  int error;
  bool batches_only;
} kernel;

static int worse_kernel(int descriptor, hd_uv_message *messages, unsigned count) {
  for (unsigned i = 0; i < count; i++) {
    const bool is_batch = messages[i].header.msg_controllen > 0;
    const bool is_hit = kernel.batches_only ? is_batch : kernel.sent >= kernel.fails_at;
    if (is_hit && kernel.failures < kernel.failures_limit) {
      if (i > 0) return (int)i;
      kernel.failures++;
      errno = kernel.error;
      return -1;
    }
    if (hd_uv_send_messages(descriptor, &messages[i], 1) != 1) return i > 0 ? (int)i : -1;
    kernel.sent++;
  }
  return (int)count;
}

TEST(uv_kernel_that_fails_to_cut_batches_is_remembered) {
  static test_batch batch;
  const int errors[] = {EIO, EINVAL, EOPNOTSUPP};
  for (size_t i = 0; i < 3; i++) {
    memset(&kernel, 0, sizeof kernel);
    kernel.batches_only = true;
    kernel.failures_limit = UINT32_MAX;
    kernel.error = errors[i];
    socket_pair pair;
    pair_open(&pair, false, true, worse_kernel);
    if (!pair.from.can_segment) { /* this kernel has no segmentation at all */
      pair_close(&pair);
      return;
    }
    for (int round = 0; round < 2; round++) {
      batch_fill(&batch, &pair, 5500, 1000);
      CHECK(pair_send(&pair, &batch.out, 1));
      check_received(&pair, batch.bytes, 5500, 1000);
    }
    CHECK(!pair.from.can_segment);
    CHECK_UINT(1, kernel.failures);
    CHECK_UINT(0, pair.unsents_count);
    pair_close(&pair);
  }
}

TEST(uv_batch_too_large_for_the_path_is_not_held_against_the_kernel) {
  static test_batch batch;
  const int errors[] = {EINVAL, EMSGSIZE}; /* older kernels, newer ones */
  for (size_t i = 0; i < 2; i++) {
    memset(&kernel, 0, sizeof kernel);
    kernel.failures_limit = 1;
    kernel.error = errors[i];
    socket_pair pair;
    pair_open(&pair, false, true, worse_kernel);
    if (errors[i] == EINVAL && pair.from.can_segment) { /* then the single datagrams fail as well */
      kernel.failures_limit = 2;
    }
    batch_fill(&batch, &pair, 5500, 1000);
    const hd_bytes part = text("x");
    const hd_datagram_out outs[] = {batch.out, single(&part, &pair.to_address)};
    CHECK(pair_send(&pair, outs, 2));
    CHECK_UINT(1, pair.unsents_count);
    CHECK(pair.unsents[0].out == &outs[0]);
    CHECK_UINT(0, pair.unsents[0].segments_sent);
    if (errors[i] == EMSGSIZE) CHECK_INT(HDHT_ERR_TOO_LARGE, pair.unsents[0].error);
    check_received(&pair, (const uint8_t *)"x", 1, 1);
    pair_close(&pair);
  }
}

TEST(uv_full_socket_reports_what_is_left_at_every_point) {
  static test_batch batch;
  for (unsigned fails_at = 0; fails_at <= 7; fails_at++) {
    memset(&kernel, 0, sizeof kernel);
    kernel.fails_at = fails_at;
    kernel.failures_limit = 1;
    kernel.error = EAGAIN;
    socket_pair pair;
    pair_open(&pair, true, true, worse_kernel); /* cuts the batch into 5 messages */
    batch_fill(&batch, &pair, 4500, 1000);
    const hd_bytes part = text("x");
    const hd_datagram_out outs[] = {single(&part, &pair.to_address), batch.out, single(&part, &pair.to_address)};

    CHECK(pair_send(&pair, outs, 3) == (fails_at == 7));
    const size_t first_unsent = fails_at == 0 ? 0 : fails_at < 6 ? 1 : fails_at < 7 ? 2 : 3;
    CHECK_UINT(3 - first_unsent, pair.unsents_count);
    for (size_t i = 0; i < pair.unsents_count; i++) {
      CHECK(pair.unsents[i].out == &outs[first_unsent + i]);
      CHECK_INT(HDHT_ERR_WOULD_BLOCK, pair.unsents[i].error);
      CHECK_UINT(i == 0 && first_unsent == 1 ? fails_at - 1 : 0, pair.unsents[i].segments_sent);
    }
    pair_close(&pair);
  }
}

TEST(uv_other_errors_cost_the_rest_of_one_batch_and_no_more) {
  static test_batch batch;
  static const struct {
    int error, expected;
  } errors[] = {{EPERM, HDHT_ERR_PERMISSION},
                {ENETUNREACH, HDHT_ERR_NETWORK},
                {ENOBUFS, HDHT_ERR_NETWORK},
                {EMSGSIZE, HDHT_ERR_TOO_LARGE},
                {EINVAL, HDHT_ERR_NETWORK}};
  for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++) {
    memset(&kernel, 0, sizeof kernel);
    kernel.fails_at = 2;
    kernel.failures_limit = 1;
    kernel.error = errors[i].error;
    socket_pair pair;
    pair_open(&pair, true, true, worse_kernel);
    batch_fill(&batch, &pair, 4500, 1000);
    const hd_bytes part = text("x");
    const hd_datagram_out outs[] = {batch.out, single(&part, &pair.to_address)};
    CHECK(pair_send(&pair, outs, 2));
    CHECK_UINT(1, pair.unsents_count);
    CHECK_INT(errors[i].expected, pair.unsents[0].error);
    CHECK_UINT(2, pair.unsents[0].segments_sent);
    check_next(&pair, batch.bytes, 1000);
    check_next(&pair, batch.bytes + 1000, 1000);
    check_next(&pair, (const uint8_t *)"x", 1);
    check_nothing_waits(&pair);
    pair_close(&pair);
  }
}

TEST(uv_interrupted_send_is_tried_again) {
  memset(&kernel, 0, sizeof kernel);
  kernel.failures_limit = 3;
  kernel.error = EINTR;
  socket_pair pair;
  pair_open(&pair, false, false, worse_kernel);
  const hd_bytes part = text("x");
  const hd_datagram_out out = single(&part, &pair.to_address);
  CHECK(pair_send(&pair, &out, 1));
  CHECK_UINT(0, pair.unsents_count);
  check_received(&pair, (const uint8_t *)"x", 1, 1);
  pair_close(&pair);
}

static bool create_buffers(const hdht_allocator *allocator) {
  hd_uv_receiver *receiver = NULL;
  hd_uv_sender *sender = NULL;
  const bool has_both = hd_uv_receiver_create(allocator, &receiver) == HDHT_OK &&
                        hd_uv_sender_create(allocator, hd_uv_send_messages, &sender) == HDHT_OK;
  hd_uv_receiver_destroy(receiver);
  hd_uv_sender_destroy(sender);
  return has_both;
}

TEST(uv_buffers_survive_each_allocation_failure) {
  hd_test_each_allocation_failure(create_buffers);
}

/* ---- IPv6 ------------------------------------------------------------------------------------------------------ */

/* False where the machine has no IPv6; the tests then have nothing to say. */
static bool open_ipv6(hd_uv_socket *socket, bool is_loopback, bool is_ipv6_only) {
  hd_uv_socket_options options = {.address = {.family = HDHT_FAMILY_IPV6}, .is_ipv6_only = is_ipv6_only};
  options.address.ip[15] = is_loopback ? 1 : 0;
  return hd_uv_socket_open(&options, socket) == HDHT_OK;
}

TEST(uv_dual_stack_socket_talks_ipv4_both_ways) {
  hd_uv_socket dual;
  if (!open_ipv6(&dual, false, false)) return;
  socket_pair pair;
  pair_open(&pair, false, false, hd_uv_send_messages);
  const hd_address ipv4_address = address_of(&pair.from);
  const hd_address dual_address = hd_address_ipv4(127, 0, 0, 1, address_of(&dual).port);
  CHECK_INT(HDHT_FAMILY_IPV6, address_of(&dual).family);

  const hd_bytes part = text("x");
  hd_datagram_out out = single(&part, &dual_address);
  CHECK(pair_send(&pair, &out, 1));
  const hd_datagram *datagrams;
  CHECK_UINT(1, take(pair.receiver, &dual, &datagrams));
  CHECK(hd_address_equal(&ipv4_address, &datagrams[0].from));

  out = single(&part, &ipv4_address);
  out.ttl = 7;
  const int yes = 1;
  setsockopt(pair.from.descriptor, IPPROTO_IP, IP_RECVTTL, &yes, sizeof yes);
  CHECK(hd_uv_sender_send(pair.sender, &dual, &out, 1, note_unsent, &pair));
  CHECK_UINT(0, pair.unsents_count);
  CHECK_INT(7, take_ttl(&pair.from));
  hd_uv_socket_close(&dual);
  pair_close(&pair);
}

TEST(uv_ipv6_batches_arrive_with_their_ttl) {
  static test_batch batch;
  hd_uv_socket from, to;
  if (!open_ipv6(&from, true, true)) return;
  REQUIRE(open_ipv6(&to, true, true));
  socket_pair pair;
  pair_open(&pair, false, false, hd_uv_send_messages);
  const hd_uv_socket ipv4_from = pair.from, ipv4_to = pair.to;
  pair.from = from;
  pair.to = to;
  pair.to_address = address_of(&to);
  batch_fill(&batch, &pair, 5500, 1000);
  CHECK(pair_send(&pair, &batch.out, 1));
  check_received(&pair, batch.bytes, 5500, 1000);

#if defined(IPV6_RECVHOPLIMIT)
  const int yes = 1;
  setsockopt(to.descriptor, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, &yes, sizeof yes);
  const hd_bytes part = text("x");
  hd_datagram_out out = single(&part, &pair.to_address);
  out.ttl = 11;
  CHECK(pair_send(&pair, &out, 1));
  CHECK_INT(11, take_ttl(&to));
#endif
  CHECK_UINT(0, pair.unsents_count);
  pair_close(&pair);
  pair.from = ipv4_from;
  pair.to = ipv4_to;
  hd_uv_socket_close(&pair.from);
  hd_uv_socket_close(&pair.to);
}
