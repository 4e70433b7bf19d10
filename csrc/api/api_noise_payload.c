#include <hdht/error.h>
#include <hdht/noise_payload.h>

#include "base/bytes.h"
#include "messages/message_noise_payload.h"

_Static_assert((int)HDHT_HANDSHAKE_ERROR_ABORTED == (int)HD_MESSAGES_ERROR_ABORTED,
               "the public numbers are the internal ones");
_Static_assert((int)HDHT_HANDSHAKE_ERROR_VERSION_MISMATCH == (int)HD_MESSAGES_ERROR_VERSION_MISMATCH, "as above");
_Static_assert((int)HDHT_HANDSHAKE_ERROR_TRY_LATER == (int)HD_MESSAGES_ERROR_TRY_LATER, "as above");
_Static_assert((int)HDHT_NAT_OPEN == (int)HD_MESSAGES_NAT_OPEN, "as above");
_Static_assert((int)HDHT_NAT_CONSISTENT == (int)HD_MESSAGES_NAT_CONSISTENT, "as above");
_Static_assert((int)HDHT_NAT_RANDOM == (int)HD_MESSAGES_NAT_RANDOM, "as above");

static uint32_t parts_of(const hd_messages_noise_payload *read) {
  return (read->has_holepunch ? (uint32_t)HDHT_NOISE_PAYLOAD_HOLEPUNCH : 0) |
         (read->has_udx ? (uint32_t)HDHT_NOISE_PAYLOAD_UDX : 0) |
         (read->has_secret_stream ? (uint32_t)HDHT_NOISE_PAYLOAD_SECRET_STREAM : 0) |
         (read->has_relay_through ? (uint32_t)HDHT_NOISE_PAYLOAD_RELAY_THROUGH : 0) |
         (read->has_relay_addresses ? (uint32_t)HDHT_NOISE_PAYLOAD_RELAY_ADDRESSES : 0);
}

int hdht_noise_payload_decode(hdht_bytes bytes, hdht_noise_payload *payload) {
  if ((bytes.data == NULL && bytes.size > 0) || payload == NULL) return HDHT_ERR_INVALID_ARGUMENT;
  hd_reader reader = hd_reader_of(bytes);
  hd_messages_noise_payload read;
  const int error = hd_messages_read_noise_payload(&reader, &read);
  if (error != HDHT_OK) return error;

  *payload = (hdht_noise_payload){.version = read.version,
                                  .error = read.error,
                                  .nat = read.nat,
                                  .parts = parts_of(&read),
                                  .is_socket_reusable = read.udx.is_socket_reusable,
                                  .udx_id = read.udx.id,
                                  .udx_seq = read.udx.seq,
                                  .udx_version = read.udx.version,
                                  .secret_stream_version = read.secret_stream_version,
                                  .holepunch_id = read.holepunch_id,
                                  .holepunch_relays = read.holepunch_relays.encoded,
                                  .addresses4 = read.addresses4,
                                  .addresses6 = read.addresses6.encoded,
                                  .relay_addresses = read.relay_addresses,
                                  .relay_through_key = read.relay_through.public_key,
                                  .relay_through_token = read.relay_through.token};
  return HDHT_OK;
}
