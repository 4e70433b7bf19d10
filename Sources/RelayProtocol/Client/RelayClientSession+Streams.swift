/// Streams that the user opened, and those that peers opened to the user's servers.
extension RelayClientSession {
    struct Stream {
        let isCustodial: Bool
        /// Of a stream that connects with the client's own key.
        let keyPair: RelayKeyPair?
        let remotePublicKey: Bytes32
        var relayStream: RelayStreamID?
        var machine: StreamStateMachine
        var handshake: HandshakeID?
        var untaken = UntakenBytes()
        /// Whether the user was refused and waits for ``Action/writable(_:)``.
        var isWaiting = false
        var keepAlive: IdleTimer?
        var timeout: IdleTimer?
    }

    /// Restarted by each event; looked at only when its deadline comes, so that events cost nothing.
    struct IdleTimer {
        let interval: Duration
        var lastEvent: RelayInstant

        var deadline: RelayInstant { lastEvent.advanced(by: interval) }
    }

    package enum WriteResult: Equatable, Sendable {
        case written
        /// Nothing was taken. Try again after ``Action/writable(_:)``.
        case full
        /// A chunk is longer than any message can be, and nothing was taken.
        case tooLarge
        /// The stream has ended here, or is gone.
        case closed
    }

    // MARK: From the user

    /// Connects to a peer.
    package mutating func connect(
        to remotePublicKey: Bytes32, as keyPair: RelayKeyPair, custody: Custody
    ) -> (stream: ClientStreamID?, actions: Actions<Action>) {
        var actions = Actions<Action>()
        guard phase == .active, streams.count < limits.streams else { return (nil, actions) }
        let stream: ClientStreamID = newIdentifier()
        streams[stream] = Stream(
            isCustodial: custody == .relay, keyPair: custody == .client ? keyPair : nil,
            remotePublicKey: remotePublicKey, machine: .connecting)
        let connect = RelayMessage.Connect(
            stream: stream, credentials: keyPair.credentials(custody), remotePublicKey: remotePublicKey)
        send(.connect(connect), &actions)
        return (stream, actions)
    }

    /// Writes chunks: one message for each (custodial), or bytes of the secret stream (not).
    ///
    /// Before the stream is open they are copied and wait. Otherwise the action lends them.
    package mutating func write(
        _ chunks: DataChunks, to stream: ClientStreamID, at now: RelayInstant
    ) -> (result: WriteResult, actions: Actions<Action>) {
        var actions = Actions<Action>()
        guard let found = streams[stream] else { return (.closed, actions) }
        guard !found.isCustodial || chunks.longest <= limits.chunkByteCount else { return (.tooLarge, actions) }
        guard !output.isBlocked || found.machine.isConnecting else {
            _ = output.stop(stream)
            return (.full, actions)
        }
        let room = limits.streamBacklogByteCount - found.machine.backlogByteCount
        switch streams[stream]?.machine.outboundData(chunks, room: room) {
        case .pass:
            streams[stream]?.keepAlive?.lastEvent = now
            sendData(chunks, of: stream, isCustodial: found.isCustodial, &actions)
            return (.written, actions)
        case .hold:
            return (.written, actions)
        case .overflow:
            streams[stream]?.isWaiting = true
            return (.full, actions)
        case .afterEnd, .ignore, nil:
            return (.closed, actions)
        }
    }

    /// Ends the writable side.
    package mutating func end(_ stream: ClientStreamID, at now: RelayInstant) -> Actions<Action> {
        var actions = Actions<Action>()
        switch streams[stream]?.machine.outboundEnd() {
        case .pass:
            stopKeepAlive(stream)
            send(.end(alias: stream.number), &actions)
        case .passAndFinish:
            send(.end(alias: stream.number), &actions)
            end(stream, nil, &actions)
            updateReading(at: now, &actions)
        case .hold, .ignore, nil:
            break
        }
        return actions
    }

    /// Destroys the stream, or gives up connecting.
    package mutating func destroy(_ stream: ClientStreamID, at now: RelayInstant) -> Actions<Action> {
        var actions = Actions<Action>()
        fail(stream, nil, at: now, &actions)
        return actions
    }

    /// The user has read bytes that ``Action/received(_:_:)`` brought.
    package mutating func took(_ stream: ClientStreamID, byteCount: Int, at now: RelayInstant) -> Actions<Action> {
        var actions = Actions<Action>()
        if var untaken = streams[stream]?.untaken {
            gate.remove(byteCount, from: &untaken, at: now)
            streams[stream]?.untaken = untaken
        }
        updateReading(at: now, &actions)
        return actions
    }

    /// Sends an empty chunk whenever nothing was written for that long; nil stops it. For custodial streams only: others have
    /// the keep-alive of their secret stream.
    package mutating func setKeepAlive(_ interval: Duration?, of stream: ClientStreamID, at now: RelayInstant) {
        guard streams[stream]?.isCustodial == true else { return }
        let timer = startTimer(interval, .keepAlive(stream), at: now)
        streams[stream]?.keepAlive = timer
    }

    /// Closes the stream when no data came for that long, from now on, connecting included; nil stops it.
    package mutating func setTimeout(_ interval: Duration?, of stream: ClientStreamID, at now: RelayInstant) {
        guard streams[stream] != nil else { return }
        let timer = startTimer(interval, .timeout(stream), at: now)
        streams[stream]?.timeout = timer
    }

    // MARK: From the relay

    mutating func receivedOpen(_ open: RelayMessage.Open, at now: RelayInstant, _ actions: inout Actions<Action>) {
        let stream = open.remoteStream
        guard let found = streams[stream], found.machine.isConnecting else { return }
        guard relayStreams[open.stream] == nil else {
            let type = RelayMessage.open(open).type
            return close(.identifierInUse(type: type, number: open.stream.number), &actions)
        }
        guard let security = security(of: open.proof, for: found) else {
            return fail(stream, .unexpectedHandshake, at: now, &actions)
        }
        if let handshake = found.handshake { handshakes[handshake] = nil }
        relayStreams[open.stream] = stream
        streams[stream]?.relayStream = open.stream
        streams[stream]?.handshake = nil
        let backlog = streams[stream]?.machine.opened()
        actions.append(.opened(stream, security))
        if let backlog { send(backlog, of: stream, at: now, &actions) }
    }

    /// The relay proves a stream in the mode that was asked for, and by the handshake that was made for it.
    private func security(of proof: StreamProof, for stream: Stream) -> StreamSecurity? {
        switch proof {
        case .handshakeHash(let hash):
            return stream.isCustodial ? .byRelay(hash) : nil
        case .handshake(let handshake):
            guard stream.handshake == handshake else { return nil }
            return handshakes[handshake]?.result.map { .byClient($0) }
        }
    }

    mutating func receivedConnection(
        _ connection: RelayMessage.Connection, at now: RelayInstant, _ actions: inout Actions<Action>
    ) {
        guard relayStreams[connection.stream] == nil else {
            let type = RelayMessage.connection(connection).type
            return close(.identifierInUse(type: type, number: connection.stream.number), &actions)
        }
        let stream: ClientStreamID = newIdentifier()
        let security = acceptance(of: connection)
        let connected = RelayMessage.Connected(stream: stream, remoteStream: connection.stream)
        send(.connected(connected), &actions)
        guard let (server, security) = security, phase == .active else {
            // A relay must be told a number for the stream before it can be told to destroy it.
            return send(.destroy(RelayMessage.Destroy(.alias(stream.number), error: nil)), &actions)
        }
        streams[stream] = Stream(
            isCustodial: servers[server]?.isCustodial ?? true, keyPair: nil,
            remotePublicKey: connection.remotePublicKey, relayStream: connection.stream, machine: .open)
        relayStreams[connection.stream] = stream
        actions.append(
            .accepted(server, stream, remotePublicKey: connection.remotePublicKey, security))
    }

    /// - Returns: Nil for a stream that nobody here wants.
    private mutating func acceptance(
        of connection: RelayMessage.Connection
    ) -> (server: ClientServerID, security: StreamSecurity)? {
        guard let server = relayServers[connection.server], let found = servers[server], found.takesPeers,
            streams.count < limits.streams
        else { return nil }
        switch connection.proof {
        case .handshakeHash(let hash):
            return found.isCustodial ? (server, .byRelay(hash)) : nil
        case .handshake(let handshake):
            guard let result = takeHandshake(handshake, of: server, from: connection.remotePublicKey) else {
                return nil
            }
            return (server, .byClient(result))
        }
    }

    mutating func receivedData(
        _ relayStream: RelayStreamID, _ chunks: DataChunks, at now: RelayInstant, _ actions: inout Actions<Action>
    ) {
        guard let stream = relayStreams[relayStream] else { return }
        guard chunks.count <= limits.chunksPerMessage else {
            return close(.tooManyChunks(count: chunks.count), &actions)
        }
        streams[stream]?.timeout?.lastEvent = now
        guard let wanted = streams[stream]?.takeInbound(chunks, &gate, at: now) else { return }
        actions.append(.received(stream, wanted))
        updateReading(at: now, &actions)
    }

    mutating func receivedEnd(_ relayStream: RelayStreamID, at now: RelayInstant, _ actions: inout Actions<Action>) {
        guard let stream = relayStreams[relayStream] else { return }
        switch streams[stream]?.machine.inboundEnd() {
        case .pass:
            actions.append(.ended(stream))
        case .passAndFinish:
            actions.append(.ended(stream))
            end(stream, nil, &actions)
            updateReading(at: now, &actions)
        case .hold, .ignore, nil:
            break
        }
    }

    mutating func receivedDestroy(
        _ destroy: RelayMessage.Destroy, at now: RelayInstant, _ actions: inout Actions<Action>
    ) {
        let stream: ClientStreamID? =
            switch destroy.stream {
            case .alias(let number): relayStreams[RelayStreamID(number)]
            case .remoteAlias(let number): connectingStream(ClientStreamID(number))
            }
        guard let stream else { return }
        end(stream, destroy.error.map { .relayed(String($0.prefix(Self.errorTextLimit))) }, &actions)
        updateReading(at: now, &actions)
    }

    // MARK: Together

    /// How much of a relay's text is worth showing, in characters.
    private static let errorTextLimit = 1000

    private func connectingStream(_ stream: ClientStreamID) -> ClientStreamID? {
        streams[stream]?.machine.isConnecting == true ? stream : nil
    }

    /// Sends chunks in messages of a reasonable size. Custodial chunks are never cut.
    private mutating func sendData(
        _ chunks: DataChunks, of stream: ClientStreamID, isCustodial: Bool, _ actions: inout Actions<Action>
    ) {
        guard chunks.count > 0 else { return }
        for message in chunks.split(limits.dataMessageByteCount, limits.chunksPerMessage, cutsChunks: !isCustodial) {
            actions.append(.send(.data(alias: stream.number, message)))
            _ = output.sentData(message.byteCount, by: stream)
        }
    }

    private mutating func send(
        _ backlog: StreamStateMachine.Backlog, of stream: ClientStreamID, at now: RelayInstant,
        _ actions: inout Actions<Action>
    ) {
        guard let found = streams[stream] else { return }
        sendData(DataChunks(backlog.chunks.flatMap(\.arrays)), of: stream, isCustodial: found.isCustodial, &actions)
        streams[stream]?.keepAlive?.lastEvent = now
        if backlog.isEnded {
            stopKeepAlive(stream)
            send(.end(alias: stream.number), &actions)
        }
        if found.isWaiting {
            streams[stream]?.isWaiting = false
            actions.append(.writable(stream))
        }
    }

    private mutating func startTimer(
        _ interval: Duration?, _ name: Deadline, at now: RelayInstant
    ) -> IdleTimer? {
        guard let interval, interval > .zero else {
            deadlines.remove(name)
            return nil
        }
        let timer = IdleTimer(interval: interval, lastEvent: now)
        deadlines.set(name, to: timer.deadline)
        return timer
    }

    private mutating func stopKeepAlive(_ stream: ClientStreamID) {
        streams[stream]?.keepAlive = nil
        deadlines.remove(.keepAlive(stream))
    }

    mutating func keepAliveIsDue(
        _ stream: ClientStreamID, at now: RelayInstant, _ actions: inout Actions<Action>
    ) {
        guard let found = streams[stream], var timer = found.keepAlive else { return }
        if timer.deadline <= now {
            timer.lastEvent = now
            streams[stream]?.keepAlive = timer
            if found.machine.isOpen, !output.isBlocked {
                actions.append(.send(.data(alias: stream.number, DataChunks([[]]))))
            }
        }
        deadlines.set(.keepAlive(stream), to: timer.deadline)
    }

    mutating func timeoutIsDue(_ stream: ClientStreamID, at now: RelayInstant, _ actions: inout Actions<Action>) {
        guard var timer = streams[stream]?.timeout else { return }
        if timer.deadline <= now {
            guard gate.isPaused else { return fail(stream, .timedOut, at: now, &actions) }
            timer.lastEvent = now  // something may well have come, while nobody reads
            streams[stream]?.timeout = timer
        }
        deadlines.set(.timeout(stream), to: timer.deadline)
    }

    /// While others wait: streams that the user has not read for so long are closed. A link that carries nothing else waits.
    mutating func closeUnreadStreams(at now: RelayInstant, _ actions: inout Actions<Action>) {
        let unread = streams.filter { $0.value.untaken.isStalled(for: limits.stallTimeout, at: now) }.keys.sorted()
        if streams.count - unread.count + servers.count + queries.count > 0 {
            for stream in unread { fail(stream, .notRead, at: now, &actions) }
        }
        if gate.isPaused { deadlines.set(.stall, to: now.advanced(by: limits.stallTimeout / 4)) }
    }

    /// Ends a stream from here, at both sides.
    mutating func fail(
        _ stream: ClientStreamID, _ failure: RelayClientFailure?, at now: RelayInstant,
        _ actions: inout Actions<Action>
    ) {
        guard streams[stream] != nil else { return }
        send(.destroy(RelayMessage.Destroy(.alias(stream.number), error: nil)), &actions)
        end(stream, failure, &actions)
        updateReading(at: now, &actions)
    }

    /// The stream is gone, and the user is told.
    mutating func end(
        _ stream: ClientStreamID, _ failure: RelayClientFailure?, _ actions: inout Actions<Action>
    ) {
        guard var found = streams.removeValue(forKey: stream) else { return }
        gate.forget(&found.untaken)
        output.forget(stream)
        if let relayStream = found.relayStream { relayStreams[relayStream] = nil }
        if let handshake = found.handshake { handshakes[handshake] = nil }
        deadlines.remove(.keepAlive(stream))
        deadlines.remove(.timeout(stream))
        actions.append(.closed(stream, failure))
    }
}

extension RelayClientSession.Stream {
    /// - Returns: What the user is to get, if anything. Where keep-alives may come, empty chunks are such.
    fileprivate mutating func takeInbound(
        _ chunks: DataChunks, _ gate: inout ReadingGate, at now: RelayInstant
    ) -> DataChunks? {
        guard machine.inboundData() == .pass else { return nil }
        let wanted = isCustodial && keepAlive == nil ? chunks : chunks.withoutEmpty
        guard wanted.count > 0 else { return nil }
        gate.add(wanted.byteCount, to: &untaken, at: now)
        return wanted
    }
}

extension RelayKeyPair {
    func credentials(_ custody: RelayClientSession.Custody) -> Credentials {
        switch custody {
        case .relay: .custodial(self)
        case .client: .nonCustodial(publicKey)
        }
    }
}
