package import LoopRuntime

/// A node of the DHT: joins a network, answers others, and finds and stores things there.
///
///     try await DHT.withNode { dht in
///         for try await answer in dht.lookup(topic) {
///             print(answer.peers)
///         }
///     }
///
/// May be used from any task. A node that was closed answers every call with ``DHTError/Code/closed``.
public final class DHT: Sendable {
    /// Something that happened to the node.
    public enum Event: Sendable, Hashable {
        /// It serves others from now on.
        case becamePersistent
        /// It no longer serves others.
        case becameEphemeral
        /// What others say its address is has changed.
        case addressChanged
        /// Being online or degraded has changed, or the machine's network has.
        case networkChanged
        /// The process had not run for a while.
        case wokeUp
        /// The state file could not be used. One with wrong contents was renamed to end in `.damaged`.
        case stateDamaged(DHTError)
        /// The state file could not be written.
        case stateUnsaved(DHTError)
    }

    /// How the node is doing.
    public struct State: Sendable, Hashable {
        /// Bootstrapping is over.
        public let isReady: Bool
        /// It serves others.
        public let isPersistent: Bool
        /// There is no firewall in front of it, as far as it knows.
        public let isReachable: Bool
        /// It was suspended.
        public let isSuspended: Bool
        /// Others answer.
        public let isOnline: Bool
        /// Most requests go unanswered.
        public let isDegraded: Bool
        /// How many nodes it knows.
        public let knownNodeCount: Int
        /// Where it listens; nil while suspended.
        public let localAddress: NodeAddress?
        /// Where others reach it; nil unless they do.
        public let remoteAddress: NodeAddress?
    }

    let connection: NodeConnection

    /// What happens to the node. One task at a time may listen; the latest 64 events wait for it.
    public let events: AsyncStream<Event>

    private init(connection: NodeConnection, events: AsyncStream<Event>) {
        self.connection = connection
        self.events = events
    }

    /// Closes the node, should nobody have done so.
    deinit {
        connection.abandon()
    }

    /// Starts a node. It is usable at once, and finds its network meanwhile: see ``ready()``.
    ///
    /// - Throws: ``DHTError/Code/malformedAddress`` for an entry of the bootstrap list, ``DHTError/Code/addressInUse`` and other
    ///   errors of sockets.
    public static func start(configuration: Configuration = Configuration()) async throws(DHTError) -> DHT {
        let thread = LoopThread()
        do {
            return try await start(configuration: configuration, on: thread.executor, owning: thread)
        } catch {
            await thread.stop()
            throw error
        }
    }

    /// Starts a node on a loop that the caller runs, and on which nothing may be left open when it stops: close the node first.
    package static func start(
        configuration: Configuration, on loop: LoopExecutor
    ) async throws(DHTError) -> DHT {
        try await start(configuration: configuration, on: loop, owning: nil)
    }

    private static func start(
        configuration: Configuration, on loop: LoopExecutor, owning thread: LoopThread?
    ) async throws(DHTError) -> DHT {
        let (events, sink) = AsyncStream.makeStream(of: Event.self, bufferingPolicy: .bufferingNewest(64))
        let handle = NodeHandle(on: loop, events: sink)
        try await handle.open(configuration)
        return DHT(connection: NodeConnection(handle: handle, thread: thread), events: events)
    }

    /// Runs a node for as long as a piece of code needs it, and closes it then.
    ///
    /// - Parameter body: Is called when the node has found its network, or knows that nobody answers.
    public static func withNode<Result>(
        configuration: Configuration = Configuration(),
        isolation: isolated (any Actor)? = #isolation,
        _ body: (DHT) async throws -> Result
    ) async throws -> Result {
        let dht = try await start(configuration: configuration)
        do {
            try await dht.ready()
            let result = try await body(dht)
            await dht.close()
            return result
        } catch {
            await dht.close()
            throw error
        }
    }

    /// Returns when the node has found its network, or knows that nobody answers.
    public func ready() async throws(DHTError) {
        try await connection.use { (handle) async throws(DHTError) in try await handle.waitUntilReady() }
    }

    /// Ends all queries, remembers the network, and closes the node. Returns when that is done, however often it is called.
    public func close() async {
        await connection.close()
    }

    /// Closes the sockets until ``resume()``, for the time a device sleeps. Queries under way end with
    /// ``DHTError/Code/suspended``.
    public func suspend() async throws(DHTError) {
        try await connection.use { (handle) async throws(DHTError) in await handle.suspend() }
    }

    /// Opens the sockets again, on the same port if it is free.
    public func resume() async throws(DHTError) {
        try await connection.use { (handle) async throws(DHTError) in try await handle.resume() }
    }

    /// How the node is doing.
    public func state() async throws(DHTError) -> State {
        try await connection.use { (handle) async throws(DHTError) in try await handle.state() }
    }

    /// The nodes it knows, those heard of last first.
    public func knownNodes() async throws(DHTError) -> [NodeAddress] {
        try await connection.use { (handle) async throws(DHTError) in try await handle.knownNodes() }
    }
}
