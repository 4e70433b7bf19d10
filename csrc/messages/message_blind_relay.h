/* The two messages of the `blind-relay` channel: a relay joins the streams of two peers that show it the same token.
 *
 * What was read lends the bytes under the reader. */
#ifndef HD_MESSAGE_BLIND_RELAY_H
#define HD_MESSAGE_BLIND_RELAY_H

#include "base/bytes.h"

#define HD_MESSAGES_BLIND_RELAY_PROTOCOL "blind-relay"

/* The types of the channel's messages. */
enum { HD_MESSAGES_BLIND_RELAY_PAIR = 0, HD_MESSAGES_BLIND_RELAY_UNPAIR = 1 };

/* Asks to be paired, or tells that it has happened. */
typedef struct hd_messages_pair {
  bool is_initiator;    /* which of the two peers this is about; one of each makes a pair */
  const uint8_t *token; /* 32 bytes */
  uint32_t id;          /* the sender's UDX stream id: the peer's when asking, the relay's when telling */
  uint32_t seq;         /* 0 */
} hd_messages_pair;

/* Takes back a pair that waits, or destroys one that exists. */
typedef struct hd_messages_unpair {
  const uint8_t *token; /* 32 bytes */
} hd_messages_unpair;

/* Unknown flags are ignored. Errors: HDHT_ERR_TRUNCATED; HDHT_ERR_TOO_LARGE for an id or sequence number above 32
 * bits. */
int hd_messages_read_pair(hd_reader *reader, hd_messages_pair *pair);
int hd_messages_read_unpair(hd_reader *reader, hd_messages_unpair *unpair);

/* Errors: HDHT_ERR_BUFFER_TOO_SMALL; HDHT_ERR_INVALID_ARGUMENT for a missing token. */
int hd_messages_write_pair(hd_writer *writer, const hd_messages_pair *pair);
int hd_messages_write_unpair(hd_writer *writer, const hd_messages_unpair *unpair);
int hd_messages_pair_size(const hd_messages_pair *pair, size_t *size);
int hd_messages_unpair_size(const hd_messages_unpair *unpair, size_t *size);

#endif
