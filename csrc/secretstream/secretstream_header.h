/* The first frame of each direction once a secret stream's keys are known: 32 bytes of stream id, which ties it to the
 * handshake and the sender's role, then the 24 random bytes that start the sender's cipher. */
#ifndef HD_SECRETSTREAM_HEADER_H
#define HD_SECRETSTREAM_HEADER_H

#include "crypto/hash.h"
#include "crypto/stream_cipher.h"

#define HD_SECRETSTREAM_ID_SIZE     32
#define HD_SECRETSTREAM_HEADER_SIZE (HD_SECRETSTREAM_ID_SIZE + HD_STREAM_CIPHER_HEADER_SIZE)

/* The stream id of one side. */
void hd_secretstream_id(const uint8_t handshake_hash[HD_HASH_512_SIZE], bool is_initiator,
                        uint8_t id[HD_SECRETSTREAM_ID_SIZE]);

/* Writes this side's header message, without the frame's prefix. */
void hd_secretstream_header_write(const uint8_t handshake_hash[HD_HASH_512_SIZE], bool is_initiator,
                                  const uint8_t cipher_header[HD_STREAM_CIPHER_HEADER_SIZE],
                                  uint8_t message[HD_SECRETSTREAM_HEADER_SIZE]);

/* Checks the peer's header message and lends the cipher header in it.
 *
 * is_initiator  whether this side is; the peer must be the other
 *
 * Errors: HDHT_ERR_STREAM_HEADER_LENGTH, HDHT_ERR_STREAM_HEADER_IDENTITY. */
int hd_secretstream_header_read(hd_bytes message, const uint8_t handshake_hash[HD_HASH_512_SIZE], bool is_initiator,
                                const uint8_t **cipher_header);

#endif
