#include "udx/udx_send_queue.h"

#include "test.h"
#include "udx/udx.h"

static int push(hd_udx_send_queue *queue, const char *text) {
  const hd_bytes span = hd_bytes_of(text, strlen(text));
  return hd_udx_send_queue_push(queue, hd_allocator_system(), &span, 1);
}

TEST(udx_send_queue_cuts_writes_into_packets_without_copying) {
  hd_udx_send_queue queue = {0};
  push(&queue, "one");
  push(&queue, "two");
  push(&queue, "three");
  CHECK_UINT(11, queue.unsent_bytes);

  const hd_udx_send_taken first = hd_udx_send_queue_take(&queue, 8);
  CHECK_UINT(8, first.size);
  CHECK_UINT(2, first.parts_end); /* two whole parts */
  hd_bytes spans[3];
  REQUIRE(hd_udx_send_queue_spans(&queue, first.position, first.size, spans, 3) == 3);
  CHECK_UINT(3, spans[0].size);
  CHECK_UINT(2, spans[2].size);
  CHECK_UINT(0, hd_udx_send_queue_spans(&queue, first.position, first.size, spans, 2)); /* too many for two */

  const hd_udx_send_taken second = hd_udx_send_queue_take(&queue, 8);
  CHECK_UINT(3, second.size);
  uint8_t copy[3];
  hd_udx_send_queue_copy(&queue, second.position, second.size, copy);
  CHECK_BYTES("ree", copy, 3);
  CHECK(!hd_udx_send_queue_has_unsent(&queue));
  CHECK_UINT(11, queue.unacked_bytes);

  hd_udx_send_queue_release(&queue, first.parts_end);
  CHECK_UINT(2, queue.writes_acked);
  CHECK_UINT(5, queue.unacked_bytes); /* a part is given back whole */
  hd_udx_send_queue_release(&queue, second.parts_end);
  CHECK_UINT(3, queue.writes_acked);
  CHECK_UINT(0, queue.unacked_bytes);
  hd_udx_send_queue_destroy(&queue, hd_allocator_system());
}

TEST(udx_send_queue_takes_a_full_packet_with_the_empty_write_behind_it) {
  hd_udx_send_queue queue = {0};
  push(&queue, "full");
  push(&queue, "");
  const hd_udx_send_taken taken = hd_udx_send_queue_take(&queue, 4);
  CHECK_UINT(4, taken.size);
  CHECK_UINT(2, taken.parts_end);
  push(&queue, "");
  CHECK(hd_udx_send_queue_has_unsent(&queue)); /* alone, it needs a packet */
  CHECK_UINT(0, hd_udx_send_queue_take(&queue, 4).size);
  hd_udx_send_queue_release(&queue, queue.unsent.part);
  CHECK_UINT(3, queue.writes_acked);
  hd_udx_send_queue_destroy(&queue, hd_allocator_system());
}

TEST(udx_send_queue_counts_a_gathered_write_once) {
  hd_udx_send_queue queue = {0};
  const hd_bytes spans[4] = {hd_bytes_of("a", 1), {0}, hd_bytes_of("bc", 2), {0}};
  REQUIRE(hd_udx_send_queue_push(&queue, hd_allocator_system(), spans, 4) == HDHT_OK);
  CHECK_UINT(2, queue.end - queue.first); /* empty spans take no room */
  const hd_udx_send_taken taken = hd_udx_send_queue_take(&queue, 100);
  CHECK_UINT(3, taken.size);
  hd_udx_send_queue_release(&queue, taken.parts_end);
  CHECK_UINT(1, queue.writes_acked);
  hd_udx_send_queue_destroy(&queue, hd_allocator_system());
}

TEST(udx_send_queue_refuses_too_long_and_too_many_parts) {
  hd_udx_send_queue queue = {0};
  const hd_bytes large = {.data = (const uint8_t *)"", .size = (size_t)HD_UDX_WRITE_SIZE_MAX + 1};
  CHECK_INT(HDHT_ERR_TOO_LARGE, hd_udx_send_queue_push(&queue, hd_allocator_system(), &large, 1));
  for (uint32_t i = 0; i < HD_UDX_WRITES_LIMIT; i++) REQUIRE(push(&queue, "x") == HDHT_OK);
  CHECK_INT(HDHT_ERR_LIMIT, push(&queue, "x"));
  CHECK_UINT(HD_UDX_WRITES_LIMIT, queue.unsent_bytes);
  hd_udx_send_queue_destroy(&queue, hd_allocator_system());
}
