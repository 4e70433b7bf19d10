internal import LoopRuntime

/// The way from any task to a node on its loop. Counts who is under way, so that the loop ends after the last of them, and
/// nobody is sent to a loop that has ended.
final class NodeConnection: Sendable {
    private struct Gate {
        var isOpen = true
        var userCount = 0
        var idleWaiter: CheckedContinuation<Void, Never>?
        var ending: Task<Void, Never>?
    }

    private let handle: NodeHandle
    private let thread: LoopThread?
    private let gate = Locked(Gate())

    /// - Parameter thread: The thread of the node's loop if it is to end with the node.
    init(handle: NodeHandle, thread: LoopThread?) {
        self.handle = handle
        self.thread = thread
    }

    /// Lends the node.
    func use<Result: Sendable>(
        _ body: @Sendable (NodeHandle) async throws(DHTError) -> Result
    ) async throws(DHTError) -> Result {
        guard enter() else { throw DHTError(.closed, "the node was closed") }
        defer { leave() }
        return try await body(handle)
    }

    /// Does something on the loop, later; nothing if the node was closed.
    func execute(_ body: @escaping @Sendable () -> Void) {
        guard enter() else { return }
        handle.loop.execute {
            body()
            self.leave()
        }
    }

    /// Closes the node and waits until it is gone.
    func close() async {
        await startEnding().value
    }

    /// Closes the node without waiting.
    func abandon() {
        _ = startEnding()
    }

    private func startEnding() -> Task<Void, Never> {
        gate.withLock { gate in
            if let ending = gate.ending { return ending }
            gate.isOpen = false
            let ending = Task.detached { await self.end() }
            gate.ending = ending
            return ending
        }
    }

    private func end() async {
        await handle.close()
        await withCheckedContinuation { continuation in
            let isIdle = gate.withLock { gate in
                if gate.userCount > 0 { gate.idleWaiter = continuation }
                return gate.userCount == 0
            }
            if isIdle { continuation.resume() }
        }
        await thread?.stop()
    }

    private func enter() -> Bool {
        gate.withLock { gate in
            if gate.isOpen { gate.userCount += 1 }
            return gate.isOpen
        }
    }

    private func leave() {
        let waiter: CheckedContinuation<Void, Never>? = gate.withLock { gate in
            gate.userCount -= 1
            guard gate.userCount == 0 else { return nil }
            defer { gate.idleWaiter = nil }
            return gate.idleWaiter
        }
        waiter?.resume()
    }
}
