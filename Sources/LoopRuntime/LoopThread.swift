internal import CLibuv

/// A thread that runs one loop, from `init` to ``stop()``.
package final class LoopThread: Sendable {
    /// The loop, as the executor of what lives on this thread.
    package let executor: LoopExecutor

    private let thread: ThreadState

    /// Starts a thread with a new loop.
    package init() {
        executor = LoopExecutor()
        thread = ThreadState(executor: executor)
        thread.start()
    }

    deinit {
        precondition(thread.hasEnded, "a LoopThread must be stopped before it is given up")
    }

    /// Ends the loop and joins the thread. Call it once, from anywhere but the loop itself.
    ///
    /// Jobs that are waiting still run, and handles that are closing finish closing. Before the call, every handle on the loop must
    /// have been asked to close; after it, nothing may be sent to the loop. Breaking either rule stops the program.
    package func stop() async {
        precondition(!executor.isCurrent, "a loop cannot wait for its own end")
        await withCheckedContinuation { continuation in
            thread.resumeAtEnd(continuation)
            executor.requestStop()
        }
        thread.join()
    }
}

/// Runs async code on a loop of its own, and ends the loop when the code is done.
///
/// - Parameter body: Must have asked every handle it made on the loop to close when it returns or throws.
package func withLoopThread<Result: Sendable>(
    _ body: @Sendable (isolated LoopActor) async throws -> Result
) async rethrows -> Result {
    let thread = LoopThread()
    do {
        let result = try await thread.executor.run(body)
        await thread.stop()
        return result
    } catch {
        await thread.stop()
        throw error
    }
}

/// The thread itself and how it tells of its end.
///
/// `@unchecked Sendable`: `thread` is written in `start` and read in `join`, which `LoopThread` calls in this order.
private final class ThreadState: @unchecked Sendable {
    private struct End {
        var continuation: CheckedContinuation<Void, Never>?
        var hasEnded = false
    }

    private let executor: LoopExecutor
    private let end = Locked(End())
    private var thread = hd_uv_thread()

    init(executor: LoopExecutor) {
        self.executor = executor
    }

    var hasEnded: Bool {
        end.withLock { $0.hasEnded }
    }

    func start() {
        let this = Unmanaged.passRetained(self).toOpaque()  // released by the thread as it ends
        let status = hd_uv_thread_start(
            &thread,
            { argument in
                guard let argument else { return }
                Unmanaged<ThreadState>.fromOpaque(argument).takeRetainedValue().run()
            }, this)
        precondition(status == 0, "the system gave no thread: \(String(cString: uv_strerror(status)))")
    }

    func resumeAtEnd(_ continuation: CheckedContinuation<Void, Never>) {
        end.withLock { $0.continuation = continuation }
    }

    func join() {
        hd_uv_thread_join(&thread)
    }

    private func run() {
        executor.runUntilStopped()
        let continuation = end.withLock { end in
            end.hasEnded = true
            return end.continuation
        }
        continuation?.resume()
    }
}
