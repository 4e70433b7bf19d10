#include "relay_json.h"

#include <string.h>

#include "base/address.h"
#include "base/address_text.h"
#include "base/bytes.h"
#include "vectors.h"

typedef enum member_kind { ID, FIXED_32, FIXED_64, BYTES, TEXT, ADDRESS, ADDRESSES, CHUNKS } member_kind;

/* Where a JSON member is found in the struct. Which of them a message carries, and in which order, is not said here:
 * that is what the vectors check. */
typedef struct json_member {
  uint32_t type;
  const char *key;
  member_kind kind;
  size_t offset;
} json_member;

#define OF(message, field) offsetof(hdht_relay_##message, field)

static const json_member members[] = {
    {HDHT_RELAY_HANDSHAKE, "publicKey", FIXED_32, OF(handshake, public_key)},
    {HDHT_RELAY_HANDSHAKE, "secretKey", FIXED_64, OF(handshake, secret_key)},
    {HDHT_RELAY_CONNECT, "alias", ID, OF(connect, alias)},
    {HDHT_RELAY_CONNECT, "publicKey", FIXED_32, OF(connect, public_key)},
    {HDHT_RELAY_CONNECT, "secretKey", FIXED_64, OF(connect, secret_key)},
    {HDHT_RELAY_CONNECT, "remotePublicKey", FIXED_32, OF(connect, remote_public_key)},
    {HDHT_RELAY_CONNECTION, "alias", ID, OF(connection, alias)},
    {HDHT_RELAY_CONNECTION, "serverAlias", ID, OF(connection, server_alias)},
    {HDHT_RELAY_CONNECTION, "remotePublicKey", FIXED_32, OF(connection, remote_public_key)},
    {HDHT_RELAY_CONNECTION, "handshakeHash", FIXED_64, OF(connection, handshake_hash)},
    {HDHT_RELAY_CONNECTION, "handshakeId", ID, OF(connection, handshake_id)},
    {HDHT_RELAY_CONNECTED, "alias", ID, OF(connected, alias)},
    {HDHT_RELAY_CONNECTED, "remoteAlias", ID, OF(connected, remote_alias)},
    {HDHT_RELAY_INCOMING, "id", ID, OF(incoming, id)},
    {HDHT_RELAY_INCOMING, "serverAlias", ID, OF(incoming, server_alias)},
    {HDHT_RELAY_INCOMING, "remotePublicKey", FIXED_32, OF(incoming, remote_public_key)},
    {HDHT_RELAY_INCOMING, "payload", BYTES, OF(incoming, payload)},
    {HDHT_RELAY_DENY, "id", ID, OF(decision, id)},
    {HDHT_RELAY_ACCEPT, "id", ID, OF(decision, id)},
    {HDHT_RELAY_DESTROY, "alias", ID, OF(destroy, alias)},
    {HDHT_RELAY_DESTROY, "remoteAlias", ID, OF(destroy, remote_alias)},
    {HDHT_RELAY_DESTROY, "error", TEXT, OF(destroy, error)},
    {HDHT_RELAY_LISTEN, "alias", ID, OF(listen, alias)},
    {HDHT_RELAY_LISTEN, "publicKey", FIXED_32, OF(listen, public_key)},
    {HDHT_RELAY_LISTEN, "secretKey", FIXED_64, OF(listen, secret_key)},
    {HDHT_RELAY_LISTENING, "alias", ID, OF(listening, alias)},
    {HDHT_RELAY_LISTENING, "remoteAlias", ID, OF(listening, remote_alias)},
    {HDHT_RELAY_LISTENING, "host", ADDRESS, OF(listening, address)},
    {HDHT_RELAY_CLOSE, "alias", ID, OF(ended, alias)},
    {HDHT_RELAY_CLOSED, "alias", ID, OF(ended, alias)},
    {HDHT_RELAY_OPEN, "alias", ID, OF(open, alias)},
    {HDHT_RELAY_OPEN, "remoteAlias", ID, OF(open, remote_alias)},
    {HDHT_RELAY_OPEN, "handshakeHash", FIXED_64, OF(open, handshake_hash)},
    {HDHT_RELAY_OPEN, "handshakeId", ID, OF(open, handshake_id)},
    {HDHT_RELAY_END, "alias", ID, OF(ended, alias)},
    {HDHT_RELAY_DATA, "alias", ID, OF(data, alias)},
    {HDHT_RELAY_DATA, "data", CHUNKS, OF(data, chunks)},
    {HDHT_RELAY_RESULT, "id", ID, OF(result, query_id)},
    {HDHT_RELAY_RESULT, "data", BYTES, OF(result, data)},
    {HDHT_RELAY_FINISHED, "id", ID, OF(finished, query_id)},
    {HDHT_RELAY_LOOKUP, "id", ID, OF(lookup, query_id)},
    {HDHT_RELAY_LOOKUP, "topic", FIXED_32, OF(lookup, topic)},
    {HDHT_RELAY_ANNOUNCE, "id", ID, OF(announce, query_id)},
    {HDHT_RELAY_ANNOUNCE, "topic", FIXED_32, OF(announce, topic)},
    {HDHT_RELAY_ANNOUNCE, "publicKey", FIXED_32, OF(announce, public_key)},
    {HDHT_RELAY_ANNOUNCE, "secretKey", FIXED_64, OF(announce, secret_key)},
    {HDHT_RELAY_UNANNOUNCE, "id", ID, OF(announce, query_id)},
    {HDHT_RELAY_UNANNOUNCE, "topic", FIXED_32, OF(announce, topic)},
    {HDHT_RELAY_UNANNOUNCE, "publicKey", FIXED_32, OF(announce, public_key)},
    {HDHT_RELAY_UNANNOUNCE, "secretKey", FIXED_64, OF(announce, secret_key)},
    {HDHT_RELAY_SIGN_ANNOUNCE, "id", ID, OF(sign, id)},
    {HDHT_RELAY_SIGN_ANNOUNCE, "signee", ID, OF(sign, signee)},
    {HDHT_RELAY_SIGN_ANNOUNCE, "token", FIXED_32, OF(sign, token)},
    {HDHT_RELAY_SIGN_ANNOUNCE, "peerId", BYTES, OF(sign, peer_id)},
    {HDHT_RELAY_SIGN_ANNOUNCE, "relayAddresses", ADDRESSES, OF(sign, relay_addresses)},
    {HDHT_RELAY_SIGN_UNANNOUNCE, "id", ID, OF(sign, id)},
    {HDHT_RELAY_SIGN_UNANNOUNCE, "signee", ID, OF(sign, signee)},
    {HDHT_RELAY_SIGN_UNANNOUNCE, "token", FIXED_32, OF(sign, token)},
    {HDHT_RELAY_SIGN_UNANNOUNCE, "peerId", BYTES, OF(sign, peer_id)},
    {HDHT_RELAY_SIGN_UNANNOUNCE, "relayAddresses", ADDRESSES, OF(sign, relay_addresses)},
    {HDHT_RELAY_SIGNATURE, "id", ID, OF(signature, id)},
    {HDHT_RELAY_SIGNATURE, "signature", BYTES, OF(signature, signature)},
    {HDHT_RELAY_NOISE_SEND, "id", ID, OF(noise_send, id)},
    {HDHT_RELAY_NOISE_SEND, "remoteStreamAlias", ID, OF(noise_send, remote_stream_alias)},
    {HDHT_RELAY_NOISE_SEND, "payload", BYTES, OF(noise_send, payload)},
    {HDHT_RELAY_NOISE_RECEIVE, "id", ID, OF(noise_receive, id)},
    {HDHT_RELAY_NOISE_RECEIVE, "serverAlias", ID, OF(noise_receive, server_alias)},
    {HDHT_RELAY_NOISE_RECEIVE, "payload", BYTES, OF(noise_receive, payload)},
    {HDHT_RELAY_NOISE_REPLY, "id", ID, OF(noise_reply, id)},
    {HDHT_RELAY_NOISE_REPLY, "payload", BYTES, OF(noise_reply, payload)},
    {HDHT_RELAY_NOISE_REPLY, "remotePublicKey", FIXED_32, OF(noise_reply, remote_public_key)},
    {HDHT_RELAY_NOISE_REPLY, "remoteId", FIXED_32, OF(noise_reply, remote_id)},
    {HDHT_RELAY_NOISE_REPLY, "holepunchSecret", FIXED_32, OF(noise_reply, holepunch_secret)},
};

static const json_member *find_member(uint32_t type, const char *key) {
  for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
    if (members[i].type == type && strcmp(members[i].key, key) == 0) return &members[i];
  }
  return NULL;
}

static bool is_null(const hd_json *value) {
  return value == NULL || value->kind == HD_JSON_NULL;
}

static bool flag_of(const char *key, uint32_t *flag) {
  if (strcmp(key, "custodial") == 0) return *flag = HDHT_RELAY_FLAG_CUSTODIAL, true;
  if (strcmp(key, "paired") == 0) return *flag = HDHT_RELAY_FLAG_PAIRED, true;
  if (strcmp(key, "isInitiator") == 0) return *flag = HDHT_RELAY_FLAG_INITIATOR, true;
  if (strcmp(key, "complete") == 0) return *flag = HDHT_RELAY_FLAG_COMPLETE, true;
  return false;
}

static uint32_t flags_of(const hd_json *fields) {
  uint32_t flags = 0, flag;
  HD_JSON_EACH(value, fields) {
    if (flag_of(value->key, &flag) && value->truth) flags |= flag;
  }
  return flags;
}

/* From JSON. */

static hdht_bytes bytes_of(const hd_json *hex) {
  hdht_bytes bytes;
  bytes.data = hd_vector_hex(hex, &bytes.size);
  return bytes;
}

static hdht_address address_of(const hd_json *value) {
  hdht_address address = {0};
  VECTOR_CHECK(hd_address_parse_host(hd_json_text(value, "host", ""), &address) == HDHT_OK);
  address.port = (uint16_t)hd_json_integer(value, "port", 0);
  return address;
}

static hdht_address_list addresses_of(const hd_json *values) {
  const size_t count = hd_json_count(values);
  hdht_address *array = hd_vector_scratch(count * sizeof *array);
  size_t i = 0;
  HD_JSON_EACH(value, values) {
    array[i++] = address_of(value);
  }
  return (hdht_address_list){.array = array, .count = count};
}

static hdht_relay_chunks chunks_of(const hd_json *values) {
  const size_t count = hd_json_count(values);
  hdht_bytes *array = hd_vector_scratch(count * sizeof *array);
  size_t i = 0;
  HD_JSON_EACH(value, values) {
    array[i++] = bytes_of(value);
  }
  return (hdht_relay_chunks){.array = array, .count = count};
}

static void set_member(const json_member *member, const hd_json *value, const hd_json *fields, hdht_relay_body *body) {
  void *to = (uint8_t *)body + member->offset;
  switch (member->kind) {
    case ID: *(uint32_t *)to = (uint32_t)value->integer; break;
    case FIXED_32:
    case FIXED_64: *(const uint8_t **)to = bytes_of(value).data; break;
    case BYTES: *(hdht_bytes *)to = bytes_of(value); break;
    case TEXT: *(hdht_bytes *)to = hd_bytes_of(value->text, value->text_size); break;
    case ADDRESS: *(hdht_address *)to = address_of(fields); break;
    case ADDRESSES: *(hdht_address_list *)to = addresses_of(value); break;
    case CHUNKS: *(hdht_relay_chunks *)to = chunks_of(value); break;
  }
}

hdht_relay_message hd_relay_message_of_json(uint32_t type, const hd_json *fields) {
  hdht_relay_message message = {.type = type};
  HD_JSON_EACH(value, fields) {
    const json_member *member = find_member(type, value->key);
    if (member != NULL && !is_null(value)) set_member(member, value, fields, &message.body);
  }
  /* The reference takes an empty text for none. */
  uint32_t flags = flags_of(fields);
  if (type == HDHT_RELAY_DESTROY && message.body.destroy.error.size > 0) flags |= HDHT_RELAY_FLAG_ERROR;
  if (flags != 0) memcpy(&message.body, &flags, sizeof flags);
  return message;
}

static hdht_contact contact_of(const hd_json *value) {
  return (hdht_contact){.id = bytes_of(hd_json_get(value, "id")), .address = address_of(value)};
}

hdht_announcers hd_announcers_of_json(const hd_json *fields) {
  const hd_json *peers = hd_json_get(fields, "peers");
  const size_t count = hd_json_count(peers);
  hdht_peer *array = hd_vector_scratch(count * sizeof *array);
  size_t i = 0;
  HD_JSON_EACH(peer, peers) {
    array[i++] = (hdht_peer){.public_key = bytes_of(hd_json_get(peer, "publicKey")).data,
                             .relay_addresses = addresses_of(hd_json_get(peer, "relayAddresses"))};
  }
  return (hdht_announcers){.token = bytes_of(hd_json_get(fields, "token")).data,
                           .from = contact_of(hd_json_get(fields, "from")),
                           .to = contact_of(hd_json_get(fields, "to")),
                           .peers = {.array = array, .count = count}};
}

/* Comparison. */

static void check_fixed(const hd_json *expected, const uint8_t *actual, size_t size) {
  if (is_null(expected)) {
    VECTOR_CHECK(actual == NULL);
  } else if (VECTOR_CHECK(actual != NULL)) {
    hd_vector_check_hex(expected, actual, size, expected->key);
  }
}

static void check_bytes(const hd_json *expected, hdht_bytes actual) {
  if (is_null(expected)) {
    VECTOR_CHECK(actual.size == 0);
  } else {
    hd_vector_check_hex(expected, actual.data, actual.size, "bytes");
  }
}

/* Text is lent as it is; where the reference shows U+FFFD for bad UTF-8, it cannot be compared. */
static void check_text(const hd_json *expected, hdht_bytes actual) {
  if (is_null(expected)) {
    VECTOR_CHECK(actual.size == 0);
  } else if (strstr(expected->text, "\xef\xbf\xbd") == NULL) {
    VECTOR_CHECK(hd_bytes_equal(actual, hd_bytes_of(expected->text, expected->text_size)));
  }
}

static void check_address(const hd_json *expected, const hdht_address *actual) {
  const hdht_address wanted = address_of(expected);
  VECTOR_CHECK(hd_address_equal(&wanted, actual));
  VECTOR_CHECK(actual->family == hd_json_integer(expected, "family", HDHT_FAMILY_IPV4));
}

static void check_addresses(const hd_json *expected, hdht_address_list actual) {
  VECTOR_CHECK(actual.count == hd_json_count(expected));
  HD_JSON_EACH(value, expected) {
    hdht_address address;
    if (VECTOR_CHECK(hdht_address_list_next(&actual, &address) == 1)) check_address(value, &address);
  }
}

static void check_chunks(const hd_json *expected, hdht_relay_chunks actual) {
  VECTOR_CHECK(actual.count == hd_json_count(expected));
  HD_JSON_EACH(value, expected) {
    hdht_bytes chunk;
    if (VECTOR_CHECK(hdht_relay_chunks_next(&actual, &chunk) == 1)) check_bytes(value, chunk);
  }
}

static void check_member(const json_member *member, const hd_json *expected, const hd_json *fields,
                         const hdht_relay_body *body) {
  const void *from = (const uint8_t *)body + member->offset;
  switch (member->kind) {
    case ID: VECTOR_CHECK(*(const uint32_t *)from == (is_null(expected) ? 0 : expected->integer)); break;
    case FIXED_32: check_fixed(expected, *(const uint8_t *const *)from, 32); break;
    case FIXED_64: check_fixed(expected, *(const uint8_t *const *)from, 64); break;
    case BYTES: check_bytes(expected, *(const hdht_bytes *)from); break;
    case TEXT: check_text(expected, *(const hdht_bytes *)from); break;
    case ADDRESS: check_address(fields, from); break;
    case ADDRESSES: check_addresses(expected, *(const hdht_address_list *)from); break;
    case CHUNKS: check_chunks(expected, *(const hdht_relay_chunks *)from); break;
  }
}

static void check_flags(const hdht_relay_message *message, const hd_json *expected) {
  uint32_t wanted = flags_of(expected), actual;
  if (message->type == HDHT_RELAY_DESTROY && !is_null(hd_json_get(expected, "error"))) wanted |= HDHT_RELAY_FLAG_ERROR;
  memcpy(&actual, &message->body, sizeof actual);
  VECTOR_CHECK(actual == wanted);
}

void hd_relay_message_check(const hdht_relay_message *message, const hd_json *expected) {
  bool has_flags = false;
  HD_JSON_EACH(value, expected) {
    uint32_t flag;
    const json_member *member = find_member(message->type, value->key);
    if (member != NULL) {
      check_member(member, value, expected, &message->body);
    } else if (flag_of(value->key, &flag)) {
      has_flags = true;
    } else {
      VECTOR_CHECK(strcmp(value->key, "family") == 0 || strcmp(value->key, "port") == 0); /* part of "host" */
    }
  }
  if (has_flags) check_flags(message, expected);
}

static void check_contact(const hdht_contact *actual, const hd_json *expected) {
  check_bytes(hd_json_get(expected, "id"), actual->id);
  check_address(expected, &actual->address);
}

void hd_announcers_check(const hdht_announcers *announcers, const hd_json *expected) {
  const hd_json *peers = hd_json_get(expected, "peers");
  check_fixed(hd_json_get(expected, "token"), announcers->token, HDHT_TOKEN_SIZE);
  check_contact(&announcers->from, hd_json_get(expected, "from"));
  check_contact(&announcers->to, hd_json_get(expected, "to"));
  VECTOR_CHECK(announcers->peers.count == hd_json_count(peers));
  hdht_peer_list rest = announcers->peers;
  HD_JSON_EACH(value, peers) {
    hdht_peer peer;
    if (!VECTOR_CHECK(hdht_peer_list_next(&rest, &peer) == 1)) return;
    check_fixed(hd_json_get(value, "publicKey"), peer.public_key, HDHT_PUBLIC_KEY_SIZE);
    check_addresses(hd_json_get(value, "relayAddresses"), peer.relay_addresses);
  }
}
