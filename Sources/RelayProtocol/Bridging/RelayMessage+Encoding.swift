internal import CHyperDHT

extension RelayMessage {
    /// The multiplexer's message type.
    package var type: UInt32 {
        let type =
            switch self {
            case .handshake: HDHT_RELAY_HANDSHAKE
            case .ping: HDHT_RELAY_PING
            case .pong: HDHT_RELAY_PONG
            case .connect: HDHT_RELAY_CONNECT
            case .connection: HDHT_RELAY_CONNECTION
            case .connected: HDHT_RELAY_CONNECTED
            case .incoming: HDHT_RELAY_INCOMING
            case .deny: HDHT_RELAY_DENY
            case .accept: HDHT_RELAY_ACCEPT
            case .destroy: HDHT_RELAY_DESTROY
            case .listen: HDHT_RELAY_LISTEN
            case .listening: HDHT_RELAY_LISTENING
            case .close: HDHT_RELAY_CLOSE
            case .closed: HDHT_RELAY_CLOSED
            case .open: HDHT_RELAY_OPEN
            case .end: HDHT_RELAY_END
            case .data: HDHT_RELAY_DATA
            case .result: HDHT_RELAY_RESULT
            case .finished: HDHT_RELAY_FINISHED
            case .lookup: HDHT_RELAY_LOOKUP
            case .announce: HDHT_RELAY_ANNOUNCE
            case .unannounce: HDHT_RELAY_UNANNOUNCE
            case .signAnnounce: HDHT_RELAY_SIGN_ANNOUNCE
            case .signUnannounce: HDHT_RELAY_SIGN_UNANNOUNCE
            case .signature: HDHT_RELAY_SIGNATURE
            case .noiseSend: HDHT_RELAY_NOISE_SEND
            case .noiseReceive: HDHT_RELAY_NOISE_RECEIVE
            case .noiseReply: HDHT_RELAY_NOISE_REPLY
            }
        return UInt32(type)
    }

    /// Lends the body as pieces to be sent one after the other, for the duration of the call. Chunks of `data` are not copied;
    /// any other message is one piece, encoded on the stack.
    package func withParts<Result>(
        _ body: (UnsafeBufferPointer<UnsafeRawBufferPointer>) throws -> Result
    ) rethrows -> Result {
        if case .data(let alias, let chunks) = self { return try chunks.withParts(alias: alias, body) }
        return try withCodecMessage { message in
            try message.withEncodedBody { part in
                try withUnsafePointer(to: part) { try body(UnsafeBufferPointer(start: $0, count: 1)) }
            }
        }
    }

    /// The body in one piece, for tests and for whoever cannot send pieces.
    package var encodedBody: [UInt8] {
        withParts { parts in Array(parts.joined()) }
    }

    /// Lends what the codec takes: keys are copied to the stack, byte strings stay where they are.
    private func withCodecMessage<Result>(_ body: (hdht_relay_message) throws -> Result) rethrows -> Result {
        try withUnsafeTemporaryAllocation(byteCount: FixedFields.size, alignment: 1) { memory in
            var fields = FixedFields(memory)
            switch self {
            case .signAnnounce(let sign), .signUnannounce(let sign):
                return try sign.nodeID.withUnsafeBytes { nodeID in
                    try sign.relayAddresses.encoded.withUnsafeBytes { addresses in
                        let sign = sign.codec(nodeID: nodeID, addresses: addresses, &fields)
                        return try body(codec(hdht_relay_body(sign_announce: sign)))
                    }
                }
            case .destroy(let destroy):
                var text = destroy.error ?? ""
                return try text.withUTF8 { text in
                    try body(codec(hdht_relay_body(destroy: destroy.codec(text: UnsafeRawBufferPointer(text)))))
                }
            case .handshake, .ping, .pong, .connect, .connection, .connected, .incoming, .deny, .accept, .listen,
                .listening,
                .close, .closed, .open, .end, .data, .result, .finished, .lookup, .announce, .unannounce, .signature,
                .noiseSend,
                .noiseReceive, .noiseReply:
                return try (byteString ?? .empty).withUnsafeBytes { bytes in
                    try body(codec(codecBody(bytes, &fields)))
                }
            }
        }
    }

    private func codec(_ body: hdht_relay_body) -> hdht_relay_message {
        hdht_relay_message(type: type, reserved: 0, body: body)
    }

    /// - Parameter bytes: The message's ``byteString``.
    private func codecBody(_ bytes: UnsafeRawBufferPointer, _ fields: inout FixedFields) -> hdht_relay_body {
        switch self {
        case .handshake(let credentials): hdht_relay_body(handshake: credentials.codec(&fields))
        case .connect(let connect): hdht_relay_body(connect: connect.codec(&fields))
        case .connection(let connection): hdht_relay_body(connection: connection.codec(&fields))
        case .connected(let connected): hdht_relay_body(connected: connected.codec)
        case .incoming(let incoming): hdht_relay_body(incoming: incoming.codec(bytes, &fields))
        case .deny(let request), .accept(let request): hdht_relay_body(accept: hdht_relay_decision(id: request.number))
        case .listen(let listen): hdht_relay_body(listen: listen.codec(&fields))
        case .listening(let listening): hdht_relay_body(listening: listening.codec)
        case .close(let server): hdht_relay_body(close: hdht_relay_ended(alias: server.number))
        case .closed(let server): hdht_relay_body(closed: hdht_relay_ended(alias: server.number))
        case .open(let open): hdht_relay_body(open: open.codec(&fields))
        case .end(let alias): hdht_relay_body(end: hdht_relay_ended(alias: alias))
        case .result(let query, _):
            hdht_relay_body(result: hdht_relay_result(query_id: query.number, reserved: 0, data: bytes.asBytes))
        case .finished(let query): hdht_relay_body(finished: hdht_relay_finished(query_id: query.number))
        case .lookup(let query, let topic):
            hdht_relay_body(
                lookup: hdht_relay_lookup(query_id: query.number, reserved: 0, topic: fields.keep(topic)))
        case .announce(let announce), .unannounce(let announce):
            hdht_relay_body(announce: announce.codec(&fields))
        case .signature(let request, _):
            hdht_relay_body(
                signature: hdht_relay_signature(id: request.number, reserved: 0, signature: bytes.asBytes))
        case .noiseSend(let send): hdht_relay_body(noise_send: send.codec(bytes))
        case .noiseReceive(let receive): hdht_relay_body(noise_receive: receive.codec(bytes))
        case .noiseReply(let reply): hdht_relay_body(noise_reply: reply.codec(bytes, &fields))
        case .ping, .pong: hdht_relay_body()
        case .data, .destroy, .signAnnounce, .signUnannounce: preconditionFailure("encoded another way")
        }
    }
}

/// Room on the stack for the keys and hashes of one message, which the codec wants to be pointed at.
private struct FixedFields {
    /// The most any message has: two public keys and a secret one.
    static let size = 2 * Bytes32.count + SecretKey.count

    private var rest: UnsafeMutableRawBufferPointer

    init(_ memory: UnsafeMutableRawBufferPointer) {
        rest = memory
    }

    mutating func keep(_ bytes: Bytes32) -> UnsafePointer<UInt8>? {
        bytes.withUnsafeBytes { keep($0) }
    }

    mutating func keep(_ bytes: Bytes64) -> UnsafePointer<UInt8>? {
        bytes.withUnsafeBytes { keep($0) }
    }

    /// The key stays where it is: the message keeps it alive.
    func lend(_ key: SecretKey) -> UnsafePointer<UInt8>? {
        key.withUnsafeBytes { $0.bytes }
    }

    private mutating func keep(_ bytes: UnsafeRawBufferPointer) -> UnsafePointer<UInt8>? {
        rest.copyMemory(from: bytes)
        let kept = UnsafePointer(rest.mutableBytes)
        rest = UnsafeMutableRawBufferPointer(rebasing: rest[bytes.count...])
        return kept
    }
}

extension hdht_relay_message {
    /// Lends the encoded body for the duration of the call.
    fileprivate func withEncodedBody<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
        try withUnsafePointer(to: self) { message in
            var size = 0
            var status = hdht_relay_message_size(message, &size)
            precondition(status == HDHT_OK, "the typed view holds nothing that the codec refuses")
            return try withUnsafeTemporaryAllocation(byteCount: size, alignment: 1) { buffer in
                status = hdht_relay_message_encode(message, buffer.mutableBytes, buffer.count, &size)
                precondition(status == HDHT_OK, "the typed view holds nothing that the codec refuses")
                return try body(UnsafeRawBufferPointer(buffer))
            }
        }
    }
}

extension Credentials {
    fileprivate func codec(_ fields: inout FixedFields) -> hdht_relay_handshake {
        hdht_relay_handshake(
            flags: flags, reserved: 0, public_key: fields.keep(publicKey), secret_key: secretKey(fields))
    }

    fileprivate var flags: UInt32 {
        isCustodial ? UInt32(HDHT_RELAY_FLAG_CUSTODIAL) : 0
    }

    fileprivate func secretKey(_ fields: FixedFields) -> UnsafePointer<UInt8>? {
        switch self {
        case .custodial(let keyPair): fields.lend(keyPair.secretKey)
        case .nonCustodial: nil
        }
    }
}

extension StreamProof {
    fileprivate var flags: UInt32 {
        switch self {
        case .handshakeHash: UInt32(HDHT_RELAY_FLAG_CUSTODIAL)
        case .handshake: 0
        }
    }

    fileprivate var handshake: UInt32 {
        switch self {
        case .handshakeHash: 0
        case .handshake(let handshake): handshake.number
        }
    }

    fileprivate func hash(_ fields: inout FixedFields) -> UnsafePointer<UInt8>? {
        switch self {
        case .handshakeHash(let hash): fields.keep(hash)
        case .handshake: nil
        }
    }
}

extension RelayMessage.Connect {
    fileprivate func codec(_ fields: inout FixedFields) -> hdht_relay_connect {
        hdht_relay_connect(
            flags: credentials.flags, alias: stream.number, public_key: fields.keep(credentials.publicKey),
            secret_key: credentials.secretKey(fields), remote_public_key: fields.keep(remotePublicKey))
    }
}

extension RelayMessage.Connection {
    fileprivate func codec(_ fields: inout FixedFields) -> hdht_relay_connection {
        hdht_relay_connection(
            flags: proof.flags, alias: stream.number, server_alias: server.number, handshake_id: proof.handshake,
            remote_public_key: fields.keep(remotePublicKey), handshake_hash: proof.hash(&fields))
    }
}

extension RelayMessage.Connected {
    fileprivate var codec: hdht_relay_connected {
        hdht_relay_connected(alias: stream.number, remote_alias: remoteStream.number)
    }
}

extension RelayMessage.Incoming {
    fileprivate func codec(_ payload: UnsafeRawBufferPointer, _ fields: inout FixedFields) -> hdht_relay_incoming {
        hdht_relay_incoming(
            id: request.number, server_alias: server.number, remote_public_key: fields.keep(remotePublicKey),
            payload: payload.asBytes)
    }
}

extension RelayMessage.Destroy {
    fileprivate func codec(text: UnsafeRawBufferPointer) -> hdht_relay_destroy {
        var destroy = hdht_relay_destroy()
        switch stream {
        case .alias(let alias):
            destroy.flags = UInt32(HDHT_RELAY_FLAG_PAIRED)
            destroy.alias = alias
        case .remoteAlias(let alias):
            destroy.remote_alias = alias
        }
        if !text.isEmpty {
            destroy.flags |= UInt32(HDHT_RELAY_FLAG_ERROR)
            destroy.error = text.asBytes
        }
        return destroy
    }
}

extension RelayMessage.Listen {
    fileprivate func codec(_ fields: inout FixedFields) -> hdht_relay_listen {
        hdht_relay_listen(
            flags: credentials.flags, alias: server.number, public_key: fields.keep(credentials.publicKey),
            secret_key: credentials.secretKey(fields))
    }
}

extension RelayMessage.Listening {
    fileprivate var codec: hdht_relay_listening {
        var listening = hdht_relay_listening()
        listening.alias = server.number
        listening.remote_alias = remoteServer.number
        listening.address.family = UInt8(HDHT_FAMILY_IPV4)
        listening.address.port = address.port
        withUnsafeMutableBytes(of: &listening.address.ip) {
            $0.storeBytes(of: address.address.bigEndian, as: UInt32.self)
        }
        return listening
    }
}

extension RelayMessage.Open {
    fileprivate func codec(_ fields: inout FixedFields) -> hdht_relay_open {
        hdht_relay_open(
            flags: proof.flags, alias: stream.number, remote_alias: remoteStream.number, handshake_id: proof.handshake,
            handshake_hash: proof.hash(&fields))
    }
}

extension RelayMessage.Announce {
    fileprivate func codec(_ fields: inout FixedFields) -> hdht_relay_announce {
        hdht_relay_announce(
            flags: credentials.flags, query_id: query.number, topic: fields.keep(topic),
            public_key: fields.keep(credentials.publicKey), secret_key: credentials.secretKey(fields))
    }
}

extension RelayMessage.SignatureRequest {
    fileprivate func codec(
        nodeID: UnsafeRawBufferPointer, addresses: UnsafeRawBufferPointer, _ fields: inout FixedFields
    ) -> hdht_relay_sign {
        let list = hdht_address_list(array: nil, encoded: addresses.asBytes, count: relayAddresses.count)
        return hdht_relay_sign(
            id: request.number, signee: signee, token: fields.keep(token), peer_id: nodeID.asBytes,
            relay_addresses: list)
    }
}

extension RelayMessage.NoiseSend {
    fileprivate func codec(_ payload: UnsafeRawBufferPointer) -> hdht_relay_noise_send {
        var send = hdht_relay_noise_send()
        send.id = handshake.number
        send.payload = payload.asBytes
        if case .initiator(let stream) = role {
            send.flags = UInt32(HDHT_RELAY_FLAG_INITIATOR)
            send.remote_stream_alias = stream.number
        }
        return send
    }
}

extension RelayMessage.NoiseReceive {
    fileprivate func codec(_ message: UnsafeRawBufferPointer) -> hdht_relay_noise_receive {
        var receive = hdht_relay_noise_receive()
        receive.id = handshake.number
        receive.payload = message.asBytes
        switch role {
        case .initiator: receive.flags = UInt32(HDHT_RELAY_FLAG_INITIATOR)
        case .responder(let server): receive.server_alias = server.number
        }
        return receive
    }
}

extension RelayMessage.NoiseReply {
    fileprivate func codec(_ payload: UnsafeRawBufferPointer, _ fields: inout FixedFields) -> hdht_relay_noise_reply {
        var reply = hdht_relay_noise_reply()
        reply.id = handshake.number
        reply.payload = payload.asBytes
        switch step {
        case .initiatorFirst:
            reply.flags = UInt32(HDHT_RELAY_FLAG_INITIATOR)
        case .initiatorLast(let secrets):
            reply.flags = UInt32(HDHT_RELAY_FLAG_INITIATOR | HDHT_RELAY_FLAG_COMPLETE)
            reply.set(secrets, &fields)
        case .responderFirst(let remotePublicKey):
            reply.remote_public_key = fields.keep(remotePublicKey)
        case .responderLast(let secrets):
            reply.flags = UInt32(HDHT_RELAY_FLAG_COMPLETE)
            reply.set(secrets, &fields)
        }
        return reply
    }
}

extension hdht_relay_noise_reply {
    fileprivate mutating func set(_ secrets: HandshakeSecrets, _ fields: inout FixedFields) {
        remote_id = fields.keep(secrets.remoteID)
        holepunch_secret = fields.keep(secrets.holepunchSecret)
    }
}
