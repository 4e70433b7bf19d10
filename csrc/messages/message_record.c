#include "messages/message_record.h"

#include "crypto/namespace.h"
#include "messages/message_fields.h"

int hd_messages_read_mutable_put(hd_reader *reader, hd_messages_mutable_put *put) {
  hd_messages_input input = hd_messages_input_of(reader);
  hd_messages_mutable_put found = {0};
  found.public_key = hd_messages_take_fixed(&input, HDHT_PUBLIC_KEY_SIZE);
  found.seq = hd_messages_take_uint(&input);
  found.value = hd_messages_take_buffer(&input);
  found.signature = hd_messages_take_fixed(&input, HDHT_SIGNATURE_SIZE);

  const int error = hd_messages_input_end(&input, reader);
  if (error == HDHT_OK) *put = found;
  return error;
}

static void put_mutable_put(hd_messages_output *output, const hd_messages_mutable_put *put) {
  hd_messages_put_required(output, put->public_key, HDHT_PUBLIC_KEY_SIZE);
  hd_messages_put_uint(output, put->seq);
  hd_messages_put_buffer(output, put->value);
  hd_messages_put_required(output, put->signature, HDHT_SIGNATURE_SIZE);
}
HD_MESSAGES_WRITER(mutable_put)

int hd_messages_read_mutable_found(hd_reader *reader, hd_messages_mutable_found *found) {
  hd_messages_input input = hd_messages_input_of(reader);
  hd_messages_mutable_found record = {0};
  record.seq = hd_messages_take_uint(&input);
  record.value = hd_messages_take_buffer(&input);
  record.signature = hd_messages_take_fixed(&input, HDHT_SIGNATURE_SIZE);

  const int error = hd_messages_input_end(&input, reader);
  if (error == HDHT_OK) *found = record;
  return error;
}

static void put_mutable_found(hd_messages_output *output, const hd_messages_mutable_found *found) {
  hd_messages_put_uint(output, found->seq);
  hd_messages_put_buffer(output, found->value);
  hd_messages_put_required(output, found->signature, HDHT_SIGNATURE_SIZE);
}
HD_MESSAGES_WRITER(mutable_found)

int hd_messages_read_mutable_get(hd_reader *reader, hd_messages_mutable_get *get) {
  hd_messages_input input = hd_messages_input_of(reader);
  const hd_messages_mutable_get found = {.seq_min = hd_messages_take_uint(&input)};

  const int error = hd_messages_input_end(&input, reader);
  if (error == HDHT_OK) *get = found;
  return error;
}

static void put_mutable_get(hd_messages_output *output, const hd_messages_mutable_get *get) {
  hd_messages_put_uint(output, get->seq_min);
}
HD_MESSAGES_WRITER(mutable_get)

void hd_messages_mutable_signable(uint64_t seq, hd_bytes value, uint8_t signable[2 * HD_HASH_SIZE]) {
  uint8_t head[2 * HD_CODEC_UINT_MAX_SIZE];
  hd_writer writer = hd_writer_of(head, sizeof head);
  (void)hd_codec_write_uint(&writer, seq);
  (void)hd_codec_write_uint(&writer, value.size);
  const hd_bytes parts[] = {hd_bytes_of(head, (size_t)(writer.next - head)), value};
  memcpy(signable, hd_namespace_mutable_put, HD_HASH_SIZE);
  hd_hash_parts(parts, 2, signable + HD_HASH_SIZE);
}

void hd_messages_sign_mutable(uint64_t seq, hd_bytes value, const uint8_t secret_key[HD_SECRET_KEY_SIZE],
                              uint8_t signature[HD_SIGNATURE_SIZE]) {
  uint8_t signable[2 * HD_HASH_SIZE];
  hd_messages_mutable_signable(seq, value, signable);
  hd_signature_sign(secret_key, signable, sizeof signable, signature);
}

int hd_messages_verify_mutable(const uint8_t public_key[HD_PUBLIC_KEY_SIZE], uint64_t seq, hd_bytes value,
                               const uint8_t signature[HD_SIGNATURE_SIZE]) {
  uint8_t signable[2 * HD_HASH_SIZE];
  hd_messages_mutable_signable(seq, value, signable);
  return hd_signature_verify(public_key, signable, sizeof signable, signature);
}
