/// Isolation for async code that lives on a loop and holds objects confined to it.
package actor LoopActor {
    /// The loop it lives on.
    package nonisolated let loop: LoopExecutor

    /// The loop: entering this actor from a callback of the loop costs no hop.
    package nonisolated var unownedExecutor: UnownedSerialExecutor {
        loop.asUnownedSerialExecutor()
    }

    package init(on loop: LoopExecutor) {
        self.loop = loop
    }
}

extension LoopExecutor {
    /// Runs async code on the loop and waits for its result.
    ///
    /// The code stays on the loop's thread across every `await` of its own; calls from one actor of the loop to another hop nowhere.
    package func run<Result: Sendable>(
        _ body: @Sendable (isolated LoopActor) async throws -> Result
    ) async rethrows -> Result {
        let actor = LoopActor(on: self)
        return try await withTaskExecutorPreference(self) { try await body(actor) }
    }

    /// Starts a task on the loop.
    @discardableResult
    package func task<Result: Sendable>(
        _ body: @escaping @Sendable (isolated LoopActor) async throws -> Result
    ) -> Task<Result, any Error> {
        let actor = LoopActor(on: self)
        return Task(executorPreference: self) { try await body(actor) }
    }
}
