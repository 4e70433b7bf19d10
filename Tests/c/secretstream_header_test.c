#include "secretstream/secretstream_header.h"

#include <string.h>

#include "test.h"

static void handshake_hash(uint8_t hash[64]) {
  hd_test_hex(
      "390f08b1b078de2c7bb0830c7a8d8c4b4d75e1817adac33c94e4557e24aa5d2c"
      "0b046084f502b481c5e7aa58ef14819c49b4eadbbf42060ddca22f929ced74d2",
      hash, 64);
}

/* Recorded from @hyperswarm/secret-stream. */
TEST(header_is_the_senders_id_and_the_cipher_header) {
  uint8_t hash[64], cipher_header[24], message[56], id[32];
  handshake_hash(hash);
  memset(cipher_header, 0x11, sizeof cipher_header);
  hd_secretstream_header_write(hash, true, cipher_header, message);
  hd_test_hex("1121fab09dbe413ad4859ea6c758e4c50eb6524f22888be130e60b57ea79b762", id, sizeof id);
  CHECK_BYTES(id, message, 32);
  CHECK_BYTES(cipher_header, message + 32, 24);
  hd_secretstream_id(hash, false, id);
  hd_secretstream_header_write(hash, false, cipher_header, message);
  CHECK_BYTES(id, message, 32);
}

TEST(header_must_come_from_the_other_side) {
  uint8_t hash[64], cipher_header[24] = {7}, message[57];
  const uint8_t *read = NULL;
  handshake_hash(hash);
  hd_secretstream_header_write(hash, true, cipher_header, message);
  CHECK_INT(HDHT_OK, hd_secretstream_header_read(hd_bytes_of(message, 56), hash, false, &read));
  CHECK(read == message + 32);
  CHECK_INT(HDHT_ERR_STREAM_HEADER_IDENTITY, hd_secretstream_header_read(hd_bytes_of(message, 56), hash, true, &read));
  CHECK_INT(HDHT_ERR_STREAM_HEADER_LENGTH, hd_secretstream_header_read(hd_bytes_of(message, 55), hash, false, &read));
  CHECK_INT(HDHT_ERR_STREAM_HEADER_LENGTH, hd_secretstream_header_read(hd_bytes_of(message, 57), hash, false, &read));
  message[31] ^= 1;
  CHECK_INT(HDHT_ERR_STREAM_HEADER_IDENTITY, hd_secretstream_header_read(hd_bytes_of(message, 56), hash, false, &read));
}
