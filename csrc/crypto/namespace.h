/* Namespaces keep one protocol's hashes and signatures from being taken for another's. Each is BLAKE2b-256 of (the
 * BLAKE2b-256 of a name, then one byte); the ones in use are constants here, and a test derives them again. */
#ifndef HD_NAMESPACE_H
#define HD_NAMESPACE_H

#include "crypto/hash.h"

/* Of "hyperswarm/dht", with the command numbers as bytes. */
extern const uint8_t hd_namespace_peer_handshake[HD_HASH_SIZE]; /* the prologue of the peer handshake */
extern const uint8_t hd_namespace_peer_holepunch[HD_HASH_SIZE];
extern const uint8_t hd_namespace_announce[HD_HASH_SIZE];
extern const uint8_t hd_namespace_unannounce[HD_HASH_SIZE];
extern const uint8_t hd_namespace_mutable_put[HD_HASH_SIZE];
extern const uint8_t hd_namespace_plugin[HD_HASH_SIZE];

/* Of "hyperswarm/secret-stream". */
extern const uint8_t hd_namespace_initiator[HD_HASH_SIZE];
extern const uint8_t hd_namespace_responder[HD_HASH_SIZE];
extern const uint8_t hd_namespace_send[HD_HASH_SIZE];

/* The namespace `id` of `name` (text, ASCII). */
void hd_namespace_derive(const char *name, uint8_t id, uint8_t derived[HD_HASH_SIZE]);

/* What both sides of a handshake, and nobody else, derive from its hash: stream ids (initiator, responder) and the
 * hole-punch secret (peer_holepunch). The handshake hash is BLAKE2b's key and the namespace its message. */
void hd_namespace_keyed(const uint8_t handshake_hash[HD_HASH_512_SIZE], const uint8_t name_space[HD_HASH_SIZE],
                        uint8_t derived[HD_HASH_SIZE]);

#endif
