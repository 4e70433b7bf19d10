internal import LoopRuntime

/// TLS on any pipe of bytes.
///
/// What is written gathers until the turn's end, or until a chunk is full, and is then encrypted in full records.
package final class TLSTransport: ByteTransport {
    package var delegate: (any ByteTransportDelegate)?
    package let preservesMessages = false

    private let lower: any ByteTransport
    private let isServer: Bool
    private var machine: TLSStateMachine?
    private var queue = OutgoingQueue()
    private var hasAskedForTurnEnd = false
    private var isOverHighMark = false
    private var isFinishing = false
    private var hasPeerEnded = false
    private var handshakeByteCount = 0
    /// Set once the pipe is ending: nobody is told anything but that any more.
    private var reason: CloseReason?

    /// The server's side, over a pipe that a client has opened.
    package static func server(over lower: any ByteTransport, _ context: TLSServerContext) -> TLSTransport {
        let transport = TLSTransport(over: lower, isServer: true)
        transport.machine = TLSStateMachine(server: context, output: transport)
        return transport
    }

    /// The client's side.
    ///
    /// - Parameter host: The name or address whose certificate the server must have.
    package static func client(over lower: any ByteTransport, _ context: TLSClientContext, host: String) -> TLSTransport
    {
        let transport = TLSTransport(over: lower, isServer: false)
        transport.machine = TLSStateMachine(client: context, host: host, output: transport)
        transport.advance()
        return transport
    }

    private init(over lower: any ByteTransport, isServer: Bool) {
        precondition(!lower.preservesMessages)
        self.lower = lower
        self.isServer = isServer
        lower.delegate = self
    }

    package var context: TransportContext {
        lower.context
    }

    /// The pipe underneath, for its addresses.
    package var underlying: any ByteTransport {
        lower
    }

    /// For example `TLSv1.3`, once the handshake is done.
    package var version: String? {
        machine?.isOpen == true ? machine?.version : nil
    }

    /// Whether an earlier session was taken up again.
    package var isResumed: Bool {
        machine?.isResumed ?? false
    }

    /// The application protocol both sides agreed on, `http/1.1` or none.
    package var applicationProtocol: String? {
        machine?.applicationProtocol
    }
}

// MARK: - Writing

extension TLSTransport: LoopTurnObserver, TLSOutput {
    package var bufferedByteCount: Int {
        queue.byteCount + lower.bufferedByteCount
    }

    package func write(byteCount: Int, _ fill: (UnsafeMutableRawBufferPointer) -> Void) {
        guard reason == nil, !isFinishing, byteCount > 0 else { return }
        guard bufferedByteCount < context.limits.bufferedByteCountMax else {
            return fail(TransportError(.writeQueueFull, "the peer does not read what is sent to it"))
        }
        queue.append(byteCount: byteCount, from: context.chunks, fill)
        if queue.byteCount >= Chunk.capacity { encrypt() }
        if !isWritable { isOverHighMark = true }
        askForTurnEnd()
    }

    package func finishWriting() {
        guard reason == nil else { return }
        isFinishing = true
        askForTurnEnd()
    }

    package func loopTurnEnds() {
        hasAskedForTurnEnd = false
        encrypt()
        noteDrained()
    }

    func send(_ ciphertext: UnsafeRawBufferPointer) {
        lower.write(ciphertext)
    }

    private func askForTurnEnd() {
        guard !hasAskedForTurnEnd, machine?.isOpen == true else { return }
        hasAskedForTurnEnd = true
        context.loop.endOfTurn(self)
    }

    private func encrypt() {
        guard machine?.isOpen == true else { return }
        do throws(TransportError) {
            for chunk in queue.chunks { try machine?.send(UnsafeRawBufferPointer(chunk.filled)) }
        } catch {
            fail(error)
        }
        queue.removeAll(to: context.chunks)
        guard isFinishing else { return }
        machine?.finish()
        if reason == nil { lower.finishWriting() } else { lower.close() }
    }

    private func noteDrained() {
        // When there still is too much after encryption, the pipe underneath has it and will tell.
        guard isOverHighMark, isWritable else { return }
        isOverHighMark = false
        if reason == nil, !isFinishing { delegate?.becameWritable() }
    }
}

// MARK: - Reading

extension TLSTransport: ByteTransportDelegate {
    package func pauseReading() {
        guard reason == nil else { return }
        lower.pauseReading()
    }

    package func resumeReading() {
        guard reason == nil else { return }
        lower.resumeReading()
    }

    package func received(_ bytes: UnsafeMutableRawBufferPointer) {
        guard reason == nil else { return }
        if machine?.isOpen == false {
            handshakeByteCount += bytes.count
            guard handshakeByteCount <= context.limits.tlsHandshakeByteCountMax else {
                return fail(TransportError(.tlsFailed, "the peer sends too much before TLS is established"))
            }
        }
        machine?.feed(UnsafeRawBufferPointer(bytes))
        advance()
    }

    /// Handles whatever the machine has to say, until it needs input.
    private func advance() {
        while true {
            switch machine?.next(into: context.plaintextBuffer) {
            case nil, .needsInput:
                return
            case .established:
                askForTurnEnd()
            case .plaintext(let count):
                guard reason == nil else { continue }
                delegate?.received(UnsafeMutableRawBufferPointer(rebasing: context.plaintextBuffer[0..<count]))
            case .ended:
                hasPeerEnded = true
                if reason == nil { delegate?.readEnded() }
            case .failed(let error):
                fail(error)
            }
        }
    }

    package func becameWritable() {
        noteDrained()
    }

    package func readEnded() {
        if hasPeerEnded {
            // In order: close when we have nothing more to say either.
            if isFinishing { lower.close() }
        } else {
            fail(TransportError(.truncated, "the peer ended the connection without ending TLS"))
        }
    }

    package func closed(_ reason: CloseReason) {
        queue.removeAll(to: context.chunks)
        let delegate = delegate
        self.delegate = nil
        delegate?.closed(self.reason ?? reason)
    }
}

// MARK: - Ending

extension TLSTransport {
    package func close(_ notice: CloseNotice) {
        guard reason == nil else { return }
        reason = hasPeerEnded ? .closedByPeer(nil) : .closedLocally
        isFinishing = true
        if machine?.isOpen == true {
            encrypt()
        } else {
            lower.abort()
        }
    }

    package func abort() {
        if reason == nil { reason = .closedLocally }
        lower.abort()
    }

    /// An alert that OpenSSL has written still leaves.
    private func fail(_ error: TransportError) {
        guard reason == nil else { return }
        reason = .failed(error)
        lower.close()
    }
}
