#include "sim_network.h"

#include <string.h>

#include "test.h"

/* A host that remembers what it got and when. */
typedef struct recorder {
  sim_host *host;
  unsigned datagrams;
  unsigned turns;
  uint8_t last[64];
  size_t last_size;
  hd_time last_at;
} recorder;

static void record(void *context, hd_time now, const hd_datagram *datagram) {
  recorder *self = context;
  self->datagrams++;
  self->last_at = now;
  self->last_size = datagram->bytes.size;
  memcpy(self->last, datagram->bytes.data, datagram->bytes.size < 64 ? datagram->bytes.size : 64);
}

static hd_time rest(void *context, hd_time now) {
  (void)now;
  ((recorder *)context)->turns++;
  return HD_TIME_NEVER;
}

static const sim_program recording = {.receive = record, .turn = rest};

static void send_text(recorder *from, hd_socket_id socket, hd_address to, const char *text) {
  const hd_bytes part = hd_bytes_of(text, strlen(text));
  sim_host_send(from->host, &(hd_datagram_out){.socket = socket,
                                               .to = to,
                                               .segments_count = 1,
                                               .parts_count = 1,
                                               .size = (uint32_t)part.size,
                                               .parts = &part});
}

static void make_pair(sim_network *network, recorder *a, recorder *b, const sim_link_options *up) {
  a->host = sim_host_create(network, &(sim_host_options){.address = hd_address_ipv4(10, 0, 0, 1, 0), .up = *up},
                            &recording, a);
  b->host = sim_host_create(network, &(sim_host_options){.address = hd_address_ipv4(10, 0, 0, 2, 0)}, &recording, b);
}

TEST(sim_delivers_after_the_links_delay) {
  sim_network *network = sim_network_create(1);
  recorder a = {0}, b = {0};
  make_pair(network, &a, &b, &(sim_link_options){.delay = HD_MILLISECONDS(30)});
  const hd_socket_id from = sim_host_open(a.host, 5), to = sim_host_open(b.host, 6);
  const hd_time start = sim_network_now(network);
  send_text(&a, from, sim_host_address(b.host, to), "hello");
  CHECK(!sim_network_run(network, HD_TIME_NEVER, NULL, NULL));
  CHECK_UINT(1, b.datagrams);
  CHECK_UINT(1, b.turns);
  CHECK_BYTES("hello", b.last, 5);
  CHECK_UINT(30000, hd_time_since(b.last_at, start).us);
  sim_network_destroy(network);
}

TEST(sim_link_with_a_rate_spaces_datagrams_and_drops_beyond_its_queue) {
  sim_network *network = sim_network_create(1);
  recorder a = {0}, b = {0};
  /* 32 + 28 bytes at 60,000 bytes/s is 1 ms each; 120 bytes may wait. */
  make_pair(network, &a, &b, &(sim_link_options){.bytes_per_second = 60000, .queue_size_max = 120});
  const hd_socket_id from = sim_host_open(a.host, 5), to = sim_host_open(b.host, 6);
  const hd_time start = sim_network_now(network);
  for (int i = 0; i < 10; i++) send_text(&a, from, sim_host_address(b.host, to), "0123456789abcdef0123456789abcdef");
  sim_network_run(network, HD_TIME_NEVER, NULL, NULL);
  CHECK_UINT(3, b.datagrams);
  CHECK_UINT(3000, hd_time_since(b.last_at, start).us);
  CHECK_UINT(7, sim_network_stats(network).datagrams_lost);
  sim_network_destroy(network);
}

static unsigned delivered_of_1000(const sim_link_options *options, uint64_t seed) {
  sim_network *network = sim_network_create(seed);
  recorder a = {0}, b = {0};
  make_pair(network, &a, &b, options);
  const hd_socket_id from = sim_host_open(a.host, 5), to = sim_host_open(b.host, 6);
  for (int i = 0; i < 1000; i++) send_text(&a, from, sim_host_address(b.host, to), "x");
  sim_network_run(network, HD_TIME_NEVER, NULL, NULL);
  sim_network_destroy(network);
  return b.datagrams;
}

TEST(sim_loses_and_duplicates_about_as_often_as_told_and_repeats_by_seed) {
  const unsigned lossy = delivered_of_1000(&(sim_link_options){.loss = 0.2}, 3);
  CHECK(lossy > 740 && lossy < 860);
  CHECK_UINT(lossy, delivered_of_1000(&(sim_link_options){.loss = 0.2}, 3));
  const unsigned doubled = delivered_of_1000(&(sim_link_options){.duplicate = 0.5, .late = HD_SECONDS(1)}, 3);
  CHECK(doubled > 1430 && doubled < 1570);
  CHECK_UINT(0, delivered_of_1000(&(sim_link_options){.mtu = 28}, 3));
  CHECK_UINT(1000, delivered_of_1000(&(sim_link_options){.mtu = 29}, 3));
}

TEST(sim_datagrams_to_nobody_are_counted) {
  sim_network *network = sim_network_create(1);
  recorder a = {0}, b = {0};
  make_pair(network, &a, &b, &(sim_link_options){0});
  const hd_socket_id from = sim_host_open(a.host, 5);
  CHECK_UINT(HD_SOCKET_NONE, sim_host_open(a.host, 5));
  send_text(&a, from, hd_address_ipv4(10, 0, 0, 2, 9), "lost");
  sim_network_run(network, HD_TIME_NEVER, NULL, NULL);
  CHECK_UINT(1, sim_network_stats(network).datagrams_unroutable);
  sim_host_remove(b.host);
  sim_network_destroy(network);
}

TEST(sim_loses_everything_during_a_burst_and_nothing_after_it) {
  sim_network *network = sim_network_create(1);
  recorder a = {0}, b = {0};
  make_pair(network, &a, &b, &(sim_link_options){.burst_start = 1, .burst_max = HD_MILLISECONDS(10)});
  const hd_socket_id from = sim_host_open(a.host, 5), to = sim_host_open(b.host, 6);
  send_text(&a, from, sim_host_address(b.host, to), "begins the burst");
  sim_host_set_links(a.host, &(sim_link_options){0}, &(sim_link_options){0});
  send_text(&a, from, sim_host_address(b.host, to), "still in it");
  sim_network_run(network, hd_time_add(sim_network_now(network), HD_MILLISECONDS(11)), NULL, NULL);
  CHECK_UINT(0, b.datagrams);
  send_text(&a, from, sim_host_address(b.host, to), "after it");
  sim_network_run(network, HD_TIME_NEVER, NULL, NULL);
  CHECK_UINT(1, b.datagrams);
  sim_network_destroy(network);
}
