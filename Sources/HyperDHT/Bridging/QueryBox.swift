internal import CHyperDHT
internal import LoopRuntime

/// A `hdht_query` and who waits for it.
///
/// Retained while the C query lives: from its start to its last callback.
///
/// `@unchecked Sendable`: after `init` it is touched on the node's loop only, where C makes its callbacks too.
final class QueryBox: @unchecked Sendable {
    private let connection: NodeConnection
    private var query: OpaquePointer?
    private(set) var wasStarted = false
    private var stores = false
    private var signer: Signer?
    private var signings: [Task<Void, Never>] = []
    private var answers: LoopChannel<LookupAnswer>?
    private var outcome: Result<QueryOutcome, DHTError>?
    private var waiter: UnsafeContinuation<Result<QueryOutcome, DHTError>, Never>?

    init(connection: NodeConnection) {
        self.connection = connection
    }

    /// - Parameter loop: Where what is found is to be read; nil if it is not.
    func start(
        _ request: QueryRequest, on node: OpaquePointer, collectingOn loop: LoopExecutor? = nil
    ) throws(DHTError) {
        try request.check()
        wasStarted = true
        signer = request.signer
        stores = request.stores
        answers = loop.map { LoopChannel(on: $0, elementCountMax: Int(Int32.max)) }
        let this = Unmanaged.passRetained(self)  // released in on_done
        let status = withUnsafePointer(to: makeQueryCallbacks()) { callbacks in
            request.start(on: node, callbacks: callbacks, box: this.toOpaque(), query: &query)
        }
        guard status != 0 else { return }
        this.release()
        throw DHTError(status: status)
    }

    func cancel() {
        hdht_query_cancel(query)
    }

    func waitForOutcome(isolation: isolated (any Actor)) async -> Result<QueryOutcome, DHTError> {
        if let outcome { return outcome }
        return await withUnsafeContinuation { waiter = $0 }
    }

    func nextAnswer(isolation: isolated (any Actor)? = #isolation) async throws(DHTError) -> LookupAnswer? {
        do {
            return try await answers?.next()
        } catch let error as DHTError {
            throw error
        } catch {
            cancel()
            throw DHTError(.cancelled, "the task was cancelled")
        }
    }

    // MARK: - Callbacks

    fileprivate func found(_ found: hdht_query_found) {
        guard let answers, found.peers.count > 0, let from = NodeAddress(found.from) else { return }
        answers.send(LookupAnswer(from: from, to: NodeAddress(found.to), peers: peers(in: found.peers)))
    }

    private func peers(in list: hdht_peer_list) -> [AnnouncedPeer] {
        var rest = list
        var peer = hdht_peer()
        var peers: [AnnouncedPeer] = []
        while hdht_peer_list_next(&rest, &peer) == 1 {
            var relays: [NodeAddress] = []
            var addresses = peer.relay_addresses
            var address = hdht_address()
            while hdht_address_list_next(&addresses, &address) == 1 {
                if let relay = NodeAddress(address) { relays.append(relay) }
            }
            peers.append(AnnouncedPeer(publicKey: PublicKey(copying: peer.public_key), relayAddresses: relays))
        }
        return peers
    }

    /// Asks whoever holds the key, anywhere; the answer comes back by way of the connection, if the node still lives then.
    fileprivate func sign(_ wish: hdht_query_wish) {
        guard case .remote(_, let sign) = signer, let request = SigningRequest(wish) else { return }
        let (purpose, number) = (wish.purpose, wish.number)
        signings.append(
            Task { [connection] in
                let signature = try? await sign(request)
                connection.execute { self.answer(purpose, number, signature) }
            })
    }

    private func answer(_ purpose: UInt32, _ number: UInt32, _ signature: [UInt8]?) {
        guard let query else { return }
        guard let signature, signature.count == Int(HDHT_SIGNATURE_SIZE) else {
            hdht_query_sign(query, purpose, number, nil)
            return
        }
        hdht_query_sign(query, purpose, number, signature)
    }

    fileprivate func done(status: Int32, result: hdht_query_result) {
        query = nil
        for signing in signings { signing.cancel() }
        signings = []
        let report = StoreReport(result, stores: stores)
        let outcome: Result<QueryOutcome, DHTError> =
            status == 0
            ? .success(QueryOutcome(result, report: report))
            : .failure(DHTError(status: status, storeReport: stores ? report : nil))
        self.outcome = outcome
        answers?.finish(throwing: status == 0 ? nil : DHTError(status: status))
        waiter?.resume(returning: outcome)
        waiter = nil
    }
}

// MARK: - C

private func makeQueryCallbacks() -> hdht_query_callbacks {
    hdht_query_callbacks(
        struct_size: MemoryLayout<hdht_query_callbacks>.size,
        on_found: { box, _, found in QueryBox.from(box).takeUnretainedValue().found(found!.pointee) },
        on_sign: { box, _, wish in QueryBox.from(box).takeUnretainedValue().sign(wish!.pointee) },
        on_done: { box, status, result in
            QueryBox.from(box).takeRetainedValue().done(status: status, result: result!.pointee)
        })
}

extension QueryBox {
    /// The `!` here and above hold because every query is made with a box, and C passes what it announces.
    fileprivate static func from(_ box: UnsafeMutableRawPointer?) -> Unmanaged<QueryBox> {
        Unmanaged.fromOpaque(box!)
    }
}

extension QueryRequest {
    fileprivate var stores: Bool {
        switch self {
        case .announce, .immutablePut, .mutablePut: true
        case .findNode, .findPeer, .lookup, .unannounce, .immutableGet, .mutableGet: false
        }
    }

    /// C reads 32 bytes wherever it is given a topic.
    fileprivate func check() throws(DHTError) {
        switch self {
        case .findNode(let bytes), .lookup(let bytes), .immutableGet(let bytes), .announce(let bytes, _, _),
            .unannounce(let bytes, _):
            guard bytes.count == Int(HDHT_HASH_SIZE) else {
                throw DHTError(.invalidArgument, "a topic or hash has 32 bytes, not \(bytes.count)")
            }
        case .findPeer, .immutablePut, .mutablePut, .mutableGet: break
        }
    }

    fileprivate func start(
        on node: OpaquePointer, callbacks: UnsafePointer<hdht_query_callbacks>, box: UnsafeMutableRawPointer,
        query: inout OpaquePointer?
    ) -> Int32 {
        switch self {
        case .findNode(let target):
            return hdht_query_find_node(node, target, nil, callbacks, box, &query)
        case .lookup(let topic):
            return hdht_query_lookup(node, topic, nil, callbacks, box, &query)
        case .findPeer(let key):
            return hdht_query_find_peer(node, key.bytes, nil, callbacks, box, &query)
        case .announce(let topic, let signer, let relays):
            return withOptions(relays: relays) { options in
                signer.withKeys {
                    hdht_query_announce(node, topic, $0, $1, options, callbacks, box, &query)
                }
            }
        case .unannounce(let topic, let signer):
            return signer.withKeys { hdht_query_unannounce(node, topic, $0, $1, nil, callbacks, box, &query) }
        case .immutablePut(let value):
            return value.withSpan { hdht_query_immutable_put(node, $0, nil, callbacks, box, &query) }
        case .immutableGet(let hash):
            return hdht_query_immutable_get(node, hash, nil, callbacks, box, &query)
        case .mutablePut(let value, let signer, let sequence):
            return value.withSpan { value in
                signer.withKeys {
                    hdht_query_mutable_put(node, $0, $1, sequence, value, nil, callbacks, box, &query)
                }
            }
        case .mutableGet(let key, let sequence, let takesFirst):
            return withOptions(flags: takesFirst ? UInt32(HDHT_QUERY_TAKE_FIRST) : 0) {
                hdht_query_mutable_get(node, key.bytes, sequence, $0, callbacks, box, &query)
            }
        }
    }

    private func withOptions(
        relays: [NodeAddress] = [], flags: UInt32 = 0, _ body: (UnsafePointer<hdht_query_options>) -> Int32
    ) -> Int32 {
        relays.map(\.cAddress).withUnsafeBufferPointer { relays in
            var options = hdht_query_options()
            hdht_query_options_init(&options, MemoryLayout.size(ofValue: options))
            options.relays = relays.baseAddress
            options.relays_count = relays.count
            options.flags = flags
            return body(&options)
        }
    }
}

extension Signer {
    /// Lends the public key, and the secret one if it is here.
    fileprivate func withKeys(_ body: (UnsafePointer<UInt8>?, UnsafePointer<UInt8>?) -> Int32) -> Int32 {
        publicKey.withBytes { publicKey in
            let publicKey = publicKey.bindMemory(to: UInt8.self).baseAddress
            switch self {
            case .keyPair(let keyPair):
                return keyPair.withSecretKey { body(publicKey, $0.bindMemory(to: UInt8.self).baseAddress) }
            case .remote: return body(publicKey, nil)
            }
        }
    }
}

extension Array<UInt8> {
    fileprivate func withSpan(_ body: (hdht_bytes) -> Int32) -> Int32 {
        withUnsafeBufferPointer { body(hdht_bytes(data: $0.baseAddress, size: $0.count)) }
    }
}

extension SigningRequest {
    fileprivate init?(_ wish: hdht_query_wish) {
        let purpose: Purpose
        switch wish.purpose {
        case UInt32(HDHT_SIGN_ANNOUNCE): purpose = .announce
        case UInt32(HDHT_SIGN_UNANNOUNCE): purpose = .unannounce
        case UInt32(HDHT_SIGN_MUTABLE): purpose = .mutableValue
        default: return nil
        }
        self.init(
            purpose: purpose,
            target: Array(UnsafeBufferPointer(start: wish.target, count: Int(HDHT_HASH_SIZE))),
            signable: Array(wish.signable))
    }
}

extension StoreReport {
    fileprivate init(_ result: hdht_query_result, stores: Bool) {
        let nodes = UnsafeBufferPointer(start: result.nodes, count: result.nodes_count).compactMap { node -> Node? in
            guard let address = NodeAddress(node.address) else { return nil }
            let hasFailed = stores && node.stored != 0
            return Node(address: address, failure: hasFailed ? DHTError.Code(status: node.stored) : nil)
        }
        self.init(target: withUnsafeBytes(of: result.target) { Array($0) }, nodes: nodes)
    }
}

extension QueryOutcome {
    fileprivate init(_ result: hdht_query_result, report: StoreReport) {
        self.init(
            report: report, unannouncedCount: Int(result.unannounced), value: Array(result.value), sequence: result.seq,
            signature: result.signature.map {
                Array(UnsafeBufferPointer(start: $0, count: Int(HDHT_SIGNATURE_SIZE)))
            } ?? [])
    }
}
