/* Opens, answers, rejections, hooks. */
#include "mux/mux.h"

#include "mux_peer.h"

static int open_with(mux_peer *peer, hd_mux_channel_options options, hd_mux_channel **channel) {
  return hd_mux_channel_open(&peer->mux, &options, channel);
}

TEST(our_open_is_answered_by_an_open_of_the_same_name) {
  static mux_peer peer;
  mux_peer_init(&peer);
  hd_mux_channel *channel = mux_peer_open(&peer, "@hyperswarm/dht-relay", 28);
  CHECK_TEXT("00010115406879706572737761726d2f6468742d72656c617900", mux_peer_sent(&peer));
  CHECK_TEXT("", mux_peer_told(&peer));
  CHECK_INT(HDHT_OK, mux_peer_send(channel, 0, "early")); /* sent without waiting */
  CHECK_INT(HDHT_OK, mux_peer_receive(&peer, "00010115406879706572737761726d2f6468742d72656c617900"));
  CHECK_TEXT("@hyperswarm/dht-relay opened", mux_peer_told(&peer));
  CHECK_TEXT("01006561726c79", mux_peer_sent(&peer));
  CHECK_UINT(1, hd_mux_channels_count(&peer.mux));
  mux_peer_destroy(&peer);
}

TEST(an_open_carries_id_and_handshake_both_ways) {
  static mux_peer peer;
  mux_peer_init(&peer);
  hd_mux_channel *channel;
  hd_mux_channel_options options = mux_peer_channel("p", 1);
  options.id = hd_bytes_of("\xaa\xbb", 2);
  options.handshake = mux_peer_text("hi");
  CHECK_INT(HDHT_OK, open_with(&peer, options, &channel));
  CHECK_TEXT("000101017002aabb6869", mux_peer_sent(&peer));
  CHECK_INT(HDHT_OK, mux_peer_receive(&peer, "000101 0170 02aabb 686f"));
  CHECK_TEXT("p opened 686f", mux_peer_told(&peer));
  mux_peer_destroy(&peer);
}

TEST(an_open_with_a_handshake_joins_no_batch) {
  static mux_peer peer;
  mux_peer_init(&peer);
  hd_mux_channel *channel;
  CHECK_INT(HDHT_OK, hd_mux_cork(&peer.mux));
  (void)mux_peer_open(&peer, "p", 1);
  hd_mux_channel_options options = mux_peer_channel("q", 1);
  options.handshake = mux_peer_text("hi");
  CHECK_INT(HDHT_OK, open_with(&peer, options, &channel));
  CHECK_INT(HDHT_OK, mux_peer_send(channel, 0, "x"));
  CHECK_INT(HDHT_OK, hd_mux_uncork(&peer.mux));
  CHECK_TEXT("000000050101017000 0001020171006869 000002020078", mux_peer_sent(&peer));
  mux_peer_destroy(&peer);
}

TEST(another_id_is_another_channel) {
  static mux_peer peer;
  mux_peer_init(&peer);
  hd_mux_channel *channel;
  hd_mux_channel_options options = mux_peer_channel("p", 1);
  options.id = hd_bytes_of("\xaa", 1);
  CHECK_INT(HDHT_OK, open_with(&peer, options, &channel));
  CHECK_INT(HDHT_OK, mux_peer_receive(&peer, "000101 0170 00"));
  CHECK_INT(HDHT_OK, mux_peer_receive(&peer, "000102 0170 01ab"));
  CHECK_TEXT("", mux_peer_told(&peer));
  CHECK_TEXT("000101017001aa 000201 000202", mux_peer_sent(&peer));
  CHECK_INT(HDHT_OK, mux_peer_receive(&peer, "000101 0170 01aa"));
  CHECK_TEXT("p opened", mux_peer_told(&peer));
  mux_peer_destroy(&peer);
}

TEST(an_open_nobody_wants_is_rejected_at_once_and_its_messages_are_ignored) {
  static mux_peer peer;
  mux_peer_init(&peer);
  CHECK_INT(HDHT_OK, mux_peer_receive(&peer, "00010110756e6b6e6f776e2f70726f746f636f6c00"));
  CHECK_TEXT("000201", mux_peer_sent(&peer));
  CHECK_INT(HDHT_OK, mux_peer_receive(&peer, "01006c6f7374"));
  CHECK_INT(HDHT_OK, mux_peer_receive(&peer, "000301"));
  CHECK_TEXT("", mux_peer_sent(&peer));
  CHECK_TEXT("", mux_peer_told(&peer));
  mux_peer_destroy(&peer);
}

TEST(a_rejected_channel_is_closed_and_its_id_is_free) {
  static mux_peer peer;
  mux_peer_init(&peer);
  hd_mux_channel *channel = mux_peer_open(&peer, "a", 1);
  (void)channel;
  CHECK_INT(HDHT_OK, mux_peer_receive(&peer, "000201"));
  CHECK_TEXT("a closed as rejected", mux_peer_told(&peer));
  (void)mux_peer_sent(&peer);
  (void)mux_peer_open(&peer, "b", 1);
  CHECK_TEXT("000101016200", mux_peer_sent(&peer));
  mux_peer_destroy(&peer);
}

TEST(a_reject_of_what_does_not_wait_for_an_answer_breaks_the_mux) {
  static mux_peer peer;
  static const char *const rejects[] = {"000200", "000202", "000201", "0002ffffffffffffffffff"};
  for (size_t i = 0; i < 4; i++) {
    mux_peer_init(&peer);
    (void)mux_peer_open(&peer, "a", 1);
    CHECK_INT(HDHT_OK, mux_peer_receive(&peer, "000101016100"));
    CHECK_TEXT("a opened", mux_peer_told(&peer));
    CHECK_INT(HDHT_ERR_MUX_REJECT, mux_peer_receive(&peer, rejects[i]));
    CHECK_TEXT("a closed with the mux", mux_peer_told(&peer));
    mux_peer_destroy(&peer);
  }
}

TEST(an_open_may_not_skip_ids_nor_reuse_a_live_one) {
  static mux_peer peer;
  static const char *const opens[] = {"000102016100", "000100016100", "0001ff0000000001000000016100"};
  for (size_t i = 0; i < 3; i++) {
    mux_peer_init(&peer);
    (void)mux_peer_open(&peer, "a", 1);
    CHECK_INT(HDHT_ERR_MUX_OPEN, mux_peer_receive(&peer, opens[i]));
    CHECK_TEXT("a closed with the mux", mux_peer_told(&peer));
    mux_peer_destroy(&peer);
  }
  mux_peer_init(&peer);
  (void)mux_peer_open(&peer, "a", 1);
  CHECK_INT(HDHT_OK, mux_peer_receive(&peer, "000101016100"));
  CHECK_INT(HDHT_ERR_MUX_OPEN, mux_peer_receive(&peer, "000101016200"));
  mux_peer_destroy(&peer);

  mux_peer_init(&peer); /* also while it waits */
  CHECK_INT(HDHT_OK, mux_peer_pair(&peer, "a"));
  CHECK_INT(HDHT_OK, mux_peer_receive(&peer, "000101016100"));
  CHECK_INT(HDHT_ERR_MUX_OPEN, mux_peer_receive(&peer, "000101016200"));
  mux_peer_destroy(&peer);
}

TEST(a_closed_or_rejected_id_may_be_opened_again) {
  static mux_peer peer;
  mux_peer_init(&peer);
  (void)mux_peer_open(&peer, "a", 1);
  CHECK_INT(HDHT_OK, mux_peer_receive(&peer, "000101016100"));
  CHECK_INT(HDHT_OK, mux_peer_receive(&peer, "000301"));
  CHECK_INT(HDHT_OK, mux_peer_receive(&peer, "000101016200"));
  CHECK_INT(HDHT_OK, mux_peer_receive(&peer, "000101016200"));
  CHECK_TEXT("000101016100 000201 000201", mux_peer_sent(&peer));
  CHECK_TEXT("a opened, a closed by peer", mux_peer_told(&peer));
  mux_peer_destroy(&peer);
}

TEST(the_oldest_of_several_equal_opens_is_answered_first) {
  static mux_peer peer;
  mux_peer_init(&peer);
  hd_mux_channel *channels[3];
  static const char *const owners[3] = {"first", "second", "third"};
  for (size_t i = 0; i < 3; i++) {
    hd_mux_channel_options options = mux_peer_channel("p", 1);
    options.is_shared = true;
    options.owner = (void *)(uintptr_t)owners[i];
    CHECK_INT(HDHT_OK, open_with(&peer, options, &channels[i]));
  }
  CHECK_INT(HDHT_OK, mux_peer_receive(&peer, "000101017000"));
  CHECK_TEXT("first opened", mux_peer_told(&peer));
  CHECK_INT(HDHT_OK, mux_peer_receive(&peer, "000202")); /* the second is rejected */
  CHECK_INT(HDHT_OK, mux_peer_receive(&peer, "000102017000"));
  CHECK_TEXT("second closed as rejected, third opened", mux_peer_told(&peer));
  mux_peer_destroy(&peer);
}

TEST(a_second_channel_of_one_name_is_refused_unless_shared) {
  static mux_peer peer;
  mux_peer_init(&peer);
  hd_mux_channel *channel = mux_peer_open(&peer, "a", 1), *other = NULL;
  CHECK_INT(HDHT_ERR_EXISTS, open_with(&peer, mux_peer_channel("a", 1), &other));
  CHECK(other == NULL);
  hd_mux_channel_options options = mux_peer_channel("a", 1);
  options.is_shared = true;
  CHECK_INT(HDHT_OK, open_with(&peer, options, &other));
  hd_mux_channel_close(other);
  CHECK_INT(HDHT_ERR_EXISTS, open_with(&peer, mux_peer_channel("a", 1), &other));
  CHECK(hd_mux_has_channel(&peer.mux, mux_peer_text("a"), hd_bytes_of(NULL, 0)));
  hd_mux_channel_close(channel);
  CHECK(!hd_mux_has_channel(&peer.mux, mux_peer_text("a"), hd_bytes_of(NULL, 0)));
  CHECK_INT(HDHT_OK, open_with(&peer, mux_peer_channel("a", 1), &other));
  mux_peer_destroy(&peer);
}

TEST(an_alias_pairs_like_the_name) {
  static mux_peer peer;
  mux_peer_init(&peer);
  const hd_bytes aliases[1] = {mux_peer_text("old")};
  hd_mux_channel_options options = mux_peer_channel("new", 1);
  options.aliases = aliases;
  options.aliases_count = 1;
  hd_mux_channel *channel;
  CHECK_INT(HDHT_OK, open_with(&peer, options, &channel));
  CHECK_TEXT("000101036e657700", mux_peer_sent(&peer));
  CHECK_INT(HDHT_ERR_EXISTS, open_with(&peer, mux_peer_channel("old", 1), &channel));
  CHECK_INT(HDHT_OK, mux_peer_receive(&peer, "000101036f6c6400"));
  CHECK_TEXT("new opened", mux_peer_told(&peer));
  mux_peer_destroy(&peer);
}

TEST(an_open_under_an_alias_is_answered_under_that_alias) {
  static mux_peer peer;
  mux_peer_init(&peer);
  CHECK_INT(HDHT_OK, mux_peer_pair(&peer, "old"));
  CHECK_INT(HDHT_OK, mux_peer_receive(&peer, "000101036f6c6400"));
  CHECK_TEXT("hook asked for old", mux_peer_told(&peer));
  const hd_bytes aliases[2] = {mux_peer_text("older"), mux_peer_text("old")};
  hd_mux_channel_options options = mux_peer_channel("new", 1);
  options.aliases = aliases;
  options.aliases_count = 2;
  hd_mux_channel *channel;
  CHECK_INT(HDHT_OK, open_with(&peer, options, &channel));
  CHECK_TEXT("000101036f6c6400", mux_peer_sent(&peer));
  CHECK_TEXT("new opened", mux_peer_told(&peer));
  mux_peer_destroy(&peer);
}

TEST(the_oldest_waiting_open_under_any_alias_is_taken) {
  static mux_peer peer;
  mux_peer_init(&peer);
  CHECK_INT(HDHT_OK, mux_peer_pair(&peer, "a"));
  CHECK_INT(HDHT_OK, mux_peer_pair(&peer, "b"));
  CHECK_INT(HDHT_OK, mux_peer_receive(&peer, "000101 0162 00"));
  CHECK_INT(HDHT_OK, mux_peer_receive(&peer, "000102 0161 00"));
  CHECK_TEXT("hook asked for b, hook asked for a", mux_peer_told(&peer));
  const hd_bytes aliases[1] = {mux_peer_text("b")};
  hd_mux_channel_options options = mux_peer_channel("a", 1);
  options.aliases = aliases;
  options.aliases_count = 1;
  hd_mux_channel *channel;
  CHECK_INT(HDHT_OK, open_with(&peer, options, &channel));
  CHECK_TEXT("000101016200", mux_peer_sent(&peer));
  CHECK_UINT(1, hd_mux_waiting_count(&peer.mux, mux_peer_text("a"), hd_bytes_of(NULL, 0)));
  mux_peer_destroy(&peer);
}

static void open_what_is_asked_for(mux_peer *peer, const hd_mux_event *event) {
  if (event->kind != HD_MUX_EVENT_PAIR) return;
  hd_mux_channel_options options = {
      .protocol = event->protocol, .id = event->id, .message_types = 2, .owner = (void *)(uintptr_t) "asked"};
  CHECK_INT(HDHT_OK, hd_mux_channel_open(&peer->mux, &options, &peer->channels[0]));
}

TEST(a_hook_may_open_the_channel_while_it_is_asked) {
  static mux_peer peer;
  mux_peer_init(&peer);
  peer.react = open_what_is_asked_for;
  CHECK_INT(HDHT_OK, mux_peer_pair(&peer, "p"));
  CHECK_INT(HDHT_OK, mux_peer_receive(&peer, "000101 0170 02aabb 6869"));
  CHECK_TEXT("000101017002aabb", mux_peer_sent(&peer));
  CHECK_TEXT("hook asked for p/aabb 6869, asked opened 6869", mux_peer_told(&peer));
  CHECK_INT(HDHT_OK, mux_peer_receive(&peer, "010163"));
  CHECK_TEXT("asked message 1 63", mux_peer_told(&peer));
  mux_peer_destroy(&peer);
}

TEST(the_hook_of_an_id_goes_before_the_hook_of_any_id) {
  static mux_peer peer;
  mux_peer_init(&peer);
  CHECK_INT(HDHT_OK, hd_mux_pair(&peer.mux, mux_peer_text("p"), hd_bytes_of(NULL, 0), (void *)(uintptr_t) "any"));
  CHECK_INT(HDHT_OK, hd_mux_pair(&peer.mux, mux_peer_text("p"), hd_bytes_of("\x01", 1), (void *)(uintptr_t) "one"));
  CHECK_INT(HDHT_ERR_EXISTS, hd_mux_pair(&peer.mux, mux_peer_text("p"), hd_bytes_of("\x01", 1), NULL));
  CHECK_INT(HDHT_OK, mux_peer_receive(&peer, "000101 0170 0101"));
  CHECK_INT(HDHT_OK, mux_peer_receive(&peer, "000102 0170 0102"));
  CHECK_INT(HDHT_OK, mux_peer_receive(&peer, "000103 0170 00"));
  CHECK_INT(HDHT_OK, mux_peer_receive(&peer, "000104 0171 0101"));
  CHECK_TEXT("one asked for p/01, any asked for p/02, any asked for p", mux_peer_told(&peer));
  CHECK_TEXT("000204", mux_peer_sent(&peer));

  void *owner = NULL;
  CHECK_INT(HDHT_OK, hd_mux_unpair(&peer.mux, mux_peer_text("p"), hd_bytes_of("\x01", 1), &owner));
  CHECK_TEXT("one", owner);
  CHECK_INT(HDHT_ERR_NOT_FOUND, hd_mux_unpair(&peer.mux, mux_peer_text("p"), hd_bytes_of("\x01", 1), &owner));
  CHECK_UINT(1, hd_mux_waiting_count(&peer.mux, mux_peer_text("p"), hd_bytes_of("\x01", 1))); /* still waits */
  mux_peer_destroy(&peer);
}

TEST(an_open_that_waits_is_taken_later_with_its_messages_in_order) {
  static mux_peer peer;
  mux_peer_init(&peer);
  CHECK_INT(HDHT_OK, mux_peer_pair(&peer, "p"));
  CHECK_INT(HDHT_OK, mux_peer_receive(&peer, "000101 0170 00 6869"));
  CHECK_INT(HDHT_OK, mux_peer_receive(&peer, "010061"));
  CHECK_INT(HDHT_OK, mux_peer_receive(&peer, "0103ff")); /* a type the channel will not have */
  CHECK_INT(HDHT_OK, mux_peer_receive(&peer, "000001 020162 020063"));
  CHECK_TEXT("hook asked for p 6869", mux_peer_told(&peer));
  CHECK_TEXT("", mux_peer_sent(&peer));
  hd_mux_channel *channel = mux_peer_open(&peer, "p", 2);
  CHECK_TEXT("000101017000", mux_peer_sent(&peer));
  CHECK_INT(HDHT_OK, mux_peer_send(channel, 0, "x"));
  CHECK_INT(HDHT_OK, mux_peer_receive(&peer, "010064"));
  CHECK_TEXT("p opened 6869, p message 0 61, p message 1 62, p message 0 63, p message 0 64", mux_peer_told(&peer));
  CHECK_UINT(0, peer.mux.held_size);
  mux_peer_destroy(&peer);
}

TEST(an_open_that_waits_can_be_rejected_later) {
  static mux_peer peer;
  mux_peer_init(&peer);
  CHECK_INT(HDHT_OK, mux_peer_pair(&peer, "p"));
  CHECK_INT(HDHT_OK, mux_peer_pair(&peer, "q"));
  CHECK_INT(HDHT_OK, mux_peer_receive(&peer, "000101017000"));
  CHECK_INT(HDHT_OK, mux_peer_receive(&peer, "000102017000"));
  CHECK_INT(HDHT_OK, mux_peer_receive(&peer, "000103017100"));
  CHECK_INT(HDHT_OK, mux_peer_receive(&peer, "010061"));
  CHECK_INT(HDHT_OK, hd_mux_reject(&peer.mux, mux_peer_text("p"), hd_bytes_of(NULL, 0)));
  CHECK_TEXT("000201 000202", mux_peer_sent(&peer));
  CHECK_INT(HDHT_ERR_NOT_FOUND, hd_mux_reject(&peer.mux, mux_peer_text("p"), hd_bytes_of(NULL, 0)));
  hd_mux_reject_request(&peer.mux, 3);
  hd_mux_reject_request(&peer.mux, 3);
  hd_mux_reject_request(&peer.mux, 99);
  CHECK_TEXT("000203", mux_peer_sent(&peer));
  CHECK_TEXT("hook asked for p, hook asked for p, hook asked for q", mux_peer_told(&peer));
  CHECK_UINT(0, peer.mux.held_size);
  mux_peer_destroy(&peer);
}

TEST(an_open_closed_again_before_its_answer_is_rejected) {
  static mux_peer peer;
  mux_peer_init(&peer);
  CHECK_INT(HDHT_OK, mux_peer_pair(&peer, "p"));
  CHECK_INT(HDHT_OK, mux_peer_receive(&peer, "000101017000"));
  CHECK_TEXT("", mux_peer_sent(&peer));
  CHECK_INT(HDHT_OK, mux_peer_receive(&peer, "000301"));
  CHECK_TEXT("000201", mux_peer_sent(&peer));
  CHECK_INT(HDHT_OK, mux_peer_receive(&peer, "000101017000")); /* the id is free */
  CHECK_INT(HDHT_OK, hd_mux_error(&peer.mux));
  mux_peer_destroy(&peer);
}

TEST(messages_sent_before_such_a_close_are_still_delivered) {
  static mux_peer peer;
  mux_peer_init(&peer);
  CHECK_INT(HDHT_OK, mux_peer_pair(&peer, "p"));
  CHECK_INT(HDHT_OK, mux_peer_receive(&peer, "000101017000"));
  CHECK_INT(HDHT_OK, mux_peer_receive(&peer, "010061"));
  CHECK_INT(HDHT_OK, mux_peer_receive(&peer, "000301"));
  CHECK_INT(HDHT_OK, mux_peer_receive(&peer, "010062")); /* after the close: ignored */
  CHECK_TEXT("hook asked for p", mux_peer_told(&peer));
  hd_mux_channel *channel = mux_peer_open(&peer, "p", 2);
  CHECK_TEXT("000101017000", mux_peer_sent(&peer)); /* the answer the peer waits for */
  CHECK_INT(HDHT_ERR_CLOSED, mux_peer_send(channel, 0, "x"));
  CHECK_TEXT("p opened, p message 0 61, p closed by peer", mux_peer_told(&peer));
  CHECK_UINT(0, hd_mux_channels_count(&peer.mux));
  mux_peer_destroy(&peer);
}

TEST(closing_such_a_channel_spares_the_messages) {
  static mux_peer peer;
  mux_peer_init(&peer);
  CHECK_INT(HDHT_OK, mux_peer_pair(&peer, "p"));
  CHECK_INT(HDHT_OK, mux_peer_receive(&peer, "000101017000"));
  CHECK_INT(HDHT_OK, mux_peer_receive(&peer, "010061"));
  CHECK_INT(HDHT_OK, mux_peer_receive(&peer, "000301"));
  (void)mux_peer_told(&peer);
  hd_mux_channel_close(mux_peer_open(&peer, "p", 2));
  CHECK_TEXT("000101017000", mux_peer_sent(&peer));
  CHECK_TEXT("p closed by peer", mux_peer_told(&peer));
  mux_peer_destroy(&peer);
}

TEST(names_longer_than_the_limit_are_rejected_without_a_look) {
  static mux_peer peer;
  mux_peer_init(&peer);
  CHECK_INT(HDHT_OK, mux_peer_pair(&peer, ""));
  uint8_t frame[HDHT_MUX_NAME_SIZE_LIMIT + 16];
  for (size_t size = HDHT_MUX_NAME_SIZE_LIMIT; size <= HDHT_MUX_NAME_SIZE_LIMIT + 1; size++) {
    memset(frame, 'x', sizeof frame);
    hd_writer writer = hd_writer_of(frame, sizeof frame);
    const uint64_t fields[] = {0, 1, 1 + size - HDHT_MUX_NAME_SIZE_LIMIT, 0, size};
    for (size_t i = 0; i < 5; i++) (void)hd_codec_write_uint(&writer, fields[i]);
    CHECK_INT(HDHT_OK, mux_peer_receive_bytes(&peer, hd_bytes_of(frame, (size_t)(writer.next - frame) + size)));
  }
  CHECK_TEXT("000202", mux_peer_sent(&peer));
  CHECK_UINT(1, peer.mux.waitings_count);
  mux_peer_destroy(&peer);
}

TEST(the_backlog_ends_at_its_limit) {
  static mux_peer peer;
  hd_mux_options options = mux_peer_options(&peer, NULL);
  options.backlog_limit = 3;
  mux_peer_init_with(&peer, &options);
  CHECK_INT(HDHT_OK, mux_peer_pair(&peer, "p"));
  CHECK_INT(HDHT_OK, mux_peer_receive(&peer, "000101017000"));
  CHECK_INT(HDHT_OK, mux_peer_receive(&peer, "000102017000"));
  CHECK_INT(HDHT_OK, mux_peer_receive(&peer, "000103017000"));
  CHECK_INT(HDHT_ERR_MUX_BACKLOG, mux_peer_receive(&peer, "000104017000"));
  mux_peer_destroy(&peer);
}

TEST(memory_for_waiting_opens_and_messages_ends_at_its_limit) {
  static mux_peer peer;
  hd_mux_options options = mux_peer_options(&peer, NULL);
  options.held_size_limit = 4096;
  mux_peer_init_with(&peer, &options);
  CHECK_INT(HDHT_OK, mux_peer_pair(&peer, "p"));
  CHECK_INT(HDHT_OK, mux_peer_receive(&peer, "000101017000"));
  int error = HDHT_OK;
  size_t messages = 0;
  for (; error == HDHT_OK && messages < 1000; messages++) error = mux_peer_receive(&peer, "0100 30313233343536373839");
  CHECK_INT(HDHT_ERR_MUX_BACKLOG, error);
  CHECK(messages > 100 && messages < 4096 / 10);
  mux_peer_destroy(&peer);

  options.held_size_limit = sizeof(hd_mux_waiting) + 1;
  mux_peer_init_with(&peer, &options);
  CHECK_INT(HDHT_OK, mux_peer_pair(&peer, "p"));
  CHECK_INT(HDHT_OK, mux_peer_receive(&peer, "000101017000"));
  CHECK_INT(HDHT_OK, hd_mux_reject(&peer.mux, mux_peer_text("p"), hd_bytes_of(NULL, 0)));
  CHECK_INT(HDHT_ERR_MUX_BACKLOG, mux_peer_receive(&peer, "00010101700061"));
  mux_peer_destroy(&peer);
}

TEST(our_channels_end_at_their_limit) {
  static mux_peer peer;
  hd_mux_options options = mux_peer_options(&peer, NULL);
  options.channels_limit = 2;
  mux_peer_init_with(&peer, &options);
  hd_mux_channel *channel = NULL;
  (void)mux_peer_open(&peer, "a", 1);
  (void)mux_peer_open(&peer, "b", 1);
  CHECK_INT(HDHT_ERR_LIMIT, open_with(&peer, mux_peer_channel("c", 1), &channel));
  CHECK_INT(HDHT_OK, mux_peer_receive(&peer, "000201"));
  CHECK_INT(HDHT_OK, open_with(&peer, mux_peer_channel("c", 1), &channel));
  mux_peer_destroy(&peer);
}

TEST(ids_of_the_peer_above_the_limit_are_rejected_while_nobody_needs_them) {
  static mux_peer peer;
  hd_mux_options options = mux_peer_options(&peer, NULL);
  options.channels_limit = 2;
  mux_peer_init_with(&peer, &options);
  CHECK_INT(HDHT_OK, mux_peer_pair(&peer, "p"));
  CHECK_INT(HDHT_OK, mux_peer_receive(&peer, "000101017000"));
  CHECK_INT(HDHT_OK, mux_peer_receive(&peer, "000102017000"));
  CHECK_INT(HDHT_OK, mux_peer_receive(&peer, "000103017000"));
  CHECK_TEXT("000203", mux_peer_sent(&peer));
  CHECK_TEXT("hook asked for p, hook asked for p", mux_peer_told(&peer));
  (void)mux_peer_open(&peer, "a", 1); /* its answer cannot be refused any more */
  CHECK_INT(HDHT_ERR_LIMIT, mux_peer_receive(&peer, "000104016100"));
  mux_peer_destroy(&peer);
}

TEST(an_open_that_does_not_fit_a_frame_is_refused) {
  static mux_peer peer;
  hd_mux_options options = mux_peer_options(&peer, NULL);
  options.frame_size_limit = 100;
  mux_peer_init_with(&peer, &options);
  static const uint8_t bytes[100];
  hd_mux_channel_options channel_options = mux_peer_channel("p", 1);
  hd_mux_channel *channel = NULL;
  channel_options.handshake = hd_bytes_of(bytes, 90); /* 2 + 5 for the longest id + 2 + 1, and 90 */
  CHECK_INT(HDHT_OK, open_with(&peer, channel_options, &channel));
  hd_mux_channel_close(channel);
  channel_options.handshake = hd_bytes_of(bytes, 91);
  CHECK_INT(HDHT_ERR_TOO_LARGE, open_with(&peer, channel_options, &channel));
  mux_peer_destroy(&peer);
}

static bool pair_and_take(const hdht_allocator *allocator) {
  static mux_peer peer;
  const hd_mux_options options = mux_peer_options(&peer, allocator);
  mux_peer_init_with(&peer, &options);
  bool is_complete = mux_peer_pair(&peer, "p") == HDHT_OK;
  (void)mux_peer_receive(&peer, "000101 0170 00 6869");
  (void)mux_peer_receive(&peer, "010061");
  (void)mux_peer_receive(&peer, "000102 0170 00");
  hd_mux_channel *channel = NULL;
  const int error = open_with(&peer, mux_peer_channel("p", 2), &channel);
  if (error == HDHT_OK) (void)mux_peer_send(channel, 0, "x");
  is_complete = is_complete && error == HDHT_OK && hd_mux_error(&peer.mux) == HDHT_OK;
  const char *expected = "hook asked for p 6869, hook asked for p, p opened 6869, p message 0 61";
  is_complete = is_complete && strcmp(mux_peer_told(&peer), expected) == 0;
  mux_peer_destroy(&peer);
  return is_complete;
}

TEST(pairing_survives_the_failure_of_each_allocation) {
  hd_test_each_allocation_failure(pair_and_take);
}
