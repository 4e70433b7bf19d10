/// Why a state machine closed its link, for logs and for the other side where the transport can tell it.
package enum CloseReason: Equatable, Sendable {
    /// A message that cannot be read.
    case malformedMessage(type: UInt32, RelayMessageError)
    /// A message above the limit.
    case messageTooLarge(byteCount: Int)
    /// A `data` message with more chunks than the limit.
    case tooManyChunks(count: Int)
    /// A message that only this side may send.
    case misdirectedMessage(type: UInt32)
    /// The other side gave something the number of something else that is alive.
    case identifierInUse(type: UInt32, number: UInt32)
    /// The first message did not come in time.
    case noHandshake
    /// Neither ping nor pong for too long.
    case silent
    /// The other side does not read what it asks for.
    case notReading
    /// This side is closing in order.
    case closing
}

extension CloseReason: CustomStringConvertible {
    package var description: String {
        switch self {
        case .malformedMessage(let type, .truncated): "malformed \(RelayMessage.name(ofType: type)): it ends too early"
        case .malformedMessage(let type, .tooManyElements):
            "malformed \(RelayMessage.name(ofType: type)): list too long"
        case .malformedMessage(_, .unknownType(let type)): "unknown message type \(type)"
        case .messageTooLarge(let byteCount): "message too large: \(byteCount) bytes"
        case .tooManyChunks(let count): "message with too many chunks: \(count)"
        case .misdirectedMessage(let type): "\(RelayMessage.name(ofType: type)) is for the other side to receive"
        case .identifierInUse(let type, let number): "\(RelayMessage.name(ofType: type)): number \(number) is in use"
        case .noHandshake: "no handshake in time"
        case .silent: "no sign of life in time"
        case .notReading: "messages are not read"
        case .closing: "closing"
        }
    }

    /// Whether the other side broke the protocol, rather than time having run out or this side having decided so.
    package var isViolation: Bool {
        switch self {
        case .malformedMessage, .messageTooLarge, .tooManyChunks, .misdirectedMessage, .identifierInUse: true
        case .noHandshake, .silent, .notReading, .closing: false
        }
    }
}
