internal import CHyperDHT
internal import CLibuv
internal import LoopRuntime

/// A `hdht_node` on a loop. C's callbacks enter the actor without a hop: they are made on its executor's thread.
///
/// Retained while the C node and its hold on the loop live: released in their last callbacks.
actor NodeHandle {
    nonisolated let loop: LoopExecutor
    private let events: AsyncStream<DHT.Event>.Continuation
    private var cLoop: OpaquePointer?
    private var node: OpaquePointer?
    private var isReady = false
    private var isClosing = false
    private var readyWaiters: [UnsafeContinuation<Void, Never>] = []
    private var closeWaiters: [UnsafeContinuation<Void, Never>] = []

    nonisolated var unownedExecutor: UnownedSerialExecutor {
        loop.asUnownedSerialExecutor()
    }

    init(on loop: LoopExecutor, events: AsyncStream<DHT.Event>.Continuation) {
        self.loop = loop
        self.events = events
    }

    // MARK: - Life

    func open(_ configuration: DHT.Configuration) async throws(DHTError) {
        try openLoop()
        let this = Unmanaged.passRetained(self)  // released in the node's on_closed
        let status = configuration.withOptions { options in
            withUnsafePointer(to: makeNodeCallbacks()) { callbacks in
                hdht_node_create(cLoop, options, callbacks, this.toOpaque(), &node)
            }
        }
        guard status != 0 else { return }
        this.release()
        hdht_loop_close(cLoop)
        await waitUntilClosed()
        throw DHTError(status: status)
    }

    private func openLoop() throws(DHTError) {
        var options = hdht_loop_options()
        hdht_loop_options_init(&options, MemoryLayout.size(ofValue: options))
        options.uv_loop = loop.uvLoop
        let this = Unmanaged.passRetained(self)  // released in the loop's on_closed
        let status = withUnsafePointer(to: makeLoopCallbacks()) { callbacks in
            hdht_loop_create(&options, callbacks, this.toOpaque(), &cLoop)
        }
        guard status != 0 else { return }
        this.release()
        throw DHTError(status: status)
    }

    /// Returns when nothing of the node is left on its loop.
    func close() async {
        isClosing = true
        hdht_node_close(node)
        await waitUntilClosed()
    }

    private func waitUntilClosed() async {
        if cLoop != nil { await withUnsafeContinuation { closeWaiters.append($0) } }
    }

    fileprivate func nodeClosed() {
        node = nil
        hdht_loop_close(cLoop)
        events.finish()
        resume(&readyWaiters)
    }

    fileprivate func loopClosed() {
        cLoop = nil
        resume(&closeWaiters)
    }

    private func resume(_ waiters: inout [UnsafeContinuation<Void, Never>]) {
        let all = waiters
        waiters = []
        for waiter in all { waiter.resume() }
    }

    private func openNode() throws(DHTError) -> OpaquePointer {
        guard let node, !isClosing else { throw DHTError(.closed, "the node was closed") }
        return node
    }

    // MARK: - News

    func waitUntilReady() async throws(DHTError) {
        _ = try openNode()
        if !isReady { await withUnsafeContinuation { readyWaiters.append($0) } }
        _ = try openNode()
    }

    fileprivate func ready() {
        isReady = true
        resume(&readyWaiters)
    }

    fileprivate func happened(_ event: UInt32, status: Int32) {
        if let event = DHT.Event(event, status: status) { events.yield(event) }
    }

    // MARK: - Looking and commanding

    func suspend() {
        if let node { hdht_node_suspend(node) }
    }

    func resume() throws(DHTError) {
        let status = hdht_node_resume(try openNode())
        if status != 0 { throw DHTError(status: status) }
    }

    func state() throws(DHTError) -> DHT.State {
        var state = hdht_node_state()
        hdht_node_get_state(try openNode(), &state, MemoryLayout.size(ofValue: state))
        return DHT.State(state)
    }

    func knownNodes() throws(DHTError) -> [NodeAddress] {
        let node = try openNode()
        let limit = Int(HDHT_NODE_KNOWN_NODES_LIMIT)
        return [hdht_address](unsafeUninitializedCapacity: limit) { addresses, count in
            count = hdht_node_list_nodes(node, addresses.baseAddress, limit)
        }.compactMap(NodeAddress.init)
    }

    // MARK: - Queries

    func run(_ request: QueryRequest, connection: NodeConnection) async throws(DHTError) -> QueryOutcome {
        let query = QueryBox(connection: connection)
        try query.start(request, on: try openNode())
        return try await withTaskCancellationHandler {
            await query.waitForOutcome(isolation: self)
        } onCancel: {
            loop.execute { query.cancel() }
        }.get()
    }

    func nextAnswer(of query: QueryBox, request: QueryRequest) async throws(DHTError) -> LookupAnswer? {
        if !query.wasStarted { try query.start(request, on: try openNode(), collectingOn: loop) }
        return try await query.nextAnswer()
    }
}

// MARK: - Callbacks

private func makeNodeCallbacks() -> hdht_node_callbacks {
    hdht_node_callbacks(
        struct_size: MemoryLayout<hdht_node_callbacks>.size,
        on_ready: { box in NodeHandle.from(box).assumeIsolated { $0.ready() } },
        on_event: { box, event, status in
            NodeHandle.from(box).assumeIsolated { $0.happened(event, status: status) }
        },
        on_closed: { box in
            let handle = NodeHandle.from(box)
            handle.assumeIsolated { $0.nodeClosed() }
            Unmanaged.passUnretained(handle).release()
        })
}

private func makeLoopCallbacks() -> hdht_loop_callbacks {
    hdht_loop_callbacks(
        struct_size: MemoryLayout<hdht_loop_callbacks>.size,
        on_wake: nil,
        on_closed: { box in
            let handle = NodeHandle.from(box)
            handle.assumeIsolated { $0.loopClosed() }
            Unmanaged.passUnretained(handle).release()
        })
}

extension NodeHandle {
    /// The `!` holds because every node is made with a handle.
    fileprivate static func from(_ box: UnsafeMutableRawPointer?) -> NodeHandle {
        Unmanaged<NodeHandle>.fromOpaque(box!).takeUnretainedValue()
    }
}

// MARK: - Values

extension DHT.State {
    fileprivate init(_ state: hdht_node_state) {
        func has(_ flag: some BinaryInteger) -> Bool { state.flags & UInt32(flag) != 0 }
        self.init(
            isReady: has(HDHT_NODE_IS_READY), isPersistent: has(HDHT_NODE_IS_PERSISTENT),
            isReachable: has(HDHT_NODE_IS_REACHABLE), isSuspended: has(HDHT_NODE_IS_SUSPENDED),
            isOnline: has(HDHT_NODE_IS_ONLINE), isDegraded: has(HDHT_NODE_IS_DEGRADED),
            knownNodeCount: Int(state.nodes_count), localAddress: NodeAddress(state.server_address),
            remoteAddress: NodeAddress(state.remote_address))
    }
}

extension DHT.Event {
    /// Nil for an event this version does not know.
    fileprivate init?(_ event: UInt32, status: Int32) {
        switch event {
        case UInt32(HDHT_NODE_EVENT_PERSISTENT): self = .becamePersistent
        case UInt32(HDHT_NODE_EVENT_EPHEMERAL): self = .becameEphemeral
        case UInt32(HDHT_NODE_EVENT_ADDRESS): self = .addressChanged
        case UInt32(HDHT_NODE_EVENT_NETWORK): self = .networkChanged
        case UInt32(HDHT_NODE_EVENT_WAKE_UP): self = .wokeUp
        case UInt32(HDHT_NODE_EVENT_STATE_DAMAGED):
            let isMalformed = status == Int32(HDHT_ERR_MALFORMED)
            self = .stateDamaged(DHTError(status: status, code: isMalformed ? .malformedState : nil))
        case UInt32(HDHT_NODE_EVENT_STATE_UNSAVED): self = .stateUnsaved(DHTError(status: status))
        default: return nil
        }
    }
}

extension DHT.Configuration {
    /// Lends the options for the duration of the call.
    fileprivate func withOptions<Result>(_ body: (UnsafePointer<hdht_node_options>) -> Result) -> Result {
        var options = hdht_node_options()
        hdht_node_options_init(&options, MemoryLayout.size(ofValue: options))
        options.address = (interface ?? NodeAddress(0, 0, 0, 0, port: 0)).cAddress
        options.address.port = 0
        if let publicHost { options.public_host = publicHost.cAddress }
        options.mode = cMode
        options.flags = isReachable ? UInt32(HDHT_NODE_REACHABLE) : 0
        applyPort(to: &options)
        return withBootstraps(&options) { options in
            knownNodes.map(\.cAddress).withUnsafeBufferPointer { nodes in
                options.nodes = nodes.baseAddress
                options.nodes_count = nodes.count
                guard let statePath else { return body(&options) }
                return statePath.withCString { path in
                    options.state_path = path
                    return body(&options)
                }
            }
        }
    }

    private var cMode: UInt32 {
        switch mode {
        case .adaptive: UInt32(HDHT_NODE_ADAPTIVE)
        case .ephemeral: UInt32(HDHT_NODE_EPHEMERAL)
        case .persistent: UInt32(HDHT_NODE_PERSISTENT)
        }
    }

    private func applyPort(to options: inout hdht_node_options) {
        switch port {
        case .standard: break
        case .any: options.flags |= UInt32(HDHT_NODE_ANY_PORT)
        case .preferred(let number): options.address.port = number
        case .exactly(let number):
            options.address.port = number
            options.ports_count = 1
            options.flags |= UInt32(HDHT_NODE_EXACT_PORT)
        }
    }

    private func withBootstraps<Result>(
        _ options: inout hdht_node_options, _ body: (inout hdht_node_options) -> Result
    ) -> Result {
        let entries: [String]
        switch bootstrap {
        case .publicNetwork: return body(&options)
        case .isolated: entries = []
        case .nodes(let nodes): entries = nodes
        }
        let texts: [UnsafePointer<CChar>?] = entries.map { entry in
            let copy = UnsafeMutableBufferPointer<CChar>.allocate(capacity: entry.utf8CString.count)
            _ = copy.initialize(from: entry.utf8CString)
            return UnsafePointer(copy.baseAddress)
        }
        defer { for text in texts { text?.deallocate() } }
        return texts.withUnsafeBufferPointer { texts in
            options.bootstraps = texts.baseAddress
            options.bootstraps_count = texts.count
            return body(&options)
        }
    }
}
