/* Any body of any type (the first byte): decoding reads nothing past the end, and what it accepts can be written, in no
 * more bytes than were read, and then means the same and is written the same again. */
#include <stdlib.h>

#include "messages/message_relay.h"

#define MUST(condition)        \
  do {                         \
    if (!(condition)) abort(); \
  } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Bytes of exactly their size, so that a sanitizer sees one written or read beyond. */
static hdht_bytes encoded(const hdht_relay_message *message) {
  size_t size, written;
  MUST(hdht_relay_message_size(message, &size) == HDHT_OK);
  uint8_t *bytes = malloc(size);
  MUST(size == 0 || hdht_relay_message_encode(message, bytes, size - 1, &written) == HDHT_ERR_BUFFER_TOO_SMALL);
  MUST(hdht_relay_message_encode(message, bytes, size, &written) == HDHT_OK && written == size);
  return (hdht_bytes){.data = bytes, .size = size};
}

static void same_chunks(hdht_relay_chunks a, hdht_relay_chunks b) {
  MUST(a.count == b.count);
  hdht_bytes left, right;
  while (hdht_relay_chunks_next(&a, &left)) {
    MUST(hdht_relay_chunks_next(&b, &right) == 1);
    MUST(hd_bytes_equal(left, right));
  }
  MUST(a.count == 0 && b.count == 0);
}

static void same_addresses(hdht_address_list a, hdht_address_list b) {
  MUST(a.count == b.count);
  hdht_address left, right;
  while (hdht_address_list_next(&a, &left)) {
    MUST(hdht_address_list_next(&b, &right) == 1);
    MUST(memcmp(&left, &right, sizeof left) == 0);
  }
  MUST(a.count == 0 && b.count == 0);
}

static void same_lists(const hdht_relay_message *a, const hdht_relay_message *b) {
  switch (a->type) {
    case HDHT_RELAY_DATA: same_chunks(a->body.data.chunks, b->body.data.chunks); break;
    case HDHT_RELAY_SIGN_ANNOUNCE:
    case HDHT_RELAY_SIGN_UNANNOUNCE:
      same_addresses(a->body.sign_announce.relay_addresses, b->body.sign_announce.relay_addresses);
      break;
    default: break;
  }
}

/* The headers of a `data` message with its chunks between them are its encoding. */
static void fuzz_data_headers(hdht_relay_data data, hdht_bytes whole) {
  hd_reader rest = hd_reader_of(whole);
  uint8_t header[HDHT_RELAY_DATA_HEADER_SIZE_MAX];
  hdht_relay_chunks chunks = data.chunks;
  hdht_bytes chunk = {0};
  size_t size;
  const int has_first = hdht_relay_chunks_next(&chunks, &chunk);
  MUST(hdht_relay_data_header_encode(data.alias, data.chunks.count, chunk.size, header, &size) == HDHT_OK);
  for (int more = 1; more; more = has_first && hdht_relay_chunks_next(&chunks, &chunk)) {
    const uint8_t *bytes;
    if (rest.next != whole.data) size = hdht_relay_chunk_header_encode(chunk.size, header);
    MUST(hd_reader_take(&rest, size, &bytes) == HDHT_OK && memcmp(bytes, header, size) == 0);
    MUST(hd_reader_take(&rest, chunk.size, &bytes) == HDHT_OK);
    MUST(hd_bytes_equal(chunk, hd_bytes_of(bytes, chunk.size)));
  }
  MUST(rest.next == rest.end);
}

static void fuzz_announcers(hdht_bytes data) {
  hdht_announcers announcers, again;
  if (hdht_announcers_decode(data, &announcers) != HDHT_OK) return;
  size_t size, written;
  MUST(hdht_announcers_size(&announcers, &size) == HDHT_OK && size <= data.size);
  uint8_t *first = malloc(size), *second = malloc(size);
  MUST(hdht_announcers_encode(&announcers, first, size - 1, &written) == HDHT_ERR_BUFFER_TOO_SMALL);
  MUST(hdht_announcers_encode(&announcers, first, size, &written) == HDHT_OK && written == size);
  MUST(hdht_announcers_decode(hd_bytes_of(first, size), &again) == HDHT_OK);
  MUST(again.peers.count == announcers.peers.count);
  hdht_peer peer, peer_again;
  while (hdht_peer_list_next(&announcers.peers, &peer)) {
    MUST(hdht_peer_list_next(&again.peers, &peer_again) == 1);
    MUST(memcmp(peer.public_key, peer_again.public_key, HDHT_PUBLIC_KEY_SIZE) == 0);
    same_addresses(peer.relay_addresses, peer_again.relay_addresses);
  }
  MUST(announcers.peers.count == 0);
  MUST(hdht_announcers_decode(hd_bytes_of(first, size), &again) == HDHT_OK);
  MUST(hdht_announcers_encode(&again, second, size, &written) == HDHT_OK && written == size);
  MUST(memcmp(first, second, size) == 0);
  free(first);
  free(second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size == 0) return 0;
  const uint32_t type = data[0];
  hd_reader reader = hd_reader_of(hd_bytes_of(data + 1, size - 1));
  hdht_relay_message message, again;
  const int error = hd_messages_read_relay(&reader, type, &message);
  const size_t consumed = (size_t)(reader.next - (data + 1));
  if (error != HDHT_OK) {
    MUST(consumed == 0);
    MUST(error == HDHT_ERR_TRUNCATED || error == HDHT_ERR_TOO_LARGE || error == HDHT_ERR_UNKNOWN_TYPE);
    MUST((error == HDHT_ERR_UNKNOWN_TYPE) == (type >= HDHT_RELAY_TYPES_COUNT));
    return 0;
  }
  MUST(consumed == 0 || hdht_relay_message_decode(type, hd_bytes_of(data + 1, consumed - 1), &again) != HDHT_OK);

  const hdht_bytes first = encoded(&message);
  MUST(first.size <= consumed);
  MUST(hdht_relay_message_decode(type, first, &again) == HDHT_OK);
  same_lists(&message, &again);
  const hdht_bytes second = encoded(&again);
  MUST(hd_bytes_equal(first, second));
  if (type == HDHT_RELAY_DATA) fuzz_data_headers(message.body.data, first);
  if (type == HDHT_RELAY_RESULT) fuzz_announcers(message.body.result.data);
  free((void *)first.data);
  free((void *)second.data);
  return 0;
}
