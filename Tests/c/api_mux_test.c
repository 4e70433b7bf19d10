/* The public multiplexer: callbacks, their order and what may be done in them. */
#include <hdht/mux.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "test.h"

/* Everything the library calls appends a line to `text`; `react` may act on it. */
typedef struct journal {
  char text[8192];
  int frame_result;
  hdht_mux *mux;
  hdht_mux_channel *channel;
  void (*react)(struct journal *journal, const char *line);
  int pair_answer;
  int depth; /* of callbacks; on_frame does not count */
} journal;

static void note(journal *seen, const char *line) {
  CHECK_INT(0, seen->depth);
  seen->depth++;
  const size_t size = strlen(seen->text);
  snprintf(seen->text + size, sizeof seen->text - size, "%s%s", size > 0 ? "; " : "", line);
  if (seen->react != NULL) seen->react(seen, line);
  seen->depth--;
}

static void note_bytes(journal *seen, const char *what, hdht_bytes bytes) {
  char line[256];
  snprintf(line, sizeof line, "%s %.*s", what, (int)bytes.size, (const char *)bytes.data);
  note(seen, line);
}

static const char *taken(journal *seen) {
  static char text[8192];
  memcpy(text, seen->text, sizeof text);
  seen->text[0] = '\0';
  return text;
}

static int on_frame(void *user_data, const hdht_mux_frame *frame) {
  journal *seen = user_data;
  uint8_t joined[512];
  char line[1100] = "frame ";
  if (frame->size > sizeof joined) return HDHT_ERR_TOO_LARGE;
  hdht_mux_frame_copy(frame, joined);
  for (size_t i = 0; i < frame->size; i++) snprintf(line + 6 + 2 * i, 3, "%02x", joined[i]);
  const size_t size = strlen(seen->text);
  snprintf(seen->text + size, sizeof seen->text - size, "%s%s", size > 0 ? "; " : "", line);
  if (seen->react != NULL) seen->react(seen, "frame");
  return seen->frame_result;
}

static void on_reading(void *user_data, int wants_frames) {
  note(user_data, wants_frames ? "resume" : "pause");
}

static void on_mux_closed(void *user_data, int error) {
  char line[64];
  snprintf(line, sizeof line, "mux closed %s", hdht_error_name(error));
  note(user_data, line);
}

/* A journal keeps the channel opened last. */
static void check_channel(const journal *seen, const hdht_mux_channel *channel) {
  CHECK(seen->channel == channel);
}

static void on_open(void *user_data, hdht_mux_channel *channel, hdht_bytes handshake) {
  check_channel(user_data, channel);
  note_bytes(user_data, "open", handshake);
}

static void on_message(void *user_data, hdht_mux_channel *channel, uint32_t type, hdht_bytes body) {
  check_channel(user_data, channel);
  char what[32];
  snprintf(what, sizeof what, "message %u", type);
  note_bytes(user_data, what, body);
}

static void on_drain(void *user_data, hdht_mux_channel *channel) {
  check_channel(user_data, channel);
  note(user_data, "drain");
}

static void on_channel_closed(void *user_data, hdht_mux_channel *channel, int reason) {
  (void)channel;
  char line[32];
  snprintf(line, sizeof line, "closed %d", reason);
  note(user_data, line);
}

static int on_pair(void *user_data, const hdht_mux_pairing *pairing) {
  journal *seen = user_data;
  note_bytes(seen, "pair", pairing->protocol);
  return seen->pair_answer;
}

static void on_removed(void *user_data) {
  note(user_data, "hook removed");
}

static const hdht_mux_callbacks mux_callbacks = {
    .struct_size = sizeof mux_callbacks, .on_frame = on_frame, .on_reading = on_reading, .on_closed = on_mux_closed};
static const hdht_mux_channel_callbacks channel_callbacks = {.struct_size = sizeof channel_callbacks,
                                                             .on_open = on_open,
                                                             .on_message = on_message,
                                                             .on_drain = on_drain,
                                                             .on_closed = on_channel_closed};
static const hdht_mux_pair_callbacks pair_callbacks = {
    .struct_size = sizeof pair_callbacks, .on_pair = on_pair, .on_removed = on_removed};

static hdht_bytes text_of(const char *text) {
  return hd_bytes_of(text, strlen(text));
}

static void start(journal *seen, const hdht_allocator *allocator) {
  *seen = (journal){.frame_result = HDHT_OK};
  hdht_mux_options options;
  hdht_mux_options_init(&options, sizeof options);
  options.allocator = allocator;
  (void)hdht_mux_create(&options, &mux_callbacks, seen, &seen->mux);
}

static int open_channel(journal *seen, const char *protocol) {
  hdht_mux_channel_options options;
  hdht_mux_channel_options_init(&options, sizeof options);
  options.protocol = text_of(protocol);
  options.message_types = 3;
  return hdht_mux_channel_open(seen->mux, &options, &channel_callbacks, seen, &seen->channel);
}

static int receive(journal *seen, const char *hex) {
  uint8_t frame[256];
  const size_t size = hd_test_hex(hex, frame, sizeof frame);
  return hdht_mux_receive(seen->mux, hd_bytes_of(frame, size));
}

static int send(journal *seen, const char *text) {
  const hdht_bytes body = text_of(text);
  return hdht_mux_channel_send(seen->channel, 0, &body, 1, NULL);
}

TEST(a_public_channel_lives_from_open_to_closed) {
  journal seen;
  start(&seen, NULL);
  CHECK_INT(HDHT_OK, open_channel(&seen, "p"));
  CHECK_INT(HDHT_OK, receive(&seen, "000101017000 6869"));
  CHECK_INT(HDHT_OK, receive(&seen, "010168"));
  CHECK_INT(HDHT_OK, send(&seen, "x"));
  CHECK_UINT(1, hdht_mux_channels_count(seen.mux));
  CHECK(hdht_mux_has_channel(seen.mux, text_of("p"), text_of("")));
  hdht_mux_channel_close(seen.channel);
  CHECK_TEXT("frame 000101017000; open hi; message 1 h; frame 010078; frame 000301; closed 0", taken(&seen));
  hdht_mux_close(seen.mux);
  CHECK_TEXT("mux closed HDHT_OK", taken(&seen));
}

TEST(closing_a_mux_ends_channels_then_hooks_then_itself) {
  journal seen;
  start(&seen, NULL);
  CHECK_INT(HDHT_OK, open_channel(&seen, "p"));
  CHECK_INT(HDHT_OK, open_channel(&seen, "q"));
  CHECK_INT(HDHT_OK, hdht_mux_pair(seen.mux, text_of("x"), text_of(""), &pair_callbacks, &seen));
  (void)taken(&seen);
  hdht_mux_close(seen.mux);
  CHECK_TEXT("closed 3; closed 3; hook removed; mux closed HDHT_OK", taken(&seen));
}

TEST(a_failed_mux_says_why_when_it_closes) {
  journal seen;
  start(&seen, NULL);
  CHECK_INT(HDHT_OK, open_channel(&seen, "p"));
  (void)taken(&seen);
  CHECK_INT(HDHT_ERR_MUX_REJECT, receive(&seen, "000202"));
  CHECK_INT(HDHT_ERR_MUX_REJECT, receive(&seen, "0100"));
  CHECK_INT(HDHT_ERR_CLOSED, open_channel(&seen, "q"));
  CHECK_INT(HDHT_ERR_CLOSED, hdht_mux_fail(seen.mux, HDHT_ERR_TIMED_OUT));
  CHECK_TEXT("closed 3", taken(&seen));
  hdht_mux_close(seen.mux);
  CHECK_TEXT("mux closed HDHT_ERR_MUX_REJECT", taken(&seen));
}

TEST(the_end_of_the_pipe_is_an_orderly_failure) {
  journal seen;
  start(&seen, NULL);
  CHECK_INT(HDHT_OK, open_channel(&seen, "p"));
  (void)taken(&seen);
  CHECK_INT(HDHT_ERR_INVALID_ARGUMENT, hdht_mux_fail(seen.mux, HDHT_OK));
  CHECK_INT(HDHT_OK, hdht_mux_fail(seen.mux, HDHT_ERR_CLOSED));
  CHECK_TEXT("closed 3", taken(&seen));
  CHECK_INT(HDHT_ERR_CLOSED, receive(&seen, "0100"));
  hdht_mux_close(seen.mux);
  CHECK_TEXT("mux closed HDHT_OK", taken(&seen));
}

static void close_mux_at_message(journal *seen, const char *line) {
  if (strncmp(line, "message", 7) != 0) return;
  hdht_mux_close(seen->mux);
  CHECK_INT(HDHT_ERR_CLOSED, send(seen, "x"));
  CHECK_INT(HDHT_ERR_CLOSED, open_channel(seen, "late"));
  CHECK_INT(HDHT_ERR_CLOSED, receive(seen, "010061"));
  CHECK_INT(HDHT_ERR_CLOSED, hdht_mux_cork(seen->mux));
  hdht_mux_channel_close(seen->channel);
  hdht_mux_close(seen->mux);
}

TEST(a_mux_may_be_closed_in_a_callback) {
  journal seen;
  start(&seen, NULL);
  CHECK_INT(HDHT_OK, open_channel(&seen, "p"));
  CHECK_INT(HDHT_OK, receive(&seen, "000101017000"));
  (void)taken(&seen);
  seen.react = close_mux_at_message;
  CHECK_INT(HDHT_ERR_CLOSED, receive(&seen, "000001 020061 020062"));
  CHECK_TEXT("message 0 a; closed 3; mux closed HDHT_OK", taken(&seen));
}

static void close_mux_at_frame(journal *seen, const char *line) {
  if (strcmp(line, "frame") == 0) hdht_mux_close(seen->mux);
}

TEST(a_mux_may_be_closed_in_on_frame) {
  journal seen;
  start(&seen, NULL);
  CHECK_INT(HDHT_OK, open_channel(&seen, "p"));
  (void)taken(&seen);
  seen.react = close_mux_at_frame;
  CHECK_INT(HDHT_OK, send(&seen, "x"));
  CHECK_TEXT("frame 010078; closed 3; mux closed HDHT_OK", taken(&seen));

  start(&seen, NULL);
  seen.react = close_mux_at_frame;
  CHECK_INT(HDHT_OK, open_channel(&seen, "p"));
  CHECK_TEXT("frame 000101017000; closed 3; mux closed HDHT_OK", taken(&seen));

  start(&seen, NULL);
  seen.react = close_mux_at_frame;
  CHECK_INT(HDHT_ERR_CLOSED, receive(&seen, "000101017000")); /* rejects */
  CHECK_TEXT("frame 000201; mux closed HDHT_OK", taken(&seen));
}

static void misuse_at_frame(journal *seen, const char *line) {
  if (strcmp(line, "frame") != 0) return;
  CHECK_INT(HDHT_ERR_INVALID_STATE, send(seen, "x"));
  CHECK_INT(HDHT_ERR_INVALID_STATE, receive(seen, "010061"));
  CHECK_INT(HDHT_ERR_INVALID_STATE, open_channel(seen, "q"));
  CHECK_INT(HDHT_ERR_INVALID_STATE, hdht_mux_cork(seen->mux));
  CHECK_INT(HDHT_ERR_INVALID_STATE, hdht_mux_drained(seen->mux));
  CHECK_INT(HDHT_ERR_INVALID_STATE, hdht_mux_fail(seen->mux, HDHT_ERR_PROTOCOL));
  hdht_mux_channel_close(seen->channel);
}

TEST(on_frame_may_do_nothing_else) {
  journal seen;
  start(&seen, NULL);
  CHECK_INT(HDHT_OK, open_channel(&seen, "p"));
  (void)taken(&seen);
  seen.react = misuse_at_frame;
  CHECK_INT(HDHT_OK, send(&seen, "x"));
  CHECK_TEXT("frame 010078", taken(&seen));
  hdht_mux_close(seen.mux);
}

static void replace_at_close(journal *seen, const char *line) {
  if (strncmp(line, "closed", 6) != 0) return;
  seen->react = NULL;
  CHECK_INT(HDHT_ERR_CLOSED, send(seen, "x"));
  CHECK_INT(HDHT_OK, open_channel(seen, "again"));
}

TEST(a_channel_may_be_replaced_in_its_last_callback) {
  journal seen;
  start(&seen, NULL);
  CHECK_INT(HDHT_OK, open_channel(&seen, "p"));
  CHECK_INT(HDHT_OK, receive(&seen, "000101017000"));
  (void)taken(&seen);
  seen.react = replace_at_close;
  CHECK_INT(HDHT_OK, receive(&seen, "000301"));
  CHECK_TEXT("closed 1; frame 00010105616761696e00", taken(&seen));
  CHECK_UINT(1, hdht_mux_channels_count(seen.mux));
  hdht_mux_close(seen.mux);
}

static void open_what_is_asked_for(journal *seen, const char *line) {
  if (strncmp(line, "pair ", 5) == 0) CHECK_INT(HDHT_OK, open_channel(seen, line + 5));
}

TEST(a_hook_opens_rejects_or_answers_later) {
  journal seen;
  start(&seen, NULL);
  CHECK_INT(HDHT_OK, hdht_mux_pair(seen.mux, text_of("p"), text_of(""), &pair_callbacks, &seen));
  CHECK_INT(HDHT_ERR_EXISTS, hdht_mux_pair(seen.mux, text_of("p"), text_of(""), &pair_callbacks, &seen));
  seen.pair_answer = HDHT_MUX_PAIR_NOW;
  CHECK_INT(HDHT_OK, receive(&seen, "000101017000"));
  CHECK_TEXT("pair p; frame 000201", taken(&seen));

  seen.react = open_what_is_asked_for;
  CHECK_INT(HDHT_OK, receive(&seen, "00010101700061"));
  CHECK_TEXT("pair p; frame 000101017000; open a", taken(&seen));
  hdht_mux_channel_close(seen.channel);
  CHECK_TEXT("frame 000301; closed 0", taken(&seen));

  seen.react = NULL;
  seen.pair_answer = HDHT_MUX_PAIR_LATER;
  CHECK_INT(HDHT_OK, receive(&seen, "000102017000"));
  CHECK_INT(HDHT_OK, receive(&seen, "020062"));
  CHECK_TEXT("pair p", taken(&seen));
  CHECK_INT(HDHT_OK, open_channel(&seen, "p"));
  CHECK_TEXT("frame 000101017000; open ; message 0 b", taken(&seen));

  CHECK_INT(HDHT_OK, receive(&seen, "000101017000"));
  CHECK_INT(HDHT_OK, hdht_mux_reject(seen.mux, text_of("p"), text_of("")));
  CHECK_INT(HDHT_ERR_NOT_FOUND, hdht_mux_reject(seen.mux, text_of("p"), text_of("")));
  CHECK_TEXT("pair p; frame 000201", taken(&seen));
  CHECK_INT(HDHT_OK, hdht_mux_unpair(seen.mux, text_of("p"), text_of("")));
  CHECK_INT(HDHT_ERR_NOT_FOUND, hdht_mux_unpair(seen.mux, text_of("p"), text_of("")));
  CHECK_TEXT("hook removed", taken(&seen));
  hdht_mux_close(seen.mux);
  CHECK_TEXT("closed 3; mux closed HDHT_OK", taken(&seen));
}

TEST(a_hook_that_opens_for_an_older_open_does_not_reject_the_newer_one) {
  journal seen;
  start(&seen, NULL);
  CHECK_INT(HDHT_OK, hdht_mux_pair(seen.mux, text_of("p"), text_of(""), &pair_callbacks, &seen));
  seen.pair_answer = HDHT_MUX_PAIR_LATER;
  CHECK_INT(HDHT_OK, receive(&seen, "00010101700061"));
  seen.pair_answer = HDHT_MUX_PAIR_NOW;
  seen.react = open_what_is_asked_for;
  CHECK_INT(HDHT_OK, receive(&seen, "00010201700062"));
  CHECK_TEXT("pair p; pair p; frame 000101017000; open a", taken(&seen));
  hdht_mux_close(seen.mux);
}

static void remove_hook_when_asked(journal *seen, const char *line) {
  if (strncmp(line, "pair", 4) != 0) return;
  CHECK_INT(HDHT_OK, hdht_mux_unpair(seen->mux, text_of("p"), text_of("")));
}

TEST(a_hook_may_remove_itself_and_is_told_after_its_callback) {
  journal seen;
  start(&seen, NULL);
  CHECK_INT(HDHT_OK, hdht_mux_pair(seen.mux, text_of("p"), text_of(""), &pair_callbacks, &seen));
  seen.react = remove_hook_when_asked;
  CHECK_INT(HDHT_OK, receive(&seen, "000101017000"));
  CHECK_TEXT("pair p; frame 000201; hook removed", taken(&seen));
  hdht_mux_close(seen.mux);
}

TEST(back_pressure_is_told_by_send_and_ended_by_drained) {
  journal seen;
  start(&seen, NULL);
  CHECK_INT(HDHT_OK, open_channel(&seen, "p"));
  (void)taken(&seen);
  const hdht_bytes body = text_of("x");
  int wants_more = 7;
  CHECK_INT(HDHT_OK, hdht_mux_channel_send(seen.channel, 0, &body, 1, &wants_more));
  CHECK_INT(1, wants_more);
  seen.frame_result = HDHT_ERR_WOULD_BLOCK;
  CHECK_INT(HDHT_OK, hdht_mux_channel_send(seen.channel, 0, &body, 1, &wants_more));
  CHECK_INT(0, wants_more);
  CHECK_INT(0, hdht_mux_is_drained(seen.mux));
  CHECK_INT(HDHT_OK, hdht_mux_drained(seen.mux));
  CHECK_INT(1, hdht_mux_is_drained(seen.mux));
  CHECK_TEXT("frame 010078; frame 010078; drain", taken(&seen));
  hdht_mux_close(seen.mux);
}

TEST(a_broken_pipe_ends_the_channels_before_send_returns) {
  journal seen;
  start(&seen, NULL);
  CHECK_INT(HDHT_OK, open_channel(&seen, "p"));
  (void)taken(&seen);
  seen.frame_result = HDHT_ERR_CONNECTION_RESET;
  CHECK_INT(HDHT_ERR_CONNECTION_RESET, send(&seen, "x"));
  CHECK_TEXT("frame 010078; closed 3", taken(&seen));
  CHECK_INT(HDHT_ERR_CONNECTION_RESET, receive(&seen, "010061"));
  hdht_mux_close(seen.mux);
  CHECK_TEXT("mux closed HDHT_ERR_CONNECTION_RESET", taken(&seen));

  start(&seen, NULL);
  seen.frame_result = 17; /* no error, so it is made one */
  CHECK_INT(HDHT_OK, open_channel(&seen, "p"));
  CHECK_INT(HDHT_ERR_INVALID_ARGUMENT, receive(&seen, "010061"));
  hdht_mux_close(seen.mux);
}

TEST(corked_frames_go_out_together) {
  journal seen;
  start(&seen, NULL);
  CHECK_INT(HDHT_ERR_INVALID_STATE, hdht_mux_uncork(seen.mux));
  CHECK_INT(HDHT_OK, hdht_mux_cork(seen.mux));
  CHECK_INT(HDHT_OK, open_channel(&seen, "p"));
  CHECK_INT(HDHT_OK, send(&seen, "x"));
  uint8_t header[HDHT_MUX_HEADER_SIZE_LIMIT];
  size_t size;
  CHECK_INT(HDHT_ERR_INVALID_STATE, hdht_mux_channel_header(seen.channel, 1, header, &size));
  CHECK_INT(HDHT_OK, hdht_mux_uncork(seen.mux));
  CHECK_TEXT("frame 0000000501010170000001020078", taken(&seen));
  CHECK_INT(HDHT_OK, hdht_mux_channel_header(seen.channel, 1, header, &size));
  CHECK_UINT(2, size);
  hdht_mux_close(seen.mux);
}

TEST(reading_is_paused_and_resumed_through_the_owner) {
  journal seen;
  hdht_mux_options options;
  hdht_mux_options_init(&options, sizeof options);
  options.buffered_size_limit = 600;
  seen = (journal){.pair_answer = HDHT_MUX_PAIR_LATER};
  REQUIRE(hdht_mux_create(&options, &mux_callbacks, &seen, &seen.mux) == HDHT_OK);
  CHECK_INT(HDHT_OK, hdht_mux_pair(seen.mux, text_of("p"), text_of(""), &pair_callbacks, &seen));
  CHECK_INT(HDHT_OK, receive(&seen, "000101017000"));
  CHECK_INT(HDHT_OK, receive(&seen, "010061"));
  CHECK_INT(HDHT_OK, receive(&seen, "010062"));
  CHECK_TEXT("pair p; pause", taken(&seen));
  CHECK_INT(HDHT_OK, open_channel(&seen, "p"));
  CHECK_TEXT("frame 000101017000; open ; message 0 a; message 0 b; resume", taken(&seen));
  hdht_mux_close(seen.mux);
}

TEST(bad_arguments_are_refused) {
  journal seen;
  start(&seen, NULL);
  hdht_mux *mux = NULL;
  hdht_mux_options options;
  hdht_mux_options_init(&options, sizeof options);
  hdht_mux_callbacks callbacks = mux_callbacks;
  CHECK_INT(HDHT_ERR_INVALID_ARGUMENT, hdht_mux_create(NULL, NULL, NULL, &mux));
  CHECK_INT(HDHT_ERR_INVALID_ARGUMENT, hdht_mux_create(NULL, &mux_callbacks, NULL, NULL));
  callbacks.on_frame = NULL;
  CHECK_INT(HDHT_ERR_INVALID_ARGUMENT, hdht_mux_create(NULL, &callbacks, NULL, &mux));
  options.frame_size_limit = 63;
  CHECK_INT(HDHT_ERR_INVALID_ARGUMENT, hdht_mux_create(&options, &mux_callbacks, NULL, &mux));
  options.struct_size = 1;
  CHECK_INT(HDHT_ERR_INVALID_ARGUMENT, hdht_mux_create(&options, &mux_callbacks, NULL, &mux));
  CHECK(mux == NULL);

  static const uint8_t bytes[HDHT_MUX_NAME_SIZE_LIMIT + 1];
  const hdht_bytes too_long = hd_bytes_of(bytes, sizeof bytes), no_memory = {.data = NULL, .size = 1};
  hdht_mux_channel_options channel_options;
  hdht_mux_channel_options_init(&channel_options, sizeof channel_options);
  const hdht_mux_channel_options good = channel_options;
  hdht_mux_channel *channel = NULL;
  const hdht_mux_channel_options bad[] = {
      {.struct_size = sizeof good, .protocol = too_long},
      {.struct_size = sizeof good, .id = too_long},
      {.struct_size = sizeof good, .protocol = no_memory},
      {.struct_size = sizeof good, .handshake = no_memory},
      {.struct_size = sizeof good, .aliases_count = 1},
      {.struct_size = sizeof good, .aliases = &too_long, .aliases_count = 1},
      {.struct_size = sizeof good, .aliases = &too_long, .aliases_count = HDHT_MUX_ALIASES_LIMIT + 1},
      {.struct_size = 4},
  };
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
    CHECK_INT(HDHT_ERR_INVALID_ARGUMENT, hdht_mux_channel_open(seen.mux, &bad[i], &channel_callbacks, &seen, &channel));
  }
  hdht_mux_channel_callbacks no_end = channel_callbacks;
  no_end.on_closed = NULL;
  CHECK_INT(HDHT_ERR_INVALID_ARGUMENT, hdht_mux_channel_open(seen.mux, &good, &no_end, &seen, &channel));
  CHECK(channel == NULL);
  CHECK_INT(HDHT_ERR_INVALID_ARGUMENT, hdht_mux_receive(seen.mux, no_memory));
  CHECK_INT(HDHT_ERR_INVALID_ARGUMENT, hdht_mux_pair(seen.mux, too_long, text_of(""), &pair_callbacks, &seen));
  CHECK_INT(HDHT_OK, open_channel(&seen, "p"));
  CHECK_INT(HDHT_ERR_INVALID_ARGUMENT, hdht_mux_channel_send(seen.channel, 0, NULL, 1, NULL));
  CHECK_INT(HDHT_ERR_INVALID_ARGUMENT, hdht_mux_channel_send(seen.channel, 0, &no_memory, 1, NULL));
  CHECK_INT(HDHT_ERR_INVALID_ARGUMENT, hdht_mux_channel_send(seen.channel, 3, NULL, 0, NULL));
  CHECK_INT(HDHT_OK, hdht_mux_channel_send(seen.channel, 2, NULL, 0, NULL));
  hdht_mux_close(seen.mux);
  hdht_mux_close(NULL);
}

/* An older program knows a shorter struct: the rest takes defaults. */
TEST(shorter_option_structs_are_read_as_far_as_they_go) {
  struct {
    hdht_mux_options options;
    uint8_t guard;
  } old;
  memset(&old, 0xee, sizeof old);
  const size_t known = offsetof(hdht_mux_options, channels_limit);
  hdht_mux_options_init(&old.options, known);
  CHECK_UINT(known, old.options.struct_size);
  CHECK_UINT(HDHT_MUX_FRAME_SIZE_LIMIT, old.options.frame_size_limit);
  CHECK_UINT(0xeeeeeeee, old.options.channels_limit);
  journal seen = {0};
  REQUIRE(hdht_mux_create(&old.options, &mux_callbacks, &seen, &seen.mux) == HDHT_OK);
  CHECK_INT(HDHT_OK, open_channel(&seen, "p"));
  hdht_mux_close(seen.mux);
}

static bool use_everything(const hdht_allocator *allocator) {
  journal seen;
  start(&seen, allocator);
  if (seen.mux == NULL) return false;
  bool is_complete = true;
  is_complete &= hdht_mux_pair(seen.mux, text_of("p"), text_of(""), &pair_callbacks, &seen) == HDHT_OK;
  seen.pair_answer = HDHT_MUX_PAIR_LATER;
  is_complete &= receive(&seen, "000101017000") == HDHT_OK;
  is_complete &= receive(&seen, "010061") == HDHT_OK;
  is_complete &= open_channel(&seen, "p") == HDHT_OK;
  is_complete &= hdht_mux_cork(seen.mux) == HDHT_OK;
  if (is_complete) is_complete &= send(&seen, "x") == HDHT_OK;
  (void)hdht_mux_uncork(seen.mux);
  hdht_mux_close(seen.mux);
  const char *text = taken(&seen);
  CHECK(strstr(text, "mux closed") != NULL);
  return is_complete && strstr(text, "pair p; frame 000101017000; open ; message 0 a; frame 000001020078") != NULL;
}

TEST(the_public_mux_survives_the_failure_of_each_allocation) {
  hd_test_each_allocation_failure(use_everything);
}
