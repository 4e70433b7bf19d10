/// A moment on a clock that never goes backwards. Whoever drives a state machine says what time it is; nothing here asks.
package struct RelayInstant: InstantProtocol, Sendable {
    /// Since whenever the driver's clock began.
    package let elapsed: Duration

    package init(_ elapsed: Duration) {
        self.elapsed = elapsed
    }

    package func advanced(by duration: Duration) -> Self {
        Self(elapsed + duration)
    }

    package func duration(to other: Self) -> Duration {
        other.elapsed - elapsed
    }

    package static func < (left: Self, right: Self) -> Bool {
        left.elapsed < right.elapsed
    }
}
