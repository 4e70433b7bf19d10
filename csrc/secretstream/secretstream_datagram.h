/* Unordered encrypted datagrams beside a secret stream: an 8-byte counter, then an XSalsa20-Poly1305 box under the
 * nonce made of the counter and 16 zero bytes. Each direction has its own key, derived from the handshake hash. A
 * datagram may be lost, reordered or repeated by the network; only changed ones are noticed. */
#ifndef HD_SECRETSTREAM_DATAGRAM_H
#define HD_SECRETSTREAM_DATAGRAM_H

#include "crypto/aead.h"
#include "crypto/hash.h"

#define HD_SECRETSTREAM_COUNTER_SIZE      8
#define HD_SECRETSTREAM_DATAGRAM_OVERHEAD (HD_SECRETSTREAM_COUNTER_SIZE + HD_BOX_MAC_SIZE)

typedef struct hd_secretstream_datagrams {
  uint8_t send_key[HD_BOX_KEY_SIZE];
  uint8_t receive_key[HD_BOX_KEY_SIZE];
  uint64_t counter;       /* of the last datagram sealed */
  uint64_t counter_start; /* must not be reached again */
} hd_secretstream_datagrams;

/* counter_start  8 random bytes, a little-endian number; the first datagram has the next one */
void hd_secretstream_datagrams_init(hd_secretstream_datagrams *datagrams,
                                    const uint8_t handshake_hash[HD_HASH_512_SIZE], bool is_initiator,
                                    const uint8_t counter_start[HD_SECRETSTREAM_COUNTER_SIZE]);

void hd_secretstream_datagrams_wipe(hd_secretstream_datagrams *datagrams);

/* datagram  [out] payload.size + 24 bytes; the payload may already lie at datagram + 24, or overlap in any other way
 *
 * Errors: HDHT_ERR_STREAM_COUNTER after 2^64 - 1 datagrams; nothing is written. */
int hd_secretstream_datagram_seal(hd_secretstream_datagrams *datagrams, hd_bytes payload, uint8_t *datagram);

/* Decrypts in place.
 *
 * payload  [out] lies in the datagram's own memory
 *
 * Errors: HDHT_ERR_DECRYPTION, also for one shorter than 24 bytes; the datagram is to be dropped. */
int hd_secretstream_datagram_open(const hd_secretstream_datagrams *datagrams, uint8_t *datagram, size_t size,
                                  hd_bytes *payload);

#endif
