#include "vectors_values.h"

#include "base/address_text.h"

hd_bytes hd_vector_bytes(const hd_json *text) {
  size_t size;
  const uint8_t *bytes = hd_vector_hex(text, &size);
  return hd_bytes_of(bytes, size);
}

const uint8_t *hd_vector_fixed(const hd_json *text, size_t size) {
  const hd_bytes bytes = hd_vector_bytes(text);
  if (bytes.data != NULL) VECTOR_CHECK(bytes.size == size);
  return bytes.data;
}

hd_address hd_vector_address(const hd_json *value) {
  hd_address address = {0};
  if (value == NULL || value->kind == HD_JSON_NULL) return address;
  VECTOR_CHECK(hd_address_parse_host(hd_json_text(value, "host", ""), &address) == HDHT_OK);
  address.port = (uint16_t)hd_json_integer(value, "port", 0);
  return address;
}

const hd_address *hd_vector_addresses(const hd_json *values, size_t *count) {
  *count = hd_json_count(values);
  if (values == NULL || values->kind == HD_JSON_NULL) return NULL;
  hd_address *addresses = hd_vector_scratch(*count * sizeof *addresses);
  size_t i = 0;
  HD_JSON_EACH(value, values) addresses[i++] = hd_vector_address(value);
  return addresses;
}

hdht_address_list hd_vector_address_list(const hd_json *values) {
  hdht_address_list list = {0};
  list.array = hd_vector_addresses(values, &list.count);
  return list;
}

hdht_peer hd_vector_peer(const hd_json *value) {
  return (hdht_peer){.public_key = hd_vector_fixed(hd_json_get(value, "publicKey"), HDHT_PUBLIC_KEY_SIZE),
                     .relay_addresses = hd_vector_address_list(hd_json_get(value, "relayAddresses"))};
}
