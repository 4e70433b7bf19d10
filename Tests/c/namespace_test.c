#include "crypto/namespace.h"

#include "test.h"

static void check_derived(const char *name, uint8_t id, const uint8_t *constant) {
  uint8_t derived[HD_HASH_SIZE];
  hd_namespace_derive(name, id, derived);
  CHECK_BYTES(derived, constant, sizeof derived);
}

TEST(namespace_constants_are_what_the_rule_derives) {
  check_derived("hyperswarm/dht", 0, hd_namespace_peer_handshake);
  check_derived("hyperswarm/dht", 1, hd_namespace_peer_holepunch);
  check_derived("hyperswarm/dht", 4, hd_namespace_announce);
  check_derived("hyperswarm/dht", 5, hd_namespace_unannounce);
  check_derived("hyperswarm/dht", 6, hd_namespace_mutable_put);
  check_derived("hyperswarm/dht", 10, hd_namespace_plugin);
  check_derived("hyperswarm/secret-stream", 0, hd_namespace_initiator);
  check_derived("hyperswarm/secret-stream", 1, hd_namespace_responder);
  check_derived("hyperswarm/secret-stream", 2, hd_namespace_send);
}

TEST(namespace_constants_are_the_recorded_ones) {
  uint8_t recorded[32];
  hd_test_hex("14d6d4b49214ab1033ed204976caa258bae9e1e8543b9ad1fd996a910b0c4e3a", recorded, sizeof recorded);
  CHECK_BYTES(recorded, hd_namespace_peer_handshake, 32);
  hd_test_hex("aab97d097471f56651b0460ffc8aaa7d3342f7377597d60b925a1dac689adcbf", recorded, sizeof recorded);
  CHECK_BYTES(recorded, hd_namespace_send, 32);
}

/* The handshake hash is the key and the namespace the message; the other way round is easily taken. */
TEST(namespace_keyed_gives_the_recorded_ids_and_secret) {
  uint8_t hash[64], expected[32], actual[32];
  hd_test_hex(
      "390f08b1b078de2c7bb0830c7a8d8c4b4d75e1817adac33c94e4557e24aa5d2c"
      "0b046084f502b481c5e7aa58ef14819c49b4eadbbf42060ddca22f929ced74d2",
      hash, sizeof hash);
  hd_namespace_keyed(hash, hd_namespace_peer_holepunch, actual);
  hd_test_hex("4c194f39e3e79a5577e13de34eb524109b45d79f1218564b5bb2e0c5d27a66c3", expected, sizeof expected);
  CHECK_BYTES(expected, actual, 32);
  hd_namespace_keyed(hash, hd_namespace_initiator, actual);
  hd_test_hex("1121fab09dbe413ad4859ea6c758e4c50eb6524f22888be130e60b57ea79b762", expected, sizeof expected);
  CHECK_BYTES(expected, actual, 32);
}
