/* hyperdht-messages.json: the payloads of HyperDHT's commands and of blind-relay, with their hashes and signatures.
 *
 * A codec is checked in both directions: the values of the case write as its bytes, its bytes read as something that
 * writes as the values do. */
#include <string.h>

#include "messages/message_announce.h"
#include "messages/message_blind_relay.h"
#include "messages/message_handshake.h"
#include "messages/message_holepunch.h"
#include "messages/message_noise_payload.h"
#include "messages/message_plugin.h"
#include "messages/message_record.h"
#include "messages/message_token.h"
#include "vectors_values.h"

typedef struct message_codec {
  const char *message;
  size_t size_of; /* of the C type */
  void (*build)(const hd_json *values, void *message);
  int (*read)(hd_reader *reader, void *message);
  int (*write)(hd_writer *writer, const void *message);
  int (*size)(const void *message, size_t *size);
} message_codec;

static bool is_present(const hd_json *value) {
  return value != NULL && value->kind != HD_JSON_NULL;
}

/* The same three functions with untyped messages. */
#define CODEC_OF(type, name)                                        \
  static int read_##name(hd_reader *reader, void *message) {        \
    return hd_messages_read_##name(reader, (type *)message);        \
  }                                                                 \
  static int write_##name(hd_writer *writer, const void *message) { \
    return hd_messages_write_##name(writer, (const type *)message); \
  }                                                                 \
  static int size_##name(const void *message, size_t *size) {       \
    return hd_messages_##name##_size((const type *)message, size);  \
  }
#define CODEC(name) CODEC_OF(hd_messages_##name, name)

CODEC(handshake)
static void build_handshake(const hd_json *values, void *message) {
  *(hd_messages_handshake *)message = (hd_messages_handshake){
      .mode = (hd_messages_mode)hd_json_integer(values, "mode", 9),
      .noise = hd_vector_bytes(hd_json_get(values, "noise")),
      .peer_address = hd_vector_address(hd_json_get(values, "peerAddress")),
      .relay_address = hd_vector_address(hd_json_get(values, "relayAddress")),
  };
}

CODEC(holepunch)
static void build_holepunch(const hd_json *values, void *message) {
  *(hd_messages_holepunch *)message = (hd_messages_holepunch){
      .mode = (hd_messages_mode)hd_json_integer(values, "mode", 9),
      .id = hd_json_integer(values, "id", 0),
      .payload = hd_vector_bytes(hd_json_get(values, "payload")),
      .peer_address = hd_vector_address(hd_json_get(values, "peerAddress")),
  };
}

static hd_messages_relay_list relays_of(const hd_json *values) {
  hd_messages_relay *relays = hd_vector_scratch(hd_json_count(values) * sizeof *relays);
  size_t count = 0;
  HD_JSON_EACH(value, values) {
    relays[count++] = (hd_messages_relay){.relay_address = hd_vector_address(hd_json_get(value, "relayAddress")),
                                          .peer_address = hd_vector_address(hd_json_get(value, "peerAddress"))};
  }
  return (hd_messages_relay_list){.array = relays, .count = count};
}

CODEC(noise_payload)
static void build_noise_payload(const hd_json *values, void *message) {
  const hd_json *holepunch = hd_json_get(values, "holepunch"), *udx = hd_json_get(values, "udx");
  const hd_json *through = hd_json_get(values, "relayThrough");
  hd_messages_noise_payload payload = {
      .error = hd_json_integer(values, "error", 0),
      .nat = hd_json_integer(values, "firewall", 0),
      .has_holepunch = is_present(holepunch),
      .has_udx = is_present(udx),
      .has_secret_stream = is_present(hd_json_get(values, "secretStream")),
      .has_relay_through = is_present(through),
      .has_relay_addresses = is_present(hd_json_get(values, "relayAddresses")),
      .holepunch_id = hd_json_integer(holepunch, "id", 0),
      .holepunch_relays = relays_of(hd_json_get(holepunch, "relays")),
      .addresses4 = hd_vector_address_list(hd_json_get(values, "addresses4")),
      .udx = {.is_socket_reusable = hd_json_truth(udx, "reusableSocket", false),
              .id = (uint32_t)hd_json_integer(udx, "id", 0),
              .seq = (uint32_t)hd_json_integer(udx, "seq", 0)},
      .relay_through = {.public_key = hd_vector_fixed(hd_json_get(through, "publicKey"), HDHT_PUBLIC_KEY_SIZE),
                        .token = hd_vector_fixed(hd_json_get(through, "token"), HDHT_TOKEN_SIZE)},
      .relay_addresses = hd_vector_address_list(hd_json_get(values, "relayAddresses")),
  };
  payload.addresses6.array = hd_vector_addresses(hd_json_get(values, "addresses6"), &payload.addresses6.count);
  *(hd_messages_noise_payload *)message = payload;
}

CODEC(holepunch_payload)
static void build_holepunch_payload(const hd_json *values, void *message) {
  *(hd_messages_holepunch_payload *)message = (hd_messages_holepunch_payload){
      .error = hd_json_integer(values, "error", 0),
      .nat = hd_json_integer(values, "firewall", 0),
      .round = hd_json_integer(values, "round", 0),
      .is_connected = hd_json_truth(values, "connected", false),
      .is_punching = hd_json_truth(values, "punching", false),
      .has_addresses = is_present(hd_json_get(values, "addresses")),
      .addresses = hd_vector_address_list(hd_json_get(values, "addresses")),
      .remote_address = hd_vector_address(hd_json_get(values, "remoteAddress")),
      .token = hd_vector_fixed(hd_json_get(values, "token"), HDHT_TOKEN_SIZE),
      .remote_token = hd_vector_fixed(hd_json_get(values, "remoteToken"), HDHT_TOKEN_SIZE),
  };
}

CODEC_OF(hdht_peer, peer)
static void build_peer(const hd_json *values, void *message) {
  *(hdht_peer *)message = hd_vector_peer(values);
}

CODEC(announce)
static void build_announce(const hd_json *values, void *message) {
  const hd_json *peer = hd_json_get(values, "peer");
  *(hd_messages_announce *)message = (hd_messages_announce){
      .has_peer = is_present(peer),
      .peer = hd_vector_peer(peer),
      .refresh = hd_vector_fixed(hd_json_get(values, "refresh"), HDHT_HASH_SIZE),
      .signature = hd_vector_fixed(hd_json_get(values, "signature"), HDHT_SIGNATURE_SIZE),
      .bump = hd_json_integer(values, "bump", 0),
  };
}

/* The reference's encoder is given records as bytes; its decoder returns objects. */
static hdht_peer record_of(const hd_json *value) {
  if (value->kind != HD_JSON_STRING) return hd_vector_peer(value);
  hdht_peer peer = {0};
  hd_reader reader = hd_reader_of(hd_vector_bytes(value));
  VECTOR_CHECK(hd_messages_read_peer(&reader, &peer) == HDHT_OK && hd_reader_remaining(&reader) == 0);
  return peer;
}

CODEC(lookup_reply)
static void build_lookup_reply(const hd_json *values, void *message) {
  const hd_json *records = hd_json_get(values, "peers");
  hdht_peer *peers = hd_vector_scratch(hd_json_count(records) * sizeof *peers);
  size_t count = 0;
  HD_JSON_EACH(record, records) peers[count++] = record_of(record);
  *(hd_messages_lookup_reply *)message = (hd_messages_lookup_reply){
      .peers = {.array = peers, .count = count},
      .bump = hd_json_integer(values, "bump", 0),
  };
}

CODEC(mutable_put)
static void build_mutable_put(const hd_json *values, void *message) {
  *(hd_messages_mutable_put *)message = (hd_messages_mutable_put){
      .public_key = hd_vector_fixed(hd_json_get(values, "publicKey"), HDHT_PUBLIC_KEY_SIZE),
      .seq = hd_json_integer(values, "seq", 0),
      .value = hd_vector_bytes(hd_json_get(values, "value")),
      .signature = hd_vector_fixed(hd_json_get(values, "signature"), HDHT_SIGNATURE_SIZE),
  };
}

CODEC(mutable_found)
static void build_mutable_found(const hd_json *values, void *message) {
  *(hd_messages_mutable_found *)message = (hd_messages_mutable_found){
      .seq = hd_json_integer(values, "seq", 0),
      .value = hd_vector_bytes(hd_json_get(values, "value")),
      .signature = hd_vector_fixed(hd_json_get(values, "signature"), HDHT_SIGNATURE_SIZE),
  };
}

CODEC(plugin_request)
static void build_plugin_request(const hd_json *values, void *message) {
  const hd_json *name = hd_json_get(values, "plugin"), *value = hd_json_get(values, "value");
  *(hd_messages_plugin_request *)message = (hd_messages_plugin_request){
      .plugin = name != NULL ? hd_bytes_of(name->text, name->text_size) : (hd_bytes){0},
      .version = hd_json_integer(values, "version", 0),
      .command = hd_json_integer(values, "command", 0),
      .has_value = is_present(value),
      .value = hd_vector_bytes(value),
  };
}

CODEC(pair)
static void build_pair(const hd_json *values, void *message) {
  *(hd_messages_pair *)message = (hd_messages_pair){
      .is_initiator = hd_json_truth(values, "isInitiator", false),
      .token = hd_vector_fixed(hd_json_get(values, "token"), HDHT_TOKEN_SIZE),
      .id = (uint32_t)hd_json_integer(values, "id", 0),
      .seq = (uint32_t)hd_json_integer(values, "seq", 0),
  };
}

CODEC(unpair)
static void build_unpair(const hd_json *values, void *message) {
  *(hd_messages_unpair *)message =
      (hd_messages_unpair){.token = hd_vector_fixed(hd_json_get(values, "token"), HDHT_TOKEN_SIZE)};
}

#define ENTRY_OF(type, text, name) \
  { text, sizeof(type), build_##name, read_##name, write_##name, size_##name }
#define ENTRY(text, name) ENTRY_OF(hd_messages_##name, text, name)

static const message_codec codecs[] = {
    ENTRY("handshake", handshake),
    ENTRY("holepunch", holepunch),
    ENTRY("noisePayload", noise_payload),
    ENTRY("holepunchPayload", holepunch_payload),
    ENTRY_OF(hdht_peer, "peer", peer),
    ENTRY("announce", announce),
    ENTRY("lookupRawReply", lookup_reply),
    ENTRY("mutablePutRequest", mutable_put),
    ENTRY("mutableGetResponse", mutable_found),
    ENTRY("pluginRequest", plugin_request),
    ENTRY("blindRelayPair", pair),
    ENTRY("blindRelayUnpair", unpair),
};

/* The bytes of a message; also checks that one byte less of room is refused. */
static hd_bytes written(const message_codec *codec, const void *message) {
  size_t size = 0;
  if (!VECTOR_CHECK(codec->size(message, &size) == HDHT_OK && size > 0)) return (hd_bytes){0};
  uint8_t *bytes = hd_vector_scratch(size);
  hd_writer writer = hd_writer_of(bytes, size - 1);
  VECTOR_CHECK(codec->write(&writer, message) == HDHT_ERR_BUFFER_TOO_SMALL && writer.next == bytes);
  writer = hd_writer_of(bytes, size);
  VECTOR_CHECK(codec->write(&writer, message) == HDHT_OK && writer.next == bytes + size);
  return hd_bytes_of(bytes, size);
}

static void check_refused(const message_codec *codec, const hd_json *item) {
  const hd_bytes bytes = hd_vector_bytes(hd_json_get(item, "hex"));
  void *message = hd_vector_scratch(codec->size_of);
  hd_reader reader = hd_reader_of(bytes);
  const int error = codec->read(&reader, message);
  const bool is_too_large = strstr(hd_json_text(item, "error", ""), "too big") != NULL;
  VECTOR_CHECK(error == (is_too_large ? HDHT_ERR_TOO_LARGE : HDHT_ERR_TRUNCATED));
  VECTOR_CHECK(reader.next == bytes.data);
}

static void check_versions(const hd_json *item, const hd_messages_noise_payload *payload) {
  const hd_json *decoded = hd_json_get(item, "decoded");
  VECTOR_CHECK(payload->version == hd_json_integer(decoded, "version", 99));
  VECTOR_CHECK(payload->udx.version == hd_json_integer(hd_json_get(decoded, "udx"), "version", 0));
  VECTOR_CHECK(payload->secret_stream_version == hd_json_integer(hd_json_get(decoded, "secretStream"), "version", 0));
  VECTOR_CHECK(payload->relay_through.version == hd_json_integer(hd_json_get(decoded, "relayThrough"), "version", 0));
}

/* No start of a message reads as one, but for a lookup reply that lacks nothing but its bump. */
static void check_truncated(const message_codec *codec, hd_bytes message) {
  void *found = hd_vector_scratch(codec->size_of);
  size_t accepted = 0;
  for (size_t size = 0; size < message.size; size++) {
    uint8_t *start = hd_vector_scratch(size); /* exact, so that a sanitizer sees a read past the end */
    if (size > 0) memcpy(start, message.data, size);
    hd_reader reader = hd_reader_of(hd_bytes_of(start, size));
    const int error = codec->read(&reader, found);
    VECTOR_CHECK(error == HDHT_OK || (error == HDHT_ERR_TRUNCATED && reader.next == start));
    if (error == HDHT_OK) accepted++;
  }
  VECTOR_CHECK(accepted == (codec->read == read_lookup_reply));
}

static void check_codec(const message_codec *codec, const hd_json *item) {
  const hd_json *hex = hd_json_get(item, "hex"), *encode = hd_json_get(item, "encode");
  const hd_bytes bytes = hd_vector_bytes(hex);
  void *given = hd_vector_scratch(codec->size_of), *found = hd_vector_scratch(codec->size_of);
  if (encode != NULL) {
    codec->build(encode, given);
    const hd_bytes out = written(codec, given);
    hd_vector_check_hex(hex, out.data, out.size, "written");
  }

  hd_reader reader = hd_reader_of(bytes);
  if (!VECTOR_CHECK(codec->read(&reader, found) == HDHT_OK)) return;
  const size_t consumed = (size_t)(reader.next - bytes.data);
  VECTOR_CHECK(consumed == hd_json_integer(item, "consumed", bytes.size));
  if (encode != NULL) check_truncated(codec, bytes);
  if (codec->read == read_noise_payload) check_versions(item, found);
  codec->build(hd_json_get(item, "decoded"), given);
  VECTOR_CHECK(hd_bytes_equal(written(codec, given), written(codec, found)));
}

/* Everything that is no codec. */

static void check_secure_payload(const hd_json *item) {
  const hd_bytes sealed = hd_vector_bytes(hd_json_get(item, "hex"));
  const uint8_t *secret = hd_vector_fixed(hd_json_get(item, "holepunchSecret"), HD_BOX_KEY_SIZE);
  uint8_t *plaintext = hd_vector_scratch(sealed.size);
  hd_messages_holepunch_payload payload, expected;
  const int error = hd_messages_open_holepunch_payload(sealed, secret, plaintext, sealed.size, &payload);
  if (hd_json_get(item, "error") != NULL) {
    VECTOR_CHECK(error == HDHT_ERR_DECRYPTION);
    return;
  }
  if (!VECTOR_CHECK(error == HDHT_OK)) return;
  const size_t size = sealed.size - HD_MESSAGES_HOLEPUNCH_OVERHEAD;
  hd_vector_check_hex(hd_json_get(item, "plaintext"), plaintext, size, "plaintext");
  VECTOR_CHECK(hd_messages_open_holepunch_payload(sealed, secret, plaintext, size - 1, &payload) ==
               HDHT_ERR_BUFFER_TOO_SMALL);

  build_holepunch_payload(hd_json_get(item, "decoded"), &expected);
  const uint8_t *nonce = hd_vector_fixed(hd_json_get(item, "nonce"), HD_BOX_NONCE_SIZE);
  uint8_t *out = hd_vector_scratch(sealed.size);
  hd_writer writer = hd_writer_of(out, sealed.size - 1);
  VECTOR_CHECK(hd_messages_seal_holepunch_payload(&writer, &expected, secret, nonce) == HDHT_ERR_BUFFER_TOO_SMALL);
  writer = hd_writer_of(out, sealed.size);
  VECTOR_CHECK(hd_messages_seal_holepunch_payload(&writer, &expected, secret, nonce) == HDHT_OK);
  hd_vector_check_hex(hd_json_get(item, "hex"), out, (size_t)(writer.next - out), "sealed");
}

static void check_holepunch_token(const hd_json *item) {
  const uint8_t *secret = hd_vector_fixed(hd_json_get(item, "localSecret"), HD_MESSAGES_TOKEN_SECRET_SIZE);
  const hd_address host = hd_vector_address(item);
  uint8_t token[HDHT_TOKEN_SIZE];
  hd_messages_token(secret, &host, token);
  hd_vector_check_hex(hd_json_get(item, "hex"), token, sizeof token, "token");
}

static void check_numbers(const hd_json *item) {
  const hd_json *commands = hd_json_get(item, "commands"), *errors = hd_json_get(item, "error");
  const hd_json *nats = hd_json_get(item, "firewall");
  VECTOR_CHECK(hd_json_integer(commands, "PEER_HANDSHAKE", 99) == HD_MESSAGES_PEER_HANDSHAKE);
  VECTOR_CHECK(hd_json_integer(commands, "PEER_HOLEPUNCH", 99) == HD_MESSAGES_PEER_HOLEPUNCH);
  VECTOR_CHECK(hd_json_integer(commands, "FIND_PEER", 99) == HD_MESSAGES_FIND_PEER);
  VECTOR_CHECK(hd_json_integer(commands, "LOOKUP", 99) == HD_MESSAGES_LOOKUP);
  VECTOR_CHECK(hd_json_integer(commands, "ANNOUNCE", 99) == HD_MESSAGES_ANNOUNCE);
  VECTOR_CHECK(hd_json_integer(commands, "UNANNOUNCE", 99) == HD_MESSAGES_UNANNOUNCE);
  VECTOR_CHECK(hd_json_integer(commands, "MUTABLE_PUT", 99) == HD_MESSAGES_MUTABLE_PUT);
  VECTOR_CHECK(hd_json_integer(commands, "MUTABLE_GET", 99) == HD_MESSAGES_MUTABLE_GET);
  VECTOR_CHECK(hd_json_integer(commands, "IMMUTABLE_PUT", 99) == HD_MESSAGES_IMMUTABLE_PUT);
  VECTOR_CHECK(hd_json_integer(commands, "IMMUTABLE_GET", 99) == HD_MESSAGES_IMMUTABLE_GET);
  VECTOR_CHECK(hd_json_integer(commands, "PLUGIN", 99) == HD_MESSAGES_PLUGIN);
  VECTOR_CHECK(hd_json_integer(nats, "UNKNOWN", 99) == HD_MESSAGES_NAT_UNKNOWN);
  VECTOR_CHECK(hd_json_integer(nats, "OPEN", 99) == HD_MESSAGES_NAT_OPEN);
  VECTOR_CHECK(hd_json_integer(nats, "CONSISTENT", 99) == HD_MESSAGES_NAT_CONSISTENT);
  VECTOR_CHECK(hd_json_integer(nats, "RANDOM", 99) == HD_MESSAGES_NAT_RANDOM);
  VECTOR_CHECK(hd_json_integer(errors, "NONE", 99) == HD_MESSAGES_ERROR_NONE);
  VECTOR_CHECK(hd_json_integer(errors, "ABORTED", 99) == HD_MESSAGES_ERROR_ABORTED);
  VECTOR_CHECK(hd_json_integer(errors, "VERSION_MISMATCH", 99) == HD_MESSAGES_ERROR_VERSION_MISMATCH);
  VECTOR_CHECK(hd_json_integer(errors, "TRY_LATER", 99) == HD_MESSAGES_ERROR_TRY_LATER);
  VECTOR_CHECK(hd_json_integer(errors, "SEQ_REUSED", 99) == HD_MESSAGES_ERROR_SEQ_REUSED);
  VECTOR_CHECK(hd_json_integer(errors, "SEQ_TOO_LOW", 99) == HD_MESSAGES_ERROR_SEQ_TOO_LOW);
}

static void check_constants(const hd_json *item) {
  const hd_json *names = hd_json_get(item, "namespaces");
  hd_vector_check_hex(hd_json_get(names, "ANNOUNCE"), hd_namespace_announce, HD_HASH_SIZE, "ANNOUNCE");
  hd_vector_check_hex(hd_json_get(names, "UNANNOUNCE"), hd_namespace_unannounce, HD_HASH_SIZE, "UNANNOUNCE");
  hd_vector_check_hex(hd_json_get(names, "MUTABLE_PUT"), hd_namespace_mutable_put, HD_HASH_SIZE, "MUTABLE_PUT");
  hd_vector_check_hex(hd_json_get(names, "PEER_HANDSHAKE"), hd_namespace_peer_handshake, HD_HASH_SIZE, "HANDSHAKE");
  hd_vector_check_hex(hd_json_get(names, "PEER_HOLEPUNCH"), hd_namespace_peer_holepunch, HD_HASH_SIZE, "HOLEPUNCH");
  hd_vector_check_hex(hd_json_get(names, "PLUGIN"), hd_namespace_plugin, HD_HASH_SIZE, "PLUGIN");
  check_numbers(item);
}

static void check_hash_of(const hd_json *input, const hd_json *expected) {
  const hd_bytes bytes = hd_vector_bytes(input);
  uint8_t hash[HD_HASH_SIZE];
  hd_hash(bytes.data, bytes.size, hash);
  hd_vector_check_hex(expected, hash, sizeof hash, "hash");
}

static hd_key_pair key_pair_of(const hd_json *item) {
  const uint8_t *seed = hd_vector_fixed(hd_json_get(item, "seed"), HD_SEED_SIZE);
  hd_key_pair key_pair;
  hd_key_pair_from_seed(&key_pair, seed);
  hd_vector_check_hex(hd_json_get(item, "publicKey"), key_pair.public_key, sizeof key_pair.public_key, "public key");
  return key_pair;
}

static void check_key_pair(const hd_json *item) {
  const hd_key_pair key_pair = key_pair_of(item);
  hd_vector_check_hex(hd_json_get(item, "secretKey"), key_pair.secret_key, sizeof key_pair.secret_key, "secret key");
  check_hash_of(hd_json_get(item, "publicKey"), hd_json_get(item, "targetOfKey"));
}

/* Signs, writes the whole value, reads it back, verifies, and verifies that nothing else was signed. */
static void check_announce_signature(const hd_json *item, const uint8_t *name_space, const uint8_t *other_name_space,
                                     const hd_json *signature_hex, const hd_json *value_hex) {
  const hd_key_pair key_pair = key_pair_of(item);
  const hdht_peer peer = {.public_key = key_pair.public_key,
                          .relay_addresses = hd_vector_address_list(hd_json_get(item, "relayAddresses"))};
  const uint8_t *refresh = hd_vector_fixed(hd_json_get(item, "refresh"), HDHT_HASH_SIZE);
  hd_messages_announce_scope scope = {
      .name_space = name_space,
      .target = hd_vector_fixed(hd_json_get(item, "target"), HDHT_HASH_SIZE),
      .node_id = hd_vector_fixed(hd_json_get(item, "nodeId"), HDHT_NODE_ID_SIZE),
      .token = hd_vector_fixed(hd_json_get(item, "token"), HDHT_TOKEN_SIZE),
  };
  uint8_t signature[HD_SIGNATURE_SIZE];
  VECTOR_CHECK(hd_messages_sign_announce(&scope, &peer, refresh, key_pair.secret_key, signature) == HDHT_OK);
  hd_vector_check_hex(signature_hex, signature, sizeof signature, "signature");

  const hd_messages_announce value = {.has_peer = true, .peer = peer, .refresh = refresh, .signature = signature};
  uint8_t bytes[512];
  hd_writer writer = hd_writer_of(bytes, sizeof bytes);
  VECTOR_CHECK(hd_messages_write_announce(&writer, &value) == HDHT_OK);
  hd_vector_check_hex(value_hex, bytes, (size_t)(writer.next - bytes), "value");

  hd_messages_announce found;
  hd_reader reader = hd_reader_of(hd_bytes_of(bytes, (size_t)(writer.next - bytes)));
  if (!VECTOR_CHECK(hd_messages_read_announce(&reader, &found) == HDHT_OK)) return;
  VECTOR_CHECK(hd_messages_verify_announce(&scope, &found) == HDHT_OK);
  scope.name_space = other_name_space;
  VECTOR_CHECK(hd_messages_verify_announce(&scope, &found) == HDHT_ERR_BAD_SIGNATURE);
  scope.name_space = name_space;
  scope.node_id = scope.target;
  VECTOR_CHECK(hd_messages_verify_announce(&scope, &found) == HDHT_ERR_BAD_SIGNATURE);
}

static void check_sign_announce(const hd_json *item) {
  check_announce_signature(item, hd_namespace_announce, hd_namespace_unannounce, hd_json_get(item, "announceSignature"),
                           hd_json_get(item, "announceValue"));
  check_announce_signature(item, hd_namespace_unannounce, hd_namespace_announce,
                           hd_json_get(item, "unannounceSignature"), hd_json_get(item, "unannounceValue"));
}

static void check_sign_mutable(const hd_json *item) {
  const hd_key_pair key_pair = key_pair_of(item);
  const uint64_t seq = hd_json_integer(item, "seq", 0);
  const hd_bytes value = hd_vector_bytes(hd_json_get(item, "value"));
  uint8_t signature[HD_SIGNATURE_SIZE];
  hd_messages_sign_mutable(seq, value, key_pair.secret_key, signature);
  hd_vector_check_hex(hd_json_get(item, "signature"), signature, sizeof signature, "signature");
  VECTOR_CHECK(hd_messages_verify_mutable(key_pair.public_key, seq, value, signature) == HDHT_OK);
  VECTOR_CHECK(hd_messages_verify_mutable(key_pair.public_key, seq + 1, value, signature) == HDHT_ERR_BAD_SIGNATURE);
  check_hash_of(hd_json_get(item, "publicKey"), hd_json_get(item, "target"));
}

static void check_mutable_signable(const hd_json *item) {
  const hd_json *values = hd_json_get(item, "encode");
  const hd_bytes encoded = hd_vector_bytes(hd_json_get(item, "hex"));
  uint8_t signable[2 * HD_HASH_SIZE], hash[HD_HASH_SIZE];
  hd_messages_mutable_signable(hd_json_integer(values, "seq", 0), hd_vector_bytes(hd_json_get(values, "value")),
                               signable);
  hd_hash(encoded.data, encoded.size, hash);
  VECTOR_CHECK(memcmp(signable, hd_namespace_mutable_put, HD_HASH_SIZE) == 0);
  VECTOR_CHECK(memcmp(signable + HD_HASH_SIZE, hash, HD_HASH_SIZE) == 0);
}

static void check_holepunch_secret(const hd_json *item) {
  const uint8_t *hash = hd_vector_fixed(hd_json_get(item, "handshakeHash"), HDHT_HANDSHAKE_HASH_SIZE);
  uint8_t secret[HD_BOX_KEY_SIZE];
  hd_messages_holepunch_secret(hash, secret);
  hd_vector_check_hex(hd_json_get(item, "hex"), secret, sizeof secret, "secret");
}

/* Nothing is derived: the token is the random bytes themselves. */
static void check_blind_relay_token(const hd_json *item) {
  VECTOR_CHECK(hd_json_integer(item, "length", 0) == HDHT_TOKEN_SIZE);
  const uint8_t *token = hd_vector_fixed(hd_json_get(item, "randomBytes"), HDHT_TOKEN_SIZE);
  const hd_messages_unpair unpair = {.token = token};
  uint8_t bytes[1 + HDHT_TOKEN_SIZE];
  hd_writer writer = hd_writer_of(bytes, sizeof bytes);
  VECTOR_CHECK(hd_messages_write_unpair(&writer, &unpair) == HDHT_OK);
  hd_vector_check_hex(hd_json_get(item, "hex"), bytes + 1, HDHT_TOKEN_SIZE, "token");
}

static void check_plain_hash(const hd_json *item) {
  check_hash_of(hd_json_get(item, "input"), hd_json_get(item, "hex"));
}

static void check_immutable(const hd_json *item) {
  check_hash_of(hd_json_get(item, "value"), hd_json_get(item, "hex"));
}

static const struct {
  const char *message;
  void (*check)(const hd_json *item);
} derivations[] = {
    {"secureHolepunchPayload", check_secure_payload},
    {"holepunchToken", check_holepunch_token},
    {"constants", check_constants},
    {"keyPair", check_key_pair},
    {"hash", check_plain_hash},
    {"signAnnounce", check_sign_announce},
    {"signMutable", check_sign_mutable},
    {"mutableSignable", check_mutable_signable},
    {"immutable", check_immutable},
    {"holepunchSecret", check_holepunch_secret},
    {"blindRelayToken", check_blind_relay_token},
};

static void check_case(const hd_json *item) {
  const char *message = hd_json_text(item, "message", "");
  for (size_t i = 0; i < sizeof derivations / sizeof derivations[0]; i++) {
    if (strcmp(derivations[i].message, message) == 0) derivations[i].check(item);
  }
  for (size_t i = 0; i < sizeof codecs / sizeof codecs[0]; i++) {
    if (strcmp(codecs[i].message, message) != 0) continue;
    const bool is_refused = hd_json_get(item, "error") != NULL;
    (is_refused ? check_refused : check_codec)(&codecs[i], item);
  }
}

VECTOR_FILE("hyperdht-messages.json", check_case)
