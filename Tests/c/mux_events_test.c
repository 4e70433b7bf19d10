/* What comes in, and what is told of it. */
#include "mux/mux.h"

#include "mux_peer.h"

/* A peer with the channel "a", 3 message types, open on both sides as id 1. */
static hd_mux_channel *init_open(mux_peer *peer) {
  mux_peer_init(peer);
  hd_mux_channel *channel = mux_peer_open(peer, "a", 3);
  CHECK_INT(HDHT_OK, mux_peer_receive(peer, "000101016100"));
  CHECK_TEXT("000101016100", mux_peer_sent(peer));
  CHECK_TEXT("a opened", mux_peer_told(peer));
  return channel;
}

TEST(a_message_is_told_with_the_frames_own_bytes) {
  static mux_peer peer;
  (void)init_open(&peer);
  const uint8_t frame[] = {1, 2, 'x', 'y'};
  CHECK_INT(HDHT_OK, hd_mux_receive(&peer.mux, hd_bytes_of(frame, sizeof frame)));
  hd_mux_event event;
  REQUIRE(hd_mux_next_event(&peer.mux, &event));
  CHECK_INT(HD_MUX_EVENT_MESSAGE, event.kind);
  CHECK_UINT(2, event.type);
  CHECK(event.bytes.data == frame + 2);
  CHECK_UINT(2, event.bytes.size);
  CHECK(!hd_mux_next_event(&peer.mux, &event));
  mux_peer_destroy(&peer);
}

TEST(messages_of_types_a_channel_does_not_have_are_ignored) {
  static mux_peer peer;
  (void)init_open(&peer);
  CHECK_INT(HDHT_OK, mux_peer_receive(&peer, "010261"));
  CHECK_INT(HDHT_OK, mux_peer_receive(&peer, "010361"));
  CHECK_INT(HDHT_OK, mux_peer_receive(&peer, "01ff000000000100000061"));
  CHECK_TEXT("a message 2 61", mux_peer_told(&peer));
  mux_peer_destroy(&peer);
}

TEST(messages_of_ids_that_are_not_open_are_ignored) {
  static mux_peer peer;
  mux_peer_init(&peer);
  CHECK_INT(HDHT_OK, mux_peer_receive(&peer, "010061"));
  CHECK_INT(HDHT_OK, mux_peer_receive(&peer, "ffffffffffffffffff0061"));
  (void)mux_peer_open(&peer, "a", 3);
  CHECK_INT(HDHT_OK, mux_peer_receive(&peer, "010061")); /* ours is 1, but of theirs there is none yet */
  CHECK_INT(HDHT_OK, mux_peer_receive(&peer, "000101016100"));
  CHECK_INT(HDHT_OK, mux_peer_receive(&peer, "020061"));
  CHECK_INT(HDHT_OK, mux_peer_receive(&peer, "000301"));
  CHECK_INT(HDHT_OK, mux_peer_receive(&peer, "010061"));
  CHECK_TEXT("a opened, a closed by peer", mux_peer_told(&peer));
  mux_peer_destroy(&peer);
}

TEST(non_minimal_integers_are_accepted) {
  static mux_peer peer;
  (void)init_open(&peer);
  CHECK_INT(HDHT_OK, mux_peer_receive(&peer, "fd01000061"));
  CHECK_INT(HDHT_OK, mux_peer_receive(&peer, "ff0100000000000000fe0100000062"));
  CHECK_TEXT("a message 0 61, a message 1 62", mux_peer_told(&peer));
  mux_peer_destroy(&peer);
}

TEST(empty_frames_and_unknown_control_messages_are_ignored) {
  static mux_peer peer;
  (void)init_open(&peer);
  static const char *const frames[] = {"", "0004", "000901", "00fc", "00ffffffffffffffffff", "000300", "000309"};
  for (size_t i = 0; i < sizeof frames / sizeof frames[0]; i++) CHECK_INT(HDHT_OK, mux_peer_receive(&peer, frames[i]));
  CHECK_TEXT("", mux_peer_told(&peer));
  CHECK_TEXT("", mux_peer_sent(&peer));
  mux_peer_destroy(&peer);
}

TEST(a_malformed_frame_ends_the_mux_and_every_channel) {
  static mux_peer peer;
  static const struct {
    const char *frame;
    int error;
  } cases[] = {
      {"00", HDHT_ERR_TRUNCATED},           {"01", HDHT_ERR_TRUNCATED},
      {"0001", HDHT_ERR_TRUNCATED},         {"0002", HDHT_ERR_TRUNCATED},
      {"0003", HDHT_ERR_TRUNCATED},         {"00010206", HDHT_ERR_TRUNCATED},
      {"000102026e6f", HDHT_ERR_TRUNCATED}, {"0000", HDHT_ERR_TRUNCATED},
      {"0000010a0061", HDHT_ERR_TRUNCATED}, {"0103ff", HDHT_OK},
      {"01ff", HDHT_ERR_TRUNCATED},         {"00000003000001", HDHT_ERR_MALFORMED},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    hd_mux_channel *channel = init_open(&peer);
    (void)mux_peer_open(&peer, "b", 3);
    CHECK_INT(cases[i].error, mux_peer_receive(&peer, cases[i].frame));
    if (cases[i].error != HDHT_OK) {
      CHECK_TEXT("a closed with the mux, b closed with the mux", mux_peer_told(&peer));
      CHECK_INT(cases[i].error, mux_peer_receive(&peer, "010061"));
      CHECK_TEXT("", mux_peer_told(&peer));
    } else {
      CHECK_INT(HDHT_OK, mux_peer_send(channel, 0, "x"));
    }
    mux_peer_destroy(&peer);
  }
}

TEST(a_frame_above_the_limit_is_too_large) {
  static mux_peer peer;
  hd_mux_options options = mux_peer_options(&peer, NULL);
  options.frame_size_limit = 100;
  mux_peer_init_with(&peer, &options);
  static const uint8_t frame[101] = {1, 0};
  CHECK_INT(HDHT_OK, mux_peer_receive_bytes(&peer, hd_bytes_of(frame, 100)));
  CHECK_INT(HDHT_ERR_TOO_LARGE, mux_peer_receive_bytes(&peer, hd_bytes_of(frame, 101)));
  mux_peer_destroy(&peer);
}

TEST(a_batch_is_told_message_by_message_up_to_its_first_flaw) {
  static mux_peer peer;
  (void)init_open(&peer);
  CHECK_INT(HDHT_OK, mux_peer_receive(&peer, "000001 020061 020162 0007 020063 0001 020064"));
  CHECK_TEXT("a message 0 61, a message 1 62, a message 0 64", mux_peer_told(&peer));
  CHECK_INT(HDHT_ERR_TRUNCATED, mux_peer_receive(&peer, "000001 020061 00"));
  CHECK_TEXT("a message 0 61, a closed with the mux", mux_peer_told(&peer));
  mux_peer_destroy(&peer);
}

TEST(a_batch_may_open_use_and_close_a_channel) {
  static mux_peer peer;
  mux_peer_init(&peer);
  (void)mux_peer_open(&peer, "x", 1);
  (void)mux_peer_sent(&peer);
  CHECK_INT(HDHT_OK, mux_peer_receive(&peer, "000000 0501010178 00 0001 020005 0000 020301 0001 020006"));
  CHECK_INT(HDHT_ERR_TRUNCATED, mux_peer_receive(&peer, "000000 050101")); /* and the mux is not confused */
  CHECK_TEXT("", mux_peer_sent(&peer));
  mux_peer_destroy(&peer);
}

static void echo(mux_peer *peer, const hd_mux_event *event) {
  (void)peer;
  if (event->kind == HD_MUX_EVENT_MESSAGE) {
    CHECK_INT(HDHT_OK, hd_mux_channel_send(event->channel, event->type, &event->bytes, 1));
  }
}

TEST(a_batch_of_several_messages_is_answered_by_a_batch) {
  static mux_peer peer;
  (void)init_open(&peer);
  peer.react = echo;
  CHECK_INT(HDHT_OK, mux_peer_receive(&peer, "000001 020031 020032"));
  CHECK_TEXT("000001020031020032", mux_peer_sent(&peer));
  CHECK_INT(HDHT_OK, mux_peer_receive(&peer, "010033"));
  CHECK_TEXT("010033", mux_peer_sent(&peer));
  CHECK_INT(HDHT_OK, mux_peer_receive(&peer, "000001 020034")); /* a batch of one: no */
  CHECK_TEXT("010034", mux_peer_sent(&peer));
  mux_peer_destroy(&peer);
}

TEST(rejections_join_the_batch_that_answers_a_batch) {
  static mux_peer peer;
  (void)init_open(&peer);
  peer.react = echo;
  CHECK_INT(HDHT_OK, mux_peer_receive(&peer, "000001 0101 0000 07010201 7802aabb 0001 050201000000"));
  CHECK_TEXT("000001010100000202020001050201000000", mux_peer_sent(&peer));
  mux_peer_destroy(&peer);
}

static void uncork_too_often(mux_peer *peer, const hd_mux_event *event) {
  CHECK_INT(HDHT_ERR_INVALID_STATE, hd_mux_uncork(&peer->mux));
  echo(peer, event);
}

TEST(the_cork_of_a_batch_is_not_the_users_to_remove) {
  static mux_peer peer;
  (void)init_open(&peer);
  peer.react = uncork_too_often;
  CHECK_INT(HDHT_OK, mux_peer_receive(&peer, "000001 020031 020032"));
  CHECK_TEXT("000001020031020032", mux_peer_sent(&peer));
  mux_peer_destroy(&peer);
}

static void cork_first_uncork_second(mux_peer *peer, const hd_mux_event *event) {
  echo(peer, event);
  if (event->bytes.data[0] == '1') CHECK_INT(HDHT_OK, hd_mux_cork(&peer->mux));
}

TEST(a_users_cork_outlasts_the_batch_it_was_set_in) {
  static mux_peer peer;
  (void)init_open(&peer);
  peer.react = cork_first_uncork_second;
  CHECK_INT(HDHT_OK, mux_peer_receive(&peer, "000001 020031 020032"));
  CHECK_TEXT("", mux_peer_sent(&peer));
  CHECK_INT(HDHT_OK, mux_peer_receive(&peer, "010033"));
  CHECK_INT(HDHT_OK, hd_mux_uncork(&peer.mux));
  CHECK_TEXT("000001020031020032020033", mux_peer_sent(&peer));
  mux_peer_destroy(&peer);
}

static void close_at_the_first_message(mux_peer *peer, const hd_mux_event *event) {
  (void)peer;
  if (event->kind == HD_MUX_EVENT_MESSAGE) hd_mux_channel_close(event->channel);
}

TEST(a_channel_closed_by_its_owner_hears_no_more_messages_of_the_batch) {
  static mux_peer peer;
  (void)init_open(&peer);
  peer.react = close_at_the_first_message;
  CHECK_INT(HDHT_OK, mux_peer_receive(&peer, "000001 020031 020032 020033"));
  CHECK_TEXT("a message 0 31, a closed locally", mux_peer_told(&peer));
  CHECK_TEXT("000000020301", mux_peer_sent(&peer));
  mux_peer_destroy(&peer);
}

TEST(a_channel_closed_while_its_waiting_messages_are_told_hears_no_more) {
  static mux_peer peer;
  mux_peer_init(&peer);
  peer.react = close_at_the_first_message;
  CHECK_INT(HDHT_OK, mux_peer_pair(&peer, "a"));
  CHECK_INT(HDHT_OK, mux_peer_receive(&peer, "000101016100"));
  CHECK_INT(HDHT_OK, mux_peer_receive(&peer, "010031"));
  CHECK_INT(HDHT_OK, mux_peer_receive(&peer, "010032"));
  (void)mux_peer_open(&peer, "a", 1);
  CHECK_TEXT("hook asked for a, a opened, a message 0 31, a closed locally", mux_peer_told(&peer));
  CHECK_UINT(0, peer.mux.buffered_size);
  mux_peer_destroy(&peer);
}

static void open_another_at_the_end(mux_peer *peer, const hd_mux_event *event) {
  if (event->kind != HD_MUX_EVENT_CLOSED) return;
  CHECK_INT(HDHT_ERR_CLOSED, mux_peer_send(event->channel, 0, "too late"));
  hd_mux_channel_close(event->channel); /* harmless */
  peer->channels[0] = mux_peer_open(peer, "b", 1);
}

TEST(a_channel_may_be_replaced_while_its_end_is_told) {
  static mux_peer peer;
  (void)init_open(&peer);
  peer.react = open_another_at_the_end;
  CHECK_INT(HDHT_OK, mux_peer_receive(&peer, "000301"));
  CHECK_TEXT("000101016200", mux_peer_sent(&peer)); /* with the id that has just become free */
  CHECK_TEXT("a closed by peer", mux_peer_told(&peer));
  CHECK_UINT(1, hd_mux_channels_count(&peer.mux));
  mux_peer_destroy(&peer);
}

static void fail_at_the_first_message(mux_peer *peer, const hd_mux_event *event) {
  if (event->kind == HD_MUX_EVENT_MESSAGE) hd_mux_fail(&peer->mux, HDHT_ERR_PROTOCOL);
}

TEST(a_mux_that_fails_inside_a_batch_tells_only_the_ends) {
  static mux_peer peer;
  (void)init_open(&peer);
  (void)mux_peer_open(&peer, "b", 1);
  peer.react = fail_at_the_first_message;
  CHECK_INT(HDHT_ERR_PROTOCOL, mux_peer_receive(&peer, "000001 020031 020032"));
  CHECK_TEXT("a message 0 31, a closed with the mux, b closed with the mux", mux_peer_told(&peer));
  mux_peer_destroy(&peer);
}

TEST(a_mux_may_be_destroyed_between_any_two_events) {
  static const char batch[] = "000001 020031 0000 0501020162 00 0001 020031 0000 020301";
  for (int events = 0; events < 8; events++) {
    static mux_peer peer;
    mux_peer_init(&peer);
    CHECK_INT(HDHT_OK, mux_peer_pair(&peer, "a"));
    CHECK_INT(HDHT_OK, mux_peer_receive(&peer, "000101016100"));
    CHECK_INT(HDHT_OK, mux_peer_receive(&peer, "010031"));
    (void)mux_peer_open(&peer, "a", 3);
    hd_mux_channel_close(mux_peer_open(&peer, "c", 3));
    uint8_t frame[64];
    const size_t size = hd_test_hex(batch, frame, sizeof frame);
    CHECK_INT(HDHT_OK, hd_mux_receive(&peer.mux, hd_bytes_of(frame, size)));
    hd_mux_event event;
    for (int i = 0; i < events && hd_mux_next_event(&peer.mux, &event); i++) continue;
    mux_peer_destroy(&peer);
  }
}

TEST(a_frame_is_not_taken_while_another_is_read) {
  static mux_peer peer;
  (void)init_open(&peer);
  const uint8_t frame[] = {1, 0, 'x'};
  CHECK_INT(HDHT_OK, hd_mux_receive(&peer.mux, hd_bytes_of(frame, 3)));
  CHECK_INT(HDHT_ERR_INVALID_STATE, hd_mux_receive(&peer.mux, hd_bytes_of(frame, 3)));
  CHECK_TEXT("a message 0 78", mux_peer_told(&peer));
  CHECK_INT(HDHT_OK, hd_mux_receive(&peer.mux, hd_bytes_of(frame, 3)));
  CHECK_TEXT("a message 0 78", mux_peer_told(&peer));
  mux_peer_destroy(&peer);
}

/* Two messages of 16384 bytes with 512 more each. */
TEST(reading_pauses_above_32768_buffered_bytes_and_resumes_at_them) {
  static mux_peer peer;
  mux_peer_init(&peer);
  CHECK_INT(HDHT_OK, mux_peer_pair(&peer, "a"));
  CHECK_INT(HDHT_OK, mux_peer_receive(&peer, "000101016100"));
  CHECK_TEXT("hook asked for a", mux_peer_told(&peer));
  static uint8_t frame[2 + 15872] = {1, 0};
  CHECK_INT(HDHT_OK, mux_peer_receive_bytes(&peer, hd_bytes_of(frame, 2 + 15872)));
  CHECK_INT(HDHT_OK, mux_peer_receive_bytes(&peer, hd_bytes_of(frame, 2 + 15872)));
  CHECK_UINT(HDHT_MUX_BUFFERED_SIZE_LIMIT, peer.mux.buffered_size);
  CHECK_TEXT("", mux_peer_told(&peer));
  CHECK_INT(HDHT_OK, mux_peer_receive(&peer, "0100"));
  CHECK_TEXT("pause", mux_peer_told(&peer));
  CHECK_INT(HDHT_OK, mux_peer_receive(&peer, "0100")); /* frames are accepted nevertheless */
  CHECK_TEXT("", mux_peer_told(&peer));
  (void)mux_peer_open(&peer, "a", 1);
  const char *zeros = "00000000000000000000000000000000";
  char expected[256];
  snprintf(expected, sizeof expected, "a opened, a message 0 %s, a message 0 %s, a message 0, a message 0, resume",
           zeros, zeros);
  CHECK_TEXT(expected, mux_peer_told(&peer));
  mux_peer_destroy(&peer);
}

TEST(reading_resumes_when_the_cause_of_the_pause_is_rejected) {
  static mux_peer peer;
  mux_peer_init(&peer);
  CHECK_INT(HDHT_OK, mux_peer_pair(&peer, "a"));
  CHECK_INT(HDHT_OK, mux_peer_receive(&peer, "000101016100"));
  static uint8_t frame[40000] = {1, 0};
  CHECK_INT(HDHT_OK, mux_peer_receive_bytes(&peer, hd_bytes_of(frame, sizeof frame)));
  CHECK_TEXT("hook asked for a, pause", mux_peer_told(&peer));
  CHECK_INT(HDHT_OK, hd_mux_reject(&peer.mux, mux_peer_text("a"), hd_bytes_of(NULL, 0)));
  CHECK_TEXT("resume", mux_peer_told(&peer));
  mux_peer_destroy(&peer);
}

static bool converse(const hdht_allocator *allocator) {
  static mux_peer peer;
  const hd_mux_options options = mux_peer_options(&peer, allocator);
  mux_peer_init_with(&peer, &options);
  peer.react = echo;
  hd_mux_channel_options channel_options = mux_peer_channel("a", 3);
  hd_mux_channel *channel = NULL;
  const int error = hd_mux_channel_open(&peer.mux, &channel_options, &channel);
  CHECK(error == HDHT_OK || error == HDHT_ERR_OUT_OF_MEMORY);
  (void)mux_peer_receive(&peer, "000101016100");
  (void)mux_peer_receive(&peer, "000001 020031 020032");
  (void)mux_peer_receive(&peer, "010033");
  (void)mux_peer_receive(&peer, "000301");
  const bool is_complete = strcmp(mux_peer_sent(&peer), "000101016100 000001020031020032 010033") == 0;
  if (error == HDHT_OK && hd_mux_error(&peer.mux) == HDHT_OK) { /* then nothing is missing, batched or not */
    CHECK_TEXT("a opened, a message 0 31, a message 0 32, a message 0 33, a closed by peer", mux_peer_told(&peer));
  }
  mux_peer_destroy(&peer);
  return is_complete;
}

TEST(a_conversation_survives_the_failure_of_each_allocation) {
  hd_test_each_allocation_failure(converse);
}
