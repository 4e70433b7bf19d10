/// The answers to a lookup, as nodes give them.
///
/// Each iteration asks the network anew, from its first `next()` on, and stops asking when it is given up.
public struct LookupAnswers: AsyncSequence, Sendable {
    /// An answer of one node.
    public typealias Element = LookupAnswer

    /// Why the answers end early.
    public typealias Failure = DHTError

    let connection: NodeConnection
    let request: QueryRequest

    /// Starts from the beginning.
    public func makeAsyncIterator() -> Iterator {
        Iterator(connection: connection, request: request)
    }

    /// One walk through the network.
    public struct Iterator: AsyncIteratorProtocol {
        private let connection: NodeConnection
        private let request: QueryRequest
        private var reader: LookupReader?

        init(connection: NodeConnection, request: QueryRequest) {
            self.connection = connection
            self.request = request
        }

        /// The next answer, or nil when all nodes that are near enough were asked.
        ///
        /// - Throws: ``DHTError/Code/noNodes`` when nobody answered at all, ``DHTError/Code/cancelled`` when the task was, and
        ///   ``DHTError/Code/closed`` or ``DHTError/Code/suspended`` when the node was.
        public mutating func next(isolation: isolated (any Actor)? = #isolation) async throws(DHTError) -> LookupAnswer?
        {
            let reader = self.reader ?? LookupReader(connection: connection, request: request)
            self.reader = reader
            return try await reader.next()
        }
    }
}
