internal import LoopRuntime

/// One end of a pipe inside the program: for tests, and for bytes that come from somewhere this module knows nothing of.
package final class MemoryTransport: ByteTransport {
    package let context: TransportContext
    package var delegate: (any ByteTransportDelegate)?
    package let preservesMessages: Bool

    /// Cuts what arrives here into pieces of at most so many bytes. Of a pipe of bytes only.
    package var pieceByteCountMax = Int.max {
        didSet { precondition(!preservesMessages && pieceByteCountMax > 0) }
    }

    package private(set) var bufferedByteCount = 0

    /// The other end, until the pipe has ended.
    private var peer: MemoryTransport?
    private var outgoing: [[UInt8]] = []
    private var isReadingPaused = false
    private var isFinishing = false
    private var hasFinished = false
    private var isOverHighMark = false
    private var hasAskedForTurnEnd = false
    private var notice: CloseNotice?
    private var reason: CloseReason?
    private var closeTimer: LoopTimer?

    /// Two ends of one pipe. Each keeps the other until the pipe has ended.
    ///
    /// - Parameter preservesMessages: Whether it is a pipe of messages.
    package static func makePair(
        context: TransportContext, preservesMessages: Bool = false
    ) -> (MemoryTransport, MemoryTransport) {
        let ends = (
            MemoryTransport(context: context, preservesMessages: preservesMessages),
            MemoryTransport(context: context, preservesMessages: preservesMessages)
        )
        ends.0.peer = ends.1
        ends.1.peer = ends.0
        return ends
    }

    private init(context: TransportContext, preservesMessages: Bool) {
        self.context = context
        self.preservesMessages = preservesMessages
    }

    package func write(byteCount: Int, _ fill: (UnsafeMutableRawBufferPointer) -> Void) {
        guard reason == nil, !isFinishing, byteCount > 0 || preservesMessages else { return }
        guard bufferedByteCount < context.limits.bufferedByteCountMax else {
            return cut(.failed(TransportError(.writeQueueFull, "the peer does not read what is sent to it")))
        }
        var bytes = [UInt8](repeating: 0, count: byteCount)
        bytes.withUnsafeMutableBytes(fill)
        outgoing.append(bytes)
        bufferedByteCount += byteCount
        if !isWritable { isOverHighMark = true }
        askForTurnEnd()
    }

    package func pauseReading() {
        isReadingPaused = true
    }

    package func resumeReading() {
        isReadingPaused = false
        peer?.askForTurnEnd()
    }

    package func finishWriting() {
        isFinishing = true
        askForTurnEnd()
    }

    package func close(_ notice: CloseNotice) {
        guard reason == nil else { return }
        reason = .closedLocally
        self.notice = notice
        isFinishing = true
        isReadingPaused = false
        askForTurnEnd()
        let timer = LoopTimer(on: context.loop) { [unowned self] in cut(.closedLocally) }
        timer.start(after: context.limits.closeTimeout)
        closeTimer = timer
    }

    package func abort() {
        cut(.closedLocally)
    }
}

// MARK: - Delivery, in a later part of the turn

extension MemoryTransport: LoopTurnObserver {
    package func loopTurnEnds() {
        hasAskedForTurnEnd = false
        while let peer, !peer.isReadingPaused, !outgoing.isEmpty { deliver(outgoing.removeFirst(), to: peer) }
        if isOverHighMark, bufferedByteCount <= context.limits.bufferedByteCountLow {
            isOverHighMark = false
            if reason == nil { delegate?.becameWritable() }
        }
        guard let peer, isFinishing, outgoing.isEmpty else { return }
        if reason != nil {
            peer.end(.closedByPeer(notice))
            end(.closedLocally)
        } else if !hasFinished {
            hasFinished = true
            if peer.reason == nil { peer.delegate?.readEnded() }
            endIfBothFinished()
        }
    }

    private func deliver(_ bytes: [UInt8], to peer: MemoryTransport) {
        var bytes = bytes
        bufferedByteCount -= bytes.count
        bytes.withUnsafeMutableBytes { bytes in
            var start = 0
            repeat {
                let end = bytes.count - start > peer.pieceByteCountMax ? start + peer.pieceByteCountMax : bytes.count
                guard peer.reason == nil else { return }
                peer.delegate?.received(UnsafeMutableRawBufferPointer(rebasing: bytes[start..<end]))
                start = end
            } while start < bytes.count
        }
    }

    private func endIfBothFinished() {
        guard let peer, hasFinished, peer.hasFinished else { return }
        peer.end(.closedByPeer(nil))
        end(.closedByPeer(nil))
    }

    /// Ends both ends at once, in the loop's next round.
    private func cut(_ reason: CloseReason) {
        guard let peer else { return }
        if self.reason == nil { self.reason = reason }
        outgoing = []
        let ends = LoopBound((self, peer), to: context.loop)
        context.loop.execute {
            let (this, peer) = ends.value
            peer.end(.failed(TransportError(.connectionReset, "the other end was cut")))
            this.end(reason)
        }
    }

    /// Tells the end, once.
    private func end(_ reason: CloseReason) {
        guard peer != nil else { return }
        if self.reason == nil { self.reason = reason }
        peer = nil
        closeTimer = nil
        outgoing = []
        bufferedByteCount = 0
        let delegate = delegate
        self.delegate = nil
        delegate?.closed(self.reason ?? reason)
    }

    private func askForTurnEnd() {
        guard !hasAskedForTurnEnd else { return }
        hasAskedForTurnEnd = true
        context.loop.endOfTurn(self)
    }
}
