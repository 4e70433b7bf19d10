/// The header of a WebSocket frame (RFC 6455, section 5.2), and the codes of a close frame (section 7.4).
struct WebSocketFrame: Equatable {
    /// What a frame is.
    enum Opcode: UInt8 {
        case continuation = 0
        case text = 1
        case binary = 2
        case close = 8
        case ping = 9
        case pong = 10

        /// Control frames are short, whole, and may come between the fragments of a message.
        var isControl: Bool {
            rawValue >= 8
        }
    }

    /// Two bytes, eight of length, four of mask.
    static let headerByteCountMax = 14

    /// What a control frame may carry.
    static let controlByteCountMax = 125

    let opcode: Opcode
    /// Whether the message ends with this frame.
    let isFinal: Bool
    let payloadByteCount: Int
    /// Nil from a server. In memory order: its first byte is the mask of the payload's first byte.
    let mask: UInt32?

    var headerByteCount: Int {
        Self.headerByteCount(payloadByteCount: payloadByteCount, isMasked: mask != nil)
    }

    static func headerByteCount(payloadByteCount: Int, isMasked: Bool) -> Int {
        2 + (payloadByteCount < 126 ? 0 : payloadByteCount <= 0xffff ? 2 : 8) + (isMasked ? 4 : 0)
    }

    /// Writes the header to the beginning of `memory`, which has room for ``headerByteCount`` bytes.
    func write(to memory: UnsafeMutableRawBufferPointer) {
        let maskBit: UInt8 = mask == nil ? 0 : 0x80
        memory[0] = (isFinal ? 0x80 : 0) | opcode.rawValue
        switch payloadByteCount {
        case ..<126:
            memory[1] = maskBit | UInt8(payloadByteCount)
        case ...0xffff:
            memory[1] = maskBit | 126
            memory.storeBytes(of: UInt16(payloadByteCount).bigEndian, toByteOffset: 2, as: UInt16.self)
        default:
            memory[1] = maskBit | 127
            memory.storeBytes(of: UInt64(payloadByteCount).bigEndian, toByteOffset: 2, as: UInt64.self)
        }
        if let mask { memory.storeBytes(of: mask, toByteOffset: headerByteCount - 4, as: UInt32.self) }
    }
}

extension WebSocketFrame {
    /// What reading a header came to.
    enum ReadResult: Equatable {
        case frame(WebSocketFrame)
        /// So many bytes are needed in all, as far as can be told.
        case needsBytes(Int)
        case violation(WebSocketViolation)
    }

    /// Reads a header from the beginning of `bytes`, which may be shorter or longer than one.
    static func read(_ bytes: UnsafeRawBufferPointer) -> ReadResult {
        guard bytes.count >= 2 else { return .needsBytes(2) }
        let isMasked = bytes[1] & 0x80 != 0
        let shortLength = Int(bytes[1] & 0x7f)
        guard bytes[0] & 0x70 == 0 else { return .violation(.reservedBits) }
        guard let opcode = Opcode(rawValue: bytes[0] & 0x0f) else { return .violation(.unknownOpcode) }
        let isFinal = bytes[0] & 0x80 != 0
        if opcode.isControl {
            guard isFinal else { return .violation(.fragmentedControlFrame) }
            guard shortLength <= controlByteCountMax else { return .violation(.longControlFrame) }
        }
        let maskOffset = 2 + (shortLength < 126 ? 0 : shortLength == 126 ? 2 : 8)
        let headerByteCount = maskOffset + (isMasked ? 4 : 0)
        guard bytes.count >= headerByteCount else { return .needsBytes(headerByteCount) }

        guard let length = readLength(shortLength, bytes) else { return .violation(.malformedLength) }
        let mask = isMasked ? bytes.loadUnaligned(fromByteOffset: maskOffset, as: UInt32.self) : nil
        return .frame(WebSocketFrame(opcode: opcode, isFinal: isFinal, payloadByteCount: length, mask: mask))
    }

    /// Nil if the length is not in its shortest form or has its highest bit set, both of which the standard forbids.
    private static func readLength(_ shortLength: Int, _ bytes: UnsafeRawBufferPointer) -> Int? {
        switch shortLength {
        case 126:
            let length = UInt16(bigEndian: bytes.loadUnaligned(fromByteOffset: 2, as: UInt16.self))
            return length < 126 ? nil : Int(length)
        case 127:
            let length = UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 2, as: UInt64.self))
            return length <= 0xffff ? nil : Int(exactly: length)
        default:
            return shortLength
        }
    }
}

/// Why a connection ends, as both sides see it.
package enum WebSocketCloseCode {
    package static let normal: UInt16 = 1000
    package static let goingAway: UInt16 = 1001
    package static let protocolError: UInt16 = 1002
    package static let unsupportedData: UInt16 = 1003
    package static let invalidPayload: UInt16 = 1007
    package static let policyViolation: UInt16 = 1008
    package static let messageTooBig: UInt16 = 1009
    package static let internalError: UInt16 = 1011
    package static let tryAgainLater: UInt16 = 1013

    /// Whether the code may stand in a close frame. 1005, 1006 and 1015 never do: they are names for what did not happen there.
    static func isAllowedOnWire(_ code: UInt16) -> Bool {
        switch code {
        case 1000...1003, 1007...1014, 3000...4999: true
        default: false
        }
    }
}

/// How a peer broke the rules, and what to tell it.
package enum WebSocketViolation: Error, Sendable, Hashable {
    case reservedBits, unknownOpcode, malformedLength
    case fragmentedControlFrame, longControlFrame
    case missingMask, unexpectedMask
    case unexpectedContinuation, missingContinuation
    case malformedClose, invalidCloseCode, invalidCloseReason
    case textMessage
    case messageTooLarge

    package var notice: CloseNotice {
        CloseNotice(code: code, reason: reason)
    }

    private var code: UInt16 {
        switch self {
        case .invalidCloseReason: WebSocketCloseCode.invalidPayload
        case .textMessage: WebSocketCloseCode.unsupportedData
        case .messageTooLarge: WebSocketCloseCode.messageTooBig
        case .reservedBits, .unknownOpcode, .malformedLength, .fragmentedControlFrame, .longControlFrame, .missingMask,
            .unexpectedMask, .unexpectedContinuation, .missingContinuation, .malformedClose, .invalidCloseCode:
            WebSocketCloseCode.protocolError
        }
    }

    private var reason: String {
        switch self {
        case .reservedBits: "reserved bits are set though no extension was agreed on"
        case .unknownOpcode: "unknown opcode"
        case .malformedLength: "malformed length"
        case .fragmentedControlFrame: "a control frame is never fragmented"
        case .longControlFrame: "a control frame has at most 125 bytes"
        case .missingMask: "a client masks its frames"
        case .unexpectedMask: "a server does not mask its frames"
        case .unexpectedContinuation: "a continuation without a message"
        case .missingContinuation: "a new message inside a fragmented one"
        case .malformedClose: "malformed close frame"
        case .invalidCloseCode: "invalid close code"
        case .invalidCloseReason: "the close reason is not UTF-8"
        case .textMessage: "text is not accepted here; send binary messages"
        case .messageTooLarge: "the message is too large"
        }
    }
}
