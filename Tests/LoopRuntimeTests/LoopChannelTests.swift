import Testing

@testable import LoopRuntime

private struct SomeError: Error {}

@Suite("Loop channel") struct LoopChannelTests {
    @Test("Elements come out in order, waited for or taken") func order() async throws {
        try await withLoopThread { actor async throws in
            let channel = LoopChannel<Int>(on: actor.loop, elementCountMax: 4)
            #expect(channel.take() == nil)
            for number in 1...3 { channel.send(number) }
            #expect(try await channel.next() == 1)
            #expect(channel.take() == 2)
            #expect(channel.count == 1)
            #expect(try await channel.next() == 3)
        }
    }

    @Test("A waiting reader is woken by the first element") func waiting() async throws {
        try await withLoopThread { actor async throws in
            let channel = LoopChannel<Int>(on: actor.loop, elementCountMax: 4)
            actor.loop.execute {
                for number in 1...3 { channel.send(number) }
            }
            #expect(try await channel.next() == 1)
            #expect(channel.take() == 2)
            #expect(channel.take() == 3)
        }
    }

    @Test("The sender learns when there is no room, and when half of it is free again") func room() async {
        await withLoopThread { actor in
            let channel = LoopChannel<Int>(on: actor.loop, elementCountMax: 4)
            var roomCount = 0
            channel.onRoom = { roomCount += 1 }
            #expect([1, 2, 3].map { channel.send($0) } == [true, true, true])
            #expect(channel.hasRoom)
            #expect(!channel.send(4))
            #expect(!channel.hasRoom)
            #expect(!channel.send(5))  // kept all the same
            #expect([channel.take(), channel.take()] == [1, 2])
            #expect(roomCount == 0)
            #expect(channel.take() == 3)
            #expect(roomCount == 1)
            #expect([channel.take(), channel.take()] == [4, 5])
            #expect(roomCount == 1)
        }
    }

    @Test("The end comes after what was sent before it, and stays") func finish() async throws {
        try await withLoopThread { actor async throws in
            let channel = LoopChannel<Int>(on: actor.loop, elementCountMax: 4)
            channel.send(1)
            channel.finish()
            #expect(!channel.send(2))
            #expect(try await channel.next() == 1)
            #expect(try await channel.next() == nil)
            #expect(try await channel.next() == nil)
        }
    }

    @Test("A failure is thrown after what was sent before it; a later end changes nothing") func failure() async throws
    {
        try await withLoopThread { actor async throws in
            let channel = LoopChannel<Int>(on: actor.loop, elementCountMax: 4)
            channel.send(1)
            channel.finish(throwing: SomeError())
            channel.finish()
            #expect(try await channel.next() == 1)
            await #expect(throws: SomeError.self) { try await channel.next() }
        }
    }

    @Test("A waiting reader learns of the end") func finishWhileWaiting() async throws {
        try await withLoopThread { actor async throws in
            let channel = LoopChannel<Int>(on: actor.loop, elementCountMax: 4)
            actor.loop.execute { channel.finish() }
            #expect(try await channel.next() == nil)
        }
    }

    @Test("A cancelled reader stops waiting and takes nothing with it") func cancellation() async throws {
        try await withLoopThread { actor async throws in
            let channel = LoopChannel<Int>(on: actor.loop, elementCountMax: 4)
            let reader = actor.loop.task { _ in try await channel.next() }
            await Task.yield()
            reader.cancel()
            await #expect(throws: CancellationError.self) { try await reader.value }
            channel.send(1)
            #expect(try await channel.next() == 1)
        }
    }

    @Test("A reader that is cancelled before it waits does not wait") func cancelledBefore() async throws {
        try await withLoopThread { actor async throws in
            let channel = LoopChannel<Int>(on: actor.loop, elementCountMax: 4)
            let reader = actor.loop.task { _ in try await channel.next() }
            reader.cancel()
            await #expect(throws: CancellationError.self) { try await reader.value }
        }
    }

    @Test("A ring keeps order while it wraps and grows") func ring() {
        var ring = RingBuffer<Int>()
        var expected: [Int] = []
        for number in 0..<1000 {
            ring.append(number)
            expected.append(number)
            if number % 3 == 0 { #expect(ring.popFirst() == expected.removeFirst()) }
            #expect(ring.count == expected.count)
        }
        while let number = ring.popFirst() { #expect(number == expected.removeFirst()) }
        #expect(expected.isEmpty)
    }
}
