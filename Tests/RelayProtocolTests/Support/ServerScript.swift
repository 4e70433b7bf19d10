@testable import RelayProtocol

/// A relay session with a clock that a test moves. Messages go in through the codec, as the link delivers them.
struct ServerScript {
    var session: RelayServerSession
    var now = RelayInstant(.seconds(100))

    /// A session whose client has said its handshake.
    init(limits: RelayLimits = RelayLimits(), withHandshake: Bool = true) {
        session = RelayServerSession(limits: limits, at: now)
        if withHandshake { _ = receive(.handshake(.nonCustodial(Bytes32(repeating: 1)))) }
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

    mutating func peerData(_ stream: UInt32, _ bytes: [UInt8]) -> [String] {
        bytes.withUnsafeBytes { session.peerData(RelayStreamID(stream), $0).map(\.summary) }
    }

    /// Calls the session as its driver would.
    mutating func node(
        _ report: (inout RelayServerSession, RelayInstant) -> Actions<RelayServerSession.Action>
    ) -> [String] {
        report(&session, now).map(\.summary)
    }

    /// The same for reports that get a number; the number comes first.
    mutating func ask<ID>(
        _ report: (inout RelayServerSession, RelayInstant) -> (Identifier<ID>?, Actions<RelayServerSession.Action>)
    ) -> [String] {
        let (id, actions) = report(&session, now)
        return [id.map { "#\($0)" } ?? "refused"] + actions.map(\.summary)
    }

    /// Lets time pass.
    mutating func wait(_ duration: Duration) -> [String] {
        now = now.advanced(by: duration)
        return session.elapse(at: now).map(\.summary)
    }

    /// Connects a custodial stream and opens it.
    mutating func open(_ clientStream: UInt32) -> UInt32 {
        _ = receive(.connect(.custodial(clientStream)))
        let stream = session.clientStreams[ClientStreamID(clientStream)]!  // the request above is valid
        _ = node { $0.peerOpened(stream, handshakeHash: Bytes64(), at: $1) }
        return stream.number
    }

    /// A peer connects to a custodial server.
    mutating func offer(_ server: RelayServerID) -> [String] {
        ask { $0.peerConnected(to: server, remotePublicKey: Bytes32(), handshakeHash: Bytes64(), at: $1) }
    }

    /// Opens a server.
    mutating func listen(_ clientServer: UInt32, credentials: Credentials = .test) -> RelayServerID {
        let server = ClientServerID(clientServer)
        _ = receive(.listen(RelayMessage.Listen(server: server, credentials: credentials)))
        let relayServer = session.clientServers[server]!  // the request above is valid
        _ = node { $0.serverListening(relayServer, address: .test, at: $1) }
        return relayServer
    }
}

extension RelayKeyPair {
    static let test = RelayKeyPair(seed: Bytes32(repeating: 1))
    static let other = RelayKeyPair(seed: Bytes32(repeating: 2))
    /// Whose halves do not belong together.
    static let invalid = RelayKeyPair(publicKey: other.publicKey, secretKey: test.secretKey)
}

extension Credentials {
    /// Custodial.
    static let test = Self.custodial(.test)
    static let own = Self.nonCustodial(RelayKeyPair.test.publicKey)
}

extension IPv4Endpoint {
    static let test = Self(127, 0, 0, 1, port: 4000)
}

extension RelayMessage.Connect {
    static func custodial(_ stream: UInt32) -> Self {
        Self(stream: ClientStreamID(stream), credentials: .test, remotePublicKey: RelayKeyPair.other.publicKey)
    }

    static func ownKey(_ stream: UInt32) -> Self {
        Self(stream: ClientStreamID(stream), credentials: .own, remotePublicKey: RelayKeyPair.other.publicKey)
    }
}

/// The shortest Noise payload there is: version 1, no error, nothing present.
var smallestPayload: MessageBytes { MessageBytes([1, 0, 0, 0]) }

extension MessageBytes {
    static func ofSize(_ count: Int) -> Self { Self([UInt8](repeating: 0, count: count)) }
}

extension RelayServerSession {
    /// Whether nothing is left of what the client once had.
    var holdsNothing: Bool {
        streams.isEmpty && clientStreams.isEmpty && servers.isEmpty && clientServers.isEmpty && queries.isEmpty
            && handshakes.isEmpty && firewallRequests.isEmpty && signatureRequests.isEmpty && deadlines.isEmpty
            && gate.byteCount == 0 && backlogByteCount == 0
    }

    mutating func signatureNeeded(
        by signee: Signee, for kind: AnnouncementKind = .announce, at now: RelayInstant
    ) -> (request: SignatureRequestID?, actions: Actions<Action>) {
        signatureNeeded(
            by: signee, for: kind, target: Bytes32(repeating: 9), nodeID: Bytes32(repeating: 8),
            token: Bytes32(repeating: 7), relayAddresses: IPv4EndpointList([.test]), at: now)
    }
}
