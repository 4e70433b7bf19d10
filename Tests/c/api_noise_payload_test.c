#include <hdht/error.h>
#include <hdht/noise_payload.h>
#include <string.h>

#include "test.h"

static hdht_bytes bytes_of(const uint8_t *data, size_t size) {
  return (hdht_bytes){.data = data, .size = size};
}

TEST(a_noise_payload_is_read_as_the_reference_writes_it) {
  uint8_t bytes[20];
  hd_test_hex("011a0001017f00000149c20100fe7452d33b0001", bytes, sizeof bytes);
  hdht_noise_payload payload;
  REQUIRE(hdht_noise_payload_decode(bytes_of(bytes, sizeof bytes), &payload) == HDHT_OK);
  CHECK_INT(1, payload.version);
  CHECK_INT(HDHT_HANDSHAKE_ERROR_NONE, payload.error);
  CHECK_INT(HDHT_NAT_OPEN, payload.nat);
  CHECK_INT(HDHT_NOISE_PAYLOAD_UDX | HDHT_NOISE_PAYLOAD_SECRET_STREAM, payload.parts);
  CHECK_INT(1003704948, payload.udx_id);
  CHECK_INT(1, payload.udx_version);
  CHECK_INT(1, payload.secret_stream_version);
  REQUIRE(payload.addresses4.count == 1);
  hdht_address address;
  REQUIRE(hdht_address_list_next(&payload.addresses4, &address) == 1);
  CHECK_INT(49737, address.port);
  CHECK_INT(127, address.ip[0]);
  CHECK(payload.relay_through_key == NULL);
}

TEST(every_part_of_a_noise_payload_lends_its_bytes) {
  uint8_t bytes[160] = {1, 0x7f, 1, 2};
  uint8_t *next = bytes + 4;
  *next++ = 9; /* hole punching: id, one relay */
  *next++ = 1;
  const uint8_t *relays = next;
  next += 12;
  *next++ = 0; /* no IPv4 address, one IPv6 address */
  *next++ = 1;
  const uint8_t *addresses6 = next;
  next += 18;
  memcpy(next, (uint8_t[]){1, 1, 7, 8}, 4); /* udx: version, features, id, seq */
  next += 4;
  *next++ = 1; /* secret stream */
  *next++ = 1; /* relay through: version, flags, key, token */
  *next++ = 0;
  const uint8_t *key = next;
  next += 64;
  memcpy(next, (uint8_t[]){1, 1, 2, 3, 4, 5, 0}, 7); /* one relay address */
  next += 7;

  hdht_noise_payload payload;
  REQUIRE(hdht_noise_payload_decode(bytes_of(bytes, (size_t)(next - bytes)), &payload) == HDHT_OK);
  CHECK_INT(31, payload.parts);
  CHECK_INT(HDHT_HANDSHAKE_ERROR_ABORTED, payload.error);
  CHECK_INT(HDHT_NAT_CONSISTENT, payload.nat);
  CHECK_INT(9, payload.holepunch_id);
  CHECK(payload.holepunch_relays.data == relays && payload.holepunch_relays.size == 12);
  CHECK(payload.addresses6.data == addresses6 && payload.addresses6.size == 18);
  CHECK_INT(1, payload.is_socket_reusable);
  CHECK_INT(7, payload.udx_id);
  CHECK_INT(8, payload.udx_seq);
  CHECK(payload.relay_through_key == key && payload.relay_through_token == key + 32);
  CHECK_INT(1, payload.relay_addresses.count);
}

TEST(of_another_version_only_the_version_is_read) {
  const uint8_t bytes[] = {2, 0xff};
  hdht_noise_payload payload;
  REQUIRE(hdht_noise_payload_decode(bytes_of(bytes, sizeof bytes), &payload) == HDHT_OK);
  CHECK_INT(2, payload.version);
  CHECK_INT(0, payload.parts);
}

TEST(a_noise_payload_that_is_cut_short_leaves_the_result_alone) {
  const uint8_t bytes[] = {1, 0, 0, 0};
  hdht_noise_payload payload = {.version = 77};
  for (size_t size = 0; size < sizeof bytes; size++) {
    CHECK_INT(HDHT_ERR_TRUNCATED, hdht_noise_payload_decode(bytes_of(bytes, size), &payload));
  }
  CHECK_INT(77, payload.version);
  CHECK_INT(HDHT_ERR_INVALID_ARGUMENT, hdht_noise_payload_decode(bytes_of(NULL, 1), &payload));
  CHECK_INT(HDHT_ERR_INVALID_ARGUMENT, hdht_noise_payload_decode(bytes_of(bytes, sizeof bytes), NULL));
}
