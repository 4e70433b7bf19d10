#include "rpc/rpc_outbox.h"

#include "test.h"

static int add(hd_rpc_outbox *outbox, uint8_t mark, size_t size) {
  hd_writer writer;
  const int error = hd_rpc_outbox_open(outbox, size, &writer);
  if (error != HDHT_OK) return error;
  memset(writer.next, mark, size);
  writer.next += size;
  const hd_address to = hd_address_ipv4(1, 1, 1, 1, mark);
  hd_rpc_outbox_add(outbox, &writer, mark, &to, 0);
  return HDHT_OK;
}

TEST(rpc_outbox_gives_datagrams_in_order_however_many_are_taken_at_once) {
  hd_rpc_outbox outbox;
  hd_rpc_outbox_init(&outbox, hd_allocator_system());
  for (uint8_t mark = 1; mark <= 100; mark++) CHECK_INT(HDHT_OK, add(&outbox, mark, mark));
  hd_datagram_out outs[7];
  uint8_t expected = 1;
  for (size_t count; (count = hd_rpc_outbox_take(&outbox, outs, 7)) > 0;) {
    for (size_t i = 0; i < count; i++, expected++) {
      CHECK_UINT(expected, outs[i].socket);
      CHECK_UINT(expected, outs[i].to.port);
      REQUIRE(outs[i].size == expected && outs[i].parts_count == 1 && outs[i].parts[0].size == expected);
      CHECK_UINT(expected, outs[i].parts[0].data[expected - 1]);
    }
  }
  CHECK_UINT(101, expected);
  hd_rpc_outbox_destroy(&outbox);
}

TEST(rpc_outbox_uses_its_memory_again) {
  hd_test_allocator allocator;
  hd_test_allocator_init(&allocator);
  hd_rpc_outbox outbox;
  hd_rpc_outbox_init(&outbox, &allocator.hook);
  size_t allocations = 0;
  for (unsigned round = 0; round < 100; round++) {
    for (uint8_t mark = 1; mark <= 50; mark++) CHECK_INT(HDHT_OK, add(&outbox, mark, 100));
    hd_datagram_out outs[64];
    CHECK_UINT(50, hd_rpc_outbox_take(&outbox, outs, 64));
    if (round == 0) allocations = allocator.allocations;
  }
  CHECK_UINT(allocations, allocator.allocations);
  hd_rpc_outbox_destroy(&outbox);
  CHECK_UINT(0, allocator.live_bytes);
}

TEST(rpc_outbox_refuses_one_datagram_too_many_and_one_byte_too_many) {
  hd_rpc_outbox outbox;
  hd_rpc_outbox_init(&outbox, hd_allocator_system());
  for (unsigned i = 0; i < HD_RPC_OUTBOX_DATAGRAMS_LIMIT; i++) CHECK_INT(HDHT_OK, add(&outbox, 1, 1));
  CHECK_INT(HDHT_ERR_LIMIT, add(&outbox, 1, 1));
  hd_rpc_outbox_clear(&outbox);
  for (size_t i = 0; i < HD_RPC_OUTBOX_BYTES_LIMIT / 1024; i++) CHECK_INT(HDHT_OK, add(&outbox, 1, 1024));
  CHECK_INT(HDHT_ERR_LIMIT, add(&outbox, 1, 1));
  hd_rpc_outbox_destroy(&outbox);
}

static bool fill(const hdht_allocator *allocator) {
  hd_rpc_outbox outbox;
  hd_rpc_outbox_init(&outbox, allocator);
  unsigned added = 0;
  for (uint8_t mark = 1; mark <= 100; mark++) added += add(&outbox, mark, 200) == HDHT_OK;
  hd_rpc_outbox_destroy(&outbox);
  return added == 100;
}

TEST(rpc_outbox_survives_each_failing_allocation) {
  hd_test_each_allocation_failure(fill);
}
