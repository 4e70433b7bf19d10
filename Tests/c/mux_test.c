/* Closing, corking, draining, failing. */
#include "mux/mux.h"

#include "mux_peer.h"

static hd_mux_channel *open_both(mux_peer *peer, const char *protocol, const char *answer) {
  hd_mux_channel *channel = mux_peer_open(peer, protocol, 3);
  CHECK_INT(HDHT_OK, mux_peer_receive(peer, answer));
  (void)mux_peer_sent(peer);
  (void)mux_peer_told(peer);
  return channel;
}

TEST(a_local_close_tells_the_peer_and_frees_the_id) {
  static mux_peer peer;
  mux_peer_init(&peer);
  hd_mux_channel *channel = open_both(&peer, "p1", "00010102703100");
  hd_mux_channel_close(channel);
  CHECK_INT(HDHT_ERR_CLOSED, mux_peer_send(channel, 0, "x"));
  hd_mux_channel_close(channel);
  CHECK_TEXT("000301", mux_peer_sent(&peer));
  (void)mux_peer_open(&peer, "p2", 1);
  CHECK_TEXT("00010102703200", mux_peer_sent(&peer));
  CHECK_TEXT("p1 closed locally", mux_peer_told(&peer));
  mux_peer_destroy(&peer);
}

TEST(a_close_of_the_peer_is_not_answered) {
  static mux_peer peer;
  mux_peer_init(&peer);
  (void)open_both(&peer, "p1", "00010102703100");
  CHECK_INT(HDHT_OK, mux_peer_receive(&peer, "000301"));
  CHECK_TEXT("p1 closed by peer", mux_peer_told(&peer));
  CHECK_TEXT("", mux_peer_sent(&peer));
  CHECK_INT(HDHT_OK, mux_peer_receive(&peer, "000301")); /* crossed with ours, or again */
  (void)mux_peer_open(&peer, "p2", 1);
  CHECK_TEXT("00010102703200", mux_peer_sent(&peer));
  mux_peer_destroy(&peer);
}

TEST(only_types_the_channel_has_can_be_sent) {
  static mux_peer peer;
  mux_peer_init(&peer);
  hd_mux_channel *channel = open_both(&peer, "a", "000101016100");
  CHECK_INT(HDHT_OK, mux_peer_send(channel, 2, "x"));
  CHECK_INT(HDHT_ERR_INVALID_ARGUMENT, mux_peer_send(channel, 3, "x"));
  CHECK_TEXT("010278", mux_peer_sent(&peer));
  mux_peer_destroy(&peer);
}

TEST(a_header_is_what_a_sent_frame_begins_with) {
  static mux_peer peer;
  mux_peer_init(&peer);
  hd_mux_channel *channel = open_both(&peer, "a", "000101016100");
  uint8_t header[HD_MUX_HEADER_SIZE_LIMIT];
  size_t size = 0;
  CHECK_INT(HDHT_OK, hd_mux_channel_header(channel, 2, header, &size));
  CHECK_UINT(2, size);
  CHECK_BYTES("\x01\x02", header, 2);
  CHECK_INT(HDHT_ERR_INVALID_ARGUMENT, hd_mux_channel_header(channel, 3, header, &size));
  CHECK_INT(HDHT_OK, hd_mux_cork(&peer.mux));
  CHECK_INT(HDHT_ERR_INVALID_STATE, hd_mux_channel_header(channel, 2, header, &size));
  CHECK_INT(HDHT_OK, hd_mux_uncork(&peer.mux));
  hd_mux_channel_close(channel);
  CHECK_INT(HDHT_ERR_CLOSED, hd_mux_channel_header(channel, 2, header, &size));
  mux_peer_destroy(&peer);
}

TEST(corks_nest_and_collect_control_messages_too) {
  static mux_peer peer;
  mux_peer_init(&peer);
  CHECK_INT(HDHT_ERR_INVALID_STATE, hd_mux_uncork(&peer.mux));
  CHECK_INT(HDHT_OK, hd_mux_cork(&peer.mux));
  hd_mux_channel *channel = mux_peer_open(&peer, "q", 1);
  CHECK_INT(HDHT_OK, hd_mux_cork(&peer.mux));
  CHECK_INT(HDHT_OK, mux_peer_send(channel, 0, "later"));
  CHECK_INT(HDHT_OK, hd_mux_uncork(&peer.mux));
  hd_mux_channel_close(channel);
  CHECK_TEXT("", mux_peer_sent(&peer));
  CHECK_INT(HDHT_OK, hd_mux_uncork(&peer.mux));
  CHECK_TEXT("000000050101017100000106006c617465720000020301", mux_peer_sent(&peer));
  CHECK_INT(HDHT_ERR_INVALID_STATE, hd_mux_uncork(&peer.mux));
  mux_peer_destroy(&peer);
}

TEST(a_drain_is_told_to_every_channel_that_is_not_closed) {
  static mux_peer peer;
  mux_peer_init(&peer);
  hd_mux_channel *open = open_both(&peer, "a", "000101016100");
  (void)mux_peer_open(&peer, "b", 1);
  hd_mux_channel_close(mux_peer_open(&peer, "c", 1));
  CHECK_TEXT("c closed locally", mux_peer_told(&peer));
  peer.sink_result = HDHT_ERR_WOULD_BLOCK;
  CHECK_INT(HDHT_OK, mux_peer_send(open, 0, "x"));
  CHECK(!hd_mux_is_drained(&peer.mux));
  peer.sink_result = HDHT_OK;
  hd_mux_drained(&peer.mux);
  hd_mux_drained(&peer.mux);
  CHECK(hd_mux_is_drained(&peer.mux));
  CHECK_TEXT("a drained, b drained", mux_peer_told(&peer));
  hd_mux_drained(&peer.mux);
  hd_mux_channel_close(open);
  CHECK_TEXT("a closed locally, b drained", mux_peer_told(&peer));
  mux_peer_destroy(&peer);
}

TEST(a_broken_stream_ends_the_mux) {
  static mux_peer peer;
  mux_peer_init(&peer);
  hd_mux_channel *channel = open_both(&peer, "a", "000101016100");
  (void)mux_peer_open(&peer, "b", 1);
  peer.sink_result = HDHT_ERR_CONNECTION_RESET;
  CHECK_INT(HDHT_ERR_CONNECTION_RESET, mux_peer_send(channel, 0, "x"));
  CHECK_INT(HDHT_ERR_CONNECTION_RESET, hd_mux_error(&peer.mux));
  CHECK_INT(HDHT_ERR_CLOSED, mux_peer_send(channel, 0, "x"));
  CHECK_TEXT("a closed with the mux, b closed with the mux", mux_peer_told(&peer));
  mux_peer_destroy(&peer);
}

TEST(a_stream_that_breaks_while_opening_ends_that_channel_too) {
  static mux_peer peer;
  mux_peer_init(&peer);
  CHECK_INT(HDHT_OK, mux_peer_pair(&peer, "a"));
  CHECK_INT(HDHT_OK, mux_peer_receive(&peer, "000101016100"));
  CHECK_INT(HDHT_OK, mux_peer_receive(&peer, "010031"));
  CHECK_INT(HDHT_OK, mux_peer_receive(&peer, "000301"));
  CHECK_TEXT("hook asked for a", mux_peer_told(&peer));
  peer.sink_result = HDHT_ERR_CONNECTION_RESET;
  (void)mux_peer_open(&peer, "a", 1);
  CHECK_INT(HDHT_ERR_CONNECTION_RESET, hd_mux_error(&peer.mux));
  CHECK_TEXT("a closed with the mux", mux_peer_told(&peer));
  mux_peer_destroy(&peer);
}

TEST(a_stream_that_breaks_at_an_answer_ends_the_mux) {
  static mux_peer peer;
  mux_peer_init(&peer);
  (void)mux_peer_open(&peer, "a", 1);
  peer.sink_result = HDHT_ERR_CONNECTION_RESET;
  CHECK_INT(HDHT_ERR_CONNECTION_RESET, mux_peer_receive(&peer, "000001 020031 0000 0501010162 00 0001 020031"));
  CHECK_TEXT("a closed with the mux", mux_peer_told(&peer));
  mux_peer_destroy(&peer);
}

TEST(after_the_end_everything_is_refused) {
  static mux_peer peer;
  mux_peer_init(&peer);
  CHECK_INT(HDHT_OK, mux_peer_pair(&peer, "w"));
  CHECK_INT(HDHT_OK, mux_peer_receive(&peer, "000101017700"));
  hd_mux_channel_close(mux_peer_open(&peer, "a", 1));
  CHECK_INT(HDHT_OK, hd_mux_cork(&peer.mux));
  (void)mux_peer_open(&peer, "b", 1);
  CHECK_TEXT("000101016100 000301", mux_peer_sent(&peer));
  hd_mux_fail(&peer.mux, HDHT_ERR_TIMED_OUT);
  hd_mux_fail(&peer.mux, HDHT_ERR_PROTOCOL); /* the first error counts */
  CHECK_INT(HDHT_ERR_TIMED_OUT, hd_mux_error(&peer.mux));
  CHECK_TEXT("hook asked for w, a closed locally, b closed with the mux", mux_peer_told(&peer));

  hd_mux_channel_options options = mux_peer_channel("c", 1);
  hd_mux_channel *channel;
  CHECK_INT(HDHT_ERR_CLOSED, hd_mux_channel_open(&peer.mux, &options, &channel));
  CHECK_INT(HDHT_ERR_CLOSED, hd_mux_cork(&peer.mux));
  CHECK_INT(HDHT_ERR_CLOSED, hd_mux_uncork(&peer.mux));
  CHECK_INT(HDHT_ERR_CLOSED, mux_peer_pair(&peer, "c"));
  CHECK_INT(HDHT_ERR_CLOSED, hd_mux_reject(&peer.mux, mux_peer_text("w"), hd_bytes_of(NULL, 0)));
  CHECK_INT(HDHT_ERR_TIMED_OUT, mux_peer_receive(&peer, "010031"));
  hd_mux_reject_request(&peer.mux, 1);
  hd_mux_drained(&peer.mux);
  CHECK_UINT(0, hd_mux_channels_count(&peer.mux));
  CHECK_TEXT("", mux_peer_sent(&peer));
  CHECK_TEXT("", mux_peer_told(&peer));
  mux_peer_destroy(&peer);
}

TEST(ids_above_252_take_three_bytes) {
  static mux_peer peer;
  mux_peer_init(&peer);
  static char names[300][8];
  hd_mux_channel *channels[300];
  for (int i = 0; i < 300; i++) {
    snprintf(names[i], sizeof names[i], "n%d", i);
    channels[i] = mux_peer_open(&peer, names[i], 1);
  }
  (void)mux_peer_sent(&peer);
  CHECK_INT(HDHT_OK, mux_peer_send(channels[251], 0, "x"));
  CHECK_INT(HDHT_OK, mux_peer_send(channels[252], 0, "x"));
  hd_mux_channel_close(channels[299]);
  CHECK_TEXT("fc0078 fdfd000078 0003fd2c01", mux_peer_sent(&peer));
  CHECK_UINT(299, hd_mux_channels_count(&peer.mux));
  mux_peer_destroy(&peer);
}

TEST(messages_allocate_nothing_once_the_channel_is_open) {
  static mux_peer peer;
  hd_test_allocator allocator;
  hd_test_allocator_init(&allocator);
  const hd_mux_options options = mux_peer_options(&peer, &allocator.hook);
  mux_peer_init_with(&peer, &options);
  hd_mux_channel *channel = open_both(&peer, "a", "000101016100");
  const size_t allocations = allocator.allocations;
  for (int i = 0; i < 100; i++) {
    CHECK_INT(HDHT_OK, mux_peer_send(channel, 0, "x"));
    CHECK_INT(HDHT_OK, mux_peer_receive(&peer, "010061"));
  }
  CHECK_UINT(allocations, allocator.allocations);
  mux_peer_destroy(&peer);
  CHECK_UINT(0, allocator.live_bytes);
}
