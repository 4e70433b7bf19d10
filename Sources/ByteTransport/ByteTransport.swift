/// An ordered, two-way pipe of bytes or of whole messages, confined to one loop.
///
/// Pipes stack: TLS on TCP, WebSocket on either. A pipe is usable at once (what is written before a handshake is done waits for it) and
/// always ends in exactly one ``ByteTransportDelegate/closed(_:)``, which comes later, never from within a call of its owner.
/// It keeps itself alive until then. After ``close(_:)`` or ``abort()`` every other call does nothing.
///
/// All members are called on the loop's thread.
package protocol ByteTransport: AnyObject {
    /// What pipes of one loop share.
    var context: TransportContext { get }

    /// Who is told what happens. Kept until it was told `closed`, then let go.
    var delegate: (any ByteTransportDelegate)? { get set }

    /// Whether each write arrives as one `received` of the same bytes. If not, bytes may be split and joined on the way.
    var preservesMessages: Bool { get }

    /// Bytes that were written here and that the operating system has not taken yet.
    var bufferedByteCount: Int { get }

    /// Sends `byteCount` bytes, which `fill` puts where they go: the pipe's own memory, valid during the call only.
    ///
    /// Writes of one turn of the loop leave together at its end. A writer that goes on when ``isWritable`` is false will
    /// exceed ``TransportLimits/bufferedByteCountMax``, which closes the pipe with ``TransportError/Code/writeQueueFull``.
    func write(byteCount: Int, _ fill: (UnsafeMutableRawBufferPointer) -> Void)

    /// Stops `received`. What was already read still comes: at most ``TransportLimits/readByteCountMax`` bytes from the socket.
    func pauseReading()

    /// Goes on with `received`.
    func resumeReading()

    /// Says that nothing more will be written, and goes on reading. A pipe that cannot be half closed is closed instead.
    func finishWriting()

    /// Ends the pipe in order: what was written leaves, the peer is told the notice where the protocol can tell it. Nothing is received
    /// any more. When the peer does not play along, the pipe is cut after ``TransportLimits/closeTimeout``.
    func close(_ notice: CloseNotice)

    /// Cuts the pipe at once. What was written and has not left is lost.
    func abort()
}

/// Whoever owns a pipe. All calls come on the loop's thread; every other member of the pipe may be called from within.
package protocol ByteTransportDelegate: AnyObject {
    /// Bytes, or a message, arrived. They are lent until return and may be changed in place.
    func received(_ bytes: UnsafeMutableRawBufferPointer)

    /// After the pipe was not ``ByteTransport/isWritable``: it has room again.
    func becameWritable()

    /// The peer will send nothing more. It may still be written to, if it reads; close the pipe if that is not wanted.
    func readEnded()

    /// The pipe is gone. The last call.
    func closed(_ reason: CloseReason)
}

extension ByteTransport {
    /// Whether a writer that keeps the peace may write now. When not, ``ByteTransportDelegate/becameWritable()`` follows.
    package var isWritable: Bool {
        bufferedByteCount < context.limits.bufferedByteCountHigh
    }

    /// Sends a copy of the bytes.
    package func write(_ bytes: UnsafeRawBufferPointer) {
        write(byteCount: bytes.count) { $0.copyMemory(from: bytes) }
    }

    /// Sends a copy of the bytes.
    package func write(_ bytes: [UInt8]) {
        bytes.withUnsafeBytes { write($0) }
    }

    /// Ends the pipe in order and without anything to complain about.
    package func close() {
        close(.normal)
    }
}

/// What one side tells the other when it ends a pipe. Only WebSocket carries it; the codes are WebSocket's (RFC 6455, section 7.4).
package struct CloseNotice: Sendable, Hashable, CustomStringConvertible {
    /// How many bytes of UTF-8 a reason may have: a control frame without its code.
    package static let reasonByteCountMax = 123

    /// Why, for machines. Nil when the peer gave none.
    package let code: UInt16?

    /// Why, for people.
    package let reason: String

    /// - Parameter reason: Cut after the last whole character within ``reasonByteCountMax``.
    package init(code: UInt16?, reason: String = "") {
        self.code = code
        var reason = reason
        while reason.utf8.count > Self.reasonByteCountMax { reason.removeLast() }
        self.reason = reason
    }

    package static let normal = CloseNotice(code: WebSocketCloseCode.normal)

    /// The server stops or the page is left.
    package static func goingAway(_ reason: String) -> CloseNotice {
        CloseNotice(code: WebSocketCloseCode.goingAway, reason: reason)
    }

    /// The peer broke the rules of the protocol inside the pipe.
    package static func policyViolation(_ reason: String) -> CloseNotice {
        CloseNotice(code: WebSocketCloseCode.policyViolation, reason: reason)
    }

    /// We cannot go on for reasons of our own.
    package static func internalError(_ reason: String) -> CloseNotice {
        CloseNotice(code: WebSocketCloseCode.internalError, reason: reason)
    }

    /// Too busy; come back later.
    package static func tryAgainLater(_ reason: String) -> CloseNotice {
        CloseNotice(code: WebSocketCloseCode.tryAgainLater, reason: reason)
    }

    package var description: String {
        switch (code, reason.isEmpty) {
        case (nil, _): "no code"
        case (let code?, true): "\(code)"
        case (let code?, false): "\(code) \(reason)"
        }
    }
}

/// How a pipe ended.
package enum CloseReason: Sendable, Equatable, CustomStringConvertible {
    /// `close` or `abort` was called here.
    case closedLocally
    /// The peer ended it in order, with the notice it gave if it can give one.
    case closedByPeer(CloseNotice?)
    /// It broke.
    case failed(TransportError)

    package var description: String {
        switch self {
        case .closedLocally: "closed here"
        case .closedByPeer(nil): "closed by the peer"
        case .closedByPeer(let notice?): "closed by the peer: \(notice)"
        case .failed(let error): "\(error)"
        }
    }
}
