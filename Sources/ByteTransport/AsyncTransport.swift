internal import LoopRuntime

/// A pipe for async code of the same loop: reading waits for bytes, writing waits for room.
package final class AsyncTransport {
    /// How many pieces, or messages, wait for the reader before the pipe is told to stop reading.
    package static let waitingPieceCountMax = 16

    /// The pipe.
    package let transport: any ByteTransport

    private let incoming: LoopChannel<[UInt8]>
    private let room: LoopChannel<Void>
    private let ending: LoopChannel<CloseReason>
    private var reason: CloseReason?

    /// Takes over a pipe. It keeps this object alive until it has ended.
    package init(_ transport: any ByteTransport) {
        self.transport = transport
        let loop = transport.context.loop
        incoming = LoopChannel(on: loop, elementCountMax: Self.waitingPieceCountMax)
        room = LoopChannel(on: loop, elementCountMax: 1)
        ending = LoopChannel(on: loop, elementCountMax: 1)
        incoming.onRoom = { [unowned transport] in transport.resumeReading() }
        transport.delegate = Events(owner: self)
    }

    /// The next piece, or message; nil after the peer's end.
    ///
    /// - Throws: ``TransportError`` when the pipe broke.
    package func read(isolation: isolated (any Actor)? = #isolation) async throws -> [UInt8]? {
        try await incoming.next()
    }

    /// Writes, after waiting until the pipe is writable.
    ///
    /// - Throws: ``TransportError`` when the pipe has ended.
    package func write(_ bytes: [UInt8], isolation: isolated (any Actor)? = #isolation) async throws {
        while reason == nil, !transport.isWritable { _ = try await room.next() }
        if let reason { throw reason.asError }
        transport.write(bytes)
    }

    /// Says that nothing more will be written.
    package func finishWriting() {
        transport.finishWriting()
    }

    /// Ends the pipe in order, and waits for its end.
    @discardableResult
    package func close(
        _ notice: CloseNotice = .normal, isolation: isolated (any Actor)? = #isolation
    ) async -> CloseReason {
        transport.close(notice)
        return await waitUntilClosed()
    }

    /// Waits for the end, whoever brings it about. One waiter at a time; a cancelled one cuts the pipe.
    @discardableResult
    package func waitUntilClosed(isolation: isolated (any Actor)? = #isolation) async -> CloseReason {
        while reason == nil {
            do {
                _ = try await ending.next()
            } catch {
                transport.abort()
                return .closedLocally
            }
        }
        return reason ?? .closedLocally
    }

    fileprivate func ended(_ reason: CloseReason) {
        self.reason = reason
        if case .failed(let error) = reason { incoming.finish(throwing: error) } else { incoming.finish() }
        room.finish()
        ending.finish()
    }

    /// The delegate is an object of its own, so that its members are not this class's.
    private final class Events: ByteTransportDelegate {
        private let owner: AsyncTransport

        init(owner: AsyncTransport) {
            self.owner = owner
        }

        func received(_ bytes: UnsafeMutableRawBufferPointer) {
            if !owner.incoming.send(Array(bytes)) { owner.transport.pauseReading() }
        }

        func becameWritable() {
            owner.room.send(())
        }

        func readEnded() {
            owner.incoming.finish()
        }

        func closed(_ reason: CloseReason) {
            owner.ended(reason)
        }
    }
}

extension CloseReason {
    /// For whoever wanted to use the pipe after it had ended.
    package var asError: TransportError {
        switch self {
        case .failed(let error): error
        case .closedLocally, .closedByPeer: TransportError(.cancelled, "the connection is over: \(self)")
        }
    }
}
