#include "mux/mux_channel.h"

#include "mux_peer.h"

TEST(a_channel_keeps_copies_of_all_its_names) {
  char protocol[] = "now", alias[] = "before", id[] = "id";
  const hd_bytes aliases[2] = {mux_peer_text(alias), mux_peer_text("long before")};
  const hd_mux_channel_options options = {
      .protocol = mux_peer_text(protocol),
      .id = mux_peer_text(id),
      .aliases = aliases,
      .aliases_count = 2,
      .message_types = 3,
      .owner = protocol,
  };
  hd_mux_channel *channel = hd_mux_channel_create(hd_allocator_system(), NULL, &options);
  REQUIRE(channel != NULL);
  protocol[0] = alias[0] = id[0] = 'X';
  static const char *const names[3] = {"now", "before", "long before"};
  REQUIRE(channel->names_count == 3);
  for (size_t i = 0; i < 3; i++) {
    const hd_mux_key key = hd_mux_key_of(mux_peer_text(names[i]), mux_peer_text("id"));
    CHECK(hd_bytes_equal(channel->names[i].key.protocol, key.protocol));
    CHECK(hd_bytes_equal(channel->names[i].key.id, key.id));
    CHECK_UINT(key.hash, channel->names[i].key.hash);
    CHECK(channel->names[i].subject == channel);
  }
  CHECK(hd_mux_channel_is_usable(channel));
  hd_mux_channel_destroy(hd_allocator_system(), channel);
}

TEST(a_channel_closed_before_the_answer_keeps_its_id_until_the_answer) {
  static mux_peer peer;
  mux_peer_init(&peer);
  hd_mux_channel_close(mux_peer_open(&peer, "a", 1));
  CHECK_TEXT("000101016100 000301", mux_peer_sent(&peer));
  CHECK_TEXT("a closed locally", mux_peer_told(&peer));
  CHECK_UINT(0, hd_mux_channels_count(&peer.mux));

  (void)mux_peer_open(&peer, "b", 1);
  CHECK_TEXT("000102016200", mux_peer_sent(&peer));
  CHECK_INT(HDHT_OK, mux_peer_receive(&peer, "000201")); /* the answer: rejected */
  (void)mux_peer_open(&peer, "c", 1);
  CHECK_TEXT("000101016300", mux_peer_sent(&peer));
  mux_peer_destroy(&peer);
}

TEST(the_open_that_answers_a_closed_channel_is_swallowed) {
  static mux_peer peer;
  mux_peer_init(&peer);
  hd_mux_channel_close(mux_peer_open(&peer, "a", 1));
  (void)mux_peer_open(&peer, "a", 1); /* a later one of the same name waits for the second answer */
  CHECK_TEXT("000101016100 000301 000102016100", mux_peer_sent(&peer));
  CHECK_TEXT("a closed locally", mux_peer_told(&peer));
  CHECK_INT(HDHT_OK, mux_peer_receive(&peer, "000101016100"));
  CHECK_INT(HDHT_OK, mux_peer_receive(&peer, "0100ff")); /* sent before our close arrived */
  CHECK_TEXT("000301", mux_peer_sent(&peer));            /* for a peer that has forgotten the first one */
  CHECK_TEXT("", mux_peer_told(&peer));
  CHECK_INT(HDHT_OK, mux_peer_receive(&peer, "000101016100")); /* its id is free again on both sides */
  CHECK_TEXT("a opened", mux_peer_told(&peer));
  (void)mux_peer_open(&peer, "b", 1);
  CHECK_TEXT("000101016200", mux_peer_sent(&peer));
  mux_peer_destroy(&peer);
}

TEST(an_answer_before_the_owner_was_told_of_the_close_ends_the_channel_once) {
  static mux_peer peer;
  mux_peer_init(&peer);
  hd_mux_channel_close(mux_peer_open(&peer, "a", 1));
  CHECK_INT(HDHT_OK, mux_peer_receive(&peer, "000201"));
  CHECK_TEXT("a closed locally", mux_peer_told(&peer));
  CHECK_TEXT("", mux_peer_told(&peer));
  mux_peer_destroy(&peer);
}
