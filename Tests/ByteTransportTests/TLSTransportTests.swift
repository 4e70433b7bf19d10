import ByteTransport
import LoopRuntime
import Testing

/// Client and server ends of TLS on TCP over loopback.
private struct TLSPair {
    let tcp: TCPPair
    let server: TLSTransport
    let client: TLSTransport
    let serverRecorder: Recorder
    let clientRecorder: Recorder

    static func make(
        context: TransportContext, host: String = "localhost", isolation: isolated (any Actor)? = #isolation
    ) async throws -> TLSPair {
        let tcp = try await TCPPair.make(context: context)
        let server = TLSTransport.server(over: tcp.server, try TLSServerContext([Certificates.local]))
        let trusting = try TLSClientContext(trust: .certificates(Certificates.root))
        let client = TLSTransport.client(over: tcp.client, trusting, host: host)
        server.delegate = tcp.serverRecorder
        client.delegate = tcp.clientRecorder
        return TLSPair(
            tcp: tcp, server: server, client: client, serverRecorder: tcp.serverRecorder,
            clientRecorder: tcp.clientRecorder)
    }
}

@Suite("TLS transport", .timeLimit(.minutes(1))) struct TLSTransportTests {
    @Test("Bytes written before the handshake wait for it, and arrive in order") func echo() async throws {
        try await withTransports { context, actor async throws in
            let pair = try await TLSPair.make(context: context)
            pair.serverRecorder.onReceived = { pair.server.write(UnsafeRawBufferPointer($0)) }
            let sent = pattern(400_000)
            for start in stride(from: 0, to: sent.count, by: 1000) {
                pair.client.write(Array(sent[start..<start + 1000]))
            }
            #expect(pair.client.bufferedByteCount >= sent.count)
            await pair.clientRecorder.wait { $0.bytes.count >= sent.count }
            expectSame(pair.clientRecorder.bytes, sent)
            #expect(pair.client.version == "TLSv1.3" && pair.client.applicationProtocol == "http/1.1")
            #expect(pair.server.version == "TLSv1.3")
        }
    }

    @Test("Writes of one turn make one delivery") func coalescing() async throws {
        try await withTransports { context, actor async throws in
            let pair = try await TLSPair.make(context: context)
            for byte in 0..<100 { pair.client.write([UInt8(byte)]) }
            await pair.serverRecorder.wait { !$0.bytes.isEmpty }
            #expect(pair.serverRecorder.messages == [(0..<100).map { UInt8($0) }])
        }
    }

    @Test("Closing delivers what was written, and the peer knows that it is the end") func close() async throws {
        try await withTransports { context, actor async throws in
            let pair = try await TLSPair.make(context: context)
            pair.serverRecorder.onReadEnded = { pair.server.close() }
            pair.client.write([1])
            await pair.serverRecorder.wait { !$0.bytes.isEmpty }
            pair.client.write(pattern(500_000))
            pair.client.close()
            #expect(await pair.serverRecorder.waitUntilClosed() == .closedByPeer(nil))
            expectSame(pair.serverRecorder.bytes, [1] + pattern(500_000))
            #expect(await pair.clientRecorder.waitUntilClosed() == .closedLocally)
            #expect(context.connectionCount == 0)
        }
    }

    @Test("One direction may end before the other") func halfClose() async throws {
        try await withTransports { context, actor async throws in
            let pair = try await TLSPair.make(context: context)
            pair.client.write([1])
            pair.client.finishWriting()
            await pair.serverRecorder.wait { $0.hasReadEnded }
            #expect(pair.serverRecorder.bytes == [1])
            pair.server.write([2])
            pair.server.finishWriting()
            #expect(await pair.clientRecorder.waitUntilClosed() == .closedByPeer(nil))
            #expect(await pair.serverRecorder.waitUntilClosed() == .closedByPeer(nil))
            #expect(pair.clientRecorder.bytes == [2])
        }
    }

    @Test("A connection that is cut is not taken for one that has ended") func truncation() async throws {
        try await withTransports { context, actor async throws in
            let pair = try await TLSPair.make(context: context)
            pair.client.write([1])
            await pair.serverRecorder.wait { !$0.bytes.isEmpty }
            pair.tcp.client.finishWriting()
            guard case .failed(let error) = await pair.serverRecorder.waitUntilClosed() else {
                Issue.record("not failed")
                return
            }
            #expect(error.code == .truncated && !pair.serverRecorder.hasReadEnded)
        }
    }

    @Test("A wrong host fails on both sides, and nothing written is revealed") func wrongHost() async throws {
        try await withTransports { context, actor async throws in
            let pair = try await TLSPair.make(context: context, host: "other.example")
            pair.client.write([1])
            guard case .failed(let error) = await pair.clientRecorder.waitUntilClosed(),
                case .failed(let serverError) = await pair.serverRecorder.waitUntilClosed()
            else {
                Issue.record("not failed")
                return
            }
            #expect(error.code == .certificateRejected && serverError.code == .tlsFailed)
            #expect(pair.serverRecorder.bytes.isEmpty)
        }
    }

    @Test("Back-pressure goes through") func backPressure() async throws {
        try await withTransports { context, actor async throws in
            let pair = try await TLSPair.make(context: context)
            pair.server.write([1])
            await pair.clientRecorder.wait { !$0.bytes.isEmpty }
            pair.server.pauseReading()
            var sentByteCount = 0
            var ticks = 0
            while ticks < 5 {
                while pair.client.isWritable {
                    pair.client.write([UInt8](repeating: 1, count: 10000))
                    sentByteCount += 10000
                    ticks = 0
                }
                await pause(.milliseconds(2), on: actor)
                ticks += 1
            }
            let countBefore = pair.clientRecorder.becameWritableCount
            pair.serverRecorder.keepsBytes = false
            pair.server.resumeReading()
            await pair.clientRecorder.wait { $0.becameWritableCount > countBefore }
            await pair.serverRecorder.wait { $0.receivedByteCount == sentByteCount }
        }
    }

    @Test("Writing on and on before the handshake, or without a reader, is bounded") func writeQueueFull() async throws
    {
        try await withTransports { context, actor async throws in
            let pair = try await TLSPair.make(context: context)
            for _ in 0..<100 { pair.client.write([UInt8](repeating: 1, count: 50000)) }
            #expect(pair.client.bufferedByteCount < context.limits.bufferedByteCountMax + 100_000)
            guard case .failed(let error) = await pair.clientRecorder.waitUntilClosed() else {
                Issue.record("not failed")
                return
            }
            #expect(error.code == .writeQueueFull)
        }
    }

    @Test("A peer that floods the handshake is cut") func handshakeFlood() async throws {
        var limits = TransportLimits()
        limits.tlsHandshakeByteCountMax = 5000
        limits.closeTimeout = .milliseconds(50)
        try await withTransports(limits: limits) { context, actor async throws in
            let tcp = try await TCPPair.make(context: context)
            let server = TLSTransport.server(over: tcp.server, try TLSServerContext([Certificates.local]))
            server.delegate = tcp.serverRecorder
            // The beginning of a record that never ends.
            tcp.client.write([0x16, 3, 1, 0x40, 0] + [UInt8](repeating: 1, count: 5000))
            guard case .failed(let error) = await tcp.serverRecorder.waitUntilClosed() else {
                Issue.record("not failed")
                return
            }
            #expect(error.code == .tlsFailed)
        }
    }

    @Test("A pipe may be closed or cut while it is told something", arguments: [true, false])
    func closeInside(isAbort: Bool) async throws {
        try await withTransports { context, actor async throws in
            let pair = try await TLSPair.make(context: context)
            pair.serverRecorder.onReceived = { _ in
                pair.server.write([9])
                if isAbort { pair.server.abort() } else { pair.server.close() }
            }
            pair.clientRecorder.onReadEnded = { pair.client.close() }
            pair.client.write(pattern(100_000))
            #expect(await pair.serverRecorder.waitUntilClosed() == .closedLocally)
            #expect(pair.serverRecorder.messages.count == 1)
            _ = await pair.clientRecorder.waitUntilClosed()
            if !isAbort { #expect(pair.clientRecorder.bytes == [9]) }
        }
    }

    @Test("TLS works on a pipe that delivers single bytes") func bytewise() async throws {
        try await withTransports { context, actor async throws in
            let (left, right) = MemoryTransport.makePair(context: context)
            left.pieceByteCountMax = 1
            right.pieceByteCountMax = 1
            let server = TLSTransport.server(over: left, try TLSServerContext([Certificates.local]))
            let trusting = try TLSClientContext(trust: .certificates(Certificates.root))
            let client = TLSTransport.client(over: right, trusting, host: "localhost")
            let recorder = Recorder(on: actor.loop)
            server.delegate = recorder
            client.write(pattern(20000))
            await recorder.wait { $0.bytes.count == 20000 }
            expectSame(recorder.bytes, pattern(20000))
            client.abort()
        }
    }

    @Test("Several loops share their contexts, while certificates are reloaded") func sharedContexts() async throws {
        let serverContext = try TLSServerContext([Certificates.local])
        let clientContext = try TLSClientContext(trust: .certificates(Certificates.root))
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<3 {
                group.addTask { try await exchange(serverContext, clientContext, rounds: 10) }
            }
            group.addTask {
                for _ in 0..<10 { try serverContext.reload([Certificates.chained, Certificates.local]) }
            }
            try await group.waitForAll()
        }
    }

    private func exchange(_ serverContext: TLSServerContext, _ clientContext: TLSClientContext, rounds: Int)
        async throws
    {
        try await withTransports { context, actor async throws in
            for _ in 0..<rounds {
                let tcp = try await TCPPair.make(context: context)
                let server = TLSTransport.server(over: tcp.server, serverContext)
                let client = TLSTransport.client(over: tcp.client, clientContext, host: "localhost")
                server.delegate = tcp.serverRecorder
                client.delegate = tcp.clientRecorder
                server.write([1])
                client.write([2])
                await tcp.clientRecorder.wait { !$0.bytes.isEmpty }
                await tcp.serverRecorder.wait { !$0.bytes.isEmpty }
                client.abort()
            }
        }
    }
}
