/* Every error the library returns. A function returns HDHT_OK or one of these negative numbers; its declaration lists
 * which. The numbers never change meaning; new ones are added at the end of their group. */
#ifndef HDHT_ERROR_H
#define HDHT_ERROR_H

#include <hdht/types.h>

/* X(symbol, number, fatal, one sentence). `fatal` is 1 when the handle the call was made on can only be closed. */
#define HDHT_ERRORS(X)                                                                                          \
  /* the caller */                                                                                              \
  X(INVALID_ARGUMENT, -1, 0, "An argument is missing, out of range or of the wrong length.")                    \
  X(OUT_OF_MEMORY, -2, 0, "The allocator returned no memory; nothing was changed.")                             \
  X(INVALID_STATE, -3, 0, "The handle cannot do this now, for example write before the handshake is complete.") \
  X(CLOSED, -4, 1, "The handle is closed.")                                                                     \
  X(BUFFER_TOO_SMALL, -5, 0, "The caller's buffer is smaller than the result; nothing was written.")            \
  X(LIMIT, -6, 0, "A named limit is reached; the operation was refused and nothing was changed.")               \
  X(WOULD_BLOCK, -7, 0, "Nothing can be taken or given now; try again after the next event.")                   \
  X(EXISTS, -8, 0, "There already is one, and there may be only one.")                                          \
  X(NOT_FOUND, -9, 0, "There is no such thing.")                                                                \
  X(CANCELLED, -10, 0, "The operation was cancelled before it completed.")                                      \
  /* bytes from outside */                                                                                      \
  X(TRUNCATED, -20, 0, "The bytes end before the value does.")                                                  \
  X(MALFORMED, -21, 0, "The bytes are not a value of the expected format.")                                     \
  X(TOO_LARGE, -22, 0, "A length or count exceeds the limit named in the declaration.")                         \
  X(UNKNOWN_TYPE, -23, 0, "The message has a type this version does not know.")                                 \
  X(VERSION, -24, 0, "The peer speaks a version of the protocol this library does not.")                        \
  X(PROTOCOL, -25, 1, "The peer broke a rule of the protocol.")                                                 \
  /* cryptography */                                                                                            \
  X(BAD_SIGNATURE, -40, 0, "The signature does not belong to the message and public key.")                      \
  X(DECRYPTION, -41, 0, "Authentication of encrypted bytes failed: wrong key, or the bytes were changed.")      \
  X(INVALID_KEY, -42, 0, "The public key is no point of the curve's prime-order group, or of low order.")       \
  X(ENTROPY, -43, 0, "The operating system gave no random bytes.")                                              \
  X(HANDSHAKE_LENGTH, -44, 1, "A handshake message has a length its pattern does not allow.")                   \
  X(HANDSHAKE_KEY, -45, 1, "A handshake message carries an unusable public key.")                               \
  X(HANDSHAKE_DECRYPTION, -46, 1, "A handshake message failed authentication.")                                 \
  X(HANDSHAKE_STATE, -47, 1, "The handshake is complete or failed, or it is the other side's turn.")            \
  /* secret stream */                                                                                           \
  X(STREAM_HEADER_LENGTH, -60, 1, "The secret stream's header message is not 56 bytes long.")                   \
  X(STREAM_HEADER_IDENTITY, -61, 1, "The secret stream's header names another stream.")                         \
  X(STREAM_MESSAGE, -62, 1, "A secret stream frame is too short to hold a message.")                            \
  X(STREAM_DECRYPTION, -63, 1, "A secret stream message failed authentication.")                                \
  X(STREAM_TIMED_OUT, -64, 1, "The peer sent nothing for the time-out that was set.")                           \
  X(STREAM_COUNTER, -65, 1, "The datagram counter is exhausted; the stream must be replaced.")                  \
  X(STREAM_TOO_LARGE, -66, 1, "A secret stream message is longer than the limit that was set.")                 \
  /* mux */                                                                                                     \
  X(MUX_OPEN, -80, 1, "The peer opened a channel with an id it may not use.")                                   \
  X(MUX_REJECT, -81, 1, "The peer rejected a channel that was not waiting for an answer.")                      \
  X(MUX_BACKLOG, -82, 1, "The peer opened more channels than may wait for this side.")                          \
  /* network */                                                                                                 \
  X(TIMED_OUT, -100, 0, "No answer came in time.")                                                              \
  X(CONNECTION_RESET, -101, 1, "The peer destroyed the stream.")                                                \
  X(NOT_CONNECTED, -102, 0, "The stream has no remote yet.")                                                    \
  X(ALREADY_CONNECTED, -103, 0, "The stream already has a remote.")                                             \
  X(ENDED, -104, 0, "The writable side has ended; nothing can be written after that.")                          \
  X(ADDRESS_IN_USE, -105, 0, "The address or port is used by another socket.")                                  \
  X(ADDRESS_UNAVAILABLE, -106, 0, "The address is none of this machine's, or its family is not supported.")     \
  X(PERMISSION, -107, 0, "The operating system refused permission.")                                            \
  X(NETWORK, -108, 0, "The operating system reported a network failure.")                                       \
  X(STORAGE, -109, 0, "A file could not be read or written.")                                                   \
  /* DHT */                                                                                                     \
  X(NO_NODES, -120, 0, "No node of the network answered.")                                                      \
  X(QUORUM, -121, 0, "Fewer nodes than needed accepted it.")                                                    \
  X(SEQ_REUSED, -122, 0, "The sequence number already stands for another value.")                               \
  X(SEQ_TOO_LOW, -123, 0, "A value with a higher sequence number is stored.")                                   \
  X(UNKNOWN_COMMAND, -124, 0, "The node does not serve this command.")                                          \
  X(INVALID_TOKEN, -125, 0, "The node no longer accepts the token it gave.")                                    \
  X(REFUSED, -126, 0, "The node refused with an error this library does not know.")                             \
  X(SUSPENDED, -127, 0, "The node is suspended.")                                                               \
  /* connections to peers */                                                                                    \
  X(HOLEPUNCH_ABORTED, -140, 1, "Hole punching ended without a path to the peer.")                              \
  X(HOLEPUNCH_INVALID, -141, 1, "The peer's hole-punch message could not be decrypted.")                        \
  X(HOLEPUNCH_PROBE_TIMEOUT, -142, 1, "What kind of NAT there is was not found out in time.")                   \
  X(HOLEPUNCH_DOUBLE_RANDOMIZED_NATS, -143, 1, "Both this side's and the peer's NAT pick ports at random.")     \
  X(CANNOT_HOLEPUNCH, -144, 1, "The peer is behind a NAT and offers no relays to punch through.")               \
  X(REMOTE_NOT_HOLEPUNCHING, -145, 1, "The peer does not punch.")                                               \
  X(REMOTE_NOT_HOLEPUNCHABLE, -146, 1, "The peer has no address that can be punched to.")                       \
  X(REMOTE_ABORTED, -147, 1, "The peer ended the hole punching.")

enum {
  HDHT_OK = 0,
#define HDHT_ERROR_ENUMERATOR(symbol, number, fatal, text) HDHT_ERR_##symbol = (number),
  HDHT_ERRORS(HDHT_ERROR_ENUMERATOR)
#undef HDHT_ERROR_ENUMERATOR
};

#ifdef __cplusplus
extern "C" {
#endif

/* "HDHT_ERR_TRUNCATED" for -20, "HDHT_OK" for 0, "HDHT_ERR_UNKNOWN" for any other number. Static storage; any thread.
 */
HDHT_API const char *hdht_error_name(int error);

/* One English sentence. Static storage; any thread. */
HDHT_API const char *hdht_error_message(int error);

/* 1 when the handle that returned this error can only be closed, else 0. Any thread. */
HDHT_API int hdht_error_is_fatal(int error);

#ifdef __cplusplus
}
#endif

#endif
