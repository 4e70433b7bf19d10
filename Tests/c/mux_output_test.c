#include "mux/mux_output.h"

#include "mux_peer.h"

typedef struct record {
  char text[4096];
  size_t frames;
  size_t largest;
  int result;
} record;

static int note_frame(void *context, const hd_mux_frame *frame) {
  record *seen = context;
  seen->frames++;
  if (frame->size > seen->largest) seen->largest = frame->size;
  char *text = seen->text + strlen(seen->text);
  if (text > seen->text) text += snprintf(text, 2, " ");
  uint8_t joined[1024];
  if (frame->size > sizeof joined) return seen->result;
  hdht_mux_frame_copy(frame, joined);
  for (size_t i = 0; i < frame->size; i++, text += 2) snprintf(text, 3, "%02x", joined[i]);
  return seen->result;
}

static hd_mux_output output_to(record *seen, const hd_allocator *allocator, size_t frame_size_limit,
                               size_t batch_size_limit) {
  hd_mux_output output;
  *seen = (record){.result = HDHT_OK};
  hd_mux_output_init(&output, allocator, (hd_mux_sink){.write = note_frame, .context = seen}, frame_size_limit,
                     batch_size_limit);
  return output;
}

static int write_text(hd_mux_output *output, uint32_t channel, uint32_t type, const char *text) {
  const hd_bytes part = mux_peer_text(text);
  return hd_mux_output_write(output, channel, type, &part, 1);
}

TEST(a_message_goes_out_at_once_as_header_and_the_callers_own_parts) {
  record seen;
  hd_test_allocator allocator;
  hd_test_allocator_init(&allocator);
  hd_mux_output output = output_to(&seen, &allocator.hook, 1000, 1000);
  const hd_bytes parts[3] = {mux_peer_text("a"), {0}, mux_peer_text("bc")};
  CHECK_INT(HDHT_OK, hd_mux_output_write(&output, 1, 2, parts, 3));
  CHECK_INT(HDHT_OK, hd_mux_output_write(&output, 253, 0, NULL, 0));
  CHECK_TEXT("0102616263 fdfd0000", seen.text);
  CHECK_UINT(0, allocator.allocations);
  hd_mux_output_destroy(&output);
}

TEST(corked_messages_become_one_batch_that_names_each_channel_once) {
  record seen;
  hd_mux_output output = output_to(&seen, hd_allocator_system(), 1000, 1000);
  hd_mux_output_cork(&output);
  CHECK_INT(HDHT_OK, write_text(&output, 1, 0, "a"));
  CHECK_INT(HDHT_OK, write_text(&output, 1, 1, ""));
  hd_mux_output_cork(&output);
  CHECK_INT(HDHT_OK, write_text(&output, 0, HD_MUX_REJECT, "\x02"));
  CHECK_INT(HDHT_OK, hd_mux_output_uncork(&output));
  CHECK_INT(HDHT_OK, write_text(&output, 1, 0, "z"));
  CHECK_TEXT("", seen.text);
  CHECK_INT(HDHT_OK, hd_mux_output_uncork(&output));
  CHECK_TEXT("00000102006101010000020202000102007a", seen.text);
  hd_mux_output_destroy(&output);
}

TEST(a_message_apart_divides_the_batch) {
  record seen;
  hd_mux_output output = output_to(&seen, hd_allocator_system(), 1000, 1000);
  const hd_bytes part = mux_peer_text("x");
  CHECK_INT(HDHT_OK, hd_mux_output_write_apart(&output, 1, 0, &part, 1));
  hd_mux_output_cork(&output);
  CHECK_INT(HDHT_OK, write_text(&output, 1, 0, "a"));
  CHECK_INT(HDHT_OK, hd_mux_output_write_apart(&output, 1, 0, &part, 1));
  CHECK_INT(HDHT_OK, hd_mux_output_write_apart(&output, 1, 0, &part, 1));
  CHECK_INT(HDHT_OK, write_text(&output, 1, 0, "b"));
  CHECK_INT(HDHT_OK, hd_mux_output_uncork(&output));
  CHECK_TEXT("010078 000001020061 010078 010078 000001020062", seen.text);
  static const uint8_t bytes[999];
  const hd_bytes too_long = hd_bytes_of(bytes, sizeof bytes);
  CHECK_INT(HDHT_ERR_TOO_LARGE, hd_mux_output_write_apart(&output, 1, 0, &too_long, 1));
  seen.result = HDHT_ERR_CONNECTION_RESET;
  CHECK_INT(HDHT_ERR_CONNECTION_RESET, hd_mux_output_write_apart(&output, 1, 0, &part, 1));
  CHECK_INT(HDHT_ERR_CONNECTION_RESET, hd_mux_output_write_apart(&output, 1, 0, &part, 1));
  hd_mux_output_destroy(&output);
}

TEST(an_empty_cork_writes_nothing) {
  record seen;
  hd_mux_output output = output_to(&seen, hd_allocator_system(), 1000, 1000);
  hd_mux_output_cork(&output);
  CHECK_INT(HDHT_OK, hd_mux_output_uncork(&output));
  CHECK_UINT(0, seen.frames);
  hd_mux_output_destroy(&output);
}

TEST(a_batch_never_exceeds_its_limit) {
  for (size_t limit = 16; limit < 80; limit++) {
    record seen;
    hd_mux_output output = output_to(&seen, hd_allocator_system(), 1000, limit);
    hd_mux_output_cork(&output);
    for (uint32_t i = 0; i < 20; i++) CHECK_INT(HDHT_OK, write_text(&output, 1 + i % 2, 0, "abc"));
    CHECK_INT(HDHT_OK, hd_mux_output_uncork(&output));
    CHECK(seen.largest <= limit);
    CHECK(seen.frames <= 20);
    hd_mux_output_destroy(&output);
  }
}

TEST(a_message_too_long_for_a_batch_goes_out_alone_and_in_order) {
  record seen;
  hd_mux_output output = output_to(&seen, hd_allocator_system(), 1000, 30);
  hd_mux_output_cork(&output);
  CHECK_INT(HDHT_OK, write_text(&output, 1, 0, "a"));
  CHECK_INT(HDHT_OK, write_text(&output, 1, 0, "0123456789012345678901234567"));
  CHECK_INT(HDHT_OK, write_text(&output, 1, 0, "b"));
  CHECK_INT(HDHT_OK, hd_mux_output_uncork(&output));
  CHECK_TEXT("000001020061 010030313233343536373839303132333435363738393031323334353637 000001020062", seen.text);
  hd_mux_output_destroy(&output);
}

TEST(the_frame_limit_counts_the_header_corked_or_not) {
  record seen;
  hd_mux_output output = output_to(&seen, hd_allocator_system(), 100, 100);
  static const uint8_t bytes[99];
  for (int is_corked = 0; is_corked < 2; is_corked++) {
    if (is_corked) hd_mux_output_cork(&output);
    const hd_bytes fits = hd_bytes_of(bytes, 98), too_long = hd_bytes_of(bytes, 99);
    CHECK_INT(HDHT_OK, hd_mux_output_write(&output, 1, 0, &fits, 1));
    CHECK_INT(HDHT_ERR_TOO_LARGE, hd_mux_output_write(&output, 1, 0, &too_long, 1));
    CHECK_INT(HDHT_ERR_TOO_LARGE, hd_mux_output_write(&output, 253, 0, &fits, 1));
  }
  CHECK_INT(HDHT_OK, hd_mux_output_uncork(&output));
  CHECK_UINT(2, seen.frames);
  hd_mux_output_destroy(&output);
}

TEST(sizes_without_a_sum_are_too_large) {
  record seen;
  hd_mux_output output = output_to(&seen, hd_allocator_system(), 100, 100);
  const hd_bytes parts[2] = {{.data = NULL, .size = SIZE_MAX}, {.data = NULL, .size = 10}};
  CHECK_INT(HDHT_ERR_TOO_LARGE, hd_mux_output_write(&output, 1, 0, parts, 2));
  hd_mux_output_destroy(&output);
}

TEST(a_full_stream_is_noted_until_it_takes_a_frame_gladly) {
  record seen;
  hd_mux_output output = output_to(&seen, hd_allocator_system(), 100, 100);
  CHECK(output.is_drained);
  seen.result = HDHT_ERR_WOULD_BLOCK;
  CHECK_INT(HDHT_OK, write_text(&output, 1, 0, "a"));
  CHECK(!output.is_drained);
  seen.result = HDHT_OK;
  CHECK_INT(HDHT_OK, write_text(&output, 1, 0, "b"));
  CHECK(output.is_drained);
  hd_mux_output_destroy(&output);
}

TEST(a_broken_stream_is_not_written_to_again) {
  record seen;
  hd_mux_output output = output_to(&seen, hd_allocator_system(), 100, 100);
  seen.result = HDHT_ERR_CONNECTION_RESET;
  CHECK_INT(HDHT_ERR_CONNECTION_RESET, write_text(&output, 1, 0, "a"));
  CHECK_INT(HDHT_ERR_CONNECTION_RESET, write_text(&output, 1, 0, "b"));
  CHECK_UINT(1, seen.frames);
  hd_mux_output_destroy(&output);
}

TEST(a_break_drops_what_was_collected) {
  record seen;
  hd_mux_output output = output_to(&seen, hd_allocator_system(), 100, 100);
  hd_mux_output_cork(&output);
  CHECK_INT(HDHT_OK, write_text(&output, 1, 0, "a"));
  hd_mux_output_break(&output, HDHT_ERR_CLOSED);
  CHECK_INT(HDHT_ERR_CLOSED, write_text(&output, 1, 0, "b"));
  CHECK_INT(HDHT_OK, hd_mux_output_uncork(&output));
  CHECK_UINT(0, seen.frames);
  hd_mux_output_destroy(&output);
}

TEST(without_memory_corked_messages_go_out_one_by_one) {
  record seen;
  hd_test_allocator allocator;
  hd_test_allocator_init(&allocator);
  hd_mux_output output = output_to(&seen, &allocator.hook, 1 << 20, 1 << 20);
  static const uint8_t bytes[2000]; /* more than the first batch buffer */
  const hd_bytes large = hd_bytes_of(bytes, sizeof bytes);
  hd_mux_output_cork(&output);
  CHECK_INT(HDHT_OK, write_text(&output, 1, 0, "a"));
  allocator.fail_at = allocator.allocations + 1;
  CHECK_INT(HDHT_OK, hd_mux_output_write(&output, 1, 0, &large, 1));
  CHECK_INT(HDHT_OK, hd_mux_output_write(&output, 1, 0, &large, 1));
  CHECK_UINT(2, seen.frames); /* what was collected, then the first large one */
  CHECK_INT(HDHT_OK, hd_mux_output_uncork(&output));
  CHECK_UINT(3, seen.frames);
  hd_mux_output_destroy(&output);
  CHECK_UINT(0, allocator.live_bytes);
}

TEST(a_small_batch_buffer_is_kept_and_a_large_one_given_back) {
  record seen;
  hd_test_allocator allocator;
  hd_test_allocator_init(&allocator);
  hd_mux_output output = output_to(&seen, &allocator.hook, 1 << 20, 1 << 20);
  for (int i = 0; i < 10; i++) {
    hd_mux_output_cork(&output);
    CHECK_INT(HDHT_OK, write_text(&output, 1, 0, "a"));
    CHECK_INT(HDHT_OK, hd_mux_output_uncork(&output));
  }
  CHECK_UINT(1, allocator.allocations);
  static const uint8_t bytes[140000];
  const hd_bytes large = hd_bytes_of(bytes, sizeof bytes);
  hd_mux_output_cork(&output);
  CHECK_INT(HDHT_OK, hd_mux_output_write(&output, 1, 0, &large, 1));
  CHECK_INT(HDHT_OK, hd_mux_output_uncork(&output));
  CHECK_UINT(0, allocator.live_bytes);
  hd_mux_output_destroy(&output);
}
