/* Any payload of any kind (chosen by the first byte): reading it reads nothing past the end, and what is accepted is
 * written in no more bytes than were read and then means the same. */
#include "fuzz_message.h"
#include "messages/message_announce.h"
#include "messages/message_blind_relay.h"
#include "messages/message_handshake.h"
#include "messages/message_holepunch.h"
#include "messages/message_noise_payload.h"
#include "messages/message_plugin.h"
#include "messages/message_record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fuzz_same_handshake(const hd_messages_handshake *a, const hd_messages_handshake *b) {
  FUZZ_CHECK(a->mode == b->mode && hd_bytes_equal(a->noise, b->noise));
  FUZZ_CHECK(hd_address_equal(&a->peer_address, &b->peer_address));
  FUZZ_CHECK(hd_address_equal(&a->relay_address, &b->relay_address));
}
FUZZ_ROUND(hd_messages_handshake, handshake)

static void fuzz_same_holepunch(const hd_messages_holepunch *a, const hd_messages_holepunch *b) {
  FUZZ_CHECK(a->mode == b->mode && a->id == b->id && hd_bytes_equal(a->payload, b->payload));
  FUZZ_CHECK(hd_address_equal(&a->peer_address, &b->peer_address));
}
FUZZ_ROUND(hd_messages_holepunch, holepunch)

static void same_relays(hd_messages_relay_list a, hd_messages_relay_list b) {
  FUZZ_CHECK(a.count == b.count);
  hd_messages_relay left, right;
  while (hd_messages_relay_list_next(&a, &left)) {
    FUZZ_CHECK(hd_messages_relay_list_next(&b, &right));
    FUZZ_CHECK(hd_address_equal(&left.relay_address, &right.relay_address));
    FUZZ_CHECK(hd_address_equal(&left.peer_address, &right.peer_address));
  }
}

static void same_ipv6_addresses(hd_messages_ipv6_list a, hd_messages_ipv6_list b) {
  FUZZ_CHECK(a.count == b.count);
  hd_address left, right;
  while (hd_messages_ipv6_list_next(&a, &left)) {
    FUZZ_CHECK(hd_messages_ipv6_list_next(&b, &right));
    FUZZ_CHECK(hd_address_equal(&left, &right));
  }
}

/* Versions are written as 1 whatever was read, so they need not be the same. */
static void fuzz_same_noise_payload(const hd_messages_noise_payload *a, const hd_messages_noise_payload *b) {
  FUZZ_CHECK(a->error == b->error && a->nat == b->nat);
  FUZZ_CHECK(a->has_holepunch == b->has_holepunch && a->holepunch_id == b->holepunch_id);
  same_relays(a->holepunch_relays, b->holepunch_relays);
  fuzz_same_addresses(a->addresses4, b->addresses4);
  same_ipv6_addresses(a->addresses6, b->addresses6);
  FUZZ_CHECK(a->has_udx == b->has_udx && a->udx.is_socket_reusable == b->udx.is_socket_reusable);
  FUZZ_CHECK(a->udx.id == b->udx.id && a->udx.seq == b->udx.seq);
  FUZZ_CHECK(a->has_secret_stream == b->has_secret_stream && a->has_relay_through == b->has_relay_through);
  fuzz_same_fixed(a->relay_through.public_key, b->relay_through.public_key, HDHT_PUBLIC_KEY_SIZE);
  fuzz_same_fixed(a->relay_through.token, b->relay_through.token, HDHT_TOKEN_SIZE);
  FUZZ_CHECK(a->has_relay_addresses == b->has_relay_addresses);
  fuzz_same_addresses(a->relay_addresses, b->relay_addresses);
}
FUZZ_ROUND(hd_messages_noise_payload, noise_payload)

static void fuzz_same_holepunch_payload(const hd_messages_holepunch_payload *a,
                                        const hd_messages_holepunch_payload *b) {
  FUZZ_CHECK(a->error == b->error && a->nat == b->nat && a->round == b->round);
  FUZZ_CHECK(a->is_connected == b->is_connected && a->is_punching == b->is_punching);
  FUZZ_CHECK(a->has_addresses == b->has_addresses);
  fuzz_same_addresses(a->addresses, b->addresses);
  FUZZ_CHECK(hd_address_equal(&a->remote_address, &b->remote_address));
  fuzz_same_fixed(a->token, b->token, HDHT_TOKEN_SIZE);
  fuzz_same_fixed(a->remote_token, b->remote_token, HDHT_TOKEN_SIZE);
}
FUZZ_ROUND(hd_messages_holepunch_payload, holepunch_payload)
FUZZ_ROUND(hdht_peer, peer)

static void fuzz_same_announce(const hd_messages_announce *a, const hd_messages_announce *b) {
  FUZZ_CHECK(a->has_peer == b->has_peer && a->bump == b->bump);
  if (a->has_peer) fuzz_same_peer(&a->peer, &b->peer);
  fuzz_same_fixed(a->refresh, b->refresh, HDHT_HASH_SIZE);
  fuzz_same_fixed(a->signature, b->signature, HDHT_SIGNATURE_SIZE);
}
FUZZ_ROUND(hd_messages_announce, announce)

static void fuzz_same_lookup_reply(const hd_messages_lookup_reply *a, const hd_messages_lookup_reply *b) {
  FUZZ_CHECK(a->bump == b->bump && a->peers.count == b->peers.count);
  hdht_peer_list left_rest = a->peers, right_rest = b->peers;
  hdht_peer left, right;
  while (hdht_peer_list_next(&left_rest, &left)) {
    FUZZ_CHECK(hdht_peer_list_next(&right_rest, &right) == 1);
    fuzz_same_peer(&left, &right);
  }
  FUZZ_CHECK(left_rest.count == 0 && right_rest.count == 0);
}
FUZZ_ROUND(hd_messages_lookup_reply, lookup_reply)

static void fuzz_same_mutable_put(const hd_messages_mutable_put *a, const hd_messages_mutable_put *b) {
  FUZZ_CHECK(a->seq == b->seq && hd_bytes_equal(a->value, b->value));
  fuzz_same_fixed(a->public_key, b->public_key, HDHT_PUBLIC_KEY_SIZE);
  fuzz_same_fixed(a->signature, b->signature, HDHT_SIGNATURE_SIZE);
}
FUZZ_ROUND(hd_messages_mutable_put, mutable_put)

static void fuzz_same_mutable_found(const hd_messages_mutable_found *a, const hd_messages_mutable_found *b) {
  FUZZ_CHECK(a->seq == b->seq && hd_bytes_equal(a->value, b->value));
  fuzz_same_fixed(a->signature, b->signature, HDHT_SIGNATURE_SIZE);
}
FUZZ_ROUND(hd_messages_mutable_found, mutable_found)

static void fuzz_same_mutable_get(const hd_messages_mutable_get *a, const hd_messages_mutable_get *b) {
  FUZZ_CHECK(a->seq_min == b->seq_min);
}
FUZZ_ROUND(hd_messages_mutable_get, mutable_get)

static void fuzz_same_plugin_request(const hd_messages_plugin_request *a, const hd_messages_plugin_request *b) {
  FUZZ_CHECK(hd_bytes_equal(a->plugin, b->plugin) && a->version == b->version && a->command == b->command);
  FUZZ_CHECK(a->has_value == b->has_value && hd_bytes_equal(a->value, b->value));
}
FUZZ_ROUND(hd_messages_plugin_request, plugin_request)

static void fuzz_same_pair(const hd_messages_pair *a, const hd_messages_pair *b) {
  FUZZ_CHECK(a->is_initiator == b->is_initiator && a->id == b->id && a->seq == b->seq);
  fuzz_same_fixed(a->token, b->token, HDHT_TOKEN_SIZE);
}
FUZZ_ROUND(hd_messages_pair, pair)

static void fuzz_same_unpair(const hd_messages_unpair *a, const hd_messages_unpair *b) {
  fuzz_same_fixed(a->token, b->token, HDHT_TOKEN_SIZE);
}
FUZZ_ROUND(hd_messages_unpair, unpair)

/* Reads a message and takes it through a round; `extra` bytes more may be written than were read. */
#define FUZZ_READ_AND_ROUND(type, name, extra)                            \
  static bool fuzz_read_##name(hd_reader *reader, type *message) {        \
    const uint8_t *start = reader->next;                                  \
    if (hd_messages_read_##name(reader, message) != HDHT_OK) {            \
      FUZZ_CHECK(reader->next == start);                                  \
      return false;                                                       \
    }                                                                     \
    fuzz_round_##name(message, (size_t)(reader->next - start) + (extra)); \
    return true;                                                          \
  }
FUZZ_READ_AND_ROUND(hd_messages_handshake, handshake, 0)
FUZZ_READ_AND_ROUND(hd_messages_holepunch, holepunch, 0)
FUZZ_READ_AND_ROUND(hd_messages_noise_payload, noise_payload, 3) /* of another version only that is read */
FUZZ_READ_AND_ROUND(hd_messages_holepunch_payload, holepunch_payload, 0)
FUZZ_READ_AND_ROUND(hdht_peer, peer, 0)
FUZZ_READ_AND_ROUND(hd_messages_announce, announce, 0)
FUZZ_READ_AND_ROUND(hd_messages_lookup_reply, lookup_reply, 1) /* the bump may be missing */
FUZZ_READ_AND_ROUND(hd_messages_mutable_put, mutable_put, 0)
FUZZ_READ_AND_ROUND(hd_messages_mutable_found, mutable_found, 0)
FUZZ_READ_AND_ROUND(hd_messages_mutable_get, mutable_get, 0)
FUZZ_READ_AND_ROUND(hd_messages_plugin_request, plugin_request, 0)
FUZZ_READ_AND_ROUND(hd_messages_pair, pair, 0)
FUZZ_READ_AND_ROUND(hd_messages_unpair, unpair, 0)

/* The lists as arrays of the caller's must come out the same. */
static void fuzz_noise_payload(hd_reader *reader) {
  hd_messages_noise_payload payload;
  if (!fuzz_read_noise_payload(reader, &payload)) return;
  hd_messages_noise_payload given = payload;
  hd_messages_relay *relays = malloc((payload.holepunch_relays.count + 1) * sizeof *relays);
  hd_address *addresses6 = malloc((payload.addresses6.count + 1) * sizeof *addresses6);
  FUZZ_CHECK(relays != NULL && addresses6 != NULL);
  hd_messages_relay_list relays_rest = payload.holepunch_relays;
  for (hd_messages_relay *relay = relays; hd_messages_relay_list_next(&relays_rest, relay);) relay++;
  hd_messages_ipv6_list addresses6_rest = payload.addresses6;
  for (hd_address *address = addresses6; hd_messages_ipv6_list_next(&addresses6_rest, address);) address++;
  given.holepunch_relays.array = relays;
  given.addresses6.array = addresses6;
  hdht_address *addresses4 = fuzz_address_array(payload.addresses4, &given.addresses4);
  hdht_address *relay_addresses = fuzz_address_array(payload.relay_addresses, &given.relay_addresses);
  size_t size = 0;
  FUZZ_CHECK(hd_messages_noise_payload_size(&payload, &size) == HDHT_OK);
  fuzz_round_noise_payload(&given, size);
  fuzz_same_noise_payload(&payload, &given);
  free(relays);
  free(addresses6);
  free(addresses4);
  free(relay_addresses);
}

/* Sealed and opened again it must be the same. */
static void fuzz_holepunch_payload(hd_reader *reader) {
  static const uint8_t secret[HD_BOX_KEY_SIZE] = {1}, nonce[HD_BOX_NONCE_SIZE] = {2};
  hd_messages_holepunch_payload payload, again;
  if (!fuzz_read_holepunch_payload(reader, &payload)) return;
  size_t size = 0;
  FUZZ_CHECK(hd_messages_holepunch_payload_size(&payload, &size) == HDHT_OK);
  uint8_t *sealed = malloc(HD_MESSAGES_HOLEPUNCH_OVERHEAD + size), *plaintext = malloc(size);
  FUZZ_CHECK(sealed != NULL && plaintext != NULL);
  hd_writer writer = hd_writer_of(sealed, HD_MESSAGES_HOLEPUNCH_OVERHEAD + size);
  FUZZ_CHECK(hd_messages_seal_holepunch_payload(&writer, &payload, secret, nonce) == HDHT_OK);
  const hd_bytes bytes = hd_bytes_of(sealed, (size_t)(writer.next - sealed));
  FUZZ_CHECK(hd_messages_open_holepunch_payload(bytes, secret, plaintext, size, &again) == HDHT_OK);
  fuzz_same_holepunch_payload(&payload, &again);
  free(sealed);
  free(plaintext);
}

/* Whatever is announced, in whichever form its lists are, the same bytes are signed. */
static void fuzz_announce(hd_reader *reader) {
  static const uint8_t fixed[HDHT_HASH_SIZE] = {3};
  hd_messages_announce announce;
  if (!fuzz_read_announce(reader, &announce) || !announce.has_peer) return;
  const hd_messages_announce_scope scope = {
      .name_space = hd_namespace_announce, .target = fixed, .node_id = fixed, .token = fixed};
  hdht_peer given = announce.peer;
  hdht_address *addresses = fuzz_address_array(announce.peer.relay_addresses, &given.relay_addresses);
  uint8_t signable[HD_MESSAGES_SIGNABLE_SIZE], again[HD_MESSAGES_SIGNABLE_SIZE];
  FUZZ_CHECK(hd_messages_announce_signable(&scope, &announce.peer, announce.refresh, signable) == HDHT_OK);
  FUZZ_CHECK(hd_messages_announce_signable(&scope, &given, announce.refresh, again) == HDHT_OK);
  FUZZ_CHECK(memcmp(signable, again, sizeof again) == 0);
  free(addresses);
}

/* Arbitrary bytes do not open. */
static void fuzz_open(hd_reader *reader) {
  static const uint8_t secret[HD_BOX_KEY_SIZE] = {1};
  uint8_t plaintext[64];
  hd_messages_holepunch_payload payload;
  const int error =
      hd_messages_open_holepunch_payload(hd_reader_take_rest(reader), secret, plaintext, sizeof plaintext, &payload);
  FUZZ_CHECK(error == HDHT_ERR_DECRYPTION || error == HDHT_ERR_BUFFER_TOO_SMALL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  hd_reader reader = hd_reader_of(hd_bytes_of(data, size));
  const uint8_t *choice;
  if (hd_reader_take(&reader, 1, &choice) != HDHT_OK) return 0;
  union {
    hd_messages_handshake handshake;
    hd_messages_holepunch holepunch;
    hdht_peer peer;
    hd_messages_lookup_reply lookup_reply;
    hd_messages_mutable_put mutable_put;
    hd_messages_mutable_found mutable_found;
    hd_messages_mutable_get mutable_get;
    hd_messages_plugin_request plugin_request;
    hd_messages_pair pair;
    hd_messages_unpair unpair;
  } message;
  switch (*choice % 14) {
    case 0: fuzz_read_handshake(&reader, &message.handshake); break;
    case 1: fuzz_read_holepunch(&reader, &message.holepunch); break;
    case 2: fuzz_noise_payload(&reader); break;
    case 3: fuzz_holepunch_payload(&reader); break;
    case 4: fuzz_read_peer(&reader, &message.peer); break;
    case 5: fuzz_announce(&reader); break;
    case 6: fuzz_read_lookup_reply(&reader, &message.lookup_reply); break;
    case 7: fuzz_read_mutable_put(&reader, &message.mutable_put); break;
    case 8: fuzz_read_mutable_found(&reader, &message.mutable_found); break;
    case 9: fuzz_read_mutable_get(&reader, &message.mutable_get); break;
    case 10: fuzz_read_plugin_request(&reader, &message.plugin_request); break;
    case 11: fuzz_read_pair(&reader, &message.pair); break;
    case 12: fuzz_read_unpair(&reader, &message.unpair); break;
    default: fuzz_open(&reader);
  }
  return 0;
}
