/// Keeps both sides of a link sure that the other is alive: pings at an interval, and a failsafe that each ping or pong
/// received winds up again. Other messages do not count, as in the reference.
///
/// Unlike the reference's, the failsafe runs from the start, not from the first ping or pong. While this side does not read
/// the link it cannot hear anything, so the failsafe then stands still, and pings keep the other side's wound up.
struct Heartbeat {
    enum Event {
        case ping
        case silence
    }

    private let interval: Duration
    private let patience: Duration
    /// A client only answers, but for the time in which it does not read and so cannot.
    private let pingsAlways: Bool
    private var nextPing: RelayInstant?
    private var failsafe: RelayInstant?

    init(_ limits: RelayLimits, pingsAlways: Bool, at now: RelayInstant) {
        interval = limits.heartbeatInterval
        patience = limits.failsafeTimeout
        self.pingsAlways = pingsAlways
        nextPing = pingsAlways ? now.advanced(by: interval) : nil
        failsafe = now.advanced(by: patience)
    }

    /// When ``elapse(at:)`` has something to do.
    var deadline: RelayInstant? {
        earlier(nextPing, failsafe)
    }

    /// A ping or pong has come.
    mutating func heard(at now: RelayInstant) {
        guard failsafe != nil else { return }
        failsafe = now.advanced(by: patience)
    }

    /// The link is no longer read.
    mutating func readingPaused(at now: RelayInstant) {
        failsafe = nil
        nextPing = nextPing ?? now.advanced(by: interval)
    }

    /// The link is read again.
    mutating func readingResumed(at now: RelayInstant) {
        failsafe = now.advanced(by: patience)
        if !pingsAlways { nextPing = nil }
    }

    mutating func elapse(at now: RelayInstant) -> Event? {
        if let failsafe, failsafe <= now { return .silence }
        guard let nextPing, nextPing <= now else { return nil }
        self.nextPing = now.advanced(by: interval)
        return .ping
    }
}

/// The earlier of two moments, of which either may be never.
func earlier(_ left: RelayInstant?, _ right: RelayInstant?) -> RelayInstant? {
    guard let left, let right else { return left ?? right }
    return min(left, right)
}
