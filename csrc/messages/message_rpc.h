/* The two datagrams of dht-rpc, request and response, and the values of its internal commands.
 *
 * The first byte tells what a datagram is; see hd_messages_rpc_kind_of. What was read lends the datagram's bytes.
 * Unknown flags and bytes behind the last field are ignored, so that the format can grow. A reader that fails has not
 * moved and has stored nothing; its datagram is to be dropped without an answer. */
#ifndef HD_MESSAGE_RPC_H
#define HD_MESSAGE_RPC_H

#include "codec/compact_address.h"
#include "messages/message_peer.h"

/* The reference receives into buffers of this size; of a longer datagram it sees only the start, and drops it. */
#define HD_MESSAGES_RPC_SIZE_MAX 2048

/* Up to here a datagram is not fragmented on its way. */
#define HD_MESSAGES_RPC_SIZE_SAFE 1200

/* The most closer nodes a response should list. Readers accept what fits a datagram. */
#define HD_MESSAGES_CLOSER_NODES_MAX 20

typedef enum hd_messages_rpc_kind {
  HD_MESSAGES_RPC_OTHER, /* not of dht-rpc, or of another version of it */
  HD_MESSAGES_RPC_REQUEST,
  HD_MESSAGES_RPC_RESPONSE,
} hd_messages_rpc_kind;

/* Looks at the first byte: a kind in the upper half, the version 3 in the lower. */
hd_messages_rpc_kind hd_messages_rpc_kind_of(hd_bytes datagram);

/* Commands of dht-rpc itself; requests for them have `is_internal`. */
enum {
  HD_MESSAGES_PING = 0,
  HD_MESSAGES_PING_NAT = 1,
  HD_MESSAGES_FIND_NODE = 2,
  HD_MESSAGES_DOWN_HINT = 3,
  HD_MESSAGES_DELAYED_PING = 4,
};

/* Errors of a response. From 16 on they belong to the application: see message_command.h. */
enum {
  HD_MESSAGES_RPC_OK = 0,
  HD_MESSAGES_RPC_UNKNOWN_COMMAND = 1,
  HD_MESSAGES_RPC_INVALID_TOKEN = 2,
};

typedef struct hd_messages_request {
  uint16_t tid; /* copied into the response */
  bool is_internal;
  bool has_value; /* an empty value and none are different things */
  uint64_t command;
  hd_address to;         /* where the sender sends this datagram: how it knows the receiver */
  const uint8_t *id;     /* the sender's node id, 32 bytes; NULL if it gives none */
  const uint8_t *token;  /* 32 bytes or NULL */
  const uint8_t *target; /* 32 bytes or NULL */
  hd_bytes value;
} hd_messages_request;

typedef struct hd_messages_response {
  uint16_t tid;
  bool has_value;
  uint64_t error;
  hd_address to; /* the requester's address as the responder saw it */
  const uint8_t *id;
  const uint8_t *token;
  hdht_address_list closer_nodes;
  hd_bytes value;
} hd_messages_response;

/* The reader starts at the first byte of the datagram.
 * Errors: HDHT_ERR_UNKNOWN_TYPE if it is of another kind; HDHT_ERR_TRUNCATED; HDHT_ERR_MALFORMED for an integer above
 * 2^53 - 1; HDHT_ERR_TOO_LARGE above HDHT_LIST_LIMIT closer nodes. */
int hd_messages_read_request(hd_reader *reader, hd_messages_request *request);
int hd_messages_read_response(hd_reader *reader, hd_messages_response *response);

/* Writes a whole datagram. No closer nodes and error 0 take no bytes.
 * Errors: HDHT_ERR_BUFFER_TOO_SMALL; HDHT_ERR_INVALID_ARGUMENT for an address that is not IPv4 or an integer above
 * 2^53 - 1; HDHT_ERR_TOO_LARGE above HD_MESSAGES_RPC_SIZE_MAX bytes. */
int hd_messages_write_request(hd_writer *writer, const hd_messages_request *request);
int hd_messages_write_response(hd_writer *writer, const hd_messages_response *response);

/* How many bytes that takes. Errors: as above, but for the buffer. */
int hd_messages_request_size(const hd_messages_request *request, size_t *size);
int hd_messages_response_size(const hd_messages_response *response, size_t *size);

/* The values of the internal commands. Readers take the start of a request's value and ignore the rest.
 * Errors: HDHT_ERR_TRUNCATED; HDHT_ERR_MALFORMED for port 0. Such a request gets no answer. */
#define HD_MESSAGES_PING_NAT_SIZE     2
#define HD_MESSAGES_DOWN_HINT_SIZE    HD_CODEC_IPV4_ADDRESS_SIZE
#define HD_MESSAGES_DELAYED_PING_SIZE 4

/* The port to answer to. */
int hd_messages_read_ping_nat(hd_bytes value, uint16_t *port);
void hd_messages_write_ping_nat(uint8_t value[HD_MESSAGES_PING_NAT_SIZE], uint16_t port);

/* The node that did not answer; IPv4. */
int hd_messages_read_down_hint(hd_bytes value, hd_address *node);
void hd_messages_write_down_hint(uint8_t value[HD_MESSAGES_DOWN_HINT_SIZE], const hd_address *node);

/* Milliseconds to wait before answering. Whether that is too long is the receiver's policy. */
int hd_messages_read_delayed_ping(hd_bytes value, uint32_t *delay_ms);
void hd_messages_write_delayed_ping(uint8_t value[HD_MESSAGES_DELAYED_PING_SIZE], uint32_t delay_ms);

#endif
