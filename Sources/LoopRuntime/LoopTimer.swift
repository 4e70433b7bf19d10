internal import CLibuv

/// A timer of a loop. Made, used and called on the loop's thread; giving it up stops it.
///
/// It ticks in milliseconds, never early by more than one and late when the loop is busy.
package final class LoopTimer {
    private let loop: LoopExecutor
    private let handle: UnsafeMutablePointer<uv_timer_t>
    private let action: () -> Void

    /// A timer that is not running yet.
    ///
    /// - Parameter action: What to do each time it fires. The timer may be started, stopped or given up in it.
    package init(on loop: LoopExecutor, _ action: @escaping () -> Void) {
        loop.preconditionIsCurrent()
        self.loop = loop
        self.action = action
        handle = .allocate(capacity: 1)
        uv_timer_init(loop.uvLoop, handle)
        handle.pointee.data = Unmanaged.passUnretained(self).toOpaque()
    }

    deinit {
        nonisolated(unsafe) let handle = handle  // its memory now belongs to whoever closes it
        if loop.isCurrent {
            Self.close(handle)
        } else {
            loop.execute { Self.close(handle) }
        }
    }

    /// Whether it will fire.
    package var isRunning: Bool {
        uv_is_active(Self.asHandle(handle)) != 0
    }

    /// Starts it, or starts it anew.
    ///
    /// - Parameters:
    ///   - delay: Until it fires first, from the beginning of the loop's turn; rounded up to a millisecond.
    ///   - interval: Between later firings, at least a millisecond, or nil for a single one.
    package func start(after delay: Duration, every interval: Duration? = nil) {
        loop.preconditionIsCurrent()
        uv_timer_start(
            handle,
            { handle in
                guard let data = handle?.pointee.data else { return }
                let timer = Unmanaged<LoopTimer>.fromOpaque(data).takeUnretainedValue()
                timer.action()
            }, delay.wholeMilliseconds, interval.map { max($0.wholeMilliseconds, 1) } ?? 0)
    }

    /// Stops it; it can be started again.
    package func stop() {
        loop.preconditionIsCurrent()
        uv_timer_stop(handle)
    }

    private static func close(_ handle: UnsafeMutablePointer<uv_timer_t>) {
        handle.pointee.data = nil
        uv_close(asHandle(handle)) { handle in
            handle?.withMemoryRebound(to: uv_timer_t.self, capacity: 1) { $0.deallocate() }
        }
    }

    private static func asHandle(_ handle: UnsafeMutablePointer<uv_timer_t>) -> UnsafeMutablePointer<uv_handle_t> {
        UnsafeMutableRawPointer(handle).assumingMemoryBound(to: uv_handle_t.self)
    }
}

extension Duration {
    /// Rounded up, so that no timer fires early; 0 for what is negative.
    fileprivate var wholeMilliseconds: UInt64 {
        guard self > .zero else { return 0 }
        let (seconds, attoseconds) = components
        let milliseconds = (attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000
        return UInt64(clamping: seconds.multipliedReportingOverflow(by: 1000).partialValue + milliseconds)
    }
}
