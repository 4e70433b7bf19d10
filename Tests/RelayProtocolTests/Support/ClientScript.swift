@testable import RelayProtocol

extension RelayClientSession.Action {
    var summary: String {
        switch self {
        case .send(let message): "→ " + message.summary
        case .pauseReading: "pause reading"
        case .resumeReading: "resume reading"
        case .closeLink(let reason): "close link: \(reason)"
        case .opened(let stream, let security): "opened c\(stream) \(security.summary)"
        case .received(let stream, let chunks): "received c\(stream) \(chunks.summary)"
        case .ended(let stream): "ended c\(stream)"
        case .closed(let stream, let failure): "closed c\(stream)\(failure.summary)"
        case .writable(let stream): "writable c\(stream)"
        case .listening(let server, let address): "listening sc\(server) \(address)"
        case .incoming(let question, let server, _, let payload):
            "incoming \(question.summary) sc\(server) \(payload.summary)"
        case .accepted(let server, let stream, _, let security): "accepted sc\(server) c\(stream) \(security.summary)"
        case .serverClosed(let server, let failure): "server closed sc\(server)\(failure.summary)"
        case .found(let query, let record): "found q\(query) \(record.summary)"
        case .finished(let query, let failure): "finished q\(query)\(failure.summary)"
        }
    }
}

extension RelayClientFailure? {
    fileprivate var summary: String { map { ": \($0)" } ?? "" }
}

extension RelayClientSession.StreamSecurity {
    fileprivate var summary: String {
        switch self {
        case .byRelay(let hash): "hash \(hash.array[0])"
        case .byClient(let result): result.isInitiator ? "as initiator" : "as responder"
        }
    }
}

extension RelayClientSession.FirewallQuestion {
    fileprivate var summary: String {
        switch self {
        case .request(let request): "f\(request)"
        case .handshake(let handshake): "n\(handshake)"
        }
    }
}

/// A client session with a clock that a test moves. Messages go in through the codec, as the link delivers them.
struct ClientScript {
    var session: RelayClientSession
    var now = RelayInstant(.seconds(100))

    init(limits: RelayLimits = RelayLimits()) {
        session = RelayClientSession(limits: limits, at: now)
    }

    /// - Returns: What the session then asks for.
    mutating func receive(_ message: RelayMessage) -> [String] {
        receive(type: message.type, body: message.encodedBody)
    }

    mutating func receive(type: UInt32, body: [UInt8]) -> [String] {
        body.withUnsafeBytes { body in
            session.received(type: type, body: body, at: now).map(\.summary)
        }
    }

    mutating func receive(data chunks: [[UInt8]], for stream: UInt32) -> [String] {
        receive(.data(alias: stream, DataChunks(chunks)))
    }

    /// Calls the session as its user would.
    mutating func user(
        _ wish: (inout RelayClientSession, RelayInstant) -> Actions<RelayClientSession.Action>
    ) -> [String] {
        wish(&session, now).map(\.summary)
    }

    /// The same for wishes that get a number; the number comes first.
    mutating func ask<ID>(
        _ wish: (inout RelayClientSession) -> (Identifier<ID>?, Actions<RelayClientSession.Action>)
    ) -> [String] {
        let (id, actions) = wish(&session)
        return [id.map { "#\($0)" } ?? "refused"] + actions.map(\.summary)
    }

    mutating func write(_ chunks: [[UInt8]], to stream: UInt32) -> [String] {
        let (result, actions) = session.write(DataChunks(chunks), to: ClientStreamID(stream), at: now)
        return ["\(result)"] + actions.map(\.summary)
    }

    /// Lets time pass.
    mutating func wait(_ duration: Duration) -> [String] {
        now = now.advanced(by: duration)
        return session.elapse(at: now).map(\.summary)
    }

    mutating func connect(_ custody: RelayClientSession.Custody = .relay) -> ClientStreamID {
        session.connect(to: RelayKeyPair.other.publicKey, as: .test, custody: custody).stream!  // within the limits
    }

    /// Connects a custodial stream and opens it under the relay's number.
    mutating func open(as relayStream: UInt32) -> ClientStreamID {
        let stream = connect()
        _ = receive(.opened(stream.number, relayStream))
        return stream
    }

    /// Opens a custodial server under the relay's number.
    mutating func listen(as relayServer: UInt32, _ custody: RelayClientSession.Custody = .relay) -> ClientServerID {
        let server = session.listen(as: .test, custody: custody).server!  // within the limits
        if custody == .client { _ = receive(.signAnnounce(.test(signee: server.number))) }
        _ = receive(.listening(relayServer, server.number))
        return server
    }
}

extension RelayMessage {
    static func opened(_ stream: UInt32, _ relayStream: UInt32) -> Self {
        .open(
            Open(
                stream: RelayStreamID(relayStream), remoteStream: ClientStreamID(stream),
                proof: .handshakeHash(Bytes64())))
    }

    static func opened(_ stream: UInt32, _ relayStream: UInt32, handshake: UInt32) -> Self {
        .open(
            Open(
                stream: RelayStreamID(relayStream), remoteStream: ClientStreamID(stream),
                proof: .handshake(HandshakeID(handshake))))
    }

    static func listening(_ relayServer: UInt32, _ server: UInt32, at address: IPv4Endpoint = .test) -> Self {
        .listening(
            Listening(
                server: RelayServerID(relayServer), remoteServer: ClientServerID(server), address: address))
    }

    static func offered(
        _ relayStream: UInt32, at relayServer: UInt32, proof: StreamProof = .handshakeHash(Bytes64()),
        from remotePublicKey: Bytes32 = RelayKeyPair.other.publicKey
    ) -> Self {
        .connection(
            Connection(
                stream: RelayStreamID(relayStream), server: RelayServerID(relayServer),
                remotePublicKey: remotePublicKey, proof: proof))
    }

    static func incoming(_ request: UInt32, at relayServer: UInt32, payload: MessageBytes = smallestPayload) -> Self {
        .incoming(
            Incoming(
                request: FirewallRequestID(request), server: RelayServerID(relayServer),
                remotePublicKey: RelayKeyPair.other.publicKey, payload: payload))
    }

    static func noiseSend(_ handshake: UInt32, to stream: UInt32) -> Self {
        .noiseSend(
            NoiseSend(
                handshake: HandshakeID(handshake), role: .initiator(ClientStreamID(stream)), payload: smallestPayload))
    }

    static func noiseSend(_ handshake: UInt32) -> Self {
        .noiseSend(NoiseSend(handshake: HandshakeID(handshake), role: .responder, payload: smallestPayload))
    }

    static func noiseReceive(_ handshake: UInt32, _ message: [UInt8]) -> Self {
        .noiseReceive(
            NoiseReceive(handshake: HandshakeID(handshake), role: .initiator, message: MessageBytes(message)))
    }

    static func noiseReceive(_ handshake: UInt32, at server: UInt32, _ message: [UInt8]) -> Self {
        .noiseReceive(
            NoiseReceive(
                handshake: HandshakeID(handshake), role: .responder(RelayServerID(server)),
                message: MessageBytes(message)))
    }
}

extension RelayMessage.SignatureRequest {
    static func test(signee: UInt32, nodeID: [UInt8] = [UInt8](repeating: 8, count: 32)) -> Self {
        Self(
            request: SignatureRequestID(50), signee: signee, token: Bytes32(repeating: 7), nodeID: MessageBytes(nodeID),
            relayAddresses: IPv4EndpointList([.test]))
    }
}

extension RelayClientSession {
    /// Whether nothing is left of what the user once had.
    var holdsNothing: Bool {
        streams.isEmpty && relayStreams.isEmpty && servers.isEmpty && relayServers.isEmpty && queries.isEmpty
            && handshakes.isEmpty && questions.isEmpty && deadlines.isEmpty && gate.byteCount == 0
    }
}
