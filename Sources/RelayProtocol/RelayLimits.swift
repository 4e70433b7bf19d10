/// What one client of a relay may use, and how long things may take. Every bound of both sides' state machines is here.
///
/// At a limit the one thing that exceeds it is refused, with a text that says so, unless its comment says otherwise.
package struct RelayLimits: Sendable {
    package init() {}

    // MARK: What there may be at one time, for each client

    /// Streams in any state: connecting, open, offered to the client, or finished and not yet delivered to the peer.
    package var streams = 1024

    /// Streams that are connecting.
    package var connectingStreams = 128

    /// Servers, from `listen` until the node has closed them.
    package var servers = 64

    /// Queries, from their start until they are finished.
    package var queries = 64

    /// Noise handshakes whose keys are the client's.
    package var handshakes = 256

    /// Questions to the client that it has not answered: whether a peer may connect, and for signatures.
    package var unansweredRequests = 256

    // MARK: Sizes

    /// A message that is received. A longer one closes the link.
    package var messageByteCount = 16_777_198

    /// Chunks of one `data` message. More close the link.
    package var chunksPerMessage = 65_536

    /// What waits for one stream to open. More destroys the stream.
    package var streamBacklogByteCount = 65_536

    /// What waits for all streams to open and all servers to listen. What exceeds it is refused.
    package var backlogByteCount = 262_144

    /// What was received for one stream and not yet taken by the one it is for. Above this the link is not read.
    package var untakenStreamByteCount = 262_144

    /// The same for all streams of the link together.
    package var untakenByteCount = 786_432

    /// The same for all streams of the link together while the process as a whole holds too much.
    package var untakenByteCountUnderPressure = 16_384

    /// What may be sent after the link has asked to wait: of data, until every stream that produces some is stopped; of
    /// anything else, until the link is closed because nobody reads it.
    package var unsentByteCount = 262_144

    /// The longest chunk of a stream: what fits a frame of the multiplexer with everything around it.
    package var chunkByteCount = 16_777_198 - 64

    /// About how much a client puts into one `data` message when it has several chunks to send.
    package var dataMessageByteCount = 65_536

    // MARK: Durations

    /// From the beginning of a session until `handshake`.
    package var handshakeTimeout = Duration.seconds(45)

    /// Until the other side has answered a question: the peer that caused it does not wait longer.
    package var answerTimeout = Duration.seconds(10)

    /// From a completed handshake of a peer until its stream is there, and from offering a stream until the client takes it.
    package var confirmationTimeout = Duration.seconds(30)

    /// How long one stream may keep the link from being read while others wait behind it.
    package var stallTimeout = Duration.seconds(30)

    /// Between pings.
    package var heartbeatInterval = Duration.seconds(15)

    /// Without ping or pong: then the link is dead.
    package var failsafeTimeout = Duration.seconds(45)

    /// For servers to close when the client closes in order.
    package var closeTimeout = Duration.seconds(5)

    /// How long a client waits for a second thought of a relay that said it listens at no address: one that could not listen
    /// says so in the same breath.
    package var listenConfirmationDelay = Duration.milliseconds(250)
}
