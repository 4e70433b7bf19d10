package import LoopRuntime

/// What the pipes of one loop share: limits, and memory that each of them needs only for the moment of a callback. That is why
/// an idle connection holds no buffer.
package final class TransportContext {
    /// The loop all of them live on.
    package let loop: LoopExecutor

    /// What each of them may hold, and for how long.
    package let limits: TransportLimits

    /// Where a socket's bytes are read to; lent to one delegate after the other.
    let readBuffer = UnsafeMutableRawBufferPointer.allocate(byteCount: TransportLimits.readByteCountMax, alignment: 64)

    /// Where TLS puts what it has decrypted of `readBuffer`.
    let plaintextBuffer = UnsafeMutableRawBufferPointer.allocate(
        byteCount: TransportLimits.readByteCountMax, alignment: 64)

    /// Memory of pipes that have nothing to send, for those that have.
    let chunks = ChunkPool()

    /// Where clients get their masks from.
    var masks = WebSocketMaskSource()

    /// - Parameter loop: The loop of all pipes that are made with this context.
    package init(on loop: LoopExecutor, limits: TransportLimits = TransportLimits()) {
        precondition(limits.bufferedByteCountLow < limits.bufferedByteCountHigh)
        precondition(limits.bufferedByteCountHigh <= limits.bufferedByteCountMax)
        self.loop = loop
        self.limits = limits
    }

    /// Every connection whose handle is open.
    private var connections: [ObjectIdentifier: TCPTransport] = [:]
    private var listeners: [ObjectIdentifier: TCPListener] = [:]

    deinit {
        readBuffer.deallocate()
        plaintextBuffer.deallocate()
    }

    /// How many connections there are, those that are ending included.
    package var connectionCount: Int {
        connections.count
    }

    /// Closes every listener and cuts every connection, whoever owns it. The loop can be stopped then.
    package func abortEverything() {
        for listener in listeners.values { listener.close() }
        for connection in connections.values { connection.abort() }
    }

    func add(_ connection: TCPTransport) {
        connections[ObjectIdentifier(connection)] = connection
    }

    func remove(_ connection: TCPTransport) {
        connections[ObjectIdentifier(connection)] = nil
    }

    func add(_ listener: TCPListener) {
        listeners[ObjectIdentifier(listener)] = listener
    }

    func remove(_ listener: TCPListener) {
        listeners[ObjectIdentifier(listener)] = nil
    }
}
