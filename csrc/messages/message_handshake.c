#include "messages/message_handshake.h"

#include "messages/message_fields.h"

enum { HAS_PEER_ADDRESS = 1, HAS_RELAY_ADDRESS = 2 };

int hd_messages_read_handshake(hd_reader *reader, hd_messages_handshake *handshake) {
  hd_messages_input input = hd_messages_input_of(reader);
  hd_messages_handshake found = {0};
  const uint64_t flags = hd_messages_take_uint(&input);
  found.mode = hd_messages_take_mode(&input);
  found.noise = hd_messages_take_buffer(&input);
  if (flags & HAS_PEER_ADDRESS) found.peer_address = hd_messages_take_address(&input);
  if (flags & HAS_RELAY_ADDRESS) found.relay_address = hd_messages_take_address(&input);

  const int error = hd_messages_input_end(&input, reader);
  if (error == HDHT_OK) *handshake = found;
  return error;
}

static void put_handshake(hd_messages_output *output, const hd_messages_handshake *handshake) {
  const bool has_peer = !hd_address_is_none(&handshake->peer_address);
  const bool has_relay = !hd_address_is_none(&handshake->relay_address);
  hd_messages_put_uint(output, (has_peer ? HAS_PEER_ADDRESS : 0U) | (has_relay ? HAS_RELAY_ADDRESS : 0U));
  hd_messages_put_uint(output, handshake->mode);
  hd_messages_put_buffer(output, handshake->noise);
  if (has_peer) hd_messages_put_address(output, &handshake->peer_address);
  if (has_relay) hd_messages_put_address(output, &handshake->relay_address);
}
HD_MESSAGES_WRITER(handshake)
