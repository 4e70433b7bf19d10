#include "messages/message_holepunch.h"

#include "crypto/namespace.h"
#include "messages/message_fields.h"

enum { HAS_PEER_ADDRESS = 1 };

enum {
  IS_CONNECTED = 1,
  IS_PUNCHING = 2,
  HAS_ADDRESSES = 4,
  HAS_REMOTE_ADDRESS = 8,
  HAS_TOKEN = 16,
  HAS_REMOTE_TOKEN = 32,
};

/* The message. */

int hd_messages_read_holepunch(hd_reader *reader, hd_messages_holepunch *holepunch) {
  hd_messages_input input = hd_messages_input_of(reader);
  hd_messages_holepunch found = {0};
  const uint64_t flags = hd_messages_take_uint(&input);
  found.mode = hd_messages_take_mode(&input);
  found.id = hd_messages_take_uint(&input);
  found.payload = hd_messages_take_buffer(&input);
  if (flags & HAS_PEER_ADDRESS) found.peer_address = hd_messages_take_address(&input);

  const int error = hd_messages_input_end(&input, reader);
  if (error == HDHT_OK) *holepunch = found;
  return error;
}

static void put_holepunch(hd_messages_output *output, const hd_messages_holepunch *holepunch) {
  const bool has_peer = !hd_address_is_none(&holepunch->peer_address);
  hd_messages_put_uint(output, has_peer ? HAS_PEER_ADDRESS : 0U);
  hd_messages_put_uint(output, holepunch->mode);
  hd_messages_put_uint(output, holepunch->id);
  hd_messages_put_buffer(output, holepunch->payload);
  if (has_peer) hd_messages_put_address(output, &holepunch->peer_address);
}
HD_MESSAGES_WRITER(holepunch)

/* The payload. */

int hd_messages_read_holepunch_payload(hd_reader *reader, hd_messages_holepunch_payload *payload) {
  hd_messages_input input = hd_messages_input_of(reader);
  const uint64_t flags = hd_messages_take_uint(&input);
  hd_messages_holepunch_payload found = {
      .is_connected = flags & IS_CONNECTED, .is_punching = flags & IS_PUNCHING, .has_addresses = flags & HAS_ADDRESSES};
  found.error = hd_messages_take_uint(&input);
  found.nat = hd_messages_take_uint(&input);
  found.round = hd_messages_take_uint(&input);
  if (found.has_addresses) found.addresses = hd_messages_take_addresses(&input);
  if (flags & HAS_REMOTE_ADDRESS) found.remote_address = hd_messages_take_address(&input);
  found.token = hd_messages_take_fixed_if(&input, flags & HAS_TOKEN, HDHT_TOKEN_SIZE);
  found.remote_token = hd_messages_take_fixed_if(&input, flags & HAS_REMOTE_TOKEN, HDHT_TOKEN_SIZE);

  const int error = hd_messages_input_end(&input, reader);
  if (error == HDHT_OK) *payload = found;
  return error;
}

static void put_holepunch_payload(hd_messages_output *output, const hd_messages_holepunch_payload *payload) {
  const bool has_remote = !hd_address_is_none(&payload->remote_address);
  hd_messages_put_uint(output, (payload->is_connected ? IS_CONNECTED : 0U) | (payload->is_punching ? IS_PUNCHING : 0U) |
                                   (payload->has_addresses ? HAS_ADDRESSES : 0U) |
                                   (has_remote ? HAS_REMOTE_ADDRESS : 0U) | (payload->token != NULL ? HAS_TOKEN : 0U) |
                                   (payload->remote_token != NULL ? HAS_REMOTE_TOKEN : 0U));
  hd_messages_put_uint(output, payload->error);
  hd_messages_put_uint(output, payload->nat);
  hd_messages_put_uint(output, payload->round);
  if (payload->has_addresses) hd_messages_put_addresses(output, &payload->addresses);
  if (has_remote) hd_messages_put_address(output, &payload->remote_address);
  hd_messages_put_fixed_if(output, payload->token, HDHT_TOKEN_SIZE);
  hd_messages_put_fixed_if(output, payload->remote_token, HDHT_TOKEN_SIZE);
}
HD_MESSAGES_WRITER(holepunch_payload)

/* Its encryption. */

void hd_messages_holepunch_secret(const uint8_t handshake_hash[HDHT_HANDSHAKE_HASH_SIZE],
                                  uint8_t secret[HD_BOX_KEY_SIZE]) {
  hd_namespace_keyed(handshake_hash, hd_namespace_peer_holepunch, secret);
}

int hd_messages_seal_holepunch_payload(hd_writer *writer, const hd_messages_holepunch_payload *payload,
                                       const uint8_t secret[HD_BOX_KEY_SIZE], const uint8_t nonce[HD_BOX_NONCE_SIZE]) {
  size_t size;
  int error = hd_messages_holepunch_payload_size(payload, &size);
  uint8_t *space;
  if (error == HDHT_OK) error = hd_writer_reserve(writer, HD_MESSAGES_HOLEPUNCH_OVERHEAD + size, &space);
  if (error != HDHT_OK) return error;

  memcpy(space, nonce, HD_BOX_NONCE_SIZE);
  uint8_t *plaintext = space + HD_MESSAGES_HOLEPUNCH_OVERHEAD;
  hd_writer inner = hd_writer_of(plaintext, size);
  error = hd_messages_write_holepunch_payload(&inner, payload);
  hd_assert(error == HDHT_OK);
  hd_box_seal(secret, nonce, hd_bytes_of(plaintext, size), space + HD_BOX_NONCE_SIZE);
  return HDHT_OK;
}

int hd_messages_open_holepunch_payload(hd_bytes sealed, const uint8_t secret[HD_BOX_KEY_SIZE], uint8_t *plaintext,
                                       size_t capacity, hd_messages_holepunch_payload *payload) {
  if (sealed.size <= HD_MESSAGES_HOLEPUNCH_OVERHEAD) return HDHT_ERR_DECRYPTION;
  const size_t size = sealed.size - HD_MESSAGES_HOLEPUNCH_OVERHEAD;
  if (size > capacity) return HDHT_ERR_BUFFER_TOO_SMALL;
  const hd_bytes box = hd_bytes_of(sealed.data + HD_BOX_NONCE_SIZE, sealed.size - HD_BOX_NONCE_SIZE);
  const int error = hd_box_open(secret, sealed.data, box, plaintext);
  if (error != HDHT_OK) return error;
  hd_reader reader = hd_reader_of(hd_bytes_of(plaintext, size));
  return hd_messages_read_holepunch_payload(&reader, payload);
}
