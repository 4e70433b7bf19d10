/// The life of one relayed stream, as both sides of the link have it.
///
/// ```
/// connecting ──opened──▶ open ──both directions ended──▶ finished
///     └──────── closed ◀──┴── closed
/// ```
///
/// Two directions: *outbound* goes from the client's user to the peer, *inbound* comes back. The relay gets outbound bytes
/// from the link and inbound ones from the peer; for the client it is the other way round. Each direction ends on its own.
/// Outbound bytes may come before the stream is open and wait for that.
struct StreamStateMachine {
    /// What came before the stream was open, to be passed on in this order.
    struct Backlog {
        fileprivate(set) var chunks: [DataChunks] = []
        fileprivate(set) var isEnded = false
        /// What it takes in memory, about.
        fileprivate(set) var byteCount = 0
    }

    enum DataVerdict: Equatable {
        case pass
        /// It was put into the backlog and takes so much there.
        case hold(byteCount: Int)
        /// The backlog has no room for it.
        case overflow
        /// The direction has ended before.
        case afterEnd
        /// The stream is no more.
        case ignore
    }

    enum EndVerdict: Equatable {
        case pass
        /// Pass it on, and that was the second direction: the stream is finished.
        case passAndFinish
        /// It follows the backlog when the stream opens.
        case hold
        /// It has ended before.
        case ignore
    }

    private enum State {
        case connecting(Backlog)
        case open(isOutboundEnded: Bool, isInboundEnded: Bool)
        case closed
    }

    /// Beyond its bytes, what a message takes while it waits.
    private static let overhead = 64

    private var state: State

    private init(_ state: State) {
        self.state = state
    }

    static var connecting: Self { Self(.connecting(Backlog())) }

    static var open: Self { Self(.open(isOutboundEnded: false, isInboundEnded: false)) }

    var isConnecting: Bool {
        if case .connecting = state { true } else { false }
    }

    var isOpen: Bool {
        if case .open = state { true } else { false }
    }

    /// Bytes that wait for the stream to open.
    var backlogByteCount: Int {
        if case .connecting(let backlog) = state { backlog.byteCount } else { 0 }
    }

    /// The stream is open.
    ///
    /// - Returns: What waited for it, or nil if the stream was not connecting.
    mutating func opened() -> Backlog? {
        guard case .connecting(let backlog) = state else { return nil }
        state = .open(isOutboundEnded: backlog.isEnded, isInboundEnded: false)
        return backlog
    }

    /// Neither side has anything more to say.
    mutating func close() {
        state = .closed
    }

    /// - Parameter room: How much may be put into the backlog.
    mutating func outboundData(_ chunks: DataChunks, room: Int) -> DataVerdict {
        switch state {
        case .connecting(var backlog):
            if backlog.isEnded { return .afterEnd }
            let byteCount = chunks.byteCount + Self.overhead + chunks.count * MemoryLayout<Int>.size
            guard byteCount <= room else { return .overflow }
            state = .closed  // lets the backlog be changed in place
            backlog.chunks.append(chunks.owned)
            backlog.byteCount += byteCount
            state = .connecting(backlog)
            return .hold(byteCount: byteCount)
        case .open(let isOutboundEnded, _):
            return isOutboundEnded ? .afterEnd : .pass
        case .closed:
            return .ignore
        }
    }

    mutating func outboundEnd() -> EndVerdict {
        switch state {
        case .connecting(var backlog):
            if backlog.isEnded { return .ignore }
            state = .closed
            backlog.isEnded = true
            state = .connecting(backlog)
            return .hold
        case .open(false, let isInboundEnded):
            state = isInboundEnded ? .closed : .open(isOutboundEnded: true, isInboundEnded: false)
            return isInboundEnded ? .passAndFinish : .pass
        case .open(true, _), .closed:
            return .ignore
        }
    }

    /// Nothing can come from the peer before the stream is open.
    func inboundData() -> DataVerdict {
        switch state {
        case .open(_, let isInboundEnded): isInboundEnded ? .afterEnd : .pass
        case .connecting, .closed: .ignore
        }
    }

    mutating func inboundEnd() -> EndVerdict {
        switch state {
        case .open(let isOutboundEnded, false):
            state = isOutboundEnded ? .closed : .open(isOutboundEnded: false, isInboundEnded: true)
            return isOutboundEnded ? .passAndFinish : .pass
        case .open(_, true), .connecting, .closed:
            return .ignore
        }
    }
}
