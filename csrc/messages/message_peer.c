#include "messages/message_peer.h"

#include "codec/compact_address.h"
#include "codec/compact_bytes.h"

_Static_assert(HDHT_LIST_LIMIT == HD_CODEC_ARRAY_LIMIT, "one limit for every list");
_Static_assert(sizeof(void *) != 8 || sizeof(hdht_address_list) == 32, "public layout");
_Static_assert(sizeof(void *) != 8 || sizeof(hdht_peer) == 40, "public layout");
_Static_assert(sizeof(void *) != 8 || sizeof(hdht_peer_list) == 32, "public layout");
_Static_assert(sizeof(void *) != 8 || sizeof(hdht_contact) == 40, "public layout");
_Static_assert(sizeof(void *) != 8 || sizeof(hdht_announcers) == 120, "public layout");

/* Addresses. */

int hd_messages_read_addresses(hd_reader *reader, hdht_address_list *list) {
  hd_reader attempt = *reader;
  size_t count;
  const int error = hd_codec_read_array_count(&attempt, HD_CODEC_IPV4_ADDRESS_SIZE, &count);
  if (error != HDHT_OK) return error;
  const size_t size = count * HD_CODEC_IPV4_ADDRESS_SIZE; /* read_array_count has seen that as many bytes remain */
  *list = (hdht_address_list){.encoded = hd_bytes_of(attempt.next, size), .count = count};
  reader->next = attempt.next + size;
  return HDHT_OK;
}

int hdht_address_list_next(hdht_address_list *list, hdht_address *address) {
  if (list->count == 0) return 0;
  if (list->array != NULL) {
    *address = *list->array++;
  } else {
    hd_reader reader = hd_reader_of(list->encoded);
    if (hd_codec_read_ipv4_address(&reader, address) != HDHT_OK) return 0;
    list->encoded = hd_reader_take_rest(&reader);
  }
  list->count--;
  return 1;
}

int hd_messages_addresses_size(const hdht_address_list *list, size_t *size) {
  if (list->count > HDHT_LIST_LIMIT) return HDHT_ERR_TOO_LARGE;
  hdht_address_list rest = *list;
  hdht_address address;
  while (hdht_address_list_next(&rest, &address)) {
    if (address.family != HDHT_FAMILY_IPV4) return HDHT_ERR_INVALID_ARGUMENT;
  }
  if (rest.count != 0) return HDHT_ERR_INVALID_ARGUMENT;
  *size = hd_codec_uint_size(list->count) + list->count * HD_CODEC_IPV4_ADDRESS_SIZE;
  return HDHT_OK;
}

int hd_messages_write_addresses(hd_writer *writer, const hdht_address_list *list) {
  hd_writer attempt = *writer;
  hdht_address_list rest = *list;
  hdht_address address;
  int error = hd_codec_write_array_count(&attempt, list->count);
  while (error == HDHT_OK && hdht_address_list_next(&rest, &address)) {
    error = hd_codec_write_ipv4_address(&attempt, &address);
  }
  if (error != HDHT_OK) return error;
  if (rest.count != 0) return HDHT_ERR_INVALID_ARGUMENT;
  *writer = attempt;
  return HDHT_OK;
}

/* One peer. */

int hd_messages_read_peer(hd_reader *reader, hdht_peer *peer) {
  hd_reader attempt = *reader;
  hdht_peer found;
  int error = hd_reader_take(&attempt, HDHT_PUBLIC_KEY_SIZE, &found.public_key);
  if (error == HDHT_OK) error = hd_messages_read_addresses(&attempt, &found.relay_addresses);
  if (error != HDHT_OK) return error;
  *peer = found;
  *reader = attempt;
  return HDHT_OK;
}

int hd_messages_peer_size(const hdht_peer *peer, size_t *size) {
  if (peer->public_key == NULL) return HDHT_ERR_INVALID_ARGUMENT;
  size_t addresses_size;
  const int error = hd_messages_addresses_size(&peer->relay_addresses, &addresses_size);
  if (error == HDHT_OK) *size = HDHT_PUBLIC_KEY_SIZE + addresses_size;
  return error;
}

int hd_messages_write_peer(hd_writer *writer, const hdht_peer *peer) {
  if (peer->public_key == NULL) return HDHT_ERR_INVALID_ARGUMENT;
  hd_writer attempt = *writer;
  int error = hd_writer_put(&attempt, peer->public_key, HDHT_PUBLIC_KEY_SIZE);
  if (error == HDHT_OK) error = hd_messages_write_addresses(&attempt, &peer->relay_addresses);
  if (error == HDHT_OK) *writer = attempt;
  return error;
}

/* Several peers. */

int hd_messages_read_peers(hd_reader *reader, hdht_peer_list *list) {
  hd_reader attempt = *reader;
  size_t count = 0;
  int error = hd_codec_read_array_count(&attempt, HD_MESSAGES_PEER_SIZE_MIN, &count);
  const uint8_t *first = attempt.next;
  for (size_t i = 0; i < count && error == HDHT_OK; i++) {
    hdht_peer peer;
    error = hd_messages_read_peer(&attempt, &peer);
  }
  if (error != HDHT_OK) return error;
  *list = (hdht_peer_list){.encoded = hd_bytes_of(first, (size_t)(attempt.next - first)), .count = count};
  *reader = attempt;
  return HDHT_OK;
}

int hdht_peer_list_next(hdht_peer_list *list, hdht_peer *peer) {
  if (list->count == 0) return 0;
  if (list->array != NULL) {
    *peer = *list->array++;
  } else {
    hd_reader reader = hd_reader_of(list->encoded);
    if (hd_messages_read_peer(&reader, peer) != HDHT_OK) return 0;
    list->encoded = hd_reader_take_rest(&reader);
  }
  list->count--;
  return 1;
}

int hd_messages_peers_size(const hdht_peer_list *list, size_t *size) {
  if (list->count > HDHT_LIST_LIMIT) return HDHT_ERR_TOO_LARGE;
  size_t sum = hd_codec_uint_size(list->count);
  hdht_peer_list rest = *list;
  hdht_peer peer;
  while (hdht_peer_list_next(&rest, &peer)) {
    size_t peer_size;
    const int error = hd_messages_peer_size(&peer, &peer_size);
    if (error != HDHT_OK) return error;
    sum += peer_size;
  }
  if (rest.count != 0) return HDHT_ERR_INVALID_ARGUMENT;
  *size = sum;
  return HDHT_OK;
}

int hd_messages_write_peers(hd_writer *writer, const hdht_peer_list *list) {
  hd_writer attempt = *writer;
  hdht_peer_list rest = *list;
  hdht_peer peer;
  int error = hd_codec_write_array_count(&attempt, list->count);
  while (error == HDHT_OK && hdht_peer_list_next(&rest, &peer)) error = hd_messages_write_peer(&attempt, &peer);
  if (error != HDHT_OK) return error;
  if (rest.count != 0) return HDHT_ERR_INVALID_ARGUMENT;
  *writer = attempt;
  return HDHT_OK;
}

/* Contacts. */

int hd_messages_read_contact(hd_reader *reader, hdht_contact *contact) {
  hd_reader attempt = *reader;
  hdht_contact found;
  int error = hd_codec_read_buffer(&attempt, &found.id);
  if (error == HDHT_OK) error = hd_codec_read_ipv4_address(&attempt, &found.address);
  if (error != HDHT_OK) return error;
  *contact = found;
  *reader = attempt;
  return HDHT_OK;
}

static bool contact_is_valid(const hdht_contact *contact) {
  return contact->address.family == HDHT_FAMILY_IPV4 && (contact->id.data != NULL || contact->id.size == 0);
}

int hd_messages_contact_size(const hdht_contact *contact, size_t *size) {
  if (!contact_is_valid(contact)) return HDHT_ERR_INVALID_ARGUMENT;
  *size = hd_codec_buffer_size(contact->id) + HD_CODEC_IPV4_ADDRESS_SIZE;
  return HDHT_OK;
}

int hd_messages_write_contact(hd_writer *writer, const hdht_contact *contact) {
  if (!contact_is_valid(contact)) return HDHT_ERR_INVALID_ARGUMENT;
  hd_writer attempt = *writer;
  int error = hd_codec_write_buffer(&attempt, contact->id);
  if (error == HDHT_OK) error = hd_codec_write_ipv4_address(&attempt, &contact->address);
  if (error == HDHT_OK) *writer = attempt;
  return error;
}

/* Announcers. */

int hd_messages_read_announcers(hd_reader *reader, hdht_announcers *announcers) {
  hd_reader attempt = *reader;
  hdht_announcers found;
  int error = hd_reader_take(&attempt, HDHT_TOKEN_SIZE, &found.token);
  if (error == HDHT_OK) error = hd_messages_read_contact(&attempt, &found.from);
  if (error == HDHT_OK) error = hd_messages_read_contact(&attempt, &found.to);
  if (error == HDHT_OK) error = hd_messages_read_peers(&attempt, &found.peers);
  if (error != HDHT_OK) return error;
  *announcers = found;
  *reader = attempt;
  return HDHT_OK;
}

int hd_messages_announcers_size(const hdht_announcers *announcers, size_t *size) {
  if (announcers->token == NULL) return HDHT_ERR_INVALID_ARGUMENT;
  size_t from_size, to_size, peers_size;
  int error = hd_messages_contact_size(&announcers->from, &from_size);
  if (error == HDHT_OK) error = hd_messages_contact_size(&announcers->to, &to_size);
  if (error == HDHT_OK) error = hd_messages_peers_size(&announcers->peers, &peers_size);
  if (error == HDHT_OK) *size = HDHT_TOKEN_SIZE + from_size + to_size + peers_size;
  return error;
}

int hd_messages_write_announcers(hd_writer *writer, const hdht_announcers *announcers) {
  if (announcers->token == NULL) return HDHT_ERR_INVALID_ARGUMENT;
  hd_writer attempt = *writer;
  int error = hd_writer_put(&attempt, announcers->token, HDHT_TOKEN_SIZE);
  if (error == HDHT_OK) error = hd_messages_write_contact(&attempt, &announcers->from);
  if (error == HDHT_OK) error = hd_messages_write_contact(&attempt, &announcers->to);
  if (error == HDHT_OK) error = hd_messages_write_peers(&attempt, &announcers->peers);
  if (error == HDHT_OK) *writer = attempt;
  return error;
}

int hdht_announcers_decode(hdht_bytes data, hdht_announcers *announcers) {
  hd_reader reader = hd_reader_of(data);
  return hd_messages_read_announcers(&reader, announcers);
}

int hdht_announcers_size(const hdht_announcers *announcers, size_t *size) {
  return hd_messages_announcers_size(announcers, size);
}

int hdht_announcers_encode(const hdht_announcers *announcers, uint8_t *buffer, size_t capacity, size_t *size) {
  size_t needed;
  const int error = hd_messages_announcers_size(announcers, &needed);
  if (error != HDHT_OK) return error;
  if (needed > capacity) return HDHT_ERR_BUFFER_TOO_SMALL;
  hd_writer writer = hd_writer_of(buffer, needed);
  const int written = hd_messages_write_announcers(&writer, announcers);
  hd_assert(written == HDHT_OK && writer.next == writer.end);
  *size = needed;
  return HDHT_OK;
}
