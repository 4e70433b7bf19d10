/// A message of the relay protocol: what travels between a client and its relay as one message of their multiplexer.
///
/// Numbers are typed by whose they are. Only `data`, `end` and `destroy` travel both ways; in them `alias` is the sender's
/// number of the stream, whichever side that is.
///
/// A decoded message lends its byte strings from the body it was decoded from and is good only as long as that.
package enum RelayMessage {
    /// C to R, once, first. The relay drops whatever comes before it; the keys are not used.
    case handshake(Credentials)
    case ping
    case pong
    /// C to R: connect to a peer.
    case connect(Connect)
    /// R to C: a peer has connected to a server of the client.
    case connection(Connection)
    /// C to R: takes the stream that `connection` offered.
    case connected(Connected)
    /// R to C: may this peer connect? `accept` or `deny` answers.
    case incoming(Incoming)
    case deny(FirewallRequestID)
    case accept(FirewallRequestID)
    /// Both ways: the stream is gone.
    case destroy(Destroy)
    /// C to R: opens a server.
    case listen(Listen)
    /// R to C: the server is open.
    case listening(Listening)
    /// C to R: close the server.
    case close(ClientServerID)
    /// R to C: the server is closed.
    case closed(RelayServerID)
    /// R to C: the stream that `connect` asked for is open.
    case open(Open)
    /// Both ways: no more data of the sender's for this stream.
    case end(alias: UInt32)
    /// Both ways: what the sender wrote to the stream.
    case data(alias: UInt32, DataChunks)
    /// R to C: one answer to a query: the encoded record of who announced, and which node says so.
    case result(QueryID, MessageBytes)
    /// R to C: no more results.
    case finished(QueryID)
    /// C to R: who announced the topic?
    case lookup(QueryID, topic: Bytes32)
    case announce(Announce)
    case unannounce(Announce)
    /// R to C: sign this announcement; `signature` answers.
    case signAnnounce(SignatureRequest)
    case signUnannounce(SignatureRequest)
    /// C to R: 64 bytes, unchecked.
    case signature(SignatureRequestID, MessageBytes)
    /// R to C: write your next Noise message around this payload; `noiseReply` answers.
    case noiseSend(NoiseSend)
    /// R to C: this Noise message has come for you; `noiseReply` answers.
    case noiseReceive(NoiseReceive)
    case noiseReply(NoiseReply)
}

/// Whose key a stream, server or query uses, and who has it.
package enum Credentials: Sendable {
    /// The relay gets the secret key, does the cryptography and sees the plaintext.
    case custodial(RelayKeyPair)
    /// The secret key stays with the client.
    case nonCustodial(Bytes32)

    package var publicKey: Bytes32 {
        switch self {
        case .custodial(let keyPair): keyPair.publicKey
        case .nonCustodial(let publicKey): publicKey
        }
    }

    package var isCustodial: Bool {
        switch self {
        case .custodial: true
        case .nonCustodial: false
        }
    }
}

/// What a new stream is secured by.
package enum StreamProof: Equatable, Sendable {
    /// Custodial: the hash of the handshake that the relay made.
    case handshakeHash(Bytes64)
    /// Not custodial: the client's own handshake.
    case handshake(HandshakeID)
}

extension RelayMessage {
    package struct Connect {
        package var stream: ClientStreamID
        package var credentials: Credentials
        package var remotePublicKey: Bytes32

        package init(stream: ClientStreamID, credentials: Credentials, remotePublicKey: Bytes32) {
            self.stream = stream
            self.credentials = credentials
            self.remotePublicKey = remotePublicKey
        }
    }

    package struct Connection: Equatable {
        package var stream: RelayStreamID
        package var server: RelayServerID
        package var remotePublicKey: Bytes32
        package var proof: StreamProof

        package init(stream: RelayStreamID, server: RelayServerID, remotePublicKey: Bytes32, proof: StreamProof) {
            self.stream = stream
            self.server = server
            self.remotePublicKey = remotePublicKey
            self.proof = proof
        }
    }

    package struct Connected: Equatable {
        package var stream: ClientStreamID
        package var remoteStream: RelayStreamID

        package init(stream: ClientStreamID, remoteStream: RelayStreamID) {
            self.stream = stream
            self.remoteStream = remoteStream
        }
    }

    package struct Incoming: Equatable {
        package var request: FirewallRequestID
        package var server: RelayServerID
        package var remotePublicKey: Bytes32
        /// What the peer said about itself in its Noise handshake.
        package var payload: MessageBytes

        package init(
            request: FirewallRequestID, server: RelayServerID, remotePublicKey: Bytes32, payload: MessageBytes
        ) {
            self.request = request
            self.server = server
            self.remotePublicKey = remotePublicKey
            self.payload = payload
        }
    }

    package struct Destroy: Equatable {
        package enum Stream: Equatable {
            /// By the sender's own number.
            case alias(UInt32)
            /// By the receiver's number, when the sender never gave it one.
            case remoteAlias(UInt32)
        }

        package var stream: Stream
        /// Why, or nil for no particular reason. An empty text cannot be sent: it reads as nil.
        package var error: String?

        package init(_ stream: Stream, error: String?) {
            self.stream = stream
            self.error = error
        }
    }

    package struct Listen {
        package var server: ClientServerID
        package var credentials: Credentials

        package init(server: ClientServerID, credentials: Credentials) {
            self.server = server
            self.credentials = credentials
        }
    }

    package struct Listening: Equatable {
        package var server: RelayServerID
        package var remoteServer: ClientServerID
        /// Where the relay's node is seen.
        package var address: IPv4Endpoint

        package init(server: RelayServerID, remoteServer: ClientServerID, address: IPv4Endpoint) {
            self.server = server
            self.remoteServer = remoteServer
            self.address = address
        }
    }

    package struct Open: Equatable {
        package var stream: RelayStreamID
        package var remoteStream: ClientStreamID
        package var proof: StreamProof

        package init(stream: RelayStreamID, remoteStream: ClientStreamID, proof: StreamProof) {
            self.stream = stream
            self.remoteStream = remoteStream
            self.proof = proof
        }
    }

    /// Of `announce` and `unannounce`.
    package struct Announce {
        package var query: QueryID
        package var topic: Bytes32
        package var credentials: Credentials

        package init(query: QueryID, topic: Bytes32, credentials: Credentials) {
            self.query = query
            self.topic = topic
            self.credentials = credentials
        }
    }

    /// Of `signAnnounce` and `signUnannounce`.
    package struct SignatureRequest: Equatable {
        package var request: SignatureRequestID
        /// The client's number of the server or query whose key is to sign.
        package var signee: UInt32
        package var token: Bytes32
        /// The id of the node that will store the record: 32 bytes, unchecked.
        package var nodeID: MessageBytes
        package var relayAddresses: IPv4EndpointList

        package init(
            request: SignatureRequestID, signee: UInt32, token: Bytes32, nodeID: MessageBytes,
            relayAddresses: IPv4EndpointList
        ) {
            self.request = request
            self.signee = signee
            self.token = token
            self.nodeID = nodeID
            self.relayAddresses = relayAddresses
        }
    }

    package struct NoiseSend: Equatable {
        package enum Role: Equatable {
            /// The client connects, with this stream.
            case initiator(ClientStreamID)
            case responder
        }

        package var handshake: HandshakeID
        package var role: Role
        package var payload: MessageBytes

        package init(handshake: HandshakeID, role: Role, payload: MessageBytes) {
            self.handshake = handshake
            self.role = role
            self.payload = payload
        }
    }

    package struct NoiseReceive: Equatable {
        package enum Role: Equatable {
            case initiator
            /// A peer connects to this server.
            case responder(RelayServerID)
        }

        package var handshake: HandshakeID
        package var role: Role
        package var message: MessageBytes

        package init(handshake: HandshakeID, role: Role, message: MessageBytes) {
            self.handshake = handshake
            self.role = role
            self.message = message
        }
    }

    package struct NoiseReply: Equatable {
        /// Which of the four replies it is, and what goes with that one.
        package enum Step: Equatable {
            /// The client's first message, or with an empty payload: the peer's was refused.
            case initiatorFirst
            /// What the peer's message said.
            case initiatorLast(HandshakeSecrets)
            /// What the peer's message said, and who the peer is; an empty payload denies.
            case responderFirst(remotePublicKey: Bytes32)
            /// The client's message.
            case responderLast(HandshakeSecrets)
        }

        package var handshake: HandshakeID
        package var step: Step
        package var payload: MessageBytes

        package init(handshake: HandshakeID, step: Step, payload: MessageBytes) {
            self.handshake = handshake
            self.step = step
            self.payload = payload
        }
    }
}

/// What the relay needs of a handshake that the client has completed.
package struct HandshakeSecrets: Equatable, Sendable {
    /// The other side's id of the secret stream. Nobody reads it.
    package var remoteID: Bytes32
    /// With which the relay's node seals what it says while punching holes.
    package var holepunchSecret: Bytes32

    package init(remoteID: Bytes32, holepunchSecret: Bytes32) {
        self.remoteID = remoteID
        self.holepunchSecret = holepunchSecret
    }
}

extension RelayMessage {
    /// The one byte string of those messages that have exactly one.
    var byteString: MessageBytes? {
        switch self {
        case .incoming(let incoming): incoming.payload
        case .result(_, let data): data
        case .signature(_, let signature): signature
        case .noiseSend(let send): send.payload
        case .noiseReceive(let receive): receive.message
        case .noiseReply(let reply): reply.payload
        case .handshake, .ping, .pong, .connect, .connection, .connected, .deny, .accept, .destroy, .listen, .listening,
            .close, .closed, .open, .end, .data, .finished, .lookup, .announce, .unannounce, .signAnnounce,
            .signUnannounce:
            nil
        }
    }

    /// How long the message is, data left out: exact in what can be long, generous in what cannot.
    var approximateByteCount: Int {
        128 + (byteString?.count ?? 0) + (errorText?.utf8.count ?? 0) + (addresses?.encoded.count ?? 0)
    }

    private var errorText: String? {
        if case .destroy(let destroy) = self { destroy.error } else { nil }
    }

    private var addresses: IPv4EndpointList? {
        if case .signAnnounce(let sign) = self { return sign.relayAddresses }
        if case .signUnannounce(let sign) = self { return sign.relayAddresses }
        return nil
    }
}
