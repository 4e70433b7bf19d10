#include "messages/message_fields.h"

void hd_messages_put_addresses(hd_messages_output *output, const hdht_address_list *list) {
  if (output->is_storing) {
    const int error = hd_messages_write_addresses(&output->writer, list);
    hd_assert(error == HDHT_OK);
    return;
  }
  size_t size = 0;
  const int error = hd_messages_addresses_size(list, &size);
  if (error != HDHT_OK) hd_messages_output_fail(output, error);
  output->size += size;
}

void hd_messages_put_peer(hd_messages_output *output, const hdht_peer *peer) {
  hd_messages_put_required(output, peer->public_key, HDHT_PUBLIC_KEY_SIZE);
  hd_messages_put_addresses(output, &peer->relay_addresses);
}

void hd_messages_put_peers(hd_messages_output *output, const hdht_peer_list *list) {
  if (output->is_storing) {
    const int error = hd_messages_write_peers(&output->writer, list);
    hd_assert(error == HDHT_OK);
    return;
  }
  size_t size = 0;
  const int error = hd_messages_peers_size(list, &size);
  if (error != HDHT_OK) hd_messages_output_fail(output, error);
  output->size += size;
}

int hd_messages_output_store(hd_messages_output *output, hd_writer *writer) {
  if (output->error != HDHT_OK) return output->error;
  uint8_t *space;
  const int error = hd_writer_reserve(writer, output->size, &space);
  if (error != HDHT_OK) return error;
  *output = (hd_messages_output){.writer = hd_writer_of(space, output->size), .is_storing = true};
  return HDHT_OK;
}
