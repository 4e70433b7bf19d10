/// Streams between the client and peers.
extension RelayServerSession {
    struct Stream {
        /// The client's number: known from the start if the client connects, after `connected` if the peer did.
        var clientStream: ClientStreamID?
        let isCustodial: Bool
        var machine: StreamStateMachine
        /// While it connects with the client's key: the handshake, once it has begun.
        var handshake: HandshakeID?
        var untaken = UntakenBytes()
        /// Both directions have ended: the client has forgotten the stream, the peer has yet to take the rest.
        var isFinished = false

        /// - Parameter room: What the client may still have waiting.
        fileprivate mutating func takeOutbound(
            _ chunks: DataChunks, _ limits: RelayLimits, room: Int, _ gate: inout ReadingGate, at now: RelayInstant
        ) -> StreamStateMachine.DataVerdict {
            let room = min(room, limits.streamBacklogByteCount - machine.backlogByteCount)
            let verdict = machine.outboundData(chunks, room: room)
            if verdict == .pass { gate.add(chunks.byteCount, to: &untaken, at: now) }
            return verdict
        }
    }

    // MARK: From the client

    mutating func receivedConnect(
        _ connect: RelayMessage.Connect, at now: RelayInstant, _ actions: inout Actions<Action>
    ) {
        let clientStream = connect.stream
        guard clientStreams[clientStream] == nil else {
            let type = RelayMessage.connect(connect).type
            return close(.identifierInUse(type: type, number: clientStream.number), &actions)
        }
        if let failure = refusal(of: connect) {
            let destroy = RelayMessage.Destroy(.remoteAlias(clientStream.number), error: failure.text)
            return send(.destroy(destroy), &actions)
        }
        let stream: RelayStreamID = newIdentifier()
        streams[stream] = Stream(
            clientStream: clientStream, isCustodial: connect.credentials.isCustodial, machine: .connecting)
        clientStreams[clientStream] = stream
        actions.append(.connect(stream, connect.credentials, remotePublicKey: connect.remotePublicKey))
    }

    private mutating func refusal(of connect: RelayMessage.Connect) -> StreamFailure? {
        if streams.count >= limits.streams { return .tooManyStreams }
        if connectingCount >= limits.connectingStreams { return .tooManyStreams }
        return isUsable(connect.credentials) ? nil : .invalidKeyPair
    }

    /// A client that gives a secret key has to give its public key with it: connecting and announcing would only fail late and silently.
    mutating func isUsable(_ credentials: Credentials) -> Bool {
        guard case .custodial(let keyPair) = credentials else { return true }
        if let confirmedKeyPair, confirmedKeyPair.isIdentical(to: keyPair) { return true }
        guard keyPair.isValid else { return false }
        confirmedKeyPair = keyPair
        return true
    }

    mutating func receivedConnected(_ connected: RelayMessage.Connected, _ actions: inout Actions<Action>) {
        guard let stream = streams[connected.remoteStream], stream.clientStream == nil else { return }
        guard clientStreams[connected.stream] == nil else {
            let type = RelayMessage.connected(connected).type
            return close(.identifierInUse(type: type, number: connected.stream.number), &actions)
        }
        streams[connected.remoteStream]?.clientStream = connected.stream
        clientStreams[connected.stream] = connected.remoteStream
        deadlines.remove(.confirmation(connected.remoteStream))
    }

    mutating func receivedData(
        _ clientStream: ClientStreamID, _ chunks: DataChunks, at now: RelayInstant, _ actions: inout Actions<Action>
    ) {
        guard chunks.count <= limits.chunksPerMessage else {
            return close(.tooManyChunks(count: chunks.count), &actions)
        }
        guard chunks.count > 0, let stream = clientStreams[clientStream] else { return }
        let room = limits.backlogByteCount - backlogByteCount
        switch streams[stream]?.takeOutbound(chunks, limits, room: room, &gate, at: now) {
        case .pass:
            actions.append(.writeToPeer(stream, chunks))
            updateReading(at: now, &actions)
        case .hold(let byteCount):
            backlogByteCount += byteCount
        case .overflow:
            failStream(stream, because: .backlogFull, &actions)
        case .afterEnd:
            failStream(stream, because: .dataAfterEnd, &actions)
        case .ignore, nil:
            break
        }
    }

    mutating func receivedEnd(_ clientStream: ClientStreamID, _ actions: inout Actions<Action>) {
        guard let stream = clientStreams[clientStream] else { return }
        switch streams[stream]?.machine.outboundEnd() {
        case .pass:
            actions.append(.endPeer(stream))
        case .passAndFinish:
            actions.append(.endPeer(stream))
            finish(stream)
        case .hold, .ignore, nil:
            break
        }
    }

    /// The client forgets the stream as it sends this, so nothing is sent back. One that names a stream by the relay's number has
    /// no meaning in this direction.
    mutating func receivedDestroy(
        _ destroy: RelayMessage.Destroy, at now: RelayInstant, _ actions: inout Actions<Action>
    ) {
        guard case .alias(let alias) = destroy.stream, let stream = clientStreams[ClientStreamID(alias)] else { return }
        actions.append(.destroyPeer(stream, error: destroy.error))
        remove(stream)
        updateReading(at: now, &actions)
    }

    // MARK: From the node

    /// The stream that ``Action/connect(_:_:remotePublicKey:)`` asked for is open.
    ///
    /// - Parameter handshakeHash: Of the handshake, if it was custodial.
    package mutating func peerOpened(
        _ stream: RelayStreamID, handshakeHash: Bytes64?, at now: RelayInstant
    ) -> Actions<Action> {
        var actions = Actions<Action>()
        guard let found = streams[stream], let clientStream = found.clientStream, found.machine.isConnecting else {
            return actions
        }
        guard let proof = proof(of: found, handshakeHash: handshakeHash) else {
            failStream(stream, because: .handshakeFailed, &actions)
            return actions
        }
        let backlog = streams[stream]?.machine.opened()
        if let handshake = found.handshake { drop(handshake) }
        streams[stream]?.handshake = nil
        send(.open(RelayMessage.Open(stream: stream, remoteStream: clientStream, proof: proof)), &actions)
        if let backlog { deliver(backlog, to: stream, at: now, &actions) }
        return actions
    }

    /// A peer has connected to a custodial server, after it was allowed to.
    ///
    /// - Returns: The new stream's number, which the actions may already speak of, or nil if the client cannot take it: then
    ///   destroy it.
    package mutating func peerConnected(
        to server: RelayServerID, remotePublicKey: Bytes32, handshakeHash: Bytes64, at now: RelayInstant
    ) -> (stream: RelayStreamID?, actions: Actions<Action>) {
        offer(from: server, remotePublicKey, .handshakeHash(handshakeHash), at: now)
    }

    /// A peer has connected whose handshake the client has completed.
    ///
    /// - Returns: As above.
    package mutating func peerConnected(
        with handshake: HandshakeID, at now: RelayInstant
    ) -> (stream: RelayStreamID?, actions: Actions<Action>) {
        guard let exchange = handshakes[handshake], exchange.isComplete,
            case .responder(let server) = exchange.party, let remotePublicKey = exchange.remotePublicKey
        else { return (nil, Actions()) }
        drop(handshake)
        return offer(from: server, remotePublicKey, .handshake(handshake), at: now)
    }

    private mutating func offer(
        from server: RelayServerID, _ remotePublicKey: Bytes32, _ proof: StreamProof, at now: RelayInstant
    ) -> (stream: RelayStreamID?, actions: Actions<Action>) {
        var actions = Actions<Action>()
        guard phase == .active, let found = servers[server], found.isListening, streams.count < limits.streams else {
            return (nil, actions)
        }
        let stream: RelayStreamID = newIdentifier()
        streams[stream] = Stream(isCustodial: found.credentials.isCustodial, machine: .open)
        deadlines.set(.confirmation(stream), to: now.advanced(by: limits.confirmationTimeout))
        let connection = RelayMessage.Connection(
            stream: stream, server: server, remotePublicKey: remotePublicKey, proof: proof)
        send(.connection(connection), &actions)
        return (stream, actions)
    }

    /// Bytes have come from the peer: one message (custodial), or any part of the stream (not).
    ///
    /// - Parameter bytes: Lent to the action.
    package mutating func peerData(_ stream: RelayStreamID, _ bytes: UnsafeRawBufferPointer) -> Actions<Action> {
        var actions = Actions<Action>()
        guard let found = streams[stream], found.machine.inboundData() == .pass else { return actions }
        // An empty message is the peer's keep-alive, which a client of the reference would take for data.
        guard !bytes.isEmpty else { return actions }
        guard bytes.count <= limits.chunkByteCount else {
            failStream(stream, because: .chunkTooLarge, &actions)
            return actions
        }
        actions.append(.send(.data(alias: stream.number, DataChunks(lending: bytes))))
        if output.isBlocked { stopProducers(stream, byteCount: bytes.count, &actions) }
        return actions
    }

    /// The peer has ended its direction.
    package mutating func peerEnded(_ stream: RelayStreamID) -> Actions<Action> {
        var actions = Actions<Action>()
        switch streams[stream]?.machine.inboundEnd() {
        case .pass:
            send(.end(alias: stream.number), &actions)
        case .passAndFinish:
            finish(stream)
            send(.end(alias: stream.number), &actions)
        case .hold, .ignore, nil:
            break
        }
        return actions
    }

    /// The stream is closed, or could not be opened.
    ///
    /// - Parameter error: What the client's user is told: a code, a colon and a sentence.
    package mutating func peerClosed(
        _ stream: RelayStreamID, error: String?, at now: RelayInstant
    ) -> Actions<Action> {
        var actions = Actions<Action>()
        guard streams[stream] != nil else { return actions }
        sendDestroy(stream, error: error, &actions)
        remove(stream)
        updateReading(at: now, &actions)
        return actions
    }

    /// The peer's stream has taken bytes that were written to it, empty chunks not counted: it has room for as many again.
    package mutating func peerTook(
        _ stream: RelayStreamID, byteCount: Int, at now: RelayInstant
    ) -> Actions<Action> {
        var actions = Actions<Action>()
        streams[stream]?.untaken.remove(byteCount, &gate, at: now)
        updateReading(at: now, &actions)
        return actions
    }

    // MARK: Together

    private var connectingCount: Int {
        streams.count < limits.connectingStreams ? 0 : streams.values.count { $0.machine.isConnecting }
    }

    private func proof(of stream: Stream, handshakeHash: Bytes64?) -> StreamProof? {
        if stream.isCustodial { return handshakeHash.map { .handshakeHash($0) } }
        guard let handshake = stream.handshake, handshakes[handshake]?.isComplete == true else { return nil }
        return .handshake(handshake)
    }

    private mutating func deliver(
        _ backlog: StreamStateMachine.Backlog, to stream: RelayStreamID, at now: RelayInstant,
        _ actions: inout Actions<Action>
    ) {
        guard phase != .closed else { return }
        backlogByteCount -= backlog.byteCount
        for chunks in backlog.chunks {
            streams[stream]?.untaken.add(chunks.byteCount, &gate, at: now)
            actions.append(.writeToPeer(stream, chunks))
        }
        if backlog.isEnded { actions.append(.endPeer(stream)) }
        updateReading(at: now, &actions)
    }

    private mutating func stopProducers(
        _ stream: RelayStreamID, byteCount: Int, _ actions: inout Actions<Action>
    ) {
        switch output.sentData(byteCount, by: stream) {
        case .nobody: break
        case .producer: stopProducer(stream, &actions)
        case .everyone: for stream in streams.keys.sorted() { stopProducer(stream, &actions) }
        }
    }

    private mutating func stopProducer(_ stream: RelayStreamID, _ actions: inout Actions<Action>) {
        guard streams[stream]?.machine.isOpen == true, output.stop(stream) else { return }
        actions.append(.pausePeer(stream))
    }

    /// While others wait: streams whose peers have taken nothing for so long are destroyed. A link that carries nothing else
    /// waits as long as the peer likes.
    mutating func destroyStalledStreams(at now: RelayInstant, _ actions: inout Actions<Action>) {
        let stalled = streams.filter { $0.value.untaken.isStalled(for: limits.stallTimeout, at: now) }.keys.sorted()
        let others = streams.count - stalled.count + servers.count + queries.count
        if others > 0 {
            for stream in stalled { failStream(stream, because: .stalled, &actions) }
            updateReading(at: now, &actions)
        }
        if gate.isPaused { deadlines.set(.stall, to: now.advanced(by: limits.stallTimeout / 4)) }
    }

    /// Tells the client, unless it has forgotten the stream, that it is gone.
    private mutating func sendDestroy(_ stream: RelayStreamID, error: String?, _ actions: inout Actions<Action>) {
        guard let found = streams[stream], !found.isFinished else { return }
        let error = error.map { $0.isEmpty ? "UNKNOWN_ERROR: Unknown error" : $0 }
        let isNamed = !found.machine.isConnecting  // the client learns the relay's number with `open` or `connection`
        let name: RelayMessage.Destroy.Stream =
            isNamed ? .alias(stream.number) : .remoteAlias(found.clientStream?.number ?? 0)
        send(.destroy(RelayMessage.Destroy(name, error: error)), &actions)
    }

    /// Ends a stream from here, at both sides.
    mutating func failStream(
        _ stream: RelayStreamID, because failure: StreamFailure, _ actions: inout Actions<Action>
    ) {
        guard streams[stream] != nil else { return }
        sendDestroy(stream, error: failure.text, &actions)
        guard phase != .closed else { return }
        actions.append(.destroyPeer(stream, error: nil))
        remove(stream)
    }

    /// Both directions have ended: the client's number is free again.
    private mutating func finish(_ stream: RelayStreamID) {
        guard let clientStream = streams[stream]?.clientStream else { return }
        streams[stream]?.isFinished = true
        clientStreams[clientStream] = nil
    }

    private mutating func remove(_ stream: RelayStreamID) {
        guard var found = streams.removeValue(forKey: stream) else { return }
        backlogByteCount -= found.machine.backlogByteCount
        gate.forget(&found.untaken)
        output.forget(stream)
        deadlines.remove(.confirmation(stream))
        if let clientStream = found.clientStream, !found.isFinished { clientStreams[clientStream] = nil }
        if let handshake = found.handshake { drop(handshake) }
    }

    /// The session is over.
    mutating func releaseStream(_ stream: RelayStreamID, _ actions: inout Actions<Action>) {
        guard let found = streams[stream] else { return }
        actions.append(found.isFinished ? .releasePeer(stream) : .destroyPeer(stream, error: nil))
        remove(stream)
    }
}

extension UntakenBytes {
    fileprivate mutating func add(_ count: Int, _ gate: inout ReadingGate, at now: RelayInstant) {
        gate.add(count, to: &self, at: now)
    }

    fileprivate mutating func remove(_ count: Int, _ gate: inout ReadingGate, at now: RelayInstant) {
        gate.remove(count, from: &self, at: now)
    }
}
