#include "messages/message_record.h"

#include <string.h>

#include "codec/compact_uint.h"
#include "test.h"

static hd_key_pair server_pair(void) {
  uint8_t seed[HD_SEED_SIZE];
  memset(seed, 0x11, sizeof seed);
  hd_key_pair key_pair;
  hd_key_pair_from_seed(&key_pair, seed);
  return key_pair;
}

TEST(mutable_record_matches_the_worked_example) {
  const hd_key_pair key_pair = server_pair();
  const hd_bytes value = hd_bytes_of("hi", 2);
  uint8_t signature[HD_SIGNATURE_SIZE], bytes[128], expected[128];
  hd_messages_sign_mutable(3, value, key_pair.secret_key, signature);
  const hd_messages_mutable_put put = {
      .public_key = key_pair.public_key, .seq = 3, .value = value, .signature = signature};
  hd_writer writer = hd_writer_of(bytes, sizeof bytes);
  REQUIRE(hd_messages_write_mutable_put(&writer, &put) == HDHT_OK);
  const size_t size = hd_test_hex(
      "d04ab232742bb4ab3a1368bd4615e4e6d0224ab71a016baf8520a332c9778737030268 69"
      "839a330653272e71474dd735c10370df5fa5a9a42dd742843156b495f83e157a"
      "5c02559bff61ada6b52c50c085aa585b8ddd0c61f0a5ebcdfca1babdb5377301",
      expected, sizeof expected);
  CHECK_UINT(size, writer.next - bytes);
  CHECK_BYTES(expected, bytes, size);
}

TEST(mutable_signature_covers_sequence_number_and_value) {
  const hd_key_pair key_pair = server_pair();
  uint8_t signature[HD_SIGNATURE_SIZE];
  hd_messages_sign_mutable(252, hd_bytes_of("a", 1), key_pair.secret_key, signature);
  CHECK_INT(HDHT_OK, hd_messages_verify_mutable(key_pair.public_key, 252, hd_bytes_of("a", 1), signature));
  CHECK_INT(HDHT_ERR_BAD_SIGNATURE,
            hd_messages_verify_mutable(key_pair.public_key, 253, hd_bytes_of("a", 1), signature));
  CHECK_INT(HDHT_ERR_BAD_SIGNATURE,
            hd_messages_verify_mutable(key_pair.public_key, 252, hd_bytes_of("b", 1), signature));
  CHECK_INT(HDHT_ERR_BAD_SIGNATURE, hd_messages_verify_mutable(key_pair.public_key, 252, (hd_bytes){0}, signature));
}

TEST(sequence_number_ends_at_the_largest_safe_integer) {
  uint8_t bytes[16];
  hd_messages_mutable_get get = {.seq_min = HD_CODEC_SAFE_INTEGER_MAX};
  hd_writer writer = hd_writer_of(bytes, sizeof bytes);
  REQUIRE(hd_messages_write_mutable_get(&writer, &get) == HDHT_OK);
  hd_reader reader = hd_reader_of(hd_bytes_of(bytes, 9));
  CHECK_INT(HDHT_OK, hd_messages_read_mutable_get(&reader, &get));
  CHECK_UINT(HD_CODEC_SAFE_INTEGER_MAX, get.seq_min);

  get.seq_min++;
  CHECK_INT(HDHT_ERR_INVALID_ARGUMENT, hd_messages_write_mutable_get(&writer, &get));
  hd_test_hex("ff00000000000020 00", bytes, sizeof bytes);
  reader = hd_reader_of(hd_bytes_of(bytes, 9));
  CHECK_INT(HDHT_ERR_MALFORMED, hd_messages_read_mutable_get(&reader, &get));
  reader = hd_reader_of((hd_bytes){0});
  CHECK_INT(HDHT_ERR_TRUNCATED, hd_messages_read_mutable_get(&reader, &get));
}

TEST(record_without_key_or_signature_is_not_written) {
  const uint8_t key[HD_PUBLIC_KEY_SIZE] = {0}, signature[HD_SIGNATURE_SIZE] = {0};
  uint8_t bytes[128];
  hd_writer writer = hd_writer_of(bytes, sizeof bytes);
  const hd_messages_mutable_put keyless = {.signature = signature}, unsigned_put = {.public_key = key};
  const hd_messages_mutable_found unsigned_found = {.seq = 1};
  CHECK_INT(HDHT_ERR_INVALID_ARGUMENT, hd_messages_write_mutable_put(&writer, &keyless));
  CHECK_INT(HDHT_ERR_INVALID_ARGUMENT, hd_messages_write_mutable_put(&writer, &unsigned_put));
  CHECK_INT(HDHT_ERR_INVALID_ARGUMENT, hd_messages_write_mutable_found(&writer, &unsigned_found));
  CHECK(writer.next == bytes);
}

TEST(found_record_needs_its_whole_signature) {
  uint8_t bytes[67] = {1, 1, 'v'};
  hd_messages_mutable_found found = {.seq = 9};
  hd_reader reader = hd_reader_of(hd_bytes_of(bytes, sizeof bytes - 1));
  CHECK_INT(HDHT_ERR_TRUNCATED, hd_messages_read_mutable_found(&reader, &found));
  CHECK_UINT(9, found.seq);
  reader = hd_reader_of(hd_bytes_of(bytes, sizeof bytes));
  CHECK_INT(HDHT_OK, hd_messages_read_mutable_found(&reader, &found));
  CHECK(found.signature == bytes + 3);
}
