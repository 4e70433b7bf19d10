#include "secretstream/secretstream_frame.h"

#include <stdlib.h>

#include "test.h"

static hd_secretstream_frame_reader reader_of(const hd_allocator *allocator) {
  hd_secretstream_frame_reader reader;
  hd_secretstream_frame_reader_init(&reader, allocator);
  return reader;
}

static int read_frame(hd_secretstream_frame_reader *reader, uint8_t *bytes, size_t size, size_t *consumed,
                      hd_secretstream_frame *frame) {
  return hd_secretstream_frame_read(reader, 1, HD_SECRETSTREAM_FRAME_SIZE_MAX, bytes, size, consumed, frame);
}

/* A frame of `size` bytes counting up; the caller frees it. */
static uint8_t *make_frame(uint32_t size) {
  uint8_t *bytes = malloc(HD_SECRETSTREAM_FRAME_PREFIX_SIZE + size);
  bytes[0] = (uint8_t)size, bytes[1] = (uint8_t)(size >> 8), bytes[2] = (uint8_t)(size >> 16);
  for (uint32_t i = 0; i < size; i++) bytes[3 + i] = (uint8_t)(i * 5 + 1);
  return bytes;
}

TEST(frame_in_one_chunk_is_lent_from_the_chunk) {
  hd_test_allocator allocator;
  hd_test_allocator_init(&allocator);
  hd_secretstream_frame_reader reader = reader_of(&allocator.hook);
  uint8_t bytes[] = {2, 0, 0, 'a', 'b', 1, 0, 0, 'c', 9};
  hd_secretstream_frame frame;
  size_t consumed;
  CHECK_INT(HDHT_OK, read_frame(&reader, bytes, sizeof bytes, &consumed, &frame));
  CHECK_UINT(5, consumed);
  CHECK(frame.bytes == bytes + 3 && frame.size == 2);
  CHECK_INT(HDHT_OK, read_frame(&reader, bytes + 5, 5, &consumed, &frame));
  CHECK_UINT(4, consumed);
  CHECK(frame.bytes == bytes + 8 && frame.size == 1);
  CHECK(!hd_secretstream_frame_is_partial(&reader));
  CHECK_INT(HDHT_OK, read_frame(&reader, bytes + 9, 1, &consumed, &frame));
  CHECK_UINT(1, consumed);
  CHECK(frame.bytes == NULL);
  CHECK(hd_secretstream_frame_is_partial(&reader));
  CHECK_UINT(0, allocator.allocations);
}

TEST(frame_is_lent_even_when_its_prefix_came_before) {
  hd_test_allocator allocator;
  hd_test_allocator_init(&allocator);
  uint8_t bytes[] = {2, 0, 0, 'a', 'b'};
  for (size_t cut = 0; cut <= 3; cut++) {
    hd_secretstream_frame_reader reader = reader_of(&allocator.hook);
    hd_secretstream_frame frame;
    size_t consumed;
    CHECK_INT(HDHT_OK, read_frame(&reader, bytes, cut, &consumed, &frame));
    CHECK_UINT(cut, consumed);
    CHECK(frame.bytes == NULL);
    CHECK_INT(HDHT_OK, read_frame(&reader, bytes + cut, sizeof bytes - cut, &consumed, &frame));
    CHECK(frame.bytes == bytes + 3);
  }
  CHECK_UINT(0, allocator.allocations);
}

TEST(frame_is_the_same_wherever_it_is_cut) {
  const uint32_t sizes[] = {1, 2, 255, 256, 700};
  for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
    const uint32_t size = sizes[i];
    uint8_t *bytes = make_frame(size);
    for (size_t cut = 0; cut <= size + 3; cut++) {
      hd_secretstream_frame_reader reader = reader_of(hd_allocator_system());
      hd_secretstream_frame frame;
      size_t consumed;
      CHECK_INT(HDHT_OK, read_frame(&reader, bytes, cut, &consumed, &frame));
      CHECK_UINT(cut, consumed);
      if (cut < size + 3) CHECK_INT(HDHT_OK, read_frame(&reader, bytes + cut, size + 3 - cut, &consumed, &frame));
      REQUIRE(frame.bytes != NULL);
      CHECK_UINT(size, frame.size);
      CHECK_BYTES(bytes + 3, frame.bytes, size);
      hd_secretstream_frame_reader_clear(&reader);
    }
    free(bytes);
  }
}

TEST(frame_may_arrive_byte_by_byte) {
  uint8_t *bytes = make_frame(300);
  hd_secretstream_frame_reader reader = reader_of(hd_allocator_system());
  hd_secretstream_frame frame = {.bytes = NULL};
  size_t consumed;
  for (size_t i = 0; i < 303; i++) {
    CHECK(frame.bytes == NULL);
    CHECK_INT(HDHT_OK, read_frame(&reader, bytes + i, 1, &consumed, &frame));
    CHECK_UINT(1, consumed);
  }
  CHECK_UINT(300, frame.size);
  CHECK_BYTES(bytes + 3, frame.bytes, 300);
  hd_secretstream_frame_reader_clear(&reader);
  free(bytes);
}

TEST(frame_length_is_refused_as_soon_as_it_is_known) {
  const struct {
    uint8_t prefix[3];
    int error;
  } cases[] = {
      {{9, 0, 0}, HDHT_ERR_MALFORMED},  {{10, 0, 0}, HDHT_OK},           {{20, 0, 0}, HDHT_OK},
      {{21, 0, 0}, HDHT_ERR_TOO_LARGE}, {{0, 0, 0}, HDHT_ERR_MALFORMED}, {{10, 0, 1}, HDHT_ERR_TOO_LARGE},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    hd_secretstream_frame_reader reader = reader_of(hd_allocator_system());
    uint8_t prefix[3] = {cases[i].prefix[0], cases[i].prefix[1], cases[i].prefix[2]};
    hd_secretstream_frame frame;
    size_t consumed;
    CHECK_INT(cases[i].error, hd_secretstream_frame_read(&reader, 10, 20, prefix, 3, &consumed, &frame));
  }
}

TEST(frame_memory_grows_with_the_bytes_and_not_with_the_length) {
  hd_test_allocator allocator;
  hd_test_allocator_init(&allocator);
  hd_secretstream_frame_reader reader = reader_of(&allocator.hook);
  hd_secretstream_frame frame;
  size_t consumed;
  uint8_t prefix[] = {0xff, 0xff, 0xff, 'x'};
  CHECK_INT(HDHT_OK, read_frame(&reader, prefix, 3, &consumed, &frame));
  CHECK_UINT(0, allocator.live_bytes);
  CHECK_INT(HDHT_OK, read_frame(&reader, prefix + 3, 1, &consumed, &frame));
  CHECK_UINT(HD_SECRETSTREAM_FRAME_CLAIM_LIMIT, allocator.live_bytes);

  static uint8_t chunk[50000];
  size_t received = 1;
  while (received < 0xffffff) {
    const size_t left = 0xffffff - received, size = left < sizeof chunk ? left : sizeof chunk;
    CHECK_INT(HDHT_OK, read_frame(&reader, chunk, size, &consumed, &frame));
    CHECK_UINT(size, consumed);
    received += size;
    CHECK(allocator.live_bytes <= 2 * (received + HD_SECRETSTREAM_FRAME_CLAIM_LIMIT));
    CHECK(allocator.live_bytes <= 0xffffff);
  }
  CHECK_UINT(0xffffff, frame.size);
  CHECK_UINT('x', frame.bytes[0]);
  CHECK_INT(HDHT_OK, read_frame(&reader, NULL, 0, &consumed, &frame)); /* nothing in progress: a large buffer goes */
  CHECK_UINT(0, allocator.live_bytes);
}

TEST(frame_reader_allocates_once_for_short_frames) {
  hd_test_allocator allocator;
  hd_test_allocator_init(&allocator);
  hd_secretstream_frame_reader reader = reader_of(&allocator.hook);
  uint8_t *bytes = make_frame(1200);
  for (int i = 0; i < 50; i++) {
    hd_secretstream_frame frame;
    size_t consumed;
    CHECK_INT(HDHT_OK, read_frame(&reader, bytes, 1000, &consumed, &frame));
    CHECK_INT(HDHT_OK, read_frame(&reader, bytes + 1000, 203, &consumed, &frame));
    CHECK_BYTES(bytes + 3, frame.bytes, 1200);
    CHECK_INT(HDHT_OK, read_frame(&reader, NULL, 0, &consumed, &frame));
  }
  CHECK_UINT(1, allocator.allocations);
  CHECK(allocator.live_bytes <= HD_SECRETSTREAM_FRAME_IDLE_LIMIT);
  hd_secretstream_frame_reader_clear(&reader);
  CHECK_UINT(0, allocator.live_bytes);
  free(bytes);
}

/* Out of memory, the reader keeps what it has and goes on where it stopped. */
static bool read_a_long_frame(const hd_allocator *allocator) {
  uint8_t *bytes = make_frame(200000);
  hd_secretstream_frame_reader reader = reader_of(allocator);
  hd_secretstream_frame frame = {.bytes = NULL};
  bool never_failed = true;
  for (size_t offset = 0; offset < 200003;) {
    const size_t left = 200003 - offset, size = left < 30000 ? left : 30000;
    size_t consumed = 0;
    const int error = read_frame(&reader, bytes + offset, size, &consumed, &frame);
    if (error != HDHT_OK) {
      CHECK_INT(HDHT_ERR_OUT_OF_MEMORY, error);
      never_failed = false;
    }
    offset += consumed;
  }
  CHECK(frame.bytes != NULL && frame.size == 200000);
  if (frame.bytes != NULL) CHECK_BYTES(bytes + 3, frame.bytes, 200000);
  hd_secretstream_frame_reader_clear(&reader);
  free(bytes);
  return never_failed;
}

TEST(frame_reader_survives_allocation_failures) {
  hd_test_each_allocation_failure(read_a_long_frame);
}
