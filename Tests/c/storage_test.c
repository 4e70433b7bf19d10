#include "storage/storage.h"

#include <string.h>

#include "messages/message_announce.h"
#include "messages/message_command.h"
#include "test.h"

#define DAY_ONE_MS 1700000000000u

static const uint8_t own_id[32] = {0xaa};
static const uint8_t token[32] = {0x70};
static const uint8_t topic[32] = {0x42};

typedef struct place {
  hd_storage storage;
  hd_address from;
  uint8_t room[2048];
  size_t room_size;
} place;

static place *open_place(const hdht_allocator *allocator) {
  static place opened;
  static const uint64_t seed[2] = {3, 4};
  opened.from = hd_address_ipv4(9, 9, 9, 9, 1000);
  opened.room_size = sizeof opened.room;
  const hd_storage_limits limits = HD_STORAGE_LIMITS_DEFAULT;
  hd_storage_init(&opened.storage, allocator, &limits, seed);
  hd_storage_set_calendar(&opened.storage, (hd_time){0}, DAY_ONE_MS);
  return &opened;
}

static hd_storage_answer handle(place *at, hd_time now, uint64_t command, const uint8_t *target, bool has_token,
                                hd_bytes value) {
  const hd_messages_request request = {.command = command,
                                       .target = target,
                                       .token = has_token ? token : NULL,
                                       .has_value = value.data != NULL,
                                       .value = value};
  return hd_storage_handle(&at->storage, now, &request, &at->from, own_id, hd_writer_of(at->room, at->room_size));
}

static hd_storage_answer ask(place *at, uint64_t command, const uint8_t *target) {
  return handle(at, (hd_time){0}, command, target, false, (hd_bytes){0});
}

typedef struct announcer {
  hd_key_pair keys;
  uint8_t target[32]; /* hash of the key */
} announcer;

static announcer announcer_of(uint8_t number) {
  const uint8_t seed[32] = {number};
  announcer made;
  hd_key_pair_from_seed(&made.keys, seed);
  hd_hash(made.keys.public_key, 32, made.target);
  return made;
}

typedef struct announce_options {
  uint64_t command;
  const uint8_t *target;
  const uint8_t *refresh;
  const uint8_t *node_id; /* NULL: own_id */
  uint64_t bump;
  size_t relays_count;
  bool without_token;
} announce_options;

static hd_storage_answer announce_at(place *at, hd_time now, const announcer *by, announce_options options) {
  static const hdht_address relays[4] = {{.ip = {1}, .port = 1, .family = 4},
                                         {.ip = {2}, .port = 2, .family = 4},
                                         {.ip = {3}, .port = 3, .family = 4},
                                         {.ip = {4}, .port = 4, .family = 4}};
  const hd_messages_announce_scope scope = {
      .name_space = options.command == HD_MESSAGES_ANNOUNCE ? hd_namespace_announce : hd_namespace_unannounce,
      .target = options.target,
      .node_id = options.node_id != NULL ? options.node_id : own_id,
      .token = token};
  const hdht_peer peer = {.public_key = by->keys.public_key,
                          .relay_addresses = {.array = relays, .count = options.relays_count}};
  uint8_t signature[64], value[400];
  CHECK_INT(HDHT_OK, hd_messages_sign_announce(&scope, &peer, options.refresh, by->keys.secret_key, signature));
  const hd_messages_announce message = {
      .has_peer = true, .peer = peer, .refresh = options.refresh, .signature = signature, .bump = options.bump};
  hd_writer writer = hd_writer_of(value, sizeof value);
  CHECK_INT(HDHT_OK, hd_messages_write_announce(&writer, &message));
  return handle(at, now, options.command, options.target, !options.without_token,
                hd_bytes_of(value, (size_t)(writer.next - value)));
}

static hd_storage_answer announce(place *at, const announcer *by, const uint8_t *target) {
  return announce_at(at, (hd_time){0}, by,
                     (announce_options){.command = HD_MESSAGES_ANNOUNCE, .target = target, .relays_count = 2});
}

static void check_acknowledged(hd_storage_answer answer) {
  CHECK_INT(HD_STORAGE_ANSWER, answer.verdict);
  CHECK(!answer.has_value);
  CHECK(!answer.with_token);
  CHECK(!answer.with_closer_nodes);
}

static size_t count_found(place *at, hd_time now, const uint8_t *target, uint64_t *bump) {
  const hd_storage_answer answer = handle(at, now, HD_MESSAGES_LOOKUP, target, false, (hd_bytes){0});
  CHECK_INT(HD_STORAGE_ANSWER, answer.verdict);
  CHECK(answer.with_token);
  CHECK(answer.with_closer_nodes);
  if (!answer.has_value) return 0;
  hd_reader reader = hd_reader_of(answer.value);
  hd_messages_lookup_reply reply = {0};
  CHECK_INT(HDHT_OK, hd_messages_read_lookup_reply(&reader, &reply));
  if (bump != NULL) *bump = reply.bump;
  return reply.peers.count;
}

TEST(storage_answers_what_it_does_not_know_without_a_value) {
  place *at = open_place(hd_allocator_system());
  static const uint64_t readers[] = {HD_MESSAGES_FIND_PEER, HD_MESSAGES_LOOKUP, HD_MESSAGES_IMMUTABLE_GET};
  for (size_t i = 0; i < 3; i++) {
    const hd_storage_answer answer = ask(at, readers[i], topic);
    CHECK_INT(HD_STORAGE_ANSWER, answer.verdict);
    CHECK(!answer.has_value);
    CHECK(answer.with_token && answer.with_closer_nodes);
    CHECK_INT(HD_STORAGE_SILENCE, ask(at, readers[i], NULL).verdict);
  }
  hd_storage_destroy(&at->storage);
}

TEST(storage_leaves_other_commands_to_others) {
  place *at = open_place(hd_allocator_system());
  CHECK_INT(HD_STORAGE_NOT_A_STORAGE, ask(at, HD_MESSAGES_PEER_HOLEPUNCH, topic).verdict);
  CHECK_INT(HD_STORAGE_NOT_A_STORAGE, ask(at, HD_MESSAGES_PLUGIN, topic).verdict);
  hd_storage_destroy(&at->storage);
}

TEST(storage_finds_an_announced_topic_until_it_is_unannounced) {
  place *at = open_place(hd_allocator_system());
  const announcer by = announcer_of(1);
  check_acknowledged(announce(at, &by, topic));
  CHECK_UINT(1, count_found(at, (hd_time){0}, topic, NULL));
  CHECK(!ask(at, HD_MESSAGES_FIND_PEER, topic).has_value);
  check_acknowledged(
      announce_at(at, (hd_time){0}, &by, (announce_options){.command = HD_MESSAGES_UNANNOUNCE, .target = topic}));
  CHECK_UINT(0, count_found(at, (hd_time){0}, topic, NULL));
  hd_storage_destroy(&at->storage);
}

TEST(storage_makes_a_route_of_a_server_that_announces_itself) {
  place *at = open_place(hd_allocator_system());
  const announcer by = announcer_of(1);
  check_acknowledged(announce(at, &by, by.target));
  const hd_storage_answer answer = ask(at, HD_MESSAGES_FIND_PEER, by.target);
  REQUIRE(answer.has_value);
  hd_reader reader = hd_reader_of(answer.value);
  hdht_peer peer;
  REQUIRE(hd_messages_read_peer(&reader, &peer) == HDHT_OK);
  CHECK_BYTES(by.keys.public_key, peer.public_key, 32);
  CHECK_UINT(2, peer.relay_addresses.count);
  CHECK_UINT(1, count_found(at, (hd_time){0}, by.target, NULL));
  const hd_storage_route *route = hd_storage_routes_find(&at->storage.routes, by.target, (hd_time){0});
  REQUIRE(route != NULL);
  CHECK(hd_address_equal(&at->from, &route->relay));

  check_acknowledged(
      announce_at(at, (hd_time){0}, &by, (announce_options){.command = HD_MESSAGES_UNANNOUNCE, .target = by.target}));
  CHECK(!ask(at, HD_MESSAGES_FIND_PEER, by.target).has_value);
  hd_storage_destroy(&at->storage);
}

TEST(storage_is_silent_to_announcements_that_prove_nothing) {
  place *at = open_place(hd_allocator_system());
  const announcer by = announcer_of(1);
  const uint8_t other_id[32] = {0xbb};
  announce_options options = {.command = HD_MESSAGES_ANNOUNCE, .target = topic, .without_token = true};
  CHECK_INT(HD_STORAGE_SILENCE, announce_at(at, (hd_time){0}, &by, options).verdict);
  options = (announce_options){.command = HD_MESSAGES_ANNOUNCE, .target = topic, .node_id = other_id};
  CHECK_INT(HD_STORAGE_SILENCE, announce_at(at, (hd_time){0}, &by, options).verdict);
  options.command = HD_MESSAGES_UNANNOUNCE;
  CHECK_INT(HD_STORAGE_SILENCE, announce_at(at, (hd_time){0}, &by, options).verdict);
  CHECK_INT(HD_STORAGE_SILENCE,
            handle(at, (hd_time){0}, HD_MESSAGES_ANNOUNCE, topic, true, hd_bytes_of("\x05", 1)).verdict);
  CHECK_UINT(0, count_found(at, (hd_time){0}, topic, NULL));
  hd_storage_destroy(&at->storage);
}

TEST(storage_keeps_three_relays_but_verifies_all_that_were_signed) {
  place *at = open_place(hd_allocator_system());
  const announcer by = announcer_of(1);
  const announce_options options = {.command = HD_MESSAGES_ANNOUNCE, .target = by.target, .relays_count = 4};
  check_acknowledged(announce_at(at, (hd_time){0}, &by, options));
  const hd_storage_answer answer = ask(at, HD_MESSAGES_FIND_PEER, by.target);
  CHECK_UINT(32 + 1 + 3 * 6, answer.value.size);
  hd_storage_destroy(&at->storage);
}

TEST(storage_lists_twenty_records_or_as_many_as_there_is_room_for) {
  place *at = open_place(hd_allocator_system());
  for (uint8_t number = 0; number < 25; number++) {
    const announcer by = announcer_of(number);
    check_acknowledged(announce(at, &by, topic));
  }
  CHECK_UINT(20, count_found(at, (hd_time){0}, topic, NULL));
  at->room_size = 1 + 3 * (32 + 1 + 12) + 1; /* exactly three records of two relays */
  CHECK_UINT(3, count_found(at, (hd_time){0}, topic, NULL));
  CHECK(ask(at, HD_MESSAGES_LOOKUP, topic).is_shortened);
  at->room_size--;
  CHECK_UINT(2, count_found(at, (hd_time){0}, topic, NULL));
  at->room_size = 46;
  const hd_storage_answer answer = ask(at, HD_MESSAGES_LOOKUP, topic);
  CHECK(!answer.has_value);
  CHECK(answer.is_shortened);
  hd_storage_destroy(&at->storage);
}

TEST(storage_refreshes_by_a_chain_of_hashes_revealed_backwards) {
  place *at = open_place(hd_allocator_system());
  const announcer by = announcer_of(1);
  uint8_t chain[3][32] = {{1}};
  hd_hash(chain[0], 32, chain[1]);
  hd_hash(chain[1], 32, chain[2]);
  const announce_options options = {.command = HD_MESSAGES_ANNOUNCE, .target = topic, .refresh = chain[2]};
  check_acknowledged(announce_at(at, (hd_time){0}, &by, options));
  check_acknowledged(
      announce_at(at, (hd_time){0}, &by, (announce_options){.command = HD_MESSAGES_UNANNOUNCE, .target = topic}));

  uint8_t value[33] = {0x02};
  for (unsigned step = 2; step-- > 0;) {
    memcpy(value + 1, chain[step], 32);
    check_acknowledged(handle(at, (hd_time){0}, HD_MESSAGES_ANNOUNCE, topic, true, hd_bytes_of(value, sizeof value)));
    CHECK_UINT(1, count_found(at, (hd_time){0}, topic, NULL));
    check_acknowledged(
        announce_at(at, (hd_time){0}, &by, (announce_options){.command = HD_MESSAGES_UNANNOUNCE, .target = topic}));
  }
  memcpy(value + 1, chain[1], 32); /* used up */
  check_acknowledged(handle(at, (hd_time){0}, HD_MESSAGES_ANNOUNCE, topic, true, hd_bytes_of(value, sizeof value)));
  CHECK_UINT(0, count_found(at, (hd_time){0}, topic, NULL));
  hd_storage_destroy(&at->storage);
}

TEST(storage_takes_a_bump_that_grows_and_is_at_most_a_minute_ahead) {
  place *at = open_place(hd_allocator_system());
  const announcer by = announcer_of(1);
  const hd_time now = {5000000}; /* five seconds later */
  static const struct {
    uint64_t bump, stored;
  } steps[] = {{DAY_ONE_MS, DAY_ONE_MS},
               {DAY_ONE_MS - 1, DAY_ONE_MS},
               {DAY_ONE_MS + 65001, DAY_ONE_MS},
               {DAY_ONE_MS + 65000, DAY_ONE_MS + 65000}};
  for (size_t i = 0; i < 4; i++) {
    uint64_t bump = 0;
    check_acknowledged(announce_at(
        at, now, &by, (announce_options){.command = HD_MESSAGES_ANNOUNCE, .target = topic, .bump = steps[i].bump}));
    CHECK_UINT(1, count_found(at, now, topic, &bump));
    CHECK_UINT(steps[i].stored, bump);
  }
  hd_storage_destroy(&at->storage);
}

static bool serve(const hdht_allocator *allocator) {
  place *at = open_place(allocator);
  const announcer by = announcer_of(1);
  uint8_t target[32];
  hd_hash("value", 5, target);
  bool all = announce(at, &by, topic).verdict == HD_STORAGE_ANSWER;
  all &= announce(at, &by, by.target).verdict == HD_STORAGE_ANSWER;
  all &= handle(at, (hd_time){0}, HD_MESSAGES_IMMUTABLE_PUT, target, true, hd_bytes_of("value", 5)).verdict ==
         HD_STORAGE_ANSWER;
  hd_storage_destroy(&at->storage);
  return all;
}

TEST(storage_survives_each_failing_allocation) {
  hd_test_each_allocation_failure(serve);
}
