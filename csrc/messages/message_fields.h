/* The fields DHT messages are made of, read and written so that a codec is no more than the list of its fields.
 *
 * Reading remembers the first error: from then on every field reads as zero or absent, and the codec asks once, at the
 * end. Writing goes over the same list twice: first to count, then, when everything fits, to store. So neither a failed
 * read nor a failed write leaves anything behind. */
#ifndef HD_MESSAGE_FIELDS_H
#define HD_MESSAGE_FIELDS_H

#include "base/address.h"
#include "codec/compact_address.h"
#include "codec/compact_bytes.h"
#include "messages/message_command.h"
#include "messages/message_peer.h"

typedef struct hd_messages_input {
  hd_reader reader;
  int error; /* the first one; HDHT_OK while all is well */
} hd_messages_input;

static inline hd_messages_input hd_messages_input_of(const hd_reader *reader) {
  return (hd_messages_input){.reader = *reader, .error = HDHT_OK};
}

static inline void hd_messages_input_fail(hd_messages_input *input, int error) {
  if (input->error == HDHT_OK) input->error = error;
  input->reader.next = input->reader.end; /* nothing more can be read */
}

/* Moves `reader` past the fields if all of them could be read. Returns the first error. */
static inline int hd_messages_input_end(const hd_messages_input *input, hd_reader *reader) {
  if (input->error == HDHT_OK) *reader = input->reader;
  return input->error;
}

/* A uint that a JavaScript peer represents exactly. Errors: HDHT_ERR_TRUNCATED; HDHT_ERR_MALFORMED above 2^53 - 1. */
static inline uint64_t hd_messages_take_uint(hd_messages_input *input) {
  uint64_t value = 0;
  const int error = hd_codec_read_uint(&input->reader, &value);
  if (error == HDHT_OK && value <= HD_CODEC_SAFE_INTEGER_MAX) return value;
  hd_messages_input_fail(input, error != HDHT_OK ? error : HDHT_ERR_MALFORMED);
  return 0;
}

/* Errors: HDHT_ERR_TRUNCATED; HDHT_ERR_TOO_LARGE above 2^32 - 1. */
static inline uint32_t hd_messages_take_uint32(hd_messages_input *input) {
  uint32_t value = 0;
  const int error = hd_codec_read_uint_of_32_bits(&input->reader, &value);
  if (error != HDHT_OK) hd_messages_input_fail(input, error);
  return value;
}

/* `size` bytes, lent by the message; NULL on error. */
static inline const uint8_t *hd_messages_take_fixed(hd_messages_input *input, size_t size) {
  const uint8_t *bytes = NULL;
  const int error = hd_reader_take(&input->reader, size, &bytes);
  if (error != HDHT_OK) hd_messages_input_fail(input, error);
  return bytes;
}

/* `size` bytes if there is such a field, else NULL. */
static inline const uint8_t *hd_messages_take_fixed_if(hd_messages_input *input, bool is_present, size_t size) {
  return is_present ? hd_messages_take_fixed(input, size) : NULL;
}

static inline hd_bytes hd_messages_take_buffer(hd_messages_input *input) {
  hd_bytes bytes = {0};
  const int error = hd_codec_read_buffer(&input->reader, &bytes);
  if (error != HDHT_OK) hd_messages_input_fail(input, error);
  return bytes;
}

static inline hd_address hd_messages_take_address(hd_messages_input *input) {
  hd_address address = {0};
  const int error = hd_codec_read_ipv4_address(&input->reader, &address);
  if (error != HDHT_OK) hd_messages_input_fail(input, error);
  return address;
}

/* Errors: HDHT_ERR_UNKNOWN_TYPE. */
static inline hd_messages_mode hd_messages_take_mode(hd_messages_input *input) {
  const uint64_t mode = hd_messages_take_uint(input);
  if (mode <= HD_MESSAGES_REPLY) return (hd_messages_mode)mode;
  hd_messages_input_fail(input, HDHT_ERR_UNKNOWN_TYPE);
  return HD_MESSAGES_FROM_CLIENT;
}

static inline hdht_address_list hd_messages_take_addresses(hd_messages_input *input) {
  hdht_address_list list = {0};
  const int error = hd_messages_read_addresses(&input->reader, &list);
  if (error != HDHT_OK) hd_messages_input_fail(input, error);
  return list;
}

static inline hdht_peer hd_messages_take_peer(hd_messages_input *input) {
  hdht_peer peer = {0};
  const int error = hd_messages_read_peer(&input->reader, &peer);
  if (error != HDHT_OK) hd_messages_input_fail(input, error);
  return peer;
}

static inline hdht_peer_list hd_messages_take_peers(hd_messages_input *input) {
  hdht_peer_list list = {0};
  const int error = hd_messages_read_peers(&input->reader, &list);
  if (error != HDHT_OK) hd_messages_input_fail(input, error);
  return list;
}

typedef struct hd_messages_output {
  hd_writer writer; /* only while storing; then exactly as large as was counted */
  bool is_storing;
  int error;   /* the first thing found that cannot be written */
  size_t size; /* counted or stored so far */
} hd_messages_output;

static inline void hd_messages_output_fail(hd_messages_output *output, int error) {
  if (output->error == HDHT_OK) output->error = error;
}

/* Makes room for `size` bytes; NULL while counting. */
static inline uint8_t *hd_messages_put_space(hd_messages_output *output, size_t size) {
  output->size += size;
  uint8_t *space = NULL;
  if (output->is_storing) {
    const int error = hd_writer_reserve(&output->writer, size, &space);
    hd_assert(error == HDHT_OK);
  }
  return space;
}

static inline void hd_messages_put_fixed(hd_messages_output *output, const void *bytes, size_t size) {
  uint8_t *space = hd_messages_put_space(output, size);
  if (space != NULL && size > 0) memcpy(space, bytes, size);
}

/* Nothing when `bytes` is NULL. */
static inline void hd_messages_put_fixed_if(hd_messages_output *output, const uint8_t *bytes, size_t size) {
  if (bytes != NULL) hd_messages_put_fixed(output, bytes, size);
}

/* HDHT_ERR_INVALID_ARGUMENT when `bytes` is NULL. */
static inline void hd_messages_put_required(hd_messages_output *output, const uint8_t *bytes, size_t size) {
  if (bytes == NULL) hd_messages_output_fail(output, HDHT_ERR_INVALID_ARGUMENT);
  hd_messages_put_fixed_if(output, bytes, size);
}

static inline void hd_messages_put_uint(hd_messages_output *output, uint64_t value) {
  const size_t size = hd_codec_uint_size(value);
  uint8_t *space = hd_messages_put_space(output, size);
  if (value > HD_CODEC_SAFE_INTEGER_MAX) hd_messages_output_fail(output, HDHT_ERR_INVALID_ARGUMENT);
  if (space == NULL) return;
  hd_writer writer = hd_writer_of(space, size);
  (void)hd_codec_write_uint(&writer, value);
}

static inline void hd_messages_put_buffer(hd_messages_output *output, hd_bytes bytes) {
  if (bytes.data == NULL && bytes.size > 0) hd_messages_output_fail(output, HDHT_ERR_INVALID_ARGUMENT);
  hd_messages_put_uint(output, bytes.size);
  hd_messages_put_fixed(output, bytes.data, bytes.size);
}

/* HDHT_ERR_INVALID_ARGUMENT unless it is an IPv4 address. */
static inline void hd_messages_put_address(hd_messages_output *output, const hd_address *address) {
  uint8_t *space = hd_messages_put_space(output, HD_CODEC_IPV4_ADDRESS_SIZE);
  if (address->family != HDHT_FAMILY_IPV4) hd_messages_output_fail(output, HDHT_ERR_INVALID_ARGUMENT);
  if (space == NULL) return;
  memcpy(space, address->ip, 4);
  hd_store_le16(space + 4, address->port);
}

void hd_messages_put_addresses(hd_messages_output *output, const hdht_address_list *list);
void hd_messages_put_peer(hd_messages_output *output, const hdht_peer *peer);
void hd_messages_put_peers(hd_messages_output *output, const hdht_peer_list *list);

/* Starts storing what was counted.
 * Errors: what counting found; HDHT_ERR_BUFFER_TOO_SMALL. */
int hd_messages_output_store(hd_messages_output *output, hd_writer *writer);

/* Defines hd_messages_NAME_size and hd_messages_write_NAME for the type hd_messages_NAME from the static function
 * put_NAME, which lists its fields. */
#define HD_MESSAGES_WRITER(name)                                                       \
  int hd_messages_##name##_size(const hd_messages_##name *message, size_t *size) {     \
    hd_messages_output output = {0};                                                   \
    put_##name(&output, message);                                                      \
    if (output.error == HDHT_OK) *size = output.size;                                  \
    return output.error;                                                               \
  }                                                                                    \
  int hd_messages_write_##name(hd_writer *writer, const hd_messages_##name *message) { \
    hd_messages_output output = {0};                                                   \
    put_##name(&output, message);                                                      \
    const int error = hd_messages_output_store(&output, writer);                       \
    if (error != HDHT_OK) return error;                                                \
    put_##name(&output, message);                                                      \
    hd_assert(output.writer.next == writer->next);                                     \
    return HDHT_OK;                                                                    \
  }

#endif
