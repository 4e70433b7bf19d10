/* The 28 messages of the relay protocol (@hyperswarm/dht-relay): decode to borrowed bytes, encode into a caller's
 * buffer. No function here allocates or keeps anything; all may be called on any thread.
 *
 * A message travels as one multiplexer message: its type is the multiplexer's message type, its body the bytes after
 * that. A decoded message points into its body, so it lives as long as the body does. The same struct is what the
 * encoder takes; pointers then may point anywhere.
 *
 *   hdht_relay_message message;
 *   if (hdht_relay_message_decode(type, body, &message) != HDHT_OK) ...
 *   switch (message.type) {
 *     case HDHT_RELAY_CONNECTED: connected(message.body.connected.alias, message.body.connected.remote_alias);
 *
 * Numbers that name things (aliases and ids) are chosen by one side and mean nothing to the other side's numbering: an
 * `alias` is the sender's own number for a stream or server, a `remote_alias` the receiver's. "C" is the client, "R"
 * the relay.
 *
 * Flags say which of the other fields a message carries. A field that is not carried is 0, NULL or empty in a decoded
 * message and ignored by the encoder. Unknown flags are dropped when decoding, as the reference does. */
#ifndef HDHT_RELAY_MESSAGE_H
#define HDHT_RELAY_MESSAGE_H

#include <hdht/peer.h>
#include <hdht/types.h>

/* The name of the channel, and the message types in the order in which its messages are registered. */
#define HDHT_RELAY_PROTOCOL "@hyperswarm/dht-relay"

enum {
  HDHT_RELAY_HANDSHAKE = 0,
  HDHT_RELAY_PING = 1,
  HDHT_RELAY_PONG = 2,
  HDHT_RELAY_CONNECT = 3,
  HDHT_RELAY_CONNECTION = 4,
  HDHT_RELAY_CONNECTED = 5,
  HDHT_RELAY_INCOMING = 6,
  HDHT_RELAY_DENY = 7,
  HDHT_RELAY_ACCEPT = 8,
  HDHT_RELAY_DESTROY = 9,
  HDHT_RELAY_LISTEN = 10,
  HDHT_RELAY_LISTENING = 11,
  HDHT_RELAY_CLOSE = 12,
  HDHT_RELAY_CLOSED = 13,
  HDHT_RELAY_OPEN = 14,
  HDHT_RELAY_END = 15,
  HDHT_RELAY_DATA = 16,
  HDHT_RELAY_RESULT = 17,
  HDHT_RELAY_FINISHED = 18,
  HDHT_RELAY_LOOKUP = 19,
  HDHT_RELAY_ANNOUNCE = 20,
  HDHT_RELAY_UNANNOUNCE = 21,
  HDHT_RELAY_SIGN_ANNOUNCE = 22,
  HDHT_RELAY_SIGN_UNANNOUNCE = 23,
  HDHT_RELAY_SIGNATURE = 24,
  HDHT_RELAY_NOISE_SEND = 25,
  HDHT_RELAY_NOISE_RECEIVE = 26,
  HDHT_RELAY_NOISE_REPLY = 27,
  HDHT_RELAY_TYPES_COUNT = 28
};

enum {
  HDHT_RELAY_FLAG_CUSTODIAL = 1, /* the relay holds the secret key and does the cryptography */

  HDHT_RELAY_FLAG_PAIRED = 1, /* destroy: names the sender's number, else the receiver's */
  HDHT_RELAY_FLAG_ERROR = 2,  /* destroy: carries an error text */

  HDHT_RELAY_FLAG_INITIATOR = 1, /* noise messages: the client is the one that connects */
  HDHT_RELAY_FLAG_COMPLETE = 2   /* noise_reply: the client's part of the handshake is done */
};

/* The byte strings of one `data` message. Like the lists of peer.h: a decoded one borrows `encoded`; one to be encoded
 * may point at the caller's `array`. */
typedef struct hdht_relay_chunks {
  const hdht_bytes *array; /* NULL in a decoded message */
  hdht_bytes encoded;
  size_t count;
} hdht_relay_chunks;

/* C to R, once, first. The relay drops whatever arrives before it. The keys are not used. */
typedef struct hdht_relay_handshake {
  uint32_t flags; /* HDHT_RELAY_FLAG_CUSTODIAL */
  uint32_t reserved;
  const uint8_t *public_key; /* HDHT_PUBLIC_KEY_SIZE bytes */
  const uint8_t *secret_key; /* custodial: HDHT_SECRET_KEY_SIZE bytes */
} hdht_relay_handshake;

/* C to R: connect to a peer. */
typedef struct hdht_relay_connect {
  uint32_t flags;                   /* HDHT_RELAY_FLAG_CUSTODIAL */
  uint32_t alias;                   /* of the new stream */
  const uint8_t *public_key;        /* HDHT_PUBLIC_KEY_SIZE bytes */
  const uint8_t *secret_key;        /* custodial: HDHT_SECRET_KEY_SIZE bytes */
  const uint8_t *remote_public_key; /* HDHT_PUBLIC_KEY_SIZE bytes */
} hdht_relay_connect;

/* R to C: a peer has connected to a server of the client's. */
typedef struct hdht_relay_connection {
  uint32_t flags;                   /* HDHT_RELAY_FLAG_CUSTODIAL */
  uint32_t alias;                   /* of the new stream */
  uint32_t server_alias;            /* the relay's number for the server */
  uint32_t handshake_id;            /* not custodial: the Noise session that belongs to it */
  const uint8_t *remote_public_key; /* HDHT_PUBLIC_KEY_SIZE bytes */
  const uint8_t *handshake_hash;    /* custodial: HDHT_HANDSHAKE_HASH_SIZE bytes */
} hdht_relay_connection;

/* C to R: takes the stream that `connection` offered. */
typedef struct hdht_relay_connected {
  uint32_t alias;
  uint32_t remote_alias;
} hdht_relay_connected;

/* R to C: asks whether a peer may connect; `accept` or `deny` answers. */
typedef struct hdht_relay_incoming {
  uint32_t id;
  uint32_t server_alias;            /* the relay's number for the server */
  const uint8_t *remote_public_key; /* HDHT_PUBLIC_KEY_SIZE bytes */
  hdht_bytes payload;               /* the peer's Noise payload */
} hdht_relay_incoming;

/* C to R: accept, deny. */
typedef struct hdht_relay_decision {
  uint32_t id; /* of the `incoming` it answers */
} hdht_relay_decision;

/* Both ways: the stream is gone. */
typedef struct hdht_relay_destroy {
  uint32_t flags;        /* HDHT_RELAY_FLAG_PAIRED, HDHT_RELAY_FLAG_ERROR */
  uint32_t alias;        /* paired */
  uint32_t remote_alias; /* not paired: the stream never got a number of the sender's */
  uint32_t reserved;
  hdht_bytes error; /* error: text in UTF-8, unchecked; the reference never sends an empty one */
} hdht_relay_destroy;

/* C to R: opens a server. */
typedef struct hdht_relay_listen {
  uint32_t flags;            /* HDHT_RELAY_FLAG_CUSTODIAL */
  uint32_t alias;            /* of the new server */
  const uint8_t *public_key; /* HDHT_PUBLIC_KEY_SIZE bytes */
  const uint8_t *secret_key; /* custodial: HDHT_SECRET_KEY_SIZE bytes */
} hdht_relay_listen;

/* R to C: the server is open. */
typedef struct hdht_relay_listening {
  uint32_t alias;
  uint32_t remote_alias;
  hdht_address address; /* IPv4; where the relay's node is seen, 0.0.0.0:0 if unknown */
} hdht_relay_listening;

/* close (C to R) and closed (R to C) name a server; end (both ways) names a stream that will carry no more data of the
 * sender's. */
typedef struct hdht_relay_ended {
  uint32_t alias;
} hdht_relay_ended;

/* R to C: the stream that `connect` asked for is open. */
typedef struct hdht_relay_open {
  uint32_t flags; /* HDHT_RELAY_FLAG_CUSTODIAL */
  uint32_t alias;
  uint32_t remote_alias;
  uint32_t handshake_id;         /* not custodial: the Noise session that belongs to it */
  const uint8_t *handshake_hash; /* custodial: HDHT_HANDSHAKE_HASH_SIZE bytes */
} hdht_relay_open;

/* Both ways: what the sender wrote to the stream. Custodial: each chunk is one message of the peer's secret stream. */
typedef struct hdht_relay_data {
  uint32_t alias;
  uint32_t reserved;
  hdht_relay_chunks chunks;
} hdht_relay_data;

/* R to C: one answer to a query. */
typedef struct hdht_relay_result {
  uint32_t query_id;
  uint32_t reserved;
  hdht_bytes data; /* hdht_announcers_decode reads it */
} hdht_relay_result;

/* R to C: no more results. */
typedef struct hdht_relay_finished {
  uint32_t query_id;
} hdht_relay_finished;

/* C to R. */
typedef struct hdht_relay_lookup {
  uint32_t query_id;
  uint32_t reserved;
  const uint8_t *topic; /* HDHT_HASH_SIZE bytes */
} hdht_relay_lookup;

/* C to R: announce, unannounce. */
typedef struct hdht_relay_announce {
  uint32_t flags; /* HDHT_RELAY_FLAG_CUSTODIAL */
  uint32_t query_id;
  const uint8_t *topic;      /* HDHT_HASH_SIZE bytes */
  const uint8_t *public_key; /* HDHT_PUBLIC_KEY_SIZE bytes */
  const uint8_t *secret_key; /* custodial: HDHT_SECRET_KEY_SIZE bytes */
} hdht_relay_announce;

/* R to C: sign_announce, sign_unannounce; `signature` answers. */
typedef struct hdht_relay_sign {
  uint32_t id;
  uint32_t signee;      /* the client's number for the server or query whose key is to sign */
  const uint8_t *token; /* HDHT_TOKEN_SIZE bytes */
  hdht_bytes peer_id;   /* of the node that will store the record: HDHT_NODE_ID_SIZE bytes, unchecked */
  hdht_address_list relay_addresses;
} hdht_relay_sign;

/* C to R. */
typedef struct hdht_relay_signature {
  uint32_t id; /* of the request it answers */
  uint32_t reserved;
  hdht_bytes signature; /* HDHT_SIGNATURE_SIZE bytes, unchecked */
} hdht_relay_signature;

/* R to C: asks the client to write the next Noise message. */
typedef struct hdht_relay_noise_send {
  uint32_t flags;               /* HDHT_RELAY_FLAG_INITIATOR */
  uint32_t id;                  /* the Noise session */
  uint32_t remote_stream_alias; /* initiator: the client's number for the connecting stream */
  uint32_t reserved;
  hdht_bytes payload; /* what to put into the message */
} hdht_relay_noise_send;

/* R to C: a Noise message has come for the client. */
typedef struct hdht_relay_noise_receive {
  uint32_t flags;        /* HDHT_RELAY_FLAG_INITIATOR */
  uint32_t id;           /* the Noise session */
  uint32_t server_alias; /* not initiator: the relay's number for the server */
  uint32_t reserved;
  hdht_bytes payload; /* the message */
} hdht_relay_noise_receive;

/* C to R: answers noise_send with the message written, noise_receive with the payload read; an empty payload denies. */
typedef struct hdht_relay_noise_reply {
  uint32_t flags; /* HDHT_RELAY_FLAG_INITIATOR, HDHT_RELAY_FLAG_COMPLETE */
  uint32_t id;    /* the Noise session */
  hdht_bytes payload;
  const uint8_t *remote_public_key; /* neither flag: HDHT_PUBLIC_KEY_SIZE bytes */
  const uint8_t *remote_id;         /* complete: 32 bytes, the other side's secret stream id */
  const uint8_t *holepunch_secret;  /* complete: 32 bytes */
} hdht_relay_noise_reply;

/* ping and pong have no body. */
typedef union hdht_relay_body {
  hdht_relay_handshake handshake;
  hdht_relay_connect connect;
  hdht_relay_connection connection;
  hdht_relay_connected connected;
  hdht_relay_incoming incoming;
  hdht_relay_decision deny;
  hdht_relay_decision accept;
  hdht_relay_destroy destroy;
  hdht_relay_listen listen;
  hdht_relay_listening listening;
  hdht_relay_ended close;
  hdht_relay_ended closed;
  hdht_relay_open open;
  hdht_relay_ended end;
  hdht_relay_data data;
  hdht_relay_result result;
  hdht_relay_finished finished;
  hdht_relay_lookup lookup;
  hdht_relay_announce announce;
  hdht_relay_announce unannounce;
  hdht_relay_sign sign_announce;
  hdht_relay_sign sign_unannounce;
  hdht_relay_signature signature;
  hdht_relay_noise_send noise_send;
  hdht_relay_noise_receive noise_receive;
  hdht_relay_noise_reply noise_reply;
} hdht_relay_body;

typedef struct hdht_relay_message {
  uint32_t type;     /* HDHT_RELAY_*: which member of `body` is in use */
  uint32_t reserved; /* 0 */
  hdht_relay_body body;
} hdht_relay_message;

#ifdef __cplusplus
extern "C" {
#endif

/* "connect" for HDHT_RELAY_CONNECT, "unknown" for a number that is no type. Static storage. */
HDHT_API const char *hdht_relay_type_name(uint32_t type);

/* Reads a message. Bytes after its last field are ignored, as the reference does; so are the lengths of `peer_id` and
 * `signature`, which the receiver checks.
 *
 * body     borrowed: what *message points to lives as long as these bytes
 * message  untouched on error; fields that are not carried are zero
 *
 * Errors: HDHT_ERR_UNKNOWN_TYPE; HDHT_ERR_TRUNCATED; HDHT_ERR_TOO_LARGE when a list announces more than
 * HDHT_LIST_LIMIT elements. */
HDHT_API int hdht_relay_message_decode(uint32_t type, hdht_bytes body, hdht_relay_message *message);

/* The size of the body hdht_relay_message_encode would write.
 *
 * Errors: HDHT_ERR_UNKNOWN_TYPE; HDHT_ERR_INVALID_ARGUMENT for a missing key, array or bytes, an address that is not
 * IPv4, or an unknown flag; HDHT_ERR_TOO_LARGE for a list above HDHT_LIST_LIMIT, or when the size exceeds a size_t. */
HDHT_API int hdht_relay_message_size(const hdht_relay_message *message, size_t *size);

/* Writes the body of a message. Lists and lengths go out in their shortest form.
 *
 * buffer  room for `capacity` bytes, not overlapping what the message points to
 * size    how many were written
 *
 * Errors: those of hdht_relay_message_size; HDHT_ERR_BUFFER_TOO_SMALL. Nothing is written on error. */
HDHT_API int hdht_relay_message_encode(const hdht_relay_message *message, uint8_t *buffer, size_t capacity,
                                       size_t *size);

/* Takes the first chunk off `chunks` and returns 1; returns 0 and leaves *chunk alone when none is left. */
HDHT_API int hdht_relay_chunks_next(hdht_relay_chunks *chunks, hdht_bytes *chunk);

/* For sending `data` without copying its chunks: the body is this header, the first chunk, and for each further chunk
 * its own header (hdht_relay_chunk_header_encode) and the chunk. */
#define HDHT_RELAY_DATA_HEADER_SIZE_MAX  18
#define HDHT_RELAY_CHUNK_HEADER_SIZE_MAX 9

/* Writes what comes before the first chunk: alias, number of chunks and, unless there is none, the first chunk's size.
 *
 * header  room for HDHT_RELAY_DATA_HEADER_SIZE_MAX bytes
 * size    how many were written
 *
 * Errors: HDHT_ERR_TOO_LARGE for more than HDHT_LIST_LIMIT chunks. */
HDHT_API int hdht_relay_data_header_encode(uint32_t alias, size_t chunks_count, size_t first_chunk_size,
                                           uint8_t *header, size_t *size);

/* Writes what comes before each further chunk, its size, and returns how many bytes that took.
 *
 * header  room for HDHT_RELAY_CHUNK_HEADER_SIZE_MAX bytes */
HDHT_API size_t hdht_relay_chunk_header_encode(size_t chunk_size, uint8_t *header);

#ifdef __cplusplus
}
#endif

#endif
