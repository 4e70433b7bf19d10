#include "messages/message_relay.h"

#include "codec/compact_address.h"
#include "codec/compact_bytes.h"
#include "messages/message_peer.h"

/* Every message is a row of the table below; one function each reads, measures and writes whatever a row says. */
typedef enum field_kind {
  FIELD_END,       /* no more fields */
  FIELD_ID,        /* uint32_t: 4 bytes, little-endian, never a `uint` */
  FIELD_FIXED_32,  /* const uint8_t *: 32 bytes */
  FIELD_FIXED_64,  /* const uint8_t *: 64 bytes */
  FIELD_BUFFER,    /* hdht_bytes: `buffer`, also for text */
  FIELD_ADDRESS,   /* hdht_address: `ipv4Address` */
  FIELD_ADDRESSES, /* hdht_address_list: array of `ipv4Address` */
  FIELD_CHUNKS,    /* hdht_relay_chunks: array of `buffer` */
} field_kind;

typedef struct relay_field {
  uint8_t kind;
  uint8_t flags_mask;   /* the field is there when the message's flags under this mask … */
  uint8_t flags_wanted; /* … are these */
  uint8_t offset;       /* in the struct of the message */
} relay_field;

typedef struct relay_layout {
  const char *name;
  uint8_t flags_known;   /* 0 when the message has no flags byte; otherwise the byte comes first */
  relay_field fields[6]; /* up to the first FIELD_END */
} relay_layout;

#define ALWAYS              0, 0
#define IF_SET(flags)       (flags), (flags)
#define IF_CLEAR(flags)     (flags), 0
#define OF(message, member) offsetof(hdht_relay_##message, member)
#define CUSTODIAL           HDHT_RELAY_FLAG_CUSTODIAL
#define PAIRED              HDHT_RELAY_FLAG_PAIRED
#define ERROR               HDHT_RELAY_FLAG_ERROR
#define INITIATOR           HDHT_RELAY_FLAG_INITIATOR
#define COMPLETE            HDHT_RELAY_FLAG_COMPLETE

/* clang-format off */
static const relay_layout layouts[HDHT_RELAY_TYPES_COUNT] = {
  [HDHT_RELAY_HANDSHAKE] = {"handshake", CUSTODIAL, {
    {FIELD_FIXED_32, ALWAYS, OF(handshake, public_key)},
    {FIELD_FIXED_64, IF_SET(CUSTODIAL), OF(handshake, secret_key)}}},
  [HDHT_RELAY_PING] = {"ping", 0, {{FIELD_END, ALWAYS, 0}}},
  [HDHT_RELAY_PONG] = {"pong", 0, {{FIELD_END, ALWAYS, 0}}},
  [HDHT_RELAY_CONNECT] = {"connect", CUSTODIAL, {
    {FIELD_ID, ALWAYS, OF(connect, alias)},
    {FIELD_FIXED_32, ALWAYS, OF(connect, public_key)},
    {FIELD_FIXED_64, IF_SET(CUSTODIAL), OF(connect, secret_key)},
    {FIELD_FIXED_32, ALWAYS, OF(connect, remote_public_key)}}},
  [HDHT_RELAY_CONNECTION] = {"connection", CUSTODIAL, {
    {FIELD_ID, ALWAYS, OF(connection, alias)},
    {FIELD_ID, ALWAYS, OF(connection, server_alias)},
    {FIELD_FIXED_32, ALWAYS, OF(connection, remote_public_key)},
    {FIELD_FIXED_64, IF_SET(CUSTODIAL), OF(connection, handshake_hash)},
    {FIELD_ID, IF_CLEAR(CUSTODIAL), OF(connection, handshake_id)}}},
  [HDHT_RELAY_CONNECTED] = {"connected", 0, {
    {FIELD_ID, ALWAYS, OF(connected, alias)},
    {FIELD_ID, ALWAYS, OF(connected, remote_alias)}}},
  [HDHT_RELAY_INCOMING] = {"incoming", 0, {
    {FIELD_ID, ALWAYS, OF(incoming, id)},
    {FIELD_ID, ALWAYS, OF(incoming, server_alias)},
    {FIELD_FIXED_32, ALWAYS, OF(incoming, remote_public_key)},
    {FIELD_BUFFER, ALWAYS, OF(incoming, payload)}}},
  [HDHT_RELAY_DENY] = {"deny", 0, {{FIELD_ID, ALWAYS, OF(decision, id)}}},
  [HDHT_RELAY_ACCEPT] = {"accept", 0, {{FIELD_ID, ALWAYS, OF(decision, id)}}},
  [HDHT_RELAY_DESTROY] = {"destroy", PAIRED | ERROR, {
    {FIELD_ID, IF_SET(PAIRED), OF(destroy, alias)},
    {FIELD_ID, IF_CLEAR(PAIRED), OF(destroy, remote_alias)},
    {FIELD_BUFFER, IF_SET(ERROR), OF(destroy, error)}}},
  [HDHT_RELAY_LISTEN] = {"listen", CUSTODIAL, {
    {FIELD_ID, ALWAYS, OF(listen, alias)},
    {FIELD_FIXED_32, ALWAYS, OF(listen, public_key)},
    {FIELD_FIXED_64, IF_SET(CUSTODIAL), OF(listen, secret_key)}}},
  [HDHT_RELAY_LISTENING] = {"listening", 0, {
    {FIELD_ID, ALWAYS, OF(listening, alias)},
    {FIELD_ID, ALWAYS, OF(listening, remote_alias)},
    {FIELD_ADDRESS, ALWAYS, OF(listening, address)}}},
  [HDHT_RELAY_CLOSE] = {"close", 0, {{FIELD_ID, ALWAYS, OF(ended, alias)}}},
  [HDHT_RELAY_CLOSED] = {"closed", 0, {{FIELD_ID, ALWAYS, OF(ended, alias)}}},
  [HDHT_RELAY_OPEN] = {"open", CUSTODIAL, {
    {FIELD_ID, ALWAYS, OF(open, alias)},
    {FIELD_ID, ALWAYS, OF(open, remote_alias)},
    {FIELD_FIXED_64, IF_SET(CUSTODIAL), OF(open, handshake_hash)},
    {FIELD_ID, IF_CLEAR(CUSTODIAL), OF(open, handshake_id)}}},
  [HDHT_RELAY_END] = {"end", 0, {{FIELD_ID, ALWAYS, OF(ended, alias)}}},
  [HDHT_RELAY_DATA] = {"data", 0, {
    {FIELD_ID, ALWAYS, OF(data, alias)},
    {FIELD_CHUNKS, ALWAYS, OF(data, chunks)}}},
  [HDHT_RELAY_RESULT] = {"result", 0, {
    {FIELD_ID, ALWAYS, OF(result, query_id)},
    {FIELD_BUFFER, ALWAYS, OF(result, data)}}},
  [HDHT_RELAY_FINISHED] = {"finished", 0, {{FIELD_ID, ALWAYS, OF(finished, query_id)}}},
  [HDHT_RELAY_LOOKUP] = {"lookup", 0, {
    {FIELD_ID, ALWAYS, OF(lookup, query_id)},
    {FIELD_FIXED_32, ALWAYS, OF(lookup, topic)}}},
  [HDHT_RELAY_ANNOUNCE] = {"announce", CUSTODIAL, {
    {FIELD_ID, ALWAYS, OF(announce, query_id)},
    {FIELD_FIXED_32, ALWAYS, OF(announce, topic)},
    {FIELD_FIXED_32, ALWAYS, OF(announce, public_key)},
    {FIELD_FIXED_64, IF_SET(CUSTODIAL), OF(announce, secret_key)}}},
  [HDHT_RELAY_UNANNOUNCE] = {"unannounce", CUSTODIAL, {
    {FIELD_ID, ALWAYS, OF(announce, query_id)},
    {FIELD_FIXED_32, ALWAYS, OF(announce, topic)},
    {FIELD_FIXED_32, ALWAYS, OF(announce, public_key)},
    {FIELD_FIXED_64, IF_SET(CUSTODIAL), OF(announce, secret_key)}}},
  [HDHT_RELAY_SIGN_ANNOUNCE] = {"signAnnounce", 0, {
    {FIELD_ID, ALWAYS, OF(sign, id)},
    {FIELD_ID, ALWAYS, OF(sign, signee)},
    {FIELD_FIXED_32, ALWAYS, OF(sign, token)},
    {FIELD_BUFFER, ALWAYS, OF(sign, peer_id)},
    {FIELD_ADDRESSES, ALWAYS, OF(sign, relay_addresses)}}},
  [HDHT_RELAY_SIGN_UNANNOUNCE] = {"signUnannounce", 0, {
    {FIELD_ID, ALWAYS, OF(sign, id)},
    {FIELD_ID, ALWAYS, OF(sign, signee)},
    {FIELD_FIXED_32, ALWAYS, OF(sign, token)},
    {FIELD_BUFFER, ALWAYS, OF(sign, peer_id)},
    {FIELD_ADDRESSES, ALWAYS, OF(sign, relay_addresses)}}},
  [HDHT_RELAY_SIGNATURE] = {"signature", 0, {
    {FIELD_ID, ALWAYS, OF(signature, id)},
    {FIELD_BUFFER, ALWAYS, OF(signature, signature)}}},
  [HDHT_RELAY_NOISE_SEND] = {"noiseSend", INITIATOR, {
    {FIELD_ID, ALWAYS, OF(noise_send, id)},
    {FIELD_ID, IF_SET(INITIATOR), OF(noise_send, remote_stream_alias)},
    {FIELD_BUFFER, ALWAYS, OF(noise_send, payload)}}},
  [HDHT_RELAY_NOISE_RECEIVE] = {"noiseReceive", INITIATOR, {
    {FIELD_ID, ALWAYS, OF(noise_receive, id)},
    {FIELD_ID, IF_CLEAR(INITIATOR), OF(noise_receive, server_alias)},
    {FIELD_BUFFER, ALWAYS, OF(noise_receive, payload)}}},
  [HDHT_RELAY_NOISE_REPLY] = {"noiseReply", INITIATOR | COMPLETE, {
    {FIELD_ID, ALWAYS, OF(noise_reply, id)},
    {FIELD_BUFFER, ALWAYS, OF(noise_reply, payload)},
    {FIELD_FIXED_32, IF_CLEAR(INITIATOR | COMPLETE), OF(noise_reply, remote_public_key)},
    {FIELD_FIXED_32, IF_SET(COMPLETE), OF(noise_reply, remote_id)},
    {FIELD_FIXED_32, IF_SET(COMPLETE), OF(noise_reply, holepunch_secret)}}},
};
/* clang-format on */

/* The flags are the first member of every struct that has them, so that they can be reached without its type. */
_Static_assert(OF(handshake, flags) == 0 && OF(connect, flags) == 0 && OF(connection, flags) == 0, "flags come first");
_Static_assert(OF(destroy, flags) == 0 && OF(listen, flags) == 0 && OF(open, flags) == 0, "flags come first");
_Static_assert(OF(announce, flags) == 0 && OF(noise_send, flags) == 0, "flags come first");
_Static_assert(OF(noise_receive, flags) == 0 && OF(noise_reply, flags) == 0, "flags come first");
_Static_assert(sizeof(hdht_relay_body) <= UINT8_MAX, "a field's offset is a byte");

static int read_data(hd_reader *reader, hdht_relay_message *message);
static int read_field(const relay_field *field, hd_reader *reader, hdht_relay_body *body);
static int field_size(const relay_field *field, const hdht_relay_body *body, size_t *size);
static int write_field(const relay_field *field, hd_writer *writer, const hdht_relay_body *body);

const char *hdht_relay_type_name(uint32_t type) {
  return type < HDHT_RELAY_TYPES_COUNT ? layouts[type].name : "unknown";
}

static bool is_carried(const relay_field *field, uint32_t flags) {
  return (flags & field->flags_mask) == field->flags_wanted;
}

int hd_messages_read_relay(hd_reader *reader, uint32_t type, hdht_relay_message *message) {
  if (type >= HDHT_RELAY_TYPES_COUNT) return HDHT_ERR_UNKNOWN_TYPE;
  if (type == HDHT_RELAY_DATA) return read_data(reader, message);
  const relay_layout *layout = &layouts[type];
  hdht_relay_message found = {.type = type};
  hd_reader attempt = *reader;
  uint32_t flags = 0;
  if (layout->flags_known != 0) {
    uint8_t byte;
    if (hd_codec_read_uint8(&attempt, &byte) != HDHT_OK) return HDHT_ERR_TRUNCATED;
    flags = byte & layout->flags_known;
    memcpy(&found.body, &flags, sizeof flags);
  }
  for (const relay_field *field = layout->fields; field->kind != FIELD_END; field++) {
    if (!is_carried(field, flags)) continue;
    const int error = read_field(field, &attempt, &found.body);
    if (error != HDHT_OK) return error;
  }
  *message = found;
  *reader = attempt;
  return HDHT_OK;
}

int hdht_relay_message_decode(uint32_t type, hdht_bytes body, hdht_relay_message *message) {
  hd_reader reader = hd_reader_of(body);
  return hd_messages_read_relay(&reader, type, message);
}

static uint32_t flags_of(const hdht_relay_message *message) {
  uint32_t flags = 0;
  if (layouts[message->type].flags_known != 0) memcpy(&flags, &message->body, sizeof flags);
  return flags;
}

int hdht_relay_message_size(const hdht_relay_message *message, size_t *size) {
  if (message->type >= HDHT_RELAY_TYPES_COUNT) return HDHT_ERR_UNKNOWN_TYPE;
  const relay_layout *layout = &layouts[message->type];
  const uint32_t flags = flags_of(message);
  if ((flags & ~(uint32_t)layout->flags_known) != 0) return HDHT_ERR_INVALID_ARGUMENT;
  size_t sum = layout->flags_known != 0 ? 1 : 0;
  for (const relay_field *field = layout->fields; field->kind != FIELD_END; field++) {
    if (!is_carried(field, flags)) continue;
    size_t more;
    const int error = field_size(field, &message->body, &more);
    if (error != HDHT_OK) return error;
    if (__builtin_add_overflow(sum, more, &sum)) return HDHT_ERR_TOO_LARGE;
  }
  *size = sum;
  return HDHT_OK;
}

int hdht_relay_message_encode(const hdht_relay_message *message, uint8_t *buffer, size_t capacity, size_t *size) {
  size_t needed;
  int error = hdht_relay_message_size(message, &needed);
  if (error != HDHT_OK) return error;
  if (needed > capacity) return HDHT_ERR_BUFFER_TOO_SMALL;

  const relay_layout *layout = &layouts[message->type];
  const uint32_t flags = flags_of(message);
  hd_writer writer = hd_writer_of(buffer, needed);
  if (layout->flags_known != 0) error = hd_codec_write_uint8(&writer, (uint8_t)flags);
  for (const relay_field *field = layout->fields; field->kind != FIELD_END && error == HDHT_OK; field++) {
    if (is_carried(field, flags)) error = write_field(field, &writer, &message->body);
  }
  hd_assert(error == HDHT_OK); /* the size was found, so every field can be written */
  hd_assert(writer.next == writer.end);
  *size = needed;
  return HDHT_OK;
}

/* Chunks of `data`. */

int hdht_relay_chunks_next(hdht_relay_chunks *chunks, hdht_bytes *chunk) {
  if (chunks->count == 0) return 0;
  if (chunks->array != NULL) {
    *chunk = *chunks->array++;
  } else {
    hd_reader reader = hd_reader_of(chunks->encoded);
    if (hd_codec_read_buffer(&reader, chunk) != HDHT_OK) return 0;
    chunks->encoded = hd_reader_take_rest(&reader);
  }
  chunks->count--;
  return 1;
}

static int read_chunks(hd_reader *reader, hdht_relay_chunks *chunks) {
  size_t count = 0;
  int error = hd_codec_read_array_count(reader, 1, &count);
  const uint8_t *first = reader->next;
  for (size_t i = 0; i < count && error == HDHT_OK; i++) {
    hdht_bytes chunk;
    error = hd_codec_read_buffer(reader, &chunk);
  }
  if (error != HDHT_OK) return error;
  *chunks = (hdht_relay_chunks){.encoded = hd_bytes_of(first, (size_t)(reader->next - first)), .count = count};
  return HDHT_OK;
}

/* `data` says the same as its row of the table, several times as fast: nearly every message of a busy link is one. */
static int read_data(hd_reader *reader, hdht_relay_message *message) {
  hd_reader attempt = *reader;
  uint32_t alias;
  hdht_relay_chunks chunks;
  int error = hd_codec_read_uint32(&attempt, &alias);
  if (error == HDHT_OK) error = read_chunks(&attempt, &chunks);
  if (error != HDHT_OK) return error;
  *message = (hdht_relay_message){.type = HDHT_RELAY_DATA, .body.data = {.alias = alias, .chunks = chunks}};
  *reader = attempt;
  return HDHT_OK;
}

static int buffer_size(hdht_bytes bytes, size_t *size) {
  if (bytes.data == NULL && bytes.size != 0) return HDHT_ERR_INVALID_ARGUMENT;
  if (__builtin_add_overflow(hd_codec_uint_size(bytes.size), bytes.size, size)) return HDHT_ERR_TOO_LARGE;
  return HDHT_OK;
}

static int chunks_size(const hdht_relay_chunks *chunks, size_t *size) {
  if (chunks->count > HDHT_LIST_LIMIT) return HDHT_ERR_TOO_LARGE;
  size_t sum = hd_codec_uint_size(chunks->count);
  hdht_relay_chunks rest = *chunks;
  hdht_bytes chunk;
  while (hdht_relay_chunks_next(&rest, &chunk)) {
    size_t more;
    const int error = buffer_size(chunk, &more);
    if (error != HDHT_OK) return error;
    if (__builtin_add_overflow(sum, more, &sum)) return HDHT_ERR_TOO_LARGE;
  }
  if (rest.count != 0) return HDHT_ERR_INVALID_ARGUMENT;
  *size = sum;
  return HDHT_OK;
}

static int write_chunks(hd_writer *writer, const hdht_relay_chunks *chunks) {
  int error = hd_codec_write_array_count(writer, chunks->count);
  hdht_relay_chunks rest = *chunks;
  hdht_bytes chunk;
  while (error == HDHT_OK && hdht_relay_chunks_next(&rest, &chunk)) error = hd_codec_write_buffer(writer, chunk);
  return error;
}

int hdht_relay_data_header_encode(uint32_t alias, size_t chunks_count, size_t first_chunk_size, uint8_t *header,
                                  size_t *size) {
  if (chunks_count > HDHT_LIST_LIMIT) return HDHT_ERR_TOO_LARGE;
  hd_writer writer = hd_writer_of(header, HDHT_RELAY_DATA_HEADER_SIZE_MAX);
  int error = hd_codec_write_uint32(&writer, alias);
  if (error == HDHT_OK) error = hd_codec_write_uint(&writer, chunks_count);
  if (error == HDHT_OK && chunks_count > 0) error = hd_codec_write_uint(&writer, first_chunk_size);
  hd_assert(error == HDHT_OK);
  *size = (size_t)(writer.next - header);
  return HDHT_OK;
}

size_t hdht_relay_chunk_header_encode(size_t chunk_size, uint8_t *header) {
  hd_writer writer = hd_writer_of(header, HDHT_RELAY_CHUNK_HEADER_SIZE_MAX);
  const int error = hd_codec_write_uint(&writer, chunk_size);
  hd_assert(error == HDHT_OK);
  return (size_t)(writer.next - header);
}

/* Fields. */

static const void *member(const relay_field *field, const hdht_relay_body *body) {
  return (const uint8_t *)body + field->offset;
}

static int read_field(const relay_field *field, hd_reader *reader, hdht_relay_body *body) {
  void *to = (uint8_t *)body + field->offset;
  switch ((field_kind)field->kind) {
    case FIELD_ID: return hd_codec_read_uint32(reader, to);
    case FIELD_FIXED_32: return hd_reader_take(reader, 32, to);
    case FIELD_FIXED_64: return hd_reader_take(reader, 64, to);
    case FIELD_BUFFER: return hd_codec_read_buffer(reader, to);
    case FIELD_ADDRESS: return hd_codec_read_ipv4_address(reader, to);
    case FIELD_ADDRESSES: return hd_messages_read_addresses(reader, to);
    case FIELD_CHUNKS: return read_chunks(reader, to);
    case FIELD_END: break;
  }
  hd_unreachable();
}

static int fixed_size(const uint8_t *const *bytes, size_t fixed, size_t *size) {
  if (*bytes == NULL) return HDHT_ERR_INVALID_ARGUMENT;
  *size = fixed;
  return HDHT_OK;
}

static int address_size(const hdht_address *address, size_t *size) {
  if (address->family != HDHT_FAMILY_IPV4) return HDHT_ERR_INVALID_ARGUMENT;
  *size = HD_CODEC_IPV4_ADDRESS_SIZE;
  return HDHT_OK;
}

static int field_size(const relay_field *field, const hdht_relay_body *body, size_t *size) {
  const void *from = member(field, body);
  switch ((field_kind)field->kind) {
    case FIELD_ID: *size = 4; return HDHT_OK;
    case FIELD_FIXED_32: return fixed_size(from, 32, size);
    case FIELD_FIXED_64: return fixed_size(from, 64, size);
    case FIELD_BUFFER: return buffer_size(*(const hdht_bytes *)from, size);
    case FIELD_ADDRESS: return address_size(from, size);
    case FIELD_ADDRESSES: return hd_messages_addresses_size(from, size);
    case FIELD_CHUNKS: return chunks_size(from, size);
    case FIELD_END: break;
  }
  hd_unreachable();
}

static int write_field(const relay_field *field, hd_writer *writer, const hdht_relay_body *body) {
  const void *from = member(field, body);
  switch ((field_kind)field->kind) {
    case FIELD_ID: return hd_codec_write_uint32(writer, *(const uint32_t *)from);
    case FIELD_FIXED_32: return hd_writer_put(writer, *(const uint8_t *const *)from, 32);
    case FIELD_FIXED_64: return hd_writer_put(writer, *(const uint8_t *const *)from, 64);
    case FIELD_BUFFER: return hd_codec_write_buffer(writer, *(const hdht_bytes *)from);
    case FIELD_ADDRESS: return hd_codec_write_ipv4_address(writer, from);
    case FIELD_ADDRESSES: return hd_messages_write_addresses(writer, from);
    case FIELD_CHUNKS: return write_chunks(writer, from);
    case FIELD_END: break;
  }
  hd_unreachable();
}
