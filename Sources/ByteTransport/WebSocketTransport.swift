internal import LoopRuntime

/// A WebSocket connection on any ordered pipe: each write is one binary message.
///
/// Made by ``WebSocketServerHandshake`` or ``WebSocketClientHandshake`` once both sides have agreed on it.
package final class WebSocketTransport: ByteTransport {
    /// Told of pongs, where somebody measures or watches the connection.
    package var onPong: ((UnsafeRawBufferPointer) -> Void)?

    package var delegate: (any ByteTransportDelegate)?
    package let preservesMessages = true

    /// The subprotocol both sides agreed on, if any.
    package let subprotocol: String?

    private let lower: any ByteTransport
    private let role: WebSocketStateMachine.Role
    private var machine: WebSocketStateMachine
    /// Set once the connection is ending: nothing is sent or told any more but that.
    private var reason: CloseReason?
    private var closeTimer: LoopTimer?
    /// The last ping that could not be answered because the peer does not read. Only the last needs an answer.
    private var owedPong: [UInt8]?

    /// Takes over a pipe behind its HTTP handshake.
    init(over lower: any ByteTransport, role: WebSocketStateMachine.Role, subprotocol: String?) {
        self.lower = lower
        self.role = role
        self.subprotocol = subprotocol
        machine = WebSocketStateMachine(role: role, messageByteCountMax: lower.context.limits.messageByteCountMax)
        lower.delegate = self
    }

    package var context: TransportContext {
        lower.context
    }

    /// The pipe underneath, for its addresses.
    package var underlying: any ByteTransport {
        lower
    }
}

// MARK: - Writing

extension WebSocketTransport {
    package var bufferedByteCount: Int {
        lower.bufferedByteCount
    }

    package func write(byteCount: Int, _ fill: (UnsafeMutableRawBufferPointer) -> Void) {
        guard reason == nil else { return }
        send(.binary, byteCount: byteCount, fill)
    }

    /// Asks the peer for a sign of life: a pong with the same bytes, at most 125.
    package func ping(_ payload: [UInt8] = []) {
        precondition(payload.count <= WebSocketFrame.controlByteCountMax)
        guard reason == nil else { return }
        payload.withUnsafeBytes { send(.ping, $0) }
    }

    private func send(_ opcode: WebSocketFrame.Opcode, _ payload: UnsafeRawBufferPointer) {
        send(opcode, byteCount: payload.count) { $0.copyMemory(from: payload) }
    }

    private func send(_ opcode: WebSocketFrame.Opcode, byteCount: Int, _ fill: (UnsafeMutableRawBufferPointer) -> Void)
    {
        let mask = role == .client ? context.masks.next() : nil
        let frame = WebSocketFrame(opcode: opcode, isFinal: true, payloadByteCount: byteCount, mask: mask)
        let headerByteCount = frame.headerByteCount
        lower.write(byteCount: headerByteCount + byteCount) { memory in
            frame.write(to: memory)
            let payload = UnsafeMutableRawBufferPointer(rebasing: memory[headerByteCount...])
            fill(payload)
            if let mask { WebSocketMask.apply(mask, offset: 0, to: payload) }
        }
    }

    private func sendClose(_ notice: CloseNotice?) {
        guard let notice, let code = notice.code else {
            return send(.close, UnsafeRawBufferPointer(start: nil, count: 0))
        }
        let payload = [UInt8(code >> 8), UInt8(code & 0xff)] + notice.reason.utf8
        payload.withUnsafeBytes { send(.close, $0) }
    }

    private func answerPing(_ payload: UnsafeRawBufferPointer) {
        guard reason == nil else { return }
        if lower.isWritable {
            send(.pong, payload)
        } else {
            owedPong = Array(payload)
        }
    }
}

// MARK: - Reading

extension WebSocketTransport: ByteTransportDelegate {
    package func pauseReading() {
        lower.pauseReading()
    }

    package func resumeReading() {
        guard reason == nil else { return }
        lower.resumeReading()
    }

    package func received(_ bytes: UnsafeMutableRawBufferPointer) {
        machine.feed(bytes)
        while handle(machine.next()) {}
    }

    /// False when the machine needs input.
    private func handle(_ event: WebSocketStateMachine.Event) -> Bool {
        switch event {
        case .needsInput: return false
        case .message(let message): if reason == nil { delegate?.received(message) }
        case .ping(let payload): answerPing(UnsafeRawBufferPointer(payload))
        case .pong(let payload): if reason == nil { onPong?(UnsafeRawBufferPointer(payload)) }
        case .close(let notice): peerCloses(notice)
        case .violation(let violation): fail(violation)
        }
        return true
    }

    package func becameWritable() {
        if let pong = owedPong.take() { pong.withUnsafeBytes { answerPing($0) } }
        if reason == nil { delegate?.becameWritable() }
    }

    package func readEnded() {
        if reason == nil {
            reason = .failed(TransportError(.truncated, "the connection ended without a close frame"))
        }
        lower.close()
    }

    package func closed(_ reason: CloseReason) {
        closeTimer = nil
        let delegate = delegate
        self.delegate = nil
        onPong = nil
        delegate?.closed(self.reason ?? reason)
    }
}

// MARK: - Ending

extension WebSocketTransport {
    /// There is no half of a WebSocket: this closes it.
    package func finishWriting() {
        close(.normal)
    }

    /// Sends a close frame and waits for the peer's.
    package func close(_ notice: CloseNotice) {
        guard reason == nil else { return }
        reason = .closedLocally
        sendClose(notice)
        lower.resumeReading()
        let timer = LoopTimer(on: context.loop) { [unowned self] in lower.abort() }
        timer.start(after: context.limits.closeTimeout)
        closeTimer = timer
    }

    package func abort() {
        if reason == nil { reason = .closedLocally }
        lower.abort()
    }

    /// Answers with the peer's own code, unless this is the answer to ours.
    private func peerCloses(_ notice: CloseNotice?) {
        if reason == nil {
            reason = .closedByPeer(notice)
            sendClose(notice.map { CloseNotice(code: $0.code) })
        }
        lower.close()
    }

    private func fail(_ violation: WebSocketViolation) {
        if reason == nil {
            let code: TransportError.Code = violation == .messageTooLarge ? .messageTooLarge : .protocolViolation
            reason = .failed(TransportError(code, violation.notice.reason))
            sendClose(violation.notice)
        }
        lower.close()
    }
}
