import ByteTransport
import LoopRuntime
import Testing

/// Two ends in memory with a recorder on each.
private struct MemoryPair {
    let left: MemoryTransport
    let right: MemoryTransport
    let leftRecorder: Recorder
    let rightRecorder: Recorder

    init(context: TransportContext, preservesMessages: Bool = false) {
        (left, right) = MemoryTransport.makePair(context: context, preservesMessages: preservesMessages)
        leftRecorder = Recorder(on: context.loop)
        rightRecorder = Recorder(on: context.loop)
        left.delegate = leftRecorder
        right.delegate = rightRecorder
    }
}

@Suite("Memory transport", .timeLimit(.minutes(1))) struct MemoryTransportTests {
    @Test("Messages arrive whole and in order, empty ones too") func messages() async {
        await withTransports { context, actor in
            let pair = MemoryPair(context: context, preservesMessages: true)
            for message in [[1, 2], [], [3]] as [[UInt8]] { pair.left.write(message) }
            #expect(pair.rightRecorder.messages.isEmpty)  // never inside the call
            await pair.rightRecorder.wait { $0.messages.count == 3 }
            #expect(pair.rightRecorder.messages == [[1, 2], [], [3]])
            pair.left.abort()
        }
    }

    @Test("Bytes can be made to arrive in small pieces") func pieces() async {
        await withTransports { context, actor in
            let pair = MemoryPair(context: context)
            pair.right.pieceByteCountMax = 3
            pair.left.write(pattern(10))
            await pair.rightRecorder.wait { $0.bytes.count == 10 }
            #expect(pair.rightRecorder.bytes == pattern(10))
            #expect(pair.rightRecorder.messages.map(\.count) == [3, 3, 3, 1])
            pair.left.abort()
        }
    }

    @Test("Both ends may end their direction") func halfClose() async {
        await withTransports { context, actor in
            let pair = MemoryPair(context: context)
            pair.left.write([1])
            pair.left.finishWriting()
            await pair.rightRecorder.wait { $0.hasReadEnded }
            pair.right.write([2])
            pair.right.finishWriting()
            #expect(await pair.leftRecorder.waitUntilClosed() == .closedByPeer(nil))
            #expect(await pair.rightRecorder.waitUntilClosed() == .closedByPeer(nil))
            #expect(pair.leftRecorder.bytes == [2] && pair.rightRecorder.bytes == [1])
        }
    }

    @Test("Closing delivers what was written, then the notice") func close() async {
        await withTransports { context, actor in
            let pair = MemoryPair(context: context)
            pair.left.write([1])
            pair.left.close(.goingAway("bye"))
            #expect(await pair.rightRecorder.waitUntilClosed() == .closedByPeer(.goingAway("bye")))
            #expect(await pair.leftRecorder.waitUntilClosed() == .closedLocally)
            #expect(pair.rightRecorder.bytes == [1])
        }
    }

    @Test("Aborting loses what was written and tells the peer") func abort() async {
        await withTransports { context, actor in
            let pair = MemoryPair(context: context)
            pair.left.write([1])
            pair.left.abort()
            #expect(await pair.leftRecorder.waitUntilClosed() == .closedLocally)
            guard case .failed(let error) = await pair.rightRecorder.waitUntilClosed() else {
                Issue.record("the peer has not failed")
                return
            }
            #expect(error.code == .connectionReset)
            #expect(pair.rightRecorder.bytes.isEmpty)
        }
    }

    @Test("A paused end holds the other back, up to the limit") func backPressure() async {
        await withTransports { context, actor in
            let pair = MemoryPair(context: context)
            pair.right.pauseReading()
            while pair.left.isWritable { pair.left.write([UInt8](repeating: 1, count: 10000)) }
            let byteCount = pair.left.bufferedByteCount
            await pause(.milliseconds(2), on: actor)
            #expect(pair.rightRecorder.bytes.isEmpty && pair.leftRecorder.becameWritableCount == 0)
            pair.right.resumeReading()
            await pair.leftRecorder.wait { $0.becameWritableCount == 1 }
            #expect(pair.rightRecorder.bytes.count == byteCount)
            pair.right.pauseReading()
            for _ in 0..<200 { pair.left.write([UInt8](repeating: 1, count: 10000)) }
            guard case .failed(let error) = await pair.leftRecorder.waitUntilClosed() else {
                Issue.record("the writer has not failed")
                return
            }
            #expect(error.code == .writeQueueFull)
        }
    }

    @Test("An end whose peer reads nothing is cut after the time-out") func closeTimeout() async {
        var limits = TransportLimits()
        limits.closeTimeout = .milliseconds(20)
        await withTransports(limits: limits) { context, actor in
            let pair = MemoryPair(context: context)
            pair.right.pauseReading()
            pair.left.write([1])
            pair.left.close()
            #expect(await pair.leftRecorder.waitUntilClosed() == .closedLocally)
            _ = await pair.rightRecorder.waitUntilClosed()
        }
    }
}

@Suite("Async transport", .timeLimit(.minutes(1))) struct AsyncTransportTests {
    @Test("Reading waits for bytes, and ends with the peer") func reading() async throws {
        try await withTransports { context, actor async throws in
            let (left, right) = MemoryTransport.makePair(context: context, preservesMessages: true)
            let reader = AsyncTransport(left)
            let writer = AsyncTransport(right)
            try await writer.write([1])
            try await writer.write([2])
            #expect(try await reader.read() == [1])
            #expect(try await reader.read() == [2])
            writer.finishWriting()
            #expect(try await reader.read() == nil)
            #expect(await reader.close() == .closedLocally)
            #expect(try await writer.read() == nil)
            #expect(await writer.waitUntilClosed() == .closedByPeer(.normal))
            await #expect(throws: TransportError.self) { try await writer.write([3]) }
        }
    }

    @Test("A slow reader holds a fast writer back, and nothing is lost") func backPressure() async throws {
        try await withTransports { context, actor async throws in
            let (left, right) = MemoryTransport.makePair(context: context, preservesMessages: true)
            let reader = AsyncTransport(left)
            let boxed = LoopBound(AsyncTransport(right), to: actor.loop)
            let writing = actor.loop.task { _ in
                let writer = boxed.value
                var highest = 0
                for index in 0..<1000 {
                    try await writer.write(pattern(10000, seed: index))
                    highest = max(highest, writer.transport.bufferedByteCount)
                }
                writer.finishWriting()
                return highest
            }
            var count = 0
            while let message = try await reader.read() {
                expectSame(message, pattern(10000, seed: count))
                count += 1
                if count % 100 == 0 { await pause(.milliseconds(1), on: actor) }
            }
            #expect(count == 1000)
            #expect(try await writing.value < context.limits.bufferedByteCountHigh + 10000)
            await reader.close()
        }
    }

    @Test("A reader that is cancelled stops waiting; the pipe stays") func cancellation() async throws {
        try await withTransports { context, actor async throws in
            let (left, right) = MemoryTransport.makePair(context: context)
            let reader = LoopBound(AsyncTransport(left), to: actor.loop)
            let reading = actor.loop.task { _ in try await reader.value.read() }
            await pause(.milliseconds(1), on: actor)
            reading.cancel()
            await #expect(throws: CancellationError.self) { try await reading.value }
            right.write([1])
            #expect(try await reader.value.read() == [1])
            right.abort()
            await #expect(throws: TransportError.self) { try await reader.value.read() }
        }
    }
}
