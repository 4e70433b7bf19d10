/// What a peer can make us hold, and for how long. One set for all pipes of a context.
package struct TransportLimits: Sendable {
    /// Bytes taken from a socket at once, and so the most that still arrives after reading was paused.
    package static let readByteCountMax = 65536

    /// From this many unsent bytes on, a pipe is not writable.
    package var bufferedByteCountHigh = 256 << 10

    /// At this many unsent bytes, it is writable again.
    package var bufferedByteCountLow = 64 << 10

    /// A write that finds this many unsent bytes closes the pipe. So a pipe holds at most this and one message.
    package var bufferedByteCountMax = 1 << 20

    /// The head of an HTTP request or response: the peer is refused with 431, or the connection fails.
    package var httpHeadByteCountMax = 16 << 10

    /// The fields in that head; likewise.
    package var httpFieldCountMax = 100

    /// A message received by WebSocket, all its fragments together: the connection is closed with 1009. Our own memory for it grows as
    /// its bytes arrive, not as they are announced.
    package var messageByteCountMax = 16 << 20

    /// What a peer may send before its TLS handshake is done: the connection is closed.
    package var tlsHandshakeByteCountMax = 128 << 10

    /// How long a pipe that was closed in order may take for it, before it is cut.
    package var closeTimeout = Duration.seconds(5)

    /// How long a client tries to get an address, a connection, TLS and the answer to its upgrade, all together.
    package var connectTimeout = Duration.seconds(10)

    package init() {}
}
