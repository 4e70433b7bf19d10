/* The value of a PEER_HANDSHAKE request or response: one Noise message on its way between client and server, and who is
 * at the other end of that way (hyperdht, `handshake`).
 *
 * What was read lends the bytes under the reader. */
#ifndef HD_MESSAGE_HANDSHAKE_H
#define HD_MESSAGE_HANDSHAKE_H

#include "base/address.h"
#include "base/bytes.h"
#include "messages/message_command.h"

typedef struct hd_messages_handshake {
  hd_messages_mode mode;
  hd_bytes noise;           /* may be empty; then there is nothing to pass on */
  hd_address peer_address;  /* the client or server behind the sender, or none */
  hd_address relay_address; /* the first of two relays, or none */
} hd_messages_handshake;

/* Errors: HDHT_ERR_TRUNCATED; HDHT_ERR_MALFORMED for an integer above 2^53 - 1; HDHT_ERR_UNKNOWN_TYPE for an unknown
 * mode. */
int hd_messages_read_handshake(hd_reader *reader, hd_messages_handshake *handshake);

/* Errors: HDHT_ERR_BUFFER_TOO_SMALL; HDHT_ERR_INVALID_ARGUMENT for an address that is neither IPv4 nor none. */
int hd_messages_write_handshake(hd_writer *writer, const hd_messages_handshake *handshake);
int hd_messages_handshake_size(const hd_messages_handshake *handshake, size_t *size);

#endif
