extension DHT {
    /// Who announced a topic: the answers of the nodes nearest to it, as they come.
    ///
    /// - Parameter topic: 32 bytes.
    public func lookup(_ topic: [UInt8]) -> LookupAnswers {
        LookupAnswers(connection: connection, request: .lookup(topic))
    }

    /// Nodes that know the server of a key.
    public func findPeer(_ publicKey: PublicKey) -> LookupAnswers {
        LookupAnswers(connection: connection, request: .findPeer(publicKey))
    }

    /// Announces a key pair under a topic. Announcements last about 20 minutes.
    ///
    /// - Parameters:
    ///   - topic: 32 bytes.
    ///   - relayAddresses: Nodes that pass messages on to us, at most 3.
    /// - Returns: Who stored it.
    /// - Throws: ``DHTError/Code/quorumNotReached`` or what all nodes said when too few stored it: see ``DHTError/storeReport``;
    ///   ``DHTError/Code/noNodes``; ``DHTError/Code/invalidArgument``.
    @discardableResult
    public func announce(
        _ topic: [UInt8], as keyPair: KeyPair, relayAddresses: [NodeAddress] = []
    ) async throws(DHTError) -> StoreReport {
        try await store(.announce(topic, .keyPair(keyPair), relayAddresses))
    }

    /// Announces a key that lives elsewhere.
    ///
    /// - Parameter sign: Is asked once for each node.
    @discardableResult
    public func announce(
        _ topic: [UInt8], as publicKey: PublicKey, relayAddresses: [NodeAddress] = [], sign: @escaping RemoteSigner
    ) async throws(DHTError) -> StoreReport {
        try await store(.announce(topic, .remote(publicKey, sign), relayAddresses))
    }

    /// Takes an announcement back from every node that may have it.
    ///
    /// - Returns: How many nodes took it away.
    @discardableResult
    public func unannounce(_ topic: [UInt8], as keyPair: KeyPair) async throws(DHTError) -> Int {
        try await run(.unannounce(topic, .keyPair(keyPair))).unannouncedCount
    }

    /// Takes back the announcement of a key that lives elsewhere.
    @discardableResult
    public func unannounce(
        _ topic: [UInt8], as publicKey: PublicKey, sign: @escaping RemoteSigner
    ) async throws(DHTError) -> Int {
        try await run(.unannounce(topic, .remote(publicKey, sign))).unannouncedCount
    }

    /// Stores a value under its hash, which is the ``StoreReport/target`` of the report.
    ///
    /// - Throws: ``DHTError/Code/tooLarge`` for a value that does not fit one packet; what ``announce(_:as:relayAddresses:)`` throws.
    @discardableResult
    public func putImmutable(_ value: [UInt8]) async throws(DHTError) -> StoreReport {
        try await store(.immutablePut(value))
    }

    /// The value of a hash, or nil if nobody has it.
    public func getImmutable(_ hash: [UInt8]) async throws(DHTError) -> [UInt8]? {
        try await find(.immutableGet(hash))?.value
    }

    /// Stores a value under the hash of a key, in place of one with a lower sequence number.
    ///
    /// - Throws: ``DHTError/Code/sequenceReused`` when another value has the number, ``DHTError/Code/sequenceTooLow`` when one has a
    ///   higher number, ``DHTError/Code/tooLarge``; what ``announce(_:as:relayAddresses:)`` throws.
    @discardableResult
    public func putMutable(
        _ value: [UInt8], as keyPair: KeyPair, sequence: UInt64
    ) async throws(DHTError) -> StoreReport {
        try await store(.mutablePut(value, .keyPair(keyPair), sequence))
    }

    /// Stores a value of a key that lives elsewhere.
    @discardableResult
    public func putMutable(
        _ value: [UInt8], as publicKey: PublicKey, sequence: UInt64, sign: @escaping RemoteSigner
    ) async throws(DHTError) -> StoreReport {
        try await store(.mutablePut(value, .remote(publicKey, sign), sequence))
    }

    /// The newest value of a key, or nil if nobody has one.
    ///
    /// - Parameters:
    ///   - minimumSequence: Older values do not count.
    ///   - takesFirst: The first valid value will do, even if another node has a newer one.
    public func getMutable(
        _ publicKey: PublicKey, minimumSequence: UInt64 = 0, takesFirst: Bool = false
    ) async throws(DHTError) -> MutableValue? {
        guard let found = try await find(.mutableGet(publicKey, minimumSequence, takesFirst: takesFirst)) else {
            return nil
        }
        return MutableValue(bytes: found.value, sequence: found.sequence, signature: found.signature)
    }

    /// The nodes nearest to a target of 32 bytes, nearest first.
    public func findNodes(near target: [UInt8]) async throws(DHTError) -> [NodeAddress] {
        try await run(.findNode(target)).report.nodes.map(\.address)
    }

    private func store(_ request: QueryRequest) async throws(DHTError) -> StoreReport {
        try await run(request).report
    }

    private func find(_ request: QueryRequest) async throws(DHTError) -> QueryOutcome? {
        do {
            return try await run(request)
        } catch {
            if error.code == .notFound { return nil }
            throw error
        }
    }

    private func run(_ request: QueryRequest) async throws(DHTError) -> QueryOutcome {
        let connection = self.connection
        return try await connection.use { (handle) async throws(DHTError) in
            try await handle.run(request, connection: connection)
        }
    }
}
