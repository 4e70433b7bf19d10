import LoopRuntime
import Testing

/// Waits by a timer of the loop.
func pause(_ duration: Duration, on actor: isolated LoopActor) async {
    let channel = LoopChannel<Void>(on: actor.loop, elementCountMax: 1)
    let timer = LoopTimer(on: actor.loop) { channel.send(()) }
    timer.start(after: duration)
    _ = try? await channel.next()
    timer.stop()
}

@Suite("Loop timer") struct LoopTimerTests {
    @Test("Fires once, and not early") func once() async {
        await withLoopThread { actor in
            var count = 0
            let timer = LoopTimer(on: actor.loop) { count += 1 }
            let start = ContinuousClock.now
            timer.start(after: .milliseconds(20))
            #expect(timer.isRunning)
            while count == 0 { await pause(.milliseconds(1), on: actor) }
            #expect(start.duration(to: .now) >= .milliseconds(19))
            #expect(!timer.isRunning)
            await pause(.milliseconds(25), on: actor)
            #expect(count == 1)
        }
    }

    @Test("Fires again and again until it is stopped", .timeLimit(.minutes(1))) func repeating() async {
        await withLoopThread { actor in
            var count = 0
            let timer = LoopTimer(on: actor.loop) { count += 1 }
            timer.start(after: .milliseconds(1), every: .milliseconds(1))
            while count < 3 { await pause(.milliseconds(1), on: actor) }
            timer.stop()
            let countAtStop = count
            await pause(.milliseconds(5), on: actor)
            #expect(count == countAtStop)
        }
    }

    @Test("Starting it again replaces its deadline") func restart() async {
        await withLoopThread { actor in
            var count = 0
            let timer = LoopTimer(on: actor.loop) { count += 1 }
            timer.start(after: .milliseconds(1))
            timer.start(after: .seconds(3600))
            await pause(.milliseconds(5), on: actor)
            #expect(count == 0)
            #expect(timer.isRunning)
        }
    }

    @Test("A time that has passed fires in the next turn", arguments: [Duration.zero, .seconds(-5)], [1, 2])
    func past(delay: Duration, restarts: Int) async {
        await withLoopThread { actor in
            var count = 0
            let timer = LoopTimer(on: actor.loop) { count += 1 }
            for _ in 0..<restarts { timer.start(after: delay) }
            await pause(.milliseconds(2), on: actor)
            #expect(count == 1)
        }
    }

    @Test("A timer that was given up does not fire") func givenUp() async {
        await withLoopThread { actor in
            var count = 0
            do {
                let timer = LoopTimer(on: actor.loop) { count += 1 }
                timer.start(after: .milliseconds(1))
            }
            await pause(.milliseconds(5), on: actor)
            #expect(count == 0)
        }
    }

    @Test("A timer may be given up by its own action") func givenUpInside() async {
        await withLoopThread { actor in
            var timers: [LoopTimer] = []
            timers.append(LoopTimer(on: actor.loop) { timers.removeAll() })
            timers[0].start(after: .milliseconds(1), every: .milliseconds(1))
            await pause(.milliseconds(5), on: actor)
            #expect(timers.isEmpty)
        }
    }

    @Test("A timer may be given up on another thread") func givenUpElsewhere() async {
        let thread = LoopThread()
        let box = await thread.executor.run { actor in
            let timer = LoopTimer(on: actor.loop) { Issue.record("fired") }
            timer.start(after: .seconds(3600))
            return LoopBound(timer, to: actor.loop)
        }
        _ = consume box
        await thread.stop()
    }
}
