import Testing

@testable import RelayProtocol

@Suite("Identifiers") struct IdentifierTests {
    @Test("Numbers begin with 1 and count up") func sequence() {
        var identifiers = IdentifierAllocator()
        #expect((0..<3).map { _ in identifiers.allocate { _ in false } } == [1, 2, 3])
    }

    @Test("After the last number comes 1, never 0") func wrapping() {
        var identifiers = IdentifierAllocator(startingAt: .max - 1)
        #expect((0..<3).map { _ in identifiers.allocate { _ in false } } == [.max - 1, .max, 1])
        var zero = IdentifierAllocator(startingAt: 0)
        #expect(zero.allocate { _ in false } == 1)
    }

    @Test("Numbers in use are skipped") func skipping() {
        var identifiers = IdentifierAllocator(startingAt: .max)
        #expect(identifiers.allocate { $0 == .max || $0 < 4 } == 4)
    }
}

@Suite("Actions") struct ActionsTests {
    @Test("Actions come out in the order they went in", arguments: 0..<5) func order(count: Int) {
        var actions = Actions<Int>()
        for number in 0..<count { actions.append(number) }
        #expect(Array(actions) == Array(0..<count))
        #expect(actions.count == count)
        #expect(actions.isEmpty == (count == 0))
    }
}

@Suite("Deadlines") struct DeadlineTests {
    private func instant(_ seconds: Int) -> RelayInstant { RelayInstant(.seconds(seconds)) }

    @Test("The earliest deadline comes first, once") func order() {
        var deadlines = DeadlineQueue<String>()
        deadlines.set("late", to: instant(3))
        deadlines.set("early", to: instant(1))
        deadlines.set("moved", to: instant(2))
        deadlines.set("moved", to: instant(4))
        deadlines.set("gone", to: instant(2))
        deadlines.remove("gone")
        #expect(deadlines.next == instant(1))
        #expect(deadlines.takeDue(at: instant(0)) == nil)
        #expect(deadlines.takeDue(at: instant(9)) == "early")
        #expect(deadlines.takeDue(at: instant(9)) == "late")
        #expect(deadlines.takeDue(at: instant(3)) == nil)
        #expect(deadlines.takeDue(at: instant(4)) == "moved")
        #expect(deadlines.isEmpty)
        #expect(deadlines.next == nil)
    }

    @Test("It keeps what a plain table keeps", arguments: 1...20) func model(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var deadlines = DeadlineQueue<Int>()
        var model: [Int: RelayInstant] = [:]
        var now = 0
        for _ in 0..<2000 {
            let key = Int.random(in: 0..<40, using: &random)
            switch Int.random(in: 0..<4, using: &random) {
            case 0, 1:
                let when = instant(now + Int.random(in: 0..<50, using: &random))
                deadlines.set(key, to: when)
                model[key] = when
            case 2:
                deadlines.remove(key)
                model[key] = nil
            default:
                now += Int.random(in: 0..<10, using: &random)
                while let due = deadlines.takeDue(at: instant(now)) {
                    #expect(model.values.min() == model[due])
                    model[due] = nil
                }
                #expect(model.values.allSatisfy { $0 > instant(now) })
            }
            #expect(deadlines.next == model.values.min())
        }
    }
}

@Suite("Heartbeat") struct HeartbeatTests {
    private let limits = RelayLimits()
    private func instant(_ seconds: Int) -> RelayInstant { RelayInstant(.seconds(seconds)) }

    @Test("A relay pings every 15 seconds, from the start") func pings() {
        var heartbeat = Heartbeat(limits, pingsAlways: true, at: instant(0))
        #expect(heartbeat.deadline == instant(15))
        #expect(heartbeat.elapse(at: RelayInstant(.milliseconds(14_999))) == nil)
        #expect(heartbeat.elapse(at: instant(15)) == .ping)
        #expect(heartbeat.elapse(at: instant(15)) == nil)
        #expect(heartbeat.deadline == instant(30))
    }

    @Test("Without ping or pong for 45 seconds the link is dead, also before the first") func failsafe() {
        var heartbeat = Heartbeat(limits, pingsAlways: false, at: instant(0))
        #expect(heartbeat.deadline == instant(45))
        #expect(heartbeat.elapse(at: RelayInstant(.milliseconds(44_999))) == nil)
        heartbeat.heard(at: instant(44))
        #expect(heartbeat.elapse(at: instant(88)) == nil)
        #expect(heartbeat.elapse(at: instant(89)) == .silence)
    }

    @Test("Who does not read pings instead of listening") func paused() {
        var heartbeat = Heartbeat(limits, pingsAlways: false, at: instant(0))
        heartbeat.readingPaused(at: instant(10))
        #expect(heartbeat.elapse(at: instant(25)) == .ping)
        #expect(heartbeat.elapse(at: instant(1000)) == .ping)
        heartbeat.heard(at: instant(1001))
        heartbeat.readingResumed(at: instant(1002))
        #expect(heartbeat.deadline == instant(1047))
        #expect(heartbeat.elapse(at: instant(1047)) == .silence)
    }
}

@Suite("Stream state machine") struct StreamStateMachineTests {
    private let hello = DataChunks([[1, 2, 3]])

    @Test("What comes before open waits in order, and its end with it") func backlog() {
        var stream = StreamStateMachine.connecting
        guard case .hold(let first) = stream.outboundData(hello, room: 1000) else {
            Issue.record("not held")
            return
        }
        #expect(first >= 3)
        #expect(stream.outboundData(DataChunks([[4], []]), room: 1000) != .overflow)
        #expect(stream.backlogByteCount > first)
        #expect(stream.outboundEnd() == .hold)
        #expect(stream.outboundEnd() == .ignore)
        #expect(stream.outboundData(hello, room: 1000) == .afterEnd)
        let backlog = stream.opened()
        #expect(backlog?.chunks.map(\.arrays) == [[[1, 2, 3]], [[4], []]])
        #expect(backlog?.isEnded == true)
        #expect(stream.isOpen)
        #expect(stream.backlogByteCount == 0)
        #expect(stream.outboundData(hello, room: 0) == .afterEnd)
    }

    @Test("The backlog holds what there is room for and not a byte more") func backlogLimit() {
        var stream = StreamStateMachine.connecting
        guard case .hold(let size) = stream.outboundData(hello, room: 1000) else { return }
        #expect(stream.outboundData(hello, room: size - 1) == .overflow)
        #expect(stream.outboundData(hello, room: size) == .hold(byteCount: size))
    }

    @Test("Empty chunks take room too") func emptyChunks() {
        var stream = StreamStateMachine.connecting
        #expect(stream.outboundData(DataChunks(Array(repeating: [], count: 1000)), room: 4000) == .overflow)
    }

    @Test("Each direction ends on its own, and the second one finishes the stream") func ends() {
        var stream = StreamStateMachine.open
        #expect(stream.outboundEnd() == .pass)
        #expect(stream.outboundEnd() == .ignore)
        #expect(stream.inboundData() == .pass)
        #expect(stream.outboundData(hello, room: 0) == .afterEnd)
        #expect(stream.inboundEnd() == .passAndFinish)
        #expect(stream.inboundEnd() == .ignore)
        #expect(!stream.isOpen)

        var other = StreamStateMachine.open
        #expect(other.inboundEnd() == .pass)
        #expect(other.inboundData() == .afterEnd)
        #expect(other.outboundData(hello, room: 0) == .pass)
        #expect(other.outboundEnd() == .passAndFinish)
    }

    @Test("Nothing comes from a peer before the stream is open or after it is closed") func outsideOfOpen() {
        var stream = StreamStateMachine.connecting
        #expect(stream.inboundData() == .ignore)
        #expect(stream.inboundEnd() == .ignore)
        stream.close()
        #expect(stream.opened() == nil)
        #expect(stream.outboundData(hello, room: 1000) == .ignore)
        #expect(stream.outboundEnd() == .ignore)
        #expect(stream.inboundData() == .ignore)
        #expect(stream.inboundEnd() == .ignore)
    }
}

@Suite("Reading gate") struct ReadingGateTests {
    private var limits = RelayLimits()
    private let now = RelayInstant(.zero)

    init() {
        limits.untakenStreamByteCount = 100
        limits.untakenByteCount = 150
        limits.untakenByteCountUnderPressure = 10
    }

    @Test("One stream above its limit stops the link until it is at half of it") func stream() {
        var (gate, stream) = (ReadingGate(limits), UntakenBytes())
        gate.add(100, to: &stream, at: now)
        #expect(gate.change() == nil)
        gate.add(1, to: &stream, at: now)
        #expect(gate.change() == .pause)
        #expect(gate.change() == nil)
        gate.remove(50, from: &stream, at: now)
        #expect(gate.change() == nil)
        gate.remove(1, from: &stream, at: now)
        #expect(gate.change() == .resume)
    }

    @Test("Many streams together stop it too") func together() {
        var gate = ReadingGate(limits)
        var streams = [UntakenBytes(), UntakenBytes()]
        gate.add(75, to: &streams[0], at: now)
        gate.add(75, to: &streams[1], at: now)
        #expect(gate.change() == nil)
        gate.add(1, to: &streams[1], at: now)
        #expect(gate.change() == .pause)
        gate.forget(&streams[0])
        #expect(gate.change() == nil)
        gate.remove(1, from: &streams[1], at: now)
        #expect(gate.change() == .resume)
        #expect(gate.byteCount == 75)
    }

    @Test("Under pressure the limit is lower, and nobody can take more than there is") func pressure() {
        var (gate, stream) = (ReadingGate(limits), UntakenBytes())
        gate.add(11, to: &stream, at: now)
        gate.isUnderPressure = true
        #expect(gate.change() == .pause)
        gate.isUnderPressure = false
        #expect(gate.change() == .resume)
        gate.remove(1000, from: &stream, at: now)
        gate.remove(-5, from: &stream, at: now)
        #expect(gate.byteCount == 0)
    }

    @Test("A stream that goes takes its crowd along") func forgetting() {
        var (gate, stream) = (ReadingGate(limits), UntakenBytes())
        gate.add(500, to: &stream, at: now)
        #expect(gate.change() == .pause)
        gate.forget(&stream)
        #expect(gate.change() == .resume)
    }
}

@Suite("Link output") struct LinkOutputTests {
    private var limits = RelayLimits()

    init() {
        limits.unsentByteCount = 100
    }

    @Test("While the link takes everything, nobody is stopped") func flowing() {
        var output = LinkOutput<Int>(limits)
        #expect(output.sentData(1000, by: 1) == .nobody)
        output.sentOther(1000)
        #expect(output.byteCount == 0)
        #expect(!output.isOverrun)
    }

    @Test("Who produces while the link is blocked is stopped, once, and goes on when it drains") func blocked() {
        var output = LinkOutput<Int>(limits)
        output.block()
        #expect(output.sentData(60, by: 2) == .producer)
        #expect(output.stop(2) == true)
        #expect(output.sentData(40, by: 2) == .nobody)
        #expect(!output.isCrowded)
        #expect(output.sentData(1, by: 1) == .everyone)
        #expect(output.isCrowded)
        #expect(output.stop(2) == false)
        #expect(output.stop(1) == true)
        #expect(output.stop(3) == true)
        output.forget(3)
        #expect(output.drain() == [1, 2])
        #expect(output.byteCount == 0)
        #expect(output.drain() == [])
    }

    @Test("Too much that is not data means that nobody reads") func overrun() {
        var output = LinkOutput<Int>(limits)
        output.block()
        output.sentOther(100)
        _ = output.sentData(500, by: 1)
        #expect(!output.isOverrun)
        output.sentOther(1)
        #expect(output.isOverrun)
    }
}
