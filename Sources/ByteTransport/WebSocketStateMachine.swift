/// What a WebSocket connection has received so far and what that means (RFC 6455, sections 5 to 7), without any input or output.
///
/// Feed it bytes, then ask for ``next()`` until it needs more; only then may it be fed again. A message that lies whole and unfragmented
/// in what was fed is unmasked there and lent from there; anything else is gathered.
struct WebSocketStateMachine: ~Copyable {
    /// Which end this is.
    enum Role {
        case client, server
    }

    /// The one thing to do next. Bytes are lent until the next call.
    enum Event {
        case needsInput
        case message(UnsafeMutableRawBufferPointer)
        /// Answer with a pong of the same bytes.
        case ping(UnsafeMutableRawBufferPointer)
        case pong(UnsafeMutableRawBufferPointer)
        /// The peer ends the connection. Unless we have ended it ourselves, answer with a close frame of the same code.
        case close(CloseNotice?)
        /// The peer broke the rules. Send its notice and end the connection.
        case violation(WebSocketViolation)
    }

    private enum State {
        /// Between frames, or inside a header of which the first bytes are in `header`.
        case header
        /// Inside a frame: so many bytes of its payload have come, and are gathered.
        case payload(WebSocketFrame, receivedByteCount: Int)
        /// A message was lent from `message`, which is given back next.
        case lentMessage
        /// A control frame was lent from `control`; likewise.
        case lentControl
        /// After a close frame or a violation nothing more is looked at.
        case ended
    }

    private let role: Role
    private let messageByteCountMax: Int
    private var state = State.header
    private var input = UnsafeMutableRawBufferPointer(start: nil, count: 0)
    private var header = ByteAccumulator()
    private var control = ByteAccumulator()
    /// The fragments so far of the message that is coming in, without those of the frame that is.
    private var message = ByteAccumulator()
    private var isInsideMessage = false

    /// - Parameter messageByteCountMax: A larger message is a violation, as soon as it shows.
    init(role: Role, messageByteCountMax: Int) {
        self.role = role
        self.messageByteCountMax = messageByteCountMax
    }

    /// Takes bytes that have arrived. They are changed in place and must stay until ``next()`` needs input.
    mutating func feed(_ bytes: UnsafeMutableRawBufferPointer) {
        precondition(input.isEmpty, "what was fed before has not been looked at")
        input = bytes
    }

    /// Looks at what was fed, as far as it takes to say something.
    mutating func next() -> Event {
        while true {
            switch state {
            case .ended:
                input = UnsafeMutableRawBufferPointer(start: nil, count: 0)
                return .needsInput
            case .lentMessage:
                message.removeAll()
                state = .header
            case .lentControl:
                control.removeAll()
                state = .header
            case .header:
                switch readHeader() {
                case .needsBytes: return .needsInput
                case .violation(let violation): return fail(violation)
                case .frame(let frame):
                    if let violation = check(frame) { return fail(violation) }
                    state = .payload(frame, receivedByteCount: 0)
                }
            case .payload(let frame, let receivedByteCount):
                guard let event = readPayload(of: frame, receivedByteCount) else { continue }
                return event
            }
        }
    }

    private mutating func fail(_ violation: WebSocketViolation) -> Event {
        state = .ended
        return .violation(violation)
    }

    private mutating func take(_ count: Int) -> UnsafeMutableRawBufferPointer {
        let taken = UnsafeMutableRawBufferPointer(rebasing: input[0..<count])
        input = UnsafeMutableRawBufferPointer(rebasing: input[count...])
        return taken
    }
}

// MARK: - Headers

extension WebSocketStateMachine {
    /// Reads a header out of the input, or gathers it when it comes in pieces.
    private mutating func readHeader() -> WebSocketFrame.ReadResult {
        if header.count == 0 {
            let result = WebSocketFrame.read(UnsafeRawBufferPointer(input))
            switch result {
            case .frame(let frame): _ = take(frame.headerByteCount)
            case .needsBytes:
                header.append(UnsafeRawBufferPointer(take(input.count)), expected: WebSocketFrame.headerByteCountMax)
            case .violation: break
            }
            return result
        }
        while true {
            let result = WebSocketFrame.read(UnsafeRawBufferPointer(header.bytes))
            guard case .needsBytes(let needed) = result, !input.isEmpty else {
                if case .frame = result { header.removeAll() }
                return result
            }
            let missing = min(needed - header.count, input.count)
            header.append(UnsafeRawBufferPointer(take(missing)), expected: WebSocketFrame.headerByteCountMax)
        }
    }

    /// What a frame must not be here and now.
    private func check(_ frame: WebSocketFrame) -> WebSocketViolation? {
        if role == .server, frame.mask == nil { return .missingMask }
        if role == .client, frame.mask != nil { return .unexpectedMask }
        switch frame.opcode {
        case .close, .ping, .pong: return nil
        case .text: return isInsideMessage ? .missingContinuation : .textMessage
        case .binary: if isInsideMessage { return .missingContinuation }
        case .continuation: if !isInsideMessage { return .unexpectedContinuation }
        }
        return frame.payloadByteCount > messageByteCountMax - message.count ? .messageTooLarge : nil
    }
}

// MARK: - Payloads

extension WebSocketStateMachine {
    /// Nil when the frame was read and there is nothing to say about it.
    private mutating func readPayload(of frame: WebSocketFrame, _ receivedByteCount: Int) -> Event? {
        let missing = frame.payloadByteCount - receivedByteCount
        let isWholeInInput = receivedByteCount == 0 && missing <= input.count
        if isWholeInInput, frame.opcode.isControl || (frame.isFinal && !isInsideMessage) {
            let payload = take(missing)
            unmask(payload, frame, offset: 0)
            state = .header
            return event(for: frame.opcode, payload)
        }
        return gatherPayload(of: frame, receivedByteCount, missing)
    }

    private mutating func gatherPayload(of frame: WebSocketFrame, _ receivedByteCount: Int, _ missing: Int) -> Event? {
        guard missing == 0 || !input.isEmpty else { return .needsInput }
        let piece = take(min(missing, input.count))
        unmask(piece, frame, offset: receivedByteCount)
        if frame.opcode.isControl {
            control.append(UnsafeRawBufferPointer(piece), expected: frame.payloadByteCount)
        } else {
            isInsideMessage = true
            message.append(UnsafeRawBufferPointer(piece), expected: message.count + missing)
        }
        guard piece.count == missing else {
            state = .payload(frame, receivedByteCount: receivedByteCount + piece.count)
            return .needsInput
        }
        return finish(frame)
    }

    private mutating func finish(_ frame: WebSocketFrame) -> Event? {
        if frame.opcode.isControl {
            state = .lentControl
            return event(for: frame.opcode, control.bytes)
        }
        guard frame.isFinal else {
            state = .header
            return nil
        }
        isInsideMessage = false
        state = .lentMessage
        return .message(message.bytes)
    }

    private func unmask(_ bytes: UnsafeMutableRawBufferPointer, _ frame: WebSocketFrame, offset: Int) {
        guard let mask = frame.mask else { return }
        WebSocketMask.apply(mask, offset: offset, to: bytes)
    }

    private mutating func event(for opcode: WebSocketFrame.Opcode, _ payload: UnsafeMutableRawBufferPointer) -> Event {
        switch opcode {
        case .ping:
            return .ping(payload)
        case .pong:
            return .pong(payload)
        case .close:
            state = .ended
            return Self.readClose(UnsafeRawBufferPointer(payload))
        case .binary, .text, .continuation:
            return .message(payload)
        }
    }

    /// A close frame's payload: nothing, or a code and a reason in UTF-8.
    private static func readClose(_ payload: UnsafeRawBufferPointer) -> Event {
        guard !payload.isEmpty else { return .close(nil) }
        guard payload.count >= 2 else { return .violation(.malformedClose) }
        let code = UInt16(bigEndian: payload.loadUnaligned(as: UInt16.self))
        guard WebSocketCloseCode.isAllowedOnWire(code) else { return .violation(.invalidCloseCode) }
        guard let reason = String(validating: payload.dropFirst(2), as: UTF8.self) else {
            return .violation(.invalidCloseReason)
        }
        return .close(CloseNotice(code: code, reason: reason))
    }
}
