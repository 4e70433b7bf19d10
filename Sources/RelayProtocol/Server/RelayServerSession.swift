/// The relay's side of one link: what one client is served, as a value.
///
/// Its driver tells it what came over the link and what the DHT node reports, and does what it asks for, in order. It has two
/// vocabularies. Toward the client there are ``RelayMessage``s. Toward the node there are the other ``Action``s and the
/// methods named for what a node reports; both name a stream by its ``RelayStreamID`` and a server by its ``RelayServerID``,
/// which this session chose.
///
/// Promises to the driver: every question of the node is answered exactly once, also when the client is silent, lies or is
/// gone. After ``linkClosed(at:)``, or an action ``Action/closeLink(_:)``, everything the client had is released and no call
/// does anything. What the node reports of something that was released is ignored.
///
/// The wire protocol's rules and the reference's defects are `@hyperswarm/dht-relay` 0.4.
package struct RelayServerSession {
    package enum Action {
        // The link.
        case send(RelayMessage)
        /// Stop reading the link until ``resumeReading``; what was already read may still be handed in.
        case pauseReading
        case resumeReading
        /// Close the link; nothing follows.
        case closeLink(CloseReason)

        // Streams to peers.
        /// Connect to a peer. Answer with ``peerOpened(_:handshakeHash:at:)`` or ``peerClosed(_:error:at:)``; if the key is the client's,
        /// with ``handshakeNeeded(_:payload:at:)`` first.
        case connect(RelayStreamID, Credentials, remotePublicKey: Bytes32)
        /// Write each chunk as one message (custodial) or as bytes (not), then say ``peerTook(_:byteCount:at:)``.
        case writeToPeer(RelayStreamID, DataChunks)
        case endPeer(RelayStreamID)
        /// Destroy the stream, or stop connecting. Report nothing more about it.
        case destroyPeer(RelayStreamID, error: String?)
        /// Let the stream deliver what it has and close by itself: both sides have ended and the client is gone. Report nothing more.
        case releasePeer(RelayStreamID)
        /// Read nothing from the peer until ``resumePeer(_:)``.
        case pausePeer(RelayStreamID)
        case resumePeer(RelayStreamID)
        /// The client's first Noise message, for every attempt of this connect.
        case sendHandshake(RelayStreamID, message: MessageBytes)
        /// What the peer's Noise message said.
        case completeHandshake(RelayStreamID, payload: MessageBytes, HandshakeSecrets)

        // Servers.
        /// Listen. Answer with ``serverListening(_:address:at:)`` or ``serverClosed(_:at:)``.
        case listen(RelayServerID, Credentials)
        /// Close the server. Answer with ``serverClosed(_:at:)`` unless the session is over.
        ///
        /// - `unannounce`: false when the records must be left to expire, because nobody is there to sign.
        case closeServer(RelayServerID, unannounce: Bool)
        /// The answer to ``peerAsks(_:remotePublicKey:payload:at:)``.
        case answerPeer(FirewallRequestID, isAllowed: Bool)
        /// The first answer to ``peerHandshake(_:message:at:)``: what the peer's message said, and who it is.
        case continueHandshake(HandshakeID, payload: MessageBytes, remotePublicKey: Bytes32)
        /// The answer to ``handshakeReply(_:payload:at:)``: the message to send to the peer.
        case finishHandshake(HandshakeID, message: MessageBytes, HandshakeSecrets)
        /// Drop the peer without an answer.
        case denyHandshake(HandshakeID)

        // Queries.
        case lookup(QueryID, topic: Bytes32)
        case announce(QueryID, topic: Bytes32, Credentials)
        case unannounce(QueryID, topic: Bytes32, Credentials)
        /// Stop the query. Report nothing more about it.
        case cancelQuery(QueryID)
        /// The answer to a request for a signature; it is valid.
        case useSignature(SignatureRequestID, Bytes64)
        /// There will be no signature.
        case skipSignature(SignatureRequestID)
    }

    enum Phase: Equatable {
        case awaitingHandshake
        case active
        case closed
    }

    enum Deadline: Hashable {
        case handshake
        case firewall(FirewallRequestID)
        case signature(SignatureRequestID)
        case noise(HandshakeID)
        case confirmation(RelayStreamID)
        case stall
    }

    let limits: RelayLimits
    var phase = Phase.awaitingHandshake
    var identifiers: IdentifierAllocator
    var heartbeat: Heartbeat
    var deadlines = DeadlineQueue<Deadline>()

    var streams: [RelayStreamID: Stream] = [:]
    var clientStreams: [ClientStreamID: RelayStreamID] = [:]
    var servers: [RelayServerID: Server] = [:]
    var clientServers: [ClientServerID: RelayServerID] = [:]
    var queries: [QueryID: Query] = [:]
    var handshakes: [HandshakeID: NoiseExchange] = [:]
    var firewallRequests: [FirewallRequestID: RelayServerID] = [:]
    var signatureRequests: [SignatureRequestID: PendingSignature] = [:]

    var gate: ReadingGate
    var output: LinkOutput<RelayStreamID>
    /// What waits for streams to open and servers to listen.
    var backlogByteCount = 0
    /// The last key pair of the client whose halves were found to belong together.
    var confirmedKeyPair: RelayKeyPair?

    /// A link that has just come up.
    package init(limits: RelayLimits = RelayLimits(), at now: RelayInstant) {
        self.limits = limits
        identifiers = IdentifierAllocator()
        heartbeat = Heartbeat(limits, pingsAlways: true, at: now)
        gate = ReadingGate(limits)
        output = LinkOutput(limits)
        deadlines.set(.handshake, to: now.advanced(by: limits.handshakeTimeout))
    }

    /// Whether nothing will happen any more.
    package var isClosed: Bool { phase == .closed }

    /// What the session holds or has caused others to hold, in bytes.
    package var bufferedByteCount: Int { gate.byteCount + backlogByteCount + output.byteCount }

    /// When ``elapse(at:)`` has something to do; nil when the session is closed.
    package var deadline: RelayInstant? {
        phase == .closed ? nil : earlier(heartbeat.deadline, deadlines.next)
    }
}

// MARK: - The link

extension RelayServerSession {
    /// A message has come.
    ///
    /// - Parameters:
    ///   - type: The multiplexer's message type.
    ///   - body: The bytes after that. Actions may lend parts of it.
    package mutating func received(
        type: UInt32, body: UnsafeRawBufferPointer, at now: RelayInstant
    ) -> Actions<Action> {
        guard isExpected(type) else { return Actions() }
        guard body.count <= limits.messageByteCount else { return close(.messageTooLarge(byteCount: body.count)) }
        do throws(RelayMessageError) {
            return received(try RelayMessage(type: type, body: body), at: now)
        } catch .unknownType {
            return Actions()  // a later version's, which the multiplexer would not even deliver
        } catch {
            return close(.malformedMessage(type: type, error))
        }
    }

    /// A message has come.
    package mutating func received(_ message: RelayMessage, at now: RelayInstant) -> Actions<Action> {
        guard isExpected(message.type) else { return Actions() }
        var actions = Actions<Action>()
        switch message {
        case .handshake: receivedHandshake()
        case .ping: receivedPing(at: now, &actions)
        case .pong: heartbeat.heard(at: now)
        case .connect(let connect): receivedConnect(connect, at: now, &actions)
        case .connected(let connected): receivedConnected(connected, &actions)
        case .destroy(let destroy): receivedDestroy(destroy, at: now, &actions)
        case .end(let alias): receivedEnd(ClientStreamID(alias), &actions)
        case .data(let alias, let chunks): receivedData(ClientStreamID(alias), chunks, at: now, &actions)
        case .listen(let listen): receivedListen(listen, &actions)
        case .close(let server): receivedClose(server, &actions)
        case .accept(let request): receivedAnswer(request, isAllowed: true, &actions)
        case .deny(let request): receivedAnswer(request, isAllowed: false, &actions)
        case .noiseReply(let reply): receivedNoiseReply(reply, at: now, &actions)
        case .lookup(let query, let topic): receivedLookup(query, topic: topic, &actions)
        case .announce(let announce): receivedAnnounce(announce, kind: .announce, &actions)
        case .unannounce(let announce): receivedAnnounce(announce, kind: .unannounce, &actions)
        case .signature(let request, let signature): receivedSignature(request, signature, &actions)
        case .connection, .incoming, .listening, .closed, .open, .result, .finished, .signAnnounce, .signUnannounce,
            .noiseSend, .noiseReceive:
            close(.misdirectedMessage(type: message.type), &actions)
        }
        return actions
    }

    /// The link has closed, whoever closed it.
    package mutating func linkClosed() -> Actions<Action> {
        var actions = Actions<Action>()
        release(&actions)
        return actions
    }

    /// Closes the link, in order or because something is wrong.
    package mutating func close(_ reason: CloseReason) -> Actions<Action> {
        var actions = Actions<Action>()
        close(reason, &actions)
        return actions
    }

    /// The link wants nothing more to be sent for now: it has as much to do as it may hold.
    package mutating func linkBlocked() {
        output.block()
    }

    /// The link wants more again.
    package mutating func linkDrained() -> Actions<Action> {
        var actions = Actions<Action>()
        guard phase != .closed else { return actions }
        for stream in output.drain() { actions.append(.resumePeer(stream)) }
        return actions
    }

    /// The process as a whole holds too much, or no longer.
    package mutating func memoryPressureChanged(isHigh: Bool, at now: RelayInstant) -> Actions<Action> {
        var actions = Actions<Action>()
        gate.isUnderPressure = isHigh
        updateReading(at: now, &actions)
        return actions
    }

    /// Time has passed.
    package mutating func elapse(at now: RelayInstant) -> Actions<Action> {
        var actions = Actions<Action>()
        guard phase != .closed else { return actions }
        switch heartbeat.elapse(at: now) {
        case .ping: send(.ping, &actions)
        case .silence: return close(.silent)
        case nil: break
        }
        while phase != .closed, let due = deadlines.takeDue(at: now) { reached(due, at: now, &actions) }
        return actions
    }

    private mutating func reached(_ deadline: Deadline, at now: RelayInstant, _ actions: inout Actions<Action>) {
        switch deadline {
        case .handshake: close(.noHandshake, &actions)
        case .firewall(let request): settle(request, isAllowed: false, &actions)
        case .signature(let request): settle(request, with: nil, &actions)
        case .noise(let handshake): fail(handshake, because: .timedOut, &actions)
        case .confirmation(let stream): failStream(stream, because: .notTaken, &actions)
        case .stall: destroyStalledStreams(at: now, &actions)
        }
    }

    /// Before `handshake`, everything else is dropped; pings and pongs only keep the link alive.
    private func isExpected(_ type: UInt32) -> Bool {
        switch phase {
        case .awaitingHandshake: type <= RelayMessage.pong.type
        case .active: true
        case .closed: false
        }
    }

    /// The keys in it are not used: each later message has its own. A second one is ignored.
    private mutating func receivedHandshake() {
        guard phase == .awaitingHandshake else { return }
        phase = .active
        deadlines.remove(.handshake)
    }

    private mutating func receivedPing(at now: RelayInstant, _ actions: inout Actions<Action>) {
        heartbeat.heard(at: now)
        send(.pong, &actions)
    }

    func isInUse(_ number: UInt32) -> Bool {
        streams[RelayStreamID(number)] != nil || servers[RelayServerID(number)] != nil
            || handshakes[HandshakeID(number)] != nil || firewallRequests[FirewallRequestID(number)] != nil
            || signatureRequests[SignatureRequestID(number)] != nil
    }

    mutating func newIdentifier<Kind>() -> Identifier<Kind> {
        var identifiers = identifiers
        defer { self.identifiers = identifiers }
        return Identifier(identifiers.allocate(unless: isInUse))
    }

    /// Sends anything but data. A client that makes the relay say more and more and does not read it is closed.
    mutating func send(_ message: RelayMessage, _ actions: inout Actions<Action>) {
        guard phase != .closed else { return }
        actions.append(.send(message))
        guard output.isBlocked else { return }
        output.sentOther(message.approximateByteCount)
        if output.isOverrun { close(.notReading, &actions) }
    }

    /// Stops or resumes reading as the untaken bytes demand.
    mutating func updateReading(at now: RelayInstant, _ actions: inout Actions<Action>) {
        guard phase != .closed else { return }
        switch gate.change() {
        case .pause:
            heartbeat.readingPaused(at: now)
            deadlines.set(.stall, to: now.advanced(by: limits.stallTimeout))
            actions.append(.pauseReading)
        case .resume:
            heartbeat.readingResumed(at: now)
            deadlines.remove(.stall)
            actions.append(.resumeReading)
        case nil:
            break
        }
    }

    mutating func close(_ reason: CloseReason, _ actions: inout Actions<Action>) {
        guard phase != .closed else { return }
        release(&actions)
        actions.append(.closeLink(reason))
    }

    /// Gives back everything that the client had, and answers every question that waits for it.
    private mutating func release(_ actions: inout Actions<Action>) {
        guard phase != .closed else { return }
        phase = .closed
        for request in firewallRequests.keys.sorted() { settle(request, isAllowed: false, &actions) }
        for request in signatureRequests.keys.sorted() { settle(request, with: nil, &actions) }
        for handshake in handshakes.keys.sorted() { forget(handshake, &actions) }
        for stream in streams.keys.sorted() { releaseStream(stream, &actions) }
        for query in queries.keys.sorted() { releaseQuery(query, &actions) }
        for server in servers.keys.sorted() { releaseServer(server, &actions) }
        deadlines.removeAll()
        confirmedKeyPair = nil
        backlogByteCount = 0
    }
}
