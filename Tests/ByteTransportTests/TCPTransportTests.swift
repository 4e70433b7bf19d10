import LoopRuntime
import Testing

@testable import ByteTransport

@Suite("TCP transport", .timeLimit(.minutes(1))) struct TCPTransportTests {
    @Test("Bytes arrive in order, both ways", arguments: [SocketAddress.Family.ipv4, .ipv6])
    func echo(family: SocketAddress.Family) async throws {
        try await withTransports { context, actor async throws in
            let pair = try await TCPPair.make(context: context, family: family)
            let sent = pattern(300_000)
            pair.serverRecorder.onReceived = { pair.server.write(UnsafeRawBufferPointer($0)) }
            for start in stride(from: 0, to: sent.count, by: 1000) {
                pair.client.write(Array(sent[start..<start + 1000]))
            }
            await pair.clientRecorder.wait { $0.bytes.count >= sent.count }
            expectSame(pair.clientRecorder.bytes, sent)
            #expect(pair.client.remoteAddress?.port == pair.server.localAddress?.port)
            #expect(pair.server.remoteAddress == pair.client.localAddress)
        }
    }

    @Test("Writes of one turn leave together") func coalescing() async throws {
        try await withTransports { context, actor async throws in
            let pair = try await TCPPair.make(context: context)
            for byte in 0..<100 { pair.client.write([UInt8(byte)]) }
            #expect(pair.client.bufferedByteCount == 100)
            await pair.serverRecorder.wait { !$0.bytes.isEmpty }
            #expect(pair.serverRecorder.messages.count == 1)
            #expect(pair.serverRecorder.bytes == (0..<100).map { UInt8($0) })
            #expect(pair.client.bufferedByteCount == 0)
        }
    }

    @Test("A half-closed connection still carries the other direction") func halfClose() async throws {
        try await withTransports { context, actor async throws in
            let pair = try await TCPPair.make(context: context)
            pair.client.write([1])
            pair.client.finishWriting()
            pair.client.write([2])  // too late
            await pair.serverRecorder.wait { $0.hasReadEnded }
            #expect(pair.serverRecorder.bytes == [1])
            pair.server.write([3])
            pair.server.finishWriting()
            #expect(await pair.clientRecorder.waitUntilClosed() == .closedByPeer(nil))
            #expect(pair.clientRecorder.bytes == [3] && pair.clientRecorder.hasReadEnded)
            #expect(await pair.serverRecorder.waitUntilClosed() == .closedByPeer(nil))
            #expect(context.connectionCount == 0)
        }
    }

    @Test("Closing delivers what was written first") func close() async throws {
        try await withTransports { context, actor async throws in
            let pair = try await TCPPair.make(context: context)
            pair.serverRecorder.onReadEnded = { pair.server.close() }
            let sent = pattern(900_000)
            pair.client.write(sent)
            pair.client.close()
            pair.client.write([1])
            #expect(await pair.clientRecorder.waitUntilClosed() == .closedLocally)
            #expect(await pair.serverRecorder.waitUntilClosed() == .closedByPeer(nil))
            expectSame(pair.serverRecorder.bytes, sent)
        }
    }

    @Test("Closing with unread bytes of the peer still delivers what was written") func closeWhileReceiving()
        async throws
    {
        try await withTransports { context, actor async throws in
            let pair = try await TCPPair.make(context: context)
            pair.serverRecorder.onReadEnded = { pair.server.close() }
            pair.client.pauseReading()
            pair.server.write(pattern(200_000))
            await pause(.milliseconds(20), on: actor)
            pair.client.write([7])
            pair.client.close()
            #expect(await pair.serverRecorder.waitUntilClosed() == .closedByPeer(nil))
            #expect(pair.serverRecorder.bytes == [7])
            #expect(await pair.clientRecorder.waitUntilClosed() == .closedLocally)
        }
    }

    @Test("A peer that does not end its side is cut after the time-out") func closeTimeout() async throws {
        var limits = TransportLimits()
        limits.closeTimeout = .milliseconds(50)
        try await withTransports(limits: limits) { context, actor async throws in
            let pair = try await TCPPair.make(context: context)
            pair.client.close()
            #expect(await pair.clientRecorder.waitUntilClosed() == .closedLocally)
            await pair.serverRecorder.wait { $0.hasReadEnded }
            #expect(pair.serverRecorder.closeReasons.isEmpty)
        }
    }

    @Test("Aborting cuts at once, and the peer learns of it") func abort() async throws {
        try await withTransports { context, actor async throws in
            let pair = try await TCPPair.make(context: context)
            pair.client.abort()
            #expect(pair.clientRecorder.closeReasons.isEmpty)  // later, never inside the call
            #expect(await pair.clientRecorder.waitUntilClosed() == .closedLocally)
            await pair.serverRecorder.wait { $0.hasReadEnded }
        }
    }

    @Test("Writing to a peer that is gone ends the pipe, and not the program") func gonePeer() async throws {
        try await withTransports { context, actor async throws in
            let pair = try await TCPPair.make(context: context)
            pair.server.pauseReading()  // so that only writing finds out
            pair.client.abort()
            _ = await pair.clientRecorder.waitUntilClosed()
            while pair.serverRecorder.closeReasons.isEmpty {
                pair.server.write([1])
                await pause(.milliseconds(1), on: actor)
            }
            guard case .failed(let error) = pair.serverRecorder.closeReasons[0] else {
                Issue.record("\(pair.serverRecorder.closeReasons)")
                return
            }
            #expect(error.code == .connectionReset)
        }
    }

    @Test("A paused reader gets no more, and all of it later") func pausedReading() async throws {
        try await withTransports { context, actor async throws in
            let pair = try await TCPPair.make(context: context)
            pair.serverRecorder.onReceived = { _ in pair.server.pauseReading() }
            let sent = pattern(900_000)
            pair.client.write(sent)
            await pair.serverRecorder.wait { !$0.bytes.isEmpty }
            await pause(.milliseconds(20), on: actor)
            #expect(pair.serverRecorder.bytes.count <= TransportLimits.readByteCountMax)
            pair.serverRecorder.onReceived = { _ in }
            pair.server.resumeReading()
            await pair.serverRecorder.wait { $0.bytes.count >= sent.count }
            expectSame(pair.serverRecorder.bytes, sent)
        }
    }

    @Test("A writer learns when to stop and when to go on") func backPressure() async throws {
        try await withTransports { context, actor async throws in
            let pair = try await TCPPair.make(context: context)
            pair.server.pauseReading()
            var sentByteCount = 0
            var ticks = 0
            // Until the operating system's buffers are full as well.
            while ticks < 5 {
                while pair.client.isWritable {
                    pair.client.write([UInt8](repeating: 1, count: 10000))
                    sentByteCount += 10000
                    ticks = 0
                }
                await pause(.milliseconds(2), on: actor)
                ticks += 1
            }
            #expect(pair.client.bufferedByteCount >= context.limits.bufferedByteCountHigh)
            #expect(pair.client.bufferedByteCount < context.limits.bufferedByteCountHigh + 10000)
            let countBefore = pair.clientRecorder.becameWritableCount
            pair.serverRecorder.keepsBytes = false
            pair.server.resumeReading()
            await pair.clientRecorder.wait { $0.becameWritableCount > countBefore }
            #expect(pair.client.bufferedByteCount <= context.limits.bufferedByteCountLow)
            await pair.serverRecorder.wait { $0.receivedByteCount == sentByteCount }
        }
    }

    @Test("A writer that does not stop is cut, with bounded memory") func writeQueueFull() async throws {
        try await withTransports { context, actor async throws in
            let pair = try await TCPPair.make(context: context)
            pair.server.pauseReading()
            while pair.clientRecorder.closeReasons.isEmpty {
                for _ in 0..<50 { pair.client.write([UInt8](repeating: 1, count: 50000)) }
                #expect(pair.client.bufferedByteCount < context.limits.bufferedByteCountMax + 50000)
                await pause(.milliseconds(1), on: actor)
            }
            guard case .failed(let error) = pair.clientRecorder.closeReasons[0] else {
                Issue.record("\(pair.clientRecorder.closeReasons)")
                return
            }
            #expect(error.code == .writeQueueFull)
        }
    }

    @Test("A pipe may be closed or cut by its delegate while it is told something", arguments: [true, false])
    func closeInside(isAbort: Bool) async throws {
        try await withTransports { context, actor async throws in
            let pair = try await TCPPair.make(context: context)
            pair.serverRecorder.onReceived = { _ in
                pair.server.write([9])
                if isAbort { pair.server.abort() } else { pair.server.close() }
                pair.server.write([9])
            }
            pair.clientRecorder.onReadEnded = { pair.client.close() }
            pair.client.write(pattern(200_000))
            #expect(await pair.serverRecorder.waitUntilClosed() == .closedLocally)
            #expect(pair.serverRecorder.messages.count == 1)
            if !isAbort {
                _ = await pair.clientRecorder.waitUntilClosed()
                #expect(pair.clientRecorder.bytes == [9])
            }
        }
    }

    @Test("Many connections at once keep their bytes apart") func many() async throws {
        try await withTransports { context, actor async throws in
            var pairs: [TCPPair] = []
            for _ in 0..<50 { pairs.append(try await TCPPair.make(context: context)) }
            for (index, pair) in pairs.enumerated() {
                pair.serverRecorder.onReceived = { pair.server.write(UnsafeRawBufferPointer($0)) }
                pair.client.write(pattern(5000, seed: index))
            }
            for (index, pair) in pairs.enumerated() {
                await pair.clientRecorder.wait { $0.bytes.count >= 5000 }
                expectSame(pair.clientRecorder.bytes, pattern(5000, seed: index))
            }
            #expect(context.connectionCount == 100)
        }
    }
}

@Suite("TCP listening and connecting", .timeLimit(.minutes(1))) struct TCPConnectTests {
    private func connectError(
        _ context: TransportContext, host: String, port: UInt16, isolation: isolated (any Actor)? = #isolation
    ) async throws -> TransportError? {
        let done = LoopChannel<Result<TCPTransport, TransportError>>(on: context.loop, elementCountMax: 1)
        TCPTransport.connect(context: context, host: host, port: port) { done.send($0) }
        switch try #require(try await done.next()) {
        case .success: return nil
        case .failure(let error): return error
        }
    }

    @Test("A used port says so") func usedPort() async throws {
        try await withTransports { context, actor async throws in
            let listener = try TCPListener(context: context, address: loopback()) { _ in }
            let error = #expect(throws: TransportError.self) {
                try TCPListener(context: context, address: listener.address) { _ in }
            }
            #expect(error?.code == .addressInUse)
            #expect(error?.message.contains("\(listener.address)") == true)
        }
    }

    @Test("An address that is not ours says so") func foreignAddress() async throws {
        try await withTransports { context, actor async throws in
            let address = try #require(SocketAddress(host: "192.0.2.1", port: 0))
            let error = #expect(throws: TransportError.self) {
                try TCPListener(context: context, address: address) { _ in }
            }
            #expect(error?.code == .addressNotAvailable)
        }
    }

    @Test("Listeners that share a port all get connections") func sharedPort() async throws {
        try await withTransports { context, actor async throws in
            var options = TCPListener.Options()
            options.sharesPort = true
            var counts = [0, 0]
            let first = try TCPListener(context: context, address: loopback(), options: options) { _ in counts[0] += 1 }
            _ = try TCPListener(context: context, address: first.address, options: options) { _ in counts[1] += 1 }
            for _ in 0..<64 { _ = try await connect(context: context, to: first.address) }
            while counts[0] + counts[1] < 64 { await pause(.milliseconds(1), on: actor) }
            #expect(counts[0] > 0 && counts[1] > 0)
        }
    }

    @Test("A listener on all addresses takes both kinds") func dualStack() async throws {
        try await withTransports { context, actor async throws in
            var addresses: [String] = []
            let listener = try TCPListener.onAllAddresses(context: context, port: 0) {
                addresses.append($0.remoteAddress?.host ?? "")
            }
            _ = try await connect(context: context, to: loopback(port: listener.address.port, family: .ipv6))
            _ = try await connect(context: context, to: loopback(port: listener.address.port))
            while addresses.count < 2 { await pause(.milliseconds(1), on: actor) }
            #expect(addresses == ["::1", "::ffff:127.0.0.1"])
        }
    }

    @Test("A paused listener lets connections wait") func pausedListener() async throws {
        try await withTransports { context, actor async throws in
            var count = 0
            let listener = try TCPListener(context: context, address: loopback()) { _ in count += 1 }
            listener.pauseAccepting()
            for _ in 0..<5 { _ = try await connect(context: context, to: listener.address) }
            await pause(.milliseconds(10), on: actor)
            #expect(count == 0)
            listener.resumeAccepting()
            while count < 5 { await pause(.milliseconds(1), on: actor) }
        }
    }

    @Test("A closed listener frees its port and keeps its connections") func closedListener() async throws {
        try await withTransports { context, actor async throws in
            let recorder = Recorder(on: actor.loop)
            let listener = try TCPListener(context: context, address: loopback()) { $0.delegate = recorder }
            let client = try await connect(context: context, to: listener.address)
            await pause(.milliseconds(5), on: actor)
            let closed = LoopChannel<Void>(on: actor.loop, elementCountMax: 1)
            listener.close { closed.send(()) }
            _ = try await closed.next()
            #expect(
                try await connectError(context, host: "127.0.0.1", port: listener.address.port)?.code
                    == .connectionRefused)
            client.write([1])
            await recorder.wait { $0.bytes == [1] }
        }
    }

    @Test("A name is looked up") func name() async throws {
        try await withTransports { context, actor async throws in
            let listener = try TCPListener.onAllAddresses(context: context, port: 0) { _ in }
            #expect(try await connectError(context, host: "localhost", port: listener.address.port) == nil)
        }
    }

    @Test("Whoever cannot be reached is named with the reason") func unreachable() async throws {
        try await withTransports { context, actor async throws in
            let listener = try TCPListener(context: context, address: loopback()) { _ in }
            let port = listener.address.port
            listener.close()
            await pause(.milliseconds(2), on: actor)
            let refused = try await connectError(context, host: "127.0.0.1", port: port)
            #expect(refused?.code == .connectionRefused)
            #expect(refused?.message.contains("127.0.0.1:\(port)") == true)
            let unknown = try await connectError(context, host: "no.such.host.invalid", port: 1)
            #expect(unknown?.code == .hostNotFound)
            #expect(try await connectError(context, host: "bad host\n", port: 1)?.code == .hostNotFound)
        }
    }

    @Test("A host that does not answer is given up in time") func timeout() async throws {
        var limits = TransportLimits()
        limits.connectTimeout = .milliseconds(50)
        try await withTransports(limits: limits) { context, actor async throws in
            // A listener whose backlog is full answers no further connection.
            var options = TCPListener.Options()
            options.backlog = 0
            let listener = try TCPListener(context: context, address: loopback(), options: options) { _ in }
            listener.pauseAccepting()
            var error: TransportError?
            for _ in 0..<10 where error == nil {
                error = try await connectError(context, host: "127.0.0.1", port: listener.address.port)
            }
            #expect(error?.code == .timedOut)
        }
    }

    @Test("Connecting can be given up") func cancel() async throws {
        try await withTransports { context, actor async throws in
            let listener = try TCPListener(context: context, address: loopback()) { _ in }
            var results: [TransportError.Code?] = []
            let cancel = TCPTransport.connect(context: context, host: "127.0.0.1", port: listener.address.port) {
                if case .failure(let error) = $0 { results.append(error.code) } else { results.append(nil) }
            }
            cancel()
            cancel()
            await pause(.milliseconds(20), on: actor)
            #expect(results == [.cancelled])
            #expect(context.connectionCount == 0)
        }
    }
}

@Suite("Order of connection attempts") struct InterleavingTests {
    @Test("Families take turns, the preferred one first") func interleaved() throws {
        func address(_ text: String) throws -> SocketAddress {
            try #require(SocketAddress(host: text, port: 1))
        }
        let addresses = try ["::1", "::2", "::3", "10.0.0.1", "10.0.0.2"].map(address)
        #expect(TCPConnector.interleaved(addresses).map(\.host) == ["::1", "10.0.0.1", "::2", "10.0.0.2", "::3"])
        #expect(
            TCPConnector.interleaved(addresses.reversed()).map(\.host) == ["10.0.0.2", "::3", "10.0.0.1", "::2", "::1"])
        #expect(TCPConnector.interleaved([]).isEmpty)
    }
}
