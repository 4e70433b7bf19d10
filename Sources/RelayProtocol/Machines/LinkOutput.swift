/// What was sent although the link had asked to wait, and who was told to stop because of it.
///
/// Who produces is stopped when it next produces while the link is blocked, so that idle streams cost nothing; when that
/// lets too much through, everybody is to be stopped.
struct LinkOutput<Producer: Hashable & Comparable> {
    enum Stop: Equatable {
        case nobody
        /// The one that has just produced.
        case producer
        /// Everyone that is not stopped yet.
        case everyone
    }

    private let limit: Int
    private(set) var isBlocked = false
    private var stopped: Set<Producer> = []
    private var hasStoppedEveryone = false
    private var dataByteCount = 0
    private var otherByteCount = 0

    init(_ limits: RelayLimits) {
        limit = limits.unsentByteCount
    }

    /// What was sent since the link is blocked.
    var byteCount: Int { dataByteCount + otherByteCount }

    /// Whether so much was sent, data not counted, that nobody can be reading.
    var isOverrun: Bool { otherByteCount > limit }

    /// Whether there is no room for what may as well be refused.
    var isCrowded: Bool { byteCount > limit }

    /// The link wants nothing more for now.
    mutating func block() {
        isBlocked = true
    }

    /// The link wants more again.
    ///
    /// - Returns: Who may go on, in order.
    mutating func drain() -> [Producer] {
        defer { stopped.removeAll() }
        (isBlocked, hasStoppedEveryone, dataByteCount, otherByteCount) = (false, false, 0, 0)
        return stopped.sorted()
    }

    mutating func sentOther(_ byteCount: Int) {
        if isBlocked { otherByteCount += byteCount }
    }

    mutating func sentData(_ byteCount: Int, by producer: Producer) -> Stop {
        guard isBlocked else { return .nobody }
        dataByteCount += byteCount
        if dataByteCount > limit, !hasStoppedEveryone {
            hasStoppedEveryone = true
            return .everyone
        }
        return stopped.contains(producer) ? .nobody : .producer
    }

    /// Remembers that the producer was told to stop.
    ///
    /// - Returns: Whether it was not stopped before.
    mutating func stop(_ producer: Producer) -> Bool {
        stopped.insert(producer).inserted
    }

    /// The producer is gone.
    mutating func forget(_ producer: Producer) {
        stopped.remove(producer)
    }
}
