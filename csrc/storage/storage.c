#include "storage/storage.h"

#include "messages/message_announce.h"
#include "messages/message_command.h"

#define BUMP_TOLERANCE_MS 60000 /* how far in the future a bump may be */

/* What a refresh key stands for. */
typedef struct refreshable {
  uint8_t target[HDHT_HASH_SIZE];
  hd_storage_peer peer;
  bool is_self; /* the target is the hash of the peer's key */
} refreshable;

static hd_storage_cache_options cache_options(const hd_allocator *allocator, const hd_storage_limits *limits,
                                              const uint64_t *seed, uint32_t value_size) {
  return (hd_storage_cache_options){.allocator = allocator,
                                    .key_size = HDHT_HASH_SIZE,
                                    .value_size = value_size,
                                    .entries_limit = limits->entries,
                                    .weight_limit = SIZE_MAX,
                                    .age_limit = limits->peer_age_limit,
                                    .seed = seed};
}

void hd_storage_init(hd_storage *storage, const hd_allocator *allocator, const hd_storage_limits *limits,
                     const uint64_t seed[2]) {
  *storage = (hd_storage){.random = hd_random_from_seed(seed[0] ^ seed[1])};
  const hd_storage_cache_options refreshes = cache_options(allocator, limits, seed, sizeof(refreshable));
  const hd_storage_cache_options bumps = cache_options(allocator, limits, seed, sizeof(uint64_t));
  const hd_storage_values_options values = {.allocator = allocator,
                                            .entries_limit = limits->entries,
                                            .bytes_limit = limits->value_bytes,
                                            .age_limit = limits->value_age_limit,
                                            .seed = seed};
  hd_storage_routes_init(&storage->routes, &refreshes);
  hd_storage_peers_init(&storage->peers, allocator, limits->entries, limits->peer_age_limit, seed);
  hd_storage_values_init(&storage->values, &values);
  hd_storage_cache_init(&storage->refreshes, &refreshes);
  hd_storage_cache_init(&storage->bumps, &bumps);
}

void hd_storage_destroy(hd_storage *storage) {
  hd_storage_routes_destroy(&storage->routes);
  hd_storage_peers_destroy(&storage->peers);
  hd_storage_values_destroy(&storage->values);
  hd_storage_cache_destroy(&storage->refreshes);
  hd_storage_cache_destroy(&storage->bumps);
}

void hd_storage_set_calendar(hd_storage *storage, hd_time now, uint64_t unix_ms) {
  storage->unix_ms_at_start = unix_ms > now.us / 1000 ? unix_ms - now.us / 1000 : 0;
}

void hd_storage_elapse(hd_storage *storage, hd_time now) {
  hd_storage_cache_elapse(&storage->routes.announced, now);
  hd_storage_peers_elapse(&storage->peers, now);
  hd_storage_values_elapse(&storage->values, now);
  hd_storage_cache_elapse(&storage->refreshes, now);
  hd_storage_cache_elapse(&storage->bumps, now);
}

static const hd_storage_answer silence = {.verdict = HD_STORAGE_SILENCE};

/* Storing what was announced is acknowledged with nothing but the header. */
static const hd_storage_answer acknowledgement = {.verdict = HD_STORAGE_ANSWER};

static hd_storage_answer found(bool has_value, hd_bytes value) {
  return (hd_storage_answer){.verdict = HD_STORAGE_ANSWER,
                             .has_value = has_value,
                             .with_token = true,
                             .with_closer_nodes = true,
                             .value = value};
}

static const hd_bytes nothing = {0};

static hd_storage_answer find_peer(hd_storage *storage, hd_time now, const hd_messages_request *request,
                                   hd_writer room) {
  const hd_storage_route *route = hd_storage_routes_find(&storage->routes, request->target, now);
  if (route == NULL) return found(false, nothing);
  const hdht_peer peer = hd_storage_peer_view(&route->peer);
  const uint8_t *start = room.next;
  if (hd_messages_write_peer(&room, &peer) != HDHT_OK) {
    hd_storage_answer answer = found(false, nothing);
    answer.is_shortened = true;
    return answer;
  }
  return found(true, hd_bytes_of(start, (size_t)(room.next - start)));
}

static uint64_t bump_of(hd_storage *storage, const uint8_t *target, hd_time now) {
  const uint64_t *bump = hd_storage_cache_find(&storage->bumps, target, now);
  return bump != NULL ? *bump : 0;
}

/* Topic records first, in random order; the server's own announcement if there is a place left for it. */
static unsigned collect_records(hd_storage *storage, const uint8_t *target, hd_time now,
                                const hd_storage_peer *records[HD_MESSAGES_LOOKUP_PEERS_MAX]) {
  unsigned count =
      hd_storage_peers_draw(&storage->peers, target, &storage->random, now, records, HD_MESSAGES_LOOKUP_PEERS_MAX);
  const hd_storage_route *route = hd_storage_routes_find(&storage->routes, target, now);
  if (route != NULL && count < HD_MESSAGES_LOOKUP_PEERS_MAX) records[count++] = &route->peer;
  return count;
}

static hd_storage_answer lookup(hd_storage *storage, hd_time now, const hd_messages_request *request, hd_writer room) {
  const hd_storage_peer *records[HD_MESSAGES_LOOKUP_PEERS_MAX];
  const unsigned records_count = collect_records(storage, request->target, now, records);
  hdht_peer peers[HD_MESSAGES_LOOKUP_PEERS_MAX];
  for (unsigned i = 0; i < records_count; i++) peers[i] = hd_storage_peer_view(records[i]);

  hd_messages_lookup_reply reply = {.bump = bump_of(storage, request->target, now)};
  const uint8_t *start = room.next;
  for (reply.peers = (hdht_peer_list){.array = peers, .count = records_count}; reply.peers.count > 0;
       reply.peers.count--) {
    if (hd_messages_write_lookup_reply(&room, &reply) != HDHT_OK) continue;
    hd_storage_answer answer = found(true, hd_bytes_of(start, (size_t)(room.next - start)));
    answer.is_shortened = reply.peers.count < records_count;
    return answer;
  }
  hd_storage_answer answer = found(false, nothing);
  answer.is_shortened = records_count > 0;
  return answer;
}

static bool is_hash_of_key(const uint8_t *target, const uint8_t *public_key) {
  uint8_t hash[HD_HASH_SIZE];
  hd_hash(public_key, HDHT_PUBLIC_KEY_SIZE, hash);
  return memcmp(hash, target, sizeof hash) == 0;
}

/* A server's own announcement becomes a route, and replaces a topic record of the same key. */
static int store_record(hd_storage *storage, hd_time now, const refreshable *record, const hd_address *from) {
  if (!record->is_self) {
    return hd_storage_peers_put(&storage->peers, record->target, &record->peer, &storage->random, now);
  }
  const hd_storage_route route = {.relay = *from, .peer = record->peer};
  const int error = hd_storage_routes_put(&storage->routes, record->target, &route, now);
  if (error == HDHT_OK) {
    (void)hd_storage_peers_remove(&storage->peers, record->target, record->peer.public_key, now);
  }
  return error;
}

/* Whoever shows the value behind a remembered hash may store the same record again without a signature; the value is
 * the next to be remembered, so a chain of hashes is revealed backwards. */
static hd_storage_answer refresh(hd_storage *storage, hd_time now, const uint8_t *preimage, const hd_address *from) {
  uint8_t key[HD_HASH_SIZE];
  hd_hash(preimage, HD_HASH_SIZE, key);
  const refreshable *known = hd_storage_cache_find(&storage->refreshes, key, now);
  if (known == NULL) return acknowledgement;
  const refreshable record = *known;
  if (store_record(storage, now, &record, from) != HDHT_OK) return silence;
  (void)hd_storage_cache_remove(&storage->refreshes, key);
  (void)hd_storage_cache_put(&storage->refreshes, preimage, &record, 0, now);
  return acknowledgement;
}

static void store_bump(hd_storage *storage, hd_time now, const uint8_t *target, uint64_t bump) {
  if (storage->unix_ms_at_start == 0 || bump <= bump_of(storage, target, now)) return;
  if (bump > storage->unix_ms_at_start + now.us / 1000 + BUMP_TOLERANCE_MS) return;
  (void)hd_storage_cache_put(&storage->bumps, target, &bump, 0, now);
}

static int read_announce(const hd_messages_request *request, hd_messages_announce *announce) {
  hd_reader reader = hd_reader_of(request->value);
  return hd_messages_read_announce(&reader, announce);
}

static int verify(const hd_messages_request *request, const uint8_t *name_space, const uint8_t *own_id,
                  const hd_messages_announce *announce) {
  const hd_messages_announce_scope scope = {
      .name_space = name_space, .target = request->target, .node_id = own_id, .token = request->token};
  return hd_messages_verify_announce(&scope, announce);
}

static hd_storage_answer announce(hd_storage *storage, hd_time now, const hd_messages_request *request,
                                  const hd_address *from, const uint8_t *own_id) {
  hd_messages_announce message;
  if (request->token == NULL || read_announce(request, &message) != HDHT_OK) return silence;
  if (!message.has_peer) return message.refresh != NULL ? refresh(storage, now, message.refresh, from) : silence;
  if (verify(request, hd_namespace_announce, own_id, &message) != HDHT_OK) return silence;

  refreshable record = {.peer = hd_storage_peer_of(&message.peer),
                        .is_self = is_hash_of_key(request->target, message.peer.public_key)};
  memcpy(record.target, request->target, sizeof record.target);
  if (store_record(storage, now, &record, from) != HDHT_OK) return silence;
  if (!record.is_self) store_bump(storage, now, request->target, message.bump);
  if (message.refresh != NULL) (void)hd_storage_cache_put(&storage->refreshes, message.refresh, &record, 0, now);
  return acknowledgement;
}

static hd_storage_answer unannounce(hd_storage *storage, hd_time now, const hd_messages_request *request,
                                    const uint8_t *own_id) {
  hd_messages_announce message;
  if (request->token == NULL || read_announce(request, &message) != HDHT_OK) return silence;
  if (verify(request, hd_namespace_unannounce, own_id, &message) != HDHT_OK) return silence;
  (void)hd_storage_peers_remove(&storage->peers, request->target, message.peer.public_key, now);
  if (is_hash_of_key(request->target, message.peer.public_key)) {
    hd_storage_routes_remove(&storage->routes, request->target);
  }
  return acknowledgement;
}

static hd_storage_answer refusal(uint64_t error) {
  return (hd_storage_answer){.verdict = HD_STORAGE_REFUSAL, .error = error, .with_closer_nodes = true};
}

static hd_storage_answer mutable_put(hd_storage *storage, hd_time now, const hd_messages_request *request) {
  hd_messages_mutable_put message;
  hd_reader reader = hd_reader_of(request->value);
  if (request->token == NULL || hd_messages_read_mutable_put(&reader, &message) != HDHT_OK) return silence;
  switch (hd_storage_values_put_mutable(&storage->values, request->target, &message, now)) {
    case HDHT_OK: return found(false, nothing);
    case HDHT_ERR_SEQ_REUSED: return refusal(HD_MESSAGES_ERROR_SEQ_REUSED);
    case HDHT_ERR_SEQ_TOO_LOW: return refusal(HD_MESSAGES_ERROR_SEQ_TOO_LOW);
    default: return silence;
  }
}

static hd_storage_answer mutable_get(hd_storage *storage, hd_time now, const hd_messages_request *request) {
  hd_messages_mutable_get message;
  hd_reader reader = hd_reader_of(request->value);
  if (hd_messages_read_mutable_get(&reader, &message) != HDHT_OK) return silence;
  hd_bytes value = {0};
  const int error = hd_storage_values_get_mutable(&storage->values, request->target, message.seq_min, now, &value);
  return found(error == HDHT_OK, value);
}

static hd_storage_answer immutable_put(hd_storage *storage, hd_time now, const hd_messages_request *request) {
  if (request->token == NULL || !request->has_value) return silence;
  const int error = hd_storage_values_put_immutable(&storage->values, request->target, request->value, now);
  return error == HDHT_OK ? found(false, nothing) : silence;
}

static hd_storage_answer immutable_get(hd_storage *storage, hd_time now, const hd_messages_request *request) {
  hd_bytes value = {0};
  const int error = hd_storage_values_get_immutable(&storage->values, request->target, now, &value);
  return found(error == HDHT_OK, value);
}

hd_storage_answer hd_storage_handle(hd_storage *storage, hd_time now, const hd_messages_request *request,
                                    const hd_address *from, const uint8_t own_id[HDHT_NODE_ID_SIZE], hd_writer room) {
  if (request->command < HD_MESSAGES_FIND_PEER || request->command > HD_MESSAGES_IMMUTABLE_GET) {
    return (hd_storage_answer){.verdict = HD_STORAGE_NOT_A_STORAGE};
  }
  if (request->target == NULL) return silence;
  switch (request->command) {
    case HD_MESSAGES_FIND_PEER: return find_peer(storage, now, request, room);
    case HD_MESSAGES_LOOKUP: return lookup(storage, now, request, room);
    case HD_MESSAGES_ANNOUNCE: return announce(storage, now, request, from, own_id);
    case HD_MESSAGES_UNANNOUNCE: return unannounce(storage, now, request, own_id);
    case HD_MESSAGES_MUTABLE_PUT: return mutable_put(storage, now, request);
    case HD_MESSAGES_MUTABLE_GET: return mutable_get(storage, now, request);
    case HD_MESSAGES_IMMUTABLE_PUT: return immutable_put(storage, now, request);
    default: return immutable_get(storage, now, request);
  }
}
