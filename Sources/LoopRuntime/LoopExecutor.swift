package import CLibuv
internal import Synchronization

/// One libuv loop as a place where Swift code runs: an executor for actors and for tasks.
///
/// An actor whose `unownedExecutor` is this one lives on the loop's thread, so a C callback of the loop may enter it with
/// `assumeIsolated`. Start the tasks that work there with ``task(_:)`` or ``run(_:)``: without their executor preference, every
/// continuation would resume by way of the global pool.
///
/// A turn of the loop is: timers, the work they made, wait for sockets, their callbacks, the work those made. Work is jobs
/// (Swift's and posted closures), then the objects that asked for ``endOfTurn(_:)``; both repeat until nothing is left.
///
/// `@unchecked Sendable`: `inbox` is behind a mutex and `threadID` is atomic; everything else is touched on the loop's thread
/// only, or before it starts.
package final class LoopExecutor: SerialExecutor, TaskExecutor, @unchecked Sendable {
    /// How often one turn goes round for work that its own work has made, before it looks at the sockets again.
    static let roundsPerTurnMax = 64

    /// The loop, for C code that makes its own handles on it. Use it on the loop's thread only.
    package let uvLoop: UnsafeMutablePointer<uv_loop_t>

    private let handles: LoopHandles
    private let inbox = Locked(Inbox())
    private let threadID = Atomic<UInt>(0)

    /// Jobs that were made on the loop's own thread: they need neither lock nor wake-up.
    private var ownJobs: [LoopJob] = []
    /// Holds the jobs that are being run; kept to spare an allocation each turn.
    private var runningJobs: [LoopJob] = []
    private var turnObservers: [any LoopTurnObserver] = []

    init() {
        uvLoop = .allocate(capacity: 1)
        let status = uv_loop_init(uvLoop)
        precondition(status == 0, "a loop needs a few file descriptors: \(String(cString: uv_strerror(status)))")
        handles = LoopHandles(on: uvLoop)
    }

    deinit {
        uvLoop.deallocate()
    }

    /// Whether the caller runs on the loop's thread.
    package var isCurrent: Bool {
        hd_uv_thread_current() == threadID.load(ordering: .relaxed)
    }

    /// Stops the program when the caller is not on the loop's thread: a bug of ours, never of a peer.
    package func preconditionIsCurrent() {
        precondition(isCurrent, "loop-bound state was touched from another thread")
    }

    /// Milliseconds since an arbitrary start, as of the beginning of this turn.
    package var nowMilliseconds: UInt64 {
        uv_now(uvLoop)
    }

    /// Runs a closure on the loop, later: never inside this call, in the order of calls. May be called on any thread.
    package func execute(_ body: @escaping @Sendable () -> Void) {
        enqueue(.closure(body))
    }

    /// Calls `observer.loopTurnEnds()` once, after the callbacks and jobs of this turn and before the loop waits again.
    ///
    /// This is how writes of one turn are gathered into one system call. Asking twice is calling twice: the observer
    /// keeps its own note that it has asked.
    package func endOfTurn(_ observer: any LoopTurnObserver) {
        turnObservers.append(observer)
    }

    private func enqueue(_ job: LoopJob) {
        if isCurrent {
            ownJobs.append(job)
        } else {
            post(job)
        }
    }

    /// Wakes the loop only for the first job in the inbox. It does so under the lock, because the last thing the loop
    /// does under the lock is to declare its end, and afterwards there is nothing left to wake.
    private func post(_ job: LoopJob) {
        inbox.withLock { inbox in
            precondition(!inbox.hasEnded, "work was sent to a loop that has been stopped")
            inbox.jobs.append(job)
            if inbox.jobs.count == 1 { handles.wake() }
        }
    }
}

// MARK: - The executor of Swift's jobs

extension LoopExecutor {
    package func enqueue(_ job: consuming ExecutorJob) {
        enqueue(.task(UnownedJob(job)))
    }

    package func asUnownedSerialExecutor() -> UnownedSerialExecutor {
        UnownedSerialExecutor(ordinary: self)
    }

    package func asUnownedTaskExecutor() -> UnownedTaskExecutor {
        UnownedTaskExecutor(ordinary: self)
    }

    /// What `assumeIsolated` relies on inside a callback of the loop, where no Swift job is running.
    package func checkIsolated() {
        preconditionIsCurrent()
    }

    package func isIsolatingCurrentContext() -> Bool? {
        isCurrent
    }
}

// MARK: - A turn

extension LoopExecutor {
    /// Does all work there is. Called after the loop's timers and again after its sockets.
    private func goRound() {
        takeInbox()
        var rounds = 0
        repeat {
            runJobs()
            rounds += 1
            if ownJobs.isEmpty || rounds == Self.roundsPerTurnMax { tellTurnObservers() }
        } while hasWork && rounds < Self.roundsPerTurnMax
        handles.keepTurning(hasWork)
    }

    private var hasWork: Bool {
        !ownJobs.isEmpty || !turnObservers.isEmpty
    }

    private func takeInbox() {
        inbox.withLock { inbox in
            guard !inbox.jobs.isEmpty else { return }
            if ownJobs.isEmpty {
                swap(&ownJobs, &inbox.jobs)
            } else {
                ownJobs.append(contentsOf: inbox.jobs)
                inbox.jobs.removeAll(keepingCapacity: true)
            }
        }
    }

    private func runJobs() {
        swap(&ownJobs, &runningJobs)
        for job in runningJobs { run(job) }
        runningJobs.removeAll(keepingCapacity: true)
    }

    private func run(_ job: LoopJob) {
        switch job {
        case .task(let job):
            job.runSynchronously(isolatedTo: asUnownedSerialExecutor(), taskExecutor: asUnownedTaskExecutor())
        case .closure(let body):
            body()
        }
    }

    /// Observers that ask again while being told are told in the next round.
    private func tellTurnObservers() {
        guard !turnObservers.isEmpty else { return }
        var observers: [any LoopTurnObserver] = []
        swap(&observers, &turnObservers)
        for observer in observers { observer.loopTurnEnds() }
        guard turnObservers.isEmpty else { return }
        observers.removeAll(keepingCapacity: true)
        swap(&observers, &turnObservers)
    }
}

// MARK: - Start and end, called by LoopThread

extension LoopExecutor {
    /// Runs the loop on the calling thread until ``requestStop()`` and until nothing is left to do.
    func runUntilStopped() {
        hd_uv_thread_prepare("hyperdht loop")
        threadID.store(hd_uv_thread_current(), ordering: .relaxed)
        handles.observeTurns { [unowned self] in
            goRound()
            stopIfAsked()
        }
        repeat {
            uv_run(uvLoop, UV_RUN_DEFAULT)
            goRound()
        } while hasWork || uv_loop_alive(uvLoop) != 0 || !declareEnd()
        handles.close()
        uv_run(uvLoop, UV_RUN_DEFAULT)
        let status = uv_loop_close(uvLoop)
        precondition(status == 0, "a handle was made on a loop that was being stopped")
        threadID.store(0, ordering: .relaxed)
    }

    /// Asks the loop to end once its work is done. May be called on any thread, once.
    func requestStop() {
        inbox.withLock { inbox in
            precondition(!inbox.isStopping, "a loop is stopped once")
            inbox.isStopping = true
            handles.wake()
        }
    }

    /// From here on only what is still closing keeps the loop alive.
    private func stopIfAsked() {
        guard !hasWork, inbox.withLock({ $0.isStopping && $0.jobs.isEmpty }) else { return }
        let open = handles.othersOpen()
        precondition(
            open.isEmpty, "a loop is stopped after its handles; these are open: \(open.joined(separator: ", "))")
        handles.releaseLoop()
    }

    /// False when work came in meanwhile.
    private func declareEnd() -> Bool {
        inbox.withLock { inbox in
            inbox.hasEnded = inbox.isStopping && inbox.jobs.isEmpty
            return inbox.hasEnded
        }
    }
}

// MARK: - Parts

/// Something that gathers work during a turn and does it at the turn's end.
package protocol LoopTurnObserver: AnyObject {
    /// The turn ends. May ask for ``LoopExecutor/endOfTurn(_:)`` again, of the same turn.
    func loopTurnEnds()
}

private enum LoopJob {
    case task(UnownedJob)
    case closure(@Sendable () -> Void)
}

/// What other threads leave for the loop.
private struct Inbox {
    var jobs: [LoopJob] = []
    var isStopping = false
    var hasEnded = false
}
