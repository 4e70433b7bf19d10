/* The plaintext inside both Noise messages of a peer handshake: what each side tells the other about itself and about
 * how to reach it (hyperdht, `noisePayload`). It is what a firewall decides upon beside the peer's key. */
#ifndef HDHT_NOISE_PAYLOAD_H
#define HDHT_NOISE_PAYLOAD_H

#include <hdht/peer.h>

/* What the sender could not do. A peer can send any other number. */
enum {
  HDHT_HANDSHAKE_ERROR_NONE = 0,
  HDHT_HANDSHAKE_ERROR_ABORTED = 1,
  HDHT_HANDSHAKE_ERROR_VERSION_MISMATCH = 2,
  HDHT_HANDSHAKE_ERROR_TRY_LATER = 3
};

/* How the sender's NAT gives out ports ("firewall" in the reference). A peer can send any other number. */
enum { HDHT_NAT_UNKNOWN = 0, HDHT_NAT_OPEN = 1, HDHT_NAT_CONSISTENT = 2, HDHT_NAT_RANDOM = 3 };

/* Which of its optional parts a payload has. */
enum {
  HDHT_NOISE_PAYLOAD_HOLEPUNCH = 1,
  HDHT_NOISE_PAYLOAD_UDX = 2,
  HDHT_NOISE_PAYLOAD_SECRET_STREAM = 4,
  HDHT_NOISE_PAYLOAD_RELAY_THROUGH = 8,
  HDHT_NOISE_PAYLOAD_RELAY_ADDRESSES = 16
};

/* Fields of absent parts are zero. */
typedef struct hdht_noise_payload {
  uint64_t version;                   /* 1; when it is another, nothing else was read */
  uint64_t error;                     /* HDHT_HANDSHAKE_ERROR_* */
  uint64_t nat;                       /* HDHT_NAT_* */
  uint32_t parts;                     /* HDHT_NOISE_PAYLOAD_* */
  uint32_t is_socket_reusable;        /* udx: 0 or 1 */
  uint32_t udx_id;                    /* udx: the sender's stream id */
  uint32_t udx_seq;                   /* udx */
  uint64_t udx_version;               /* udx */
  uint64_t secret_stream_version;     /* secret stream */
  uint64_t holepunch_id;              /* hole punching: the server's handshake slot */
  hdht_bytes holepunch_relays;        /* hole punching: 12 bytes for each node through which the sender is reached: the
                                         node's address and the sender's as the node sees it, both as in address lists */
  hdht_address_list addresses4;       /* of the sender, in its own view */
  hdht_bytes addresses6;              /* the same: 18 bytes for each, 16 of address and the port, little-endian */
  hdht_address_list relay_addresses;  /* relay addresses */
  const uint8_t *relay_through_key;   /* relay through: HDHT_PUBLIC_KEY_SIZE bytes of the blind relay */
  const uint8_t *relay_through_token; /* relay through: 32 bytes */
} hdht_noise_payload;

#ifdef __cplusplus
extern "C" {
#endif

/* Reads a payload. Bytes after it are ignored, as the reference does. May be called on any thread.
 *
 * bytes    borrowed: what *payload points to lives as long as these bytes
 * payload  untouched on error
 *
 * Errors: HDHT_ERR_INVALID_ARGUMENT; HDHT_ERR_TRUNCATED; HDHT_ERR_MALFORMED for an integer above 2^53 - 1;
 * HDHT_ERR_TOO_LARGE for a list above HDHT_LIST_LIMIT, or a stream id or sequence number above 32 bits. */
HDHT_API int hdht_noise_payload_decode(hdht_bytes bytes, hdht_noise_payload *payload);

#ifdef __cplusplus
}
#endif

#endif
