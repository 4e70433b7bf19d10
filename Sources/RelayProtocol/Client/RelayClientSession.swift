/// The client's side of one link to a relay, as a value.
///
/// Its driver tells it what came over the link and what its user wants, and does what it asks for, in order. Toward the relay
/// there are ``RelayMessage``s, toward the user the other ``Action``s.
///
/// Promises to the driver: each stream ends with exactly one ``Action/closed(_:_:)``, each server with one
/// ``Action/serverClosed(_:_:)``, each query with one ``Action/finished(_:_:)``, also when the relay lies or is gone. After that,
/// and for anything unknown, calls do nothing.
///
/// With relays of the reference, what they can do works, and what they cannot is a failure that says so.
package struct RelayClientSession {
    package enum Action {
        // The link.
        case send(RelayMessage)
        /// Stop reading the link until ``resumeReading``; what was already read may still be handed in.
        case pauseReading
        case resumeReading
        /// Close the link; nothing follows.
        case closeLink(CloseReason)

        // Streams.
        /// The stream is open.
        case opened(ClientStreamID, StreamSecurity)
        /// Data has come: one message of the peer for each chunk (custodial), or any part of its secret stream (not). Say
        /// ``took(_:byteCount:at:)`` when it was read.
        case received(ClientStreamID, DataChunks)
        /// The peer will send no more.
        case ended(ClientStreamID)
        /// The stream is gone. Without a failure: both directions have ended, it was destroyed here, or the peer gave no reason.
        case closed(ClientStreamID, RelayClientFailure?)
        /// What was refused may be written now.
        case writable(ClientStreamID)

        // Servers.
        case listening(ClientServerID, IPv4Endpoint)
        /// May this peer connect? Answer with ``decide(_:isAllowed:at:)``.
        case incoming(FirewallQuestion, ClientServerID, remotePublicKey: Bytes32, payload: MessageBytes)
        /// A peer has connected: a stream that is open.
        case accepted(ClientServerID, ClientStreamID, remotePublicKey: Bytes32, StreamSecurity)
        case serverClosed(ClientServerID, RelayClientFailure?)

        // Queries.
        /// Who announced, and which node says so, as `announcers` are encoded.
        case found(QueryID, MessageBytes)
        case finished(QueryID, RelayClientFailure?)
    }

    /// Who keeps the secret key.
    package enum Custody: Sendable {
        case relay
        case client
    }

    /// What an open stream is secured by.
    package enum StreamSecurity: Sendable {
        /// The relay has made this handshake: the hash of it.
        case byRelay(Bytes64)
        /// A secret stream is to be started with this handshake, on the bytes that the relay carries.
        case byClient(HandshakeResult)
    }

    /// A peer that waits to be let in.
    package enum FirewallQuestion: Hashable, Sendable {
        case request(FirewallRequestID)
        case handshake(HandshakeID)
    }

    enum Phase: Equatable {
        case active
        case closing
        case closed
    }

    enum Deadline: Hashable {
        case question(FirewallRequestID)
        case handshake(HandshakeID)
        case confirmation(ClientServerID)
        case keepAlive(ClientStreamID)
        case timeout(ClientStreamID)
        case stall
        case close
    }

    let limits: RelayLimits
    /// Where the randomness of handshakes comes from; nil for the operating system.
    let makeSeed: (@Sendable () -> Bytes32)?
    var phase = Phase.active
    var identifiers: IdentifierAllocator
    var heartbeat: Heartbeat
    var deadlines = DeadlineQueue<Deadline>()

    var streams: [ClientStreamID: Stream] = [:]
    var relayStreams: [RelayStreamID: ClientStreamID] = [:]
    var servers: [ClientServerID: Server] = [:]
    var relayServers: [RelayServerID: ClientServerID] = [:]
    var queries: [QueryID: Query] = [:]
    var handshakes: [HandshakeID: Handshake] = [:]
    /// Custodial servers' peers that wait to be let in.
    var questions: Set<FirewallRequestID> = []

    var gate: ReadingGate
    var output: LinkOutput<ClientStreamID>

    /// A link that has just come up. Send what ``start(as:)`` says first.
    ///
    /// - Parameters:
    ///   - firstIdentifier: The first number given; the reference's clients do not begin each link with 1.
    ///   - makeSeed: Gives 32 bytes that were never used before, or nil for the operating system's randomness.
    package init(
        limits: RelayLimits = RelayLimits(), firstIdentifier: UInt32 = 1, at now: RelayInstant,
        makeSeed: (@Sendable () -> Bytes32)? = nil
    ) {
        self.limits = limits
        self.makeSeed = makeSeed
        identifiers = IdentifierAllocator(startingAt: firstIdentifier)
        heartbeat = Heartbeat(limits, pingsAlways: false, at: now)
        gate = ReadingGate(limits)
        output = LinkOutput(limits)
    }

    /// Whether nothing will happen any more.
    package var isClosed: Bool { phase == .closed }

    /// What the session holds or has caused others to hold, in bytes.
    package var bufferedByteCount: Int {
        gate.byteCount + output.byteCount + streams.values.reduce(0) { $0 + $1.machine.backlogByteCount }
    }

    /// When ``elapse(at:)`` has something to do; nil when the session is closed.
    package var deadline: RelayInstant? {
        phase == .closed ? nil : earlier(heartbeat.deadline, deadlines.next)
    }
}

// MARK: - The link

extension RelayClientSession {
    /// The first message. The relay does not use the key in it, so there is no reason to give the secret one.
    package func start(as credentials: Credentials) -> Actions<Action> {
        Actions(.send(.handshake(credentials)))
    }

    /// A message has come.
    ///
    /// - Parameters:
    ///   - type: The multiplexer's message type.
    ///   - body: The bytes after that. Actions may lend parts of it.
    package mutating func received(
        type: UInt32, body: UnsafeRawBufferPointer, at now: RelayInstant
    ) -> Actions<Action> {
        guard phase != .closed else { return Actions() }
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
        var actions = Actions<Action>()
        guard phase != .closed else { return actions }
        switch message {
        case .ping: receivedPing(at: now, &actions)
        case .pong: heartbeat.heard(at: now)
        case .open(let open): receivedOpen(open, at: now, &actions)
        case .data(let alias, let chunks): receivedData(RelayStreamID(alias), chunks, at: now, &actions)
        case .end(let alias): receivedEnd(RelayStreamID(alias), at: now, &actions)
        case .destroy(let destroy): receivedDestroy(destroy, at: now, &actions)
        case .listening(let listening): receivedListening(listening, at: now, &actions)
        case .closed(let server): receivedClosed(server, &actions)
        case .incoming(let incoming): receivedIncoming(incoming, at: now, &actions)
        case .connection(let connection): receivedConnection(connection, at: now, &actions)
        case .noiseSend(let send): receivedNoiseSend(send, at: now, &actions)
        case .noiseReceive(let receive): receivedNoiseReceive(receive, at: now, &actions)
        case .result(let query, let record): receivedResult(query, record, &actions)
        case .finished(let query): receivedFinished(query, &actions)
        case .signAnnounce(let request): receivedSignatureRequest(request, for: .announce, &actions)
        case .signUnannounce(let request): receivedSignatureRequest(request, for: .unannounce, &actions)
        case .handshake, .connect, .connected, .deny, .accept, .listen, .close, .lookup, .announce, .unannounce,
            .signature, .noiseReply:
            close(.misdirectedMessage(type: message.type), &actions)
        }
        return actions
    }

    /// The link has closed, whoever closed it.
    package mutating func linkClosed() -> Actions<Action> {
        var actions = Actions<Action>()
        release(because: phase == .closing ? .closing : nil, &actions)
        return actions
    }

    /// Closes in order: servers first, so that the relay takes back what it announced, then the link.
    package mutating func close(at now: RelayInstant) -> Actions<Action> {
        var actions = Actions<Action>()
        guard phase == .active else { return actions }
        phase = .closing
        deadlines.set(.close, to: now.advanced(by: limits.closeTimeout))
        for server in servers.keys.sorted() { beginClosing(server, &actions) }
        closeWhenEmpty(&actions)
        return actions
    }

    /// Closes at once.
    package mutating func close(_ reason: CloseReason) -> Actions<Action> {
        var actions = Actions<Action>()
        close(reason, &actions)
        return actions
    }

    /// The link wants nothing more to be sent for now: it has as much to do as it may hold. Writes are refused until it drains.
    package mutating func linkBlocked() {
        output.block()
    }

    /// The link wants more again.
    package mutating func linkDrained() -> Actions<Action> {
        var actions = Actions<Action>()
        guard phase != .closed else { return actions }
        for stream in output.drain() { actions.append(.writable(stream)) }
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
        case .question(let request): answer(request, isAllowed: false, &actions)
        case .handshake(let handshake): timedOut(handshake, at: now, &actions)
        case .confirmation(let server): confirmListening(server, &actions)
        case .keepAlive(let stream): keepAliveIsDue(stream, at: now, &actions)
        case .timeout(let stream): timeoutIsDue(stream, at: now, &actions)
        case .stall: closeUnreadStreams(at: now, &actions)
        case .close: close(.closing, &actions)
        }
    }

    private mutating func receivedPing(at now: RelayInstant, _ actions: inout Actions<Action>) {
        heartbeat.heard(at: now)
        send(.pong, &actions)
    }

    /// Streams, servers and queries share one counter. A server and a query must not have the same number, because either
    /// can be asked to sign.
    mutating func newIdentifier<Kind>() -> Identifier<Kind> {
        var identifiers = identifiers
        defer { self.identifiers = identifiers }
        let number = identifiers.allocate { number in
            streams[ClientStreamID(number)] != nil || servers[ClientServerID(number)] != nil
                || queries[QueryID(number)] != nil
        }
        return Identifier(number)
    }

    /// Sends anything but data. A relay that makes its client say more and more and does not read it is left.
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

    /// The last server has closed in order.
    mutating func closeWhenEmpty(_ actions: inout Actions<Action>) {
        if phase == .closing, servers.isEmpty { close(.closing, &actions) }
    }

    mutating func close(_ reason: CloseReason, _ actions: inout Actions<Action>) {
        guard phase != .closed else { return }
        release(because: reason, &actions)
        actions.append(.closeLink(reason))
    }

    /// Ends everything that the user has.
    private mutating func release(because reason: CloseReason?, _ actions: inout Actions<Action>) {
        guard phase != .closed else { return }
        phase = .closed
        let failure: RelayClientFailure? = reason == .closing ? nil : .linkLost(reason)
        handshakes.removeAll()
        questions.removeAll()
        for stream in streams.keys.sorted() { end(stream, failure, &actions) }
        for query in queries.keys.sorted() { end(query, failure ?? .linkLost(reason), &actions) }
        for server in servers.keys.sorted() { end(server, failure, &actions) }
        deadlines.removeAll()
    }
}
