#include "messages/message_noise_payload.h"

#include "messages/message_fields.h"

#define RELAY_SIZE (2 * HD_CODEC_IPV4_ADDRESS_SIZE)

enum {
  HAS_HOLEPUNCH = 1,
  HAS_ADDRESSES4 = 2,
  HAS_ADDRESSES6 = 4,
  HAS_UDX = 8,
  HAS_SECRET_STREAM = 16,
  HAS_RELAY_THROUGH = 32,
  HAS_RELAY_ADDRESSES = 64,
};

enum { UDX_REUSABLE_SOCKET = 1 };

/* An array whose elements have a fixed size; lends its bytes. */
static hd_bytes take_array(hd_messages_input *input, size_t element_size, size_t *count) {
  const int error = hd_codec_read_array_count(&input->reader, element_size, count);
  if (error != HDHT_OK) {
    hd_messages_input_fail(input, error);
    return (hd_bytes){0};
  }
  const size_t size = *count * element_size;
  return hd_bytes_of(hd_messages_take_fixed(input, size), size);
}

static hd_messages_udx_info take_udx(hd_messages_input *input) {
  hd_messages_udx_info udx = {.version = hd_messages_take_uint(input)};
  udx.is_socket_reusable = hd_messages_take_uint(input) & UDX_REUSABLE_SOCKET;
  udx.id = hd_messages_take_uint32(input);
  udx.seq = hd_messages_take_uint32(input);
  return udx;
}

static hd_messages_relay_through take_relay_through(hd_messages_input *input) {
  hd_messages_relay_through relay = {.version = hd_messages_take_uint(input)};
  (void)hd_messages_take_uint(input); /* flags; none is defined */
  relay.public_key = hd_messages_take_fixed(input, HDHT_PUBLIC_KEY_SIZE);
  relay.token = hd_messages_take_fixed(input, HDHT_TOKEN_SIZE);
  return relay;
}

static void take_parts(hd_messages_input *input, hd_messages_noise_payload *payload) {
  const uint64_t flags = hd_messages_take_uint(input);
  payload->error = hd_messages_take_uint(input);
  payload->nat = hd_messages_take_uint(input);
  payload->has_holepunch = flags & HAS_HOLEPUNCH;
  payload->has_udx = flags & HAS_UDX;
  payload->has_secret_stream = flags & HAS_SECRET_STREAM;
  payload->has_relay_through = flags & HAS_RELAY_THROUGH;
  payload->has_relay_addresses = flags & HAS_RELAY_ADDRESSES;
  if (payload->has_holepunch) {
    payload->holepunch_id = hd_messages_take_uint(input);
    payload->holepunch_relays.encoded = take_array(input, RELAY_SIZE, &payload->holepunch_relays.count);
  }
  if (flags & HAS_ADDRESSES4) payload->addresses4 = hd_messages_take_addresses(input);
  if (flags & HAS_ADDRESSES6) {
    payload->addresses6.encoded = take_array(input, HD_CODEC_IPV6_ADDRESS_SIZE, &payload->addresses6.count);
  }
  if (payload->has_udx) payload->udx = take_udx(input);
  if (payload->has_secret_stream) payload->secret_stream_version = hd_messages_take_uint(input);
  if (payload->has_relay_through) payload->relay_through = take_relay_through(input);
  if (payload->has_relay_addresses) payload->relay_addresses = hd_messages_take_addresses(input);
}

int hd_messages_read_noise_payload(hd_reader *reader, hd_messages_noise_payload *payload) {
  hd_messages_input input = hd_messages_input_of(reader);
  hd_messages_noise_payload found = {.version = hd_messages_take_uint(&input)};
  if (found.version == HD_MESSAGES_NOISE_PAYLOAD_VERSION) take_parts(&input, &found);

  const int error = hd_messages_input_end(&input, reader);
  if (error == HDHT_OK) *payload = found;
  return error;
}

static void put_relays(hd_messages_output *output, const hd_messages_relay_list *list) {
  if (list->count > HDHT_LIST_LIMIT) {
    hd_messages_output_fail(output, HDHT_ERR_TOO_LARGE);
    return;
  }
  hd_messages_put_uint(output, list->count);
  hd_messages_relay_list rest = *list;
  hd_messages_relay relay;
  while (hd_messages_relay_list_next(&rest, &relay)) {
    hd_messages_put_address(output, &relay.relay_address);
    hd_messages_put_address(output, &relay.peer_address);
  }
}

static void put_ipv6_address(hd_messages_output *output, const hd_address *address) {
  uint8_t *space = hd_messages_put_space(output, HD_CODEC_IPV6_ADDRESS_SIZE);
  if (hd_address_is_none(address)) hd_messages_output_fail(output, HDHT_ERR_INVALID_ARGUMENT);
  if (space == NULL) return;
  hd_writer writer = hd_writer_of(space, HD_CODEC_IPV6_ADDRESS_SIZE);
  const int error = hd_codec_write_ipv6_address(&writer, address);
  hd_assert(error == HDHT_OK);
}

static void put_ipv6_addresses(hd_messages_output *output, const hd_messages_ipv6_list *list) {
  if (list->count > HDHT_LIST_LIMIT) {
    hd_messages_output_fail(output, HDHT_ERR_TOO_LARGE);
    return;
  }
  hd_messages_put_uint(output, list->count);
  hd_messages_ipv6_list rest = *list;
  hd_address address;
  while (hd_messages_ipv6_list_next(&rest, &address)) put_ipv6_address(output, &address);
}

static void put_udx(hd_messages_output *output, const hd_messages_udx_info *udx) {
  hd_messages_put_uint(output, HD_MESSAGES_NOISE_PAYLOAD_VERSION);
  hd_messages_put_uint(output, udx->is_socket_reusable ? UDX_REUSABLE_SOCKET : 0);
  hd_messages_put_uint(output, udx->id);
  hd_messages_put_uint(output, udx->seq);
}

static void put_relay_through(hd_messages_output *output, const hd_messages_relay_through *relay) {
  hd_messages_put_uint(output, HD_MESSAGES_NOISE_PAYLOAD_VERSION);
  hd_messages_put_uint(output, 0); /* flags */
  hd_messages_put_required(output, relay->public_key, HDHT_PUBLIC_KEY_SIZE);
  hd_messages_put_required(output, relay->token, HDHT_TOKEN_SIZE);
}

static void put_noise_payload(hd_messages_output *output, const hd_messages_noise_payload *payload) {
  const bool has_addresses4 = payload->addresses4.count > 0, has_addresses6 = payload->addresses6.count > 0;
  hd_messages_put_uint(output, HD_MESSAGES_NOISE_PAYLOAD_VERSION);
  hd_messages_put_uint(output, (payload->has_holepunch ? HAS_HOLEPUNCH : 0U) | (has_addresses4 ? HAS_ADDRESSES4 : 0U) |
                                   (has_addresses6 ? HAS_ADDRESSES6 : 0U) | (payload->has_udx ? HAS_UDX : 0U) |
                                   (payload->has_secret_stream ? HAS_SECRET_STREAM : 0U) |
                                   (payload->has_relay_through ? HAS_RELAY_THROUGH : 0U) |
                                   (payload->has_relay_addresses ? HAS_RELAY_ADDRESSES : 0U));
  hd_messages_put_uint(output, payload->error);
  hd_messages_put_uint(output, payload->nat);
  if (payload->has_holepunch) {
    hd_messages_put_uint(output, payload->holepunch_id);
    put_relays(output, &payload->holepunch_relays);
  }
  if (has_addresses4) hd_messages_put_addresses(output, &payload->addresses4);
  if (has_addresses6) put_ipv6_addresses(output, &payload->addresses6);
  if (payload->has_udx) put_udx(output, &payload->udx);
  if (payload->has_secret_stream) hd_messages_put_uint(output, HD_MESSAGES_NOISE_PAYLOAD_VERSION);
  if (payload->has_relay_through) put_relay_through(output, &payload->relay_through);
  if (payload->has_relay_addresses) hd_messages_put_addresses(output, &payload->relay_addresses);
}
HD_MESSAGES_WRITER(noise_payload)

bool hd_messages_relay_list_next(hd_messages_relay_list *list, hd_messages_relay *relay) {
  if (list->count == 0) return false;
  list->count--;
  if (list->array != NULL) {
    *relay = *list->array++;
    return true;
  }
  hd_messages_relay found;
  hd_reader reader = hd_reader_of(list->encoded);
  int error = hd_codec_read_ipv4_address(&reader, &found.relay_address);
  if (error == HDHT_OK) error = hd_codec_read_ipv4_address(&reader, &found.peer_address);
  hd_assert(error == HDHT_OK);
  *relay = found;
  list->encoded = hd_reader_take_rest(&reader);
  return true;
}

bool hd_messages_ipv6_list_next(hd_messages_ipv6_list *list, hd_address *address) {
  if (list->count == 0) return false;
  list->count--;
  if (list->array != NULL) {
    *address = *list->array++;
    return true;
  }
  hd_reader reader = hd_reader_of(list->encoded);
  const int error = hd_codec_read_ipv6_address(&reader, address);
  hd_assert(error == HDHT_OK);
  list->encoded = hd_reader_take_rest(&reader);
  return true;
}
