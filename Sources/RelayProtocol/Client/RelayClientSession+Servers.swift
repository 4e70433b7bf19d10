/// The user's servers, and the peers that want in.
extension RelayClientSession {
    struct Server {
        enum State {
            /// - `isClosing`: whether it is to be closed as soon as the relay has answered.
            case opening(isClosing: Bool)
            /// The relay says it listens at no address: that it could not listen may follow at once.
            case confirming
            case listening
            case closing
            /// The user was told that it is closed; the relay has yet to say so.
            case abandoned
        }

        let keyPair: RelayKeyPair
        let isCustodial: Bool
        var state: State
        var relayServer: RelayServerID?
        var address = IPv4Endpoint.unknown
        /// Whether the relay ever asked for a signature.
        var hasSigned = false

        /// Whether a peer may come.
        var takesPeers: Bool {
            switch state {
            case .confirming, .listening: true
            case .opening, .closing, .abandoned: false
            }
        }
    }

    // MARK: From the user

    /// Opens a server.
    package mutating func listen(
        as keyPair: RelayKeyPair, custody: Custody
    ) -> (server: ClientServerID?, actions: Actions<Action>) {
        var actions = Actions<Action>()
        guard phase == .active, servers.count < limits.servers else { return (nil, actions) }
        let server: ClientServerID = newIdentifier()
        servers[server] = Server(keyPair: keyPair, isCustodial: custody == .relay, state: .opening(isClosing: false))
        let listen = RelayMessage.Listen(server: server, credentials: keyPair.credentials(custody))
        send(.listen(listen), &actions)
        return (server, actions)
    }

    /// Closes a server. Its streams stay.
    package mutating func close(_ server: ClientServerID) -> Actions<Action> {
        var actions = Actions<Action>()
        beginClosing(server, &actions)
        return actions
    }

    /// Whether the peer may connect. Once for each ``Action/incoming(_:_:remotePublicKey:payload:)``; too late is no.
    package mutating func decide(
        _ question: FirewallQuestion, isAllowed: Bool, at now: RelayInstant
    ) -> Actions<Action> {
        var actions = Actions<Action>()
        switch question {
        case .request(let request): answer(request, isAllowed: isAllowed, &actions)
        case .handshake(let handshake): answer(handshake, isAllowed: isAllowed, at: now, &actions)
        }
        return actions
    }

    // MARK: From the relay

    mutating func receivedListening(
        _ listening: RelayMessage.Listening, at now: RelayInstant, _ actions: inout Actions<Action>
    ) {
        let server = listening.remoteServer
        guard let found = servers[server], case .opening(let isClosing) = found.state else { return }
        guard relayServers[listening.server] == nil else {
            let type = RelayMessage.listening(listening).type
            return close(.identifierInUse(type: type, number: listening.server.number), &actions)
        }
        relayServers[listening.server] = server
        servers[server]?.relayServer = listening.server
        servers[server]?.address = listening.address
        if isClosing {
            servers[server]?.state = .closing
            send(.close(server), &actions)
        } else if listening.address == .unknown {
            servers[server]?.state = .confirming
            deadlines.set(.confirmation(server), to: now.advanced(by: limits.listenConfirmationDelay))
        } else {
            isListening(server, &actions)
        }
    }

    /// The relay took back what it said about listening, closed the server by itself, or because it was asked to.
    mutating func receivedClosed(_ relayServer: RelayServerID, _ actions: inout Actions<Action>) {
        guard let server = relayServers[relayServer], let found = servers[server] else { return }
        switch found.state {
        case .confirming: end(server, .listenRefused, &actions)
        case .listening: end(server, .serverClosed, &actions)
        case .opening, .closing, .abandoned: end(server, nil, &actions)
        }
        closeWhenEmpty(&actions)
    }

    mutating func receivedIncoming(
        _ incoming: RelayMessage.Incoming, at now: RelayInstant, _ actions: inout Actions<Action>
    ) {
        let request = incoming.request
        guard let server = relayServers[incoming.server], let found = servers[server], found.isCustodial,
            found.takesPeers, incoming.payload.isNoisePayload, unansweredCount < limits.unansweredRequests
        else {
            return send(.deny(request), &actions)
        }
        guard questions.insert(request).inserted else { return }
        deadlines.set(.question(request), to: now.advanced(by: limits.answerTimeout))
        confirmListening(server, &actions)
        actions.append(
            .incoming(
                .request(request), server, remotePublicKey: incoming.remotePublicKey, payload: incoming.payload))
    }

    // MARK: Together

    var unansweredCount: Int { questions.count + handshakes.values.count { $0.isUndecided } }

    mutating func answer(_ request: FirewallRequestID, isAllowed: Bool, _ actions: inout Actions<Action>) {
        guard questions.remove(request) != nil else { return }
        deadlines.remove(.question(request))
        send(isAllowed ? .accept(request) : .deny(request), &actions)
    }

    /// Nothing came after the relay had said that it listens at no address, or something did that shows it listens.
    mutating func confirmListening(_ server: ClientServerID, _ actions: inout Actions<Action>) {
        guard case .confirming? = servers[server]?.state else { return }
        deadlines.remove(.confirmation(server))
        isListening(server, &actions)
    }

    /// A relay that announces for a key it does not have needs a signature for each record. One that asked for none has
    /// announced nothing, and nobody will find the server.
    private mutating func isListening(_ server: ClientServerID, _ actions: inout Actions<Action>) {
        guard let found = servers[server] else { return }
        if found.isCustodial || found.hasSigned {
            servers[server]?.state = .listening
            actions.append(.listening(server, found.address))
        } else {
            servers[server]?.state = .abandoned
            actions.append(.serverClosed(server, .noSignatureAsked))
            send(.close(server), &actions)
        }
    }

    mutating func beginClosing(_ server: ClientServerID, _ actions: inout Actions<Action>) {
        switch servers[server]?.state {
        case .opening:
            servers[server]?.state = .opening(isClosing: true)
        case .confirming, .listening:
            deadlines.remove(.confirmation(server))
            servers[server]?.state = .closing
            send(.close(server), &actions)
        case .closing, .abandoned, nil:
            break
        }
    }

    /// The server is gone, and the user is told, once.
    mutating func end(
        _ server: ClientServerID, _ failure: RelayClientFailure?, _ actions: inout Actions<Action>
    ) {
        guard let found = servers.removeValue(forKey: server) else { return }
        if let relayServer = found.relayServer { relayServers[relayServer] = nil }
        deadlines.remove(.confirmation(server))
        for (handshake, pending) in handshakes where pending.party == .server(server) {
            handshakes[handshake] = nil
            deadlines.remove(.handshake(handshake))
        }
        if case .abandoned = found.state { return }
        actions.append(.serverClosed(server, failure))
    }
}
