/// What a node is to ask of the network.
enum QueryRequest: Sendable {
    case findNode([UInt8])
    case findPeer(PublicKey)
    case lookup([UInt8])
    case announce([UInt8], Signer, [NodeAddress])
    case unannounce([UInt8], Signer)
    case immutablePut([UInt8])
    case immutableGet([UInt8])
    case mutablePut([UInt8], Signer, UInt64)
    case mutableGet(PublicKey, UInt64, takesFirst: Bool)

    /// Who signs, if anybody needs to.
    var signer: Signer? {
        switch self {
        case .announce(_, let signer, _), .unannounce(_, let signer), .mutablePut(_, let signer, _): signer
        case .findNode, .findPeer, .lookup, .immutablePut, .immutableGet, .mutableGet: nil
        }
    }
}

/// Who holds the secret key.
enum Signer: Sendable {
    case keyPair(KeyPair)
    case remote(PublicKey, RemoteSigner)

    var publicKey: PublicKey {
        switch self {
        case .keyPair(let keyPair): keyPair.publicKey
        case .remote(let publicKey, _): publicKey
        }
    }
}

/// How a query went that ended well.
struct QueryOutcome: Sendable {
    let report: StoreReport
    let unannouncedCount: Int
    let value: [UInt8]
    let sequence: UInt64
    let signature: [UInt8]
}

/// The reading end of a lookup: asks the network when it is first read, and gives up when it is dropped.
final class LookupReader: Sendable {
    private let connection: NodeConnection
    private let request: QueryRequest
    private let query: QueryBox

    init(connection: NodeConnection, request: QueryRequest) {
        self.connection = connection
        self.request = request
        query = QueryBox(connection: connection)
    }

    deinit {
        connection.execute { [query] in query.cancel() }
    }

    func next() async throws(DHTError) -> LookupAnswer? {
        try await connection.use { (handle) async throws(DHTError) in
            try await handle.nextAnswer(of: self.query, request: self.request)
        }
    }
}
