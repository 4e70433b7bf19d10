/// Queries of the client, and the signatures that announcing with its key takes.
extension RelayServerSession {
    struct Query {
        /// Who signs, if that is the client: then whose key it is.
        let signer: Bytes32?
    }

    /// Whose key has to sign an announcement.
    package enum Signee: Equatable, Sendable {
        case server(RelayServerID)
        case query(QueryID)
    }

    struct PendingSignature {
        let signee: Signee
        let publicKey: Bytes32
        let announcement: Announcement
    }

    package typealias AnnouncementKind = Announcement.Kind

    // MARK: From the client

    mutating func receivedLookup(_ query: QueryID, topic: Bytes32, _ actions: inout Actions<Action>) {
        let type = RelayMessage.lookup(query, topic: topic).type
        guard admit(query, type: type, signer: nil, &actions) else { return }
        actions.append(.lookup(query, topic: topic))
    }

    mutating func receivedAnnounce(
        _ announce: RelayMessage.Announce, kind: AnnouncementKind, _ actions: inout Actions<Action>
    ) {
        let (query, credentials) = (announce.query, announce.credentials)
        let type = RelayMessage.announce(announce).type
        let signer = credentials.isCustodial ? nil : credentials.publicKey
        guard isUsable(credentials) else {
            return send(.finished(query), &actions)  // there is no way to say why
        }
        guard admit(query, type: type, signer: signer, &actions) else { return }
        switch kind {
        case .announce: actions.append(.announce(query, topic: announce.topic, credentials))
        case .unannounce: actions.append(.unannounce(query, topic: announce.topic, credentials))
        }
    }

    /// Whether the query may begin. Servers and queries share their numbers, because either can be asked to sign.
    private mutating func admit(
        _ query: QueryID, type: UInt32, signer: Bytes32?, _ actions: inout Actions<Action>
    ) -> Bool {
        guard queries[query] == nil, clientServers[ClientServerID(query.number)] == nil else {
            close(.identifierInUse(type: type, number: query.number), &actions)
            return false
        }
        guard queries.count < limits.queries else {
            send(.finished(query), &actions)
            return false
        }
        queries[query] = Query(signer: signer)
        return true
    }

    mutating func receivedSignature(
        _ request: SignatureRequestID, _ signature: MessageBytes, _ actions: inout Actions<Action>
    ) {
        guard let pending = signatureRequests[request] else { return }
        let signature = signature.withUnsafeBytes { Bytes64($0) }
        let isGenuine = signature.map { pending.announcement.isSigned(by: pending.publicKey, with: $0) } ?? false
        settle(request, with: isGenuine ? signature : nil, &actions)
    }

    // MARK: From the node

    /// One answer of the network to a query.
    ///
    /// - Parameter record: Who announced, and which node says so, as `announcers` are encoded.
    package mutating func queryResult(_ query: QueryID, record: MessageBytes) -> Actions<Action> {
        var actions = Actions<Action>()
        guard queries[query] != nil else { return actions }
        send(.result(query, record), &actions)
        return actions
    }

    /// The query is over, whether it succeeded or not.
    package mutating func queryFinished(_ query: QueryID) -> Actions<Action> {
        var actions = Actions<Action>()
        guard queries.removeValue(forKey: query) != nil else { return actions }
        settleSignatures(of: .query(query), &actions)
        send(.finished(query), &actions)
        return actions
    }

    /// An announcement has to be signed with a key that is the client's.
    ///
    /// - Parameters:
    ///   - target: The query's topic, or the hash of the server's key.
    ///   - nodeID: The node that is to store or forget the record.
    ///   - relayAddresses: What the record says besides the key.
    /// - Returns: The request's number, which the actions may already answer, or nil if there will be no signature.
    package mutating func signatureNeeded(
        by signee: Signee, for kind: AnnouncementKind, target: Bytes32, nodeID: Bytes32, token: Bytes32,
        relayAddresses: IPv4EndpointList, at now: RelayInstant
    ) -> (request: SignatureRequestID?, actions: Actions<Action>) {
        var actions = Actions<Action>()
        guard let (number, publicKey) = signer(signee), unansweredCount < limits.unansweredRequests else {
            return (nil, actions)
        }
        let request: SignatureRequestID = newIdentifier()
        signatureRequests[request] = PendingSignature(
            signee: signee, publicKey: publicKey,
            announcement: Announcement(
                kind: kind, target: target, nodeID: nodeID, token: token, relayAddresses: relayAddresses.owned))
        deadlines.set(.signature(request), to: now.advanced(by: limits.answerTimeout))

        let sign = RelayMessage.SignatureRequest(
            request: request, signee: number, token: token, nodeID: MessageBytes(nodeID.array),
            relayAddresses: relayAddresses)
        send(kind == .announce ? .signAnnounce(sign) : .signUnannounce(sign), &actions)
        return (request, actions)
    }

    /// The node no longer wants the signature.
    package mutating func signatureAbandoned(_ request: SignatureRequestID) {
        guard signatureRequests.removeValue(forKey: request) != nil else { return }
        deadlines.remove(.signature(request))
    }

    // MARK: Together

    /// The client's number of the signee, and its key, if it is the client that signs.
    private func signer(_ signee: Signee) -> (number: UInt32, publicKey: Bytes32)? {
        guard phase == .active else { return nil }
        switch signee {
        case .server(let server):
            guard let found = servers[server], !found.credentials.isCustodial else { return nil }
            return (found.clientServer.number, found.credentials.publicKey)
        case .query(let query):
            return queries[query]?.signer.map { (query.number, $0) }
        }
    }

    /// Answers a request for a signature, if it was not answered before.
    mutating func settle(
        _ request: SignatureRequestID, with signature: Bytes64?, _ actions: inout Actions<Action>
    ) {
        guard signatureRequests.removeValue(forKey: request) != nil else { return }
        deadlines.remove(.signature(request))
        actions.append(signature.map { .useSignature(request, $0) } ?? .skipSignature(request))
    }

    mutating func settleSignatures(of signee: Signee, _ actions: inout Actions<Action>) {
        for request in signatureRequests.filter({ $0.value.signee == signee }).keys.sorted() {
            settle(request, with: nil, &actions)
        }
    }

    /// The session is over.
    mutating func releaseQuery(_ query: QueryID, _ actions: inout Actions<Action>) {
        guard queries.removeValue(forKey: query) != nil else { return }
        actions.append(.cancelQuery(query))
    }
}
