/// What came over the link for one stream and was not yet taken by the one it is for.
struct UntakenBytes {
    fileprivate(set) var count = 0
    /// Whether it was too much and is not yet little again.
    fileprivate(set) var isCrowded = false
    /// When some was taken last, or, if none was, when the first came.
    fileprivate(set) var lastProgress: RelayInstant?

    /// Whether there are some, and none was taken for so long.
    func isStalled(for duration: Duration, at now: RelayInstant) -> Bool {
        guard count > 0, let lastProgress else { return false }
        return lastProgress.advanced(by: duration) <= now
    }
}

/// Decides when the link is not to be read, so that what one side sends and the other does not take stays bounded: for each
/// stream, for the whole link, and for the process.
///
/// The wire has no flow control for each stream, so the one that stalls stops them all. Reading goes on when half of what
/// stopped it was taken.
struct ReadingGate {
    enum Change: Equatable {
        case pause
        case resume
    }

    private let limits: RelayLimits
    /// Untaken bytes of all streams.
    private(set) var byteCount = 0
    private var crowdedCount = 0
    private(set) var isPaused = false
    /// Whether the process as a whole holds too much.
    var isUnderPressure = false

    init(_ limits: RelayLimits) {
        self.limits = limits
    }

    /// Bytes were passed on for a stream.
    mutating func add(_ count: Int, to stream: inout UntakenBytes, at now: RelayInstant) {
        if stream.count == 0 { stream.lastProgress = now }
        stream.count += count
        byteCount += count
        setCrowded(&stream)
    }

    /// The one the stream is for has taken bytes; at most what it was given.
    mutating func remove(_ count: Int, from stream: inout UntakenBytes, at now: RelayInstant) {
        let taken = max(0, min(count, stream.count))
        if taken > 0 { stream.lastProgress = now }
        stream.count -= taken
        byteCount -= taken
        setCrowded(&stream)
    }

    /// The stream is gone.
    mutating func forget(_ stream: inout UntakenBytes) {
        byteCount -= stream.count
        stream.count = 0
        setCrowded(&stream)
    }

    /// What to do with the link now, if it is something else than before.
    mutating func change() -> Change? {
        let shouldPause = isPaused ? mustStayPaused : mustPause
        guard shouldPause != isPaused else { return nil }
        isPaused = shouldPause
        return shouldPause ? .pause : .resume
    }

    private var limit: Int {
        isUnderPressure ? limits.untakenByteCountUnderPressure : limits.untakenByteCount
    }

    private var mustPause: Bool { crowdedCount > 0 || byteCount > limit }

    private var mustStayPaused: Bool { crowdedCount > 0 || byteCount > limit / 2 }

    private mutating func setCrowded(_ stream: inout UntakenBytes) {
        let limit = limits.untakenStreamByteCount
        let isCrowded = stream.isCrowded ? stream.count > limit / 2 : stream.count > limit
        guard isCrowded != stream.isCrowded else { return }
        stream.isCrowded = isCrowded
        crowdedCount += isCrowded ? 1 : -1
    }
}
