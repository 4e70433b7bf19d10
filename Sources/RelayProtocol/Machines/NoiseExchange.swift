/// How long the two messages of a Noise IK handshake can be. Others need not be forwarded, and must not: the reference's client
/// does not survive some of them.
enum NoiseMessageSize {
    static let first = 96...65_535
    static let last = 48...65_535
}

/// The relay's part in one handshake whose keys are the client's: who has to say something next.
///
/// ```
/// initiator   P1 ▶ client ▶ M1 ▶ node … M2 ▶ client ▶ P2 and secrets ▶ node
/// responder   M1 ▶ client ▶ P1 ▶ node … P2 ▶ client ▶ M2 and secrets ▶ node
/// ```
///
/// Each side of a step is asked once, for the session's life.
struct NoiseExchange {
    enum Party: Equatable {
        case initiator(RelayStreamID)
        case responder(RelayServerID)
    }

    private enum State {
        /// The client does not know its server is open, so it cannot be asked.
        case held
        case awaitingFirstReply
        case atNode
        case awaitingLastReply
        case complete
    }

    let party: Party
    /// Who connects, as the client says who has read the message: known to a responder after the first reply.
    private(set) var remotePublicKey: Bytes32?
    private var state: State

    /// - Parameter isHeld: Whether the client has to wait for its first question.
    init(_ party: Party, isHeld: Bool = false) {
        self.party = party
        state = isHeld ? .held : .awaitingFirstReply
    }

    var isHeld: Bool { state == .held }

    /// Whether the client is to be heard from.
    var isAwaitingReply: Bool { state == .awaitingFirstReply || state == .awaitingLastReply }

    /// Whether a stream may come of it.
    var isComplete: Bool { state == .complete }

    /// The client is asked at last.
    mutating func release() {
        if state == .held { state = .awaitingFirstReply }
    }

    /// The node has something for the client once more.
    ///
    /// - Parameter byteCount: Of a message for an initiator, of a payload for a responder.
    /// - Returns: Whether the client is to be asked. It is asked once; what comes later, or is no message, is dropped.
    mutating func askForLastReply(byteCount: Int) -> Bool {
        guard state == .atNode else { return false }
        if case .initiator = party, !NoiseMessageSize.last.contains(byteCount) { return false }
        state = .awaitingLastReply
        return true
    }

    /// The client has replied.
    ///
    /// - Returns: Whether that is what it was asked for, and can be used. If not, the handshake is over: a client that denies
    ///   and one that breaks the protocol get the same.
    mutating func accepts(_ reply: RelayMessage.NoiseReply) -> Bool {
        switch (state, party, reply.step) {
        case (.awaitingFirstReply, .initiator, .initiatorFirst):
            guard NoiseMessageSize.first.contains(reply.payload.count) else { return false }
            state = .atNode
        case (.awaitingFirstReply, .responder, .responderFirst(let remotePublicKey)):
            guard reply.payload.isNoisePayload else { return false }
            self.remotePublicKey = remotePublicKey
            state = .atNode
        case (.awaitingLastReply, .initiator, .initiatorLast):
            guard reply.payload.isNoisePayload else { return false }
            state = .complete
        case (.awaitingLastReply, .responder, .responderLast):
            guard NoiseMessageSize.last.contains(reply.payload.count) else { return false }
            state = .complete
        case (.held, _, _), (.awaitingFirstReply, _, _), (.atNode, _, _), (.awaitingLastReply, _, _), (.complete, _, _):
            return false
        }
        return true
    }
}
