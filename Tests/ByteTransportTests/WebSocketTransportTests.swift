import LoopRuntime
import Testing

@testable import ByteTransport

/// Client and server ends of a WebSocket over a pipe in memory.
private struct WebSocketPair {
    let server: WebSocketTransport
    let client: WebSocketTransport
    let serverRecorder: Recorder
    let clientRecorder: Recorder

    static func make(
        context: TransportContext, pieceByteCountMax: Int = Int.max, isolation: isolated (any Actor)? = #isolation
    ) async throws -> WebSocketPair {
        let (left, right) = MemoryTransport.makePair(context: context)
        left.pieceByteCountMax = pieceByteCountMax
        right.pieceByteCountMax = pieceByteCountMax
        let loop = context.loop
        let servers = LoopChannel<WebSocketTransport>(on: loop, elementCountMax: 1)
        let clients = LoopChannel<WebSocketTransport>(on: loop, elementCountMax: 1)
        let (serverRecorder, clientRecorder) = (Recorder(on: loop), Recorder(on: loop))
        _ = WebSocketServerHandshake(over: left, answer: { _ in .upgrade() }) { outcome in
            guard case .upgraded(let server, _) = outcome else { return }
            server.delegate = serverRecorder
            servers.send(server)
        }
        let request = WebSocketRequest(authority: "test", target: "/")
        _ = WebSocketClientHandshake(over: right, request: request) { result in
            guard case .success(let client) = result else { return }
            client.delegate = clientRecorder
            clients.send(client)
        }
        return WebSocketPair(
            server: try #require(try await servers.next()), client: try #require(try await clients.next()),
            serverRecorder: serverRecorder, clientRecorder: clientRecorder)
    }
}

/// A server end whose client is the test itself, byte by byte.
private struct RawClient {
    let pipe: MemoryTransport
    let recorder: Recorder
    let server: WebSocketTransport
    let serverRecorder: Recorder

    init(context: TransportContext) {
        let (left, right) = MemoryTransport.makePair(context: context)
        pipe = right
        recorder = Recorder(on: context.loop)
        serverRecorder = Recorder(on: context.loop)
        server = WebSocketTransport(over: left, role: .server, subprotocol: nil)
        server.delegate = serverRecorder
        pipe.delegate = recorder
    }

    func send(_ opcode: WebSocketFrame.Opcode, _ payload: [UInt8] = [], isFinal: Bool = true) {
        let frame = WebSocketFrame(opcode: opcode, isFinal: isFinal, payloadByteCount: payload.count, mask: 0)
        var header = [UInt8](repeating: 0, count: frame.headerByteCount)
        header.withUnsafeMutableBytes { frame.write(to: $0) }
        pipe.write(header + payload)
    }
}

@Suite("WebSocket transport", .timeLimit(.minutes(1))) struct WebSocketTransportTests {
    @Test("Each write is one message, both ways, however the bytes are cut", arguments: [1, 1000, Int.max])
    func messages(piece: Int) async throws {
        try await withTransports { context, actor async throws in
            let pair = try await WebSocketPair.make(context: context, pieceByteCountMax: piece)
            pair.serverRecorder.onReceived = { pair.server.write(UnsafeRawBufferPointer($0)) }
            let messages = [0, 1, 125, 126, 65535, 65536, 70000].map { pattern($0) }
            for message in messages { pair.client.write(message) }
            await pair.clientRecorder.wait { $0.messages.count == messages.count }
            for (received, sent) in zip(pair.clientRecorder.messages, messages) { expectSame(received, sent) }
            pair.client.abort()
        }
    }

    @Test("A ping is answered with its payload") func ping() async throws {
        try await withTransports { context, actor async throws in
            let pair = try await WebSocketPair.make(context: context)
            let pongs = LoopChannel<[UInt8]>(on: actor.loop, elementCountMax: 2)
            pair.client.onPong = { pongs.send(Array($0)) }
            pair.client.ping([1, 2])
            pair.client.ping()
            #expect(try await pongs.next() == [1, 2])
            #expect(try await pongs.next() == [])
            pair.client.abort()
        }
    }

    @Test("Whoever does not read gets the answer to the last ping only, later") func pingFlood() async throws {
        try await withTransports { context, actor async throws in
            let client = RawClient(context: context)
            client.pipe.pauseReading()
            while client.server.isWritable { client.server.write([UInt8](repeating: 0, count: 10000)) }
            let byteCount = client.server.bufferedByteCount
            for index in 0..<100 { client.send(.ping, [UInt8(index)]) }
            await pause(.milliseconds(2), on: actor)
            #expect(client.server.bufferedByteCount == byteCount)
            client.pipe.resumeReading()
            await client.recorder.wait { $0.bytes.suffix(3) == [0x8a, 1, 99] }
            client.pipe.abort()
        }
    }

    @Test("Closing tells the peer why, and it answers") func close() async throws {
        try await withTransports { context, actor async throws in
            let pair = try await WebSocketPair.make(context: context)
            pair.server.write([1])
            pair.server.close(.tryAgainLater("too many clients"))
            pair.server.write([2])
            #expect(await pair.clientRecorder.waitUntilClosed() == .closedByPeer(.tryAgainLater("too many clients")))
            #expect(await pair.serverRecorder.waitUntilClosed() == .closedLocally)
            #expect(pair.clientRecorder.messages == [[1]])
        }
    }

    @Test("Both sides may close at once") func simultaneousClose() async throws {
        try await withTransports { context, actor async throws in
            let pair = try await WebSocketPair.make(context: context)
            pair.server.close(.goingAway("a"))
            pair.client.close(.goingAway("b"))
            #expect(await pair.clientRecorder.waitUntilClosed() == .closedLocally)
            #expect(await pair.serverRecorder.waitUntilClosed() == .closedLocally)
        }
    }

    @Test("Nothing is delivered after closing, though it is still read") func closedHere() async throws {
        try await withTransports { context, actor async throws in
            let client = RawClient(context: context)
            client.server.pauseReading()
            client.send(.binary, [1])
            await pause(.milliseconds(1), on: actor)
            client.server.close(.normal)
            client.send(.binary, [2])
            await client.recorder.wait { $0.bytes == [0x88, 2, 0x03, 0xe8] }
            client.send(.close, [0x03, 0xe8])
            #expect(await client.serverRecorder.waitUntilClosed() == .closedLocally)
            #expect(client.serverRecorder.messages.isEmpty)
        }
    }

    @Test(
        "A close frame is answered with its code",
        arguments: [
            ([], [0x88, 0], nil), ([0x03, 0xe8], [0x88, 2, 0x03, 0xe8], CloseNotice.normal),
            ([0x0b, 0xb8, 0x61], [0x88, 2, 0x0b, 0xb8], CloseNotice(code: 3000, reason: "a")),
            ([0x03, 0xed], [0x88, 20, 0x03, 0xea] + Array("invalid close code".utf8), CloseNotice(code: 0)),
        ] as [([UInt8], [UInt8], CloseNotice?)])
    func peerCloses(payload: [UInt8], answer: [UInt8], notice: CloseNotice?) async throws {
        try await withTransports { context, actor async throws in
            let client = RawClient(context: context)
            client.send(.close, payload)
            let reason = await client.serverRecorder.waitUntilClosed()
            #expect(client.recorder.bytes == answer)
            if case .failed(let error) = reason {
                #expect(notice?.code == 0 && error.code == .protocolViolation)
            } else {
                #expect(reason == .closedByPeer(notice))
            }
        }
    }

    @Test("Text is refused politely") func text() async throws {
        try await withTransports { context, actor async throws in
            let client = RawClient(context: context)
            client.send(.binary, [1])
            client.send(.text, Array("hello".utf8))
            guard case .failed(let error) = await client.serverRecorder.waitUntilClosed() else {
                Issue.record("not failed")
                return
            }
            #expect(error.code == .protocolViolation && error.message.contains("binary"))
            #expect(client.recorder.bytes.prefix(4) == [0x88, UInt8(client.recorder.bytes.count - 2), 0x03, 0xeb])
            #expect(client.serverRecorder.messages == [[1]])
        }
    }

    @Test("A message above the limit closes with 1009") func tooLarge() async throws {
        var limits = TransportLimits()
        limits.messageByteCountMax = 100
        try await withTransports(limits: limits) { context, actor async throws in
            let client = RawClient(context: context)
            client.send(.binary, pattern(100))
            client.send(.binary, pattern(101))
            guard case .failed(let error) = await client.serverRecorder.waitUntilClosed() else {
                Issue.record("not failed")
                return
            }
            #expect(error.code == .messageTooLarge)
            #expect(client.recorder.bytes[2...3] == [0x03, 0xf1])
            #expect(client.serverRecorder.messages == [pattern(100)])
        }
    }

    @Test("An end without a close frame is a failure") func truncated() async throws {
        try await withTransports { context, actor async throws in
            let client = RawClient(context: context)
            client.pipe.finishWriting()
            guard case .failed(let error) = await client.serverRecorder.waitUntilClosed() else {
                Issue.record("not failed")
                return
            }
            #expect(error.code == .truncated)
        }
    }

    @Test("A peer that does not answer a close frame is cut") func closeTimeout() async throws {
        var limits = TransportLimits()
        limits.closeTimeout = .milliseconds(20)
        try await withTransports(limits: limits) { context, actor async throws in
            let client = RawClient(context: context)
            client.server.close()
            #expect(await client.serverRecorder.waitUntilClosed() == .closedLocally)
        }
    }

    @Test("A WebSocket may be closed or cut while it is told something", arguments: [true, false])
    func closeInside(isAbort: Bool) async throws {
        try await withTransports { context, actor async throws in
            let pair = try await WebSocketPair.make(context: context)
            pair.serverRecorder.onReceived = { _ in
                if isAbort { pair.server.abort() } else { pair.server.close() }
            }
            for _ in 0..<10 { pair.client.write([1]) }
            #expect(await pair.serverRecorder.waitUntilClosed() == .closedLocally)
            #expect(pair.serverRecorder.messages == [[1]])
            _ = await pair.clientRecorder.waitUntilClosed()
        }
    }

    @Test("Back-pressure goes through") func backPressure() async throws {
        try await withTransports { context, actor async throws in
            let pair = try await WebSocketPair.make(context: context)
            pair.server.pauseReading()
            var count = 0
            while pair.client.isWritable {
                pair.client.write([UInt8](repeating: 1, count: 10000))
                count += 1
            }
            await pause(.milliseconds(2), on: actor)
            #expect(pair.serverRecorder.messages.isEmpty)
            pair.server.resumeReading()
            await pair.clientRecorder.wait { $0.becameWritableCount == 1 }
            await pair.serverRecorder.wait { $0.messages.count == count }
            pair.client.abort()
        }
    }
}

@Suite("WebSocket handshake", .timeLimit(.minutes(1))) struct WebSocketHandshakeTests {
    /// Sends text to a server's handshake; what it answers, and whether it became a WebSocket.
    private func answer(
        to text: String, context: TransportContext, isolation: isolated (any Actor)? = #isolation,
        _ answer: @escaping (HTTPRequest) -> HTTPAnswer = { _ in .upgrade() }
    ) async -> (text: String, isUpgraded: Bool) {
        let (left, right) = MemoryTransport.makePair(context: context)
        let recorder = Recorder(on: context.loop)
        right.delegate = recorder
        var outcomes: [Bool] = []
        _ = WebSocketServerHandshake(over: left, answer: answer) { outcome in
            switch outcome {
            case .upgraded(let transport, _):
                outcomes.append(true)
                transport.delegate = Recorder(on: context.loop)
                transport.close()
            case .ended:
                outcomes.append(false)
            }
        }
        right.write(Array(text.utf8))
        await recorder.wait { $0.bytes.count > 0 }
        right.finishWriting()
        while outcomes.isEmpty { await Task.yield() }
        #expect(outcomes.count == 1)
        right.abort()
        return (String(decoding: recorder.bytes.prefix { $0 < 128 }, as: UTF8.self), outcomes[0])
    }

    private static let upgrade =
        "GET /x HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"

    @Test("A request for a WebSocket becomes one; the server may choose a subprotocol") func upgrades() async {
        await withTransports { context, actor in
            let plain = await answer(to: Self.upgrade + "\r\n", context: context)
            #expect(plain.isUpgraded && plain.text.hasPrefix("HTTP/1.1 101 "))
            let chosen = await answer(to: Self.upgrade + "Sec-WebSocket-Protocol: a, b\r\n\r\n", context: context) {
                request in
                .upgrade(subprotocol: request.fields.list("sec-websocket-protocol").last)
            }
            #expect(chosen.isUpgraded && chosen.text.contains("sec-websocket-protocol: b\r\n"))
        }
    }

    @Test("Messages that come with the request are not lost") func earlyMessages() async throws {
        try await withTransports { context, actor async throws in
            let (left, right) = MemoryTransport.makePair(context: context)
            let recorder = Recorder(on: actor.loop)
            _ = WebSocketServerHandshake(over: left, answer: { _ in .upgrade() }) { outcome in
                guard case .upgraded(let transport, _) = outcome else { return }
                transport.delegate = recorder
            }
            right.write(Array((Self.upgrade + "\r\n").utf8) + [0x82, 0x81, 0, 0, 0, 0, 7] + [0x82, 0x82, 0, 0])
            right.write([0, 0, 8, 9])
            await recorder.wait { $0.messages.count == 2 }
            #expect(recorder.messages == [[7], [8, 9]])
            right.abort()
        }
    }

    @Test("The owner decides by path and origin, in plain HTTP too") func hook() async {
        await withTransports { context, actor in
            let decide: (HTTPRequest) -> HTTPAnswer = { request in
                if request.path == "/health" { return .respond(HTTPResponse(status: 200, text: "ok\n")) }
                if request.origin == "https://evil.example" { return .respond(HTTPResponse(status: 403)) }
                return .upgrade()
            }
            let health = await answer(to: "GET /health?x HTTP/1.1\r\nHost: a\r\n\r\n", context: context, decide)
            #expect(
                !health.isUpgraded && health.text.hasPrefix("HTTP/1.1 200 OK\r\n")
                    && health.text.hasSuffix("\r\n\r\nok\n"))
            let head = await answer(to: "HEAD /health HTTP/1.1\r\nHost: a\r\n\r\n", context: context, decide)
            #expect(head.text.contains("content-length: 3\r\n") && head.text.hasSuffix("\r\n\r\n"))
            let evil = await answer(to: Self.upgrade + "Origin: https://evil.example\r\n\r\n", context: context, decide)
            #expect(!evil.isUpgraded && evil.text.hasPrefix("HTTP/1.1 403 "))
            let page = await answer(to: "GET / HTTP/1.1\r\nHost: a\r\n\r\n", context: context, decide)
            #expect(
                !page.isUpgraded && page.text.hasPrefix("HTTP/1.1 426 ") && page.text.contains("upgrade: websocket\r\n")
            )
        }
    }

    @Test(
        "Bad requests get an answer and no WebSocket",
        arguments: [
            ("\u{16}\u{3}\u{1}", 400), ("GET / HTTP/1.1\r\n\r\n", 400), ("GET / HTTP/3\r\nHost: a\r\n\r\n", 505),
            ("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc", 400),
            ("GET /" + String(repeating: "a", count: 20000) + " HTTP/1.1\r\n", 431),
            ("GET / HTTP/1.1\r\nHost: a\r\n" + String(repeating: "x: y\r\n", count: 100) + "\r\n", 431),
        ])
    func bad(text: String, status: Int) async {
        await withTransports { context, actor in
            let answer = await answer(to: text, context: context)
            #expect(!answer.isUpgraded && answer.text.hasPrefix("HTTP/1.1 \(status) "), "\(answer.text)")
        }
    }

    @Test("A deadline ends a slow request with an answer") func deadline() async {
        await withTransports { context, actor in
            let (left, right) = MemoryTransport.makePair(context: context)
            let recorder = Recorder(on: actor.loop)
            right.delegate = recorder
            var reason: CloseReason?
            let handshake = WebSocketServerHandshake(over: left, answer: { _ in .upgrade() }) { outcome in
                if case .ended(let ended) = outcome { reason = ended }
            }
            right.write(Array("GET / HT".utf8))
            await pause(.milliseconds(1), on: actor)
            handshake.refuse(HTTPResponse(status: 408))
            _ = await recorder.waitUntilClosed()
            #expect(String(decoding: recorder.bytes, as: UTF8.self).hasPrefix("HTTP/1.1 408 Request Timeout\r\n"))
            #expect(reason == .closedLocally)
        }
    }

    @Test(
        "A client refuses what is not an answer to it",
        arguments: ["HTTP/1.1 404 Not Found\r\n\r\n", "hello\r\n", "HTTP/1.1 101 x\r\n\r\n", ""])
    func clientRefuses(text: String) async throws {
        try await withTransports { context, actor async throws in
            let (left, right) = MemoryTransport.makePair(context: context)
            let results = LoopChannel<Result<WebSocketTransport, TransportError>>(on: actor.loop, elementCountMax: 1)
            let request = WebSocketRequest(authority: "test", target: "/")
            _ = WebSocketClientHandshake(over: right, request: request) { results.send($0) }
            left.write(Array(text.utf8))
            left.finishWriting()
            let result = try #require(try await results.next())
            let code: TransportError.Code =
                text.isEmpty ? .truncated : text.contains("404") ? .upgradeRefused : .protocolViolation
            #expect(#expect(throws: TransportError.self) { try result.get() }?.code == code)
        }
    }
}
