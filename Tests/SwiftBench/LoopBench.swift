import LoopRuntime

/// What it costs to get work to a loop and elements to a reader on it.
enum LoopBench {
    static func run() async {
        await withLoopThread { actor in
            await postedClosures(on: actor)
            await continuations(on: actor)
            for batch in [1, 16, 256] {
                await channel(on: actor, batch: batch, isTaking: false)
                await channel(on: actor, batch: batch, isTaking: true)
            }
        }
        await hops()
    }

    private static func postedClosures(on actor: isolated LoopActor) async {
        let count = 1_000_000
        let start = ContinuousClock.now
        do {
            for _ in 0..<count / 1000 {
                for _ in 1..<1000 { actor.loop.execute {} }
                await withUnsafeContinuation { continuation in
                    actor.loop.execute { continuation.resume() }
                }
            }
        }
        report("closure posted on the loop", start.duration(to: .now), count)
    }

    private static func continuations(on actor: isolated LoopActor) async {
        let count = 300_000
        let start = ContinuousClock.now
        do {
            for _ in 0..<count {
                await withUnsafeContinuation { continuation in
                    actor.loop.execute { continuation.resume() }
                }
            }
        }
        report("continuation resumed on the loop", start.duration(to: .now), count)
    }

    private static func channel(on actor: isolated LoopActor, batch: Int, isTaking: Bool) async {
        let count = 1_000_000 / 256 * 256
        let channel = LoopChannel<Int>(on: actor.loop, elementCountMax: 1024)
        let source = LoopBound(Source(channel: channel, batch: batch, remaining: count), to: actor.loop)
        var sum = 0
        let start = ContinuousClock.now
        do {
            source.value.post(source)
            while let element = try? await channel.next() {
                sum &+= element
                guard isTaking else { continue }
                while let element = channel.take() { sum &+= element }
            }
        }
        precondition(sum == count)
        report("channel, \(batch) per wake-up\(isTaking ? ", taken at once" : "")", start.duration(to: .now), count)
    }

    private static func hops() async {
        let thread = LoopThread()
        let count = 100_000
        let actor = LoopActor(on: thread.executor)
        let start = ContinuousClock.now
        do {
            for _ in 0..<count { await actor.touch() }
        }
        report("from the global pool to the loop and back", start.duration(to: .now), count)
        await thread.stop()
    }
}

extension LoopActor {
    @inline(never)
    fileprivate func touch() {
        precondition(loop.isCurrent)
    }
}

/// Sends a batch in each round of jobs.
private final class Source {
    let channel: LoopChannel<Int>
    let batch: Int
    var remaining: Int

    init(channel: LoopChannel<Int>, batch: Int, remaining: Int) {
        self.channel = channel
        self.batch = batch
        self.remaining = remaining
    }

    func post(_ this: LoopBound<Source>) {
        channel.loop.execute {
            let source = this.value
            for _ in 0..<source.batch { source.channel.send(1) }
            source.remaining -= source.batch
            if source.remaining > 0 {
                source.post(this)
            } else {
                source.channel.finish()
            }
        }
    }
}

func report(_ name: String, _ time: Duration, _ count: Int) {
    let nanoseconds = time / .nanoseconds(count)
    print("\(name): \(Int(nanoseconds.rounded())) ns")
}
