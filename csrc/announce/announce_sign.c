#include "announce/announce_sign.h"

int hd_announce_prepare(hd_announce_to_sign *to_sign) {
  if (to_sign->purpose == HD_ANNOUNCE_TO_STORE) {
    hd_messages_mutable_signable(to_sign->seq, to_sign->value, to_sign->signable);
    return HDHT_OK;
  }
  const hd_messages_announce_scope scope = {
      .name_space = to_sign->purpose == HD_ANNOUNCE_TO_ANNOUNCE ? hd_namespace_announce : hd_namespace_unannounce,
      .target = to_sign->target,
      .node_id = to_sign->node_id,
      .token = to_sign->token};
  return hd_messages_announce_signable(&scope, &to_sign->peer, NULL, to_sign->signable);
}

int hd_announce_write(const hd_announce_to_sign *to_sign, const uint8_t signature[HD_SIGNATURE_SIZE], uint64_t bump,
                      uint8_t value[HD_ANNOUNCE_VALUE_SIZE_MAX], size_t *size) {
  const hd_messages_announce message = {.has_peer = true, .peer = to_sign->peer, .signature = signature, .bump = bump};
  hd_writer writer = hd_writer_of(value, HD_ANNOUNCE_VALUE_SIZE_MAX);
  const int error = hd_messages_write_announce(&writer, &message);
  if (error == HDHT_OK) *size = (size_t)(writer.next - value);
  return error;
}
