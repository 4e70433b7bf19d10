/// Servers of the client, and the peers that knock at them.
extension RelayServerSession {
    struct Server {
        enum State {
            /// What peers ask before the client knows that its server is open. The client of the reference would ignore it.
            case opening(held: [HeldQuestion])
            case listening
            /// - `isKnown`: whether the client has learned the relay's number for it.
            case closing(isKnown: Bool)
        }

        let clientServer: ClientServerID
        let credentials: ServerCredentials
        var state: State

        var isListening: Bool {
            if case .listening = state { true } else { false }
        }
    }

    /// Whose server it is. The secret key is the node's business.
    struct ServerCredentials {
        let publicKey: Bytes32
        let isCustodial: Bool
    }

    enum HeldQuestion {
        case firewall(FirewallRequestID, remotePublicKey: Bytes32, payload: MessageBytes)
        case handshake(HandshakeID, message: MessageBytes)

        fileprivate var byteCount: Int {
            switch self {
            case .firewall(_, _, let payload): payload.count
            case .handshake(_, let message): message.count
            }
        }
    }

    private enum Admission {
        case ask
        case hold
        case refuse
    }

    // MARK: From the client

    mutating func receivedListen(_ listen: RelayMessage.Listen, _ actions: inout Actions<Action>) {
        guard clientServers[listen.server] == nil, queries[QueryID(listen.server.number)] == nil else {
            let type = RelayMessage.listen(listen).type
            return close(.identifierInUse(type: type, number: listen.server.number), &actions)
        }
        let server: RelayServerID = newIdentifier()
        guard servers.count < limits.servers, isUsable(listen.credentials) else {
            return sendClosed(server, of: listen.server, isKnown: false, &actions)
        }
        let credentials = ServerCredentials(
            publicKey: listen.credentials.publicKey, isCustodial: listen.credentials.isCustodial)
        servers[server] = Server(clientServer: listen.server, credentials: credentials, state: .opening(held: []))
        clientServers[listen.server] = server
        actions.append(.listen(server, listen.credentials))
    }

    mutating func receivedClose(_ clientServer: ClientServerID, _ actions: inout Actions<Action>) {
        guard let server = clientServers[clientServer] else { return }
        switch servers[server]?.state {
        case .opening: beginClosing(server, isKnown: false, &actions)
        case .listening: beginClosing(server, isKnown: true, &actions)
        case .closing, nil: break
        }
    }

    /// The client's answer to ``RelayMessage/incoming(_:)``.
    mutating func receivedAnswer(_ request: FirewallRequestID, isAllowed: Bool, _ actions: inout Actions<Action>) {
        settle(request, isAllowed: isAllowed, &actions)
    }

    // MARK: From the node

    /// The server is announced and takes peers.
    ///
    /// - Parameter address: Where the node is seen, or nil if it does not know.
    package mutating func serverListening(
        _ server: RelayServerID, address: IPv4Endpoint?, at now: RelayInstant
    ) -> Actions<Action> {
        var actions = Actions<Action>()
        guard let found = servers[server], case .opening(let held) = found.state else { return actions }
        servers[server]?.state = .listening
        backlogByteCount -= held.reduce(0) { $0 + $1.byteCount }
        let listening = RelayMessage.Listening(
            server: server, remoteServer: found.clientServer, address: address ?? .unknown)
        send(.listening(listening), &actions)
        for question in held where phase != .closed { ask(question, of: server, &actions) }
        return actions
    }

    /// The server has closed, was replaced by one with the same key, or could not be opened.
    package mutating func serverClosed(_ server: RelayServerID) -> Actions<Action> {
        var actions = Actions<Action>()
        guard let found = servers[server] else { return actions }
        let isKnown =
            switch found.state {
            case .opening: false
            case .listening: true
            case .closing(let isKnown): isKnown
            }
        settleQuestions(of: server, &actions)
        settleSignatures(of: .server(server), &actions)
        remove(server)
        sendClosed(server, of: found.clientServer, isKnown: isKnown, &actions)
        return actions
    }

    /// A peer's handshake with a custodial server was read; may it connect?
    ///
    /// - Parameter payload: What the peer said about itself.
    /// - Returns: The question's number, which the actions may already answer, or nil if the peer is not to be let in.
    package mutating func peerAsks(
        _ server: RelayServerID, remotePublicKey: Bytes32, payload: MessageBytes, at now: RelayInstant
    ) -> (request: FirewallRequestID?, actions: Actions<Action>) {
        var actions = Actions<Action>()
        let admission = admission(to: server, isCustodial: true, byteCount: payload.count)
        guard admission != .refuse, unansweredCount < limits.unansweredRequests else { return (nil, actions) }

        let request: FirewallRequestID = newIdentifier()
        firewallRequests[request] = server
        deadlines.set(.firewall(request), to: now.advanced(by: limits.answerTimeout))
        if admission == .hold {
            hold(.firewall(request, remotePublicKey: remotePublicKey, payload: payload.owned), for: server)
        } else {
            ask(.firewall(request, remotePublicKey: remotePublicKey, payload: payload), of: server, &actions)
        }
        return (request, actions)
    }

    /// A peer's handshake with a server whose key is the client's.
    ///
    /// - Parameter message: The peer's Noise message.
    /// - Returns: The handshake's number, which the actions may already end, or nil if the peer is not to be let in.
    package mutating func peerHandshake(
        _ server: RelayServerID, message: MessageBytes, at now: RelayInstant
    ) -> (handshake: HandshakeID?, actions: Actions<Action>) {
        var actions = Actions<Action>()
        guard NoiseMessageSize.first.contains(message.count) else { return (nil, actions) }
        let admission = admission(to: server, isCustodial: false, byteCount: message.count)
        guard admission != .refuse, handshakes.count < limits.handshakes else { return (nil, actions) }

        let handshake: HandshakeID = newIdentifier()
        handshakes[handshake] = NoiseExchange(.responder(server), isHeld: admission == .hold)
        deadlines.set(.noise(handshake), to: now.advanced(by: limits.answerTimeout))
        if admission == .hold {
            hold(.handshake(handshake, message: message.owned), for: server)
        } else {
            ask(.handshake(handshake, message: message), of: server, &actions)
        }
        return (handshake, actions)
    }

    /// The node no longer wants to know whether the peer may connect.
    package mutating func peerLeft(_ request: FirewallRequestID) {
        guard firewallRequests.removeValue(forKey: request) != nil else { return }
        deadlines.remove(.firewall(request))
    }

    // MARK: Together

    /// Questions that the client has not answered.
    var unansweredCount: Int { firewallRequests.count + signatureRequests.count }

    private func admission(to server: RelayServerID, isCustodial: Bool, byteCount: Int) -> Admission {
        guard phase == .active, let found = servers[server], found.credentials.isCustodial == isCustodial else {
            return .refuse
        }
        switch found.state {
        case .opening: return backlogByteCount + byteCount <= limits.backlogByteCount ? .hold : .refuse
        case .listening: return output.isCrowded ? .refuse : .ask
        case .closing: return .refuse
        }
    }

    private mutating func hold(_ question: HeldQuestion, for server: RelayServerID) {
        guard case .opening(var held)? = servers[server]?.state else { return }
        servers[server]?.state = .closing(isKnown: false)  // lets the list be changed in place
        held.append(question)
        servers[server]?.state = .opening(held: held)
        backlogByteCount += question.byteCount
    }

    /// Asks the client, unless the question was given up while it was held.
    private mutating func ask(
        _ question: HeldQuestion, of server: RelayServerID, _ actions: inout Actions<Action>
    ) {
        switch question {
        case .firewall(let request, let remotePublicKey, let payload):
            guard firewallRequests[request] != nil else { return }
            let incoming = RelayMessage.Incoming(
                request: request, server: server, remotePublicKey: remotePublicKey, payload: payload)
            send(.incoming(incoming), &actions)
        case .handshake(let handshake, let message):
            guard handshakes[handshake] != nil else { return }
            handshakes[handshake]?.release()
            let receive = RelayMessage.NoiseReceive(
                handshake: handshake, role: .responder(server), message: message)
            send(.noiseReceive(receive), &actions)
        }
    }

    /// Answers a question of the node, if it was not answered before.
    mutating func settle(_ request: FirewallRequestID, isAllowed: Bool, _ actions: inout Actions<Action>) {
        guard firewallRequests.removeValue(forKey: request) != nil else { return }
        deadlines.remove(.firewall(request))
        actions.append(.answerPeer(request, isAllowed: isAllowed))
    }

    /// Nobody who has not been let in yet will be.
    private mutating func settleQuestions(of server: RelayServerID, _ actions: inout Actions<Action>) {
        for request in firewallRequests.filter({ $0.value == server }).keys.sorted() {
            settle(request, isAllowed: false, &actions)
        }
        for handshake in handshakes.filter({ $0.value.party == .responder(server) }).keys.sorted() {
            forget(handshake, &actions)
        }
    }

    private mutating func beginClosing(_ server: RelayServerID, isKnown: Bool, _ actions: inout Actions<Action>) {
        dropHeld(of: server)
        servers[server]?.state = .closing(isKnown: isKnown)
        settleQuestions(of: server, &actions)
        actions.append(.closeServer(server, unannounce: true))
    }

    private mutating func dropHeld(of server: RelayServerID) {
        guard case .opening(let held)? = servers[server]?.state else { return }
        backlogByteCount -= held.reduce(0) { $0 + $1.byteCount }
    }

    /// A client finds its server by the relay's number, which it learns with `listening`. So one that never listened is said to
    /// have, at no address, before it is closed.
    private mutating func sendClosed(
        _ server: RelayServerID, of clientServer: ClientServerID, isKnown: Bool, _ actions: inout Actions<Action>
    ) {
        if !isKnown {
            let listening = RelayMessage.Listening(server: server, remoteServer: clientServer, address: .unknown)
            send(.listening(listening), &actions)
        }
        send(.closed(server), &actions)
    }

    private mutating func remove(_ server: RelayServerID) {
        dropHeld(of: server)
        guard let found = servers.removeValue(forKey: server) else { return }
        clientServers[found.clientServer] = nil
    }

    /// The session is over. Nobody is there to sign for a key that is the client's, so its records are left to expire.
    mutating func releaseServer(_ server: RelayServerID, _ actions: inout Actions<Action>) {
        guard let found = servers[server] else { return }
        actions.append(.closeServer(server, unannounce: found.credentials.isCustodial))
        remove(server)
    }
}
