/// The user's queries, and the signatures that the relay needs to announce for a key it does not have.
extension RelayClientSession {
    struct Query {
        enum Kind: Equatable {
            case lookup
            case announce
            case unannounce
        }

        let kind: Kind
        /// The key that the relay does not have.
        let signer: RelayKeyPair?
        let topic: Bytes32
        /// Whether the relay ever asked for a signature.
        var hasSigned = false
        /// Whether a node said that it has a record of this key.
        var wasFound = false
        /// Whether the user was told that it is over; the relay has yet to say so, for nothing cancels a query there.
        var isAbandoned = false

        /// Whether nothing was announced, or taken back, although it should have been.
        var isWithoutEffect: Bool {
            guard signer != nil, !hasSigned else { return false }
            return kind == .announce || (kind == .unannounce && wasFound)
        }
    }

    // MARK: From the user

    /// Asks who announced the topic.
    package mutating func lookup(_ topic: Bytes32) -> (query: QueryID?, actions: Actions<Action>) {
        begin(Query(kind: .lookup, signer: nil, topic: topic)) { .lookup($0, topic: topic) }
    }

    /// Announces the key under the topic.
    package mutating func announce(
        _ topic: Bytes32, as keyPair: RelayKeyPair, custody: Custody
    ) -> (query: QueryID?, actions: Actions<Action>) {
        let signer = custody == .client ? keyPair : nil
        return begin(Query(kind: .announce, signer: signer, topic: topic)) { query in
            .announce(.init(query: query, topic: topic, credentials: keyPair.credentials(custody)))
        }
    }

    /// Takes the announcement back.
    package mutating func unannounce(
        _ topic: Bytes32, as keyPair: RelayKeyPair, custody: Custody
    ) -> (query: QueryID?, actions: Actions<Action>) {
        let signer = custody == .client ? keyPair : nil
        return begin(Query(kind: .unannounce, signer: signer, topic: topic)) { query in
            .unannounce(.init(query: query, topic: topic, credentials: keyPair.credentials(custody)))
        }
    }

    /// Reports nothing more of the query.
    package mutating func abandon(_ query: QueryID) -> Actions<Action> {
        var actions = Actions<Action>()
        guard queries[query]?.isAbandoned == false else { return actions }
        queries[query]?.isAbandoned = true
        actions.append(.finished(query, nil))
        return actions
    }

    /// Whether a query can be begun. Beyond this number relays refuse them, and have no way to say so.
    package var canBeginQuery: Bool { phase == .active && queries.count < limits.queries }

    // MARK: From the relay

    mutating func receivedResult(_ query: QueryID, _ record: MessageBytes, _ actions: inout Actions<Action>) {
        guard let found = queries[query] else { return }
        // What cannot be read is one node's doing, which the relay only passed on.
        let key = found.signer?.publicKey ?? Bytes32()
        guard let isFound = Announcers.contain(key, in: record) else { return }
        if isFound { queries[query]?.wasFound = true }
        if !found.isAbandoned { actions.append(.found(query, record)) }
    }

    mutating func receivedFinished(_ query: QueryID, _ actions: inout Actions<Action>) {
        guard let found = queries[query] else { return }
        end(query, found.isWithoutEffect ? .noSignatureAsked : nil, &actions)
    }

    /// Signs for the relay's node, but only what the user is about: a server's key signs while there is the server, a query's
    /// while there is the query, and for what it is.
    mutating func receivedSignatureRequest(
        _ request: RelayMessage.SignatureRequest, for kind: Announcement.Kind, _ actions: inout Actions<Action>
    ) {
        guard let (keyPair, target) = signer(request.signee, for: kind),
            let nodeID = request.nodeID.withUnsafeBytes({ Bytes32($0) })
        else { return }
        let announcement = Announcement(
            kind: kind, target: target, nodeID: nodeID, token: request.token, relayAddresses: request.relayAddresses)
        guard let signature = announcement.signature(of: keyPair) else { return }
        servers[ClientServerID(request.signee)]?.hasSigned = true
        queries[QueryID(request.signee)]?.hasSigned = true
        send(.signature(request.request, MessageBytes(signature.array)), &actions)
    }

    // MARK: Together

    private mutating func begin(
        _ query: Query, _ message: (QueryID) -> RelayMessage
    ) -> (query: QueryID?, actions: Actions<Action>) {
        var actions = Actions<Action>()
        guard canBeginQuery else { return (nil, actions) }
        let id: QueryID = newIdentifier()
        queries[id] = query
        send(message(id), &actions)
        return (id, actions)
    }

    private func signer(_ signee: UInt32, for kind: Announcement.Kind) -> (keyPair: RelayKeyPair, target: Bytes32)? {
        if let server = servers[ClientServerID(signee)], !server.isCustodial {
            return (server.keyPair, server.keyPair.publicKey.hash)
        }
        guard let query = queries[QueryID(signee)], let keyPair = query.signer else { return nil }
        switch (query.kind, kind) {
        case (.announce, .announce), (.unannounce, .unannounce): return (keyPair, query.topic)
        case (.announce, .unannounce), (.unannounce, .announce), (.lookup, _): return nil
        }
    }

    /// The query is over, and the user is told, once.
    mutating func end(_ query: QueryID, _ failure: RelayClientFailure?, _ actions: inout Actions<Action>) {
        guard let found = queries.removeValue(forKey: query), !found.isAbandoned else { return }
        actions.append(.finished(query, failure))
    }
}
