#include "messages/message_announce.h"

#include "messages/message_fields.h"

enum { HAS_PEER = 1, HAS_REFRESH = 2, HAS_SIGNATURE = 4, HAS_BUMP = 8 };

#define REFRESH_SIZE HDHT_HASH_SIZE

int hd_messages_read_announce(hd_reader *reader, hd_messages_announce *announce) {
  hd_messages_input input = hd_messages_input_of(reader);
  const uint64_t flags = hd_messages_take_uint(&input);
  hd_messages_announce found = {.has_peer = flags & HAS_PEER};
  if (found.has_peer) found.peer = hd_messages_take_peer(&input);
  found.refresh = hd_messages_take_fixed_if(&input, flags & HAS_REFRESH, REFRESH_SIZE);
  found.signature = hd_messages_take_fixed_if(&input, flags & HAS_SIGNATURE, HDHT_SIGNATURE_SIZE);
  if (flags & HAS_BUMP) found.bump = hd_messages_take_uint(&input);

  const int error = hd_messages_input_end(&input, reader);
  if (error == HDHT_OK) *announce = found;
  return error;
}

static void put_announce(hd_messages_output *output, const hd_messages_announce *announce) {
  hd_messages_put_uint(output, (announce->has_peer ? HAS_PEER : 0U) | (announce->refresh != NULL ? HAS_REFRESH : 0U) |
                                   (announce->signature != NULL ? HAS_SIGNATURE : 0U) |
                                   (announce->bump != 0 ? HAS_BUMP : 0U));
  if (announce->has_peer) hd_messages_put_peer(output, &announce->peer);
  hd_messages_put_fixed_if(output, announce->refresh, REFRESH_SIZE);
  hd_messages_put_fixed_if(output, announce->signature, HDHT_SIGNATURE_SIZE);
  if (announce->bump != 0) hd_messages_put_uint(output, announce->bump);
}
HD_MESSAGES_WRITER(announce)

int hd_messages_read_lookup_reply(hd_reader *reader, hd_messages_lookup_reply *reply) {
  hd_messages_input input = hd_messages_input_of(reader);
  hd_messages_lookup_reply found = {.peers = hd_messages_take_peers(&input)};
  if (hd_reader_remaining(&input.reader) > 0) found.bump = hd_messages_take_uint(&input);

  const int error = hd_messages_input_end(&input, reader);
  if (error == HDHT_OK) *reply = found;
  return error;
}

static void put_lookup_reply(hd_messages_output *output, const hd_messages_lookup_reply *reply) {
  hd_messages_put_peers(output, &reply->peers);
  hd_messages_put_uint(output, reply->bump);
}
HD_MESSAGES_WRITER(lookup_reply)

/* The record is hashed as it would be written, not as it came: so does the reference, which encodes it again. */
static int hash_addresses(hd_hash_state *state, const hdht_address_list *list) {
  size_t size;
  const int error = hd_messages_addresses_size(list, &size);
  if (error != HDHT_OK) return error;
  uint8_t bytes[HD_CODEC_UINT_MAX_SIZE];
  hd_writer writer = hd_writer_of(bytes, sizeof bytes);
  (void)hd_codec_write_uint(&writer, list->count);
  hd_hash_update(state, bytes, (size_t)(writer.next - bytes));

  hdht_address_list rest = *list;
  hdht_address address;
  while (hdht_address_list_next(&rest, &address)) {
    writer = hd_writer_of(bytes, sizeof bytes);
    (void)hd_codec_write_ipv4_address(&writer, &address);
    hd_hash_update(state, bytes, (size_t)(writer.next - bytes));
  }
  return HDHT_OK;
}

int hd_messages_announce_signable(const hd_messages_announce_scope *scope, const hdht_peer *peer,
                                  const uint8_t *refresh, uint8_t signable[HD_MESSAGES_SIGNABLE_SIZE]) {
  if (peer->public_key == NULL) return HDHT_ERR_INVALID_ARGUMENT;
  hd_hash_state state;
  hd_hash_init(&state, NULL, 0, HD_HASH_SIZE);
  hd_hash_update(&state, scope->target, HDHT_HASH_SIZE);
  hd_hash_update(&state, scope->node_id, HDHT_NODE_ID_SIZE);
  hd_hash_update(&state, scope->token, HDHT_TOKEN_SIZE);
  hd_hash_update(&state, peer->public_key, HDHT_PUBLIC_KEY_SIZE);
  const int error = hash_addresses(&state, &peer->relay_addresses);
  if (error != HDHT_OK) return error;
  if (refresh != NULL) hd_hash_update(&state, refresh, REFRESH_SIZE);
  memcpy(signable, scope->name_space, HD_HASH_SIZE);
  hd_hash_final(&state, signable + HD_HASH_SIZE, HD_HASH_SIZE);
  return HDHT_OK;
}

int hd_messages_sign_announce(const hd_messages_announce_scope *scope, const hdht_peer *peer, const uint8_t *refresh,
                              const uint8_t secret_key[HD_SECRET_KEY_SIZE], uint8_t signature[HD_SIGNATURE_SIZE]) {
  uint8_t signable[HD_MESSAGES_SIGNABLE_SIZE];
  const int error = hd_messages_announce_signable(scope, peer, refresh, signable);
  if (error == HDHT_OK) hd_signature_sign(secret_key, signable, sizeof signable, signature);
  return error;
}

int hd_messages_verify_announce(const hd_messages_announce_scope *scope, const hd_messages_announce *announce) {
  if (!announce->has_peer || announce->signature == NULL) return HDHT_ERR_BAD_SIGNATURE;
  uint8_t signable[HD_MESSAGES_SIGNABLE_SIZE];
  const int error = hd_messages_announce_signable(scope, &announce->peer, announce->refresh, signable);
  if (error != HDHT_OK) return HDHT_ERR_BAD_SIGNATURE;
  return hd_signature_verify(announce->peer.public_key, signable, sizeof signable, announce->signature);
}
