#include <hdht/announcement.h>
#include <hdht/error.h>

#include "messages/message_announce.h"

static const uint8_t *name_space_of(uint32_t number) {
  switch (number) {
    case HDHT_NAMESPACE_ANNOUNCE: return hd_namespace_announce;
    case HDHT_NAMESPACE_UNANNOUNCE: return hd_namespace_unannounce;
    default: return NULL;
  }
}

static bool is_complete(const hdht_announcement_scope *scope) {
  return scope != NULL && scope->target != NULL && scope->node_id != NULL && scope->token != NULL &&
         name_space_of(scope->name_space) != NULL;
}

static hd_messages_announce_scope inner_scope(const hdht_announcement_scope *scope) {
  return (hd_messages_announce_scope){.name_space = name_space_of(scope->name_space),
                                      .target = scope->target,
                                      .node_id = scope->node_id,
                                      .token = scope->token};
}

int hdht_announcement_sign(const hdht_announcement_scope *scope, const hdht_address_list *relay_addresses,
                           const hdht_key_pair *key_pair, uint8_t *signature) {
  if (!is_complete(scope) || key_pair == NULL || signature == NULL) return HDHT_ERR_INVALID_ARGUMENT;
  const hd_messages_announce_scope inner = inner_scope(scope);
  hdht_peer peer = {.public_key = key_pair->public_key};
  if (relay_addresses != NULL) peer.relay_addresses = *relay_addresses;
  return hd_messages_sign_announce(&inner, &peer, NULL, key_pair->secret_key, signature);
}

int hdht_announcement_verify(const hdht_announcement_scope *scope, const hdht_peer *peer, const uint8_t *signature) {
  if (!is_complete(scope) || peer == NULL || peer->public_key == NULL || signature == NULL) {
    return HDHT_ERR_INVALID_ARGUMENT;
  }
  const hd_messages_announce_scope inner = inner_scope(scope);
  const hd_messages_announce announce = {.has_peer = true, .peer = *peer, .signature = signature};
  return hd_messages_verify_announce(&inner, &announce);
}
