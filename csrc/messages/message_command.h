/* The numbers HyperDHT adds to dht-rpc: its commands, and the errors and NAT classes its payloads carry. */
#ifndef HD_MESSAGE_COMMAND_H
#define HD_MESSAGE_COMMAND_H

/* The command of a request that is not internal. */
enum {
  HD_MESSAGES_PEER_HANDSHAKE = 0, /* answered by every node, as is PEER_HOLEPUNCH; the rest by persistent nodes only */
  HD_MESSAGES_PEER_HOLEPUNCH = 1,
  HD_MESSAGES_FIND_PEER = 2,
  HD_MESSAGES_LOOKUP = 3,
  HD_MESSAGES_ANNOUNCE = 4,
  HD_MESSAGES_UNANNOUNCE = 5,
  HD_MESSAGES_MUTABLE_PUT = 6,
  HD_MESSAGES_MUTABLE_GET = 7,
  HD_MESSAGES_IMMUTABLE_PUT = 8,
  HD_MESSAGES_IMMUTABLE_GET = 9,
  HD_MESSAGES_PLUGIN = 10,
};

/* The first four appear inside noise and hole-punch payloads, the others as the error of a response. */
enum {
  HD_MESSAGES_ERROR_NONE = 0,
  HD_MESSAGES_ERROR_ABORTED = 1,
  HD_MESSAGES_ERROR_VERSION_MISMATCH = 2,
  HD_MESSAGES_ERROR_TRY_LATER = 3,
  HD_MESSAGES_ERROR_SEQ_REUSED = 16,
  HD_MESSAGES_ERROR_SEQ_TOO_LOW = 17,
};

/* How the sender's NAT gives out ports ("firewall" in the reference). */
enum {
  HD_MESSAGES_NAT_UNKNOWN = 0,
  HD_MESSAGES_NAT_OPEN = 1,
  HD_MESSAGES_NAT_CONSISTENT = 2,
  HD_MESSAGES_NAT_RANDOM = 3,
};

/* Who sends a handshake or hole-punch message on its way between client and server. */
typedef enum hd_messages_mode {
  HD_MESSAGES_FROM_CLIENT = 0,
  HD_MESSAGES_FROM_SERVER = 1,
  HD_MESSAGES_FROM_RELAY = 2,
  HD_MESSAGES_FROM_SECOND_RELAY = 3, /* handshakes only */
  HD_MESSAGES_REPLY = 4,
} hd_messages_mode;

#endif
