/* The plaintext inside both Noise messages of a peer handshake: what each side tells the other about how to reach it
 * (hyperdht, `noisePayload`).
 *
 * What was read lends the bytes under the reader; lists were checked as a whole, so walking them cannot fail. Numbers
 * are passed on as they came: whoever uses an error or a NAT class it does not know decides what that means. */
#ifndef HD_MESSAGE_NOISE_PAYLOAD_H
#define HD_MESSAGE_NOISE_PAYLOAD_H

#include "base/address.h"
#include "messages/message_command.h"
#include "messages/message_peer.h"

/* The version of the payload and of each of its parts; always written. */
#define HD_MESSAGES_NOISE_PAYLOAD_VERSION 1

/* A node through which the server can be reached, and the server's address as that node sees it. Both IPv4. */
typedef struct hd_messages_relay {
  hd_address relay_address;
  hd_address peer_address;
} hd_messages_relay;

/* As an hdht_address_list: `array` is the caller's, to be written; a list that was read has `encoded` instead. */
typedef struct hd_messages_relay_list {
  const hd_messages_relay *array;
  hd_bytes encoded; /* 12 bytes for each */
  size_t count;
} hd_messages_relay_list;

typedef struct hd_messages_ipv6_list {
  const hd_address *array;
  hd_bytes encoded; /* 18 bytes for each */
  size_t count;
} hd_messages_ipv6_list;

typedef struct hd_messages_udx_info {
  uint64_t version; /* read only */
  bool is_socket_reusable;
  uint32_t id; /* the sender's stream id */
  uint32_t seq;
} hd_messages_udx_info;

/* A blind relay both sides should connect to. */
typedef struct hd_messages_relay_through {
  uint64_t version;          /* read only */
  const uint8_t *public_key; /* of the relay, 32 bytes */
  const uint8_t *token;      /* 32 bytes that the two sides show it to be paired */
} hd_messages_relay_through;

typedef struct hd_messages_noise_payload {
  uint64_t version; /* read only. When it is not 1, nothing else was read. */
  uint64_t error;   /* HD_MESSAGES_ERROR_* */
  uint64_t nat;     /* HD_MESSAGES_NAT_* */
  bool has_holepunch;
  bool has_udx;
  bool has_secret_stream;
  bool has_relay_through;
  bool has_relay_addresses; /* an empty list and none are different things here */
  uint64_t holepunch_id;    /* the server's handshake slot */
  hd_messages_relay_list holepunch_relays;
  hdht_address_list addresses4;
  hd_messages_ipv6_list addresses6;
  hd_messages_udx_info udx;
  uint64_t secret_stream_version; /* read only */
  hd_messages_relay_through relay_through;
  hdht_address_list relay_addresses;
} hd_messages_noise_payload;

/* Reads a payload of any version: of another than 1, only the version.
 * Errors: HDHT_ERR_TRUNCATED; HDHT_ERR_MALFORMED for an integer above 2^53 - 1; HDHT_ERR_TOO_LARGE for a list above
 * HDHT_LIST_LIMIT, or a stream id or sequence number above 32 bits. */
int hd_messages_read_noise_payload(hd_reader *reader, hd_messages_noise_payload *payload);

/* Writes version 1; empty address lists take no bytes.
 * Errors: HDHT_ERR_BUFFER_TOO_SMALL; HDHT_ERR_INVALID_ARGUMENT for an address the field cannot hold, a missing key or
 * token, or an integer above 2^53 - 1; HDHT_ERR_TOO_LARGE for a list above HDHT_LIST_LIMIT. */
int hd_messages_write_noise_payload(hd_writer *writer, const hd_messages_noise_payload *payload);
int hd_messages_noise_payload_size(const hd_messages_noise_payload *payload, size_t *size);

/* Take the first element off `list` and return true; return false and leave the element alone when none is left. */
bool hd_messages_relay_list_next(hd_messages_relay_list *list, hd_messages_relay *relay);
bool hd_messages_ipv6_list_next(hd_messages_ipv6_list *list, hd_address *address);

#endif
