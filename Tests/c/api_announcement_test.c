#include <hdht/announcement.h>
#include <hdht/error.h>
#include <string.h>

#include "test.h"

/* Recorded: key pair of the seed 01 × 32, target the hash of its public key, node id aa × 32, token bb × 32, no relay
 * addresses. */
static const char *const announce_signature =
    "511a19bd09060c11f65914804ca9ecc603fe6767d907e4e1210d202a06fcb0ca"
    "99ae308fd8ed95edd71467a06ba6ef8b641fc6dff2e72d1abd75de0f4aa5cf08";
static const char *const unannounce_signature =
    "769b70ed2233cad6dafff453844c4e4381a44a02bb3ea18feb7f5aa8f269498a"
    "1cefebc41c06ca4a940496834573a65da104b4d868af1c9da3c82cead1e1f70b";

typedef struct example {
  hdht_key_pair key_pair;
  uint8_t target[HDHT_HASH_SIZE], node_id[HDHT_NODE_ID_SIZE], token[HDHT_TOKEN_SIZE];
} example;

static void fill_example(example *given) {
  uint8_t seed[HDHT_SEED_SIZE];
  memset(seed, 1, sizeof seed);
  REQUIRE(hdht_key_pair_from_seed(seed, &given->key_pair) == HDHT_OK);
  REQUIRE(hdht_hash(given->key_pair.public_key, HDHT_PUBLIC_KEY_SIZE, given->target) == HDHT_OK);
  memset(given->node_id, 0xaa, sizeof given->node_id);
  memset(given->token, 0xbb, sizeof given->token);
}

static hdht_announcement_scope scope_of(const example *given, uint32_t name_space) {
  return (hdht_announcement_scope){
      .target = given->target, .node_id = given->node_id, .token = given->token, .name_space = name_space};
}

static void check_signature(const char *expected_hex, uint32_t name_space) {
  example given;
  fill_example(&given);
  const hdht_announcement_scope scope = scope_of(&given, name_space);
  const hdht_peer peer = {.public_key = given.key_pair.public_key};
  uint8_t expected[HDHT_SIGNATURE_SIZE], signature[HDHT_SIGNATURE_SIZE];
  hd_test_hex(expected_hex, expected, sizeof expected);
  REQUIRE(hdht_announcement_sign(&scope, NULL, &given.key_pair, signature) == HDHT_OK);
  CHECK_BYTES(expected, signature, sizeof signature);
  CHECK_INT(HDHT_OK, hdht_announcement_verify(&scope, &peer, signature));
}

TEST(announcements_are_signed_as_the_reference_signs_them) {
  check_signature(announce_signature, HDHT_NAMESPACE_ANNOUNCE);
  check_signature(unannounce_signature, HDHT_NAMESPACE_UNANNOUNCE);
}

TEST(a_signature_is_worth_nothing_in_another_scope_or_for_another_record) {
  example given;
  fill_example(&given);
  hdht_announcement_scope scope = scope_of(&given, HDHT_NAMESPACE_ANNOUNCE);
  const hdht_address relay = {.ip = {1, 2, 3, 4}, .port = 5, .family = HDHT_FAMILY_IPV4};
  hdht_peer peer = {.public_key = given.key_pair.public_key, .relay_addresses = {.array = &relay, .count = 1}};
  uint8_t signature[HDHT_SIGNATURE_SIZE];
  REQUIRE(hdht_announcement_sign(&scope, &peer.relay_addresses, &given.key_pair, signature) == HDHT_OK);
  CHECK_INT(HDHT_OK, hdht_announcement_verify(&scope, &peer, signature));

  scope.name_space = HDHT_NAMESPACE_UNANNOUNCE;
  CHECK_INT(HDHT_ERR_BAD_SIGNATURE, hdht_announcement_verify(&scope, &peer, signature));
  scope = scope_of(&given, HDHT_NAMESPACE_ANNOUNCE);
  peer.relay_addresses.count = 0;
  CHECK_INT(HDHT_ERR_BAD_SIGNATURE, hdht_announcement_verify(&scope, &peer, signature));
  peer.relay_addresses.count = 1;
  signature[0] ^= 1;
  CHECK_INT(HDHT_ERR_BAD_SIGNATURE, hdht_announcement_verify(&scope, &peer, signature));
}

TEST(announcements_need_every_part_and_a_namespace_of_theirs) {
  example given;
  fill_example(&given);
  hdht_announcement_scope scope = scope_of(&given, HDHT_NAMESPACE_MUTABLE_PUT);
  uint8_t signature[HDHT_SIGNATURE_SIZE];
  CHECK_INT(HDHT_ERR_INVALID_ARGUMENT, hdht_announcement_sign(&scope, NULL, &given.key_pair, signature));
  scope = scope_of(&given, HDHT_NAMESPACE_ANNOUNCE);
  scope.token = NULL;
  CHECK_INT(HDHT_ERR_INVALID_ARGUMENT, hdht_announcement_sign(&scope, NULL, &given.key_pair, signature));
  scope = scope_of(&given, HDHT_NAMESPACE_ANNOUNCE);
  CHECK_INT(HDHT_ERR_INVALID_ARGUMENT, hdht_announcement_sign(&scope, NULL, NULL, signature));
  CHECK_INT(HDHT_ERR_INVALID_ARGUMENT, hdht_announcement_sign(NULL, NULL, &given.key_pair, signature));
  CHECK_INT(HDHT_ERR_INVALID_ARGUMENT, hdht_announcement_verify(&scope, NULL, signature));
  const hdht_peer nobody = {0};
  CHECK_INT(HDHT_ERR_INVALID_ARGUMENT, hdht_announcement_verify(&scope, &nobody, signature));
  const hdht_peer peer = {.public_key = given.key_pair.public_key};
  CHECK_INT(HDHT_ERR_INVALID_ARGUMENT, hdht_announcement_verify(&scope, &peer, NULL));
}
