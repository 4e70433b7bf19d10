#include "base/byte_order.h"

#include "test.h"

/* All loads and stores at offset 1 of these, so that none is aligned. */
static const uint8_t bytes[9] = {0xee, 0x01, 0x02, 0x03, 0x04, 0x85, 0x86, 0x87, 0x88};

TEST(loads_take_any_alignment) {
  CHECK_UINT(0x0201, hd_load_le16(bytes + 1));
  CHECK_UINT(0x030201, hd_load_le24(bytes + 1));
  CHECK_UINT(0x04030201, hd_load_le32(bytes + 1));
  CHECK_UINT(0x8887868504030201u, hd_load_le64(bytes + 1));
  CHECK_UINT(0x0102, hd_load_be16(bytes + 1));
}

TEST(loads_keep_the_highest_bit) {
  const uint8_t ones[8] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
  CHECK_UINT(0xffff, hd_load_le16(ones));
  CHECK_UINT(0xffffff, hd_load_le24(ones));
  CHECK_UINT(0xffffffffu, hd_load_le32(ones));
  CHECK_UINT(UINT64_MAX, hd_load_le64(ones));
  CHECK_UINT(0xffff, hd_load_be16(ones));
}

static void check_stored(const uint8_t *stored, size_t size, const uint8_t *expected) {
  CHECK_UINT(0xee, stored[0]);
  CHECK_BYTES(expected, stored + 1, size);
  for (size_t i = 1 + size; i < 10; i++) CHECK_UINT(0xee, stored[i]);
}

#define CHECK_STORE(store, value, size, ...)                  \
  do {                                                        \
    uint8_t stored[10];                                       \
    memset(stored, 0xee, sizeof stored);                      \
    store(stored + 1, value);                                 \
    check_stored(stored, size, (const uint8_t[])__VA_ARGS__); \
  } while (0)

TEST(stores_write_exactly_their_width) {
  CHECK_STORE(hd_store_le16, 0x0201, 2, {0x01, 0x02});
  CHECK_STORE(hd_store_le24, 0x830201, 3, {0x01, 0x02, 0x83});
  CHECK_STORE(hd_store_le32, 0x84030201u, 4, {0x01, 0x02, 0x03, 0x84});
  CHECK_STORE(hd_store_le64, 0x8807060504030201u, 8, {0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x88});
  CHECK_STORE(hd_store_be16, 0x8102, 2, {0x81, 0x02});
}
