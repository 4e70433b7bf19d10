import LoopRuntime
import Testing

/// Counts calls and notes their order.
private actor Counter {
    nonisolated let loop: LoopExecutor
    nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }
    private(set) var count = 0

    init(on loop: LoopExecutor) {
        self.loop = loop
    }

    func increment() -> Bool {
        count += 1
        return loop.isCurrent
    }
}

/// Writes down what happens in which order.
private final class Journal: LoopTurnObserver {
    private let loop: LoopExecutor
    private var turnsToAskFor: Int
    private(set) var lines: [String] = []

    init(on loop: LoopExecutor, turnsToAskFor: Int = 1) {
        self.loop = loop
        self.turnsToAskFor = turnsToAskFor
    }

    func write(_ line: String) {
        lines.append(line)
    }

    func start() {
        write("asked")
        loop.endOfTurn(self)
    }

    func loopTurnEnds() {
        write("turn ends")
        turnsToAskFor -= 1
        if turnsToAskFor > 0 { loop.endOfTurn(self) }
    }
}

@Suite("Loop executor") struct LoopExecutorTests {
    @Test("Code that is run on a loop is on its thread, before and after each await") func thread() async {
        await withLoopThread { actor in
            #expect(actor.loop.isCurrent)
            await Task.yield()
            #expect(actor.loop.isCurrent)
            try? await Task.sleep(for: .milliseconds(1))
            #expect(actor.loop.isCurrent)
        }
    }

    @Test("The caller of a loop is not on its thread") func otherThread() async {
        let thread = LoopThread()
        #expect(!thread.executor.isCurrent)
        await thread.stop()
    }

    @Test("An actor of the loop runs on it, called from the loop and from elsewhere") func actors() async {
        let thread = LoopThread()
        let loop = thread.executor
        let counter = Counter(on: loop)
        #expect(await counter.increment())
        let wasOnLoop = await loop.run { _ in
            let wasOnLoop = await counter.increment()
            return wasOnLoop && loop.isCurrent
        }
        #expect(wasOnLoop)
        #expect(await counter.count == 2)
        await thread.stop()
    }

    @Test("A posted closure may enter an actor of the loop synchronously") func assumeIsolated() async {
        let thread = LoopThread()
        let counter = Counter(on: thread.executor)
        await withCheckedContinuation { continuation in
            thread.executor.execute {
                counter.assumeIsolated { _ = $0.increment() }
                continuation.resume()
            }
        }
        #expect(await counter.count == 1)
        await thread.stop()
    }

    @Test("A task of the loop goes on there after waiting for another executor") func hop() async throws {
        let thread = LoopThread()
        let loop = thread.executor
        let task = loop.task { _ in
            let sum = await Task.detached { (1...100).reduce(0, +) }.value
            return (sum, loop.isCurrent)
        }
        #expect(try await task.value == (5050, true))
        await thread.stop()
    }

    @Test("Closures run in the order in which a thread posted them") func order() async {
        let thread = LoopThread()
        let seen = Shared<[Int]>([])
        await withCheckedContinuation { continuation in
            for number in 0..<1000 {
                thread.executor.execute { seen.change { $0.append(number) } }
            }
            thread.executor.execute { continuation.resume() }
        }
        #expect(seen.value == Array(0..<1000))
        await thread.stop()
    }

    @Test("A closure posted on the loop runs later, not inside the call") func postedOnLoop() async {
        await withLoopThread { actor in
            let ran = Shared(false)
            await withCheckedContinuation { continuation in
                actor.loop.execute {
                    ran.value = true
                    continuation.resume()
                }
                #expect(!ran.value)
            }
            #expect(ran.value)
        }
    }

    @Test("Nothing is lost when many threads post at once") func manyThreads() async {
        let thread = LoopThread()
        let loop = thread.executor
        let count = Shared(0)
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    for _ in 0..<2000 {
                        await withCheckedContinuation { continuation in
                            loop.execute {
                                count.change { $0 += 1 }
                                continuation.resume()
                            }
                        }
                    }
                }
            }
        }
        #expect(count.value == 16000)
        await thread.stop()
    }

    @Test("The end of a turn comes after the turn's jobs") func endOfTurn() async {
        await withLoopThread { actor in
            let journal = LoopBound(Journal(on: actor.loop), to: actor.loop)
            await withCheckedContinuation { continuation in
                actor.loop.execute {
                    journal.value.start()
                    actor.loop.execute { journal.value.write("second job") }
                    journal.value.write("first job")
                    continuation.resume()
                }
            }
            await pause(.milliseconds(1), on: actor)
            #expect(journal.value.lines == ["asked", "first job", "second job", "turn ends"])
        }
    }

    @Test("An observer that asks again at the end of a turn is told again") func endOfTurnAgain() async {
        await withLoopThread { actor in
            let journal = Journal(on: actor.loop, turnsToAskFor: 3)
            journal.start()
            await pause(.milliseconds(1), on: actor)
            #expect(journal.lines == ["asked", "turn ends", "turn ends", "turn ends"])
        }
    }

    @Test("A task that never rests stops neither timers nor the end of turns") func fairness() async {
        await withLoopThread { actor in
            let loop = actor.loop
            let busy = loop.task { _ in
                while !Task.isCancelled { await Task.yield() }
            }
            let journal = Journal(on: loop)
            journal.start()
            await pause(.milliseconds(5), on: actor)
            #expect(journal.lines == ["asked", "turn ends"])
            busy.cancel()
            _ = try? await busy.value
        }
    }
}
