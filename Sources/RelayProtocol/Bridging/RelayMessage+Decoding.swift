internal import CHyperDHT

/// Why a message could not be read.
package enum RelayMessageError: Error, Equatable {
    /// This version has no message of that type.
    case unknownType(UInt32)
    /// The body ends before the message does.
    case truncated
    /// A list has more elements than any may have.
    case tooManyElements
}

extension RelayMessage {
    /// How many types of messages there are; they are numbered from 0.
    package static let typesCount = UInt32(HDHT_RELAY_TYPES_COUNT)

    /// The name of the multiplexer's channel.
    package static let protocolName = HDHT_RELAY_PROTOCOL

    /// The name of a message type for logs, for example `noiseReply`.
    package static func name(ofType type: UInt32) -> String {
        String(cString: hdht_relay_type_name(type))
    }

    /// Reads a message. Bytes after its last field are ignored, as the reference does.
    ///
    /// - Parameters:
    ///   - type: The multiplexer's message type.
    ///   - body: The bytes after that. What the message lends lies in it.
    package init(type: UInt32, body: UnsafeRawBufferPointer) throws(RelayMessageError) {
        var message = hdht_relay_message()
        switch Int(hdht_relay_message_decode(type, body.asBytes, &message)) {
        case HDHT_OK: self = Self(message)
        case HDHT_ERR_UNKNOWN_TYPE: throw .unknownType(type)
        case HDHT_ERR_TOO_LARGE: throw .tooManyElements
        default: throw .truncated
        }
    }

    /// The typed view of what the codec has read: keys are copied, byte strings lent.
    private init(_ message: hdht_relay_message) {
        let body = message.body
        switch Int(message.type) {
        case HDHT_RELAY_HANDSHAKE: self = .handshake(Credentials(body.handshake))
        case HDHT_RELAY_PING: self = .ping
        case HDHT_RELAY_PONG: self = .pong
        case HDHT_RELAY_CONNECT: self = .connect(Connect(body.connect))
        case HDHT_RELAY_CONNECTION: self = .connection(Connection(body.connection))
        case HDHT_RELAY_CONNECTED: self = .connected(Connected(body.connected))
        case HDHT_RELAY_INCOMING: self = .incoming(Incoming(body.incoming))
        case HDHT_RELAY_DENY: self = .deny(FirewallRequestID(body.deny.id))
        case HDHT_RELAY_ACCEPT: self = .accept(FirewallRequestID(body.accept.id))
        case HDHT_RELAY_DESTROY: self = .destroy(Destroy(body.destroy))
        case HDHT_RELAY_LISTEN: self = .listen(Listen(body.listen))
        case HDHT_RELAY_LISTENING: self = .listening(Listening(body.listening))
        case HDHT_RELAY_CLOSE: self = .close(ClientServerID(body.close.alias))
        case HDHT_RELAY_CLOSED: self = .closed(RelayServerID(body.closed.alias))
        case HDHT_RELAY_OPEN: self = .open(Open(body.open))
        case HDHT_RELAY_END: self = .end(alias: body.end.alias)
        case HDHT_RELAY_DATA: self = .data(alias: body.data.alias, DataChunks(body.data.chunks))
        case HDHT_RELAY_RESULT: self = .result(QueryID(body.result.query_id), MessageBytes(body.result.data))
        case HDHT_RELAY_FINISHED: self = .finished(QueryID(body.finished.query_id))
        case HDHT_RELAY_LOOKUP: self = .lookup(QueryID(body.lookup.query_id), topic: Bytes32(at: body.lookup.topic))
        case HDHT_RELAY_ANNOUNCE: self = .announce(Announce(body.announce))
        case HDHT_RELAY_UNANNOUNCE: self = .unannounce(Announce(body.unannounce))
        case HDHT_RELAY_SIGN_ANNOUNCE: self = .signAnnounce(SignatureRequest(body.sign_announce))
        case HDHT_RELAY_SIGN_UNANNOUNCE: self = .signUnannounce(SignatureRequest(body.sign_unannounce))
        case HDHT_RELAY_SIGNATURE:
            self = .signature(SignatureRequestID(body.signature.id), MessageBytes(body.signature.signature))
        case HDHT_RELAY_NOISE_SEND: self = .noiseSend(NoiseSend(body.noise_send))
        case HDHT_RELAY_NOISE_RECEIVE: self = .noiseReceive(NoiseReceive(body.noise_receive))
        case HDHT_RELAY_NOISE_REPLY: self = .noiseReply(NoiseReply(body.noise_reply))
        default: preconditionFailure("the codec reads no other types")
        }
    }
}

extension MessageBytes {
    fileprivate init(_ bytes: hdht_bytes) {
        self.init(lending: UnsafeRawBufferPointer(bytes))
    }
}

extension Credentials {
    fileprivate init(_ handshake: hdht_relay_handshake) {
        self.init(publicKey: handshake.public_key, secretKey: handshake.secret_key)
    }

    /// The codec gives a secret key exactly when the message is custodial.
    fileprivate init(publicKey: UnsafePointer<UInt8>, secretKey: UnsafePointer<UInt8>?) {
        let publicKey = Bytes32(at: publicKey)
        if let secretKey {
            self = .custodial(RelayKeyPair(publicKey: publicKey, secretKey: SecretKey(at: secretKey)))
        } else {
            self = .nonCustodial(publicKey)
        }
    }
}

extension StreamProof {
    /// The codec gives a hash exactly when the message is custodial.
    fileprivate init(hash: UnsafePointer<UInt8>?, handshake: UInt32) {
        self = hash.map { .handshakeHash(Bytes64(at: $0)) } ?? .handshake(HandshakeID(handshake))
    }
}

extension RelayMessage.Connect {
    fileprivate init(_ connect: hdht_relay_connect) {
        stream = ClientStreamID(connect.alias)
        credentials = Credentials(publicKey: connect.public_key, secretKey: connect.secret_key)
        remotePublicKey = Bytes32(at: connect.remote_public_key)
    }
}

extension RelayMessage.Connection {
    fileprivate init(_ connection: hdht_relay_connection) {
        stream = RelayStreamID(connection.alias)
        server = RelayServerID(connection.server_alias)
        remotePublicKey = Bytes32(at: connection.remote_public_key)
        proof = StreamProof(hash: connection.handshake_hash, handshake: connection.handshake_id)
    }
}

extension RelayMessage.Connected {
    fileprivate init(_ connected: hdht_relay_connected) {
        stream = ClientStreamID(connected.alias)
        remoteStream = RelayStreamID(connected.remote_alias)
    }
}

extension RelayMessage.Incoming {
    fileprivate init(_ incoming: hdht_relay_incoming) {
        request = FirewallRequestID(incoming.id)
        server = RelayServerID(incoming.server_alias)
        remotePublicKey = Bytes32(at: incoming.remote_public_key)
        payload = MessageBytes(incoming.payload)
    }
}

extension RelayMessage.Destroy {
    fileprivate init(_ destroy: hdht_relay_destroy) {
        let isPaired = destroy.flags & UInt32(HDHT_RELAY_FLAG_PAIRED) != 0
        stream = isPaired ? .alias(destroy.alias) : .remoteAlias(destroy.remote_alias)
        let text = UnsafeRawBufferPointer(destroy.error)
        error = text.isEmpty ? nil : String(decoding: text, as: UTF8.self)
    }
}

extension RelayMessage.Listen {
    fileprivate init(_ listen: hdht_relay_listen) {
        server = ClientServerID(listen.alias)
        credentials = Credentials(publicKey: listen.public_key, secretKey: listen.secret_key)
    }
}

extension RelayMessage.Listening {
    fileprivate init(_ listening: hdht_relay_listening) {
        server = RelayServerID(listening.alias)
        remoteServer = ClientServerID(listening.remote_alias)
        let ip = listening.address.ip
        address = IPv4Endpoint(ip.0, ip.1, ip.2, ip.3, port: listening.address.port)
    }
}

extension RelayMessage.Open {
    fileprivate init(_ open: hdht_relay_open) {
        stream = RelayStreamID(open.alias)
        remoteStream = ClientStreamID(open.remote_alias)
        proof = StreamProof(hash: open.handshake_hash, handshake: open.handshake_id)
    }
}

extension RelayMessage.Announce {
    fileprivate init(_ announce: hdht_relay_announce) {
        query = QueryID(announce.query_id)
        topic = Bytes32(at: announce.topic)
        credentials = Credentials(publicKey: announce.public_key, secretKey: announce.secret_key)
    }
}

extension RelayMessage.SignatureRequest {
    fileprivate init(_ sign: hdht_relay_sign) {
        request = SignatureRequestID(sign.id)
        signee = sign.signee
        token = Bytes32(at: sign.token)
        nodeID = MessageBytes(sign.peer_id)
        relayAddresses = IPv4EndpointList(encoded: MessageBytes(sign.relay_addresses.encoded))
    }
}

extension RelayMessage.NoiseSend {
    fileprivate init(_ send: hdht_relay_noise_send) {
        handshake = HandshakeID(send.id)
        let isInitiator = send.flags & UInt32(HDHT_RELAY_FLAG_INITIATOR) != 0
        role = isInitiator ? .initiator(ClientStreamID(send.remote_stream_alias)) : .responder
        payload = MessageBytes(send.payload)
    }
}

extension RelayMessage.NoiseReceive {
    fileprivate init(_ receive: hdht_relay_noise_receive) {
        handshake = HandshakeID(receive.id)
        let isInitiator = receive.flags & UInt32(HDHT_RELAY_FLAG_INITIATOR) != 0
        role = isInitiator ? .initiator : .responder(RelayServerID(receive.server_alias))
        message = MessageBytes(receive.payload)
    }
}

extension RelayMessage.NoiseReply {
    fileprivate init(_ reply: hdht_relay_noise_reply) {
        handshake = HandshakeID(reply.id)
        payload = MessageBytes(reply.payload)
        let isInitiator = reply.flags & UInt32(HDHT_RELAY_FLAG_INITIATOR) != 0
        if reply.flags & UInt32(HDHT_RELAY_FLAG_COMPLETE) != 0 {
            let secrets = HandshakeSecrets(
                remoteID: Bytes32(at: reply.remote_id), holepunchSecret: Bytes32(at: reply.holepunch_secret))
            step = isInitiator ? .initiatorLast(secrets) : .responderLast(secrets)
        } else if isInitiator {
            step = .initiatorFirst
        } else {
            step = .responderFirst(remotePublicKey: Bytes32(at: reply.remote_public_key))
        }
    }
}
